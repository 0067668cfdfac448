"""A model's graph, written call by call."""

import os
from typing import Any

from ... import ops, tree
from ...autograd import Tensor
from ...layers.augmentation.base import Augmentation
from ...layers.base import Layer
from ...layers.core import Flatten, Identity, Permute, Reshape
from ...layers.embedding import Embedding
from ...lazy import need
from ...models.graph import Graph, graph_of
from ..files import replacing
from . import activations as activations  # loaded for their rules
from . import categories as categories
from . import products as products
from . import shapes as shapes
from . import spectrogram as spectrogram
from .builder import RULES, Builder, Unsupported, element_type
from .merging import OPERATORS

OPSET, IR_VERSION = 18, 9


def export_onnx(model: Any, filepath: str | os.PathLike[str], overwrite: bool = True) -> None:
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


def _model(model: Any) -> Any:
    """The whole file as ONNX's own object, checked by ONNX."""
    need("export", "onnx", "onnx")
    import onnx
    from onnx import helper

    graph = graph_of(model)
    if graph is None:
        raise ValueError(
            f"export: model {model.name!r} has no graph: build it for a shape of inputs, or make it of layers"
        )
    if problems := _problems(graph):
        raise ValueError(f"export: without a counterpart in ONNX: {'; '.join(problems)}")
    b = Builder()
    inputs = [
        helper.make_tensor_value_info(name, element_type(t.dtype), _dimensions(t, name))
        for name, t in zip(model.input_names, graph.input_tensors, strict=True)
    ]
    results = _run(b, graph, list(model.input_names))
    outputs = []
    for i, (name, result, t) in enumerate(zip(model.output_names, results, graph.output_tensors, strict=True)):
        name = name if name not in [*model.input_names, *model.output_names[:i]] else f"{name}_output_{i}"
        b.nodes.append(helper.make_node("Identity", [result], [name], name))
        outputs.append(helper.make_tensor_value_info(name, element_type(t.dtype), _dimensions(t, name)))
    constants = [onnx.numpy_helper.from_array(array, name) for name, array in b.constants.items()]
    made = helper.make_model(
        helper.make_graph(b.nodes, model.name, inputs, outputs, constants),
        producer_name="layerwise",
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
    )
    onnx.checker.check_model(made, full_check=True)
    return made


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
            kind = type(operation).__name__ if isinstance(operation, Layer) else "operation"
            found[f"{prefix}{call.name} ({kind}){f': {error}' if str(error) else ''}"] = None
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
        if operator is None or call.kwargs or operation is not getattr(ops, operation.__name__):
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
    takes_any = isinstance(operation, Augmentation | Reshape | Flatten | Permute | Identity | Embedding)
    dtype = inputs[0].dtype if takes_any else "float32"
    return write(b, operation, [b.cast(names[id(t)], t.dtype, dtype) for t in inputs], inputs)


def _operand(b: Builder, x: Any, names: dict[int, str], dtype: str) -> str:
    if type(x) is Tensor and x.symbolic:
        return b.cast(names[id(x)], x.dtype, dtype)
    return b.constant(x, dtype)
