"""Python's operators on Tensors and Variables, and the few methods they share."""

from __future__ import annotations

from typing import Any

from ..autograd import Operators, add, reshape
from . import elementwise as e
from .indexing import get_item
from .linear import matmul
from .shaping import transpose


def _both(name: str, op: Any) -> None:
    def forward(self: Any, other: Any) -> Any:
        return op(self, other)

    def reflected(self: Any, other: Any) -> Any:
        return op(other, self)

    setattr(Operators, f"__{name}__", forward)
    setattr(Operators, f"__r{name}__", reflected)


for _name, _op in {
    "add": add, "sub": e.subtract, "mul": e.multiply, "truediv": e.divide, "floordiv": e.floor_divide, "mod": e.mod,
    "pow": e.power, "matmul": matmul, "and": e.logical_and, "or": e.logical_or, "xor": e.logical_xor,
}.items():  # fmt: skip
    _both(_name, _op)

for _name, _op in {
    "eq": e.equal, "ne": e.not_equal, "lt": e.less, "le": e.less_equal, "gt": e.greater, "ge": e.greater_equal,
}.items():  # fmt: skip
    setattr(Operators, f"__{_name}__", lambda self, other, op=_op: op(self, other))

for _name, _op in {"neg": e.negative, "abs": e.absolute, "invert": e.logical_not, "round": e.round}.items():
    setattr(Operators, f"__{_name}__", lambda self, *args, op=_op: op(self, *args))


def _reshape(self: Any, *shape: Any) -> Any:
    """`x.reshape(2, 3)` or `x.reshape((2, 3))`."""
    return reshape(self, tuple(shape[0]) if len(shape) == 1 and not isinstance(shape[0], int) else shape)


for _name, _member in {"__getitem__": get_item, "T": property(transpose), "reshape": _reshape}.items():
    setattr(Operators, _name, _member)
