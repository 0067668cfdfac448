"""Activations, and the layers that are one."""

import math
from collections.abc import Callable
from typing import Any

from ... import catalog, layers
from ...autograd import Tensor
from .builder import Builder, Unsupported, rule


def _gelu(b: Builder, x: str) -> str:
    """x (1 + erf(x / sqrt 2)) / 2"""
    erf = b.add("Erf", b.calculate("Mul", x, math.sqrt(0.5)))
    return b.calculate("Mul", b.add("Mul", x, b.calculate("Add", erf, 1.0)), 0.5)


def _clipped(b: Builder, x: str, low: float, high: float) -> str:
    return b.add("Clip", x, b.constant(low), b.constant(high))


def _operator(name: str, **attributes: Any) -> Callable[[Builder, str], str]:
    return lambda b, x: b.add(name, x, **attributes)


ACTIVATIONS: dict[str, Callable[[Builder, str], str]] = {
    "linear": lambda b, x: x,
    "relu": _operator("Relu"),
    "sigmoid": _operator("Sigmoid"),
    "tanh": _operator("Tanh"),
    "softmax": _operator("Softmax", axis=-1),
    "log_softmax": _operator("LogSoftmax", axis=-1),
    "softplus": _operator("Softplus"),
    "softsign": _operator("Softsign"),
    "exponential": _operator("Exp"),
    "elu": _operator("Elu", alpha=1.0),
    "celu": _operator("Celu", alpha=1.0),
    "selu": _operator("Selu", alpha=1.6732632423543772, gamma=1.0507009873554805),
    "leaky_relu": _operator("LeakyRelu", alpha=0.2),
    "hard_sigmoid": _operator("HardSigmoid", alpha=1 / 6, beta=0.5),
    "hard_silu": lambda b, x: b.add("Mul", x, b.add("HardSigmoid", x, alpha=1 / 6, beta=0.5)),
    "silu": lambda b, x: b.add("Mul", x, b.add("Sigmoid", x)),
    "mish": lambda b, x: b.add("Mul", x, b.add("Tanh", b.add("Softplus", x))),
    "log_sigmoid": lambda b, x: b.add("Neg", b.add("Softplus", b.add("Neg", x))),
    "tanh_shrink": lambda b, x: b.add("Sub", x, b.add("Tanh", x)),
    "hard_tanh": lambda b, x: _clipped(b, x, -1.0, 1.0),
    "relu6": lambda b, x: _clipped(b, x, 0.0, 6.0),
    "gelu": _gelu,
}


def activated(b: Builder, activation: Any, y: str) -> str:
    name = getattr(activation, "__name__", type(activation).__name__)
    if name not in ACTIVATIONS or catalog.home(activation, ("activations", "ops")) is None:
        raise Unsupported(f"activation {name!r}")
    return ACTIVATIONS[name](b, y)


@rule(layers.Activation)
def _(b: Builder, layer: Any, xs: list[str], inputs: list[Tensor]) -> str:
    return activated(b, layer.activation, xs[0])


@rule(layers.ReLU)
def _(b: Builder, layer: Any, xs: list[str], inputs: list[Tensor]) -> str:
    x, threshold = xs[0], layer.threshold
    if layer.negative_slope == 0 and threshold == 0:
        y = b.add("Relu", x)
    else:
        below = b.calculate("Mul", b.calculate("Sub", x, threshold), layer.negative_slope)
        y = b.add("Where", b.calculate("Greater", x, threshold), x, below)
    return y if layer.max_value is None else b.calculate("Min", y, layer.max_value)


@rule(layers.LeakyReLU)
def _(b: Builder, layer: Any, xs: list[str], inputs: list[Tensor]) -> str:
    return b.add("LeakyRelu", xs[0], alpha=float(layer.negative_slope))


@rule(layers.ELU)
def _(b: Builder, layer: Any, xs: list[str], inputs: list[Tensor]) -> str:
    return b.add("Elu", xs[0], alpha=float(layer.alpha))


@rule(layers.PReLU)
def _(b: Builder, layer: Any, xs: list[str], inputs: list[Tensor]) -> str:
    return b.add("PRelu", xs[0], b.constant(layer.alpha.numpy()))


@rule(layers.Softmax)
def _(b: Builder, layer: Any, xs: list[str], inputs: list[Tensor]) -> str:
    if not isinstance(layer.axis, int):
        raise Unsupported("softmax over several axes")
    return b.add("Softmax", xs[0], axis=layer.axis)
