"""Saving and loading, by the file's name."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from ..models.model import Model
from . import hdf5, keras_v3
from .files import FileFormatError, replacing

MODEL, WEIGHTS = ".keras", ".weights.h5"


def save_model(model: Model, filepath: str | os.PathLike[str], overwrite: bool = True) -> None:
    """Write a model to a `.keras` file, which Keras 3 opens too: configuration, weights, training state.

    The file is replaced whole or, if anything goes wrong, not at all.

    Raises:
        FileExistsError: the file exists, and `overwrite` is False.
        NotImplementedError: a layer of yours has arguments that it must write in a `get_config` of its own.

    >>> from layerwise import layers, models
    >>> model = models.Sequential([layers.Input((4,)), layers.Dense(3)])
    >>> save_model(model, path := getfixture("tmp_path") / "m.keras")
    >>> load_model(path).output_shape
    (None, 3)
    """
    _check(model, filepath, "save_model", MODEL)
    with replacing(filepath, overwrite) as file:
        keras_v3.write_model(model, file)


def load_model(
    filepath: str | os.PathLike[str],
    custom_objects: dict[str, Any] | None = None,
    compile: bool = True,
    safe_mode: bool = True,
) -> Model:
    """The model in a `.keras` file, written here or by Keras 3, ready to go on training if it was compiled.

    Args:
        filepath: ends in ".keras".
        custom_objects: classes and functions of yours by name, besides those registered.
        compile: whether to compile the model as it was when it was saved.
        safe_mode: accepted as Keras' argument. Code in a file is never run, whatever it is.

    Raises:
        FileFormatError: the file is not such a file, is damaged, or names what is not known; says which member and why.
    """
    path = _path(filepath, "load_model", MODEL)
    return keras_v3.read_model(path, custom_objects, compile)


def save_weights(model: Model, filepath: str | os.PathLike[str], overwrite: bool = True) -> None:
    """Write the weights, and the optimizer's state, to a `.weights.h5` file, which Keras 3 reads too.

    Raises:
        ValueError: the model has no weights yet.
        FileExistsError: the file exists, and `overwrite` is False.
    """
    _check(model, filepath, "save_weights", WEIGHTS)
    if not model.built:
        raise ValueError(f"save_weights: model {model.name!r} has no weights yet; call it on data, or build it, first")
    with replacing(filepath, overwrite) as file:
        hdf5.write_weights(model, file)


def load_weights(model: Model, filepath: str | os.PathLike[str], skip_mismatch: bool = False) -> None:
    """Give a model the weights in a `.weights.h5` or `.keras` file of a model with the same layers.

    Args:
        model: built, so that it has weights.
        filepath: ends in ".weights.h5" or ".keras".
        skip_mismatch: whether layers that do not fit keep their weights, with a warning.

    Raises:
        FileFormatError: the file is damaged, or a layer does not fit (which, what came and what was expected). The
            model is then as it was.
    """
    path = _path(filepath, "load_weights", WEIGHTS, MODEL)
    if path.name.endswith(MODEL):
        keras_v3.read_model_weights(model, path, skip_mismatch)
        return
    with open(path, "rb") as file:
        hdf5.read_weights(model, file, str(path), skip_mismatch)


def _check(model: Any, filepath: str | os.PathLike[str], function: str, ending: str) -> None:
    if not isinstance(model, Model):
        raise TypeError(f"{function}: model: got a {type(model).__name__}, expected a Model")
    if not os.fspath(filepath).endswith(ending):
        raise ValueError(f"{function}: filepath: got {os.fspath(filepath)!r}, expected a name that ends in {ending!r}")


def _path(filepath: str | os.PathLike[str], function: str, *endings: str) -> Path:
    path = Path(filepath)
    if not path.exists():
        raise FileNotFoundError(f"{function}: {path} does not exist")
    if not path.is_file() or not path.name.endswith(endings):
        raise FileFormatError(f"{path}: {function} reads files that end in {' or '.join(endings)}")
    return path
