"""Convolution: three functions that are each other's gradients."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .. import config
from ..autograd import Array, Spec, Tensor, as_tensor, primitive, reshape, sum_to
from ..backends import Window, backend
from .activation import act_grad
from .shaping import moveaxis

__all__ = [
    "conv", "convolution", "depthwise_conv",
]  # fmt: skip


@primitive(promote=True)
def convolution(x: Array, w: Array, b: Array = None, *, window: Window, act: str | None = None) -> Array:
    """y[n, o, m] = act(b[m] + sum over taps t, channels c of x[n, o stride + t dilation - pad, c] w[t, c, m])

    x (N, spatial..., C), w (taps..., C / groups, M), b (M,) or None -> (N, out..., M), with window's strides, dilation
    and pad
    """
    return backend().conv(x, w, b, window, act)


@convolution.gradient
def _(g, y, x, w, b_shape, *, window, act):
    return gradients(act_grad(g, y, act=act), x, w, b_shape, window)


def gradients(g: Tensor, x: Tensor, w: Tensor, b_shape: Any, window: Window) -> tuple[Callable[[], Tensor], ...]:
    """What computes dx, dw and db of a convolution, g being the gradient before the activation."""
    return (
        lambda: _conv_grad_x(g, w, x_shape=x.shape, window=window),
        lambda: _conv_grad_w(x, g, w_shape=w.shape, window=window),
        lambda: sum_to(g, shape=b_shape),
    )


@convolution.shape
def _(x, w, b=None, *, window, act=None):
    if x.ndim != len(window.size) + 2 or x.shape[-1] % w.shape[-2] or w.shape[-1] % (x.shape[-1] // w.shape[-2]):
        raise ValueError(
            f"conv: x of shape {x.shape} does not fit a kernel of shape {w.shape} (taps..., channels / groups, filters)"
        )
    return Spec((x.shape[0], *window.out(x.shape[1:-1]), w.shape[-1]), w.dtype)


@primitive
def _conv_grad_w(x: Array, g: Array, *, w_shape: tuple[int, ...], window: Window) -> Array:
    """dw[t, c, m] = sum over n, o of x[n, o stride + t dilation - pad, c] g[n, o, m]"""
    return backend().conv_grad_w(x, g, w_shape, window)


@_conv_grad_w.gradient
def _(gw, x, g, *, window):
    return (lambda: _conv_grad_x(g, gw, x_shape=x.shape, window=window), lambda: convolution(x, gw, window=window))


@_conv_grad_w.shape
def _(x, g, *, w_shape, window):
    return Spec(w_shape, g.dtype)


@primitive
def _conv_grad_x(g: Array, w: Array, *, x_shape: tuple[int, ...], window: Window) -> Array:
    """dx[n, i, c] = sum over taps t with i = o stride + t dilation - pad, and m, of g[n, o, m] w[t, c, m]"""
    return backend().conv_grad_x(g, w, x_shape, window)


@_conv_grad_x.gradient
def _(gx, g, w, *, window):
    return (lambda: convolution(gx, w, window=window), lambda: _conv_grad_w(gx, g, w_shape=w.shape, window=window))


@_conv_grad_x.shape
def _(g, w, *, x_shape, window):
    return Spec(x_shape, g.dtype)


def one_for_each_axis(value: int | Sequence[int], rank: int, name: str) -> tuple[int, ...]:
    """`value` as one whole number for each of `rank` axes; `name` is what errors call it."""
    values = tuple(value) if np.iterable(value) else (value,) * rank
    if len(values) != rank or not all(isinstance(v, (int, np.integer)) and v >= 1 for v in values):
        raise ValueError(f"{name}: got {value!r}, expected a whole number >= 1 or a tuple of {rank} of them")
    return tuple(map(int, values))


def is_channels_first(data_format: str | None) -> bool:
    """Whether channels stand before the spatial dimensions, in the data format given, or else configured."""
    return (data_format or config.image_data_format()) == "channels_first"


def conv(
    inputs: Any,
    kernel: Any,
    strides: int | Sequence[int] = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: int | Sequence[int] = 1,
) -> Tensor:
    """Convolution of any rank: y[n, o, m] = sum of x[n, o strides + t dilation_rate - pad, c] w[t, c, m]

    inputs (N, spatial..., C), kernel (taps..., C / groups, M) -> (N, out..., M); "valid" padding adds nothing, "same"
    gives out = ceil(spatial / strides), "causal" pads in front only. data_format: "channels_last", as here, or
    "channels_first"; None: as configured.
    """
    x, w = as_tensor(inputs), as_tensor(kernel)
    if is_channels_first(data_format):
        return moveaxis(conv(moveaxis(x, 1, -1), w, strides, padding, "channels_last", dilation_rate), -1, 1)
    rank = x.ndim - 2
    window = Window.of(
        w.shape[:-2],
        one_for_each_axis(strides, rank, "strides"),
        padding,
        one_for_each_axis(dilation_rate, rank, "dilation_rate"),
        x.shape[1:-1],
    )
    return convolution(x, w, window=window)


def depthwise_conv(
    inputs: Any,
    kernel: Any,
    strides: int | Sequence[int] = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: int | Sequence[int] = 1,
) -> Tensor:
    """Convolution of each channel of inputs by itself: kernel (taps..., C, multiplier) -> C * multiplier channels

    strides, padding, data_format, dilation_rate: those of `conv`.
    """
    w = as_tensor(kernel)
    return conv(
        inputs, reshape(w, (*w.shape[:-2], 1, w.shape[-2] * w.shape[-1])), strides, padding, data_format, dilation_rate
    )
