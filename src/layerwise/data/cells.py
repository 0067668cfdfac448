"""The columns of a CSV file as arrays: numbers, dates and text."""

import math
import re
from array import array
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np

from .csv_file import NUMERAL, CsvFile, at
from .format_error import FileFormatError

NUMBER, DATE, TEXT = "number", "date", "text"
_MISSING = {"", "?", "na", "n/a", "nan", "null", "none", "-"}
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


@dataclass
class Cells:
    """A column: NaN, for text -1, where a value is missing.

    kind     values
    number   (n,) float64
    date     (n,) float64, the days since 0001-01-01, which is 1
    text     (n,) int32, places among `texts`, which stand in the order in which they appear
    """

    kind: str
    values: np.ndarray
    texts: tuple[str, ...] = ()

    @property
    def is_missing(self) -> np.ndarray:
        return self.values < 0 if self.kind == TEXT else np.isnan(self.values)

    def __getitem__(self, rows: np.ndarray) -> "Cells":
        return Cells(self.kind, self.values[rows], self.texts)


def kinds_of(file: CsvFile, names: Iterable[str]) -> tuple[dict[str, str], list[str]]:
    """What each column holds, and notes on those that are text only here and there.

    Numbers, or dates (2024-01-31), if all its values are such; else text.
    """
    names = list(names)
    kinds: dict[str, str | None] = dict.fromkeys(names)
    notes = []
    open_columns = list(enumerate(names))
    for place, values in file.records(names):
        for i, name in open_columns:
            kind = _kind(values[i])
            known = kinds[name] = kinds[name] or kind
            if kind and kind != known:
                kinds[name] = TEXT
                notes.append(f"column '{name}': {values[i][:40]!r} in {at(place)} is no {known}: it is taken for text")
        open_columns = [(i, name) for i, name in open_columns if kinds[name] != TEXT]
    return {name: kind or NUMBER for name, kind in kinds.items()}, notes


def _kind(text: str) -> str | None:
    if NUMERAL.fullmatch(text):
        return NUMBER
    if text.lower() in _MISSING:
        return None
    return DATE if _DATE.fullmatch(text) and _day(text) else TEXT


def _day(text: str) -> int | None:
    try:
        return date.fromisoformat(text).toordinal()
    except ValueError:
        return None


def read_cells(file: CsvFile, kinds: Mapping[str, str], may_miss: bool = True) -> dict[str, Cells]:
    """These columns of a file; a value of another kind is refused by column, record and line."""
    columns = {name: _COLLECTORS[kind]() for name, kind in kinds.items()}
    collectors = list(columns.values())
    for place, values in file.records(columns):
        for i, (collector, text) in enumerate(zip(collectors, values)):
            wrong = None
            if text.lower() not in _MISSING:
                wrong = collector.add(text)
            elif may_miss:
                collector.add_missing()
            else:
                wrong = f"a value is missing ({text!r})"
            if wrong:
                raise FileFormatError(f"{file.path}: column '{list(kinds)[i]}', {at(place)}: {wrong}")
    return {name: collector.cells() for name, collector in columns.items()}


class _Numbers:
    kind = NUMBER

    def __init__(self) -> None:
        self.values = array("d")

    def add(self, text: str) -> str | None:
        """Keep the value; the reason where that cannot be."""
        if not NUMERAL.fullmatch(text):
            return f"not a number: {text[:40]!r}; write it as numbers or leave the column out"
        number = float(text)
        if math.isinf(number):
            return f"too large: {text[:40]!r}"
        self.values.append(number)
        return None

    def add_missing(self) -> None:
        self.values.append(math.nan)

    def cells(self) -> Cells:
        return Cells(self.kind, np.frombuffer(self.values, np.float64))


class _Dates(_Numbers):
    kind = DATE

    def add(self, text: str) -> str | None:
        day = _day(text) if _DATE.fullmatch(text) else None
        if day is None:
            return f"not a date such as 2024-01-31: {text[:40]!r}"
        self.values.append(day)
        return None


class _Texts:
    def __init__(self) -> None:
        self.values, self.places = array("i"), dict[str, int]()

    def add(self, text: str) -> str | None:
        """Keep the value."""
        self.values.append(self.places.setdefault(text, len(self.places)))
        return None

    def add_missing(self) -> None:
        self.values.append(-1)

    def cells(self) -> Cells:
        return Cells(TEXT, np.frombuffer(self.values, np.int32), tuple(self.places))


_COLLECTORS: dict[str, type[_Numbers] | type[_Texts]] = {NUMBER: _Numbers, DATE: _Dates, TEXT: _Texts}
