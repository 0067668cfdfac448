"""Shapes of results: by broadcasting, and where sizes are not known yet."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .symbolic import Array, Spec


def spec_of(array: Array) -> Spec:
    """What is known of an array."""
    return Spec(tuple(array.shape), array.dtype.name)


def broadcast_shapes(name: str, *shapes: Any) -> tuple[int, ...]:
    """The shape that `shapes` broadcast to, or an error that calls the operation by its `name`."""
    try:
        return tuple(np.broadcast_shapes(*shapes))
    except ValueError:
        raise ValueError(
            f"{name}: shapes {' and '.join(map(str, shapes))} do not broadcast; "
            "compared from the last dimension, sizes must be equal or 1"
        ) from None


STAND_INS = (83, 89)  # primes larger than most kernels: sizes computed from one rarely equal those from the other


def with_unknown_sizes(infer: Callable[[Any], Any], specs: Sequence[Spec | None]) -> Any:
    """infer(specs) where sizes may be None: run with two stand-in sizes, and what differs is unknown."""
    if all(s is None or None not in s.shape for s in specs):
        return infer(specs)

    def run(size: int) -> Any:
        return infer([s and Spec(tuple(size if n is None else n for n in s.shape), s.dtype) for s in specs])

    return merge_specs(run(STAND_INS[0]), run(STAND_INS[1]))


def merge_specs(first: Any, second: Any) -> Any:
    """The structure of Specs `first`, with None for every size in which it differs from `second`."""
    if isinstance(first, Spec):
        return Spec(tuple(a if a == b else None for a, b in zip(first.shape, second.shape, strict=True)), first.dtype)
    if isinstance(first, dict):
        return {key: merge_specs(first[key], second[key]) for key in first}
    if isinstance(first, list | tuple):
        return type(first)(merge_specs(a, b) for a, b in zip(first, second, strict=True))
    return first
