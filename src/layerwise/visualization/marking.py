"""Boxes and masks on pictures."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..config import checked_data_format
from ..data.images import pillow
from ..naming import one_of

_FORMATS = ("xyxy", "yxyx", "xywh", "center_xywh", "center_yxhw")
_PALETTE = np.array([2**25 - 1, 2**15 - 1, 2**21 - 1])  # Keras' colours
_LETTER = 12.0  # pixels, at a scale of 1


def checked_images(what: str, images: Any, data_format: str | None) -> np.ndarray:
    """Pictures (batch, height, width, channels), wherever the channels were."""
    data_format = checked_data_format(data_format, f"{what}: data_format")
    pixels = np.asarray(images)
    if pixels.ndim != 4:
        raise ValueError(f"{what}: images: expected shape (batch, height, width, channels), got {pixels.shape}")
    return pixels.transpose(0, 2, 3, 1) if data_format == "channels_first" else pixels


def corners(boxes: Any, bounding_box_format: str, height: int, width: int) -> np.ndarray:
    """Boxes (..., 4) as left, top, right, bottom in pixels

    >>> corners([0.5, 0.5, 0.5, 1.0], "rel_center_xywh", height=4, width=8).tolist()
    [2.0, 0.0, 6.0, 4.0]
    """
    is_relative = bounding_box_format.startswith("rel_")
    name = bounding_box_format.removeprefix("rel_")
    one_of("bounding_box_format", name, *_FORMATS)
    a, b, c, d = np.moveaxis(np.asarray(boxes, np.float32), -1, 0)
    if name in ("yxyx", "center_yxhw"):
        a, b, c, d = b, a, d, c
    if name.startswith("center"):
        a, b = a - c / 2, b - d / 2
    if not name.endswith(("xyxy", "yxyx")):
        c, d = a + c, b + d
    found = np.stack([a, b, c, d], axis=-1)
    return found * np.array([width, height, width, height], np.float32) if is_relative else found


def draw_bounding_boxes(
    images: Any,
    bounding_boxes: Mapping[str, Any],
    bounding_box_format: str,
    class_mapping: Mapping[int, str] | None = None,
    color: Sequence[int] = (128, 128, 128),
    line_thickness: int = 2,
    text_thickness: int | None = 1,
    font_scale: float = 1.0,
    data_format: str | None = None,
) -> np.ndarray:
    """Pictures with boxes on them, (batch, height, width, channels) uint8

    Args:
        images: (batch, height, width, channels), whole numbers to 255, or fractions to 1 or to 255.
        bounding_boxes: "boxes" (batch, boxes, 4), "labels" (batch, boxes), of which -1 is no box, and perhaps
            "confidences" (batch, boxes).
        bounding_box_format: "xyxy", "yxyx", "xywh", "center_xywh" or "center_yxhw", in pixels, or with "rel_" in front
            in parts of the picture.
        class_mapping: names of labels, which are written at the boxes.
        color: of lines and text.
        line_thickness, text_thickness: in pixels.
        font_scale: of the text.
        data_format: "channels_last" or "channels_first", of `images`.

    Needs Pillow (`layerwise[images]`).

    >>> boxes = {"boxes": [[[1, 1, 3, 3]]], "labels": [[0]]}
    >>> draw_bounding_boxes(np.zeros((1, 5, 5, 3)), boxes, "xyxy", line_thickness=1)[0, :, :, 0].tolist()
    [[0, 0, 0, 0, 0], [0, 128, 128, 128, 0], [0, 128, 0, 128, 0], [0, 128, 128, 128, 0], [0, 0, 0, 0, 0]]
    """
    pixels = checked_images("draw_bounding_boxes", images, data_format)
    if not isinstance(bounding_boxes, Mapping) or not {"boxes", "labels"} <= bounding_boxes.keys():
        raise ValueError("draw_bounding_boxes: bounding_boxes: expected a dictionary with 'boxes' and 'labels'")
    if pixels.dtype.kind == "f":
        pixels = np.clip(pixels * 255 if pixels.max(initial=0) <= 1 else pixels, 0, 255)
    pixels = pixels.astype(np.uint8)
    boxes = corners(bounding_boxes["boxes"], bounding_box_format, *pixels.shape[1:3])
    labels = np.asarray(bounding_boxes["labels"]).astype(int)
    sure = bounding_boxes.get("confidences")
    made = []
    for i, picture in enumerate(pixels):
        image = pillow().fromarray(picture[..., 0] if picture.shape[2] == 1 else picture)
        for j, (place, label) in enumerate(zip(boxes[i], labels[i].tolist(), strict=True)):
            if label == -1:
                continue
            text = (class_mapping or {}).get(label)
            if text is not None and sure is not None:
                text = f"{text} | {float(np.asarray(sure)[i][j]):.2f}"
            _mark(image, place.astype(int).tolist(), text, color, line_thickness, text_thickness, font_scale)
        made.append(np.asarray(image).reshape(picture.shape))
    return np.stack(made) if made else pixels


def _mark(
    image: Any, place: list[int], text: str | None, color: Sequence[int], line: int, stroke: int | None, scale: float
) -> None:
    """One box on an image of Pillow's, its line half outside of it and half inside, and its text."""
    from PIL import ImageDraw, ImageFont

    draw = ImageDraw.Draw(image)
    ink = tuple(int(c) for c in color)
    shade = ink[0] if image.mode == "L" else ink
    left, top, right, bottom = (min(place[0::2]), min(place[1::2]), max(place[0::2]), max(place[1::2]))
    out = (line - 1) // 2
    draw.rectangle((left - out, top - out, right + out, bottom + out), outline=shade, width=line)
    if text is None:
        return
    size = 2 * _LETTER * scale
    above = top - 8 - size
    where = (left, above) if above > 0 else (left + line + 3, top + line + 3)
    width = ((stroke or line) - 1) / 4
    draw.text(where, text, fill=shade, font=ImageFont.load_default(size), stroke_width=width)


def draw_segmentation_masks(
    images: Any,
    segmentation_masks: Any,
    num_classes: int | None = None,
    color_mapping: Mapping[int, Sequence[int]] | None = None,
    alpha: float = 0.8,
    blend: bool = True,
    ignore_index: int = -1,
    data_format: str | None = None,
) -> np.ndarray:
    """y = (1 - alpha) x + alpha colour of the class, where there is one: pictures with masks on them

    Args:
        images: x, (batch, height, width, channels), values to 255.
        segmentation_masks: classes, (batch, height, width) or (batch, height, width, 1), whole numbers.
        num_classes: classes from this one on are not drawn; by default all are.
        color_mapping: the colour of each class.
        alpha: how much of the colour there is.
        blend: uint8 pictures by the formula; otherwise the colours alone, float32.
        ignore_index: a class that is not drawn.
        data_format: "channels_last" or "channels_first", of `images` and masks; the result has its channels last.

    >>> draw_segmentation_masks(np.full((1, 1, 2, 3), 100), [[[0, 1]]], color_mapping={0: (0, 0, 0), 1: (255, 0, 0)})
    array([[[[ 20,  20,  20], [224,  20,  20]]]], dtype=uint8)
    """
    pixels = checked_images("draw_segmentation_masks", images, data_format).astype(np.float32)
    masks = np.asarray(segmentation_masks)
    if masks.dtype.kind not in "iu":
        raise TypeError(f"draw_segmentation_masks: segmentation_masks: got {masks.dtype}, expected whole numbers")
    if masks.ndim == 4:
        masks = masks[:, 0] if data_format == "channels_first" else masks[..., 0]
    if masks.shape != pixels.shape[:3]:
        raise ValueError(
            f"draw_segmentation_masks: segmentation_masks: got shape {masks.shape}, expected {pixels.shape[:3]}"
        )
    count = int(masks.max(initial=-1)) + 1 if num_classes is None else num_classes
    drawn = pixels.copy()
    for label in range(count):
        colour = (color_mapping or {}).get(label, (label * _PALETTE % 255).tolist())
        drawn[masks == label] = np.asarray(colour, np.float32)
    if not blend:
        return drawn
    mixed = pixels * np.float32(1 - alpha) + drawn * np.float32(alpha)
    return np.where((masks != ignore_index)[..., None], mixed, pixels).astype(np.uint8)
