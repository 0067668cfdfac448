"""ONNX: a model's graph in the operators of opset 18, for other programs to run.

The batch's size, and every other size that is None, stays open. Layers that act in training only are left out.
"""

from ...lazy import lazy as _lazy

__getattr__, __dir__, __all__ = _lazy("layerwise.saving.onnx", {".export": "export_onnx"})
