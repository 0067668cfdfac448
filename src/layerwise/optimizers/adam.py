"""Adam and its family: steps scaled by running estimates of the gradient's mean and size."""

from collections.abc import Sequence
from typing import Any

from ..autograd import Array, as_tensor, raw
from ..backends import xp
from ..backends.base import UPDATE_KERNELS
from ..variables import Variable
from .base import Optimizer


def adam(
    w: Array,
    g: Array,
    m: Array,
    v: Array,
    v_hat: Array = None,
    *,
    learning_rate: Array,
    step: Array,
    beta_1: float,
    beta_2: float,
    epsilon: float,
) -> tuple[Array, ...]:
    """One step of `Adam`, with AMSGrad where there is a slot for it."""
    m = m + (g - m) * (1 - beta_1)
    v = v + (g * g - v) * (1 - beta_2)
    alpha = _alpha(learning_rate, step, beta_1, beta_2)
    if v_hat is None:
        return w - alpha * m / (xp().sqrt(v) + epsilon), m, v
    v_hat = xp().maximum(v_hat, v)
    return w - alpha * m / (xp().sqrt(v_hat) + epsilon), m, v, v_hat


def _alpha(learning_rate: Array, step: Array, beta_1: float, beta_2: float) -> Array:
    """learning_rate * sqrt(1 - beta_2^t) / (1 - beta_1^t)"""
    return learning_rate * xp().sqrt(1 - beta_2**step) / (1 - beta_1**step)


def _adam_kernel(
    slots: int, *, learning_rate: Array, step: Array, beta_1: float, beta_2: float, epsilon: float
) -> tuple[str, list[Array], list[float]] | None:
    alpha = _alpha(learning_rate, step, beta_1, beta_2)
    return ("adam", [alpha], [1 - beta_1, 1 - beta_2, epsilon]) if slots == 2 else None


UPDATE_KERNELS[adam] = _adam_kernel


class _AdamFamily(Optimizer):
    """The arguments that `Adam`, `Adamax`, `Nadam` and `Lamb` share."""

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        **common: Any,
    ) -> None:
        super().__init__(learning_rate, **common)
        self._check_decay(beta_1=beta_1, beta_2=beta_2)
        self.beta_1, self.beta_2, self.epsilon = beta_1, beta_2, epsilon

    def slots(self) -> list[tuple[str, ...]]:
        return [("momentum", "velocity")]


class Adam(_AdamFamily):
    """m <- beta_1 m + (1 - beta_1) g,  v <- beta_2 v + (1 - beta_2) g^2,  w <- w - alpha m / (sqrt(v) + epsilon)

    with alpha = learning_rate * sqrt(1 - beta_2^t) / (1 - beta_1^t) at step t = 1, 2, ... Epsilon is added before the
    bias of v is corrected, as in Keras. The textbook (`layerwise.fundamentals.Adam`) adds it after; its steps are these
    with epsilon_t = epsilon * sqrt(1 - beta_2^t). With `amsgrad` the largest v so far takes the place of v.

    Sources: Kingma and Ba, "Adam: a method for stochastic optimization", 2015; Reddi et al., "On the convergence of
    Adam and beyond", 2018.

    >>> from layerwise import Variable
    >>> w = Variable([1.0, 2.0])
    >>> _ = Adam(learning_rate=0.1).apply_gradients([([0.5, -9.0], w)])
    >>> w.numpy().round(4)
    array([0.9, 2.1], dtype=float32)
    """

    rule = staticmethod(adam)

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        amsgrad: bool = False,
        **common: Any,
    ) -> None:
        super().__init__(learning_rate, beta_1, beta_2, epsilon, **common)
        self.amsgrad = amsgrad

    def slots(self) -> list[tuple[str, ...]]:
        return super().slots() + ([("velocity_hat",)] if self.amsgrad else [])


class AdamW(Adam):
    """w <- w - learning_rate * weight_decay * w, then a step of `Adam`: decay that is not scaled by the gradients' size

    learning_rate, beta_1, beta_2, epsilon, amsgrad: as of `Adam`.

    Source: Loshchilov and Hutter, "Decoupled weight decay regularization", 2019.

    >>> from layerwise import Variable
    >>> w = Variable([1.0])
    >>> _ = AdamW(learning_rate=0.1, weight_decay=0.5).apply_gradients([([0.0], w)])
    >>> w.numpy()
    array([0.95], dtype=float32)
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        weight_decay: float = 0.004,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        amsgrad: bool = False,
        **common: Any,
    ) -> None:
        self._check("weight_decay", weight_decay, weight_decay is not None, "a number >= 0; without decay, use Adam")
        super().__init__(learning_rate, beta_1, beta_2, epsilon, amsgrad, weight_decay=weight_decay, **common)


def adamax(
    w: Array,
    g: Array,
    m: Array,
    u: Array,
    *,
    learning_rate: Array,
    step: Array,
    beta_1: float,
    beta_2: float,
    epsilon: float,
) -> tuple[Array, ...]:
    """One step of `Adamax`."""
    m = m + (g - m) * (1 - beta_1)
    u = xp().maximum(beta_2 * u, xp().abs(g))
    return w - learning_rate * m / ((1 - beta_1**step) * (u + epsilon)), m, u


class Adamax(_AdamFamily):
    """m <- beta_1 m + (1 - beta_1) g,  u <- max(beta_2 u, |g|),  w <- w - alpha m / (u + epsilon)

    with alpha = learning_rate / (1 - beta_1^t) at step t = 1, 2, ...

    `Adam` with the largest gradient, decaying, in place of the root of the mean square.

    Source: Kingma and Ba, "Adam: a method for stochastic optimization", 2015, section 7.

    >>> from layerwise import Variable
    >>> w = Variable([1.0, 2.0])
    >>> _ = Adamax(learning_rate=0.5).apply_gradients([([3.0, -9.0], w)])
    >>> w.numpy().round(4)
    array([0.5, 2.5], dtype=float32)
    """

    rule = staticmethod(adamax)

    def slots(self) -> list[tuple[str, ...]]:
        return [("momentum", "norm")]


def _nesterov_momentum(beta_1: float, step: Array) -> Array:
    """mu_t = beta_1 * (1 - 0.96^t / 2), the momentum of `Nadam` at step t"""
    return beta_1 * (1 - 0.5 * 0.96**step)


def nadam(
    w: Array,
    g: Array,
    m: Array,
    v: Array,
    *,
    learning_rate: Array,
    step: Array,
    mu_product: Array,
    beta_1: float,
    beta_2: float,
    epsilon: float,
) -> tuple[Array, ...]:
    """One step of `Nadam`; `mu_product` is mu_1 ... mu_t."""
    mu, mu_next = _nesterov_momentum(beta_1, step), _nesterov_momentum(beta_1, step + 1)
    m = m + (g - m) * (1 - beta_1)
    v = v + (g * g - v) * (1 - beta_2)
    m_hat = mu_next * m / (1 - mu_product * mu_next) + (1 - mu) * g / (1 - mu_product)
    return w - learning_rate * m_hat / (xp().sqrt(v / (1 - beta_2**step)) + epsilon), m, v


class Nadam(_AdamFamily):
    """w <- w - learning_rate * m' / (sqrt(v / (1 - beta_2^t)) + epsilon)

    with m' = mu_t+1 m / (1 - mu_1 ... mu_t+1) + (1 - mu_t) g / (1 - mu_1 ... mu_t), mu_t = beta_1 (1 - 0.96^t / 2),
    and m and v as in `Adam`: Adam with Nesterov's momentum. Here epsilon is added after the bias of v is corrected.

    Source: Dozat, "Incorporating Nesterov momentum into Adam", 2016.

    >>> from layerwise import Variable
    >>> w = Variable([1.0, 2.0])
    >>> _ = Nadam(learning_rate=0.1).apply_gradients([([3.0, -9.0], w)])
    >>> w.numpy().round(4)
    array([0.8937, 2.1063], dtype=float32)
    """

    rule = staticmethod(nadam)

    def build(self, variables: Sequence[Variable]) -> None:
        if not self.built:
            super().build(variables)
            self.mu_product = self._variable("mu_product", 1.0)
            self._slots.append(self.mu_product)

    def _descend(self, gradients: list[Array], variables: list[Variable]) -> None:
        self.mu_product.assign(
            self.mu_product * _nesterov_momentum(self.beta_1, as_tensor(self.iterations + 1, "float32"))
        )
        super()._descend(gradients, variables)


def lion(w: Array, g: Array, m: Array, *, learning_rate: Array, beta_1: float, beta_2: float) -> tuple[Array, ...]:
    """One step of `Lion`."""
    return w - learning_rate * xp().sign(beta_1 * m + (1 - beta_1) * g), beta_2 * m + (1 - beta_2) * g


class Lion(Optimizer):
    """w <- w - learning_rate * sign(beta_1 m + (1 - beta_1) g),  m <- beta_2 m + (1 - beta_2) g

    One slot where `Adam` has two; learning rates are three to ten times smaller.

    Source: Chen et al., "Symbolic discovery of optimization algorithms", 2023.

    >>> from layerwise import Variable
    >>> w = Variable([1.0, 2.0])
    >>> _ = Lion(learning_rate=0.5).apply_gradients([([3.0, -9.0], w)])
    >>> w.numpy()
    array([0.5, 2.5], dtype=float32)
    """

    rule = staticmethod(lion)

    def __init__(self, learning_rate: Any = 0.001, beta_1: float = 0.9, beta_2: float = 0.99, **common: Any) -> None:
        super().__init__(learning_rate, **common)
        self._check("beta_1", beta_1, lambda value: 0 < value <= 1, "a number > 0, at most 1")
        self._check_decay(beta_1=beta_1, beta_2=beta_2)
        self.beta_1, self.beta_2 = beta_1, beta_2

    def slots(self) -> list[tuple[str, ...]]:
        return [("momentum",)]


def lamb(
    w: Array,
    g: Array,
    m: Array,
    v: Array,
    *,
    learning_rate: Array,
    step: Array,
    beta_1: float,
    beta_2: float,
    epsilon: float,
) -> tuple[Array, ...]:
    """One step of `Lamb`."""
    np = xp()
    m = m + (g - m) * (1 - beta_1)
    v = v + (g * g - v) * (1 - beta_2)
    r = m / (1 - beta_1**step) / (np.sqrt(v / (1 - beta_2**step)) + epsilon)
    w_norm, r_norm = np.sqrt(np.sum(w * w)), np.sqrt(np.sum(r * r))
    usable = (w_norm > 0) & (r_norm > 0)
    trust = np.where(usable, w_norm / np.where(usable, r_norm, 1), 1).astype(w.dtype)
    return w - trust * learning_rate * r, m, v


class Lamb(_AdamFamily):
    """r = m' / (sqrt(v') + epsilon),  w <- w - learning_rate * |w| / |r| * r

    with the bias-corrected m' and v' of `Adam` and norms over the whole variable (the quotient is 1 where one is 0):
    steps in proportion to the weights, for very large batches.
    beta_1, beta_2, epsilon: as of `Adam`.

    Source: You et al., "Large batch optimization for deep learning: training BERT in 76 minutes", 2020.

    >>> from layerwise import Variable
    >>> w = Variable([3.0, 4.0])
    >>> _ = Lamb(learning_rate=0.1).apply_gradients([([5.0, -5.0], w)])
    >>> w.numpy().round(4)
    array([2.6464, 4.3536], dtype=float32)
    """

    rule = staticmethod(lamb)


def schedule_free(
    w: Array,
    g: Array,
    z: Array,
    v: Array,
    *,
    learning_rate: Array,
    step: Array,
    beta_1: float,
    beta_2: float,
    epsilon: float,
    warmup_steps: int,
) -> tuple[Array, ...]:
    """One step of `ScheduleFreeAdamW`."""
    rate = learning_rate * xp().minimum(step / warmup_steps, 1) if warmup_steps else learning_rate
    v = v + (g * g - v) * (1 - beta_2)
    x = (w - (1 - beta_1) * z) / beta_1
    z = z - rate * g / (xp().sqrt(v / (1 - beta_2**step)) + epsilon)
    x = x + (z - x) / step
    return (1 - beta_1) * z + beta_1 * x, z, v


class ScheduleFreeAdamW(_AdamFamily):
    """z <- z - learning_rate g / (sqrt(v') + epsilon),  x <- x + (z - x) / t,  w <- (1 - beta_1) z + beta_1 x

    with the bias-corrected v' of `Adam` at step t = 1, 2, ...: x, the mean of what a plain optimizer z has passed
    through, takes the place of a learning rate that falls. The model is trained, and used, at w between the two.

    Args:
        learning_rate: a number, a `LearningRateSchedule`, or a function without arguments.
        beta_1: how near w is to the mean.
        beta_2, epsilon: as of `Adam`.
        warmup_steps: for how many steps the learning rate rises from 0.

    Source: Defazio et al., "The road less scheduled", 2024.

    >>> from layerwise import Variable
    >>> w = Variable([1.0, 2.0])
    >>> _ = ScheduleFreeAdamW(learning_rate=0.1).apply_gradients([([3.0, -9.0], w)])
    >>> w.numpy().round(4)
    array([0.9, 2.1], dtype=float32)
    """

    rule = staticmethod(schedule_free)

    def __init__(
        self,
        learning_rate: Any = 0.0025,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        warmup_steps: int = 0,
        **common: Any,
    ) -> None:
        super().__init__(learning_rate, beta_1, beta_2, epsilon, **common)
        self.warmup_steps = warmup_steps

    def initial(self, slot: str, variable: Variable) -> Any:
        return raw(variable.value) if slot == "momentum" else 0.0
