"""Optimizers that know a matrix from a vector: `Adafactor` keeps its rows and columns, `Muon` its directions."""

import re
from collections.abc import Sequence
from typing import Any

from ..autograd import Array
from ..backends import xp
from ..variables import Variable
from .adam import adam
from .base import Optimizer


def _rms(x: Array) -> Array:
    return xp().sqrt(xp().mean(x * x))


def adafactor(
    w: Array,
    g: Array,
    *slots: Array,
    learning_rate: Array,
    step: Array,
    beta_2_decay: float,
    epsilon_1: float,
    epsilon_2: float,
    clip_threshold: float,
) -> tuple[Array, ...]:
    """One step of `Adafactor`; the slots are rows, columns and v, or v alone."""
    np = xp()
    rho = np.minimum(learning_rate, 1 / np.sqrt(step))
    beta, square = 1 - step**beta_2_decay, g * g + epsilon_1
    if len(slots) == 3:
        rows, columns = (beta * s + (1 - beta) * np.mean(square, axis=-i) for i, s in enumerate(slots[:2], start=1))
        v = (rows / np.mean(rows, axis=-1, keepdims=True))[..., None] * columns[..., None, :]
        slots = rows, columns, v
    else:
        v = beta * slots[0] + (1 - beta) * square
        slots = (v,)
    u = g / np.sqrt(v)
    u = u / np.maximum(_rms(u) / clip_threshold, 1)
    return w - rho * np.maximum(_rms(w), epsilon_2) * u, *slots


class Adafactor(Optimizer):
    """u = g / sqrt(v),  w <- w - min(learning_rate, 1 / sqrt(t)) max(epsilon_2, |w|) u / max(1, |u| / clip_threshold)

    |x| is the root of the mean square of x. Of a matrix v_ij is r_i c_j / mean(r), where r and c are the means of g^2
    in its rows and columns, or rather their moving averages with beta = 1 - t^beta_2_decay at step t = 1, 2, ...: two
    vectors say what else takes a matrix. Of a vector v is the moving average of g^2 itself.

    Args:
        learning_rate: a number, a `LearningRateSchedule`, or a function without arguments.
        beta_2_decay: how fast beta goes to 1.
        epsilon_1: is added to g^2.
        epsilon_2: the least size that weights are taken for.
        clip_threshold: the largest |u| that is left as it is.
        relative_step: whether the rate is at most 1 / sqrt(t); it always is, in Keras too.

    Source: Shazeer and Stern, "Adafactor: adaptive learning rates with sublinear memory cost", 2018.

    >>> from layerwise import Variable
    >>> w = Variable([[3.0, 4.0]])
    >>> _ = Adafactor(learning_rate=0.1).apply_gradients([([[1.0, -1.0]], w)])
    >>> w.numpy().round(4)
    array([[2.6464, 4.3536]], dtype=float32)
    """

    rule = staticmethod(adafactor)

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_2_decay: float = -0.8,
        epsilon_1: float = 1e-30,
        epsilon_2: float = 1e-3,
        clip_threshold: float = 1.0,
        relative_step: bool = True,
        **common: Any,
    ) -> None:
        super().__init__(learning_rate, **common)
        self.beta_2_decay, self.epsilon_1, self.epsilon_2 = beta_2_decay, epsilon_1, epsilon_2
        self.clip_threshold, self.relative_step = clip_threshold, relative_step

    def build(self, variables: Sequence[Variable]) -> None:
        if self.built:
            return
        super().build(variables)
        for row, v in zip(self._rows, self._trainable, strict=True):
            matrix = len(v.shape) > 1
            shapes = (
                (v.shape[:-1], (*v.shape[:-2], v.shape[-1])) if matrix else ((), ())
            )  # files have two numbers there
            sums = [self.add_variable(shape, dtype=v.dtype if matrix else "int32", name=v.name) for shape in shapes]
            row += sums if matrix else []
            row.append(self.add_variable_from_reference(v, "velocity"))


def muon(
    w: Array,
    g: Array,
    m: Array,
    *,
    learning_rate: Array,
    momentum: float,
    nesterov: bool,
    ns_steps: int,
    muon_a: float,
    muon_b: float,
    muon_c: float,
    rms_rate: float | None,
) -> tuple[Array, ...]:
    """One step of `Muon` on a matrix."""
    np = xp()
    m = momentum * m + g
    x = g + momentum * m if nesterov else m
    tall = x.shape[0] > x.shape[1]
    x = x.T if tall else x
    x = x / (np.sqrt(np.sum(x * x)) + 1e-7)
    for _ in range(ns_steps):
        square = np.matmul(x, x.T)
        x = muon_a * x + np.matmul(muon_b * square + muon_c * np.matmul(square, square), x)
    scale = 1.0 if rms_rate is None else rms_rate * max(w.shape) ** 0.5
    return w - learning_rate * scale * (x.T if tall else x), m


def _adam_of_muon(
    w: Array,
    g: Array,
    m: Array,
    v: Array,
    *,
    learning_rate: Array,
    step: Array,
    adam_lr_ratio: float,
    adam_beta_1: float,
    adam_beta_2: float,
    epsilon: float,
) -> tuple[Array, ...]:
    rate, betas = learning_rate * adam_lr_ratio, {"beta_1": adam_beta_1, "beta_2": adam_beta_2}
    return adam(w, g, m, v, learning_rate=rate, step=step, epsilon=epsilon, **betas)


class Muon(Optimizer):
    """m <- momentum m + g,  w <- w - learning_rate rms_rate sqrt(max(rows, columns)) orthogonal(g + momentum m)

    for matrices: what is subtracted has all singular values near 1, by `ns_steps` steps of Newton and Schulz,
    x <- a x + (b x x^T + c (x x^T)^2) x. Everything else takes a step of `AdamW`: vectors, embeddings, and what
    `exclude_layers` names, which should be the output layer.

    Args:
        learning_rate: a number, a `LearningRateSchedule`, or a function without arguments.
        adam_beta_1, adam_beta_2, epsilon: those of `Adam`.
        adam_weight_decay: decay of what `Adam` changes.
        weight_decay: decay of the matrices.
        exclude_layers: patterns of paths of variables that are left to `Adam`.
        exclude_embeddings: whether those with "embedding" in their path are.
        muon_a, muon_b, muon_c: the numbers a, b, c.
        adam_lr_ratio: what `Adam` multiplies the learning rate by.
        momentum: how much of m stays.
        ns_steps: how often x is improved.
        nesterov: whether g counts once more; without it m alone.
        rms_rate: makes steps as large as those of `Adam`; None: a scale of 1 in place of rms_rate sqrt(...).

    Sources: Jordan et al., "Muon: an optimizer for hidden layers in neural networks", 2024; Liu et al., "Muon is
    scalable for LLM training", 2025.

    >>> from layerwise import Variable
    >>> w = Variable([[1.0, 0.0], [0.0, 1.0]])
    >>> _ = Muon(learning_rate=0.1, weight_decay=None).apply_gradients([([[5.0, 0.0], [0.0, 5.0]], w)])
    >>> w.numpy().round(2)
    array([[0.97, 0.  ],
           [0.  , 0.97]], dtype=float32)
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        adam_beta_1: float = 0.9,
        adam_beta_2: float = 0.999,
        adam_weight_decay: float | None = 0.004,
        epsilon: float = 1e-7,
        weight_decay: float | None = 0.004,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        use_ema: bool = False,
        ema_momentum: float = 0.99,
        ema_overwrite_frequency: int | None = None,
        loss_scale_factor: float | None = None,
        gradient_accumulation_steps: int | None = None,
        name: str | None = None,
        exclude_layers: Sequence[str] | None = None,
        exclude_embeddings: bool = True,
        muon_a: float = 3.4445,
        muon_b: float = -4.7750,
        muon_c: float = 2.0315,
        adam_lr_ratio: float = 1,
        momentum: float = 0.95,
        ns_steps: int = 5,
        nesterov: bool = True,
        rms_rate: float | None = 0.2,
    ) -> None:
        super().__init__(
            learning_rate,
            weight_decay,
            clipnorm,
            clipvalue,
            global_clipnorm,
            use_ema,
            ema_momentum,
            ema_overwrite_frequency,
            loss_scale_factor,
            gradient_accumulation_steps,
            name,
        )
        self._check_decay(adam_beta_1=adam_beta_1, adam_beta_2=adam_beta_2)
        self.adam_beta_1, self.adam_beta_2, self.epsilon = adam_beta_1, adam_beta_2, epsilon
        self.adam_weight_decay, self.adam_lr_ratio = adam_weight_decay, adam_lr_ratio
        self.exclude_layers, self.exclude_embeddings = list(exclude_layers or ()), exclude_embeddings
        self.muon_a, self.muon_b, self.muon_c, self.rms_rate = muon_a, muon_b, muon_c, rms_rate
        self.momentum, self.ns_steps, self.nesterov = momentum, ns_steps, nesterov

    def build(self, variables: Sequence[Variable]) -> None:
        if self.built:
            return
        super().build(variables)
        for row, v in zip(self._rows, self._trainable, strict=True):
            names = ["momentum"] if self._turns(v) else ["momentum", "velocity"]
            row += [self.add_variable_from_reference(v, name) for name in names]

    def _turns(self, v: Variable) -> bool:
        """Whether a variable is a matrix for Muon's own rule."""
        embedding = self.exclude_embeddings and "embedding" in v.path.lower()
        return len(v.shape) == 2 and not embedding and not any(re.search(p, v.path) for p in self.exclude_layers)

    def _descend(self, gradients: list[Array], variables: list[Variable]) -> None:
        gradients = self._clipped(gradients)
        turns = [self._turns(v) for v in variables]
        for rule, wanted in ((muon, True), (_adam_of_muon, False)):
            chosen = [i for i, turn in enumerate(turns) if turn == wanted]
            slots = [self._rows[self._get_variable_index(variables[i])] for i in chosen]
            self._update(rule, [gradients[i] for i in chosen], [variables[i] for i in chosen], slots)

    def _decay_of(self, v: Variable) -> float | None:
        return super()._decay_of(v) if self._turns(v) or self._is_spared(v) else self.adam_weight_decay
