"""layerwise.constraints against Keras: value, gradient, configuration."""

import jax
import keras
import numpy as np
import pytest

from layerwise import constraints, ops, serialization
from layerwise.autograd import grad

CASES = [
    ("MaxNorm", {}), ("MaxNorm", {"max_value": 0.5, "axis": [0, 1]}), ("NonNeg", {}), ("UnitNorm", {}),
    ("UnitNorm", {"axis": 1}), ("MinMaxNorm", {}),
    ("MinMaxNorm", {"min_value": 1.0, "max_value": 2.0, "rate": 0.3, "axis": 1}),
]  # fmt: skip


@pytest.mark.parametrize(("name", "kwargs"), CASES)
def test_value_and_gradient_are_those_of_keras(name, kwargs):
    ours, theirs = getattr(constraints, name)(**kwargs), getattr(keras.constraints, name)(**kwargs)
    w = np.random.default_rng(1).normal(size=(4, 6)).astype("float32")
    u = np.random.default_rng(2).normal(size=(4, 6)).astype("float32")

    @jax.jit
    def expected(w):
        value, pull = jax.vjp(theirs, w)
        return value, pull(u)[0]

    value, slope = expected(w)
    np.testing.assert_allclose(ours(w), value, rtol=1e-5, atol=1e-7)
    np.testing.assert_allclose(grad(lambda x: ops.sum(ours(x) * u))(w), slope, rtol=1e-4, atol=1e-5)
    assert ours(w).dtype == "float32"


@pytest.mark.parametrize(("name", "kwargs"), CASES)
def test_configurations_are_those_of_keras(name, kwargs):
    ours, theirs = getattr(constraints, name)(**kwargs), getattr(keras.constraints, name)(**kwargs)
    node = constraints.serialize(ours)
    assert node == keras.constraints.serialize(theirs)
    assert constraints.deserialize(node).get_config() == ours.get_config()


def test_what_is_allowed_stays():
    w = np.array([[0.3, -0.1], [0.4, 0.2]], "float32")
    np.testing.assert_allclose(constraints.MaxNorm(1.0)(w), w, rtol=1e-6)
    np.testing.assert_array_equal(constraints.NonNeg()([-0.0, 2.0, -3.0]), [0, 2, 0])


@pytest.mark.parametrize("name", ["max_norm", "MinMaxNorm", "min_max_norm", "non_neg", "NonNeg", "unit_norm"])
def test_names(name):
    assert type(constraints.get(name)).__name__ == type(keras.constraints.get(name)).__name__
    assert isinstance(constraints.get(name), getattr(constraints, name))


def test_get():
    assert constraints.get(None) is None
    assert constraints.get(constraints.NonNeg).get_config() == {}
    with pytest.raises(ValueError, match="unknown constraint 'max_nrm'; did you mean 'MaxNorm'"):
        constraints.get("max_nrm")


def test_a_user_s_constraint():
    @serialization.register_keras_serializable("mine")
    class Clipped(constraints.Constraint):
        def __init__(self, limit=1.0):
            self.limit = limit

        def __call__(self, w):
            return ops.clip(w, -self.limit, self.limit)

    again = constraints.get(constraints.serialize(Clipped(0.5)))
    np.testing.assert_array_equal(again([-2.0, 0.1]), np.array([-0.5, 0.1], "float32"))
    assert constraints.Constraint()(1.0) == 1.0


def test_missing_names():
    with pytest.raises(AttributeError, match="nearest: 'NonNeg'"):
        constraints.NonNegative  # noqa: B018
