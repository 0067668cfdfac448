"""`layerwise.ops.image` against Keras on JAX, its gradients against differences, and the mistakes it explains."""

from __future__ import annotations

import functools
import os
from typing import Any

import numpy as np
import pytest

from layerwise import Input, ops
from layerwise.autograd import gradcheck
from layerwise.ops import image

os.environ["KERAS_BACKEND"] = "jax"
import keras

RNG = np.random.default_rng(5)
WHOLE = RNG.integers(0, 256, (2, 5, 6, 3)).astype("uint8")
IMAGES = RNG.uniform(-1, 1, (2, 5, 6, 3)).astype("float32")


def same(name: str, x: np.ndarray, *args: Any, tolerance: float = 1e-5, **kwargs: Any) -> None:
    """Our function gives Keras' result on images, in either order of axes, on a batch and on one image."""
    theirs = getattr(keras.ops.image, name)
    ours = getattr(image, name)
    expected = np.asarray(theirs(x, *args, **kwargs))
    y = ours(x, *args, **kwargs)
    assert y.dtype == expected.dtype.name
    assert y.shape == expected.shape
    np.testing.assert_allclose(y, expected, rtol=tolerance, atol=tolerance)
    swapped = ours(np.moveaxis(x, -1, 1), *args, data_format="channels_first", **kwargs)
    np.testing.assert_allclose(np.moveaxis(swapped.numpy(), 1, -1), y, atol=1e-6)


@pytest.mark.parametrize("interpolation", ["nearest", "bilinear", "bicubic", "lanczos3", "lanczos5"])
@pytest.mark.parametrize("size", [(5, 6), (9, 4)], ids=str)
def test_resize(interpolation: str, size: tuple[int, int]) -> None:
    for antialias in (False, True):
        same("resize", IMAGES, size, interpolation=interpolation, antialias=antialias)
    same("resize", WHOLE, size, interpolation=interpolation, tolerance=1)
    alone = image.resize(IMAGES[0], size, interpolation)
    np.testing.assert_allclose(alone, image.resize(IMAGES, size, interpolation)[0], atol=1e-6)


def test_resize_rounds_and_clips_whole_numbers() -> None:
    checks = np.array([[0, 255, 0, 255]], "uint8")[..., None]
    exact = image.resize(checks.astype("float32"), (1, 11), "lanczos3").numpy()
    assert exact.min() < 0
    assert exact.max() > 255
    np.testing.assert_array_equal(image.resize(checks, (1, 11), "lanczos3"), np.clip(np.rint(exact), 0, 255))


@pytest.mark.parametrize("size", [(5, 6), (4, 9), (10, 3)], ids=str)
@pytest.mark.parametrize("interpolation", ["nearest", "bilinear"])
def test_resize_keeping_the_aspect_ratio(size: tuple[int, int], interpolation: str) -> None:
    same("resize", IMAGES, size, interpolation=interpolation, crop_to_aspect_ratio=True)
    same("resize", IMAGES, size, interpolation=interpolation, pad_to_aspect_ratio=True, fill_value=0.5)


def test_rows_of_weights_sum_to_one() -> None:
    for kernel in image.KERNELS:
        for antialias in (False, True):
            weights = image.resize_matrix(9, 4, kernel, antialias)
            np.testing.assert_allclose(weights.sum(1), 1, atol=1e-14)
            with pytest.raises(ValueError, match="read-only"):
                weights[0, 0] = 0


TRANSFORMS = {
    "shift": [1, 0, 1.3, 0, 1, -2.6, 0, 0],
    "far": [1, 0, -17.2, 0, 1, 23.7, 0, 0],
    "turn": [0.8, -0.6, 1.1, 0.6, 0.8, -1.23, 0, 0],
    "shear and zoom": [1.4, 0.3, -0.71, -0.2, 0.6, 0.93, 0, 0],
}
PERSPECTIVE = [1, 0.1, 0.41, 0.05, 1, 0.23, 0.03, -0.02]  # Keras, on JAX, leaves c0 and c1 out


@pytest.mark.parametrize("transform", TRANSFORMS)
@pytest.mark.parametrize("fill_mode", ["constant", "nearest", "wrap", "reflect", "mirror"])
def test_affine_transform(transform: str, fill_mode: str) -> None:
    table = np.array(TRANSFORMS[transform], "float32")
    for interpolation in ("bilinear", "nearest"):
        options = {"interpolation": interpolation, "fill_mode": fill_mode}
        same("affine_transform", IMAGES, np.stack([table, table]), fill_value=0.5, **options)
        same("affine_transform", WHOLE, np.stack([table, table]), tolerance=1, **options)
    alone = image.affine_transform(IMAGES[1], table, fill_mode=fill_mode)
    np.testing.assert_array_equal(alone, image.affine_transform(IMAGES, table, fill_mode=fill_mode)[1])


def test_each_image_has_its_own_transform() -> None:
    tables = np.array([TRANSFORMS["shift"], TRANSFORMS["turn"]], "float32")
    same("affine_transform", IMAGES, tables)


def test_perspective() -> None:
    a0, a1, a2, b0, b1, b2, c0, c1 = PERSPECTIVE
    for interpolation in ("nearest", "bilinear"):
        y = image.affine_transform(IMAGES[0], PERSPECTIVE, interpolation, fill_value=2.0).numpy()
        for v, u in np.ndindex(5, 6):
            k = c0 * u + c1 * v + 1
            column, row = (a0 * u + a1 * v + a2) / k, (b0 * u + b1 * v + b2) / k
            total = np.zeros(3)
            for i, j in np.ndindex(8, 9):
                if interpolation == "bilinear":
                    weight = max(0, 1 - abs(i - row)) * max(0, 1 - abs(j - column))
                else:
                    weight = abs(i - row) < 0.5 and abs(j - column) < 0.5
                total += weight * (IMAGES[0, i, j] if i < 5 and j < 6 else 2.0)
            np.testing.assert_allclose(y[v, u], total, atol=1e-5)


def test_the_identity_changes_nothing_and_a_mirror_of_one_pixel_is_that_pixel() -> None:
    identity = [1, 0, 0, 0, 1, 0, 0, 0]
    for mode in image.FILL_MODES:
        np.testing.assert_array_equal(image.affine_transform(WHOLE, identity, fill_mode=mode), WHOLE)
    pixel = np.full((1, 1, 1), 7.0, "float32")
    moved = image.affine_transform(pixel, [1, 0, 5, 0, 1, -3, 0, 0], fill_mode="mirror")
    np.testing.assert_array_equal(moved, pixel)


def test_grey_levels() -> None:
    same("rgb_to_grayscale", IMAGES)
    same("rgb_to_grayscale", WHOLE, tolerance=1)
    assert image.rgb_to_grayscale(WHOLE[0]).shape == (5, 6, 1)


@pytest.mark.parametrize(
    ("rows", "columns"),
    [
        ({"top": 1, "bottom": 1}, {"left": 2, "right": 1}),
        ({"top": 1, "target_height": 3}, {"left": 1, "target_width": 2}),
        ({"bottom": 1, "target_height": 2}, {"right": 0, "target_width": 4}),
    ],
)
def test_cropping_and_padding(rows: dict[str, int], columns: dict[str, int]) -> None:
    sides = rows | columns
    same("crop_images", IMAGES, **{k if "target" in k else f"{k}_cropping": v for k, v in sides.items()})
    larger = {k: v + 5 if "target" in k else v for k, v in sides.items()}
    same("pad_images", WHOLE, **{k if "target" in k else f"{k}_padding": v for k, v in larger.items()})


@pytest.mark.float64
@pytest.mark.parametrize(
    "f",
    [
        lambda x: image.resize(x, (3, 7), "bicubic"),
        lambda x: image.resize(x, (7, 3), "bilinear", antialias=True),
        lambda x: image.resize(x, (7, 3), "nearest", crop_to_aspect_ratio=True),
        lambda x: image.resize(x, (7, 3), "lanczos3", pad_to_aspect_ratio=True),
        lambda x: image.affine_transform(x, TRANSFORMS["turn"], fill_mode="reflect"),
        lambda x: image.affine_transform(x, PERSPECTIVE, "nearest", "wrap"),
        lambda x: image.rgb_to_grayscale(x),
        lambda x: image.crop_images(x, 1, 1, 1, 1),
        lambda x: image.pad_images(x, 1, 1, 1, 1),
    ],
)
def test_gradients_by_images(f: Any) -> None:
    assert gradcheck(f, IMAGES[:, :4, :4].astype("float64"))


@pytest.mark.float64
def test_gradient_by_the_transform() -> None:
    table = np.array([TRANSFORMS["turn"], PERSPECTIVE])
    for mode in image.FILL_MODES:  # small steps: there is a kink wherever a place crosses a pixel's centre
        f = functools.partial(image.affine_transform, fill_mode=mode)
        assert gradcheck(f, IMAGES, table, step=1e-6, rtol=1e-5)


@pytest.mark.float64
def test_dtypes_and_unknown_batch_sizes() -> None:
    for dtype in ("float16", "float32", "float64"):
        x = IMAGES.astype(dtype)
        assert image.resize(x, (3, 3)).dtype == dtype
        assert image.affine_transform(x, TRANSFORMS["turn"]).dtype == dtype
    x = Input((5, 6, 3))
    assert image.resize(x, (3, 4), "bicubic").shape == (None, 3, 4, 3)
    assert image.resize(x, (3, 4), "nearest").shape == (None, 3, 4, 3)
    assert image.rgb_to_grayscale(x).shape == (None, 5, 6, 1)
    assert image.crop_images(x, 1, 1, 1, 1).shape == (None, 3, 4, 3)
    assert image.pad_images(x, 1, 1, 1, 1).shape == (None, 7, 8, 3)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: image.resize(IMAGES, (3, 3), "area"), "resize: interpolation: got 'area'"),
        (lambda: image.resize(IMAGES, 3), "resize: size: got 3, expected"),
        (lambda: image.resize(IMAGES, (0, 3)), "resize: size"),
        (lambda: image.resize(IMAGES[0, 0], (3, 3)), r"resize: images: got shape \(6, 3\)"),
        (lambda: image.resize(IMAGES, (3, 3), data_format="last"), "resize: data_format: got 'last'"),
        (lambda: image.resize(IMAGES, (3, 3), fill_mode="wrap"), "resize: fill_mode: got 'wrap'"),
        (
            lambda: image.resize(IMAGES, (3, 3), crop_to_aspect_ratio=True, pad_to_aspect_ratio=True),
            "at most one of them",
        ),
        (lambda: image.affine_transform(IMAGES, [1, 0, 0]), r"transform: got shape \(3,\)"),
        (lambda: image.affine_transform(IMAGES[0], [[1.0] * 8]), r"transform: got shape \(1, 8\)"),
        (lambda: image.affine_transform(IMAGES, [1.0] * 8, "bicubic"), "interpolation: got 'bicubic'"),
        (lambda: image.affine_transform(IMAGES, [1.0] * 8, fill_mode="edge"), "fill_mode: got 'edge'"),
        (lambda: image.rgb_to_grayscale(IMAGES[..., :2]), "got 2 channels"),
        (lambda: image.crop_images(IMAGES, 1, 1), "exactly two of top_cropping, bottom_cropping, target_height"),
        (lambda: image.crop_images(IMAGES, 3, 0, 3, 0), "leads to 3 before and 3 after, for a height of 5"),
        (lambda: image.pad_images(IMAGES, 0, 0, target_height=3, target_width=6), "leads to 0 before and -2 after"),
        (lambda: image.blur, "has no 'blur'"),
    ],
)
def test_mistakes(call: Any, message: str) -> None:
    with pytest.raises((ValueError, AttributeError), match=message):
        call()


def test_ops_image_is_a_part_of_ops() -> None:
    assert ops.image is image
