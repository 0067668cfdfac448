"""Derivatives of what is computed inside a `with` block."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from .. import tree
from ..dtypes import is_float
from ..naming import one_of
from .backward import check_scalar, ones_like, pull_back, zeros_like
from .basic import add
from .operands import as_operand, as_tensor
from .symbolic import operations
from .tape import GraphError, Node, Tape, Tensor, _open_tapes


class GradientTape(Tape):
    """Records what is computed inside a `with` block and differentiates it by variables and watched Tensors.

    Trainable variables are watched when they are read, unless `watch_accessed_variables` is False. Values that were
    computed stay usable afterwards, as plain values. `persistent` keeps what is needed to ask more than once.

    >>> from layerwise import Variable
    >>> w = Variable([2.0, 3.0])
    >>> with GradientTape() as tape:
    ...     y = w * w
    >>> tape.gradient(y, w)
    Tensor([4., 6.], shape=(2,), dtype=float32)
    """

    def __init__(self, persistent: bool = False, watch_accessed_variables: bool = True) -> None:
        super().__init__()
        self.persistent, self.automatic = persistent, watch_accessed_variables
        self.recording = False
        self._leaves: dict[int, tuple[Any, Node]] = {}  # by id of a Variable or Tensor, which the entry keeps alive
        self._used = False
        self._token: Any = None

    def __enter__(self) -> GradientTape:
        if self._token is not None:
            raise GraphError("GradientTape: this tape is already open")
        self._token = _open_tapes.set((*_open_tapes.get(), self))
        self.recording = True
        return self

    def __exit__(self, *exception: object) -> None:
        _open_tapes.reset(self._token)
        self._token, self.recording = None, False

    def watched(self, variable: Any) -> Node | None:
        entry = self._leaves.get(id(variable))
        if entry is None:
            if not (self.automatic and variable.trainable and is_float(variable.dtype)):
                return None
            entry = self._leaves[id(variable)] = (variable, Node(variable.name))
            entry[1].time = 0  # it was there before everything, wherever it is first read
        return entry[1]

    def watch(self, tensor: Any) -> None:
        """Differentiate by these Tensors or variables (maybe nested) too, in what is computed from here on."""
        for x in tree.flatten(tensor):
            if not is_float(getattr(x, "dtype", "")):
                raise TypeError(f"watch: expected a Tensor or Variable of floating-point numbers, got {x!r}")
            if type(x) is Tensor:
                inner = Tensor(x.value, x.tape, x.node) if x.tape is not None else x.value
                x.value, x.tape, x.node = inner, self, Node("watched")
                self._leaves[id(x)] = (x, x.node)
            elif hasattr(x, "_read"):
                self._leaves.setdefault(id(x), (x, Node(x.name)))
            else:
                raise TypeError(
                    f"watch: expected a Tensor or Variable, got {type(x).__name__}; use ops.convert_to_tensor first"
                )

    def watched_variables(self) -> list[Any]:
        """The variables that were read or watched so far."""
        return [x for x, _ in self._leaves.values() if type(x) is not Tensor]

    def reset(self) -> None:
        """Forget everything recorded."""
        self._leaves.clear()
        self._used = False

    @contextlib.contextmanager
    def stop_recording(self) -> Iterator[None]:
        """Nothing inside this `with` block is recorded here."""
        before, self.recording = self.recording, False
        try:
            yield
        finally:
            self.recording = before

    def gradient(
        self, target: Any, sources: Any, output_gradients: Any = None, unconnected_gradients: str = "none"
    ) -> Any:
        """d target / d source for every source, in the form of `sources`: None (or zeros) where there is no connection.

        A target with several numbers counts as their sum, weighted with `output_gradients` where given.
        """
        one_of("gradient: unconnected_gradients", unconnected_gradients, "none", "zero")
        self._check_unused("gradient")
        targets = tree.flatten(target)
        weights = [None] * len(targets) if output_gradients is None else tree.flatten(output_gradients)
        seeds = []
        for y, g in zip(targets, weights, strict=True):
            node = self.node_of(y)
            if node is not None:
                seeds.append((node, ones_like(y) if g is None else as_tensor(g, y.dtype)))
        flat = tree.flatten(sources)
        nodes = [self._source_node(x) for x in flat]
        with self.stop_recording():
            grads = pull_back(seeds, nodes, self.persistent)
        self._used = True
        if unconnected_gradients == "zero":
            grads = [zeros_like(as_operand(x)) if g is None else g for x, g in zip(flat, grads, strict=True)]
        return tree.pack_sequence_as(sources, grads)

    def jacobian(self, target: Any, sources: Any, unconnected_gradients: str = "none") -> Any:
        """J[i..., j...] = d target[i...] / d source[j...] for every source, row by row."""
        size, shape = target.size, target.shape
        rows = self._rows(target, sources, np.eye(size).reshape(size, *shape), unconnected_gradients)
        return _stacked(rows, lambda y: operations["reshape"](y, (*shape, *y.shape[1:])))

    def batch_jacobian(self, target: Any, source: Any, unconnected_gradients: str = "none") -> Any:
        """J[n, i..., j...] = d target[n, i...] / d source[n, j...] where no example depends on another one."""
        count, *shape = target.shape
        size = math.prod(shape)
        units = np.eye(size).reshape(size, 1, *shape)
        rows = self._rows(target, source, np.repeat(units, count, axis=1), unconnected_gradients)
        swap, arrange = operations["swapaxes"], operations["reshape"]
        return _stacked(rows, lambda y: arrange(swap(y, 0, 1), (count, *shape, *y.shape[2:])))

    def _rows(self, target: Any, sources: Any, units: np.ndarray, unconnected: str) -> list[Any]:
        """The gradients of the target for each of these weights of its numbers."""
        self._check_unused("jacobian")
        before, self.persistent = self.persistent, True
        try:
            return [self.gradient(target, sources, unit, unconnected) for unit in units]
        finally:
            self.persistent = before

    def _check_unused(self, what: str) -> None:
        if self._used and not self.persistent:
            raise GraphError(
                f"{what}: a tape that is not persistent can be asked once; use GradientTape(persistent=True)"
            )

    def _source_node(self, x: Any) -> Node | None:
        if type(x) is Tensor:
            return self.node_of(x)
        entry = self._leaves.get(id(x))
        return entry[1] if entry is not None else None

    def backward_from(self, y: Tensor, gradient: Any, retain: bool) -> None:
        """What `y.backward()` does."""
        check_scalar("backward", y) if gradient is None else None
        seed = ones_like(y) if gradient is None else as_tensor(gradient, y.dtype)
        nodes = [node for _, node in self._leaves.values()]
        with self.stop_recording():
            grads = pull_back([(y.node, seed)], nodes, retain or self.persistent)
        for (x, node), g in zip(self._leaves.values(), grads, strict=True):
            if g is not None:
                node.gradient = g if node.gradient is None else add(node.gradient, g)
                if type(x) is not Tensor:
                    x.grad = g if x.grad is None else add(x.grad, g)


def _stacked(rows: Sequence[Any], arranged: Callable[[Tensor], Tensor]) -> Any:
    """For each source the rows on top of each other, as `arranged` has them; None where there is no connection."""
    return tree.map_structure(lambda *g: None if g[0] is None else arranged(operations["stack"](g)), *rows)
