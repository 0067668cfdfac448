"""Layers of several inputs, and operations that are called without a layer."""

import functools
from typing import Any

from ... import layers
from ...autograd import Tensor
from ...layers.merging import Merge
from .builder import Builder, rule
from .products import unit


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


@rule(layers.Dot)
def _(b: Builder, layer: Any, xs: list[str], inputs: list[Tensor]) -> str:
    shapes = [t.shape for t in inputs]
    if layer.normalize:
        xs = [unit(b, x, [axis]) for x, axis in zip(xs, layer._axes(shapes), strict=True)]
    equation = layer.equation(shapes)
    y = b.add("Einsum", *xs, equation=equation)
    return b.add("Unsqueeze", y, b.sizes([1])) if equation.endswith(">n") else y


@rule(layers.Concatenate)
def _(b: Builder, layer: Any, xs: list[str], inputs: list[Tensor]) -> str:
    return b.add("Concat", *xs, axis=layer.axis % inputs[0].ndim)


OPERATORS = {
    "add": "Add", "subtract": "Sub", "multiply": "Mul", "divide": "Div", "true_divide": "Div", "power": "Pow",
    "maximum": "Max", "minimum": "Min", "matmul": "MatMul", "negative": "Neg", "absolute": "Abs", "exp": "Exp",
    "log": "Log", "sqrt": "Sqrt", "reciprocal": "Reciprocal", "sign": "Sign", "floor": "Floor", "ceil": "Ceil",
    "sin": "Sin", "cos": "Cos", "erf": "Erf", "relu": "Relu", "sigmoid": "Sigmoid", "tanh": "Tanh",
    "softplus": "Softplus",
}  # fmt: skip
