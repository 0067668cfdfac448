"""Reading and writing at positions: slices, gather and its transpose scatter-add."""

from __future__ import annotations

import builtins
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import tree
from ..autograd import (
    Array,
    Spec,
    Tensor,
    as_tensor,
    broadcast_shapes,
    cast,
    merge_specs,
    primitive,
    raw,
    reshape,
    with_unknown_sizes,
)
from ..backends import backend, xp
from .comparison import logical_and, where
from .shaping import axis_of

__all__ = [
    "bincount", "gather", "get_item", "scatter", "scatter_add", "segment_sum", "slice",
    "slice_update", "take", "take_along_axis",
]  # fmt: skip


def get_item(x: Any, key: Any) -> Tensor:
    """y = x[key], for all that NumPy allows as a key

    >>> get_item([[1, 2], [3, 4]], (..., 0))
    Tensor([1, 3], shape=(2,), dtype=int32)
    """
    parts = key if isinstance(key, tuple) else (key,)
    places = [i for i, part in enumerate(parts) if _is_position(part)]
    others = [part for part in parts if not _is_position(part)]
    if len(places) == 1 and all(part is Ellipsis or isinstance(part, builtins.slice) for part in others):
        (i,) = places
        axis = i - len(parts) if any(part is Ellipsis for part in parts[:i]) else i
        if others:
            x = get_item(x, (*parts[:i], builtins.slice(None), *parts[i + 1 :]))
        return gather(x, parts[i], axis=axis)
    return _get_item(x, key=tuple(_index(part) for part in parts))


def _is_position(part: Any) -> bool:
    """Whether a part of a key is a Tensor (or Variable) of whole numbers, which need not have a value yet."""
    return (type(part) is Tensor or hasattr(part, "_read")) and part.dtype != "bool"


def _index(part: Any) -> Any:
    if type(part) is Tensor or hasattr(part, "_read"):
        value = raw(as_tensor(part))
        whole = isinstance(value, np.ndarray | np.generic) and value.shape == () and value.dtype.kind in "iu"
        return int(value) if whole else value
    if isinstance(part, list):
        return np.asarray(part)
    if isinstance(part, builtins.slice):
        return builtins.slice(*(None if n is None else n.__index__() for n in (part.start, part.stop, part.step)))
    return part


@primitive
def _get_item(x: Array, *, key: tuple[Any, ...]) -> Array:
    """y = x[key]"""
    return x[key]


@_get_item.shape(unknown=True)
def _(x, *, key):
    key = tuple(np.asarray(part) if backend().owns(part) else part for part in key)

    def of(sizes: Sequence[int], key: tuple[Any, ...]) -> Spec:
        nothing = np.broadcast_to(np.zeros((), "V0"), sizes)  # elements of no bytes
        return Spec(nothing[key].shape, x.dtype)

    if None not in x.shape:
        return of(x.shape, key)
    # Known is what large sizes and 1 have in common; positions, which would lie outside, become 0 there.
    first = tuple(np.zeros_like(part) if _is_whole(part) else part for part in key)
    least = of([1 if n is None else n for n in x.shape], first)
    return merge_specs(with_unknown_sizes(lambda known: of(known[0].shape, key), [x]), least)


def _is_whole(part: Any) -> bool:
    """Whether a part of a key is a number, or an array of numbers: positions, which have no say in the shape."""
    is_number = isinstance(part, int | np.integer) and not isinstance(part, bool)
    return is_number or (isinstance(part, np.ndarray) and part.dtype.kind in "iu")


@_get_item.gradient
def _(g, x_shape, *, key):
    return _add_at(g, key=key, shape=x_shape)


@primitive
def _add_at(values: Array, *, key: tuple[Any, ...], shape: tuple[int, ...]) -> Array:
    """y = zeros of `shape` with `values` added at `key`"""
    return backend().add_at(xp().zeros(shape, values.dtype), key, values)


@_add_at.gradient
def _(g, *, key):
    return _get_item(g, key=key)


@_add_at.shape
def _(values, *, key, shape):
    return Spec(tuple(shape), values.dtype)


@primitive
def gather(x: Array, indices: Array, *, axis: int = 0) -> Array:
    """y = x's entries at `indices` of `axis`: an embedding look-up where axis is 0"""
    return backend().gather(x, indices, axis_of(axis, x.ndim))


@gather.gradient
def _(g, x_shape, indices, *, axis):
    return lambda: scatter_add(indices, g, shape=x_shape, axis=axis), None


@gather.shape
def _(x, indices, *, axis=0):
    axis = axis_of(axis, x.ndim)
    return Spec((*x.shape[:axis], *indices.shape, *x.shape[axis + 1 :]), x.dtype)


@primitive
def scatter_add(indices: Array, values: Array, *, shape: tuple[int, ...], axis: int = 0) -> Array:
    """y = zeros of `shape` with `values` added at `indices` of `axis`: the transpose of `gather`"""
    return backend().scatter_add(indices, values, tuple(shape), axis % len(shape))


@scatter_add.gradient
def _(g, indices, *, axis):
    return None, gather(g, indices, axis=axis)


def take(x: Any, indices: Any, axis: int | None = None) -> Tensor:
    """y = x's entries at `indices` of `axis`, of the flattened x where it is None

    >>> take([10, 20, 30], [2, 0])
    Tensor([30, 10], shape=(2,), dtype=int32)
    """
    x = as_tensor(x)
    return gather(reshape(x, (-1,)), indices, axis=0) if axis is None else gather(x, indices, axis=axis)


def take_along_axis(x: Any, indices: Any, axis: int | None = None) -> Tensor:
    """y[..., i, ...] = x[..., indices[..., i, ...], ...] along `axis`, of the flattened x where it is None"""
    x, axis = (reshape(x, (-1,)), 0) if axis is None else (x, axis)
    return _take_along_axis(x, indices, axis=axis)


@primitive
def _take_along_axis(x: Array, indices: Array, *, axis: int) -> Array:
    """y[..., i, ...] = x[..., indices[..., i, ...], ...] along `axis`"""
    return xp().take_along_axis(x, indices, axis=axis)


@_take_along_axis.shape
def _(x, indices, *, axis):
    if x.ndim != indices.ndim:
        raise ValueError(f"take_along_axis: got shapes {x.shape} and {indices.shape}, expected as many dimensions")
    axis = axis_of(axis, x.ndim)
    shape = broadcast_shapes("take_along_axis", *((*s.shape[:axis], 1, *s.shape[axis + 1 :]) for s in (x, indices)))
    return Spec((*shape[:axis], indices.shape[axis], *shape[axis + 1 :]), x.dtype)


@_take_along_axis.gradient
def _(g, x_shape, indices, *, axis):
    return lambda: _put_along_axis(indices, g, shape=x_shape, axis=axis), None


@primitive
def _put_along_axis(indices: Array, values: Array, *, shape: tuple[int, ...], axis: int) -> Array:
    """y = zeros of `shape` with `values` added where `take_along_axis` reads"""
    key: Sequence[Any] = [
        np.arange(n).reshape([n if i == d else 1 for i in range(len(shape))]) for d, n in enumerate(indices.shape)
    ]
    key = tuple(indices if d == axis % len(shape) else k for d, k in enumerate(key))
    return backend().add_at(xp().zeros(shape, values.dtype), key, values)


@_put_along_axis.gradient
def _(g, indices, *, axis):
    return None, take_along_axis(g, indices, axis=axis)


@scatter_add.shape
@_put_along_axis.shape
def _(indices, values, *, shape, axis=0):
    return Spec(tuple(shape), values.dtype)


def slice_update(inputs: Any, start_indices: Sequence[int], updates: Any) -> Tensor:
    """y = inputs with the block that begins at `start_indices` replaced by `updates`"""
    inputs, updates = as_tensor(inputs), as_tensor(updates)
    if _is_symbolic(start_indices):
        return Tensor(Spec(inputs.shape, inputs.dtype))
    key = tuple(builtins.slice(int(s), int(s) + n) for s, n in zip(start_indices, updates.shape, strict=True))
    return _put(inputs, key, updates)


def slice(inputs: Any, start_indices: Sequence[int], shape: Sequence[int]) -> Tensor:
    """y = the block of `shape` of inputs that begins at `start_indices`; a size of -1 reaches to the end

    >>> slice([[0, 1, 2], [3, 4, 5]], (1, 1), (1, -1))
    Tensor([[4, 5]], shape=(1, 2), dtype=int32)
    """
    if _is_symbolic(start_indices):
        return Tensor(Spec(tuple(None if n == -1 else n for n in shape), as_tensor(inputs).dtype))
    starts = [int(start) for start in start_indices]
    ends = [None if n == -1 else start + n for start, n in zip(starts, shape, strict=True)]
    return get_item(inputs, tuple(map(builtins.slice, starts, ends)))


def _is_symbolic(positions: Any) -> bool:
    """Whether positions have no values yet, which only the values of the result depend on."""
    return any(type(n) is Tensor and n.symbolic for n in tree.flatten(positions))


def _columns(indices: Any) -> tuple[Any, ...]:
    """Rows of positions as a key: one array of positions for each axis."""
    return tuple(np.moveaxis(np.asarray(as_tensor(indices)), -1, 0))


def scatter(indices: Any, values: Any, shape: Sequence[int]) -> Tensor:
    """y = zeros of `shape` with `values` added at the positions that the rows of `indices` give

    >>> scatter([[0], [2], [0]], [1.0, 2.0, 3.0], (3,))
    Tensor([4., 0., 2.], shape=(3,), dtype=float32)
    """
    if _is_symbolic(indices):
        return Tensor(Spec(tuple(shape), as_tensor(values).dtype))
    return _add_at(values, key=_columns(indices), shape=tuple(shape))


def _put(x: Tensor, key: tuple[Any, ...], values: Any) -> Tensor:
    """`x` with `values` at `key`, where no position may come twice."""
    inside = np.zeros(x.shape, bool)
    inside[key] = True
    return where(inside, _add_at(values, key=key, shape=x.shape), x)


def segment_sum(data: Any, segment_ids: Any, num_segments: int | None = None, sorted: bool = False) -> Tensor:
    """y[s] = the sum of data[i] over all i with segment_ids[i] = s, for 0 <= s < num_segments

    Other ids count nowhere; `sorted` has no effect.
    """
    data, ids = as_tensor(data), as_tensor(segment_ids)
    if ids.symbolic and num_segments is None:
        return Tensor(Spec((None, *data.shape[1:]), data.dtype))
    count = one_above(ids) if num_segments is None else num_segments
    nowhere = where(logical_and(ids >= 0, ids < count), ids, count)
    return scatter_add(nowhere, data, shape=(count + 1, *data.shape[1:]))[:count]


def one_above(x: Tensor) -> int:
    """The first whole number above all of x, and at least 0."""
    return max(int(np.max(np.asarray(x))) + 1, 0) if x.size else 0


def bincount(x: Any, weights: Any = None, minlength: int = 0, sparse: bool = False) -> Tensor:
    """y[n] = how often n stands in x, or the sum of the weights there; as long as x's largest needs, or `minlength`

    Of a matrix, for each row by itself. `sparse` has no effect.

    >>> bincount([[0, 2, 2], [1, 1, 0]])
    Tensor([[1, 0, 2],
            [1, 2, 0]], shape=(2, 3), dtype=int32)
    """
    x = as_tensor(x)
    if x.ndim not in (1, 2):
        raise ValueError(f"bincount: expected one or two dimensions, got shape {x.shape}")
    count = max(one_above(x), minlength)
    rows = math.prod(x.shape[:-1])
    places = reshape(cast(x, "int32") + count * np.arange(rows, dtype="int32").reshape(*x.shape[:-1], 1), (-1,))
    added = np.ones(places.shape, "int32") if weights is None else reshape(weights, (-1,))
    return reshape(scatter_add(places, added, shape=(rows * count,)), (*x.shape[:-1], count))
