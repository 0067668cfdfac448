"""Powers, exponentials, logarithms, trigonometry."""

import math
from typing import Any

from ..autograd import Array, elementwise
from ..backends import backend, xp
from .arithmetic import binary, rsqrt, unary
from .comparison import where

__all__ = [
    "arccos", "arccosh", "arcsin", "arcsinh", "arctan", "arctan2", "arctanh", "cos", "cosh", "erf", "exp", "expm1",
    "log", "log10", "log1p", "log2", "power", "sin", "sinh", "tan",
]  # fmt: skip


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
