"""Pooling: the largest or the mean of each window, also of a convolution that is not kept."""

from __future__ import annotations

import functools
from typing import Any

from ..autograd import Array, Spec, Tensor, as_tensor, primitive, stop_gradient
from ..backends import Window, backend, xp
from .activation import act_grad
from .convolution import convolution, gradients, is_channels_first, one_for_each_axis
from .indexing import take
from .shaping import concatenate, moveaxis

__all__ = [
    "adaptive_average_pool", "adaptive_max_pool", "average_pool", "avg_pool", "conv_pool", "max_pool", "maximum_pool",
]  # fmt: skip


@primitive(residuals=("argmax",))
def maximum_pool(x: Array, *, window: Window) -> Array:
    """y = the largest of x in each window        the gradient goes to the first of equals"""
    return backend().max_pool(x, window)


@maximum_pool.gradient
def _(g, x_shape, argmax, *, window):
    return _max_unpool(g, argmax, x_shape=x_shape, window=window)


@maximum_pool.composite
def _(x, *, window):
    return _max_repool(x, stop_gradient(_max_places(x, window=window)), window=window)


@primitive(differentiable=False)
def _max_places(x: Array, *, window: Window) -> Array:
    """y = which tap of each window holds the largest"""
    return backend().max_pool(x, window)[1].astype("int32")


@primitive
def _max_unpool(g: Array, argmax: Array, *, x_shape: tuple[int, ...], window: Window) -> Array:
    """dx = each window's g at the tap that held its largest"""
    return backend().max_pool_grad(g, argmax, x_shape, window)


@_max_unpool.gradient
def _(gx, argmax, *, window):
    return _max_repool(gx, argmax, window=window), None


@primitive
def _max_repool(x: Array, argmax: Array, *, window: Window) -> Array:
    """y = what each window of x holds at the tap named by argmax"""
    padded = xp().pad(x, ((0, 0), *window.pad, (0, 0)))
    y = xp().zeros(argmax.shape, x.dtype)
    for t, index in enumerate(window.taps(argmax.shape[1:-1])):
        y = xp().where(argmax == t, padded[index], y)
    return y


@_max_repool.gradient
def _(g, x_shape, argmax, *, window):
    return _max_unpool(g, argmax, x_shape=x_shape, window=window), None


@_max_repool.shape
def _(x, argmax, *, window):
    return Spec(argmax.shape, x.dtype)


@primitive
def avg_pool(x: Array, *, window: Window) -> Array:
    """y = the mean of each window of x, padding not counted"""
    return backend().avg_pool(x, window)


@avg_pool.gradient
def _(g, x_shape, *, window):
    return _avg_unpool(g, x_shape=x_shape, window=window)


@maximum_pool.shape
@avg_pool.shape
def _(x, *, window):
    return Spec((x.shape[0], *window.out(x.shape[1:-1]), x.shape[-1]), x.dtype)


@primitive
def _avg_unpool(g: Array, *, x_shape: tuple[int, ...], window: Window) -> Array:
    """dx = each window's g shared among its taps"""
    return backend().avg_pool_grad(g, x_shape, window)


@_avg_unpool.gradient
def _(gx, *, window):
    return avg_pool(gx, window=window)


@_max_unpool.shape
@_avg_unpool.shape
def _(g, argmax=None, *, x_shape, window):
    return Spec(x_shape, g.dtype)


@primitive(promote=("x", "w", "b"), residuals=("argmax",))
def conv_pool(x: Array, w: Array, b: Array = None, *, window: Window, act: str | None = None, pool: Window) -> Array:
    """y = the largest in each window `pool` of convolution(x, w, b, act), without keeping what is pooled

    x (N, spatial..., C), w (taps..., C / groups, M), b (M,) or None -> (N, pooled..., M)
    """
    return backend().conv_pool(x, w, b, window, act, pool)


@conv_pool.gradient
def _(g, y, argmax, x, w, wanted, *, window, act, pool):
    @functools.cache
    def gradients() -> Any:
        return _conv_pool_grad(g, y, argmax, x, w, window=window, act=act, pool=pool, wanted=tuple(wanted))

    return [lambda i=i: gradients()[wanted[:i].count(True)] for i in range(3)]


@conv_pool.composite
def _(x, w, b=None, *, window, act=None, pool):
    return maximum_pool(convolution(x, w, b, window=window, act=act), window=pool)


@conv_pool.shape
def _(x, w, b=None, *, window, act=None, pool):
    return Spec((x.shape[0], *pool.out(window.out(x.shape[1:-1])), w.shape[-1]), w.dtype)


@primitive
def _conv_pool_grad(
    g: Array, y: Array, argmax: Array, x: Array, w: Array, *,
    window: Window, act: str | None, pool: Window, wanted: tuple[bool, ...],
) -> Any:  # fmt: skip
    """those of dx, dw, db of conv_pool that are wanted"""
    found = backend().conv_pool_grad(g, y, argmax, x, w, window, act, pool, wanted)
    return tuple(part for part in found if part is not None)


@_conv_pool_grad.composite
def _(g, y, argmax, x, w, *, window, act, pool, wanted):
    g = act_grad(g, y, act=act)
    conv_shape = (x.shape[0], *window.out(x.shape[1:-1]), w.shape[-1])
    spread = _max_unpool(g, argmax, x_shape=conv_shape, window=pool)
    parts = gradients(spread, x, w, w.shape[-1:], window)
    return tuple(part() for part, wish in zip(parts, wanted, strict=True) if wish)


@_conv_pool_grad.shape
def _(g, y, argmax, x, w, *, window, act, pool, wanted):
    shapes = (x.shape, w.shape, w.shape[-1:])
    return tuple(Spec(shape, g.dtype) for shape, wish in zip(shapes, wanted, strict=True) if wish)


def _pool(op: Any, x: Any, size: Any, strides: Any, padding: str, data_format: str | None) -> Tensor:
    x = as_tensor(x)
    if is_channels_first(data_format):
        return moveaxis(_pool(op, moveaxis(x, 1, -1), size, strides, padding, "channels_last"), -1, 1)
    rank = x.ndim - 2
    size = one_for_each_axis(size, rank, "pool_size")
    strides = size if strides is None else one_for_each_axis(strides, rank, "strides")
    return op(x, window=Window.of(size, strides, padding, (1,) * rank, x.shape[1:-1]))


def max_pool(
    inputs: Any, pool_size: Any, strides: Any = None, padding: str = "valid", data_format: str | None = None
) -> Tensor:
    """y = the largest in each window of inputs (N, spatial..., C); windows do not overlap unless `strides` says so

    pool_size: of windows, along each axis. padding: "valid" or "same", as in `conv`. data_format: likewise.
    """
    return _pool(maximum_pool, inputs, pool_size, strides, padding, data_format)


def average_pool(
    inputs: Any, pool_size: Any, strides: Any = None, padding: str = "valid", data_format: str | None = None
) -> Tensor:
    """y = the mean of each window of inputs (N, spatial..., C), padding not counted

    pool_size, strides, padding, data_format: those of `max_pool`.
    """
    return _pool(avg_pool, inputs, pool_size, strides, padding, data_format)


def adaptive_max_pool(inputs: Any, output_size: Any, data_format: str | None = None) -> Tensor:
    """y[n, o] = the largest of inputs[n, i], floor(o size / out) <= i < ceil((o + 1) size / out), along each axis

    So many windows of nearly equal sizes as `output_size` says, one number or one for each axis; where it does not
    divide the inputs' size, they overlap. inputs (N, spatial..., C), or with the order of data_format.

    >>> adaptive_max_pool([[[1.0], [4.0], [2.0], [3.0], [0.0]]], 2)[0, :, 0]
    Tensor([4., 3.], shape=(2,), dtype=float32)
    """
    return _adaptive("adaptive_max_pool", maximum_pool, inputs, output_size, data_format)


def adaptive_average_pool(inputs: Any, output_size: Any, data_format: str | None = None) -> Tensor:
    """y = the mean of each of the windows that `adaptive_max_pool` describes

    inputs, output_size, data_format: as there.
    """
    return _adaptive("adaptive_average_pool", avg_pool, inputs, output_size, data_format)


def _adaptive(name: str, op: Any, inputs: Any, output_size: Any, data_format: str | None) -> Tensor:
    x = as_tensor(inputs)
    if is_channels_first(data_format):
        return moveaxis(_adaptive(name, op, moveaxis(x, 1, -1), output_size, "channels_last"), -1, 1)
    rank = x.ndim - 2
    sizes = one_for_each_axis(output_size, rank, f"{name}: output_size")
    before = x.shape[1:-1]
    if all(n % out == 0 for n, out in zip(before, sizes, strict=True)):  # windows side by side
        size = tuple(n // out for n, out in zip(before, sizes, strict=True))
        return op(x, window=Window(size, size, ((0, 0),) * rank))
    for axis, out in enumerate(sizes):
        x = _adaptive_axis(op, x, axis, out)
    return x


def _adaptive_axis(op: Any, x: Tensor, axis: int, out: int) -> Tensor:
    """Pool along one spatial axis: all windows of the two lengths that there are, and of these the ones wanted."""
    n, rank = x.shape[axis + 1], x.ndim - 2
    windows = [(o * n // out, -(-(o + 1) * n // out)) for o in range(out)]
    lengths = sorted({end - begin for begin, end in windows})
    ones = (1,) * rank
    pooled = [
        op(x, window=Window((*ones[:axis], length, *ones[axis + 1 :]), ones, ((0, 0),) * rank)) for length in lengths
    ]
    longer = n - lengths[0] + 1  # where the longer windows begin
    places = [begin + (longer if end - begin > lengths[0] else 0) for begin, end in windows]
    return take(concatenate(pooled, axis=axis + 1), places, axis=axis + 1)
