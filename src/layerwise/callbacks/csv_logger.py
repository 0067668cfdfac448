"""The record of a training as a file."""

from __future__ import annotations

import csv
import os
from typing import Any

import numpy as np

from .base import Callback


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
