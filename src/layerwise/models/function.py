"""A graph of operations as a function."""

from __future__ import annotations

from typing import Any

from .. import tree
from ..autograd import Spec, Tensor, as_tensor, cast
from ..naming import chosen_name
from .graph import Graph


class Function:
    """The outputs of a graph as a function of its inputs: a functional model that holds no layers and does not train.

    Args:
        inputs: symbolic Tensors, or a nested structure of them.
        outputs: symbolic Tensors that were computed from them, likewise.
        name: of the function.

    >>> from layerwise import Function, Input, ops
    >>> x, y = Input((2,)), Input((2,))
    >>> Function([x, y], x * y + 1)([ops.array([[1.0, 2.0]]), ops.array([[3.0, 4.0]])]).numpy()
    array([[4., 9.]], dtype=float32)
    """

    def __init__(self, inputs: Any, outputs: Any, name: str | None = None) -> None:
        self.name = chosen_name(self, name)
        self._graph = Graph(inputs, outputs)

    @property
    def inputs(self) -> list[Tensor]:
        """The symbolic inputs in one list."""
        return list(self._graph.input_tensors)

    @property
    def outputs(self) -> list[Tensor]:
        """The symbolic outputs in one list."""
        return list(self._graph.output_tensors)

    @property
    def input(self) -> Any:
        """The symbolic inputs as they were given."""
        return self._graph.inputs

    @property
    def output(self) -> Any:
        """The symbolic outputs as they were given."""
        return self._graph.outputs

    @property
    def operations(self) -> list[Any]:
        """What is called, in order of computation."""
        return [call.operation for call in self._graph.calls]

    def __call__(self, inputs: Any) -> Any:
        """The outputs for these inputs, which are structured like `input`."""
        given = tree.flatten(inputs)
        if len(given) != len(self.inputs):
            raise ValueError(f"function {self.name!r}: got {len(given)} inputs, expected {len(self.inputs)}")
        return self._graph.run([self._fitted(x, symbolic) for x, symbolic in zip(given, self.inputs, strict=True)])

    def _fitted(self, value: Any, symbolic: Tensor) -> Tensor:
        value = cast(as_tensor(value), symbolic.dtype)
        sizes = zip(value.shape, symbolic.shape, strict=False)
        if value.ndim != symbolic.ndim or any(None not in pair and pair[0] != pair[1] for pair in sizes):
            raise ValueError(f"function {self.name!r}: got an input of shape {value.shape}, expected {symbolic.shape}")
        return value

    def compute_output_spec(self, inputs: Any) -> Any:
        """Symbolic outputs for symbolic inputs."""
        return self(inputs)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The shapes of the outputs for inputs of these shapes."""
        shapes = [input_shape] if len(self.inputs) == 1 else input_shape
        given = [Tensor(Spec(tuple(s), x.dtype)) for s, x in zip(shapes, self.inputs, strict=True)]
        return tree.map_structure(lambda t: t.shape, self(given))
