"""Optimizers by name and by configuration."""

from typing import Any

from .. import serialization
from .adagrad import Adadelta, Adagrad, Ftrl, RMSprop
from .adam import Adam, Adamax, AdamW, Lamb, Lion, Nadam
from .base import Optimizer
from .sgd import SGD

_NAMES = {cls.__name__: cls for cls in (SGD, Adagrad, RMSprop, Adam, AdamW, Adamax, Nadam, Adadelta, Lion, Ftrl, Lamb)}


def get(identifier: Any) -> Any:
    """An optimizer by its name ("adam"), its configuration or as it is; None stays None.

    >>> get("rmsprop").rho
    0.9
    >>> get("adm")
    Traceback (most recent call last):
    ValueError: unknown optimizer 'adm'; did you mean 'Adam' or 'Nadam' or 'AdamW'?
    """
    found = serialization.resolve(identifier, "optimizer", _NAMES)
    if found is not None and not isinstance(found, Optimizer):
        raise ValueError(f"optimizer: got {identifier!r}, expected a name such as 'adam', or an Optimizer")
    return found


def serialize(optimizer: Optimizer) -> dict[str, Any]:
    """The optimizer as plain data."""
    return serialization.serialize(optimizer)


def deserialize(config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> Optimizer:
    """The optimizer that `serialize` wrote, in its state at the start."""
    return serialization.deserialize(config, custom_objects)
