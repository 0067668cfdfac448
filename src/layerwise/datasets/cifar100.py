"""CIFAR-100: 60,000 small colour photographs of a hundred kinds of things, in twenty groups."""

from os import PathLike

import numpy as np

from ..data.cifar import is_cifar100, read_cifar100
from ..lazy import public_only
from .sources import existing, keras_folder, obtain

__all__ = ["load_data"]
public_only(__name__)

_Arrays = tuple[np.ndarray, np.ndarray]
_NAME = "cifar-100-python.tar.gz"
_URL = "https://www.cs.toronto.edu/~kriz/cifar-100-python.tar.gz"
_SHA256 = "85cd44d02ba6437773c5bbd22e183051d648de2e7d6b014e1ef29b855ba677a7"  # as Keras has it
_KERAS_FOLDERS = ("cifar-100-python-target", "cifar-100-python")  # Keras 3's and Keras 2's


def load_data(label_mode: str = "fine", path: str | PathLike[str] | None = None) -> tuple[_Arrays, _Arrays]:
    """`(x_train, y_train), (x_test, y_test)`: images (50000 and 10000, 32, 32, 3) uint8, labels (n, 1) uint8.

    label_mode: "fine", a hundred kinds, or "coarse", twenty groups of five kinds. path: the Python version of the set,
    of your own: the archive or the folder it unpacks to. Without one it comes from Keras' cache or Layerwise's,
    downloaded (169 MB) into the latter if neither has it. Its pickles are read without unpickling, nothing in them is
    executed.

    Source: A. Krizhevsky, "Learning multiple layers of features from tiny images", 2009.

    >>> load_data(path="no such folder")
    Traceback (most recent call last):
    FileNotFoundError: no such folder: no such file or folder; without a path the data set is downloaded
    """
    if path is not None:
        return read_cifar100(existing(path), label_mode)
    for folder in _KERAS_FOLDERS:
        if is_cifar100(keras_folder() / folder):
            return read_cifar100(keras_folder() / folder, label_mode)
    return read_cifar100(obtain(_NAME, _URL, _SHA256), label_mode)
