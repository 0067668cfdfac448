"""Dense layers, convolutions, pools, normalisation and scaling."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ... import config, layers
from ...autograd import Tensor
from ...backends import Window
from ...layers.convolution import Conv, SeparableConv
from ...layers.pooling import GlobalPooling, Pooling
from ...ops.convolution import transposed_axis
from .activations import activated
from .builder import RULES, Builder, Unsupported, rule


@rule(layers.Dense)
def _(b: Builder, layer: Any, xs: list[str], inputs: list[Tensor]) -> str:
    y = b.add("MatMul", xs[0], b.constant(layer.kernel.numpy()))
    y = b.calculate("Add", y, layer.bias.numpy()) if layer.bias is not None else y
    return activated(b, layer.activation, y)


@rule(layers.Embedding)
def _(b: Builder, layer: Any, xs: list[str], inputs: list[Tensor]) -> str:
    return b.add("Gather", b.constant(layer.embeddings.numpy()), b.cast(xs[0], inputs[0].dtype, "int64"), axis=0)


@rule(layers.Conv1D, layers.Conv2D, layers.Conv3D)
def _(b: Builder, layer: Conv, xs: list[str], inputs: list[Tensor]) -> str:
    weight = b.constant(np.moveaxis(layer.kernel.numpy(), (-1, -2), (0, 1)))
    bias = [b.constant(layer.bias.numpy())] if layer.bias is not None else []

    def convolution(x: str, padding: dict[str, Any]) -> str:
        return b.add(
            "Conv", x, weight, *bias, kernel_shape=layer.kernel_size, strides=layer.strides,
            dilations=layer.dilation_rate, group=layer.groups, **padding,
        )  # fmt: skip

    y = _windowed(b, layer, xs[0], inputs[0], layer.kernel_size, layer.dilation_rate, convolution)
    return activated(b, layer.activation, y)


@rule(layers.DepthwiseConv1D, layers.DepthwiseConv2D, layers.SeparableConv1D, layers.SeparableConv2D)
def _(b: Builder, layer: Any, xs: list[str], inputs: list[Tensor]) -> str:
    separable = isinstance(layer, SeparableConv)
    kernel = (layer.depthwise_kernel if separable else layer.kernel).numpy()
    channels = kernel.shape[-2]
    weight = b.constant(np.moveaxis(kernel.reshape(*kernel.shape[:-2], -1), -1, 0)[:, None])
    bias = [b.constant(layer.bias.numpy())] if layer.bias is not None else []

    def convolution(x: str, padding: dict[str, Any]) -> str:
        y = b.add(
            "Conv", x, weight, *([] if separable else bias), kernel_shape=layer.kernel_size, strides=layer.strides,
            dilations=layer.dilation_rate, group=channels, **padding,
        )  # fmt: skip
        if not separable:
            return y
        mixing = b.constant(np.moveaxis(layer.pointwise_kernel.numpy(), (-1, -2), (0, 1)))
        return b.add("Conv", y, mixing, *bias, kernel_shape=(1,) * layer.rank)

    y = _windowed(b, layer, xs[0], inputs[0], layer.kernel_size, layer.dilation_rate, convolution)
    return activated(b, layer.activation, y)


@rule(layers.Conv1DTranspose, layers.Conv2DTranspose, layers.Conv3DTranspose)
def _(b: Builder, layer: Any, xs: list[str], inputs: list[Tensor]) -> str:
    weight = b.constant(np.moveaxis(layer.kernel.numpy(), (-1, -2), (0, 1)))
    bias = [b.constant(layer.bias.numpy())] if layer.bias is not None else []
    pads, added = [], []
    more = layer.output_padding or (None,) * layer.rank
    for size, stride, dilation, of in zip(layer.kernel_size, layer.strides, layer.dilation_rate, more, strict=True):
        pair, length, _ = transposed_axis(layer.padding, 1, size, stride, dilation, of)
        pads.append(pair)
        added.append(length - ((size - 1) * dilation + 1 - sum(pair)))

    def convolution(x: str) -> str:
        return b.add(
            "ConvTranspose", x, weight, *bias, kernel_shape=layer.kernel_size, strides=layer.strides,
            dilations=layer.dilation_rate, pads=[pair[end] for end in (0, 1) for pair in pads], output_padding=added,
        )  # fmt: skip

    return activated(b, layer.activation, b.in_channels_first(layer, xs[0], inputs[0].ndim, convolution))


@rule(layers.EinsumDense)
def _(b: Builder, layer: Any, xs: list[str], inputs: list[Tensor]) -> str:
    y = b.add("Einsum", xs[0], b.constant(layer.kernel.numpy()), equation=layer.equation)
    y = b.calculate("Add", y, layer.bias.numpy()) if layer.bias is not None else y
    return activated(b, layer.activation, y)


@rule(
    layers.AdaptiveMaxPooling1D, layers.AdaptiveMaxPooling2D, layers.AdaptiveMaxPooling3D,
    layers.AdaptiveAveragePooling1D, layers.AdaptiveAveragePooling2D, layers.AdaptiveAveragePooling3D,
)  # fmt: skip
def _(b: Builder, layer: Any, xs: list[str], inputs: list[Tensor]) -> str:
    spatial = inputs[0].shape[layer.first_axis :][: layer.rank]
    if any(n is None or n % out for n, out in zip(spatial, layer.output_size, strict=True)):
        raise Unsupported("windows of different sizes")
    size = [n // out for n, out in zip(spatial, layer.output_size, strict=True)]
    operator = "MaxPool" if "Max" in type(layer).__name__ else "AveragePool"
    return b.in_channels_first(
        layer, xs[0], inputs[0].ndim, lambda x: b.add(operator, x, kernel_shape=size, strides=size)
    )


@rule(
    layers.MaxPooling1D, layers.MaxPooling2D, layers.MaxPooling3D,
    layers.AveragePooling1D, layers.AveragePooling2D, layers.AveragePooling3D,
)  # fmt: skip
def _(b: Builder, layer: Pooling, xs: list[str], inputs: list[Tensor]) -> str:
    operator = "MaxPool" if type(layer).__name__.startswith("Max") else "AveragePool"

    def pool(x: str, padding: dict[str, Any]) -> str:
        return b.add(operator, x, kernel_shape=layer.pool_size, strides=layer.strides, **padding)

    return _windowed(b, layer, xs[0], inputs[0], layer.pool_size, (1,) * layer.rank, pool)


def _windowed(
    b: Builder,
    layer: Any,
    x: str,
    tensor: Tensor,
    size: Sequence[int],
    dilation: Sequence[int],
    operation: Callable[[str, dict[str, Any]], str],
) -> str:
    """An operation on windows, with channels first; padding in numbers where sizes are known."""
    spatial = tensor.shape[layer.first_axis :][: layer.rank]
    if layer.padding == "valid":
        padding: dict[str, Any] = {}
    elif layer.padding == "same" and None in spatial:
        padding = {"auto_pad": "SAME_UPPER"}
    else:  # causal padding is the same for all sizes
        known = [1 if n is None else n for n in spatial]
        pairs = Window.of(size, layer.strides, layer.padding, dilation, known).pad
        padding = {"pads": [pair[end] for end in (0, 1) for pair in pairs]}
    return b.in_channels_first(layer, x, tensor.ndim, lambda x: operation(x, padding))


@rule(
    layers.GlobalMaxPooling1D, layers.GlobalMaxPooling2D, layers.GlobalMaxPooling3D,
    layers.GlobalAveragePooling1D, layers.GlobalAveragePooling2D, layers.GlobalAveragePooling3D,
)  # fmt: skip
def _(b: Builder, layer: GlobalPooling, xs: list[str], inputs: list[Tensor]) -> str:
    operator = "ReduceMax" if "Max" in type(layer).__name__ else "ReduceMean"
    axes = b.sizes(range(layer.first_axis, layer.first_axis + layer.rank))
    return b.add(operator, xs[0], axes, keepdims=int(layer.keepdims))


@rule(layers.BatchNormalization)
def _(b: Builder, layer: Any, xs: list[str], inputs: list[Tensor]) -> str:
    """x scale + shift, which is what it comes to when the averages stand still."""
    scale = 1 / np.sqrt(layer.moving_variance.numpy() + np.float32(layer.epsilon))
    scale = scale * layer.gamma.numpy() if layer.gamma is not None else scale
    shift = -layer.moving_mean.numpy() * scale
    shift = shift + layer.beta.numpy() if layer.beta is not None else shift
    shape = [1] * (inputs[0].ndim - 1 - layer.axis % inputs[0].ndim)
    return b.calculate("Add", b.calculate("Mul", xs[0], scale.reshape(-1, *shape)), shift.reshape(-1, *shape))


@rule(layers.LayerNormalization)
def _(b: Builder, layer: Any, xs: list[str], inputs: list[Tensor]) -> str:
    axes = layer._axes(inputs[0].ndim)
    if layer.rms_scaling or list(axes) != list(range(axes[0], inputs[0].ndim)):
        raise Unsupported("normalisation over other axes than the last ones, or without a mean")
    shape = [inputs[0].shape[axis] for axis in axes]
    gamma = np.ones(shape) if layer.gamma is None else layer.gamma.numpy()
    beta = np.zeros(shape) if layer.beta is None else layer.beta.numpy()
    operands = xs[0], b.constant(gamma), b.constant(beta)
    return b.add("LayerNormalization", *operands, axis=axes[0], epsilon=float(layer.epsilon))


@rule(layers.GroupNormalization)
def _(b: Builder, layer: Any, xs: list[str], inputs: list[Tensor]) -> str:
    ndim, axis = inputs[0].ndim, layer.axis % inputs[0].ndim
    if axis not in (1, ndim - 1):
        raise Unsupported(f"groups along axis {layer.axis}")
    x = xs[0] if axis == 1 else b.channels_first(xs[0], ndim)
    ones, zeros = b.constant(np.ones(layer.groups)), b.constant(np.zeros(layer.groups))
    grouped = b.add("Reshape", x, b.sizes([0, layer.groups, -1]))
    y = b.add("InstanceNormalization", grouped, ones, zeros, epsilon=float(layer.epsilon))
    y = b.add("Reshape", y, b.add("Shape", x))
    for operator, weight in (("Mul", layer.gamma), ("Add", layer.beta)):
        if weight is not None:
            y = b.calculate(operator, y, weight.numpy().reshape(-1, *(1,) * (ndim - 2)))
    return y if axis == 1 else b.channels_last(y, ndim)


@rule(layers.RMSNormalization)
def _(b: Builder, layer: Any, xs: list[str], inputs: list[Tensor]) -> str:
    axes = sorted(axis % inputs[0].ndim for axis in layer.axis)
    mean = b.add("ReduceMean", b.add("Mul", xs[0], xs[0]), b.sizes(axes))
    y = b.add("Div", xs[0], b.add("Sqrt", b.calculate("Add", mean, layer.epsilon)))
    along = [inputs[0].shape[i] if i in axes else 1 for i in range(axes[0], inputs[0].ndim)]
    return b.calculate("Mul", y, layer.scale.numpy().reshape(along))


@rule(layers.UnitNormalization)
def _(b: Builder, layer: Any, xs: list[str], inputs: list[Tensor]) -> str:
    axes = [layer.axis] if isinstance(layer.axis, int) else layer.axis
    return unit(b, xs[0], [axis % inputs[0].ndim for axis in axes])


def unit(b: Builder, x: str, axes: Sequence[int]) -> str:
    """x / its length along axes."""
    return b.add("Div", x, b.calculate("Max", b.add("ReduceL2", x, b.sizes(axes)), 1e-12))


@rule(layers.SpectralNormalization)
def _(b: Builder, layer: Any, xs: list[str], inputs: list[Tensor]) -> str:
    if (write := RULES.get(type(layer.layer))) is None:
        raise Unsupported(type(layer.layer).__name__)
    return write(b, layer.layer, xs, inputs)


@rule(layers.AutoContrast)
def _(b: Builder, layer: Any, xs: list[str], inputs: list[Tensor]) -> str:
    low, high = layer.value_range
    first = inputs[0].ndim - (2 if layer.data_format == "channels_first" else 3)
    least, most = (b.add(f"Reduce{kind}", xs[0], b.sizes([first, first + 1])) for kind in ("Min", "Max"))
    width = b.add("Sub", most, least)
    several = b.add("Greater", width, b.constant(0))
    y = b.add("Div", b.calculate("Mul", b.add("Sub", xs[0], least), high - low), b.calculate("Max", width, 1e-30))
    y = b.add("Clip", b.calculate("Add", y, low), b.constant(low), b.constant(high))
    return b.add("Where", several, y, xs[0])


@rule(layers.Normalization)
def _(b: Builder, layer: Any, xs: list[str], inputs: list[Tensor]) -> str:
    mean, scale = layer.mean.numpy(), np.maximum(np.sqrt(layer.variance.numpy()), config.epsilon())
    if layer.invert:
        return b.calculate("Add", b.calculate("Mul", xs[0], scale), mean)
    return b.calculate("Div", b.calculate("Sub", xs[0], mean), scale)


@rule(layers.Rescaling)
def _(b: Builder, layer: Any, xs: list[str], inputs: list[Tensor]) -> str:
    return b.calculate("Add", b.calculate("Mul", xs[0], layer.scale), layer.offset)
