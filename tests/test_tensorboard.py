"""TensorBoard's own event reader reads back what the callback wrote."""

import sys
from types import SimpleNamespace

import numpy as np
import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from layerwise import ops
from layerwise.callbacks import CallbackList, TensorBoard
from layerwise.variables import Variable


@pytest.fixture
def model():
    kernel = Variable(np.linspace(-1, 1, 101), name="kernel")
    kernel.path = "dense/kernel"
    broken = Variable([np.nan, 1.0], name="broken")
    optimizer = SimpleNamespace(learning_rate=Variable(0.25), iterations=Variable(0, dtype="int32"))
    return SimpleNamespace(optimizer=optimizer, weights=[kernel, broken], stop_training=False)


def fit(callback, model, epochs=2, steps=4):
    """The calls that `fit` with validation makes."""
    listeners = CallbackList(callback, model=model)
    listeners.on_train_begin()
    for epoch in range(epochs):
        listeners.on_epoch_begin(epoch)
        for step in range(steps):
            model.optimizer.iterations.assign_add(1)
            listeners.on_train_batch_end(step, {"loss": ops.array(float(step))})
        listeners.on_test_begin()
        listeners.on_test_end({"loss": ops.array(10.0 + epoch)})
        listeners.on_epoch_end(
            epoch, {"loss": ops.array(1.0 - epoch), "vector": np.ones(3), "val_loss": np.float32(10 + epoch)}
        )
    listeners.on_train_end()


def read(folder):
    events = EventAccumulator(str(folder), size_guidance={"histograms": 0, "scalars": 0})  # 0: all of them
    events.Reload()
    return events


def scalars(folder):
    events = read(folder)
    return {tag: [(e.step, e.value) for e in events.Scalars(tag)] for tag in events.Tags()["scalars"]}


def test_epochs(tmp_path, model):
    fit(TensorBoard(tmp_path), model)
    assert scalars(tmp_path / "train") == {
        "epoch_loss": [(0, 1.0), (1, 0.0)],
        "epoch_learning_rate": [(0, 0.25), (1, 0.25)],
    }
    assert scalars(tmp_path / "validation") == {
        "epoch_loss": [(0, 10.0), (1, 11.0)],
        "evaluation_loss_vs_iterations": [(4, 10.0), (8, 11.0)],
    }
    assert read(tmp_path / "train").Tags()["histograms"] == []


@pytest.mark.parametrize(
    ("update_freq", "expected"),
    [
        ("batch", [(step + 1, float(step % 4)) for step in range(8)]),
        (1, [(step + 1, float(step % 4)) for step in range(8)]),
        (3, [(3, 2.0), (6, 1.0)]),
    ],
)
def test_batches(tmp_path, model, update_freq, expected):
    fit(TensorBoard(tmp_path, update_freq=update_freq), model)
    assert scalars(tmp_path / "train")["batch_loss"] == expected


def test_a_training_that_goes_on_goes_on_in_its_curves(tmp_path, model):
    callback = TensorBoard(tmp_path, update_freq="batch")
    for _ in range(2):
        fit(callback, model, epochs=1)
    assert [step for step, _ in scalars(tmp_path / "train")["batch_loss"]] == list(range(1, 9))


def test_speed(tmp_path, model):
    fit(TensorBoard(tmp_path, update_freq=2, write_steps_per_second=True), model)
    written = scalars(tmp_path / "train")
    assert [step for step, _ in written["batch_steps_per_second"]] == [2, 4, 6, 8]
    assert len(written["epoch_steps_per_second"]) == 2
    assert all(value > 0 for tag in written if "per_second" in tag for _, value in written[tag])


def test_histograms(tmp_path, model):
    fit(TensorBoard(tmp_path, histogram_freq=2), model, epochs=3)
    events = read(tmp_path / "train")
    assert events.Tags()["histograms"] == ["dense/kernel/histogram"]  # values that are not finite have none
    histograms = events.Histograms("dense/kernel/histogram")
    assert [event.step for event in histograms] == [0, 2]
    value = histograms[0].histogram_value
    assert (value.min, value.max, value.num) == (-1, 1, 101)
    np.testing.assert_allclose(value.sum_squares, np.sum(np.linspace(-1, 1, 101) ** 2), rtol=1e-5)


def test_evaluate_on_its_own(tmp_path, model):
    model.optimizer.iterations.assign(7)
    listeners = CallbackList(TensorBoard(tmp_path), model=model)
    listeners.on_test_begin()
    listeners.on_test_end({"loss": ops.array(0.5)})
    assert scalars(tmp_path / "validation") == {"evaluation_loss_vs_iterations": [(7, 0.5)]}


def test_model_without_optimizer(tmp_path):
    listeners = CallbackList(TensorBoard(tmp_path), model=SimpleNamespace(weights=[]))
    listeners.on_train_begin()
    listeners.on_epoch_begin(0)
    listeners.on_epoch_end(0, {"loss": 0.5})
    listeners.on_train_end()
    assert scalars(tmp_path / "train") == {"epoch_loss": [(0, 0.5)]}


def test_batches_are_not_read_between_writes(tmp_path, model):
    class Unread:
        shape = ()

        def __array__(self, dtype=None, copy=None):
            raise AssertionError("read")

    for frequency in ("epoch", 10):
        listeners = CallbackList(TensorBoard(tmp_path, update_freq=frequency), model=model)
        listeners.on_train_begin()
        for batch in range(5):
            listeners.on_train_batch_end(batch, {"loss": Unread()})
        listeners.on_train_end()


def test_errors(monkeypatch):
    for wrong in ("epochs", 0, 2.5):
        with pytest.raises(ValueError, match=f"update_freq: got {wrong!r}, expected 'epoch', 'batch' or a number"):
            TensorBoard(update_freq=wrong)
    monkeypatch.setitem(sys.modules, "tensorboardX", None)
    with pytest.raises(ModuleNotFoundError, match=r"pip install 'layerwise\[tensorboard\]'"):
        TensorBoard()
