"""The form between a recording and a program: values, the groups of instructions that make them, calls."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from .recording import Step


@dataclass(eq=False)
class Value:
    """An array of the program: one that a step makes, an input, a constant, or a view of one of these."""

    shape: tuple[int, ...]
    dtype: np.dtype
    made: int = -1  # the stage that makes it; those from outside are there before all stages
    group: Group | None = None  # the fused steps that make it
    kind: str = "full"  # in its group: "full", "row" (one number for each row) or "total" (a sum over rows)
    root: Value | None = None  # what it is a view of; `offset` and `strides` count the root's elements
    offset: int = 0
    strides: tuple[int, ...] = ()
    slot: int | None = None  # where it lives: 0 is the arena, others are arrays from outside
    address: int = 0  # in the arena, in bytes
    stored: bool = False  # whether it is needed in memory
    constant: np.ndarray | None = None

    def __post_init__(self) -> None:
        self.strides = self.strides or contiguous(self.shape)

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
class Group:
    """Steps that run as one program of the `fused` kernel, over arrays of shape `space`."""

    stage: int
    space: tuple[int, ...]
    dtype: np.dtype
    steps: list[tuple[str, Value, list[Value | float]]] = field(default_factory=list)
    merged: Group | None = None

    def final(self) -> Group:
        return self if self.merged is None else self.merged.final()

    def inputs(self) -> list[Value]:
        """What it reads from memory."""
        inside = {id(result) for _, result, _ in self.steps if result.kind != "total"}
        operands = (v for _, _, operands in self.steps for v in operands)
        return list(dict.fromkeys(v for v in operands if isinstance(v, Value) and id(v) not in inside))

    def outputs(self) -> list[Value]:
        return [result for _, result, _ in self.steps if result.stored]

    def compute_again(self, value: Value, recipe: Sequence[tuple[str, Value, list[Value | float]]]) -> None:
        """Take a value from copies of the steps that make it, before the first that reads it, and not from memory."""
        copies: dict[Value | float, Value] = {}
        again = []
        for name, made, operands in recipe:
            copies[made] = Value(made.shape, made.dtype, group=self)
            again.append((name, copies[made], [copies.get(o, o) for o in operands]))
        first = next(i for i, (_, _, operands) in enumerate(self.steps) if value in operands)
        self.steps[first:] = again + [
            (name, made, [copies[value] if o is value else o for o in operands])
            for name, made, operands in self.steps[first:]
        ]

    def drop_unused(self) -> None:
        """Do without steps whose results nothing takes."""
        used: set[int] = set()
        kept = []
        for step in reversed(self.steps):
            if step[1].stored or id(step[1]) in used:
                kept.append(step)
                used.update(id(v) for v in step[2])
        self.steps = kept[::-1]


@dataclass(eq=False)
class Task:
    """One call in a stage: of a kernel (its name, ints, reals), or of a NumPy function where there is a `step`."""

    stage: int
    outputs: list[Value | None]  # None where a kernel's optional argument is missing
    inputs: list[Value | None]
    kernel: tuple[str, Sequence[int], Sequence[float]] | None = None
    step: Step | None = None


def contiguous(shape: Sequence[int]) -> tuple[int, ...]:
    """The strides, in elements, of a C-contiguous array."""
    strides, step = [], 1
    for n in reversed(shape):
        strides.append(step)
        step *= n
    return tuple(reversed(strides))
