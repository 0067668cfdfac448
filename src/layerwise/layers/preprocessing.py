"""Layers that bring data into the form that a model learns from: scaling, statistics, sizes of images."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from .. import config, ops
from ..autograd import Tensor, as_tensor
from ..serialization import serialize
from .base import Elementwise, Layer
from .input_spec import InputSpec


class Rescaling(Elementwise):
    """y = scale x + offset, with numbers or one for each channel

    >>> from layerwise import layers
    >>> layers.Rescaling(1 / 255)([[0.0, 255.0]])
    Tensor([[0., 1.]], shape=(1, 2), dtype=float32)
    """

    def __init__(self, scale: float | Sequence[float], offset: float | Sequence[float] = 0.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        for name, value in (("scale", scale), ("offset", offset)):
            if np.asarray(value).dtype.kind not in "iuf":
                raise ValueError(f"Rescaling: {name}: got {value!r}, expected a number or one for each channel")
        self.scale, self.offset = scale, offset

    def call(self, inputs: Tensor) -> Tensor:
        scale, offset = (np.asarray(v, self.compute_dtype) for v in (self.scale, self.offset))
        if config.image_data_format() == "channels_first":
            scale, offset = (v.reshape(*v.shape, 1, 1) if v.ndim == 1 else v for v in (scale, offset))
        return as_tensor(inputs, self.compute_dtype) * scale + offset


class Normalization(Layer):
    """y = (x - mean) / max(sqrt(variance), epsilon), or with `invert` y = x max(sqrt(variance), epsilon) + mean

    `adapt` takes mean and variance from data, separately for each position along the axes in `axis` (None: one for
    all); or they are given.

    >>> from layerwise import layers
    >>> layer = layers.Normalization()
    >>> layer.adapt([[1.0, 10.0], [3.0, 30.0]])
    >>> layer([[1.0, 20.0]])
    Tensor([[-1.,  0.]], shape=(1, 2), dtype=float32)
    """

    supports_masking = True

    def __init__(
        self,
        axis: int | Sequence[int] | None = -1,
        mean: Any = None,
        variance: Any = None,
        invert: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.axis = () if axis is None else (axis,) if isinstance(axis, int) else tuple(axis)
        if (mean is None) != (variance is None):
            raise ValueError(
                f"Normalization: got mean={mean!r} and variance={variance!r}, expected both, or none (and then adapt)"
            )
        if variance is not None and np.any(np.asarray(variance) < 0):
            raise ValueError(f"Normalization: variance: got {variance!r}, expected numbers >= 0")
        self.input_mean, self.input_variance, self.invert = mean, variance, invert

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        ndim = len(input_shape)
        if any(not -ndim <= a < ndim for a in self.axis):
            raise ValueError(f"layer {self.name!r}: axis {self.axis} lies outside of an input of shape {input_shape}")
        self._axes = sorted(a % ndim for a in self.axis)
        sizes = {a: n for a in self._axes if (n := input_shape[a]) is not None}
        if len(sizes) < len(self._axes):
            raise ValueError(
                f"layer {self.name!r}: input of shape {input_shape}: the sizes along axis {self.axis} must be known"
            )
        shape = tuple(sizes.values())
        self._full = tuple(sizes.get(i, 1) for i in range(ndim))
        if self.input_mean is None:
            self.adapt_mean = self.add_weight(shape, "zeros", name="mean", trainable=False)
            self.adapt_variance = self.add_weight(shape, "ones", name="variance", trainable=False)
            self.count = self.add_weight((), "zeros", "int32", name="count", trainable=False)
        else:
            for name, value in (("mean", self.input_mean), ("variance", self.input_variance)):
                try:
                    self._spread(value)
                except ValueError:
                    raise ValueError(
                        f"layer {self.name!r}: {name}: got shape {np.shape(value)}, expected one that broadcasts to "
                        f"{self._full}, from axis {self.axis} and an input of shape {input_shape}"
                    ) from None
        if all(a < 0 for a in self.axis):  # as well of data with more dimensions before
            self.input_spec = InputSpec(min_ndim=ndim, axes={a - ndim: n for a, n in sizes.items()})
        else:
            self.input_spec = InputSpec(ndim=ndim, axes=sizes)

    @property
    def mean(self) -> Tensor | None:
        """The mean as it is subtracted, with 1 for the sizes of other axes; None before the layer is built."""
        return self._statistic(self.input_mean, "adapt_mean")

    @property
    def variance(self) -> Tensor | None:
        """The variance as it divides, with 1 for the sizes of other axes; None before the layer is built."""
        return self._statistic(self.input_variance, "adapt_variance")

    def _statistic(self, given: Any, adapted: str) -> Tensor | None:
        if not self.built:
            return None
        if given is not None:
            return ops.broadcast_to(as_tensor(self._spread(given), self.compute_dtype), self._full)
        return as_tensor(ops.reshape(getattr(self, adapted), self._full), self.compute_dtype)

    def _spread(self, given: Any) -> np.ndarray:
        """A statistic in a shape that broadcasts: with 1 for the sizes of other axes than those it is for."""
        array = np.asarray(given)
        kept = tuple(self._full[a] for a in self._axes)
        try:
            np.broadcast_to(array, kept)  # takes no memory, and raises where it cannot be
        except ValueError:
            np.broadcast_to(array, self._full)
            return array
        sizes = dict(zip(self._axes[::-1], array.shape[::-1], strict=False))
        return array.reshape([sizes.get(i, 1) for i in range(len(self._full))])

    @property
    def is_adaptable(self) -> bool:
        """Whether mean and variance are to be taken from data."""
        return self.input_mean is None

    def adapt(self, data: Any) -> None:
        """Take mean and variance from data: an array, or batches such as a `Dataset` or list has (inputs first)."""
        if self.input_mean is not None:
            raise ValueError(f"layer {self.name!r}: adapt: mean and variance were given to the layer")
        total, mean, squares = 0, np.zeros(()), np.zeros(())
        for batch in _batches(data):
            x = np.asarray(batch, "float64")
            if not self.built:
                self.build((None, *x.shape[1:]))
            self._check_inputs((x,))
            others = tuple(i for i in range(x.ndim) if i not in self._axes)
            count = int(np.prod([x.shape[i] for i in others], dtype=np.int64))
            if count == 0:
                continue
            # Chan, Golub, LeVeque: Algorithms for computing the sample variance (1983)
            batch_mean = x.mean(others)
            delta = batch_mean - mean
            squares = squares + x.var(others) * count + delta**2 * (total * count / (total + count))
            mean = mean + delta * (count / (total + count))
            total += count
        if total == 0:
            raise ValueError(f"layer {self.name!r}: adapt: the data holds no examples")
        self.adapt_mean.assign(as_tensor(mean, self.variable_dtype))
        self.adapt_variance.assign(as_tensor(squares / total, self.variable_dtype))

    def call(self, inputs: Tensor) -> Tensor:
        inputs = as_tensor(inputs, self.compute_dtype)
        mean, variance = self.mean, self.variance
        scale = ops.maximum(ops.sqrt(variance), config.epsilon())
        return inputs * scale + mean if self.invert else (inputs - mean) / scale

    def get_config(self) -> dict[str, Any]:
        given = {"mean": serialize(self.input_mean), "variance": serialize(self.input_variance)}
        config = super().get_config()
        return config | {name: value for name, value in given.items() if name in config}


def _batches(data: Any) -> Iterable[Any]:
    """The inputs in what `adapt` is given."""
    batches = isinstance(data, list) and data and all(isinstance(x, tuple) or hasattr(x, "__array__") for x in data)
    if (isinstance(data, list) and not batches) or hasattr(data, "__array__"):
        yield data
    else:
        for batch in data:
            yield batch[0] if isinstance(batch, tuple) else batch
