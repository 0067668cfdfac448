"""Images: resizing, affine maps, cropping, padding, grey levels.

All take one image (height, width, channels) or a batch of them, channels second with `data_format="channels_first"`.
Pixel i covers [i, i + 1), its centre is at i + 1/2. Whole numbers are computed in `floatx`, rounded and clipped.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .. import config
from ..autograd import Spec, Tensor, as_tensor, cast, outlined, reshape
from ..dtypes import is_float
from ..lazy import public_only
from .elementwise import clip, floor, minimum, mod, round
from .indexing import gather
from .linear import einsum, matmul
from .shaping import arange, expand_dims, moveaxis, pad, transpose

__all__ = ["affine_transform", "crop_images", "pad_images", "resize", "rgb_to_grayscale"]
public_only(__name__)


# Resizing: along each axis a matrix of weights


def _triangle(x: np.ndarray) -> np.ndarray:
    return np.maximum(0, 1 - x)


def _cubic(x: np.ndarray) -> np.ndarray:
    """The cubic convolution kernel with a = -1/2. (Keys 1981)"""
    near, far = (1.5 * x - 2.5) * x * x + 1, ((-0.5 * x + 2.5) * x - 4) * x + 2
    return np.where(x < 1, near, np.where(x < 2, far, 0))


def _lanczos(radius: int) -> Callable[[np.ndarray], np.ndarray]:
    return lambda x: np.where(x < radius, np.sinc(x) * np.sinc(x / radius), 0)


KERNELS = {"bilinear": _triangle, "bicubic": _cubic, "lanczos3": _lanczos(3), "lanczos5": _lanczos(5)}


@functools.lru_cache(maxsize=64)
def resize_matrix(before: int, after: int, interpolation: str, antialias: bool) -> np.ndarray:
    """W (after, before) with y = W x: W_oi = kernel(|centre of o - centre of i| / s), each row divided by its sum

    s = 1, or with `antialias` before / after where that is larger: the kernel then spans what an output pixel covers.

    >>> resize_matrix(4, 2, "bilinear", False)
    array([[0.5, 0.5, 0. , 0. ],
           [0. , 0. , 0.5, 0.5]])
    """
    scale = before / after
    centres = (np.arange(after) + 0.5) * scale - 0.5
    distance = abs(centres[:, None] - np.arange(before)) / (max(scale, 1.0) if antialias else 1.0)
    weights = KERNELS[interpolation](distance)
    weights /= weights.sum(axis=1, keepdims=True)
    weights.flags.writeable = False
    return weights


def _weights(sizes: tuple[int, int], interpolation: str, antialias: bool, dtype: str) -> Tensor:
    if outlined((sizes, "float64"), beside=3 * [(sizes, "float64")]):
        return Tensor(Spec(sizes[::-1], dtype))
    return as_tensor(resize_matrix(*sizes, interpolation, antialias), dtype)


def _nearest(before: int, after: int) -> Tensor:
    """Which of `before` pixels holds the centre of each of `after`."""
    if outlined(((after,), "int64")):
        return Tensor(Spec((after,), "int32"))
    return as_tensor((2 * np.arange(after) + 1) * before // (2 * after), "int32")


def resize(
    images: Any,
    size: Sequence[int],
    interpolation: str = "bilinear",
    antialias: bool = False,
    crop_to_aspect_ratio: bool = False,
    pad_to_aspect_ratio: bool = False,
    fill_mode: str = "constant",
    fill_value: float = 0.0,
    data_format: str | None = None,
) -> Tensor:
    """y = W_height x W_width^T: every output pixel is a weighted mean of those around its place in the input

    size: (height, width). interpolation: "nearest", "bilinear", "bicubic", "lanczos3" or "lanczos5"; see
    `resize_matrix` for the weights and `antialias`. To keep shapes undistorted, `crop_to_aspect_ratio` first cuts away,
    `pad_to_aspect_ratio` first adds (`fill_value`), evenly on both sides, what gives the image the ratio of `size`.

    >>> resize([[[1.0], [2.0]], [[3.0], [4.0]]], (1, 4))[..., 0]
    Tensor([[2.  , 2.25, 2.75, 3.  ]], shape=(1, 4), dtype=float32)
    """
    x, first = _images("resize", images, data_format)
    if interpolation not in (*KERNELS, "nearest"):
        raise ValueError(f"resize: interpolation: got {interpolation!r}, expected one of {('nearest', *KERNELS)}")
    height, width = _size("resize", size)
    if crop_to_aspect_ratio and pad_to_aspect_ratio:
        raise ValueError("resize: crop_to_aspect_ratio and pad_to_aspect_ratio: expected at most one of them")
    if fill_mode != "constant":
        raise ValueError(f"resize: fill_mode: got {fill_mode!r}, expected 'constant'")
    h, w = _spatial("resize", x, first)
    if crop_to_aspect_ratio:
        inner = min(h, int(w * height / width)) or h, min(w, int(h * width / height)) or w
        top, left = (h - inner[0]) // 2, (w - inner[1]) // 2
        x = crop_images(x, top, left, target_height=inner[0], target_width=inner[1], data_format=data_format)
    elif pad_to_aspect_ratio:
        top, left = (max(0, int(w * height / width) - h) // 2, max(0, int(h * width / height) - w) // 2)
        x = _pad(x, ((top, top), (left, left)), first, fill_value)
    h, w = _spatial("resize", x, first)
    if interpolation == "nearest":
        axis = x.ndim - 2 if first else x.ndim - 3
        return gather(gather(x, _nearest(h, height), axis=axis), _nearest(w, width), axis=axis + 1)
    wide = x.dtype if is_float(x.dtype) else config.floatx()
    rows, columns = (_weights(sizes, interpolation, antialias, wide) for sizes in ((h, height), (w, width)))
    y = as_tensor(x, wide)
    if first:
        y = matmul(matmul(rows, y), transpose(columns))
    else:
        channels = x.shape[-1]
        y = matmul(rows, reshape(y, (-1, h, w * channels)))  # one product an image, however many channels
        y = matmul(columns, reshape(y, (-1, w, channels)))
        y = reshape(y, (*(-1 if n is None else n for n in x.shape[:-3]), height, width, channels))
    return _as_pixels(y, x.dtype)


# Affine maps: values at any place, and what lies outside of the image


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
    x, first = _images("affine_transform", images, data_format)
    if interpolation not in ("nearest", "bilinear"):
        raise ValueError(f"affine_transform: interpolation: got {interpolation!r}, expected 'nearest' or 'bilinear'")
    if fill_mode not in FILL_MODES:
        raise ValueError(f"affine_transform: fill_mode: got {fill_mode!r}, expected one of {tuple(FILL_MODES)}")
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
    if fill_mode == "constant":  # a frame stands for all that lies outside
        batch, i, j = _pad(batch, ((1, 1), (1, 1)), False, fill_value), i + 1, j + 1
    n, h, w, channels = batch.shape
    pixels = reshape(batch, (n * h * w, channels))
    image = reshape(arange(n, dtype="int32"), (-1, 1, 1)) * (h * w)

    def row(i: Tensor) -> Tensor:
        return FILL_MODES[fill_mode](cast(i, dtype="int32"), h) * w + image

    def column(j: Tensor) -> Tensor:
        return FILL_MODES[fill_mode](cast(j, dtype="int32"), w)

    if interpolation == "nearest":
        y = gather(pixels, row(floor(i + 0.5)) + column(floor(j + 0.5)), axis=0)
    else:
        top, left = floor(i), floor(j)
        down, right = expand_dims(i - top, -1), expand_dims(j - left, -1)
        rows, columns = (row(top), row(top + 1)), (column(left), column(left + 1))
        (a, b), (c, d) = ([gather(pixels, r + s, axis=0) for s in columns] for r in rows)
        upper, lower = a + (b - a) * right, c + (d - c) * right
        y = upper + (lower - upper) * down
    y = y if x.ndim == 4 else reshape(y, y.shape[1:])
    return _as_pixels(moveaxis(y, -1, -3) if first else y, x.dtype)


# Colours, margins


def rgb_to_grayscale(images: Any, data_format: str | None = None) -> Tensor:
    """y = 0.2989 red + 0.587 green + 0.114 blue, with one channel left (ITU-R BT.601)

    >>> rgb_to_grayscale([[[1.0, 1.0, 0.0]]])
    Tensor([[[0.8859]]], shape=(1, 1, 1), dtype=float32)
    """
    x, first = _images("rgb_to_grayscale", images, data_format)
    axis = -3 if first else -1
    if x.shape[axis] not in (3, None):
        raise ValueError(f"rgb_to_grayscale: got {x.shape[axis]} channels in shape {x.shape}, expected 3")
    wide = x.dtype if is_float(x.dtype) else config.floatx()
    weights = as_tensor(np.array([0.2989, 0.5870, 0.1140]), wide)
    grey = einsum("...cij,c->...ij" if first else "...c,c->...", as_tensor(x, wide), weights)
    return as_tensor(expand_dims(grey, axis), x.dtype)


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
    x, first = _images("crop_images", images, data_format)
    h, w = _spatial("crop_images", x, first)
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
    x, first = _images("pad_images", images, data_format)
    h, w = _spatial("pad_images", x, first)
    rows = _margins("padding", "top", top_padding, "bottom", bottom_padding, "height", h, target_height)
    columns = _margins("padding", "left", left_padding, "right", right_padding, "width", w, target_width)
    return _pad(x, (rows, columns), first, 0)


def _pad(x: Tensor, widths: tuple[tuple[int, int], tuple[int, int]], first: bool, value: float) -> Tensor:
    others = ((0, 0),) * (x.ndim - 3)
    return pad(x, (*others, (0, 0), *widths) if first else (*others, *widths, (0, 0)), constant_values=value)


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


# What all share


def _images(name: str, images: Any, data_format: str | None) -> tuple[Tensor, bool]:
    """The images as a Tensor, and whether their channels come first."""
    data_format = config.image_data_format() if data_format is None else data_format
    if data_format not in ("channels_last", "channels_first"):
        raise ValueError(f"{name}: data_format: got {data_format!r}, expected 'channels_last' or 'channels_first'")
    x = as_tensor(images)
    if x.ndim not in (3, 4):
        raise ValueError(
            f"{name}: images: got shape {x.shape}, expected (height, width, channels) or a batch of such images"
        )
    return x, data_format == "channels_first"


def _spatial(name: str, x: Tensor, first: bool) -> tuple[int, int]:
    if None in x.shape[-3:]:
        raise ValueError(f"{name}: images: got shape {x.shape}, expected known height, width and channels")
    return x.shape[-2:] if first else x.shape[-3:-1]  # type: ignore[return-value]


def _size(name: str, size: Any) -> tuple[int, int]:
    sizes = tuple(size) if isinstance(size, list | tuple) else (size,)
    if len(sizes) != 2 or not all(isinstance(n, int | np.integer) and n >= 1 for n in sizes):
        raise ValueError(f"{name}: size: got {size!r}, expected (height, width), two whole numbers >= 1")
    return int(sizes[0]), int(sizes[1])


def _as_pixels(y: Tensor, dtype: str) -> Tensor:
    """`y` in the images' dtype: rounded and clipped where it holds whole numbers."""
    if is_float(dtype):
        return y
    limits = np.iinfo(dtype)
    return cast(clip(round(y), float(limits.min), float(limits.max)), dtype=dtype)
