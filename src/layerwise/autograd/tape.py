"""The tape: nodes that lead from a recorded Tensor to what it was computed from, and the levels they belong to."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from typing import Any

from .tensor import GraphError, Tensor

_clock = itertools.count(1)
_levels = itertools.count(1)
_open_tapes: ContextVar[tuple[Tape, ...]] = ContextVar("open_tapes", default=())


class Node:
    """One recorded call: how to pull a gradient back through it, and to whom. It never refers to values itself."""

    __slots__ = ("count", "gradient", "index", "name", "parents", "pull", "shapes", "time")

    def __init__(
        self, name: str, pull: Callable[[Any], Any] | None = None, parents: tuple[Node | None, ...] = ()
    ) -> None:
        self.name, self.pull, self.parents = name, pull, parents
        self.time = next(_clock)
        self.shapes: tuple[tuple[int, ...], ...] | None = None  # of arguments that were broadcast
        self.count: int | None = None  # how many outputs, where there are several
        self.index: int | None = None  # which of its only parent's outputs this is
        self.gradient: Tensor | None = None


def _freed(g: Any) -> Any:
    raise AssertionError


class Tape:
    """One differentiation in progress. It holds no list of calls: recorded Tensors lead to their nodes."""

    def __init__(self) -> None:
        self.level = next(_levels)
        self.recording = True
        self.closed = False

    def leaf(self, value: Any, name: str = "leaf") -> Tensor:
        """`value` as an input to differentiate by."""
        value = resolved(value)
        return Tensor(value.value if type(value) is Tensor and value.tape is None else value, self, Node(name))

    def watched(self, variable: Any) -> Node | None:
        """The node that stands for a variable, if this tape watches it."""
        return None

    def backward_from(self, y: Tensor, gradient: Any, retain: bool) -> None:
        """What `y.backward()` does, on a tape that watches something."""
        raise GraphError("backward: inside a differentiated function there is nothing to go back to; let grad() do it")

    def peel(self, x: Any) -> Any:
        """The value `x` has outside of this tape and of those inside it."""
        while type(x) is Tensor and x.tape is not None and x.tape.level >= self.level:
            x = x.value
        return x

    def node_of(self, x: Any) -> Node | None:
        """The node of `x` on this tape, if it is recorded here."""
        while type(x) is Tensor and x.tape is not None and x.tape.level > self.level:
            x = x.value
        return x.node if type(x) is Tensor and x.tape is self else None

    @contextlib.contextmanager
    def opened(self) -> Iterator[None]:
        """Keep this tape among the open ones inside a `with` block."""
        token = _open_tapes.set((*_open_tapes.get(), self))
        try:
            yield
        finally:
            _open_tapes.reset(token)


def lifted(variable: Any, value: Any) -> Tensor:
    """The value of a variable as the open tapes that watch it see it."""
    tensor = value if type(value) is Tensor else Tensor(value)
    scope, outside = captures.get(), 0
    if scope is not None:  # in the body of a loop, which remembers how the tapes around it see the variable
        tensor, outside = scope.read(variable, tensor), scope.level
    for tape in _open_tapes.get():
        if tape.level > outside and tape.recording and (node := tape.watched(variable)) is not None:
            tensor = Tensor(tensor if tensor.tape is not None else tensor.value, tape, node)
    return tensor


def differentiating() -> bool:
    """Whether what is computed now may be recorded: a tape is open, or the body of a loop runs."""
    return bool(_open_tapes.get()) or captures.get() is not None


@contextlib.contextmanager
def no_grad() -> Iterator[None]:
    """Nothing inside the `with` block is recorded on the tapes that are open around it.

    >>> from layerwise import grad
    >>> def f(x):
    ...     with no_grad():
    ...         scale = x * 2
    ...     return scale * x
    >>> grad(f)(3.0).item()
    6.0
    """
    paused = [tape for tape in _open_tapes.get() if tape.recording]
    for tape in paused:
        tape.recording = False
    try:
        yield
    finally:
        for tape in paused:
            tape.recording = True


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


captures: ContextVar[Captures | None] = ContextVar("captures", default=None)


@contextlib.contextmanager
def captured_in(scope: Captures | None) -> Iterator[None]:
    """Run what is inside the `with` block as part of a loop's body."""
    token = captures.set(scope)
    try:
        yield
    finally:
        captures.reset(token)


def resolved(x: Any) -> Any:
    """What stands for `x` in the loop that is running, if any."""
    scope = captures.get()
    return scope.resolve(x) if scope is not None and type(x) is Tensor else x
