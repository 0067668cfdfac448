"""The heavy operations of neural networks: dense, convolution, pooling, normalisation, softmax and cross-entropy."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from typing import Any

from .. import config
from ..autograd import (
    Array,
    Spec,
    Tensor,
    as_tensor,
    broadcast_shapes,
    broadcast_to,
    primitive,
    reshape,
    stop_gradient,
    sum_to,
)
from ..backends import Window, backend, xp
from .elementwise import act_grad, clip, exp, log, sigmoid
from .linear import _matmul
from .reduction import kept_shape, max, sum
from .shaping import axes_of, moveaxis, one_hot, squeeze, swapaxes

__all__ = [
    "average_pool", "avg_pool", "batch_normalization", "binary_crossentropy", "categorical_crossentropy", "conv",
    "conv_pool", "convolution", "dense", "depthwise_conv", "log_softmax", "max_pool", "maximum_pool",
    "sigmoid_cross_entropy", "softmax", "softmax_cross_entropy", "sparse_categorical_crossentropy",
    "sparse_softmax_cross_entropy", "standardize",
]  # fmt: skip


# Dense


@primitive(promote=True)
def dense(x: Array, w: Array, b: Array = None, *, act: str | None = None) -> Array:
    """y = act(x @ w + b)    x (..., n), w (n, m), b (m,) or None -> (..., m)"""
    return backend().dense(x, w, b, act)


@dense.gradient
def _(g, y, x, w, b_shape, *, act):
    g = act_grad(g, y, act=act)
    rows = reshape(g, (-1, g.shape[-1]))
    return (
        lambda: _matmul(g, swapaxes(w, 0, 1)),
        lambda: _matmul(swapaxes(reshape(x, (-1, x.shape[-1])), 0, 1), rows),
        lambda: sum_to(rows, shape=b_shape),
    )


@dense.shape
def _(x, w, b=None, *, act=None):
    if x.shape[-1] != w.shape[0]:
        raise ValueError(
            f"dense: x of shape {x.shape} has {x.shape[-1]} features, expected {w.shape[0]} for w of shape {w.shape}"
        )
    return Spec((*x.shape[:-1], w.shape[1]), w.dtype)


# Convolution: the three functions are each other's gradients


@primitive(promote=True)
def convolution(x: Array, w: Array, b: Array = None, *, window: Window, act: str | None = None) -> Array:
    """y[n, o, m] = act(b[m] + sum over taps t, channels c of x[n, o stride + t dilation - pad, c] w[t, c, m])

    x (N, spatial..., C), w (taps..., C / groups, M), b (M,) or None -> (N, out..., M)
    """
    return backend().conv(x, w, b, window, act)


@convolution.gradient
def _(g, y, x, w, b_shape, *, window, act):
    g = act_grad(g, y, act=act)
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
    return (
        lambda: _conv_grad_x(g, gw, x_shape=x.shape, window=window),
        lambda: convolution(x, gw, window=window),
    )


@_conv_grad_w.shape
def _(x, g, *, w_shape, window):
    return Spec(w_shape, g.dtype)


@primitive
def _conv_grad_x(g: Array, w: Array, *, x_shape: tuple[int, ...], window: Window) -> Array:
    """dx[n, i, c] = sum over taps t with i = o stride + t dilation - pad, and m, of g[n, o, m] w[t, c, m]"""
    return backend().conv_grad_x(g, w, x_shape, window)


@_conv_grad_x.gradient
def _(gx, g, w, *, window):
    return (
        lambda: convolution(gx, w, window=window),
        lambda: _conv_grad_w(gx, g, w_shape=w.shape, window=window),
    )


@_conv_grad_x.shape
def _(g, w, *, x_shape, window):
    return Spec(x_shape, g.dtype)


def _tuple(value: int | Sequence[int], rank: int, name: str) -> tuple[int, ...]:
    values = (value,) * rank if isinstance(value, int) else tuple(value)
    if len(values) != rank or any(v < 1 for v in values):
        raise ValueError(f"{name}: got {value}, expected a whole number >= 1 or {rank} of them")
    return values


def _first(x: Tensor, data_format: str | None) -> bool:
    return (data_format or config.image_data_format()) == "channels_first"


def conv(
    inputs: Any,
    kernel: Any,
    strides: int | Sequence[int] = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: int | Sequence[int] = 1,
) -> Tensor:
    """Convolution of any rank: y[n, o, m] = sum of x[n, o stride + t dilation - pad, c] w[t, c, m]

    inputs (N, spatial..., C), kernel (taps..., C / groups, M) -> (N, out..., M); "valid" padding adds nothing, "same"
    gives out = ceil(spatial / stride), "causal" pads in front only.
    """
    x, w = as_tensor(inputs), as_tensor(kernel)
    if _first(x, data_format):
        return moveaxis(conv(moveaxis(x, 1, -1), w, strides, padding, "channels_last", dilation_rate), -1, 1)
    rank = x.ndim - 2
    window = Window.of(
        w.shape[:-2],
        _tuple(strides, rank, "strides"),
        padding,
        _tuple(dilation_rate, rank, "dilation_rate"),
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
    """Convolution of each channel by itself: kernel (taps..., C, multiplier) -> C * multiplier channels"""
    w = as_tensor(kernel)
    return conv(
        inputs, reshape(w, (*w.shape[:-2], 1, w.shape[-2] * w.shape[-1])), strides, padding, data_format, dilation_rate
    )


# Pooling


@primitive(residuals=("argmax",))
def maximum_pool(x: Array, *, window: Window) -> Array:
    """y = the largest in each window        the gradient goes to the first of equals"""
    return backend().max_pool(x, window)


@maximum_pool.gradient
def _(g, x_shape, argmax, *, window):
    return _max_unpool(g, argmax, x_shape=x_shape, window=window)


@maximum_pool.composite
def _(x, *, window):
    return _max_repool(x, stop_gradient(_max_places(x, window=window)), window=window)


@maximum_pool.shape
def _(x, *, window):
    return Spec((x.shape[0], *window.out(x.shape[1:-1]), x.shape[-1]), x.dtype)


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


@_max_unpool.shape
def _(g, argmax, *, x_shape, window):
    return Spec(x_shape, g.dtype)


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
    """y = the mean of each window, padding not counted"""
    return backend().avg_pool(x, window)


@avg_pool.gradient
def _(g, x_shape, *, window):
    return _avg_unpool(g, x_shape=x_shape, window=window)


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


@_avg_unpool.shape
def _(g, *, x_shape, window):
    return Spec(x_shape, g.dtype)


@primitive(promote=("x", "w", "b"), residuals=("argmax",))
def conv_pool(x: Array, w: Array, b: Array = None, *, window: Window, act: str | None = None, pool: Window) -> Array:
    """y = the largest in each window `pool` of convolution(x, w, b), without keeping what is pooled

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
    parts = (
        lambda: _conv_grad_x(spread, w, x_shape=x.shape, window=window),
        lambda: _conv_grad_w(x, spread, w_shape=w.shape, window=window),
        lambda: sum_to(g, shape=w.shape[-1:]),
    )
    return tuple(part() for part, wish in zip(parts, wanted, strict=True) if wish)


@_conv_pool_grad.shape
def _(g, y, argmax, x, w, *, window, act, pool, wanted):
    shapes = (x.shape, w.shape, w.shape[-1:])
    return tuple(Spec(shape, g.dtype) for shape, wish in zip(shapes, wanted, strict=True) if wish)


def _pool(op: Any, x: Any, size: Any, strides: Any, padding: str, data_format: str | None) -> Tensor:
    x = as_tensor(x)
    if _first(x, data_format):
        return moveaxis(_pool(op, moveaxis(x, 1, -1), size, strides, padding, "channels_last"), -1, 1)
    rank = x.ndim - 2
    size = _tuple(size, rank, "pool_size")
    strides = size if strides is None else _tuple(strides, rank, "strides")
    return op(x, window=Window.of(size, strides, padding, (1,) * rank, x.shape[1:-1]))


def max_pool(
    inputs: Any, pool_size: Any, strides: Any = None, padding: str = "valid", data_format: str | None = None
) -> Tensor:
    """y = the largest in each window of (N, spatial..., C); windows do not overlap unless `strides` says so"""
    return _pool(maximum_pool, inputs, pool_size, strides, padding, data_format)


def average_pool(
    inputs: Any, pool_size: Any, strides: Any = None, padding: str = "valid", data_format: str | None = None
) -> Tensor:
    """y = the mean of each window of (N, spatial..., C), padding not counted"""
    return _pool(avg_pool, inputs, pool_size, strides, padding, data_format)


# Normalisation


@primitive(promote=("x", "gamma", "beta"), floating=True)
def standardize(
    x: Array, gamma: Array = None, beta: Array = None, *, axes: tuple[int, ...], epsilon: float, act: str | None = None
) -> Any:
    """y = act((x - mean) / sqrt(var + epsilon) * gamma + beta), returned with mean and var

    Mean and variance are taken over `axes` and keep them with size 1; gamma and beta broadcast to x, or are None.
    """
    return backend().norm_act(x, gamma, beta, axes, epsilon, act)


@standardize.gradient
def _(g, y, x, gamma, beta_shape, *, axes, epsilon, act):
    g_y, g_mean, g_var = g
    out, mean_x, var_x = y
    g_y = g_y if g_y is None or act is None else act_grad(g_y, out, act=act)
    rstd = (var_x + epsilon) ** -0.5
    centred = x - mean_x
    count = math.prod(x.shape[a] for a in axes)
    # Where gamma is constant over the axes, the sums that dx needs are the gradients of gamma and beta.
    outside = gamma is not None and broadcast_shapes("standardize", gamma.shape, mean_x.shape) == mean_x.shape
    inner = g_y if g_y is None or gamma is None or outside else g_y * gamma

    @functools.cache
    def sums() -> tuple[Any, Any]:
        return sum(inner, axis=axes, keepdims=True), sum(inner * centred, axis=axes, keepdims=True) * rstd

    def parameter(shape: Any, which: int) -> Any:
        if g_y is None:
            return None
        if inner is g_y and broadcast_shapes("standardize", shape, mean_x.shape) == mean_x.shape:
            return sum_to(sums()[which], shape=shape)
        return sum_to(g_y * (centred * rstd) if which else g_y, shape=shape)

    def dx() -> Any:
        total = None
        if g_y is not None:
            level, slope = sums()
            scale, shift, factor = rstd * gamma if outside else rstd, level / count, rstd * slope / count
            total = scale * (inner - centred * factor - shift)
        if g_mean is not None:
            part = broadcast_to(g_mean / count, x.shape)
            total = part if total is None else total + part
        if g_var is not None:
            part = g_var * (2 / count) * centred
            total = part if total is None else total + part
        return total

    return (
        dx,
        lambda: parameter(gamma.shape, 1),
        lambda: parameter(beta_shape, 0),
    )


@standardize.shape
def _(x, gamma=None, beta=None, *, axes, epsilon, act=None):
    statistics = Spec(kept_shape(x.shape, axes), x.dtype)
    return x, statistics, statistics


def batch_normalization(
    x: Any, mean: Any, variance: Any, axis: int, offset: Any = None, scale: Any = None, epsilon: float = 1e-3
) -> Tensor:
    """y = (x - mean) / sqrt(variance + epsilon) * scale + offset, with statistics and parameters along `axis`"""
    x = as_tensor(x)
    shape = tuple(n if i == axis % x.ndim else 1 for i, n in enumerate(x.shape))
    along = [None if v is None else reshape(as_tensor(v), shape) for v in (mean, variance, scale, offset)]
    factor = (along[1] + epsilon) ** -0.5  # type: ignore[operator]
    factor = factor if along[2] is None else factor * along[2]
    shift = -along[0] * factor if along[3] is None else along[3] - along[0] * factor  # type: ignore[operator]
    return x * factor + shift


# Softmax and cross-entropy


@primitive(promote=True, floating=True)
def _softmax(x: Array, *, axis: int = -1) -> Array:
    """y_i = e^x_i / sum of e^x_j along `axis`"""
    return backend().softmax(x, axis)


@_softmax.gradient
def _(g, y, *, axis):
    return y * (g - sum(g * y, axis=axis, keepdims=True))


@primitive(promote=True, floating=True)
def log_softmax(x: Array, *, axis: int = -1) -> Array:
    """y_i = x_i - ln(sum of e^x_j) along `axis`"""
    return backend().log_softmax(x, axis)


@log_softmax.gradient
def _(g, y, *, axis):
    return g - exp(y) * sum(g, axis=axis, keepdims=True)


@_softmax.shape
@log_softmax.shape
def _(x, *, axis=-1):
    axes_of(axis, x.ndim)
    return x


def softmax(x: Any, axis: int | Sequence[int] = -1) -> Tensor:
    """y_i = e^x_i / sum of e^x_j along `axis`; where that is the last one, the result remembers x as its logits

    >>> softmax([0.0, 0.0])
    Tensor([0.5, 0.5], shape=(2,), dtype=float32)
    """
    x = as_tensor(x)
    if not isinstance(axis, int):
        e = exp(x - stop_gradient(max(x, axis=axis, keepdims=True)))
        return e / sum(e, axis=axis, keepdims=True)
    y = _softmax(x, axis=axis)
    return y.note("logits", ("softmax", x)) if axis in (-1, x.ndim - 1) and not y.symbolic else y


@primitive(promote=("logits",), floating=True, residuals=("p",))
def sparse_softmax_cross_entropy(labels: Array, logits: Array) -> Array:
    """y = ln(sum of e^z_c) - z_label    labels (...) whole numbers, logits (..., classes) -> (...)"""
    log_p = backend().log_softmax(logits, -1)
    chosen = xp().take_along_axis(log_p, labels[..., None].astype("int32"), axis=-1)[..., 0]
    return -chosen, xp().exp(log_p)


@sparse_softmax_cross_entropy.gradient
def _(g, labels, p):
    hot = one_hot(labels, p.shape[-1], dtype=p.dtype)
    return None, lambda: (p - hot) * reshape(g, (*g.shape, 1))


@sparse_softmax_cross_entropy.composite
def _(labels, logits):
    return -sum(one_hot(labels, logits.shape[-1], dtype=logits.dtype) * log_softmax(logits), axis=-1)


@sparse_softmax_cross_entropy.shape
def _(labels, logits):
    if labels.shape != logits.shape[:-1]:
        raise ValueError(
            f"cross-entropy: labels of shape {labels.shape}, expected {logits.shape[:-1]} for logits {logits.shape}"
        )
    return Spec(labels.shape, logits.dtype)


def softmax_cross_entropy(labels: Any, logits: Any) -> Tensor:
    """y = -sum over c of label_c ln softmax(z)_c    labels and logits (..., classes) -> (...)"""
    return -sum(labels * log_softmax(logits), axis=-1)


@primitive(promote=True, floating=True, broadcasts=True)
def sigmoid_cross_entropy(labels: Array, logits: Array) -> Array:
    """y = max(z, 0) - z label + ln(1 + e^-|z|), which is -label ln p - (1 - label) ln(1 - p) for p = sigmoid(z)"""
    if logits.dtype.kind == "c":
        return xp().log(1 + xp().exp(logits)) - logits * labels
    return xp().maximum(logits, 0) - logits * labels + xp().log1p(xp().exp(-xp().abs(logits)))


@sigmoid_cross_entropy.gradient
def _(g, labels, logits):
    return lambda: -g * logits, lambda: g * (sigmoid(logits) - labels)


def logits_of(output: Tensor, kind: str, from_logits: bool, axis: int = -1) -> Tensor | None:
    """The logits behind probabilities that a "softmax" along `axis` or a "sigmoid" computed, where that is known."""
    if from_logits:
        return output
    if output.logits is None or output.logits[0] != kind or axis not in (-1, output.ndim - 1):
        return None
    return output.logits[1]


def _clipped_log(p: Tensor) -> Tensor:
    """ln p, with p kept `config.epsilon()` away from 0 and 1"""
    return log(clip(p, config.epsilon(), 1 - config.epsilon()))


def binary_crossentropy(target: Any, output: Any, from_logits: bool = False) -> Tensor:
    """y = -target ln p - (1 - target) ln(1 - p) per element, from the logits where the output remembers them"""
    output = as_tensor(output)
    target = as_tensor(target, output.dtype)
    logits = logits_of(output, "sigmoid", from_logits)
    if logits is not None:
        return sigmoid_cross_entropy(target, logits)
    p = clip(output, config.epsilon(), 1 - config.epsilon())
    return -(target * log(p) + (1 - target) * log(1 - p))


def categorical_crossentropy(target: Any, output: Any, from_logits: bool = False, axis: int = -1) -> Tensor:
    """y = -sum over c of target_c ln p_c along `axis`, from the logits where the output remembers them

    Probabilities that do not come from a softmax are first divided by their sum.
    """
    output = as_tensor(output)
    target = as_tensor(target, output.dtype)
    logits = logits_of(output, "softmax", from_logits, axis)
    if logits is not None:
        return -sum(target * log_softmax(logits, axis=axis), axis=axis)
    return -sum(target * _clipped_log(output / sum(output, axis=axis, keepdims=True)), axis=axis)


def sparse_categorical_crossentropy(target: Any, output: Any, from_logits: bool = False, axis: int = -1) -> Tensor:
    """y = -ln p_target, with whole numbers for targets, from the logits where the output remembers them"""
    output, target = as_tensor(output), as_tensor(target)
    if target.ndim == output.ndim and target.shape[axis] == 1:
        target = squeeze(target, axis)
    logits = logits_of(output, "softmax", from_logits, axis)
    if logits is None:
        logits = _clipped_log(output / sum(output, axis=axis, keepdims=True))
    if axis not in (-1, output.ndim - 1):
        logits = moveaxis(logits, axis, -1)
    return sparse_softmax_cross_entropy(target, logits)


def __getattr__(name: str) -> Any:
    """`ops.nn` is also the place where Keras has relu, gelu and their like."""
    from .. import ops

    return getattr(ops, name)
