"""The reference backend: NumPy. It reads like the formula, and every other backend is checked against it."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from .base import Array, Backend


class NumpyBackend(Backend):
    name = "numpy"
    xp = np

    def array(self, value: Any, dtype: str | None = None) -> Array:
        return np.asarray(value, dtype)

    def numpy(self, array: Array) -> np.ndarray:
        return np.asarray(array)

    def owns(self, value: Any) -> bool:
        return isinstance(value, np.ndarray) and value.dtype.kind in "bfiuVc"  # V: bfloat16

    def compile(self, fn: Callable[..., Any]) -> Callable[..., Any]:
        return fn

    def matmul(self, a: Array, b: Array) -> Array:
        y = np.matmul(a, b)
        return y if y.dtype == a.dtype else y.astype(a.dtype)  # of bfloat16 NumPy makes float32

    def scan(
        self, step: Callable[[Any, Any], tuple[Any, Any]], carry: Any, xs: Any, length: int, reverse: bool
    ) -> tuple[Any, Any]:
        ys = []
        for t in reversed(range(length)) if reverse else range(length):
            carry, y = step(carry, [x[t] for x in xs])
            ys.append(y)
        if reverse:
            ys.reverse()
        return carry, [np.stack(column) for column in zip(*ys, strict=True)]

    def add_at(self, array: Array, index: Any, values: Array) -> Array:
        if any(isinstance(i, np.ndarray) for i in (index if isinstance(index, tuple) else (index,))):
            np.add.at(array, index, values)
        else:
            array[index] += values
        return array

    def reduce_at(self, function: str, array: Array, index: Array, values: Array) -> Array:
        return reduced_at(function, array, index, values)

    def order(self, upper: Array, lower: Array) -> Array:
        return np.argsort(upper.astype("uint64") << 32 | lower)

    def erf(self, x: Array) -> Array:
        return _erf(x).astype(x.dtype)


def reduced_at(function: str, x: np.ndarray, index: np.ndarray, values: np.ndarray) -> np.ndarray:
    """A copy of x with values combined with it at an index."""
    x = np.array(x)
    getattr(np, function).at(x, index, values)
    return x


_erf = np.vectorize(math.erf, otypes=["float64"])

BACKEND = NumpyBackend()
