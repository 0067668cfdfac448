"""Links of a group that has a name beyond ASCII: HDF5 writes them in a newer layout than those of other groups.

    up to 8     messages in the header of the group
    more        the same messages in a heap of blocks, found by an index of the names' hashes

Source: HDF5 File Format Specification, version 3.0: IV.A.2.c, IV.A.2.g, III.A.2, III.G.
"""

from __future__ import annotations

import bisect
import struct
from collections.abc import Iterator, Sequence

from .files import FileFormatError
from .hdf5_objects import UNDEFINED, Bytes

MANAGED, LEAST = 0, 12  # the only kind of entry in the heap that links are; and the bytes of the shortest one
WIDTH, SMALLEST, LARGEST = 4, 512, 65536  # of the blocks that HDF5 makes for links: in a row, bytes


def links(file: Bytes, info: bytes, messages: Sequence[bytes]) -> Iterator[tuple[str, int]]:
    """The name and the address of the header of each object of a group.

    Args:
        file: where they are.
        info: the message about the links.
        messages: the links in the header of the group itself.
    """
    version, flags, heap, index = struct.unpack_from("<BBQQ", info)
    if version != 0 or flags:
        raise FileFormatError("a group in a newer layout than Keras writes: write it again without track_order")
    yield from map(_link, messages)
    if heap != UNDEFINED:
        stored = _Heap(file, heap)
        for entry in _index(file, index):
            yield _link(stored.entry(entry))


def _link(body: bytes) -> tuple[str, int]:
    version, flags = body[:2]
    place = 2
    if flags & 8:
        if body[place] != 0:
            raise FileFormatError("a link to another place, which is never followed")
        place += 1
    place += 8 * bool(flags & 4) + bool(flags & 16)  # the order of creation, the encoding
    width = 1 << (flags & 3)
    start = place + width
    end = start + int.from_bytes(body[place:start], "little")
    target = body[end : end + 8]
    if version != 1 or flags & 0xE0 or len(target) != 8:
        raise FileFormatError("damaged: a link")
    return body[start:end].decode(), int.from_bytes(target, "little")


class _Heap:
    """Bytes in blocks, in rows of 4, which are twice as large in each row from the third on."""

    def __init__(self, file: Bytes, address: int) -> None:
        head = file.take(address, 146)
        signature, version, entry, filters = struct.unpack_from("<4sBHH", head)
        *form, bits, _, root, rows = struct.unpack_from("<HQQHHQH", head, 110)
        known = signature == b"FRHP" and (version, entry, filters, bits) == (0, 7, 0, 32)
        if not known or form != [WIDTH, SMALLEST, LARGEST]:
            raise FileFormatError("damaged: a heap of links")
        places, sizes = [root], [SMALLEST]
        if rows:
            sizes = [SMALLEST << max(row - 1, 0) for row in range(min(rows, 10)) for _ in range(WIDTH)]
            if sizes[-1] > LARGEST:
                raise FileFormatError("a group with too many names")
            table = file.take(root, 21 + 8 * len(sizes))
            if table[:5] != b"FHIB\0":
                raise FileFormatError("damaged: the blocks of a heap")
            places = list(struct.unpack_from(f"<{len(sizes)}Q", table, 17))
        self.starts, self.blocks, self.left = list[int](), list[bytes](), file.size
        start = 0
        for place, size in zip(places, sizes):
            self.starts.append(start)
            self.blocks.append(b"" if place == UNDEFINED else file.take(place, size))
            if place != UNDEFINED and self.blocks[-1][:5] != b"FHDB\0":
                raise FileFormatError("damaged: a block of a heap")
            start += size

    def entry(self, number: bytes) -> bytes:
        """What an entry of the index stands for."""
        kind, offset, length = struct.unpack("<BIH", number)
        self.left -= length
        if kind != MANAGED or length < LEAST or self.left < 0:
            raise FileFormatError("damaged: an entry of a heap")
        block = bisect.bisect_right(self.starts, offset) - 1
        place = offset - self.starts[block]
        return self.blocks[block][place : place + length]


def _index(file: Bytes, address: int) -> Iterator[bytes]:
    """The entries of the B-tree of names, which has one node, or one and those below it."""
    head = struct.unpack_from("<4sBBIHHxxQHQ", file.take(address, 38))
    signature, version, kind, size, record, depth, root, count, total = head
    if (signature, version, kind, record) != (b"BTHD", 0, 5, 11) or depth > 1 or not 32 <= size <= 4096:
        raise FileFormatError("damaged: an index of names, or one of too many")
    width = (((size - 10) // record).bit_length() + 7) // 8
    nodes, found = [(root, count, depth)], 0
    while nodes:
        place, count, depth = nodes.pop()
        data, end = file.take(place, size), 6 + record * count
        if data[:6] != (b"BTIN\0\5" if depth else b"BTLF\0\5") or end > size:
            raise FileFormatError("damaged: a node of an index of names")
        for start in range(6, end, record):
            yield data[start + 4 : start + record]
        found += count
        for start in range(end, end + (8 + width) * (count + 1) if depth else end, 8 + width):
            below = data[start : start + 8 + width]
            nodes.append((int.from_bytes(below[:8], "little"), int.from_bytes(below[8:], "little"), 0))
    if found != total:
        raise FileFormatError(f"damaged: an index of {total} names, {found} are there")
