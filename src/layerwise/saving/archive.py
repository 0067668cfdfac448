"""Zip archives, checked: members one after another from the first byte to the last, each of which is what it says.

A zip archive is read from its end: a directory there says where each member begins, and each member says again what it
is. Readers that disagree on which of the two to believe see different files; so the two must agree here, and leave no
byte of the file out. Python's `zipfile` reads the directory and checks the CRCs.
"""

import contextlib
import io
import stat
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO, cast

from .files import FileFormatError, room

LOCAL, DIRECTORY_ENTRY, END, END_64 = 30, 46, 22, 56 + 20  # bytes, without names
UTF8_NAMES = 0x800
LARGE = 0xFFFFFFFF  # stands where a size of 64 bits follows

PIECE = 1 << 20  # bytes read at once
LARGEST_DIRECTORY = 1 << 20  # bytes; members take ten times as much here


@dataclass
class Reader:
    """The members of an archive or folder: their names, and each of them open."""

    names: Sequence[str]
    open: Callable[[str], BinaryIO]

    def __call__(self, name: str) -> BinaryIO:
        return self.open(name)


@contextlib.contextmanager
def opening(path: Path, names: tuple[str, ...], folder: str) -> Iterator[Reader]:
    """The members of a zip archive that has these, perhaps others in the folder, and nothing else.

    Raises:
        FileFormatError: the member, and what is wrong with it.
    """
    with open(path, "rb") as file:
        size = _directory_size(file)
        if not 0 < size <= LARGEST_DIRECTORY:
            reason = f"a directory of {size} bytes, at most {LARGEST_DIRECTORY}" if size else "no end of an archive"
            raise FileFormatError(f"{path}: not a .keras file (a zip archive), or a damaged one ({reason})")
        try:
            archive = zipfile.ZipFile(file)
        except (zipfile.BadZipFile, NotImplementedError, ValueError, struct.error, RecursionError) as error:
            raise FileFormatError(f"{path}: not a .keras file (a zip archive), or a damaged one ({error})") from error
        with archive:
            _check_names(path, archive.infolist(), names, folder)
            _check_places(path, file, archive)
            yield Reader(archive.namelist(), lambda name: _open_member(archive, file, path, name))


def _directory_size(file: BinaryIO) -> int:
    """Bytes of the directory by the end of the archive, from where `zipfile` takes them; 0 if that is no end."""
    size = file.seek(0, io.SEEK_END)
    file.seek(max(size - END_64 - END, 0))
    tail = file.read().rjust(END_64 + END, b"\0")
    if tail[-END:][:4] != b"PK\5\6":
        return 0
    if tail[-END - 20 :][:4] == b"PK\6\7":
        return struct.unpack_from("<Q", tail, 40)[0]
    return struct.unpack_from("<I", tail, END_64 + 12)[0]


def _check_names(path: Path, members: list[zipfile.ZipInfo], names: tuple[str, ...], folder: str) -> None:
    seen = set()
    for info in members:
        name = info.orig_filename
        inside = name.startswith(folder) and name == PurePosixPath(name).as_posix() and ".." not in name.split("/")
        if name not in names and not (inside and name.isprintable() and "\\" not in name):
            raise FileFormatError(f"{path}: {name}: a .keras file has no such member")
        if stat.S_IFMT(info.external_attr >> 16) not in (0, stat.S_IFREG):
            raise FileFormatError(f"{path}: {name}: a link, or anything but a file, which is never followed")
        if name in seen:
            raise FileFormatError(f"{path}: {name}: the member is there twice")
        seen.add(name)


def _check_places(path: Path, file: BinaryIO, archive: zipfile.ZipFile) -> None:
    """Members, directory and end follow one another without gaps."""
    place = 0
    for info in sorted(archive.infolist(), key=lambda info: info.header_offset):
        if info.header_offset != place:
            raise FileFormatError(f"{path}: {info.filename}: begins at {info.header_offset}, expected {place}")
        file.seek(place)
        head = file.read(LOCAL)
        if len(head) < LOCAL or head[:4] != b"PK\3\4":
            raise FileFormatError(f"{path}: {info.filename}: damaged: no member at {place}")
        _, flags, method, _, _, crc, packed, unpacked, name, extra = struct.unpack("<5H3I2H", head[4:])
        if flags & ~UTF8_NAMES:
            raise FileFormatError(f"{path}: {info.filename}: encrypted or written as a stream (flags {flags:#x})")
        told = (file.read(name), flags, method, crc, packed, unpacked)
        known = (info.orig_filename.encode(), info.flag_bits, info.compress_type, info.CRC)
        more = file.read(extra)
        if packed == unpacked == LARGE and len(more) == 20:  # the sizes follow
            told = (*told[:4], *struct.unpack("<4xQQ", more)[::-1])
        if told != (*known, info.compress_size, info.file_size):
            raise FileFormatError(f"{path}: {info.filename}: the directory says something else of it than the member")
        place += LOCAL + name + extra + info.compress_size
    listed = sum(DIRECTORY_ENTRY + len(i.orig_filename.encode()) + len(i.extra) + len(i.comment)
                 for i in archive.infolist())  # fmt: skip
    end = file.seek(-END, io.SEEK_END)
    said = struct.unpack("<4H2IH", file.read(END)[4:])
    count = len(archive.infolist())
    plain, larger = (0, 0, count, count, listed, place, 0), (0, 0, *[0xFFFF] * 2, LARGE, LARGE, 0)
    large = end == place + listed + END_64
    agree = all(got == value or (large and got == more) for got, value, more in zip(said, plain, larger))
    if not (large or end == place + listed) or archive.start_dir != place or not agree:
        raise FileFormatError(f"{path}: bytes that belong to no member, or an end that says something else")


class Part(io.RawIOBase):
    """A part of a file, as a file of its own."""

    def __init__(self, file: BinaryIO, start: int, size: int) -> None:
        self.file, self.start, self.size, self.place = file, start, size, 0

    def seek(self, place: int, whence: int = io.SEEK_SET) -> int:
        self.place = place + {io.SEEK_SET: 0, io.SEEK_CUR: self.place, io.SEEK_END: self.size}[whence]
        return self.place

    def read(self, size: int = -1) -> bytes:
        left = max(self.size - self.place, 0)
        self.file.seek(self.start + self.place)
        data = self.file.read(left if size < 0 else min(size, left))
        self.place += len(data)
        return data


def _open_member(archive: zipfile.ZipFile, file: BinaryIO, path: Path, name: str) -> BinaryIO:
    """A member, whose size is checked against the file's before it is read, and its CRC before it is returned."""
    try:
        info = archive.getinfo(name)
    except KeyError:
        raise FileFormatError(f"{path}: {name}: the member is missing") from None
    limits = {zipfile.ZIP_STORED: info.compress_size, zipfile.ZIP_DEFLATED: room(path.stat().st_size)}
    if info.compress_type not in limits:
        method = info.compress_type
        raise FileFormatError(f"{path}: {name}: compression method {method}, expected 0 (none) or 8 (deflate)")
    if info.file_size > limits[info.compress_type]:
        raise FileFormatError(f"{path}: {name}: says {info.file_size} bytes, the file has {info.compress_size}")
    try:
        if info.compress_type == zipfile.ZIP_DEFLATED:
            return io.BytesIO(archive.read(info))
        with archive.open(info) as member:
            while member.read(PIECE):  # to its end, where the CRC is checked
                pass
        file.seek(info.header_offset + LOCAL - 4)
        start = info.header_offset + LOCAL + sum(struct.unpack("<HH", file.read(4)))  # after its name and extra field
        return cast(BinaryIO, Part(file, start, info.file_size))
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, ValueError, NotImplementedError) as error:
        raise FileFormatError(f"{path}: {name}: damaged ({error})") from error
