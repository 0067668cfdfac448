"""Keras 3's weights: a group `<path>/vars` for each object, with its own variables as datasets "0", "1", ..."""

import warnings
from collections.abc import Mapping
from typing import Any, BinaryIO

import numpy as np

from ..layers.base import Layer
from ..optimizers import Optimizer
from ..variables import all_or_nothing
from .files import FileFormatError, check_widening, fingerprint
from .hdf5 import Store, groups, new_group, write_array
from .hdf5_reader import read
from .walk import saveables


def write_weights(model: Layer, file: BinaryIO, include_optimizer: bool = True) -> dict[str, str]:
    """Write the variables of the model, its optimizer and all that its attributes hold, to an open file.

    Returns the SHA-256 of each array by its path.
    """
    import h5py

    fingerprints = {}
    with h5py.File(file, "w") as archive:
        left_out = None if include_optimizer else getattr(model, "optimizer", None)
        for path, owner in saveables(model):
            if hasattr(owner, "save_own_variables") and owner is not left_out:
                group = new_group(archive, f"{path}/vars")
                group.attrs["name"] = owner.name
                values: dict[str, Any] = {}
                owner.save_own_variables(values)
                for key, value in values.items():
                    array = np.asarray(value)
                    write_array(group, key, array)
                    fingerprints[f"{group.name[1:]}/{key}"] = fingerprint(array)
    return fingerprints


def read_weights(
    model: Layer, file: BinaryIO, where: str, skip_mismatch: bool = False, fingerprints: Mapping[str, Any] | None = None
) -> None:
    """Assign to the model's variables what `write_weights` wrote.

    Args:
        model: with the layers of the model that was written.
        file: open for reading.
        where: the file's name, for errors.
        skip_mismatch: whether objects that do not fit keep their values, with a warning.
        fingerprints: the SHA-256 of each array by its path, where they are known.

    Raises:
        FileFormatError: the file is damaged or does not fit; the model is then as it was.
    """
    problems = []
    archive = read(file, where)
    stores = {g.name[1:]: Store(g, fingerprints) for g in groups(archive) if g.name.endswith("/vars")}
    others: dict[str, str] = {}
    found = [(path, owner) for path, owner in saveables(model, others) if hasattr(owner, "load_own_variables")]
    owners = [(_place(path, others, stores), owner) for path, owner in found]
    if fingerprints is not None and fingerprints.keys() != {f"{path}/{key}" for path in stores for key in stores[path]}:
        raise FileFormatError(f"{where}: the arrays are not those that were saved")
    values = ((stores[path].count(), owner.variables) for path, owner in owners if path in stores)
    check_widening(values, archive.size, where)
    with all_or_nothing([v for _, owner in owners for v in owner.variables]):
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
        report(problems, skip_mismatch)


def _place(path: str, others: Mapping[str, str], stores: Mapping[str, Any]) -> str:
    """Where in the file the object at this path lies: there, or at another path that leads to it."""
    paths = [path, *(f"{o}{path[len(first) :]}" for o, first in others.items() if f"{path}/".startswith(f"{first}/"))]
    places = [f"{path}/vars".removeprefix("/") for path in paths]
    return next((place for place in places if place in stores), places[0])


def report(problems: list[str], skip_mismatch: bool) -> None:
    """Raise the first of what did not fit, or warn of all of it."""
    if problems and not skip_mismatch:
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        raise FileFormatError(f"{problems[0]}{more}; load_weights(..., skip_mismatch=True) loads what fits")
    for problem in problems:
        warnings.warn(f"skipped: {problem}", stacklevel=4)


def _reason(error: Exception) -> str:
    return str(error) if isinstance(error, ValueError) else f"{type(error).__name__}: {error}"
