"""The one loop over batches, and the three that are made of it: the epochs of `fit`, `evaluate` and `predict`."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import tree
from ..callbacks import CallbackList
from .sources import ArrayBatches, IterableBatches, RowBatches
from .steps import flat_logs, prepared, step_of
from .stream import Stream

if TYPE_CHECKING:
    from .trainer import Trainer

TOGETHER = 0.1  # seconds that steps may take which no callback has to be told of one by one


def results(kind: str, step: Any, stream: Stream, listeners: CallbackList) -> Iterator[Any]:
    """What the step gives for the batches of the next epoch, one by one or several at once; callbacks are told."""
    begin, end = (getattr(listeners, f"on_{kind}_batch_{when}") for when in ("begin", "end"))
    if kind != "predict":  # whose result is wanted of each
        stream.seconds = 0 if listeners.is_told_every_batch(kind) else TOGETHER
    number = stream.done
    for data in stream.epoch():
        begin(number)
        result = step.for_each(data.rows, data.data) if isinstance(data, RowBatches) else step(data)
        number, result = stream.done, result if kind == "predict" else flat_logs(result)
        end(number - 1, result)
        yield result
    if stream.exhausted:
        warnings.warn(
            f"the source of batches ended after {number} of {stream.limit} steps; training stops here", stacklevel=5
        )


@dataclass
class Validation:
    """What is evaluated between epochs: batches, how many of them, and after which epochs."""

    source: ArrayBatches | IterableBatches
    steps: int | None
    frequency: int | Iterable[int]

    def is_due(self, epoch: int) -> bool:
        every = self.frequency
        return (epoch + 1) % every == 0 if isinstance(every, int) else epoch + 1 in every

    def results(self, model: Trainer, listeners: CallbackList) -> dict[str, Any]:
        with noting("in validation_data"):
            values = evaluate(model, Stream(self.source, self.steps), listeners)
        return {f"val_{name}": value for name, value in values.items()}


@dataclass
class Run:
    """A `fit` that is running: what callbacks read, and what is to be undone when it ends, however it ends."""

    model: Trainer
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

    def epochs(self, step: Any, validation: Validation | None, first: int, end: int) -> dict[str, Any]:
        """Train from epoch `first` until before `end`, or until a callback stops it; returns the last one's results.

        Where a state was loaded, by a callback or the user, it goes on from there instead.
        """
        model, stream, listeners = self.model, self.stream, self.listeners
        values: dict[str, Any] = {}
        resume, model._resume = model._resume, None
        if resume is not None:
            values, first = resume.restore(model), resume.epoch
        for self.epoch in range(first, end):
            middle = resume is not None and resume.batches > 0
            if resume is not None and model.stop_training and not middle:
                break
            if not middle and not stream.has_more():
                warnings.warn(
                    f"fit: the source of batches is at its end after {self.epoch - first} epochs; training "
                    "stops here. Give steps_per_epoch, or batches that can be gone through again (a generator "
                    "cannot)",
                    stacklevel=4,
                )
                break
            model.reset_metrics()
            listeners.on_epoch_begin(self.epoch)
            logs = resume.restore(model) if middle else {}  # whatever the epoch's beginning did has been done before
            if not (middle and model.stop_training):
                for logs_of_batch in results("train", step, stream, listeners):
                    logs = logs_of_batch
                    if model.stop_training:
                        break
            resume, values = None, model._results(logs)
            if validation is not None and validation.is_due(self.epoch):
                values |= validation.results(model, listeners)
                step = step_of(model, "train").function
            values = dict(sorted(values.items()))
            listeners.on_epoch_end(self.epoch, values)
            if model.stop_training or stream.exhausted:
                break
        return values


def evaluate(model: Trainer, stream: Stream, listeners: CallbackList) -> dict[str, float]:
    """Go through the batches once; returns loss and metrics."""
    step = prepared(model, "test", stream.source, stream.peek())
    model.reset_metrics()
    if model.stop_evaluating:
        model.stop_evaluating = False
    listeners.on_test_begin()
    logs: Any = {}
    for logs_of_batch in results("test", step, stream, listeners):
        logs = logs_of_batch
        if model.stop_evaluating:
            break
    values = model._results(logs)
    listeners.on_test_end(values)
    model._clear_losses()
    return values


def predict(model: Trainer, step: Callable[[Any], Any], stream: Stream, listeners: CallbackList) -> Any:
    """Go through the batches once; returns all outputs, one after the other."""
    if model.stop_predicting:
        model.stop_predicting = False
    listeners.on_predict_begin()
    parts = []
    for part in results("predict", lambda x: {"outputs": tree.map_structure(np.asarray, step(x))}, stream, listeners):
        parts.append(part)
        if model.stop_predicting:
            break
    listeners.on_predict_end()
    model._clear_losses()
    return tree.map_structure(lambda *columns: np.concatenate(columns), *(part["outputs"] for part in parts))


@contextlib.contextmanager
def noting(place: str) -> Iterator[None]:
    """Errors inside the `with` block say where they come from."""
    try:
        yield
    except Exception as error:
        error.add_note(place)
        raise
