"""What a model file keeps beside the network, so that it can be used on new images and rows."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..data.columns import Columns
from ..data.format_error import FileFormatError, decoding
from ..models import Model
from ..saving import load_model
from .pictures import LARGEST_MEAN, Classes

_LARGEST = 3.4e38  # in single precision


@dataclass
class Card:
    """What the outputs mean, and what inputs look like.

    kind            'cnn', 'mlp' or 'perceptron'; None for a model that was not made by `layerwise train`
    class_names     one an output, None for regression
    columns         what was learned of the columns of a table; None for images
    target          the column that is predicted
    pixels          the values of black and of white in the images that the model was trained on
    drawing         how drawings look that the model was trained on: the arguments of `data.images.prepare_digit`;
                    None if it was trained on something else
    classes         what such drawings look like on average
    """

    kind: str | None = None
    class_names: list[str] | None = None
    columns: Columns | None = None
    target: str | None = None
    pixels: tuple[float, float] | None = None
    drawing: dict[str, Any] | None = None
    classes: Classes | None = None

    def attach(self, model: Model) -> None:
        """Let the model's file keep it."""
        columns = self.columns and self.columns.to_json()
        classes = self.classes and vars(self.classes)
        model.file_notes = {"card": {**vars(self), "columns": columns, "classes": classes}}


def input_shape(model: Model, path: str) -> tuple[int, ...]:
    """The shape of one input of a model that has one input."""
    shape = getattr(model, "input_shape", None)  # models that no graph describes do not tell
    if not isinstance(shape, tuple) or None in shape[1:]:
        raise ValueError(f"{path}: expected a model with one input of a known shape, got {shape}")
    return shape[1:]


def read(notes: dict[str, Any], path: str) -> Card | None:
    """The card in the notes of the file at `path`, if there is one, checked."""
    kept = notes.get("card")
    if not isinstance(kept, dict):
        return None
    fields = {name: kept.get(name) for name in Card.__dataclass_fields__}
    for name, is_sound in _SOUND.items():
        if fields[name] is not None and not is_sound(fields[name]):
            raise FileFormatError(f"{path}: its card is damaged: {name}: {ascii(fields[name])[:60]}")
    if fields["columns"] is not None:
        with decoding(f"{path}: its card is damaged", ValueError):
            fields["columns"] = Columns.from_json(fields["columns"])
    if fields["classes"] is not None:
        fields["classes"] = Classes(**fields["classes"])
    return Card(**fields)


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_numbers(value: Any, *shape: int | None, low: float = -_LARGEST, high: float = _LARGEST) -> bool:
    """Whether a value is nested lists of this shape, None for any length, of numbers within these limits."""
    if not shape:
        return isinstance(value, int | float) and low <= value <= high
    length, *inner = shape
    is_list = isinstance(value, list) and length in (None, len(value))
    return is_list and all(_is_numbers(part, *inner, low=low, high=high) for part in value)


def _is_drawing(value: Any) -> bool:
    """Whether a value holds arguments of `data.images.prepare_digit`."""
    checks = {
        "fill": lambda v: _is_numbers(v, low=0.01, high=1),
        "light_on_dark": lambda v: isinstance(v, bool),
        "centre": lambda v: _is_numbers(v, 2, low=0, high=1),
        "stroke": lambda v: _is_numbers(v, low=0.001, high=1),
    }
    return isinstance(value, dict) and value.keys() <= checks.keys() and all(checks[k](v) for k, v in value.items())


def _is_classes(value: Any) -> bool:
    if not isinstance(value, dict) or value.keys() != {"means", "least"} or not _is_numbers(value["least"]):
        return False
    means = value["means"]
    side = len(means[0]) if isinstance(means, list) and means and isinstance(means[0], list) else 0
    return 0 < side <= LARGEST_MEAN and _is_numbers(means, None, side, side)


_SOUND: dict[str, Callable[[Any], bool]] = {
    "kind": _is_text,
    "class_names": lambda value: isinstance(value, list) and len(value) > 1 and all(map(_is_text, value)),
    "target": _is_text,
    "pixels": lambda value: _is_numbers(value, 2),
    "drawing": _is_drawing,
    "classes": _is_classes,
}


def load(path: str) -> tuple[Model, Card]:
    """The model in a file and its card; a model without one has classes named after their numbers."""
    if not Path(path).exists():
        raise ValueError(f"{path}: no such model file")
    model = load_model(path)
    kept = read(model.file_notes or {}, path)
    shape = getattr(model, "output_shape", None)
    outputs = shape[-1] if isinstance(shape, tuple) else 1
    if kept is not None:
        if len(kept.class_names or " ") != outputs:
            raise FileFormatError(f"{path}: its card is damaged: class_names are not one for each of {outputs} outputs")
        return model, kept
    return model, Card(class_names=[str(i) for i in range(outputs)] if outputs > 1 else None)
