"""Spectrograms: a Fourier transform of short pieces is a convolution."""

from typing import Any

import numpy as np

from ... import config, layers, ops
from ...autograd import Tensor
from .builder import Builder, Unsupported, rule


def _transform(b: Builder, x: str, kernel: Any, stride: int, **padding: Any) -> str:
    """x (N, 1, time), kernel (taps, 1, frequencies) -> (N, frequencies, pieces)"""
    return b.add("Conv", x, b.constant(np.transpose(np.asarray(kernel), (2, 1, 0))), strides=[stride], **padding)


def _power(b: Builder, real: str, imag: str) -> str:
    return b.add("Add", b.add("Mul", real, real), b.add("Mul", imag, imag))


@rule(layers.STFTSpectrogram)
def _(b: Builder, layer: Any, xs: list[str], inputs: list[Tensor]) -> str:
    first = layer.data_format == "channels_first"
    shape = layer.compute_output_shape(inputs[0].shape)
    if layer.mode == "angle" or None in shape[1:]:
        raise Unsupported("angles" if layer.mode == "angle" else "a length that is not known")
    x = xs[0] if first else b.add("Transpose", xs[0], perm=[0, 2, 1])
    x = b.add("Reshape", x, b.sizes([-1, 1, inputs[0].shape[2 if first else 1]]))
    padding = {"auto_pad": "SAME_UPPER"} if layer.padding == "same" else {}
    kernels = [kernel for kernel in (layer.real_kernel, layer.imag_kernel) if kernel is not None]
    parts = [_transform(b, x, kernel, layer._step, **padding) for kernel in kernels]
    if layer.mode in ("real", "imag"):
        y = parts[0]
    elif layer.mode == "stft":
        y = b.add("Concat", *parts, axis=1)
    else:
        y = _power(b, *parts)
    if layer.mode == "psd":
        y = b.calculate("Mul", y, np.pad(np.full(layer._length // 2 - 1, 2.0), 1, constant_values=1.0)[:, None])
    if layer.mode in ("magnitude", "log"):
        y = b.add("Sqrt", b.calculate("Max", y, config.epsilon()))
    if layer.mode == "log":
        y = b.add("Log", b.calculate("Max", y, config.epsilon()))
    channels = inputs[0].shape[1 if first else 2]
    if not layer.expand_dims:
        y = b.add("Reshape", y, b.sizes([-1, *(shape[1:] if first else shape[:0:-1])]))
        return y if first else b.add("Transpose", y, perm=[0, 2, 1])
    pieces, frequencies = shape[2:] if first else shape[1:3]
    y = b.add("Reshape", y, b.sizes([-1, channels, frequencies, pieces]))
    return b.add("Transpose", y, perm=[0, 1, 3, 2] if first else [0, 3, 2, 1])


@rule(layers.MelSpectrogram)
def _(b: Builder, layer: Any, xs: list[str], inputs: list[Tensor]) -> str:
    half = layer.fft_length // 2
    x = b.add("Pad", b.add("Unsqueeze", xs[0], b.sizes([1])), b.sizes([0, 0, half, 0, 0, half]), mode="reflect")
    units = np.eye(layer.fft_length, dtype="float32")
    kernels = ops.stft(units, layer.sequence_length, layer.fft_length, layer.fft_length, layer.window, center=False)
    magnitude = b.add("Sqrt", _power(b, *(_transform(b, x, kernel, layer.sequence_stride) for kernel in kernels)))
    y = b.add("MatMul", b.constant(layer.triangles().T), b.calculate("Pow", magnitude, layer.mag_exp))
    if not layer.power_to_db:
        return y
    reference = 10 * np.log10(max(abs(layer.ref_power), layer.min_power))
    decibel = b.calculate("Mul", b.add("Log", b.calculate("Max", y, layer.min_power)), 10 / np.log(10))
    decibel = b.calculate("Sub", decibel, reference)
    return b.add("Max", decibel, b.calculate("Sub", b.add("ReduceMax", decibel), layer.top_db))
