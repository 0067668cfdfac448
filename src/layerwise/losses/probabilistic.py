"""Losses of probabilities: cross-entropies, their focal forms, Kullback-Leibler divergence, Poisson.

Predictions that a softmax or sigmoid has just computed remember their logits. The cross-entropies then work on those:
no probability, 0 and 1 included, overflows or loses its gradient. Others are kept `config.epsilon()` away from 0 and 1.
"""

from typing import Any

from .. import config, ops
from ..autograd import Tensor, as_tensor
from ..naming import expect
from ..ops.crossentropy import logits_of
from .base import FunctionLoss
from .matching import class_numbers, floating, matched, same_rank


def _check_smoothing(owner: str, label_smoothing: float, **others: Any) -> None:
    expect(f"{owner}: label_smoothing", label_smoothing, lambda value: 0 <= value <= 1, "a number from 0 to 1")


def _smooth(y_true: Tensor, label_smoothing: float, classes: int) -> Tensor:
    """Labels of which a part is shared evenly among all classes."""
    return y_true * (1.0 - label_smoothing) + label_smoothing / classes if label_smoothing else y_true


def binary_crossentropy(
    y_true: Any, y_pred: Any, from_logits: bool = False, label_smoothing: float = 0.0, axis: int = -1
) -> Tensor:
    """mean(-y ln p - (1 - y) ln(1 - p)) along `axis`, labels y in [0, 1], p = y_pred, or sigmoid(y_pred) `from_logits`

    y is y_true; `label_smoothing` s makes it (1 - s) y + s / 2.

    >>> binary_crossentropy([[0.0, 1.0]], [[0.0, 0.0]], from_logits=True)
    Tensor([0.6931472], shape=(1,), dtype=float32)
    """
    _check_smoothing("binary_crossentropy", label_smoothing)
    y_true, y_pred = matched("binary_crossentropy", y_true, y_pred)
    y_true = _smooth(y_true, label_smoothing, 2)
    return ops.mean(ops.binary_crossentropy(y_true, y_pred, from_logits), axis=axis)


def categorical_crossentropy(
    y_true: Any, y_pred: Any, from_logits: bool = False, label_smoothing: float = 0.0, axis: int = -1
) -> Tensor:
    """-sum of y_c ln p_c along `axis`, labels y one-hot, p = y_pred / its sum, or softmax(y_pred) `from_logits`

    y is y_true; `label_smoothing` s makes it (1 - s) y + s / classes.

    >>> categorical_crossentropy([[0.0, 1.0]], [[0.5, 0.5]])
    Tensor([0.6931472], shape=(1,), dtype=float32)
    """
    _check_smoothing("categorical_crossentropy", label_smoothing)
    y_true, y_pred = matched("categorical_crossentropy", y_true, y_pred)
    y_true = _smooth(y_true, label_smoothing, y_pred.shape[axis])
    return ops.categorical_crossentropy(y_true, y_pred, from_logits, axis)


def sparse_categorical_crossentropy(
    y_true: Any, y_pred: Any, from_logits: bool = False, ignore_class: int | None = None, axis: int = -1
) -> Tensor:
    """-ln p_y, y class numbers, p = y_pred divided by its sum along `axis`, or softmax(y_pred) `from_logits`

    y_true (...) or (..., 1), y_pred (..., classes) -> (...). The loss is 0 and masked where y is `ignore_class`.

    >>> sparse_categorical_crossentropy([1], [[0.5, 0.5]])
    Tensor([0.6931472], shape=(1,), dtype=float32)
    """
    y_true, y_pred = same_rank(y_true, floating(y_pred))
    y_true = class_numbers("sparse_categorical_crossentropy", y_true, y_pred, axis)
    if ignore_class is None:
        return ops.sparse_categorical_crossentropy(y_true, y_pred, from_logits, axis)
    valid = y_true != ignore_class
    values = ops.sparse_categorical_crossentropy(ops.where(valid, y_true, 0), y_pred, from_logits, axis)
    return ops.where(valid, values, 0.0).note("mask", valid)


def binary_focal_crossentropy(
    y_true: Any,
    y_pred: Any,
    apply_class_balancing: bool = False,
    alpha: float = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Tensor:
    """mean(-(1 - q)^gamma ln q) along `axis`, q the probability given to the label: p or 1 - p

    With `apply_class_balancing` labels of 1 weigh `alpha`, labels of 0 weigh 1 - alpha.
    y_true, y_pred, from_logits and label_smoothing are those of `binary_crossentropy`.
    Source: T.-Y. Lin et al., Focal loss for dense object detection, 2017.

    >>> binary_focal_crossentropy([[1.0]], [[0.5]], gamma=1.0)
    Tensor([0.3465736], shape=(1,), dtype=float32)
    """
    _check_smoothing("binary_focal_crossentropy", label_smoothing)
    y_true, y_pred = matched("binary_focal_crossentropy", y_true, y_pred)
    y_true = _smooth(y_true, label_smoothing, 2)
    p = ops.sigmoid(y_pred) if from_logits else y_pred
    given = y_true * p + (1.0 - y_true) * (1.0 - p)
    values = (1.0 - given) ** gamma * ops.binary_crossentropy(y_true, y_pred, from_logits)
    if apply_class_balancing:
        values = values * (y_true * alpha + (1.0 - y_true) * (1.0 - alpha))
    return ops.mean(values, axis=axis)


def categorical_focal_crossentropy(
    y_true: Any,
    y_pred: Any,
    alpha: Any = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Tensor:
    """-sum of alpha_c (1 - p_c)^gamma y_c ln p_c along `axis`; alpha is one number or one for each class

    y_true, y_pred, from_logits and label_smoothing are those of `categorical_crossentropy`.
    Source: T.-Y. Lin et al., Focal loss for dense object detection, 2017.

    >>> categorical_focal_crossentropy([[0.0, 1.0]], [[0.5, 0.5]], alpha=1.0, gamma=1.0)
    Tensor([0.3465736], shape=(1,), dtype=float32)
    """
    _check_smoothing("categorical_focal_crossentropy", label_smoothing)
    y_true, y_pred = matched("categorical_focal_crossentropy", y_true, y_pred)
    y_true = _smooth(y_true, label_smoothing, y_pred.shape[axis])
    logits = logits_of(y_pred, "softmax", from_logits, axis)
    if logits is not None:
        log_p = ops.log_softmax(logits, axis=axis)
        p = ops.exp(log_p)
    else:
        p = y_pred / ops.sum(y_pred, axis=axis, keepdims=True)
        p = ops.clip(p, config.epsilon(), 1.0 - config.epsilon())
        log_p = ops.log(p)
    return -ops.sum(as_tensor(alpha, p.dtype) * (1.0 - p) ** gamma * y_true * log_p, axis=axis)


def kl_divergence(y_true: Any, y_pred: Any) -> Tensor:
    """sum of y ln(y / p) over the last dimension, both kept within [`config.epsilon()`, 1]

    The distributions y = y_true and p = y_pred.
    Source: S. Kullback and R. A. Leibler, On information and sufficiency, 1951.

    >>> kl_divergence([[0.5, 0.5]], [[0.5, 0.5]])
    Tensor([0.], shape=(1,), dtype=float32)
    """
    y_true, y_pred = (ops.clip(y, config.epsilon(), 1.0) for y in matched("kl_divergence", y_true, y_pred))
    return ops.sum(y_true * ops.log(y_true / y_pred), axis=-1)


def poisson(y_true: Any, y_pred: Any) -> Tensor:
    """mean(p - y ln(p + epsilon)) over the last dimension, p = y_pred: counts y = y_true of events expected p times

    >>> poisson([[0.0, 0.0]], [[1.0, 3.0]])
    Tensor([2.], shape=(1,), dtype=float32)
    """
    y_true, y_pred = matched("poisson", y_true, y_pred)
    return ops.mean(y_pred - y_true * ops.log(y_pred + config.epsilon()), axis=-1)


def categorical_generalized_cross_entropy(y_true: Any, y_pred: Any, q: float) -> Tensor:
    """(1 - p_y^q) / q, y_true the class numbers y, y_pred the probabilities p: between cross-entropy (q near 0)

    and absolute error (q near 1), which suffers less from wrong labels.
    y_true (...) or (..., 1), y_pred (..., classes) -> (...).
    Source: Z. Zhang and M. Sabuncu, Generalized cross entropy loss for training deep networks with noisy labels, 2018.

    >>> categorical_generalized_cross_entropy([1], [[0.75, 0.25]], q=0.5).numpy()
    array([1.], dtype=float32)
    """
    y_true, y_pred = same_rank(y_true, floating(y_pred))
    y_true = class_numbers("categorical_generalized_cross_entropy", y_true, y_pred)
    labels = ops.one_hot(ops.cast(y_true, "int32"), y_pred.shape[-1], dtype=y_pred.dtype)
    return (1.0 - ops.sum(y_pred * labels, axis=-1) ** q) / q


class BinaryCrossentropy(FunctionLoss, fn=binary_crossentropy, check=_check_smoothing):
    """mean(-y ln p - (1 - y) ln(1 - p)); see `binary_crossentropy`

    >>> round(BinaryCrossentropy(from_logits=True)([[0.0, 1.0]], [[0.0, 0.0]]).item(), 4)
    0.6931
    """


class CategoricalCrossentropy(FunctionLoss, fn=categorical_crossentropy, check=_check_smoothing):
    """-sum of y_c ln p_c for one-hot labels y; see `categorical_crossentropy`

    >>> round(CategoricalCrossentropy()([[0.0, 1.0]], [[0.5, 0.5]]).item(), 4)
    0.6931
    """


class SparseCategoricalCrossentropy(
    FunctionLoss, fn=sparse_categorical_crossentropy, takes="from_logits ignore_class reduction axis name dtype"
):
    """-ln p_y for class numbers y; see `sparse_categorical_crossentropy`

    >>> round(SparseCategoricalCrossentropy()([1], [[0.5, 0.5]]).item(), 4)
    0.6931
    """


class BinaryFocalCrossentropy(FunctionLoss, fn=binary_focal_crossentropy, check=_check_smoothing):
    """mean(-(1 - q)^gamma ln q), q the probability given to the label; see `binary_focal_crossentropy`

    >>> round(BinaryFocalCrossentropy(gamma=1.0)([[1.0]], [[0.5]]).item(), 4)
    0.3466
    """


class CategoricalFocalCrossentropy(FunctionLoss, fn=categorical_focal_crossentropy, check=_check_smoothing):
    """-sum of alpha_c (1 - p_c)^gamma y_c ln p_c; see `categorical_focal_crossentropy`

    >>> round(CategoricalFocalCrossentropy(alpha=1.0, gamma=1.0)([[0.0, 1.0]], [[0.5, 0.5]]).item(), 4)
    0.3466
    """


class CategoricalGeneralizedCrossEntropy(FunctionLoss):
    """(1 - p_y^q) / q for class numbers y; see `categorical_generalized_cross_entropy`

    Args:
        q: above 0 and below 1.
        reduction, name, dtype: as of `Loss`.

    >>> CategoricalGeneralizedCrossEntropy()([1], [[0.75, 0.25]]).item()
    1.0
    """

    def __init__(
        self,
        q: float = 0.5,
        reduction: str | None = "sum_over_batch_size",
        name: str = "categorical_generalized_cross_entropy",
        dtype: Any = None,
    ) -> None:
        expect("CategoricalGeneralizedCrossEntropy: q", q, lambda q: 0 < q < 1, "a number above 0 and below 1")
        super().__init__(categorical_generalized_cross_entropy, reduction, name, dtype, q=q)


class KLDivergence(FunctionLoss, fn=kl_divergence):
    """sum of y ln(y / p); see `kl_divergence`

    >>> KLDivergence()([[0.5, 0.5]], [[0.5, 0.5]]).item()
    0.0
    """


class Poisson(FunctionLoss, fn=poisson):
    """mean(p - y ln p); see `poisson`

    >>> Poisson()([[0.0, 0.0]], [[1.0, 3.0]]).item()
    2.0
    """
