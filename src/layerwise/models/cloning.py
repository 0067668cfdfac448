"""Models of the same layers as others, with weights of their own."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from .. import tree
from ..layers.base import Layer
from ..layers.core import InputLayer, Lambda
from ..metrics import Metric
from ..serialization import trusting
from ..training.objective import Objective
from .graph import graph_of
from .model import Model
from .sequential import Sequential


def clone_model(
    model: Model,
    input_tensors: Any = None,
    clone_function: Callable[[Layer], Layer] | None = None,
    call_function: Callable[..., Any] | None = None,
    recursive: bool = False,
) -> Model:
    """A model of the same layers with fresh weights, compiled as the model is, with a fresh optimizer and metrics.

    Args:
        model: the one whose layers are copied.
        input_tensors: what the new model is called on, by default inputs like the model's.
        clone_function: clone_function(layer) may return another layer than a copy.
        call_function: call_function(new_layer, *args, **kwargs) may do something else than call the new layer; of
            functional models alone.
        recursive: whether `clone_function` and `call_function` reach the layers of models inside the model, too.
    """
    if call_function is not None and (isinstance(model, Sequential) or graph_of(model) is None):
        raise ValueError(
            f"clone_model: call_function: {model.name!r} is no functional model, whose calls there are to replace; "
            "use clone_function, or make the model of layers.Input and calls of layers"
        )
    return _Cloning(clone_function or _copied, call_function, recursive).model(model, input_tensors)


@dataclass
class _Cloning:
    function: Callable[[Layer], Layer]
    call: Callable[..., Any] | None
    recursive: bool
    made: dict[int, Any] = field(default_factory=dict)  # for each layer its copy, also where several models share it

    def layer(self, layer: Layer) -> Any:
        if id(layer) not in self.made:
            inside = self.recursive and (isinstance(layer, Sequential) or graph_of(layer) is not None)
            self.made[id(layer)] = self.model(layer, None) if inside else self.function(layer)
        return self.made[id(layer)]

    def model(self, model: Any, inputs: Any) -> Model:
        new = self._uncompiled(model, inputs)
        given = model._compile_arguments
        if given is not None and type(model).compile is Objective.compile:
            fresh = tree.map_structure(lambda m: copy.deepcopy(m) if isinstance(m, Metric) else m, given)
            new.compile(type(model.optimizer).from_config(model.optimizer.get_config()), **fresh)
            new.reset_metrics()
        return new

    def _uncompiled(self, model: Any, input_tensors: Any) -> Model:
        graph = graph_of(model)
        if isinstance(model, Sequential):
            new = Sequential([self.layer(layer) for layer in model.layers], name=model.name)
            if input_tensors is not None:
                new(input_tensors)
            elif model.built and graph is not None:
                new.build(model.input_shape)
                new._takes_any_size = model._takes_any_size
            return new
        if graph is None:
            if self.function is not _copied or input_tensors is not None:
                raise ValueError(f"clone_model: {model.name!r} is a subclassed model; it can only be cloned as a whole")
            return _copied(model)

        if input_tensors is not None and len(graph.input_tensors) > 1:
            try:
                tree.assert_same_paths(input_tensors, graph.inputs)
            except ValueError as error:
                raise ValueError(f"clone_model: input_tensors: other form than the model's inputs: {error}") from None

        def call_copy(layer: Layer, args: Any, kwargs: Any) -> Any:
            new = self.layer(layer)
            return new(*args, **kwargs) if self.call is None else self.call(new, *args, **kwargs)

        inputs = (
            tree.flatten(input_tensors)
            if input_tensors is not None
            else [InputLayer.from_config(layer.get_config()).output for layer in graph.input_layers]
        )
        outputs = graph.run(inputs, call_copy)
        return type(model)(tree.pack_sequence_as(graph.inputs, inputs), outputs, name=model.name)


def _copied(layer: Any) -> Any:
    if type(layer) is Lambda:  # whose functions a configuration need not be able to name
        functions = {name: getattr(layer, name) for name in ("function", "output_shape", "mask", "arguments")}
        return Lambda(**functions, name=layer.name, trainable=layer.trainable, dtype=layer.dtype_policy)
    with trusting():  # the configuration is our own
        return type(layer).from_config(layer.get_config())
