"""Layers that draw in training: their statistics, which are Keras', and that a seed repeats them."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import pytest

from layerwise import Input, layers

os.environ["KERAS_BACKEND"] = "jax"
import keras

CASES: list[tuple[str, dict[str, Any]]] = [
    ("Dropout", {"rate": 0.3}),
    ("AlphaDropout", {"rate": 0.3}),
    ("GaussianDropout", {"rate": 0.3}),
    ("GaussianNoise", {"stddev": 0.7}),
]
SPATIAL = [("SpatialDropout1D", 1, {}), ("SpatialDropout2D", 2, {}), ("SpatialDropout3D", 3, {})]
SPATIAL += [(name, rank, {"data_format": "channels_first"}) for name, rank, _ in SPATIAL[1:]]


@pytest.mark.parametrize(("name", "arguments"), CASES)
def test_distributions_are_those_of_keras(name: str, arguments: dict[str, Any]) -> None:
    x = np.random.default_rng(1).normal(size=(20_000, 2)).astype("float32")
    ours = getattr(layers, name)(**arguments, seed=1)(x, training=True).numpy()
    theirs = np.asarray(getattr(keras.layers, name)(**arguments, seed=1)(x, training=True))
    points = np.linspace(0.02, 0.98, 25)
    np.testing.assert_allclose(np.quantile(ours, points), np.quantile(theirs, points), atol=0.08)
    for y in (ours, theirs):
        np.testing.assert_allclose(y.mean(), x.mean(), atol=0.02)
    np.testing.assert_allclose(ours.std(), theirs.std(), rtol=0.02)
    np.testing.assert_allclose(np.corrcoef(ours.ravel(), x.ravel()), np.corrcoef(theirs.ravel(), x.ravel()), atol=0.02)
    assert abs(np.corrcoef((ours - x).T)[0, 1]) < 0.03  # columns are decided apart


def test_alpha_dropout_leaves_mean_and_variance() -> None:
    x = np.random.default_rng(2).normal(size=100_000).astype("float32")
    y = layers.AlphaDropout(0.4, seed=3)(x, training=True).numpy()
    np.testing.assert_allclose([y.mean(), y.std()], [0, 1], atol=0.02)


@pytest.mark.parametrize(("name", "rank", "arguments"), SPATIAL)
def test_channels_are_dropped_whole(name: str, rank: int, arguments: dict[str, Any]) -> None:
    first = "data_format" in arguments
    shape = (50, 20, *(3,) * rank) if first else (50, *(3,) * rank, 20)
    y = getattr(layers, name)(0.25, **arguments, seed=4)(np.ones(shape, "float32"), training=True).numpy()
    flat = np.moveaxis(y, 1, -1).reshape(50, -1, 20) if first else y.reshape(50, -1, 20)
    np.testing.assert_array_equal(flat, np.broadcast_to(flat[:, :1], flat.shape))
    np.testing.assert_allclose(np.unique(y), [0, 4 / 3], rtol=1e-6)
    np.testing.assert_allclose((flat[:, 0] == 0).mean(), 0.25, atol=0.07)


@pytest.mark.parametrize(("name", "arguments"), [*CASES, ("SpatialDropout1D", {"rate": 0.5})])
def test_a_seed_repeats_what_is_drawn(name: str, arguments: dict[str, Any]) -> None:
    x = np.ones((4, 5, 6), "float32")
    one, same, other = (getattr(layers, name)(**arguments, seed=seed) for seed in (5, 5, 6))
    first, second = one(x, training=True).numpy(), one(x, training=True).numpy()
    np.testing.assert_array_equal(same(x, training=True), first)
    np.testing.assert_array_equal(same(x, training=True), second)
    assert not np.array_equal(first, second)
    assert not np.array_equal(other(x, training=True), first)
    np.testing.assert_array_equal(one(x, training=False), x)
    assert one(Input((5, 6))).shape == (None, 5, 6)
    again = type(one).from_config(one.get_config())
    np.testing.assert_array_equal(again(x, training=True), first)
