"""Pictures on their way into a network, and out to where people can look at them."""

from pathlib import Path

import numpy as np

from ..data import images

_LEAST_SIDE = 224  # pixels of a saved picture
_ALIKE = 0.2  # of full contrast
_PAPER_SHARE = 0.6


def is_drawings(x: np.ndarray) -> bool:
    """Whether images (n, height, width, channels) are grey ones of something on plain paper.

    That is so if, in the median image, most of the edge has one colour.
    """
    if x.shape[-1] != 1:
        return False
    grey = x[:1000, ..., 0].astype(np.float32)
    edge = np.concatenate([grey[:, 0], grey[:, -1], grey[:, :, 0], grey[:, :, -1]], axis=1)
    contrast = grey.max((1, 2)) - grey.min((1, 2))
    alike = abs(edge - np.median(edge, axis=1, keepdims=True)) <= _ALIKE * contrast[:, None]
    return bool(np.median(alike.mean(1)) >= _PAPER_SHARE)


def pixel_range(x: np.ndarray) -> tuple[float, float]:
    """The values of black and white in images."""
    return (0.0, 255.0) if x.dtype == np.uint8 else (float(x.min()), float(x.max()))


def save_image(image: np.ndarray, like: np.ndarray, path: Path) -> Path | None:
    """Save an image (height, width, channels) enlarged so that it can be looked at; None without Pillow.

    like: images that say what is black and what is white.
    """
    try:
        pillow = images.pillow()
    except ImportError:
        return None
    low, high = pixel_range(like)
    pixels = np.clip(np.rint((image - low) * (255 / (high - low or 1))), 0, 255).astype(np.uint8)
    times = -(-_LEAST_SIDE // min(image.shape[:2]))
    pixels = pixels.repeat(times, 0).repeat(times, 1)
    pillow.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels).save(path)
    return path
