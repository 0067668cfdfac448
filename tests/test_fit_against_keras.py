"""Whole training runs against Keras on JAX: same weights, same data, no shuffling."""

import contextlib
from functools import partial
from unittest.mock import patch

import jax
import keras
import numpy as np
import pytest

import layerwise as lw


def compiled_quickly(k):
    """Keras' programs are compiled in little time, whatever the environment wants for ours."""
    quickly = {"xla_backend_optimization_level": 0, "xla_cpu_use_fusion_emitters": False}
    jit = partial(jax.jit, compiler_options=quickly)
    return patch("keras.src.backend.jax.trainer.jit", jit) if k is keras else contextlib.nullcontext()


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def cnn(k):
    return k.Sequential(
        [
            k.layers.Input((10, 10, 2)),
            k.layers.Conv2D(6, 3, activation="relu"),
            k.layers.BatchNormalization(),
            k.layers.MaxPooling2D(2),
            k.layers.Conv2D(8, (3, 2), padding="same", activation="tanh", kernel_regularizer=k.regularizers.L2(0.01)),
            k.layers.AveragePooling2D(2, padding="same"),
            k.layers.Flatten(),
            k.layers.LayerNormalization(),
            k.layers.Dense(4, activation="softmax"),
        ]
    )


def two_headed(k):
    a, b = k.layers.Input((5,), name="a"), k.layers.Input((3,), name="b")
    shared = k.layers.Dense(6, activation="relu", name="shared")
    h = k.layers.Concatenate()([shared(a), k.layers.Dense(4, name="side")(b)])
    h = k.layers.Add()([h, k.layers.Dense(10, name="skip")(k.layers.Concatenate()([a, b]))])
    return k.Model(
        [a, b], {"c": k.layers.Dense(3, activation="softmax", name="c")(h), "r": k.layers.Dense(1, name="r")(h)}
    )


def optimizer(k, name):
    if name == "adam":
        return k.optimizers.Adam(0.003)
    return k.optimizers.SGD(0.05, momentum=0.9, nesterov=True, global_clipnorm=1.0)


@pytest.mark.parametrize("name", ["adam", "sgd"])
def test_a_convolutional_network_has_keras_loss_curve(rng, name):
    """Batches of 16 and a last one of 2 everywhere: each program is compiled for two shapes, no more."""
    x, y = rng.standard_normal((50, 10, 10, 2)).astype("float32"), rng.integers(0, 4, 50)
    ours, theirs = cnn(lw), cnn(keras)
    ours.set_weights(theirs.get_weights())
    histories = []
    for k, model in ((lw, ours), (keras, theirs)):
        model.compile(optimizer(k, name), "sparse_categorical_crossentropy", metrics=["accuracy"])
        with compiled_quickly(k):
            fitted = model.fit(x, y, 16, epochs=3, shuffle=False, verbose=0, validation_data=(x[:18], y[:18]))
        histories.append(fitted.history)
    got, expected = histories
    assert list(got) == list(expected)
    for key in expected:
        np.testing.assert_allclose(got[key], expected[key], rtol=1e-4, atol=1e-5, err_msg=key)
    for a, b in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=2e-3, atol=2e-4)
    with compiled_quickly(keras):
        predicted, evaluated = theirs.predict(x, 16, verbose=0), theirs.evaluate(x, y, 16, verbose=0)
    np.testing.assert_allclose(ours.predict(x, 16, verbose=0), predicted, rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(ours.evaluate(x, y, 16, verbose=0), evaluated, rtol=1e-3)


def test_several_inputs_outputs_losses_and_weights_have_keras_curves(rng):
    a, b = rng.standard_normal((40, 5)).astype("float32"), rng.standard_normal((40, 3)).astype("float32")
    c, r = rng.integers(0, 3, 40), rng.standard_normal((40, 1)).astype("float32")
    weight = rng.uniform(0.5, 2, 40).astype("float32")
    ours, theirs = two_headed(lw), two_headed(keras)
    ours.set_weights(theirs.get_weights())
    histories = []
    for k, model in ((lw, ours), (keras, theirs)):
        model.compile(
            optimizer(k, "adam"),
            {"c": "sparse_categorical_crossentropy", "r": k.losses.Huber()},
            loss_weights={"c": 1.0, "r": 0.3},
            metrics={"c": ["accuracy"], "r": ["mae", "mse"]},
        )
        data = {"a": a, "b": b}, {"c": c, "r": r}
        histories.append(
            model.fit(*data, sample_weight={"c": weight, "r": weight}, epochs=3, shuffle=False, verbose=0).history
        )
    got, expected = histories
    assert list(got) == list(expected)
    for key in expected:
        np.testing.assert_allclose(got[key], expected[key], rtol=1e-4, atol=1e-5, err_msg=key)


def test_class_weights_validation_split_and_weighted_metrics_are_keras(rng):
    x, y = rng.standard_normal((60, 6)).astype("float32"), rng.integers(0, 2, 60)
    histories = []
    weights = None
    for k in (keras, lw):
        model = k.Sequential([k.layers.Input((6,)), k.layers.Dense(5, "relu"), k.layers.Dense(1, "sigmoid")])
        if weights is None:
            weights = model.get_weights()
        model.set_weights(weights)
        model.compile("sgd", "binary_crossentropy", metrics=["accuracy"], weighted_metrics=["accuracy"])
        history = model.fit(
            x,
            y,
            batch_size=13,
            epochs=2,
            shuffle=False,
            verbose=0,
            validation_split=0.25,
            class_weight={0: 1.0, 1: 3.0},
        )
        histories.append(history.history)
    expected, got = histories
    assert list(got) == list(expected)
    for key in expected:
        np.testing.assert_allclose(got[key], expected[key], rtol=1e-4, atol=1e-5, err_msg=key)


@pytest.mark.parametrize("build", [cnn, two_headed])
def test_the_order_of_layers_and_weights_is_keras(build):
    ours, theirs = build(lw), build(keras)
    assert [type(layer).__name__ for layer in ours.layers] == [type(layer).__name__ for layer in theirs.layers]
    assert [w.shape for w in ours.weights] == [tuple(w.shape) for w in theirs.weights]
    assert ours.count_params() == theirs.count_params()
