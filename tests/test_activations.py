"""layerwise.activations against Keras: every public name, in value and gradient, and how they are written and found."""

import jax
import keras
import numpy as np
import pytest

from layerwise import activations, ops, serialization
from layerwise.autograd import Spec, Tensor, grad, gradcheck

ARGUMENTS = {
    "celu": [{"alpha": 0.5}],
    "elu": [{"alpha": 0.5}],
    "gelu": [{"approximate": True}],
    "glu": [{"axis": 0}],
    "hard_shrink": [{"threshold": 1.0}],
    "leaky_relu": [{"negative_slope": 0.4}],
    "log_softmax": [{"axis": 0}],
    "relu": [
        {"negative_slope": 0.3},
        {"max_value": 1.5},
        {"threshold": 0.7},
        {"negative_slope": 0.3, "max_value": 1.5, "threshold": 0.7},
    ],
    "soft_shrink": [{"threshold": 1.0}],
    "softmax": [{"axis": 0}],
    "sparsemax": [{"axis": 0}],
    "squareplus": [{"b": 1}],
    "threshold": [{"threshold": 0.3, "default_value": -2.0}],
}
NAMES = [n for n in dir(keras.activations) if n[0] != "_" and n not in ("get", "serialize", "deserialize")]
NAMES = [n for n in NAMES if callable(getattr(keras.activations, n))]
EACH = [(n, k) for n in NAMES for k in ([] if n == "threshold" else [{}]) + ARGUMENTS.get(n, [])]


def test_every_name_of_keras_is_here():
    assert set(NAMES) <= set(activations.__all__)
    assert len(NAMES) > 30


KINKS = [-100.0, -3.0, -1.0, -0.5, 0.0, 0.3, 0.5, 0.7, 1.0, 1.5, 3.0, 6.0]


@pytest.mark.parametrize(("name", "kwargs"), EACH)
def test_value_and_gradient_are_those_of_keras(name, kwargs):
    """Values everywhere, gradients where there is one; they are finite elsewhere, too."""
    ours, theirs = getattr(activations, name), getattr(keras.activations, name)
    rng = np.random.default_rng(1)
    x, u = 2 * rng.normal(size=(2, 4, 6)).astype("float32")
    x.ravel()[:12] = KINKS
    expected, pull = jax.vjp(lambda x: theirs(x, **kwargs), x)
    u = np.resize(u, expected.shape)
    at_kinks = np.zeros(x.shape, bool)
    at_kinks.ravel()[:12] = name not in ("softmax", "log_softmax", "glu")
    y = ours(x, **kwargs)
    slope = grad(lambda x: ops.sum(ours(x, **kwargs) * u))(x).numpy()
    assert (y.dtype, slope.dtype) == ("float32", "float32")
    assert np.isfinite(slope).all()
    if name != "sparsemax":  # see below
        np.testing.assert_allclose(y, expected, rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(slope[~at_kinks], np.asarray(pull(u)[0])[~at_kinks], rtol=1e-4, atol=1e-5)


@pytest.mark.float64
@pytest.mark.parametrize("axis", [0, 1])
def test_sparsemax_is_the_nearest_distribution(axis):
    """p is the point of the simplex nearest to x if and only if (x - p) . (q - p) <= 0 for every corner q of it.

    Keras 3.15 on JAX returns values that do not sum to 1, so it is no oracle here.
    """
    x = 2 * np.random.default_rng(1).normal(size=(5, 5))
    p = activations.sparsemax(x, axis).numpy()
    np.testing.assert_allclose(p.sum(axis), 1, rtol=1e-12)
    assert p.min() >= 0
    assert (((x - p) - ((x - p) * p).sum(axis, keepdims=True)) < 1e-12).all()
    gradcheck(lambda x: activations.sparsemax(x, axis), x)
    np.testing.assert_allclose(activations.sparsemax([[1.0, 1.0], [5.0, 0.0]]), [[0.5, 0.5], [1, 0]])


@pytest.mark.parametrize("name", NAMES)
def test_symbolic_arguments(name):
    kwargs = {"threshold": 0.3, "default_value": 0.0} if name == "threshold" else {}
    y = getattr(activations, name)(Tensor(Spec((None, 6), "float32")), **kwargs)
    assert y.symbolic
    assert (y.shape, y.dtype) == ((None, 3 if name == "glu" else 6), "float32")


@pytest.mark.parametrize("name", NAMES)
def test_written_as_a_name_and_found_again(name):
    fn = getattr(activations, name)
    written = activations.serialize(fn)
    assert written == keras.activations.serialize(getattr(keras.activations, name))
    assert activations.get(written) is fn
    assert activations.deserialize(name) is fn


def test_get():
    assert activations.get(None) is activations.linear
    assert activations.get(activations.relu) is activations.relu
    with pytest.raises(ValueError, match="unknown activation 'rellu'; did you mean 'relu'"):
        activations.get("rellu")
    with pytest.raises(ValueError, match="activation: got 3 of type int"):
        activations.get(3)


def test_a_user_s_activation():
    def double(x):
        return 2 * ops.convert_to_tensor(x)

    assert activations.get(double) is double
    assert activations.deserialize("double", {"double": double}) is double
    serialization.register_keras_serializable("mine")(double)
    assert activations.get(activations.serialize(double)) is double
    assert activations.deserialize(activations.serialize(double)) is double
    assert activations.get("mine>double") is double


def test_softmax_and_sigmoid_remember_their_logits():
    x = ops.convert_to_tensor([[1.0, 2.0]])
    assert activations.get("softmax")(x).logits == ("softmax", x)
    assert activations.get("sigmoid")(x).logits == ("sigmoid", x)


def test_missing_names():
    with pytest.raises(AttributeError, match="nearest: 'sigmoid'"):
        activations.sigmoyd  # noqa: B018
