"""Go on after a crash as if there had been none."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from .. import distribution, random
from .base import Callback


class BackupAndRestore(Callback):
    """Write after each epoch all that training has changed; `fit`, started again, goes on behind the last one written.

    Args:
        backup_dir: a folder, which is made; of several processes the first one writes, and all read.
        save_freq: "epoch". What an epoch had done when it was interrupted is done again.
        delete_checkpoint: whether the backup is removed when `fit` ends well.

    The file holds every variable of the training step (weights, the optimizer's slots, seed generators) and how far
    the process's random numbers were drawn, so that the orders of the remaining epochs are those of a run that was not
    interrupted. Give it as the last callback. Callbacks' own memory, such as a patience, begins anew.

    >>> backup = BackupAndRestore("runs/backup")
    >>> # model.fit(x, y, epochs=100, callbacks=[backup])
    """

    def __init__(
        self, backup_dir: str | os.PathLike[str], save_freq: str = "epoch", delete_checkpoint: bool = True
    ) -> None:
        if save_freq != "epoch":
            raise ValueError(f"BackupAndRestore: save_freq: got {save_freq!r}, expected 'epoch'")
        self.backup_dir, self.save_freq, self.delete_checkpoint = os.fspath(backup_dir), save_freq, delete_checkpoint

    @property
    def path(self) -> str:
        """The file that holds the backup."""
        return os.path.join(self.backup_dir, "backup.npz")

    def on_train_begin(self, logs: Any = None) -> None:
        if not os.path.exists(self.path):
            return
        with np.load(self.path) as file:
            variables = self.model._state()
            if file["forms"].tolist() != (forms := _forms(variables)):
                raise ValueError(
                    f"{self.path} is the backup of another model or optimizer: it holds {len(file['forms'])} variables "
                    f"where {len(forms)} were expected, or of other shapes; delete it, or choose another backup_dir"
                )
            for number, variable in enumerate(variables):
                array = file[str(number)]
                variable.assign(array.view("bfloat16") if array.dtype.kind == "V" else array)
            random.set_process_state(*file["random"].tolist())
            self.model._initial_epoch = int(file["epochs"])

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        from ..saving.files import replacing

        with distribution.gathered(self.model):
            if not distribution.is_first():
                return
            variables = self.model._state()
            arrays = {str(number): v.numpy() for number, v in enumerate(variables)}
        os.makedirs(self.backup_dir, exist_ok=True)
        with replacing(self.path) as file:
            np.savez(file, forms=_forms(variables), epochs=epoch + 1, random=random.process_state(), **arrays)
        distribution.note_checkpoint(self.path)

    def on_train_end(self, logs: Any = None) -> None:
        if self.delete_checkpoint and distribution.is_first() and os.path.exists(self.path):
            os.remove(self.path)


def _forms(variables: list[Any]) -> list[str]:
    """What two states must have in common (names count up in a process, and may differ)."""
    return [f"{v.dtype} {v.shape}" for v in variables]
