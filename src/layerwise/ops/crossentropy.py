"""Softmax and cross-entropy, which use the logits where probabilities remember them."""

import warnings
from collections.abc import Sequence
from typing import Any

from .. import config
from ..autograd import Array, Spec, Tensor, as_tensor, primitive, reshape, stop_gradient
from ..backends import backend, xp
from .activation import sigmoid
from .comparison import clip
from .functions import exp, log
from .making import one_hot
from .reduction import max, sum
from .shaping import axes_of, axis_of, moveaxis, squeeze

__all__ = [
    "binary_crossentropy", "categorical_crossentropy", "log_softmax", "sigmoid_cross_entropy", "softmax",
    "softmax_cross_entropy", "sparse_categorical_crossentropy", "sparse_softmax_cross_entropy",
]  # fmt: skip


@primitive(promote=True, floating=True)
def _softmax(x: Array, *, axis: int = -1) -> Array:
    """y_i = e^x_i / sum of e^x_j along `axis`"""
    return backend().softmax(x, axis)


@_softmax.gradient
def _(g, y, *, axis):
    return y * (g - sum(g * y, axis=axis, keepdims=True))


@primitive(promote=True, floating=True)
def log_softmax(x: Array, *, axis: int = -1) -> Array:
    """y = x - ln(sum of e^x) along `axis`"""
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
    if x.ndim and x.shape[axis_of(axis, x.ndim)] == 1:
        warnings.warn(f"softmax over an axis of size 1, of shape {x.shape}, is 1 everywhere; sigmoid?", stacklevel=2)
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
    """y = max(z, 0) - z label + ln(1 + e^-|z|), which is -label ln p - (1 - label) ln(1 - p) for p = sigmoid(z)

    labels and logits, z, of any shape
    """
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
    """y = -target ln p - (1 - target) ln(1 - p) per element, from the logits where the output remembers them

    from_logits: `output` is these logits itself.
    """
    output = as_tensor(output)
    target = as_tensor(target, output.dtype)
    logits = logits_of(output, "sigmoid", from_logits)
    if logits is not None:
        return sigmoid_cross_entropy(target, logits)
    p = clip(output, config.epsilon(), 1 - config.epsilon())
    return -(target * log(p) + (1 - target) * log(1 - p))


def categorical_crossentropy(target: Any, output: Any, from_logits: bool = False, axis: int = -1) -> Tensor:
    """y = -sum over c of target_c ln p_c along `axis`, from the logits where the output remembers them

    target: probabilities. from_logits: `output` is these logits itself. Probabilities that do not come from a softmax
    are first divided by their sum.
    """
    output = as_tensor(output)
    target = as_tensor(target, output.dtype)
    logits = logits_of(output, "softmax", from_logits, axis)
    if logits is not None:
        return -sum(target * log_softmax(logits, axis=axis), axis=axis)
    return -sum(target * _clipped_log(output / sum(output, axis=axis, keepdims=True)), axis=axis)


def sparse_categorical_crossentropy(target: Any, output: Any, from_logits: bool = False, axis: int = -1) -> Tensor:
    """y = -ln p_target, with whole numbers for targets, from the logits where the output remembers them

    target (...), output (..., classes), or with the classes along `axis` -> (...). from_logits: `output` is these
    logits itself.
    """
    output, target = as_tensor(output), as_tensor(target)
    if target.ndim == output.ndim and target.shape[axis] == 1:
        target = squeeze(target, axis)
    logits = logits_of(output, "softmax", from_logits, axis)
    if logits is None:
        logits = _clipped_log(output / sum(output, axis=axis, keepdims=True))
    if axis not in (-1, output.ndim - 1):
        logits = moveaxis(logits, axis, -1)
    return sparse_softmax_cross_entropy(target, logits)
