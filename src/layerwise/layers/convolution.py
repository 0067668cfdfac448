"""Convolution of any rank, plain, depthwise, separable and transposed; Conv1D, Conv2D, ... only say which."""

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


class Convolving(Spatial):
    """The common part of convolutions: the geometry, bias and activation.

    Args:
        filters: how many channels the output has.
        kernel_size: how many taps the kernel has: one number, or one for each dimension.
        strides: how far apart the places are where the kernel is laid: one number, or one for each dimension.
        padding: "valid" adds nothing, "same" adds zeros so that out = ceil(spatial / stride).
        dilation_rate: how far apart its taps are, likewise.
        activation: of the result.
        use_bias: whether there is a bias.
    """

    def __init__(
        self,
        kernel_size: int | Sequence[int],
        strides: int | Sequence[int],
        padding: str,
        data_format: str | None,
        dilation_rate: int | Sequence[int],
        activation: Any,
        use_bias: bool,
        causal: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(data_format, **kwargs)
        kind = type(self).__name__
        self.kernel_size = one_for_each_axis(kernel_size, self.rank, f"{kind}: kernel_size")
        self.strides = one_for_each_axis(strides, self.rank, f"{kind}: strides")
        self.dilation_rate = one_for_each_axis(dilation_rate, self.rank, f"{kind}: dilation_rate")
        self.padding = checked_padding(padding, kind, causal)
        self.activation = activations.get(activation)
        self.use_bias = use_bias
        self.input_spec = InputSpec(min_ndim=self.rank + 2, max_ndim=self.rank + 2)

    def channels_of(self, input_shape: tuple[int | None, ...]) -> int:
        """How many channels inputs have, and from now on have to have."""
        axis = -1 if self.data_format == "channels_last" else 1
        channels = input_shape[axis]
        if channels is None:
            raise ValueError(f"layer {self.name!r}: input of shape {input_shape}: the number of channels must be known")
        self.input_spec = InputSpec(ndim=self.rank + 2, axes={axis: channels})
        return channels

    def call(self, inputs: Tensor) -> Tensor:
        first = self.data_format == "channels_first"
        x = ops.moveaxis(inputs, 1, -1) if first else inputs
        y = activated(self.activation, lambda act: self.convolved(x, act))
        return ops.moveaxis(y, -1, 1) if first else y

    def convolved(self, x: Tensor, act: str | None) -> Tensor:
        """act(the convolution of x, with channels last, and bias), for the activations that a kernel applies."""
        raise NotImplementedError(f"{type(self).__name__}: define convolved(self, x, act)")

    def window(self, x: Tensor) -> Window:
        """The geometry on x with channels last."""
        return Window.of(self.kernel_size, self.strides, self.padding, self.dilation_rate, x.shape[1:-1])

    def by_channel(self, x: Tensor, kernel: Tensor, bias: Tensor | None = None, act: str | None = None) -> Tensor:
        """act(the convolution of each channel of x by itself, and bias), by a kernel (taps..., C, multiplier)."""
        taps = ops.reshape(kernel, (*self.kernel_size, 1, kernel.shape[-2] * kernel.shape[-1]))
        return ops.convolution(x, taps, bias, window=self.window(x), act=act)


class Conv(Convolving, after={"activity_regularizer": "bias_regularizer"}):
    """y[n, o, m] = activation(bias[m] + sum over t, c of x[n, o stride + t dilation - pad, c] kernel[t, c, m])

    t runs over the kernel's taps, c over channels. x (N, spatial..., C), kernel (kernel_size..., C / groups, filters),
    bias (filters,) -> (N, out..., filters), or channels second with `data_format="channels_first"`. Padding "valid"
    adds nothing; "same" adds zeros so that out = ceil(spatial / stride); "causal" (one dimension) all in front.

    Args:
        padding: "valid", "same" or "causal".
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
        geometry = (kernel_size, strides, padding, data_format, dilation_rate)
        super().__init__(*geometry, activation, use_bias, causal=self.rank == 1, **options)
        kind = type(self).__name__
        self.filters = whole_number(f"{kind}: filters", filters)
        self.groups = whole_number(f"{kind}: groups", groups)
        if filters % groups:
            raise ValueError(f"{kind}: groups: got {groups}, expected a number that divides filters={filters}")

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        channels = self.channels_of(input_shape)
        if channels % self.groups:
            raise ValueError(
                f"layer {self.name!r}: groups={self.groups} does not divide the input's {channels} channels"
            )
        super().make("kernel", (*self.kernel_size, channels // self.groups, self.filters))
        super().make("bias", (self.filters,), given=self.use_bias)

    def convolution_op(self, inputs: Tensor, kernel: Tensor) -> Tensor:
        """What `call` does with the kernel; override it, for example to use another kernel made of this one."""
        return ops.conv(inputs, kernel, self.strides, self.padding, self.data_format, self.dilation_rate)

    def call(self, inputs: Tensor) -> Tensor:
        if type(self).convolution_op is Conv.convolution_op:
            return super().call(inputs)
        y = self.convolution_op(inputs, self.kernel)
        channels = (1, -1, *(1,) * self.rank) if self.data_format == "channels_first" else (-1,)
        y = y if self.bias is None else y + ops.reshape(self.bias, channels)
        return y if self.activation is None else self.activation(y)

    def convolved(self, x: Tensor, act: str | None) -> Tensor:
        return ops.convolution(x, self.kernel, self.bias, window=self.window(x), act=act)


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


class DepthwiseConv(Convolving, after={"activity_regularizer": "bias_regularizer"}):
    """y[n, o, c k + j] = activation(bias[c k + j] + sum over t of x[n, o stride + t dilation - pad, c] kernel[t, c, j])

    Each channel by itself makes k = depth_multiplier channels; t runs over the kernel's taps. x (N, spatial..., C),
    kernel (kernel_size..., C, k), bias (C k,) -> (N, out..., C k), or channels second with
    `data_format="channels_first"`.

    Args:
        depth_multiplier: how many channels come of each.
    """

    kernel = Weight("glorot_uniform", prefix="depthwise")
    bias = Weight("zeros")

    def __init__(
        self,
        kernel_size: int | Sequence[int],
        strides: int | Sequence[int] = 1,
        padding: str = "valid",
        depth_multiplier: int = 1,
        data_format: str | None = None,
        dilation_rate: int | Sequence[int] = 1,
        activation: Any = None,
        use_bias: bool = True,
        **options: Any,
    ) -> None:
        super().__init__(kernel_size, strides, padding, data_format, dilation_rate, activation, use_bias, **options)
        self.depth_multiplier = whole_number(f"{type(self).__name__}: depth_multiplier", depth_multiplier)

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        channels = self.channels_of(input_shape)
        super().make("kernel", (*self.kernel_size, channels, self.depth_multiplier))
        super().make("bias", (channels * self.depth_multiplier,), given=self.use_bias)

    def convolved(self, x: Tensor, act: str | None) -> Tensor:
        return self.by_channel(x, self.kernel, self.bias, act)


class DepthwiseConv1D(DepthwiseConv):
    __doc__ = DepthwiseConv.__doc__
    rank = 1


class DepthwiseConv2D(DepthwiseConv):
    __doc__ = f"""{DepthwiseConv.__doc__}
    >>> from layerwise import layers, ops
    >>> layers.DepthwiseConv2D(3, depth_multiplier=2)(ops.zeros((1, 6, 6, 3))).shape
    (1, 4, 4, 6)
    """
    rank = 2


class SeparableConv(Convolving, after={"activity_regularizer": "bias_regularizer"}):
    """y[n, o] = activation(bias + d[n, o] pointwise_kernel), d the depthwise convolution of x by depthwise_kernel

    Each channel by itself, and then a mixture of channels at each position. x (N, spatial..., C), depthwise_kernel
    (kernel_size..., C, depth_multiplier), pointwise_kernel (1..., C depth_multiplier, filters), bias (filters,)
    -> (N, out..., filters), or channels second with `data_format="channels_first"`. (Chollet 2017)

    Args:
        depth_multiplier: how many channels come of each before they are mixed.
    """

    depthwise_kernel = Weight("glorot_uniform", prefix="depthwise")
    pointwise_kernel = Weight("glorot_uniform", prefix="pointwise")
    bias = Weight("zeros")

    def __init__(
        self,
        filters: int,
        kernel_size: int | Sequence[int],
        strides: int | Sequence[int] = 1,
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: int | Sequence[int] = 1,
        depth_multiplier: int = 1,
        activation: Any = None,
        use_bias: bool = True,
        **options: Any,
    ) -> None:
        super().__init__(kernel_size, strides, padding, data_format, dilation_rate, activation, use_bias, **options)
        kind = type(self).__name__
        self.filters = whole_number(f"{kind}: filters", filters)
        self.depth_multiplier = whole_number(f"{kind}: depth_multiplier", depth_multiplier)

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        channels = self.channels_of(input_shape)
        super().make("depthwise_kernel", (*self.kernel_size, channels, self.depth_multiplier))
        super().make("pointwise_kernel", (*(1,) * self.rank, channels * self.depth_multiplier, self.filters))
        super().make("bias", (self.filters,), given=self.use_bias)

    def convolved(self, x: Tensor, act: str | None) -> Tensor:
        point = Window((1,) * self.rank, (1,) * self.rank, ((0, 0),) * self.rank)
        x = self.by_channel(x, self.depthwise_kernel)
        return ops.convolution(x, self.pointwise_kernel, self.bias, window=point, act=act)


class SeparableConv1D(SeparableConv):
    __doc__ = SeparableConv.__doc__
    rank = 1


class SeparableConv2D(SeparableConv):
    __doc__ = f"""{SeparableConv.__doc__}
    >>> from layerwise import layers, ops
    >>> layer = layers.SeparableConv2D(8, 3, padding="same")
    >>> layer(ops.zeros((1, 6, 6, 3))).shape, layer.count_params()
    ((1, 6, 6, 8), 59)
    """
    rank = 2


class ConvTranspose(Convolving, after={"activity_regularizer": "bias_regularizer"}):
    """y[n, i] = activation(bias + sum over o, t with i = o stride + t dilation - pad of kernel[t] x[n, o])

    Each position of x is spread over the positions that a convolution would have made it of, and what meets is added:
    the gradient of a convolution, by its input. x (N, spatial..., C), kernel (kernel_size..., filters, C),
    bias (filters,) -> (N, out..., filters), or channels second with `data_format="channels_first"`; out is
    (spatial - 1) stride + max(reach, stride) with padding "valid", reach = (kernel_size - 1) dilation_rate + 1 being
    the kernel's, and spatial stride with "same".

    Args:
        padding: "valid" or "same".
        output_padding: how many positions are added at the end to (spatial - 1) stride + reach ("valid") or
            (spatial - 1) stride + reach mod 2 ("same"); less than the stride. None: as above.
    """

    kernel = Weight("glorot_uniform")
    bias = Weight("zeros")

    def __init__(
        self,
        filters: int,
        kernel_size: int | Sequence[int],
        strides: int | Sequence[int] = 1,
        padding: str = "valid",
        output_padding: int | Sequence[int] | None = None,
        data_format: str | None = None,
        dilation_rate: int | Sequence[int] = 1,
        activation: Any = None,
        use_bias: bool = True,
        **options: Any,
    ) -> None:
        super().__init__(kernel_size, strides, padding, data_format, dilation_rate, activation, use_bias, **options)
        kind = type(self).__name__
        self.filters = whole_number(f"{kind}: filters", filters)
        self.output_padding = None
        if output_padding is not None:
            self.output_padding = one_for_each_axis(output_padding, self.rank, f"{kind}: output_padding", least=0)
            if any(more >= s for more, s in zip(self.output_padding, self.strides, strict=True)):
                raise ValueError(
                    f"{kind}: output_padding: got {output_padding}, expected less than strides={self.strides}"
                )
        if max(self.strides) > 1 and max(self.dilation_rate) > 1:
            raise ValueError(
                f"{kind}: got strides={self.strides} and dilation_rate={self.dilation_rate}, "
                "expected at most one of them above 1"
            )

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        super().make("kernel", (*self.kernel_size, self.filters, self.channels_of(input_shape)))
        super().make("bias", (self.filters,), given=self.use_bias)

    def convolved(self, x: Tensor, act: str | None) -> Tensor:
        geometry = (self.strides, self.padding, self.output_padding, "channels_last", self.dilation_rate)
        y = ops.conv_transpose(x, self.kernel, *geometry)
        return activations.get(act)(y if self.bias is None else y + self.bias)


class Conv1DTranspose(ConvTranspose):
    __doc__ = ConvTranspose.__doc__
    rank = 1


class Conv2DTranspose(ConvTranspose):
    __doc__ = f"""{ConvTranspose.__doc__}
    >>> from layerwise import layers, ops
    >>> layers.Conv2DTranspose(8, 3, strides=2, padding="same")(ops.zeros((1, 6, 6, 3))).shape
    (1, 12, 12, 8)
    """
    rank = 2


class Conv3DTranspose(ConvTranspose, options_of=ConvTranspose):
    __doc__ = ConvTranspose.__doc__
    rank = 3

    def __init__(  # in the order that Keras has here
        self,
        filters: int,
        kernel_size: int | Sequence[int],
        strides: int | Sequence[int] = 1,
        padding: str = "valid",
        data_format: str | None = None,
        output_padding: int | Sequence[int] | None = None,
        **options: Any,
    ) -> None:
        super().__init__(filters, kernel_size, strides, padding, output_padding, data_format, **options)


Convolution1D, Convolution2D, Convolution3D = Conv1D, Conv2D, Conv3D
SeparableConvolution1D, SeparableConvolution2D = SeparableConv1D, SeparableConv2D
Convolution1DTranspose, Convolution2DTranspose = Conv1DTranspose, Conv2DTranspose
Convolution3DTranspose = Conv3DTranspose
