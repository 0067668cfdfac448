"""Data sets of what lies in files: `tf.data.TextLineDataset` and its like."""

from typing import Any

import numpy as np

from ...data import Dataset
from ...data.records import RecordWriter as TFRecordWriter
from ...lazy import public_only
from .strings import texts

__all__ = ["TFRecordDataset", "TFRecordWriter", "TextLineDataset"]
public_only(__name__)


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
    return Dataset.from_text_lines(names_of(filenames), compression_type)


def TFRecordDataset(filenames: Any, compression_type: str | None = None, *sizes: Any, **options: Any) -> Dataset:
    """The records of TFRecord files, as bytes; their checksums are verified."""
    return Dataset.from_tfrecords(names_of(filenames), compression_type)
