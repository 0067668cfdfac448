"""The networks that `layerwise train` offers, and how long each is trained."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from .. import layers, optimizers
from ..data import TrainingData
from ..losses.margin import perceptron_loss
from ..models import Sequential
from ..optimizers.schedules import CosineDecay
from .pictures import pixel_range

MANY = 10_000  # examples: with fewer, steps are small and images are augmented
_SMALLEST_FOR_CNN = 18  # pixels: what its convolutions and poolings leave nothing of
_MNIST_SIZE = 28


@dataclass(frozen=True)
class Recipe:
    """How a network is trained by default: until it has seen `examples`, within limits on the epochs."""

    examples: int
    least_epochs: int
    most_epochs: int
    batch_size: int = 32  # of small data; larger steps save time where there are many

    def epochs(self, n: int) -> int:
        return min(max(math.ceil(self.examples / n), self.least_epochs), self.most_epochs)

    def batch(self, n: int) -> int:
        return self.batch_size if n < MANY else 128


RECIPES = {
    "cnn": Recipe(35_000, 6, 60),
    "mlp": Recipe(100_000, 10, 200),
    "perceptron": Recipe(20_000, 5, 100, batch_size=1),
}
_LEARNING_RATES = {"adam": 0.002, "sgd": 0.05}  # where the optimizer's own default is not the best start


def build(kind: str, data: TrainingData, x: np.ndarray, y: np.ndarray, augment: bool | None = None) -> Sequential:
    """A network from raw inputs to class probabilities (scores of perceptrons; numbers in the target's unit).

    Everything it has to know of the data comes from x and y, the examples that it will be trained on. augment: whether
    images are varied at random in training; by default where there are few.
    """
    if data.kind == "table":
        if kind == "cnn":
            raise ValueError("--model cnn: needs images; for a table take mlp")
        if augment:
            raise ValueError("--augment: rotates and shifts images; this is a table")
    if kind == "perceptron" and data.task == "regression":
        raise ValueError("--model perceptron: decides between classes and cannot predict a number; take mlp")
    body: list[Any] = [layers.Input(x.shape[1:]), *_preprocessing(kind, data.kind, x)]
    if augment is None:
        augment = data.kind == "image" and kind != "perceptron" and len(x) < MANY
    if augment:
        body += _augmentation()
    if data.kind == "image" and kind != "cnn":
        body.append(layers.Flatten())
    body += _HIDDEN[kind]()
    outputs = len(data.class_names or "1")
    if data.task == "regression":
        mean, deviation = _moments(y)
        body += [layers.Dense(1), layers.Rescaling(float(deviation), float(mean), name="target_unit")]
    else:
        activation, start = (None, "zeros") if kind == "perceptron" else ("softmax", "glorot_uniform")
        body.append(layers.Dense(outputs, activation, kernel_initializer=start))
    return Sequential(body, name=kind)


def _preprocessing(kind: str, data_kind: str, x: np.ndarray) -> list[layers.Layer]:
    if data_kind == "table":
        mean, deviation = _moments(x)
        return [layers.Normalization(mean=mean.tolist(), variance=(deviation**2).tolist())]
    low, high = pixel_range(x)
    scale = 1 / (high - low or 1)
    first: list[layers.Layer] = [layers.Rescaling(scale, -low * scale)]
    if kind == "cnn" and min(x.shape[1:3]) < _SMALLEST_FOR_CNN:
        first += [layers.ZeroPadding2D(1), layers.Resizing(_MNIST_SIZE, _MNIST_SIZE)]  # convolutions see edges less
    return first


def _moments(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation of each column; a column that never changes is not scaled."""
    mean, deviation = x.mean(0, dtype=np.float64), x.std(0, dtype=np.float64)
    return mean, np.where(deviation > 1e-12 * abs(mean), deviation, 1.0)


def _augmentation() -> list[layers.Layer]:
    return [layers.RandomRotation(0.03), layers.RandomTranslation(0.08, 0.08), layers.RandomZoom(0.1)]


def _cnn() -> list[layers.Layer]:
    """The guide's network up to its last layer."""
    return [
        layers.Conv2D(32, (3, 3), activation="relu"),
        layers.MaxPooling2D((2, 2)),
        layers.Conv2D(64, (3, 3), activation="relu"),
        layers.MaxPooling2D((2, 2)),
        layers.Conv2D(64, (3, 3), activation="relu"),
        layers.Flatten(),
        layers.Dense(64, activation="relu"),
        layers.Dropout(0.5),
    ]


def _mlp() -> list[layers.Layer]:
    return [layers.Dense(128, activation="relu"), layers.Dense(64, activation="relu")]


_HIDDEN = {"cnn": _cnn, "mlp": _mlp, "perceptron": list}


def compile_model(
    model: Sequential,
    kind: str,
    y: np.ndarray,
    task: str,
    steps: int,
    optimizer: str | None = None,
    learning_rate: float | None = None,
) -> None:
    """Choose optimizer, loss and metric; the learning rate falls along half a cosine to zero over `steps`."""
    if kind == "perceptron":
        if optimizer is not None:
            raise ValueError("--optimizer: perceptrons are trained by the perceptron rule alone")
        model.compile(optimizers.SGD(learning_rate or 0.01), perceptron_loss, metrics=["accuracy"])
        return
    chosen = optimizers.get(optimizer or "adam")
    rate = learning_rate or _LEARNING_RATES.get(type(chosen).__name__.lower(), float(chosen.learning_rate))
    chosen = type(chosen)(learning_rate=CosineDecay(rate, steps))
    if task == "regression":
        # The outputs are in the target's unit; divided by its variance the loss is that of standardised targets.
        _, deviation = _moments(y)
        model.compile(chosen, "mean_squared_error", loss_weights=float(deviation) ** -2, metrics=["mae"])
    else:
        model.compile(chosen, "sparse_categorical_crossentropy", metrics=["accuracy"])
