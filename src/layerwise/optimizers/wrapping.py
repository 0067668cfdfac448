"""Optimizers made of others: with the loss scaled for short floats, and with one for each group of variables."""

import re
from collections.abc import Callable, Iterable, Iterator, MutableMapping, Sequence
from typing import Any

from .. import observe, ops
from ..autograd import Tensor, as_tensor
from ..initializers import Constant
from ..naming import expect, whole_number
from ..serialization import Configurable, deserialize, serialize
from ..variables import Variable
from .base import Optimizer


class LossScaleOptimizer(Optimizer):
    """inner_optimizer on gradients of scale * loss, divided by the scale again; a step with NaN or infinity is skipped

    Small gradients are 0 in float16; those of a large multiple of the loss are not. After a step that is skipped the
    scale is halved, after `dynamic_growth_steps` steps without one it is doubled. `compile` does this to the optimizer
    of a model of the policy "mixed_float16".

    Args:
        inner_optimizer: an `Optimizer`.
        initial_scale: what the loss is multiplied by at first.
        dynamic_growth_steps: after how many good steps the scale is doubled.
        name: by default the class's, counted.
        others: Keras' arguments of every optimizer, which belong to `inner_optimizer` and are refused here.

    Source: Micikevicius et al., "Mixed precision training", 2018.

    >>> from layerwise import Variable
    >>> from layerwise.optimizers import SGD
    >>> optimizer, w = LossScaleOptimizer(SGD(1.0), initial_scale=4.0), Variable(3.0)
    >>> for gradient in (float("inf"), 4.0):
    ...     _ = optimizer.apply_gradients([(gradient, w)])
    >>> float(w.numpy()), float(optimizer.dynamic_scale.numpy())
    (1.0, 2.0)
    """

    _written = frozenset({"inner_optimizer"})

    def __init__(
        self,
        inner_optimizer: Any,
        initial_scale: float = 2.0**15,
        dynamic_growth_steps: int = 2000,
        name: str | None = None,
        **others: Any,
    ) -> None:
        if others.pop("dynamic", True) is not True:
            raise ValueError(
                "LossScaleOptimizer: dynamic: got False; a scale that stays is the inner optimizer's loss_scale_factor"
            )
        usual = {"use_ema": False, "ema_momentum": 0.99}
        for argument, value in others.items():
            self._check(argument, value, value == usual.get(argument), "nothing: give it to inner_optimizer")
        super().__init__(0.0, name=name)
        self.inner_optimizer = inner_optimizer
        self.initial_scale = initial_scale
        self.dynamic_growth_steps = whole_number("LossScaleOptimizer: dynamic_growth_steps", dynamic_growth_steps)
        inner_optimizer.loss_scale_factor = None  # scaled once is enough

    def build(self, variables: Sequence[Variable]) -> None:
        if not self.built:
            self.step_counter = self.add_variable((), dtype="int32", name="step_counter")
            self.dynamic_scale = self.add_variable((), Constant(self.initial_scale), "float32", "dynamic_scale")
            self.inner_optimizer.build(variables)
            super().build(variables)

    @property
    def variables(self) -> list[Variable]:
        """Its own state, then that of the inner optimizer."""
        inner = self.inner_optimizer.variables if "inner_optimizer" in vars(self) else []
        return super().variables + inner

    @property
    def iterations(self) -> Any:
        return self.inner_optimizer.iterations

    @property
    def learning_rate(self) -> Any:
        """The inner optimizer's."""
        return self.inner_optimizer.learning_rate

    @learning_rate.setter
    def learning_rate(self, value: Any) -> None:
        if "inner_optimizer" in vars(self):
            self.inner_optimizer.learning_rate = value

    @observe.placed
    def scale_loss(self, loss: Any) -> Tensor:
        """loss * scale"""
        return as_tensor(loss) * (self.dynamic_scale.value if self.built else self.initial_scale)

    def check_finite(self, grads: Iterable[Any]) -> Tensor:
        """Whether no gradient has NaN or infinity in it."""
        return ops.all(ops.stack([ops.all(ops.isfinite(as_tensor(g))) for g in grads if g is not None]))

    def apply(self, grads: Sequence[Any], trainable_variables: Sequence[Variable] | None = None) -> None:
        variables = self._checked(grads, trainable_variables)
        finite, scale = self.check_finite(grads), self.dynamic_scale.value
        state = [*variables, *self.inner_optimizer.variables]
        before = [v.value for v in state]
        given = [_unscaled(g, v, scale, finite) for g, v in zip(grads, variables, strict=True)]
        self.inner_optimizer.apply(given, variables)
        for v, old in zip(state, before, strict=True):
            v.assign(ops.where(finite, v.value, old))
        good = ops.where(finite, self.step_counter.value + 1, 0)
        grown = ops.equal(good, self.dynamic_growth_steps)
        self.step_counter.assign(ops.where(grown, 0, good))
        self.dynamic_scale.assign(scale * ops.where(finite, ops.where(grown, 2.0, 1.0), 0.5))

    def finalize_variable_values(self, var_list: Iterable[Variable]) -> None:
        self.inner_optimizer.finalize_variable_values(var_list)

    def get_config(self) -> dict[str, Any]:
        names = ("name", "inner_optimizer", "initial_scale", "dynamic_growth_steps")
        return {name: serialize(getattr(self, name)) for name in names}


def _unscaled(g: Any, v: Variable, scale: Tensor, finite: Tensor) -> Any:
    """A gradient of the loss itself; 0 where the step will be skipped."""
    if g is None or v.overwrite_with_gradient:
        return g
    return ops.where(finite, as_tensor(g, v.dtype) / as_tensor(scale, v.dtype), 0)


class OptimizerMap(Configurable, MutableMapping):
    """Optimizers by the paths of variables, or by regular expressions that such a path matches as a whole.

    Args:
        default_optimizer: of variables that are not in it.
        optimizer_map: a dict of optimizers to begin with.

    >>> from layerwise.optimizers import SGD, Adam
    >>> chosen = OptimizerMap(SGD())
    >>> chosen["encoder/.*"] = Adam()
    >>> type(chosen["encoder/kernel"]).__name__, type(chosen["decoder/kernel"]).__name__
    ('Adam', 'SGD')
    """

    def __init__(self, default_optimizer: Optimizer, optimizer_map: dict[str, Optimizer] | None = None) -> None:
        if not isinstance(default_optimizer, Optimizer):
            raise TypeError(f"OptimizerMap: default_optimizer: got {default_optimizer!r}, expected an Optimizer")
        if optimizer_map is not None and not isinstance(optimizer_map, dict):
            raise TypeError(f"OptimizerMap: optimizer_map: got {optimizer_map!r}, expected a dict")
        self.default_optimizer, self.optimizer_map = default_optimizer, optimizer_map or {}

    def __getitem__(self, path: str) -> Optimizer:
        if path in self.optimizer_map:
            return self.optimizer_map[path]
        found = [pattern for pattern in self.optimizer_map if re.fullmatch(pattern, path)]
        if len(found) > 1:
            raise ValueError(f"OptimizerMap: path {path!r} matches {found}, expected one pattern at most")
        return self.optimizer_map[found[0]] if found else self.default_optimizer

    def __setitem__(self, path: str, optimizer: Optimizer) -> None:
        expect("OptimizerMap: path", path, isinstance(path, str), "a string")
        expect("OptimizerMap: path", path, path not in self.optimizer_map, "one that is not there; delete it first")
        self.optimizer_map[path] = _single(optimizer)

    def __delitem__(self, path: str) -> None:
        del self.optimizer_map[path]

    def __len__(self) -> int:
        return len(self.optimizer_map)

    def __bool__(self) -> bool:
        return True  # it has a default

    def __iter__(self) -> Iterator[str]:
        return iter(self.optimizer_map)

    def __call__(self, variable: Variable) -> Optimizer:
        return self[variable.path]

    def get_config(self) -> dict[str, Any]:
        return {
            "default_optimizer": serialize(self.default_optimizer),
            "optimizer_map": {path: serialize(optimizer) for path, optimizer in self.optimizer_map.items()},
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "OptimizerMap":
        optimizers = {path: deserialize(optimizer) for path, optimizer in config["optimizer_map"].items()}
        return cls(deserialize(config["default_optimizer"]), optimizers)


class MultiOptimizer(Optimizer):
    """Each variable by the optimizer that `optimizer_map` has for it

    Args:
        optimizer_map: an `OptimizerMap`, or a function of a variable that returns its optimizer.
        loss_scale_factor: what `scale_loss` multiplies the loss by, of all optimizers.
        name: by default the class's, counted.

    >>> from layerwise import Variable
    >>> from layerwise.optimizers import SGD
    >>> fast, slow = Variable(1.0, name="fast"), Variable(1.0, name="slow")
    >>> optimizer = MultiOptimizer(OptimizerMap(SGD(0.125), {".*fast": SGD(0.5)}))
    >>> _ = optimizer.apply_gradients([(1.0, fast), (1.0, slow)])
    >>> float(fast.numpy()), float(slow.numpy())
    (0.5, 0.875)
    """

    _written = frozenset({"optimizer_map"})

    def __init__(
        self,
        optimizer_map: OptimizerMap | Callable[[Variable], Optimizer],
        loss_scale_factor: float | None = None,
        name: str | None = None,
    ) -> None:
        self.optimizers: list[Optimizer] = []
        super().__init__(0.0, loss_scale_factor=loss_scale_factor, name=name)
        self.optimizer_map = optimizer_map
        if isinstance(optimizer_map, OptimizerMap):
            for optimizer in (*optimizer_map.values(), optimizer_map.default_optimizer):
                self._place(optimizer)

    def _place(self, optimizer: Optimizer) -> int:
        """Where an optimizer stands among `optimizers`, which it joins."""
        for i, known in enumerate(self.optimizers):
            if known is optimizer:
                return i
        _single(optimizer).loss_scale_factor = None  # scaled once is enough
        self.optimizers.append(optimizer)
        return len(self.optimizers) - 1

    def build(self, variables: Sequence[Variable]) -> None:
        if self.built:
            return
        self._owners = [self._place(self.optimizer_map(v)) for v in variables]
        super().build(variables)
        for optimizer, held in self._groups(list(variables), variables):
            optimizer.build(held)

    def _groups(self, items: Sequence[Any], variables: Sequence[Variable]) -> list[tuple[Optimizer, list[Any]]]:
        """Each optimizer that has some of these variables, with the items that stand for them."""
        owners = [self._owners[self._get_variable_index(v)] for v in variables]
        groups = [[item for item, owner in zip(items, owners, strict=True) if owner == i] for i in set(owners)]
        return [(self.optimizers[i], group) for i, group in zip(set(owners), groups, strict=True)]

    @property
    def variables(self) -> list[Variable]:
        """Its own state, then that of each optimizer."""
        return super().variables + [v for optimizer in self.optimizers for v in optimizer.variables]

    @property
    def learning_rate(self) -> Any:
        raise AttributeError("MultiOptimizer: it has no one learning rate; see each of its `optimizers`")

    @learning_rate.setter
    def learning_rate(self, value: Any) -> None:
        if "optimizer_map" in vars(self):
            raise AttributeError("MultiOptimizer: it has no one learning rate; set that of each of its `optimizers`")

    @observe.placed
    def apply(self, grads: Sequence[Any], trainable_variables: Sequence[Variable] | None = None) -> None:
        variables = self._checked(grads, trainable_variables)
        scale = self.loss_scale_factor
        given = [
            g if g is None or scale is None else as_tensor(g, v.dtype) / scale
            for g, v in zip(grads, variables, strict=True)
        ]
        for optimizer, pairs in self._groups(list(zip(given, variables, strict=True)), variables):
            if any(g is not None for g, _ in pairs):
                optimizer.apply_gradients(pairs)
        self._count.assign_add(1)

    def finalize_variable_values(self, var_list: Iterable[Variable]) -> None:
        variables = list(var_list)
        for optimizer, held in self._groups(variables, variables):
            optimizer.finalize_variable_values(held)

    def get_config(self) -> dict[str, Any]:
        return {
            "optimizer_map": serialize(self.optimizer_map),
            "loss_scale_factor": self.loss_scale_factor,
            "name": self.name,
        }


def _single(optimizer: Any) -> Optimizer:
    """`optimizer`, if it is one that is not made of others."""
    single = isinstance(optimizer, Optimizer) and not isinstance(optimizer, LossScaleOptimizer | MultiOptimizer)
    expect("optimizer_map", optimizer, single, "an Optimizer that is not made of others")
    return optimizer
