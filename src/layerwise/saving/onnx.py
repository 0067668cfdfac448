"""ONNX: a model's graph in the operators of opset 18, for other programs to run.

The batch's size, and every other size that is None, stays open. Layers that act in training only are left out.
"""

from __future__ import annotations

import functools
import math
import os
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .. import config, layers, tree
from ..autograd import Tensor
from ..backends import Window
from ..layers.augmentation import Augmentation
from ..layers.base import Layer
from ..layers.convolution import Conv
from ..layers.merging import Merge
from ..layers.pooling import GlobalPooling, Pooling
from ..layers.reshaping import Cropping, ZeroPadding
from ..lazy import public_only
from ..models.graph import Graph, graph_of
from ..models.model import Model
from .files import replacing

__all__ = ["export_onnx"]
public_only(__name__)

OPSET, IR_VERSION = 18, 9
END = 2**63 - 1  # of a slice that goes to the end


def export_onnx(model: Model, filepath: str | os.PathLike[str], overwrite: bool = True) -> None:
    """Write a model for inference to `filepath`, whole or not at all; `overwrite`: also where a file is.

    Inputs and outputs have the names of `model.input_names` and `model.output_names`; images stay channels last, as
    the model has them.

    Raises:
        ValueError: the model has no graph (a subclassed one), is not float32, or has layers without a counterpart in
            ONNX, all of which are named. Nothing is written then.
        ImportError: the onnx extra is not installed.
    """
    content = _model(model).SerializeToString()
    with replacing(filepath, overwrite) as file:
        file.write(content)


class Builder:
    """The nodes of a graph in the making."""

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.constants: dict[str, np.ndarray] = {}

    def add(self, operator: str, *inputs: str, **attributes: Any) -> str:
        """A node; returns the name of its output."""
        from onnx import helper

        output = f"{operator.lower()}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, inputs, [output], output, **attributes))
        return output

    def constant(self, value: Any, dtype: str = "float32") -> str:
        """An array in the file; returns its name."""
        name = f"constant_{len(self.constants)}"
        self.constants[name] = np.asarray(value, dtype)
        return name

    def sizes(self, values: Sequence[int]) -> str:
        return self.constant(list(values), "int64")

    def cast(self, x: str, source: str, target: str) -> str:
        """`x`, as `target` if its dtype is another one."""
        return x if source == target else self.add("Cast", x, to=_element_type(target))

    def calculate(self, operator: str, x: str, value: Any) -> str:
        """`x operator value`, with a constant."""
        return self.add(operator, x, self.constant(value))

    def channels_first(self, x: str, ndim: int) -> str:
        return self.add("Transpose", x, perm=[0, ndim - 1, *range(1, ndim - 1)])

    def channels_last(self, x: str, ndim: int) -> str:
        return self.add("Transpose", x, perm=[0, *range(2, ndim), 1])


Rule = Callable[
    [Builder, Any, list[str], list[Tensor]], str
]  # (builder, layer, inputs' names, inputs) -> output's name
RULES: dict[type, Rule] = {}


def rule(*kinds: type) -> Callable[[Rule], Rule]:
    """Decorator: how layers of these classes are written."""

    def decorate(function: Rule) -> Rule:
        RULES.update(dict.fromkeys(kinds, function))
        return function

    return decorate


class Unsupported(Exception):
    """Why a layer has no counterpart."""


# Activations


def _gelu(b: Builder, x: str) -> str:
    """x (1 + erf(x / sqrt 2)) / 2"""
    erf = b.add("Erf", b.calculate("Mul", x, math.sqrt(0.5)))
    return b.calculate("Mul", b.add("Mul", x, b.calculate("Add", erf, 1.0)), 0.5)


def _clipped(b: Builder, x: str, low: float, high: float) -> str:
    return b.add("Clip", x, b.constant(low), b.constant(high))


def _operator(name: str, **attributes: Any) -> Callable[[Builder, str], str]:
    return lambda b, x: b.add(name, x, **attributes)


ACTIVATIONS: dict[str, Callable[[Builder, str], str]] = {
    "linear": lambda b, x: x,
    "relu": _operator("Relu"),
    "sigmoid": _operator("Sigmoid"),
    "tanh": _operator("Tanh"),
    "softmax": _operator("Softmax", axis=-1),
    "log_softmax": _operator("LogSoftmax", axis=-1),
    "softplus": _operator("Softplus"),
    "softsign": _operator("Softsign"),
    "exponential": _operator("Exp"),
    "elu": _operator("Elu", alpha=1.0),
    "celu": _operator("Celu", alpha=1.0),
    "selu": _operator("Selu", alpha=1.6732632423543772, gamma=1.0507009873554805),
    "leaky_relu": _operator("LeakyRelu", alpha=0.2),
    "hard_sigmoid": _operator("HardSigmoid", alpha=1 / 6, beta=0.5),
    "hard_silu": lambda b, x: b.add("Mul", x, b.add("HardSigmoid", x, alpha=1 / 6, beta=0.5)),
    "silu": lambda b, x: b.add("Mul", x, b.add("Sigmoid", x)),
    "mish": lambda b, x: b.add("Mul", x, b.add("Tanh", b.add("Softplus", x))),
    "log_sigmoid": lambda b, x: b.add("Neg", b.add("Softplus", b.add("Neg", x))),
    "tanh_shrink": lambda b, x: b.add("Sub", x, b.add("Tanh", x)),
    "hard_tanh": lambda b, x: _clipped(b, x, -1.0, 1.0),
    "relu6": lambda b, x: _clipped(b, x, 0.0, 6.0),
    "gelu": _gelu,
}


def activated(b: Builder, activation: Any, y: str) -> str:
    name = getattr(activation, "__name__", type(activation).__name__)
    if name not in ACTIVATIONS:
        raise Unsupported(f"activation {name!r}")
    return ACTIVATIONS[name](b, y)


@rule(layers.Activation)
def _(b: Builder, layer: Any, xs: list[str], inputs: list[Tensor]) -> str:
    return activated(b, layer.activation, xs[0])


@rule(layers.ReLU)
def _(b: Builder, layer: Any, xs: list[str], inputs: list[Tensor]) -> str:
    x, threshold = xs[0], layer.threshold
    if layer.negative_slope == 0 and threshold == 0:
        y = b.add("Relu", x)
    else:
        below = b.calculate("Mul", b.calculate("Sub", x, threshold), layer.negative_slope)
        y = b.add("Where", b.calculate("Greater", x, threshold), x, below)
    return y if layer.max_value is None else b.calculate("Min", y, layer.max_value)


@rule(layers.LeakyReLU)
def _(b: Builder, layer: Any, xs: list[str], inputs: list[Tensor]) -> str:
    return b.add("LeakyRelu", xs[0], alpha=float(layer.negative_slope))


@rule(layers.ELU)
def _(b: Builder, layer: Any, xs: list[str], inputs: list[Tensor]) -> str:
    return b.add("Elu", xs[0], alpha=float(layer.alpha))


@rule(layers.PReLU)
def _(b: Builder, layer: Any, xs: list[str], inputs: list[Tensor]) -> str:
    return b.add("PRelu", xs[0], b.constant(layer.alpha.numpy()))


@rule(layers.Softmax)
def _(b: Builder, layer: Any, xs: list[str], inputs: list[Tensor]) -> str:
    if not isinstance(layer.axis, int):
        raise Unsupported("softmax over several axes")
    return b.add("Softmax", xs[0], axis=layer.axis)


# Products


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
    first = layer.data_format == "channels_first"
    spatial = tensor.shape[2:] if first else tensor.shape[1:-1]
    if layer.padding == "valid":
        padding: dict[str, Any] = {}
    elif layer.padding == "same" and None in spatial:
        padding = {"auto_pad": "SAME_UPPER"}
    else:  # causal padding is the same for all sizes
        known = [1 if n is None else n for n in spatial]
        pairs = Window.of(size, layer.strides, layer.padding, dilation, known).pad
        padding = {"pads": [pair[end] for end in (0, 1) for pair in pairs]}
    if first:
        return operation(x, padding)
    return b.channels_last(operation(b.channels_first(x, tensor.ndim), padding), tensor.ndim)


@rule(
    layers.GlobalMaxPooling1D, layers.GlobalMaxPooling2D, layers.GlobalMaxPooling3D,
    layers.GlobalAveragePooling1D, layers.GlobalAveragePooling2D, layers.GlobalAveragePooling3D,
)  # fmt: skip
def _(b: Builder, layer: GlobalPooling, xs: list[str], inputs: list[Tensor]) -> str:
    start = 1 if layer.data_format == "channels_last" else 2
    operator = "ReduceMax" if "Max" in type(layer).__name__ else "ReduceMean"
    axes = b.sizes(range(start, start + layer.rank))
    return b.add(operator, xs[0], axes, keepdims=int(layer.keepdims))


# Normalisation and scaling


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


# Shapes


@rule(
    layers.Identity, layers.Dropout, layers.GaussianNoise, layers.ActivityRegularization, layers.RandomFlip,
    layers.RandomRotation, layers.RandomTranslation, layers.RandomZoom, layers.RandomContrast, layers.RandomBrightness,
)  # fmt: skip
def _(b: Builder, layer: Any, xs: list[str], inputs: list[Tensor]) -> str:
    return xs[0]


@rule(layers.Flatten)
def _(b: Builder, layer: Any, xs: list[str], inputs: list[Tensor]) -> str:
    x, tensor = xs[0], inputs[0]
    if layer.data_format == "channels_first" and tensor.ndim > 2:
        x = b.channels_last(x, tensor.ndim)
    return b.add("Reshape", x, b.sizes([0, -1]))


@rule(layers.Reshape)
def _(b: Builder, layer: Any, xs: list[str], inputs: list[Tensor]) -> str:
    return b.add("Reshape", xs[0], b.sizes([0, *layer.target_shape]))


@rule(layers.Permute)
def _(b: Builder, layer: Any, xs: list[str], inputs: list[Tensor]) -> str:
    return b.add("Transpose", xs[0], perm=[0, *layer.dims])


@rule(layers.RepeatVector)
def _(b: Builder, layer: Any, xs: list[str], inputs: list[Tensor]) -> str:
    return b.add("Tile", b.add("Unsqueeze", xs[0], b.sizes([1])), b.sizes([1, layer.n, 1]))


@rule(layers.ZeroPadding1D, layers.ZeroPadding2D, layers.ZeroPadding3D)
def _(b: Builder, layer: ZeroPadding, xs: list[str], inputs: list[Tensor]) -> str:
    pairs = [layer.padding] if layer.rank == 1 else list(layer.padding)
    start = 2 if layer.data_format == "channels_first" else 1
    full = [(0, 0)] * start + pairs + [(0, 0)] * (inputs[0].ndim - start - layer.rank)
    return b.add("Pad", xs[0], b.sizes([pair[end] for end in (0, 1) for pair in full]))


@rule(layers.Cropping1D, layers.Cropping2D, layers.Cropping3D)
def _(b: Builder, layer: Cropping, xs: list[str], inputs: list[Tensor]) -> str:
    pairs = [layer.cropping] if layer.rank == 1 else list(layer.cropping)
    start = 2 if layer.data_format == "channels_first" else 1
    return _slice(b, xs[0], start, [before for before, _ in pairs], [-after or END for _, after in pairs])


@rule(layers.CenterCrop, layers.RandomCrop)
def _(b: Builder, layer: Any, xs: list[str], inputs: list[Tensor]) -> str:
    start = inputs[0].ndim - (2 if layer.data_format == "channels_first" else 3)
    sizes, wanted = inputs[0].shape[start : start + 2], (layer.height, layer.width)
    if any(n is None or n < m for n, m in zip(sizes, wanted, strict=True)):
        raise Unsupported("cropping images of unknown or smaller size")
    begin = [(n - m) // 2 for n, m in zip(sizes, wanted, strict=True)]
    return _slice(b, xs[0], start, begin, [i + m for i, m in zip(begin, wanted, strict=True)])


def _slice(b: Builder, x: str, first_axis: int, starts: Sequence[int], ends: Sequence[int]) -> str:
    return b.add("Slice", x, b.sizes(starts), b.sizes(ends), b.sizes(range(first_axis, first_axis + len(starts))))


@rule(layers.UpSampling1D)
def _(b: Builder, layer: Any, xs: list[str], inputs: list[Tensor]) -> str:
    return _resized(b, xs[0], scales=[1, layer.size, 1])


@rule(layers.UpSampling2D)
def _(b: Builder, layer: Any, xs: list[str], inputs: list[Tensor]) -> str:
    if layer.interpolation not in ("nearest", "bilinear"):
        raise Unsupported(f"interpolation {layer.interpolation!r}")
    x = xs[0] if layer.data_format == "channels_first" else b.channels_first(xs[0], 4)
    y = _resized(b, x, layer.interpolation, scales=[1, 1, *layer.size])
    return y if layer.data_format == "channels_first" else b.channels_last(y, 4)


@rule(layers.Resizing)
def _(b: Builder, layer: Any, xs: list[str], inputs: list[Tensor]) -> str:
    if layer.interpolation not in ("nearest", "bilinear") or layer.antialias or inputs[0].ndim != 4:
        raise Unsupported(f"interpolation {layer.interpolation!r}, or antialias")
    if layer.crop_to_aspect_ratio or layer.pad_to_aspect_ratio:
        raise Unsupported("crop_to_aspect_ratio, pad_to_aspect_ratio")
    x = xs[0] if layer.data_format == "channels_first" else b.channels_first(xs[0], 4)
    y = _resized(b, x, layer.interpolation, sizes=[layer.height, layer.width])
    return y if layer.data_format == "channels_first" else b.channels_last(y, 4)


def _resized(
    b: Builder, x: str, how: str = "nearest", scales: Sequence[float] | None = None, sizes: Sequence[int] | None = None
) -> str:
    """Nearest or bilinear interpolation between the middles of pixels: by factors, or to a height and width."""
    attributes: dict[str, Any] = {"coordinate_transformation_mode": "half_pixel"}
    attributes |= {"mode": "nearest", "nearest_mode": "round_prefer_ceil"} if how == "nearest" else {"mode": "linear"}
    if scales is not None:
        return b.add("Resize", x, "", b.constant(scales), **attributes)
    return b.add("Resize", x, "", "", b.sizes(sizes or ()), axes=[2, 3], **attributes)


# Several inputs


def _aligned(b: Builder, xs: list[str], inputs: list[Tensor]) -> list[str]:
    """Inputs of fewer dimensions match the batch and the last ones."""
    ndim = max(t.ndim for t in inputs)
    return [
        x if t.ndim == ndim else b.add("Unsqueeze", x, b.sizes(range(1, 1 + ndim - t.ndim)))
        for x, t in zip(xs, inputs, strict=True)
    ]


@rule(layers.Add, layers.Average, layers.Maximum, layers.Minimum)
def _(b: Builder, layer: Merge, xs: list[str], inputs: list[Tensor]) -> str:
    operator = {"Add": "Sum", "Average": "Mean", "Maximum": "Max", "Minimum": "Min"}[type(layer).__name__]
    return b.add(operator, *_aligned(b, xs, inputs))


@rule(layers.Subtract, layers.Multiply)
def _(b: Builder, layer: Merge, xs: list[str], inputs: list[Tensor]) -> str:
    operator = "Sub" if isinstance(layer, layers.Subtract) else "Mul"
    return functools.reduce(lambda x, y: b.add(operator, x, y), _aligned(b, xs, inputs))


@rule(layers.Concatenate)
def _(b: Builder, layer: Any, xs: list[str], inputs: list[Tensor]) -> str:
    return b.add("Concat", *xs, axis=layer.axis % inputs[0].ndim)


# Operations that are called without a layer

OPERATORS = {
    "add": "Add", "subtract": "Sub", "multiply": "Mul", "divide": "Div", "true_divide": "Div", "power": "Pow",
    "maximum": "Max", "minimum": "Min", "matmul": "MatMul", "negative": "Neg", "absolute": "Abs", "exp": "Exp",
    "log": "Log", "sqrt": "Sqrt", "reciprocal": "Reciprocal", "sign": "Sign", "floor": "Floor", "ceil": "Ceil",
    "sin": "Sin", "cos": "Cos", "erf": "Erf", "relu": "Relu", "sigmoid": "Sigmoid", "tanh": "Tanh",
    "softplus": "Softplus",
}  # fmt: skip


# The graph


def _model(model: Model) -> Any:
    """The whole file as ONNX's own object, checked by ONNX."""
    try:
        import onnx
        from onnx import helper
    except ImportError as error:
        raise ImportError("export: the onnx extra is not installed: pip install 'layerwise[onnx]'") from error
    graph = graph_of(model)
    if graph is None:
        raise ValueError(
            f"export: model {model.name!r} has no graph: build it for a shape of inputs, or make it of layers"
        )
    if problems := _problems(graph):
        raise ValueError(f"export: without a counterpart in ONNX: {'; '.join(problems)}")
    b = Builder()
    inputs = [
        helper.make_tensor_value_info(name, _element_type(t.dtype), _dimensions(t, name))
        for name, t in zip(model.input_names, graph.input_tensors, strict=True)
    ]
    results = _run(b, graph, list(model.input_names))
    outputs = []
    for i, (name, result, t) in enumerate(zip(model.output_names, results, graph.output_tensors, strict=True)):
        name = name if name not in [*model.input_names, *model.output_names[:i]] else f"{name}_output_{i}"
        b.nodes.append(helper.make_node("Identity", [result], [name], name))
        outputs.append(helper.make_tensor_value_info(name, _element_type(t.dtype), _dimensions(t, name)))
    constants = [onnx.numpy_helper.from_array(array, name) for name, array in b.constants.items()]
    made = helper.make_model(
        helper.make_graph(b.nodes, model.name, inputs, outputs, constants),
        producer_name="layerwise",
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
    )
    onnx.checker.check_model(made, full_check=True)
    return made


def _element_type(dtype: str) -> int:
    from onnx import helper

    return helper.np_dtype_to_tensor_dtype(np.dtype(dtype))


def _dimensions(tensor: Tensor, name: str) -> list[Any]:
    open_sizes = ["batch", *(f"{name}_{i}" for i in range(1, tensor.ndim))]
    return [open_sizes[i] if n is None else n for i, n in enumerate(tensor.shape)]


def _problems(graph: Graph, prefix: str = "") -> list[str]:
    """What of a graph cannot be written, and why: found by writing each call apart."""
    found: dict[str, None] = {}
    for call in graph.calls:
        operation = call.operation
        if (inner := graph_of(operation)) is not None:
            found |= dict.fromkeys(_problems(inner, f"{prefix}{operation.name}/"))
            continue
        try:
            _call(Builder(), call, {id(t): "x" for t in graph.sources(call)})
        except Unsupported as error:
            name = operation.name if isinstance(operation, Layer) else operation.__name__
            kind = type(operation).__name__ if isinstance(operation, Layer) else "operation"
            found[f"{prefix}{name} ({kind}){f': {error}' if str(error) else ''}"] = None
    return list(found)


def _run(b: Builder, graph: Graph, inputs: list[str]) -> list[str]:
    """Write the calls of a graph; returns the names of its outputs."""
    names = {id(t): name for t, name in zip(graph.input_tensors, inputs, strict=True)}
    names |= {id(layer.output): name for layer, name in zip(graph.input_layers, inputs, strict=True)}
    for call in graph.calls:
        operation = call.operation
        if (inner := graph_of(operation)) is not None:
            results = _run(b, inner, [names[id(t)] for t in operation._graph_inputs(call.args[0])])
        else:
            results = [_call(b, call, names)]
        names |= {id(t): name for t, name in zip(tree.flatten(call.outputs), results, strict=True)}
    return [names[id(t)] for t in graph.output_tensors]


def _call(b: Builder, call: Any, names: dict[int, str]) -> str:
    """Write one call of a layer or operation."""
    operation, output = call.operation, call.outputs
    if not isinstance(operation, Layer):
        operator = OPERATORS.get(operation.__name__)
        if operator is None or call.kwargs:
            raise Unsupported("")
        return b.add(operator, *(_operand(b, x, names, output.dtype) for x in call.args))
    write = RULES.get(type(operation))
    if write is None:
        raise Unsupported("")
    if operation.compute_dtype != "float32":
        raise Unsupported(f"it computes in {operation.compute_dtype}, expected float32")
    if any(type(v) is Tensor for v in tree.flatten(call.kwargs)):
        raise Unsupported("it takes a mask")
    inputs = [t for t in tree.flatten(call.args) if type(t) is Tensor]
    takes_any = isinstance(operation, Augmentation | layers.Reshape | layers.Flatten | layers.Permute | layers.Identity)
    dtype = inputs[0].dtype if takes_any else "float32"
    return write(b, operation, [b.cast(names[id(t)], t.dtype, dtype) for t in inputs], inputs)


def _operand(b: Builder, x: Any, names: dict[int, str], dtype: str) -> str:
    if type(x) is Tensor and x.symbolic:
        return b.cast(names[id(x)], x.dtype, dtype)
    return b.constant(x, dtype)
