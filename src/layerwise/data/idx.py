"""IDX, the format of MNIST (http://yann.lecun.com/exdb/mnist): big-endian, plain or gzip-compressed.

2 zero bytes, 1 byte type, 1 byte rank, rank x uint32 dimensions, values in C order
"""

import gzip
import io
import math
import struct
import zlib
from os import PathLike
from pathlib import Path

import numpy as np

from .format_error import FileFormatError, decoding

_DTYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
_GZIP_MAGIC = b"\x1f\x8b"
DEFLATE_LIMIT = 1032  # deflate cannot shrink anything more than this (zlib's technical notes)

_Arrays = tuple[np.ndarray, np.ndarray]


def read_idx(path: str | PathLike[str]) -> np.ndarray:
    """The array in an IDX file, plain or gzip-compressed, in native byte order.

    The size that the header declares is checked against the bytes that are there before memory is reserved.
    Raises `FileFormatError` naming the file and the offset (in the uncompressed data) for anything that is not IDX,
    is cut short, or has bytes left over.

    >>> path = getfixture("tmp_path") / "labels-idx1-ubyte"
    >>> _ = path.write_bytes(bytes([0, 0, 8, 1, 0, 0, 0, 3, 7, 2, 1]))
    >>> read_idx(path)
    array([7, 2, 1], dtype=uint8)
    """
    path = Path(path)
    with open(path, "rb") as file:
        size = path.stat().st_size
        compressed = file.read(2) == _GZIP_MAGIC
        file.seek(0)
        if not compressed:
            return _read(path, file, at_most=size)
        damaged = decoding(f"{path}: the gzip data is damaged or cut short", EOFError, gzip.BadGzipFile, zlib.error)
        with damaged, gzip.GzipFile(fileobj=file) as unzipped:
            return _read(path, unzipped, at_most=size * DEFLATE_LIMIT)


def _read(path: Path, file: io.BufferedIOBase, at_most: int) -> np.ndarray:
    magic = file.read(4)
    if len(magic) < 4 or magic[:2] != b"\0\0" or magic[2] not in _DTYPES or magic[3] == 0:
        raise FileFormatError(
            f"{path}: not an IDX file: offset 0 holds {magic.hex(' ') or 'nothing'}, "
            f"expected 00 00, a type ({', '.join(f'{t:02x}' for t in _DTYPES)}) and a rank of 1 or more"
        )
    dtype, rank = np.dtype(_DTYPES[magic[2]]), magic[3]
    header = file.read(4 * rank)
    if len(header) < 4 * rank:
        raise FileFormatError(
            f"{path}: cut short at offset {4 + len(header)}: "
            f"expected {rank} dimensions of 4 bytes each, got {len(header)} bytes"
        )
    shape = struct.unpack(f">{rank}I", header)
    start, expected = 4 + len(header), math.prod(shape) * dtype.itemsize
    if start + expected > at_most:
        raise FileFormatError(
            f"{path}: offset 4 declares shape {shape} of {dtype.name}, {expected} bytes from {start} on, "
            f"but the file can hold no more than {max(at_most - start, 0)}"
        )
    values = np.empty(expected, np.uint8)
    got = 0
    while got < expected and (n := file.readinto(values.data[got:])):
        got += n
    if got < expected:
        raise FileFormatError(
            f"{path}: cut short at offset {start + got}, in record {_record(got, shape, dtype)}: "
            f"shape {shape} of {dtype.name} needs {expected} bytes, got {got}"
        )
    if file.read(1):
        raise FileFormatError(f"{path}: bytes left over at offset {start + expected}, after all of shape {shape}")
    try:
        return values.view(dtype).reshape(shape).astype(dtype.newbyteorder("="), copy=False)
    except ValueError as error:  # NumPy's own limits: 64 dimensions, sizes in 63 bits
        raise FileFormatError(f"{path}: offset 4 declares a shape that no array can have, {shape}: {error}") from error


def _record(got: int, shape: tuple[int, ...], dtype: np.dtype) -> int:
    """The record, counted from 0, that holds byte `got` of the values."""
    return got // (math.prod(shape[1:]) * dtype.itemsize)


def read_mnist_folder(path: str | PathLike[str]) -> tuple[_Arrays, _Arrays]:
    """`(x_train, y_train), (x_test, y_test)` from the four IDX files of the folder at `path`.

    The files: `train-images-idx3-ubyte`, `train-labels-idx1-ubyte`, `t10k-images-idx3-ubyte`, `t10k-labels-idx1-ubyte`,
    each plain or `.gz`, also with a dot in place of the hyphen before `idx`. Images (n, height, width), labels (n,).
    Raises `FileNotFoundError` for a missing file, `ValueError` for one that is malformed or does not fit its partner.

    >>> read_mnist_folder("no such folder")
    Traceback (most recent call last):
    FileNotFoundError: no such folder: no train-images-idx3-ubyte (plain or .gz) there
    """
    return _read_part(Path(path), "train"), _read_part(Path(path), "t10k")


def find_idx(folder: Path, part: str, what: str) -> Path | None:
    """The IDX file of `part` ("train" or "t10k") that holds `what` ("images" or "labels"), if it is there."""
    rank = {"images": 3, "labels": 1}[what]
    names = (f"{part}-{what}{mark}idx{rank}-ubyte{end}" for mark in "-." for end in ("", ".gz"))
    return next((folder / name for name in names if (folder / name).is_file()), None)


def read_pair(images: Path, labels: Path) -> _Arrays:
    """Images (n, height, width) from one IDX file, their labels (n,) from another; `ValueError` if they do not fit."""
    x, y = read_idx(images), read_idx(labels)
    for path, array, rank in (images, x, 3), (labels, y, 1):
        if array.ndim != rank:
            raise FileFormatError(f"{path}: expected {rank} dimensions, got shape {array.shape}")
    if len(x) != len(y):
        raise FileFormatError(f"{images} holds {len(x)} images, but {labels} holds {len(y)} labels")
    return x, y


def _read_part(folder: Path, part: str) -> _Arrays:
    paths = []
    for what, rank in ("images", 3), ("labels", 1):
        path = find_idx(folder, part, what)
        if path is None:
            raise FileNotFoundError(f"{folder}: no {part}-{what}-idx{rank}-ubyte (plain or .gz) there")
        paths.append(path)
    return read_pair(*paths)
