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


UNIT = RNG.uniform(0, 1, (2, 5, 6, 3)).astype("float32")
UNIT[0, 0, 0] = UNIT[0, 0, 1] = 0.25  # grey
VOLUMES = RNG.uniform(0, 1, (2, 4, 5, 4, 2)).astype("float32")


def test_colours() -> None:
    for name in ("rgb_to_hsv", "hsv_to_rgb"):
        same(name, UNIT)
    np.testing.assert_allclose(image.hsv_to_rgb(image.rgb_to_hsv(UNIT)), UNIT, atol=1e-6)
    with pytest.raises(ValueError, match="rgb_to_hsv: images: got uint8"):
        image.rgb_to_hsv(WHOLE)


def test_blur_edges_and_similarity() -> None:
    for options in ((), ((5, 4), (2.0, 0.7))):
        theirs = keras.ops.image.gaussian_blur(UNIT, *options, data_format="channels_last")  # it takes None for first
        y = image.gaussian_blur(UNIT, *options)
        np.testing.assert_allclose(y, theirs, rtol=1e-5, atol=1e-6)
        swapped = image.gaussian_blur(np.moveaxis(UNIT, -1, 1), *options, data_format="channels_first")
        np.testing.assert_allclose(np.moveaxis(swapped.numpy(), 1, -1), y, atol=1e-6)
    np.testing.assert_allclose(image.gaussian_blur(UNIT[0], (3, 1)), image.gaussian_blur(UNIT, (3, 1))[0], atol=1e-6)
    edges = image.sobel_edges(UNIT)
    np.testing.assert_allclose(edges, keras.ops.image.sobel_edges(UNIT), rtol=1e-5, atol=1e-5)
    swapped = image.sobel_edges(np.moveaxis(UNIT, -1, 1), data_format="channels_first")
    np.testing.assert_allclose(np.moveaxis(swapped.numpy(), 1, 3), edges, atol=1e-6)
    for size, x, y in ((3, UNIT, IMAGES), (5, IMAGES, 0.9 * IMAGES)):
        theirs = keras.ops.image.ssim(x, y, filter_size=size, max_val=2.0)
        np.testing.assert_allclose(image.ssim(x, y, 2.0, size), theirs, rtol=1e-4, atol=1e-5)
    assert image.ssim(UNIT[0], UNIT[0], filter_size=3).item() == pytest.approx(1.0)


@pytest.mark.parametrize("padding", ["valid", "same"])
def test_patches(padding: str) -> None:
    for x, size, strides, gaps in ((UNIT, (3, 2), None, 1), (UNIT, 2, 1, (2, 1)), (VOLUMES, (2, 3, 2), 1, 1)):
        same("extract_patches", x, size, strides, gaps, padding)
    same("extract_patches_3d", VOLUMES, 2, padding=padding)
    whole = image.extract_patches(WHOLE[0], 2, padding=padding)
    np.testing.assert_array_equal(whole, image.extract_patches(WHOLE, 2, padding=padding)[0])


@pytest.mark.parametrize("fill_mode", image.FILL_MODES)
@pytest.mark.parametrize("order", [0, 1])
def test_map_coordinates(order: int, fill_mode: str) -> None:
    places = RNG.uniform(-6, 12, (2, 4, 5)).astype("float32")
    for x in (UNIT[0, :, :, 0], WHOLE[0, :, :, 0].astype("int32")):
        theirs = keras.ops.image.map_coordinates(x, places, order, fill_mode, 3)
        y = image.map_coordinates(x, places, order, fill_mode, 3)
        assert y.dtype == str(theirs.dtype)
        np.testing.assert_allclose(y, theirs, rtol=1e-5, atol=1e-5)
    with pytest.raises(ValueError, match=r"coordinates: got shape \(2, 4, 5\), expected \(3, \.\.\.\)"):
        image.map_coordinates(UNIT[0], places, order)


def test_perspective_by_points() -> None:
    start = np.float32([[[0, 0], [0, 5], [4, 0], [4, 5]]] * 2)
    end = np.float32([[[1, 0], [0, 4], [3, 1], [4, 5]], [[0, 0], [1, 4], [4, 1], [3, 4]]])
    for interpolation in ("nearest", "bilinear"):
        same("perspective_transform", UNIT, start, end, interpolation, 0.5)
    theirs = keras.ops.image.perspective_transform(UNIT[0], start[:1], end[:1])
    np.testing.assert_allclose(image.perspective_transform(UNIT[0], start[:1], end[:1]), theirs, atol=1e-5)
    with pytest.raises(ValueError, match="perspective_transform: end_points"):
        image.perspective_transform(UNIT, start, end[0, :3])


@pytest.mark.parametrize("method", ["linear", "cubic", "lanczos3", "lanczos5"])
def test_scale_and_translate(method: str) -> None:
    for antialias in (True, False):
        args = ((2, 8, 4, 3), np.float32([1.7, 0.5]), np.float32([-0.4, 0.3]), (1, 2), method, antialias)
        y = image.scale_and_translate(UNIT, *args)
        np.testing.assert_allclose(y, keras.ops.image.scale_and_translate(UNIT, *args), rtol=1e-5, atol=1e-5)


PLACES = RNG.uniform(-0.9, 4.9, (2, 3)) // 1 + 0.3  # away from the pixels' centres, where there are kinks


@pytest.mark.float64
@pytest.mark.parametrize(
    "f",
    [
        image.rgb_to_hsv,
        image.hsv_to_rgb,
        lambda x: image.gaussian_blur(x, (3, 5)),
        image.sobel_edges,
        lambda x: image.ssim(x, x * x, filter_size=3),
        lambda x: image.extract_patches(x, 2, 1, padding="same"),
        lambda x: image.map_coordinates(x[0, :, :, 0], PLACES, 1),
        lambda x: image.map_coordinates(UNIT[0, :, :, 0], PLACES + 0.2 * x[0, :2, :3, 0], 1, "mirror"),
        lambda x: image.scale_and_translate(x, (1, 3, 3, 3), [0.7, 0.6], [0.1, 0.2], (1, 2), "cubic"),
    ],
)
def test_gradients_by_pixels(f: Any) -> None:
    assert gradcheck(f, UNIT[1:, :4, :4].astype("float64"))


def test_shapes_of_batches_of_any_size() -> None:
    x = Input((5, 6, 3))
    assert image.rgb_to_hsv(x).shape == (None, 5, 6, 3)
    assert image.gaussian_blur(x).shape == (None, 5, 6, 3)
    assert image.sobel_edges(x).shape == (None, 5, 6, 3, 2)
    assert image.ssim(x, x, filter_size=3).shape == (None,)
    assert image.extract_patches(x, (2, 3)).shape == (None, 2, 2, 18)
