"""SpectralNormalization against Keras on JAX, and against singular values."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import pytest

from layerwise import GradientTape, Input, Sequential, layers, ops, saving

os.environ["KERAS_BACKEND"] = "jax"
import keras

RNG = np.random.default_rng(3)


@pytest.mark.parametrize(
    ("kind", "arguments", "shape", "iterations"),
    [("Dense", {"units": 4}, (2, 3), 1), ("Conv2D", {"filters": 3, "kernel_size": 2}, (2, 4, 4, 2), 2)],
)
def test_outputs_weights_and_configuration_are_those_of_keras(
    kind: str, arguments: dict[str, Any], shape: tuple[int, ...], iterations: int
) -> None:
    ours, theirs = (
        k.SpectralNormalization(getattr(k, kind)(**arguments, name="inner"), iterations, name="outer")
        for k in (layers, keras.layers)
    )
    x = RNG.normal(size=shape).astype("float32")
    ours(x), theirs(x)
    assert [(v.name, v.shape, v.trainable) for v in ours.weights] == [
        (v.name, tuple(v.shape), v.trainable) for v in theirs.weights
    ]
    values = [RNG.normal(size=v.shape).astype("float32") for v in ours.weights]
    ours.set_weights(values), theirs.set_weights(values)
    np.testing.assert_allclose(ours(x), theirs(x), rtol=1e-5, atol=1e-5)
    for _ in range(3):
        np.testing.assert_allclose(ours(x, training=True), theirs(x, training=True), rtol=1e-4, atol=1e-5)
        for v, v0 in zip(ours.weights, theirs.weights, strict=True):
            np.testing.assert_allclose(v, v0, rtol=1e-4, atol=1e-5)
    again = layers.SpectralNormalization.from_config(theirs.get_config())
    assert again.get_config() == ours.get_config()
    assert keras.layers.SpectralNormalization.from_config(ours.get_config()).power_iterations == iterations
    assert ours.compute_output_shape(shape) == tuple(theirs.compute_output_shape(shape))


def test_the_largest_singular_value_becomes_1() -> None:
    layer = layers.SpectralNormalization(layers.Dense(5), power_iterations=50)
    x = ops.array(RNG.normal(size=(2, 7)).astype("float32"))
    layer(x)
    layer.layer.kernel.assign(RNG.normal(size=(7, 5)).astype("float32"))
    with GradientTape() as tape:
        y = ops.sum(layer(x, training=True))
    assert all(g is not None for g in tape.gradient(y, layer.trainable_variables))
    np.testing.assert_allclose(np.linalg.svd(layer.kernel.numpy(), compute_uv=False)[0], 1, rtol=1e-4)
    layer.layer.kernel.assign(np.zeros((7, 5), "float32"))
    assert np.isfinite(layer(x, training=True).numpy()).all()
    with pytest.raises(ValueError, match="has neither a kernel nor embeddings"):
        layers.SpectralNormalization(layers.ReLU())(x)


def test_in_files_of_keras(tmp_path: Any) -> None:
    theirs = keras.Sequential([keras.Input((3,)), keras.layers.SpectralNormalization(keras.layers.Dense(2))])
    theirs.save(tmp_path / "theirs.keras")
    ours = saving.load_model(tmp_path / "theirs.keras")
    x = RNG.normal(size=(4, 3)).astype("float32")
    np.testing.assert_allclose(ours.predict(x, verbose=0), theirs.predict(x, verbose=0), rtol=1e-5)
    ours.compile("sgd", "mse")
    ours.fit(x, np.ones((4, 2), "float32"), verbose=0)
    ours.save(tmp_path / "ours.keras")
    back = keras.saving.load_model(tmp_path / "ours.keras")
    np.testing.assert_allclose(back.predict(x, verbose=0), ours.predict(x, verbose=0), rtol=1e-5, atol=1e-6)
    assert Sequential([Input((3,)), layers.SpectralNormalization(layers.Dense(2))]).output_shape == (None, 2)
