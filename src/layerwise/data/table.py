"""Tables of numbers from CSV files."""

import csv
import math
import re
from array import array
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from .format_error import FileFormatError
from .targets import check_task, encode_classes, task_of

_MISSING = {"", "?", "na", "n/a", "nan", "null", "none", "-"}
_INTEGER = re.compile(r"[+-]?\d{1,18}")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")


@dataclass
class Table:
    """A table: x (n, features) float64, y (n,) or None, and what they mean.

    feature_names: of the columns of x, in order.
    task: 'classification' (y int64 that indexes `class_names`), 'regression' (y float64), or None without a target.
    """

    x: np.ndarray
    feature_names: tuple[str, ...]
    y: np.ndarray | None = None
    class_names: tuple[str, ...] | None = None
    task: str | None = None


def read_csv(
    path: str | PathLike[str], target: str | None = None, task: str | None = None, delimiter: str = ","
) -> Table:
    """The columns of a CSV file (UTF-8, `delimiter` between values, first record: names), the `target` column apart.

    All other columns must be numbers, and nothing may be missing. Unless `task` says it, the target decides: text, or
    few different integers (at most 20, each on average at least twice) is 'classification', other numbers
    'regression'; `3.0` counts as a number with a fraction. Raises `FileFormatError` naming the file, the column, the
    record (counted from 1, without the header) and the line for a value that is missing or no finite number,
    for a record of another length, for a file that is not CSV.

    >>> path = getfixture("tmp_path") / "pets.csv"
    >>> _ = path.write_text("weight,height,kind" + chr(10) + "4.5,25,cat" + chr(10) + "30,60,dog" + chr(10))
    >>> table = read_csv(path, target="kind")
    >>> table.x.tolist(), table.y.tolist(), table.class_names
    ([[4.5, 25.0], [30.0, 60.0]], [0, 1], ('cat', 'dog'))
    """
    check_task(task)
    path = Path(path)
    with open(path, encoding="utf-8-sig", newline="") as file:
        records = csv.reader(file, delimiter=delimiter, strict=True)
        try:
            names = _header(path, records)
            if target is not None and target not in names:
                raise FileFormatError(f"{path}: no column '{target}'; its columns are {', '.join(names)}")
            count, values, answers = _body(path, records, names, target)
        except csv.Error as error:
            raise FileFormatError(f"{path}: line {records.line_num}: not CSV ({error})") from error
        except UnicodeDecodeError as error:
            raise FileFormatError(
                f"{path}: after line {records.line_num}: not text in UTF-8 "
                f"(byte 0x{error.object[error.start]:02x}: {error.reason})"
            ) from error
    features = tuple(name for name in names if name != target)
    x = np.array(values, np.float64).reshape(count, len(features))
    if target is None:
        return Table(x, features)
    y, text_column = _target(answers)
    task = task or task_of(y)
    if task == "classification":
        labels, class_names = encode_classes(y)
        return Table(x, features, labels, class_names, task)
    if text_column:
        raise FileFormatError(f"{path}: column '{target}': regression needs numbers, got {text_column!r}")
    return Table(x, features, y.astype(np.float64), None, task)


def column_names(path: str | PathLike[str]) -> list[str]:
    """What the first line of a CSV file says, unchecked."""
    with open(path, encoding="utf-8-sig", errors="replace") as file:
        return [name.strip() for name in file.readline(100_000).split(",")]


def _header(path: Path, records: Any) -> list[str]:
    names = [name.strip() for name in next(records, [])]
    if not names:
        raise FileFormatError(f"{path}: empty: expected a first line with column names")
    if all(_NUMBER.fullmatch(name) for name in names):
        raise FileFormatError(f"{path}: line 1 holds only numbers: expected column names, such as x1,x2,y")
    for name in names:
        if not name or names.count(name) > 1:
            known = ", ".join(map(repr, names))
            raise FileFormatError(f"{path}: line 1: expected column names that differ, got {known}")
    return names


def _body(path: Path, records: Any, names: list[str], target: str | None) -> tuple[int, array, list[str]]:
    values, answers = array("d"), list[str]()
    count = 0
    for record in records:
        if not record:
            continue  # a blank line
        count += 1
        if len(record) != len(names):
            raise FileFormatError(
                f"{path}: record {count} (line {records.line_num}): "
                f"expected {len(names)} values ({', '.join(names)}), got {len(record)}"
            )
        for name, text in zip(names, record):
            text = text.strip()
            wrong = None
            if text.lower() in _MISSING:
                wrong = f"a value is missing ({text!r})"
            elif name == target:
                answers.append(text)
            elif not _NUMBER.fullmatch(text):
                wrong = f"not a number: {text[:40]!r}; write it as numbers or leave the column out"
            elif math.isinf(number := float(text)):
                wrong = f"too large: {text[:40]!r}"
            else:
                values.append(number)
            if wrong:
                raise FileFormatError(f"{path}: column '{name}', record {count} (line {records.line_num}): {wrong}")
    if not count:
        raise FileFormatError(f"{path}: no records after the line with column names")
    return count, values, answers


def _target(answers: list[str]) -> tuple[np.ndarray, str | None]:
    """The values as integers, else as floats, else as text; and the first that is no number."""
    if all(_INTEGER.fullmatch(text) for text in answers):
        return np.array([int(text) for text in answers], np.int64), None
    text_value = next((text for text in answers if not _NUMBER.fullmatch(text) or math.isinf(float(text))), None)
    if text_value is None:
        return np.array([float(text) for text in answers]), None
    return np.array(answers), text_value
