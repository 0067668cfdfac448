"""Normalisation."""

from __future__ import annotations

import functools
import math
from typing import Any

from .. import config
from ..autograd import (
    Array,
    Spec,
    Tensor,
    add,
    as_tensor,
    broadcast_shapes,
    broadcast_to,
    cast,
    primitive,
    reshape,
    sum_to,
)
from ..backends import backend
from ..dtypes import result_type
from ..naming import expect
from .activation import act_grad
from .arithmetic import rsqrt, square
from .reduction import kept_shape, mean, sum
from .shaping import axes_of, axis_of

__all__ = [
    "batch_normalization", "layer_normalization", "rms_normalization", "standardize",
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


def layer_normalization(
    x: Any, gamma: Any = None, beta: Any = None, axis: Any = -1, epsilon: float | None = None, **kwargs: Any
) -> Tensor:
    """y = (x - mean) / sqrt(variance + epsilon) gamma + beta, mean and variance of each example over `axis`

    gamma and beta: shaped as x is along these axes, or None. epsilon: by default `config.epsilon()`. kwargs: none.
    (Ba, Kiros, Hinton 2016)

    >>> layer_normalization([1.0, 3.0]).numpy().round(3)
    array([-1.,  1.], dtype=float32)
    """
    expect("layer_normalization: kwargs", kwargs, not kwargs, "none; for rms_scaling take rms_normalization")
    x, axes = as_tensor(x), axes_of(axis, as_tensor(x).ndim)
    scale, shift = (None if v is None else _along(v, x, axes) for v in (gamma, beta))
    wide = cast(x, dtype=result_type(x.dtype, "float32"))
    y = standardize(wide, scale, shift, axes=axes, epsilon=config.epsilon() if epsilon is None else epsilon)[0]
    return cast(y, dtype=x.dtype)


def rms_normalization(x: Any, scale: Any = None, axis: Any = -1, epsilon: float | None = None) -> Tensor:
    """y = x / sqrt(mean(x^2) + epsilon) scale, the mean of each example over `axis`

    scale: what broadcasts to x, or None. epsilon: by default `config.epsilon()`. (Zhang, Sennrich 2019)

    >>> rms_normalization([3.0, 4.0]).numpy().round(3)
    array([0.849, 1.131], dtype=float32)
    """
    x = as_tensor(x)
    wide = cast(x, dtype=result_type(x.dtype, "float32"))
    squares = mean(square(wide), axis=axes_of(axis, x.ndim), keepdims=True)
    y = wide * rsqrt(squares + (config.epsilon() if epsilon is None else epsilon))
    return cast(y if scale is None else y * scale, dtype=x.dtype)


def _along(v: Any, x: Tensor, axes: tuple[int, ...]) -> Tensor:
    """A parameter of the shape that x has along these axes, as it broadcasts to x."""
    v = as_tensor(v)
    return (
        v
        if v.ndim == x.ndim or axes == (x.ndim - 1,)
        else reshape(v, tuple(n if i in axes else 1 for i, n in enumerate(x.shape)))
    )
