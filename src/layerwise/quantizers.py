"""Quantisation: numbers of few bits with a scale, and what a layer is told when its weights become such numbers.

>>> quantized, scale = abs_max_quantize([[0.5, -1.0]], axis=-1)
>>> quantized.numpy(), (quantized.numpy() / scale.numpy()).round(2)
(array([[  63, -127]], dtype=int8), array([[ 0.5, -1. ]], dtype=float32))
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from . import ops
from .autograd import Tensor, as_tensor, primitive, stop_gradient
from .catalog import Names
from .dtypes import need_ml_dtypes, standardize_dtype
from .lazy import public_only
from .naming import expect, one_of
from .serialization import Configurable, lookups

__all__ = [
    "AbsMaxQuantizer", "Int4QuantizationConfig", "Int8QuantizationConfig", "QuantizationConfig", "Quantizer",
    "abs_max_quantize", "abs_max_quantize_grouped_with_zero_point", "compute_float8_amax_history",
    "compute_float8_scale", "deserialize", "fake_quant_with_min_max_vars", "get", "pack_int4",
    "quantize_and_dequantize", "serialize", "unpack_int4",
]  # fmt: skip
public_only(__name__)

Range = tuple[float, float]


def abs_max_quantize(
    inputs: Any,
    axis: int | Sequence[int],
    value_range: Range = (-127, 127),
    dtype: Any = "int8",
    epsilon: float = 1e-7,
    to_numpy: bool = False,
) -> tuple[Tensor, Tensor]:
    """(round(x scale), scale), scale = (upper end of value_range) / (max |x| along `axis` + epsilon)

    `inputs` are x; the first result has this `dtype` and is clipped to `value_range`. x is about the first divided by
    the second. `to_numpy` is Keras' argument, without effect.
    """
    x = as_tensor(inputs)
    axes = axis if isinstance(axis, int) else tuple(axis)
    scale = value_range[1] / (ops.max(ops.abs(x), axis=axes, keepdims=True) + epsilon)
    return ops.cast(ops.clip(ops.round(x * scale), *value_range), dtype), scale


def abs_max_quantize_grouped_with_zero_point(
    inputs: Any,
    block_size: int,
    value_range: Range = (-8, 7),
    dtype: Any = "int8",
    epsilon: float = 1e-7,
    to_numpy: bool = False,
) -> tuple[Tensor, Tensor, Tensor]:
    """(round(x / scale) + zero, scale, zero) for each `block_size` rows of a matrix, each column by itself

    `inputs` (n, columns) are x, scale and zero (groups, columns) such that the smallest and the largest number of a
    group become the ends of `value_range`, to within `epsilon`; the first result has this `dtype`. x is about
    (first - zero) scale.
    `to_numpy` is Keras' argument, without effect.

    >>> quantized, scale, zero = abs_max_quantize_grouped_with_zero_point([[0.0], [1.5]], 2)
    >>> quantized.numpy().tolist(), zero.numpy().tolist()
    ([[-8], [7]], [[-8]])
    """
    x = as_tensor(inputs)
    rows, columns = x.shape
    groups, (low, high) = math.ceil(rows / block_size), value_range
    padded = ops.pad(x, ((0, groups * block_size - rows), (0, 0)))
    blocks = ops.reshape(padded, (groups, block_size, columns))
    smallest = ops.min(blocks, axis=1, keepdims=True)
    scale = (ops.max(blocks, axis=1, keepdims=True) - smallest + epsilon) / (high - low)
    zero = ops.clip(ops.round(-smallest / scale) + low, low, high)
    quantized = ops.cast(ops.clip(ops.round(blocks / scale) + zero, low, high), dtype)
    quantized = ops.reshape(quantized, (groups * block_size, columns))[:rows]
    return quantized, ops.squeeze(scale, 1), ops.cast(ops.squeeze(zero, 1), "int8")


def pack_int4(arr: Any, axis: int = 0, dtype: str = "int8") -> tuple[Tensor, tuple[int, ...], int]:
    """(packed, its shape, n): two numbers of four bits from -8 to 7 in each byte, neighbours along `axis`

    `arr` holds them in bytes, n along `axis`, of this `dtype`, "int8" or "uint8". The first of two is in the low bits.

    >>> pack_int4(np.array([1, -2, 3], "int8"))[0].numpy()
    array([-31,   3], dtype=int8)
    """
    array = np.moveaxis(np.asarray(_bytes("pack_int4", arr, dtype)), axis, 0)
    n = len(array)
    if n % 2:
        array = np.concatenate([array, np.zeros_like(array[:1])])
    pairs = array.astype("uint8") & 15
    packed = np.moveaxis((pairs[::2] | pairs[1::2] << 4).view(dtype), 0, axis)
    return as_tensor(packed), packed.shape, n


def unpack_int4(packed: Any, orig_len: int, axis: int = 0, dtype: str = "int8") -> Tensor:
    """The bytes that `pack_int4` packed, `orig_len` along `axis`: numbers from -8 to 7, from 0 to 15 where `dtype` is

    "uint8".

    >>> unpack_int4(np.array([-31, 3], "int8"), 3).numpy()
    array([ 1, -2,  3], dtype=int8)
    """
    one_of("unpack_int4: dtype", dtype, "int8", "uint8")
    whole = ops.cast(_bytes("unpack_int4", packed, "int8", "uint8"), "int32")
    axis = axis % whole.ndim
    halves = ops.stack([ops.bitwise_and(whole, 15), ops.bitwise_and(ops.right_shift(whole, 4), 15)], axis=axis + 1)
    if dtype == "int8":
        halves = ops.bitwise_xor(halves, 8) - 8
    shape = (*whole.shape[:axis], 2 * whole.shape[axis], *whole.shape[axis + 1 :])
    return ops.cast(ops.reshape(halves, shape)[(slice(None),) * axis + (slice(orig_len),)], dtype)


def _bytes(name: str, x: Any, *dtypes: str) -> Tensor:
    x = as_tensor(x)
    one_of(f"{name}: dtype", dtypes[0], "int8", "uint8")
    if x.dtype not in dtypes:
        raise TypeError(f"{name}: got numbers of {x.dtype}, expected {' or '.join(dtypes)}")
    return x


def fake_quant_with_min_max_vars(
    inputs: Any, min_vals: Any, max_vals: Any, num_bits: int = 8, narrow_range: bool = False, axis: int | None = None
) -> Tensor:
    """x rounded to one of the 2^num_bits numbers from `min_vals` to `max_vals` that are equally far apart

    The ends are moved so that 0 is among them. `inputs` are x; with an `axis` there is one pair of ends for each place
    along it. With `narrow_range` there is one number less. Gradients pass to x where it lies between the ends,
    elsewhere to the end that it is moved to.

    >>> fake_quant_with_min_max_vars([-1.0, 0.4, 3.0], 0.0, 3.0, num_bits=2).numpy()
    array([0., 0., 3.], dtype=float32)
    """
    x, low, high = as_tensor(inputs), as_tensor(min_vals), as_tensor(max_vals)
    if axis is not None:
        shape = tuple(-1 if i == axis % x.ndim else 1 for i in range(x.ndim))
        low, high = ops.reshape(low, shape), ops.reshape(high, shape)
    wide = "float64" if x.dtype == "float64" else "float32"
    first, last = int(narrow_range), 2 ** int(num_bits) - 1
    low_at, high_at = (stop_gradient(ops.cast(end, wide)) for end in (low, high))
    scale = (high_at - low_at) / (last - first)
    zero = ops.round(ops.clip(first - low_at / scale, first, last))
    smallest, largest = (first - zero) * scale, (last - zero) * scale
    steps = ops.floor((ops.clip(ops.cast(stop_gradient(x), wide), smallest, largest) - smallest) / scale + 0.5)
    rounded = ops.cast((steps - ops.floor(-smallest / scale + 0.5)) * scale, x.dtype)
    within = ops.logical_and(x >= smallest, x <= largest)
    for gets, value in ((within, x), (x <= smallest, low), (x >= largest, high)):
        value = ops.cast(value, x.dtype)
        rounded = rounded + ops.where(gets, value - stop_gradient(value), 0)
    return rounded


def compute_float8_scale(amax: Any, scale: Any, dtype_max: Any, margin: int = 0) -> Tensor:
    """amax 2^margin / dtype_max, and `scale` as it is where amax is 0 or not finite: what numbers are divided by

    >>> compute_float8_scale(4.0, 1.0, 2.0).item()
    2.0
    """
    amax = as_tensor(amax)
    usable = ops.logical_and(amax > 0, ops.isfinite(amax))
    return ops.where(usable, ops.where(usable, amax, 1) * 2**margin / dtype_max, scale)


def compute_float8_amax_history(x: Any, amax_history: Any) -> Tensor:
    """`amax_history` moved on by one place, with max |x| in the first

    >>> compute_float8_amax_history([3.0, -5.0], [1.0, 2.0]).numpy()
    array([5., 1.], dtype=float32)
    """
    history = as_tensor(amax_history)
    newest = ops.reshape(ops.cast(ops.max(ops.abs(x)), history.dtype), (1,))
    return ops.concatenate([newest, ops.roll(history, -1)[1:]])


@primitive
def _rounded(x: Any, *, dtype: str) -> Any:
    """x as it is after a way through a short dtype        dx = g"""
    need_ml_dtypes(f"dtype {dtype}")
    return x.astype(np.dtype(dtype)).astype(x.dtype)


@_rounded.gradient
def _(g: Any) -> Any:
    return g


def quantize_and_dequantize(inputs: Any, scale: Any, quantized_dtype: str, compute_dtype: str) -> Tensor:
    """`inputs` / scale, clipped and rounded to what `quantized_dtype` has, times scale, in `compute_dtype`

    quantized_dtype: "float8_e4m3fn" or "float8_e5m2". The gradient by the inputs passes rounding by.

    >>> quantize_and_dequantize([1.0, 1.03], 1.0, "float8_e4m3fn", "float32").numpy()
    array([1., 1.], dtype=float32)
    """
    ends = {"float8_e4m3fn": 448.0, "float8_e5m2": 57344.0}
    largest = ends[one_of("quantize_and_dequantize: quantized_dtype", quantized_dtype, *ends)]
    scale = ops.cast(scale, standardize_dtype(compute_dtype))
    x = ops.clip(ops.cast(inputs, compute_dtype) / scale, -largest, largest)
    return _rounded(x, dtype=quantized_dtype) * scale


class Quantizer(Configurable):
    """The base class: x -> (quantised, scale) of the dtype `output_dtype`.

    >>> Quantizer()(3.0)
    3.0
    """

    def __init__(self, output_dtype: str = "int8") -> None:
        self.output_dtype = output_dtype

    def __call__(self, x: Any) -> Any:
        return x


class AbsMaxQuantizer(Quantizer):
    """`abs_max_quantize` as an object

    Args:
        axis: along which the largest number is looked for, where a call names none; -1 where neither does.
        value_range: the smallest and the largest number that may come out.
        epsilon: is added to the largest.
        output_dtype: of what comes out.

    >>> AbsMaxQuantizer()([[0.5, -1.0]])[0].numpy()
    array([[  63, -127]], dtype=int8)
    """

    def __init__(
        self,
        axis: int | Sequence[int] | None = None,
        value_range: Range = (-127, 127),
        epsilon: float = 1e-7,
        output_dtype: str = "int8",
    ) -> None:
        super().__init__(output_dtype)
        fits = output_dtype != "int8" or (value_range[0] >= -128 and value_range[1] <= 127)
        expect("AbsMaxQuantizer: value_range", value_range, fits, "numbers from -128 to 127 for int8")
        self.axis = (axis,) if isinstance(axis, int) else None if axis is None else tuple(axis)
        self.value_range: Range = (value_range[0], value_range[1])
        self.epsilon = epsilon

    def __call__(self, x: Any, axis: int | Sequence[int] | None = None, to_numpy: bool = False) -> Any:
        axis = self.axis if axis is None else axis
        return abs_max_quantize(x, -1 if axis is None else axis, self.value_range, self.output_dtype, self.epsilon)

    def get_config(self) -> dict[str, Any]:
        found = super().get_config()
        if self.axis is None:
            del found["axis"]
        return found


class QuantizationConfig(Configurable):
    """How a layer is quantised; a subclass says to which `mode`.

    Args:
        weight_quantizer: of the weights; None: the mode's own.
        activation_quantizer: of what the layer is called on; None: that is left as it is.
    """

    mode: str
    _written = frozenset({"weight_quantizer", "activation_quantizer"})

    def __init__(self, weight_quantizer: Any = None, activation_quantizer: Any = None) -> None:
        self.weight_quantizer, self.activation_quantizer = weight_quantizer, activation_quantizer


class Int8QuantizationConfig(QuantizationConfig):
    """Whole numbers from -127 to 127, a scale for each output; inputs are quantised, too, each row by itself.

    Args:
        weight_quantizer: of the weights; None: `AbsMaxQuantizer` along what is summed over.
        activation_quantizer: of the inputs; None: they are left as they are.
    """

    mode = "int8"

    def __init__(self, weight_quantizer: Any = None, activation_quantizer: Any = "default") -> None:
        inputs = AbsMaxQuantizer() if isinstance(activation_quantizer, str) else activation_quantizer
        super().__init__(weight_quantizer, inputs)
        _check_bytes(self)


class Int4QuantizationConfig(QuantizationConfig):
    """Whole numbers from -8 to 7, two in a byte, a scale and a zero for each output and each `block_size` inputs.

    Args:
        weight_quantizer: of the weights, without blocks; None: `AbsMaxQuantizer` along what is summed over.
        activation_quantizer: of the inputs, without blocks; None: they are left as they are.
        block_size: how many inputs share a scale; None or -1: all, and there is no zero.
    """

    mode = "int4"

    def __init__(
        self, weight_quantizer: Any = None, activation_quantizer: Any = "default", block_size: int | None = 128
    ) -> None:
        inputs = None if isinstance(activation_quantizer, str) else activation_quantizer
        super().__init__(weight_quantizer, inputs)
        what = "Int4QuantizationConfig: block_size"
        expect(what, block_size, block_size in (None, -1) or block_size > 0, "a whole number >= 1, -1 or None")
        self.block_size = block_size
        own = weight_quantizer is not None or inputs is not None
        expect(what, block_size, not own or block_size in (None, -1), "None or -1 where there are quantizers")
        if weight_quantizer is not None:
            span = tuple(weight_quantizer.value_range)
            expect("Int4QuantizationConfig: value_range of weight_quantizer", span, span == (-8, 7), "(-8, 7)")
        _check_bytes(self)

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        return super().from_config({"block_size": None, **config})


def _check_bytes(config: QuantizationConfig) -> None:
    """Weights are stored in bytes."""
    if config.weight_quantizer is not None:
        one_of(f"{type(config).__name__}: dtype of weight_quantizer", config.weight_quantizer.output_dtype, "int8")


def resolved(mode: str | None, config: Any) -> QuantizationConfig:
    """The configuration that `quantize(mode, config)` means."""
    mode, config = (config, None) if isinstance(config, str) else (mode, config)
    kinds: dict[str, type[QuantizationConfig]] = {"int8": Int8QuantizationConfig, "int4": Int4QuantizationConfig}
    if config is None:
        return kinds[one_of("quantize: mode", mode, *kinds)]()
    expect("quantize: config", config, isinstance(config, QuantizationConfig), "a QuantizationConfig")
    expect("quantize: mode", mode, mode in (None, config.mode), f"that of config, {config.mode!r}")
    return config


get, serialize, deserialize = lookups("quantizer", Names("quantizers", class_first=True), example="abs_max_quantizer")
