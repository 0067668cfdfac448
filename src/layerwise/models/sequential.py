"""`Sequential`: layers one after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from ..autograd import Tensor
from ..layers.base import Layer
from ..layers.calling import building_graph, calls_of
from ..layers.core import InputLayer
from ..naming import auto_name
from ..serialization import deserialize, serialize
from .graph import Graph
from .model import Model


class Sequential(Model):
    """y = layer_n(... layer_2(layer_1(x)))

    Built at once where the first layer knows the input's shape (`Input`, or `input_shape=`), otherwise by the first
    data.

    Args:
        layers: the first ones; `add` appends others.
        trainable: whether training changes their variables.
        name: by default numbered.

    >>> from layerwise import layers, models
    >>> model = models.Sequential([layers.Input((4,)), layers.Dense(3), layers.Activation("softmax")])
    >>> model.output_shape
    (None, 3)
    """

    def __init__(
        self, layers: Sequence[Layer | Tensor] | None = None, trainable: bool = True, name: str | None = None
    ) -> None:
        Layer.__init__(self, trainable=trainable, name=name)
        self.autocast = False  # inputs are brought to the dtype of the first layer's input
        self._stack: list[Layer] = []
        self._names: set[str] = set()  # those that layers had when they were added
        self._outputs: list[Tensor] = []  # the symbolic output of each, where the input's shape is known
        if isinstance(layers, Layer):
            raise TypeError(f"Sequential: layers: got the layer {layers.name!r}, expected a list: Sequential([...])")
        for layer in layers or ():
            self.add(layer, rebuild=False)
        self._rebuild()

    def add(self, layer: Any, rebuild: bool = True) -> None:
        """Append a layer."""
        if type(layer) is Tensor and layer.history is not None and isinstance(layer.history.operation, InputLayer):
            layer = layer.history.operation
        if isinstance(layer, type) and issubclass(layer, Layer):
            name = layer.__name__
            raise TypeError(f"Sequential: add: got the class {name}, expected an object: {name}(...)")
        if not isinstance(layer, Layer):
            raise TypeError(f"Sequential: add: got {layer!r} of type {type(layer).__name__}, expected a layer")
        layer._require_init()
        if isinstance(layer, InputLayer):
            if self._stack:
                raise ValueError(
                    f"Sequential: an input can only come first; {len(self._stack)} layers are there already"
                )
        elif not self._stack and layer._batch_input_shape is not None:
            self._stack.append(InputLayer(batch_shape=layer._batch_input_shape, dtype=None))
        if layer.name in self._names and any(x.name == layer.name and x is not layer for x in self._stack):
            raise ValueError(
                f"Sequential: a layer named {layer.name!r} is there already; give one of them another name"
            )
        self._stack.append(layer)
        self._names.add(layer.name)
        if rebuild:
            self._rebuild()

    def pop(self, rebuild: bool = True) -> Layer:
        """Remove the last layer and return it."""
        if not self.layers:
            raise ValueError("Sequential: pop: the model has no layers")
        layer = self._stack.pop()
        if len(self._outputs) > len(self._stack):
            self._outputs.pop()
            calls_of(layer).pop()
        self.built, self._graph = False, None
        if rebuild:
            self._rebuild()
        return layer

    def _rebuild(self) -> None:
        """Extend the graph by the layers that are not in it, if the input's shape is known."""
        first = self._stack[0] if self._stack else None
        if isinstance(first, Model) and first._graph is not None:
            first = InputLayer(batch_shape=first.input_shape)
            self._stack.insert(0, first)
        if not isinstance(first, InputLayer):
            return
        if not self._outputs:
            self._outputs.append(first.output)
        with building_graph():
            for layer in self._stack[len(self._outputs) :]:
                self._outputs.append(layer(self._outputs[-1]))
        if len(self._stack) > 1:
            self._graph = Graph(self._outputs[0], self._outputs[-1])
            auto_name("functional")  # Keras numbers the graph inside
            self.built = True

    def build(self, input_shape: Any = None) -> None:
        """Create the variables for inputs of this shape."""
        self._build_for(input_shape, None)

    def _build_for(self, input_shape: Any, dtype: str | None) -> None:
        """The same for inputs of this dtype, by default the one in which the first layer computes."""
        if input_shape is None:
            return
        shape = tuple(input_shape)
        if self.built:
            known = self._stack[0].batch_shape if self._stack and isinstance(self._stack[0], InputLayer) else shape
            same = len(known) == len(shape) and all(None in (a, b) or a == b for a, b in zip(known[1:], shape[1:]))
            if not same:
                raise ValueError(f"Sequential {self.name!r}: build: got {shape}, but it is built for {known} already")
            return
        if not self._stack:
            raise ValueError(f"Sequential {self.name!r} has no layers to build")
        if not isinstance(self._stack[0], InputLayer):
            dtype = dtype or self._stack[0].compute_dtype
            self._stack.insert(0, InputLayer(batch_shape=(None, *shape[1:]), dtype=dtype))
            self._takes_any_size = True  # nobody said that the first data's is the only one
        self._rebuild()

    def _ensure_built(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        if not self.built and args and type(args[0]) is Tensor:
            if not self._stack:
                raise ValueError(f"Sequential {self.name!r} has no layers")
            self._build_for(args[0].shape, "string" if args[0].dtype == "string" else None)

    @property
    def layers(self) -> list[Layer]:
        """The layers, without the input."""
        return [layer for layer in self._stack if not isinstance(layer, InputLayer)]

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        if self._graph is not None:
            return super().call(inputs, training, mask)
        for layer in self.layers:
            inputs = layer(inputs)
        return inputs

    def _symbolic_output(self, call: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        return self._symbolic_call(call, args, kwargs)

    def compute_output_shape(self, input_shape: Any) -> Any:
        shape = input_shape
        for layer in self.layers:
            shape = layer.compute_output_shape(shape)
        return shape

    def get_config(self) -> dict[str, Any]:
        config = {
            "name": self.name,
            "trainable": self.trainable,
            "dtype": serialize(self.dtype_policy),
            "layers": [serialize(layer) for layer in self._stack],
        }
        if self._stack and isinstance(self._stack[0], InputLayer):
            config["build_input_shape"] = list(self._stack[0].batch_shape)
        return config

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> Any:
        model = cls(
            list(_made(config["layers"], custom_objects)),
            trainable=config.get("trainable", True),
            name=config.get("name"),
        )
        model._takes_any_size = True  # a configuration does not say whether its sizes were the user's or the data's
        shape = config.get("build_input_shape")
        if not model.built and isinstance(shape, list | tuple) and shape and not isinstance(shape[0], list | tuple):
            model.build(shape)
        return model

    def get_build_config(self) -> dict[str, Any] | None:
        return {"input_shape": list(self._stack[0].batch_shape)} if self.built and self._stack else None  # type: ignore


def _made(nodes: Sequence[Any], custom_objects: dict[str, Any] | None) -> Iterator[Any]:
    """The layers of these configurations; equal ones of one name are the same layer, which occurs twice."""
    known: dict[Any, tuple[Any, Any]] = {}
    for node in nodes:
        if not isinstance(node, dict) or not isinstance(node.get("config"), dict):
            raise ValueError(f"Sequential: layers: got {node!r}, expected configurations: class_name and config")
        name = node["config"].get("name")
        before, layer = known.get(name, (None, None))
        if name is None or before != node:
            layer = deserialize(node, custom_objects)
        known[name] = node, layer
        yield layer
