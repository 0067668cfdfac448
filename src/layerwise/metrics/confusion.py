"""Metrics of two classes by counts of right and wrong decisions "prediction > threshold": precision, recall, areas.

With weights w, labels y and decisions d: true positives = sum of w y d, false positives = sum of w (1 - y) d,
false negatives = sum of w y (1 - d), true negatives = sum of w (1 - y) (1 - d), for each threshold.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from .. import config, ops
from ..autograd import Tensor, as_tensor
from ..losses.matching import align_weights, mask_of, masked_weight, matched
from ..variables import Variable
from .base import Metric, ratio

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
        y_true, y_pred = y_true[..., class_id], y_pred[..., class_id]
    weight = None if sample_weight is None else as_tensor(sample_weight, metric.dtype)
    if mask is not None:
        weight = masked_weight(metric.name, as_tensor(mask, metric.dtype), weight)
    every = ops.ones_like(y_pred)
    return Batch(y_true, y_pred, every if weight is None else every * align_weights(metric.name, y_pred, weight))


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
    return [0.0 - margin, *((i + 1) / (n - 1) for i in range(n - 2)), 1.0 + margin]


def _listed(name: str, thresholds: Thresholds, default: float) -> list[float]:
    given = [default] if thresholds is None else thresholds
    found = [float(t) for t in given] if isinstance(given, Sequence) else [float(given)]
    if thresholds is not None and not all(0 <= t <= 1 for t in found):
        raise ValueError(f"{name}: thresholds: got {thresholds}, expected numbers from 0 to 1")
    return found


class _Thresholded(Metric):
    """Counts added up in variables of the same names."""

    fields: tuple[str, ...] = ()
    true_positives: Variable
    false_positives: Variable
    false_negatives: Variable

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
        self._thresholds = _listed(type(self).__name__, thresholds, 0.5 if top_k is None else BELOW_ALL)
        for field in self.fields:
            setattr(self, field, self.add_variable((len(self._thresholds),), name=field))

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        batch = prepared(self, y_true, y_pred, sample_weight, self.top_k, self.class_id)
        found = counts(batch, self._thresholds)
        for field in self.fields:
            getattr(self, field).assign_add(getattr(found, field))

    def _one_or_all(self, values: Any) -> Tensor:
        return values[0] if len(self._thresholds) == 1 else as_tensor(values)


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

    def result(self) -> Tensor:
        return self._one_or_all(ratio(self.true_positives, self.true_positives + self.false_positives))


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

    def result(self) -> Tensor:
        return self._one_or_all(ratio(self.true_positives, self.true_positives + self.false_negatives))


class _Count(_Thresholded):
    def __init__(self, thresholds: Thresholds = None, name: str | None = None, dtype: Any = None) -> None:
        super().__init__(thresholds, name=name, dtype=dtype)

    def result(self) -> Tensor:
        return self._one_or_all(getattr(self, self.fields[0]).value)


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


class _Curve(Metric):
    """All four counts for many thresholds."""

    thresholds: list[float]
    true_positives: Variable
    false_positives: Variable
    true_negatives: Variable
    false_negatives: Variable

    def _build(self, shape: tuple[int, ...]) -> None:
        for field in Counts._fields:
            setattr(self, field, self.add_variable(shape, name=field))

    def _add(self, found: Counts) -> None:
        for field in Counts._fields:
            getattr(self, field).assign_add(getattr(found, field))

    def _recall(self) -> Tensor:
        return ratio(self.true_positives, self.true_positives + self.false_negatives)

    def _precision(self) -> Tensor:
        return ratio(self.true_positives, self.true_positives + self.false_positives)

    def _specificity(self) -> Tensor:
        return ratio(self.true_negatives, self.true_negatives + self.false_positives)


class AUC(_Curve, better="up"):
    """result = area under the curve through one point for each threshold, x from 0 to 1

    curve "ROC": x = false positives / all labels 0, y = true positives / all labels 1 (recall).
    curve "PR": x = recall, y = precision.

    Args:
        num_thresholds: how many, evenly from 0 to 1.
        curve: "ROC" or "PR".
        summation_method: "interpolation" between points (in PR space by Davis and Goadrich, The relationship between
            precision-recall and ROC curves, 2006), "minoring" or "majoring": the lower or the higher of two points.
        name: shown in logs.
        dtype: of state and result.
        thresholds: given ones between 0 and 1, instead of evenly spaced ones.
        multi_label: the mean of one area for each entry of the last dimension, instead of one area for all.
        num_labels: the size of the last dimension, where `multi_label` and it is known beforehand.
        label_weights: weights of that mean; without `multi_label`, weights of the labels' samples.
        from_logits: predictions are logits; their sigmoid is looked at.

    >>> AUC()([0, 0, 1, 1], [0.1, 0.6, 0.4, 0.9]).item()
    0.75
    """

    def __init__(
        self,
        num_thresholds: int = 200,
        curve: str = "ROC",
        summation_method: str = "interpolation",
        name: str | None = None,
        dtype: Any = None,
        thresholds: Sequence[float] | None = None,
        multi_label: bool = False,
        num_labels: int | None = None,
        label_weights: Sequence[float] | None = None,
        from_logits: bool = False,
    ) -> None:
        super().__init__(dtype, name)
        if curve not in ("ROC", "PR"):
            raise ValueError(f"AUC: curve: got {curve!r}, expected 'ROC' or 'PR'")
        if summation_method not in ("interpolation", "minoring", "majoring"):
            raise ValueError(
                f"AUC: summation_method: got {summation_method!r}, expected 'interpolation', 'minoring' or 'majoring'"
            )
        if not 2 <= num_thresholds <= 1_000_000:
            raise ValueError(f"AUC: num_thresholds: got {num_thresholds}, expected 2 to 1,000,000")
        if num_labels and not multi_label:
            raise ValueError("AUC: num_labels: only with multi_label=True")
        margin = config.epsilon()
        self._given = None if thresholds is None else sorted(_listed("AUC", thresholds, 0.5))
        self.thresholds = (
            even_thresholds(num_thresholds, margin) if self._given is None else [-margin, *self._given, 1.0 + margin]
        )
        self.num_thresholds = len(self.thresholds)
        self.curve, self.summation_method = curve, summation_method
        self.multi_label, self.num_labels, self.from_logits = multi_label, num_labels, from_logits
        self.label_weights = None if label_weights is None else list(label_weights)
        if not multi_label:
            self._build((self.num_thresholds,))
        elif num_labels:
            self._build((self.num_thresholds, num_labels))

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        if self.from_logits:
            y_pred = ops.sigmoid(y_pred).note("mask", mask_of(y_pred))
        batch = prepared(self, y_true, y_pred, sample_weight)
        if self.multi_label and not self._variables:
            self._build((self.num_thresholds, batch.y_pred.shape[-1]))
        if self.label_weights is not None and not self.multi_label:
            batch = batch._replace(weight=batch.weight * as_tensor(self.label_weights, self.dtype))
        self._add(counts(batch, self.thresholds, self._given is None, self.multi_label))

    def result(self) -> Tensor:
        if not self._variables:
            return ops.zeros((), self.dtype)
        if self.curve == "PR" and self.summation_method == "interpolation":
            area = self._interpolated_precision()
        else:
            recall = self._recall()
            x, y = (1.0 - self._specificity(), recall) if self.curve == "ROC" else (recall, self._precision())
            match self.summation_method:
                case "interpolation":
                    heights = (y[:-1] + y[1:]) / 2.0
                case "minoring":
                    heights = ops.minimum(y[:-1], y[1:])
                case _:
                    heights = ops.maximum(y[:-1], y[1:])
            area = ops.sum((x[:-1] - x[1:]) * heights, axis=0)
        if not self.multi_label:
            return area
        if self.label_weights is None:
            return ops.mean(area)
        weights = as_tensor(self.label_weights, self.dtype)
        return ratio(ops.sum(area * weights), ops.sum(weights))

    def _interpolated_precision(self) -> Tensor:
        """Between two points true positives grow linearly with all positives p: TP = intercept + slope p."""
        hits, p = self.true_positives.value, self.true_positives + self.false_positives
        slope = ratio(hits[:-1] - hits[1:], p[:-1] - p[1:])
        intercept = hits[1:] - slope * p[1:]
        both = ops.logical_and(p[:-1] > 0, p[1:] > 0)
        growth = ops.where(both, ratio(p[:-1], p[1:]), 1.0)
        labels = (self.true_positives + self.false_negatives)[1:]
        return ops.sum(ratio(slope * (hits[:-1] - hits[1:] + intercept * ops.log(growth)), labels), axis=0)

    def get_config(self) -> dict[str, Any]:
        found = super().get_config()
        del found["thresholds"]
        return found if self._given is None else {**found, "thresholds": self._given}


class _Constrained(_Curve, better="up"):
    """The largest of one quantity at thresholds where another reaches a bound."""

    bound: str  # names the attribute that holds it

    def __init__(self, value: float, num_thresholds: int, class_id: int | None, name: str | None, dtype: Any) -> None:
        super().__init__(dtype, name)
        if not 0 <= value <= 1:
            raise ValueError(f"{type(self).__name__}: {self.bound}: got {value}, expected a number from 0 to 1")
        if num_thresholds < 1:
            raise ValueError(f"{type(self).__name__}: num_thresholds: got {num_thresholds}, expected 1 or more")
        setattr(self, self.bound, value)
        self.num_thresholds, self.class_id = num_thresholds, class_id
        self.thresholds = [0.5] if num_thresholds == 1 else even_thresholds(num_thresholds, 0.0)
        self._build((num_thresholds,))

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        batch = prepared(self, y_true, y_pred, sample_weight, class_id=self.class_id)
        self._add(counts(batch, self.thresholds, evenly=self.num_thresholds > 1))

    def _best(self, wanted: Tensor, bounded: Tensor) -> Tensor:
        return ops.max(ops.where(bounded >= getattr(self, self.bound), wanted, 0.0))


class SensitivityAtSpecificity(_Constrained):
    """result = the largest sensitivity TP / (TP + FN) at thresholds with TN / (TN + FP) >= `specificity`

    num_thresholds, evenly from 0 to 1, are tried. class_id, name, dtype: as of `Precision`.

    >>> SensitivityAtSpecificity(0.5)([0, 0, 1, 1], [0.1, 0.6, 0.4, 0.9]).item()
    1.0
    """

    bound = "specificity"

    def __init__(
        self,
        specificity: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(specificity, num_thresholds, class_id, name, dtype)

    def result(self) -> Tensor:
        return self._best(self._recall(), self._specificity())


class SpecificityAtSensitivity(_Constrained):
    """result = the largest specificity TN / (TN + FP) at thresholds with TP / (TP + FN) >= `sensitivity`

    num_thresholds, evenly from 0 to 1, are tried. class_id, name, dtype: as of `Precision`.

    >>> SpecificityAtSensitivity(1.0)([0, 0, 1, 1], [0.1, 0.6, 0.4, 0.9]).item()
    0.5
    """

    bound = "sensitivity"

    def __init__(
        self,
        sensitivity: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(sensitivity, num_thresholds, class_id, name, dtype)

    def result(self) -> Tensor:
        return self._best(self._specificity(), self._recall())


class PrecisionAtRecall(_Constrained):
    """result = the largest precision TP / (TP + FP) at thresholds with TP / (TP + FN) >= `recall`

    num_thresholds, evenly from 0 to 1, are tried. class_id, name, dtype: as of `Precision`.

    >>> PrecisionAtRecall(0.5)([0, 0, 1, 1], [0.1, 0.6, 0.4, 0.9]).item()
    1.0
    """

    bound = "recall"

    def __init__(
        self,
        recall: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(recall, num_thresholds, class_id, name, dtype)

    def result(self) -> Tensor:
        return self._best(self._precision(), self._recall())


class RecallAtPrecision(_Constrained):
    """result = the largest recall TP / (TP + FN) at thresholds with TP / (TP + FP) >= `precision`

    num_thresholds, evenly from 0 to 1, are tried. class_id, name, dtype: as of `Precision`.

    >>> RecallAtPrecision(0.8)([0, 0, 1, 1], [0.1, 0.6, 0.4, 0.9]).item()
    0.5
    """

    bound = "precision"

    def __init__(
        self,
        precision: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(precision, num_thresholds, class_id, name, dtype)

    def result(self) -> Tensor:
        return self._best(self._recall(), self._precision())
