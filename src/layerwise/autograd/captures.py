"""What the body of a loop refers to outside of it, and what it changes there."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from contextvars import ContextVar
from typing import Any

from ..context import setting
from .tape import Node, Tensor, _clock, _levels, _open_tapes, captures, lifted


class Captures:
    """While the body of a loop runs: what stands inside for the Tensors from outside that it refers to.

    The first time, the body is only looked at, and what it refers to is noted: recorded Tensors in `met`, and in
    `variables` those that tapes around the loop watch. Later runs, maybe after these tapes closed, read them there, and
    what stands inside for a node in `replacements`. `outer` are the captures of the loop around this one.
    """

    def __init__(
        self,
        outer: Captures | None,
        variables: dict[int, Tensor],
        replacements: dict[Node, Any],
        met: dict[Node, Tensor] | None = None,
    ) -> None:
        self.outer, self.variables, self.replacements, self.met = outer, variables, replacements, met
        self.since, self.level = next(_clock), next(_levels)

    def resolve(self, x: Tensor) -> Tensor:
        if self.outer is not None:
            x = self.outer.resolve(x)
        if x.tape is None or x.node is None:
            return x
        if self.met is not None and x.tape.recording and x.tape.level < self.level and x.node.time < self.since:
            self.met.setdefault(x.node, x)
        return self.replacements.get(x.node, x)

    def read(self, variable: Any, value: Tensor) -> Tensor:
        """A variable's value on the tapes around the loop."""
        if id(variable) in self.variables:
            return self.variables[id(variable)]
        around = tuple(tape for tape in _open_tapes.get() if tape.level < self.level)
        with setting(_open_tapes, around), captured_in(self.outer):
            tensor = lifted(variable, value)
        if tensor.tape is not None:
            self.variables[id(variable)] = tensor
        return tensor


def captured_in(scope: Captures | None) -> contextlib.AbstractContextManager[Any]:
    """Run what is inside the `with` block as part of a loop's body, whose captures are `scope` (None: of none)."""
    return setting(captures, scope)


class Assigned:
    """The variables that the body of a loop assigns, found when it is only looked at: carries of the loop.

    Not those that are trained, as no gradient flows through what is assigned.
    """

    def __init__(self) -> None:
        self._readers: dict[Any, Callable[[], Any]] = {}
        self._before: list[Tensor] = []
        self._outer: Assigned | None = None  # of the loop around this one

    def note(self, variable: Any, read: Callable[[], Any]) -> None:
        """A variable, which `read` gives the value of, is about to be assigned."""
        if self._outer is not None:
            self._outer.note(variable, read)
        if not variable.trainable and variable not in self._readers:
            self._readers[variable] = read
            self._before.append(Tensor(read()))

    def values(self) -> list[Tensor]:
        """What the variables are now, in order."""
        return [Tensor(read()) for read in self._readers.values()]

    def assign(self, values: Sequence[Tensor]) -> None:
        """Give as many variables their values."""
        for variable, value in zip(self._readers, values, strict=False):
            variable.assign(value)

    @contextlib.contextmanager
    def found(self) -> Iterator[None]:
        """Find those that are assigned inside the `with` block, be it a symbolic value; then they are as before."""
        self._outer = _assigned.get()
        try:
            with setting(_assigned, self):
                yield
        finally:
            self.assign(self._before)

    @contextlib.contextmanager
    def starting_from(self, values: Sequence[Tensor]) -> Iterator[None]:
        """Inside the `with` block the variables have these values, and then those that they had before."""
        before = self.values()
        try:
            self.assign(values)
            yield
        finally:
            self.assign(before)


_assigned: ContextVar[Assigned | None] = ContextVar("assigned", default=None)


def note_assignment(variable: Any, read: Callable[[], Any]) -> None:
    """What a variable does before it is assigned; `read` gives the value that it has."""
    if (assigned := _assigned.get()) is not None:
        assigned.note(variable, read)
