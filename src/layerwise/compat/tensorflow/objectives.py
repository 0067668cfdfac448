"""`tf.nn`'s losses, dropout and moments."""

from typing import Any

from ... import ops
from ... import random as ours
from .random import _going_on


def dropout(x: Any, rate: float, noise_shape: Any = None, seed: Any = None, name: str | None = None) -> Any:
    """x / (1 - rate), of which a part `rate` is 0"""
    return ours.dropout(x, rate, noise_shape, _going_on(seed))


def bias_add(value: Any, bias: Any, data_format: str | None = None, name: str | None = None) -> Any:
    """value + bias, one number a channel"""
    if data_format and data_format.startswith("NC"):
        bias = ops.reshape(bias, (-1, *[1] * (len(value.shape) - 2)))
    return ops.add(value, bias)


def moments(x: Any, axes: Any, shift: Any = None, keepdims: bool = False, name: str | None = None) -> Any:
    """(mean, variance) along axes"""
    return ops.moments(x, axes, keepdims)


def batch_normalization(
    x: Any, mean: Any, variance: Any, offset: Any, scale: Any, variance_epsilon: float, name: str | None = None
) -> Any:
    """scale (x - mean) / sqrt(variance + epsilon) + offset, of the last axis"""
    return ops.batch_normalization(x, mean, variance, -1, offset, scale, variance_epsilon)


def softmax_cross_entropy_with_logits(labels: Any, logits: Any, axis: int = -1, name: str | None = None) -> Any:
    """-sum_c labels_c log softmax(logits)_c"""
    return ops.categorical_crossentropy(labels, logits, True, axis)


def sparse_softmax_cross_entropy_with_logits(labels: Any, logits: Any, name: str | None = None) -> Any:
    """-log softmax(logits)[label]"""
    return ops.sparse_categorical_crossentropy(labels, logits, True)


def sigmoid_cross_entropy_with_logits(labels: Any = None, logits: Any = None, name: str | None = None) -> Any:
    """-labels log sigmoid(logits) - (1 - labels) log(1 - sigmoid(logits))"""
    return ops.binary_crossentropy(labels, logits, True)


def embedding_lookup(params: Any, ids: Any, max_norm: Any = None, name: str | None = None) -> Any:
    """The rows of a table with these numbers."""
    return ops.take(params, ids, axis=0)


def compute_average_loss(
    per_example_loss: Any, sample_weight: Any = None, global_batch_size: Any = None, name: str | None = None
) -> Any:
    """The sum of the losses of examples, weighted where weights are given, divided by their number."""
    weighted = per_example_loss if sample_weight is None else ops.multiply(per_example_loss, sample_weight)
    count = ops.shape(per_example_loss)[0] if global_batch_size is None else global_batch_size
    return ops.sum(weighted) / count


def scale_regularization_loss(regularization_loss: Any) -> Any:
    """The loss's share of one replica: all of it, of one."""
    return ops.sum(regularization_loss)
