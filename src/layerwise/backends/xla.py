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

from .base import Array, Backend, Window


class XlaBackend(Backend):
    name = "xla"
    xp = jnp

    def array(self, value: Any, dtype: str | None = None) -> Array:
        return jnp.asarray(value, dtype)

    def numpy(self, array: Array) -> np.ndarray:
        return np.asarray(array)

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


BACKEND = XlaBackend()
