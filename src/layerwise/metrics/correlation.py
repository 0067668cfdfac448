"""Correlations: how far predictions go along with labels."""

from typing import Any

from .. import config, ops
from ..autograd import Tensor
from ..losses.matching import matched
from .base import MeanMetricWrapper


def pearson_correlation(y_true: Any, y_pred: Any, axis: Any = -1) -> Tensor:
    """mean((y - mean y) (p - mean p)) / (std y std p) along `axis`, y = y_true, p = y_pred: 1 where p grows with y

    Source: K. Pearson, Notes on regression and inheritance in the case of two parents, 1895.

    >>> pearson_correlation([[0.0, 1.0, 0.5]], [[0.0, 2.0, 1.0]]).numpy().round(4)
    array([1.], dtype=float32)
    """
    y_true, y_pred = (_centred(y, axis) for y in matched("pearson_correlation", y_true, y_pred))
    return ops.mean(_scaled(y_true, axis) * _scaled(y_pred, axis), axis=axis)


def concordance_correlation(y_true: Any, y_pred: Any, axis: Any = -1) -> Tensor:
    """2 mean((y - mean y) (p - mean p)) / (var y + var p + (mean y - mean p)^2) along `axis`: 1 where p is y

    The labels y = y_true, the predictions p = y_pred.
    Source: L. I. Lin, A concordance correlation coefficient to evaluate reproducibility, 1989.

    >>> concordance_correlation([[0.0, 1.0, 0.5]], [[0.0, 2.0, 1.0]]).numpy().round(4)
    array([0.6154], dtype=float32)
    """
    y_true, y_pred = matched("concordance_correlation", y_true, y_pred)
    apart = ops.mean(y_true, axis=axis, keepdims=True) - ops.mean(y_pred, axis=axis, keepdims=True)
    y_true, y_pred = _centred(y_true, axis), _centred(y_pred, axis)
    spread = sum(ops.mean(ops.square(y), axis=axis, keepdims=True) for y in (y_true, y_pred)) + ops.square(apart)
    return ops.mean(2.0 * y_true * y_pred / (spread + config.epsilon()), axis=axis)


def _centred(y: Tensor, axis: Any) -> Tensor:
    return y - ops.mean(y, axis=axis, keepdims=True)


def _scaled(y: Tensor, axis: Any) -> Tensor:
    return y / ops.sqrt(ops.mean(ops.square(y), axis=axis, keepdims=True))


class PearsonCorrelation(MeanMetricWrapper, fn=pearson_correlation, better="up", takes="name dtype axis"):
    """result = mean of `pearson_correlation`

    >>> round(PearsonCorrelation()([[0.0, 1.0, 0.5]], [[0.0, 2.0, 1.0]]).item(), 4)
    1.0
    """


class ConcordanceCorrelation(MeanMetricWrapper, fn=concordance_correlation, better="up", takes="name dtype axis"):
    """result = mean of `concordance_correlation`

    >>> round(ConcordanceCorrelation()([[0.0, 1.0, 0.5]], [[0.0, 2.0, 1.0]]).item(), 4)
    0.6154
    """
