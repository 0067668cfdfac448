"""Reductions of what carries the same number, or comes to the same place."""

from typing import Any

import numpy as np

from ..autograd import Array, Spec, Tensor, add, as_tensor, cast, primitive, reshape
from ..backends import backend, xp
from ..naming import one_of
from .arithmetic import divide, multiply
from .comparison import logical_and, maximum, minimum, range_of, where
from .indexing import _columns, _is_symbolic, _put, gather, one_above, segment_sum

__all__ = ["scatter_update", "segment_max", "segment_min", "segment_prod"]


def segment_max(data: Any, segment_ids: Any, num_segments: int | None = None, sorted: bool = False) -> Tensor:
    """y[s] = the largest data[i] of all i with segment_ids[i] = s, for 0 <= s < num_segments

    Minus infinity, or the smallest whole number, where there is none. Equals share the gradient; `sorted` has no
    effect.

    >>> segment_max([1.0, 5.0, 2.0], [0, 0, 1], num_segments=2)
    Tensor([5., 2.], shape=(2,), dtype=float32)
    """
    return _reduced("maximum", data, segment_ids, num_segments)


def segment_min(data: Any, segment_ids: Any, num_segments: int | None = None, sorted: bool = False) -> Tensor:
    """y[s] = the smallest data[i] of all i with segment_ids[i] = s, for 0 <= s < num_segments

    Infinity, or the largest whole number, where there is none. Equals share the gradient; `sorted` has no effect.
    """
    return _reduced("minimum", data, segment_ids, num_segments)


def segment_prod(data: Any, segment_ids: Any, num_segments: int | None = None, sorted: bool = False) -> Tensor:
    """y[s] = the product of data[i] over all i with segment_ids[i] = s, for 0 <= s < num_segments, 1 of nothing

    `sorted` has no effect.
    """
    return _reduced("multiply", data, segment_ids, num_segments)


def _reduced(function: str, data: Any, segment_ids: Any, num_segments: int | None) -> Tensor:
    data, ids = as_tensor(data), as_tensor(segment_ids)
    if ids.symbolic and num_segments is None:
        return Tensor(Spec((None, *data.shape[1:]), data.dtype))
    count = one_above(ids) if num_segments is None else num_segments
    nowhere = where(logical_and(ids >= 0, ids < count), ids, count)
    return _segments(data, nowhere, function=function, count=count + 1)[:count]


def scatter_update(inputs: Any, indices: Any, updates: Any, reduction: str | None = None) -> Tensor:
    """y = inputs with the entries at the positions that the rows of `indices` give replaced by `updates`

    Or, by `reduction`, with all updates of a position added to its entry ("add"), their product with it ("mul"), the
    largest or the smallest of it and them ("max", "min"). Without, rows are distinct.

    >>> scatter_update([1.0, 2.0], [[0], [0]], [5.0, 7.0], reduction="add")
    Tensor([13.,  2.], shape=(2,), dtype=float32)
    """
    one_of("scatter_update: reduction", reduction, None, *_REDUCTIONS)
    x = as_tensor(inputs)
    if _is_symbolic(indices):
        return Tensor(Spec(x.shape, x.dtype))
    key = _columns(indices)
    if reduction is None:
        return _put(x, key, updates)
    numbers = np.ravel_multi_index(key, x.shape[: len(key)], mode="wrap").astype("int32")
    rows = reshape(x, (-1, *x.shape[len(key) :]))
    combine, segments = _REDUCTIONS[reduction]
    return reshape(combine(rows, segments(as_tensor(updates, x.dtype), numbers, rows.shape[0])), x.shape)


_REDUCTIONS = {
    "add": (add, segment_sum),
    "mul": (multiply, segment_prod),
    "max": (maximum, segment_max),
    "min": (minimum, segment_min),
}


@primitive
def _segments(x: Array, ids: Array, *, function: str, count: int) -> Array:
    """y[s] = the maximum, minimum or product ("multiply") of x[i] over all i with ids[i] = s, for 0 <= s < count"""
    low, high = (-float("inf"), float("inf")) if x.dtype.kind in "fV" else range_of(x.dtype.name)
    neutral = {"maximum": low, "minimum": high, "multiply": 1}[function]
    start = xp().full((count, *x.shape[1:]), backend().array(neutral, str(x.dtype)))
    return backend().reduce_at(function, start, ids, x)


@_segments.gradient
def _(g, y, x, ids, *, function, count):
    def sums(values: Tensor) -> Tensor:
        return gather(segment_sum(values, ids, count), ids)

    g = gather(g, ids)
    if function != "multiply":
        chosen = cast(x == gather(y, ids), x.dtype)
        return g * chosen / sums(chosen), None
    zero = x == 0  # the product of all others is that of those which are not 0, if they are all others
    zeros = sums(cast(zero, x.dtype))
    filled = where(zero, 1, x)
    others = divide(gather(_segments(filled, ids, function=function, count=count), ids), filled)
    return g * where(zeros == cast(zero, x.dtype), others, 0), None


@_segments.shape
def _(x, ids, *, function, count):
    if ids.ndim != 1 or ids.shape[:1] != x.shape[:1]:
        raise ValueError(f"segment ids of shape {ids.shape}: expected one for each of the first size of {x.shape}")
    return Spec((count, *x.shape[1:]), x.dtype)
