"""The tape, derivatives of derivatives, scan, dtypes, variables and the training step."""

from __future__ import annotations

import copy
import gc
import os
import pickle
import signal
import sys
import threading
import weakref
from collections import namedtuple

import numpy as np
import pytest

from layerwise import Variable, config, layers, ops
from layerwise.autograd import (
    GradientTape,
    GraphError,
    Primitive,
    Spec,
    Tape,
    Tensor,
    as_tensor,
    custom_gradient,
    grad,
    gradcheck,
    no_grad,
    primitive,
    primitives,
    stop_gradient,
    value_and_grad,
    vjp,
)
from layerwise.backends import backend, missing_kernels
from layerwise.dtypes import ABOVE, result_type, standardize_dtype
from layerwise.variables import StepFunction, Transaction, transaction, uninterrupted


def close(a, b, tolerance=1e-6):
    np.testing.assert_allclose(np.asarray(a), np.asarray(b), rtol=tolerance, atol=tolerance)


@pytest.fixture
def temporary_primitives():
    before = dict(primitives)
    yield
    primitives.clear()
    primitives.update(before)


def test_a_gradient_rule_carries_its_operation_in_tracebacks(temporary_primitives):
    @primitive
    def fragile(x):
        return x

    @primitive
    def brittle(x):
        return x

    @fragile.gradient
    @brittle.gradient
    def _(g):
        raise ZeroDivisionError

    for operation in (fragile, brittle):
        with pytest.raises(ZeroDivisionError) as caught:
            grad(operation)(1.0)
        assert caught.traceback[-1].name == f"{operation.__name__}_gradient"


# What the tape keeps


def kept_bytes(y: Tensor) -> int:
    """How much memory the gradients of everything behind `y` hold on to."""
    seen, arrays, todo = set(), {}, [y.node]
    while todo:
        node = todo.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        todo.extend(node.parents)
        for cell in getattr(node.pull, "__closure__", None) or ():
            held = cell.cell_contents
            for value in held if isinstance(held, list | tuple) else [held]:
                while type(value) is Tensor:
                    value = value.value
                if backend().owns(value):
                    arrays[id(value)] = value.nbytes
    return sum(arrays.values())


@pytest.mark.parametrize(
    ("f", "expected"),
    [
        (lambda x: x + x, 0),
        (lambda x: x - 1.0, 0),
        (lambda x: ops.sum(x), 0),
        (lambda x: ops.mean(x, axis=0), 0),
        (lambda x: ops.reshape(x, (-1,)), 0),
        (lambda x: ops.transpose(x), 0),
        (lambda x: ops.broadcast_to(x, shape=(3, 10, 100)), 0),
        (lambda x: x[2:5], 0),
        (lambda x: ops.concatenate([x, x]), 0),
        (lambda x: ops.relu(x), 4000),  # y, not x
        (lambda x: ops.exp(x), 4000),
        (lambda x: ops.tanh(ops.exp(x) + 1.0), 8000),
        (lambda x: ops.relu(ops.relu(x) + 0.0), 8000),
        (lambda x: x * 2.0, (4, 4004)),  # the 2; the rule could also ask for x, and then both are kept
        (lambda x: ops.max_pool(ops.reshape(x, (1, 10, 100, 1)), 2), (250, 1000)),  # a place for each output
        (lambda x: ops.sparse_softmax_cross_entropy(np.zeros(10, "int32"), x), 4040),  # p and the labels
    ],
)
def test_the_tape_keeps_what_the_gradient_names(f, expected):
    tape = Tape()
    x = tape.leaf(as_tensor(np.ones((10, 100), "float32")))
    with tape.opened():
        y = f(x)
    assert kept_bytes(y) in (expected if isinstance(expected, tuple) else (expected,))


def test_nodes_do_not_keep_values_alive():
    x = np.ones(1000)
    tape = Tape()
    first = tape.leaf(as_tensor(x)) + 1.0
    value = weakref.ref(first)
    second = first + 1.0
    del first
    gc.collect()
    assert value() is None
    assert second.node is not None


def test_residuals_are_freed_on_the_way_back():
    x = Variable(np.ones(1000))
    with GradientTape() as tape:
        y = ops.sum(ops.exp(x))
    node = y.node
    assert kept_bytes(y) > 0
    tape.gradient(y, x)
    assert kept_bytes(y) == 0
    assert node.parents == ()


def test_a_long_chain_neither_recurses_nor_crashes():
    def f(x):
        for _ in range(20_000):
            x = x + 1.0
        return x

    assert grad(f)(1.0).item() == 1.0


# Defining primitives


def test_a_rule_may_only_name_what_there_is(temporary_primitives):
    @primitive(residuals=("kept",))
    def thing(x, *, power):
        return x**power, x

    for rule in (lambda g, z: g, lambda g, x, z_shape: g, lambda g, w_dtype: g):
        with pytest.raises(TypeError, match=r"gradient of thing: .* is neither an argument"):
            thing.gradient(rule)
    thing.gradient(lambda g, y, x, kept, x_shape, x_dtype, power: g * power * x ** (power - 1))
    assert grad(lambda x: thing(x, power=3))(2.0).item() == 12.0


def test_a_name_is_given_once(temporary_primitives):
    def relu(x):
        return x

    with pytest.raises(ValueError, match="primitive 'relu' is already defined"):
        Primitive(relu)


def test_no_gradient_and_no_composite_are_said(temporary_primitives):
    @primitive
    def opaque(x):
        return x + 1

    with pytest.raises(TypeError, match="opaque: no gradient is defined"):
        grad(opaque)(1.0)
    assert opaque(1.0).item() == 2.0
    assert repr(opaque) == "<primitive opaque>"

    @primitive(residuals=("kept",))
    def leaning(x):
        return x * x, x

    leaning.gradient(lambda g, kept: 2 * g * kept)
    assert grad(leaning)(3.0).item() == 6.0
    with pytest.raises(TypeError, match="leaning: has residuals but no composite"):
        grad(grad(leaning))(3.0)


def test_a_gradient_of_the_wrong_form_is_refused(temporary_primitives):
    @primitive
    def pair(a, b):
        return a + b

    pair.gradient(lambda g: g)
    with pytest.raises(TypeError, match="pair: the rule gives 1 gradients for 2 arguments"):
        grad(pair)(1.0, 2.0)


# grad and value_and_grad


def test_gradients_are_accumulated():
    assert grad(lambda x: x * x + x * x * x + x)(2.0).item() == 17.0


def test_unused_inputs_have_zero_gradients():
    grads = grad(lambda x, y: ops.sum(x), argnums=(0, 1))(np.ones(2), np.ones((3, 1)))
    close(grads[0], np.ones(2))
    assert grads[1].shape == (3, 1)
    assert not np.asarray(grads[1]).any()
    assert grad(lambda x: 3.0)(1.0).item() == 0.0


def test_nested_arguments():
    Pair = namedtuple("Pair", "a b")
    value, g = value_and_grad(lambda p: ops.sum(p["w"] * p["rest"].a) + p["rest"].b[0])(
        {"w": np.array([1.0, 2.0]), "rest": Pair(np.array([3.0, 4.0]), (np.float32(5),))}
    )
    assert value.item() == 16.0
    close(g["w"], [3.0, 4.0])
    assert isinstance(g["rest"], Pair)
    assert g["rest"].b[0].item() == 1.0


def test_has_aux():
    (value, aux), g = value_and_grad(lambda x: (x * x, {"twice": 2 * x, "name": "x"}), has_aux=True)(3.0)
    assert (value.item(), g.item(), aux["twice"].item(), aux["name"]) == (9.0, 6.0, 6.0, "x")
    assert aux["twice"].tape is None


def test_what_cannot_be_differentiated():
    with pytest.raises(ValueError, match=r"must return one number, got shape \(2,\)"):
        grad(lambda x: x)(np.ones(2))
    with pytest.raises(TypeError, match=r"can only differentiate by floating-point .* int32"):
        grad(lambda x: x)(np.array(1, "int32"))


def test_a_tensor_of_a_closed_level_raises_and_names_the_operation():
    kept = []

    def f(x):
        kept.append(ops.tanh(x))
        return x * x

    grad(f)(1.0)
    with pytest.raises(GraphError, match=r"multiply: .*computed \(by tanh\) inside a grad\(\) that has returned"):
        kept[0] * 2.0


def test_derivatives_to_the_fifth_order():
    f = ops.sin
    for expected in (np.cos, lambda x: -np.sin(x), lambda x: -np.cos(x), np.sin, np.cos):
        f = grad(f)
        close(f(np.float64(0.3)), expected(0.3), 1e-6)


def test_levels_do_not_mix():
    """d/dx (x d/dy (x + y)) = 1: the inner derivative is 1 whatever x is."""
    assert grad(lambda x: x * grad(lambda y: x + y)(1.0))(3.0).item() == 1.0
    assert grad(lambda x: grad(lambda y: x * x * y)(1.0))(3.0).item() == 6.0


@pytest.mark.float64
def test_hessian_vector_product():
    rng = np.random.default_rng(0)
    a, x, v = rng.standard_normal((3, 3)), rng.standard_normal(3), rng.standard_normal(3)
    with config.override(floatx="float64"):
        f = lambda x: ops.sum(ops.exp(ops.matmul(a, x)))  # noqa: E731
        hessian = a.T @ np.diag(np.exp(a @ x)) @ a
        close(grad(lambda x: ops.sum(grad(f)(x) * v))(x), hessian @ v, 1e-12)


def test_masks_are_where_not_multiplication():
    """inf * 0 would be NaN."""
    x = np.array([-1.0, 4.0])
    safe = lambda x: ops.sum(ops.where(x > 0, ops.sqrt(ops.where(x > 0, x, 1.0)), 0.0))  # noqa: E731
    close(grad(safe)(x), [0.0, 0.25])
    assert grad(lambda x: ops.sum(ops.relu(x) * 0.0 + ops.relu(x)))(np.array([0.0])).numpy() == [0.0]
    upstream = np.array([np.inf, 1.0])
    _, pull = vjp(ops.relu, np.array([-1.0, 1.0]))
    close(pull([upstream])[0], [0.0, 1.0])
    _, pull = vjp(lambda x: ops.max_pool(ops.reshape(x, (1, 2, 1)), 2), np.array([1.0, 2.0]))
    close(pull([np.full((1, 1, 1), np.inf)])[0], [0.0, np.inf])


def test_vjp_of_several_results():
    y, pull = vjp(lambda a, b: {"p": a * b, "n": ops.cast(a, "int32")}, 2.0, 3.0)
    assert y["p"].item() == 6.0
    assert [g.item() for g in pull([None, 1.0])] == [3.0, 2.0]  # leaves of dicts stand in the order of their keys


# Composites: a residual depends on the input, so the second derivative has to see it


@pytest.mark.float64
@pytest.mark.parametrize(
    ("f", "x"),
    [
        (
            lambda x: ops.sparse_softmax_cross_entropy(np.array([0, 2]), x),
            np.random.default_rng(0).standard_normal((2, 3)),
        ),
        (
            lambda x: ops.standardize(x, axes=(0,), epsilon=1e-3)[0] ** 3,
            np.random.default_rng(0).standard_normal((4, 3)),
        ),
        (lambda x: ops.max_pool(x * x * x, 2), np.random.default_rng(0).standard_normal((1, 4, 1))),
    ],
)
def test_composites(f, x):
    first = grad(lambda x: ops.sum(ops.sin(f(x))))
    with config.override(floatx="float64"):
        assert gradcheck(first, x)
        assert gradcheck(grad(lambda x: ops.sum(ops.sin(first(x)))), x, rtol=1e-5)


# GradientTape


def test_gradient_tape_watches_variables():
    w, frozen = Variable([2.0, 3.0]), Variable([1.0, 1.0], trainable=False)
    unused, count = Variable(1.0), Variable(1, dtype="int32")
    with GradientTape() as tape:
        y = ops.sum(w * w * frozen) * count
    assert [v.path for v in tape.watched_variables()] == [w.path]
    assert not y.symbolic
    assert y.tape is not None
    grads = tape.gradient(y, {"w": w, "others": [frozen, unused]})
    close(grads["w"], [4.0, 6.0])
    assert grads["others"] == [None, None]


def test_zeros_for_the_unconnected():
    w, unused = Variable([2.0]), Variable([1.0, 2.0])
    with GradientTape() as tape:
        y = w * 2.0
    g = tape.gradient(y, [w, unused], unconnected_gradients="zero")
    close(g[1], [0.0, 0.0])
    with pytest.raises(ValueError, match="unconnected_gradients: got 'nil'"):
        tape.gradient(y, w, unconnected_gradients="nil")


def test_a_second_backward_raises_and_names_the_remedy():
    w = Variable(2.0)
    with GradientTape() as tape:
        y = w * w
    tape.gradient(y, w)
    with pytest.raises(GraphError, match="persistent=True"):
        tape.gradient(y, w)
    with GradientTape() as tape:
        y = w * w
        y.backward()
        with pytest.raises(GraphError, match=r"multiply: .*retain_graph=True"):
            y.backward()


def test_persistent():
    w = Variable(2.0)
    with GradientTape(persistent=True) as tape:
        y = w * w
        z = y * y
    assert tape.gradient(z, w).item() == 32.0
    assert tape.gradient(y, w).item() == 4.0
    assert tape.gradient(z, y).item() == 8.0
    tape.reset()
    assert tape.watched_variables() == []


def test_several_targets_and_output_gradients():
    w = Variable([1.0, 2.0])
    with GradientTape(persistent=True) as tape:
        a, b = w * 3.0, w * w
    close(tape.gradient([a, b], w), [5.0, 7.0])
    close(tape.gradient([a, b], w, output_gradients=[np.array([1.0, 0.0]), np.array([0.0, 10.0])]), [3.0, 40.0])


def test_watch():
    x = ops.array([1.0, 2.0])
    with GradientTape() as tape:
        tape.watch(x)
        y = ops.sum(x * x)
    close(tape.gradient(y, x), [2.0, 4.0])
    w = Variable(3.0, trainable=False)
    with GradientTape() as tape:
        tape.watch([w])
        y = w * w
    assert tape.gradient(y, w).item() == 6.0
    with pytest.raises(TypeError, match="watch: expected a Tensor or Variable"):
        tape.watch(np.ones(2))
    with pytest.raises(TypeError, match="floating-point"):
        tape.watch(ops.array([1, 2]))


def test_watching_leaves_the_tensor_as_usable_as_before():
    x = ops.array(2.0)
    for _ in range(2):
        with GradientTape() as tape:
            tape.watch(x)
            y = x * x
        assert tape.gradient(y, x).item() == 4.0
    assert (x + 1.0).item() == 3.0
    assert grad(lambda z: z * x)(1.0).item() == 2.0


def test_not_watching_by_itself():
    a, b = Variable(2.0), Variable(3.0)
    with GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(b)
        y = a * b
    assert tape.gradient(y, [a, b])[0] is None
    assert tape._leaves[id(b)][0] is b


def test_nested_tapes():
    x = Variable(3.0)
    with GradientTape() as outer:
        with GradientTape() as inner:
            y = x * x * x
        first = inner.gradient(y, x)
    assert first.item() == 27.0
    assert outer.gradient(first, x).item() == 18.0


def test_tape_around_grad_and_grad_around_tape():
    w = Variable(2.0)
    with GradientTape() as tape:
        slope = grad(lambda x: x * x * w)(3.0)
    assert tape.gradient(slope, w).item() == 6.0

    def f(x):
        with GradientTape() as tape:
            y = w * w * x
        return tape.gradient(y, w)

    assert grad(f)(5.0).item() == 4.0


def test_stop_recording():
    w = Variable(2.0)
    with GradientTape() as tape:
        y = w * w
        with tape.stop_recording():
            scale = w * 1.0
        z = y * scale
    assert tape.gradient(z, w).item() == 8.0


def test_no_grad():
    w = Variable(2.0)
    with GradientTape() as tape:
        with no_grad():
            scale = w * w
        y = scale * w
    assert tape.gradient(y, w).item() == 4.0


def test_stop_gradient_stops_every_level():
    f = lambda x: stop_gradient(x) * x  # noqa: E731
    assert grad(f)(3.0).item() == 3.0
    assert grad(grad(f))(3.0).item() == 0.0


def test_opening_a_tape_twice_raises():
    with GradientTape() as tape, pytest.raises(GraphError, match="already open"):
        tape.__enter__()


def test_values_stay_usable_after_the_tape():
    w = Variable(2.0)
    with GradientTape() as tape:
        y = w * w
    assert (y + 1.0).item() == 5.0
    assert tape.gradient(y, w).item() == 4.0
    assert float(y) == 4.0


def test_backward():
    w, b = Variable([1.0, 2.0]), Variable(1.0)
    x = ops.array([3.0, 4.0])
    with GradientTape() as tape:
        tape.watch(x)
        loss = ops.sum(w * x) + b
        loss.backward(retain_graph=True)
        loss.backward()
    close(w.grad, [6.0, 8.0])
    close(x.grad, [2.0, 4.0])
    assert b.grad.item() == 2.0
    with GradientTape():
        (w * 2.0).backward(gradient=[1.0, 10.0])
    close(w.grad, [8.0, 28.0])
    with pytest.raises(ValueError, match="backward: the function must return one number"), GradientTape():
        (w * 2.0).backward()
    with pytest.raises(GraphError, match="on no open GradientTape"):
        ops.array(1.0).backward()


def test_a_moving_average_drags_no_graph_along():
    w, average = Variable(np.ones(100)), Variable(np.zeros(100), trainable=False)
    tapes = []
    for _ in range(5):
        with GradientTape() as tape:
            y = w * 2.0
            average.assign(0.9 * average + 0.1 * y)
            average.assign_add(y)
            average.assign_sub(y)
        tapes.append(weakref.ref(tape))
        assert average.value.tape is None
        del tape, y
    gc.collect()
    assert [t() for t in tapes] == [None] * 5


def test_assigning_inside_a_tape_reads_the_new_value():
    w = Variable(2.0)
    with GradientTape() as tape:
        w.assign(3.0)
        y = w * w
    assert tape.gradient(y, w).item() == 6.0


# custom_gradient


def test_custom_gradient():
    @custom_gradient
    def clipped(x):
        return x * x, lambda g: ops.clip(g * 2 * x, -1.0, 1.0)

    assert grad(clipped)(3.0).item() == 1.0
    assert grad(clipped)(0.25).item() == 0.5
    assert clipped(3.0).item() == 9.0
    assert grad(grad(clipped))(0.25).item() == 2.0
    assert grad(grad(clipped))(3.0).item() == 0.0


def test_custom_gradient_of_several_arguments():
    @custom_gradient
    def product(a, b, scale=1.0):
        """a b"""
        return a * b * scale, lambda g: (g * b * 10.0, g * a)

    assert product.__doc__ == "a b"
    a, b = grad(lambda a, b: product(a, b, scale=2.0), argnums=(0, 1))(2.0, 3.0)
    assert (a.item(), b.item()) == (30.0, 2.0)
    w = Variable(4.0)
    with GradientTape() as tape:
        y = product(w, 5.0)
    assert tape.gradient(y, w).item() == 50.0
    assert grad(lambda x: grad(lambda a: product(a, x))(1.0))(7.0).item() == 10.0


# scan


@pytest.fixture
def double():
    with config.override(floatx="float64"):
        yield


def total(carry, x):
    return ops.tanh(carry * 0.9 + x), carry * x


def unrolled(f, init, xs, reverse=False):
    ys, carry = [], init
    for i in reversed(range(len(xs))) if reverse else range(len(xs)):
        carry, y = f(carry, xs[i])
        ys.append(y)
    return carry, ops.stack(ys[::-1] if reverse else ys)


@pytest.mark.float64
@pytest.mark.parametrize("reverse", [False, True])
def test_scan_is_a_loop(double, reverse):
    rng = np.random.default_rng(0)
    init, xs = rng.standard_normal(2), rng.standard_normal((4, 2))

    def combined(loop):
        def f(init, xs):
            carry, ys = loop(total, init, xs, reverse=reverse)
            return ops.sum(carry * 2.0) + ops.sum(ops.sin(ys))

        return f

    for derivative in (
        lambda f: f(ops.array(init), ops.array(xs)),
        lambda f: grad(f, (0, 1))(init, xs)[0],
        lambda f: grad(f, (0, 1))(init, xs)[1],
        lambda f: grad(lambda xs: ops.sum(ops.sin(grad(f, 1)(init, xs))))(xs),
        lambda f: grad(lambda x: ops.sum(ops.sin(grad(f)(x, xs))))(init),
    ):
        close(derivative(combined(ops.scan)), derivative(combined(unrolled)), 1e-12)


@pytest.mark.float64
def test_scan_captures_tensors(double):
    w0, xs = np.array([0.5, -0.3]), np.random.default_rng(1).standard_normal((3, 2))

    def f(w):
        return ops.sum(ops.scan(lambda c, x: (ops.tanh(c * w + x), c * w), np.zeros(2), xs)[0] * w)

    assert gradcheck(f, w0)
    assert gradcheck(grad(f), w0)


@pytest.mark.float64
def test_scan_may_return_what_it_captured(double):
    def f(w):
        carry, ys = ops.scan(lambda c, x: (w, w), np.zeros(2), np.ones((3, 1)))
        return ops.sum(ops.sin(carry)) + ops.sum(ops.cos(ys))

    assert gradcheck(f, np.array([0.5, 2.0]))
    w = Variable([0.5, 2.0], dtype="float64")
    with GradientTape() as tape:
        y = ops.sum(ops.scan(lambda c, x: (c, w.value), 0.0, np.ones(3))[1])
    close(tape.gradient(y, w), [3.0, 3.0])


@pytest.mark.float64
def test_scan_in_scan(double):
    xs = np.random.default_rng(1).standard_normal((3, 2))

    def f(w, xs):
        def outer(c, x):
            inner, _ = ops.scan(lambda d, z: (ops.sin(d * w + z * c), None), c, x)
            return inner, inner * w

        carry, ys = ops.scan(outer, ops.array(0.1, dtype="float64"), xs)
        return carry + ops.sum(ys)

    assert gradcheck(f, np.array(0.7), xs)
    assert gradcheck(grad(f, (0, 1)), np.array(0.7), xs)


@pytest.mark.float64
def test_scan_with_grad_inside(double):
    xs = np.array([0.3, 0.7, -0.2])

    def f(w):
        step = lambda c, x: (c - 0.1 * grad(lambda p: ops.sin(p * w) * x)(c), c)  # noqa: E731
        return ops.sum(ops.scan(step, ops.array(1.0, dtype="float64"), xs)[1])

    assert gradcheck(f, np.array(0.7))
    assert gradcheck(grad(f), np.array(0.7))


@pytest.mark.float64
def test_scan_with_variables_under_a_tape(double):
    w, xs = Variable(0.5, dtype="float64"), np.array([1.0, 2.0, 3.0])
    with GradientTape() as tape:
        carry, _ = ops.scan(lambda c, x: (c * w + x, None), 0.0, xs)
    close(tape.gradient(carry, w), 2 * 0.5 * 1 + 2.0)
    custom = custom_gradient(lambda a: (a * a, lambda g: 10.0 * g))
    with GradientTape() as tape:
        carry, _ = ops.scan(lambda c, x: (c + custom(w.value) * x, None), 0.0, xs)
    close(tape.gradient(carry, w), 60.0)


@pytest.mark.float64
def test_scan_of_structures(double):
    State = namedtuple("State", "total count")

    def step(state, x):
        return State(state.total + x["a"] * x["b"][0], state.count + 1), {"sum": state.total, "none": None}

    def f(a):
        xs = {"a": a, "b": [np.array([1.0, 2.0, 3.0])]}
        state, ys = ops.scan(step, State(0.0, ops.array(0)), xs)
        assert state.count.item() == 3
        assert state.count.dtype == "int32"
        assert ys["none"] is None
        return state.total + ops.sum(ys["sum"])

    assert gradcheck(f, np.array([0.1, 0.2, 0.3]))


@pytest.mark.float64
def test_scan_with_whole_numbers_in_the_carry(double):
    def f(x):
        (value, _), picked = ops.scan(lambda c, _: ((c[0] * x[c[1]], c[1] + 1), c[1]), (1.0, 0), length=3)
        return value + 0.0 * ops.sum(ops.cast(picked, "float64"))

    close(grad(f)(np.array([2.0, 3.0, 4.0])), [12.0, 8.0, 6.0])


def test_scan_of_no_steps():
    carry, ys = ops.scan(total, np.ones(2), np.zeros((0, 2)))
    close(carry, np.ones(2))
    assert ys.shape == (0, 2)
    close(grad(lambda c: ops.sum(ops.scan(total, c, np.zeros((0, 2)))[0]))(np.ones(2)), np.ones(2))


def test_scan_of_symbolic_tensors():
    init = Tensor(Spec((None, 2)))
    carry, ys = ops.scan(total, init, np.zeros((5, 1, 2), "float32"))
    assert (carry.shape, ys.shape) == ((None, 2), (5, None, 2))


def test_scan_errors():
    with pytest.raises(TypeError, match=r"scan: carry 0 changes from float32 \(\) to float32 \(2,\) in one step"):
        ops.scan(lambda c, x: (c + np.ones(2, "float32"), c), 0.0, np.ones(3, "float32"))
    with pytest.raises(ValueError, match="scan: the number of steps is not clear"):
        ops.scan(total, 0.0, {"a": np.ones(3), "b": np.ones(4)})
    with pytest.raises(ValueError, match="scan: the number of steps is not clear"):
        ops.scan(total, 0.0)


@pytest.mark.float64
def test_scan_on_xla():
    jax = pytest.importorskip("jax")
    w0, xs = np.array([0.5, -0.3]), np.random.default_rng(1).standard_normal((3, 2))

    def f(w):
        return ops.sum(ops.scan(lambda c, x: (ops.tanh(c * w + x), c * w), ops.zeros(2, "float64"), xs)[0] * w)

    with config.override(floatx="float64"):
        expected = [np.asarray(d(w0)) for d in (grad(f), grad(lambda w: ops.sum(grad(f)(w))))]
        with jax.enable_x64(True), config.override(backend="xla"):
            compiled = jax.jit(lambda w: tuple(d(w).value for d in (grad(f), grad(lambda w: ops.sum(grad(f)(w))))))
            for got, e in zip(compiled(w0), expected, strict=True):
                close(got, e, 1e-12)


# Dtypes


def test_the_promotion_table_is_that_of_keras():
    keras = pytest.importorskip("keras")
    names = [n for n in ABOVE if n not in ("int", "float", "uint64")]
    wide = {"int64", "uint32", "float64"}  # what Keras on JAX narrows
    for a in names:
        for b in [*names, int, float, bool]:
            ours = result_type(a, {int: "int", float: "float", bool: "bool"}.get(b, b))
            if wide & {a, b, ours}:
                continue
            assert ours == keras.backend.result_type(a, b), (a, b)
    for a in names:
        for b in names:
            if "bfloat16" not in (a, b) and a[0] in "biu" and b[0] in "biu":
                assert result_type(a, b) == np.result_type(a, b).name or (a, b)
    assert result_type("int64", "float32") == "float32"
    assert result_type("float32", "float64") == "float64"
    assert result_type("int64", "int") == "int64"


@pytest.mark.float64
def test_python_numbers_are_weak():
    half, whole = ops.array([1.0], dtype="float16"), ops.array([1], dtype="int8")
    assert (half * 2).dtype == (half * 2.5).dtype == (half * np.float64(2)).dtype == "float16"
    assert (whole * 2).dtype == "int8"
    assert (whole * 2.5).dtype == "float32"
    assert (whole / 2).dtype == "float32"
    assert (half == 1.0).dtype == "bool"
    assert ops.add(1, 2).dtype == "int32"
    assert ops.add(1, 2.0).dtype == "float32"
    with config.override(floatx="float64"):
        assert (whole * 2.5).dtype == "float64"
        assert (half * 2.5).dtype == "float16"


def test_names_of_dtypes():
    assert standardize_dtype(bool) == "bool"
    assert standardize_dtype("double") == "float64"
    with pytest.raises(ValueError, match="dtype: got 'float31'"):
        standardize_dtype("float31")


@pytest.mark.float64
def test_gradients_pass_through_casts():
    x = np.array([1.0, 2.0], "float32")
    g = grad(lambda x: ops.sum(ops.cast(x, "float64") * np.array([1.0, 2.0])))(x)
    assert g.dtype == "float32"
    close(g, [1.0, 2.0])


# Tensors


def test_tensors_behave_like_arrays():
    t = ops.array([[1.0, 2.0], [3.0, 4.0]])
    assert (len(t), t.ndim, t.size, t.shape, t.dtype) == (2, 2, 4, (2, 2), "float32")
    close(t.T, [[1.0, 3.0], [2.0, 4.0]])
    close([row.numpy() for row in t], [[1.0, 2.0], [3.0, 4.0]])
    close(t.reshape(4), t.reshape((-1,)))
    close(np.ones(2) + t, [[2.0, 3.0], [4.0, 5.0]])
    close(2.0 - t, [[1.0, 0.0], [-1.0, -2.0]])
    close(t @ np.eye(2, dtype="float32"), t)
    close(2.0**t, [[2.0, 4.0], [8.0, 16.0]])
    close(divmod(7, 2)[0], ops.array(7) // 2)
    close(ops.array(7) % 4, 3)
    assert bool(ops.array(True) & ops.array(True))
    assert not bool(ops.array(True) ^ ops.array(True))
    assert bool(~ops.array(False) | ops.array(False))
    assert (abs(-t) == t).numpy().all()
    assert (round(ops.array(1.6)) == 2).item()
    assert [1, 2, 3][ops.array(1)] == 2
    assert int(ops.array(3)) == 3
    assert f"{ops.array(1.5):.2f}" == "1.50"
    assert repr(ops.array([1])) == "Tensor([1], shape=(1,), dtype=int32)"
    assert f"{ops.array([1])}" == repr(ops.array([1]))
    assert copy.deepcopy(t) is t is copy.copy(t)
    assert {t: 1}[t] == 1
    with pytest.raises(TypeError, match="without dimensions"):
        len(ops.array(1.0))
    t.numpy()[0] = 9.0
    assert t[0, 0].item() == 1.0
    assert np.asarray(t, "float64").dtype == "float64"


def test_symbolic_tensors_have_no_value():
    x = Tensor(Spec((None, 3)))
    assert "symbolic" in repr(x)
    y = ops.relu(x) * 2.0
    assert (y.shape, y.dtype, y.symbolic) == ((None, 3), "float32", True)
    assert y.history.operation.__name__ == "multiply"
    assert y.history.args[0].history.operation is ops.relu
    with pytest.raises(TypeError, match="has no value yet"):
        float(x)
    with pytest.raises(TypeError, match="has no value yet"):
        bool(x > 0)


def test_logits_travel_with_the_very_result_only():
    x = ops.array([[1.0, 2.0]])
    assert ops.softmax(x).logits[0] == "softmax"
    assert ops.sigmoid(x).logits[1] is x
    assert (ops.softmax(x) * 1.0).logits is None
    assert ops.softmax(x, axis=0).logits is None


def test_lists_of_tensors_are_stacked():
    w = Variable(2.0)
    close(ops.array([w, ops.array(3.0), 4.0]), [2.0, 3.0, 4.0])
    g = grad(lambda x: ops.sum(ops.multiply([x, 2.0 * x], [1.0, 10.0])))(1.0)
    assert g.item() == 21.0


# Variables and steps


def test_variables():
    v = Variable(lambda shape, dtype: np.full(shape, 2.0, dtype), shape=(2, 3), name="kernel")
    assert (v.shape, v.dtype, v.ndim, v.size, len(v), v.symbolic) == ((2, 3), "float32", 2, 6, 2, False)
    assert "kernel" in repr(v)
    close(v + 1.0, np.full((2, 3), 3.0))
    close(np.asarray(v, "float64"), v.numpy())
    v.numpy()[0] = 9.0
    close(next(iter(v)), [2.0, 2.0, 2.0])
    one = Variable(1, dtype="int32")
    assert (int(one), float(one), bool(one), [5, 6][one]) == (1, 1.0, True, 6)
    source = np.ones(2)
    w = Variable(source)
    source[:] = 5.0
    close(w, [1.0, 1.0])
    w.assign(source)
    source[:] = 7.0
    close(w, [5.0, 5.0])
    assert Variable(1.0).name != Variable(1.0).name


def test_variables_refuse_other_shapes_and_dtypes():
    v = Variable([1.0, 2.0], name="v")
    with pytest.raises(ValueError, match=r"variable 'v': assign: got shape \(3,\), expected \(2,\)"):
        v.assign([1.0, 2.0, 3.0])
    with pytest.raises(ValueError, match="variable 'n': assign: got dtype float32, expected int32"):
        Variable(1, dtype="int32", name="n").assign(1.5)
    with pytest.raises(ValueError, match=r"initial value has shape \(2,\), expected \(3,\)"):
        Variable([1.0, 2.0], shape=(3,))
    with pytest.raises(ValueError, match="shape: got None"):
        Variable(lambda shape, dtype: 0)
    assert v.assign([1, 2]) is v
    assert v.dtype == "float32"
    symbolic = Tensor(Spec((2,)))
    close(v.assign(symbolic * 2.0), [1.0, 2.0])


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, lambda v: pickle.loads(pickle.dumps(v))])
def test_copies_of_variables_are_their_own(duplicate):
    v = Variable([1.0, 2.0], name="v", trainable=False)
    twin = duplicate(v)
    twin.assign([5.0, 6.0])
    close(v, [1.0, 2.0])
    assert (twin.name, twin.trainable, twin.dtype) == ("v", False, "float32")


def test_variables_belong_to_their_backend():
    pytest.importorskip("jax")
    with config.override(backend="numpy"):
        v = Variable([1.0], name="v")
    with config.override(backend="xla"):
        with pytest.raises(
            RuntimeError, match="'v' was created under the backend 'numpy', but 'xla' is active; rebuild"
        ):
            v + 1.0
        close(v.numpy(), [1.0])
        w = Variable([1.0, 2.0])
        with GradientTape() as tape:
            y = ops.sum(w * w)
        close(tape.gradient(y, w), [2.0, 4.0])
        close(pickle.loads(pickle.dumps(w)), [1.0, 2.0])


@pytest.fixture(params=config.BACKENDS)
def machine(request):
    if request.param == "xla":
        pytest.importorskip("jax")
    if request.param == "native" and missing_kernels():
        pytest.skip(missing_kernels())
    with config.override(backend=request.param):
        yield request.param


def test_a_step_is_a_function_of_state_and_batch(machine):
    w, count = Variable([1.0, 2.0]), Variable(0, dtype="int32", trainable=False)

    def step(batch, nothing):
        assert nothing is None
        with GradientTape() as tape:
            loss = ops.sum(w * batch["x"])
        w.assign_sub(0.1 * tape.gradient(loss, w))
        count.assign_add(1)
        return {"loss": loss, "w": w.value, "none": None}

    call = StepFunction(step, [w, count])
    out = call({"x": np.array([1.0, 10.0], "float32")}, None)
    close(out["loss"], 21.0)
    close(out["w"], [0.9, 1.0])
    assert out["none"] is None
    call({"x": np.array([1.0, 10.0], "float32")}, None)
    close(w, [0.8, 0.0])
    assert int(count) == 2
    assert w.grad is None


def test_a_failed_step_leaves_everything_as_it_was():
    a, b = Variable(1.0), Variable(2.0)
    seen = []

    def step(x):
        a.assign(10.0)
        seen.append((a._value.item(), a.numpy().item()))  # outside nothing is visible before the commit
        if x > 0:
            raise KeyboardInterrupt
        b.assign(a * 2.0)

    call = StepFunction(step, [a, b], compiled=False)
    with pytest.raises(KeyboardInterrupt):
        call(np.array(1.0))
    assert (a.numpy(), b.numpy()) == (1.0, 2.0)
    assert set(seen) == {(1.0, 10.0)}
    call(np.array(-1.0))
    assert (a.numpy(), b.numpy()) == (10.0, 20.0)


def test_what_a_step_must_not_do():
    inside, outside = Variable(1.0, name="inside"), Variable(1.0, name="outside")
    with pytest.raises(RuntimeError, match="'outside' is assigned in a step of a model that does not hold it"):
        StepFunction(lambda: outside.assign(2.0), [inside])()
    with pytest.raises(RuntimeError, match="variable 'late': variables cannot be created inside a training step"):
        StepFunction(lambda: Variable(1.0, name="late"), [inside])()
    assert StepFunction(lambda: inside + outside, [inside])().item() == 2.0


def test_transactions_are_seen_by_their_own_thread_only():
    v, values = Variable(1.0), []
    with transaction(Transaction([v], [v._value])) as state:
        v.assign(5.0)
        thread = threading.Thread(target=lambda: values.append(v.numpy().item()))
        thread.start()
        thread.join()
    assert values == [1.0]
    assert state.result()[0] == 5.0
    assert v.numpy() == 1.0


@pytest.mark.skipif(sys.platform == "win32", reason="signals to oneself")
def test_ctrl_c_waits_for_the_commit():
    done = []

    def interrupted():
        with uninterrupted():
            os.kill(os.getpid(), signal.SIGINT)
            for _ in range(1000):
                pass
            done.append(True)
        done.append(False)

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert done == [True]
    with uninterrupted():
        pass
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_threads_differentiate_at_once():
    w = Variable(np.linspace(0.1, 1.0, 10))
    results, errors = {}, []
    barrier = threading.Barrier(32)

    def work(n):
        try:
            barrier.wait()
            for _ in range(5):
                with GradientTape() as tape, uninterrupted():
                    y = ops.sum(ops.sin(w * float(n)))
                second = grad(grad(lambda x: ops.sin(x * n)))(0.5)
                results[n] = tape.gradient(y, w).numpy(), second.item()
        except Exception as error:  # reported below, in the main thread
            errors.append(error)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(32)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    for n, (first, second) in results.items():
        close(first, n * np.cos(w.numpy() * n), 1e-4)
        close(second, -n * n * np.sin(0.5 * n), 1e-3)
    assert len(results) == 32


# gradcheck


@pytest.mark.float64
def test_gradcheck_finds_a_wrong_gradient(temporary_primitives):
    @primitive
    def wrong(x):
        return x * x

    wrong.gradient(lambda g, x: 2.001 * g * x)
    with pytest.raises(AssertionError, match="gradcheck: argument 0: the tape says"):
        gradcheck(wrong, np.array([1.0, 2.0]))
    with pytest.raises(ValueError, match="no argument holds floating-point numbers"):
        gradcheck(ops.relu, np.array([1]))
    assert gradcheck(lambda i, x: ops.gather(x, i), np.array([0, 0]), np.array([1.0, 2.0]))


def test_numpy_takes_tensors_that_are_on_no_tape():
    x, v = ops.array([[-1.0, 4.0]]), Variable([4.0, 9.0])
    np.testing.assert_array_equal(np.abs(x), [[1.0, 4.0]])
    np.testing.assert_array_equal(np.sqrt(v), [2.0, 3.0])
    np.testing.assert_array_equal(np.maximum(x, v), [[4.0, 9.0]])
    np.testing.assert_array_equal(np.add.reduce(x, axis=1), [3.0])
    assert type(np.exp(x)) is np.ndarray
    assert type(np.ones(2) * v) is Tensor
    with GradientTape() as tape:
        tape.watch(x)
        for recorded in (x, v, x * 2):
            with pytest.raises(TypeError, match="NumPy's exp has no gradient"):
                np.exp(recorded)


def test_symbolic_tensors_have_names():
    x = layers.Input((2,), name="given")
    assert x.name == "given"
    assert layers.Dense(1, name="last")(x).name == "last"
    assert ops.exp(x).name == "exp"
    with pytest.raises(AttributeError, match="a Tensor with a value has no name"):
        ops.ones(2).name  # noqa: B018
