"""Rescaling, Resizing, CenterCrop and Normalization against Keras on JAX."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import pytest

from layerwise import GradientTape, Input, config, layers, ops
from layerwise.data import Dataset, PyDataset

os.environ["KERAS_BACKEND"] = "jax"
import keras

RNG = np.random.default_rng(8)
IMAGES = RNG.uniform(0, 255, (3, 5, 6, 3)).astype("float32")
ROWS = RNG.normal(3, 2, (10, 4, 3)).astype("float32")


def as_lists(config: dict[str, Any]) -> Any:
    """A configuration without the layer's name, tuples as lists."""

    def plain(value: Any) -> Any:
        if isinstance(value, dict):
            return {k: plain(v) for k, v in value.items() if k != "shared_object_id"}
        return [plain(v) for v in value] if isinstance(value, list | tuple) else value

    return plain({k: v for k, v in config.items() if k != "name"})


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("Rescaling", {"scale": 1 / 255}),
        ("Rescaling", {"scale": 2, "offset": -1.0}),
        ("Rescaling", {"scale": [0.1, 0.2, 0.3], "offset": [1, 2, 3]}),
        ("Resizing", {"height": 3, "width": 8}),
        ("Resizing", {"height": 3, "width": 4, "interpolation": "bicubic", "antialias": True}),
        ("Resizing", {"height": 4, "width": 9, "interpolation": "nearest", "crop_to_aspect_ratio": True}),
        ("Resizing", {"height": 4, "width": 9, "pad_to_aspect_ratio": True, "fill_value": 3.0}),
        ("CenterCrop", {"height": 3, "width": 3}),
        ("CenterCrop", {"height": 5, "width": 6}),
        ("CenterCrop", {"height": 7, "width": 4}),
        ("CenterCrop", {"height": 2, "width": 9}),
        ("AutoContrast", {}),
        ("AutoContrast", {"value_range": (0, 300), "data_format": "channels_last"}),
        ("Equalization", {}),
        ("Equalization", {"value_range": (0, 256), "bins": 16}),
        ("ContrastLimitedAdaptiveHistogramEqualization", {"tile_grid_size": (2, 3)}),
        ("ContrastLimitedAdaptiveHistogramEqualization", {"tile_grid_size": (4, 4), "clip_limit": 0.0}),
        ("Normalization", {"mean": 3.0, "variance": 4.0}),
        ("Normalization", {"mean": [1, 2, 3], "variance": [1, 4, 9], "invert": True}),
        ("Normalization", {"mean": 1.0, "variance": 0.0, "axis": None}),
        ("Normalization", {"axis": (1, 2)}),
    ],
)
def test_against_keras(name: str, arguments: dict[str, Any]) -> None:
    ours, theirs = getattr(layers, name)(**arguments), getattr(keras.layers, name)(**arguments)
    expected = np.asarray(theirs(IMAGES))
    y = ours(IMAGES)
    assert y.dtype == "float32"
    np.testing.assert_allclose(y, expected, rtol=1e-5, atol=1e-4)
    assert as_lists(ours.get_config()) == as_lists(theirs.get_config())
    assert type(ours).from_config(ours.get_config()).get_config() == ours.get_config()
    assert ours.compute_output_shape((None, 5, 6, 3)) == (None, *expected.shape[1:])
    assert ours(Input((5, 6, 3))).shape == (None, *expected.shape[1:])
    assert [(v.name, v.shape, v.dtype, v.trainable) for v in ours.weights] == [
        (v.name, v.shape, v.dtype, v.trainable) for v in theirs.weights
    ]
    if name in ("Resizing", "CenterCrop"):
        np.testing.assert_allclose(ours(IMAGES[0]), expected[0], rtol=1e-5, atol=1e-4)
        first = getattr(layers, name)(**arguments, data_format="channels_first")(np.moveaxis(IMAGES, -1, 1))
        np.testing.assert_allclose(np.moveaxis(first.numpy(), 1, -1), expected, rtol=1e-5, atol=1e-4)


def test_integers() -> None:
    whole = IMAGES.astype("uint8")
    assert layers.Rescaling(1 / 255)(whole).dtype == "float32"
    np.testing.assert_allclose(layers.Rescaling(1 / 255)(whole), whole / 255, rtol=1e-6)
    assert layers.Resizing(3, 4)(whole).dtype == "uint8"
    assert layers.CenterCrop(3, 4)(whole).dtype == "float32"


@pytest.mark.float64
def test_integers_become_float64_where_a_layer_is() -> None:
    whole = IMAGES.astype("uint8")
    assert layers.Normalization(mean=1, variance=4, dtype="float64")(whole).dtype == "float64"


def test_rescaling_with_channels_first_scales_channels() -> None:
    layer = layers.Rescaling([1.0, 2.0, 3.0], offset=[0.0, 0.0, 1.0])
    expected = layer(IMAGES).numpy()
    with config.override(image_data_format="channels_first"):
        np.testing.assert_array_equal(np.moveaxis(layer(np.moveaxis(IMAGES, -1, 1)).numpy(), 1, -1), expected)


@pytest.mark.parametrize("axis", [-1, None, 1, (1, 2), (-1, 1)], ids=str)
@pytest.mark.parametrize("invert", [False, True])
def test_adapt(axis: Any, invert: bool) -> None:
    ours = layers.Normalization(axis=axis, invert=invert)
    theirs = keras.layers.Normalization(axis=axis, invert=invert)
    ours.adapt(ROWS)
    theirs.adapt(ROWS)
    assert [(v.name, v.shape, v.dtype) for v in ours.weights] == [(v.name, v.shape, v.dtype) for v in theirs.weights]
    for v, v0 in zip(ours.weights, theirs.weights, strict=True):
        np.testing.assert_allclose(v, v0, rtol=1e-5)
    np.testing.assert_allclose(ours.mean, theirs.mean, rtol=1e-5)
    np.testing.assert_allclose(ours.variance, theirs.variance, rtol=1e-5)
    np.testing.assert_allclose(ours(ROWS), theirs(ROWS), rtol=1e-5, atol=1e-5)
    assert as_lists(ours.get_config()) == as_lists(theirs.get_config())


def test_adapt_in_batches_equals_adapt_at_once() -> None:
    once, batches, pairs, tensors = (layers.Normalization() for _ in range(4))
    once.adapt(ROWS)
    batches.adapt(Dataset.from_tensor_slices(ROWS).batch(3))
    pairs.adapt((ROWS[i : i + 4], "targets") for i in (0, 4, 8))
    tensors.adapt(ops.array(ROWS))
    for other in (batches, pairs, tensors):
        for a, b in zip(once.get_weights(), other.get_weights(), strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-6)


def test_adapt_starts_afresh_and_is_precise() -> None:
    layer = layers.Normalization()
    layer.adapt(ROWS)
    far = (RNG.normal(0, 1, (1000, 3)) + 1e4).astype("float32")
    layer = layers.Normalization()
    layer.adapt(ROWS[:, 0])
    layer.adapt(far)
    np.testing.assert_allclose(layer.get_weights()[0], far.astype("float64").mean(0), rtol=1e-7)
    np.testing.assert_allclose(layer.get_weights()[1], far.astype("float64").var(0), rtol=1e-5)
    layer.adapt(np.full((4, 3), 7, "int64"))
    np.testing.assert_array_equal(layer(np.full((1, 3), 7.0)), np.zeros((1, 3)))  # epsilon keeps it finite


def test_normalization_before_adapt_is_the_identity_and_its_weights_travel() -> None:
    layer = layers.Normalization()
    assert layer.mean is None
    assert layer.variance is None
    np.testing.assert_array_equal(layer(ROWS), ROWS)
    layer.adapt(ROWS)
    other = layers.Normalization.from_config(layer.get_config())
    other.build_from_config(layer.get_build_config())
    other.set_weights(layer.get_weights())
    np.testing.assert_array_equal(other(ROWS), layer(ROWS))


def test_gradients_flow_through() -> None:
    x = ops.array(IMAGES)
    with GradientTape() as tape:
        tape.watch(x)
        y = layers.Resizing(3, 3)(layers.Rescaling(0.5)(x))
        y = layers.Normalization(mean=1.0, variance=4.0)(y)
    gradient = tape.gradient(y, x).numpy()
    np.testing.assert_allclose(gradient.sum(), 0.25 * y.size, rtol=1e-4)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: layers.Rescaling("a"), "Rescaling: scale: got 'a'"),
        (lambda: layers.Rescaling(1.0, offset="b"), "Rescaling: offset: got 'b'"),
        (lambda: layers.Resizing(0, 3), r"Resizing: \(height, width\): got \(0, 3\)"),
        (lambda: layers.Resizing(3, 3, interpolation="area"), "Resizing: interpolation: got 'area'"),
        (lambda: layers.Resizing(3, 3, crop_to_aspect_ratio=True, pad_to_aspect_ratio=True), "at most one"),
        (lambda: layers.Resizing(3, 3, name="small")(np.zeros((3, 3), "float32")), "layer 'small'.*at least 3 dim"),
        (lambda: layers.CenterCrop(3, 2.5), r"CenterCrop: \(height, width\)"),
        (lambda: layers.Normalization(mean=1.0), "expected both, or none"),
        (lambda: layers.Normalization(mean=1.0, variance=-1.0), "variance: got -1.0, expected numbers >= 0"),
        (lambda: layers.Normalization(axis=5).build((None, 3)), r"axis \(5,\) lies outside"),
        (lambda: layers.Normalization(axis=1).build((None, None, 3)), r"the sizes along axis \(1,\) must be known"),
        (lambda: layers.Normalization(mean=[1, 2], variance=[1, 1])(ROWS), r"mean: got shape \(2,\)"),
        (lambda: layers.Normalization(mean=1.0, variance=1.0).adapt(ROWS), "mean and variance were given"),
        (lambda: layers.Normalization().adapt(np.zeros((0, 3))), "the data holds no examples"),
        (lambda: layers.Normalization().adapt(iter([ROWS, ROWS[:, :, :2]])), "expected size 3 along axis -1"),
    ],
)
def test_mistakes(call: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()


def test_normalization_adapts_to_batches_by_number() -> None:
    class Numbered(PyDataset):
        def __len__(self) -> int:
            return 2

        def __getitem__(self, index: int) -> Any:
            return np.full((4, 3), index, "float32"), np.zeros(4)

    layer = layers.Normalization()
    layer.adapt(Numbered())
    assert layer.mean.numpy().tolist() == [[0.5] * 3]
    assert [len(x) for x, _ in Numbered()] == [4, 4]
