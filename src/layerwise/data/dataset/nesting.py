"""Steps between elements and data sets of them: windows, data sets in place of elements, batches taken apart."""

import math
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np

from .sources import Listed
from .stage import Epoch, Stage, called, map_structure
from .steps import Step


@dataclass(eq=False)
class Windows(Step):
    """Elements i * shift, i * shift + stride, ..., `size` of them, each window as what `made` makes of a stage."""

    size: int
    shift: int
    stride: int
    drop_remainder: bool
    made: Callable[[Stage], Any]

    def count(self) -> int | float | None:
        count = self.source.count()
        if count is None or count == math.inf:
            return count
        last = int(count) - 1 - ((self.size - 1) * self.stride if self.drop_remainder else 0)
        return max(last // self.shift + 1, 0)

    def elements(self, epoch: Epoch, start: int) -> Iterator[Any]:
        elements = self.source.elements(epoch, start * self.shift)
        span = (self.size - 1) * self.stride + 1
        held: deque[Any] = deque(islice(elements, span))
        while held and (len(held) == span or not self.drop_remainder):
            yield self._columns(list(held)[:: self.stride])
            between = max(self.shift - len(held), 0)
            for _ in range(self.shift - between):
                held.popleft()
            held.extend(islice(elements, between, between + span - len(held)))

    def _columns(self, elements: list[Any]) -> Any:
        """A data set of the elements, or where these are tuples or dictionaries, such a one of data sets."""
        first = elements[0]
        if isinstance(first, tuple):
            return tuple(self._columns([element[i] for element in elements]) for i in range(len(first)))
        if isinstance(first, dict):
            return {key: self._columns([element[key] for element in elements]) for key in first}
        return self.made(Listed(elements))


@dataclass(eq=False)
class FlatMap(Step):
    """The elements of function(element), a stage, for one element after the other."""

    function: Callable[..., Stage]

    def count(self) -> int | float | None:
        return 0 if self.source.count() == 0 else None

    def elements(self, epoch: Epoch, start: int) -> Iterator[Any]:
        for i, element in enumerate(self.source.elements(epoch, 0)):
            stage = called(self.function, element)
            count = stage.count()
            if count is not None and count <= start:
                start -= int(count)
                continue
            inner = stage.elements((*epoch, i), 0 if count is None else start)
            if count is not None:
                start = 0
            for found in inner:
                if start == 0:
                    yield found
                else:
                    start -= 1  # where the length is unknown, what lies before is run through

    def varies(self) -> bool:
        return True


@dataclass(eq=False)
class Interleave(Step):
    """`block` elements of each of `cycle` stages in turn; the next one takes the place of one that has ended."""

    function: Callable[..., Stage]
    cycle: int
    block: int

    def count(self) -> int | float | None:
        return 0 if self.source.count() == 0 else None

    def elements(self, epoch: Epoch, start: int) -> Iterator[Any]:
        return islice(self._all(epoch), start, None)

    def _all(self, epoch: Epoch) -> Iterator[Any]:
        sources = enumerate(self.source.elements(epoch, 0))
        open_: list[Iterator[Any] | None] = [None] * self.cycle
        place, is_over = 0, False
        while not is_over or any(open_):
            current = open_[place]
            if current is None and not is_over:
                following = next(sources, None)
                is_over = following is None
                if following is not None:
                    i, element = following
                    current = open_[place] = called(self.function, element).elements((*epoch, i), 0)
            if current is not None:
                taken = 0
                for inner in islice(current, self.block):
                    taken += 1
                    yield inner
                if taken < self.block:
                    open_[place] = None
            place = (place + 1) % self.cycle

    def varies(self) -> bool:
        return True


@dataclass(eq=False)
class Unbatch(Step):
    """The entries of each element along its first axis."""

    def count(self) -> int | float | None:
        return 0 if self.source.count() == 0 else None

    def elements(self, epoch: Epoch, start: int) -> Iterator[Any]:
        for batch in self.source.elements(epoch, 0):
            sizes: list[int] = []

            def entries(leaf: Any, sizes: list[int] = sizes) -> np.ndarray:
                array = np.asarray(leaf)
                if array.ndim == 0:
                    raise ValueError(f"unbatch: expected arrays with at least one axis, got {leaf!r}")
                sizes.append(len(array))
                return array

            arrays = map_structure(entries, batch)
            if len(set(sizes)) > 1:
                raise ValueError(f"unbatch: expected parts of equal length, got lengths {sizes}")
            size = sizes[0] if sizes else 0
            for i in range(min(start, size), size):
                yield map_structure(lambda array: array[i], arrays)  # noqa: B023  called at once
            start = max(start - size, 0)

    def varies(self) -> bool:
        return False
