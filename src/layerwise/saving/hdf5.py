"""Weights in HDF5: a group `<path>/vars` for each object, with its own variables as datasets "0", "1", ..."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO

import numpy as np

from ..data.idx import DEFLATE_LIMIT
from ..models.model import Model
from ..optimizers import Optimizer
from ..variables import all_or_nothing
from .files import FileFormatError
from .walk import saveables

DEFLATE, SHUFFLE, FLETCHER32, LZF = 1, 2, 3, 32000


def write_weights(model: Model, file: BinaryIO) -> None:
    """Write the variables of the model, its optimizer and all that its attributes hold, to an open file."""
    import h5py

    with h5py.File(file, "w") as archive:
        for path, owner in saveables(model):
            if hasattr(owner, "save_own_variables"):
                group = archive.create_group(f"{path}/vars")
                group.attrs["name"] = owner.name
                values: dict[str, Any] = {}
                owner.save_own_variables(values)
                for key, value in values.items():
                    _write(group, key, np.asarray(value))


def _write(group: Any, key: str, array: np.ndarray) -> None:
    if array.dtype.name == "bfloat16":  # HDF5 has no name for it
        group.create_dataset(key, data=array.view("V2")).attrs["dtype"] = "bfloat16"
    else:
        group.create_dataset(key, data=array)


def read_weights(model: Model, file: BinaryIO, where: str, skip_mismatch: bool = False) -> None:
    """Assign to the model's variables what `write_weights` wrote.

    Args:
        model: with the layers of the model that was written.
        file: open for reading.
        where: the file's name, for errors.
        skip_mismatch: whether objects that do not fit keep their values, with a warning.

    Raises:
        FileFormatError: the file is damaged or does not fit; the model is then as it was.
    """
    import h5py

    try:
        archive = h5py.File(file, "r")
    except OSError as error:
        raise FileFormatError(f"{where}: not an HDF5 file, or a damaged one ({error})") from error
    owners = [(f"{path}/vars".removeprefix("/"), owner) for path, owner in saveables(model)]
    owners = [(path, owner) for path, owner in owners if hasattr(owner, "load_own_variables")]
    problems = []
    with archive, all_or_nothing([v for _, owner in owners for v in owner.variables]):
        stores = {group.name[1:]: Store(group, where) for group in _groups(archive, where)}
        for path, owner in owners:
            store: Mapping[str, np.ndarray] = stores.pop(path, {})
            if isinstance(owner, Optimizer) and not store:
                continue  # only the weights were saved: training starts afresh
            try:
                with all_or_nothing(owner.variables):
                    owner.load_own_variables(store)
            except Exception as error:
                problems.append(f"{where}: {path}: {_reason(error)}")
        left = [path for path, store in stores.items() if len(store) and path.startswith("layers/")]
        problems += [f"{where}: {path}: the model has no such layer" for path in left]
        if problems and not skip_mismatch:
            more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
            raise FileFormatError(f"{problems[0]}{more}; load_weights(..., skip_mismatch=True) loads what fits")
    for problem in problems:
        warnings.warn(f"skipped: {problem}", stacklevel=3)


def _reason(error: Exception) -> str:
    return str(error) if isinstance(error, ValueError) else f"{type(error).__name__}: {error}"


def _groups(archive: Any, where: str) -> Iterator[Any]:
    """Every group called "vars"; what leads out of the file, or in circles, is refused."""
    import h5py

    seen = set()
    waiting = [archive]
    while waiting:
        group = waiting.pop()
        if group.name.endswith("/vars"):
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

    def __init__(self, group: Any, where: str) -> None:
        self._group, self._where = group, where

    def __iter__(self) -> Iterator[str]:
        return iter(self._group)

    def __len__(self) -> int:
        return len(self._group)

    def __getitem__(self, key: str) -> np.ndarray:
        import h5py

        dataset = self._group[key]
        if not isinstance(dataset, h5py.Dataset):
            raise FileFormatError(f"{key!r}: expected a dataset, got a group")
        is_bfloat16 = dataset.dtype == "V2" and dataset.attrs.get("dtype") == "bfloat16"
        if not is_bfloat16 and dataset.dtype.kind not in "biuf":
            raise FileFormatError(f"{key!r}: expected numbers, got dtype {dataset.dtype}")
        if dataset.is_virtual or dataset.external:
            raise FileFormatError(f"{key!r}: its values are in another file, which is never opened")
        properties = dataset.id.get_create_plist()
        filters = {properties.get_filter(i)[0] for i in range(properties.get_nfilters())}
        if filters - {DEFLATE, SHUFFLE, FLETCHER32, LZF}:
            raise FileFormatError(f"{key!r}: compressed in a way that is not known here")
        there = min(dataset.id.get_storage_size(), dataset.file.id.get_filesize())
        if dataset.nbytes > there * (DEFLATE_LIMIT if filters else 1):
            raise FileFormatError(f"{key!r}: shape {dataset.shape} says {dataset.nbytes} bytes, the file has {there}")
        value = dataset[()]
        return np.asarray(value).view(_bfloat16()) if is_bfloat16 else np.asarray(value)


def _bfloat16() -> np.dtype:
    try:
        return np.dtype("bfloat16")  # known to NumPy once a package that brings it is imported
    except TypeError:
        raise FileFormatError("bfloat16 values need the xla extra: pip install 'layerwise[xla]'") from None
