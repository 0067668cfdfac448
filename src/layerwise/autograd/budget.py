"""A budget of memory for graphs from files, which may ask for any size."""

import contextlib
import math
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from typing import Any

import numpy as np

from ..backends import backend
from ..context import setting
from .symbolic import Spec
from .tape import Tensor

# Bytes that may still be computed of constants, and that objects may still take; None: as many as one likes.
room: ContextVar[list[int] | None] = ContextVar("room", default=None)
Form = tuple[Sequence[int], str]  # shape and dtype of an array


def outlining(size: int) -> contextlib.AbstractContextManager[Any]:
    """Inside the `with` block `size` bytes may be computed of constants; what goes beyond is symbolic too.

    As many may be taken by what `check_count` is told of, and no more.

    So a graph is built, and its shapes are known, in little memory, whatever sizes it asks for.
    """
    return setting(room, [size, size])


def outlined(*made: Form, beside: Sequence[Form] = ()) -> bool:
    """Whether arrays of these forms must do without values, inside `outlining`. Those that need not take its room.

    `beside` are the forms of what is needed at the same time, whose room is given back.
    """
    left = room.get()
    if left is None:
        return False
    needed, more = (sum(math.prod(shape) * _width(dtype) for shape, dtype in forms) for forms in (made, beside))
    if needed + more > left[0]:
        return True
    left[0] -= max(needed, 0)  # sizes may be negative, too
    return False


def _width(dtype: str) -> int:
    return 2 if dtype == "bfloat16" else np.dtype(dtype).itemsize


def made(shape: Sequence[int], dtype: str, make: Callable[[], Any]) -> Tensor:
    """What `make` gives, an array of this shape, as `dtype`; symbolic where there is no room for its values."""
    if outlined((shape, "float64")):  # NumPy makes some in float64
        return Tensor(Spec(tuple(shape), dtype))
    return Tensor(backend().array(make(), dtype))


def check_count(name: str, pieces: int, size: int = 1000) -> None:
    """Raise a ValueError where there is no room for so many pieces of `name`.

    `size` is what each takes: 1000 bytes a symbolic Tensor, about.
    """
    if (left := room.get()) is None:
        return
    left[1] -= max(pieces, 0) * size
    if left[1] < 0:
        raise ValueError(f"{name}: {pieces} more of {size} bytes, for which a model from this file has no room")
