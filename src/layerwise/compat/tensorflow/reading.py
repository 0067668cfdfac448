"""Data sets of what lies in files: `tf.data.TextLineDataset` and its like."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from ...data import Dataset
from ...data.records import RecordWriter as TFRecordWriter
from ...data.records import open_compressed, read_records
from ...lazy import public_only
from .strings import texts

__all__ = ["TFRecordDataset", "TFRecordWriter", "TextLineDataset"]
public_only(__name__)


def names_of(filenames: Any) -> list[str]:
    """One name, several, or a data set of them."""
    held = list(filenames.as_numpy_iterator()) if isinstance(filenames, Dataset) else filenames
    return texts(np.array(held, object)).reshape(-1).tolist()


def TextLineDataset(filenames: Any, compression_type: str | None = None, *sizes: Any, **options: Any) -> Dataset:
    """The lines of files, in UTF-8, without their ends.

    >>> path = getfixture("tmp_path") / "lines.txt"
    >>> _ = path.write_text("one\\ntwo\\n")
    >>> list(TextLineDataset(str(path)).as_numpy_iterator())
    ['one', 'two']
    """

    def lines() -> Iterator[str]:
        for name in names_of(filenames):
            with open_compressed(name, compression_type) as file:
                for line in file:
                    yield line.rstrip(b"\r\n").decode(errors="surrogateescape")

    return Dataset.from_generator(lines)


def TFRecordDataset(filenames: Any, compression_type: str | None = None, *sizes: Any, **options: Any) -> Dataset:
    """The records of TFRecord files, as bytes; their checksums are verified."""
    return Dataset.from_generator(
        lambda: (record for name in names_of(filenames) for record in read_records(name, compression_type))
    )
