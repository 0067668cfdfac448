"""Random changes of images, in training only, so that a model sees more than the data holds.

Each image of a batch is changed in its own way. With `training=False`, as in `evaluate` and `predict`, images pass
unchanged. The numbers drawn come from the layer's own generator, whose state is saved with the model.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import ops, random
from ..autograd import Tensor, as_tensor
from ..naming import one_of
from ..ops.convolution import one_for_each_axis
from .preprocessing import ImageLayer, center_crop

Factor = float | Sequence[float]


class Augmentation(ImageLayer):
    """The common part: `augment` changes a batch of images with channels last.

    Args:
        seed: what the numbers drawn begin with; None: drawn itself.
    """

    def __init__(self, seed: int | None = None, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(data_format, **kwargs)
        self.seed = seed
        self.generator = random.SeedGenerator(seed)

    def call(self, data: Tensor, training: bool | None = True) -> Tensor:
        data = as_tensor(data, self.compute_dtype)
        if not training:
            return self.unchanged(data)
        first = self.data_format == "channels_first"
        batch = data if data.ndim == 4 else ops.expand_dims(data, 0)
        batch = self.augment(ops.moveaxis(batch, 1, -1) if first else batch)
        batch = ops.moveaxis(batch, -1, 1) if first else batch
        return batch if data.ndim == 4 else ops.squeeze(batch, 0)

    def augment(self, x: Tensor) -> Tensor:
        """The images changed."""
        raise NotImplementedError(f"{type(self).__name__}: define augment(self, x)")

    def unchanged(self, x: Tensor) -> Tensor:
        """The images when not training."""
        return x

    def draw(self, x: Tensor, bounds: tuple[float, float]) -> Tensor:
        """A number between `bounds` for each image of the batch: (N, 1, 1, 1)."""
        return random.uniform((x.shape[0], 1, 1, 1), *bounds, dtype=x.dtype, seed=self.generator)


class RandomFlip(Augmentation, options_of=Augmentation):
    """y = x mirrored, with probability 1/2

    mode: "horizontal" (left to right), "vertical" (top to bottom) or "horizontal_and_vertical": both at once, as in
    Keras, which turns the image by half a circle; for independent flips use two layers.

    >>> from layerwise import layers
    >>> sorted({float(layers.RandomFlip("horizontal", seed=s)([[[1.0], [2.0]]])[0, 0, 0]) for s in range(9)})
    [1.0, 2.0]
    """

    def __init__(self, mode: str = "horizontal_and_vertical", **options: Any) -> None:
        super().__init__(**options)
        self.mode = one_of("RandomFlip: mode", mode, "horizontal", "vertical", "horizontal_and_vertical")

    def augment(self, x: Tensor) -> Tensor:
        axes = tuple(axis for axis, word in ((1, "vertical"), (2, "horizontal")) if word in self.mode)
        chosen = random.bernoulli(0.5, (x.shape[0], 1, 1, 1), self.generator)
        return ops.where(chosen, ops.flip(x, axis=axes), x)


class Affine(Augmentation):
    """The common part of layers that move pixels: y[place] = x[matrix place], see `ops.image.affine_transform`.

    Args:
        fill_mode, fill_value: what comes in from outside: "reflect", "constant", "wrap", "nearest" or "mirror".
        interpolation: between pixels: "nearest" or "bilinear".
    """

    def __init__(
        self,
        fill_mode: str = "reflect",
        interpolation: str = "bilinear",
        seed: int | None = None,
        fill_value: float = 0.0,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(seed, data_format, **kwargs)
        kind = type(self).__name__
        self.fill_mode = one_of(f"{kind}: fill_mode", fill_mode, *ops.image.FILL_MODES)
        self.interpolation = one_of(f"{kind}: interpolation", interpolation, "nearest", "bilinear")
        self.fill_value = fill_value

    def transformed(self, x: Tensor, *rows: Any) -> Tensor:
        """The images seen through a0, a1, a2, b0, b1, b2, each a number or one for each image."""
        zero = ops.zeros((x.shape[0], 1), x.dtype)
        table = [ops.reshape(r, (-1, 1)) if isinstance(r, Tensor) else zero + r for r in (*rows, 0.0, 0.0)]
        return ops.image.affine_transform(
            x, ops.concatenate(table, axis=1), self.interpolation, self.fill_mode, self.fill_value, "channels_last"
        )


class RandomRotation(Affine, options_of=Affine):
    """y = x turned about its centre by an angle uniform on 2 pi [lower, upper], counter-clockwise

    factor: (lower, upper) as fractions of a full turn, or one number for (-factor, factor). What comes in from outside
    is chosen by `fill_mode` ("reflect", "constant", "wrap", "nearest", "mirror") and `fill_value`.

    >>> from layerwise import layers
    >>> layers.RandomRotation((0.25, 0.25))([[[1.0], [2.0]], [[3.0], [4.0]]])[..., 0].numpy().round(3)
    array([[2., 4.],
           [1., 3.]], dtype=float32)
    """

    def __init__(self, factor: Factor, **options: Any) -> None:
        super().__init__(**options)
        self.factor = _bounds("RandomRotation: factor", factor)

    def augment(self, x: Tensor) -> Tensor:
        angle = self.draw(x, self.factor) * (2 * math.pi)
        cos, sin = ops.cos(angle), ops.sin(angle)
        bottom, right = (n - 1 for n in x.shape[1:3])
        from_left = (right - (cos * right - sin * bottom)) / 2
        from_top = (bottom - (sin * right + cos * bottom)) / 2
        return self.transformed(x, cos, -sin, from_left, sin, cos, from_top)


class RandomTranslation(Affine, options_of=Affine):
    """y = x moved down by a part of its height and to the right by a part of its width

    height_factor, width_factor: (lower, upper), from -1 to 1, or one number for (-factor, factor).

    >>> from layerwise import layers
    >>> layers.RandomTranslation(0, (0.5, 0.5), fill_mode="constant")([[[1.0], [2.0]]])[..., 0]
    Tensor([[0., 1.]], shape=(1, 2), dtype=float32)
    """

    def __init__(self, height_factor: Factor, width_factor: Factor, **options: Any) -> None:
        super().__init__(**options)
        self.height_factor, self.width_factor = height_factor, width_factor
        self.height_bounds = _bounds("RandomTranslation: height_factor", height_factor)
        self.width_bounds = _bounds("RandomTranslation: width_factor", width_factor)

    def augment(self, x: Tensor) -> Tensor:
        height, width = x.shape[1:3]
        down, right = self.draw(x, self.height_bounds) * height, self.draw(x, self.width_bounds) * width
        return self.transformed(x, 1.0, 0.0, -right, 0.0, 1.0, -down)


class RandomZoom(Affine, options_of=Affine):
    """y = x shrunk (factors > 0) or enlarged (factors < 0) about its centre, by 1 + factor

    height_factor, width_factor: (lower, upper), above -1 and up to 1, or one number for (-factor, factor); without
    `width_factor` the width changes as the height does.

    >>> from layerwise import layers
    >>> layers.RandomZoom((-0.5, -0.5))([[[0.0], [4.0], [8.0]]])[..., 0]
    Tensor([[2., 4., 6.]], shape=(1, 3), dtype=float32)
    """

    def __init__(self, height_factor: Factor, width_factor: Factor | None = None, **options: Any) -> None:
        super().__init__(**options)
        self.height_factor, self.width_factor = height_factor, width_factor
        self.height_bounds = _bounds("RandomZoom: height_factor", height_factor)
        self.width_bounds = None if width_factor is None else _bounds("RandomZoom: width_factor", width_factor)
        if -1 in (self.height_bounds[0], (self.width_bounds or self.height_bounds)[0]):
            raise ValueError("RandomZoom: got a factor of -1, which enlarges one point to an image; expected more")

    def augment(self, x: Tensor) -> Tensor:
        height = 1 + self.draw(x, self.height_bounds)
        width = height if self.width_bounds is None else 1 + self.draw(x, self.width_bounds)
        bottom, right = (n - 1 for n in x.shape[1:3])
        return self.transformed(x, width, 0.0, (1 - width) * (right / 2), 0.0, height, (1 - height) * (bottom / 2))


class RandomCrop(Augmentation, options_of=Augmentation):
    """y = a part of each image, of the given height and width, from a random place

    A side that is shorter than asked for is kept as it is, and resized. When not training the part is the middle one,
    as in `CenterCrop`, so that what follows meets the same shape.

    >>> from layerwise import layers, ops
    >>> layers.RandomCrop(2, 3)(ops.zeros((5, 8, 8, 1))).shape
    (5, 2, 3, 1)
    """

    def __init__(self, height: int, width: int, **options: Any) -> None:
        super().__init__(**options)
        self.height, self.width = one_for_each_axis((height, width), 2, "RandomCrop: (height, width)")

    def augment(self, x: Tensor) -> Tensor:
        n, h, w, _ = x.shape
        height, width = min(h, self.height), min(w, self.width)
        top = random.randint((n, 1, 1), 0, h - height + 1, seed=self.generator)
        left = random.randint((n, 1, 1), 0, w - width + 1, seed=self.generator)
        image = ops.reshape(ops.arange(n), (-1, 1, 1))
        row = top + ops.reshape(ops.arange(height), (1, -1, 1))
        column = left + ops.reshape(ops.arange(width), (1, 1, -1))
        x = ops.take(ops.reshape(x, (n * h * w, -1)), (image * h + row) * w + column, axis=0)
        same = (height, width) == (self.height, self.width)
        return x if same else ops.image.resize(x, (self.height, self.width), data_format="channels_last")

    def unchanged(self, x: Tensor) -> Tensor:
        return center_crop(x, self.height, self.width, self.data_format)


class Intensity(Augmentation, options_of=Augmentation):
    """The common part of layers that change the values of pixels by a factor of their own, within `value_range`."""

    least = -1  # that the factor may be

    def __init__(self, factor: Factor, value_range: Sequence[float] = (0, 255), **options: Any) -> None:
        super().__init__(**options)
        kind = type(self).__name__
        self.factor = _bounds(f"{kind}: factor", factor, self.least)
        self.value_range = _value_range(kind, value_range)


class RandomContrast(Intensity):
    """y = mean + (x - mean) f, with each channel's mean and f uniform on [1 - lower, 1 + upper], within `value_range`

    factor: (lower, upper), from 0 to 1, or one number for (0, factor).

    >>> from layerwise import layers
    >>> layers.RandomContrast(0.0)([[[100.0], [140.0]]])[..., 0]
    Tensor([[100., 140.]], shape=(1, 2), dtype=float32)
    """

    least = 0

    def augment(self, x: Tensor) -> Tensor:
        lower, upper = self.factor
        mean = ops.mean(x, axis=(1, 2), keepdims=True)
        return ops.clip(mean + (x - mean) * self.draw(x, (1 - lower, 1 + upper)), *self.value_range)


class RandomBrightness(Intensity):
    """y = x + f (maximum - minimum), f uniform on [lower, upper], within `value_range`, which is (minimum, maximum)

    factor: (lower, upper), from -1 to 1, or one number for (-factor, factor).

    >>> from layerwise import layers
    >>> layers.RandomBrightness((0.5, 0.5), value_range=(0, 1))([[[0.2], [0.9]]])[..., 0]
    Tensor([[0.7, 1. ]], shape=(1, 2), dtype=float32)
    """

    def augment(self, x: Tensor) -> Tensor:
        low, high = self.value_range
        return ops.clip(x + self.draw(x, self.factor) * (high - low), low, high)


def _bounds(name: str, factor: Any, least: float = -1) -> tuple[float, float]:
    """(lower, upper) from a pair, or from one number as (-factor, factor) or, where least is 0, (0, factor)."""
    if _is_number(factor):
        factor = (-abs(factor), abs(factor)) if least else (0, factor)
    if not isinstance(factor, list | tuple) or len(factor) != 2:
        raise ValueError(f"{name}: got {factor!r}, expected a number or (lower, upper)")
    if not all(_is_number(f) and least <= f <= 1 for f in factor):
        raise ValueError(f"{name}: got {factor!r}, expected numbers from {least} to 1")
    return min(factor), max(factor)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | np.number) and not isinstance(value, bool)


def _value_range(kind: str, value: Any) -> tuple[float, float]:
    pair = isinstance(value, list | tuple) and len(value) == 2 and all(map(_is_number, value))
    if not pair or value[0] >= value[1]:
        raise ValueError(f"{kind}: value_range: got {value!r}, expected (minimum, maximum)")
    return tuple(value)
