"""A reader of HDF5 for what Keras writes, in Python: nothing in a file can lead it out of the file or astray in memory.

The layout that HDF5 libraries write unless told otherwise, and h5py for Keras, and no other:

    superblock         version 0: where the root group lies
    object header      version 1: a list of messages: dataspace (shape), datatype, layout, filters, attributes
    group              a B-tree of symbol tables (name -> object header), names in a local heap; or, where a name is not
                       ASCII, what `hdf5_links` reads
    dataset            bytes in one piece, inside the header, or in chunks by a B-tree, perhaps deflated and shuffled
    strings            of fixed length, or in global heaps

All structures are visited when the file is opened. No two may share a byte, so the work is linear in the file's size;
what a dataset says of its size is checked against its bytes before memory is reserved.

Source: HDF5 File Format Specification, version 3.0.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator
from typing import BinaryIO

from .files import FileFormatError, room
from .hdf5_links import links
from .hdf5_objects import DEFLATE, SHUFFLE, UNDEFINED, Attribute, Bytes, Dataset, Group, Type

SIGNATURE = b"\x89HDF\r\n\x1a\n"
DEEPEST = 64  # groups in groups
OBJECT, ATTRIBUTES, CHUNK, MOST = 8, 4, 1, 400_000  # how much they count, and may in all: some 130 bytes are 1
DATASPACE, LINK_INFO, DATATYPE, LINK, EXTERNAL, LAYOUT, FILTERS, ATTRIBUTE = 1, 2, 3, 6, 7, 8, 11, 12
CONTINUATION, SYMBOLS = 16, 17
INERT = {0, 4, 5, 10, 13, 14, 18, 22}  # nothing, fill values, group's sizes, comment, times, reference count
KNOWN = INERT | {DATASPACE, LINK_INFO, DATATYPE, LINK, LAYOUT, FILTERS, ATTRIBUTE, SYMBOLS}


def read(file: BinaryIO, where: str) -> Group:
    """The root group of an open file, all of whose structure has been checked.

    Args:
        file: stays open as long as arrays are read.
        where: the file's name, for errors.

    Raises:
        FileFormatError: the file is damaged, or has what Keras never writes: the object, and what is wrong with it.
    """
    source = _File(file)
    try:
        return source.root()
    except FileFormatError as error:
        raise FileFormatError(f"{where}: {source.path}{error}") from None
    except (struct.error, IndexError, ValueError) as error:
        raise FileFormatError(f"{where}: {source.path}damaged ({error})") from error


class _File(Bytes):
    """A file whose objects are visited, and checked, one after the other."""

    def __init__(self, file: BinaryIO) -> None:
        super().__init__(file)
        self.room = room(self.size)
        self.path = ""  # of the object that is being read, for errors
        self.parts = 0

    def count(self, parts: int) -> None:
        """Note that objects, attributes or chunks are kept."""
        self.parts += parts
        if self.parts > MOST:
            raise FileFormatError("too many objects, attributes and chunks")

    # Groups

    def root(self) -> Group:
        head = self.take(0, 96) if self.size >= 96 else b""
        if head[:8] != SIGNATURE:
            raise FileFormatError("not an HDF5 file, or a damaged one")
        if head[8] != 0:
            raise FileFormatError(f"superblock version {head[8]}, expected 0: write it again without libver='latest'")
        base, _, end, driver = struct.unpack_from("<4Q", head, 24)
        if head[9:11] != b"\0\0" or head[12:15] != b"\0\x08\x08" or base != 0 or driver != UNDEFINED:
            raise FileFormatError("damaged, or a kind of HDF5 file that Keras never writes")
        if end > self.size:
            raise FileFormatError(f"damaged: {self.size} bytes, expected {end}")
        root = self._object("/", struct.unpack_from("<Q", head, 64)[0])
        if not isinstance(root, Group):
            raise FileFormatError("damaged: its root is no group")
        self.check()
        self.path = ""
        return root

    def _object(self, name: str, address: int) -> Group | Dataset:
        """The object whose header is at `address`, with all that is in it."""
        waiting: list[tuple[str, int, Group | None]] = [(name, address, None)]
        first = None
        while waiting:
            path, address, parent = waiting.pop()
            self.path = f"{path.strip('/')}: ".removeprefix(": ")
            messages = self._messages(address)
            attrs = dict(self._attribute(body) for kind, body in messages if kind == ATTRIBUTE)
            self.count(OBJECT + ATTRIBUTES * len(attrs))
            item: Group | Dataset
            if any(kind in (SYMBOLS, LINK_INFO) for kind, _ in messages):
                item = Group(path, attrs, self.size)
                if path.count("/") > DEEPEST:
                    raise FileFormatError("groups are nested too deeply")
                ((kind, body),) = (message for message in messages if message[0] in (SYMBOLS, LINK_INFO))
                targets = dict[str, int]()
                for name, target in self._links(kind, body, messages):
                    if not name or name in targets or "/" in name or name in (".", ".."):
                        raise FileFormatError(f"damaged: the name {name!r}")
                    targets[name] = target
                waiting += [(f"{path.rstrip('/')}/{name}", target, item) for name, target in reversed(targets.items())]
            else:
                item = self._dataset(path, messages)
                item.attrs = attrs
            if parent is None:
                first = item
            else:
                parent.children[path.rpartition("/")[2]] = item
        assert first is not None
        return first

    def _links(self, kind: int, body: bytes, messages: list[tuple[int, bytes]]) -> Iterator[tuple[str, int]]:
        """The name and the address of the header of each object of a group."""
        if kind == LINK_INFO:
            yield from links(self, body, [message for kind, message in messages if kind == LINK])
            return
        tree, heap = struct.unpack_from("<QQ", body)
        signature, version, size, _, segment = struct.unpack("<4sB3xQQQ", self.take(heap, 32))
        if signature != b"HEAP" or version != 0:
            raise FileFormatError("damaged: the names are not there")
        names = self.take(segment, size)
        taken = 0
        for _, table in self._leaves(tree, 0, 8):
            head = struct.unpack("<4sBxH", self.at(table, 8))
            if head[:2] != (b"SNOD", 1):
                raise FileFormatError("damaged: a table of names is not there")
            entries = self.take(table, 8 + 40 * head[2])
            for place in range(8, len(entries), 40):
                offset, target, cached = struct.unpack_from("<QQI", entries, place)
                end = names.find(b"\0", offset)
                name = names[offset:end].decode() if 0 <= offset < end else ""
                if cached == 2:
                    raise FileFormatError(f"{name}: a link to another place, which is never followed")
                yield name, target
                taken += len(name)
        if taken > size:
            raise FileFormatError("damaged: names that share bytes")

    def _leaves(self, root: int, kind: int, key: int) -> Iterator[tuple[bytes, int]]:
        """(key, address) of all that a B-tree leads to, in order. kind: 0 groups, 1 chunks; key: bytes of a key."""
        waiting: list[tuple[int, int | None]] = [(root, None)]
        while waiting:
            address, expected = waiting.pop()
            signature, node, level, count = struct.unpack("<4sBBH16x", self.at(address, 24))
            if signature != b"TREE" or node != kind or (expected is not None and level != expected):
                raise FileFormatError("damaged: a node of a B-tree is not there")
            data = self.take(address, 24 + count * (key + 8) + key)
            entries = []
            for place in range(24, 24 + count * (key + 8), key + 8):
                entries.append((data[place : place + key], *struct.unpack_from("<Q", data, place + key)))
            if level == 0:
                yield from entries
            else:
                waiting += [(child, level - 1) for _, child in reversed(entries)]

    # Objects

    def _messages(self, address: int) -> list[tuple[int, bytes]]:
        """(type, content) of each message in the object header."""
        head = self.at(address, 16)
        if head[:4] == b"OHDR":
            raise FileFormatError("object header version 2, expected 1: write it again without track_order or libver")
        version, count, size = struct.unpack("<BxH4xI4x", head)
        if version != 1:
            raise FileFormatError(f"damaged: no object at {address}")
        self.claim(address, 16)
        blocks, messages = [(address + 16, size)], list[tuple[int, bytes]]()
        while blocks:
            data, place = self.take(*blocks.pop(0)), 0
            while place + 8 <= len(data) and len(messages) < count:
                kind, length, flags = struct.unpack_from("<HHB", data, place)
                body = data[place + 8 : place + 8 + length]
                place += 8 + length
                if len(body) < length:
                    raise FileFormatError(f"damaged: a message of {length} bytes, {len(body)} are there")
                if flags & 2:
                    raise FileFormatError("a datatype that is shared, which Keras never writes")
                if kind == CONTINUATION:
                    blocks.append(struct.unpack_from("<QQ", body))
                elif kind == EXTERNAL:
                    raise FileFormatError("its values are in another file, which is never opened")
                elif kind not in KNOWN:
                    raise FileFormatError(f"a message of type {kind}, which Keras never writes")
                messages.append((kind, body))
        if len(messages) < count:
            raise FileFormatError(f"damaged: {count} messages, {len(messages)} are there")
        return messages

    def _attribute(self, body: bytes) -> tuple[str, Attribute]:
        version, flags, *sizes = struct.unpack_from("<BB3H", body)
        if version not in (1, 2, 3) or (version > 1 and flags):
            raise FileFormatError("damaged: an attribute")
        place, parts = 9 if version == 3 else 8, []
        for size in sizes:
            parts.append(body[place : place + size])
            place += (size + 7) // 8 * 8 if version == 1 else size
        name, datatype, dataspace = parts
        return name.rstrip(b"\0").decode(), Attribute(_type(datatype), _shape(dataspace), body[place:], self)

    def _dataset(self, path: str, messages: list[tuple[int, bytes]]) -> Dataset:
        bodies = dict(messages)
        if not {DATASPACE, DATATYPE, LAYOUT} <= bodies.keys():
            raise FileFormatError("neither a group nor a dataset")
        datatype, shape, layout = _type(bodies[DATATYPE]), _shape(bodies[DATASPACE]), bodies[LAYOUT]
        if shape is None:
            raise FileFormatError("a dataset without a shape")
        filters = _filters(bodies.get(FILTERS, b"\1\0"))
        if set(filters) - {DEFLATE, SHUFFLE} or len(set(filters)) < len(filters):
            raise FileFormatError("compressed in a way that is not known here")
        needed = math.prod(shape) * datatype.size
        dataset = Dataset(path, shape, datatype, {}, None, None, filters, self)
        version, kind = layout[0], layout[1]
        there = 0
        if version == 4 and kind == 3:
            raise FileFormatError("its values are in another file, which is never opened")
        if version != 3:
            raise FileFormatError(f"a layout of version {version}, expected 3")
        if kind == 0:
            (there,) = struct.unpack_from("<H", layout, 2)
            dataset.inline = layout[4 : 4 + there]
            there = len(dataset.inline)
        elif kind == 1:
            address, size = struct.unpack_from("<QQ", layout, 2)
            if address != UNDEFINED and size:
                dataset.pieces[()] = (address, size)
                there = min(size, max(self.size - address, 0))
                self.claim(address, there)
        elif kind == 2:
            rank, tree = struct.unpack_from("<BQ", layout, 2)
            *chunk, size = struct.unpack_from(f"<{rank}I", layout, 11)
            dataset.chunk = tuple(chunk)
            if len(chunk) != len(shape) or size != datatype.size or 0 in chunk:
                raise FileFormatError(f"damaged: chunks of shape {dataset.chunk} in an array of shape {shape}")
            there = self._chunks(dataset, tree, needed)
        else:
            raise FileFormatError(f"a layout of class {kind}, which Keras never writes")
        if there != needed:
            raise FileFormatError(f"shape {shape} says {needed} bytes, the file has {there}")
        return dataset

    def _chunks(self, dataset: Dataset, tree: int, needed: int) -> int:
        """Note where the chunks lie; returns the bytes of the array that they hold."""
        assert dataset.chunk is not None
        rank, size = len(dataset.shape), math.prod(dataset.chunk) * dataset.type.size
        there = 0
        for key, address in self._leaves(tree, 1, 8 + 8 * (rank + 1)) if tree != UNDEFINED else ():
            stored, mask, *place = struct.unpack(f"<II{rank + 1}Q", key)
            corner = tuple(place[:-1])
            outside = any(i >= n or i % step for i, n, step in zip(corner, dataset.shape, dataset.chunk))
            if mask or outside or corner in dataset.pieces or (not dataset.filters and stored != size):
                raise FileFormatError(f"damaged: the chunk at {corner}")
            self.claim(address, stored)
            self.count(CHUNK)
            if dataset.filters:
                self.room -= size
                if self.room < 0:
                    raise FileFormatError("it takes far more memory than the file has bytes; write it uncompressed")
            dataset.pieces[corner] = (address, stored)
            inside = (min(step, n - i) for i, n, step in zip(corner, dataset.shape, dataset.chunk))
            there += math.prod(inside) * dataset.type.size
        return there


def _type(body: bytes) -> Type:
    return Type(body[0] & 15, struct.unpack_from("<I", body, 4)[0], body)


def _shape(body: bytes) -> tuple[int, ...] | None:
    """The shape in a dataspace message; None for one that has nothing, not even a scalar."""
    version, rank, _, kind = struct.unpack_from("<BBBB", body)
    if version not in (1, 2) or rank > 32:
        raise FileFormatError("damaged: a shape")
    if version == 2 and kind == 2:
        return None
    return struct.unpack_from(f"<{rank}Q", body, 8 if version == 1 else 4)


def _filters(body: bytes) -> list[int]:
    """The filters that chunks went through, in order."""
    version, count = body[0], body[1]
    place, filters = 8, []
    for _ in range(count):
        name, length, _, values = struct.unpack_from("<4H", body, place)
        if version != 1:
            raise FileFormatError("compressed in a way that is not known here")
        place += 8 + length + 4 * (values + values % 2)
        filters.append(name)
    return filters
