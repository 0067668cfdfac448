"""`tf.summary`: numbers, pictures and histograms in event files that TensorBoard shows; needs tensorboardX."""

import contextlib
import os
from collections.abc import Iterator
from contextvars import ContextVar
from time import time_ns
from typing import Any

import numpy as np

from ...lazy import need, public_only

__all__ = ["create_file_writer", "flush", "histogram", "image", "scalar", "text"]
public_only(__name__)

_writer: ContextVar[Any] = ContextVar("summary_writer", default=None)


class FileWriter:
    """An open event file, into which what is told inside `with writer.as_default():` goes."""

    def __init__(self, folder: str) -> None:
        from tensorboardX import SummaryWriter

        self.writer = SummaryWriter(folder, filename_suffix=f".{time_ns()}")
        self.step: int | None = None

    @contextlib.contextmanager
    def as_default(self, step: int | None = None) -> Iterator["FileWriter"]:
        self.step = step
        token = _writer.set(self)
        try:
            yield self
        finally:
            _writer.reset(token)

    def flush(self) -> None:
        self.writer.flush()

    def close(self) -> None:
        self.writer.close()


def create_file_writer(logdir: Any, **options: Any) -> FileWriter:
    """A new event file in a folder."""
    need("tf.summary", "tensorboardX", "tensorboard")
    return FileWriter(os.fspath(logdir))


def _tell(kind: str, name: str, value: Any, step: Any, **options: Any) -> bool:
    current = _writer.get()
    if current is None:
        return False
    step = current.step if step is None else step
    if step is None:
        raise ValueError(f"tf.summary: {name}: step is missing, here and in as_default")
    getattr(current.writer, f"add_{kind}")(name, value, int(step), **options)
    return True


def scalar(name: str, data: Any, step: Any = None, description: str | None = None) -> bool:
    """A number."""
    return _tell("scalar", name, float(data), step)


def histogram(name: str, data: Any, step: Any = None, buckets: Any = None, description: str | None = None) -> bool:
    """How often which values occur."""
    return _tell("histogram", name, np.asarray(data), step)


def image(name: str, data: Any, step: Any = None, max_outputs: int = 3, description: str | None = None) -> bool:
    """Images (batch, height, width, channels), the first `max_outputs` of them."""
    return _tell("images", name, np.asarray(data)[:max_outputs], step, dataformats="NHWC")


def text(name: str, data: Any, step: Any = None, description: str | None = None) -> bool:
    """A text."""
    return _tell("text", name, str(data), step)


def flush(writer: Any = None, name: str | None = None) -> None:
    """Write what is waiting to be written."""
    current = writer or _writer.get()
    if current is not None:
        current.flush()
