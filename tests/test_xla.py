"""The XLA backend by itself: every gradient rule against JAX's own, and what it says about values it cannot have."""

from __future__ import annotations

from typing import Any

import jax
import numpy as np
import pytest

from layerwise import config, tree
from layerwise.autograd import Primitive, Tensor, primitives, raw, vjp
from samples import SAMPLES, Sample

EPS = np.finfo("float32").eps


@pytest.fixture(autouse=True)
def xla():
    with config.override(backend="xla"):
        yield


# Gradients

LOOPS = {"scan"}  # a primitive whose operands the public function lays out
ORACLE = {
    s.name: s
    for s in reversed(SAMPLES)  # the first of each name
    if s.differentiable and (s.name in LOOPS or (isinstance(s.operation, Primitive) and s.operation.differentiable))
}


def single(x: Any) -> Any:
    return x.astype("float32") if isinstance(x, np.ndarray) and x.dtype == "float64" else x


def as_function(sample: Sample) -> tuple[Any, list[np.ndarray]]:
    """The sample in float32, as a function of what it is differentiated by, and these arguments."""
    flat = [single(leaf) for leaf in tree.flatten(list(sample.args))]
    kwargs = {**sample.kwargs, **({"dtype": "float32"} if sample.kwargs.get("dtype") == "float64" else {})}
    places = [
        i
        for i, a in enumerate(flat)
        if isinstance(a, np.ndarray) and a.dtype == "float32" and (sample.vary is None or i in sample.vary)
    ]

    def f(*xs: Any) -> list[Any]:
        values = list(flat)
        for i, x in zip(places, xs, strict=True):
            values[i] = x
        results = sample.operation(*tree.pack_sequence_as(list(sample.args), values), **kwargs)
        return [y for y in tree.flatten(results) if y.dtype == "float32"]

    return f, [flat[i] for i in places]


@pytest.mark.parametrize("sample", ORACLE.values(), ids=list(ORACLE))
def test_gradient_is_the_one_jax_derives_from_the_rule(sample):
    """Two float32 computations of one sum of n terms differ by at most about n eps times its terms' size."""
    f, xs = as_function(sample)

    @jax.jit
    def both(*xs: Any) -> tuple[Any, Any]:
        values, jax_pull = jax.vjp(lambda *xs: [raw(y) for y in f(*map(Tensor, xs))], *xs)
        rng = np.random.default_rng(4)
        weights = [rng.standard_normal(y.shape).astype("float32") for y in values]
        _, pull = vjp(f, *map(Tensor, xs))
        return [raw(g) for g in pull([Tensor(jax.numpy.asarray(u)) for u in weights])], jax_pull(weights)

    terms = max(x.size for x in xs)
    for got, expected in zip(*both(*xs), strict=True):
        bound = (terms + 16) * EPS * max(1, np.abs(expected).max())
        np.testing.assert_allclose(got, expected, rtol=0, atol=bound)


def test_every_differentiable_primitive_met_the_oracle():
    named = {p.rule.__name__ for p in primitives.values() if p.gradient_rule and p.__module__.startswith("layerwise")}
    assert {name.removeprefix("_") for name in named} <= {name.removeprefix("_") for name in ORACLE}
