"""SpectralNormalization: a layer whose kernel is divided by its largest singular value."""

from typing import Any

from .. import ops
from ..autograd import Tensor, stop_gradient
from ..initializers import TruncatedNormal
from ..naming import whole_number
from .base import Layer
from .input_spec import InputSpec
from .wrappers import Wrapper


class SpectralNormalization(Wrapper):
    """y = layer(x), whose kernel W, as a matrix (all but its last axis, last axis), is divided in training by sigma

    v <- W u / |W u| and u <- W^T v / |W^T v|, `power_iterations` times from where the step before left u, bring
    sigma = v^T W u near the largest singular value. The divided kernel is kept; one that is all zeros is left alone.
    (Miyato et al. 2018)

    Args:
        layer: with a `kernel`, or with `embeddings`.
        power_iterations: how often each step comes nearer.

    >>> from layerwise import layers, ops
    >>> layer = layers.SpectralNormalization(layers.Dense(2, kernel_initializer="identity"), power_iterations=9)
    >>> layer(ops.array([[3.0, 4.0]]), training=True).numpy().round(3)
    array([[3., 4.]], dtype=float32)
    """

    def __init__(self, layer: Layer, power_iterations: int = 1, **kwargs: Any) -> None:
        super().__init__(layer, **kwargs)
        self.power_iterations = whole_number("SpectralNormalization: power_iterations", power_iterations)

    def build(self, input_shape: Any = None) -> None:
        super().build(input_shape)
        self.input_spec = InputSpec(min_ndim=1, axes={-1: input_shape[-1]})
        name = next((name for name in ("kernel", "embeddings") if hasattr(self.layer, name)), None)
        if name is None:
            raise ValueError(
                f"layer {self.name!r} (SpectralNormalization): {type(self.layer).__name__} has neither a kernel nor "
                "embeddings"
            )
        self.kernel = getattr(self.layer, name)
        self.vector_u = self.add_weight(
            (1, self.kernel.shape[-1]), TruncatedNormal(stddev=0.02), self.kernel.dtype, False, name="vector_u"
        )

    def call(self, inputs: Tensor, training: bool | None = False) -> Tensor:
        if training:
            vector, kernel = self.normalized_weights()
            some = ops.any(self.kernel != 0)
            self.vector_u.assign(ops.where(some, vector, self.vector_u))
            self.kernel.assign(ops.where(some, kernel, self.kernel))
        return ops.cast(self.layer(inputs), inputs.dtype)

    def normalized_weights(self) -> tuple[Tensor, Tensor]:
        """The next u, and the kernel divided by sigma."""
        weights = stop_gradient(ops.reshape(self.kernel, (-1, self.kernel.shape[-1])))
        u = stop_gradient(self.vector_u)
        for _ in range(self.power_iterations):
            v = ops.normalize(u @ ops.transpose(weights), axis=None)
            u = ops.normalize(v @ weights, axis=None)
        sigma = ops.sum(v @ weights * u)
        return u, stop_gradient(self.kernel) / ops.where(sigma == 0, 1, sigma)
