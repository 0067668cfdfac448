"""Layers that rearrange, cut and resize, and those that only act in training."""

from collections.abc import Sequence
from typing import Any

from ... import layers
from ...autograd import Tensor
from ...layers.reshaping import Cropping, ZeroPadding
from .builder import Builder, Unsupported, rule

END = 2**63 - 1  # of a slice that goes to the end


@rule(
    layers.Identity, layers.Dropout, layers.AlphaDropout, layers.SpatialDropout1D, layers.SpatialDropout2D,
    layers.SpatialDropout3D, layers.GaussianNoise, layers.GaussianDropout, layers.ActivityRegularization,
    layers.RandomFlip, layers.RandomRotation, layers.RandomTranslation, layers.RandomZoom, layers.RandomShear,
    layers.RandomPerspective, layers.RandomElasticTransform, layers.RandomErasing, layers.RandomContrast,
    layers.RandomBrightness, layers.RandomHue, layers.RandomSaturation, layers.RandomColorDegeneration,
    layers.RandomColorJitter, layers.RandomSharpness, layers.RandomGaussianBlur, layers.RandomPosterization,
    layers.RandomInvert, layers.RandomGrayscale, layers.Solarization, layers.Equalization, layers.MixUp, layers.CutMix,
    layers.RandAugment, layers.AugMix, layers.MaxNumBoundingBoxes,
)  # fmt: skip
def _(b: Builder, layer: Any, xs: list[str], inputs: list[Tensor]) -> str:
    return xs[0]


@rule(layers.Flatten)
def _(b: Builder, layer: Any, xs: list[str], inputs: list[Tensor]) -> str:
    x, tensor = xs[0], inputs[0]
    if layer.data_format == "channels_first" and tensor.ndim > 2:
        x = b.channels_last(x, tensor.ndim)
    return b.add("Reshape", x, b.sizes([0, -1]))


@rule(layers.Reshape)
def _(b: Builder, layer: Any, xs: list[str], inputs: list[Tensor]) -> str:
    return b.add("Reshape", xs[0], b.sizes([0, *layer.target_shape]))


@rule(layers.Permute)
def _(b: Builder, layer: Any, xs: list[str], inputs: list[Tensor]) -> str:
    return b.add("Transpose", xs[0], perm=[0, *layer.dims])


@rule(layers.RepeatVector)
def _(b: Builder, layer: Any, xs: list[str], inputs: list[Tensor]) -> str:
    return b.add("Tile", b.add("Unsqueeze", xs[0], b.sizes([1])), b.sizes([1, layer.n, 1]))


@rule(layers.ZeroPadding1D, layers.ZeroPadding2D, layers.ZeroPadding3D)
def _(b: Builder, layer: ZeroPadding, xs: list[str], inputs: list[Tensor]) -> str:
    pairs, start = [layer.padding] if layer.rank == 1 else list(layer.padding), layer.first_axis
    full = [(0, 0)] * start + pairs + [(0, 0)] * (inputs[0].ndim - start - layer.rank)
    return b.add("Pad", xs[0], b.sizes([pair[end] for end in (0, 1) for pair in full]))


@rule(layers.Cropping1D, layers.Cropping2D, layers.Cropping3D)
def _(b: Builder, layer: Cropping, xs: list[str], inputs: list[Tensor]) -> str:
    pairs = [layer.cropping] if layer.rank == 1 else list(layer.cropping)
    return _slice(b, xs[0], layer.first_axis, [before for before, _ in pairs], [-after or END for _, after in pairs])


@rule(layers.CenterCrop, layers.RandomCrop)
def _(b: Builder, layer: Any, xs: list[str], inputs: list[Tensor]) -> str:
    start = inputs[0].ndim - (2 if layer.data_format == "channels_first" else 3)
    sizes, wanted = inputs[0].shape[start : start + 2], (layer.height, layer.width)
    if any(n is None or n < m for n, m in zip(sizes, wanted, strict=True)):
        raise Unsupported("cropping images of unknown or smaller size")
    begin = [(n - m) // 2 for n, m in zip(sizes, wanted, strict=True)]
    return _slice(b, xs[0], start, begin, [i + m for i, m in zip(begin, wanted, strict=True)])


def _slice(b: Builder, x: str, first_axis: int, starts: Sequence[int], ends: Sequence[int]) -> str:
    return b.add("Slice", x, b.sizes(starts), b.sizes(ends), b.sizes(range(first_axis, first_axis + len(starts))))


@rule(layers.UpSampling1D)
def _(b: Builder, layer: Any, xs: list[str], inputs: list[Tensor]) -> str:
    return _resized(b, xs[0], scales=[1, layer.size, 1])


@rule(layers.UpSampling3D)
def _(b: Builder, layer: Any, xs: list[str], inputs: list[Tensor]) -> str:
    first = layer.data_format == "channels_first"
    return _resized(b, xs[0], scales=[1, 1, *layer.size] if first else [1, *layer.size, 1])


@rule(layers.UpSampling2D)
def _(b: Builder, layer: Any, xs: list[str], inputs: list[Tensor]) -> str:
    if layer.interpolation not in ("nearest", "bilinear"):
        raise Unsupported(f"interpolation {layer.interpolation!r}")
    return b.in_channels_first(
        layer, xs[0], 4, lambda x: _resized(b, x, layer.interpolation, scales=[1, 1, *layer.size])
    )


@rule(layers.Resizing)
def _(b: Builder, layer: Any, xs: list[str], inputs: list[Tensor]) -> str:
    if layer.interpolation not in ("nearest", "bilinear") or layer.antialias or inputs[0].ndim != 4:
        raise Unsupported(f"interpolation {layer.interpolation!r}, or antialias")
    if layer.crop_to_aspect_ratio or layer.pad_to_aspect_ratio:
        raise Unsupported("crop_to_aspect_ratio, pad_to_aspect_ratio")
    size = [layer.height, layer.width]
    return b.in_channels_first(layer, xs[0], 4, lambda x: _resized(b, x, layer.interpolation, sizes=size))


def _resized(
    b: Builder, x: str, how: str = "nearest", scales: Sequence[float] | None = None, sizes: Sequence[int] | None = None
) -> str:
    """Nearest or bilinear interpolation between the middles of pixels: by factors, or to a height and width."""
    attributes: dict[str, Any] = {"coordinate_transformation_mode": "half_pixel"}
    attributes |= {"mode": "nearest", "nearest_mode": "round_prefer_ceil"} if how == "nearest" else {"mode": "linear"}
    if scales is not None:
        return b.add("Resize", x, "", b.constant(scales), **attributes)
    return b.add("Resize", x, "", "", b.sizes(sizes or ()), axes=[2, 3], **attributes)
