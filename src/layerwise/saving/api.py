"""Saving and loading, by the file's name."""

import contextlib
import io
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from ..models.model import Model
from . import hdf5_reader, keras_v3, keras_weights, legacy_h5, named_weights
from .files import FileFormatError, replacing, replacing_folder

MODEL, WEIGHTS = ".keras", ".weights.h5"
HDF5 = (".h5", ".hdf5")
SAFETENSORS = ".safetensors"


def save_model(
    model: Model,
    filepath: str | os.PathLike[str],
    overwrite: bool = True,
    zipped: bool | None = None,
    include_optimizer: bool = True,
) -> None:
    """Write a model to a file that Keras opens too: configuration, weights, training state.

    The file is replaced whole or, if anything goes wrong, not at all.

    Args:
        filepath: ends in ".keras", Keras 3's format, or in ".h5" or ".hdf5", the older one.
        overwrite: whether to replace what is there.
        zipped: False writes the members of a `.keras` file as files of the folder `filepath`.
        include_optimizer: whether to write the optimizer's state.

    Raises:
        FileExistsError: the file exists, and `overwrite` is False.
        NotImplementedError: a layer of yours has arguments that it must write in a `get_config` of its own.

    >>> from layerwise import layers, models
    >>> model = models.Sequential([layers.Input((4,)), layers.Dense(3)])
    >>> save_model(model, path := getfixture("tmp_path") / "m.keras")
    >>> load_model(path).output_shape
    (None, 3)
    """
    if zipped is False:
        _check(model, filepath, "save_model")
        if os.fspath(filepath).endswith(MODEL):
            raise ValueError(f"save_model: filepath: got {os.fspath(filepath)!r} with zipped=False; name a folder")
        with replacing_folder(filepath, overwrite) as folder:
            keras_v3.write_folder(model, folder, include_optimizer)
        return
    _check(model, filepath, "save_model", MODEL, *HDF5)
    folder = Path(filepath).parent
    if not os.fspath(filepath).endswith(MODEL) and not folder.exists():  # as Keras does, for this format alone
        folder.mkdir(parents=True)
    with replacing(filepath, overwrite) as file:
        if os.fspath(filepath).endswith(MODEL):
            keras_v3.write_model(model, file, include_optimizer)
        else:
            with _in_memory(file) as content:
                legacy_h5.write_model(model, content, include_optimizer)


def load_model(
    filepath: str | os.PathLike[str],
    custom_objects: dict[str, Any] | None = None,
    compile: bool = True,
    safe_mode: bool = True,
) -> Model:
    """The model in a file that was written here or by Keras, ready to go on training if it was compiled.

    Args:
        filepath: ends in ".keras", ".h5" or ".hdf5", or is a folder that `save_model(..., zipped=False)` wrote.
        custom_objects: classes and functions of yours by name, besides those registered.
        compile: whether to compile the model as it was when it was saved.
        safe_mode: False allows `Lambda` layers of functions that are known here by name. Code in a file is never run.

    Raises:
        FileFormatError: the file is not such a file, is damaged, or names what is not known; says which member and why.
    """
    path = _path(filepath, "load_model", MODEL, *HDF5)
    read = legacy_h5.read_model if path.name.endswith(HDF5) else keras_v3.read_model
    return read(path, custom_objects, compile, safe_mode)


def save_weights(model: Model, filepath: str | os.PathLike[str], overwrite: bool = True) -> None:
    """Write a model's weights to a file.

    Args:
        filepath: ends in ".weights.h5", Keras 3's format, with the optimizer's state; in ".h5" or ".hdf5", the older
            one; or in ".safetensors", where `layers.dense.kernel` is a weight's name.
        overwrite: whether to replace what is there.

    Raises:
        ValueError: the model has no weights yet.
        FileExistsError: the file exists, and `overwrite` is False.
    """
    _check(model, filepath, "save_weights", WEIGHTS, *HDF5, SAFETENSORS)
    if not model.built:
        raise ValueError(f"save_weights: model {model.name!r} has no weights yet; call it on data, or build it, first")
    name = os.fspath(filepath)
    with replacing(filepath, overwrite) as file:
        if name.endswith(SAFETENSORS):
            named_weights.write_weights(model, file)
            return
        with _in_memory(file) as content:
            if name.endswith(WEIGHTS):
                keras_weights.write_weights(model, content)
            else:
                legacy_h5.write_weights(model, content)


@contextlib.contextmanager
def _in_memory(file: BinaryIO) -> Iterator[BinaryIO]:
    """What is written goes to the file at once: HDF5's library does not say what was wrong with a disk."""
    content = io.BytesIO()
    yield content
    file.write(content.getbuffer())


def load_weights(
    model: Model, filepath: str | os.PathLike[str], skip_mismatch: bool = False, by_name: bool = False
) -> None:
    """Give a model the weights in a file of a model with the same layers.

    Args:
        model: built, so that it has weights.
        filepath: ends in ".weights.h5", ".keras", ".h5", ".hdf5" or ".safetensors"; which of its formats an HDF5 file
            has is seen from its content.
        skip_mismatch: whether layers that do not fit keep their weights, with a warning.
        by_name: for the older `.h5`: whether layers get the weights of the layer of their name, rather than of the one
            in their place.

    Raises:
        FileFormatError: the file is damaged, or a layer does not fit (which, what came and what was expected). The
            model is then as it was.
    """
    path = _path(filepath, "load_weights", MODEL, *HDF5, SAFETENSORS)
    if path.name.endswith(HDF5):
        with open(path, "rb") as file:
            archive = hdf5_reader.read(file, str(path))
            if legacy_h5.is_legacy(archive):
                legacy_h5.read_weights(model, archive, str(path), by_name, skip_mismatch)
                return
            _refuse(by_name, path)
            keras_weights.read_weights(model, file, str(path), skip_mismatch)
        return
    _refuse(by_name, path)
    read = named_weights.read_weights if path.name.endswith(SAFETENSORS) else keras_v3.read_model_weights
    read(model, path, skip_mismatch)


def _refuse(by_name: bool, path: Path) -> None:
    if by_name:
        raise ValueError(f"load_weights: by_name: {path} is not in the older .h5 format, the only one that has names")


def _check(model: Any, filepath: str | os.PathLike[str], function: str, *endings: str) -> None:
    if not isinstance(model, Model):
        raise TypeError(f"{function}: model: got a {type(model).__name__}, expected a Model")
    if endings and not os.fspath(filepath).endswith(endings):
        known = " or ".join(map(repr, endings))
        raise ValueError(f"{function}: filepath: got {os.fspath(filepath)!r}, expected a name that ends in {known}")


def _path(filepath: str | os.PathLike[str], function: str, *endings: str) -> Path:
    path = Path(filepath)
    if not path.exists():
        raise FileNotFoundError(f"{function}: {path} does not exist")
    if not keras_v3.is_folder(path) and not (path.is_file() and path.name.endswith(endings)):
        raise FileFormatError(f"{path}: {function} reads files that end in {' or '.join(endings)}")
    return path
