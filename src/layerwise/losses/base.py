"""`Loss`: from values per sample to the one number that is minimised."""

from collections.abc import Callable
from typing import Any

import numpy as np

from .. import config, observe, ops, tree
from ..autograd import Tensor, as_tensor
from ..config import DTypePolicy
from ..dtypes import standardize_dtype
from ..naming import chosen_name, suggest
from ..serialization import Configurable
from .matching import align_weights, cast, joint_mask, masked_weight, same_rank
from .wrapper import Wrapper

REDUCTIONS = ("sum_over_batch_size", "sum", "mean", "mean_with_sample_weight", "none")


class Reduction:
    """The reductions by the names that tf.keras had for them.

    >>> Reduction.SUM, Reduction.AUTO
    ('sum', 'sum_over_batch_size')
    """

    AUTO = SUM_OVER_BATCH_SIZE = "sum_over_batch_size"
    NONE, SUM = "none", "sum"

    @classmethod
    def all(cls) -> tuple[str, ...]:
        return cls.NONE, cls.SUM, cls.SUM_OVER_BATCH_SIZE


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
        self.name = chosen_name(self, name)
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
        if found.pop("dtype", None) is not None and self._dtype is not None:
            found["dtype"] = self.dtype
        return found


class FunctionLoss(Wrapper, Loss):
    """loss = reduction of weight_i * fn(y_true, y_pred, **options)_i

    Args:
        fn: returns one value per sample.
        reduction, name, dtype: as of every `Loss`; by default the name is that of `fn`.
        options: further arguments of `fn`, kept as attributes.

    >>> FunctionLoss(lambda y_true, y_pred: abs(y_true - y_pred), name="distance")([1.0, 2.0], [1.0, 4.0]).item()
    1.0
    """

    _kind, _namespace, _options_first = "Loss", "losses", True

    def __init__(
        self,
        fn: Callable[..., Any],
        reduction: str | None = "sum_over_batch_size",
        name: str | None = None,
        dtype: Any = None,
        **options: Any,
    ) -> None:
        super().__init__(name or getattr(fn, "__name__", None), reduction, dtype)
        self._wrap(fn, options)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        if not isinstance(y_true, dict | list | tuple) and not isinstance(y_pred, dict | list | tuple):
            y_true, y_pred = same_rank(y_true, y_pred)  # so that (n,) and (n, 1) do not broadcast in a user's function
        return self._values(y_true, y_pred)


def _map(fn: Callable[[Any], Any], y: Any) -> Any:
    """fn of an array, or of each array in a structure of them; lists of numbers are arrays."""
    if isinstance(y, dict):
        return {key: _map(fn, part) for key, part in y.items()}
    if isinstance(y, list | tuple) and not all(isinstance(leaf, int | float | np.generic) for leaf in tree.flatten(y)):
        return [_map(fn, part) for part in y]
    return fn(y)
