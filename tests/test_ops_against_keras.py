"""Every operation that Keras has too, against Keras on JAX in float32: value, shape and dtype."""

import os

import numpy as np
import pytest

from layerwise import ops, tree
from layerwise.lazy import keras_names
from samples import SAMPLES

os.environ["KERAS_BACKEND"] = "jax"
import jax
import keras

IN_KERAS = {name for space in ("keras.ops", "keras.ops.image") for name in keras_names()[space]}
NAMES = sorted(name for name in IN_KERAS if callable(getattr(ops, name, None)))

PROGRAMS = {  # functions of functions: the same program with either set of operations
    "cond": lambda k: k.cond(k.ones(()) > 0, lambda: k.ones(2), lambda: k.zeros(2)),
    "custom_gradient": lambda k: k.custom_gradient(lambda x: (x * 2.0, lambda *g, upstream=None: g))(k.ones(2)),
    "map": lambda k: k.map(lambda x: k.square(x) + 1.0, k.arange(3.0)),
    "scan": lambda k: k.scan(lambda carry, x: (carry + x, carry * x), k.zeros(()), k.arange(1.0, 5.0)),
    "switch": lambda k: k.switch(1, [lambda x: x, lambda x: -x], k.ones(2)),
    "vectorized_map": lambda k: k.vectorized_map(lambda x: k.sum(x), k.ones((3, 2))),
    "while_loop": lambda k: k.while_loop(lambda x: x < 9.0, lambda x: x * 2.0, k.ones(())),
}


def single(a):
    return a.astype("float32") if isinstance(a, np.ndarray) and a.dtype == np.float64 else a


def results(name):
    """What ours and Keras' give for the first sample that Keras accepts; others are compared with NumPy elsewhere."""
    if name in PROGRAMS:
        return PROGRAMS[name](ops), PROGRAMS[name](keras.ops)
    for sample in (s for s in SAMPLES if s.name == name):
        args, kwargs = tree.map_structure(single, (sample.args, sample.kwargs))
        try:
            theirs = getattr(keras.ops if hasattr(keras.ops, name) else keras.ops.image, name)(*args, **kwargs)
        except (TypeError, ValueError):
            continue  # lists and strides that only we take
        return getattr(ops, name)(*args, **kwargs), theirs
    raise AssertionError(f"{name}: no sample that Keras accepts")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.filterwarnings("ignore:Explicitly requested dtype")
def test_value_shape_and_dtype_are_those_of_keras(name):
    ours, theirs = map(tree.flatten, results(name))
    for a, b in zip(ours, theirs, strict=True):
        a, b = np.asarray(a), np.asarray(b)
        assert a.shape == b.shape
        assert a.dtype == b.dtype or (a.dtype == "float64" and not jax.config.jax_enable_x64)
        np.testing.assert_allclose(a, b, rtol=2e-5, atol=2e-5)
