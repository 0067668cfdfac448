"""Inference as one compiled call: when it takes the place of layer after layer, and that nobody can tell."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest

from layerwise import GradientTape, activations, config, inspect, layers, losses, models, ops
from layerwise.autograd import no_grad
from layerwise.backends import backend
from layerwise.models.inference import Inference

pytestmark = pytest.mark.skipif(config.backend() == "xla", reason="calls of JAX's functions are not replayed here")
RNG = np.random.default_rng(0)
X = RNG.standard_normal((3, 6, 6, 1)).astype("float32")


@pytest.fixture(autouse=True)
def taken(monkeypatch):
    """The inputs of calls that were taken over; the active backend is made one that replays."""
    calls = []
    plain = Inference.__call__

    def counting(self, x, training):
        calls.append(x)
        return plain(self, x, training)

    monkeypatch.setattr(type(backend()), "replays", True)
    monkeypatch.setattr(Inference, "__call__", counting)
    return calls


def network(*extra: layers.Layer) -> models.Sequential:
    return models.Sequential(
        [
            layers.Input((6, 6, 1)),
            layers.Conv2D(4, 3, activation="relu"),
            layers.MaxPooling2D(),
            layers.Dropout(0.5),
            layers.Flatten(),
            *extra,
            layers.Dense(3, activation="softmax"),
        ]
    )


def by_layers(model: models.Model, x: np.ndarray) -> np.ndarray:
    with GradientTape():
        return model(x).numpy()


def test_the_same_outputs_for_every_form_of_input(taken):
    model = network()
    expected = by_layers(model, X)
    assert not taken
    for x in (X, ops.array(X), X.astype("float64"), X[..., 0], np.asfortranarray(X), X[:1], X[:0]):
        for y in (model(x), model(x, training=False)):
            np.testing.assert_allclose(y, expected[: len(x)], rtol=1e-6)
    assert len(taken) == 14
    np.testing.assert_allclose(model.predict(X, batch_size=2, verbose=0), expected, rtol=1e-6)
    np.testing.assert_allclose(model.predict_on_batch(X), expected, rtol=1e-6)
    assert len(taken) == 17


def test_nested_inputs_and_outputs(taken):
    a, b = layers.Input((2,), name="a"), layers.Input((2,), name="b")
    model = models.Model([a, b], {"sum": layers.Add()([a, b]), "both": models.Sequential([layers.Dense(1)])(a * b)})
    one, two = RNG.standard_normal((2, 4, 2)).astype("float32")
    for x in ([one, two], {"a": one, "b": two}):
        y = model(x)
        np.testing.assert_allclose(y["sum"], one + two)
        assert y["both"].shape == (4, 1)
    assert len(taken) == 2
    assert model.predict([one, two], verbose=0)["both"].shape == (4, 1)


def test_probabilities_remember_their_logits():
    model = network()
    model.layers[-1].kernel.assign(1e3 * np.sign(model.layers[-1].kernel.numpy()))  # probabilities of 0 and 1
    y = model(X)
    loss = losses.SparseCategoricalCrossentropy()(np.zeros(3), y)
    with GradientTape():
        np.testing.assert_allclose(loss, losses.SparseCategoricalCrossentropy()(np.zeros(3), model(X)), rtol=1e-5)
    assert y.logits[0] == "softmax"


def test_what_changes_is_seen(taken):
    model = network()
    first = model(X).numpy()
    model.layers[-1].kernel.assign(model.layers[-1].kernel.numpy() * 2)
    second = model(X).numpy()
    assert np.abs(second - first).max() > 1e-4
    model.layers[-1].activation = activations.linear
    assert np.abs(model(X).numpy().sum(-1) - 1).max() > 1e-3
    model.pop()
    assert model(X).shape == (3, 16)
    model.add(layers.Dense(2))
    assert model(X).shape == (3, 2)
    assert len(taken) == 5
    model.compile("sgd", "mse")
    before = model(X).numpy()
    model.fit(X, np.ones((3, 2)), verbose=0)
    assert np.abs(model(X).numpy() - before).max() > 1e-6
    np.testing.assert_allclose(model(X), by_layers(model, X), rtol=1e-5)


def test_results_stay_what_they_were():
    model = network()
    first, second = model(X), model(-X)
    kept = first.numpy(), second.numpy()
    model.layers[-1].kernel.assign(model.layers[-1].kernel.numpy() * 2)
    model(X), model(-X)
    np.testing.assert_array_equal((first, second), kept)


class Own(layers.Layer):
    def call(self, x):
        return x


class Chained(models.Sequential):
    pass


@pytest.mark.parametrize(
    "model",
    [
        lambda: network(Own()),
        lambda: network(layers.Dense(2, activity_regularizer="l2")),
        lambda: network(layers.Dense(2, activation=lambda x: x)),
        lambda: Chained([layers.Input((6, 6, 1)), layers.Flatten()]),
    ],
)
def test_code_of_others_is_called(model, taken):
    model = model()
    model(X)
    assert not taken
    assert model.predict(X, verbose=0).shape[0] == 3
    assert not taken or not model.built


def test_calls_that_are_part_of_something_else(taken):
    model = network()
    with GradientTape() as tape:
        loss = ops.sum(model(X) ** 2)
    assert all(g is not None for g in tape.gradient(loss, model.trainable_variables))
    with GradientTape(), no_grad():
        model(X)
    model(X, training=True)
    model(layers.Input((6, 6, 1)))
    model(X.tolist())
    model(ops.array(X).note("mask", ops.ones((3,), "bool")))
    models.Model(outer := layers.Input((6, 6, 1)), model(outer))(X, training=True)
    assert not taken
    model.compile("sgd", "sparse_categorical_crossentropy")
    model.fit(X, np.zeros(3), validation_data=(X, np.zeros(3)), verbose=0)
    model.evaluate(X, np.zeros(3), verbose=0)
    assert not taken


def test_an_observer_sees_every_layer(taken):
    model = network()
    model.compile("sgd", "sparse_categorical_crossentropy")
    model(X)
    assert [row.name for row in inspect.trace(model, X[0], 0, verbose=False)] == [x.name for x in model.layers]
    seen = []
    plain = model.layers[0].call
    model.layers[0].call = lambda x: (seen.append(x.shape), plain(x))[1]
    model(X)
    assert seen == [X.shape]
    del model.layers[0].call
    model(X)
    assert len(seen) == 1
    assert len(taken) == 2


def test_losses_of_an_earlier_call_are_cleared():
    model = network()
    model(X)
    model.add_loss(1.0)
    assert len(model.losses) == 1
    model(X)
    assert model.losses == []


def test_settings_that_it_depends_on(taken):
    model = network()
    for fusion in (True, False, True):
        with config.override(fusion=fusion):
            np.testing.assert_allclose(model(X), by_layers(model, X), rtol=1e-6)
    assert len(taken) == 3


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))])
def test_copies_compute_by_themselves(duplicate):
    model = network()
    model.compile("sgd", "mse")
    model.fit(X, np.ones((3, 3)), verbose=0)
    expected = model(X).numpy()
    twin = duplicate(model)
    np.testing.assert_allclose(twin(X), expected, rtol=1e-6)
    if twin.layers[-1].kernel is not model.layers[-1].kernel:
        twin.layers[-1].kernel.assign(2 * twin.layers[-1].kernel.numpy())
        assert np.abs(twin(X) - expected).max() > 1e-4
        np.testing.assert_allclose(model(X), expected, rtol=1e-6)


def test_a_wrong_shape_is_refused_as_ever():
    model = network()
    with pytest.raises(ValueError, match="expected") as taken_over:
        model(X[:, :5])
    with GradientTape(), pytest.raises(ValueError, match="expected") as ordinary:
        model(X[:, :5])
    assert str(taken_over.value) == str(ordinary.value)
    assert model(X).shape == (3, 3)
