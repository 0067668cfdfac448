"""Differentiable operations under Keras' names: each one's value, gradient and shape rule side by side.

Called on symbolic Tensors, each is noted in the graph under its name here, whatever it is made of.
"""

import sys

from ..autograd import (
    Primitive,
    add,
    broadcast_to,
    cast,
    custom_gradient,
    operation,
    reshape,
    stop_gradient,
    sum_to,
)
from ..lazy import public_only
from . import image as image
from .activation import *
from .activation import __all__ as _activation
from .arithmetic import *
from .arithmetic import __all__ as _arithmetic
from .comparison import *
from .comparison import __all__ as _comparison
from .control import *
from .control import __all__ as _control
from .convolution import *
from .convolution import __all__ as _convolution
from .crossentropy import *
from .crossentropy import __all__ as _crossentropy
from .functions import *
from .functions import __all__ as _functions
from .indexing import *
from .indexing import __all__ as _indexing
from .linear import *
from .linear import __all__ as _linear
from .making import *
from .making import __all__ as _making
from .normalization import *
from .normalization import __all__ as _normalization
from .pooling import *
from .pooling import __all__ as _pooling
from .reduction import *
from .reduction import __all__ as _reduction
from .shaping import *
from .shaping import __all__ as _shaping

_noted = [
    *_activation, *_arithmetic, *_comparison, *_convolution, *_crossentropy, *_functions, *_indexing, *_linear,
    *_making, *_normalization, *_pooling, *_reduction, *_shaping,
]  # fmt: skip
__all__ = ["add", "broadcast_to", "cast", "custom_gradient", "reshape", "stop_gradient", "sum_to", *_control, *_noted]

for _name in _noted:
    if not isinstance(globals()[_name], Primitive):  # those note their calls by themselves
        globals()[_name] = operation(globals()[_name], __name__)

nn = sys.modules[f"{__name__}.nn"] = sys.modules[__name__]  # where Keras has relu, gelu and their like, too
public_only(__name__, submodules="image")
