"""Every operation that Keras has too, against Keras on JAX in float32: value, shape and dtype."""

import os

import numpy as np
import pytest

import layerwise
from layerwise import grad, ops, tree
from layerwise.lazy import keras_names
from samples import SAMPLES

os.environ["KERAS_BACKEND"] = "jax"
import jax
import keras

IN_KERAS = {name for space in ("keras.ops", "keras.ops.image") for name in keras_names()[space]}
NAMES = sorted(name for name in IN_KERAS if callable(getattr(ops, name, None)))

MIXED = np.array([5, 1, 4, 2, 3], "int32")
PROGRAMS = {  # what takes functions, or promises less than its value: the same program with either set of operations
    "argpartition": lambda k: k.sort(k.take(MIXED, k.argpartition(MIXED, 2))[3:]),
    "cond": lambda k: k.cond(k.ones(()) > 0, lambda: k.ones(2), lambda: k.zeros(2)),
    "custom_gradient": lambda k: k.custom_gradient(lambda x: (x * 2.0, lambda *g, upstream=None: g))(k.ones(2)),
    "dtype": lambda k: k.equal(k.dtype(k.ones(2, "int8")) == "int8", True),
    "jvp": lambda k: k.jvp(lambda x: (k.sin(x), x), (k.ones(2),), (k.arange(2.0),), has_aux=True),
    "map": lambda k: k.map(lambda x: k.square(x) + 1.0, k.arange(3.0)),
    "scan": lambda k: k.scan(lambda carry, x: (carry + x, carry * x), k.zeros(()), k.arange(1.0, 5.0)),
    "switch": lambda k: k.switch(1, [lambda x: x, lambda x: -x], k.ones(2)),
    "vectorized_map": lambda k: k.vectorized_map(lambda x: k.sum(x), k.ones((3, 2))),
    "vectorize": lambda k: k.vectorize(lambda x, y, z: k.sum(x) * y * z, signature="(n),()->()", excluded={2})(
        k.ones((3, 1, 2)), k.arange(2.0), 3.0
    ),
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


def keras_tensor(k, *shape, dtype="float32"):
    return (keras if k is keras.ops else layerwise).KerasTensor(shape, dtype)


BLOCK = np.arange(24, dtype="float32").reshape(2, 3, 4) - 7
INF = float("inf")
EDGES = {  # where another reading is near at hand
    "norm of a matrix": lambda k: [k.norm(BLOCK[0], ord=o) for o in (None, "fro", "nuc", 1, 2, -1, -2, INF, -INF)],
    "norm of a vector": lambda k: [k.norm(BLOCK[0, 0], ord=o) for o in (None, 0, 1, 2, 3, -1, INF, -INF)],
    "norm of matrices along a pair": lambda k: [
        k.norm(BLOCK, ord=o, axis=axes, keepdims=kept)
        for o in (None, "fro", "nuc", 1, 2, -1, -2, INF, -INF)
        for axes, kept in (((1, 2), False), ((2, 0), True), ((-3, -1), False))
    ],
    "norm of a block": lambda k: [k.norm(BLOCK), k.norm(BLOCK, axis=(0, 1)), k.norm(BLOCK, ord=1, axis=-1)],
    "mean of float16": lambda k: k.mean(np.full(4096, 100, "float16")),
    "sum of float16": lambda k: k.sum(np.array([60000, 60000, -60000], "float16")),
    "var and std of float16": lambda k: [f(np.array([0] * 30 + [600], "float16")) for f in (k.std, k.var)],
    "moments of float16": lambda k: k.moments(np.full((4096, 2), 100, "float16"), axes=[0]),
    "products of int8": lambda k: [
        f(np.full((1, 4), 100, "int8"), np.full((4, 1), 100, "int8"))
        for f in (k.matmul, lambda a, b: k.einsum("ij,jk->ik", a, b), lambda a, b: k.dot(a // 20, b // 20))
    ],
    "activations of bfloat16": lambda k: [
        getattr(k, name)(k.cast(BLOCK[0] / 4, "bfloat16"))
        for name in "elu gelu leaky_relu relu relu6 selu sigmoid silu softmax softplus tanh".split()
    ],
    "products of bfloat16": lambda k: [
        f(k.ones((2, 2), "bfloat16"), k.ones((2, 2), other))
        for other in ("bfloat16", "int16", "bool")
        for f in (k.dot, k.inner, k.matmul, k.outer, k.tensordot, k.vdot, lambda a, b: k.einsum("ij,jk->ik", a, b))
    ],
    "segment_sum of other ids": lambda k: [
        k.segment_sum(np.float32([1, 2, 3]), np.array([0, other, 1]), num_segments=4) for other in (-1, -9, 4, 9)
    ],
    "segments of which it is not known how many": lambda k: [
        k.zeros(f(keras_tensor(k, 3, 2), keras_tensor(k, 3, dtype="int32")).shape[1:])
        for f in (k.segment_sum, k.segment_max)
    ],
    "ctc_decode of float16": lambda k: k.ctc_decode(np.float16(BLOCK[:, :, :3] ** 2 % 5), np.array([3, 2])),
    "scatter_update of rows": lambda k: [
        k.scatter_update(BLOCK, np.array([[0, 1], [1, 2], [0, 1]]), BLOCK[0] + 3, reduction=r)
        for r in ("add", "mul", "max", "min")
    ],
    "slice to the end": lambda k: [k.slice(BLOCK, (1, 0, 2), n) for n in ((-1, -1, -1), (1, -1, 2))],
    "in_top_k of NaN": lambda k: [
        k.in_top_k(np.array([1, 0, 0]), np.float32([[0.1, np.nan, 0.5], [0.3, 0.2, 0.5], [0.1, np.nan, 0.5]]), k=n)
        for n in (1, 2)
    ],
    "conv with capitals": lambda k: k.conv(k.ones((1, 20, 3)), k.ones((4, 3, 2)), 1, padding="SAME"),
    "depthwise_conv with capitals": lambda k: k.depthwise_conv(
        k.ones((1, 20, 3)), k.ones((4, 3, 2)), 1, padding="SAME"
    ),
    "conv_transpose of any geometry": lambda k: [
        k.conv_transpose(np.sin(np.arange(8.0, dtype="float32")).reshape(1, 4, 2), kernel, strides, padding, more)
        for kernel in (np.cos(np.arange(4.0 * n, dtype="float32")).reshape(n, 2, 2) for n in (1, 2, 3))
        for strides in (1, 2, 4)
        for padding in ("valid", "SAME")
        for more in (None, 0, 1, 3)
    ],
    "adaptive pooling to any size": lambda k: [
        pool(np.sin(np.arange(2.0 * n, dtype="float32")).reshape(1, n, 2), out)
        for pool in (k.adaptive_average_pool, k.adaptive_max_pool)
        for n in (1, 4, 7)
        for out in (1, 2, 3, 4, 5)  # 7 of 7 is more than Keras counts in float32
        if out <= n
    ],
    "pooling with capitals": lambda k: [
        f(k.ones((1, 21, 3)), 2, 2, padding="SAME") for f in (k.max_pool, k.average_pool)
    ],
    "bincount of a matrix": lambda k: [k.bincount(np.array([[1, 2], [0, 2]], "int32"), minlength=n) for n in (0, 5)],
    "bincount of unsigned numbers": lambda k: k.bincount(np.array([1, 1, 2], "uint16")),
}  # fmt: skip


@pytest.mark.parametrize("program", EDGES.values(), ids=EDGES)
def test_edges_are_those_of_keras(program):
    for a, b in zip(tree.flatten(program(ops)), tree.flatten(program(keras.ops)), strict=True):
        assert str(a.dtype) == str(b.dtype)
        assert a.shape == b.shape
        near = 2e-2 if str(a.dtype) == "bfloat16" else 2e-3 if str(a.dtype) == "float16" else 2e-5
        np.testing.assert_allclose(np.asarray(a, "float64"), np.asarray(b, "float64"), rtol=near, atol=near)


def test_gradient_of_singular_values():
    def nuclear(k):
        return lambda x: k.norm(x, ord="nuc") + 2 * k.norm(x, ord=2)

    x = np.cos(BLOCK[1] ** 2)
    theirs = jax.grad(nuclear(keras.ops))(x)
    np.testing.assert_allclose(grad(nuclear(ops))(x), theirs, rtol=1e-4, atol=1e-4)


def test_norms_that_there_are_not():
    for wrong in (0, 3, "euclid"):
        with pytest.raises(ValueError, match="norm: ord: got"):
            ops.norm(BLOCK[0], ord=wrong)
    with pytest.raises(ValueError, match="norm: ord: got 'fro' for vectors"):
        ops.norm(BLOCK[0], ord="fro", axis=0)
    with pytest.raises(ValueError, match="3 axes"):
        ops.norm(BLOCK, ord=1, axis=(0, 1, 2))
    with pytest.raises(ValueError, match="padding: got 'some'"):
        ops.max_pool(BLOCK, 2, padding="some")


def test_average_pool_of_float16_does_not_overflow():
    y = ops.average_pool(np.full((1, 64, 64, 2), 20, "float16"), 64)
    assert (y.dtype, np.asarray(y).tolist()) == ("float16", [[[[20.0, 20.0]]]])
