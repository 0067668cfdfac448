"""Boxes around things in images: the forms that they are given in, and where they are after a change."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from ... import ops
from ...autograd import Tensor, as_tensor

_FORMS = ("xyxy", "yxyx", "xywh", "center_xywh", "center_yxhw")
FORMS = (*_FORMS, *(f"rel_{form}" for form in _FORMS))  # left, top, right, bottom; ...; as parts of width and height


def dense(name: str, bounding_boxes: Any) -> tuple[Tensor, Tensor]:
    """Boxes (batch, number, 4) and their labels (batch, number), or of one image both without the first axis.

    Lists may hold different numbers of boxes: missing ones become boxes of size 0 with the label -1.
    """
    if not isinstance(bounding_boxes, Mapping) or not {"boxes", "labels"} <= set(bounding_boxes):
        raise ValueError(f"{name}: bounding_boxes: expected a dict with 'boxes' and 'labels'")
    boxes, labels = bounding_boxes["boxes"], bounding_boxes["labels"]
    if isinstance(boxes, list) and len({len(b) for b in boxes if isinstance(b, list | np.ndarray)}) > 1:
        most = max(map(len, boxes))
        full = [(np.zeros((most, 4), "float32"), np.full(most, -1, "int32")) for _ in boxes]
        for (box, label), some, named in zip(full, boxes, labels, strict=True):
            if len(some):
                box[: len(some)], label[: len(some)] = some, named
        boxes, labels = (np.stack(parts) for parts in zip(*full, strict=True))
    boxes, labels = as_tensor(boxes, "float32"), as_tensor(labels)
    if boxes.ndim not in (2, 3) or boxes.shape[-1] != 4 or labels.ndim < boxes.ndim - 1:
        raise ValueError(
            f"{name}: bounding_boxes: got boxes of shape {boxes.shape} with labels of shape {labels.shape}, "
            "expected (batch, number, 4) with (batch, number)"
        )
    return boxes, labels


def to_corners(boxes: Tensor, form: str, height: int, width: int) -> Tensor:
    """Boxes in any form as left, top, right, bottom, in pixels."""
    a, b, c, d = (boxes[..., i] for i in range(4))
    kind = form.removeprefix("rel_")
    if kind in ("yxyx", "center_yxhw"):
        a, b, c, d = b, a, d, c
    if kind.startswith("center_"):
        a, b = a - c / 2, b - d / 2
    if kind not in ("xyxy", "yxyx"):
        c, d = a + c, b + d
    corners = ops.stack([a, b, c, d], axis=-1)
    return corners if kind == form else corners * np.array([width, height] * 2, corners.dtype)


def from_corners(corners: Tensor, form: str, height: int, width: int) -> Tensor:
    """The inverse of `to_corners`."""
    kind = form.removeprefix("rel_")
    corners = corners if kind == form else corners / np.array([width, height] * 2, corners.dtype)
    a, b, c, d = (corners[..., i] for i in range(4))
    if kind not in ("xyxy", "yxyx"):
        c, d = c - a, d - b
    if kind.startswith("center_"):
        a, b = a + c / 2, b + d / 2
    return ops.stack([b, a, d, c] if kind in ("yxyx", "center_yxhw") else [a, b, c, d], axis=-1)


def clipped(corners: Tensor, labels: Tensor, height: int, width: int) -> tuple[Tensor, Tensor]:
    """The parts of boxes inside an image, and their labels: -1 where nothing is left."""
    corners = ops.clip(corners, 0, np.array([width, height] * 2, corners.dtype))
    left, top, right, bottom = (corners[..., i] for i in range(4))
    there = ops.reshape((right - left) * (bottom - top) > 0, (*corners.shape[:-1], *(1,) * (labels.ndim - left.ndim)))
    return corners, ops.where(there, labels, ops.cast(-1, labels.dtype))


def warped(corners: Tensor, transform: Tensor) -> Tensor:
    """The boxes around what images seen through `transform`, as of `ops.image.affine_transform`, show of boxes."""
    a, b, c, d, e, f, g, h = (ops.reshape(transform[:, i], (-1, 1, 1)) for i in range(8))
    x, y = ops.take(corners, [0, 2, 0, 2], axis=-1), ops.take(corners, [1, 1, 3, 3], axis=-1)  # of all four corners
    # (x, y, 1) times the inverse of the matrix a b c, d e f, g h 1, up to a factor.
    u = (e - f * h) * x + (c * h - b) * y + (b * f - c * e)
    v = (f * g - d) * x + (a - c * g) * y + (c * d - a * f)
    k = (d * h - e * g) * x + (b * g - a * h) * y + (a * e - b * d)
    u, v = u / k, v / k
    return ops.stack([ops.min(u, axis=-1), ops.min(v, axis=-1), ops.max(u, axis=-1), ops.max(v, axis=-1)], axis=-1)
