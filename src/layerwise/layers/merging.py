"""Several inputs into one: sums, products, extremes, concatenation."""

import functools
import string
from collections.abc import Callable, Sequence
from typing import Any

from .. import ops
from ..autograd import Tensor
from .base import Layer


def _check_several(layer: Layer, input_shape: Any) -> None:
    if not isinstance(input_shape, list | tuple) or (input_shape and not isinstance(input_shape[0], list | tuple)):
        raise ValueError(f"layer {layer.name!r} ({type(layer).__name__}): got one input, expected a list of inputs")


def _check_masks(layer: Layer, inputs: Any, masks: Any) -> None:
    count = len(inputs) if isinstance(inputs, list | tuple) else None
    if count is None or not isinstance(masks, list | tuple) or len(masks) != count:
        got = f"{len(masks)} masks" if isinstance(masks, list | tuple) else "one mask"
        raise ValueError(
            f"layer {layer.name!r} ({type(layer).__name__}): compute_mask: got {got} for "
            f"{'one input' if count is None else f'{count} inputs'}, expected a mask, or None, for each input of a list"
        )


class Merge(Layer):
    """The common part of element-wise merging: a list of at least one Tensor, whose shapes broadcast."""

    supports_masking = True
    combine: Callable[[Any, Any], Tensor]

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)

    def build(self, input_shape: Any) -> None:
        _check_several(self, input_shape)

    def call(self, inputs: Sequence[Tensor]) -> Tensor:
        ndim = max(x.ndim for x in inputs)
        # Inputs of fewer dimensions match the batch and the last ones: (N, C) with (N, T, C) is (N, 1, C).
        full = [
            x if x.ndim == ndim else ops.reshape(x, (x.shape[0], *(1,) * (ndim - x.ndim), *x.shape[1:])) for x in inputs
        ]
        return functools.reduce(type(self).combine, full)

    def compute_mask(self, inputs: Any, previous_mask: Any) -> Any:
        if previous_mask is None:
            return None
        _check_masks(self, inputs, previous_mask)
        masks = previous_mask
        return None if any(m is None for m in masks) else functools.reduce(ops.logical_or, masks)


class Add(Merge):
    """y = x1 + x2 + ...

    >>> from layerwise import layers
    >>> layers.add([layers.Input((3,)), layers.Input((3,))]).shape
    (None, 3)
    """

    combine = staticmethod(ops.add)


class Subtract(Merge):
    """y = x1 - x2"""

    combine = staticmethod(ops.subtract)

    def call(self, inputs: Sequence[Tensor]) -> Tensor:
        if len(inputs) != 2:
            raise ValueError(f"layer {self.name!r} (Subtract): got {len(inputs)} inputs, expected 2")
        return super().call(inputs)


class Multiply(Merge):
    """y = x1 x2 ..."""

    combine = staticmethod(ops.multiply)


class Average(Merge):
    """y = (x1 + x2 + ...) / how many"""

    combine = staticmethod(ops.add)

    def call(self, inputs: Sequence[Tensor]) -> Tensor:
        return super().call(inputs) / len(inputs)


class Maximum(Merge):
    """y = the largest of x1, x2, ..."""

    combine = staticmethod(ops.maximum)


class Minimum(Merge):
    """y = the smallest of x1, x2, ..."""

    combine = staticmethod(ops.minimum)


class Concatenate(Layer):
    """y = x1, x2, ... one after the other along `axis`"""

    supports_masking = True

    def __init__(self, axis: int = -1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.axis = axis

    def build(self, input_shape: Any) -> None:
        _check_several(self, input_shape)
        ranks = {len(shape) for shape in input_shape}
        if any(not -rank <= self.axis < rank for rank in ranks):
            raise ValueError(f"layer {self.name!r} (Concatenate): axis: got {self.axis} for shapes {list(input_shape)}")
        others = {tuple(n for i, n in enumerate(shape) if i != self.axis % len(shape)) for shape in input_shape}
        if len(ranks) > 1 or len(others) > 1:
            raise ValueError(
                f"layer {self.name!r} (Concatenate): got shapes {list(input_shape)}, "
                f"which may differ along axis {self.axis} only"
            )

    def call(self, inputs: Sequence[Tensor]) -> Tensor:
        return ops.concatenate(list(inputs), axis=self.axis)

    def compute_mask(self, inputs: Any, previous_mask: Any) -> Any:
        if previous_mask is None:
            return None
        _check_masks(self, inputs, previous_mask)
        known = [m for m in previous_mask if m is not None]
        if not known:
            return None
        ndim = known[0].ndim
        masks = [
            ops.ones_like(x[(..., *(0,) * (x.ndim - ndim))], dtype="bool") if m is None else m
            for x, m in zip(inputs, previous_mask, strict=True)
        ]
        axis = self.axis % inputs[0].ndim
        return ops.concatenate(masks, axis=axis) if axis < ndim else functools.reduce(ops.logical_or, masks)


class Dot(Layer):
    """y[n, i..., j...] = sum over k of x1[n, i..., k] x2[n, j..., k], k running over one axis of each of two inputs

    Of two matrices it is one number an example: (N, k), (N, k) -> (N, 1).

    Args:
        axes: which axis of the inputs is summed over: one number for both, or a pair; not the batch's, which is 0.
        normalize: whether to divide by the lengths along it, which gives cosines.

    >>> from layerwise import layers, ops
    >>> layers.Dot(1)([ops.array([[1.0, 2.0]]), ops.array([[3.0, 4.0]])])
    Tensor([[11.]], shape=(1, 1), dtype=float32)
    """

    supports_masking = True

    def __init__(self, axes: int | Sequence[int], normalize: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        pair = (axes, axes) if isinstance(axes, int) else axes
        if not isinstance(pair, list | tuple) or len(pair) != 2 or not all(isinstance(a, int) for a in pair):
            raise ValueError(f"Dot: axes: got {axes!r}, expected a whole number or a pair of them")
        self.axes, self.normalize = axes, normalize

    def build(self, input_shape: Any) -> None:
        _check_several(self, input_shape)
        self._axes(input_shape)

    def _axes(self, shapes: Sequence[Sequence[int | None]]) -> list[int]:
        """The axes counted from the first, if two inputs of these shapes have them, with equal sizes."""
        given = [self.axes] * 2 if isinstance(self.axes, int) else self.axes
        pairs = list(zip(shapes, given, strict=False))
        fits = len(shapes) == 2 and all(-len(s) <= a < len(s) and a % len(s) for s, a in pairs)
        axes = [a % len(s) for s, a in pairs] if fits else []
        sizes = {s[a] for s, a in zip(shapes, axes, strict=False)} - {None}
        if not fits or len(sizes) > 1:
            raise ValueError(
                f"layer {self.name!r} (Dot): axes={self.axes}: got inputs of shapes {[tuple(s) for s in shapes]}, "
                "expected two with these axes, of one size, none the batch's (0)"
            )
        return axes

    def equation(self, shapes: Sequence[Sequence[int | None]]) -> str:
        """The sum as `einsum` writes it, for inputs of these shapes."""
        axes = self._axes(shapes)
        first, second = list(string.ascii_lowercase[: len(shapes[0])]), list(string.ascii_uppercase[: len(shapes[1])])
        first[0] = second[0] = "n"
        first[axes[0]] = second[axes[1]] = "k"
        output = [letter for letter in (*first, *second[1:]) if letter != "k"]
        return f"{''.join(first)},{''.join(second)}->{''.join(output)}"

    def call(self, inputs: Sequence[Tensor]) -> Tensor:
        axes = self._axes([x.shape for x in inputs])
        if self.normalize:
            inputs = [ops.normalize(x, axis) for x, axis in zip(inputs, axes, strict=True)]
        y = ops.einsum(self.equation([x.shape for x in inputs]), *inputs)
        return ops.expand_dims(y, 1) if y.ndim == 1 else y

    def compute_mask(self, inputs: Any, previous_mask: Any) -> Any:
        return None


def add(inputs: Sequence[Any], **kwargs: Any) -> Tensor:
    """y = x1 + x2 + ... for the list `inputs`, as an `Add` layer."""
    return Add(**kwargs)(inputs)


def subtract(inputs: Sequence[Any], **kwargs: Any) -> Tensor:
    """y = x1 - x2 for the list `inputs`, as a `Subtract` layer."""
    return Subtract(**kwargs)(inputs)


def multiply(inputs: Sequence[Any], **kwargs: Any) -> Tensor:
    """y = x1 x2 ... for the list `inputs`, as a `Multiply` layer."""
    return Multiply(**kwargs)(inputs)


def average(inputs: Sequence[Any], **kwargs: Any) -> Tensor:
    """y = the mean of x1, x2, ... for the list `inputs`, as an `Average` layer."""
    return Average(**kwargs)(inputs)


def maximum(inputs: Sequence[Any], **kwargs: Any) -> Tensor:
    """y = the largest of x1, x2, ... for the list `inputs`, as a `Maximum` layer."""
    return Maximum(**kwargs)(inputs)


def minimum(inputs: Sequence[Any], **kwargs: Any) -> Tensor:
    """y = the smallest of x1, x2, ... for the list `inputs`, as a `Minimum` layer."""
    return Minimum(**kwargs)(inputs)


def concatenate(inputs: Sequence[Any], axis: int = -1, **kwargs: Any) -> Tensor:
    """y = x1, x2, ... of the list `inputs`, one after the other along `axis`, as a `Concatenate` layer."""
    return Concatenate(axis=axis, **kwargs)(inputs)


def dot(inputs: Sequence[Any], axes: int | Sequence[int] = -1, **kwargs: Any) -> Tensor:
    """y = the sum of products of the list `inputs`, two, along `axes`, as a `Dot` layer."""
    return Dot(axes=axes, **kwargs)(inputs)
