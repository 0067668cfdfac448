"""Penalties that are added to the loss: functions of a weight or of a layer's output that return one number."""

import math
from typing import Any

from . import ops
from .autograd import Tensor, as_tensor
from .catalog import Names
from .lazy import public_only
from .naming import expect, one_of
from .serialization import Configurable, lookups

__all__ = [
    "L1", "L1L2", "L2", "OrthogonalRegularizer", "Regularizer", "l1", "l1_l2", "l2", "orthogonal_regularizer",
    "deserialize", "get", "serialize",
]  # fmt: skip
public_only(__name__)


class Regularizer(Configurable):
    """The base class: define `__call__(x)`, which returns the penalty.

    >>> class Sparse(Regularizer):
    ...     def __call__(self, x):
    ...         return 0.1 * ops.sum(ops.log1p(ops.square(x)))
    >>> Sparse()([0.0, 0.0]).item()
    0.0
    """

    def __call__(self, x: Any) -> Tensor:
        raise NotImplementedError(f"{type(self).__name__}: define __call__(self, x)")


def _factor(owner: Regularizer, name: str, value: Any) -> float:
    holds = not isinstance(value, bool) and (lambda value: 0 <= value < math.inf)
    expect(f"{type(owner).__name__}: {name}", value, holds, "a number >= 0")
    return float(value)


class L1(Regularizer):
    """l1 · sum |x|        many weights become 0: Tibshirani (1996)

    >>> L1(0.5)([1.0, -3.0]).item()
    2.0
    """

    def __init__(self, l1: float = 0.01) -> None:
        self.l1 = _factor(self, "l1", l1)

    def __call__(self, x: Any) -> Tensor:
        return self.l1 * ops.sum(ops.abs(x))


class L2(Regularizer):
    """l2 · sum x²        weights stay small: Hoerl, Kennard (1970)

    >>> L2(0.5)([1.0, -3.0]).item()
    5.0
    """

    def __init__(self, l2: float = 0.01) -> None:
        self.l2 = _factor(self, "l2", l2)

    def __call__(self, x: Any) -> Tensor:
        return self.l2 * ops.sum(ops.square(x))


class L1L2(Regularizer):
    """l1 · sum |x| + l2 · sum x²        Zou, Hastie (2005)"""

    def __init__(self, l1: float | None = 0.0, l2: float | None = 0.0) -> None:
        self.l1, self.l2 = _factor(self, "l1", l1 or 0.0), _factor(self, "l2", l2 or 0.0)

    def __call__(self, x: Any) -> Tensor:
        x = as_tensor(x)
        return self.l1 * ops.sum(ops.abs(x)) + self.l2 * ops.sum(ops.square(x))


class OrthogonalRegularizer(Regularizer):
    """factor · mean over pairs i < j of |u_i · u_j|, u the rows (or columns) of a matrix, each divided by its length

    `mode` says which: "rows" or "columns".

    >>> OrthogonalRegularizer(0.1)([[1.0, 0.0], [0.0, 2.0]]).item()
    0.0
    """

    def __init__(self, factor: float = 0.01, mode: str = "rows") -> None:
        self.factor = _factor(self, "factor", factor)
        self.mode = one_of("OrthogonalRegularizer: mode", mode, "rows", "columns")

    def __call__(self, x: Any) -> Tensor:
        x = as_tensor(x)
        if x.ndim != 2:
            raise ValueError(f"OrthogonalRegularizer: got shape {x.shape}, expected (rows, columns)")
        rows = x if self.mode == "rows" else ops.transpose(x)
        n = rows.shape[0]
        units = ops.normalize(rows, axis=1)
        cosines = ops.abs(ops.matmul(units, ops.transpose(units)))
        pairs = ops.triu(cosines, k=1)
        return self.factor * ops.sum(pairs) / max(1, n * (n - 1) // 2)


l1, l2, l1_l2, orthogonal_regularizer = L1, L2, L1L2, OrthogonalRegularizer

get, serialize, deserialize = lookups(
    "regularizer", Names("regularizers", but="Regularizer", short={"l1_l2": "L1L2"}), example="l2"
)
