"""A graph in the making, and the rules by which layers are written."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ...autograd import Tensor


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
        return x if source == target else self.add("Cast", x, to=element_type(target))

    def calculate(self, operator: str, x: str, value: Any) -> str:
        """`x operator value`, with a constant."""
        return self.add(operator, x, self.constant(value))

    def channels_first(self, x: str, ndim: int) -> str:
        return self.add("Transpose", x, perm=[0, ndim - 1, *range(1, ndim - 1)])

    def in_channels_first(self, layer: Any, x: str, ndim: int, write: Callable[[str], str]) -> str:
        """What `write` makes of x with channels first, with channels where the layer has them."""
        if layer.data_format == "channels_first":
            return write(x)
        return self.channels_last(write(self.channels_first(x, ndim)), ndim)

    def channels_last(self, x: str, ndim: int) -> str:
        return self.add("Transpose", x, perm=[0, *range(2, ndim), 1])


Rule = Callable[[Builder, Any, list[str], list[Tensor]], str]  # (builder, layer, inputs' names, inputs) -> output's
RULES: dict[type, Rule] = {}


def rule(*kinds: type) -> Callable[[Rule], Rule]:
    """Decorator: how layers of these classes are written."""

    def decorate(function: Rule) -> Rule:
        RULES.update(dict.fromkeys(kinds, function))
        return function

    return decorate


class Unsupported(Exception):
    """Why a layer has no counterpart."""


def element_type(dtype: str) -> int:
    from onnx import helper

    return helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
