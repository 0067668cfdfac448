"""Losses that ask for a margin: hinge, its square, its form for several classes; and the perceptron's, for none."""

from typing import Any

from .. import ops
from ..autograd import Tensor, as_tensor, stop_gradient
from .base import FunctionLoss
from .matching import matched


def _signs(y_true: Tensor) -> Tensor:
    """Labels of -1 and 1, from those or from labels that are all 0 or 1."""
    binary = ops.all(ops.logical_or(y_true == 0, y_true == 1))
    return ops.where(binary, 2.0 * y_true - 1.0, y_true)


def hinge(y_true: Any, y_pred: Any) -> Tensor:
    """mean(max(1 - y s, 0)) over the last dimension, s = y_pred, labels y of -1 and 1 (0 and 1 are taken for those)

    y is y_true.

    >>> hinge([[-1.0, 1.0]], [[-2.0, 0.5]])
    Tensor([0.25], shape=(1,), dtype=float32)
    """
    y_true, y_pred = matched("hinge", y_true, y_pred)
    return ops.mean(ops.maximum(1.0 - _signs(y_true) * y_pred, 0.0), axis=-1)


def squared_hinge(y_true: Any, y_pred: Any) -> Tensor:
    """mean(max(1 - y s, 0)^2) over the last dimension, s = y_pred, labels y of -1 and 1 (0 and 1 are taken for those)

    y is y_true.

    >>> squared_hinge([[-1.0, 1.0]], [[-2.0, 0.0]])
    Tensor([0.5], shape=(1,), dtype=float32)
    """
    y_true, y_pred = matched("squared_hinge", y_true, y_pred)
    return ops.mean(ops.square(ops.maximum(1.0 - _signs(y_true) * y_pred, 0.0)), axis=-1)


def categorical_hinge(y_true: Any, y_pred: Any) -> Tensor:
    """max(1 + (largest score of another class) - (score of the label), 0) over the last dimension, labels one-hot

    The labels are y_true, the scores y_pred.

    >>> categorical_hinge([[0.0, 1.0]], [[0.5, 0.75]])
    Tensor([0.75], shape=(1,), dtype=float32)
    """
    y_true, y_pred = matched("categorical_hinge", y_true, y_pred)
    label = ops.sum(y_true * y_pred, axis=-1)
    other = ops.max((1.0 - y_true) * y_pred, axis=-1)
    return ops.maximum(other - label + 1.0, 0.0)


def perceptron_loss(y_true: Any, y_pred: Any) -> Tensor:
    """L = sum_k (step(s_k) - t_k) s_k for the scores s of one perceptron a class; t_k is 1 for the class, else 0.

    step(s) = 1 where s >= 0, else 0, and counts as a constant, so that the gradient by s_k is step(s_k) - t_k. With
    s = x @ w + b, SGD makes of it the perceptron rule, w += learning_rate * (t - step(s)) * x: only mistakes change
    anything. Batches of one example give the rule as it was published; larger ones average its steps.

    y_true: labels (n,) or (n, 1); y_pred: scores (n, classes); returns one loss an example, (n,).

    Source: Rosenblatt, "The perceptron: a probabilistic model for information storage and organization", 1958.

    >>> perceptron_loss([0, 0], [[0.5, -2.0], [-0.5, 2.0]])
    Tensor([0. , 2.5], shape=(2,), dtype=float32)
    """
    scores = as_tensor(y_pred)
    labels = as_tensor(ops.reshape(y_true, (-1,)), "int32")
    targets = ops.one_hot(labels, scores.shape[-1], dtype=scores.dtype)
    outputs = as_tensor(stop_gradient(scores) >= 0, scores.dtype)
    return ops.sum((outputs - targets) * scores, axis=-1)


class Hinge(FunctionLoss, fn=hinge):
    """mean(max(1 - y s, 0)); see `hinge`

    >>> Hinge()([-1.0, 1.0], [-2.0, 0.5]).item()
    0.25
    """


class SquaredHinge(FunctionLoss, fn=squared_hinge):
    """mean(max(1 - y s, 0)^2); see `squared_hinge`

    >>> SquaredHinge()([-1.0, 1.0], [-2.0, 0.0]).item()
    0.5
    """


class CategoricalHinge(FunctionLoss, fn=categorical_hinge):
    """max(1 + (largest score of another class) - (score of the label), 0); see `categorical_hinge`

    >>> CategoricalHinge()([[0.0, 1.0]], [[0.5, 0.75]]).item()
    0.75
    """
