"""Where elements come from: arrays, functions that give iterators, and several pipelines side by side."""

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any

import numpy as np

from ...dtypes import standardize_dtype
from ...naming import whole_number
from .stage import Epoch, Stage, as_leaf, map_structure


class Slices(Stage):
    has_random_access = True

    def __init__(self, tensors: Any):
        lengths = []

        def prepare(leaf: Any) -> np.ndarray:
            array = np.asarray(leaf).view()
            if array.ndim == 0:
                raise ValueError(f"from_tensor_slices: expected arrays with at least one axis, got {leaf!r}")
            array.flags.writeable = False
            lengths.append(len(array))
            return array

        self._arrays = map_structure(prepare, tensors)
        if len(set(lengths)) != 1:
            raise ValueError(f"from_tensor_slices: expected arrays of equal length, got lengths {lengths}")
        self._length = lengths[0]

    def count(self) -> int:
        return self._length

    def get(self, epoch: Epoch, i: int) -> Any:
        return map_structure(lambda array: array[i], self._arrays)

    def gather(self, epoch: Epoch, indices: np.ndarray) -> Any:
        return map_structure(lambda array: array[indices], self._arrays)


class Listed(Stage):
    """The elements of a list."""

    has_random_access = True

    def __init__(self, elements: list[Any]):
        self._list = elements

    def count(self) -> int:
        return len(self._list)

    def get(self, epoch: Epoch, i: int) -> Any:
        return self._list[i]


class Range(Stage):
    """The numbers of a range."""

    has_random_access = True

    def __init__(self, numbers: range, dtype: Any):
        self._numbers, self._dtype = numbers, np.dtype(dtype)

    def count(self) -> int:
        return len(self._numbers)

    def get(self, epoch: Epoch, i: int) -> Any:
        return self._dtype.type(self._numbers[i])

    def gather(self, epoch: Epoch, indices: np.ndarray) -> Any:
        return (self._numbers.start + self._numbers.step * indices).astype(self._dtype)


class Files(Stage):
    """What is read from files, one after the other."""

    def __init__(self, paths: list[Any], read: Callable[[Any], Iterable[Any]]):
        self._paths, self._read = paths, read

    def count(self) -> int | None:
        return None if self._paths else 0

    def elements(self, epoch: Epoch, start: int) -> Iterator[Any]:
        return islice((element for path in self._paths for element in self._read(path)), start, None)


class Generator(Stage):
    def __init__(
        self,
        generator: Callable[..., Iterable[Any]],
        length: int | None,
        args: tuple[Any, ...] = (),
        types: Any = None,
        shapes: Any = None,
    ):
        if not callable(generator):
            raise ValueError(
                f"from_generator: expected a function that returns a new iterator each epoch, "
                f"got {type(generator).__name__}; for a list write: lambda: the_list"
            )
        self._generator, self._args, self._types, self._shapes = generator, args, types, shapes
        self._length = None if length is None else whole_number("from_generator: length", length, 0)

    def count(self) -> int | None:
        return self._length

    def elements(self, epoch: Epoch, start: int) -> Iterator[Any]:
        count = 0
        for element in self._generator(*self._args):
            count += 1
            if self._length is not None and count > self._length:
                break
            if count > start:
                yield element if self._types is None else _conforming(element, self._types, self._shapes)
        if self._length is not None and count != self._length:
            more = "or more " if count > self._length else ""
            raise ValueError(f"from_generator: length={self._length}, but the generator had {count} {more}elements")


def _conforming(element: Any, types: Any, shapes: Any) -> Any:
    """The element as arrays of these dtypes, in the form of `types`, whose shapes are checked."""
    if isinstance(types, tuple | dict):
        keys = types.keys() if isinstance(types, dict) else range(len(types))
        if not isinstance(element, tuple | list | dict) or len(element) != len(types):
            raise ValueError(f"from_generator: expected elements in the form {types}, got {element!r}")
        parts = {key: _conforming(element[key], types[key], shapes and shapes[key]) for key in keys}
        return parts if isinstance(types, dict) else tuple(parts.values())
    array = as_leaf(element) if types in (None, "string") else np.asarray(element, standardize_dtype(types))
    if shapes is not None and not (
        len(shapes) == array.ndim and all(n is None or n == size for n, size in zip(shapes, array.shape, strict=True))
    ):
        raise ValueError(f"from_generator: expected elements of shape {tuple(shapes)}, got {array.shape}")
    return array


class Zip(Stage):
    """Dictionaries of the elements of several stages, or tuples of them."""

    def __init__(self, stages: dict[Any, Stage], is_dict: bool = False):
        self.inputs, self._keys, self._is_dict = tuple(stages.values()), tuple(stages), is_dict
        self.has_random_access = all(stage.has_random_access for stage in self.inputs)

    def count(self) -> int | float | None:
        counts = [stage.count() for stage in self.inputs]
        return None if None in counts else min(count for count in counts if count is not None)

    def elements(self, epoch: Epoch, start: int) -> Iterator[Any]:
        return map(self._arranged, zip(*(stage.elements(epoch, start) for stage in self.inputs)))

    def get(self, epoch: Epoch, i: int) -> Any:
        return self._arranged(stage.get(epoch, i) for stage in self.inputs)

    def gather(self, epoch: Epoch, indices: np.ndarray) -> Any:
        return self._arranged(stage.gather(epoch, indices) for stage in self.inputs)

    def _arranged(self, parts: Iterable[Any]) -> Any:
        return dict(zip(self._keys, parts, strict=True)) if self._is_dict else tuple(parts)
