"""What the kernels know: dtypes, the instructions behind NumPy's functions, reductions."""

from __future__ import annotations

import operator
from typing import Any, NamedTuple

import numpy as np

from .. import _native


class Instruction(NamedTuple):
    """An instruction of the fused kernel, as src/native/instructions.def lists it."""

    code: int
    kind: str  # its result: a "number", a "truth" (0 or 1), one of each "row" or a "total"; or it is a "move"
    operands: int
    takes: str  # "ANY" numbers, or "REAL" or "WHOLE" ones only
    function: str  # NumPy's, or the backend's


DTYPES = {np.dtype(name): code for name, (code, _) in _native.DTYPES.items()}
FLOATS, INDICES, STORED = (
    frozenset(np.dtype(name) for name, (_, use) in _native.DTYPES.items() if use == wanted)
    for wanted in ("FLOAT", "INDEX", "STORED")
)
COMPUTED = DTYPES.keys() - STORED  # by the fused kernel
LIMITS = _native.LIMITS
INSTRUCTIONS = {name: Instruction(*row) for name, row in _native.INSTRUCTIONS.items()}
ELEMENTWISE: dict[Any, str] = {  # function -> instruction; the backend's own come from kernels.py
    getattr(np, row.function): name for name, row in INSTRUCTIONS.items() if hasattr(np, row.function)
}
POWERS = {2: "SQUARE", 0.5: "SQRT", -1: "RECIPROCAL"}
CONSTANTS = frozenset({np.zeros_like, np.ones_like})  # of which only the shape matters
VIEWS = frozenset({
    np.reshape, np.transpose, np.swapaxes, np.moveaxis, np.expand_dims, np.squeeze, np.broadcast_to, np.ravel, np.flip,
    operator.getitem, np.real,
})  # fmt: skip
REDUCTIONS = {getattr(np, name): name for name in _native.REDUCTIONS}


def computed(dtype: np.dtype) -> np.dtype | None:
    """The dtype in which the fused kernel computes with arrays of `dtype`, if there is one."""
    if dtype in COMPUTED:
        return dtype
    return np.dtype("int32") if dtype.kind in "iub" and dtype.itemsize <= 2 else None
