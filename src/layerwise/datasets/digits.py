"""The UCI optical digits: 1,797 real handwritten digits, 8 x 8 pixels, inside the package."""

from importlib.resources import as_file, files

import numpy as np

from ..data.npz import read_npz
from ..data.split import stratified_split
from ..lazy import public_only

__all__ = ["load_data"]
public_only(__name__)

_Arrays = tuple[np.ndarray, np.ndarray]
_MOST_INK = 16  # each pixel counts the dark points of a 4 x 4 cell
_TEST_FRACTION = 0.2
_SPLIT_SEED = 0


def load_data() -> tuple[_Arrays, _Arrays]:
    """`(x_train, y_train), (x_test, y_test)`: images (n, 8, 8) uint8, labels (n,) uint8 in 0..9.

    Pixels are in 0..255, light on dark. A fixed split, 1,438 to train and 359 to test, in which every digit
    keeps its share. The original counts ink from 0 to 16; like other image sets this one fills 0..255:
    pixel = round(ink * 255 / 16), and ink = round(pixel * 16 / 255) restores it.

    Source: E. Alpaydin and C. Kaynak, "Optical Recognition of Handwritten Digits", UCI Machine Learning
    Repository, 1998, https://doi.org/10.24432/C50P49 (the test part), CC BY 4.0.

    >>> (x_train, y_train), (x_test, y_test) = load_data()
    >>> x_train.shape, x_test.shape, int(x_train.max())
    ((1438, 8, 8), (359, 8, 8), 255)
    """
    with as_file(files("layerwise.datasets") / "digits.npz") as path:
        arrays = read_npz(path)
    x = np.rint(arrays["x"] * np.float32(255 / _MOST_INK)).astype(np.uint8)
    y = arrays["y"]
    train, test = stratified_split(y, _TEST_FRACTION, seed=_SPLIT_SEED)
    return (x[train], y[train]), (x[test], y[test])
