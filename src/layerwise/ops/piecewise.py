"""Activations made of straight pieces, and other short compositions."""

from typing import Any

from ..autograd import Tensor, as_tensor, cast, stop_gradient
from .activation import relu6, sigmoid, softplus, tanh
from .arithmetic import abs, sqrt, square
from .comparison import clip, minimum, where
from .functions import expm1
from .making import arange
from .reduction import cumsum, min, sort, sum
from .shaping import flip, moveaxis, split

__all__ = [
    "celu", "glu", "hard_shrink", "hard_sigmoid", "hard_silu", "hard_swish", "hard_tanh", "log_sigmoid", "soft_shrink",
    "sparse_plus", "sparse_sigmoid", "sparsemax", "squareplus", "tanh_shrink", "threshold",
]  # fmt: skip


def celu(x: Any, alpha: float = 1.0) -> Tensor:
    """y = x where x > 0, else alpha (e^(x / alpha) - 1)        Barron (2017)"""
    x = as_tensor(x)
    return where(x > 0, x, alpha * expm1(minimum(x, 0) / alpha))


def glu(x: Any, axis: int = -1) -> Tensor:
    """y = a sigmoid(b), where a and b are the halves of x along `axis`        Dauphin et al. (2017)"""
    a, b = split(x, 2, axis)
    return a * sigmoid(b)


def hard_sigmoid(x: Any) -> Tensor:
    """y = min(max(x / 6 + 1/2, 0), 1)"""
    return relu6(as_tensor(x) + 3) / 6


def hard_silu(x: Any) -> Tensor:
    """y = x hard_sigmoid(x)        Howard et al. (2019)"""
    x = as_tensor(x)
    return x * hard_sigmoid(x)


def hard_tanh(x: Any) -> Tensor:
    """y = min(max(x, -1), 1)"""
    return clip(x, -1, 1)


def hard_shrink(x: Any, threshold: float = 0.5) -> Tensor:
    """y = x where |x| > threshold, else 0"""
    x = as_tensor(x)
    return where(abs(x) > threshold, x, 0)


def soft_shrink(x: Any, threshold: float = 0.5) -> Tensor:
    """y = x moved by threshold towards 0, and 0 where it would pass it"""
    x = as_tensor(x)
    return x - clip(x, -threshold, threshold)


def tanh_shrink(x: Any) -> Tensor:
    """y = x - tanh(x)"""
    x = as_tensor(x)
    return x - tanh(x)


def threshold(x: Any, threshold: float, default_value: float) -> Tensor:
    """y = x where x > threshold, else default_value"""
    x = as_tensor(x)
    return where(x > threshold, x, default_value)


def log_sigmoid(x: Any) -> Tensor:
    """y = ln(1 / (1 + e^-x))"""
    return -softplus(-as_tensor(x))


def squareplus(x: Any, b: float = 4) -> Tensor:
    """y = (x + sqrt(x² + b)) / 2        Barron (2021)"""
    x = as_tensor(x)
    return (x + sqrt(x * x + b)) / 2


def sparse_plus(x: Any) -> Tensor:
    """y = 0 where x <= -1, x where x >= 1, (x + 1)² / 4 between"""
    x = as_tensor(x)
    return where(x >= 1, x, square(clip(x, -1, 1) + 1) / 4)


def sparse_sigmoid(x: Any) -> Tensor:
    """y = min(max((x + 1) / 2, 0), 1)"""
    return clip((as_tensor(x) + 1) / 2, 0, 1)


def sparsemax(x: Any, axis: int = -1) -> Tensor:
    """y = max(x - t, 0) with t such that y sums to 1 along `axis`        Martins, Astudillo (2016)

    >>> sparsemax([3.0, 2.5, -1.0])
    Tensor([0.75, 0.25, 0.  ], shape=(3,), dtype=float32)
    """
    x = moveaxis(as_tensor(x), axis, -1)
    falling = flip(sort(stop_gradient(x)), axis=-1)
    counts = arange(1, x.shape[-1] + 1, dtype=x.dtype)
    in_support = 1 + counts * falling > cumsum(falling, axis=-1)
    smallest = min(where(in_support, falling, float("inf")), axis=-1, keepdims=True)
    support = x >= smallest
    total = sum(where(support, x, 0), axis=-1, keepdims=True)
    t = (total - 1) / sum(cast(support, x.dtype), axis=-1, keepdims=True)
    return moveaxis(where(support, x - t, 0), -1, axis)


hard_swish = hard_silu
