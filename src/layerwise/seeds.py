"""Where random numbers begin: seeds, keys, and the draws of the process. `layerwise.random` has the numbers.

>>> generator = SeedGenerator(3)
>>> generator.next()
Tensor([3, 0], shape=(2,), dtype=uint32)
"""

from __future__ import annotations

import itertools
import os
import random as _python_random
from collections.abc import Iterator
from copy import copy
from functools import lru_cache
from typing import Any

import numpy as np

from . import config
from .autograd import Array, Tensor, as_tensor, raw
from .backends import xp
from .backends.base import threefry2x32
from .naming import auto_name
from .variables import Variable, for_good, in_rehearsal, in_step


class SeedGenerator:
    """A key (seed, counter) whose counter advances with every draw; its state is a variable, saved with the model.

    Without a seed it takes one from the process; its state has the `name`.
    A layer that draws in `call` makes one in `__init__`:

    >>> generator = SeedGenerator(3)
    >>> generator.next(), generator.next()
    (Tensor([3, 0], shape=(2,), dtype=uint32), Tensor([3, 1], shape=(2,), dtype=uint32))
    """

    def __init__(self, seed: int | None = None, name: str | None = None) -> None:
        self.name = name or auto_name("seed_generator")
        self.seed = fresh_seed() if seed is None else checked_seed(seed)
        start = np.array([self.seed, 0], "uint32")
        self.state = Variable(start, trainable=False, name="seed_generator_state")
        self.state.path = f"{self.name}/{self.state.name}"

    def next(self) -> Tensor:
        """The key of the next draw."""
        key = self.state.value
        self.state.assign(Tensor(raw(key) + xp().asarray([0, 1], dtype="uint32")))
        return key

    def get_config(self) -> dict[str, Any]:
        return {"seed": self.seed, "name": self.name}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> SeedGenerator:
        return cls(**config)


Seed = int | SeedGenerator | Tensor | np.ndarray | None


def checked_seed(seed: Any) -> int:
    """`seed` if it is one that a key can hold."""
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or not 0 <= seed < 2**32:
        raise ValueError(f"seed: got {seed!r}, expected None, a whole number from 0 to 2**32 - 1, or a SeedGenerator")
    return int(seed)


_process = (int.from_bytes(os.urandom(4), "little"), itertools.count())
_shared: dict[tuple[str, int | None], SeedGenerator] = {}  # by backend and seed
_counts: dict[int, Iterator[int]] = {}  # of the draws by each seed outside of steps


def set_random_seed(seed: int) -> None:
    """Make what follows repeatable: all draws without a seed of their own, and those of `random` and `numpy.random`.

    >>> set_random_seed(7)
    >>> first = fresh_seed()
    >>> set_random_seed(7)
    >>> fresh_seed() == first
    True
    """
    global _process
    _process = (checked_seed(seed), itertools.count())
    _shared.clear()
    _counts.clear()
    _python_random.seed(seed)
    np.random.seed(seed)


def process_state() -> tuple[int, int]:
    """The seed of the process's draws (from `set_random_seed` or the operating system), and how many there were."""
    seed, count = _process
    return seed, next(copy(count))


def set_process_state(seed: int, draws: int) -> None:
    """Go on behind the first `draws` draws of a process of this seed."""
    global _process
    _process = (checked_seed(seed), itertools.count(draws))


def _process_key() -> np.ndarray:
    """A key that this process has not used: encrypted, so that its draws are unlike those of small seeds."""
    seed, count = _process
    block, place = divmod(next(count) % 2**32, 256)
    return _keys(seed, block)[place]


@lru_cache(4)
def _keys(seed: int, block: int) -> np.ndarray:
    """A process's keys 256 block ... 256 block + 255: the first two random words of each pair (seed, number)."""
    numbers = np.arange(256, dtype="uint32") + np.uint32(256 * block)
    zeros = np.zeros_like(numbers)
    return np.stack(threefry2x32(zeros + np.uint32(seed), numbers, zeros, zeros), axis=-1)


def going_on(seed: int | None = None) -> Seed:
    """The source of draws of this seed, or of none, of which each goes on from the one before.

    In a step it is a generator of the process, whose state belongs to the steps of all models. What is drawn outside
    of steps, maybe in threads that make their data, leaves it alone.
    """
    if not (in_step() or in_rehearsal()):
        return None if seed is None else np.array([seed, next(_counts.setdefault(seed, itertools.count()))], "uint32")
    key = config.backend(), seed
    if key not in _shared:
        with for_good():
            _shared[key] = SeedGenerator(seed)
    return _shared[key]


def shared_state() -> list[Variable]:
    """The states of the generators that `going_on` made since `set_random_seed`."""
    return [generator.state for (backend, _), generator in _shared.items() if backend == config.backend()]


def fresh_seed() -> int:
    """A seed for something that was given none."""
    return int(_process_key()[0])


def draw_key(seed: Seed) -> Array:
    """The uint32 pair that a draw is a function of; a pair drawn before stands for itself."""
    if isinstance(seed, SeedGenerator):
        return raw(seed.next())
    if seed is None:
        if in_step():
            raise RuntimeError(
                "random: seed=None inside a training step would give every step the same numbers; "
                "make a layerwise.random.SeedGenerator an attribute of the layer or model and pass it as seed"
            )
        return xp().asarray(_process_key())
    if isinstance(seed, Tensor | np.ndarray):
        return raw(as_tensor(seed))
    return xp().asarray(np.array([checked_seed(seed), 0], "uint32"))
