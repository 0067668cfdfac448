"""Losses by name: `loss="mse"`."""

from __future__ import annotations

import inspect
from typing import Any

from .. import serialization
from . import margin, probabilistic, regression
from .base import FunctionLoss, Loss

_modules = (regression, probabilistic, margin)
FUNCTIONS = {
    name: fn
    for module in _modules
    for name, fn in vars(module).items()
    if inspect.isfunction(fn) and fn.__module__ == module.__name__ and not name.startswith("_")
}
CLASSES = {
    name: cls
    for module in _modules
    for name, cls in vars(module).items()
    if inspect.isclass(cls) and cls.__module__ == module.__name__ and issubclass(cls, FunctionLoss)
}
SHORT = {
    "bce": "binary_crossentropy",
    "kld": "kl_divergence",
    "mae": "mean_absolute_error",
    "mape": "mean_absolute_percentage_error",
    "mse": "mean_squared_error",
    "msle": "mean_squared_logarithmic_error",
}
_aliases = {alias: FUNCTIONS[name] for short, name in SHORT.items() for alias in (short, short.upper())}


def get(identifier: Any) -> Any:
    """The loss that `identifier` stands for: a function for a snake_case name, an object for a class name or a config.

    >>> get("mse").__name__
    'mean_squared_error'
    """
    return serialization.resolve(identifier, "loss", {**FUNCTIONS, **CLASSES, **_aliases})


def serialize(loss: Any) -> Any:
    """A loss as plain data.

    >>> serialize(get("Hinge"))["class_name"]
    'Hinge'
    """
    return serialization.serialize(loss)


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Loss:
    """The loss that `serialize` wrote as `config`, or that has this name.

    >>> deserialize("mae").__name__
    'mean_absolute_error'
    """
    if isinstance(config, str):
        with serialization.custom_object_scope(custom_objects or {}):
            return get(config)
    return serialization.deserialize(config, custom_objects)
