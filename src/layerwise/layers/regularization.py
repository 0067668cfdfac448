"""Layers that act in training only, against overfitting."""

from collections.abc import Sequence
from typing import Any

from .. import random, regularizers
from ..autograd import Tensor
from ..naming import expect, is_whole
from .base import Elementwise


def _fraction(value: Any, what: str) -> float:
    """`value`, if it is a number from 0 to 1; `what` names it in the error otherwise."""
    expect(what, value, lambda value: 0 <= value <= 1, "a number from 0 to 1")
    return value


class Dropout(Elementwise):
    """y = x / (1 - rate) with probability 1 - rate, else 0, in training; y = x otherwise

    `noise_shape` has 1 where one decision holds for all positions along an axis; with a `seed` the decisions are the
    same in each run. (Srivastava et al. 2014)

    >>> from layerwise import layers, ops
    >>> layers.Dropout(0.5)(ops.ones((1, 2)))
    Tensor([[1., 1.]], shape=(1, 2), dtype=float32)
    """

    def __init__(
        self, rate: float, noise_shape: Sequence[int | None] | None = None, seed: int | None = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.rate = _fraction(rate, "Dropout: rate")
        self.seed, self.noise_shape = seed, noise_shape
        if noise_shape is not None:
            fits = not isinstance(noise_shape, str) and all(n is None or (is_whole(n) and n > 0) for n in noise_shape)
            expect("Dropout: noise_shape", noise_shape, fits, "whole numbers >= 1, or None for sizes of the input")
            self.noise_shape = tuple(noise_shape)
        self.seed_generator = random.SeedGenerator(seed) if rate > 0 else None

    def call(self, inputs: Tensor, training: bool | None = False) -> Tensor:
        if not training or self.rate == 0:
            return inputs
        noise = None
        if self.noise_shape is not None:
            noise = tuple(n if m is None else m for n, m in zip(inputs.shape, self.noise_shape, strict=True))
        return random.dropout(inputs, self.rate, noise_shape=noise, seed=self.seed_generator)


class GaussianNoise(Elementwise):
    """y = x + noise of mean 0 and deviation `stddev` in training, from `seed` if one is given; y = x otherwise"""

    def __init__(self, stddev: float, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.stddev = _fraction(stddev, "GaussianNoise: stddev")
        self.seed = seed
        self.seed_generator = random.SeedGenerator(seed) if stddev > 0 else None

    def call(self, inputs: Tensor, training: bool | None = False) -> Tensor:
        if not training or self.stddev == 0:
            return inputs
        return inputs + random.normal(inputs.shape, 0.0, self.stddev, dtype=inputs.dtype, seed=self.seed_generator)


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
