"""Values at any place, and images seen from elsewhere."""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ... import config
from ...autograd import Tensor, add, as_tensor, cast, reshape
from ...dtypes import is_float
from ...naming import expect, one_of
from ..arithmetic import abs, floor, sign
from ..comparison import logical_and, where
from ..indexing import gather
from ..linear import tensordot
from ..matrices import solve
from ..shaping import concatenate, moveaxis, stack
from .affine import FILL_MODES, affine_transform
from .resizing import KERNELS
from .shared import as_pixels


def map_coordinates(
    inputs: Any, coordinates: Any, order: int, fill_mode: str = "constant", fill_value: float = 0
) -> Tensor:
    """y[...] = inputs at the place (coordinates[0, ...], coordinates[1, ...], ...), one number for each of its axes

    order: 0 takes the nearest element, 1 interpolates between those around. What lies outside is, by `fill_mode`, as in
    `affine_transform`: "constant" fill_value, "nearest", "wrap", "mirror" or "reflect". Differentiable by the inputs
    and, with order 1, by the coordinates.

    >>> map_coordinates([[1.0, 2.0], [3.0, 4.0]], [[0.5, 1.0], [0.5, 0.0]], order=1)
    Tensor([2.5, 3. ], shape=(2,), dtype=float32)
    """
    x, places = as_tensor(inputs), as_tensor(coordinates)
    one_of("map_coordinates: fill_mode", fill_mode, *FILL_MODES)
    one_of("map_coordinates: order", order, 0, 1)
    if places.ndim < 2 or places.shape[0] != x.ndim:
        raise ValueError(f"map_coordinates: coordinates: got shape {places.shape}, expected ({x.ndim}, ...)")
    wide = x.dtype if is_float(x.dtype) else config.floatx()
    places = cast(places, dtype=places.dtype if is_float(places.dtype) else config.floatx())
    flat, corners = reshape(cast(x, dtype=wide), (-1,)), []
    for axis, n in enumerate(x.shape):
        place = places[axis]
        low = floor(place)
        shares = [(low, 1 - (place - low)), (low + 1, place - low)]
        if order == 0:
            shares = [(sign(place) * floor(abs(place) + 0.5), None)]  # halves away from 0
        stride = math.prod(x.shape[axis + 1 :])
        corners.append([_along_axis(cast(i, dtype="int32"), share, n, stride, fill_mode) for i, share in shares])
    parts = []
    for corner in itertools.product(*corners):
        index, inside, share = corner[0]
        for other in corner[1:]:
            index, inside = index + other[0], logical_and(inside, other[1])
            share = share if share is None else share * other[2]
        y = gather(flat, index)
        y = where(inside, y, fill_value) if fill_mode == "constant" else y
        parts.append(y if share is None else y * share)
    return as_pixels(functools.reduce(add, parts), x.dtype)


def _along_axis(i: Tensor, share: Any, n: int, stride: int, fill_mode: str) -> tuple[Tensor, Tensor, Any]:
    """(place among all elements, whether it is one of these, what it counts for)"""
    return FILL_MODES[fill_mode](i, n) * stride, logical_and(i >= 0, i < n), share


def perspective_transform(
    images: Any,
    start_points: Any,
    end_points: Any,
    interpolation: str = "bilinear",
    fill_value: float = 0,
    data_format: str | None = None,
) -> Tensor:
    """y = the images seen so that four points, start_points, come to lie at the end_points

    Points are (4, 2), or (n, 4, 2) for n images: column, row. The rest is `affine_transform` by the projective map of
    which this is true: interpolation "bilinear" or "nearest", fill_value outside of the image.
    """
    start, end = (cast(as_tensor(points), dtype=config.floatx()) for points in (start_points, end_points))
    for name, points in (("start_points", start), ("end_points", end)):
        shape = points.shape
        expect(f"perspective_transform: {name}", shape, shape[-2:] == (4, 2) and len(shape) < 4, "(4, 2) or (n, 4, 2)")
    transform = homography(start, end)
    if as_tensor(images).ndim == 3 and transform.shape[:-1] == (1,):
        transform = transform[0]
    return affine_transform(images, transform, interpolation, "constant", fill_value, data_format)


def homography(start: Tensor, end: Tensor) -> Tensor:
    """The transform, as of `affine_transform`, that brings four points (..., 4, 2) from start to end: (..., 8)"""
    (x, y), (u, v) = (moveaxis(points, -1, 0) for points in (start, end))
    one, zero = 0 * u + 1, 0 * u
    rows = [
        stack([u, v, one, zero, zero, zero, -x * u, -x * v], axis=-1),
        stack([zero, zero, zero, u, v, one, -y * u, -y * v], axis=-1),
    ]
    return solve(concatenate(rows, axis=-2), concatenate([x, y], axis=-1))


_METHODS = {
    **dict.fromkeys(("linear", "bilinear", "trilinear", "triangle"), "bilinear"),
    **dict.fromkeys(("cubic", "bicubic", "tricubic"), "bicubic"),
    "lanczos3": "lanczos3",
    "lanczos5": "lanczos5",
}


def scale_and_translate(
    images: Any,
    output_shape: Sequence[int],
    scale: Any,
    translation: Any,
    spatial_dims: Sequence[int],
    method: str,
    antialias: bool = True,
) -> Tensor:
    """y at place p of an axis = images at (p - translation) / scale, as `resize` interpolates, and 0 outside of them

    output_shape: of y. scale, translation: a number for each of the axes spatial_dims; they must have values. method:
    "linear", "cubic", "lanczos3" or "lanczos5" ("bilinear", "trilinear", "triangle", "bicubic", "tricubic" are the
    first two). antialias: kernels span what an output pixel covers.
    """
    y = as_tensor(images)
    one_of("scale_and_translate: method", method, *_METHODS)
    kernel = KERNELS[_METHODS[method]]
    wide = y.dtype if is_float(y.dtype) else config.floatx()
    factors, shifts = (np.asarray(as_tensor(v), "float64").reshape(-1) for v in (scale, translation))
    for axis, factor, shift in zip(spatial_dims, factors, shifts, strict=True):
        n = y.shape[axis]
        centres = (np.arange(output_shape[axis]) + 0.5 - shift) / factor - 0.5
        distance = np.abs(centres[:, None] - np.arange(n)) / (max(1 / factor, 1.0) if antialias else 1.0)
        weights = kernel(distance)
        total = weights.sum(axis=1, keepdims=True)
        inside = (np.abs(total) > 1000 * np.finfo("float32").eps) & ((centres >= -0.5) & (centres <= n - 0.5))[:, None]
        weights = np.where(inside, weights / np.where(total == 0, 1, total), 0).astype(wide)
        y = moveaxis(tensordot(cast(y, dtype=wide), weights, [[axis], [1]]), -1, axis)
    return y
