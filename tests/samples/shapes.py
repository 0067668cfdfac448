"""What rearranges, pads, repeats, cuts and joins."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from layerwise import ops
from layerwise.autograd import primitives

from .sample import both, normal, sample


def shaping(name: str, *shape: int, reference: Any = None, batch: Sequence[int] = (), **kwargs: Any) -> None:
    is_primitive = name.startswith("_") or getattr(ops, name) is primitives.get(name)
    sample(
        name,
        normal(*shape),
        reference=reference or getattr(np, name),
        kwargs=kwargs,
        analytic=is_primitive,
        batch=batch,
    )


shaping("reshape", 2, 6, reference=lambda x, newshape: x.reshape(newshape), newshape=(3, 4))
shaping("reshape", 2, 6, reference=lambda x, newshape: x.reshape(newshape), newshape=(-1, 3, 2), batch=(0,))
shaping("broadcast_to", 3, 1, shape=(2, 3, 4))
shaping("sum_to", 2, 3, 4, reference=lambda x, shape: x.sum(axis=(0, 1)).reshape(shape), shape=(1, 4))
shaping("_sum_to", 2, 3, 4, reference=lambda x, shape: x.sum(axis=(0, 1)).reshape(shape), shape=(1, 4))
shaping("transpose", 2, 3, 4)
shaping("transpose", 2, 3, 4, axes=(0, -1, 1), batch=(0,))
shaping("moveaxis", 2, 3, 4, source=1, destination=-1, batch=(0,))
shaping("swapaxes", 2, 3, 4, axis1=1, axis2=-1, batch=(0,))
shaping("ravel", 2, 3)
shaping("expand_dims", 2, 3, axis=1, batch=(0,))
shaping("expand_dims", 2, 3, axis=(0, -1))
shaping("squeeze", 2, 1, 3, 1, axis=-1, batch=(0,))
shaping("squeeze", 2, 1, 3, 1)
shaping("_expand_dims", 2, 3, reference=np.expand_dims, axis=(1, 3), batch=(0,))
shaping("_squeeze", 2, 1, 3, 1, reference=np.squeeze, axis=(1, 3), batch=(0,))
shaping("flip", 2, 3, axis=1, batch=(0,))
shaping("flip", 2, 3)
shaping("roll", 3, 4, shift=2, axis=1, batch=(0,))
shaping("roll", 3, 4, shift=(1, -1), axis=(0, 1))
shaping("roll", 3, 4, shift=5)
for mode in ("constant", "reflect", "symmetric", "edge", "wrap"):
    shaping("pad", 3, 4, pad_width=((0, 0), (2, 1)), mode=mode, batch=(0,))
shaping(
    "pad",
    3,
    4,
    reference=lambda x, pad_width, constant_values: np.pad(x, 1, constant_values=2.0),
    pad_width=1,
    constant_values=2.0,
)
shaping(
    "_pad_constant",
    3,
    4,
    reference=lambda x, widths, value: np.pad(x, widths, constant_values=value),
    widths=((0, 0), (2, 1)),
    value=0.5,
    batch=(0,),
)
shaping("tile", 2, 3, reference=lambda x, repeats: np.tile(x, repeats), repeats=(2, 1, 2))
shaping("tile", 2, 3, reference=lambda x, repeats: np.tile(x, repeats), repeats=2)
shaping("repeat", 2, 3, repeats=2, axis=1, batch=(0,))
shaping("repeat", 2, 3, repeats=[1, 0, 2], axis=1, batch=(0,))
shaping("repeat", 2, 3, repeats=2)
shaping("tril", 3, 4, k=1)
shaping("triu", 2, 3, 4, k=-1, batch=(0,))
shaping("diag", 4, k=1)
shaping("diag", 3, 4, k=-1)
shaping("diag", 3, 4, k=2)
shaping("split", 3, 4, indices_or_sections=2, axis=1, batch=(0,))
shaping("split", 3, 5, indices_or_sections=[1, 4], axis=-1, batch=(0,))
shaping("unstack", 3, 2, reference=lambda x, axis: (x[:, 0], x[:, 1]), axis=1, batch=(0,))
pair = [normal(3, 4), normal(3, 4)]
for name in ("stack", "concatenate"):
    sample(name, pair, reference=getattr(np, name), kwargs={"axis": 1})
    sample(name, pair, reference=getattr(np, name), kwargs={"axis": -2}, batch=())
sample("concatenate", [normal(2, 3), normal(4, 3)], reference=np.concatenate, batch=())
for name in ("vstack", "hstack"):
    sample(name, pair, reference=getattr(np, name), batch=() if name == "vstack" else (0,))
    sample(name, [normal(3), normal(3)], reference=getattr(np, name), batch=())
sample(
    "_concatenate",
    normal(3, 4),
    normal(3, 2),
    reference=lambda *xs, axis: np.concatenate(xs, axis),
    kwargs={"axis": 1},
    analytic=True,
    **both,
)
for indexing in ("xy", "ij"):
    sample("meshgrid", normal(3), normal(4), normal(2), reference=np.meshgrid, kwargs={"indexing": indexing}, batch=())
