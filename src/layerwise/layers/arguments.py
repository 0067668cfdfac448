"""Checks of arguments that several layers have; each returns the value in the form that the layer keeps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np


def fraction(value: Any, what: str) -> float:
    """`value`, if it is a number from 0 to 1; `what` names it in the error otherwise."""
    if not isinstance(value, int | float | np.number) or not 0 <= value <= 1:
        raise ValueError(f"{what}: got {value!r}, expected a number from 0 to 1")
    return value  # type: ignore[return-value]


def per_dimension(value: int | Sequence[int], rank: int, name: str, least: int = 1) -> tuple[int, ...]:
    """One whole number for each spatial dimension, from one for all or one for each."""
    values = tuple(value) if np.iterable(value) else (value,) * rank
    if len(values) != rank or not all(isinstance(v, int | np.integer) and v >= least for v in values):
        raise ValueError(f"{name}: got {value!r}, expected a whole number >= {least} or a tuple of {rank} of them")
    return tuple(map(int, values))


def checked_padding(value: str, kind: str, causal: bool = False) -> str:
    """`value` in lower case, if a layer of this kind knows it."""
    known = ("valid", "same", "causal") if causal else ("valid", "same")
    if not isinstance(value, str) or value.lower() not in known:
        raise ValueError(f"{kind}: padding: got {value!r}, expected one of {known}")
    return value.lower()
