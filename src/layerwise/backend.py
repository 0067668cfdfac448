"""Settings and helpers at the address where Keras keeps them too; they live in `config`, `dtypes` and `utils`.

>>> floatx()
'float32'
"""

from .config import backend, epsilon, floatx, image_data_format, set_epsilon, set_floatx, set_image_data_format
from .dtypes import standardize_dtype
from .lazy import public_only
from .utils import clear_session, is_keras_tensor

__all__ = [
    "backend", "clear_session", "epsilon", "floatx", "image_data_format", "is_keras_tensor", "set_epsilon",
    "set_floatx", "set_image_data_format", "standardize_dtype",
]  # fmt: skip
public_only(__name__)
