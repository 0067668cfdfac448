"""Gradient descent, with momentum."""

from typing import Any

from ..autograd import Array
from ..backends.base import UPDATE_KERNELS
from .base import Optimizer


def sgd(
    w: Array, g: Array, m: Array = None, *, learning_rate: Array, momentum: float, nesterov: bool
) -> tuple[Array, ...]:
    """One step of `SGD`."""
    step = learning_rate * g
    if m is None:
        return (w - step,)
    m = momentum * m - step
    return (w + momentum * m - step if nesterov else w + m), m


def _momentum_kernel(
    slots: int, *, learning_rate: Array, momentum: float, nesterov: bool
) -> tuple[str, list[Array], list[float]] | None:
    return ("momentum", [learning_rate], [momentum]) if slots == 1 and not nesterov else None


UPDATE_KERNELS[sgd] = _momentum_kernel


class SGD(Optimizer):
    """w <- w - learning_rate * g, and with momentum m <- momentum * m - learning_rate * g, w <- w + m

    With `nesterov` the last is w <- w + momentum * m - learning_rate * g: the gradient counts as if taken after the
    momentum's move. The whole data set as one batch is gradient descent, one example at a time stochastic gradient
    descent, all between mini-batch gradient descent.

    Sources: Robbins and Monro, "A stochastic approximation method", 1951; Sutskever et al., "On the importance of
    initialization and momentum in deep learning", 2013.

    >>> from layerwise import Variable
    >>> w = Variable([1.0, 2.0])
    >>> _ = SGD(learning_rate=0.1).apply_gradients([([10.0, -10.0], w)])
    >>> w.numpy()
    array([0., 3.], dtype=float32)
    """

    rule = staticmethod(sgd)

    def __init__(self, learning_rate: Any = 0.01, momentum: float = 0.0, nesterov: bool = False, **common: Any) -> None:
        super().__init__(learning_rate, **common)
        self._check("momentum", momentum, lambda value: 0 <= value <= 1, "a number from 0 to 1")
        self.momentum, self.nesterov = momentum, nesterov

    def slots(self) -> list[tuple[str, ...]]:
        return [("momentum",)] if self.momentum else []
