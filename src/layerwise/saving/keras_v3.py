"""Keras' `.keras` format: `metadata.json`, `config.json` and `model.weights.h5`, in an uncompressed zip or a folder."""

from __future__ import annotations

import contextlib
import io
import json
import time
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

from .. import __version__
from ..data.idx import DEFLATE_LIMIT
from ..models.model import Model
from ..serialization import deserialize, serialize
from ..variables import deferred_initializers
from .files import FileFormatError, located, parse_json
from .keras_weights import read_weights, write_weights

FORMAT = "3.15.1"  # the version of Keras whose files these are like
METADATA, CONFIG, WEIGHTS, ASSETS = "metadata.json", "config.json", "model.weights.h5", "assets/"
NOTES = "layerwise_notes"  # in the metadata, of which Keras reads nothing

Reader = Callable[[str], bytes]  # the content of the member of this name


def write_model(model: Model, file: BinaryIO, include_optimizer: bool = True) -> None:
    """Write configuration, weights and optimizer to an open file."""
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in _members(model, include_optimizer):
            archive.writestr(name, content)


def write_folder(model: Model, folder: Path, include_optimizer: bool = True) -> None:
    """Write the same members as files to a folder."""
    for name, content in _members(model, include_optimizer):
        (folder / name).write_bytes(content)


def _members(model: Model, include_optimizer: bool) -> Iterator[tuple[str, Any]]:
    date = time.strftime("%Y-%m-%d@%H:%M:%S")
    metadata: dict[str, Any] = {"keras_version": FORMAT, "layerwise_version": __version__, "date_saved": date}
    if model.file_notes is not None:
        metadata[NOTES] = model.file_notes
    config = json.dumps(serialize(model))
    weights = io.BytesIO()
    write_weights(model, weights, include_optimizer)
    yield METADATA, json.dumps(metadata).encode()
    yield CONFIG, config.encode()
    yield WEIGHTS, weights.getbuffer()


def is_folder(path: Path) -> bool:
    """Whether the path is a folder with a model in it."""
    return (path / CONFIG).is_file()


def read_model(path: Path, custom_objects: dict[str, Any] | None = None, compile: bool = True) -> Model:
    """The model that was written here or by Keras. No initializer runs for values that come from the file."""
    with opened(path) as read, located(path, CONFIG):
        config = parse_json(read(CONFIG))
        if not compile:
            config.pop("compile_config", None)
        with deferred_initializers():
            model = deserialize(config, custom_objects)
            if not isinstance(model, Model):
                raise ValueError(f"expected a model, got {type(model).__name__}")
            read_weights(model, io.BytesIO(read(WEIGHTS)), f"{path}: {WEIGHTS}")
        notes = parse_json(read(METADATA)).get(NOTES)
        model.file_notes = notes if isinstance(notes, dict) else None
    return model


def read_model_weights(model: Model, path: Path, skip_mismatch: bool = False) -> None:
    """Assign the weights in a `.keras` file to a model of the same layers."""
    with opened(path) as read:
        read_weights(model, io.BytesIO(read(WEIGHTS)), f"{path}: {WEIGHTS}", skip_mismatch)


@contextlib.contextmanager
def opened(path: Path) -> Iterator[Reader]:
    """The members of an archive or folder, which has those of the format and no others."""
    if path.is_dir():
        yield lambda name: _read_file(path, name)
        return
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
        yield lambda name: _read_member(archive, path, name)


def _read_file(folder: Path, name: str) -> bytes:
    if (folder / name).is_symlink():
        raise FileFormatError(f"{folder}: {name}: a link to another place, which is never followed")
    if not (folder / name).is_file():
        raise FileFormatError(f"{folder}: {name}: the file is missing")
    return (folder / name).read_bytes()


def _read_member(archive: zipfile.ZipFile, path: Path, name: str) -> bytes:
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
