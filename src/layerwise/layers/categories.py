"""Categories of numbers and texts: bins, hashes, crossings, and vectors for them."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any

import numpy as np

from .. import config, ops
from ..autograd import Spec, Tensor, as_tensor
from ..dtypes import as_bytes
from ..hashing import buckets, crossed, fingerprints, key_of
from ..naming import expect, one_of, whole_number
from .base import Layer
from .host import MODES, HostLayer, encoded, host_array, outline_of, whole_dtype


def _no_sparse(what: str, sparse: bool) -> bool:
    expect(f"{what}: sparse", sparse, not sparse, "False: there are no sparse Tensors")
    return False


def as_vectors(x: Tensor, mode: str, depth: int, dtype: str, weights: Tensor | None = None) -> Tensor:
    """Categories 0 ... depth - 1 as vectors: of each one ("one_hot"), or how often each is among those along axis 1
    ("count": times their weights; "multi_hot": whether it is). Others count nowhere."""
    if mode == "one_hot":
        return ops.one_hot(ops.squeeze(x, -1) if x.ndim > 1 and x.shape[-1] == 1 else x, depth, dtype=dtype)
    each = ops.ones_like(x, dtype="float32") if weights is None else weights
    categories, each = (ops.moveaxis(ops.reshape(t, (1, -1)) if t.ndim < 2 else t, 1, -1) for t in (x, each))
    counts = _counted(ops.cast(categories, "int32"), each, depth)
    counts = counts[0] if x.ndim < 2 else counts
    return ops.cast(counts > 0 if mode == "multi_hot" else counts, dtype)


def _counted(x: Tensor, weights: Tensor, depth: int) -> Tensor:
    """x (..., n) -> (..., depth), the sum of the weights of each category; the vectors themselves would take n times
    the memory."""
    *shape, n = x.shape
    rows = ops.reshape(ops.where(ops.logical_and(x >= 0, x < depth), x, depth), (-1, n))  # others: one behind
    places = rows + (depth + 1) * np.arange(rows.shape[0], dtype="int32")[:, None]
    counts = ops.segment_sum(ops.reshape(weights, (-1,)), ops.reshape(places, (-1,)), rows.shape[0] * (depth + 1))
    return ops.reshape(counts, (*shape, depth + 1))[..., :-1]


class CategoryEncoding(Layer):
    """y = a vector of `num_tokens` numbers for categories 0 ... num_tokens - 1

    Categories outside count nowhere.

    Args:
        num_tokens: how many categories there are.
        output_mode: "one_hot", a vector for each; "multi_hot" or "count", one for all in a row: which of them occur, or
            how often, each counted by its weight where there are `count_weights`.
        sparse: whether the result is sparse, which is refused.

    >>> from layerwise import layers
    >>> layers.CategoryEncoding(4, "count")([[0, 1], [0, 0], [1, 2]])
    Tensor([[1., 1., 0., 0.],
            [2., 0., 0., 0.],
            [0., 1., 1., 0.]], shape=(3, 4), dtype=float32)
    """

    built = True

    def __init__(
        self, num_tokens: int | None = None, output_mode: str = "multi_hot", sparse: bool = False, **options: Any
    ) -> None:
        super().__init__(**options)
        self.num_tokens = whole_number("CategoryEncoding: num_tokens", num_tokens)
        output_mode = "multi_hot" if output_mode == "binary" else output_mode
        self.output_mode = one_of("CategoryEncoding: output_mode", output_mode, "one_hot", "multi_hot", "count")
        self.sparse = _no_sparse("CategoryEncoding", sparse)

    def call(self, inputs: Tensor, count_weights: Tensor | None = None) -> Tensor:
        if count_weights is not None:
            expect(f"layer {self.name!r}: count_weights", "weights", self.output_mode == "count",
                   f"None in output_mode {self.output_mode!r}")  # fmt: skip
            count_weights = as_tensor(count_weights, self.compute_dtype)
        return as_vectors(as_tensor(inputs), self.output_mode, self.num_tokens, self.compute_dtype, count_weights)

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        del config["sparse"]  # as in Keras
        return config


class Discretization(Layer):
    """y = how many of the boundaries are <= x: the bin that x is in

    Args:
        bin_boundaries: where one bin ends and the next begins, in ascending order.
        num_bins: in place of them: how many bins of equal frequency `adapt` makes of data.
        epsilon: how exact those are: what has been seen is kept as 1 / epsilon quantiles.
        output_mode: "int", the bins; "one_hot", a vector for each; "multi_hot" or "count", one for all along axis 1.
        sparse: whether vectors are sparse, which is refused.

    >>> from layerwise import layers
    >>> layers.Discretization(bin_boundaries=[0.0, 1.0, 2.0])([[-1.5, 1.0, 3.4, 0.5]])
    Tensor([[0, 2, 3, 1]], shape=(1, 4), dtype=int32)
    """

    built = True

    def __init__(
        self,
        bin_boundaries: Any = None,
        num_bins: int | None = None,
        epsilon: float = 0.01,
        output_mode: str = "int",
        sparse: bool = False,
        dtype: Any = None,
        name: str | None = None,
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        if (bin_boundaries is None) == (num_bins is None):
            raise ValueError("Discretization: expected either bin_boundaries or num_bins")
        self.num_bins = None if num_bins is None else whole_number("Discretization: num_bins", num_bins)
        self.bin_boundaries = None if bin_boundaries is None else np.asarray(bin_boundaries).tolist()
        self.epsilon = epsilon
        self.output_mode = one_of("Discretization: output_mode", output_mode, *MODES)
        self.sparse = _no_sparse("Discretization", sparse)
        self.reset_state()

    @property
    def is_adaptable(self) -> bool:
        """Whether the bins are to be made of data."""
        return self.num_bins is not None

    @property
    def output_dtype(self) -> str:
        """The dtype of the result."""
        return "int32" if self.output_mode == "int" else self.compute_dtype

    def adapt(self, data: Any, steps: int | None = None) -> None:
        """Make bins that hold about as many of the data's numbers each.

        Args:
            data: an array, or batches: a list of arrays, or what a `Dataset` gives (inputs come first).
            steps: how many batches to look at.
        """
        if self.num_bins is None:
            raise ValueError(f"layer {self.name!r}: adapt: the layer was given its boundaries; give num_bins instead")
        self.reset_state()
        for batch in [data] if hasattr(data, "__array__") else itertools.islice(data, steps):
            self.update_state(batch[0] if isinstance(batch, tuple) else batch)
        self.finalize_state()

    def reset_state(self) -> None:
        """Forget what `update_state` was given."""
        self.summary = np.zeros((2, 0), "float32")

    def update_state(self, data: Any) -> None:
        """Take another batch into account."""
        values = np.sort(host_array(data).astype("float32").reshape(-1))
        step = max(values.size / (1.0 / self.epsilon), 1)
        kept = values[int(step - 1) :: int(step)]
        both = np.concatenate([[kept, np.full_like(kept, step)], self.summary], axis=1)
        self.summary = _compressed(both[:, np.argsort(both[0])], self.epsilon)

    def finalize_state(self) -> None:
        """Make bins of what was seen."""
        if self.num_bins is not None:
            self.bin_boundaries = _compressed(self.summary, 1.0 / self.num_bins)[0, :-1].tolist()

    def call(self, inputs: Tensor) -> Tensor:
        if self.bin_boundaries is None:
            raise ValueError(f"layer {self.name!r} has no bins yet: call adapt on data, or give bin_boundaries")
        boundaries = np.asarray(self.bin_boundaries, self.compute_dtype)
        bins = ops.searchsorted(boundaries, as_tensor(inputs, self.compute_dtype), side="right")
        if self.output_mode == "int":
            return bins
        return as_vectors(bins, self.output_mode, len(boundaries) + 1, self.output_dtype)

    def compute_output_spec(self, inputs: Any) -> Any:
        if self.bin_boundaries is not None:
            return super().compute_output_spec(inputs)
        depth = self.num_bins
        if self.output_mode == "int":
            return Tensor(Spec(inputs.shape, self.output_dtype))
        if self.output_mode == "one_hot":
            return Tensor(Spec(outline_of(inputs.shape, "one_hot", depth), self.output_dtype))
        return Tensor(Spec((*inputs.shape[:1], *inputs.shape[2:], depth), self.output_dtype))

    def load_own_variables(self, store: Mapping[str, Any]) -> None:
        if len(store) == 1:
            self.summary = np.asarray(store["0"])

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        del config["trainable"]  # which Keras does not take
        return config | {"dtype": self.dtype}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        boundaries = config.get("bin_boundaries")
        if boundaries is None or config.get("num_bins") is None:
            return super().from_config(config)
        layer = super().from_config(config | {"bin_boundaries": None})
        layer.bin_boundaries = boundaries  # those that it was adapted to
        return layer


def _compressed(summary: np.ndarray, epsilon: float) -> np.ndarray:
    """Quantiles of values with weights, (values, weights), every `epsilon` of the whole weight."""
    if summary.shape[1] * epsilon < 1:
        return summary
    shares = epsilon + np.arange(0.0, 1.0, epsilon)
    weights = summary[1].cumsum()
    parts = weights / weights[-1]
    ends = np.interp(shares, parts, weights)
    return np.stack([np.interp(shares, parts, summary[0]), np.diff(ends, prepend=0.0)]).astype("float32")


def _dtype_of(output_mode: str, dtype: Any) -> Any:
    """The dtype of a layer whose results are whole numbers, or else vectors."""
    return dtype if dtype is not None else "int64" if output_mode == "int" else config.floatx()


class Hashing(HostLayer):
    """y = hash(x) modulo `num_bins`, of texts or of the decimal digits of whole numbers

    The hash is TensorFlow's: FarmHash's fingerprint, or with a salt SipHash.

    Args:
        num_bins: how many categories there are, that of the mask included.
        mask_value: what becomes category 0, which nothing else does.
        salt: one or two whole numbers, the key of SipHash.
        output_mode: "int", the categories; "one_hot", a vector for each; "multi_hot" or "count", one for all along the
            last axis: which occur, or how often.
        sparse: whether vectors are sparse, which is refused.

    >>> from layerwise import layers
    >>> layers.Hashing(3)([["A"], ["B"], ["C"], ["D"], ["E"]]).numpy().tolist()
    [[1], [0], [1], [1], [2]]
    """

    def __init__(
        self,
        num_bins: int,
        mask_value: Any = None,
        salt: Any = None,
        output_mode: str = "int",
        sparse: bool = False,
        **options: Any,
    ) -> None:
        one_of("Hashing: output_mode", output_mode, *MODES)
        super().__init__(**options | {"dtype": _dtype_of(output_mode, options.get("dtype"))})
        if output_mode == "int":
            expect(
                "Hashing: dtype", self.dtype, self.dtype in ("int32", "int64"), "int32 or int64 in output_mode 'int'"
            )
        self.num_bins = whole_number("Hashing: num_bins", num_bins)
        self.mask_value, self.salt, self.output_mode = mask_value, key_of("Hashing", salt), output_mode
        self.sparse = _no_sparse("Hashing", sparse)

    def compute(self, inputs: np.ndarray) -> np.ndarray:
        masks = self.mask_value is not None and self.num_bins > 1
        texts = [as_bytes(t) if isinstance(t, str) else b"%d" % int(t) for t in inputs.reshape(-1).tolist()]
        bins = buckets(texts, self.num_bins - masks, self.salt).reshape(inputs.shape)
        if masks:
            bins = np.where(inputs == self.mask_value, 0, bins + 1)
        if self.output_mode == "int":
            return bins.astype(self.dtype)
        return encoded(bins, self.output_mode, self.num_bins).astype(self.compute_dtype)

    def outline(self, inputs: Spec) -> Spec:
        return _outline(self, inputs.shape, self.num_bins)


class HashedCrossing(HostLayer):
    """y = hash(x1, x2, ...) modulo `num_bins`: a category for each combination of texts or whole numbers

    The hash is TensorFlow's: FarmHash's fingerprints of texts, and numbers themselves, one mixed into the other.

    Args:
        num_bins: how many categories there are.
        output_mode: "int", the categories, or "one_hot", vectors.
        sparse: whether vectors are sparse, which is refused.

    >>> from layerwise import layers
    >>> layers.HashedCrossing(5)((["A", "B", "A", "B", "A"], [101, 101, 101, 102, 102])).numpy().tolist()
    [1, 4, 1, 1, 3]
    """

    def __init__(
        self,
        num_bins: int,
        output_mode: str = "int",
        sparse: bool = False,
        name: str | None = None,
        dtype: Any = None,
        **options: Any,
    ) -> None:
        one_of("HashedCrossing: output_mode", output_mode, "int", "one_hot")
        super().__init__(name=name, dtype=_dtype_of(output_mode, dtype), **options)
        self.num_bins = whole_number("HashedCrossing: num_bins", num_bins)
        self.output_mode, self.sparse = output_mode, _no_sparse("HashedCrossing", sparse)

    def as_input(self, value: Any) -> Any:
        if not isinstance(value, list | tuple) or len(value) < 2:
            raise ValueError(f"layer {self.name!r} (HashedCrossing): expected a list of at least two inputs")
        return [super(HashedCrossing, self).as_input(x) for x in value]

    def compute(self, inputs: Any) -> np.ndarray:
        shapes, kinds = {x.shape for x in inputs}, {x.dtype.kind for x in inputs}
        shape = inputs[0].shape
        if len(shapes) > 1 or len(shape) > 2 or (len(shape) == 2 and shape[-1] != 1):
            raise ValueError(
                f"layer {self.name!r} (HashedCrossing): got shapes {sorted(shapes)}, expected one for all inputs, "
                "(), (batch,) or (batch, 1)"
            )
        if not kinds <= set("biuO"):
            raise ValueError(f"layer {self.name!r} (HashedCrossing): expected whole numbers or texts")
        parts = [_fingerprints(x.reshape(-1)) for x in inputs]
        bins = (crossed(parts) % np.uint64(self.num_bins)).astype(np.int64).reshape(shape)
        if self.output_mode == "int":
            return bins.astype(self.dtype)
        return encoded(bins, "one_hot", self.num_bins).astype(self.compute_dtype)

    def outline(self, inputs: Any) -> Spec:
        return _outline(self, inputs[0].shape, self.num_bins)

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        del config["trainable"]  # as in Keras
        return config | {"dtype": self.dtype}


def _fingerprints(values: np.ndarray) -> np.ndarray:
    """What is crossed of texts or numbers."""
    if values.dtype.kind != "O":
        return values.astype(np.int64).view(np.uint64)
    different, places = np.unique(values, return_inverse=True)
    return fingerprints([as_bytes(text) for text in different.tolist()])[places]


def _outline(layer: HostLayer, shape: Any, depth: int) -> Spec:
    """Shape and dtype of categories, or of vectors for them."""
    dtype = whole_dtype() if layer.dtype == "int64" else layer.compute_dtype
    return Spec(outline_of(shape, layer.output_mode, depth), dtype)  # type: ignore[attr-defined]
