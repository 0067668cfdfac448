"""Powers, exponentials, logarithms, trigonometry."""

from __future__ import annotations

import math

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


exp = unary("exp", "y = e^x", floating=True)


@exp.gradient
def _(g, y):
    return g * y


expm1 = unary("expm1", "y = e^x - 1, exact for small x", floating=True)


@expm1.gradient
def _(g, y):
    return g * (y + 1)


log = unary("log", "y = ln x", floating=True)


@log.gradient
def _(g, x):
    return g / x


log1p = unary("log1p", "y = ln(1 + x), exact for small x", floating=True)


@log1p.gradient
def _(g, x):
    return g / (1 + x)


@elementwise(floating=True)
def log2(x: Array) -> Array:
    """y = ln x / ln 2"""
    return xp().log2(x) if x.dtype.kind != "c" else xp().log(x) / math.log(2)


@log2.gradient
def _(g, x):
    return g / (x * math.log(2))


log10 = unary("log10", "y = ln x / ln 10", floating=True)


@log10.gradient
def _(g, x):
    return g / (x * math.log(10))


sin = unary("sin", "y = sin x", floating=True)


@sin.gradient
def _(g, x):
    return g * cos(x)


cos = unary("cos", "y = cos x", floating=True)


@cos.gradient
def _(g, x):
    return -g * sin(x)


tan = unary("tan", "y = tan x", floating=True)


@tan.gradient
def _(g, y):
    return g * (1 + y * y)


arcsin = unary("arcsin", "y = arcsin x", floating=True)


@arcsin.gradient
def _(g, x):
    return g * rsqrt(1 - x * x)


arccos = unary("arccos", "y = arccos x", floating=True)


@arccos.gradient
def _(g, x):
    return -g * rsqrt(1 - x * x)


arctan = unary("arctan", "y = arctan x", floating=True)


@arctan.gradient
def _(g, x):
    return g / (1 + x * x)


arctan2 = binary("arctan2", "y = the angle of the point (x2, x1)", floating=True)


@arctan2.gradient
def _(g, x1, x2):
    return lambda: g * x2 / (x1 * x1 + x2 * x2), lambda: -g * x1 / (x1 * x1 + x2 * x2)


sinh = unary("sinh", "y = (e^x - e^-x) / 2", floating=True)


@sinh.gradient
def _(g, x):
    return g * cosh(x)


cosh = unary("cosh", "y = (e^x + e^-x) / 2", floating=True)


@cosh.gradient
def _(g, x):
    return g * sinh(x)


arcsinh = unary("arcsinh", "y = arsinh x", floating=True)


@arcsinh.gradient
def _(g, x):
    return g * rsqrt(x * x + 1)


arccosh = unary("arccosh", "y = arcosh x", floating=True)


@arccosh.gradient
def _(g, x):
    return g * rsqrt(x * x - 1)


arctanh = unary("arctanh", "y = artanh x", floating=True)


@arctanh.gradient
def _(g, x):
    return g / (1 - x * x)


@elementwise(floating=True)
def erf(x: Array) -> Array:
    """y = 2 / sqrt(pi) times the integral of e^(-t^2) from 0 to x"""
    return backend().erf(x)


@erf.gradient
def _(g, x):
    return g * (2 / math.sqrt(math.pi)) * exp(-x * x)
