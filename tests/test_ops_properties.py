"""Operations on random shapes, memory layouts, dtypes, axes, keys and windows, against NumPy and loops."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from layerwise import config, ops
from layerwise.autograd import primitives, vjp
from layerwise.backends import Window
from samples.references import naive_conv, naive_pool

pytestmark = pytest.mark.float64
often = settings(max_examples=100, deadline=None, derandomize=True)

sizes = st.integers(0, 4)
seeds = st.integers(0, 2**32 - 1)


def filled(shape, seed, dtype="float64"):
    rng = np.random.default_rng(seed)
    values = rng.standard_normal(shape) if np.dtype(dtype).kind == "f" else rng.integers(0, 4, shape)
    return np.asarray(values, dtype)


@st.composite
def arrays(draw, shapes=None, dtypes=("float32", "float64", "int32", "bool")):
    """An array of any layout: a view with steps, reversed axes, transposed, or 0-stride."""
    shape = draw(shapes if shapes is not None else hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4))
    dtype = draw(st.sampled_from(dtypes))
    steps = [draw(st.sampled_from([1, 2, -1, -2])) for _ in shape]
    base = filled([n * abs(s) for n, s in zip(shape, steps, strict=True)], draw(seeds), dtype)
    view = base[tuple(slice(None, None, s) for s in steps)]
    assert view.shape == tuple(shape)
    if draw(st.booleans()):
        view = np.asarray(view, order="F")
    return view


@st.composite
def broadcastable(draw, count):
    shapes = draw(hnp.mutually_broadcastable_shapes(num_shapes=count, max_dims=4, max_side=4)).input_shapes
    return [draw(arrays(st.just(shape), dtypes=("float64", "int32"))) for shape in shapes]


BINARY = ["add", "subtract", "multiply", "maximum", "minimum", "equal", "less", "arctan2"]


@often
@given(broadcastable(2), st.sampled_from(BINARY))
def test_broadcasting(operands, name):
    a, b = operands
    with config.override(floatx="float64"):
        y = getattr(ops, name)(a, b)
        expected = getattr(np, name)(a, b)
        assert y.shape == expected.shape
        np.testing.assert_allclose(y, expected, rtol=1e-12, atol=1e-12)


@often
@given(broadcastable(3), seeds)
def test_gradients_are_summed_back_to_each_operand(operands, seed):
    a, b, c = (np.asarray(x, "float64") for x in operands)
    y, pull = vjp(lambda a, b, c: ops.where(a > 0, a * b, b + c), a, b, c)
    g = filled(y.shape, seed)
    whole = [np.broadcast_to(x, y.shape) for x in (a, b, c)]
    chosen = whole[0] > 0
    full = [np.where(chosen, g * whole[1], 0), np.where(chosen, g * whole[0], g), np.where(chosen, 0, g)]
    for got, x, expected in zip(pull([g]), (a, b, c), full, strict=True):
        assert got.shape == x.shape
        extra = tuple(range(expected.ndim - x.ndim))
        summed = expected.sum(axis=extra)
        repeated = tuple(i for i, n in enumerate(x.shape) if n == 1 and summed.shape[i] != 1)
        np.testing.assert_allclose(got, summed.sum(axis=repeated, keepdims=True), rtol=1e-10, atol=1e-10)


@often
@given(
    arrays(hnp.array_shapes(min_dims=1, max_dims=4, min_side=1, max_side=4)),
    st.sampled_from(["sum", "mean", "prod", "max", "min", "all", "any"]),
    st.data(),
    st.booleans(),
)
def test_reductions(x, name, data, keepdims):
    axes = data.draw(
        st.none() | st.lists(st.integers(-x.ndim, x.ndim - 1), unique_by=lambda a, n=x.ndim: a % n).map(tuple)
    )
    assume(not (x.dtype == bool and name in ("max", "min")))
    y = getattr(ops, name)(x, axis=axes, keepdims=keepdims)
    expected = getattr(np, name)(x, axis=axes, keepdims=keepdims)
    assert y.shape == expected.shape
    np.testing.assert_allclose(y, expected, rtol=1e-5, atol=1e-5)
    if x.dtype.kind == "f" and name in ("sum", "mean"):
        value, pull = vjp(lambda x: getattr(ops, name)(x, axis=axes, keepdims=keepdims), x)
        g = pull([np.ones(value.shape, x.dtype)])[0]
        np.testing.assert_allclose(np.asarray(g), value.size / x.size if name == "mean" else 1.0, rtol=1e-5)


@often
@given(st.data(), arrays(hnp.array_shapes(min_dims=1, max_dims=4, min_side=1, max_side=4), dtypes=("float64",)), seeds)
def test_keys(data, x, seed):
    key = data.draw(
        hnp.basic_indices(x.shape, allow_newaxis=True)
        | hnp.integer_array_indices(x.shape)
        | hnp.arrays(bool, st.just(x.shape[: data.draw(st.integers(1, x.ndim))]))
    )
    y, pull = vjp(lambda x: x[key], x)
    np.testing.assert_array_equal(y, x[key])
    g = filled(y.shape, seed)
    expected = np.zeros(x.shape)
    np.add.at(expected, key, g)
    np.testing.assert_allclose(pull([g])[0], expected, rtol=1e-12, atol=1e-12)


@st.composite
def einsums(draw):
    letters = "abcd"
    size = {c: draw(st.integers(1, 3)) for c in letters}
    terms = draw(
        st.lists(st.lists(st.sampled_from(letters), max_size=3, unique=True).map("".join), min_size=1, max_size=3)
    )
    used = sorted(set("".join(terms)))
    output = "".join(draw(st.permutations(draw(st.lists(st.sampled_from(used), unique=True)) if used else [])))
    return ",".join(terms) + "->" + output, [tuple(size[c] for c in term) for term in terms]


@often
@given(einsums(), seeds)
def test_einsum(problem, seed):
    subscripts, shapes = problem
    xs = [filled(shape, seed + i) for i, shape in enumerate(shapes)]
    y, pull = vjp(lambda *xs: ops.einsum(subscripts, *xs), *xs)
    np.testing.assert_allclose(y, np.einsum(subscripts, *xs), rtol=1e-10, atol=1e-10)
    g = filled(y.shape, seed)
    for i, got in enumerate(pull([g])):  # linear in each operand: <g, f(..., v, ...)> = <df, v>
        v = filled(shapes[i], seed + 10)
        moved = np.einsum(subscripts, *(v if j == i else x for j, x in enumerate(xs)))
        np.testing.assert_allclose(np.vdot(got, v), np.vdot(g, moved), rtol=1e-9, atol=1e-9)


@st.composite
def windows(draw, dilate=True):
    rank = draw(st.integers(1, 2))
    each = lambda low, high: tuple(draw(st.integers(low, high)) for _ in range(rank))  # noqa: E731
    pads = tuple((draw(st.integers(0, 2)), draw(st.integers(0, 2))) for _ in range(rank))
    window = Window(each(1, 3), each(1, 3), pads, each(1, 2) if dilate else (1,) * rank)
    spatial = tuple(
        max(1, e - low - high) + draw(st.integers(0, 3)) for e, (low, high) in zip(window.extent, pads, strict=True)
    )
    return window, spatial


@often
@given(windows(), st.integers(1, 2), st.integers(1, 2), st.integers(1, 2), st.integers(1, 2), seeds)
def test_convolution_against_loops_and_its_adjoints(geometry, batch, groups, inner, per_group, seed):
    """<conv(x, w), g> = <x, conv_grad_x(g, w)> = <w, conv_grad_w(x, g)>"""
    window, spatial = geometry
    x = filled((batch, *spatial, groups * inner), seed)
    w = filled((*window.size, inner, groups * per_group), seed + 1)
    y = ops.convolution(x, w, window=window)
    np.testing.assert_allclose(y, naive_conv(x, w, None, window), rtol=1e-10, atol=1e-10)
    assert y.shape[1:-1] == window.out(spatial)
    g = filled(y.shape, seed + 2)
    inner_product = np.vdot(y, g)
    dx = primitives["conv_grad_x"](g, w, x_shape=x.shape, window=window)
    dw = primitives["conv_grad_w"](x, g, w_shape=w.shape, window=window)
    assert dx.shape == x.shape
    assert dw.shape == w.shape
    np.testing.assert_allclose(np.vdot(x, dx), inner_product, rtol=1e-10, atol=1e-10)
    np.testing.assert_allclose(np.vdot(w, dw), inner_product, rtol=1e-10, atol=1e-10)


@often
@given(windows(dilate=False), st.integers(1, 2), seeds, st.sampled_from(["maximum_pool", "avg_pool"]))
def test_pooling_against_loops_and_its_adjoint(geometry, channels, seed, name):
    window, spatial = geometry
    assume(all(low < k and high < k for k, (low, high) in zip(window.size, window.pad, strict=True)))
    assume(window.counts(spatial).min() > 0)  # every window meets the input
    x = filled((2, *spatial, channels), seed)
    reduce = np.nanmax if name == "maximum_pool" else np.nanmean
    y, pull = vjp(lambda x: getattr(ops, name)(x, window=window), x)
    np.testing.assert_allclose(y, naive_pool(x, window, reduce), rtol=1e-10, atol=1e-10)
    g = filled(y.shape, seed + 1)
    # both are linear in x where the largest stay where they are, so <dx, x> = <g, y>
    np.testing.assert_allclose(np.vdot(pull([g])[0], x), np.vdot(g, y), rtol=1e-9, atol=1e-9)


@often
@given(
    st.sampled_from(["valid", "same", "causal"]),
    st.integers(1, 4),
    st.integers(1, 3),
    st.integers(1, 3),
    st.integers(1, 12),
)
def test_windows(padding, size, stride, dilation, n):
    extent = (size - 1) * dilation + 1
    window = Window.of((size,), (stride,), padding, (dilation,), (n,))
    assert window.extent == (extent,)
    if padding == "valid" and n < extent:
        with pytest.raises(ValueError, match="is larger than the input"):
            window.out((n,))
        return
    (out,) = window.out((n,))
    expected = {"valid": (n - extent) // stride + 1, "same": -(-n // stride), "causal": (n - 1) // stride + 1}[padding]
    assert out == expected
    (low, high) = window.pad[0]
    assert high == 0 or padding == "same"
    assert 0 <= high - low <= 1 or padding == "causal"
    seen = [[o * stride + t * dilation - low for t in range(size)] for o in range(out)]
    counts = [sum(0 <= i < n for i in row) for row in seen]
    np.testing.assert_array_equal(window.counts((n,))[0, :, 0], counts)


@often
@given(arrays(hnp.array_shapes(min_dims=1, max_dims=3, min_side=1, max_side=4), dtypes=("float64",)), st.data())
def test_shapes_are_rearranged_as_numpy_does(x, data):
    axes = data.draw(st.permutations(range(x.ndim)))
    np.testing.assert_array_equal(ops.transpose(x, axes), np.transpose(x, axes))
    a, b = data.draw(st.integers(-x.ndim, x.ndim - 1)), data.draw(st.integers(-x.ndim, x.ndim - 1))
    np.testing.assert_array_equal(ops.moveaxis(x, a, b), np.moveaxis(x, a, b))
    np.testing.assert_array_equal(ops.swapaxes(x, a, b), np.swapaxes(x, a, b))
    np.testing.assert_array_equal(ops.expand_dims(x, a), np.expand_dims(x, a))
    np.testing.assert_array_equal(ops.flip(x, a), np.flip(x, a))
    np.testing.assert_array_equal(ops.roll(x, shift=b, axis=a), np.roll(x, b, a))
    np.testing.assert_array_equal(ops.concatenate([x, x], axis=a), np.concatenate([x, x], axis=a))
    np.testing.assert_array_equal(ops.stack([x, x], axis=a), np.stack([x, x], axis=a))
    np.testing.assert_array_equal(ops.sort(x, axis=a), np.sort(x, axis=a))
    np.testing.assert_allclose(ops.cumsum(x, axis=a), np.cumsum(x, axis=a), rtol=1e-12, atol=1e-12)
    times = data.draw(st.lists(st.integers(1, 3), min_size=1, max_size=4))
    np.testing.assert_array_equal(ops.tile(x, times), np.tile(x, times))
    widths = [(data.draw(st.integers(0, 2)), data.draw(st.integers(0, 2))) for _ in range(x.ndim)]
    np.testing.assert_array_equal(ops.pad(x, widths), np.pad(x, widths))


@often
@given(hnp.array_shapes(min_dims=2, max_dims=4, min_side=0, max_side=3), st.integers(0, 3), st.data(), seeds)
def test_matmul(shape, columns, data, seed):
    lead = shape[:-2]
    cut = data.draw(st.integers(0, len(lead)))
    other = tuple(data.draw(st.sampled_from([1, n])) for n in lead[cut:])
    a, b = filled(shape, seed), filled((*other, shape[-1], columns), seed + 1)
    y, pull = vjp(ops.matmul, a, b)
    np.testing.assert_allclose(y, a @ b, rtol=1e-10, atol=1e-10)
    g = filled(y.shape, seed + 2)
    for got, x in zip(pull([g]), (a, b), strict=True):
        assert got.shape == x.shape
        np.testing.assert_allclose(np.vdot(got, x), np.vdot(g, y), rtol=1e-9, atol=1e-9)
