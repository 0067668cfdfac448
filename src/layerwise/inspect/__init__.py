"""Look inside a model: one example on its way forward and back."""

from ..lazy import lazy

__getattr__, __dir__, __all__ = lazy(__name__, {".tracing": "LayerTrace ParameterTrace Trace trace"})
