"""Steps that choose among elements, and what joins several stages one after the other or at random."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np

from ..split import random_words
from .stage import Epoch, Stage, called
from .steps import Step


@dataclass(eq=False)
class Filter(Step):
    predicate: Callable[..., Any]

    def count(self) -> int | float | None:
        return 0 if self.source.count() == 0 else None

    def elements(self, epoch: Epoch, start: int) -> Iterator[Any]:
        kept = (e for e in self.source.elements(epoch, 0) if bool(called(self.predicate, e)))
        return islice(kept, start, None)


@dataclass(eq=False)
class Shard(Step):
    """Elements index, index + shards, index + 2 * shards, ..."""

    shards: int
    index: int

    def count(self) -> int | float | None:
        count = self.source.count()
        return count if count is None or count == math.inf else len(range(self.index, int(count), self.shards))

    def elements(self, epoch: Epoch, start: int) -> Iterator[Any]:
        return islice(self.source.elements(epoch, self.index + start * self.shards), 0, None, self.shards)

    def get(self, epoch: Epoch, i: int) -> Any:
        return self.source.get(epoch, self.index + i * self.shards)

    def gather(self, epoch: Epoch, indices: np.ndarray) -> Any:
        return self.source.gather(epoch, self.index + indices * self.shards)


@dataclass(eq=False)
class Numbered(Step):
    """(first + i, element i)"""

    first: int

    def elements(self, epoch: Epoch, start: int) -> Iterator[Any]:
        for i, element in enumerate(self.source.elements(epoch, start), self.first + start):
            yield np.int64(i), element

    def get(self, epoch: Epoch, i: int) -> Any:
        return np.int64(self.first + i), self.source.get(epoch, i)

    def gather(self, epoch: Epoch, indices: np.ndarray) -> Any:
        return self.first + indices, self.source.gather(epoch, indices)


class Concatenated(Stage):
    """The elements of one stage, then those of another."""

    def __init__(self, first: Stage, second: Stage):
        self.inputs = (first, second)
        self.has_random_access = first.has_random_access and second.has_random_access

    def count(self) -> int | float | None:
        counts = [stage.count() for stage in self.inputs]
        return math.inf if math.inf in counts else None if None in counts else sum(n for n in counts if n is not None)

    def elements(self, epoch: Epoch, start: int) -> Iterator[Any]:
        first, second = self.inputs
        count = first.count()
        done = 0 if count is None else min(start, count)
        if count is None or start < count:
            for element in first.elements(epoch, int(done)):
                done += 1
                if done > start:
                    yield element
        yield from second.elements(epoch, int(max(start - done, 0)))

    def get(self, epoch: Epoch, i: int) -> Any:
        first, second = self.inputs
        n = first.known_count()
        return first.get(epoch, i) if i < n else second.get(epoch, i - n)


class Sampled(Stage):
    """Each element from a stage drawn with these weights; one that has ended is drawn no more, or ends it all."""

    def __init__(self, stages: tuple[Stage, ...], weights: list[float], seed: int, stops: bool, redraws: bool):
        self.inputs, self.weights, self.seed, self.stops, self.redraws = stages, weights, seed, stops, redraws

    def count(self) -> int | float | None:
        counts = [stage.count() for stage, weight in zip(self.inputs, self.weights) if weight > 0]
        if None in counts or self.stops:
            return None
        return sum(n for n in counts if n is not None)

    def elements(self, epoch: Epoch, start: int) -> Iterator[Any]:
        """What lies before `start` is drawn again, and made only where the stages' lengths are unknown."""
        counts = [stage.count() for stage in self.inputs]
        skips = start if None not in counts else 0
        begun = [0] * len(counts)
        streams: list[Iterator[Any] | None] = [None] * len(counts)
        choices = self._choices(epoch if self.redraws else ())
        weights = np.array(self.weights, float)
        position = 0
        while weights.any():
            chosen = int(np.searchsorted(np.cumsum(weights / weights.sum()), next(choices), side="right"))
            chosen = min(chosen, int(np.flatnonzero(weights)[-1]))
            is_over, element = False, None
            if position < skips:
                is_over = begun[chosen] >= (counts[chosen] or 0)
                begun[chosen] += 1
            else:
                if streams[chosen] is None:
                    streams[chosen] = self.inputs[chosen].elements(epoch, begun[chosen])
                stream = streams[chosen]
                assert stream is not None
                element = next(stream, _END)
                is_over = element is _END
            if is_over:
                if self.stops:
                    return
                weights[chosen] = 0
                continue
            position += 1
            if position > start:
                yield element

    def _choices(self, epoch: Epoch) -> Iterator[float]:
        """Numbers in [0, 1), by seed and epoch."""
        assert self.seed is not None
        block = 0
        while True:
            yield from (random_words(1024, self.seed, (*epoch, 2, block)) * 2.0**-64).tolist()
            block += 1


_END = object()
