"""Boxes and masks on pictures, and galleries."""

import keras
import numpy as np
import pytest
from keras.src.layers.preprocessing.image_preprocessing.bounding_boxes.converters import convert_format
from PIL import Image

from layerwise import visualization
from layerwise.visualization.marking import corners

RNG = np.random.default_rng(0)
FORMATS = ["xyxy", "yxyx", "xywh", "center_xywh", "center_yxhw", "rel_xyxy", "rel_yxyx", "rel_xywh", "rel_center_xywh"]


@pytest.mark.parametrize("name", FORMATS)
def test_formats_are_keras(name):
    boxes = RNG.uniform(0, 1, (2, 3, 4)).astype("float32")
    expected = convert_format({"boxes": boxes, "labels": np.zeros((2, 3))}, name, "xyxy", 20, 40)["boxes"]
    np.testing.assert_allclose(corners(boxes, name, 20, 40), expected, rtol=1e-5)


def test_boxes():
    images = np.full((2, 100, 80, 3), 0.5)
    boxes = {"boxes": [[[10, 60, 50, 85], [0, 0, 5, 5]]] * 2, "labels": [[1, -1], [0, 0]], "confidences": [[1, 1]] * 2}
    before = images.copy()
    drawn = visualization.draw_bounding_boxes(images, boxes, "xyxy", {1: "cat"}, (255, 0, 0), line_thickness=3)
    np.testing.assert_array_equal(images, before)
    assert (drawn.shape, drawn.dtype) == (images.shape, np.uint8)
    is_red = (drawn == (255, 0, 0)).all(-1)
    assert is_red[:, 59:62, 9:52].all()
    assert not is_red[:, 65:80, 15:45].any()
    assert is_red[0, 20:58].any()  # its name
    assert not is_red[0, :5, :5].any()  # no box
    assert is_red[1, :2, :5].any()
    first = visualization.draw_bounding_boxes(images.transpose(0, 3, 1, 2), boxes, "xyxy", data_format="channels_first")
    assert first.shape == images.shape
    assert visualization.draw_bounding_boxes(images[..., :1], boxes, "xyxy").shape == (2, 100, 80, 1)


COLOURS = {i: (i, 9, 8) for i in range(4)}


@pytest.mark.parametrize("options", [{}, {"alpha": 0.3, "ignore_index": 2}, {"color_mapping": COLOURS}])
@pytest.mark.parametrize("blend", [True, False])
def test_masks_are_keras(options, blend):
    images = RNG.uniform(0, 255, (2, 5, 6, 3)).astype("float32")
    masks = RNG.integers(0, 4, (2, 5, 6, 1))
    got = visualization.draw_segmentation_masks(images, masks, 4, blend=blend, **options)
    expected = np.asarray(keras.visualization.draw_segmentation_masks(images, masks, 4, blend=blend, **options))
    assert got.dtype == expected.dtype
    np.testing.assert_allclose(got.astype(int), expected.astype(int), atol=1)
    flat = visualization.draw_segmentation_masks(images, masks[..., 0], blend=blend, **options)
    np.testing.assert_array_equal(got, flat)


def test_galleries(tmp_path):
    images = RNG.uniform(0, 1, (5, 8, 8, 3))
    sizes = []
    boxes = {"boxes": np.full((5, 1, 4), [1, 1, 6, 6]), "labels": np.zeros((5, 1))}
    masks = RNG.integers(0, 3, (5, 8, 8))
    box_gallery, mask_gallery = visualization.plot_bounding_box_gallery, visualization.plot_segmentation_mask_gallery
    for name, draw in {
        "plain": lambda path: visualization.plot_image_gallery(images, value_range=(0, 1), path=path),
        "wide": lambda path: visualization.plot_image_gallery(images, [0] * 5, [1] * 5, {0: "a"}, rows=1, path=path),
        "grey": lambda path: visualization.plot_image_gallery(images[..., :1], cols=5, path=path),
        "boxes": lambda path: box_gallery(images, "xyxy", boxes, boxes, legend=True, path=path),
        "masks": lambda path: mask_gallery(images, 3, (0, 1), masks, masks, path=path),
    }.items():
        draw(tmp_path / f"{name}.png")
        with Image.open(tmp_path / f"{name}.png") as picture:
            sizes.append(picture.width > 2 * picture.height)
    assert sizes == [False, True, True, False, False]


@pytest.mark.parametrize(
    ("mistake", "message"),
    [
        (lambda x: visualization.draw_bounding_boxes(x[0], {}, "xyxy"), r"draw_bounding_boxes: images: .* \(4, 4, 3\)"),
        (lambda x: visualization.draw_bounding_boxes(x, {"boxes": []}, "xyxy"), "expected a dictionary with 'boxes'"),
        (lambda x: corners([0, 0, 0, 0], "yx", 1, 1), "bounding_box_format: got 'yx'"),
        (lambda x: visualization.draw_segmentation_masks(x, np.zeros((1, 4, 4))), "got float64, expected whole"),
        (lambda x: visualization.draw_segmentation_masks(x, np.zeros((1, 3, 4), int)), r"got shape \(1, 3, 4\)"),
        (lambda x: visualization.plot_image_gallery(x, path="a", show=True), "path and show: expected one of them"),
        (lambda x: visualization.plot_image_gallery(x, y_true=[0]), "label_map: expected it"),
    ],
)
def test_mistakes(mistake, message):
    with pytest.raises((ValueError, TypeError), match=message):
        mistake(np.zeros((1, 4, 4, 3)))
