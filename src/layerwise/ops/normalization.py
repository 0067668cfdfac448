"""Normalisation."""

from __future__ import annotations

import functools
import math
from typing import Any

from ..autograd import Array, Spec, Tensor, add, as_tensor, broadcast_shapes, broadcast_to, primitive, reshape, sum_to
from ..backends import backend
from .activation import act_grad
from .reduction import kept_shape, sum
from .shaping import axis_of

__all__ = [
    "batch_normalization", "standardize",
]  # fmt: skip


@primitive(promote=("x", "gamma", "beta"), floating=True)
def standardize(
    x: Array, gamma: Array = None, beta: Array = None, *, axes: tuple[int, ...], epsilon: float, act: str | None = None
) -> Any:
    """y = act((x - mean) / sqrt(var + epsilon) * gamma + beta), returned with mean and var

    Mean and variance are taken over `axes` and keep them with size 1; gamma and beta broadcast to x, or are None.
    """
    return backend().norm_act(x, gamma, beta, axes, epsilon, act)


@standardize.gradient
def _(g, y, x, gamma, beta_shape, *, axes, epsilon, act):
    g_y, g_mean, g_var = g
    out, mean_x, var_x = y
    g_y = g_y if g_y is None or act is None else act_grad(g_y, out, act=act)
    rstd = (var_x + epsilon) ** -0.5
    centred = x - mean_x
    count = math.prod(x.shape[a] for a in axes)
    # Where gamma is constant over the axes, the sums that dx needs are the gradients of gamma and beta.
    outside = gamma is not None and broadcast_shapes("standardize", gamma.shape, mean_x.shape) == mean_x.shape
    inner = g_y if g_y is None or gamma is None or outside else g_y * gamma

    @functools.cache
    def sums() -> tuple[Any, Any]:
        return sum(inner, axis=axes, keepdims=True), sum(inner * centred, axis=axes, keepdims=True) * rstd

    def parameter(shape: Any, which: int) -> Any:
        if g_y is None:
            return None
        if inner is g_y and broadcast_shapes("standardize", shape, mean_x.shape) == mean_x.shape:
            return sum_to(sums()[which], shape=shape)
        return sum_to(g_y * (centred * rstd) if which else g_y, shape=shape)

    def dx() -> Any:
        parts = []
        if g_y is not None:
            level, slope = sums()
            scale, shift, factor = rstd * gamma if outside else rstd, level / count, rstd * slope / count
            parts.append(scale * (inner - centred * factor - shift))
        if g_mean is not None:
            parts.append(broadcast_to(g_mean / count, x.shape))
        if g_var is not None:
            parts.append(g_var * (2 / count) * centred)
        return functools.reduce(add, parts) if parts else None

    return (dx, lambda: parameter(gamma.shape, 1), lambda: parameter(beta_shape, 0))


@standardize.shape
def _(x, gamma=None, beta=None, *, axes, epsilon, act=None):
    statistics = Spec(kept_shape(x.shape, axes), x.dtype)
    return x, statistics, statistics


def batch_normalization(
    x: Any, mean: Any, variance: Any, axis: int, offset: Any = None, scale: Any = None, epsilon: float = 1e-3
) -> Tensor:
    """y = (x - mean) / sqrt(variance + epsilon) * scale + offset, with statistics and parameters along `axis`"""
    x = as_tensor(x)
    shape = tuple(n if i == axis_of(axis, x.ndim) else 1 for i, n in enumerate(x.shape))
    along = [None if v is None else reshape(as_tensor(v), shape) for v in (mean, variance, scale, offset)]
    factor = (along[1] + epsilon) ** -0.5  # type: ignore[operator]
    factor = factor if along[2] is None else factor * along[2]
    shift = -along[0] * factor if along[3] is None else along[3] - along[0] * factor  # type: ignore[operator]
    return x * factor + shift
