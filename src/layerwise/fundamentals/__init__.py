"""The guide in plain NumPy: every class and function of it, real and tested, to be read top to bottom.

Read in this order: `perceptron` (one neuron), `activations`, `losses`, `network` (forward and backward), `optimizers`.
All of it computes in float64 and imports nothing else of Layerwise; the framework is tested against it.

>>> import numpy as np
>>> np.random.seed(0)
>>> x, y = np.array([[0, 0], [0, 1], [1, 0], [1, 1]]), np.array([[1, 0], [0, 1], [0, 1], [1, 0]])   # XOR
>>> network = NeuralNetwork([2, 8, 2])
>>> for _ in range(500):
...     network.backward(x, y, learning_rate=0.5)
>>> network.forward(x).argmax(axis=1)
array([0, 1, 1, 0])
"""

from .activations import relu, sigmoid, softmax, tanh
from .losses import binary_crossentropy, categorical_crossentropy, mean_squared_error
from .network import NeuralNetwork
from .optimizers import SGD, Adam, Optimizer
from .perceptron import Perceptron

__all__ = [
    "SGD",
    "Adam",
    "NeuralNetwork",
    "Optimizer",
    "Perceptron",
    "binary_crossentropy",
    "categorical_crossentropy",
    "mean_squared_error",
    "relu",
    "sigmoid",
    "softmax",
    "tanh",
]


def __dir__() -> list[str]:
    return __all__
