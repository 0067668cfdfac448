"""What a callback can react to, and the list of callbacks that a training loop talks to."""

from __future__ import annotations

from collections.abc import ItemsView, Iterator, ValuesView
from typing import Any

import numpy as np

from ..serialization import check_argument_names

HOOKS = tuple(
    f"on_{what}_{when}"
    for what in "train test predict epoch batch train_batch test_batch predict_batch".split()
    for when in ("begin", "end")
)
_ALIASES = {
    "on_train_batch_begin": "on_batch_begin",
    "on_train_batch_end": "on_batch_end",
}  # the latter is asked by the former


def number(value: Any) -> Any:
    """A Tensor or array without dimensions as a Python number, one with dimensions as an array, all else as it is."""
    if not hasattr(value, "shape"):
        return value
    array = np.asarray(value)
    return array.item() if array.ndim == 0 else array


class Logs(dict[str, Any]):
    """Loss and metrics by name. A value that the backend may still be computing becomes a number when it is read.

    >>> from layerwise import ops
    >>> Logs(loss=ops.array(0.5))["loss"]
    0.5
    """

    def __getitem__(self, name: str) -> Any:
        value = super().__getitem__(name)
        if hasattr(value, "shape"):
            value = self[name] = number(value)
        return value

    def __iter__(self) -> Iterator[str]:  # without it dict(logs) would copy past __getitem__
        return super().__iter__()

    def __repr__(self) -> str:
        return repr(self.copy())

    def get(self, name: str, default: Any = None) -> Any:
        return number(super().get(name, default))

    def pop(self, name: str, *default: Any) -> Any:
        return number(super().pop(name, *default))

    def items(self) -> ItemsView[str, Any]:  # type: ignore[override]
        return self.copy().items()

    def values(self) -> ValuesView[Any]:  # type: ignore[override]
        return self.copy().values()

    def copy(self) -> dict[str, Any]:
        return {name: self[name] for name in self}


class Callback:
    """What is to happen at certain moments of `fit`, `evaluate` and `predict`. Override the hooks you need.

    `self.model` is the model; setting `self.model.stop_training = True` ends `fit` after the running epoch.
    `self.params` holds "verbose", "epochs" and "steps" (None where unknown). Logs map names to numbers: during an epoch
    the running mean of loss and metrics, at its end those of the validation too, under "val_..."; what a callback adds
    at the end of an epoch is seen by those after it and recorded in the history.

    >>> class Report(Callback):
    ...     def on_epoch_end(self, epoch, logs=None):
    ...         print(f"epoch {epoch}: loss {logs['loss']:.2f}")
    >>> CallbackList(Report()).on_epoch_end(3, {"loss": 0.25})
    epoch 3: loss 0.25
    """

    model: Any = None
    params: dict[str, Any] | None = None
    _memory: tuple[str, ...] = ()  # the attributes that `get_state` returns
    _every_batch = True  # whether the batch hooks have to be called for each, or once after several is enough
    _rank = 0  # callbacks of a higher rank are told later: those that save what the others remember

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        check_argument_names(cls, kwargs)
        return super().__new__(cls)

    def set_model(self, model: Any) -> None:
        """Called once before anything else: the model that is trained, evaluated or used."""
        self.model = model

    def set_params(self, params: dict[str, Any]) -> None:
        """Called before the first hook: "verbose", "epochs" and "steps"."""
        self.params = params

    def get_state(self) -> dict[str, Any]:
        """What the callback remembers of the training so far: numbers, texts, arrays, and lists and dicts of them."""
        return {name: getattr(self, name) for name in self._memory}

    def set_state(self, state: dict[str, Any]) -> None:
        """Remember what `get_state` returned in a training that this one continues; after `on_train_begin`."""
        for name in self._memory:
            setattr(self, name, state[name])

    def on_train_begin(self, logs: Any = None) -> None:
        """Before the first epoch of `fit`."""

    def on_train_end(self, logs: Any = None) -> None:
        """After the last epoch, with its logs."""

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Before an epoch, counted from 0."""

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """After an epoch and its validation."""

    def on_batch_begin(self, batch: int, logs: Any = None) -> None:
        """Another name of `on_train_batch_begin`."""

    def on_batch_end(self, batch: int, logs: Any = None) -> None:
        """Another name of `on_train_batch_end`."""

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        """Before a training step, counted from 0 within its epoch."""
        self.on_batch_begin(batch, logs)

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """After a training step. Reading a value of `logs` waits until the backend has computed it."""
        self.on_batch_end(batch, logs)

    def on_test_begin(self, logs: Any = None) -> None:
        """Before an evaluation, be it `evaluate` or the validation in `fit`."""

    def on_test_end(self, logs: Any = None) -> None:
        """After an evaluation."""

    def on_test_batch_begin(self, batch: int, logs: Any = None) -> None:
        """Before a batch of an evaluation."""

    def on_test_batch_end(self, batch: int, logs: Any = None) -> None:
        """After a batch of an evaluation."""

    def on_predict_begin(self, logs: Any = None) -> None:
        """Before `predict`."""

    def on_predict_end(self, logs: Any = None) -> None:
        """After `predict`."""

    def on_predict_batch_begin(self, batch: int, logs: Any = None) -> None:
        """Before a batch of `predict`."""

    def on_predict_batch_end(self, batch: int, logs: Any = None) -> None:
        """After a batch of `predict`, with the batch's results as `logs["outputs"]`."""


class CallbackList(Callback):
    """Several callbacks as one. A hook reaches those that override it, in order; the others cost nothing.

    Args:
        callbacks: a callback, a (nested) list of them, another CallbackList, or None.
        add_history: whether a `History` is appended where there is none; `model.history` is set to it.
        add_progbar: whether a `ProgbarLogger` is appended where there is none.
        model: handed to `set_model`.
        params: handed to `set_params`: verbose, epochs, steps.

    >>> CallbackList([Callback()], add_history=True).callbacks[1]
    <layerwise.callbacks.history.History object at ...>
    """

    def __init__(
        self,
        callbacks: Any = None,
        add_history: bool = False,
        add_progbar: bool = False,
        model: Any = None,
        **params: Any,
    ) -> None:
        from .history import History
        from .progress import ProgbarLogger, display_mode

        display_mode(params.get("verbose", 0))  # what is wrong with it is said before the model changes
        self.callbacks = list(_flat(callbacks))
        for wanted, kind in ((add_history, History), (add_progbar, ProgbarLogger)):
            if wanted and not any(isinstance(callback, kind) for callback in self.callbacks):
                self.callbacks.append(kind())
        self.callbacks.sort(key=lambda callback: getattr(callback, "_rank", 0))
        self._history = next((c for c in self.callbacks if isinstance(c, History)), None)
        self._calls: dict[str, list[Any]] = {hook: [] for hook in HOOKS}
        for callback in self.callbacks:
            for hook in _overridden(callback):
                self._calls[hook].append(getattr(callback, hook))
        if model is not None:
            self.set_model(model)
        if params:
            self.set_params(params)

    def set_model(self, model: Any) -> None:
        self.model = model
        if self._history is not None:
            model.history = self._history
        for callback in self.callbacks:
            callback.set_model(model)

    def set_params(self, params: dict[str, Any]) -> None:
        self.params = params
        for callback in self.callbacks:
            callback.set_params(params)

    def every_batch(self, kind: str) -> bool:
        """Whether a callback wants to be told of each batch in training ("train") or evaluation ("test")."""
        told = self._calls[f"on_{kind}_batch_begin"] + self._calls[f"on_{kind}_batch_end"]
        return any(getattr(getattr(call, "__self__", None), "_every_batch", True) for call in told)

    def _tell(self, hook: str, logs: Any, *place: int) -> None:
        if calls := self._calls[hook]:
            logs = logs if isinstance(logs, Logs) else Logs(logs or {})
            for call in calls:
                call(*place, logs)

    def on_train_begin(self, logs: Any = None) -> None:
        self._tell("on_train_begin", logs)

    def on_train_end(self, logs: Any = None) -> None:
        self._tell("on_train_end", logs)

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self._tell("on_epoch_begin", logs, epoch)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self._tell("on_epoch_end", logs, epoch)

    def on_batch_begin(self, batch: int, logs: Any = None) -> None:
        self._tell("on_batch_begin", logs, batch)

    def on_batch_end(self, batch: int, logs: Any = None) -> None:
        self._tell("on_batch_end", logs, batch)

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        self._tell("on_train_batch_begin", logs, batch)

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self._tell("on_train_batch_end", logs, batch)

    def on_test_begin(self, logs: Any = None) -> None:
        self._tell("on_test_begin", logs)

    def on_test_end(self, logs: Any = None) -> None:
        self._tell("on_test_end", logs)

    def on_test_batch_begin(self, batch: int, logs: Any = None) -> None:
        self._tell("on_test_batch_begin", logs, batch)

    def on_test_batch_end(self, batch: int, logs: Any = None) -> None:
        self._tell("on_test_batch_end", logs, batch)

    def on_predict_begin(self, logs: Any = None) -> None:
        self._tell("on_predict_begin", logs)

    def on_predict_end(self, logs: Any = None) -> None:
        self._tell("on_predict_end", logs)

    def on_predict_batch_begin(self, batch: int, logs: Any = None) -> None:
        self._tell("on_predict_batch_begin", logs, batch)

    def on_predict_batch_end(self, batch: int, logs: Any = None) -> None:
        self._tell("on_predict_batch_end", logs, batch)


def _flat(callbacks: Any) -> Iterator[Any]:
    """The callbacks in what the `callbacks` argument accepts."""
    if callbacks is None:
        return
    if isinstance(callbacks, CallbackList):
        callbacks = callbacks.callbacks
    if isinstance(callbacks, list | tuple):
        for callback in callbacks:
            yield from _flat(callback)
        return
    if isinstance(callbacks, type):
        raise TypeError(f"callbacks: got the class {callbacks.__name__}, expected an object: {callbacks.__name__}(...)")
    missing = [name for name in ("set_model", "set_params", *HOOKS) if not hasattr(callbacks, name)]
    if missing:
        raise TypeError(
            f"callbacks: got a {type(callbacks).__name__}, expected a layerwise.callbacks.Callback or a list of them"
        )
    yield callbacks


def _overridden(callback: Any) -> list[str]:
    """The hooks at which a callback does anything, by its class or by a function of its own."""
    own, kind, idle = vars(callback), type(callback), vars(Callback)
    found = [hook for hook in HOOKS if hook in own or getattr(kind, hook, None) is not idle[hook]]
    return found + [hook for hook, alias in _ALIASES.items() if alias in found and hook not in found]
