"""CSV files as records: which sign parts their columns, what these are called, and where something is wrong."""

import csv
import itertools
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from os import PathLike
from pathlib import Path
from typing import Any

from .format_error import FileFormatError

NUMERAL = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_DELIMITERS = ",;\t|"
_LOOKED_AT = 20  # records, to find the delimiter
_MOST_COLUMNS = 1 << 16
_MOST_LISTED, _LONGEST = 20, 40  # names in a message, and their characters

Place = tuple[int, int]  # the number of a record, counted from 1 without the header, and of the line where it ends


def is_csv(path: str | PathLike[str]) -> bool:
    """Whether a file's name says that it holds a table."""
    return Path(path).suffix.lower() in (".csv", ".tsv")


class CsvFile:
    """A CSV file (UTF-8) whose first record names its columns; it can be gone through again and again.

    Delimiters too many at the end of a line are passed over. A first column without a name, in which pandas and R write
    the numbers of rows, is left out.

    Args:
        path: of the file.
        delimiter: between values; by default the one of comma, semicolon, tab and bar on which its records agree.

    Attributes:
        names: of the columns, in order.
        notes: what was left out.
    """

    def __init__(self, path: str | PathLike[str], delimiter: str | None = None) -> None:
        self.path = Path(path)
        self.delimiter = _found_delimiter(self.path) if delimiter is None else delimiter
        _, header = next(self._everything(), ((0, 0), []))
        header = _without_empty_end(header, 0)
        self._width = len(header)
        nameless = int(self._width > 1 and not header[0])
        self.names = header[nameless:]
        self.notes = ["the first column, which has no name (numbers of rows?), is left out"] if nameless else []
        self._check_names()
        self._index = {name: i + nameless for i, name in enumerate(self.names)}

    def _check_names(self) -> None:
        if not self.names:
            raise FileFormatError(f"{self.path}: empty: expected a first line with column names")
        if all(map(NUMERAL.fullmatch, self.names)):
            raise FileFormatError(f"{self.path}: line 1 holds only numbers: expected column names, such as x1,x2,y")
        if "" in self.names or max(Counter(self.names).values()) > 1:
            known = listed(map(repr, self.names))
            raise FileFormatError(f"{self.path}: line 1: expected column names that differ, got {known}")

    def check_has(self, name: str) -> None:
        """Refuse a column that is not there."""
        if name not in self._index:
            raise FileFormatError(f"{self.path}: no column '{name}'; its columns are {listed(self.names)}")

    def records(self, names: Iterable[str]) -> Iterator[tuple[Place, list[str]]]:
        """Where each record stands, and its values in these columns."""
        wanted = [self._index[name] for name in names]
        number = 0
        for (_, line), values in itertools.islice(self._everything(), 1, None):
            if not values:
                continue  # a blank line
            number += 1
            values = _without_empty_end(values, self._width)
            if len(values) != self._width:
                raise FileFormatError(
                    f"{self.path}: {at((number, line))}: expected {self._width} values ({listed(self.names)}), "
                    f"got {len(values)}"
                )
            yield (number, line), [values[i] for i in wanted]
        if not number:
            raise FileFormatError(f"{self.path}: no records after the line with column names")

    def _everything(self) -> Iterator[tuple[Place, list[str]]]:
        """The records as they are, the header among them."""
        with open(self.path, encoding="utf-8-sig", newline="") as file:
            records = Records(self.path, file, self.delimiter)
            reader = records.reader
            try:
                for number, values in enumerate(records):
                    yield (number, reader.line_num), [value.strip() for value in values]
            except csv.Error as error:
                raise FileFormatError(f"{self.path}: line {reader.line_num}: not CSV ({error})") from error
            except UnicodeDecodeError as error:
                raise FileFormatError(
                    f"{self.path}: after line {reader.line_num}: not text in UTF-8 "
                    f"(byte 0x{error.object[error.start]:02x}: {error.reason})"
                ) from error


class Records:
    """The records of an open CSV file, one of which may have so many columns."""

    def __init__(self, path: Path, lines: Iterable[str], delimiter: str, quotes: bool = True) -> None:
        self.path, self.delimiter, self.parted = path, delimiter, 0
        form: dict[str, Any] = {} if quotes else {"quoting": csv.QUOTE_NONE}
        self.reader = csv.reader(self._counted(lines), delimiter=delimiter, strict=True, **form)

    def _counted(self, lines: Iterable[str]) -> Iterator[str]:
        for line in lines:
            self.parted += line.count(self.delimiter)
            if self.parted > _MOST_COLUMNS:
                raise FileFormatError(f"{self.path}: a record of more than {_MOST_COLUMNS:,} columns")
            yield line

    def __iter__(self) -> "Records":
        return self

    def __next__(self) -> list[str]:
        self.parted = 0
        return next(self.reader)


def at(place: Place) -> str:
    """A record's place in words.

    >>> at((2, 3))
    'record 2 (line 3)'
    """
    return f"record {place[0]} (line {place[1]})"


def listed(names: Iterable[str]) -> str:
    """Names for a message, the first twenty, long ones shortened.

    >>> listed(["a", "b"] * 11)[-12:]
    'a, b, 2 more'
    """
    names = list(names)
    shown = [name if len(name) <= _LONGEST else f"{name[: _LONGEST - 3]}..." for name in names[:_MOST_LISTED]]
    return ", ".join(shown + [f"{len(names) - len(shown):,} more"] * (len(names) > len(shown)))


def _without_empty_end(values: list[str], least: int) -> list[str]:
    end = len(values)
    while end > least and not values[end - 1]:
        end -= 1
    return values[:end]


def _found_delimiter(path: Path) -> str:
    """The sign that parts the first records into equally many columns, two or more; a comma where none does."""
    fitting = [sign for sign in _DELIMITERS if _is_parted_by(path, sign)]
    if len(fitting) > 1:
        signs = " or ".join(map(repr, fitting))
        raise FileFormatError(f"{path}: its columns may be parted by {signs}: say which (--delimiter, delimiter=...)")
    return fitting[0] if fitting else ","


def _is_parted_by(path: Path, delimiter: str) -> bool:
    with open(path, encoding="utf-8-sig", errors="replace", newline="") as file:
        records = itertools.islice(Records(path, file, delimiter), _LOOKED_AT)
        try:
            width = len(_without_empty_end(next(records, []), 0))
            return width > 1 and all(len(_without_empty_end(r, width)) == width for r in records if r)
        except csv.Error:
            return False
