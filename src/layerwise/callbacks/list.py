"""The list of callbacks that a training loop talks to."""

import functools
from collections.abc import Iterator
from typing import Any

from ..terminal import display_mode
from .base import HOOKS, Callback, Logs
from .history import History
from .progress import ProgbarLogger

_ALIASES = {
    "on_train_batch_begin": "on_batch_begin",
    "on_train_batch_end": "on_batch_end",
}  # the latter is asked by the former


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

    def is_told_every_batch(self, kind: str) -> bool:
        """Whether a callback wants to be told of each batch in training ("train") or evaluation ("test")."""
        told = self._calls[f"on_{kind}_batch_begin"] + self._calls[f"on_{kind}_batch_end"]
        return any(getattr(getattr(call, "__self__", None), "_every_batch", True) for call in told)

    def _tell(self, hook: str, logs: Any, *place: int) -> None:
        if calls := self._calls[hook]:
            logs = logs if isinstance(logs, Logs) else Logs(logs or {})
            for call in calls:
                call(*place, logs)


def _forwarding(hook: str) -> Any:
    """A hook of the list: it reaches the callbacks that override it."""
    forward: Any
    if "epoch" in hook:

        def forward(self: CallbackList, epoch: int, logs: Any = None) -> None:
            self._tell(hook, logs, epoch)

    elif "batch" in hook:

        def forward(self: CallbackList, batch: int, logs: Any = None) -> None:
            self._tell(hook, logs, batch)

    else:

        def forward(self: CallbackList, logs: Any = None) -> None:
            self._tell(hook, logs)

    return functools.wraps(getattr(Callback, hook))(forward)


for _hook in HOOKS:
    setattr(CallbackList, _hook, _forwarding(_hook))


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
    hooks = [hook for hook in HOOKS if hook in own or getattr(kind, hook, None) is not idle[hook]]
    return hooks + [hook for hook, alias in _ALIASES.items() if alias in hooks and hook not in hooks]
