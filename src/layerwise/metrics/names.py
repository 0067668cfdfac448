"""Metrics by name: `metrics=["mse"]`."""

from __future__ import annotations

import inspect
from typing import Any

from .. import serialization
from ..losses.names import FUNCTIONS as LOSSES
from ..losses.names import SHORT
from ..variables import snake_case
from . import base, confusion, correct, error, overlap, score
from .base import Metric

CLASSES = {
    name: cls
    for module in (base, correct, error, confusion, score, overlap)
    for name, cls in vars(module).items()
    if inspect.isclass(cls)
    and cls.__module__ == module.__name__
    and issubclass(cls, Metric)
    and not name.startswith("_")
}
FUNCTIONS = LOSSES | {
    name: fn
    for name, fn in vars(correct).items()
    if inspect.isfunction(fn) and name.endswith("accuracy") and not name.startswith("_")
}
_by_snake_case = {snake_case(name): cls for name, cls in CLASSES.items()}
_aliases = {alias: _by_snake_case[name] for short, name in SHORT.items() for alias in (short, short.upper())}


def get(identifier: Any) -> Any:
    """The metric that `identifier` stands for: a name, a short name, a configuration, a function or the thing itself.

    Names of losses that are no metrics, such as "huber", stand for functions. "accuracy" and "crossentropy" given to
    `compile` depend on shapes instead: see `accuracy_for`, `crossentropy_for`.

    >>> get("mse")
    <MeanSquaredError mean_squared_error>
    """
    return serialization.resolve(identifier, "metric", {**FUNCTIONS, **_by_snake_case, **CLASSES, **_aliases})


def serialize(metric: Any) -> Any:
    """A metric as plain data.

    >>> serialize(get("mse"))["class_name"]
    'MeanSquaredError'
    """
    return serialization.serialize(metric)


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Metric:
    """The metric that `serialize` wrote as `config`, or that has this name.

    >>> deserialize("mae")
    <MeanAbsoluteError mean_absolute_error>
    """
    if isinstance(config, str):
        with serialization.custom_object_scope(custom_objects or {}):
            return get(config)
    return serialization.deserialize(config, custom_objects)
