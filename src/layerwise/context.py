"""Context variables that have a value for as long as a `with` block."""

import contextlib
from collections.abc import Iterator
from contextvars import ContextVar
from typing import TypeVar

Value = TypeVar("Value")


@contextlib.contextmanager
def setting(variable: ContextVar[Value], value: Value) -> Iterator[Value]:
    """The variable has this value inside the `with` block, in this thread or task, and then the one it had before.

    >>> depth = ContextVar("depth", default=0)
    >>> with setting(depth, 1):
    ...     print(depth.get())
    1
    >>> depth.get()
    0
    """
    token = variable.set(value)
    try:
        yield value
    finally:
        variable.reset(token)
