"""Normalisation and scaling."""

from __future__ import annotations

from typing import Any

import numpy as np

from ... import config, layers
from ...autograd import Tensor
from .builder import Builder, Unsupported, rule


@rule(layers.BatchNormalization)
def _(b: Builder, layer: Any, xs: list[str], inputs: list[Tensor]) -> str:
    """x scale + shift, which is what it comes to when the averages stand still."""
    scale = 1 / np.sqrt(layer.moving_variance.numpy() + np.float32(layer.epsilon))
    scale = scale * layer.gamma.numpy() if layer.gamma is not None else scale
    shift = -layer.moving_mean.numpy() * scale
    shift = shift + layer.beta.numpy() if layer.beta is not None else shift
    shape = [1] * (inputs[0].ndim - 1 - layer.axis % inputs[0].ndim)
    return b.calculate("Add", b.calculate("Mul", xs[0], scale.reshape(-1, *shape)), shift.reshape(-1, *shape))


@rule(layers.LayerNormalization)
def _(b: Builder, layer: Any, xs: list[str], inputs: list[Tensor]) -> str:
    axes = layer._axes(inputs[0].ndim)
    if layer.rms_scaling or list(axes) != list(range(axes[0], inputs[0].ndim)):
        raise Unsupported("normalisation over other axes than the last ones, or without a mean")
    shape = [inputs[0].shape[axis] for axis in axes]
    gamma = np.ones(shape) if layer.gamma is None else layer.gamma.numpy()
    beta = np.zeros(shape) if layer.beta is None else layer.beta.numpy()
    operands = xs[0], b.constant(gamma), b.constant(beta)
    return b.add("LayerNormalization", *operands, axis=axes[0], epsilon=float(layer.epsilon))


@rule(layers.Normalization)
def _(b: Builder, layer: Any, xs: list[str], inputs: list[Tensor]) -> str:
    mean, scale = layer.mean.numpy(), np.maximum(np.sqrt(layer.variance.numpy()), config.epsilon())
    if layer.invert:
        return b.calculate("Add", b.calculate("Mul", xs[0], scale), mean)
    return b.calculate("Div", b.calculate("Sub", xs[0], mean), scale)


@rule(layers.Rescaling)
def _(b: Builder, layer: Any, xs: list[str], inputs: list[Tensor]) -> str:
    return b.calculate("Add", b.calculate("Mul", xs[0], layer.scale), layer.offset)
