"""What Python does around compiled steps, counted in calls of functions, which no other load changes."""

from __future__ import annotations

import gc
import signal
import sys
from collections.abc import Callable

import numpy as np
import pytest

from layerwise import Variable, backends, config, layers, models, ops
from layerwise.backends import backend
from layerwise.variables import StepFunction

pytestmark = pytest.mark.skipif(config.backend() == "xla", reason="the calls of functions are JAX's own")
X, Y = np.ones((160, 8), "float32"), np.zeros(160, "int64")


def calls(function: Callable[[], object]) -> int:
    """How many calls of Python functions and of C ones."""
    count = 0

    def note(frame, event, argument):
        nonlocal count
        count += event in ("call", "c_call")

    gc.disable()  # others have it call functions of theirs
    sys.setprofile(note)
    try:
        function()
    finally:
        sys.setprofile(None)
        gc.enable()
    return count


@pytest.fixture
def free_steps(monkeypatch):
    """Compiled functions cost nothing: they return what the first call with such arguments did, and change nothing."""

    def compile(self, fn):
        known = {}

        def run(values, *batch):
            leaf = batch[0]
            while isinstance(leaf, tuple):
                leaf = leaf[0]
            if leaf.shape not in known:
                known[leaf.shape] = fn(values, *batch)[1]
            return values, known[leaf.shape]

        return run

    monkeypatch.setattr(type(backend()), "compile", compile)
    monkeypatch.setattr(type(backend()), "replays", True)


def network() -> models.Sequential:
    model = models.Sequential([layers.Input((8,)), *(layers.Dense(4, "relu") for _ in range(3)), layers.Softmax()])
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def test_steps_and_entering_fit(free_steps):
    model = network()
    model.fit(X, Y, verbose=0)
    once = calls(lambda: model.fit(X[:32], Y[:32], verbose=0))
    five = calls(lambda: model.fit(X, Y, verbose=0))
    assert (five - once) / 4 < 85
    assert once < 1420


def test_inference(free_steps):
    model = network()
    x = X[:1]
    model(x), model.predict(x, verbose=0)
    assert calls(lambda: model(x)) < 110
    assert calls(lambda: model.predict(x, verbose=0)) < 450


def test_state_written_in_place_is_not_committed_again(monkeypatch):
    def compile(self, fn):
        def run(values, *batch):
            new, outputs = fn(values, *batch)
            for old, value in zip(values, new, strict=True):
                old[...] = value
            return values, outputs

        return run

    monkeypatch.setattr(type(backend()), "compile", compile)
    v, w = Variable([1.0, 2.0]), Variable(3.0)
    array = v._value
    step = StepFunction(lambda x: (v.assign_add(x), w.assign(w * 2.0), ops.sum(v))[2], [v, w])
    assert step(np.float32([1.0, 1.0])).item() == 5.0
    assert v._value is array
    np.testing.assert_array_equal(v, [2.0, 3.0])
    assert float(w) == 6.0


@pytest.mark.skipif(sys.platform == "win32", reason="signals to oneself")
def test_an_interrupt_finds_all_new_values_or_none():
    """Whenever the handler runs, the variables belong to one step."""
    variables = [Variable(0.0) for _ in range(50)]

    def step():
        for v in variables:
            v.assign_add(1.0)

    run, seen = StepFunction(step, variables), []
    previous = signal.signal(signal.SIGALRM, lambda *_: seen.append({float(v._value) for v in variables}))
    signal.setitimer(signal.ITIMER_REAL, 0.0005, 0.0005)
    try:
        for _ in range(200):
            run()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)
    assert seen
    assert all(len(values) == 1 for values in seen)


@pytest.mark.parametrize("name", config.BACKENDS)
def test_rows_and_orders(name):
    if name not in ("numpy", "xla"):
        pytest.importorskip(f"layerwise.backends._{name}")
    machine = backends.load(name)
    floats, rows = np.arange(24.0, dtype="float32").reshape(4, 3, 2), np.array([3, 0, 3])
    for array in (floats, floats.astype("uint8"), floats[:, ::-1], floats.astype(">f8"), np.arange(4)):
        taken = machine.take_rows(array, rows)
        assert taken.dtype == array.dtype
        np.testing.assert_array_equal(taken, array[rows])
    upper, lower = np.array([2, 1, 1, 2**32 - 1], "uint32"), np.array([0, 2**32 - 1, 5, 0], "uint32")
    order = machine.numpy(machine.order(machine.array(upper), machine.array(lower)))
    assert order.tolist() == [2, 1, 0, 3]


def test_what_belongs_to_a_layer_may_come_late():
    """Attributes that begin as None or empty, and lists that grow."""

    class Late(layers.Layer):
        def __init__(self):
            super().__init__()
            self.inner, self.more, self.pair = None, [], ((), 1)
            self.last = layers.Dense(1, name="last")

        def grow(self):
            self.inner = layers.Dense(1, name="inner")
            self.more.append(layers.Dense(1, name="more"))
            self.pair = ((layers.Dense(1, name="pair"),), 2)

    layer = Late()
    assert [inner.name for inner in layer._sublayers()] == ["last"]
    layer.grow()
    assert [inner.name for inner in layer._sublayers()] == ["inner", "more", "pair", "last"]
    layer.inner = None
    assert [inner.name for inner in layer._sublayers()] == ["more", "pair", "last"]
