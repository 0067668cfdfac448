"""Fashion-MNIST: 70,000 articles of clothing, 28 x 28 grey pixels."""

from os import PathLike

import numpy as np

from ..data.idx import read_pair
from ..lazy import public_only
from .sources import existing, obtain, read_grey_images

__all__ = ["CLASS_NAMES", "load_data"]
public_only(__name__)

_Arrays = tuple[np.ndarray, np.ndarray]
_FOLDER = "fashion-mnist"
_URL = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/"
_SHA256 = {
    "train-images-idx3-ubyte.gz": "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
    "train-labels-idx1-ubyte.gz": "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
    "t10k-images-idx3-ubyte.gz": "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
    "t10k-labels-idx1-ubyte.gz": "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
}

CLASS_NAMES = (
    "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
)  # fmt: skip


def load_data(path: str | PathLike[str] | None = None) -> tuple[_Arrays, _Arrays]:
    """`(x_train, y_train), (x_test, y_test)`: images (60000 and 10000, 28, 28) uint8 in 0..255, labels (n,) uint8.

    `CLASS_NAMES[label]` says what is shown. path: a folder of your own with the four IDX files (.gz or not), or an .npz
    with x_train, y_train, x_test, y_test; without one each file comes from Keras' cache or Layerwise's, downloaded
    (30 MB together) into the latter if neither has it.

    Source: H. Xiao, K. Rasul, R. Vollgraf, "Fashion-MNIST", 2017, arXiv:1708.07747; MIT licence.

    >>> load_data("no such folder")
    Traceback (most recent call last):
    FileNotFoundError: no such folder: no such file or folder; without a path the data set is downloaded
    """
    if path is not None:
        return read_grey_images(existing(path))
    files = [obtain(f"{_FOLDER}/{name}", _URL + name, sha256) for name, sha256 in _SHA256.items()]
    return read_pair(*files[:2]), read_pair(*files[2:])
