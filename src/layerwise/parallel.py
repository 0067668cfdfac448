"""Work by several threads or processes, its results in the order in which it was given out."""

import contextvars
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from typing import Any


def in_order(pool: Executor, function: Callable[[Any], Any], items: Iterable[Any], ahead: int) -> Iterator[Any]:
    """function(item) for each item, computed in the pool, up to `ahead` of them before they are asked for

    What is raised, by the function or by the items, is raised in its place. The pool ends with the loop.

    >>> list(in_order(ThreadPoolExecutor(2), abs, [-1, -2, -3], 2))
    [1, 2, 3]
    """
    waiting: deque[Future[Any]] = deque()
    end: BaseException | None = None
    source = iter(items)
    try:
        while waiting or end is None:
            while end is None and len(waiting) < ahead:
                try:
                    waiting.append(pool.submit(function, next(source)))
                except BaseException as raised:
                    end = raised
            if waiting:
                yield waiting.popleft().result()
        if not isinstance(end, StopIteration):
            raise end
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def threads(workers: int) -> ThreadPoolExecutor:
    """A pool of threads that see the settings which hold where it is made, such as `config.override`."""
    context = contextvars.copy_context()

    def enter() -> None:
        for variable, value in context.items():
            variable.set(value)

    return ThreadPoolExecutor(workers, "layerwise-map", enter)
