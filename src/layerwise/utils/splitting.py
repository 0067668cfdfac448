"""One data set as two."""

from typing import Any

from ..data import Dataset


def split_dataset(
    dataset: Any,
    left_size: float | None = None,
    right_size: float | None = None,
    shuffle: bool = False,
    seed: int | None = None,
    preferred_backend: str | None = None,
) -> tuple[Dataset, Dataset]:
    """Two data sets: the first `left_size` elements and the last `right_size` of the others

    `dataset`: a `Dataset` of known length, or arrays, also in tuples, lists and dictionaries. Sizes are whole numbers
    or, between 0 and 1, fractions of the length; one of them may be left to the other. With `shuffle` the elements are
    drawn in an order by `seed`. `preferred_backend`, Keras' argument, is without effect.

    >>> import numpy as np
    >>> left, right = split_dataset(np.arange(10), left_size=0.8)
    >>> len(left), [int(x) for x in right]
    (8, [8, 9])
    """
    if isinstance(dataset, list) and all(hasattr(part, "shape") for part in dataset):
        dataset = tuple(dataset)  # x and y, not rows
    data = dataset if isinstance(dataset, Dataset) else Dataset.from_tensor_slices(dataset)
    n = len(data)
    if left_size is None and right_size is None:
        raise ValueError("split_dataset: got neither left_size nor right_size, expected at least one")
    left, right = _part("left_size", left_size, n), _part("right_size", right_size, n)
    left, right = n - right if left is None else left, n - left if right is None else right  # type: ignore[operator]
    if left + right > n:
        raise ValueError(f"split_dataset: left_size and right_size: got {left} + {right} elements of {n}")
    if shuffle:
        data = data.shuffle(seed=seed, reshuffle_each_iteration=False)
    return data.take(left), data.skip(left).take(right)


def _part(name: str, size: float | None, n: int) -> int | None:
    if size is None:
        return None
    count = round(size * n) if isinstance(size, float) and size < 1 else size
    if isinstance(count, float) or not 0 < count < n:
        raise ValueError(
            f"split_dataset: {name}: got {size}, expected a whole number or a fraction that leaves both parts of {n} "
            "elements with at least one"
        )
    return count
