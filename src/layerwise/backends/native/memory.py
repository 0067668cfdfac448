"""Where arrays lie: outputs where they are wanted, the others in the arena, where those never needed at once share."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from .form import Call, Form, Group, Value

ALIGNMENT = 64  # bytes: a line of the cache


def place_outputs(form: Form) -> tuple[int, list[Value]]:
    """Decide which outputs are computed in place, and copy the others at the end.

    Returns the first stage in which the state is overwritten, and the outputs that are new arrays.
    """
    groups = [g for g in form.groups if g.merged is None]
    read = {id(v.base) for call in form.calls for v in call.inputs if v is not None}
    read |= {id(v.base) for g in groups for v in g.inputs()}
    last = [g for g in groups if not any(id(v) in read for v in g.outputs())]
    stages = [call.stage for call in form.calls] + [g.stage for g in groups if g not in last]
    commit = max(stages, default=-1) + 1
    for group in last:
        group.stage = commit
    readers = defaultdict(list)
    for group in last:
        for v in group.inputs():
            readers[id(v.base)].append((group, v))
    made: list[Value] = []
    for i, value in enumerate(form.outputs):
        own = value.root is None and value.slot is None
        if i < form.state:
            old = form.inputs[i]
            if value is old:
                continue
            maker = value.group.final() if own and value.group and value.kind == "full" else None
            alone = all(reader is maker and v is old for reader, v in readers[id(old)])
            if maker in last and alone:
                value.slot, value.stands_for = old.slot, old.stands_for
                continue
            if value.base in form.inputs:
                copy = Value(value.shape, value.dtype, made=value.ready, stored=True)
                _copy(form, value, copy, value.ready)
                value = copy
            _copy(form, value, Value(old.shape, old.dtype, slot=old.slot, stands_for=old.stands_for), commit + 1)
            continue
        if own:
            made.append(value)
        else:
            made.append(Value(value.shape, value.dtype))
            new_state = value.slot is not None and 0 < value.slot <= form.state and value.base not in form.inputs
            late = new_state or value.base.group is not None
            _copy(form, value, made[-1], commit + 1 if late else max(value.ready, 0))
        made[-1].slot = len(form.inputs) + len(made)
    return commit, made


def _copy(form: Form, value: Value, place: Value, stage: int) -> None:
    form.calls.append(Call([place], [value], ("copy", (), ()), stage=stage))


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
