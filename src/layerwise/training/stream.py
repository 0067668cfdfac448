"""The batches of a source, epoch by epoch."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator, Mapping
from time import perf_counter
from typing import Any, Protocol, runtime_checkable

from .. import random
from ..backends import backend
from .arrays import unpack_x_y_sample_weight
from .sources import ArrayBatches, ArrayEpoch, IterableBatches, RowBatches, gathered


def ahead(items: Iterable[Any]) -> Iterator[Any]:
    """The items, each handed out when the next one has been taken; an error comes where it would have come.

    >>> loop = ahead(print("taking", i) or i for i in range(2))
    >>> next(loop)
    taking 0
    taking 1
    0
    """
    taken: list[Any] = []
    try:
        for item in items:
            taken.append(item)
            if len(taken) == 2:
                yield taken.pop(0)
    except Exception:
        yield from taken
        raise
    yield from taken


@runtime_checkable
class Restorable(Protocol):
    """A source of batches that knows where it stands, as `layerwise.data.Dataset` does."""

    def state(self) -> dict[str, Any]: ...

    def restore(self, state: dict[str, Any]) -> None: ...


class Stream:
    """A source's batches epoch by epoch; with a number of steps an epoch goes on where the last one ended."""

    def __init__(self, source: ArrayBatches | IterableBatches, steps: int | None) -> None:
        self.source, self.limit = source, steps
        self.seconds: float | None = None  # how long batches that are handed out together, as RowBatches, may take
        self._together = 1  # how many
        self._always_more = isinstance(source, ArrayBatches) and steps is None  # no need to look whether there is more
        self.waited = 0.0  # seconds until batches were there, of sources that make or read them
        self.exhausted = False
        self.done = 0  # batches of this epoch that were handed out
        self._position = 0  # the same of this pass through the source
        self._began = random.process_state()  # when the pass began, so that its order can be drawn again
        self._iterator: Iterator[Any] | None = None
        self._peeked: list[Any] = []
        self._place: dict[str, Any] | None = None  # behind the batch handed out last, if another has been taken since
        try:
            self.steps: int | None = steps or len(source)
        except TypeError:
            self.steps = None

    def peek(self) -> Any:
        """The first batch, which the first epoch will begin with (or one like it, before the order is drawn)."""
        if isinstance(self.source, ArrayBatches):
            return self.source.first()
        if not self.has_more():
            raise ValueError("the source of batches is empty (a generator can be gone through only once)")
        return self._peeked[0]

    def has_more(self) -> bool:
        """Whether there is another batch, if need be from the beginning."""
        if self._always_more:
            return True
        if not self._peeked and self._iterator is not None:
            self._peeked = list(itertools.islice(self._iterator, 1))
        if not self._peeked:
            self._begin(0, 0)
        return bool(self._peeked)

    def _begin(self, first: float, position: int) -> None:
        """Go through the source from this batch on; none is left where it is infinite."""
        self._began, self._position = random.process_state(), position
        self._iterator = iter(()) if first == math.inf else iter(self.source.from_batch(int(first)))
        if not isinstance(self.source, ArrayBatches):
            self._iterator = self._timed(self._iterator)
        self._peeked = [] if self._always_more else list(itertools.islice(self._iterator, 1))

    def _timed(self, batches: Iterator[Any]) -> Iterator[Any]:
        """The same batches; how long each takes is added up."""
        while True:
            start = perf_counter()
            try:
                batch = next(batches)
            except StopIteration:
                return
            finally:
                self.waited += perf_counter() - start
            yield batch

    def epoch(self) -> Iterator[Any]:
        """The batches of the next epoch, or the rest of one that was restored, on the device where there is one.

        Where steps are computed while Python goes on, a batch is ready before the step on the one ahead of it begins.
        """
        early = backend().asynchronous and not self.seconds
        taken = self._taken(early)
        for data, count, self._place in ahead(taken) if early else taken:
            self.done += count
            yield data
        self.done, self._place = 0, None

    def _taken(self, early: bool) -> Iterator[tuple[Any, int, dict[str, Any] | None]]:
        """The batches of an epoch, how many each is, and, where they are taken early, the stream's state behind it."""
        for batch in self._pass() if self.limit is None else self._steps(self.limit):
            count = len(batch) if isinstance(batch, RowBatches) else 1
            self._position += count
            yield self._placed(batch), count, self._live_state() if early else None

    def _placed(self, batch: Any) -> Any:
        """A batch on the device, its labels checked where nobody has seen them before."""
        if isinstance(batch, RowBatches):
            several = len(batch) > 1 or not backend().asynchronous
            return batch if several else gathered(batch.data, batch.rows[0])
        if isinstance(self.source, ArrayBatches):
            return batch
        if self.source.check is not None:
            self.source.check(*unpack_x_y_sample_weight(batch)[1:])
        return gathered(batch)

    def _pass(self) -> Iterator[Any]:
        if self._iterator is None:
            self._begin(0, 0)
        while isinstance(self._iterator, ArrayEpoch) and self.seconds is not None:
            several = self._iterator.several(self._together)
            if several is None:
                break
            start = perf_counter()
            yield several
            each = (perf_counter() - start) / len(several)
            self._together = max(1, min(8 * len(several), int(self.seconds / each)))
        yield from self._peeked_first()
        self._iterator, self._position = None, 0

    def _peeked_first(self) -> Iterator[Any]:
        if self._peeked:
            yield self._peeked.pop()
        yield from self._iterator or ()

    def _steps(self, limit: int) -> Iterator[Any]:
        for _ in range(self.done, limit):
            if not self.has_more():
                self.exhausted = True
                return
            yield self._peeked.pop()

    def state(self) -> dict[str, Any]:
        """Where the stream stands, as plain data: what `restore` needs to go on behind the last batch handed out."""
        return self._live_state() if self._place is None else self._place

    def _live_state(self) -> dict[str, Any]:
        """The same behind the last batch that was taken."""
        data = getattr(self.source, "source", None)
        return {
            "position": None if self._iterator is None else self._position,
            "began": list(self._began),
            "dataset": data.state() if isinstance(data, Restorable) else None,
        }

    def restore(self, state: Mapping[str, Any], done: int) -> None:
        """Go on where `state` was taken, after `done` batches of an epoch. It draws from the process's random numbers.

        An iterator that can be gone through only once is advanced from where it stands to that position.
        """
        self.done, self._place = done, None
        position, data = state["position"], getattr(self.source, "source", None)
        if isinstance(data, Iterator):
            list(itertools.islice(self._peeked_first(), (position or 0) - self._position))
            self._position = position or 0
            return
        first = position or 0
        if isinstance(data, Restorable) and state["dataset"] is not None:
            data.restore(state["dataset"])
            first = 0 if state["dataset"]["position"] else math.inf  # at its end, it stands before the next epoch
        self._iterator, self._peeked = None, []
        if position is not None:
            random.set_process_state(*state["began"])
            self._begin(first, position)
