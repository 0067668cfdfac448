"""Evaluate the averaged weights, train the others."""

from typing import Any

from .base import Callback


class SwapEMAWeights(Callback):
    """The model has the optimizer's moving averages as weights while it is evaluated, and its own again afterwards.

    Args:
        swap_on_epoch: whether to keep the averages from the end of an epoch to the beginning of the next one, so that
            callbacks after this one, a `ModelCheckpoint` say, see them.

    Needs an optimizer with `use_ema=True`. Polyak and Juditsky, "Acceleration of stochastic approximation by
    averaging", 1992.

    >>> # model.compile(SGD(0.1, use_ema=True), "mse")
    >>> # model.fit(x, y, callbacks=[SwapEMAWeights(swap_on_epoch=True), ModelCheckpoint("ema.keras")])
    """

    _memory = ("_own",)

    def __init__(self, swap_on_epoch: bool = False) -> None:
        self.swap_on_epoch = swap_on_epoch
        self._own: list[Any] | None = None  # the weights that wait for the averages to leave

    def set_model(self, model: Any) -> None:
        if not getattr(model.optimizer, "use_ema", False):
            raise ValueError(f"SwapEMAWeights: got {model.optimizer!r}, expected an optimizer with use_ema=True")
        super().set_model(model)

    def _average(self) -> None:
        if self._own is None and self.model.optimizer.built:
            weights = self.model.trainable_variables
            self._own = [weight.numpy() for weight in weights]
            self.model.optimizer.finalize_variable_values(weights)

    def _restore(self) -> None:
        if self._own is not None:
            for weight, value in zip(self.model.trainable_variables, self._own, strict=True):
                weight.assign(value)
            self._own = None

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self._restore()

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        if self.swap_on_epoch:
            self._average()

    def on_train_end(self, logs: Any = None) -> None:
        self._own = None  # training ends with the averages

    def on_test_begin(self, logs: Any = None) -> None:
        self._average()

    def on_test_end(self, logs: Any = None) -> None:
        self._restore()

    def on_predict_begin(self, logs: Any = None) -> None:
        self._average()

    def on_predict_end(self, logs: Any = None) -> None:
        self._restore()
