"""HDF5 files: the arrays and the texts in them, and how they are written."""

import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from ..dtypes import standardize_dtype
from .files import FileFormatError, fingerprint
from .hdf5_objects import Dataset, Group, naming_object

STRING_REFERENCE = 16  # bytes of an attribute for each string of any length in it


def groups(archive: Group) -> Iterator[Group]:
    """Every group."""
    waiting = [archive]
    while waiting:
        group = waiting.pop()
        yield group
        waiting += [child for child in group.children.values() if isinstance(child, Group)]


class Store(Mapping[str, np.ndarray]):
    """The datasets of a group by name, read when they are asked for.

    Args:
        group: a group of an open file.
        fingerprints: what `fingerprint` must say of each dataset, by its path; None: nothing is known of them.
    """

    def __init__(self, group: Group, fingerprints: Mapping[str, Any] | None = None) -> None:
        self._group, self._fingerprints = group, fingerprints

    def __iter__(self) -> Iterator[str]:
        return iter(self._group)

    def __len__(self) -> int:
        return len(self._group)

    def shape(self, key: str) -> tuple[int, ...]:
        """The shape that a dataset says it has."""
        return self._dataset(key).shape

    def count(self, keys: Iterable[str] | None = None) -> int:
        """How many numbers the datasets say they have: these, or all."""
        items = [self._group.get(key) for key in (self._group if keys is None else keys)]
        return sum(math.prod(each.shape) for each in items if isinstance(each, Dataset))

    def dtype(self, key: str) -> str:
        """The name of a dataset's dtype."""
        dataset = self._dataset(key)
        with naming_object(repr(key)):
            return "bfloat16" if _is_bfloat16(dataset) else dataset.dtype.name

    def __getitem__(self, key: str) -> np.ndarray:
        dataset = self._dataset(key)
        with naming_object(repr(key)):
            if dataset.dtype.kind == "V" and not _is_bfloat16(dataset):
                raise FileFormatError("expected numbers, got raw bytes")
            value = dataset.read()
            if self._fingerprints is not None and self._fingerprints.get(dataset.name[1:]) != fingerprint(value):
                raise FileFormatError("its SHA-256 is not the one that was saved with it")
            return value.view(bfloat16()) if _is_bfloat16(dataset) else value

    def _dataset(self, key: str) -> Dataset:
        dataset = self._group[key]
        if not isinstance(dataset, Dataset):
            raise FileFormatError(f"{key!r}: expected a dataset, got a group")
        return dataset


def write_array(group: Any, key: str, array: np.ndarray) -> None:
    """A new dataset of a group of h5py's."""
    name = key.encode()
    if array.dtype.name == "bfloat16":  # HDF5 has no name for it
        group.create_dataset(name, data=array.view("V2")).attrs["dtype"] = "bfloat16"
    else:
        group.create_dataset(name, data=array)


def new_group(group: Any, path: str) -> Any:
    """A new group inside a group of h5py's, which writes the old layout for names in bytes alone, not for "länge"."""
    return group.create_group(path.encode())


def _is_bfloat16(dataset: Dataset) -> bool:
    return dataset.dtype == "V2" and text(dataset, "dtype") == "bfloat16"


def bfloat16() -> np.dtype:
    """NumPy's dtype of this name, which it knows once the package that brings it is imported."""
    try:
        return np.dtype(standardize_dtype("bfloat16"))
    except ModuleNotFoundError as error:
        raise FileFormatError(str(error)) from None


# Attributes


def text(owner: Group | Dataset, name: str) -> str | None:
    """An attribute that holds one string; None where it is missing."""
    if name not in owner.attrs:
        return None
    if owner.attrs[name].shape != ():
        raise FileFormatError(f"attribute {name!r}: expected a text")
    return _texts(owner, name)[0]


def texts(owner: Group | Dataset, name: str) -> list[str] | None:
    """An attribute that holds a list of strings, perhaps in several parts `name0`, `name1`, ...; None if missing."""
    if name in owner.attrs:
        return _texts(owner, name)
    pieces, count = [], 0
    while f"{name}{count}" in owner.attrs:
        pieces += _texts(owner, f"{name}{count}")
        count += 1
    return pieces if count else None


def _texts(owner: Group | Dataset, name: str) -> list[str]:
    with naming_object(f"attribute {name!r}"):
        texts = owner.attrs[name].texts
        if texts is None:
            raise FileFormatError("expected a text, or several")
        return texts


def write_texts(owner: Any, name: str, values: list[str], at_once: int = 64512 // STRING_REFERENCE) -> None:
    """Write a list of strings as an attribute, in several parts where it is longer than an attribute may be."""
    import h5py

    parts = [values[i : i + at_once] for i in range(0, len(values), at_once)] or [[]]
    for i, part in enumerate(parts):
        key = name if len(parts) == 1 else f"{name}{i}"
        owner.attrs.create(key, part, shape=(len(part),), dtype=h5py.string_dtype("utf-8"))
