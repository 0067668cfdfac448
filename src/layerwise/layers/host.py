"""Layers that compute on NumPy arrays: what they are given, texts among it, and how categories become vectors.

No gradient flows through them, and a step with one of them is not compiled.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from .. import tree
from ..autograd import Spec, Tensor, as_given, raw
from ..backends import backend
from ..dtypes import as_texts
from .base import Layer

MODES = ("int", "one_hot", "multi_hot", "count")


class HostLayer(Layer):
    """y = compute(x), a function of NumPy arrays that takes numbers or texts.

    A subclass defines `compute` and `outline`, what is known of y before x is there.
    """

    built = True
    on_host = True

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.autocast = False

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        kwargs = {name: self.as_input(value) for name, value in kwargs.items()}
        return super().__call__(*map(self.as_input, args), **kwargs)

    def as_input(self, value: Any) -> Any:
        """An argument of the call as a Tensor, where it is data: arrays, and lists of texts or numbers."""
        return value if value is None or type(value) in (Tensor, bool) else Tensor(host_array(value))

    def call(self, inputs: Any) -> Any:
        return as_given(self.compute(tree.map_structure(host_array, inputs)))

    def compute_output_spec(self, inputs: Any) -> Any:
        return Tensor(self.outline(tree.map_structure(lambda x: Spec(x.shape, x.dtype), inputs)))

    def compute(self, inputs: Any) -> np.ndarray:
        """y for a NumPy array x, or a structure of them."""
        raise NotImplementedError

    def outline(self, inputs: Any) -> Spec:
        """Shape and dtype of y for those of x, or a structure of them."""
        raise NotImplementedError


def host_array(x: Any) -> np.ndarray:
    """A Tensor, an array or a list as a NumPy array, of str in objects where it holds text."""
    value = raw(x) if type(x) is Tensor else x
    if not isinstance(value, np.ndarray) and backend().owns(value):
        return backend().numpy(value)
    texts = as_texts(value)
    return np.asarray(value) if texts is None else texts


def whole_dtype() -> str:
    """The dtype of the backend's widest whole numbers."""
    return as_given(np.zeros(0, np.int64)).dtype


def batches(data: Any, steps: int | None = None) -> Iterator[Any]:
    """The inputs in what `adapt` is given, at most `steps` batches: an array is one, with a row for each entry."""
    if isinstance(data, list | tuple) or hasattr(data, "__array__"):
        array = host_array(data)
        yield array[:, None] if array.ndim == 1 else array
        return
    for number, batch in enumerate(data):
        if steps is not None and number >= steps:
            return
        yield host_array(batch[0] if isinstance(batch, tuple) else batch)


def encoded(indices: np.ndarray, mode: str, depth: int) -> np.ndarray:
    """Categories as vectors: of each one ("one_hot"), or how often each is among those along the last axis ("count",
    or "multi_hot": whether it is). Indices outside 0 ... depth - 1 count nowhere.

    >>> encoded(np.array([[0, 2, 2]]), "count", 3)
    array([[1, 0, 2]])
    """
    if mode == "one_hot":
        if indices.ndim > 1 and indices.shape[-1] == 1:
            indices = indices[..., 0]
        return (indices.reshape(-1) if indices.ndim == 0 else indices)[..., None] == np.arange(depth)
    rows = np.atleast_1d(indices)
    shape, rows = rows.shape[:-1], rows.reshape(-1, rows.shape[-1])
    places = rows + depth * np.arange(len(rows))[:, None]
    counts = np.bincount(places[(rows >= 0) & (rows < depth)], minlength=len(rows) * depth).reshape(*shape, depth)
    return counts > 0 if mode == "multi_hot" else counts


def outline_of(shape: tuple[int | None, ...], mode: str, depth: int | None) -> tuple[int | None, ...]:
    """The shape of what `encoded` makes of indices of this shape."""
    if mode == "int":
        return shape
    if not shape or (mode == "one_hot" and (len(shape) == 1 or shape[-1] != 1)):
        return (*shape, depth)
    return (*shape[:-1], depth)
