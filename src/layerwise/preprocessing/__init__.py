"""Where Keras had its helpers for images and sequences before they came to `layerwise.utils`."""

from ..lazy import lazy

__getattr__, __dir__, __all__ = lazy(__name__, {}, submodules="image sequence")
