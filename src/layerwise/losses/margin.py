"""Losses that ask for a margin: hinge, its square, and its form for several classes."""

from typing import Any

from .. import ops
from ..autograd import Tensor
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
