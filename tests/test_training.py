"""What data become on their way to a step, and which step it is."""

import time

import numpy as np
import pytest

from layerwise import Sequential, layers, ops
from layerwise.backends import backend
from layerwise.callbacks import Callback, CallbackList
from layerwise.data import PyDataset
from layerwise.training import arrays, trainer
from layerwise.training.arrays import Arrays
from layerwise.training.sources import ArrayBatches, IterableBatches, batches
from layerwise.training.stream import Stream

X, Y = np.arange(12, dtype="float32").reshape(6, 2), np.arange(6, dtype="float32")


def forms(source):
    return [type(data).__name__ + str(len(data) if isinstance(data, tuple) else "") for data in source.from_batch(0)]


def test_sources_give_batches_as_steps_take_them():
    assert forms(batches(X, batch_size=4)) == ["ndarray"] * 2
    assert forms(batches([X], batch_size=4)) == ["tuple1"] * 2
    assert forms(batches(X, Y, batch_size=4)) == ["tuple2"] * 2
    assert forms(batches(X, Y, np.ones(6), batch_size=4)) == ["tuple3"] * 2
    assert forms(batches(iter([X, (X,), (X, Y), [X, Y, np.ones(6)]]))) == ["ndarray", "tuple1", "tuple2", "tuple3"]
    assert forms(batches(iter([X, (X, Y)]), inputs_only=True)) == ["ndarray"] * 2
    assert forms(batches(X, Y, steps=2, class_weight={0: 2.0})) == ["tuple3"] * 2


def test_a_source_asks_of_the_labels_of_each_batch_that_is_taken():
    source, seen = IterableBatches([(X, Y), (X, Y + 1)]), []
    source.check = lambda y, weight: seen.append(float(y[0]))
    assert len(list(Stream(source, None).epoch())) == 2
    assert seen == [0.0, 1.0]


def test_a_split_has_all_examples_and_checks_them_once(monkeypatch):
    roles, plain = [], arrays.checked_array
    monkeypatch.setattr(arrays, "checked_array", lambda leaf, role: (roles.append(role), plain(leaf, role))[1])
    first, last = Arrays([X, X], Y).split(0.5)
    assert roles == ["x", "x", "y", "sample_weight"]
    for part, rows in ((first, slice(0, 3)), (last, slice(3, 6))):
        assert part.examples == 3
        np.testing.assert_array_equal(part.parts[0][1], X[rows])
        np.testing.assert_array_equal(part.parts[1], Y[rows])
    assert len(ArrayBatches(last, 2)) == 2
    roles.clear()
    model = Sequential([layers.Input((2,)), layers.Dense(1)])
    model.compile("sgd", "mse")
    model.fit(X, Y, validation_split=0.5, verbose=0)
    assert roles == ["x", "y", "sample_weight"]
    with pytest.raises(ValueError, match="leaves training or validation empty"):
        Arrays(X).split(0.99)


def test_a_step_that_a_model_was_given_is_taken():
    model = Sequential([layers.Input((2,)), layers.Dense(1)])
    model.compile("sgd", "mse")
    assert not model._has_own_step("predict")
    model.predict_step = lambda data: ops.zeros((len(data[0]), 1)) + 7
    assert model._has_own_step("predict")
    assert (model.predict(X, verbose=0) == 7).all()


def test_hooks_of_a_list_take_their_arguments_by_name():
    told = []

    class Note(Callback):
        def on_epoch_end(self, epoch, logs=None):
            told.append((epoch, dict(logs)))

        def on_test_batch_end(self, batch, logs=None):
            told.append(batch)

        def on_predict_end(self, logs=None):
            told.append("end")

    listeners = CallbackList(Note())
    listeners.on_epoch_end(epoch=3, logs={"loss": 1.0})
    listeners.on_test_batch_end(batch=2)
    listeners.on_predict_end(logs=None)
    assert told == [(3, {"loss": 1.0}), 2, "end"]


def test_waiting_for_data_is_said_once(monkeypatch, capsys):
    """Where batches take longer than the steps on them; not for arrays, and not where nothing is to be printed."""
    monkeypatch.setattr(trainer, "_LONG_WAIT", 0.02)
    model = Sequential([layers.Input((2,)), layers.Dense(1)])
    model.compile("sgd", "mse")
    x, y = np.ones((8, 2), "float32"), np.ones((8, 1), "float32")

    class Slow(PyDataset):
        def __len__(self):
            return 2

        def __getitem__(self, i):
            time.sleep(0.05)
            return x, y

    for source, verbose, times in ((Slow(), 2, 1), (Slow(), 0, 0), ((x, y), 2, 0)):
        arrays = source if isinstance(source, tuple) else (source,)
        model.fit(*arrays, epochs=2, verbose=verbose)
        is_said = 0 if backend().asynchronous else times
        assert capsys.readouterr().out.count("s went by waiting for batches of data") == is_said
