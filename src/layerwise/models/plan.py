"""Several layers computed at once: which calls of a graph can be, and how.

    Conv [-> BatchNormalization] [-> relu, tanh or sigmoid] [-> MaxPooling]
    Dense [-> BatchNormalization] [-> relu or tanh]
    BatchNormalization -> relu or tanh

In the first two the normalisation is folded into a copy of the kernel, which is made within the call, and in inference
only; the last is for training. Which part a layer can take it says by its `stage`; its result must be for one other
layer alone, and nobody may observe it. `config.set_fusion(False)` switches it off; results are the same but for
rounding.
"""

from dataclasses import dataclass
from functools import partial
from typing import Any

from .. import activations, ops
from ..autograd import Call, Tensor
from ..backends import Window
from ..layers.base import Layer, stage_of
from ..layers.core import FUSED
from ..layers.normalization import BatchNormalization
from .graph import Graph

_HEADS = ("convolution", "linear", "normalization")


@dataclass
class Fusion:
    """Calls that follow each other, computed as one within the call of the first layer."""

    calls: list[Call]
    norm: BatchNormalization | None = None  # folded into the kernel
    act: str | None = None
    pool: Any = None

    def __call__(self, x: Tensor) -> Tensor:
        head = self.calls[0].operation
        compute = partial(head.activated, self.act) if _stage(self.calls[0]) == "normalization" else self._linear
        return head.applied(compute, x)

    def _linear(self, x: Tensor) -> Tensor:
        """y = pool(act(norm(head(x))))"""
        head = self.calls[0].operation
        kernel, bias = (head.kernel, head.bias) if self.norm is None else self.norm.folded(head.kernel, head.bias)
        if _stage(self.calls[0]) == "linear":
            return ops.dense(x, kernel, bias, act=self.act)
        window = head.window(x)
        if self.pool is None:
            return ops.convolution(x, kernel, bias, window=window, act=self.act)
        size = self.pool.pool_size
        pool = Window.of(size, size, "valid", (1,) * len(size), window.out(x.shape[1:-1]))
        return ops.conv_pool(x, kernel, bias, window=window, act=self.act, pool=pool)


def fusions(graph: Graph, training: bool | None) -> dict[Call, Fusion]:
    """What can be computed at once in this mode: for each call that takes part the fusion it is in."""
    fused: dict[Call, Fusion] = {}
    for call in graph.calls:
        if call not in fused and _stage(call) in _HEADS and _plain(call):
            fusion = _from(call, graph, bool(training))
            if fusion is not None:
                fused |= dict.fromkeys(fusion.calls, fusion)
    return fused


def _from(first: Call, graph: Graph, training: bool) -> Fusion | None:
    """The longest fusion that begins with this call, if there is any."""
    head = first.operation
    rest = _followers(first, graph)
    fusion = Fusion([first])
    if _stage(first) == "normalization":
        if not (training and head.trainable and not head.renorm):
            return None
    elif head.activation is not activations.linear:
        fusion.act = FUSED.get(head.activation)
        if fusion.act is None:
            return None
    elif rest and not training and _folds(rest[0]):
        fusion.norm = rest[0].operation
        fusion.calls.append(rest.pop(0))
    convolves = _stage(first) == "convolution"
    if convolves and head.data_format != "channels_last":
        return None
    acts = rest and fusion.act is None and _stage(rest[0]) == "activation"
    name = FUSED.get(rest[0].operation.activation) if acts else None
    pooled = convolves and _pools(rest[1:] if name else rest)
    if name and (name != "sigmoid" or pooled):
        fusion.act = name
        fusion.calls.append(rest.pop(0))
    if pooled and (fusion.act or not name):
        fusion.pool = rest[0].operation
        fusion.calls.append(rest.pop(0))
    return fusion if len(fusion.calls) > 1 else None


def _stage(call: Call) -> str | None:
    return stage_of(type(call.operation)) if isinstance(call.operation, Layer) else None  # type: ignore[arg-type]


def _plain(call: Call) -> bool:
    """Whether a call is what the layer's class says, on one Tensor, with nobody between it and its result."""
    layer = call.operation
    return (
        _stage(call) is not None
        and len(call.args) == 1
        and type(call.args[0]) is Tensor
        and not call.kwargs  # an own `training` or `mask`
        and "call" not in vars(layer)  # an observer
        and layer.activity_regularizer is None
        and layer.autocast
        and getattr(layer, "inputs_quantizer", None) is None
        and layer.compute_dtype == layer.variable_dtype in ("float32", "float64")
    )


def _followers(call: Call, graph: Graph) -> list[Call]:
    """The plain calls behind this one, each the only one that takes the result of the one before."""
    followers: list[Call] = []
    dtype = call.operation.compute_dtype
    while (call := graph.followers.get(call)) is not None and _plain(call):  # type: ignore[assignment]
        if call.operation.compute_dtype != dtype:
            break
        followers.append(call)
    return followers


def _folds(call: Call) -> bool:
    layer = call.operation
    return _stage(call) == "normalization" and layer.axis in (-1, call.args[0].ndim - 1)


def _pools(rest: list[Call]) -> bool:
    """Whether pooling follows whose windows lie side by side."""
    layer: Any = rest[0].operation if rest else None
    return (
        layer is not None
        and _stage(rest[0]) == "pooling"
        and layer.pool is ops.max_pool
        and layer.strides == layer.pool_size
        and layer.padding == "valid"
        and layer.data_format == "channels_last"
    )
