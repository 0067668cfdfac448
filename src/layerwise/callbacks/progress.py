"""The bar of `fit`, `evaluate` and `predict`."""

from typing import Any

from ..terminal import Progbar, display_mode, say
from .base import Callback


class ProgbarLogger(Callback):
    """A `Progbar` for each epoch of `fit`, for `evaluate` and for `predict`; they add it themselves.

    Loss and metrics are running means already and shown as they are.
    """

    bar: Progbar
    target: int | None = None
    _every_batch = False
    epochs = 1
    verbose = 1
    _in_fit = False

    def set_params(self, params: dict[str, Any]) -> None:
        self.params = params
        self.verbose = display_mode(params.get("verbose", "auto"))
        self.epochs = params.get("epochs", 1)
        self.target = params.get("steps")

    def on_train_begin(self, logs: Any = None) -> None:
        self._in_fit = True

    def on_train_end(self, logs: Any = None) -> None:
        self._in_fit = False

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        title = f"Epoch {epoch + 1}/{self.epochs}"
        if self.verbose == 1:
            say(title)
        self._begin(title if self.verbose == 2 else "")

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self.bar.update(batch + 1, logs, finalize=False)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self._end(logs)

    def on_test_begin(self, logs: Any = None) -> None:
        if not self._in_fit:
            self._begin()

    def on_test_batch_end(self, batch: int, logs: Any = None) -> None:
        if not self._in_fit:
            self.bar.update(batch + 1, logs, finalize=False)

    def on_test_end(self, logs: Any = None) -> None:
        if not self._in_fit:
            self._end(logs)

    def on_predict_begin(self, logs: Any = None) -> None:
        self._begin()

    def on_predict_batch_end(self, batch: int, logs: Any = None) -> None:
        self.bar.update(batch + 1, finalize=False)

    def on_predict_end(self, logs: Any = None) -> None:
        self._end(None)

    def _begin(self, title: str = "") -> None:
        self.bar = Progbar(self.target, verbose=self.verbose, stateless_metrics=(), title=title)

    def _end(self, logs: Any) -> None:
        self.target = self.bar.seen  # an epoch tells the next one how long it was
        self.bar.target = self.target
        self.bar.update(self.target, logs, finalize=True)
