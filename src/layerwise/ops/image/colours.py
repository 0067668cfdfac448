"""Colours."""

from typing import Any

import numpy as np

from ... import config
from ...autograd import Tensor, as_tensor
from ...dtypes import is_float
from ..linear import einsum
from ..shaping import expand_dims
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
