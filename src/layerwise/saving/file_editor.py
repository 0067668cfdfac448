"""`KerasFileEditor`: the weights in a file, looked at, changed and written again."""

import io
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ..terminal import printable, say
from . import hdf5_reader, keras_v3
from .files import parse_json, replacing
from .hdf5 import Store, new_group, write_array
from .hdf5_objects import Dataset, Group
from .walk import saveables

_ENDING = ".weights.h5"
_KERAS = ".keras"


class KerasFileEditor:
    """The weights in a `.keras` or `.weights.h5` file, as objects in one another, to be compared, changed and saved

    Args:
        filepath: of the file; it stays as it is.

    Attributes:
        weights_dict: the arrays by name, inside of dicts by the names of objects, as "layers", "dense", "0".
        config, metadata: what a `.keras` file says besides; None of others.

    Raises `FileFormatError` for a file that is damaged or has links.

    >>> from layerwise import Input, Sequential, layers
    >>> folder = getfixture("tmp_path")
    >>> model = Sequential([Input((2,)), layers.Dense(1)])
    >>> model.save_weights(folder / "a.weights.h5")
    >>> editor = KerasFileEditor(folder / "a.weights.h5")
    >>> editor.rename_object("dense", "head")
    >>> editor.summary()
    layers
        head
            0: shape (2, 1), float32
            1: shape (1,), float32
    """

    def __init__(self, filepath: str | os.PathLike[str]) -> None:
        self.filepath = os.fspath(filepath)
        self.metadata: dict[str, Any] | None = None
        self.config: dict[str, Any] | None = None
        path = Path(filepath)
        if path.name.endswith(_KERAS):
            with keras_v3.opening(path) as read:
                self.config = parse_json(read(keras_v3.CONFIG).read())
                self.metadata = parse_json(read(keras_v3.METADATA).read())
                self.weights_dict = _objects(hdf5_reader.read(read(keras_v3.WEIGHTS), f"{path}: {keras_v3.WEIGHTS}"))
        elif path.name.endswith(_ENDING):
            with open(path, "rb") as file:
                self.weights_dict = _objects(hdf5_reader.read(file, str(path)))
        else:
            known = f"{_KERAS} or {_ENDING}"
            raise ValueError(f"KerasFileEditor: filepath: got {self.filepath!r}, expected a name that ends in {known}")

    def summary(self) -> None:
        """Print the objects, and the shapes and dtypes of their weights."""
        for line in _lines(self.weights_dict, ""):
            say(line)

    def compare(self, reference_model: Any) -> dict[str, Any]:
        """Whether the weights are those of a model, `reference_model`, by name and shape; what is not is printed.

        Returns {"status": "success" or "error", "error_count": ..., "match_count": ...}.
        """
        ours, theirs = dict(_flat(self.weights_dict)), _shapes(reference_model)
        wrong = 0
        for name in sorted({*_missing(theirs, ours), *_missing(ours, theirs)}):
            is_ours = any(f"{key}/".startswith(f"{name}/") for key in ours)
            say(f"{printable(name)}: {'the model has no such object' if is_ours else 'the file lacks it'}")
            wrong += 1
        matching = 0
        for name in ours.keys() & theirs.keys():
            if np.shape(ours[name]) == theirs[name]:
                matching += 1
            else:
                say(f"{printable(name)}: shape {np.shape(ours[name])} in the file, {theirs[name]} in the model")
                wrong += 1
        say(f"{matching} weights match, {wrong} differences")
        return {"status": "error" if wrong else "success", "error_count": wrong, "match_count": matching}

    def rename_object(self, object_name: str, new_name: str) -> None:
        """Give an object of this name, or at this path, such as "layers/dense", another name."""
        if "/" in new_name:
            raise ValueError(f"KerasFileEditor: new_name: got {new_name!r}, expected a name without '/'")

        def rename(owner: dict[str, Any], name: str) -> None:
            owner[new_name] = owner.pop(name)

        self._edit(object_name, rename)

    def delete_object(self, object_name: str) -> None:
        """Remove an object of this name, or at this path, with all that is in it."""
        self._edit(object_name, lambda owner, name: owner.pop(name))

    def add_object(self, object_path: str, weights: Mapping[str, Any]) -> None:
        """Add an object at a path whose parents are there, with `weights` {"0": array, ...}."""
        *parents, name = object_path.split("/")
        owner = self.weights_dict
        for parent in parents:
            if not isinstance(owner.get(parent), dict):
                raise ValueError(f"KerasFileEditor: object_path: {'/'.join(parents)!r} is not in the file")
            owner = owner[parent]
        owner[name] = _arrays(weights)

    def delete_weight(self, object_name: str, weight_name: str) -> None:
        """Remove a weight, such as "0", of an object."""

        def delete(owner: dict[str, Any], name: str) -> None:
            if weight_name not in owner[name]:
                raise ValueError(
                    f"KerasFileEditor: weight_name: {object_name!r} has no {weight_name!r}, but {list(owner[name])}"
                )
            del owner[name][weight_name]

        self._edit(object_name, delete)

    def add_weights(self, object_name: str, weights: Mapping[str, Any]) -> None:
        """Give an object more `weights`, {"0": array, ...}, or others in the place of those of the same names."""
        added = _arrays(weights)
        self._edit(object_name, lambda owner, name: owner[name].update(added))

    def save(self, filepath: str | os.PathLike[str]) -> None:
        """Write the weights to a file whose name ends in ".weights.h5"."""
        import h5py

        if not os.fspath(filepath).endswith(_ENDING):
            raise ValueError(f"KerasFileEditor: filepath: got {os.fspath(filepath)!r}, expected a name in {_ENDING}")
        content = io.BytesIO()
        with h5py.File(content, "w") as archive:
            _write(self.weights_dict, archive, "")
        with replacing(filepath) as file:
            file.write(content.getbuffer())

    def resave_weights(self, filepath: str | os.PathLike[str]) -> None:
        """The same as `save(filepath)`."""
        self.save(filepath)

    def _edit(self, name: str, change: Callable[[dict[str, Any], str], Any]) -> None:
        """Change the object at this path, or the only one of this name."""
        found = [
            (owner, key)
            for path, owner, key in _owners(self.weights_dict, "")
            if path == name or ("/" not in name and key == name)
        ]
        if len(found) != 1:
            told = f"{len(found)} objects have this name; give a path" if found else "there is no such object"
            raise ValueError(f"KerasFileEditor: object_name: {name!r}: {told}")
        change(*found[0])


def _objects(group: Group) -> dict[str, Any]:
    """A group's objects, in which something is: the arrays of "vars" stand in the object itself."""
    found: dict[str, Any] = {}
    for name, child in group.children.items():
        if isinstance(child, Dataset):
            found[name] = Store(group)[name]
        elif name == "vars":
            found.update(_objects(child))
        elif inner := _objects(child):
            found[name] = inner
    return found


def _owners(objects: dict[str, Any], path: str) -> Iterator[tuple[str, dict[str, Any], str]]:
    """(path, what holds it, name) of every object."""
    for name, child in objects.items():
        if isinstance(child, dict):
            yield f"{path}{name}", objects, name
            yield from _owners(child, f"{path}{name}/")


def _flat(objects: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, Any]]:
    for name, child in objects.items():
        if isinstance(child, dict):
            yield from _flat(child, f"{path}{name}/")
        else:
            yield f"{path}{name}", child


def _shapes(model: Any) -> dict[str, tuple[int, ...]]:
    """The shapes of all that would be saved of a model, by path."""
    shapes = {}
    for path, owner in saveables(model):
        if hasattr(owner, "save_own_variables"):
            values: dict[str, Any] = {}
            owner.save_own_variables(values)
            shapes.update({f"{path}/{key}".removeprefix("/"): np.shape(value) for key, value in values.items()})
    return shapes


def _missing(wanted: Mapping[str, Any], there: Mapping[str, Any]) -> Iterator[str]:
    """What is wanted and not there: the weight, or the highest object of which nothing is there."""
    parts = {"/".join(name.split("/")[:i]) for name in there for i in range(1, name.count("/") + 2)}
    for name in wanted:
        if name not in there:
            steps = name.split("/")
            prefixes = ["/".join(steps[:i]) for i in range(1, len(steps) + 1)]
            yield next(prefix for prefix in prefixes if prefix not in parts)


def _arrays(weights: Any) -> dict[str, np.ndarray]:
    if not isinstance(weights, Mapping):
        raise ValueError(f"KerasFileEditor: weights: got a {type(weights).__name__}, expected a dict of arrays by name")
    return {name: np.asarray(value) for name, value in weights.items()}


def _lines(objects: Mapping[str, Any], indent: str) -> Iterator[str]:
    for name, child in objects.items():
        if isinstance(child, dict):
            yield f"{indent}{printable(name)}"
            yield from _lines(child, indent + "    ")
        else:
            yield f"{indent}{printable(name)}: shape {child.shape}, {child.dtype}"


def _write(objects: Mapping[str, Any], archive: Any, path: str) -> None:
    arrays = {name: child for name, child in objects.items() if not isinstance(child, dict)}
    if arrays:
        group = new_group(archive, f"{path}/vars")
        for name, array in arrays.items():
            write_array(group, name, array)
    for name, child in objects.items():
        if isinstance(child, dict):
            _write(child, archive, f"{path}/{name}")
