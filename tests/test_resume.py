"""A training that was interrupted and started again is, to the bit, one that was not."""

import os
import signal
import subprocess
import sys

import numpy as np
import pytest

import resume_program
from layerwise import Input, Sequential, callbacks, layers, optimizers, saving, utils
from layerwise.data import Dataset

RNG = np.random.default_rng(0)
X = RNG.standard_normal((23, 3)).astype("float32")
Y = X[:, :1] * 2


class Interrupt(callbacks.Callback):
    """End `fit` as a failure would, after so many steps."""

    def __init__(self, steps):
        self.left = steps

    def on_train_batch_end(self, batch, logs=None):
        self.left -= 1
        if self.left == 0:
            raise InterruptedError


class Batches(utils.PyDataset):
    """Batches by number."""

    def __len__(self):
        return 5

    def __getitem__(self, index):
        return X[index * 5 : index * 5 + 5], Y[index * 5 : index * 5 + 5]


def generated():
    for i in range(60):
        rows = np.arange(i, i + 4) % len(X)
        yield X[rows], Y[rows]


SOURCES = {
    "arrays": lambda: {"x": X, "y": Y, "batch_size": 5},
    "arrays in blocks": lambda: {"x": X, "y": Y, "batch_size": 5, "shuffle": "batch"},
    "arrays in steps": lambda: {"x": X, "y": Y, "batch_size": 5, "steps_per_epoch": 3},
    "dataset": lambda: {"x": Dataset.from_tensor_slices((X, Y)).shuffle(seed=4).batch(5).prefetch(2)},
    "dataset in steps": lambda: {
        "x": Dataset.from_tensor_slices((X, Y)).shuffle(seed=4).batch(5).repeat(), "steps_per_epoch": 4
    },
    "by number": lambda: {"x": Batches(), "shuffle": True},
    "generator": lambda: {"x": generated(), "steps_per_epoch": 4},
}  # fmt: skip


def fit(source, extra=(), epochs=4, seed=7):
    utils.set_random_seed(seed)
    model = Sequential([Input((3,)), layers.Dense(4), layers.Dropout(0.5), layers.Dense(1)])
    model.compile(optimizers.Adam(optimizers.schedules.ExponentialDecay(0.01, 3, 0.9)), "mse", metrics=["mae"])
    history = model.fit(
        **SOURCES[source](), epochs=epochs, verbose=0, callbacks=list(extra), validation_data=(X, Y), validation_freq=2
    )
    return history, [v.numpy() for v in (*model.variables, *model.optimizer.variables)]


def same(found, expected):
    assert found[0].history == expected[0].history
    assert found[0].epoch == expected[0].epoch
    for a, b in zip(found[1], expected[1], strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("source", SOURCES)
def test_interrupted_anywhere(source, tmp_path):
    expected = fit(source)
    for steps, save_freq in ((4, 1), (7, 2), (5, 1), (12, "epoch")):  # the third at an epoch's end
        backup = callbacks.BackupAndRestore(tmp_path, save_freq)
        with pytest.raises(InterruptedError):
            fit(source, [backup, Interrupt(steps)])
        assert os.listdir(tmp_path)
        same(fit(source, [backup]), expected)
        assert not os.listdir(tmp_path)  # it ended well


def test_interrupted_again_and_again(tmp_path):
    expected, interruptions = resume_program.train([]), 0
    while True:
        backup = callbacks.BackupAndRestore(tmp_path, 5)
        try:
            found = resume_program.train([backup, Interrupt(38)])
            break
        except InterruptedError:
            interruptions += 1
    assert interruptions == 200 // 38
    assert found == expected


def test_killed_at_random_moments():
    ended, differed = resume_program.kill(5)
    assert ended >= 1
    assert differed == 0


def test_sigterm_saves_and_exits(tmp_path):
    program = [sys.executable, resume_program.__file__, "train", str(tmp_path), "epoch"]
    child = subprocess.Popen(program, stdout=subprocess.PIPE, text=True)
    child.stdout.readline()
    while child.poll() is None and not os.listdir(tmp_path):
        pass
    child.terminate()
    told = child.communicate()[0]
    assert (child.returncode, told) in ((143, ""), (0, told))  # unless it was at its end before
    if child.returncode == 143:
        assert os.listdir(tmp_path) == ["backup.safetensors"]


class Terminate(callbacks.Callback):
    """Send SIGTERM to this process in the middle of an epoch, or of a validation."""

    def __init__(self, hook):
        setattr(self, hook, self.send)
        self.count = 0

    def send(self, batch, logs=None):
        self.count += 1
        if self.count == 3:
            os.kill(os.getpid(), signal.SIGTERM)


@pytest.mark.parametrize("hook", ["on_train_batch_end", "on_test_batch_end"])
def test_sigterm_in_the_middle(tmp_path, hook):
    before, expected = signal.getsignal(signal.SIGTERM), fit("arrays", epochs=8)
    backup = callbacks.BackupAndRestore(tmp_path, 1000)
    with pytest.raises(SystemExit) as ended:
        fit("arrays", [backup, Terminate(hook)], epochs=8)
    assert ended.value.code == 143
    assert signal.getsignal(signal.SIGTERM) is before
    same(fit("arrays", [backup], epochs=8), expected)


def test_checkpoints_of_the_whole_state(tmp_path):
    expected = fit("arrays")
    each = callbacks.ModelCheckpoint(tmp_path / "{epoch}-{batch}.safetensors", save_freq=2, save_state=True)
    best = callbacks.ModelCheckpoint(tmp_path / "best.safetensors", "loss", save_best_only=True, save_state=True)
    same(fit("arrays", [each, best]), expected)
    files = sorted(tmp_path.iterdir())
    assert len(files) == 11
    for path in files:
        utils.set_random_seed(7)
        model = Sequential([Input((3,)), layers.Dense(4), layers.Dropout(0.5), layers.Dense(1)])
        model.compile(optimizers.Adam(optimizers.schedules.ExponentialDecay(0.01, 3, 0.9)), "mse", metrics=["mae"])
        saving.load_training_state(model, path)
        history = model.fit(X, Y, 5, epochs=4, verbose=0, validation_data=(X, Y), validation_freq=2)
        same((history, [v.numpy() for v in (*model.variables, *model.optimizer.variables)]), expected)


class Stopping(callbacks.Callback):
    """Stop in the middle of an epoch."""

    def on_train_batch_end(self, batch, logs=None):
        if int(self.model.optimizer.iterations) == 8:
            self.model.stop_training = True


@pytest.mark.parametrize("save_freq", ["epoch", 1])
def test_a_training_that_was_stopping_stays_so(tmp_path, save_freq):
    class Last(callbacks.Callback):
        def on_train_end(self, logs=None):
            raise InterruptedError

    expected = fit("arrays", [Stopping()])
    assert expected[0].epoch == [0, 1]
    backup = callbacks.BackupAndRestore(tmp_path, save_freq)
    with pytest.raises(InterruptedError):
        fit("arrays", [backup, Stopping(), Last()])
    same(fit("arrays", [backup, Stopping()]), expected)


def test_what_callbacks_remember(tmp_path):
    def listeners():
        return [
            callbacks.CSVLogger(tmp_path / "log.csv"),
            callbacks.TensorBoard(tmp_path / "board"),
            callbacks.EarlyStopping("loss", patience=0, restore_best_weights=True, min_delta=1e9),
            callbacks.ModelCheckpoint(tmp_path / "best.h5", "loss", save_best_only=True),
        ]

    expected = fit("arrays", listeners())
    assert expected[0].epoch == [0, 1]  # EarlyStopping
    rows = (tmp_path / "log.csv").read_text()
    for steps in (4, 7):
        backup = callbacks.BackupAndRestore(tmp_path / "backup", 2)
        with pytest.raises(InterruptedError):
            fit("arrays", [*listeners(), backup, Interrupt(steps)])
        again = listeners()
        same(fit("arrays", [*again, backup]), expected)
        assert (tmp_path / "log.csv").read_text() == rows
        assert again[1]._step == 10


def test_a_training_that_needs_no_more_epochs(tmp_path):
    backup = callbacks.BackupAndRestore(tmp_path, 1, delete_checkpoint=False)
    expected = fit("arrays", [backup], epochs=2)
    same(fit("arrays", [backup], epochs=2), expected)


def test_states_that_contradict_themselves_are_refused_before_anything_is_assigned(tmp_path):
    import json

    from layerwise.saving.safetensors import header_of
    from layerwise.saving.training_state import DIGEST, FACTS, _digest

    backup = callbacks.BackupAndRestore(tmp_path, 1)
    with pytest.raises(InterruptedError):
        fit("arrays", [backup, Interrupt(3)])
    arrays = saving.load_safetensors(backup.path)
    facts = json.loads(header_of(backup.path)[1][FACTS])
    wrong = {
        "epoch": -1, "batches": "3", "stopping": None, "logs": [], "random": [1], "data": 7, "variables": ["nothing"],
        "stream": {"position": "x", "began": [1, 2], "dataset": None},
        "callbacks": [["History", {"$array": "nothing"}]],
    }  # fmt: skip
    for name, value in wrong.items():
        text = json.dumps({**facts, name: value})
        saving.save_safetensors(arrays, backup.path, {FACTS: text, DIGEST: _digest(text, arrays)})
        with pytest.raises(saving.FileFormatError, match=r"backup\.safetensors: layerwise_training"):
            fit("arrays", [backup])
    text = json.dumps({**facts, "callbacks": [["History", {}]]})
    saving.save_safetensors(arrays, backup.path, {FACTS: text, DIGEST: _digest(text, arrays)})
    witness = Witness()
    with pytest.raises(ValueError, match="History: set_state: a state without history"):
        fit("arrays", [backup, witness])
    for weight, before in zip(witness.model.get_weights(), witness.weights, strict=True):
        np.testing.assert_array_equal(weight, before)


class Witness(callbacks.Callback):
    """Knows the weights at the beginning."""

    def set_model(self, model):
        super().set_model(model)
        self.weights = model.get_weights()


def test_damaged_and_other_states_are_refused(tmp_path):
    backup = callbacks.BackupAndRestore(tmp_path, 1)
    with pytest.raises(InterruptedError):
        fit("arrays", [backup, Interrupt(3)])
    with pytest.raises(ValueError, match=r"in the middle of an epoch of other data.*'shuffle': 'batch'"):
        fit("arrays in blocks", [backup])
    with open(backup.path, "rb+") as file:
        file.seek(-3, os.SEEK_END)
        file.write(b"\x55")
    with pytest.raises(saving.FileFormatError, match=r"backup\.safetensors: damaged"):
        fit("arrays", [backup])
    with pytest.raises(ValueError, match="is not being trained"):
        saving.save_training_state(Sequential([Input((3,)), layers.Dense(1)]), tmp_path / "a.safetensors", 0)
    with pytest.raises(ValueError, match="save_state: got True with save_weights_only"):
        callbacks.ModelCheckpoint("a.safetensors", save_weights_only=True, save_state=True)
    with pytest.raises(ValueError, match=r"expected it to end in \.safetensors"):
        callbacks.ModelCheckpoint("a.keras", save_state=True)
