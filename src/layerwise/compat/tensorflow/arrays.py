"""What TensorFlow says of arrays otherwise than our operations do: constants, shapes, parts, and where they go."""

import builtins
from collections.abc import Sequence
from typing import Any

import numpy as np

from ... import ops
from ...autograd import Tensor
from ...data.element import element, is_text
from .dtypes import cast, on_device

newaxis = None  # in an index: a new axis


def constant(value: Any, dtype: Any = None, shape: Any = None, name: str | None = None) -> Any:
    """The value as a Tensor; with a shape that holds more, filled with it. Texts become an array of texts.

    >>> constant(1.0, shape=(2,))
    Tensor([1., 1.], shape=(2,), dtype=float32)
    """
    if is_text(value):
        return element(value)
    tensor = ops.convert_to_tensor(value, on_device(dtype))
    if shape is None:
        return tensor
    return ops.broadcast_to(tensor, tuple(shape)) if tensor.size == 1 else ops.reshape(tensor, tuple(shape))


def convert_to_tensor(value: Any, dtype: Any = None, dtype_hint: Any = None, name: str | None = None) -> Any:
    """The value as a Tensor; texts become an array of texts."""
    return constant(value, dtype)


def identity(input: Any, name: str | None = None) -> Any:
    """The value itself, as a Tensor."""
    return constant(input)


def shape(input: Any, out_type: Any = "int32", name: str | None = None) -> Any:
    """The sizes as an array of whole numbers; as a tuple where one of them is not known yet."""
    sizes = tuple(np.shape(input) if not hasattr(input, "shape") else input.shape)
    return sizes if None in sizes else element(np.array(sizes, str(out_type)))


def rank(input: Any, name: str | None = None) -> int:
    """The number of dimensions."""
    return len(input.shape) if hasattr(input, "shape") else np.ndim(input)


def size(input: Any, out_type: Any = "int32", name: str | None = None) -> int:
    """The number of elements."""
    return int(np.prod(shape(input), dtype=np.int64))


def ensure_shape(x: Any, shape: Any, name: str | None = None) -> Any:
    """x, if it has this shape, None being any size; `ValueError` if not."""
    if len(x.shape) != len(shape) or any(m not in (None, n) for m, n in zip(shape, x.shape, strict=True)):
        raise ValueError(f"tf.ensure_shape: got shape {tuple(x.shape)}, expected {tuple(shape)}")
    return x


def eye(
    num_rows: int, num_columns: int | None = None, batch_shape: Any = None, dtype: Any = "float32", name: Any = None
) -> Tensor:
    """Ones on the diagonal, for each entry of a batch."""
    matrix = ops.eye(num_rows, num_columns, dtype=on_device(dtype))
    return matrix if batch_shape is None else ops.broadcast_to(matrix, (*batch_shape, *matrix.shape))


def split(value: Any, num_or_size_splits: Any, axis: int = 0, num: Any = None, name: str | None = None) -> list[Any]:
    """So many parts of equal size, or parts of these sizes, one of which may be -1: the rest.

    >>> [part.shape for part in split(np.zeros((5, 2)), [1, -1])]
    [(1, 2), (4, 2)]
    """
    if np.ndim(num_or_size_splits) == 0:
        return ops.split(value, int(num_or_size_splits), axis)
    sizes = [int(n) for n in num_or_size_splits]
    if -1 in sizes:
        sizes[sizes.index(-1)] = value.shape[axis] - sum(n for n in sizes if n != -1)
    return ops.split(value, np.cumsum(sizes)[:-1].tolist(), axis)


def pad(tensor: Any, paddings: Any, mode: str = "CONSTANT", constant_values: Any = 0, name: str | None = None) -> Any:
    """More entries before and behind each axis: of `constant_values`, or by "REFLECT" or "SYMMETRIC"."""
    widths = [tuple(int(n) for n in pair) for pair in paddings]
    return ops.pad(tensor, widths, mode.lower(), constant_values if mode.upper() == "CONSTANT" else None)


def gather(
    params: Any, indices: Any, validate_indices: Any = None, axis: Any = None, batch_dims: int = 0, name: Any = None
) -> Any:
    """The entries at these places along an axis; with `batch_dims` 1, of each row by its own indices."""
    if is_text(params):
        return element(np.take(params, np.asarray(indices), axis or 0))
    if batch_dims == 0:
        return ops.take(params, indices, axis=axis or 0)
    if batch_dims != 1 or axis not in (None, 1):
        raise ValueError(f"tf.gather: batch_dims: got {batch_dims} with axis {axis}, expected 0, or 1 along axis 1")
    indices = ops.convert_to_tensor(indices)
    rows = ops.reshape(ops.arange(indices.shape[0]), (-1, *[1] * (len(indices.shape) - 1)))
    return ops.convert_to_tensor(params)[ops.broadcast_to(rows, indices.shape), indices]


def gather_nd(params: Any, indices: Any, batch_dims: int = 0, name: str | None = None) -> Any:
    """params[i, j, ...] for each row (i, j, ...) of `indices`."""
    if batch_dims:
        raise ValueError(f"tf.gather_nd: batch_dims: got {batch_dims}, expected 0; use tf.gather with batch_dims=1")
    indices = ops.convert_to_tensor(indices)
    return ops.convert_to_tensor(params)[tuple(indices[..., i] for i in range(indices.shape[-1]))]


def boolean_mask(tensor: Any, mask: Any, axis: int | None = None, name: str | None = None) -> Any:
    """The entries where the mask, whose values have to be known, is true."""
    places = np.nonzero(np.asarray(mask))
    if is_text(tensor):
        return element(np.asarray(tensor)[places])
    return ops.convert_to_tensor(tensor)[(builtins.slice(None),) * (axis or 0) + places]


def where(condition: Any, x: Any = None, y: Any = None, name: str | None = None) -> Any:
    """x where the condition holds, else y; the places where it does, (n, dimensions), where there is no x."""
    if x is None:
        return ops.convert_to_tensor(np.argwhere(np.asarray(condition)).astype("int64"))
    if is_text(x) or is_text(y):
        return element(np.where(np.asarray(condition), np.asarray(x, object), np.asarray(y, object)))
    return ops.where(condition, x, y)


def one_hot(
    indices: Any, depth: int, on_value: Any = None, off_value: Any = None, axis: Any = None, dtype: Any = None,
    name: str | None = None,
) -> Any:  # fmt: skip
    """`on_value`, 1, at the place of the index along a new axis, else `off_value`, 0."""
    if on_value is None and off_value is None:
        return ops.one_hot(indices, int(depth), -1 if axis is None else axis, on_device(dtype) or "float32")
    chosen = ops.one_hot(indices, int(depth), -1 if axis is None else axis, "bool")
    result = ops.where(chosen, 1.0 if on_value is None else on_value, 0.0 if off_value is None else off_value)
    return result if dtype is None else cast(result, dtype)


def range(start: Any, limit: Any = None, delta: Any = 1, dtype: Any = None, name: str | None = None) -> Tensor:
    """start, start + delta, ... below `limit`; from 0 where one number is given."""
    start, limit = (0, start) if limit is None else (start, limit)
    return ops.arange(_number(start), _number(limit), _number(delta), on_device(dtype))


def _number(x: Any) -> Any:
    return x.item() if hasattr(x, "item") else x


def matmul(
    a: Any, b: Any, transpose_a: bool = False, transpose_b: bool = False, adjoint_a: bool = False,
    adjoint_b: bool = False, a_is_sparse: bool = False, b_is_sparse: bool = False, output_type: Any = None,
    name: str | None = None,
) -> Any:  # fmt: skip
    """a b, or of the transposed matrices."""
    a = ops.swapaxes(a, -1, -2) if transpose_a or adjoint_a else a
    b = ops.swapaxes(b, -1, -2) if transpose_b or adjoint_b else b
    result = ops.matmul(a, b)
    return result if output_type is None else cast(result, output_type)


def slice(input_: Any, begin: Any, size: Any, name: str | None = None) -> Any:
    """`size` entries of each axis from `begin` on; -1: all that follow."""
    input_, starts = ops.convert_to_tensor(input_), [int(n) for n in begin]
    sizes = [n - start if m == -1 else int(m) for start, m, n in zip(starts, size, input_.shape, strict=True)]
    return ops.slice(input_, starts, sizes)


def sort(values: Any, axis: int = -1, direction: str = "ASCENDING", name: str | None = None) -> Any:
    """The values in order along an axis."""
    ordered = ops.sort(values, axis)
    return ops.flip(ordered, axis) if direction == "DESCENDING" else ordered


def argsort(
    values: Any, axis: int = -1, direction: str = "ASCENDING", stable: bool = False, name: str | None = None
) -> Any:
    """The places of the values in order along an axis."""
    return ops.argsort(ops.negative(values) if direction == "DESCENDING" else values, axis)


def unique(x: Any, out_idx: Any = "int32", name: str | None = None) -> tuple[Any, Any]:
    """(the values without repetitions in the order in which they come, the place of each of x among them)."""
    values, first, places = np.unique(np.asarray(x), return_index=True, return_inverse=True)
    order = np.argsort(first)
    return constant(values[order]), ops.convert_to_tensor(np.argsort(order)[places].astype(str(out_idx)))


def sequence_mask(lengths: Any, maxlen: int | None = None, dtype: Any = "bool", name: str | None = None) -> Any:
    """mask[..., i] = i < lengths[...]"""
    longest = int(np.max(np.asarray(lengths))) if maxlen is None else int(maxlen)
    return cast(ops.arange(longest) < ops.expand_dims(lengths, -1), dtype)


def concat(values: Sequence[Any], axis: int, name: str | None = None) -> Any:
    """One after the other along an axis."""
    if any(map(is_text, values)):
        return element(np.concatenate([np.asarray(v, object) for v in values], axis))
    return ops.concatenate(values, axis)


def tensor_scatter_nd_add(tensor: Any, indices: Any, updates: Any, name: str | None = None) -> Any:
    """The tensor with the updates added at these places."""
    tensor = ops.convert_to_tensor(tensor)
    return tensor + ops.scatter(indices, updates, tensor.shape)


def band_part(input: Any, num_lower: int, num_upper: int, name: str | None = None) -> Any:
    """The matrix within so many diagonals below and above the main one, all of them for -1, and else 0."""
    lower = input if num_lower < 0 else ops.triu(input, -int(num_lower))
    return lower if num_upper < 0 else ops.tril(lower, int(num_upper))


def matvec(a: Any, b: Any, transpose_a: bool = False, name: str | None = None) -> Any:
    """The matrix a times the vector b."""
    return ops.squeeze(matmul(a, ops.expand_dims(b, -1), transpose_a), -1)
