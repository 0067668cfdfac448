"""Margins: cropping and padding."""

from typing import Any

from ...autograd import Tensor
from .shared import height_and_width, images_and_order, padded


def crop_images(
    images: Any,
    top_cropping: int | None = None,
    left_cropping: int | None = None,
    bottom_cropping: int | None = None,
    right_cropping: int | None = None,
    target_height: int | None = None,
    target_width: int | None = None,
    data_format: str | None = None,
) -> Tensor:
    """y = x without some rows at the top and bottom and columns at the left and right

    For the height two of top_cropping, bottom_cropping and target_height are given, and likewise for the width.

    >>> crop_images([[[1], [2], [3]]], 0, 1, bottom_cropping=0, target_width=1)[..., 0]
    Tensor([[2]], shape=(1, 1), dtype=int32)
    """
    x, first = images_and_order("crop_images", images, data_format)
    h, w = height_and_width("crop_images", x, first)
    top, bottom = _margins("cropping", "top", top_cropping, "bottom", bottom_cropping, "height", h, target_height)
    left, right = _margins("cropping", "left", left_cropping, "right", right_cropping, "width", w, target_width)
    inner = (slice(top, h - bottom), slice(left, w - right))
    return x[(..., *inner)] if first else x[(..., *inner, slice(None))]


def pad_images(
    images: Any,
    top_padding: int | None = None,
    left_padding: int | None = None,
    bottom_padding: int | None = None,
    right_padding: int | None = None,
    target_height: int | None = None,
    target_width: int | None = None,
    data_format: str | None = None,
) -> Tensor:
    """y = x with rows of zeros at the top and bottom and columns of zeros at the left and right

    For the height two of top_padding, bottom_padding and target_height are given, and likewise for the width.

    >>> pad_images([[[1]]], 0, 1, bottom_padding=0, target_width=3)[..., 0]
    Tensor([[0, 1, 0]], shape=(1, 3), dtype=int32)
    """
    x, first = images_and_order("pad_images", images, data_format)
    h, w = height_and_width("pad_images", x, first)
    rows = _margins("padding", "top", top_padding, "bottom", bottom_padding, "height", h, target_height)
    columns = _margins("padding", "left", left_padding, "right", right_padding, "width", w, target_width)
    return padded(x, (rows, columns), first, 0)


def _margins(
    kind: str, low: str, before: int | None, high: str, after: int | None, side: str, size: int, target: int | None
) -> tuple[int, int]:
    """How much to take away, or add, before and after, from the two that are given of before, after and target."""
    name = "crop_images" if kind == "cropping" else "pad_images"
    given = {f"{low}_{kind}": before, f"{high}_{kind}": after, f"target_{side}": target}
    if sum(v is not None for v in given.values()) != 2:
        raise ValueError(f"{name}: expected exactly two of {', '.join(given)}; got {given}")
    if target is not None:
        both = size - target if kind == "cropping" else target - size
        before, after = (both - after, after) if after is not None else (before, both - (before or 0))
    assert before is not None
    assert after is not None
    if before < 0 or after < 0 or (kind == "cropping" and before + after > size):
        raise ValueError(f"{name}: {given} leads to {before} before and {after} after, for a {side} of {size}")
    return before, after
