"""Several layers computed at once: which calls of a graph can be, and how.

    Conv [-> BatchNormalization] [-> relu, tanh or sigmoid] [-> MaxPooling]
    Dense [-> BatchNormalization] [-> relu or tanh]
    BatchNormalization -> relu or tanh

In the first two the normalisation is folded into a copy of the kernel, which is made within the call, and in inference
only; the last is for training. Only layers of the library's own classes take part (a subclass may do anything), whose
result no other layer takes and nobody observes. `config.set_fusion(False)` switches it off; results are the same but
for rounding.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

from .. import activations, ops
from ..autograd import Call, Tensor
from ..backends import Window
from ..layers.activation import ReLU
from ..layers.base import Layer
from ..layers.convolution import Conv, Conv1D, Conv2D, Conv3D
from ..layers.core import Activation, Dense
from ..layers.normalization import BatchNormalization
from ..layers.pooling import MaxPooling1D, MaxPooling2D, MaxPooling3D
from .graph import Graph

_CONVOLUTIONS, _POOLINGS = (Conv1D, Conv2D, Conv3D), (MaxPooling1D, MaxPooling2D, MaxPooling3D)
_PLAIN = frozenset({*_CONVOLUTIONS, *_POOLINGS, Dense, BatchNormalization, Activation, ReLU})
_HEADS = frozenset({*_CONVOLUTIONS, Dense, BatchNormalization})
_NAMES = {activations.relu: "relu", activations.tanh: "tanh", activations.sigmoid: "sigmoid"}


@dataclass
class Fusion:
    """Calls that follow each other, computed as one within the call of the first layer."""

    calls: list[Call]
    norm: BatchNormalization | None = None  # folded into the kernel
    act: str | None = None
    pool: Any = None

    def __call__(self, x: Tensor) -> Tensor:
        head = self.calls[0].operation
        compute = partial(head.activated, self.act) if type(head) is BatchNormalization else self._linear
        return head.applied(compute, x)

    def _linear(self, x: Tensor) -> Tensor:
        """y = pool(act(norm(head(x))))"""
        head = self.calls[0].operation
        kernel, bias = (head.kernel, head.bias) if self.norm is None else self.norm.folded(head.kernel, head.bias)
        if type(head) is Dense:
            return ops.dense(x, kernel, bias, act=self.act)
        window = head.window(x)
        if self.pool is None:
            return ops.convolution(x, kernel, bias, window=window, act=self.act)
        size = self.pool.pool_size
        pool = Window.of(size, size, "valid", (1,) * len(size), window.out(x.shape[1:-1]))
        return ops.conv_pool(x, kernel, bias, window=window, act=self.act, pool=pool)


def fusions(graph: Graph, training: bool | None) -> dict[Call, Fusion]:
    """What can be computed at once in this mode: for each call that takes part the fusion it is in."""
    found: dict[Call, Fusion] = {}
    for call in graph.calls:
        if type(call.operation) in _HEADS and call not in found and _plain(call):
            fusion = _from(call, graph, bool(training))
            if fusion is not None:
                found |= dict.fromkeys(fusion.calls, fusion)
    return found


def _from(first: Call, graph: Graph, training: bool) -> Fusion | None:
    """The longest fusion that begins with this call, if there is any."""
    head = first.operation
    rest = _followers(first, graph)
    fusion = Fusion([first])
    if type(head) is BatchNormalization:
        if not (training and head.trainable and not head.renorm):
            return None
    elif head.activation is not activations.linear:
        fusion.act = _NAMES.get(head.activation)
        if fusion.act is None:
            return None
    elif rest and not training and _folds(rest[0]):
        fusion.norm = rest[0].operation
        fusion.calls.append(rest.pop(0))
    convolves = isinstance(head, Conv)
    if convolves and head.data_format != "channels_last":
        return None
    name = _activation(rest[0].operation) if rest and fusion.act is None else None
    pooled = convolves and _pools(rest[1:] if name else rest)
    if name and (name != "sigmoid" or pooled):
        fusion.act = name
        fusion.calls.append(rest.pop(0))
    if pooled and (fusion.act or not name):
        fusion.pool = rest[0].operation
        fusion.calls.append(rest.pop(0))
    return fusion if len(fusion.calls) > 1 else None


def _plain(call: Call) -> bool:
    """Whether a call is what the layer's class says, on one Tensor, with nobody between it and its result."""
    layer = call.operation
    return (
        type(layer) in _PLAIN
        and len(call.args) == 1
        and type(call.args[0]) is Tensor
        and not call.kwargs  # an own `training` or `mask`
        and "call" not in vars(layer)  # an observer
        and layer.activity_regularizer is None
        and layer.autocast
        and layer.compute_dtype == layer.variable_dtype in ("float32", "float64")
    )


def _followers(call: Call, graph: Graph) -> list[Call]:
    """The plain calls behind this one, each the only one that takes the result of the one before."""
    found: list[Call] = []
    dtype = call.operation.compute_dtype
    while (call := graph.followers.get(call)) is not None and _plain(call):  # type: ignore[assignment]
        if call.operation.compute_dtype != dtype:
            break
        found.append(call)
    return found


def _folds(call: Call) -> bool:
    layer = call.operation
    return type(layer) is BatchNormalization and layer.axis in (-1, call.args[0].ndim - 1)


def _activation(layer: Layer) -> str | None:
    """The name of what an activation layer computes, if it can be fused."""
    if type(layer) is Activation:
        return _NAMES.get(layer.activation)
    plain = type(layer) is ReLU and layer.max_value is None and layer.negative_slope == layer.threshold == 0
    return "relu" if plain else None


def _pools(rest: list[Call]) -> bool:
    """Whether pooling follows whose windows lie side by side."""
    layer: Any = rest[0].operation if rest else None
    return (
        type(layer) in _POOLINGS
        and layer.strides == layer.pool_size
        and layer.padding == "valid"
        and layer.data_format == "channels_last"
    )
