"""`Loss`: from values per sample to the one number that is minimised; how labels and predictions are matched."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .. import config, observe, ops, tree
from ..autograd import Tensor, as_tensor
from ..catalog import functions
from ..config import DTypePolicy
from ..dtypes import is_float, standardize_dtype
from ..naming import auto_name, snake_case, suggest
from ..serialization import Configurable, resolve

REDUCTIONS = ("sum_over_batch_size", "sum", "mean", "mean_with_sample_weight", "none")

Shape = Sequence[int | None]

FLATTEN = "the predictions have more dimensions than the labels: add a Flatten or global pooling layer before Dense"


class Loss(Configurable):
    """loss = reduction of weight_i * call(y_true, y_pred)_i

    A subclass's `call` returns the values, usually one per sample.

    Args:
        name: of this loss, shown in logs and errors.
        reduction: "sum_over_batch_size" or "mean" (the sum divided by the number of values), "sum",
            "mean_with_sample_weight" (the sum divided by the sum of the weights), "none" or None (the values).
        dtype: what labels and predictions are cast to; by default `floatx`.

    >>> class Cubic(Loss):
    ...     def call(self, y_true, y_pred):
    ...         return abs(y_true - y_pred) ** 3
    >>> Cubic()([0.0, 0.0], [1.0, 2.0]).item()
    4.5
    """

    def __init__(
        self, name: str | None = None, reduction: str | None = "sum_over_batch_size", dtype: Any = None
    ) -> None:
        if reduction is not None and reduction not in REDUCTIONS:
            raise ValueError(
                f"{type(self).__name__}: reduction: got {reduction!r}; {suggest(str(reduction), REDUCTIONS)}"
            )
        self.name = name or auto_name(snake_case(type(self).__name__))
        self.reduction = reduction
        self._dtype = dtype

    @property
    def dtype(self) -> str:
        """The dtype that the loss is computed in."""
        if isinstance(self._dtype, DTypePolicy):
            return self._dtype.compute_dtype
        return standardize_dtype(self._dtype)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """The values before weights and reduction; subclasses define it."""
        raise NotImplementedError(f"{type(self).__name__}: define call(self, y_true, y_pred)")

    @observe.placed
    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Tensor:
        """The reduced loss.

        Args:
            y_true: labels.
            y_pred: predictions; a mask noted on them leaves steps out.
            sample_weight: None, a number, or weights in the shape of the leading dimensions of the values.
        """
        y_true = _map(lambda y: cast(y, self.dtype), y_true)
        y_pred = _map(lambda y: cast(y, self.dtype), y_pred)
        values = self.call(y_true, y_pred)
        if values is None:
            raise TypeError(f"loss {self.name!r} returned None, expected a value for each sample; `return` is missing")
        values = as_tensor(values, self.dtype)
        mask = joint_mask(y_pred, values)
        if sample_weight is not None:
            sample_weight = as_tensor(sample_weight, self.dtype)
        return self._reduce(values, sample_weight, mask)

    def _reduce(self, values: Tensor, weight: Tensor | None, mask: Tensor | None) -> Tensor:
        if mask is not None:
            mask = as_tensor(mask, values.dtype)
            if self.reduction in ("mean", "sum_over_batch_size"):  # the mean is over what the mask leaves
                mask = mask * (mask.size / (ops.sum(mask) + config.epsilon()))
            weight = masked_weight(self.name, mask, weight)
        if weight is not None:
            weight = align_weights(self.name, values, weight)
            values = values * weight
        match self.reduction:
            case "sum":
                return ops.sum(values)
            case "mean" | "sum_over_batch_size":
                return ops.mean(values)
            case "mean_with_sample_weight":
                if weight is None:
                    return ops.mean(values)
                return ops.sum(values) / (ops.sum(ops.broadcast_to(weight, values.shape)) + config.epsilon())
        return values

    def get_config(self) -> dict[str, Any]:
        found = super().get_config()
        found.pop("dtype", None)
        return found if self._dtype is None else {**found, "dtype": self.dtype}


class FunctionLoss(Loss):
    """loss = reduction of weight_i * fn(y_true, y_pred, **options)_i

    Args:
        fn: returns one value per sample.
        options: further arguments of `fn`, kept as attributes.

    >>> FunctionLoss(lambda y_true, y_pred: abs(y_true - y_pred), name="distance")([1.0, 2.0], [1.0, 4.0]).item()
    1.0
    """

    def __init__(
        self,
        fn: Callable[..., Any],
        reduction: str | None = "sum_over_batch_size",
        name: str | None = None,
        dtype: Any = None,
        **options: Any,
    ) -> None:
        super().__init__(name or getattr(fn, "__name__", None), reduction, dtype)
        self.fn = fn
        self._options = tuple(options)
        vars(self).update(options)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        return self.fn(y_true, y_pred, **{name: getattr(self, name) for name in self._options})

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **{name: getattr(self, name) for name in self._options}}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        if "fn" in config:
            config = {**config, "fn": resolve(config["fn"], "function", functions("losses"))}
        return super().from_config(config)


# ----------------------------------------------------------------------------------------------- labels and predictions


def _map(fn: Callable[[Any], Any], y: Any) -> Any:
    """fn of an array, or of each array in a structure of them; lists of numbers are arrays."""
    if isinstance(y, dict):
        return {key: _map(fn, part) for key, part in y.items()}
    if isinstance(y, list | tuple) and not all(isinstance(leaf, int | float | np.generic) for leaf in tree.flatten(y)):
        return [_map(fn, part) for part in y]
    return fn(y)


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
    """
    y_true, y_pred = as_tensor(y_true), floating(y_pred)
    same_true, same_pred = same_rank(y_true, y_pred)
    if not _fits(same_true.shape, same_pred.shape):
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


def _fits(shape: Shape, other: Shape) -> bool:
    return len(shape) == len(other) and all(a == b or a is None or b is None for a, b in zip(shape, other))


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


def check_labels(y: Any, num_classes: int, ignore_class: int | None = None) -> None:
    """Raise a ValueError, with value and position, for the first label that is not one of 0 ... num_classes - 1.

    `y` is an array on the host.

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
            f"labels: got {labels[place]} at position {where}, expected whole numbers 0 ... {num_classes - 1} "
            f"for {num_classes} classes; number the classes from 0, and give the last layer an output for each"
        )
