"""The textbook is the specification: `fundamentals` and the framework train the same network to the same weights."""

import numpy as np
import pytest

from layerwise import fundamentals, layers, losses, models, optimizers

SIZES = [6, 10, 8, 3]
STEPS = 20
# Powers of two: the framework keeps its learning rate as a float32, and these lose nothing there.
SGD_RATE, ADAM_RATE = 2.0**-3, 2.0**-7


@pytest.fixture
def batches():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(STEPS, 16, SIZES[0]))
    return [(x_t, np.eye(SIZES[-1])[(x_t[:, :3].argmax(axis=1))]) for x_t in x]


def textbook():
    np.random.seed(1)
    return fundamentals.NeuralNetwork(SIZES)


def framework(optimizer, network):
    """The network of the textbook in the framework, in float64 throughout, with its weights."""
    model = models.Sequential([layers.Input((SIZES[0],), dtype="float64")])
    for size in SIZES[1:-1]:
        model.add(layers.Dense(size, activation="relu", dtype="float64"))
    model.add(layers.Dense(SIZES[-1], activation="softmax", dtype="float64"))
    model.compile(optimizer=optimizer, loss=losses.CategoricalCrossentropy(dtype="float64"))
    model.set_weights(parameters(network))
    return model


def parameters(network):
    return [value for pair in zip(network.weights, network.biases) for value in pair]


def gradients(network, x, y):
    """dL/dW and dL/db of `network`, from what a step of rate 1 takes away."""
    before = parameters(network)
    copy = fundamentals.NeuralNetwork(network.layers)
    copy.weights, copy.biases = list(network.weights), list(network.biases)
    copy.backward(x, y, learning_rate=1.0)
    return [old - new for old, new in zip(before, parameters(copy))]


def adam_step(network, adam, x, y):
    updated = adam.update(parameters(network), gradients(network, x, y))
    network.weights, network.biases = updated[::2], updated[1::2]


def difference(model, network):
    return max(np.abs(a - b).max() for a, b in zip(model.get_weights(), parameters(network)))


@pytest.mark.float64
def test_sgd_agrees(batches):
    network = textbook()
    model = framework(optimizers.SGD(SGD_RATE), network)
    start = parameters(network)
    for x, y in batches:
        model.train_on_batch(x, y)
        network.backward(x, y, learning_rate=SGD_RATE)
    assert difference(model, network) < 1e-10
    assert max(np.abs(a - b).max() for a, b in zip(start, parameters(network))) > 0.1
    # predict casts what it is given to the default float32
    np.testing.assert_allclose(model.predict(x, verbose=0), network.forward(x), rtol=0, atol=1e-6)


@pytest.mark.float64
def test_the_loss_agrees(batches):
    network = textbook()
    model = framework(optimizers.SGD(SGD_RATE), network)
    x, y = batches[0]
    expected = fundamentals.categorical_crossentropy(y, network.forward(x))
    assert float(model.train_on_batch(x, y)) == pytest.approx(expected, rel=1e-6)


# Large enough that one convention for epsilon cannot pass for the other.
EPSILON = 1e-3


def train_with_adam(batches, epsilon_at):
    network, adam = textbook(), fundamentals.Adam(ADAM_RATE)
    model = framework(optimizers.Adam(ADAM_RATE, epsilon=EPSILON), network)
    for t, (x, y) in enumerate(batches, start=1):
        model.train_on_batch(x, y)
        adam.epsilon = epsilon_at(t)
        adam_step(network, adam, x, y)
    return difference(model, network)


@pytest.mark.float64
def test_adam_agrees_once_epsilon_means_the_same(batches):
    """The textbook adds epsilon after the bias correction, Keras before: epsilon_t = epsilon * sqrt(1 - beta2^t)."""
    assert train_with_adam(batches, lambda t: EPSILON / np.sqrt(1 - 0.999**t)) < 1e-10


@pytest.mark.float64
def test_adam_of_the_textbook_differs_with_the_same_epsilon(batches):
    assert train_with_adam(batches, lambda t: EPSILON) > 1e-4
