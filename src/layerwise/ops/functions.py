"""Powers, exponentials, logarithms, trigonometry."""

import functools
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from .. import config
from ..autograd import Array, Tensor, as_tensor, cast, elementwise
from ..backends import backend, xp
from ..dtypes import is_float
from .arithmetic import binary, rsqrt, unary
from .comparison import where

__all__ = [
    "arccos", "arccosh", "arcsin", "arcsinh", "arctan", "arctan2", "arctanh", "cbrt", "cos", "cosh", "deg2rad", "erf",
    "erfc", "erfinv", "exp", "exp2", "expm1", "hypot", "i0", "ldexp", "log", "log10", "log1p", "log2", "logaddexp",
    "logaddexp2", "power", "rad2deg", "sin", "sinc", "sinh", "tan",
]  # fmt: skip


def in_single(formula: Callable[..., Array]) -> Callable[..., Array]:
    """An element-wise formula that computes numbers of 16 bits in 32."""

    @functools.wraps(formula)
    def rule(x: Array, **static: Any) -> Array:
        is_half = x.dtype.itemsize == 2
        return formula(x.astype("float32"), **static).astype(x.dtype) if is_half else formula(x, **static)

    return rule


@elementwise
def power(x1: Array, x2: Array) -> Array:
    """y = x1 ^ x2        dx1 = g x2 x1^(x2-1), taken as 0 where x2 = 0;  dx2 = g y log x1, taken as 0 where x1 = 0"""
    return xp().power(x1, x2)


@power.gradient
def _(g, y, x1, x2):
    return (
        lambda: where(x2 == 0, 0, g * x2 * power(x1, where(x2 == 0, 1, x2 - 1))),
        lambda: where(x1 == 0, 0, g * y * log(where(x1 == 0, 1, x1))),
    )


exp = unary("exp", "y = e^x", lambda g, y: g * y, floating=True)
exp2 = unary("exp2", "y = 2^x", lambda g, y: g * y * math.log(2), floating=True)
cbrt = unary("cbrt", "y = x^(1/3), below 0 as well", lambda g, y: g / (3 * y * y), floating=True)
expm1 = unary("expm1", "y = e^x - 1, exact for small x", lambda g, y: g * (y + 1), floating=True)
log = unary("log", "y = ln x", lambda g, x: g / x, floating=True)
log1p = unary("log1p", "y = ln(1 + x), exact for small x", lambda g, x: g / (1 + x), floating=True)


@elementwise(floating=True)
def log2(x: Array) -> Array:
    """y = ln x / ln 2"""
    return xp().log2(x) if x.dtype.kind != "c" else xp().log(x) / math.log(2)


@log2.gradient
def _(g, x):
    return g / (x * math.log(2))


log10 = unary("log10", "y = ln x / ln 10", lambda g, x: g / (x * math.log(10)), floating=True)
sin = unary("sin", "y = sin x", lambda g, x: g * cos(x), floating=True)
cos: Any = unary("cos", "y = cos x", lambda g, x: -g * sin(x), floating=True)
tan = unary("tan", "y = tan x", lambda g, y: g * (1 + y * y), floating=True)
arcsin = unary("arcsin", "y = arcsin x", lambda g, x: g * rsqrt(1 - x * x), floating=True)
arccos = unary("arccos", "y = arccos x", lambda g, x: -g * rsqrt(1 - x * x), floating=True)
arctan = unary("arctan", "y = arctan x", lambda g, x: g / (1 + x * x), floating=True)


arctan2 = binary("arctan2", "y = the angle of the point (x2, x1)", floating=True)


@arctan2.gradient
def _(g, x1, x2):
    return lambda: g * x2 / (x1 * x1 + x2 * x2), lambda: -g * x1 / (x1 * x1 + x2 * x2)


hypot = binary("hypot", "y = (x1^2 + x2^2)^(1/2)", floating=True)
logaddexp = binary("logaddexp", "y = ln(e^x1 + e^x2)", floating=True)
logaddexp2 = binary("logaddexp2", "y = log2(2^x1 + 2^x2)", floating=True)


@hypot.gradient
def _(g, y, x1, x2):
    return lambda: g * x1 / y, lambda: g * x2 / y


@logaddexp.gradient
def _(g, y, x1, x2):
    return lambda: g * exp(x1 - y), lambda: g * exp(x2 - y)


@logaddexp2.gradient
def _(g, y, x1, x2):
    return lambda: g * exp2(x1 - y), lambda: g * exp2(x2 - y)


def ldexp(x1: Any, x2: Any) -> Tensor:
    """y = x1 2^x2, for whole numbers x2

    >>> ldexp([0.5, 3.0], [2, -1])
    Tensor([2. , 1.5], shape=(2,), dtype=float32)
    """
    x2 = as_tensor(x2)
    if is_float(x2.dtype):
        raise TypeError(f"ldexp: x2: got dtype {x2.dtype}, expected whole numbers")
    x1 = as_tensor(x1)
    return x1 * exp2(cast(x2, x1.dtype if is_float(x1.dtype) else config.floatx()))


deg2rad = unary("deg2rad", "y = x pi / 180", lambda g: g * (math.pi / 180), floating=True)
rad2deg = unary("rad2deg", "y = x 180 / pi", lambda g: g * (180 / math.pi), floating=True)


sinh = unary("sinh", "y = (e^x - e^-x) / 2", lambda g, x: g * cosh(x), floating=True)
cosh: Any = unary("cosh", "y = (e^x + e^-x) / 2", lambda g, x: g * sinh(x), floating=True)
arcsinh = unary("arcsinh", "y = arsinh x", lambda g, x: g * rsqrt(x * x + 1), floating=True)
arccosh = unary("arccosh", "y = arcosh x", lambda g, x: g * rsqrt(x * x - 1), floating=True)
arctanh = unary("arctanh", "y = artanh x", lambda g, x: g / (1 - x * x), floating=True)


@elementwise(floating=True)
def erf(x: Array) -> Array:
    """y = 2 / sqrt(pi) times the integral of e^(-t^2) from 0 to x"""
    return backend().erf(x)


@erf.gradient
def _(g, x):
    return g * (2 / math.sqrt(math.pi)) * exp(-x * x)


@elementwise(floating=True)
@in_single
def erfc(x: Array) -> Array:
    """y = 1 - erf(x); from 1 on 2 / pi e^(-x^2) times the integral of e^(-x^2 t^2) / (1 + t^2) for t from 0

    The integral is a sum: what that misses falls exponentially with the steps' number (Trefethen & Weideman 2014).
    """
    far = xp().maximum(xp().abs(x), 1)
    t = (np.arange(40) + 0.5) * 0.15
    weights = (0.15 * 2 / math.pi / (1 + t * t)).astype(x.dtype)
    tail = xp().exp(-far * far) * xp().sum(
        xp().exp(-xp().square(far[..., None] * t.astype(x.dtype))) * weights, axis=-1
    )
    return xp().where(x < 1, 1 - backend().erf(xp().minimum(x, 1)), tail)


@erfc.gradient
def _(g, x):
    return -g * (2 / math.sqrt(math.pi)) * exp(-x * x)


@elementwise(floating=True)
@in_single
def erfinv(x: Array) -> Array:
    """y = the number of which x is erf, for -1 <= x <= 1        dx = g sqrt(pi) / 2 e^(y^2)

    A guess (Winitzki 2008), and two steps of Halley's.
    """
    size = xp().abs(x)
    inside = xp().where(size < 1, size, 0)
    half, whole = 0.5 * xp().log1p(-inside * inside), 2 / (math.pi * 0.147)
    y = xp().sqrt(xp().maximum(xp().sqrt((whole + half) ** 2 - half * (2 / 0.147)) - (whole + half), 0))
    for _ in range(2):
        missing = xp().where(inside < 0.5, backend().erf(y) - inside, (1 - inside) - erfc.rule(y))
        step = missing * (math.sqrt(math.pi) / 2) * xp().exp(y * y)
        y = y - step / (1 + y * step)
    y = xp().where(size < 1, y, xp().where(size == 1, math.inf, math.nan))
    return (xp().sign(x) * y).astype(x.dtype)


@erfinv.gradient
def _(g, y):
    return g * (math.sqrt(math.pi) / 2) * exp(y * y)


@elementwise(floating=True)
@in_single
def sinc(x: Array) -> Array:
    """y = sin(pi x) / (pi x), 1 at 0"""
    return xp().sinc(x)


@sinc.gradient
def _(g, x):
    at_0 = x == 0
    slope = (cos(math.pi * x) - sinc(x)) / where(at_0, 1, x)
    return g * where(at_0, -(math.pi**2 / 3) * x, slope)  # the series' first term, for the second derivative


def i0(x: Any) -> Tensor:
    """y = 1 / pi times the integral of e^(x cos t) for t from 0 to pi: the modified Bessel function of order 0

    >>> i0([0.0, 1.0]).numpy().round(4)
    array([1.    , 1.2661], dtype=float32)
    """
    return _bessel(x, order=0)


_ANGLES = (np.arange(128) + 0.5) * (np.pi / 128)


@elementwise(floating=True)
@in_single
def _bessel(x: Array, *, order: int) -> Array:
    """y = 1 / pi times the integral of e^(x cos t) cos(order t) for t from 0 to pi, modified Bessel of any order

    A mean over the period of a smooth function: what it misses falls exponentially in the number of angles (Trefethen &
    Weideman 2014), below rounding for |x| < 700.
    """
    powers = xp().exp(x[..., None] * np.cos(_ANGLES).astype(x.real.dtype))
    return xp().mean(powers * np.cos(order * _ANGLES).astype(x.real.dtype), axis=-1)


@_bessel.gradient
def _(g, x, *, order):
    return g * 0.5 * (_bessel(x, order=order - 1) + _bessel(x, order=order + 1))
