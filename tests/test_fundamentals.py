"""The guide's classes: right numbers, finite numbers, and clear errors."""

import ast
import math
import re
import warnings
from pathlib import Path

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from layerwise import fundamentals
from layerwise.fundamentals import (
    SGD,
    Adam,
    NeuralNetwork,
    Optimizer,
    Perceptron,
    binary_crossentropy,
    categorical_crossentropy,
    mean_squared_error,
    relu,
    sigmoid,
    softmax,
    tanh,
)

CORNERS = [[0, 0], [0, 1], [1, 0], [1, 1]]
MAX, TINY = np.finfo(float).max, 5e-324
EXTREMES = np.array([MAX, -MAX, 1e308, -1e308, TINY, -TINY, 1e-310, -1e-310, 0.0, -0.0, 709, -709, 746, -746, 1, -1])
finite = st.floats(allow_nan=False, allow_infinity=False)


def refuses(*parts):
    """The ValueError whose message says what came and what was expected, in these words."""
    return pytest.raises(ValueError, match=".*".join(map(re.escape, parts)))


def test_it_is_plain_numpy_and_imports_nothing_else_of_ours():
    folder = Path(fundamentals.__file__).parent
    for path in folder.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                assert {alias.name for alias in node.names} <= {"numpy"}, path.name
            elif isinstance(node, ast.ImportFrom) and node.level:
                assert (folder / f"{node.module}.py").exists(), path.name
            elif isinstance(node, ast.ImportFrom):
                assert node.module in {"collections.abc", "itertools", "numbers", "numpy.typing", "typing"}, path.name


# ---- perceptron


def epochs_to_learn(targets, epochs):
    """The epoch without a mistake, or None; and the neuron."""
    neuron = Perceptron(2, learning_rate=0.1)
    for epoch in range(epochs):
        if sum(abs(neuron.train(x, target)) for x, target in zip(CORNERS, targets)) == 0:
            return epoch, neuron
    return None, neuron


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("targets", [(0, 0, 0, 1), (0, 1, 1, 1), (1, 0, 0, 0), (0, 0, 1, 1)])
def test_perceptron_learns_what_a_line_separates(targets, seed):
    np.random.seed(seed)
    epoch, neuron = epochs_to_learn(targets, 200)
    assert epoch is not None
    assert [neuron.predict(x) for x in CORNERS] == list(targets)


def test_perceptron_never_settles_on_xor():
    np.random.seed(0)
    epoch, neuron = epochs_to_learn((0, 1, 1, 0), 500)
    assert epoch is None
    assert [neuron.predict(x) for x in CORNERS] != [0, 1, 1, 0]


def test_perceptron_rule():
    neuron = Perceptron(3, learning_rate=0.5)
    neuron.weights, neuron.bias = np.array([1.0, -2.0, 0.0]), 0.25
    x = np.array([1, 1, 4])
    assert neuron.predict(x) == 0
    assert neuron.train(x, 0) == 0
    np.testing.assert_array_equal(neuron.weights, [1, -2, 0])
    assert neuron.train(x, 1) == 1
    np.testing.assert_array_equal(neuron.weights, [1.5, -1.5, 2])
    assert neuron.bias == 0.75
    assert neuron.train(x, 0) == -1
    np.testing.assert_array_equal(neuron.weights, [1, -2, 0])
    np.testing.assert_array_equal(x, [1, 1, 4])


def test_perceptron_step_is_closed_at_zero():
    neuron = Perceptron(1)
    assert [neuron.activation(z) for z in (-TINY, -0.0, 0.0, 3)] == [0, 1, 1, 1]
    assert neuron.lr == 0.01
    assert neuron.weights.shape == (1,)


def test_perceptron_does_not_change_an_array_it_was_given():
    shared = np.array([-1.0, -1.0])
    neuron = Perceptron(2)
    neuron.weights, neuron.bias = shared, 0.0
    neuron.train([1, 1], 1)
    np.testing.assert_array_equal(shared, [-1, -1])


@pytest.mark.parametrize("size", [0, -1, 2.5, 2.0, "2", None, math.nan])
def test_perceptron_refuses_sizes(size):
    with refuses("n_inputs: got", repr(size), "expected an integer >= 1"):
        Perceptron(size)


BAD_RATES = [0, 0.0, -0.1, math.nan, math.inf, "0.1", None, 1j, np.array([0.1])]


@pytest.mark.parametrize("rate", BAD_RATES)
def test_learning_rates_are_finite_and_above_zero(rate):
    network = NeuralNetwork([2, 2])
    start = network.weights[0].copy()
    for refused in (
        lambda: Perceptron(2, learning_rate=rate),
        lambda: network.backward(np.ones((1, 2)), np.eye(2)[:1], learning_rate=rate),
        lambda: Optimizer(rate),
        lambda: SGD(learning_rate=rate),
        lambda: Adam(learning_rate=rate),
        lambda: Adam(epsilon=rate),
    ):
        with refuses("got", repr(rate), "expected a finite number > 0"):
            refused()
    np.testing.assert_array_equal(network.weights[0], start)


@pytest.mark.parametrize("rate", [1, 0.5, np.float32(0.5), np.float64(0.5), TINY])
def test_learning_rates_of_every_real_type(rate):
    assert Perceptron(2, rate).lr == SGD(rate).lr == Adam(rate).lr == rate


@pytest.mark.parametrize("inputs", [[1.0], [1.0, 2.0, 3.0], 1.0, [[1.0, 2.0]], []])
def test_perceptron_refuses_shapes(inputs):
    neuron = Perceptron(2)
    for refused in (neuron.predict, lambda x: neuron.train(x, 1)):
        with refuses("inputs: got shape", str(np.shape(inputs)), "expected (2,)"):
            refused(inputs)


@pytest.mark.parametrize(
    ("inputs", "reason"),
    [
        ([1.0, math.nan], "got NaN or infinity, expected finite numbers"),
        ([1.0, -math.inf], "got NaN or infinity, expected finite numbers"),
        (["one", "two"], "expected an array of numbers"),
        ([[1.0], [1.0, 2.0]], "expected an array of numbers"),
        ([object(), object()], "expected an array of numbers"),
    ],
)
def test_values_are_finite_numbers(inputs, reason):
    for refused in (
        Perceptron(2).predict,
        NeuralNetwork([2, 2]).forward,
        lambda x: mean_squared_error(x, [0, 0]),
        lambda x: SGD().update(np.zeros(2), np.array(x, dtype=object)),
    ):
        with refuses(reason):
            refused(inputs)


@pytest.mark.parametrize("target", [-1, 2, 0.5, math.nan, None, "1", [1], np.array([0, 1])])
def test_perceptron_refuses_targets(target):
    neuron = Perceptron(2)
    start, bias = neuron.weights.copy(), neuron.bias
    with refuses("target: got", "expected 0 or 1"):
        neuron.train([1, 1], target)
    np.testing.assert_array_equal(neuron.weights, start)
    assert neuron.bias == bias


# ---- activations


def test_activations_raise_no_floating_point_flag_for_extreme_values():
    pairs = np.stack(np.meshgrid(EXTREMES, EXTREMES), axis=-1)
    with np.errstate(all="raise"), warnings.catch_warnings(action="error"):
        for activation in (sigmoid, tanh, relu, softmax):
            for x in (EXTREMES, pairs, *EXTREMES[:, np.newaxis], EXTREMES[::2].reshape(2, 4).T):
                y = activation(x)
                assert y.shape == x.shape
                assert np.isfinite(y).all()
        for x in EXTREMES:
            assert 0 < sigmoid(x) <= 1
            assert -1 <= tanh(x) <= 1
            assert relu(x) == max(0, x)
        np.testing.assert_allclose(softmax(pairs).sum(axis=-1), 1, rtol=1e-15)


@given(st.lists(finite, min_size=1, max_size=6))
def test_activations_of_any_finite_input(values):
    with np.errstate(all="raise"):
        for activation in (sigmoid, tanh, relu):
            y = activation(values)
            np.testing.assert_array_equal(y[np.argsort(values)], np.sort(y))
        p = softmax(values)
    assert p.sum() == pytest.approx(1, rel=1e-14)
    assert p[np.argmax(values)] == p.max()


@given(st.floats(-800, 800))
def test_activations_against_mpmath(x):
    with mpmath.workdps(40):
        exact_sigmoid = 1 / (1 + mpmath.exp(-mpmath.mpf(x)))
        exact_tanh = mpmath.tanh(mpmath.mpf(x))
    assert sigmoid(x) == pytest.approx(float(exact_sigmoid), rel=1e-13, abs=1e-307)
    assert tanh(x) == pytest.approx(float(exact_tanh), rel=1e-14)


def test_softmax_known_values():
    np.testing.assert_allclose(softmax([0, math.log(2), math.log(5)]), [1 / 8, 2 / 8, 5 / 8], rtol=1e-15)
    np.testing.assert_allclose(softmax([1e300, 1e300]), [0.5, 0.5])
    np.testing.assert_array_equal(softmax([MAX, -MAX, 0]), [1, 0, 0])
    x = np.random.default_rng(0).normal(size=(2, 3, 4))
    np.testing.assert_allclose(softmax(x).sum(axis=-1), np.ones((2, 3)), rtol=1e-15)
    np.testing.assert_allclose(softmax(x + 100), softmax(x), rtol=1e-12)


def test_activations_take_lists_integers_and_float32_and_leave_them_alone():
    integers = np.array([-2, 0, 3])
    for activation in (sigmoid, tanh, relu, softmax):
        expected = activation(integers.astype(float))
        assert expected.dtype == np.float64
        for x in (integers, [-2, 0, 3], integers.astype(np.float32), integers.astype(np.float16)):
            with np.errstate(all="raise"):
                np.testing.assert_array_equal(activation(x), expected)
        np.testing.assert_array_equal(integers, [-2, 0, 3])
    with np.errstate(all="raise"):  # the guide's sigmoid overflows here
        assert sigmoid(np.float32(-400)) == pytest.approx(math.exp(-400))


def test_activations_of_no_examples():
    for activation in (sigmoid, tanh, relu, softmax):
        assert activation(np.zeros((0, 3))).shape == (0, 3)


@pytest.mark.parametrize("x", [1.0, [], np.zeros((2, 0))])
def test_softmax_wants_classes(x):
    with refuses("softmax: x: got shape", str(np.shape(x)), "expected (..., classes)"):
        softmax(x)


# ---- losses


def test_losses_by_hand():
    y, p = np.array([[1, 0, 0], [0, 0, 1]]), np.array([[0.5, 0.25, 0.25], [0.1, 0.1, 0.8]])
    assert categorical_crossentropy(y, p) == pytest.approx(-(math.log(0.5) + math.log(0.8)) / 2, rel=1e-15)
    assert categorical_crossentropy(y[0], p[0]) == pytest.approx(math.log(2), rel=1e-15)
    assert binary_crossentropy([1, 0], [0.25, 0.9]) == pytest.approx(-(math.log(0.25) + math.log(0.1)) / 2, rel=1e-15)
    assert binary_crossentropy([[1], [0]], [[0.25], [0.9]]) == binary_crossentropy([1, 0], [0.25, 0.9])
    assert mean_squared_error([[1, 2], [3, 4]], [[1, 0], [0, 4]]) == 13 / 4
    assert all(type(loss([1, 0], [0.5, 0.5])) is float for loss in (binary_crossentropy, mean_squared_error))


@pytest.mark.parametrize("loss", [binary_crossentropy, categorical_crossentropy])
def test_cross_entropies_at_certainty(loss):
    y = np.array([[1, 0], [0, 1]])
    with np.errstate(all="raise"):
        assert loss(y, y) == 0
        wrong = loss(y, 1 - y)
        assert loss(y, y * (1 - TINY) + (1 - y) * TINY) == 0
    assert wrong == pytest.approx(708.396, abs=1e-3)
    assert loss(y, np.where(y, 1e-300, 1 - 1e-16)) < wrong


@pytest.mark.parametrize("value", [1e-12, 1e-300])
def test_small_probabilities_are_not_rounded_up(value):
    assert binary_crossentropy([1], [value]) == pytest.approx(-math.log(value), rel=1e-15)
    assert categorical_crossentropy([[1, 0]], [[value, 1 - value]]) == pytest.approx(-math.log(value), rel=1e-15)


ALL_LOSSES = [binary_crossentropy, categorical_crossentropy, mean_squared_error]


@pytest.mark.parametrize("loss", ALL_LOSSES)
def test_losses_refuse_shapes(loss):
    one_hot, p = np.eye(3), np.full((3, 3), 1 / 3)
    for y in (one_hot[:2], one_hot[0], one_hot[:, :1], 1, [0, 1, 2]):
        with refuses(f"{loss.__name__}: y_true: got shape {np.shape(y)}", "expected (3, 3), the shape of y_pred"):
            loss(y, p)
    for shape in ((0,), (0, 3), (3, 0)):
        with refuses(f"{loss.__name__}: got an empty batch", "expected at least one example"):
            loss(np.zeros(shape), np.zeros(shape))


@pytest.mark.parametrize("loss", [binary_crossentropy, categorical_crossentropy])
@pytest.mark.parametrize("p", [[1.5, -0.5], [-TINY, 1], [2, 1]])
def test_cross_entropies_refuse_what_is_no_probability(loss, p):
    with refuses(f"{loss.__name__}: y_pred: got values from", "expected probabilities in [0, 1]"):
        loss([0, 1], p)


@pytest.mark.parametrize("y", [[0, 2], [0.5, 1], [-1, 1]])
def test_binary_crossentropy_refuses_labels(y):
    with refuses("y_true: got values from", "expected 0 or 1"):
        binary_crossentropy(y, [0.5, 0.5])


NOT_ONE_HOT = [[0, 0, 0], [1, 1, 0], [0.5, 0.5, 0], [2, -1, 0], [0, 0, 2]]


@pytest.mark.parametrize("row", NOT_ONE_HOT)
def test_labels_that_are_not_one_hot(row):
    message = ("y_true: got the row", str(np.array(row, dtype=float).tolist()), "expected one-hot rows")
    y = [[0, 1, 0], row]
    with refuses("categorical_crossentropy", *message):
        categorical_crossentropy(y, np.full((2, 3), 1 / 3))
    with refuses("categorical_crossentropy", *message):
        categorical_crossentropy(row, np.full(3, 1 / 3))
    network = NeuralNetwork([4, 5, 3])
    start = [w.copy() for w in network.weights]
    with refuses("NeuralNetwork.backward", *message):
        network.backward(np.ones((2, 4)), y)
    for before, after in zip(start, network.weights):
        np.testing.assert_array_equal(before, after)


def test_categorical_crossentropy_of_one_number():
    with refuses("got a single number, expected (batch, classes)"):
        categorical_crossentropy(1, 1.0)


# ---- network


@pytest.fixture
def problem():
    rng = np.random.default_rng(0)
    np.random.seed(0)
    return NeuralNetwork([5, 7, 6, 3]), rng.normal(size=(9, 5)), np.eye(3)[rng.integers(3, size=9)]


def test_network_starts_with_he_initialisation():
    np.random.seed(0)
    network = NeuralNetwork([400, 300, 2])
    assert [w.shape for w in network.weights] == [(400, 300), (300, 2)]
    assert network.weights[0].std() == pytest.approx(math.sqrt(2 / 400), rel=0.01)
    assert [b.tolist() for b in network.biases] == [[0.0] * 300, [0.0] * 2]
    assert network.activations == []


def test_forward_is_relu_inside_and_softmax_at_the_end(problem):
    network, x, _ = problem
    h = x
    for w, b in zip(network.weights[:-1], network.biases[:-1]):
        h = np.maximum(h @ w + b, 0)
    p = network.forward(x)
    np.testing.assert_allclose(p, softmax(h @ network.weights[-1] + network.biases[-1]), rtol=1e-14)
    assert [a.shape for a in network.activations] == [(9, 5), (9, 7), (9, 6), (9, 3)]
    assert network.activations[-1] is p
    np.testing.assert_allclose(network.forward(x[0]), p[0], rtol=1e-12)


def test_backward_takes_the_gradient_of_the_loss_at_the_weights_before(problem):
    network, x, y = problem
    rate = 0.5  # the guide's own order of updates is far off at this rate
    network.biases = [b + 0.1 for b in network.biases]
    parameters = [*network.weights, *network.biases]
    numeric = []
    for value in parameters:
        slope = np.empty_like(value)
        for index in np.ndindex(value.shape):
            kept, losses = value[index], []
            for h in (1e-5, -1e-5):
                value[index] = kept + h
                losses.append(categorical_crossentropy(y, network.forward(x)))
            value[index] = kept
            slope[index] = (losses[0] - losses[1]) / 2e-5
        numeric.append(slope)
    network.backward(x, y, learning_rate=rate)
    for before, after, slope in zip(parameters, [*network.weights, *network.biases], numeric):
        np.testing.assert_allclose((before - after) / rate, slope, rtol=1e-6, atol=1e-9)


def test_backward_needs_no_forward_and_cannot_use_a_stale_one(problem):
    network, x, y = problem
    other = NeuralNetwork(network.layers)
    other.weights, other.biases = list(network.weights), list(network.biases)
    for _ in range(3):
        network.forward(x)
        network.backward(x, y)
        other.forward(-x)
        other.backward(x, y)
    for mine, theirs in zip(network.weights, other.weights):
        np.testing.assert_array_equal(mine, theirs)


def test_backward_leaves_the_callers_arrays_alone(problem):
    network, x, y = problem
    kept = [a.copy() for a in (x, y, *network.weights, *network.biases)]
    given_arrays = [x, y, *network.weights, *network.biases]
    network.backward(x, y, learning_rate=1.0)
    for before, after in zip(kept, given_arrays):
        np.testing.assert_array_equal(before, after)


def test_network_learns_xor():
    np.random.seed(0)
    network = NeuralNetwork([2, 8, 2])
    x, y = np.array(CORNERS), np.array([[1, 0], [0, 1], [0, 1], [1, 0]])
    for _ in range(500):
        network.backward(x, y, learning_rate=0.5)
    assert network.forward(x).argmax(axis=1).tolist() == [0, 1, 1, 0]
    assert categorical_crossentropy(y, network.forward(x)) < 0.05


@pytest.mark.parametrize("layers", [[], [3], (7,), 5, "784"])
def test_network_refuses_fewer_than_two_sizes(layers):
    with refuses("layers: got", repr(layers), "expected at least two sizes"):
        NeuralNetwork(layers)


@pytest.mark.parametrize("size", [0, -2, 1.5, "3", None, [2]])
def test_network_refuses_sizes(size):
    with refuses("layers[1]: got", repr(size), "expected an integer >= 1"):
        NeuralNetwork([4, size, 3])


@pytest.mark.parametrize("layers", [(4, 3), np.array([4, 3]), range(4, 2, -1)])
def test_network_takes_any_sequence_of_sizes(layers):
    assert NeuralNetwork(layers).forward(np.ones((2, 4))).shape == (2, 3)


@pytest.mark.parametrize("shape", [(), (4,), (2, 4), (6, 5, 1), (1, 2, 5), (0, 5)])
def test_network_refuses_shapes_of_x(shape):
    network = NeuralNetwork([5, 3])
    with refuses("x: got shape", str(shape), "expected (batch, 5)"):
        network.forward(np.zeros(shape))
    with refuses("x: got shape", str(shape), "expected (batch, 5)"):
        network.backward(np.zeros(shape), np.eye(3)[np.zeros(shape[:1], dtype=int)])


def test_backward_wants_a_batch():
    with refuses("x: got shape (5,), expected (batch, 5)"):
        NeuralNetwork([5, 3]).backward(np.ones(5), [0, 1, 0])


@pytest.mark.parametrize("y", [[0, 1], np.eye(3), [[0, 1], [1, 0]], [[0], [1]], 1])
def test_backward_refuses_shapes_of_y(y):
    with refuses("y_true: got shape", str(np.shape(y)), "expected (2, 3), one-hot rows with a column for each class"):
        NeuralNetwork([5, 3]).backward(np.ones((2, 5)), y)


# ---- optimizers


def test_sgd_by_hand():
    w, g = np.array([[1.0, 2.0]]), np.array([[10.0, -10.0]])
    np.testing.assert_array_equal(SGD(0.25).update(w, g), [[-1.5, 4.5]])
    np.testing.assert_array_equal(w, [[1, 2]])
    one, two = SGD(0.25).update([w, np.array(3.0)], [g, np.array(4.0)])
    np.testing.assert_array_equal(one, [[-1.5, 4.5]])
    assert two == 2


def test_defaults_are_the_guides():
    adam = Adam()
    assert (SGD().lr, adam.lr, adam.beta1, adam.beta2, adam.epsilon) == (0.01, 0.001, 0.9, 0.999, 1e-8)
    assert (adam.m, adam.v, adam.t) == (None, None, 0)
    assert isinstance(adam, Optimizer)


def test_adam_follows_the_paper():
    """Kingma and Ba's moments, written out as the weighted sums that the recurrences stand for."""
    rng = np.random.default_rng(0)
    adam, w = Adam(0.1, beta1=0.8, beta2=0.95, epsilon=1e-3), rng.normal(size=4)
    gradients = rng.normal(size=(6, 4))
    for t, g in enumerate(gradients, start=1):
        past = gradients[:t]
        age = np.arange(t - 1, -1, -1)[:, np.newaxis]
        m_hat = (0.2 * 0.8**age * past).sum(axis=0) / (1 - 0.8**t)
        v_hat = (0.05 * 0.95**age * past**2).sum(axis=0) / (1 - 0.95**t)
        expected = w - 0.1 * m_hat / (np.sqrt(v_hat) + 1e-3)
        w = adam.update(w, g)
        np.testing.assert_allclose(w, expected, rtol=1e-12)
        assert adam.t == t


def test_adam_keeps_a_state_for_each_parameter_of_a_list():
    rng = np.random.default_rng(0)
    shapes = [(3, 2), (2,), (3, 2), ()]
    weights = [rng.normal(size=shape) for shape in shapes]
    together, apart = Adam(0.1), [Adam(0.1) for _ in shapes]
    joint, single = weights, list(weights)
    for _ in range(5):
        gradients = [rng.normal(size=shape) for shape in shapes]
        joint = together.update(joint, gradients)
        single = [adam.update(w, g) for adam, w, g in zip(apart, single, gradients)]
        for a, b in zip(joint, single):
            np.testing.assert_array_equal(a, b)
    assert [m.shape for m in together.m] == [v.shape for v in together.v] == shapes


def test_adam_refuses_a_second_parameter():
    adam, twin = Adam(), Adam()
    w, b = np.ones((3, 2)), np.ones(2)
    for optimizer in (adam, twin):
        optimizer.update(w, w)
    for other in (b, [w, b]):
        with refuses("Adam.update: weights: got shapes", "expected [(3, 2)]", "one Adam for each parameter", "a list"):
            adam.update(other, other)
    np.testing.assert_array_equal(adam.update(w, 2 * w), twin.update(w, 2 * w))


@pytest.mark.parametrize("optimizer", [SGD, Adam])
def test_optimizers_refuse_gradients_that_do_not_fit(optimizer):
    w, g = np.ones((3, 2)), np.ones(2)
    for given_gradients, expected in ((g, "(3, 2), the shape of the weights"), ([w], "one array")):
        with refuses("update: gradients: got", "expected", expected):
            optimizer().update(w, given_gradients)
    for given_gradients, expected in (([w], "a list of 2"), (w, "a list of 2"), ([w, w], "(2,)")):
        with refuses("update: gradients: got", "expected", expected):
            optimizer().update([w, g], given_gradients)
    with refuses("update: gradients: got NaN or infinity"):
        optimizer().update(w, w * math.nan)


@pytest.mark.parametrize("beta", [1, -0.1, 2.0, math.nan])
def test_adam_refuses_betas(beta):
    for name in ("beta1", "beta2"):
        with refuses(f"Adam: {name}: got {beta!r}, expected a number in [0, 1)"):
            Adam(**{name: beta})


@pytest.mark.parametrize("optimizer", [SGD(0.5), Adam(0.05)])
def test_optimizers_train_the_network(optimizer, problem):
    network, x, y = problem
    start = categorical_crossentropy(y, network.forward(x))
    for _ in range(100):
        before = [*network.weights, *network.biases]
        network.backward(x, y, learning_rate=1.0)
        gradients = [old - new for old, new in zip(before, [*network.weights, *network.biases])]
        after = optimizer.update(before, gradients)
        network.weights, network.biases = after[:3], after[3:]
    assert categorical_crossentropy(y, network.forward(x)) < start / 5
