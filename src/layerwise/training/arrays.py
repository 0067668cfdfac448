"""What `fit`, `evaluate` and `predict` are given, as arrays of numbers, or an error that says what is wrong with it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from .. import tree
from ..autograd import raw
from ..backends import backend
from ..dtypes import as_texts, at_most_double

Batch = tuple[Any, Any, Any]


def unpack_x_y_sample_weight(data: Any) -> Batch:
    """(x, y, sample_weight) of what a data set yields, with None for what is not there.

    >>> unpack_x_y_sample_weight((1, 2))
    (1, 2, None)
    """
    parts = tuple(data) if isinstance(data, tuple | list) else (data,)
    if not 1 <= len(parts) <= 3:
        raise ValueError(
            f"a batch must be x, (x, y) or (x, y, sample_weight); got a tuple of {len(parts)}: "
            "several inputs to a model go into a tuple of their own, ((x1, x2), y)"
        )
    return (*parts, None, None)[:3]


def as_data(x: Any, y: Any, weight: Any, bare: bool = True) -> Any:
    """What a step is given: (x, y) or (x, y, weight); x alone as it is, if `bare` and not several, or else (x,)."""
    if y is None and weight is None:
        return x if bare and not isinstance(x, list | tuple) else (x,)
    return (x, y) if weight is None else (x, y, weight)


class Arrays:
    """x, y and sample_weight in memory: structures of arrays of one length, checked once."""

    def __init__(self, x: Any, y: Any = None, sample_weight: Any = None) -> None:
        if x is None:
            raise ValueError("x is missing; pass arrays, or an iterable of batches")
        given = {"x": x, "y": y, "sample_weight": sample_weight}
        self.parts: Batch = tuple(
            map_leaves(part, lambda leaf, role=role: checked_array(leaf, role)) for role, part in given.items()
        )
        lengths = [len(leaf) for leaf in tree.flatten(self.parts) if leaf is not None]
        if len(set(lengths)) > 1:
            told = [
                f"{role}{f'[{i}]' if len(tree.flatten(part)) > 1 else ''} has {len(leaf)}"
                for role, part in zip(given, self.parts, strict=True)
                for i, leaf in enumerate(tree.flatten(part))
                if leaf is not None
            ]
            raise ValueError(f"data of different lengths: {', '.join(told)} examples")
        self.examples = lengths[0] if lengths else 0
        if self.examples == 0:
            raise ValueError("x holds no examples; nothing to do")

    def split(self, fraction: float) -> tuple[Arrays, Arrays]:
        """The first part of each array for training, and the last `fraction` for validation."""
        if not isinstance(fraction, int | float | np.number) or not 0 < fraction < 1:
            raise ValueError(f"validation_split: got {fraction!r}, expected a number between 0 and 1")
        cut = math.floor(self.examples * (1 - fraction))
        if cut in (0, self.examples):
            raise ValueError(
                f"validation_split: {fraction} of {self.examples} examples leaves training or validation empty"
            )
        return self._rows(slice(cut)), self._rows(slice(cut, None))

    def _rows(self, rows: slice) -> Arrays:
        part = Arrays.__new__(Arrays)
        part.parts = tree.map_given(lambda a: a[rows], self.parts)
        part.examples = len(range(self.examples)[rows])
        return part


def as_array(value: Any, role: str) -> Any:
    """A leaf of the data as an array of numbers, of x also of texts, or an error that says what it holds instead.

    It is one of NumPy's, unless it is on the device already.
    """
    if value is None:
        return None
    if type(value) is list and isinstance(next(iter(tree.flatten(value)), None), str | bytes):
        value = np.array(value, object)  # not as wide as the longest text
    array = at_most_double(value) if type(value) is np.ndarray else _converted(value, role)
    if array.dtype.kind not in "biuf" and array.dtype.name != "bfloat16":
        if role.endswith("x") and array.ndim > 0 and (texts := as_texts(array)) is not None:
            return texts
        kind = {"O": "objects (rows of different lengths, or None)", "U": "text", "S": "bytes"}.get(array.dtype.kind)
        kind = "text" if as_texts(array) is not None else kind
        raise ValueError(f"{role}: got an array of {kind or array.dtype}, expected numbers")
    return array


def _converted(value: Any, role: str) -> Any:
    machine, value = backend(), raw(value)
    on_device = not isinstance(value, np.ndarray) and machine.owns(value) and not machine.traced(value)
    if on_device and machine.distribution is None:
        return value
    if hasattr(value, "detach"):  # a PyTorch tensor
        value = value.detach().cpu().numpy()
    elif hasattr(value, "to_numpy"):  # a pandas table or column
        value = value.to_numpy()
    try:
        return at_most_double(np.asarray(value))
    except ValueError as error:
        raise ValueError(f"{role}: rows of different lengths cannot become an array ({error})") from None


def checked_array(value: Any, role: str) -> Any:
    """`as_array`, refusing single numbers, NaN and infinities."""
    array = as_array(value, role)
    if array is None:
        return None
    if array.ndim == 0:
        raise ValueError(f"{role}: got a single value, expected an array whose first dimension is the examples")
    if array.dtype.kind == "f" and not backend().finite(array):
        wrong = ~np.isfinite(array)
        where = tuple(int(i) for i in np.argwhere(wrong)[0])
        kind = "NaN" if np.isnan(array).any() else "infinite"
        raise ValueError(
            f"{role}: {wrong.sum()} of {array.size} values are {kind}, the first at index {where}; remove or fill them"
        )
    return array.astype(np.float32) if array.dtype == np.float16 else array


def is_arrays(x: Any) -> bool:
    """Whether `x` is data in memory (an array, or a structure of arrays) rather than a source of batches."""
    leaves = tree.flatten(x)
    return bool(leaves) and all(
        leaf is None
        or hasattr(leaf, "__array__")
        or hasattr(leaf, "to_numpy")
        or isinstance(leaf, int | float | np.generic | str)
        for leaf in leaves
    )


def map_leaves(structure: Any, fn: Any) -> Any:
    """fn of each array in a structure; a list of plain numbers, or of lists of them, is one array."""
    if isinstance(structure, list) and not any(hasattr(leaf, "shape") for leaf in tree.flatten(structure)):
        return fn(structure)
    return tree.map_structure(fn, structure)


def class_weights(y: Any, class_weight: Mapping[int, float], sample_weight: Any = None) -> Any:
    """Each label's weight by its class, times that of its example.

    >>> class_weights(np.array([0, 2]), {0: 1.0, 2: 3.0})
    array([1., 3.], dtype=float32)
    """
    if not isinstance(class_weight, Mapping):
        raise TypeError(f"class_weight: got {class_weight!r}, expected a dict {{class number: weight}}")
    if y is None or tree.is_nested(y):
        raise ValueError(
            f"class_weight needs one array of labels y, got {'none' if y is None else len(tree.flatten(y))}; "
            "use sample_weight, which may be one array for each output"
        )
    for key, weight in class_weight.items():
        if not (isinstance(key, int | np.integer) and isinstance(weight, int | float | np.number) and weight >= 0):
            raise ValueError(f"class_weight: got {key!r}: {weight!r}, expected a class number and a weight >= 0")
    labels = _labels(y)
    weights = np.ones(labels.shape, np.float32)
    for number, weight in class_weight.items():
        weights[labels == int(number)] = float(weight)
    if sample_weight is None:
        return weights
    own = np.asarray(sample_weight, np.float32)
    rank = max(weights.ndim, own.ndim)
    return np.prod(np.broadcast_arrays(*(w.reshape(*w.shape, *[1] * (rank - w.ndim)) for w in (weights, own))), axis=0)


def _labels(y: np.ndarray) -> np.ndarray:
    """The numbers of classes: y itself, or the place of the largest entry where there is one entry for each class."""
    if y.ndim > 1 and y.shape[-1] == 1:
        y = y[..., 0]
    elif y.ndim > 1:
        shares = np.all(y >= 0) and np.allclose(y.sum(-1, dtype=np.float64), 1, atol=1e-3)
        several = y.ndim == 2 and y.dtype.kind == "f" and np.all(y <= 1)  # classes of one example, as Keras counts them
        y = y.argmax(-1) if shares or several else y
    return np.round(y).astype(int)
