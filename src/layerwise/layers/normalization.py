"""Batch and layer normalisation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .. import constraints, initializers, ops, regularizers
from ..autograd import Tensor, stop_gradient
from ..variables import Variable
from .base import InputSpec, Layer


class BatchNormalization(Layer):
    """y = (x - mean) / sqrt(var + epsilon) * gamma + beta

    In training mean and variance are the batch's, over all axes but `axis`, and
    moving = momentum * moving + (1 - momentum) * batch's; otherwise they are the moving ones. A mask leaves positions
    out of the statistics. A layer that is not trainable uses the moving ones always. (Ioffe & Szegedy 2015)

    >>> from layerwise import layers, ops
    >>> layers.BatchNormalization(epsilon=0.0)(ops.array([[1.0], [3.0]]), training=True)
    Tensor([[-1.],
            [ 1.]], shape=(2, 1), dtype=float32)
    """

    def __init__(
        self,
        axis: int = -1,
        momentum: float = 0.99,
        epsilon: float = 0.001,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        moving_mean_initializer: Any = "zeros",
        moving_variance_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        synchronized: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.axis = axis[0] if isinstance(axis, list | tuple) else int(axis)
        self.momentum, self.epsilon, self.center, self.scale = momentum, epsilon, center, scale
        self.beta_initializer = initializers.get(beta_initializer)
        self.gamma_initializer = initializers.get(gamma_initializer)
        self.moving_mean_initializer = initializers.get(moving_mean_initializer)
        self.moving_variance_initializer = initializers.get(moving_variance_initializer)
        self.beta_regularizer, self.gamma_regularizer = (
            regularizers.get(beta_regularizer),
            regularizers.get(gamma_regularizer),
        )
        self.beta_constraint, self.gamma_constraint = (
            constraints.get(beta_constraint),
            constraints.get(gamma_constraint),
        )
        self.synchronized = synchronized
        self.supports_masking = True
        self.gamma: Variable | None = None
        self.beta: Variable | None = None

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        size = input_shape[self.axis]
        if size is None:
            raise ValueError(
                f"layer {self.name!r}: input of shape {input_shape}: the size along axis {self.axis} must be known"
            )
        shape = (size,)
        if self.scale:
            self.gamma = self.add_weight(
                shape, self.gamma_initializer, name="gamma",
                regularizer=self.gamma_regularizer, constraint=self.gamma_constraint,
            )  # fmt: skip
        if self.center:
            self.beta = self.add_weight(
                shape, self.beta_initializer, name="beta",
                regularizer=self.beta_regularizer, constraint=self.beta_constraint,
            )  # fmt: skip
        self.moving_mean = self.add_weight(shape, self.moving_mean_initializer, name="moving_mean", trainable=False)
        self.moving_variance = self.add_weight(
            shape, self.moving_variance_initializer, name="moving_variance", trainable=False
        )
        self.input_spec = InputSpec(ndim=len(input_shape), axes={self.axis: size})

    def call(self, x: Tensor, training: bool | None = None, mask: Tensor | None = None) -> Tensor:
        axis = self.axis % x.ndim
        axes = tuple(i for i in range(x.ndim) if i != axis)
        if not (training and self.trainable):
            return ops.batch_normalization(
                x, self.moving_mean, self.moving_variance, axis, self.beta, self.gamma, self.epsilon
            )
        if mask is not None:
            mean, var = self._masked_moments(x, mask, axes)
            y = ops.batch_normalization(x, mean, var, axis, self.beta, self.gamma, self.epsilon)
        else:
            shape = tuple(n if i == axis else 1 for i, n in enumerate(x.shape))
            gamma = None if self.gamma is None else ops.reshape(self.gamma, shape)
            beta = None if self.beta is None else ops.reshape(self.beta, shape)
            y, mean, var = ops.standardize(x, gamma, beta, axes=axes, epsilon=self.epsilon)
            mean, var = ops.reshape(mean, (-1,)), ops.reshape(var, (-1,))
        for moving, batch in ((self.moving_mean, mean), (self.moving_variance, var)):
            moving.assign(stop_gradient(moving) * self.momentum + stop_gradient(batch) * (1 - self.momentum))
        return y

    def _masked_moments(self, x: Tensor, mask: Tensor, axes: Sequence[int]) -> tuple[Tensor, Tensor]:
        kept = ops.reshape(ops.cast(mask, x.dtype), (*mask.shape, *(1,) * (x.ndim - mask.ndim)))
        count = ops.sum(ops.broadcast_to(kept, x.shape), axis=axes)
        mean = ops.sum(x * kept, axis=axes) / count
        shape = tuple(1 if i in axes else n for i, n in enumerate(x.shape))
        centred = x - ops.reshape(mean, shape)
        return mean, ops.sum(ops.square(centred) * kept, axis=axes) / count


class LayerNormalization(Layer):
    """y = (x - mean) / sqrt(var + epsilon) * gamma + beta, with mean and variance of each example over `axis`

    gamma and beta have the sizes of x along `axis`. (Ba, Kiros & Hinton 2016)

    >>> from layerwise import layers, ops
    >>> layers.LayerNormalization(epsilon=0.0)(ops.array([[1.0, 3.0]]))
    Tensor([[-1.,  1.]], shape=(1, 2), dtype=float32)
    """

    def __init__(
        self,
        axis: int | Sequence[int] = -1,
        epsilon: float = 0.001,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.axis = axis if isinstance(axis, int) else list(axis)
        self.epsilon, self.center, self.scale = epsilon, center, scale
        self.beta_initializer = initializers.get(beta_initializer)
        self.gamma_initializer = initializers.get(gamma_initializer)
        self.beta_regularizer, self.gamma_regularizer = (
            regularizers.get(beta_regularizer),
            regularizers.get(gamma_regularizer),
        )
        self.beta_constraint, self.gamma_constraint = (
            constraints.get(beta_constraint),
            constraints.get(gamma_constraint),
        )
        self.supports_masking = True
        self.gamma: Variable | None = None
        self.beta: Variable | None = None

    def _axes(self, ndim: int) -> tuple[int, ...]:
        return tuple(sorted(a % ndim for a in ([self.axis] if isinstance(self.axis, int) else self.axis)))

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        shape = tuple(input_shape[a] for a in self._axes(len(input_shape)))
        if self.scale:
            self.gamma = self.add_weight(
                shape, self.gamma_initializer, name="gamma",
                regularizer=self.gamma_regularizer, constraint=self.gamma_constraint,
            )  # fmt: skip
        if self.center:
            self.beta = self.add_weight(
                shape, self.beta_initializer, name="beta",
                regularizer=self.beta_regularizer, constraint=self.beta_constraint,
            )  # fmt: skip

    def call(self, x: Tensor) -> Tensor:
        axes = self._axes(x.ndim)
        shape = tuple(n if i in axes else 1 for i, n in enumerate(x.shape))
        gamma = None if self.gamma is None else ops.reshape(self.gamma, shape)
        beta = None if self.beta is None else ops.reshape(self.beta, shape)
        return ops.standardize(x, gamma, beta, axes=axes, epsilon=self.epsilon)[0]
