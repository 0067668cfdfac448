"""Images: reading, resizing, and making a drawing look like the images that a model was trained on."""

import contextlib
import io
from collections.abc import Iterator
from os import PathLike
from types import ModuleType
from typing import Any

import numpy as np

from ..lazy import need, public_only
from ..ops.image import nearest_pixels, resize_matrix
from .format_error import FileFormatError
from .strokes import stroke_width, with_stroke_width

__all__ = [
    "drawing_style", "fit_image", "image_head", "pillow", "prepare_digit", "read_image", "resize_images",
]  # fmt: skip
public_only(__name__)

FORMATS = ("BMP", "GIF", "JPEG", "PNG", "PPM", "TIFF", "WEBP")  # Pillow would start other programs for some
MOST_PIXELS = 64 << 20

_MODES = {1: "L", 3: "RGB", 4: "RGBA"}
_LUMA = np.array([0.299, 0.587, 0.114], np.float32)  # ITU-R BT.601
_INK = 0.2  # of full contrast: what is fainter is noise of the paper
_LEAST_CONTRAST = 16 / 255
_MNIST_FILL = 20 / 28
_WORKING_SIDE = 96  # pixels of a drawing whose strokes are changed
_ORIENTATION = 0x0112  # EXIF's number of it; from 5 on width and height are exchanged


def pillow() -> ModuleType:
    """Pillow's `Image` module, or an `ImportError` that names the extra."""
    need("reading image files", "PIL", "images")
    from PIL import Image

    return Image


@contextlib.contextmanager
def opening(path: str | PathLike[str] | io.BytesIO, most_pixels: int | None = None) -> Iterator[Any]:
    """Pillow's image of a file of one of our formats, whose header alone was read, and which is not too large."""
    module = pillow()
    limit = min(MOST_PIXELS, module.MAX_IMAGE_PIXELS or MOST_PIXELS) if most_pixels is None else most_pixels
    with contextlib.nullcontext(path) if isinstance(path, io.BytesIO) else open(path, "rb") as file:
        try:
            with module.open(file, formats=FORMATS) as image:
                if image.width * image.height > limit:
                    raise ValueError(
                        f"{image.width} x {image.height} pixels, more than {limit}; "
                        "give read_image a larger most_pixels if you trust the file"
                    )
                yield image
        except Exception as error:  # Pillow's decoders raise almost anything on damaged files
            raise FileFormatError(f"{path}: not an image that can be read ({error or type(error).__name__})") from error


def read_image(
    path: str | PathLike[str] | io.BytesIO,
    most_pixels: int | None = None,
    channels: int | None = None,
    upright: bool = True,
) -> np.ndarray:
    """The pixels of an image file, (height, width, channels) uint8; channels: 1 grey, 3 RGB, 4 RGB and alpha.

    They are as many as the file has where `channels` does not say it. Turned upright as its EXIF data says, unless
    `upright` is False; fractions, as TIFF may have, are in 0..1 or in 0..255. Formats: BMP, GIF,
    JPEG, PNG, PPM, TIFF and WebP. Needs Pillow (`layerwise[images]`). Raises `FileFormatError` naming the file if it is
    no image, is cut short, or says that it has more than `most_pixels` (None: 64 megapixels, or Pillow's own limit if
    that is less).

    >>> path = getfixture("tmp_path") / "grey.png"
    >>> pillow().fromarray(np.zeros((4, 6), np.uint8)).save(path)
    >>> read_image(path).shape
    (4, 6, 1)
    """
    module = pillow()
    with opening(path, most_pixels) as image:
        from PIL import ImageOps

        image.load()
        if upright:
            ImageOps.exif_transpose(image, in_place=True)
        if image.mode.startswith("I"):  # 16 bits a pixel
            pixels = np.empty((image.height, image.width), np.uint8)
            for row, values in zip(pixels, np.asarray(image)):
                row[...] = (np.clip(values, 0, 65535) / 257).round()
        elif image.mode == "F":
            pixels = _from_fractions(np.asarray(image))
        else:
            mode = _MODES[channels or channels_of(image)]
            pixels = np.asarray(image if image.mode == mode else image.convert(mode))
        if channels not in (None, 1) and pixels.ndim == 2:
            pixels = np.asarray(module.fromarray(pixels).convert(_MODES[channels]))
    return pixels.reshape(*pixels.shape[:2], -1)


def image_head(path: str | PathLike[str], most_pixels: int | None = None) -> tuple[int, int, int]:
    """(height, width, channels) of an image file that `read_image` reads, without reading the pixels."""
    with opening(path, most_pixels) as image:
        return *_size_of(image), channels_of(image)


def channels_of(image: Any) -> int:
    """Channels that a Pillow image has, from its header: 1 grey, 3 RGB, 4 RGB and alpha."""
    if image.mode in ("LA", "La", "RGBA", "RGBa", "PA") or "transparency" in image.info:
        return 4
    return 1 if image.mode in ("1", "L", "F") or image.mode.startswith("I") else 3


def _size_of(image: Any) -> tuple[int, int]:
    """(height, width) that a Pillow image has once it stands upright, from its header."""
    # Pillow turns TIFF by itself, and would read a PNG's pixels to look behind them.
    told = "exif" in image.info if image.format == "PNG" else image.format != "TIFF"
    lies = told and image.getexif().get(_ORIENTATION) in (5, 6, 7, 8)
    return (image.width, image.height) if lies else (image.height, image.width)


def _from_fractions(pixels: np.ndarray) -> np.ndarray:
    """Fractions as uint8."""
    low, high = pixels.min(), pixels.max()
    if not 0 <= low <= high <= 255:
        raise ValueError(f"fractions in {low}..{high}, expected 0..1 or 0..255")
    return np.rint(pixels * 255 if high <= 1 else pixels).astype(np.uint8)


def largest_box(height: int, width: int, target_height: int, target_width: int) -> tuple[int, int, int, int]:
    """Top, left, height and width of the largest part in the middle that has the target's proportions.

    >>> largest_box(4, 9, 2, 2)
    (0, 2, 4, 4)
    """
    high = max(min(height, width * target_height // target_width), 1)
    wide = max(min(width, height * target_width // target_height), 1)
    return (height - high) // 2, (width - wide) // 2, high, wide


def resize_images(
    images: np.ndarray, size: tuple[int, int], interpolation: str = "bilinear", antialias: bool = True
) -> np.ndarray:
    """out[p, q] = sum_hw R[p, h] C[q, w] in[h, w]: bilinear, with a wider triangle where images shrink (no aliasing).

    images (n, height, width, channels), any number type; returns (n, *size, channels) of the same type, integers
    rounded. Pixel centres lie at half numbers. `interpolation` and `antialias` as in `ops.image.resize`.

    >>> resize_images(np.array([0, 4], np.uint8).reshape(1, 1, 2, 1), (1, 4)).ravel()
    array([0, 1, 3, 4], dtype=uint8)
    """
    if images.ndim != 4 or 0 in images.shape[1:3] or len(size) != 2 or min(size) < 1:
        raise ValueError(
            f"resize_images: expected images (n, height, width, channels) and a size (height, width) "
            f"of 1 or more, got shape {images.shape} and size {size}"
        )
    dtype = np.float64 if images.dtype == np.float64 else np.float32
    n, height, width, channels = images.shape
    sides = (height, size[0]), (width, size[1])
    if interpolation == "nearest":
        return images[:, nearest_pixels(*sides[0])][:, :, nearest_pixels(*sides[1])]
    rows, columns = (resize_matrix(n, m, interpolation, antialias).astype(dtype) for n, m in sides)
    tall = rows @ images.reshape(n, height, width * channels).astype(dtype, copy=False)
    out = columns @ tall.reshape(n, size[0], width, channels)
    if np.issubdtype(images.dtype, np.integer):
        out = np.rint(out)
    return out.astype(images.dtype, copy=False)


def fit_image(image: np.ndarray, shape: tuple[int, int, int]) -> np.ndarray:
    """`image` with the size and the channels (1 or 3) of `shape`, nothing else changed.

    image (height, width) or (height, width, 1, 3 or 4 channels), uint8 or floats in 0..1; returns `shape` uint8.
    An alpha channel is laid over white or black, whichever what is drawn stands out from.

    >>> fit_image(np.full((10, 10, 3), 255, np.uint8), (2, 2, 1)).ravel()
    array([255, 255, 255, 255], dtype=uint8)
    """
    pixels = _opaque(image)
    if shape[2] not in (1, 3):
        raise ValueError(f"fit_image: expected a shape with 1 or 3 channels, got {shape}")
    if shape[2] == 1:
        pixels = _grey(pixels)[..., None]
    elif pixels.shape[2] == 1:
        pixels = np.repeat(pixels, 3, axis=2)
    return np.rint(255 * resize_images(pixels[None], shape[:2])[0]).astype(np.uint8)


def prepare_digit(
    image: np.ndarray,
    shape: tuple[int, int, int],
    fill: float = _MNIST_FILL,
    light_on_dark: bool = True,
    centre: tuple[float, float] | None = None,
    stroke: float | None = None,
) -> np.ndarray:
    """A drawing made to look like MNIST: grey, light on dark, cropped to its ink, scaled to fill the box, centred.

    The longer side of the ink fills `fill` of the box (MNIST: 20 of 28 pixels), its shape kept, and its centre of mass
    comes to pixel (height / 2, width / 2), as in MNIST, as far as the ink stays inside. `drawing_style` measures what
    is otherwise in another data set: `fill`, `light_on_dark`, the `centre` (of height and width, 0..1), and the width
    of strokes, `stroke` (of the height), to which those of the drawing are brought; by default they stay as they are.
    image: as in `fit_image`, the colour of its edge taken for paper; shape
    (height, width, 1). Returns `shape` uint8 in 0..255. Raises `ValueError` for an image without ink.

    Source: Y. LeCun et al., "Gradient-based learning applied to document recognition", 1998, section III.A.

    >>> page = np.full((300, 300), 255, np.uint8)
    >>> page[20:120, 30:40] = 0
    >>> digit = prepare_digit(page, (28, 28, 1))
    >>> np.flatnonzero(digit.any((1, 2)))[[0, -1]], int(digit.max())
    (array([ 4, 23]), 255)
    """
    if len(shape) != 3 or shape[2] != 1:
        raise ValueError(f"prepare_digit: expected a shape (height, width, 1), got {shape}; for colours use fit_image")
    if not 0 < fill <= 1:
        raise ValueError(f"prepare_digit: fill: got {fill!r}, expected a number above 0, at most 1")
    grey = _grey(_opaque(image))
    if grey.max() - grey.min() < _LEAST_CONTRAST:
        raise ValueError("prepare_digit: the image has no ink: all its pixels are (almost) alike")
    ink = _cropped(_ink(grey[None])[0])
    point = [n / 2 if centre is None else n * part - 0.5 for n, part in zip(shape, centre or (0.5, 0.5))]
    if stroke is None:
        out = _placed(ink, shape[:2], fill, point)
    else:
        scale = _WORKING_SIDE / max(ink.shape)
        ink = resize_images(ink[None, :, :, None], _scaled(ink, scale))[0, :, :, 0]
        out = with_stroke_width(ink, lambda ink: _placed(_cropped(ink), shape[:2], fill, point), stroke * shape[0])
    out = np.rint(255 * out[..., None]).astype(np.uint8)
    return out if light_on_dark else 255 - out


def _placed(ink: np.ndarray, shape: tuple[int, int], fill: float, point: list[float]) -> np.ndarray:
    """Ink that fills its box, in an image of this shape, its centre of mass at this pixel."""
    size = _scaled(ink, min(fill * shape[0] / ink.shape[0], fill * shape[1] / ink.shape[1]))
    ink = resize_images(ink[None, :, :, None], size)[0, :, :, 0]
    ink /= ink.max()  # thin strokes pale as they shrink
    start = [
        int(np.clip(round(point[axis] - np.average(np.arange(n), weights=ink.sum(1 - axis))), 0, box - n))
        for axis, (box, n) in enumerate(zip(shape, size))
    ]
    out = np.zeros(shape, np.float32)
    out[start[0] : start[0] + size[0], start[1] : start[1] + size[1]] = ink
    return out


def _scaled(ink: np.ndarray, scale: float) -> tuple[int, int]:
    return max(1, round(ink.shape[0] * scale)), max(1, round(ink.shape[1] * scale))


def _cropped(ink: np.ndarray) -> np.ndarray:
    top, bottom, left, right = _box(ink)
    return ink[top:bottom, left:right]


def drawing_style(images: np.ndarray) -> dict[str, Any]:
    """How drawings of a data set look: the arguments of `prepare_digit` from `fill` on, as JSON can hold.

    images (n, height, width) or (n, height, width, 1). Medians over the images with ink; MNIST's own where none has.

    >>> page = np.zeros((1, 10, 10), np.uint8)
    >>> page[0, 1:9, 4] = 255
    >>> drawing_style(page)
    {'fill': 0.8, 'light_on_dark': True, 'centre': [0.5, 0.45], 'stroke': 0.092}
    """
    grey = images.reshape(images.shape[:3]).astype(np.float32)
    low, high = grey.min((1, 2)), grey.max((1, 2))
    grey = grey[high > low]
    if not len(grey):
        return {"fill": _MNIST_FILL, "light_on_dark": True}
    dark = np.median(_edge(grey)) <= np.median((low + high) / 2)
    inks = _ink(grey)
    height, width = inks.shape[1:]
    boxes = [_cropped(ink).shape for ink in inks]
    mass = inks.sum((1, 2))
    centres = [np.median(inks.sum(3 - axis) @ (np.arange(n) + 0.5) / mass) / n for axis, n in ((1, height), (2, width))]
    return {
        "fill": float(np.median([max(h / height, w / width) for h, w in boxes])),
        "light_on_dark": bool(dark),
        "centre": [round(float(centre), 3) for centre in centres],
        "stroke": round(float(np.median(stroke_width(inks))) / height, 3),
    }


def _opaque(image: np.ndarray) -> np.ndarray:
    """(height, width, 1 or 3) float32 in 0..1."""
    image = np.asarray(image)
    pixels = image[..., None] if image.ndim == 2 else image
    if pixels.ndim != 3 or pixels.shape[2] not in (1, 3, 4) or 0 in pixels.shape:
        raise ValueError(f"image: expected shape (height, width) or (height, width, 1, 3 or 4), got {image.shape}")
    if image.dtype == np.uint8:
        pixels = pixels.astype(np.float32) / 255
    elif not np.issubdtype(image.dtype, np.floating) or not (image.min() >= 0 and image.max() <= 1):
        raise ValueError(f"image: expected uint8 or floats in 0..1, got {image.dtype} in {image.min()}..{image.max()}")
    pixels = pixels.astype(np.float32, copy=False)
    if pixels.shape[2] < 4:
        return pixels
    colour, alpha = pixels[..., :3], pixels[..., 3:]
    if alpha.max() == 0:
        return np.ones_like(colour)
    light = np.average(_grey(colour), weights=alpha[..., 0]) > 0.5
    return colour * alpha + (1 - alpha) * (0 if light and alpha.min() < 1 else 1)


def _grey(pixels: np.ndarray) -> np.ndarray:
    return pixels[..., 0] if pixels.shape[2] == 1 else pixels @ _LUMA


def _edge(grey: np.ndarray) -> np.ndarray:
    """(n, pixels on the edge)"""
    return np.concatenate([grey[:, 0], grey[:, -1], grey[:, :, 0], grey[:, :, -1]], axis=1)


def _ink(grey: np.ndarray) -> np.ndarray:
    """(n, height, width) in 0..1: the contrast with the paper, which is the colour of the edge, at most 1."""
    paper = np.median(_edge(grey), axis=1)[:, None, None]
    low, high = grey.min((1, 2), keepdims=True), grey.max((1, 2), keepdims=True)
    ink = np.where(paper - low > high - paper, paper - grey, grey - paper)
    return np.maximum(ink, 0) / ink.max((1, 2), keepdims=True)


def _box(ink: np.ndarray) -> tuple[int, int, int, int]:
    """Top, bottom, left, right of the ink, ends excluded."""
    rows, columns = np.flatnonzero((ink > _INK).any(1)), np.flatnonzero((ink > _INK).any(0))
    return int(rows[0]), int(rows[-1]) + 1, int(columns[0]), int(columns[-1]) + 1
