"""Augmentation layers: Keras' geometry where the outcome is forced, Keras' distributions where it is not."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from layerwise import Input, Sequential, config, layers
from layerwise.variables import StepFunction

os.environ["KERAS_BACKEND"] = "jax"
import keras

RNG = np.random.default_rng(9)
IMAGES = RNG.uniform(0, 255, (3, 5, 6, 3)).astype("float32")
FORCED: list[tuple[str, dict[str, Any]]] = [  # (lower, upper) with lower = upper leaves nothing to chance
    ("RandomRotation", {"factor": (0.1, 0.1)}),
    ("RandomRotation", {"factor": (-0.37, -0.37), "fill_mode": "constant", "fill_value": 7.0}),
    ("RandomRotation", {"factor": (0.21, 0.21), "interpolation": "nearest", "fill_mode": "wrap"}),
    ("RandomRotation", {"factor": 0}),
    ("RandomTranslation", {"height_factor": (0.23, 0.23), "width_factor": (-0.41, -0.41)}),
    ("RandomTranslation", {"height_factor": (-1, -1), "width_factor": (0.5, 0.5), "fill_mode": "nearest"}),
    ("RandomTranslation", {"height_factor": (0.33, 0.33), "width_factor": 0, "interpolation": "nearest"}),
    ("RandomZoom", {"height_factor": (0.3, 0.3)}),
    ("RandomZoom", {"height_factor": (-0.4, -0.4), "width_factor": (0.7, 0.7), "fill_mode": "wrap"}),
    ("RandomZoom", {"height_factor": (0.6, 0.6), "fill_mode": "constant", "fill_value": 1.0}),
    ("RandomBrightness", {"factor": (0.2, 0.2)}),
    ("RandomBrightness", {"factor": (-0.3, -0.3), "value_range": (0, 300)}),
    ("RandomContrast", {"factor": 0}),
    ("RandomCrop", {"height": 5, "width": 6}),
    ("RandomCrop", {"height": 7, "width": 9}),
]
RANDOM: list[tuple[str, dict[str, Any]]] = [
    ("RandomFlip", {}),
    ("RandomFlip", {"mode": "horizontal"}),
    ("RandomFlip", {"mode": "vertical"}),
    ("RandomRotation", {"factor": 0.2}),
    ("RandomTranslation", {"height_factor": 0.2, "width_factor": (-0.1, 0.3)}),
    ("RandomZoom", {"height_factor": 0.4, "width_factor": None}),
    ("RandomZoom", {"height_factor": (-0.4, 0.1), "width_factor": 0.2}),
    ("RandomContrast", {"factor": 0.4, "value_range": (0, 255)}),
    ("RandomContrast", {"factor": (0.1, 0.9)}),
    ("RandomBrightness", {"factor": 0.3}),
    ("RandomCrop", {"height": 3, "width": 4}),
]


def as_lists(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: as_lists(v) for k, v in value.items() if k not in ("name", "shared_object_id")}
    return [as_lists(v) for v in value] if isinstance(value, list | tuple) else value


def name_of(case: Any) -> str:
    return case if isinstance(case, str) else ",".join(f"{k}={v}" for k, v in case.items()).replace(" ", "")


def channels_first(x: np.ndarray) -> np.ndarray:
    return np.moveaxis(x, -1, 1)


@pytest.mark.parametrize(("name", "arguments"), FORCED, ids=name_of)
def test_forced_outcomes_are_those_of_keras(name: str, arguments: dict[str, Any]) -> None:
    expected = np.asarray(getattr(keras.layers, name)(**arguments, seed=1)(IMAGES, training=True))
    layer = getattr(layers, name)(**arguments, seed=2)
    y = layer(IMAGES, training=True)
    assert y.dtype == "float32"
    np.testing.assert_allclose(y, expected, rtol=1e-4, atol=2e-3)
    np.testing.assert_allclose(layer(IMAGES[1]), expected[1], rtol=1e-4, atol=2e-3)  # training is the default
    swapped = getattr(layers, name)(**arguments, data_format="channels_first")(channels_first(IMAGES), training=True)
    np.testing.assert_allclose(swapped, channels_first(expected), rtol=1e-4, atol=2e-3)


@pytest.mark.parametrize(("name", "arguments"), FORCED + RANDOM, ids=name_of)
def test_configuration(name: str, arguments: dict[str, Any]) -> None:
    ours = getattr(layers, name)(**arguments, seed=3, name="mine")
    theirs = getattr(keras.layers, name)(**arguments, seed=3)
    assert as_lists(ours.get_config()) == as_lists(theirs.get_config())
    again = type(ours).from_config(ours.get_config())
    assert again.get_config() == ours.get_config()
    np.testing.assert_array_equal(again(IMAGES, training=True), ours(IMAGES, training=True))
    assert ours.weights == []
    assert [v.name for v in ours.variables] == [v.name for v in theirs.variables]


@pytest.mark.parametrize(("name", "arguments"), RANDOM, ids=name_of)
def test_each_image_and_each_call_has_its_own_outcome(name: str, arguments: dict[str, Any]) -> None:
    layer = getattr(layers, name)(**arguments, seed=5)
    same = np.broadcast_to(IMAGES[:1], (16, 5, 6, 3))
    first, second = layer(same, training=True).numpy(), layer(same, training=True).numpy()
    assert len({image.tobytes() for image in first}) > 1
    assert not np.array_equal(first, second)
    again = getattr(layers, name)(**arguments, seed=5)
    np.testing.assert_array_equal(again(same, training=True), first)
    np.testing.assert_array_equal(again(same, training=True), second)
    shape = (3, 4, 3) if name == "RandomCrop" else (5, 6, 3)
    assert layer(IMAGES[0], training=True).shape == shape
    assert layer(Input((5, 6, 3))).shape == (None, *shape)
    assert layer.compute_output_shape((None, None, None, 3)) == (
        None,
        *(shape if name == "RandomCrop" else (None, None, 3)),
    )


@pytest.mark.parametrize(("name", "arguments"), FORCED + RANDOM, ids=name_of)
def test_nothing_happens_outside_of_training(name: str, arguments: dict[str, Any]) -> None:
    layer = getattr(layers, name)(**arguments, seed=4)
    state = layer.generator.state.numpy()
    y = layer(IMAGES, training=False).numpy()
    expected = layers.CenterCrop(layer.height, layer.width)(IMAGES) if name == "RandomCrop" else IMAGES
    np.testing.assert_array_equal(y, expected)
    model = Sequential([Input((5, 6, 3)), layer])
    np.testing.assert_array_equal(model.predict(IMAGES, verbose=0), expected)
    np.testing.assert_array_equal(layer.generator.state, state)


# Distributions: what a random layer did to each image, estimated from the image, by Keras and by us

MANY = 4000


def contrast(y: np.ndarray, x: np.ndarray) -> np.ndarray:
    return (y[:, 0, 0, 0] - y[:, 0, 1, 0]) / (x[:, 0, 0, 0] - x[:, 0, 1, 0])


def first_pixel(y: np.ndarray, x: np.ndarray) -> np.ndarray:
    return y[:, 0, 0, 0]


@pytest.mark.parametrize(
    ("name", "arguments", "image", "measure"),
    [
        ("RandomContrast", {"factor": 0.4}, [[[100.0], [140.0]]], contrast),
        ("RandomContrast", {"factor": (0.6, 0.2)}, [[[100.0], [140.0]]], contrast),
        ("RandomContrast", {"factor": (0.3, 0.8)}, [[[100.0], [140.0]]], contrast),
        ("RandomBrightness", {"factor": 0.3}, [[[120.0]]], first_pixel),
        ("RandomBrightness", {"factor": (-0.9, 0.1)}, [[[120.0]]], first_pixel),
        ("RandomFlip", {"mode": "horizontal"}, [[[0.0], [1.0]]], first_pixel),
        ("RandomFlip", {"mode": "vertical"}, [[[0.0]], [[1.0]]], first_pixel),
        ("RandomFlip", {}, [[[0.0], [1.0]], [[2.0], [3.0]]], first_pixel),
        ("RandomRotation", {"factor": 0.1}, [[[0.0], [1.0]], [[2.0], [3.0]]], first_pixel),
        ("RandomTranslation", {"height_factor": 0.4, "width_factor": 0}, [[[0.0]], [[1.0]]], first_pixel),
        ("RandomTranslation", {"height_factor": 0, "width_factor": (0.1, 0.4)}, [[[0.0], [1.0]]], first_pixel),
        ("RandomZoom", {"height_factor": 0.5}, [[[0.0]], [[1.0]], [[4.0]]], first_pixel),
        ("RandomZoom", {"height_factor": 0, "width_factor": (-0.5, 0.2)}, [[[0.0], [1.0], [4.0]]], first_pixel),
    ],
)  # fmt: skip
def test_distributions_are_those_of_keras(name: str, arguments: Any, image: Any, measure: Callable[..., Any]) -> None:
    x = np.broadcast_to(np.array(image, "float32"), (MANY, *np.shape(image)))
    ours = np.sort(measure(getattr(layers, name)(**arguments, seed=1)(x, training=True).numpy(), x))
    theirs = np.sort(measure(np.asarray(getattr(keras.layers, name)(**arguments, seed=1)(x, training=True)), x))
    quantiles = np.linspace(0, 1, 21)
    spread = max(np.ptp(theirs), 1e-6)
    if name == "RandomFlip":
        values, counts = np.unique(ours, return_counts=True)
        np.testing.assert_array_equal(values, np.unique(theirs))
        np.testing.assert_allclose(counts / MANY, 1 / len(values), atol=0.04)  # 5 standard deviations
    else:
        np.testing.assert_allclose(np.quantile(ours, quantiles), np.quantile(theirs, quantiles), atol=0.06 * spread)


def test_crops_come_from_every_place_alike() -> None:
    x = np.broadcast_to(np.arange(12.0, dtype="float32").reshape(3, 4, 1), (MANY, 3, 4, 1))
    y = layers.RandomCrop(2, 3, seed=2)(x, training=True).numpy()
    corners, counts = np.unique(y[:, 0, 0, 0], return_counts=True)
    np.testing.assert_array_equal(corners, [0, 1, 4, 5])
    np.testing.assert_allclose(counts / MANY, 0.25, atol=0.04)
    np.testing.assert_array_equal(y[..., 0] - y[:, :1, :1, 0], np.broadcast_to([[0, 1, 2], [4, 5, 6]], (MANY, 2, 3)))


def test_a_crop_larger_than_the_image_stretches_the_sides_that_are_short() -> None:
    x = IMAGES[:1]
    y = layers.RandomCrop(3, 9, seed=0)(x, training=True).numpy()
    possible = [layers.Resizing(3, 9)(x[:, top : top + 3]).numpy() for top in range(3)]
    assert sum(np.allclose(y, p, atol=1e-3) for p in possible) == 1


def test_integers_are_changed_in_floating_point() -> None:
    whole = IMAGES.astype("uint8")
    for name, arguments in FORCED + RANDOM:
        for training in (True, False):
            assert getattr(layers, name)(**arguments)(whole, training=training).dtype == "float32"
    y = layers.RandomBrightness((0.2, 0.2))(whole).numpy()
    np.testing.assert_allclose(y, np.minimum(whole + 51.0, 255), rtol=1e-6)
    assert layers.RandomFlip(dtype="float16")(IMAGES).dtype == "float16"


@pytest.mark.parametrize(("name", "arguments"), RANDOM, ids=name_of)
def test_traced_under_xla(name: str, arguments: dict[str, Any]) -> None:
    reference = getattr(layers, name)(**arguments, seed=6)
    expected = [reference(IMAGES, training=True).numpy() for _ in range(2)]
    with config.override(backend="xla"):
        layer = getattr(layers, name)(**arguments, seed=6)
        step = StepFunction(lambda x: layer(x, training=True), layer.variables)
        for y in expected:  # the generator's state is an argument of the compiled step, not a constant in it
            np.testing.assert_allclose(step(IMAGES), y, rtol=1e-4, atol=1e-2)


def test_in_a_model_that_trains() -> None:
    model = Sequential(
        [
            Input((5, 6, 3)),
            layers.RandomFlip(seed=1),
            layers.RandomRotation(0.1, seed=2),
            layers.Flatten(),
            layers.Dense(1),
        ]
    )
    model.compile("sgd", "mse")
    before = [v.numpy() for v in model.layers[0].variables]
    model.fit(IMAGES / 255, np.ones((3, 1), "float32"), epochs=2, verbose=0)
    assert not np.array_equal(before[0], model.layers[0].variables[0])
    x = IMAGES / 255
    np.testing.assert_array_equal(model.predict(x, verbose=0), model.predict(x, verbose=0))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: layers.RandomFlip("diagonal"), "RandomFlip: mode: got 'diagonal', expected 'horizontal',"),
        (lambda: layers.RandomFlip(seed="x"), "seed: got 'x'"),
        (lambda: layers.RandomRotation(2.0), "RandomRotation: factor: got .*from -1 to 1"),
        (lambda: layers.RandomRotation("a"), "RandomRotation: factor: got 'a'"),
        (lambda: layers.RandomRotation((0.1, 0.2, 0.3)), "expected a number or"),
        (lambda: layers.RandomRotation(0.1, fill_mode="edge"), "RandomRotation: fill_mode: got 'edge'"),
        (lambda: layers.RandomRotation(0.1, interpolation="cubic"), "RandomRotation: interpolation: got 'cubic'"),
        (lambda: layers.RandomTranslation(0.1, (0.2, 1.5)), "RandomTranslation: width_factor: got"),
        (lambda: layers.RandomZoom(-2.0), "RandomZoom: height_factor"),
        (lambda: layers.RandomZoom((-1, 0.2)), "RandomZoom: got a factor of -1"),
        (lambda: layers.RandomZoom(0.1, True), "RandomZoom: width_factor: got True"),
        (lambda: layers.RandomContrast(-0.5), "RandomContrast: factor: got .*from 0 to 1"),
        (lambda: layers.RandomContrast(0.5, value_range=(1,)), r"RandomContrast: value_range: got \(1,\)"),
        (lambda: layers.RandomBrightness(0.5, value_range=(1, 0)), r"RandomBrightness: value_range: got \(1, 0\)"),
        (lambda: layers.RandomBrightness(1.5), "RandomBrightness: factor"),
        (lambda: layers.RandomCrop(0, 3), r"RandomCrop: \(height, width\): got \(0, 3\)"),
        (lambda: layers.RandomFlip(name="flip")(np.zeros((4, 4), "float32")), "layer 'flip'.*at least 3 dimensions"),
    ],
)
def test_mistakes(call: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()
