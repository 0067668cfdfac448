"""Affine maps: values at any place, and what lies outside of the image."""

from __future__ import annotations

from typing import Any

from ... import config
from ...autograd import Tensor, as_tensor, cast, reshape
from ...dtypes import is_float
from ...naming import one_of
from ..arithmetic import floor, mod
from ..comparison import clip, minimum
from ..indexing import gather
from ..making import arange
from ..shaping import expand_dims, moveaxis
from .shared import as_pixels, images_and_order, padded


def _inside(i: Tensor, n: int) -> Tensor:
    return clip(i, 0, n - 1)


def _wrapped(i: Tensor, n: int) -> Tensor:
    return mod(i, n)


def _reflected(i: Tensor, n: int) -> Tensor:
    i = mod(i, 2 * n)
    return minimum(i, 2 * n - 1 - i)


def _mirrored(i: Tensor, n: int) -> Tensor:
    i = mod(i, max(2 * n - 2, 1))
    return minimum(i, 2 * n - 2 - i)


FILL_MODES = {
    "constant": _inside, "nearest": _inside, "wrap": _wrapped, "reflect": _reflected, "mirror": _mirrored,
}  # fmt: skip


def affine_transform(
    images: Any,
    transform: Any,
    interpolation: str = "bilinear",
    fill_mode: str = "constant",
    fill_value: float = 0,
    data_format: str | None = None,
) -> Tensor:
    """y at (column u, row v) = x at ((a0 u + a1 v + a2) / k, (b0 u + b1 v + b2) / k), k = c0 u + c1 v + 1

    transform: (8,) or one row for each image: a0, a1, a2, b0, b1, b2, c0, c1. Places between pixels are interpolated
    ("bilinear", or "nearest"). What lies outside of the image a b c d is, by `fill_mode`,
    "constant" fill_value, "nearest" a a|a b c d|d d, "wrap" c d|a b c d|a b, "reflect" b a|a b c d|d c,
    "mirror" c b|a b c d|c b. Differentiable by the images and, with "bilinear", by the transform.

    >>> affine_transform([[[1.0], [2.0], [3.0]]], [1, 0, 1, 0, 1, 0, 0, 0])[..., 0]
    Tensor([[2., 3., 0.]], shape=(1, 3), dtype=float32)
    """
    x, first = images_and_order("affine_transform", images, data_format)
    one_of("affine_transform: interpolation", interpolation, "nearest", "bilinear")
    one_of("affine_transform: fill_mode", fill_mode, *FILL_MODES)
    wide = x.dtype if is_float(x.dtype) else config.floatx()
    table = as_tensor(transform, wide)
    if table.shape[-1:] != (8,) or table.ndim not in (1, 2) or table.ndim > x.ndim - 2:
        raise ValueError(
            f"affine_transform: transform: got shape {table.shape} for images of shape {x.shape}, "
            "expected (8,), or (number of images, 8)"
        )
    batch = as_tensor(moveaxis(x, -3, -1) if first else x, wide)
    batch = batch if batch.ndim == 4 else expand_dims(batch, 0)
    u, v = arange(batch.shape[2], dtype=wide), expand_dims(arange(batch.shape[1], dtype=wide), -1)
    a0, a1, a2, b0, b1, b2, c0, c1 = (reshape(table[..., i], (-1, 1, 1)) for i in range(8))
    k = c0 * u + c1 * v + 1
    i, j = (b0 * u + b1 * v + b2) / k, (a0 * u + a1 * v + a2) / k
    y = sampled(batch, i, j, interpolation, fill_mode, fill_value)
    y = y if x.ndim == 4 else reshape(y, y.shape[1:])
    return as_pixels(moveaxis(y, -1, -3) if first else y, x.dtype)


def sampled(x: Tensor, i: Tensor, j: Tensor, interpolation: str, fill_mode: str, fill_value: float = 0) -> Tensor:
    """What images x (N, height, width, C) hold at rows i and columns j, (N, rows, columns); (N, rows, columns, C)"""
    if fill_mode == "constant":  # a frame stands for all that lies outside
        x, i, j = padded(x, ((1, 1), (1, 1)), False, fill_value), i + 1, j + 1
    n, h, w, channels = x.shape
    pixels = reshape(x, (n * h * w, channels))
    image = reshape(arange(n, dtype="int32"), (-1, 1, 1)) * (h * w)

    def row(i: Tensor) -> Tensor:
        return FILL_MODES[fill_mode](cast(i, dtype="int32"), h) * w + image

    def column(j: Tensor) -> Tensor:
        return FILL_MODES[fill_mode](cast(j, dtype="int32"), w)

    if interpolation == "nearest":
        return gather(pixels, row(floor(i + 0.5)) + column(floor(j + 0.5)), axis=0)
    top, left = floor(i), floor(j)
    down, right = expand_dims(i - top, -1), expand_dims(j - left, -1)
    rows, columns = (row(top), row(top + 1)), (column(left), column(left + 1))
    (a, b), (c, d) = ([gather(pixels, r + s, axis=0) for s in columns] for r in rows)
    upper, lower = a + (b - a) * right, c + (d - c) * right
    return upper + (lower - upper) * down
