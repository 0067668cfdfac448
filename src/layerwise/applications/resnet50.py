"""Keras' other name for `resnet`."""

from ..lazy import public_only
from .resnet import ResNet50, decode_predictions, preprocess_input

__all__ = ["ResNet50", "decode_predictions", "preprocess_input"]
public_only(__name__)
