"""`layerwise evaluate`."""

from argparse import Namespace
from pathlib import Path

import numpy as np

from ..data import TrainingData, images
from ..data.csv_file import is_csv
from . import card, in_one_line, say
from . import data as sources
from .pictures import save_image
from .tables import show_table

_WORST = 8  # examples that are shown


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
    outputs = model.predict(data.x_test, batch_size=256, verbose=0)
    print(result(measured(outputs, data)))
    if kept.class_names is not None:
        show_classes(outputs, data.y_test, kept.class_names)
    show_worst(outputs, data, kept.class_names, Path(options.model).parent)


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


def measured(outputs: np.ndarray, data: TrainingData) -> dict[str, float]:
    """How good a model's outputs for the test part are."""
    if data.task == "classification":
        return {"test accuracy": float(np.mean(outputs.argmax(-1) == data.y_test))}
    return {
        "test mean absolute error": float(np.mean(abs(outputs[:, 0] - data.y_test))),
        "always guessing the mean": float(np.mean(abs(data.y_test - np.mean(data.y_train)))),
    }


def result(values: dict[str, float]) -> str:
    """The same in one line."""
    if "test accuracy" in values:
        return f"test accuracy: {100 * values['test accuracy']:.1f} %"
    error, guess = values.values()
    return f"test mean absolute error: {error:.4g} (always guessing the mean: {guess:.4g})"


def show_classes(outputs: np.ndarray, labels: np.ndarray, names: list[str]) -> None:
    """Of each class: how many there are, how many of those called so are, how many of those are called so."""
    predicted = outputs.argmax(-1)
    n = len(names)
    confusion = np.bincount(labels * n + predicted, minlength=n * n).reshape(n, n)  # true class, predicted class
    right, there, called = confusion.diagonal(), confusion.sum(1), confusion.sum(0)
    rows = []
    for k, name in enumerate(names):
        wrong = np.where(np.arange(n) == k, 0, confusion[k])
        mistaken = f"{names[wrong.argmax()]} ({wrong.max()})" if wrong.any() else ""
        precision, recall = (f"{right[k] / of[k]:.1%}" if of[k] else "-" for of in (called, there))
        rows.append([name, f"{there[k]:,}", precision, recall, mistaken])
    show_table(["class", "examples", "precision", "recall", "most often taken for"], rows)


def show_worst(outputs: np.ndarray, data: TrainingData, names: list[str] | None, folder: Path) -> None:
    """The test examples that the model is most wrong about; images also as a picture."""
    rows = np.arange(len(outputs))
    places = data.test_names or [f"{i + 1:,}" for i in rows]
    if names is None:
        errors = abs(outputs[:, 0] - data.y_test)
        worst = np.argsort(-errors, kind="stable")[:_WORST]
        told = [[places[i], f"{data.y_test[i]:.6g}", f"{outputs[i, 0]:.6g}"] for i in worst]
        show_table(["test example", "is", "predicted"], told)
        return
    predicted = outputs.argmax(-1)
    margin = outputs[rows, predicted] - outputs[rows, data.y_test]
    worst = np.argsort(-margin, kind="stable")[:_WORST]
    worst = worst[margin[worst] > 0]
    told = [[places[i], names[data.y_test[i]], names[predicted[i]], f"{outputs[i].max():.3g}"] for i in worst]
    if told:
        show_table(["test example", "is", "taken for", "with"], told)
    if told and data.kind == "image" and data.x_test.shape[-1] in (1, 3):
        strip = np.concatenate([np.pad(data.x_test[i], [(0, 1), (0, 1), (0, 0)]) for i in worst], axis=1)
        try:
            place = save_image(strip, data.x_test, folder / "worst.png")
        except OSError as error:
            say([f"no picture of them: {in_one_line(error)}"])
        else:
            if place is not None:
                print(f"these, from left to right: {place}")
