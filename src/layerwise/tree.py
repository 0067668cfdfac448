"""Nested structures: lists, tuples (named ones too), deques and dicts, in the order of keys, all else being leaves.

>>> map_structure(lambda a, b: a + b, {"x": [1, 2]}, {"x": [10, 20]})
{'x': [11, 22]}
"""

from collections import OrderedDict, defaultdict, deque
from collections.abc import Callable, Iterable, Sequence
from numbers import Integral
from typing import Any

from .lazy import public_only

__all__ = [
    "MAP_TO_NONE", "assert_same_paths", "assert_same_structure", "flatten", "flatten_with_path", "is_nested",
    "lists_to_tuples", "map_shape_structure", "map_structure", "map_structure_up_to", "pack_sequence_as", "traverse",
]  # fmt: skip
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


def flatten_with_path(structure: Any) -> list[tuple[tuple[Any, ...], Any]]:
    """The leaves of a structure in order, each with the indices and keys that lead to it.

    >>> flatten_with_path({"b": (1, [2]), "a": 3})
    [(('a',), 3), (('b', 0), 1), (('b', 1, 0), 2)]
    """
    if not is_nested(structure):
        return [((), structure)]
    return [((key, *path), leaf) for key in _keys(structure) for path, leaf in flatten_with_path(structure[key])]


def _keys(structure: Any) -> Iterable[Any]:
    return _order(structure) if isinstance(structure, dict) else range(len(structure))


def _with_items(structure: Any, item: Callable[[Any], Any]) -> Any:
    """A structure of this kind whose items are item(key), made in order."""
    made = {key: item(key) for key in _keys(structure)}
    if isinstance(structure, dict):
        return _dict_like(structure, {key: made[key] for key in structure})
    return sequence_like(structure, made.values())


def assert_same_structure(a: Any, b: Any, check_types: Any = None) -> None:
    """Raise ValueError unless `a` and `b` are nested in the same way: kinds of sequences and keys of dicts agree.

    `check_types` is an old argument of Keras', without effect.
    """

    def check(x: Any, y: Any) -> None:
        if is_nested(y):
            raise ValueError(f"structures differ: {_form(x)} against {_form(y)}")

    map_structure(check, a, b)


def assert_same_paths(a: Any, b: Any) -> None:
    """Raise ValueError unless the leaves of `a` and `b` have the same paths, whatever kinds of sequences lead there."""
    paths = [dict(flatten_with_path(structure)).keys() for structure in (a, b)]
    if paths[0] != paths[1]:
        raise ValueError(f"paths differ: {sorted(paths[0] - paths[1])} against {sorted(paths[1] - paths[0])}")


class MAP_TO_NONE:
    """What a function given to `traverse` returns to put None in a place."""


def traverse(func: Callable[[Any], Any], structure: Any, top_down: bool = True) -> Any:
    """The structure with func(part) in the place of each part, leaf or not, for which that is not None.

    From the whole to the leaves, and no further where something was put in; with `top_down=False` from the leaves.

    >>> traverse(lambda part: tuple(part) if isinstance(part, list) else None, [1, [2]], top_down=False)
    (1, (2,))
    """
    result = func(structure) if top_down else None
    if result is None:
        inside = structure
        if is_nested(structure):
            inside = _with_items(structure, lambda key: traverse(func, structure[key], top_down))
        result = None if top_down else func(inside)
        if result is None:
            return inside
    return None if result is MAP_TO_NONE else result


def lists_to_tuples(structure: Any) -> Any:
    """The structure with tuples in the place of lists."""
    return traverse(lambda part: tuple(part) if type(part) is list else None, structure, top_down=False)


def map_structure_up_to(shallow_structure: Any, func: Callable[..., Any], *structures: Any) -> Any:
    """func applied to the parts of `structures` where `shallow_structure` has its leaves.

    >>> map_structure_up_to([0, 0], len, [[1], [2, 3]])
    [1, 2]
    """
    if not structures:
        raise ValueError("map_structure_up_to: structures: got none, expected at least one")
    if not is_nested(shallow_structure):
        return func(*structures)
    for other in structures:
        if not is_nested(other) or set(_keys(other)) != set(_keys(shallow_structure)):
            raise ValueError(f"structures differ: {_form(shallow_structure)} against {_form(other)}")
    return _with_items(
        shallow_structure,
        lambda key: map_structure_up_to(shallow_structure[key], func, *(other[key] for other in structures)),
    )


def map_shape_structure(func: Callable[[Any], Any], structure: Any) -> Any:
    """func applied to the shapes in a structure: the lists and tuples of whole numbers and None.

    >>> map_shape_structure(len, {"a": (None, 3), "b": [(2,)]})
    {'a': 2, 'b': [1]}
    """
    if not is_nested(structure) or is_shape(structure):
        return func(structure)
    return _with_items(structure, lambda key: map_shape_structure(func, structure[key]))


def is_shape(value: Any) -> bool:
    """Whether `value` is a list or tuple of whole numbers and None.

    >>> is_shape((None, 3)), is_shape([(2,)])
    (True, False)
    """
    return isinstance(value, list | tuple) and all(n is None or isinstance(n, Integral) for n in value)


def pack_sequence_as(structure: Any, flat_sequence: Sequence[Any]) -> Any:
    """The leaves `flat_sequence` arranged as `structure` is; the reverse of `flatten`."""
    remaining = iter(flat_sequence)
    packed = map_structure(lambda _: next(remaining), structure)
    if next(remaining, remaining) is not remaining:
        raise ValueError("pack_sequence_as: more leaves than the structure holds")
    return packed
