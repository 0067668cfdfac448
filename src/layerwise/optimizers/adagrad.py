"""Steps scaled by what each weight's gradients have been: Adagrad and those that grew out of it."""

from typing import Any

from ..autograd import Array
from ..backends import xp
from ..variables import Variable
from .base import Optimizer


def adagrad(w: Array, g: Array, accumulator: Array, *, learning_rate: Array, epsilon: float) -> tuple[Array, ...]:
    """One step of `Adagrad`."""
    accumulator = accumulator + g * g
    return w - learning_rate * g / xp().sqrt(accumulator + epsilon), accumulator


class Adagrad(Optimizer):
    """s <- s + g^2,  w <- w - learning_rate * g / sqrt(s + epsilon), from s = initial_accumulator_value

    Weights with rare gradients take larger steps.

    Source: Duchi, Hazan and Singer, "Adaptive subgradient methods for online learning and stochastic optimization",
    2011.

    >>> from layerwise import Variable
    >>> w = Variable([1.0])
    >>> _ = Adagrad(learning_rate=0.5, initial_accumulator_value=0.0).apply_gradients([([4.0], w)])
    >>> w.numpy()
    array([0.5], dtype=float32)
    """

    rule = staticmethod(adagrad)

    def __init__(
        self,
        learning_rate: Any = 0.001,
        initial_accumulator_value: float = 0.1,
        epsilon: float = 1e-7,
        **common: Any,
    ) -> None:
        super().__init__(learning_rate, **common)
        self.initial_accumulator_value, self.epsilon = initial_accumulator_value, epsilon

    def slots(self) -> list[tuple[str, ...]]:
        return [("accumulator",)]

    def initial(self, slot: str, variable: Variable) -> float:
        return self.initial_accumulator_value


def adadelta(
    w: Array, g: Array, s: Array, d: Array, *, learning_rate: Array, rho: float, epsilon: float
) -> tuple[Array, ...]:
    """One step of `Adadelta`."""
    s = rho * s + (1 - rho) * g * g
    delta = xp().sqrt(d + epsilon) / xp().sqrt(s + epsilon) * g
    return w - learning_rate * delta, s, rho * d + (1 - rho) * delta * delta


class Adadelta(Optimizer):
    """s <- rho s + (1 - rho) g^2,  delta = sqrt(d + epsilon) / sqrt(s + epsilon) * g,  d <- rho d + (1 - rho) delta^2

    and w <- w - learning_rate * delta; with learning_rate=1 as in the paper, where the units of steps are those of w.

    Source: Zeiler, "ADADELTA: an adaptive learning rate method", 2012.

    >>> from layerwise import Variable
    >>> w = Variable([1.0])
    >>> _ = Adadelta(learning_rate=1.0, rho=0.0, epsilon=1.0).apply_gradients([([0.0], w)])
    >>> w.numpy()
    array([1.], dtype=float32)
    """

    rule = staticmethod(adadelta)

    def __init__(self, learning_rate: Any = 0.001, rho: float = 0.95, epsilon: float = 1e-7, **common: Any) -> None:
        super().__init__(learning_rate, **common)
        self.rho, self.epsilon = rho, epsilon

    def slots(self) -> list[tuple[str, ...]]:
        return [("accumulated_grad", "accumulated_delta_var")]


def rmsprop(
    w: Array,
    g: Array,
    v: Array,
    *others: Array,
    learning_rate: Array,
    rho: float,
    momentum: float,
    epsilon: float,
    centered: bool,
) -> tuple[Array, ...]:
    """One step of `RMSprop`; `others` are the momentum and the mean gradient, as far as they are used."""
    v = rho * v + (1 - rho) * g * g
    variance, slots = v, [v]
    if centered:
        mean = rho * others[-1] + (1 - rho) * g
        variance = v - mean * mean
        slots.append(mean)
    change = learning_rate * g / xp().sqrt(variance + epsilon)
    if momentum:
        change = momentum * others[0] + change
        slots.insert(1, change)
    return w - change, *slots


class RMSprop(Optimizer):
    """v <- rho v + (1 - rho) g^2,  w <- w - learning_rate * g / sqrt(v + epsilon)

    With `centered`, v is reduced by the square of the mean gradient, a <- rho a + (1 - rho) g, so that it estimates the
    variance. With `momentum` the change d = learning_rate * g / ... is smoothed: b <- momentum * b + d, w <- w - b.

    Source: Hinton, "Neural networks for machine learning", lecture 6e, 2012.

    >>> from layerwise import Variable
    >>> w = Variable([1.0])
    >>> _ = RMSprop(learning_rate=0.5, rho=0.75).apply_gradients([([4.0], w)])
    >>> w.numpy()
    array([0.], dtype=float32)
    """

    rule = staticmethod(rmsprop)

    def __init__(
        self,
        learning_rate: Any = 0.001,
        rho: float = 0.9,
        momentum: float = 0.0,
        epsilon: float = 1e-7,
        centered: bool = False,
        **common: Any,
    ) -> None:
        super().__init__(learning_rate, **common)
        self._check("momentum", momentum, lambda value: 0 <= value <= 1, "a number from 0 to 1")
        self.rho, self.momentum, self.epsilon, self.centered = rho, momentum, epsilon, centered

    def slots(self) -> list[tuple[str, ...]]:
        used = {"velocity": True, "momentum": self.momentum > 0, "average_gradient": self.centered}
        return [(name,) for name, kept in used.items() if kept]


def ftrl(
    w: Array,
    g: Array,
    n: Array,
    z: Array,
    *,
    learning_rate: Array,
    learning_rate_power: float,
    l1_regularization_strength: float,
    l2_regularization_strength: float,
    l2_shrinkage_regularization_strength: float,
    beta: float,
) -> tuple[Array, ...]:
    """One step of `Ftrl`."""
    power, l1 = -learning_rate_power, l1_regularization_strength
    total = n + g * g
    z = z + g + 2 * l2_shrinkage_regularization_strength * w - (total**power - n**power) / learning_rate * w
    curvature = total**power / learning_rate + 2 * l2_regularization_strength + beta / learning_rate
    return (xp().clip(z, -l1, l1) - z) / curvature, total, z


class Ftrl(Optimizer):
    """z <- z + g - (n'^p - n^p) / rate * w,  w <- (clip(z, -l1, l1) - z) / ((beta + n'^p) / rate + 2 l2)

    where n' = n + g^2 replaces n, and p = -learning_rate_power: "follow the regularised leader", for large, sparse,
    linear models. Where |z| <= l1 the weight is exactly 0. `l2_shrinkage_regularization_strength` s adds 2 s w to the
    gradient in z. n starts from `initial_accumulator_value`; l1 and l2 are `l1_regularization_strength` and
    `l2_regularization_strength`.

    Source: McMahan et al., "Ad click prediction: a view from the trenches", 2013.

    >>> from layerwise import Variable
    >>> w = Variable([0.0, 0.0])
    >>> _ = Ftrl(learning_rate=0.5, l1_regularization_strength=1.0).apply_gradients([([0.5, 3.0], w)])
    >>> w.numpy().round(4)
    array([ 0.    , -0.3315], dtype=float32)
    """

    rule = staticmethod(ftrl)

    def __init__(
        self,
        learning_rate: Any = 0.001,
        learning_rate_power: float = -0.5,
        initial_accumulator_value: float = 0.1,
        l1_regularization_strength: float = 0.0,
        l2_regularization_strength: float = 0.0,
        l2_shrinkage_regularization_strength: float = 0.0,
        beta: float = 0.0,
        **common: Any,
    ) -> None:
        super().__init__(learning_rate, **common)
        self._check("learning_rate_power", learning_rate_power, lambda value: value <= 0, "a number <= 0")
        self.learning_rate_power, self.initial_accumulator_value = learning_rate_power, initial_accumulator_value
        self.l1_regularization_strength = l1_regularization_strength
        self.l2_regularization_strength = l2_regularization_strength
        self.l2_shrinkage_regularization_strength = l2_shrinkage_regularization_strength
        self.beta = beta
        for name in ("initial_accumulator_value", *(n for n in self._argument_names() if n.endswith("_strength"))):
            self._check(name, getattr(self, name), lambda value: value >= 0, "a number >= 0")

    def slots(self) -> list[tuple[str, ...]]:
        return [("accumulator", "linear")]

    def initial(self, slot: str, variable: Variable) -> float:
        return self.initial_accumulator_value if slot == "accumulator" else 0.0
