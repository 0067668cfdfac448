"""Noting calls: a symbolic Tensor remembers which operation it comes from, and so does a model's graph."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar

from .. import tree
from .symbolic import Call, Spec, with_adapting_sizes
from .tape import Tensor

Function = TypeVar("Function", bound=Callable[..., Any])


def operation(function: Function, home: str | None = None) -> Function:
    """Decorator: a function made of operations is a single one to those who look at the graph.

    On values it does what it did. What it gives on symbolic Tensors comes from this call; the calls inside it, which
    were noted before, are forgotten.

    Args:
        function: of Tensors and of what says how to compute.
        home: the module that the decorated function is to be found in; None: that of `function`.

    >>> from layerwise.layers import Input
    >>> @operation
    ... def magnitude_of_double(x):
    ...     return abs(2 * x)
    >>> magnitude_of_double(Input((3,))).name
    'magnitude_of_double'
    """

    @functools.wraps(function)
    def called(*args: Any, **kwargs: Any) -> Any:
        try:
            results = function(*args, **kwargs)
        except (TypeError, ValueError) as error:
            results = _inferred(function, args, kwargs, error)
        if type(results) is not Tensor or type(results.value) is Spec:
            note_call(called, args, kwargs, results)
        return results

    if home is not None:
        called.__module__ = home
    return called  # type: ignore[return-value]


def _inferred(function: Callable[..., Any], args: Any, kwargs: Any, error: Exception) -> Any:
    """The symbolic results of a function that asked for a size that is not known: from its results for sizes that are.

    Where there is nothing to find out, raises the error.
    """
    leaves = tree.flatten((args, kwargs))
    places = [i for i, leaf in enumerate(leaves) if _is_symbolic(leaf) and None in leaf.shape]
    if not places:
        raise error

    def infer(specs: Any) -> Any:
        filled = list(leaves)
        for i, spec in zip(places, specs, strict=True):
            filled[i] = Tensor(spec)
        a, k = tree.pack_sequence_as((args, kwargs), filled)
        return tree.map_structure(lambda y: Spec(y.shape, y.dtype) if type(y) is Tensor else y, function(*a, **k))

    try:
        specs = with_adapting_sizes(infer, [leaves[i].value for i in places])
    except Exception as inner:
        raise (inner if isinstance(error, TypeError) else error) from None
    return tree.map_structure(lambda y: Tensor(y) if type(y) is Spec else y, specs)


def note_call(operation: Any, args: tuple[Any, ...], kwargs: dict[str, Any], results: Any) -> None:
    """Note on symbolic results, where symbolic arguments made them, that they come from this call.

    Args:
        operation: what was called.
        args, kwargs: with what.
        results: what it returned; an argument that is returned as it is stays what it was.
    """
    made = [x for x in tree.flatten(results) if _is_symbolic(x)]
    given = {id(x) for x in tree.flatten((args, kwargs)) if _is_symbolic(x)} if made else set()
    if given:
        call = Call(operation, args, kwargs, results)
        for x in made:
            if id(x) not in given:
                x.note("history", call)


def _is_symbolic(x: Any) -> bool:
    return type(x) is Tensor and x.symbolic
