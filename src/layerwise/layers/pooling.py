"""Pooling of any rank: the largest or the mean of windows, or of the whole."""

from collections.abc import Callable, Sequence
from typing import Any

from .. import ops
from ..autograd import Tensor
from ..ops.convolution import one_for_each_axis
from .spatial import Spatial, checked_padding


class Pooling(Spatial):
    """The common part of windowed pooling.

    Args:
        pool_size: of the windows: one size, or one for each dimension.
        strides: how far apart they are; None: side by side.
        padding: "valid" adds nothing, "same" adds positions that do not count, so that out = ceil(size / stride).
    """

    built = True
    pool: Callable[..., Tensor]
    stage = "pooling"

    def __init__(
        self,
        pool_size: int | Sequence[int] = 2,
        strides: int | Sequence[int] | None = None,
        padding: str = "valid",
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(data_format, **kwargs)
        kind = type(self).__name__
        self.pool_size = one_for_each_axis(pool_size, self.rank, f"{kind}: pool_size")
        self.strides = self.pool_size if strides is None else one_for_each_axis(strides, self.rank, f"{kind}: strides")
        self.padding = checked_padding(padding, kind)

    def call(self, inputs: Tensor) -> Tensor:
        return type(self).pool(inputs, self.pool_size, self.strides, self.padding, self.data_format)


class MaxPooling1D(Pooling):
    """y = the largest in each window of (N, steps, C)"""

    rank, pool = 1, staticmethod(ops.max_pool)


class MaxPooling2D(Pooling):
    """y = the largest in each window of (N, height, width, C)

    >>> from layerwise import layers, ops
    >>> layers.MaxPooling2D(2)(ops.reshape(ops.arange(16.0), (1, 4, 4, 1)))[0, :, :, 0]
    Tensor([[ 5.,  7.],
            [13., 15.]], shape=(2, 2), dtype=float32)
    """

    rank, pool = 2, staticmethod(ops.max_pool)


class MaxPooling3D(Pooling):
    """y = the largest in each window of (N, depth, height, width, C)"""

    rank, pool = 3, staticmethod(ops.max_pool)


class AveragePooling1D(Pooling):
    """y = the mean of each window of (N, steps, C), padding not counted"""

    rank, pool = 1, staticmethod(ops.average_pool)


class AveragePooling2D(Pooling):
    """y = the mean of each window of (N, height, width, C), padding not counted"""

    rank, pool = 2, staticmethod(ops.average_pool)


class AveragePooling3D(Pooling):
    """y = the mean of each window of (N, depth, height, width, C), padding not counted"""

    rank, pool = 3, staticmethod(ops.average_pool)


class GlobalPooling(Spatial):
    """The common part of pooling over all positions: (N, spatial..., C) -> (N, C)

    Args:
        keepdims: whether the dimensions stay, with size 1.
    """

    built = True
    reduce: Callable[..., Tensor]

    def __init__(self, data_format: str | None = None, keepdims: bool = False, **kwargs: Any) -> None:
        super().__init__(data_format, **kwargs)
        self.keepdims = keepdims

    def call(self, inputs: Tensor) -> Tensor:
        axes = tuple(range(self.first_axis, self.first_axis + self.rank))
        return type(self).reduce(inputs, axis=axes, keepdims=self.keepdims)


class GlobalMaxPooling1D(GlobalPooling):
    """y = the largest over all steps"""

    rank, reduce = 1, staticmethod(ops.max)


class GlobalMaxPooling2D(GlobalPooling):
    """y = the largest over all positions"""

    rank, reduce = 2, staticmethod(ops.max)


class GlobalMaxPooling3D(GlobalPooling):
    """y = the largest over all positions"""

    rank, reduce = 3, staticmethod(ops.max)


class GlobalAveragePooling1D(GlobalPooling):
    """y = the mean over all steps, or over those that a mask keeps"""

    supports_masking = True
    rank, reduce = 1, staticmethod(ops.mean)

    def call(self, inputs: Tensor, mask: Tensor | None = None) -> Tensor:
        if mask is None:
            return super().call(inputs)
        steps = self.first_axis
        kept = ops.expand_dims(ops.cast(mask, inputs.dtype), 2 if steps == 1 else 1)
        return ops.sum(inputs * kept, axis=steps, keepdims=self.keepdims) / ops.sum(
            kept, axis=steps, keepdims=self.keepdims
        )

    def compute_mask(self, inputs: Any, previous_mask: Any) -> Any:
        return None


class GlobalAveragePooling2D(GlobalPooling):
    """y = the mean over all positions"""

    rank, reduce = 2, staticmethod(ops.mean)


class GlobalAveragePooling3D(GlobalPooling):
    """y = the mean over all positions"""

    rank, reduce = 3, staticmethod(ops.mean)


class AdaptivePooling(Spatial):
    """The common part of pooling to a given size, whatever the input's.

    Args:
        output_size: how many windows along each axis: one number, or one for each dimension.
    """

    built = True
    pool: Callable[..., Tensor]

    def __init__(self, output_size: int | Sequence[int], data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(data_format, **kwargs)
        self.output_size = one_for_each_axis(output_size, self.rank, f"{type(self).__name__}: output_size")

    def call(self, inputs: Tensor) -> Tensor:
        return type(self).pool(inputs, self.output_size, self.data_format)


class AdaptiveMaxPooling1D(AdaptivePooling):
    """y = the largest in each of `output_size` windows that cover all steps, see `ops.adaptive_max_pool`"""

    rank, pool = 1, staticmethod(ops.adaptive_max_pool)


class AdaptiveMaxPooling2D(AdaptivePooling):
    """y = the largest in each of `output_size` windows that cover the image, see `ops.adaptive_max_pool`"""

    rank, pool = 2, staticmethod(ops.adaptive_max_pool)


class AdaptiveMaxPooling3D(AdaptivePooling):
    """y = the largest in each of `output_size` windows that cover the volume, see `ops.adaptive_max_pool`"""

    rank, pool = 3, staticmethod(ops.adaptive_max_pool)


class AdaptiveAveragePooling1D(AdaptivePooling):
    """y = the mean of each of `output_size` windows that cover all steps, see `ops.adaptive_average_pool`"""

    rank, pool = 1, staticmethod(ops.adaptive_average_pool)


class AdaptiveAveragePooling2D(AdaptivePooling):
    """y = the mean of each of `output_size` windows that cover the image, see `ops.adaptive_average_pool`

    >>> from layerwise import layers, ops
    >>> layers.AdaptiveAveragePooling2D((2, 3))(ops.zeros((1, 7, 5, 4))).shape
    (1, 2, 3, 4)
    """

    rank, pool = 2, staticmethod(ops.adaptive_average_pool)


class AdaptiveAveragePooling3D(AdaptivePooling):
    """y = the mean of each of `output_size` windows that cover the volume, see `ops.adaptive_average_pool`"""

    rank, pool = 3, staticmethod(ops.adaptive_average_pool)


MaxPool1D, MaxPool2D, MaxPool3D = MaxPooling1D, MaxPooling2D, MaxPooling3D
AvgPool1D, AvgPool2D, AvgPool3D = AveragePooling1D, AveragePooling2D, AveragePooling3D
GlobalMaxPool1D, GlobalMaxPool2D, GlobalMaxPool3D = GlobalMaxPooling1D, GlobalMaxPooling2D, GlobalMaxPooling3D
GlobalAvgPool1D, GlobalAvgPool2D = GlobalAveragePooling1D, GlobalAveragePooling2D
GlobalAvgPool3D = GlobalAveragePooling3D
