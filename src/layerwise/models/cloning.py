"""Models of the same layers as others, with weights of their own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .. import tree
from ..layers.base import Layer
from ..layers.core import InputLayer
from ..serialization import trusting
from .graph import graph_of
from .model import Model
from .sequential import Sequential


def clone_model(
    model: Model, input_tensors: Any = None, clone_function: Callable[[Layer], Layer] | None = None, **kwargs: Any
) -> Model:
    """A model of the same layers with fresh weights.

    Args:
        model: the one whose layers are copied.
        input_tensors: what the new model is called on, by default inputs like the model's.
        clone_function: clone_function(layer) may return another layer than a copy.
    """
    copy, graph = clone_function or _copied, graph_of(model)
    if isinstance(model, Sequential):
        copies = {layer: copy(layer) for layer in model.layers}
        new = Sequential([copies[layer] for layer in model.layers], name=model.name)
        if input_tensors is not None:
            new(input_tensors)
        elif model.built and graph is not None:
            new.build(model.input_shape)
            new._takes_any_size = model._takes_any_size
        return new
    if graph is None:
        if clone_function is not None or input_tensors is not None:
            raise ValueError(f"clone_model: {model.name!r} is a subclassed model; it can only be cloned as a whole")
        return _copied(model)
    made: dict[int, Layer] = {}

    def call_copy(layer: Layer, args: Any, kwargs: Any) -> Any:
        new = made.get(id(layer)) or made.setdefault(id(layer), copy(layer))
        return new(*args, **kwargs)

    inputs = (
        tree.flatten(input_tensors)
        if input_tensors is not None
        else [InputLayer.from_config(layer.get_config()).output for layer in graph.input_layers]
    )
    outputs = graph.run(inputs, call_copy)
    return type(model)(tree.pack_sequence_as(graph.inputs, inputs), outputs, name=model.name)


def _copied(layer: Any) -> Any:
    with trusting():  # the configuration is our own
        return type(layer).from_config(layer.get_config())
