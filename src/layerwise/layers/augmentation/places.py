"""Layers that show pixels in other places: mirrored, turned, moved, enlarged, sheared, tilted, stirred."""

import math
from typing import Any

import numpy as np

from ... import ops, random
from ...autograd import Tensor
from ...naming import one_of
from ...ops.image.affine import sampled
from ...ops.image.sampling import homography
from .base import Augmentation, Drawn, Factor, Moving, checked_bounds, checked_range
from .boxes import warped


class RandomFlip(Moving, Augmentation, options_of=Augmentation):
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

    def draw(self, x: Tensor) -> Drawn:
        return {"flips": random.bernoulli(0.5, (x.shape[0], 1, 1, 1), self.generator)}

    def seen(self, x: Tensor, drawn: Drawn, interpolation: str) -> Tensor:
        axes = tuple(axis for axis, word in ((1, "vertical"), (2, "horizontal")) if word in self.mode)
        return ops.where(drawn["flips"], ops.flip(x, axis=axes), x)

    def move_boxes(self, corners: Tensor, drawn: Drawn) -> Tensor:
        left, top, right, bottom = (corners[..., i] for i in range(4))
        height, width = drawn["size"]
        left, right = (width - right, width - left) if "horizontal" in self.mode else (left, right)
        top, bottom = (height - bottom, height - top) if "vertical" in self.mode else (top, bottom)
        mirrored = ops.stack([left, top, right, bottom], axis=-1)
        return ops.where(ops.squeeze(drawn["flips"], -1), mirrored, corners)


class Affine(Moving, Augmentation):
    """The common part of layers whose images are y[place] = x[matrix place], see `ops.image.affine_transform`.

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

    def rows(self, x: Tensor) -> tuple[Any, ...]:
        """a0, a1, a2, b0, b1, b2 of the transform, each a number or one for each image."""
        raise NotImplementedError(f"{type(self).__name__}: define rows(self, x)")

    def draw(self, x: Tensor) -> Drawn:
        zero = ops.zeros((x.shape[0], 1), x.dtype)
        table = [ops.reshape(r, (-1, 1)) if isinstance(r, Tensor) else zero + r for r in (*self.rows(x), 0.0, 0.0)]
        return {"transform": ops.concatenate(table, axis=1)}

    def seen(self, x: Tensor, drawn: Drawn, interpolation: str) -> Tensor:
        return ops.image.affine_transform(
            x, drawn["transform"], interpolation, self.fill_mode, self.fill_value, "channels_last"
        )

    def move_boxes(self, corners: Tensor, drawn: Drawn) -> Tensor:
        return warped(corners, drawn["transform"])


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
        self.factor = checked_bounds("RandomRotation: factor", factor)

    def rows(self, x: Tensor) -> tuple[Any, ...]:
        angle = self.number(x, self.factor) * (2 * math.pi)
        cos, sin = ops.cos(angle), ops.sin(angle)
        bottom, right = (n - 1 for n in x.shape[1:3])
        from_left = (right - (cos * right - sin * bottom)) / 2
        from_top = (bottom - (sin * right + cos * bottom)) / 2
        return cos, -sin, from_left, sin, cos, from_top


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
        self.height_bounds = checked_bounds("RandomTranslation: height_factor", height_factor)
        self.width_bounds = checked_bounds("RandomTranslation: width_factor", width_factor)

    def rows(self, x: Tensor) -> tuple[Any, ...]:
        height, width = x.shape[1:3]
        down, right = self.number(x, self.height_bounds) * height, self.number(x, self.width_bounds) * width
        return 1.0, 0.0, -right, 0.0, 1.0, -down


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
        self.height_bounds = checked_bounds("RandomZoom: height_factor", height_factor)
        self.width_bounds = None if width_factor is None else checked_bounds("RandomZoom: width_factor", width_factor)
        if -1 in (self.height_bounds[0], (self.width_bounds or self.height_bounds)[0]):
            raise ValueError("RandomZoom: got a factor of -1, which enlarges one point to an image; expected more")

    def rows(self, x: Tensor) -> tuple[Any, ...]:
        height = 1 + self.number(x, self.height_bounds)
        width = height if self.width_bounds is None else 1 + self.number(x, self.width_bounds)
        bottom, right = (n - 1 for n in x.shape[1:3])
        return width, 0.0, (1 - width) * (right / 2), 0.0, height, (1 - height) * (bottom / 2)


class RandomShear(Affine):
    """y = x with rows moved to the side in proportion to how low they are, and columns in proportion to how far right

    Args:
        x_factor: (lower, upper), from 0 to 1: how far a row is moved for each row above it; or one number, for
            (-x_factor, x_factor). The direction is left or right, up or down, with probability 1/2.
        y_factor: likewise for columns.

    >>> from layerwise import layers
    >>> x = [[[1.0], [2.0]], [[3.0], [4.0]]]
    >>> sorted(layers.RandomShear((1.0, 1.0), fill_mode="constant", seed=1)(x)[1, :, 0].numpy().tolist())
    [0.0, 4.0]
    """

    def __init__(
        self,
        x_factor: Factor = 0.0,
        y_factor: Factor = 0.0,
        interpolation: str = "bilinear",
        fill_mode: str = "reflect",
        fill_value: float = 0.0,
        data_format: str | None = None,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(fill_mode, interpolation, seed, fill_value, data_format, **kwargs)
        self.x_factor = _shear("RandomShear: x_factor", x_factor)
        self.y_factor = _shear("RandomShear: y_factor", y_factor)

    def rows(self, x: Tensor) -> tuple[Any, ...]:
        sign = ops.sign(self.number(x, (-1.0, 1.0)))
        return 1.0, self.number(x, self.x_factor) * sign, 0.0, self.number(x, self.y_factor) * sign, 1.0, 0.0


def _shear(name: str, factor: Any) -> tuple[float, float]:
    low, high = checked_bounds(name, factor)
    if isinstance(factor, list | tuple) and low < 0 and low != -high:
        raise ValueError(f"{name}: got {factor!r}, expected numbers from 0 to 1")
    return low, high


class RandomPerspective(Affine):
    """y = x as it looks from another place: each corner moves, with a probability between the bounds in `factor`

    Args:
        factor: the probability, from 0 to 1: (lower, upper), or one number for (0, factor).
        scale: how far corners may move, as a part of the image's size, from 0 to 1.

    >>> from layerwise import layers, ops
    >>> layers.RandomPerspective(1.0, 0.5, seed=1)(ops.ones((4, 8, 8, 3))).shape
    (4, 8, 8, 3)
    """

    def __init__(
        self,
        factor: Factor = 1.0,
        scale: float = 1.0,
        interpolation: str = "bilinear",
        fill_value: float = 0.0,
        seed: int | None = None,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__("constant", interpolation, seed, fill_value, data_format, **kwargs)
        self.factor = checked_bounds("RandomPerspective: factor", factor, 0)
        self.scale = checked_bounds("RandomPerspective: scale", scale, 0)[1]

    def draw(self, x: Tensor) -> Drawn:
        bottom, right = (n - 1 for n in x.shape[1:3])
        start = np.array([[0, 0], [right, 0], [0, bottom], [right, bottom]], x.dtype)
        moves = random.uniform((x.shape[0], 4, 2), -0.5 * self.scale, 0.5 * self.scale, x.dtype, self.generator)
        transform = homography(ops.broadcast_to(start, (x.shape[0], 4, 2)), start + start * moves)
        same = np.array([1, 0, 0, 0, 1, 0, 0, 0], x.dtype)
        return {"transform": ops.where(ops.reshape(self.chosen(x, self.factor), (-1, 1)), transform, same)}


class RandomElasticTransform(Moving, Augmentation):
    """y = x with pixels moved a little, near ones alike, with a probability between the bounds in `factor`

    The distances are normal and blurred with a deviation of 0.05 s min(height, width), times 0.1 s max(height, width),
    s uniform between the bounds in `scale`. (Simard, Steinkraus & Platt 2003)

    Args:
        factor: the probability, from 0 to 1: (lower, upper), or one number for (0, factor).
        scale: how much is moved, likewise.
        interpolation: between pixels: "nearest" or "bilinear".
        fill_mode, fill_value: what comes in from outside: "reflect", "constant", "wrap", "nearest" or "mirror".
        value_range: what values pixels have: (minimum, maximum).

    >>> from layerwise import layers, ops
    >>> layers.RandomElasticTransform(seed=1)(ops.ones((4, 8, 8, 3))).shape
    (4, 8, 8, 3)
    """

    def __init__(
        self,
        factor: Factor = 1.0,
        scale: Factor = 1.0,
        interpolation: str = "bilinear",
        fill_mode: str = "reflect",
        fill_value: float = 0.0,
        value_range: tuple[float, float] = (0, 255),
        seed: int | None = None,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(seed, data_format, **kwargs)
        self.factor = checked_bounds("RandomElasticTransform: factor", factor, 0)
        self.scale = checked_bounds("RandomElasticTransform: scale", scale, 0)
        self.interpolation = one_of("RandomElasticTransform: interpolation", interpolation, "nearest", "bilinear")
        self.fill_mode = one_of("RandomElasticTransform: fill_mode", fill_mode, *ops.image.FILL_MODES)
        self.fill_value, self.value_range = fill_value, checked_range("RandomElasticTransform", value_range)

    def draw(self, x: Tensor) -> Drawn:
        n, height, width, _ = x.shape
        scale = random.uniform((), *self.scale, dtype=x.dtype, seed=self.generator)
        sigma = scale * (0.05 * min(height, width)) + 1e-6
        taps = int(6 * 0.05 * self.scale[1] * min(height, width)) | 1
        moves = random.normal((n, height, width, 2), dtype=x.dtype, seed=self.generator) * sigma
        blurred = ops.image.gaussian_blur(moves, (taps, taps), ops.stack([sigma, sigma]), "channels_last")
        chosen = ops.cast(self.chosen(x, self.factor), x.dtype)
        return {"moves": blurred * chosen * (0.1 * max(height, width) * scale)}

    def seen(self, x: Tensor, drawn: Drawn, interpolation: str) -> Tensor:
        rows, columns = ops.arange(x.shape[1], dtype="float32"), ops.arange(x.shape[2], dtype="float32")
        down = ops.expand_dims(rows, -1) + drawn["moves"][..., 0]
        right = columns + drawn["moves"][..., 1]
        return sampled(x, down, right, interpolation, self.fill_mode, self.fill_value)

    def augment(self, x: Tensor, drawn: Drawn) -> Tensor:
        return ops.clip(self.seen(x, drawn, self.interpolation), *self.value_range)
