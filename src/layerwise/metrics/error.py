"""Losses as metrics: the mean over all batches, without regularisation and before reduction."""

from __future__ import annotations

from typing import Any

from .. import losses, ops
from ..autograd import Tensor
from ..losses.base import matched
from .base import MeanMetricWrapper


class MeanSquaredError(MeanMetricWrapper):
    """result = mean((y_true - y_pred)^2)

    >>> MeanSquaredError()([[0.0, 1.0]], [[2.0, 1.0]]).item()
    2.0
    """

    _direction = "down"

    def __init__(self, name: str = "mean_squared_error", dtype: Any = None) -> None:
        super().__init__(losses.mean_squared_error, name, dtype)


def squared_error(y_true: Any, y_pred: Any) -> Tensor:
    """(y_true - y_pred)^2"""
    y_true, y_pred = matched("squared_error", y_true, y_pred)
    return ops.square(y_true - y_pred)


class RootMeanSquaredError(MeanMetricWrapper):
    """result = sqrt(mean((y_true - y_pred)^2))

    >>> RootMeanSquaredError()([0.0, 0.0], [4.0, 4.0]).item()
    4.0
    """

    _direction = "down"

    def __init__(self, name: str = "root_mean_squared_error", dtype: Any = None) -> None:
        super().__init__(squared_error, name, dtype)

    def result(self) -> Tensor:
        return ops.sqrt(super().result())


class MeanAbsoluteError(MeanMetricWrapper):
    """result = mean(|y_true - y_pred|)

    >>> MeanAbsoluteError()([[0.0, 1.0]], [[3.0, 1.0]]).item()
    1.5
    """

    _direction = "down"

    def __init__(self, name: str = "mean_absolute_error", dtype: Any = None) -> None:
        super().__init__(losses.mean_absolute_error, name, dtype)


class MeanAbsolutePercentageError(MeanMetricWrapper):
    """result = 100 mean(|y_true - y_pred| / |y_true|)

    >>> MeanAbsolutePercentageError()([[2.0, 4.0]], [[1.0, 4.0]]).item()
    25.0
    """

    _direction = "down"

    def __init__(self, name: str = "mean_absolute_percentage_error", dtype: Any = None) -> None:
        super().__init__(losses.mean_absolute_percentage_error, name, dtype)


class MeanSquaredLogarithmicError(MeanMetricWrapper):
    """result = mean((ln(1 + y_true) - ln(1 + y_pred))^2)

    >>> MeanSquaredLogarithmicError()([[0.0, 1.0]], [[0.0, 1.0]]).item()
    0.0
    """

    _direction = "down"

    def __init__(self, name: str = "mean_squared_logarithmic_error", dtype: Any = None) -> None:
        super().__init__(losses.mean_squared_logarithmic_error, name, dtype)


class LogCoshError(MeanMetricWrapper):
    """result = mean(ln(cosh(y_pred - y_true)))

    >>> LogCoshError()([[0.0, 0.0]], [[0.0, 0.0]]).item()
    0.0
    """

    _direction = "down"

    def __init__(self, name: str = "logcosh", dtype: Any = None) -> None:
        super().__init__(losses.log_cosh, name, dtype)


def cosine(y_true: Any, y_pred: Any, axis: int = -1) -> Tensor:
    """cos(angle between y_true and y_pred) along `axis`"""
    return -losses.cosine_similarity(y_true, y_pred, axis)


class CosineSimilarity(MeanMetricWrapper):
    """result = mean(cos(angle between y_true and y_pred)) along `axis`; the loss of this name is its negative

    >>> CosineSimilarity()([[0.0, 1.0]], [[0.0, 5.0]]).item()
    1.0
    """

    _direction = "up"

    def __init__(self, name: str = "cosine_similarity", dtype: Any = None, axis: int = -1) -> None:
        super().__init__(cosine, name, dtype, axis=axis)


class Hinge(MeanMetricWrapper):
    """result = mean(max(1 - y s, 0)); see `losses.hinge`

    >>> Hinge()([[-1.0, 1.0]], [[-2.0, 0.5]]).item()
    0.25
    """

    _direction = "down"

    def __init__(self, name: str = "hinge", dtype: Any = None) -> None:
        super().__init__(losses.hinge, name, dtype)


class SquaredHinge(MeanMetricWrapper):
    """result = mean(max(1 - y s, 0)^2); see `losses.squared_hinge`

    >>> SquaredHinge()([[-1.0, 1.0]], [[-2.0, 0.0]]).item()
    0.5
    """

    _direction = "down"

    def __init__(self, name: str = "squared_hinge", dtype: Any = None) -> None:
        super().__init__(losses.squared_hinge, name, dtype)


class CategoricalHinge(MeanMetricWrapper):
    """result = mean(max(1 + (largest score of another class) - (score of the label), 0))

    >>> CategoricalHinge()([[0.0, 1.0]], [[0.5, 0.75]]).item()
    0.75
    """

    _direction = "down"

    def __init__(self, name: str = "categorical_hinge", dtype: Any = None) -> None:
        super().__init__(losses.categorical_hinge, name, dtype)


class KLDivergence(MeanMetricWrapper):
    """result = mean(sum of y ln(y / p)); see `losses.kl_divergence`

    >>> KLDivergence()([[0.5, 0.5]], [[0.5, 0.5]]).item()
    0.0
    """

    _direction = "down"

    def __init__(self, name: str = "kl_divergence", dtype: Any = None) -> None:
        super().__init__(losses.kl_divergence, name, dtype)


class Poisson(MeanMetricWrapper):
    """result = mean(p - y ln p); see `losses.poisson`

    >>> Poisson()([[0.0, 0.0]], [[1.0, 3.0]]).item()
    2.0
    """

    _direction = "down"

    def __init__(self, name: str = "poisson", dtype: Any = None) -> None:
        super().__init__(losses.poisson, name, dtype)


class BinaryCrossentropy(MeanMetricWrapper):
    """result = mean(-y ln p - (1 - y) ln(1 - p)); see `losses.binary_crossentropy`

    >>> round(BinaryCrossentropy()([[0.0, 1.0]], [[0.5, 0.5]]).item(), 4)
    0.6931
    """

    _direction = "down"

    def __init__(
        self,
        name: str = "binary_crossentropy",
        dtype: Any = None,
        from_logits: bool = False,
        label_smoothing: float = 0,
    ) -> None:
        super().__init__(
            losses.binary_crossentropy, name, dtype, from_logits=from_logits, label_smoothing=label_smoothing
        )


class CategoricalCrossentropy(MeanMetricWrapper):
    """result = mean(-sum of y_c ln p_c), labels one-hot; see `losses.categorical_crossentropy`

    >>> round(CategoricalCrossentropy()([[0.0, 1.0]], [[0.5, 0.5]]).item(), 4)
    0.6931
    """

    _direction = "down"

    def __init__(
        self,
        name: str = "categorical_crossentropy",
        dtype: Any = None,
        from_logits: bool = False,
        label_smoothing: float = 0,
        axis: int = -1,
    ) -> None:
        super().__init__(
            losses.categorical_crossentropy,
            name,
            dtype,
            from_logits=from_logits,
            label_smoothing=label_smoothing,
            axis=axis,
        )


class SparseCategoricalCrossentropy(MeanMetricWrapper):
    """result = mean(-ln p_y), labels class numbers; see `losses.sparse_categorical_crossentropy`

    >>> round(SparseCategoricalCrossentropy()([1], [[0.5, 0.5]]).item(), 4)
    0.6931
    """

    _direction = "down"

    def __init__(
        self,
        name: str = "sparse_categorical_crossentropy",
        dtype: Any = None,
        from_logits: bool = False,
        ignore_class: int | None = None,
        axis: int = -1,
    ) -> None:
        super().__init__(
            losses.sparse_categorical_crossentropy,
            name,
            dtype,
            from_logits=from_logits,
            ignore_class=ignore_class,
            axis=axis,
        )
