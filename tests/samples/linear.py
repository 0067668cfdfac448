"""Linear algebra."""

from __future__ import annotations

import numpy as np

from .sample import both, normal, sample

for a, b in [
    (normal(3, 4), normal(4, 2)),
    (normal(2, 3, 4), normal(4, 2)),
    (normal(2, 3, 4), normal(2, 4, 2)),
    (normal(2, 1, 3, 4), normal(5, 4, 2)),
]:
    known = {"batch": (0, 1)} if a.ndim == b.ndim == 3 else {}
    sample("_matmul", a, b, reference=np.matmul, analytic=True, **known)
    sample("matmul", a, b, reference=np.matmul, **known)
sample("matmul", normal(4), normal(4, 2), reference=np.matmul, batch=())
sample("matmul", normal(3, 4), normal(4), reference=np.matmul)
sample("matmul", normal(4), normal(4), reference=np.matmul, batch=())
sample("dot", normal(3, 4), normal(4, 2), reference=np.dot)
sample("dot", normal(2, 3, 4), normal(5, 4, 2), reference=np.dot)
sample("dot", normal(4), normal(4), reference=np.dot, batch=())
sample("inner", normal(2, 4), normal(3, 4), reference=np.inner)
sample("vdot", normal(2, 4), normal(2, 4), reference=np.vdot, batch=())
sample("outer", normal(3), normal(4), reference=np.outer)
sample("cross", normal(2, 3), normal(2, 3), reference=np.cross, **both)
sample("trace", normal(3, 4), reference=np.trace, kwargs={"offset": 1}, batch=())
sample("trace", normal(2, 3, 4), reference=np.trace, kwargs={"axis1": 1, "axis2": 2})
sample("diagonal", normal(3, 4), reference=np.diagonal, kwargs={"offset": -1}, batch=())
sample("diagonal", normal(2, 3, 4), reference=np.diagonal, kwargs={"axis1": 1, "axis2": 2})
sample("tensordot", normal(2, 3, 4), normal(3, 4, 5), reference=np.tensordot, kwargs={"axes": 2})
sample("tensordot", normal(2, 3, 4), normal(4, 3), reference=np.tensordot, kwargs={"axes": ((1, 2), (1, 0))})
for subscripts, shapes in {
    "ij,jk->ik": [(3, 4), (4, 2)],
    "bij,bjk->bki": [(2, 3, 4), (2, 4, 2)],
    "ij->j": [(3, 4)],
    "i,j,ij->": [(3,), (4,), (3, 4)],
    "...ij,jk->...ik": [(2, 3, 4), (4, 2)],
    "ij,jk": [(3, 4), (4, 2)],
    "abc,cd->a": [(2, 3, 4), (4, 5)],
}.items():
    sample("einsum", subscripts, *(normal(*s) for s in shapes), reference=np.einsum, batch=())
sample(
    "_einsum",
    normal(3, 4),
    normal(4, 2),
    reference=lambda a, b, subscripts: a @ b,
    kwargs={"subscripts": "ij,jk->ik"},
    analytic=True,
)
