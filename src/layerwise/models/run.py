"""The `fit` that is running, as callbacks see it."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

from ..callbacks import CallbackList
from .batches import Stream


@dataclass
class Run:
    """What a running `fit` reads and tells, and what is to be undone when it ends, however it ends."""

    model: Any
    stream: Stream
    listeners: CallbackList
    epoch: int = 0
    closing: ExitStack = field(default_factory=ExitStack)

    def __enter__(self) -> Run:
        self.model._run = self
        return self

    def __exit__(self, *error: Any) -> None:
        self.model._run = None
        self.closing.close()
