"""Reductions over axes: sums, means, extremes, and what is built from them."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..autograd import (
    Array,
    Spec,
    Tensor,
    as_tensor,
    broadcast_to,
    cast,
    check_count,
    primitive,
    reshape,
    stop_gradient,
)
from ..backends import xp
from .arithmetic import abs, sqrt, square
from .comparison import isclose, isnan, minimum, where
from .functions import exp, log
from .indexing import take_along_axis
from .making import one_hot, ones_like
from .shaping import Axis, axes_of, axis_of, concatenate, expand_dims, flip, moveaxis, squeeze, transpose

__all__ = [
    "all", "allclose", "amax", "amin", "any", "argmax", "argmin", "argsort", "average", "count_nonzero", "cumprod",
    "cumsum", "in_top_k", "logsumexp", "max", "mean", "median", "min", "moments", "multi_hot", "prod", "sort", "std",
    "sum", "top_k", "var",
]  # fmt: skip


def kept_shape(shape: Sequence[Any], axis: Axis) -> tuple[int, ...]:
    """The shape after a reduction that keeps the reduced axes with size 1."""
    axes = axes_of(axis, len(shape))
    return tuple(1 if i in axes else n for i, n in enumerate(shape))


def _reduced(x: Spec, axis: Axis, keepdims: bool, dtype: str | None = None) -> Spec:
    axes = axes_of(axis, x.ndim)
    shape = kept_shape(x.shape, axis) if keepdims else tuple(n for i, n in enumerate(x.shape) if i not in axes)
    return Spec(shape, dtype or x.dtype)


def _spread(g: Tensor, shape: tuple[int, ...], axis: Axis) -> Tensor:
    """A reduction's gradient, repeated along the axes that were reduced."""
    return broadcast_to(reshape(g, kept_shape(shape, axis)), shape)


def _count(shape: Sequence[int], axis: Axis) -> int:
    return math.prod(shape[a] for a in axes_of(axis, len(shape)))


def _sum_dtype(dtype: str) -> str:
    return {"bool": "int32", "int8": "int32", "int16": "int32", "uint8": "uint32", "uint16": "uint32"}.get(dtype, dtype)


@primitive
def sum(x: Array, *, axis: Axis = None, keepdims: bool = False) -> Array:
    """y = the sum of x over `axis` (keepdims: with size 1 there); short whole numbers are summed as 32-bit ones"""
    dtype = _sum_dtype(x.dtype.name)
    wide = wide_dtype(dtype)
    y = xp().sum(x, axis=axes_of(axis, x.ndim), keepdims=keepdims, dtype=wide)
    return y if wide == dtype else y.astype(dtype)


def wide_dtype(dtype: str) -> str:
    """The dtype to add up in: a sum may pass through more than what float16 holds."""
    return "float32" if dtype in ("float16", "bfloat16") else dtype


@sum.gradient
def _(g, x_shape, *, axis):
    return _spread(g, x_shape, axis)


@primitive(promote=True, floating=True)
def mean(x: Array, *, axis: Axis = None, keepdims: bool = False) -> Array:
    """y = the mean of x over `axis`; keepdims: with size 1 there"""
    is_half = x.dtype.itemsize == 2  # then the sum may be more than x's dtype holds
    y = xp().mean(x, axis=axes_of(axis, x.ndim), keepdims=keepdims, dtype="float32" if is_half else x.dtype)
    return y.astype(x.dtype) if is_half else y


@mean.gradient
def _(g, x_shape, *, axis):
    return _spread(g / (_count(x_shape, axis) or 1), x_shape, axis)


@primitive
def prod(x: Array, *, axis: Axis = None, keepdims: bool = False) -> Array:
    """y = the product of x over `axis`; keepdims: with size 1 there"""
    return xp().prod(x, axis=axes_of(axis, x.ndim), keepdims=keepdims, dtype=_sum_dtype(x.dtype.name))


@prod.gradient
def _(g, x, *, axis):
    # The product of all others, from both sides, so that a zero among the factors is no obstacle.
    axes = axes_of(axis, x.ndim)
    front = [i for i in range(x.ndim) if i not in axes]
    order = (*front, *axes)
    flat = reshape(transpose(x, order), (*(x.shape[i] for i in front), _count(x.shape, axis)))
    others = _exclusive_cumprod(flat) * _exclusive_cumprod(flat[..., ::-1])[..., ::-1]
    others = reshape(others, tuple(x.shape[i] for i in order))
    return _spread(g, x.shape, axis) * transpose(others, tuple(order.index(i) for i in range(x.ndim)))


@sum.shape
@prod.shape
def _(x, *, axis=None, keepdims=False):
    return _reduced(x, axis, keepdims, _sum_dtype(x.dtype))


def _exclusive_cumprod(x: Tensor) -> Tensor:
    check_count("cumprod", x.shape[-1])
    parts = [as_tensor(x[..., :1] * 0 + 1)]
    for i in range(x.shape[-1] - 1):
        parts.append(parts[-1] * x[..., i : i + 1])
    return concatenate(parts, axis=-1) if x.shape[-1] else x


@primitive
def max(x: Array, *, axis: Axis = None, keepdims: bool = False) -> Array:
    """y = the largest of x over `axis` (keepdims: with size 1 there)        the gradient is shared by equals"""
    return xp().max(x, axis=axes_of(axis, x.ndim), keepdims=keepdims)


@primitive
def min(x: Array, *, axis: Axis = None, keepdims: bool = False) -> Array:
    """y = the smallest of x over `axis` (keepdims: with size 1 there)        the gradient is shared by equals"""
    return xp().min(x, axis=axes_of(axis, x.ndim), keepdims=keepdims)


@max.gradient
@min.gradient
def _(g, y, x, *, axis):
    chosen = cast(x == _spread(y, x.shape, axis), x.dtype)
    return _spread(g, x.shape, axis) * (chosen / sum(chosen, axis=axis, keepdims=True))


@mean.shape
@max.shape
@min.shape
def _(x, *, axis=None, keepdims=False):
    return _reduced(x, axis, keepdims)


amax, amin = max, min


@primitive(differentiable=False)
def argmax(x: Array, *, axis: int | None = None, keepdims: bool = False) -> Array:
    """y = where the largest of x along `axis` is, the first of equals; int32; keepdims: with size 1 there"""
    return xp().argmax(x, axis=axis, keepdims=keepdims).astype("int32")


@primitive(differentiable=False)
def argmin(x: Array, *, axis: int | None = None, keepdims: bool = False) -> Array:
    """y = where the smallest of x along `axis` is, the first of equals; int32; keepdims: with size 1 there"""
    return xp().argmin(x, axis=axis, keepdims=keepdims).astype("int32")


@argmax.shape
@argmin.shape
def _(x, *, axis=None, keepdims=False):
    return _reduced(x, axis, keepdims, "int32")


@primitive(differentiable=False)
def all(x: Array, *, axis: Axis = None, keepdims: bool = False) -> Array:
    """y = whether all of x along `axis` are true; keepdims: with size 1 there"""
    return xp().all(x, axis=axes_of(axis, x.ndim), keepdims=keepdims)


@primitive(differentiable=False)
def any(x: Array, *, axis: Axis = None, keepdims: bool = False) -> Array:
    """y = whether any of x along `axis` is true; keepdims: with size 1 there"""
    return xp().any(x, axis=axes_of(axis, x.ndim), keepdims=keepdims)


@all.shape
@any.shape
def _(x, *, axis=None, keepdims=False):
    return _reduced(x, axis, keepdims, "bool")


def count_nonzero(x: Any, axis: Axis = None) -> Tensor:
    """y = how many of x along `axis` are not 0; int32"""
    return sum(cast(as_tensor(x) != 0, "int32"), axis=axis)


@primitive
def cumsum(x: Array, *, axis: int | None = None) -> Array:
    """y_i = x_0 + ... + x_i along `axis`, of the flattened x where it is None"""
    return xp().cumsum(x, axis=axis, dtype="int32" if x.dtype == bool else x.dtype)


@cumsum.shape
def _(x, *, axis=None):
    axes_of(axis, x.ndim)
    return Spec((x.size,) if axis is None else x.shape, "int32" if x.dtype == "bool" else x.dtype)


@cumsum.gradient
def _(g, x_shape, *, axis):
    along = 0 if axis is None else axis
    return reshape(flip(cumsum(flip(g, axis=along), axis=along), axis=along), x_shape)


def cumprod(x: Any, axis: int | None = None) -> Tensor:
    """y_i = x_0 ... x_i along `axis`, of the flattened x where it is None"""
    x = as_tensor(x)
    if axis is None:
        x, axis = reshape(x, (-1,)), 0
    last = moveaxis(x, axis, -1)
    return moveaxis(_exclusive_cumprod(last) * last, -1, axis)


def var(x: Any, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """y = mean((x - mean(x))^2) over `axis`; keepdims: with size 1 there"""
    x = as_tensor(x)
    wide = wide_dtype(x.dtype)
    if wide != x.dtype:
        return cast(var(cast(x, wide), axis, keepdims), x.dtype)
    return mean(square(x - mean(x, axis=axis, keepdims=True)), axis=axis, keepdims=keepdims)


def std(x: Any, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """y = sqrt(var(x)) over `axis`; keepdims: with size 1 there"""
    x = as_tensor(x)
    wide = wide_dtype(x.dtype)
    if wide != x.dtype:
        return cast(std(cast(x, wide), axis, keepdims), x.dtype)
    return sqrt(var(x, axis, keepdims))


def moments(x: Any, axes: Axis, keepdims: bool = False, synchronized: bool = False) -> tuple[Tensor, Tensor]:
    """(mean, variance) of x over `axes`; keepdims: with size 1 there; `synchronized` has no effect

    A variance beyond float16 is its largest number there.
    """
    x = as_tensor(x)
    narrow = x.dtype == "float16"
    variance = var(cast(x, "float32") if narrow else x, axes, keepdims)
    if narrow:
        variance = cast(minimum(variance, np.finfo("float16").max), x.dtype)
    return mean(x, axis=axes, keepdims=keepdims), variance


def logsumexp(x: Any, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """y = ln(sum(e^x)) over `axis`, by way of the largest x, so that nothing overflows; keepdims: with size 1 there"""
    x = as_tensor(x)
    top = stop_gradient(max(x, axis=axis, keepdims=True))
    top = where(abs(top) < float("inf"), top, 0)
    y = log(sum(exp(x - top), axis=axis, keepdims=True)) + top
    return y if keepdims else squeeze(y, axes_of(axis, x.ndim))


def multi_hot(inputs: Any, num_classes: int, axis: int = -1, dtype: Any = None, sparse: bool = False) -> Tensor:
    """y[..., c] = 1 where c is among the last axis of inputs, else 0

    Numbers outside 0 ... num_classes - 1 count nowhere. axis: where c stands among the others. `sparse` has no effect.

    >>> multi_hot([[0, 2], [1, 1]], 3)
    Tensor([[1., 0., 1.],
            [0., 1., 0.]], shape=(2, 3), dtype=float32)
    """
    hot = one_hot(cast(inputs, "int32"), num_classes, axis=axis, dtype=dtype)
    return max(hot, axis=1 if hot.ndim > 2 else 0)


@primitive(differentiable=False)
def argsort(x: Array, *, axis: int | None = -1) -> Array:
    """y = the order that sorts x along `axis`, equals in place; int32"""
    return xp().argsort(x, axis=axis, stable=True).astype("int32")


@argsort.shape
def _(x, *, axis=-1):
    axes_of(axis, x.ndim)
    return Spec((x.size,) if axis is None else x.shape, "int32")


def sort(x: Any, axis: int = -1) -> Tensor:
    """y = x in ascending order along `axis`"""
    x = as_tensor(x)
    return take_along_axis(x, argsort(x, axis=axis), axis=axis)


def top_k(x: Any, k: int, sorted: bool = True) -> tuple[Tensor, Tensor]:
    """(values, indices) of the k largest of x along the last axis, largest first, the first of equals before the others

    They are `sorted` even if that is not asked for.
    """
    x = as_tensor(x)
    indices = argsort(-x, axis=-1)[..., :k]
    return take_along_axis(x, indices, axis=-1), indices


def in_top_k(targets: Any, predictions: Any, k: int) -> Tensor:
    """y = whether predictions[target] is among the k largest: fewer than k are larger, and NaN is the smallest

    targets (n,) whole numbers, predictions (n, classes) -> (n,)
    """
    predictions, targets = as_tensor(predictions), as_tensor(targets)
    chosen = take_along_axis(predictions, reshape(targets, (-1, 1)), axis=-1)
    chosen = where(isnan(chosen), -float("inf"), chosen)
    return count_nonzero(predictions > chosen, axis=-1) < k


def median(x: Any, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """y = the middle of the sorted values of x over `axis`, the mean of the middle two where their number is even

    keepdims: with size 1 there.

    >>> median([3.0, 1.0, 2.0]).item()
    2.0
    """
    x = as_tensor(x)
    rows = rows_over(x, axis)
    count = rows.shape[-1]
    y = mean(sort(rows, axis=-1)[..., (count - 1) // 2 : count // 2 + 1], axis=-1)
    return expand_dims(y, axes_of(axis, x.ndim)) if keepdims else y


def rows_over(x: Tensor, axis: Axis) -> Tensor:
    """x with what lies along `axis` in rows, along one last axis."""
    axes = axes_of(axis, x.ndim)
    front = [i for i in range(x.ndim) if i not in axes]
    sizes = (-1 if x.shape[i] is None else x.shape[i] for i in front)
    return reshape(transpose(x, (*front, *axes)), (*sizes, _count(x.shape, axis)))


def average(x: Any, axis: Axis = None, weights: Any = None) -> Tensor:
    """y = sum(w x) / sum(w) over `axis`; weights shaped as x, or as the one axis"""
    if weights is None:
        return mean(x, axis=axis)
    x, weights = as_tensor(x), as_tensor(weights)
    if weights.ndim == 1 and x.ndim > 1 and isinstance(axis, int):
        weights = reshape(weights, tuple(-1 if i == axis_of(axis, x.ndim) else 1 for i in range(x.ndim)))
    return sum(x * weights, axis=axis) / sum(weights * ones_like(x), axis=axis)


def allclose(x1: Any, x2: Any, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False) -> Tensor:
    """y = whether |x1 - x2| <= atol + rtol |x2| everywhere; equal_nan: or both are NaN"""
    return all(isclose(x1, x2, rtol, atol, equal_nan))
