"""safetensors: arrays by name in one file, with a header that says where each of them lies.

    8 bytes        n, the header's size, little-endian
    n bytes        JSON: {"name": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}, ...}, spaces at its end
    the rest       the arrays, C order, little-endian; offsets count from here, and leave no byte out

The strict checks of the header, which are ours to answer for, are most of a reader; so this is one, without a package.
"""

from __future__ import annotations

import json
import math
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np

from ..lazy import public_only
from .files import FileFormatError, parse_json, replacing
from .hdf5 import bfloat16

__all__ = ["load_safetensors", "save_safetensors"]
public_only(__name__)

DTYPES = {
    "BOOL": "bool", "U8": "uint8", "I8": "int8", "U16": "uint16", "I16": "int16", "U32": "uint32", "I32": "int32",
    "U64": "uint64", "I64": "int64", "F16": "float16", "BF16": "bfloat16", "F32": "float32", "F64": "float64",
}  # fmt: skip
NAMES = {dtype: name for name, dtype in DTYPES.items()}
LONGEST_HEADER = 100_000_000  # bytes, as the format has it
ALIGNMENT = 8
METADATA = "__metadata__"


class Entry(NamedTuple):
    """Where an array lies in the file, and what it is."""

    dtype: str
    shape: tuple[int, ...]
    start: int
    end: int


def save_safetensors(
    tensors: Mapping[str, Any],
    filepath: str | os.PathLike[str],
    metadata: Mapping[str, str] | None = None,
    overwrite: bool = True,
) -> None:
    """Write arrays by name. The file is replaced whole or not at all.

    Args:
        tensors: arrays, Tensors or Variables of numbers or booleans.
        filepath: usually ends in ".safetensors".
        metadata: texts by name, kept in the header.
        overwrite: whether to replace what is there.

    >>> path = getfixture("tmp_path") / "a.safetensors"
    >>> save_safetensors({"w": np.eye(2, dtype="float32")}, path)
    >>> load_safetensors(path)["w"]
    array([[1., 0.],
           [0., 1.]], dtype=float32)
    """
    with replacing(filepath, overwrite) as file:
        write(tensors, file, metadata)


def load_safetensors(filepath: str | os.PathLike[str]) -> dict[str, np.ndarray]:
    """The arrays in the file at `filepath`, by name, in the order in which they lie there.

    Raises:
        FileFormatError: the file is not in the format: which array, and why.
    """
    with open(filepath, "rb") as file:
        entries, _, start = read_header(file, str(filepath))
        arrays = {}
        for name, entry in entries.items():
            file.seek(start + entry.start)
            dtype = bfloat16() if entry.dtype == "bfloat16" else np.dtype(entry.dtype)
            array = np.fromfile(file, dtype, math.prod(entry.shape)).reshape(entry.shape)
            if sys.byteorder == "big":
                array.byteswap(inplace=True)
            if entry.dtype == "bool" and array.view("uint8").max(initial=0) > 1:
                raise FileFormatError(f"{filepath}: {name}: a boolean that is neither 0 nor 1")
            arrays[name] = array
        return arrays


def write(tensors: Mapping[str, Any], file: BinaryIO, metadata: Mapping[str, str] | None = None) -> None:
    """Write arrays by name to an open file, those of wide dtypes first, so that all are aligned."""
    arrays = {name: np.asarray(tensor) for name, tensor in tensors.items()}
    for name, array in arrays.items():
        if not isinstance(name, str) or name == METADATA:
            raise ValueError(f"save_safetensors: an array cannot be named {name!r}")
        if array.dtype.name not in NAMES:
            raise ValueError(f"save_safetensors: {name}: the format has no dtype {array.dtype}")
    header: dict[str, Any] = {}
    if metadata:
        if not all(isinstance(text, str) for item in metadata.items() for text in item):
            raise ValueError("save_safetensors: metadata: expected texts by name")
        header[METADATA] = dict(metadata)
    order = sorted(arrays, key=lambda name: (-arrays[name].itemsize, name))
    end = 0
    for name in order:
        array, start = arrays[name], end
        end += array.nbytes
        header[name] = {"dtype": NAMES[array.dtype.name], "shape": list(array.shape), "data_offsets": [start, end]}
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % ALIGNMENT)
    file.write(len(text).to_bytes(8, "little") + text)
    for name in order:
        array = arrays[name]
        file.write(array.astype(array.dtype.newbyteorder("<"), order="C", copy=False).tobytes())


def read_header(file: BinaryIO, where: str) -> tuple[dict[str, Entry], dict[str, str], int]:
    """(where each array lies, in order; metadata; where the arrays begin) in an open file, all of it checked."""
    there = os.fstat(file.fileno()).st_size
    if there < 8:
        raise FileFormatError(f"{where}: not a safetensors file: it has {there} bytes")
    size = int.from_bytes(file.read(8), "little")
    if size > min(LONGEST_HEADER, there - 8):
        raise FileFormatError(f"{where}: header: says {size} bytes, the file has {there - 8}")
    text = file.read(size)
    if not text.startswith(b"{"):
        raise FileFormatError(f"{where}: header: expected it to start with {{, got {text[:1]!r}")
    try:
        header = parse_json(text.rstrip(b" "))
    except ValueError as error:
        raise FileFormatError(f"{where}: header: {error}") from error
    metadata = header.pop(METADATA, {})
    if not isinstance(metadata, dict) or not all(isinstance(value, str) for value in metadata.values()):
        raise FileFormatError(f"{where}: {METADATA}: expected texts by name")
    entries = {name: _entry(value, f"{where}: {name}") for name, value in header.items()}
    entries = dict(sorted(entries.items(), key=lambda item: item[1][2:]))
    end = 0
    for name, entry in entries.items():
        if entry.start != end:
            what = "overlaps the one before" if entry.start < end else "leaves bytes before it out"
            raise FileFormatError(f"{where}: {name}: data_offsets [{entry.start}, {entry.end}]: {what}, {end} expected")
        end = entry.end
    if 8 + size + end != there:
        raise FileFormatError(f"{where}: the arrays take {end} bytes, the file has {there - 8 - size}")
    return entries, metadata, 8 + size


def _entry(value: Any, where: str) -> Entry:
    if not isinstance(value, dict) or set(value) != {"dtype", "shape", "data_offsets"}:
        raise FileFormatError(f"{where}: expected dtype, shape and data_offsets, got {_short(value)}")
    dtype, shape, offsets = value["dtype"], value["shape"], value["data_offsets"]
    if not isinstance(dtype, str) or dtype not in DTYPES:
        raise FileFormatError(f"{where}: dtype: got {_short(dtype)}, expected one of {', '.join(DTYPES)}")
    if not _are_sizes(shape) or len(shape) > 64 or math.prod(max(n, 1) for n in shape) >= 2**60:
        raise FileFormatError(
            f"{where}: shape: got {_short(shape)}, expected at most 64 whole numbers >= 0 that an array can have"
        )
    if not _are_sizes(offsets) or len(offsets) != 2:
        raise FileFormatError(f"{where}: data_offsets: got {_short(offsets)}, expected two whole numbers >= 0")
    width = 2 if dtype == "BF16" else np.dtype(DTYPES[dtype]).itemsize
    if offsets[1] - offsets[0] != width * math.prod(shape):
        raise FileFormatError(
            f"{where}: {dtype} {shape} takes {width * math.prod(shape)} bytes, data_offsets {offsets} say otherwise"
        )
    return Entry(DTYPES[dtype], tuple(shape), *offsets)


def _are_sizes(value: Any) -> bool:
    return isinstance(value, list) and all(type(n) is int and 0 <= n < 2**63 for n in value)


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) < 60 else f"{text[:57]}..."


def header_of(path: Path) -> tuple[dict[str, Entry], dict[str, str]]:
    """(where each array lies, metadata) of a file."""
    with open(path, "rb") as file:
        return read_header(file, str(path))[:2]
