"""Differentiable operations under Keras' names: each one's value, gradient and shape rule side by side."""

from ..autograd import add, broadcast_to, cast, custom_gradient, reshape, stop_gradient, sum_to
from ..lazy import public_only
from . import image as image
from .control import *
from .control import __all__ as _control
from .elementwise import *
from .elementwise import __all__ as _elementwise
from .indexing import *
from .indexing import __all__ as _indexing
from .linear import *
from .linear import __all__ as _linear
from .nn import *
from .nn import __all__ as _nn
from .reduction import *
from .reduction import __all__ as _reduction
from .shaping import *
from .shaping import __all__ as _shaping

__all__ = [
    "add", "broadcast_to", "cast", "custom_gradient", "reshape", "stop_gradient", "sum_to",
    *_control, *_elementwise, *_indexing, *_linear, *_nn, *_reduction, *_shaping,
]  # fmt: skip
public_only(__name__, submodules="image")
