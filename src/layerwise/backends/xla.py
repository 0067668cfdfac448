"""The XLA backend, through JAX: the same rules traced once and compiled, for accelerators and clusters."""

from __future__ import annotations

import functools
import sys
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

from .base import Array, Backend, TracedValueError, Window


class XlaBackend(Backend):
    name = "xla"
    xp = jnp
    donates = True

    def array(self, value: Any, dtype: str | None = None) -> Array:
        if dtype is not None:
            self.check_dtype(dtype)
        elif getattr(value, "dtype", None) in (np.int64, np.uint64):
            _check_range(value)
        return jnp.asarray(value, dtype)

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
        given: dict[str, Any] = {"donate_argnums": 0} if donate else {}
        homes = self.distribution and [self.distribution.variable_sharding(path) for path in paths]
        if homes:  # outputs lie whole on every device, where any process can read them
            given["out_shardings"] = (homes, self.distribution.replicated)
        run = jax.jit(fn, **given)

        def call(values: list[Array], *batch: Any) -> Any:
            if homes:
                values[:] = map(_variable_at, homes, values, paths)
                batch = jax.tree.map(lambda a: _at(self.distribution.data_sharding(a.shape), a), batch)
            return run(_unshared(values) if donate else values, *batch)

        return call if donate or homes else run

    def batch(self, array: np.ndarray, rows: slice | np.ndarray) -> Array:
        if self.distribution is None:
            return super().batch(array, rows)
        if array.dtype.kind in "iu":
            _check_range(array)
        numbers = np.arange(len(array))[rows] if isinstance(rows, slice) else rows
        shape, dtype = (len(numbers), *array.shape[1:]), jax.dtypes.canonicalize_dtype(array.dtype)

        def part(index: Any) -> np.ndarray:
            """What one device holds: no other rows are read."""
            return array[numbers[index[0]]][:, *index[1:]].astype(dtype, copy=False)

        return jax.make_array_from_callback(shape, self.distribution.data_sharding(shape), part)

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


def _devices() -> dict[str, Any]:
    return {f"{device.platform}:{device.id}": device for device in jax.devices()}


_REFERENCES = next(map(sys.getrefcount, [object()])) + 1  # as counted below: the variable's and the list's


def _unshared(values: list[Array]) -> list[Array]:
    """The arrays, with copies of those that something else holds: another variable, a Tensor, whoever restores them."""
    counts = list(map(sys.getrefcount, values))
    return [a if count <= _REFERENCES else jnp.copy(a) for a, count in zip(values, counts, strict=True)]


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


def _check_range(integers: np.ndarray) -> None:
    limits = np.iinfo(jax.dtypes.canonicalize_dtype(integers.dtype))
    if integers.size and not (limits.min <= integers.min() and integers.max() <= limits.max):
        raise OverflowError(
            f"whole numbers from {integers.min()} to {integers.max()} do not fit {limits.dtype}, the widest that the "
            "xla backend has unless the environment has JAX_ENABLE_X64=1"
        )


BACKEND = XlaBackend()
