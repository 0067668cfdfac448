"""What a sample is, the one list of all, and the arguments that samples draw."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from layerwise import ops
from layerwise.autograd import primitives
from layerwise.backends import Window

RNG = np.random.default_rng(20)


@dataclass
class Sample:
    """One call of an operation with what is known of it."""

    name: str
    args: tuple[Any, ...]
    reference: Callable[..., Any] | None  # None: checked elsewhere (by the identity that defines it)
    kwargs: dict[str, Any] = field(default_factory=dict)
    analytic: bool = False  # the rule runs on complex numbers: the gradient is checked by a complex step
    smooth: bool = True  # has a second derivative around these arguments
    differentiable: bool = True
    batch: Sequence[int] = (0,)  # the arguments whose first size is the batch's; none for operations that have none
    vary: Sequence[int] | None = None  # the arguments to differentiate by; all that hold floats unless given
    static: Sequence[int] = ()  # the arguments that must have values, even where others are symbolic
    plain: bool = False  # the result is no Tensor
    tolerance: float = 1e-12

    @property
    def operation(self) -> Callable[..., Any]:
        return getattr(ops, self.name) if not self.name.startswith("_") else primitives[self.name.lstrip("_")]

    def __call__(self, *args: Any) -> Any:
        return self.operation(*args, **self.kwargs)

    def __str__(self) -> str:
        shapes = [str(a.shape).replace(" ", "") for a in self.args if isinstance(a, np.ndarray)]
        options = [f"{k}={v}" for k, v in self.kwargs.items() if not isinstance(v, Window)]
        return "-".join([self.name, *shapes, *options]).replace(" ", "")[:70]


SAMPLES: list[Sample] = []


def sample(name: str, *args: Any, reference: Any = None, kwargs: dict[str, Any] | None = None, **known: Any) -> None:
    SAMPLES.append(Sample(name, args, reference, kwargs or {}, **known))


# Arguments


def normal(*shape: int) -> np.ndarray:
    """Numbers of both signs, none within 0.05 of 0."""
    x = RNG.standard_normal(shape)
    return x + 0.05 * np.sign(x)


def between(low: float, high: float, *shape: int) -> np.ndarray:
    return RNG.uniform(low, high, shape)


def distinct(*shape: int) -> np.ndarray:
    """Numbers at least 0.1 apart."""
    return (RNG.permutation(math.prod(shape)) * 0.1 - 0.07 * math.prod(shape) / 2).reshape(shape)


def whole(low: int, high: int, *shape: int) -> np.ndarray:
    return RNG.integers(low, high, shape).astype("int32")


both = {"batch": (0, 1)}  # the two arguments share the batch's size
