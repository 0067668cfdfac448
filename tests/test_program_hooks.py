"""Methods of Keras' classes that people override, and what files make of it. Values are Keras'."""

import json
import pickle
from pathlib import Path

import numpy as np
import pytest

from layerwise import (
    Input,
    Model,
    Sequential,
    initializers,
    layers,
    models,
    ops,
    optimizers,
    saving,
)  # fmt: skip

X, Y = np.ones((4, 2), "float32"), np.zeros((4, 1), "float32")


class Subclassed(Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.dense = layers.Dense(1, kernel_initializer="ones")

    def call(self, x):
        return self.dense(x)

    def get_config(self):
        return {"name": self.name}


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


def test_functions_of_batches():
    class Own(Sequential):
        def make_train_function(self, force=False):
            super().make_train_function(force)
            inner = self.train_function
            self.train_function = lambda iterator: {**inner(iterator), "own": ops.ones(())}

        def make_predict_function(self):  # as older programs have it
            if self.predict_function is None:
                self.predict_function = lambda iterator: 2 * self(next(iterator))

    model = Own([Input((2,)), layers.Dense(1, kernel_initializer="ones")])
    model.compile("sgd", "mse", metrics=["mae"])
    np.testing.assert_array_equal(model.predict(X, verbose=0), [[4.0]] * 4)
    assert model.fit(X, Y, verbose=0).history == {"loss": [4.0], "mae": [2.0], "own": [1.0]}
    assert pickle.loads(pickle.dumps(Sequential([layers.Dense(1)]))).train_function is None
    model.make_test_function()
    assert set(model.test_function(iter([(X, Y)]))) == {"loss", "mae"}
    made = model.test_function
    model.make_test_function()
    assert model.test_function is made


def test_symbolic_call():
    class Own(layers.Dense):
        def symbolic_call(self, *args, **kwargs):
            seen.append(args[0].shape)
            return super().symbolic_call(*args, **kwargs)

    seen, layer, x = [], Own(3), Input((2,))
    model = Model(x, layer(x))
    assert (seen, model(X).shape) == ([(None, 2)], (4, 3))
    assert layer.symbolic_call(x).history.operation is layer


def test_shapes_that_a_class_says():
    class Own(layers.Layer):
        def call(self, x):
            raise RuntimeError("never")

        def compute_output_shape(self, input_shape):
            return {"a": input_shape, "b": (*input_shape, 3)}

    class Asking(layers.Dense):
        def compute_output_shape(self, input_shape):
            return super().compute_output_shape(input_shape)

    spec = Own().compute_output_spec(Input((2,)))
    assert {name: t.shape for name, t in spec.items()} == {"a": (None, 2), "b": (None, 2, 3)}
    assert Asking(3).compute_output_spec(Input((2,))).shape == (None, 3)
    assert Asking(3).compute_output_shape((4, 2)) == (4, 3)
