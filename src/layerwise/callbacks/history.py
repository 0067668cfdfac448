"""The record of a training: loss and metrics by epoch, their curves, and a file of them."""

import csv
import os
from typing import Any

import numpy as np

from ..lazy import need
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
        need("History.plot", "matplotlib.figure", "plot")
        from matplotlib.figure import Figure
        from matplotlib.ticker import MaxNLocator

        names = list(dict.fromkeys(name.removeprefix("val_") for name in self.history))
        if ax is not None:
            figure, axes = ax.figure, [ax] * len(names)
        else:
            size = (4.8 * len(names), 3.6)
            if path is None:  # to be shown
                from matplotlib import pyplot

                figure = pyplot.figure(figsize=size, layout="constrained")
                if "inline" in pyplot.get_backend():  # a notebook shows what a cell returns, and what is open, too
                    pyplot.close(figure)
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


class CSVLogger(Callback):
    """A row an epoch: its number, counted from 0, then loss and metrics by name; NA where a value is missing.

    Args:
        filename: of the file; missing folders are made.
        separator: between columns.
        append: whether to go on in a file that is there, rather than replace it.

    The file is complete after every epoch, whatever happens next.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     logger = CSVLogger(f"{folder}/run/log.csv")
    ...     logger.on_train_begin()
    ...     logger.on_epoch_end(0, {"loss": 0.5})
    ...     print(open(f"{folder}/run/log.csv").read())
    epoch,loss,val_loss
    0,0.5,NA
    """

    def __init__(self, filename: str | os.PathLike[str], separator: str = ",", append: bool = False) -> None:
        self.filename, self.separator, self.append = os.fspath(filename), separator, append
        self._columns: list[str] | None = None

    def on_train_begin(self, logs: Any = None) -> None:
        os.makedirs(os.path.dirname(self.filename) or ".", exist_ok=True)
        with open(self.filename, "a+" if self.append else "w+", newline="") as file:
            file.seek(0)
            self._columns = next(csv.reader(file, delimiter=self.separator), None)

    def get_state(self) -> dict[str, Any]:
        with open(self.filename, newline="") as file:
            return {"columns": self._columns, "written": file.read()}

    def set_state(self, state: dict[str, Any]) -> None:
        if not isinstance(state.get("written"), str) or "columns" not in state:
            raise ValueError("CSVLogger: set_state: expected what was written, as a text, and its columns")
        self._columns = state["columns"]
        with open(self.filename, "w", newline="") as file:
            file.write(state["written"])

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        logs = logs or {}
        with open(self.filename, "a", newline="") as file:
            writer = csv.writer(file, delimiter=self.separator)
            if self._columns is None:
                names = sorted(logs)
                if not any(name.startswith("val_") for name in names):  # the first validation may come later
                    names += [f"val_{name}" for name in names]
                self._columns = ["epoch", *names]
                writer.writerow(self._columns)
            writer.writerow([epoch, *(_cell(logs.get(name, "NA")) for name in self._columns[1:])])


def _cell(value: Any) -> Any:
    """What a cell holds: a list in brackets for a value with dimensions."""
    if isinstance(value, np.ndarray | list | tuple):
        return f'"[{", ".join(map(str, value))}]"'
    return value
