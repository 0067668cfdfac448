"""Resizing: along each axis a matrix of weights."""

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ... import config
from ...autograd import Spec, Tensor, as_tensor, outlined, reshape
from ...dtypes import is_float
from ...naming import expect, one_of
from ..indexing import gather
from ..linear import matmul
from ..shaping import transpose
from .margins import crop_images
from .shared import as_pixels, checked_size, height_and_width, images_and_order, padded


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


def nearest_pixels(before: int, after: int) -> np.ndarray:
    """Which of `before` pixels holds the centre of each of `after`.

    >>> nearest_pixels(4, 2)
    array([1, 3])
    """
    return (2 * np.arange(after) + 1) * before // (2 * after)


def _nearest(before: int, after: int) -> Tensor:
    if outlined(((after,), "int64")):
        return Tensor(Spec((after,), "int32"))
    return as_tensor(nearest_pixels(before, after), "int32")


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
    x, first = images_and_order("resize", images, data_format)
    one_of("resize: interpolation", interpolation, "nearest", *KERNELS)
    height, width = checked_size("resize", size)
    if crop_to_aspect_ratio and pad_to_aspect_ratio:
        raise ValueError("resize: crop_to_aspect_ratio and pad_to_aspect_ratio: expected at most one of them")
    expect("resize: fill_mode", fill_mode, fill_mode == "constant", "'constant'")
    h, w = height_and_width("resize", x, first)
    if crop_to_aspect_ratio:
        inner = min(h, int(w * height / width)) or h, min(w, int(h * width / height)) or w
        top, left = (h - inner[0]) // 2, (w - inner[1]) // 2
        x = crop_images(x, top, left, target_height=inner[0], target_width=inner[1], data_format=data_format)
    elif pad_to_aspect_ratio:
        top, left = (max(0, int(w * height / width) - h) // 2, max(0, int(h * width / height) - w) // 2)
        x = padded(x, ((top, top), (left, left)), first, fill_value)
    h, w = height_and_width("resize", x, first)
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
    return as_pixels(y, x.dtype)
