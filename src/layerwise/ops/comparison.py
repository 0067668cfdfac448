"""Comparing, and choosing by what holds. Arguments broadcast and are promoted to one dtype."""

import builtins
import functools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..autograd import Array, Spec, Tensor, add, as_tensor, cast, elementwise, primitive
from ..backends import xp
from ..dtypes import is_float, standardize_dtype
from .arithmetic import absolute, binary, divide, multiply, subtract, unary

__all__ = [
    "clip", "divide_no_nan", "equal", "fmax", "fmin", "greater", "greater_equal", "heaviside", "isclose", "isfinite",
    "isin", "isinf", "isnan", "isneginf", "isposinf", "isreal", "less", "less_equal", "logical_and", "logical_not",
    "logical_or", "logical_xor", "maximum", "minimum", "nan_to_num", "nextafter", "nonzero", "not_equal",
    "saturate_cast", "select", "signbit", "where",
]  # fmt: skip

_comparison = functools.partial(binary, differentiable=False, dtype="bool")
_condition = functools.partial(unary, differentiable=False, dtype="bool")

equal = _comparison("equal", "y = x1 == x2")
not_equal = _comparison("not_equal", "y = x1 != x2")
greater = _comparison("greater", "y = x1 > x2")
greater_equal = _comparison("greater_equal", "y = x1 >= x2")
less = _comparison("less", "y = x1 < x2")
less_equal = _comparison("less_equal", "y = x1 <= x2")

logical_and = _comparison("logical_and", "y = x1 and x2")
logical_or = _comparison("logical_or", "y = x1 or x2")
logical_xor = _comparison("logical_xor", "y = either x1 or x2")
logical_not = _condition("logical_not", "y = not x")

isnan = _condition("isnan", "y = whether x is NaN")
isinf = _condition("isinf", "y = whether x is infinite")
isfinite = _condition("isfinite", "y = whether x is neither infinite nor NaN")
isposinf = _condition("isposinf", "y = whether x is infinity")
isneginf = _condition("isneginf", "y = whether x is minus infinity")
isreal = _condition("isreal", "y = whether x has no imaginary part")
signbit = _condition("signbit", "y = whether x has a minus sign, as -0.0 does")


maximum = binary("maximum", "y = the larger of x1 and x2        the gradient goes to it, half to each of equals")
minimum = binary("minimum", "y = the smaller of x1 and x2        the gradient goes to it, half to each of equals")
fmax = binary("fmax", "y = the larger of x1 and x2, the other where one is NaN")
fmin = binary("fmin", "y = the smaller of x1 and x2, the other where one is NaN")


@maximum.gradient
@minimum.gradient
@fmax.gradient
@fmin.gradient
def _(g, y, x1, x2):
    half = where(x1 == x2, 0.5 * g, g)
    return lambda: where(x1 == y, half, 0), lambda: where(x2 == y, half, 0)


heaviside = binary("heaviside", "y = 0 where x1 < 0, x2 where x1 = 0, else 1", differentiable=False, floating=True)
nextafter = binary("nextafter", "y = the float next to x1 in the direction of x2", differentiable=False, floating=True)


def clip(x: Any, x_min: Any, x_max: Any) -> Tensor:
    """y = min(max(x, x_min), x_max)        dx = g where x_min <= x <= x_max

    >>> clip([-2, 0, 5], -1, 1)
    Tensor([-1,  0,  1], shape=(3,), dtype=int32)
    """
    return _clip(x, x_min, x_max)


@elementwise
def _clip(x: Array, low: Array, high: Array) -> Array:
    """y = min(max(x, low), high)"""
    return xp().minimum(xp().maximum(x, low), high)


@_clip.gradient
def _(g, x, low, high):
    inside = logical_and(x >= low, x <= high)
    return where(inside, g, 0), lambda: where(logical_and(x < low, low <= high), g, 0), lambda: where(x > high, g, 0)


def where(condition: Any, x1: Any = None, x2: Any = None) -> Any:
    """y = x1 where the condition holds, else x2; of a condition alone the indices where it holds, axis by axis

    >>> where([True, False], 1.0, 2.0)
    Tensor([1., 2.], shape=(2,), dtype=float32)
    """
    if x1 is None and x2 is None:
        return tuple(as_tensor(places.astype("int32")) for places in np.nonzero(np.asarray(condition)))
    if x1 is None or x2 is None:
        raise ValueError("where: got one of x1 and x2, expected both, or a condition alone")
    return _where(condition, x1, x2)


@primitive(broadcasts=True, promote=("a", "b"))
def _where(condition: Array, a: Array, b: Array) -> Array:
    """y = a where the condition holds, else b"""
    return xp().where(condition, a, b)


@_where.gradient
def _(g, condition):
    return None, lambda: _where(condition, g, 0), lambda: _where(condition, 0, g)


def nonzero(x: Any) -> tuple[Tensor, ...]:
    """y = the indices at which x is not 0, axis by axis; int32

    >>> nonzero([0, 3, 4])
    (Tensor([1, 2], shape=(2,), dtype=int32),)
    """
    return where(not_equal(x, 0))


def isin(x1: Any, x2: Any, assume_unique: bool = False, invert: bool = False) -> Tensor:
    """y = whether each of x1 is among x2, or with `invert` whether it is not; `assume_unique` has no effect

    >>> isin([1, 2, 3], [3, 1])
    Tensor([ True, False,  True], shape=(3,), dtype=bool)
    """
    return _isin(x1, x2, invert=invert)


@primitive(promote=True, differentiable=False)
def _isin(x1: Array, x2: Array, *, invert: bool) -> Array:
    """y = whether each of x1 is among x2, or with `invert` whether it is not"""
    return xp().isin(x1, x2, invert=invert)


@_isin.shape
def _(x1, x2, *, invert):
    return Spec(x1.shape, "bool")


def saturate_cast(x: Any, dtype: Any) -> Tensor:
    """y = x as `dtype`, what lies outside of its range at the nearest end of it

    >>> saturate_cast([-5.0, 300.0], "uint8")
    Tensor([  0, 255], shape=(2,), dtype=uint8)
    """
    x, dtype = as_tensor(x), standardize_dtype(dtype)
    ends = [range_of(name) for name in (x.dtype, dtype)]
    low, high = builtins.max(low for low, _ in ends), builtins.min(high for _, high in ends)
    return cast(cast(clip(x, low, high), dtype=x.dtype), dtype=dtype)


def range_of(dtype: str) -> tuple[Any, Any]:
    """The smallest and the largest number of a dtype."""
    if dtype == "bool":
        return 0, 1
    if is_float(dtype):
        return -_largest(dtype), _largest(dtype)
    return int(np.iinfo(dtype).min), int(np.iinfo(dtype).max)


def select(condlist: Sequence[Any], choicelist: Sequence[Any], default: Any = 0) -> Tensor:
    """y = the first of `choicelist` whose condition in `condlist` holds, else `default`

    >>> select([[True, False], [True, True]], [[1, 1], [2, 2]])
    Tensor([1, 2], shape=(2,), dtype=int32)
    """
    y = default
    for condition, choice in zip(reversed(condlist), reversed(choicelist), strict=True):
        y = where(condition, choice, y)
    return as_tensor(y)


def divide_no_nan(x1: Any, x2: Any) -> Tensor:
    """y = x1 / x2, 0 where x2 = 0"""
    zero = equal(x2, 0)
    return where(zero, 0, divide(x1, where(zero, 1, x2)))


def nan_to_num(x: Any, nan: float = 0.0, posinf: float | None = None, neginf: float | None = None) -> Tensor:
    """y = x with `nan`, `posinf`, `neginf` for NaN, infinity and minus infinity: 0 and the dtype's extremes"""
    x = as_tensor(x)
    if not is_float(x.dtype):
        return x
    largest = _largest(x.dtype)
    x = where(isnan(x), nan, x)
    x = where(equal(x, math.inf), largest if posinf is None else posinf, x)
    return where(equal(x, -math.inf), -largest if neginf is None else neginf, x)


def _largest(dtype: str) -> float:
    return 3.3895313892515355e38 if dtype == "bfloat16" else float(np.finfo(dtype).max)


def isclose(x1: Any, x2: Any, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False) -> Tensor:
    """y = whether |x1 - x2| <= atol + rtol |x2|, or both are the same infinity or, with `equal_nan`, NaN

    >>> isclose([1.0, 1.0], [1.0 + 1e-6, 1.1])
    Tensor([ True, False], shape=(2,), dtype=bool)
    """
    near = less_equal(absolute(subtract(x1, x2)), add(atol, multiply(rtol, absolute(x2))))
    y = logical_or(equal(x1, x2), logical_and(near, isfinite(x2)))
    return logical_or(y, logical_and(isnan(x1), isnan(x2))) if equal_nan else y
