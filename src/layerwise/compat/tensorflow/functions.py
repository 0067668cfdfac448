"""What TensorFlow computes with otherwise than our operations say it: other dtypes, other ways to name an axis."""

from collections.abc import Sequence
from typing import Any

from ... import ops
from .dtypes import cast


def argmax(input: Any, axis: int | None = None, output_type: Any = "int64", name: str | None = None) -> Any:
    """Where the largest value lies along an axis, the first if none is named."""
    return cast(ops.argmax(input, 0 if axis is None else axis), output_type)


def argmin(input: Any, axis: int | None = None, output_type: Any = "int64", name: str | None = None) -> Any:
    """Where the smallest value lies along an axis, the first if none is named."""
    return cast(ops.argmin(input, 0 if axis is None else axis), output_type)


def cumsum(x: Any, axis: int = 0, exclusive: bool = False, reverse: bool = False, name: str | None = None) -> Any:
    """The sum of all entries up to each one; without it where `exclusive`, from the end where `reverse`.

    >>> cumsum([1, 2, 3], exclusive=True, reverse=True)
    Tensor([5, 3, 0], shape=(3,), dtype=int32)
    """
    x = ops.flip(x, axis) if reverse else ops.convert_to_tensor(x)
    total = ops.cumsum(x, axis)
    total = total - x if exclusive else total
    return ops.flip(total, axis) if reverse else total


def add_n(inputs: Sequence[Any], name: str | None = None) -> Any:
    """The sum of arrays of one shape."""
    total = ops.convert_to_tensor(inputs[0])
    for x in inputs[1:]:
        total = total + x
    return total


def squared_difference(x: Any, y: Any, name: str | None = None) -> Any:
    """(x - y)^2"""
    return ops.square(ops.subtract(x, y))


def norm(tensor: Any, ord: Any = "euclidean", axis: Any = None, keepdims: Any = None, name: str | None = None) -> Any:
    """The norm of the vectors along an axis, or of all entries."""
    if axis is None and ord == "euclidean":
        tensor = ops.convert_to_tensor(tensor)
        flat = ops.norm(ops.reshape(tensor, (-1,)))
        return ops.reshape(flat, (1,) * len(tensor.shape)) if keepdims else flat
    return ops.norm(tensor, None if ord == "euclidean" else ord, axis, bool(keepdims))


def l2_normalize(x: Any, axis: Any = None, epsilon: float = 1e-12, name: str | None = None) -> Any:
    """x / sqrt(max(sum x^2, epsilon)), the sum along an axis, or over all entries"""
    return x * ops.rsqrt(ops.maximum(ops.sum(ops.square(x), axis, keepdims=True), epsilon))


def l2_loss(t: Any, name: str | None = None) -> Any:
    """sum t^2 / 2"""
    return ops.sum(ops.square(t)) / 2


def global_norm(t_list: Sequence[Any], name: str | None = None) -> Any:
    """The norm of all entries of several arrays together; None counts as nothing."""
    return ops.sqrt(add_n([ops.sum(ops.square(t)) for t in t_list if t is not None]))


def clip_by_norm(t: Any, clip_norm: Any, axes: Any = None, name: str | None = None) -> Any:
    """t, made shorter where its norm is more than `clip_norm`"""
    length = ops.sqrt(ops.sum(ops.square(t), axes, keepdims=True))
    return t * ops.where(length > clip_norm, clip_norm / ops.maximum(length, clip_norm), 1.0)


def clip_by_global_norm(
    t_list: Sequence[Any], clip_norm: Any, use_norm: Any = None, name: str | None = None
) -> tuple[list[Any], Any]:
    """(the arrays, all of them made shorter by one factor where their norm together is more, that norm)"""
    length = global_norm(t_list) if use_norm is None else use_norm
    factor = clip_norm / ops.maximum(length, clip_norm)
    return [None if t is None else t * factor for t in t_list], length


def confusion_matrix(
    labels: Any, predictions: Any, num_classes: int | None = None, weights: Any = None, dtype: Any = "int32",
    name: str | None = None,
) -> Any:  # fmt: skip
    """c[i, j] = how often a label i was predicted as j, or the sum of their weights"""
    labels, predictions = ops.cast(labels, "int32"), ops.cast(predictions, "int32")
    n = num_classes or int(ops.maximum(ops.max(labels), ops.max(predictions))) + 1
    counts = ops.bincount(labels * n + predictions, weights, n * n)
    return cast(ops.reshape(counts[: n * n], (n, n)), dtype)


def svd(tensor: Any, full_matrices: bool = False, compute_uv: bool = True, name: str | None = None) -> Any:
    """(s, u, v) with u diag(s) v^T = tensor; s alone without `compute_uv`"""
    if not compute_uv:
        return ops.svd(tensor, full_matrices, False)
    u, s, vh = ops.svd(tensor, full_matrices)
    return s, u, ops.swapaxes(vh, -1, -2)
