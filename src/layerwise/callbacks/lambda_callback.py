"""A callback made of functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..naming import suggest
from .base import HOOKS, Callback

Hook = Callable[..., Any] | None


class LambdaCallback(Callback):
    """`LambdaCallback(on_epoch_end=f)` calls f(epoch, logs) after each epoch; any hook of `Callback` can be given.

    Args:
        on_epoch_begin, on_epoch_end, on_train_batch_begin, on_train_batch_end: called with (number, logs).
        on_train_begin, on_train_end: called with (logs).
        kwargs: other hooks, those of evaluation and prediction likewise.

    >>> report = LambdaCallback(on_epoch_end=lambda epoch, logs: print(epoch, logs["loss"]))
    >>> report.on_epoch_end(0, {"loss": 0.5})
    0 0.5
    """

    def __init__(
        self,
        on_epoch_begin: Hook = None,
        on_epoch_end: Hook = None,
        on_train_begin: Hook = None,
        on_train_end: Hook = None,
        on_train_batch_begin: Hook = None,
        on_train_batch_end: Hook = None,
        **kwargs: Hook,
    ) -> None:
        named = {
            "on_epoch_begin": on_epoch_begin,
            "on_epoch_end": on_epoch_end,
            "on_train_begin": on_train_begin,
            "on_train_end": on_train_end,
            "on_train_batch_begin": on_train_batch_begin,
            "on_train_batch_end": on_train_batch_end,
        }
        for name, function in (named | kwargs).items():
            if name not in HOOKS:
                raise TypeError(f"LambdaCallback: {name!r} is not a hook; {suggest(name, HOOKS)}")
            if function is not None:
                setattr(self, name, function)
