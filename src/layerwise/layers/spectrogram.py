"""Sounds as pictures: how strong each frequency is, over time."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from .. import config, ops
from ..autograd import Spec, Tensor, as_tensor
from ..config import checked_data_format
from ..initializers import STFT
from ..naming import expect, one_of, whole_number
from .base import Layer
from .input_spec import InputSpec

MODES = ("log", "magnitude", "psd", "real", "imag", "angle", "stft")


class STFTSpectrogram(Layer):
    """y[n, t, f] = the strength of frequency f in the piece of x that begins at t `frame_step`

    re + i im = the sum over the piece of x window e^(-2 pi i f time / `fft_length`), a convolution whose kernels are
    weights: they are the transform's until training changes them. x (N, time, C) -> (N, pieces, C F) with
    F = fft_length / 2 + 1 frequencies, or (N, pieces, F, C) with `expand_dims`; channels come second with
    `data_format="channels_first"`, and before the frequencies.

    Args:
        mode: "magnitude", sqrt(re^2 + im^2); "log", its logarithm; "psd", its square, twice that but for the first and
            last frequency; "real", "imag", "angle", of the numbers themselves; "stft", real and imaginary parts.
        frame_length: how long a piece is.
        frame_step: how far apart pieces begin, by default half of that.
        fft_length: by default the next power of two.
        window: "hann", "hamming" or another one that SciPy has, an array (frame_length,), or None.
        periodic: whether the window is that of a period, rather than symmetrical.
        scaling: "density", divided by sqrt(sum of window^2); "spectrum", by the sum of |window|; None: by nothing.
        padding: "valid", or "same": zeros at both ends.
        expand_dims: whether frequencies and channels have axes of their own.
        data_format: "channels_last" or "channels_first"; None: as configured.

    >>> from layerwise import layers, ops
    >>> layers.STFTSpectrogram(frame_length=256, fft_length=512)(ops.zeros((3, 16000, 2))).shape
    (3, 124, 514)
    """

    def __init__(
        self,
        mode: str = "log",
        frame_length: int = 256,
        frame_step: int | None = None,
        fft_length: int | None = None,
        window: Any = "hann",
        periodic: bool = False,
        scaling: str | None = "density",
        padding: str = "valid",
        expand_dims: bool = False,
        data_format: str | None = None,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self.mode = one_of("STFTSpectrogram: mode", mode, *MODES)
        self.frame_length = whole_number("STFTSpectrogram: frame_length", frame_length)
        self._step = frame_length // 2 if frame_step is None else frame_step
        expect("STFTSpectrogram: frame_step", frame_step, 1 <= self._step <= frame_length, f"1 ... {frame_length}")
        self._length = 2 ** int(np.ceil(np.log2(frame_length))) if fft_length is None else fft_length
        expect("STFTSpectrogram: fft_length", fft_length, self._length >= frame_length, f"at least {frame_length}")
        if self._length & -self._length != self._length:
            warnings.warn(f"STFTSpectrogram: fft_length: got {fft_length}; powers of two are faster", stacklevel=2)
        self.frame_step, self.fft_length, self.window, self.periodic = frame_step, fft_length, window, periodic
        self.scaling, self.padding = scaling, one_of("STFTSpectrogram: padding", padding, "valid", "same")
        self._kernel("real")  # says what is wrong with the window and its scaling
        self.expand_dims, self.data_format = expand_dims, checked_data_format(data_format)
        self.input_spec = InputSpec(ndim=3)

    def _kernel(self, side: str) -> STFT:
        return STFT(side, self.window, self.scaling, self.periodic)

    def build(self, input_shape: Any) -> None:
        shape = (self.frame_length, 1, self._length // 2 + 1)
        self.real_kernel = self.imag_kernel = None
        if self.mode != "imag":
            self.real_kernel = self.add_weight(shape, self._kernel("real"), name="real_kernel")
        if self.mode != "real":
            self.imag_kernel = self.add_weight(shape, self._kernel("imag"), name="imag_kernel")

    def call(self, inputs: Tensor) -> Tensor:
        if not inputs.dtype.startswith("float"):
            raise TypeError(f"layer {self.name!r} (STFTSpectrogram): got {inputs.dtype}, expected floats")
        x = inputs if self.data_format == "channels_first" else ops.swapaxes(inputs, 1, 2)  # (N, C, time)
        channels = ops.reshape(x, (-1, x.shape[2], 1))

        def part(kernel: Any) -> Tensor:
            """(N, C, pieces, frequencies)"""
            y = ops.conv(channels, kernel, self._step, self.padding, "channels_last")
            return ops.reshape(y, (*x.shape[:2], *y.shape[1:]))

        return self._arranged(self._strength(part))

    def _strength(self, part: Any) -> Tensor:
        if self.mode in ("real", "imag"):
            return part(self.real_kernel if self.mode == "real" else self.imag_kernel)
        real, imag = part(self.real_kernel), part(self.imag_kernel)
        if self.mode == "angle":
            return ops.arctan2(imag, real)
        if self.mode == "stft":
            return ops.concatenate([real, imag], -1)
        power = ops.square(real) + ops.square(imag)
        if self.mode == "psd":
            return power + ops.pad(power[..., 1:-1], ((0, 0), (0, 0), (0, 0), (1, 1)))
        magnitude = ops.sqrt(ops.maximum(power, config.epsilon()))
        return magnitude if self.mode == "magnitude" else ops.log(ops.maximum(magnitude, config.epsilon()))

    def _arranged(self, y: Tensor) -> Tensor:
        n, channels, pieces, frequencies = y.shape
        if self.expand_dims:
            return y if self.data_format == "channels_first" else ops.transpose(y, (0, 2, 3, 1))
        if self.data_format == "channels_first":
            return ops.reshape(ops.swapaxes(y, 2, 3), (n, channels * frequencies, pieces))
        return ops.reshape(ops.swapaxes(y, 1, 2), (n, pieces, channels * frequencies))

    def compute_output_shape(self, input_shape: Any) -> Any:
        first = self.data_format == "channels_first"
        n, time, channels = (input_shape[i] for i in ((0, 2, 1) if first else (0, 1, 2)))
        pieces = time
        if time is not None:
            pieces = -(-time // self._step) if self.padding == "same" else (time - self.frame_length) // self._step + 1
        frequencies = (self._length // 2 + 1) * (2 if self.mode == "stft" else 1)
        if self.expand_dims:
            return (n, channels, pieces, frequencies) if first else (n, pieces, frequencies, channels)
        together = None if channels is None else channels * frequencies
        return (n, together, pieces) if first else (n, pieces, together)


class MelSpectrogram(Layer):
    """y[..., m, t] = how strong the frequencies around m are at time t, on the mel scale, mostly in decibels

    The magnitudes of `ops.stft`, to the power of `mag_exp`, are summed in triangles that overlap by half and whose
    corners lie evenly on the scale mel = 1127 log(1 + hertz / 700), which is how far apart tones sound. x (n,) or
    (N, n) -> (num_mel_bins, pieces) or (N, num_mel_bins, pieces).

    Args:
        fft_length: length of the transform.
        sequence_stride: how far apart pieces begin.
        sequence_length: length of a piece, by default fft_length.
        window: "hann", "hamming", an array, or None.
        sampling_rate: numbers of x in a second.
        num_mel_bins: how many triangles there are.
        min_freq, max_freq: hertz at which the first begins and the last ends, by default at half of sampling_rate.
        power_to_db: whether the result is 10 log10(y / ref_power).
        top_db: how far it may lie below its maximum; what is less is raised to that.
        mag_exp: 1 for energy, 2 for power.
        min_power: what the logarithm is taken of at least.
        ref_power: what 0 decibel is.

    >>> from layerwise import layers, ops
    >>> layers.MelSpectrogram(num_mel_bins=64)(ops.zeros((2, 16000))).shape
    (2, 64, 32)
    """

    built = True

    def __init__(
        self,
        fft_length: int = 2048,
        sequence_stride: int = 512,
        sequence_length: int | None = None,
        window: Any = "hann",
        sampling_rate: int = 16000,
        num_mel_bins: int = 128,
        min_freq: float = 20.0,
        max_freq: float | None = None,
        power_to_db: bool = True,
        top_db: float = 80.0,
        mag_exp: float = 2.0,
        min_power: float = 1e-10,
        ref_power: float = 1.0,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self.fft_length = whole_number("MelSpectrogram: fft_length", fft_length)
        self.sequence_length = sequence_length or fft_length
        expect("MelSpectrogram: sequence_length", sequence_length, self.sequence_length <= fft_length,
               f"at most fft_length = {fft_length}")  # fmt: skip
        self.sequence_stride, self.window, self.sampling_rate = sequence_stride, window, sampling_rate
        self.num_mel_bins, self.min_freq, self.max_freq = num_mel_bins, min_freq, max_freq or int(sampling_rate / 2)
        self.power_to_db, self.top_db, self.mag_exp = power_to_db, top_db, mag_exp
        self.min_power, self.ref_power = min_power, ref_power

    def call(self, inputs: Tensor) -> Tensor:
        x = as_tensor(inputs, "float64" if self.compute_dtype == "float64" else "float32")
        real, imag = ops.stft(x, self.sequence_length, self.sequence_stride, self.fft_length, self.window)
        magnitude = ops.sqrt(ops.square(real) + ops.square(imag))
        mel = ops.matmul(magnitude**self.mag_exp, as_tensor(self.triangles(), x.dtype))
        if self.power_to_db:
            reference = max(abs(self.ref_power), self.min_power)
            mel = 10 * ops.log10(ops.maximum(mel, self.min_power)) - 10 * np.log10(reference)
            mel = ops.maximum(mel, ops.max(mel) - self.top_db)
        return ops.cast(ops.swapaxes(mel, -1, -2), self.compute_dtype)

    def triangles(self) -> np.ndarray:
        """How much each frequency counts for each bin, (fft_length / 2 + 1, num_mel_bins)."""
        return self.linear_to_mel_weight_matrix(
            self.num_mel_bins, self.fft_length // 2 + 1, self.sampling_rate, self.min_freq, self.max_freq
        )

    def linear_to_mel_weight_matrix(
        self,
        num_mel_bins: int = 20,
        num_spectrogram_bins: int = 129,
        sampling_rate: int = 8000,
        lower_edge_hertz: float = 125.0,
        upper_edge_hertz: float = 3800.0,
        dtype: str = "float32",
    ) -> np.ndarray:
        """How much each of num_spectrogram_bins frequencies from 0 to sampling_rate / 2 counts for each mel bin.

        The triangles rise from 0 to 1 and fall to 0 again, the first from lower_edge_hertz on, the last until
        upper_edge_hertz; frequency 0 counts nowhere (Young and others: The HTK book).
        """
        frequencies = _mel(np.linspace(0, sampling_rate / 2, num_spectrogram_bins)[1:, None])
        corners = np.linspace(_mel(lower_edge_hertz), _mel(upper_edge_hertz), num_mel_bins + 2)
        low, middle, high = corners[:-2], corners[1:-1], corners[2:]
        rising, falling = (frequencies - low) / (middle - low), (high - frequencies) / (high - middle)
        return np.pad(np.maximum(0, np.minimum(rising, falling)), ((1, 0), (0, 0))).astype(dtype)

    def compute_output_spec(self, inputs: Any) -> Any:
        n, half = inputs.shape[-1], self.fft_length // 2
        pieces = None if n is None else (n + 2 * half - self.fft_length) // self.sequence_stride + 1
        return Tensor(Spec((*inputs.shape[:-1], self.num_mel_bins, pieces), self.compute_dtype))


def _mel(hertz: Any) -> Any:
    return 1127.0 * np.log(1.0 + hertz / 700.0)
