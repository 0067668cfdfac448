"""What belongs to a layer: the variables, layers, metrics and seed generators among its attributes."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from ..naming import expect
from ..random import SeedGenerator
from ..serialization import Configurable
from ..variables import Variable


class Tracked(Configurable):
    """An object that owns what its attributes hold, also inside lists and dicts."""

    name: str
    built: bool = False
    _trainable = True
    _trainable_own: list[Variable]
    _fixed_own: list[Variable]
    _changes = 0  # how often an attribute was set or deleted
    _holders: list[str]  # the names of attributes that hold, or held, what may belong to the layer, in their order
    _untracked = frozenset({"_fixed_own", "_holders", "_trainable_own"})  # attributes that hold nothing of its own

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        self = super().__new__(cls, *args, **kwargs)
        # Here rather than in __init__, so that attributes may be set before super().__init__().
        self.__dict__.update(_trainable_own=[], _fixed_own=[], _holders=[])
        return self

    def __setattr__(self, name: str, value: Any) -> None:
        object.__setattr__(self, name, value)
        if _role(type(value)) is not None:  # type: ignore[arg-type]
            for leaf in _leaves(value):
                if isinstance(leaf, Variable):
                    self._track(leaf)
            if name not in self._untracked and name not in self._holders and _may_hold(value):
                held = {*self._holders, name}
                self.__dict__["_holders"] = [known for known in self.__dict__ if known in held]
        self.__dict__["_changes"] = self._changes + 1

    def __delattr__(self, name: str) -> None:
        for leaf in _leaves(getattr(self, name)):
            for own in (self._trainable_own, self._fixed_own):
                own[:] = [v for v in own if v is not leaf]
        object.__delattr__(self, name)
        self.__dict__["_holders"] = [known for known in self._holders if known != name]
        self.__dict__["_changes"] = self._changes + 1

    if not TYPE_CHECKING:  # type checkers are to find unknown attributes themselves

        def __getattr__(self, name: str) -> Any:
            if hasattr(type(self), name):  # a property that raised: let it say why
                return object.__getattribute__(self, name)
            hint = ""
            if "name" not in self.__dict__:
                hint = "; its __init__ must call super().__init__() first"
            elif not self.built:
                hint = "; it is not built yet: call it on data first"
            raise AttributeError(f"{type(self).__name__} has no attribute {name!r}{hint}")

    def _require_init(self) -> None:
        if "name" not in self.__dict__:
            raise RuntimeError(f"{type(self).__name__}: its __init__ must call super().__init__()")

    def _tracks(self, variable: Variable) -> bool:
        return any(v is variable for v in (*self._trainable_own, *self._fixed_own))

    def _track(self, variable: Variable) -> None:
        if not self._tracks(variable):
            (self._trainable_own if variable.trainable else self._fixed_own).append(variable)
            if not self._trainable:
                variable.trainable = False

    def _held(self, role: str) -> list[Any]:
        """The objects of this role among the attributes, in their order, also inside lists and dicts."""
        return held(map(self.__dict__.get, self._holders), role)

    def _is_leaf(self) -> bool:
        """Whether nothing among the attributes, but variables, belongs to the layer."""
        return not self._holders

    def _sublayers(self) -> list[Any]:
        return [layer for layer in self._held("layer") if layer is not self]

    def _flatten_layers(self) -> list[Any]:
        """This layer and all inside it, each once."""
        layers: dict[int, Any] = {}

        def visit(layer: Tracked) -> None:
            if id(layer) not in layers:
                layers[id(layer)] = layer
                for inner in layer._sublayers():
                    visit(inner)

        visit(self)
        return list(layers.values())

    @property
    def weights(self) -> list[Variable]:
        """All variables of the layer and those inside it, without the state of seed generators."""
        return _unique([*own_weights(self), *(v for layer in self._sublayers() for v in layer.weights)])

    def _own_variables(self) -> list[Variable]:
        """The variables among the attributes, and the state of seed generators there."""
        if self._is_leaf():
            return own_weights(self)
        return [*own_weights(self), *(generator.state for generator in self._held("generator"))]

    @property
    def variables(self) -> list[Variable]:
        """`weights` and the state of seed generators."""
        variables = self._own_variables()
        if self._is_leaf():
            return variables
        return _unique([*variables, *(v for layer in self._sublayers() for v in layer.variables)])

    @property
    def metrics_variables(self) -> list[Variable]:
        """The state of `metrics`."""
        return _unique(v for metric in self.metrics for v in metric.variables)

    @property
    def trainable_weights(self) -> list[Variable]:
        """The variables that training changes."""
        if not self.trainable:
            return []
        if self._is_leaf():
            return [*self._trainable_own]
        inner = (v for layer in self._sublayers() for v in layer.trainable_weights)
        return _unique([*self._trainable_own, *inner])

    @property
    def non_trainable_weights(self) -> list[Variable]:
        """The weights that training leaves alone."""
        trained = {id(v) for v in self.trainable_weights}
        return [v for v in self.weights if id(v) not in trained]

    @property
    def trainable_variables(self) -> list[Variable]:
        """`trainable_weights`."""
        return self.trainable_weights

    @property
    def non_trainable_variables(self) -> list[Variable]:
        """`non_trainable_weights` and the state of seed generators."""
        trained = {id(v) for v in self.trainable_weights}
        return [v for v in self.variables if id(v) not in trained]

    @property
    def metrics(self) -> list[Any]:
        """The metrics that are attributes of this layer and of those inside it."""
        if self._is_leaf():
            return []
        return _unique([*self._held("metric"), *self._inner_metrics()])

    def _inner_metrics(self) -> list[Any]:
        return [m for layer in self._sublayers() for m in layer._metrics_outside()]

    def _metrics_outside(self) -> list[Any]:
        """Those of `metrics` that are of interest to a layer around this one."""
        return self.metrics

    @property
    def trainable(self) -> bool:
        """Whether training changes the variables of the layer and of those inside it."""
        return self._trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        self._trainable = is_trainable(self, value)
        for variable in self._trainable_own:
            variable.trainable = self._trainable
        for layer in self._sublayers():
            layer.trainable = value


def is_trainable(layer: Tracked, value: Any) -> bool:
    """`value` as it is given for `trainable`, if it says yes or no."""
    expect(f"{type(layer).__name__}: trainable", value, isinstance(value, bool | int | np.bool_), "True or False")
    return bool(value)


def own_weights(layer: Tracked) -> list[Variable]:
    """The variables among the layer's own attributes: the trainable ones, then the others."""
    return [*layer._trainable_own, *layer._fixed_own]


class replaceable:
    """A property that gives way to a user's attribute of the same name."""

    def __init__(self, read: Callable[[Any], Any]) -> None:
        self.read, self.__doc__ = read, read.__doc__

    def __get__(self, layer: Any, owner: type) -> Any:
        return self if layer is None else self.read(layer)


@functools.cache
def _role(kind: type) -> str | None:
    """What an attribute of this type is to the layer that holds it."""
    if issubclass(kind, Tracked):
        return "layer"
    if issubclass(kind, Variable):
        return "variable"
    if issubclass(kind, dict | list | tuple | set):
        return "container"
    if issubclass(kind, SeedGenerator):
        return "generator"
    if hasattr(kind, "apply_gradients"):
        return "optimizer"
    return "metric" if all(hasattr(kind, name) for name in ("update_state", "result", "reset_state")) else None


def held(values: Iterable[Any], role: str) -> list[Any]:
    """Those of the values that are of this role, also inside lists and dicts, each once."""
    objects: dict[int, Any] = {}

    seen: set[int] = set()  # containers, which may hold themselves

    def collect(values: Iterable[Any]) -> None:
        for value in values:
            kind = _role(type(value))  # type: ignore[arg-type]
            if kind == role:
                objects[id(value)] = value
            elif kind == "container" and id(value) not in seen:
                seen.add(id(value))
                collect(value.values() if isinstance(value, dict) else value)

    collect(values)
    return list(objects.values())


def _may_hold(value: Any) -> bool:
    """Whether an attribute's value is, holds, or may come to hold more than a variable that belongs to a layer."""
    role = _role(type(value))  # type: ignore[arg-type]
    return any(map(_may_hold, value)) if isinstance(value, tuple) else role not in (None, "variable")


def _leaves(value: Any) -> Iterator[Any]:
    todo, seen = [value], set[int]()
    while todo:
        value = todo.pop()
        if not isinstance(value, list | tuple | set | dict):
            yield value
        elif id(value) not in seen:
            seen.add(id(value))
            todo += reversed(list(value.values() if isinstance(value, dict) else value))


def _unique(items: Iterable[Any]) -> list[Any]:
    return list({id(item): item for item in items}.values())
