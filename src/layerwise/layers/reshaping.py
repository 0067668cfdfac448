"""Padding, cropping and repeating along spatial dimensions, of any rank."""

from collections.abc import Sequence
from typing import Any

from .. import ops
from ..autograd import Tensor
from ..naming import whole_number
from ..ops.convolution import one_for_each_axis
from .base import Layer
from .input_spec import InputSpec
from .spatial import Spatial


def _pairs(value: Any, rank: int, name: str) -> tuple[tuple[int, int], ...]:
    """(before, after) for each dimension, from one number, one for each, or pairs."""
    values = (value,) * rank if isinstance(value, int) else (value,) if rank == 1 or value is None else tuple(value)
    pairs = tuple((v, v) if isinstance(v, int) else tuple(v or ()) for v in values)
    if len(pairs) != rank or not all(len(p) == 2 and all(isinstance(n, int) and n >= 0 for n in p) for p in pairs):
        raise ValueError(
            f"{name}: got {value!r}, expected a whole number >= 0, "
            + ("or (before, after)" if rank == 1 else f"{rank} of them, or {rank} pairs (before, after)")
        )
    return pairs


class ZeroPadding(Spatial):
    """y = x with zeros (before, after) along each spatial dimension

    Args:
        padding: how many: one number for all, one for each dimension, or a pair (before, after) for each.
    """

    built = True

    def __init__(self, padding: Any = 1, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(data_format, **kwargs)
        pairs = _pairs(padding, self.rank, f"{type(self).__name__}: padding")
        self.padding: Any = pairs[0] if self.rank == 1 else pairs

    def call(self, inputs: Tensor) -> Tensor:
        pairs, before = [self.padding] if self.rank == 1 else self.padding, self.first_axis
        return ops.pad(inputs, [*[(0, 0)] * before, *pairs, *[(0, 0)] * (2 - before)])


class ZeroPadding1D(ZeroPadding):
    """y = x with zeros (before, after) along the steps"""

    rank = 1


class ZeroPadding2D(ZeroPadding):
    """y = x with zeros ((top, bottom), (left, right))

    >>> from layerwise import layers, ops
    >>> layers.ZeroPadding2D(1)(ops.ones((1, 2, 2, 1))).shape
    (1, 4, 4, 1)
    """

    rank = 2


class ZeroPadding3D(ZeroPadding):
    """y = x with zeros (before, after) along depth, height and width"""

    rank = 3


class Cropping(Spatial):
    """y = x without (before, after) positions along each spatial dimension

    Args:
        cropping: how many: one number for all, one for each dimension, or a pair (before, after) for each.
    """

    built = True

    def __init__(self, cropping: Any = 1, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(data_format, **kwargs)
        pairs = _pairs(cropping, self.rank, f"{type(self).__name__}: cropping")
        self.cropping: Any = pairs[0] if self.rank == 1 else pairs

    def call(self, inputs: Tensor) -> Tensor:
        pairs = [self.cropping] if self.rank == 1 else self.cropping
        key: list[slice] = [slice(None)] * inputs.ndim
        for axis, (before, after) in enumerate(pairs, self.first_axis):
            if before + after >= inputs.shape[axis]:
                raise ValueError(
                    f"layer {self.name!r}: cropping {before} + {after} leaves nothing of axis {axis} of {inputs.shape}"
                )
            key[axis] = slice(before, inputs.shape[axis] - after)
        return inputs[tuple(key)]


class Cropping1D(Cropping):
    """y = x without (before, after) steps"""

    rank = 1

    def __init__(self, cropping: int | Sequence[int] = (1, 1), **kwargs: Any) -> None:
        super().__init__(cropping, "channels_last", **kwargs)


class Cropping2D(Cropping):
    """y = x without ((top, bottom), (left, right)) rows and columns"""

    rank = 2


class Cropping3D(Cropping):
    """y = x without (before, after) along depth, height and width"""

    rank = 3


def _repeated(x: Tensor, sizes: Sequence[int], first: int) -> Tensor:
    """x with each entry so many times along the axes from `first` on."""
    for axis, size in enumerate(sizes, first):
        x = ops.repeat(x, size, axis=axis)
    return x


class UpSampling1D(Layer):
    """y = each step `size` times"""

    built = True

    def __init__(self, size: int = 2, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.size = whole_number("UpSampling1D: size", size)
        self.input_spec = InputSpec(ndim=3)

    def call(self, inputs: Tensor) -> Tensor:
        return _repeated(inputs, [self.size], 1)


class UpSampling2D(Spatial):
    """y = x enlarged by whole factors: each pixel repeated, or bilinear interpolation

    Args:
        size: the factor, or one for the height and one for the width.
        interpolation: "nearest" repeats pixels; see `ops.image.resize` for the others.
    """

    rank = 2
    built = True

    def __init__(
        self,
        size: int | Sequence[int] = 2,
        data_format: str | None = None,
        interpolation: str = "nearest",
        **kwargs: Any,
    ) -> None:
        super().__init__(data_format, **kwargs)
        self.size = one_for_each_axis(size, 2, "UpSampling2D: size")
        self.interpolation = interpolation.lower()

    def call(self, inputs: Tensor) -> Tensor:
        start = self.first_axis
        if self.interpolation == "nearest":
            return _repeated(inputs, self.size, start)
        size = (inputs.shape[start] * self.size[0], inputs.shape[start + 1] * self.size[1])
        return ops.image.resize(inputs, size, interpolation=self.interpolation, data_format=self.data_format)


class UpSampling3D(Spatial):
    """y = each entry of the volume `size` times

    Args:
        size: the factor, or one for each dimension.
    """

    rank = 3
    built = True

    def __init__(self, size: int | Sequence[int] = (2, 2, 2), data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(data_format, **kwargs)
        self.size = one_for_each_axis(size, 3, "UpSampling3D: size")

    def call(self, inputs: Tensor) -> Tensor:
        return _repeated(inputs, self.size, self.first_axis)
