"""A function of arrays, recorded once for every form of its arguments and replayed as a program."""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ... import tree
from ..base import PROGRAMS, UNSHARED, TracedValueError
from .fused import Unrecordable
from .kernels import call, gathers
from .memory import ALIGNMENT
from .program import Program
from .recording import Recorded, Recording, Step, notes, replaced


class Replay:
    """A pure function (state, *batch) -> (new state, outputs), recorded once for every form of the batch.

    The programs that were used last are kept. The arrays of the state are overwritten with its new values, unless
    something else holds on to them. A function that asks for values cannot be recorded: it is called as it is.
    """

    def __init__(self, fn: Callable[..., Any]) -> None:
        self.fn = fn
        self.programs: dict[Any, tuple[Program, Any] | None] = {}

    def __call__(self, state: list[np.ndarray], *batch: Any) -> Any:
        leaves: list[np.ndarray] = []
        form = _form(batch, leaves)
        found = self._program(form, self.fn, state, leaves, batch)
        if found is None:
            return self.fn(state, *batch)
        program, structure = found
        state = _own(state)
        return state, _arranged(program.run([*state, *map(np.ascontiguousarray, leaves)]), structure)

    def for_each(self, state: list[np.ndarray], rows: np.ndarray, *data: Any) -> Any:
        """The function on these rows of the data for each line of `rows`, gathered by the program itself.

        Returns (new state, the last outputs), or None where the data or the function does not allow it.
        """
        leaves: list[np.ndarray] = []
        form = "rows", rows.shape[1], _form(data, leaves)
        if not all(map(gathers, leaves)) or rows.dtype != np.int64:
            return None
        found = self._program(form, self._on_rows, state, [*leaves, rows[0]], (*data, rows[0]))
        if found is None:
            return None
        program, structure = found
        state = _own(state)
        return state, _arranged(program.run([*state, *leaves, rows], len(rows)), structure)

    def _on_rows(self, state: list[np.ndarray], *data_and_rows: Any) -> Any:
        *data, rows = data_and_rows

        def batch(a: Recorded) -> Recorded:
            return call("gather", [((len(rows), *a.shape[1:]), a.dtype)], [a, rows], [0])[0]

        return self.fn(state, *replaced(data, Recorded, batch))

    def _program(self, form: Any, *recorded: Any) -> tuple[Program, Any] | None:
        """What was recorded for this form, or is now; it moves to the end of those that are kept."""
        found = self.programs.pop(form) if form in self.programs else self._recorded(*recorded)
        self.programs[form] = found
        if len(self.programs) > PROGRAMS:
            del self.programs[next(iter(self.programs))]
        return found

    def _recorded(
        self, function: Callable[..., Any], state: list[np.ndarray], leaves: list[np.ndarray], batch: Any
    ) -> tuple[Program, Any] | None:
        """The function as a program, and the structure of what it returns; None if it has to be called as it is."""
        try:
            recorded = _record(function, state, leaves, batch, Recording())
        except TracedValueError:
            return None
        except Exception:  # maybe for want of values
            try:
                recorded = _record(function, state, leaves, batch, Recording(computes=True))
            except Exception:  # if it is not for the stand-ins, it comes again
                return None
        steps, inputs, new, outputs = recorded
        flat = [a for a in tree.flatten(outputs) if a is not None]
        structure = tree.map_given(lambda _: True, outputs)
        try:
            return Program(notes(inputs), steps, notes([*new, *flat]), len(state)), structure
        except Unrecordable:
            return None


def _record(
    function: Callable[..., Any], state: list[np.ndarray], leaves: list[np.ndarray], batch: Any, recording: Recording
) -> tuple[list[Step], list[Recorded], Any, Any]:
    """The steps of the function, stand-ins for its inputs, its new state and its outputs."""
    inputs = [Recorded(a, recording) for a in (*state, *leaves)]
    rest = iter(inputs[len(state) :])
    with np.errstate(all="ignore"):  # of values that no program computes
        new, outputs = function(inputs[: len(state)], *replaced(batch, np.ndarray, lambda _: next(rest)))
    return recording.steps, inputs, new, outputs


class _Aligned(np.ndarray):
    """Memory for one array, which begins where a vector register's line of the cache does."""


def _aligned(a: np.ndarray) -> np.ndarray:
    """A copy in C order whose base is an _Aligned; NumPy's own memory begins anywhere."""
    memory = _Aligned(a.nbytes + ALIGNMENT, np.uint8)
    copy: np.ndarray = np.ndarray(a.shape, a.dtype, memory, -memory.ctypes.data % ALIGNMENT)
    copy[...] = a
    return copy


def _own(state: list[np.ndarray]) -> list[np.ndarray]:
    """The state; a copy of all of it, aligned, where something else holds on to an array or one ought to be aligned.

    Of all, so that a program that is interrupted leaves every array behind the same step.
    """
    own = max(map(sys.getrefcount, state), default=0) <= UNSHARED and all(map(_placed, state))
    return state if own else [_aligned(a) for a in state]


def _placed(a: np.ndarray) -> bool:
    """Whether an array is aligned, or of its own memory and too small for that to matter."""
    return type(a.base) is _Aligned or (a.base is None and a.nbytes < 4 * ALIGNMENT and a.flags.carray)


def _form(batch: Any, leaves: list[np.ndarray]) -> Any:
    """What two batches have in common that are treated alike; their arrays go into `leaves`."""
    if isinstance(batch, np.ndarray):
        leaves.append(batch)
        return batch.shape, batch.dtype
    if isinstance(batch, tuple | list | deque):
        return type(batch), tuple([_form(item, leaves) for item in batch])
    if isinstance(batch, dict):
        return tuple([(name, _form(item, leaves)) for name, item in batch.items()])
    return batch


def _arranged(arrays: Sequence[np.ndarray], structure: Any) -> Any:
    """Arrays in the places of a structure that hold something."""
    left = iter(arrays)
    return tree.map_given(lambda _: next(left), structure)
