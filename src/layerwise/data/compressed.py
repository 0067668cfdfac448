"""Files that may be compressed, as TensorFlow's readers name it: "GZIP", "ZLIB", or not at all."""

import contextlib
import gzip
import io
import zlib
from collections.abc import Iterator
from os import PathLike
from typing import Any, BinaryIO

from ..naming import one_of
from .format_error import decoding

_PIECE = 1 << 20


@contextlib.contextmanager
def opened(path: str | PathLike[str], compression_type: str | None) -> Iterator[BinaryIO]:
    """The file, open for reading what it holds; that it is damaged is a `FileFormatError`."""
    kind = one_of("compression_type", compression_type or "", "", "GZIP", "ZLIB")
    damaged = f"{path}: the compressed data are damaged or cut short"
    with open(path, "rb") as file, decoding(damaged, EOFError, zlib.error, gzip.BadGzipFile):
        if kind == "GZIP":
            yield gzip.GzipFile(fileobj=file)  # type: ignore[misc]
        elif kind == "ZLIB":
            yield io.BufferedReader(_Unzipped(file))
        else:
            yield file


class _Unzipped(io.RawIOBase):
    """What a zlib stream in a file holds, a piece at a time."""

    def __init__(self, file: BinaryIO) -> None:
        self.file, self.machine = file, zlib.decompressobj()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self.machine.eof:
            data = self.machine.unconsumed_tail or self.file.read(_PIECE)
            found = self.machine.decompress(data, len(buffer))
            if found:
                buffer[: len(found)] = found
                return len(found)
            if not data:
                raise EOFError("the stream ends too early")
        return 0
