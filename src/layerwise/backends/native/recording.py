"""Recording: a pure function of arrays is run once, on stand-ins that note what is done with them.

A stand-in speaks NumPy's own protocols, so rules written for arrays need not know of it. It carries a value, from
which every later step's shape and dtype are known, and refuses to give it away: a function that asks for it, with
`float()` or `if`, cannot be replayed. Kernels, which take most of the time, make zeros for that: the program computes
what counts. The notes keep no values, so that these go as they would in a plain run.
"""

from __future__ import annotations

import math
import operator
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ...tree import sequence_like
from ..base import TracedValueError


@dataclass(eq=False)
class Noted:
    """What the notes say of an array: that it is this one, with its shape and dtype."""

    shape: tuple[int, ...]
    dtype: np.dtype

    @property
    def size(self) -> int:
        return math.prod(self.shape)

    @property
    def ndim(self) -> int:
        return len(self.shape)


@dataclass(eq=False)
class Step:
    """One call of a recording: of a NumPy function, a kernel or a loop, on constants and noted arrays."""

    function: Any
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    outputs: list[Noted] = field(default_factory=list)


@dataclass(eq=False)
class Kernel:
    """A kernel with its numbers, as the function of a step: arrays in, new arrays out."""

    name: str
    outputs: Sequence[tuple[tuple[int, ...], np.dtype] | None]  # shapes and dtypes of those that are wanted
    strided: frozenset[int]  # the inputs that may have any strides
    ints: Sequence[int]
    reals: Sequence[float]
    run: Callable[..., Any]

    def __call__(self, *inputs: Any) -> Any:
        return self.run(self, inputs)

    def zeros(self, *inputs: Any) -> list[np.ndarray]:
        """Something of the outputs' shapes and dtypes."""
        return [np.zeros(*output) for output in self.outputs if output is not None]


@dataclass(eq=False)
class Recording:
    """What is noted of one function, or of the body of a loop inside of so many.

    `computes`: whether kernels are run, for functions that fail on zeros.
    """

    depth: int = 0
    computes: bool = False
    steps: list[Step] = field(default_factory=list)
    open: bool = True


ATTRIBUTES = frozenset({np.shape, np.ndim, np.size, np.result_type, np.iscomplexobj, np.isrealobj, np.can_cast})


class Recorded(np.lib.mixins.NDArrayOperatorsMixin):
    """Stands for an array in a recording."""

    __slots__ = ("noted", "recording", "value")
    __hash__ = object.__hash__

    def __init__(self, value: np.ndarray, recording: Recording) -> None:
        self.value, self.recording = value, recording
        self.noted = Noted(value.shape, value.dtype)

    shape = property(lambda self: self.value.shape)
    dtype = property(lambda self: self.value.dtype)
    ndim = property(lambda self: self.value.ndim)
    size = property(lambda self: self.value.size)
    nbytes = property(lambda self: self.value.nbytes)

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, out: Any = None, **kwargs: Any) -> Any:
        if out is not None and not isinstance(out[0], Recorded):
            raise self._refusal(f"{ufunc.__name__} into an array")
        return record(ufunc if method == "__call__" else getattr(ufunc, method), *inputs, **kwargs)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        if function in ATTRIBUTES:
            return function(*_values(args), **_values(kwargs))
        return record(function, *args, **kwargs)

    def __getitem__(self, key: Any) -> Any:
        return record(operator.getitem, self, key)

    def reshape(self, *shape: Any) -> Any:
        return record(np.reshape, self, shape[0] if len(shape) == 1 else shape)

    def astype(self, dtype: Any) -> Any:
        return self if self.value.dtype == dtype else record(cast, self, np.dtype(dtype))

    def view(self, dtype: Any) -> Any:
        return record(reinterpret, self, np.dtype(dtype))

    def transpose(self, *axes: Any) -> Any:
        return record(np.transpose, self, (axes[0] if len(axes) == 1 else axes) or None)

    T = property(lambda self: record(np.transpose, self))
    real = property(lambda self: record(np.real, self))
    imag = property(lambda self: record(np.imag, self))

    def __len__(self) -> int:
        return len(self.value)

    def __iter__(self) -> Any:
        return (self[i] for i in range(len(self)))

    def _refusal(self, what: str) -> TracedValueError:
        return TracedValueError(f"{what} of dtype {self.dtype} and shape {self.shape}")

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        raise self._refusal("a value")

    def _no_value(self, *args: Any) -> Any:
        raise self._refusal("a value")

    __bool__ = __int__ = __float__ = __complex__ = __index__ = item = tolist = _no_value

    def __setitem__(self, key: Any, value: Any) -> None:
        raise self._refusal("an assignment into a value")

    def __repr__(self) -> str:
        return f"<recorded array of dtype {self.dtype} and shape {self.shape}>"


def cast(x: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """x.astype(dtype), as a function."""
    return x.astype(dtype)


def reinterpret(x: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """x.view(dtype), as a function."""
    return x.view(dtype)


def added_at(x: np.ndarray, index: Any, values: np.ndarray) -> np.ndarray:
    """A copy of x with values added at an index, repeated positions adding up."""
    x = np.array(x)
    np.add.at(x, index, values)
    return x


def arrays_in(structure: Any, kind: type) -> list[Any]:
    """The arrays of this kind (`Recorded` or `Noted`) among some arguments, in order."""
    if isinstance(structure, kind):
        return [structure]
    if isinstance(structure, slice):
        return arrays_in((structure.start, structure.stop, structure.step), kind)
    if isinstance(structure, tuple | list):
        return [leaf for item in structure for leaf in arrays_in(item, kind)]
    if isinstance(structure, dict):
        return arrays_in(list(structure.values()), kind)
    return []


def replaced(structure: Any, kind: type, replacement: Callable[[Any], Any]) -> Any:
    """The same arguments with something in the place of each array of this kind."""
    if isinstance(structure, kind):
        return replacement(structure)
    if isinstance(structure, tuple | list | deque):
        return sequence_like(structure, [replaced(item, kind, replacement) for item in structure])
    if isinstance(structure, dict):
        return {name: replaced(item, kind, replacement) for name, item in structure.items()}
    return structure


def _values(structure: Any) -> Any:
    return replaced(structure, Recorded, operator.attrgetter("value"))


def notes(structure: Any) -> Any:
    """The same structure with what is noted of recorded arrays."""
    return replaced(structure, Recorded, operator.attrgetter("noted"))


def innermost(structure: Any) -> Recording:
    """Where to note what is done with these arrays; in a loop's body what needs none of its arrays is done before."""
    recording = max((a.recording for a in arrays_in(structure, Recorded)), key=operator.attrgetter("depth"))
    if not recording.open:
        raise TracedValueError("a value of a loop's body")
    return recording


def record(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Call `function` on the values of recorded arguments, and note the call."""
    recording = innermost([args, kwargs])
    runs = function.zeros if isinstance(function, Kernel) and not recording.computes else function
    result = runs(*_values(args), **_values(kwargs))
    step = Step(function, notes(args), notes(kwargs))

    def stand_in(value: Any) -> Recorded:
        if not isinstance(value, np.ndarray | np.generic) or value.dtype.kind not in "biufcV":
            raise TracedValueError(f"what {getattr(function, '__name__', function)} makes of a value")
        array = Recorded(np.asarray(value), recording)
        step.outputs.append(array.noted)
        return array

    outputs = [stand_in(r) for r in result] if isinstance(result, tuple | list) else stand_in(result)
    recording.steps.append(step)
    return tuple(outputs) if isinstance(outputs, list) else outputs


def identity(argument: Any, name: Callable[[Noted], Any]) -> Any:
    """Something that is equal for two arguments that are the same, where arrays have names."""
    if isinstance(argument, tuple | list):
        return tuple([identity(item, name) for item in argument])
    if isinstance(argument, Noted):
        return name(argument)
    if isinstance(argument, np.ndarray | np.generic) and argument.ndim == 0:
        return argument.dtype, argument.tobytes()
    plain = argument is None or isinstance(argument, int | float | str | slice | np.dtype)
    return (type(argument), str(argument)) if plain else id(argument)
