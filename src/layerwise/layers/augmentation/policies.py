"""Layers that choose among other layers: RandAugment and AugMix."""

from collections.abc import Callable, Sequence
from typing import Any

from ... import ops, random
from ...autograd import Tensor, as_tensor, raw
from ...backends import backend
from ...naming import expect, one_of, whole_number
from .base import Augmentation, Drawn, Factor, ImageLayer, Moving, checked_bounds, checked_range
from .colours import (
    AutoContrast,
    RandomBrightness,
    RandomColorDegeneration,
    RandomContrast,
    RandomPosterization,
    RandomSharpness,
    Solarization,
)
from .histograms import Equalization
from .places import RandomRotation, RandomShear, RandomTranslation

PARTS = """
    random_shear random_translation random_rotation random_brightness random_color_degeneration random_contrast
    random_sharpness random_posterization solarization auto_contrast equalization
""".split()
Change = Callable[[ImageLayer, Any, Any], Any]  # (layer, what was drawn for it, x) -> x changed


class Policy(Augmentation):
    """The common part: the layers to choose from, which are attributes.

    Args:
        value_range: what values pixels have: (minimum, maximum).
        factor: how much is changed, from 0 to 1: (lower, upper), or one number for (0, factor).
        interpolation: between pixels: "nearest" or "bilinear".
    """

    def __init__(
        self,
        value_range: Sequence[float],
        factor: Factor,
        interpolation: str,
        seed: int | None,
        data_format: str | None,
        all_ops: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(seed, data_format, **kwargs)
        kind = type(self).__name__
        self.value_range = checked_range(kind, value_range)
        self.factor = factor = checked_bounds(f"{kind}: factor", factor, 0)
        self.interpolation = one_of(f"{kind}: interpolation", interpolation, "nearest", "bilinear")
        plain: dict[str, Any] = {"data_format": data_format, "dtype": self.dtype_policy}
        drawing = plain | {"seed": seed}
        moving = drawing | {"interpolation": interpolation}
        coloured = drawing | {"value_range": value_range}
        self.random_shear = RandomShear(factor, factor, **moving)
        self.random_translation = RandomTranslation(factor, factor, **moving)
        self.random_rotation = RandomRotation(factor, **moving)
        if all_ops:
            self.random_brightness = RandomBrightness(factor, **coloured)
            self.random_color_degeneration = RandomColorDegeneration(factor, **coloured)
            self.random_contrast = RandomContrast(factor, **coloured)
            self.random_sharpness = RandomSharpness(factor, **coloured)
        self.random_posterization = RandomPosterization(max(1, int(8 * factor[1])), **coloured)
        self.solarization = Solarization(factor, factor, **coloured)
        self.auto_contrast = AutoContrast(value_range, **plain)
        self.equalization = Equalization(value_range, **plain)

    def parts(self) -> list[ImageLayer]:
        """The layers to choose from."""
        return [getattr(self, name) for name in PARTS if hasattr(self, name)]


def by_number(number: Tensor, parts: Sequence[ImageLayer], drawn: Sequence[Drawn], x: Any, change: Change) -> Any:
    """x changed by the layer of a number that was drawn; x itself where the number is that of none."""
    if not number.symbolic and not backend().traced(raw(number)):
        i = int(number)
        return change(parts[i], drawn[i], x) if i < len(parts) else x
    y = x
    for i, part in enumerate(parts):
        y = ops.where(number == i, change(part, drawn[i], x), y)
    return y


def _augmented(part: ImageLayer, drawn: Drawn, x: Tensor) -> Tensor:
    return part.augment(x, drawn)


class RandAugment(Policy):
    """y = x after `num_ops` layers, for each batch others of eleven (Cubuk et al. 2020)

    They are `RandomShear`, `RandomTranslation`, `RandomRotation`, `RandomBrightness`, `RandomColorDegeneration`,
    `RandomContrast`, `RandomSharpness`, `RandomPosterization`, `Solarization`, `AutoContrast` and `Equalization`. In a
    step that is compiled all of them are computed.

    Args:
        num_ops: how many layers are applied.

    >>> from layerwise import layers, ops
    >>> layers.RandAugment(seed=1)(ops.ones((2, 8, 8, 3))).shape
    (2, 8, 8, 3)
    """

    def __init__(
        self,
        value_range: Sequence[float] = (0, 255),
        num_ops: int = 2,
        factor: Factor = 0.5,
        interpolation: str = "bilinear",
        seed: int | None = None,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(value_range, factor, interpolation, seed, data_format, **kwargs)
        self.num_ops = whole_number("RandAugment: num_ops", num_ops)
        expect("RandAugment: num_ops", num_ops, num_ops <= 1000, "at most 1,000")

    def draw(self, x: Tensor) -> Drawn:
        parts = self.parts()
        numbers = random.randint((self.num_ops,), 0, len(parts), seed=self.generator)
        return {"layer_idxes": numbers, "transforms": [{"size": x.shape[1:3], **part.draw(x)} for part in parts]}

    def _applied(self, x: Any, drawn: Drawn, change: Change) -> Any:
        for i in range(self.num_ops):
            x = by_number(drawn["layer_idxes"][i], self.parts(), drawn["transforms"], x, change)
        return x

    def augment(self, x: Tensor, drawn: Drawn) -> Tensor:
        return self._applied(x, drawn, _augmented)

    def move_boxes(self, corners: Tensor, drawn: Drawn) -> Tensor:
        return self._applied(corners, drawn, lambda part, drawn, corners: part.move_boxes(corners, drawn))

    def transform_segmentation_masks(
        self, segmentation_masks: Any, transformation: Drawn | None = None, training: bool = True
    ) -> Any:
        if transformation is None:
            return segmentation_masks

        def moved(part: ImageLayer, drawn: Drawn, x: Tensor) -> Tensor:
            return part.seen(x, drawn, "nearest") if isinstance(part, Moving) else x

        return self._in_batches(as_tensor(segmentation_masks), lambda x: self._applied(x, transformation, moved))


class AugMix(Policy):
    """y = w x + (1 - w) sum over chains c of v_c x_c, x_c being x after up to `chain_depth` layers

    v ~ Dirichlet(alpha, ..., alpha) and w ~ Beta(alpha, alpha) are drawn for each batch, as are the layers, of the
    eleven that `RandAugment` names, or none. (Hendrycks et al. 2020)

    Args:
        num_chains: how many chains there are.
        chain_depth: how many layers each has at most.
        alpha: the larger, the more alike are the weights.
        all_ops: whether to choose from all layers; False: without brightness, colours, contrast and sharpness.

    >>> from layerwise import layers, ops
    >>> layers.AugMix(seed=1)(ops.ones((2, 8, 8, 3))).shape
    (2, 8, 8, 3)
    """

    def __init__(
        self,
        value_range: Sequence[float] = (0, 255),
        num_chains: int = 3,
        chain_depth: int = 3,
        factor: Factor = 0.3,
        alpha: float = 1.0,
        all_ops: bool = True,
        interpolation: str = "bilinear",
        seed: int | None = None,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(value_range, factor, interpolation, seed, data_format, all_ops, **kwargs)
        self.num_chains = whole_number("AugMix: num_chains", num_chains)
        self.chain_depth = whole_number("AugMix: chain_depth", chain_depth)
        transforms = num_chains * chain_depth
        expect("AugMix: num_chains * chain_depth", transforms, transforms <= 1000, "at most 1,000 layers in all")
        self.alpha, self.all_ops = alpha, all_ops

    def draw(self, x: Tensor) -> Drawn:
        parts, shape = self.parts(), (self.num_chains, self.chain_depth)
        share = random.gamma((self.num_chains,), self.alpha, x.dtype, self.generator)
        return {
            "chain_mixing_weights": share / ops.sum(share),
            "weight_sample": random.beta((), self.alpha, self.alpha, x.dtype, self.generator),
            "numbers": random.randint(shape, 0, len(parts) + 1, seed=self.generator),
            "transforms": [[[part.draw(x) for part in parts] for _ in range(shape[1])] for _ in range(shape[0])],
        }

    def augment(self, x: Tensor, drawn: Drawn) -> Tensor:
        mixed = ops.zeros_like(x)
        for chain, transforms in enumerate(drawn["transforms"]):
            y = x
            for i, of_parts in enumerate(transforms):
                y = by_number(drawn["numbers"][chain, i], self.parts(), of_parts, y, _augmented)
            mixed = mixed + y * drawn["chain_mixing_weights"][chain]
        weight = drawn["weight_sample"]
        return ops.clip(weight * x + (1 - weight) * mixed, *self.value_range)
