"""Powers, exponentials, logarithms, trigonometry."""

from __future__ import annotations

import math

from ..autograd import Array, elementwise
from ..backends import backend, xp
from .arithmetic import rsqrt
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


@elementwise(floating=True)
def exp(x: Array) -> Array:
    """y = e^x"""
    return xp().exp(x)


@exp.gradient
def _(g, y):
    return g * y


@elementwise(floating=True)
def expm1(x: Array) -> Array:
    """y = e^x - 1, exact for small x"""
    return xp().expm1(x)


@expm1.gradient
def _(g, y):
    return g * (y + 1)


@elementwise(floating=True)
def log(x: Array) -> Array:
    """y = ln x"""
    return xp().log(x)


@log.gradient
def _(g, x):
    return g / x


@elementwise(floating=True)
def log1p(x: Array) -> Array:
    """y = ln(1 + x), exact for small x"""
    return xp().log1p(x)


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


@elementwise(floating=True)
def log10(x: Array) -> Array:
    """y = ln x / ln 10"""
    return xp().log10(x)


@log10.gradient
def _(g, x):
    return g / (x * math.log(10))


@elementwise(floating=True)
def sin(x: Array) -> Array:
    """y = sin x"""
    return xp().sin(x)


@sin.gradient
def _(g, x):
    return g * cos(x)


@elementwise(floating=True)
def cos(x: Array) -> Array:
    """y = cos x"""
    return xp().cos(x)


@cos.gradient
def _(g, x):
    return -g * sin(x)


@elementwise(floating=True)
def tan(x: Array) -> Array:
    """y = tan x"""
    return xp().tan(x)


@tan.gradient
def _(g, y):
    return g * (1 + y * y)


@elementwise(floating=True)
def arcsin(x: Array) -> Array:
    """y = arcsin x"""
    return xp().arcsin(x)


@arcsin.gradient
def _(g, x):
    return g * rsqrt(1 - x * x)


@elementwise(floating=True)
def arccos(x: Array) -> Array:
    """y = arccos x"""
    return xp().arccos(x)


@arccos.gradient
def _(g, x):
    return -g * rsqrt(1 - x * x)


@elementwise(floating=True)
def arctan(x: Array) -> Array:
    """y = arctan x"""
    return xp().arctan(x)


@arctan.gradient
def _(g, x):
    return g / (1 + x * x)


@elementwise(floating=True)
def arctan2(x1: Array, x2: Array) -> Array:
    """y = the angle of the point (x2, x1)"""
    return xp().arctan2(x1, x2)


@arctan2.gradient
def _(g, x1, x2):
    return lambda: g * x2 / (x1 * x1 + x2 * x2), lambda: -g * x1 / (x1 * x1 + x2 * x2)


@elementwise(floating=True)
def sinh(x: Array) -> Array:
    """y = (e^x - e^-x) / 2"""
    return xp().sinh(x)


@sinh.gradient
def _(g, x):
    return g * cosh(x)


@elementwise(floating=True)
def cosh(x: Array) -> Array:
    """y = (e^x + e^-x) / 2"""
    return xp().cosh(x)


@cosh.gradient
def _(g, x):
    return g * sinh(x)


@elementwise(floating=True)
def arcsinh(x: Array) -> Array:
    """y = arsinh x"""
    return xp().arcsinh(x)


@arcsinh.gradient
def _(g, x):
    return g * rsqrt(x * x + 1)


@elementwise(floating=True)
def arccosh(x: Array) -> Array:
    """y = arcosh x"""
    return xp().arccosh(x)


@arccosh.gradient
def _(g, x):
    return g * rsqrt(x * x - 1)


@elementwise(floating=True)
def arctanh(x: Array) -> Array:
    """y = artanh x"""
    return xp().arctanh(x)


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
