"""A multilayer perceptron and the algorithm that trains it, backpropagation."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike

from ._checks import check_floats, check_one_hot, check_rate, check_size
from .activations import relu, softmax


class NeuralNetwork:
    """a_0 = x,  a_i = relu(a_(i-1) W_i + b_i) for the hidden layers,  p = softmax(a_(n-1) W_n + b_n).

    `layers` are the sizes from input to output, e.g. [784, 128, 64, 10]. `weights[i]` is (layers[i], layers[i + 1]),
    `biases[i]` (layers[i + 1],); `activations` holds x and each layer's output of the last forward pass.
    Weights start as normal numbers with variance 2 / n_in, repeatable by `np.random.seed`, and biases as zeros.
    The guide calls this initialisation Xavier; it is He's, made for ReLU (Xavier's variance is 2 / (n_in + n_out)).

    Raises:
        ValueError: fewer than two sizes, or a size that is no integer >= 1.

    Source: Rumelhart, Hinton, Williams, "Learning representations by back-propagating errors", 1986; He et al.,
    "Delving deep into rectifiers", 2015.

    >>> np.random.seed(0)
    >>> network = NeuralNetwork([4, 8, 3])
    >>> network.forward(np.ones((5, 4))).shape
    (5, 3)
    """

    def __init__(self, layers: Sequence[int]):
        sizes = np.atleast_1d(np.asarray(layers, dtype=object)).tolist()
        if len(sizes) < 2:
            raise ValueError(f"NeuralNetwork: layers: got {layers!r}, expected at least two sizes, input and output")
        self.layers = [check_size(f"NeuralNetwork: layers[{i}]", size) for i, size in enumerate(sizes)]
        self.weights = []
        self.biases = []
        self.activations: list[np.ndarray] = []
        for n_in, n_out in pairwise(self.layers):
            self.weights.append(np.random.randn(n_in, n_out) * np.sqrt(2.0 / n_in))
            self.biases.append(np.zeros(n_out))

    def forward(self, x: ArrayLike) -> np.ndarray:
        """Probabilities (batch, layers[-1]) for `x` (batch, layers[0]); one example (layers[0],) gives (layers[-1],).

        Raises:
            ValueError: another shape, an empty batch, or values that are NaN or infinite.
        """
        x = check_floats("NeuralNetwork.forward: x", x)
        if x.ndim not in (1, 2) or x.shape[-1] != self.layers[0] or x.shape[0] == 0:
            raise ValueError(
                f"NeuralNetwork.forward: x: got shape {x.shape}, "
                f"expected (batch, {self.layers[0]}) with at least one example, or ({self.layers[0]},)"
            )
        self.activations = [x]
        for i, (w, b) in enumerate(zip(self.weights, self.biases)):
            z = np.dot(self.activations[-1], w) + b
            self.activations.append(relu(z) if i < len(self.weights) - 1 else softmax(z))
        return self.activations[-1]

    def backward(self, x: ArrayLike, y_true: ArrayLike, learning_rate: float = 0.01) -> None:
        """W_i -= learning_rate * dL/dW_i and b_i -= learning_rate * dL/db_i, L the categorical cross-entropy.

        `x` is (batch, layers[0]), `y_true` (batch, layers[-1]) one-hot. The chain rule, from the last layer to the
        first, with delta_i = dL/dz_i of one example: delta_n = p - y (softmax and cross-entropy together),
        dL/dW_i = a_(i-1)^T delta_i / batch, dL/db_i = mean(delta_i), delta_(i-1) = delta_i W_i^T where a_(i-1) > 0.
        The guide multiplies delta by weights that it has just changed; the gradient is that of the weights before.
        It also trusts the last forward pass to have been on x with today's weights; this one runs it.

        Raises:
            ValueError: shapes that do not fit, an empty batch, rows of `y_true` that are not one-hot, or a
                `learning_rate` that is no finite number > 0. The weights are then as they were.
        """
        learning_rate = check_rate("NeuralNetwork.backward: learning_rate", learning_rate)
        x = check_floats("NeuralNetwork.backward: x", x)
        if x.ndim != 2:
            raise ValueError(f"NeuralNetwork.backward: x: got shape {x.shape}, expected (batch, {self.layers[0]})")
        y_true = check_floats("NeuralNetwork.backward: y_true", y_true)
        m = x.shape[0]
        if y_true.shape != (m, self.layers[-1]):
            raise ValueError(
                f"NeuralNetwork.backward: y_true: got shape {y_true.shape}, "
                f"expected {(m, self.layers[-1])}, one-hot rows with a column for each class"
            )
        check_one_hot("NeuralNetwork.backward: y_true", y_true)

        delta = self.forward(x) - y_true
        for i in range(len(self.weights) - 1, -1, -1):
            w = self.weights[i]
            dw = np.dot(self.activations[i].T, delta) / m
            db = np.mean(delta, axis=0)
            self.weights[i] = w - learning_rate * dw
            self.biases[i] = self.biases[i] - learning_rate * db
            if i > 0:
                delta = np.dot(delta, w.T) * (self.activations[i] > 0)
