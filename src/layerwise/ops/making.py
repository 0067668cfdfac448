"""Making arrays, and asking what one is."""

import builtins
import math
from typing import Any

import numpy as np

from .. import config
from ..autograd import (
    Array,
    Operators,
    Spec,
    Tensor,
    as_tensor,
    broadcast_to,
    cast,
    check_count,
    made,
    primitive,
    reshape,
)
from ..backends import backend, xp
from ..dtypes import standardize_dtype
from ..naming import one_of
from .arithmetic import absolute, sign
from .comparison import where
from .functions import exp, log, power
from .shaping import diagonal, expand_dims, moveaxis, pad, swapaxes

__all__ = [
    "arange", "array", "bartlett", "blackman", "convert_to_numpy", "convert_to_tensor", "diag", "empty", "eye", "full",
    "full_like", "geomspace", "hamming", "hanning", "identity", "is_tensor", "kaiser", "linspace", "logspace",
    "meshgrid", "ndim", "one_hot", "ones", "ones_like", "shape", "size", "tri", "tril", "triu", "zeros", "zeros_like",
]  # fmt: skip


def convert_to_tensor(x: Any, dtype: Any = None, sparse: bool | None = None) -> Tensor:
    """`x` as a Tensor; memory is not shared with a NumPy array given. `sparse` has no effect.

    >>> convert_to_tensor([1, 2], dtype="float32")
    Tensor([1., 2.], shape=(2,), dtype=float32)
    """
    x = np.array(x) if isinstance(x, np.ndarray) else x
    return as_tensor(x, standardize_dtype(dtype) if dtype is not None else None)


array = convert_to_tensor


def convert_to_numpy(x: Any) -> np.ndarray:
    """`x` as a NumPy array."""
    return np.array(as_tensor(x))


def is_tensor(x: Any) -> bool:
    """Whether `x` is a Tensor."""
    return type(x) is Tensor


def shape(x: Any) -> tuple[int, ...]:
    """The sizes of x's dimensions."""
    return as_tensor(x).shape


def size(x: Any) -> int:
    """How many elements x has."""
    return as_tensor(x).size


def ndim(x: Any) -> int:
    """How many dimensions x has."""
    return as_tensor(x).ndim


def _filled(shape: Any, value: Any, dtype: str) -> Tensor:
    shape = (shape,) if isinstance(shape, int) else tuple(shape)
    return made(shape, dtype, lambda: xp().full(shape, backend().array(value, dtype)))


def zeros(shape: Any, dtype: Any = None) -> Tensor:
    """y = 0 everywhere, of this shape; dtype: by default `floatx`"""
    return _filled(shape, 0, standardize_dtype(dtype))


def ones(shape: Any, dtype: Any = None) -> Tensor:
    """y = 1 everywhere, of this shape; dtype: by default `floatx`"""
    return _filled(shape, 1, standardize_dtype(dtype))


empty = zeros


def full(shape: Any, fill_value: Any, dtype: Any = None) -> Tensor:
    """y = fill_value everywhere, of this shape; dtype: by default `floatx`"""
    return _broadcast(as_tensor(fill_value, standardize_dtype(dtype)), shape)


def _broadcast(x: Tensor, shape: Any) -> Tensor:
    return broadcast_to(x, (shape,) if isinstance(shape, int) else tuple(shape))


@primitive(differentiable=False)
def _constant_like(x: Array, *, value: Any, dtype: str) -> Array:
    """y = value, in the shape of x"""
    return xp().full(x.shape, backend().array(value, dtype))


@_constant_like.shape
def _(x, *, value, dtype):
    return Spec(x.shape, dtype)


def zeros_like(x: Any, dtype: Any = None) -> Tensor:
    """y = 0, in the shape of x; dtype: by default x's"""
    return full_like(x, 0, dtype)


def ones_like(x: Any, dtype: Any = None) -> Tensor:
    """y = 1, in the shape of x; dtype: by default x's"""
    return full_like(x, 1, dtype)


def full_like(x: Any, fill_value: Any, dtype: Any = None) -> Tensor:
    """y = fill_value, in the shape of x; dtype: by default x's"""
    x = as_tensor(x)
    return _constant_like(x, value=fill_value, dtype=x.dtype if dtype is None else standardize_dtype(dtype))


def arange(start: Any, stop: Any = None, step: Any = None, dtype: Any = None) -> Tensor:
    """y = start, start + step, ... below stop; dtype: int32 where all are whole, otherwise `floatx`"""
    start, stop = (0, start) if stop is None else (start, stop)
    step = 1 if step is None else step
    if dtype is None:
        whole = builtins.all(isinstance(n, int | np.integer) for n in (start, stop, step))
        dtype = "int32" if whole else config.floatx()
    dtype = standardize_dtype(dtype)
    count = builtins.max(0, math.ceil((stop - start) / step)) if step else 0
    return made((count,), dtype, lambda: np.arange(start, stop, step, dtype=dtype))


def linspace(
    start: Any, stop: Any, num: int = 50, endpoint: bool = True, retstep: bool = False, dtype: Any = None, axis: int = 0
) -> Any:
    """y = `num` numbers from start to stop, evenly spaced along a new `axis`; with `retstep` also their distance

    endpoint: whether stop is the last of them. dtype: by default `floatx`.
    """
    if any(isinstance(end, Operators) and not end._is_plain() for end in (start, stop)):
        start, stop = as_tensor(start), as_tensor(stop)
        shares, share = np.linspace(0.0, 1.0, num, endpoint=endpoint, retstep=True)
        distance = stop - start
        y = start + shares.astype(distance.dtype).reshape(-1, *(1,) * distance.ndim) * distance
        y = cast(moveaxis(y, 0, axis), y.dtype if dtype is None else dtype)
        return (y, distance * share) if retstep else y
    check_count("linspace", num * np.broadcast(start, stop).size)
    values, step = np.linspace(np.asarray(start), np.asarray(stop), num, endpoint=endpoint, retstep=True, axis=axis)
    y = Tensor(backend().array(values, standardize_dtype(dtype)))
    return (y, as_tensor(step, y.dtype)) if retstep else y


def logspace(
    start: Any, stop: Any, num: int = 50, endpoint: bool = True, base: Any = 10, dtype: Any = None, axis: int = 0
) -> Tensor:
    """y = `num` numbers from base^start to base^stop along a new `axis`, each as many times the one before

    endpoint: whether the end is the last of them. dtype: by default `floatx`.
    """
    return cast(power(base, linspace(start, stop, num, endpoint, axis=axis)), standardize_dtype(dtype))


def geomspace(start: Any, stop: Any, num: int = 50, endpoint: bool = True, dtype: Any = None, axis: int = 0) -> Tensor:
    """y = `num` numbers from start to stop, of one sign, along a new `axis`, each as many times the one before

    endpoint: whether stop is the last of them. dtype: by default `floatx`.

    >>> geomspace(1, 8, 4).numpy().round(4)
    array([1., 2., 4., 8.], dtype=float32)
    """
    start, stop = as_tensor(start), as_tensor(stop)
    y = sign(start) * exp(linspace(log(absolute(start)), log(absolute(stop)), num, endpoint, axis=0))
    return cast(moveaxis(y, 0, axis), standardize_dtype(dtype))


def _window(name: str, doc: str) -> Any:
    """A function of the number of weights: the window that NumPy calls `name`."""

    def window(x: Any) -> Tensor:
        return made((int(x),), config.floatx(), lambda: getattr(np, name)(int(x)))

    window.__name__ = window.__qualname__ = name
    window.__doc__ = doc
    return window


bartlett = _window("bartlett", "y_n = 1 - |2 n / (x - 1) - 1| for n = 0 ... x - 1: a triangle")
blackman = _window("blackman", "y_n = 0.42 - 0.5 cos(t) + 0.08 cos(2 t), t = 2 pi n / (x - 1), for n = 0 ... x - 1")
hamming = _window("hamming", "y_n = 0.54 - 0.46 cos(2 pi n / (x - 1)) for n = 0 ... x - 1")
hanning = _window("hanning", "y_n = 0.5 - 0.5 cos(2 pi n / (x - 1)) for n = 0 ... x - 1: one wave of a cosine")


def kaiser(x: Any, beta: Any) -> Tensor:
    """y_n = I0(beta sqrt(1 - (2 n / (x - 1) - 1)^2)) / I0(beta) for n = 0 ... x - 1 (Kaiser 1974)

    The larger beta is, the narrower the window; 0 makes it a rectangle.
    """
    return made((int(x),), config.floatx(), lambda: np.kaiser(int(x), float(beta)))


def eye(N: int, M: int | None = None, k: int = 0, dtype: Any = None) -> Tensor:
    """y = 1 on the k-th diagonal of N rows and M columns (None: N), 0 elsewhere; dtype: by default `floatx`"""
    return made((N, N if M is None else M), standardize_dtype(dtype), lambda: np.eye(N, M, k))


def identity(n: int, dtype: Any = None) -> Tensor:
    """y = the identity matrix of n rows; dtype: by default `floatx`"""
    return eye(n, dtype=dtype)


def tri(N: int, M: int | None = None, k: int = 0, dtype: Any = None) -> Tensor:
    """y = 1 on and below the k-th diagonal of N rows and M columns (None: N), 0 above; dtype: by default `floatx`"""
    return made((N, N if M is None else M), standardize_dtype(dtype), lambda: np.tri(N, M, k, dtype=bool))


def tril(x: Any, k: int = 0) -> Tensor:
    """y = x on and below the k-th diagonal, 0 above"""
    x = as_tensor(x)
    return where(tri(x.shape[-2], x.shape[-1], k, "bool"), x, as_tensor(0, x.dtype))


def triu(x: Any, k: int = 0) -> Tensor:
    """y = x on and above the k-th diagonal, 0 below"""
    x = as_tensor(x)
    return where(tri(x.shape[-2], x.shape[-1], k - 1, "bool"), as_tensor(0, x.dtype), x)


def diag(x: Any, k: int = 0) -> Tensor:
    """y = the matrix with x on its k-th diagonal; of a matrix, its k-th diagonal"""
    x = as_tensor(x)
    if x.ndim == 2:
        return diagonal(x, k)
    n = x.shape[0] + builtins.abs(k)
    padded = pad(x, [(builtins.max(k, 0), builtins.max(-k, 0))])
    return eye(n, k=k, dtype=x.dtype) * padded


def meshgrid(*x: Any, indexing: str = "xy") -> list[Tensor]:
    """y = the coordinates of the grid that vectors span, one array for each; indexing: rows are y ("xy") or x ("ij")"""
    one_of("meshgrid: indexing", indexing, "xy", "ij")
    vectors = [reshape(as_tensor(v), (-1,)) for v in x]
    shape = [v.shape[0] for v in vectors]
    grids = []
    for i, v in enumerate(vectors):
        form = [1] * len(vectors)
        form[i] = shape[i]
        grids.append(_broadcast(reshape(v, tuple(form)), shape))
    return [swapaxes(g, 0, 1) for g in grids] if indexing == "xy" and len(grids) > 1 else grids


def one_hot(x: Any, num_classes: int, axis: int = -1, dtype: Any = None, sparse: bool = False) -> Tensor:
    """y[..., c] = 1 where x = c, else 0; nowhere for an x outside 0 ... num_classes - 1

    axis: where c stands among the others. `sparse` has no effect.

    >>> one_hot([2, 0], 3)
    Tensor([[0., 0., 1.],
            [1., 0., 0.]], shape=(2, 3), dtype=float32)
    """
    x = as_tensor(x)
    hot = cast(expand_dims(x, -1) == arange(num_classes, dtype=x.dtype), standardize_dtype(dtype))
    return hot if axis in (-1, x.ndim) else moveaxis(hot, -1, axis)
