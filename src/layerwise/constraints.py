"""What weights are brought back to after each update: functions of a weight that return one that may take its place.

Norms are taken over `axis`: 0 for a dense kernel (inputs, outputs), so that each unit's weights are bounded together,
[0, 1, 2] for a convolution's.
"""

from collections.abc import Sequence
from typing import Any

from . import config, ops
from .autograd import Tensor, as_tensor
from .catalog import Names
from .lazy import public_only
from .serialization import Configurable, lookups

__all__ = [
    "Constraint", "MaxNorm", "MinMaxNorm", "NonNeg", "UnitNorm", "max_norm", "min_max_norm", "non_neg", "unit_norm",
    "deserialize", "get", "serialize",
]  # fmt: skip
public_only(__name__)

Axis = int | Sequence[int]


class Constraint(Configurable):
    """The base class: define `__call__(w)`, which returns the weight to keep; here as it is.

    >>> class Rounded(Constraint):
    ...     def __call__(self, w):
    ...         return ops.round(w)
    >>> Rounded()([0.3, 1.7])
    Tensor([0., 2.], shape=(2,), dtype=float32)
    """

    def __call__(self, w: Any) -> Any:
        return w


def _norm(w: Tensor, axis: Axis) -> Tensor:
    return ops.sqrt(ops.sum(ops.square(w), axis=axis, keepdims=True))


class MaxNorm(Constraint):
    """w · min(|w|, max_value) / |w|        Srivastava et al. (2014)

    |w| is taken over `axis`.

    >>> MaxNorm(1.0)([[3.0], [4.0]])
    Tensor([[0.6],
           [0.8]], shape=(2, 1), dtype=float32)
    """

    def __init__(self, max_value: float = 2, axis: Axis = 0) -> None:
        self.max_value, self.axis = max_value, axis

    def __call__(self, w: Any) -> Tensor:
        w = as_tensor(w)
        norm = _norm(w, self.axis)
        return w * (ops.clip(norm, 0, self.max_value) / (norm + config.epsilon()))


class MinMaxNorm(Constraint):
    """w · (rate · clip(|w|, min_value, max_value) + (1 - rate) |w|) / |w|

    |w| is taken over `axis`. A rate below 1 goes to the bounds step by step.
    """

    def __init__(self, min_value: float = 0.0, max_value: float = 1.0, rate: float = 1.0, axis: Axis = 0) -> None:
        self.min_value, self.max_value, self.rate, self.axis = min_value, max_value, rate, axis

    def __call__(self, w: Any) -> Tensor:
        w = as_tensor(w)
        norm = _norm(w, self.axis)
        wanted = self.rate * ops.clip(norm, self.min_value, self.max_value) + (1 - self.rate) * norm
        return w * (wanted / (norm + config.epsilon()))


class NonNeg(Constraint):
    """max(w, 0)"""

    def __call__(self, w: Any) -> Tensor:
        return ops.maximum(w, 0)


class UnitNorm(Constraint):
    """w / |w|, taken over `axis`

    >>> UnitNorm()([[3.0], [4.0]])
    Tensor([[0.6],
           [0.8]], shape=(2, 1), dtype=float32)
    """

    def __init__(self, axis: Axis = 0) -> None:
        self.axis = axis

    def __call__(self, w: Any) -> Tensor:
        w = as_tensor(w)
        return w / (_norm(w, self.axis) + config.epsilon())


max_norm, min_max_norm, non_neg, unit_norm = MaxNorm, MinMaxNorm, NonNeg, UnitNorm

get, serialize, deserialize = lookups("constraint", Names("constraints", but="Constraint"), example="max_norm")
