"""Boston housing: 506 districts of the 1970s, and what houses cost there."""

from os import PathLike

import numpy as np

from ..lazy import public_only
from .housing import read_houses, split

__all__ = ["load_data"]
public_only(__name__)

_Arrays = tuple[np.ndarray, np.ndarray]
_NAME = "boston_housing.npz"
_SHA256 = "f553886a1f8d56431e820c5b82552d9d95cfcb96d1e678153f8839538947dff5"  # as Keras has it


def load_data(path: str | PathLike[str] = _NAME, test_split: float = 0.2, seed: int = 113) -> tuple[_Arrays, _Arrays]:
    """`(x_train, y_train), (x_test, y_test)`: 13 numbers a district, and the median price of houses in 1,000 dollars.

    One of the columns supposes that people's origin tells the worth of houses; take `california_housing` unless that
    is what you study.

    Args:
        path: an .npz of your own. With the default the file comes from Keras' cache or Layerwise's, and is downloaded
            (57 kB) into the latter if neither has it; another bare name is the name it gets there.
        test_split: the part of the districts that is for testing.
        seed: of the order.

    Source: D. Harrison, D. Rubinfeld, "Hedonic prices and the demand for clean air", 1978.
    """
    return split(*read_houses(path, _NAME, _SHA256, columns=13), test_split, seed)
