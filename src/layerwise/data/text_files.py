"""Lines of text files, and records of CSV files whose columns have types."""

import contextlib
import csv
import io
from collections.abc import Callable, Iterator, Sequence
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from ..dtypes import standardize_dtype
from .compressed import opened
from .csv_file import Records
from .format_error import FileFormatError

_NAMES = ("int32", "int64", "float32", "float64", "bool", "string")


@contextlib.contextmanager
def _text(path: str | PathLike[str], compression_type: str | None) -> Iterator[io.TextIOWrapper]:
    with opened(path, compression_type) as file:
        yield io.TextIOWrapper(file, encoding="utf-8-sig", errors="surrogateescape", newline="")


def text_lines(path: str | PathLike[str], compression_type: str | None = None) -> Iterator[str]:
    """The lines of a file in UTF-8, without their ends

    >>> path = getfixture("tmp_path") / "a.txt"
    >>> _ = path.write_text("one" + chr(10) + "two")
    >>> list(text_lines(path))
    ['one', 'two']
    """
    with _text(path, compression_type) as lines:
        for line in lines:
            yield line.rstrip("\r\n")


def csv_records(
    path: str | PathLike[str],
    delimiter: str = ",",
    quotes: bool = True,
    compression_type: str | None = None,
) -> Iterator[list[str]]:
    """The records of a CSV file as they are, but for blank lines."""
    with _text(path, compression_type) as lines:
        records = Records(Path(path), lines, delimiter, quotes)
        try:
            yield from (values for values in records if values)
        except csv.Error as error:
            raise FileFormatError(f"{path}: line {records.reader.line_num}: not CSV ({error})") from error


def column_types(defaults: Sequence[Any]) -> list[tuple[str, Any]]:
    """(dtype, default) of columns: a dtype stands for itself and a value that has to be there, a value for its own.

    >>> column_types(["int32", 0.5, ""])
    [('int32', None), ('float32', 0.5), ('string', '')]
    """
    found: list[tuple[str, Any]] = []
    for default in defaults:
        if isinstance(default, list | tuple | np.ndarray) and np.size(default) == 1:
            default = np.asarray(default).ravel()[0].item()
        if isinstance(default, type | np.dtype) or (isinstance(default, str) and default in _NAMES):
            is_text = default in (str, "string") or (isinstance(default, np.dtype) and default.kind == "U")
            found.append(("string" if is_text else standardize_dtype(default), None))
        elif isinstance(default, str):
            found.append(("string", default))
        else:
            found.append(("float32" if isinstance(default, float) else "int32", default))
    return found


def typed(path: str | PathLike[str], number: int, text: str, dtype: str, default: Any, missing: str) -> Any:
    """A value of a record as its column's type has it."""
    if text in ("", missing):
        if default is None:
            raise FileFormatError(f"{path}: record {number}: a value is missing in a column without a default")
        text = str(default)
    if dtype == "string":
        return text
    try:
        return np.dtype(dtype).type(text)
    except (ValueError, OverflowError) as error:
        raise FileFormatError(f"{path}: record {number}: {text!r} is no {dtype}") from error


def typed_records(
    columns: Sequence[tuple[str, Any]], header: bool, missing: str, wanted: Sequence[int] | None, **options: Any
) -> Callable[[Any], Iterator[tuple[Any, ...]]]:
    """What reads a file's records as tuples of values of these types; `wanted` are the columns' numbers."""

    def read(path: Any) -> Iterator[tuple[Any, ...]]:
        for number, values in enumerate(csv_records(path, **options), 0 if header else 1):
            if number == 0:
                continue
            if wanted is not None:
                if len(values) <= max(wanted):
                    raise FileFormatError(
                        f"{path}: record {number}: {len(values)} values, expected column {max(wanted)}"
                    )
                values = [values[i] for i in wanted]
            if len(values) != len(columns):
                raise FileFormatError(f"{path}: record {number}: {len(values)} values, expected {len(columns)}")
            yield tuple(
                typed(path, number, text, *column, missing) for text, column in zip(values, columns, strict=True)
            )

    return read
