"""Tables from CSV files: what is to be predicted, and what from."""

import math
import re
from dataclasses import dataclass
from os import PathLike

import numpy as np

from .cells import NUMBER, TEXT, Cells, read_cells
from .csv_file import NUMERAL, CsvFile
from .format_error import FileFormatError
from .targets import check_task, encode_classes, task_of

_INTEGER = re.compile(r"[+-]?\d{1,18}", re.ASCII)
_CODE = re.compile(r"[+-]?0\d")  # such as 007, whose zeros a number would lose


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
    path: str | PathLike[str], target: str | None = None, task: str | None = None, delimiter: str | None = None
) -> Table:
    """The columns of a CSV file (UTF-8, first record: names), the `target` column apart.

    All other columns must be numbers, and nothing may be missing; `load` takes text and dates, too. Unless `task` says
    it, the target decides: text, or few different integers (at most 20, each on average at least twice) is
    'classification', other numbers 'regression'; `3.0` counts as a number with a fraction, `007` as text. delimiter:
    between values; by default the comma, semicolon, tab or bar on which the first records agree. Raises
    `FileFormatError` naming the file, the column, the record (counted from 1, without the header) and the line for a
    value that is missing or no finite number, for a record of another length, for a file that is not CSV.

    >>> path = getfixture("tmp_path") / "pets.csv"
    >>> _ = path.write_text("weight,height,kind" + chr(10) + "4.5,25,cat" + chr(10) + "30,60,dog" + chr(10))
    >>> table = read_csv(path, target="kind")
    >>> table.x.tolist(), table.y.tolist(), table.class_names
    ([[4.5, 25.0], [30.0, 60.0]], [0, 1], ('cat', 'dog'))
    """
    check_task(task)
    file = CsvFile(path, delimiter)
    kinds = dict.fromkeys(file.names, NUMBER)
    if target is not None:
        file.check_has(target)
        kinds[target] = TEXT
    cells = read_cells(file, kinds, may_miss=False)
    count = len(cells[file.names[0]].values)
    features = tuple(name for name in file.names if name != target)
    x = np.array([cells[name].values for name in features]).T.reshape(count, len(features))
    if target is None:
        return Table(x, features)
    return Table(x, features, *read_target(cells[target], task, f"{file.path}: column '{target}'"))


def read_target(cells: Cells, task: str | None, where: str) -> tuple[np.ndarray, tuple[str, ...] | None, str]:
    """Labels, class names and 'classification', or numbers, None and 'regression'."""
    used, places = np.unique(cells.values, return_inverse=True)
    texts = [cells.texts[i] for i in used]
    no_number = next((text for text in texts if not NUMERAL.fullmatch(text) or math.isinf(float(text))), None)
    if task == "regression" and no_number is not None:
        raise FileFormatError(f"{where}: regression needs numbers, got {no_number!r}")
    if no_number is None and (task == "regression" or not any(map(_CODE.match, texts))):
        are_whole = all(map(_INTEGER.fullmatch, texts))
        y = np.array([int(text) if are_whole else float(text) for text in texts])[places]
        if (task or task_of(y)) == "regression":
            return y.astype(np.float64), None, "regression"
        return *encode_classes(y), "classification"
    order = sorted(range(len(texts)), key=texts.__getitem__)
    labels = np.empty(len(texts), np.int64)
    labels[order] = np.arange(len(texts))
    return labels[places], tuple(texts[i] for i in order), "classification"
