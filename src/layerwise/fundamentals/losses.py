"""Loss functions: how wrong a prediction is, as one number, the mean over the batch."""

import numpy as np
from numpy.typing import ArrayLike

from ._checks import check_floats, check_one_hot


def binary_crossentropy(y_true: ArrayLike, y_pred: ArrayLike) -> float:
    """L = mean(-[y log p + (1 - y) log(1 - p)]), in nats, with y = `y_true` 0 or 1, p = `y_pred` in [0, 1].

    Both have one shape, (batch,) or (batch, outputs). A confident mistake, p = 0 where y = 1 or the reverse, costs
    708 instead of the formula's infinity.

    Raises:
        ValueError: the shapes differ, the batch is empty, y is neither 0 nor 1, or p is no probability.

    >>> round(binary_crossentropy([1, 0], [0.9, 0.2]), 4)
    0.1643
    """
    y, p = _checked("binary_crossentropy", y_true, y_pred)
    if not np.isin(y, (0, 1)).all():
        raise ValueError(f"binary_crossentropy: y_true: got {_span(y)}, expected 0 or 1")
    _check_probabilities("binary_crossentropy", p)
    return float(-np.mean(_log(np.where(y == 1, p, 1 - p))))


def categorical_crossentropy(y_true: ArrayLike, y_pred: ArrayLike) -> float:
    """L = mean over the batch of -sum_i y_i log p_i, in nats, with one-hot rows y = `y_true`, p = `y_pred`.

    Both are (batch, classes), or (classes,) for one example. A class that was given p = 0 and is the right one costs
    708 instead of the formula's infinity.

    Raises:
        ValueError: the shapes differ, the batch is empty, y is not one-hot, or p holds no probabilities.

    Source: the negative log-likelihood of the softmax model; Goodfellow, Bengio, Courville, "Deep Learning", 6.2.2.

    >>> round(categorical_crossentropy([[1, 0, 0], [0, 1, 0]], [[0.8, 0.1, 0.1], [0.3, 0.5, 0.2]]), 4)
    0.4581
    """
    y, p = _checked("categorical_crossentropy", y_true, y_pred)
    if y.ndim == 0:
        raise ValueError("categorical_crossentropy: y_true: got a single number, expected (batch, classes)")
    check_one_hot("categorical_crossentropy: y_true", y)
    _check_probabilities("categorical_crossentropy", p)
    return float(-np.mean(np.sum(y * _log(p), axis=-1)))


def mean_squared_error(y_true: ArrayLike, y_pred: ArrayLike) -> float:
    """L = (1/n) sum (y_true - y_pred)^2 over all n values of the batch; its unit is that of y_true, squared.

    Both have one shape, (batch,) or (batch, outputs).

    Raises:
        ValueError: the shapes differ, the batch is empty, or a value is NaN or infinite.

    >>> mean_squared_error([1.0, 2.0], [1.0, 4.0])
    2.0
    """
    y, y_hat = _checked("mean_squared_error", y_true, y_pred)
    return float(np.mean((y - y_hat) ** 2))


def _log(p: np.ndarray) -> np.ndarray:
    return np.log(np.maximum(p, np.finfo(float).tiny))  # p = 0 becomes the least normal number


def _checked(loss: str, y_true: ArrayLike, y_pred: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    y, p = check_floats(f"{loss}: y_true", y_true), check_floats(f"{loss}: y_pred", y_pred)
    if y.shape != p.shape:
        raise ValueError(f"{loss}: y_true: got shape {y.shape}, expected {p.shape}, the shape of y_pred")
    if y.size == 0:
        raise ValueError(f"{loss}: got an empty batch of shape {y.shape}, expected at least one example")
    return y, p


def _check_probabilities(loss: str, p: np.ndarray) -> None:
    if p.min() < 0 or p.max() > 1:
        raise ValueError(f"{loss}: y_pred: got {_span(p)}, expected probabilities in [0, 1]")


def _span(values: np.ndarray) -> str:
    return f"values from {values.min():g} to {values.max():g}"
