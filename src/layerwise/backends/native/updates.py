"""Optimizers' updates in a recording: one call of a kernel for all variables, where the rule has one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import Any

import numpy as np

from .. import _native
from ..base import UPDATE_KERNELS, Array, Rule
from .instructions import FLOATS
from .recording import Kernel, Recorded, arrays_in, record, replaced

UPDATES = _native.UPDATES  # name -> how many slots a variable has
DECAYED = {"adam": "adamw"}  # the same after decay


def recorded_update(
    formula: Callable[..., list[tuple[Array, ...]]],
    rule: Rule,
    rows: Sequence[tuple[Array, ...]],
    decay: tuple[float, Array] | None,
    hyper: dict[str, Any],
) -> list[tuple[Array, ...]] | None:
    """Note the kernel of a rule: the new rows. None where nothing is recorded, or no kernel takes these arrays.

    `formula` is `Backend.update`, for the values of this one run.
    """
    if rule not in UPDATE_KERNELS or not arrays_in(rows, Recorded) or not _fit(rows):
        return None
    chosen = UPDATE_KERNELS[rule](len(rows[0]) - 2, **hyper)
    if chosen is None or any(rate.shape or rate.dtype != rows[0][0].dtype for rate in chosen[1]):
        return None
    name, rates, numbers = chosen
    if decay is not None and name in DECAYED:
        name, rates, numbers = DECAYED[name], [*rates, decay[1]], [*numbers, decay[0]]
    elif decay is not None:
        return None

    def values(kernel: Kernel, inputs: Sequence[np.ndarray]) -> list[np.ndarray]:
        width = len(rows[0])
        given = [tuple(inputs[i : i + width]) for i in range(0, width * len(rows), width)]
        options = replaced(hyper, Recorded, attrgetter("value"))
        new = formula(rule, given, replaced(decay, Recorded, attrgetter("value")), **options)
        return [a for row in new for a in row]

    outputs = [(a.shape, a.dtype) for w, _, *slots in rows for a in (w, *slots)]
    kernel = Kernel(name, outputs, frozenset(), (), numbers, values)
    made = iter(record(kernel, *(a for row in rows for a in row), *rates))
    return [tuple(next(made) for _ in row[1:]) for row in rows]


def _fit(rows: Sequence[tuple[Array, ...]]) -> bool:
    """Whether kernels take these arrays: of one float dtype, those of a row of one shape."""
    dtype = rows[0][0].dtype
    alike = all(a.dtype == dtype and a.shape == row[0].shape for row in rows for a in row)
    return alike and dtype in FLOATS and all(row[0].size for row in rows)


def overwritten(name: str, output: int) -> int:
    """Which input of an update its output may be stored over."""
    slots = UPDATES[name]
    row, place = divmod(output, slots + 1)
    return row * (slots + 2) + (place + 1 if place else 0)
