"""WAV, sounds as numbers: a RIFF file with a chunk that says their format and one that holds them."""

import struct
from os import PathLike
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from .format_error import FileFormatError

_PCM, _FLOAT, _EXTENSIBLE = 1, 3, 0xFFFE
_MOST_CHUNKS = 1000
_LONGEST_FORMAT = 64


def read_wav(path: str | PathLike[str]) -> tuple[np.ndarray, int]:
    """The samples of a WAV file, (n, channels) float32 in -1 ... 1, and how many there are a second

    Whole numbers of 8, 16, 24 and 32 bits and fractions of 32 and 64 are read. Raises `FileFormatError`, naming the
    file and the place, for anything else, and for files that are cut short.

    >>> path = getfixture("tmp_path") / "a.wav"
    >>> import wave
    >>> with wave.open(str(path), "wb") as file:
    ...     file.setparams((1, 2, 8000, 2, "NONE", ""))
    ...     file.writeframes(np.array([16384, -32768], "<i2").tobytes())
    >>> samples, rate = read_wav(path)
    >>> samples.ravel(), rate
    (array([ 0.5, -1. ], dtype=float32), 8000)
    """
    path = Path(path)
    size = path.stat().st_size
    with open(path, "rb") as file:
        head = file.read(12)
        if len(head) < 12 or head[:4] != b"RIFF" or head[8:] != b"WAVE":
            raise FileFormatError(f"{path}: not a WAV file: it begins with {head[:12].hex(' ') or 'nothing'}")
        form = None
        for _ in range(_MOST_CHUNKS):
            place = file.tell()
            chunk = file.read(8)
            if len(chunk) < 8:
                break
            name, length = chunk[:4], int.from_bytes(chunk[4:], "little")
            if length > size - place - 8:
                raise FileFormatError(
                    f"{path}: cut short: the chunk {name!r} at offset {place} has {length} bytes, "
                    f"but {size - place - 8} follow"
                )
            if name == b"fmt ":
                form = _format(path, place, file.read(min(length, _LONGEST_FORMAT)))
            elif name == b"data" and form is not None:
                return _samples(path, place, file, length, *form), form[0]
            file.seek(place + 8 + length + length % 2)
    raise FileFormatError(f"{path}: no chunk {'fmt ' if form is None else 'data'!r} there")


def _format(path: Path, place: int, data: bytes) -> tuple[int, int, Any]:
    """(samples a second, channels, dtype or "24 bits")"""
    if len(data) < 16:
        raise FileFormatError(f"{path}: offset {place}: the format takes {len(data)} bytes, expected 16 or more")
    kind, channels, rate, _, frame, bits = struct.unpack("<HHIIHH", data[:16])
    if kind == _EXTENSIBLE and len(data) >= 26:
        kind = int.from_bytes(data[24:26], "little")
    dtypes: dict[tuple[int, int], Any] = {
        (_PCM, 8): "u1", (_PCM, 16): "<i2", (_PCM, 24): "24 bits", (_PCM, 32): "<i4",
        (_FLOAT, 32): "<f4", (_FLOAT, 64): "<f8",
    }  # fmt: skip
    if (kind, bits) not in dtypes or channels == 0 or rate == 0 or frame != channels * bits // 8:
        raise FileFormatError(
            f"{path}: offset {place}: format {kind} of {bits} bits, {channels} channels, {rate} samples a second and "
            f"{frame} bytes for each of them; expected whole numbers (1) or fractions (3) without compression"
        )
    return rate, channels, dtypes[kind, bits]


def _samples(path: Path, place: int, file: BinaryIO, length: int, rate: int, channels: int, dtype: Any) -> np.ndarray:
    width = 3 if dtype == "24 bits" else np.dtype(dtype).itemsize
    if length % (width * channels):
        raise FileFormatError(f"{path}: offset {place}: {length} bytes are no whole number of samples")
    data = np.frombuffer(file.read(length), np.uint8)
    if dtype == "24 bits":
        wide = np.zeros((len(data) // 3, 4), np.uint8)
        wide[:, 1:] = data.reshape(-1, 3)
        data, dtype = wide.reshape(-1), "<i4"
    values = data.view(dtype).reshape(-1, channels)
    if values.dtype.kind == "f":
        samples = values.astype(np.float32)
        if not np.isfinite(samples).all():
            raise FileFormatError(f"{path}: offset {place}: samples that are no finite numbers")
        return samples
    half = np.float32(2.0 ** (8 * values.dtype.itemsize - 1))
    return values.astype(np.float32) / half - (1 if values.dtype.kind == "u" else 0)


def resample(samples: np.ndarray, before: int, after: int) -> np.ndarray:
    """The same sound with `after` samples a second in place of `before`: its spectrum, cut off or filled with zeros

    samples (n, channels), result (round(n * after / before), channels). The sound is taken for periodic.

    >>> resample(np.array([[0.0], [1.0], [0.0], [-1.0]]), 4, 8).round(2).ravel().tolist()
    [0.0, 0.71, 1.0, 0.71, 0.0, -0.71, -1.0, -0.71]
    """
    n = len(samples)
    m = round(n * after / before)
    if n == m or n == 0:
        return samples
    spectrum = np.fft.rfft(samples, axis=0)
    if min(n, m) % 2 == 0:  # the highest frequency of the shorter one stands for both signs
        spectrum[min(n, m) // 2] *= 2 if m < n else 0.5
    return (np.fft.irfft(spectrum[: m // 2 + 1], m, axis=0) * (m / n)).astype(samples.dtype)
