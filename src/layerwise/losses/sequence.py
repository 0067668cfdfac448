"""The loss of sequences whose labels do not say when they are."""

from typing import Any

from .. import ops
from ..autograd import Tensor, as_tensor
from ..naming import expect
from .base import FunctionLoss
from .matching import floating


def ctc(y_true: Any, y_pred: Any) -> Tensor:
    """-ln of the probability that the labels y come out, in this order, between blanks and repeated at will

    y_true (batch, length) are class numbers, 0 (the blank) behind their end; y_pred (batch, steps, classes) logits ->
    (batch,). See `ops.ctc_loss`.
    Source: A. Graves et al., Connectionist temporal classification, 2006.

    >>> ctc([[1]], [[[0.0, 0.0], [0.0, 0.0]]]).numpy().round(4)  # 3 paths of 4: 1 1, 1 -, - 1
    array([0.2877], dtype=float32)
    """
    labels, logits = as_tensor(y_true, "int32"), floating(y_pred)
    expect("ctc: y_true", labels.shape, labels.ndim == 2, "a shape (batch, length)")
    expect("ctc: y_pred", logits.shape, logits.ndim == 3, "a shape (batch, steps, classes)")
    lengths = ops.sum(ops.cast(labels != 0, "int32"), axis=-1)
    steps = ops.zeros_like(lengths) + logits.shape[1]
    return ops.ctc_loss(labels, logits, lengths, steps, mask_index=0)


class CTC(FunctionLoss, fn=ctc):
    """-ln of the probability of the labels in their order; see `ctc`

    >>> round(CTC()([[1]], [[[0.0, 0.0], [0.0, 0.0]]]).item(), 4)
    0.2877
    """
