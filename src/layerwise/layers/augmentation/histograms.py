"""Layers that make the values of pixels equally frequent, in the whole image or around each place."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from ... import ops
from ...autograd import Tensor
from ...ops.convolution import one_for_each_axis
from .base import Drawn, ImageLayer, checked_range, rescaled


class Equalization(ImageLayer):
    """y = x with values, in each channel of the batch, about equally frequent

    A value becomes 255 times the part of the pixels with no more than it, without those of the least value, rounded.

    Args:
        value_range: what values pixels have: (minimum, maximum).
        bins: how many values are told apart.

    >>> from layerwise import layers
    >>> layers.Equalization()([[[10.0], [11.0], [12.0]]])[..., 0]
    Tensor([[  0., 128., 255.]], shape=(1, 3), dtype=float32)
    """

    acts_always = False

    def __init__(
        self, value_range: Sequence[float] = (0, 255), bins: int = 256, data_format: str | None = None, **kwargs: Any
    ) -> None:
        super().__init__(data_format, **kwargs)
        self.value_range, self.bins = checked_range("Equalization", value_range), bins

    def augment(self, x: Tensor, drawn: Drawn) -> Tensor:
        channels = x.shape[-1]
        values = rescaled(x, self.value_range, (0, 255))
        bins = ops.cast(ops.clip(values * ((self.bins - 1) / 255), 0, self.bins - 1), "int32")
        bins = bins + np.arange(channels, dtype="int32") * self.bins
        counts = ops.segment_sum(ops.ones((bins.size,), "float32"), ops.reshape(bins, (-1,)), channels * self.bins)
        counts = ops.reshape(counts, (channels, self.bins))
        below = ops.cumsum(counts, axis=1)
        least = ops.min(ops.where(below > 0, below, np.inf), axis=1, keepdims=True)
        rest = below[:, -1:] - least
        table = ops.round(255 * ops.maximum(below - least, 0) / ops.where(rest > 0, rest, 1))
        equal = ops.cast(ops.take(ops.reshape(table, (-1,)), bins), x.dtype)
        several = ops.reshape(ops.count_nonzero(counts, axis=1) > 1, (1, 1, 1, channels))
        return rescaled(ops.where(several, equal, values), (0, 255), self.value_range)


class ContrastLimitedAdaptiveHistogramEqualization(ImageLayer):
    """y = x with values about equally frequent around each place, where that does not enlarge contrasts too much

    The image is cut into tiles; in each a value becomes 255 times the part of its pixels with no more than it, counts
    of values over a limit being shared among all values before. Between the middles of four tiles their results are
    interpolated. (Zuiderveld 1994)

    Args:
        value_range: what values pixels have: (minimum, maximum).
        clip_limit: how many times the mean count a value may have; 0: any.
        tile_grid_size: how many tiles, down and across.

    >>> from layerwise import layers, ops
    >>> layers.ContrastLimitedAdaptiveHistogramEqualization(tile_grid_size=(2, 2))(ops.ones((1, 8, 8, 3))).shape
    (1, 8, 8, 3)
    """

    def __init__(
        self,
        value_range: Sequence[float] = (0, 255),
        clip_limit: float = 4.0,
        tile_grid_size: Sequence[int] = (8, 8),
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(data_format, **kwargs)
        kind = type(self).__name__
        self.value_range, self.clip_limit = checked_range(kind, value_range), clip_limit
        self.tile_grid_size = one_for_each_axis(tile_grid_size, 2, f"{kind}: tile_grid_size")

    def augment(self, x: Tensor, drawn: Drawn) -> Tensor:
        (n, height, width, channels), (rows, columns) = x.shape, self.tile_grid_size
        if rows > height or columns > width:
            raise ValueError(
                f"layer {self.name!r}: tile_grid_size: got {self.tile_grid_size} for pictures of {height} x {width} "
                "pixels, expected a pixel at least for each tile"
            )
        tall, wide = -(-height // rows), -(-width // columns)  # a tile
        down, right = (_mirrored(m, size * k) for m, size, k in ((height, tall, rows), (width, wide, columns)))
        pixels = ops.clip(rescaled(x, self.value_range, (0, 255)), 0, 255)
        values = ops.cast(ops.take(ops.take(pixels, down, axis=1), right, axis=2), "int32")

        def place(row: np.ndarray, column: np.ndarray, grid: tuple[int, int]) -> Tensor:
            """Where in a table (images, grid..., channels, 256) the entry for each pixel's value is."""
            image, channel = ops.reshape(ops.arange(n), (-1, 1, 1, 1)), np.arange(channels, dtype="int32")
            tile = (image * grid[0] + row[:, None, None]) * grid[1] + column[:, None]
            return (tile * channels + channel) * 256 + values

        row, column = (np.arange(size * k, dtype="int32") // size for size, k in ((tall, rows), (wide, columns)))
        tile = ops.reshape(place(row, column, (rows, columns)), (-1,))
        counts = ops.segment_sum(ops.ones((tile.size,), "float32"), tile, n * rows * columns * channels * 256)
        table = self._table(ops.reshape(counts, (n, rows, columns, channels, 256)), tall * wide)
        (up, low, y), (left, far, z) = (_between(size, k) for size, k in ((tall, rows), (wide, columns)))
        flat = ops.reshape(table, (-1,))
        corners = [[ops.take(flat, place(r, c, (rows, columns))) for c in (left, far)] for r in (up, low)]
        upper, lower = (a * (1 - z[:, None]) + b * z[:, None] for a, b in corners)
        result = upper * (1 - y[:, None, None]) + lower * y[:, None, None]
        return ops.cast(rescaled(result[:, :height, :width], (0, 255), self.value_range), x.dtype)

    def _table(self, counts: Tensor, pixels: int) -> Tensor:
        """What each value becomes, from how many of a tile's pixels have it."""
        if self.clip_limit > 0:
            kept = ops.minimum(counts, self.clip_limit * pixels / 256)
            counts = kept + ops.sum(counts - kept, axis=-1, keepdims=True) / 256
        below = ops.cumsum(counts, axis=-1)
        least = below[..., :1]
        rest = pixels - least
        return ops.clip((below - least) * 255 / ops.where(rest == 0, 1, rest), 0, 255)


def _mirrored(n: int, length: int) -> np.ndarray:
    """Places 0 ... n - 1, n - 1, n - 2, ...: `length` of them."""
    places = np.arange(length, dtype="int32") % (2 * n)
    return np.minimum(places, 2 * n - 1 - places)


def _between(size: int, tiles: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """For each position: the tiles with middles before and behind it, and how near it is to the latter."""
    place = (np.arange(size * tiles) - size / 2) / size
    before = np.floor(place)
    tile = (np.clip(before + i, 0, tiles - 1).astype("int32") for i in (0, 1))
    return (*tile, (place - before).astype("float32"))
