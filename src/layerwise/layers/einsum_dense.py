"""EinsumDense: a dense layer whose product is written as a sum over named axes."""

import re
from collections.abc import Sequence
from copy import copy
from typing import Any

from .. import activations, initializers, ops
from ..autograd import Tensor
from .input_spec import InputSpec
from .quantized import Adaptable
from .weights import Weight

_EQUATION = re.compile(r"(\.\.\.)?([a-zA-Z]+)(\.\.\.)?,([a-zA-Z]+)->(\.\.\.)?([a-zA-Z]+)(\.\.\.)?")


class EinsumDense(Adaptable, after={"activity_regularizer": "bias_regularizer"}):
    """y = activation(einsum(equation, x, kernel) + bias)

    The equation names the axes of x, of the kernel and of y, "ab,bc->ac" being `Dense`; "...", which stands for any
    number of axes, may come before or behind those of x and y. The kernel's sizes are those that x and `output_shape`
    have under its letters, the bias's those of y under the letters in `bias_axes`.

    Args:
        equation: as of `ops.einsum`, of x and the kernel.
        output_shape: the sizes of y without the batch's and those under "..."; None for what x has. One number for one.
        activation: of the result.
        bias_axes: the letters of those axes of y along which the bias varies; None: no bias.

    >>> from layerwise import layers, ops
    >>> layer = layers.EinsumDense("abc,cde->abde", (None, 2, 8), bias_axes="de")  # two heads of width 8
    >>> layer(ops.zeros((1, 5, 16))).shape, layer.count_params()
    ((1, 5, 2, 8), 272)
    """

    kernel = Weight("glorot_uniform")
    bias = Weight("zeros")
    kernel_initializer: Any

    def __init__(
        self,
        equation: str,
        output_shape: int | Sequence[int | None],
        activation: Any = None,
        bias_axes: str | None = None,
        *,
        lora_rank: int | None = None,
        lora_alpha: float | None = None,
        quantization_config: Any = None,
        **options: Any,
    ) -> None:
        super().__init__(lora_rank=lora_rank, lora_alpha=lora_alpha, quantization_config=quantization_config, **options)
        parts = _EQUATION.fullmatch(equation.replace(" ", ""))
        dots = [parts[i] is not None for i in (1, 3, 5, 7)] if parts else []
        if parts is None or dots[:2] != dots[2:] or all(dots[:2]):
            raise ValueError(
                f"EinsumDense: equation: got {equation!r}, expected x,w->y, ...x,w->...y or x...,w->y... in letters"
            )
        self.equation, self.bias_axes = equation, bias_axes
        self.output_shape = (output_shape,) if isinstance(output_shape, int) else tuple(output_shape)
        self.activation = activations.get(activation)
        self._dots_first, self._letters = dots[0], (parts[2], parts[4], parts[6])

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        x, w, y = self._letters
        rest = len(input_shape) - len(x)  # the axes under "..."
        if rest < 0 or (rest and "..." not in self.equation):
            raise ValueError(f"layer {self.name!r}: equation {self.equation!r}: got an input of shape {input_shape}")
        own = input_shape[rest:] if self._dots_first else input_shape[: len(x)]
        sizes = dict(zip(x, own, strict=True))
        named = y if self._dots_first and rest else y[1:]  # the batch's axis is the first
        if len(named) != len(self.output_shape):
            raise ValueError(
                f"layer {self.name!r}: output_shape: got {self.output_shape}, expected sizes for {named!r} of "
                f"{self.equation!r}"
            )
        for letter, n in zip(named, self.output_shape, strict=True):
            if n is not None and sizes.get(letter) not in (n, None):
                raise ValueError(
                    f"layer {self.name!r}: output_shape: got {n} for {letter!r} of {self.equation!r}, whose size is "
                    f"{sizes[letter]} in an input of shape {input_shape}"
                )
            sizes[letter] = sizes.get(letter) if n is None else n
        unknown = set(w + (self.bias_axes or "")) - set(sizes) | set(self.bias_axes or "") - set(y)
        if unknown:
            raise ValueError(f"layer {self.name!r}: {self.equation!r}: nothing says the size of {sorted(unknown)}")
        places = ([i for i, letter in enumerate(w) if (letter in y) is said] for said in (False, True))
        self._rest = rest
        super().make_large([sizes[a] for a in w], initializer=_for_axes(self.kernel_initializer, *places))
        bias = self.bias_axes or ""
        start = min((y.index(letter) for letter in bias), default=0)
        shape = [sizes[a] if a in bias else 1 for a in y[start:]] + [1] * (0 if self._dots_first else rest)
        super().make("bias", shape, given=self.bias_axes is not None)
        self.input_spec = InputSpec(ndim=len(input_shape))
        super().adapt()

    def call(self, inputs: Tensor) -> Tensor:
        x = self._letters[0]
        start = inputs.ndim - len(x) if self._dots_first else 0
        summed = [start + i for i, letter in enumerate(x) if letter not in self._letters[2]]
        y = ops.einsum(self.equation, self.rounded_inputs(inputs, summed), self.kernel)
        y = y if self.bias is None else y + self.bias
        return y if self.activation is None else self.activation(y)

    def summed_axes(self) -> tuple[int, ...]:
        _, w, y = self._letters
        return tuple(i for i, letter in enumerate(w) if letter not in y)

    def scale_to_file(self, scale: Tensor) -> Tensor:
        """A scale of the kernel with the axes of y."""
        _, w, y = self._letters
        kept = [letter for letter in w if letter in y]
        turned = ops.transpose(ops.squeeze(scale, self.summed_axes()), [kept.index(a) for a in y if a in kept])
        sizes = iter(turned.shape)
        own = [next(sizes) if a in kept else 1 for a in y]
        return ops.reshape(turned, tuple([1] * self._rest + own if self._dots_first else own + [1] * self._rest))

    def scale_from_file(self, scale: Tensor) -> Tensor:
        """That scale with the axes of the kernel."""
        _, w, y = self._letters
        ordered = [letter for letter in y if letter in w]
        sizes = dict(zip(w, self._full_shape, strict=True))
        turned = ops.transpose(
            ops.reshape(scale, tuple(sizes[a] for a in ordered)), [ordered.index(a) for a in w if a in ordered]
        )
        return ops.expand_dims(turned, self.summed_axes())


def _for_axes(initializer: Any, inputs: Sequence[int], outputs: Sequence[int]) -> Any:
    """The initializer, if it counts inputs and outputs, for a kernel with these axes of each, unless it was told."""
    if not isinstance(initializer, initializers.VarianceScaling) or None not in (
        initializer.input_axes,
        initializer.output_axes,
    ):
        return initializer
    told = copy(initializer)
    told.input_axes, told.output_axes = list(inputs), list(outputs)
    return told
