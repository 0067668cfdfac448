"""CIFAR-10: 60,000 small colour photographs of ten kinds of things."""

from os import PathLike

import numpy as np

from ..data.cifar import CLASS_NAMES as CLASS_NAMES
from ..data.cifar import is_cifar10, read_cifar10
from ..lazy import public_only
from .sources import existing, keras_folder, obtain

__all__ = ["CLASS_NAMES", "load_data"]
public_only(__name__)

_Arrays = tuple[np.ndarray, np.ndarray]
_NAME = "cifar-10-python.tar.gz"
_URL = "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz"
_SHA256 = "6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce"
_KERAS_FOLDERS = ("cifar-10-batches-py-target", "cifar-10-batches-py")  # Keras 3's and Keras 2's


def load_data(path: str | PathLike[str] | None = None) -> tuple[_Arrays, _Arrays]:
    """`(x_train, y_train), (x_test, y_test)`: images (50000 and 10000, 32, 32, 3) uint8, labels (n, 1) uint8.

    `CLASS_NAMES[label]` says what is shown. path: the Python version of the set, of your own: the archive or the folder
    it unpacks to. Without one it comes from Keras' cache or Layerwise's, downloaded (170 MB) into the latter if
    neither has it. The batches are pickles; they are read without unpickling, nothing in them is executed.

    Source: A. Krizhevsky, "Learning multiple layers of features from tiny images", 2009.

    >>> load_data("no such folder")
    Traceback (most recent call last):
    FileNotFoundError: no such folder: no such file or folder; without a path the data set is downloaded
    """
    if path is not None:
        return read_cifar10(existing(path))
    for folder in _KERAS_FOLDERS:
        if is_cifar10(keras_folder() / folder):
            return read_cifar10(keras_folder() / folder)
    return read_cifar10(obtain(_NAME, _URL, _SHA256))
