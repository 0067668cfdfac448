"""`layerwise predict`."""

from argparse import Namespace
from pathlib import Path

import numpy as np

from .. import layers
from ..data import images, read_csv
from ..data.table import column_names
from ..models import Model
from . import card
from .pictures import save_image

_MOST_SHOWN = 3


def run(options: Namespace) -> None:
    """Say what a model makes of images, or of the rows of tables."""
    model, kept = card.load(options.model)
    shape = card.input_shape(model, options.model)
    if len(shape) == 1:
        for path in options.inputs:
            outputs = model.predict(_rows(path, kept, shape[0]), verbose=0)
            for number, output in enumerate(outputs, 1):
                print(f"{path} row {number}: {_best(output, kept.class_names)}")
        return
    if len(shape) != 3 or shape[2] not in (1, 3):
        raise ValueError(f"{options.model}: takes inputs of shape {shape}, which no image has")
    height, width, channels = shape
    seen = np.stack([_image(path, kept, (height, width, channels)) for path in options.inputs])
    outputs = model.predict(_in_range(seen, model), verbose=0)
    for path, image, output in zip(options.inputs, seen, outputs):
        print(f"{path}: {_best(output, kept.class_names)}")
        if kept.class_names:
            _print_ranking(output, kept.class_names)
        if options.show:
            place = save_image(image, image, Path(path).with_suffix(".seen.png"))
            print(f"  what the network saw: {place}")


def _image(path: str, kept: card.Card, shape: tuple[int, int, int]) -> np.ndarray:
    pixels = images.read_image(path)
    if kept.drawing is None:
        return images.fit_image(pixels, shape)
    try:
        return images.prepare_digit(pixels, shape, **kept.drawing)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error


def _in_range(pixels: np.ndarray, model: Model) -> np.ndarray:
    """0..255 as what the model's first layer brings to 0..1; without such a layer 0..1."""
    first = model.layers[0]
    if isinstance(first, layers.Rescaling):
        return ((pixels / np.float32(255)) - np.asarray(first.offset, "float32")) / np.asarray(first.scale, "float32")
    return pixels / np.float32(255)


def _rows(path: str, kept: card.Card, columns: int) -> np.ndarray:
    """The rows of a .csv in the model's order of columns; the column that is predicted may be there or not."""
    if Path(path).suffix.lower() != ".csv":
        raise ValueError(f"{path}: the model was trained on a table and needs a .csv")
    table = read_csv(path, kept.target if kept.target in column_names(path) else None)
    names = kept.feature_names or list(table.feature_names)
    lacking = [name for name in names if name not in table.feature_names]
    if lacking or len(names) != columns:
        raise ValueError(f"{path}: lacks columns that the model needs: {', '.join(lacking) or f'{columns} in all'}")
    return table.x[:, [table.feature_names.index(name) for name in names]].astype(np.float32)


def _best(output: np.ndarray, class_names: list[str] | None) -> str:
    return class_names[int(output.argmax())] if class_names else f"{float(output[0]):.6g}"


def _print_ranking(output: np.ndarray, class_names: list[str]) -> None:
    """The best classes with their probabilities, or with their scores where the outputs are no probabilities."""
    is_probability = output.min() >= 0 and abs(output.sum() - 1) < 1e-3
    for k in np.argsort(-output, kind="stable")[:_MOST_SHOWN]:
        value = f"{100 * output[k]:5.1f} %" if is_probability else f"score {output[k]:.3g}"
        print(f"  {value}  {class_names[k]}")
