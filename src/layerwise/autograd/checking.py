"""Checking gradients against differences."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .. import config, tree
from ..backends import backend
from .derivatives import vjp
from .operands import as_tensor


def gradcheck(
    f: Callable[..., Any], *args: Any, rtol: float = 1e-6, atol: float = 1e-8, step: float = 1e-3, seed: int = 0
) -> bool:
    """Compare f's gradient with differences: u . df(x) v, for random u and v, by Richardson extrapolation.

    D(h) = (u . f(x + h v) - u . f(x - h v)) / 2h;  the estimate is (4 D(h/2) - D(h)) / 3, whose error is O(h^4).
    h is `step`, and `seed` is that of u and v; |tape - estimate| <= `atol` + `rtol` |estimate| is asked for.
    Arguments that hold floating-point numbers are varied, in float64. Returns True or raises an AssertionError that
    says which argument's gradient is off, and by how much; a TypeError where the backend has no float64.

    >>> from layerwise import ops
    >>> gradcheck(ops.tanh, [[0.5, -1.0]])
    True
    """
    backend().check_dtype("float64")
    rng = np.random.default_rng(seed)
    arrays = [np.asarray(a) for a in args]
    arrays = [a.astype("float64") if a.dtype.kind == "f" else a for a in arrays]
    varied = [i for i, a in enumerate(arrays) if a.dtype.kind == "f"]
    if not varied:
        raise ValueError("gradcheck: no argument holds floating-point numbers")
    with config.override(floatx="float64"):
        template = [np.asarray(y) for y in tree.flatten(f(*arrays))]
        weights = [rng.standard_normal(y.shape) if y.dtype.kind == "f" else None for y in template]

        def weighted(*xs: Any) -> Any:
            return sum(
                np.vdot(u, np.asarray(y, "float64"))
                for u, y in zip(weights, tree.flatten(f(*xs)), strict=True)
                if u is not None
            )

        def differentiable(*xs: Any) -> list[Any]:
            full = list(arrays)
            for i, x in zip(varied, xs, strict=True):
                full[i] = x
            return tree.flatten(f(*full))

        _, pull = vjp(differentiable, *[arrays[i] for i in varied])
        grads = pull([None if u is None else as_tensor(u) for u in weights])
        for i, g in zip(varied, grads, strict=True):
            v = rng.standard_normal(arrays[i].shape)

            def difference(h: float, i: int = i, v: np.ndarray = v) -> Any:
                up, down = list(arrays), list(arrays)
                up[i], down[i] = arrays[i] + h * v, arrays[i] - h * v
                return (weighted(*up) - weighted(*down)) / (2 * h)

            expected = (4 * difference(step / 2) - difference(step)) / 3
            got = np.vdot(np.asarray(g), v)
            if not abs(got - expected) <= atol + rtol * abs(expected):
                raise AssertionError(
                    f"gradcheck: argument {i}: the tape says {got:.12g}, differences say {expected:.12g} "
                    f"(off by {abs(got - expected):.3g}, allowed {atol + rtol * abs(expected):.3g})"
                )
    return True
