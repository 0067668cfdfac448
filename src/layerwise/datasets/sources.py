"""Where the files of a data set come from: the user's folder, Keras' cache, Layerwise's cache, the network."""

import os
from os import PathLike
from pathlib import Path

import numpy as np

from ..data.download import cache_folder, download, file_hash
from ..data.idx import read_mnist_folder
from ..data.npz import read_npz
from ..terminal import DownloadBar

_Arrays = tuple[np.ndarray, np.ndarray]
_PARTS = ("x_train", "y_train", "x_test", "y_test")


def keras_folder(kind: str = "datasets") -> Path:
    """Where Keras keeps data sets (or "models"): in `KERAS_HOME`, else in `.keras` in the home folder."""
    return Path(os.environ.get("KERAS_HOME") or Path.home() / ".keras", kind)


def obtain(name: str, url: str, sha256: str | None = None, *, md5: str | None = None, kind: str = "datasets") -> Path:
    """The file `name` (folders allowed): Keras' copy if its hash is right, otherwise ours, downloaded if need be."""
    copy = keras_folder(kind) / name
    if copy.is_file() and (file_hash(copy) == sha256 if sha256 else file_hash(copy, "md5") == md5):
        return copy
    with DownloadBar(Path(name).name) as bar:
        return download(url, cache_folder(kind, *Path(name).parts), sha256, md5=md5, progress=bar)


def existing(path: str | PathLike[str]) -> Path:
    """The path, or `FileNotFoundError`: a path of the user's own is never a reason to download something."""
    if not Path(path).exists():
        raise FileNotFoundError(f"{path}: no such file or folder; without a path the data set is downloaded")
    return Path(path)


def read_grey_images(path: Path) -> tuple[_Arrays, _Arrays]:
    """Images (n, height, width) and labels (n,) from an .npz in Keras' layout, an IDX file or a folder of those."""
    if path.suffix != ".npz":
        return read_mnist_folder(path if path.is_dir() else path.parent)
    arrays = read_npz(path)
    if missing := set(_PARTS) - arrays.keys():
        raise ValueError(f"{path}: expected arrays {', '.join(_PARTS)}; {', '.join(sorted(missing))} not there")
    for x, y in ("x_train", "y_train"), ("x_test", "y_test"):
        if arrays[x].ndim != 3 or arrays[y].shape != arrays[x].shape[:1]:
            raise ValueError(
                f"{path}: expected {x} (n, height, width) and {y} (n,), got {arrays[x].shape} and {arrays[y].shape}"
            )
    return (arrays["x_train"], arrays["y_train"]), (arrays["x_test"], arrays["y_test"])
