"""Scores over whole data sets: F-scores by class, the coefficient of determination."""

from typing import Any

from .. import ops
from ..autograd import Tensor, as_tensor
from ..losses.matching import matched
from ..naming import expect, one_of, whole_number
from .base import Metric, ratio, spread_weight
from .confusion import prepared


class FBetaScore(Metric, better="up"):
    """result = (1 + beta^2) precision recall / (beta^2 precision + recall), one for each class, or averaged

    y_true (n, classes) of 0 and 1, y_pred (n, classes).

    Args:
        average: None (one for each class), "micro" (from counts of all classes), "macro" (the mean),
            "weighted" (the mean with each class weighing as much as it has samples).
        beta: how much more recall counts than precision.
        threshold: predictions above it count as positive; by default a sample's largest does.
        name: shown in logs.
        dtype: of state and result.

    >>> FBetaScore("micro", beta=2.0)([[0, 1], [1, 0]], [[0.2, 0.8], [0.4, 0.6]]).item()
    0.5
    """

    def __init__(
        self,
        average: str | None = None,
        beta: float = 1.0,
        threshold: float | None = None,
        name: str | None = "fbeta_score",
        dtype: Any = None,
    ) -> None:
        super().__init__(dtype, name)
        kind = type(self).__name__
        one_of(f"{kind}: average", average, None, "micro", "macro", "weighted")
        expect(f"{kind}: beta", beta, lambda beta: beta > 0, "a number > 0")
        if threshold is not None:
            expect(f"{kind}: threshold", threshold, lambda value: 0 < value <= 1, "a number in (0, 1]")
        self.average, self.beta, self.threshold = average, beta, threshold

    def _build(self, classes: int) -> None:
        shape = () if self.average == "micro" else (classes,)
        self.true_positives = self.add_variable(shape, name="true_positives")
        self.false_positives = self.add_variable(shape, name="false_positives")
        self.false_negatives = self.add_variable(shape, name="false_negatives")

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        y_true, y_pred, weight = prepared(self, y_true, y_pred, sample_weight)
        if y_pred.ndim != 2:
            raise ValueError(f"{self.name}: y_pred: got shape {y_pred.shape}, expected (samples, classes)")
        if not self._variables:
            self._build(y_pred.shape[-1])
        if self.threshold is None:
            chosen = ops.logical_and(y_pred >= ops.max(y_pred, axis=-1, keepdims=True), ops.abs(y_pred) > 1e-9)
        else:
            chosen = y_pred > self.threshold
        chosen = as_tensor(chosen, self.dtype)
        over = None if self.average == "micro" else 0
        self.true_positives.assign_add(ops.sum(weight * y_true * chosen, axis=over))
        self.false_positives.assign_add(ops.sum(weight * (1.0 - y_true) * chosen, axis=over))
        self.false_negatives.assign_add(ops.sum(weight * y_true * (1.0 - chosen), axis=over))

    def result(self) -> Tensor:
        if not self._variables:
            return ops.zeros((), self.dtype)
        hits, labels = self.true_positives.value, self.true_positives + self.false_negatives
        weight = self.beta**2
        score = ratio((1.0 + weight) * hits, weight * labels + hits + self.false_positives)
        match self.average:
            case "macro":
                return ops.mean(score)
            case "weighted":
                return ops.sum(score * ratio(labels, ops.sum(labels)))
        return score


class F1Score(FBetaScore):
    """result = 2 precision recall / (precision + recall), one for each class, or averaged

    average, threshold, name, dtype: as of `FBetaScore`.

    >>> F1Score("micro")([[0, 1], [1, 0]], [[0.2, 0.8], [0.4, 0.6]]).item()
    0.5
    """

    def __init__(
        self,
        average: str | None = None,
        threshold: float | None = None,
        name: str | None = "f1_score",
        dtype: Any = None,
    ) -> None:
        super().__init__(average, 1.0, threshold, name, dtype)


class R2Score(Metric, better="up"):
    """result = 1 - sum of (y - p)^2 / sum of (y - mean of y)^2, the part of the labels' variance that is explained

    y_true and y_pred (n,) or (n, outputs). Batches are joined by T. F. Chan et al., Updating formulae and a pairwise
    algorithm for computing sample variances, 1979, so that labels far from 0 lose no digits.

    Args:
        class_aggregation: "uniform_average" (the mean over outputs), "variance_weighted_average" or None (each output).
        num_regressors: p > 0 gives the adjusted score 1 - (1 - R^2) (n - 1) / (n - p - 1), n the numbers in y_true.
        name: shown in logs.
        dtype: of state and result.

    >>> R2Score()([[1.0], [2.0], [3.0]], [[1.0], [2.0], [2.0]]).item()
    0.5
    """

    def __init__(
        self,
        class_aggregation: str | None = "uniform_average",
        num_regressors: int = 0,
        name: str | None = "r2_score",
        dtype: Any = None,
    ) -> None:
        super().__init__(dtype, name)
        known = (None, "uniform_average", "variance_weighted_average")
        one_of("R2Score: class_aggregation", class_aggregation, *known)
        whole_number("R2Score: num_regressors", num_regressors, 0)
        self.class_aggregation, self.num_regressors = class_aggregation, num_regressors
        self.num_samples = self.add_variable((), name="num_samples")

    def _build(self, outputs: int) -> None:
        self.count = self.add_variable((outputs,), name="count")
        self.mean = self.add_variable((outputs,), name="mean")
        self.squares = self.add_variable((outputs,), name="squares")
        self.residual = self.add_variable((outputs,), name="residual")

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        y_true, y_pred, weight = self._columns(y_true, y_pred, sample_weight)
        if len(self._variables) == 1:
            self._build(y_pred.shape[-1])
        count = ops.sum(weight, axis=0)
        mean = ratio(ops.sum(weight * y_true, axis=0), count)
        total, shift = self.count + count, mean - self.mean
        self.squares.assign_add(
            ops.sum(weight * ops.square(y_true - mean), axis=0) + ops.square(shift) * ratio(self.count * count, total)
        )
        self.mean.assign_add(shift * ratio(count, total))
        self.count.assign(total)
        self.residual.assign_add(ops.sum(weight * ops.square(y_true - y_pred), axis=0))
        self.num_samples.assign_add(ops.sum(ops.ones_like(y_pred)))

    def _columns(self, y_true: Any, y_pred: Any, sample_weight: Any) -> tuple[Tensor, ...]:
        """Labels, predictions and weights, each (samples, outputs)."""
        y_true, y_pred = matched(self.name, y_true, as_tensor(as_tensor(y_pred), self.dtype))
        if y_pred.ndim > 2:
            raise ValueError(
                f"{self.name}: y_pred: got shape {y_pred.shape}, expected (samples,) or (samples, outputs)"
            )
        weight = spread_weight(self, y_pred, sample_weight)
        return tuple(part if part.ndim == 2 else ops.expand_dims(part, -1) for part in (y_true, y_pred, weight))

    def result(self) -> Tensor:
        if len(self._variables) == 1:
            return ops.zeros((), self.dtype)
        score = ops.where(self.squares == 0, 0.0, 1.0 - ratio(self.residual, self.squares))
        match self.class_aggregation:
            case "uniform_average":
                score = ops.mean(score)
            case "variance_weighted_average":
                score = ratio(ops.sum(self.squares * score), ops.sum(self.squares))
        if not self.num_regressors:
            return score
        free = self.num_samples - self.num_regressors - 1.0
        return ops.where(free > 0, 1.0 - (1.0 - score) * ratio(self.num_samples - 1.0, free), score)
