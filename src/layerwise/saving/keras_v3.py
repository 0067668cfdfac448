"""Keras' `.keras` format: a zip archive of `metadata.json`, `config.json` and `model.weights.h5`, uncompressed."""

from __future__ import annotations

import contextlib
import io
import json
import time
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from .. import __version__
from ..data.idx import DEFLATE_LIMIT
from ..models.model import Model
from ..serialization import deserialize, serialize
from ..variables import deferred_initializers
from .files import FileFormatError
from .hdf5 import read_weights, write_weights

FORMAT = "3.15.1"  # the version of Keras whose files these are like
METADATA, CONFIG, WEIGHTS, ASSETS = "metadata.json", "config.json", "model.weights.h5", "assets/"
NOTES = "layerwise_notes"  # in the metadata, of which Keras reads nothing


def write_model(model: Model, file: BinaryIO) -> None:
    """Write configuration, weights and optimizer to an open file."""
    config = json.dumps(serialize(model))
    weights = io.BytesIO()
    write_weights(model, weights)
    date = time.strftime("%Y-%m-%d@%H:%M:%S")
    metadata: dict[str, Any] = {"keras_version": FORMAT, "layerwise_version": __version__, "date_saved": date}
    if model.file_notes is not None:
        metadata[NOTES] = model.file_notes
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(METADATA, json.dumps(metadata))
        archive.writestr(CONFIG, config)
        archive.writestr(WEIGHTS, weights.getbuffer())


def read_model(path: Path, custom_objects: dict[str, Any] | None = None, compile: bool = True) -> Model:
    """The model that `write_model` or Keras wrote. No initializer runs for values that come from the file."""
    with _opened(path) as archive:
        try:
            config = json.loads(_read(archive, path, CONFIG))
            if not isinstance(config, dict):
                raise ValueError(f"expected an object, got {type(config).__name__}")
            if not compile:
                config.pop("compile_config", None)
            with deferred_initializers():
                model = deserialize(config, custom_objects)
                if not isinstance(model, Model):
                    raise ValueError(f"expected a model, got {type(model).__name__}")
                weights = io.BytesIO(_read(archive, path, WEIGHTS))
                read_weights(model, weights, f"{path}: {WEIGHTS}")
            model.file_notes = _notes(archive, path)
        except FileFormatError:
            raise
        except Exception as error:
            reason = str(error) if isinstance(error, ValueError | TypeError) else f"{type(error).__name__}: {error}"
            raise FileFormatError(f"{path}: {CONFIG}: {reason}") from error
    return model


def _notes(archive: zipfile.ZipFile, path: Path) -> dict[str, Any] | None:
    metadata = json.loads(_read(archive, path, METADATA))
    notes = metadata.get(NOTES) if isinstance(metadata, dict) else None
    return notes if isinstance(notes, dict) else None


def read_model_weights(model: Model, path: Path, skip_mismatch: bool = False) -> None:
    """Assign the weights in a `.keras` file to a model of the same layers."""
    with _opened(path) as archive:
        weights = io.BytesIO(_read(archive, path, WEIGHTS))
        read_weights(model, weights, f"{path}: {WEIGHTS}", skip_mismatch)


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[zipfile.ZipFile]:
    """The archive, with the members that the format has and no others."""
    try:
        archive = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, NotImplementedError, ValueError) as error:
        raise FileFormatError(f"{path}: not a .keras file (a zip archive), or a damaged one ({error})") from error
    with archive:
        names = archive.namelist()
        for name in names:
            if name not in (METADATA, CONFIG, WEIGHTS) and not name.startswith(ASSETS):
                raise FileFormatError(f"{path}: {name}: a .keras file has no such member")
            if names.count(name) > 1:
                raise FileFormatError(f"{path}: {name}: the member is there {names.count(name)} times")
        yield archive


def _read(archive: zipfile.ZipFile, path: Path, name: str) -> bytes:
    """The bytes of a member, whose size is checked against the file's."""
    try:
        info = archive.getinfo(name)
    except KeyError:
        raise FileFormatError(f"{path}: {name}: the member is missing") from None
    limits = {zipfile.ZIP_STORED: 1, zipfile.ZIP_DEFLATED: DEFLATE_LIMIT}
    if info.compress_type not in limits:
        method = info.compress_type
        raise FileFormatError(f"{path}: {name}: compression method {method}, expected 0 (none) or 8 (deflate)")
    there = min(info.compress_size, path.stat().st_size)
    if info.file_size > there * limits[info.compress_type]:
        raise FileFormatError(f"{path}: {name}: says {info.file_size} bytes, the file has {there}")
    try:
        return archive.read(info)
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, ValueError, NotImplementedError) as error:
        raise FileFormatError(f"{path}: {name}: damaged ({error})") from error
