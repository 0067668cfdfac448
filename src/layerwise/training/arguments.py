"""What is asked of the arguments of methods that users call."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any, TypeVar

from ..naming import suggest, whole_number
from ..terminal import end_line

Method = TypeVar("Method", bound=Callable[..., Any])


def for_users(method: Method) -> Method:
    """A method that says what an unknown argument may have meant, and whose errors begin below the progress bar."""
    known = list(inspect.signature(method).parameters)[1:]

    @functools.wraps(method)
    def called(self: Any, *args: Any, **kwargs: Any) -> Any:
        self._require_init()
        for name in kwargs:
            if name not in known:
                raise TypeError(f"{method.__name__}: unknown argument {name!r}; {suggest(name, known)}")
        try:
            return method(self, *args, **kwargs)
        except BaseException:
            end_line()
            raise

    return called  # type: ignore[return-value]


def check_counts(method: str, **counts: Any) -> None:
    """Refuse what is no whole number >= 1; None counts as not given."""
    for name, value in counts.items():
        if value is not None:
            whole_number(f"{method}: {name}", value)


def most(count: Any, limit: int | None) -> Any:
    """`count`, but at most `limit`; None is no count or no limit.

    >>> most(None, 3), most(5, 3), most(2, None)
    (3, 3, 2)
    """
    return count if limit is None else limit if count is None else min(count, limit)
