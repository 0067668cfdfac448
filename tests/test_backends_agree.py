"""The same program on every backend: a nested model, dropout, batch statistics, a scan, a step of the user's own."""

import numpy as np
import pytest

from layerwise import GradientTape, config, layers, losses, models, ops, optimizers, random
from layerwise.backends import Window, load, missing_kernels
from layerwise.layers import Layer


class Accumulate(Layer):
    """h_t = tanh(x_t W + h_(t-1) U), the last one returned: recurrence through a scan."""

    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.units = units

    def build(self, input_shape):
        self.kernel = self.add_weight((input_shape[-1], self.units), name="kernel")
        self.recurrent = self.add_weight((self.units, self.units), "orthogonal", name="recurrent")

    def call(self, x):
        def step(h, x_t):
            h = ops.tanh(x_t @ self.kernel + h @ self.recurrent)
            return h, None

        return ops.scan(step, ops.zeros((x.shape[0], self.units), x.dtype), ops.swapaxes(x, 0, 1))[0]


class Penalised(models.Model):
    """A model with its own training step: the loss plus a penalty on the input's gradient (a second derivative)."""

    def train_step(self, data):
        x, y = data
        with GradientTape() as outer:
            with GradientTape() as inner:
                inner.watch(x)
                y_pred = self(x, training=True)
                fit = self.compute_loss(x=x, y=y, y_pred=y_pred)
            slope = inner.gradient(fit, x)
            loss = fit + 0.1 * ops.sum(ops.square(slope))
        variables = self.trainable_variables
        self.optimizer.apply_gradients(zip(outer.gradient(loss, variables), variables, strict=True))
        for metric in self.metrics:
            metric.update_state(loss) if metric.name == "loss" else metric.update_state(y, y_pred)
        return {m.name: m.result() for m in self.metrics}


def nested_model():
    block_in = layers.Input((6, 5))
    block = models.Model(
        block_in, layers.BatchNormalization(momentum=0.9)(layers.Dense(8, activation="relu")(block_in))
    )
    x = layers.Input((6, 5))
    h = layers.Dropout(0.25, seed=3)(block(x))
    h = Accumulate(7)(h) * 2.0
    return Penalised(x, layers.Dense(3, activation="softmax")(h))


def train(backend, weights=None):
    with config.override(backend=backend):
        random.set_random_seed(5)
        model = nested_model()
        if weights is not None:
            model.set_weights(weights)
        start = model.get_weights()
        model.compile(optimizers.Adam(0.01), losses.SparseCategoricalCrossentropy(), metrics=["accuracy"])
        rng = np.random.default_rng(0)
        x, y = rng.standard_normal((40, 6, 5)).astype("float32"), rng.integers(0, 3, 40)
        history = model.fit(x, y, batch_size=16, epochs=3, shuffle=False, verbose=0).history
        return start, model.get_weights(), history


@pytest.mark.parametrize("name", [name for name in config.BACKENDS if name != config.REFERENCE])
def test_a_nested_model_with_its_own_step_trains_to_the_same_weights(name):
    if name == "native" and missing_kernels():
        pytest.skip(missing_kernels())
    start, reference, history = train(config.REFERENCE)
    _, compiled, compiled_history = train(name, start)
    assert any(not np.array_equal(a, b) for a, b in zip(start, reference, strict=True))
    for a, b in zip(reference, compiled, strict=True):
        np.testing.assert_allclose(b, a, rtol=2e-4, atol=2e-5)
    np.testing.assert_allclose(compiled_history["loss"], history["loss"], rtol=1e-4)


def test_the_reference_repeats_itself_to_the_bit():
    _, first, _ = train("numpy")
    _, second, _ = train("numpy")
    for a, b in zip(first, second, strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_variable_belongs_to_its_backend():
    with config.override(backend="numpy"):
        layer = layers.Dense(2)
        layer.build((None, 3))
    with (
        config.override(backend="xla"),
        pytest.raises(RuntimeError, match=r"created under the backend 'numpy'.*rebuild"),
    ):
        layer(np.zeros((1, 3), "float32"))


def test_one_compilation_a_shape():
    traces = []

    class Counting(Layer):
        def call(self, x):
            traces.append(x.shape)
            return x

    with config.override(backend="xla"):
        model = models.Sequential([layers.Input((4,)), Counting(), layers.Dense(2)])
        model.compile("sgd", "mse")
        x, y = np.zeros((20, 4), "float32"), np.zeros((20, 2), "float32")
        model.fit(x, y, batch_size=8, epochs=1, verbose=0)
        before = len(traces)
        model.fit(x, y, batch_size=8, epochs=3, verbose=0)
        after = [shape for shape in traces[before:] if shape[0] in (8, 4)]
    assert after.count((8, 4)) <= 2


@pytest.mark.parametrize("name", ["numpy", "xla"])
def test_what_a_backend_may_fuse_is_the_same_in_parts(name):
    rng = np.random.default_rng(1)
    x = rng.standard_normal((2, 4, 4, 1)).astype("float32")
    w, b = rng.standard_normal((1, 1, 1, 3)).astype("float32"), np.float32([0.5, 0.0, -0.5])
    backend = load(name)
    once = Window((1, 1), (1, 1), ((0, 0), (0, 0)))
    pool = Window((2, 2), (2, 2), ((0, 0), (0, 0)))
    y, argmax = map(backend.numpy, backend.conv_pool(*map(backend.array, (x, w, b)), once, "relu", pool))
    tiles = np.maximum(x * w[0, 0] + b, 0).reshape(2, 2, 2, 2, 2, 3).swapaxes(2, 3).reshape(2, 2, 2, 4, 3)
    np.testing.assert_allclose(y, tiles.max(axis=3), rtol=1e-6)
    np.testing.assert_array_equal(argmax, tiles.argmax(axis=3))

    gamma, beta = rng.standard_normal((2, 1, 1, 1, 1)).astype("float32")
    y, mean, var = map(
        backend.numpy, backend.norm_act(*map(backend.array, (x, gamma, beta)), (0, 1, 2), 1e-3, "sigmoid")
    )
    np.testing.assert_allclose([mean.item(), var.item()], [x.mean(), x.var()], rtol=1e-5, atol=1e-7)
    z = (x - x.mean()) / np.sqrt(x.var() + 1e-3) * gamma + beta
    np.testing.assert_allclose(y, 1 / (1 + np.exp(-z)), rtol=1e-5)
