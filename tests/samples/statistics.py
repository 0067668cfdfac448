"""Statistics: quantiles, histograms, correlations, reductions that pass over NaN."""

from __future__ import annotations

import numpy as np

from .sample import both, distinct, normal, sample, whole

holes = distinct(3, 5)
holes[0, 1] = holes[2, 0] = holes[2, 4] = np.nan
for kwargs in ({"axis": 1}, {"axis": (0, 1), "keepdims": True}):
    batch = (0,) if kwargs["axis"] == 1 else ()
    for name in ("nansum", "nanprod", "nanmax", "nanmin", "nanmean", "nanvar", "nanstd", "nanmedian"):
        sample(name, distinct(3, 5), reference=getattr(np, name), kwargs=kwargs, batch=batch)
        sample(name, holes, reference=getattr(np, name), kwargs=kwargs, differentiable=False, batch=batch)
    sample("ptp", distinct(3, 5), reference=np.ptp, kwargs=kwargs, batch=batch)
for name in ("nanargmax", "nanargmin"):
    sample(name, holes, reference=getattr(np, name), kwargs={"axis": 1}, differentiable=False)
for name in ("nancumsum", "nancumprod"):
    sample(name, holes, reference=getattr(np, name), kwargs={"axis": 1}, differentiable=False)
for method in ("linear", "lower", "higher", "midpoint", "nearest"):
    sample("quantile", distinct(3, 5), 0.3, reference=np.quantile, kwargs={"axis": 1, "method": method}, vary=(0,))
sample(
    "quantile",
    distinct(2, 3, 4),
    np.array([[0.13, 1.0], [0.55, 0.0]]),
    reference=np.quantile,
    kwargs={"axis": (0, 2), "keepdims": True},
    vary=(0,),
    batch=(),
)
sample("percentile", distinct(3, 5), 30.0, reference=np.percentile, kwargs={"axis": 1})
sample("nanquantile", holes, 0.3, reference=np.nanquantile, kwargs={"axis": 1}, differentiable=False)
sample("nanpercentile", holes, 30.0, reference=np.nanpercentile, kwargs={"axis": 1}, differentiable=False)
sample("nanpercentile", distinct(3, 5), 30.0, reference=np.nanpercentile, kwargs={"axis": 1})
sample("nanquantile", distinct(3, 5), 0.3, reference=np.nanquantile, kwargs={"axis": 1})

steps = np.array([-1.0, 0.0, 0.5, 2.0])
sample("searchsorted", steps, normal(3, 4), reference=np.searchsorted, differentiable=False, batch=(1,))
sample(
    "_searchsorted",
    np.array([0, 1, 1, 4], "int32"),
    whole(0, 5, 3, 4),
    reference=np.searchsorted,
    kwargs={"side": "right"},
    differentiable=False,
    batch=(1,),
)
sample("digitize", normal(3, 4), steps, reference=np.digitize, differentiable=False)
sample("digitize", normal(3, 4), steps[::-1].copy(), reference=np.digitize, differentiable=False)
sample("histogram", normal(12), reference=np.histogram, kwargs={"bins": 4}, differentiable=False, batch=())
sample("histogram", normal(12), steps, reference=np.histogram, differentiable=False, static=(0, 1), batch=())
sample(
    "histogram",
    normal(12),
    reference=np.histogram,
    kwargs={"bins": 3, "range": (-1.0, 1.0)},
    static=(0,),
    differentiable=False,
    batch=(),
)
sample("diff", normal(3, 5), reference=np.diff, kwargs={"n": 2})
sample("diff", normal(3, 5), reference=np.diff, kwargs={"axis": 0}, batch=())
sample("trapezoid", normal(3, 5), reference=np.trapezoid, kwargs={"dx": 0.3})
sample("trapezoid", normal(3, 5), np.sort(normal(5)), reference=np.trapezoid)
sample("corrcoef", normal(3, 6), reference=np.corrcoef, batch=())
for mode in ("full", "same", "valid"):
    for m, n in (6, 3), (3, 6), (5, 4), (4, 5):
        sample("correlate", normal(m), normal(n), reference=np.correlate, kwargs={"mode": mode}, batch=())
sample(
    "cdist",
    normal(2, 3, 4),
    normal(2, 2, 4),
    reference=lambda x, y: np.linalg.norm(x[:, :, None] - y[:, None], axis=-1),
    **both,
)
sample("multi_hot", whole(0, 4, 3, 2), 4, reference=lambda x, n: np.eye(n)[x].max(1), differentiable=False)
sample(
    "psnr",
    normal(3, 4),
    normal(3, 4),
    reference=lambda x, y, max_val: 10 * np.log10(max_val**2 / np.mean((x - y) ** 2)),
    kwargs={"max_val": 2.0},
    batch=(),
)
