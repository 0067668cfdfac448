"""Stop when it no longer gets better, or when the loss is no number any more."""

import math
from typing import Any

from ..terminal import say
from .base import Callback
from .monitor import Monitor


class EarlyStopping(Monitor):
    """Stop `fit` after `patience` epochs in a row without `monitor` becoming better by more than `min_delta`.

    Args:
        monitor: a name in the logs of an epoch.
        min_delta: the least change that counts as better.
        patience: how many epochs may pass without one.
        verbose: 1 says when it stops.
        mode: "min" or "max", whichever is better; "auto" asks the model's metric of that name.
        baseline: patience is restored only by values better than this one, too.
        restore_best_weights: whether the model ends with the weights of its best epoch.
        start_from_epoch: epochs before this one do not count.

    Prechelt, "Early stopping, but when?", 1998.

    >>> stopping = EarlyStopping("val_loss", patience=3, restore_best_weights=True)
    >>> # model.fit(x, y, validation_split=0.1, epochs=100, callbacks=stopping)
    """

    _memory = ("wait", "stopped_epoch", "best_epoch", "best", "best_weights")

    def __init__(
        self,
        monitor: str = "val_loss",
        min_delta: float = 0,
        patience: int = 0,
        verbose: int = 0,
        mode: str = "auto",
        baseline: float | None = None,
        restore_best_weights: bool = False,
        start_from_epoch: int = 0,
    ) -> None:
        super().__init__(monitor, mode, min_delta)
        self.patience, self.verbose, self.baseline = patience, verbose, baseline
        self.restore_best_weights, self.start_from_epoch = restore_best_weights, start_from_epoch
        self._reset()

    def _reset(self) -> None:
        self.wait = self.stopped_epoch = self.best_epoch = 0
        self.best: float | None = None
        self.best_weights: list[Any] | None = None

    def on_train_begin(self, logs: Any = None) -> None:
        self._reset()

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        current = self._current(logs or {})
        if current is None or epoch < self.start_from_epoch:
            return
        self.wait += 1
        if self._is_better(current, self.best):
            self.best = current
            self.best_epoch = epoch
            if self.restore_best_weights:
                self.best_weights = self.model.get_weights()
            if self.baseline is None or self._is_better(current, self.baseline):
                self.wait = 0
        elif self.wait >= self.patience:
            self.stopped_epoch = epoch
            self.model.stop_training = True

    def on_train_end(self, logs: Any = None) -> None:
        if self.verbose and self.stopped_epoch > 0:
            say(f"Epoch {self.stopped_epoch + 1}: early stopping")
        if self.best_weights is not None:
            if self.verbose:
                say(f"Restoring the weights of the best epoch, {self.best_epoch + 1}")
            self.model.set_weights(self.best_weights)


class TerminateOnNaN(Callback):
    """Stop `fit` when the loss after a batch is NaN or infinite.

    Args:
        raise_error: whether to raise `RuntimeError` rather than to end the training quietly.

    It reads the loss of every batch, so an accelerator waits for each one.

    >>> # model.fit(x, y, callbacks=TerminateOnNaN())
    """

    def __init__(self, raise_error: bool = False) -> None:
        self.raise_error = raise_error

    def on_batch_end(self, batch: int, logs: Any = None) -> None:
        loss = (logs or {}).get("loss")
        if loss is None or math.isfinite(loss):
            return
        if self.raise_error:
            raise RuntimeError(f"TerminateOnNaN: the loss is {loss} after batch {batch}")
        say(f"Batch {batch}: the loss is {float(loss)}, terminating training")
        self.model.stop_training = True
