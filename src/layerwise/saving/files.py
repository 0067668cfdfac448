"""Files that are replaced whole or not at all, and what is said about files that cannot be read."""

from __future__ import annotations

import contextlib
import ctypes
import hashlib
import json
import os
import re
import secrets
import shutil
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from ..data.download import fcntl, sync_folder
from ..data.format_error import FileFormatError
from ..variables import Variable

GRAPH = 16 << 20  # bytes of constants in a model's graph, besides the file's size
MOST_VALUES = 300_000  # of a JSON text
CURRENT_FOLDER, EXCHANGE = -100, 2  # Linux's AT_FDCWD and RENAME_EXCHANGE
DEEPEST = 200  # objects and lists in one another in a JSON text; a model in a model takes four
# What leads to the next bracket that is no part of a string, and takes nothing back.
BRACKET = re.compile(r'(?:[^"\[\]{}]++|"(?:[^"\\]++|\\.)*+")*+([\[\]{}])', re.DOTALL)


@contextlib.contextmanager
def locating(path: Path, member: str) -> Iterator[None]:
    """Errors inside the `with` block are raised as FileFormatErrors that name the file and the member."""
    try:
        yield
    except Exception as error:
        if isinstance(error, FileFormatError) and str(error).startswith(str(path)):
            raise
        reason = str(error) if isinstance(error, ValueError | TypeError) else f"{type(error).__name__}: {error}"
        raise FileFormatError(f"{path}: {member}: {reason}") from error


def _target(path: str | os.PathLike[str], overwrite: bool) -> Path:
    """What is to be replaced, links followed, if that may be."""
    target = Path(os.path.realpath(path))
    if not target.parent.is_dir():
        raise FileNotFoundError(f"{path}: the folder {target.parent} does not exist")
    if target.exists() and not overwrite:
        raise FileExistsError(f"{path} exists; pass overwrite=True to replace it")
    return target


@contextlib.contextmanager
def replacing(path: str | os.PathLike[str], overwrite: bool = True) -> Iterator[BinaryIO]:
    """A new file, open for writing, that takes the place of `path` when the `with` block ends well.

    Whatever happens, and whenever, `path` is the old file or the complete new one.

    Raises:
        FileExistsError: `path` exists, and `overwrite` is False.
    """
    target = _target(path, overwrite)
    part = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
    claim = contextlib.ExitStack()
    try:
        with open(part, "xb+") as file:
            claim.enter_context(_claiming(part))
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, target)
    except OSError as error:
        if error.filename is None and error.errno is not None:  # a full disk does not tell which
            error.filename = os.fspath(path)
        raise
    finally:
        part.unlink(missing_ok=True)
        claim.close()
    sync_folder(target.parent)
    _sweep(target)


@contextlib.contextmanager
def replacing_folder(path: str | os.PathLike[str], overwrite: bool = True) -> Iterator[Path]:
    """A new folder that takes the place of `path` when the `with` block ends well, with what was written to it.

    An old folder changes its name with the new one and is removed last. Where the system cannot exchange names it is
    moved aside first: if the process ends right then, it is there whole, under a name that starts with a dot.
    """
    target = _target(path, overwrite)
    if target.exists() and not target.is_dir():
        raise NotADirectoryError(f"{path} is a file, expected a folder")
    part, old = (target.with_name(f".{target.name}.{secrets.token_hex(4)}.{what}") for what in ("new", "old"))
    part.mkdir()
    claim = contextlib.ExitStack()
    try:
        claim.enter_context(_claiming(part))
        yield part
        for file in part.rglob("*"):
            if file.is_dir():
                sync_folder(file)
                continue
            with open(file, "rb+") as written:
                os.fsync(written.fileno())
        sync_folder(part)
        if target.exists() and _exchange(part, target):
            os.rename(part, old)
        else:
            _move_aside(target, old)
            try:
                os.rename(part, target)
            except OSError:
                _move_aside(old, target)
                raise
    finally:
        shutil.rmtree(part, ignore_errors=True)
        claim.close()
    sync_folder(target.parent)
    if old.exists():
        shutil.rmtree(old)
    _sweep(target)


@contextlib.contextmanager
def _claiming(part: Path) -> Iterator[None]:
    """Inside the `with` block other processes can tell that somebody works on `part`, where the system has locks."""
    if fcntl is None:
        yield
        return
    descriptor = os.open(part, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _sweep(target: Path) -> None:
    """Remove what processes that were killed while they saved to `target` have left beside it."""
    left = re.compile(rf"\.{re.escape(target.name)}\.[0-9a-f]{{8}}(\.new|\.old)?")
    for path in [p for p in target.parent.iterdir() if left.fullmatch(p.name)]:
        with contextlib.suppress(OSError):
            if _is_abandoned(path):
                shutil.rmtree(path) if path.is_dir() else path.unlink()


def _is_abandoned(path: Path) -> bool:
    """Whether nobody works on what was begun at `path`: it was not just made, and nobody claims it."""
    age = time.time() - path.stat().st_mtime
    if fcntl is None:
        return age > 3600
    descriptor = os.open(path, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    finally:
        os.close(descriptor)
    return age > 1


def _move_aside(path: Path, target: Path) -> None:
    if path.exists():
        os.rename(path, target)


def _exchange(first: Path, second: Path) -> bool:
    """Whether each of the two now has the other's name, which Linux can do at once."""
    try:
        call = ctypes.CDLL(None).renameat2
    except (AttributeError, OSError, TypeError):  # another system
        return False
    return call(CURRENT_FOLDER, os.fsencode(first), CURRENT_FOLDER, os.fsencode(second), EXCHANGE) == 0


# In all a file may take four times its size and 64 MiB. What it may take of that:


def room(size: int) -> int:
    """Bytes of what is compressed in a file of this size."""
    return size + (8 << 20)


def most_values(size: int) -> int:
    """Bytes of all variables of a model in a file of this size: also slots and counts that have no values there."""
    return 4 * size + (16 << 20)


def check_widening(values: Iterable[tuple[int, Iterable[Variable]]], size: int, where: str) -> None:
    """Refuse so many numbers for these variables if they would take far more bytes there than in a file of this size.

    Args:
        values: how many numbers, and the variables that they are for, whose dtypes may be wider.
    """
    needed = sum(count * max((v._value.dtype.itemsize for v in variables), default=0) for count, variables in values)
    if needed > 2 * size + (16 << 20):
        raise FileFormatError(
            f"{where}: its values would take {needed} bytes, of {size} in the file; store them in the model's dtype"
        )


def fingerprint(array: np.ndarray) -> str:
    """SHA-256 of an array: of its dtype and shape, as the text "<f4 (3, 2)", and of its bytes in C order."""
    stored = array.view("V2") if array.dtype.name == "bfloat16" else array
    stored = stored.astype(stored.dtype.newbyteorder("<"), order="C", copy=False)
    digest = hashlib.sha256(f"{stored.dtype.str} {stored.shape}".encode())
    digest.update(stored.reshape(-1).view("uint8").data)
    return digest.hexdigest()


def parse_json(text: str | bytes) -> dict[str, Any]:
    """The object that a JSON text is; refused: a key twice, too many values, too deep, too large for what it is.

    >>> parse_json('{"a": 1, "a": 2}')
    Traceback (most recent call last):
    layerwise.data.format_error.FileFormatError: the key 'a' is there twice in one object
    """
    try:
        if isinstance(text, bytes):
            text = text.decode("utf-8")
        if sum(map(text.count, "[{,")) > MOST_VALUES:
            raise FileFormatError(f"more than {MOST_VALUES:,} values")
        if (needed := _memory(text)) > len(text) + (36 << 20):
            raise FileFormatError(f"{len(text)} characters of JSON whose values take up to {needed} bytes of memory")
        if _is_deep(text):
            raise FileFormatError("objects are nested too deeply")
        value = json.loads(text, object_pairs_hook=_distinct_keys)
    except UnicodeDecodeError as error:
        raise FileFormatError(f"not UTF-8 ({error})") from None
    if not isinstance(value, dict):
        raise FileFormatError(f"expected a JSON object, got {type(value).__name__}")
    return value


def _memory(text: str) -> int:
    """Bytes that a JSON text and its values take, at most.

    One escape may make all characters of a string four bytes wide, and the string is copied meanwhile.
    """
    strings = 6 * len(text) if "\\u" in text else sys.getsizeof(text)
    return sys.getsizeof(text) + strings + 40 * sum(map(text.count, "[{,")) + 170 * text.count(":")


def _is_deep(text: str) -> bool:
    """Whether more objects and lists than may be are nested, strings left out."""
    depth = place = 0
    while 0 <= depth <= DEEPEST and (mark := BRACKET.match(text, place)):
        place = mark.end()
        depth += 1 if mark[1] in "[{" else -1
    return depth > DEEPEST


def _distinct_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members: dict[str, Any] = {}
    for key, value in pairs:
        if key in members:
            raise FileFormatError(f"the key {key!r} is there twice in one object")
        members[key] = value
    return members
