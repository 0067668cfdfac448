"""The signature and the documentation of a layer, composed from its own, its slots and the classes above it."""

import inspect
import re
import textwrap
from collections.abc import Callable, Mapping, Sequence
from inspect import Parameter
from typing import Any

from ..signatures import taking
from .weights import KINDS, Weight, Weighted

_ARGUMENTS = "    Args:\n"
_ENTRY = re.compile(r"^ {8}(\w+(?:, \w+)*): .+(?:\n {12}.+)*$", re.MULTILINE)  # below "Args:"


def compose(cls: type[Weighted], after: Mapping[str, str], options_of: type[Weighted] | None) -> None:
    """Give the `__init__` in a class's body the options of its slots, or of another class, if it hands on `**options`.

    They follow the parameters before `*`: the initializers of all slots, the regularizers, the constraints; then come
    the keyword-only parameters. `after` says which option stands behind which other instead. All are positional
    outside, as in Keras.
    """
    init: Callable[..., None] | None = vars(cls).get("__init__")
    slots = [value for value in vars(cls).values() if isinstance(value, Weight)]
    own = list(inspect.signature(init).parameters.values()) if init is not None else []
    if init is None or own[-1].kind is not Parameter.VAR_KEYWORD or not (slots or options_of):
        return
    count = sum(p.kind is Parameter.POSITIONAL_OR_KEYWORD for p in own)
    options = [slot.options()[kind] for kind in KINDS for slot in slots if kind in slot.options()]
    added = [Parameter(name, Parameter.KEYWORD_ONLY, default=value, annotation=Any) for name, value in options]
    if options_of is not None:
        names = {p.name for p in own}
        added += [p for p in list(inspect.signature(options_of).parameters.values())[:-1] if p.name not in names]
    order = [*own[:count], *added, *own[count:-1]]
    for name, before in after.items():
        base = Parameter(name, Parameter.KEYWORD_ONLY, default=None, annotation=Any)
        moved = next((p for p in order if p.name == name), base)
        order = [p for p in order if p is not moved]
        order.insert([p.name for p in order].index(before) + 1, moved)
    cls.__init__ = taking(init, order)  # type: ignore[method-assign]
    cls._written = cls._written | {name for name, _ in options}


def describe(cls: type[Weighted]) -> None:
    """Add to a class's docstring what it leaves to others to say: the options of its slots, inherited arguments."""
    text = vars(cls).get("__doc__")
    if not text:
        return
    head, example, rest = text.partition("\n    >>> ")
    before, _, own = head.partition(_ARGUMENTS)
    parts = [before.rstrip()]
    names = [p.name for p in inspect.signature(cls.__init__).parameters.values() if p.default is not p.empty]
    options = [slot.options() for slot in vars(cls).values() if isinstance(slot, Weight)]
    if options and cls._written:
        parts.append(_of_slots(options, "activity_regularizer" in names))
    inherited = [entry for base in cls.__mro__[1:] for entry in _ENTRY.finditer(base.__doc__ or "")]
    entries = {own.rstrip(): None} if own.strip() else {}  # the others in the order of the signature, each once
    for name in names:
        if not any(re.search(rf"\b{name}\b", part) for part in (*parts, own)):
            entries |= dict.fromkeys([entry[0] for entry in inherited if name in entry[1].split(", ")][:1])
    if entries:
        parts.append(_ARGUMENTS + "\n".join(entries))
    cls.__doc__ = "\n\n".join(parts) + (f"\n{example}{rest}" if example else "\n    ")


def _of_slots(options: Sequence[Mapping[str, tuple[str, Any]]], regularized: bool) -> str:
    sentences = []
    for kind, (_, meaning) in KINDS.items():
        names = [of_slot[kind][0] for of_slot in options if kind in of_slot]
        sentences += [f"{', '.join(names)}: {meaning}"] if names else []
    if regularized:
        sentences.append("activity_regularizer: a function of the output, whose value joins them too")
    return textwrap.fill("; ".join(sentences) + ".", 116, initial_indent="    ", subsequent_indent="    ")
