"""Watching what is computed: operations, nodes of tapes, layers and gradients. Being watched changes none of them.

Whoever watches is told of all threads, and meanwhile steps run in Python instead of being replayed. While nobody does,
an operation costs one test of `watchers` more.
"""

from __future__ import annotations

import contextlib
import functools
import threading
from collections.abc import Callable, Iterator, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from .context import setting

Method = TypeVar("Method", bound=Callable[..., Any])


@dataclass(frozen=True)
class Watcher:
    """Who is told of what; None: nobody.

    Attributes:
        called: called(operation, arrays, result) when an operation has been computed.
        recorded: recorded(operation, node) when it has been put on a tape.
        entered, left: entered(layer), left(layer, outputs) around the call of a layer on values.
        gradients: gradients(optimizer, gradients) when an optimizer is given them.
    """

    called: Callable[[Any, Sequence[Any], Any], None] | None = None
    recorded: Callable[[Any, Any], None] | None = None
    entered: Callable[[Any], None] | None = None
    left: Callable[[Any, Any], None] | None = None
    gradients: Callable[[Any, Sequence[Any]], None] | None = None


@dataclass(frozen=True)
class Place:
    """Where something is computed.

    Attributes:
        owner: the layer, model, loss, metric or optimizer whose code runs; None outside of all.
        method: the name of its method that does.
        path: of a layer, the names of those being called around it, and its own.
        gradient_of: the name of the operation whose gradient is computed, if one is.
    """

    owner: Any = None
    method: str = ""
    path: str = ""
    gradient_of: str | None = None


watchers: tuple[Watcher, ...] = ()
_changing = threading.Lock()
NOWHERE = Place()
_place: ContextVar[Place] = ContextVar("place", default=NOWHERE)


@contextlib.contextmanager
def observing(**functions: Callable[..., None]) -> Iterator[None]:
    """Tell these functions, by the names of a `Watcher`'s attributes, what happens inside the `with` block.

    >>> from layerwise import ops
    >>> with observing(called=lambda operation, arrays, result: print(operation.__name__, result)):
    ...     _ = ops.sqrt(4.0) + 1.0
    sqrt 2.0
    add 3.0
    """
    global watchers
    watcher = Watcher(**functions)
    with _changing:
        watchers = (*watchers, watcher)
    try:
        yield
    finally:
        with _changing:
            watchers = tuple(other for other in watchers if other is not watcher)


def is_watching_layers() -> bool:
    """Whether somebody watches more than gradients, so that every layer has to be called by itself."""
    return bool(watchers) and any(w.called or w.recorded or w.entered or w.left for w in watchers)


def tell(event: str, *what: Any) -> None:
    """Tell all who want to know of this event."""
    for watcher in watchers:
        if (function := getattr(watcher, event)) is not None:
            function(*what)


def place() -> Place:
    """Where the code that asks is run, as far as it was entered while somebody watched."""
    return _place.get()


def entering(there: Place) -> contextlib.AbstractContextManager[Place]:
    """What is computed inside the `with` block is computed there."""
    return setting(_place, there)


def placed(method: Method) -> Method:
    """Decorator: what a method computes is computed there."""

    @functools.wraps(method)
    def called(self: Any, *args: Any, **kwargs: Any) -> Any:
        if not watchers:
            return method(self, *args, **kwargs)
        with entering(Place(self, method.__name__)):
            return method(self, *args, **kwargs)

    return called  # type: ignore[return-value]


def keeping_place(operation: str, rule: Callable[..., Any]) -> Callable[..., Any]:
    """A gradient rule that is computed where its operation was, and so are the functions that it returns."""
    here = replace(place(), gradient_of=operation)

    def kept(rule: Callable[..., Any]) -> Callable[..., Any]:
        def compute(*g: Any) -> Any:
            with entering(here):
                gradients = rule(*g)
            if isinstance(gradients, tuple | list):  # some may be functions that compute them when asked
                return tuple(kept(part) if callable(part) else part for part in gradients)
            return gradients

        return compute

    return kept(rule)
