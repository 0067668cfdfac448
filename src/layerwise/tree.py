"""Nested structures: lists, tuples (named ones too), deques and dicts, in the order of keys, all else being leaves.

>>> map_structure(lambda a, b: a + b, {"x": [1, 2]}, {"x": [10, 20]})
{'x': [11, 22]}
"""

from collections import OrderedDict, defaultdict, deque
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from .lazy import public_only

__all__ = ["flatten", "is_nested", "map_structure", "pack_sequence_as"]
public_only(__name__)


def is_nested(structure: Any) -> bool:
    """Whether `structure` is a list, tuple, deque or dict."""
    return isinstance(structure, list | tuple | dict | deque)


def map_items(fn: Callable[[Any], Any], value: Any) -> Any:
    """fn applied to each item of a list or dict, one level deep; all else as it is.

    >>> map_items(str, {"x": 1, "y": [2]})
    {'x': '1', 'y': '[2]'}
    """
    if isinstance(value, list):
        return [fn(item) for item in value]
    return {key: fn(item) for key, item in value.items()} if isinstance(value, dict) else value


def map_structure(func: Callable[..., Any], first: Any, *others: Any) -> Any:
    """func applied to corresponding leaves of the `first` structure and others alike in form."""
    if not others:
        return _map(func, first)
    if isinstance(first, dict):
        for other in others:
            if not isinstance(other, dict) or set(other) != set(first):
                raise ValueError(f"structures differ: {_form(first)} against {_form(other)}")
        return _dict_like(
            first, {key: map_structure(func, first[key], *(other[key] for other in others)) for key in first}
        )
    if isinstance(first, list | tuple | deque):
        for other in others:
            if type(other) is not type(first) or len(other) != len(first):
                raise ValueError(f"structures differ: {_form(first)} against {_form(other)}")
        return sequence_like(first, [map_structure(func, *column) for column in zip(first, *others, strict=True)])
    return func(first, *others)


def map_given(func: Callable[[Any], Any], structure: Any) -> Any:
    """func applied to the leaves that are not None; where one is, it stays."""
    return _map(lambda leaf: None if leaf is None else func(leaf), structure)


def _map(fn: Callable[[Any], Any], structure: Any) -> Any:
    kind = type(structure)
    if kind is tuple:
        return tuple([_map(fn, item) for item in structure])
    if isinstance(structure, dict):
        made = {key: _map(fn, structure[key]) for key in _order(structure)}
        return _dict_like(structure, {key: made[key] for key in structure})
    if isinstance(structure, (list, tuple)) or kind is deque:  # faster than their union
        items = [_map(fn, item) for item in structure]
        return items if kind is list else sequence_like(structure, items)
    return fn(structure)


def _order(structure: dict[Any, Any]) -> Iterable[Any]:
    """The keys of a dict, sorted as Keras sorts them; as they are in an OrderedDict, or where they do not compare."""
    if len(structure) < 2 or type(structure) is OrderedDict:
        return structure
    try:
        return sorted(structure)
    except TypeError:
        return structure


def _dict_like(structure: dict[Any, Any], items: dict[Any, Any]) -> dict[Any, Any]:
    """`items` as the kind of dict that `structure` is, of Python's own."""
    if type(structure) is defaultdict:
        return defaultdict(structure.default_factory, items)
    return OrderedDict(items) if type(structure) is OrderedDict else items


def sequence_like(structure: Any, items: Iterable[Any]) -> Any:
    """`items` as the kind of sequence that `structure` is."""
    if isinstance(structure, deque):
        return deque(items, structure.maxlen)
    return type(structure)(*items) if hasattr(structure, "_fields") else type(structure)(items)


def _form(structure: Any) -> str:
    if isinstance(structure, dict):
        return f"a dict with keys {list(structure)}"
    if isinstance(structure, list | tuple | deque):
        return f"a {type(structure).__name__} of {len(structure)}"
    return f"one {type(structure).__name__}"


def flatten(structure: Any) -> list[Any]:
    """The leaves of a structure in order.

    >>> flatten({"b": (1, [2]), "a": 3})
    [3, 1, 2]
    """
    leaves: list[Any] = []
    _add_leaves(structure, leaves)
    return leaves


def _add_leaves(structure: Any, leaves: list[Any]) -> None:
    if isinstance(structure, dict):
        structure = [structure[key] for key in _order(structure)]
    elif not (isinstance(structure, (list, tuple)) or type(structure) is deque):  # faster than their union
        leaves.append(structure)
        return
    for item in structure:
        _add_leaves(item, leaves)


def pack_sequence_as(structure: Any, flat_sequence: Sequence[Any]) -> Any:
    """The leaves `flat_sequence` arranged as `structure` is; the reverse of `flatten`."""
    remaining = iter(flat_sequence)
    packed = map_structure(lambda _: next(remaining), structure)
    if next(remaining, remaining) is not remaining:
        raise ValueError("pack_sequence_as: more leaves than the structure holds")
    return packed
