"""Labels, norms and batches as arrays.

>>> to_categorical([0, 2])
array([[1., 0., 0.],
       [0., 0., 1.]], dtype=float32)
"""

from typing import Any

import numpy as np

from .. import config, ops
from ..autograd import Tensor, as_tensor


def to_categorical(x: Any, num_classes: int | None = None) -> Any:
    """y[..., c] = 1 where c is the label x[...], else 0

    x holds whole numbers from 0 to num_classes - 1 (by default the largest of them); a last dimension of size 1 is
    dropped, so (n,) and (n, 1) both give (n, num_classes).

    Returns a Tensor for a Tensor, else an array.

    >>> to_categorical([[1], [0]], num_classes=2)
    array([[0., 1.],
           [1., 0.]], dtype=float32)
    """
    labels = np.asarray(x)
    if labels.size and not np.array_equal(labels, np.floor(labels)):
        raise ValueError("to_categorical: x: got fractions, expected whole numbers, the labels of classes")
    labels = labels.astype("int64")
    if labels.ndim > 1 and labels.shape[-1] == 1:
        labels = labels[..., 0]
    if num_classes is None:
        num_classes = int(labels.max(initial=-1)) + 1
    if labels.size and not 0 <= labels.min() <= labels.max() < num_classes:
        raise ValueError(
            f"to_categorical: x: got labels from {labels.min()} to {labels.max()}, "
            f"expected 0 to {num_classes - 1} for num_classes={num_classes}"
        )
    y = (labels[..., None] == np.arange(num_classes)).astype("float32")
    return as_tensor(y) if type(x) is Tensor else y


def normalize(x: Any, axis: int = -1, order: float = 2) -> Any:
    """y = x / |x|, with the norm of this order along `axis`; zeros stay zeros. A Tensor for a Tensor, else an array

    >>> normalize([[3.0, 4.0], [0.0, 0.0]])
    array([[0.6, 0.8],
           [0. , 0. ]], dtype=float32)
    """
    if isinstance(x, Tensor):
        return ops.normalize(x, axis, order)
    x = np.atleast_1d(x if isinstance(x, np.ndarray) and x.dtype.kind == "f" else np.asarray(x, config.floatx()))
    norm = np.linalg.norm(x, order, axis, keepdims=True)
    return x / np.where(norm == 0, 1, norm).astype(x.dtype)


def pack_x_y_sample_weight(x: Any, y: Any = None, sample_weight: Any = None) -> Any:
    """(x, y, sample_weight) or (x, y) where that is all; without y, x alone, in a tuple if it is a tuple or list

    >>> pack_x_y_sample_weight(1, 2)
    (1, 2)
    """
    if y is None:
        return (x,) if isinstance(x, tuple | list) else x
    return (x, y) if sample_weight is None else (x, y, sample_weight)
