"""Fourier transforms."""

from __future__ import annotations

from typing import Any

import numpy as np

from .sample import normal, sample


def parts(z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return z.real, z.imag


def pair(*shape: int) -> tuple[np.ndarray, np.ndarray]:
    return normal(*shape), normal(*shape)


for name, f in {"fft": np.fft.fft, "fft2": np.fft.fft2, "ifft2": np.fft.ifft2}.items():
    sample(name, pair(2, 3, 4), reference=lambda x, f=f: parts(f(x[0] + 1j * x[1])))
sample(
    "_fft",
    *pair(2, 5),
    reference=lambda re, im, axes, inverse: parts(np.fft.ifft(re + 1j * im)),
    kwargs={"axes": (-1,), "inverse": True},
    batch=(0, 1),
)
for length in (None, 6, 3, 5):
    sample(
        "rfft",
        normal(2, 5),
        reference=lambda x, fft_length: parts(np.fft.rfft(x, fft_length)),
        kwargs={"fft_length": length},
    )
    sample(
        "irfft",
        parts(np.fft.rfft(normal(2, 6))),
        reference=lambda x, fft_length: np.fft.irfft(x[0] + 1j * x[1], fft_length),
        kwargs={"fft_length": length},
    )
sample("_rfft", normal(2, 5), reference=lambda x: parts(np.fft.rfft(x)))
sample(
    "_irfft",
    *pair(2, 3),
    reference=lambda re, im, length: np.fft.irfft(re + 1j * im, length),
    kwargs={"length": 5},
    batch=(0, 1),
)


def window_of(name: Any, n: int) -> np.ndarray:
    shares = {"hann": 0.5, "hamming": 0.54}
    return np.ones(n) if name is None else shares[name] - (1 - shares[name]) * np.cos(2 * np.pi * np.arange(n) / n)


def pieces(x: np.ndarray, length: int, stride: int, n: int, window: Any = "hann", center: bool = True) -> Any:
    x = np.pad(x, ((0, 0), (n // 2, n // 2)), mode="reflect") if center else x
    weights = np.zeros(n) if window is not None else np.ones(n)
    if window is not None:
        weights[(n - length) // 2 : (n - length) // 2 + length] = window_of(window, length)
    starts = range(0, x.shape[1] - n + 1, stride)
    return parts(np.fft.rfft(np.stack([x[:, i : i + n] * weights for i in starts], 1)))


for how in ({"window": "hamming"}, {"window": None, "center": False}, {}):
    sample("stft", normal(2, 11), 4, 2, 6, reference=pieces, kwargs=how, batch=() if how else (0,))
signal = normal(2, 12)
for how in ({"center": True, "length": 12}, {"center": False, "window": "hamming"}):
    options = {k: v for k, v in how.items() if k != "length"}
    sample(
        "istft",
        pieces(signal, 4, 2, 4, **options),
        4,
        2,
        4,
        reference=lambda *args, **_: signal,
        kwargs=how,
    )
