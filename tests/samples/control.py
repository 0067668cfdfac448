"""Loops and branches."""

from __future__ import annotations

from typing import Any

import numpy as np

from layerwise import ops

from .sample import between, normal, sample

total = lambda carry, x: (carry * 0.5 + ops.sin(x), carry * x)  # noqa: E731


def summed(init: np.ndarray, xs: np.ndarray, reverse: bool = False) -> Any:
    ys, carry = [], init
    for x in xs[::-1] if reverse else xs:
        ys.append(carry * x)
        carry = carry * 0.5 + np.sin(x)
    return carry, np.stack(ys[::-1] if reverse else ys)


sample("scan", total, normal(2), normal(3, 2), reference=lambda f, init, xs: summed(init, xs), batch=())
sample(
    "scan",
    total,
    normal(2),
    normal(3, 2),
    reference=lambda f, init, xs, reverse: summed(init, xs, True),
    kwargs={"reverse": True},
    batch=(),
)
sample("map", lambda x: ops.exp(x), normal(3, 2), reference=lambda f, x: np.exp(x), batch=())
sample("vectorized_map", lambda x: ops.sum(ops.exp(x)), normal(3, 2), reference=lambda f, x: np.exp(x).sum(1), batch=())
sample(
    "fori_loop",
    0,
    4,
    lambda i, x: x * x - 0.1 * i,
    between(-0.7, 0.7, 3),
    reference=lambda a, b, f, x: ((((x**2) ** 2 - 0.1) ** 2 - 0.2) ** 2) - 0.3,
    batch=(),
)
sample(
    "while_loop",
    lambda x: ops.sum(x) < 10,
    lambda x: x * 2,
    np.array([1.0, 2.0]),
    reference=lambda c, f, x: x * 4,
    static=(2,),
    batch=(),
)
sample(
    "cond",
    True,
    lambda: ops.sin(np.array([1.0, 2.0])),
    lambda: 0.0,
    reference=lambda p, a, b: np.sin([1.0, 2.0]),
    batch=(),
    differentiable=False,
)
sample("switch", 1, [ops.sin, ops.cos], normal(3), reference=lambda i, b, x: np.cos(x), batch=())
sample(
    "associative_scan",
    lambda a, b: a + b * 1.0,
    normal(3, 5),
    reference=lambda f, x, axis: np.cumsum(x, axis),
    kwargs={"axis": 1},
    batch=(),
)
sample(
    "associative_scan",
    lambda a, b: [a[0] * b[0], a[1] * b[0] + b[1]],
    [normal(6), normal(6)],
    reference=lambda f, x, reverse: recurrence(x[0][::-1], x[1][::-1]),
    kwargs={"reverse": True},
    batch=(),
)


def recurrence(a: np.ndarray, b: np.ndarray) -> Any:
    """y_t = a_t y_(t-1) + b_t, and the products of a, in reverse."""
    y = [b[0]]
    for t in range(1, len(b)):
        y.append(a[t] * y[-1] + b[t])
    return np.cumprod(a)[::-1], np.stack(y)[::-1]


sample(
    "jvp",
    lambda x: ops.sin(x),
    (normal(3),),
    (normal(3),),
    reference=lambda f, x, t: (np.sin(x[0]), np.cos(x[0]) * t[0]),
    static=(1, 2),
    batch=(),
)
