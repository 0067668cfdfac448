"""Accuracies: how often a prediction is right."""

from typing import Any

from .. import ops
from ..autograd import Tensor, as_tensor
from ..losses.matching import class_numbers, floating, matched, same_rank
from ..naming import expect
from .base import MeanMetricWrapper, Metric, Shape, by_labels


def accuracy(y_true: Any, y_pred: Any) -> Tensor:
    """1 where y_true = y_pred, else 0

    >>> accuracy([1, 2], [1, 3])
    Tensor([1., 0.], shape=(2,), dtype=float32)
    """
    y_true, y_pred = matched("accuracy", y_true, y_pred)
    return as_tensor(y_true == y_pred, "float32")


def binary_accuracy(y_true: Any, y_pred: Any, threshold: float = 0.5) -> Tensor:
    """1 where the label y_true is that of "y_pred > threshold", else 0

    >>> binary_accuracy([1, 1], [0.6, 0.5])
    Tensor([1., 0.], shape=(2,), dtype=float32)
    """
    y_true, y_pred = matched("binary_accuracy", y_true, y_pred)
    return as_tensor(y_true == as_tensor(y_pred > threshold, y_true.dtype), "float32")


def categorical_accuracy(y_true: Any, y_pred: Any) -> Tensor:
    """1 where the largest prediction is at the largest label, else 0; the first of equals counts as the largest

    y_true holds the labels, y_pred the predictions, along the last dimension.

    >>> categorical_accuracy([[0, 1], [0, 1]], [[0.2, 0.8], [0.7, 0.3]])
    Tensor([1., 0.], shape=(2,), dtype=float32)
    """
    y_true, y_pred = matched("categorical_accuracy", y_true, y_pred)
    return as_tensor(ops.argmax(y_true, axis=-1) == ops.argmax(y_pred, axis=-1), "float32")


def sparse_categorical_accuracy(y_true: Any, y_pred: Any) -> Tensor:
    """1 where the largest prediction is that of class y_true, else 0; the first of equals counts as the largest

    y_pred holds the predictions, along the last dimension.

    >>> sparse_categorical_accuracy([1, 1], [[0.2, 0.8], [0.7, 0.3]])
    Tensor([1., 0.], shape=(2,), dtype=float32)
    """
    y_true, y_pred = same_rank(y_true, floating(y_pred))
    y_true = class_numbers("sparse_categorical_accuracy", y_true, y_pred)
    return as_tensor(y_true == as_tensor(ops.argmax(y_pred, axis=-1), y_true.dtype), "float32")


def top_k_categorical_accuracy(y_true: Any, y_pred: Any, k: int = 5) -> Tensor:
    """1 where the prediction at the largest label is among the k largest, else 0; all equals of the k-th are among them

    y_true holds the labels, y_pred the predictions, along the last dimension.

    >>> top_k_categorical_accuracy([[0, 0, 1], [0, 0, 1]], [[0.1, 0.5, 0.4], [0.5, 0.4, 0.1]], k=2)
    Tensor([1., 0.], shape=(2,), dtype=float32)
    """
    y_true, y_pred = matched("top_k_categorical_accuracy", y_true, y_pred)
    return _in_top_k(ops.argmax(y_true, axis=-1), y_pred, k)


def sparse_top_k_categorical_accuracy(y_true: Any, y_pred: Any, k: int = 5, from_sorted_ids: bool = False) -> Tensor:
    """1 where the prediction for class y_true is among the k largest, else 0; all equals of the k-th are among them

    With `from_sorted_ids` y_pred holds class numbers, the most probable first.

    >>> sparse_top_k_categorical_accuracy([2, 2], [[0.1, 0.5, 0.4], [0.5, 0.4, 0.1]], k=2)
    Tensor([1., 0.], shape=(2,), dtype=float32)
    """
    y_true, y_pred = same_rank(y_true, floating(y_pred))
    y_true = class_numbers("sparse_top_k_categorical_accuracy", y_true, y_pred)
    if from_sorted_ids:
        hits = as_tensor(ops.expand_dims(y_true, -1), y_pred.dtype) == y_pred[..., :k]
        return as_tensor(ops.any(hits, axis=-1), "float32")
    return _in_top_k(y_true, y_pred, k)


def _in_top_k(labels: Tensor, y_pred: Tensor, k: int) -> Tensor:
    chosen = ops.take_along_axis(y_pred, ops.expand_dims(as_tensor(labels, "int32"), -1), axis=-1)
    larger = ops.sum(as_tensor(ops.logical_not(y_pred <= chosen), "int32"), axis=-1)  # a NaN is larger than all
    return as_tensor(larger < k, "float32")


class Accuracy(MeanMetricWrapper, fn=accuracy, better="up"):
    """result = how often y_true = y_pred

    >>> Accuracy()([1, 2], [1, 3]).item()
    0.5
    """


def _check_threshold(owner: str, threshold: float, **others: Any) -> None:
    expect(f"{owner}: threshold", threshold, lambda value: 0 <= value <= 1, "a number from 0 to 1")


class BinaryAccuracy(MeanMetricWrapper, fn=binary_accuracy, better="up", check=_check_threshold):
    """result = how often the label, 0 or 1, is that of "y_pred > threshold"

    >>> BinaryAccuracy()([1, 1], [0.6, 0.5]).item()
    0.5
    """


class CategoricalAccuracy(MeanMetricWrapper, fn=categorical_accuracy, better="up"):
    """result = how often the largest prediction is that of the one-hot label

    >>> CategoricalAccuracy()([[0, 1], [0, 1]], [[0.2, 0.8], [0.7, 0.3]]).item()
    0.5
    """


class SparseCategoricalAccuracy(MeanMetricWrapper, fn=sparse_categorical_accuracy, better="up"):
    """result = how often the largest prediction is that of the label's class number

    >>> SparseCategoricalAccuracy()([1, 1], [[0.2, 0.8], [0.7, 0.3]]).item()
    0.5
    """


class TopKCategoricalAccuracy(MeanMetricWrapper, fn=top_k_categorical_accuracy, better="up", takes="k name dtype"):
    """result = how often the prediction for the one-hot label is among the k largest

    >>> TopKCategoricalAccuracy(k=2)([[0, 0, 1], [0, 0, 1]], [[0.1, 0.5, 0.4], [0.5, 0.4, 0.1]]).item()
    0.5
    """


class SparseTopKCategoricalAccuracy(
    MeanMetricWrapper, fn=sparse_top_k_categorical_accuracy, better="up", takes="k name dtype from_sorted_ids"
):
    """result = how often the prediction for the label's class number is among the k largest

    >>> SparseTopKCategoricalAccuracy(k=2)([2, 2], [[0.1, 0.5, 0.4], [0.5, 0.4, 0.1]]).item()
    0.5
    """


# -------------------------------------------------------------------------------------- "accuracy", by shapes


def accuracy_for(y_true_shape: Shape, y_pred_shape: Shape) -> Metric:
    """The accuracy that "accuracy" means for labels of `y_true_shape` and predictions of `y_pred_shape`.

    >>> accuracy_for((32,), (32, 10))
    <SparseCategoricalAccuracy accuracy>
    """
    kinds = BinaryAccuracy, CategoricalAccuracy, SparseCategoricalAccuracy
    return by_labels(y_true_shape, y_pred_shape, *kinds)(name="accuracy")
