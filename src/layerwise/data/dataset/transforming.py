"""What data sets are turned into, a method for each step."""

import math
from collections.abc import Callable
from typing import Any, Self

from ...cores import usable_cores
from ...naming import whole_number
from .choosing import Concatenated, Filter, Numbered, Shard
from .nesting import FlatMap, Interleave, Unbatch, Windows
from .pipeline import Pipeline
from .stage import Stage
from .steps import Batch, Cache, Map, PaddedBatch, Prefetch, Repeat, Shuffle, Window

AUTOTUNE = -1  # where a number is asked for: whatever is good
_CYCLE = 4  # data sets that are interleaved, unless it is said


def _workers(num_parallel_calls: int | None) -> int:
    if num_parallel_calls is None:
        return 1
    return (
        usable_cores()
        if num_parallel_calls == AUTOTUNE
        else whole_number("map: num_parallel_calls", num_parallel_calls)
    )


class Transforming(Pipeline):
    """The steps of data sets."""

    def map(
        self,
        function: Callable[..., Any],
        num_parallel_calls: int | None = None,
        deterministic: bool | None = None,
        *,
        seed: int | None = None,
    ) -> Self:
        """function(element) for each element; a tuple is passed as several arguments.

        With `num_parallel_calls` it is called by so many threads, `AUTOTUNE` meaning one for each core; results keep
        their order, whatever `deterministic` says. With a `seed` it also gets `rng=`, a NumPy generator that depends
        only on seed, epoch and position.

        >>> from layerwise.data import Dataset
        >>> data = Dataset.from_tensor_slices(([1, 2], [3, 4])).map(lambda x, y: x * y)
        >>> [int(product) for product in data]
        [3, 8]
        """
        seed = None if seed is None else whole_number("map: seed", seed, 0)
        return self._then(Map(self._stage, function, seed, _workers(num_parallel_calls)))

    def batch(
        self,
        batch_size: int,
        drop_remainder: bool = False,
        num_parallel_calls: int | None = None,
        deterministic: bool | None = None,
    ) -> Self:
        """`batch_size` elements at a time, stacked along a new first axis; the last batch may be smaller, or dropped.

        `num_parallel_calls` and `deterministic` are without effect: what `map` makes, it makes in its own threads.

        >>> from layerwise.data import Dataset
        >>> [batch.tolist() for batch in Dataset.from_tensor_slices([1, 2, 3]).batch(2)]
        [[1, 2], [3]]
        """
        return self._then(Batch(self._stage, whole_number("batch: batch_size", batch_size), drop_remainder))

    def shuffle(
        self, buffer_size: int | None = None, seed: int | None = None, reshuffle_each_iteration: bool = True
    ) -> Self:
        """The elements in random order, another one each epoch.

        With `buffer_size`, each element is drawn from the next `buffer_size` ones; without, from all of them, which
        holds them in memory unless they come from arrays. The order depends only on seed and epoch. Without a
        seed one is drawn from NumPy's global generator; it is part of `state()`.

        >>> from layerwise.data import Dataset
        >>> [int(x) for x in Dataset.from_tensor_slices([1, 2, 3]).shuffle(seed=0)]
        [2, 3, 1]
        """
        return self._then(Shuffle(self._stage, buffer_size, seed, reshuffle_each_iteration))

    def prefetch(self, buffer_size: int = 1) -> Self:
        """The same elements, up to `buffer_size` of them prepared ahead in a thread of its own; `AUTOTUNE` means 2.

        The thread ends with the loop, also with one that is left early; what is raised in it is raised in the loop.

        >>> from layerwise.data import Dataset
        >>> list(Dataset.from_generator(lambda: range(3)).prefetch(2))
        [0, 1, 2]
        """
        size = 2 if buffer_size == AUTOTUNE else whole_number("prefetch: buffer_size", buffer_size)
        return self._then(Prefetch(self._stage, size))

    def cache(self, filename: str = "") -> Self:
        """The same elements, kept by the first full loop: in memory, also where TensorFlow would write `filename`.

        Every epoch has the elements of the first.

        >>> from layerwise.data import Dataset
        >>> data = Dataset.from_generator(lambda: iter([1, 2])).cache()
        >>> list(data), list(data)
        ([1, 2], [1, 2])
        """
        return self._then(Cache(self._stage))

    def take(self, count: int) -> Self:
        """The first `count` elements of each epoch; -1: all.

        >>> from layerwise.data import Dataset
        >>> list(Dataset.from_generator(lambda: range(9)).take(2))
        [0, 1]
        """
        return self._then(Window(self._stage, 0, math.inf if count == -1 else whole_number("take: count", count, 0)))

    def skip(self, count: int) -> Self:
        """All but the first `count` elements of each epoch; -1: none.

        >>> from layerwise.data import Dataset
        >>> list(Dataset.from_generator(lambda: range(4)).skip(2))
        [2, 3]
        """
        if count == -1:
            return self.take(0)
        return self._then(Window(self._stage, whole_number("skip: count", count, 0), math.inf))

    def repeat(self, count: int | None = None) -> Self:
        """`count` passes as one epoch; without a count, or with -1, it never ends. Each pass is shuffled anew.

        >>> from layerwise.data import Dataset
        >>> list(Dataset.from_generator(lambda: range(2)).repeat(2))
        [0, 1, 0, 1]
        """
        return self._then(
            Repeat(self._stage, math.inf if count in (None, -1) else whole_number("repeat: count", count, 0))
        )

    def filter(self, predicate: Callable[..., Any]) -> Self:
        """The elements for which predicate(element) is true; a tuple is passed as several arguments.

        >>> from layerwise.data import Dataset
        >>> [int(x) for x in Dataset.range(6).filter(lambda x: x % 2 == 1)]
        [1, 3, 5]
        """
        return self._then(Filter(self._stage, predicate))

    def window(self, size: int, shift: int | None = None, stride: int = 1, drop_remainder: bool = False) -> Self:
        """Data sets of `size` elements, `stride` apart, each beginning `shift` elements (by default `size`) further.

        Of elements that are tuples or dictionaries, a window is such a one of data sets. The last ones may be shorter,
        or with `drop_remainder` are left out.

        >>> from layerwise.data import Dataset
        >>> windows = Dataset.range(5).window(3, shift=1, drop_remainder=True)
        >>> [batch.tolist() for batch in windows.flat_map(lambda window: window.batch(3))]
        [[0, 1, 2], [1, 2, 3], [2, 3, 4]]
        """
        size = whole_number("window: size", size)
        shift = size if shift is None else whole_number("window: shift", shift)
        stride = whole_number("window: stride", stride)
        return self._then(Windows(self._stage, size, shift, stride, drop_remainder, self._then))

    def flat_map(self, map_func: Callable[..., Any]) -> Self:
        """The elements of the data set that `map_func` makes of each element, one data set after the other.

        >>> from layerwise.data import Dataset
        >>> [int(x) for x in Dataset.range(3).flat_map(lambda n: Dataset.from_tensors(n).repeat(2))]
        [0, 0, 1, 1, 2, 2]
        """
        return self._then(FlatMap(self._stage, _to_stage("flat_map", map_func)))

    def interleave(
        self,
        map_func: Callable[..., Any],
        cycle_length: int | None = None,
        block_length: int = 1,
        num_parallel_calls: int | None = None,
        deterministic: bool | None = None,
    ) -> Self:
        """The elements of the data sets that `map_func` makes of elements, of some of them in turn.

        Args:
            map_func: the function; a tuple is passed as several arguments.
            cycle_length: of how many data sets at a time, by default 4.
            block_length: how many elements of each before it is the next one's turn.
            num_parallel_calls, deterministic: TensorFlow's arguments, without effect.

        >>> from layerwise.data import Dataset
        >>> [int(x) for x in Dataset.range(3).interleave(lambda n: Dataset.from_tensors(n).repeat(2), cycle_length=2)]
        [0, 1, 0, 1, 2, 2]
        """
        cycle = _CYCLE if cycle_length in (None, AUTOTUNE) else whole_number("interleave: cycle_length", cycle_length)
        block = whole_number("interleave: block_length", block_length)
        return self._then(Interleave(self._stage, _to_stage("interleave", map_func), cycle, block))

    def padded_batch(
        self,
        batch_size: int,
        padded_shapes: Any = None,
        padding_values: Any = None,
        drop_remainder: bool = False,
    ) -> Self:
        """Batches of arrays of different sizes, each filled up at its ends to the largest of its batch.

        Args:
            batch_size, drop_remainder: as in `batch`.
            padded_shapes: sizes to fill up to, in the form of an element; None or -1 in a shape: the largest.
            padding_values: with what, one value or some in the form of an element; by default 0, or empty text.

        >>> from layerwise.data import Dataset
        >>> data = Dataset.from_generator(lambda: ([1] * n for n in (1, 3, 2)))
        >>> [batch.tolist() for batch in data.padded_batch(2)]
        [[[1, 0, 0], [1, 1, 1]], [[1, 1]]]
        """
        size = whole_number("padded_batch: batch_size", batch_size)
        return self._then(PaddedBatch(self._stage, size, drop_remainder, padded_shapes, padding_values))

    def unbatch(self) -> Self:
        """The entries of each element along its first axis: `batch` undone.

        >>> from layerwise.data import Dataset
        >>> [int(x) for x in Dataset.range(3).batch(2).unbatch()]
        [0, 1, 2]
        """
        return self._then(Unbatch(self._stage))

    def concatenate(self, dataset: Any) -> Self:
        """These elements, then those of another `dataset`.

        >>> from layerwise.data import Dataset
        >>> [int(x) for x in Dataset.range(2).concatenate(Dataset.range(5, 7))]
        [0, 1, 5, 6]
        """
        return self._then(Concatenated(self._stage, _to_stage("concatenate", lambda: dataset)()))

    def enumerate(self, start: int = 0) -> Self:
        """(number, element), counted from `start`.

        >>> from layerwise.data import Dataset
        >>> [(int(i), str(x)) for i, x in Dataset.from_tensor_slices(["a", "b"]).enumerate()]
        [(0, 'a'), (1, 'b')]
        """
        return self._then(Numbered(self._stage, whole_number("enumerate: start", start, 0)))

    def shard(self, num_shards: int, index: int) -> Self:
        """Every `num_shards`-th element, from element `index` on: what one of so many processes takes.

        >>> from layerwise.data import Dataset
        >>> [int(x) for x in Dataset.range(7).shard(3, 1)]
        [1, 4]
        """
        num_shards = whole_number("shard: num_shards", num_shards)
        if whole_number("shard: index", index, 0) >= num_shards:
            raise ValueError(f"shard: index: got {index}, expected a number below num_shards={num_shards}")
        return self._then(Shard(self._stage, num_shards, index))

    def reduce(self, initial_state: Any, reduce_func: Callable[[Any, Any], Any]) -> Any:
        """state = reduce_func(state, element) for all elements, from `initial_state` on.

        >>> from layerwise.data import Dataset
        >>> int(Dataset.range(5).reduce(0, lambda total, x: total + x))
        10
        """
        state = initial_state
        for element in self:
            state = reduce_func(state, element)
        return state

    def with_options(self, options: Any) -> Self:
        """The same elements; `options`, TensorFlow's wishes about how a pipeline runs, is without effect."""
        return self

    def apply(self, transformation_func: Callable[[Self], Any]) -> Any:
        """transformation_func(self), for chains of steps of one's own."""
        return transformation_func(self)


def _to_stage(what: str, function: Callable[..., Any]) -> Callable[..., Stage]:
    """The function with the stage of the data set that it makes."""

    def stage(*arguments: Any) -> Stage:
        made = function(*arguments)
        if not isinstance(made, Pipeline):
            raise ValueError(f"{what}: got a {type(made).__name__}, expected a Dataset")
        return made._stage

    return stage
