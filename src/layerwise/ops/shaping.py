"""Rearranging: nothing here computes."""

import builtins
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from ..autograd import Array, Spec, Tensor, as_tensor, check_count, made, primitive, reshape
from ..backends import xp
from ..naming import expect

__all__ = [
    "concatenate", "diagonal", "expand_dims", "flip", "hstack", "moveaxis", "pad", "ravel", "repeat", "roll", "split",
    "squeeze", "stack", "swapaxes", "tile", "transpose", "unstack", "vstack",
]  # fmt: skip


Axis = int | Sequence[int] | None


def axes_of(axis: Axis, ndim: int) -> tuple[int, ...]:
    """`axis` as non-negative numbers, in order; None means all.

    >>> axes_of(-1, 3), axes_of(None, 2)
    ((2,), (0, 1))
    """
    if axis is None:
        return tuple(range(ndim))
    axes = (axis,) if isinstance(axis, int) else tuple(axis)
    for a in axes:
        if not -ndim <= a < ndim:
            raise ValueError(f"axis: got {a}, expected -{ndim} ... {ndim - 1} for {ndim} dimensions")
    return tuple(sorted({a % ndim for a in axes}))


def axis_of(axis: int, ndim: int) -> int:
    """One `axis` as a number >= 0.

    >>> axis_of(-1, 3)
    2
    """
    return axes_of(axis, ndim)[0]


@primitive
def transpose(x: Array, *, axes: Sequence[int] | None = None) -> Array:
    """y = x with its axes in another order, reversed where none is given"""
    return xp().transpose(x, axes)


@transpose.gradient
def _(g, *, axes):
    if axes is None:
        return transpose(g)
    return transpose(g, tuple(int(i) for i in np.argsort([a % g.ndim for a in axes])))


@transpose.shape
def _(x, *, axes=None):
    if axes is not None and sorted(axis_of(a, x.ndim) for a in axes) != list(range(x.ndim)):
        raise ValueError(
            f"transpose: axes: got {tuple(axes)}, expected an order of the {x.ndim} axes of shape {x.shape}"
        )
    order = reversed(range(x.ndim)) if axes is None else axes
    return Spec(tuple(x.shape[a] for a in order), x.dtype)


def diagonal(x: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Tensor:
    """y[..., i] = x[..., i, i + offset], for the matrices that axis1 and axis2 span"""
    x = as_tensor(x)
    rest = [i for i in range(x.ndim) if i not in (axis_of(axis1, x.ndim), axis_of(axis2, x.ndim))]
    x = transpose(x, (*rest, axis1, axis2))
    low, high = builtins.min(offset, 0), builtins.max(offset, 0)
    count = builtins.max(0, builtins.min(x.shape[-2] + low, x.shape[-1] - high))
    rows = np.arange(count) - low
    return x[..., rows, rows + offset]


def moveaxis(x: Any, source: int | Sequence[int], destination: int | Sequence[int]) -> Tensor:
    """y = x with the axis `source` moved to `destination`, or several of them, the others in order"""
    x = as_tensor(x)
    froms, tos = ([axis_of(int(a), x.ndim) for a in np.atleast_1d(axes)] for axes in (source, destination))
    order = [a for a in range(x.ndim) if a not in froms]
    for to, came in sorted(zip(tos, froms, strict=True)):
        order.insert(to, came)
    return transpose(x, tuple(order))


def swapaxes(x: Any, axis1: int, axis2: int) -> Tensor:
    """y = x with axis1 and axis2 exchanged"""
    x = as_tensor(x)
    order = list(range(x.ndim))
    axis1, axis2 = axis_of(axis1, x.ndim), axis_of(axis2, x.ndim)
    order[axis1], order[axis2] = order[axis2], order[axis1]
    return transpose(x, tuple(order))


def ravel(x: Any) -> Tensor:
    """y = x in one dimension"""
    return reshape(x, (-1,))


def expand_dims(x: Any, axis: int | Sequence[int]) -> Tensor:
    """y = x with dimensions of size 1 inserted at `axis` of the result"""
    x = as_tensor(x)
    axes = (axis,) if isinstance(axis, int) else tuple(axis)
    return _expand_dims(x, axis=axes_of(axes, x.ndim + len(axes)))


@primitive
def _expand_dims(x: Array, *, axis: tuple[int, ...]) -> Array:
    """y = x with dimensions of size 1 at `axis`"""
    return xp().expand_dims(x, axis)


@_expand_dims.gradient
def _(g, *, axis):
    return _squeeze(g, axis=axis)


@_expand_dims.shape
def _(x, *, axis):
    sizes = iter(x.shape)
    return Spec(tuple(1 if i in axis else next(sizes) for i in range(x.ndim + len(axis))), x.dtype)


def squeeze(x: Any, axis: int | Sequence[int] | None = None) -> Tensor:
    """y = x without dimensions of size 1: those of `axis`, or all"""
    x = as_tensor(x)
    ones = tuple(i for i, n in enumerate(x.shape) if n == 1)
    axes = ones if axis is None else axes_of(axis, x.ndim)
    if not set(axes) <= set(ones):
        raise ValueError(f"squeeze: axis: got {axis}, expected dimensions of size 1 of shape {x.shape}")
    return _squeeze(x, axis=axes)


@primitive
def _squeeze(x: Array, *, axis: tuple[int, ...]) -> Array:
    """y = x without the dimensions of size 1 at `axis`"""
    return xp().squeeze(x, axis)


@_squeeze.gradient
def _(g, *, axis):
    return _expand_dims(g, axis=axis)


@_squeeze.shape
def _(x, *, axis):
    return Spec(tuple(n for i, n in enumerate(x.shape) if i not in axis), x.dtype)


@primitive(promote=True)
def _concatenate(*xs: Array, axis: int) -> Array:
    """y = xs one after the other along `axis`"""
    return xp().concatenate(xs, axis=axis)


@_concatenate.gradient
def _(g, xs_shape, *, axis):
    ends = np.cumsum([shape[axis] for shape in xs_shape])
    axis %= g.ndim
    return tuple(
        lambda start=int(end) - shape[axis], stop=int(end): g[(slice(None),) * axis + (slice(start, stop),)]
        for end, shape in zip(ends, xs_shape, strict=True)
    )


@_concatenate.shape
def _(*xs, axis):
    first = xs[0].shape
    along = axis_of(axis, len(first))
    for x in xs:
        if x.ndim != len(first) or any(
            a != b for i, (a, b) in enumerate(zip(x.shape, first, strict=True)) if i != along
        ):
            raise ValueError(f"concatenate: shapes {[x.shape for x in xs]} may differ along axis {axis} only")
    sizes = list(first)
    sizes[axis] = builtins.sum(x.shape[axis] for x in xs)
    return Spec(tuple(sizes), xs[-1].dtype)


def concatenate(xs: Sequence[Any], axis: int | None = 0) -> Tensor:
    """y = xs one after the other along `axis`, all flattened where it is None

    >>> concatenate([[1, 2], [3]])
    Tensor([1, 2, 3], shape=(3,), dtype=int32)
    """
    return _concatenate(*map(ravel, xs), axis=0) if axis is None else _concatenate(*xs, axis=axis)


def stack(x: Sequence[Any], axis: int = 0) -> Tensor:
    """y = the arrays in x, of one shape, along a new `axis`"""
    return _concatenate(*[expand_dims(t, axis) for t in x], axis=axis)


def vstack(xs: Sequence[Any]) -> Tensor:
    """y = xs one below the other"""
    return _concatenate(*[t if as_tensor(t).ndim > 1 else expand_dims(t, 0) for t in xs], axis=0)


def hstack(xs: Sequence[Any]) -> Tensor:
    """y = xs side by side"""
    return _concatenate(*xs, axis=0 if as_tensor(xs[0]).ndim == 1 else 1)


def split(x: Any, indices_or_sections: int | Sequence[int], axis: int = 0) -> list[Tensor]:
    """y = x cut along `axis`, into indices_or_sections equal parts, or at these places"""
    x = as_tensor(x)
    axis = axis_of(axis, x.ndim)
    n = x.shape[axis]
    if isinstance(indices_or_sections, int):
        if n % indices_or_sections:
            raise ValueError(f"split: {n} along axis {axis} does not divide into {indices_or_sections} equal parts")
        places = list(range(0, n + 1, n // indices_or_sections)) if n else [0] * (indices_or_sections + 1)
    else:
        places = [0, *indices_or_sections, n]
    before = (slice(None),) * axis
    return [x[(*before, slice(a, b))] for a, b in pairwise(places)]


def unstack(x: Any, num: int | None = None, axis: int = 0) -> list[Tensor]:
    """y = the slices of x along `axis`; `num` says how many there are where that is not known yet"""
    x = as_tensor(x)
    axis = axis_of(axis, x.ndim)
    before = (slice(None),) * axis
    count = num if x.shape[axis] is None else x.shape[axis]
    if count is None:
        raise ValueError(f"unstack: num: the size along axis {axis} of {x.shape} is not known; give num")
    check_count("unstack", count)
    return [x[(*before, i)] for i in range(count)]


@primitive
def flip(x: Array, *, axis: int | Sequence[int] | None = None) -> Array:
    """y = x in reverse order along `axis`, along all where it is None"""
    return xp().flip(x, axis)


@flip.gradient
def _(g, *, axis):
    return flip(g, axis=axis)


@primitive
def roll(x: Array, *, shift: int | Sequence[int], axis: int | Sequence[int] | None = None) -> Array:
    """y[i] = x[i - shift] along `axis`, what falls off coming in at the other end"""
    return xp().roll(x, shift, axis)


@roll.gradient
def _(g, *, shift, axis):
    return roll(g, shift=-shift if isinstance(shift, int) else tuple(-s for s in shift), axis=axis)


@flip.shape
@roll.shape
def _(x, *, shift=None, axis=None):
    axes_of(axis, x.ndim)
    return x


@primitive
def _pad_constant(x: Array, *, widths: tuple[tuple[int, int], ...], value: Any) -> Array:
    """y = x with `value` before and after it along each axis"""
    return xp().pad(x, widths, constant_values=value)


@_pad_constant.gradient
def _(g, x_shape, *, widths):
    return g[tuple(slice(low, low + n) for n, (low, _) in zip(x_shape, widths, strict=True))]


@_pad_constant.shape
def _(x, *, widths, value):
    return Spec(tuple(n + low + high for n, (low, high) in zip(x.shape, widths, strict=True)), x.dtype)


def pad(x: Any, pad_width: Any, mode: str = "constant", constant_values: Any = None) -> Tensor:
    """y = x with pad_width = (before, after) elements added along each axis: constant_values, or x's own

    `mode` is "constant", "reflect", "symmetric", "edge" or "wrap", as in NumPy; only the first takes constant_values.

    >>> pad([1, 2, 3], (1, 2), mode="reflect")
    Tensor([2, 1, 2, 3, 2, 1], shape=(6,), dtype=int32)
    """
    x = as_tensor(x)
    widths = np.broadcast_to(np.asarray(pad_width, dtype=int), (x.ndim, 2))
    if mode == "constant":
        return _pad_constant(x, widths=tuple((int(a), int(b)) for a, b in widths), value=constant_values or 0)
    expect("pad: constant_values", constant_values, constant_values is None, f"none with mode {mode!r}")
    for axis, (low, high) in enumerate(widths):
        if low or high:
            order = np.pad(np.arange(x.shape[axis]), (int(low), int(high)), mode=mode)  # type: ignore[call-overload]
            x = x[(*(slice(None),) * axis, order)]
    return x


def tile(x: Any, repeats: int | Sequence[int]) -> Tensor:
    """y = x as a whole, `repeats` times along each axis"""
    x = as_tensor(x)
    times = (repeats,) if isinstance(repeats, int) else tuple(repeats)
    while x.ndim < len(times):
        x = expand_dims(x, 0)
    for axis, n in enumerate(times, start=x.ndim - len(times)):
        if n != 1:
            x = _repeated(x, n, axis) if n > 0 else x[(*(slice(None),) * axis, slice(0))]
    return x


def _repeated(x: Tensor, n: int, axis: int) -> Tensor:
    """x, n times along `axis`, in log(n) steps."""
    half = _repeated(x, n // 2, axis) if n > 1 else x
    return concatenate([half, half, *[x] * (n % 2)], axis=axis) if n > 1 else x


def repeat(x: Any, repeats: int | Sequence[int], axis: int | None = None) -> Tensor:
    """y = each element of x `repeats` times along `axis`, of the flattened x where it is None"""
    x = as_tensor(x)
    if axis is None:
        x, axis = ravel(x), 0
    axis = axis_of(axis, x.ndim)
    counts = np.broadcast_to(np.asarray(repeats), x.shape[axis])
    order = made((int(counts.sum()),), "int32", lambda: np.repeat(np.arange(x.shape[axis]), counts))
    return x[(*(slice(None),) * axis, order)]
