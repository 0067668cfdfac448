"""Linear algebra."""

from __future__ import annotations

from typing import Any

import numpy as np

from .sample import both, normal, sample

none: dict[str, Any] = {"batch": ()}
one = {"batch": (0,)}


def regular(*shape: int) -> np.ndarray:
    """Matrices far from singular."""
    return normal(*shape) * 0.3 + np.eye(shape[-2], shape[-1]) * np.arange(2.0, 2 + shape[-1])


def positive(*shape: int) -> np.ndarray:
    x = regular(*shape)
    return x @ np.swapaxes(x, -1, -2)


def stack(f: Any, x: np.ndarray, *others: Any) -> Any:
    """f of every matrix of a batch."""
    results = [f(*entries) for entries in zip(x, *others, strict=True)]
    return tuple(map(np.stack, zip(*results, strict=True))) if isinstance(results[0], tuple) else np.stack(results)


for name in ("solve", "_solve"):
    sample(name, regular(2, 3, 3), normal(2, 3, 2), reference=np.linalg.solve, **both)
    sample(name, regular(3, 3), normal(2, 3, 2), reference=np.linalg.solve, batch=(1,))
sample("solve", regular(2, 3, 3), normal(2, 3), reference=lambda a, b: stack(np.linalg.solve, a, b), **both)
for lower, part in (True, np.tril), (False, np.triu):
    sample(
        "solve_triangular",
        regular(2, 3, 3),
        normal(2, 3, 2),
        reference=lambda a, b, lower, part=part: np.linalg.solve(part(a), b),
        kwargs={"lower": lower},
        **both,
    )
    sample(
        "cholesky",
        positive(2, 3, 3),
        reference=lambda x, upper: np.linalg.cholesky(x, upper=upper),
        kwargs={"upper": lower},
    )
    sample(
        "cholesky_inverse",
        np.linalg.cholesky(positive(2, 3, 3), upper=lower),
        reference=lambda x, upper: np.linalg.inv(np.swapaxes(x, 1, 2) @ x if upper else x @ np.swapaxes(x, 1, 2)),
        kwargs={"upper": lower},
    )
sample("cholesky_inverse", np.linalg.cholesky(positive(3, 3)), reference=lambda x: np.linalg.inv(x @ x.T), **none)
sample("_cholesky", positive(2, 3, 3), reference=np.linalg.cholesky)
sample("inv", regular(2, 3, 3), reference=np.linalg.inv)
sample("pinv", normal(2, 4, 3), reference=np.linalg.pinv)
for name in ("pinv", "_pinv"):
    sample(name, normal(2, 3, 4), reference=np.linalg.pinv, kwargs={"rcond": 1e-9})
sample("lstsq", normal(4, 3), normal(4), reference=lambda a, b: np.linalg.lstsq(a, b)[0], **none)
sample("lstsq", normal(3, 4), normal(3, 2), reference=lambda a, b: np.linalg.lstsq(a, b)[0], **none)
sample("qr", normal(2, 4, 3), reference=np.linalg.qr)
sample("qr", normal(2, 3, 4), reference=np.linalg.qr)
sample("qr", normal(2, 3, 3), reference=np.linalg.qr, kwargs={"mode": "complete"})
sample("qr", normal(2, 4, 3), reference=np.linalg.qr, kwargs={"mode": "complete"}, differentiable=False)
sample("_qr", normal(2, 4, 3), reference=np.linalg.qr, kwargs={"mode": "reduced"})


def eliminated(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    a, pivots = x.copy(), []
    for k in range(min(a.shape)):
        pivots.append(k + int(np.argmax(abs(a[k:, k]))))
        a[[k, pivots[-1]]] = a[[pivots[-1], k]]
        a[k + 1 :, k] /= a[k, k]
        a[k + 1 :, k + 1 :] -= np.outer(a[k + 1 :, k], a[k, k + 1 :])
    return a, np.array(pivots, "int32")


for shape in (2, 3, 3), (2, 4, 3), (2, 3, 4):
    sample("lu_factor", normal(*shape), reference=lambda x: stack(eliminated, x))
for shape in (2, 4, 3), (2, 3, 4), (2, 3, 3):
    options = {"full_matrices": shape[1] == shape[2]}
    sample("svd", regular(*shape), reference=np.linalg.svd, kwargs=options)
    sample("svd", regular(*shape), reference=np.linalg.svd, kwargs={"compute_uv": False})
sample("_svd", regular(2, 4, 3), reference=lambda x: np.linalg.svd(x, full_matrices=False))
for name in ("svd", "_full_svd"):
    sample(name, regular(2, 4, 3), reference=np.linalg.svd, differentiable=False)
sample("eigh", positive(2, 3, 3), reference=np.linalg.eigh)
sample("_eigh", positive(2, 3, 3), reference=np.linalg.eigh)
for name in ("det", "_det"):
    sample(name, regular(2, 3, 3), reference=np.linalg.det)
for name in ("slogdet", "_slogdet"):
    sample(name, -regular(2, 3, 3), reference=np.linalg.slogdet)
sample("logdet", regular(2, 3, 3), reference=lambda x: np.linalg.slogdet(x)[1])
sample(
    "matrix_rank",
    np.stack([np.ones((3, 4)), regular(3, 4)]),
    reference=np.linalg.matrix_rank,
    differentiable=False,
)
