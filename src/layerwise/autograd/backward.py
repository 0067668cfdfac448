"""Going back along the tape."""

from collections.abc import Sequence
from typing import Any

from ..backends import xp
from .basic import add, sum_to
from .tape import GraphError, Node, Tensor, _freed, raw


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


def ones_like(value: Any) -> Tensor:
    value = raw(value)
    return Tensor(xp().ones(value.shape, value.dtype))


def zeros_like(value: Any) -> Tensor:
    value = raw(value)
    return Tensor(xp().zeros(value.shape, value.dtype))


def check_scalar(name: str, y: Any) -> None:
    if type(y) is not Tensor or y.shape != ():
        got = f"shape {y.shape}" if type(y) is Tensor else type(y).__name__
        raise ValueError(
            f"{name}: the function must return one number, got {got}; reduce it, e.g. with ops.sum or ops.mean"
        )
