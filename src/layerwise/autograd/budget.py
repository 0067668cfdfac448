"""A budget of memory for graphs from files, which may ask for any size."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator, Sequence
from contextvars import ContextVar

import numpy as np

# Bytes that may still be computed of constants; None: as many as one likes.
room: ContextVar[list[int] | None] = ContextVar("room", default=None)
Form = tuple[Sequence[int], str]  # shape and dtype of an array


@contextlib.contextmanager
def outlining(size: int) -> Iterator[None]:
    """Inside the `with` block `size` bytes may be computed of constants; what goes beyond is symbolic too.

    So a graph is built, and its shapes are known, in little memory, whatever sizes it asks for.
    """
    token = room.set([size])
    try:
        yield
    finally:
        room.reset(token)


def outlined(*made: Form, beside: Sequence[Form] = ()) -> bool:
    """Whether arrays of these forms must do without values, inside `outlining`. Those that need not take its room."""
    left = room.get()
    if left is None:
        return False
    needed, more = (sum(math.prod(shape) * _width(dtype) for shape, dtype in forms) for forms in (made, beside))
    if needed + more > left[0]:
        return True
    left[0] -= needed
    return False


def _width(dtype: str) -> int:
    return 2 if dtype == "bfloat16" else np.dtype(dtype).itemsize
