"""One door for data in files: `load` recognises what a path holds."""

from dataclasses import dataclass
from os import PathLike
from pathlib import Path

import numpy as np

from . import cifar, idx
from .image_folder import class_folders, read_image_folder
from .npz import read_npz
from .split import stratified_split
from .table import column_names, read_csv
from .targets import check_task, encode_classes, task_of

_Parts = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]
_PARTS = ("x_train", "y_train", "x_test", "y_test")


@dataclass
class TrainingData:
    """Examples to train and to test with, and what they are.

    x_train, x_test   kind 'image': (n, height, width, channels); kind 'table': (n, features), one column a feature
    y_train, y_test   task 'classification': (n,) int64 that indexes class_names; 'regression': (n,) float64
    class_names       one a class, None for regression
    feature_names     one a column, None for images
    """

    x_train: np.ndarray
    y_train: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray
    kind: str
    task: str
    class_names: tuple[str, ...] | None = None
    feature_names: tuple[str, ...] | None = None


def load(
    path: str | PathLike[str],
    target: str | None = None,
    *,
    task: str | None = None,
    size: tuple[int, int] | None = None,
    test_fraction: float = 0.2,
    seed: int = 0,
) -> TrainingData:
    """The data at `path`, which is one of

    - a folder with MNIST's four IDX files, plain or .gz, or one of those files
    - CIFAR-10's Python archive (.tar.gz) or its folder
    - a folder of images with one sub-folder a class, or with `train` and `test` folders of that kind
    - an .npz with arrays x_train, y_train, x_test, y_test or x, y, where x is a table (n, features) or holds images
      (n, height, width) or (n, height, width, channels)
    - a .csv whose column `target` is to be predicted

    target: for a .csv only. task: 'classification' or 'regression' where the target should not decide (`read_csv`).
    size: (height, width) for image files. Where the source has no test part, `test_fraction` of it, stratified by
    class, becomes one; the same `seed` gives the same split. Raises `ValueError` that names the file for data that is
    malformed, not finite, empty or of one class only; `FileNotFoundError` where nothing is.

    >>> path = getfixture("tmp_path") / "points.npz"
    >>> np.savez(path, x=np.eye(10), y=np.arange(10) % 2)
    >>> data = load(path)
    >>> data.kind, data.task, data.x_train.shape, data.class_names
    ('table', 'classification', (8, 10), ('0', '1'))
    """
    check_task(task)
    path = Path(path)
    split = (test_fraction, seed)
    if not path.exists():
        raise FileNotFoundError(f"{path}: no such file or folder")
    if target is not None and path.suffix.lower() != ".csv":
        raise ValueError(f"{path}: target={target!r} names a column, but this is no .csv file")
    if task == "regression" and path.suffix.lower() not in (".npz", ".csv"):
        raise ValueError(f"{path}: task='regression', but what it holds has classes")
    if cifar.is_cifar10(path):
        (x_train, y_train), (x_test, y_test) = cifar.read_cifar10(path)
        y_train, y_test = y_train[:, 0].astype(np.int64), y_test[:, 0].astype(np.int64)
        return TrainingData(x_train, y_train, x_test, y_test, "image", "classification", cifar.CLASS_NAMES)
    if folder := _idx_folder(path):
        (x_train, y_train), (x_test, y_test) = idx.read_mnist_folder(folder)
        return _assemble(path, (x_train, y_train, x_test, y_test), "classification")
    if path.is_dir():
        return _image_folder(path, size, split)
    if path.suffix.lower() == ".npz":
        return _npz(path, task, split)
    if path.suffix.lower() == ".csv":
        return _csv(path, target, task, split)
    raise ValueError(
        f"{path}: expected a folder with MNIST's IDX files, a folder of images with one sub-folder a class, "
        "an .npz, a .csv or CIFAR-10's .tar.gz"
    )


def _idx_folder(path: Path) -> Path | None:
    folder = path if path.is_dir() else path.parent
    files = [idx.find_idx(folder, part, what) for part in ("train", "t10k") for what in ("images", "labels")]
    return folder if any(files) and (path.is_dir() or path in files) else None


def _image_folder(path: Path, size: tuple[int, int] | None, split: tuple[float, int]) -> TrainingData:
    if {p.name for p in path.iterdir() if p.is_dir()} >= {"train", "test"} and class_folders(path / "train"):
        train = read_image_folder(path / "train", size)
        test = read_image_folder(path / "test", train.images.shape[1:3], train.images.shape[3])
        if test.class_names != train.class_names:
            raise ValueError(f"{path}: train has the classes {train.class_names}, test has {test.class_names}")
        parts = (train.images, train.labels, test.images, test.labels)
    else:
        train = read_image_folder(path, size)
        parts = _divide(path, train.images, train.labels, train.labels, split)
    if len(train.class_names) < 2:
        raise ValueError(f"{path}: one class only ({train.class_names[0]}): expected two sub-folders or more")
    return TrainingData(*parts, "image", "classification", train.class_names)


def _npz(path: Path, task: str | None, split: tuple[float, int]) -> TrainingData:
    arrays = read_npz(path)
    if arrays.keys() >= set(_PARTS):
        return _assemble(path, (arrays["x_train"], arrays["y_train"], arrays["x_test"], arrays["y_test"]), task)
    if arrays.keys() >= {"x", "y"}:
        x, y = arrays["x"], arrays["y"]
        _check_pair(path, "x", x, "y", y)
        y = y.reshape(len(y))
        chosen = task or _task(x, y)
        return _assemble(
            path, _divide(path, x, y, y if chosen == "classification" else np.zeros(len(y)), split), chosen
        )
    raise ValueError(f"{path}: expected arrays {', '.join(_PARTS)} or x, y; got {', '.join(arrays) or 'none'}")


def _csv(path: Path, target: str | None, task: str | None, split: tuple[float, int]) -> TrainingData:
    if target is None:
        columns = ", ".join(column_names(path))
        raise ValueError(f"{path}: which column is to be predicted? Give target=...; columns: {columns}")
    table = read_csv(path, target, task)
    assert table.y is not None
    assert table.task is not None
    if not table.feature_names:
        raise ValueError(f"{path}: only the target column '{target}': nothing to predict it from")
    if table.class_names is not None:
        _check_classes(path, table.class_names)
    strata = table.y if table.class_names else np.zeros(len(table.y))
    parts = _divide(path, table.x, table.y, strata, split)
    return TrainingData(*parts, "table", table.task, table.class_names, table.feature_names)


def _divide(path: Path, x: np.ndarray, y: np.ndarray, strata: np.ndarray, split: tuple[float, int]) -> _Parts:
    rest, chosen = stratified_split(strata, *split)
    if not len(rest) or not len(chosen):
        raise ValueError(f"{path}: {len(y)} examples cannot be split into a training and a test part")
    return x[rest], y[rest], x[chosen], y[chosen]


def _assemble(path: Path, parts: _Parts, task: str | None) -> TrainingData:
    """Check arrays that belong together, and give labels, channels and names their form."""
    x_train, y_train, x_test, y_test = parts
    _check_pair(path, "x_train", x_train, "y_train", y_train)
    _check_pair(path, "x_test", x_test, "y_test", y_test)
    if x_train.shape[1:] != x_test.shape[1:]:
        raise ValueError(f"{path}: training examples have shape {x_train.shape[1:]}, test examples {x_test.shape[1:]}")
    kind = "table" if x_train.ndim == 2 else "image"
    if x_train.ndim == 3:
        x_train, x_test = x_train[..., None], x_test[..., None]
    y = np.concatenate([y_train.reshape(-1), y_test.reshape(-1)])
    class_names = None
    if (task or _task(x_train, y)) == "classification":
        y, class_names = encode_classes(y)
        _check_classes(path, class_names)
    elif y.dtype.kind not in "biuf":
        raise ValueError(f"{path}: regression needs targets that are numbers, got {y.dtype}")
    else:
        y = y.astype(np.float64)
    features = tuple(f"x{i}" for i in range(x_train.shape[1])) if kind == "table" else None
    n = len(x_train)
    task = "regression" if class_names is None else "classification"
    return TrainingData(x_train, y[:n], x_test, y[n:], kind, task, class_names, features)


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
