"""CIFAR-10 and CIFAR-100 in their Python versions, without pickle: https://www.cs.toronto.edu/~kriz/cifar.html.

Their batches are pickles of a dictionary with one array, read by the interpreter of `pickled`.
"""

import tarfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from os import PathLike
from pathlib import Path

import numpy as np

from ..naming import one_of
from .format_error import FileFormatError, decoding
from .pickled import Record, parse_pickle

_Arrays = tuple[np.ndarray, np.ndarray]
_PIXELS = 3 * 32 * 32

CLASS_NAMES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")


@dataclass(frozen=True)
class _Version:
    """What one of the two sets consists of: `train` and `test` are files in `folder`, with lists of labels by name."""

    name: str
    folder: str
    train: tuple[str, ...]
    test: str
    most_bytes: int  # of a file
    labels: dict[str, int]  # how many classes they are

    @property
    def files(self) -> tuple[str, ...]:
        return *self.train, self.test


_CIFAR10 = _Version(
    "CIFAR-10", "cifar-10-batches-py", tuple(f"data_batch_{i}" for i in range(1, 6)), "test_batch",
    64 << 20,  # they have 31 MB
    {"labels": 10},
)  # fmt: skip
_CIFAR100 = _Version(
    "CIFAR-100", "cifar-100-python", ("train",), "test",
    256 << 20,  # it has 155 MB
    {"fine_labels": 100, "coarse_labels": 20},
)  # fmt: skip


def read_cifar10(path: str | PathLike[str]) -> tuple[_Arrays, _Arrays]:
    """`(x_train, y_train), (x_test, y_test)`; path: `cifar-10-python.tar.gz`, or the folder that it unpacks to.

    Images (n, 32, 32, 3) uint8, labels (n, 1) uint8 in 0..9; the full set has 50,000 and 10,000. Nothing in the file is
    executed. Raises `FileFormatError` naming file, batch and offset for anything malformed, `FileNotFoundError` for a
    batch that is missing.

    >>> read_cifar10("no such folder")
    Traceback (most recent call last):
    FileNotFoundError: no such folder: neither CIFAR-10's archive nor its folder
    """
    return _read(Path(path), _CIFAR10, "labels")


def read_cifar100(path: str | PathLike[str], label_mode: str = "fine") -> tuple[_Arrays, _Arrays]:
    """The same of CIFAR-100, `cifar-100-python.tar.gz`: labels in 0..99, or in 0..19 with label_mode="coarse"."""
    return _read(Path(path), _CIFAR100, one_of("label_mode", label_mode, "fine", "coarse") + "_labels")


def _read(path: Path, version: _Version, key: str) -> tuple[_Arrays, _Arrays]:
    if path.is_dir():
        source = _from_folder(path / version.folder if (path / version.folder).is_dir() else path, version)
    elif path.is_file():
        source = _from_archive(path, version)
    else:
        raise FileNotFoundError(f"{path}: neither {version.name}'s archive nor its folder")
    batches = {name: _batch(data, f"{path}: {name}", version, key) for name, data in source}
    for name in version.files:
        if name not in batches:
            raise (FileNotFoundError if path.is_dir() else FileFormatError)(f"{path}: no {name} there")
    x, y = zip(*(batches[name] for name in version.train))
    return (np.concatenate(x), np.concatenate(y)), batches[version.test]


def is_cifar10(path: Path) -> bool:
    """Whether `path` looks like the archive or the folder."""
    return _is(path, _CIFAR10)


def is_cifar100(path: Path) -> bool:
    """The same of CIFAR-100."""
    return _is(path, _CIFAR100)


def _is(path: Path, version: _Version) -> bool:
    if path.is_dir():
        return any((folder / version.test).is_file() for folder in (path, path / version.folder))
    return path.name.endswith((".tar.gz", ".tgz"))


def _from_folder(folder: Path, version: _Version) -> Iterator[tuple[str, bytes]]:
    for name in version.files:
        if (folder / name).is_file():
            _check_size(folder / name, (folder / name).stat().st_size, version)
            yield name, (folder / name).read_bytes()


def _from_archive(path: Path, version: _Version) -> Iterator[tuple[str, bytes]]:
    errors = (tarfile.TarError, EOFError, zlib.error, OSError)
    with decoding(f"{path}: the archive is damaged or cut short", *errors), tarfile.open(path, "r:gz") as archive:
        for member in archive:
            _check_size(f"{path}: {member.name}", member.size, version)
            name = member.name.rpartition("/")[2]
            if name in version.files and member.isfile() and (file := archive.extractfile(member)):
                yield name, file.read()


def _check_size(name: Path | str, size: int, version: _Version) -> None:
    if size > version.most_bytes:
        raise FileFormatError(f"{name}: {size} bytes, more than any file of {version.name}")


def _batch(data: bytes, where: str, version: _Version, key: str) -> _Arrays:
    content = parse_pickle(data, where, version.name)
    pixels = content.get("data") if isinstance(content, dict) else None
    labels = content.get(key) if isinstance(content, dict) else None
    if not isinstance(pixels, Record) or not isinstance(labels, list):
        raise FileFormatError(f"{where}: expected a dictionary with an array 'data' and a list '{key}'")
    match pixels.state:
        case (
            int(),
            (int(n), int(width)),
            Record(name="numpy dtype", arguments=("u1" | "|u1", *_)),
            False,
            str(values),
        ):
            if width != _PIXELS or n != len(labels) or len(values) != n * width:
                raise FileFormatError(
                    f"{where}: 'data' has shape {(n, width)} and {len(values)} bytes, '{key}' {len(labels)} entries; "
                    f"expected shape (n, {_PIXELS}), n * {_PIXELS} bytes and n labels"
                )
        case _:
            raise FileFormatError(f"{where}: expected 'data' to be a two-dimensional array of uint8 in C order")
    most = version.labels[key] - 1
    for i, label in enumerate(labels):
        if type(label) is not int or not 0 <= label <= most:
            raise FileFormatError(
                f"{where}: record {i}: expected a label in 0..{most}, "
                f"got {label if type(label) is int else type(label)}"
            )
    x = np.frombuffer(values.encode("latin-1"), np.uint8).reshape(n, 3, 32, 32).transpose(0, 2, 3, 1)
    return np.ascontiguousarray(x), np.array(labels, np.uint8).reshape(n, 1)
