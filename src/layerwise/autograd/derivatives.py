"""Derivatives: going back along the tape, for functions (`grad`) and for `with` blocks (`GradientTape`)."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from .. import config, tree
from ..backends import xp
from ..dtypes import is_float
from .primitive import add, as_operand, as_tensor, sum_to
from .tape import Node, Tape, _freed, _open_tapes, resolved
from .tensor import GraphError, Tensor, raw


def pull_back(seeds: Sequence[tuple[Node | None, Any]], wanted: Sequence[Node | None], retain: bool) -> list[Any]:
    """Pull gradients from `seeds` (node, gradient) back to the nodes `wanted`, None where there is no way.

    Frees what it passes, unless `retain`.
    """
    reached, todo = set[Node](), [node for node, _ in seeds if node is not None]
    while todo:
        node = todo.pop()
        if node not in reached:
            reached.add(node)
            todo.extend(parent for parent in node.parents if parent is not None)
    order = sorted(reached, key=lambda node: node.time)
    kept = {node for node in wanted if node is not None}
    leads = set(kept)  # nodes on a way to a wanted one
    for node in order:
        if any(parent in leads for parent in node.parents):
            leads.add(node)
        elif node.pull is _freed and node not in leads:
            leads.add(node)  # what lay behind is gone: going through it has to raise
    grads: dict[Node, Any] = {}
    for source, g in seeds:
        if source in leads:
            _accumulate(grads, source, g)
    for node in reversed(order):
        g = grads.get(node) if node in kept else grads.pop(node, None)
        if g is None or (not node.parents and node.pull is None):
            continue
        if node.index is not None:
            _accumulate(grads, node.parents[0], g, node.index)
            continue
        if node.pull is _freed:
            raise GraphError(
                f"{node.name}: the values kept for this gradient were freed by an earlier backward pass; "
                "use GradientTape(persistent=True), or backward(retain_graph=True), to go back more than once"
            )
        assert node.pull is not None
        parts = node.pull(tuple(g) if node.count is not None else g)
        parts = parts if isinstance(parts, tuple | list) else (parts,)
        if len(parts) != len(node.parents):
            raise TypeError(f"{node.name}: the rule gives {len(parts)} gradients for {len(node.parents)} arguments")
        for i, (parent, part) in enumerate(zip(node.parents, parts, strict=True)):
            if parent is None or parent not in leads:
                continue
            part = part() if callable(part) else part
            if part is not None:
                _accumulate(grads, parent, part if node.shapes is None else sum_to(part, shape=node.shapes[i]))
        if not retain:
            node.pull, node.parents = _freed, ()
    return [None if node is None else grads.get(node) for node in wanted]


def _accumulate(grads: dict[Node, Any], node: Node | None, g: Any, index: int | None = None) -> None:
    assert node is not None
    if index is None:
        grads[node] = g if node not in grads else add(grads[node], g)
    else:
        slots = grads.setdefault(node, [None] * (node.count or 0))
        slots[index] = g if slots[index] is None else add(slots[index], g)


def _ones_like(value: Any) -> Tensor:
    value = raw(value)
    return Tensor(xp().ones(value.shape, value.dtype))


def _zeros_like(value: Any) -> Tensor:
    value = raw(value)
    return Tensor(xp().zeros(value.shape, value.dtype))


def _check_scalar(name: str, y: Any) -> None:
    if type(y) is not Tensor or y.shape != ():
        got = f"shape {y.shape}" if type(y) is Tensor else type(y).__name__
        raise ValueError(
            f"{name}: the function must return one number, got {got}; reduce it, e.g. with ops.sum or ops.mean"
        )


def value_and_grad(
    f: Callable[..., Any], argnums: int | Sequence[int] = 0, has_aux: bool = False
) -> Callable[..., Any]:
    """x -> (f(x), df/dx) for a function that returns one number.

    The arguments named by `argnums` may be nested structures of arrays; the gradient has their form, with zeros where f
    does not depend on a leaf. With `has_aux` f returns (number, anything), and so does the result's first part.

    >>> from layerwise import ops
    >>> value, slope = value_and_grad(lambda x: ops.sum(x * x))([1.0, 2.0])
    >>> value.item(), slope
    (5.0, Tensor([2., 4.], shape=(2,), dtype=float32))
    """
    chosen = (argnums,) if isinstance(argnums, int) else tuple(argnums)

    def differentiated(*args: Any, **kwargs: Any) -> Any:
        tape = Tape()
        arguments = list(args)
        leaves: list[Tensor] = []
        structures = []

        def lift(x: Any) -> Tensor:
            x = as_tensor(x)
            if not is_float(x.dtype):
                raise TypeError(f"grad: can only differentiate by floating-point arguments, got dtype {x.dtype}")
            leaves.append(tape.leaf(x))
            return leaves[-1]

        for i in chosen:
            if not -len(args) <= i < len(args):
                raise ValueError(
                    f"grad: argnums: got {argnums}, but the function was called with {len(args)} arguments"
                )
            structure = arguments[i]
            if isinstance(structure, list) and all(type(leaf) in (int, float) for leaf in tree.flatten(structure)):
                structure = as_tensor(np.asarray(structure, config.floatx()))
            elif type(structure) is int:
                structure = float(structure)
            arguments[i] = tree.map_structure(lift, structure)
            structures.append(structure)
        try:
            with tape.opened():
                result = f(*arguments, **kwargs)
            y, aux = result if has_aux else (result, None)
            y = as_tensor(y) if type(y) is not Tensor else y
            _check_scalar(getattr(f, "__name__", "grad"), y)
            value = tape.peel(y)
            tape.recording = False
            seeds = [(tape.node_of(y), _ones_like(value))]
            grads = iter(pull_back(seeds, [leaf.node for leaf in leaves], False))
            sources = iter(leaves)

            def gradient(_: Any) -> Tensor:
                g, source = next(grads), next(sources)
                return as_tensor(g) if g is not None else _zeros_like(source)

            parts = [tree.map_structure(gradient, structure) for structure in structures]
        finally:
            tape.closed = True
        value = as_tensor(value)
        aux = tree.map_structure(lambda leaf: as_tensor(tape.peel(leaf)) if type(leaf) is Tensor else leaf, aux)
        return (value, aux) if has_aux else value, parts[0] if isinstance(argnums, int) else tuple(parts)

    return differentiated


def grad(f: Callable[..., Any], argnums: int | Sequence[int] = 0) -> Callable[..., Any]:
    """x -> df/dx for a function that returns one number; see `value_and_grad`.

    >>> from layerwise import ops
    >>> grad(grad(ops.sin))(0.0).item()
    -0.0
    """
    both = value_and_grad(f, argnums)
    return lambda *args, **kwargs: both(*args, **kwargs)[1]


def vjp(f: Callable[..., Any], *args: Any) -> tuple[Any, Callable[[Any], list[Tensor]]]:
    """f(*args), which may be nested, and the function that pulls gradients of its leaves back to each of `args`."""
    tape = Tape()
    leaves = [tape.leaf(as_tensor(a)) for a in args]
    with tape.opened():
        result = f(*leaves)
    outputs = tree.flatten(result)

    def pull(gradients: Sequence[Any]) -> list[Tensor]:
        tape.recording = False
        seeds = [(tape.node_of(y), g) for y, g in zip(outputs, gradients, strict=True) if g is not None]
        grads = pull_back(seeds, [leaf.node for leaf in leaves], False)
        tape.closed = True
        return [_zeros_like(leaf) if g is None else g for leaf, g in zip(leaves, grads, strict=True)]

    return tree.map_structure(tape.peel, result), pull


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
        if unconnected_gradients not in ("none", "zero"):
            raise ValueError(
                f"gradient: unconnected_gradients: got {unconnected_gradients!r}, expected 'none' or 'zero'"
            )
        if self._used and not self.persistent:
            raise GraphError(
                "gradient: a tape that is not persistent can be asked once; use GradientTape(persistent=True)"
            )
        targets = tree.flatten(target)
        weights = [None] * len(targets) if output_gradients is None else tree.flatten(output_gradients)
        seeds = []
        for y, g in zip(targets, weights, strict=True):
            node = self.node_of(y)
            if node is not None:
                seeds.append((node, _ones_like(y) if g is None else as_tensor(g, y.dtype)))
        flat = tree.flatten(sources)
        nodes = [self._source_node(x) for x in flat]
        with self.stop_recording():
            grads = pull_back(seeds, nodes, self.persistent)
        self._used = True
        if unconnected_gradients == "zero":
            grads = [_zeros_like(as_operand(x)) if g is None else g for x, g in zip(flat, grads, strict=True)]
        return tree.pack_sequence_as(sources, grads)

    def _source_node(self, x: Any) -> Node | None:
        if type(x) is Tensor:
            return self.node_of(x)
        entry = self._leaves.get(id(x))
        return entry[1] if entry is not None else None

    def backward_from(self, y: Tensor, gradient: Any, retain: bool) -> None:
        """What `y.backward()` does."""
        _check_scalar("backward", y) if gradient is None else None
        seed = _ones_like(y) if gradient is None else as_tensor(gradient, y.dtype)
        nodes = [node for _, node in self._leaves.values()]
        with self.stop_recording():
            grads = pull_back([(y.node, seed)], nodes, retain or self.persistent)
        for (x, node), g in zip(self._leaves.values(), grads, strict=True):
            if g is not None:
                node.gradient = g if node.gradient is None else add(node.gradient, g)
                if type(x) is not Tensor:
                    x.grad = g if x.grad is None else add(x.grad, g)


def custom_gradient(f: Callable[..., Any]) -> Callable[..., Any]:
    """Decorator: a function that returns (y, pull) with its own gradient, pull(g) -> the gradient of each argument.

    >>> from layerwise import ops
    >>> @custom_gradient
    ... def log1pexp(x):
    ...     e = ops.exp(x)
    ...     return ops.log(1 + e), lambda g: g * (1 - 1 / (1 + e))
    >>> grad(log1pexp)(0.0).item()
    0.5
    """

    def wrapped(*args: Any, **kwargs: Any) -> Any:
        operands = [resolved(as_tensor(a)) if not isinstance(a, str) and a is not None else a for a in args]
        return _custom(f, operands, kwargs)

    wrapped.__name__, wrapped.__doc__ = getattr(f, "__name__", "custom_gradient"), f.__doc__
    return wrapped


def _custom(f: Callable[..., Any], operands: list[Any], kwargs: dict[str, Any]) -> Any:
    tapes = [a.tape for a in operands if type(a) is Tensor and a.tape is not None and a.tape.recording]
    if not tapes:
        return f(*operands, **kwargs)[0]
    tape = max(tapes, key=lambda t: t.level)
    inner = [as_tensor(a.value) if type(a) is Tensor and a.tape is tape else a for a in operands]
    y, pull = f(*inner, **kwargs)
    if len({t.level for t in tapes}) > 1:
        y = _custom(f, inner, kwargs)  # the outer levels, too, take f's own gradient
    parents = tuple(a.node if type(a) is Tensor and a.tape is tape else None for a in operands)
    return Tensor(
        y if y.tape is not None else y.value, tape, Node(getattr(f, "__name__", "custom_gradient"), pull, parents)
    )
