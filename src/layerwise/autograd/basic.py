"""The primitives that the tape itself uses."""

import math
from typing import Any

from ..backends import backend, xp
from ..dtypes import standardize_dtype
from .calls import operation
from .operands import as_tensor
from .primitive import elementwise, primitive
from .symbolic import Array, Spec, broadcast_shapes
from .tape import Tensor, raw


@elementwise
def add(x1: Array, x2: Array) -> Array:
    """y = x1 + x2"""
    return x1 + x2 if x1.dtype != bool else xp().logical_or(x1, x2)


@add.gradient
def _(g):
    return g, g


@primitive
def cast(x: Array, *, dtype: str) -> Array:
    """y = x as `dtype`"""
    return backend().array(x, standardize_dtype(dtype))


@cast.gradient
def _(g, x_dtype):
    return cast(g, dtype=x_dtype)


@cast.shape
def _(x, *, dtype):
    return Spec(x.shape, standardize_dtype(dtype))


@primitive
def broadcast_to(x: Array, *, shape: tuple[int, ...]) -> Array:
    """y[..., i] = x[..., i or 0], of the given shape: repeated along dimensions of size 1 and new leading ones"""
    return xp().broadcast_to(x, shape)


@broadcast_to.gradient
def _(g, x_shape):
    return sum_to(g, shape=x_shape)


@broadcast_to.shape
def _(x, *, shape):
    if broadcast_shapes("broadcast_to", x.shape, tuple(shape)) != tuple(shape):
        raise ValueError(f"broadcast_to: shape {x.shape} does not broadcast to {tuple(shape)}")
    return Spec(tuple(shape), x.dtype)


@primitive
def _sum_to(x: Array, *, shape: tuple[int, ...]) -> Array:
    """y = x summed over all that broadcasting `shape` to x.shape repeats"""
    return backend().sum_to(x, shape)


@_sum_to.gradient
def _(g, x_shape):
    n = len(x_shape) - g.ndim
    return broadcast_to(reshape(g, (1,) * n + g.shape), x_shape)


@_sum_to.shape
def _(x, *, shape):
    return Spec(tuple(shape), x.dtype)


def sum_to(x: Any, *, shape: tuple[int, ...]) -> Any:
    """`x` summed to `shape`, the reverse of broadcasting."""
    return x if tuple(x.shape) == tuple(shape) else _sum_to(x, shape=tuple(shape))


@primitive
def reshape(x: Array, *, newshape: tuple[int, ...]) -> Array:
    """y = the elements of x, in order, in the shape `newshape`, of whose sizes one may be -1: what is left"""
    if min(newshape if isinstance(newshape, tuple | list) else (newshape,), default=0) < -1:  # which NumPy takes for -1
        raise ValueError(f"reshape: newshape: got {newshape}, expected sizes >= 0, and at most one -1")
    return xp().reshape(x, newshape)


@reshape.gradient
def _(g, x_shape):
    return reshape(g, x_shape)


@reshape.shape(unknown=True)
def _(x, *, newshape):
    shape = (newshape,) if isinstance(newshape, int) else tuple(newshape)
    if None in shape:
        raise ValueError(f"reshape: newshape: got {shape}; None is a size that is not known yet, write -1 instead")
    if min(shape, default=0) < -1 or shape.count(-1) > 1:
        raise ValueError(f"reshape: newshape: got {shape}, expected sizes >= 0, and at most one -1")
    if None in x.shape:
        return Spec(tuple(None if n == -1 else n for n in shape), x.dtype)
    known = math.prod(n for n in shape if n != -1)
    if (-1 in shape and (known == 0 or x.size % known)) or (-1 not in shape and known != x.size):
        raise ValueError(f"reshape: cannot arrange the {x.size} elements of shape {x.shape} as {shape}")
    return Spec(tuple(x.size // known if n == -1 else n for n in shape), x.dtype)


@operation
def stop_gradient(variable: Any) -> Tensor:
    """y = variable, which may be any Tensor, and no gradient flows back, at any level."""
    return Tensor(raw(as_tensor(variable)))
