"""Attention: weighted means of values, with weights from products of queries and keys."""

import math
from typing import Any

import numpy as np

from ..autograd import Tensor, as_tensor
from .comparison import logical_and, where
from .crossentropy import softmax
from .linear import matmul
from .shaping import repeat, transpose

__all__ = ["dot_product_attention"]


def dot_product_attention(
    query: Any,
    key: Any,
    value: Any,
    bias: Any = None,
    mask: Any = None,
    scale: float | None = None,
    is_causal: bool = False,
    flash_attention: bool | None = None,
    attn_logits_soft_cap: float | None = None,
) -> Tensor:
    """y = softmax(scale query key^T + bias) value, for each head

    query (batch, T, heads, n), key and value (batch, S, heads, n), or with fewer heads, each for as many neighbouring
    heads of the query -> (batch, T, heads, n). (Vaswani et al. 2017)

    Args:
        query, key, value: as above.
        bias: added to the scores, broadcast to (batch, heads, T, S).
        mask: True where a position is attended to, broadcast likewise; a row without any attends to all alike.
        scale: of the products, by default 1 / sqrt(n).
        is_causal: whether position t attends to those up to t only.
        flash_attention, attn_logits_soft_cap: Keras' arguments; the first is without effect, the second is refused.

    >>> x = [[[[1.0, 0.0]], [[0.0, 1.0]]]]
    >>> dot_product_attention(x, x, x, is_causal=True)[0, 0, 0]  # the first position sees itself alone
    Tensor([1., 0.], shape=(2,), dtype=float32)
    """
    if attn_logits_soft_cap is not None:
        raise ValueError(f"dot_product_attention: attn_logits_soft_cap: got {attn_logits_soft_cap}, expected None")
    query, key, value = (as_tensor(x) for x in (query, key, value))
    if {query.ndim, key.ndim, value.ndim} != {4}:
        raise ValueError(
            f"dot_product_attention: got a query, key and value of shapes {query.shape}, {key.shape} and "
            f"{value.shape}, expected (batch, positions, heads, features)"
        )
    heads, shared = query.shape[2], key.shape[2]
    if heads % shared:
        raise ValueError(
            f"dot_product_attention: got {heads} heads of the query and {shared} of the key, expected a multiple"
        )
    if heads != shared:
        key, value = repeat(key, heads // shared, axis=2), repeat(value, heads // shared, axis=2)
    scale = 1 / math.sqrt(query.shape[-1]) if scale is None else scale
    scores = matmul(transpose(query, (0, 2, 1, 3)) * scale, transpose(key, (0, 2, 3, 1)))
    if bias is not None:
        scores = scores + bias
    if is_causal:
        causal = np.tri(query.shape[1], key.shape[1], dtype=bool)
        mask = causal if mask is None else logical_and(mask, causal)
    if mask is not None:
        scores = where(mask, scores, -4.5e4 if scores.dtype == "float16" else -2.3e38)  # a row of them stays finite
    return transpose(matmul(softmax(scores), transpose(value, (0, 2, 1, 3))), (0, 2, 1, 3))
