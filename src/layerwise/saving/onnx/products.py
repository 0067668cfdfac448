"""Dense layers, convolutions, pools, normalisation and scaling."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ... import config, layers
from ...autograd import Tensor
from ...backends import Window
from ...layers.convolution import Conv
from ...layers.pooling import GlobalPooling, Pooling
from .activations import activated
from .builder import Builder, Unsupported, rule


@rule(layers.Dense)
def _(b: Builder, layer: Any, xs: list[str], inputs: list[Tensor]) -> str:
    y = b.add("MatMul", xs[0], b.constant(layer.kernel.numpy()))
    y = b.calculate("Add", y, layer.bias.numpy()) if layer.bias is not None else y
    return activated(b, layer.activation, y)


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


@rule(layers.Normalization)
def _(b: Builder, layer: Any, xs: list[str], inputs: list[Tensor]) -> str:
    mean, scale = layer.mean.numpy(), np.maximum(np.sqrt(layer.variance.numpy()), config.epsilon())
    if layer.invert:
        return b.calculate("Add", b.calculate("Mul", xs[0], scale), mean)
    return b.calculate("Div", b.calculate("Sub", xs[0], mean), scale)


@rule(layers.Rescaling)
def _(b: Builder, layer: Any, xs: list[str], inputs: list[Tensor]) -> str:
    return b.calculate("Add", b.calculate("Mul", xs[0], layer.scale), layer.offset)
