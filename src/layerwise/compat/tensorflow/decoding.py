"""Files' contents as arrays, and back: images, sound, numbers, lines of CSV."""

import io
from typing import Any

import numpy as np

from ... import ops
from ...data.element import element
from ...data.images import pillow, read_image
from ...dtypes import as_bytes
from .dtypes import DType, as_dtype, on_device


def _content(value: Any) -> bytes:
    value = value.item() if isinstance(value, np.ndarray) else value
    return as_bytes(value) if isinstance(value, str) else value


def decode_image(
    contents: Any, channels: int | None = None, dtype: Any = "uint8", name: str | None = None,
    expand_animations: bool = True,
) -> Any:  # fmt: skip
    """The pixels of an image file's content, (height, width, channels).

    `channels` 0 or None: as many as the file has. In a dtype of fractions they lie between 0 and 1. Needs Pillow.
    """
    from .images import convert_image_dtype

    pixels = read_image(io.BytesIO(_content(contents)), channels=channels or None)
    return convert_image_dtype(pixels, dtype)


def decode_png(contents: Any, channels: int = 0, dtype: Any = "uint8", name: str | None = None) -> Any:
    """The pixels of an image file's content, (height, width, channels); `channels` 0: as many as the file has."""
    return decode_image(contents, channels, dtype)


def decode_jpeg(contents: Any, channels: int = 0, **options: Any) -> Any:
    """As `decode_png`; `ratio`, `fancy_upscaling` and the like have no effect."""
    return decode_image(contents, channels)


def encode_jpeg(image: Any, format: str = "", quality: int = 95, **options: Any) -> bytes:
    """The content of a JPEG file of an image (height, width, channels), uint8."""
    return _encoded(image, "JPEG", quality=quality)


def encode_png(image: Any, compression: int = -1, name: str | None = None) -> bytes:
    """The content of a PNG file of an image (height, width, channels), uint8."""
    return _encoded(image, "PNG")


def _encoded(image: Any, form: str, **options: Any) -> bytes:
    pixels, file = np.asarray(image).astype("uint8", copy=False), io.BytesIO()
    pillow().fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels).save(file, form, **options)
    return file.getvalue()


def decode_raw(input_bytes: Any, out_type: Any, little_endian: bool = True, name: str | None = None) -> Any:
    """The numbers that lie one after the other in bytes; of an array of bytes, a row each."""
    dtype = np.dtype(str(out_type)).newbyteorder("<" if little_endian else ">")
    if isinstance(input_bytes, np.ndarray) and input_bytes.ndim:
        return ops.stack([decode_raw(row, out_type, little_endian) for row in input_bytes])
    return ops.convert_to_tensor(np.frombuffer(_content(input_bytes), dtype).astype(str(out_type)))


def decode_wav(contents: Any, desired_channels: int = -1, desired_samples: int = -1, name: Any = None) -> Any:
    """(samples (length, channels) between -1 and 1, samples a second) of a WAV file of 16 bits a sample."""
    import wave

    with wave.open(io.BytesIO(_content(contents))) as file:
        if file.getsampwidth() != 2:
            raise ValueError(f"tf.audio.decode_wav: got {8 * file.getsampwidth()} bits a sample, expected 16")
        samples = np.frombuffer(file.readframes(file.getnframes()), "<i2").reshape(-1, file.getnchannels())
        rate = file.getframerate()
    samples = samples[:, : desired_channels if desired_channels > 0 else None]
    if desired_samples > 0:
        samples = samples[:desired_samples]
        samples = np.pad(samples, ((0, desired_samples - len(samples)), (0, 0)))
    return ops.convert_to_tensor((samples / 32768).astype("float32")), ops.convert_to_tensor(rate, "int32")


def decode_csv(
    records: Any, record_defaults: Any, field_delim: str = ",", use_quote_delim: bool = True, na_value: str = "",
    select_cols: Any = None, name: str | None = None,
) -> list[Any]:  # fmt: skip
    """The columns of lines of CSV, each with the dtype of its default, which stands where a field is empty."""
    import csv

    from .strings import texts

    lines = texts(records)
    quoting: Any = csv.QUOTE_MINIMAL if use_quote_delim else csv.QUOTE_NONE
    rows = list(csv.reader(lines.reshape(-1).tolist(), delimiter=field_delim, quoting=quoting))
    columns = []
    for i, default in zip(select_cols or range(len(record_defaults)), record_defaults, strict=True):
        columns.append(_column([row[i] for row in rows], default, na_value, lines.shape))
    return columns


def _column(fields: list[str], default: Any, na_value: str, shape: tuple[int, ...]) -> Any:
    """The fields in the dtype of the default; one that is a dtype, or an empty list of one, stands for no value."""
    if isinstance(default, DType):
        dtype, fill = default, None
    else:
        values = np.asarray(default).reshape(-1)
        dtype = as_dtype(str if values.dtype.kind in "OUS" else {"i": int, "f": float}.get(values.dtype.kind, float))
        fill = values[0] if len(values) else None
    held: list[Any] = [fill if field in ("", na_value) else field for field in fields]
    if None in held:
        raise ValueError("tf.io.decode_csv: a field is empty whose column has no default")
    if dtype == "string":
        return element(np.array(held, object).reshape(shape))
    return ops.convert_to_tensor(np.array([float(value) for value in held]).reshape(shape).astype(str(dtype)))


def read_file(filename: Any, name: str | None = None) -> bytes:
    """What is in a file."""
    from .strings import texts

    with open(str(texts(filename).item()), "rb") as file:
        return file.read()


def write_file(filename: Any, contents: Any, name: str | None = None) -> None:
    """Write a file, and the folders above it."""
    from pathlib import Path

    path = Path(str(filename))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(_content(contents))


def matching_files(pattern: Any, name: str | None = None) -> Any:
    """The files whose names match a pattern, in order."""
    import glob

    return element(np.array(sorted(glob.glob(str(pattern))), object))


def serialize_tensor(tensor: Any, name: str | None = None) -> bytes:
    """An array as bytes, which `parse_tensor` reads: NumPy's format, not TensorFlow's."""
    file = io.BytesIO()
    np.save(file, np.asarray(tensor), allow_pickle=False)
    return file.getvalue()


def parse_tensor(serialized: Any, out_type: Any, name: str | None = None) -> Any:
    """The array that `serialize_tensor` made bytes of."""
    return ops.convert_to_tensor(np.load(io.BytesIO(_content(serialized)), allow_pickle=False), on_device(out_type))
