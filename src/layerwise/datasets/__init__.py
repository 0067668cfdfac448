"""Data sets ready to train on: `layerwise.datasets.NAME.load_data()`, in Keras' shapes.

`digits` ships inside the package and needs no network; the others are read from where you have them, from Keras'
cache, or downloaded once.
"""

from ..lazy import lazy

__getattr__, __dir__, __all__ = lazy(
    __name__,
    {},
    submodules="digits mnist fashion_mnist cifar10 cifar100 imdb reuters boston_housing california_housing",
)
