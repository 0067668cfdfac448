"""Pipeline: several layers as one."""

from collections.abc import Sequence
from typing import Any

from ..serialization import deserialize, serialize
from .base import Layer


class Pipeline(Layer):
    """y = layer_n(... layer_2(layer_1(x))), as a layer of a model, or for `Dataset.map`

    >>> from layerwise import layers
    >>> pipeline = layers.Pipeline([layers.CenterCrop(1, 2), layers.Rescaling(1 / 255)])
    >>> pipeline([[[255.0], [0.0], [255.0], [0.0]]])[..., 0]
    Tensor([[0., 1.]], shape=(1, 2), dtype=float32)
    """

    built = True

    def __init__(self, layers: Sequence[Layer], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.layers = list(layers)

    def call(self, inputs: Any, training: bool | None = True) -> Any:
        for layer in self.layers:
            options = {"training": training} if "training" in layer._call_parameters().names else {}
            inputs = layer(inputs, **options)
        return inputs

    def get_config(self) -> dict[str, Any]:
        return {"layers": [serialize(layer) for layer in self.layers], "name": self.name}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        return cls([deserialize(layer) for layer in config["layers"]], name=config.get("name"))
