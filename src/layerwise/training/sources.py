"""Where batches come from: arrays in memory, or whatever gives one batch after another.

A source gives each batch as a step takes it: x, (x,), (x, y) or (x, y, sample_weight).
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from .. import random, tree
from ..backends import backend
from ..naming import expect, whole_number
from .arrays import Arrays, as_data, checked_array, class_weights, is_arrays, map_leaves, unpack_x_y_sample_weight
from .numbered import batches_of


class ArrayBatches:
    """Batches of arrays in memory, in an order drawn anew for every epoch where `shuffle` is set.

    Args:
        arrays: what the batches are rows of.
        batch_size: examples in a batch, by default 32; the last may be smaller.
        shuffle: whether to draw an order; "batch" keeps the examples of a batch together.
        class_weight: {class: weight}, multiplied into the examples' weights.
    """

    def __init__(
        self,
        arrays: Arrays,
        batch_size: int | None = None,
        shuffle: bool | str = False,
        class_weight: Mapping[int, float] | None = None,
    ) -> None:
        self.batch_size = whole_number("batch_size", 32 if batch_size is None else batch_size)
        known = isinstance(shuffle, bool | np.bool_) or shuffle == "batch"
        expect("shuffle", shuffle, known, "True, False or 'batch'")
        x, y, weight = arrays.parts
        if class_weight is not None:
            weight = class_weights(y, class_weight, weight)
        self.arrays, self.examples, self.data = arrays, arrays.examples, as_data(x, y, weight)
        self.shuffle = shuffle

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

    def first(self) -> Any:
        """A batch like the first one, before an order is drawn."""
        return tree.map_structure(lambda a: None if a is None else a[: self.batch_size], self.data)

    def from_batch(self, first: int) -> ArrayEpoch:
        """The batches of an epoch, without the first so many."""
        return ArrayEpoch(self, first)


class ArrayEpoch:
    """The batches of an epoch of arrays in memory: gathered one by one, or several of them by their rows."""

    def __init__(self, source: ArrayBatches, first: int) -> None:
        self.data, self.size, self.examples = source.data, source.batch_size, source.examples
        self.order, self.position = source.order(), first * source.batch_size

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
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
    With `inputs_only` labels and weights are left out.
    """

    check: Callable[[Any, Any], None] | None = None  # asked of the labels and weights of each batch taken from here

    def __init__(
        self,
        source: Any,
        class_weight: Mapping[int, float] | None = None,
        shuffle: bool | str = False,
        inputs_only: bool = False,
    ) -> None:
        self.source, self.class_weight, self.shuffle, self.inputs_only = source, class_weight, shuffle, inputs_only
        numbered = hasattr(source, "__getitem__") and hasattr(source, "__len__")
        self.indexed = numbered and (hasattr(source, "on_epoch_end") or not hasattr(source, "__iter__"))
        if not self.indexed and not isinstance(source, Iterable):
            remedy = "; call it, and pass what it returns" if callable(source) else ""
            raise TypeError(
                f"x: got a {type(source).__name__}, expected arrays, "
                f"or an iterable of batches x, (x, y) or (x, y, sample_weight){remedy}"
            )

    def __len__(self) -> int:
        count = self._count()
        if count is None:
            raise TypeError("this source of batches does not tell its length")
        return count

    def _count(self) -> int | None:
        if hasattr(self.source, "num_batches"):
            return self.source.num_batches
        try:
            return len(self.source)
        except TypeError:
            return None

    def from_batch(self, first: int) -> Iterator[Any]:
        """The batches of an epoch, without the first so many, which the source has to go through nevertheless."""
        source = self.source
        if self.indexed:
            count = self._count()
            order = itertools.count() if count is None else range(count)
            if self.shuffle and count is not None:
                order = np.asarray(random.permutation(count)).tolist()
            if hasattr(source, "on_epoch_begin"):
                source.on_epoch_begin()
            source = batches_of(source, itertools.islice(order, first, None))
        else:
            source = itertools.islice(source, first, None)
        for number, data in enumerate(source, first):
            x, y, weight = unpack_x_y_sample_weight(data)
            if x is None:
                raise ValueError(f"batch {number} is None, expected x, (x, y) or (x, y, sample_weight)")
            parts = [
                map_leaves(part, lambda leaf, role=role: checked_array(leaf, f"batch {number}: {role}"))  # noqa: B023
                for part, role in ((x, "x"), (y, "y"), (weight, "sample_weight"))
            ]
            if self.class_weight is not None:
                parts[2] = class_weights(parts[1], self.class_weight, parts[2])
            lengths = {len(leaf) for leaf in tree.flatten(parts) if leaf is not None}
            if len(lengths) > 1:
                raise ValueError(f"batch {number}: parts of different lengths: {sorted(lengths)}")
            x, y, weight = parts
            bare = not isinstance(data, list | tuple)
            yield as_data(x, None, None) if self.inputs_only else as_data(x, y, weight, bare)
        if hasattr(self.source, "on_epoch_end"):
            self.source.on_epoch_end()


def batches(
    x: Any,
    y: Any = None,
    sample_weight: Any = None,
    batch_size: int | None = None,
    steps: int | None = None,
    *,
    shuffle: bool | str = False,
    class_weight: Mapping[int, float] | None = None,
    inputs_only: bool = False,
) -> ArrayBatches | IterableBatches:
    """The batches of whatever `fit` was given; `steps` cuts arrays into so many, unless `batch_size` is given."""
    if isinstance(x, Arrays | list | tuple | dict | np.ndarray) or is_arrays(x):
        arrays = x if isinstance(x, Arrays) else Arrays(x, y, sample_weight)
        if batch_size is None and steps is not None:
            batch_size = math.ceil(arrays.examples / steps)
        return ArrayBatches(arrays, batch_size, shuffle, class_weight)
    kind = next(cls.__name__ for cls in type(x).__mro__ if not cls.__name__.startswith("_"))
    for name, value in (("y", y), ("sample_weight", sample_weight)):
        if value is not None:
            raise ValueError(f"{name}: x is a {kind} of batches, which bring their own {name}; leave it out")
    if batch_size is not None:
        raise ValueError(f"batch_size: x is a {kind} of batches, which have their own size; leave it out")
    return IterableBatches(x, class_weight, shuffle, inputs_only)
