"""Losses of numbers: squared, absolute, relative and logarithmic errors, and the angle between vectors."""

import math
from typing import Any

from .. import config, ops
from ..autograd import Tensor
from .base import FunctionLoss
from .matching import matched


def mean_squared_error(y_true: Any, y_pred: Any) -> Tensor:
    """mean((y_true - y_pred)^2) over the last dimension

    >>> mean_squared_error([[0.0, 1.0]], [[2.0, 1.0]])
    Tensor([2.], shape=(1,), dtype=float32)
    """
    y_true, y_pred = matched("mean_squared_error", y_true, y_pred)
    return ops.mean(ops.square(y_true - y_pred), axis=-1)


def mean_absolute_error(y_true: Any, y_pred: Any) -> Tensor:
    """mean(|y_true - y_pred|) over the last dimension

    >>> mean_absolute_error([[0.0, 1.0]], [[3.0, 1.0]])
    Tensor([1.5], shape=(1,), dtype=float32)
    """
    y_true, y_pred = matched("mean_absolute_error", y_true, y_pred)
    return ops.mean(ops.abs(y_true - y_pred), axis=-1)


def mean_absolute_percentage_error(y_true: Any, y_pred: Any) -> Tensor:
    """100 mean(|y_true - y_pred| / max(|y_true|, epsilon)) over the last dimension, with `config.epsilon()`

    >>> mean_absolute_percentage_error([[2.0, 4.0]], [[1.0, 4.0]])
    Tensor([25.], shape=(1,), dtype=float32)
    """
    y_true, y_pred = matched("mean_absolute_percentage_error", y_true, y_pred)
    return 100.0 * ops.mean(ops.abs((y_true - y_pred) / ops.maximum(ops.abs(y_true), config.epsilon())), axis=-1)


def mean_squared_logarithmic_error(y_true: Any, y_pred: Any) -> Tensor:
    """mean((ln(1 + y_true) - ln(1 + y_pred))^2) over the last dimension, numbers below `config.epsilon()` taken as that

    >>> mean_squared_logarithmic_error([[0.0, 1.0]], [[0.0, 1.0]])
    Tensor([0.], shape=(1,), dtype=float32)
    """
    y_true, y_pred = matched("mean_squared_logarithmic_error", y_true, y_pred)
    first, second = (ops.log1p(ops.maximum(y, config.epsilon())) for y in (y_true, y_pred))
    return ops.mean(ops.square(first - second), axis=-1)


def huber(y_true: Any, y_pred: Any, delta: float = 1.0) -> Tensor:
    """mean(e^2 / 2 where |e| <= delta, else delta |e| - delta^2 / 2) over the last dimension, e = y_true - y_pred

    Source: P. J. Huber, Robust estimation of a location parameter, 1964.

    >>> huber([[0.0, 0.0]], [[1.0, 3.0]])
    Tensor([1.5], shape=(1,), dtype=float32)
    """
    y_true, y_pred = matched("huber", y_true, y_pred)
    error = ops.abs(y_true - y_pred)
    return ops.mean(ops.where(error <= delta, ops.square(error) / 2, delta * error - delta**2 / 2), axis=-1)


def log_cosh(y_true: Any, y_pred: Any) -> Tensor:
    """mean(ln(cosh(y_pred - y_true))) over the last dimension: e^2 / 2 for small errors, |e| - ln 2 for large ones

    >>> log_cosh([[0.0, 0.0]], [[0.0, 1000.0]])
    Tensor([499.6534], shape=(1,), dtype=float32)
    """
    y_true, y_pred = matched("log_cosh", y_true, y_pred)
    error = y_pred - y_true
    return ops.mean(error + ops.softplus(-2.0 * error) - math.log(2), axis=-1)


def cosine_similarity(y_true: Any, y_pred: Any, axis: int = -1) -> Tensor:
    """-cos(angle between y_true and y_pred) along `axis`: -1 for one direction, 0 at right angles

    >>> cosine_similarity([[0.0, 1.0]], [[0.0, 5.0]])
    Tensor([-1.], shape=(1,), dtype=float32)
    """
    y_true, y_pred = matched("cosine_similarity", y_true, y_pred)
    return -ops.sum(_unit(y_true, axis) * _unit(y_pred, axis), axis=axis)


def _unit(y: Tensor, axis: int) -> Tensor:
    """y / max(length of y, epsilon), whose gradient is finite at 0, too."""
    return y * ops.rsqrt(ops.maximum(ops.sum(ops.square(y), axis=axis, keepdims=True), config.epsilon() ** 2))


class MeanSquaredError(FunctionLoss, fn=mean_squared_error):
    """mean((y_true - y_pred)^2)

    >>> MeanSquaredError()([0.0, 1.0], [2.0, 1.0]).item()
    2.0
    """


class MeanAbsoluteError(FunctionLoss, fn=mean_absolute_error):
    """mean(|y_true - y_pred|)

    >>> MeanAbsoluteError()([0.0, 1.0], [3.0, 1.0]).item()
    1.5
    """


class MeanAbsolutePercentageError(FunctionLoss, fn=mean_absolute_percentage_error):
    """100 mean(|y_true - y_pred| / |y_true|)

    >>> MeanAbsolutePercentageError()([2.0, 4.0], [1.0, 4.0]).item()
    25.0
    """


class MeanSquaredLogarithmicError(FunctionLoss, fn=mean_squared_logarithmic_error):
    """mean((ln(1 + y_true) - ln(1 + y_pred))^2)

    >>> MeanSquaredLogarithmicError()([0.0, 1.0], [0.0, 1.0]).item()
    0.0
    """


class Huber(FunctionLoss, fn=huber, name="huber_loss"):
    """mean(e^2 / 2 where |e| <= delta, else delta |e| - delta^2 / 2), e = y_true - y_pred; see `huber`

    >>> Huber(delta=1.0)([0.0, 0.0], [1.0, 3.0]).item()
    1.5
    """


class LogCosh(FunctionLoss, fn=log_cosh):
    """mean(ln(cosh(y_pred - y_true)))

    >>> LogCosh()([0.0, 0.0], [0.0, 0.0]).item()
    0.0
    """


class CosineSimilarity(FunctionLoss, fn=cosine_similarity):
    """-cos(angle between y_true and y_pred) along `axis`

    >>> CosineSimilarity()([[0.0, 1.0]], [[0.0, 5.0]]).item()
    -1.0
    """
