"""Activation functions."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

from ..autograd import Array, Tensor, as_tensor, elementwise, primitive
from ..backends import backend, xp
from ..backends.base import sigmoid as stable_sigmoid
from .arithmetic import abs, square, unary
from .comparison import logical_and, minimum, where
from .functions import exp

__all__ = [
    "act_grad", "elu", "gelu", "leaky_relu", "relu", "relu6", "selu", "sigmoid", "silu", "softplus", "softsign",
    "swish", "tanh",
]  # fmt: skip


def of_own_dtype(formula: Callable[..., Array]) -> Callable[..., Array]:
    """An element-wise formula whose numbers leave the dtype as it is: NumPy makes float32 of bfloat16 and a float."""

    @functools.wraps(formula)
    def rule(x: Array, **static: Any) -> Array:
        y = formula(x, **static)
        return y if y.dtype == x.dtype else y.astype(x.dtype)

    return rule


@primitive
def act_grad(upstream: Array, out: Array, *, act: str | None) -> Array:
    """dz = upstream act'(z), where the derivative is a function of the activation's output, `out`"""
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


tanh = unary("tanh", "y = (e^x - e^-x) / (e^x + e^-x)", lambda g, y: act_grad(g, y, act="tanh"), floating=True)


@elementwise
def relu(x: Array) -> Array:
    """y = max(x, 0)        dx = g where y > 0, else 0"""
    return xp().maximum(x, 0)


@relu.gradient
def _(g, y):
    return act_grad(g, y, act="relu")


@elementwise
@of_own_dtype
def relu6(x: Array) -> Array:
    """y = min(max(x, 0), 6)        dx = g where 0 < y < 6"""
    return xp().clip(x, 0, 6)


@relu6.gradient
def _(g, y):
    return where(logical_and(y > 0, y < 6), g, 0)


@elementwise(floating=True)
@of_own_dtype
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
    return stable_sigmoid(xp(), x)


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
    return x * stable_sigmoid(xp(), x)


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
@of_own_dtype
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
@of_own_dtype
def _gelu(x: Array) -> Array:
    """y = x (1 + erf(x / sqrt 2)) / 2"""
    return x * 0.5 * (1 + backend().erf(x * math.sqrt(0.5)))


@_gelu.gradient
def _(g, x):
    return g * _gelu_slope(x)


@elementwise(floating=True)
@of_own_dtype
def _gelu_slope(x: Array) -> Array:
    """y = P(Z <= x) + x p(x) for a standard normal Z of density p, the derivative of `_gelu`"""
    return 0.5 * (1 + backend().erf(x * math.sqrt(0.5))) + x * xp().exp(-0.5 * x * x) * (1 / math.sqrt(2 * math.pi))


@_gelu_slope.gradient
def _(g, x):
    return g * (2 - x * x) * exp(-0.5 * x * x) * (1 / math.sqrt(2 * math.pi))


_GELU = math.sqrt(2 / math.pi)


@elementwise(floating=True)
@of_own_dtype
def _gelu_tanh(x: Array) -> Array:
    """y = x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) / 2"""
    return 0.5 * x * (1 + xp().tanh(_GELU * (x + 0.044715 * x * x * x)))


@_gelu_tanh.gradient
def _(g, x):
    t = tanh(_GELU * (x + 0.044715 * x * x * x))
    return g * (0.5 * (1 + t) + 0.5 * x * (1 - t * t) * _GELU * (1 + 3 * 0.044715 * x * x))
