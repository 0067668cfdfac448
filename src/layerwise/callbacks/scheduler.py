"""A learning rate for each epoch."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from ..terminal import say
from .base import Callback, number


class LearningRateScheduler(Callback):
    """learning_rate = schedule(epoch, learning_rate) before each epoch.

    Args:
        schedule: a function of the epoch, counted from 0, and the learning rate so far; or of the epoch alone.
        verbose: 1 says what it sets.

    Adds "learning_rate" to the logs.

    >>> halve = LearningRateScheduler(lambda epoch, rate: rate / 2 if epoch > 10 else rate)
    >>> # model.fit(x, y, epochs=20, callbacks=halve)
    """

    def __init__(self, schedule: Callable[..., float], verbose: int = 0) -> None:
        self.schedule, self.verbose = schedule, verbose

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        optimizer = self.model.optimizer
        arguments: tuple[Any, ...] = (epoch, float(optimizer.learning_rate))
        try:
            inspect.signature(self.schedule).bind(*arguments)
        except TypeError:
            arguments = arguments[:1]
        rate = number(self.schedule(*arguments))
        if not isinstance(rate, float):
            raise ValueError(
                f"LearningRateScheduler: schedule: got {rate!r} of type {type(rate).__name__} for epoch {epoch}, "
                "expected a float"
            )
        optimizer.learning_rate = rate
        if self.verbose:
            say(f"Epoch {epoch + 1}: learning rate {float(optimizer.learning_rate):.4g}")

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        if logs is not None:
            logs["learning_rate"] = float(self.model.optimizer.learning_rate)
