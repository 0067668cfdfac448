"""`layerwise.inspect.trace`: the numbers of one example, forward and back."""

import numpy as np
import pytest

from layerwise import GradientTape, inspect, layers, models, ops


@pytest.fixture
def network():
    model = models.Sequential(
        [
            layers.Input((6, 6, 1)),
            layers.Conv2D(3, 3, activation="relu", name="conv"),
            layers.MaxPooling2D(name="pool"),
            layers.Flatten(name="flat"),
            layers.BatchNormalization(name="norm"),
            layers.Dropout(0.5, name="drop"),
            layers.Dense(4, activation="softmax", name="scores"),
        ]
    )
    model.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


@pytest.fixture
def example():
    return np.random.default_rng(0).normal(size=(6, 6, 1)).astype("float32"), 2


def test_a_row_for_each_layer(network, example):
    trace = inspect.trace(network, *example, verbose=False)
    assert [row.name for row in trace] == ["conv", "pool", "flat", "norm", "drop", "scores"]
    assert [row.type for row in trace][:2] == ["Conv2D", "MaxPooling2D"]
    assert [row.shape for row in trace] == [(4, 4, 3), (2, 2, 3), (12,), (12,), (12,), (4,)]
    assert [p.name for p in trace["norm"].parameters] == ["gamma", "beta"]
    assert np.allclose(trace.prediction, network.predict(example[0][None], verbose=0), atol=1e-6)
    assert trace.loss == pytest.approx(-np.log(trace.prediction[0, 2]), rel=1e-5)
    with pytest.raises(KeyError, match="no layer is named 'dense'; there are conv, pool"):
        trace["dense"]


def test_gradients_are_those_of_the_chain_rule(network, example):
    trace = inspect.trace(network, *example, verbose=False)
    delta = trace.prediction - np.eye(4)[[2]]  # of cross-entropy by the logits of softmax
    assert np.allclose(trace["scores"].gradient, delta, atol=1e-6)
    kernel, _ = network.get_layer("scores").get_weights()
    assert np.allclose(trace["drop"].gradient, delta @ kernel.T, atol=1e-6)
    by_kernel, by_bias = (p.gradient for p in trace["scores"].parameters)
    assert np.allclose(by_kernel, trace["drop"].output.T @ delta, atol=1e-6)
    assert np.allclose(by_bias, delta[0], atol=1e-6)
    assert trace["pool"].gradient.shape == (1, 2, 2, 3)
    assert np.count_nonzero(trace["conv"].gradient) <= trace["pool"].gradient.size


def test_parameters_gradients_are_the_tape_s(network, example):
    trace = inspect.trace(network, *example, verbose=False)
    x, y = ops.array(example[0][None]), ops.array([2])
    with GradientTape() as tape:
        loss = network.compute_loss(x, y, network(x))
    expected = tape.gradient(loss, network.trainable_weights)
    got = [p.gradient for row in trace for p in row.parameters]
    assert len(got) == len(expected) == 6
    for a, b in zip(got, expected):
        assert np.allclose(a, b.numpy(), atol=1e-6)


def test_the_model_is_left_as_it_was(network, example):
    before = network.get_weights()
    inspect.trace(network, *example, training=True, verbose=False)
    assert all(np.array_equal(a, b) for a, b in zip(before, network.get_weights()))
    assert "call" not in vars(network.get_layer("conv"))
    with pytest.raises(ValueError, match="7"):
        inspect.trace(network, example[0], 7, verbose=False)
    assert "call" not in vars(network.get_layer("conv"))


def test_in_training_dropout_drops(network, example):
    calm = inspect.trace(network, *example, verbose=False)["drop"]
    assert np.array_equal(calm.output, inspect.trace(network, *example, verbose=False)["norm"].output)
    model = models.Sequential([layers.Input((100,)), layers.Dropout(0.5, name="drop"), layers.Dense(1)])
    model.compile(loss="mse")
    dropped = inspect.trace(model, np.ones(100), [1.0], training=True, verbose=False)["drop"]
    assert 0.2 < np.mean(dropped.output == 0) < 0.8


def test_examples_with_and_without_a_batch(network, example):
    x, y = example
    loss = inspect.trace(network, x, y, verbose=False).loss
    for one in (x[None], x[..., 0], x[None, ..., 0]):
        label = [y] if one.shape[0] == 1 else y
        assert inspect.trace(network, one, label, verbose=False).loss == loss
    with pytest.raises(ValueError, match=r"got shape \(5, 6, 6, 1\), expected one example of shape \(6, 6, 1\)"):
        inspect.trace(network, np.zeros((5, 6, 6, 1)), y, verbose=False)


def test_integers_become_what_the_model_takes(network):
    x = np.arange(36, dtype=np.uint8).reshape(6, 6)
    first = inspect.trace(network, x, 1, verbose=False)["conv"]
    assert first.gradient is not None


def test_functional_model_with_two_inputs_and_a_shared_layer():
    a, b = layers.Input((3,), name="a"), layers.Input((3,), name="b")
    shared = layers.Dense(2, name="shared")
    model = models.Model([a, b], layers.Add(name="sum")([shared(a), shared(b)]))
    model.compile(loss="mse")
    trace = inspect.trace(model, [np.ones(3), np.zeros(3)], [0.0, 0.0], verbose=False)
    assert [row.name for row in trace] == ["shared", "shared", "sum"]
    first, second, total = trace
    assert np.array_equal(first.gradient, total.gradient)
    assert np.array_equal(first.parameters[0].gradient, second.parameters[0].gradient)


def test_subclassed_model():
    class Twice(models.Model):
        def __init__(self):
            super().__init__()
            self.dense = layers.Dense(3, name="dense")

        def call(self, x):
            return self.dense(self.dense(x))

    model = Twice()
    model.compile(loss="mse")
    trace = inspect.trace(model, np.ones(3), np.zeros(3), verbose=False)
    assert [row.name for row in trace] == ["dense", "dense"]
    kernel = trace["dense"].parameters[0].value
    last = list(trace)[1]
    assert np.allclose(last.gradient, 2 / 3 * last.output, atol=1e-6)
    assert np.allclose(trace["dense"].gradient, last.gradient @ kernel.T, atol=1e-6)


def test_layers_that_the_loss_does_not_depend_on():
    model = models.Sequential([layers.Input((3,)), layers.Dense(2, name="frozen"), layers.Dense(1, name="last")])
    model.get_layer("frozen").trainable = False
    model.compile(loss="mse")
    trace = inspect.trace(model, np.ones(3), [1.0], verbose=False)
    assert trace["frozen"].parameters == []
    assert trace["frozen"].gradient.shape == (1, 2)


def test_the_table(network, example, capsys):
    trace = inspect.trace(network, *example)
    shown = capsys.readouterr().out
    assert f"loss {trace.loss:.4f}" in shown
    trace.print(width=80)
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 80
    rows = [line.split()[0] for line in lines if line.strip() and not set(line) & {"─", ":"}]
    names = ["conv", "kernel", "bias", "pool", "flat", "norm", "gamma", "beta", "drop", "scores", "kernel", "bias"]
    assert [row for row in rows if row in names] == names
    [conv] = [line for line in lines if line.strip().startswith("conv")]
    assert f"{np.linalg.norm(trace['conv'].gradient):.3g}" in conv
    assert f"{np.mean(trace['conv'].output == 0):.0%}" in conv


def test_a_model_without_a_loss_is_refused(example):
    model = models.Sequential([layers.Input((6, 6, 1)), layers.Flatten()])
    with pytest.raises(ValueError, match=r"no loss; call model\.compile"):
        inspect.trace(model, *example)
