"""The native backend: NumPy's, with the heavy functions from C++ kernels, and recorded steps replayed in one call.

Arrays are NumPy's. What a kernel cannot take (other dtypes, other ranks) the reference computes.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from . import _native
from .base import Array, TracedValueError, Window
from .lowering import DTYPES, MOST_DIMENSIONS, REDUCE_CODES, UNARY
from .numpy import NumpyBackend
from .opcodes import OPCODES
from .program import Program, Unrecordable
from .recording import Kernel, Recorded, Step, arrays_in, notes, record, replaced

FLOATS = (np.dtype("float32"), np.dtype("float64"))
GATHERED = frozenset(map(np.dtype, ("float32", "float64", "uint8", "int32", "int64")))
ACTIVATIONS = {None: 0, "relu": 1, "tanh": 2, "sigmoid": 3}
INDICES = (np.dtype("int32"), np.dtype("int64"))
MOST_SPATIAL = 3
ALIGNMENT = 64  # bytes


class NativeBackend(NumpyBackend):
    name = "native"
    replays = True

    # Arrays -------------------------------------------------------------------------------------------------------

    def array(self, value: Any, dtype: str | None = None) -> Array:
        if isinstance(value, Recorded):
            return value if dtype is None else value.astype(dtype)
        return super().array(value, dtype)

    def numpy(self, array: Array) -> np.ndarray:
        if isinstance(array, Recorded):
            raise TracedValueError(f"a value of dtype {array.dtype} and shape {array.shape}")
        return super().numpy(array)

    def owns(self, value: Any) -> bool:
        return isinstance(value, Recorded) or super().owns(value)

    def traced(self, array: Array) -> bool:
        return isinstance(array, Recorded)

    def compile(self, fn: Callable[..., Any]) -> Callable[..., Any]:
        return Replay(fn)

    def add_at(self, array: Array, index: Any, values: Array) -> Array:
        if arrays_in([array, index, values], Recorded):
            return record(_added_at, array, index, values)
        return super().add_at(array, index, values)

    # Functions of one number --------------------------------------------------------------------------------------

    def erf(self, x: Array) -> Array:
        return _instruction("ERF", x) if x.dtype in FLOATS else super().erf(x)

    def sigmoid(self, x: Array) -> Array:
        return _instruction("SIGMOID", x) if x.dtype in FLOATS else super().sigmoid(x)

    def silu(self, x: Array) -> Array:
        return _instruction("SILU", x) if x.dtype in FLOATS else super().silu(x)

    def gelu(self, x: Array, approximate: bool) -> Array:
        if x.dtype not in FLOATS:
            return super().gelu(x, approximate)
        return _instruction("GELU_TANH" if approximate else "GELU", x)

    def gelu_slope(self, x: Array) -> Array:
        return _instruction("GELU_SLOPE", x) if x.dtype in FLOATS else super().gelu_slope(x)

    def act(self, name: str | None, z: Array) -> Array:
        return self.sigmoid(z) if name == "sigmoid" else super().act(name, z)

    # Linear algebra -----------------------------------------------------------------------------------------------

    def matmul(self, a: Array, b: Array) -> Array:
        if not _floats(a, b) or min(a.ndim, b.ndim) < 2 or a.shape[-1] != b.shape[-2] or not (a.size and b.size):
            return super().matmul(a, b)
        if b.ndim == 2 and a.ndim > 2:
            return self._gemm(a.reshape(-1, a.shape[-1]), b, None, None).reshape(*a.shape[:-1], b.shape[-1])
        batch = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
        if len(batch) > 1:
            a = np.broadcast_to(a, (*batch, *a.shape[-2:])).reshape(-1, *a.shape[-2:])
            b = np.broadcast_to(b, (*batch, *b.shape[-2:])).reshape(-1, *b.shape[-2:])
        elif batch:
            a, b = (np.broadcast_to(m, (*batch, *m.shape[-2:])) for m in (a, b))
        y = self._gemm(a, b, None, None)
        return y.reshape(*batch, *y.shape[-2:]) if len(batch) > 1 else y

    def dense(self, x: Array, w: Array, b: Array | None, act: str | None) -> Array:
        if not _floats(x, w, b) or x.ndim < 2 or not x.size:
            return super().dense(x, w, b, act)
        if x.ndim == 2:
            return self._gemm(x, w, b, act)
        return self._gemm(x.reshape(-1, x.shape[-1]), w, b, act).reshape(*x.shape[:-1], w.shape[-1])

    def _gemm(self, a: Array, b: Array, bias: Array | None, act: str | None) -> Array:
        out = (*a.shape[:-1], b.shape[-1])
        return _call("gemm", [(out, a.dtype)], [a, b, bias], [ACTIVATIONS[act]], strided=frozenset({0, 1}))[0]

    # Convolution and pooling --------------------------------------------------------------------------------------

    def conv(self, x: Array, w: Array, b: Array | None, window: Window, act: str | None) -> Array:
        if not _floats(x, w, b) or len(window.size) > MOST_SPATIAL:
            return super().conv(x, w, b, window, act)
        out = (x.shape[0], *window.out(x.shape[1:-1]), w.shape[-1])
        return _call("conv", [(out, x.dtype)], [x, w, b], _geometry(window, act))[0]

    def conv_grad_w(self, x: Array, g: Array, w_shape: tuple[int, ...], window: Window) -> Array:
        if not _floats(x, g) or len(window.size) > MOST_SPATIAL:
            return super().conv_grad_w(x, g, w_shape, window)
        return _call("conv_grad_w", [(w_shape, x.dtype), None], [x, g], _geometry(window, None))[0]

    def conv_grad_x(self, g: Array, w: Array, x_shape: tuple[int, ...], window: Window) -> Array:
        if not _floats(g, w) or len(window.size) > MOST_SPATIAL:
            return super().conv_grad_x(g, w, x_shape, window)
        return _call("conv_grad_x", [(x_shape, g.dtype)], [g, w], _geometry(window, None))[0]

    def max_pool(self, x: Array, window: Window) -> tuple[Array, Array]:
        if not _floats(x) or len(window.size) > MOST_SPATIAL:
            return super().max_pool(x, window)
        out = (x.shape[0], *window.out(x.shape[1:-1]), x.shape[-1])
        y, argmax = _call("max_pool", [(out, x.dtype), (out, _places(window))], [x], _pooling(window))
        return y, argmax

    def max_pool_grad(self, g: Array, argmax: Array, x_shape: tuple[int, ...], window: Window) -> Array:
        if not _floats(g) or len(window.size) > MOST_SPATIAL or argmax.dtype not in (np.uint8, np.int32):
            return super().max_pool_grad(g, argmax, x_shape, window)
        return _call("max_pool_grad", [(x_shape, g.dtype)], [g, argmax], _pooling(window))[0]

    def avg_pool(self, x: Array, window: Window) -> Array:
        if not _floats(x) or len(window.size) > MOST_SPATIAL:
            return super().avg_pool(x, window)
        out = (x.shape[0], *window.out(x.shape[1:-1]), x.shape[-1])
        return _call("avg_pool", [(out, x.dtype)], [x], _pooling(window))[0]

    def avg_pool_grad(self, g: Array, x_shape: tuple[int, ...], window: Window) -> Array:
        if not _floats(g) or len(window.size) > MOST_SPATIAL:
            return super().avg_pool_grad(g, x_shape, window)
        return _call("avg_pool_grad", [(x_shape, g.dtype)], [g], _pooling(window))[0]

    def conv_pool(
        self, x: Array, w: Array, b: Array | None, window: Window, act: str | None, pool: Window
    ) -> tuple[Array, Array]:
        if not _fuses(window, pool) or not _floats(x, w, b):
            return super().conv_pool(x, w, b, window, act, pool)
        out = (x.shape[0], *pool.out(window.out(x.shape[1:-1])), w.shape[-1])
        outputs = [(out, x.dtype), (out, np.dtype("uint8"))]
        y, argmax = _call("conv_pool", outputs, [x, w, b], [*_geometry(window, act), *pool.size, *pool.stride])
        return y, argmax

    def conv_pool_grad(
        self,
        g: Array,
        y: Array,
        argmax: Array,
        x: Array,
        w: Array,
        window: Window,
        act: str | None,
        pool: Window,
        wanted: Sequence[bool] = (True, True, True),
    ) -> tuple[Array | None, Array | None, Array | None]:
        if not (_fuses(window, pool) and _floats(g, y, x, w) and argmax.dtype == np.uint8 and wanted[1]):
            return super().conv_pool_grad(g, y, argmax, x, w, window, act, pool, wanted)
        shapes = (x.shape, w.shape, w.shape[-1:])
        outputs = [(shape, x.dtype) if want else None for shape, want in zip(shapes, wanted, strict=True)]
        ints = [*_geometry(window, act), *pool.size, *pool.stride]
        dx, dw, db = _call("conv_pool_grad", outputs, [g, y, argmax, x, w], ints)
        return dx, dw, db

    def squares(self, arrays: Sequence[Array]) -> Array:
        return _checked(_squares, *arrays)

    # Indexing and random bits -------------------------------------------------------------------------------------

    def gather(self, x: Array, indices: Array, axis: int) -> Array:
        if x.dtype not in GATHERED or indices.dtype not in INDICES or x.ndim == 0:
            return super().gather(x, indices, axis)
        return _checked(_gather, x, indices, axis=axis % x.ndim)

    def scatter_add(self, indices: Array, values: Array, shape: tuple[int, ...], axis: int) -> Array:
        if values.dtype not in FLOATS or indices.dtype not in INDICES:
            return super().scatter_add(indices, values, shape, axis)
        return _checked(_scatter_add, indices, values, shape=shape, axis=axis % len(shape))

    def finite(self, array: np.ndarray) -> bool:
        if array.dtype in FLOATS and 0 < array.ndim <= MOST_DIMENSIONS and _gathers(array):
            total = np.empty((), array.dtype)
            _native.call("reduce", 1, [total, array], [REDUCE_CODES["sum"], (1 << array.ndim) - 1])
            if np.isfinite(total):  # otherwise it may have overflowed
                return True
        return super().finite(array)

    def take_rows(self, array: np.ndarray, rows: np.ndarray) -> np.ndarray:
        if array.ndim < 2 or not _gathers(array) or rows.dtype != np.int64:
            return super().take_rows(array, rows)
        out = np.empty((len(rows), *array.shape[1:]), array.dtype)
        _native.call("gather", 1, [out, array, rows], (0,), ())
        return out

    def random_bits(self, key: Array, n: int) -> Array:
        return _call("random_bits", [((n,), np.dtype("uint32"))], [key])[0] if n else super().random_bits(key, n)


def _floats(*arrays: Array | None) -> bool:
    """Whether all arrays have one of the dtypes that the heavy kernels compute in, and the same."""
    dtypes = {a.dtype for a in arrays if a is not None}
    return len(dtypes) == 1 and next(iter(dtypes)) in FLOATS


def _gathers(array: np.ndarray) -> bool:
    """Whether rows of an array can be gathered from where it lies."""
    return array.dtype in GATHERED and array.flags.c_contiguous and array.flags.aligned


def _fuses(window: Window, pool: Window) -> bool:
    small = len(window.size) <= MOST_SPATIAL and int(np.prod(pool.size)) <= 256
    return small and not any(low or high for low, high in pool.pad) and set(pool.dilation) == {1}


def _geometry(window: Window, act: str | None) -> list[int]:
    low = (low for low, _ in window.pad)
    return [len(window.size), ACTIVATIONS[act], *window.size, *window.stride, *low, *window.dilation]


def _pooling(window: Window) -> list[int]:
    low = (low for low, _ in window.pad)
    return [len(window.size), *window.size, *window.stride, *low, *window.dilation]


def _places(window: Window) -> np.dtype:
    return np.dtype("uint8" if int(np.prod(window.size)) <= 256 else "int32")


def _instruction(name: str, x: Array) -> Array:
    """One instruction of the fused kernel on every element of an array."""
    if isinstance(x, Recorded):
        return record(INSTRUCTIONS[name], x)
    x = _readable(x, strided=False)
    y = np.empty(x.shape, x.dtype)
    if x.size:
        code = [OPCODES["LOAD"], 0, 1, 0, 0, OPCODES[name], 0, 0, 0, 0, OPCODES["STORE"], 0, 0, 0, 0]
        _native.call("fused", 1, [y.reshape(-1), x.reshape(-1)], [DTYPES[x.dtype.name], 1, x.size, 3, *code], [])
    return y


INSTRUCTIONS = {
    name: functools.partial(_instruction, name)
    for name in ("ERF", "SIGMOID", "SILU", "GELU", "GELU_TANH", "GELU_SLOPE")
}
UNARY.update((function, name) for name, function in INSTRUCTIONS.items())


def _checked(function: Callable[..., Array], *arrays: Array, **options: Any) -> Array:
    """A function that looks at values for errors: it stays a call of its own in a recording."""
    function = functools.partial(function, **options)
    return record(function, *arrays) if arrays_in(arrays, Recorded) else function(*arrays)


def _squares(*arrays: np.ndarray) -> np.ndarray:
    wide = [a if a.dtype in FLOATS else a.astype("float32") for a in arrays]
    return np.array([np.vdot(a, a) for a in wide], "float32")


def _gather(x: np.ndarray, indices: np.ndarray, axis: int) -> np.ndarray:
    _check_range(indices, x.shape[axis], axis)
    shape = (*x.shape[:axis], *indices.shape, *x.shape[axis + 1 :])
    return _call("gather", [(shape, x.dtype)], [x, indices], [axis])[0]


def _scatter_add(indices: np.ndarray, values: np.ndarray, shape: tuple[int, ...], axis: int) -> np.ndarray:
    _check_range(indices, shape[axis], axis)
    return _call("scatter_add", [(shape, values.dtype)], [indices, values], [axis])[0]


def _check_range(indices: np.ndarray, size: int, axis: int) -> None:
    if indices.size and not (-size <= indices.min() and indices.max() < size):
        wrong = indices[(indices < -size) | (indices >= size)].flat[0]
        raise IndexError(f"index {wrong} is out of bounds for axis {axis} with size {size}")


def _added_at(array: np.ndarray, index: Any, values: np.ndarray) -> np.ndarray:
    array = np.array(array)
    np.add.at(array, index, values)
    return array


# ------------------------------------------------------------------------------------------------------ kernel calls


def _call(
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
    if any(type(a) is Recorded for a in inputs):
        made = record(Kernel(name, outputs, strided, ints, reals, _run), *inputs)
        made = iter(made)
        return [None if output is None else next(made) for output in outputs]
    return _run(Kernel(name, outputs, strided, ints, reals, _run), inputs, absent=True)


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


# ----------------------------------------------------------------------------------------------------------- replays


class Replay:
    """A pure function (state, *batch) -> (new state, outputs), recorded once for every form of the batch.

    The arrays of the state are overwritten with its new values, unless something else holds on to them. A function that
    asks for values cannot be recorded: it is called as it is.
    """

    def __init__(self, fn: Callable[..., Any]) -> None:
        self.fn = fn
        self.programs: dict[Any, tuple[Program, Any] | None] = {}

    def __call__(self, state: list[np.ndarray], *batch: Any) -> Any:
        leaves: list[np.ndarray] = []
        form = _form(batch, leaves)
        if form not in self.programs:
            self.programs[form] = self._recorded(self.fn, state, leaves, batch)
        found = self.programs[form]
        if found is None:
            return self.fn(state, *batch)
        program, arrange = found
        state = _own(state)
        return state, arrange(program.run([*state, *map(np.ascontiguousarray, leaves)]))

    def for_each(self, state: list[np.ndarray], rows: np.ndarray, *data: Any) -> Any:
        """The function on these rows of the data for each line of `rows`, gathered by the program itself.

        Returns (new state, the last outputs), or None where the data or the function does not allow it.
        """
        leaves: list[np.ndarray] = []
        form = "rows", rows.shape[1], _form(data, leaves)
        if not all(map(_gathers, leaves)) or rows.dtype != np.int64:
            return None
        if form not in self.programs:
            self.programs[form] = self._recorded(self._on_rows, state, [*leaves, rows[0]], (*data, rows[0]))
        found = self.programs[form]
        if found is None:
            return None
        program, arrange = found
        state = _own(state)
        return state, arrange(program.run([*state, *leaves, rows], len(rows)))

    def _on_rows(self, state: list[np.ndarray], *data_and_rows: Any) -> Any:
        *data, rows = data_and_rows

        def batch(a: Recorded) -> Recorded:
            return _call("gather", [((len(rows), *a.shape[1:]), a.dtype)], [a, rows], [0])[0]

        return self.fn(state, *replaced(data, Recorded, batch))

    def _recorded(
        self, function: Callable[..., Any], state: list[np.ndarray], leaves: list[np.ndarray], batch: Any
    ) -> tuple[Program, Any] | None:
        """The function as a program, and how to arrange what it returns; None if it has to be called as it is."""
        steps: list[Step] = []
        inputs = [Recorded(a, steps) for a in (*state, *leaves)]
        rest = iter(inputs[len(state) :])
        try:
            new, outputs = function(inputs[: len(state)], *replaced(batch, np.ndarray, lambda _: next(rest)))
        except Exception:  # if it is not for the stand-ins, it comes again
            return None
        flat: list[Any] = []
        arrange = _arrangement(outputs, flat)
        try:
            return Program(notes(inputs), steps, notes([*new, *flat]), len(state)), arrange
        except Unrecordable:
            return None


class _Aligned(np.ndarray):
    """Memory for one array, which begins where a vector register's line of the cache does."""


def _aligned(a: np.ndarray) -> np.ndarray:
    """A copy in C order whose base is an _Aligned; NumPy's own memory begins anywhere."""
    memory = _Aligned(a.nbytes + ALIGNMENT, np.uint8)
    copy: np.ndarray = np.ndarray(a.shape, a.dtype, memory, -memory.ctypes.data % ALIGNMENT)
    copy[...] = a
    return copy


def _own(state: list[np.ndarray]) -> list[np.ndarray]:
    """The state; a copy of all of it, aligned, where something else holds on to an array or one ought to be aligned.

    Of all, so that a program that is interrupted leaves every array behind the same step.
    """
    for a in state:
        if sys.getrefcount(a) > OWN_REFERENCES or not _placed(a):
            return [_aligned(a) for a in state]
    return state


def _placed(a: np.ndarray) -> bool:
    """Whether an array is aligned, or of its own memory and too small for that to matter."""
    return type(a.base) is _Aligned or (a.base is None and a.nbytes < 4 * ALIGNMENT and a.flags.carray)


def _form(batch: Any, leaves: list[np.ndarray]) -> Any:
    """What two batches have in common that are treated alike; their arrays go into `leaves`."""
    if isinstance(batch, np.ndarray):
        leaves.append(batch)
        return batch.shape, batch.dtype
    if isinstance(batch, tuple | list):
        return type(batch), tuple([_form(item, leaves) for item in batch])
    if isinstance(batch, dict):
        return tuple([(name, _form(item, leaves)) for name, item in batch.items()])
    return batch


def _arrangement(outputs: Any, flat: list[Any]) -> Callable[[Sequence[Any]], Any]:
    """Flatten a structure of arrays into `flat`; returns what arranges other arrays in the same way."""
    if isinstance(outputs, dict):
        parts = {name: _arrangement(item, flat) for name, item in outputs.items()}
        return lambda arrays: {name: part(arrays) for name, part in parts.items()}
    if isinstance(outputs, tuple | list):
        kind, items = type(outputs), [_arrangement(item, flat) for item in outputs]
        return lambda arrays: kind([item(arrays) for item in items])
    if outputs is None:
        return lambda arrays: None
    flat.append(outputs)
    place = len(flat) - 1
    return lambda arrays: arrays[place]


def _references_of_own() -> int:
    """What `sys.getrefcount` says in `_own` of an array that only its variable holds, in a list of state."""

    class Holder:
        pass

    holder = Holder()
    holder.value = np.empty(1)  # type: ignore[attr-defined]

    def seen(state: list[np.ndarray]) -> int:
        for a in state:
            return sys.getrefcount(a)
        return 0

    before = [v.value for v in (holder,)]  # type: ignore[attr-defined]
    return seen(before)


OWN_REFERENCES = _references_of_own()

BACKEND = NativeBackend()
