"""A group's instructions as the numbers that the fused kernel takes: registers, and strides through memory."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from .form import Group, Value
from .instructions import INSTRUCTIONS, LIMITS


class Unrecordable(Exception):
    """A recording asks for more than the extension has; the function is called as it is."""


class Fused:
    """A group's instructions as the numbers that the fused kernel takes."""

    def __init__(self, group: Group) -> None:
        stored, inputs = group.outputs(), group.inputs()
        self.outputs = len(stored)
        space = group.space or (1,)
        views = [(v, _over(v, space, group)) for v in (*stored, *inputs)]
        rows = any(i.name.startswith("ROW_") or i.name == "ADD_COLUMNS" for i in group.operations)
        self.shape, strides = collapsed(space, [s for _, s in views], keep_last=rows)
        self.args = [(v, s) for (v, _), s in zip(views, strides, strict=True)]
        self.totals = any(v.kind == "total" for v in stored)
        self.reals: list[float] = []
        instructions = self._instructions(group, stored, inputs)
        self.code = [len(instructions), *(n for line in instructions for n in line)]

    def _instructions(self, group: Group, stored: list[Value], inputs: list[Value]) -> list[tuple[int, ...]]:
        end = len(group.operations)
        last_use = {_key(v): n for n, i in enumerate(group.operations) for v in i.operands}
        last_use.update((_key(value), end) for value in stored)
        place = {_key(v): len(stored) + i for i, v in enumerate(inputs)}
        register: dict[Any, int] = {}
        users: dict[int, int] = defaultdict(int)  # values in a register: an alias shares that of its operand
        free: list[int] = []
        code: list[tuple[int, ...]] = []
        highest = 0

        def take() -> int:
            nonlocal highest
            if free:
                return free.pop()
            highest += 1
            if highest > LIMITS["FUSED_REGISTERS"]:
                raise Unrecordable("a fused group needs more registers than there are")
            return highest - 1

        def read(operand: Value | float) -> int:
            key = _key(operand)
            if key not in register:
                register[key] = take()
                users[register[key]] += 1
                if isinstance(operand, Value):
                    code.append((INSTRUCTIONS["LOAD"].code, register[key], place[key], 0, 0))
                else:
                    self.reals.append(operand)
                    code.append((INSTRUCTIONS["CONST"].code, register[key], len(self.reals) - 1, 0, 0))
            return register[key]

        def release(key: Any) -> None:
            users[register[key]] -= 1
            if not users[register[key]]:
                free.append(register[key])

        totals = []
        for n, i in enumerate(group.operations):
            sources = [read(v) for v in i.operands]
            if i.result.kind == "total":
                totals.append((INSTRUCTIONS[i.name].code, 0, sources[0], stored.index(i.result), 0))
                last_use[_key(i.operands[0])] = end  # all that is stored is stored at the end
                continue
            if i.name == "SAME":
                target = sources[0]
            else:
                target = take()
                code.append((INSTRUCTIONS[i.name].code, target, *(*sources, 0, 0)[:3]))
            register[_key(i.result)] = target
            users[target] += 1
            for key in dict.fromkeys(map(_key, (*i.operands, i.result))):
                if last_use.get(key, n) == n:
                    release(key)
        for n, value in enumerate(stored):
            if value.kind != "total":
                code.append((INSTRUCTIONS["STORE"].code, 0, register[_key(value)], n, 0))
        return code + totals


def _key(operand: Value | float) -> Any:
    return id(operand) if isinstance(operand, Value) else ("constant", operand, math.copysign(1, operand))


def _over(value: Value, space: tuple[int, ...], group: Group) -> tuple[int, ...]:
    """The strides with which a value goes through `space`."""
    if value.kind == "total" and value.group is not None and value.group.final() is group:
        columns = value.nbytes > value.dtype.itemsize or (len(space) > 1 and space[-1] == 1)
        return (0,) * (len(space) - 1) + ((1,) if columns and _is_columns(value, group) else (0,))
    strides = [0 if n == 1 else s for n, s in zip(value.shape, value.strides, strict=True)]
    return (0,) * (len(space) - len(strides)) + tuple(strides)


def _is_columns(value: Value, group: Group) -> bool:
    return any(i.result is value and i.name == "ADD_COLUMNS" for i in group.operations)


def collapsed(
    space: tuple[int, ...], strides: Sequence[tuple[int, ...]], keep_last: bool
) -> tuple[list[int], list[list[int]]]:
    """The space with neighbouring axes made one wherever every array goes through them in one step."""
    shape, steps = [space[-1]], [[s[-1]] for s in strides]
    for axis in reversed(range(len(space) - 1)):
        n = space[axis]
        last = keep_last and len(shape) == 1
        one_step = all(s[axis] == step[0] * shape[0] for s, step in zip(strides, steps, strict=True))
        if not last and shape[0] == 1:
            shape[0] = n
            for s, step in zip(strides, steps, strict=True):
                step[0] = s[axis]
        elif not last and (n == 1 or one_step):
            shape[0] *= n
        else:
            shape.insert(0, n)
            for s, step in zip(strides, steps, strict=True):
                step.insert(0, s[axis])
    return shape, steps
