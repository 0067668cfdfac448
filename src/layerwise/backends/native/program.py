"""A recording as a program: its stages in order, its memory planned, its calls handed to the extension."""

from __future__ import annotations

import math
import os
import threading
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import _native
from .blocks import Fused, Unrecordable
from .form import Group, Task, Value
from .grouping import repeat, sink
from .instructions import DTYPES, LIMITS
from .lowering import Lowering
from .memory import plan
from .recording import Noted, Step, arrays_in, replaced

MOST_CALLS = 4096  # of one group


def needed(steps: Sequence[Step], outputs: Sequence[Any]) -> list[Step]:
    """The steps that the outputs depend on, in order."""
    wanted = {id(r) for r in arrays_in(list(outputs), Noted)}
    kept = []
    for step in reversed(steps):
        if any(id(r) in wanted for r in step.outputs):
            kept.append(step)
            wanted.update(id(r) for r in arrays_in([step.args, step.kwargs], Noted))
    return kept[::-1]


class Program:
    """What was recorded, ready to run: `run(inputs)` overwrites the state and returns the other outputs.

    The first `state` inputs and outputs are the state before and after; its new values are written into the arrays
    that held the old ones, by calls that come last and that nothing interrupts.
    """

    def __init__(self, inputs: Sequence[Noted], steps: Sequence[Step], outputs: Sequence[Any], state: int) -> None:
        lowering = Lowering(inputs)
        for step in needed(steps, outputs):
            lowering.add(step)
        self.state = state
        self.made: list[Value] = []  # the outputs that are new arrays
        values = [lowering.value(o) for o in outputs]
        sink(lowering, values)
        for value in values:
            value.base.stored = True
        repeat(lowering, values)
        _drop_unread(lowering, values)
        self._place_outputs(lowering, values)
        tasks = [t for t in lowering.tasks if any(v is not None and v.nbytes for v in t.outputs)]
        groups = [g for g in lowering.groups if g.merged is None and g.outputs() and 0 not in g.space]
        constants = [value for _, value in lowering.constants.values() if value.stored]
        size = plan(tasks, groups, constants)
        slots = [*lowering.inputs, *self.made]
        self._program = _native.Program([size, *(v.nbytes for v in slots)])
        self._arena = np.asarray(self._program.arena)
        for value in constants:
            self._array(value, ())[...] = value.constant
        self._emit(tasks, groups)

    # Where the outputs live ---------------------------------------------------------------------------------------

    def _place_outputs(self, lowering: Lowering, outputs: list[Value]) -> None:
        """Decide which arrays are computed in place, and copy the others at the end."""
        groups = [g for g in lowering.groups if g.merged is None]
        read = {id(v.base) for t in lowering.tasks for v in t.inputs if v is not None}
        read |= {id(v.base) for g in groups for v in g.inputs()}
        last = [g for g in groups if not any(id(v) in read for v in g.outputs())]
        stages = [t.stage for t in lowering.tasks] + [g.stage for g in groups if g not in last]
        self.commit = max(stages, default=-1) + 1
        for group in last:
            group.stage = self.commit
        readers = defaultdict(list)
        for group in last:
            for v in group.inputs():
                readers[id(v.base)].append((group, v))
        slots = len(lowering.inputs)
        for i, value in enumerate(outputs):
            own = value.root is None and value.slot is None
            if i < self.state:
                old = lowering.inputs[i]
                if value is old:
                    continue
                maker = value.group.final() if own and value.group and value.kind == "full" else None
                alone = all(reader is maker and v is old for reader, v in readers[id(old)])
                if maker in last and alone:
                    value.slot = old.slot
                    continue
                place = Value(old.shape, old.dtype, slot=old.slot)
                if value.base in lowering.inputs:
                    value = lowering._copy(value)
                lowering.tasks.append(Task(self.commit + 1, [place], [value], ("copy", (), ())))
                continue
            slots += 1
            if own:
                value.slot = slots
                self.made.append(value)
            else:
                place = Value(value.shape, value.dtype, slot=slots)
                self.made.append(place)
                stage = self.commit + 1 if value.group or value.base.group else max(value.ready, 0)
                if value.slot is not None and 0 < value.slot <= self.state and value.base not in lowering.inputs:
                    stage = self.commit + 1
                lowering.tasks.append(Task(stage, [place], [value], ("copy", (), ())))

    # Calls --------------------------------------------------------------------------------------------------------

    def _emit(self, tasks: Sequence[Task], groups: Sequence[Group]) -> None:
        """Hand the kernel calls over in the order of stages; calls of NumPy stand between them."""
        by_stage: dict[int, list[Any]] = defaultdict(list)
        for item in (*tasks, *groups):
            by_stage[item.stage].append(item)  # type: ignore[attr-defined]
        self._sections: list[tuple[int, int, list[Task]]] = []  # NumPy's calls, then the extension's from ... to ...
        self.calls: list[str] = []  # the names of all, in order
        start = 0
        foreign: list[Task] = []
        commit = None
        for stage in sorted(by_stage):
            here = [item for item in by_stage[stage] if isinstance(item, Task) and item.kernel is None]
            if here:
                if len(self._program) > start or foreign:
                    self._sections.append((start, len(self._program), foreign))
                start, foreign = len(self._program), here
                self.calls += [getattr(t.step.function, "__name__", "?") for t in here if t.step]
            if stage >= self.commit and commit is None:
                commit = len(self._program)
            for item in by_stage[stage]:
                if isinstance(item, Group):
                    self._add_group(item, stage)
                elif item.kernel is not None:
                    name, ints, reals = item.kernel
                    args = [self._argument(v) for v in (*item.outputs, *item.inputs)]
                    self._program.add(name, len(item.outputs), args, list(ints), list(reals), stage)
                    self.calls.append(name)
        self._sections.append((start, len(self._program), foreign))
        self._program.commit_from(len(self._program) if commit is None else commit)

    def _argument(self, value: Value | None) -> Any:
        if value is None:
            return None
        base = value.base
        address = base.address + value.offset * base.dtype.itemsize
        return base.slot, address, DTYPES[value.dtype.name], list(value.shape), list(value.strides)

    def _add_group(self, group: Group, stage: int) -> None:
        """One call, or one for every index of the axes that the kernel has no place for."""
        fused = Fused(group)
        outer = max(len(fused.shape) - LIMITS["FUSED_AXES"], 0)
        loops = fused.shape[:outer]
        if math.prod(loops) > MOST_CALLS or (loops and fused.totals):
            raise Unrecordable(f"a fused group over {len(fused.shape)} axes")
        ints = [DTYPES[group.dtype.name], len(fused.shape) - outer, *fused.shape[outer:], *fused.code]
        for index in np.ndindex(*loops):
            args = []
            for v, strides in fused.args:
                place = v.offset + sum(i * s for i, s in zip(index, strides, strict=False))
                address = v.base.address + place * v.base.dtype.itemsize
                args.append((v.base.slot, address, DTYPES[v.dtype.name], fused.shape[outer:], strides[outer:]))
            self._program.add("fused", fused.outputs, args, ints, fused.reals, stage)
            self.calls.append("fused")

    # Running ------------------------------------------------------------------------------------------------------

    def run(self, inputs: Sequence[np.ndarray], times: int = 1) -> list[np.ndarray]:
        """The outputs that are no state. More than once: the last input has a line for each time."""
        made = [np.empty(v.shape, v.dtype) for v in self.made]
        buffers = [*inputs, *made]
        if len(self._sections) == 1 and not self._sections[0][2]:
            self._program.run(buffers, 0, None, times, len(inputs) if times > 1 else 0)
            return made
        with _arenas:
            for time in range(times):
                if times > 1:
                    buffers[len(inputs) - 1] = inputs[-1][time]
                for start, stop, foreign in self._sections:
                    for task in foreign:
                        self._call(task, buffers)
                    self._program.run(buffers, start, stop)
        return made

    def _call(self, task: Task, buffers: Sequence[np.ndarray]) -> None:
        step = task.step
        assert step is not None
        operands = iter([self._array(v, buffers) for v in task.inputs if v is not None])
        args, kwargs = (replaced(given, Noted, lambda _: next(operands)) for given in (step.args, step.kwargs))
        result = step.function(*args, **kwargs)
        for value, array in zip(task.outputs, result if isinstance(result, tuple | list) else [result], strict=True):
            if value is not None:
                self._array(value, buffers)[...] = array

    def _array(self, value: Value, buffers: Sequence[np.ndarray]) -> np.ndarray:
        """A value's memory as an array."""
        base = value.base
        buffer = self._arena if base.slot == 0 else buffers[base.slot - 1]  # type: ignore[operator]
        item = value.dtype.itemsize
        strides = [s * item for s in value.strides]
        return np.ndarray(value.shape, value.dtype, buffer, base.address + value.offset * item, strides)


# One run of the extension has the arena to itself; who goes back and forth between it and NumPy waits for others. In a
# forked child those others are not there any more.
_arenas = threading.RLock()


def _after_fork() -> None:
    global _arenas
    _arenas = threading.RLock()


os.register_at_fork(after_in_child=_after_fork)


def _drop_unread(lowering: Lowering, outputs: Sequence[Value]) -> None:
    """Do without what kernels need not compute and nobody reads, such as the places of maxima in inference."""
    read = {id(v.base) for t in lowering.tasks for v in t.inputs if v is not None} | {id(v.base) for v in outputs}
    read |= {id(v.base) for g in lowering.groups if g.merged is None for v in g.inputs()}
    for task in lowering.tasks:
        if task.kernel is not None and task.kernel[0] == "conv_pool":
            y, places = task.outputs
            task.outputs = [y, places if id(places) in read else None]
