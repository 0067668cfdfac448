"""A training that can be killed at any moment and started again, and the killing of it.

python resume_program.py train FOLDER [SAVE_FREQ]   one training; says what it ended with, as JSON
python resume_program.py kill TIMES [SEED]          kill trainings, compare with one left alone
"""

import hashlib
import json
import random
import signal
import subprocess
import sys
import tempfile
import time

import numpy as np

from layerwise import callbacks, layers, models, optimizers, utils

EPOCHS, BATCH, EXAMPLES = 8, 16, 500
LONGEST = 1.0  # seconds until a training is killed: about as long as one takes


def data():
    rng = np.random.default_rng(0)
    x = rng.standard_normal((EXAMPLES, 12)).astype("float32")
    return x, (x[:, 0] + x[:, 1] * x[:, 2] > 0).astype("int64")


def make():
    """A model with everything that has state: slots, schedules, running means, generators of random numbers."""
    utils.set_random_seed(3)
    model = models.Sequential([
        layers.Input((12,)), layers.Dense(24, activation="relu"), layers.BatchNormalization(), layers.Dropout(0.3),
        layers.GaussianNoise(0.1), layers.Dense(2, activation="softmax"),
    ])  # fmt: skip
    model.compile(optimizers.Adam(0.01, use_ema=True), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def train(extra, epochs=EPOCHS):
    """Losses by epoch, and the SHA-256 of all weights and slots."""
    model, (x, y) = make(), data()
    watch = [
        callbacks.EarlyStopping("val_loss", patience=5, restore_best_weights=True),
        callbacks.ReduceLROnPlateau("val_loss", factor=0.5, patience=1, min_delta=0.01),
        callbacks.LearningRateScheduler(lambda epoch, rate: rate * 0.97),
    ]
    history = model.fit(
        x, y, BATCH, epochs, verbose=0, callbacks=[*extra, *watch], validation_split=0.2, validation_batch_size=100
    )
    digest = hashlib.sha256()
    for variable in (*model.variables, *model.optimizer.variables):
        digest.update(variable.numpy().tobytes())
    return {"sha256": digest.hexdigest(), "epoch": history.epoch, "history": history.history}


def kill(times, seed=0):
    """(how many trainings ended, how many of them differed from one that was never killed)."""
    choose, whole = random.Random(seed), train([])
    killed = ended = differed = 0
    while killed < times:
        with tempfile.TemporaryDirectory() as folder:
            while True:
                save_freq = choose.choice(["1", "3", "7", "epoch"])
                child = subprocess.Popen(
                    [sys.executable, __file__, "train", folder, save_freq], stdout=subprocess.PIPE, text=True
                )
                child.stdout.readline()  # it has begun
                if killed < times:
                    time.sleep(choose.uniform(0, LONGEST))
                    child.kill()
                told = child.communicate()[0]
                if child.returncode == 0:
                    break
                if child.returncode != -signal.SIGKILL:
                    raise RuntimeError(f"the training ended by itself, with exit status {child.returncode}")
                killed += 1
            ended += 1
            differed += json.loads(told) != json.loads(json.dumps(whole))
    return ended, differed


if __name__ == "__main__":
    if sys.argv[1] == "train":
        frequency = int(sys.argv[3]) if sys.argv[3:] and sys.argv[3] != "epoch" else "epoch"
        print("ready", flush=True)
        print(json.dumps(train([callbacks.BackupAndRestore(sys.argv[2], frequency)])))
    else:
        ended, differed = kill(int(sys.argv[2]), int(sys.argv[3]) if sys.argv[3:] else 0)
        print(f"{sys.argv[2]} kills, {ended} trainings ended, {differed} of them differed")
        sys.exit(differed > 0)
