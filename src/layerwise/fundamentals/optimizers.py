"""Gradient descent and Adam: from weights and their gradients to better weights."""

from typing import TypeVar

import numpy as np

from ._checks import check_floats, check_rate

Parameters = TypeVar("Parameters", np.ndarray, list[np.ndarray])


class Optimizer:
    """w <- update(w, dL/dw): the base of `SGD` and `Adam`, which keeps the learning rate in `lr`.

    `weights` and `gradients` are two arrays of one shape or, for several parameters, two lists of such arrays; the
    result is the new weights, an array or a list. What is passed in is left as it was.

    Raises:
        ValueError: `learning_rate` is no finite number > 0.

    >>> class SignDescent(Optimizer):
    ...     def update(self, weights, gradients):
    ...         return weights - self.lr * np.sign(gradients)
    >>> SignDescent(0.5).update(np.array([1.0, 2.0]), np.array([3.0, -3.0]))
    array([0.5, 2.5])
    """

    def __init__(self, learning_rate: float = 0.01):
        self.lr = check_rate(f"{type(self).__name__}: learning_rate", learning_rate)


class SGD(Optimizer):
    """w <- w - learning_rate * g.

    Raises:
        ValueError: weights and gradients differ in shape or number, or hold NaN or infinity.

    Source: Robbins and Monro, "A stochastic approximation method", 1951.

    >>> SGD(learning_rate=0.1).update(np.array([1.0, 2.0]), np.array([10.0, -10.0]))
    array([0., 3.])
    """

    def update(self, weights: Parameters, gradients: Parameters) -> Parameters:
        """The new weights; see `Optimizer`."""
        pairs = _pairs("SGD.update", weights, gradients)
        return _like(weights, [w - self.lr * g for w, g in pairs])


class Adam(Optimizer):
    """m <- beta1 m + (1 - beta1) g,  v <- beta2 v + (1 - beta2) g^2,  w <- w - learning_rate m' / (sqrt(v') + epsilon)

    with the bias corrections m' = m / (1 - beta1^t) and v' = v / (1 - beta2^t) at step t = 1, 2, ...
    The guide's Adam keeps one state, in which parameters of different shapes clash and those of one shape mix; here
    each parameter has its own: use one Adam for each parameter, or one Adam and lists, always in the same order.
    As in the paper, epsilon is added after the bias correction of v; Keras and `layerwise.optimizers` add it before,
    which is the same step with epsilon_t = epsilon * sqrt(1 - beta2^t).

    Raises:
        ValueError: a learning rate or epsilon that is no finite number > 0, a beta outside [0, 1), weights and
            gradients that differ in shape or number or hold NaN, or other shapes than in the step before.

    Source: Kingma and Ba, "Adam: a method for stochastic optimization", 2015.

    >>> adam = Adam(learning_rate=0.1)
    >>> w, b = adam.update([np.array([[1.0, 2.0]]), np.array([3.0])], [np.array([[0.5, -9.0]]), np.array([0.1])])
    >>> w.round(4), b.round(4)
    (array([[0.9, 2.1]]), array([2.9]))
    """

    def __init__(self, learning_rate: float = 0.001, beta1: float = 0.9, beta2: float = 0.999, epsilon: float = 1e-8):
        super().__init__(learning_rate)
        for name, beta in (("beta1", beta1), ("beta2", beta2)):
            if not 0 <= beta < 1:
                raise ValueError(f"Adam: {name}: got {beta!r}, expected a number in [0, 1)")
        self.beta1 = beta1
        self.beta2 = beta2
        self.epsilon = check_rate("Adam: epsilon", epsilon)
        self.m: list[np.ndarray] | None = None  # one entry a parameter, as for v
        self.v: list[np.ndarray] | None = None
        self.t = 0

    def update(self, weights: Parameters, gradients: Parameters) -> Parameters:
        """The new weights; see `Optimizer`. Each call is one step t."""
        pairs = _pairs("Adam.update", weights, gradients)
        shapes = [g.shape for _, g in pairs]
        if self.m is None or self.v is None:
            self.m = [np.zeros(shape) for shape in shapes]
            self.v = [np.zeros(shape) for shape in shapes]
        if shapes != (known := [m.shape for m in self.m]):
            raise ValueError(
                f"Adam.update: weights: got shapes {shapes}, expected {known} as in the step before; "
                "use one Adam for each parameter, or pass all parameters as a list: update([w, b], [dw, db])"
            )
        self.t += 1
        updated = []
        for i, (w, g) in enumerate(pairs):
            self.m[i] = self.beta1 * self.m[i] + (1 - self.beta1) * g
            self.v[i] = self.beta2 * self.v[i] + (1 - self.beta2) * g**2
            m_hat = self.m[i] / (1 - self.beta1**self.t)
            v_hat = self.v[i] / (1 - self.beta2**self.t)
            updated.append(w - self.lr * m_hat / (np.sqrt(v_hat) + self.epsilon))
        return _like(weights, updated)


def _pairs(where: str, weights: Parameters, gradients: Parameters) -> list[tuple[np.ndarray, np.ndarray]]:
    """(weight, gradient) of each parameter, checked; a list or a tuple holds several parameters."""
    several = isinstance(weights, (list, tuple))
    if several != isinstance(gradients, (list, tuple)) or (several and len(weights) != len(gradients)):
        raise ValueError(
            f"{where}: gradients: got {_kind(gradients)}, expected {_kind(weights)}, a gradient for each parameter"
        )
    pairs = []
    for w, g in zip(weights, gradients) if several else [(weights, gradients)]:
        w, g = check_floats(f"{where}: weights", w), check_floats(f"{where}: gradients", g)
        if w.shape != g.shape:
            raise ValueError(f"{where}: gradients: got shape {g.shape}, expected {w.shape}, the shape of the weights")
        pairs.append((w, g))
    return pairs


def _kind(values: Parameters) -> str:
    return f"a list of {len(values)}" if isinstance(values, (list, tuple)) else "one array"


def _like(weights: Parameters, updated: list[np.ndarray]) -> Parameters:
    return updated if isinstance(weights, (list, tuple)) else updated[0]
