"""Values: `Tensor`, what is known of one before it exists (`Spec`), and calls on symbolic ones."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from ..backends import backend
from ..dtypes import dtype_name

if TYPE_CHECKING:
    from .tape import Node, Tape

Array = Any


class GraphError(RuntimeError):
    """A value is used with a tape that is closed, freed or not its own."""


@dataclass(frozen=True)
class Spec:
    """What is known of a value before it exists: its shape, where None stands for any size, and its dtype."""

    shape: tuple[int | None, ...]
    dtype: str = "float32"

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def known(self) -> tuple[int, ...]:
        """The shape's sizes that are known."""
        return tuple(n for n in self.shape if n is not None)

    @property
    def size(self) -> int:
        return math.prod(self.known)


@dataclass(eq=False)
class Call:
    """One call of an operation (a primitive or a layer) on symbolic Tensors: a node of the functional API's graph."""

    operation: Any
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    outputs: Any = None
    time: int = field(default_factory=itertools.count(1).__next__)  # calls are numbered in their order


class Operators:
    """Python's operators, which `layerwise.ops` gives their meaning, for all that stands for an array."""

    __slots__ = ()
    __array_priority__ = 1000
    __hash__ = object.__hash__

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        """NumPy hands `array * tensor` to the tensor; its other functions get values, where no gradient is lost."""
        reflected = _REFLECTED.get(ufunc.__name__)
        inplace = "out" in kwargs and kwargs["out"][0] is inputs[0]  # array += tensor
        if method == "__call__" and reflected and isinstance(inputs[1], Operators) and (inplace or not kwargs):
            return getattr(inputs[1], reflected)(inputs[0])
        tensors = [x if type(x) is Tensor else x.value for x in inputs if isinstance(x, Operators)]  # type: ignore[attr-defined]
        if not kwargs.get("out") and all(t.tape is None and not t.symbolic for t in tensors):
            return getattr(ufunc, method)(*(np.asarray(x) if isinstance(x, Operators) else x for x in inputs), **kwargs)
        raise TypeError(
            f"NumPy's {ufunc.__name__} has no gradient and needs values; "
            "use functions of layerwise.ops on Tensors, or take the values with .numpy()"
        )

    if TYPE_CHECKING:  # ops/operators.py puts them in

        def __add__(self, other: Any) -> Tensor: ...
        def __neg__(self) -> Tensor: ...
        def __getitem__(self, key: Any) -> Tensor: ...
        def reshape(self, *shape: Any) -> Tensor: ...
        @property
        def T(self) -> Tensor: ...

        __sub__ = __mul__ = __truediv__ = __floordiv__ = __mod__ = __pow__ = __matmul__ = __add__
        __radd__ = __rsub__ = __rmul__ = __rtruediv__ = __rfloordiv__ = __rmod__ = __rpow__ = __rmatmul__ = __add__
        __and__ = __or__ = __xor__ = __rand__ = __ror__ = __rxor__ = __lt__ = __le__ = __gt__ = __ge__ = __add__
        __abs__ = __invert__ = __neg__


_REFLECTED = {  # what `array op tensor` asks of the tensor, by the name of NumPy's function for the operator
    "add": "__radd__", "subtract": "__rsub__", "multiply": "__rmul__", "divide": "__rtruediv__",
    "floor_divide": "__rfloordiv__", "remainder": "__rmod__", "power": "__rpow__", "matmul": "__rmatmul__",
    "bitwise_and": "__rand__", "bitwise_or": "__ror__", "bitwise_xor": "__rxor__", "less": "__gt__",
    "less_equal": "__ge__", "greater": "__lt__", "greater_equal": "__le__", "equal": "__eq__", "not_equal": "__ne__",
}  # fmt: skip


class Tensor(Operators):
    """An immutable array, maybe recorded on a tape, or symbolic (its value a `Spec`).

    >>> from layerwise import ops
    >>> ops.array([1.0, 2.0]) * 3
    Tensor([3., 6.], shape=(2,), dtype=float32)
    """

    __slots__ = ("__weakref__", "node", "notes", "tape", "value")

    def __init__(self, value: Any, tape: Tape | None = None, node: Node | None = None) -> None:
        self.value, self.tape, self.node = value, tape, node
        self.notes: dict[str, Any] | None = None  # logits, mask, history: dropped by any further operation

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(self.value.shape)

    @property
    def ndim(self) -> int:
        return len(self.value.shape)

    @property
    def size(self) -> int:
        return self.value.size

    @property
    def dtype(self) -> str:
        value = self.value
        while type(value) is Tensor:
            value = value.value
        return value.dtype if type(value) is Spec else dtype_name(value.dtype)

    @property
    def symbolic(self) -> bool:
        return type(self.value) is Spec

    @property
    def logits(self) -> tuple[str, Tensor] | None:
        """("softmax" or "sigmoid", the values before it) where this is such a function's result."""
        return self.notes.get("logits") if self.notes else None

    @property
    def name(self) -> str:
        """The name of the layer or operation that a symbolic Tensor comes from."""
        if self.history is None:
            raise AttributeError("a Tensor with a value has no name")
        operation = self.history.operation
        return getattr(operation, "name", None) or operation.__name__

    @property
    def history(self) -> Call | None:
        """The call that a symbolic Tensor comes from."""
        return self.notes.get("history") if self.notes else None

    @property
    def grad(self) -> Tensor | None:
        """What `backward()` left here, for a Tensor that its tape watches."""
        return self.node.gradient if self.node is not None else None

    def note(self, name: str, value: Any) -> Tensor:
        """Attach something that travels with this very Tensor, and not with what is computed from it."""
        self.notes = {**(self.notes or {}), name: value}
        return self

    def numpy(self) -> np.ndarray:
        """A copy of the value as a NumPy array."""
        return np.array(self)

    def item(self) -> Any:
        """The value of a Tensor with one element, as a Python number."""
        return np.asarray(self).item()

    def backward(self, gradient: Any = None, retain_graph: bool = False) -> None:
        """Add this Tensor's gradients by all that its open `GradientTape` watches to their `.grad`."""
        if self.tape is None:
            raise GraphError(
                "backward: this Tensor is on no open GradientTape; "
                "compute it inside `with layerwise.GradientTape() as tape:`"
            )
        self.tape.backward_from(self, gradient, retain_graph)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        value = raw(self)
        if type(value) is Spec:
            raise TypeError(
                f"a symbolic Tensor of shape {value.shape} has no value yet, as NumPy, float() or `if` need; "
                "use layerwise.ops on it (ops.where for `if`), or call the model on data to get one "
                "(fit does so after compile(run_eagerly=True))"
            )
        array = backend().numpy(value)
        return np.array(array, dtype, copy=True) if copy or dtype is not None else array

    def __bool__(self) -> bool:
        return bool(np.asarray(self))

    def __float__(self) -> float:
        return float(np.asarray(self))

    def __int__(self) -> int:
        return int(np.asarray(self))

    def __index__(self) -> int:
        return np.asarray(self).__index__()

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError("len() of a Tensor without dimensions")
        if self.shape[0] is None:
            raise TypeError("len() of a symbolic Tensor whose first size is not known; use layerwise.ops on the whole")
        return self.shape[0]

    def __iter__(self) -> Iterator[Tensor]:
        return (self[i] for i in range(len(self)))

    def __format__(self, spec: str) -> str:
        return format(self.item(), spec) if spec and not self.shape else repr(self)

    def __repr__(self) -> str:
        if self.symbolic or backend().traced(raw(self)):
            return f"<{'symbolic' if self.symbolic else 'traced'} Tensor shape={self.shape}, dtype={self.dtype}>"
        body = np.array2string(np.asarray(self), separator=", ", threshold=20, prefix="Tensor(")
        return f"Tensor({body}, shape={self.shape}, dtype={self.dtype})"

    def __copy__(self) -> Tensor:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Tensor:
        return self  # immutable


def raw(x: Any) -> Any:
    """The array (or Spec) inside any number of levels of recording."""
    while type(x) is Tensor:
        x = x.value
    return x
