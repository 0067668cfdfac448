"""Pictures in files, as Pillow's images and as arrays."""

import io
import os
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from .. import config, ops
from ..data.images import largest_box, opening, pillow
from ..naming import one_of

_MODES = {"grayscale": "L", "rgb": "RGB", "rgba": "RGBA"}
_GREY_MODES = ("L", "I;16", "I")
_INTERPOLATIONS = ("nearest", "bilinear", "bicubic", "hamming", "box", "lanczos")
_CHANNELS = (1, 3, 4)


def load_img(
    path: Any,
    color_mode: str = "rgb",
    target_size: tuple[int, int] | None = None,
    interpolation: str = "nearest",
    keep_aspect_ratio: bool = False,
) -> Any:
    """A picture from a file, as an image of Pillow's

    Args:
        path: of the file, or an `io.BytesIO` of its content. BMP, GIF, JPEG, PNG, PPM, TIFF and WebP are read.
        color_mode: "grayscale", "rgb" or "rgba".
        target_size: (height, width) that it is brought to.
        interpolation: how: "nearest", "bilinear", "bicubic", "hamming", "box" or "lanczos".
        keep_aspect_ratio: cut what is too wide or too high off first, at both sides alike, instead of stretching.

    Needs Pillow (`layerwise[images]`). Raises `FileFormatError`, naming the file, for one that is no image, is cut
    short, or has more than 64 megapixels.

    >>> path = getfixture("tmp_path") / "grey.png"
    >>> save_img(path, np.zeros((4, 6, 1)))
    >>> load_img(path, target_size=(2, 3)).size
    (3, 2)
    """
    mode = _MODES[one_of("load_img: color_mode", color_mode, *_MODES)]
    if not isinstance(path, io.BytesIO | os.PathLike | bytes | str):
        raise TypeError(f"load_img: path: got a {type(path).__name__}, expected a path or an io.BytesIO")
    with opening(os.fsdecode(path) if isinstance(path, bytes) else path) as image:
        image.load()
        is_right = image.mode in _GREY_MODES if mode == "L" else image.mode == mode
        picture = image.copy() if is_right else image.convert(mode)
    if target_size is None or picture.size == (target_size[1], target_size[0]):
        return picture
    one_of("load_img: interpolation", interpolation, *_INTERPOLATIONS)
    top, left, height, width = 0, 0, picture.height, picture.width
    if keep_aspect_ratio:
        top, left, height, width = largest_box(height, width, *target_size)
    method = pillow().Resampling[interpolation.upper()]
    return picture.resize((target_size[1], target_size[0]), method, box=(left, top, left + width, top + height))


def img_to_array(img: Any, data_format: str | None = None, dtype: str | None = None) -> np.ndarray:
    """The pixels of an image, `img`, as an array (height, width, channels), or by `data_format` channels first

    dtype: of the array, `floatx()` by default. A grey image has one channel.

    >>> img_to_array(np.zeros((4, 6))).shape
    (4, 6, 1)
    """
    data_format = config.checked_data_format(data_format, "img_to_array: data_format")
    pixels = np.asarray(img, dtype or config.floatx())
    if pixels.ndim not in (2, 3):
        raise ValueError(
            f"img_to_array: img: expected shape (height, width) or (height, width, channels), got {pixels.shape}"
        )
    pixels = pixels[..., None] if pixels.ndim == 2 else pixels
    return pixels.transpose(2, 0, 1) if data_format == "channels_first" else pixels


def array_to_img(x: Any, data_format: str | None = None, scale: bool = True, dtype: str | None = None) -> Any:
    """An image of Pillow's with the pixels x (height, width, 1, 3 or 4 channels), or by `data_format` channels first

    scale: stretch the values to 0 ... 255, the smallest and the largest; without it they are taken as they are. dtype:
    what they are computed in, `floatx()` by default. Needs Pillow (`layerwise[images]`).

    >>> np.asarray(array_to_img([[[0.0], [0.5], [1.0]]])).tolist()
    [[0, 127, 255]]
    """
    data_format = config.checked_data_format(data_format, "array_to_img: data_format")
    pixels = np.asarray(x, dtype or config.floatx())
    shape = pixels.shape
    if pixels.ndim == 3 and data_format == "channels_first":
        pixels = pixels.transpose(1, 2, 0)
    if pixels.ndim != 3 or pixels.shape[2] not in _CHANNELS:
        raise ValueError(
            f"array_to_img: x: expected one image (height, width, 1, 3 or 4 channels), or channels first with "
            f"data_format='channels_first', got shape {shape} with {data_format!r}"
        )
    if scale and pixels.size:
        pixels = pixels - pixels.min()
        pixels = pixels / (pixels.max() or 1) * 255
    if pixels.shape[2] == 1:
        pixels = pixels[..., 0]
        if pixels.max(initial=0) > 255:
            return pillow().fromarray(pixels.astype("int32"))
    return pillow().fromarray(pixels.astype("uint8"))


def save_img(
    path: Any,
    x: Any,
    data_format: str | None = None,
    file_format: str | None = None,
    scale: bool = True,
    **kwargs: Any,
) -> None:
    """Write the pixels x to an image file

    Args:
        path: of the file, or an open one.
        x, data_format, scale: as in `array_to_img`.
        file_format: such as "png"; by default what the name ends in says it.
        kwargs: for Pillow's `Image.save`, such as `quality`.
    """
    if file_format is None and isinstance(path, str | os.PathLike):
        file_format = Path(path).suffix[1:]
    file_format = file_format and file_format.lower().replace("jpg", "jpeg")
    image = array_to_img(x, data_format, scale)
    if image.mode == "RGBA" and file_format == "jpeg":
        warnings.warn("save_img: JPEG has no alpha channel; the picture is saved without it", stacklevel=2)
        image = image.convert("RGB")
    image.save(path, format=file_format, **kwargs)


def smart_resize(
    x: Any, size: tuple[int, int], interpolation: str = "bilinear", data_format: str = "channels_last"
) -> Any:
    """The largest part in the middle of x that has the proportions of `size`, brought to that size

    Args:
        x: an image (height, width, channels) or a batch of them; an array of NumPy's gives one again.
        size: (height, width).
        interpolation, data_format: as in `ops.image.resize`.

    >>> smart_resize(np.zeros((4, 8, 3)), (2, 2)).shape
    (2, 2, 3)
    """
    image = ops.convert_to_tensor(x)
    if len(size) != 2 or len(image.shape) not in (3, 4):
        raise ValueError(
            f"smart_resize: expected an image (height, width, channels) or a batch of them and a size (height, width), "
            f"got shape {image.shape} and size {size}"
        )
    resized = ops.image.resize(image, size, interpolation, crop_to_aspect_ratio=True, data_format=data_format)
    return np.asarray(resized) if isinstance(x, np.ndarray) else resized
