"""Input pipelines: `Dataset`, a chain of steps between stored data and `fit`."""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from ...naming import whole_number
from .sources import Generator, Slices, Zip
from .stage import Stage, map_structure
from .steps import Batch, Cache, Map, Prefetch, Repeat, Shuffle, Window

AUTOTUNE = -1  # where a number is asked for: whatever is good


@dataclass
class _Place:
    """Where a loop stands. `begun`: a loop has it, so the next loop belongs to the next epoch."""

    epoch: int = 0
    position: int = 0
    begun: bool = False


class Dataset:
    """A sequence of elements: arrays, or tuples and dictionaries of them, nested as you like.

    Start with `from_tensor_slices`, `from_generator` or `zip`, and append steps; each returns a new dataset:

    >>> import numpy as np
    >>> data = Dataset.from_tensor_slices((np.arange(5), np.arange(5) ** 2))
    >>> [y.tolist() for x, y in data.shuffle(seed=1).batch(2)]
    [[0, 16], [4, 9], [1]]

    Each `for` loop over a dataset is one epoch; shuffles differ from epoch to epoch. `len(data)` is the number of
    elements where it is known. `state()` says where the newest loop stands and `restore(state)` lets the next loop
    go on from there.

    Args:
        stage: the last step of the pipeline, which these methods make.
    """

    _place = _Place()  # of the newest loop

    def __init__(self, stage: Stage) -> None:
        self._stage = stage

    # Sources

    @staticmethod
    def from_tensor_slices(tensors: Any) -> "Dataset":
        """One element for each entry along the first axis of an array, or of each array in tuples and dictionaries.

        Elements are views that cannot be written to. Raises `ValueError` for arrays of different length.

        >>> [row.tolist() for row in Dataset.from_tensor_slices([[1, 2], [3, 4]])]
        [[1, 2], [3, 4]]
        """
        return Dataset(Slices(tensors))

    @staticmethod
    def from_generator(
        generator: Callable[..., Iterable[Any]],
        output_types: Any = None,
        output_shapes: Any = None,
        args: Iterable[Any] = (),
        output_signature: Any = None,
        *,
        length: int | None = None,
    ) -> "Dataset":
        """The elements of `generator(*args)`, which is called anew for each epoch and should then give the same ones.

        With `output_types`, dtypes in the form of an element, elements are arrays of those; with `output_shapes` they
        are checked, None being any size. `output_signature` says both by objects with a `dtype` and a `shape`, such as
        `layers.InputSpec`. `length` is the number of elements, if you know it; another one raises `ValueError`.

        >>> list(Dataset.from_generator(lambda: range(3)))
        [0, 1, 2]
        >>> list(Dataset.from_generator(range, "float32", args=[2]))
        [array(0., dtype=float32), array(1., dtype=float32)]
        """
        if output_signature is not None:
            output_types = map_structure(lambda spec: spec.dtype, output_signature)
            output_shapes = map_structure(lambda spec: spec.shape, output_signature)
        return Dataset(Generator(generator, length, tuple(args or ()), output_types, output_shapes))

    @staticmethod
    def zip(*datasets: Any) -> "Dataset":
        """Tuples with an element of each dataset, as many as the shortest has.

        A tuple or dictionary of datasets, nested as you like, gives elements of its form.

        >>> a = Dataset.from_tensor_slices([1, 2, 3])
        >>> [(int(x), int(y)) for x, y in Dataset.zip(a, a.skip(1))]
        [(1, 2), (2, 3)]
        """
        form = datasets[0] if len(datasets) == 1 and isinstance(datasets[0], tuple | dict) else datasets
        parts = form if isinstance(form, dict) else dict(enumerate(form))
        if not parts or not all(isinstance(part, Dataset | tuple | dict) for part in parts.values()):
            got = ", ".join(type(part).__name__ for part in parts.values()) or "nothing"
            raise ValueError(f"zip: expected datasets, got {got}")
        stages = {key: (d if isinstance(d, Dataset) else Dataset.zip(d))._stage for key, d in parts.items()}
        return Dataset(Zip(stages, isinstance(form, dict)))

    # Steps

    def map(
        self,
        function: Callable[..., Any],
        num_parallel_calls: int | None = None,
        deterministic: bool | None = None,
        *,
        seed: int | None = None,
    ) -> "Dataset":
        """function(element) for each element; a tuple is passed as several arguments.

        `num_parallel_calls` and `deterministic`, TensorFlow's arguments, are without effect: the function is called for
        one element after the other. With a `seed` it also gets `rng=`, a NumPy generator that depends only on seed,
        epoch and position.

        >>> data = Dataset.from_tensor_slices(([1, 2], [3, 4])).map(lambda x, y: x * y)
        >>> [int(product) for product in data]
        [3, 8]
        """
        return Dataset(Map(self._stage, function, None if seed is None else whole_number("map: seed", seed, 0)))

    def batch(
        self,
        batch_size: int,
        drop_remainder: bool = False,
        num_parallel_calls: int | None = None,
        deterministic: bool | None = None,
    ) -> "Dataset":
        """`batch_size` elements at a time, stacked along a new first axis; the last batch may be smaller, or dropped.

        `num_parallel_calls` and `deterministic` are without effect, as in `map`.

        >>> [batch.tolist() for batch in Dataset.from_tensor_slices([1, 2, 3]).batch(2)]
        [[1, 2], [3]]
        """
        return Dataset(Batch(self._stage, whole_number("batch: batch_size", batch_size), drop_remainder))

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
        return Dataset(Shuffle(self._stage, buffer_size, seed, reshuffle_each_iteration))

    def prefetch(self, buffer_size: int = 1) -> "Dataset":
        """The same elements, up to `buffer_size` of them prepared ahead in a thread of its own; `AUTOTUNE` means 2.

        The thread ends with the loop, also with one that is left early; what is raised in it is raised in the loop.

        >>> list(Dataset.from_generator(lambda: range(3)).prefetch(2))
        [0, 1, 2]
        """
        size = 2 if buffer_size == AUTOTUNE else whole_number("prefetch: buffer_size", buffer_size)
        return Dataset(Prefetch(self._stage, size))

    def cache(self, filename: str = "") -> "Dataset":
        """The same elements, kept by the first full loop: in memory, also where TensorFlow would write `filename`.

        Every epoch has the elements of the first.

        >>> data = Dataset.from_generator(lambda: iter([1, 2])).cache()
        >>> list(data), list(data)
        ([1, 2], [1, 2])
        """
        return Dataset(Cache(self._stage))

    def take(self, count: int) -> "Dataset":
        """The first `count` elements of each epoch; -1: all.

        >>> list(Dataset.from_generator(lambda: range(9)).take(2))
        [0, 1]
        """
        return Dataset(Window(self._stage, 0, math.inf if count == -1 else whole_number("take: count", count, 0)))

    def skip(self, count: int) -> "Dataset":
        """All but the first `count` elements of each epoch; -1: none.

        >>> list(Dataset.from_generator(lambda: range(4)).skip(2))
        [2, 3]
        """
        if count == -1:
            return self.take(0)
        return Dataset(Window(self._stage, whole_number("skip: count", count, 0), math.inf))

    def repeat(self, count: int | None = None) -> "Dataset":
        """`count` passes as one epoch; without a count, or with -1, it never ends. Each pass is shuffled anew.

        >>> list(Dataset.from_generator(lambda: range(2)).repeat(2))
        [0, 1, 0, 1]
        """
        return Dataset(
            Repeat(self._stage, math.inf if count in (None, -1) else whole_number("repeat: count", count, 0))
        )

    # Iteration

    def __iter__(self) -> "DatasetIterator":
        place = self._place
        self._place = _Place(place.epoch + place.begun, 0 if place.begun else place.position, begun=True)
        return DatasetIterator(self, self._place)

    def __len__(self) -> int:
        count = self._stage.count()
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
        return self._state_at(self._place)

    def _state_at(self, place: _Place) -> dict[str, Any]:
        return {
            "epoch": place.epoch,
            "position": place.position,
            "seeds": [stage.seed for stage in self._stage.seeded()],
        }

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
        seeded = self._stage.seeded()
        if len(seeded) != len(state["seeds"]):
            raise ValueError(
                f"restore: the state has {len(state['seeds'])} seeds, this dataset {len(seeded)} steps with a seed: "
                "expected the state of a dataset built alike"
            )
        count = self._stage.count()
        if count is not None and state["position"] > count:
            raise ValueError(f"restore: position {state['position']} lies behind the {count} elements of this dataset")
        for stage, seed in zip(seeded, state["seeds"]):
            stage.seed = seed
        self._place = _Place(state["epoch"], state["position"])


class DatasetIterator:
    """One loop over a dataset. `state()` is the place of this loop; `Dataset.restore` takes it.

    >>> loop = iter(Dataset.from_tensor_slices([1, 2]))
    >>> int(next(loop)), loop.state()["position"]
    (1, 1)
    """

    def __init__(self, dataset: Dataset, place: _Place):
        self._dataset = dataset
        self._place = place
        self._elements = dataset._stage.elements((place.epoch,), place.position)

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
        return self._dataset._state_at(self._place)
