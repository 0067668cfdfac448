"""Checks of arguments that several layers have; each returns the value in the form that the layer keeps."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..naming import expect, one_of


def fraction(value: Any, what: str) -> float:
    """`value`, if it is a number from 0 to 1; `what` names it in the error otherwise."""
    expect(what, value, isinstance(value, int | float | np.number) and 0 <= value <= 1, "a number from 0 to 1")
    return value


def checked_padding(value: str, kind: str, causal: bool = False) -> str:
    """`value` in lower case, if a layer of this kind knows it."""
    known = ("valid", "same", "causal") if causal else ("valid", "same")
    return one_of(f"{kind}: padding", value.lower() if isinstance(value, str) else value, *known)
