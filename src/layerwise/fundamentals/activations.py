"""Activation functions: without them a stack of layers would be one linear map."""

import numpy as np
from numpy.typing import ArrayLike


def sigmoid(x: ArrayLike) -> np.ndarray:
    """sigmoid(x) = 1 / (1 + e^-x), in (0, 1), element by element: the probability of a binary decision.

    The guide stops at |x| = 500, which overflows in float32; this computes in float64 and goes as far as that does.

    >>> sigmoid([-1e308, 0, 2]).round(4)
    array([0.    , 0.5   , 0.8808])
    """
    # e^708 is the largest power whose inverse is still a normal float64
    return 1 / (1 + np.exp(-np.clip(np.asarray(x, dtype=float), -708, 708)))


def tanh(x: ArrayLike) -> np.ndarray:
    """tanh(x) = (e^x - e^-x) / (e^x + e^-x), in (-1, 1), element by element: for hidden layers.

    >>> tanh([-1e308, 0, 0.5]).round(4)
    array([-1.    ,  0.    ,  0.4621])
    """
    return np.tanh(np.asarray(x, dtype=float))


def relu(x: ArrayLike) -> np.ndarray:
    """relu(x) = max(0, x), in [0, inf), element by element: the default for hidden layers.

    >>> relu([-2, 0, 3])
    array([0., 0., 3.])
    """
    return np.maximum(0, np.asarray(x, dtype=float))


def softmax(x: ArrayLike) -> np.ndarray:
    """softmax(x)_i = e^x_i / sum_j e^x_j along the last axis: probabilities of classes that exclude each other.

    `x` is (..., classes) and so is the result; each row of it adds up to 1. Subtracting the largest x first changes
    nothing but keeps e^x from overflowing.

    Raises:
        ValueError: `x` has no classes.

    >>> softmax([[1, 1], [1e308, -1e308]])
    array([[0.5, 0.5],
           [1. , 0. ]])
    """
    x = np.asarray(x, dtype=float)
    if x.ndim == 0 or x.shape[-1] == 0:
        raise ValueError(f"softmax: x: got shape {x.shape}, expected (..., classes) with at least one class")
    with np.errstate(over="ignore", under="ignore"):  # too far below the largest to count: e^-inf = 0 is right
        exp_x = np.exp(x - np.max(x, axis=-1, keepdims=True))
        return exp_x / np.sum(exp_x, axis=-1, keepdims=True)
