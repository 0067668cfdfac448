"""Layers that act in training only, against overfitting."""

import math
from collections.abc import Sequence
from typing import Any

from .. import ops, random, regularizers
from ..autograd import Tensor
from ..config import checked_data_format
from ..naming import expect, is_whole
from .base import Elementwise
from .input_spec import InputSpec


def _fraction(value: Any, what: str, below_one: bool = False) -> float:
    """`value`, if it is a number from 0 to 1; `what` names it in the error otherwise."""
    if below_one:
        expect(what, value, lambda value: 0 <= value < 1, "a number from 0 to below 1")
    expect(what, value, lambda value: 0 <= value <= 1, "a number from 0 to 1")
    return value


class Noise(Elementwise):
    """The common part of layers that draw in training only.

    Args:
        seed: of the numbers drawn, which then are the same in each run.
    """

    def __init__(self, amount: float, seed: int | None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.seed = seed
        self.seed_generator = random.SeedGenerator(seed) if amount > 0 else None

    def call(self, inputs: Tensor, training: bool | None = False) -> Tensor:
        return self.noisy(inputs) if training and self.seed_generator is not None else inputs

    def noisy(self, x: Tensor) -> Tensor:
        """What x becomes in training."""
        raise NotImplementedError(f"{type(self).__name__}: define noisy(self, x)")


class Dropout(Noise):
    """y = x / (1 - rate) with probability 1 - rate, else 0, in training; y = x otherwise

    `noise_shape` has 1 where one decision holds for all positions along an axis; with a `seed` the decisions are the
    same in each run. (Srivastava et al. 2014)

    >>> from layerwise import layers, ops
    >>> layers.Dropout(0.5)(ops.ones((1, 2)))
    Tensor([[1., 1.]], shape=(1, 2), dtype=float32)
    """

    leaves_something = False  # whether the rate has to be below 1

    def __init__(
        self, rate: float, noise_shape: Sequence[int | None] | None = None, seed: int | None = None, **kwargs: Any
    ) -> None:
        self.rate = _fraction(rate, f"{type(self).__name__}: rate", self.leaves_something)
        super().__init__(rate, seed, **kwargs)
        self.noise_shape = noise_shape
        if noise_shape is not None:
            fits = not isinstance(noise_shape, str) and all(n is None or (is_whole(n) and n > 0) for n in noise_shape)
            what = f"{type(self).__name__}: noise_shape"
            expect(what, noise_shape, fits, "whole numbers >= 1, or None for sizes of the input")
            self.noise_shape = tuple(noise_shape)

    def noise_shape_for(self, x: Tensor) -> tuple[int, ...] | None:
        """In which shape decisions for x are drawn; None: in its own."""
        if self.noise_shape is None:
            return None
        return tuple(n if m is None else m for n, m in zip(x.shape, self.noise_shape, strict=True))

    def noisy(self, x: Tensor) -> Tensor:
        return random.dropout(x, self.rate, noise_shape=self.noise_shape_for(x), seed=self.seed_generator)


class AlphaDropout(Dropout):
    """y = a x + b with probability 1 - rate, else a c + b, in training; y = x otherwise

    c is the least value of `selu`; a and b leave mean 0 and variance 1 of x as they are. (Klambauer et al. 2017)
    `noise_shape` and `seed`: as of `Dropout`.
    """

    leaves_something = True

    def noisy(self, x: Tensor) -> Tensor:
        least = -1.6732632423543772 * 1.0507009873554805
        factor = ((1 - self.rate) * (1 + self.rate * least**2)) ** -0.5
        kept = random.uniform(self.noise_shape_for(x) or x.shape, seed=self.seed_generator) >= self.rate
        return factor * ops.where(kept, x, ops.cast(least, x.dtype)) - factor * least * self.rate


class SpatialDropout(Dropout):
    """y = x / (1 - rate) with probability 1 - rate, else 0, in training, one decision for each example and channel

    x (N, spatial..., C); neighbours along the spatial axes are much alike, and are kept or dropped together. With a
    `seed` the decisions are the same in each run. (Tompson et al. 2014)
    """

    rank: int
    data_format = "channels_last"

    def __init__(self, rate: float, seed: int | None = None, dtype: Any = None, **kwargs: Any) -> None:
        super().__init__(rate, seed=seed, dtype=dtype, **kwargs)
        self.input_spec = InputSpec(ndim=self.rank + 2)

    def noise_shape_for(self, x: Tensor) -> tuple[int, ...]:
        ones = (1,) * self.rank
        return (*x.shape[:2], *ones) if self.data_format == "channels_first" else (x.shape[0], *ones, x.shape[-1])

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        config.pop("trainable")  # as Keras, whose layer does not take it
        return config | {"dtype": self.dtype}


class SpatialDropout1D(SpatialDropout):
    __doc__ = SpatialDropout.__doc__
    rank = 1


class SpatialDropoutND(SpatialDropout):
    """The common part of spatial dropout in two and three dimensions.

    Args:
        data_format: "channels_last" or "channels_first"; None: as configured.
    """

    def __init__(
        self, rate: float, data_format: str | None = None, seed: int | None = None, dtype: Any = None, **kwargs: Any
    ) -> None:
        super().__init__(rate, seed, dtype, **kwargs)
        self.data_format = checked_data_format(data_format)


class SpatialDropout2D(SpatialDropoutND):
    __doc__ = SpatialDropout.__doc__
    rank = 2


class SpatialDropout3D(SpatialDropoutND):
    __doc__ = SpatialDropout.__doc__
    rank = 3


class GaussianNoise(Noise):
    """y = x + noise of mean 0 and deviation `stddev` in training, from `seed` if one is given; y = x otherwise"""

    def __init__(self, stddev: float, seed: int | None = None, **kwargs: Any) -> None:
        self.stddev = _fraction(stddev, "GaussianNoise: stddev")
        super().__init__(stddev, seed, **kwargs)

    def noisy(self, x: Tensor) -> Tensor:
        return x + random.normal(x.shape, 0.0, self.stddev, dtype=x.dtype, seed=self.seed_generator)


class GaussianDropout(Noise):
    """y = x times noise of mean 1 and variance rate / (1 - rate) in training, from `seed` if one is given

    The noise has the mean and the variance of `Dropout`'s. (Srivastava et al. 2014)
    """

    def __init__(self, rate: float, seed: int | None = None, **kwargs: Any) -> None:
        self.rate = _fraction(rate, "GaussianDropout: rate", below_one=True)
        super().__init__(rate, seed, **kwargs)

    def noisy(self, x: Tensor) -> Tensor:
        stddev = math.sqrt(self.rate / (1 - self.rate))
        return x * random.normal(x.shape, 1.0, stddev, dtype=x.dtype, seed=self.seed_generator)


class ActivityRegularization(Elementwise):
    """y = x, and l1 sum |x| + l2 sum x^2, divided by the batch size, joins the losses"""

    def __init__(self, l1: float = 0.0, l2: float = 0.0, **kwargs: Any) -> None:
        super().__init__(activity_regularizer=regularizers.L1L2(l1, l2), **kwargs)
        self.l1, self.l2 = l1, l2

    def call(self, inputs: Tensor) -> Tensor:
        return inputs

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        config.pop("activity_regularizer")
        return config
