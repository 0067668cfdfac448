"""What all optimizers share: clipping, weight decay, accumulation, averages, learning rate and the count of steps."""

import inspect
import math
import re
import warnings
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from typing import Any, ClassVar

from .. import observe
from ..autograd import Array, Tensor, as_tensor, raw
from ..backends import backend, xp
from ..backends.base import Rule
from ..naming import chosen_name, expect, suggest
from ..signatures import described, taking
from ..stateless import stateless
from ..variables import Variable
from .schedules import LearningRateSchedule
from .state import State


def _kept(w: Array, g: Array) -> tuple[Array, ...]:
    """The rule that changes nothing: what is left is decay."""
    return (w,)


@cache
def _keyword_only(rule: Rule) -> list[str]:
    return [p.name for p in inspect.signature(rule).parameters.values() if p.kind is p.KEYWORD_ONLY]


class Optimizer(State):
    """(w, slots) <- rule(w, g, slots), for every variable w and the gradient g of the loss by it

    A subclass gives `rule`, a pure function of raw arrays, and `slots`, the names of what it keeps for each variable.
    The rule's keyword-only parameters are filled with `learning_rate` and `step` (1, 2, ...), which are 0-d arrays of
    the variable's dtype, and with the optimizer's attributes of those names. (Or, in Keras' way, a subclass defines
    `update_step(gradient, variable, learning_rate)`, which assigns to the variable.) Before the rule, in this order,
    gradients are divided by `loss_scale_factor`, accumulated and clipped, and weights decay, w <- w - learning_rate *
    weight_decay * w. After it come moving averages and the variables' constraints.

    Args:
        learning_rate: a number, a `LearningRateSchedule`, or a function without arguments.
        weight_decay: decay per unit of learning rate, or None.
        clipnorm: largest L2 norm of each gradient.
        clipvalue: largest absolute value in a gradient.
        global_clipnorm: largest L2 norm of all gradients taken together. At most one of the three is set.
        use_ema: keep moving averages, a <- ema_momentum * a + (1 - ema_momentum) * w; they replace the weights every
            `ema_overwrite_frequency` steps, or when `finalize_variable_values` is called (`fit` does at its end).
        loss_scale_factor: what `scale_loss` multiplies the loss by, so that short floats do not underflow.
        gradient_accumulation_steps: update with the mean gradient of so many calls (>= 2), at the last of them.
        name: by default the class's, counted.

    >>> from layerwise.backends import xp
    >>> class SignDescent(Optimizer):
    ...     @staticmethod
    ...     def rule(w, g, *, learning_rate):
    ...         return (w - learning_rate * xp().sign(g),)
    >>> w = Variable([1.0, 2.0], name="w")
    >>> _ = SignDescent(0.5).apply_gradients([([3.0, -3.0], w)])
    >>> w.numpy()
    array([0.5, 2.5], dtype=float32)
    """

    _written = frozenset({"learning_rate"})
    rule: ClassVar[Rule]
    update_step: ClassVar[Callable[..., None] | None] = None

    def __init__(
        self,
        learning_rate: Any,
        weight_decay: float | None = None,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        use_ema: bool = False,
        ema_momentum: float = 0.99,
        ema_overwrite_frequency: int | None = None,
        loss_scale_factor: float | None = None,
        gradient_accumulation_steps: int | None = None,
        name: str | None = None,
        **unknown: Any,
    ) -> None:
        kind = type(self).__name__
        if unknown.pop("decay", None):
            warnings.warn(
                f"{kind}: decay is ignored, as in Keras 3; for learning_rate / (1 + decay * step) "
                "give schedules.InverseTimeDecay(learning_rate, 1, decay)",
                stacklevel=3,
            )
        for argument in unknown:
            hint = "did you mean 'learning_rate'?" if argument == "lr" else suggest(argument, self._argument_names())
            raise TypeError(f"{kind}: unknown argument {argument!r}; {hint}")
        limits = {"clipnorm": clipnorm, "clipvalue": clipvalue, "global_clipnorm": global_clipnorm}
        clips = {key: value for key, value in limits.items() if value is not None}
        if len(clips) > 1:
            raise ValueError(f"{kind}: got {clips}, expected at most one of clipnorm, clipvalue and global_clipnorm")
        for key, value in clips.items():
            self._check(key, value, lambda value: value > 0, "a number > 0")
        if weight_decay is not None:
            self._check("weight_decay", weight_decay, lambda rate: rate >= 0, "a number >= 0, or None")
        if use_ema:
            self._check("ema_momentum", ema_momentum, lambda rate: 0 <= rate <= 1, "a number from 0 to 1")
            self._check_count("ema_overwrite_frequency", ema_overwrite_frequency, 1)
        self._check_count("gradient_accumulation_steps", gradient_accumulation_steps, 2)
        super().__init__(chosen_name(self, name), use_ema, gradient_accumulation_steps)
        self.weight_decay, self.clipnorm, self.clipvalue = weight_decay, clipnorm, clipvalue
        self.global_clipnorm, self.loss_scale_factor = global_clipnorm, loss_scale_factor
        self.ema_momentum, self.ema_overwrite_frequency = ema_momentum, ema_overwrite_frequency
        self.learning_rate = learning_rate
        self._undecayed: tuple[list[Variable], list[str]] = ([], [])

    def _check(self, argument: str, value: Any, holds: Any, expected: str) -> None:
        expect(f"{type(self).__name__}: {argument}", value, holds, expected)

    def _check_decay(self, **rates: float) -> None:
        for argument, value in rates.items():
            self._check(argument, value, lambda value: 0 <= value < 1, "a number >= 0 and < 1")

    def _check_count(self, argument: str, value: Any, least: int) -> None:
        holds = value is None or (isinstance(value, int) and value >= least)
        self._check(argument, value, holds, f"an integer >= {least}, or None")

    # The rate ----------------------------------------------------------------------------------------------------

    @property
    def iterations(self) -> Any:
        """How many updates were made: an int32 Variable (a Tensor where gradients are accumulated)."""
        if self.gradient_accumulation_steps:
            return self._count // self.gradient_accumulation_steps
        return self._count

    @property
    def learning_rate(self) -> Any:
        """The learning rate of the next update: a float32 Variable, or what the schedule or function gives now."""
        if isinstance(self._rate, LearningRateSchedule):
            return self._rate(self._count)
        return self._rate if isinstance(self._rate, Variable) else as_tensor(self._rate())

    @learning_rate.setter
    def learning_rate(self, value: Any) -> None:
        if isinstance(value, LearningRateSchedule) or (callable(value) and not isinstance(value, Tensor | Variable)):
            self._rate = value
            return
        if not isinstance(self._rate, Variable):
            raise TypeError(
                f"{type(self).__name__}: the learning rate follows {self._rate!r}, so it cannot be set to a number; "
                "create the optimizer with a number, or set another schedule"
            )
        number = isinstance(value, int | float) or getattr(value, "shape", None) == ()
        if not number or (isinstance(value, int | float) and not 0 <= value < math.inf):
            expected = "a finite number >= 0, a LearningRateSchedule or a function without arguments"
            raise ValueError(f"{type(self).__name__}: learning_rate: got {value!r}, expected {expected}")
        self._rate.assign(value)

    def exclude_from_weight_decay(
        self, var_list: Iterable[Variable] | None = None, var_names: Iterable[str] | None = None
    ) -> None:
        """No weight decay for these variables, nor for those in whose names one of these patterns is found.

        Raises:
            ValueError: the optimizer is built already.
        """
        if self.built:
            raise ValueError(f"{type(self).__name__}: exclude_from_weight_decay has to be called before build()")
        self._undecayed = (list(var_list or ()), list(var_names or ()))

    @observe.placed
    def scale_loss(self, loss: Any) -> Tensor:
        """loss * loss_scale_factor: what to differentiate; `apply` divides the gradients again."""
        return as_tensor(loss) if self.loss_scale_factor is None else as_tensor(loss) * self.loss_scale_factor

    # One step -----------------------------------------------------------------------------------------------------

    def apply_gradients(self, grads_and_vars: Iterable[tuple[Any, Variable]]) -> Variable:
        """Update each variable of the pairs (gradient, variable); returns how often this was called."""
        pairs = list(grads_and_vars)
        self.apply([g for g, _ in pairs], [v for _, v in pairs])
        return self._count

    @observe.placed
    def apply(self, grads: Sequence[Any], trainable_variables: Sequence[Variable] | None = None) -> None:
        """Update the variables (by default those that the optimizer was built with), given a gradient or None for each.

        Raises:
            ValueError: no gradient at all, an unknown variable, or a gradient of another shape than its variable.
        """
        if not grads:
            return
        if observe.watchers:
            observe.tell("gradients", self, grads)
        variables = self._checked(grads, trainable_variables)
        pairs = [(raw(as_tensor(g, v.dtype)), v) for g, v in zip(grads, variables, strict=True) if g is not None]
        for g, v in pairs:
            self._check(f"gradient of {v.path!r}", tuple(g.shape), tuple(g.shape) == v.shape, f"shape {v.shape}")
        for g, v in pairs:
            if v.overwrite_with_gradient:
                v.assign(Tensor(g))
        pairs = [(g, v) for g, v in pairs if not v.overwrite_with_gradient]
        gradients, variables = [g for g, _ in pairs], [v for _, v in pairs]
        if self.loss_scale_factor is not None:
            gradients = [g / self.loss_scale_factor for g in gradients]
        if self._accumulators:
            self._accumulate(gradients, variables)
        else:
            self._descend(gradients, variables)
        if self._averages:
            self._average()
        for v in variables:
            if v.constraint is not None:
                v.assign(v.constraint(v.value))
        self._count.assign_add(1)

    def stateless_apply(
        self, optimizer_variables: Sequence[Any], grads: Sequence[Any], trainable_variables: Sequence[Any]
    ) -> tuple[list[Tensor], list[Tensor]]:
        """(trainable_variables, optimizer_variables) after an update, from their values before; none is assigned.

        The optimizer has to be built.
        """
        variables, count = [*self._trainable, *self.variables], len(self._trainable)
        values = stateless(variables, [*trainable_variables, *optimizer_variables], lambda: self.apply(grads))[1]
        return values[:count], values[count:]

    def _checked(self, grads: Sequence[Any], variables: Sequence[Variable] | None) -> list[Variable]:
        """The variables that the gradients belong to, known to this optimizer."""
        kind = type(self).__name__
        if variables is None and not self.built:
            raise ValueError(f"{kind}: apply: call build(variables) first, or pass the variables with their gradients")
        variables = self._trainable if variables is None else list(variables)
        if len(grads) != len(variables):
            raise ValueError(
                f"{kind}: apply: got {len(grads)} gradients for {len(variables)} variables, expected one for each"
            )
        if not self.built:
            self.build(variables)
        for v in variables:
            self._get_variable_index(v)
        missing = [v.path for v, g in zip(variables, grads, strict=True) if g is None]
        if missing and len(missing) == len(variables):
            raise ValueError(
                f"{kind}: there is no gradient for any variable ({', '.join(missing)}); "
                "compute the loss from them, inside the GradientTape, without .numpy() or stop_gradient between"
            )
        if missing:
            warnings.warn(
                f"{kind}: no gradient for {', '.join(missing)}: the loss does not depend on them, and they stay",
                stacklevel=3,
            )
        return variables

    def _get_variable_index(self, variable: Variable) -> int:
        place = self._places.get(id(variable))
        if place is None:
            raise ValueError(
                f"{type(self).__name__}: variable {variable.path!r} is not among those that the optimizer was built "
                "with; create a new optimizer for new variables (compile the model again), or build it with all of them"
            )
        return place

    def _accumulate(self, gradients: list[Array], variables: list[Variable]) -> None:
        """Add to the sums; at every n-th call update with the mean and start again."""
        n = self.gradient_accumulation_steps
        due = (raw(self._count.value) + 1) % n == 0
        sums = [self._accumulators[self._get_variable_index(v)] for v in variables]
        totals = [raw(s.value) + g for s, g in zip(sums, gradients, strict=True)]
        state = [*variables, *self._slots]
        before = [raw(v.value) for v in state]
        self._descend([total / n for total in totals], variables)
        for v, old in zip(state, before, strict=True):
            v.assign(Tensor(xp().where(due, raw(v.value), old)))
        for s, total in zip(sums, totals, strict=True):
            s.assign(Tensor(xp().where(due, xp().zeros_like(total), total)))

    def _descend(self, gradients: list[Array], variables: list[Variable]) -> None:
        gradients = self._clipped(gradients)
        if self.update_step is None:
            slots = [self._rows[self._get_variable_index(v)] for v in variables]
            self._update(type(self).rule, gradients, variables, slots)
            return
        if self.weight_decay is not None:
            self._update(_kept, gradients, variables, [[] for _ in variables])
        for g, v in zip(gradients, variables, strict=True):
            self.update_step(Tensor(g), v, self.learning_rate)

    def _update(
        self, rule: Rule, gradients: list[Array], variables: list[Variable], slots: list[list[Variable]]
    ) -> None:
        """The rule on all variables, after their decay; those of one dtype that decay alike go together."""
        kinds = [(v.dtype, self._decay_of(v)) for v in variables]
        for kind in dict.fromkeys(kinds):
            dtype, weight_decay = kind
            chosen = [i for i, other in enumerate(kinds) if other == kind]
            rows = [(raw(variables[i].value), gradients[i], *(raw(s.value) for s in slots[i])) for i in chosen]
            decay = None if weight_decay is None else (weight_decay, raw(as_tensor(self.learning_rate, dtype)))
            results = backend().update(rule, rows, decay, **self._hyper(rule, dtype))
            for i, values in zip(chosen, results, strict=True):
                for variable, value in zip([variables[i], *slots[i]], values, strict=True):
                    variable.assign(Tensor(value))

    def _decay_of(self, v: Variable) -> float | None:
        return None if self._is_spared(v) else self.weight_decay

    def _is_spared(self, v: Variable) -> bool:
        """Whether a variable was excluded from weight decay."""
        excluded, patterns = self._undecayed
        return any(v is e for e in excluded) or any(re.search(p, v.name) for p in patterns)

    def _hyper(self, rule: Rule, dtype: str) -> dict[str, Any]:
        """What a rule's keyword-only parameters stand for: what changes in training as 0-d arrays of this dtype."""
        values = {}
        for name in _keyword_only(rule):
            value = self.iterations + 1 if name == "step" else getattr(self, name)
            values[name] = raw(as_tensor(value, dtype)) if isinstance(value, Tensor | Variable) else value
        return values

    def _clipped(self, gradients: list[Array]) -> list[Array]:
        np = xp()
        if self.clipvalue is not None:
            return [np.clip(g, -self.clipvalue, self.clipvalue) for g in gradients]
        if self.clipnorm is not None:
            return [g * (self.clipnorm / np.maximum(np.sqrt(np.sum(g * g)), self.clipnorm)) for g in gradients]
        if self.global_clipnorm is not None:
            norm = np.sqrt(sum(np.sum(g * g) for g in gradients))
            scale = self.global_clipnorm / np.maximum(norm, self.global_clipnorm)
            scale = np.where(np.isfinite(norm), scale, np.nan)  # an overflow must not pass for a gradient of zero
            return [g * scale.astype(g.dtype) for g in gradients]
        return gradients

    def _average(self) -> None:
        """Moving averages start from the weights after the first step, and replace the weights when it is time."""
        updates = raw(as_tensor(self.iterations))
        for v, average in zip(self._trainable, self._averages, strict=True):
            w, a = raw(v.value), raw(average.value)
            a = xp().where(updates == 0, w, self.ema_momentum * a + (1 - self.ema_momentum) * w)
            average.assign(Tensor(a))
            if self.ema_overwrite_frequency is not None:
                v.assign(Tensor(xp().where((updates + 1) % self.ema_overwrite_frequency == 0, a, w)))

    def finalize_variable_values(self, var_list: Iterable[Variable]) -> None:
        """Replace the variables by their moving averages, if there are any: the end of training."""
        if self._averages:
            for v in var_list:
                v.assign(self._averages[self._get_variable_index(v)])

    # Configuration and files --------------------------------------------------------------------------------------

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """An `__init__` that ends in `**common` takes what all optimizers take behind its own arguments."""
        super().__init_subclass__(**kwargs)
        own = inspect.signature(cls.__init__).parameters
        *shared, _ = inspect.signature(Optimizer.__init__).parameters.values()
        if "__init__" in vars(cls) and "common" in own:
            order = [p for p in own.values() if p.kind is not p.VAR_KEYWORD]
            order += [p for p in shared if p.name not in own]
            cls.__init__ = taking(cls.__init__, order)  # type: ignore[method-assign]
        if cls.__doc__:
            names = [p.name for p in shared[2:] if p.name in inspect.signature(cls.__init__).parameters]
            cls.__doc__ = described(cls.__doc__, f"{', '.join(names)}: as of `Optimizer`.") if names else cls.__doc__

    @classmethod
    def _argument_names(cls) -> list[str]:
        """The arguments of `__init__`, and of those above that it hands others on to."""
        makers = [base.__init__ for base in cls.__mro__]  # type: ignore[misc]
        parameters = [p for maker in makers[:-1] for p in list(inspect.signature(maker).parameters.values())[1:]]
        return list(dict.fromkeys(p.name for p in parameters if p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL)))

    def _arguments(self) -> dict[str, Any]:
        rate = float(self._rate) if isinstance(self._rate, Variable) else self._rate
        return super()._arguments() | {"learning_rate": rate}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._places = {id(v): i for i, v in enumerate(self._trainable)}  # a copy's variables are others
