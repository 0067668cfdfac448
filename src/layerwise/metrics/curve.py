"""Metrics of two classes along all thresholds: areas under curves, and one quantity where another reaches a bound."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import config, ops
from ..autograd import Tensor, as_tensor
from ..losses.matching import mask_of
from ..naming import expect, one_of, whole_number
from ..signatures import renamed
from ..variables import Variable, computing
from .base import Metric, ratio
from .confusion import Counts, counts, even_thresholds, listed, prepared


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

    def check(self, y_true: Any, y_pred: Any = None, sample_weight: Any = None) -> None:
        """Weights are not negative: the area under a curve of negative counts means nothing."""
        weights = None if sample_weight is None else np.asarray(sample_weight)
        if weights is not None and (wrong := np.argwhere(weights < 0)).size:
            raise ValueError(
                f"{self.name}: sample_weight: got {weights[tuple(wrong[0])]} at position {wrong[0].tolist()}, expected "
                "weights >= 0; give examples that are not to count the weight 0"
            )

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
    curve "PRGAIN": x = 1 - p/n FN/TP, y = 1 - p/n FP/TP, where p labels are 1 and n are 0 (Flach and Kull,
    Precision-recall-gain curves, 2015).

    Args:
        num_thresholds: how many, evenly from 0 to 1; None where `thresholds` are given.
        curve: "ROC", "PR" or "PRGAIN".
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
        num_thresholds: int | None = 200,
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
        fits = thresholds is not None or (lambda number: 2 <= number <= 1_000_000)
        expect("AUC: num_thresholds", num_thresholds, fits, "2 to 1,000,000")
        if num_labels and not multi_label:
            raise ValueError("AUC: num_labels: only with multi_label=True")
        margin = config.epsilon()
        self._given = None if thresholds is None else sorted(listed("AUC", thresholds, 0.5))
        if self._given is None:
            self.thresholds = even_thresholds(num_thresholds or 0, margin)
        else:
            self.thresholds = [-margin, *self._given, 1.0 + margin]
        self.num_thresholds = len(self.thresholds)
        self.curve = one_of("AUC: curve", curve, "ROC", "PR", "PRGAIN")
        known = ("interpolation", "minoring", "majoring")
        self.summation_method = one_of("AUC: summation_method", summation_method, *known)
        self.multi_label, self.num_labels, self.from_logits = multi_label, num_labels, from_logits
        self.label_weights = None if label_weights is None else list(label_weights)
        if not multi_label:
            self._build((self.num_thresholds,))
        elif num_labels:
            self._build((self.num_thresholds, num_labels))

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        if not computing():
            self.check(y_true, y_pred, sample_weight)
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
            x, y = self._points()
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

    def _points(self) -> tuple[Tensor, Tensor]:
        """x and y of the curve, for each threshold."""
        if self.curve == "ROC":
            return 1.0 - self._specificity(), self._recall()
        if self.curve == "PR":
            return self._recall(), self._precision()
        hits = self.true_positives.value
        share = ratio(hits + self.false_negatives, self.true_negatives + self.false_positives)
        x = ops.where(hits == 0.0, 0.0, 1.0 - share * ratio(self.false_negatives, hits))
        y = ops.where(hits == 0.0, 1.0, 1.0 - share * ratio(self.false_positives, hits))
        return ops.maximum(x, 0.0), y

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
        written = found.pop("thresholds", None) is not None and self._given is not None
        return {**found, "thresholds": self._given} if written else found


class _Constrained(_Curve, better="up"):
    """The largest of one quantity at thresholds where another reaches a bound."""

    bound: str

    def __init_subclass__(cls, bound: str | None = None, **kwargs: Any) -> None:
        """A subclass says what the bound is called, as an argument and as an attribute."""
        super().__init_subclass__(**kwargs)
        if bound is not None:
            cls.bound = bound
            cls.__init__ = renamed(cls.__init__, "value", bound)  # type: ignore[method-assign]

    def __init__(
        self,
        value: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(dtype, name)
        kind = type(self).__name__
        expect(f"{kind}: {self.bound}", value, lambda value: 0 <= value <= 1, "a number from 0 to 1")
        whole_number(f"{kind}: num_thresholds", num_thresholds)
        setattr(self, self.bound, value)
        self.num_thresholds, self.class_id = num_thresholds, class_id
        self.thresholds = [0.5] if num_thresholds == 1 else even_thresholds(num_thresholds, 0.0)
        self._build((num_thresholds,))

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        if not computing():
            self.check(y_true, y_pred, sample_weight)
        batch = prepared(self, y_true, y_pred, sample_weight, class_id=self.class_id)
        self._add(counts(batch, self.thresholds, evenly=self.num_thresholds > 1))

    def _best(self, wanted: Tensor, bounded: Tensor) -> Tensor:
        return ops.max(ops.where(bounded >= getattr(self, self.bound), wanted, 0.0))


class SensitivityAtSpecificity(_Constrained, bound="specificity"):
    """result = the largest sensitivity TP / (TP + FN) at thresholds with TN / (TN + FP) >= `specificity`

    num_thresholds, evenly from 0 to 1, are tried. class_id, name, dtype: as of `Precision`.

    >>> SensitivityAtSpecificity(0.5)([0, 0, 1, 1], [0.1, 0.6, 0.4, 0.9]).item()
    1.0
    """

    def result(self) -> Tensor:
        return self._best(self._recall(), self._specificity())


class SpecificityAtSensitivity(_Constrained, bound="sensitivity"):
    """result = the largest specificity TN / (TN + FP) at thresholds with TP / (TP + FN) >= `sensitivity`

    num_thresholds, evenly from 0 to 1, are tried. class_id, name, dtype: as of `Precision`.

    >>> SpecificityAtSensitivity(1.0)([0, 0, 1, 1], [0.1, 0.6, 0.4, 0.9]).item()
    0.5
    """

    def result(self) -> Tensor:
        return self._best(self._specificity(), self._recall())


class PrecisionAtRecall(_Constrained, bound="recall"):
    """result = the largest precision TP / (TP + FP) at thresholds with TP / (TP + FN) >= `recall`

    num_thresholds, evenly from 0 to 1, are tried. class_id, name, dtype: as of `Precision`.

    >>> PrecisionAtRecall(0.5)([0, 0, 1, 1], [0.1, 0.6, 0.4, 0.9]).item()
    1.0
    """

    def result(self) -> Tensor:
        return self._best(self._precision(), self._recall())


class RecallAtPrecision(_Constrained, bound="precision"):
    """result = the largest recall TP / (TP + FN) at thresholds with TP / (TP + FP) >= `precision`

    num_thresholds, evenly from 0 to 1, are tried. class_id, name, dtype: as of `Precision`.

    >>> RecallAtPrecision(0.8)([0, 0, 1, 1], [0.1, 0.6, 0.4, 0.9]).item()
    0.5
    """

    def result(self) -> Tensor:
        return self._best(self._recall(), self._precision())
