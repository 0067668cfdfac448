"""`Metric`: state in variables, changed by batches; means and sums of values and of functions of (y_true, y_pred)."""

from collections.abc import Callable, Sequence
from itertools import chain
from typing import Any

from .. import observe, ops
from ..autograd import Tensor, as_tensor
from ..backends import xp
from ..dtypes import standardize_dtype
from ..layers.tracking import held
from ..losses.matching import align_weights, joint_mask, mask_of, masked_weight
from ..losses.wrapper import Wrapper
from ..naming import chosen_name
from ..serialization import Configurable
from ..stateless import stateless
from ..variables import Variable


class Metric(Configurable):
    """result = a function of all batches since the last reset

    A subclass makes variables with `add_variable`, changes them in `update_state` and computes `result` from them, all
    with `layerwise.ops`, since both run inside the compiled training step.

    Args:
        dtype: of the state and the result, or a `DTypePolicy`; by default `floatx`.
        name: shown in logs.

    >>> class Largest(Metric):
    ...     def __init__(self, name="largest", dtype=None):
    ...         super().__init__(dtype, name)
    ...         self.largest = self.add_variable((), name="largest")
    ...     def update_state(self, y_true, y_pred, sample_weight=None):
    ...         self.largest.assign(ops.maximum(self.largest, ops.max(y_pred)))
    ...     def result(self):
    ...         return self.largest.value
    >>> Largest()([0.0, 0.0], [2.0, 3.0]).item()
    3.0
    """

    _direction: str | None = None  # whichever is better: what callbacks with mode="auto" go by

    def __init_subclass__(cls, better: str | None = None, **kwargs: Any) -> None:
        """A subclass may say whether "up" or "down" is `better`."""
        super().__init_subclass__(**kwargs)
        cls._direction = better or cls._direction
        for name in {"update_state", "result"} & cls.__dict__.keys():
            setattr(cls, name, observe.placed(cls.__dict__[name]))

    def __init__(self, dtype: Any = None, name: str | None = None) -> None:
        self.name = chosen_name(self, name)
        self.dtype = standardize_dtype(getattr(dtype, "compute_dtype", dtype))
        self._variables: list[Variable] = []

    @property
    def variables(self) -> list[Variable]:
        """The state: this metric's variables, then those of metrics among its attributes, also in lists and dicts."""
        attributes = [value for name, value in vars(self).items() if name != "_init_arguments"]
        own, nested = held(attributes, "variable"), held(attributes, "metric")
        return list({id(v): v for v in chain(own, *(m.variables for m in nested))}.values()) if nested else own

    def add_variable(
        self,
        shape: Sequence[int],
        initializer: Any = None,
        dtype: Any = None,
        aggregation: str = "sum",
        name: str | None = None,
    ) -> Variable:
        """A new variable of the state, zeros unless an initializer is given.

        Args:
            shape: of the variable.
            initializer: a function (shape, dtype) -> value, or an initializer's name.
            dtype: by default the metric's.
            aggregation: how replicas of the variable are joined; there is one.
            name: of the variable.
        """
        initializer = ops.zeros if initializer is None else initializer
        variable = Variable(initializer, tuple(shape), dtype or self.dtype, trainable=False, name=name)
        variable.path = f"{self.name}/{variable.name}"
        self._variables.append(variable)
        return variable

    def add_weight(
        self, shape: Sequence[int] = (), initializer: Any = None, dtype: Any = None, name: str | None = None
    ) -> Variable:
        """`add_variable` by its other name."""
        return self.add_variable(shape, initializer, dtype, name=name)

    def update_state(self, *args: Any, **kwargs: Any) -> None:
        """Take in a batch; subclasses define it, usually as update_state(y_true, y_pred, sample_weight=None)."""
        raise NotImplementedError(
            f"{type(self).__name__}: define update_state(self, y_true, y_pred, sample_weight=None)"
        )

    def result(self) -> Any:
        """The metric's value, or a dict of values; subclasses define it."""
        raise NotImplementedError(f"{type(self).__name__}: define result(self)")

    def check(self, y_true: Any, y_pred: Any = None, sample_weight: Any = None) -> None:
        """Refuse values that the metric cannot take: before training those of all data, otherwise those of a batch.

        Args:
            y_true, sample_weight: arrays, or None.
            y_pred: an array, or None, where they are not known yet.
        """

    def reset_state(self) -> None:
        """Forget all batches: every variable becomes 0."""
        for variable in self.variables:
            variable.assign(xp().zeros(variable.shape, variable.dtype))

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Take in a batch and return the result of all batches so far."""
        self.update_state(*args, **kwargs)
        return self.result()

    def stateless_update_state(self, metric_variables: Sequence[Any], *args: Any, **kwargs: Any) -> list[Tensor]:
        """The values that `variables` would have after `update_state`, had they had `metric_variables` before."""
        return stateless(self.variables, metric_variables, lambda: self.update_state(*args, **kwargs))[1]

    def stateless_result(self, metric_variables: Sequence[Any]) -> Any:
        """The result, were the values of `variables` these."""
        return stateless(self.variables, metric_variables, self.result)[0]

    def stateless_reset_state(self) -> list[Tensor]:
        """The values that `variables` have after `reset_state`."""
        return [ops.zeros(v.shape, v.dtype) for v in self.variables]

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name}>"


def ratio(part: Any, whole: Any) -> Tensor:
    """part / whole, 0 where whole is 0"""
    empty = whole == 0
    return ops.where(empty, 0.0, part / ops.where(empty, 1.0, whole))


def weight_of(metric: Metric, values: Tensor, sample_weight: Any, mask: Tensor | None = None) -> Tensor:
    """The weights of values, a number or one for each of their leading dimensions on; 0 where the mask is."""
    weight = None if sample_weight is None else as_tensor(sample_weight, metric.dtype)
    if mask is not None:
        weight = masked_weight(metric.name, as_tensor(mask, metric.dtype), weight)
    return ops.ones_like(values, metric.dtype) if weight is None else align_weights(metric.name, values, weight)


def spread_weight(metric: Metric, values: Tensor, sample_weight: Any, mask: Tensor | None = None) -> Tensor:
    """`weight_of` in the shape of the values."""
    weight = weight_of(metric, values, sample_weight, mask)
    return weight if weight.shape == values.shape else weight * ops.ones_like(values, metric.dtype)


def _weighted(metric: Metric, values: Any, sample_weight: Any) -> tuple[Tensor, Tensor]:
    """Values and weights as Tensors whose dimensions belong together; a mask noted on the values counts as weights."""
    mask, values = mask_of(values), as_tensor(values, metric.dtype)
    return values, weight_of(metric, values, sample_weight, mask)


class Sum(Metric):
    """result = sum of weight_i value_i over all batches

    name, dtype: as of `Metric`.

    >>> metric = Sum()
    >>> metric.update_state([1.0, 2.0])
    >>> metric([3.0]).item()
    6.0
    """

    def __init__(self, name: str = "sum", dtype: Any = None) -> None:
        super().__init__(dtype, name)
        self.total = self.add_variable((), name="total")

    def update_state(self, values: Any, sample_weight: Any = None) -> None:
        values, weight = _weighted(self, values, sample_weight)
        self.total.assign_add(ops.sum(values * weight))

    def result(self) -> Tensor:
        return self.total.value


class Mean(Metric):
    """result = sum of weight_i value_i / sum of weight_i over all batches; 0 before the first

    Values of more than one dimension count as one sample for each entry of the first: the mean over the others.
    name, dtype: as of `Metric`.

    >>> metric = Mean()
    >>> metric.update_state([1.0, 2.0])
    >>> metric([6.0]).item()
    3.0
    """

    def __init__(self, name: str = "mean", dtype: Any = None) -> None:
        super().__init__(dtype, name)
        self.total = self.add_variable((), name="total")
        self.count = self.add_variable((), name="count")

    def update_state(self, values: Any, sample_weight: Any = None) -> None:
        values, weight = _weighted(self, values, sample_weight)
        if weight.ndim and weight.shape != values.shape:  # each value counts by its weight
            weight = weight * ops.ones_like(values)
        within = tuple(range(min(1, weight.ndim), values.ndim))  # a single weight is that of the mean over all values
        values = values * weight
        if within:
            values, weight = ops.mean(values, axis=within), ops.mean(weight, axis=within) if weight.ndim else weight
        self.total.assign_add(ops.sum(values) if values.ndim else values)
        self.count.assign_add(ops.sum(weight) if weight.ndim else weight)

    def result(self) -> Tensor:
        return ratio(self.total, self.count)


class MeanMetricWrapper(Wrapper, Mean):
    """result = the mean of weight_i fn(y_true, y_pred, **options)_i over all batches

    Args:
        fn: returns one value per sample.
        name, dtype: as of every `Metric`; by default the name is that of `fn`.
        options: further arguments of `fn`, kept as attributes.

    >>> MeanMetricWrapper(lambda y_true, y_pred: abs(y_true - y_pred), name="distance")([1.0, 2.0], [1.0, 4.0]).item()
    1.0
    """

    _kind, _namespace, _options_first = "Metric", "metrics", False

    def __init__(self, fn: Callable[..., Any], name: str | None = None, dtype: Any = None, **options: Any) -> None:
        super().__init__(str(name or getattr(fn, "__name__", "mean_metric_wrapper")), dtype)
        self._wrap(fn, options)

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:  # type: ignore[override]
        y_true, y_pred = as_tensor(y_true), as_tensor(y_pred)
        values = self._values(y_true, y_pred)
        if values is None:
            raise TypeError(
                f"metric {self.name!r} returned None, expected a value for each sample; `return` is missing"
            )
        values = as_tensor(values)
        if (mask := joint_mask(y_pred, values)) is not None:
            values.note("mask", mask)
        super().update_state(values, sample_weight)


Shape = Sequence[int | None]
Kind = type[Metric]


def by_labels(y_true_shape: Shape, y_pred_shape: Shape, binary: Kind, categorical: Kind, sparse: Kind) -> Kind:
    """One of three metrics, by what labels and predictions of these shapes are."""
    if not y_pred_shape or y_pred_shape[-1] == 1 or len(y_pred_shape) == 1:
        return binary
    same = len(y_true_shape) == len(y_pred_shape) and y_true_shape[-1] == y_pred_shape[-1]
    return categorical if same else sparse
