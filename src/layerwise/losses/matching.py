"""How labels, predictions, weights and masks are matched: their shapes, their dtypes, and what is said otherwise."""

import contextlib
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from typing import Any

import numpy as np

from .. import config, ops
from ..autograd import Tensor, as_tensor
from ..context import setting
from ..dtypes import is_float

Shape = Sequence[int | None]

FLATTEN = "the predictions have more dimensions than the labels: add a Flatten or global pooling layer before Dense"


_exactly: ContextVar[bool] = ContextVar("exactly", default=False)


def matching_exactly() -> contextlib.AbstractContextManager[Any]:
    """Inside the `with` block the shapes of vectors and matrices have to agree: (n, 1) and (n, 2) do not."""
    return setting(_exactly, True)


def mask_of(y: Any) -> Tensor | None:
    """The mask noted on `y`: true for the steps that count."""
    return y.notes.get("mask") if isinstance(y, Tensor) and y.notes else None


def joint_mask(y_pred: Any, values: Tensor) -> Tensor | None:
    """The steps that count for the predictions and for the values computed from them."""
    masks = [mask for mask in (mask_of(y_pred), mask_of(values)) if mask is not None]
    return ops.logical_and(*masks) if len(masks) == 2 else masks[0] if masks else None


def masked_weight(name: str, mask: Tensor, weight: Tensor | None) -> Tensor:
    """The weights of all samples, with 0 where the mask is."""
    return mask if weight is None else align_weights(name, mask, weight) * mask


def cast(y: Any, dtype: str) -> Tensor:
    """`y` as a Tensor of this dtype that keeps the mask and the logits it came with."""
    y = as_tensor(y)
    return y if y.dtype == dtype else _noted(as_tensor(y, dtype), y, lambda t: as_tensor(t, dtype))


def _noted(new: Tensor, old: Tensor, along: Callable[[Tensor], Tensor]) -> Tensor:
    """`new` with the notes of `old`, from which it was made element by element: the logits by `along`, too."""
    if old.logits is not None:
        new.note("logits", (old.logits[0], along(old.logits[1])))
    if (mask := mask_of(old)) is not None:
        new.note("mask", mask)
    return new


def matched(name: str, y_true: Any, y_pred: Any) -> tuple[Tensor, Tensor]:
    """Labels and predictions as Tensors of one dtype and one shape, or an error that says how they differ.

    Where ranks differ by one, a last dimension of size 1 is added or dropped: (n,) meets (n, 1) element by element.
    Shapes of one rank broadcast; in what a model was compiled with (`matching_exactly`) only from three dimensions on.
    """
    y_true, y_pred = as_tensor(y_true), floating(y_pred)
    same_true, same_pred = same_rank(y_true, y_pred)
    broadcasts = same_pred.ndim > 2 or not _exactly.get()
    if not _fits(same_true.shape, same_pred.shape, broadcasts):
        raise ValueError(mismatch(name, y_true.shape, y_pred.shape))
    return as_tensor(same_true, y_pred.dtype), same_pred


def floating(y: Any) -> Tensor:
    """`y` as a Tensor of floating-point numbers."""
    y = as_tensor(y)
    return y if is_float(y.dtype) else cast(y, config.floatx())


def same_rank(y_true: Any, y_pred: Any) -> tuple[Tensor, Tensor]:
    """Both as Tensors; where ranks differ by one, a last dimension of size 1 is dropped, or added to a rank of 1."""
    y_true, y_pred = as_tensor(y_true), as_tensor(y_pred)
    if y_pred.ndim == y_true.ndim + 1 and y_pred.shape[-1] == 1:
        return (_add_last(y_true), y_pred) if y_true.ndim == 1 else (y_true, _drop_last(y_pred))
    if y_true.ndim == y_pred.ndim + 1 and y_true.shape[-1] == 1:
        return (y_true, _add_last(y_pred)) if y_pred.ndim == 1 else (_drop_last(y_true), y_pred)
    return y_true, y_pred


def _add_last(y: Tensor) -> Tensor:
    return _reshaped(y, lambda t: ops.expand_dims(t, -1))


def _drop_last(y: Tensor) -> Tensor:
    return _reshaped(y, lambda t: ops.squeeze(t, -1))


def _reshaped(y: Tensor, change: Callable[[Tensor], Tensor]) -> Tensor:
    """`y` in another shape, with the logits of a sigmoid; those of a softmax belong to the dimension that changes."""
    return change(y) if y.logits is not None and y.logits[0] == "softmax" else _noted(change(y), y, change)


def class_numbers(name: str, y_true: Tensor, y_pred: Tensor, axis: int = -1) -> Tensor:
    """Class numbers in the shape of the predictions without `axis`."""
    expected = list(y_pred.shape)
    classes = expected.pop(axis)
    if y_true.ndim == y_pred.ndim and y_true.shape[axis] == 1:
        y_true = ops.squeeze(y_true, axis)
    if y_true.ndim == len(expected) and all(a == b or None in (a, b) for a, b in zip(y_true.shape, expected)):
        return y_true
    if y_true.ndim == y_pred.ndim and y_true.shape[axis] == classes:
        raise ValueError(
            f"{name}: y_true of shape {y_true.shape} looks one-hot for y_pred of shape {y_pred.shape}, expected class "
            f"numbers of shape {tuple(expected)}; use categorical_crossentropy, or y.argmax({axis})"
        )
    raise ValueError(
        f"{name}: y_true of shape {y_true.shape} does not match y_pred of shape {y_pred.shape}; "
        f"expected class numbers of shape {tuple(expected)}" + (f"; {FLATTEN}" if len(expected) > y_true.ndim else "")
    )


def align_weights(name: str, values: Tensor, weight: Tensor) -> Tensor:
    """`weight` with as many dimensions as `values`: its own are the leading ones."""
    if weight.ndim == values.ndim + 1 and weight.shape[-1] == 1:
        weight = ops.squeeze(weight, -1)
    missing = values.ndim - weight.ndim
    if missing < 0 or any(w not in (1, None, v) and v is not None for w, v in zip(weight.shape, values.shape)):
        raise ValueError(
            f"{name}: sample_weight: got shape {weight.shape}, expected leading dimensions of {values.shape}"
        )
    return ops.expand_dims(weight, tuple(range(weight.ndim, values.ndim))) if missing and weight.ndim else weight


def _fits(shape: Shape, other: Shape, broadcasts: bool) -> bool:
    free = (None, 1) if broadcasts else (None,)
    return len(shape) == len(other) and all(a == b or a in free or b in free for a, b in zip(shape, other))


def mismatch(name: str, true: Shape, pred: Shape) -> str:
    """What to say of labels and predictions whose shapes do not belong together."""
    if len(pred) == len(true) + 1 or (len(pred) == len(true) > 0 and true[-1] == 1):
        remedy = (
            f"give the last layer 1 output instead of {pred[-1]}; for labels that are class numbers use "
            "sparse_categorical_crossentropy, or utils.to_categorical(y)"
        )
    elif len(pred) > len(true) + 1:
        remedy = FLATTEN
    elif len(pred) == len(true) > 1 and pred[-1] != true[-1]:
        remedy = f"give the last layer {true[-1]} outputs instead of {pred[-1]}"
    else:
        remedy = "expected one label for each prediction; reshape the labels, or Flatten the predictions"
    return f"{name}: y_true of shape {tuple(true)} does not match y_pred of shape {tuple(pred)}; {remedy}"


def check_labels(
    y: Any,
    num_classes: int,
    ignore_class: int | None = None,
    name: str = "labels",
    remedy: str = "number the classes from 0, and give the last layer an output for each",
) -> None:
    """Raise a ValueError, with value and position, for the first label that is not one of 0 ... num_classes - 1.

    `y` is an array on the host. A label of `ignore_class` may stand anywhere. The error begins with `name` and ends
    with the `remedy`.

    >>> check_labels([0, 2, 3], num_classes=3)
    Traceback (most recent call last):
    ValueError: labels: got 3 at position 2, expected whole numbers 0 ... 2 for 3 classes; ...
    """
    labels = np.asarray(y)
    wrong = (labels < 0) | (labels >= num_classes)
    if labels.dtype.kind == "f":
        wrong |= labels != np.floor(labels)
    if ignore_class is not None:
        wrong &= labels != ignore_class
    if wrong.any():
        place = tuple(int(i) for i in np.argwhere(wrong)[0])
        where = place[0] if len(place) == 1 else place
        raise ValueError(
            f"{name}: got {labels[place]} at position {where}, expected whole numbers 0 ... {num_classes - 1} "
            f"for {num_classes} classes; {remedy}"
        )
