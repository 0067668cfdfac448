"""What all operations on images share."""

from typing import Any

import numpy as np

from ... import config
from ...autograd import Tensor, as_tensor, cast
from ...dtypes import is_float
from ..arithmetic import round
from ..comparison import clip
from ..shaping import pad


def images_and_order(name: str, images: Any, data_format: str | None) -> tuple[Tensor, bool]:
    """The images as a Tensor, and whether their channels come first."""
    data_format = config.checked_data_format(data_format, f"{name}: data_format")
    x = as_tensor(images)
    if x.ndim not in (3, 4):
        raise ValueError(
            f"{name}: images: got shape {x.shape}, expected (height, width, channels) or a batch of such images"
        )
    return x, data_format == "channels_first"


def height_and_width(name: str, x: Tensor, first: bool) -> tuple[int, int]:
    if None in x.shape[-3:]:
        raise ValueError(f"{name}: images: got shape {x.shape}, expected known height, width and channels")
    return x.shape[-2:] if first else x.shape[-3:-1]  # type: ignore[return-value]


def checked_size(name: str, size: Any) -> tuple[int, int]:
    sizes = tuple(size) if isinstance(size, list | tuple) else (size,)
    if len(sizes) != 2 or not all(isinstance(n, int | np.integer) and n >= 1 for n in sizes):
        raise ValueError(f"{name}: size: got {size!r}, expected (height, width), two whole numbers >= 1")
    return int(sizes[0]), int(sizes[1])


def as_pixels(y: Tensor, dtype: str) -> Tensor:
    """`y` in the images' dtype: rounded and clipped where it holds whole numbers."""
    if is_float(dtype):
        return y
    limits = np.iinfo(dtype)
    return cast(clip(round(y), float(limits.min), float(limits.max)), dtype=dtype)


def padded(x: Tensor, widths: tuple[tuple[int, int], tuple[int, int]], first: bool, value: float) -> Tensor:
    others = ((0, 0),) * (x.ndim - 3)
    return pad(x, (*others, (0, 0), *widths) if first else (*others, *widths, (0, 0)), constant_values=value)
