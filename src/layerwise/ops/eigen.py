"""Eigenvalues and determinants of square matrices (..., n, n)."""

from typing import Any

from ..autograd import Array, Spec, Tensor, primitive
from ..backends import xp
from .comparison import where
from .linear import _matmul
from .matrices import checked_matrices, diagonal_matrix, in_wide, inv, symmetric, transposed
from .shaping import expand_dims

__all__ = ["det", "eigh", "logdet", "slogdet"]


@in_wide
def eigh(x: Any) -> tuple[Tensor, Tensor]:
    """(w, v) with x v = v w, for symmetric x: the eigenvalues w in ascending order, orthogonal eigenvectors in columns

    dx = v (F (v^T g_v) + g_w) v^T, symmetric, with F_ij = 1 / (w_j - w_i); equal eigenvalues have no gradient of v.

    >>> eigh([[2.0, 0.0], [0.0, 1.0]])[0]
    Tensor([1., 2.], shape=(2,), dtype=float32)
    """
    return _eigh(checked_matrices("eigh", x))


@primitive
def _eigh(x: Array) -> Any:
    """(w, v) with x v = v w, of the symmetric part of x"""
    return tuple(xp().linalg.eigh((x + xp().swapaxes(x, -1, -2)) / 2))


@_eigh.gradient
def _(g, y):
    (g_w, g_v), (w, v) = g, y
    inner = 0 if g_w is None else diagonal_matrix(g_w)
    if g_v is not None:
        gaps = expand_dims(w, -2) - expand_dims(w, -1)
        inner = inner + where(gaps == 0, 0, _matmul(transposed(v), g_v) / where(gaps == 0, 1, gaps))
    return symmetric(_matmul(_matmul(v, inner), transposed(v)))


@_eigh.shape
def _(x):
    return Spec(x.shape[:-1], x.dtype), x


@in_wide
def det(x: Any) -> Tensor:
    """y = the determinant of x        dx = g y x^-T, of matrices that have an inverse

    >>> det([[2.0, 0.0], [0.0, 4.0]]).item()
    8.0
    """
    return _det(checked_matrices("det", x))


@primitive
def _det(x: Array) -> Array:
    """y = the determinant of x        dx = g y x^-T"""
    return xp().linalg.det(x)


@_det.gradient
def _(g, y, x):
    return expand_dims(g * y, (-2, -1)) * transposed(inv(x))


@_det.shape
def _(x):
    return Spec(x.shape[:-2], x.dtype)


@in_wide
def slogdet(x: Any) -> tuple[Tensor, Tensor]:
    """(sign, ln |y|) of the determinant y of x        dx = g x^-T, g that of the second"""
    return _slogdet(checked_matrices("slogdet", x))


@primitive
def _slogdet(x: Array) -> Any:
    """(sign, ln |y|) of the determinant y of x"""
    return tuple(xp().linalg.slogdet(x))


@_slogdet.gradient
def _(g, x):
    return None if g[1] is None else expand_dims(g[1], (-2, -1)) * transposed(inv(x))


@_slogdet.shape
def _(x):
    return Spec(x.shape[:-2], x.dtype), Spec(x.shape[:-2], x.dtype)


def logdet(x: Any) -> Tensor:
    """y = ln det x, of matrices with a determinant > 0        dx = g x^-T"""
    return slogdet(x)[1]
