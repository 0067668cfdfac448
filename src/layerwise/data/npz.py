"""NumPy's .npz archives, read strictly: no pickle, nothing evaluated, sizes checked before memory is reserved."""

import math
import re
import zipfile
import zlib
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from .format_error import FileFormatError, decoding
from .idx import DEFLATE_LIMIT
from .pickled import lists_of_numbers

_MAGIC = b"\x93NUMPY"
_SHAPE = r"(?:\d{1,18}L?(?:, ?|(?=\))))*"
_HEADER = re.compile(
    rf"\{{'descr': '([<>|=]?[a-zA-Z]\d{{1,8}})', 'fortran_order': (True|False), 'shape': \(({_SHAPE})\), ?\}} *\n?"
)
_OBJECTS = re.compile(r"\{'descr': '\|O', 'fortran_order': (?:True|False), 'shape': \(\d{1,18},\), ?\} *\n?")
_KINDS = "biufSU"  # flags, integers, floats, bytes, text
_LONGEST_HEADER = 10_000
_LAST_CHARACTER = 0x10FFFF  # of Unicode


def read_npz(path: str | PathLike[str], most_bytes: int | None = None, lists: bool = False) -> dict[str, Any]:
    """The arrays of an .npz archive by name: booleans, integers, floats or text.

    most_bytes: what they may take in all; None: 256 MiB, or sixteen times the file where that is more. With `lists`, an
    array whose entries are lists of whole numbers comes as a list of arrays; no pickle is executed for that. Raises
    `FileFormatError` naming the file, the array (record) and the offset for anything else: an archive that is
    damaged, an array whose header and size disagree, one that would need pickle (dtype object).

    >>> path = getfixture("tmp_path") / "a.npz"
    >>> np.savez(path, x=np.arange(3.0))
    >>> read_npz(path)
    {'x': array([0., 1., 2.])}
    """
    path = Path(path)
    size = path.stat().st_size
    errors = (zipfile.BadZipFile, zlib.error, EOFError, ValueError, NotImplementedError, RuntimeError, OSError)
    with decoding(f"{path}: the zip archive is damaged or not one", *errors), zipfile.ZipFile(path) as archive:
        members = archive.infolist()
        if len(set(archive.namelist())) < len(members):
            raise FileFormatError(f"{path}: an array is there twice")
        if sum(info.compress_size for info in members) > size:
            raise FileFormatError(f"{path}: arrays that share bytes")
        limit = left = max(256 << 20, 16 * size) if most_bytes is None else most_bytes
        arrays = {}
        for info in members:
            _check_member(path, info, size)
            if (left := left - info.file_size) < 0:
                raise FileFormatError(
                    f"{path}: the arrays of this file of {size} bytes take more than {limit}; "
                    "give read_npz a larger most_bytes if you trust it"
                )
            arrays[info.filename.removesuffix(".npy")] = _read(path, archive, info, lists)
        return arrays


def _where(path: Path, info: zipfile.ZipInfo) -> str:
    return f"{path}: array '{info.filename.removesuffix('.npy')}' at offset {info.header_offset}"


def _check_member(path: Path, info: zipfile.ZipInfo, size: int) -> None:
    where = _where(path, info)
    if not info.filename.endswith(".npy"):
        raise FileFormatError(f"{where}: expected only arrays (.npy) in an .npz archive")
    limits = {zipfile.ZIP_STORED: 1, zipfile.ZIP_DEFLATED: DEFLATE_LIMIT}
    if info.compress_type not in limits:
        raise FileFormatError(f"{where}: compression method {info.compress_type}, expected 0 (none) or 8 (deflate)")
    if info.file_size > min(info.compress_size, size) * limits[info.compress_type]:
        raise FileFormatError(f"{where}: declares {info.file_size} bytes, more than {size} bytes of file can hold")


def _read(path: Path, archive: zipfile.ZipFile, info: zipfile.ZipInfo, lists: bool) -> Any:
    where = _where(path, info)
    with archive.open(info) as file:
        start = file.read(8)
        wide = len(start) == 8 and start[6] in (2, 3)
        length = int.from_bytes(file.read(4 if wide else 2), "little")
        if start[:6] != _MAGIC or start[6] not in (1, 2, 3) or length > _LONGEST_HEADER:
            raise FileFormatError(f"{where}: not an array in .npy format (its first bytes are {start.hex(' ')})")
        header = file.read(length).decode("latin-1")
        if lists and _OBJECTS.fullmatch(header):
            return lists_of_numbers(file.read(), where)
        match = _HEADER.fullmatch(header)
        kind = match[1].lstrip("<>|=")[0] if match else "O"
        if match is None or kind not in _KINDS:
            raise FileFormatError(
                f"{where}: expected an array of numbers or text, got header {header.strip()[:200]!r} "
                f"(object arrays need pickle, which can run code, and are refused)"
            )
        try:
            dtype = np.dtype(match[1])
        except TypeError as error:
            raise FileFormatError(f"{where}: unknown dtype {match[1]!r}") from error
        shape = tuple(int(n) for n in re.findall(r"\d+", match[3]))
        begin = file.tell()
        if dtype.itemsize == 0 or len(shape) > 32 or math.prod(shape) * dtype.itemsize != info.file_size - begin:
            raise FileFormatError(
                f"{where}: header declares shape {shape} of {dtype}, but {info.file_size - begin} bytes follow it"
            )
        values = np.empty(info.file_size - begin, np.uint8)
        if file.readinto(values.data) < len(values):  # type: ignore[attr-defined]
            raise FileFormatError(f"{where}: cut short")
        file.read(1)  # to the end, where the CRC is checked
        values = values.view(dtype)
        if kind == "U" and values.view(dtype.str[0] + "u4").max(initial=0) > _LAST_CHARACTER:
            raise FileFormatError(f"{where}: text with characters that there are not")
        array = values.reshape(shape, order="F" if match[2] == "True" else "C")
    return array.astype(dtype.newbyteorder("="), copy=False)
