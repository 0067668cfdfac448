"""The native backend: what is recorded runs again as the reference would compute it, on other data."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections import deque, namedtuple
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from layerwise import callbacks, config, layers, losses, models, ops, optimizers, tree, utils
from layerwise.autograd import Tensor, raw, vjp
from layerwise.backends import backend
from layerwise.variables import StepFunction, Variable
from samples import SAMPLES, Sample

pytest.importorskip("layerwise.backends._native", reason="the C++ kernels are not built", exc_type=ImportError)


@pytest.fixture(autouse=True)
def on_native():
    with config.override(backend="native"):
        yield


# Every operation, recorded

VALUED = {  # asks for values, or is computed on the host
    "bincount", "unique", "nonzero", "while_loop", "cond", "switch", "argwhere", "fori_loop",
}  # fmt: skip
RECORDED = [s for s in SAMPLES if not s.plain and s.name not in VALUED]


def as_function(sample: Sample, dtype: str) -> tuple[Any, list[np.ndarray]]:
    """The sample as a function of arrays to its results and, where it has them, its gradients."""

    def cast(leaf: Any) -> Any:
        return leaf.astype(dtype) if isinstance(leaf, np.ndarray) and leaf.dtype == "float64" else leaf

    flat = [cast(leaf) for leaf in tree.flatten(list(sample.args))]
    kwargs = {**sample.kwargs, **({"dtype": dtype} if sample.kwargs.get("dtype") == "float64" else {})}
    arrays = {i for i, a in enumerate(flat) if isinstance(a, np.ndarray) and a.dtype == dtype}
    places = sorted(arrays - set(sample.static))

    def results(*xs: Any) -> list[Any]:
        values = list(flat)
        for i, x in zip(places, xs, strict=True):
            values[i] = x
        found = sample.operation(*tree.pack_sequence_as(list(sample.args), values), **kwargs)
        return [y for y in tree.flatten(found) if isinstance(y, Tensor)]

    def values_and_gradients(state: list[Any], *arrays: Any) -> tuple[list[Any], list[Any]]:
        xs = list(map(Tensor, arrays))
        if not (sample.differentiable and places):
            return [], [raw(y) for y in results(*xs)]
        ys, pull = vjp(lambda *xs: [y for y in results(*xs) if y.dtype == dtype], *xs)
        weights = [Tensor(np.cos(np.arange(y.size, dtype=dtype)).reshape(y.shape)) for y in ys]
        return [], [raw(t) for t in (*ys, *pull(weights))]

    return values_and_gradients, [flat[i] for i in places]


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("sample", RECORDED, ids=map(str, RECORDED))
def test_a_replay_computes_what_the_reference_does(sample, dtype):
    f, first = as_function(sample, dtype)
    second = [x * x.dtype.type(0.96875) for x in first]
    with config.override(backend="numpy"):
        expected = f([], *second)[1]
    run = backend().compile(f)
    run([], *first)
    assert all(run.programs.values()), "could not be recorded"
    tolerance = 1e-11 if dtype == "float64" else 3e-4
    for got, want in zip(run([], *second)[1], expected, strict=True):
        assert got.shape == want.shape
        assert np.can_cast(got.dtype, want.dtype), "a dtype of another kind"  # places in windows may be shorter
        scale = max(1.0, float(np.nanmax(np.abs(np.where(np.isfinite(want), want, 0)), initial=0.0)))
        np.testing.assert_allclose(got, want, rtol=tolerance, atol=tolerance * scale)


def test_recording_runs_no_kernel(monkeypatch):
    x = np.random.default_rng(0).standard_normal((3, 5))
    called = []
    monkeypatch.setattr("layerwise.backends._native.call", lambda kernel, *arguments: called.append(kernel))
    run = backend().compile(lambda state, x: ([], raw(ops.matmul(x, Tensor(x).T))))
    np.testing.assert_allclose(run([], x)[1], x @ x.T)
    assert not called


def test_what_fails_on_zeros_is_recorded_on_values():
    x = np.random.default_rng(0).standard_normal((3, 5))

    def inverse(state, x):
        return [], np.linalg.inv(raw(ops.matmul(Tensor(x), Tensor(x).T)))

    run = backend().compile(inverse)
    for a in (x, x * 2):
        np.testing.assert_allclose(run([], a)[1], np.linalg.inv(a @ a.T))
    assert all(run.programs.values())


def test_recording_warns_of_nothing_that_its_zeros_do(recwarn):
    run = backend().compile(lambda state, x: ([], x / raw(ops.matmul(Tensor(x), Tensor(x)))))
    np.testing.assert_array_equal(run([], np.ones((2, 2)))[1], np.full((2, 2), 0.5))
    assert not list(recwarn)


def test_the_programs_that_were_used_last_are_kept(monkeypatch):
    monkeypatch.setattr("layerwise.backends.native.replay.PROGRAMS", 2)
    run = backend().compile(lambda state, x: ([], raw(ops.sum(Tensor(x)))))
    for n in (1, 2, 1, 3, 1, 2):
        assert run([], np.ones(n))[1] == n
    assert [shape for _, ((shape, _),) in run.programs] == [(1,), (2,)]


# What a replay does with the state


def counter(state: list[Any], x: Any) -> tuple[list[Any], Any]:
    return [state[0] + x, state[1] * 2], {"sum": state[0].sum() if isinstance(x, np.ndarray) else np.sum(state[0])}


def test_the_state_is_overwritten_in_its_own_arrays():
    run = backend().compile(counter)
    state = [np.zeros(300, "float32"), np.ones(2, "float32")]
    x = np.arange(300, dtype="float32")
    state, _ = run(state, x)  # recorded; the longer one in aligned memory from now on
    before = [id(a) for a in state]
    assert state[0].__array_interface__["data"][0] % 64 == 0
    found, _ = run(state, x)
    assert found is state
    assert [id(a) for a in found] == before
    np.testing.assert_array_equal(found[0], 2 * x)
    np.testing.assert_array_equal(found[1], [4, 4])


def test_an_array_that_somebody_holds_is_left_alone():
    run = backend().compile(counter)
    x = np.float32([1, 2, 3])
    run([np.zeros(3, "float32"), np.ones(2, "float32")], x)
    mine = held = np.zeros(3, "float32")
    found, _ = run([mine, np.ones(2, "float32")], x)
    np.testing.assert_array_equal(held, 0)
    np.testing.assert_array_equal(found[0], x)


def test_structures_come_and_go_as_they_are():
    """Lists, tuples with and without names, deques, dicts and places where there is nothing."""
    pair = namedtuple("pair", "left right")

    def f(state, x):
        return [], {"b": deque([x.left, x.right[0]]), "a": pair(x.left + x.right[0], [None, (x.left,)])}

    run = backend().compile(f)
    x = pair(np.float32([1, 2]), deque([np.float32([3, 4])]))
    for _ in range(2):
        _, found = run([], x)
        assert [(name, type(item)) for name, item in found.items()] == [("b", deque), ("a", pair)]
        assert [*map(list, found["b"]), list(found["a"].left)] == [[1, 2], [3, 4], [4, 6]]
        assert found["a"].right[0] is None
        assert list(found["a"].right[1][0]) == [1, 2]
    assert None not in run.programs.values()


@pytest.mark.parametrize("swap", [False, True])
def test_old_values_are_read_before_new_ones_are_written(swap):
    def f(state, x):
        a, b = state
        return ([b, a] if swap else [a + b, a - b]), {"a": a, "b": b + 0}

    run = backend().compile(f)
    run([np.float32([5]), np.float32([6])], np.float32(0))
    (a, b), outputs = run([np.float32([1]), np.float32([2])], np.float32(0))
    assert (a, b) == ((2, 1) if swap else (3, -1))
    assert (outputs["a"], outputs["b"]) == (1, 2)


def test_a_value_that_is_also_needed_after_its_update_is_the_new_one():
    def f(state, x):
        new = state[0] + x
        return [new, state[1] * np.sum(new)], new * 10

    run = backend().compile(f)
    run([np.float32([1, 1]), np.float32([1, 1])], np.float32([0, 0]))
    (a, b), out = run([np.float32([1, 2]), np.float32([1, 10])], np.float32([1, 1]))
    np.testing.assert_array_equal(a, [2, 3])
    np.testing.assert_array_equal(b, [5, 50])
    np.testing.assert_array_equal(out, [20, 30])


def test_what_asks_for_values_is_called_as_it_is():
    calls = []

    def f(state, x):
        calls.append(x)
        return [state[0] + float(x[0])], x[x > 0]

    run = backend().compile(f)
    for x in ([1, -1], [2, 3]):
        (a,), out = run([np.float32([1])], np.float32(x))
        assert a[0] == 1 + x[0]
        np.testing.assert_array_equal(out, [v for v in x if v > 0])
    assert [type(x) for x in calls][-1] is np.ndarray
    assert list(run.programs.values()) == [None]


def test_functions_of_numpys_that_no_kernel_knows_run_between_the_stages():
    def f(state, x):
        return [state[0] + 1], np.sort(x * 2) - np.cumsum(x, axis=-1) + state[0]

    run = backend().compile(f)
    rng = np.random.default_rng(3)
    first, second = rng.standard_normal((2, 4, 7)).astype("float32")
    run([np.float32(5)], first)
    (count,), out = run([np.float32(6)], second)
    assert count == 7
    np.testing.assert_array_equal(out, np.sort(second * 2) - np.cumsum(second, axis=-1) + np.float32(6))


def test_a_label_outside_the_classes_is_not_another_class():
    """It counts from the end where negative, as in the reference; where that raises an error, a replay gives NaN."""

    def loss(state: list[Any], labels: Any, z: Any) -> tuple[list[Any], Any]:
        return [], raw(ops.sparse_softmax_cross_entropy(Tensor(labels), Tensor(z)))

    z = np.random.default_rng(0).normal(size=(4, 3)).astype("float32")
    run = backend().compile(loss)
    run([], np.int32([0, 1, 2, 0]), z)
    assert all(run.programs.values())
    got = run([], np.int32([-1, 3, 1, -4]), z)[1]
    with config.override(backend="numpy"):
        want = loss([], np.int32([-1, 0, 1, 0]), z)[1]
        with pytest.raises(IndexError):
            loss([], np.int32([-1, 3, 1, -4]), z)
    np.testing.assert_allclose(got[[0, 2]], want[[0, 2]], rtol=1e-6)
    assert np.isnan(got[[1, 3]]).all()


def test_whole_numbers_outside_are_an_error():
    run = backend().compile(lambda state, x, places: ([], np.take_along_axis(x, places, -1)))
    x = np.arange(6, dtype="int32").reshape(2, 3)
    assert run([], x, np.int64([[2], [0]]))[1].tolist() == [[2], [3]]
    assert run([], x, np.int64([[-1], [1]]))[1].tolist() == [[2], [4]]
    with pytest.raises(IndexError):
        run([], x, np.int64([[2], [3]]))


def test_an_error_between_the_stages_leaves_the_state():
    def f(state, table, i):
        return [state[0] + 1, np.take(table, i, axis=0) * state[1]], None

    run = backend().compile(f)
    table = np.ones((3, 2), "float32")
    run([np.float32([0]), np.float32([0, 0])], table, np.int64([0]))
    state = [np.float32([1]), np.ones((1, 2), "float32")]
    state, _ = run(state, table, np.int64([2]))
    with pytest.raises(IndexError, match="out of bounds"):
        run(state, table, np.int64([3]))
    np.testing.assert_array_equal(state[0], [2])


# What is fused


def calls_of(f: Any, *arrays: np.ndarray) -> list[str]:
    """The names of the kernels and NumPy functions that a recorded function comes to, checked against NumPy."""
    run = backend().compile(lambda state, *arrays: ([], f(*arrays)))
    run([], *arrays)
    found = run([], *arrays)[1]
    np.testing.assert_allclose(found, f(*arrays), rtol=1e-5, atol=1e-6)
    ((program, _),) = run.programs.values()
    return program.calls


rng = np.random.default_rng(0)


@pytest.mark.parametrize(
    ("f", "shape", "calls"),
    [
        (lambda x: np.exp(-np.abs(x)) * 2 + x, (8, 5), ["fused"]),
        (lambda x: backend().softmax(x, -1), (8, 5), ["fused"]),
        (lambda x: backend().normalize(x, None, None, (1,), 1e-3)[0], (8, 5), ["fused"]),
        (lambda x: (x * 2).sum() if isinstance(x, np.ndarray) else np.sum(x * 2), (8, 5), ["fused"]),
        (lambda x: np.sum(x * x, axis=(0, 1)) / 3, (4, 8, 5), ["fused", "fused"]),
        (lambda x: np.transpose(x)[1:, ::2], (8, 5), ["copy"]),
        (lambda x: np.concatenate([x, x + 1]), (8, 5), ["fused", "copy", "copy"]),
        (lambda x: np.reshape(np.transpose(x), (-1,)) + 1, (8, 5), ["copy", "fused"]),
        (lambda x: np.max(x, axis=1), (4, 8, 5), ["reduce"]),
        (lambda x: np.sort(x + 1), (8, 5), ["fused", "sort"]),
    ],
)
def test_what_is_element_wise_becomes_one_program(f, shape, calls):
    found = calls_of(f, rng.standard_normal(shape).astype("float32"))
    assert sorted(found) == sorted(calls)


def test_equal_steps_are_computed_once():
    def f(x):
        return np.exp(x) + np.sqrt(np.exp(x) + 2.0)

    assert calls_of(f, rng.standard_normal((8, 5)).astype("float32")) == ["fused"]


def test_steps_move_to_the_only_program_that_reads_them():
    def f(x, y):
        z = np.maximum(x, 0)
        return np.where(z > 0.5, backend().matmul(z, y), -1)

    x, y = (rng.standard_normal((8, 8)).astype("float32") for _ in range(2))
    assert calls_of(f, x, y) == ["fused", "gemm", "fused"]

    def read_twice(x, y):
        mask = np.exp(x)
        product = backend().matmul(x, y)
        return mask - product, np.swapaxes(mask * product, 0, 1) + 1, mask

    run = backend().compile(lambda state, *arrays: ([], read_twice(*arrays)))
    for got, want in zip(run([], x, y)[1], read_twice(x, y), strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-6)


def centred_and_doubled(x):
    y = (x - np.mean(x, axis=0, keepdims=True)) * np.float32(2)
    return y - np.mean(np.abs(y), axis=0, keepdims=True)


@pytest.mark.parametrize(
    "f", [lambda x: backend().normalize(x, None, None, (0,), 1e-3)[0], centred_and_doubled], ids=["one", "two"]
)
def test_cheap_steps_are_repeated_where_they_are_read_instead_of_stored(f):
    x = rng.standard_normal((64, 32)).astype("float32")
    run = backend().compile(lambda state, x: ([], f(x)))
    run([], x)
    np.testing.assert_allclose(run([], x)[1], f(x), rtol=1e-4, atol=1e-5)
    ((program, _),) = run.programs.values()
    assert np.asarray(program._arena).nbytes < x.nbytes  # x - mean is needed twice, and nowhere in memory


def test_more_axes_than_the_kernel_has_are_looped_over():
    shapes = [(2, 1, 3, 1, 2, 1), (1, 4, 1, 2, 1, 3)]
    x, y = (rng.standard_normal(shape).astype("float32") for shape in shapes)
    assert set(calls_of(lambda x, y: x * y + 1, x, y)) == {"fused"}


def test_long_chains_are_split():
    def f(x):
        y = x
        for i in range(100):
            y = np.maximum(y * 0.5, x) + np.float32(i)
        return y

    calls = calls_of(f, rng.standard_normal((8, 5)).astype("float32"))
    assert set(calls) == {"fused"}
    assert len(calls) > 4


# Any program


def random_program(seed: int) -> Any:
    """A function of two arrays, made of twenty steps drawn at random, and these arrays."""
    draw = np.random.default_rng(seed)
    shape = tuple(draw.integers(1, 6, draw.integers(1, 4)).tolist())
    dtype = draw.choice(["float32", "float64", "int32"], p=[0.5, 0.3, 0.2])

    def data() -> np.ndarray:
        return (draw.standard_normal(shape) * 4).astype(dtype)

    unary = [np.negative, np.abs, np.square, np.sign]
    floating = [np.exp, np.tanh, np.sqrt, np.log1p, np.floor, np.rint]
    binary = [np.add, np.subtract, np.multiply, np.maximum, np.minimum]
    steps = [(draw.integers(0, 13), *draw.integers(0, 1000, 4).tolist()) for _ in range(20)]
    returned = slice(4, None) if draw.random() < 0.5 else slice(-2, None)

    def f(x: Any, y: Any) -> list[Any]:
        known = [x, y, x[:1] * 2, np.asarray(3, dtype)]
        for kind, i, j, k, option in steps:
            a, b, c = (known[n % len(known)] for n in (i, j, k))
            axis = option % a.ndim if a.ndim else None
            if kind <= 2:
                with np.errstate(all="ignore"):
                    choice = (unary + floating)[option % 10] if a.dtype.kind == "f" else unary[option % 4]
                    new = choice(np.clip(a, 0, 5) if choice in floating else a)
            elif kind <= 5:
                if not all(n in (1, m) for o in (a, b) for n, m in zip(o.shape[::-1], x.shape[::-1], strict=False)):
                    continue
                new = binary[option % 5](a, b)
            elif kind == 6 and axis is not None:
                new = [np.sum, np.max, np.min, np.mean, np.argmax][option % 5](a, axis=axis, keepdims=bool(option & 64))
                new = new.astype(dtype)
            elif kind == 7:
                new = np.sum(a, axis=tuple(range(max(a.ndim - 1, 0))), keepdims=True)
            elif kind == 8:
                new = np.transpose(a)
            elif kind == 9:
                new = np.reshape(a, (-1,)) if option % 2 else a[..., ::-1] if a.ndim else a
            elif kind == 10 and a.shape == b.shape == c.shape:
                new = np.where(a > b, c, b)
            elif kind == 11 and a.ndim and a.shape == b.shape:
                new = np.concatenate([a, b, a], axis=axis)[: a.shape[0]]
            elif kind == 12:
                new = (a.astype("int32") % 7).astype(dtype)
            else:
                continue
            known.append(np.clip(new, -50, 50))
        return known[returned]

    return f, data(), data()


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=80, deadline=None)
def test_any_program_gives_what_numpy_does(seed):
    f, x, y = random_program(seed)
    run = backend().compile(lambda state, x, y: ([state[0] * 2], f(x, y)))
    run([np.ones(3, "float32")], y, x)
    assert all(run.programs.values())
    (state,), found = run([np.ones(3, "float32")], x, y)
    np.testing.assert_array_equal(state, 2)
    for got, want in zip(found, f(x, y), strict=True):
        assert (got.shape, got.dtype) == (want.shape, want.dtype)
        np.testing.assert_allclose(got, want, rtol=2e-4, atol=2e-4)


# Whole fits


def fitted(seed: int = 3, threads: int = 2, **options: Any) -> tuple[dict[str, list[float]], list[np.ndarray]]:
    utils.set_random_seed(seed)
    data = np.random.default_rng(seed)
    x, y = data.standard_normal((50, 8, 8, 2)).astype("float32"), data.integers(0, 3, 50)
    model = models.Sequential(
        [
            layers.Input((8, 8, 2)),
            layers.Conv2D(6, 3, padding="same", use_bias=False),
            layers.BatchNormalization(),
            layers.ReLU(),
            layers.MaxPooling2D(),
            layers.Conv2D(6, 3, groups=3, activation="tanh"),
            layers.Flatten(),
            layers.Dropout(0.3),
            layers.Dense(16, activation="gelu"),
            layers.LayerNormalization(),
            layers.Dense(3, activation="softmax"),
        ]
    )
    model.compile(optimizers.Adam(0.01, **options), losses.SparseCategoricalCrossentropy(), metrics=["accuracy"])
    config.set_num_threads(threads)
    history = model.fit(x, y, batch_size=16, epochs=3, verbose=0, validation_data=(x[:20], y[:20])).history
    return history, model.get_weights()


@pytest.mark.parametrize("options", [{}, {"global_clipnorm": 0.5}, {"weight_decay": 0.01, "use_ema": True}], ids=str)
def test_a_fit_is_the_reference_one(options):
    history, weights = fitted(**options)
    with config.override(backend="numpy"):
        expected, reference = fitted(**options)
    for name, values in expected.items():
        np.testing.assert_allclose(history[name], values, rtol=2e-3, atol=1e-4, err_msg=name)
    for got, want in zip(weights, reference, strict=True):
        np.testing.assert_allclose(got, want, rtol=0, atol=2e-3)


def test_the_bits_are_the_same_for_any_number_of_threads():
    before = config.num_threads()
    try:
        results = [fitted(threads=n) for n in (1, 2, 4, 2)]
    finally:
        config.set_num_threads(before)
    for history, weights in results[1:]:
        assert history == results[0][0]
        for a, b in zip(weights, results[0][1], strict=True):
            np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("size", [1, 15, 33, 5000])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    "make",
    [optimizers.Adam, optimizers.AdamW, lambda rate: optimizers.SGD(rate, momentum=0.9)],
    ids=["adam", "adamw", "momentum"],
)
def test_updates_that_are_compiled_ahead(make, dtype, size):
    """They are those of the reference, except that what has decayed below the smallest normal number is zero."""
    gradients = np.random.default_rng(0).standard_normal((3, size)).astype(dtype)
    gradients[:, size // 2 :] = 0
    tiny = np.finfo(dtype).smallest_normal / 3

    def after(name):
        with config.override(backend=name):
            optimizer, w = make(0.1), Variable(np.ones(size), dtype=dtype)
            optimizer.build([w])
            slots = [v for v in optimizer.variables if v.shape == w.shape]
            for slot in slots:
                slot.assign(np.full(size, tiny, dtype))
            one = np.ones((1, 1), dtype)

            def step(g):  # the gradient is ready later than the learning rate
                g = ops.matmul(ops.matmul(ops.reshape(g, (-1, 1)), one), one)
                optimizer.apply([ops.reshape(g, (-1,))], [w])

            run = StepFunction(step, [w, *optimizer.variables], donate=True)
            for g in gradients:
                run(g)
            return [v.numpy() for v in (w, *slots)]

    (got, *slots), (want, *expected) = after("native"), after("numpy")
    np.testing.assert_allclose(got, want, rtol=1e-5)
    for slot, reference in zip(slots, expected, strict=True):
        np.testing.assert_allclose(slot, reference, rtol=1e-5, atol=1e-7)
        assert reference[-1] != 0
        assert slot[-1] == 0


def small_network() -> models.Model:
    utils.set_random_seed(8)
    model = models.Sequential(
        [
            layers.Input((12, 12, 3)),
            layers.Conv2D(16, 3, activation="relu"),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dense(5, activation="softmax"),
        ]
    )
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


class WeightsOfEveryStep(callbacks.Callback):
    def __init__(self) -> None:
        super().__init__()
        self.seen: list[list[np.ndarray]] = []

    def on_train_begin(self, logs=None):
        self.seen.append(self.model.get_weights())

    def on_train_batch_end(self, batch, logs=None):
        self.seen.append(self.model.get_weights())


@pytest.mark.parametrize("shuffle", [True, False, "batch"])
@pytest.mark.parametrize("dtype", ["float32", "uint8", "int16", "float64"])  # the gather kernel has no int16
def test_steps_taken_together_are_those_taken_one_by_one(shuffle, dtype):
    x = (np.random.default_rng(1).random((70, 12, 12, 3)) * 9).astype(dtype)
    y = np.random.default_rng(2).integers(0, 5, 70)
    results = []
    for listeners in ([], [WeightsOfEveryStep()]):
        model = small_network()
        arguments = {"shuffle": shuffle, "validation_data": (x[:40], y[:40]), "class_weight": {0: 2.0}}
        history = model.fit(x, y, batch_size=8, epochs=3, verbose=0, callbacks=listeners, **arguments).history
        results.append((history, model.get_weights()))
    assert results[0][0] == results[1][0]
    for got, want in zip(results[0][1], results[1][1], strict=True):
        np.testing.assert_array_equal(got, want)


def test_an_interrupted_fit_is_at_a_step_boundary():
    x = np.random.default_rng(1).standard_normal((640, 12, 12, 3)).astype("float32")
    y = np.random.default_rng(2).integers(0, 5, 640)
    steps = WeightsOfEveryStep()
    start = time.perf_counter()
    small_network().fit(x, y, epochs=1, shuffle=False, verbose=0, callbacks=[steps])
    duration = time.perf_counter() - start
    interrupted = 0
    for delay in np.random.default_rng(3).uniform(0, duration, 12):
        model = small_network()
        timer = threading.Timer(delay, os.kill, (os.getpid(), signal.SIGINT))
        try:
            timer.start()  # itself a place where the signal can arrive
            model.fit(x, y, epochs=1, shuffle=False, verbose=0)
            timer.join()
            time.sleep(0.05)  # where Python notices
        except KeyboardInterrupt:
            interrupted += 1
        timer.join()
        done = int(model.optimizer.iterations) if model.optimizer.built else 0
        for got, want in zip(model.get_weights(), steps.seen[done], strict=True):
            np.testing.assert_array_equal(got, want)
    assert interrupted
