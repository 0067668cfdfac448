"""How TensorFlow's names are made of ours: tables whose rows say what a function and its arguments are called here."""

import ast
import inspect
import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

import numpy as np

from ...data.element import element, is_text
from ...lazy import lazy
from ...naming import nearest
from .dtypes import on_device

PREFIX = "layerwise.compat.tensorflow"


def namespace(
    module: str,
    rows: str = "",
    names: Mapping[str, str] | None = None,
    submodules: str = "",
    absent: Mapping[str, str] | None = None,
) -> tuple[Callable[[str], Any], Callable[[], list[str]], list[str]]:
    """`__getattr__`, `__dir__` and `__all__` of a namespace of TensorFlow's; everything in it is made when asked for.

    Args:
        module: its name.
        rows: lines `name: operation argument argument=default ...`. The operation is one of `layerwise.ops`, or of
            another module of ours, as in `random.normal`; the arguments are what TensorFlow calls its parameters, in
            their order, each with its default where TensorFlow has another one.
        names: modules and what they hold, as in `lazy`.
        submodules: public submodules, as there.
        absent: what TensorFlow has and we have not, and what to do instead.

    >>> get, _, _ = namespace(__name__, "reduce_sum: sum input_tensor axis keepdims")
    >>> get("reduce_sum")(input_tensor=[[1.0, 2.0]], axis=1)
    Tensor([3.], shape=(1,), dtype=float32)
    """
    split = (line.partition(":") for line in rows.strip().splitlines())
    table = {name.strip(): row.split() for name, _, row in split}
    written, _, listed = lazy(module, names or {}, submodules)

    def __getattr__(name: str) -> Any:
        if name in table:
            function = renamed(f"{module}.{name}".replace(PREFIX, "tf", 1), *table[name])
            setattr(sys.modules[module], name, function)
            return function
        if absent and name in absent:
            raise AttributeError(f"{module.replace(PREFIX, 'tf', 1)}.{name} is not in Layerwise: {absent[name]}")
        return written(name)

    public = sorted([*table, *listed])
    return __getattr__, public.copy, public


def renamed(name: str, operation: str, *arguments: str) -> Callable[..., Any]:
    """The operation as a function of this name, whose arguments are called so; `name=`, TensorFlow's, has no effect."""
    home, _, last = operation.rpartition(".")
    function = getattr(import_module(f"layerwise.{home or 'ops'}"), last)
    said = [argument.partition("=")[0] for argument in arguments]
    parameters = list(inspect.signature(function).parameters.values())[: len(said)]
    ours = dict(zip(said, (p.name for p in parameters), strict=True))
    other = {i: _value(default) for i, (_, given, default) in enumerate(a.partition("=") for a in arguments) if given}

    def call(*args: Any, **kwargs: Any) -> Any:
        kwargs.pop("name", None)
        if len(args) > len(said):
            raise TypeError(f"{name}: takes {len(said)} arguments ({', '.join(said)}), got {len(args)}")
        for argument in kwargs:
            if argument not in ours:
                close = ", ".join(nearest(argument, said, 0.3)) or ", ".join(said)
                raise TypeError(f"{name}: got an unexpected argument {argument!r}; nearest: {close}")
        given = {parameters[i].name: value for i, value in other.items() if i >= len(args)}
        given |= {ours[argument]: on_device(v) if argument == "dtype" else v for argument, v in kwargs.items()}
        args = tuple(on_device(v) if argument == "dtype" else v for argument, v in zip(said, args, strict=False))
        try:
            return function(*args, **given)
        except TypeError:  # texts are no Tensors, but arrays; NumPy's functions have the names of ours
            values = [*args, *(given[p.name] for p in parameters if p.name in given)]
            if not any(map(is_text, values)):
                raise
            texts = (np.asarray(value, object) if is_text(value) else value for value in values)
            return element(np.asarray(getattr(np, last)(*texts)))

    call.__name__ = call.__qualname__ = name.rpartition(".")[2]
    call.__doc__ = f"TensorFlow's name for `layerwise.{home or 'ops'}.{last}`."
    shown = [
        p.replace(name=n, kind=p.POSITIONAL_OR_KEYWORD, default=other.get(i, p.default))
        for i, (n, p) in enumerate(zip(said, parameters, strict=True))
    ]
    call.__signature__ = inspect.Signature(shown)  # type: ignore[attr-defined]
    return call


def _value(text: str) -> Any:
    """What a row's default stands for: a number, True, None or a word."""
    try:
        return ast.literal_eval(text)
    except ValueError:
        return text
