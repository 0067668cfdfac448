"""Save the model while it is being trained."""

import os
from typing import Any

from .. import distribution
from ..naming import suggest
from ..terminal import say
from .base import check_frequency
from .monitor import Monitor


class ModelCheckpoint(Monitor):
    """Save the model, or its weights, after every epoch or every `save_freq` batches, always or when it is the best.

    Args:
        filepath: ends in ".keras" (or ".h5"), for weights in ".weights.h5". "{epoch:02d}" (counted from 1), "{batch}"
            and names of the logs, "{val_loss:.2f}", are filled in; missing folders are made. With `save_state` it ends
            in ".safetensors".
        monitor: the name in the logs that says which model is best.
        verbose: 1 says what it does.
        save_best_only: whether to save only if `monitor` is better than ever before.
        save_weights_only: whether to call `model.save_weights` rather than `model.save`.
        mode: "min" or "max", whichever is better; "auto" asks the model's metric of that name.
        save_freq: "epoch", or a number of batches.
        initial_value_threshold: the value that `monitor` has to surpass to be saved at all.
        save_state: whether to save, instead of a model, all that `fit` needs to go on from there to the bit: what
            `BackupAndRestore` keeps. `layerwise.saving.load_training_state(model, filepath)`, and the next `fit` does.

    Of several processes that train together the first one saves.

    >>> checkpoint = ModelCheckpoint("best.keras", monitor="val_loss", save_best_only=True)
    >>> # model.fit(x, y, validation_split=0.1, epochs=10, callbacks=checkpoint)
    """

    _memory = ("best", "_epoch", "_last_batch", "_batches")

    def __init__(
        self,
        filepath: str | os.PathLike[str],
        monitor: str = "val_loss",
        verbose: int = 0,
        save_best_only: bool = False,
        save_weights_only: bool = False,
        mode: str = "auto",
        save_freq: int | str = "epoch",
        initial_value_threshold: float | None = None,
        save_state: bool = False,
    ) -> None:
        super().__init__(monitor, mode, best=initial_value_threshold)
        self.filepath = os.fspath(filepath)
        if save_state and save_weights_only:
            raise ValueError("ModelCheckpoint: save_state: got True with save_weights_only=True; choose one of them")
        endings = (".weights.h5",) if save_weights_only else (".keras", ".h5")
        endings = (".safetensors",) if save_state else endings
        if not self.filepath.endswith(endings):
            raise ValueError(
                f"ModelCheckpoint: filepath: got {self.filepath!r}, expected it to end in {' or '.join(endings)} "
                f"with save_weights_only={save_weights_only}, save_state={save_state}"
            )
        check_frequency(self, "save_freq", save_freq, "epoch")
        self.verbose, self.save_best_only, self.save_weights_only = verbose, save_best_only, save_weights_only
        self.save_freq, self.save_state = save_freq, save_state
        self._rank = 1 if save_state else 0
        self._every_batch = save_freq != "epoch"
        self._epoch = 0
        self._last_batch = -1
        self._batches = 0  # since the last time a save was due

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self._epoch = epoch
        self._last_batch = -1

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        if self.save_freq == "epoch":
            return
        self._batches += batch - self._last_batch  # more than one where a step is several batches
        self._last_batch = batch
        if self._batches >= int(self.save_freq):
            self._batches = 0
            self._consider({"epoch": self._epoch + 1, "batch": batch + 1}, logs or {})

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        if self.save_freq == "epoch":
            self._consider({"epoch": epoch + 1}, logs or {})

    def _consider(self, place: dict[str, int], logs: dict[str, Any]) -> None:
        """Save if this is a time to save."""
        path = self._path({**logs, **place})
        because = ""
        if self.save_best_only and (current := self._current(logs)) is not None:
            if not self._is_better(current, self.best):
                if self.verbose:
                    say(f"Epoch {place['epoch']}: {self.monitor} did not improve from {self.best:.5f}")
                return
            before = "" if self.best is None else f" from {self.best:.5f}"
            because = f"{self.monitor} improved{before} to {current:.5f}, "
            self.best = current
        if self.verbose:
            say(f"Epoch {place['epoch']}: {because}saving to {path}")
        with distribution.gathered(self.model):
            if not distribution.is_first():
                return
            os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
            self._save(path, place, logs)
        distribution.note_checkpoint(path)

    def _save(self, path: str, place: dict[str, int], logs: dict[str, Any]) -> None:
        if self.save_state:
            batches = place.get("batch", 0)
            self.model._save_training(path, place["epoch"] - (batches > 0), batches, logs)
        else:
            save = self.model.save_weights if self.save_weights_only else self.model.save
            save(path, overwrite=True)

    def _path(self, values: dict[str, Any]) -> str:
        try:
            return self.filepath.format(**values)
        except (KeyError, IndexError, ValueError, TypeError) as error:
            name = error.args[0] if isinstance(error, KeyError) else ""
            reason = f"no {name!r} to fill in; {suggest(name, values)}" if name else str(error)
            raise ValueError(
                f"ModelCheckpoint: filepath: cannot fill in {self.filepath!r}: {reason}; "
                f"there are {', '.join(sorted(values))}"
            ) from error
