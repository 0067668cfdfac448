"""Progress as it is seen: on a terminal in memory behind a real pseudo-terminal, through a pipe, in a notebook."""

import fcntl
import io
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from types import SimpleNamespace

import keras
import numpy as np
import pyte
import pytest

from layerwise import ops
from layerwise import terminal as progress
from layerwise.callbacks import Callback, CallbackList, ProgbarLogger
from layerwise.terminal import DownloadBar, Progbar, say

CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f\x1b]")


class Terminal(io.TextIOBase):
    """A pseudo-terminal to print to, and the screen that a person would see."""

    encoding = "utf-8"

    def __init__(self, columns, rows=40):
        self.master, self.slave = pty.openpty()
        self.screen = pyte.Screen(columns, rows)
        self.stream = pyte.ByteStream(self.screen)
        self.writes = []
        self.resize(columns)

    def resize(self, columns):
        fcntl.ioctl(self.slave, termios.TIOCSWINSZ, struct.pack("HHHH", self.screen.lines, columns, 0, 0))
        self.screen.resize(columns=columns)

    def isatty(self):
        return os.isatty(self.slave)

    def fileno(self):
        return self.slave

    def write(self, text):
        self.writes.append(text)
        data = text.encode()
        os.write(self.slave, data)
        expected = len(data) + data.count(b"\n")  # the terminal's line discipline writes \r\n
        while expected:
            arrived = os.read(self.master, expected)
            self.stream.feed(arrived)
            expected -= len(arrived)
        return len(text)

    @property
    def rows(self):
        """What stands on the screen."""
        return [row.rstrip() for row in self.screen.display[: self.screen.cursor.y + 1]]


@pytest.fixture
def terminal(monkeypatch):
    """A function that connects the output to a terminal of so many columns."""
    opened = []
    monkeypatch.setenv("TERM", "xterm")

    def connect(columns):
        opened.append(Terminal(columns))
        monkeypatch.setattr(sys, "stdout", opened[-1])
        return opened[-1]

    yield connect
    progress.end_line()
    for t in opened:
        os.close(t.master)
        os.close(t.slave)


class Clock:
    now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock(monkeypatch):
    """Time that passes when a test says so."""
    clock = Clock()
    monkeypatch.setattr(progress, "perf_counter", clock)
    return clock


def logs(step):
    return {"loss": ops.array(2.0 / (step + 1)), "accuracy": ops.array(0.5), "top_5_accuracy": np.float32(0.75)}


def fit(clock, epochs=2, steps=50, known=True, verbose="auto", each_step=lambda step: None, callbacks=(), seconds=0.05):
    """The calls that `fit` makes to its callbacks."""
    listeners = CallbackList(
        list(callbacks), add_progbar=True, verbose=verbose, epochs=epochs, steps=steps if known else None
    )
    listeners.on_train_begin()
    for epoch in range(epochs):
        listeners.on_epoch_begin(epoch)
        for step in range(steps):
            listeners.on_train_batch_begin(step)
            clock.now += seconds
            listeners.on_train_batch_end(step, logs(step))
            each_step(step)
        listeners.on_test_begin()
        listeners.on_test_batch_end(0, {"loss": ops.array(9.0)})
        listeners.on_test_end({"loss": 9.0})
        listeners.on_epoch_end(epoch, logs(steps) | {"val_loss": np.float32(np.nan)})
    listeners.on_train_end()
    return listeners


LAST = "loss: 0.0392 - accuracy: 0.5000 - top_5_accuracy: 0.7500 - val_loss: nan"


# In a terminal


def test_wide_terminal(terminal, clock):
    t = terminal(120)
    seen = []
    fit(clock, each_step=lambda step: seen.append(t.rows[-1]), seconds=0.2)
    last = f"50/50 {'━' * 20} 0:10 200ms/step - {LAST}"
    assert t.rows == ["Epoch 1/2", last, "Epoch 2/2", last, ""]
    values = "loss: 0.1333 - accuracy: 0.5000 - top_5_accuracy: 0.7500"
    assert seen[14] == f"15/50 {'━' * 6}{'─' * 14} 0:07 left 200ms/step - {values}"


def test_narrow_terminal(terminal, clock):
    """The bar shrinks and the last values wait; completed lines go on below."""
    t = terminal(40)
    seen = []
    fit(clock, epochs=1, each_step=lambda step: seen.append(t.rows[-1]), seconds=0.2)
    assert seen[14] == "15/50 ━━────── 0:07 left - loss: 0.1333"
    assert t.rows == [
        "Epoch 1/1",
        "50/50 0:10 200ms/step - loss: 0.0392",
        "  accuracy: 0.5000",
        "  top_5_accuracy: 0.7500",
        "  val_loss: nan",
        "",
    ]


def test_what_a_narrow_terminal_cuts_has_a_mark_and_numbers_stay_whole(terminal, clock):
    t = terminal(20)
    fit(clock, epochs=1)
    assert t.rows == ["Epoch 1/1", "50/50 0:02 50ms/st…", "  loss: 0.0392", "  accuracy: 0.5000", "  top_5_ac…: 0.7500",
                      "  val_loss: nan", ""]  # fmt: skip


def test_names_cannot_command_the_terminal(terminal, clock):
    t = terminal(60)
    bar = Progbar(2)
    bar.update(2, [("\x1b[2Jloss\u202e", 0.5)])
    assert t.rows[1] == r"  \x1b[2Jloss\u202e: 0.5000"


@pytest.mark.parametrize("columns", [10, 23, 40, 80, 120, 200])
def test_never_wraps(terminal, clock, columns):
    t = terminal(columns)
    places = []

    def each_step(step):
        places.append(t.screen.cursor.y)
        assert len(t.rows[-1]) < columns

    fit(clock, each_step=each_step)
    assert set(places[:50]) == {1}  # below "Epoch 1/2"
    assert len(set(places[50:])) == 1
    assert all(len(row) < columns for row in t.rows)
    assert sum(row.startswith("50/50 ") for row in t.rows) == 2


@pytest.mark.parametrize("widths", [(120, 40), (40, 120), (80, 30, 100, 50)])
def test_resized_terminal(terminal, clock, widths):
    t = terminal(widths[0])

    def each_step(step):
        t.resize(widths[step % len(widths)])
        assert t.screen.cursor.y == 1

    fit(clock, epochs=1, each_step=each_step, seconds=0.2)
    assert t.rows[0] == "Epoch 1/1"
    assert t.rows[1].startswith("50/50 ")
    assert " - ".join(row.strip() for row in t.rows[1:-1]).endswith(LAST)


def test_wide_characters_do_not_wrap(terminal, clock):
    t = terminal(40)
    bar = Progbar(10, stateful_metrics=["損失の値がとても長い", "e\u0301" * 20])
    for step in range(1, 11):
        clock.now += 1
        bar.update(step, [("損失の値がとても長い", 0.5), ("e\u0301" * 20, 0.25)])
        assert step == 10 or t.screen.cursor.y == 0
    assert any("0.5000" in row for row in t.rows)


def test_redraws_are_rare_and_read_nothing_between(terminal, clock):
    reads = []

    class Counted:
        shape = ()

        def __array__(self, dtype=None, copy=None):
            reads.append(clock.now)
            return np.array(0.5)

    t = terminal(80)
    listeners = CallbackList(None, add_progbar=True, verbose=1, epochs=1, steps=10_000)
    listeners.on_epoch_begin(0)
    t.writes.clear()  # the title
    for step in range(10_000):
        clock.now += 0.001
        listeners.on_train_batch_end(step, {"loss": Counted()})
    draws = sum(text.startswith("\r") for text in t.writes)
    assert 90 <= draws <= 100  # in 10 seconds
    assert len(reads) == draws


def test_quick_epochs_are_drawn_once(terminal, clock):
    t = terminal(80)
    fit(clock, epochs=1, steps=5, seconds=0.001)
    assert not any("\r" in text for text in t.writes)


def test_messages_stand_above_the_bar(terminal, clock):
    t = terminal(100)

    class Talk(Callback):
        def on_train_batch_end(self, batch, logs=None):
            if batch == 30:
                assert t.rows[-1].startswith("30/50")
                say("half way")

    fit(clock, epochs=1, callbacks=[Talk()])
    assert t.rows[:2] == ["Epoch 1/1", "half way"]
    assert t.rows[2].startswith("50/50 ")


def test_a_bar_within_a_bar_gets_its_own_line(terminal, clock):
    t = terminal(100)
    outer, inner = Progbar(2), Progbar(2, title="inner")
    for i in (1, 2):
        for bar in (outer, inner):
            clock.now += 1
            bar.update(i)
    assert [row.split()[0] for row in t.rows if row] == ["1/2", "inner", "2/2", "inner"]
    assert t.rows[-1] == ""


def test_end_line_leaves_what_was_drawn(terminal, clock):
    t = terminal(100)
    bar = Progbar(3)
    clock.now += 1
    bar.update(1)
    progress.end_line()
    progress.end_line()
    print("Traceback", file=t)
    assert t.rows[0].startswith("1/3")
    assert t.rows[1:] == ["Traceback", ""]


def test_evaluate_and_predict(terminal, clock):
    t = terminal(100)
    listeners = CallbackList(None, add_progbar=True, verbose="auto", steps=2)
    listeners.on_test_begin()
    for step in range(2):
        clock.now += 1
        listeners.on_test_batch_end(step, {"loss": ops.array(0.5)})
    listeners.on_test_end({"loss": 0.25})
    listeners = CallbackList(ProgbarLogger(), verbose=1, steps=None)
    listeners.on_predict_begin()
    for step in range(3):
        clock.now += 1
        listeners.on_predict_batch_end(step, {"outputs": np.zeros((2, 3))})
    listeners.on_predict_end()
    assert t.rows[:2] == [f"2/2 {'━' * 20} 0:02 1s/step - loss: 0.2500", f"3/3 {'━' * 20} 0:03 1s/step"]


# Through a pipe


@pytest.mark.parametrize("verbose", ["auto", 1, 2])
def test_pipe_gets_one_plain_line_an_epoch(capsys, clock, verbose):
    fit(clock, verbose=verbose)
    out = capsys.readouterr().out
    assert out.splitlines() == [f"Epoch {epoch}/2 - 50/50 - 0:02 - 50ms/step - {LAST}" for epoch in (1, 2)]
    assert not CONTROL.search(out)


def test_real_pipe_in_an_ascii_locale():
    code = (
        "from layerwise.callbacks import CallbackList\n"
        "c = CallbackList(None, add_progbar=True, verbose='auto', epochs=1, steps=2)\n"
        "c.on_epoch_begin(0); c.on_train_batch_end(0); c.on_train_batch_end(1)\n"
        "c.on_epoch_end(0, {'größe': 1.0})\n"
    )
    environment = {**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONPATH": os.pathsep.join(sys.path)}
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, env=environment, check=True)
    assert re.fullmatch(rb"Epoch 1/1 - 2/2 - 0:00 - \d+us/step - gr\?\?e: 1\.0000\n", run.stdout)


def test_verbose_0_prints_and_reads_nothing(capsys, clock):
    fit(clock, verbose=0)
    bar = Progbar(2, verbose=0)
    bar.update(2, [("loss", None)])
    assert capsys.readouterr().out == ""


def test_two_lines_in_a_terminal_are_wrapped_by_hand(terminal, clock):
    t = terminal(40)
    fit(clock, epochs=1, verbose=2)
    assert t.rows[0] == "Epoch 1/1 - 50/50 - 0:02 - 50ms/step"
    assert " - ".join(row.strip() for row in t.rows[1:-1]) == LAST


def test_notebook_gets_a_bar(monkeypatch, clock):
    stream = type("OutStream", (io.StringIO,), {"__module__": "ipykernel.iostream"})()
    monkeypatch.setitem(sys.modules, "ipykernel.iostream", SimpleNamespace(OutStream=type(stream)))
    monkeypatch.setattr(sys, "stdout", stream)
    fit(clock, epochs=1)
    assert "\r" in stream.getvalue()
    assert "\x1b" not in stream.getvalue()


def test_ascii_terminal_gets_an_ascii_bar(terminal, clock):
    t = terminal(80)
    t.encoding = "ascii"
    bar = Progbar(4)
    clock.now += 1
    bar.update(2)
    assert "==========.........." in t.rows[0]


def test_dumb_terminal_gets_plain_lines(terminal, clock, monkeypatch):
    monkeypatch.setenv("TERM", "dumb")
    t = terminal(120)
    fit(clock)
    assert not CONTROL.search("".join(t.writes))


def test_no_output_at_all(monkeypatch, clock):
    monkeypatch.setattr(sys, "stdout", None)
    fit(clock)


# What it says


def test_unknown_length_is_known_from_the_second_epoch_on(terminal, clock):
    t = terminal(120)
    seen = []
    fit(clock, known=False, each_step=lambda step: seen.append(t.rows[-1]), seconds=0.2)
    assert seen[19].startswith("20 steps 0:04 200ms/step - loss")
    assert seen[69].startswith("20/50 ━━━━━━━━────────────")
    assert len([row for row in t.rows if row.startswith("50/50")]) == 2


def test_before_the_first_step(terminal, clock):
    t = terminal(60)
    bar = Progbar(10)
    clock.now += 2
    bar.update(0)
    assert t.rows == [f" 0/10 {'─' * 20} 0:02"]


def test_more_steps_than_were_said(terminal, clock):
    t = terminal(120)
    bar = Progbar(2)
    for step in range(1, 5):
        clock.now += 1
        bar.update(step, finalize=False)
    assert t.rows[0].startswith("4 steps 0:04 1s/step")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (np.nan, "nan"),
        (np.inf, "inf"),
        (0.0, "0.0000"),
        (1e-5, "1.0000e-05"),
        (-0.5, "-0.5000"),
        (123456.0, "123456.0000"),
        (1e9, "1.0000e+09"),
        (3, "3.0000"),
        (np.array([0.5, 0.25]), "[0.5 , 0.25]"),
        ("text", "text"),
        (None, "None"),
    ],
)
def test_values(capsys, value, text):
    Progbar(1, stateless_metrics=()).update(1, {"x": value})
    assert capsys.readouterr().out.endswith(f"- x: {text}\n")


@pytest.mark.parametrize("arguments", [{}, {"stateful_metrics": ["b"]}, {"stateless_metrics": ["b"]}])
def test_averages_are_those_of_keras(capsys, arguments):
    """While it runs: Keras shows the values of the last step as they are, which makes the end no average."""
    rng = np.random.default_rng(0)
    steps = np.cumsum(rng.integers(1, 4, 6)).tolist()
    ours, theirs = Progbar(100, verbose=2, **arguments), keras.utils.Progbar(100, interval=0, **arguments)
    for step, (a, b) in zip(steps, rng.random((6, 2))):
        for bar in (ours, theirs):
            bar.update(step, [("a", a), ("b", b)])
    expected = re.findall(r"[ab]: [0-9.]+", capsys.readouterr().out)[-2:]
    ours.update(steps[-1], finalize=True)
    assert re.findall(r"[ab]: \S+", capsys.readouterr().out) == expected


def test_add_and_unit(capsys):
    bar = Progbar(None, verbose=2, unit_name="sample")
    bar.add(1)
    bar.add(2, {"x": 1.0})
    bar.update(3, finalize=True)
    bar.add(1)  # a line that is complete stays as it is
    assert re.fullmatch(r"3 samples - 0:00 - \d+us/sample - x: 1\.0000\n", capsys.readouterr().out)


def test_long_times(capsys, clock):
    bar = Progbar(2, verbose=2)
    clock.now += 3600
    bar.update(1)
    clock.now += 3723
    bar.update(2)
    assert capsys.readouterr().out == "2/2 - 2:02:03 - 3723s/step\n"


def test_downloads(terminal, clock):
    t = terminal(80)
    bar = DownloadBar("data.npz")
    for done in (1_000_000, 3_000_000, 10_000_000):
        clock.now += 1
        bar(done, 10_000_000)
        if done == 3_000_000:
            assert t.rows[0] == f"data.npz 3.0/10.0 MB {'━' * 6}{'─' * 14} 0:04 left 2.0 MB/s"
    assert t.rows == [f"data.npz 10.0/10.0 MB {'━' * 20} 0:03 4.5 MB/s", ""]


def test_download_of_unknown_size(terminal, clock):
    t = terminal(80)
    bar = DownloadBar("data.npz")
    for done in (1_000_000, 3_000_000):
        clock.now += 1
        bar(done, None)
    assert t.rows == ["data.npz 3.0 MB 0:02 2.0 MB/s"]
    bar.close()
    bar.close()
    assert t.rows == ["data.npz 3.0 MB 0:02 2.0 MB/s", ""]


def test_wrong_arguments():
    with pytest.raises(ValueError, match=r"verbose: got 3, expected 'auto', 0, 1 or 2"):
        Progbar(1, verbose=3)
    with pytest.raises(ValueError, match="stateful_metrics and stateless_metrics, expected one of them"):
        Progbar(1, stateful_metrics=[], stateless_metrics=[])
