"""The graph of a functional model: the calls that lead from symbolic inputs to symbolic outputs, in order."""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from .. import tree
from ..autograd import Call, Tensor
from ..layers.base import Layer
from ..layers.core import InputLayer


def graph_of(model: Any) -> Graph | None:
    """The graph of a functional model, also where a user's attribute has the name `graph`; None of anything else."""
    graph = getattr(model, "_graph", None)
    return graph if isinstance(graph, Graph) else None


class Graph:
    """The calls between `inputs` and `outputs`, which may be nested structures of symbolic Tensors.

    `calls` is in the order of computation; `operations` holds every layer (and operation) once, ordered as Keras orders
    a model's layers: by distance from the outputs, the farthest first, then by when a depth-first walk from the outputs
    meets it.
    """

    def __init__(self, inputs: Any, outputs: Any) -> None:
        self.inputs, self.outputs = inputs, outputs
        self.input_tensors, self.output_tensors = tree.flatten(inputs), tree.flatten(outputs)
        for role, ends in (("inputs", self.input_tensors), ("outputs", self.output_tensors)):
            for tensor in ends:
                if type(tensor) is not Tensor or not tensor.symbolic:
                    kind = type(tensor).__name__
                    raise TypeError(
                        f"Model: {role}: got a {kind}, expected symbolic Tensors (from layers.Input and layers)"
                    )
        if len({id(t) for t in self.input_tensors}) != len(self.input_tensors):
            raise ValueError("Model: inputs: the same Tensor is listed twice")
        self.outlines: dict[str, Any] = {}  # the Specs of outputs for forms of inputs that it was called on
        self.host_part: Any = None  # `models.host_part` makes it when it is asked for
        self._replace_inner_inputs()
        self.calls, self.operations = self._walk()
        names = Counter(layer.name for layer in self.layers)
        if twice := sorted(name for name, count in names.items() if count > 1):
            raise ValueError(f"Model: layer names must differ; {twice} occur more than once (rename with name=...)")

    def _replace_inner_inputs(self) -> None:
        """Let the graph begin at inputs that are results of other layers, by putting an InputLayer in their place."""
        self._entries: dict[int, Tensor] = {}
        for tensor in self.input_tensors:
            call = tensor.history
            if call is None or not isinstance(call.operation, InputLayer):
                self._entries[id(tensor)] = InputLayer(input_tensor=tensor).output
        self.input_layers = [self._entries.get(id(t), t).history.operation for t in self.input_tensors]

    def _call_of(self, tensor: Tensor, given: set[int]) -> Call:
        """The call that makes `tensor` in this graph."""
        entry = self._entries.get(id(tensor), tensor)
        call = entry.history
        if call is None or (not call.args and id(tensor) not in given and id(entry) not in given):
            source = "a Tensor without history" if call is None else f"input {call.operation.name!r}"
            raise ValueError(f"Model: the outputs depend on {source}, which is not among the model's inputs")
        return call

    def _walk(self) -> tuple[list[Call], list[Any]]:
        given = {id(t) for t in self.input_tensors}
        order: dict[int, int] = {}  # of operations: when the walk first meets each
        operations: dict[int, Any] = {}
        finished: list[Call] = []  # each after those that it depends on
        seen: set[int] = set()
        for output in self.output_tensors:
            path: list[tuple[Call | None, Iterator[Tensor]]] = [(None, iter([output]))]
            while path:
                call, remaining = path[-1]
                tensor = next(remaining, None)
                if tensor is None:
                    path.pop()
                    finished += [call] if call is not None else []
                    continue
                call = self._call_of(tensor, given)
                if id(call) not in seen:
                    seen.add(id(call))
                    operation = call.operation if isinstance(call.operation, Layer) else call
                    order.setdefault(id(operation), len(order))
                    operations[id(operation)] = operation
                    path.append((call, iter([] if id(tensor) in given else self.sources(call))))
        depth: dict[int, int] = {}
        producer = {id(out): call for call in finished for out in tree.flatten(call.outputs)}
        op_depth: dict[int, int] = {}
        for call in reversed(finished):
            operation = call.operation if isinstance(call.operation, Layer) else call
            d = max(depth.setdefault(id(call), 0), op_depth.get(id(operation), 0))
            depth[id(call)] = op_depth[id(operation)] = d
            for source in self.sources(call):
                before = producer.get(id(self._entries.get(id(source), source)))
                if before is not None:
                    depth[id(before)] = max(depth.get(id(before), 0), d + 1)
        for layer in self.input_layers:  # inputs that no output depends on
            if id(layer) not in op_depth:
                op_depth[id(layer)], order[id(layer)], operations[id(layer)] = 0, -1, layer
        ranked = sorted(operations.values(), key=lambda op: (-op_depth[id(op)], order[id(op)]))
        calls = [call for call in finished if not isinstance(call.operation, InputLayer)]
        return calls, ranked

    def sources(self, call: Call) -> list[Tensor]:
        """The symbolic Tensors among a call's arguments."""
        leaves = tree.flatten((call.args, call.kwargs))
        return [leaf for leaf in leaves if type(leaf) is Tensor and leaf.symbolic]

    def makers(self) -> dict[int, tuple[Any, int]]:
        """By each Tensor's id what makes it, a layer or a call of an operation, and which of its outputs it is."""
        made = {
            id(out): (call.operation if isinstance(call.operation, Layer) else call, number)
            for call in self.calls
            for number, out in enumerate(tree.flatten(call.outputs))
        }
        for tensor, layer in zip(self.input_tensors, self.input_layers, strict=True):
            made[id(tensor)] = made[id(self._entries.get(id(tensor), tensor))] = (layer, 0)
        return made

    @property
    def layers(self) -> list[Layer]:
        return [op for op in self.operations if isinstance(op, Layer)]

    @functools.cached_property
    def followers(self) -> dict[Call, Call]:
        """For a call the call of a layer on its result alone, where nothing else takes that result."""
        takers: dict[int, list[Any]] = {id(t): [None] for t in self.output_tensors}
        for call in self.calls:
            for source in self.sources(call):
                takers.setdefault(id(source), []).append(call)
        found = {}
        for call in self.calls:
            taker, *others = takers[id(call.outputs)] if type(call.outputs) is Tensor else [None]
            if taker is not None and not others and isinstance(taker.operation, Layer) and len(taker.args) == 1:
                found[call] = taker
        return found

    def known(self, values: list[Any]) -> dict[int, Any]:
        """The values of the graph's inputs, by the ids of their Tensors."""
        known = {}
        for symbolic, value in zip(self.input_tensors, values, strict=True):
            known[id(symbolic)] = known[id(self._entries.get(id(symbolic), symbolic))] = value
        return known

    def run(
        self,
        values: list[Any],
        call_layer: Callable[[Layer, Any, Any], Any] | None = None,
        fused: Mapping[Call, Any] | None = None,
    ) -> Any:
        """The outputs for these input values.

        `call_layer(layer, args, kwargs)` replaces the plain call of layers; `fused` says which calls are computed
        together (`plan.fusions`).
        """
        known, calls = self.known(values), self.calls
        begun = beginning.get()
        if begun is not None and begun.graph is self:
            known |= begun.results
            calls = [call for call in calls if call not in begun.done]
        self.compute(known, calls, call_layer, fused)
        return tree.map_structure(lambda leaf: _filled(leaf, known), self.outputs)

    def compute(
        self,
        known: dict[int, Any],
        calls: Iterable[Call],
        call_layer: Callable[[Layer, Any, Any], Any] | None = None,
        fused: Mapping[Call, Any] | None = None,
    ) -> None:
        """Add the results of these calls to the values that are known, by the ids of their Tensors."""
        inside = {call for call, fusion in (fused or {}).items() if call is not fusion.calls[0]}
        for call in calls:
            if call in inside or all(id(out) in known for out in tree.flatten(call.outputs)):
                continue
            args, kwargs = tree.map_structure(lambda leaf: _filled(leaf, known), (call.args, call.kwargs))
            if (fusion := (fused or {}).get(call)) is not None:
                call, results = fusion.calls[-1], fusion(*args)
            elif call_layer is not None and isinstance(call.operation, Layer):
                results = call_layer(call.operation, args, kwargs)
            else:
                results = call.operation(*args, **kwargs)
            for symbolic, value in zip(tree.flatten(call.outputs), tree.flatten(results), strict=True):
                known[id(symbolic)] = value


def _filled(leaf: Any, known: Mapping[int, Any]) -> Any:
    """What stands for a leaf of a call's arguments."""
    return known[id(leaf)] if type(leaf) is Tensor and leaf.symbolic else leaf


@dataclass(frozen=True)
class Beginning:
    """Where runs of a graph begin: behind calls that are done, whose results are known by the ids of their Tensors."""

    graph: Graph
    done: frozenset[Call]
    results: dict[int, Any]


beginning: ContextVar[Beginning | None] = ContextVar("beginning", default=None)
