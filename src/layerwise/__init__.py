"""Layerwise: deep learning from first principles, at full speed.

The table of contents, in the order in which data flows; everything loads on first use.
"""

import sys as _sys

from .lazy import lazy as _lazy  # the name `lazy` stays the module

__version__ = "0.1.0"
keras = _sys.modules[__name__]  # for programs that begin with `from tensorflow import keras`


def version() -> str:
    """The version of Layerwise."""
    return __version__


__getattr__, __dir__, __all__ = _lazy(
    "layerwise",
    {
        "layerwise.autograd": "GradientTape Tensor grad hessian jacobian jvp value_and_grad vjp",
        "layerwise.ops.control": "vmap",
        "layerwise.variables": "Variable",
        "layerwise.stateless": "StatelessScope",
        "layerwise.naming": "name_scope",
        "layerwise.distribution": "device",
        "layerwise.quantizers": "Quantizer",
        "layerwise.initializers": "Initializer",
        "layerwise.regularizers": "Regularizer",
        "layerwise.config": "DTypePolicy",
        "layerwise.dtype_policies": "FloatDTypePolicy",
        "layerwise.layers": "Input InputSpec Layer",
        "layerwise.layers.base": "Operation",
        "layerwise.layers.core": "KerasTensor",
        "layerwise.losses": "Loss",
        "layerwise.metrics": "Metric",
        "layerwise.optimizers": "Optimizer",
        "layerwise.models": "Function Model Sequential",
    },
    submodules="""
        fundamentals tree config dtype_policies backends autograd variables random ops distribution
        quantizers initializers regularizers constraints activations layers losses metrics optimizers
        callbacks models distillation data datasets saving applications inspect utils
        preprocessing visualization wrappers
        backend mixed_precision compat
    """,
)
