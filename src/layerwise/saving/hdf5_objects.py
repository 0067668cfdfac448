"""What is in an HDF5 file: bytes, each of which belongs to one structure, and groups, arrays and attributes in them."""

from __future__ import annotations

import contextlib
import io
import itertools
import math
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

import numpy as np

from .files import FileFormatError

DEFLATE, SHUFFLE = 1, 2
UNDEFINED = 2**64 - 1  # the address of what is not there
FLOATS = {  # bytes: (sign, offset, precision, exponent's place and size, mantissa's place and size, bias)
    2: (15, 0, 16, 10, 5, 0, 10, 15),
    4: (31, 0, 32, 23, 8, 0, 23, 127),
    8: (63, 0, 64, 52, 11, 0, 52, 1023),
}
BOOLEAN = b"FALSE\0\0\0TRUE\0\0\0\0\0\1"  # the members of the enumeration that h5py has for NumPy's bool


class Bytes:
    """The bytes of a file, each of which belongs to one structure."""

    def __init__(self, file: BinaryIO) -> None:
        self.file = file
        self.size = file.seek(0, io.SEEK_END)
        self.claims: list[tuple[int, int]] = []
        self.claimed = 0
        self.heaps: dict[int, dict[int, bytes]] = {}
        self.strings = 0

    def at(self, address: int, size: int) -> bytes:
        """The bytes there."""
        if address + size > self.size:
            raise FileFormatError(f"damaged: {size} bytes at {address}, the file has {self.size}")
        self.file.seek(address)
        return self.file.read(size)

    def claim(self, address: int, size: int) -> None:
        """Note that a structure lies there, and no other."""
        self.claims.append((address, size))
        self.claimed += size
        if self.claimed > self.size:
            raise FileFormatError("an object with two names, or structures that share bytes")

    def take(self, address: int, size: int) -> bytes:
        """The bytes of a structure."""
        self.claim(address, size)
        return self.at(address, size)

    def string(self, length: int, address: int, index: int) -> bytes:
        """A string of any length, from the global heap at `address`."""
        if length == 0:
            return b""
        if address not in self.heaps:
            self.heaps[address] = dict(self._heap(address))
        text = self.heaps[address].get(index, b"")
        self.strings += length
        if len(text) < length or self.strings > self.size:
            raise FileFormatError(f"damaged: a string of {length} bytes is not there")
        return text[:length].rstrip(b"\0")

    def _heap(self, address: int) -> Iterator[tuple[int, bytes]]:
        signature, version, size = struct.unpack("<4sB3xQ", self.at(address, 16))
        if signature != b"GCOL" or version != 1:
            raise FileFormatError(f"damaged: no strings at {address}")
        data = self.take(address, size)
        self.check()
        place = 16
        while place + 16 <= size:
            index, length = struct.unpack_from("<H6xQ", data, place)
            if index == 0:
                return
            if place + 16 + length > size:
                raise FileFormatError(f"damaged: a string of {length} bytes in a heap of {size}")
            yield index, data[place + 16 : place + 16 + length]
            place += 16 + (length + 7) // 8 * 8

    def check(self) -> None:
        """No two structures share a byte."""
        self.claims.sort()
        for (start, size), (following, _) in itertools.pairwise(self.claims):
            if start + size > following:
                raise FileFormatError(f"an object with two names, or structures that share the byte at {following}")


@dataclass
class Type:
    """A datatype message: its class, the bytes of an element, and the message itself."""

    kind: int
    size: int
    body: bytes

    @property
    def dtype(self) -> np.dtype | None:
        """NumPy's dtype; None for what is neither a number nor two raw bytes (which is how bfloat16 is stored)."""
        bits, details = int.from_bytes(self.body[1:4], "little"), self.body[8:]
        order = ">" if bits & 1 else "<"
        if self.kind == 0 and self.size in (1, 2, 4, 8) and details[:4] == struct.pack("<HH", 0, 8 * self.size):
            return np.dtype(f"{order}{'i' if bits & 8 else 'u'}{self.size}")
        if self.kind == 1 and (bits >> 8 & 0xFF, *struct.unpack("<HHBBBBI", details[:12])) == FLOATS.get(self.size):
            return np.dtype(f"{order}f{self.size}")
        if self.kind == 5 and self.size == 2:
            return np.dtype("V2")
        if self.kind == 8 and self.size == 1 and bits == 2 and details[12:30] == BOOLEAN:
            return np.dtype(bool)
        return None


@dataclass
class Attribute:
    """An attribute, its strings not yet looked up."""

    type: Type
    shape: tuple[int, ...] | None
    data: bytes
    file: Bytes

    @property
    def texts(self) -> list[str] | None:
        """The strings, in order; None if it holds something else."""
        count = 0 if self.shape is None else math.prod(self.shape)
        kind, size, body = self.type.kind, self.type.size, self.type.body
        if count == 0:
            return []
        if kind not in (3, 9) or (kind == 9 and body[1] & 15 != 1):
            return None
        if size == 0 or count * size > len(self.data):
            raise FileFormatError(f"says {count * size} bytes, {len(self.data)} are there")
        items = [self.data[i * size : (i + 1) * size] for i in range(count)]
        if kind == 9:
            return [self.file.string(*struct.unpack("<IQI", item)).decode() for item in items]
        return [item.rstrip(b" " if body[1] & 15 == 2 else b"\0").decode() for item in items]


@dataclass
class Dataset:
    """An array in a file, read when it is asked for."""

    name: str
    shape: tuple[int, ...]
    type: Type
    pieces: dict[tuple[int, ...], tuple[int, int]]  # place in the array: (address, size)
    inline: bytes | None
    chunk: tuple[int, ...] | None
    filters: list[int]
    file: Bytes
    attrs: dict[str, Attribute] = field(default_factory=dict)

    @property
    def dtype(self) -> np.dtype:
        dtype = self.type.dtype
        if dtype is None:
            kind, size = self.type.kind, self.type.size
            raise FileFormatError(f"expected numbers, got HDF5's class {kind} of {size} bytes")
        return dtype

    def read(self) -> np.ndarray:
        """The values, in native byte order."""
        dtype = self.dtype
        if self.chunk is None:
            data = self.inline
            if data is None:
                data = b"".join(self.file.at(*piece) for piece in self.pieces.values())
            array = np.frombuffer(data, dtype).reshape(self.shape)
        else:
            array = np.empty(self.shape, dtype)
            for place, (address, size) in self.pieces.items():
                part = self._chunk(self.file.at(address, size)).reshape(self.chunk)
                window = tuple(slice(start, start + n) for start, n in zip(place, self.chunk))
                target = array[window]
                target[...] = part[tuple(slice(n) for n in target.shape)]
        if dtype.kind == "b" and array.view("uint8").max(initial=0) > 1:
            raise FileFormatError("a boolean that is neither 0 nor 1")
        return array if dtype.kind == "V" else array.astype(dtype.newbyteorder("="), copy=False)

    def _chunk(self, data: bytes) -> np.ndarray:
        assert self.chunk is not None
        size = math.prod(self.chunk) * self.type.size
        for name in reversed(self.filters):
            if name == DEFLATE:
                stream = zlib.decompressobj()
                try:
                    data = stream.decompress(data, size + 1)
                except zlib.error as error:
                    raise FileFormatError(f"damaged ({error})") from None
                if not stream.eof or stream.unused_data:
                    raise FileFormatError("a chunk of another size than it should have")
            elif len(data) == size:
                data = np.frombuffer(data, "u1").reshape(self.type.size, -1).T.tobytes()
        if len(data) != size:
            raise FileFormatError(f"a chunk of {len(data)} bytes, expected {size}")
        return np.frombuffer(data, self.dtype)


class Group:
    """Datasets and groups by name; a name may be a path. `size` is the file's."""

    def __init__(self, name: str, attrs: dict[str, Attribute], size: int) -> None:
        self.name, self.attrs, self.size = name, attrs, size
        self.children: dict[str, Group | Dataset] = {}

    def __iter__(self) -> Iterator[str]:
        return iter(self.children)

    def __len__(self) -> int:
        return len(self.children)

    def get(self, path: str) -> Group | Dataset | None:
        """What lies there, or None."""
        item: Group | Dataset | None = self
        for name in path.strip("/").split("/"):
            item = item.children.get(name) if isinstance(item, Group) else None
        return item

    def __contains__(self, path: str) -> bool:
        return self.get(path) is not None

    def __getitem__(self, path: str) -> Group | Dataset:
        item = self.get(path)
        if item is None:
            raise FileFormatError(f"{path!r}: it is not there")
        return item


@contextlib.contextmanager
def naming_object(name: str) -> Iterator[None]:
    """Errors say which object they are about."""
    try:
        yield
    except FileFormatError as error:
        raise FileFormatError(f"{name}: {error}") from None
    except (struct.error, ValueError) as error:
        raise FileFormatError(f"{name}: damaged ({error})") from error
