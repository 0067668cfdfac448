"""`tf.ragged`: rows of different lengths, and `tf.sparse`: arrays told by their entries that are not 0."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from ... import ops
from ...data.element import element, is_text
from ...lazy import public_only

__all__ = ["RaggedTensor", "SparseTensor", "constant", "stack", "to_dense"]
public_only(__name__)


class RaggedTensor:
    """Rows of different lengths.

    Args:
        rows: arrays, or again such rows.

    >>> constant([[1, 2], [3]]).to_tensor()
    Tensor([[1, 2],
           [3, 0]], shape=(2, 2), dtype=int32)
    """

    def __init__(self, rows: Sequence[Any]) -> None:
        self.rows = list(rows)

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[Any]:
        return iter(self.rows)

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, tuple):
            rows = self[key[0]]
            return RaggedTensor([row[key[1:]] for row in rows]) if isinstance(rows, RaggedTensor) else rows[key[1:]]
        rows = self.rows[key]
        return RaggedTensor(rows) if isinstance(key, slice) else rows

    def __repr__(self) -> str:
        return f"<RaggedTensor {self.to_list()}>"

    @property
    def shape(self) -> tuple[int | None, ...]:
        """Its sizes, None where rows differ."""
        return (len(self.rows), None, *(() if not self.rows else self.rows[0].shape[1:]))

    @property
    def flat_values(self) -> Any:
        """The entries of all rows, one after the other."""
        return _array([x for row in self.rows for x in (row.flat_values if isinstance(row, RaggedTensor) else row)])

    def row_lengths(self) -> Any:
        """How many entries each row has."""
        return ops.convert_to_tensor(np.array([len(row) for row in self.rows], "int64"))

    def bounding_shape(self) -> Any:
        """The sizes of `to_tensor()`."""
        return self.to_tensor().shape

    def to_list(self) -> list[Any]:
        """Lists of Python's."""
        return [row.to_list() if isinstance(row, RaggedTensor) else np.asarray(row).tolist() for row in self.rows]

    def to_tensor(self, default_value: Any = None, shape: Any = None, name: str | None = None) -> Any:
        """An array, its rows filled up with `default_value`, 0 or "", as long as the longest or as `shape` says."""
        rows = [np.asarray(row.to_tensor(default_value) if isinstance(row, RaggedTensor) else row) for row in self.rows]
        inner = np.max([row.shape for row in rows], axis=0).tolist() if rows else [0]
        for i, size in enumerate(() if shape is None else shape[1:]):
            inner[i] = inner[i] if size is None else size
        text = bool(rows) and rows[0].dtype.kind in "OSTU"
        fill = ("" if text else 0) if default_value is None else default_value
        full = np.full((len(rows), *inner), fill, object if text else np.result_type(*rows) if rows else "float32")
        for target, row in zip(full, rows, strict=True):
            part = tuple(slice(0, n) for n in np.minimum(row.shape, inner))
            target[part] = row[part]
        return element(full) if text else ops.convert_to_tensor(full)


def _array(values: Any, dtype: Any = None) -> Any:
    if is_text(values):
        return element(np.array(values, object))
    return element(np.asarray(ops.convert_to_tensor(values, dtype)))


def constant(pylist: Any, dtype: Any = None, ragged_rank: Any = None, name: str | None = None) -> Any:
    """Lists of lists as a `RaggedTensor`."""
    if not any(isinstance(row, list | tuple) for row in pylist):
        return _array(pylist, dtype)
    return RaggedTensor([constant(row, dtype) for row in pylist])


def stack(values: Sequence[Any], axis: int = 0, name: str | None = None) -> RaggedTensor:
    """Arrays of different lengths as the rows of a `RaggedTensor`."""
    return RaggedTensor([element(np.asarray(row)) for row in values])


class SparseTensor:
    """An array told by its entries that are not 0.

    Args:
        indices: their places, (entries, dimensions).
        values: what they are.
        dense_shape: of the array.

    >>> to_dense(SparseTensor([[0, 1], [1, 0]], [5.0, 7.0], (2, 2)))
    Tensor([[0., 5.],
           [7., 0.]], shape=(2, 2), dtype=float32)
    """

    def __init__(self, indices: Any, values: Any, dense_shape: Any) -> None:
        self.indices, self.values = np.asarray(indices).reshape(-1, len(dense_shape)), values
        self.dense_shape = self.shape = tuple(int(n) for n in dense_shape)


def to_dense(sp_input: Any, default_value: Any = None, validate_indices: bool = True, name: str | None = None) -> Any:
    """The array itself, with `default_value`, 0 or "", where nothing was told; a whole array stays."""
    if not isinstance(sp_input, SparseTensor):
        return sp_input
    text = is_text(sp_input.values)
    fill = ("" if text else 0) if default_value is None else default_value
    values = np.asarray(sp_input.values, object) if text else np.asarray(ops.convert_to_tensor(sp_input.values))
    full = np.full(sp_input.dense_shape, fill, values.dtype)
    full[tuple(sp_input.indices.T)] = values
    return element(full) if text else ops.convert_to_tensor(full)
