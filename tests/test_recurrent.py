"""Recurrent layers and wrappers, against Keras on JAX with the same weights, and against their cells step by step."""

from __future__ import annotations

import re
from typing import Any

import jax
import keras
import numpy as np
import pytest

import layerwise
from layerwise import GradientTape, config, layers, ops, saving, tree
from layerwise.autograd import Spec, Tensor

pytestmark = pytest.mark.filterwarnings("ignore:Layer '.*' .of type .*. was passed an input with a mask")
RNG = np.random.default_rng(7)
QUICKLY = {"xla_backend_optimization_level": 0, "xla_cpu_use_fusion_emitters": False}
X = (2, 5, 3)
MASK = np.array([[1, 1, 0, 1, 0], [0, 1, 1, 1, 1]], bool)


def numbers(*shape: int) -> np.ndarray:
    return RNG.standard_normal(shape).astype("float32")


def recurrent(kind: str, **options: Any) -> Any:
    return lambda library: getattr(library.layers, kind)(4, **options)


def stacked(library: Any) -> Any:
    return library.layers.RNN([library.layers.GRUCell(3), library.layers.LSTMCell(2)], return_state=True)


def around(kind: str, inner: Any, **options: Any) -> Any:
    return lambda library: getattr(library.layers, kind)(inner(library), **options)


# A layer of a library, the shape of its input, how it is called, and whether with states to begin with.
CASES: dict[str, tuple[Any, tuple[int, ...], dict[str, Any], int]] = {
    "SimpleRNN": (recurrent("SimpleRNN"), X, {}, 0),
    "SimpleRNN relu sequences": (
        recurrent("SimpleRNN", activation="relu", use_bias=False, return_sequences=True), X, {"mask": MASK}, 0
    ),
    "SimpleRNN state": (recurrent("SimpleRNN", return_state=True, go_backwards=True), X, {"mask": MASK}, 1),
    "LSTM": (recurrent("LSTM"), X, {}, 0),
    "LSTM all": (
        recurrent("LSTM", return_sequences=True, return_state=True, activity_regularizer="l2", kernel_regularizer="l1"),
        X, {}, 2,
    ),
    "LSTM backwards": (recurrent("LSTM", return_sequences=True, go_backwards=True), X, {"mask": MASK}, 0),
    "LSTM hard": (
        recurrent("LSTM", recurrent_activation="hard_sigmoid", unit_forget_bias=False, unroll=True),
        X, {"mask": MASK}, 2,
    ),
    "LSTM zeros": (recurrent("LSTM", return_sequences=True, zero_output_for_mask=True), X, {"mask": MASK}, 0),
    "GRU": (recurrent("GRU"), X, {}, 1),
    "GRU reset before": (recurrent("GRU", reset_after=False, return_sequences=True), X, {"mask": MASK}, 0),
    "GRU no bias": (recurrent("GRU", use_bias=False, return_state=True), X, {"mask": MASK}, 0),
    "stacked cells": (stacked, X, {}, 0),
    "ConvLSTM1D": (recurrent("ConvLSTM1D", kernel_size=2, return_sequences=True), (2, 3, 5, 3), {}, 0),
    "ConvLSTM2D": (
        recurrent("ConvLSTM2D", kernel_size=(2, 3), strides=2, padding="same"), (2, 3, 4, 4, 2), {}, 0
    ),
    "ConvLSTM2D first": (
        recurrent("ConvLSTM2D", kernel_size=2, data_format="channels_first", return_state=True), (2, 3, 2, 4, 4), {}, 0
    ),
    "ConvLSTM3D": (recurrent("ConvLSTM3D", kernel_size=2, dilation_rate=2, use_bias=False), (1, 2, 4, 4, 4, 2), {}, 0),
    "Bidirectional": (around("Bidirectional", recurrent("LSTM")), X, {}, 0),
    "Bidirectional sum": (
        around("Bidirectional", recurrent("GRU", return_sequences=True), merge_mode="sum"), X, {"mask": MASK}, 0
    ),
    "Bidirectional none": (
        around("Bidirectional", recurrent("SimpleRNN", return_sequences=True), merge_mode=None), X, {}, 0
    ),
    "Bidirectional state": (
        around("Bidirectional", recurrent("LSTM", return_state=True), merge_mode="mul"), X, {}, 4
    ),
    "TimeDistributed": (around("TimeDistributed", recurrent("Dense", activation="tanh")), X, {}, 0),
    "TimeDistributed convolution": (
        around("TimeDistributed", lambda library: library.layers.Conv1D(2, 2, padding="same")), (2, 3, 4, 3), {}, 0
    ),
}  # fmt: skip
every_case = pytest.mark.parametrize(("make", "shape", "how", "states"), CASES.values(), ids=CASES)


def pair(make: Any, shape: tuple[int, ...]) -> tuple[Any, Any]:
    ours, theirs = make(layerwise), make(keras)
    theirs(keras.KerasTensor((None, *shape[1:])))
    ours(Tensor(Spec((None, *shape[1:]))))
    values = [numbers(*v.shape) for v in theirs.weights]
    theirs.set_weights(values)
    ours.set_weights(values)
    return ours, theirs


@every_case
def test_values_and_gradients(make: Any, shape: Any, how: Any, states: int) -> None:
    ours, theirs = pair(make, shape)
    xs = [numbers(*shape), [numbers(2, 4) for _ in range(states)]]

    def called(layer: Any, xs: Any) -> Any:
        return layer(xs[0], **how, **({"initial_state": xs[1]} if states else {}))

    def total(trained: Any, xs: Any) -> Any:
        pairs = list(zip(theirs.trainable_variables, trained, strict=True))
        with keras.StatelessScope(pairs, collect_losses=True):
            y = called(theirs, xs)
            losses = theirs.losses
        return sum((np.cos(1.0 + i) * out * out).sum() for i, out in enumerate(jax.tree.leaves(y))) + sum(losses), y

    trained = [v.value for v in theirs.trainable_variables]
    run = jax.jit(jax.grad(total, (0, 1), has_aux=True)).lower(trained, xs).compile(QUICKLY)
    (by_weights0, by_inputs0), y0 = run(trained, xs)

    tensors = tree.map_structure(ops.array, xs)
    with GradientTape() as tape:
        tape.watch(tensors)
        y = called(ours, tensors)
        loss = sum(ops.sum(float(np.cos(1.0 + i)) * out * out) for i, out in enumerate(tree.flatten(y)))
        loss = sum(ours.losses, loss)
    by_weights, by_inputs = tape.gradient(loss, (ours.trainable_variables, tensors))
    expected = jax.tree.leaves([y0, by_weights0, by_inputs0])
    for a, b in zip(tree.flatten([y, by_weights, by_inputs]), expected, strict=True):
        assert a.shape == tuple(b.shape)
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=2e-5 * max(1.0, float(abs(b).max())))


def plain(node: Any) -> Any:
    """A configuration without automatic names, and without what one of both alone writes."""
    if isinstance(node, dict):
        left_out = ("shared_object_id", "build_config", "quantization_config", "name", "dtype", "seed")
        return {k: plain(v) for k, v in node.items() if k not in left_out}
    if isinstance(node, float):
        return pytest.approx(node, rel=1e-6)  # some of Keras' numbers went through float32
    return [plain(v) for v in node] if isinstance(node, list | tuple) else node


@every_case
def test_configurations_names_and_shapes(make: Any, shape: Any, how: Any, states: int) -> None:
    ours, theirs = pair(make, shape)
    assert plain(ours.get_config()) == plain(theirs.get_config())
    again = type(ours).from_config(ours.get_config())
    assert again.get_config() == ours.get_config()
    assert plain(type(ours).from_config(theirs.get_config()).get_config()) == plain(ours.get_config())
    assert [(v.name, v.shape) for v in ours.weights] == [(v.name, tuple(v.shape)) for v in theirs.weights]
    inner = [[re.sub(r"_\d+$", "", v.path.split("/")[-2]) for v in layer.weights] for layer in (ours, theirs)]
    assert inner[0] == inner[1]
    found = tree.map_structure(lambda t: t.shape, ours(Tensor(Spec((None, *shape[1:])))))
    expected = theirs(keras.KerasTensor((None, *shape[1:])))
    assert tree.flatten(found) == tree.flatten(tree.map_structure(lambda t: tuple(t.shape), expected))


@pytest.mark.float64
@pytest.mark.parametrize("kind", ["SimpleRNN", "LSTM", "GRU"])
def test_a_layer_takes_its_cells_steps(kind: str) -> None:
    layer = getattr(layers, kind)(4, return_sequences=True, return_state=True, stateful=True, dtype="float64")
    x = RNG.standard_normal((2, 6, 3))
    states = [np.zeros((2, 4))] * len(layer.state_size)
    for part in (x[:, :2], x[:, 2:]):  # the second call begins with the states that the first left
        y, *last = layer(part)
        for t in range(part.shape[1]):
            output, states = layer.cell(part[:, t], states)
            np.testing.assert_allclose(y[:, t], output, rtol=1e-12, atol=1e-14)
        for a, b in zip(last, states, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-14)
    layer.reset_state()
    np.testing.assert_allclose(layer(x[:, :1])[0][:, 0], layer.cell(x[:, 0], [np.zeros((2, 4))] * len(states))[0])
    assert len(layer.weights) == 3
    with pytest.raises(ValueError, match="stateful: got a batch of 3, expected 2"):
        layer(np.zeros((3, 2, 3)))


def test_masks_of_pictures_are_those_of_examples() -> None:
    layer, x = layers.ConvLSTM1D(2, 2, return_sequences=True), numbers(2, 4, 3, 1)
    y = layer(x, mask=np.array([[1, 1, 0, 0], [1, 1, 1, 1]], bool))
    np.testing.assert_array_equal(y[0, 1], y[0, 3])
    np.testing.assert_allclose(y[1], layer(x)[1], rtol=1e-5)


def test_dropout_has_one_mask_for_a_sequence() -> None:
    layer = layers.RNN(layers.SimpleRNNCell(1, activation="linear", dropout=0.5, seed=1), return_sequences=True)
    x = np.ones((64, 4, 1), "float32")
    layer(x)
    layer.set_weights([np.ones((1, 1)), np.zeros((1, 1)), np.zeros(1)])
    y = layer(x, training=True).numpy()[..., 0]
    assert {0.0, 2.0} == set(y.ravel())
    assert (y == y[:, :1]).all()
    assert 0.25 < (y == 0).mean() < 0.75
    layer = layers.RNN(layers.SimpleRNNCell(1, activation="linear", recurrent_dropout=0.5), return_sequences=True)
    layer(x)
    layer.set_weights([np.zeros((1, 1)), np.ones((1, 1)), np.zeros(1)])
    y = layer(x, initial_state=np.ones((64, 1), "float32"), training=True).numpy()[..., 0]
    assert set(y[:, 3]) == {0.0, 16.0}
    np.testing.assert_array_equal(layer(x, initial_state=np.ones((64, 1), "float32"))[..., 0], np.ones((64, 4)))


class Mean(layers.Layer):
    """A cell of a user's: h <- (h + x W) / 2."""

    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.units = self.state_size = units

    def build(self, input_shape):
        self.w = self.add_weight((input_shape[-1], self.units), name="w")

    def call(self, inputs, states):
        h = (states[0] + inputs @ self.w) / 2
        return h * 3, [h]


def test_a_users_cell() -> None:
    layer = layers.RNN(Mean(2), return_sequences=True, return_state=True)
    x = numbers(2, 4, 3)
    y, last = layer(x, mask=np.array([[0, 1, 0, 1], [1, 1, 1, 1]], bool))
    w, h, before = layer.cell.w.numpy(), np.zeros((2, 2)), np.zeros((2, 2))
    for t in range(4):
        new = (h + x[:, t] @ w) / 2
        kept = np.array([[t not in (0, 2)], [True]])
        before = np.where(kept, new * 3, before)
        np.testing.assert_allclose(y[:, t], before, rtol=1e-5)
        h = np.where(kept, new, h)
    np.testing.assert_allclose(last, h, rtol=1e-5)
    assert layers.RNN(Mean(2))(x).shape == (2, 2)


@pytest.mark.float64
@pytest.mark.parametrize("zeros", [False, True])
@pytest.mark.parametrize("backwards", [False, True])
@pytest.mark.parametrize("kind", ["LSTM", "GRU", "stacked", "user's"])
def test_values_and_gradients_are_those_of_masked_steps(kind: str, backwards: bool, zeros: bool) -> None:
    """A masked step leaves states and output as they are, or gives 0."""
    cells = {"LSTM": layers.LSTMCell, "GRU": layers.GRUCell, "user's": Mean}
    each = [cells.get(kind, layers.GRUCell)(4, dtype="float64"), layers.LSTMCell(2, dtype="float64")]
    cell = layers.StackedRNNCells(each, dtype="float64") if kind == "stacked" else each[0]
    options = {"return_sequences": True, "return_state": True, "go_backwards": backwards}
    layer = layers.RNN(cell, zero_output_for_mask=zeros, dtype="float64", **options)
    x = ops.array(RNG.standard_normal((2, 5, 3)))
    layer.build(x.shape)
    layer.set_weights([RNG.standard_normal(w.shape) / 2 for w in layer.weights])

    def steps() -> list[Any]:
        states, y, ys = layer.get_initial_state(2), 0.0, []
        for t in range(5)[:: -1 if backwards else 1]:
            kept = MASK[:, t, None]
            new, after = cell(x[:, t], states)
            y = ops.where(kept, new, 0.0 if zeros else y)
            states = tree.map_structure(lambda a, b, kept=kept: ops.where(kept, a, b), after, states)
            ys.append(y)
        return [ops.stack(ys, axis=1), *tree.flatten(states)]

    found = []
    for run in (lambda: tree.flatten(layer(x, mask=MASK)), steps):
        with GradientTape() as tape:
            tape.watch(x)
            ys = run()
            loss = sum(ops.sum(ops.cos(y) * y) for y in ys)
        found.append([*ys, *tape.gradient(loss, [x, *layer.trainable_weights])])
    for a, b in zip(*found, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-11, atol=1e-13)
    last = layers.RNN(cell, zero_output_for_mask=zeros, go_backwards=backwards, dtype="float64")(x, mask=MASK)
    np.testing.assert_allclose(last, found[0][0][:, -1], rtol=1e-11)


def test_cells_inside_others_drop_the_same_in_each_step() -> None:
    first = layers.SimpleRNNCell(3, activation="linear", dropout=0.5, kernel_initializer="identity", seed=1)
    second = layers.SimpleRNNCell(
        3, activation="linear", recurrent_dropout=0.5, recurrent_initializer="identity", kernel_initializer="zeros"
    )
    first.recurrent_initializer = lambda shape, dtype=None: np.zeros(shape, "float32")
    layer = layers.RNN([first, second], return_sequences=True, return_state=True)
    start = [np.zeros((40, 3), "float32"), np.ones((40, 3), "float32")]
    y, h, _ = layer(np.ones((40, 3, 3), "float32"), initial_state=start, training=True)
    assert set(np.unique(h)) == {0.0, 2.0}
    assert 0.3 < (y[:, 2].numpy() == 8.0).mean() < 0.7  # a half, where three draws would leave an eighth
    assert first.held is None


def classifier(library: Any) -> Any:
    x = library.Input((6,), dtype="int32")
    h = library.layers.Embedding(20, 8, mask_zero=True, name="e")(x)
    h = library.layers.Bidirectional(library.layers.LSTM(4, return_sequences=True), name="b")(h)
    h = library.layers.GRU(3, name="g")(h)
    return library.Model(x, library.layers.Dense(1, activation="sigmoid", name="d")(h), name="m")


def test_files_both_ways(tmp_path: Any) -> None:
    x = RNG.integers(0, 20, (5, 6))
    x[:, 0] = 1
    ours, theirs = classifier(layerwise), classifier(keras)
    values = [numbers(*v.shape) for v in theirs.weights]
    theirs.set_weights(values)
    y = theirs.predict(x, verbose=0)
    ours.set_weights(values)
    np.testing.assert_allclose(ours.predict(x, verbose=0), y, rtol=1e-4)
    theirs.save(tmp_path / "k.keras")
    np.testing.assert_allclose(saving.load_model(tmp_path / "k.keras").predict(x, verbose=0), y, rtol=1e-4)
    ours.save(tmp_path / "o.keras")
    np.testing.assert_allclose(keras.models.load_model(tmp_path / "o.keras").predict(x, verbose=0), y, rtol=1e-4)
    theirs.save(tmp_path / "k.h5")
    np.testing.assert_allclose(saving.load_model(tmp_path / "k.h5").predict(x, verbose=0), y, rtol=1e-4)


@pytest.mark.parametrize("backend", ["numpy", "native", "xla"])
def test_a_classifier_of_sequences_learns(backend: str) -> None:
    if backend == "native":
        pytest.importorskip("layerwise.backends._native", exc_type=ImportError)
    with config.override(backend=backend):
        x = RNG.integers(1, 10, (128, 6), "int32")
        x[RNG.random((128, 6)) < 0.2] = 0
        y = (x == 7).any(axis=1).astype("float32")
        model = classifier(layerwise)
        model.compile(layerwise.optimizers.Adam(0.02), "binary_crossentropy")
        history = model.fit(x, y, epochs=6 if backend == "numpy" else 20, batch_size=32, verbose=0).history["loss"]
        assert history[-1] < (0.6 if backend == "numpy" else 0.2)


def test_what_recurrent_layers_refuse() -> None:
    wrong = [
        (lambda: layers.LSTM(0), "LSTMCell: units: got 0, expected a whole number >= 1"),
        (lambda: layers.RNN(3), "RNN: cell: got a int without 'call'"),
        (lambda: layers.RNN(layers.Dense(3)), "got a Dense without 'state_size'"),
        (lambda: layers.LSTM(3)(np.zeros((2, 3))), "LSTM"),
        (lambda: layers.LSTM(3, stateful=True)(Tensor(Spec((None, 2, 3)))), "stateful: the batch size is not known"),
        (lambda: layers.Bidirectional(3), "layer: got a int, expected a Layer"),
        (lambda: layers.Bidirectional(layers.LSTM(3), merge_mode="max"), "merge_mode: got 'max'"),
        (
            lambda: layers.Bidirectional(layers.LSTM(3), backward_layer=layers.LSTM(3)),
            "go_backwards: got False for both layers",
        ),
        (lambda: layers.TimeDistributed(layers.Dense(2))(np.zeros((2, 3))), r"expected \(batch, steps, \.\.\.\)"),
        (
            lambda: layers.TimeDistributed(layers.Dense(2))(np.zeros((2, 3, 2)), mask=np.ones((2, 2), bool)),
            r"mask: got shape \(2, 2\), expected \(batch, steps",
        ),
    ]
    for do, message in wrong:
        with pytest.raises(ValueError, match=message):
            do()
