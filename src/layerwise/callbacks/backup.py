"""Go on after a crash as if there had been none."""

import os
import signal
import sys
import threading
from typing import Any

from .. import distribution
from ..backends import backend
from ..naming import expect
from .base import Callback, check_frequency


class BackupAndRestore(Callback):
    """Write all that training has changed; `fit`, started again, goes on behind what was written last.

    Args:
        backup_dir: a folder, which is made; of several processes the first one writes, and all read.
        save_freq: "epoch", or a number of batches. What was done since is done again.
        double_checkpoint: Keras' argument; here a backup is replaced whole, and one is enough.
        delete_checkpoint: whether the backup is removed when `fit` ends well.

    The file holds every variable of the training step (weights, the optimizer's slots, seed generators, metrics of the
    running epoch), the place in the data, how far the process's random numbers were drawn, and what the callbacks
    remember (`Callback.get_state`). So `fit`, called again with the same arguments, ends with the same weights and
    history, to the bit, as one that was never interrupted. A generator that can be gone through only once is advanced
    to its place; what else draws random numbers of its own is up to its owner.

    SIGTERM saves after the running step (or the running validation) and exits with code 143; where several processes
    train together, it ends them at once.

    >>> backup = BackupAndRestore("runs/backup", save_freq=100)
    >>> # model.fit(x, y, epochs=100, callbacks=[backup])
    """

    _memory = ("_batches",)
    _rank = 2

    def __init__(
        self,
        backup_dir: str | os.PathLike[str],
        save_freq: int | str = "epoch",
        double_checkpoint: bool = False,
        delete_checkpoint: bool = True,
    ) -> None:
        expect("BackupAndRestore: backup_dir", backup_dir, backup_dir, "the path of a folder")
        check_frequency(self, "save_freq", save_freq, "epoch")
        self.backup_dir, self.save_freq, self.delete_checkpoint = os.fspath(backup_dir), save_freq, delete_checkpoint
        self.double_checkpoint = double_checkpoint
        self._epoch = 0
        self._batches = 0  # so far
        self._terminated = False
        self._every_batch = save_freq != "epoch"

    @property
    def path(self) -> str:
        """The file that holds the backup."""
        return os.path.join(self.backup_dir, "backup.safetensors")

    def on_train_begin(self, logs: Any = None) -> None:
        self._batches, self._terminated = 0, False
        alone = backend().processes()[1] == 1
        if alone and self.model._run is not None and threading.current_thread() is threading.main_thread():
            before = signal.signal(signal.SIGTERM, self._on_sigterm)
            self.model._run.closing.callback(signal.signal, signal.SIGTERM, before or signal.SIG_DFL)
        if os.path.exists(self.path):
            self.model._load_training(self.path)

    def _on_sigterm(self, *event: Any) -> None:
        self._terminated = True

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self._epoch = epoch

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self._batches += 1
        due = self.save_freq != "epoch" and self._batches % int(self.save_freq) == 0
        if due or self._terminated:
            self._save(self._epoch, batch + 1, logs)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        if self.save_freq == "epoch" or self._terminated:
            self._save(epoch + 1, 0, logs)

    def _save(self, epoch: int, batches: int, logs: Any) -> None:
        with distribution.gathered(self.model):
            if not distribution.is_first():
                return
            os.makedirs(self.backup_dir, exist_ok=True)
            self.model._save_training(self.path, epoch, batches, logs)
        distribution.note_checkpoint(self.path)
        if self._terminated:
            sys.exit(128 + signal.SIGTERM)

    def on_train_end(self, logs: Any = None) -> None:
        if self.delete_checkpoint and distribution.is_first() and os.path.exists(self.path):
            os.remove(self.path)
