"""Learning rates that are functions of the step."""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from .. import ops
from ..autograd import Tensor, as_tensor
from ..catalog import Names
from ..lazy import public_only
from ..naming import expect
from ..serialization import Configurable, lookups

__all__ = [
    "CosineDecay", "CosineDecayRestarts", "ExponentialDecay", "InverseTimeDecay", "LearningRateSchedule",
    "PiecewiseConstantDecay", "PolynomialDecay", "deserialize", "serialize",
]  # fmt: skip
public_only(__name__)


class LearningRateSchedule(Configurable):
    """rate = schedule(step): subclasses give `__call__`, from the step, a Tensor, to the learning rate, a Tensor

    Optimizers count steps from 0. A schedule may be compiled, so it chooses with `ops.where`, not with `if`.

    >>> class Halving(LearningRateSchedule):
    ...     def __call__(self, step):
    ...         return 0.5 ** ops.cast(step, "float32")
    >>> Halving()(3).item()
    0.125
    """

    def __call__(self, step: Any) -> Tensor:
        raise TypeError(f"{type(self).__name__} has no __call__(step); define it to return the learning rate")


def _float(x: Any) -> Tensor:
    return as_tensor(x, "float32")


@dataclass(eq=False)
class _Periodic(LearningRateSchedule):
    """What falls by periods of `decay_steps` steps, with `staircase` by whole ones."""

    initial_learning_rate: float
    decay_steps: int
    decay_rate: float
    staircase: bool = False

    def __post_init__(self) -> None:
        _check_steps(self, "decay_steps")

    def periods(self, step: Any) -> Tensor:
        """How many periods are over."""
        step = as_tensor(step)
        return _float(step // self.decay_steps) if self.staircase else _float(step) / self.decay_steps


@dataclass(eq=False)
class ExponentialDecay(_Periodic):
    """rate = initial_learning_rate * decay_rate^(step / decay_steps)

    With `staircase` the exponent is rounded down: the rate falls once in `decay_steps` steps.

    >>> ExponentialDecay(0.1, decay_steps=10, decay_rate=0.5)(20).item()
    0.025...
    """

    name: str = "ExponentialDecay"

    def __call__(self, step: Any) -> Tensor:
        return self.initial_learning_rate * _float(self.decay_rate) ** self.periods(step)


@dataclass(eq=False)
class InverseTimeDecay(_Periodic):
    """rate = initial_learning_rate / (1 + decay_rate * step / decay_steps)

    With `staircase`, step / decay_steps is rounded down.

    >>> InverseTimeDecay(0.5, decay_steps=10, decay_rate=1.0)(10).item()
    0.25
    """

    name: str = "InverseTimeDecay"

    def __call__(self, step: Any) -> Tensor:
        return self.initial_learning_rate / (1 + self.decay_rate * self.periods(step))


@dataclass(eq=False)
class PiecewiseConstantDecay(LearningRateSchedule):
    """rate = values[i] for boundaries[i - 1] < step <= boundaries[i]: a step schedule

    Args:
        boundaries: increasing numbers of steps.
        values: one rate more than boundaries.

    >>> schedule = PiecewiseConstantDecay([2, 4], [0.5, 0.25, 0.125])
    >>> [schedule(step).item() for step in range(6)]
    [0.5, 0.5, 0.5, 0.25, 0.25, 0.125]
    """

    boundaries: Sequence[int]
    values: Sequence[float]
    name: str = "PiecewiseConstant"

    def __post_init__(self) -> None:
        n = len(self.boundaries)
        if len(self.values) != n + 1:
            raise ValueError(
                f"PiecewiseConstantDecay: values: got {len(self.values)} for {n} boundaries, expected one more"
            )
        rising = all(a < b for a, b in itertools.pairwise(self.boundaries))
        expect("PiecewiseConstantDecay: boundaries", self.boundaries, rising, "increasing numbers")
        self.boundaries, self.values = list(self.boundaries), list(self.values)

    def __call__(self, step: Any) -> Tensor:
        step, rate = as_tensor(step), _float(self.values[0])
        for boundary, value in zip(self.boundaries, self.values[1:], strict=True):
            rate = ops.where(step > boundary, value, rate)
        return rate


@dataclass(eq=False)
class PolynomialDecay(LearningRateSchedule):
    """rate = (initial_learning_rate - end_learning_rate) * (1 - step / decay_steps)^power + end_learning_rate

    From `decay_steps` on the rate stays at its end; with `cycle` decay_steps is replaced by its first multiple that
    step has not passed, so that the rate jumps up again and again, less each time.

    >>> PolynomialDecay(1.0, decay_steps=10, end_learning_rate=0.0, power=2.0)(5).item()
    0.25
    """

    initial_learning_rate: float
    decay_steps: int
    end_learning_rate: float = 0.0001
    power: float = 1.0
    cycle: bool = False
    name: str = "PolynomialDecay"

    def __post_init__(self) -> None:
        _check_steps(self, "decay_steps")

    def __call__(self, step: Any) -> Tensor:
        step, total = as_tensor(step), as_tensor(self.decay_steps)
        if self.cycle:
            total = total * ops.maximum(-(-step // self.decay_steps), 1)
        left = _float(ops.maximum(total - step, 0)) / _float(total)
        return (self.initial_learning_rate - self.end_learning_rate) * left**self.power + self.end_learning_rate


@dataclass(eq=False)
class CosineDecay(LearningRateSchedule):
    """rate = top * ((1 - alpha) * (1 + cos(pi * min(step / decay_steps, 1))) / 2 + alpha)

    where top is `initial_learning_rate`. With `warmup_target` the rate first rises in a line from
    `initial_learning_rate` to warmup_target in `warmup_steps` steps; then top is the latter and step counts from there.

    Source: Loshchilov and Hutter, "SGDR: stochastic gradient descent with warm restarts", 2017.

    >>> schedule = CosineDecay(0.0, decay_steps=10, warmup_target=1.0, warmup_steps=4)
    >>> [round(schedule(step).item(), 4) for step in (0, 2, 4, 9, 14)]
    [0.0, 0.5, 1.0, 0.5, 0.0]
    """

    initial_learning_rate: float
    decay_steps: int
    alpha: float = 0.0
    name: str = "CosineDecay"
    warmup_target: float | None = None
    warmup_steps: int = 0

    def __post_init__(self) -> None:
        _check_steps(self, "decay_steps")

    def __call__(self, step: Any) -> Tensor:
        step = _float(step)
        if self.warmup_target is None:
            return self.initial_learning_rate * _cosine(step / self.decay_steps, self.alpha)
        decayed = self.warmup_target * _cosine((step - self.warmup_steps) / self.decay_steps, self.alpha)
        rise = self.warmup_target - self.initial_learning_rate
        rising = self.initial_learning_rate + rise * step / max(self.warmup_steps, 1)
        return ops.where(step < self.warmup_steps, rising, decayed)


@dataclass(eq=False)
class CosineDecayRestarts(LearningRateSchedule):
    """rate = initial_learning_rate * ((1 - alpha) * m_mul^i * (1 + cos(pi * f)) / 2 + alpha)

    in period i = 0, 1, ..., of which the fraction f is over. The first period takes `first_decay_steps` steps, each
    further one `t_mul` times as many as the one before.

    Source: Loshchilov and Hutter, "SGDR: stochastic gradient descent with warm restarts", 2017.

    >>> schedule = CosineDecayRestarts(1.0, first_decay_steps=10, m_mul=0.5)
    >>> [round(schedule(step).item(), 4) for step in (0, 5, 10, 20, 30)]
    [1.0, 0.5, 0.5, 0.25, 0.25]
    """

    initial_learning_rate: float
    first_decay_steps: int
    t_mul: float = 2.0
    m_mul: float = 1.0
    alpha: float = 0.0
    name: str = "SGDRDecay"

    def __post_init__(self) -> None:
        _check_steps(self, "first_decay_steps")
        expect("CosineDecayRestarts: t_mul", self.t_mul, lambda t_mul: t_mul >= 1, "a number >= 1")

    def __call__(self, step: Any) -> Tensor:
        step, first, growth = as_tensor(step), self.first_decay_steps, self.t_mul - 1
        if growth == 0:
            period = _float(step // first)
            start, length = period * first, _float(first)
        else:
            step = _float(step)
            period = ops.floor(ops.log1p(step * (growth / first)) / math.log(self.t_mul))
            period = ops.where(step >= self._start(period + 1), period + 1, period)  # logarithms may miss the very step
            period = ops.where(step < self._start(period), period - 1, period)
            start, length = self._start(period), first * _float(self.t_mul) ** period
        return self.initial_learning_rate * _cosine((step - start) / length, self.alpha, _float(self.m_mul) ** period)

    def _start(self, period: Tensor) -> Tensor:
        """The first step of period i: first_decay_steps * (1 + t_mul + ... + t_mul^(i - 1))"""
        return self.first_decay_steps * (_float(self.t_mul) ** period - 1) / (self.t_mul - 1)


def _check_steps(schedule: LearningRateSchedule, argument: str) -> None:
    steps = getattr(schedule, argument)
    expect(f"{type(schedule).__name__}: {argument}", steps, lambda steps: steps > 0, "a number > 0")


def _cosine(fraction: Tensor, alpha: float, top: Any = 1.0) -> Tensor:
    """Half a cosine from `top` to 0, lifted to end at alpha."""
    return (1 - alpha) * 0.5 * top * (1 + ops.cos(math.pi * ops.minimum(fraction, 1.0))) + alpha


_, serialize, deserialize = lookups("learning rate schedule", Names("optimizers.schedules", but="LearningRateSchedule"))
