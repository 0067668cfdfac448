"""Models: graphs and stacks of layers, and the training loop."""

from ..lazy import lazy as _lazy

__getattr__, __dir__, __all__ = _lazy(
    "layerwise.models",
    {
        ".model": "Functional Model model_from_json",
        ".cloning": "clone_model",
        ".function": "Function",
        ".sequential": "Sequential",
        "layerwise.saving": "load_model save_model",
    },
)
