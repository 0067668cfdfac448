"""Layers that change the values of pixels: brightness, contrast, hue, saturation, sharpness, ..."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from ... import config, ops, random
from ...autograd import Tensor
from ...naming import expect, is_whole
from .base import Augmentation, Drawn, Factor, ImageLayer, checked_bounds, checked_range, rescaled


class Intensity(Augmentation, options_of=Augmentation):
    """The common part of layers that change the values of pixels by a factor of their own, within `value_range`."""

    least = -1  # that the factor may be

    def __init__(self, factor: Factor, value_range: Sequence[float] = (0, 255), **options: Any) -> None:
        super().__init__(**options)
        kind = type(self).__name__
        self.factor = checked_bounds(f"{kind}: factor", factor, self.least)
        self.value_range = checked_range(kind, value_range)


class RandomContrast(Intensity):
    """y = mean + (x - mean) f, with each channel's mean and f uniform on [1 - lower, 1 + upper], within `value_range`

    factor: (lower, upper), from 0 to 1, or one number for (0, factor).

    >>> from layerwise import layers
    >>> layers.RandomContrast(0.0)([[[100.0], [140.0]]])[..., 0]
    Tensor([[100., 140.]], shape=(1, 2), dtype=float32)
    """

    least = 0

    def draw(self, x: Tensor) -> Drawn:
        return {"contrast_factor": self.number(x, (1 - self.factor[0], 1 + self.factor[1]))}

    def augment(self, x: Tensor, drawn: Drawn) -> Tensor:
        mean = ops.mean(x, axis=(1, 2), keepdims=True)
        return ops.clip(mean + (x - mean) * drawn["contrast_factor"], *self.value_range)


class RandomBrightness(Intensity):
    """y = x + f (maximum - minimum), f uniform on [lower, upper], within `value_range`, which is (minimum, maximum)

    factor: (lower, upper), from -1 to 1, or one number for (-factor, factor).

    >>> from layerwise import layers
    >>> layers.RandomBrightness((0.5, 0.5), value_range=(0, 1))([[[0.2], [0.9]]])[..., 0]
    Tensor([[0.7, 1. ]], shape=(1, 2), dtype=float32)
    """

    def draw(self, x: Tensor) -> Drawn:
        low, high = self.value_range
        return {"rgb_delta": self.number(x, self.factor) * (high - low)}

    def augment(self, x: Tensor, drawn: Drawn) -> Tensor:
        return ops.clip(x + drawn["rgb_delta"], *self.value_range)


class Colour(Augmentation):
    """The common part of layers that change colours.

    Args:
        factor: (lower, upper), between which each image has a number, or one number f: (-f, f), or (least, f) where
            the least is more.
        value_range: what values pixels have: (minimum, maximum).
    """

    least, most = -1, 1  # that the factor may be

    def __init__(
        self,
        factor: Factor,
        value_range: Sequence[float] = (0, 255),
        data_format: str | None = None,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(seed, data_format, **kwargs)
        kind = type(self).__name__
        self.factor = checked_bounds(f"{kind}: factor", factor, self.least, self.most)
        self.value_range = checked_range(kind, value_range)

    def draw(self, x: Tensor) -> Drawn:
        return {"factor": self.number(x, self.factor)}


class RandomHue(Colour):
    """y = x with hues turned by f half turns, up or down with probability 1/2, f from 0 to 1

    factor: (lower, upper), between which f is uniform, or one number for (0, factor).

    >>> from layerwise import layers
    >>> layers.RandomHue((1, 1), (0, 1))([[[1.0, 0.0, 0.0]]])  # red becomes cyan
    Tensor([[[0., 1., 1.]]], shape=(1, 1, 3), dtype=float32)
    """

    least = 0

    def draw(self, x: Tensor) -> Drawn:
        return {"factor": 0.5 * self.number(x, self.factor) * ops.sign(self.number(x, (-1.0, 1.0)))}

    def augment(self, x: Tensor, drawn: Drawn) -> Tensor:
        hsv = ops.image.rgb_to_hsv(rescaled(x, self.value_range, (0, 1)), "channels_last")
        hsv = ops.concatenate([hsv[..., :1] + drawn["factor"], hsv[..., 1:]], axis=-1)
        return rescaled(ops.clip(ops.image.hsv_to_rgb(hsv, "channels_last"), 0, 1), (0, 1), self.value_range)


class RandomSaturation(Colour):
    """y = x with saturations times f / (1 - f), at most 1: grey at f = 0, unchanged at 1/2, pure colours at 1

    factor: (lower, upper), between which f is uniform, or one number for (-factor, factor).

    >>> from layerwise import layers
    >>> layers.RandomSaturation((0, 0))([[[200.0, 100.0, 0.0]]])
    Tensor([[[200., 200., 200.]]], shape=(1, 1, 3), dtype=float32)
    """

    def draw(self, x: Tensor) -> Drawn:
        f = self.number(x, self.factor)
        return {"factor": f / (1 - f + config.epsilon())}

    def augment(self, x: Tensor, drawn: Drawn) -> Tensor:
        hsv = ops.image.rgb_to_hsv(x, "channels_last")
        saturation = ops.clip(hsv[..., 1:2] * drawn["factor"], 0, 1)
        return ops.image.hsv_to_rgb(ops.concatenate([hsv[..., :1], saturation, hsv[..., 2:]], axis=-1), "channels_last")


class RandomColorDegeneration(Colour):
    """y = x + f (grey - x): unchanged at f = 0, without colours at 1, within `value_range`

    factor: (lower, upper), between which f is uniform, or one number for (-factor, factor).

    >>> from layerwise import layers
    >>> layers.RandomColorDegeneration((0, 0))([[[200.0, 100.0, 0.0]]])
    Tensor([[[200., 100.,   0.]]], shape=(1, 1, 3), dtype=float32)
    """

    def augment(self, x: Tensor, drawn: Drawn) -> Tensor:
        grey = ops.image.rgb_to_grayscale(x, "channels_last")
        return ops.clip(x + drawn["factor"] * (grey - x), *self.value_range)


class RandomSharpness(Colour):
    """y = x + (1 - 2 f) (smooth - x): blurred at f = 0, unchanged at 1/2, sharpened at 1, within `value_range`

    smooth is x averaged over 3x3 pixels, the middle one counting five times. factor: (lower, upper), between which f
    is uniform, or one number for (0, factor).

    >>> from layerwise import layers, ops
    >>> layers.RandomSharpness((0.5, 0.5))(ops.ones((2, 8, 8, 3))).shape
    (2, 8, 8, 3)
    """

    least = 0

    def augment(self, x: Tensor, drawn: Drawn) -> Tensor:
        kernel = np.full((3, 3, x.shape[-1], 1), 1 / 13, x.dtype)
        kernel[1, 1] = 5 / 13
        smooth = ops.depthwise_conv(x, kernel, padding="same", data_format="channels_last")
        return ops.clip(x + (1 - 2 * drawn["factor"]) * (smooth - x), *self.value_range)


class RandomPosterization(Colour):
    """y = x with so few bits of each value left: a whole number from lower to upper - 1, or lower where they are equal

    factor: (lower, upper), from 1 to 8 bits, or one number for (1, factor).

    >>> from layerwise import layers
    >>> layers.RandomPosterization((1, 1))([[[100.0], [200.0]]])[..., 0]
    Tensor([[  0., 128.]], shape=(1, 2), dtype=float32)
    """

    least, most = 1, 8

    def draw(self, x: Tensor) -> Drawn:
        low, high = (int(f) for f in self.factor)
        shape = (x.shape[0], 1, 1, 1)
        bits = random.randint(shape, low, high, seed=self.generator) if low < high else ops.full(shape, low, "int32")
        return {"unit": ops.cast(2, x.dtype) ** ops.cast(8 - bits, x.dtype)}

    def augment(self, x: Tensor, drawn: Drawn) -> Tensor:
        whole = ops.floor(rescaled(x, self.value_range, (0, 255)))
        return rescaled(ops.floor(whole / drawn["unit"]) * drawn["unit"], (0, 255), self.value_range)


class RandomInvert(Intensity, options_of=Intensity):
    """y = maximum - x, with a probability between the bounds in `factor`

    factor: (lower, upper), from 0 to 1, or one number for (0, factor). value_range: (minimum, maximum).

    >>> from layerwise import layers
    >>> layers.RandomInvert((1, 1))([[[0.0], [200.0]]])[..., 0]
    Tensor([[255.,  55.]], shape=(1, 2), dtype=float32)
    """

    least = 0

    def __init__(self, factor: Factor = 1.0, **options: Any) -> None:
        super().__init__(factor, **options)

    def draw(self, x: Tensor) -> Drawn:
        return {"apply_inversion": self.chosen(x, self.factor)}

    def augment(self, x: Tensor, drawn: Drawn) -> Tensor:
        return ops.where(drawn["apply_inversion"], self.value_range[1] - x, x)


class RandomGrayscale(Augmentation):
    """y = x without its colours, with probability `factor`

    >>> from layerwise import layers
    >>> layers.RandomGrayscale(1.0)([[[1.0, 0.0, 0.0]]])
    Tensor([[[0.2989, 0.2989, 0.2989]]], shape=(1, 1, 3), dtype=float32)
    """

    def __init__(
        self, factor: float = 0.5, data_format: str | None = None, seed: int | None = None, **kwargs: Any
    ) -> None:
        super().__init__(seed, data_format, **kwargs)
        checked_bounds("RandomGrayscale: factor", factor, 0)
        self.factor = factor

    def draw(self, x: Tensor) -> Drawn:
        return {"should_apply": self.number(x, (0.0, 1.0)) < self.factor}

    def augment(self, x: Tensor, drawn: Drawn) -> Tensor:
        return ops.where(drawn["should_apply"], ops.image.rgb_to_grayscale(x, "channels_last"), x)


class RandomGaussianBlur(Colour):
    """y = x blurred, see `ops.image.gaussian_blur`, with a probability between the bounds in `factor`

    Args:
        factor: the probability, from 0 to 1: (lower, upper), or one number for (0, factor).
        kernel_size: over how many columns and rows: odd numbers.
        sigma: the deviation, from 0 to 1: (lower, upper) for the batch's two, across and down; or one number.

    >>> from layerwise import layers, ops
    >>> layers.RandomGaussianBlur()(ops.ones((2, 8, 8, 3))).shape
    (2, 8, 8, 3)
    """

    least = 0

    def __init__(
        self,
        factor: Factor = 1.0,
        kernel_size: int | Sequence[int] = 3,
        sigma: Factor = 1.0,
        value_range: Sequence[float] = (0, 255),
        data_format: str | None = None,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(factor, value_range, data_format, seed, **kwargs)
        sizes = (kernel_size, kernel_size) if isinstance(kernel_size, int) else tuple(kernel_size)
        odd = len(sizes) == 2 and all(is_whole(n) and n % 2 for n in sizes)
        expect("RandomGaussianBlur: kernel_size", kernel_size, odd, "an odd number, or two of them")
        self.kernel_size = sizes
        self.sigma = checked_bounds("RandomGaussianBlur: sigma", sigma, 0)

    def draw(self, x: Tensor) -> Drawn:
        sigma = random.uniform((2,), *self.sigma, dtype=x.dtype, seed=self.generator) + 1e-6
        return {"should_apply_blur": self.chosen(x, self.factor), "blur_factor": sigma}

    def augment(self, x: Tensor, drawn: Drawn) -> Tensor:
        blurred = ops.image.gaussian_blur(x, self.kernel_size, drawn["blur_factor"], "channels_last")
        return ops.clip(ops.where(drawn["should_apply_blur"], blurred, x), *self.value_range)


class RandomColorJitter(Augmentation):
    """y = x after `RandomBrightness`, `RandomContrast`, `RandomSaturation` and `RandomHue`, those that have a factor

    Args:
        value_range: what values pixels have: (minimum, maximum).
        brightness_factor, contrast_factor, saturation_factor, hue_factor: of these layers; None: not applied.

    >>> from layerwise import layers, ops
    >>> layers.RandomColorJitter((0, 1), brightness_factor=0.2, hue_factor=0.1)(ops.ones((2, 8, 8, 3))).shape
    (2, 8, 8, 3)
    """

    def __init__(
        self,
        value_range: Sequence[float] = (0, 255),
        brightness_factor: Factor | None = None,
        contrast_factor: Factor | None = None,
        saturation_factor: Factor | None = None,
        hue_factor: Factor | None = None,
        seed: int | None = None,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(seed, data_format, **kwargs)
        self.value_range = value_range
        self.brightness_factor, self.contrast_factor = brightness_factor, contrast_factor
        self.saturation_factor, self.hue_factor = saturation_factor, hue_factor
        common: dict[str, Any] = {"value_range": value_range, "seed": seed, "data_format": data_format}
        kinds = {"brightness": RandomBrightness, "contrast": RandomContrast}
        for name, kind in (kinds | {"saturation": RandomSaturation, "hue": RandomHue}).items():
            factor = getattr(self, f"{name}_factor")
            setattr(self, f"random_{name}", None if factor is None else kind(factor, **common))

    def parts(self) -> list[Augmentation]:
        """The layers that are applied, in order."""
        names = ("brightness", "contrast", "saturation", "hue")
        return [part for name in names if (part := getattr(self, f"random_{name}")) is not None]

    def draw(self, x: Tensor) -> Drawn:
        return {part.name: part.draw(x) for part in self.parts()}

    def augment(self, x: Tensor, drawn: Drawn) -> Tensor:
        for part in self.parts():
            x = part.augment(x, drawn[part.name])
        return x


class Solarization(Augmentation):
    """y = x + a where that is less than t, else maximum - (x + a): light parts become dark

    a and t are uniform between the bounds in `addition_factor` and `threshold_factor`, as parts of the range, and have
    been brought to values from 0 to 255 as x has.

    Args:
        addition_factor, threshold_factor: (lower, upper), from 0 to 1, or one number for (0, factor).
        value_range: what values pixels have: (minimum, maximum).

    >>> from layerwise import layers
    >>> layers.Solarization(0.0, 0.0)([[[0.0], [200.0]]])[..., 0]
    Tensor([[255.,  55.]], shape=(1, 2), dtype=float32)
    """

    def __init__(
        self,
        addition_factor: Factor = 0.0,
        threshold_factor: Factor = 0.0,
        value_range: Sequence[float] = (0, 255),
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(seed, **kwargs)
        self.addition_factor = checked_bounds("Solarization: addition_factor", addition_factor, 0)
        self.threshold_factor = checked_bounds("Solarization: threshold_factor", threshold_factor, 0)
        self.value_range = checked_range("Solarization", value_range)

    def draw(self, x: Tensor) -> Drawn:
        bounds = {"additions": self.addition_factor, "thresholds": self.threshold_factor}
        return {name: self.number(x, (low, 255 * high)) for name, (low, high) in bounds.items()}

    def augment(self, x: Tensor, drawn: Drawn) -> Tensor:
        y = ops.clip(rescaled(x, self.value_range, (0, 255)) + drawn["additions"], 0, 255)
        return rescaled(ops.where(y < drawn["thresholds"], y, 255 - y), (0, 255), self.value_range)


class AutoContrast(ImageLayer):
    """y = x with each channel of each image stretched over the whole of `value_range`, which is (minimum, maximum)

    >>> from layerwise import layers
    >>> layers.AutoContrast()([[[100.0], [110.0], [120.0]]])[..., 0]
    Tensor([[  0. , 127.5, 255. ]], shape=(1, 3), dtype=float32)
    """

    def __init__(self, value_range: Sequence[float] = (0, 255), **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.value_range = checked_range("AutoContrast", value_range)

    def augment(self, x: Tensor, drawn: Drawn) -> Tensor:
        low, high = (f(x, axis=(1, 2), keepdims=True) for f in (ops.min, ops.max))
        least, most = self.value_range
        width = ops.where(high > low, high - low, 1)
        return ops.where(high > low, ops.clip((x - low) * ((most - least) / width) + least, least, most), x)
