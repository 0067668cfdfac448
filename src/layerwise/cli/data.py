"""What the commands learn from and measure on: data sets by name, files and folders."""

from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from ..data import TrainingData, images, load

NAMES = {
    "digits": tuple("0123456789"),
    "mnist": tuple("0123456789"),
    "fashion_mnist": None,
    "cifar10": None,
}  # class names, where the module does not say them
VALIDATION_FRACTION = 0.1


def read(
    source: str, target: str | None = None, task: str | None = None, size: int | None = None, **table: Any
) -> TrainingData:
    """The data set of this name, or the data at this path; images brought to `size` x `size` where one is given.

    Numbers of tables and of images that are not uint8 come as float32. Where the data has no test part, the same fifth
    of it, stratified by class, is always set apart. table: more arguments of `load`.
    """
    square = None if size is None else (size, size)
    if source in NAMES and not Path(source).exists():
        for name, value in {"target": target, "task": task, **table}.items():
            if value and name != "columns":
                raise ValueError(f"--{name}: is for files of your own, '{source}' has classes")
        data = _named(source)
    else:
        if not Path(source).exists():
            raise ValueError(f"--data: no file or folder '{source}', and no data set of that name ({', '.join(NAMES)})")
        data = load(source, target, task=task, size=square, validation_fraction=VALIDATION_FRACTION, **table)
    if data.kind == "table":
        if size is not None:
            raise ValueError(f"--image-size: '{source}' holds a table, not images")
        data.x_train, data.x_test = (_float32(x, data.feature_names) for x in (data.x_train, data.x_test))
        return data
    if square is not None:
        data.x_train, data.x_test = (resized(x, square) for x in (data.x_train, data.x_test))
    if data.x_train.dtype != np.uint8:
        data.x_train, data.x_test = (_float32(x) for x in (data.x_train, data.x_test))
    return data


def _named(name: str) -> TrainingData:
    module = import_module(f"layerwise.datasets.{name}")
    (x_train, y_train), (x_test, y_test) = module.load_data()
    if x_train.ndim == 3:
        x_train, x_test = x_train[..., None], x_test[..., None]
    y_train, y_test = (y.reshape(-1).astype(np.int64) for y in (y_train, y_test))
    names = NAMES[name] or module.CLASS_NAMES
    return TrainingData(x_train, y_train, x_test, y_test, "image", "classification", names)


def resized(x: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Images (n, height, width, channels) with this height and width."""
    return x if x.shape[1:3] == size else images.resize_images(x, size)


def _float32(x: np.ndarray, names: tuple[str, ...] | None = None) -> np.ndarray:
    with np.errstate(over="ignore"):
        narrow = x.astype(np.float32)
    if not np.isfinite(narrow).all():
        place = np.argwhere(~np.isfinite(narrow))[0]
        column = f" in column '{names[place[-1]]}'" if names else ""
        raise ValueError(f"{x[tuple(place)]:g}{column} is too large for single precision (3.4e38)")
    return narrow
