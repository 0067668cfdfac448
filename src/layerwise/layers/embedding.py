"""Vectors for whole numbers, and masks that pass over positions of a sequence."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from .. import ops
from ..autograd import Tensor
from ..dtypes import is_float, standardize_dtype
from ..naming import whole_number
from .base import Layer
from .quantized import Adaptable
from .weights import Weight


class Embedding(Adaptable):
    """y[..., :] = embeddings[x[...]]

    x (...) of whole numbers from 0 to input_dim - 1, embeddings (input_dim, output_dim) -> (..., output_dim).

    Args:
        input_dim: how many vectors there are.
        output_dim: the length of each.
        mask_zero: whether positions where x is 0 are masked for the layers that follow.
        weights: the embeddings to begin with, an array, or a list of one.

    >>> from layerwise import layers
    >>> layers.Embedding(3, 2, weights=[[0.0, 0.0], [1.0, 2.0], [3.0, 4.0]])([[2, 1]])
    Tensor([[[3., 4.],
             [1., 2.]]], shape=(1, 2, 2), dtype=float32)
    """

    large, quantized_transposed = "embeddings", True
    embeddings = Weight("uniform")

    def __init__(
        self,
        input_dim: int,
        output_dim: int,
        *,
        mask_zero: bool = False,
        weights: Any = None,
        lora_rank: int | None = None,
        lora_alpha: float | None = None,
        quantization_config: Any = None,
        **options: Any,
    ) -> None:
        if options.pop("input_length", None) is not None:
            warnings.warn("Embedding: input_length has no effect: sequences may have any length", stacklevel=3)
        super().__init__(lora_rank=lora_rank, lora_alpha=lora_alpha, quantization_config=quantization_config, **options)
        self.input_dim = whole_number("Embedding: input_dim", input_dim)
        self.output_dim = whole_number("Embedding: output_dim", output_dim)
        self.mask_zero = self.supports_masking = mask_zero
        self.autocast = False
        if weights is not None:
            self.build()
            self.set_weights([np.asarray(weights).reshape(self.input_dim, self.output_dim)])

    def build(self, input_shape: Any = None) -> None:
        super().make_large((self.input_dim, self.output_dim))
        super().adapt()

    def call(self, inputs: Tensor) -> Tensor:
        indices = ops.cast(inputs, "int32") if is_float(inputs.dtype) else inputs
        return ops.cast(ops.take(self.embeddings, indices, axis=0), self.compute_dtype)

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        return ops.not_equal(inputs, 0) if self.mask_zero else None

    def get_config(self) -> dict[str, Any]:
        return {name: value for name, value in super().get_config().items() if name != "weights"}  # files have them


class ReversibleEmbedding(Embedding):
    """y[..., :] = embeddings[x[...]]; with `reverse=True` in the call the logits y = x embeddings^T

    With `tie_weights=False` the logits come from weights of their own, (output_dim, input_dim). (Press and Wolf 2016)

    Args:
        input_dim: how many vectors there are.
        output_dim: the length of each.
        tie_weights: whether both directions share their weights.
        mask_zero: whether positions where x is 0 are masked for the layers that follow.
        reverse_dtype: in which logits are computed, by default the layer's.
        logit_soft_cap: c, where the logits are c tanh(y / c).

    >>> from layerwise import layers
    >>> layer = layers.ReversibleEmbedding(10, 4)
    >>> layer(layer([[1, 2]]), reverse=True).shape
    (1, 2, 10)
    """

    embeddings = Weight("uniform")
    embeddings_initializer: Any

    def __init__(
        self,
        input_dim: int,
        output_dim: int,
        tie_weights: bool = True,
        *,
        mask_zero: bool = False,
        reverse_dtype: Any = None,
        logit_soft_cap: float | None = None,
        **options: Any,
    ) -> None:
        super().__init__(input_dim, output_dim, mask_zero=mask_zero, **options)
        self.tie_weights = tie_weights
        self.reverse_dtype = None if reverse_dtype is None else standardize_dtype(reverse_dtype)
        self.logit_soft_cap = logit_soft_cap

    def build(self, input_shape: Any = None) -> None:
        super().build(input_shape)
        if not self.tie_weights:
            self.reverse_embeddings = self.add_weight(
                (self.output_dim, self.input_dim), self.embeddings_initializer, name="reverse_embeddings"
            )

    def call(self, inputs: Tensor, reverse: bool = False) -> Tensor:
        if not reverse:
            outputs = super().call(inputs)
            return outputs.note("mask", ops.not_equal(inputs, 0)) if self.mask_zero else outputs
        kernel = ops.transpose(self.embeddings) if self.tie_weights else self.reverse_embeddings
        dtype = self.reverse_dtype or self.compute_dtype
        logits = ops.matmul(ops.cast(inputs, dtype), ops.cast(kernel, dtype))
        cap = self.logit_soft_cap
        return logits if cap is None else ops.tanh(logits / cap) * cap

    def compute_mask(self, inputs: Any, mask: Any = None) -> None:
        return None  # embedding notes it, logits have none


class Masking(Layer):
    """y = x, with zeros and a mask where all features of a position equal `mask_value`

    x (batch, positions, features). Layers that follow pass over the masked positions.

    >>> from layerwise import layers
    >>> layers.Masking()([[[1.0, 0.0], [0.0, 0.0]]]).notes["mask"]
    Tensor([[ True, False]], shape=(1, 2), dtype=bool)
    """

    supports_masking = True

    def __init__(self, mask_value: float = 0.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.mask_value = mask_value

    def compute_mask(self, inputs: Any, mask: Any = None) -> Tensor:
        return ops.any(ops.not_equal(inputs, self.mask_value), axis=-1)

    def call(self, inputs: Tensor) -> Tensor:
        kept = ops.any(ops.not_equal(inputs, self.mask_value), axis=-1, keepdims=True)
        return ops.where(kept, inputs, 0)
