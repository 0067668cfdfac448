"""Data sets of what lies in files: `tf.data.TextLineDataset` and its like."""

import gzip
import zlib
from collections.abc import Iterator
from typing import Any, BinaryIO

import numpy as np

from ...data import Dataset
from .strings import texts


def opened(filename: str, compression_type: Any = None) -> BinaryIO:
    """A file, uncompressed where it is of type "GZIP" or "ZLIB"."""
    import io

    if compression_type == "ZLIB":
        with open(filename, "rb") as file:
            return io.BytesIO(zlib.decompress(file.read()))
    return gzip.open(filename) if compression_type == "GZIP" else open(filename, "rb")  # type: ignore[return-value]


def names_of(filenames: Any) -> list[str]:
    """One name, several, or a data set of them."""
    held = list(filenames.as_numpy_iterator()) if isinstance(filenames, Dataset) else filenames
    return texts(np.array(held, object)).reshape(-1).tolist()


def TextLineDataset(filenames: Any, compression_type: Any = None, *sizes: Any, **options: Any) -> Dataset:
    """The lines of files, in UTF-8, without their ends.

    >>> path = getfixture("tmp_path") / "lines.txt"
    >>> _ = path.write_text("one\\ntwo\\n")
    >>> list(TextLineDataset(str(path)).as_numpy_iterator())
    ['one', 'two']
    """

    def lines() -> Iterator[str]:
        for name in names_of(filenames):
            with opened(name, compression_type) as file:
                for line in file:
                    yield line.rstrip(b"\r\n").decode(errors="surrogateescape")

    return Dataset.from_generator(lines)
