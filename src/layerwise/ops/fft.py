"""Fourier transforms. A complex array is a pair of real ones, the real and the imaginary part, as in Keras.

All transforms are linear: the gradient of each is another one, so there are derivatives of any order.
"""

from typing import Any

import numpy as np

from .. import config
from ..autograd import Array, Spec, Tensor, as_tensor, cast, primitive
from ..backends import xp
from ..dtypes import is_float, result_type
from ..naming import expect, one_of, whole_number
from .arranging import windows_of
from .comparison import where
from .indexing import _add_at, take
from .making import convert_to_tensor, ones
from .reduction import wide_dtype
from .shaping import pad

__all__ = ["fft", "fft2", "ifft2", "irfft", "istft", "rfft", "stft"]


def fft(x: tuple[Any, Any]) -> tuple[Tensor, Tensor]:
    """Y_k = sum over n of x_n e^(-2 pi i k n / N) along the last axis; x and y are (real, imaginary)

    >>> fft(([1.0, 0.0], [0.0, 0.0]))[0]
    Tensor([1., 1.], shape=(2,), dtype=float32)
    """
    return _transformed("fft", x, (-1,), inverse=False)


def fft2(x: tuple[Any, Any]) -> tuple[Tensor, Tensor]:
    """Y = `fft` along the last axis and the one before it; x and y are (real, imaginary)"""
    return _transformed("fft2", x, (-2, -1), inverse=False)


def ifft2(x: tuple[Any, Any]) -> tuple[Tensor, Tensor]:
    """y with fft2(y) = x: sums over e^(+2 pi i k n / N), divided by their length; x and y are (real, imaginary)"""
    return _transformed("ifft2", x, (-2, -1), inverse=True)


def _transformed(name: str, x: Any, axes: tuple[int, ...], inverse: bool) -> tuple[Tensor, Tensor]:
    re, im = _pair(name, x)
    expect(f"{name}: x", re.shape, re.ndim >= len(axes), f"at least {len(axes)} dimensions")
    return _fft(re, im, axes=axes, inverse=inverse)


def _pair(name: str, x: Any) -> list[Tensor]:
    """The real and the imaginary part, of one shape."""
    expect(f"{name}: x", type(x).__name__, isinstance(x, tuple | list) and len(x) == 2, "a pair (real, imaginary)")
    re, im = (as_tensor(part) for part in x)
    if re.shape != im.shape or not (is_float(re.dtype) and is_float(im.dtype)):
        raise ValueError(
            f"{name}: x: got {re.dtype} {re.shape} and {im.dtype} {im.shape}, "
            "expected a real and an imaginary part of one shape, both of fractions"
        )
    dtype = wide_dtype(result_type(re.dtype, im.dtype))
    return [cast(part, dtype=dtype) for part in (re, im)]


@primitive
def _fft(re: Array, im: Array, *, axes: tuple[int, ...], inverse: bool) -> Any:
    """The discrete Fourier transform along axes: real and imaginary parts of both"""
    y = (xp().fft.ifftn if inverse else xp().fft.fftn)(re + 1j * im, axes=axes)
    return y.real.astype(re.dtype), y.imag.astype(re.dtype)


@_fft.gradient
def _(g, re_shape, *, axes, inverse):
    known = next(part for part in g if part is not None)
    re, im = (known * 0 if part is None else part for part in g)
    count = int(np.prod([re_shape[axis] for axis in axes]))
    scale = 1 / count if inverse else count
    return tuple(part * scale for part in _fft(re, im, axes=axes, inverse=not inverse))


@_fft.shape
def _(re, im, *, axes, inverse):
    return re, re


def rfft(x: Any, fft_length: int | None = None) -> tuple[Tensor, Tensor]:
    """(real, imaginary) of Y_k = sum over n of x_n e^(-2 pi i k n / N) for k = 0 ... N / 2, for real x

    Along the last axis, which is cut, or filled with zeros, to N = fft_length where that is given. The other half of Y
    mirrors this one.

    >>> rfft([1.0, 2.0, 3.0, 4.0])[0]
    Tensor([10., -2., -2.], shape=(3,), dtype=float32)
    """
    x = as_tensor(x)
    x = cast(x, dtype=wide_dtype(x.dtype if is_float(x.dtype) else config.floatx()))
    return _rfft(_of_length(x, x.shape[-1] if fft_length is None else fft_length))


def irfft(x: tuple[Any, Any], fft_length: int | None = None) -> Tensor:
    """The real y of N numbers with rfft(y) = x, for x (real, imaginary)

    N: fft_length, by default 2 (n - 1) for n along the last axis of x, which is cut, or filled with zeros, to N / 2 +
    1.

    >>> irfft(rfft([1.0, 2.0, 3.0, 4.0]))
    Tensor([1., 2., 3., 4.], shape=(4,), dtype=float32)
    """
    re, im = _pair("irfft", x)
    length = 2 * (re.shape[-1] - 1) if fft_length is None else fft_length
    return _irfft(*(_of_length(part, length // 2 + 1) for part in (re, im)), length=length)


def _of_length(x: Tensor, n: int) -> Tensor:
    """x with n numbers along its last axis: the first, or zeros behind them."""
    if x.shape[-1] >= n:
        return x[..., :n] if x.shape[-1] > n else x
    return pad(x, ((0, 0),) * (x.ndim - 1) + ((0, n - x.shape[-1]),))


@primitive
def _rfft(x: Array) -> Any:
    """(real, imaginary) half of the discrete Fourier transform of real x"""
    y = xp().fft.rfft(x, axis=-1)
    return y.real.astype(x.dtype), y.imag.astype(x.dtype)


@primitive
def _irfft(re: Array, im: Array, *, length: int) -> Array:
    """The real numbers, `length` of them, whose discrete Fourier transform begins with these"""
    return xp().fft.irfft(re + 1j * im, n=length, axis=-1).astype(re.dtype)


def _times_in_whole(length: int, dtype: str) -> np.ndarray:
    """How often each number of the half of a transform stands in all of it."""
    counts = np.full(length // 2 + 1, 2.0)
    counts[0] = 1
    counts[length // 2 :] = 2 - (length % 2 == 0)
    return counts.astype(dtype)


@_rfft.gradient
def _(g, x_shape):
    known = next(part for part in g if part is not None)
    counts = _times_in_whole(x_shape[-1], known.dtype)
    parts = [known * 0 if part is None else part / counts for part in g]
    return _irfft(*parts, length=x_shape[-1]) * x_shape[-1]


@_irfft.gradient
def _(g, *, length):
    counts = _times_in_whole(length, g.dtype) / length
    return tuple(part * counts for part in _rfft(g))


@_rfft.shape
def _(x):
    half = Spec((*x.shape[:-1], x.shape[-1] // 2 + 1), x.dtype)
    return half, half


@_irfft.shape
def _(re, im, *, length):
    return Spec((*re.shape[:-1], length), re.dtype)


# Short pieces of a signal


def stft(
    x: Any, sequence_length: int, sequence_stride: int, fft_length: int, window: Any = "hann", center: bool = True
) -> tuple[Tensor, Tensor]:
    """(real, imaginary) of the `rfft` of all windows of x: pieces of sequence_length that begin sequence_stride apart

    x (..., n) -> (..., pieces, fft_length / 2 + 1). Each piece is multiplied by the `window`, "hann", "hamming", one of
    yours (sequence_length,) or None, and filled up with zeros on both sides to fft_length. center: the first piece is
    centred on the first number, x mirrored before it, and likewise at the end.

    >>> stft([1.0, 2.0, 3.0, 4.0], 2, 2, 2, window=None, center=False)[0]
    Tensor([[ 3., -1.],
            [ 7., -1.]], shape=(2, 2), dtype=float32)
    """
    x = as_tensor(x)
    if x.dtype not in ("float32", "float64"):
        raise TypeError(f"stft: x: got dtype {x.dtype}, expected float32 or float64")
    whole_number("stft: sequence_stride", sequence_stride)
    weights = _weights("stft", window, sequence_length, fft_length, x.dtype)
    if center:
        x = pad(x, ((0, 0),) * (x.ndim - 1) + ((fft_length // 2, fft_length // 2),), mode="reflect")
    pieces = take(x, windows_of(x.shape[-1], fft_length, sequence_stride), axis=-1)
    return rfft(pieces if window is None else pieces * weights)


def istft(
    x: tuple[Any, Any],
    sequence_length: int,
    sequence_stride: int,
    fft_length: int,
    length: int | None = None,
    window: Any = "hann",
    center: bool = True,
) -> Tensor:
    """The y with stft(y) = x, (real, imaginary), or nearest to it: pieces are added up where they lie

    x (..., pieces, fft_length / 2 + 1) -> (..., n), n = `length` if given. sequence_length, sequence_stride,
    fft_length, `window`, `center`: those of `stft`. Each piece counts with the `window`, and the sum is divided by that
    of the window's squares (Griffin & Lim 1984).
    """
    re, im = _pair("istft", x)
    expect("istft: x", re.shape, re.ndim >= 2, "(..., pieces, frequencies)")
    whole_number("istft: sequence_stride", sequence_stride)
    weights = _weights("istft", window, sequence_length, fft_length, re.dtype)
    pieces = irfft((re, im), fft_length) * weights
    whole = fft_length + sequence_stride * (re.shape[-2] - 1)
    places = windows_of(whole, fft_length, sequence_stride)
    y = _add_at(pieces, key=(..., places), shape=(*re.shape[:-2], whole))
    squares = np.zeros(whole)
    np.add.at(squares, places, np.broadcast_to(np.square(np.asarray(weights, "float64")), places.shape))
    if window is None:
        squares *= sequence_stride / fft_length
    y = where(squares > 1e-10, y / np.where(squares > 1e-10, squares, 1).astype(re.dtype), y)
    start = fft_length // 2 if center else 0
    end = start + length if length is not None else whole - start
    return y[..., start:end]


_PERIODIC = {"hann": 0.5, "hamming": 0.54}


def _weights(name: str, window: Any, sequence_length: int, fft_length: int, dtype: str) -> Tensor:
    """The window, with zeros on both sides."""
    if fft_length < sequence_length:
        raise ValueError(f"{name}: fft_length: got {fft_length}, expected at least sequence_length = {sequence_length}")
    if window is None:
        return ones((fft_length,), dtype)
    if isinstance(window, str):
        share = _PERIODIC[one_of(f"{name}: window", window, *_PERIODIC)]
        turns = np.arange(sequence_length) * (2 * np.pi / sequence_length)
        weights = as_tensor(share - (1 - share) * np.cos(turns), dtype)
    else:
        weights = convert_to_tensor(window, dtype)
    expect(f"{name}: window", weights.shape, weights.shape == (sequence_length,), f"({sequence_length},)")
    before = (fft_length - sequence_length) // 2
    return pad(weights, ((before, fft_length - sequence_length - before),))
