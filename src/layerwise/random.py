"""Random numbers from a counter: a draw depends on its key and its shape only, so it can be repeated anywhere.

Bits come from Threefry-2x32. The i-th number of a draw is a function of (key, i), whatever the backend and the number
of threads: uniforms, Bernoulli trials, whole numbers and permutations are identical on every backend; normals agree to
a few units in the last place. What `seed` means everywhere: a whole number gives the same draw each time, a
`SeedGenerator` the next one of its draws, and None the next draw of the process (which
`layerwise.utils.set_random_seed` makes repeatable).

>>> uniform((2,), seed=1)
Tensor([0.70394367, 0.58952564], shape=(2,), dtype=float32)
"""

from __future__ import annotations

import itertools
import math
import os
import random as _python_random
from collections.abc import Callable, Iterator, Sequence
from copy import copy
from functools import lru_cache
from typing import Any

import numpy as np

from . import config, ops
from .autograd import Array, Spec, Tensor, as_tensor, outlined, raw
from .backends import backend, xp
from .backends.base import threefry2x32
from .dtypes import is_float, standardize_dtype
from .lazy import public_only
from .naming import auto_name, expect
from .variables import Variable, for_good, in_rehearsal, in_step

__all__ = [
    "SeedGenerator", "bernoulli", "categorical", "dropout", "normal", "permutation", "randint", "shuffle",
    "truncated_normal", "uniform",
]  # fmt: skip
public_only(__name__)

Shape = Sequence[int | None]


# -------------------------------------------------------------------------------------------------------------- seeds


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
    >>> first = uniform((2,)).numpy()
    >>> set_random_seed(7)
    >>> bool((uniform((2,)).numpy() == first).all())
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


# --------------------------------------------------------------------------------------------------------------- draws


def _draw(shape: Shape, dtype: str, seed: Seed, words: int, make: Callable[..., Array]) -> Tensor:
    """make(w1, w2, ...) of flat arrays of random words, one element of the result from each."""
    shape = tuple(shape)
    if None in shape or outlined((shape, dtype)):  # type: ignore[arg-type]
        _draw_symbolically(seed)
        return Tensor(Spec(shape, dtype))
    n = math.prod(shape)  # type: ignore[arg-type]
    bits = backend().random_bits(draw_key(seed), n * words)
    return Tensor(make(*(bits[i::words] for i in range(words))).astype(dtype).reshape(shape))


def _draw_symbolically(seed: Seed) -> None:
    """A symbolic call draws nothing, but says that it will: a generator is a variable that it assigns."""
    if isinstance(seed, SeedGenerator):
        seed.state.assign(Tensor(Spec(seed.state.shape, seed.state.dtype)))


def _float_dtype(name: str, dtype: Any) -> tuple[str, str]:
    """The dtype asked for and the one to compute in."""
    dtype = standardize_dtype(dtype)
    expect(f"{name}: dtype", dtype, is_float(dtype), "a floating-point dtype (randint draws whole numbers)")
    backend().check_dtype(dtype)
    return dtype, "float64" if dtype == "float64" else "float32"


def uniform(shape: Shape, minval: Any = 0.0, maxval: Any = 1.0, dtype: Any = None, seed: Seed = None) -> Tensor:
    """x = minval + u (maxval - minval), u uniform on [0, 1)

    u is a multiple of 2^-24 (of 2^-53 in float64). With bounds that are numbers, minval <= x < maxval.

    >>> uniform((3,), -1, 1, seed=1)
    Tensor([ 0.40788734,  0.17905128, -0.8845701 ], shape=(3,), dtype=float32)
    """
    dtype, wide = _float_dtype("uniform", dtype)
    if not (isinstance(minval, int | float) and isinstance(maxval, int | float)):
        return minval + uniform(shape, dtype=dtype, seed=seed) * ops.subtract(maxval, minval)
    if not minval <= maxval:
        raise ValueError(f"uniform: got minval={minval} and maxval={maxval}, expected minval <= maxval")
    low, width = np.array(minval, wide), np.array(maxval, wide) - np.array(minval, wide)
    below = np.nextafter(np.array(maxval, dtype), np.array(minval, dtype)).astype(wide)
    coarse, fine, scale = _halves(width)

    def make(*words: Array) -> Array:
        # Every product below is exact, so that it makes no difference whether a machine fuses it with the addition.
        high_bits, low_bits = _digits(wide, *words)
        x = low + high_bits * (coarse * scale)
        if fine:
            x = x + high_bits * (fine * scale)
        return xp().minimum((x + low_bits * (coarse * scale * scale)).astype(dtype), below.astype(dtype))

    return _draw(shape, dtype, seed, 2 if wide == "float64" else 1, make)


def _digits(wide: str, *words: Array) -> tuple[Array, Array]:
    """The upper and the lower half of the digits of u, as whole numbers of dtype `wide`."""
    if wide == "float64":
        return (words[0] >> 6).astype(wide), (words[1] >> 6).astype(wide)
    return (words[0] >> 20).astype(wide), (words[0] >> 8 & 0xFFF).astype(wide)


def _halves(width: np.ndarray) -> tuple[Any, Any, Any]:
    """`width` as the sum of two numbers with half its digits each, and the value of a unit in the upper half of u."""
    half = 26 if width.dtype == "float64" else 12
    mantissa, exponent = np.frexp(width)
    coarse = np.ldexp(np.rint(np.ldexp(mantissa, half)), exponent - half)
    return coarse, width - coarse, np.ldexp(width.dtype.type(1), -half)


def bernoulli(p: Any, shape: Shape, seed: Seed = None) -> Tensor:
    """x = True with probability p, else False

    >>> bernoulli(0.5, (4,), seed=1)
    Tensor([False, False,  True,  True], shape=(4,), dtype=bool)
    """
    return uniform(shape, dtype="float32", seed=seed) < ops.cast(p, "float32")


def randint(shape: Shape, minval: int, maxval: int, dtype: Any = "int32", seed: Seed = None) -> Tensor:
    """x uniform on the whole numbers minval ... maxval - 1

    x = minval + floor(w (maxval - minval) / 2^64) from 64 random bits w: no number is favoured by more than 2^-32.

    >>> randint((5,), 0, 10, seed=1)
    Tensor([7, 0, 0, 9, 3], shape=(5,), dtype=int32)
    """
    dtype = standardize_dtype(dtype)
    if is_float(dtype) or dtype == "bool":
        raise ValueError(f"randint: dtype: got {dtype!r}, expected a dtype of whole numbers (uniform draws others)")
    backend().check_dtype(dtype)
    minval, maxval = int(minval), int(maxval)
    span = maxval - minval
    if not 0 < span < 2**32:
        raise ValueError(f"randint: got minval={minval} and maxval={maxval}, expected 0 < maxval - minval < 2**32")

    def make(upper: Array, lower: Array) -> Array:
        carry = _multiply_high(lower, span)
        product = upper * xp().asarray(span, dtype="uint32")
        overflow = product + carry < carry
        return (_multiply_high(upper, span) + overflow).astype(dtype) + xp().asarray(minval, dtype=dtype)

    return _draw(shape, dtype, seed, 2, make)


def _multiply_high(a: Array, b: int) -> Array:
    """The upper half of the 64-bit product of uint32 numbers, out of 16-bit digits."""
    a1, a0, b1, b0 = a >> 16, a & 0xFFFF, b >> 16, b & 0xFFFF
    middle = a1 * b0 + (a0 * b0 >> 16)
    return a1 * b1 + (middle >> 16) + (a0 * b1 + (middle & 0xFFFF) >> 16)


def normal(shape: Shape, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = None, seed: Seed = None) -> Tensor:
    """x = mean + stddev z, z standard normal, by inversion: z = ± q(t), where P(Z > q(t)) = t

    t is uniform on (0, 1/2] in steps of 2^-32 (2^-64 in float64), so |z| reaches 6.3 (9.1).

    >>> normal((2,), seed=1)
    Tensor([-0.38000226,  0.5395236 ], shape=(2,), dtype=float32)
    """
    return _normal("normal", shape, mean, stddev, dtype, seed, math.inf)


def truncated_normal(shape: Shape, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = None, seed: Seed = None) -> Tensor:
    """x = mean + stddev z, z standard normal given that |z| <= 2

    >>> truncated_normal((2,), seed=1)
    Tensor([-0.36191657,  0.51264113], shape=(2,), dtype=float32)
    """
    return _normal("truncated_normal", shape, mean, stddev, dtype, seed, 2.0)


def _normal(name: str, shape: Shape, mean: Any, stddev: Any, dtype: Any, seed: Seed, bound: float) -> Tensor:
    dtype, wide = _float_dtype(name, dtype)
    beyond = 0.5 * math.erfc(bound / math.sqrt(2))

    def scaled(first: Array, *second: Array) -> Array:
        rest = (second[0].astype(wide) + 0.5) * 2.0**-32 if second else 0.5
        return ((first >> 1).astype(wide) + rest) * ((0.5 - beyond) * 2.0**-31)

    def make(*words: Array) -> Array:
        tail, centre = beyond + scaled(*words), scaled(*(~w for w in words))
        z = xp().minimum(upper_quantile(tail, centre), bound)
        return xp().where(words[0] & 1, z, -z)

    z = _draw(shape, dtype, seed, 2 if wide == "float64" else 1, make)
    return z * stddev + mean


# Coefficients of z^0, z^1, ...: numerator and denominator, for tails down to 0.075, to e^-25, and beyond.
_CENTRAL = (
    (3.3871328727963666080e0, 1.3314166789178437745e2, 1.9715909503065514427e3, 1.3731693765509461125e4,
     4.5921953931549871457e4, 6.7265770927008700853e4, 3.3430575583588128105e4, 2.5090809287301226727e3),
    (1.0, 4.2313330701600911252e1, 6.8718700749205790830e2, 5.3941960214247511077e3,
     2.1213794301586595867e4, 3.9307895800092710610e4, 2.8729085735721942674e4, 5.2264952788528545610e3),
)  # fmt: skip
_MIDDLE = (
    (1.42343711074968357734e0, 4.63033784615654529590e0, 5.76949722146069140550e0, 3.64784832476320460504e0,
     1.27045825245236838258e0, 2.41780725177450611770e-1, 2.27238449892691845833e-2, 7.74545014278341407640e-4),
    (1.0, 2.05319162663775882187e0, 1.67638483018380384940e0, 6.89767334985100004550e-1,
     1.48103976427480074590e-1, 1.51986665636164571966e-2, 5.47593808499534494600e-4, 1.05075007164441684324e-9),
)  # fmt: skip
_FAR = (
    (6.65790464350110377720e0, 5.46378491116411436990e0, 1.78482653991729133580e0, 2.96560571828504891230e-1,
     2.65321895265761230930e-2, 1.24266094738807843860e-3, 2.71155556874348757815e-5, 2.01033439929228813265e-7),
    (1.0, 5.99832206555887937690e-1, 1.36929880922735805310e-1, 1.48753612908506148525e-2,
     7.86869131145613259100e-4, 1.84631831751005468180e-5, 1.42151175831644588870e-7, 2.04426310338993978564e-15),
)  # fmt: skip


def upper_quantile(tail: Array, centre: Array) -> Array:
    """q with P(Z > q) = tail and P(0 < Z < q) = centre = 1/2 - tail, for a standard normal Z and 0 < tail <= 1/2

    Both probabilities are given, since neither can be had precisely from the other where it is small.
    Three rational functions, exact to about 1e-16: Wichura, algorithm AS 241 (1988).
    """
    depth = xp().sqrt(-xp().log(tail))
    central = centre * _ratio(_CENTRAL, 0.180625 - centre * centre)
    outer = xp().where(depth <= 5, _ratio(_MIDDLE, depth - 1.6), _ratio(_FAR, depth - 5))
    return xp().where(centre <= 0.425, central, outer)


def _ratio(coefficients: tuple[tuple[float, ...], tuple[float, ...]], x: Array) -> Array:
    numerator, denominator = coefficients
    return _polynomial(numerator, x) / _polynomial(denominator, x)


def _polynomial(coefficients: tuple[float, ...], x: Array) -> Array:
    total = coefficients[-1] * x
    for c in coefficients[-2:0:-1]:
        total = (total + c) * x
    return total + coefficients[0]


# -------------------------------------------------------------------------------------------------- choices and orders


def categorical(logits: Any, num_samples: int, dtype: Any = "int32", seed: Seed = None) -> Tensor:
    """x_ns = i with probability softmax(logits_n)_i: the largest of logits_i + G_i, where G_i = -ln(-ln u_i)

    logits (batch, classes) -> (batch, num_samples)

    >>> categorical([[0.0, -1e9]], 3, seed=1)
    Tensor([[0, 0, 0]], shape=(1, 3), dtype=int32)
    """
    logits = as_tensor(logits)
    if logits.ndim != 2:
        raise ValueError(f"categorical: logits: got shape {logits.shape}, expected (batch, classes)")
    logits = logits if is_float(logits.dtype) else ops.cast(logits, config.floatx())
    batch, classes = logits.shape

    def gumbel(words: Array) -> Array:
        u = ((words >> 9).astype("float32") + 0.5) * 2.0**-23  # neither 0 nor 1
        return -xp().log(-xp().log(u))

    noise = _draw((batch, num_samples, classes), logits.dtype, seed, 1, gumbel)
    return ops.cast(ops.argmax(ops.expand_dims(logits, 1) + noise, axis=-1), standardize_dtype(dtype))


def permutation(n: int, seed: Seed = None) -> Tensor:
    """0 ... n - 1 in random order: the places of n random 64-bit numbers, sorted

    >>> permutation(5, seed=1)
    Tensor([2, 1, 4, 0, 3], shape=(5,), dtype=int32)
    """
    return _draw((n,), "int32", seed, 2, backend().order)


def shuffle(x: Any, axis: int = 0, seed: Seed = None) -> Tensor:
    """x with its slices along `axis` in random order

    >>> shuffle([10, 20, 30, 40, 50], seed=1)
    Tensor([30, 20, 50, 10, 40], shape=(5,), dtype=int32)
    """
    x = as_tensor(x)
    return x if x.symbolic else ops.take(x, permutation(x.shape[axis], seed), axis=axis)


def dropout(inputs: Any, rate: float, noise_shape: Shape | None = None, seed: Seed = None) -> Tensor:
    """y = inputs / (1 - rate) with probability 1 - rate, else 0: the mean stays

    `noise_shape`: the shape of the choices, which broadcasts to inputs; None in it stands for their own size.

    >>> dropout([1.0, 1.0, 1.0, 1.0], 0.5, seed=1)
    Tensor([0., 0., 2., 2.], shape=(4,), dtype=float32)
    """
    x = as_tensor(inputs)
    expect("dropout: rate", rate, lambda rate: 0 <= rate <= 1, "a number from 0 to 1")
    shape = x.shape if noise_shape is None else tuple(n or m for n, m in zip(noise_shape, x.shape, strict=True))
    if x.symbolic:
        _draw_symbolically(seed)
        kept = Tensor(Spec(shape, "bool"))
    else:
        kept = bernoulli(1 - rate, shape, seed)
    return ops.where(kept, x * (1 / (1 - rate)) if rate < 1 else x, 0)
