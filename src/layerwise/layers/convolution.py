"""Convolution of any rank; Conv1D, Conv2D and Conv3D only say which."""

from collections.abc import Sequence
from typing import Any

from .. import activations, ops
from ..autograd import Tensor
from ..backends import Window
from ..naming import whole_number
from ..ops.convolution import one_for_each_axis
from .core import activated
from .input_spec import InputSpec
from .spatial import Spatial, checked_padding
from .weights import Weight


class Conv(Spatial, after={"activity_regularizer": "bias_regularizer"}):
    """y[n, o, m] = activation(bias[m] + sum over t, c of x[n, o stride + t dilation - pad, c] kernel[t, c, m])

    t runs over the kernel's taps, c over channels. x (N, spatial..., C), kernel (kernel_size..., C / groups, filters),
    bias (filters,) -> (N, out..., filters), or channels second with `data_format="channels_first"`. Padding "valid"
    adds nothing; "same" adds zeros so that out = ceil(spatial / stride); "causal" (one dimension) all in front.

    Args:
        strides: how far apart the places are where the kernel is laid: one number, or one for each dimension.
        padding: "valid", "same" or "causal".
        dilation_rate: how far apart its taps are, likewise.
        use_bias: whether there is a bias.
    """

    stage = "convolution"
    kernel = Weight("glorot_uniform")
    bias = Weight("zeros")

    def __init__(
        self,
        filters: int,
        kernel_size: int | Sequence[int],
        strides: int | Sequence[int] = 1,
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: int | Sequence[int] = 1,
        groups: int = 1,
        activation: Any = None,
        use_bias: bool = True,
        **options: Any,
    ) -> None:
        super().__init__(data_format, **options)
        kind = type(self).__name__
        self.filters = whole_number(f"{kind}: filters", filters)
        self.groups = whole_number(f"{kind}: groups", groups)
        if filters % groups:
            raise ValueError(f"{kind}: groups: got {groups}, expected a number that divides filters={filters}")
        self.kernel_size = one_for_each_axis(kernel_size, self.rank, f"{kind}: kernel_size")
        self.strides = one_for_each_axis(strides, self.rank, f"{kind}: strides")
        self.dilation_rate = one_for_each_axis(dilation_rate, self.rank, f"{kind}: dilation_rate")
        self.padding = checked_padding(padding, kind, causal=self.rank == 1)
        self.activation = activations.get(activation)
        self.use_bias = use_bias
        self.input_spec = InputSpec(min_ndim=self.rank + 2, max_ndim=self.rank + 2)

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        axis = -1 if self.data_format == "channels_last" else 1
        channels = input_shape[axis]
        if channels is None:
            raise ValueError(f"layer {self.name!r}: input of shape {input_shape}: the number of channels must be known")
        if channels % self.groups:
            raise ValueError(
                f"layer {self.name!r}: groups={self.groups} does not divide the input's {channels} channels"
            )
        super().make("kernel", (*self.kernel_size, channels // self.groups, self.filters))
        super().make("bias", (self.filters,), given=self.use_bias)
        self.input_spec = InputSpec(ndim=self.rank + 2, axes={axis: channels})

    def convolution_op(self, inputs: Tensor, kernel: Tensor) -> Tensor:
        """What `call` does with the kernel; override it, for example to use another kernel made of this one."""
        return ops.conv(inputs, kernel, self.strides, self.padding, self.data_format, self.dilation_rate)

    def call(self, inputs: Tensor) -> Tensor:
        if type(self).convolution_op is not Conv.convolution_op:
            y = self.convolution_op(inputs, self.kernel)
            channels = (1, -1, *(1,) * self.rank) if self.data_format == "channels_first" else (-1,)
            y = y if self.bias is None else y + ops.reshape(self.bias, channels)
            return y if self.activation is None else self.activation(y)
        first = self.data_format == "channels_first"
        inputs = ops.moveaxis(inputs, 1, -1) if first else inputs
        window = self.window(inputs)
        y = activated(
            self.activation, lambda act: ops.convolution(inputs, self.kernel, self.bias, window=window, act=act)
        )
        return ops.moveaxis(y, -1, 1) if first else y

    def window(self, x: Tensor) -> Window:
        """The geometry on x with channels last."""
        return Window.of(self.kernel_size, self.strides, self.padding, self.dilation_rate, x.shape[1:-1])


class Conv1D(Conv):
    __doc__ = Conv.__doc__
    rank = 1


class Conv2D(Conv):
    __doc__ = f"""{Conv.__doc__}
    >>> from layerwise import layers, ops
    >>> layers.Conv2D(8, 3, padding="same")(ops.zeros((1, 6, 6, 3))).shape
    (1, 6, 6, 8)
    """
    rank = 2


class Conv3D(Conv):
    __doc__ = Conv.__doc__
    rank = 3
