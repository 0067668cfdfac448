"""The part of a functional model that computes on NumPy arrays, apart from the rest, which can be compiled then.

A step is called on the values where the part ends, and calls of the model inside of it begin there.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from .. import tree
from ..autograd import Call, Tensor, raw
from ..context import setting
from ..layers.base import Layer
from .graph import Beginning, Graph, beginning, graph_of


@dataclass(frozen=True, eq=False)
class HostPart:
    """The calls of layers on the host, and what they depend on.

    Attributes:
        graph: of the model.
        calls: the part, in order.
        ends: its results that the rest takes.
    """

    graph: Graph
    calls: tuple[Call, ...]
    ends: tuple[Tensor, ...]

    def values(self, inputs: list[Any]) -> list[Any]:
        """Arrays, what the results are for these inputs of the graph."""
        known = self.graph.known(inputs)
        self.graph.compute(known, self.calls)
        return [raw(known[id(end)]) for end in self.ends]

    @contextlib.contextmanager
    def done(self, values: list[Any]) -> Iterator[None]:
        """Inside the `with` block, the graph begins behind the part, whose results these are."""
        results = dict(zip(map(id, self.ends), values, strict=True))
        with setting(beginning, Beginning(self.graph, frozenset(self.calls), results)):
            yield


def host_part(model: Any) -> HostPart | None:
    """The part of a model that computes on the host, None where it cannot be told apart from what is trained."""
    graph = graph_of(model)
    if graph is None:
        return None
    if graph.host_part is None:
        graph.host_part = _cut(graph)
    return graph.host_part or None


def _cut(graph: Graph) -> HostPart | Literal[False]:
    producers = {id(out): call for call in graph.calls for out in tree.flatten(call.outputs)}
    inside = {call for call in graph.calls if isinstance(call.operation, Layer) and works_on_host(call.operation)}
    for call in reversed(graph.calls):
        if call in inside:
            inside.update(producers[id(t)] for t in graph.sources(call) if id(t) in producers)
    calls = tuple(call for call in graph.calls if call in inside)
    taken = [t for call in graph.calls if call not in inside for t in graph.sources(call)] + graph.output_tensors
    ends = {id(t): t for t in taken if producers.get(id(t)) in inside}
    trains = any(isinstance(call.operation, Layer) and call.operation.variables for call in calls)
    if trains or not calls or any(end.dtype == "string" for end in ends.values()):
        return False
    return HostPart(graph, calls, tuple(ends.values()))


def works_on_host(layer: Layer) -> bool:
    """Whether a layer, or one inside of it, computes on NumPy arrays, so that no step with it is compiled."""
    return any(inner.on_host for inner in layer._flatten_layers())
