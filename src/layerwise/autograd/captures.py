"""What the body of a loop refers to outside of it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from .tape import Node, Tensor, _clock, _levels, _open_tapes, captures, lifted


class Captures:
    """While the body of a loop runs: what stands inside for the Tensors from outside that it refers to.

    The first time, the body is only looked at, and what it refers to is noted: recorded Tensors in `met`, and in
    `variables` those that tapes around the loop watch. Later runs, maybe after these tapes closed, read them there.
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
        token = _open_tapes.set(tuple(tape for tape in _open_tapes.get() if tape.level < self.level))
        try:
            with captured_in(self.outer):
                tensor = lifted(variable, value)
        finally:
            _open_tapes.reset(token)
        if tensor.tape is not None:
            self.variables[id(variable)] = tensor
        return tensor


@contextlib.contextmanager
def captured_in(scope: Captures | None) -> Iterator[None]:
    """Run what is inside the `with` block as part of a loop's body."""
    token = captures.set(scope)
    try:
        yield
    finally:
        captures.reset(token)
