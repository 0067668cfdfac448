"""Every Python snippet of the guide runs as printed, against the guide's own classes and against Layerwise's."""

import hashlib
import inspect
import re
from pathlib import Path

import numpy as np
import pytest

from layerwise import fundamentals

GUIDE = Path(__file__).parents[1] / "docs" / "guide.md"
SNIPPETS = re.findall(r"```python\n(.*?)```", GUIDE.read_text(encoding="utf-8"), flags=re.DOTALL)
KERAS_IMPORT = "import tensorflow as tf\nfrom tensorflow.keras import layers, models\n"


def snippet(start):
    """The one snippet that defines or imports `start` first."""
    (found,) = [text for text in SNIPPETS if re.search(rf"^{re.escape(start)}", text, flags=re.MULTILINE)]
    return found


def run(text, **names):
    namespace = dict(names)
    exec(text, namespace)
    return namespace


@pytest.fixture(scope="module")
def guide():
    """What the guide's NumPy snippets define, run in the guide's order in one namespace."""
    return run("\n".join(text for text in SNIPPETS if KERAS_IMPORT not in text))


@pytest.fixture
def batch():
    rng = np.random.default_rng(0)
    return rng.normal(size=(20, 6)), np.eye(3)[rng.integers(3, size=20)]


def test_the_guide_is_the_original_text():
    digest = hashlib.sha256(GUIDE.read_bytes()).hexdigest()
    assert digest == "0e7b226d13a469eb291733cf9fb139fa6a5b7a8b2b466a549c75715f834690d7"
    assert len(SNIPPETS) == 6


def test_fundamentals_has_every_name_and_signature_of_the_guide(guide):
    defined = {name for text in SNIPPETS for name in re.findall(r"^(?:class|def) (\w+)", text, flags=re.MULTILINE)}
    classes = {"Perceptron", "NeuralNetwork", "Optimizer", "SGD", "Adam"}
    functions = {"sigmoid", "relu", "softmax"}
    assert defined == classes | functions | {"backward", "create_cnn"}
    for name in classes | functions:
        printed, ours = guide[name], getattr(fundamentals, name)
        assert list(inspect.signature(ours).parameters) == list(inspect.signature(printed).parameters), name
        if inspect.isclass(printed):
            for method in [m for m in vars(printed) if inspect.isfunction(vars(printed)[m])]:
                expected = inspect.signature(vars(printed)[method])
                actual = inspect.signature(getattr(ours, method))
                assert [(p.name, p.default) for p in actual.parameters.values()] == [
                    (p.name, p.default) for p in expected.parameters.values()
                ], f"{name}.{method}"
    ours = inspect.signature(fundamentals.NeuralNetwork.backward)
    assert [(p.name, p.default) for p in ours.parameters.values()] == [
        (p.name, p.default) for p in inspect.signature(guide["backward"]).parameters.values()
    ]


def train_perceptron(kind):
    np.random.seed(3)
    neuron = kind(2, learning_rate=0.1)
    x = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
    errors = [neuron.train(x[i], int(x[i].all())) for _ in range(60) for i in range(4)]
    return neuron, errors, [neuron.predict(row) for row in x]


def test_perceptron_as_printed(guide):
    printed, printed_errors, printed_predictions = train_perceptron(guide["Perceptron"])
    ours, errors, predictions = train_perceptron(fundamentals.Perceptron)
    assert predictions == printed_predictions == [0, 0, 0, 1]
    assert errors == printed_errors
    assert any(errors)
    np.testing.assert_array_equal(ours.weights, printed.weights)
    assert (ours.bias, ours.lr) == (printed.bias, printed.lr)


def test_activations_as_printed(guide):
    x = np.linspace(-30, 30, 41).reshape(1, 41) * np.array([[1.0], [10.0]])
    for name in ("sigmoid", "relu", "softmax"):
        np.testing.assert_array_equal(getattr(fundamentals, name)(x), guide[name](x))


@pytest.mark.parametrize("library", [False, True], ids=["the guide's", "fundamentals'"])
def test_network_snippets_run_on_either_activations(guide, batch, library):
    source = vars(fundamentals) if library else guide
    text = snippet("class NeuralNetwork") + "\n" + snippet("def backward")
    namespace = run(text, np=np, relu=source["relu"], softmax=source["softmax"])
    namespace["NeuralNetwork"].backward = namespace["backward"]
    x, y = batch
    network = namespace["NeuralNetwork"]([6, 8, 3])
    before = -np.mean(np.sum(y * np.log(network.forward(x)), axis=1))
    for _ in range(50):
        network.forward(x)
        network.backward(x, y, learning_rate=0.1)
    assert -np.mean(np.sum(y * np.log(network.forward(x)), axis=1)) < before


def test_network_starts_and_predicts_as_printed(guide, batch):
    networks = []
    for kind in (guide["NeuralNetwork"], fundamentals.NeuralNetwork):
        np.random.seed(5)
        networks.append(kind([6, 8, 4, 3]))
    printed, ours = networks
    assert ours.layers == printed.layers
    for mine, theirs in zip(ours.weights + ours.biases, printed.weights + printed.biases):
        np.testing.assert_array_equal(mine, theirs)
    np.testing.assert_array_equal(ours.forward(batch[0]), printed.forward(batch[0]))
    assert len(ours.activations) == len(printed.activations) == 4
    for mine, theirs in zip(ours.activations, printed.activations):
        np.testing.assert_array_equal(mine, theirs)


@pytest.mark.parametrize("layers", [[6, 3], [6, 8, 3]])
def test_the_printed_backward_is_the_method_up_to_the_weights_it_should_not_have_changed_yet(guide, batch, layers):
    x, y = batch
    printed, ours = fundamentals.NeuralNetwork(layers), fundamentals.NeuralNetwork(layers)
    ours.weights = [w.copy() for w in printed.weights]
    rate = 0.1
    printed.forward(x)
    guide["backward"](printed, x, y, learning_rate=rate)
    ours.forward(x)
    assert ours.backward(x, y, learning_rate=rate) is None
    np.testing.assert_array_equal(ours.weights[-1], printed.weights[-1])
    np.testing.assert_array_equal(ours.biases[-1], printed.biases[-1])
    if len(layers) > 2:
        assert 1e-6 < np.abs(ours.weights[0] - printed.weights[0]).max() < rate**2


@pytest.mark.parametrize("library", [False, True], ids=["the guide's", "on fundamentals' Optimizer"])
def test_optimizers_as_printed(guide, library):
    text = snippet("class Optimizer")
    if library:
        text = text[text.index("class SGD") :]
    printed = run(text, np=np, Optimizer=fundamentals.Optimizer)
    rng = np.random.default_rng(1)
    for name in ("SGD", "Adam"):
        one, two = printed[name](learning_rate=0.05), getattr(fundamentals, name)(learning_rate=0.05)
        w = v = rng.normal(size=(4, 3))
        for _ in range(10):
            g = rng.normal(size=w.shape)
            w, v = one.update(w, g), two.update(v, g)
            np.testing.assert_array_equal(v, w)


def test_create_cnn_as_printed_with_one_import_changed():
    text = snippet("def create_cnn")
    assert text.startswith(KERAS_IMPORT)
    from layerwise import utils

    utils.set_random_seed(0)
    model = run(text.replace(KERAS_IMPORT, "from layerwise import layers, models\n"))["model"]
    assert model.output_shape == (None, 10)
    assert model.count_params() == 93_322
    assert [type(layer).__name__ for layer in model.layers] == [
        "Conv2D", "MaxPooling2D", "Conv2D", "MaxPooling2D", "Conv2D", "Flatten", "Dense", "Dropout", "Dense"
    ]  # fmt: skip
    rng = np.random.default_rng(0)
    x, y = rng.random((16, 28, 28, 1), dtype="float32"), np.arange(16) % 10
    first = model.evaluate(x, y, verbose=0)[0]
    history = model.fit(x, y, epochs=8, batch_size=16, verbose=0)
    assert set(history.history) == {"loss", "accuracy"}
    assert model.evaluate(x, y, verbose=0)[0] < first
    np.testing.assert_allclose(model.predict(x, verbose=0).sum(axis=1), 1, rtol=1e-5)
