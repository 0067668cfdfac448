"""Event files that TensorBoard shows."""

import os
from time import perf_counter, time_ns
from typing import Any

import numpy as np

from ..lazy import need
from .base import Callback, check_frequency


class TensorBoard(Callback):
    """Write loss, metrics and weight histograms for `tensorboard --logdir LOG_DIR`.

    In the sub-folders train/ and validation/: `epoch_loss`, `epoch_<metric>` after each epoch, `batch_...` where
    `update_freq` asks for them, `epoch_learning_rate`, `evaluation_..._vs_iterations` after each evaluation, and a
    histogram `<path of the weight>/histogram` of each weight. Only values without dimensions are written.

    Args:
        log_dir: the folder; made if missing.
        histogram_freq: epochs between histograms, 0 for none.
        write_graph: has no effect; Keras' code passes it.
        write_steps_per_second: whether to write how fast the training is.
        update_freq: "epoch", "batch", or the number of batches between writes. Each write waits for the backend.

    Needs tensorboardX: pip install 'layerwise[tensorboard]'. TensorFlow is not needed, neither to write nor to look.

    >>> # model.fit(x, y, epochs=5, callbacks=TensorBoard("logs", histogram_freq=1))
    """

    _memory = ("_step",)

    def __init__(
        self,
        log_dir: str | os.PathLike[str] = "logs",
        histogram_freq: int = 0,
        write_graph: bool = True,
        write_steps_per_second: bool = False,
        update_freq: int | str = "epoch",
    ) -> None:
        check_frequency(self, "update_freq", update_freq, "epoch", "batch")
        need("TensorBoard", "tensorboardX", "tensorboard")  # said before the training, not after its first epoch
        self.log_dir, self.histogram_freq = os.fspath(log_dir), histogram_freq
        self.write_graph, self.write_steps_per_second = write_graph, write_steps_per_second
        self.update_freq = 1 if update_freq == "batch" else update_freq
        self._writers: dict[str, Any] = {}
        self._step = 0  # training steps so far
        self._in_fit = False
        self._epoch_began = self._batch_began = (0.0, 0)  # time and step

    def _write(self, folder: str, scalars: dict[str, Any], step: int) -> None:
        writer = self._writer(folder)
        for tag, value in scalars.items():
            if isinstance(value, int | float):
                writer.add_scalar(tag, value, step)

    def _writer(self, folder: str) -> Any:
        if folder not in self._writers:
            from tensorboardX import SummaryWriter

            own = f".{time_ns()}"  # a second file of the same second would replace the first
            self._writers[folder] = SummaryWriter(os.path.join(self.log_dir, folder), filename_suffix=own)
        return self._writers[folder]

    def _close(self) -> None:
        for writer in self._writers.values():
            writer.close()
        self._writers = {}

    def _iterations(self) -> int:
        return int(getattr(getattr(self.model, "optimizer", None), "iterations", 0))

    def _speed(self, since: tuple[float, int]) -> float:
        return (self._step - since[1]) / max(perf_counter() - since[0], 1e-9)

    def on_train_begin(self, logs: Any = None) -> None:
        self._in_fit = True
        self._step = self._iterations()  # a training that goes on goes on in its curves
        self._batch_began = perf_counter(), self._step

    def on_train_end(self, logs: Any = None) -> None:
        self._in_fit = False
        self._close()

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self._epoch_began = perf_counter(), self._step

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self._step += 1
        if self.update_freq == "epoch" or self._step % int(self.update_freq):
            return
        scalars = {f"batch_{name}": value for name, value in (logs or {}).items()}
        if self.write_steps_per_second:
            scalars["batch_steps_per_second"] = self._speed(self._batch_began)
            self._batch_began = perf_counter(), self._step
        self._write("train", scalars, self._step)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        train: dict[str, Any] = {}
        validation: dict[str, Any] = {}
        for name, value in (logs or {}).items():
            (validation if name.startswith("val_") else train)[f"epoch_{name.removeprefix('val_')}"] = value
        if getattr(self.model, "optimizer", None) is not None:
            train["epoch_learning_rate"] = float(self.model.optimizer.learning_rate)
        if self.write_steps_per_second:
            train["epoch_steps_per_second"] = self._speed(self._epoch_began)
        self._write("train", train, epoch)
        if validation:
            self._write("validation", validation, epoch)
        if self.histogram_freq and epoch % self.histogram_freq == 0:
            for weight in self.model.weights:
                values = np.asarray(weight.numpy(), np.float64)
                if np.isfinite(values).all() and values.size:
                    self._writer("train").add_histogram(f"{weight.path}/histogram", values, epoch)
        for writer in self._writers.values():
            writer.flush()

    def on_test_end(self, logs: Any = None) -> None:
        scalars = {f"evaluation_{name}_vs_iterations": value for name, value in (logs or {}).items()}
        self._write("validation", scalars, self._iterations())
        if not self._in_fit:
            self._close()
