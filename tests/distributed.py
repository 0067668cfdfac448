"""What test_distribution.py runs in processes of their own: training in several ways, told as JSON by the first.

    python distributed.py '{"modes": ["one", "data", "model"], "backup": FOLDER, "lose": RANK}'

With "lose" the process of that rank kills itself in the middle of the third epoch.
"""

import json
import os
import signal
import sys

import numpy as np

from layerwise import callbacks, config, distribution, layers, models, optimizers, utils
from layerwise.backends import backend

BATCH = 16


class Lose(callbacks.Callback):
    """Kill this process, as a machine that fails would, in the third epoch."""

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        if (self.epoch, batch) == (2, 1):
            os.kill(os.getpid(), signal.SIGKILL)


def distribute(mode):
    """Set the distribution: none, the batch cut, or the kernels of a two-layer MLP cut as well."""
    distribution.set_distribution(None)
    if mode == "data":
        distribution.set_distribution(distribution.DataParallel())
    if mode == "model":
        mesh = distribution.DeviceMesh((distribution.get_device_count() // 2, 2), ("batch", "model"))
        layouts = distribution.LayoutMap(mesh)
        layouts["hidden/kernel"], layouts["hidden/bias"] = (None, "model"), ("model",)
        layouts["out/kernel"] = ("model", None)
        distribution.set_distribution(distribution.ModelParallel(layout_map=layouts))


def data():
    """44 examples: two batches of 16, and one of 12, which 8 devices cannot share equally."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((44, 6))
    return x, (x[:, 0] > 0).astype("int64")


def train(mode, backup=None, lose=None):
    """Losses, predictions and where things lie."""
    distribute(mode)
    utils.set_random_seed(3)
    x, y = data()
    model = models.Sequential([
        layers.Input((6,)), layers.Dense(16, activation="relu", name="hidden"), layers.BatchNormalization(),
        layers.Dropout(0.25), layers.Dense(3, activation="softmax", name="out"),
    ])  # fmt: skip
    model.compile(optimizers.Adam(0.01), "sparse_categorical_crossentropy", metrics=["accuracy"])
    extra = [Lose()] if lose is not None and lose == backend().processes()[0] else []
    extra += [callbacks.BackupAndRestore(backup, delete_checkpoint=False)] if backup else []
    history = model.fit(
        x, y, batch_size=BATCH, epochs=4, verbose=0, callbacks=extra,
        validation_data=(x, y), validation_batch_size=len(x),
    ).history  # fmt: skip
    kernel, slot = model.layers[0].kernel, model.optimizer.variables[3]
    batch = backend().batch(x, slice(0, BATCH))
    return {
        "loss": history["loss"],
        "val_loss": history["val_loss"],
        "predictions": model.predict(x, len(x), verbose=0).tolist(),
        "from an iterable": model.evaluate(iter([(x, y)]), verbose=0),
        "weights": [w.tolist() for w in model.get_weights()],
        "kernel": shard(kernel._value),
        "slot": shard(slot._value),
        "rows here": sum(len(s.data) for s in batch.addressable_shards) if mode != "one" else BATCH,
    }


def shard(array):
    """The shape of what one device holds."""
    return list(array.addressable_shards[0].data.shape)


if __name__ == "__main__":
    options = json.loads(sys.argv[1])
    config.set_backend("xla")
    distribution.initialize(timeout=20 if "lose" in options else 100)  # others may only be slow
    told = {mode: train(mode, options.get("backup"), options.get("lose")) for mode in options["modes"]}
    if distribution.is_first():
        print(json.dumps(told))
