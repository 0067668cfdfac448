"""`make_csv_dataset`: tables in files as batches of columns."""

import glob
import os
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

import numpy as np

from ..naming import whole_number
from .dataset.dataset import Dataset
from .dataset.sources import Files
from .format_error import FileFormatError
from .text_files import column_types, csv_records

_SMALLEST, _LARGEST = -(2**31), 2**31 - 1  # of int32


def make_csv_dataset(
    file_pattern: Any,
    batch_size: int,
    column_names: Sequence[str] | None = None,
    column_defaults: Sequence[Any] | None = None,
    label_name: str | None = None,
    select_columns: Sequence[Any] | None = None,
    field_delim: str = ",",
    use_quote_delim: bool = True,
    na_value: str = "",
    header: bool = True,
    num_epochs: int | None = None,
    shuffle: bool = True,
    shuffle_buffer_size: int = 10000,
    shuffle_seed: int | None = None,
    prefetch_buffer_size: int | None = None,
    num_rows_for_inference: int | None = 100,
    compression_type: str | None = None,
) -> Dataset:
    """Batches of the records of CSV files: dictionaries of columns, or with `label_name` pairs (dictionary, labels)

    Args:
        file_pattern: which files, as "folder/*.csv", or some patterns.
        batch_size: records of a batch; the last one is left out where epochs do not end.
        column_names: of all columns, where the first record does not hold them.
        column_defaults: a dtype, or a value for what is missing, for each column; by default types are found out.
        label_name: the column that stands beside the others.
        select_columns: names or numbers of the columns that are wanted.
        field_delim, use_quote_delim: what parts values, and whether quotes hold them together.
        na_value: what stands for a missing value, besides nothing.
        header: whether the first record holds names.
        num_epochs: how often the records come; None: again and again.
        shuffle, shuffle_buffer_size, shuffle_seed: as in `Dataset.shuffle`.
        prefetch_buffer_size: as in `Dataset.prefetch`, 1 by default.
        num_rows_for_inference: how many records the types are found out from; None: all.
        compression_type: of the files: None, "GZIP" or "ZLIB".

    >>> path = getfixture("tmp_path") / "a.csv"
    >>> _ = path.write_text("size,name" + chr(10) + "1,small" + chr(10) + "20,large")
    >>> data = make_csv_dataset(str(path), 2, label_name="size", num_epochs=1, shuffle=False)
    >>> [(columns["name"].tolist(), sizes.tolist()) for columns, sizes in data]
    [(['small', 'large'], [1, 20])]
    """
    patterns = file_pattern if isinstance(file_pattern, list | tuple) else [file_pattern]
    paths = sorted({path for pattern in patterns for path in glob.glob(os.fspath(pattern))})
    if not paths:
        raise ValueError(f"make_csv_dataset: file_pattern: no file fits {', '.join(map(str, patterns))}")

    def records(path: Any) -> Iterator[tuple[str, ...]]:
        rows = csv_records(path, field_delim, use_quote_delim, compression_type)
        for number, row in enumerate(rows, 0 if header else 1):
            if number == 0:
                continue
            if len(row) != len(names):
                raise FileFormatError(f"{path}: record {number}: {len(row)} values, expected {len(names)}")
            yield tuple(row[i] for i in wanted)

    if column_names is not None:
        names = list(column_names)
    elif header:
        names = next(csv_records(paths[0], field_delim, use_quote_delim, compression_type), [])
    else:
        raise ValueError("make_csv_dataset: column_names: expected them where header=False")
    wanted = [names.index(c) if c in names else whole_number("make_csv_dataset: select_columns", c, 0)
              for c in (names if select_columns is None else select_columns)]  # fmt: skip
    chosen = [names[i] for i in wanted]
    if label_name is not None and label_name not in chosen:
        raise ValueError(f"make_csv_dataset: label_name: got {label_name!r}, expected one of {chosen}")
    if column_defaults is None:
        columns = list(zip(*islice(records(paths[0]), num_rows_for_inference), strict=True))
        types = [(_found_type(column, na_value), None) for column in columns or [()] * len(chosen)]
    else:
        types = column_types(column_defaults)
    if len(types) != len(chosen):
        raise ValueError(f"make_csv_dataset: column_defaults: got {len(types)}, expected {len(chosen)}, one a column")

    def batch(*columns: np.ndarray) -> Any:
        values = {
            name: _converted(name, np.asarray(column), *kind, na_value)
            for name, column, kind in zip(chosen, columns, types, strict=True)
        }
        return values if label_name is None else (values, values.pop(label_name))

    data = Dataset(Files(paths, records))
    if shuffle:
        data = data.shuffle(shuffle_buffer_size, shuffle_seed)
    data = data.repeat(num_epochs).batch(batch_size, drop_remainder=num_epochs is None)
    return data.map(batch).prefetch(1 if prefetch_buffer_size is None else prefetch_buffer_size)


def _found_type(values: Sequence[str], missing: str) -> str:
    """The narrowest of int32, int64, float32, float64 and string that holds the values."""
    given = [value for value in values if value not in ("", missing)]
    try:
        numbers = [int(value) for value in given]
        return "int32" if all(_SMALLEST <= number <= _LARGEST for number in numbers) else "int64"
    except ValueError:
        pass
    try:
        wide = np.array(given, np.float64)
        return "float32" if np.all(np.abs(wide) <= np.finfo(np.float32).max) else "float64"
    except ValueError:
        return "string"


def _converted(name: str, texts: np.ndarray, dtype: str, default: Any, missing: str) -> np.ndarray:
    if dtype == "string":
        return np.where((texts == "") | (texts == missing), default or "", texts)
    texts = np.where((texts == "") | (texts == missing), str(default or 0), texts)
    try:
        return texts.astype(dtype)
    except (ValueError, OverflowError) as error:
        raise FileFormatError(f"column {name!r}: a value that is no {dtype}: {error}") from error
