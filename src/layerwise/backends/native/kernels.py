"""Calls of kernels on arrays: carried out at once, or noted where the arrays are recorded."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import _native
from ..base import Array
from .instructions import DTYPES, ELEMENTWISE, INSTRUCTIONS
from .recording import Kernel, Recorded, record


def call(
    name: str,
    outputs: Sequence[tuple[tuple[int, ...], np.dtype] | None],
    inputs: Sequence[Array | None],
    ints: Sequence[int] = (),
    reals: Sequence[float] = (),
    strided: frozenset[int] = frozenset(),
) -> Sequence[Array]:
    """Call a kernel on arrays, or note the call where they are recorded; None stands for what is not wanted or given.

    `strided` are the inputs that may have any strides; of the others the kernel gets a contiguous copy if need be.
    """
    kernel = Kernel(name, outputs, strided, ints, reals, _run)
    if any(type(a) is Recorded for a in inputs):
        made = iter(record(kernel, *inputs))
        return [None if output is None else next(made) for output in outputs]
    return _run(kernel, inputs, absent=True)


def _run(kernel: Kernel, inputs: Sequence[np.ndarray | None], absent: bool = False) -> Sequence[Any]:
    made = [None if output is None else np.empty(*output) for output in kernel.outputs]
    given = [a if a is None else _readable(a, i in kernel.strided) for i, a in enumerate(inputs)]
    _native.call(kernel.name, len(made), [*made, *given], kernel.ints, kernel.reals)
    return made if absent else [a for a in made if a is not None]


def _readable(array: np.ndarray, strided: bool) -> np.ndarray:
    """The array, or a copy that a kernel can read: aligned, in the machine's byte order, with whole strides."""
    flags = array.flags
    if not flags.aligned or not array.dtype.isnative:
        return np.array(array, array.dtype.newbyteorder("="), order="C")
    if flags.c_contiguous:
        return array
    if strided and all(s % array.itemsize == 0 for s in array.strides):
        return array
    return np.ascontiguousarray(array)


def _instruction(name: str, x: Array) -> Array:
    """One instruction of the fused kernel on every element of an array."""
    if isinstance(x, Recorded):
        return record(FAST[INSTRUCTIONS[name].function], x)
    x = _readable(x, strided=False)
    y = np.empty(x.shape, x.dtype)
    if x.size:
        code = [DTYPES[x.dtype], 1, x.size, 3, *_LOAD, INSTRUCTIONS[name].code, 0, 0, 0, 0, *_STORE]
        _native.call("fused", 1, [y.reshape(-1), x.reshape(-1)], code, [])
    return y


_LOAD, _STORE = (INSTRUCTIONS["LOAD"].code, 0, 1, 0, 0), (INSTRUCTIONS["STORE"].code, 0, 0, 0, 0)
FAST = {  # the functions that NumPy has not
    row.function: functools.partial(_instruction, name)
    for name, row in INSTRUCTIONS.items()
    if row.function and not hasattr(np, row.function)
}
ELEMENTWISE.update((FAST[row.function], name) for name, row in INSTRUCTIONS.items() if row.function in FAST)


def gathers(array: np.ndarray) -> bool:
    """Whether rows of an array can be gathered from where it lies."""
    return array.dtype in DTYPES and array.flags.c_contiguous and array.flags.aligned
