"""VGG16 and ResNet50: Keras' layers, weights files and preprocessing; downloads from a server of our own."""

import contextlib
import hashlib
import json
import threading
from functools import partial
from http.server import HTTPServer, SimpleHTTPRequestHandler
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np
import pytest
from keras.src.applications import imagenet_utils as their_utils
from keras.src.legacy.saving import legacy_h5_format

import layerwise
from layerwise import applications, config
from layerwise.applications import imagenet_utils, resnet, resnet50, vgg16
from layerwise.variables import deferred_initializers

SMALL = {"include_top": False, "input_shape": (32, 32, 3)}
NAMES = ["VGG16", "ResNet50"]
PARAMETERS = {"VGG16": 138_357_544, "ResNet50": 25_636_712}  # Keras'


def ours(name: str) -> Any:
    return getattr(applications, name)


def theirs(name: str) -> Any:
    return getattr(keras.applications, name)


class Enough(Exception):
    pass


@contextlib.contextmanager
def without_values():
    """Inside, variables take no memory: their initializers never run."""
    with contextlib.suppress(Enough), deferred_initializers():
        yield
        raise Enough


@pytest.mark.parametrize("name", NAMES)
def test_with_the_top_it_has_keras_parameters(name):
    with without_values():
        model = ours(name)(weights=None)
        assert model.count_params() == PARAMETERS[name]
        assert model.input_shape == (None, 224, 224, 3)
        assert model.output_shape == (None, 1000)
        assert model.name == name.lower()


def described(model: Any) -> list[Any]:
    keys = ("filters", "kernel_size", "strides", "padding", "epsilon", "momentum", "pool_size", "activation", "units")
    configs = [(type(x).__name__, x.name, json.loads(json.dumps(x.get_config()))) for x in model.layers]
    return [(kind, name, {key: config[key] for key in keys if key in config}) for kind, name, config in configs]


@pytest.mark.parametrize("name", NAMES)
def test_weights_that_keras_wrote_predict_the_same(name, tmp_path):
    keras.utils.clear_session()  # names that are given automatically start anew
    layerwise.utils.clear_session()
    reference = theirs(name)(weights=None, pooling="avg", **SMALL)
    for layer in reference.layers:  # moving averages as after some training
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.moving_variance.assign(layer.moving_variance * 1.5)
    with h5py.File(tmp_path / "w.h5", "w") as file:
        legacy_h5_format.save_weights_to_hdf5_group(file, reference)
    model = ours(name)(weights=tmp_path / "w.h5", pooling="avg", **SMALL)
    assert described(model)[1:] == described(reference)[1:]
    assert model.count_params() == reference.count_params()
    x = np.random.default_rng(0).uniform(0, 255, size=(2, 32, 32, 3)).astype("float32")
    x = vgg16.preprocess_input(x)
    np.testing.assert_allclose(model.predict(x, verbose=0), reference.predict(x, verbose=0), rtol=1e-4, atol=1e-4)


def test_heads_and_pooling():
    resnet_model = applications.ResNet50(weights=None, input_shape=(32, 32, 3), classes=7, classifier_activation=None)
    assert [layer.name for layer in resnet_model.layers[-2:]] == ["avg_pool", "predictions"]
    assert resnet_model.layers[-1].get_config()["activation"] == "linear"
    x = layerwise.Input((48, 40, 3))
    image = layerwise.layers.Rescaling(2.0)(x)
    vgg = applications.VGG16(weights=None, include_top=False, input_tensor=image, pooling="max", name="mine")
    assert vgg.input_shape == (None, 48, 40, 3)
    assert vgg.name == "mine"
    assert vgg.output_shape == (None, 512)
    with without_values():
        top = applications.VGG16(weights=None, input_shape=(32, 32, 1), classes=5)
        assert [layer.name for layer in top.layers[-4:]] == ["flatten", "fc1", "fc2", "predictions"]
        assert top.output_shape == (None, 5)


def test_inputs_of_a_tensor_that_several_lead_to():
    a, b = layerwise.Input((2,)), layerwise.Input((2,))
    found = imagenet_utils.source_inputs(layerwise.layers.Add()([a, b]))
    assert {id(t) for t in found} == {id(a), id(b)}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"weights": "nope"}, "weights: got 'nope', expected None, 'imagenet' or the path"),
        ({"weights": "imagenet", "classes": 10}, "classes: got 10 with weights='imagenet'"),
        ({"weights": "imagenet", "input_shape": (64, 64, 3)}, r"got \(64, 64, 3\) with weights='imagenet'"),
        ({"weights": "imagenet", "input_shape": (64, 64, 1), "include_top": False}, "got 1 channels"),
        ({"input_shape": (64, 64)}, "expected three numbers"),
        ({"input_shape": (16, 16, 3)}, "at least 32 x 32"),
        ({"input_shape": (None, None, 3)}, "expected known sizes"),
        ({"include_top": False, "pooling": "sum"}, "pooling: got 'sum'"),
    ],
)
def test_arguments(arguments, message):
    for name in NAMES:
        with pytest.raises(ValueError, match=message):
            ours(name)(**{"weights": None, **arguments})


def test_channels_first():
    config.set_image_data_format("channels_first")
    try:
        model = applications.ResNet50(weights=None, include_top=False, input_shape=(3, 32, 32))
    finally:
        config.set_image_data_format("channels_last")
    assert model.output_shape == (None, 2048, 1, 1)


# Inputs and outputs


@pytest.mark.parametrize("mode", ["caffe", "tf", "torch"])
@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_preprocessing_is_keras(mode, data_format):
    random = np.random.default_rng(0)
    for shape in ((2, 3, 4, 5), (3, 4, 5)):
        x = random.integers(0, 256, size=shape)
        x = np.moveaxis(x, -3, -1) if data_format == "channels_last" else x
        for kind in ("uint8", "float32"):
            expected = their_utils.preprocess_input(x.astype(kind), data_format=data_format, mode=mode)
            given = x.astype(kind)
            got = imagenet_utils.preprocess_input(given, data_format, mode)
            assert got.dtype == expected.dtype
            np.testing.assert_allclose(got, expected, rtol=1e-5, atol=1e-4)
            np.testing.assert_array_equal(given, x)
            tensor = imagenet_utils.preprocess_input(layerwise.ops.array(given), data_format, mode)
            np.testing.assert_allclose(tensor.numpy(), expected, rtol=1e-5, atol=1e-4)


def test_preprocessing_refuses():
    for arguments, message in (({"mode": "x"}, "mode: got 'x'"), ({"data_format": "x"}, "data_format: got 'x'")):
        with pytest.raises(ValueError, match=message):
            imagenet_utils.preprocess_input(np.zeros((2, 2, 3)), **arguments)
    assert resnet50.preprocess_input is resnet.preprocess_input


# Downloads


@pytest.fixture
def served(tmp_path, monkeypatch):
    """A folder that a local server offers, and its address."""
    folder = tmp_path / "served"
    folder.mkdir()

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *args: Any) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("LAYERWISE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    yield folder, f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def md5(path: Path) -> str:
    return hashlib.md5(path.read_bytes()).hexdigest()


def tiny(x: Any) -> Any:
    return layerwise.layers.Dense(2, name="only")(x)


def fetched(pretrained: Any) -> Any:
    return imagenet_utils.application(
        tiny, pretrained, include_top=False, weights="imagenet", input_tensor=None, input_shape=(32, 32, 3),
        classes=1000, name="tiny",
    )  # fmt: skip


def test_weights_are_downloaded_once_and_pinned(served, tmp_path):
    folder, address = served
    source = layerwise.Sequential([layerwise.Input((32, 32, 3)), layerwise.layers.Dense(2, name="only")])
    source.save_weights(folder / "tiny.h5")
    pretrained = {False: (f"{address}/tiny.h5", md5(folder / "tiny.h5"))}
    model = fetched(pretrained)
    np.testing.assert_array_equal(model.get_weights()[0], source.get_weights()[0])
    cached = tmp_path / "home" / "models" / "tiny.h5"
    assert cached.is_file()
    (folder / "tiny.h5").unlink()  # a second time nothing is asked for
    fetched(pretrained)
    (tmp_path / "keras" / "models").mkdir(parents=True)
    cached.rename(tmp_path / "keras" / "models" / "tiny.h5")  # Keras' copy does as well
    fetched(pretrained)
    (folder / "tiny.h5").write_bytes(b"something else")
    (tmp_path / "keras" / "models" / "tiny.h5").unlink()
    with pytest.raises(ValueError, match=r"wrong content: MD5 .*, expected"):
        fetched(pretrained)
    assert not cached.exists()


def test_predictions_are_decoded_as_keras_decodes_them(served, monkeypatch):
    folder, address = served
    index = {str(i): [f"n{i:08d}", f"thing_{i}"] for i in range(1000)}
    (folder / "index.json").write_text(json.dumps(index))
    monkeypatch.setattr(imagenet_utils, "CLASS_INDEX", f"{address}/index.json")
    monkeypatch.setattr(imagenet_utils, "CLASS_INDEX_MD5", md5(folder / "index.json"))
    monkeypatch.setattr(their_utils, "CLASS_INDEX", index)
    predictions = np.random.default_rng(0).uniform(size=(2, 1000))
    assert vgg16.decode_predictions(predictions, top=3) == their_utils.decode_predictions(predictions, top=3)


def test_addresses_are_keras():
    assert imagenet_utils.CLASS_INDEX == their_utils.CLASS_INDEX_PATH
    for module in (vgg16, resnet):
        for with_top, (url, digest) in module._WEIGHTS.items():
            assert url.startswith("https://storage.googleapis.com/tensorflow/keras-applications/")
            assert url.endswith("kernels.h5" if with_top else "kernels_notop.h5")
            assert len(digest) == 32
