"""A recording as a program of the extension, whose calls it is handed in order; NumPy's stand between them."""

from __future__ import annotations

import math
import os
import threading
from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import _native
from .blocks import Block
from .form import Call, Group, Value
from .fused import Fused, Unrecordable
from .instructions import DTYPES, LIMITS
from .loop_passes import simplified
from .lowering import lower
from .recording import Noted, Step, replaced

MOST_CALLS = 4096  # of one group


class Program:
    """What was recorded, ready to run: `run(inputs)` overwrites the state and returns the other outputs.

    The first `state` inputs and outputs are the state before and after; its new values are written into the arrays
    that held the old ones, by calls that come last and that nothing interrupts.
    """

    def __init__(self, inputs: Sequence[Noted], steps: Sequence[Step], outputs: Sequence[Any], state: int) -> None:
        given = [Value(r.shape, r.dtype, slot=i + 1, stored=True) for i, r in enumerate(inputs)]
        constants: dict[int, tuple[Any, Value]] = {}
        form = lower(inputs, given, simplified(steps, outputs), outputs, state, constants)
        fixed = [value for _, value in constants.values()]
        block = Block(form, fixed)
        self.made = block.made  # the outputs that are new arrays
        self._program = _native.Program([block.size, *(v.nbytes for v in (*given, *self.made))])
        self._arena = np.asarray(self._program.arena)
        for value in fixed:
            self._array(value, ())[...] = value.constant
        self._sections: list[tuple[int, int, list[Call]]] = []  # NumPy's calls, then the extension's from ... to ...
        self.calls: list[str] = []  # the names of all, in order
        self._emit(block)

    # Calls --------------------------------------------------------------------------------------------------------

    def __len__(self) -> int:
        return len(self._program)

    def _emit(self, block: Block) -> None:
        """Hand the kernel calls over in the order of stages; calls of NumPy stand between them."""
        start = 0
        foreign: list[Call] = []
        commit = None
        for stage in sorted(block.stages):
            here = [item for item in block.stages[stage] if isinstance(item, Call) and item.step]
            if here:
                if len(self) > start or foreign:
                    self._sections.append((start, len(self), foreign))
                start, foreign = len(self), here
                self.calls += [getattr(call.step.function, "__name__", "?") for call in here if call.step]
            if stage >= block.commit and commit is None:
                commit = len(self)
            self._emit_stage(block.stages[stage], stage, 0)
        self._sections.append((start, len(self), foreign))
        self._program.commit_from(len(self) if commit is None else commit)

    def _emit_stage(self, items: Sequence[Call | Group], stage: int, depth: int) -> None:
        """What runs together, inside so many loops, and after it the loops of this stage."""
        loops = [item for item in items if isinstance(item, Call) and item.body]
        for item in items:
            if isinstance(item, Group):
                self._add_group(item, stage, depth)
            elif item.kernel is not None:
                self._add(item, stage, depth)
        for loop in loops:
            for carry, start in zip(loop.outputs[: loop.carries], loop.inputs, strict=False):
                if carry is not None and carry.nbytes:
                    self._add(Call([carry], [start], ("copy", (), ())), stage, depth)
        for loop in loops:
            self._program.begin_loop(loop.times)
            for inner in sorted(loop.body.stages):
                self._emit_stage(loop.body.stages[inner], inner, depth + 1)
            self._program.end_loop()

    def _add(self, call: Call, stage: int, depth: int) -> None:
        assert call.kernel is not None
        name, ints, reals = call.kernel
        values = (*call.outputs, *call.inputs)
        args = [v if v is None else _argument(v, depth, v.offset, v.shape, v.strides) for v in values]
        self._program.add(name, len(call.outputs), args, list(ints), list(reals), stage)
        self.calls.append(name)

    def _add_group(self, group: Group, stage: int, depth: int) -> None:
        """One call, or one for every index of the axes that the kernel has no place for."""
        fused = Fused(group)
        outer = max(len(fused.shape) - LIMITS["FUSED_AXES"], 0)
        loops = fused.shape[:outer]
        if math.prod(loops) > MOST_CALLS or (loops and fused.totals):
            raise Unrecordable(f"a fused group over {len(fused.shape)} axes")
        ints = [DTYPES[group.dtype], len(fused.shape) - outer, *fused.shape[outer:], *fused.code]
        for index in np.ndindex(*loops):
            args = []
            for v, strides in fused.args:
                offset = v.offset + sum(i * s for i, s in zip(index, strides, strict=False))
                args.append(_argument(v, depth, offset, fused.shape[outer:], strides[outer:]))
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
                    for call in foreign:
                        self._call(call, buffers)
                    self._program.run(buffers, start, stop)
        return made

    def _call(self, call: Call, buffers: Sequence[np.ndarray]) -> None:
        step = call.step
        assert step is not None
        operands = iter([self._array(v, buffers) for v in call.inputs if v is not None])
        args, kwargs = (replaced(given, Noted, lambda _: next(operands)) for given in (step.args, step.kwargs))
        result = step.function(*args, **kwargs)
        for value, array in zip(call.outputs, result if isinstance(result, tuple | list) else [result], strict=True):
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


def _argument(value: Value, depth: int, offset: int, shape: Sequence[int], strides: Sequence[int]) -> Any:
    """A value as an argument of a call inside so many loops, from an offset in its root's elements on."""
    slot, address, steps = _place(value.base, depth)
    argument = slot, address + offset * value.base.dtype.itemsize, DTYPES[value.dtype], list(shape), list(strides)
    return (*argument, steps) if any(steps) else argument


def _place(root: Value, depth: int) -> tuple[int, int, list[int]]:
    """Slot and address of a root in the loops' first turns, and how many bytes it goes on by in each of them."""
    if root.stands_for is None:
        assert root.slot is not None
        return root.slot, root.address, [0] * depth
    around = root.stands_for
    slot, address, steps = _place(around.base, depth - 1)
    return slot, address + around.offset * around.base.dtype.itemsize + root.address, [*steps, root.advance]
