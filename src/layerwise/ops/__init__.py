"""Differentiable operations under Keras' names: each one's value, gradient and shape rule side by side.

Called on symbolic Tensors, each is noted in the graph under its name here, whatever it is made of.
"""

import sys

from ..autograd import Primitive, add, broadcast_to, cast, custom_gradient, operation, reshape, stop_gradient, sum_to
from ..lazy import public_only
from . import image as image
from .activation import *
from .arithmetic import *
from .arranging import *
from .attention import *
from .comparison import *
from .control import *
from .control import __all__ as _control
from .convolution import *
from .crossentropy import *
from .ctc import *
from .eigen import *
from .fft import *
from .functions import *
from .indexing import *
from .linear import *
from .making import *
from .matrices import *
from .normalization import *
from .norms import *
from .piecewise import *
from .pooling import *
from .reduction import *
from .segments import *
from .shaping import *
from .statistics import *

_rooms = """
    activation arithmetic arranging attention comparison convolution crossentropy ctc eigen fft functions indexing
    linear making matrices normalization norms piecewise pooling reduction segments shaping statistics
""".split()
_noted = [name for room in _rooms for name in sys.modules[f"{__name__}.{room}"].__all__]
__all__ = ["add", "broadcast_to", "cast", "custom_gradient", "reshape", "stop_gradient", "sum_to", *_control, *_noted]

for _name in [*_noted, *(name for name in _control if name != "fori_loop")]:  # which is a row of operations
    if not isinstance(globals()[_name], Primitive):  # those note their calls by themselves
        globals()[_name] = operation(globals()[_name], __name__)

linalg = nn = numpy = sys.modules[__name__]  # where Keras has each of them, too
sys.modules.update(dict.fromkeys([f"{__name__}.linalg", f"{__name__}.nn", f"{__name__}.numpy"], nn))
public_only(__name__, submodules="image")
