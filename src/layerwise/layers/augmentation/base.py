"""What layers on images share: one image or a batch, channels first or last, and what belongs to images."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ... import ops, random
from ...autograd import Tensor, as_tensor
from ...config import checked_data_format
from ...naming import one_of
from ..base import Layer
from . import boxes

Drawn = dict[str, Any]
Factor = float | Sequence[float]


class ImageLayer(Layer):
    """The common part of layers on images: (height, width, channels), a batch of them, or a dict with more.

    A dict has "images", and may have "labels", "segmentation_masks" (images of class numbers) and "bounding_boxes",
    which are a dict of "boxes" (batch, number, 4) and "labels" (batch, number); each is changed as the images are.

    Args:
        data_format: "channels_last" or "channels_first"; None: as configured.
        bounding_box_format: what a box's numbers are: "xyxy" (left, top, right, bottom), "yxyx", "xywh" (left, top,
            width, height), "center_xywh" or "center_yxhw"; with "rel_" before it, as parts of the image's size.
    """

    built = True
    acts_always = True  # rather than in training only
    keeps_dtype = False  # of images; otherwise they are brought to the layer's

    def __init__(self, data_format: str | None = None, **kwargs: Any) -> None:
        form = kwargs.pop("bounding_box_format", None)
        super().__init__(**kwargs)
        self.data_format = checked_data_format(data_format)
        if form is not None:
            one_of(f"{type(self).__name__}: bounding_box_format", form, *boxes.FORMS)
        self.bounding_box_format = form

    def get_config(self) -> dict[str, Any]:
        config = super().get_config() | {"data_format": self.data_format}
        form = self.bounding_box_format
        return config if form is None else config | {"bounding_box_format": form}

    # What a layer says ----------------------------------------------------------------------------------------------

    def draw(self, x: Tensor) -> Drawn:
        """What is to be known of a change of the images x, channels last: random numbers, by name."""
        return {}

    def augment(self, x: Tensor, drawn: Drawn) -> Tensor:
        """The images x, channels last, changed."""
        return x

    def unchanged(self, x: Tensor) -> Tensor:
        """The images x, channels last, when not training."""
        return x

    def new_size(self, height: int, width: int) -> tuple[int, int]:
        """The size of images that were of this size."""
        return height, width

    def move_boxes(self, corners: Tensor, drawn: Drawn) -> Tensor:
        """Where boxes (batch, number, 4) of left, top, right, bottom are after the change."""
        return corners

    # The parts of data, as Keras calls them -------------------------------------------------------------------------

    def call(self, data: Any, training: bool | None = True) -> Any:
        transformation = self.get_random_transformation(data, bool(training))
        if not isinstance(data, dict):
            return self.transform_images(data, transformation, bool(training))
        changes: dict[str, Callable[..., Any]] = {
            "images": self.transform_images,
            "labels": self.transform_labels,
            "segmentation_masks": self.transform_segmentation_masks,
            "bounding_boxes": self.transform_bounding_boxes,
        }
        return {
            name: changes[name](part, transformation, bool(training)) if name in changes else part
            for name, part in data.items()
        }

    def get_random_transformation(self, data: Any, training: bool = True) -> Drawn | None:
        """What is to be known of a change of `data`; None where nothing is changed."""
        if not (training or self.acts_always):
            return None
        x = self._batch(as_tensor(data["images"] if isinstance(data, dict) else data, self.compute_dtype))
        return {"size": x.shape[1:3], **self.draw(x)}

    def transform_images(self, images: Any, transformation: Drawn | None = None, training: bool = True) -> Tensor:
        """The images after a change that `get_random_transformation` has drawn."""
        x = as_tensor(images) if self.keeps_dtype else as_tensor(images, self.compute_dtype)
        if not (training or self.acts_always):
            return self._in_batches(x, self.unchanged)
        return self._in_batches(x, lambda x: self.augment(x, transformation or {}))

    def transform_labels(self, labels: Any, transformation: Drawn | None = None, training: bool = True) -> Any:
        """The images' labels after a change."""
        return labels

    def transform_segmentation_masks(
        self, segmentation_masks: Any, transformation: Drawn | None = None, training: bool = True
    ) -> Any:
        """Images of class numbers after a change."""
        return segmentation_masks

    def transform_bounding_boxes(
        self, bounding_boxes: Any, transformation: Drawn | None = None, training: bool = True
    ) -> dict[str, Tensor]:
        """Boxes and their labels after a change; boxes that are no longer in the image have the label -1."""
        if self.bounding_box_format is None:
            raise ValueError(
                f"layer {self.name!r} ({type(self).__name__}): got bounding_boxes; say what their numbers are, for "
                "example bounding_box_format='xyxy'"
            )
        given, labels = boxes.dense(f"layer {self.name!r}", bounding_boxes)
        if transformation is None:
            return {"boxes": given, "labels": labels}
        single = given.ndim == 2
        given, labels = (ops.expand_dims(part, 0) if single else part for part in (given, labels))
        given, labels = self._moved_boxes(given, labels, transformation)
        return {"boxes": given[0] if single else given, "labels": labels[0] if single else labels}

    def _moved_boxes(self, given: Tensor, labels: Tensor, drawn: Drawn) -> tuple[Tensor, Tensor]:
        form = self.bounding_box_format or "xyxy"
        corners = self.move_boxes(boxes.to_corners(given, form, *drawn["size"]), drawn)
        size = self.new_size(*drawn["size"])
        corners, labels = boxes.clipped(corners, labels, *size)
        return boxes.from_corners(corners, form, *size), labels

    # One image or a batch -------------------------------------------------------------------------------------------

    def _batch(self, x: Tensor) -> Tensor:
        """A batch with channels last."""
        if x.ndim not in (3, 4):
            raise ValueError(
                f"layer {self.name!r} ({type(self).__name__}): input of shape {x.shape}; "
                "expected at least 3 dimensions (an image), and at most 4 (a batch of images)"
            )
        x = ops.expand_dims(x, 0) if x.ndim == 3 else x
        return ops.moveaxis(x, 1, -1) if self.data_format == "channels_first" else x

    def _in_batches(self, x: Tensor, change: Callable[[Tensor], Tensor]) -> Tensor:
        """change(x) of a batch with channels last, in the order that x has."""
        y = change(self._batch(x))
        y = ops.moveaxis(y, -1, 1) if self.data_format == "channels_first" else y
        return ops.squeeze(y, 0) if x.ndim == 3 else y


class Moving(ImageLayer):
    """The common part of layers that show pixels in other places: masks move as images do."""

    interpolation = "bilinear"

    def seen(self, x: Tensor, drawn: Drawn, interpolation: str) -> Tensor:
        """The images x, channels last, changed; values between pixels are interpolated in this way."""
        raise NotImplementedError(f"{type(self).__name__}: define seen(self, x, drawn, interpolation)")

    def augment(self, x: Tensor, drawn: Drawn) -> Tensor:
        return self.seen(x, drawn, self.interpolation)

    def transform_segmentation_masks(
        self, segmentation_masks: Any, transformation: Drawn | None = None, training: bool = True
    ) -> Any:
        masks = as_tensor(segmentation_masks)
        if transformation is None:
            return self._in_batches(masks, self.unchanged)
        return self._in_batches(masks, lambda x: self.seen(x, transformation, "nearest"))


class Augmentation(ImageLayer):
    """The common part of layers that draw.

    Args:
        seed: what the numbers drawn begin with; None: drawn itself.
    """

    acts_always = False

    def __init__(self, seed: int | None = None, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(data_format, **kwargs)
        self.seed = seed
        self.generator = random.SeedGenerator(seed)

    def number(self, x: Tensor, bounds: tuple[float, float]) -> Tensor:
        """A number between `bounds` for each image of the batch: (N, 1, 1, 1)."""
        return random.uniform((x.shape[0], 1, 1, 1), *bounds, dtype=x.dtype, seed=self.generator)

    def chosen(self, x: Tensor, bounds: tuple[float, float]) -> Tensor:
        """Whether an image is to be changed, with a probability of its own between `bounds`: (N, 1, 1, 1)."""
        return self.number(x, (0.0, 1.0)) < self.number(x, bounds)


def checked_bounds(name: str, factor: Any, least: float = -1, most: float = 1) -> tuple[float, float]:
    """(lower, upper) from a pair, or from one number: (-factor, factor), or (least, factor) where that is more."""
    pair = isinstance(factor, list | tuple) and len(factor) == 2
    if not is_number(factor) and not pair:
        raise ValueError(f"{name}: got {factor!r}, expected a number or (lower, upper)")
    if not all(is_number(f) and least <= f <= most for f in (factor if pair else [factor])):
        raise ValueError(f"{name}: got {factor!r}, expected numbers from {least} to {most}")
    return (min(factor), max(factor)) if pair else (max(-abs(factor), least), abs(factor))


def is_number(value: Any) -> bool:
    return isinstance(value, int | float | np.number) and not isinstance(value, bool)


def checked_range(kind: str, value: Any) -> tuple[float, float]:
    """`value` if it is a pair (minimum, maximum)."""
    pair = isinstance(value, list | tuple) and len(value) == 2 and all(map(is_number, value))
    if not pair or value[0] >= value[1]:
        raise ValueError(f"{kind}: value_range: got {value!r}, expected (minimum, maximum)")
    return tuple(value)


def rescaled(x: Tensor, before: Sequence[float], after: Sequence[float]) -> Tensor:
    """Values of one range brought to another one."""
    if tuple(before) == tuple(after):
        return x
    return (x - before[0]) * ((after[1] - after[0]) / (before[1] - before[0])) + after[0]
