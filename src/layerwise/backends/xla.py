"""The XLA backend, through JAX: the same rules traced once and compiled, for accelerators and clusters."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

try:
    import jax
    import jax.numpy as jnp
    from jax import lax
except ImportError as error:  # pragma: no cover - the test environment has JAX
    raise ImportError("the xla backend needs JAX: pip install 'layerwise[xla]'") from error

from .base import Array, Backend, TracedValueError, Window


class XlaBackend(Backend):
    name = "xla"
    xp = jnp

    def array(self, value: Any, dtype: str | None = None) -> Array:
        if dtype is not None:
            self.check_dtype(dtype)
        elif getattr(value, "dtype", None) in (np.int64, np.uint64):
            _check_range(value)
        return jnp.asarray(value, dtype)

    def numpy(self, array: Array) -> np.ndarray:
        if self.traced(array):
            raise TracedValueError(f"a value of dtype {array.dtype} and shape {array.shape}")
        return np.asarray(array)

    def check_dtype(self, dtype: str) -> None:
        """JAX would only warn, and compute in 32 bits. NumPy's 64-bit data, where no dtype is named, become 32-bit."""
        if jax.dtypes.canonicalize_dtype(dtype).name != dtype:
            raise TypeError(
                f"dtype: got {dtype!r}, which the xla backend has only where the environment has JAX_ENABLE_X64=1; "
                f"set it, use {dtype.replace('64', '32')!r}, or the numpy backend"
            )

    def traced(self, array: Array) -> bool:
        return isinstance(array, jax.core.Tracer)

    def leaked(self, error: Exception) -> bool:
        return isinstance(error, jax.errors.UnexpectedTracerError)

    def owns(self, value: Any) -> bool:
        return isinstance(value, jax.Array)

    def compile(self, fn: Callable[..., Any]) -> Callable[..., Any]:
        return jax.jit(fn)

    def scan(
        self, step: Callable[[Any, Any], tuple[Any, Any]], carry: Any, xs: Any, length: int, reverse: bool
    ) -> tuple[Any, Any]:
        return lax.scan(step, carry, xs, length, reverse)

    def add_at(self, array: Array, index: Any, values: Array) -> Array:
        return array.at[index].add(values)

    def erf(self, x: Array) -> Array:
        return lax.erf(x)

    def _convolve(self, x: Array, w: Array, window: Window) -> Array:
        rank = len(window.size)
        letters = "".join(chr(ord("0") + i) for i in range(rank))
        return lax.conv_general_dilated(
            x,
            w,
            window.stride,
            window.pad,
            rhs_dilation=window.dilation,
            dimension_numbers=(f"N{letters}C", f"{letters}IO", f"N{letters}C"),
            feature_group_count=x.shape[-1] // w.shape[-2],
        )

    def conv(self, x: Array, w: Array, b: Array | None, window: Window, act: str | None) -> Array:
        y = self._convolve(x, w, window)
        return self.act(act, y if b is None else y + b)

    def conv_grad_w(self, x: Array, g: Array, w_shape: tuple[int, ...], window: Window) -> Array:
        w = jax.ShapeDtypeStruct(w_shape, x.dtype)
        return jax.linear_transpose(functools.partial(self._convolve, x, window=window), w)(g)[0]

    def conv_grad_x(self, g: Array, w: Array, x_shape: tuple[int, ...], window: Window) -> Array:
        x = jax.ShapeDtypeStruct(x_shape, g.dtype)
        return jax.linear_transpose(lambda x: self._convolve(x, w, window), x)(g)[0]


def _check_range(integers: np.ndarray) -> None:
    limits = np.iinfo(jax.dtypes.canonicalize_dtype(integers.dtype))
    if integers.size and not (limits.min <= integers.min() and integers.max() <= limits.max):
        raise OverflowError(
            f"whole numbers from {integers.min()} to {integers.max()} do not fit {limits.dtype}, the widest that the "
            "xla backend has unless the environment has JAX_ENABLE_X64=1"
        )


BACKEND = XlaBackend()
