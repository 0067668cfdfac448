"""Layers that make categories of numbers, and vectors of those."""

from typing import Any

import numpy as np

from ... import layers
from ...autograd import Tensor
from .builder import Builder, element_type, rule


def _vectors(b: Builder, x: str, ndim: int, last: int | None, mode: str, depth: int, weights: str | None) -> str:
    """What `as_vectors` computes of categories in float32, with `ndim` dimensions of which the last has this size."""
    if mode == "one_hot" and ndim > 1 and last == 1:
        x = b.add("Squeeze", x, b.sizes([-1]))
    equal = b.calculate("Equal", b.add("Unsqueeze", x, b.sizes([-1])), np.arange(depth))
    hot = b.add("Cast", equal, to=element_type("float32"))
    if mode == "one_hot":
        return hot
    if weights is not None:
        hot = b.add("Mul", hot, b.add("Unsqueeze", weights, b.sizes([-1])))
    reduced = "ReduceMax" if mode == "multi_hot" else "ReduceSum"
    return b.add(reduced, hot, b.sizes([min(ndim - 1, 1)]), keepdims=0)


@rule(layers.CategoryEncoding)
def _(b: Builder, layer: Any, xs: list[str], inputs: list[Tensor]) -> str:
    weights = xs[1] if len(xs) > 1 else None
    x = xs[0]
    if layer.output_mode != "one_hot":  # these count whole numbers
        x = b.add("Cast", b.add("Cast", x, to=element_type("int64")), to=element_type("float32"))
    return _vectors(b, x, inputs[0].ndim, inputs[0].shape[-1], layer.output_mode, layer.num_tokens, weights)


@rule(layers.Discretization)
def _(b: Builder, layer: Any, xs: list[str], inputs: list[Tensor]) -> str:
    boundaries = np.asarray(layer.bin_boundaries, "float32")
    below = b.add("Not", b.calculate("Less", b.add("Unsqueeze", xs[0], b.sizes([-1])), boundaries))
    bins = b.add("ReduceSum", b.add("Cast", below, to=element_type("float32")), b.sizes([-1]), keepdims=0)
    if layer.output_mode == "int":
        return b.add("Cast", bins, to=element_type("int32"))
    return _vectors(b, bins, inputs[0].ndim, inputs[0].shape[-1], layer.output_mode, len(boundaries) + 1, None)
