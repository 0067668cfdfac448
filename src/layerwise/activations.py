"""Activation functions: those of `layerwise.ops`, and short compositions of them.

>>> get("relu")([-1.0, 2.0])
Tensor([0., 2.], shape=(2,), dtype=float32)
"""

from typing import Any

from . import ops
from .autograd import Tensor, as_tensor
from .catalog import Names
from .lazy import public_only
from .ops import (
    celu,
    elu,
    glu,
    hard_shrink,
    hard_sigmoid,
    hard_silu,
    hard_tanh,
    leaky_relu,
    log_sigmoid,
    log_softmax,
    relu6,
    selu,
    sigmoid,
    silu,
    soft_shrink,
    softmax,
    softplus,
    softsign,
    sparse_plus,
    sparse_sigmoid,
    sparsemax,
    squareplus,
    tanh,
    tanh_shrink,
    threshold,
)
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


def mish(x: Any) -> Tensor:
    """y = x tanh(softplus(x))        Misra (2019)"""
    x = as_tensor(x)
    return x * tanh(softplus(x))


swish, hard_swish = silu, hard_silu

get, serialize, deserialize = lookups(
    "activation", Names("activations", classes=False, functions=True), example="relu", none="linear"
)
