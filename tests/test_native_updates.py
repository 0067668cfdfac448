"""Optimizers' updates as kernels: their formulas, where their results live, and when they are computed."""

import itertools

import numpy as np
import pytest

from layerwise import config, ops, optimizers
from layerwise.backends import backend, xp
from layerwise.variables import StepFunction, Variable

native = pytest.importorskip("layerwise.backends._native", reason="the C++ kernels are not built", exc_type=ImportError)

RNG = np.random.default_rng(0)
SHAPES = [(), (1,), (33,), (7, 150), (3, 40_000)]


def adam(w, g, m, v, alpha, fall_1, fall_2, epsilon):
    m, v = m + (g - m) * fall_1, v + (g * g - v) * fall_2
    return w - alpha * m / (np.sqrt(v) + epsilon), m, v


def adamw(w, g, m, v, alpha, rate, fall_1, fall_2, epsilon, decay):
    return adam(w - w * decay * rate, g, m, v, alpha, fall_1, fall_2, epsilon)


def momentum(w, g, m, rate, mu):
    m = mu * m - rate * g
    return w + m, m


RULES = {  # name -> formula, rates, other numbers
    "adam": (adam, [0.01], [0.1, 0.001, 1e-7]),
    "adamw": (adamw, [0.01, 0.02], [0.1, 0.001, 1e-7, 0.3]),
    "momentum": (momentum, [0.01], [0.9]),
}


@pytest.fixture(params=native.isas())
def isa(request):
    before = native.isa()
    native.set_isa(request.param)
    yield request.param
    native.set_isa(before)


def test_every_update_is_tested_here():
    assert set(native.UPDATES) == set(RULES)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", RULES)
def test_updates_are_their_formulas_in_place_or_not(name, dtype, isa):
    formula, rates, numbers = RULES[name]
    slots = native.UPDATES[name]
    rows = [[RNG.random(shape).astype(dtype) for _ in range(slots + 2)] for shape in SHAPES]
    arrays = [np.array(rate, dtype) for rate in rates]
    want = [formula(*(a.astype("float64") for a in row), *rates, *numbers) for row in rows]
    apart = [[np.full_like(row[0], np.nan) for _ in range(slots + 1)] for row in rows]
    native.call(name, (slots + 1) * len(rows), [*itertools.chain(*apart, *rows), *arrays], (), numbers)
    for got, new in zip(itertools.chain(*apart), itertools.chain(*want), strict=True):
        np.testing.assert_allclose(got, new, rtol=0, atol=4 * np.finfo(dtype).eps)
    over = [[row[0], *row[2:]] for row in rows]
    native.call(name, (slots + 1) * len(rows), [*itertools.chain(*over, *rows), *arrays], (), numbers)
    for got, new in zip(itertools.chain(*over), itertools.chain(*apart), strict=True):
        np.testing.assert_array_equal(got, new)


def test_bad_updates_are_refused():
    x, y, one = np.zeros(4, "float32"), np.zeros(5, "float32"), np.zeros((), "float32")
    for args, numbers in [
        ([x, x, x, x, x, one], []),  # no momentum
        ([x, x, x, x, one], [0.9]),
        ([one], [0.9]),
        ([x, x, x, y, x, one], [0.9]),
        ([x, x, x, x, x, x], [0.9]),
        ([x, x, x, x, x, one.astype("float64")], [0.9]),
        ([x, x, x, x, np.zeros(8, "float32")[::2], one], [0.9]),
        ([x, x, x, x, None, one], [0.9]),
    ]:
        with pytest.raises(ValueError, match="update: expected"):
            native.call("momentum", min(2, len(args)), args, (), numbers)


# In a step that is recorded


class Reordered(optimizers.Adam):
    """Adam by a rule of its own, which no kernel has."""

    @staticmethod
    def rule(w, g, m, v, *, learning_rate):
        m, v = m + 0.1 * (g - m), v + 0.001 * (g * g - v)
        return w - m * learning_rate / (xp().sqrt(v) + 1e-7), m, v


def adamw_without_decay_of_the_second():
    optimizer = optimizers.AdamW(0.1)
    optimizer.exclude_from_weight_decay(var_names=["second"])
    return optimizer


UPDATES = [  # how it is made, the kernels that it comes to
    (lambda: optimizers.Adam(0.1), ["adam"]),
    (lambda: optimizers.Adam(optimizers.schedules.CosineDecay(0.1, 5)), ["adam"]),
    (lambda: optimizers.Adam(0.1, use_ema=True, ema_overwrite_frequency=2), ["adam"]),
    (lambda: optimizers.Adam(0.1, global_clipnorm=0.1), ["adam"]),
    (lambda: optimizers.Adam(0.1, gradient_accumulation_steps=2), ["adam"]),
    (lambda: optimizers.AdamW(0.1), ["adamw"]),
    (adamw_without_decay_of_the_second, ["adam", "adamw"]),
    (lambda: optimizers.Adam(0.1, amsgrad=True), []),
    (lambda: Reordered(0.1), []),
    (lambda: optimizers.SGD(0.1, 0.9), ["momentum"]),
    (lambda: optimizers.SGD(0.1, 0.9, weight_decay=0.1), []),
    (lambda: optimizers.SGD(0.1, 0.9, nesterov=True), []),
    (lambda: optimizers.SGD(0.1), []),
]


def trained(make, constraint=None):
    """The state after some steps, and the calls of the program if there is one."""
    optimizer = make()
    first = Variable(np.linspace(-1, 1, 300).reshape(20, 15), name="first", dtype="float32")
    second = Variable(np.linspace(0.5, 1, 15), name="second", dtype="float32")
    first.constraint = constraint
    optimizer.build([first, second])

    def step(x):
        y = ops.tanh(ops.matmul(x, first.value) + second.value)
        g = 1 - y * y
        optimizer.apply([ops.matmul(ops.transpose(x), g), ops.sum(g, axis=0)], [first, second])
        return ops.sum(y)

    run = StepFunction(step, [first, second, *optimizer.variables], donate=True)
    x = np.random.default_rng(1).standard_normal((4, 20)).astype("float32")
    for _ in range(5):
        run(x)
    return [v.numpy() for v in (first, second, *optimizer.variables)], run


def programs_of(run):
    """The programs behind a step function."""
    replay = next(v for v in vars(run).values() if hasattr(v, "programs"))
    return [program for program, _ in replay.programs.values()]


@pytest.mark.parametrize(("make", "kernels"), UPDATES)
def test_a_rule_names_its_kernel(make, kernels):
    with config.override(backend="native"):
        state, run = trained(make)
    with config.override(backend="numpy"):
        expected, _ = trained(make)
    (program,) = programs_of(run)
    assert sorted(call for call in program.calls if call in native.UPDATES) == kernels
    for got, want in zip(state, expected, strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-6)


def test_what_follows_an_update_is_computed_in_place():
    with config.override(backend="native"):
        _, run = trained(lambda: optimizers.Adam(0.1, use_ema=True))
    assert programs_of(run)[0].calls.count("copy") == 1  # of the count of steps, which the rate is computed from


@pytest.mark.parametrize("by_numpy", [False, True], ids=["kernels", "numpy"])
def test_constraints_see_the_new_weights(by_numpy):
    def constraint(w):
        return ops.sort(w, axis=0) if by_numpy else ops.clip(w, -0.5, 0.5)

    with config.override(backend="native"):
        state, _ = trained(lambda: optimizers.Adam(0.1), constraint)
    with config.override(backend="numpy"):
        expected, _ = trained(lambda: optimizers.Adam(0.1), constraint)
    for got, want in zip(state, expected, strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-6)


def test_who_reads_old_values_reads_them_before_they_are_overwritten():
    def step(state, x):
        w, m = state
        new, m = backend().update(optimizers.SGD.rule, [(w, x, m)], learning_rate=rate, momentum=0.9, nesterov=False)[0]
        return [new, m], [w, w * 2, new - w, new]

    with config.override(backend="native"):
        rate = np.array(0.5, "float32")
        run = backend().compile(step)
        w, m, x = (np.arange(n, n + 6, dtype="float32").reshape(2, 3) for n in (0, 10, 20))
        for _ in range(3):
            want_m = 0.9 * m - 0.5 * x
            (got, got_m), outputs = run([w.copy(), m.copy()], x)
            for a, b in zip([got, got_m, *outputs], [w + want_m, want_m, w, w * 2, want_m, w + want_m], strict=True):
                np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-5)
            w, m = got, got_m
        ((program, _),) = run.programs.values()
        assert "momentum" in program.calls
