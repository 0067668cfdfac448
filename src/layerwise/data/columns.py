"""What a model has to know of a table's columns: learned from the rows that it trains on, kept beside it as JSON."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

import numpy as np

from ..terminal import counted
from .cells import DATE, NUMBER, TEXT, Cells
from .csv_file import listed

MISSING = ("drop", "mean", "most-frequent")
_MOST_VALUES = 50  # of text, which become a column each
_LEAST_ROWS = 5  # that a value must have for a column of its own
_DATE_PARTS = ("year", "month", "weekday")
_SHOWN = 3
_LARGEST = float(np.finfo(np.float64).max)


@dataclass(frozen=True)
class Column:
    """A column of a table, and the inputs of a network that are made of it.

    kind: number (one input), date (three: year, month, and weekday, Monday being 0), or text: one for each of the
        `values`, which is 1 where the column holds that value and 0 elsewhere.
    fill: what stands for a missing value; of dates their number of days since 0001-01-01.
    has_other: whether text has one more input, for all values that are not among `values`. It has where there were
        such in training; else a network could learn nothing of them.
    """

    name: str
    kind: str
    fill: float | str = 0.0
    values: tuple[str, ...] = ()
    has_other: bool = False

    @property
    def inputs(self) -> list[str]:
        """Their names.

        >>> Column("colour", "text", "red", ("green", "red"), has_other=True).inputs
        ['colour=green', 'colour=red', 'colour=other']
        """
        if self.kind == NUMBER:
            return [self.name]
        parts = [*self.values, *["other"] * self.has_other] if self.kind == TEXT else _DATE_PARTS
        return [f"{self.name}={part}" if self.kind == TEXT else f"{self.name} {part}" for part in parts]

    def encode(self, cells: Cells) -> tuple[np.ndarray, list[str]]:
        """The inputs, (n, len(self.inputs)), and notes on what was filled in and what is other."""
        if cells.kind != self.kind:
            raise ValueError(f"column '{self.name}': expected {self.kind}s, got {cells.kind}s")
        notes = []
        if missing := int(cells.is_missing.sum()):
            shown = date.fromordinal(int(self.fill)) if self.kind == DATE else self.fill
            value = f"{shown:.6g}" if self.kind == NUMBER else repr(str(shown))
            notes.append(f"column '{self.name}': {counted(missing, 'missing value')} taken for {value}")
        if self.kind != TEXT:
            numbers = np.where(cells.is_missing, self.fill, cells.values)
            return (_parts(numbers) if self.kind == DATE else numbers[:, None]), notes
        assert isinstance(self.fill, str)
        place = {value: i for i, value in enumerate(self.values)}
        unknown = len(self.values)
        # The place of each text, and behind them that of the fill, where -1 leads.
        places = np.array([place.get(text, unknown) for text in (*cells.texts, self.fill)])[cells.values]
        if others := [text for text in cells.texts if text not in place]:
            rows = int((places[~cells.is_missing] == unknown).sum())
            shown = listed(map(repr, others[:_SHOWN])) + (", ..." if len(others) > _SHOWN else "")
            what = "'other'" if self.has_other else "none of the values that were learned"
            notes.append(f"column '{self.name}': {counted(rows, 'row')} with {shown} taken for {what}")
        return np.eye(unknown + 1)[places][:, : len(self.inputs)], notes


@dataclass(frozen=True)
class Columns:
    """The columns of a table that a model uses, and which treatment of missing values was chosen in training.

    Args:
        columns: in the order of the model's inputs.
        missing: None, or one of 'drop', 'mean', 'most-frequent'.
    """

    columns: tuple[Column, ...]
    missing: str | None = None

    @classmethod
    def learn(cls, cells: Mapping[str, Cells], rows: np.ndarray, missing: str | None = None) -> "Columns":
        """What these rows of each column say: which texts there are, and what to fill in.

        A missing number becomes the mean, with 'most-frequent' the number seen most often, as texts and dates do
        always. Raises `ValueError` for text with more than fifty values, or another one in each row.

        >>> Columns.learn({"size": Cells("number", np.array([1.0, 5.0, 9.0]))}, np.array([0, 1])).to_json()
        {'columns': [{'name': 'size', 'kind': 'number', 'fill': 3.0}], 'missing': None}
        """
        return cls(tuple(_learned(name, column[rows], missing) for name, column in cells.items()), missing)

    @property
    def kinds(self) -> dict[str, str]:
        return {column.name: column.kind for column in self.columns}

    @property
    def inputs(self) -> tuple[str, ...]:
        """The names of the model's inputs."""
        return tuple(name for column in self.columns for name in column.inputs)

    def check(self, names: Iterable[str], path: Any) -> list[str]:
        """Refuse a table that lacks a column; returns a note on those that are not needed."""
        names = list(names)
        if lacking := [column.name for column in self.columns if column.name not in names]:
            raise ValueError(f"{path}: lacks columns that the model needs: {listed(lacking)}")
        known = {column.name for column in self.columns}
        extra = [name for name in names if name not in known]
        return [f"columns that the model does not use: {listed(extra)}"] if extra else []

    def encode(self, cells: Mapping[str, Cells]) -> tuple[np.ndarray, list[str]]:
        """The inputs, (n, len(self.inputs)) float64, and notes on what was filled in and what is other."""
        encoded = [column.encode(cells[column.name]) for column in self.columns]
        return np.concatenate([x for x, _ in encoded], 1), [note for _, notes in encoded for note in notes]

    def to_json(self) -> dict[str, Any]:
        """What JSON can hold, without what is as by default."""
        kept = [{name: value for name, value in asdict(column).items() if value} for column in self.columns]
        return {"columns": kept, "missing": self.missing}

    @classmethod
    def from_json(cls, value: Any) -> "Columns":
        """What `to_json` made; a `ValueError` for anything else."""
        try:
            columns = tuple(Column(**{**kept, "values": tuple(kept.get("values", ()))}) for kept in value["columns"])
            made = cls(columns, value["missing"])
            is_sound = all(map(_is_sound, columns)) and len(made.kinds) == len(columns) > 0
        except (TypeError, KeyError, AttributeError):
            is_sound = False
        if not is_sound or made.missing not in (None, *MISSING):
            raise ValueError("the description of a table's columns is damaged")
        return made


def _is_sound(column: Column) -> bool:
    if column.kind == TEXT:
        fits = isinstance(column.fill, str) and all(isinstance(value, str) for value in column.values)
        fits = fits and len(set(column.values)) == len(column.values) <= _MOST_VALUES
    else:
        low, high = (1, date.max.toordinal()) if column.kind == DATE else (-_LARGEST, _LARGEST)
        fits = isinstance(column.fill, float) and low <= column.fill <= high and not column.values
    return fits and column.kind in (NUMBER, DATE, TEXT) and isinstance(column.name, str) and column.has_other in (0, 1)


def _learned(name: str, cells: Cells, missing: str | None) -> Column:
    present = cells.values[~cells.is_missing]
    if not len(present):
        raise ValueError(f"column '{name}' has no value in the training rows; leave it out (--ignore, ignore=...)")
    if cells.kind == NUMBER and missing != "most-frequent":
        return Column(name, NUMBER, float(present.mean()))
    values, counts = np.unique(present, return_counts=True)
    most_frequent = values[counts.argmax()]
    if cells.kind != TEXT:
        return Column(name, cells.kind, float(most_frequent))
    if len(values) == len(present) > 1 or len(values) > _MOST_VALUES:
        found = "another text in each row" if len(values) == len(present) else f"{len(values):,} different texts"
        shown = ", ".join(repr(text[:40]) for text in cells.texts[:2])
        raise ValueError(
            f"column '{name}' holds {found} ({shown}, ...), at most {_MOST_VALUES} can be learned from; leave it out "
            "(--ignore, ignore=...), or write it as numbers or as dates such as 2024-01-31"
        )
    common = sorted(cells.texts[i] for i, count in zip(values, counts) if count >= _LEAST_ROWS)
    return Column(name, TEXT, cells.texts[most_frequent], tuple(common), len(common) < len(values))


def _parts(days: np.ndarray) -> np.ndarray:
    """Year, month and weekday, (n, 3)."""
    different, places = np.unique(days, return_inverse=True)
    dates = [date.fromordinal(int(day)) for day in different]
    return np.array([(d.year, d.month, d.weekday()) for d in dates], np.float64)[places]
