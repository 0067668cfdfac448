"""CIFAR-10 in its Python version, without pickle: https://www.cs.toronto.edu/~kriz/cifar.html.

Its batches are pickles of a dictionary with one array. They are read here by an interpreter that knows containers,
numbers and strings; the three NumPy names that make up an array become inert records, any other name is an error,
and nothing is ever called.
"""

import io
import pickletools
import tarfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from .format_error import FileFormatError, decoding

_Arrays = tuple[np.ndarray, np.ndarray]
_FOLDER = "cifar-10-batches-py"
_TRAIN, _TEST = tuple(f"data_batch_{i}" for i in range(1, 6)), "test_batch"
_MOST_BYTES = 64 << 20  # a batch has 31 MB
_PIXELS = 3 * 32 * 32

CLASS_NAMES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")


def read_cifar10(path: str | PathLike[str]) -> tuple[_Arrays, _Arrays]:
    """`(x_train, y_train), (x_test, y_test)`; path: `cifar-10-python.tar.gz`, or the folder that it unpacks to.

    Images (n, 32, 32, 3) uint8, labels (n, 1) uint8 in 0..9; the full set has 50,000 and 10,000. Nothing in the file is
    executed. Raises `FileFormatError` naming file, batch and offset for anything malformed, `FileNotFoundError` for a
    batch that is missing.

    >>> read_cifar10("no such folder")
    Traceback (most recent call last):
    FileNotFoundError: no such folder: neither CIFAR-10's archive nor its folder
    """
    path = Path(path)
    if path.is_dir():
        source = _from_folder(path / _FOLDER if (path / _FOLDER).is_dir() else path)
    elif path.is_file():
        source = _from_archive(path)
    else:
        raise FileNotFoundError(f"{path}: neither CIFAR-10's archive nor its folder")
    batches = {name: _batch(data, f"{path}: {name}") for name, data in source}
    for name in (*_TRAIN, _TEST):
        if name not in batches:
            raise (FileNotFoundError if path.is_dir() else FileFormatError)(f"{path}: no {name} there")
    x, y = zip(*(batches[name] for name in _TRAIN))
    return (np.concatenate(x), np.concatenate(y)), batches[_TEST]


def is_cifar10(path: Path) -> bool:
    """Whether `path` looks like the archive or the folder."""
    if path.is_dir():
        return any((folder / _TEST).is_file() for folder in (path, path / _FOLDER))
    return path.name.endswith((".tar.gz", ".tgz"))


def _from_folder(folder: Path) -> Iterator[tuple[str, bytes]]:
    for name in (*_TRAIN, _TEST):
        if (folder / name).is_file():
            _check_size(folder / name, (folder / name).stat().st_size)
            yield name, (folder / name).read_bytes()


def _from_archive(path: Path) -> Iterator[tuple[str, bytes]]:
    errors = (tarfile.TarError, EOFError, zlib.error, OSError)
    with decoding(f"{path}: the archive is damaged or cut short", *errors), tarfile.open(path, "r:gz") as archive:
        for member in archive:
            _check_size(f"{path}: {member.name}", member.size)
            name = member.name.rpartition("/")[2]
            if name in (*_TRAIN, _TEST) and member.isfile() and (file := archive.extractfile(member)):
                yield name, file.read()


def _check_size(name: Path | str, size: int) -> None:
    if size > _MOST_BYTES:
        raise FileFormatError(f"{name}: {size} bytes, more than any file of CIFAR-10")


def _batch(data: bytes, where: str) -> _Arrays:
    content = parse_pickle(data, where)
    pixels = content.get("data") if isinstance(content, dict) else None
    labels = content.get("labels") if isinstance(content, dict) else None
    if not isinstance(pixels, Record) or not isinstance(labels, list):
        raise FileFormatError(f"{where}: expected a dictionary with an array 'data' and a list 'labels'")
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
                    f"{where}: 'data' has shape {(n, width)} and {len(values)} bytes, 'labels' {len(labels)} entries; "
                    f"expected shape (n, {_PIXELS}), n * {_PIXELS} bytes and n labels"
                )
        case _:
            raise FileFormatError(f"{where}: expected 'data' to be a two-dimensional array of uint8 in C order")
    for i, label in enumerate(labels):
        if type(label) is not int or not 0 <= label < len(CLASS_NAMES):
            raise FileFormatError(
                f"{where}: record {i}: expected a label in 0..9, got {label if type(label) is int else type(label)}"
            )
    x = np.frombuffer(values.encode("latin-1"), np.uint8).reshape(n, 3, 32, 32).transpose(0, 2, 3, 1)
    return np.ascontiguousarray(x), np.array(labels, np.uint8).reshape(n, 1)


@dataclass
class Record:
    """What a pickle would build by calling `name` with `arguments` and setting `state`, left unbuilt."""

    name: str
    arguments: tuple = ()
    state: Any = None


_ARRAY_NAMES = {"numpy.core.multiarray _reconstruct", "numpy ndarray", "numpy dtype"}
_VALUES = {"INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "STRING", "BINSTRING", "SHORT_BINSTRING"}
_CONSTANTS: dict[str, Callable[[], Any]] = {
    "NONE": lambda: None, "NEWTRUE": lambda: True, "NEWFALSE": lambda: False,
    "EMPTY_DICT": dict, "EMPTY_LIST": list, "EMPTY_TUPLE": tuple,
}  # fmt: skip
_PUT, _GET = {"PUT", "BINPUT", "LONG_BINPUT"}, {"GET", "BINGET", "LONG_BINGET"}
_TUPLES = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}
_MARK = object()


def parse_pickle(data: bytes, where: str) -> Any:
    """The dictionaries, lists, tuples, numbers and strings of a pickle (protocol 0 to 2) and `Record`s for arrays.

    Strings come as text in Latin-1, byte for byte. Raises `FileFormatError` with the offset for any other content.

    >>> parse_pickle(b"(dS'labels'" + bytes([10]) + b"(lp0" + bytes([10]) + b"K" + bytes([7]) + b"as.", "batch")
    {'labels': [7]}
    """
    machine = _Machine()
    position: int | None = 0
    try:
        for opcode, argument, position in pickletools.genops(io.BytesIO(data)):  # noqa: B007  for the error
            machine.step(opcode.name, argument)
        (result,) = machine.stack
        return result
    except (ValueError, TypeError, LookupError, AttributeError, StopIteration, OverflowError) as error:
        raise FileFormatError(f"{where}: malformed at offset {position}: {error}") from error


class _Machine:
    """The stack that a pickle's operations work on, and the memo that they look things up in."""

    def __init__(self) -> None:
        self.stack: list[Any] = []
        self.memo: dict[int, Any] = {}

    def step(self, operation: str, argument: Any) -> None:
        stack, memo = self.stack, self.memo
        match operation:
            case name if name in _VALUES:
                stack.append(argument)
            case name if name in _CONSTANTS:
                stack.append(_CONSTANTS[name]())
            case name if name in _PUT:
                memo[argument] = stack[-1]
            case name if name in _GET:
                stack.append(memo[argument])
            case name if name in _TUPLES:
                stack[-_TUPLES[name] :] = [tuple(stack[-_TUPLES[name] :])]
            case "MARK":
                stack.append(_MARK)
            case "TUPLE":
                stack.append(tuple(self._since_mark()))
            case "LIST":
                stack.append(self._since_mark())
            case "DICT":
                items = self._since_mark()
                stack.append({})
                self._set_items(items)
            case "APPEND":
                item = stack.pop()
                stack[-1].append(item)
            case "APPENDS":
                items = self._since_mark()
                stack[-1].extend(items)
            case "SETITEM":
                items = [stack.pop(), stack.pop()][::-1]
                self._set_items(items)
            case "SETITEMS":
                self._set_items(self._since_mark())
            case "GLOBAL" if argument in _ARRAY_NAMES:
                stack.append(Record(argument))
            case "REDUCE":
                arguments = stack.pop()
                stack.append(Record(stack.pop().name, arguments))
            case "BUILD":
                state = stack.pop()
                stack[-1].state = state
            case "PROTO" | "STOP":
                pass
            case name:
                raise ValueError(f"{name} {argument if argument is not None else ''} has no place in CIFAR-10")

    def _since_mark(self) -> list[Any]:
        start = next(i for i in range(len(self.stack) - 1, -1, -1) if self.stack[i] is _MARK)
        items = self.stack[start + 1 :]
        del self.stack[start:]
        return items

    def _set_items(self, items: list[Any]) -> None:
        if not all(isinstance(key, str) for key in items[::2]):
            raise ValueError("a key that is no string")
        self.stack[-1].update(zip(items[::2], items[1::2], strict=True))
