"""Arithmetic. Arguments broadcast and are promoted to one dtype."""

from collections.abc import Callable
from typing import Any

from ..autograd import Array, Tensor, elementwise
from ..backends import xp

__all__ = [
    "abs", "absolute", "bitwise_and", "bitwise_invert", "bitwise_left_shift", "bitwise_not", "bitwise_or",
    "bitwise_right_shift", "bitwise_xor", "ceil", "divide", "fabs", "floor", "floor_divide", "fmod", "gcd", "lcm",
    "left_shift", "mod", "multiply", "negative", "reciprocal", "right_shift", "round", "rsqrt", "sign", "sqrt",
    "square", "subtract", "true_divide", "trunc",
]  # fmt: skip


def unary(name: str, doc: str, gradient: Callable[..., Any] | None = None, **options: Any) -> Any:
    """The element-wise operation of one array that NumPy calls `name`; the options are those of `Primitive`."""
    operation = _called(name, doc, lambda x: getattr(xp(), name)(x), options)
    if gradient is not None:
        operation.gradient(gradient)
    return operation


def binary(name: str, doc: str, **options: Any) -> Any:
    """The same of two arrays, whose gradient stands under it."""
    return _called(name, doc, lambda x1, x2: getattr(xp(), name)(x1, x2), options)


def _called(name: str, doc: str, rule: Any, options: dict[str, Any]) -> Any:
    rule.__name__ = rule.__qualname__ = name
    rule.__doc__ = doc
    return elementwise(rule, **options)


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


floor_divide = binary("floor_divide", "y = floor(x1 / x2)", differentiable=False)


mod = binary("mod", "y = x1 - x2 floor(x1 / x2), which has the sign of x2")


@mod.gradient
def _(g, x1, x2):
    return g, lambda: -g * floor_divide(x1, x2)


@elementwise
def square(x: Array) -> Array:
    """y = x^2; int32 of bool"""
    x = x.astype("int32") if x.dtype == bool else x
    return x * x


@square.gradient
def _(g, x):
    return g * 2 * x


sqrt = unary("sqrt", "y = x^(1/2)", lambda g, y: g * 0.5 / y, floating=True)


@elementwise(floating=True)
def rsqrt(x: Array) -> Array:
    """y = x^(-1/2)"""
    return 1 / xp().sqrt(x)


@rsqrt.gradient
def _(g, y):
    return g * -0.5 * y * y * y


sign = unary("sign", "y = -1 where x < 0, 0 where x = 0, 1 where x > 0", differentiable=False)
absolute = unary("absolute", "y = |x|        dx = g sign(x), 0 at 0", lambda g, x: g * sign(x))
abs = absolute
fabs = unary("fabs", "y = |x|, as a float        dx = g sign(x), 0 at 0", lambda g, x: g * sign(x), floating=True)


floor = unary("floor", "y = the largest whole number <= x, as a float", differentiable=False, floating=True)


ceil = unary("ceil", "y = the smallest whole number >= x, as a float", differentiable=False, floating=True)


@elementwise(differentiable=False)
def trunc(x: Array) -> Array:
    """y = x without what stands behind the point"""
    return xp().trunc(x) if x.dtype.kind not in "biu" else x


fmod = binary("fmod", "y = x1 - x2 trunc(x1 / x2), which has the sign of x1")


@fmod.gradient
def _(g, x1, x2):
    return g, lambda: -g * trunc(x1 / x2)


gcd = binary("gcd", "y = the greatest whole number that divides both x1 and x2", differentiable=False)
lcm = binary("lcm", "y = the least whole number that both x1 and x2 divide", differentiable=False)


def _bits(name: str, doc: str) -> Any:
    """What NumPy calls `name`, of the bits of whole numbers x and y."""
    return _called(name, doc, lambda x, y: getattr(xp(), name)(x, y), {"differentiable": False})


bitwise_and = _bits("bitwise_and", "y = the bits that are set in both x and y")
bitwise_or = _bits("bitwise_or", "y = the bits that are set in x or y")
bitwise_xor = _bits("bitwise_xor", "y = the bits that are set in either x or y")
bitwise_not = bitwise_invert = unary("bitwise_not", "y = the bits that are not set in x", differentiable=False)
left_shift = bitwise_left_shift = _bits("left_shift", "y = x 2^y, bits that do not fit falling off")
right_shift = bitwise_right_shift = _bits("right_shift", "y = floor(x / 2^y)")


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
