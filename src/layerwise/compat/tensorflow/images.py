"""What `tf.image` does with images (height, width, channels) or batches of them: parts, turns, light and colours."""

from typing import Any

import numpy as np

from ... import ops
from ...dtypes import is_float
from .random import stateless_uniform, uniform


class ResizeMethod:
    """How `resize` computes what lies between pixels."""

    BILINEAR, NEAREST_NEIGHBOR, BICUBIC, LANCZOS3, LANCZOS5 = "bilinear", "nearest", "bicubic", "lanczos3", "lanczos5"


def resize(
    images: Any, size: Any, method: str = "bilinear", preserve_aspect_ratio: bool = False, antialias: bool = False,
    name: str | None = None,
) -> Any:  # fmt: skip
    """The images in this size, (height, width), in float32 unless the method is "nearest"."""
    height, width = images.shape[-3:-1]
    size = tuple(int(n) for n in size)
    if preserve_aspect_ratio:
        scale = min(size[0] / height, size[1] / width)
        size = round(height * scale), round(width * scale)
    nearest = method == "nearest"
    return ops.image.resize(images if nearest else ops.cast(images, "float32"), size, method, antialias and not nearest)


def resize_with_pad(
    image: Any, target_height: int, target_width: int, method: str = "bilinear", antialias: bool = False
) -> Any:
    """The image in this size, with zeros beside it where its form is another one."""
    height, width = image.shape[-3:-1]
    ratio = max(width / target_width, height / target_height)
    inner = height / ratio, width / ratio
    resized = resize(image, [int(n) for n in inner], method, antialias=antialias)
    top, left = (max(0, int((n - m) / 2)) for n, m in zip((target_height, target_width), inner, strict=True))
    return pad_to_bounding_box(resized, top, left, target_height, target_width)


def resize_with_crop_or_pad(image: Any, target_height: int, target_width: int) -> Any:
    """The middle of the image in this size, with zeros around where it is smaller."""
    more = [target - n for target, n in zip((target_height, target_width), image.shape[-3:-1], strict=True)]
    top, left = (max(-n // 2, 0) for n in more)
    inner = [min(target, n) for target, n in zip((target_height, target_width), image.shape[-3:-1], strict=True)]
    cropped = crop_to_bounding_box(image, top, left, *inner)
    return pad_to_bounding_box(cropped, max(more[0] // 2, 0), max(more[1] // 2, 0), target_height, target_width)


def crop_to_bounding_box(
    image: Any, offset_height: Any, offset_width: Any, target_height: Any, target_width: Any
) -> Any:
    """The part of this size that begins so many rows and columns from the upper left corner."""
    top, left, height, width = (int(n) for n in (offset_height, offset_width, target_height, target_width))
    if top < 0 or left < 0 or top + height > image.shape[-3] or left + width > image.shape[-2]:
        raise ValueError(
            f"tf.image.crop_to_bounding_box: got ({height}, {width}) from ({top}, {left}), expected a part of "
            f"{tuple(image.shape[-3:-1])}"
        )
    return ops.convert_to_tensor(image)[..., top : top + height, left : left + width, :]


def pad_to_bounding_box(
    image: Any, offset_height: int, offset_width: int, target_height: int, target_width: int
) -> Any:
    """The image so many rows and columns from the upper left corner of zeros of this size."""
    below, right = (
        target - offset - n
        for target, offset, n in zip(
            (target_height, target_width), (offset_height, offset_width), image.shape[-3:-1], strict=True
        )
    )
    if min(below, right) < 0:
        raise ValueError(f"tf.image.pad_to_bounding_box: got an image {tuple(image.shape)}, expected a smaller one")
    widths = [(0, 0)] * (len(image.shape) - 3) + [(offset_height, below), (offset_width, right), (0, 0)]
    return ops.pad(image, widths)


def central_crop(image: Any, central_fraction: float) -> Any:
    """The middle of the image, this part of its height and width."""
    starts = [int((n - n * central_fraction) / 2) for n in image.shape[-3:-1]]
    sizes = [n - 2 * start for n, start in zip(image.shape[-3:-1], starts, strict=True)]
    return crop_to_bounding_box(image, *starts, *sizes)


def extract_patches(images: Any, sizes: Any, strides: Any, rates: Any, padding: str, name: str | None = None) -> Any:
    """Patches of a size (1, height, width, 1), each as one row of channels."""
    return ops.image.extract_patches(images, tuple(sizes[1:3]), tuple(strides[1:3]), rates[1], padding.lower())


def convert_image_dtype(image: Any, dtype: Any, saturate: bool = False, name: str | None = None) -> Any:
    """The image in another dtype, where 1 of fractions is the largest of whole numbers.

    >>> convert_image_dtype(np.array([0, 255], "uint8"), "float32")
    Tensor([0., 1.], shape=(2,), dtype=float32)
    """
    image, dtype = ops.convert_to_tensor(image), str(dtype)
    if image.dtype == dtype or (is_float(image.dtype) and is_float(dtype)):
        return ops.cast(image, dtype)
    if is_float(dtype):
        return ops.cast(image, dtype) * (1.0 / np.iinfo(image.dtype).max)
    most = np.iinfo(dtype).max
    if is_float(image.dtype):
        scaled = image * (most + 0.5)
        return ops.cast(ops.clip(scaled, 0, most) if saturate else scaled, dtype)
    here = np.iinfo(image.dtype).max
    if here > most:
        return ops.cast(ops.floor_divide(image, (here + 1) // (most + 1)), dtype)
    return ops.cast(image, dtype) * ((most + 1) // (here + 1))


def _with_fractions(image: Any, function: Any) -> Any:
    """function(image), computed in fractions whatever the image's dtype."""
    image = ops.convert_to_tensor(image)
    fractions = image if is_float(image.dtype) else convert_image_dtype(image, "float32")
    return convert_image_dtype(function(fractions), image.dtype, saturate=True)


def adjust_brightness(image: Any, delta: Any) -> Any:
    """image + delta, in fractions of the largest value"""
    return _with_fractions(image, lambda x: x + delta)


def adjust_contrast(images: Any, contrast_factor: Any) -> Any:
    """(image - m) factor + m, where m is the mean of the image's channel"""

    def spread(x: Any) -> Any:
        middle = ops.mean(x, axis=(-3, -2), keepdims=True)
        return (x - middle) * contrast_factor + middle

    return _with_fractions(images, spread)


def adjust_saturation(image: Any, saturation_factor: Any, name: str | None = None) -> Any:
    """The colours' saturation times a factor."""

    def saturated(x: Any) -> Any:
        hue, saturation, value = ops.split(ops.image.rgb_to_hsv(x), 3, axis=-1)
        more = ops.clip(saturation * saturation_factor, 0.0, 1.0)
        return ops.image.hsv_to_rgb(ops.concatenate([hue, more, value], axis=-1))

    return _with_fractions(image, saturated)


def adjust_hue(image: Any, delta: Any, name: str | None = None) -> Any:
    """The colours' hue, an angle of which 1 is the whole circle, with `delta` added."""

    def turned(x: Any) -> Any:
        hue, saturation, value = ops.split(ops.image.rgb_to_hsv(x), 3, axis=-1)
        return ops.image.hsv_to_rgb(ops.concatenate([ops.mod(hue + delta, 1.0), saturation, value], axis=-1))

    return _with_fractions(image, turned)


def adjust_gamma(image: Any, gamma: float = 1, gain: float = 1) -> Any:
    """gain image^gamma, in fractions of the largest value"""
    return _with_fractions(image, lambda x: gain * x**gamma)


def per_image_standardization(image: Any) -> Any:
    """(image - mean) / max(standard deviation, 1 / sqrt(numbers in it))"""
    image = ops.cast(image, "float32")
    axes = (-3, -2, -1)
    least = 1 / np.sqrt(np.prod(image.shape[-3:]))
    return (image - ops.mean(image, axes, keepdims=True)) / ops.maximum(ops.std(image, axes, keepdims=True), least)


def grayscale_to_rgb(images: Any, name: str | None = None) -> Any:
    """The one channel three times."""
    return ops.repeat(images, 3, axis=-1)


# Draws: each function takes the place of one whose name begins with `random_` or `stateless_random_`.


def _flipped(axis: int) -> Any:
    def flip(draw: Any, image: Any) -> Any:
        image = ops.convert_to_tensor(image)
        chances = draw((*image.shape[:-3], 1, 1, 1), 0.0, 1.0)
        return ops.where(chances < 0.5, ops.flip(image, axis), image)

    return flip


def _cropped(draw: Any, value: Any, size: Any) -> Any:
    value = ops.convert_to_tensor(value)
    sizes = [n if m == -1 else int(m) for m, n in zip(size, value.shape, strict=True)]
    if any(m > n for m, n in zip(sizes, value.shape, strict=True)):
        raise ValueError(f"tf.image.random_crop: size: got {tuple(size)}, expected a part of {tuple(value.shape)}")
    room = np.array([n - m + 1 for m, n in zip(sizes, value.shape, strict=True)])
    starts: Any = ops.cast(draw((len(sizes),), 0.0, 1.0) * room, "int32")
    return ops.slice(value, starts, sizes)


def _adjusted(adjust: Any, symmetric: bool = False) -> Any:
    def changed(draw: Any, image: Any, lower: Any, upper: Any = None) -> Any:
        return adjust(image, draw((), -lower, lower) if symmetric else draw((), lower, upper))

    return changed


DRAWS = {
    "flip_left_right": _flipped(-2),
    "flip_up_down": _flipped(-3),
    "crop": _cropped,
    "brightness": _adjusted(adjust_brightness, symmetric=True),
    "contrast": _adjusted(adjust_contrast),
    "saturation": _adjusted(adjust_saturation),
    "hue": _adjusted(adjust_hue, symmetric=True),
}
ARGUMENTS = {"crop": "value size"} | dict.fromkeys(("brightness", "hue"), "image max_delta")
ARGUMENTS |= dict.fromkeys(("contrast", "saturation"), "image lower upper")


def drawn(name: str) -> Any:
    """The function `random_NAME` or `stateless_random_NAME`, whose last argument is the seed."""
    stateless = name.startswith("stateless_")
    kind = name.removeprefix("stateless_").removeprefix("random_")
    said = [*ARGUMENTS.get(kind, "image").split(), "seed"]

    def call(*args: Any, **kwargs: Any) -> Any:
        kwargs.pop("name", None)
        if len(args) > len(said) or not set(kwargs) <= set(said):
            raise TypeError(f"tf.image.{name}: takes {', '.join(said)}, got {len(args)} arguments and {list(kwargs)}")
        given = {**dict(zip(said, args)), **kwargs}
        seed = given.pop("seed", None)
        if stateless:
            return DRAWS[kind](lambda shape, low, high: stateless_uniform(shape, seed, low, high), *given.values())
        return DRAWS[kind](lambda shape, low, high: uniform(shape, low, high, seed=seed), *given.values())

    call.__name__ = call.__qualname__ = name
    call.__doc__ = f"{kind.replace('_', ' ')}, drawn anew for each call{', by a seed of two numbers' * stateless}."
    return call


(
    random_brightness, random_contrast, random_crop, random_flip_left_right, random_flip_up_down, random_hue,
    random_saturation, stateless_random_brightness, stateless_random_contrast, stateless_random_crop,
    stateless_random_flip_left_right, stateless_random_flip_up_down, stateless_random_hue,
    stateless_random_saturation,
) = (drawn(f"{prefix}random_{kind}") for prefix in ("", "stateless_") for kind in sorted(DRAWS))  # fmt: skip
