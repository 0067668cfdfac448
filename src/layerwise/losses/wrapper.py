"""Losses and metrics around a function of (y_true, y_pred), whose options become arguments and attributes."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, ClassVar

from ..catalog import functions
from ..serialization import Configurable, resolve
from ..signatures import described


class Wrapper(Configurable):
    """A function of (y_true, y_pred) and its options.

    A subclass is declared from its function: `class Huber(FunctionLoss, fn=huber)` takes the options of `huber`, with
    its defaults, and what `FunctionLoss` takes besides. What a declaration says:

    Args:
        fn: the function.
        name: the default of the argument `name`, where it is not the function's own.
        takes: the arguments in order, where it is not the usual one; options that it leaves out keep their defaults.
        check: is called with the class's name and the arguments, and raises for those that are wrong.
    """

    fn: Callable[..., Any]
    _kind: ClassVar[str]  # the class that says what all of the kind take
    _namespace: ClassVar[str]  # whose functions a configuration may name
    _options_first: ClassVar[bool]  # whether they stand before what all of the kind take
    _options: tuple[str, ...]

    def __init_subclass__(
        cls,
        fn: Callable[..., Any] | None = None,
        name: str | None = None,
        takes: str | None = None,
        check: Callable[..., None] | None = None,
        **others: Any,
    ) -> None:
        super().__init_subclass__(**others)
        if fn is not None:
            cls.fn = staticmethod(fn)
            cls.__init__ = _declared(cls, fn, name or fn.__name__, takes, check)  # type: ignore[method-assign]
            cls.__doc__ = cls.__doc__ and _documented(cls, fn, cls.__doc__)

    def _wrap(self, fn: Callable[..., Any], options: dict[str, Any]) -> None:
        self.fn, self._options = fn, tuple(options)
        vars(self).update(options)

    def _values(self, y_true: Any, y_pred: Any) -> Any:
        return self.fn(y_true, y_pred, **{name: getattr(self, name) for name in self._options})

    def get_config(self) -> dict[str, Any]:
        given = self._init_arguments[1]
        return {**super().get_config(), **{name: getattr(self, name) for name in self._options if name in given}}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        if "fn" in config:
            config = {**config, "fn": resolve(config["fn"], "function", functions(cls._namespace))}
        return super().from_config(config)


def _declared(
    cls: type[Wrapper], fn: Callable[..., Any], name: str, takes: str | None, check: Callable[..., None] | None
) -> Callable[..., None]:
    """The `__init__` of a class that is declared from a function."""
    inits: list[Callable[..., None]] = [vars(c)["__init__"] for c in cls.__mro__[1:] if "__init__" in vars(c)]
    base = next(init for init in inits if "fn" in inspect.signature(init).parameters)
    itself, _, *common, _ = inspect.signature(base).parameters.values()  # self, fn, ..., **options
    options = list(inspect.signature(fn).parameters.values())[2:]
    usual = [*options, *common] if cls._options_first else [*common, *options]
    known = {p.name: p.replace(kind=p.POSITIONAL_OR_KEYWORD) for p in usual}
    known["name"] = known["name"].replace(default=name, annotation="str")
    order = [known[argument] for argument in (takes.split() if takes else known)]
    signature = inspect.Signature([itself, *order], return_annotation="None")

    def __init__(self: Wrapper, *args: Any, **kwargs: Any) -> None:
        given = signature.bind(self, *args, **kwargs)
        given.apply_defaults()
        arguments = dict(list(given.arguments.items())[1:])
        if check is not None:
            check(type(self).__name__, **arguments)
        base(self, fn, **arguments)

    __init__.__qualname__ = f"{cls.__qualname__}.__init__"
    __init__.__signature__ = signature  # type: ignore[attr-defined]
    return __init__


def _documented(cls: type[Wrapper], fn: Callable[..., Any], text: str) -> str:
    """A class's docstring with where its arguments are described."""
    names, options = list(inspect.signature(cls.__init__).parameters)[1:], list(inspect.signature(fn).parameters)[2:]
    groups = (fn.__name__, [n for n in names if n in options]), (cls._kind, [n for n in names if n not in options])
    return described(text, "; ".join(f"{', '.join(group)}: as of `{home}`" for home, group in groups if group) + ".")
