"""Matrices of derivatives, and derivatives in a direction, made of gradients."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from .. import tree
from .derivatives import grad, numbers_as_arrays, vjp
from .gradient_tape import GradientTape
from .operands import as_tensor


def jacobian(f: Callable[..., Any], argnums: int | Sequence[int] = 0) -> Callable[..., Any]:
    """x -> J with J[i..., j...] = d f(x)[i...] / d x[j...], by the arguments `argnums` of f

    f returns one Tensor; the arguments may be nested.

    >>> from layerwise import ops
    >>> jacobian(lambda x: x * ops.flip(x))([2.0, 3.0])
    Tensor([[3., 2.],
            [3., 2.]], shape=(2, 2), dtype=float32)
    """
    chosen = (argnums,) if isinstance(argnums, int) else tuple(argnums)

    def differentiated(*args: Any, **kwargs: Any) -> Any:
        arguments = list(args)
        with GradientTape(persistent=True) as tape:
            for i in chosen:
                arguments[i] = tree.map_structure(lambda x: tape.leaf(as_tensor(x)), numbers_as_arrays(args[i]))
            y = as_tensor(f(*arguments, **kwargs))
        parts = [tape.jacobian(y, arguments[i], "zero") for i in chosen]
        return parts[0] if isinstance(argnums, int) else tuple(parts)

    return differentiated


def hessian(f: Callable[..., Any], argnums: int = 0) -> Callable[..., Any]:
    """x -> H with H[i..., j...] = d^2 f(x) / (d x[i...] d x[j...]) for a function f that returns one
    number, by its argument `argnums`

    >>> hessian(lambda x: x[0] * x[0] * x[1])([2.0, 3.0])
    Tensor([[6., 4.],
            [4., 0.]], shape=(2, 2), dtype=float32)
    """
    return jacobian(grad(f, argnums), argnums)


def jvp(f: Callable[..., Any], primals: Sequence[Any], tangents: Sequence[Any]) -> tuple[Any, Any]:
    """(f(x), sum over j of df(x)/dx_j t_j): how f changes in the direction of the tangents t, at the primals x

    It is the gradient, by the gradient of y, of what `vjp` pulls back: that depends on it linearly.

    >>> jvp(lambda x, y: x * y, (2.0, 3.0), (1.0, 10.0))[1].item()
    23.0
    """
    y = f(*primals)
    ones = [t * 0 for t in tree.flatten(y)]

    def pulled(*gradients: Any) -> Any:
        return vjp(f, *primals)[1](gradients)

    _, pull = vjp(pulled, *ones)
    return y, tree.pack_sequence_as(y, pull([as_tensor(t) for t in tangents]))
