"""Normalisation: of a batch, of each example, of groups of its channels, to a length of one."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from .. import activations, ops
from ..autograd import Tensor, as_tensor, stop_gradient
from ..dtypes import result_type
from ..naming import expect, is_whole, whole_number
from ..variables import Variable
from .base import Elementwise, Layer
from .input_spec import InputSpec
from .weights import Weight


class BatchNormalization(Layer):
    """y = (x - mean) / sqrt(var + epsilon) * gamma + beta

    Without gamma where `scale` is False, without beta where `center` is False.

    In training mean and variance are the batch's, over all axes but `axis`, and
    moving = momentum * moving + (1 - momentum) * batch's; otherwise they are the moving ones. A mask leaves positions
    out of the statistics. A layer that is not trainable uses the moving ones always. (Ioffe & Szegedy 2015)

    With `renorm` training normalises as inference does, to first order: y = ((x - mean) / std * r + d) * gamma + beta,
    r = std / renorm_std, d = (mean - renorm_mean) / renorm_std, with renorm_mean and renorm_std the averages that
    `renorm_momentum` makes of the batches', r and d constants to the gradient, which `renorm_clipping` (a dict with
    "rmin", "rmax", "dmax") keeps within rmin <= r <= rmax, |d| <= dmax. (Ioffe 2017)

    `synchronized` is kept without effect.

    >>> from layerwise import layers, ops
    >>> layers.BatchNormalization(epsilon=0.0)(ops.array([[1.0], [3.0]]), training=True)
    Tensor([[-1.],
            [ 1.]], shape=(2, 1), dtype=float32)
    """

    stage = "normalization"
    supports_masking = True
    beta = Weight("zeros")
    gamma = Weight("ones")
    moving_mean = Weight("zeros", trainable=False)
    moving_variance = Weight("ones", trainable=False)
    moving_mean_initializer: Any
    moving_variance_initializer: Any

    def __init__(
        self,
        axis: int = -1,
        momentum: float = 0.99,
        epsilon: float = 0.001,
        center: bool = True,
        scale: bool = True,
        *,
        renorm: bool = False,
        renorm_clipping: dict[str, float] | None = None,
        renorm_momentum: float = 0.99,
        synchronized: bool = False,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self.axis = axis[0] if isinstance(axis, list | tuple) else axis
        expect("BatchNormalization: axis", axis, is_whole(self.axis), "a whole number")
        self.momentum, self.epsilon, self.center, self.scale = momentum, epsilon, center, scale
        self.renorm, self.renorm_momentum = renorm, renorm_momentum
        self.renorm_clipping = dict(renorm_clipping or {}) if renorm else None
        unknown = set(self.renorm_clipping or ()) - {"rmin", "rmax", "dmax"}
        if unknown:
            raise ValueError(
                f"BatchNormalization: renorm_clipping: got {sorted(unknown)}, expected some of 'rmin', 'rmax', 'dmax'"
            )
        limits = {"rmin": 0.0, "rmax": math.inf, "dmax": 0.0} | (self.renorm_clipping or {})
        fits = limits["rmin"] <= limits["rmax"] and limits["dmax"] >= 0
        expect("BatchNormalization: renorm_clipping", renorm_clipping, fits, "rmin <= rmax and dmax >= 0")
        self.synchronized = synchronized

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        size = input_shape[_axis(self, self.axis, len(input_shape))]
        if size is None:
            raise ValueError(
                f"layer {self.name!r}: input of shape {input_shape}: the size along axis {self.axis} must be known"
            )
        shape = (size,)
        super().make("gamma", shape, given=self.scale)
        super().make("beta", shape, given=self.center)
        super().make("moving_mean", shape)
        super().make("moving_variance", shape)
        if self.renorm:

            def deviation(shape: tuple[int, ...], dtype: str) -> Tensor:
                return ops.sqrt(self.moving_variance_initializer(shape, dtype))

            self.moving_stddev = self._add_average(size, "moving_stddev", deviation)
            self.renorm_mean = self._add_average(size, "renorm_mean", self.moving_mean_initializer)
            self.renorm_stddev = self._add_average(size, "renorm_stddev", deviation)
        self.input_spec = InputSpec(ndim=len(input_shape), axes={self.axis: size})

    def _add_average(self, size: int, name: str, initializer: Any) -> Variable:
        return self.add_weight((size,), initializer, name=name, trainable=False, autocast=False)

    def call(self, inputs: Tensor, training: bool | None = None, mask: Tensor | None = None) -> Tensor:
        return self.activated(None, inputs, training, mask)

    def activated(self, act: str | None, x: Tensor, training: bool | None = None, mask: Tensor | None = None) -> Tensor:
        """act(call(x)) in one, for the activations None, "relu" and "tanh"."""
        dtype, x = x.dtype, _at_least_float32(x)
        activation = activations.get(act)
        axis = self.axis % x.ndim
        axes = tuple(i for i in range(x.ndim) if i != axis)
        gamma: Tensor | Variable | None = self.gamma
        beta: Tensor | Variable | None = self.beta
        if not (training and self.trainable):
            y = ops.batch_normalization(x, self.moving_mean, self.moving_variance, axis, beta, gamma, self.epsilon)
            return as_tensor(activation(y), dtype)
        if mask is None and not self.renorm:
            shape = tuple(n if i == axis else 1 for i, n in enumerate(x.shape))
            gamma = None if gamma is None else ops.reshape(gamma, shape)
            beta = None if beta is None else ops.reshape(beta, shape)
            y, mean, var = ops.standardize(x, gamma, beta, axes=axes, epsilon=self.epsilon, act=act)
            mean, var = ops.reshape(mean, (-1,)), ops.reshape(var, (-1,))
        else:
            mean, var = ops.moments(x, axes) if mask is None else self._masked_moments(x, mask, axes)
            if self.renorm:
                gamma, beta = self._renormalization(stop_gradient(mean), stop_gradient(var))
            y = activation(ops.batch_normalization(x, mean, var, axis, beta, gamma, self.epsilon))
        mean, var = stop_gradient(mean), stop_gradient(var)
        _average(self.moving_mean, mean, self.momentum)
        if self.renorm:
            std = ops.sqrt(var + self.epsilon)
            _average(self.moving_stddev, std, self.momentum)
            _average(self.renorm_mean, mean, self.renorm_momentum)
            _average(self.renorm_stddev, std, self.renorm_momentum)
            self.moving_variance.assign(ops.square(stop_gradient(self.moving_stddev)) - self.epsilon)
        else:
            _average(self.moving_variance, var, self.momentum)
        return as_tensor(y, dtype)

    def folded(self, kernel: Variable, bias: Variable | None) -> tuple[Tensor, Tensor]:
        """The kernel and bias of a linear layer that gives what it and then this one give in inference."""
        factor = ops.rsqrt(self.moving_variance + self.epsilon)
        factor = factor if self.gamma is None else factor * self.gamma
        shift = -self.moving_mean * factor if bias is None else (bias - self.moving_mean) * factor
        return kernel * factor, shift if self.beta is None else shift + self.beta

    def _renormalization(self, mean: Tensor, var: Tensor) -> tuple[Tensor, Tensor]:
        """r gamma and d gamma + beta: what takes the place of gamma and beta."""
        limits = self.renorm_clipping or {}
        dmax = limits.get("dmax", math.inf)
        std, scale = ops.sqrt(var + self.epsilon), stop_gradient(self.renorm_stddev)
        r = ops.clip(std / scale, limits.get("rmin", 0.0), limits.get("rmax", math.inf))
        d = ops.clip((mean - stop_gradient(self.renorm_mean)) / scale, -dmax, dmax)
        if self.gamma is not None:
            r, d = r * self.gamma, d * self.gamma
        return r, d if self.beta is None else d + self.beta

    def _masked_moments(self, x: Tensor, mask: Tensor, axes: Sequence[int]) -> tuple[Tensor, Tensor]:
        kept = ops.reshape(ops.cast(mask, x.dtype), (*mask.shape, *(1,) * (x.ndim - mask.ndim)))
        count = ops.sum(ops.broadcast_to(kept, x.shape), axis=axes)
        mean = ops.divide_no_nan(ops.sum(x * kept, axis=axes), count)
        shape = tuple(1 if i in axes else n for i, n in enumerate(x.shape))
        centred = x - ops.reshape(mean, shape)
        return mean, ops.divide_no_nan(ops.sum(ops.square(centred) * kept, axis=axes), count)


def _at_least_float32(x: Tensor) -> Tensor:
    """`x` in a dtype whose range and precision moments can be computed in."""
    return as_tensor(x, result_type(x.dtype, "float32"))


def _axis(layer: Layer, axis: int, ndim: int) -> int:
    """`axis` counted from the first of `ndim` dimensions."""
    if not -ndim <= axis < ndim:
        raise ValueError(f"layer {layer.name!r}: axis: got {axis} for an input of {ndim} dimensions")
    return axis % ndim


def _average(moving: Variable, value: Tensor, momentum: float) -> None:
    moving.assign(stop_gradient(moving) * momentum + value * (1 - momentum))


class LayerNormalization(Layer):
    """y = (x - mean) / sqrt(var + epsilon) * gamma + beta, with mean and variance of each example over `axis`

    gamma and beta have the sizes of x along `axis`; gamma is there with `scale`, beta with `center`. (Ba, Kiros
    & Hinton 2016) With `rms_scaling`, which Keras has for old files only, y = x / sqrt(var + epsilon) * gamma.

    >>> from layerwise import layers, ops
    >>> layers.LayerNormalization(epsilon=0.0)(ops.array([[1.0, 3.0]]))
    Tensor([[-1.,  1.]], shape=(1, 2), dtype=float32)
    """

    supports_masking = True
    beta = Weight("zeros")
    gamma = Weight("ones")

    def __init__(
        self,
        axis: int | Sequence[int] = -1,
        epsilon: float = 0.001,
        center: bool = True,
        scale: bool = True,
        *,
        rms_scaling: bool = False,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self.autocast = False  # large inputs lose nothing before their moments are taken
        self.axis: list[Any] = list(axis) if isinstance(axis, list | tuple) else [axis]
        expect("LayerNormalization: axis", axis, all(map(is_whole, self.axis)), "a whole number, or several")
        self.epsilon, self.center, self.scale, self.rms_scaling = epsilon, center, scale, rms_scaling

    def _axes(self, ndim: int) -> tuple[int, ...]:
        return tuple(sorted(_axis(self, a, ndim) for a in self.axis))

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        shape = tuple(input_shape[a] for a in self._axes(len(input_shape)))
        super().make("gamma", shape, given=self.scale or self.rms_scaling)
        super().make("beta", shape, given=self.center and not self.rms_scaling)

    def call(self, inputs: Tensor) -> Tensor:
        inputs = _at_least_float32(inputs)
        axes = self._axes(inputs.ndim)
        shape = tuple(n if i in axes else 1 for i, n in enumerate(inputs.shape))
        gamma = None if self.gamma is None else ops.reshape(self.gamma, shape)
        beta = None if self.beta is None else ops.reshape(self.beta, shape)
        if self.rms_scaling:
            y = inputs * ops.rsqrt(ops.var(inputs, axis=axes, keepdims=True) + self.epsilon) * gamma
        else:
            y = ops.standardize(inputs, gamma, beta, axes=axes, epsilon=self.epsilon)[0]
        return as_tensor(y, self.compute_dtype)


class GroupNormalization(Layer):
    """y = (x - mean) / sqrt(var + epsilon) * gamma + beta, with mean and variance of each example and group of channels

    gamma is there with `scale`, beta with `center`. (Wu & He 2018)

    Args:
        groups: into how many groups, of equal size, channels are divided; -1: each by itself.
        axis: of the channels, on which gamma and beta depend.

    >>> from layerwise import layers, ops
    >>> layers.GroupNormalization(2, epsilon=0.0)(ops.array([[1.0, 3.0, 10.0, 0.0]]))
    Tensor([[-1.,  1.,  1., -1.]], shape=(1, 4), dtype=float32)
    """

    supports_masking = True
    beta = Weight("zeros")
    gamma = Weight("ones")

    def __init__(
        self,
        groups: int = 32,
        axis: int = -1,
        epsilon: float = 0.001,
        center: bool = True,
        scale: bool = True,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self.autocast = False  # what float16 does not hold has a mean and a variance, too
        self.groups = groups if groups == -1 else whole_number("GroupNormalization: groups", groups)
        self.axis, self.epsilon, self.center, self.scale = axis, epsilon, center, scale

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        size = input_shape[_axis(self, self.axis, len(input_shape))]
        if size is None:
            raise ValueError(
                f"layer {self.name!r}: input of shape {input_shape}: the size along axis {self.axis} must be known"
            )
        self.groups = size if self.groups == -1 else self.groups
        if size % self.groups:
            raise ValueError(f"layer {self.name!r}: groups={self.groups} does not divide {size} channels")
        super().make("gamma", (size,), given=self.scale)
        super().make("beta", (size,), given=self.center)
        self.input_spec = InputSpec(ndim=len(input_shape), axes={self.axis: size})

    def call(self, inputs: Tensor) -> Tensor:
        x, axis = _at_least_float32(inputs), _axis(self, self.axis, inputs.ndim)
        group = (self.groups, x.shape[axis] // self.groups)
        along = (*(1,) * axis, *group, *(1,) * (x.ndim - axis - 1))
        gamma = None if self.gamma is None else ops.reshape(self.gamma, along)
        beta = None if self.beta is None else ops.reshape(self.beta, along)
        axes = tuple(i for i in range(1, x.ndim + 1) if i != axis)
        grouped = ops.reshape(x, (*x.shape[:axis], *group, *x.shape[axis + 1 :]))
        y = ops.standardize(grouped, gamma, beta, axes=axes, epsilon=self.epsilon)[0]
        return as_tensor(ops.reshape(y, x.shape), self.compute_dtype)


class RMSNormalization(Layer):
    """y = x / sqrt(mean(x^2) + epsilon) * scale, with the mean of each example over `axis`

    scale has the sizes of x along `axis`. (Zhang & Sennrich 2019)

    >>> from layerwise import layers
    >>> layers.RMSNormalization()([[3.0, 4.0]])
    Tensor([[0.8485281, 1.1313708]], shape=(1, 2), dtype=float32)
    """

    def __init__(self, axis: int | Sequence[int] = -1, epsilon: float = 1e-6, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.axis = [axis] if isinstance(axis, int) else sorted(axis)
        self.epsilon = epsilon

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        shape = [input_shape[_axis(self, a, len(input_shape))] for a in self.axis]
        self.scale = self.add_weight(shape, "ones", name="scale")

    def call(self, x: Tensor) -> Tensor:
        axes = [_axis(self, a, x.ndim) for a in self.axis]
        scale = ops.reshape(self.scale, tuple(n if i in axes else 1 for i, n in enumerate(x.shape)))
        return ops.rms_normalization(x, scale, axes, self.epsilon)


class UnitNormalization(Elementwise):
    """y = x / the length of x along `axis`, one or several of its axes

    >>> from layerwise import layers
    >>> layers.UnitNormalization()([[3.0, 4.0]])
    Tensor([[0.6, 0.8]], shape=(1, 2), dtype=float32)
    """

    def __init__(self, axis: int | Sequence[int] = -1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not isinstance(axis, int | list | tuple):
            raise TypeError(f"UnitNormalization: axis: got {axis!r}, expected a whole number or a list of them")
        self.axis = axis if isinstance(axis, int) else list(axis)

    def call(self, inputs: Tensor) -> Tensor:
        return ops.normalize(inputs, axis=self.axis, order=2, epsilon=1e-12)
