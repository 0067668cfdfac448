"""Batches by number, made where the model trains, or by threads or processes beside it."""

from collections.abc import Iterable, Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from typing import Any

from ..parallel import in_order, threads


def batches_of(source: Any, numbers: Iterable[int]) -> Iterator[Any]:
    """source[i] for each number, in this order, made ahead where the source has `workers`."""
    workers, in_processes = getattr(source, "workers", 1), getattr(source, "use_multiprocessing", False)
    if workers < 1 or (workers == 1 and not in_processes):
        return (source[i] for i in numbers)
    ahead = max(workers, getattr(source, "max_queue_size", 10))
    if in_processes:
        pool: Executor = ProcessPoolExecutor(workers, initializer=_keep, initargs=(source,))
        return in_order(pool, _batch, numbers, ahead)
    return in_order(threads(workers), source.__getitem__, numbers, ahead)


_kept: Any = None  # in a process that makes batches: their source


def _keep(source: Any) -> None:
    global _kept
    _kept = source


def _batch(number: int) -> Any:
    return _kept[number]
