"""Linear algebra: equations, factors, eigenvalues, norms, of matrices (..., rows, columns).

Whole numbers are computed in `floatx`, numbers of 16 bits in 32. Gradients are those of Giles, An extended collection
of matrix derivative results for forward and reverse mode algorithmic differentiation (2008), unless another source is
named.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from .. import config, tree
from ..autograd import (
    Array,
    Spec,
    Tensor,
    as_tensor,
    broadcast_shapes,
    cast,
    primitive,
    sum_to,
)
from ..backends import xp
from ..dtypes import is_float, result_type
from ..naming import one_of
from .arithmetic import abs, divide, square
from .comparison import logical_and, where
from .control import scan
from .linear import _matmul
from .making import arange, eye, tril, triu
from .reduction import argmax, sum, wide_dtype
from .shaping import concatenate, diagonal, expand_dims, moveaxis, squeeze, swapaxes

__all__ = [
    "cholesky", "cholesky_inverse", "inv", "lstsq", "lu_factor", "pinv", "qr", "solve", "solve_triangular",
    "svd",
]  # fmt: skip


def in_wide(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function of matrices whose arithmetic happens in a dtype that LAPACK knows."""

    signature = inspect.signature(function)

    @functools.wraps(function)
    def computed(*args: Any, **kwargs: Any) -> Any:
        given = signature.bind(*args, **kwargs).arguments
        matrices = {name: as_tensor(value) for name, value in given.items() if name in ("a", "b", "x")}
        dtype = result_type(*(x.dtype for x in matrices.values()))
        dtype = dtype if is_float(dtype) else config.floatx()
        result = function(**given | {name: cast(x, dtype=wide_dtype(dtype)) for name, x in matrices.items()})
        return tree.map_structure(lambda y: cast(y, dtype=dtype) if is_float(y.dtype) else y, result)

    return computed


def checked_matrices(name: str, x: Tensor, square: bool = True) -> Tensor:
    """x, if it holds matrices."""
    if x.ndim < 2 or (square and x.shape[-1] != x.shape[-2]):
        raise ValueError(f"{name}: got shape {x.shape}, expected {'square ' if square else ''}matrices (..., m, n)")
    return x


def transposed(x: Tensor) -> Tensor:
    return swapaxes(x, -1, -2)


def symmetric(x: Tensor) -> Tensor:
    return (x + transposed(x)) * 0.5


def diagonal_matrix(x: Tensor) -> Tensor:
    return expand_dims(x, -1) * eye(x.shape[-1], dtype=x.dtype)


# Equations


@in_wide
def solve(a: Any, b: Any) -> Tensor:
    """y = the solution of a y = b        db = a^-T g, da = -db y^T

    a (..., n, n), b (..., n, k), or (..., n) with one dimension less -> as b

    >>> solve([[2.0, 0.0], [0.0, 4.0]], [2.0, 2.0])
    Tensor([1. , 0.5], shape=(2,), dtype=float32)
    """
    checked_matrices("solve", a)
    if b.ndim == a.ndim - 1:
        return squeeze(_solve(a, expand_dims(b, -1)), -1)
    return _solve(a, b)


@primitive(promote=True)
def _solve(a: Array, b: Array) -> Array:
    """y = the solution of a y = b        db = a^-T g, da = -db y^T"""
    return xp().linalg.solve(a, b)


@_solve.gradient
def _(g, y, a, b_shape):
    @functools.cache
    def by_b() -> Tensor:
        return _solve(transposed(a), g)

    return lambda: sum_to(-_matmul(by_b(), transposed(y)), shape=a.shape), lambda: sum_to(by_b(), shape=b_shape)


@_solve.shape
def _(a, b):
    if b.ndim < 2 or a.shape[-1] != b.shape[-2]:
        raise ValueError(f"solve: a of shape {a.shape} does not fit b of shape {b.shape}")
    return Spec((*broadcast_shapes("solve", a.shape[:-2], b.shape[:-2]), *b.shape[-2:]), b.dtype)


@in_wide
def solve_triangular(a: Any, b: Any, lower: bool = False) -> Tensor:
    """y = the solution of a y = b, where a is above its diagonal all that counts, or below it (lower)

    a (..., n, n), b (..., n, k), or (..., n) with one dimension less -> as b
    """
    return solve((tril if lower else triu)(checked_matrices("solve_triangular", a)), b)


@in_wide
def inv(x: Any) -> Tensor:
    """y = x^-1        dx = -y^T g y^T

    >>> inv([[2.0, 0.0], [0.0, 4.0]])
    Tensor([[0.5 , 0.  ],
            [0.  , 0.25]], shape=(2, 2), dtype=float32)
    """
    return _solve(checked_matrices("inv", x), eye(x.shape[-1], dtype=x.dtype))


@in_wide
def pinv(x: Any, rcond: float | None = None) -> Tensor:
    """y = the pseudo-inverse of x: v s^-1 u^T for x = u s v^T, where s > rcond times the largest s

    rcond: by default 10 max(m, n) times the dtype's precision. dx = -y^T g y^T + (1 - x y) g^T y y^T + y^T y g^T (1 - y
    x) where the rank stays (Golub & Pereyra 1973).

    >>> pinv([[1.0], [1.0]]).numpy().round(4)
    array([[0.5, 0.5]], dtype=float32)
    """
    checked_matrices("pinv", x, square=False)
    cut = 10 * max(x.shape[-2:]) * float(np.finfo(x.dtype).eps) if rcond is None else rcond
    return _pinv(x, rcond=float(cut))


@primitive
def _pinv(x: Array, *, rcond: float) -> Array:
    """y = the pseudo-inverse of x, singular values of at most rcond times the largest taken as 0"""
    return xp().linalg.pinv(x, rcond)


@_pinv.gradient
def _(g, y, x):
    yt, gt = transposed(y), transposed(g)
    left, right = _matmul(_matmul(gt, y), yt), _matmul(yt, _matmul(y, gt))
    left, right = left - _matmul(x, _matmul(y, left)), right - _matmul(_matmul(right, y), x)
    return left + right - _matmul(_matmul(yt, g), yt)


@_pinv.shape
def _(x, *, rcond):
    return Spec((*x.shape[:-2], x.shape[-1], x.shape[-2]), x.dtype)


@in_wide
def lstsq(a: Any, b: Any, rcond: float | None = None) -> Tensor:
    """y = the shortest of those that make |a y - b| smallest: pinv(a) b

    a (..., m, n), b (..., m, k), or (m,) -> (..., n, k), or (n,). rcond: singular values of a of at most so many times
    the largest count as 0, by default max(m, n) times the dtype's precision.
    """
    cut = max(a.shape[-2:]) * float(np.finfo(a.dtype).eps) if rcond is None else rcond
    inverse = pinv(a, cut)
    return squeeze(_matmul(inverse, expand_dims(b, -1)), -1) if b.ndim == 1 else _matmul(inverse, b)


# Factors


@in_wide
def cholesky(x: Any, upper: bool = False) -> Tensor:
    """y lower triangular, or `upper`, with y y^T = x (y^T y = x), for symmetric x with eigenvalues > 0

    dx = y^-T P y^-1, symmetric, where P is the lower half of y^T g with half of its diagonal (Murray, Differentiation
    of the Cholesky decomposition, 2016).

    >>> cholesky([[4.0, 2.0], [2.0, 5.0]])
    Tensor([[2., 0.],
            [1., 2.]], shape=(2, 2), dtype=float32)
    """
    y = _cholesky(checked_matrices("cholesky", x))
    return transposed(y) if upper else y


@primitive
def _cholesky(x: Array) -> Array:
    """y lower triangular with y y^T = the symmetric part of x"""
    return xp().linalg.cholesky((x + xp().swapaxes(x, -1, -2)) / 2)


@_cholesky.gradient
def _(g, y):
    half = tril(_matmul(transposed(y), tril(g)))
    half = half - 0.5 * diagonal_matrix(diagonal(half, 0, -2, -1))
    inner = transposed(_solve(transposed(y), half))
    return symmetric(_solve(transposed(y), inner))


@_cholesky.shape
def _(x):
    return x


@in_wide
def cholesky_inverse(x: Any, upper: bool = False) -> Tensor:
    """y = a^-1, where x is the factor that `cholesky(a, upper)` gives"""
    checked_matrices("cholesky_inverse", x)
    inverse = _solve((triu if upper else tril)(x), eye(x.shape[-1], dtype=x.dtype))
    return _matmul(inverse, transposed(inverse)) if upper else _matmul(transposed(inverse), inverse)


@in_wide
def qr(x: Any, mode: str = "reduced") -> tuple[Tensor, Tensor]:
    """(q, r) with x = q r, columns of q orthogonal and of length 1, r upper triangular

    x (..., m, n) -> (..., m, k), (..., k, n) with k = min(m, n), or k = m with mode "complete", which has no gradient
    for m > n. dx = (g_q + q S) r^-T, S the symmetric matrix with the lower half of r g_r^T - g_q^T q (Walter & Lehmann,
    Algorithmic differentiation of linear algebra functions, 2010).
    """
    one_of("qr: mode", mode, "reduced", "complete")
    m, n = checked_matrices("qr", x, square=False).shape[-2:]
    if m >= n:
        return _qr(x, mode=mode)
    q, left = _qr(x[..., :m], mode="reduced")  # further columns are those of r in the basis q
    return q, concatenate([left, _matmul(transposed(q), x[..., m:])], axis=-1)


@primitive
def _qr(x: Array, *, mode: str) -> Any:
    """(q, r) with x = q r, for at least as many rows as columns"""
    return tuple(xp().linalg.qr(x, mode))


@_qr.gradient
def _(g, y, *, mode):
    (g_q, g_r), (q, r) = g, y
    if q.shape[-1] != r.shape[-1]:
        raise TypeError("qr: mode 'complete' has no gradient for more rows than columns; use 'reduced'")
    m = 0.0
    if g_r is not None:
        m = m + _matmul(r, transposed(triu(g_r)))
    if g_q is not None:
        m = m - _matmul(transposed(g_q), q)
    low = tril(m)
    inner = _matmul(q, low + transposed(tril(m, -1)))
    inner = inner if g_q is None else inner + g_q
    return transposed(_solve(r, transposed(inner)))


@_qr.shape
def _(x, *, mode):
    *batch, m, n = x.shape
    k = m if mode == "complete" else n
    return Spec((*batch, m, k), x.dtype), Spec((*batch, k, n), x.dtype)


@in_wide
def lu_factor(x: Any) -> tuple[Tensor, Tensor]:
    """(lu, pivots): l u = x with rows exchanged; l below lu's diagonal, with 1 on its own, and u on and above it

    pivots[i]: which row was exchanged with row i, one exchange after the other. The largest number left in a column
    is taken to its diagonal. x (..., m, n) -> (..., m, n), int32 (..., min(m, n))

    >>> lu_factor([[1.0, 2.0], [2.0, 2.0]])[1]
    Tensor([1, 1], shape=(2,), dtype=int32)
    """
    m, n = checked_matrices("lu_factor", x, square=False).shape[-2:]
    rows, columns = arange(m), arange(n)

    def step(a: Tensor, k: Tensor) -> tuple[Tensor, Tensor]:
        below, here = rows >= k, cast(columns == k, a.dtype)
        pivot = argmax(where(below, abs(sum(a * here, axis=-1)), -1), axis=-1)
        at_pivot = expand_dims(cast(rows == expand_dims(pivot, -1), a.dtype), -1)
        at_k = expand_dims(cast(rows == k, a.dtype), -1)
        chosen, first = sum(a * at_pivot, axis=-2, keepdims=True), sum(a * at_k, axis=-2, keepdims=True)
        a = a + at_k * (chosen - first) + at_pivot * (first - chosen)
        divisor = sum(chosen * here, axis=-1, keepdims=True)
        later = expand_dims(rows > k, -1)
        factor = where(later, sum(a * here, axis=-1, keepdims=True) / where(divisor == 0, 1, divisor), 0)
        a = a - factor * where(columns > k, chosen, 0)
        return where(logical_and(later, columns == k), factor, a), pivot

    lu, pivots = scan(step, x, arange(min(m, n)))
    return lu, moveaxis(pivots, 0, -1)


@in_wide
def svd(x: Any, full_matrices: bool = True, compute_uv: bool = True) -> Any:
    """(u, s, v^T) with x = u s v^T: orthogonal u and v, s >= 0 in descending order; without compute_uv s alone

    x (..., m, n) -> (..., m, m), (..., k), (..., n, n) with k = min(m, n); without full_matrices u and v have k
    columns. With U, V, S for u, v, s: dx = U (F (U^T g_U) S + S F (V^T g_V) + g_S) V^T and what lies outside of U and
    V, where F_ij = 1 / (s_j^2 - s_i^2) takes both halves (Townsend, Differentiating the singular value decomposition,
    2016). Equal singular values, and columns beyond the first k, have no gradient of u and v.
    """
    checked_matrices("svd", x, square=False)
    m, n = x.shape[-2:]
    if full_matrices and compute_uv and m != n:
        return _full_svd(x)
    u, s, vt = _svd(x)
    return (u, s, vt) if compute_uv else s


@primitive
def _svd(x: Array) -> Any:
    """(u, s, v^T) with x = u s v^T, of min(m, n) columns each"""
    return tuple(xp().linalg.svd(x, full_matrices=False))


@_svd.gradient
def _(g, y):
    (g_u, g_s, g_vt), (u, s, vt) = g, y
    ut, v = transposed(u), transposed(vt)
    row, column = expand_dims(s, -2), expand_dims(s, -1)
    gaps = square(row) - square(column)
    over = where(gaps == 0, 0, divide(1, where(gaps == 0, 1, gaps)))
    inverse = where(row == 0, 0, divide(1, where(row == 0, 1, row)))
    inner = 0 if g_s is None else diagonal_matrix(g_s)
    if g_u is not None:
        turn = over * _matmul(ut, g_u)
        inner = inner + (turn + transposed(turn)) * row
    if g_vt is not None:
        turn = over * _matmul(vt, transposed(g_vt))
        inner = inner + column * (turn + transposed(turn))
    dx = _matmul(_matmul(u, inner), vt)
    if g_u is not None and u.shape[-2] > s.shape[-1]:
        dx = dx + _matmul((g_u - _matmul(u, _matmul(ut, g_u))) * inverse, vt)
    if g_vt is not None and vt.shape[-1] > s.shape[-1]:
        dx = dx + _matmul(u * inverse, g_vt - _matmul(_matmul(g_vt, v), vt))
    return dx


@primitive(differentiable=False)
def _full_svd(x: Array) -> Any:
    """(u, s, v^T) with x = u s v^T, u and v square"""
    return tuple(xp().linalg.svd(x, full_matrices=True))


@_full_svd.shape
def _(x):
    *batch, m, n = x.shape
    return Spec((*batch, m, m), x.dtype), Spec((*batch, min(m, n)), x.dtype), Spec((*batch, n, n), x.dtype)


@_svd.shape
def _(x):
    *batch, m, n = x.shape
    k = min(m, n)
    return Spec((*batch, m, k), x.dtype), Spec((*batch, k), x.dtype), Spec((*batch, k, n), x.dtype)
