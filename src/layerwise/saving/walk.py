"""Where each object's variables lie in a file: the paths of Keras' formats mirror those of Python attributes."""

from collections import Counter
from collections.abc import Iterator
from functools import cache
from typing import Any

from ..layers.base import Layer
from ..losses import Loss
from ..metrics import Metric
from ..models.graph import graph_of
from ..models.model import Model
from ..models.sequential import Sequential
from ..naming import snake_case
from ..optimizers import Optimizer


class Part:
    """What has no variables of its own, and leads to objects that have."""


SAVEABLE = (Layer, Optimizer, Metric, Loss, Part)
CONTAINERS = (list, tuple, set, dict)


def saveables(model: Layer, others: dict[str, str] | None = None) -> Iterator[tuple[str, Any]]:
    """(path, object) for a model and everything in its attributes, each object once, under the first path found.

    Into `others` go the other paths that lead to one of them, each with its first.

    >>> from layerwise import layers, models
    >>> model = models.Sequential([layers.Input((2,)), layers.Dense(3), layers.ReLU(), layers.Dense(1)])
    >>> [path for path, _ in saveables(model)]
    ['', 'layers/dense', 'layers/re_lu', 'layers/dense_1']
    """
    seen: dict[int, Any] = {}  # holds the objects, so that no other one gets the id, and their paths

    def visit(value: Any, path: str) -> Iterator[tuple[str, Any]]:
        if id(value) in seen:
            if others is not None:
                others[path] = seen[id(value)][1]
            return
        seen[id(value)] = value, path
        if isinstance(value, SAVEABLE):
            yield path, value
            children = _attributes(value)
        else:
            children = _elements(value)
        for name, child in children:
            if isinstance(child, SAVEABLE + CONTAINERS):
                yield from visit(child, f"{path}/{name}".removeprefix("/"))

    yield from visit(model, "")


def _attributes(owner: Any) -> Iterator[tuple[str, Any]]:
    """The attributes that its class or its maker gave to `owner`, by name, private ones last."""
    if isinstance(owner, Sequential):
        yield "layers", owner.layers
    elif (graph := graph_of(owner)) is not None:
        yield "layers", graph.layers
    names = [name for name in set(dir(owner)) - _internal(_kind(owner)) if not name.startswith("__")]
    for name in sorted(names, key=lambda name: f"~{name}" if name.startswith("_") else name):
        try:
            yield name, getattr(owner, name)
        except Exception:  # a property that has no value now
            continue


def _kind(owner: Any) -> type:
    return next(cls for cls in (Sequential, Model, *SAVEABLE) if isinstance(owner, cls))


@cache
def _internal(kind: type) -> frozenset[str]:
    """The names that every object of this kind has, and which therefore lead nowhere."""
    bare = kind(0.0) if kind is Optimizer else Part() if kind is Part else kind(name="bare")
    users = {"calls", "graph", "make", "stage"}  # which may be attributes of the user's
    return frozenset(dir(bare)) - users - ({"layers", "optimizer"} if issubclass(kind, Model) else set())


def _elements(container: Any) -> Iterator[tuple[str, Any]]:
    """The elements of a container, named by their classes and numbered."""
    counts: Counter[str] = Counter()
    for item in container.values() if isinstance(container, dict) else container:
        if isinstance(item, SAVEABLE + CONTAINERS):
            name = snake_case(type(item).__name__) if isinstance(item, SAVEABLE) else "container"
            yield f"{name}_{counts[name]}" if counts[name] else name, item
            counts[name] += 1
