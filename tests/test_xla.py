"""The XLA backend by itself: every gradient rule against JAX's own, and what it says about values it cannot have."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from layerwise import Variable, config, initializers, layers, models, ops, random, tree
from layerwise.autograd import Primitive, Tensor, primitives, raw, vjp
from layerwise.backends import TracedValueError, backend
from layerwise.callbacks import Callback, History
from layerwise.training.arrays import checked_array
from layerwise.variables import StepFunction
from samples import SAMPLES, Sample

EPS = np.finfo("float32").eps


@pytest.fixture(autouse=True)
def xla():
    with config.override(backend="xla"):
        yield


# Gradients

LOOPS = {"scan"}  # a primitive whose operands the public function lays out
ORACLE = {
    s.name: s
    for s in reversed(SAMPLES)  # the first of each name
    if s.differentiable and (s.name in LOOPS or (isinstance(s.operation, Primitive) and s.operation.differentiable))
}


def single(x: Any) -> Any:
    return x.astype("float32") if isinstance(x, np.ndarray) and x.dtype == "float64" else x


def as_function(sample: Sample) -> tuple[Any, list[np.ndarray]]:
    """The sample in float32, as a function of what it is differentiated by, and these arguments."""
    flat = [single(leaf) for leaf in tree.flatten(list(sample.args))]
    kwargs = {**sample.kwargs, **({"dtype": "float32"} if sample.kwargs.get("dtype") == "float64" else {})}
    places = [
        i
        for i, a in enumerate(flat)
        if isinstance(a, np.ndarray) and a.dtype == "float32" and (sample.vary is None or i in sample.vary)
    ]

    def f(*xs: Any) -> list[Any]:
        values = list(flat)
        for i, x in zip(places, xs, strict=True):
            values[i] = x
        results = sample.operation(*tree.pack_sequence_as(list(sample.args), values), **kwargs)
        return [y for y in tree.flatten(results) if y.dtype == "float32"]

    return f, [flat[i] for i in places]


@pytest.mark.parametrize("sample", ORACLE.values(), ids=list(ORACLE))
def test_gradient_is_the_one_jax_derives_from_the_rule(sample):
    """Two float32 computations of one sum of n terms differ by at most about n eps times its terms' size."""
    f, xs = as_function(sample)

    @jax.jit
    def both(*xs: Any) -> tuple[Any, Any]:
        values, jax_pull = jax.vjp(lambda *xs: [raw(y) for y in f(*map(Tensor, xs))], *xs)
        rng = np.random.default_rng(4)
        weights = [rng.standard_normal(y.shape).astype("float32") for y in values]
        _, pull = vjp(f, *map(Tensor, xs))
        return [raw(g) for g in pull([Tensor(jax.numpy.asarray(u)) for u in weights])], jax_pull(weights)

    terms = max(x.size for x in xs)
    for got, expected in zip(*both(*xs), strict=True):
        bound = (terms + 16) * EPS * max(1, np.abs(expected).max())
        np.testing.assert_allclose(got, expected, rtol=0, atol=bound)


def test_every_differentiable_primitive_met_the_oracle():
    named = {p.rule.__name__ for p in primitives.values() if p.gradient_rule and p.__module__.startswith("layerwise")}
    passing_by = {"rounded"}  # whose gradient is another one than JAX's, by intent
    assert {name.removeprefix("_") for name in named} - passing_by <= {name.removeprefix("_") for name in ORACLE}


# Values that a compiled step does not have


class Does(layers.Layer):
    """What a user writes in `call`."""

    def __init__(self, does: Any) -> None:
        super().__init__(name="mine")
        self.does = does

    def call(self, x: Any) -> Any:
        return self.does(x)


class Around(models.Model):
    """A model that calls a layer. Having a step of its own, it first sees data, and then values that are not there."""

    def __init__(self, layer: layers.Layer) -> None:
        super().__init__()
        self.layer, self.head = layer, layers.Dense(1)

    def call(self, x: Any) -> Any:
        return self.head(self.layer(x))

    def train_step(self, data: Any) -> Any:
        return super().train_step(data)


def trained(does: Any, **options: Any) -> None:
    """One epoch of a model around a layer that does this."""
    x, y = np.ones((4, 3), "float32"), np.ones((4, 1), "float32")
    model = Around(Does(does))
    model.compile("sgd", "mse", **options)
    model.fit(x, y, verbose=0)


MISUSES = {
    "if": lambda x: x if ops.sum(x) > 0 else -x,
    "while": lambda x: ops.while_loop(lambda x: ops.sum(x) < 50, lambda x: x * 2, x),
    "cond": lambda x: ops.cond(ops.sum(x) > 0, lambda: x, lambda: -x),
    "float": lambda x: x * float(ops.max(x)),
    "int": lambda x: x[:, : int(ops.max(x)) + 2],
    "index": lambda x: x * [1.0, 2.0][ops.argmin(x[0])],
    "numpy": lambda x: x * x.numpy().max(),
    "np function": lambda x: x * np.mean(x),
    "item": lambda x: x * ops.max(x).item(),
    "format": lambda x: x * float(f"{ops.max(x):.2f}"),
}


@pytest.mark.parametrize("misuse", MISUSES.values(), ids=list(MISUSES))
def test_a_value_asked_for_in_a_compiled_step_names_the_layer_and_the_remedy(misuse):
    with pytest.raises(TracedValueError, match=r"no values yet.*layerwise\.ops.*ops\.where") as caught:
        trained(misuse)
    assert any("in layer 'mine' (Does)" in note for note in caught.value.__notes__)


@pytest.mark.parametrize("misuse", MISUSES.values(), ids=list(MISUSES))
def test_a_step_run_eagerly_has_its_values(misuse):
    trained(misuse, run_eagerly=True)


def test_a_compiled_step_in_which_a_value_is_asked_for():
    class Stops(models.Sequential):
        def train_step(self, data):
            results = super().train_step(data)
            if results["loss"] > 1e6:
                raise AssertionError
            return results

    model = Stops([layers.Dense(1)])
    model.compile("sgd", "mse")
    with pytest.raises(TracedValueError, match=r"float.*`if`.*run_eagerly=True"):
        model.fit(np.ones((4, 3), "float32"), np.ones((4, 1), "float32"), verbose=0)


def test_a_tensor_kept_from_a_compiled_step_says_so():
    kept = []
    trained(lambda x: kept.append(x) or x)
    traced = next(x for x in kept if "traced" in repr(x))
    assert repr(traced) == "<traced Tensor shape=(4, 3), dtype=float32>"
    for use in (lambda x: x + 1, ops.exp, lambda x: ops.concatenate([x, x]), lambda x: x[0]):
        with pytest.raises(TracedValueError, match=r"kept from a step.*Variable"):
            use(traced)
    with pytest.raises(TracedValueError, match=r"dtype float32 and shape \(4, 3\).*of no use after"):
        np.asarray(traced)


def test_what_is_traced_can_be_shown():
    class Shows(layers.Layer):
        def build(self, input_shape):
            self.scale = self.add_weight((1,), "ones", name="scale")

        def call(self, x):
            shown.append((repr(self.scale), repr(x), f"{x}"))
            return x * self.scale

    shown = []
    model = models.Sequential([layers.Input((3,)), Shows(name="shows")])
    model.compile("sgd", "mse")
    model.predict(np.ones((2, 3), "float32"), verbose=0)
    tensor = "<traced Tensor shape=(2, 3), dtype=float32>"
    assert shown[-1] == ("<Variable shows/scale, shape=(1,), dtype=float32, traced>", tensor, tensor)


def test_a_variable_made_in_a_step_names_the_layer():
    with pytest.raises(RuntimeError, match="cannot be created inside a training step") as caught:
        trained(lambda x: x * Variable(1.0) if "traced" in repr(x) else x)
    assert any("in layer 'mine' (Does)" in note for note in caught.value.__notes__)


# 64 bits

ASKING = {
    "array": lambda: ops.array([1.0], "float64"),
    "cast": lambda: ops.cast(np.ones(2, "float32"), "float64"),
    "zeros": lambda: ops.zeros(2, "float64"),
    "full": lambda: ops.full((2,), 1.0, "float64"),
    "ones_like": lambda: ops.ones_like(np.ones(2, "float32"), "float64"),
    "arange": lambda: ops.arange(0, 1, 0.5, "float64"),
    "eye": lambda: ops.eye(2, dtype="float64"),
    "one_hot": lambda: ops.one_hot([0, 1], 2, dtype="float64"),
    "uniform": lambda: random.uniform((2,), dtype="float64", seed=1),
    "normal": lambda: random.normal((2,), dtype="float64", seed=1),
    "randint": lambda: random.randint((2,), 0, 9, dtype="int64", seed=1),
    "initializer": lambda: initializers.Orthogonal(seed=1)((2, 2), "float64"),
    "variable": lambda: Variable(1.0, dtype="float64"),
    "layer": lambda: layers.Dense(1, dtype="float64")(np.ones((1, 1))),
    "integers": lambda: ops.cast([1.0], "int64"),
}


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("ask", ASKING.values(), ids=list(ASKING))
def test_64_bits_asked_for_are_an_error_not_a_silent_cast(ask):
    with pytest.raises(TypeError, match=r"(float|int)64'.*xla backend.*JAX_ENABLE_X64=1.*'(float|int)32'"):
        ask()


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("of", [lambda: ops.array([0.5]), lambda: ops.add(0.5, 1), lambda: ops.zeros(1)])
def test_floatx_of_64_bits_is_an_error_too(of):
    with config.override(floatx="float64"), pytest.raises(TypeError, match="JAX_ENABLE_X64=1"):
        of()


@pytest.mark.filterwarnings("error")
def test_data_of_64_bits_are_read_in_32():
    assert ops.array(np.array([0.1])).dtype == "float32"
    assert ops.array(np.array([2**31 - 1, -(2**31)])).numpy().tolist() == [2**31 - 1, -(2**31)]
    assert ops.array(np.array([], "int64")).shape == (0,)
    model = models.Sequential([layers.Dense(2)])
    model.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(np.ones((4, 3)), np.array([0, 1, 0, 1]), verbose=0)
    assert model.predict(np.ones((4, 3)), verbose=0).dtype == "float32"


@pytest.mark.parametrize("values", [np.array([0, 2**31]), np.array([-(2**31) - 1]), np.array([2**32], "uint64")])
def test_whole_numbers_that_do_not_fit_are_an_error(values):
    with pytest.raises(OverflowError, match=r"do not fit u?int32.*JAX_ENABLE_X64"):
        ops.array(values)


# What a training step does with memory, compilations and results


def dense_model(**options: Any) -> models.Model:
    model = models.Sequential([layers.Input((3,)), layers.Dense(4, activation="relu"), layers.Dense(1)])
    model.compile("adam", "mse", **options)
    return model


X, Y = np.ones((20, 3), "float32"), np.ones((20, 1), "float32")


def test_programs_are_kept_for_so_many_forms(monkeypatch):
    monkeypatch.setattr("layerwise.backends.xla.PROGRAMS", 2)
    step = StepFunction(lambda x: ops.sum(x), [])
    kept = []
    for n in (1, 2, 3, 1, 1, 2):
        assert step(np.ones(n, "float32")).item() == n
        kept.append(step._run.run._cache_size())
    assert kept == [1, 2, 3, 1, 1, 2]


def test_a_training_step_takes_the_memory_of_the_old_state():
    model = dense_model()
    model.fit(X, Y, batch_size=20, verbose=0)
    kept = [*model.trainable_variables, *model.optimizer._slots]  # all else is set at the beginning of epochs
    places = [v._value.unsafe_buffer_pointer() for v in kept]
    model.fit(X, Y, batch_size=20, epochs=2, verbose=0)
    assert [v._value.unsafe_buffer_pointer() for v in kept] == places


def test_what_somebody_holds_is_not_given_away():
    model = dense_model()
    kernel = model.layers[0].kernel
    tensor, array, view = kernel.value, kernel._value, np.asarray(kernel._value)
    before = view.copy()
    model.fit(X, Y, batch_size=10, epochs=2, verbose=0)
    for held in (tensor, array, view):
        np.testing.assert_array_equal(held, before)
    assert np.any(kernel.numpy() != before)


@pytest.mark.filterwarnings("ignore:Adam. no gradient for second")
def test_variables_that_share_an_array_part_ways():
    model = dense_model()
    first, second = model.layers[0].bias, Variable(np.zeros(4, "float32"), name="second")
    model.layers[0].second = second
    second.assign(first)
    assert second._value is first._value
    model.fit(X, Y, verbose=0)
    np.testing.assert_array_equal(second, np.zeros(4))
    assert np.any(first.numpy())


def test_a_step_that_raises_leaves_the_state():
    class Fails(layers.Layer):
        def call(self, x: Any) -> Any:
            if "traced" in repr(x):
                raise ValueError("not today")
            return x

    model = models.Sequential([layers.Input((3,)), Fails(), layers.Dense(1)])
    model.compile("adam", "mse")
    before = model.get_weights()
    with pytest.raises(ValueError, match="not today"):
        model.fit(X, Y, verbose=0)
    for a, b in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.skipif(sys.platform == "win32", reason="signals to oneself")
def test_an_interrupt_never_finds_a_variable_without_value():
    """Whenever Ctrl-C comes, the state is that of one step."""
    variables = [Variable(0.0) for _ in range(20)]

    def step() -> None:
        for v in variables:
            v.assign_add(1.0)

    run = StepFunction(step, variables, donate=True)
    run()
    timer = threading.Timer(0.1, signal.raise_signal, [signal.SIGINT])
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        for _ in iter(run, "never"):
            pass
    timer.join()
    assert len({float(v) for v in variables}) == 1


def compilations(caplog: pytest.LogCaptureFixture) -> int:
    """How many steps were compiled since the last time."""
    found = sum("Finished XLA compilation of jit(pure)" in record.message for record in caplog.records)
    caplog.clear()
    return found


def test_one_compilation_for_each_shape_mode_and_trainable_set(caplog):
    model = dense_model(metrics=["mae"])
    with jax.log_compiles(), caplog.at_level(logging.WARNING):
        model.fit(X, Y, batch_size=8, epochs=3, verbose=0)
        assert compilations(caplog) == 2  # 8, and the last 4
        model.fit(X, Y, batch_size=8, verbose=0, validation_split=0.2)
        assert compilations(caplog) == 1  # validation of 4
        model.fit(X, Y, batch_size=4, epochs=2, verbose=0)
        model.evaluate(X, Y, batch_size=4, verbose=0)
        assert compilations(caplog) == 0
        model.layers[0].trainable = False
        model.fit(X, Y, batch_size=4, epochs=2, verbose=0)
        assert compilations(caplog) == 1
        model.optimizer.learning_rate = 0.5
        model.fit(X, Y, batch_size=4, epochs=2, verbose=0)
        assert compilations(caplog) == 0


def test_results_are_fetched_once_an_epoch(monkeypatch):
    """However many steps there are, while no bar shows them: the machine is never waited for in between."""
    model, fetched = dense_model(metrics=["mae"]), []
    numpy = type(backend()).numpy
    model.fit(X, Y, batch_size=4, verbose=0)
    monkeypatch.setattr(type(backend()), "numpy", lambda self, array: fetched.append(array) or numpy(self, array))

    def count(batch_size: int) -> int:
        fetched.clear()
        model.fit(X, Y, batch_size=batch_size, epochs=2, verbose=0, shuffle=False, callbacks=History())
        return len(fetched)

    assert count(2) == count(10) == 2 * 2  # epochs, loss and mae


def test_the_float64_tests_pass_where_they_can_run():
    """In a process of their own: 64 bits are on from the beginning or not at all."""
    root = Path(__file__).parents[1]
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-m", "float64", "-p", "no:cacheprovider", "--no-header",
         "tests/test_random.py", "tests/test_initializers.py", "tests/test_core.py"],
        env={**os.environ, "JAX_ENABLE_X64": "1", "LAYERWISE_BACKEND": "xla", "JAX_PLATFORMS": "cpu"},
        cwd=root, capture_output=True, text=True,
    )  # fmt: skip
    assert run.returncode == 0, run.stdout[-3000:]
    assert "passed" in run.stdout
    assert "skipped" not in run.stdout


# Batches ahead of their steps


class Says(Callback):
    """Writes down when steps begin and end."""

    def __init__(self, events: list[Any]) -> None:
        super().__init__()
        self.events = events

    def on_train_batch_begin(self, batch, logs=None):
        self.events.append(("begin", batch))

    def on_train_batch_end(self, batch, logs=None):
        self.events.append(("end", batch))


def numbered(count: int, events: list[Any]) -> Any:
    """A generator of batches, which can be gone through once, and uses one piece of memory for all."""
    x = np.empty((4, 3), "float32")
    for number in range(count):
        events.append(("taken", number))
        x[:] = number
        yield x, np.ones((4, 1), "float32")


def test_the_next_batch_is_on_the_device_before_a_step_begins(monkeypatch):
    events: list[Any] = []
    batch = type(backend()).batch

    def noting(self, array, rows):
        found = batch(self, array, rows)
        assert isinstance(found, jax.Array)
        if array.shape[1] == 3:
            events.append(("on the device", int(found[0, 0]) // 4))
        return found

    monkeypatch.setattr(type(backend()), "batch", noting)
    x = np.repeat(np.arange(12, dtype="float32")[:, None], 3, 1)
    dense_model().fit(x, x[:, :1], batch_size=4, shuffle=False, verbose=0, callbacks=Says(events))
    assert events == [
        ("on the device", 0), ("on the device", 1), ("begin", 0), ("end", 0),
        ("on the device", 2), ("begin", 1), ("end", 1), ("begin", 2), ("end", 2),
    ]  # fmt: skip


def test_a_generator_is_one_batch_ahead_within_an_epoch():
    events: list[Any] = []
    batches = numbered(5, events)
    model = dense_model()
    model.fit(batches, epochs=2, steps_per_epoch=2, verbose=0, callbacks=Says(events))
    steps = [("taken", 0), ("taken", 1), ("begin", 0), ("end", 0), ("begin", 1), ("end", 1)]
    assert events == [*steps, ("taken", 2), ("taken", 3), *steps[2:]]
    assert next(batches)[0][0, 0] == 4  # no more was taken than the epochs needed


def test_batches_are_what_they_were_when_they_were_taken():
    """Although the source has overwritten them since."""
    model = dense_model()
    seen = np.concatenate([x.copy() for x, _ in numbered(3, [])])
    expected = model.predict(seen, verbose=0)
    np.testing.assert_allclose(model.predict(numbered(3, []), verbose=0), expected, rtol=1e-6)


def test_an_error_in_a_source_comes_behind_the_steps_on_what_came_before():
    def failing() -> Any:
        yield from numbered(2, [])
        raise OSError("the disk is gone")

    events: list[Any] = []
    with pytest.raises(OSError, match="the disk is gone"):
        dense_model().fit(failing(), verbose=0, callbacks=Says(events))
    assert events[-1] == ("end", 1)


@pytest.mark.parametrize("place", [np.asarray, jnp.asarray, ops.array], ids=["host", "device", "Tensor"])
def test_many_steps_in_one_call_are_the_steps(caplog, monkeypatch, place):
    """One by one, as a callback wants them, and as loops."""
    monkeypatch.setattr("layerwise.training.loop.TOGETHER", 1e9)

    class Each(Callback):
        def on_train_batch_end(self, batch, logs=None):
            pass

    rng = np.random.default_rng(0)
    x = rng.standard_normal((90, 3)).astype("float32")
    found = []
    for callbacks in ([Each()], []):
        random.set_random_seed(1)
        model = models.Sequential(
            [layers.Input((3,)), layers.Dense(4, "relu"), layers.Dropout(0.5), layers.Dense(2, "softmax")]
        )
        model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
        with jax.log_compiles(), caplog.at_level(logging.WARNING):
            y = place((x[:, 0] > 0).astype("int32"))
            history = model.fit(place(x), y, 4, epochs=4, verbose=0, callbacks=callbacks)
        found.append((history.history, model.get_weights()))
        loops = sum("Finished XLA compilation of jit(run_many)" in record.message for record in caplog.records)
        assert (loops == 0) if callbacks else (loops == 1)
        caplog.clear()
    (one_by_one, expected), (together, weights) = found
    for name, values in one_by_one.items():
        np.testing.assert_allclose(together[name], values, rtol=1e-6)
    for a, b in zip(weights, expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


def test_data_on_the_device_stay_there(monkeypatch):
    """Whatever is done with them, in order or shuffled; and with a part of them on the host."""
    monkeypatch.setattr("layerwise.training.loop.TOGETHER", 1e9)
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((90, 3)).astype("float32"), rng.standard_normal((90, 1)).astype("float32")
    found = []
    for placed_x, placed_y in ((x, y), (jnp.asarray(x), jnp.asarray(y)), (jnp.asarray(x), y)):
        random.set_random_seed(1)
        model = dense_model(metrics=["mae"])
        history = model.fit(placed_x, placed_y, batch_size=4, epochs=2, verbose=0, validation_split=0.3)
        model.fit(
            placed_x, placed_y, batch_size=4, verbose=0, shuffle=False, class_weight=dict.fromkeys(range(-9, 9), 0.5)
        )
        found.append(
            [history.history, model.evaluate(placed_x, placed_y, verbose=0), model.predict(placed_x, verbose=0)]
        )
    for other in found[1:]:
        assert other[0].keys() == found[0][0].keys()
        for name, values in found[0][0].items():
            np.testing.assert_allclose(other[0][name], values, rtol=1e-5)
        np.testing.assert_allclose(other[1], found[0][1], rtol=1e-5)
        np.testing.assert_allclose(other[2], found[0][2], rtol=1e-5, atol=1e-6)
    assert checked_array(placed_x, "x") is placed_x
    batch = backend().batch(placed_x, slice(88, 92))
    assert isinstance(batch, jax.Array)
    np.testing.assert_array_equal(batch, x[88:])


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
def test_data_on_the_device_are_checked(wrong):
    x = jnp.full((4, 3), 3e38, "float32")  # their sum overflows
    assert checked_array(x, "x") is x
    with pytest.raises(ValueError, match=r"x: 1 of 12 values are .*, the first at index \(2, 1\)"):
        dense_model().fit(x.at[2, 1].set(wrong), Y[:4], verbose=0)
    with pytest.raises(ValueError, match="x: got an array of complex64, expected numbers"):
        dense_model().fit(x.astype("complex64"), Y[:4], verbose=0)


def test_convolutions_are_stepped_one_by_one_on_cpus(caplog, monkeypatch):
    """In a loop XLA computes them ten times as slowly there."""
    monkeypatch.setattr("layerwise.training.loop.TOGETHER", 1e9)
    monkeypatch.setattr(jax, "default_backend", lambda: "cpu")
    model = models.Sequential([layers.Input((4, 4, 1)), layers.Conv2D(2, 3), layers.Flatten(), layers.Dense(1)])
    model.compile("sgd", "mse")
    with jax.log_compiles(), caplog.at_level(logging.WARNING):
        model.fit(np.ones((40, 4, 4, 1)), np.ones((40, 1)), batch_size=2, verbose=0)
    assert not any("jit(run_many)" in record.message for record in caplog.records)
    assert compilations(caplog) == 1


def test_loops_of_steps_take_the_memory_of_the_old_state(monkeypatch):
    monkeypatch.setattr("layerwise.training.loop.TOGETHER", 1e9)
    model = dense_model()
    model.fit(X, Y, batch_size=1, verbose=0)
    kernel = model.layers[0].kernel
    tensor, before = kernel.value, kernel.numpy()
    model.fit(X, Y, batch_size=1, verbose=0)
    np.testing.assert_array_equal(tensor, before)  # but what somebody holds
    assert np.any(kernel.numpy() != before)
    place = kernel._value.unsafe_buffer_pointer()
    model.fit(X[:17], Y[:17], batch_size=1, verbose=0)
    assert kernel._value.unsafe_buffer_pointer() == place


def test_numbers_beside_symbolic_inputs_of_64_bits():
    """An input may say int64, as TensorFlow's programs do, where JAX has 32 bits: the graph is made, and computes."""
    with config.override(backend="xla"):
        x = layers.Input((3,), dtype="int64")
        model = models.Model(x, [ops.not_equal(x, 0), x * 2 + 1])
        mask, odd = model(np.array([[0, 1, 2]]))
    assert mask.numpy().tolist() == [[False, True, True]]
    assert odd.numpy().tolist() == [[1, 3, 5]]
