"""Callbacks: decisions are those of Keras' own, driven with the same logs; logs are read when someone looks."""

import csv
import http.server
import json
import math
import sys
import threading
import urllib.parse
import warnings
from types import SimpleNamespace

import keras
import numpy as np
import pytest

from layerwise import callbacks, layers, metrics, models, ops, optimizers
from layerwise.callbacks.base import HOOKS, Logs
from layerwise.variables import Variable


class Optimizer:
    """A learning rate that is a float32, as both libraries keep it."""

    use_ema = False

    def __init__(self, learning_rate=0.1):
        self.learning_rate = learning_rate

    learning_rate = property(lambda self: self._rate, lambda self, value: setattr(self, "_rate", np.float32(value)))


class Model:
    """What callbacks need of a model; its only weight is the number of the epoch."""

    def __init__(self, metrics=()):
        self.optimizer = Optimizer()
        self.metrics = list(metrics)
        self.stop_training = False
        self.weight = np.zeros(1)
        self.saved = []

    def get_weights(self):
        return [self.weight.copy()]

    def set_weights(self, weights):
        self.weight = weights[0]

    def save(self, path, overwrite):
        self.saved.append(("model", path))

    def save_weights(self, path, overwrite):
        self.saved.append(("weights", path))


def drive(callback, epochs, batches=2, model=None):
    """Call the hooks as `fit` does, each epoch with its logs, until the callback stops it; return the model."""
    model = model or Model()
    callback.set_model(model)
    callback.set_params({"epochs": len(epochs), "steps": batches, "verbose": 0})
    callback.on_train_begin({})
    for epoch, logs in enumerate(epochs):
        callback.on_epoch_begin(epoch, {})
        for batch in range(batches):
            callback.on_train_batch_begin(batch, {})
            model.weight[:] = epoch + 1  # in place, as a step may do it
            callback.on_train_batch_end(batch, dict(logs))
        callback.on_epoch_end(epoch, dict(logs))
        model.last_epoch = epoch
        if model.stop_training:
            break
    callback.on_train_end({})
    return model


def random_epochs(rng, count=12):
    """Logs with ties, and now and then a NaN or a missing value."""
    values = np.round(rng.normal(size=count), 1)
    values[rng.random(count) < 0.03] = math.nan
    return [{"loss": 1.0, "val_loss": float(v)} if rng.random() > 0.05 else {"loss": 1.0} for v in values]


def both(name, epochs, **arguments):
    """(our model, our callback), (Keras' model, Keras' callback) after the same epochs."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        results = []
        for module in (callbacks, keras.callbacks):
            callback = getattr(module, name)(**arguments)
            results.append((drive(callback, epochs), callback))
        return results


# Decisions


@pytest.mark.parametrize("seed", range(60))
def test_early_stopping_decides_like_keras(seed):
    rng = np.random.default_rng(seed)
    arguments = {
        "min_delta": float(rng.choice([0, 0.1, -0.2])),
        "patience": int(rng.integers(0, 5)),
        "mode": str(rng.choice(["auto", "min", "max"])),
        "baseline": [None, 0.0, -0.5][rng.integers(3)],
        "restore_best_weights": bool(rng.integers(2)),
        "start_from_epoch": int(rng.integers(0, 3)),
    }
    (ours, mine), (theirs, reference) = both("EarlyStopping", random_epochs(rng), **arguments)
    assert ours.last_epoch == theirs.last_epoch
    assert ours.weight == theirs.weight
    for name in ("wait", "stopped_epoch", "best_epoch", "best"):
        np.testing.assert_equal(getattr(mine, name), getattr(reference, name))


@pytest.mark.parametrize("seed", range(60))
def test_reduce_lr_decides_like_keras(seed):
    rng = np.random.default_rng(seed)
    arguments = {
        "factor": float(rng.choice([0.5, 0.1])),
        "patience": int(rng.integers(0, 4)),
        "mode": str(rng.choice(["auto", "min", "max"])),
        "min_delta": float(rng.choice([0, 1e-4, 0.3])),
        "cooldown": int(rng.integers(0, 3)),
        "min_lr": float(rng.choice([0, 0.01, 0.1])),
    }
    (ours, mine), (theirs, reference) = both("ReduceLROnPlateau", random_epochs(rng), **arguments)
    assert ours.optimizer.learning_rate == theirs.optimizer.learning_rate
    for name in ("wait", "cooldown_counter", "best"):
        np.testing.assert_equal(getattr(mine, name), getattr(reference, name))


@pytest.mark.parametrize("seed", range(60))
def test_checkpoint_decides_like_keras(seed, tmp_path):
    rng = np.random.default_rng(seed)
    only_weights = bool(rng.integers(2))
    arguments = {
        "filepath": str(tmp_path / ("{epoch:02d}.weights.h5" if only_weights else "deeper/{epoch}-{loss:.2f}.keras")),
        "save_best_only": bool(rng.integers(2)),
        "save_weights_only": only_weights,
        "mode": str(rng.choice(["auto", "min", "max"])),
        "save_freq": ["epoch", 3, 5][rng.integers(3)],  # Keras fails for the best of less than an epoch
        "initial_value_threshold": [None, 0.3][rng.integers(2)],
    }
    (ours, mine), (theirs, reference) = both("ModelCheckpoint", random_epochs(rng), **arguments)
    assert ours.saved == theirs.saved
    np.testing.assert_equal(mine.best, reference.best)


def test_early_stopping_can_be_used_again_and_says_what_it_does(capsys):
    stopping = callbacks.EarlyStopping("loss", restore_best_weights=True, verbose=1)
    for _ in range(2):
        model = drive(stopping, [{"loss": v} for v in (3.0, 1.0, 2.0, 0.0)])
        assert (model.last_epoch, model.weight) == (2, 2)
        assert capsys.readouterr().out == "Epoch 3: early stopping\nRestoring the weights of the best epoch, 2\n"


def test_reduce_lr_says_what_it_does_and_records_the_rate(capsys):
    reduce = callbacks.ReduceLROnPlateau("loss", patience=1, verbose=1)
    history = callbacks.History()
    drive(callbacks.CallbackList([reduce, history]), [{"loss": 1.0}] * 3)
    assert (
        capsys.readouterr().out
        == "Epoch 2: reducing the learning rate to 0.01\nEpoch 3: reducing the learning rate to 0.001\n"
    )
    np.testing.assert_allclose(history.history["learning_rate"], [0.1, 0.1, 0.01], rtol=1e-6)
    with pytest.raises(ValueError, match=r"factor: got 1.5, expected a number below 1"):
        callbacks.ReduceLROnPlateau(factor=1.5)


def test_checkpoint_says_what_it_does(tmp_path, capsys):
    path = tmp_path / "{epoch}.keras"
    drive(callbacks.ModelCheckpoint(path, verbose=1, save_best_only=True), [{"val_loss": v} for v in (2.0, 3.0, 1.0)])
    assert capsys.readouterr().out.splitlines() == [
        f"Epoch 1: val_loss improved to 2.00000, saving to {tmp_path}/1.keras",
        "Epoch 2: val_loss did not improve from 2.00000",
        f"Epoch 3: val_loss improved from 2.00000 to 1.00000, saving to {tmp_path}/3.keras",
    ]


def test_checkpoint_refuses_what_it_cannot_do(tmp_path):
    with pytest.raises(ValueError, match=r"filepath: got 'm.h4', expected it to end in .keras or .h5"):
        callbacks.ModelCheckpoint("m.h4")
    with pytest.raises(ValueError, match=r"expected it to end in .weights.h5 with save_weights_only=True"):
        callbacks.ModelCheckpoint("m.keras", save_weights_only=True)
    for wrong in ("epochs", 0, 1.5):
        with pytest.raises(ValueError, match=f"save_freq: got {wrong!r}, expected 'epoch' or a number of batches"):
            callbacks.ModelCheckpoint("m.keras", save_freq=wrong)
    with pytest.raises(
        ValueError, match=r"no 'val_los' to fill in; did you mean 'val_loss'.*there are epoch, loss, val_loss"
    ):
        drive(callbacks.ModelCheckpoint("{val_los:.2f}.keras"), [{"loss": 1.0, "val_loss": 2.0}])
    for wrong in ("{}.keras", "{epoch:q}.keras", "{epoch.keras"):
        with pytest.raises(ValueError, match="cannot fill in"):
            drive(callbacks.ModelCheckpoint(wrong), [{"loss": 1.0}])


# What is monitored


class Holder:
    """A metric that holds others, as a compiled model's does."""

    name = "compile_metrics"

    def __init__(self, *metrics):
        self.metrics = list(metrics)


METRICS = [name for name in metrics.__all__ if name[0].isupper() and hasattr(keras.metrics, name)]


@pytest.mark.parametrize("name", METRICS)
def test_auto_mode_knows_the_metrics_that_keras_knows(name):
    expected = []
    for module in (metrics, keras.metrics):
        for arguments in ((), (0.5,), (2,), (2, [0])):
            try:
                expected.append(getattr(getattr(module, name)(*arguments), "_direction", None))
                break
            except (TypeError, ValueError):
                continue
    assert expected[:1] == expected[1:]


def test_auto_mode_asks_the_models_metrics():
    model = Model([metrics.Mean("loss"), Holder(metrics.SparseCategoricalAccuracy("acc"), metrics.Mean("size"))])

    def mode(monitor):
        stopping = callbacks.EarlyStopping(monitor)
        drive(stopping, [{monitor: 1.0}], model=model)
        return stopping.mode

    assert [mode(m) for m in ("loss", "val_loss", "val_digit_loss")] == ["min"] * 3
    assert [mode(m) for m in ("acc", "val_acc", "val_digit_acc")] == ["max"] * 3
    for monitor in ("size", "nothing"):
        with pytest.raises(ValueError, match=rf"'{monitor}' should be high or low; pass mode='max' or mode='min'"):
            mode(monitor)


def test_unknown_mode_warns_and_is_auto():
    for cls, arguments in (("EarlyStopping", ()), ("ReduceLROnPlateau", ()), ("ModelCheckpoint", ("m.keras",))):
        with pytest.warns(UserWarning, match=rf"^{cls}: mode: got 'lowest', expected 'auto', 'min' or 'max'"):
            assert getattr(callbacks, cls)(*arguments, mode="lowest").mode == "auto"


def test_missing_value_warns_once():
    with pytest.warns(
        UserWarning, match=r"'val_lss' is not in the logs, which have 'loss', 'val_loss'; did you mean"
    ) as caught:
        drive(callbacks.EarlyStopping("val_lss"), [{"loss": 1.0, "val_loss": 1.0}] * 3)
    assert len(caught) == 1


# Logs


class Unread:
    """A value that must not be read."""

    shape = ()

    def __array__(self, dtype=None, copy=None):
        raise AssertionError("read")


def test_logs_become_numbers_when_read():
    logs = Logs(loss=ops.array(0.5), acc=np.float32(0.25), vector=ops.array([1.0, 2.0]), n=3, text="x")
    assert type(logs["loss"]) is float
    assert type(logs.get("acc")) is float
    assert logs.get("nothing", 7) == 7
    np.testing.assert_array_equal(logs["vector"], [1, 2])
    for read in (Logs.items, Logs.copy, dict, lambda logs: {**logs}, lambda logs: zip(logs, logs.values())):
        assert repr(dict(read(Logs(loss=ops.array(0.5), n=3)))) == "{'loss': 0.5, 'n': 3}"
    assert repr(Logs(loss=ops.array(0.5))) == "{'loss': 0.5}"
    logs = Logs(loss=ops.array(0.5))
    assert type(logs.pop("loss")) is float
    assert logs.pop("loss", None) is None
    with pytest.raises(KeyError):
        logs["loss"]


def test_hooks_that_nobody_overrides_read_nothing():
    listeners = callbacks.CallbackList([callbacks.History(), callbacks.EarlyStopping(), callbacks.ProgbarLogger()])
    listeners.set_params({"verbose": 0, "epochs": 1, "steps": 3})
    listeners.on_epoch_begin(0)
    for batch in range(3):
        listeners.on_train_batch_begin(batch)
        listeners.on_train_batch_end(batch, {"loss": Unread()})
    assert not listeners._calls["on_train_batch_begin"]
    with pytest.raises(AssertionError, match="read"):
        listeners.on_epoch_end(0, {"loss": Unread()})


def recorder(cls, record):
    """A callback of this library's or of Keras' that writes down every call."""

    def hook(name):
        return lambda self, *arguments, **logs: record.append((name, *arguments, *logs.values()))

    return type("Recorder", (cls,), {name: hook(name) for name in HOOKS})()


def test_every_hook_arrives_as_in_keras():
    records = []
    for library in (callbacks, keras.callbacks):
        record = []
        listeners = library.CallbackList([recorder(library.Callback, record)])
        for name in HOOKS:
            arguments = (3,) if "batch" in name or "epoch" in name else ()
            getattr(listeners, name)(*arguments, {"loss": 1.0})
            getattr(listeners, name)(*arguments)
        records.append(record)
    assert records[0] == records[1]


def test_batch_hooks_by_their_old_names():
    seen = []

    class Old(callbacks.Callback):
        def on_batch_begin(self, batch, logs=None):
            seen.append(("begin", batch))

        def on_batch_end(self, batch, logs=None):
            seen.append(("end", batch, logs["loss"]))

    listeners = callbacks.CallbackList(Old())
    listeners.on_train_batch_begin(4)
    listeners.on_train_batch_end(4, {"loss": ops.array(0.5)})
    assert seen == [("begin", 4), ("end", 4, 0.5)]


def test_what_the_callbacks_argument_accepts():
    one, two = callbacks.Callback(), callbacks.Callback()
    for given, expected in ((None, []), (one, [one]), ([one, (two,)], [one, two])):
        assert callbacks.CallbackList(given).callbacks == expected
    inner = callbacks.CallbackList([one], add_history=True)
    model = Model()
    outer = callbacks.CallbackList(
        inner, add_history=True, add_progbar=True, model=model, verbose=0, epochs=2, steps=None
    )
    assert outer.callbacks[:2] == inner.callbacks
    assert [type(c).__name__ for c in outer.callbacks] == ["Callback", "History", "ProgbarLogger"]
    assert model.history is inner.callbacks[1]
    assert one.model is outer.model is model
    assert one.params == outer.params == {"verbose": 0, "epochs": 2, "steps": None}
    with pytest.raises(TypeError, match=r"got the class EarlyStopping, expected an object: EarlyStopping\(\.\.\.\)"):
        callbacks.CallbackList([callbacks.EarlyStopping])
    with pytest.raises(TypeError, match=r"callbacks: got a str, expected a layerwise.callbacks.Callback"):
        callbacks.CallbackList(["EarlyStopping"])


def test_every_callback_of_keras_that_was_asked_for_is_there():
    left_out = {"OrbaxCheckpoint", "RemoteMonitor"}
    public = {name for name in dir(keras.callbacks) if not name.startswith("_")}
    assert public - set(dir(callbacks)) <= left_out


# Learning rates, files, functions


@pytest.mark.parametrize(
    "schedule",
    [
        lambda epoch, rate: rate / (epoch + 1),
        lambda epoch: 0.5**epoch,
        lambda epoch, rate: np.float64(0.25),
    ],
)
def test_scheduler_sets_what_keras_sets(schedule, capsys):
    epochs = [{"loss": 1.0}] * 4
    (ours, _), (theirs, _) = both("LearningRateScheduler", epochs, schedule=schedule)
    assert ours.optimizer.learning_rate == theirs.optimizer.learning_rate
    drive(callbacks.LearningRateScheduler(schedule, verbose=1), epochs[:1])
    assert capsys.readouterr().out.startswith("Epoch 1: learning rate ")


def test_scheduler_takes_tensors_and_refuses_the_rest():
    model = drive(callbacks.LearningRateScheduler(lambda epoch, rate: ops.exp(-1.0) * rate), [{}])
    assert model.optimizer.learning_rate == pytest.approx(0.1 * math.exp(-1), rel=1e-6)
    for wrong in ("fast", None, [0.1], 1):
        with pytest.raises(ValueError, match=r"LearningRateScheduler: schedule: got .* for epoch 0, expected a float"):
            drive(callbacks.LearningRateScheduler(lambda epoch, rate, wrong=wrong: wrong), [{}])

    def broken(epoch, rate):
        raise TypeError("mine")

    with pytest.raises(TypeError, match="mine"):
        drive(callbacks.LearningRateScheduler(broken), [{}])


@pytest.mark.parametrize(
    ("epochs", "arguments"),
    [
        ([{"loss": 0.1, "acc": 0.5}, {"loss": 0.05, "acc": 0.75}], {}),
        ([{"loss": 0.1}, {"loss": 0.1, "val_loss": 4.0, "late": 3.0}], {"separator": ";"}),
        ([{"loss": 0.1, "val_loss": math.nan}, {"loss": math.inf}], {"append": True}),
        ([{"loss": 0.1, "vector": np.array([1.0, 2.0])}], {}),
    ],
)
def test_csv_is_the_file_that_keras_writes(epochs, arguments, tmp_path):
    files = [tmp_path / "ours.csv", tmp_path / "theirs.csv"]
    for module, file in zip((callbacks, keras.callbacks), files):
        for _ in range(2):
            drive(module.CSVLogger(str(file), **arguments), epochs)
    ours, theirs = (file.read_bytes() for file in files)
    assert ours == theirs


def test_csv_goes_on_in_the_columns_that_are_there(tmp_path):
    path = tmp_path / "runs" / "log.csv"
    drive(callbacks.CSVLogger(path), [{"loss": 1.0, "val_loss": 2.0}])
    drive(callbacks.CSVLogger(path, append=True), [{"acc": 9.0, "val_loss": 3.0}])
    with open(path, newline="") as file:
        assert list(csv.reader(file)) == [["epoch", "loss", "val_loss"], ["0", "1.0", "2.0"], ["0", "NA", "3.0"]]


def test_csv_is_complete_after_each_epoch(tmp_path):
    logger = callbacks.CSVLogger(tmp_path / "log.csv")
    logger.on_train_begin()
    logger.on_epoch_end(0, {"loss": 1.0})
    assert len((tmp_path / "log.csv").read_text().splitlines()) == 2


@pytest.mark.parametrize("loss", [math.nan, math.inf])
def test_terminate_on_nan(loss, capsys):
    losses = [{"loss": 1.0}, {"loss": loss}, {"loss": 1.0}]
    (ours, _), (theirs, _) = both("TerminateOnNaN", losses)
    assert ours.last_epoch == theirs.last_epoch == 1
    assert f"Batch 0: the loss is {loss}, terminating training" in capsys.readouterr().out
    with pytest.raises(RuntimeError, match=f"the loss is {loss} after batch 0"):
        drive(callbacks.TerminateOnNaN(raise_error=True), losses)
    assert not drive(callbacks.TerminateOnNaN(), [{"acc": 1.0}]).stop_training


def test_lambda_callback_takes_any_hook():
    seen = []
    hooks = {name: (lambda *a, name=name: seen.append((name, *a[:-1]))) for name in HOOKS}
    listeners = callbacks.CallbackList(callbacks.LambdaCallback(**hooks))
    for name in HOOKS:
        getattr(listeners, name)(*((5,) if "batch" in name or "epoch" in name else ()))
    assert seen == [(name, 5) if "batch" in name or "epoch" in name else (name,) for name in HOOKS]
    with pytest.raises(TypeError, match=r"'on_epoch_finish' is not a hook; did you mean 'on_epoch_"):
        callbacks.LambdaCallback(on_epoch_finish=print)
    silent = callbacks.CallbackList(callbacks.LambdaCallback(on_epoch_end=print))
    assert [hook for hook in HOOKS if silent._calls[hook]] == ["on_epoch_end"]


def test_swap_ema_weights():
    """The averages are there while evaluating and, if asked, between epochs; the last epoch leaves them there."""

    class Averaging(Optimizer):
        use_ema, built = True, False

        def finalize_variable_values(self, variables):
            for variable in variables:
                variable.assign(self.average)

    weight = Variable([1.0])
    model = SimpleNamespace(optimizer=Averaging(), trainable_variables=[weight])
    model.optimizer.average = [100.0]
    swap = callbacks.SwapEMAWeights(swap_on_epoch=True)
    swap.set_model(model)
    swap.on_epoch_begin(0)
    swap.on_test_begin()
    assert weight.numpy() == 1  # nothing is averaged yet
    swap.on_test_end()
    model.optimizer.built = True
    for begin, end in ((swap.on_test_begin, swap.on_test_end), (swap.on_predict_begin, swap.on_predict_end)):
        begin()
        assert weight.numpy() == 100
        end()
        assert weight.numpy() == 1
    swap.on_epoch_end(0)
    assert weight.numpy() == 100
    swap.on_epoch_begin(1)
    assert weight.numpy() == 1
    swap.on_epoch_end(1)
    swap.on_train_end()
    swap.on_epoch_begin(0)  # of another fit
    assert weight.numpy() == 100
    with pytest.raises(ValueError, match="expected an optimizer with use_ema=True"):
        callbacks.SwapEMAWeights().set_model(Model())


def test_with_a_real_model(tmp_path):
    """Restored weights are those of the best epoch, and averages are what is validated."""
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(64, 3)).astype("float32"), rng.normal(size=(64, 1)).astype("float32")

    def train(*extra, **arguments):
        model = models.Sequential([layers.Input((3,)), layers.Dense(8, activation="tanh"), layers.Dense(1)])
        model.compile(optimizers.SGD(0.5, momentum=0.9, **arguments), "mse")
        history = model.fit(x, y, validation_data=(x, y), epochs=6, batch_size=16, verbose=0, callbacks=list(extra))
        return model, history.history["val_loss"]

    stopping = callbacks.EarlyStopping("val_loss", patience=9, restore_best_weights=True)
    model, losses = train(stopping, callbacks.TensorBoard(tmp_path, histogram_freq=1))
    assert losses[-1] > min(losses)
    assert model.evaluate(x, y, verbose=0) == pytest.approx(min(losses), rel=1e-6)
    assert stopping.best_epoch == int(np.argmin(losses))

    model, losses = train(callbacks.SwapEMAWeights(), use_ema=True, ema_momentum=0.5)
    assert model.evaluate(x, y, verbose=0) == pytest.approx(losses[-1], rel=1e-6)  # fit ends with the averages, too


# History


def test_history_is_what_keras_keeps():
    epochs = [{"loss": 1.0, "acc": 0.5}, {"loss": 0.5, "acc": 0.75, "val_loss": 0.6}]
    (_, mine), (_, reference) = both("History", epochs)
    assert mine.epoch == reference.epoch == [0, 1]
    assert mine.history == reference.history


def test_history_plots_every_quantity(tmp_path):
    history = callbacks.History()
    drive(history, [{"loss": 1.0, "acc": 0.5}, {"loss": 0.5, "acc": 0.75, "val_loss": 0.6, "val_acc": 0.7}])
    figure = history.plot(tmp_path / "curve.png")
    assert (tmp_path / "curve.png").read_bytes().startswith(b"\x89PNG")
    loss, acc = figure.axes
    assert [(panel.get_xlabel(), panel.get_ylabel()) for panel in (loss, acc)] == [("epoch", "loss"), ("epoch", "acc")]
    curves = {line.get_label(): line.get_xydata().tolist() for line in loss.lines}
    assert curves == {"training": [[1, 1.0], [2, 0.5]], "validation": [[2, 0.6]]}
    assert {text.get_text() for text in acc.get_legend().get_texts()} == {"training", "validation"}


def test_history_plots_into_axes_that_are_given_and_on_screen(monkeypatch):
    monkeypatch.setenv("MPLBACKEND", "agg")
    from matplotlib import pyplot

    history = callbacks.History()
    with pytest.raises(ValueError, match="nothing is recorded yet"):
        history.plot()
    drive(history, [{"loss": 1.0, "acc": 0.5}])
    figure, ax = pyplot.subplots()
    assert history.plot(ax=ax) is figure
    assert [line.get_label() for line in ax.lines] == ["training loss", "training acc"]
    shown = history.plot()
    assert shown.number in pyplot.get_fignums()
    pyplot.close("all")
    monkeypatch.setattr(pyplot, "get_backend", lambda: "module://matplotlib_inline.backend_inline")
    history.plot()  # which a notebook shows as the cell's result
    assert not pyplot.get_fignums()


def test_history_without_matplotlib_names_the_extra(monkeypatch):
    history = callbacks.History()
    drive(history, [{"loss": 1.0}])
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(ModuleNotFoundError, match=r"pip install 'layerwise\[plot\]'"):
        history.plot()


@pytest.mark.parametrize("send_as_json", [False, True])
def test_remote_monitor_posts_what_keras_posts(send_as_json):
    received = []

    class Server(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            received.append((self.path, self.headers["Content-Type"], self.headers["X-Own"], body))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *args):
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Server) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        root = f"http://127.0.0.1:{server.server_port}"
        monitor = callbacks.RemoteMonitor(root, headers={"X-Own": "1"}, send_as_json=send_as_json)
        monitor.on_epoch_end(2, {"loss": np.float32(0.5)})
        server.shutdown()
    (path, kind, own, body), expected = received[0], {"epoch": 2, "loss": 0.5}
    assert (path, own) == ("/publish/epoch/end/", "1")
    text = body if send_as_json else urllib.parse.parse_qs(body)["data"][0]
    assert kind == ("application/json" if send_as_json else "application/x-www-form-urlencoded")
    assert json.loads(text) == expected
    with pytest.warns(UserWarning, match="could not reach"):
        monitor.on_epoch_end(3, {})
    with pytest.raises(ValueError, match="root: got 'file:///x'"):
        callbacks.RemoteMonitor("file:///x")
