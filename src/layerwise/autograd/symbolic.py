"""What is known before values exist: their shapes and dtypes (`Spec`), and which operations were called (`Call`)."""

from __future__ import annotations

import contextlib
import itertools
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

import numpy as np

from .. import tree
from ..dtypes import dtype_name

Array = Any


@dataclass(frozen=True)
class Spec:
    """What is known of a value before it exists: its shape, where None stands for any size, and its dtype."""

    shape: tuple[int | None, ...]
    dtype: str = "float32"

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def known(self) -> tuple[int, ...]:
        """The shape's sizes that are known."""
        return tuple(n for n in self.shape if n is not None)

    @property
    def size(self) -> int:
        return math.prod(self.known)


def spec_of(array: Array) -> Spec:
    """What is known of an array."""
    return Spec(tuple(array.shape), dtype_name(array.dtype))


def broadcast_shapes(name: str, *shapes: Any) -> tuple[int, ...]:
    """The shape that `shapes` broadcast to, or an error that calls the operation by its `name`."""
    try:
        return tuple(np.broadcast_shapes(*shapes))
    except ValueError:
        raise ValueError(
            f"{name}: shapes {' and '.join(map(str, shapes))} do not broadcast; "
            "compared from the last dimension, sizes must be equal or 1"
        ) from None


MOST_GUESSES = 500
STAND_INS = (83, 89)  # primes larger than most kernels: sizes computed from one rarely equal those from the other


def with_unknown_sizes(infer: Callable[[Any], Any], specs: Sequence[Spec | None]) -> Any:
    """infer(specs) where sizes may be None: run with two stand-in sizes, and what differs is unknown."""
    return merge_specs(*_with_stand_ins(infer, specs))


def _with_stand_ins(
    infer: Callable[[Any], Any], specs: Sequence[Spec | None], sizes: tuple[int, int] = STAND_INS
) -> tuple[Any, Any]:
    """infer(specs) for each of the stand-in sizes in the place of those that are not known."""

    def run(size: int) -> Any:
        return infer([s and Spec(tuple(size if n is None else n for n in s.shape), s.dtype) for s in specs])

    first = run(sizes[0])
    return first, first if all(s is None or None not in s.shape for s in specs) else run(sizes[1])


def with_adapting_sizes(infer: Callable[[Any], Any], specs: Sequence[Spec | None], others: Iterable[int] = ()) -> Any:
    """The same for an operation whose sizes must fit each other, or the numbers `others` that it is given.

    Where the stand-ins do not fit, multiples of 60 may, which many numbers divide, or some of the unknown sizes are
    sizes that are known, or all are small.
    """
    try:
        results = _with_stand_ins(infer, specs)
    except ValueError:
        for guess, sizes in itertools.islice(_guesses(specs, others), MOST_GUESSES):
            with contextlib.suppress(ValueError):
                results = _with_stand_ins(infer, guess, sizes)
                break
        else:
            raise
    return merge_specs(*results)


def _guesses(
    specs: Sequence[Spec | None], others: Iterable[int]
) -> Iterator[tuple[list[Spec | None], tuple[int, int]]]:
    """Specs with more and more known sizes in unknown places, and stand-ins for the others."""
    places = [(i, axis) for i, s in enumerate(specs) if s for axis, n in enumerate(s.shape) if n is None]
    known = sorted({n for s in specs if s for n in s.known if n} | set(others))
    if len(places) == 1:
        yield list(specs), (60 * STAND_INS[0], 60 * STAND_INS[1])
    yield list(specs), (1, 2)
    for count in range(1, len(places) + 1):
        for chosen in itertools.combinations(places, count):
            for sizes in itertools.product(known, repeat=count):
                taken = dict(zip(chosen, sizes, strict=True))
                guess = [
                    s and Spec(tuple(taken.get((i, axis), n) for axis, n in enumerate(s.shape)), s.dtype)
                    for i, s in enumerate(specs)
                ]
                yield guess, STAND_INS


def merge_specs(first: Any, second: Any) -> Any:
    """The structure of Specs `first`, with None for every size in which it differs from `second`."""

    def merged(a: Any, b: Any) -> Any:
        if not isinstance(a, Spec):
            return a
        return Spec(tuple(m if m == n else None for m, n in zip(a.shape, b.shape, strict=True)), a.dtype)

    return tree.map_structure(merged, first, second)


@dataclass(eq=False)
class Call:
    """One call of an operation or a layer on symbolic Tensors: a node of the functional API's graph.

    Attributes:
        operation: what was called.
        args, kwargs: with what.
        outputs: what it returned, maybe nested.
        time: its number in the order of all calls.
    """

    operation: Any
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    outputs: Any = None
    time: int = field(default_factory=itertools.count(1).__next__)

    @property
    def name(self) -> str:
        """The name of the layer, or of the operation."""
        return getattr(self.operation, "name", None) or self.operation.__name__


class _Operations(dict[str, Callable[..., Any]]):
    """The public operations, which stand above the tape: the first use of one loads `layerwise.ops`."""

    def __missing__(self, name: str) -> Callable[..., Any]:
        operation = self[name] = getattr(import_module("layerwise.ops"), name)
        return operation


primitives: dict[str, Any] = {}  # every `Primitive` by its name
operations = _Operations()  # what Python's operators call, by name
