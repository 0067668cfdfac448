"""Intersection over union: how well predicted regions of classes cover the true ones."""

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import ops
from ..autograd import Tensor, as_tensor, check_count
from ..dtypes import is_float
from ..losses.matching import check_labels, mismatch, same_rank
from ..naming import whole_number
from ..variables import computing
from .base import Metric, ratio, spread_weight


class IoU(Metric, better="up"):
    """result = mean over classes of TP / (TP + FP + FN), classes that appear in neither labels nor predictions left out

    Args:
        num_classes: how many classes there are.
        target_class_ids: the classes to take the mean over.
        name: shown in logs.
        dtype: of the counts: whole numbers unless a floating-point dtype is given, which fractional weights need.
        ignore_class: samples with this label do not count.
        sparse_y_true: labels are class numbers, otherwise one-hot along `axis`.
        sparse_y_pred: predictions are class numbers, otherwise probabilities along `axis`.
        axis: of the classes, where there is one.

    >>> IoU(num_classes=2, target_class_ids=[0])([0, 0, 1, 1], [0, 1, 0, 1])
    Tensor(0.33333334, shape=(), dtype=float32)
    """

    def __init__(
        self,
        num_classes: int,
        target_class_ids: Sequence[int],
        name: str | None = None,
        dtype: Any = None,
        ignore_class: int | None = None,
        sparse_y_true: bool = True,
        sparse_y_pred: bool = True,
        axis: int = -1,
    ) -> None:
        super().__init__(dtype or "int32", name)
        whole_number(f"{type(self).__name__}: num_classes", num_classes)
        self.num_classes, self.target_class_ids = num_classes, list(target_class_ids)
        if any(not 0 <= i < num_classes for i in self.target_class_ids):
            raise ValueError(
                f"{type(self).__name__}: target_class_ids: got {self.target_class_ids}, expected class numbers "
                f"0 ... {num_classes - 1}"
            )
        self.ignore_class, self.axis = ignore_class, axis
        self.sparse_y_true, self.sparse_y_pred = sparse_y_true, sparse_y_pred
        self.total_cm = self.add_variable((num_classes, num_classes), name="total_confusion_matrix")

    def check(self, y_true: Any, y_pred: Any = None, sample_weight: Any = None) -> None:
        """Class numbers are 0 ... num_classes - 1, or `ignore_class` among the labels; weights as the dtype."""
        remedy = f"give {type(self).__name__} a larger num_classes, or leave a label out with ignore_class"
        if self.sparse_y_true and y_true is not None:
            check_labels(y_true, self.num_classes, self.ignore_class, f"{self.name}: labels", remedy)
        if self.sparse_y_pred and y_pred is not None:
            check_labels(y_pred, self.num_classes, None, f"{self.name}: predictions", remedy)
        weights = np.asarray(0 if sample_weight is None else sample_weight)
        if not is_float(self.dtype) and (weights != np.floor(weights)).any():
            warnings.warn(
                f"{self.name}: sample_weight: float weights become {self.dtype} by casting, which cuts their fractions "
                f"off; give {type(self).__name__} dtype='float32'",
                stacklevel=2,
            )

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        if not computing():
            self.check(y_true, y_pred, sample_weight)
        y_true = _class_numbers(y_true, self.sparse_y_true, self.axis)
        y_pred = _class_numbers(y_pred, self.sparse_y_pred, self.axis)
        y_true, y_pred = same_rank(y_true, y_pred)
        if y_true.shape != y_pred.shape:
            raise ValueError(mismatch(self.name, y_true.shape, y_pred.shape))
        weight = spread_weight(self, y_true, sample_weight)
        if self.ignore_class is not None:
            ignored = y_true == self.ignore_class
            weight, y_true = ops.where(ignored, 0, weight), ops.where(ignored, 0, y_true)
        n = self.num_classes
        is_class = (y_true >= 0) & (y_true < n) & (y_pred >= 0) & (y_pred < n)  # others cannot be refused within a step
        cells = ops.where(is_class, y_true * n + y_pred, n * n)
        found = ops.scatter_add(ops.reshape(cells, (-1,)), ops.reshape(weight, (-1,)), shape=(n * n + 1,))
        self.total_cm.assign_add(ops.reshape(found[:-1], (n, n)))

    def result(self) -> Tensor:
        matrix = as_tensor(self.total_cm, "float32")
        hits = ops.sum(matrix * ops.eye(self.num_classes), axis=0)
        union = ops.sum(matrix, axis=0) + ops.sum(matrix, axis=1) - hits
        hits, union = (ops.take(part, self.target_class_ids, axis=0) for part in (hits, union))
        return ratio(ops.sum(ratio(hits, union)), ops.sum(as_tensor(union > 0, "float32")))


def _class_numbers(y: Any, sparse: bool, axis: int) -> Tensor:
    return as_tensor(y, "int32") if sparse else ops.argmax(as_tensor(y), axis=axis)


class MeanIoU(IoU):
    """result = mean over all classes of TP / (TP + FP + FN)

    num_classes, name, dtype, ignore_class, sparse_y_true, sparse_y_pred, axis: as of `IoU`.

    >>> MeanIoU(num_classes=2)([0, 0, 1, 1], [0, 1, 0, 1])
    Tensor(0.33333334, shape=(), dtype=float32)
    """

    def __init__(
        self,
        num_classes: int,
        name: str | None = None,
        dtype: Any = None,
        ignore_class: int | None = None,
        sparse_y_true: bool = True,
        sparse_y_pred: bool = True,
        axis: int = -1,
    ) -> None:
        check_count("classes", whole_number(f"{type(self).__name__}: num_classes", num_classes), 40)
        super().__init__(num_classes, range(num_classes), name, dtype, ignore_class, sparse_y_true, sparse_y_pred, axis)


class OneHotIoU(IoU):
    """`IoU` of one-hot labels

    num_classes, target_class_ids, name, dtype, ignore_class, sparse_y_pred, axis: as of `IoU`.

    >>> OneHotIoU(num_classes=2, target_class_ids=[0])([[1, 0], [0, 1]], [[0.9, 0.1], [0.8, 0.2]]).item()
    0.5
    """

    def __init__(
        self,
        num_classes: int,
        target_class_ids: Sequence[int],
        name: str | None = None,
        dtype: Any = None,
        ignore_class: int | None = None,
        sparse_y_pred: bool = False,
        axis: int = -1,
    ) -> None:
        super().__init__(num_classes, target_class_ids, name, dtype, ignore_class, False, sparse_y_pred, axis)


class OneHotMeanIoU(MeanIoU):
    """`MeanIoU` of one-hot labels

    num_classes, name, dtype, ignore_class, sparse_y_pred, axis: as of `IoU`.

    >>> OneHotMeanIoU(num_classes=2)([[1, 0], [0, 1]], [[0.9, 0.1], [0.2, 0.8]]).item()
    1.0
    """

    def __init__(
        self,
        num_classes: int,
        name: str | None = None,
        dtype: Any = None,
        ignore_class: int | None = None,
        sparse_y_pred: bool = False,
        axis: int = -1,
    ) -> None:
        super().__init__(num_classes, name, dtype, ignore_class, False, sparse_y_pred, axis)


class BinaryIoU(IoU):
    """`IoU` of class 1, "prediction >= threshold", and class 0

    target_class_ids, name, dtype: as of `IoU`.

    >>> BinaryIoU(target_class_ids=[1])([0, 1, 1], [0.1, 0.2, 0.7]).item()
    0.5
    """

    def __init__(
        self,
        target_class_ids: Sequence[int] = (0, 1),
        threshold: float = 0.5,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(2, target_class_ids, name, dtype)
        self.threshold = threshold

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        super().update_state(y_true, as_tensor(y_pred) >= self.threshold, sample_weight)
