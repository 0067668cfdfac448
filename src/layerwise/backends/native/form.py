"""The form between a recording and a program: values, the operations and calls that make them, groups."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .recording import Step


@dataclass(eq=False)
class Value:
    """An array of the program: one that a step makes, an input, a constant, or a view of one of these."""

    shape: tuple[int, ...]
    dtype: np.dtype
    made: int = -1  # the stage that makes it; those from outside are there before all stages
    computed_in: np.dtype | None = None  # the dtype of the operation that makes it
    group: Group | None = None  # which that operation is in
    kind: str = "full"  # in its group: "full", "row" (one number for each row) or "total" (a sum over rows)
    root: Value | None = None  # what it is a view of; `offset` and `strides` count the root's elements
    offset: int = 0
    strides: tuple[int, ...] = ()
    slot: int | None = None  # where it lives: 0 is the arena, others are arrays from outside
    address: int = 0  # in the arena or in what it stands for, in bytes
    stands_for: Value | None = None  # in a loop's body: the array around the loop that it is, or is a part of
    advance: int = 0  # how many bytes that part goes on by in each turn
    stored: bool = False  # whether it is needed in memory
    constant: np.ndarray | None = None

    def __post_init__(self) -> None:
        self.strides = self.strides or contiguous(self.shape)

    def move(self, times: int, reverse: bool) -> None:
        """In each turn stand for another part of what it stands for, in order or from the last to the first."""
        self.address = self.nbytes * (times - 1) if reverse else 0
        self.advance = -self.nbytes if reverse else self.nbytes

    @property
    def base(self) -> Value:
        return self.root or self

    @property
    def ready(self) -> int:
        """The first stage that can read it from memory."""
        base = self.base
        return (base.made if base.group is None else base.group.final().stage) + 1

    @property
    def nbytes(self) -> int:
        return math.prod(self.shape) * self.dtype.itemsize

    @property
    def ordered(self) -> bool:
        """Whether its elements lie in memory one after the other."""
        steps = zip(self.shape, self.strides, contiguous(self.shape), strict=True)
        return self.nbytes == 0 or all(n == 1 or stride == step for n, stride, step in steps)


@dataclass(eq=False)
class Operation:
    """An instruction of the `fused` kernel with its operands, computed in `dtype`."""

    name: str
    result: Value
    operands: list[Value | float]
    dtype: np.dtype


@dataclass(eq=False)
class Group:
    """Operations that run as one program of the `fused` kernel, over arrays of shape `space`."""

    stage: int
    space: tuple[int, ...]
    dtype: np.dtype
    operations: list[Operation] = field(default_factory=list)
    merged: Group | None = None

    def final(self) -> Group:
        return self if self.merged is None else self.merged.final()

    def inputs(self) -> list[Value]:
        """What it reads from memory."""
        inside = {id(i.result) for i in self.operations if i.result.kind != "total"}
        operands = (v for i in self.operations for v in i.operands)
        return list(dict.fromkeys(v for v in operands if isinstance(v, Value) and id(v) not in inside))

    def outputs(self) -> list[Value]:
        return [i.result for i in self.operations if i.result.stored]

    def compute_again(self, value: Value, recipe: Sequence[Operation]) -> None:
        """Take a value from copies of what makes it, before the first that reads it, and not from memory."""
        copies: dict[Value | float, Value] = {}
        again = []
        for i in recipe:
            copies[i.result] = Value(i.result.shape, i.result.dtype, group=self)
            again.append(Operation(i.name, copies[i.result], [copies.get(o, o) for o in i.operands], i.dtype))
        first = next(n for n, i in enumerate(self.operations) if value in i.operands)
        for i in self.operations[first:]:
            i.operands = [copies[value] if o is value else o for o in i.operands]
        self.operations[first:first] = again

    def drop_unused(self) -> None:
        """Do without operations whose results nothing takes."""
        used: set[int] = set()
        kept = []
        for i in reversed(self.operations):
            if i.result.stored or id(i.result) in used:
                kept.append(i)
                used.update(map(id, i.operands))
        self.operations = kept[::-1]


@dataclass(eq=False)
class Call:
    """A call of a kernel (its name, ints, reals), of a NumPy function where there is a `step`, or a loop."""

    outputs: list[Value | None]  # None where a kernel's optional argument is missing
    inputs: list[Value | None]
    kernel: tuple[str, Sequence[int], Sequence[float]] | None = None
    step: Step | None = None
    body: Any = None  # of a loop: the block that is run `times` times, from the first inputs to the first outputs on
    times: int = 1
    carries: int = 0
    along: Sequence[Value] = ()  # what else has to be there before it is called
    stage: int = -1


@dataclass(eq=False)
class Form:
    """What a recording computes, in order: operations, which `grouping` puts into groups, and calls."""

    inputs: list[Value]
    items: list[Operation | Call] = field(default_factory=list)
    outputs: list[Value] = field(default_factory=list)
    state: int = 0  # how many of the first inputs are overwritten with the first outputs
    calls: list[Call] = field(default_factory=list)
    groups: list[Group] = field(default_factory=list)


def contiguous(shape: Sequence[int]) -> tuple[int, ...]:
    """The strides, in elements, of a C-contiguous array."""
    strides, step = [], 1
    for n in reversed(shape):
        strides.append(step)
        step *= n
    return tuple(reversed(strides))
