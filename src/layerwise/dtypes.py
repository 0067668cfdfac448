"""Names of dtypes and the one promotion table: what dtype an operation on mixed arguments computes in.

A dtype is named by a string ("float32"). Python scalars are weak: they take part as "bool", "int" or "float" and never
widen an array of their own kind. The table is a lattice; the result of several dtypes is their least upper bound.
Unlike NumPy's, it never turns integers into float64: int32 with float32 is float32.
"""

from functools import cache
from typing import Any

import numpy as np

from . import config
from .lazy import need

ALIASES = {"half": "float16", "float": "float32", "double": "float64", "int": "int32", "long": "int64", "bool_": "bool"}
ABOVE = {  # each dtype with those directly above it
    "bool": ("int",),
    "int": ("uint8", "int8"),
    "uint8": ("int16", "uint16"),
    "uint16": ("int32", "uint32"),
    "uint32": ("int64", "uint64"),
    "uint64": ("float",),
    "int8": ("int16",),
    "int16": ("int32",),
    "int32": ("int64",),
    "int64": ("float",),
    "float": ("bfloat16", "float16"),
    "bfloat16": ("float32",),
    "float16": ("float32",),
    "float32": ("float64",),
    "float64": (),
}
TEXT = "OUST"  # the kinds of NumPy's dtypes that may be texts
FLOATS = frozenset({"float16", "bfloat16", "float32", "float64"})


@cache
def dtype_name(dtype: np.dtype) -> str:
    """The name of a NumPy dtype, which NumPy itself spells out anew each time; arrays of objects hold texts here."""
    return "string" if dtype.kind in TEXT else dtype.name


def standardize_dtype(dtype: Any) -> str:
    """The name of a dtype given as a string, a NumPy dtype, a Python type or None (`config.floatx()`).

    >>> standardize_dtype(np.float32), standardize_dtype("half"), standardize_dtype(None)
    ('float32', 'float16', 'float32')
    """
    if dtype is None:
        return config.floatx()
    if isinstance(dtype, type) and dtype in (bool, int, float):
        return {bool: "bool", int: "int32", float: config.floatx()}[dtype]
    name = dtype if isinstance(dtype, str) else getattr(dtype, "name", None) or np.dtype(dtype).name
    name = ALIASES.get(name, name)
    if name not in ABOVE and name != "string":
        raise ValueError(
            f"dtype: got {dtype!r}, expected one of {', '.join(d for d in ABOVE if d[-1].isdigit())} or bool"
        )
    if name == "bfloat16":
        _make_bfloat16_known()
    return name


@cache
def _make_bfloat16_known() -> None:
    """Teach NumPy the dtype, which is not among its own."""
    need_ml_dtypes("dtype bfloat16")


def need_ml_dtypes(what: str) -> None:
    """Let NumPy know the package's dtypes; `what` needs them."""
    need(what, "ml_dtypes", "bfloat16")


@cache
def _upper_bounds(name: str) -> frozenset[str]:
    if name == "string":
        raise TypeError("expected numbers, got text: layers such as TextVectorization make numbers of it")
    return frozenset({name}.union(*(_upper_bounds(above) for above in ABOVE[name])))


@cache
def _join(names: frozenset[str]) -> str:
    common = frozenset.intersection(*(_upper_bounds(name) for name in names))
    return next(name for name in common if common <= _upper_bounds(name))


def result_type(*dtypes: Any) -> str:
    """The dtype that arguments of these dtypes are computed in; Python scalars enter as "bool", "int" or "float".

    >>> result_type("int32", "float16"), result_type("float32", "float"), result_type("int8", "uint8")
    ('float16', 'float32', 'int16')
    """
    name = _join(frozenset(dtypes))
    return {"int": "int32", "float": config.floatx()}.get(name, name)


def at_most_double(array: np.ndarray) -> np.ndarray:
    """The array, in float64 where its numbers are wider, as `np.longdouble` is on most machines."""
    if array.dtype.kind == "c":
        raise TypeError(f"expected real numbers, got {array.dtype}; hold real and imaginary parts in two arrays")
    return array.astype("float64") if array.dtype.itemsize > 8 and array.dtype.kind == "f" else array


def as_texts(value: Any) -> np.ndarray | None:
    """`value` as an array of str, in objects, if it is text or bytes throughout; None if it is not.

    Bytes are read as UTF-8, those that are none as what `as_bytes` turns back into them.

    >>> as_texts(["a", b"b"]), as_texts([1])
    (array(['a', 'b'], dtype=object), None)
    """
    array = np.asarray(value if hasattr(value, "__array__") else np.array(value, object))  # not as wide as the longest
    if array.dtype.kind not in TEXT:
        return None
    array = array.astype(object)
    items = array.reshape(-1).tolist()
    kinds = set(map(type, items))
    if not kinds <= {str, bytes, np.str_, np.bytes_}:
        return None
    if kinds - {str}:
        items = [item.decode(errors="surrogateescape") if isinstance(item, bytes) else str(item) for item in items]
        array = np.array([*items, None], object)[:-1].reshape(array.shape)
    return array


def as_bytes(text: str) -> bytes:
    """A text in UTF-8."""
    return text.encode(errors="surrogateescape")


def is_text(array: Any) -> bool:
    """Whether an array is what `as_texts` makes."""
    return isinstance(array, np.ndarray) and array.dtype.kind == "O"


def is_float(dtype: str) -> bool:
    """Whether gradients flow through values of this dtype."""
    return dtype in FLOATS


def number(value: Any) -> Any:
    """A Tensor or array without dimensions as a Python number, one with dimensions as an array, all else as it is."""
    if not hasattr(value, "shape"):
        return value
    array = np.asarray(value)
    return array.item() if array.ndim == 0 else array
