"""What this package accepts; all else is a `ValueError` that says what came and what was expected."""

from numbers import Integral, Real

import numpy as np
from numpy.typing import ArrayLike


def check_rate(name: str, value: float) -> float:
    """`value`, if it is a finite number above 0: a learning rate or Adam's epsilon."""
    if not isinstance(value, Real) or not np.isfinite(value) or value <= 0:
        raise ValueError(f"{name}: got {value!r}, expected a finite number > 0")
    return value


def check_size(name: str, value: int) -> int:
    """`value`, if it is a whole number >= 1: a number of inputs or of neurons."""
    if not isinstance(value, Integral) or value < 1:
        raise ValueError(f"{name}: got {value!r}, expected an integer >= 1")
    return int(value)


def check_floats(name: str, value: ArrayLike) -> np.ndarray:
    """`value` as a float64 array, if it holds finite numbers only."""
    try:
        array = np.asarray(value, dtype=float)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name}: got {type(value).__name__} ({error}), expected an array of numbers") from None
    if not np.isfinite(array).all():
        raise ValueError(f"{name}: got NaN or infinity, expected finite numbers")
    return array


def check_one_hot(name: str, y: np.ndarray) -> None:
    """Every row of `y` (..., classes) holds a single 1 and otherwise 0."""
    wrong = (y.sum(axis=-1) != 1) | ~np.isin(y, (0, 1)).all(axis=-1)
    if wrong.any():
        raise ValueError(f"{name}: got the row {y[wrong][0].tolist()}, expected one-hot rows: a single 1, otherwise 0")
