"""Where arrays lie in the arena: those that are never needed at the same time share memory."""

from __future__ import annotations

from collections.abc import Sequence

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
    placed: list[Value] = []
    fixed = size
    for value in sorted(first, key=lambda v: -v.nbytes):
        rivals = sorted(
            (v.address, _aligned(v.address + v.nbytes))
            for v in placed
            if first[v] <= final[value] and first[value] <= final[v]
        )
        address = fixed
        for start, end in rivals:
            if address + value.nbytes <= start:
                break
            address = max(address, end)
        value.slot, value.address = 0, address
        placed.append(value)
        size = max(size, _aligned(address + value.nbytes))
    return max(size, ALIGNMENT), placed


def _aligned(size: int) -> int:
    return -(-size // ALIGNMENT) * ALIGNMENT
