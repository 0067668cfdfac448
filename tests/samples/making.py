"""What makes arrays, and tells of them."""

from __future__ import annotations

from typing import Any

import numpy as np

from .references import one_hot
from .sample import normal, sample, whole


def made(name: str, *args: Any, reference: Any = None, **kwargs: Any) -> None:
    sample(name, *args, reference=reference or getattr(np, name), kwargs=kwargs, differentiable=False, batch=())


for name in ("zeros", "ones"):
    made(name, (2, 3), dtype="float64")
made("empty", (2, 3), dtype="float64", reference=np.zeros)
made("full", (2, 3), 1.5, dtype="float64")
made("arange", 5, reference=lambda n: np.arange(5, dtype="int32"))
made("arange", 1, 2, 0.25, dtype="float64")
made("linspace", 0, 1, num=4, dtype="float64")
made("linspace", 0, 1, num=4, endpoint=False, dtype="float64")
made("linspace", [0.0, 0.5], [1.0, 2.0], num=3, retstep=True, axis=-1, dtype="float64")
made("eye", 3, 4, k=1, dtype="float64")
made("identity", 3, dtype="float64")
made("tri", 3, 4, k=-1, dtype="float64")
for name in ("array", "convert_to_tensor"):
    sample(name, normal(3, 4), reference=np.array, analytic=False)
sample(
    "cast", normal(3, 4), reference=lambda x, dtype: x.astype("int32"), kwargs={"dtype": "int32"}, differentiable=False
)
sample("cast", normal(3, 4), reference=lambda x, dtype: x, kwargs={"dtype": "float64"})
sample("stop_gradient", normal(3, 4), reference=lambda x: x, differentiable=False)
for name in ("zeros_like", "ones_like"):
    sample(name, normal(3, 4), reference=getattr(np, name), differentiable=False)
sample("full_like", normal(3, 4), reference=np.full_like, kwargs={"fill_value": 2.5}, differentiable=False)
sample(
    "_constant_like",
    normal(3, 4),
    reference=lambda x, value, dtype: np.full_like(x, 2, dtype),
    kwargs={"value": 2, "dtype": "int32"},
    differentiable=False,
)
sample(
    "one_hot",
    whole(-1, 4, 3, 2),
    reference=lambda x, num_classes, dtype: one_hot(x, 3),
    kwargs={"num_classes": 3, "dtype": "float64"},
    differentiable=False,
)
sample(
    "one_hot",
    whole(0, 4, 3, 2),
    reference=lambda x, num_classes, axis: np.moveaxis(one_hot(x, 4), -1, 1),
    kwargs={"num_classes": 4, "axis": 1},
    differentiable=False,
)
for name, reference in {
    "shape": np.shape,
    "size": np.size,
    "ndim": np.ndim,
    "is_tensor": lambda x: False,
    "convert_to_numpy": np.array,
}.items():
    sample(name, normal(3, 4), reference=reference, plain=True, differentiable=False, batch=())
