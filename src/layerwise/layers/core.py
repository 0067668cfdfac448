"""Input, Dense, Activation and the layers that only rearrange."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .. import activations, ops
from ..autograd import Call, Spec, Tensor
from ..backends.base import FUSED_ACTIVATIONS
from ..config import checked_data_format
from ..dtypes import standardize_dtype
from ..naming import whole_number
from ..serialization import function_node
from .base import Elementwise, Layer
from .calling import calls_of
from .input_spec import InputSpec
from .quantized import Adaptable
from .weights import Weight


class InputLayer(Layer):
    """The entry of a graph: y = x.

    Args:
        shape: without the batch size; None for sizes that vary.
        batch_size: the batch size where it is fixed.
        dtype: of the numbers, by default `config.floatx()`.
        sparse: Keras' argument, kept without effect.
        ragged: whether examples differ in their sizes, which is refused: pad them.
        batch_shape: in place of shape: with the batch size.
        input_tensor: a symbolic Tensor whose shape and dtype are taken.
        optional: whether None may be given for it.
        name: of the layer.
    """

    built = True

    def __init__(
        self,
        shape: Sequence[int | None] | None = None,
        batch_size: int | None = None,
        dtype: Any = None,
        sparse: bool | None = None,
        ragged: bool | None = None,
        batch_shape: Sequence[int | None] | None = None,
        input_tensor: Tensor | None = None,
        optional: bool = False,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        shape = kwargs.pop("input_shape", None) if shape is None else shape  # as older programs call it
        super().__init__(name=name, **kwargs)
        if ragged:
            raise ValueError("Input: ragged: examples of different sizes are not supported; pad them and use a mask")
        if input_tensor is not None:
            known = tuple(input_tensor.shape)
            given = batch_shape or (known if shape is None else (known[0], *shape))
            if tuple(given) != known:
                raise ValueError(f"Input: got shape {tuple(given)} for an input_tensor of shape {known}")
            shape, batch_shape, dtype = None, known, input_tensor.dtype
        elif batch_size is not None and batch_shape is not None:
            raise ValueError(f"Input: got batch_size={batch_size} and batch_shape={batch_shape}, expected one of them")
        if (shape is None) == (batch_shape is None):
            raise ValueError("Input: give either shape (without the batch size) or batch_shape")
        if batch_shape is None:
            assert shape is not None
            if isinstance(shape, int):
                raise TypeError(f"Input: shape: got {shape}, expected a tuple such as ({shape},)")
            batch_shape = (batch_size, *shape)
        for n in batch_shape:
            if n is not None and (not isinstance(n, int | np.integer) or n < 0):
                raise ValueError(f"Input: shape: got {tuple(batch_shape)}, expected whole numbers or None")
        self.batch_shape = tuple(None if n is None else int(n) for n in batch_shape)
        self.input_dtype = standardize_dtype(dtype)
        self.sparse, self.ragged, self.optional = bool(sparse), False, optional
        output = Tensor(Spec(self.batch_shape, self.input_dtype))
        if input_tensor is not None and input_tensor.history is None:  # of no other layer yet
            output = input_tensor
        call = Call(self, (), {}, output)
        calls_of(self).append(call)
        output.note("history", call)

    def call(self, x: Tensor | None = None) -> Any:
        return x

    @property
    def dtype(self) -> str:
        return self.input_dtype

    def get_config(self) -> dict[str, Any]:
        return {
            "batch_shape": list(self.batch_shape),
            "dtype": self.input_dtype,
            "sparse": self.sparse,
            "ragged": self.ragged,
            "name": self.name,
            "optional": self.optional,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> InputLayer:
        config = dict(config)
        config.setdefault("batch_shape", config.pop("batch_input_shape", None))
        return cls(**config)


def Input(
    shape: Sequence[int | None] | None = None,
    batch_size: int | None = None,
    dtype: Any = None,
    sparse: bool | None = None,
    ragged: bool | None = None,
    batch_shape: Sequence[int | None] | None = None,
    name: str | None = None,
    tensor: Tensor | None = None,
    optional: bool = False,
) -> Tensor:
    """The symbolic input of a functional model.

    Args:
        shape: without the batch size; None for sizes that vary.
        batch_size: the batch size where it is fixed.
        dtype: of the numbers, by default `config.floatx()`.
        sparse: Keras' argument, kept without effect.
        ragged: whether examples differ in their sizes, which is refused: pad them.
        batch_shape: in place of shape: with the batch size.
        name: of the layer.
        tensor: a symbolic Tensor whose shape and dtype are taken.
        optional: whether None may be given for it.

    >>> from layerwise import layers
    >>> layers.Input((28, 28, 1))
    <symbolic Tensor shape=(None, 28, 28, 1), dtype=float32>
    """
    layer = InputLayer(shape, batch_size, dtype, sparse, ragged, batch_shape, tensor, optional, name)
    return layer.output


class _OfSymbolicTensors(type):
    def __instancecheck__(cls, instance: Any) -> bool:
        return isinstance(instance, Tensor) and instance.symbolic


class KerasTensor(metaclass=_OfSymbolicTensors):
    """What is known of a value before it exists; `isinstance(x, KerasTensor)` says whether x is symbolic.

    Args:
        shape: None in it stands for any size.
        dtype: of the numbers.
        sparse, ragged, record_history, name: Keras' arguments, without effect.

    >>> from layerwise import KerasTensor, ops
    >>> ops.matmul(KerasTensor((None, 3)), KerasTensor((3, 2)))
    <symbolic Tensor shape=(None, 2), dtype=float32>
    """

    def __new__(  # type: ignore[misc]
        cls,
        shape: Sequence[int | None],
        dtype: Any = "float32",
        sparse: bool = False,
        ragged: bool = False,
        record_history: bool = True,
        name: str | None = None,
    ) -> Tensor:
        return Tensor(Spec(tuple(shape), standardize_dtype(dtype)))


class Dense(Adaptable, after={"activity_regularizer": "bias_regularizer"}):
    """y = activation(x W + b)

    x (..., n), kernel W (n, units), bias b (units,) -> (..., units); without b where `use_bias` is False.

    >>> from layerwise import layers
    >>> layers.Dense(3, activation="relu")([[1.0, 2.0]]).shape
    (1, 3)
    """

    stage = "linear"
    supports_masking = True
    kernel = Weight("glorot_uniform")
    bias = Weight("zeros")
    _left_out = frozenset({"activity_regularizer"})

    def __init__(
        self,
        units: int,
        activation: Any = None,
        use_bias: bool = True,
        *,
        lora_rank: int | None = None,
        lora_alpha: float | None = None,
        quantization_config: Any = None,
        **options: Any,
    ) -> None:
        super().__init__(lora_rank=lora_rank, lora_alpha=lora_alpha, quantization_config=quantization_config, **options)
        self.units = whole_number("Dense: units", units)
        self.activation = activations.get(activation)
        self.use_bias = use_bias
        self.input_spec = InputSpec(min_ndim=2)

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        n = input_shape[-1]
        super().make_large((n, self.units))
        super().make("bias", (self.units,), given=self.use_bias)
        self.input_spec = InputSpec(min_ndim=2, axes={-1: n})
        super().adapt()

    def call(self, inputs: Tensor) -> Tensor:
        x = self.rounded_inputs(inputs, (-1,))
        return activated(self.activation, lambda act: ops.dense(x, self.kernel, self.bias, act=act))


# What kernels apply to the result of dense and conv: sigmoid only where nobody asks that result for its logits.
FUSED = {getattr(activations, name): name for name in FUSED_ACTIVATIONS if name}


def activated(activation: Callable[..., Tensor], linear: Callable[[str | None], Tensor]) -> Tensor:
    """activation(linear(None)), or linear(name) where the kernel can apply the activation itself.

    Softmax and sigmoid are left out: their results remember their logits.
    """
    if activation is None:
        return linear(None)
    fused = FUSED.get(activation)
    return activation(linear(None)) if fused in (None, "sigmoid") else linear(fused)


class Activation(Elementwise):
    """y = activation(x)"""

    stage = "activation"

    def __init__(self, activation: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.activation = activations.get(activation)

    def call(self, inputs: Tensor) -> Tensor:
        return self.activation(inputs)


class Lambda(Layer):
    """y = function(x, **arguments)

    The function must not make variables; write a `Layer` for that. A model with this layer is saved if the function
    has a name, and loaded with `safe_mode=False` if the name is known there: of `layerwise.ops` or `activations`,
    registered with `register_keras_serializable`, or among `custom_objects`. The function's code is never in a file.

    Args:
        function: takes a Tensor, or a structure of several; also `mask` and `training` if it has such parameters.
        output_shape: accepted as Keras' argument; the shape is what the function gives.
        mask: of the output where the input has one: a value, or a function (inputs, mask) -> mask.
        arguments: by name, for the function.

    >>> from layerwise import layers, ops
    >>> layers.Lambda(ops.clip, arguments={"x_min": 0.0, "x_max": 1.0})([[-1.0, 0.5, 2.0]]).numpy()
    array([[0. , 0.5, 1. ]], dtype=float32)
    """

    built = True
    calls_any_function = True

    def __init__(
        self,
        function: Callable[..., Any],
        output_shape: Any = None,
        mask: Any = None,
        arguments: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if not callable(function):
            raise TypeError(f"Lambda: function: got {function!r}, expected a function")
        self.function, self.arguments = function, dict(arguments or {})
        self.output_shape, self.mask = output_shape, mask
        self.supports_masking = mask is not None

    def call(self, inputs: Any, mask: Tensor | None = None, training: bool | None = None) -> Any:
        known = inspect.signature(self.function).parameters
        given = {name: value for name, value in (("mask", mask), ("training", training)) if name in known}
        return self.function(inputs, **given | self.arguments)

    def compute_mask(self, inputs: Any, previous_mask: Any) -> Any:
        return self.mask(inputs, previous_mask) if callable(self.mask) else self.mask

    def get_config(self) -> dict[str, Any]:
        functions = {name: getattr(self, name) for name in ("function", "output_shape", "mask")}
        nodes = {name: function_node(fn) for name, fn in functions.items() if callable(fn)}
        config = super().get_config()
        return config | {name: node for name, node in nodes.items() if name in config}


class Identity(Elementwise):
    """y = x"""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)

    def call(self, inputs: Any) -> Any:
        return inputs


class Flatten(Layer):
    """y = each example's numbers in one row: (N, ...) -> (N, product)

    With `data_format="channels_first"` channels are brought behind the other dimensions before.

    >>> from layerwise import layers, ops
    >>> layers.Flatten()(ops.zeros((2, 3, 4))).shape
    (2, 12)
    """

    def __init__(self, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.data_format = checked_data_format(data_format)
        self.input_spec = InputSpec(min_ndim=1)

    def call(self, inputs: Tensor) -> Tensor:
        if self.data_format == "channels_first" and inputs.ndim > 1:
            inputs = ops.moveaxis(inputs, 1, -1)
        return ops.reshape(inputs, (inputs.shape[0], math.prod(inputs.shape[1:])))


class Reshape(Layer):
    """y = each example in the shape `target_shape`, one size of which may be -1"""

    built = True

    def __init__(self, target_shape: Sequence[int], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if isinstance(target_shape, int):
            raise TypeError(f"Reshape: target_shape: got {target_shape}, expected a tuple such as ({target_shape},)")
        self.target_shape = tuple(target_shape)
        if min(self.target_shape, default=0) < -1 or self.target_shape.count(-1) > 1:
            raise ValueError(f"Reshape: target_shape: got {self.target_shape}, expected sizes >= 0, and at most one -1")

    def compute_output_spec(self, inputs: Tensor) -> Any:
        if None in inputs.shape[1:]:
            sizes = (None if n == -1 else n for n in self.target_shape)
            return Tensor(Spec((inputs.shape[0], *sizes), inputs.dtype))
        return super().compute_output_spec(inputs)

    def call(self, inputs: Tensor) -> Tensor:
        known = math.prod(n for n in self.target_shape if n != -1)
        total = math.prod(inputs.shape[1:])
        if total % known if -1 in self.target_shape and known else total != known:
            raise ValueError(
                f"layer {self.name!r} (Reshape): cannot arrange {inputs.shape[1:]} ({total} numbers) "
                f"as {self.target_shape}"
            )
        return ops.reshape(inputs, (inputs.shape[0], *(total // known if n == -1 else n for n in self.target_shape)))


class Permute(Layer):
    """y = each example with its axes, counted from 1, in the order `dims`"""

    built = True

    def __init__(self, dims: Sequence[int], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.dims = tuple(dims)
        if sorted(self.dims) != list(range(1, len(self.dims) + 1)):
            raise ValueError(f"Permute: dims: got {self.dims}, expected an order of 1 ... {len(self.dims)}")
        self.input_spec = InputSpec(ndim=len(self.dims) + 1)

    def call(self, inputs: Tensor) -> Tensor:
        return ops.transpose(inputs, (0, *self.dims))


class RepeatVector(Layer):
    """y = each row n times: (N, features) -> (N, n, features)"""

    built = True

    def __init__(self, n: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not isinstance(n, int):
            raise TypeError(f"RepeatVector: n: got {n!r}, expected a whole number")
        self.n = whole_number("RepeatVector: n", n)
        self.input_spec = InputSpec(ndim=2)

    def call(self, inputs: Tensor) -> Tensor:
        return ops.repeat(ops.expand_dims(inputs, 1), self.n, axis=1)
