"""`layerwise evaluate`."""

from argparse import Namespace

import numpy as np

from ..data import TrainingData, images
from ..data.csv_file import is_csv
from ..models import Model
from . import card, say
from . import data as sources


def run(options: Namespace) -> None:
    """Measure a saved model on the test part of some data."""
    model, kept = card.load(options.model)
    shape = card.input_shape(model, options.model)
    task = "classification" if kept.class_names else "regression"
    own = options.data not in sources.NAMES
    target = options.target or (kept.target if is_csv(options.data) else None)
    data = sources.read(options.data, target, task if own else None, delimiter=options.delimiter, columns=kept.columns)
    if data.task != task:
        raise ValueError(f"{options.data}: is for {data.task}, the model for {task}")
    data.x_test = _inputs(options, data, shape)
    if kept.class_names is not None:
        data.y_test = _labels(options, data, kept.class_names)
    print(f"data: {options.data}, {len(data.x_test):,} test examples")
    say(data.notes)
    print(result(model, data))


def _inputs(options: Namespace, data: TrainingData, shape: tuple[int, ...]) -> np.ndarray:
    """The test inputs in the form that the model takes."""
    x = data.x_test
    if data.kind == "image" and len(shape) == 3 and x.shape[1:] != shape:
        if x.shape[3] != shape[2] and x.dtype == np.uint8:
            x = np.stack([images.fit_image(image, (shape[0], shape[1], shape[2])) for image in x])
        x = sources.resized(x, (shape[0], shape[1]))
    if x.shape[1:] != shape:
        raise ValueError(f"{options.data}: examples have shape {x.shape[1:]}, the model takes {shape}")
    return x


def _labels(options: Namespace, data: TrainingData, class_names: list[str]) -> np.ndarray:
    """The test labels as places among the model's classes."""
    for name in data.class_names or ():
        if name not in class_names:
            raise ValueError(f"{options.data}: class '{name}' is not among the model's: {', '.join(class_names)}")
    return np.array([class_names.index(name) for name in data.class_names or ()])[data.y_test]


def result(model: Model, data: TrainingData) -> str:
    """How good the model is on the test part, in one line."""
    predicted = model.predict(data.x_test, batch_size=256, verbose=0)
    if data.task == "classification":
        return f"test accuracy: {np.mean(predicted.argmax(-1) == data.y_test):.1%}".replace("%", " %")
    error = np.mean(abs(predicted[:, 0] - data.y_test))
    spread = np.mean(abs(data.y_test - np.mean(data.y_train)))
    return f"test mean absolute error: {error:.4g} (always guessing the mean: {spread:.4g})"
