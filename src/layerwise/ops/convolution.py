"""Convolution: three functions that are each other's gradients."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .. import config
from ..autograd import Array, Spec, Tensor, as_tensor, primitive, reshape, sum_to
from ..backends import Window, backend
from ..dtypes import result_type
from ..naming import one_of
from .activation import act_grad
from .shaping import moveaxis, pad

__all__ = [
    "conv", "conv_transpose", "convolution", "depthwise_conv", "separable_conv",
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


def one_for_each_axis(value: int | Sequence[int], rank: int, name: str, least: int = 1) -> tuple[int, ...]:
    """`value` as one whole number for each of `rank` axes; `name` is what errors call it."""
    values = tuple(value) if np.iterable(value) else (value,) * rank
    if len(values) != rank or not all(isinstance(v, (int, np.integer)) and v >= least for v in values):
        raise ValueError(f"{name}: got {value!r}, expected a whole number >= {least} or a tuple of {rank} of them")
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


def separable_conv(
    inputs: Any,
    depthwise_kernel: Any,
    pointwise_kernel: Any,
    strides: int | Sequence[int] = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: int | Sequence[int] = 1,
) -> Tensor:
    """`depthwise_conv` of inputs, then `conv` of what it gives: each channel by itself, then a mixture of channels

    inputs (N, spatial..., C), depthwise_kernel (taps..., C, multiplier), pointwise_kernel (1..., C * multiplier, M)
    -> (N, out..., M). strides, padding, data_format, dilation_rate: of the former, as in `conv`.
    """
    y = depthwise_conv(inputs, depthwise_kernel, strides, padding, data_format, dilation_rate)
    return conv(y, pointwise_kernel, 1, "valid", data_format)


def conv_transpose(
    inputs: Any,
    kernel: Any,
    strides: int | Sequence[int] = 1,
    padding: str = "valid",
    output_padding: int | Sequence[int] | None = None,
    data_format: str | None = None,
    dilation_rate: int | Sequence[int] = 1,
) -> Tensor:
    """y[n, i, m] = sum over o, t with i = o strides + t dilation_rate - pad, and c, of inputs[n, o, c] kernel[t, m, c]

    The gradient by its input of a convolution whose output has the inputs' shape. inputs (N, spatial..., C), kernel
    (taps..., M, C) -> (N, out..., M), or with the order of data_format. Let reach = (taps - 1) dilation_rate + 1. With
    "valid" padding out = (spatial - 1) strides + reach + output_padding, which is max(strides - reach, 0) where it is
    None; with "same" padding out = (spatial - 1) strides + (reach mod 2) + output_padding, or spatial strides where it
    is None.

    >>> conv_transpose([[[1.0], [2.0]]], [[[1.0]], [[3.0]]])[0, :, 0]
    Tensor([1., 5., 6.], shape=(3,), dtype=float32)
    """
    x, w = as_tensor(inputs), as_tensor(kernel)
    if is_channels_first(data_format):
        x = moveaxis(x, 1, -1)
        return moveaxis(conv_transpose(x, w, strides, padding, output_padding, "channels_last", dilation_rate), -1, 1)
    if x.ndim != w.ndim or x.shape[-1] != w.shape[-1]:
        raise ValueError(
            f"conv_transpose: inputs of shape {x.shape} do not fit a kernel of shape {w.shape} "
            "(taps..., filters, channels)"
        )
    rank = x.ndim - 2
    strides = one_for_each_axis(strides, rank, "conv_transpose: strides")
    dilation = one_for_each_axis(dilation_rate, rank, "conv_transpose: dilation_rate")
    more: Sequence[int | None] = (None,) * rank
    if output_padding is not None:
        more = one_for_each_axis(output_padding, rank, "conv_transpose: output_padding", least=0)
    one_of("conv_transpose: padding", padding.lower(), "valid", "same")
    axes = zip(x.shape[1:-1], w.shape[:-2], strides, dilation, more, strict=True)
    pads, sizes, rests = zip(*(transposed_axis(padding.lower(), *axis) for axis in axes), strict=True)
    dtype = result_type(x.dtype, w.dtype)
    y = _conv_grad_x(
        as_tensor(x, dtype),
        as_tensor(w, dtype),
        x_shape=(x.shape[0], *sizes, w.shape[-2]),
        window=Window(w.shape[:-2], strides, pads, dilation),
    )
    return pad(y, ((0, 0), *((0, rest) for rest in rests), (0, 0))) if any(rests) else y


def transposed_axis(
    padding: str, n: int, taps: int, stride: int, dilation: int, more: int | None
) -> tuple[tuple[int, int], int, int]:
    """Along an axis: the padding, the length that n positions come of, and how many zeros follow it."""
    reach = (taps - 1) * dilation + 1
    if padding == "valid":
        low, out = 0, (n - 1) * stride + reach + (max(stride - reach, 0) if more is None else more)
    else:
        added = stride + reach - 2 if more is None else reach + reach % 2 - 2 + more
        low = reach - 1 - min((added + 1) // 2, reach - 1)
        out = (n - 1) * stride + added - reach + 2
    high = (n - 1) * stride + reach - low - out
    rest = max(-high - stride + 1, 0)  # so far behind that a convolution would have met it once more
    return (low, max(high, 0)), out - rest, rest
