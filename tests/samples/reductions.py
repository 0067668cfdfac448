"""Reductions, sorting, norms."""

from __future__ import annotations

import numpy as np

from .sample import both, distinct, normal, sample, whole

for kwargs in ({}, {"axis": -1}, {"axis": (0, 2)}, {"axis": 1, "keepdims": True}):
    batch = (0,) if kwargs.get("axis") in (-1, 1) else ()
    for name in ("sum", "mean", "prod"):
        sample(name, normal(2, 3, 4), reference=getattr(np, name), kwargs=kwargs, analytic=True, batch=batch)
    for name in ("max", "min", "amax", "amin"):
        sample(name, distinct(2, 3, 4), reference=getattr(np, name), kwargs=kwargs, batch=batch)
    for name in ("var", "std"):
        sample(name, normal(2, 3, 4), reference=getattr(np, name), kwargs=kwargs, batch=batch)
    for name in ("all", "any"):
        sample(
            name,
            whole(0, 4, 2, 3, 4) > 0,
            reference=getattr(np, name),
            kwargs=kwargs,
            differentiable=False,
            batch=batch,
        )
    sample(
        "logsumexp",
        normal(2, 3, 4),
        reference=lambda x, axis=None, keepdims=False: np.log(np.exp(x).sum(axis=axis, keepdims=keepdims)),
        kwargs=kwargs,
        batch=batch,
    )
sample("prod", np.array([[2.0, 0.0, 3.0], [0.0, 0.0, 1.5]]), reference=np.prod, kwargs={"axis": 1}, analytic=True)
sample("average", normal(3, 4), reference=np.average, kwargs={"axis": 1})
sample(
    "average",
    normal(3, 4),
    reference=lambda x, axis, weights: np.average(x, 1, weights),
    kwargs={"axis": 1, "weights": [0.0, 1.0, 2.0, 3.0]},
)
for name in ("argmax", "argmin"):
    sample(name, distinct(3, 4), reference=getattr(np, name), kwargs={"axis": 1}, differentiable=False)
    sample(name, distinct(3, 4), reference=getattr(np, name), differentiable=False, batch=())
    sample(
        name,
        distinct(3, 4),
        reference=getattr(np, name),
        kwargs={"axis": 0, "keepdims": True},
        differentiable=False,
        batch=(),
    )
sample("argsort", distinct(3, 4), reference=np.argsort, kwargs={"axis": -1}, differentiable=False)
sample("sort", distinct(3, 4), reference=np.sort, kwargs={"axis": 1})
sample("sort", distinct(3, 4), reference=np.sort, kwargs={"axis": 0}, batch=())
sample("top_k", distinct(3, 5), reference=lambda x, k: (-np.sort(-x)[:, :k], np.argsort(-x)[:, :k]), kwargs={"k": 2})
sample(
    "in_top_k",
    np.array([2, 0], "int32"),
    np.array([[0.1, 0.6, 0.3], [0.1, 0.6, 0.3]]),
    reference=lambda t, p, k: np.array([True, False]),
    kwargs={"k": 2},
    differentiable=False,
    **both,
)
sample("median", distinct(3, 5), reference=np.median, kwargs={"axis": 1})
sample("median", distinct(3, 4), reference=np.median, kwargs={"axis": (0, 1), "keepdims": True}, batch=())
sample("count_nonzero", whole(0, 2, 3, 4), reference=np.count_nonzero, kwargs={"axis": 1}, differentiable=False)
sample("cumsum", normal(3, 4), reference=np.cumsum, kwargs={"axis": 1}, analytic=True)
sample("cumsum", normal(3, 4), reference=np.cumsum, analytic=True, batch=())
sample("cumprod", normal(3, 4), reference=np.cumprod, kwargs={"axis": 1})
sample("cumprod", normal(3, 4), reference=np.cumprod, batch=())
sample("moments", normal(3, 4), reference=lambda x, axes: (x.mean(1), x.var(1)), kwargs={"axes": 1})
for order in (None, 1, 2, 3, np.inf, -np.inf, 0):
    sample(
        "norm", distinct(3, 4), reference=np.linalg.norm, kwargs={"ord": order, "axis": 1}, differentiable=order != 0
    )
MATRICES = np.cos(np.arange(24.0) ** 2).reshape(2, 3, 4)
for order in (1, -1, 2, -2, "nuc", "fro", np.inf, -np.inf):
    sample(
        "norm",
        MATRICES[0],
        reference=np.linalg.norm,
        kwargs={"ord": order},
        batch=(),
        smooth=order not in (np.inf, -np.inf),
    )
sample("normalize", normal(3, 4), reference=lambda x: x / np.sqrt((x * x).sum(-1, keepdims=True)))
