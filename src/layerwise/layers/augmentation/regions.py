"""Layers that take parts of images, or put others in their place: crops, erased and mixed parts, other sizes."""

from collections.abc import Sequence
from typing import Any

from ... import ops, random
from ...autograd import Tensor, as_tensor
from ...naming import expect, one_of, whole_number
from ...ops.convolution import one_for_each_axis
from .base import Augmentation, Drawn, Factor, ImageLayer, Moving, checked_bounds, checked_range, is_number


class Resizing(Moving, options_of=ImageLayer):
    """y = images of another height and width

    Args:
        height, width: of the result.
        interpolation: "nearest", "bilinear", "bicubic", "lanczos3" or "lanczos5".
        crop_to_aspect_ratio: cut away what would be distorted.
        pad_to_aspect_ratio: add a border rather than distort.
        fill_mode, fill_value: what the border is made of.
        antialias: whether to smooth before making images smaller.

    >>> from layerwise import layers, ops
    >>> layers.Resizing(28, 28)(ops.zeros((2, 8, 8, 1))).shape
    (2, 28, 28, 1)
    """

    keeps_dtype = True

    def __init__(
        self,
        height: int,
        width: int,
        interpolation: str = "bilinear",
        crop_to_aspect_ratio: bool = False,
        pad_to_aspect_ratio: bool = False,
        fill_mode: str = "constant",
        fill_value: float = 0.0,
        antialias: bool = False,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self.height, self.width = one_for_each_axis((height, width), 2, "Resizing: (height, width)")
        one_of("Resizing: interpolation", interpolation, "nearest", *ops.image.KERNELS)
        if crop_to_aspect_ratio and pad_to_aspect_ratio:
            raise ValueError("Resizing: crop_to_aspect_ratio and pad_to_aspect_ratio: expected at most one of them")
        self.interpolation, self.antialias = interpolation, antialias
        self.crop_to_aspect_ratio, self.pad_to_aspect_ratio = crop_to_aspect_ratio, pad_to_aspect_ratio
        self.fill_mode, self.fill_value = fill_mode, fill_value

    def seen(self, x: Tensor, drawn: Drawn, interpolation: str) -> Tensor:
        return ops.image.resize(
            x,
            (self.height, self.width),
            interpolation,
            self.antialias,
            self.crop_to_aspect_ratio,
            self.pad_to_aspect_ratio,
            self.fill_mode,
            self.fill_value,
            "channels_last",
        )

    def new_size(self, height: int, width: int) -> tuple[int, int]:
        return self.height, self.width

    def move_boxes(self, corners: Tensor, drawn: Drawn) -> Tensor:
        height, width = drawn["size"]
        down, right = self.height / height, self.width / width
        if self.crop_to_aspect_ratio or self.pad_to_aspect_ratio:
            down = right = (max if self.crop_to_aspect_ratio else min)(down, right)
        from_top, from_left = (self.height - height * down) / 2, (self.width - width * right) / 2
        from_top, from_left = int(from_top), int(from_left)  # what is cut away or added is counted in whole pixels
        factor, shift = (as_tensor(pair * 2, corners.dtype) for pair in ([right, down], [from_left, from_top]))
        return corners * factor + shift


class CenterCrop(Moving, options_of=ImageLayer):
    """y = the middle of each image, of this `height` and `width`

    Where an image is smaller, it is the largest part of that shape, resized.

    >>> from layerwise import layers, ops
    >>> layers.CenterCrop(1, 2)(ops.reshape(ops.arange(12.0), (3, 4, 1)))[..., 0]
    Tensor([[5., 6.]], shape=(1, 2), dtype=float32)
    """

    def __init__(self, height: int, width: int, **options: Any) -> None:
        super().__init__(**options)
        kind = type(self).__name__
        self.height, self.width = one_for_each_axis((height, width), 2, f"{kind}: (height, width)")

    def seen(self, x: Tensor, drawn: Drawn, interpolation: str) -> Tensor:
        return center_crop(x, self.height, self.width, interpolation)

    def new_size(self, height: int, width: int) -> tuple[int, int]:
        return self.height, self.width

    def move_boxes(self, corners: Tensor, drawn: Drawn) -> Tensor:
        top, left, height, width = middle(drawn["size"], self.height, self.width)
        return cropped_boxes(corners, top, left, (height, width), (self.height, self.width))


def middle(size: tuple[int, int], height: int, width: int) -> tuple[int, int, int, int]:
    """Top, left, height and width of what `center_crop` takes of an image of this size."""
    h, w = size
    if h < height or w < width:
        height, width = min(h, int(w * height / width)) or h, min(w, int(h * width / height)) or w
    return (h - height) // 2, (w - width) // 2, height, width


def center_crop(x: Tensor, height: int, width: int, interpolation: str = "bilinear") -> Tensor:
    """What `CenterCrop` computes."""
    h, w = x.shape[1:3]
    if h < height or w < width:
        size = (height, width)
        return ops.image.resize(x, size, interpolation, crop_to_aspect_ratio=True, data_format="channels_last")
    top, left = (h - height) // 2, (w - width) // 2
    return ops.image.crop_images(x, top, left, target_height=height, target_width=width, data_format="channels_last")


def cropped_boxes(corners: Tensor, top: Any, left: Any, part: Sequence[int], size: Sequence[int]) -> Tensor:
    """Boxes in a part of an image from (top, left) on, which is then resized."""
    left, top = (ops.cast(ops.reshape(as_tensor(n), (-1, 1)), corners.dtype) for n in (left, top))
    limits = as_tensor([part[1], part[0]] * 2, corners.dtype)
    moved = ops.clip(corners - ops.stack([left, top, left, top], axis=-1), 0, limits)
    return moved * as_tensor([size[1] / part[1], size[0] / part[0]] * 2, corners.dtype)


class RandomCrop(Moving, Augmentation, options_of=Augmentation):
    """y = a part of each image, of the given height and width, from a random place

    A side that is shorter than asked for is kept as it is, and resized. When not training the part is the middle one,
    as in `CenterCrop`, so that what follows meets the same shape.

    >>> from layerwise import layers, ops
    >>> layers.RandomCrop(2, 3)(ops.zeros((5, 8, 8, 1))).shape
    (5, 2, 3, 1)
    """

    def __init__(self, height: int, width: int, **options: Any) -> None:
        super().__init__(**options)
        self.height, self.width = one_for_each_axis((height, width), 2, "RandomCrop: (height, width)")

    def draw(self, x: Tensor) -> Drawn:
        (height, width), (n, h, w, _) = self._part(*x.shape[1:3]), x.shape
        top = random.randint((n, 1, 1), 0, h - height + 1, seed=self.generator)
        return {"top": top, "left": random.randint((n, 1, 1), 0, w - width + 1, seed=self.generator)}

    def _part(self, h: int, w: int) -> tuple[int, int]:
        return min(h, self.height), min(w, self.width)

    def seen(self, x: Tensor, drawn: Drawn, interpolation: str) -> Tensor:
        n, h, w, _ = x.shape
        height, width = self._part(h, w)
        image = ops.reshape(ops.arange(n), (-1, 1, 1))
        row = drawn["top"] + ops.reshape(ops.arange(height), (1, -1, 1))
        column = drawn["left"] + ops.reshape(ops.arange(width), (1, 1, -1))
        x = ops.take(ops.reshape(x, (n * h * w, -1)), (image * h + row) * w + column, axis=0)
        same = (height, width) == (self.height, self.width)
        return x if same else ops.image.resize(x, (self.height, self.width), interpolation, data_format="channels_last")

    def unchanged(self, x: Tensor) -> Tensor:
        return center_crop(x, self.height, self.width)

    def new_size(self, height: int, width: int) -> tuple[int, int]:
        return self.height, self.width

    def move_boxes(self, corners: Tensor, drawn: Drawn) -> Tensor:
        part = self._part(*drawn["size"])
        return cropped_boxes(corners, drawn["top"], drawn["left"], part, (self.height, self.width))


def rectangles(layer: Augmentation, x: Tensor, parts: Tensor) -> tuple[Tensor, Tensor]:
    """Which pixels are in a rectangle from a random place, (N, height, width, 1), and how many of all these are.

    Its height and width are `parts` (N, 2) of the image's.
    """
    inside, sizes = True, as_tensor(1.0, x.dtype)
    for axis, n in enumerate(x.shape[1:3], 1):
        length = ops.reshape(parts[:, axis - 1], (-1, 1, 1, 1)) * n
        begin = layer.number(x, (0.0, 1.0)) * (n - length)
        place = ops.reshape(ops.arange(n, dtype=x.dtype), tuple(-1 if i == axis else 1 for i in range(4)))
        inside = (place >= begin) & (place < begin + length) & inside
        sizes = sizes * length / n
    return as_tensor(inside), sizes


class RandomErasing(Augmentation):
    """y = x with a rectangle of other values in a random place, with a probability between the bounds in `factor`

    Its height and width are the roots of two numbers between the bounds in `scale`, as parts of the image's.

    Args:
        factor: the probability, from 0 to 1: (lower, upper), or one number for (0, factor).
        scale: about the part of the image that is erased, likewise.
        fill_value: what is there instead: a number, or one for each channel; None: normal noise.
        value_range: what values pixels have: (minimum, maximum).

    >>> from layerwise import layers, ops
    >>> float(layers.RandomErasing((1, 1), (1, 1), 7)(ops.zeros((1, 4, 4, 3))).numpy().max())
    7.0
    """

    def __init__(
        self,
        factor: Factor = 1.0,
        scale: Factor = (0.02, 0.33),
        fill_value: float | Sequence[float] | None = None,
        value_range: Sequence[float] = (0, 255),
        seed: int | None = None,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(seed, data_format, **kwargs)
        self.factor = checked_bounds("RandomErasing: factor", factor, 0)
        self.scale = checked_bounds("RandomErasing: scale", scale, 0)
        right = fill_value is None or is_number(fill_value) or isinstance(fill_value, list | tuple)
        expect("RandomErasing: fill_value", fill_value, right, "a number, or one for each channel")
        self.fill_value, self.value_range = fill_value, checked_range("RandomErasing", value_range)

    def draw(self, x: Tensor) -> Drawn:
        parts = random.uniform((x.shape[0], 2), *self.scale, dtype=x.dtype, seed=self.generator) ** 0.5
        if self.fill_value is None:
            fill = random.normal(x.shape, dtype=x.dtype, seed=self.generator) * self.value_range[1]
        else:
            fill = as_tensor(self.fill_value, x.dtype)
        inside = rectangles(self, x, parts)[0] & self.chosen(x, self.factor)
        return {"inside": inside, "fill_value": ops.clip(fill, *self.value_range)}

    def augment(self, x: Tensor, drawn: Drawn) -> Tensor:
        return ops.where(drawn["inside"], drawn["fill_value"], x)


class Mixing(Augmentation):
    """The common part of layers that mix each image with another one of the batch: labels are mixed likewise."""

    def transform_labels(self, labels: Any, transformation: Drawn | None = None, training: bool = True) -> Any:
        labels = as_tensor(labels)
        if transformation is None or transformation["permutation_order"].shape[0] == 1:
            return labels
        weight = ops.reshape(transformation["mix_weight"], (-1, *(1,) * (labels.ndim - 1)))
        return weight * labels + (1 - weight) * ops.take(labels, transformation["permutation_order"], axis=0)

    def transform_segmentation_masks(
        self, segmentation_masks: Any, transformation: Drawn | None = None, training: bool = True
    ) -> Any:
        if transformation is None:
            return segmentation_masks
        return self._in_batches(as_tensor(segmentation_masks), lambda x: self.augment(x, transformation))


class CutMix(Mixing):
    """y = x with a rectangle of another image of the batch; labels in proportion (Yun et al. 2019)

    1 - w is the part of the image that the rectangle has, w ~ Beta(a, a), a between the bounds in `factor`; labels
    become w label + (1 - w) the other's, and have to be numbers that can be mixed: one-hot rows.

    Args:
        factor: (lower, upper), from 0 to 1, or one number for (0, factor).

    >>> from layerwise import layers, ops
    >>> y = layers.CutMix(seed=1)({"images": ops.ones((2, 8, 8, 3)), "labels": ops.eye(2)})
    >>> y["labels"].shape
    (2, 2)
    """

    def __init__(
        self, factor: Factor = 1.0, seed: int | None = None, data_format: str | None = None, **kwargs: Any
    ) -> None:
        super().__init__(seed, data_format, **kwargs)
        self.factor = checked_bounds("CutMix: factor", factor, 0)

    def draw(self, x: Tensor) -> Drawn:
        n = x.shape[0]
        alpha = random.uniform((), *self.factor, dtype=x.dtype, seed=self.generator) + 1e-6
        weight = random.beta((n, 1), alpha, alpha, dtype=x.dtype, seed=self.generator)
        inside, part = rectangles(self, x, ops.broadcast_to((1 - weight) ** 0.5, (n, 2)))
        return {"permutation_order": random.permutation(n, self.generator), "inside": inside, "mix_weight": 1 - part}

    def augment(self, x: Tensor, drawn: Drawn) -> Tensor:
        return ops.where(drawn["inside"], ops.take(x, drawn["permutation_order"], axis=0), x)

    def _moved_boxes(self, given: Tensor, labels: Tensor, drawn: Drawn) -> tuple[Tensor, Tensor]:
        raise ValueError(f"layer {self.name!r} (CutMix): boxes are not cut; mix images with boxes by MixUp")


class MixUp(Mixing):
    """y = w x + (1 - w) another image of the batch, w ~ Beta(alpha, alpha); labels likewise (Zhang et al. 2018)

    Boxes are those of both images.

    Args:
        alpha: the larger, the more are both images seen.

    >>> from layerwise import layers, ops
    >>> layers.MixUp(seed=1)({"images": ops.ones((2, 8, 8, 3)), "labels": ops.eye(2)})["labels"].shape
    (2, 2)
    """

    def __init__(
        self, alpha: float = 0.2, data_format: str | None = None, seed: int | None = None, **kwargs: Any
    ) -> None:
        super().__init__(seed, data_format, **kwargs)
        expect("MixUp: alpha", alpha, lambda alpha: alpha > 0, "a number > 0")
        self.alpha = alpha

    def draw(self, x: Tensor) -> Drawn:
        n = x.shape[0]
        weight = random.beta((n, 1, 1, 1), self.alpha, self.alpha, dtype=x.dtype, seed=self.generator)
        return {"permutation_order": random.permutation(n, self.generator), "mix_weight": weight}

    def augment(self, x: Tensor, drawn: Drawn) -> Tensor:
        weight = drawn["mix_weight"]
        return weight * x + (1 - weight) * ops.take(x, drawn["permutation_order"], axis=0)

    def _moved_boxes(self, given: Tensor, labels: Tensor, drawn: Drawn) -> tuple[Tensor, Tensor]:
        both = ([x, ops.take(x, drawn["permutation_order"], axis=0)] for x in (given, labels))
        given, labels = (ops.concatenate(pair, axis=1) for pair in both)
        return given, labels


class MaxNumBoundingBoxes(ImageLayer):
    """The same images with `max_number` boxes each: the first ones, or with more boxes of `fill_value`, and such labels

    >>> from layerwise import layers, ops
    >>> x = {"images": ops.ones((1, 8, 8, 3)), "bounding_boxes": {"boxes": [[[0, 0, 4, 4]]], "labels": [[1]]}}
    >>> layers.MaxNumBoundingBoxes(2, bounding_box_format="xyxy")(x)["bounding_boxes"]["labels"]
    Tensor([[ 1, -1]], shape=(1, 2), dtype=int32)
    """

    def __init__(self, max_number: int, fill_value: int = -1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.max_number = whole_number("MaxNumBoundingBoxes: max_number", max_number)
        self.fill_value = int(fill_value)

    def _moved_boxes(self, given: Tensor, labels: Tensor, drawn: Drawn) -> tuple[Tensor, Tensor]:
        more = max(self.max_number - given.shape[1], 0)

        def fitted(x: Tensor) -> Tensor:
            widths = [(0, more if axis == 1 else 0) for axis in range(x.ndim)]
            return ops.pad(x[:, : self.max_number], widths, constant_values=self.fill_value)

        return fitted(given), fitted(labels)
