"""Pictures on their way into a network, and out to where people can look at them."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..data import images
from ..data.images import resize_images

_LEAST_SIDE = 224  # pixels of a saved picture
_ALIKE = 0.2  # of full contrast
_PAPER_SHARE = 0.6
LARGEST_MEAN = 14  # pixels a side of what is kept of a class


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


@dataclass
class Classes:
    """What the drawings of each class look like on average, to tell when one looks like none of them.

    means       (classes, side, side), as lists of numbers
    least       what 99 % of the training images correlate at least, with the class that they are most like
    """

    means: list[list[list[float]]]
    least: float

    @classmethod
    def of(cls, x: np.ndarray, y: np.ndarray) -> "Classes":
        """Images (n, height, width, 1) and their labels."""
        small = _small(x, min(LARGEST_MEAN, *x.shape[1:3]))
        means = np.stack([small[y == label].mean(0) for label in np.unique(y)]).round(2)
        found = cls(means.tolist(), 0.0)
        found.least = round(float(np.quantile(found._likeness(small), 0.01)), 3)
        return found

    def are_like(self, images: np.ndarray) -> np.ndarray:
        """Whether each image (n, height, width, 1) is as much like a class as training images were."""
        return self._likeness(_small(images, len(self.means[0]))) >= self.least

    def _likeness(self, small: np.ndarray) -> np.ndarray:
        means = np.asarray(self.means, np.float32)
        return (_standardised(small) @ _standardised(means).T).max(1)


def _small(images: np.ndarray, side: int) -> np.ndarray:
    return resize_images(images.astype(np.float32), (side, side))[..., 0] / max(float(abs(images).max()), 1e-9)


def _standardised(images: np.ndarray) -> np.ndarray:
    """(n, pixels) of mean 0 and length 1, so that products are correlations."""
    flat = images.reshape(len(images), -1)
    flat = flat - flat.mean(1, keepdims=True)
    return flat / np.maximum(np.linalg.norm(flat, axis=1, keepdims=True), 1e-9)


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
