"""`tf.io.gfile`: files and folders, by Python's own functions."""

import os
import shutil
from typing import Any

from .renaming import namespace


def copy(src: str, dst: str, overwrite: bool = False) -> None:
    """Copy a file; one that is there is replaced only where `overwrite` says so."""
    if os.path.exists(dst) and not overwrite:
        raise FileExistsError(f"tf.io.gfile.copy: {dst} is there already")
    shutil.copyfile(src, dst)


def makedirs(path: str) -> None:
    """Make a folder and those above it, unless they are there."""
    os.makedirs(path, exist_ok=True)


def GFile(name: str, mode: str = "r") -> Any:
    """An open file."""
    return open(name, mode)


__getattr__, __dir__, __all__ = namespace(
    __name__,
    names={
        "os": "listdir mkdir remove rename stat walk",
        "os.path": "exists isdir join",
        "shutil": "rmtree",
        "glob": "glob",
        ".": "GFile copy makedirs",
    },
)
