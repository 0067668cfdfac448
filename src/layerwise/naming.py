"""How names are made, numbered and compared."""

import contextlib
import functools
import itertools
import re
from collections import defaultdict
from collections.abc import Container, Iterable, Iterator
from contextvars import ContextVar
from numbers import Integral
from typing import Any

from .context import setting

_LONGEST = 1000  # characters of a name
_counters: dict[str, int] = defaultdict(int)
_scope: ContextVar[str] = ContextVar("name_scope", default="")


@functools.cache
def snake_case(name: str) -> str:
    """`MaxPooling2D` -> `max_pooling2d`: how class names become names of instances.

    >>> snake_case("BatchNormalization"), snake_case("PReLU"), snake_case("RMSprop")
    ('batch_normalization', 'p_re_lu', 'rm_sprop')
    """
    name = re.sub(r"\W+", "", name)
    name = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower()


def chosen_name(owner: Any, name: str | None) -> str:
    """The name of an object: the one it was given, else one of its class.

    Error messages hold names: none may be longer than 1,000 characters.
    """
    if not name:
        return auto_name(snake_case(type(owner).__name__))
    if len(name) > _LONGEST:
        raise ValueError(f"{type(owner).__name__}: name: got {len(name):,} characters, expected at most {_LONGEST:,}")
    return name


def auto_name(prefix: str) -> str:
    """`prefix`, `prefix_1`, `prefix_2`, ...: a name not given automatically before."""
    count = _counters[prefix]
    _counters[prefix] += 1
    return f"{prefix}_{count}" if count else prefix


def numbered(name: str, taken: Container[str]) -> str:
    """`name`, or the first of `name_1`, `name_2`, ... that is not taken.

    >>> numbered("add", ["add", "add_1"])
    'add_2'
    """
    names = itertools.chain([name], (f"{name}_{i}" for i in itertools.count(1)))
    return next(candidate for candidate in names if candidate not in taken)


def scoped(name: str) -> str:
    """The path that begins with `name`: behind the names of the scopes around it."""
    return f"{_scope.get()}/{name}" if _scope.get() else name


@contextlib.contextmanager
def name_scope(name: str) -> Iterator[None]:
    """Paths of the variables made inside the `with` block begin with `name`; names stay as they are.

    Layers are built when they are first called; inside a call their paths are the names of the layers around them.

    >>> from layerwise import Variable, name_scope
    >>> with name_scope("encoder"), name_scope("first"):
    ...     print(Variable(0.0, name="scale").path)
    encoder/first/scale
    """
    if not name or not isinstance(name, str):
        raise ValueError(f"name_scope: name: got {name!r}, expected a string that is not empty")
    with setting(_scope, scoped(name)):
        yield


def reset_names() -> None:
    """Start counting automatic names from the beginning."""
    _counters.clear()


def nearest(name: str, candidates: Iterable[str], cutoff: float = 0.6) -> list[str]:
    """At most three of the candidates that look like `name`, whatever the case of their letters.

    >>> nearest("adm", ["Adam", "Nadam", "SGD"])
    ['Adam', 'Nadam']
    """
    from difflib import get_close_matches

    by_lower: dict[str, list[str]] = {}
    for candidate in candidates:
        by_lower.setdefault(candidate.lower(), []).append(candidate)
    close = get_close_matches(name.lower(), by_lower, n=3, cutoff=cutoff)
    return [candidate for lower in close for candidate in by_lower[lower]][:3]


def suggest(name: str, names: Iterable[str]) -> str:
    """ "did you mean ...?" for a name that is not among `names`."""
    known = sorted(names)
    if close := nearest(name, {n.lower(): n for n in known}.values()):
        return f"did you mean {' or '.join(map(repr, close))}?"
    return f"expected one of {', '.join(known)}"


def expect(what: str, value: Any, holds: Any, expected: str) -> None:
    """Refuse a value of which something else was expected than what `holds`; `what` names it in the error.

    A function in place of a truth is asked of the value, and a value that it cannot be asked of is refused, too.

    >>> expect("rate", None, lambda rate: rate >= 0, "a number >= 0")
    Traceback (most recent call last):
    ValueError: rate: got None, expected a number >= 0
    """
    if callable(holds):
        try:
            holds = holds(value)
        except (TypeError, ValueError):
            holds = False
    if not holds:
        raise ValueError(f"{what}: got {value!r}, expected {expected}")


def is_whole(value: Any) -> bool:
    """Whether a value is a whole number, and no truth value."""
    return type(value) is int or (isinstance(value, Integral) and type(value) is not bool)


def whole_number(what: str, value: Any, least: int = 1) -> int:
    """`value` as an int, if it is a whole number of at least so much; `what` names it in the error.

    >>> whole_number("units", 0)
    Traceback (most recent call last):
    ValueError: units: got 0, expected a whole number >= 1
    """
    if not is_whole(value) or value < least:
        raise ValueError(f"{what}: got {value!r}, expected a whole number >= {least}")
    return int(value)


def one_of(what: str, value: Any, *known: Any) -> Any:
    """`value`, if it is among the known ones; `what` names it in the error otherwise.

    >>> one_of("mode", "mid", "min", "max")
    Traceback (most recent call last):
    ValueError: mode: got 'mid', expected 'min' or 'max'
    """
    if value not in known:
        *others, last = map(repr, known)
        raise ValueError(f"{what}: got {value!r}, expected {', '.join(others)} or {last}")
    return value
