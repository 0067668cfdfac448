"""Reading and writing at positions."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from layerwise.autograd import Tensor

from .sample import both, distinct, normal, sample, whole

for key in [
    (slice(None), 0),
    (slice(None), slice(None, None, -2)),
    (slice(None), None, np.array([0, 2, 2])),
    (Ellipsis, 1),
    (slice(None), np.array([True, False, True])),
]:
    for name in ("get_item", "_get_item"):
        sample(name, normal(4, 3), reference=lambda x, key: x[key], kwargs={"key": key}, analytic=name == "_get_item")
sample(
    "get_item",
    normal(4, 3),
    reference=lambda x, key: x[key],
    kwargs={"key": (np.array([0, 0, 3]), np.array([1, 1, 2]))},
    batch=(),
)
sample(
    "get_item",
    normal(4, 3),
    reference=lambda x, key: x[:, [1, 2, 1]][..., ::2, :],
    kwargs={"key": (Ellipsis, slice(None, None, 2), Tensor(np.array([1, 2, 1])))},
    batch=(),
)
sample(
    "_add_at",
    normal(3, 2),
    reference=lambda values, key, shape: np.stack([values[0] + values[2], values[1], 0 * values[0]]),
    kwargs={"key": (np.array([0, 1, 0]),), "shape": (3, 2)},
    analytic=True,
    batch=(),
)
rows = whole(0, 4, 2, 3)
sample("gather", normal(4, 3), rows, reference=lambda x, i: x[i], analytic=True, batch=(1,))
sample("gather", normal(2, 4, 3), rows, reference=lambda x, i, axis: x[:, i], kwargs={"axis": 1}, analytic=True)
sample("take", normal(4, 3), rows, reference=np.take, batch=())
sample("take", normal(2, 4, 3), rows, reference=np.take, kwargs={"axis": 1})
sample(
    "scatter_add",
    np.array([0, 2, 0], "int32"),
    normal(3, 2),
    reference=lambda i, v, shape: np.stack([v[0] + v[2], 0 * v[0], v[1], 0 * v[0]]),
    kwargs={"shape": (4, 2)},
    analytic=True,
    vary=(1,),
    batch=(),
)
along = np.array([[0, 2, 0], [1, 1, 3]], "int32")
sample("take_along_axis", normal(2, 4), along, reference=np.take_along_axis, kwargs={"axis": 1}, **both)
sample("_take_along_axis", normal(2, 4), along, reference=np.take_along_axis, kwargs={"axis": 1}, analytic=True, **both)
sample("take_along_axis", normal(2, 4), np.array([7, 0], "int32"), reference=lambda x, i: x.ravel()[i], batch=())
sample(
    "_put_along_axis",
    along,
    normal(2, 3),
    reference=lambda i, v, shape, axis: np.array(
        [[v[0, 0] + v[0, 2], 0, v[0, 1], 0], [0, v[1, 0] + v[1, 1], 0, v[1, 2]]]
    ),
    kwargs={"shape": (2, 4), "axis": 1},
    analytic=True,
    vary=(1,),
    batch=(),
)


def block(x: np.ndarray, start: Sequence[int], updates: np.ndarray) -> np.ndarray:
    x = x.copy()
    x[start[0] : start[0] + updates.shape[0], start[1] : start[1] + updates.shape[1]] = updates
    return x


sample("slice_update", normal(3, 4), (1, 2), normal(2, 2), reference=block, batch=())
sample("slice", normal(3, 4), (1, 0), (2, 3), reference=lambda x, start, shape: x[1:3, 0:3], batch=())
places = np.array([[0, 1], [2, 3], [0, 1]], "int32")


def scattered(i: np.ndarray, v: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    y = np.zeros(shape)
    np.add.at(y, tuple(i.T), v)
    return y


sample("scatter", places, normal(3), reference=scattered, kwargs={"shape": (3, 4)}, vary=(1,), static=(0,), batch=())
sample(
    "scatter_update",
    normal(3, 4),
    places[:2],
    normal(2),
    reference=lambda x, i, v: block(block(x, (0, 1), v[:1, None]), (2, 3), v[1:, None]),
    static=(1,),
    batch=(),
)
sample(
    "segment_sum",
    normal(4, 2),
    np.array([0, 0, 2, 0], "int32"),
    reference=lambda x, i, num_segments: np.stack([x[0] + x[1] + x[3], 0 * x[0], x[2]]),
    kwargs={"num_segments": 3},
    batch=(),
)
sample(
    "bincount",
    np.array([1, 1, 3], "int32"),
    reference=lambda x, minlength: np.bincount(x, minlength=5),
    kwargs={"minlength": 5},
    differentiable=False,
    static=(0,),
    batch=(),
)

ids = np.array([0, 3, 0, 0, -1], "int32")
for name, f, nothing in [
    ("segment_max", np.max, -np.inf),
    ("segment_min", np.min, np.inf),
    ("segment_prod", np.prod, 1),
]:

    def segments(x, i, num_segments, f=f, nothing=nothing):
        return np.stack([f(x[[0, 2, 3]], axis=0), np.full(2, nothing), np.full(2, nothing), x[1]])

    sample(name, distinct(5, 2), ids, reference=segments, kwargs={"num_segments": 4}, differentiable=False, batch=())
    sample(
        name,
        distinct(4, 2),
        np.array([1, 1, 0, 1], "int32"),
        reference=lambda x, i, f=f: np.stack([x[2], f(x[[0, 1, 3]], axis=0)]),
        static=(1,),
        batch=(),
    )
sample(
    "segment_prod",
    np.array([2.0, 0.0, 3.0, 0.0, 0.0]),
    np.array([0, 0, 0, 1, 1], "int32"),
    reference=lambda x, i, num_segments: np.zeros(2),
    kwargs={"num_segments": 2},
    smooth=False,
    batch=(),
)
sample(
    "_segments",
    distinct(4, 2),
    np.array([1, 1, 0, 1], "int32"),
    reference=lambda x, i, function, count: np.stack([x[2], x[[0, 1, 3]].max(0)]),
    kwargs={"function": "maximum", "count": 2},
    batch=(),
)
for reduction, f in ("add", np.sum), ("mul", np.prod), ("max", np.max), ("min", np.min):
    sample(
        "scatter_update",
        distinct(3, 4),
        np.array([[0, 1], [2, 3], [0, 1]], "int32"),
        distinct(3) + 0.03,
        reference=lambda x, i, v, reduction, f=f: block(
            block(x, (0, 1), np.array([[f([x[0, 1], v[0], v[2]])]])), (2, 3), np.array([[f([x[2, 3], v[1]])]])
        ),
        kwargs={"reduction": reduction},
        static=(1,),
        batch=(),
    )
