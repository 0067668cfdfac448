"""Layers around other layers: in both directions of a sequence, at each of its steps."""

from __future__ import annotations

from typing import Any

from .. import ops, tree
from ..autograd import Tensor
from ..naming import one_of
from ..serialization import deserialize, serialize
from .base import Layer


class Wrapper(Layer):
    """A layer around another one, `layer`, which subclasses call.

    Args:
        layer: the layer inside.
    """

    _written = Layer._written | {"layer"}

    def __init__(self, layer: Layer, **kwargs: Any) -> None:
        if not isinstance(layer, Layer):
            raise ValueError(f"{type(self).__name__}: layer: got a {type(layer).__name__}, expected a Layer")
        super().__init__(**kwargs)
        self.layer = layer

    def build(self, input_shape: Any = None) -> None:
        if not self.layer.built:
            self.layer.build(input_shape)
            self.layer.built = True


class TimeDistributed(Wrapper):
    """y_t = layer(x_t) for each step t

    x (batch, steps, ...) -> (batch, steps, ...). The steps go through the layer together, as more examples.

    Args:
        layer: a layer of one step.

    >>> from layerwise import layers, ops
    >>> layers.TimeDistributed(layers.Conv2D(4, 3))(ops.ones((2, 5, 8, 8, 3))).shape
    (2, 5, 6, 6, 4)
    """

    def __init__(self, layer: Layer, **kwargs: Any) -> None:
        super().__init__(layer, **kwargs)
        self.supports_masking = True

    def build(self, input_shape: Any = None) -> None:
        if len(input_shape) < 3:
            raise ValueError(
                f"layer {self.name!r}: got an input of shape {tuple(input_shape)}, expected (batch, steps, ...)"
            )
        super().build((input_shape[0], *input_shape[2:]))

    def call(self, inputs: Tensor, training: bool | None = None, mask: Any = None) -> Any:
        parameters = self.layer._call_parameters()
        options: dict[str, Any] = {"training": training} if parameters.training else {}
        if mask is not None:
            if mask.ndim < 2 or tuple(mask.shape[:2]) != inputs.shape[:2]:
                raise ValueError(
                    f"layer {self.name!r}: mask: got shape {tuple(mask.shape)}, expected (batch, steps, ...) of "
                    f"an input of shape {inputs.shape}"
                )
            if "mask" in parameters.names:
                options["mask"] = ops.reshape(mask, (-1, *mask.shape[2:]))
        outputs = self.layer(ops.reshape(inputs, (-1, *inputs.shape[2:])), **options)
        return tree.map_structure(lambda y: ops.reshape(y, (*inputs.shape[:2], *y.shape[1:])), outputs)


class Bidirectional(Layer):
    """y = merge(layer(x), layer'(x from the last step to the first))

    Args:
        layer: a recurrent layer, of which both directions are copies.
        merge_mode: "concat" along the features, "sum", "ave", "mul", or None for both outputs.
        weights: of both directions, to begin with.
        backward_layer: another one for the way back, with `go_backwards`.

    >>> from layerwise import layers, ops
    >>> layers.Bidirectional(layers.LSTM(4, return_sequences=True))(ops.ones((2, 5, 3))).shape
    (2, 5, 8)
    """

    supports_masking = True
    _written = Layer._written | {"layer", "backward_layer"}

    def __init__(
        self,
        layer: Layer,
        merge_mode: str | None = "concat",
        weights: Any = None,
        backward_layer: Layer | None = None,
        **kwargs: Any,
    ) -> None:
        for role, given in (("layer", layer), ("backward_layer", backward_layer)):
            if not isinstance(given, Layer) and (given is not None or role == "layer"):
                raise ValueError(f"Bidirectional: {role}: got a {type(given).__name__}, expected a Layer")
        super().__init__(**kwargs)
        self.merge_mode = one_of("Bidirectional: merge_mode", merge_mode, "sum", "mul", "ave", "concat", None)
        self.forward_layer = _copied(layer, "forward_")
        self.backward_layer: Any = backward_layer or _copied(layer, "backward_", go_backwards=True)
        self._check_directions()
        for one in (self.forward_layer, self.backward_layer):
            if hasattr(one, "zero_output_for_mask"):
                one.zero_output_for_mask = bool(getattr(one, "return_sequences", False))
        self._initial_weights = list(weights) if weights is not None else None

    def _check_directions(self) -> None:
        forward, backward = self.forward_layer, self.backward_layer
        if forward.go_backwards == backward.go_backwards:
            raise ValueError(
                f"Bidirectional: go_backwards: got {forward.go_backwards} for both layers, expected False and True"
            )
        for name in ("stateful", "return_sequences", "return_state"):
            both = getattr(forward, name), getattr(backward, name)
            if both[0] != both[1]:
                raise ValueError(
                    f"Bidirectional: {name}: got {both[0]} and {both[1]}, expected the same for both layers"
                )

    @property
    def stateful(self) -> bool:
        return self.forward_layer.stateful

    @property
    def return_sequences(self) -> bool:
        return self.forward_layer.return_sequences

    @property
    def return_state(self) -> bool:
        return self.forward_layer.return_state

    @property
    def states(self) -> Any:
        """The states of both directions, where the layer is stateful."""
        both = self.forward_layer.states, self.backward_layer.states
        return None if None in both else [*both[0], *both[1]]

    def reset_state(self) -> None:
        """Let the next call begin with zeros, where the layer is stateful."""
        self.forward_layer.reset_state()
        self.backward_layer.reset_state()

    reset_states = reset_state

    def build(self, sequences_shape: Any, initial_state_shape: Any = None) -> None:
        for one in (self.forward_layer, self.backward_layer):
            if not one.built:
                one.build(sequences_shape)
                one.built = True
        if self._initial_weights is not None:
            half = len(self._initial_weights) // 2
            self.forward_layer.set_weights(self._initial_weights[:half])
            self.backward_layer.set_weights(self._initial_weights[half:])

    def call(self, sequences: Tensor, initial_state: Any = None, mask: Any = None, training: bool | None = None) -> Any:
        states = list(initial_state) if initial_state is not None else []
        half = len(states) // 2
        outputs, last = [], []
        for one, given in ((self.forward_layer, states[:half]), (self.backward_layer, states[half:])):
            parameters = one._call_parameters()
            options = {"training": training} if parameters.training else {}
            options |= {"mask": mask} if "mask" in parameters.names else {}
            y = one(sequences, initial_state=given or None, **options)
            if self.return_state:
                y, *rest = y
                last += rest
            outputs.append(y)
        forward, backward = outputs
        backward = ops.flip(backward, 1) if self.return_sequences else backward
        merged = (forward, backward) if self.merge_mode is None else (_MERGE[self.merge_mode](forward, backward),)
        return (*merged, *last) if self.return_state or self.merge_mode is None else merged[0]

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        mask = tree.flatten(mask)[0] if self.return_sequences else None
        return [mask, mask] if self.merge_mode is None else mask

    def get_config(self) -> dict[str, Any]:
        own = ("merge_mode", "name", "trainable", "dtype", "activity_regularizer")
        config = {name: value for name, value in super().get_config().items() if name in own}
        return {**config, "layer": serialize(self.forward_layer), "backward_layer": serialize(self.backward_layer)}

    @property
    def layer(self) -> Layer:
        """The layer that goes forward."""
        return self.forward_layer


_MERGE = {
    "concat": lambda a, b: ops.concatenate([a, b], axis=-1),
    "sum": lambda a, b: a + b,
    "ave": lambda a, b: (a + b) / 2,
    "mul": lambda a, b: a * b,
}


def _copied(layer: Layer, prefix: str, **changes: Any) -> Any:
    """A layer of the same configuration, but for the changes, whose name begins with `prefix`."""
    node = serialize(layer)
    node["config"] = {**node["config"], **changes, "name": prefix + layer.name.removeprefix(prefix)}
    return deserialize(node)
