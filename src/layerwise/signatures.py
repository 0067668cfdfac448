"""Signatures and docstrings that say what an `__init__` takes beyond what its body spells out."""

import functools
import inspect
import textwrap
from collections.abc import Callable, Sequence
from inspect import Parameter
from typing import Any


class SignatureOfInit:
    """`__signature__` of a class whose `__new__` takes anything: that of `__init__`, as newer Pythons find it."""

    def __get__(self, instance: object, cls: type) -> inspect.Signature:
        if instance is not None:  # objects have that of `__call__`
            raise AttributeError("__signature__")
        of_init = inspect.signature(cls.__init__)  # type: ignore[misc]
        return of_init.replace(parameters=list(of_init.parameters.values())[1:])


def taking(init: Callable[..., None], order: Sequence[Parameter]) -> Callable[..., None]:
    """`init`, which ends in `**options`, with these parameters: its own positional ones first, then what it hands on.

    All are positional outside, as in Keras; those that are not positional in `init` reach it as keywords.

    >>> def init(self, units, **options):
    ...     print(units, options)
    >>> name = Parameter("name", Parameter.KEYWORD_ONLY, default=None)
    >>> longer = taking(init, [*inspect.signature(init).parameters.values()][:2] + [name])
    >>> inspect.signature(longer)
    <Signature (self, units, name=None, **options)>
    >>> longer(None, 3, "dense")
    3 {'name': 'dense'}
    """
    own = list(inspect.signature(init).parameters.values())
    count = sum(p.kind is Parameter.POSITIONAL_OR_KEYWORD for p in own)
    names = [p.name for p in order]

    @functools.wraps(init)
    def __init__(*args: object, **options: object) -> None:
        if len(args) > len(names):
            kind = type(args[0]).__name__
            raise TypeError(f"{kind}: got {len(args) - 1} arguments, expected at most {len(names) - 1}")
        init(*args[:count], **dict(zip(names[count:], args[count:], strict=False)), **options)

    positional = [p.replace(kind=Parameter.POSITIONAL_OR_KEYWORD) for p in order]
    __init__.__signature__ = inspect.Signature([*positional, own[-1]])  # type: ignore[attr-defined]
    return __init__


def renamed(function: Callable[..., Any], argument: str, name: str) -> Callable[..., Any]:
    """`function` whose `argument` is called `name` outside.

    >>> def init(self, value, count=1):
    ...     print(value, count)
    >>> renamed(init, "value", "recall")(None, recall=0.5)
    0.5 1
    """
    own = inspect.signature(function)
    outside = own.replace(
        parameters=[p.replace(name=name) if p.name == argument else p for p in own.parameters.values()]
    )

    @functools.wraps(function)
    def called(*args: Any, **options: Any) -> Any:
        given = outside.bind(*args, **options)
        return function(*given.args, **given.kwargs)

    called.__signature__ = outside  # type: ignore[attr-defined]
    return called


def described(text: str, sentence: str) -> str:
    """A class's docstring with one more paragraph, before its first example."""
    lines = textwrap.wrap(sentence, 116, initial_indent="    ", subsequent_indent="    ")
    head, example, rest = text.partition("\n    >>> ")
    return f"{head.rstrip()}\n\n" + "\n".join(lines) + (f"\n{example}{rest}" if example else "\n    ")
