"""Derivatives of functions, and functions that bring their own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .. import config, tree
from ..dtypes import is_float
from .backward import check_scalar, ones_like, pull_back, zeros_like
from .operands import as_tensor
from .tape import Node, Tape, Tensor, resolved


def value_and_grad(
    f: Callable[..., Any], argnums: int | Sequence[int] = 0, has_aux: bool = False
) -> Callable[..., Any]:
    """x -> (f(x), df/dx) for a function that returns one number.

    The arguments named by `argnums` may be nested structures of arrays; the gradient has their form, with zeros where f
    does not depend on a leaf. With `has_aux` f returns (number, anything), and so does the result's first part.

    >>> from layerwise import ops
    >>> value, slope = value_and_grad(lambda x: ops.sum(x * x))([1.0, 2.0])
    >>> value.item(), slope
    (5.0, Tensor([2., 4.], shape=(2,), dtype=float32))
    """
    chosen = (argnums,) if isinstance(argnums, int) else tuple(argnums)

    def differentiated(*args: Any, **kwargs: Any) -> Any:
        tape = Tape()
        arguments = list(args)
        leaves: list[Tensor] = []
        structures = []

        def lift(x: Any) -> Tensor:
            x = as_tensor(x)
            if not is_float(x.dtype):
                raise TypeError(f"grad: can only differentiate by floating-point arguments, got dtype {x.dtype}")
            leaves.append(tape.leaf(x))
            return leaves[-1]

        for i in chosen:
            if not -len(args) <= i < len(args):
                raise ValueError(
                    f"grad: argnums: got {argnums}, but the function was called with {len(args)} arguments"
                )
            structure = numbers_as_arrays(arguments[i])
            arguments[i] = tree.map_structure(lift, structure)
            structures.append(structure)
        try:
            with tape.opened():
                result = f(*arguments, **kwargs)
            y, aux = result if has_aux else (result, None)
            y = as_tensor(y) if type(y) is not Tensor else y
            check_scalar(getattr(f, "__name__", "grad"), y)
            value = tape.peel(y)
            tape.recording = False
            grads = iter(_pulled([(tape.node_of(y), ones_like(value))], leaves))
            parts = [tree.map_structure(lambda _: as_tensor(next(grads)), structure) for structure in structures]
        finally:
            tape.closed = True
        value = as_tensor(value)
        aux = tree.map_structure(lambda leaf: as_tensor(tape.peel(leaf)) if type(leaf) is Tensor else leaf, aux)
        return (value, aux) if has_aux else value, parts[0] if isinstance(argnums, int) else tuple(parts)

    return differentiated


def _pulled(seeds: Sequence[tuple[Node | None, Any]], leaves: Sequence[Tensor]) -> list[Tensor]:
    """The gradients by `leaves`, zeros where there is no way to one."""
    grads = pull_back(seeds, [leaf.node for leaf in leaves], False)
    return [zeros_like(leaf) if g is None else g for leaf, g in zip(leaves, grads, strict=True)]


def numbers_as_arrays(argument: Any) -> Any:
    """An argument to differentiate by: lists of Python's numbers as arrays, whole ones as floating-point numbers."""
    if isinstance(argument, list) and all(type(leaf) in (int, float) for leaf in tree.flatten(argument)):
        return as_tensor(np.asarray(argument, config.floatx()))
    return float(argument) if type(argument) is int else argument


def grad(f: Callable[..., Any], argnums: int | Sequence[int] = 0) -> Callable[..., Any]:
    """x -> df/dx for a function f of x that returns one number, by the arguments `argnums`; see `value_and_grad`.

    >>> from layerwise import ops
    >>> grad(grad(ops.sin))(0.0).item()
    -0.0
    """
    both = value_and_grad(f, argnums)
    return lambda *args, **kwargs: both(*args, **kwargs)[1]


def vjp(f: Callable[..., Any], *args: Any) -> tuple[Any, Callable[[Any], list[Tensor]]]:
    """f(*args), which may be nested, and the function that pulls gradients of its leaves back to each of `args`."""
    tape = Tape()
    leaves = [tape.leaf(as_tensor(a)) for a in args]
    with tape.opened():
        result = f(*leaves)
    outputs = tree.flatten(result)

    def pull(gradients: Sequence[Any]) -> list[Tensor]:
        tape.recording = False
        seeds = [(tape.node_of(y), g) for y, g in zip(outputs, gradients, strict=True) if g is not None]
        grads = _pulled(seeds, leaves)
        tape.closed = True
        return grads

    return tree.map_structure(tape.peel, result), pull


def custom_gradient(f: Callable[..., Any]) -> Callable[..., Any]:
    """Decorator: a function f that returns (y, pull), its own gradient, pull(g) -> the gradient of each argument.

    >>> from layerwise import ops
    >>> @custom_gradient
    ... def log1pexp(x):
    ...     e = ops.exp(x)
    ...     return ops.log(1 + e), lambda g: g * (1 - 1 / (1 + e))
    >>> grad(log1pexp)(0.0).item()
    0.5
    """

    def wrapped(*args: Any, **kwargs: Any) -> Any:
        operands = [resolved(as_tensor(a)) if not isinstance(a, str) and a is not None else a for a in args]
        return _custom(f, operands, kwargs)

    wrapped.__name__, wrapped.__doc__ = getattr(f, "__name__", "custom_gradient"), f.__doc__
    return wrapped


def _custom(f: Callable[..., Any], operands: list[Any], kwargs: dict[str, Any]) -> Any:
    tapes = [a.tape for a in operands if type(a) is Tensor and a.tape is not None and a.tape.recording]
    if not tapes:
        return f(*operands, **kwargs)[0]
    tape = max(tapes, key=lambda t: t.level)
    inner = [as_tensor(a.value) if type(a) is Tensor and a.tape is tape else a for a in operands]
    y, pull = f(*inner, **kwargs)
    if len({t.level for t in tapes}) > 1:
        y = _custom(f, inner, kwargs)  # the outer levels, too, take f's own gradient
    parents = tuple(a.node if type(a) is Tensor and a.tape is tape else None for a in operands)
    return Tensor(
        y if y.tape is not None else y.value, tape, Node(getattr(f, "__name__", "custom_gradient"), pull, parents)
    )
