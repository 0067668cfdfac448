"""How wide the strokes of a drawing are, and the same drawing with wider or narrower ones."""

from collections.abc import Callable

import numpy as np

_MOST_STEPS = 32  # of a pixel each
_FAINT = 0.5


def stroke_width(ink: np.ndarray) -> np.ndarray:
    """w = 2 * area / perimeter        the mean width in pixels of the strokes in each image

    ink: (n, height, width) in 0..1. The perimeter of grey ink is the sum of its slopes; that of a long stroke is twice
    its length, its area length times width.

    >>> page = np.zeros((1, 50, 50))
    >>> page[0, 5:45, 20:24] = 1
    >>> stroke_width(page).round(1)
    array([3.7])
    """
    padded = np.pad(ink, [(0, 0), (1, 1), (1, 1)])
    down, right = np.diff(padded, axis=1)[:, :, :-1], np.diff(padded, axis=2)[:, :-1]
    return 2 * padded.sum((1, 2)) / np.hypot(down, right).sum((1, 2))


def with_stroke_width(ink: np.ndarray, place: Callable[[np.ndarray], np.ndarray], width: float) -> np.ndarray:
    """`place` of the ink, thickened or thinned until its strokes come nearest to `width` pixels there.

    ink (height, width) in 0..1; place brings such ink to the form in which it is used.
    """
    best = place(ink)
    found = stroke_width(best[None])[0]
    is_thin = found < width
    for step in range(_MOST_STEPS):
        ink = _thicker(np.pad(ink, 1), step) if is_thin else 1 - _thicker(1 - ink, step)
        if ink.max() < _FAINT:
            break
        placed = place(ink)
        again = stroke_width(placed[None])[0]
        if abs(again - width) >= abs(found - width):
            break
        best, found = placed, again
    return best


def _thicker(ink: np.ndarray, step: int) -> np.ndarray:
    """Ink that has spread by a pixel, beyond the edge is ink: by turns to four and eight neighbours, to a disc."""
    height, width = ink.shape
    around = np.pad(ink, 1, mode="edge")
    offsets = [(0, 1), (1, 0), (1, 2), (2, 1), *[(0, 0), (0, 2), (2, 0), (2, 2)] * (step % 2)]
    return np.maximum.reduce([ink, *(around[i : i + height, j : j + width] for i, j in offsets)])
