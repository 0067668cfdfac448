"""What an operation may be given: Tensors, variables, arrays, lists and Python numbers."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import config, tree
from ..backends import backend
from ..dtypes import FLOATS, as_texts, at_most_double, dtype_name, result_type, standardize_dtype
from .symbolic import Array, Spec, operations, primitives
from .tape import Tensor

WEAK = {bool: "bool", int: "int", float: "float"}  # Python numbers, which take the dtype of the arrays they meet
WEAK_NAMES = frozenset({"int", "float"})


def as_operand(x: Any) -> Any:
    """What a primitive may be given, x, as a Tensor, an array, a Python number or None."""
    if type(x) is Tensor or x is None or type(x) in (bool, int, float):
        return x
    if isinstance(x, np.generic):
        return as_operand(x.item())  # as weak as a Python number, so that `x / np.sqrt(8)` stays float32
    read = getattr(x, "_read", None)
    if read is not None:
        return read()
    if backend().owns(x):
        return at_most_double(x)
    return _from_host(x)


def _from_host(x: Any) -> Array:
    if isinstance(x, list | tuple) and any(type(leaf) is Tensor or hasattr(leaf, "_read") for leaf in tree.flatten(x)):
        return operations["stack"](x)
    array = at_most_double(np.asarray(x))
    dtype = None
    if not isinstance(x, np.ndarray) and not hasattr(x, "dtype"):  # lists: Python numbers are weak
        dtype = {"f": config.floatx(), "i": "int32"}.get(array.dtype.kind)
    if array.dtype.kind not in "biuf" and array.dtype.name != "bfloat16":
        raise TypeError(f"expected numbers, got {type(x).__name__} of dtype {array.dtype}")
    return backend().array(array, dtype)


def as_tensor(x: Any, dtype: str | None = None) -> Tensor:
    """`x` as a Tensor, cast to `dtype` where one is given.

    >>> as_tensor([1, 2]).dtype, as_tensor(1.5).dtype
    ('int32', 'float32')
    """
    x = as_operand(x)
    if type(x) in (bool, int, float):
        x = backend().array(x, dtype or standardize_dtype(type(x)))
    tensor = x if type(x) is Tensor else Tensor(x)
    return tensor if dtype is None or tensor.dtype == dtype else primitives["cast"](tensor, dtype=dtype)


def as_given(x: Any) -> Tensor:
    """`x` as a Tensor; texts as one of dtype "string", whose value is a NumPy array of str on every backend."""
    if type(x) is Tensor:
        return x
    texts = None if backend().owns(x) else as_texts(x)
    return as_tensor(x) if texts is None else Tensor(texts)


def promoted(operands: list[Any], chosen: Sequence[int] | None, floating: bool) -> list[Any]:
    """The operands, with those at the places `chosen` (None: all) in one dtype: if `floating`, one of fractions."""
    if chosen is None:
        chosen = range(len(operands))
    names = [dtype_of(operands[i]) for i in chosen if operands[i] is not None]
    target = names[0]
    if target in WEAK_NAMES or names.count(target) < len(names):
        target = result_type(*names)
    if floating and target not in FLOATS:
        target = config.floatx()
    if target != names[0] or names.count(target) < len(names):
        for i in chosen:
            a = operands[i]
            if type(a) in WEAK:
                operands[i] = _number(a, target, operands)
            elif a is not None and dtype_of(a) != target:
                operands[i] = primitives["cast"](a, dtype=target)
    return [as_tensor(a) if type(a) in WEAK else a for a in operands]


def _number(a: Any, dtype: str, others: list[Any]) -> Any:
    """A Python number as an array; symbolic beside symbolic Tensors of a dtype that the backend lacks, as JAX int64."""
    try:
        return backend().array(a, dtype)
    except TypeError:
        if not any(type(other) is Tensor and other.symbolic for other in others):
            raise
        return Tensor(Spec((), dtype))


def dtype_of(a: Any) -> str:
    if type(a) in WEAK:
        return WEAK[type(a)]
    return a.dtype if type(a) is Tensor or type(a) is Spec else dtype_name(a.dtype)
