"""Stop when the loss is no number any more."""

from __future__ import annotations

import math
from typing import Any

from ..terminal import say
from .base import Callback


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
