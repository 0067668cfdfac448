"""Files that are replaced whole or not at all, and what is said about files that cannot be read."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from ..data.download import sync_folder


class FileFormatError(ValueError):
    """A file is not what its name says, is damaged, or does not fit the model: file, member, reason."""


@contextlib.contextmanager
def replacing(path: str | os.PathLike[str], overwrite: bool = True) -> Iterator[BinaryIO]:
    """A new file, open for writing, that takes the place of `path` when the `with` block ends well.

    Whatever happens, and whenever, `path` is the old file or the complete new one.

    Raises:
        FileExistsError: `path` exists, and `overwrite` is False.
    """
    target = Path(os.path.realpath(path))
    if not target.parent.is_dir():
        raise FileNotFoundError(f"{path}: the folder {target.parent} does not exist")
    if not overwrite and target.exists():
        raise FileExistsError(f"{path} exists; pass overwrite=True to replace it")
    part = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
    try:
        with open(part, "xb+") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, target)
    finally:
        part.unlink(missing_ok=True)
    sync_folder(target.parent)
