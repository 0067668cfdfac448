"""Another learning rate: for each epoch, or when it no longer gets better."""

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from ..dtypes import number
from ..naming import expect
from ..terminal import say
from .base import Callback
from .monitor import Monitor


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


class ReduceLROnPlateau(Monitor):
    """learning_rate = max(learning_rate * factor, min_lr) after `patience` epochs without `monitor` becoming better.

    Args:
        monitor: a name in the logs of an epoch.
        factor: what the learning rate is multiplied by, below 1.
        patience: how many epochs may pass without a better value.
        verbose: 1 says when it reduces.
        mode: "min" or "max", whichever is better; "auto" asks the model's metric of that name.
        min_delta: the least change that counts as better.
        cooldown: how many epochs after a reduction do not count.
        min_lr: the learning rate gets no lower.

    Adds "learning_rate" to the logs.

    >>> reduce = ReduceLROnPlateau("val_loss", factor=0.2, patience=5)
    >>> # model.fit(x, y, validation_split=0.1, epochs=100, callbacks=reduce)
    """

    _memory = ("wait", "cooldown_counter", "best")

    def __init__(
        self,
        monitor: str = "val_loss",
        factor: float = 0.1,
        patience: int = 10,
        verbose: int = 0,
        mode: str = "auto",
        min_delta: float = 1e-4,
        cooldown: int = 0,
        min_lr: float = 0.0,
    ) -> None:
        super().__init__(monitor, mode, min_delta)
        expect("ReduceLROnPlateau: factor", factor, lambda factor: factor < 1, "a number below 1")
        self.factor, self.patience, self.verbose = factor, patience, verbose
        self.cooldown, self.min_lr = cooldown, min_lr
        self._reset()

    def _reset(self) -> None:
        self.wait = self.cooldown_counter = 0
        self.best: float | None = None

    def on_train_begin(self, logs: Any = None) -> None:
        self._reset()

    def in_cooldown(self) -> bool:
        """Whether the last reduction is too recent for the next one."""
        return self.cooldown_counter > 0

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        logs = {} if logs is None else logs
        rate = logs["learning_rate"] = float(self.model.optimizer.learning_rate)
        current = self._current(logs)
        if current is None:
            return
        if self.in_cooldown():
            self.cooldown_counter -= 1
            self.wait = 0
        if self._is_better(current, self.best):
            self.best = current
            self.wait = 0
        elif not self.in_cooldown():
            self.wait += 1
            if self.wait >= self.patience and rate > np.float32(self.min_lr):  # as float32 as the learning rate itself
                self.model.optimizer.learning_rate = rate = max(rate * self.factor, self.min_lr)
                if self.verbose:
                    say(f"Epoch {epoch + 1}: reducing the learning rate to {rate:.4g}")
                self.cooldown_counter = self.cooldown
                self.wait = 0
