"""Loops: the body of a scan is recorded once, and is one step of the recording around it."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .recording import Noted, Recorded, Recording, Step, arrays_in, innermost, notes, replaced


@dataclass(eq=False)
class Loop:
    """The function of a step (carries, arrays of slices, what the body captures) -> (last carries, stacked results).

    The body computes `outputs` from `inputs`: (carries, slices, captured) -> (next carries, results).
    """

    inputs: list[Noted]
    steps: list[Step]
    outputs: list[Any]
    carries: int
    slices: int
    length: int
    reverse: bool

    def order(self) -> Sequence[int]:
        return range(self.length)[:: -1 if self.reverse else 1]


def record_loop(
    body: Callable[[Any, Any], tuple[Any, Any]], carry: Sequence[Any], xs: Sequence[Any], length: int, reverse: bool
) -> tuple[list[Any], list[Any]]:
    """Backend.scan where arrays are recorded."""
    around = innermost([carry, xs])
    inner = Recording(around.depth + 1, around.computes)

    def inside(value: Any) -> Recorded:
        return Recorded(value.value if isinstance(value, Recorded) else np.asarray(value), inner)

    start = length - 1 if reverse else 0
    carries, slices = [inside(c) for c in carry], [inside(_value(x)[start]) for x in xs]
    new, results = body(carries, slices)
    inner.open = False
    inputs, outputs = notes([*carries, *slices]), notes([*new, *results])
    captured = _captured(inputs, inner.steps, outputs)
    loop = Loop([*inputs, *captured], inner.steps, outputs, len(carries), len(slices), length, reverse)
    made = [np.asarray(_value(c)) for c in new]
    made += [np.broadcast_to(_value(y), (length, *np.shape(_value(y)))) for y in results]
    stand_ins = [Recorded(value, around) for value in made]
    around.steps.append(Step(loop, (*notes([*carry, *xs]), *captured), {}, notes(stand_ins)))
    return stand_ins[: len(carries)], stand_ins[len(carries) :]


def _value(a: Any) -> Any:
    return a.value if isinstance(a, Recorded) else a


def _captured(inputs: Sequence[Noted], steps: Sequence[Step], outputs: Sequence[Any]) -> list[Noted]:
    """What steps and outputs refer to that is from outside."""
    known = {id(r) for r in inputs} | {id(r) for step in steps for r in step.outputs}
    read = [r for step in steps for r in arrays_in([step.args, step.kwargs], Noted)] + arrays_in([outputs], Noted)
    return list({id(r): r for r in read if id(r) not in known}.values())


def unrolled(step: Step, loop: Loop) -> tuple[list[Step], list[Any]]:
    """All turns of a loop, one after the other, and the last carries."""
    n, m = loop.carries, loop.carries + loop.slices
    carry, arrays = list(step.args[:n]), step.args[n:m]
    known = dict(zip(map(id, loop.inputs[m:]), step.args[m:], strict=True))
    turns: list[Step] = []

    def again(r: Noted) -> Any:
        return known[id(r)]

    def copied(step: Step) -> Step:
        made = [Noted(r.shape, r.dtype) for r in step.outputs]
        turn = Step(step.function, replaced(step.args, Noted, again), replaced(step.kwargs, Noted, again), made)
        known.update(zip(map(id, step.outputs), made, strict=True))
        return turn

    results: list[Any] = [None] * loop.length
    for t in loop.order():
        known.update(zip(map(id, loop.inputs), carry, strict=False))
        for part, array in zip(loop.inputs[n:m], arrays, strict=True):
            known[id(part)] = array[t] if isinstance(array, np.ndarray) else Noted(part.shape, part.dtype)
            if isinstance(array, Noted):
                turns.append(Step(operator.getitem, (array, t), {}, [known[id(part)]]))
        turns += [copied(inner) for inner in loop.steps]
        outputs = replaced(loop.outputs, Noted, again)
        carry, results[t] = outputs[:n], outputs[n:]
    for stack, parts in zip(step.outputs[n:], zip(*results, strict=True), strict=True):
        turns.append(Step(np.stack, (list(parts),), {}, [stack]))
    return turns, carry
