"""`layerwise predict`."""

import math
from argparse import Namespace
from pathlib import Path

import numpy as np

from .. import layers
from ..data import images, read_csv
from ..data.cells import read_cells
from ..data.csv_file import CsvFile, is_csv
from ..models import Model
from ..terminal import printable
from . import card, say
from .pictures import save_image

_MOST_SHOWN = 3


def run(options: Namespace) -> None:
    """Say what a model makes of images, or of the rows of tables."""
    model, kept = card.load(options.model)
    shape = card.input_shape(model, options.model)
    if len(shape) == 1:
        for path in options.inputs:
            outputs = model.predict(_rows(path, kept, shape[0], options.delimiter), verbose=0)
            for number, output in enumerate(outputs, 1):
                print(f"{path} row {number}: {_best(output, kept.class_names)}")
        return
    if len(shape) != 3 or shape[2] not in (1, 3):
        raise ValueError(f"{options.model}: takes inputs of shape {shape}, which no image has")
    height, width, channels = shape
    seen = np.stack([_image(path, kept, (height, width, channels)) for path in options.inputs])
    black, white = kept.pixels or _pixels_of(model, options.model)
    outputs = model.predict(seen * np.float32((white - black) / 255) + np.float32(black), verbose=0)
    is_like = kept.classes.are_like(seen) if kept.classes else np.ones(len(seen), bool)
    for number, (path, image, output) in enumerate(zip(options.inputs, seen, outputs), 1):
        print(f"{path}: {_best(output, kept.class_names)}")
        if kept.class_names:
            _print_ranking(output, kept.class_names)
        if not is_like[number - 1]:
            print("  far from all drawings that it was trained on: do not rely on this")
        if options.show:
            folder = Path(options.model).parent / "seen"  # where no data set will find it
            folder.mkdir(exist_ok=True)
            print(f"  what the network saw: {save_image(image, image, folder / f'{number}-{Path(path).stem}.png')}")


def _image(path: str, kept: card.Card, shape: tuple[int, int, int]) -> np.ndarray:
    pixels = images.read_image(path)
    if kept.drawing is None:
        return images.fit_image(pixels, shape)
    try:
        return images.prepare_digit(pixels, shape, **kept.drawing)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error


def _pixels_of(model: Model, path: str) -> tuple[float, float]:
    """The values of black and white that a model takes: 0 and 1 or 255, whichever its first layer brings 2 apart.

    Where it begins with no layer that could tell, they are taken for 0 and 1, and this is said.
    """
    first = next((layer for layer in model.layers if not isinstance(layer, layers.InputLayer)), None)
    if isinstance(first, layers.Rescaling | layers.Normalization):
        grey = np.array([0, 1, 255], "float32").reshape(3, 1, 1, 1)
        black, one, white = np.asarray(first(np.tile(grey, model.input_shape[-1])))
        apart = [max(float(abs(value - black).max()), 1e-30) for value in (one, white)]
        return (0, 1) if abs(math.log(apart[0] / 2)) < abs(math.log(apart[1] / 2)) else (0, 255)
    say(["does not tell which values its pixels have: black is taken for 0, white for 1"], f"{path}: ")
    return 0, 1


def _rows(path: str, kept: card.Card, inputs: int, delimiter: str | None) -> np.ndarray:
    """What the rows of a .csv are to the model; the column that is predicted may be there or not."""
    if not is_csv(path):
        raise ValueError(f"{path}: the model was trained on a table and needs a .csv")
    if kept.columns is None:
        x, notes = read_csv(path, delimiter=delimiter).x, []
    else:
        file = CsvFile(path, delimiter)
        notes = file.notes + kept.columns.check([name for name in file.names if name != kept.target], path)
        x, filled = kept.columns.encode(read_cells(file, kept.columns.kinds))
        notes += filled
    say(notes, f"{path}: ")
    if x.shape[1] != inputs:
        raise ValueError(f"{path}: has {x.shape[1]} columns, the model takes {inputs}")
    return x.astype(np.float32)


def _best(output: np.ndarray, class_names: list[str] | None) -> str:
    return printable(class_names[int(output.argmax())]) if class_names else f"{float(output[0]):.6g}"


def _print_ranking(output: np.ndarray, class_names: list[str]) -> None:
    """The best classes with their probabilities, or with their scores where the outputs are no probabilities."""
    is_probability = output.min() >= 0 and abs(output.sum() - 1) < 1e-3
    for k in np.argsort(-output, kind="stable")[:_MOST_SHOWN]:
        value = f"{100 * output[k]:5.1f} %" if is_probability else f"score {output[k]:.3g}"
        print(f"  {value}  {printable(class_names[k])}")
