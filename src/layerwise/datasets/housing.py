"""What the two data sets of house prices have in common."""

from pathlib import Path
from typing import Any

import numpy as np

from ..data.format_error import FileFormatError
from ..data.npz import read_npz
from ..naming import expect
from .sequences import local_or_downloaded

_Arrays = tuple[np.ndarray, np.ndarray]


def read_houses(path: Any, name: str, sha256: str, columns: int) -> _Arrays:
    """(x, y) of the .npz at the user's path, or of the pinned one."""
    file: Path = local_or_downloaded(path, name, sha256)
    arrays = read_npz(file)
    x, y = arrays.get("x"), arrays.get("y")
    if x is None or y is None or x.ndim != 2 or x.shape[1] != columns or y.shape != x.shape[:1]:
        shapes = {name: array.shape for name, array in arrays.items()}
        raise FileFormatError(f"{file}: expected x (n, {columns}) and y (n,), got {shapes}")
    return x, y


def split(x: np.ndarray, y: np.ndarray, test_split: float, seed: int) -> tuple[_Arrays, _Arrays]:
    """Both parts, in an order by `seed`, as Keras draws it."""
    expect("test_split", test_split, 0 <= test_split < 1, "a number from 0 to 1, without 1")
    order = np.arange(len(x))
    np.random.RandomState(seed).shuffle(order)
    x, y = x[order], y[order]
    n = int(len(x) * (1 - test_split))
    return (x[:n], y[:n]), (x[n:], y[n:])
