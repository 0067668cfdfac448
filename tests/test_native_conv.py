"""The native convolution kernels against the reference in more precision, with |err| <= gamma_n |a| |b|."""

import math
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from layerwise.backends import Window
from layerwise.backends.numpy import BACKEND as REFERENCE

native = pytest.importorskip("layerwise.backends._native", reason="the C++ kernels were not built")

ACTIVATIONS = [None, "relu", "tanh", "sigmoid"]
# Around the register widths (2 to 16 numbers), the widest panel (64) and the tallest tile (16), and primes.
CHANNELS = st.sampled_from([0, 1, 2, 3, 4, 5, 8, 10, 13, 15, 16, 17, 31, 32, 33, 64, 67])
FEW = st.sampled_from([1, 2, 3, 5, 9])


@pytest.fixture(params=native.isas(), autouse=True, scope="module")
def isa(request):
    """Every test runs once for each instruction set that the processor has."""
    before = native.isa()
    native.set_isa(request.param)
    yield request.param
    native.set_isa(before)


@dataclass
class Case:
    window: Window
    pool: Window
    act: str | None
    x: np.ndarray
    w: np.ndarray
    b: np.ndarray | None

    @property
    def out(self):
        return (len(self.x), *self.window.out(self.x.shape[1:-1]), self.w.shape[-1])

    @property
    def pooled(self):
        return (len(self.x), *self.pool.out(self.out[1:-1]), self.w.shape[-1])

    @property
    def ints(self):
        of, lows = self.window, [low for low, _ in self.window.pad]
        return [len(of.size), ACTIVATIONS.index(self.act), *of.size, *of.stride, *lows, *of.dilation]

    def random(self, shape):
        return np.random.default_rng(7).normal(size=shape).astype(self.x.dtype)


@st.composite
def cases(draw, pooled=False, whole=False):
    """Convolutions of any geometry; with `whole`, those without padding and with channels that fill vectors."""
    rank = draw(st.sampled_from([1, 2, 2, 2, 3]))
    each = lambda *values: draw(st.tuples(*[st.sampled_from(values)] * rank))  # noqa: E731
    size, stride, dilation = each(1, 2, 3, 3, 5), each(1, 1, 2, 3), each(1, 1, 2, 3)
    lows, highs = (each(0), each(0)) if whole else (each(0, 0, 1, 2, 4), each(0, 0, 1, 3))
    window = Window(size, stride, tuple(zip(lows, highs, strict=True)), dilation)
    pool_size = each(1, 2, 2, 3)
    pool_stride = pool_size if draw(st.booleans()) else each(1, 2, 3)
    pool = Window(pool_size, pool_stride, ((0, 0),) * rank)
    reach = [
        (q - 1) * s + e - low - high if pooled else e - low - high
        for e, low, high, s, q in zip(window.extent, lows, highs, stride, pool_size, strict=True)
    ]
    spatial = [
        max(1, n) + extra for n, extra in zip(reach, each(0, 1, 2, 3, 6) if rank > 1 else each(0, 7, 40), strict=True)
    ]
    kind = draw(st.sampled_from(["plain", "plain", "grouped", "depthwise"]))
    channels, filters, groups = {
        "plain": lambda: (draw(CHANNELS), draw(CHANNELS), 1),
        "grouped": lambda: (draw(FEW), draw(FEW), draw(st.sampled_from([2, 3, 7]))),
        "depthwise": lambda: (1, draw(st.sampled_from([1, 1, 2])), draw(CHANNELS)),
    }[kind]()
    if whole:
        channels, filters, groups = draw(st.sampled_from([16, 32, 48])), draw(st.sampled_from([16, 48])), 1
    dtype = draw(st.sampled_from(["float32", "float32", "float64"]))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    batch = draw(st.sampled_from([0, 1, 1, 2, 3, 5]))
    x = rng.normal(size=(batch, *spatial, channels * groups)).astype(dtype)
    w = rng.normal(size=(*size, channels, filters * groups)).astype(dtype)
    b = rng.normal(size=filters * groups).astype(dtype) if draw(st.booleans()) else None
    return Case(window, pool, draw(st.sampled_from(ACTIVATIONS)), x, w, b)


def call(kernel, shapes, inputs, ints):
    """The kernel's outputs, written into the middle of larger arrays whose margins must stay as they are."""
    arrays, outputs = [], []
    for shape, dtype in shapes:
        n = math.prod(shape)
        arrays.append(np.full(n + 32, 77, dtype))
        outputs.append(arrays[-1][16 : n + 16].reshape(shape))
        if np.dtype(dtype).kind == "f":
            outputs[-1][...] = np.nan
    native.call(kernel, len(outputs), [*outputs, *inputs], list(ints), [])
    for array in arrays:
        np.testing.assert_array_equal([array[:16], array[-16:]], 77)
    return outputs


def precise(*arrays):
    return [None if a is None else a.astype("float64" if a.dtype == "float32" else np.longdouble) for a in arrays]


def groups(case):
    return case.x.shape[-1] // case.w.shape[-2] if case.w.shape[-2] else 1


def assert_sum(got, expected, size, terms):
    """`terms` products and their sum, in any order: as many roundings on the way of any of them, at most."""
    unit = terms * np.finfo(got.dtype).eps / 2
    assert got.shape == expected.shape
    assert np.all(np.abs(got - expected) <= unit / (1 - unit) * size)


def by_filter(g):
    return g.sum(tuple(range(g.ndim - 1)))


def settled(examples):
    return settings(max_examples=examples, deadline=None)


def empty(case):
    """Without channels there are no groups for the reference to divide."""
    return case.x.shape[-1] == 0 or case.w.shape[-1] == 0


@settled(120)
@given(cases())
def test_forward(case):
    (y,) = call("conv", [(case.out, case.x.dtype)], [case.x, case.w, case.b], case.ints)
    if empty(case):
        bias = np.zeros(case.w.shape[-1]) if case.b is None else case.b
        return np.testing.assert_allclose(y, np.broadcast_to(REFERENCE.act(case.act, bias), case.out), rtol=1e-6)
    x, w, b = precise(case.x, case.w, case.b)
    expected = REFERENCE.conv(x, w, b, case.window, case.act)
    size = REFERENCE.conv(abs(x), abs(w), None if b is None else abs(b), case.window, None)
    size = size + 4 * abs(expected) * (
        case.act in ("tanh", "sigmoid")
    )  # the activation's own error; slopes are at most 1
    assert_sum(y, expected, size, math.prod(case.w.shape[:-1]) + 2)


@settled(120)
@given(cases())
def test_gradients(case):
    g, dtype, filters = case.random(case.out), case.x.dtype, case.w.shape[-1]
    rows, terms = math.prod(case.out[:-1]), math.prod(case.w.shape[:-2])
    dw, db = call("conv_grad_w", [(case.w.shape, dtype), ((filters,), dtype)], [case.x, g], case.ints)
    (dx,) = call("conv_grad_x", [(case.x.shape, dtype)], [g, case.w], case.ints)
    x, w, g = precise(case.x, case.w, g)
    assert_sum(db, by_filter(g), by_filter(abs(g)), rows + 1)
    if empty(case):
        return np.testing.assert_array_equal(dx, 0)
    of = case.window
    assert_sum(
        dw, REFERENCE.conv_grad_w(x, g, w.shape, of), REFERENCE.conv_grad_w(abs(x), abs(g), w.shape, of), rows + 1
    )
    assert_sum(
        dx,
        REFERENCE.conv_grad_x(g, w, x.shape, of),
        REFERENCE.conv_grad_x(abs(g), abs(w), x.shape, of),
        terms * filters // groups(case) + 1,
    )


@settled(200)
@given(cases(pooled=True) | cases(pooled=True, whole=True))
def test_with_pool(case):
    """What the two kernels give one after the other, and the gradients of that."""
    dtype, ints = case.x.dtype, [*case.ints, *case.pool.size, *case.pool.stride]
    (z,) = call("conv", [(case.out, dtype)], [case.x, case.w, case.b], case.ints)
    y, argmax = call("conv_pool", [(case.pooled, dtype), (case.pooled, "uint8")], [case.x, case.w, case.b], ints)
    at = REFERENCE.max_pool_grad(np.ones(case.pooled, dtype), argmax.astype("int32"), case.out, case.pool)
    expected, _ = REFERENCE.max_pool(z, case.pool)
    np.testing.assert_allclose(y, expected, rtol=1e-4, atol=1e-4)  # tiles, and so sums, may differ
    np.testing.assert_allclose(y.sum(), (at * z).sum(), rtol=1e-3, atol=1e-3 * (1 + np.abs(y).sum()))

    g, filters = case.random(case.pooled), case.w.shape[-1]
    wanted = [(case.x.shape, dtype), (case.w.shape, dtype), ((filters,), dtype)]
    dx, dw, db = call("conv_pool_grad", wanted, [g, y, argmax, case.x, case.w], ints)
    x, w, g, y = precise(case.x, case.w, g, y)
    slope = {"tanh": 1 + y * y, "sigmoid": y + y * y}.get(case.act, 1)  # and the terms that may cancel in it
    gz = REFERENCE.max_pool_grad(REFERENCE.act_grad(case.act, y, g), argmax.astype("int32"), case.out, case.pool)
    size = REFERENCE.max_pool_grad(abs(g) * slope, argmax.astype("int32"), case.out, case.pool)
    rows, more, of = (
        math.prod(case.out[:-1]),
        3 + math.prod(case.pool.size),
        case.window,
    )  # roundings of slope and un-pooling
    assert_sum(db, by_filter(gz), by_filter(size), rows + more)
    if empty(case):
        return np.testing.assert_array_equal(dx, 0)
    assert_sum(
        dw, REFERENCE.conv_grad_w(x, gz, w.shape, of), REFERENCE.conv_grad_w(abs(x), size, w.shape, of), rows + more
    )
    terms = math.prod(case.w.shape[:-2]) * filters // groups(case)
    assert_sum(
        dx, REFERENCE.conv_grad_x(gz, w, x.shape, of), REFERENCE.conv_grad_x(size, abs(w), x.shape, of), terms + more
    )
    again = [np.full_like(dw, np.nan), np.full_like(db, np.nan)]
    native.call("conv_pool_grad", 3, [None, *again, g.astype(dtype), y.astype(dtype), argmax, case.x, case.w], ints, [])
    np.testing.assert_array_equal(again[0], dw)


SAME = Window((3, 3), (1, 1), ((1, 1), (1, 1)))
VALID = Window((3, 3), (1, 1), ((0, 0), (0, 0)))
POOL = Window((2, 2), (2, 2), ((0, 0), (0, 0)))


def large(batch=9, act="relu", side=13, channels=24, filters=40, window=SAME):
    """A case of several parts in every phase."""
    rng = np.random.default_rng(3)
    x = rng.normal(size=(batch, side, side, channels)).astype("float32")
    w = rng.normal(size=(3, 3, channels, filters)).astype("float32")
    return Case(window, POOL, act, x, w, rng.normal(size=filters).astype("float32"))


def everything(case):
    """The outputs of all five kernels."""
    dtype, ints = case.x.dtype, [*case.ints, 2, 2, 2, 2]
    g, pooled, filters = case.random(case.out), case.random(case.pooled), case.w.shape[-1]
    y, argmax = call("conv_pool", [(case.pooled, dtype), (case.pooled, "uint8")], [case.x, case.w, case.b], ints)
    gradients = [(case.x.shape, dtype), (case.w.shape, dtype), ((filters,), dtype)]
    return [
        y,
        argmax,
        *call("conv", [(case.out, dtype)], [case.x, case.w, case.b], case.ints),
        *call("conv_grad_w", gradients[1:], [case.x, g], case.ints),
        *call("conv_grad_x", gradients[:1], [g, case.w], case.ints),
        *call("conv_pool_grad", gradients, [pooled, y, argmax, case.x, case.w], ints),
    ]


@pytest.mark.parametrize(
    "shape",
    [
        {},
        {"batch": 1, "side": 40},
        {"batch": 64, "side": 5, "channels": 64, "filters": 64},
        {"batch": 3, "channels": 200, "filters": 150},
        {"batch": 40, "channels": 32, "filters": 64, "window": VALID},
    ],
)
def test_threads_do_not_change_bits(shape):
    before, case, found = native.num_threads(), large(**shape), []
    try:
        for threads in (1, 2, 4):
            native.set_num_threads(threads)
            found.append(everything(case))
    finally:
        native.set_num_threads(before)
    for others in zip(*found, strict=True):
        assert all(np.array_equal(others[0], other) for other in others)
    x, w, b = precise(case.x, case.w, case.b)
    np.testing.assert_allclose(found[0][2], REFERENCE.conv(x, w, b, case.window, "relu"), rtol=1e-4, atol=1e-3)
    gx = REFERENCE.conv_grad_w(x, precise(case.random(case.out))[0], w.shape, case.window)
    np.testing.assert_allclose(found[0][3], gx, rtol=1e-4, atol=1e-2)


@pytest.mark.parametrize(("stride", "shape"), [(1, (2, 70, 60, 40)), (2, (2, 71, 60, 40)), (1, (30, 20, 20, 33))])
def test_depthwise_images_larger_than_the_cache(stride, shape):
    rng = np.random.default_rng(4)
    x, w = (rng.normal(size=s).astype("float32") for s in (shape, (3, 3, 1, shape[-1])))
    window = Window.of((3, 3), (stride, stride), "same", (1, 1), shape[1:-1])
    case = Case(window, POOL, "relu", x, w, rng.normal(size=shape[-1]).astype("float32"))
    g = case.random(case.out)
    (y,) = call("conv", [(case.out, "float32")], [x, w, case.b], case.ints)
    dw, db = call("conv_grad_w", [(w.shape, "float32"), (case.b.shape, "float32")], [x, g], case.ints)
    (dx,) = call("conv_grad_x", [(shape, "float32")], [g, w], case.ints)
    np.testing.assert_allclose(y, REFERENCE.conv(x, w, case.b, window, "relu"), rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(dx, REFERENCE.conv_grad_x(g, w, shape, window), rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(dw, REFERENCE.conv_grad_w(x, g, w.shape, window), rtol=1e-3, atol=1e-2)
    np.testing.assert_allclose(db, g.sum((0, 1, 2), dtype="float64"), rtol=1e-3, atol=1e-2)


def test_the_first_of_equals_is_the_maximum():
    """Small whole numbers: nothing is rounded, and many positions tie."""
    case = large(batch=2, channels=3, filters=35)
    case.x, case.w, case.b = (np.round(a).clip(-1, 1) for a in (case.x, case.w, case.b))
    y, argmax, z, *_ = everything(case)
    np.testing.assert_array_equal(z, REFERENCE.conv(case.x, case.w, case.b, SAME, "relu"))
    for got, expected in zip((y, argmax), REFERENCE.max_pool(z, POOL), strict=True):
        np.testing.assert_array_equal(got, expected)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_stays_where_it_is_seen(value):
    case = large(batch=2)
    case.x[1, 4, 5, 3] = value
    with np.errstate(invalid="ignore"):
        z = REFERENCE.conv(case.x, case.w, case.b, SAME, "relu")
        pooled, at = REFERENCE.max_pool(z, POOL)
    y, argmax, found, *_ = everything(case)
    for got, expected in ((found, z), (y, pooled)):
        np.testing.assert_array_equal(np.isnan(got), np.isnan(expected))
        np.testing.assert_array_equal(np.isinf(got), np.isinf(expected))
    np.testing.assert_array_equal(argmax[~np.isfinite(pooled)], at[~np.isfinite(pooled)])


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_weights_that_are_not_finite_count_where_they_meet_the_input(value):
    """The reference has NaN at the border too: it multiplies padding, which is 0."""
    case = large(batch=2, act=None)
    case.w[0, 1, 2, 3] = value  # meets the padding above the first row
    found = everything(case)[2]
    with np.errstate(invalid="ignore"):
        expected = REFERENCE.conv(case.x, case.w, case.b, SAME, None)
    np.testing.assert_array_equal(np.isfinite(found[:, 1:]), np.isfinite(expected[:, 1:]))
    assert np.isfinite(found[:, 0]).all()
    assert not np.isfinite(expected[:, 0, :, 3]).any()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"ints": [4, 0]}, "rank"),
        ({"ints": [2, 9, 3, 3, 1, 1, 1, 1, 1, 1]}, "activation"),
        ({"ints": [2, 0, 3, 3, 1, 1, 1, 1, 1]}, "integers"),
        ({"ints": [2, 0, 3, 3, 0, 1, 1, 1, 1, 1]}, "window"),
        ({"ints": [2, 0, 3, 3, 1, 1, -1, 1, 1, 1]}, "window"),
        ({"ints": [2, 0, 3, 5, 1, 1, 1, 1, 1, 1]}, "size"),
        ({"x": np.zeros((2, 4, 4, 7), "float32")}, "w: expected channels"),
        ({"x": np.zeros((3, 4, 4, 2), "float32")}, "batch"),
        ({"x": np.zeros((2, 4, 4, 2), "float64")}, "dtype"),
        ({"x": np.zeros((2, 4, 4, 4), "float32")[..., ::2]}, "contiguous"),
        ({"x": np.zeros((2, 4, 2), "float32")}, "rank"),
        ({"b": np.zeros(4, "float32")}, "bias"),
        ({"out": np.zeros((2, 4, 4, 4), "float32")}, "channel for each filter"),
    ],
)
def test_wrong_arguments_are_refused(change, message):
    right = {"out": np.zeros((2, 4, 4, 5), "float32"), "x": np.zeros((2, 4, 4, 2), "float32"), "b": None}
    right |= {"ints": [2, 0, 3, 3, 1, 1, 1, 1, 1, 1]} | change
    w = np.zeros((3, 3, 2, 5), "float32")
    with pytest.raises(ValueError, match=message):
        native.call("conv", 1, [right["out"], right["x"], w, right["b"]], right["ints"], [])
