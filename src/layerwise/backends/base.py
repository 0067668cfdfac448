"""The interface between mathematics and machines.

A backend is an array namespace `xp` plus the functions below, on raw arrays. Everything here is a composite of `xp`
and the few functions a backend must give (`array`, `numpy`, `owns`, `compile`, `scan`, `add_at`, `reduce_at`, `erf`);
a backend overrides what its machine can do better and nothing else. Layout is always channels-last: images (N,
spatial..., C), kernels (spatial..., C_in / groups, C_out).
"""

from __future__ import annotations

import contextlib
import math
import sys
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .window import Window

Array = Any


class TracedValueError(TypeError):
    """A Tensor of a step that is being compiled, or was, is asked for its value: it has a shape and a dtype only.

    `what` says who asked.
    """

    def __init__(self, what: str) -> None:
        super().__init__(
            f"{what}: a step that is compiled has no values yet, as NumPy, float() or `if` need, and its Tensors are "
            "of no use after it; use layerwise.ops on them (ops.where for `if`), keep what is needed later in a "
            "Variable (add_weight) or return it, or look at values with compile(run_eagerly=True)"
        )


Rule = Callable[..., tuple[Array, ...]]  # an optimizer's: (w, g, *slots, **hyper) -> (w, *slots)

# Rules that a machine may have a kernel for: (number of slots, **hyper) -> the kernel's name, the rates that change in
# training, and its other numbers; or None for what it does not do.
UPDATE_KERNELS: dict[Rule, Callable[..., tuple[str, list[Array], list[float]] | None]] = {}

PROGRAMS = 128  # forms of a batch for which a compiled function's programs are kept

# What `map(sys.getrefcount, arrays)` says of an array that nothing holds but a variable and the list `arrays`.
UNSHARED = next(map(sys.getrefcount, [object()])) + 1

# Activations that dense and conv may fuse: their derivative is a function of the output y, so nothing else is kept.
FUSED_ACTIVATIONS: dict[str | None, tuple[Callable[..., Array], Callable[..., Array]]] = {
    None: (lambda xp, z: z, lambda xp, y, g: g),
    "relu": (lambda xp, z: xp.maximum(z, 0), lambda xp, y, g: xp.where(y > 0, g, 0)),
    "tanh": (lambda xp, z: xp.tanh(z), lambda xp, y, g: g * (1 - y * y)),
    "sigmoid": (lambda xp, z: sigmoid(xp, z), lambda xp, y, g: g * (y * (1 - y))),
}


def sigmoid(xp: Any, z: Array) -> Array:
    """1 / (1 + e^-z) from the exponential that cannot overflow."""
    if z.dtype.kind == "c":
        return 1 / (1 + xp.exp(-z))
    e = xp.exp(-xp.abs(z))
    return xp.where(z >= 0, 1 / (1 + e), e / (1 + e))


def threefry2x32(key0: Array, key1: Array, x0: Array, x1: Array) -> tuple[Array, Array]:
    """The counter (x0, x1) encrypted by the key in 20 rounds: arrays of uint32, arithmetic modulo 2^32.

    Salmon, Moraes, Dror, Shaw: Parallel random numbers: as easy as 1, 2, 3 (2011).
    """
    keys = key0, key1, key0 ^ key1 ^ 0x1BD11BDA
    x0, x1 = x0 + key0, x1 + key1
    for block, rotations in enumerate([(13, 15, 26, 6), (17, 29, 16, 24)] * 2 + [(13, 15, 26, 6)], 1):
        for r in rotations:
            x0 = x0 + x1
            x1 = (x1 << r | x1 >> (32 - r)) ^ x0
        x0, x1 = x0 + keys[block % 3], x1 + keys[(block + 1) % 3] + block
    return x0, x1


class Backend:
    """The interface. Arrays in, arrays out; nothing here knows of tapes, variables or layers."""

    name: str
    xp: Any
    distribution: Any = None  # which devices hold what, where there are several
    donates = False  # whether a compiled step can take the memory of the values it is given
    asynchronous = False  # whether compiled functions return before they are computed
    replays = False  # whether a compiled function costs much less than calling it, so that single calls are worth it

    # What a backend must give -------------------------------------------------------------------------------------

    def array(self, value: Any, dtype: str | None = None) -> Array:
        """A host value, or an array of this backend, as an array of this backend."""
        raise NotImplementedError

    def numpy(self, array: Array) -> np.ndarray:
        """An array of this backend as a NumPy array, which may share memory; `TracedValueError` if it is `traced`."""
        raise NotImplementedError

    def owns(self, value: Any) -> bool:
        """Whether `value` is one of this backend's arrays."""
        raise NotImplementedError

    def compile(self, fn: Callable[..., Any]) -> Callable[..., Any]:
        """`fn(values, *batch) -> (new values, outputs)`, lists or nested structures of arrays, made fast.

        `values` is the caller's to give away: what is returned may write the new ones into those very arrays, and then
        gives back that very list. If it raises, the arrays hold what they held before. Outputs share no memory
        with values.
        """
        raise NotImplementedError

    def scan(
        self, step: Callable[[Any, Any], tuple[Any, Any]], carry: Any, xs: Any, length: int, reverse: bool
    ) -> tuple[Any, Any]:
        """carry, y = step(carry, x) along the first axis of every array in the list `xs`; the y's are stacked."""
        raise NotImplementedError

    def add_at(self, array: Array, index: Any, values: Array) -> Array:
        """`array` with `values` added at `index`, repeated positions adding up; may overwrite `array`."""
        raise NotImplementedError

    def reduce_at(self, function: str, array: Array, index: Array, values: Array) -> Array:
        """`array` with the "maximum", "minimum" or product ("multiply") of itself and the `values` at `index`."""
        raise NotImplementedError

    def erf(self, x: Array) -> Array:
        """2 / sqrt(pi) times the integral of e^(-t^2) from 0 to x."""
        raise NotImplementedError

    # What a compiling backend adds ----------------------------------------------------------------------------------

    def check_dtype(self, dtype: str) -> None:
        """Raise a TypeError if this backend has no arrays of `dtype`."""

    def traced(self, array: Array) -> bool:
        """Whether an array only stands for a value that a compiled function has when it runs."""
        return False

    def leaked(self, error: Exception) -> bool:
        """Whether an error comes from a traced array that is used outside of the function it was traced in."""
        return False

    def compile_step(self, fn: Callable[..., Any], paths: Sequence[str], donate: bool) -> Callable[..., Any]:
        """`compile(fn)` for the values of variables.

        Args:
            paths: what the variables are called, for a distribution to say which devices hold them.
            donate: whether new values may take the memory of those that nothing holds but a variable and the list.
                Those are of no use afterwards.
        """
        return self.compile(fn)

    # What a backend of many devices adds ----------------------------------------------------------------------------

    def connect(self, address: str, processes: int, process: int, timeout: int) -> None:
        """Make this process one of several that compute together, and meet at `address`."""
        raise self._alone()

    def processes(self) -> tuple[int, int]:
        """The number of this process, and of how many."""
        return 0, 1

    def agree(self, number: int) -> int:
        """The first process's uint32 number, in every process."""
        return number

    def devices(self) -> list[str]:
        """The names of all processes' devices: "cpu:0", ..."""
        return ["cpu:0"]

    def on_device(self, name: str) -> contextlib.AbstractContextManager[Any]:
        """Compute on this device inside the `with` block."""
        return contextlib.nullcontext()

    def sharding(self, devices: np.ndarray, names: Sequence[str], axes: Sequence[str | None]) -> Any:
        """How an array lies on a mesh of named devices whose axes have names: for each dimension the axis or None."""
        raise self._alone()

    def put(self, array: Array, sharding: Any) -> Array:
        """An array that every process has, laid out like this; in a step that is compiled, the demand that it be."""
        raise self._alone()

    def whole(self, array: Array) -> bool:
        """Whether this process alone can read the array."""
        return True

    def _alone(self) -> RuntimeError:
        return RuntimeError(
            f"the {self.name} backend computes on one device; choose the xla backend before anything is built "
            "(LAYERWISE_BACKEND=xla), which needs the extra layerwise[xla]"
        )

    def function(self, name: str, formula: Callable[[Array], Array], x: Array) -> Array:
        """An element-wise operation on one array: its formula, or the machine's instruction of this name."""
        return formula(x)

    # Linear algebra -----------------------------------------------------------------------------------------------

    def matmul(self, a: Array, b: Array) -> Array:
        return self.xp.matmul(a, b)

    def act(self, name: str | None, z: Array) -> Array:
        return FUSED_ACTIVATIONS[name][0](self.xp, z)

    def act_grad(self, name: str | None, y: Array, g: Array) -> Array:
        return FUSED_ACTIVATIONS[name][1](self.xp, y, g)

    def dense(self, x: Array, w: Array, b: Array | None, act: str | None) -> Array:
        z = self.matmul(x, w)
        return self.act(act, z if b is None else z + b)

    def sum_to(self, x: Array, shape: tuple[int, ...]) -> Array:
        """Sum away what broadcasting from `shape` to x.shape repeated."""
        extra = tuple(range(x.ndim - len(shape)))
        repeated = tuple(i for i, n in enumerate(shape, len(extra)) if n == 1 and x.shape[i] != 1)
        x = self.xp.sum(x, axis=extra + repeated, keepdims=True, dtype=x.dtype) if extra or repeated else x
        return x.reshape(shape)

    # Convolution and pooling --------------------------------------------------------------------------------------

    def _patches(self, x: Array, window: Window, groups: int) -> Array:
        """What each output position sees: (groups, N * positions, taps * C / groups)."""
        padded = self.xp.pad(x, ((0, 0), *window.pad, (0, 0)))
        out = window.out(x.shape[1:-1])
        taps = self.xp.stack([padded[tap] for tap in window.taps(out)], axis=-2)
        rows, inner = x.shape[0] * math.prod(out), x.shape[-1] // groups
        taps = taps.reshape(rows, taps.shape[-2], groups, inner)
        return self.xp.moveaxis(taps, 2, 0).reshape(groups, rows, taps.shape[1] * inner)

    def _by_group(self, w: Array, groups: int) -> Array:
        """A kernel (or output) as (groups, taps * C / groups (or N * positions), C_out / groups)."""
        flat = w.reshape(math.prod(w.shape[:-1]), groups, w.shape[-1] // groups)
        return self.xp.moveaxis(flat, 1, 0)

    def conv(self, x: Array, w: Array, b: Array | None, window: Window, act: str | None) -> Array:
        """y[n, o, m] = act(b[m] + sum over taps t, channels c of x[n, o stride + t dilation - pad, c] w[t, c, m])"""
        groups = x.shape[-1] // w.shape[-2]
        y = self.matmul(self._patches(x, window, groups), self._by_group(w, groups))
        y = self.xp.moveaxis(y, 0, 1).reshape(x.shape[0], *window.out(x.shape[1:-1]), w.shape[-1])
        return self.act(act, y if b is None else y + b)

    def conv_grad_w(self, x: Array, g: Array, w_shape: tuple[int, ...], window: Window) -> Array:
        """The gradient of `conv` by its kernel."""
        groups = x.shape[-1] // w_shape[-2]
        g = self._by_group(g, groups)
        dw = self.matmul(self.xp.swapaxes(self._patches(x, window, groups), 1, 2), g)
        return self.xp.moveaxis(dw, 0, 1).reshape(w_shape)

    def conv_grad_x(self, g: Array, w: Array, x_shape: tuple[int, ...], window: Window) -> Array:
        """The gradient of `conv` by its input."""
        groups = x_shape[-1] // w.shape[-2]
        out = g.shape[1:-1]
        patches = self.matmul(self._by_group(g, groups), self.xp.swapaxes(self._by_group(w, groups), 1, 2))
        patches = patches.reshape(groups, x_shape[0], *out, math.prod(window.size), x_shape[-1] // groups)
        patches = self.xp.moveaxis(patches, 0, -2).reshape(x_shape[0], *out, math.prod(window.size), x_shape[-1])
        return self._unwindow([patches[..., t, :] for t in range(math.prod(window.size))], x_shape, window)

    def _unwindow(self, taps: Sequence[Array], x_shape: tuple[int, ...], window: Window) -> Array:
        """Add what each tap holds for each output position to the input position that it met."""
        spatial = x_shape[1:-1]
        padded = [n + low + high for n, (low, high) in zip(spatial, window.pad, strict=True)]
        dx = self.xp.zeros((x_shape[0], *padded, x_shape[-1]), taps[0].dtype)
        for index, values in zip(window.taps(window.out(spatial)), taps, strict=True):
            dx = self.add_at(dx, index, values)
        return dx[(slice(None), *(slice(low, low + n) for n, (low, _) in zip(spatial, window.pad, strict=True)))]

    def max_pool(self, x: Array, window: Window) -> tuple[Array, Array]:
        """The largest value in each window, and which tap held it (the first of equals; NaN wins)."""
        padded = self.xp.pad(x, ((0, 0), *window.pad, (0, 0)), constant_values=_lowest(x.dtype))
        taps = iter(window.taps(window.out(x.shape[1:-1])))
        y = padded[next(taps)]
        argmax = self.xp.zeros(y.shape, "int32")
        for t, index in enumerate(taps, 1):
            value = padded[index]
            larger = ~(value <= y) & (y == y)
            y, argmax = self.xp.where(larger, value, y), self.xp.where(larger, t, argmax)
        return y, argmax

    def max_pool_grad(self, g: Array, argmax: Array, x_shape: tuple[int, ...], window: Window) -> Array:
        """Send each output's gradient to the tap that held the maximum."""
        taps = [self.xp.where(argmax == t, g, 0) for t in range(math.prod(window.size))]
        return self._unwindow(taps, x_shape, window)

    def avg_pool(self, x: Array, window: Window) -> Array:
        """The mean of each window, padding not counted."""
        if x.dtype.itemsize == 2:  # the sum may be more than float16 holds
            return self.avg_pool(x.astype("float32"), window).astype(x.dtype)
        padded = self.xp.pad(x, ((0, 0), *window.pad, (0, 0)))
        total = sum(padded[tap] for tap in window.taps(window.out(x.shape[1:-1])))
        return total / self.array(window.counts(x.shape[1:-1]), str(x.dtype))

    def avg_pool_grad(self, g: Array, x_shape: tuple[int, ...], window: Window) -> Array:
        """Share each output's gradient among the taps that met the input."""
        share = g / self.array(window.counts(x_shape[1:-1]), str(g.dtype))
        return self._unwindow([share] * math.prod(window.size), x_shape, window)

    def conv_pool(
        self, x: Array, w: Array, b: Array | None, window: Window, act: str | None, pool: Window
    ) -> tuple[Array, Array]:
        """`conv` followed at once by `max_pool`."""
        return self.max_pool(self.conv(x, w, b, window, act), pool)

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
        """The gradients of `conv_pool`'s y by x, w and b, each None unless wanted.

        Activations never decrease, so that the largest value of a window is the activation of the largest before it,
        and its derivative is known from y, before g is spread over the windows.
        """
        g = self.act_grad(act, y, g)
        db = self.sum_to(g, (w.shape[-1],)) if wanted[2] else None
        if not (wanted[0] or wanted[1]):
            return None, None, db
        g = self.max_pool_grad(g, argmax, (x.shape[0], *window.out(x.shape[1:-1]), w.shape[-1]), pool)
        dx = self.conv_grad_x(g, w, x.shape, window) if wanted[0] else None
        return dx, self.conv_grad_w(x, g, w.shape, window) if wanted[1] else None, db

    # Normalisation and softmax ------------------------------------------------------------------------------------

    def normalize(
        self, x: Array, gamma: Array | None, beta: Array | None, axes: tuple[int, ...], epsilon: float
    ) -> tuple[Array, Array, Array]:
        """(x - mean) / sqrt(var + epsilon) * gamma + beta, with mean and variance over `axes` (kept with size 1)."""
        mean = self.xp.mean(x, axis=axes, keepdims=True, dtype=x.dtype)
        centred = x - mean
        var = self.xp.mean(centred * centred, axis=axes, keepdims=True, dtype=x.dtype)
        y = centred / self.xp.sqrt(var + epsilon)
        y = y if gamma is None else y * gamma
        return y if beta is None else y + beta, mean, var

    def norm_act(
        self, x: Array, gamma: Array | None, beta: Array | None, axes: tuple[int, ...], epsilon: float, act: str | None
    ) -> tuple[Array, Array, Array]:
        """`normalize` followed at once by an activation."""
        y, mean, var = self.normalize(x, gamma, beta, axes, epsilon)
        return self.act(act, y), mean, var

    def squares(self, arrays: Sequence[Array]) -> Array:
        """y_i = the sum of the squares of array i: finite only if all of the array is."""
        flat = [a.reshape(-1).astype("float32") for a in arrays]
        return self.xp.stack([self.xp.dot(a, a) for a in flat])

    def log_softmax(self, x: Array, axis: int) -> Array:
        """x - log(sum(e^x)), by way of the largest x so that nothing overflows."""
        if x.size == 0:
            return x
        shifted = x - self._largest(x, axis)
        return shifted - self.xp.log(self.xp.sum(self.xp.exp(shifted), axis=axis, keepdims=True, dtype=x.dtype))

    def softmax(self, x: Array, axis: int) -> Array:
        """e^x / sum(e^x), by way of the largest x so that nothing overflows."""
        if x.size == 0:
            return x
        e = self.xp.exp(x - self._largest(x, axis))
        return e / self.xp.sum(e, axis=axis, keepdims=True, dtype=x.dtype)

    def _largest(self, x: Array, axis: int) -> Array:
        return self.xp.max(x.real if x.dtype.kind == "c" else x, axis=axis, keepdims=True)

    # Indexing -----------------------------------------------------------------------------------------------------

    def gather(self, x: Array, indices: Array, axis: int) -> Array:
        return self.xp.take(x, indices, axis=axis)

    def scatter_add(self, indices: Array, values: Array, shape: tuple[int, ...], axis: int) -> Array:
        """Zeros of `shape` with `values` added at `indices` of `axis`: the transpose of `gather`."""
        return self.add_at(self.xp.zeros(shape, values.dtype), (slice(None),) * axis + (indices,), values)

    def finite(self, array: Array) -> bool:
        """Whether data has neither NaN nor infinities."""
        return not array.size or bool(np.isfinite(np.min(array)) and np.isfinite(np.max(array)))

    def take_rows(self, array: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """array[rows], for data on the host and whole numbers that lie within it: how batches are gathered."""
        return array.take(rows, axis=0)

    def batch(self, array: Array, rows: slice | np.ndarray) -> Array:
        """array[rows] as a step takes it: on its way to the devices where there are any.

        Then it is a copy of data on the host, while an array that is there already may be used itself. Texts stay.
        """
        return array[rows] if isinstance(rows, slice) else self.take_rows(array, rows)

    # Random bits --------------------------------------------------------------------------------------------------

    def random_bits(self, key: Array, n: int) -> Array:
        """n random uint32 numbers; the i-th depends on the uint32 pair `key` and on i only, and on no backend."""
        count = self.xp.arange((n + 1) // 2, dtype="uint32")
        pairs = threefry2x32(key[:1], key[1:], count, self.xp.zeros_like(count))
        return self.xp.stack(pairs, axis=-1).reshape(-1)[:n]

    def order(self, upper: Array, lower: Array) -> Array:
        """The places of the numbers 2^32 upper + lower, from the smallest to the largest."""
        return self.xp.lexsort((lower, upper))

    # Optimizers ---------------------------------------------------------------------------------------------------

    def update(
        self, rule: Rule, rows: Sequence[tuple[Array, ...]], decay: tuple[float, Array] | None = None, **hyper: Any
    ) -> list[tuple[Array, ...]]:
        """rule(w, g, *slots, **hyper) -> (w, *slots) for every row (w, g, *slots).

        With decay = (d, learning rate) of w - w d (learning rate) in the place of w.
        """
        if decay is not None:
            rows = [(w - w * decay[0] * decay[1], *rest) for w, *rest in rows]
        return [rule(*row, **hyper) for row in rows]


def _lowest(dtype: Any) -> Any:
    return -np.inf if dtype.kind in "fV" else np.iinfo(dtype).min
