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

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from . import config, ops
from .autograd import Array, Spec, Tensor, as_tensor, outlined
from .backends import backend, xp
from .dtypes import is_float, standardize_dtype
from .lazy import public_only
from .naming import expect
from .quantile import upper_quantile
from .seeds import Seed, SeedGenerator, draw_key
from .seeds import checked_seed as checked_seed
from .seeds import fresh_seed as fresh_seed
from .seeds import going_on as going_on
from .seeds import process_state as process_state
from .seeds import set_process_state as set_process_state
from .seeds import set_random_seed as set_random_seed
from .seeds import shared_state as shared_state

__all__ = [
    "SeedGenerator", "bernoulli", "beta", "binomial", "categorical", "dropout", "gamma", "normal", "permutation",
    "randint", "shuffle", "truncated_normal", "uniform",
]  # fmt: skip
public_only(__name__)

Shape = Sequence[int | None]


# --------------------------------------------------------------------------------------------------------------- draws


def _draw(shape: Shape, dtype: str, seed: Seed, words: int, make: Callable[..., Array]) -> Tensor:
    """make(w1, w2, ...) of flat arrays of random words, one element of the result from each."""
    if (symbolic := _outline(shape, dtype, seed)) is not None:
        return symbolic
    n = math.prod(shape)  # type: ignore[arg-type]
    bits = backend().random_bits(draw_key(seed), n * words)
    return Tensor(make(*(bits[i::words] for i in range(words))).astype(dtype).reshape(shape))


def _outline(shape: Shape, dtype: str, seed: Seed) -> Tensor | None:
    """What a symbolic call returns: it draws nothing, but says that it will, since a generator is a variable."""
    shape = tuple(shape)
    if None not in shape and not outlined((shape, dtype)):  # type: ignore[arg-type]
        return None
    _draw_symbolically(seed)
    return Tensor(Spec(shape, dtype))


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


# ----------------------------------------------------------------------------------------------- gamma and its family

_TRIES = 8  # that all of them are refused happens once in 10^10 draws


def gamma(shape: Shape, alpha: Any, dtype: Any = None, seed: Seed = None) -> Tensor:
    """x >= 0 with density x^(alpha - 1) e^-x / Gamma(alpha); alpha > 0 has the shape of x, or one that broadcasts to it

    By rejection of (1 + c z)^3 d, z normal (Marsaglia and Tsang 2000), for alpha + 1 where alpha < 1.

    >>> gamma((2,), 3.0, seed=1).numpy().round(3)
    array([3.162, 1.444], dtype=float32)
    """
    dtype, wide = _float_dtype("gamma", dtype)
    if (symbolic := _outline(shape, dtype, seed)) is not None:
        return symbolic
    return ops.cast(ops.exp(_log_gamma("gamma", shape, alpha, wide, seed)), dtype)


def beta(shape: Shape, alpha: Any, beta: Any, dtype: Any = None, seed: Seed = None) -> Tensor:
    """x in [0, 1] with density proportional to x^(alpha - 1) (1 - x)^(beta - 1): g / (g + h) of two draws of `gamma`

    alpha > 0 and beta > 0 have the shape of x, or one that broadcasts to it.

    >>> beta((2,), 3.0, 2.0, seed=1).numpy().round(3)
    array([0.361, 0.605], dtype=float32)
    """
    dtype, wide = _float_dtype("beta", dtype)
    if (symbolic := _outline(shape, dtype, seed)) is not None:
        return symbolic
    return ops.cast(_beta(shape, alpha, beta, wide, seed), dtype)


def _beta(shape: Shape, alpha: Any, beta: Any, wide: str, seed: Seed) -> Tensor:
    keys = _split(seed, 2)
    return ops.sigmoid(ops.subtract(*(_log_gamma("beta", shape, a, wide, k) for a, k in zip((alpha, beta), keys))))


def _log_gamma(name: str, shape: Shape, alpha: Any, wide: str, seed: Seed) -> Tensor:
    """The logarithm of a draw of `gamma`."""
    for_normals, for_tries, for_small = _split(seed, 3)
    alpha = _parameter(name, alpha, shape, wide)
    d = ops.where(alpha < 1, alpha + 1, alpha) - 1 / 3
    z = normal((_TRIES, *shape), dtype=wide, seed=for_normals)
    v = ops.maximum(1 + z / ops.sqrt(9 * d), 1e-6) ** 3
    good = ops.log(1 - uniform((_TRIES, *shape), dtype=wide, seed=for_tries)) < z * z / 2 + d * (1 - v + ops.log(v))
    v = ops.squeeze(ops.take_along_axis(v, ops.expand_dims(ops.argmax(good, axis=0), 0), axis=0), 0)
    small = ops.log(1 - uniform(shape, dtype=wide, seed=for_small)) / alpha
    return ops.log(d * v) + ops.where(alpha < 1, small, 0)


def binomial(shape: Shape, counts: Any, probabilities: Any, dtype: Any = None, seed: Seed = None) -> Tensor:
    """x = how many of `counts` trials succeed, each with one of `probabilities`

    Both have the shape of x, or one that broadcasts to it. Of many trials half are settled at once by the place of
    their median, a draw of `beta` (Relles 1972), until 32 are left.

    >>> binomial((3,), 10, 0.5, seed=1).numpy()
    array([4., 6., 5.], dtype=float32)
    """
    dtype, wide = _float_dtype("binomial", dtype)
    if (symbolic := _outline(shape, dtype, seed)) is not None:
        return symbolic
    n, p = (_parameter("binomial", x, shape, wide) for x in (counts, probabilities))
    halvings = max(math.ceil(math.log2(max(np.max(counts, initial=1), 1) / 32)), 0)
    *keys, last = _split(seed, halvings + 1)
    total = ops.zeros(shape, wide)
    for key in keys:
        place = ops.floor((n + 1) / 2)
        median = _beta(shape, ops.maximum(place, 1), ops.maximum(n + 1 - place, 1), wide, key)
        below = median <= p
        total = total + ops.where(below, place, 0)
        n = ops.maximum(ops.where(below, n - place, place - 1), 0)
        p = ops.clip(ops.where(below, (p - median) / (1 - median), p / median), 0, 1)
    trial = ops.reshape(ops.arange(32, dtype=wide), (32,) + (1,) * len(shape))
    won = ops.logical_and(uniform((32, *shape), dtype=wide, seed=last) < p, trial < n)
    return ops.cast(total + ops.sum(ops.cast(won, wide), axis=0), dtype)


def _parameter(name: str, value: Any, shape: Shape, dtype: str) -> Tensor:
    """A parameter of a distribution, for each draw."""
    value = as_tensor(value, dtype)
    fits = value.ndim <= len(shape) and all(a in (1, b) for a, b in zip(value.shape[::-1], shape[::-1], strict=False))
    expect(f"{name}: a parameter's shape", value.shape, fits, f"one that broadcasts to {tuple(shape)}")
    return ops.broadcast_to(value, tuple(shape))  # type: ignore[arg-type]


def _split(seed: Seed, n: int) -> list[Tensor]:
    """n keys of draws that do not depend on each other."""
    words = backend().random_bits(draw_key(seed), 2 * n)
    return [Tensor(words[2 * i : 2 * i + 2]) for i in range(n)]


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
