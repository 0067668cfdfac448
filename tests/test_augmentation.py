"""Augmentation layers: Keras' geometry where the outcome is forced, Keras' distributions where it is not."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import layerwise
from layerwise import Input, Sequential, config, layers, ops
from layerwise.layers.augmentation.boxes import from_corners
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
    ("RandomShear", {}),
    ("RandomPerspective", {"factor": 0}),
    ("RandomPerspective", {"factor": (1, 1), "scale": 0.0, "interpolation": "nearest"}),
    ("RandomElasticTransform", {"factor": 0, "scale": (0.1, 0.4)}),
    ("RandomHue", {"factor": 0}),
    ("RandomHue", {"factor": (1, 1), "value_range": (0, 300)}),
    ("RandomSaturation", {"factor": (0.3, 0.3)}),
    ("RandomColorDegeneration", {"factor": (0.3, 0.3)}),
    ("RandomColorDegeneration", {"factor": (1, 1), "value_range": (50, 100)}),
    ("RandomSharpness", {"factor": (0.3, 0.3)}),
    ("RandomSharpness", {"factor": (0.9, 0.9), "value_range": (0, 300)}),
    ("RandomPosterization", {"factor": (3, 3)}),
    ("RandomInvert", {"factor": (1, 1)}),
    ("RandomInvert", {"factor": 0, "value_range": (0, 1)}),
    ("RandomGrayscale", {"factor": 1.0}),
    ("RandomGaussianBlur", {"factor": (1, 1), "sigma": (0.7, 0.7)}),
    ("RandomGaussianBlur", {"factor": (1, 1), "kernel_size": (3, 5), "sigma": (0.5, 0.5)}),
    ("RandomColorJitter", {"brightness_factor": (0.1, 0.1), "saturation_factor": (0.4, 0.4), "hue_factor": 0}),
    ("Solarization", {}),
    ("Solarization", {"value_range": (0, 300)}),
    ("RandomErasing", {"factor": 0}),
    ("RandomErasing", {"factor": (1, 1), "scale": (1, 1), "fill_value": 7.0}),
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
    ("RandomShear", {"x_factor": 0.3, "y_factor": (0.1, 0.2)}),
    ("RandomPerspective", {"scale": 0.4}),
    ("RandomElasticTransform", {"scale": (0.5, 1.0)}),
    ("RandomHue", {"factor": 0.3}),
    ("RandomSaturation", {"factor": (0.1, 0.5)}),
    ("RandomColorDegeneration", {"factor": (0.1, 0.5)}),
    ("RandomSharpness", {"factor": 0.5}),
    ("RandomPosterization", {"factor": (1, 6)}),
    ("RandomInvert", {"factor": (0.3, 0.6)}),
    ("RandomGrayscale", {}),
    ("RandomGaussianBlur", {"factor": (0.4, 0.6), "sigma": (0.5, 1.0)}),
    ("RandomColorJitter", {"brightness_factor": 0.1, "contrast_factor": 0.2, "saturation_factor": 0.4}),
    ("Solarization", {"addition_factor": 0.2, "threshold_factor": (0.1, 0.4)}),
    ("RandomErasing", {"factor": 0.6, "fill_value": [1.0, 2.0, 3.0]}),
    ("RandomErasing", {}),
]
MIXING: list[tuple[str, dict[str, Any]]] = [  # what images become depends on the others, or is drawn for a batch
    ("MixUp", {"alpha": 0.4}),
    ("CutMix", {"factor": (0.5, 1.0)}),
    ("RandAugment", {"num_ops": 1, "factor": (0.2, 0.4)}),
    ("AugMix", {"num_chains": 1, "chain_depth": 1, "all_ops": False}),
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


@pytest.mark.parametrize(("name", "arguments"), FORCED + RANDOM + MIXING, ids=name_of)
def test_configuration(name: str, arguments: dict[str, Any]) -> None:
    ours = getattr(layers, name)(**arguments, seed=3, name="mine")
    theirs = getattr(keras.layers, name)(**arguments, seed=3)
    forgotten = {"seed": 3} if name == "RandomGrayscale" else {}  # by Keras
    assert as_lists(ours.get_config()) == as_lists(theirs.get_config() | forgotten)
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


@pytest.mark.parametrize(("name", "arguments"), MIXING, ids=name_of)
def test_each_batch_has_its_own_outcome(name: str, arguments: dict[str, Any]) -> None:
    layer, again = (getattr(layers, name)(**arguments, seed=5) for _ in range(2))
    outcomes = [layer(IMAGES, training=True).numpy() for _ in range(6)]
    assert len({y.tobytes() for y in outcomes}) > 2
    for y in outcomes:
        assert y.shape == IMAGES.shape
        np.testing.assert_array_equal(again(IMAGES, training=True), y)
    assert layer(Input((5, 6, 3))).shape == (None, 5, 6, 3)


@pytest.mark.parametrize(("name", "arguments"), FORCED + RANDOM + MIXING, ids=name_of)
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


def last_pixel(y: np.ndarray, x: np.ndarray) -> np.ndarray:
    return y[:, -1, -1, 0]


def last_channel(y: np.ndarray, x: np.ndarray) -> np.ndarray:
    return y[:, 0, 0, -1]


def brightness(y: np.ndarray, x: np.ndarray) -> np.ndarray:
    return y.mean(axis=(1, 2, 3))


COLOUR = [200.0, 100.0, 50.0]


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
        ("RandomShear", {"x_factor": 0.4}, [[[0.0], [1.0]], [[2.0], [4.0]]], last_pixel),
        ("RandomShear", {"y_factor": (0.2, 0.6)}, [[[0.0], [1.0]], [[2.0], [4.0]]], last_pixel),
        ("RandomHue", {"factor": (0.4, 0.9)}, [[COLOUR]], first_pixel),
        ("RandomSaturation", {"factor": (0.1, 0.5)}, [[COLOUR]], last_channel),
        ("RandomColorDegeneration", {"factor": (0.2, 0.7)}, [[COLOUR]], first_pixel),
        ("RandomSharpness", {"factor": (0.2, 0.7)}, [[[100.0], [0.0]]], first_pixel),
        ("RandomPosterization", {"factor": (1, 5)}, [[[123.0]]], first_pixel),
        ("RandomInvert", {"factor": (0.2, 0.6)}, [[[100.0]]], first_pixel),
        ("RandomGrayscale", {"factor": 0.3}, [[COLOUR]], first_pixel),
        ("Solarization", {"addition_factor": 0.4, "threshold_factor": (0.1, 0.9)}, [[[100.0]]], first_pixel),
        ("RandomErasing", {"factor": 0.7, "fill_value": 0.0}, [[[200.0]] * 9] * 8, brightness),
        ("RandomPerspective", {"factor": 0.7, "scale": 0.3}, [[[100.0]] * 5] * 5, brightness),
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
        # Between two values of a discrete one a quantile may lie anywhere: there distributions are compared.
        values = np.unique(theirs.round(2))
        if len(values) < 20:
            parts = [[(y <= v + 0.02).mean() for v in values] for y in (ours, theirs)]
            np.testing.assert_allclose(*parts, atol=0.06)
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
    for name, arguments in FORCED + RANDOM + MIXING:
        for training in (True, False):
            assert getattr(layers, name)(**arguments)(whole, training=training).dtype == "float32"
    y = layers.RandomBrightness((0.2, 0.2))(whole).numpy()
    np.testing.assert_allclose(y, np.minimum(whole + 51.0, 255), rtol=1e-6)
    assert layers.RandomFlip(dtype="float16")(IMAGES).dtype == "float16"


@pytest.mark.parametrize(("name", "arguments"), RANDOM + MIXING, ids=name_of)
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


# What belongs to images

BOXES = np.array([[[1, 2, 4, 5], [0, 0, 6, 5]], [[0, 1, 3, 4], [5, 4, 6, 5]], [[2, 2, 3, 3], [1, 1, 5, 3]]], "float32")
LABELS = np.array([[1, 2], [3, 4], [5, 6]], "int32")
MASKS = (IMAGES[..., :1] // 100).astype("int32")


def whole(boxes: np.ndarray) -> dict[str, Any]:
    return {
        "images": IMAGES.copy(),
        "bounding_boxes": {"boxes": boxes.copy(), "labels": LABELS.copy()},
        "segmentation_masks": MASKS.copy(),
        "weights": np.ones(3),
    }


@pytest.mark.parametrize("form", ["xyxy", "center_yxhw", "rel_xywh"])
@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("RandomTranslation", {"height_factor": (0.2, 0.2), "width_factor": (-0.3, -0.3)}),
        ("RandomZoom", {"height_factor": (0.2, 0.2), "width_factor": (-0.3, -0.3)}),
        ("CenterCrop", {"height": 4, "width": 3}),
        ("Resizing", {"height": 4, "width": 3}),
        ("Resizing", {"height": 4, "width": 3, "crop_to_aspect_ratio": True}),
        ("Resizing", {"height": 4, "width": 3, "pad_to_aspect_ratio": True}),
        ("MaxNumBoundingBoxes", {"max_number": 3}),
        ("MaxNumBoundingBoxes", {"max_number": 1, "fill_value": 0}),
        ("RandomBrightness", {"factor": (0.2, 0.2)}),
    ],
    ids=name_of,
)
def test_boxes_and_masks_are_those_of_keras(name: str, arguments: dict[str, Any], form: str) -> None:
    ours, theirs = (getattr(k.layers, name)(**arguments, bounding_box_format=form) for k in (layerwise, keras))
    boxes = from_corners(ops.array(BOXES), form, 5, 6).numpy()
    y, expected = ours(whole(boxes), training=True), theirs(whole(boxes), training=True)
    assert list(y) == list(expected)
    np.testing.assert_allclose(y["images"], expected["images"], atol=2e-3)
    np.testing.assert_allclose(y["bounding_boxes"]["boxes"], expected["bounding_boxes"]["boxes"], atol=1e-5)
    np.testing.assert_array_equal(y["bounding_boxes"]["labels"], expected["bounding_boxes"]["labels"])
    np.testing.assert_array_equal(y["segmentation_masks"], expected["segmentation_masks"])
    one = {"images": IMAGES[1], "bounding_boxes": {"boxes": boxes[1], "labels": LABELS[1]}}
    alone = ours(one, training=True)
    np.testing.assert_allclose(alone["images"], y["images"][1], atol=1e-4)
    np.testing.assert_allclose(alone["bounding_boxes"]["boxes"], y["bounding_boxes"]["boxes"][1], atol=1e-5)
    assert ours.get_config()["bounding_box_format"] == form


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("RandomFlip", {}),
        ("RandomFlip", {"mode": "horizontal"}),
        ("RandomRotation", {"factor": (0.25, 0.25)}),
        ("RandomTranslation", {"height_factor": 0.4, "width_factor": 0.4}),
        ("RandomShear", {"x_factor": 0.3}),
        ("RandomPerspective", {"scale": 0.4}),
        ("RandomCrop", {"height": 8, "width": 9}),
        ("RandAugment", {"num_ops": 3}),
    ],
    ids=name_of,
)
def test_boxes_stay_around_what_they_are_around(name: str, arguments: dict[str, Any]) -> None:
    x = np.zeros((40, 12, 12, 3), "float32")
    x[:, 4:7, 5:9] = 255.0
    boxes = np.broadcast_to(np.float32([5, 4, 9, 7]), (40, 1, 4))
    given = {"boxes": boxes, "labels": np.ones((40, 1), "int32")}
    data = {"images": x, "bounding_boxes": given, "segmentation_masks": (x[..., :1] / 255).astype("int32")}
    constant = {"fill_mode": "constant"} if "fill" not in name and name in ("RandomTranslation", "RandomShear") else {}
    layer = getattr(layers, name)(**arguments, **constant, seed=3, bounding_box_format="xyxy")
    y = layer(data, training=True)
    for mask, (left, top, right, bottom), label in zip(
        y["segmentation_masks"].numpy()[..., 0],
        y["bounding_boxes"]["boxes"].numpy()[:, 0],
        y["bounding_boxes"]["labels"].numpy()[:, 0],
        strict=True,
    ):
        rows, columns = np.nonzero(mask)
        if name == "RandAugment" or (label == 1 and len(rows)):
            near = 1.51 if name in ("RandomRotation", "RandomPerspective", "RandomShear", "RandAugment") else 1.01
            if len(rows) and name != "RandAugment":  # where reflections come in, there is more than one
                assert left - near <= columns.min()
                assert columns.max() + 1 <= right + near
                assert top - near <= rows.min()
                assert rows.max() + 1 <= bottom + near
        assert (label == 1) == ((right - left) * (bottom - top) > 0)


def test_labels_are_mixed_as_images_are() -> None:
    x = np.zeros((64, 8, 8, 1), "float32")
    x[:32] = 1.0
    labels = np.eye(2, dtype="float32")[(np.arange(64) < 32).astype(int)]
    for layer in (layers.MixUp(alpha=1.0, seed=1), layers.CutMix(seed=1)):
        y = layer({"images": x, "labels": labels, "segmentation_masks": x}, training=True)
        mean = y["images"].numpy().mean(axis=(1, 2, 3))
        assert ((mean > 0.1) & (mean < 0.9)).sum() > 5
        np.testing.assert_allclose(y["labels"].numpy().sum(axis=1), 1, rtol=1e-5)
        np.testing.assert_allclose(y["labels"].numpy()[:, 1], mean, atol=1e-5 if type(layer) is layers.MixUp else 0.25)
        np.testing.assert_allclose(y["segmentation_masks"], y["images"], atol=1e-6)
    both = layers.MixUp(seed=1, bounding_box_format="xyxy")(whole(BOXES), training=True)["bounding_boxes"]
    assert both["boxes"].shape == (3, 4, 4)
    assert both["labels"].shape == (3, 4)
    with pytest.raises(ValueError, match=r"\(CutMix\): boxes are not cut"):
        layers.CutMix(bounding_box_format="xyxy")(whole(BOXES), training=True)


def test_boxes_in_lists_are_padded() -> None:
    data = {"images": IMAGES[:2], "bounding_boxes": {"boxes": [[[0, 0, 2, 2]], []], "labels": [[1], []]}}
    data["bounding_boxes"]["boxes"][1] = [[0, 1, 2, 3], [1, 1, 2, 2]]
    data["bounding_boxes"]["labels"][1] = [4, 5]
    y = layers.RandomTranslation(0, 0, bounding_box_format="xyxy")(data, training=True)["bounding_boxes"]
    np.testing.assert_array_equal(y["boxes"][0], [[0, 0, 2, 2], [0, 0, 0, 0]])
    np.testing.assert_array_equal(y["labels"], [[1, -1], [4, 5]])
    with pytest.raises(ValueError, match="say what their numbers are"):
        layers.RandomFlip()(data, training=True)
    with pytest.raises(ValueError, match="bounding_box_format: got 'xx'"):
        layers.RandomFlip(bounding_box_format="xx")


def test_elastic_moves_are_small_and_smooth() -> None:
    x = np.broadcast_to(
        np.arange(40, dtype="float32")[:, None, None] + np.arange(40, dtype="float32")[:, None], (4, 40, 40, 1)
    )
    y = layers.RandomElasticTransform(seed=1, fill_mode="nearest")(x, training=True).numpy()
    moved = (y - x)[:, 8:-8, 8:-8]
    assert 0.1 < abs(moved).mean() < 8
    assert abs(np.diff(moved, axis=1)).mean() < abs(moved).mean() / 2


def test_a_pipeline_is_its_layers() -> None:
    parts = [("RandomFlip", {"seed": 1}), ("Rescaling", {"scale": 1 / 255}), ("CenterCrop", {"height": 3, "width": 3})]
    pipeline = layers.Pipeline([getattr(layers, name)(**arguments) for name, arguments in parts], name="p")
    y = IMAGES
    for name, arguments in parts:
        y = getattr(layers, name)(**arguments)(y)
    np.testing.assert_array_equal(pipeline(IMAGES), y)
    theirs = keras.layers.Pipeline([getattr(keras.layers, name)(**arguments) for name, arguments in parts], name="p")
    again = layers.Pipeline.from_config(theirs.get_config())
    np.testing.assert_allclose(again(IMAGES, training=False), theirs(IMAGES, training=False), rtol=1e-6)
    assert [type(layer) for layer in again.layers] == [type(layer) for layer in pipeline.layers]
    assert keras.layers.Pipeline.from_config(pipeline.get_config()).name == "p"
    model = Sequential([Input((5, 6, 3)), pipeline])
    np.testing.assert_array_equal(model.predict(IMAGES, verbose=0), pipeline(IMAGES, training=False))
