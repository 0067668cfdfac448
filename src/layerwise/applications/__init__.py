"""Famous networks, ready to use or to build on: Keras' arguments, layer names and weight files."""

from ..lazy import lazy as _lazy

__getattr__, __dir__, __all__ = _lazy(
    "layerwise.applications",
    {".vgg16": "VGG16", ".resnet": "ResNet50"},
    submodules="vgg16 resnet resnet50 imagenet_utils",
)
