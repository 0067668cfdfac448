"""Sequences of different lengths as arrays, and pairs of neighbours in them."""

from typing import Any

import numpy as np

from ..data import PyDataset
from ..lazy import public_only
from ..utils.sequences import make_sampling_table, pad_sequences, skipgrams

__all__ = ["TimeseriesGenerator", "make_sampling_table", "pad_sequences", "skipgrams"]
public_only(__name__)


class TimeseriesGenerator(PyDataset):
    """Batches of windows of a series, each with the target of the step behind it

    Args:
        data: (time, ...), a list or an array.
        targets: as many.
        length: how many steps of the series a window spans.
        sampling_rate: how far apart the steps in it are.
        stride: how far apart windows end.
        start_index, end_index: the first and the last step that are used, by default all.
        shuffle: whether windows are drawn at random, any number of times.
        reverse: whether the last step comes first.
        batch_size: windows in a batch.
        options: of `PyDataset`.

    >>> series = TimeseriesGenerator(np.arange(5), np.arange(5) * 10, length=2, batch_size=2)
    >>> series[0]
    (array([[0, 1],
           [1, 2]]), array([20, 30]))
    """

    def __init__(
        self,
        data: Any,
        targets: Any,
        length: int,
        sampling_rate: int = 1,
        stride: int = 1,
        start_index: int = 0,
        end_index: int | None = None,
        shuffle: bool = False,
        reverse: bool = False,
        batch_size: int = 128,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        if len(targets) != len(data):
            raise ValueError(
                f"TimeseriesGenerator: targets: got {len(targets)}, expected {len(data)}, one for each step"
            )
        self.data, self.targets, self.length = data, targets, length
        self.sampling_rate, self.stride, self.batch_size = sampling_rate, stride, batch_size
        self.start_index, self.end_index = start_index + length, len(data) - 1 if end_index is None else end_index
        self.shuffle, self.reverse = shuffle, reverse
        if self.start_index > self.end_index:
            raise ValueError(
                f"TimeseriesGenerator: length: no step lies behind a window of {length} from step {start_index} on, "
                f"up to step {self.end_index}"
            )

    def __len__(self) -> int:
        windows = (self.end_index - self.start_index) // self.stride + 1
        return -(-windows // self.batch_size)

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        if self.shuffle:
            ends = np.random.randint(self.start_index, self.end_index + 1, size=self.batch_size)
        else:
            first = self.start_index + index * self.batch_size * self.stride
            ends = np.arange(first, self.end_index + 1, self.stride)[: self.batch_size]
        x = np.array([self.data[end - self.length : end : self.sampling_rate] for end in ends.tolist()])
        return x[:, ::-1] if self.reverse else x, np.array([self.targets[end] for end in ends.tolist()])
