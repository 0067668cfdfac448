"""The XLA backend, through JAX: the same rules traced once and compiled, for accelerators and clusters."""

from __future__ import annotations

import contextlib
import functools
import itertools
import math
import sys
import weakref
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

try:
    import jax
    import jax.numpy as jnp
    from jax import lax
    from jax.experimental import multihost_utils
    from jax.sharding import Mesh, NamedSharding, PartitionSpec
except ImportError as error:  # pragma: no cover - the test environment has JAX
    raise ImportError("the xla backend needs JAX: pip install 'layerwise[xla]'") from error

from ..dtypes import is_text
from .base import PROGRAMS, UNSHARED, Array, Backend, TracedValueError
from .numpy import BACKEND as REFERENCE
from .window import Window


class XlaBackend(Backend):
    name = "xla"
    xp = jnp
    donates = True
    asynchronous = True

    def array(self, value: Any, dtype: str | None = None) -> Array:
        if dtype is not None:
            self.check_dtype(dtype)
        return jnp.asarray(_fitting(value) if isinstance(value, np.ndarray | np.generic) else value, dtype)

    def numpy(self, array: Array) -> np.ndarray:
        if self.traced(array):
            raise TracedValueError(f"a value of dtype {array.dtype} and shape {array.shape}")
        if not self.whole(array):
            array = multihost_utils.process_allgather(array, tiled=True)
        return np.asarray(array)

    def check_dtype(self, dtype: str) -> None:
        """JAX would only warn, and compute in 32 bits. NumPy's 64-bit data, where no dtype is named, become 32-bit."""
        if jax.dtypes.canonicalize_dtype(dtype).name != dtype:
            raise TypeError(
                f"dtype: got {dtype!r}, which the xla backend has only where the environment has JAX_ENABLE_X64=1; "
                f"set it, use {dtype.replace('64', '32')!r}, or the numpy backend"
            )

    def traced(self, array: Array) -> bool:
        return isinstance(array, jax.core.Tracer)

    def leaked(self, error: Exception) -> bool:
        return isinstance(error, jax.errors.UnexpectedTracerError)

    def owns(self, value: Any) -> bool:
        return isinstance(value, jax.Array)

    def compile(self, fn: Callable[..., Any]) -> Callable[..., Any]:
        return jax.jit(fn)

    def compile_step(self, fn: Callable[..., Any], paths: Sequence[str], donate: bool) -> Callable[..., Any]:
        return _Step(self, fn, paths, donate)

    def finite(self, array: Array) -> bool:
        if not isinstance(array, jax.Array):
            return super().finite(array)
        if _known_finite.get(id(array)) is not array:
            if not (_sum_is_finite(array) or jnp.isfinite(array).all()):  # the sum may overflow
                return False
            _known_finite[id(array)] = array
        return True

    def batch(self, array: Array, rows: slice | np.ndarray) -> Array:
        if is_text(array):
            return array[rows]
        if isinstance(array, jax.Array):
            if isinstance(rows, slice):
                return array if rows == slice(None) else _taken(array, np.arange(*rows.indices(len(array))))
            return _taken(array, rows)
        if self.distribution is None:
            return _sent(_fitting(array[rows].copy() if isinstance(rows, slice) else self.take_rows(array, rows)))
        numbers = np.arange(len(array))[rows] if isinstance(rows, slice) else rows
        shape, dtype = (len(numbers), *array.shape[1:]), jax.dtypes.canonicalize_dtype(array.dtype)

        def part(index: Any) -> np.ndarray:
            """What one device holds: no other rows are read."""
            return _fitting(array[numbers[index[0]]][:, *index[1:]]).astype(dtype, copy=False)

        return jax.make_array_from_callback(shape, self.distribution.data_sharding(shape), part)

    @functools.partial(jax.jit, static_argnums=(0, 2))
    def random_bits(self, key: Array, n: int) -> Array:
        return super().random_bits(key, n)

    def order(self, upper: Array, lower: Array) -> Array:
        if self.traced(upper):
            return super().order(upper, lower)
        return jnp.asarray(REFERENCE.order(np.asarray(upper), np.asarray(lower)), "int32")  # ten times as quick as XLA

    def connect(self, address: str, processes: int, process: int, timeout: int) -> None:
        jax.distributed.initialize(
            address, processes, process, heartbeat_timeout_seconds=timeout, shutdown_timeout_seconds=timeout
        )

    def processes(self) -> tuple[int, int]:
        return jax.process_index(), jax.process_count()

    def agree(self, number: int) -> int:
        return int(multihost_utils.broadcast_one_to_all(np.uint32(number)))

    def devices(self) -> list[str]:
        return list(_devices())

    def on_device(self, name: str) -> contextlib.AbstractContextManager[Any]:
        return jax.default_device(_devices()[name])

    def sharding(self, devices: np.ndarray, names: Sequence[str], axes: Sequence[str | None]) -> Any:
        known = _devices()
        grid = np.array([known[name] for name in devices.flat]).reshape(devices.shape)
        return NamedSharding(Mesh(grid, tuple(names)), PartitionSpec(*axes))

    def put(self, array: Array, sharding: Any) -> Array:
        return lax.with_sharding_constraint(array, sharding) if self.traced(array) else _at(sharding, array)

    def whole(self, array: Array) -> bool:
        return not isinstance(array, jax.Array) or array.is_fully_addressable or array.is_fully_replicated

    def scan(
        self, step: Callable[[Any, Any], tuple[Any, Any]], carry: Any, xs: Any, length: int, reverse: bool
    ) -> tuple[Any, Any]:
        return lax.scan(step, carry, xs, length, reverse)

    def add_at(self, array: Array, index: Any, values: Array) -> Array:
        return array.at[index].add(values)

    def reduce_at(self, function: str, array: Array, index: Array, values: Array) -> Array:
        return getattr(array.at[index], {"maximum": "max", "minimum": "min"}.get(function, function))(values)

    def erf(self, x: Array) -> Array:
        return lax.erf(x)

    def _convolve(self, x: Array, w: Array, window: Window) -> Array:
        rank = len(window.size)
        letters = "".join(chr(ord("0") + i) for i in range(rank))
        return lax.conv_general_dilated(
            x,
            w,
            window.stride,
            window.pad,
            rhs_dilation=window.dilation,
            dimension_numbers=(f"N{letters}C", f"{letters}IO", f"N{letters}C"),
            feature_group_count=x.shape[-1] // w.shape[-2],
        )

    def conv(self, x: Array, w: Array, b: Array | None, window: Window, act: str | None) -> Array:
        y = self._convolve(x, w, window)
        return self.act(act, y if b is None else y + b)

    def conv_grad_w(self, x: Array, g: Array, w_shape: tuple[int, ...], window: Window) -> Array:
        w = jax.ShapeDtypeStruct(w_shape, x.dtype)
        return jax.linear_transpose(functools.partial(self._convolve, x, window=window), w)(g)[0]

    def conv_grad_x(self, g: Array, w: Array, x_shape: tuple[int, ...], window: Window) -> Array:
        x = jax.ShapeDtypeStruct(x_shape, g.dtype)
        return jax.linear_transpose(lambda x: self._convolve(x, w, window), x)(g)[0]

    def max_pool_grad(self, g: Array, argmax: Array, x_shape: tuple[int, ...], window: Window) -> Array:
        if window.stride != window.size or any(map(any, window.pad)) or set(window.dilation) != {1}:
            return super().max_pool_grad(g, argmax, x_shape, window)
        # Windows side by side: g, argmax (N, out, 1, ..., C) against taps (1, size, ..., 1) are (N, out, size, ..., C).
        split = (g.shape[0], *itertools.chain.from_iterable((n, 1) for n in g.shape[1:-1]), g.shape[-1])
        taps = np.arange(math.prod(window.size)).reshape(*itertools.chain.from_iterable((1, k) for k in window.size), 1)
        met = [n * k for n, k in zip(g.shape[1:-1], window.size, strict=True)]
        dx = jnp.where(argmax.reshape(split) == taps, g.reshape(split), 0).reshape(len(g), *met, g.shape[-1])
        return jnp.pad(dx, [(0, 0), *((0, n - m) for n, m in zip(x_shape[1:-1], met, strict=True)), (0, 0)])


class _Step:
    """A function (values, *batch) -> (new values, outputs), compiled: for one batch, or several in one call."""

    def __init__(self, machine: XlaBackend, fn: Callable[..., Any], paths: Sequence[str], donate: bool) -> None:
        given: dict[str, Any] = {"donate_argnums": 0} if donate else {}
        self.machine, self.donate, self.paths = machine, donate, paths
        self.homes = machine.distribution and [machine.distribution.variable_sharding(path) for path in paths]
        if self.homes:  # outputs lie whole on every device, where any process can read them
            given["out_shardings"] = (self.homes, machine.distribution.replicated)
        self.forms = 0  # of batches, for which there are programs

        @functools.wraps(fn)
        def traced(*arguments: Any) -> Any:
            self.forms += 1
            return fn(*arguments)

        run: Any = jax.jit(traced, **given)
        self.run = run

        def run_many(values: list[Array], rows: Array, count: Array, data: Any) -> Any:
            def step(line: Array, found: Any) -> Any:
                return run(found[0], *jax.tree.map(lambda a: _taken(a, rows[line]), data))

            outputs = jax.eval_shape(step, 0, (values, None))[1]
            nothing = jax.tree.map(lambda a: jnp.zeros(a.shape, a.dtype), outputs)
            return lax.fori_loop(0, count, step, (values, nothing))

        self.run_many = jax.jit(run_many, **given)
        self.quick_in_loops: bool | None = None  # not known yet
        self.latest: Any = None  # outputs of the last call of `for_each`, which it may still be computing

    def __call__(self, values: list[Array], *batch: Any) -> Any:
        if self.forms > PROGRAMS:  # they take megabytes each, and JAX would keep thousands
            self.forms = 0
            self.run.clear_cache()
        if self.homes:
            values[:] = map(_variable_at, self.homes, values, self.paths)
            share = self.machine.distribution.data_sharding
            batch = jax.tree.map(lambda a: _at(share(a.shape), a), batch)
        return self.run(_unshared(values) if self.donate else values, *batch)

    def for_each(self, values: list[Array], rows: np.ndarray, *data: Any) -> Any:
        """The function on these rows of the data, for each line of `rows`: (new values, the last outputs).

        Rows of data on the device are gathered there, others on the host while earlier steps are computed. None where
        single steps do as well.
        """
        size, arrays = rows.shape[1], jax.tree.leaves(data)
        here = all(isinstance(a, jax.Array) for a in arrays)
        lines = max(_LINES, _NUMBERS // size) if here else _LINES
        room = 0 if here else _LINES * size * sum(a.nbytes // len(a) for a in arrays)
        if self.homes or len(rows) < _LINES or room > _ROOM:
            return None
        if self.quick_in_loops is None:
            self.quick_in_loops = _quick_in_loops(self.run, values, *_gathered(self.machine, data, rows[0]))
        if not self.quick_in_loops:
            return None
        values = _unshared(values) if self.donate else values
        for start in range(0, len(rows), lines):
            part = rows[start : start + lines]
            count = len(part)
            part = np.pad(part, ((0, lines - count), (0, 0)))  # one shape for all
            if not here:
                chunk, part = _gathered(self.machine, data, part.ravel()), np.arange(part.size).reshape(part.shape)
            values, outputs = self.run_many(values, part.astype(np.int32), count, data if here else chunk)
        jax.block_until_ready(self.latest)  # nobody could stop what waits in a long queue
        self.latest = outputs
        return values, outputs


def _gathered(machine: XlaBackend, data: Any, rows: np.ndarray) -> Any:
    return jax.tree.map(lambda a: machine.batch(a, rows), data)


def _quick_in_loops(run: Any, *arguments: Any) -> bool:
    """Whether a compiled function takes no longer inside a loop: on CPUs XLA's convolutions take ten times as long."""
    return jax.default_backend() != "cpu" or "conv_general_dilated" not in str(run.trace(*arguments).jaxpr)


def _devices() -> dict[str, Any]:
    return {f"{device.platform}:{device.id}": device for device in jax.devices()}


# The quick way: C++ puts a compiled function's arguments on the device, while Python goes on.
_sent = jax.jit(lambda array: array)

# Arrays that never change need to be looked at but once.
_known_finite: weakref.WeakValueDictionary[int, jax.Array] = weakref.WeakValueDictionary()

_sum_is_finite = jax.jit(lambda array: jnp.isfinite(array.sum()))


@jax.jit
def _taken(array: Array, rows: Array) -> Array:
    return array.at[rows].get(mode="promise_in_bounds")


_LINES = 8  # batches that are gathered on the host for one loop
_ROOM = 1 << 26  # bytes that they may take
_NUMBERS = 1 << 15  # rows that one loop gathers on the device, or a few batches of more


def _unshared(values: list[Array]) -> list[Array]:
    """The arrays, with copies of those that something else holds: another variable, a Tensor, whoever restores them."""
    counts = list(map(sys.getrefcount, values))
    return [a if count <= UNSHARED else jnp.copy(a) for a, count in zip(values, counts, strict=True)]


def _at(home: Any, array: Array) -> Array:
    """The array where it belongs; every process has all of it, or it is there already."""
    if array.sharding == home:
        return array
    host = np.asarray(array)
    return jax.make_array_from_callback(array.shape, home, host.__getitem__)


def _variable_at(home: Any, array: Array, path: str) -> Array:
    if len(home.spec) > array.ndim:
        raise ValueError(
            f"variable {path!r}: its layout has {len(home.spec)} axes, its shape is {array.shape}; change the LayoutMap"
        )
    try:
        return _at(home, array)
    except ValueError as error:
        error.add_note(f"variable {path!r} of shape {array.shape} cannot be cut like this; change the LayoutMap")
        raise


def _fitting(values: Any) -> Any:
    """Numbers from the host, if they are not whole ones that 32 bits cannot hold where there are no more."""
    if values.dtype in (np.int64, np.uint64) and values.size:
        limits = np.iinfo(jax.dtypes.canonicalize_dtype(values.dtype))
        if not (limits.min <= values.min() and values.max() <= limits.max):
            raise OverflowError(
                f"whole numbers from {values.min()} to {values.max()} do not fit {limits.dtype}, the widest that the "
                "xla backend has unless the environment has JAX_ENABLE_X64=1"
            )
    return values


BACKEND = XlaBackend()
