"""Settings and helpers at the address where Keras keeps them too, and the functions of tf.keras' `backend`.

What programs of Keras 2 call here is one table onto `layerwise.ops`: operations that are the same under the same name
are imported, the others have here the arguments that they had there.

>>> floatx()
'float32'
"""

from ..config import backend, epsilon, floatx, image_data_format, set_epsilon, set_floatx, set_image_data_format
from ..dtypes import standardize_dtype
from ..lazy import public_only
from ..ops import (
    abs,
    all,
    any,
    arange,
    binary_crossentropy,
    cast,
    categorical_crossentropy,
    concatenate,
    cos,
    dot,
    dtype,
    elu,
    exp,
    log,
    max,
    maximum,
    mean,
    min,
    minimum,
    ndim,
    prod,
    round,
    shape,
    sigmoid,
    sign,
    sin,
    softmax,
    softplus,
    softsign,
    sparse_categorical_crossentropy,
    sqrt,
    square,
    stack,
    std,
    stop_gradient,
    sum,
    tanh,
    tile,
    transpose,
    var,
)
from ..random import dropout, truncated_normal
from ..utils import clear_session, is_keras_tensor
from ..variables import Variable
from .neural import *
from .neural import __all__ as _neural
from .values import *
from .values import __all__ as _values

__all__ = [
    "abs", "all", "any", "arange", "backend", "binary_crossentropy", "cast", "categorical_crossentropy",
    "clear_session", "concatenate", "cos", "dot", "dropout", "dtype", "elu", "epsilon", "exp", "floatx",
    "image_data_format", "is_keras_tensor", "log", "max", "maximum", "mean", "min", "minimum", "ndim", "prod", "round",
    "set_epsilon", "set_floatx", "set_image_data_format", "shape", "sigmoid", "sign", "sin", "softmax", "softplus",
    "softsign", "sparse_categorical_crossentropy", "sqrt", "square", "stack", "standardize_dtype", "std",
    "stop_gradient", "sum", "tanh", "tile", "transpose", "truncated_normal", "var", "Variable", *_values, *_neural,
]  # fmt: skip
public_only(__name__)
