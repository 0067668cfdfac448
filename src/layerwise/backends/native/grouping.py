"""Passes over the form: stages, groups of operations that run together, and what they need not keep in memory."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np

from .form import Form, Group, Operation, Value
from .instructions import LIMITS

MOST_READ = 8  # of a group
MOST_STEPS = LIMITS["FUSED_ARGS"] - MOST_READ  # at worst all are stored, each an argument of the kernel
CHEAP, MOST_REPEATED = frozenset({"ADD", "SUB", "MUL"}), 2  # done again instead of storing results; for one value


def group(form: Form) -> None:
    """Give every call the earliest stage in which all that it needs is there, and every operation a group."""
    alike: dict[Any, list[Group]] = defaultdict(list)
    for item in form.items:
        if isinstance(item, Operation):
            _add(item, form.groups, alike)
            continue
        item.stage = max((v.ready for v in (*item.inputs, *item.along) if v is not None), default=0)
        for value in item.outputs:
            if value is not None:
                value.base.made = item.stage
        form.calls.append(item)


def _add(operation: Operation, groups: list[Group], alike: dict[Any, list[Group]]) -> None:
    """Put an operation into the group that its operands come from, or into a new one.

    `alike` has the groups of each stage, shape and dtype.
    """
    result, dtype = operation.result, operation.dtype
    arrays = [v for v in operation.operands if isinstance(v, Value)]
    shape = np.broadcast_shapes(*(v.shape for v in arrays))
    joining = [v for v in arrays if _joins(v, shape, dtype, result.kind)]
    stage = max((v.ready - 1 if v in joining else v.ready for v in arrays), default=0)
    joining = [v for v in joining if v.ready - 1 == stage]  # the others are in memory by then
    found = list(dict.fromkeys(v.group.final() for v in joining if v.group))
    outside = [v for v in arrays if v not in joining]
    if not _mergeable(found, outside):
        found, outside, stage = [], arrays, max(v.ready for v in arrays)
    for v in outside:
        v.base.stored = True
    group, *others = found or [_sharing(groups, alike[stage, shape, dtype], Group(stage, shape, dtype), outside)]
    for other in others:
        group.operations += other.operations
        other.merged = group
    if result.kind == "full" and group.space != shape:
        result.kind = "row"
    result.group = group
    group.operations.append(operation)


def _joins(value: Value, shape: tuple[int, ...], dtype: np.dtype, kind: str) -> bool:
    """Whether an operation over `shape` can take a value from the registers of the group that computes it."""
    if value.group is None or value.root is not None or value.kind == "total":
        return False
    group = value.group.final()
    if group.dtype != dtype or (value.dtype != dtype and value.dtype != bool):
        return False
    if value.kind == "row":
        return shape == group.space or (shape == value.shape and kind == "full")
    return shape == group.space


def _mergeable(groups: list[Group], outside: list[Value]) -> bool:
    """Whether the groups can become one that also reads these arrays, and can take another operation."""
    reads = {id(v) for group in groups for v in group.inputs()} | {id(v) for v in outside}
    same = all(group.space == groups[0].space for group in groups)
    return same and len(reads) <= MOST_READ and sum(len(group.operations) for group in groups) < MOST_STEPS


def _sharing(groups: list[Group], alike: list[Group], new: Group, reads: list[Value]) -> Group:
    """A group like the new one that reads the same arrays, or the new one itself."""
    for group in alike:
        if group.merged is None:
            large = {id(v) for v in group.inputs() if v.shape == new.space and len(new.space)}
            short = len(group.operations) < MOST_STEPS // 2 and _mergeable([group], reads)
            if short and any(id(v) in large for v in reads):
                return group
    groups.append(new)
    alike.append(new)
    return new


def _read_elsewhere(form: Form, groups: Sequence[Group]) -> set[int]:
    """What is needed in memory for more than groups to read it as it is."""
    elsewhere = {id(v.base) for v in form.outputs}
    elsewhere |= {id(v.base) for call in form.calls for v in call.inputs if v is not None}
    return elsewhere | {id(v.base) for group in groups for v in group.inputs() if v.root is not None}


def sink(form: Form) -> None:
    """Move a group that one later group alone reads into that one: what it makes then never is in memory."""
    groups = [group for group in form.groups if group.merged is None]
    elsewhere = _read_elsewhere(form, groups)
    readers: dict[int, set[Group]] = defaultdict(set)
    for group in groups:
        for v in group.inputs():
            readers[id(v.base)].add(group)
    for group in sorted(groups, key=lambda group: -group.stage):
        made = group.outputs()
        found = {reader.final() for v in made for reader in readers[id(v)]}
        plain = all(i.result.kind == "full" and i.result.shape == group.space for i in group.operations)
        if len(found) != 1 or not plain or any(id(v) in elsewhere for v in made):
            continue
        reader = found.pop()
        reads = {id(v) for v in (*group.inputs(), *reader.inputs())} - {id(v) for v in made}
        alike = (reader.space, reader.dtype) == (group.space, group.dtype)
        known = all(v.dtype in (group.dtype, np.dtype(bool)) for v in made)
        short = len(group.operations) + len(reader.operations) <= MOST_STEPS
        if alike and known and short and len(reads) <= MOST_READ:
            reader.operations[:0] = group.operations
            group.merged = reader
            for v in made:
                v.stored = False
            for v in group.inputs():
                readers[id(v.base)].add(reader)


def repeat(form: Form) -> None:
    """Compute again, where it is read, what takes a cheap step or two on one array: that costs less than memory."""
    groups = sorted((group for group in form.groups if group.merged is None), key=lambda group: group.stage)
    elsewhere = _read_elsewhere(form, groups)
    readers: dict[int, list[Group]] = defaultdict(list)
    for group in groups:
        for v in group.inputs():
            readers[id(v)].append(group)
    for group in groups:
        for v in group.outputs():
            recipe = [] if id(v) in elsewhere else _recipe(v, group)
            able = all(
                (reader.space, reader.dtype) == (group.space, group.dtype)
                and len(reader.inputs()) + MOST_REPEATED < MOST_READ
                and len(reader.operations) + MOST_REPEATED < MOST_STEPS
                for reader in readers[id(v)]
            )
            if not recipe or not able:
                continue
            for reader in readers[id(v)]:
                reader.compute_again(v, recipe)
                for read in reader.inputs():
                    if reader not in readers[id(read)]:
                        readers[id(read)].append(reader)
            v.stored = False
        group.drop_unused()


def _recipe(value: Value, group: Group) -> list[Operation]:
    """The operations of a group that make a value, if they are few and cheap and take one full array; else none."""
    makers = {id(i.result): i for i in group.operations}
    recipe: dict[Value, Operation] = {}
    sources: set[int] = set()

    def follow(v: Value | float) -> bool:
        if not isinstance(v, Value) or v in recipe:
            return True
        if id(v) not in makers:
            if v.shape == group.space:
                sources.add(id(v))
            return len(sources) <= 1
        maker = makers[id(v)]
        cheap = maker.name in CHEAP and v.kind == "full" and v.dtype == group.dtype
        if not cheap or not all(map(follow, maker.operands)):
            return False
        recipe[v] = maker
        return len(recipe) <= MOST_REPEATED

    return list(recipe.values()) if follow(value) else []


def drop_unread(form: Form) -> None:
    """Do without what kernels need not compute and nobody reads, such as the places of maxima in inference."""
    read = {id(v.base) for call in form.calls for v in call.inputs if v is not None}
    read |= {id(v.base) for v in form.outputs}
    read |= {id(v.base) for group in form.groups if group.merged is None for v in group.inputs()}
    for call in form.calls:
        if call.kernel is not None and call.kernel[0] == "conv_pool":
            y, places = call.outputs
            call.outputs = [y, places if id(places) in read else None]
