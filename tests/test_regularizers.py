"""layerwise.regularizers against Keras: value, gradient, configuration."""

import jax
import keras
import numpy as np
import pytest

from layerwise import ops, regularizers, serialization
from layerwise.autograd import grad

CASES = [
    ("L1", {}), ("L1", {"l1": 0.3}), ("L2", {}), ("L2", {"l2": 0.3}), ("L1L2", {}), ("L1L2", {"l1": 0.3, "l2": 0.5}),
    ("OrthogonalRegularizer", {}), ("OrthogonalRegularizer", {"factor": 0.3, "mode": "columns"}),
]  # fmt: skip


@pytest.mark.parametrize(("name", "kwargs"), CASES)
def test_value_and_gradient_are_those_of_keras(name, kwargs):
    ours, theirs = getattr(regularizers, name)(**kwargs), getattr(keras.regularizers, name)(**kwargs)
    x = np.random.default_rng(1).normal(size=(4, 6)).astype("float32")
    value, slope = jax.jit(jax.value_and_grad(theirs))(x)
    np.testing.assert_allclose(ours(x), value, rtol=1e-5)
    np.testing.assert_allclose(grad(ours)(x), slope, rtol=1e-4, atol=1e-6)
    assert ours(x).dtype == "float32"


@pytest.mark.parametrize(("name", "kwargs"), CASES)
def test_configurations_are_those_of_keras(name, kwargs):
    ours, theirs = getattr(regularizers, name)(**kwargs), getattr(keras.regularizers, name)(**kwargs)
    node, expected = regularizers.serialize(ours), keras.regularizers.serialize(theirs)
    for key, value in node["config"].items():
        if key != "mode":
            assert expected["config"].pop(key) == pytest.approx(value, rel=1e-6)  # Keras rounds to float32
            expected["config"][key] = value
    assert node == expected
    assert regularizers.deserialize(node).get_config() == ours.get_config()


@pytest.mark.parametrize("name", ["l1", "l2", "l1l2", "L1", "L1L2", "OrthogonalRegularizer", "orthogonal_regularizer"])
def test_names(name):
    assert type(regularizers.get(name)).__name__ == type(keras.regularizers.get(name)).__name__


def test_get():
    assert regularizers.get(None) is None
    assert regularizers.get(abs) is abs
    assert regularizers.l1_l2 is regularizers.L1L2
    assert regularizers.get({"class_name": "L2", "config": {"l2": 0.5}}).l2 == 0.5
    assert regularizers.L1L2(None, None).get_config() == {"l1": 0.0, "l2": 0.0}


def test_orthogonality_of_one_row_is_no_penalty():
    assert regularizers.OrthogonalRegularizer()(np.ones((1, 3))).item() == 0


def test_a_user_s_regularizer():
    @serialization.register_keras_serializable("mine")
    class Quartic(regularizers.Regularizer):
        def __init__(self, factor=1.0):
            self.factor = factor

        def __call__(self, x):
            return self.factor * ops.sum(ops.square(ops.square(x)))

    again = regularizers.get(regularizers.serialize(Quartic(2.0)))
    assert again([1.0, 2.0]).item() == 34
    with pytest.raises(NotImplementedError, match="Regularizer: define __call__"):
        regularizers.Regularizer()(1.0)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: regularizers.L1(-1.0), "L1: l1: got -1.0, expected a number >= 0"),
        (lambda: regularizers.L2("a"), "L2: l2: got 'a'"),
        (lambda: regularizers.L1L2(0.0, float("nan")), "L1L2: l2: got nan"),
        (lambda: regularizers.OrthogonalRegularizer(mode="x"), "mode: got 'x'"),
        (lambda: regularizers.OrthogonalRegularizer()(np.ones(3)), r"shape \(3,\)"),
        (lambda: regularizers.get("l3"), "unknown regularizer 'l3'"),
    ],
)
def test_errors(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_missing_names():
    with pytest.raises(AttributeError, match="nearest: 'L1'"):
        regularizers.L11  # noqa: B018
