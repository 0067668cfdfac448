"""HDF5 files, checked: what may lead out of the file, or hold less than it says, is refused before it is read."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO

import numpy as np

from ..data.idx import DEFLATE_LIMIT
from .files import FileFormatError

DEFLATE, SHUFFLE, FLETCHER32, LZF = 1, 2, 3, 32000
DAMAGE = (OSError, RuntimeError, KeyError, TypeError, UnicodeDecodeError)  # as h5py reports it
STRING_REFERENCE = 16  # bytes of an attribute for each string of any length in it


@contextlib.contextmanager
def opened(file: BinaryIO, where: str) -> Iterator[Any]:
    """The file's root group. Every link in it has been seen to lead to an object of its own inside the file.

    Raises:
        FileFormatError: it is no HDF5 file, or a damaged one, or a link leads elsewhere.
    """
    import h5py

    try:
        archive = h5py.File(file, "r")
    except OSError as error:
        raise FileFormatError(f"{where}: not an HDF5 file, or a damaged one ({error})") from error
    with archive:
        try:
            for _ in groups(archive, where):
                pass
            yield archive
        except DAMAGE as error:
            raise FileFormatError(f"{where}: damaged ({error})") from error


def groups(archive: Any, where: str) -> Iterator[Any]:
    """Every group; a link that leads out of the file, or in circles, is refused."""
    import h5py

    seen = set()
    waiting = [archive]
    while waiting:
        group = waiting.pop()
        yield group
        for name in group:
            path = f"{group.name}/{name}".lstrip("/")
            if not isinstance(group.get(name, getlink=True), h5py.HardLink):
                raise FileFormatError(f"{where}: {path}: a link to another place, which is never followed")
            child = group[name]
            address = h5py.h5o.get_info(child.id).addr
            if address in seen:
                raise FileFormatError(f"{where}: {path}: an object with two names")
            seen.add(address)
            if isinstance(child, h5py.Group):
                waiting.append(child)


class Store(Mapping[str, np.ndarray]):
    """The datasets of a group by name, checked and read when they are asked for."""

    def __init__(self, group: Any) -> None:
        self._group = group

    def __iter__(self) -> Iterator[str]:
        return iter(self._group)

    def __len__(self) -> int:
        return len(self._group)

    def shape(self, key: str) -> tuple[int, ...]:
        """The shape that a dataset says it has."""
        return self._dataset(key).shape

    def dtype(self, key: str) -> str:
        """The name of a dataset's dtype."""
        dataset = self._dataset(key)
        return "bfloat16" if _is_bfloat16(dataset) else dataset.dtype.name

    def __getitem__(self, key: str) -> np.ndarray:
        dataset = self._dataset(key)
        properties = dataset.id.get_create_plist()
        filters = {properties.get_filter(i)[0] for i in range(properties.get_nfilters())}
        if filters - {DEFLATE, SHUFFLE, FLETCHER32, LZF}:
            raise FileFormatError(f"{key!r}: compressed in a way that is not known here")
        there = min(dataset.id.get_storage_size(), dataset.file.id.get_filesize())
        if dataset.nbytes > there * (DEFLATE_LIMIT if filters else 1):
            raise FileFormatError(f"{key!r}: shape {dataset.shape} says {dataset.nbytes} bytes, the file has {there}")
        value = np.asarray(dataset[()])
        return value.view(bfloat16()) if _is_bfloat16(dataset) else value

    def _dataset(self, key: str) -> Any:
        """The dataset, if it is one of numbers that lie in the file."""
        import h5py

        try:
            dataset = self._group[key]
        except KeyError:
            raise FileFormatError(f"{key!r}: it is not there") from None
        if not isinstance(dataset, h5py.Dataset):
            raise FileFormatError(f"{key!r}: expected a dataset, got a group")
        if not _is_bfloat16(dataset) and dataset.dtype.kind not in "biuf":
            raise FileFormatError(f"{key!r}: expected numbers, got dtype {dataset.dtype}")
        if dataset.is_virtual or dataset.external:
            raise FileFormatError(f"{key!r}: its values are in another file, which is never opened")
        return dataset


def write_array(group: Any, key: str, array: np.ndarray) -> None:
    """A new dataset of a group."""
    if array.dtype.name == "bfloat16":  # HDF5 has no name for it
        group.create_dataset(key, data=array.view("V2")).attrs["dtype"] = "bfloat16"
    else:
        group.create_dataset(key, data=array)


def _is_bfloat16(dataset: Any) -> bool:
    return bool(dataset.dtype == "V2" and dataset.attrs.get("dtype") == "bfloat16")


def bfloat16() -> np.dtype:
    """NumPy's dtype of this name, which it knows once a package that brings it is imported."""
    try:
        return np.dtype("bfloat16")
    except TypeError:
        raise FileFormatError("bfloat16 values need the xla extra: pip install 'layerwise[xla]'") from None


# Attributes


def text(owner: Any, name: str) -> str | None:
    """An attribute that holds one string; None where it is missing."""
    if name not in owner.attrs:
        return None
    _check_attribute(owner, name)
    value = owner.attrs[name]
    value = value.decode("utf-8") if isinstance(value, bytes) else value
    if not isinstance(value, str):
        raise FileFormatError(f"attribute {name!r}: expected a text, got a {type(value).__name__}")
    return value


def texts(owner: Any, name: str) -> list[str] | None:
    """An attribute that holds a list of strings, perhaps in several parts `name0`, `name1`, ...; None if missing."""
    if name in owner.attrs:
        parts = [name]
    else:
        parts = []
        while f"{name}{len(parts)}" in owner.attrs:
            parts.append(f"{name}{len(parts)}")
        if not parts:
            return None
    found: list[str] = []
    for part in parts:
        _check_attribute(owner, part)
        for value in np.atleast_1d(owner.attrs[part]):
            value = value.decode("utf-8") if isinstance(value, bytes) else value
            if not isinstance(value, str):
                raise FileFormatError(f"attribute {part!r}: expected texts, got {value!r}")
            found.append(str(value))
    return found


def write_texts(owner: Any, name: str, values: list[str], at_once: int = 64512 // STRING_REFERENCE) -> None:
    """Write a list of strings as an attribute, in several parts where it is longer than an attribute may be."""
    import h5py

    parts = [values[i : i + at_once] for i in range(0, len(values), at_once)] or [[]]
    for i, part in enumerate(parts):
        key = name if len(parts) == 1 else f"{name}{i}"
        owner.attrs.create(key, part, shape=(len(part),), dtype=h5py.string_dtype("utf-8"))


def _check_attribute(owner: Any, name: str) -> None:
    attribute = owner.attrs.get_id(name)
    declared = attribute.get_space().get_simple_extent_npoints() * attribute.get_type().get_size()
    there = owner.file.id.get_filesize()
    if declared > there:
        raise FileFormatError(f"attribute {name!r}: says {declared} bytes, the file has {there}")
