"""What looks at the pixels around each: blur, edges, patches, similarity."""

from __future__ import annotations

from typing import Any

import numpy as np

from ... import config
from ...autograd import Tensor, as_tensor, cast, reshape
from ...backends import Window
from ...dtypes import is_float
from ...naming import expect, one_of
from ..arithmetic import square
from ..arranging import windows_of
from ..convolution import depthwise_conv
from ..functions import exp
from ..indexing import take
from ..making import arange
from ..reduction import mean, sum
from ..shaping import expand_dims, moveaxis, pad, transpose
from .shared import as_pixels, images_and_order


def _batch(name: str, images: Any, data_format: str | None) -> tuple[Tensor, bool, str]:
    """Images (n, height, width, channels) of fractions, whether channels came first, and their dtype."""
    x, first = images_and_order(name, images, data_format)
    dtype = x.dtype
    x = cast(moveaxis(x, -3, -1) if first else x, dtype=dtype if is_float(dtype) else config.floatx())
    return (x if x.ndim == 4 else expand_dims(x, 0)), first, dtype


def _bell(size: int, sigma: Any, dtype: str) -> Tensor:
    """e^(-x^2 / (2 sigma^2)) around the middle of `size` places, divided by its sum."""
    weights = exp(-0.5 * square((arange(size, dtype=dtype) - (size - 1) / 2) / sigma))
    return weights / sum(weights)


def _each_channel(x: Tensor, kernel: Any, padding: str) -> Tensor:
    """x convolved with a kernel (rows, columns, m) channel by channel: m numbers for each."""
    kernel = as_tensor(kernel, x.dtype)
    kernel = expand_dims(kernel, 2) * np.ones((x.shape[-1], 1), x.dtype)
    return depthwise_conv(x, kernel, 1, padding, "channels_last")


def gaussian_blur(
    images: Any, kernel_size: Any = (3, 3), sigma: Any = (1.0, 1.0), data_format: str | None = None
) -> Tensor:
    """y = the mean of each pixel and those around it, with weights e^(-distance^2 / (2 sigma^2)); outside there is 0

    kernel_size, sigma: (columns, rows), how many count and how fast the weights fall.

    >>> gaussian_blur([[[0.0], [1.0], [0.0]]], (3, 1)).numpy().round(3)[0, :, 0]
    array([0.274, 0.452, 0.274], dtype=float32)
    """
    single = as_tensor(images).ndim == 3
    x, first, dtype = _batch("gaussian_blur", images, data_format)
    across, down = (_bell(kernel_size[i], as_tensor(sigma)[i], x.dtype) for i in (0, 1))
    y = _each_channel(x, reshape(down, (-1, 1, 1)) * reshape(across, (1, -1, 1)), "same")
    y = y[0] if single else y
    return as_pixels(moveaxis(y, -1, -3) if first else y, dtype)


def sobel_edges(images: Any, data_format: str | None = None) -> Tensor:
    """y[..., 0], y[..., 1] = how fast the images change from row to row, and from column to column (Sobel)

    Differences of the neighbours on both sides, summed over three rows or columns with weights 1, 2, 1; 0 outside of
    the images. (n, height, width, channels) -> (n, height, width, channels, 2), or with channels first.

    >>> sobel_edges([[[[0.0], [1.0], [1.0]]]])[0, 0, :, 0, 1]
    Tensor([ 2.,  2., -2.], shape=(3,), dtype=float32)
    """
    expect("sobel_edges: images", as_tensor(images).shape, as_tensor(images).ndim == 4, "a batch of images")
    x, first, _ = _batch("sobel_edges", images, data_format)
    down = np.outer([-1, 0, 1], [1, 2, 1])
    y = _each_channel(x, np.stack([down, down.T], axis=-1).astype(x.dtype), "same")
    y = reshape(y, (-1, *x.shape[1:], 2))
    return moveaxis(y, 3, 1) if first else y


def ssim(
    image1: Any,
    image2: Any,
    max_val: float = 1.0,
    filter_size: int = 11,
    filter_sigma: float = 1.5,
    k1: float = 0.01,
    k2: float = 0.03,
    data_format: str | None = None,
) -> Tensor:
    """y = the structural similarity of image1 and image2, one number for each image: 1 where they are equal

    The mean of (2 m1 m2 + c1) (2 s12 + c2) / ((m1^2 + m2^2 + c1) (s1 + s2 + c2)) over windows of filter_size with
    Gaussian weights (filter_sigma), m means, s variances and covariance, c1 = (k1 max_val)^2, c2 = (k2 max_val)^2;
    max_val: the largest value of a pixel. (Wang, Bovik, Sheikh, Simoncelli 2004)
    """
    single = as_tensor(image1).ndim == 3
    (x, _, dtype), (y, _, _) = (_batch("ssim", image, data_format) for image in (image1, image2))
    weights = _bell(filter_size, filter_sigma, x.dtype)
    kernel = expand_dims(expand_dims(weights, -1) * weights, -1)
    c1, c2 = (k1 * max_val) ** 2, (k2 * max_val) ** 2
    m1, m2, xx, yy, xy = (_each_channel(z, kernel, "valid") for z in (x, y, x * x, y * y, x * y))
    covariance, variances = xy - m1 * m2, xx - m1 * m1 + (yy - m2 * m2)
    score = (2 * m1 * m2 + c1) * (2 * covariance + c2) / ((m1 * m1 + m2 * m2 + c1) * (variances + c2))
    score = mean(score, axis=(1, 2, 3))
    return cast(score[0] if single else score, dtype=dtype)


def extract_patches(
    images: Any,
    size: Any,
    strides: Any = None,
    dilation_rate: Any = 1,
    padding: str = "valid",
    data_format: str | None = None,
) -> Tensor:
    """y[n, row, column, :] = the pixels of a window, row by row, that begins at (row, column) strides

    (n, height, width, c) -> (n, rows, columns, window's height times width times c), or one image. size: of windows, a
    number or (height, width), or three of volumes. strides: from one window to the next, by default `size`.
    dilation_rate: between pixels of a window. padding: "valid", or "same" with zeros around the images. data_format:
    where channels stand.

    >>> extract_patches([[[1], [2]], [[3], [4]]], 2)
    Tensor([[[1, 2, 3, 4]]], shape=(1, 1, 4), dtype=int32)
    """
    rank = 2 if isinstance(size, int) else len(size)
    return _patches("extract_patches", images, rank, size, strides, dilation_rate, padding, data_format)


def extract_patches_3d(
    volumes: Any,
    size: Any,
    strides: Any = None,
    dilation_rate: Any = 1,
    padding: str = "valid",
    data_format: str | None = None,
) -> Tensor:
    """y[n, i, j, k, :] = the elements of a window that begins at (i, j, k) strides, as `extract_patches` of images

    volumes (n, depth, height, width, c), or one. size, strides, dilation_rate, padding, data_format: as there.
    """
    return _patches("extract_patches_3d", volumes, 3, size, strides, dilation_rate, padding, data_format)


def _patches(
    name: str, x: Any, rank: int, size: Any, strides: Any, dilation: Any, padding: str, data_format: str | None
) -> Tensor:
    first = config.checked_data_format(data_format, f"{name}: data_format") == "channels_first"
    x = as_tensor(x)
    expect(f"{name}: images", x.shape, x.ndim in (rank + 1, rank + 2), f"{rank + 1} dimensions, or a batch of them")
    single = x.ndim == rank + 1
    x = expand_dims(x, 0) if single else x
    x = moveaxis(x, 1, -1) if first else x
    one_of(f"{name}: padding", padding.lower(), "valid", "same")
    sizes, steps, gaps = ((n,) * rank if isinstance(n, int) else tuple(n) for n in (size, strides or size, dilation))
    window = Window.of(sizes, steps, padding.lower(), gaps, x.shape[1:-1])
    x = pad(x, ((0, 0), *window.pad, (0, 0)))
    for i in range(rank):  # the axis becomes two: which window, which of its elements
        axis = 1 + 2 * i
        x = take(x, windows_of(x.shape[axis], sizes[i], steps[i], gaps[i]), axis=axis)
    outer, inner = range(1, 2 * rank, 2), range(2, 2 * rank + 1, 2)
    y = transpose(x, (0, *outer, *inner, 2 * rank + 1))
    count = int(np.prod(y.shape[rank + 1 :]))
    y = reshape(y, (-1, *y.shape[1 : rank + 1], count))
    y = moveaxis(y, -1, 1) if first else y
    return y[0] if single else y
