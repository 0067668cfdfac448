"""What a model file keeps beside the network, so that it can be used on new images and rows."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..data.columns import Columns
from ..models import Model
from ..saving import load_model


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
    """

    kind: str | None = None
    class_names: list[str] | None = None
    columns: Columns | None = None
    target: str | None = None
    pixels: tuple[float, float] | None = None
    drawing: dict[str, Any] | None = field(default=None)

    def attach(self, model: Model) -> None:
        """Let the model's file keep it."""
        columns = self.columns and self.columns.to_json()
        model.file_notes = {"card": {**vars(self), "columns": columns}}


def input_shape(model: Model, path: str) -> tuple[int, ...]:
    """The shape of one input of a model that has one input."""
    shape = getattr(model, "input_shape", None)  # models that no graph describes do not tell
    if not isinstance(shape, tuple) or None in shape[1:]:
        raise ValueError(f"{path}: expected a model with one input of a known shape, got {shape}")
    return shape[1:]


def read(notes: dict[str, Any]) -> Card | None:
    """The card in a file's notes, if there is one."""
    kept = notes.get("card")
    if not isinstance(kept, dict):
        return None
    fields = {name: kept.get(name) for name in Card.__dataclass_fields__}
    if fields["columns"] is not None:
        fields["columns"] = Columns.from_json(fields["columns"])
    return Card(**fields)


def load(path: str) -> tuple[Model, Card]:
    """The model in a file and its card; a model without one has classes named after their numbers."""
    if not Path(path).exists():
        raise ValueError(f"{path}: no such model file")
    model = load_model(path)
    kept = read(model.file_notes or {})
    if kept is not None:
        return model, kept
    shape = getattr(model, "output_shape", None)
    outputs = shape[-1] if isinstance(shape, tuple) else 1
    return model, Card(class_names=[str(i) for i in range(outputs)] if outputs > 1 else None)
