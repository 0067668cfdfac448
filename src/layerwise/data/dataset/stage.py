"""What a pipeline is made of: stages, each of which knows its elements; and elements, nested structures of arrays.

Every stage answers one question, `elements(epoch, start)`: which elements has this epoch, from position `start` on?
The answer is a pure function of the two. So a pipeline can be entered anywhere, and what follows is, bit for bit,
what would have followed without the interruption: `Dataset.state()` is two numbers and the seeds.

An epoch is a tuple: the number of the pass, and under `repeat` the number of the repetition.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

Epoch = tuple[int, ...]


class Stage(ABC):
    """A source of elements, or a step between others and what comes next."""

    inputs: "tuple[Stage, ...]" = ()
    seed: int | None = None
    has_random_access = False

    @abstractmethod
    def count(self) -> int | float | None:
        """Elements an epoch: a number, infinity, or None where that is unknown."""

    def elements(self, epoch: Epoch, start: int) -> Iterator[Any]:
        """The elements of `epoch` from position `start` on."""
        return (self.get(epoch, i) for i in range(start, self.known_count()))

    def get(self, epoch: Epoch, i: int) -> Any:  # noqa: B027  stages without random access have none
        """Element i of `epoch`; stages with random access define it, and their count is known and finite."""

    def gather(self, epoch: Epoch, indices: np.ndarray) -> Any:
        """The elements at `indices`, stacked; with random access only."""
        return stack([self.get(epoch, i) for i in indices.tolist()])

    def varies(self) -> bool:
        """Whether the first axes of elements differ in size, as those of batches do whose last one may be smaller."""
        return any(stage.varies() for stage in self.inputs)

    def known_count(self) -> int:
        count = self.count()
        assert isinstance(count, int)
        return count

    def seeded(self) -> "list[Stage]":
        """The stages up to this one that have a seed, in order."""
        return [stage for source in self.inputs for stage in source.seeded()] + [self] * (self.seed is not None)


def map_structure(function: Callable[[Any], Any], structure: Any) -> Any:
    if isinstance(structure, tuple):
        return tuple(map_structure(function, part) for part in structure)
    if isinstance(structure, dict):
        return {key: map_structure(function, part) for key, part in structure.items()}
    return function(structure)


def called(function: Callable[..., Any], element: Any) -> Any:
    """function(element), where a tuple is passed as several arguments"""
    return function(*element) if isinstance(element, tuple) else function(element)


def by_column(elements: list[Any], joined: Callable[..., Any], *form: Any, what: str) -> Any:
    """joined(leaves, ...) for each place in the structure of the elements: the leaves that are there, and `form`'s."""
    first = elements[0]
    if not isinstance(first, tuple | dict):
        return joined(elements, *form)
    if any(type(e) is not type(first) or _keys(e) != _keys(first) for e in elements):
        raise ValueError(f"{what}: expected elements of one structure, got tuples or dictionaries that differ")
    parts = {
        key: by_column([e[key] for e in elements], joined, *(_part(f, key) for f in form), what=what)
        for key in _keys(first)
    }
    return parts if isinstance(first, dict) else tuple(parts.values())


def _part(form: Any, key: Any) -> Any:
    """A part of what is said about a structure; a single thing that is said holds for all parts."""
    return form[key] if isinstance(form, tuple | list | dict) else form


def as_leaf(leaf: Any) -> np.ndarray:
    """An array; one of Python's `bytes` is an object, since NumPy's lose zeros at their end."""
    return np.asarray(leaf, object) if isinstance(leaf, bytes) else np.asarray(leaf)


def stack(elements: list[Any]) -> Any:
    """The elements along a new first axis."""
    return by_column(elements, _stacked, what="batch")


def _stacked(elements: list[Any]) -> np.ndarray:
    arrays = [as_leaf(e) for e in elements]
    if len(shapes := {a.shape for a in arrays}) > 1:
        raise ValueError(
            f"batch: expected elements of one shape, got {sorted(shapes)}; "
            "make them equal with map() first, or use padded_batch()"
        )
    return np.stack(arrays)


def _keys(structure: tuple | dict) -> Iterable[Any]:
    return structure.keys() if isinstance(structure, dict) else range(len(structure))


def read_only(leaf: Any) -> Any:
    if isinstance(leaf, np.ndarray):
        leaf = leaf.view()
        leaf.flags.writeable = False
    return leaf
