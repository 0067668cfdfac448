"""Keras' `.keras` format: `metadata.json`, `config.json` and `model.weights.h5`, in an uncompressed zip or a folder."""

import contextlib
import io
import json
import shutil
import tempfile
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from .. import __version__
from ..autograd import outlining
from ..layers.base import Layer
from ..models.model import Model
from ..serialization import deserialize, serialize
from ..variables import deferred_initializers
from . import archive
from .archive import Reader
from .files import GRAPH, FileFormatError, locating, most_values, parse_json
from .keras_weights import read_weights, write_weights
from .walk import saveables

FORMAT = "3.15.1"  # the version of Keras whose files these are like
METADATA, CONFIG, WEIGHTS, ASSETS = "metadata.json", "config.json", "model.weights.h5", "assets/"
MEMBERS = (METADATA, CONFIG, WEIGHTS)
NOTES, FINGERPRINTS = "layerwise_notes", "layerwise_sha256"  # in the metadata, of which Keras reads nothing


def write_model(model: Layer, file: BinaryIO, include_optimizer: bool = True) -> None:
    """Write configuration, weights and optimizer to an open file."""
    with zipfile.ZipFile(file, "w") as members:
        for name, content in _members(model, include_optimizer):
            members.writestr(name, content)
        if any(info.flag_bits for info in members.infolist()):  # zipfile took an error for a stream
            raise OSError("the file cannot be positioned")


def write_folder(model: Layer, folder: Path, include_optimizer: bool = True) -> None:
    """Write the same members as files to a folder."""
    for name, content in _members(model, include_optimizer):
        if name.startswith(ASSETS):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)


def _members(model: Layer, include_optimizer: bool) -> Iterator[tuple[str, Any]]:
    date = time.strftime("%Y-%m-%d@%H:%M:%S")
    metadata: dict[str, Any] = {"keras_version": FORMAT, "layerwise_version": __version__, "date_saved": date}
    if isinstance(model, Model) and model.file_notes is not None:
        metadata[NOTES] = model.file_notes
    config = json.dumps(serialize(model))
    weights = io.BytesIO()
    metadata[FINGERPRINTS] = write_weights(model, weights, include_optimizer)
    yield METADATA, json.dumps(metadata).encode()
    yield CONFIG, config.encode()
    yield WEIGHTS, weights.getbuffer()
    for path, owner in saveables(model):
        for name, content in assets_of(owner):
            yield f"{ASSETS}{path}/{name}", content


def assets_of(owner: Any) -> Iterator[tuple[str, bytes]]:
    """The files that an object keeps besides its variables: their names and contents."""
    if hasattr(owner, "save_assets"):
        with tempfile.TemporaryDirectory() as folder:
            owner.save_assets(folder)
            for file in sorted(file for file in Path(folder).rglob("*") if file.is_file()):
                yield file.relative_to(folder).as_posix(), file.read_bytes()


def _read_assets(model: Layer, read: Reader) -> None:
    """Give each object that has a `load_assets` method a folder with the files that it saved."""
    for path, owner in saveables(model):
        if hasattr(owner, "load_assets"):
            with tempfile.TemporaryDirectory() as folder:
                for name in read.names:
                    if name.startswith(f"{ASSETS}{path}/") and not name.endswith("/"):
                        target = Path(folder, name.removeprefix(f"{ASSETS}{path}/"))
                        target.parent.mkdir(parents=True, exist_ok=True)
                        with open(target, "wb") as file:
                            shutil.copyfileobj(read(name), file)
                owner.load_assets(folder)


def is_folder(path: Path) -> bool:
    """Whether the path is a folder with a model in it."""
    return (path / CONFIG).is_file()


def read_model(
    path: Path, custom_objects: dict[str, Any] | None = None, compile: bool = True, safe_mode: bool = True
) -> Any:
    """The model that was written here or by Keras. No initializer runs for values that come from the file."""
    with opening(path) as read, locating(path, CONFIG):
        config = parse_json(read(CONFIG).read())
        if not compile:
            config.pop("compile_config", None)
        size = _size(path)
        with deferred_initializers(most_values(size)):
            with outlining(size + GRAPH):
                model = deserialize(config, custom_objects, safe_mode)
            if not (isinstance(model, Model) or getattr(type(model), "stands_alone", False)):
                raise ValueError(f"expected a model, got {type(model).__name__}")
            metadata = _metadata(read, path)
            read_weights(model, read(WEIGHTS), f"{path}: {WEIGHTS}", False, metadata.get(FINGERPRINTS))
        _read_assets(model, read)
        if isinstance(model, Model):
            notes = metadata.get(NOTES)
            model.file_notes = notes if isinstance(notes, dict) else None
    return model


def read_model_weights(model: Model, path: Path, skip_mismatch: bool = False) -> None:
    """Assign the weights in a `.keras` file to a model of the same layers."""
    with opening(path) as read:
        fingerprints = _metadata(read, path).get(FINGERPRINTS)
        read_weights(model, read(WEIGHTS), f"{path}: {WEIGHTS}", skip_mismatch, fingerprints)


def _metadata(read: Reader, path: Path) -> dict[str, Any]:
    with locating(path, METADATA):
        metadata = parse_json(read(METADATA).read())
        if not isinstance(metadata.get(FINGERPRINTS, {}), dict):
            raise FileFormatError(f"{FINGERPRINTS}: expected an object")
        return metadata


@contextlib.contextmanager
def opening(path: Path) -> Iterator[Reader]:
    """The members of an archive or folder, which has those of the format and no others."""
    if path.is_dir():
        with contextlib.ExitStack() as files:
            places = [file.relative_to(path) for file in (path / ASSETS).rglob("*") if file.is_file()]
            yield Reader([p.as_posix() for p in places], lambda name: files.enter_context(_open_file(path, name)))
        return
    with archive.opening(path, MEMBERS, ASSETS) as read:
        yield read


def _size(path: Path) -> int:
    files = [path / name for name in MEMBERS] if path.is_dir() else [path]
    return sum(file.stat().st_size for file in files if file.is_file())


def _open_file(folder: Path, name: str) -> BinaryIO:
    if (folder / name).is_symlink():
        raise FileFormatError(f"{folder}: {name}: a link to another place, which is never followed")
    if not (folder / name).is_file():
        raise FileFormatError(f"{folder}: {name}: the file is missing")
    return open(folder / name, "rb")
