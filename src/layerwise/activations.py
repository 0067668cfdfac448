"""Activation functions: those of `layerwise.ops`, and short compositions of them.

>>> get("relu")([-1.0, 2.0])
Tensor([0., 2.], shape=(2,), dtype=float32)
"""

from typing import Any

from . import ops
from .autograd import Tensor, as_tensor, stop_gradient
from .catalog import Names
from .lazy import public_only
from .ops import elu, leaky_relu, log_softmax, relu6, selu, sigmoid, silu, softmax, softplus, softsign, tanh
from .serialization import lookups

__all__ = [
    "celu", "elu", "exponential", "gelu", "glu", "hard_shrink", "hard_sigmoid", "hard_silu", "hard_swish", "hard_tanh",
    "leaky_relu", "linear", "log_sigmoid", "log_softmax", "mish", "relu", "relu6", "selu", "sigmoid", "silu",
    "soft_shrink", "softmax", "softplus", "softsign", "sparse_plus", "sparse_sigmoid", "sparsemax", "squareplus",
    "swish", "tanh", "tanh_shrink", "threshold",
    "deserialize", "get", "serialize",
]  # fmt: skip
public_only(__name__)


def linear(x: Any) -> Tensor:
    """y = x"""
    return as_tensor(x)


def exponential(x: Any) -> Tensor:
    """y = e^x"""
    return ops.exp(x)


def relu(x: Any, negative_slope: float = 0.0, max_value: float | None = None, threshold: float = 0.0) -> Tensor:
    """y = min(x, max_value) where x > threshold, else negative_slope (x - threshold)

    >>> relu([-2.0, 1.0, 9.0], negative_slope=0.5, max_value=6)
    Tensor([-1.,  1.,  6.], shape=(3,), dtype=float32)
    """
    x = as_tensor(x)
    if negative_slope == 0 and threshold == 0:
        y = ops.relu(x)
    else:
        y = ops.where(x > threshold, x, negative_slope * (x - threshold))
    return y if max_value is None else ops.minimum(y, max_value)


def gelu(x: Any, approximate: bool = False) -> Tensor:
    """y = x Φ(x), Φ the normal distribution function; `approximate`: by tanh        Hendrycks, Gimpel (2016)"""
    return ops.gelu(x, approximate)


def celu(x: Any, alpha: float = 1.0) -> Tensor:
    """y = x where x > 0, else alpha (e^(x / alpha) - 1)        Barron (2017)"""
    x = as_tensor(x)
    return ops.where(x > 0, x, alpha * ops.expm1(ops.minimum(x, 0) / alpha))


def glu(x: Any, axis: int = -1) -> Tensor:
    """y = a sigmoid(b), where a and b are the halves of x along `axis`        Dauphin et al. (2017)"""
    a, b = ops.split(x, 2, axis)
    return a * sigmoid(b)


def hard_sigmoid(x: Any) -> Tensor:
    """y = min(max(x / 6 + 1/2, 0), 1)"""
    return ops.relu6(as_tensor(x) + 3) / 6


def hard_silu(x: Any) -> Tensor:
    """y = x hard_sigmoid(x)        Howard et al. (2019)"""
    x = as_tensor(x)
    return x * hard_sigmoid(x)


def hard_tanh(x: Any) -> Tensor:
    """y = min(max(x, -1), 1)"""
    return ops.clip(x, -1, 1)


def hard_shrink(x: Any, threshold: float = 0.5) -> Tensor:
    """y = x where |x| > threshold, else 0"""
    x = as_tensor(x)
    return ops.where(ops.abs(x) > threshold, x, 0)


def soft_shrink(x: Any, threshold: float = 0.5) -> Tensor:
    """y = x moved by threshold towards 0, and 0 where it would pass it"""
    x = as_tensor(x)
    return x - ops.clip(x, -threshold, threshold)


def tanh_shrink(x: Any) -> Tensor:
    """y = x - tanh(x)"""
    x = as_tensor(x)
    return x - tanh(x)


def threshold(x: Any, threshold: float, default_value: float) -> Tensor:
    """y = x where x > threshold, else default_value"""
    x = as_tensor(x)
    return ops.where(x > threshold, x, default_value)


def log_sigmoid(x: Any) -> Tensor:
    """y = ln(1 / (1 + e^-x))"""
    return -softplus(-as_tensor(x))


def mish(x: Any) -> Tensor:
    """y = x tanh(softplus(x))        Misra (2019)"""
    x = as_tensor(x)
    return x * tanh(softplus(x))


def squareplus(x: Any, b: float = 4) -> Tensor:
    """y = (x + sqrt(x² + b)) / 2        Barron (2021)"""
    x = as_tensor(x)
    return (x + ops.sqrt(x * x + b)) / 2


def sparse_plus(x: Any) -> Tensor:
    """y = 0 where x <= -1, x where x >= 1, (x + 1)² / 4 between"""
    x = as_tensor(x)
    return ops.where(x >= 1, x, ops.square(ops.clip(x, -1, 1) + 1) / 4)


def sparse_sigmoid(x: Any) -> Tensor:
    """y = min(max((x + 1) / 2, 0), 1)"""
    return ops.clip((as_tensor(x) + 1) / 2, 0, 1)


def sparsemax(x: Any, axis: int = -1) -> Tensor:
    """y = max(x - t, 0) with t such that y sums to 1 along `axis`        Martins, Astudillo (2016)

    >>> sparsemax([3.0, 2.5, -1.0])
    Tensor([0.75, 0.25, 0.  ], shape=(3,), dtype=float32)
    """
    x = ops.moveaxis(as_tensor(x), axis, -1)
    falling = ops.flip(ops.sort(stop_gradient(x)), axis=-1)
    counts = ops.arange(1, x.shape[-1] + 1, dtype=x.dtype)
    in_support = 1 + counts * falling > ops.cumsum(falling, axis=-1)
    smallest = ops.min(ops.where(in_support, falling, float("inf")), axis=-1, keepdims=True)
    support = x >= smallest
    total = ops.sum(ops.where(support, x, 0), axis=-1, keepdims=True)
    t = (total - 1) / ops.sum(ops.cast(support, x.dtype), axis=-1, keepdims=True)
    return ops.moveaxis(ops.where(support, x - t, 0), -1, axis)


swish, hard_swish = silu, hard_silu

get, serialize, deserialize = lookups(
    "activation", Names("activations", classes=False, functions=True), example="relu", none="linear"
)
