"""California housing: 20,640 districts of the census of 1990, and what houses cost there."""

from os import PathLike

import numpy as np

from ..lazy import public_only
from ..naming import one_of
from .housing import read_houses, split

__all__ = ["load_data"]
public_only(__name__)

_Arrays = tuple[np.ndarray, np.ndarray]
_NAME = "california_housing.npz"
_SHA256 = "1a2e3a52e0398de6463aebe6f4a8da34fb21fbb6b934cf88c3425e766f2a1a6f"  # as Keras has it
_SMALL = 600


def load_data(
    version: str = "large", path: str | PathLike[str] = _NAME, test_split: float = 0.2, seed: int = 113
) -> tuple[_Arrays, _Arrays]:
    """`(x_train, y_train), (x_test, y_test)`: 8 numbers a district, and the median price of houses in dollars.

    The numbers: median income, age of houses, rooms and bedrooms a household, people, people a household, latitude,
    longitude.

    Args:
        version: "large", or "small": the first 600 districts.
        path: an .npz of your own. With the default the file comes from Keras' cache or Layerwise's, and is downloaded
            (743 kB) into the latter if neither has it; another bare name is the name it gets there.
        test_split: the part of the districts that is for testing.
        seed: of the order.

    Source: R. Pace, R. Barry, "Sparse spatial autoregressions", 1997.
    """
    rows = slice(_SMALL if one_of("california_housing: version", version, "small", "large") == "small" else None)
    x, y = read_houses(path, _NAME, _SHA256, columns=8)
    return split(x[rows], y[rows], test_split, seed)
