"""Where arrays lie in the arena: those that are never needed at the same time share memory."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .form import Call, Group, Value

ALIGNMENT = 64  # bytes: a line of the cache


def plan(calls: Sequence[Call], groups: Sequence[Group], constants: Sequence[Value]) -> tuple[int, list[Value]]:
    """Give every array in the arena its address; returns the arena's size, and those that share it by turns."""
    first: dict[Value, int] = {}
    final: dict[Value, int] = {}
    used: list[tuple[int, Sequence[Value | None]]] = [(call.stage, [*call.outputs, *call.inputs]) for call in calls]
    used += [(g.stage, [*g.outputs(), *g.inputs()]) for g in groups]
    for stage, values in used:
        for value in values:
            if value is not None and value.base.constant is None and value.base.slot in (None, 0):
                first[value.base] = min(stage, first.get(value.base, stage))
                final[value.base] = max(stage, final.get(value.base, stage))
    size = 0
    for value in constants:
        value.address, size = size, _aligned(size + value.nbytes)
    fixed = size
    largest_first = sorted(first, key=lambda v: -v.nbytes)
    begins, ends = (np.array([when[v] for v in largest_first], np.int64) for when in (first, final))
    starts, stops = np.empty((2, len(largest_first)), np.int64)  # of those that are placed, in bytes
    for i, value in enumerate(largest_first):
        rivals = (begins[:i] <= ends[i]) & (begins[i] <= ends[:i])
        value.slot, value.address = 0, _first_gap(fixed, value.nbytes, starts[:i][rivals], stops[:i][rivals])
        starts[i], stops[i] = value.address, _aligned(value.address + value.nbytes)
        size = max(size, int(stops[i]))
    return max(size, ALIGNMENT), largest_first


def _first_gap(fixed: int, nbytes: int, starts: np.ndarray, stops: np.ndarray) -> int:
    """The lowest address from `fixed` on where so many bytes overlap none of these ranges."""
    order = np.argsort(starts)
    reached = np.maximum.accumulate(np.concatenate([[fixed], stops[order]]))
    fits = np.append(reached[:-1] + nbytes <= starts[order], True)
    return int(reached[fits.argmax()])


def _aligned(size: int) -> int:
    return -(-size // ALIGNMENT) * ALIGNMENT
