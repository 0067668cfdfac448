"""Activations with options, as layers."""

from collections.abc import Callable, Sequence
from typing import Any

from .. import activations, ops
from ..autograd import Tensor, broadcast_shapes
from ..naming import expect, is_whole
from .base import Elementwise, Layer
from .input_spec import InputSpec
from .weights import Weight


class _Activation(Elementwise):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)


class ReLU(_Activation):
    """y = max_value where x >= max_value, x where threshold <= x, else negative_slope (x - threshold)"""

    stage = "activation"

    def __init__(
        self, max_value: float | None = None, negative_slope: float = 0.0, threshold: float = 0.0, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        for name, value in (("max_value", max_value), ("negative_slope", negative_slope), ("threshold", threshold)):
            holds = name == "max_value" and value is None
            expect(f"ReLU: {name}", value, holds or (lambda value: value >= 0), "a number >= 0")
        self.max_value, self.negative_slope, self.threshold = max_value, float(negative_slope), float(threshold)

    @property
    def activation(self) -> Callable[[Tensor], Tensor]:
        """The function that it computes."""
        plain = self.max_value is None and self.negative_slope == self.threshold == 0
        return activations.relu if plain else self.call

    def call(self, inputs: Tensor) -> Tensor:
        return activations.relu(inputs, self.negative_slope, self.max_value, self.threshold)


class LeakyReLU(_Activation):
    """y = x where x >= 0, else negative_slope x"""

    def __init__(self, negative_slope: float = 0.3, **kwargs: Any) -> None:
        negative_slope = kwargs.pop("alpha", negative_slope)
        super().__init__(**kwargs)
        expect("LeakyReLU: negative_slope", negative_slope, lambda value: value >= 0, "a number >= 0")
        self.negative_slope = negative_slope

    def call(self, inputs: Tensor) -> Tensor:
        return ops.leaky_relu(inputs, self.negative_slope)


class ELU(_Activation):
    """y = x where x > 0, else alpha (e^x - 1)"""

    def __init__(self, alpha: float = 1.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.alpha = alpha

    def call(self, inputs: Tensor) -> Tensor:
        return ops.elu(inputs, self.alpha)


class Softmax(_Activation):
    """y_i = e^x_i / sum of e^x_j along `axis`; a mask leaves positions out"""

    def __init__(self, axis: int | Sequence[int] = -1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.axis = list(axis) if isinstance(axis, list | tuple) else axis
        several = self.axis if isinstance(self.axis, list) else [self.axis]
        expect("Softmax: axis", axis, all(map(is_whole, several)), "a whole number, or several")

    def call(self, inputs: Tensor, mask: Tensor | None = None) -> Tensor:
        if mask is None:
            return ops.softmax(inputs, self.axis)
        if broadcast_shapes("Softmax: mask", inputs.shape, mask.shape) != inputs.shape:
            raise ValueError(
                f"layer {self.name!r}: mask of shape {mask.shape} is larger than the input of {inputs.shape}"
            )
        kept = ops.cast(mask, inputs.dtype)
        inputs = inputs + (1.0 - kept) * (-3e4 if inputs.dtype == "float16" else -1e9)
        return ops.softmax(inputs, self.axis) * kept  # zeros, too, where nothing is kept


class PReLU(Layer):
    """y = x where x >= 0, else alpha x, with alpha learned: one for each position, or one along `shared_axes`"""

    supports_masking = True
    alpha = Weight("Zeros")

    def __init__(self, *, shared_axes: int | Sequence[int] | None = None, **options: Any) -> None:
        super().__init__(**options)
        self.shared_axes = [shared_axes] if isinstance(shared_axes, int) else shared_axes and list(shared_axes)

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        shape = [1 if i in (self.shared_axes or ()) else n for i, n in enumerate(input_shape)][1:]
        super().make("alpha", shape)
        axes = {i: n for i, n in enumerate(input_shape) if i and i not in (self.shared_axes or ()) and n is not None}
        self.input_spec = InputSpec(ndim=len(input_shape), axes=axes)

    def call(self, inputs: Tensor) -> Tensor:
        return ops.relu(inputs) - self.alpha * ops.relu(-inputs)
