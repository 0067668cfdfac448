"""One neuron that weighs evidence and decides."""

import numpy as np
from numpy.typing import ArrayLike

from ._checks import check_floats, check_rate, check_size


class Perceptron:
    """y = step(w . x + b): 1 where w . x + b >= 0, else 0.

    It learns from its mistakes: w += learning_rate * (target - y) * x and b += learning_rate * (target - y).
    Where a line separates the two classes it makes finitely many mistakes (Novikoff, 1962); where none does, as
    for XOR, it never settles, whatever the learning rate and however long it trains (the guide does not say so).

    `weights` (n_inputs,) and `bias` start as standard normal numbers: `np.random.seed` repeats them.

    Raises:
        ValueError: `n_inputs` is no integer >= 1, or `learning_rate` no finite number > 0.

    Source: Rosenblatt, "The perceptron: a probabilistic model for information storage and organization", 1958.

    >>> np.random.seed(0)
    >>> neuron = Perceptron(2, learning_rate=0.1)
    >>> examples = [([0, 0], 0), ([0, 1], 0), ([1, 0], 0), ([1, 1], 1)]   # AND
    >>> for _ in range(50):
    ...     mistakes = [neuron.train(x, target) for x, target in examples]
    >>> mistakes, [neuron.predict(x) for x, _ in examples]
    ([0, 0, 0, 0], [0, 0, 0, 1])
    """

    def __init__(self, n_inputs: int, learning_rate: float = 0.01):
        n_inputs = check_size("Perceptron: n_inputs", n_inputs)
        self.lr = check_rate("Perceptron: learning_rate", learning_rate)
        self.weights = np.random.randn(n_inputs)
        self.bias = np.random.randn()

    def activation(self, x: float) -> int:
        """step(x) = 1 where x >= 0, else 0."""
        return 1 if x >= 0 else 0

    def predict(self, inputs: ArrayLike) -> int:
        """step(w . x + b), 0 or 1, for one example `inputs` (n_inputs,); a ValueError for any other shape."""
        inputs = check_floats("Perceptron: inputs", inputs)
        if inputs.shape != np.shape(self.weights):
            expected = f"{np.shape(self.weights)}, one example at a time"
            raise ValueError(f"Perceptron: inputs: got shape {inputs.shape}, expected {expected}")
        return self.activation(np.dot(inputs, self.weights) + self.bias)

    def train(self, inputs: ArrayLike, target: int) -> int:
        """One step of the perceptron rule on one example; returns the error target - y: -1, 0 or 1.

        Raises:
            ValueError: `inputs` is not of shape (n_inputs,), or `target` neither 0 nor 1.
        """
        if np.ndim(target) != 0 or target not in (0, 1):
            raise ValueError(f"Perceptron: target: got {target!r}, expected 0 or 1")
        error = target - self.predict(inputs)
        self.weights = self.weights + self.lr * error * np.asarray(inputs)
        self.bias = self.bias + self.lr * error
        return error
