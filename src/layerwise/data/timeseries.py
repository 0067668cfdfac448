"""Windows over a series as a data set."""

from typing import Any

import numpy as np

from ..naming import expect, one_of, whole_number
from .dataset.dataset import Dataset

_WHAT = "timeseries_dataset_from_array"


def timeseries_dataset_from_array(
    data: Any,
    targets: Any,
    sequence_length: int,
    sequence_stride: int = 1,
    sampling_rate: int = 1,
    batch_size: int | None = 128,
    shuffle: bool = False,
    seed: int | None = None,
    start_index: int | None = None,
    end_index: int | None = None,
    format: str = "tf",
) -> Dataset:
    """Windows data[t], data[t + r], ..., `sequence_length` steps each, with t = i * sequence_stride, and targets[t]

    Args:
        data: (steps, ...), in the order of time.
        targets: targets[t] belongs to the window that begins at step t; None: windows alone.
        sequence_length: steps of a window.
        sequence_stride: steps from one window's beginning to the next one's.
        sampling_rate: r, steps from one step of a window to the next one.
        batch_size: windows of a batch; None: single windows.
        shuffle: windows in another order each epoch, by `seed`.
        start_index, end_index: windows lie in data[start_index:end_index].
        format: Keras' "tf" or "grain", without effect.

    Windows are cut out of the array batch by batch, in one call.

    >>> data = np.arange(6)
    >>> x, y = next(iter(timeseries_dataset_from_array(data[:-3], data[3:], sequence_length=3)))
    >>> x.tolist(), y.tolist()
    ([[0, 1, 2]], [3])
    """
    data = np.asarray(data)
    n = len(data)
    for name, value in (("sampling_rate", sampling_rate), ("sequence_stride", sequence_stride)):
        if whole_number(f"{_WHAT}: {name}", value) >= n:
            raise ValueError(f"{_WHAT}: {name}: got {value}, expected a number below the {n} steps of the data")
    length = whole_number(f"{_WHAT}: sequence_length", sequence_length)
    one_of(f"{_WHAT}: format", format, "tf", "grain")
    start, end = start_index or 0, n if end_index is None else end_index
    expect(f"{_WHAT}: start_index", start, 0 <= start < n, f"0 to {n - 1}, a step of the data")
    expect(f"{_WHAT}: end_index", end, start < end <= n, f"a step of the data behind start_index={start}")
    data = data[start:end]
    offsets = np.arange(length) * sampling_rate
    count = len(data) - int(offsets[-1])
    if targets is not None:
        targets = np.asarray(targets)[start:end]
        count = min(count, len(targets))
    starts = np.arange(0, max(count, 0), sequence_stride)

    def windows(numbers: Any) -> Any:
        begin = starts[numbers]
        found = data[np.expand_dims(begin, -1) + offsets]
        return found if targets is None else (found, targets[begin])

    numbers = Dataset.range(len(starts))
    if shuffle:
        numbers = numbers.shuffle(seed=seed)
    if batch_size is not None:
        numbers = numbers.batch(batch_size)
    return numbers.map(windows)
