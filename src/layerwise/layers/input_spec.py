"""`InputSpec`: what a layer accepts."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass
class InputSpec:
    """What a layer accepts.

    Args:
        dtype: of the numbers.
        shape: the whole shape, None for sizes that vary.
        ndim, max_ndim, min_ndim: how many dimensions: exactly, at most, at least.
        axes: sizes along axes.
        allow_last_axis_squeeze, name, optional: Keras' arguments, kept without effect.
    """

    dtype: str | None = None
    shape: tuple[int | None, ...] | None = None
    ndim: int | None = None
    max_ndim: int | None = None
    min_ndim: int | None = None
    axes: Mapping[int, int | None] = field(default_factory=dict)
    allow_last_axis_squeeze: bool = False
    name: str | None = None
    optional: bool = False

    def complaint(self, shape: tuple[int | None, ...]) -> str | None:
        """What was expected instead of `shape`, or None if it fits."""
        if self.shape is not None and (
            len(shape) != len(self.shape)
            or any(a is not None and b is not None and a != b for a, b in zip(shape, self.shape, strict=True))
        ):
            return f"expected shape {self.shape}"
        if self.ndim is not None and len(shape) != self.ndim:
            return f"expected {self.ndim} dimensions"
        if self.min_ndim is not None and len(shape) < self.min_ndim:
            return f"expected at least {self.min_ndim} dimensions"
        if self.max_ndim is not None and len(shape) > self.max_ndim:
            return f"expected at most {self.max_ndim} dimensions"
        for axis, size in self.axes.items():
            if -len(shape) <= axis < len(shape) and size is not None and shape[axis] not in (size, None):
                return f"expected size {size} along axis {axis}"
        return None
