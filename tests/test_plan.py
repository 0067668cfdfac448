"""Fusing layers: what is found, and that nothing changes by it."""

from __future__ import annotations

import copy
import itertools

import numpy as np
import pytest

from layerwise import GradientTape, Variable, catalog, config, grad, inspect, layers, models, ops, random
from layerwise.backends import Window
from layerwise.layers.base import stage_of
from layerwise.models.plan import fusions

RNG = np.random.default_rng(0)


def convolutional() -> models.Model:
    """Every kind of fusion, and calls that look like one."""
    x = layers.Input((12, 12, 2))
    y = layers.Conv2D(4, 3, padding="same", activation="relu")(x)
    y = layers.MaxPooling2D(2)(y)
    y = layers.Conv2D(6, 2, use_bias=False)(y)
    y = layers.BatchNormalization(momentum=0.5)(y)
    y = skipped = layers.ReLU()(y)
    y = layers.Conv2D(6, 3, padding="same")(y)
    y = layers.Activation("tanh")(y)
    y = layers.Add()([y, skipped])
    y = layers.Conv2D(5, 2)(y)
    y = layers.Activation("sigmoid")(y)
    y = layers.MaxPooling2D((2, 1))(y)
    y = layers.Flatten()(y)
    y = layers.Dense(8)(y)
    y = layers.BatchNormalization(scale=False)(y)
    y = layers.Activation("relu")(y)
    return models.Model(x, layers.Dense(3, activation="softmax")(y))


def names(model: models.Model, training: bool) -> list[list[str]]:
    found = fusions(model._graph, training).values()
    unique = {id(fusion): fusion for fusion in found}.values()
    return [[type(call.operation).__name__ for call in fusion.calls] for fusion in unique]


def moved(model: models.Model) -> models.Model:
    """The model with weights and averages that are no longer what they began as."""
    for v in model.weights:
        v.assign(v.numpy() + RNG.uniform(0.05, 0.2, v.shape).astype(v.dtype))
    return model


def test_what_is_found():
    model = convolutional()
    assert names(model, training=True) == [
        ["Conv2D", "MaxPooling2D"],
        ["BatchNormalization", "ReLU"],
        ["Conv2D", "Activation"],
        ["Conv2D", "Activation", "MaxPooling2D"],
        ["BatchNormalization", "Activation"],
    ]
    assert names(model, training=False) == [
        ["Conv2D", "MaxPooling2D"],
        ["Conv2D", "BatchNormalization", "ReLU"],
        ["Conv2D", "Activation"],
        ["Conv2D", "Activation", "MaxPooling2D"],
        ["Dense", "BatchNormalization", "Activation"],
    ]


class Own(layers.MaxPooling2D):
    pass


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (layers.Conv2D(2, 3, activation="gelu"), layers.MaxPooling2D()),
        (layers.Conv2D(2, 3, activity_regularizer="l2"), layers.MaxPooling2D()),
        (layers.Conv2D(2, 3, dtype="float16"), layers.MaxPooling2D()),
        (layers.Conv2D(2, 3), Own()),
        (layers.Conv2D(2, 3), layers.MaxPooling2D(3, 2)),
        (layers.Conv2D(2, 3), layers.MaxPooling2D(padding="same")),
        (layers.Conv2D(2, 3, data_format="channels_first"), layers.MaxPooling2D(data_format="channels_first")),
        (layers.Conv2D(2, 3), layers.Activation("sigmoid")),
        (layers.Conv2D(2, 3), layers.ReLU(6)),
        (layers.Conv2D(2, 3), layers.BatchNormalization(axis=1)),
        (layers.BatchNormalization(), layers.Activation("sigmoid")),
        (layers.BatchNormalization(renorm=True), layers.ReLU()),
        (layers.BatchNormalization(trainable=False), layers.ReLU()),
        (layers.Dense(3, activation="relu"), layers.MaxPooling2D()),
    ],
)
def test_what_is_left_alone(first, second):
    x = layers.Input((6, 6, 6))
    model = models.Model(x, second(first(x)))
    assert names(model, training=True) == names(model, training=False) == []


def test_results_that_others_take_are_not_fused():
    x = layers.Input((6, 6, 2))
    y = layers.Conv2D(2, 3)(x)
    for outputs in ([y, layers.ReLU()(y)], layers.Add()([y, layers.ReLU()(y)])):
        assert names(models.Model(x, outputs), training=True) == []
    inner = models.Model(y, layers.ReLU()(y))
    assert names(inner, training=True) == []


def results(model: models.Model, x: np.ndarray, training: bool) -> tuple[np.ndarray, list[np.ndarray]]:
    with GradientTape() as tape:
        tape.watch(x := ops.array(x))
        y = model(x, training=training)
        loss = ops.sum(y * y * ops.cos(y))
    return y.numpy(), [np.asarray(g) for g in tape.gradient(loss, [x, *model.trainable_variables])]


@pytest.mark.own_backend
@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("backend", ["numpy", "xla"])
def test_outputs_gradients_and_averages_are_the_same(backend, training):
    x = RNG.standard_normal((4, 12, 12, 2)).astype("float32")
    with config.override(backend=backend):
        one = moved(convolutional())
        other = models.clone_model(one)
        other.set_weights(one.get_weights())
        y, gradients = results(one, x, training)
        with config.override(fusion=False):
            z, expected = results(other, x, training)
        np.testing.assert_allclose(y, z, rtol=1e-4, atol=1e-6)
        for g, e in zip(gradients, expected, strict=True):
            np.testing.assert_allclose(g, e, rtol=1e-3, atol=2e-5 * max(1, np.abs(e).max()))
        for v, w in zip(one.get_weights(), other.get_weights(), strict=True):
            np.testing.assert_allclose(v, w, rtol=1e-5, atol=1e-6)


def test_fits_are_the_same():
    x, y = RNG.standard_normal((48, 12, 12, 2)).astype("float32"), RNG.integers(0, 3, 48)
    start = convolutional()
    histories = []
    for fusion in (True, False):
        random.set_random_seed(1)
        model = models.clone_model(start)
        model.set_weights(start.get_weights())
        model.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"])
        with config.override(fusion=fusion):
            histories.append(model.fit(x, y, batch_size=16, epochs=3, validation_data=(x, y), verbose=0).history)
    for name, values in histories[0].items():
        np.testing.assert_allclose(values, histories[1][name], rtol=1e-3)


def test_a_folded_normalisation_is_never_stale():
    model = moved(convolutional())
    x = RNG.standard_normal((2, 12, 12, 2)).astype("float32")
    before = model.predict(x, verbose=0)
    for layer in model.layers:
        if isinstance(layer, layers.BatchNormalization):
            layer.moving_mean.assign_add(ops.ones_like(layer.moving_mean))
    after = model.predict(x, verbose=0)
    assert np.abs(after - before).max() > 1e-4
    with config.override(fusion=False):
        np.testing.assert_allclose(after, model.predict(x, verbose=0), rtol=1e-4)


def test_an_observer_sees_every_layer():
    model = convolutional()
    model.compile("sgd", "sparse_categorical_crossentropy")
    seen = inspect.trace(model, RNG.standard_normal((12, 12, 2)).astype("float32"), 1, verbose=False)
    assert [row.name for row in seen] == [layer.name for layer in model.layers[1:]]
    assert names(model, training=True)


def test_a_mask_leaves_positions_out_of_the_statistics():
    x = layers.Input((5, 3))
    model = models.Model(x, layers.ReLU()(layers.BatchNormalization()(x)))
    assert names(model, training=True)
    data = RNG.standard_normal((2, 5, 3)).astype("float32")

    def masked() -> np.ndarray:
        return model(ops.array(data).note("mask", ops.array([[True] * 3 + [False] * 2] * 2)), training=True).numpy()

    with config.override(fusion=False):
        expected = masked()
    np.testing.assert_allclose(masked(), expected, rtol=1e-6)
    assert np.abs(expected - model(data, training=True)).max() > 0.01


def test_a_copied_model_fuses():
    model = moved(convolutional())
    x = RNG.standard_normal((2, 12, 12, 2)).astype("float32")
    expected = model(x)
    twin = copy.deepcopy(model)
    assert names(twin, training=False) == names(model, training=False)
    np.testing.assert_array_equal(twin(x), expected)


def test_errors_name_the_layer():
    model = convolutional()
    with pytest.raises(ValueError, match="expected") as caught:
        model(np.zeros((1, 12, 12, 3), "float32"))
    assert "model" in str(caught.value)
    x = layers.Input((None, None, 1))
    model = models.Model(x, layers.MaxPooling2D(4)(layers.Conv2D(1, 3, name="stem")(x)))
    with pytest.raises(ValueError, match="larger than the input") as caught:
        model(np.zeros((1, 5, 5, 1), "float32"))
    assert any("stem" in note for note in caught.value.__notes__)


@pytest.mark.parametrize("act", [None, "relu", "tanh", "sigmoid"])
@pytest.mark.parametrize(("bias", "wanted"), list(itertools.product((True, False), ("x", "w", "all"))))
def test_gradients_of_convolution_and_pooling_at_once(act, bias, wanted):
    """Only what is asked for, with ties that relu makes."""
    x, w, b = (ops.array(RNG.standard_normal(s).astype("float32")) for s in ((2, 7, 7, 4), (3, 3, 2, 6), (6,)))
    b = b if bias else None
    window = Window.of((3, 3), (1, 1), "same", (1, 1), (7, 7))
    pool = Window.of((2, 3), (2, 3), "valid", (1, 1), (7, 7))

    def fused(x, w, b=None):
        return ops.sum(ops.sin(ops.conv_pool(x, w, b, window=window, act=act, pool=pool)))

    def apart(x, w, b=None):
        return ops.sum(ops.sin(ops.maximum_pool(ops.convolution(x, w, b, window=window, act=act), window=pool)))

    places = {"x": [0], "w": [1], "all": [0, 1, 2] if bias else [0, 1]}[wanted]
    args = (x, w) if b is None else (x, w, b)
    for g, e in zip(grad(fused, places)(*args), grad(apart, places)(*args), strict=True):
        np.testing.assert_allclose(g, e, rtol=1e-4, atol=1e-5)


def test_gradients_flow_through_the_gradient_of_a_fused_pool():
    """The gradient by what weights the outputs, with a tape that opens after the convolution ran."""
    kernel = Variable(RNG.standard_normal((2, 1, 2)).astype("float32"))
    layer = models.Sequential([layers.Input((6, 1)), layers.Conv1D(2, 2, activation="tanh"), layers.MaxPooling1D(2)])
    x, weights = ops.array(RNG.standard_normal((3, 6, 1)).astype("float32")), Variable(np.ones((3, 2, 2), "float32"))
    found = []
    for fusion in (True, False):
        with config.override(fusion=fusion):
            layer.layers[0].kernel.assign(kernel)
            with GradientTape(persistent=True) as inner:
                y = layer(x)
            with GradientTape() as outer:
                g = inner.gradient(y, layer.trainable_variables, output_gradients=weights.value)
                total = sum(ops.sum(ops.square(part)) for part in g)
            found.append(outer.gradient(total, weights).numpy())
    np.testing.assert_allclose(found[0], found[1], rtol=1e-5)
    assert np.abs(found[0]).max() > 0


def test_the_switch():
    assert config.fusion()
    config.set_fusion(False)
    try:
        assert not config.fusion()
    finally:
        config.set_fusion(True)


def test_which_layers_are_stages():
    kinds = {getattr(layers, name) for name in layers.__all__ if isinstance(getattr(layers, name), type)}
    stages = {kind.__name__: stage_of(kind) for kind in kinds if issubclass(kind, layers.Layer) and stage_of(kind)}
    poolings = [f"{kind}Pooling{rank}D" for kind in ("Average", "Max") for rank in (1, 2, 3)]
    assert stages == {
        **dict.fromkeys(("Conv1D", "Conv2D", "Conv3D"), "convolution"),
        **dict.fromkeys(poolings, "pooling"),
        **dict.fromkeys(("Activation", "ReLU"), "activation"),
        "Dense": "linear",
        "BatchNormalization": "normalization",
    }


def test_a_stage_is_that_of_the_class_whose_call_it_is(monkeypatch):
    class Other(layers.Dense):
        def call(self, x):
            return x

    monkeypatch.setattr(catalog, "home", lambda cls, namespaces: "layers")  # as if they were the library's
    assert stage_of.__wrapped__(layers.Conv2D) == "convolution"
    assert stage_of.__wrapped__(Own) == "pooling"
    assert stage_of.__wrapped__(Other) is None
