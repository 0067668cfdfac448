"""What the kernels know: dtypes, the instructions behind NumPy's functions, reductions."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

DTYPES = {"bool": 0, "uint8": 1, "int32": 2, "uint32": 3, "int64": 4, "float32": 5, "float64": 6}  # as in kernel.h
COMPUTED = ("float32", "float64", "int32", "int64", "uint32")  # the dtypes that the fused kernel computes in
REDUCED = ("float32", "float64", "int32", "int64", "bool", "uint8")  # the dtypes of the reduce kernel
LONGEST_ROW, MOST_DIMENSIONS = 65536, 8

UNARY: dict[Any, str] = {
    np.negative: "NEG", np.absolute: "ABS", np.sqrt: "SQRT", np.exp: "EXP", np.expm1: "EXPM1", np.log: "LOG",
    np.log1p: "LOG1P", np.tanh: "TANH", np.sin: "SIN", np.cos: "COS", np.floor: "FLOOR", np.ceil: "CEIL",
    np.rint: "RINT", np.sign: "SIGN", np.square: "SQUARE", np.isnan: "ISNAN", np.isinf: "ISINF",
    np.isfinite: "ISFINITE", np.logical_not: "NOT", np.reciprocal: "RECIPROCAL", np.log2: "LOG2", np.log10: "LOG10",
    np.sinh: "SINH", np.cosh: "COSH", np.tan: "TAN", np.arcsin: "ARCSIN", np.arccos: "ARCCOS", np.arctan: "ARCTAN",
    np.arcsinh: "ARCSINH", np.arccosh: "ARCCOSH", np.arctanh: "ARCTANH", np.trunc: "TRUNC",
}  # fmt: skip
BINARY: dict[Any, str] = {
    np.add: "ADD", np.subtract: "SUB", np.multiply: "MUL", np.true_divide: "DIV", np.maximum: "MAX",
    np.minimum: "MIN", np.equal: "EQ", np.not_equal: "NE", np.less: "LT", np.less_equal: "LE", np.greater: "GT",
    np.greater_equal: "GE", np.logical_and: "AND", np.logical_or: "OR", np.logical_xor: "XOR", np.power: "POW",
    np.bitwise_and: "BITAND", np.bitwise_or: "BITOR", np.bitwise_xor: "BITXOR", np.left_shift: "SHL",
    np.right_shift: "SHR", np.floor_divide: "FLOORDIV", np.remainder: "MOD", np.arctan2: "ARCTAN2",
}  # fmt: skip
LOGICAL = frozenset("EQ NE LT LE GT GE ISNAN ISINF ISFINITE NOT AND OR XOR".split())  # whose result is a boolean
INTEGER_ONLY = frozenset("BITAND BITOR BITXOR SHL SHR".split())
FLOAT_ONLY = frozenset(
    "SQRT EXP EXPM1 LOG LOG1P TANH SIN COS FLOOR CEIL RINT DIV POW RECIPROCAL LOG2 LOG10 SINH COSH TAN ARCSIN ARCCOS "
    "ARCTAN ARCSINH ARCCOSH ARCTANH TRUNC ARCTAN2".split()
)
POWERS = {2: "SQUARE", 0.5: "SQRT", -1: "RECIPROCAL"}
CONSTANTS = frozenset({np.zeros_like, np.ones_like})  # of which only the shape matters
VIEWS = frozenset({
    np.reshape, np.transpose, np.swapaxes, np.moveaxis, np.expand_dims, np.squeeze, np.broadcast_to, np.ravel, np.flip,
    operator.getitem, np.real,
})  # fmt: skip
REDUCTIONS = {
    np.sum: "sum", np.mean: "mean", np.max: "max", np.min: "min", np.prod: "prod", np.argmax: "argmax",
    np.argmin: "argmin", np.any: "any", np.all: "all",
}  # fmt: skip
REDUCE_CODES = {"sum": 0, "mean": 1, "max": 2, "min": 3, "prod": 4, "argmax": 5, "argmin": 6, "any": 7, "all": 8}
ROW_REDUCTIONS = {"sum": "ROW_SUM", "mean": "ROW_MEAN", "max": "ROW_MAX", "min": "ROW_MIN", "argmax": "ROW_ARGMAX"}


def computed(dtype: np.dtype) -> np.dtype | None:
    """The dtype in which the fused kernel computes with arrays of `dtype`, if there is one."""
    if dtype.name in COMPUTED:
        return dtype
    return np.dtype("int32") if dtype.kind in "iub" and dtype.itemsize <= 2 else None
