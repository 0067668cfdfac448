"""TFRecord files: one record of bytes after the other, each with its length and checksums.

A record is its length (8 bytes, little-endian), the masked CRC-32C of these, its bytes, and theirs.
"""

import gzip
import os
import struct
import zlib
from collections.abc import Iterator
from functools import cache
from typing import Any

import numpy as np

from ..lazy import public_only
from ..naming import one_of
from .compressed import opened
from .format_error import FileFormatError

__all__ = ["RecordWriter", "crc32c", "read_records"]
public_only(__name__)

_BLOCK = 1024  # bytes that the checksum takes at once
_PIECE = 1 << 20  # what a file is trusted to hold before it is read
_MOST_BYTES = 256 << 20  # of a record in a compressed file
_POLYNOMIAL = 0x82F63B78  # Castagnoli's, bits reversed


@cache
def _tables() -> np.ndarray:
    """[k, b]: what a byte b does to the checksum when k bytes follow it."""
    first = np.arange(256, dtype="uint32")
    for _ in range(8):
        first = (first >> 1) ^ (np.uint32(_POLYNOMIAL) * (first & 1))
    tables = np.empty((_BLOCK, 256), "uint32")
    tables[0] = first
    for k in range(1, _BLOCK):
        tables[k] = (tables[k - 1] >> 8) ^ first[tables[k - 1] & 255]
    return tables


def crc32c(data: bytes) -> int:
    """The CRC-32C of bytes (RFC 3720): the remainder after division by Castagnoli's polynomial

    >>> hex(crc32c(b"123456789"))
    '0xe3069283'
    """
    tables, state = _tables(), 0xFFFFFFFF
    values = np.frombuffer(data, "uint8")
    for start in range(0, len(values), _BLOCK):
        block = values[start : start + _BLOCK].astype("uint32")
        n = len(block)
        head = np.frombuffer(struct.pack("<I", state), "uint8")[:n]
        block[: len(head)] ^= head
        rest = state >> 8 * len(head)  # of a state that is longer than the block
        state = int(np.bitwise_xor.reduce(tables[np.arange(n - 1, -1, -1), block])) ^ rest
    return state ^ 0xFFFFFFFF


def masked(data: bytes) -> bytes:
    """The checksum as files hold it: turned by 15 bits, and more by a constant."""
    crc = crc32c(data)
    return struct.pack("<I", ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF)


def read_records(path: str | os.PathLike[str], compression_type: str | None = None) -> Iterator[bytes]:
    """The records of the file at `path`, whose checksums are verified

    compression_type: None or "", "GZIP" or "ZLIB". Raises `FileFormatError` for a file that is cut short or damaged:
    which record, where, and why; of a compressed file also for a record of more than 256 MiB that is more than 16 times
    the file.
    """
    size = os.stat(path).st_size
    most = max(_MOST_BYTES, 16 * size) if compression_type else None
    place = number = 0
    with opened(path, compression_type) as file:
        while head := _taken(file, 12):
            where = f"{path}: record {number}"
            if len(head) < 12 or masked(head[:8]) != head[8:]:
                raise FileFormatError(
                    f"{where}: its length at offset {place} is damaged; or the file is none of TFRecords, or is packed"
                )
            (length,) = struct.unpack("<Q", head[:8])
            if most is not None and length > most:
                raise FileFormatError(f"{where}: {length} bytes at offset {place}, more than {most}")
            data = _taken(file, length)
            if len(data) < length or masked(data) != file.read(4):
                raise FileFormatError(
                    f"{where}: cut short, or its checksum is another one: {len(data)} of {length} bytes from offset "
                    f"{place + 12} on"
                )
            yield data
            place, number = place + 16 + length, number + 1


def _taken(file: Any, count: int) -> bytes:
    """The next bytes of a file, fewer where it ends; no more memory is taken than it has."""
    pieces = []
    while count and (piece := file.read(min(count, _PIECE))):
        pieces.append(piece)
        count -= len(piece)
    return b"".join(pieces)


class RecordWriter:
    """Writes records into a file, in a `with` block or until `close`.

    Args:
        path: the file; one that is there is replaced.
        options: None, "GZIP" or "ZLIB" for a packed file, or an object that has it as `compression_type`.

    >>> path = getfixture("tmp_path") / "a.tfrecord"
    >>> with RecordWriter(path) as writer:
    ...     writer.write(b"one")
    >>> list(read_records(path))
    [b'one']
    """

    def __init__(self, path: str | os.PathLike[str], options: Any = None) -> None:
        kind = one_of("options", getattr(options, "compression_type", options) or "", "", "GZIP", "ZLIB")
        self._zlib = zlib.compressobj() if kind == "ZLIB" else None
        self._file: Any = gzip.open(path, "wb") if kind == "GZIP" else open(path, "wb")  # noqa: SIM115

    def write(self, record: bytes) -> None:
        """Append a record."""
        length = struct.pack("<Q", len(record))
        data = length + masked(length) + record + masked(record)
        self._file.write(data if self._zlib is None else self._zlib.compress(data))

    def flush(self) -> None:
        """Hand what was written to the system."""
        self._file.flush()

    def close(self) -> None:
        """Write what is left and close the file."""
        if self._zlib is not None and not self._file.closed:
            self._file.write(self._zlib.flush())
        self._file.close()

    def __enter__(self) -> "RecordWriter":
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()
