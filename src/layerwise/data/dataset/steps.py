"""What happens to elements on their way, a class for each of `Dataset`'s methods."""

import contextvars
import math
import queue
import threading
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

import numpy as np

from ..split import permutation, random_words
from .stage import Epoch, Stage, at_least, map_structure, read_only, stack


class Step(Stage):
    """A stage made from one other."""

    def __init__(self, source: Stage):
        self.inputs = (source,)
        self._source = source

    def count(self) -> int | float | None:
        return self._source.count()


class Map(Step):
    def __init__(self, source: Stage, function: Callable[..., Any], seed: int | None):
        super().__init__(source)
        self._function = function
        self.seed = None if seed is None else at_least(0, "map: seed", seed)
        self.has_random_access = source.has_random_access

    def elements(self, epoch: Epoch, start: int) -> Iterator[Any]:
        for i, element in enumerate(self._source.elements(epoch, start), start):
            yield self._apply(epoch, i, element)

    def get(self, epoch: Epoch, i: int) -> Any:
        return self._apply(epoch, i, self._source.get(epoch, i))

    def _apply(self, epoch: Epoch, i: int, element: Any) -> Any:
        arguments = element if isinstance(element, tuple) else (element,)
        if self.seed is None:
            return self._function(*arguments)
        rng = np.random.default_rng(np.random.SeedSequence(self.seed, spawn_key=(*epoch, i)))
        return self._function(*arguments, rng=rng)


class Batch(Step):
    def __init__(self, source: Stage, size: int, drop_remainder: bool):
        super().__init__(source)
        self._size = size
        self._drop_remainder = drop_remainder
        self.has_random_access = source.has_random_access

    def count(self) -> int | float | None:
        count = self._source.count()
        if count is None or count == math.inf:
            return count
        return int(count) // self._size if self._drop_remainder else -(int(count) // -self._size)

    def elements(self, epoch: Epoch, start: int) -> Iterator[Any]:
        if self.has_random_access:
            yield from super().elements(epoch, start)
            return
        elements = self._source.elements(epoch, start * self._size)
        while group := list(islice(elements, self._size)):
            if len(group) == self._size or not self._drop_remainder:
                yield stack(group)

    def get(self, epoch: Epoch, i: int) -> Any:
        end = min((i + 1) * self._size, self._source.known_count())
        return self._source.gather(epoch, np.arange(i * self._size, end))


class Shuffle(Step):
    def __init__(self, source: Stage, buffer_size: int | None, seed: int | None, reshuffle: bool):
        super().__init__(source)
        count = source.count()
        if buffer_size is None and count == math.inf:
            raise ValueError("shuffle: an endless dataset needs a buffer_size; or shuffle before repeat()")
        self._buffer_size = math.inf if buffer_size is None else at_least(1, "shuffle: buffer_size", buffer_size)
        self.seed = int(np.random.randint(2**31)) if seed is None else at_least(0, "shuffle: seed", seed)
        self._reshuffle = reshuffle
        self.has_random_access = source.has_random_access
        self._newest_order: tuple[Any, np.ndarray] = (None, np.empty(0, np.int64))

    def elements(self, epoch: Epoch, start: int) -> Iterator[Any]:
        if self.has_random_access:
            return super().elements(epoch, start)
        elements = self._source.elements(epoch, 0)
        if self._buffer_size == math.inf:
            everything = list(elements)
            return (everything[i] for i in permutation(len(everything), *self._key(epoch))[start:])
        return islice(self._drawn(elements, epoch), start, None)

    def get(self, epoch: Epoch, i: int) -> Any:
        return self._source.get(epoch, int(self._order(epoch)[i]))

    def gather(self, epoch: Epoch, indices: np.ndarray) -> Any:
        return self._source.gather(epoch, self._order(epoch)[indices])

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
        for element in self._source.elements((0,), 0):  # whichever epoch is the first to be seen, after a restore too
            kept.append(map_structure(read_only, element))
            if len(kept) > start:
                yield kept[-1]
        self._kept = kept


class Window(Step):
    """`take` and `skip`: `size` elements from `first` on."""

    def __init__(self, source: Stage, first: int, size: int | float):
        super().__init__(source)
        self._first = first
        self._size = size
        self.has_random_access = source.has_random_access

    def count(self) -> int | float | None:
        count = self._source.count()
        if count is None:
            return 0 if self._size == 0 else None
        return min(self._size, max(count - self._first, 0))

    def elements(self, epoch: Epoch, start: int) -> Iterator[Any]:
        left = None if self._size == math.inf else max(int(self._size) - start, 0)
        return islice(self._source.elements(epoch, self._first + start), left)

    def get(self, epoch: Epoch, i: int) -> Any:
        return self._source.get(epoch, self._first + i)

    def gather(self, epoch: Epoch, indices: np.ndarray) -> Any:
        return self._source.gather(epoch, self._first + indices)


class Repeat(Step):
    def __init__(self, source: Stage, times: int | float):
        super().__init__(source)
        self._times = times

    def count(self) -> int | float | None:
        count = self._source.count()
        if count is None:
            return {0: 0, math.inf: math.inf}.get(self._times)
        return 0 if count == 0 else count * self._times

    def elements(self, epoch: Epoch, start: int) -> Iterator[Any]:
        length = self._source.count()
        repetition, start = divmod(start, int(length)) if length and length != math.inf else (0, start)
        while repetition < self._times:
            done = start if length else 0  # where the length is unknown, what lies before `start` is run through
            for element in self._source.elements((*epoch, repetition), done):
                done += 1
                if done > start:
                    yield element
            if done == 0:
                return  # nothing, however often
            repetition, start = repetition + 1, max(start - done, 0)


class Prefetch(Step):
    def __init__(self, source: Stage, size: int):
        super().__init__(source)
        self._size = size

    def elements(self, epoch: Epoch, start: int) -> Iterator[Any]:
        ready: queue.Queue[tuple[Any, BaseException | None]] = queue.Queue(self._size)
        left = threading.Event()  # the loop was left
        source = self._source

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
