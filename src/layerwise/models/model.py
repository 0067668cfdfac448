"""`Model`: a layer that can be trained: by a graph of layers, or by a subclass's own `call`."""

from __future__ import annotations

import json
import re
import warnings
from collections.abc import Callable, Container
from typing import Any, Self

from .. import catalog, config, observe, quantizers, tree
from ..autograd import Spec, Tensor, as_given, as_tensor
from ..layers.base import Layer
from ..layers.core import InputLayer
from ..layers.host import whole_dtype
from ..layers.tracking import replaceable
from ..naming import suggest
from ..serialization import custom_object_scope, deserialize, serialize
from ..training.trainer import Trainer
from .graph import Graph, beginning
from .graph_config import graph_config, model_from_graph_config
from .host_part import HostPart, host_part
from .inference import inference, plain
from .plan import fusions
from .summary import summary


class Model(Trainer):
    """y = call(x): layers in a graph, `Model(inputs, outputs)`, or a subclass that defines `call`.

    Args:
        inputs, outputs: symbolic Tensors, from `layers.Input` and calls of layers, or lists or dicts of them.
        name: by default numbered.

    >>> from layerwise import layers, models
    >>> x = layers.Input((4,))
    >>> model = models.Model(x, layers.Dense(2)(layers.Dense(8, activation="relu")(x)))
    >>> model.count_params()
    58
    """

    file_notes: dict[str, Any] | None = None  # plain data of yours that a `.keras` file keeps, and Keras passes over
    _graph: Graph | None = None
    _takes_any_size = False  # whether the inputs may have other sizes than the graph was made for

    @replaceable
    def graph(self) -> Graph | None:
        """The calls that lead from the inputs to the outputs of a functional model; None of others."""
        return self._graph

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        made: Any = Functional if cls is Model and _is_functional(args, kwargs) else cls
        return super().__new__(made, *args, **kwargs)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if not _is_functional(args, kwargs):
            if args:
                raise TypeError(f"{type(self).__name__}: got {len(args)} argument, expected inputs and outputs")
            super().__init__(**kwargs)
            return
        given = dict(zip(("inputs", "outputs", "name"), args, strict=False)) | kwargs
        inputs, outputs = given.pop("inputs"), given.pop("outputs")
        super().__init__(**given)
        self._graph = Graph(inputs, outputs)
        self.autocast = False  # inputs are brought to their own dtypes
        self.built = True
        if not self._trainable:
            self.trainable = False

    # Structure ----------------------------------------------------------------------------------------------------

    @property
    def layers(self) -> list[Layer]:
        """The model's layers; of a functional model in the graph's order."""
        return super()._sublayers() if self._graph is None else self._graph.layers

    def _is_leaf(self) -> bool:
        return False

    def _sublayers(self) -> list[Layer]:
        """`layers`, and those that a subclass keeps besides a graph."""
        return list({id(layer): layer for layer in [*self.layers, *super()._sublayers()]}.values())

    def get_layer(self, name: str | None = None, index: int | None = None) -> Layer:
        """The layer of this name, or at this place in `layers`."""
        if (name is None) == (index is None):
            raise ValueError("get_layer: give either name or index")
        if index is not None:
            if not -len(self.layers) <= index < len(self.layers):
                raise ValueError(f"get_layer: index: got {index}, the model has {len(self.layers)} layers")
            return self.layers[index]
        for layer in self.layers:
            if layer.name == name:
                return layer
        raise ValueError(f"get_layer: no layer is named {name!r}; {suggest(str(name), [x.name for x in self.layers])}")

    @property
    def inputs(self) -> Any:
        return self._require_graph("inputs").input_tensors

    @property
    def outputs(self) -> Any:
        return self._require_graph("outputs").output_tensors

    @property
    def input(self) -> Any:
        return self._require_graph("input").inputs

    @property
    def output(self) -> Any:
        return self._require_graph("output").outputs

    @property
    def input_shape(self) -> Any:
        return tree.map_structure(lambda t: t.shape, self.input)

    @property
    def output_shape(self) -> Any:
        return tree.map_structure(lambda t: t.shape, self.output)

    @property
    def input_names(self) -> list[str]:
        return [layer.name for layer in self._require_graph("input_names").input_layers]

    @property
    def output_names(self) -> list[str]:
        graph = self._require_graph("output_names")
        if isinstance(graph.outputs, dict) and len(graph.outputs) == len(graph.output_tensors):
            return tree.flatten({name: name for name in graph.outputs})
        return [t.name for t in graph.output_tensors]

    def _require_graph(self, what: str) -> Graph:
        if self._graph is None:
            raise AttributeError(f"model {self.name!r} has no {what}: it is not built from symbolic inputs")
        return self._graph

    # Calling ------------------------------------------------------------------------------------------------------

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        mode = kwargs.get("training")
        if len(args) == 1 and kwargs.keys() <= {"training"} and (mode is None or mode is False):
            replay = inference(self)
            if replay is not None and plain(args[0]):
                return replay(args[0], mode)
        return super().__call__(*args, **kwargs)

    def _host_part(self) -> HostPart | None:
        return host_part(self)

    def _replayed(self) -> Callable[..., Any] | None:
        own = self._has_own_step("predict") or getattr(self, "run_eagerly", False)
        return None if own or config.debug_nans() else inference(self)

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        if self._graph is None:
            raise NotImplementedError(
                f"model {self.name!r} ({type(self).__name__}) has no call method; "
                "define call(self, inputs), or make it of layers"
            )
        fused = fusions(self._graph, training) if config.fusion() and not observe.is_watching_layers() else None
        if training is None:
            return self._graph.run(self._graph_inputs(inputs), None, fused)

        def in_this_mode(layer: Layer, args: Any, kwargs: Any) -> Any:
            return layer(*args, **(kwargs | {"training": training} if "training" in kwargs else kwargs))

        return self._graph.run(self._graph_inputs(inputs), in_this_mode, fused)

    def _ensure_built(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        if self.built:
            return
        if type(self).build is not Model.build:
            super()._ensure_built(args, kwargs)
            return
        self._build_shapes = (
            {"input_shape": tree.map_structure(lambda t: getattr(t, "shape", None), args[0])} if args else None
        )
        self.built = True

    def _symbolic_call(self, call: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """As every layer's; but a graph that is called again on the same shapes and dtypes is not walked again."""
        graph = self._graph if call == self.call and catalog.home(type(self)) == "models" else None
        form = None if graph is None else _form((args, kwargs))
        if graph is None or form is None:
            return super()._symbolic_call(call, args, kwargs)
        known = graph.outlines
        if form not in known:
            outputs = super()._symbolic_call(call, args, kwargs)
            known[form] = tree.map_structure(lambda t: t.value if type(t) is Tensor and t.symbolic else t, outputs)
        return tree.map_structure(lambda s: Tensor(s) if isinstance(s, Spec) else s, known[form])

    def _graph_inputs(self, inputs: Any) -> list[Any]:
        """The inputs in the graph's order, of the graph's ranks, or an error that names the one that does not fit."""
        graph = self._require_graph("inputs")
        names = self.input_names
        if isinstance(inputs, dict) and not isinstance(graph.inputs, dict):
            missing = [name for name in names if name not in inputs]
            if missing:
                unknown = [name for name in inputs if name not in names]
                hint = f"; {unknown[0]!r} is none of them, {suggest(unknown[0], names)}" if unknown else ""
                raise ValueError(f"model {self.name!r}: got inputs {list(inputs)}, expected {names}{hint}")
            values = [inputs[name] for name in names]
            self._warn_of_extra(inputs, names)
        elif isinstance(graph.inputs, dict):
            if isinstance(inputs, dict) and any(key not in inputs for key in graph.inputs):
                raise ValueError(f"model {self.name!r}: got {list(inputs)}, expected a dict with {list(graph.inputs)}")
            if isinstance(inputs, dict):
                self._warn_of_extra(inputs, graph.inputs)
                inputs = {key: inputs[key] for key in graph.inputs}
            else:
                got = f"model {self.name!r}: got a {type(inputs).__name__}, expected a dict with {list(graph.inputs)}"
                if list(graph.inputs) != sorted(graph.inputs):
                    raise ValueError(f"{got}; in which order its items come is not clear")
                warnings.warn(f"{got}; its items are taken in this order", stacklevel=2)
            values = tree.flatten(inputs)
        else:
            values = tree.flatten(inputs)
        if len(values) != len(names):
            raise ValueError(f"model {self.name!r}: got {len(values)} inputs, expected {len(names)}: {names}")
        return [self._fitted(v, t, n) for v, t, n in zip(values, graph.input_tensors, names, strict=True)]

    def _warn_of_extra(self, inputs: dict[str, Any], names: Container[str]) -> None:
        if extra := [name for name in inputs if name not in names]:
            warnings.warn(f"model {self.name!r}: inputs {extra} are none of the model's; left out", stacklevel=3)

    def _fitted(self, value: Any, symbolic: Tensor, name: str) -> Any:
        if value is None:
            call = symbolic.history
            if call is not None and isinstance(call.operation, InputLayer) and not call.operation.optional:
                raise ValueError(f"model {self.name!r}: input {name!r}: got None; Input(optional=True) may be left out")
            return None
        value = as_given(value)
        if symbolic.dtype == "string" and beginning.get() is not None:
            return value  # what is made of texts is known already
        if (value.dtype == "string") != (symbolic.dtype == "string"):
            raise ValueError(f"model {self.name!r}: input {name!r}: got {value.dtype}, expected {symbolic.dtype}")
        if not value.symbolic and symbolic.dtype != "string":
            value = as_tensor(value, whole_dtype() if symbolic.dtype == "int64" else symbolic.dtype)
        expected = symbolic.shape
        shape = value.shape
        if len(shape) == len(expected) - 1 and expected[-1] == 1:
            value = value.reshape(*shape, 1)
        elif len(shape) == len(expected) + 1 and shape[-1] == 1:
            value = value.reshape(*shape[:-1])
        shape = value.shape
        fits = all(e is None or e == n for e, n in zip(expected[1:], shape[1:], strict=False))  # in batches of any size
        if len(shape) != len(expected) or not (fits or self._takes_any_size):
            raise ValueError(
                f"model {self.name!r}: input {name!r}: got shape {shape}, expected {expected}"
                + ("; the dimension of the batch is missing: batch the data, or give x[None]" * (shape == expected[1:]))
            )
        return value

    def build(self, input_shape: Any) -> None:
        """Create all variables for inputs of this shape."""
        if self._graph is not None or self.built:
            return
        dtype = self.compute_dtype

        def symbolic(shape: Any) -> Any:
            if isinstance(shape, dict):
                return {k: symbolic(v) for k, v in shape.items()}
            if shape and isinstance(shape[0], list | tuple):
                return [symbolic(v) for v in shape]
            return Tensor(Spec(tuple(shape), dtype))

        self(symbolic(input_shape))
        self.built = True

    # Showing and configuration ------------------------------------------------------------------------------------

    def quantize(
        self, mode: str | None = None, config: Any = None, filters: Any = None, type_check: bool = True
    ) -> None:
        """Replace the weights of the layers that know how by whole numbers of few bits: see their `quantize`.

        Compile the model again before it is trained further: those weights stay as they are.

        Args:
            mode: "int8" or "int4".
            config: a `quantizers.QuantizationConfig` in place of the mode's own.
            filters: a regular expression that is found in the paths of the layers to be quantised, a list of them, or a
                function of a layer that says whether it is.
            type_check: whether subclasses of the library's layers are left out, with a warning.
        """
        config = quantizers.resolved(mode, config)
        for layer in self._flatten_layers():
            if not hasattr(layer, "quantize") or isinstance(layer, Model) or not _is_chosen(layer, filters):
                continue
            try:
                layer.quantize(config.mode, type_check=type_check, config=config)
            except NotImplementedError as error:
                warnings.warn(str(error), stacklevel=2)
        self.train_function = self.test_function = self.predict_function = None

    def summary(
        self,
        line_length: int | None = None,
        positions: Any = None,
        print_fn: Callable[[str], Any] | None = None,
        expand_nested: bool = False,
        show_trainable: bool = False,
        layer_range: Any = None,
    ) -> None:
        """Print a table of layers, output shapes and parameters.

        Args:
            line_length: the table's width, by default the terminal's.
            print_fn: called with each line instead of printing.
            expand_nested: show the layers inside nested models too.
            show_trainable: say of each layer whether training changes it.
            positions, layer_range: Keras' arguments, without effect here.
        """
        summary(self, line_length, print_fn, expand_nested, show_trainable)

    def get_config(self) -> dict[str, Any]:
        if self._graph is None or type(self).__init__ is not Model.__init__:  # whose arguments say how to make one
            return super().get_config()
        return graph_config(self)

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> Any:
        with custom_object_scope(custom_objects or {}):
            if "input_layers" in config and "layers" in config:
                return model_from_graph_config(cls, config)
            return super().from_config(config)

    def get_build_config(self) -> dict[str, Any] | None:
        if self._graph is not None:
            return {"input_shape": None}
        return serialize(self._build_shapes) if self.built and self._build_shapes else None

    def build_from_config(self, config: dict[str, Any]) -> None:
        if self.built or not config or config.get("input_shape") is None:
            return
        self.build(config["input_shape"])

    def to_json(self, **kwargs: Any) -> str:
        """The configuration as JSON text."""
        return json.dumps(serialize(self), **kwargs)

    def save(self, filepath: Any, overwrite: bool = True, **kwargs: Any) -> None:
        """Write configuration, weights and optimizer to a `.keras` or `.h5` file, or to a folder."""
        from ..saving import save_model

        save_model(self, filepath, overwrite=overwrite, **kwargs)

    def save_weights(self, filepath: Any, overwrite: bool = True) -> None:
        """Write the weights to a `.weights.h5`, `.h5` or `.safetensors` file."""
        from ..saving import save_weights

        save_weights(self, filepath, overwrite=overwrite)

    def load_weights(self, filepath: Any, skip_mismatch: bool = False, **kwargs: Any) -> None:
        """Read the weights from a `.weights.h5`, `.h5`, `.safetensors` or `.keras` file of a model of these layers."""
        from ..saving import load_weights

        load_weights(self, filepath, skip_mismatch=skip_mismatch, **kwargs)

    def _save_training(self, filepath: Any, epoch: int, batches: int, logs: Any) -> None:
        """Write what the running `fit` needs to go on with that batch of that epoch; callbacks ask for it."""
        from ..saving import save_training_state

        save_training_state(self, filepath, epoch, batches, logs)

    def _load_training(self, filepath: Any) -> None:
        """Let `fit` go on from there."""
        from ..saving import load_training_state

        load_training_state(self, filepath)

    def export(self, filepath: Any, format: str = "onnx", overwrite: bool = True) -> None:
        """Write the model for inference in other programs, to an `.onnx` file."""
        from ..saving import export_onnx

        if format != "onnx":
            raise ValueError(f"export: format: got {format!r}, expected 'onnx'")
        export_onnx(self, filepath, overwrite)


class Functional(Model):
    """A model made of a graph: what `Model(inputs, outputs)` gives."""


def _form(arguments: Any) -> str | None:
    """The structure of a call's arguments and their shapes and dtypes; None where more than these matters."""
    leaves = tree.flatten(arguments)
    if not all(leaf is None or type(leaf) is bool or _is_bare(leaf) for leaf in leaves):
        return None
    return repr(tree.map_structure(lambda x: (x.shape, x.dtype) if type(x) is Tensor else x, arguments))


def _is_bare(x: Any) -> bool:
    return type(x) is Tensor and x.symbolic and "mask" not in (x.notes or {})


def _is_functional(args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    return len(args) >= 2 or (len(args) == 1 and "outputs" in kwargs) or ("inputs" in kwargs and "outputs" in kwargs)


def model_from_json(json_string: str, custom_objects: dict[str, Any] | None = None) -> Any:
    """The model whose `to_json` text `json_string` is; `custom_objects` are classes and functions that it may name."""
    return deserialize(json.loads(json_string), custom_objects)


def _is_chosen(layer: Layer, filters: Any) -> bool:
    """Whether `quantize` is to change a layer."""
    if filters is None or callable(filters):
        return filters is None or bool(filters(layer))
    patterns = [filters] if isinstance(filters, str) else filters
    return any(re.search(pattern, layer.path) for pattern in patterns)
