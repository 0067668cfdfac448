"""Training as people write it for Keras: steps, losses, metrics and optimizers of their own. Values are Keras'."""

import numpy as np
import pytest

from layerwise import (
    GradientTape,
    Input,
    Model,
    Sequential,
    layers,
    metrics,
    ops,
    optimizers,
    utils,
    value_and_grad,
)  # fmt: skip
from layerwise.data import Dataset

X, Y = np.ones((4, 2), "float32"), np.zeros((4, 1), "float32")


class Subclassed(Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.dense = layers.Dense(1, kernel_initializer="ones")

    def call(self, x):
        return self.dense(x)

    def get_config(self):
        return {"name": self.name}


# Steps and losses of one's own


def test_nested_logs_are_flattened():
    class Reporting(Subclassed):
        def train_step(self, data):
            super().train_step(data)
            return {m.name: m.result() for m in self.metrics}

        def test_step(self, data):
            return {"outer": {"inner": super().test_step(data)}}

    model = Reporting()
    model.compile("sgd", "mse", metrics=["mae"])
    history = model.fit(X, Y, validation_data=(X, Y), verbose=0).history
    assert history.keys() == {"loss", "mae", "val_loss", "val_mae"}
    assert history["mae"] == [2.0]
    assert model.evaluate(X, Y, verbose=0, return_dict=True).keys() == {"loss", "mae"}
    assert model.train_on_batch(X, Y, return_dict=True).keys() == {"loss", "mae"}


@pytest.mark.parametrize("eager", [False, True])
def test_compute_loss_without_the_mode(eager):
    class Own(Subclassed):
        def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, scale=2.0):
            return scale * ops.mean((y - y_pred) ** 2)

    model = Own()
    model.compile("sgd", run_eagerly=eager)
    assert model.fit(X, Y, verbose=0).history == {"loss": [8.0]}
    assert model.evaluate(X, Y, verbose=0) < 8.0


@pytest.mark.parametrize("shape", [(4,), (4, 1)])
def test_labels_meet_predictions_in_losses_of_ones_own(shape):
    """(n,) and (n, 1) do not broadcast to (n, n): Keras adds the dimension before it calls the function."""
    model = Subclassed()
    model.compile("sgd", lambda y, p: ops.mean((y - p) ** 2 * (y - 1)))
    y = np.arange(4.0).reshape(shape)
    assert model.evaluate(X, y, verbose=0) == pytest.approx(np.mean((y - 2) ** 2 * (y - 1)))


def test_labels_for_the_outputs_with_a_loss_alone():
    x = Input((2,))
    outputs = [layers.Dense(1, kernel_initializer="ones", name=name)(x) for name in "abc"]
    model = Model(x, outputs)
    model.compile("sgd", loss=["mse", None, None], metrics=[["mae"], None, None])
    assert model.evaluate(X, Y, verbose=0, return_dict=True) == {"loss": 4.0, "a_mae": 2.0}
    model.compile("sgd", loss=["mse", None, "mae"])
    assert model.evaluate(X, [Y, Y], verbose=0, return_dict=True) == {"loss": 6.0, "a_loss": 4.0, "c_loss": 2.0}
    with pytest.raises(ValueError, match="one array, expected one for each of the 3 outputs"):
        model.evaluate(X, Y, verbose=0)


# Optimizers


class Momentum(optimizers.Optimizer):
    def build(self, variables):
        super().build(variables)
        self.momenta = [self.add_variable_from_reference(reference_variable=v, name="m") for v in variables]

    def update_step(self, gradient, variable, learning_rate):
        momentum = self.momenta[self._get_variable_index(variable)]
        self.assign(momentum, 0.9 * momentum + gradient)
        self.assign_sub(variable, ops.cast(learning_rate, variable.dtype) * momentum)


class Assigning(Momentum):
    def build(self, variables):
        super(Momentum, self).build(variables)
        self.momenta = self.add_optimizer_variables(variables, "m")

    def update_step(self, gradient, variable, learning_rate):
        momentum = self.momenta[self._get_variable_index(variable)]
        momentum.assign(0.9 * momentum + gradient)
        variable.assign(variable - learning_rate * momentum)


@pytest.mark.parametrize("kind", [Momentum, Assigning])
def test_an_optimizer_that_assigns(kind, tmp_path):
    model = Sequential([layers.Dense(1, kernel_initializer="ones")])
    model.compile(kind(learning_rate=0.1), "mse")
    model.fit(X, Y, verbose=0, epochs=3)
    np.testing.assert_allclose(model.get_weights()[0], np.full((2, 1), -0.236), rtol=1e-5)
    np.testing.assert_allclose(model.get_weights()[1], [-1.236], rtol=1e-5)
    assert [v.path for v in model.optimizer.variables[2:]] == [
        f"{model.optimizer.name}/{model.layers[0].name}_{name}_m" for name in ("kernel", "bias")
    ]


def test_slots_of_several_names():
    optimizer = optimizers.SGD()
    optimizer.build([])
    dense = layers.Dense(2)
    dense.build((None, 3))
    first, second = optimizer.add_optimizer_variables(dense.weights, ["m", "v"], ["zeros", "ones"])
    assert [v.shape for v in first] == [v.shape for v in second] == [(3, 2), (2,)]
    assert (first[0].numpy().max(), second[1].numpy().min()) == (0.0, 1.0)
    assert optimizer.add_variable((2,), name="own").shape == (2,)
    assert len(optimizer.variables) == 7


# Several losses


def test_losses_of_one_output_add_up():
    def fit(loss, weights=None, outputs=1):
        x = Input((2,))
        dense = [layers.Dense(1, kernel_initializer="ones", name=f"out_{i}")(x) for i in range(outputs)]
        model = Model(x, dense if outputs > 1 else dense[0])
        model.compile("sgd", loss, loss_weights=weights)
        return model.fit(X, [Y] * outputs if outputs > 1 else Y, batch_size=4, verbose=0).history

    assert fit(["mse", "mae"]) == {"loss": [6.0]}
    assert fit(["mse", "mae"], [0.5, 2.0]) == {"loss": [6.0]}
    both = fit(["mse", ["mse", "mae"]], outputs=2)
    assert both == {"loss": [10.0], "out_0_loss": [4.0], "out_1_loss": [6.0]}
    assert fit([["mse"], ["mse", "mae"]], [2.0, [0.5, 0.5]], outputs=2)["loss"] == [11.0]
    x = Input((2,))
    model = Model(x, (layers.Dense(1)(x), layers.Dense(1)(x)))
    model.compile("sgd", ["mse", ("mse", "mae")])
    with pytest.raises(ValueError, match=r"got a list with structures inside for outputs in a tuple"):
        model.fit(X, (Y, Y), verbose=0)
    with pytest.raises(ValueError, match=r"loss_weights: got .* for the 2 losses of output 'out_1'"):
        fit(["mse", ["mse", "mae"]], [1.0, [1.0] * 3], outputs=2)


@pytest.mark.parametrize("what", ["metrics", "weighted_metrics"])
def test_metrics_of_one_output_of_several(what):
    x = Input((2,))
    for outputs in ([layers.Dense(1, name=n)(x) for n in "ab"], {n: layers.Dense(1, name=n)(x) for n in "ab"}):
        model = Model(x, outputs)
        model.compile("sgd", "mse", **{what: {"b": ["mae", "mse"]}})
        model.fit(X, {"a": Y, "b": Y} if isinstance(outputs, dict) else [Y, Y], verbose=0)
        assert set(model.history.history) == {"loss", "a_loss", "b_loss", "b_mae", "b_mse"}


# State that is handed in and out


class FromState(Sequential):
    """Keras' form of a step for JAX."""

    def train_step(self, state, data):
        trained, fixed, slots, measured = state
        x, y = data

        def loss_and_updates(trained, fixed):
            y_pred, fixed = self.stateless_call(trained, fixed, x, training=True)
            return self.compute_loss(x, y, y_pred), (y_pred, fixed)

        (loss, (y_pred, fixed)), grads = value_and_grad(loss_and_updates, has_aux=True)(trained, fixed)
        trained, slots = self.optimizer.stateless_apply(slots, grads, trained)
        logs, measured = self.measure(measured, loss, y, y_pred)
        return logs, (trained, fixed, slots, measured)

    def test_step(self, state, data):
        trained, fixed, measured = state
        x, y = data
        y_pred, fixed = self.stateless_call(trained, fixed, x, training=False)
        logs, measured = self.measure(measured, self.compute_loss(x, y, y_pred), y, y_pred)
        return logs, (trained, fixed, measured)

    def predict_step(self, state, data):
        return self.stateless_call(*state, data, training=False)

    def measure(self, values, loss, y, y_pred):
        logs, new = {}, []
        for metric in self.metrics:
            own = values[len(new) : len(new) + len(metric.variables)]
            own = metric.stateless_update_state(own, *([loss] if metric.name == "loss" else [y, y_pred]))
            logs[metric.name] = metric.stateless_result(own)
            new += own
        return logs, new


@pytest.mark.parametrize("eager", [False, True])
def test_a_step_that_is_given_the_state(eager):
    ends = []
    for cls in (FromState, Sequential):
        utils.set_random_seed(0)
        model = cls([Input((2,)), layers.BatchNormalization(momentum=0.5), layers.Dense(1)])
        model.compile(optimizers.SGD(0.1, momentum=0.9), "mse", metrics=["mae"], run_eagerly=eager)
        x = np.arange(16.0, dtype="float32").reshape(8, 2)
        y = x[:, :1]
        history = model.fit(x, y, batch_size=4, epochs=2, shuffle=False, validation_data=(x, y), verbose=0).history
        ends.append((model.get_weights(), model.predict(x, verbose=0), history))
    (weights, predicted, history), (expected, correct, ours) = ends
    for a, b in zip([*weights, predicted], [*expected, correct], strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)
    assert history.keys() == ours.keys()
    for name in history:
        np.testing.assert_allclose(history[name], ours[name], rtol=1e-5)


def test_a_step_that_differentiates_with_jax():
    jax = pytest.importorskip("jax")

    class Foreign(FromState):
        def train_step(self, state, data):
            return jax.value_and_grad(lambda trained: trained[0].sum())(state[0])

    model = Foreign([Input((2,)), layers.Dense(1)])
    model.compile("sgd", "mse")
    with pytest.raises(TypeError, match="not a valid JAX type") as caught:
        model.fit(X, Y, verbose=0)
    assert "write layerwise.value_and_grad for jax.value_and_grad" in str(caught.value.__notes__)


def test_calls_without_state():
    model = Sequential([Input((2,)), layers.BatchNormalization(momentum=0.5), layers.Dense(1)])
    model.compile(optimizers.SGD(0.1, momentum=0.9), "mse", metrics=["mae"])
    model.optimizer.build(model.trainable_variables)
    before = [v.numpy() for v in model.variables]
    trained, fixed = ([v.value for v in group] for group in (model.trainable_variables, model.non_trainable_variables))

    def loss(trained, fixed, state):
        y_pred, fixed = model.stateless_call(trained, fixed, X, training=True)
        value, (_, _, state) = model.stateless_compute_loss(trained, fixed, state, x=X, y=Y, y_pred=y_pred)
        return value, (fixed, state, y_pred)

    measured = [v.value for v in model.metrics_variables]
    (value, (fixed, measured, y_pred)), grads = value_and_grad(loss, has_aux=True)(trained, fixed, measured)
    slots = [v.value for v in model.optimizer.variables]
    trained, slots = model.optimizer.stateless_apply(slots, grads, trained)
    mean = metrics.Mean()
    state = mean.stateless_update_state([v.value for v in mean.variables], y_pred)
    assert mean.stateless_result(state).item() == pytest.approx(np.mean(y_pred.numpy()), abs=1e-6)
    for v, old in zip(model.variables, before, strict=True):
        np.testing.assert_array_equal(v, old)
    assert (mean.result().item(), int(slots[0])) == (0.0, 1)
    assert len(model.stateless_call(trained, fixed, X, return_losses=True)) == 3
    model.fit(X, Y, batch_size=4, verbose=0)
    for group, values in ((model.trainable_variables, trained), (model.non_trainable_variables, fixed)):
        for v, new in zip(group, values, strict=True):
            np.testing.assert_allclose(v, new, rtol=1e-5, atol=1e-6)
    assert value.item() == pytest.approx(model.history.history["loss"][0], rel=1e-5)


# Programs of Keras' documentation


class StepByStep(Model):
    def train_step(self, data):
        x, y, *rest = data
        weight = rest[0] if rest else None
        with GradientTape() as tape:
            y_pred = self(x, training=True)
            loss = self.compute_loss(y=y, y_pred=y_pred, sample_weight=weight)
        self.optimizer.apply(tape.gradient(loss, self.trainable_variables), self.trainable_variables)
        for metric in self.metrics:
            if metric.name == "loss":
                metric.update_state(loss)
            else:
                metric.update_state(y, y_pred, sample_weight=weight)
        return {m.name: m.result() for m in self.metrics}


def step_by_step(**compiled):
    x = Input((2,))
    model = StepByStep(x, layers.Dense(1, kernel_initializer="ones")(x))
    model.compile("sgd", "mse", **compiled)
    return model


def test_a_step_that_updates_all_metrics():
    history = step_by_step(metrics=["mae"], weighted_metrics=["mse"]).fit(X, Y, verbose=0).history
    assert history == {"loss": [4.0], "mae": [2.0], "mse": [4.0]}
    weighted = step_by_step(weighted_metrics=["mae"])
    history = weighted.fit(X, Y, sample_weight=np.array([1.0, 0.0, 0.0, 0.0]), verbose=0).history
    assert history == {"loss": [1.0], "mae": [2.0]}


def test_a_step_that_leaves_compiled_metrics_alone():
    class Own(Subclassed):
        def train_step(self, data):
            x, y = data
            loss = self.compute_loss(x, y, self(x))
            return {"loss": loss}

    model = Own()
    model.compile("sgd", "mse", metrics=["mae"])
    assert model.fit(X, Y, verbose=0).history["loss"] == [4.0]


@pytest.mark.parametrize("x", [X, {"a": X}, [X]], ids=["array", "dict", "list"])
def test_a_step_on_inputs_alone(x):
    class Autoencoder(Subclassed):
        def train_step(self, data):
            seen.append(type(data))
            inputs = data[0] if isinstance(data, tuple) else data["a"] if isinstance(data, dict) else data
            with GradientTape() as tape:
                loss = ops.mean((self.dense(inputs[0] if isinstance(inputs, list) else inputs) - 1.0) ** 2)
            self.optimizer.apply(tape.gradient(loss, self.trainable_weights), self.trainable_weights)
            return {"loss": loss}

        def predict_step(self, data):
            seen.append(type(data))
            return self.dense(X)

    for data in (x, Dataset.from_tensor_slices(X).batch(4)) if x is X else (x,):
        seen = []
        model = Autoencoder()
        model.compile("sgd")
        assert model.fit(data, verbose=0).history["loss"] == [1.0]
        model.predict(data, verbose=0)
        assert set(seen) == {tuple if isinstance(x, list) else dict if isinstance(x, dict) else type(ops.array(X))}
