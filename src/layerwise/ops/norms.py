"""Norms of vectors and matrices."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import config
from ..autograd import Tensor, as_tensor, cast
from ..dtypes import is_float, standardize_dtype
from ..naming import expect
from .arithmetic import abs, sqrt, square
from .comparison import maximum
from .matrices import checked_matrices, svd
from .reduction import amax, amin, sum
from .shaping import Axis, axis_of, expand_dims, transpose

__all__ = ["matrix_rank", "norm", "normalize"]


def norm(x: Any, ord: Any = None, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """y = (sum |x|^ord)^(1/ord): 2 (the default), 1, inf, -inf, 0 or any number, of vectors along `axis`

    Of matrices, which a pair of axes spans, or the two of x where axis is None: "fro" (the default) is the root of the
    sum of squares, "nuc" the sum of the singular values, 2 and -2 the largest and smallest of them, inf and -inf
    those of the rows' sums of |x|, 1 and -1 those of the columns'. Without axis and ord x counts as one vector.
    keepdims: with size 1 there. Norms by singular values have
    derivatives where these differ.

    >>> norm([[1.0, -2.0], [3.0, 4.0]], ord=1).item()
    6.0
    """
    x = as_tensor(x, None if is_float(as_tensor(x).dtype) else standardize_dtype(None))
    axes: Axis = tuple(range(x.ndim)) if axis is None and ord is not None else axis
    if ord is not None and not isinstance(axes, int) and axes is not None and len(axes) != 1:
        return _matrix_norm(x, ord, axes, keepdims)
    match ord:
        case None | 2 | "euclidean":
            return sqrt(sum(square(x), axis=axis, keepdims=keepdims))
        case str():
            raise ValueError(f"norm: ord: got {ord!r} for vectors, expected a number")
        case 1:
            return sum(abs(x), axis=axis, keepdims=keepdims)
        case 0:
            return sum(cast(x != 0, x.dtype), axis=axis, keepdims=keepdims)
    if ord in (float("inf"), float("-inf")):
        return (amax if ord > 0 else amin)(abs(x), axis=axis, keepdims=keepdims)
    return sum(abs(x) ** ord, axis=axis, keepdims=keepdims) ** (1.0 / ord)


def _matrix_norm(x: Tensor, ord: Any, axes: Sequence[int], keepdims: bool) -> Tensor:
    """The norm of the matrices with rows along the first of two axes, columns along the second."""
    if len(axes) != 2:
        raise ValueError(f"norm: ord: got {ord!r} for {len(axes)} axes of shape {x.shape}, expected one axis or two")
    rows, columns = (axis_of(a, x.ndim) for a in axes)
    if ord == "fro":
        return sqrt(sum(square(x), axis=(rows, columns), keepdims=keepdims))
    if ord not in ("nuc", 1, -1, 2, -2, float("inf"), -float("inf")):
        raise ValueError(f"norm: ord: got {ord!r} for matrices, expected 'fro', 'nuc', 1, -1, 2, -2, inf or -inf")
    others = [i for i in range(x.ndim) if i not in (rows, columns)]
    matrices = transpose(x, (*others, rows, columns))
    if ord in ("nuc", 2, -2):
        values = svd(matrices, compute_uv=False)
    else:
        values = sum(abs(matrices), axis=-2 if ord in (1, -1) else -1)
    y = sum(values, axis=-1) if ord == "nuc" else (amax if ord > 0 else amin)(values, axis=-1)
    return expand_dims(y, (rows, columns)) if keepdims else y


def normalize(x: Any, axis: Axis = -1, order: Any = 2, epsilon: float | None = None) -> Tensor:
    """y = x / max(norm(x, order), epsilon) along `axis`"""
    x = as_tensor(x)
    expect("normalize: order", order, isinstance(order, int | float) and order >= 1, "a number >= 1")
    order = None if order == 2 else order  # entries count as those of one vector
    return x / maximum(norm(x, order, axis, keepdims=True), config.epsilon() if epsilon is None else epsilon)


def matrix_rank(x: Any, tol: float | None = None) -> Tensor:
    """y = how many singular values of x are larger than tol; int32

    tol: by default the largest of them times max(m, n) and the dtype's precision.
    """
    x = checked_matrices("matrix_rank", as_tensor(x), square=False)
    s = svd(x, compute_uv=False)
    cut = s[..., :1] * (max(x.shape[-2:]) * float(np.finfo(s.dtype).eps)) if tol is None else tol
    return sum(cast(s > cut, "int32"), axis=-1)
