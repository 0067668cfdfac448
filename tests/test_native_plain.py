"""The small native kernels (pooling, reduce, copy, gather, random bits, images) against NumPy and the reference."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from layerwise.backends import Window
from layerwise.backends.numpy import BACKEND as REFERENCE

native = pytest.importorskip("layerwise.backends._native", reason="the C++ kernels were not built")

DTYPES = ["bool", "uint8", "int32", "uint32", "int64", "float32", "float64"]
OPS = ["sum", "mean", "max", "min", "prod", "argmax", "argmin", "any", "all"]
LENGTHS = st.sampled_from([0, 1, 2, 3, 5, 7, 17, 33])


@pytest.fixture(params=native.isas(), autouse=True, scope="module")
def isa(request):
    """Every test runs once for each instruction set that the processor has."""
    before = native.isa()
    native.set_isa(request.param)
    yield request.param
    native.set_isa(before)


def call(kernel, outputs, inputs, ints=(), reals=()):
    native.call(kernel, len(outputs), [*outputs, *inputs], list(ints), list(reals))
    return outputs[0]


def examples(count):
    return settings(max_examples=count, deadline=None)


def values(rng, shape, dtype, special=False):
    """Numbers that every dtype can hold, so that casts are defined; with NaN and infinities if `special`."""
    x = rng.integers(0, 2 if dtype == "bool" else 100, shape).astype(dtype)
    if dtype.startswith("float"):
        x = x + np.asarray(rng.integers(0, 4, shape) / 4, dtype)
        if special:
            x = np.where(rng.random(shape) < 0.1, rng.choice([np.nan, np.inf, -np.inf], shape), x).astype(dtype)
    return x


@st.composite
def views(draw, dtypes=tuple(DTYPES), max_rank=4, repeat=True, special=False):
    """Arrays of any shape whose axes are permuted, reversed, strided or repeated."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    shape = draw(st.lists(LENGTHS, max_size=max_rank))
    while np.prod(shape) > 20_000:
        shape.pop()
    steps = [draw(st.sampled_from([1, 1, 2, -1, -3])) for _ in shape]
    base = values(rng, [n * abs(s) for n, s in zip(shape, steps, strict=True)], draw(st.sampled_from(dtypes)), special)
    x = base[(*(slice(None, None, s) for s in steps), ...)].transpose(draw(st.permutations(range(len(shape)))))
    if repeat and x.ndim and draw(st.booleans()):
        axis = draw(st.integers(0, x.ndim - 1))
        x = np.broadcast_to(np.take(x, [0], axis), x.shape) if x.shape[axis] else x
    return x


@examples(100)
@given(views(), st.sampled_from(DTYPES), st.integers(0, 2**32))
def test_copy_takes_any_strides_and_dtypes(x, dtype, seed):
    rng = np.random.default_rng(seed)
    order = rng.permutation(x.ndim)
    whole = np.full([2 * x.shape[i] + 3 for i in order], 77).astype(dtype)
    steps = zip(order, rng.integers(1, 3, x.ndim), strict=True)
    inside = (*(slice(1, 1 + x.shape[i] * s, s) for i, s in steps), ...)
    expected = whole.copy()
    expected[inside] = x.transpose(order).astype(dtype)
    call("copy", [whole[inside].transpose(np.argsort(order))], [x])
    np.testing.assert_array_equal(whole, expected)


@pytest.mark.parametrize("dtype", ["uint8", "float32", "float64"])
@pytest.mark.parametrize(
    ("shape", "order"),
    [((131, 67), (1, 0)), ((500, 257), (1, 0)), ((3, 130, 33), (0, 2, 1)), ((7, 20, 19, 6), (3, 1, 2, 0))],
)
def test_copy_transposes(shape, order, dtype):
    x = values(np.random.default_rng(0), shape, dtype)
    expected = np.ascontiguousarray(x.transpose(order))
    np.testing.assert_array_equal(call("copy", [np.empty_like(expected)], [x.transpose(order)]), expected)


def test_copy_casts_as_numpy_does():
    x = np.array([0, -1.5, 2.5, 1e30, np.nan, np.inf, -np.inf], "float64")
    for dtype in ("bool", "float32"):
        with np.errstate(over="ignore"):
            np.testing.assert_array_equal(call("copy", [np.empty(7, dtype)], [x]), x.astype(dtype))
    whole = np.array([0, -1, 300, 2**31, -(2**40) + 3, 2**53 + 1], "int64")
    for dtype in DTYPES:
        np.testing.assert_array_equal(call("copy", [np.empty(6, dtype)], [whole]), whole.astype(dtype))


def reduced(op, x, axes):
    """What NumPy makes of it, in the dtype that the kernel is asked for."""
    if op.startswith("arg"):
        return getattr(np, op)(x, axes[0]).astype("int32")
    if op in ("sum", "mean", "prod"):
        wide = getattr(np, op)(x, axis=axes, dtype="int64" if x.dtype.kind in "bui" else "float64")
        return np.asarray(wide).astype("int64" if x.dtype == bool else x.dtype)
    return np.asarray(getattr(np, op)(x, axis=axes))


def reduce(op, x, axes, dtype):
    out = np.full([n for i, n in enumerate(x.shape) if i not in axes], 55, dtype)
    return call("reduce", [out], [x], [OPS.index(op), sum(1 << i for i in axes)])


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@examples(150)
@given(views(special=True), st.sampled_from(OPS), st.data())
def test_reduce_is_numpys(x, op, data):
    axes = tuple(i for i in range(x.ndim) if data.draw(st.booleans()))
    if op.startswith("arg"):
        x = x if x.ndim else x[None]
        axes = (data.draw(st.integers(0, x.ndim - 1)),)
    if op == "mean" and x.dtype.kind != "f":
        x = x.astype("float32")
    try:
        expected = reduced(op, x, axes)
    except ValueError:  # an empty range has no extreme
        with pytest.raises(ValueError, match="empty"):
            reduce(op, x, axes, "int32" if op.startswith("arg") else x.dtype)
        return
    out = reduce(op, x, axes, expected.dtype)
    if x.dtype.kind == "f" and op in ("sum", "mean", "prod"):
        np.testing.assert_allclose(out, expected, rtol=1e-5 if x.dtype == "float32" else 1e-12)
    else:
        np.testing.assert_array_equal(out, expected)


LARGE = [
    ((300, 1000), (0,)),
    ((300, 1000), (1,)),
    ((300, 1000), (0, 1)),
    ((40, 30, 200), (0, 2)),
    ((40, 30, 200), (1,)),
    ((100_003, 3), (0,)),
    ((3, 50_000), (1,)),
]


@pytest.mark.parametrize("op", OPS)
@pytest.mark.parametrize(("shape", "axes"), LARGE)
def test_reduce_gives_the_same_bits_for_any_number_of_threads(shape, axes, op):
    if op.startswith("arg") and len(axes) > 1:
        return
    rng = np.random.default_rng(1)
    x = rng.choice([-1, 1], shape) if op == "prod" else rng.normal(op in ("sum", "mean"), 0.1, shape)
    x = x.astype("float32")
    expected = reduced(op, x, axes)
    outs = []
    before = native.num_threads()
    try:
        for threads in (1, 2, 4):
            native.set_num_threads(threads)
            outs.append(reduce(op, x, axes, expected.dtype))
    finally:
        native.set_num_threads(before)
    np.testing.assert_array_equal(outs[0], outs[1])
    np.testing.assert_array_equal(outs[0], outs[2])
    np.testing.assert_allclose(outs[0], expected, rtol=2e-7 if op in ("sum", "mean") else 0)


@pytest.mark.parametrize("order", [None, (1, 0)])
def test_reduce_sums_as_precisely_as_pairwise(order):
    x = np.random.default_rng(2).random((2000, 1000)).astype("float32").transpose(order)
    for axes in ((0,), (1,), (0, 1)):
        exact = x.sum(axes, dtype="float64")
        assert np.max(np.abs(reduce("sum", x, axes, "float32") - exact) / exact) < 2e-7


def test_reduce_finds_the_first_of_equals_and_nan():
    x = np.array([[1, 3, 3, 2], [np.nan, 5, np.nan, 9], [-np.inf] * 4], "float32")
    for y, axis in ((x, 1), (x.T, 0), (np.asfortranarray(x), 1), (x[:, ::-1], 1)):
        for op in ("argmax", "argmin"):
            np.testing.assert_array_equal(reduce(op, y, (axis,), "int64"), getattr(np, op)(y, axis))


@pytest.mark.parametrize("shape", [(1_000_000,), (100_000, 5)])
def test_the_first_of_equals_is_in_the_first_of_many_parts(shape):
    x = np.zeros(shape, "float32")
    for place in (9 * len(x) // 10, len(x) // 2, len(x) // 9):
        x[place] = 1
        np.testing.assert_array_equal(reduce("argmax", x, (0,), "int64"), place)


def test_reduce_wraps_whole_numbers():
    x = np.full((3, 40), 2**62 + 12345, "int64")
    for op in ("sum", "prod"):
        for axis in (0, 1):
            np.testing.assert_array_equal(reduce(op, x, (axis,), "int64"), getattr(np, op)(x, axis))
    small = np.full((3, 40), 2**30, "int32")
    np.testing.assert_array_equal(reduce("sum", small, (1,), "int32"), small.sum(1, dtype="int32"))


@examples(100)
@given(views(repeat=False), st.data())
def test_gather_takes_and_scatter_add_puts_back(x, data):
    x = np.ascontiguousarray(x if x.ndim else x[None])
    axis = data.draw(st.integers(0, x.ndim - 1))
    n = x.shape[axis]
    shape = data.draw(st.sampled_from([(), (0,), (5,), (2, 3)]))
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    indices = np.asarray(rng.integers(-n, max(n, 1), shape), data.draw(st.sampled_from(["int32", "int64"])))
    if n == 0 and indices.size:
        out = np.empty((*x.shape[:axis], *shape, *x.shape[axis + 1 :]), x.dtype)
        if out.size:
            with pytest.raises(ValueError, match="empty"):
                call("gather", [out], [x, indices], [axis])
        return
    expected = np.asarray(np.take(x, indices, axis))
    np.testing.assert_array_equal(call("gather", [np.empty_like(expected)], [x, indices], [axis]), expected)
    if x.dtype != bool:
        summed = REFERENCE.scatter_add(indices, expected, x.shape, axis)
        out = call("scatter_add", [np.full_like(x, 55)], [indices, expected], [axis])
        np.testing.assert_allclose(out, summed, rtol=1e-6)


def test_gather_moves_what_is_out_of_range_to_the_nearest_end():
    x = np.arange(4, dtype="float32")
    out = call("gather", [np.empty(4, "float32")], [x, np.array([-9, -1, 4, 2**40])], [0])
    np.testing.assert_array_equal(out, [0, 3, 3, 3])


@pytest.mark.parametrize("shape", [(5000, 64), (3, 40_000), (200_000,), (300, 784)])
def test_gather_and_scatter_add_of_many_parts(shape):
    rng = np.random.default_rng(3)
    x = rng.integers(0, 9, shape).astype("float32")
    indices = rng.integers(0, shape[0], 700)
    out = call("gather", [np.empty((700, *shape[1:]), "float32")], [x, indices], [0])
    np.testing.assert_array_equal(out, x[indices])
    out = call("scatter_add", [np.empty_like(x)], [indices, x[indices]], [0])
    np.testing.assert_array_equal(out, REFERENCE.scatter_add(indices, x[indices], shape, 0))


@pytest.mark.parametrize("n", [0, 1, 2, 3, 33, 100_001])
def test_random_bits_are_the_references(n):
    key = np.array([0xDEADBEEF, 7], "uint32")
    np.testing.assert_array_equal(call("random_bits", [np.empty(n, "uint32")], [key]), REFERENCE.random_bits(key, n))


@st.composite
def pools(draw):
    """A window that fits, and images for it, with equal numbers, NaN and infinities."""
    rank = draw(st.integers(1, 3))
    pick = lambda low, high: tuple(draw(st.integers(low, high)) for _ in range(rank))  # noqa: E731
    size, stride, dilation = pick(1, 3), pick(1, 3), pick(1, 2)
    extent = [(k - 1) * d + 1 for k, d in zip(size, dilation, strict=True)]
    pad = tuple((draw(st.integers(0, e - 1)), draw(st.integers(0, e - 1))) for e in extent)
    spatial = [max(draw(st.integers(1, 9)), e - low - high) for e, (low, high) in zip(extent, pad, strict=True)]
    channels = draw(st.sampled_from([1, 2, 3, 8, 16, 17, 35]))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    dtype = draw(st.sampled_from(["float32", "float64"]))
    x = rng.integers(-3, 4, (draw(st.integers(0, 3)), *spatial, channels)).astype(dtype)
    odd = np.where(rng.random(x.shape) < 0.1, rng.choice([np.nan, np.inf, -np.inf], x.shape), x).astype(x.dtype)
    return Window(size, stride, pad, dilation), x, odd


def pool_ints(window):
    return [len(window.size), *window.size, *window.stride, *(low for low, _ in window.pad), *window.dilation]


def check_pools(window, x, odd, argmax_dtype):
    ints = pool_ints(window)
    y, argmax = REFERENCE.max_pool(odd, window)
    out, at = np.empty_like(y), np.empty(y.shape, argmax_dtype)
    call("max_pool", [out, at], [odd], ints)
    np.testing.assert_array_equal(out, y)
    np.testing.assert_array_equal(at, argmax)
    g = (np.arange(y.size) % 7 - 3).astype(x.dtype).reshape(y.shape)
    dx = call("max_pool_grad", [np.full_like(x, 55)], [g, at], ints)
    np.testing.assert_array_equal(dx, REFERENCE.max_pool_grad(g, argmax, x.shape, window))
    tolerance = {"rtol": 1e-5, "atol": 1e-6} if x.dtype == "float32" else {"rtol": 1e-13, "atol": 1e-14}
    mean = REFERENCE.avg_pool(x, window)
    np.testing.assert_allclose(call("avg_pool", [np.empty_like(mean)], [x], ints), mean, **tolerance)
    finite = np.where(window.counts(x.shape[1:-1]) > 0, g, 0).astype(x.dtype)  # of nothing the mean is NaN
    expected = REFERENCE.avg_pool_grad(finite, x.shape, window)
    np.testing.assert_allclose(call("avg_pool_grad", [np.full_like(x, 55)], [finite], ints), expected, **tolerance)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@examples(100)
@given(pools(), st.sampled_from(["uint8", "int32"]))
def test_pools_are_the_references(pool, argmax_dtype):
    check_pools(*pool, argmax_dtype)


@pytest.mark.parametrize("channels", [1, 3, 32, 40])
@pytest.mark.parametrize(
    ("size", "stride", "padding"), [(2, 2, "valid"), (2, 2, "same"), (3, 2, "same"), (3, 1, "valid"), (25, 25, "valid")]
)
def test_pools_of_many_parts(channels, size, stride, padding):
    window = Window.of((size, size), (stride, stride), padding, (1, 1), (25, 31))
    x = np.random.default_rng(5).integers(-9, 9, (30, 25, 31, channels)).astype("float32")
    check_pools(window, x, x, "int32")


def test_what_does_not_fit_is_refused():
    f = np.zeros((4, 4), "float32")
    image, small = np.zeros((1, 4, 4, 2), "float32"), np.zeros((1, 2, 2, 2), "float32")
    taps = small.astype("uint8")
    window = [2, 2, 2, 2, 2, 0, 0, 1, 1]
    wrong = [
        ("copy", [f], [f[:2]], [], []),
        ("copy", [f], [], [], []),
        ("copy", [np.lib.stride_tricks.as_strided(f, (4, 4), (0, 4))], [f], [], []),
        ("gather", [f], [f, np.zeros(3, "int64")], [0], []),
        ("gather", [f], [f, np.zeros(4, "float32")], [0], []),
        ("gather", [f], [f, np.zeros(4, "int64")], [2], []),
        ("gather", [f], [f.T, np.zeros(4, "int64")], [0], []),
        ("scatter_add", [f], [np.zeros(4, "int64"), f.astype("float64")], [0], []),
        ("scatter_add", [f > 0], [np.zeros(4, "int64"), f > 0], [0], []),
        ("random_bits", [np.zeros(4, "uint32")], [np.zeros(3, "uint32")], [], []),
        ("random_bits", [f], [np.zeros(2, "uint32")], [], []),
        ("reduce", [f[0]], [f], [9, 1], []),
        ("reduce", [f[0]], [f], [0, 4], []),
        ("reduce", [f[0, :3]], [f], [0, 1], []),
        ("reduce", [f], [f], [0, 1], []),
        ("reduce", [f[0]], [f], [5, 1], []),
        ("reduce", [np.zeros((), "int32")], [f], [5, 3], []),
        ("reduce", [f[0]], [f], [7, 1], []),
        ("reduce", [f[0].astype("float64")], [f], [0, 1], []),
        ("reduce", [np.zeros(4, "int32")], [f.astype("int32")], [1, 1], []),
        ("max_pool", [small, taps], [image], window[:-1], []),
        ("max_pool", [small, taps], [image], [2, 20, 20, *window[3:]], []),
        ("max_pool", [small, taps[..., :1]], [image], window, []),
        ("max_pool", [small, taps], [image[..., :1]], window, []),
        ("max_pool", [small, taps], [image.astype("int32")], window, []),
        ("avg_pool", [small], [image], [2, 2, 2, 0, *window[4:]], []),
        ("avg_pool", [small], [image], [2, 2, 2, 2**40, *window[4:]], []),
        ("avg_pool", [small], [image.transpose(0, 2, 1, 3)], window, []),
    ]
    for kernel, outputs, inputs, ints, reals in wrong:
        with pytest.raises((ValueError, TypeError)):
            call(kernel, outputs, inputs, ints, reals)
