"""Python's operators, on values and on symbolic Tensors: each is an operation of `layerwise.ops`."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import tree
from .symbolic import operations

if TYPE_CHECKING:
    from .tape import Tensor

_REFLECTED = {  # what `array op tensor` asks of the tensor, by the name of NumPy's function for the operator
    "add": "__radd__", "subtract": "__rsub__", "multiply": "__rmul__", "divide": "__rtruediv__",
    "floor_divide": "__rfloordiv__", "remainder": "__rmod__", "power": "__rpow__", "matmul": "__rmatmul__",
    "bitwise_and": "__rand__", "bitwise_or": "__ror__", "bitwise_xor": "__rxor__", "less": "__gt__",
    "less_equal": "__ge__", "greater": "__lt__", "greater_equal": "__le__", "equal": "__eq__", "not_equal": "__ne__",
}  # fmt: skip
_REDUCING = {"all", "amax", "amin", "any", "max", "min", "prod", "sum"}  # NumPy's functions that are ufuncs inside


def _both(name: str) -> tuple[Callable[[Any, Any], Tensor], Callable[[Any, Any], Tensor]]:
    """An operator of two operands: `x op y`, and the one that Python tries where x does not know y."""
    return lambda x, y: operations[name](x, y), lambda y, x: operations[name](x, y)


def _first(name: str) -> Callable[[Any, Any], Any]:
    return _both(name)[0]


def _method(name: str) -> Callable[..., Any]:
    """The operation of this name, as a method."""

    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        return operations[name](self, *args, **kwargs)

    method.__name__, method.__doc__ = name, f"`layerwise.ops.{name}` of this."
    return method


def _equality(name: str, others: bool) -> Callable[[Any, Any], Any]:
    """Like `_first`; symbolic operands whose shapes do not broadcast are `others`, since each of them is itself."""

    def compared(x: Any, y: Any) -> Any:
        try:
            return operations[name](x, y)
        except ValueError:
            if getattr(x, "symbolic", False) and getattr(y, "symbolic", False):
                return others
            raise

    return compared


class Operators:
    """All that stands for an array: Tensors and Variables."""

    __slots__ = ()
    __array_priority__ = 1000
    __hash__ = object.__hash__

    __add__, __radd__ = _both("add")
    __sub__, __rsub__ = _both("subtract")
    __mul__, __rmul__ = _both("multiply")
    __truediv__, __rtruediv__ = _both("divide")
    __floordiv__, __rfloordiv__ = _both("floor_divide")
    __mod__, __rmod__ = _both("mod")
    __pow__, __rpow__ = _both("power")
    __matmul__, __rmatmul__ = _both("matmul")
    __and__, __rand__ = _both("logical_and")
    __or__, __ror__ = _both("logical_or")
    __xor__, __rxor__ = _both("logical_xor")
    __eq__, __ne__ = _equality("equal", False), _equality("not_equal", True)
    __lt__, __le__ = _first("less"), _first("less_equal")
    __gt__, __ge__ = _first("greater"), _first("greater_equal")
    __getitem__ = _first("get_item")

    all, any, argmax, argmin, argsort, clip, cumprod, cumsum, diagonal, dot, max, mean, min, prod = map(
        _method, "all any argmax argmin argsort clip cumprod cumsum diagonal dot max mean min prod".split()
    )
    ravel, repeat, round, sort, squeeze, std, sum, swapaxes, take, trace, var = map(
        _method, "ravel repeat round sort squeeze std sum swapaxes take trace var".split()
    )
    flatten = ravel

    def astype(self, dtype: Any) -> Tensor:
        """The elements in this dtype."""
        return operations["cast"](self, dtype)

    def tolist(self) -> Any:
        """The values as nested lists of Python's numbers."""
        return np.asarray(self).tolist()

    def transpose(self, *axes: Any) -> Tensor:
        """The axes in another order: `x.transpose(1, 0)` or `x.transpose((1, 0))`; without arguments in reverse."""
        order = axes[0] if len(axes) == 1 and not isinstance(axes[0], int) else axes
        return operations["transpose"](self, tuple(order) if order else None)

    def __neg__(self) -> Tensor:
        return operations["negative"](self)

    def __abs__(self) -> Tensor:
        return operations["absolute"](self)

    def __invert__(self) -> Tensor:
        return operations["logical_not"](self)

    def __round__(self, decimals: int = 0) -> Tensor:
        return operations["round"](self, decimals)

    def __bool__(self) -> bool:
        return bool(np.asarray(self))

    def __float__(self) -> float:
        return float(np.asarray(self))

    def __int__(self) -> int:
        return int(np.asarray(self))

    def __index__(self) -> int:
        return np.asarray(self).__index__()

    def reshape(self, *shape: Any) -> Tensor:
        """The elements in another shape: `x.reshape(2, 3)` or `x.reshape((2, 3))`."""
        sizes = shape[0] if len(shape) == 1 and not isinstance(shape[0], int) else shape
        return operations["reshape"](self, tuple(sizes))

    @property
    def T(self) -> Tensor:
        """The axes in reverse order."""
        return operations["transpose"](self)

    def _is_plain(self) -> bool:
        """Whether this is a value that no tape has recorded."""
        raise NotImplementedError

    def __array_function__(self, function: Callable[..., Any], types: Any, args: Any, kwargs: Any) -> Any:
        """NumPy's functions that are no ufuncs, nor reduce by one, get values."""
        name, given = function.__name__, [x for x in tree.flatten(args) if isinstance(x, Operators)]
        if name in _REDUCING and not all(x._is_plain() for x in given):
            raise _no_gradient(name)
        args, kwargs = tree.map_structure(lambda x: np.asarray(x) if isinstance(x, Operators) else x, (args, kwargs))
        return function(*args, **kwargs)

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        """NumPy hands `array * tensor` to the tensor; its other functions get values, where no gradient is lost."""
        reflected = _REFLECTED.get(ufunc.__name__)
        inplace = "out" in kwargs and kwargs["out"][0] is inputs[0]  # array += tensor
        if method == "__call__" and reflected and isinstance(inputs[1], Operators) and (inplace or not kwargs):
            return getattr(inputs[1], reflected)(inputs[0])
        if not kwargs.get("out") and all(x._is_plain() for x in inputs if isinstance(x, Operators)):
            return getattr(ufunc, method)(*(np.asarray(x) if isinstance(x, Operators) else x for x in inputs), **kwargs)
        raise _no_gradient(ufunc.__name__)


def _no_gradient(name: str) -> TypeError:
    return TypeError(
        f"NumPy's {name} has no gradient and needs values; "
        "use functions of layerwise.ops on Tensors, or take the values with .numpy()"
    )
