"""MNIST: 70,000 handwritten digits, 28 x 28 grey pixels."""

from os import PathLike
from pathlib import Path

import numpy as np

from ..lazy import public_only
from .sources import existing, obtain, read_grey_images

__all__ = ["load_data"]
public_only(__name__)

_Arrays = tuple[np.ndarray, np.ndarray]
_NAME = "mnist.npz"
_URL = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/mnist.npz"
_SHA256 = "731c5ac602752760c8e48fbffcf8c3b850d9dc2a2aedcf2cc48468fc17b673d1"


def load_data(path: str | PathLike[str] = _NAME) -> tuple[_Arrays, _Arrays]:
    """`(x_train, y_train), (x_test, y_test)`: images (60000 and 10000, 28, 28) uint8 in 0..255, labels (n,) uint8.

    path: an .npz in Keras' layout, or a folder with the four IDX files (.gz or not), of your own. With the default the
    file comes from Keras' cache (`KERAS_HOME`) or Layerwise's (`LAYERWISE_HOME`), and is downloaded (11 MB) into the
    latter if neither has it; another bare name is the name it gets there.

    Source: Y. LeCun, C. Cortes, C. J. C. Burges, "The MNIST database of handwritten digits"; CC BY-SA 3.0.

    >>> load_data("folder/mnist.npz")
    Traceback (most recent call last):
    FileNotFoundError: folder/mnist.npz: no such file or folder; without a path the data set is downloaded
    """
    if path == _NAME:
        return read_grey_images(obtain(_NAME, _URL, _SHA256))
    if Path(path).exists() or Path(path).name != str(path):
        return read_grey_images(existing(path))
    return read_grey_images(obtain(str(path), _URL, _SHA256))
