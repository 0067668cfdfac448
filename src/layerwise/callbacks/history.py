"""The record of a training: loss and metrics by epoch, and their curves."""

from __future__ import annotations

import os
from typing import Any

from .base import Callback


class History(Callback):
    """history[name][i] = value of `name` after epoch epoch[i]. `fit` returns one.

    >>> history = History()
    >>> history.on_train_begin()
    >>> for epoch, loss in enumerate([0.7, 0.4]):
    ...     history.on_epoch_end(epoch, {"loss": loss})
    >>> history.epoch, history.history
    ([0, 1], {'loss': [0.7, 0.4]})
    """

    _memory = ("history", "epoch", "_epochs")

    def __init__(self) -> None:
        self.history: dict[str, list[Any]] = {}
        self.epoch: list[int] = []
        self._epochs: dict[str, list[int]] = {}  # of each name: validation may be rarer than epochs

    def on_train_begin(self, logs: Any = None) -> None:
        self.epoch = []

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self.epoch.append(epoch)
        for name, value in (logs or {}).items():
            self.history.setdefault(name, []).append(value)
            self._epochs.setdefault(name, []).append(epoch)

    def plot(self, path: str | os.PathLike[str] | None = None, ax: Any = None) -> Any:
        """Draw loss and metrics, training and validation, over the epochs; return the matplotlib Figure.

        Args:
            path: where the picture is saved (.png, .svg, .pdf, ...).
            ax: matplotlib Axes to draw everything into; by default each quantity gets its own.

        Needs matplotlib: pip install 'layerwise[plot]'.
        """
        if not self.history:
            raise ValueError("History.plot: nothing is recorded yet; call fit first")
        try:
            from matplotlib.figure import Figure
            from matplotlib.ticker import MaxNLocator
        except ModuleNotFoundError as error:
            raise ModuleNotFoundError(
                "History.plot: matplotlib is not installed; pip install 'layerwise[plot]'"
            ) from error

        names = list(dict.fromkeys(name.removeprefix("val_") for name in self.history))
        if ax is not None:
            figure, axes = ax.figure, [ax] * len(names)
        else:
            size = (4.8 * len(names), 3.6)
            if path is None:  # to be shown
                from matplotlib import pyplot

                figure = pyplot.figure(figsize=size, layout="constrained")
            else:  # pyplot would keep it alive
                figure = Figure(figsize=size, layout="constrained")
            axes = list(figure.subplots(1, len(names), squeeze=False)[0])
        for name, panel in zip(names, axes):
            for key, kind, style in ((name, "training", "-"), (f"val_{name}", "validation", "--")):
                if key in self.history:
                    label = kind if ax is None else f"{kind} {name}"
                    epochs = [epoch + 1 for epoch in self._epochs[key]]
                    panel.plot(epochs, self.history[key], style, marker=".", label=label)
            panel.set(xlabel="epoch", ylabel=name if ax is None else "value")
            panel.xaxis.set_major_locator(MaxNLocator(integer=True))
            panel.legend()
        if path is not None:
            figure.savefig(path)
        return figure
