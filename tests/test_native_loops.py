"""A scan on the native backend: its body is recorded once, and is a loop of the program."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest

from layerwise import config, ops
from layerwise.autograd import Tensor, raw, vjp
from layerwise.backends import backend

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


FUNCTIONS = [
    recurrent(ops.scan),
    recurrent(ops.scan, True),
    gated,
    nested,
    without_a_carry,
    constant_results,
    with_numpy,
]
NAMES = ["recurrent", "reverse", "gated", "nested", "without a carry", "constant results", "with NumPy"]


@pytest.mark.parametrize("steps", [1, 4])
@pytest.mark.parametrize("f", FUNCTIONS, ids=NAMES)
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


@pytest.mark.parametrize("f", FUNCTIONS[:-1], ids=NAMES[:-1])
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
