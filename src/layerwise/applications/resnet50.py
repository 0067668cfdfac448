"""Keras' other name for `resnet`."""

from typing import NoReturn

from ..lazy import missing
from .resnet import ResNet50, decode_predictions, preprocess_input

__all__ = ["ResNet50", "decode_predictions", "preprocess_input"]


def __getattr__(name: str) -> NoReturn:
    raise missing(__name__, name)
