"""Element-wise arithmetic and functions. Arguments broadcast and are promoted to one dtype."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..autograd import Array, Tensor, add, as_tensor, elementwise, primitive
from ..backends import backend, xp
from ..dtypes import is_float

__all__ = [
    "abs", "absolute", "act_grad", "arccos", "arccosh", "arcsin", "arcsinh", "arctan", "arctan2", "arctanh", "ceil",
    "clip", "cos", "cosh", "divide", "divide_no_nan", "elu", "equal", "erf", "exp", "expm1", "floor", "floor_divide",
    "gelu", "greater", "greater_equal", "isclose", "isfinite", "isinf", "isnan", "leaky_relu", "less", "less_equal",
    "log", "log10", "log1p", "log2", "logical_and", "logical_not", "logical_or", "logical_xor", "maximum", "minimum",
    "mod", "multiply", "nan_to_num", "negative", "not_equal", "power", "reciprocal", "relu", "relu6", "round", "rsqrt",
    "select", "selu", "sigmoid", "sign", "silu", "sin", "sinh", "softplus", "softsign", "sqrt", "square", "subtract",
    "swish", "tan", "tanh", "true_divide", "where",
]  # fmt: skip

# Arithmetic


@elementwise
def subtract(x1: Array, x2: Array) -> Array:
    """y = x1 - x2"""
    return x1 - x2


@subtract.gradient
def _(g):
    return g, lambda: -g


@elementwise
def multiply(x1: Array, x2: Array) -> Array:
    """y = x1 x2"""
    return x1 * x2


@multiply.gradient
def _(g, x1, x2):
    return lambda: g * x2, lambda: g * x1


@elementwise(floating=True)
def divide(x1: Array, x2: Array) -> Array:
    """y = x1 / x2; whole numbers are divided as `floatx`"""
    return x1 / x2


@divide.gradient
def _(g, y, x2):
    return lambda: g / x2, lambda: -g * y / x2


true_divide = divide


@elementwise
def negative(x: Array) -> Array:
    """y = -x"""
    return -x


@negative.gradient
def _(g):
    return -g


@elementwise(floating=True)
def reciprocal(x: Array) -> Array:
    """y = 1 / x"""
    return 1 / x


@reciprocal.gradient
def _(g, y):
    return -g * y * y


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


@elementwise(differentiable=False)
def floor_divide(x1: Array, x2: Array) -> Array:
    """y = floor(x1 / x2)"""
    return xp().floor_divide(x1, x2)


@elementwise
def mod(x1: Array, x2: Array) -> Array:
    """y = x1 - x2 floor(x1 / x2), which has the sign of x2"""
    return xp().mod(x1, x2)


@mod.gradient
def _(g, x1, x2):
    return g, lambda: -g * floor_divide(x1, x2)


@elementwise
def square(x: Array) -> Array:
    """y = x^2"""
    return x * x


@square.gradient
def _(g, x):
    return g * 2 * x


@elementwise(floating=True)
def sqrt(x: Array) -> Array:
    """y = x^(1/2)"""
    return xp().sqrt(x)


@sqrt.gradient
def _(g, y):
    return g * 0.5 / y


@elementwise(floating=True)
def rsqrt(x: Array) -> Array:
    """y = x^(-1/2)"""
    return 1 / xp().sqrt(x)


@rsqrt.gradient
def _(g, y):
    return g * -0.5 * y * y * y


@elementwise
def absolute(x: Array) -> Array:
    """y = |x|        dx = g sign(x), 0 at 0"""
    return xp().abs(x)


@absolute.gradient
def _(g, x):
    return g * sign(x)


abs = absolute


@elementwise(differentiable=False)
def sign(x: Array) -> Array:
    """y = -1, 0 or 1"""
    return xp().sign(x)


# Exponentials, logarithms, trigonometry


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
def tanh(x: Array) -> Array:
    """y = (e^x - e^-x) / (e^x + e^-x)"""
    return xp().tanh(x)


@tanh.gradient
def _(g, y):
    return act_grad(g, y, act="tanh")


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


# Activations


@primitive
def act_grad(upstream: Array, out: Array, *, act: str | None) -> Array:
    """dz = upstream act'(z), where the derivative is a function of the activation's output"""
    return backend().act_grad(act, out, upstream)


@act_grad.gradient
def _(g, upstream, out, *, act):
    def by_output() -> Any:
        match act:
            case "tanh":
                return g * upstream * (-2 * out)
            case "sigmoid":
                return g * upstream * (1 - 2 * out)
        return None

    return act_grad(g, out, act=act), by_output


@act_grad.shape
def _(upstream, out, *, act):
    return upstream


@elementwise
def relu(x: Array) -> Array:
    """y = max(x, 0)        dx = g where y > 0, else 0"""
    return xp().maximum(x, 0)


@relu.gradient
def _(g, y):
    return act_grad(g, y, act="relu")


@elementwise
def relu6(x: Array) -> Array:
    """y = min(max(x, 0), 6)        dx = g where 0 < y < 6"""
    return xp().clip(x, 0, 6)


@relu6.gradient
def _(g, y):
    return where(logical_and(y > 0, y < 6), g, 0)


@elementwise(floating=True)
def _leaky_relu(x: Array, *, slope: float) -> Array:
    """y = x where x >= 0, else slope x"""
    return xp().where(x >= 0, x, slope * x)


@_leaky_relu.gradient
def _(g, x, *, slope):
    return where(x >= 0, g, slope * g)


def leaky_relu(x: Any, negative_slope: float = 0.2) -> Tensor:
    """y = x where x >= 0, else negative_slope x

    >>> leaky_relu([-1.0, 2.0])
    Tensor([-0.2,  2. ], shape=(2,), dtype=float32)
    """
    return _leaky_relu(x, slope=negative_slope)


@elementwise(floating=True)
def _sigmoid(x: Array) -> Array:
    """y = 1 / (1 + e^-x)"""
    return backend().sigmoid(x)


@_sigmoid.gradient
def _(g, y):
    return act_grad(g, y, act="sigmoid")


def sigmoid(x: Any) -> Tensor:
    """y = 1 / (1 + e^-x); the result remembers x as its logits

    >>> sigmoid(0.0).item()
    0.5
    """
    x = as_tensor(x)
    y = _sigmoid(x)
    return y if y.symbolic else y.note("logits", ("sigmoid", x))


@elementwise(floating=True)
def silu(x: Array) -> Array:
    """y = x sigmoid(x)"""
    return backend().silu(x)


@silu.gradient
def _(g, x):
    s = sigmoid(x)
    return g * (s * (1 + x * (1 - s)))


swish = silu


@elementwise(floating=True)
def softplus(x: Array) -> Array:
    """y = ln(1 + e^x)"""
    if x.dtype.kind == "c":
        return xp().log(1 + xp().exp(x))
    return xp().maximum(x, 0) + xp().log1p(xp().exp(-xp().abs(x)))


@softplus.gradient
def _(g, x):
    return g * sigmoid(x)


@elementwise(floating=True)
def softsign(x: Array) -> Array:
    """y = x / (1 + |x|)"""
    return x / (1 + xp().abs(x))


@softsign.gradient
def _(g, x):
    return g / square(1 + abs(x))


@elementwise(floating=True)
def _elu(x: Array, *, alpha: float) -> Array:
    """y = x where x > 0, else alpha (e^x - 1)"""
    return xp().where(x > 0, x, alpha * xp().expm1(xp().minimum(x, 0)))


@_elu.gradient
def _(g, x, *, alpha):
    return where(x > 0, g, g * alpha * exp(minimum(x, 0)))


def elu(x: Any, alpha: float = 1.0) -> Tensor:
    """y = x where x > 0, else alpha (e^x - 1)

    >>> elu([-1.0, 2.0]).numpy().round(3)
    array([-0.632,  2.   ], dtype=float32)
    """
    return _elu(x, alpha=alpha)


SELU_ALPHA, SELU_SCALE = 1.6732632423543772, 1.0507009873554805


def selu(x: Any) -> Tensor:
    """y = 1.0507 elu(x, 1.6733), the constants that keep mean 0 and variance 1 (Klambauer et al. 2017)"""
    return SELU_SCALE * _elu(x, alpha=SELU_ALPHA)


def gelu(x: Any, approximate: bool = True) -> Tensor:
    """y = x P(Z <= x) for a standard normal Z, or its tanh approximation (Hendrycks & Gimpel 2016)

    >>> gelu([1.0], approximate=False).numpy().round(4)
    array([0.8413], dtype=float32)
    """
    return _gelu_tanh(x) if approximate else _gelu(x)


@elementwise(floating=True)
def _gelu(x: Array) -> Array:
    """y = x (1 + erf(x / sqrt 2)) / 2"""
    return backend().gelu(x, approximate=False)


@_gelu.gradient
def _(g, x):
    return g * _gelu_slope(x)


@elementwise(floating=True)
def _gelu_slope(x: Array) -> Array:
    """y = P(Z <= x) + x p(x) for a standard normal Z of density p, the derivative of `_gelu`"""
    return backend().gelu_slope(x)


@_gelu_slope.gradient
def _(g, x):
    return g * (2 - x * x) * exp(-0.5 * x * x) * (1 / math.sqrt(2 * math.pi))


_GELU = math.sqrt(2 / math.pi)


@elementwise(floating=True)
def _gelu_tanh(x: Array) -> Array:
    """y = x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) / 2"""
    return backend().gelu(x, approximate=True)


@_gelu_tanh.gradient
def _(g, x):
    t = tanh(_GELU * (x + 0.044715 * x * x * x))
    return g * (0.5 * (1 + t) + 0.5 * x * (1 - t * t) * _GELU * (1 + 3 * 0.044715 * x * x))


# Comparison and choice


def _comparison(name: str, doc: str) -> Any:
    def rule(x1, x2):
        return getattr(xp(), name)(x1, x2)

    rule.__name__ = rule.__qualname__ = name
    rule.__doc__ = doc
    return elementwise(rule, differentiable=False, dtype="bool")


equal = _comparison("equal", "y = x1 == x2")
not_equal = _comparison("not_equal", "y = x1 != x2")
greater = _comparison("greater", "y = x1 > x2")
greater_equal = _comparison("greater_equal", "y = x1 >= x2")
less = _comparison("less", "y = x1 < x2")
less_equal = _comparison("less_equal", "y = x1 <= x2")
logical_and = _comparison("logical_and", "y = x1 and x2")
logical_or = _comparison("logical_or", "y = x1 or x2")
logical_xor = _comparison("logical_xor", "y = either x1 or x2")


@elementwise(differentiable=False, dtype="bool")
def logical_not(x: Array) -> Array:
    """y = not x"""
    return xp().logical_not(x)


@elementwise(differentiable=False, dtype="bool")
def isnan(x: Array) -> Array:
    """y = whether x is NaN"""
    return xp().isnan(x)


@elementwise(differentiable=False, dtype="bool")
def isinf(x: Array) -> Array:
    """y = whether x is infinite"""
    return xp().isinf(x)


@elementwise(differentiable=False, dtype="bool")
def isfinite(x: Array) -> Array:
    """y = whether x is neither infinite nor NaN"""
    return xp().isfinite(x)


@elementwise
def maximum(x1: Array, x2: Array) -> Array:
    """y = the larger        the gradient goes to the larger, half to each of equals"""
    return xp().maximum(x1, x2)


@elementwise
def minimum(x1: Array, x2: Array) -> Array:
    """y = the smaller        the gradient goes to the smaller, half to each of equals"""
    return xp().minimum(x1, x2)


@maximum.gradient
def _(g, y, x1, x2):
    half = where(x1 == x2, 0.5 * g, g)
    return lambda: where(x1 == y, half, 0), lambda: where(x2 == y, half, 0)


@minimum.gradient
def _(g, y, x1, x2):
    half = where(x1 == x2, 0.5 * g, g)
    return lambda: where(x1 == y, half, 0), lambda: where(x2 == y, half, 0)


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


@elementwise(differentiable=False, floating=True)
def floor(x: Array) -> Array:
    """y = the largest whole number <= x, as a float"""
    return xp().floor(x)


@elementwise(differentiable=False, floating=True)
def ceil(x: Array) -> Array:
    """y = the smallest whole number >= x, as a float"""
    return xp().ceil(x)


def round(x: Any, decimals: int = 0) -> Tensor:
    """y = x rounded to `decimals` places, halves to even

    >>> round([0.5, 1.5, 2.6])
    Tensor([0., 2., 3.], shape=(3,), dtype=float32)
    """
    return _round(x, decimals=decimals)


@elementwise(differentiable=False)
def _round(x: Array, *, decimals: int) -> Array:
    """y = x rounded to `decimals` places"""
    return xp().round(x, decimals)


def where(condition: Any, x1: Any, x2: Any) -> Tensor:
    """y = x1 where the condition holds, else x2

    >>> where([True, False], 1.0, 2.0)
    Tensor([1., 2.], shape=(2,), dtype=float32)
    """
    return _where(condition, x1, x2)


@primitive(broadcasts=True, promote=("a", "b"))
def _where(condition: Array, a: Array, b: Array) -> Array:
    """y = a where the condition holds, else b"""
    return xp().where(condition, a, b)


@_where.gradient
def _(g, condition):
    return None, lambda: _where(condition, g, 0), lambda: _where(condition, 0, g)


def select(condlist: Sequence[Any], choicelist: Sequence[Any], default: Any = 0) -> Tensor:
    """y = the first choice whose condition holds, else `default`

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
    """y = x with other numbers for NaN, infinity and minus infinity, by default 0 and the dtype's extremes"""
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
    """y = whether |x1 - x2| <= atol + rtol |x2|, or both are the same infinity

    >>> isclose([1.0, 1.0], [1.0 + 1e-6, 1.1])
    Tensor([ True, False], shape=(2,), dtype=bool)
    """
    near = less_equal(absolute(subtract(x1, x2)), add(atol, multiply(rtol, absolute(x2))))
    y = logical_or(equal(x1, x2), logical_and(near, isfinite(x2)))
    return logical_or(y, logical_and(isnan(x1), isnan(x2))) if equal_nan else y
