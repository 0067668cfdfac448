"""Batches by number, made when they are asked for."""

import itertools
from collections.abc import Iterator
from typing import Any


class PyDataset:
    """batch i = self[i], for i = 0 ... len(self) - 1: data that a subclass reads or makes piece by piece

    A subclass defines `__len__` and `__getitem__`, which returns a batch: x, (x, y) or (x, y, sample_weight). It may
    define `on_epoch_end`, which is called after the last batch. `fit` draws the order of the batches anew for every
    epoch unless it is told `shuffle=False`.

    Args:
        workers: with more than one, so many threads make batches while the model trains; `fit` gets them in order.
        use_multiprocessing: processes instead, for what Python does in one thread at a time; also with one worker.
            The object has to be such that the system's way to start processes can hand it over.
        max_queue_size: how many batches are made before they are asked for.

    >>> import numpy as np
    >>> class Squares(PyDataset):
    ...     def __len__(self):
    ...         return 2
    ...     def __getitem__(self, i):
    ...         x = np.arange(4 * i, 4 * i + 4)
    ...         return x, x**2
    >>> Squares()[1][1]
    array([16, 25, 36, 49])
    """

    workers, use_multiprocessing, max_queue_size = 1, False, 10  # of subclasses that do not call __init__

    def __init__(self, workers: int = 1, use_multiprocessing: bool = False, max_queue_size: int = 10) -> None:
        self.workers, self.use_multiprocessing, self.max_queue_size = workers, use_multiprocessing, max_queue_size

    def __len__(self) -> int:
        if type(self).num_batches is not PyDataset.num_batches and (count := self.num_batches) is not None:
            return count
        raise NotImplementedError(f"{type(self).__name__}: define __len__(self), the number of batches")

    def __getitem__(self, index: int) -> Any:
        raise NotImplementedError(f"{type(self).__name__}: define __getitem__(self, index), which returns a batch")

    def __iter__(self) -> Iterator[Any]:
        """The batches in order, without end where nothing says how many there are."""
        try:
            count = self.num_batches
        except NotImplementedError:
            count = None
        return map(self.__getitem__, itertools.count() if count is None else range(count))

    @property
    def num_batches(self) -> int | None:
        """How many batches an epoch has; None where they have no end."""
        return len(self)

    def on_epoch_begin(self) -> None:
        """Called before the first batch of an epoch is asked for."""

    def on_epoch_end(self) -> None:
        """Called when all batches were asked for."""


Sequence = PyDataset  # its older name
