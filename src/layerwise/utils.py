"""Helpers around data, seeds and names, under Keras' names.

>>> to_categorical([0, 2])
array([[1., 0., 0.],
       [0., 0., 1.]], dtype=float32)
"""

import gc
import os
import shutil
import tarfile
import tempfile
import urllib.parse
import urllib.request
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from . import config, ops
from .autograd import Tensor
from .data import Dataset, PyDataset
from .dtypes import standardize_dtype
from .lazy import public_only
from .naming import reset_names
from .random import set_random_seed
from .serialization import (
    CustomObjectScope,
    custom_object_scope,
    deserialize_keras_object,
    get_custom_objects,
    get_registered_name,
    get_registered_object,
    register_keras_serializable,
    serialize_keras_object,
)
from .terminal import DownloadBar, Progbar
from .training.arrays import unpack_x_y_sample_weight

__all__ = [
    "CustomObjectScope", "Progbar", "PyDataset", "clear_session", "custom_object_scope", "deserialize_keras_object",
    "get_custom_objects", "get_file", "get_registered_name", "get_registered_object", "is_keras_tensor", "normalize",
    "pack_x_y_sample_weight", "register_keras_serializable", "serialize_keras_object", "set_random_seed",
    "split_dataset", "standardize_dtype", "to_categorical", "unpack_x_y_sample_weight",
]  # fmt: skip
public_only(__name__)

_DEEPEST = 100  # folders in one another in an archive


def to_categorical(x: Any, num_classes: int | None = None) -> np.ndarray:
    """y[..., c] = 1 where c is the label x[...], else 0

    x holds whole numbers from 0 to num_classes - 1 (by default the largest of them); a last dimension of size 1 is
    dropped, so (n,) and (n, 1) both give (n, num_classes).

    >>> to_categorical([[1], [0]], num_classes=2)
    array([[0., 1.],
           [1., 0.]], dtype=float32)
    """
    labels = np.asarray(x)
    if labels.size and not np.array_equal(labels, np.floor(labels)):
        raise ValueError("to_categorical: x: got fractions, expected whole numbers, the labels of classes")
    labels = labels.astype("int64")
    if labels.ndim > 1 and labels.shape[-1] == 1:
        labels = labels[..., 0]
    if num_classes is None:
        num_classes = int(labels.max(initial=-1)) + 1
    if labels.size and not 0 <= labels.min() <= labels.max() < num_classes:
        raise ValueError(
            f"to_categorical: x: got labels from {labels.min()} to {labels.max()}, "
            f"expected 0 to {num_classes - 1} for num_classes={num_classes}"
        )
    return (labels[..., None] == np.arange(num_classes)).astype("float32")


def normalize(x: Any, axis: int = -1, order: float = 2) -> Any:
    """y = x / |x|, with the norm of this order along `axis`; zeros stay zeros. A Tensor for a Tensor, else an array

    >>> normalize([[3.0, 4.0], [0.0, 0.0]])
    array([[0.6, 0.8],
           [0. , 0. ]], dtype=float32)
    """
    if isinstance(x, Tensor):
        return ops.normalize(x, axis, order)
    x = np.atleast_1d(x if isinstance(x, np.ndarray) and x.dtype.kind == "f" else np.asarray(x, config.floatx()))
    norm = np.linalg.norm(x, order, axis, keepdims=True)
    return x / np.where(norm == 0, 1, norm).astype(x.dtype)


def pack_x_y_sample_weight(x: Any, y: Any = None, sample_weight: Any = None) -> Any:
    """(x, y, sample_weight) or (x, y) where that is all; without y, x alone, in a tuple if it is a tuple or list

    >>> pack_x_y_sample_weight(1, 2)
    (1, 2)
    """
    if y is None:
        return (x,) if isinstance(x, tuple | list) else x
    return (x, y) if sample_weight is None else (x, y, sample_weight)


def split_dataset(
    dataset: Any,
    left_size: float | None = None,
    right_size: float | None = None,
    shuffle: bool = False,
    seed: int | None = None,
) -> tuple[Dataset, Dataset]:
    """Two data sets: the first `left_size` elements and the last `right_size` of the others

    `dataset`: a `Dataset` of known length, or arrays, also in tuples and dictionaries. Sizes are whole numbers or,
    between 0 and 1, fractions of the length; one of them may be left to the other. With `shuffle` the elements are
    drawn in an order by `seed`.

    >>> left, right = split_dataset(np.arange(10), left_size=0.8)
    >>> len(left), [int(x) for x in right]
    (8, [8, 9])
    """
    data = dataset if isinstance(dataset, Dataset) else Dataset.from_tensor_slices(dataset)
    n = len(data)
    if left_size is None and right_size is None:
        raise ValueError("split_dataset: got neither left_size nor right_size, expected at least one")
    left, right = _part("left_size", left_size, n), _part("right_size", right_size, n)
    left, right = n - right if left is None else left, n - left if right is None else right  # type: ignore[operator]
    if left + right > n:
        raise ValueError(f"split_dataset: left_size and right_size: got {left} + {right} elements of {n}")
    if shuffle:
        data = data.shuffle(seed=seed, reshuffle_each_iteration=False)
    return data.take(left), data.skip(left).take(right)


def _part(name: str, size: float | None, n: int) -> int | None:
    if size is None:
        return None
    count = round(size * n) if isinstance(size, float) and size < 1 else size
    if isinstance(count, float) or not 0 < count < n:
        raise ValueError(
            f"split_dataset: {name}: got {size}, expected a whole number or a fraction that leaves both parts of {n} "
            "elements with at least one"
        )
    return count


def get_file(
    fname: str | None = None,
    origin: str | None = None,
    untar: bool = False,
    md5_hash: str | None = None,
    file_hash: str | None = None,
    cache_subdir: str = "datasets",
    hash_algorithm: str = "auto",
    extract: bool = False,
    archive_format: str | None = "auto",
    cache_dir: str | os.PathLike[str] | None = None,
    force_download: bool = False,
) -> str:
    """The path of the file at the address `origin`, downloaded unless it is there already

    Args:
        fname: the file's name, by default the last part of the address.
        untar, extract: unpack a tar or zip archive; the path is then that of the folder with what was in it.
        md5_hash, file_hash: what the content must be, in hexadecimal (SHA-256 or MD5, by `hash_algorithm` or length).
        cache_subdir, cache_dir: the folder to keep it in, and where that lies: by default where Layerwise keeps files.
        archive_format: "tar", "zip", "auto", or None to unpack nothing.
        force_download: replace a file that is there.

    Raises `DownloadError` when the file cannot be fetched, `ValueError` when it is not the one that the hash names.
    """
    from .data.download import cache_folder, download
    from .data.download import file_hash as hash_of

    if origin is None:
        raise ValueError("get_file: origin: got None, expected the address of the file")
    name = fname or Path(urllib.parse.urlsplit(origin).path).name
    if (origin.endswith("/") and not fname) or Path(name).name != name or name == "..":
        raise ValueError(f"get_file: fname: got {fname!r} for {origin}, expected a file name without folders")
    unpack = (untar or extract) and archive_format is not None
    folder = cache_folder(cache_subdir) if cache_dir is None else Path(cache_dir, cache_subdir)
    if not unpack:
        unpacked = None
        target = folder / name
    elif fname and not untar:
        unpacked = folder / f"{name.split('.')[0]}_extracted"
        target = folder / name
    else:
        unpacked = folder / name
        target = folder / f"{name}_archive"

    expected = (file_hash or md5_hash or "").lower()
    if hash_algorithm == "auto":
        hash_algorithm = "md5" if expected and len(expected) == 32 else "sha256"
    sha256 = expected if expected and hash_algorithm == "sha256" else None
    other = expected if sha256 is None else None
    if force_download or (other and target.is_file() and hash_of(target, hash_algorithm) != other):
        target.unlink(missing_ok=True)
    fresh = not target.exists()
    if origin.startswith("file://"):
        other = expected
        _copy(origin, target)
    else:
        with DownloadBar(name) as bar:
            download(origin, target, sha256, progress=bar)
    if other and (got := hash_of(target, hash_algorithm)) != other:
        target.unlink()
        raise ValueError(f"get_file: {origin}: wrong content: {hash_algorithm} {got}, expected {other}")
    if unpacked is None:
        return str(target)
    if fresh or not unpacked.exists():
        _unpack(target, unpacked, archive_format or "auto")
    return str(unpacked)


def _copy(origin: str, target: Path) -> None:
    """The file of this computer at the address `origin`, at `target`; one that is there is kept."""
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(urllib.request.url2pathname(urllib.parse.urlsplit(origin).path), target)


def _unpack(archive: Path, folder: Path, form: str) -> None:
    """The archive's files in `folder`, complete or not at all; nothing is ever written outside of it."""
    with tempfile.TemporaryDirectory(dir=folder.parent) as temporary:
        inside = Path(temporary, folder.name)
        try:
            if form in ("auto", "zip") and zipfile.is_zipfile(archive):
                with zipfile.ZipFile(archive) as files:
                    _check_depth(files.namelist())
                    files.extractall(inside)
            elif form in ("auto", "tar") and tarfile.is_tarfile(archive):
                with tarfile.open(archive) as members:
                    _extract(members, inside)
            else:
                raise ValueError(f"get_file: {archive} is no archive of the form {form!r}; expected a tar or zip file")
        except (tarfile.TarError, zipfile.BadZipFile) as error:
            raise ValueError(f"get_file: {archive} cannot be unpacked: {error}") from error
        if folder.exists():
            shutil.rmtree(folder)
        os.replace(inside, folder)


def _check_depth(names: Iterable[str]) -> None:
    for name in names:
        if name.count("/") > _DEEPEST:
            raise ValueError(f"get_file: {name[:40]!r}... in the archive is more than {_DEEPEST} folders deep")


def _extract(members: tarfile.TarFile, folder: Path) -> None:
    """The files and folders of a tar archive; links are refused, and what would be written outside of the folder.

    `tarfile` itself refuses the latter from Python 3.11.4 on only.
    """
    for member in members:
        _check_depth([member.name])
        target = Path(os.path.normpath(folder / member.name))
        source = members.extractfile(member) if member.isfile() else None
        if not target.is_relative_to(folder) or not (source or member.isdir()):
            raise tarfile.ExtractError(f"{member.name!r} is no file or folder inside of it")
        (target if source is None else target.parent).mkdir(parents=True, exist_ok=True)
        if source is not None:
            with source, target.open("wb") as file:
                shutil.copyfileobj(source, file)


def is_keras_tensor(x: Any) -> bool:
    """Whether x is a symbolic Tensor, which the functional API builds models from."""
    return isinstance(x, Tensor) and x.symbolic


def clear_session(free_memory: bool = True) -> None:
    """Start automatic names from the beginning; `free_memory` collects garbage.

    Models live on as long as something refers to them.
    """
    reset_names()
    if free_memory:
        gc.collect()
