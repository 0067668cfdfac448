"""Losses of regions and embeddings: how far predictions overlap with labels, how near lies what belongs together."""

from typing import Any

from .. import config, ops
from ..autograd import Tensor, as_tensor
from .base import FunctionLoss
from .matching import floating, matched


def dice(y_true: Any, y_pred: Any, axis: Any = None) -> Tensor:
    """1 - 2 sum(y p) / (sum(y) + sum(p)) over `axis`, everything where it is None; y = y_true, p = y_pred

    Source: L. R. Dice, Measures of the amount of ecologic association between species, 1945.

    >>> dice([[1.0, 1.0], [1.0, 0.0]], [[1.0, 1.0], [0.0, 1.0]], axis=-1).numpy().round(4)
    array([0., 1.], dtype=float32)
    """
    y_true, y_pred = matched("dice", y_true, y_pred)
    shared = ops.sum(y_true * y_pred, axis=axis)
    return 1.0 - 2.0 * shared / (ops.sum(y_true, axis=axis) + ops.sum(y_pred, axis=axis) + config.epsilon())


def tversky(y_true: Any, y_pred: Any, alpha: float = 0.5, beta: float = 0.5, axis: Any = None) -> Tensor:
    """1 - s / (s + alpha sum(y (1 - p)) + beta sum((1 - y) p)), s = sum(y p), over `axis`, everything where it is None

    The labels y = y_true, the predictions p = y_pred; with alpha = beta = 1/2 it is `dice`. As in Keras, alpha weighs
    what the predictions miss, and beta what they invent.
    Source: S. Salehi et al., Tversky loss function for image segmentation, 2017.

    >>> tversky([1.0, 1.0, 0.0], [1.0, 0.0, 0.0], alpha=1.0).item()
    0.5
    """
    y_true, y_pred = matched("tversky", y_true, y_pred)
    shared = ops.sum(y_true * y_pred, axis=axis)
    missed, invented = ops.sum((1.0 - y_pred) * y_true, axis=axis), ops.sum(y_pred * (1.0 - y_true), axis=axis)
    return 1.0 - shared / (shared + missed * alpha + invented * beta + config.epsilon())


def circle(
    y_true: Any,
    y_pred: Any,
    ref_labels: Any = None,
    ref_embeddings: Any = None,
    remove_diagonal: bool = True,
    gamma: float = 80,
    margin: float = 0.4,
) -> Tensor:
    """ln(1 + sum over others of e^(gamma a (d' - d)) * sum over the same class of e^(gamma b (d - margin)))

    d = max(1 - x . r, 0) is the distance of an embedding x of length 1 in y_pred (n, width) from r, one of
    `ref_embeddings` (m, width), by default y_pred itself, less x where `remove_diagonal`. Of the same class are those
    whose number in `ref_labels` is that in y_true; d' = 1 - margin, and the weights a = 1 + margin - d, b = margin + d
    grow with what is left to do. A loss of 0, of an embedding without another of its class, is masked.
    Source: Y. Sun et al., Circle loss: a unified perspective of pair similarity optimization, 2020.

    >>> circle([0, 0, 1], [[1.0, 0.0], [0.0, 1.0], [0.6, 0.8]], gamma=1.0).numpy().round(4)
    array([1.3427, 1.5568, 0.    ], dtype=float32)
    """
    x, labels = floating(y_pred), ops.reshape(as_tensor(y_true, "int32"), (-1,))
    others = x if ref_embeddings is None else as_tensor(ref_embeddings, x.dtype)
    other_labels = labels if ref_labels is None else ops.reshape(as_tensor(ref_labels, "int32"), (-1,))
    same = ops.equal(ops.expand_dims(labels, 1), other_labels)
    counted = same
    if remove_diagonal:
        places, other_places = (ops.cumsum(ops.ones_like(numbers)) for numbers in (labels, other_labels))
        counted = ops.logical_and(same, ops.not_equal(ops.expand_dims(places, 1), other_places))
    d = ops.maximum(1.0 - ops.matmul(x, ops.transpose(others)), 0.0)
    nearer = gamma * ops.maximum(margin + d, 0.0) * (d - margin)
    further = gamma * ops.maximum(1.0 + margin - d, 0.0) * (1.0 - margin - d)
    values = ops.softplus(_logsumexp(counted, nearer) + _logsumexp(ops.logical_not(same), further))
    return values.note("mask", values > 0)


def _logsumexp(chosen: Tensor, x: Tensor) -> Tensor:
    """ln(sum of e^x over what is chosen in each row); where nothing is, a number of which softplus makes 0."""
    lowest = -3e4 if x.dtype == "float16" else -1e30
    return ops.logsumexp(ops.where(chosen, x, lowest), axis=1)


class Dice(FunctionLoss, fn=dice, takes="reduction name axis dtype"):
    """1 - 2 sum(y p) / (sum(y) + sum(p)); see `dice`

    >>> round(Dice()([1.0, 1.0], [1.0, 0.0]).item(), 4)
    0.3333
    """


class Tversky(FunctionLoss, fn=tversky, takes="alpha beta reduction name axis dtype"):
    """1 - s / (s + alpha sum(y (1 - p)) + beta sum((1 - y) p)), s = sum(y p); see `tversky`

    >>> Tversky(alpha=1.0)([1.0, 1.0], [1.0, 0.0]).item()
    0.5
    """


class Circle(FunctionLoss, fn=circle, takes="gamma margin remove_diagonal reduction name dtype"):
    """How near embeddings of one class lie, and how far those of others; see `circle`

    >>> round(Circle(gamma=1.0)([0, 0, 1], [[1.0, 0.0], [0.0, 1.0], [0.6, 0.8]]).item(), 4)
    1.4497
    """
