"""The perceptron rule as stochastic gradient descent."""

from typing import Any

from .. import ops
from ..autograd import Tensor, as_tensor, stop_gradient


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
