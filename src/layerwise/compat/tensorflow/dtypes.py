"""`tf.dtypes`: names of number types, which are texts here, as everywhere in Layerwise."""

from typing import Any

import numpy as np

from ... import ops
from ...backends import backend
from ...dtypes import is_float, standardize_dtype
from ...lazy import public_only

__all__ = [
    "DType", "as_dtype", "bfloat16", "bool", "cast", "double", "float16", "float32", "float64", "half", "int16",
    "int32", "int64", "int8", "string", "uint16", "uint32", "uint64", "uint8",
]  # fmt: skip
public_only(__name__)


class DType(str):
    """The name of a dtype, with what TensorFlow's have besides.

    >>> float32 == "float32", float32.is_floating, int8.max
    (True, True, 127)
    """

    @property
    def name(self) -> str:
        return str(self)

    @property
    def as_numpy_dtype(self) -> Any:
        return np.object_ if self == "string" else np.dtype(str(self)).type

    @property
    def is_floating(self) -> Any:
        return is_float(self)

    @property
    def is_integer(self) -> Any:
        return self not in ("string", "bool") and not self.is_floating

    @property
    def min(self) -> Any:
        return (np.finfo if self.is_floating else np.iinfo)(str(self)).min

    @property
    def max(self) -> Any:
        return (np.finfo if self.is_floating else np.iinfo)(str(self)).max


def as_dtype(type_value: Any) -> DType:
    """The dtype that a text, a NumPy dtype or a Python type stands for."""
    return DType("string" if type_value is str else standardize_dtype(type_value))


def on_device(dtype: Any) -> Any:
    """The dtype, or the one of half its size where the backend lacks it, as XLA lacks numbers of 64 bits."""
    try:
        if dtype is not None:
            backend().check_dtype(str(dtype))
    except TypeError:
        return str(dtype).replace("64", "32")
    return dtype


def cast(x: Any, dtype: Any, name: str | None = None) -> Any:
    """x in this dtype."""
    return ops.cast(x, on_device(dtype))


bool = DType("bool")
string = DType("string")
int8, int16, int32, int64 = map(DType, ("int8", "int16", "int32", "int64"))
uint8, uint16, uint32, uint64 = map(DType, ("uint8", "uint16", "uint32", "uint64"))
bfloat16, float16, float32, float64 = map(DType, ("bfloat16", "float16", "float32", "float64"))
half, double = float16, float64
