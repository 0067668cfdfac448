"""Layers as plain data, and back."""

from typing import Any

from .. import serialization
from .base import Layer


def serialize(layer: Layer) -> dict[str, Any]:
    """The layer's class and configuration as plain data; its weights are not in there.

    >>> from layerwise import layers
    >>> serialize(layers.Flatten())["class_name"]
    'Flatten'
    """
    return serialization.serialize(layer)


def deserialize(config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> Layer:
    """A new layer from what `serialize` returned.

    >>> from layerwise import layers
    >>> deserialize(serialize(layers.Dense(3))).units
    3
    """
    return serialization.deserialize(config, custom_objects)
