"""The native backend: NumPy's, with the heavy functions from C++ kernels, and recorded steps replayed in one call.

Arrays are NumPy's. What a kernel cannot take (other dtypes, other ranks) the reference computes.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .. import _native
from ..base import Array, Rule, TracedValueError
from ..numpy import NumpyBackend, reduced_at
from ..window import Window
from .instructions import DTYPES, FLOATS, INDICES, LIMITS
from .kernels import FAST, call, gathers
from .loops import record_loop
from .recording import Recorded, added_at, arrays_in, record
from .replay import Replay
from .updates import recorded_update


class NativeBackend(NumpyBackend):
    name = "native"
    replays = True

    # Arrays -------------------------------------------------------------------------------------------------------

    def array(self, value: Any, dtype: str | None = None) -> Array:
        if isinstance(value, Recorded):
            return value if dtype is None else value.astype(dtype)
        return super().array(value, dtype)

    def numpy(self, array: Array) -> np.ndarray:
        if isinstance(array, Recorded):
            raise TracedValueError(f"a value of dtype {array.dtype} and shape {array.shape}")
        return super().numpy(array)

    def owns(self, value: Any) -> bool:
        return isinstance(value, Recorded) or super().owns(value)

    def traced(self, array: Array) -> bool:
        return isinstance(array, Recorded)

    def compile(self, fn: Callable[..., Any]) -> Callable[..., Any]:
        return Replay(fn)

    def add_at(self, array: Array, index: Any, values: Array) -> Array:
        if arrays_in([array, index, values], Recorded):
            return record(added_at, array, index, values)
        return super().add_at(array, index, values)

    def reduce_at(self, function: str, array: Array, index: Array, values: Array) -> Array:
        if arrays_in([array, index, values], Recorded):
            return record(reduced_at, function, array, index, values)
        return super().reduce_at(function, array, index, values)

    def scan(
        self, step: Callable[[Any, Any], tuple[Any, Any]], carry: Any, xs: Any, length: int, reverse: bool
    ) -> tuple[Any, Any]:
        if arrays_in([carry, xs], Recorded):
            return record_loop(step, carry, xs, length, reverse)
        return super().scan(step, carry, xs, length, reverse)

    # Functions of one number --------------------------------------------------------------------------------------

    def function(self, name: str, formula: Callable[[Array], Array], x: Array) -> Array:
        return FAST[name](x) if name in FAST and x.dtype in FLOATS else formula(x)

    def erf(self, x: Array) -> Array:
        return self.function("erf", super().erf, x)

    def act(self, name: str | None, z: Array) -> Array:
        return self.function(name or "", functools.partial(super().act, name), z)

    # Linear algebra -----------------------------------------------------------------------------------------------

    def matmul(self, a: Array, b: Array) -> Array:
        if not _floats(a, b) or min(a.ndim, b.ndim) < 2 or a.shape[-1] != b.shape[-2] or not (a.size and b.size):
            return super().matmul(a, b)
        if b.ndim == 2 and a.ndim > 2:
            return self._gemm(a.reshape(-1, a.shape[-1]), b, None, None).reshape(*a.shape[:-1], b.shape[-1])
        batch = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
        if len(batch) > 1:
            a = np.broadcast_to(a, (*batch, *a.shape[-2:])).reshape(-1, *a.shape[-2:])
            b = np.broadcast_to(b, (*batch, *b.shape[-2:])).reshape(-1, *b.shape[-2:])
        elif batch:
            a, b = (np.broadcast_to(m, (*batch, *m.shape[-2:])) for m in (a, b))
        y = self._gemm(a, b, None, None)
        return y.reshape(*batch, *y.shape[-2:]) if len(batch) > 1 else y

    def dense(self, x: Array, w: Array, b: Array | None, act: str | None) -> Array:
        if not _floats(x, w, b) or x.ndim < 2 or not x.size:
            return super().dense(x, w, b, act)
        if x.ndim == 2:
            return self._gemm(x, w, b, act)
        return self._gemm(x.reshape(-1, x.shape[-1]), w, b, act).reshape(*x.shape[:-1], w.shape[-1])

    def _gemm(self, a: Array, b: Array, bias: Array | None, act: str | None) -> Array:
        out = (*a.shape[:-1], b.shape[-1])
        return call(
            "gemm", [(out, a.dtype)], [a, b, bias], [_native.ACTIVATIONS[act or "linear"]], strided=frozenset({0, 1})
        )[0]

    # Convolution and pooling --------------------------------------------------------------------------------------

    def conv(self, x: Array, w: Array, b: Array | None, window: Window, act: str | None) -> Array:
        if not _floats(x, w, b) or len(window.size) > LIMITS["MAX_SPATIAL"]:
            return super().conv(x, w, b, window, act)
        out = (x.shape[0], *window.out(x.shape[1:-1]), w.shape[-1])
        return call("conv", [(out, x.dtype)], [x, w, b], _convolution(window, act))[0]

    def conv_grad_w(self, x: Array, g: Array, w_shape: tuple[int, ...], window: Window) -> Array:
        if not _floats(x, g) or len(window.size) > LIMITS["MAX_SPATIAL"]:
            return super().conv_grad_w(x, g, w_shape, window)
        return call("conv_grad_w", [(w_shape, x.dtype), None], [x, g], _convolution(window, None))[0]

    def conv_grad_x(self, g: Array, w: Array, x_shape: tuple[int, ...], window: Window) -> Array:
        if not _floats(g, w) or len(window.size) > LIMITS["MAX_SPATIAL"]:
            return super().conv_grad_x(g, w, x_shape, window)
        return call("conv_grad_x", [(x_shape, g.dtype)], [g, w], _convolution(window, None))[0]

    def max_pool(self, x: Array, window: Window) -> tuple[Array, Array]:
        if not _floats(x) or len(window.size) > LIMITS["MAX_SPATIAL"]:
            return super().max_pool(x, window)
        out = (x.shape[0], *window.out(x.shape[1:-1]), x.shape[-1])
        y, argmax = call("max_pool", [(out, x.dtype), (out, _places(window))], [x], _pooling(window))
        return y, argmax

    def max_pool_grad(self, g: Array, argmax: Array, x_shape: tuple[int, ...], window: Window) -> Array:
        if not _floats(g) or len(window.size) > LIMITS["MAX_SPATIAL"] or argmax.dtype not in (np.uint8, np.int32):
            return super().max_pool_grad(g, argmax, x_shape, window)
        return call("max_pool_grad", [(x_shape, g.dtype)], [g, argmax], _pooling(window))[0]

    def avg_pool(self, x: Array, window: Window) -> Array:
        if not _floats(x) or len(window.size) > LIMITS["MAX_SPATIAL"]:
            return super().avg_pool(x, window)
        out = (x.shape[0], *window.out(x.shape[1:-1]), x.shape[-1])
        return call("avg_pool", [(out, x.dtype)], [x], _pooling(window))[0]

    def avg_pool_grad(self, g: Array, x_shape: tuple[int, ...], window: Window) -> Array:
        if not _floats(g) or len(window.size) > LIMITS["MAX_SPATIAL"]:
            return super().avg_pool_grad(g, x_shape, window)
        return call("avg_pool_grad", [(x_shape, g.dtype)], [g], _pooling(window))[0]

    def conv_pool(
        self, x: Array, w: Array, b: Array | None, window: Window, act: str | None, pool: Window
    ) -> tuple[Array, Array]:
        if not _fuses(window, pool) or not _floats(x, w, b):
            return super().conv_pool(x, w, b, window, act, pool)
        out = (x.shape[0], *pool.out(window.out(x.shape[1:-1])), w.shape[-1])
        outputs = [(out, x.dtype), (out, np.dtype("uint8"))]
        y, argmax = call("conv_pool", outputs, [x, w, b], _convolution(window, act, pool))
        return y, argmax

    def conv_pool_grad(
        self,
        g: Array,
        y: Array,
        argmax: Array,
        x: Array,
        w: Array,
        window: Window,
        act: str | None,
        pool: Window,
        wanted: Sequence[bool] = (True, True, True),
    ) -> tuple[Array | None, Array | None, Array | None]:
        if not (_fuses(window, pool) and _floats(g, y, x, w) and argmax.dtype == np.uint8 and wanted[1]):
            return super().conv_pool_grad(g, y, argmax, x, w, window, act, pool, wanted)
        shapes = (x.shape, w.shape, w.shape[-1:])
        outputs = [(shape, x.dtype) if want else None for shape, want in zip(shapes, wanted, strict=True)]
        dx, dw, db = call("conv_pool_grad", outputs, [g, y, argmax, x, w], _convolution(window, act, pool))
        return dx, dw, db

    def squares(self, arrays: Sequence[Array]) -> Array:
        return _checked(_squares, *arrays)

    # Indexing and random bits -------------------------------------------------------------------------------------

    def gather(self, x: Array, indices: Array, axis: int) -> Array:
        if x.dtype not in DTYPES or indices.dtype not in INDICES or x.ndim == 0:
            return super().gather(x, indices, axis)
        return _checked(_gather, x, indices, axis=axis)

    def scatter_add(self, indices: Array, values: Array, shape: tuple[int, ...], axis: int) -> Array:
        if values.dtype not in FLOATS or indices.dtype not in INDICES:
            return super().scatter_add(indices, values, shape, axis)
        return _checked(_scatter_add, indices, values, shape=shape, axis=axis % len(shape))

    def finite(self, array: np.ndarray) -> bool:
        if array.dtype in FLOATS and 0 < array.ndim <= LIMITS["MAX_RANK"] and gathers(array):
            total = np.empty((), array.dtype)
            _native.call("reduce", 1, [total, array], [_native.REDUCTIONS["sum"], (1 << array.ndim) - 1])
            if np.isfinite(total):  # otherwise it may have overflowed
                return True
        return super().finite(array)

    def take_rows(self, array: np.ndarray, rows: np.ndarray) -> np.ndarray:
        if array.ndim < 2 or not gathers(array) or rows.dtype != np.int64:
            return super().take_rows(array, rows)
        out = np.empty((len(rows), *array.shape[1:]), array.dtype)
        _native.call("gather", 1, [out, array, rows], (0,), ())
        return out

    def random_bits(self, key: Array, n: int) -> Array:
        return call("random_bits", [((n,), np.dtype("uint32"))], [key])[0] if n else super().random_bits(key, n)

    # Optimizers ---------------------------------------------------------------------------------------------------

    def update(
        self, rule: Rule, rows: Sequence[tuple[Array, ...]], decay: tuple[float, Array] | None = None, **hyper: Any
    ) -> list[tuple[Array, ...]]:
        noted = recorded_update(super().update, rule, rows, decay, hyper)
        return super().update(rule, rows, decay, **hyper) if noted is None else noted


def _floats(*arrays: Array | None) -> bool:
    """Whether all arrays have one of the dtypes that the heavy kernels compute in, and the same."""
    dtypes = {a.dtype for a in arrays if a is not None}
    return len(dtypes) == 1 and next(iter(dtypes)) in FLOATS


def _fuses(window: Window, pool: Window) -> bool:
    small = len(window.size) <= LIMITS["MAX_SPATIAL"] and int(np.prod(pool.size)) <= LIMITS["MAX_TAPS"]
    return small and not any(low or high for low, high in pool.pad) and set(pool.dilation) == {1}


def _pooling(window: Window, *more: int) -> list[int]:
    low = (low for low, _ in window.pad)
    return [len(window.size), *more, *window.size, *window.stride, *low, *window.dilation]


def _convolution(window: Window, act: str | None, pool: Window | None = None) -> list[int]:
    numbers = _pooling(window, _native.ACTIVATIONS[act or "linear"])
    return numbers if pool is None else [*numbers, *pool.size, *pool.stride]


def _places(window: Window) -> np.dtype:
    return np.dtype("uint8" if int(np.prod(window.size)) <= LIMITS["MAX_TAPS"] else "int32")


def _checked(function: Callable[..., Array], *arrays: Array, **options: Any) -> Array:
    """A function that looks at values for errors: it stays a call of its own in a recording."""
    function = functools.partial(function, **options)
    return record(function, *arrays) if arrays_in(arrays, Recorded) else function(*arrays)


def _squares(*arrays: np.ndarray) -> np.ndarray:
    wide = [a if a.dtype in FLOATS else a.astype("float32") for a in arrays]
    return np.array([np.vdot(a, a) for a in wide], "float32")


def _gather(x: np.ndarray, indices: np.ndarray, axis: int) -> np.ndarray:
    _check_range(indices, x.shape[axis], axis)
    shape = (*x.shape[:axis], *indices.shape, *x.shape[axis + 1 :])
    return call("gather", [(shape, x.dtype)], [x, indices], [axis])[0]


def _scatter_add(indices: np.ndarray, values: np.ndarray, shape: tuple[int, ...], axis: int) -> np.ndarray:
    _check_range(indices, shape[axis], axis)
    return call("scatter_add", [(shape, values.dtype)], [indices, values], [axis])[0]


def _check_range(indices: np.ndarray, size: int, axis: int) -> None:
    if indices.size and not (-size <= indices.min() and indices.max() < size):
        wrong = indices[(indices < -size) | (indices >= size)].flat[0]
        raise IndexError(f"index {wrong} is out of bounds for axis {axis} with size {size}")


BACKEND = NativeBackend()
