"""Passes over groups: which steps move into the group that reads them, and which are computed again where read."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from .form import Group, Value
from .lowering import MOST_READ, MOST_STEPS, Lowering

CHEAP, MOST_REPEATED = frozenset({"ADD", "SUB", "MUL"}), 2  # steps computed again instead of stored; for one value


def sink(lowering: Lowering, outputs: Sequence[Value]) -> None:
    """Move steps that one later group alone reads into that group: what they make then never is in memory."""
    elsewhere = {id(v.base) for v in outputs} | {id(v.base) for t in lowering.tasks for v in t.inputs if v is not None}
    readers: dict[int, set[Group]] = defaultdict(set)
    groups = [group for group in lowering.groups if group.merged is None]
    for group in groups:
        for v in group.inputs():
            readers[id(v.base)].add(group)
            if v.root is not None:
                elsewhere.add(id(v.base))
    for group in sorted(groups, key=lambda group: -group.stage):
        made = group.outputs()
        found = {reader.final() for v in made for reader in readers[id(v)]}
        plain = all(v.kind == "full" and v.shape == group.space for _, v, _ in group.steps)
        if len(found) != 1 or not plain or any(id(v) in elsewhere for v in made):
            continue
        reader = found.pop()
        reads = {id(v) for v in (*group.inputs(), *reader.inputs())} - {id(v) for v in made}
        alike = (reader.space, reader.dtype) == (group.space, group.dtype)
        known = all(v.dtype in (group.dtype, np.dtype(bool)) for v in made)
        if alike and known and len(reads) <= MOST_READ and len(group.steps) + len(reader.steps) <= MOST_STEPS:
            reader.steps[:0] = group.steps
            group.merged = reader
            for v in made:
                v.stored = False
            for v in group.inputs():
                readers[id(v.base)].add(reader)


def repeat(lowering: Lowering, outputs: Sequence[Value]) -> None:
    """Compute again, where it is read, what takes a cheap step or two on one array: that costs less than memory."""
    elsewhere = {id(v.base) for v in outputs} | {id(v.base) for t in lowering.tasks for v in t.inputs if v is not None}
    groups = sorted((group for group in lowering.groups if group.merged is None), key=lambda group: group.stage)
    readers: dict[int, list[Group]] = defaultdict(list)
    for group in groups:
        for v in group.inputs():
            readers[id(v)].append(group)
            if v.root is not None:
                elsewhere.add(id(v.base))
    for group in groups:
        for v in group.outputs():
            recipe = [] if id(v) in elsewhere else _recipe(v, group)
            able = all(
                (reader.space, reader.dtype) == (group.space, group.dtype)
                and len(reader.inputs()) + MOST_REPEATED < MOST_READ
                and len(reader.steps) + MOST_REPEATED < MOST_STEPS
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


def _recipe(value: Value, group: Group) -> list[tuple[str, Value, list[Value | float]]]:
    """The steps of a group that make a value, if they are few and cheap and take one full array; else none."""
    makers = {id(made): (name, made, operands) for name, made, operands in group.steps}
    recipe: dict[Value, tuple[str, Value, list[Value | float]]] = {}
    sources: set[int] = set()

    def follow(v: Value | float) -> bool:
        if not isinstance(v, Value) or v in recipe:
            return True
        if id(v) not in makers:
            if v.shape == group.space:
                sources.add(id(v))
            return len(sources) <= 1
        name, made, operands = makers[id(v)]
        if name not in CHEAP or made.kind != "full" or made.dtype != group.dtype or not all(map(follow, operands)):
            return False
        recipe[made] = makers[id(v)]
        return len(recipe) <= MOST_REPEATED

    return list(recipe.values()) if follow(value) else []
