"""Metrics of two classes by counts of right and wrong decisions "prediction > threshold": precision, recall, counts.

With weights w, labels y and decisions d: true positives = sum of w y d, false positives = sum of w (1 - y) d,
false negatives = sum of w y (1 - d), true negatives = sum of w (1 - y) (1 - d), for each threshold.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from .. import ops
from ..autograd import Tensor, as_tensor, check_count
from ..losses.matching import mask_of, matched
from ..naming import expect
from .base import Metric, ratio, spread_weight

Thresholds = float | Sequence[float] | None
BELOW_ALL = -1e10  # what predictions outside the top k count as


class Batch(NamedTuple):
    """Labels (1 or 0), predictions and weights in one shape."""

    y_true: Tensor
    y_pred: Tensor
    weight: Tensor


def prepared(
    metric: Metric, y_true: Any, y_pred: Any, sample_weight: Any, top_k: int | None = None, class_id: int | None = None
) -> Batch:
    """Labels, predictions and weights in one shape: with the `top_k` predictions only, of class `class_id` only."""
    mask = mask_of(y_pred)
    y_true, y_pred = matched(metric.name, y_true, as_tensor(as_tensor(y_pred), metric.dtype))
    y_true = as_tensor(y_true != 0, metric.dtype)
    if top_k is not None:
        _, places = ops.top_k(y_pred, top_k)
        among = ops.any(ops.one_hot(places, y_pred.shape[-1], dtype="bool"), axis=-2)
        y_pred = ops.where(among, y_pred, BELOW_ALL)
    if class_id is not None:
        if y_pred.ndim < 2 or class_id >= y_pred.shape[-1]:
            raise ValueError(
                f"{metric.name}: class_id: got {class_id} for predictions of shape {y_pred.shape}, expected them to be "
                "(..., classes) with this class among them"
            )
        y_true, y_pred = y_true[..., class_id], y_pred[..., class_id]
    return Batch(y_true, y_pred, spread_weight(metric, y_pred, sample_weight, mask))


class Counts(NamedTuple):
    """Of a batch, for each threshold (and each label): weights of samples that were decided right and wrong."""

    true_positives: Tensor
    false_positives: Tensor
    true_negatives: Tensor
    false_negatives: Tensor


def counts(batch: Batch, thresholds: Sequence[float], evenly: bool = False, multi_label: bool = False) -> Counts:
    """Counts of shape (thresholds,), or (thresholds, labels) where labels stay apart.

    With `evenly` the thresholds divide [0, 1] into equal parts, and one pass over the predictions serves all.
    """
    labels = batch.y_pred.shape[-1] if multi_label else 1
    y_true, y_pred, weight = (ops.reshape(part, (-1, labels)) for part in batch)
    positive, negative = y_true * weight, (1.0 - y_true) * weight
    if evenly:
        true_positives, false_positives = (_above_evenly(y_pred, w, thresholds) for w in (positive, negative))
    else:
        above = as_tensor(y_pred > ops.reshape(as_tensor(thresholds, y_pred.dtype), (-1, 1, 1)), y_pred.dtype)
        true_positives, false_positives = (ops.sum(above * w, axis=1) for w in (positive, negative))
    found = Counts(
        true_positives,
        false_positives,
        ops.sum(negative, axis=0) - false_positives,
        ops.sum(positive, axis=0) - true_positives,
    )
    return found if multi_label else Counts(*(part[:, 0] for part in found))


def _above_evenly(y_pred: Tensor, weight: Tensor, thresholds: Sequence[float]) -> Tensor:
    """The weight of predictions above each of n thresholds 0, 1 / (n - 1), ..., 1: (samples, labels) -> (n, labels)

    Weights are collected by how many thresholds lie below the prediction, then summed from the top.
    """
    n, labels = len(thresholds), y_pred.shape[1]
    below = ops.ceil(ops.clip(y_pred, 0.0, 1.0) * (n - 1))
    if thresholds[0] < 0:
        below = ops.maximum(below, 1.0)
    cells = as_tensor(below, "int32") * labels + ops.arange(labels, dtype="int32")
    collected = ops.scatter_add(ops.reshape(cells, (-1,)), ops.reshape(weight, (-1,)), shape=(n * labels,))
    summed = ops.flip(ops.cumsum(ops.flip(ops.reshape(collected, (n, labels)), axis=0), axis=0), axis=0)
    return ops.pad(summed[1:], ((0, 1), (0, 0)))


def even_thresholds(n: int, margin: float) -> list[float]:
    """n numbers that divide [0, 1] evenly, the outermost moved out by `margin`."""
    check_count("thresholds", n, 40)
    return [0.0 - margin, *((i + 1) / (n - 1) for i in range(n - 2)), 1.0 + margin]


def listed(name: str, thresholds: Thresholds, default: float) -> list[float]:
    given = [default] if thresholds is None else thresholds
    found = given if isinstance(given, Sequence) else [given]
    if thresholds is not None:
        expect(f"{name}: thresholds", thresholds, lambda _: all(0 <= t <= 1 for t in found), "numbers from 0 to 1")
    return [float(t) for t in found]


class _Thresholded(Metric):
    """Counts added up in variables of the same names."""

    fields: tuple[str, ...] = ()

    def __init__(
        self,
        thresholds: Thresholds = None,
        top_k: int | None = None,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(dtype, name)
        self.thresholds, self.top_k, self.class_id = thresholds, top_k, class_id
        self._thresholds = listed(type(self).__name__, thresholds, 0.5 if top_k is None else BELOW_ALL)
        for field in self.fields:
            setattr(self, field, self.add_variable((len(self._thresholds),), name=field))

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        batch = prepared(self, y_true, y_pred, sample_weight, self.top_k, self.class_id)
        found = counts(batch, self._thresholds)
        for field in self.fields:
            getattr(self, field).assign_add(getattr(found, field))

    def result(self) -> Tensor:
        values = self._value(*(getattr(self, field).value for field in self.fields))
        return values[0] if len(self._thresholds) == 1 else values

    def _value(self, right: Tensor, wrong: Tensor) -> Tensor:
        """What is told for each threshold, from the counts of the fields."""
        return ratio(right, right + wrong)


class Precision(_Thresholded, better="up"):
    """result = true positives / (true positives + false positives), one for each threshold

    Args:
        thresholds: one or several, by default 0.5, or none at all with `top_k`.
        top_k: only the k largest predictions along the last dimension count as positive.
        class_id: looks at this class only, along the last dimension.
        name: shown in logs.
        dtype: of state and result.

    >>> Precision()([0, 1, 1], [0.6, 0.3, 0.9]).item()
    0.5
    """

    fields = ("true_positives", "false_positives")


class Recall(_Thresholded, better="up"):
    """result = true positives / (true positives + false negatives), one for each threshold

    Args:
        thresholds: one or several, by default 0.5, or none at all with `top_k`.
        top_k: only the k largest predictions along the last dimension count as positive.
        class_id: looks at this class only, along the last dimension.
        name: shown in logs.
        dtype: of state and result.

    >>> Recall()([0, 1, 1], [0.6, 0.3, 0.9]).item()
    0.5
    """

    fields = ("true_positives", "false_negatives")


class _Count(_Thresholded):
    def __init__(self, thresholds: Thresholds = None, name: str | None = None, dtype: Any = None) -> None:
        super().__init__(thresholds, name=name, dtype=dtype)

    def _value(self, count: Tensor) -> Tensor:  # type: ignore[override]
        return count


class TruePositives(_Count):
    """result = number of labels 1 with a prediction above the threshold (0.5 unless given)

    thresholds, name, dtype: as of `Precision`.

    >>> TruePositives()([0, 1, 1], [0.6, 0.3, 0.9]).item()
    1.0
    """

    fields = ("true_positives",)


class FalsePositives(_Count):
    """result = number of labels 0 with a prediction above the threshold (0.5 unless given)

    thresholds, name, dtype: as of `Precision`.

    >>> FalsePositives()([0, 1, 1], [0.6, 0.3, 0.9]).item()
    1.0
    """

    fields = ("false_positives",)


class TrueNegatives(_Count):
    """result = number of labels 0 with a prediction not above the threshold (0.5 unless given)

    thresholds, name, dtype: as of `Precision`.

    >>> TrueNegatives()([0, 1, 1], [0.6, 0.3, 0.9]).item()
    0.0
    """

    fields = ("true_negatives",)


class FalseNegatives(_Count):
    """result = number of labels 1 with a prediction not above the threshold (0.5 unless given)

    thresholds, name, dtype: as of `Precision`.

    >>> FalseNegatives()([0, 1, 1], [0.6, 0.3, 0.9]).item()
    1.0
    """

    fields = ("false_negatives",)
