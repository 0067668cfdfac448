"""Losses as metrics: the mean over all batches, without regularisation and before reduction."""

from typing import Any

from .. import losses, ops
from ..autograd import Tensor
from ..losses.matching import matched
from .base import MeanMetricWrapper, Metric, Shape, by_labels


class MeanSquaredError(MeanMetricWrapper, fn=losses.mean_squared_error, better="down"):
    """result = mean((y_true - y_pred)^2)

    >>> MeanSquaredError()([[0.0, 1.0]], [[2.0, 1.0]]).item()
    2.0
    """


def squared_error(y_true: Any, y_pred: Any) -> Tensor:
    """(y_true - y_pred)^2"""
    y_true, y_pred = matched("squared_error", y_true, y_pred)
    return ops.square(y_true - y_pred)


class RootMeanSquaredError(MeanMetricWrapper, fn=squared_error, name="root_mean_squared_error", better="down"):
    """result = sqrt(mean((y_true - y_pred)^2))

    >>> RootMeanSquaredError()([0.0, 0.0], [4.0, 4.0]).item()
    4.0
    """

    def result(self) -> Tensor:
        return ops.sqrt(super().result())


class MeanAbsoluteError(MeanMetricWrapper, fn=losses.mean_absolute_error, better="down"):
    """result = mean(|y_true - y_pred|)

    >>> MeanAbsoluteError()([[0.0, 1.0]], [[3.0, 1.0]]).item()
    1.5
    """


class MeanAbsolutePercentageError(MeanMetricWrapper, fn=losses.mean_absolute_percentage_error, better="down"):
    """result = 100 mean(|y_true - y_pred| / |y_true|)

    >>> MeanAbsolutePercentageError()([[2.0, 4.0]], [[1.0, 4.0]]).item()
    25.0
    """


class MeanSquaredLogarithmicError(MeanMetricWrapper, fn=losses.mean_squared_logarithmic_error, better="down"):
    """result = mean((ln(1 + y_true) - ln(1 + y_pred))^2)

    >>> MeanSquaredLogarithmicError()([[0.0, 1.0]], [[0.0, 1.0]]).item()
    0.0
    """


class LogCoshError(MeanMetricWrapper, fn=losses.log_cosh, name="logcosh", better="down"):
    """result = mean(ln(cosh(y_pred - y_true)))

    >>> LogCoshError()([[0.0, 0.0]], [[0.0, 0.0]]).item()
    0.0
    """


def cosine(y_true: Any, y_pred: Any, axis: int = -1) -> Tensor:
    """cos(angle between y_true and y_pred) along `axis`"""
    return -losses.cosine_similarity(y_true, y_pred, axis)


class CosineSimilarity(MeanMetricWrapper, fn=cosine, name="cosine_similarity", better="up"):
    """result = mean(cos(angle between y_true and y_pred)) along `axis`; the loss of this name is its negative

    >>> CosineSimilarity()([[0.0, 1.0]], [[0.0, 5.0]]).item()
    1.0
    """


class Hinge(MeanMetricWrapper, fn=losses.hinge, better="down"):
    """result = mean(max(1 - y s, 0)); see `losses.hinge`

    >>> Hinge()([[-1.0, 1.0]], [[-2.0, 0.5]]).item()
    0.25
    """


class SquaredHinge(MeanMetricWrapper, fn=losses.squared_hinge, better="down"):
    """result = mean(max(1 - y s, 0)^2); see `losses.squared_hinge`

    >>> SquaredHinge()([[-1.0, 1.0]], [[-2.0, 0.0]]).item()
    0.5
    """


class CategoricalHinge(MeanMetricWrapper, fn=losses.categorical_hinge, better="down"):
    """result = mean(max(1 + (largest score of another class) - (score of the label), 0))

    >>> CategoricalHinge()([[0.0, 1.0]], [[0.5, 0.75]]).item()
    0.75
    """


class KLDivergence(MeanMetricWrapper, fn=losses.kl_divergence, better="down"):
    """result = mean(sum of y ln(y / p)); see `losses.kl_divergence`

    >>> KLDivergence()([[0.5, 0.5]], [[0.5, 0.5]]).item()
    0.0
    """


class Poisson(MeanMetricWrapper, fn=losses.poisson, better="down"):
    """result = mean(p - y ln p); see `losses.poisson`

    >>> Poisson()([[0.0, 0.0]], [[1.0, 3.0]]).item()
    2.0
    """


class BinaryCrossentropy(
    MeanMetricWrapper, fn=losses.binary_crossentropy, better="down", takes="name dtype from_logits label_smoothing"
):
    """result = mean(-y ln p - (1 - y) ln(1 - p)); see `losses.binary_crossentropy`

    >>> round(BinaryCrossentropy()([[0.0, 1.0]], [[0.5, 0.5]]).item(), 4)
    0.6931
    """


class CategoricalCrossentropy(MeanMetricWrapper, fn=losses.categorical_crossentropy, better="down"):
    """result = mean(-sum of y_c ln p_c), labels one-hot; see `losses.categorical_crossentropy`

    >>> round(CategoricalCrossentropy()([[0.0, 1.0]], [[0.5, 0.5]]).item(), 4)
    0.6931
    """


class SparseCategoricalCrossentropy(MeanMetricWrapper, fn=losses.sparse_categorical_crossentropy, better="down"):
    """result = mean(-ln p_y), labels class numbers; see `losses.sparse_categorical_crossentropy`

    >>> round(SparseCategoricalCrossentropy()([1], [[0.5, 0.5]]).item(), 4)
    0.6931
    """


def crossentropy_for(y_true_shape: Shape, y_pred_shape: Shape) -> Metric:
    """The cross-entropy that "crossentropy" means for labels of `y_true_shape` and predictions of `y_pred_shape`.

    >>> crossentropy_for((32, 1), (32, 1))
    <BinaryCrossentropy crossentropy>
    """
    kinds = BinaryCrossentropy, CategoricalCrossentropy, SparseCategoricalCrossentropy
    return by_labels(y_true_shape, y_pred_shape, *kinds)(name="crossentropy")
