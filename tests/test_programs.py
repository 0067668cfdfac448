"""Programs as people write them for Keras: steps, losses, hooks and optimizers of their own. Values are Keras'."""

import collections
import json
from pathlib import Path

import numpy as np
import pytest

from layerwise import Input, Model, Sequential, initializers, layers, models, ops, optimizers, saving

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


# Models


def test_batches_of_another_size_than_the_input_says():
    x = Input((2,), batch_size=128)
    model = Model(x, layers.Dense(1)(x))
    model.compile("sgd", "mse")
    model.fit(X, Y, verbose=0)
    assert model(X[:3]).shape == model.predict(X[:3], verbose=0).shape == (3, 1)
    with pytest.raises(ValueError, match=r"got shape \(4, 3\), expected \(128, 2\)"):
        model(np.ones((4, 3)))


def test_sizes_of_the_first_data_are_not_the_last_word():
    model = Sequential([layers.Conv1D(2, 1), layers.Reshape((-1, 2, 1)), layers.Cropping2D((1, 0))])
    assert [model.predict(np.ones((1, n, 3)), verbose=0).shape for n in (5, 7)] == [(1, 3, 2, 1), (1, 5, 2, 1)]
    for other in (models.clone_model(model), Sequential.from_config(model.get_config())):
        assert other(np.ones((1, 9, 3))).shape == (1, 7, 2, 1)
    flat = Sequential([layers.Flatten(), layers.Dense(2)])
    flat(np.ones((1, 7, 3)))
    with pytest.raises(ValueError, match=r"Dense\): input of shape \(1, 24\); expected size 21"):
        flat(np.ones((1, 8, 3)))
    said = Sequential([Input((5, 3)), layers.Conv1D(2, 1)])
    with pytest.raises(ValueError, match=r"got shape \(1, 7, 3\), expected \(None, 5, 3\)"):
        said(np.ones((1, 7, 3)))


def test_a_layer_twice_in_a_sequential(tmp_path):
    act, dense = layers.ReLU(), layers.Dense(2)
    model = Sequential([Input((2,)), dense, act, dense, act])
    assert (len(model.layers), len(model.weights), model.count_params()) == (4, 2, 6)
    expected = model(X)
    assert [a is b for a, b in zip(model.layers[:2], model.layers[2:], strict=True)] == [True, True]
    for name in ("m.keras", "m.h5"):
        model.save(tmp_path / name)
        again = models.load_model(tmp_path / name)
        assert (len(again.layers), len(again.weights)) == (4, 2)
        np.testing.assert_array_equal(again(X), expected)
    copy = models.clone_model(model)
    assert (len(copy.layers), len(copy.weights)) == (4, 2)
    assert model.pop() is act
    with pytest.raises(ValueError, match="is there already; give one of them another name"):
        model.add(layers.ReLU(name=act.name))


def test_named_tuples_of_outputs():
    Pair = collections.namedtuple("Pair", ["a", "b"])
    x = Input((2,))
    model = Model(x, Pair(layers.Dense(1, name="a")(x), layers.Dense(2, name="b")(x)))
    for outputs in (model(X), model.predict(X, verbose=0), model.predict(np.ones((50, 2)), verbose=0)):
        assert type(outputs) is Pair
        assert outputs.b.shape[1] == 2
    assert layers.Lambda(lambda x: Pair(x, x[:, :2]))(Input((3,))).b.shape == (None, 2)


def test_a_list_for_a_dict_of_inputs():
    a, b = Input((2,), name="i1"), Input((2,), name="i2")
    model = Model({"i2": b, "i1": a}, a - b)
    np.testing.assert_array_equal(model([3 * X, X]), 2 * X)
    with pytest.raises(ValueError, match=r"got \['i1'\], expected a dict with \['i2', 'i1'\]"):
        model({"i1": X})
    with pytest.raises(ValueError, match="got 1 inputs, expected 2"):
        model([X])


# Hooks


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_convolution_op(data_format):
    class Ones(layers.Conv2D):
        def convolution_op(self, inputs, kernel):
            return super().convolution_op(inputs, ops.ones_like(kernel))

    layer = Ones(2, 2, data_format=data_format, bias_initializer="ones", activation="relu")
    np.testing.assert_array_equal(layer(np.ones((1, 3, 3, 3), "float32")), layer(np.ones((1, 3, 3, 3))) * 0 + 13)
    plain = layers.Conv2D(2, 2, data_format=data_format)
    x = np.random.default_rng(0).normal(size=(1, 3, 3, 3)).astype("float32")
    np.testing.assert_allclose(plain(x), plain.convolution_op(x, plain.kernel), atol=1e-6)


def test_compute_mask_makes_masks():
    class NotZero(layers.Layer):
        supports_masking = True

        def call(self, x):
            return x * 1

        def compute_mask(self, inputs, mask=None):
            self.given = mask
            return ops.any(ops.not_equal(inputs, 0), axis=-1)

    class Seeing(layers.Layer):
        def call(self, x, mask=None):
            self.seen = mask
            return x

    making, seeing = NotZero(), Seeing()
    seeing(making(x=np.array([[[1.0], [0.0]]])))
    np.testing.assert_array_equal(seeing.seen, [[True, False]])
    assert making.given is None


@saving.register_keras_serializable("programs")
class WithAssets(layers.Layer):
    def call(self, x):
        return x

    def save_assets(self, folder):
        (Path(folder) / "more").mkdir()
        (Path(folder) / "more" / "words.txt").write_text("one two")

    def load_assets(self, folder):
        self.words = (Path(folder) / "more" / "words.txt").read_text()


@pytest.mark.parametrize("zipped", [True, False])
def test_assets(tmp_path, zipped):
    model = Sequential([Input((2,)), layers.Dense(2), WithAssets()])
    path = tmp_path / ("m.keras" if zipped else "folder")
    saving.save_model(model, path, zipped=zipped)
    assert saving.load_model(path).layers[1].words == "one two"


@saving.register_keras_serializable("programs")
def scaled(y_true, y_pred):
    return 2 * ops.mean((y_true - y_pred) ** 2)


def test_objects_in_configurations_are_written(tmp_path):
    @saving.register_keras_serializable("programs")
    class Own(Subclassed):
        def compile(self, optimizer, measure):
            super().compile(optimizer, "mse")
            self.measure = measure

        def get_compile_config(self):
            return {"optimizer": self.optimizer, "measure": self.measure}

        def compile_from_config(self, config):
            self.compile(*(saving.deserialize_keras_object(config[key]) for key in ("optimizer", "measure")))

    @saving.register_keras_serializable("programs")
    class Outer(layers.Layer):
        def __init__(self, inner, **kwargs):
            super().__init__(**kwargs)
            self.inner = inner

        def get_config(self):
            return {"inner": self.inner, "places": slice(None, np.array([0, 1]), 1), "name": self.name}

    model = Own()
    model.compile("adam", scaled)
    model.fit(X, Y, verbose=0)
    model.save(tmp_path / "m.keras")
    again = models.load_model(tmp_path / "m.keras")
    assert (again.measure, type(again.optimizer)) == (scaled, optimizers.Adam)
    config = json.loads(json.dumps(saving.serialize_keras_object(Outer(layers.Dense(2)))))["config"]
    assert saving.deserialize_keras_object(config["inner"]).units == 2
    places = saving.deserialize_keras_object(config["places"])
    assert (places.start, places.stop.tolist(), places.step) == (None, [0, 1], 1)


def test_names_in_configurations_in_any_spelling():
    assert optimizers.get({"class_name": "adam", "config": {"weight_decay": 0.05}}).weight_decay == 0.05
    assert type(optimizers.deserialize({"class_name": "sgd", "config": {}})) is optimizers.SGD
    assert initializers.get({"class_name": "constant", "config": {"value": 2.0}}).value == 2.0
    with saving.custom_object_scope(None):
        assert optimizers.get("adam").weight_decay is None


def test_a_subclass_that_hands_on_what_it_does_not_know():
    class Extended(layers.Dense):
        def __init__(self, extra=1, **kwargs):
            super().__init__(**kwargs)
            self.extra = extra

    again = Extended.from_config(Extended(units=3, extra=2).get_config())
    assert (again.units, again.extra) == (3, 2)


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
