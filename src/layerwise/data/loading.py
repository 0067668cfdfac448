"""One door for data in files: `load` recognises what a path holds."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path

import numpy as np

from ..naming import one_of
from . import cifar, idx
from .cells import NUMBER, TEXT, Cells, kinds_of, read_cells
from .columns import MISSING, Columns
from .csv_file import CsvFile, is_csv, listed
from .image_folder import class_folders, passed_over, read_image_folder
from .npz import read_npz
from .split import stratified_split
from .table import read_target
from .targets import check_task, encode_classes, task_of

_Parts = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]
_PARTS = ("x_train", "y_train", "x_test", "y_test")
_NARROWEST = 3  # pixels that no image is wide


@dataclass
class TrainingData:
    """Examples to train and to test with, and what they are.

    x_train, x_test   kind 'image': (n, height, width, channels); kind 'table': (n, features), one column a feature
    y_train, y_test   task 'classification': (n,) int64 that indexes class_names; 'regression': (n,) float64
    class_names       one a class, None for regression
    feature_names     one a column, None for images
    columns           what was learned of a table's columns
    notes             what was left out or filled in
    test_names        where each test example is: its row in a .csv, its file in a folder; None for arrays
    """

    x_train: np.ndarray
    y_train: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray
    kind: str
    task: str
    class_names: tuple[str, ...] | None = None
    feature_names: tuple[str, ...] | None = None
    columns: Columns | None = None
    notes: list[str] = field(default_factory=list)
    test_names: list[str] | None = None


@dataclass(frozen=True)
class _Wanted:
    """The arguments of `load` that tell how to divide the data, and how to read tables."""

    task: str | None
    test_fraction: float
    validation_fraction: float
    seed: int
    ignore: Sequence[str]
    missing: str | None
    delimiter: str | None
    columns: Columns | None

    def divided(self, path: Path, y: np.ndarray, task: str) -> tuple[np.ndarray, np.ndarray]:
        """The rows to train and to test with."""
        rest, chosen = set_apart(y, task, self.test_fraction, self.seed)
        if not len(rest) or not len(chosen):
            raise ValueError(f"{path}: {len(y)} examples cannot be split into a training and a test part")
        return rest, chosen

    def learned(self, path: Path, cells: dict[str, Cells], rest: np.ndarray, y: np.ndarray, task: str) -> Columns:
        """What a table's columns are: as given, or learned from its training rows."""
        if self.columns is not None:
            return self.columns
        if self.validation_fraction:
            rest = rest[set_apart(y[rest], task, self.validation_fraction)[0]]
        try:
            return Columns.learn(cells, rest, self.missing)
        except ValueError as error:
            raise ValueError(f"{path}: {error}") from error


def set_apart(y: np.ndarray, task: str, fraction: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """`stratified_split` of the examples: by class, or at random where numbers are to be predicted."""
    return stratified_split(y if task == "classification" else np.zeros(len(y)), fraction, seed)


def load(
    path: str | PathLike[str],
    target: str | None = None,
    *,
    task: str | None = None,
    size: tuple[int, int] | None = None,
    test_fraction: float = 0.2,
    validation_fraction: float = 0.0,
    seed: int = 0,
    ignore: Sequence[str] = (),
    missing: str | None = None,
    delimiter: str | None = None,
    columns: Columns | None = None,
) -> TrainingData:
    """The data at `path`, which is one of

    - a folder with MNIST's four IDX files, plain or .gz, or one of those files
    - CIFAR-10's Python archive (.tar.gz) or its folder
    - a folder of images with one sub-folder a class, or with `train` and `test` folders of that kind
    - an .npz with arrays x_train, y_train, x_test, y_test or x, y, where x is a table (n, features) or holds images
      (n, height, width) or (n, height, width, channels); what is three wide or high at most is a table, too
    - a .csv (or .tsv) whose column `target` is to be predicted

    target: for a .csv only. task: 'classification' or 'regression' where the target should not decide (`read_csv`).
    size: (height, width) for image files. Where the source has no test part, `test_fraction` of it, stratified by
    class, becomes one; the same `seed` gives the same split. Raises `ValueError` that names the file for data that is
    malformed, not finite, empty or of one class only; `FileNotFoundError` where nothing is.

    Of a .csv, numbers are taken as they are, dates (2024-01-31) as year, month and weekday. Text becomes a column of 0
    and 1 for each value that five rows have, and one for all others; more than 50 values, or another one in each row,
    are refused. ignore: columns to leave out. missing: None refuses missing values, 'drop' leaves out the rows that
    have some, 'mean' and 'most-frequent' fill them in (text and dates with the most frequent value, both times); rows
    without a target are left out. delimiter: between values; by default found. What is said of the columns comes from
    the training rows, without those that `set_apart(y_train, task, validation_fraction)` chooses; or else from
    `columns`, those of the data that a model was trained on.

    >>> path = getfixture("tmp_path") / "points.npz"
    >>> np.savez(path, x=np.eye(10), y=np.arange(10) % 2)
    >>> data = load(path)
    >>> data.kind, data.task, data.x_train.shape, data.class_names
    ('table', 'classification', (8, 10), ('0', '1'))
    """
    check_task(task)
    path = Path(path)
    if missing is not None:
        one_of("missing", missing, *MISSING)
    wanted = _Wanted(task, test_fraction, validation_fraction, seed, ignore, missing, delimiter, columns)
    if not path.exists():
        raise FileNotFoundError(f"{path}: no such file or folder")
    if target is not None and not is_csv(path):
        raise ValueError(f"{path}: target={target!r} names a column, but this is no .csv file")
    for name, value in {"ignore": ignore, "missing": missing, "delimiter": delimiter}.items():
        if value and not is_csv(path):
            raise ValueError(f"{path}: {name}={value!r} tells how to read a table, but this is no .csv file")
    if task == "regression" and path.suffix.lower() != ".npz" and not is_csv(path):
        raise ValueError(f"{path}: task='regression', but what it holds has classes")
    if cifar.is_cifar10(path):
        (x_train, y_train), (x_test, y_test) = cifar.read_cifar10(path)
        y_train, y_test = y_train[:, 0].astype(np.int64), y_test[:, 0].astype(np.int64)
        return TrainingData(x_train, y_train, x_test, y_test, "image", "classification", cifar.CLASS_NAMES)
    if folder := _idx_folder(path):
        (x_train, y_train), (x_test, y_test) = idx.read_mnist_folder(folder)
        return _assemble(path, (x_train, y_train, x_test, y_test), "classification", wanted)
    if path.is_dir():
        return _image_folder(path, size, wanted)
    if path.suffix.lower() == ".npz":
        return _npz(path, wanted)
    if is_csv(path):
        return _csv(path, target, wanted)
    raise ValueError(
        f"{path}: expected a folder with MNIST's IDX files, a folder of images with one sub-folder a class, "
        "an .npz, a .csv or CIFAR-10's .tar.gz"
    )


def _idx_folder(path: Path) -> Path | None:
    folder = path if path.is_dir() else path.parent
    files = [idx.find_idx(folder, part, what) for part in ("train", "t10k") for what in ("images", "labels")]
    return folder if any(files) and (path.is_dir() or path in files) else None


def _image_folder(path: Path, size: tuple[int, int] | None, wanted: _Wanted) -> TrainingData:
    if {p.name for p in path.iterdir() if p.is_dir()} >= {"train", "test"} and class_folders(path / "train"):
        train = read_image_folder(path / "train", size)
        test = read_image_folder(path / "test", train.images.shape[1:3], train.images.shape[3])
        if test.class_names != train.class_names:
            raise ValueError(f"{path}: train has the classes {train.class_names}, test has {test.class_names}")
        parts = (train.images, train.labels, test.images, test.labels)
        others = [f"train/{name}" for name in train.passed_over] + [f"test/{name}" for name in test.passed_over]
        others += passed_over(path, {"train": [], "test": []})
        files = list(test.paths)
    else:
        train = read_image_folder(path, size)
        rest, chosen = wanted.divided(path, train.labels, "classification")
        parts = (train.images[rest], train.labels[rest], train.images[chosen], train.labels[chosen])
        others = list(train.passed_over)
        files = [train.paths[i] for i in chosen]
    if len(train.class_names) < 2:
        raise ValueError(f"{path}: one class only ({train.class_names[0]}): expected two sub-folders or more")
    notes = [f"no images, left out: {listed(others)}"] if others else []
    names = [str(file.relative_to(path)) for file in files]
    return TrainingData(*parts, "image", "classification", train.class_names, notes=notes, test_names=names)


def _npz(path: Path, wanted: _Wanted) -> TrainingData:
    arrays = read_npz(path)
    if arrays.keys() >= set(_PARTS):
        parts = (arrays["x_train"], arrays["y_train"], arrays["x_test"], arrays["y_test"])
        return _assemble(path, parts, wanted.task, wanted)
    if arrays.keys() >= {"x", "y"}:
        x, y = arrays["x"], arrays["y"]
        _check_pair(path, "x", x, "y", y)
        y = y.reshape(len(y))
        task = wanted.task or _task(x, y)
        return _assemble(path, _divide(path, x, y, task, wanted), task, wanted)
    raise ValueError(f"{path}: expected arrays {', '.join(_PARTS)} or x, y; got {', '.join(arrays) or 'none'}")


def _csv(path: Path, target: str | None, wanted: _Wanted) -> TrainingData:
    file = CsvFile(path, wanted.delimiter)
    if target is None:
        raise ValueError(
            f"{path}: which column is to be predicted? Give --target COLUMN; columns: {listed(file.names)} "
            "(target=... in Python)"
        )
    for name in (target, *wanted.ignore):
        file.check_has(name)
    features = [name for name in file.names if name != target and name not in wanted.ignore]
    if not features:
        raise ValueError(f"{path}: only the target column '{target}': nothing to predict it from")
    if wanted.columns is None:
        kinds, notes = kinds_of(file, features)
    else:
        kinds, notes = wanted.columns.kinds, wanted.columns.check(features, path)
    cells = read_cells(file, {**kinds, target: TEXT})
    rows, dropped = _rows_with_values(path, cells, target, wanted)
    cells = {name: column[rows] for name, column in cells.items()}
    y, class_names, task = read_target(cells.pop(target), wanted.task, f"{path}: column '{target}'")
    if class_names is not None:
        _check_classes(path, class_names)
    rest, chosen = wanted.divided(path, y, task)
    columns = wanted.learned(path, cells, rest, y, task)
    x, filled = columns.encode(cells)
    notes = [*file.notes, *notes, *dropped, *filled]
    parts = (x[rest], y[rest], x[chosen], y[chosen])
    names = [f"row {row + 1:,}" for row in rows[chosen]]
    return TrainingData(*parts, "table", task, class_names, columns.inputs, columns, notes, names)


def _rows_with_values(
    path: Path, cells: dict[str, Cells], target: str, wanted: _Wanted
) -> tuple[np.ndarray, list[str]]:
    """The rows that can be learned from, and a note on those left out: without a target, and as `missing` says."""
    n = len(cells[target].values)
    counts = {name: int(column.is_missing.sum()) for name, column in cells.items()}
    lacking = listed(f"{name} ({count:,} of {n:,})" for name, count in counts.items() if count)
    if lacking and wanted.missing is None and wanted.columns is None:
        raise ValueError(
            f"{path}: values are missing: {lacking}; choose --missing {'|'.join(MISSING)} (missing=... in Python), "
            "or leave columns out with --ignore"
        )
    missing = wanted.missing if wanted.columns is None else wanted.columns.missing
    needed = list(cells) if missing == "drop" else [target]
    rows = np.flatnonzero(~np.any([cells[name].is_missing for name in needed], axis=0))
    if not len(rows):
        raise ValueError(f"{path}: no row has a value in each of {listed(needed)}")
    why = listed(name for name in needed if counts[name])
    return rows, [f"{n - len(rows):,} of {n:,} rows, which lack {why}, are left out"] if why else []


def _divide(path: Path, x: np.ndarray, y: np.ndarray, task: str, wanted: _Wanted) -> _Parts:
    rest, chosen = wanted.divided(path, y, task)
    return x[rest], y[rest], x[chosen], y[chosen]


def _assemble(path: Path, parts: _Parts, task: str | None, wanted: _Wanted) -> TrainingData:
    """Check arrays that belong together, and give labels, channels and names their form."""
    x_train, y_train, x_test, y_test = parts
    _check_pair(path, "x_train", x_train, "y_train", y_train)
    _check_pair(path, "x_test", x_test, "y_test", y_test)
    if x_train.shape[1:] != x_test.shape[1:]:
        raise ValueError(f"{path}: training examples have shape {x_train.shape[1:]}, test examples {x_test.shape[1:]}")
    y = np.concatenate([y_train.reshape(-1), y_test.reshape(-1)])
    class_names = None
    task = task or _task(x_train, y)
    if task == "classification":
        y, class_names = encode_classes(y)
        _check_classes(path, class_names)
    elif y.dtype.kind not in "biuf":
        raise ValueError(f"{path}: regression needs targets that are numbers, got {y.dtype}")
    else:
        y = y.astype(np.float64)
    parts = (x_train, y[: len(x_train)], x_test, y[len(x_train) :])
    if not _is_image(x_train):
        return _table(path, parts, task, class_names, wanted)
    if x_train.ndim == 3:
        x_train, x_test = x_train[..., None], x_test[..., None]
    return TrainingData(x_train, parts[1], x_test, parts[3], "image", task, class_names)


def _table(path: Path, parts: _Parts, task: str, class_names: tuple[str, ...] | None, wanted: _Wanted) -> TrainingData:
    x_train, y_train, x_test, y_test = parts
    shape = x_train.shape[1:]
    train, test = (
        {f"x{i}": Cells(NUMBER, column) for i, column in enumerate(x.reshape(len(x), -1).T)} for x in (x_train, x_test)
    )
    notes = [f"examples of shape {shape} are no images: taken for {len(train)} columns"] if len(shape) > 1 else []
    columns = wanted.learned(path, train, np.arange(len(y_train)), y_train, task)
    notes += columns.check(train, path)
    x_train, x_test = (columns.encode(cells)[0] for cells in (train, test))
    return TrainingData(x_train, y_train, x_test, y_test, "table", task, class_names, columns.inputs, columns, notes)


def _is_image(x: np.ndarray) -> bool:
    """Whether examples of this shape are images, rather than rows or series of numbers: wider and higher than 3."""
    return x.ndim > 2 and min(x.shape[1:3]) > _NARROWEST


def _task(x: np.ndarray, y: np.ndarray) -> str:
    """As `task_of`; but integers that come with images are always classes."""
    return "classification" if x.ndim > 2 and y.dtype.kind in "iu" else task_of(y)


def _check_pair(path: Path, x_name: str, x: np.ndarray, y_name: str, y: np.ndarray) -> None:
    if x.ndim not in (2, 3, 4) or x.size == 0 or x.dtype.kind not in "biuf":
        raise ValueError(
            f"{path}: {x_name}: expected numbers of shape (n, features), (n, height, width) or "
            f"(n, height, width, channels), got {x.dtype} of shape {x.shape}"
        )
    if y.shape not in ((len(x),), (len(x), 1)):
        raise ValueError(
            f"{path}: {y_name}: expected one label or number for each of the {len(x)} examples, "
            f"shape ({len(x)},), got {y.shape}"
        )
    for name, array in (x_name, x), (y_name, y):
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            record = np.argwhere(~np.isfinite(array))[0].tolist()
            raise ValueError(f"{path}: {name}: not finite at {record}: {array[tuple(record)]}")


def _check_classes(path: Path, class_names: tuple[str, ...]) -> None:
    if len(class_names) < 2:
        raise ValueError(f"{path}: one class only ({class_names[0]}): there is nothing to learn")
