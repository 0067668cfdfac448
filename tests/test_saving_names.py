"""Names that are not ASCII, and functions of the user, in files of every kind."""

import keras
import numpy as np
import pytest

import layerwise
from layerwise import callbacks

X = np.ones((2, 3), np.float32)
FILES = ["model.keras", "model.weights.h5", "model.h5", "modèle.h5"]


def own(y_true, y_pred):
    return abs(y_true - y_pred)


def blocks(k):
    class Block(k.layers.Layer):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.länge, self.层 = k.layers.Dense(3), k.layers.Dense(2)

        def build(self, input_shape):
            self.länge.build(input_shape)
            self.层.build((None, 3))
            self.gain = self.add_weight(shape=(2,), name="größe")
            self.built = True

        def call(self, x):
            return self.层(self.länge(x)) * self.gain

        def compute_output_shape(self, input_shape):
            return (input_shape[0], 2)

    return Block


def model_of(k, block):
    model = k.Sequential([k.Input((3,), name="é"), k.layers.Dense(3, name="größe"), block(name="ü")])
    model.compile("sgd", own, metrics=[own, "mae"])
    model.fit(X, np.ones((2, 2)), verbose=0)
    return model


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize(
    ("writer", "reader"), [(layerwise, layerwise), (layerwise, keras), (keras, layerwise)], ids=["own", "out", "in"]
)
def test_files_with_names_beyond_ascii_are_read(name, writer, reader, tmp_path):
    block = blocks(reader)
    written = model_of(writer, blocks(writer))
    path = str(tmp_path / name)
    if "weights" in name:
        written.save_weights(path)
        read = model_of(reader, block)
        read.load_weights(path)
    else:
        written.save(path)
        read = reader.saving.load_model(path, {"own": own, "Block": block})
        assert read.evaluate(X, np.zeros((2, 2)), verbose=0) == pytest.approx(
            written.evaluate(X, np.zeros((2, 2)), verbose=0), rel=1e-5
        )
    np.testing.assert_allclose(read.predict(X, verbose=0), written.predict(X, verbose=0), rtol=1e-5)


def test_a_checkpoint_as_h5_with_a_loss_of_ones_own(tmp_path):
    model = layerwise.Sequential([layerwise.Input((3,)), layerwise.layers.Dense(2)])
    model.compile("sgd", own, weighted_metrics=[own])
    model.fit(X, np.ones((2, 2)), verbose=0, callbacks=[callbacks.ModelCheckpoint(tmp_path / "m.h5")])
    read = layerwise.saving.load_model(tmp_path / "m.h5", {"own": own})
    assert read.loss is own
    with pytest.raises(ValueError, match="own"):
        layerwise.saving.load_model(tmp_path / "m.h5")


class ReLU(layerwise.layers.Layer):
    def call(self, x):
        return 2 * x


@pytest.mark.parametrize("name", ["m.keras", "m.h5"])
def test_a_users_layer_called_like_ours_is_not_taken_for_it(name, tmp_path):
    model = layerwise.Sequential([layerwise.Input((3,)), ReLU()])
    model.save(tmp_path / name)
    with pytest.raises(layerwise.saving.FileFormatError, match=r"'ReLU' .* is not a known class"):
        layerwise.saving.load_model(tmp_path / name)
    read = layerwise.saving.load_model(tmp_path / name, {"ReLU": ReLU})
    assert read.predict(-X, verbose=0).tolist() == model.predict(-X, verbose=0).tolist() == (-2 * X).tolist()


def test_a_users_loss_called_like_ours_is_not_taken_for_it(tmp_path):
    class Huber(layerwise.losses.Loss):
        def call(self, y_true, y_pred):
            return abs(y_true - y_pred)

    model = layerwise.Sequential([layerwise.Input((3,)), layerwise.layers.Dense(2)])
    model.compile("sgd", Huber())
    model.save(tmp_path / "m.h5")
    with pytest.raises(layerwise.saving.FileFormatError, match=r"'Huber' .* is not a known class"):
        layerwise.saving.load_model(tmp_path / "m.h5")
    assert type(layerwise.saving.load_model(tmp_path / "m.h5", {"Huber": Huber}).loss) is Huber


def mse(y_true, y_pred):
    return abs(y_true - y_pred)


@pytest.mark.parametrize("name", ["m.keras", "m.h5"])
def test_a_users_function_called_like_ours_is_not_taken_for_it(name, tmp_path):
    for compiled in ({"loss": mse}, {"loss": "mae", "metrics": [mse]}, {"loss": "mae", "weighted_metrics": [mse]}):
        model = layerwise.Sequential([layerwise.Input((3,)), layerwise.layers.Dense(2)])
        model.compile("sgd", **compiled)
        model.save(tmp_path / name)
        with pytest.raises(layerwise.saving.FileFormatError, match=r"'mse' .* is not a known class or function"):
            layerwise.saving.load_model(tmp_path / name)
        read = layerwise.saving.load_model(tmp_path / name, {"mse": mse})
        assert read.evaluate(X, X[:, :2], verbose=0) == model.evaluate(X, X[:, :2], verbose=0)
    keras.saving.load_model(tmp_path / name, {"mse": mse})


def test_a_users_module_called_like_ours_is_not_taken_for_it(monkeypatch):
    class Dense(layerwise.layers.Dense): ...

    def relu(x):
        return x

    for own, module in ((Dense(2), "layers"), (Dense(2), "keras_layers"), (relu, "activations")):
        monkeypatch.setattr(own if own is relu else Dense, "__module__", module)
        node = layerwise.saving.serialize_keras_object(own)
        with pytest.raises(ValueError, match=f"module '{module}'.* is not a known class or function"):
            layerwise.saving.deserialize_keras_object(node)


def test_a_users_activation_called_like_ours_is_not_exported_as_it(tmp_path):
    def tanh(x):
        return 3 * x

    for layer in (layerwise.layers.Activation(tanh), layerwise.layers.Dense(2, activation=tanh)):
        model = layerwise.Sequential([layerwise.Input((3,)), layer])
        with pytest.raises(ValueError, match="tanh"):
            model.export(tmp_path / "m.onnx")
