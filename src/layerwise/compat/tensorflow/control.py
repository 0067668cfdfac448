"""Functions of functions: what `@tf.function` marks, loops over elements, lists of arrays, Python in pipelines."""

import sys
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ... import ops, tree
from ...data.element import element, is_text
from .arrays import constant


def function(func: Callable[..., Any] | None = None, **options: Any) -> Any:
    """The function as it is: it runs in Python, or as part of the step that calls it.

    >>> @function(jit_compile=True)
    ... def double(x):
    ...     return 2 * x
    >>> double(2)
    4
    """
    return (lambda func: func) if func is None else func


def map_fn(fn: Callable[..., Any], elems: Any, dtype: Any = None, **options: Any) -> Any:
    """fn of each entry along the first axis of all arrays in a structure, stacked."""
    leaves = tree.flatten(elems)
    if not any(map(is_text, leaves)):
        return ops.map(fn, tree.map_structure(ops.convert_to_tensor, elems))
    results = [fn(tree.map_structure(lambda a: a[i], elems)) for i in range(len(leaves[0]))]  # noqa: B023
    return tree.map_structure(lambda *rows: stack(rows), *results)


def stack(values: Sequence[Any], axis: int = 0, name: str | None = None) -> Any:
    """Arrays of one shape along a new axis."""
    if any(map(is_text, values)):
        return element(np.stack([np.asarray(v, object) for v in values], axis))
    return ops.stack(values, axis)


def py_function(func: Callable[..., Any], inp: Sequence[Any], Tout: Any = None, name: str | None = None) -> Any:
    """func(*inp), of arrays that have `numpy()`, as Tensors of the dtypes `Tout`."""
    return _typed(func(*(element(np.asarray(constant(x))) for x in inp)), Tout)


def numpy_function(
    func: Callable[..., Any], inp: Sequence[Any], Tout: Any = None, stateful: bool = True, name: str | None = None
) -> Any:
    """func(*inp), of NumPy's arrays, as Tensors of the dtypes `Tout`."""
    return _typed(func(*(np.asarray(constant(x)) for x in inp)), Tout)


def _typed(result: Any, dtypes: Any) -> Any:
    if isinstance(dtypes, list | tuple):
        return [_typed(part, dtype) for part, dtype in zip(result, dtypes, strict=True)]
    return constant(result) if dtypes is None or str(dtypes) == "string" else constant(np.asarray(result), dtypes)


def print(*inputs: Any, output_stream: Any = None, summarize: int = 3, sep: str = " ", end: str = "\n") -> None:
    """Write values."""
    (output_stream if hasattr(output_stream, "write") else sys.stdout).write(sep.join(map(str, inputs)) + end)


class TensorArray:
    """A list of arrays. Reading from it and writing to it give what TensorFlow's do.

    Args:
        dtype: of the arrays.
        size: how many at first.
        dynamic_size: it always grows as needed.

    >>> TensorArray("int32", size=2).write(0, 7).write(1, 8).stack()
    Tensor([7, 8], shape=(2,), dtype=int32)
    """

    def __init__(self, dtype: Any, size: int | None = None, dynamic_size: bool | None = None, **options: Any) -> None:
        self.dtype, self._held = dtype, [None] * int(size or 0)

    def write(self, index: Any, value: Any) -> "TensorArray":
        place = int(index)
        self._held += [None] * (place + 1 - len(self._held))
        self._held[place] = constant(value, None if str(self.dtype) == "string" else self.dtype)
        return self

    def read(self, index: Any) -> Any:
        return self._held[int(index)]

    def size(self) -> int:
        return len(self._held)

    def stack(self) -> Any:
        return stack(self._held)

    def concat(self) -> Any:
        return ops.concatenate(self._held, 0)

    def unstack(self, value: Any) -> "TensorArray":
        self._held = list(value)
        return self

    def gather(self, indices: Any) -> Any:
        return stack([self._held[int(i)] for i in indices])
