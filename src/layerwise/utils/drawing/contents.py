"""What a picture of a model shows: a box for each layer or operation, and who takes whose results."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from ... import tree
from ...autograd import Call, Tensor
from ...layers import Layer
from ...layers.calling import calls_of
from ...layers.core import InputLayer
from ...models import Sequential
from ...models.graph import Graph, graph_of
from ...terminal import printable

HEADER, PLAIN, TRAINABLE, FROZEN = "#222222", "#ffffff", "#228b22", "#b22222"


class Cell(NamedTuple):
    """A field of a box: text, with a part of it in bold, on a ground of some colour."""

    text: str
    bold: str = ""
    ground: str = PLAIN


Rows = list[list[Cell]]  # a box


@dataclass
class Options:
    """What is shown: the arguments of `plot_model`."""

    show_shapes: bool = False
    show_dtype: bool = False
    show_layer_names: bool = False
    show_layer_activations: bool = False
    show_trainable: bool = False
    expand_nested: bool = False


class End(NamedTuple):
    """Where a line begins or ends: a box, or a nested diagram and the number of its output or input."""

    key: Hashable
    port: int = 0


@dataclass
class Diagram:
    """Boxes and diagrams by key, in the order of computation, and lines between them.

    `inputs` and `outputs` are the boxes at which lines from outside end and begin.
    """

    name: str
    parts: dict[Hashable, Rows | Diagram] = field(default_factory=dict)
    lines: dict[tuple[End, End], None] = field(default_factory=dict)  # ordered, each once
    inputs: list[End] = field(default_factory=list)
    outputs: list[End] = field(default_factory=list)


def diagram_of(model: Any, options: Options) -> Diagram:
    """What a picture of this model shows; of one that is no graph it is a single box."""
    graph = graph_of(model)
    diagram = Diagram(printable(model.name))
    if graph is None:
        diagram.parts[id(model)] = _box(model, options)
        diagram.inputs = diagram.outputs = [End(id(model))]
        return diagram
    makers = graph.makers()
    hidden = {id(layer) for layer in graph.input_layers} if isinstance(model, Sequential) else set()
    for operation in graph.operations:
        if id(operation) not in hidden:
            nested = options.expand_nested and graph_of(operation) is not None
            diagram.parts[id(operation)] = diagram_of(operation, options) if nested else _box(operation, options)
    ends = {tensor: End(id(maker), number) for tensor, (maker, number) in makers.items()}
    diagram.inputs = [End(id(layer)) for layer in graph.input_layers]
    for source, target in _lines(graph, ends):
        if source.key in hidden:
            diagram.inputs = [target]
        elif source.key in diagram.parts:
            diagram.lines[source, target] = None
    diagram.outputs = [ends[id(tensor)] for tensor in graph.output_tensors]
    return diagram


def _lines(graph: Graph, ends: dict[int, End]) -> Iterator[tuple[End, End]]:
    for call in graph.calls:
        target = id(call.operation) if isinstance(call.operation, Layer) else id(call)
        for number, tensor in enumerate(graph.sources(call)):
            yield ends[id(tensor)], End(target, number)


def _box(operation: Any, options: Options) -> Rows:
    """What is said of a layer, or of the call of an operation."""
    if isinstance(operation, Call):
        name, kind, calls = operation.name, "operation", [operation]
    else:
        name, kind, calls = printable(operation.name), type(operation).__name__, calls_of(operation)
    is_named = options.show_layer_names or isinstance(operation, Call)
    rows: Rows = [[Cell(f" ({kind})" if is_named else "", name if is_named else kind, HEADER)]]
    activation = getattr(operation, "activation", None)
    if options.show_layer_activations and activation is not None:
        rows.append([Cell("Activation: ", getattr(activation, "__name__", None) or type(activation).__name__)])
    taken, given = _tensors(operation, calls)
    cells = []
    if options.show_shapes and not isinstance(operation, InputLayer):
        cells.append(Cell("Input shape: ", _said(taken, "shape")))
    if options.show_shapes:
        cells.append(Cell("Output shape: ", _said(given, "shape")))
    if options.show_dtype:
        cells.append(Cell("Output dtype: ", _said(given, "dtype")))
    if options.show_trainable and getattr(operation, "weights", None):
        trains = operation.trainable
        cells.append(Cell("", "Trainable" if trains else "Non-trainable", TRAINABLE if trains else FROZEN))
    return [*rows, cells] if cells else rows


def _tensors(operation: Any, calls: list[Call]) -> tuple[list[Tensor], list[Tensor]]:
    """What an operation took and gave when it was called last."""
    if not calls:
        graph = graph_of(operation)
        return ([], []) if graph is None else (graph.input_tensors, graph.output_tensors)
    leaves = tree.flatten((calls[-1].args, calls[-1].kwargs))
    return [leaf for leaf in leaves if type(leaf) is Tensor], tree.flatten(calls[-1].outputs)


def _said(tensors: list[Tensor], what: str) -> str:
    texts = [str(getattr(tensor, what)) for tensor in tensors]
    if len(texts) > 3 and len(set(texts)) == 1:
        return f"{len(texts)} x {texts[0]}"
    return ", ".join(texts) or "?"
