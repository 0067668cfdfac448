"""What `fit`, `evaluate` and `predict` are given, as batches (x, y, sample_weight) of NumPy arrays."""

from __future__ import annotations

import itertools
import math
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from time import perf_counter
from typing import Any, Protocol, runtime_checkable

import numpy as np

from .. import random, tree
from ..autograd import raw
from ..backends import backend

Batch = tuple[Any, Any, Any]


def unpack_x_y_sample_weight(data: Any) -> Batch:
    """(x, y, sample_weight) from x, (x,), (x, y) or (x, y, sample_weight).

    >>> unpack_x_y_sample_weight((1, 2))
    (1, 2, None)
    """
    if isinstance(data, list):
        data = tuple(data)
    if not isinstance(data, tuple):
        return data, None, None
    if not 1 <= len(data) <= 3:
        raise ValueError(f"a batch must be x, (x, y) or (x, y, sample_weight); got a tuple of {len(data)}")
    return (*data, None, None)[:3]


def as_data(batch: Any, source: Any) -> Any:
    """What a step is given: (x,), (x, y) or (x, y, weight), or x itself where the source yields no tuples."""
    x, y, weight = batch
    if y is None and weight is None:
        return x if source.bare else (x,)
    return (x, y) if weight is None else (x, y, weight)


def as_array(value: Any, role: str) -> Any:
    """A leaf of the data as an array of numbers, or an error that says what it holds instead.

    It is one of NumPy's, unless it is on the device already.
    """
    if value is None:
        return None
    array = value if type(value) is np.ndarray else _converted(value, role)
    if array.dtype.kind not in "biuf" and array.dtype.name != "bfloat16":
        kind = {"O": "objects (rows of different lengths, or None)", "U": "text", "S": "bytes"}.get(array.dtype.kind)
        raise ValueError(f"{role}: got an array of {kind or array.dtype}, expected numbers")
    return array


def _converted(value: Any, role: str) -> Any:
    machine, value = backend(), raw(value)
    on_device = not isinstance(value, np.ndarray) and machine.owns(value) and not machine.traced(value)
    if on_device and machine.distribution is None:
        return value
    if hasattr(value, "detach"):  # a PyTorch tensor
        value = value.detach().cpu().numpy()
    elif hasattr(value, "to_numpy"):  # a pandas table or column
        value = value.to_numpy()
    try:
        return np.asarray(value)
    except ValueError as error:
        raise ValueError(f"{role}: rows of different lengths cannot become an array ({error})") from None


def checked_array(value: Any, role: str) -> Any:
    """`as_array`, refusing single numbers, NaN and infinities."""
    array = as_array(value, role)
    if array is None:
        return None
    if array.ndim == 0:
        raise ValueError(f"{role}: got a single value, expected an array whose first dimension is the examples")
    if array.dtype.kind == "f" and not backend().finite(array):
        wrong = ~np.isfinite(array)
        where = tuple(int(i) for i in np.argwhere(wrong)[0])
        kind = "NaN" if np.isnan(array).any() else "infinite"
        raise ValueError(
            f"{role}: {wrong.sum()} of {array.size} values are {kind}, the first at index {where}; remove or fill them"
        )
    return array.astype(np.float32) if array.dtype == np.float16 else array


def is_arrays(x: Any) -> bool:
    """Whether `x` is data in memory (an array, or a structure of arrays) rather than a source of batches."""
    leaves = tree.flatten(x)
    return bool(leaves) and all(
        leaf is None
        or hasattr(leaf, "__array__")
        or hasattr(leaf, "to_numpy")
        or isinstance(leaf, int | float | np.generic | str)
        for leaf in leaves
    )


class ArrayBatches:
    """Batches of arrays in memory, in an order drawn anew for every epoch where `shuffle` is set.

    Args:
        x, y, sample_weight: arrays or nested structures of them, of one length.
        batch_size: examples in a batch; the last may be smaller.
        shuffle: whether to draw an order; "batch" keeps the examples of a batch together.
        seed: of the orders.
        class_weight: {class: weight}, multiplied into the examples' weights.
    """

    bare = False  # the batches are tuples

    def __init__(
        self,
        x: Any,
        y: Any = None,
        sample_weight: Any = None,
        batch_size: int | None = 32,
        shuffle: bool | str = False,
        class_weight: Mapping[int, float] | None = None,
    ) -> None:
        batch_size = 32 if batch_size is None else batch_size
        if not isinstance(batch_size, int | np.integer) or batch_size < 1:
            raise ValueError(f"batch_size: got {batch_size!r}, expected a whole number >= 1")
        if not (isinstance(shuffle, bool | np.bool_) or shuffle == "batch"):
            raise ValueError(f"shuffle: got {shuffle!r}, expected True, False or 'batch'")
        if x is None:
            raise ValueError("x is missing; pass arrays, or an iterable of batches")
        roles = ("x", "y", "sample_weight")
        self.data = tuple(
            map_leaves(part, lambda leaf, role=role: checked_array(leaf, role))
            for part, role in zip((x, y, sample_weight), roles, strict=True)
        )
        lengths = [len(leaf) for leaf in tree.flatten(self.data) if leaf is not None]
        if len(set(lengths)) > 1:
            parts = [
                f"{role}{f'[{i}]' if len(tree.flatten(part)) > 1 else ''} has {len(leaf)}"
                for role, part in zip(roles, self.data, strict=True)
                for i, leaf in enumerate(tree.flatten(part))
                if leaf is not None
            ]
            raise ValueError(f"data of different lengths: {', '.join(parts)} examples")
        self.examples = lengths[0] if lengths else 0
        if self.examples == 0:
            raise ValueError("x holds no examples; nothing to do")
        if class_weight is not None:
            self.data = (*self.data[:2], class_weights(self.data[1], class_weight, self.data[2]))
        self.batch_size, self.shuffle = int(batch_size), shuffle

    def __len__(self) -> int:
        return math.ceil(self.examples / self.batch_size)

    def order(self) -> np.ndarray | None:
        """The order of the examples in the next epoch, None where it is theirs."""
        if not self.shuffle:
            return None
        if self.shuffle == "batch":
            starts = np.asarray(random.permutation(len(self))) * self.batch_size
            return np.concatenate([np.arange(s, min(s + self.batch_size, self.examples)) for s in starts])
        return np.asarray(random.permutation(self.examples), np.intp)

    def __iter__(self) -> Iterator[Batch]:
        return self.from_batch(0)

    def from_batch(self, first: int) -> ArrayEpoch:
        """The batches of an epoch, without the first so many."""
        return ArrayEpoch(self, first)


class ArrayEpoch:
    """The batches of an epoch of arrays in memory: gathered one by one, or several of them by their rows."""

    def __init__(self, source: ArrayBatches, first: int) -> None:
        self.data, self.size, self.examples = source.data, source.batch_size, source.examples
        self.order, self.position = source.order(), first * source.batch_size

    def __iter__(self) -> Iterator[Batch]:
        return self

    def __next__(self) -> Batch:
        if self.position >= self.examples:
            raise StopIteration
        rows: Any = slice(self.position, self.position + self.size)
        self.position += self.size
        return gathered(self.data, rows if self.order is None else self.order[rows])

    def several(self, most: int) -> RowBatches | None:
        """The next whole batches, at most so many; None where there are none left."""
        count = min(most, (self.examples - self.position) // self.size)
        if count < 1:
            return None
        start, self.position = self.position, self.position + count * self.size
        rows = np.arange(start, self.position) if self.order is None else self.order[start : self.position]
        return RowBatches(self.data, rows.reshape(count, self.size))


@dataclass
class RowBatches:
    """Some batches of one size: `rows` (batches, examples) are those of the data's arrays that each consists of."""

    data: Any
    rows: np.ndarray

    def __len__(self) -> int:
        return len(self.rows)


def gathered(data: Any, rows: slice | np.ndarray = slice(None)) -> Any:
    """These rows of every array in a structure, on the device where there is one."""
    batch = backend().batch
    return tree.map_structure(lambda a: None if a is None else batch(a, rows), data)


class IterableBatches:
    """Batches from a generator, a Dataset, a DataLoader, or any iterable of x, (x, y), (x, y, weight).

    Those of a PyDataset, which has them by number, come in an order drawn anew for every epoch where `shuffle` is set.
    """

    def __init__(
        self, source: Any, class_weight: Mapping[int, float] | None = None, shuffle: bool | str = False
    ) -> None:
        self.source, self.class_weight = source, class_weight
        self.bare = False  # whether the batches are x itself, not tuples
        self.shuffle = shuffle
        self.indexed = hasattr(source, "__getitem__") and hasattr(source, "__len__") and not hasattr(source, "__iter__")
        if not self.indexed and not isinstance(source, Iterable):
            remedy = "; call it, and pass what it returns" if callable(source) else ""
            raise TypeError(
                f"x: got a {type(source).__name__}, expected arrays, "
                f"or an iterable of batches x, (x, y) or (x, y, sample_weight){remedy}"
            )

    def __len__(self) -> int:
        try:
            return len(self.source)
        except TypeError:
            raise TypeError("this source of batches does not tell its length") from None

    def __iter__(self) -> Iterator[Batch]:
        return self.from_batch(0)

    def from_batch(self, first: int) -> Iterator[Batch]:
        """The batches of an epoch, without the first so many, which the source has to go through nevertheless."""
        source = self.source
        if self.indexed:
            order = np.asarray(random.permutation(len(source))).tolist() if self.shuffle else range(len(source))
            source = (self.source[i] for i in order[first:])
        else:
            source = itertools.islice(source, first, None)
        for number, data in enumerate(source, first):
            x, y, weight = unpack_x_y_sample_weight(data)
            if x is None:
                raise ValueError(f"batch {number} is None, expected x, (x, y) or (x, y, sample_weight)")
            self.bare = not isinstance(data, list | tuple)
            parts = [
                map_leaves(part, lambda leaf, role=role: checked_array(leaf, f"batch {number}: {role}"))  # noqa: B023
                for part, role in ((x, "x"), (y, "y"), (weight, "sample_weight"))
            ]
            if self.class_weight is not None:
                parts[2] = class_weights(parts[1], self.class_weight, parts[2])
            lengths = {len(leaf) for leaf in tree.flatten(parts) if leaf is not None}
            if len(lengths) > 1:
                raise ValueError(f"batch {number}: parts of different lengths: {sorted(lengths)}")
            yield tuple(parts)
        if hasattr(self.source, "on_epoch_end"):
            self.source.on_epoch_end()


def map_leaves(structure: Any, fn: Any) -> Any:
    """fn of each array in a structure; a list of plain numbers, or of lists of them, is one array."""
    if isinstance(structure, list) and not any(hasattr(leaf, "shape") for leaf in tree.flatten(structure)):
        return fn(structure)
    return tree.map_structure(fn, structure)


def class_weights(y: Any, class_weight: Mapping[int, float], sample_weight: Any = None) -> Any:
    """Each example's weight by its class, times its own.

    >>> class_weights(np.array([0, 2]), {0: 1.0, 2: 3.0})
    array([1., 3.], dtype=float32)
    """
    if not isinstance(class_weight, Mapping):
        raise TypeError(f"class_weight: got {class_weight!r}, expected a dict {{class number: weight}}")
    if y is None or tree.is_nested(y):
        raise ValueError(
            f"class_weight needs one array of labels y, got {'none' if y is None else len(tree.flatten(y))}; "
            "use sample_weight, which may be one array for each output"
        )
    for key, weight in class_weight.items():
        if not (isinstance(key, int | np.integer) and isinstance(weight, int | float | np.number) and weight >= 0):
            raise ValueError(f"class_weight: got {key!r}: {weight!r}, expected a class number and a weight >= 0")
    labels = y
    if labels.ndim > 1 and labels.shape[-1] > 1:
        labels = labels.argmax(-1)
    labels = np.round(labels.reshape(len(labels), -1)[:, 0]).astype(int)
    classes = np.unique(labels)
    table = {int(k): float(v) for k, v in class_weight.items()}
    weights = np.ones(len(labels), np.float32)
    for c in classes:
        weights[labels == c] = table.get(int(c), 1.0)
    return weights if sample_weight is None else weights * np.asarray(sample_weight, np.float32)


def batches(
    x: Any,
    y: Any = None,
    sample_weight: Any = None,
    batch_size: int | None = None,
    shuffle: bool | str = False,
    class_weight: Mapping[int, float] | None = None,
    steps: int | None = None,
) -> ArrayBatches | IterableBatches:
    """The batches of whatever `fit` was given; `steps` cuts arrays into so many, unless `batch_size` is given."""
    if isinstance(x, list | tuple | dict) or is_arrays(x) or isinstance(x, np.ndarray):
        found = ArrayBatches(x, y, sample_weight, batch_size, shuffle, class_weight)
        if batch_size is None and steps is not None:
            found.batch_size = math.ceil(found.examples / steps)
        return found
    kind = next(cls.__name__ for cls in type(x).__mro__ if not cls.__name__.startswith("_"))
    for name, value in (("y", y), ("sample_weight", sample_weight)):
        if value is not None:
            raise ValueError(f"{name}: x is a {kind} of batches, which bring their own {name}; leave it out")
    if batch_size is not None:
        raise ValueError(f"batch_size: x is a {kind} of batches, which have their own size; leave it out")
    return IterableBatches(x, class_weight, shuffle)


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
            n = min(self.source.batch_size, self.source.examples)
            return tree.map_structure(lambda a: None if a is None else a[:n], self.source.data)
        if not self.more():
            raise ValueError("the source of batches is empty (a generator can be gone through only once)")
        return self._peeked[0]

    def more(self) -> bool:
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
        self._peeked = [] if self._always_more else list(itertools.islice(self._iterator, 1))

    def epoch(self, ready: Callable[[Any], Any]) -> Iterator[Any]:
        """The batches of the next epoch, or the rest of one that was restored, each by way of `ready`.

        Where steps are computed while Python goes on, a batch is ready before the step on the one ahead of it begins.
        """
        early = backend().asynchronous and not self.seconds
        taken = self._taken(ready, early)
        for data, count, self._place in ahead(taken) if early else taken:
            self.done += count
            yield data
        if self.exhausted:
            warnings.warn(
                f"the source of batches ended after {self.done} of {self.limit} steps; training stops here",
                stacklevel=4,
            )
        self.done, self._place = 0, None

    def _taken(self, ready: Callable[[Any], Any], early: bool) -> Iterator[tuple[Any, int, dict[str, Any] | None]]:
        """The batches of an epoch, how many each is, and, where they are taken early, the stream's state behind it."""
        for batch in self._pass() if self.limit is None else self._steps(self.limit):
            count = len(batch) if isinstance(batch, RowBatches) else 1
            self._position += count
            yield ready(batch), count, self._live_state() if early else None

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
            if not self.more():
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


def split_arrays(data: Batch, fraction: float) -> tuple[Batch, Batch]:
    """The first part of each array for training, and the last `fraction` for validation."""
    if not isinstance(fraction, int | float | np.number) or not 0 < fraction < 1:
        raise ValueError(f"validation_split: got {fraction!r}, expected a number between 0 and 1")
    arrays = map_leaves(data, lambda leaf: as_array(leaf, "x"))
    total = next(len(leaf) for leaf in tree.flatten(arrays) if leaf is not None)
    cut = math.floor(total * (1 - fraction))
    if cut in (0, total):
        raise ValueError(f"validation_split: {fraction} of {total} examples leaves training or validation empty")
    first = tree.map_structure(lambda a: None if a is None else a[:cut], arrays)
    return first, tree.map_structure(lambda a: None if a is None else a[cut:], arrays)
