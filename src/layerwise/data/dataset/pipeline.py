"""What all data sets can do: be looped over, be left and entered again, and say what their elements are."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from ...dtypes import TEXT
from ...layers.input_spec import InputSpec
from ..element import element
from .stage import Stage, map_structure

INFINITE, UNKNOWN = -1, -2  # what `cardinality` says in place of a number


@dataclass
class Place:
    """Where a loop stands. `begun`: a loop has it, so the next loop belongs to the next epoch."""

    epoch: int = 0
    position: int = 0
    begun: bool = False


class Pipeline:
    """A chain of stages that is looped over.

    Args:
        stage: the last one of the chain.
    """

    _place = Place()  # of the newest loop

    def __init__(self, stage: Stage) -> None:
        self._stage = stage

    def _then(self, stage: Stage) -> Self:
        return type(self)(stage)

    def __iter__(self) -> "DatasetIterator":
        place = self._place
        self._place = Place(place.epoch + place.begun, 0 if place.begun else place.position, begun=True)
        return DatasetIterator(self, self._place)

    def __len__(self) -> int:
        count = self._stage.count()
        if count is None or count == math.inf:
            raise TypeError(f"the length of this dataset is {'unknown' if count is None else 'infinite'}")
        return int(count)

    def __bool__(self) -> bool:
        return True

    def cardinality(self) -> int:
        """The number of elements, or -1 where they never end, or -2 where it is unknown."""
        count = self._stage.count()
        return UNKNOWN if count is None else INFINITE if count == math.inf else int(count)

    @property
    def element_spec(self) -> Any:
        """The shapes and dtypes of elements, each an `InputSpec`, in the form of an element

        The first element is made to see them. The first size is None where batches differ; dtype "string" is text.

        >>> from layerwise.data import Dataset
        >>> spec = Dataset.from_tensor_slices(np.zeros((5, 2))).batch(2).element_spec
        >>> spec.shape, spec.dtype
        ((None, 2), 'float64')
        """
        first = next(self._stage.elements((0,), 0), None)
        if first is None:
            raise ValueError("element_spec: this dataset has no elements")
        varies = self._stage.varies()

        def spec(leaf: Any) -> Any:
            if isinstance(leaf, Pipeline):
                return leaf.element_spec
            array = np.asarray(leaf)
            shape = (None, *array.shape[1:]) if varies and array.ndim else array.shape
            return InputSpec(dtype="string" if array.dtype.kind in "USO" else array.dtype.name, shape=shape)

        return map_structure(spec, first)

    def as_numpy_iterator(self) -> Iterator[Any]:
        """The elements of one epoch as arrays, whatever the steps made of them.

        >>> from layerwise.data import Dataset
        >>> [int(x) for x in Dataset.range(3).as_numpy_iterator()]
        [0, 1, 2]
        """
        return (map_structure(_as_array, element) for element in self)

    def state(self) -> dict[str, Any]:
        """Where the newest loop stands, as numbers that JSON can hold: `{"epoch", "position", "seeds"}`.

        position: elements handed out in this epoch. After the last element it is 0 of the next epoch.

        >>> from layerwise.data import Dataset
        >>> data = Dataset.from_tensor_slices([1, 2, 3]).shuffle(seed=7)
        >>> _ = next(iter(data))
        >>> data.state()
        {'epoch': 0, 'position': 1, 'seeds': [7]}
        """
        return self._state_at(self._place)

    def _state_at(self, place: Place) -> dict[str, Any]:
        return {
            "epoch": place.epoch,
            "position": place.position,
            "seeds": [stage.seed for stage in self._stage.seeded()],
        }

    def restore(self, state: dict[str, Any]) -> None:
        """The next loop goes on where `state` was taken, on this dataset or on another one built alike.

        Raises `ValueError` for a state that no dataset of this structure can have.

        >>> from layerwise.data import Dataset
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
        self._place = Place(state["epoch"], state["position"])


def _as_array(leaf: Any) -> Any:
    if isinstance(leaf, Pipeline):
        return leaf.as_numpy_iterator()
    array = np.asarray(leaf)
    return array.item() if array.ndim == 0 and array.dtype.kind in TEXT else array  # texts as Python has them


class DatasetIterator:
    """One loop over a dataset. `state()` is the place of this loop; `Dataset.restore` takes it.

    >>> from layerwise.data import Dataset
    >>> loop = iter(Dataset.from_tensor_slices([1, 2]))
    >>> int(next(loop)), loop.state()["position"]
    (1, 1)
    """

    def __init__(self, dataset: Pipeline, place: Place):
        self._dataset = dataset
        self._place = place
        self._elements = dataset._stage.elements((place.epoch,), place.position)

    def __iter__(self) -> "DatasetIterator":
        return self

    def __next__(self) -> Any:
        try:
            value = next(self._elements)
        except StopIteration:
            if self._place.begun:
                vars(self._place).update(epoch=self._place.epoch + 1, position=0, begun=False)
            raise
        self._place.position += 1
        return map_structure(element, value)

    def state(self) -> dict[str, Any]:
        """Where this loop stands; see `Dataset.state`."""
        return self._dataset._state_at(self._place)
