"""Input pipelines: `Dataset`, a chain of steps between stored data and `fit`.

Every step answers one question, `_elements(epoch, start)`: which elements has this epoch, from position `start` on?
The answer is a pure function of the two. So a pipeline can be entered anywhere, and what follows is, bit for bit,
what would have followed without the interruption: `state()` is two numbers and the seeds.

An epoch is a tuple: the number of the pass, and under `repeat` the number of the repetition.
"""

import contextvars
import math
import queue
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np

from .split import permutation, random_words

_Epoch = tuple[int, ...]


@dataclass
class _Place:
    """Where a loop stands. `begun`: a loop has it, so the next loop belongs to the next epoch."""

    epoch: int = 0
    position: int = 0
    begun: bool = False


class Dataset(ABC):
    """A sequence of elements: arrays, or tuples and dictionaries of them, nested as you like.

    Start with `from_tensor_slices`, `from_generator` or `zip`, and append steps; each returns a new dataset:

    >>> data = Dataset.from_tensor_slices((np.arange(5), np.arange(5) ** 2))
    >>> [y.tolist() for x, y in data.shuffle(seed=1).batch(2)]
    [[0, 16], [4, 9], [1]]

    Each `for` loop over a dataset is one epoch; shuffles differ from epoch to epoch. `len(data)` is the number of
    elements where it is known. `state()` says where the newest loop stands and `restore(state)` lets the next loop
    go on from there.
    """

    _inputs: "tuple[Dataset, ...]" = ()
    _seed: int | None = None
    _has_random_access = False
    _place = _Place()  # of the newest loop

    # What a step defines

    @abstractmethod
    def _count(self) -> int | float | None:
        """Elements an epoch: a number, infinity, or None where that is unknown."""

    def _elements(self, epoch: _Epoch, start: int) -> Iterator[Any]:
        """The elements of `epoch` from position `start` on."""
        return (self._get(epoch, i) for i in range(start, self._known_count()))

    def _get(self, epoch: _Epoch, i: int) -> Any:  # noqa: B027  steps without random access have none
        """Element i of `epoch`; steps with random access define it, and their count is known and finite."""

    def _gather(self, epoch: _Epoch, indices: np.ndarray) -> Any:
        """The elements at `indices`, stacked; with random access only."""
        return _stack([self._get(epoch, i) for i in indices.tolist()])

    # Sources

    @staticmethod
    def from_tensor_slices(tensors: Any) -> "Dataset":
        """One element for each entry along the first axis of an array, or of each array in tuples and dictionaries.

        Elements are views that cannot be written to. Raises `ValueError` for arrays of different length.

        >>> [row.tolist() for row in Dataset.from_tensor_slices([[1, 2], [3, 4]])]
        [[1, 2], [3, 4]]
        """
        return _Slices(tensors)

    @staticmethod
    def from_generator(generator: Callable[[], Iterable[Any]], length: int | None = None) -> "Dataset":
        """The elements of `generator()`, which is called anew for each epoch and should then give the same elements.

        `length` is the number of elements, if you know it; another number of them raises `ValueError`.

        >>> list(Dataset.from_generator(lambda: range(3)))
        [0, 1, 2]
        """
        return _Generator(generator, length)

    @staticmethod
    def zip(*datasets: "Dataset") -> "Dataset":
        """Tuples with an element of each dataset, as many as the shortest has.

        >>> a = Dataset.from_tensor_slices([1, 2, 3])
        >>> [(int(x), int(y)) for x, y in Dataset.zip(a, a.skip(1))]
        [(1, 2), (2, 3)]
        """
        return _Zip(datasets)

    # Steps

    def map(self, function: Callable[..., Any], seed: int | None = None) -> "Dataset":
        """function(element) for each element; a tuple is passed as several arguments.

        With a `seed` the function also gets `rng=`, a NumPy generator that depends only on seed, epoch and position.

        >>> data = Dataset.from_tensor_slices(([1, 2], [3, 4])).map(lambda x, y: x * y)
        >>> [int(product) for product in data]
        [3, 8]
        """
        return _Map(self, function, seed)

    def batch(self, batch_size: int, drop_remainder: bool = False) -> "Dataset":
        """`batch_size` elements at a time, stacked along a new first axis; the last batch may be smaller, or dropped.

        >>> [batch.tolist() for batch in Dataset.from_tensor_slices([1, 2, 3]).batch(2)]
        [[1, 2], [3]]
        """
        return _Batch(self, _at_least(1, "batch: batch_size", batch_size), drop_remainder)

    def shuffle(
        self, buffer_size: int | None = None, seed: int | None = None, reshuffle_each_iteration: bool = True
    ) -> "Dataset":
        """The elements in random order, another one each epoch.

        With `buffer_size`, each element is drawn from the next `buffer_size` ones; without, from all of them, which
        holds them in memory unless they come from arrays. The order depends only on seed and epoch. Without a
        seed one is drawn from NumPy's global generator; it is part of `state()`.

        >>> [int(x) for x in Dataset.from_tensor_slices([1, 2, 3]).shuffle(seed=0)]
        [2, 3, 1]
        """
        return _Shuffle(self, buffer_size, seed, reshuffle_each_iteration)

    def prefetch(self, buffer_size: int = 1) -> "Dataset":
        """The same elements, up to `buffer_size` of them prepared ahead in a thread of its own.

        The thread ends with the loop, also with one that is left early; what is raised in it is raised in the loop.

        >>> list(Dataset.from_generator(lambda: range(3)).prefetch(2))
        [0, 1, 2]
        """
        return _Prefetch(self, _at_least(1, "prefetch: buffer_size", buffer_size))

    def cache(self) -> "Dataset":
        """The same elements, kept in memory by the first full loop. Every epoch has the elements of the first.

        >>> data = Dataset.from_generator(lambda: iter([1, 2])).cache()
        >>> list(data), list(data)
        ([1, 2], [1, 2])
        """
        return _Cache(self)

    def take(self, count: int) -> "Dataset":
        """The first `count` elements of each epoch.

        >>> list(Dataset.from_generator(lambda: range(9)).take(2))
        [0, 1]
        """
        return _Window(self, 0, _at_least(0, "take: count", count))

    def skip(self, count: int) -> "Dataset":
        """All but the first `count` elements of each epoch.

        >>> list(Dataset.from_generator(lambda: range(4)).skip(2))
        [2, 3]
        """
        return _Window(self, _at_least(0, "skip: count", count), math.inf)

    def repeat(self, count: int | None = None) -> "Dataset":
        """`count` passes as one epoch; without a count it never ends. Each pass is shuffled anew.

        >>> list(Dataset.from_generator(lambda: range(2)).repeat(2))
        [0, 1, 0, 1]
        """
        return _Repeat(self, math.inf if count is None else _at_least(0, "repeat: count", count))

    # Iteration

    def __iter__(self) -> "DatasetIterator":
        place = self._place
        self._place = _Place(place.epoch + place.begun, 0 if place.begun else place.position, begun=True)
        return DatasetIterator(self, self._place)

    def __len__(self) -> int:
        count = self._count()
        if count is None or count == math.inf:
            raise TypeError(f"the length of this dataset is {'unknown' if count is None else 'infinite'}")
        return int(count)

    def __bool__(self) -> bool:
        return True

    def state(self) -> dict[str, Any]:
        """Where the newest loop stands, as numbers that JSON can hold: `{"epoch", "position", "seeds"}`.

        position: elements handed out in this epoch. After the last element it is 0 of the next epoch.

        >>> data = Dataset.from_tensor_slices([1, 2, 3]).shuffle(seed=7)
        >>> _ = next(iter(data))
        >>> data.state()
        {'epoch': 0, 'position': 1, 'seeds': [7]}
        """
        return _state(self, self._place)

    def restore(self, state: dict[str, Any]) -> None:
        """The next loop goes on where `state` was taken, on this dataset or on another one built alike.

        Raises `ValueError` for a state that no dataset of this structure can have.

        >>> data = Dataset.from_tensor_slices([1, 2, 3])
        >>> data.restore({"epoch": 0, "position": 2, "seeds": []})
        >>> [int(x) for x in data], data.state()["epoch"]
        ([3], 1)
        """
        if not isinstance(state, dict) or state.keys() != {"epoch", "position", "seeds"}:
            raise ValueError(f"restore: expected a dictionary from state(), got {state!r}")
        numbers = [state["epoch"], state["position"], *state["seeds"]]
        if not all(isinstance(n, int) and n >= 0 for n in numbers):
            raise ValueError(f"restore: expected numbers of 0 or more, got {state}")
        seeded = self._seeded_steps()
        if len(seeded) != len(state["seeds"]):
            raise ValueError(
                f"restore: the state has {len(state['seeds'])} seeds, this dataset {len(seeded)} steps with a seed: "
                "expected the state of a dataset built alike"
            )
        count = self._count()
        if count is not None and state["position"] > count:
            raise ValueError(f"restore: position {state['position']} lies behind the {count} elements of this dataset")
        for step, seed in zip(seeded, state["seeds"]):
            step._seed = seed
        self._place = _Place(state["epoch"], state["position"])

    def _known_count(self) -> int:
        count = self._count()
        assert isinstance(count, int)
        return count

    def _seeded_steps(self) -> "list[Dataset]":
        return [step for source in self._inputs for step in source._seeded_steps()] + [self] * (self._seed is not None)


def _state(dataset: Dataset, place: _Place) -> dict[str, Any]:
    return {
        "epoch": place.epoch,
        "position": place.position,
        "seeds": [step._seed for step in dataset._seeded_steps()],
    }


class DatasetIterator:
    """One loop over a dataset. `state()` is the place of this loop; `Dataset.restore` takes it.

    >>> loop = iter(Dataset.from_tensor_slices([1, 2]))
    >>> int(next(loop)), loop.state()["position"]
    (1, 1)
    """

    def __init__(self, dataset: Dataset, place: _Place):
        self._dataset = dataset
        self._place = place
        self._elements = dataset._elements((place.epoch,), place.position)

    def __iter__(self) -> "DatasetIterator":
        return self

    def __next__(self) -> Any:
        try:
            element = next(self._elements)
        except StopIteration:
            if self._place.begun:
                vars(self._place).update(epoch=self._place.epoch + 1, position=0, begun=False)
            raise
        self._place.position += 1
        return element

    def state(self) -> dict[str, Any]:
        """Where this loop stands; see `Dataset.state`."""
        return _state(self._dataset, self._place)


class _Slices(Dataset):
    _has_random_access = True

    def __init__(self, tensors: Any):
        lengths = []

        def prepare(leaf: Any) -> np.ndarray:
            array = np.asarray(leaf).view()
            if array.ndim == 0:
                raise ValueError(f"from_tensor_slices: expected arrays with at least one axis, got {leaf!r}")
            array.flags.writeable = False
            lengths.append(len(array))
            return array

        self._arrays = _map_structure(prepare, tensors)
        if len(set(lengths)) != 1:
            raise ValueError(f"from_tensor_slices: expected arrays of equal length, got lengths {lengths}")
        self._length = lengths[0]

    def _count(self) -> int:
        return self._length

    def _get(self, epoch: _Epoch, i: int) -> Any:
        return _map_structure(lambda array: array[i], self._arrays)

    def _gather(self, epoch: _Epoch, indices: np.ndarray) -> Any:
        return _map_structure(lambda array: array[indices], self._arrays)


class _Generator(Dataset):
    def __init__(self, generator: Callable[[], Iterable[Any]], length: int | None):
        if not callable(generator):
            raise ValueError(
                f"from_generator: expected a function that returns a new iterator each epoch, "
                f"got {type(generator).__name__}; for a list write: lambda: the_list"
            )
        self._generator = generator
        self._length = None if length is None else _at_least(0, "from_generator: length", length)

    def _count(self) -> int | None:
        return self._length

    def _elements(self, epoch: _Epoch, start: int) -> Iterator[Any]:
        count = 0
        for element in self._generator():
            count += 1
            if self._length is not None and count > self._length:
                break
            if count > start:
                yield element
        if self._length is not None and count != self._length:
            more = "or more " if count > self._length else ""
            raise ValueError(f"from_generator: length={self._length}, but the generator had {count} {more}elements")


class _Zip(Dataset):
    def __init__(self, datasets: tuple[Dataset, ...]):
        if not datasets or not all(isinstance(d, Dataset) for d in datasets):
            raise ValueError(
                f"zip: expected datasets, got {', '.join(type(d).__name__ for d in datasets) or 'nothing'}"
            )
        self._inputs = datasets
        self._has_random_access = all(d._has_random_access for d in datasets)

    def _count(self) -> int | float | None:
        counts = [d._count() for d in self._inputs]
        return None if None in counts else min(count for count in counts if count is not None)

    def _elements(self, epoch: _Epoch, start: int) -> Iterator[Any]:
        return zip(*(d._elements(epoch, start) for d in self._inputs))

    def _get(self, epoch: _Epoch, i: int) -> Any:
        return tuple(d._get(epoch, i) for d in self._inputs)

    def _gather(self, epoch: _Epoch, indices: np.ndarray) -> Any:
        return tuple(d._gather(epoch, indices) for d in self._inputs)


class _Step(Dataset):
    """A dataset made from one other."""

    def __init__(self, source: Dataset):
        self._inputs = (source,)
        self._source = source

    def _count(self) -> int | float | None:
        return self._source._count()


class _Map(_Step):
    def __init__(self, source: Dataset, function: Callable[..., Any], seed: int | None):
        super().__init__(source)
        self._function = function
        self._seed = None if seed is None else _at_least(0, "map: seed", seed)
        self._has_random_access = source._has_random_access

    def _elements(self, epoch: _Epoch, start: int) -> Iterator[Any]:
        for i, element in enumerate(self._source._elements(epoch, start), start):
            yield self._apply(epoch, i, element)

    def _get(self, epoch: _Epoch, i: int) -> Any:
        return self._apply(epoch, i, self._source._get(epoch, i))

    def _apply(self, epoch: _Epoch, i: int, element: Any) -> Any:
        arguments = element if isinstance(element, tuple) else (element,)
        if self._seed is None:
            return self._function(*arguments)
        rng = np.random.default_rng(np.random.SeedSequence(self._seed, spawn_key=(*epoch, i)))
        return self._function(*arguments, rng=rng)


class _Batch(_Step):
    def __init__(self, source: Dataset, size: int, drop_remainder: bool):
        super().__init__(source)
        self._size = size
        self._drop_remainder = drop_remainder
        self._has_random_access = source._has_random_access

    def _count(self) -> int | float | None:
        count = self._source._count()
        if count is None or count == math.inf:
            return count
        return int(count) // self._size if self._drop_remainder else -(int(count) // -self._size)

    def _elements(self, epoch: _Epoch, start: int) -> Iterator[Any]:
        if self._has_random_access:
            yield from super()._elements(epoch, start)
            return
        elements = self._source._elements(epoch, start * self._size)
        while group := list(islice(elements, self._size)):
            if len(group) == self._size or not self._drop_remainder:
                yield _stack(group)

    def _get(self, epoch: _Epoch, i: int) -> Any:
        end = min((i + 1) * self._size, self._source._known_count())
        return self._source._gather(epoch, np.arange(i * self._size, end))


class _Shuffle(_Step):
    def __init__(self, source: Dataset, buffer_size: int | None, seed: int | None, reshuffle: bool):
        super().__init__(source)
        count = source._count()
        if buffer_size is None and count == math.inf:
            raise ValueError("shuffle: an endless dataset needs a buffer_size; or shuffle before repeat()")
        self._buffer_size = math.inf if buffer_size is None else _at_least(1, "shuffle: buffer_size", buffer_size)
        self._seed = int(np.random.randint(2**31)) if seed is None else _at_least(0, "shuffle: seed", seed)
        self._reshuffle = reshuffle
        self._has_random_access = source._has_random_access
        self._newest_order: tuple[Any, np.ndarray] = (None, np.empty(0, np.int64))

    def _elements(self, epoch: _Epoch, start: int) -> Iterator[Any]:
        if self._has_random_access:
            return super()._elements(epoch, start)
        elements = self._source._elements(epoch, 0)
        if self._buffer_size == math.inf:
            everything = list(elements)
            return (everything[i] for i in permutation(len(everything), *self._key(epoch))[start:])
        return islice(self._drawn(elements, epoch), start, None)

    def _get(self, epoch: _Epoch, i: int) -> Any:
        return self._source._get(epoch, int(self._order(epoch)[i]))

    def _gather(self, epoch: _Epoch, indices: np.ndarray) -> Any:
        return self._source._gather(epoch, self._order(epoch)[indices])

    def _order(self, epoch: _Epoch) -> np.ndarray:
        """The source's index at each position; the newest one is kept."""
        key = self._key(epoch)
        kept_key, order = self._newest_order
        if kept_key != key:
            count = self._known_count()
            if self._buffer_size >= count:
                order = permutation(count, *key)
            else:
                order = np.fromiter(self._drawn(iter(range(count)), epoch), np.int64, count)
            self._newest_order = (key, order)
        return order

    def _drawn(self, elements: Iterator[Any], epoch: _Epoch) -> Iterator[Any]:
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

    def _key(self, epoch: _Epoch) -> tuple[int, _Epoch]:
        assert self._seed is not None
        return self._seed, epoch if self._reshuffle else ()


class _Cache(_Step):
    def __init__(self, source: Dataset):
        super().__init__(source)
        if source._count() == math.inf:
            raise ValueError("cache: an endless dataset fits no memory; cache before repeat()")
        self._kept: list[Any] | None = None

    def _elements(self, epoch: _Epoch, start: int) -> Iterator[Any]:
        if self._kept is not None:
            yield from islice(self._kept, start, None)
            return
        kept = []
        for element in self._source._elements((0,), 0):  # whichever epoch is the first to be seen, after a restore too
            kept.append(_map_structure(_read_only, element))
            if len(kept) > start:
                yield kept[-1]
        self._kept = kept


class _Window(_Step):
    """`take` and `skip`: `size` elements from `first` on."""

    def __init__(self, source: Dataset, first: int, size: int | float):
        super().__init__(source)
        self._first = first
        self._size = size
        self._has_random_access = source._has_random_access

    def _count(self) -> int | float | None:
        count = self._source._count()
        if count is None:
            return 0 if self._size == 0 else None
        return min(self._size, max(count - self._first, 0))

    def _elements(self, epoch: _Epoch, start: int) -> Iterator[Any]:
        left = None if self._size == math.inf else max(int(self._size) - start, 0)
        return islice(self._source._elements(epoch, self._first + start), left)

    def _get(self, epoch: _Epoch, i: int) -> Any:
        return self._source._get(epoch, self._first + i)

    def _gather(self, epoch: _Epoch, indices: np.ndarray) -> Any:
        return self._source._gather(epoch, self._first + indices)


class _Repeat(_Step):
    def __init__(self, source: Dataset, times: int | float):
        super().__init__(source)
        self._times = times

    def _count(self) -> int | float | None:
        count = self._source._count()
        if count is None:
            return {0: 0, math.inf: math.inf}.get(self._times)
        return 0 if count == 0 else count * self._times

    def _elements(self, epoch: _Epoch, start: int) -> Iterator[Any]:
        length = self._source._count()
        repetition, start = divmod(start, int(length)) if length and length != math.inf else (0, start)
        while repetition < self._times:
            done = start if length else 0  # where the length is unknown, what lies before `start` is run through
            for element in self._source._elements((*epoch, repetition), done):
                done += 1
                if done > start:
                    yield element
            if done == 0:
                return  # nothing, however often
            repetition, start = repetition + 1, max(start - done, 0)


class _Prefetch(_Step):
    def __init__(self, source: Dataset, size: int):
        super().__init__(source)
        self._size = size

    def _elements(self, epoch: _Epoch, start: int) -> Iterator[Any]:
        ready: queue.Queue[tuple[Any, BaseException | None]] = queue.Queue(self._size)
        left = threading.Event()  # the loop was left
        source = self._source

        def work() -> None:
            elements = source._elements(epoch, start)
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


def _at_least(minimum: int, name: str, value: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < minimum:
        raise ValueError(f"{name}: expected a whole number of {minimum} or more, got {value!r}")
    return int(value)


def _map_structure(function: Callable[[Any], Any], structure: Any) -> Any:
    if isinstance(structure, tuple):
        return tuple(_map_structure(function, part) for part in structure)
    if isinstance(structure, dict):
        return {key: _map_structure(function, part) for key, part in structure.items()}
    return function(structure)


def _stack(elements: list[Any]) -> Any:
    first = elements[0]
    if isinstance(first, tuple | dict):
        if any(type(e) is not type(first) or _keys(e) != _keys(first) for e in elements):
            raise ValueError("batch: expected elements of one structure, got tuples or dictionaries that differ")
        parts = {key: _stack([e[key] for e in elements]) for key in _keys(first)}
        return parts if isinstance(first, dict) else tuple(parts.values())
    arrays = [np.asarray(e) for e in elements]
    if len(shapes := {a.shape for a in arrays}) > 1:
        raise ValueError(
            f"batch: expected elements of one shape, got {sorted(shapes)}; make them equal with map() first"
        )
    return np.stack(arrays)


def _keys(structure: tuple | dict) -> Iterable[Any]:
    return structure.keys() if isinstance(structure, dict) else range(len(structure))


def _read_only(leaf: Any) -> Any:
    if isinstance(leaf, np.ndarray):
        leaf = leaf.view()
        leaf.flags.writeable = False
    return leaf
