"""The native matrix product against NumPy in more precision, within the bound of an inner product: gamma_n |a| |b|."""

import functools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

native = pytest.importorskip("layerwise.backends._native", reason="the C++ kernels were not built")

ACTIVATIONS = ["linear", "relu", "tanh", "sigmoid"]
# Around every register width (4 to 16 floats), tile height (up to 12) and panel width (up to 48), and primes.
SIZES = st.sampled_from([0, 1, 2, 3, 4, 5, 7, 8, 9, 11, 13, 15, 16, 17, 23, 31, 32, 33, 47, 48, 49, 64, 67, 97, 101])
DEPTHS = st.sampled_from([0, 1, 2, 3, 5, 8, 16, 17, 37, 64, 255, 256, 257, 521])


@pytest.fixture(params=native.isas(), autouse=True, scope="module")
def isa(request):
    """Every test runs once for each instruction set that the processor has."""
    before = native.isa()
    native.set_isa(request.param)
    yield request.param
    native.set_isa(before)


def gemm(a, b, bias=None, act="linear", out=None):
    if out is None:
        out = np.full((*a.shape[:-1], b.shape[-1]), np.nan, a.dtype)
    native.call("gemm", 1, [out, a, b, bias], [ACTIVATIONS.index(act)], [])
    return out


def activate(act, z):
    if act == "linear":
        return z
    if act == "relu":
        return np.maximum(z, 0)
    return np.tanh(z) if act == "tanh" else 1 / (1 + np.exp(-z))


def precise(x):
    """In twice the digits of float32, where products are exact; in long double for float64."""
    return x.astype("float64" if x.dtype == "float32" else np.longdouble)


def precise_product(a, b):
    """a b, and |a| |b|."""
    a, b = precise(a), precise(b)
    return a @ b, np.abs(a) @ np.abs(b)


def assert_product(out, a, b, bias=None, act="linear", exact=None):
    """k products, k - 1 sums and a bias: at most k + 1 roundings on the way of any term, in whatever order they add up.

    The activations' slopes are at most 1, so they do not enlarge the error; their own is some units in the last place.
    """
    eps = np.finfo(out.dtype).eps
    terms = (a.shape[-1] + 1) * eps / 2
    product, size = exact or precise_product(a, b)
    bias = product.dtype.type(0) if bias is None else precise(bias)
    expected = activate(act, product + bias)
    bound = terms / (1 - terms) * (size + np.abs(bias))
    bound += 4 * eps * np.abs(expected) * (act in ("tanh", "sigmoid"))
    assert out.shape == expected.shape
    assert np.all(np.abs(out - expected) <= bound)


def seen(draw, rng, shape, dtype, zeros=0.0):
    """An array of normal numbers of this shape, so much of it 0, seen through drawn strides."""
    steps = [draw(st.sampled_from([1, 1, 1, 2, -1, -3])) for _ in shape]
    turned = draw(st.booleans())
    stored = [n * abs(step) for n, step in zip(shape, steps, strict=True)]
    if turned:
        x = rng.normal(size=[*stored[:-2], stored[-1], stored[-2]]).swapaxes(-1, -2)
    else:
        x = rng.normal(size=stored)
    x[rng.random(x.shape) < zeros] = 0
    x = x.astype(dtype, order="K")[tuple(slice(None, None, step) for step in steps)]
    repeated = draw(st.sampled_from([None, None, None, *range(len(shape))]))
    if repeated is not None and shape[repeated]:
        x = np.broadcast_to(np.take(x, [0], repeated), shape)
    return x


@st.composite
def products(draw):
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    dtype = draw(st.sampled_from(["float32", "float64"]))
    m, k, n = draw(SIZES), draw(DEPTHS), draw(SIZES)
    batch = draw(st.sampled_from([(), (), (0,), (1,), (3,)]))
    zeros = draw(st.sampled_from([0, 0.55, 0.8, 1]))
    a, b = seen(draw, rng, (*batch, m, k), dtype, zeros), seen(draw, rng, (*batch, k, n), dtype)
    bias = rng.normal(size=n).astype(dtype) if draw(st.booleans()) else None
    return a, b, bias, draw(st.sampled_from(ACTIVATIONS))


@settings(max_examples=150, deadline=None)
@given(products(), st.integers(0, 3))
def test_products_of_any_strides(product, margin):
    a, b, bias, act = product
    inside = (..., slice(margin, margin + a.shape[-2]), slice(margin, margin + b.shape[-1]))
    whole = np.full((*a.shape[:-2], a.shape[-2] + 2 * margin, b.shape[-1] + 2 * margin), 77, a.dtype)
    gemm(a, b, bias, act, out=whole[inside])
    assert_product(whole[inside], a, b, bias, act)
    whole[inside] = 77
    assert np.all(whole == 77), "wrote outside of out"


TRANSPOSES = pytest.mark.parametrize("transposes", ["nn", "tn", "nt", "tt"])


@functools.cache
def factors(m, k, n, dtype="float32", zeros=0.0):
    rng = np.random.default_rng(m + k + n)
    a, b = rng.normal(size=(m, k)).astype(dtype), rng.normal(size=(k, n)).astype(dtype)
    a[rng.random(a.shape) < zeros] = 0
    return a, b


def matrices(transposes, *which):
    """The same numbers, stored by rows or, where transposed, by columns."""
    return [np.asarray(x, order="F" if t == "t" else "C") for x, t in zip(factors(*which), transposes, strict=True)]


# Cut into rows, into columns, into pieces of k; with a copy of b and without.
LARGE = pytest.mark.parametrize(
    ("m", "k", "n"), [(397, 300, 83), (29, 300, 611), (523, 270, 251), (7, 40001, 10), (5, 2111, 211), (31, 1003, 129)]
)


@functools.cache
def exact(m, k, n, zeros):
    """The same for every instruction set and layout."""
    return precise_product(*factors(m, k, n, "float32", zeros))


ZEROS = pytest.mark.parametrize("zeros", [0, 0.6, 0.9, 1])


@TRANSPOSES
@ZEROS
@LARGE
def test_products_in_several_parts(transposes, m, k, n, zeros):
    a, b = matrices(transposes, m, k, n, "float32", zeros)
    bias = np.linspace(-9, 9, n, dtype="float32")
    assert_product(gemm(a, b, bias, "relu"), a, b, bias, "relu", exact(m, k, n, zeros))


@TRANSPOSES
@pytest.mark.parametrize(("m", "k", "n"), [(60, 90, 211), (5, 22001, 10)])
def test_batches_in_several_parts(transposes, m, k, n):
    a, b = (
        np.stack([x.T, -2 * x.T], axis=0).swapaxes(1, 2) if turned == "t" else np.stack([x, -2 * x])
        for x, turned in zip(matrices(transposes, m, k, n), transposes, strict=True)
    )
    assert_product(gemm(a, b), a, b)
    shared = np.broadcast_to(b[1], b.shape)
    assert_product(gemm(a, shared), a, shared)


@TRANSPOSES
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("zeros", [0, 0.8])
@LARGE
def test_the_same_bits_for_any_number_of_threads(transposes, m, k, n, dtype, zeros):
    a, b = matrices(transposes, m, k, n, dtype, zeros)
    bias = np.linspace(-9, 9, n, dtype=dtype)
    before = native.num_threads()
    results = []
    try:
        for threads in (1, 2, 4, 2):
            native.set_num_threads(threads)
            results.append(gemm(a, b, bias, "tanh").tobytes())
    finally:
        native.set_num_threads(before)
    assert len(set(results)) == 1


@settings(max_examples=100, deadline=None)
@given(
    st.integers(0, 2**32),
    SIZES.filter(bool),
    st.integers(1, 140),
    SIZES.filter(bool),
    st.sampled_from(["linear", "relu"]),
    st.sampled_from([0, 0.7]),
    st.booleans(),
)
def test_nan_and_infinity_reach_what_they_touch_and_nothing_else(seed, m, k, n, act, zeros, turned):
    rng = np.random.default_rng(seed)
    a, b = (rng.integers(-3, 4, shape).astype("float32") for shape in [(m, k), (k, n)])
    a[rng.random(a.shape) < zeros] = 0
    a = np.asfortranarray(a) if turned else a
    a[rng.integers(m), rng.integers(k)] = rng.choice([np.nan, np.inf, -np.inf])
    b[rng.integers(k), rng.integers(n)] = rng.choice([np.nan, np.inf, -np.inf])
    with np.errstate(invalid="ignore"):
        expected = sum(a[:, i, None].astype("float64") * b[i] for i in range(k))  # no short cut of a library's
        np.testing.assert_array_equal(gemm(a, b, act=act), activate(act, expected))


@pytest.mark.parametrize("columns", [1, 3, 5, 8])  # vectors
@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_zeros_are_passed_over(columns, turned, dtype, isa):
    """One number in every row, at each place of a word of 64 bits and beyond, finds its row of b."""
    n = columns * {"x86-64-v4": 64, "x86-64-v3": 32}.get(isa, 16) // np.dtype(dtype).itemsize
    a, b = np.eye(150, 150, -3, dtype), np.arange(150 * n, dtype=dtype).reshape(150, n)
    a = np.asfortranarray(a) if turned else a
    np.testing.assert_array_equal(gemm(a, b), np.concatenate([np.zeros((3, n)), b[:-3]]))
    bias = np.linspace(-9e3, 9, n).astype(dtype)
    np.testing.assert_array_equal(gemm(a, b, bias, "relu")[3:], np.maximum(b[:-3] + bias, 0))


def test_subnormal_numbers_are_kept():
    tiny = np.full((5, 1), 2.0**-140, "float32")
    np.testing.assert_array_equal(gemm(tiny, np.ones((1, 19), "float32")), np.full((5, 19), 2.0**-140))


@pytest.mark.parametrize("act", ACTIVATIONS)
def test_without_depth_the_bias_is_all_there_is(act):
    bias = np.linspace(-2, 2, 21, dtype="float32")
    out = gemm(np.zeros((3, 0), "float32"), np.zeros((0, 21), "float32"), bias, act)
    np.testing.assert_allclose(out, np.tile(activate(act, bias.astype("float64")), (3, 1)), rtol=3e-7)


@pytest.mark.parametrize("act", ["tanh", "sigmoid"])
def test_activations_saturate(act):
    big = np.array([[-np.inf, -200, 0, 200, np.inf]], "float32").T
    out = gemm(big, np.ones((1, 1), "float32"), act=act)[:, 0]
    np.testing.assert_array_equal(out[[0, 2, 4]], activate(act, np.array([-np.inf, 0, np.inf])))
    assert np.isnan(gemm(np.full((1, 1), np.nan, "float32"), np.ones((1, 1), "float32"), act=act)[0, 0])


def zeros(*shape, dtype="float32"):
    return np.zeros(shape, dtype)


@pytest.mark.parametrize(
    ("args", "act", "message"),
    [
        ([zeros(2, 4), zeros(2, 3)], 0, "out, a, b, bias"),
        ([zeros(2, 4), zeros(2, 3), zeros(3, 4), None], 4, "activation"),
        ([zeros(2, 4), zeros(2, 3), zeros(3, 4, dtype="float64"), None], 0, "float dtype"),
        ([zeros(2, 4, dtype="int32"), zeros(2, 3, dtype="int32"), zeros(3, 4, dtype="int32"), None], 0, "float dtype"),
        ([zeros(2, 4), zeros(2, 3), zeros(4, 3), None], 0, "shapes"),
        ([zeros(2, 4), zeros(1, 2, 3), zeros(3, 4), None], 0, "matrices"),
        ([zeros(4), zeros(3), zeros(3, 4), None], 0, "matrices"),
        ([zeros(2, 2, 4), zeros(2, 2, 3), zeros(1, 3, 4), None], 0, "batch"),
        ([zeros(2, 8)[:, ::2], zeros(2, 3), zeros(3, 4), None], 0, "contiguous rows"),
        ([zeros(2, 4), zeros(2, 3), zeros(3, 4), zeros(3)], 0, "bias"),
        ([zeros(2, 4), zeros(2, 3), zeros(3, 4), zeros(8)[::2]], 0, "bias"),
        ([zeros(2, 4), zeros(2, 3), zeros(3, 4), zeros(4, dtype="float64")], 0, "bias"),
    ],
)
def test_wrong_arguments_are_refused(args, act, message):
    with pytest.raises(ValueError, match=message):
        native.call("gemm", 1, args, [act], [])
