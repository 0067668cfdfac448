"""`tf.random`: draws that go on from call to call, also inside steps, as TensorFlow's do."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from ... import ops
from ... import random as ours
from ...dtypes import is_float
from ...lazy import public_only
from .dtypes import on_device

__all__ = [
    "Generator", "categorical", "get_global_generator", "normal", "set_seed", "shuffle", "stateless_normal",
    "stateless_truncated_normal", "stateless_uniform", "truncated_normal", "uniform",
]  # fmt: skip
public_only(__name__)


def set_seed(seed: int) -> None:
    """Make all draws that follow repeatable."""
    ours.set_random_seed(seed)


def normal(
    shape: Any, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = "float32", seed: Any = None, name: str | None = None
) -> Any:
    """Numbers of a normal distribution."""
    return ours.normal(_sizes(shape), mean, stddev, on_device(dtype), _going_on(seed))


def truncated_normal(
    shape: Any, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = "float32", seed: Any = None, name: str | None = None
) -> Any:
    """Numbers of a normal distribution, none further than two standard deviations from its mean."""
    return ours.truncated_normal(_sizes(shape), mean, stddev, on_device(dtype), _going_on(seed))


def uniform(
    shape: Any, minval: Any = 0, maxval: Any = None, dtype: Any = "float32", seed: Any = None, name: str | None = None
) -> Any:
    """Numbers from `minval` to below `maxval`, 1 if none is given; whole ones for a dtype of those."""
    return _uniform(shape, minval, maxval, dtype, _going_on(seed))


def categorical(logits: Any, num_samples: int, dtype: Any = "int64", seed: Any = None, name: str | None = None) -> Any:
    """Class numbers by their logits, (batch, num_samples)."""
    return ours.categorical(logits, num_samples, on_device(dtype), _going_on(seed))


def shuffle(value: Any, seed: Any = None, name: str | None = None) -> Any:
    """The entries along the first axis in random order."""
    return ours.shuffle(value, 0, _going_on(seed))


def stateless_normal(
    shape: Any, seed: Any, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = "float32", **options: Any
) -> Any:
    """Numbers of a normal distribution: the same for the same two numbers `seed`."""
    return ours.normal(_sizes(shape), mean, stddev, on_device(dtype), _key(seed))


def stateless_truncated_normal(
    shape: Any, seed: Any, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = "float32", **options: Any
) -> Any:
    """As `truncated_normal`: the same for the same two numbers `seed`."""
    return ours.truncated_normal(_sizes(shape), mean, stddev, on_device(dtype), _key(seed))


def stateless_uniform(
    shape: Any,
    seed: Any,
    minval: Any = 0,
    maxval: Any = None,
    dtype: Any = "float32",
    name: Any = None,
    alg: Any = None,
) -> Any:
    """As `uniform`: the same for the same two numbers `seed`."""
    return _uniform(shape, minval, maxval, dtype, _key(seed))


class Generator:
    """A source of numbers of its own, which goes on from draw to draw.

    Args:
        seed: where it begins; None: anywhere.

    >>> Generator.from_seed(1).normal((2, 3)).shape
    (2, 3)
    """

    def __init__(self, seed: int | None = None) -> None:
        self._source = ours.SeedGenerator(seed)

    @classmethod
    def from_seed(cls, seed: int, alg: Any = None) -> "Generator":
        return cls(int(seed))

    @classmethod
    def from_non_deterministic_state(cls, alg: Any = None) -> "Generator":
        return cls()

    def normal(self, shape: Any, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = "float32", name: Any = None) -> Any:
        return ours.normal(_sizes(shape), mean, stddev, on_device(dtype), self._source)

    def truncated_normal(
        self, shape: Any, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = "float32", name: Any = None
    ) -> Any:
        return ours.truncated_normal(_sizes(shape), mean, stddev, on_device(dtype), self._source)

    def uniform(self, shape: Any, minval: Any = 0, maxval: Any = None, dtype: Any = "float32", name: Any = None) -> Any:
        return _uniform(shape, minval, maxval, dtype, self._source)

    def make_seeds(self, count: int = 1) -> Any:
        """(2, count): columns of two numbers each, for the functions that are `stateless_`."""
        return ours.randint((2, count), 0, 2**31 - 1, "int32", self._source)


def get_global_generator() -> Generator:
    """A generator that the seed of `set_seed` determines."""
    return Generator()


def _uniform(shape: Any, minval: Any, maxval: Any, dtype: Any, seed: Any) -> Any:
    if is_float(dtype):
        return ours.uniform(_sizes(shape), minval, 1.0 if maxval is None else maxval, on_device(dtype), seed)
    if maxval is None:
        raise ValueError(f"tf.random.uniform: maxval: got None for whole numbers ({dtype}), expected a number")
    return ours.randint(_sizes(shape), int(minval), int(maxval), on_device(dtype), seed)


def _sizes(shape: Any) -> tuple[int | None, ...]:
    sizes = shape if isinstance(shape, Sequence) else np.atleast_1d(np.asarray(shape))
    return tuple(None if n is None else int(n) for n in sizes)


def _going_on(seed: Any) -> Any:
    return ours.going_on(None if seed is None else int(seed))


def _key(seed: Any) -> Any:
    return ops.cast(ops.convert_to_tensor(seed), "uint32")
