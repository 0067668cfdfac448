"""What variables start from. An initializer is a function (shape, dtype) -> Tensor with a configuration.

Random ones draw on the host, so a model starts from the same weights on every backend. One instance is one draw: called
again with the same shape it returns the same values, unless its seed is a `SeedGenerator`.
"""

import math
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any

import numpy as np

from . import config, ops, random
from .autograd import Tensor, as_tensor, raw
from .backends import backend
from .catalog import Names
from .dtypes import standardize_dtype
from .lazy import need, public_only
from .naming import expect, one_of
from .serialization import Configurable, lookups

__all__ = [
    "Constant", "GlorotNormal", "GlorotUniform", "HeNormal", "HeUniform", "Identity", "IdentityInitializer",
    "Initializer", "LecunNormal", "LecunUniform", "Ones", "Orthogonal", "OrthogonalInitializer", "RandomInitializer",
    "RandomNormal", "RandomUniform", "STFT", "STFTInitializer",
    "TruncatedNormal", "VarianceScaling", "Zeros", "constant", "glorot_normal",
    "glorot_uniform", "he_normal", "he_uniform", "identity", "lecun_normal", "lecun_uniform", "ones", "orthogonal",
    "random_normal", "random_uniform", "stft", "truncated_normal", "variance_scaling", "zeros", "deserialize", "get",
    "serialize",
]  # fmt: skip
public_only(__name__)

Axes = Sequence[int] | None
Seed = int | random.SeedGenerator | None


class Initializer(Configurable):
    """The base class: define `__call__(shape, dtype=None)`, and `get_config` where an argument is not plain data.

    >>> class Countdown(Initializer):
    ...     def __call__(self, shape, dtype=None):
    ...         return ops.arange(shape[0] - 1, -1, -1, dtype=dtype)
    >>> Countdown()((3,), "int32")
    Tensor([2, 1, 0], shape=(3,), dtype=int32)
    """

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> Tensor:
        raise NotImplementedError(f"{type(self).__name__}: define __call__(self, shape, dtype=None)")


class Zeros(Initializer):
    """w = 0"""

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> Tensor:
        return ops.zeros(shape, dtype)


class Ones(Initializer):
    """w = 1"""

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> Tensor:
        return ops.ones(shape, dtype)


class Constant(Initializer):
    """w = value, a number or an array that broadcasts to the shape

    >>> Constant([1, 2])((2, 2))
    Tensor([[1., 2.],
           [1., 2.]], shape=(2, 2), dtype=float32)
    """

    def __init__(self, value: Any = 0.0) -> None:
        self.value = value

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> Tensor:
        return ops.broadcast_to(as_tensor(self.value, standardize_dtype(dtype)), tuple(shape))


class Identity(Initializer):
    """w_ij = gain where i = j, else 0

    >>> Identity(2.0)((2, 3))
    Tensor([[2., 0., 0.],
           [0., 2., 0.]], shape=(2, 3), dtype=float32)
    """

    def __init__(self, gain: float = 1.0) -> None:
        self.gain = gain

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> Tensor:
        expect("Identity: shape", tuple(shape), len(shape) == 2, "two sizes (rows, columns)")
        return ops.eye(shape[0], shape[1], dtype=dtype) * self.gain


class STFT(Initializer):
    """w[t, 0, f] = cos or sin(-2 pi t f / n) window[t] / scale: the kernels of a Fourier transform of short pieces

    shape (frame_length, 1, frequencies), n = 2 (frequencies - 1).

    Args:
        side: "real", the cosines, or "imag", the sines.
        window: "hann", "hamming", "blackman", "bartlett", another one that SciPy has, an array, or None.
        scaling: "density", scale = sqrt(sum of window^2); "spectrum", the sum of |window|; None: 1.
        periodic: whether the window is that of a period, rather than symmetrical.

    >>> STFT("real", window=None)((2, 1, 3)).numpy().round(6)
    array([[[ 1.,  1.,  1.]],
    <BLANKLINE>
           [[ 1.,  0., -1.]]], dtype=float32)
    """

    def __init__(
        self, side: str = "real", window: Any = "hann", scaling: str | None = "density", periodic: bool = False
    ) -> None:
        self.side = one_of("STFT: side", side, "real", "imag")
        self.scaling = one_of("STFT: scaling", scaling, None, "density", "spectrum")
        self.window, self.periodic = window, periodic
        if isinstance(window, str):
            self._weights(1)

    def _weights(self, length: int) -> np.ndarray:
        """The window."""
        if isinstance(self.window, str):
            if self.window not in _WINDOWS:
                need(f"STFT: window {self.window!r}", "scipy.signal", "sklearn")
                return import_module("scipy.signal").get_window(self.window, length, self.periodic)
            return _WINDOWS[self.window](length + self.periodic)[:length]
        weights = np.asarray(self.window, "float64")
        expect("STFT: window", weights.shape, weights.shape == (length,), f"({length},)")
        return weights

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> Tensor:
        length, _, frequencies = shape
        turns = -2 * np.pi * np.arange(length)[:, None, None] * np.arange(frequencies) / (2 * (frequencies - 1))
        kernel = np.cos(turns) if self.side == "real" else np.sin(turns)
        if self.window is not None:
            weights = self._weights(length)
            scales = {"density": np.sqrt(np.sum(weights**2)), "spectrum": np.sum(np.abs(weights)), None: 1.0}
            kernel = kernel * weights[:, None, None] / scales[self.scaling]
        return as_tensor(kernel, standardize_dtype(dtype))


_WINDOWS = {"hann": np.hanning, "hamming": np.hamming, "blackman": np.blackman, "bartlett": np.bartlett}


class RandomInitializer(Initializer):
    """The base class of those that draw: from `seed`, a number or a `SeedGenerator`, without one from the process's."""

    def __init__(self, seed: Seed = None) -> None:
        self.seed = seed
        self._seed = random.fresh_seed() if seed is None else seed
        if not isinstance(self._seed, random.SeedGenerator):
            random.checked_seed(self._seed)

    def draw(self, distribution: Callable[..., Tensor], shape: Sequence[int], *bounds: float, dtype: Any) -> Tensor:
        """`distribution`, a function of `layerwise.random`, drawn on the host."""
        key = backend().numpy(random.draw_key(self._seed))
        with config.override(backend=config.REFERENCE):
            values = raw(distribution(shape, *bounds, dtype=dtype, seed=key))
        return as_tensor(values)


class RandomNormal(RandomInitializer):
    """w ~ N(mean, σ²), σ = stddev; `seed`: as of `RandomInitializer`"""

    def __init__(self, mean: float = 0.0, stddev: float = 0.05, seed: Seed = None) -> None:
        super().__init__(seed)
        self.mean, self.stddev = mean, stddev

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> Tensor:
        return self.draw(random.normal, shape, self.mean, self.stddev, dtype=dtype)


class TruncatedNormal(RandomNormal):
    """w ~ N(mean, stddev²) given that |w - mean| <= 2 stddev; `seed`: as of `RandomInitializer`"""

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> Tensor:
        return self.draw(random.truncated_normal, shape, self.mean, self.stddev, dtype=dtype)


class RandomUniform(RandomInitializer):
    """w ~ U[minval, maxval); `seed`: as of `RandomInitializer`"""

    def __init__(self, minval: float = -0.05, maxval: float = 0.05, seed: Seed = None) -> None:
        super().__init__(seed)
        self.minval, self.maxval = minval, maxval

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> Tensor:
        return self.draw(random.uniform, shape, self.minval, self.maxval, dtype=dtype)


TRUNCATED_STDDEV = 0.87962566103423978  # of a standard normal variable cut off at ±2


class VarianceScaling(RandomInitializer):
    """Var(w) = scale / n, with n the inputs (fan_in) or outputs (fan_out) of a unit, or the mean of both (fan_avg)

    A dense kernel is (inputs, outputs); for a convolution's, (taps..., inputs, outputs), both count the taps, too.
    `input_axes` and `output_axes`, given together, say which sizes to multiply otherwise. `mode` chooses n. The
    `distribution` is "truncated_normal" (at two standard deviations), "untruncated_normal" or "uniform"; `seed`: as of
    `RandomInitializer`.

    >>> kernel = VarianceScaling(2.0, "fan_in", seed=1)((100, 200))
    >>> abs(ops.std(kernel).item() - (2 / 100) ** 0.5) < 0.001
    True
    """

    def __init__(
        self,
        scale: float = 1.0,
        mode: str = "fan_in",
        distribution: str = "truncated_normal",
        seed: Seed = None,
        input_axes: Axes = None,
        output_axes: Axes = None,
    ) -> None:
        name = type(self).__name__
        expect(f"{name}: scale", scale, lambda scale: scale > 0, "a number > 0")
        one_of(f"{name}: mode", mode, "fan_in", "fan_out", "fan_avg")
        distribution = "truncated_normal" if distribution == "normal" else distribution
        one_of(f"{name}: distribution", distribution, "truncated_normal", "untruncated_normal", "uniform")
        super().__init__(seed)
        self.scale, self.mode, self.distribution = scale, mode, distribution
        self.input_axes, self.output_axes = input_axes, output_axes

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> Tensor:
        fan_in, fan_out = self._fans(tuple(shape))
        n = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}[self.mode]
        stddev = math.sqrt(self.scale / max(1.0, n))
        match self.distribution:
            case "truncated_normal":
                return self.draw(random.truncated_normal, shape, 0.0, stddev / TRUNCATED_STDDEV, dtype=dtype)
            case "untruncated_normal":
                return self.draw(random.normal, shape, 0.0, stddev, dtype=dtype)
        limit = math.sqrt(3.0) * stddev
        return self.draw(random.uniform, shape, -limit, limit, dtype=dtype)

    def _fans(self, shape: tuple[int, ...]) -> tuple[int, int]:
        if self.input_axes is not None and self.output_axes is not None:
            return math.prod(shape[a] for a in self.input_axes), math.prod(shape[a] for a in self.output_axes)
        if len(shape) < 2:
            return math.prod(shape), math.prod(shape)
        taps = math.prod(shape[:-2])
        return taps * shape[-2], taps * shape[-1]


class GlorotNormal(VarianceScaling):
    """w ~ truncated normal with variance 2 / (fan_in + fan_out)        Glorot, Bengio (2010), also called Xavier

    seed, input_axes, output_axes: as of `VarianceScaling`.
    """

    def __init__(self, seed: Seed = None, input_axes: Axes = None, output_axes: Axes = None) -> None:
        super().__init__(1.0, "fan_avg", "truncated_normal", seed, input_axes, output_axes)


class GlorotUniform(VarianceScaling):
    """w ~ U[-a, a), a = sqrt(6 / (fan_in + fan_out))        Glorot, Bengio (2010), also called Xavier

    seed, input_axes, output_axes: as of `VarianceScaling`.

    >>> kernel = GlorotUniform(seed=1)((2, 4))
    >>> bool(ops.max(abs(kernel.numpy())) < 1)
    True
    """

    def __init__(self, seed: Seed = None, input_axes: Axes = None, output_axes: Axes = None) -> None:
        super().__init__(1.0, "fan_avg", "uniform", seed, input_axes, output_axes)


class HeNormal(VarianceScaling):
    """w ~ truncated normal with variance 2 / fan_in        for relu: He, Zhang, Ren, Sun (2015)

    seed, input_axes, output_axes: as of `VarianceScaling`.
    """

    def __init__(self, seed: Seed = None, input_axes: Axes = None, output_axes: Axes = None) -> None:
        super().__init__(2.0, "fan_in", "truncated_normal", seed, input_axes, output_axes)


class HeUniform(VarianceScaling):
    """w ~ U[-a, a), a = sqrt(6 / fan_in)        for relu: He, Zhang, Ren, Sun (2015)

    seed, input_axes, output_axes: as of `VarianceScaling`.
    """

    def __init__(self, seed: Seed = None, input_axes: Axes = None, output_axes: Axes = None) -> None:
        super().__init__(2.0, "fan_in", "uniform", seed, input_axes, output_axes)


class LecunNormal(VarianceScaling):
    """w ~ truncated normal with variance 1 / fan_in        for selu: Klambauer et al. (2017)

    seed, input_axes, output_axes: as of `VarianceScaling`.
    """

    def __init__(self, seed: Seed = None, input_axes: Axes = None, output_axes: Axes = None) -> None:
        super().__init__(1.0, "fan_in", "truncated_normal", seed, input_axes, output_axes)


class LecunUniform(VarianceScaling):
    """w ~ U[-a, a), a = sqrt(3 / fan_in)        LeCun, Bottou, Orr, Müller: Efficient BackProp (1998)

    seed, input_axes, output_axes: as of `VarianceScaling`.
    """

    def __init__(self, seed: Seed = None, input_axes: Axes = None, output_axes: Axes = None) -> None:
        super().__init__(1.0, "fan_in", "uniform", seed, input_axes, output_axes)


class Orthogonal(RandomInitializer):
    """w = gain Q with orthonormal columns (rows where there are fewer of them), uniform among all such matrices

    A shape (..., n) is filled as a matrix of n columns. Q comes from the QR decomposition of a normal matrix, signs
    chosen so that R's diagonal is positive. Saxe, McClelland, Ganguli (2014).

    >>> q = Orthogonal(seed=1)((3, 2)).numpy()
    >>> bool(abs(q.T @ q - np.eye(2)).max() < 1e-6)
    True
    """

    def __init__(self, gain: float = 1.0, seed: Seed = None) -> None:
        super().__init__(seed)
        self.gain = gain

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> Tensor:
        expect("Orthogonal: shape", tuple(shape), len(shape) >= 2, "at least two sizes")
        rows, columns = math.prod(shape[:-1]), shape[-1]
        dtype = standardize_dtype(dtype)
        wide = "float64" if dtype == "float64" else "float32"
        normal = self.draw(random.normal, (max(rows, columns), min(rows, columns)), dtype=wide)
        q, r = np.linalg.qr(normal.numpy())
        q = q * np.where(np.diag(r) < 0, -1, 1).astype(wide)
        return as_tensor(self.gain * (q if rows >= columns else q.T).reshape(shape), dtype)


zeros, ones, constant, identity, orthogonal, stft = Zeros, Ones, Constant, Identity, Orthogonal, STFT
random_normal, truncated_normal, random_uniform = RandomNormal, TruncatedNormal, RandomUniform
variance_scaling = VarianceScaling
glorot_normal, glorot_uniform = GlorotNormal, GlorotUniform
he_normal, he_uniform = HeNormal, HeUniform
lecun_normal, lecun_uniform = LecunNormal, LecunUniform
IdentityInitializer, OrthogonalInitializer, STFTInitializer = Identity, Orthogonal, STFT

_SHORT = {"zero": "Zeros", "one": "Ones", "normal": "RandomNormal", "uniform": "RandomUniform"}
_named, serialize, deserialize = lookups(
    "initializer", Names("initializers", but="Initializer RandomInitializer", short=_SHORT), example="he_normal"
)


def get(identifier: Any) -> Any:
    """The initializer that `identifier` means: a name as 'he_normal', a configuration, a class or itself; an array.

    >>> get(np.ones(2))((2,))
    Tensor([1., 1.], shape=(2,), dtype=float32)
    """
    return Constant(as_tensor(identifier).numpy()) if hasattr(identifier, "__array__") else _named(identifier)
