"""A scan on the native backend: its body is recorded once, and is a loop of the program."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest

from layerwise import config, layers, models, ops, random, utils
from layerwise.autograd import Spec, Tensor, raw, vjp
from layerwise.backends import backend
from layerwise.variables import StepFunction, Variable

pytest.importorskip("layerwise.backends._native", reason="the C++ kernels are not built", exc_type=ImportError)

UNITS, FEATURES, ROWS = 6, 5, 3


@pytest.fixture(autouse=True)
def on_native():
    with config.override(backend="native"):
        yield


def arrays(steps: int, dtype: str = "float64") -> list[np.ndarray]:
    """A state h, inputs x over time, matrices and a bias."""
    rng = np.random.default_rng(steps)
    shapes = [(ROWS, UNITS), (steps, ROWS, FEATURES), (FEATURES, UNITS), (UNITS, UNITS), (UNITS,)]
    return [(rng.standard_normal(shape) / 2).astype(dtype) for shape in shapes]


def cell(h: Any, x: Any, w: Any, u: Any, b: Any) -> Any:
    return ops.tanh(x @ w + h @ u + b)


def recurrent(scan: Any, reverse: bool = False) -> Any:
    def f(h: Any, x: Any, w: Any, u: Any, b: Any) -> list[Any]:
        return list(scan(lambda h, x: (cell(h, x, w, u, b), ops.sin(h)), h, x, reverse=reverse))

    return f


def gated(h: Any, x: Any, w: Any, u: Any, b: Any) -> list[Any]:
    """Two carries, matrices that are read twice, one row of x a step and its number, a result that is no array's."""

    def step(state: Any, slices: Any) -> Any:
        (h, c, n), (x, scale) = state, slices
        gate = ops.sigmoid(x @ w + (h @ u) * b)
        c = gate * c + (1 - gate) * ops.tanh(h @ u + x @ w + b) * scale
        h = ops.layer_normalization(c) if hasattr(ops, "layer_normalization") else ops.softmax(c)
        return (h, c, n + 1), {"c": c, "place": n, "largest": ops.max(h, axis=-1)}

    steps = x.shape[0]
    (h, c, n), ys = ops.scan(step, (h, h * 2, ops.array(0)), (x, ops.arange(steps, dtype=x.dtype)))
    return [h, c, ops.cast(n, x.dtype), ys["c"], ops.cast(ys["place"], x.dtype), ys["largest"]]


def sliced(h: Any, x: Any, w: Any, u: Any, b: Any) -> list[Any]:
    """A matrix product for several gates, whose gradient puts parts together."""

    def step(h: Any, x: Any) -> Any:
        left, right = ops.split(x @ w + h @ u + b, 2, axis=-1)
        return ops.concatenate([ops.tanh(left), ops.sigmoid(right) * h[:, 1:4]], axis=-1), right[:, ::-1]

    return list(ops.scan(step, h, x))


def nested(h: Any, x: Any, w: Any, u: Any, b: Any) -> list[Any]:
    def outer(h: Any, x: Any) -> Any:
        h, inner = ops.scan(
            lambda h, x: (ops.tanh(h * x + h @ u), h * b), cell(h, x, w, u, b), ops.array([0.5, 2.0], x.dtype)
        )
        return h, ops.sum(inner, axis=0)

    return list(ops.scan(outer, h, x))


def without_a_carry(h: Any, x: Any, w: Any, u: Any, b: Any) -> list[Any]:
    return [ops.map(lambda x: ops.relu(x @ w + b), x), h * 1.0, ops.sum(u)]


def constant_results(h: Any, x: Any, w: Any, u: Any, b: Any) -> list[Any]:
    """Results that are captured, constant, a slice or a carry as it is."""
    h, ys = ops.scan(lambda h, x: (h, (b, ops.ones(2, h.dtype), x, h, x @ w)), h @ u, x)
    return [h, *ys]


def with_numpy(h: Any, x: Any, w: Any, u: Any, b: Any) -> list[Any]:
    """A cumulative sum is a call of NumPy."""
    return list(ops.scan(lambda h, x: (cell(h, x, w, u, b), ops.cumsum(h, axis=1)), h, x))


def beside_numpy(h: Any, x: Any, w: Any, u: Any, b: Any) -> list[Any]:
    """Calls of NumPy before and after two loops."""
    x = ops.cumsum(x, axis=0)
    h, ys = ops.scan(lambda h, x: (cell(h, x, w, u, b), h), ops.cumsum(h, axis=1), x)
    return list(ops.scan(lambda h, y: (h * ops.tanh(y), y), h, ops.cumsum(ys, axis=1)))


def pulled(f: Any) -> Any:
    """(state, *arrays) -> (state, what f gives and its gradients)"""

    def run(state: list[Any], *xs: Any) -> tuple[list[Any], list[Any]]:
        ys, pull = vjp(f, *map(Tensor, xs))
        weights = [Tensor(np.cos(np.arange(y.size, dtype=y.dtype)).reshape(y.shape)) for y in ys]
        return state, [raw(t) for t in (*ys, *pull(weights))]

    return run


def compiled(f: Any, *xs: np.ndarray) -> tuple[list[np.ndarray], Any]:
    """What f gives on other data than it was recorded with, and its program."""
    run = backend().compile(f)
    run([], *[x * x.dtype.type(0.5) for x in xs])
    ((program, _),) = run.programs.values()
    return run([], *xs)[1], program


LOOPS = {
    "recurrent": recurrent(ops.scan),
    "reverse": recurrent(ops.scan, True),
    "gated": gated,
    "sliced": sliced,
    "nested": nested,
    "without a carry": without_a_carry,
    "constant results": constant_results,
    "beside NumPy": beside_numpy,
}
ALL = {**LOOPS, "with NumPy": with_numpy}


@pytest.mark.parametrize("steps", [1, 4])
@pytest.mark.parametrize("f", ALL.values(), ids=ALL)
def test_a_loop_computes_what_the_reference_does(f, steps):
    xs = arrays(steps)
    with config.override(backend="numpy"):
        expected = pulled(f)([], *xs)[1]
    results, _ = compiled(pulled(f), *xs)
    for got, want in zip(results, expected, strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-11, atol=1e-11)


def unrolled(f: Any, carry: Any, xs: Any, reverse: bool = False) -> tuple[Any, Any]:
    ys = []
    for t in reversed(range(len(xs))) if reverse else range(len(xs)):
        carry, y = f(carry, xs[t])
        ys.append(y)
    return carry, ops.stack(ys[::-1] if reverse else ys)


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_loop_gives_the_bits_of_its_turns_written_out(dtype, reverse):
    def forward(scan: Any) -> Any:
        f = recurrent(scan, reverse)
        return lambda state, *xs: (state, [raw(y) for y in f(*map(Tensor, xs))])

    xs = arrays(7, dtype)
    for got, want in zip(compiled(forward(ops.scan), *xs)[0], compiled(forward(unrolled), *xs)[0], strict=True):
        np.testing.assert_array_equal(got, want)


@pytest.mark.parametrize("f", LOOPS.values(), ids=LOOPS)
def test_a_program_does_not_grow_with_the_number_of_steps(f):
    sizes = {len(compiled(pulled(f), *arrays(steps))[1]) for steps in (10, 100)}
    assert len(sizes) == 1


def test_a_loop_with_a_call_of_numpy_is_unrolled():
    calls = Counter(compiled(pulled(with_numpy), *arrays(4))[1].calls)
    assert calls["cumsum"] >= 4


def test_the_gradient_computes_nothing_again_and_each_matrix_gets_one_product():
    """Forward x w and h u; backward the gradients of h and x a step; after the loop those of w and u."""
    program = compiled(pulled(recurrent(ops.scan)), *arrays(50))[1]
    assert Counter(program.calls)["gemm"] == 2 + 2 + 2


def dropped(loop: Any, steps: int = 4) -> tuple[Any, random.SeedGenerator]:
    """A training step of a cell with dropout and a running mean, as a function of x, and the dropout's generator."""
    generator, mean = random.SeedGenerator(5), Variable(np.zeros(UNITS), trainable=False, dtype="float64")

    def f(h: Any, x: Any, w: Any, u: Any, b: Any) -> list[Any]:
        def step(h: Any, x: Any) -> Any:
            h = random.dropout(cell(h, x, w, u, b), 0.5, seed=generator)
            mean.assign(mean * 0.5 + ops.mean(h, axis=0))
            return h, ops.cast(h == 0.0, h.dtype)

        return [*loop(step, h, x), mean.value * 1.0]

    variables = [generator.state, mean]
    step = StepFunction(lambda *xs: [Tensor(a) for a in pulled(f)([], *map(raw, xs))[1]], variables)
    return step, generator


@pytest.mark.parametrize("name", ["numpy", "native", "xla"])
def test_what_a_body_assigns_the_next_step_finds(name):
    """So dropout differs from step to step, and gradients drop what values dropped."""
    if name == "xla":
        pytest.importorskip("jax").config.update("jax_enable_x64", True)
    with config.override(backend="numpy"):
        expected = [raw(y) for y in dropped(unrolled)[0](*arrays(4))]
    with config.override(backend=name):
        step, generator = dropped(ops.scan)
        xs = arrays(4)
        found = [np.asarray(y) for y in step(*xs)]
        assert generator.state.numpy()[1] == 4
        again = [np.asarray(y) for y in step(*xs)]
        assert generator.state.numpy()[1] == 8
    kept = found[1]
    assert len({row.tobytes() for row in kept}) == 4
    assert not np.array_equal(again[1], kept)
    for got, want in zip(found, expected, strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-10, atol=1e-10)
    if name == "native":
        ((program, _),) = step._run.programs.values()
        assert Counter(program.calls)["random_bits"] == 1


def test_a_loop_that_is_only_looked_at_assigns_nothing():
    generator = random.SeedGenerator(5)
    ops.scan(lambda c, x: (c, random.dropout(x, 0.5, seed=generator)), 0.0, Tensor(Spec((3, 2))))
    assert generator.state.numpy()[1] == 0
    ops.scan(lambda c, _: (c, random.uniform((2,), seed=generator)), 0.0, length=3)
    assert generator.state.numpy()[1] == 3


@pytest.mark.parametrize("dtype", ["float16", "complex64", "bool"])
def test_a_loop_takes_arrays_of_any_dtype(dtype):
    def f(state: list[Any], x: Any) -> tuple[list[Any], list[Any]]:
        carry, ys = ops.scan(lambda c, x: (x, c), Tensor(x[0]), Tensor(x))
        return state, [raw(carry), raw(ys)]

    x = np.arange(6).reshape(3, 2).astype(dtype)
    carry, ys = compiled(f, x)[0]
    np.testing.assert_array_equal(carry, x[2])
    np.testing.assert_array_equal(ys, x[[0, 0, 1]])


class Recurrent(layers.Layer):
    """The last state of a recurrent cell with dropout."""

    def __init__(self) -> None:
        super().__init__()
        self.seed = random.SeedGenerator(1)
        self.of_input, self.of_state = layers.Dense(UNITS), layers.Dense(UNITS, use_bias=False)

    def call(self, x: Any, training: bool = False) -> Any:
        def step(h: Any, x: Any) -> Any:
            h = random.dropout(h, 0.5, seed=self.seed) if training else h
            return ops.tanh(self.of_input(x) + self.of_state(h)), None

        return ops.scan(step, ops.zeros((x.shape[0], UNITS), x.dtype), ops.swapaxes(x, 0, 1))[0]


@pytest.mark.parametrize("compiling", ["native", "xla"])
def test_a_fit_through_a_loop_is_the_reference_one(compiling):
    if compiling == "xla":
        pytest.importorskip("jax")
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((24, 7, FEATURES)).astype("float32"), rng.standard_normal((24, 1)).astype("float32")
    found = {}
    for name in ("numpy", compiling):
        with config.override(backend=name):
            utils.set_random_seed(2)
            model = models.Sequential([Recurrent(), layers.Dense(1)])
            model.compile("adam", "mse")
            history = model.fit(x, y, batch_size=4, epochs=3, verbose=0).history
            found[name] = [*history["loss"], *model.get_weights(), model.predict(x, verbose=0)]
    for got, want in zip(found[compiling], found["numpy"], strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-5)


MADE = [
    lambda p, q, m, b: p + q,
    lambda p, q, m, b: p * q,
    lambda p, q, m, b: ops.tanh(p),
    lambda p, q, m, b: p @ m + b,
    lambda p, q, m, b: p @ ops.transpose(m),
    lambda p, q, m, b: ops.softmax(p) * q,
    lambda p, q, m, b: ops.concatenate([p[:, :2], q[:, 2:]], axis=1),
    lambda p, q, m, b: p - ops.mean(q, axis=-1, keepdims=True),
    lambda p, q, m, b: ops.sum(p, axis=0) * q,
    lambda p, q, m, b: ops.reshape(ops.transpose(p), p.shape) + q,
]


def any_loops(seed: int) -> Any:
    """Two loops of arbitrary steps, the first with sums over its steps, the second over what the first gives."""
    rng = np.random.default_rng(seed)
    chosen = rng.integers(0, 1000, (int(rng.integers(2, 9)), 5))
    reverse = bool(rng.integers(2))

    def f(h: Any, x: Any, w: Any, u: Any, b: Any) -> list[Any]:
        def step(carry: Any, x: Any) -> Any:
            h, total = carry
            made = [h, x]
            for kind, i, j, k, bounded in chosen:
                p, q = made[i % len(made)], made[j % len(made)]
                y = MADE[kind % len(MADE)](p, q, (w, u)[k % 2], b)
                made.append(ops.tanh(y) if bounded % 3 else y)
            new = ops.tanh(made[-1] + made[-2])
            return (new, total + ops.sum(made[-2], axis=0) + ops.transpose(new) @ made[-1]), (made[-1], made[-3])

        (h, total), (y, z) = ops.scan(step, (h, w * 1.0), x, reverse=reverse)
        return [h, total, *ops.scan(lambda c, s: (ops.tanh(c @ u + s[0]), c * s[1]), h, (y, z))]

    return f


@pytest.mark.parametrize("seed", range(20))
def test_any_loops_give_what_numpy_does(seed):
    rng = np.random.default_rng(seed)
    shapes = [(ROWS, UNITS), (3, ROWS, UNITS), (UNITS, UNITS), (UNITS, UNITS), (UNITS,)]
    xs = [rng.standard_normal(shape) / 2 for shape in shapes]
    with config.override(backend="numpy"):
        expected = pulled(any_loops(seed))([], *xs)[1]
    results, _ = compiled(pulled(any_loops(seed)), *xs)
    for got, want in zip(results, expected, strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-9, atol=1e-9)


def test_sums_of_products_over_letters_are_products_of_matrices():
    """Forward one product a projection, backward two; none of them is NumPy's."""

    def f(x: Any, w: Any) -> list[Any]:
        return [ops.einsum("abc,cde->abde", x, w), ops.einsum("abc,dec->deab", x, ops.transpose(w, (1, 2, 0)))]

    rng = np.random.default_rng(1)
    _, program = compiled(pulled(f), rng.standard_normal((2, 3, 4)), rng.standard_normal((4, 2, 5)))
    calls = Counter(program.calls)
    assert (calls["einsum"], calls["gemm"]) == (0, 6)
