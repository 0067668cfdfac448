"""What happens to elements on their way, a class for each of `Dataset`'s methods."""

import contextvars
import math
import queue
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Any

import numpy as np

from ...naming import whole_number
from ...parallel import in_order, threads
from ..split import permutation, random_words
from .stage import Epoch, Stage, as_leaf, by_column, called, map_structure, read_only, stack


@dataclass(eq=False)
class Step(Stage):
    """A stage made from one other, with random access where that has it and the step says how to get an element."""

    source: Stage

    def __post_init__(self) -> None:
        self.inputs = (self.source,)
        self.has_random_access = self.source.has_random_access and type(self).get is not Stage.get

    def count(self) -> int | float | None:
        return self.source.count()


@dataclass(eq=False)
class Map(Step):
    """function(element), by this many threads."""

    function: Callable[..., Any]
    seed: int | None
    workers: int = 1

    def elements(self, epoch: Epoch, start: int) -> Iterator[Any]:
        elements = enumerate(self.source.elements(epoch, start), start)
        return self._made(lambda item: self._apply(epoch, *item), elements)

    def get(self, epoch: Epoch, i: int) -> Any:
        return self._apply(epoch, i, self.source.get(epoch, i))

    def gather(self, epoch: Epoch, indices: np.ndarray) -> Any:
        return stack(list(self._made(lambda i: self.get(epoch, i), indices.tolist())))

    def _made(self, function: Callable[[Any], Any], items: Iterable[Any]) -> Iterator[Any]:
        if self.workers == 1:
            return map(function, items)
        return in_order(threads(self.workers), function, items, self.workers)

    def _apply(self, epoch: Epoch, i: int, element: Any) -> Any:
        if self.seed is None:
            return called(self.function, element)
        rng = np.random.default_rng(np.random.SeedSequence(self.seed, spawn_key=(*epoch, i)))
        return called(partial(self.function, rng=rng), element)


@dataclass(eq=False)
class Batch(Step):
    size: int
    drop_remainder: bool

    def count(self) -> int | float | None:
        count = self.source.count()
        if count is None or count == math.inf:
            return count
        return int(count) // self.size if self.drop_remainder else -(int(count) // -self.size)

    def elements(self, epoch: Epoch, start: int) -> Iterator[Any]:
        if self.has_random_access:
            yield from super().elements(epoch, start)
            return
        elements = self.source.elements(epoch, start * self.size)
        while group := list(islice(elements, self.size)):
            if len(group) == self.size or not self.drop_remainder:
                yield self._joined(group)

    def get(self, epoch: Epoch, i: int) -> Any:
        return self.source.gather(epoch, self._rows(i))

    def varies(self) -> bool:
        return not self.drop_remainder

    def _rows(self, i: int) -> np.ndarray:
        return np.arange(i * self.size, min((i + 1) * self.size, self.source.known_count()))

    def _joined(self, group: list[Any]) -> Any:
        return stack(group)


@dataclass(eq=False)
class PaddedBatch(Batch):
    """Batches of arrays of different sizes, each made as large as the largest, or as `shapes` says."""

    shapes: Any
    values: Any

    def get(self, epoch: Epoch, i: int) -> Any:
        return self._joined([self.source.get(epoch, row) for row in self._rows(i).tolist()])

    def _joined(self, group: list[Any]) -> Any:
        return by_column(group, _padded, self.shapes, self.values, what="padded_batch")


def _padded(elements: list[Any], shape: Any, value: Any) -> np.ndarray:
    """The elements along a new first axis, filled up with `value` at their ends."""
    arrays = [as_leaf(e) for e in elements]
    if len(ranks := {a.ndim for a in arrays}) > 1:
        raise ValueError(f"padded_batch: expected elements of one rank, got {sorted(ranks)}")
    largest = tuple(np.max([a.shape for a in arrays], axis=0).tolist()) if arrays[0].ndim else ()
    wanted = (None,) * len(largest) if shape is None else tuple(shape)
    if len(wanted) != len(largest):
        raise ValueError(f"padded_batch: padded_shapes: got {wanted} for elements of shape {arrays[0].shape}")
    sizes = tuple(n if m in (None, -1) else m for n, m in zip(largest, wanted))
    if any(n > m for n, m in zip(largest, sizes)):
        raise ValueError(f"padded_batch: padded_shapes: got {wanted}, expected room for elements of sizes {largest}")
    dtype = np.result_type(*{a.dtype for a in arrays})
    if value is None:
        value = {"U": "", "S": b"", "O": b""}.get(dtype.kind, 0)
    out = np.full((len(arrays), *sizes), value, dtype)
    for i, array in enumerate(arrays):
        place: tuple[Any, ...] = (i, *map(slice, array.shape))
        out[place] = array
    return out


class Shuffle(Step):
    def __init__(self, source: Stage, buffer_size: int | None, seed: int | None, reshuffle: bool):
        super().__init__(source)
        count = source.count()
        if buffer_size is None and count == math.inf:
            raise ValueError("shuffle: an endless dataset needs a buffer_size; or shuffle before repeat()")
        self._buffer_size = math.inf if buffer_size is None else whole_number("shuffle: buffer_size", buffer_size)
        self.seed = int(np.random.randint(2**31)) if seed is None else whole_number("shuffle: seed", seed, 0)
        self._reshuffle = reshuffle
        self._newest_order: tuple[Any, np.ndarray] = (None, np.empty(0, np.int64))

    def elements(self, epoch: Epoch, start: int) -> Iterator[Any]:
        if self.has_random_access:
            return super().elements(epoch, start)
        elements = self.source.elements(epoch, 0)
        if self._buffer_size == math.inf:
            everything = list(elements)
            return (everything[i] for i in permutation(len(everything), *self._key(epoch))[start:])
        return islice(self._drawn(elements, epoch), start, None)

    def get(self, epoch: Epoch, i: int) -> Any:
        return self.source.get(epoch, int(self._order(epoch)[i]))

    def gather(self, epoch: Epoch, indices: np.ndarray) -> Any:
        return self.source.gather(epoch, self._order(epoch)[indices])

    def _order(self, epoch: Epoch) -> np.ndarray:
        """The source's index at each position; the newest one is kept."""
        key = self._key(epoch)
        kept_key, order = self._newest_order
        if kept_key != key:
            count = self.known_count()
            if self._buffer_size >= count:
                order = permutation(count, *key)
            else:
                order = np.fromiter(self._drawn(iter(range(count)), epoch), np.int64, count)
            self._newest_order = (key, order)
        return order

    def _drawn(self, elements: Iterator[Any], epoch: Epoch) -> Iterator[Any]:
        """Fill a buffer, then give a random one of it away for each element that comes in; at last, empty it."""
        seed, key = self._key(epoch)
        buffer = list(islice(elements, int(self._buffer_size)))
        block = 0
        words: list[int] = []
        for element in elements:
            if not words:
                words = random_words(1024, seed, (*key, 0, block)).tolist()
                block += 1
            i = words.pop() % len(buffer)
            yield buffer[i]
            buffer[i] = element
        for i in permutation(len(buffer), seed, (*key, 1)):
            yield buffer[i]

    def _key(self, epoch: Epoch) -> tuple[int, Epoch]:
        assert self.seed is not None
        return self.seed, epoch if self._reshuffle else ()


class Cache(Step):
    def __init__(self, source: Stage):
        super().__init__(source)
        if source.count() == math.inf:
            raise ValueError("cache: an endless dataset fits no memory; cache before repeat()")
        self._kept: list[Any] | None = None

    def elements(self, epoch: Epoch, start: int) -> Iterator[Any]:
        if self._kept is not None:
            yield from islice(self._kept, start, None)
            return
        kept = []
        for element in self.source.elements((0,), 0):  # whichever epoch is the first to be seen, after a restore too
            kept.append(map_structure(read_only, element))
            if len(kept) > start:
                yield kept[-1]
        self._kept = kept


@dataclass(eq=False)
class Window(Step):
    """`take` and `skip`: `size` elements from `first` on."""

    first: int
    size: int | float

    def count(self) -> int | float | None:
        count = self.source.count()
        if count is None:
            return 0 if self.size == 0 else None
        return min(self.size, max(count - self.first, 0))

    def elements(self, epoch: Epoch, start: int) -> Iterator[Any]:
        left = None if self.size == math.inf else max(int(self.size) - start, 0)
        return islice(self.source.elements(epoch, self.first + start), left)

    def get(self, epoch: Epoch, i: int) -> Any:
        return self.source.get(epoch, self.first + i)

    def gather(self, epoch: Epoch, indices: np.ndarray) -> Any:
        return self.source.gather(epoch, self.first + indices)


@dataclass(eq=False)
class Repeat(Step):
    times: int | float

    def count(self) -> int | float | None:
        count = self.source.count()
        if count is None:
            return {0: 0, math.inf: math.inf}.get(self.times)
        return 0 if count == 0 else count * self.times

    def elements(self, epoch: Epoch, start: int) -> Iterator[Any]:
        length = self.source.count()
        repetition, start = divmod(start, int(length)) if length and length != math.inf else (0, start)
        while repetition < self.times:
            done = start if length else 0  # where the length is unknown, what lies before `start` is run through
            for element in self.source.elements((*epoch, repetition), done):
                done += 1
                if done > start:
                    yield element
            if done == 0:
                return  # nothing, however often
            repetition, start = repetition + 1, max(start - done, 0)


@dataclass(eq=False)
class Prefetch(Step):
    size: int

    def elements(self, epoch: Epoch, start: int) -> Iterator[Any]:
        ready: queue.Queue[tuple[Any, BaseException | None]] = queue.Queue(self.size)
        left = threading.Event()  # the loop was left
        source = self.source

        def work() -> None:
            elements = source.elements(epoch, start)
            error: BaseException = StopIteration()
            try:
                for element in elements:
                    ready.put((element, None))
                    if left.is_set():
                        return
            except BaseException as raised:
                error = raised
            ready.put((None, error))

        context = contextvars.copy_context()
        threading.Thread(target=context.run, args=(work,), name="layerwise-prefetch", daemon=True).start()
        try:
            while True:
                element, error = ready.get()
                if isinstance(error, StopIteration):
                    return
                if error is not None:
                    raise error
                yield element
        finally:
            left.set()
            while not ready.empty():  # room for the element that the thread may hold
                ready.get()
