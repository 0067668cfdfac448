"""The native backend: what is recorded runs again as the reference would compute it, on other data."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from layerwise import config, layers, losses, models, ops, optimizers, tree, utils
from layerwise.autograd import Tensor, raw, vjp
from layerwise.backends import backend
from samples import SAMPLES, Sample

pytest.importorskip("layerwise.backends._native", reason="the C++ kernels are not built", exc_type=ImportError)

from layerwise.backends import native
from layerwise.backends.lowering import Lowering
from layerwise.backends.program import needed


@pytest.fixture(autouse=True)
def on_native():
    with config.override(backend="native"):
        yield


# Every operation, recorded

VALUED = {  # asks for values, or is computed on the host
    "bincount", "unique", "nonzero", "while_loop", "cond", "switch", "argwhere", "fori_loop",
}  # fmt: skip
RECORDED = [s for s in SAMPLES if not s.plain and s.name not in VALUED]


def as_function(sample: Sample, dtype: str) -> tuple[Any, list[np.ndarray]]:
    """The sample as a function of arrays to its results and, where it has them, its gradients."""

    def cast(leaf: Any) -> Any:
        return leaf.astype(dtype) if isinstance(leaf, np.ndarray) and leaf.dtype == "float64" else leaf

    flat = [cast(leaf) for leaf in tree.flatten(list(sample.args))]
    kwargs = {**sample.kwargs, **({"dtype": dtype} if sample.kwargs.get("dtype") == "float64" else {})}
    places = [i for i, a in enumerate(flat) if isinstance(a, np.ndarray) and a.dtype == dtype and i not in sample.static]

    def results(*xs: Any) -> list[Any]:
        values = list(flat)
        for i, x in zip(places, xs, strict=True):
            values[i] = x
        found = sample.operation(*tree.pack_sequence_as(list(sample.args), values), **kwargs)
        return [y for y in tree.flatten(found) if isinstance(y, Tensor)]

    def values_and_gradients(state: list[Any], *arrays: Any) -> tuple[list[Any], list[Any]]:
        xs = list(map(Tensor, arrays))
        if not (sample.differentiable and places):
            return [], [raw(y) for y in results(*xs)]
        ys, pull = vjp(lambda *xs: [y for y in results(*xs) if y.dtype == dtype], *xs)
        weights = [Tensor(np.cos(np.arange(y.size, dtype=dtype)).reshape(y.shape)) for y in ys]
        return [], [raw(t) for t in (*ys, *pull(weights))]

    return values_and_gradients, [flat[i] for i in places]


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("sample", RECORDED, ids=map(str, RECORDED))
def test_a_replay_computes_what_the_reference_does(sample, dtype):
    f, first = as_function(sample, dtype)
    second = [x * x.dtype.type(0.96875) for x in first]
    with config.override(backend="numpy"):
        expected = f([], *second)[1]
    run = backend().compile(f)
    run([], *first)
    assert all(run.programs.values()), "could not be recorded"
    tolerance = 1e-11 if dtype == "float64" else 3e-4
    for got, want in zip(run([], *second)[1], expected, strict=True):
        assert got.shape == want.shape
        assert np.can_cast(got.dtype, want.dtype), "a dtype of another kind"  # places in windows may be shorter
        scale = max(1.0, float(np.nanmax(np.abs(np.where(np.isfinite(want), want, 0)), initial=0.0)))
        np.testing.assert_allclose(got, want, rtol=tolerance, atol=tolerance * scale)
