"""Colours."""

from typing import Any

import numpy as np

from ... import config
from ...autograd import Tensor, as_tensor, cast
from ...dtypes import is_float
from ..arithmetic import abs, mod
from ..comparison import clip, maximum, minimum, where
from ..linear import einsum
from ..shaping import expand_dims, stack, unstack
from .shared import images_and_order


def rgb_to_grayscale(images: Any, data_format: str | None = None) -> Tensor:
    """y = 0.2989 red + 0.587 green + 0.114 blue, with one channel left (ITU-R BT.601)

    >>> rgb_to_grayscale([[[1.0, 1.0, 0.0]]])
    Tensor([[[0.8859]]], shape=(1, 1, 1), dtype=float32)
    """
    x, first = images_and_order("rgb_to_grayscale", images, data_format)
    axis = -3 if first else -1
    if x.shape[axis] not in (3, None):
        raise ValueError(f"rgb_to_grayscale: got {x.shape[axis]} channels in shape {x.shape}, expected 3")
    wide = x.dtype if is_float(x.dtype) else config.floatx()
    weights = as_tensor(np.array([0.2989, 0.5870, 0.1140]), wide)
    grey = einsum("...cij,c->...ij" if first else "...c,c->...", as_tensor(x, wide), weights)
    return as_tensor(expand_dims(grey, axis), x.dtype)


def _planes(name: str, images: Any, data_format: str | None) -> tuple[list[Tensor], int]:
    """The three channels of images that hold fractions, and along which axis they lay."""
    x, first = images_and_order(name, images, data_format)
    axis = -3 if first else -1
    if not is_float(x.dtype) or x.shape[axis] != 3:
        raise ValueError(f"{name}: images: got {x.dtype} {x.shape}, expected fractions, and 3 channels")
    return unstack(x, axis=axis), axis


def rgb_to_hsv(images: Any, data_format: str | None = None) -> Tensor:
    """(hue, saturation, value) of red, green and blue, all between 0 and 1

    value = max, saturation = (max - min) / max, hue = a sixth of (green - blue) / (max - min) where red is the largest,
    plus 1/3 and 2/3 where green and blue are, in turn.

    >>> rgb_to_hsv([[[0.0, 1.0, 0.0]]]).numpy().round(3)
    array([[[0.333, 1.   , 1.   ]]], dtype=float32)
    """
    (red, green, blue), axis = _planes("rgb_to_hsv", images, data_format)
    value = maximum(maximum(red, green), blue)
    span = value - minimum(minimum(red, green), blue)
    grey = span <= 0
    sixth = 1 / (6 * where(grey, 1, span))
    hue = where(green >= blue, sixth * (blue - red) + 2 / 6, sixth * (red - green) + 4 / 6)
    hue = where((red >= green) & (red >= blue), sixth * (green - blue), hue)
    hue = where(grey, 0, hue) + cast(hue < 0, dtype=hue.dtype)
    saturation = where(value > 0, span / where(value > 0, value, 1), 0)
    return stack([hue, saturation, value], axis=axis)


def hsv_to_rgb(images: Any, data_format: str | None = None) -> Tensor:
    """(red, green, blue) of hue, saturation and value: what `rgb_to_hsv` gives them for

    >>> hsv_to_rgb([[[0.5, 1.0, 1.0]]])
    Tensor([[[0., 1., 1.]]], shape=(1, 1, 3), dtype=float32)
    """
    (hue, saturation, value), axis = _planes("hsv_to_rgb", images, data_format)
    turn = mod(hue, 1.0) * 6
    parts = [abs(turn - 3) - 1, 2 - abs(turn - 2), 2 - abs(turn - 4)]
    return stack([value * (1 - saturation + saturation * clip(part, 0, 1)) for part in parts], axis=axis)
