"""Keras' older `.h5`, whole models and weights alone, and models in folders: both ways with Keras."""

import json
import os
import warnings
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np
import pytest
from keras.src.legacy.saving import legacy_h5_format

import layerwise
from layerwise import saving
from layerwise.saving import FileFormatError, legacy_h5
from layerwise.saving.contents import describe
from test_saving import (
    MODELS,
    OPTIMIZERS,
    assert_close,
    assert_same,
    classes,  # noqa: F401
    diamond,
    dicts,
    fit,
    functional_subclass,
    inputs_of,
    lists,
    nested,
    numbered_afresh,
    operations,
    part,
    preprocessing,
    stack,
    targets_of,
    uneven,
)


def trained(model: Any, x: Any, optimizer: Any = "adam") -> Any:
    y = targets_of(model.predict(x, verbose=0))
    model.compile(optimizer, "mse", metrics=None)
    fit(model, x, y)
    return y


# Whole models


@pytest.mark.parametrize("build", MODELS)
def test_keras_opens_our_h5_and_goes_on_training(build, tmp_path):
    model = build(layerwise)
    x = inputs_of(model)
    y = trained(model, x)
    model.save(tmp_path / "m.h5")
    theirs = keras.models.load_model(tmp_path / "m.h5")
    assert_close(theirs.predict(x, verbose=0), model.predict(x, verbose=0))
    optimizer = keras.optimizers.Adam()  # Keras builds that of an .h5 for no variables; this is how to go on there
    optimizer.build(theirs.trainable_variables)
    with h5py.File(tmp_path / "m.h5") as file:
        slots = [np.asarray(slot) for slot in legacy_h5_format.load_optimizer_weights_from_hdf5_group(file)]
    assert_same(slots, model.optimizer.variables)
    for variable, value in zip(optimizer.variables, slots, strict=True):
        variable.assign(value)
    theirs.compile(optimizer, "mse")
    assert_close(fit(theirs, x, y), fit(model, x, y))


@pytest.mark.parametrize("build", [m for m in MODELS if m is not operations])  # Keras cannot read its own
def test_we_open_keras_h5_and_go_on_training(build, tmp_path):
    theirs = build(keras)
    x = inputs_of(build(layerwise))
    y = trained(theirs, x, keras.optimizers.SGD(0.001, momentum=0.9))
    theirs.save(tmp_path / "m.h5")
    model = saving.load_model(tmp_path / "m.h5")
    assert_close(model.predict(x, verbose=0), theirs.predict(x, verbose=0))
    assert_same(model.optimizer.variables, theirs.optimizer.variables)
    assert_close(fit(model, x, y), fit(theirs, x, y))


@pytest.mark.parametrize(("name", "arguments"), [OPTIMIZERS[0], OPTIMIZERS[3], OPTIMIZERS[5]])
def test_optimizers_of_keras(name, arguments, tmp_path):
    theirs = part(keras)
    x = inputs_of(part(layerwise))
    trained(theirs, x, getattr(keras.optimizers, name)(**arguments))
    theirs.save(tmp_path / "m.h5")
    model = saving.load_model(tmp_path / "m.h5")
    assert_same(model.optimizer.variables, theirs.optimizer.variables)


def plain(node: Any) -> Any:
    """A configuration without what is null, and without what is optional."""
    if isinstance(node, dict):
        optional = {"shared_object_id", "jit_compile", "mask"}
        return {key: plain(value) for key, value in node.items() if key not in optional and value is not None}
    if isinstance(node, list):
        return [plain(item) for item in node]
    return pytest.approx(node, rel=1e-6) if isinstance(node, float) else node


def layout(path: Path) -> dict[str, Any]:
    """The layers, each one's weights, and the configurations."""
    found: dict[str, Any] = {}

    def look(name: str, item: Any) -> None:
        if "layer_names" in item.attrs:
            found[name] = list(item.attrs["layer_names"])
        if "weight_names" in item.attrs:
            weights = list(item.attrs["weight_names"])
            found[name] = [(weight.rpartition("/")[2], item[weight].shape) for weight in weights]

    with h5py.File(path) as file:
        file.visititems(look)
        for name in ("model_config", "training_config"):
            found[name] = plain(json.loads(file.attrs[name]))
    return found


@pytest.mark.parametrize("build", [stack, diamond, nested])
def test_the_layout_is_keras(build, tmp_path):
    ours, theirs = numbered_afresh(build, layerwise), numbered_afresh(build, keras)
    for model, name in ((ours, "ours.h5"), (theirs, "theirs.h5")):
        k = layerwise if model is ours else keras
        rate = k.optimizers.schedules.ExponentialDecay(0.1, 2, 0.5)
        model.compile(
            k.optimizers.SGD(rate),
            k.losses.MeanSquaredError(name="loss"),
            metrics=[k.metrics.MeanSquaredError(name="m"), "mae"],
        )
        model.save(tmp_path / name)
    expected = layout(tmp_path / "theirs.h5")
    got = layout(tmp_path / "ours.h5")
    del expected["optimizer_weights"]  # Keras builds an optimizer that was not used yet
    assert got == expected
    loaded = saving.load_model(tmp_path / "theirs.h5")
    assert isinstance(loaded.get_compile_config()["metrics"][0], dict)
    assert loaded.get_compile_config()["metrics"][0]["module"] == "keras.metrics"


def test_subclassed_models(classes, tmp_path):  # noqa: F811
    (_, ours), (_, theirs) = classes
    model = ours(units=4)
    x = np.random.default_rng(0).normal(size=(16, 3)).astype("float32")
    y = trained(model, x)
    model.save(tmp_path / "m.h5")
    loaded = saving.load_model(tmp_path / "m.h5")
    assert type(loaded) is ours
    assert fit(loaded, x, y) == fit(model, x, y)
    other = theirs(units=4)
    other.predict(x, verbose=0)
    other.load_weights(tmp_path / "m.h5")  # Keras cannot open the whole model, which has no graph
    other.save(tmp_path / "theirs.h5")
    model.load_weights(tmp_path / "theirs.h5")
    assert_close(model.predict(x, verbose=0), other.predict(x, verbose=0))


def test_a_loaded_model_that_is_not_compiled(tmp_path):
    theirs = stack(keras)
    theirs.save(tmp_path / "plain.h5")
    assert not saving.load_model(tmp_path / "plain.h5").compiled
    theirs.compile("adam", "mse")
    theirs.save(tmp_path / "m.h5")
    assert saving.load_model(tmp_path / "m.h5").compiled
    assert not saving.load_model(tmp_path / "m.h5", compile=False).compiled


def test_losses_of_several_outputs(tmp_path):
    for build, loss in (
        (dicts, {"two": "mse", "one": layerwise.losses.MeanAbsoluteError()}),
        (lists, ["mse", layerwise.losses.Huber()]),
    ):
        model = build(layerwise)
        model.compile("sgd", loss)
        model.save(tmp_path / "m.h5")
        loaded = saving.load_model(tmp_path / "m.h5").get_compile_config()["loss"]
        ours = model.get_compile_config()["loss"]
        for key in ours if isinstance(ours, dict) else range(2):
            assert loaded[key] == ("mean_squared_error" if ours[key] == "mse" else ours[key])
        assert keras.models.load_model(tmp_path / "m.h5").loss is not None


def test_without_optimizer(tmp_path):
    model = part(layerwise)
    x = inputs_of(model)
    trained(model, x)
    for name in ("m.h5", "m.keras"):
        model.save(tmp_path / name, include_optimizer=False)
        loaded = saving.load_model(tmp_path / name)
        assert_same(loaded.get_weights(), model.get_weights())
        assert not loaded.compiled or int(loaded.optimizer.iterations) == 0


def test_optimizer_state_that_does_not_fit_is_left_aside(tmp_path):
    model = part(layerwise)
    trained(model, inputs_of(model))
    model.save(tmp_path / "m.h5")
    with h5py.File(tmp_path / "m.h5", "r+") as file:
        names = file["optimizer_weights"].attrs["weight_names"]
        file["optimizer_weights"].attrs["weight_names"] = names[:-1]
    with pytest.warns(UserWarning, match="expected 6: .*the optimizer starts afresh"):
        loaded = saving.load_model(tmp_path / "m.h5")
    assert int(loaded.optimizer.iterations) == 0


KERAS_2 = {  # how TF-Keras 2 describes layers
    "class_name": "Functional",
    "config": {
        "name": "model",
        "layers": [
            {
                "class_name": "InputLayer",
                "config": {"batch_input_shape": [None, 4], "dtype": "float32", "sparse": False, "name": "x"},
                "name": "x",
                "inbound_nodes": [],
            },
            {
                "class_name": "Dense",
                "config": {
                    "name": "dense", "trainable": True, "units": 3, "activation": "relu", "use_bias": True,
                    "dtype": {"class_name": "Policy", "config": {"name": "float32"}},
                    "kernel_initializer": {"class_name": "GlorotUniform", "config": {"seed": None}},
                    "bias_initializer": {"class_name": "Zeros", "config": {}},
                    "kernel_regularizer": {"class_name": "L2", "config": {"l2": 0.01}},
                    "bias_regularizer": None, "activity_regularizer": None, "kernel_constraint": None,
                },
                "name": "dense",
                "inbound_nodes": [[["x", 0, 0, {}]]],
            },
            {
                "class_name": "BatchNormalization",
                "config": {"name": "bn", "trainable": True, "dtype": "float32", "axis": [1]},
                "name": "bn",
                "inbound_nodes": [[["dense", 0, 0, {}]]],
            },
            {
                "class_name": "Concatenate",
                "config": {"name": "both", "trainable": True, "dtype": "float32", "axis": -1},
                "name": "both",
                "inbound_nodes": [[["dense", 0, 0, {}], ["bn", 0, 0, {}]]],
            },
        ],
        "input_layers": [["x", 0, 0]],
        "output_layers": [["both", 0, 0]],
    },
}  # fmt: skip
KERAS_2_TRAINING = {
    "loss": "mse", "metrics": [{"class_name": "MeanAbsoluteError", "config": {"name": "mae", "dtype": "float32"}}],
    "weighted_metrics": None, "loss_weights": None,
    "optimizer_config": {
        "class_name": "Adam",
        "config": {"name": "Adam", "learning_rate": 0.01, "decay": 0.0, "is_legacy_optimizer": False},
    },
}  # fmt: skip


def keras_2_file(path: Path, weights: dict[str, list[tuple[str, np.ndarray]]]) -> Path:
    with h5py.File(path, "w") as file:
        file.attrs["keras_version"], file.attrs["backend"] = b"2.15.0", b"tensorflow"
        file.attrs["model_config"] = json.dumps(KERAS_2).encode()
        file.attrs["training_config"] = json.dumps(KERAS_2_TRAINING).encode()
        root = file.create_group("model_weights")
        root.attrs["layer_names"] = np.array([name.encode() for name in weights])
        for layer, arrays in weights.items():
            group = root.create_group(layer)
            group.attrs["weight_names"] = np.array([name.encode() for name, _ in arrays])
            for name, array in arrays:
                group[name] = array
    return path


def test_files_of_keras_2(tmp_path):
    random = np.random.default_rng(0)
    dense = [("dense/kernel:0", random.normal(size=(4, 3))), ("dense/bias:0", random.normal(size=3))]
    names = "gamma beta moving_mean moving_variance".split()
    bn = [(f"bn/{name}:0", random.uniform(0.5, 1, size=3)) for name in names]
    weights = {"x": [], "dense": dense, "bn": bn, "both": []}
    path = keras_2_file(tmp_path / "k2.h5", {k: [(n, a.astype("float32")) for n, a in v] for k, v in weights.items()})
    model = saving.load_model(path)
    with h5py.File(path, "r+") as file:  # Keras 3 knows dtypes only by name here
        policy = '{"class_name": "Policy", "config": {"name": "float32"}}'
        file.attrs["model_config"] = file.attrs["model_config"].replace(policy, '"float32"')
    theirs = keras.models.load_model(path, compile=False)
    x = random.normal(size=(5, 4)).astype("float32")
    assert_close(model.predict(x, verbose=0), theirs.predict(x, verbose=0))
    assert model.layers[1].kernel_regularizer.get_config()["l2"] == pytest.approx(0.01)
    assert float(model.optimizer.learning_rate) == pytest.approx(0.01)
    fit(model, np.ones((16, 4)), np.ones((16, 6)))


# Weights alone


@pytest.mark.parametrize("build", [stack, nested, uneven, preprocessing])
def test_weights_alone_both_ways(build, tmp_path):
    ours, theirs = build(layerwise), build(keras)
    x = inputs_of(ours)
    with h5py.File(tmp_path / "theirs.h5", "w") as file:
        legacy_h5_format.save_weights_to_hdf5_group(file, theirs)
    ours.load_weights(tmp_path / "theirs.h5")
    assert_close(ours.predict(x, verbose=0), theirs.predict(x, verbose=0))
    fresh = build(layerwise)
    fresh.save_weights(tmp_path / "ours.h5")
    theirs.load_weights(tmp_path / "ours.h5")
    assert_close(theirs.predict(x, verbose=0), fresh.predict(x, verbose=0))


def test_the_content_says_which_format_it_is(tmp_path):
    model, other = uneven(layerwise), uneven(layerwise)
    model.save_weights(tmp_path / "new.weights.h5")
    os.rename(tmp_path / "new.weights.h5", tmp_path / "new.h5")
    model.save_weights(tmp_path / "old.h5")
    os.rename(tmp_path / "old.h5", tmp_path / "old.weights.h5")  # as TF-Keras 2 names them
    for name in ("new.h5", "old.weights.h5"):
        other = uneven(layerwise)
        other.load_weights(tmp_path / name)
        assert_same(other.get_weights(), model.get_weights())


def pair(k: Any, units: int = 3, first: str = "first") -> Any:
    layers = k.layers
    return k.Sequential([k.Input((4,)), layers.Dense(units, name=first), layers.Dense(2, name="last")], name="pair")


def skipped(model: Any, path: Path, **options: bool) -> list[np.ndarray]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.load_weights(path, **options)
    return model.get_weights()


@pytest.mark.parametrize("units", [3, 5])
@pytest.mark.parametrize("first", ["first", "other"])
@pytest.mark.parametrize("options", [{"by_name": True, "skip_mismatch": True}, {"skip_mismatch": True}])
def test_by_name_and_skip_mismatch_load_what_keras_loads(units, first, options, tmp_path):
    pair(layerwise).save_weights(tmp_path / "w.h5")
    ours, theirs = pair(layerwise, units, first), pair(keras, units, first)
    theirs.set_weights(ours.get_weights())
    assert_same(skipped(ours, tmp_path / "w.h5", **options), skipped(theirs, tmp_path / "w.h5", **options))


def test_weights_that_do_not_fit(tmp_path):
    pair(layerwise).save_weights(tmp_path / "w.h5")
    for model, options, message in (
        (pair(layerwise, 5), {}, r"w\.h5: layer 'first': .*: got shape \(4, 3\) .*, expected \(4, 5\) \(and 2 more\)"),
        (pair(layerwise, 5), {"by_name": True}, r"layer 'first': .*: got shape \(4, 3\)"),
        (part(layerwise), {}, r"weights of 2 layers \(first, last\), the model has 1 layers"),
        (layerwise.Sequential([layerwise.layers.Dense(2)]), {}, "not built yet"),
    ):
        before = model.get_weights()
        with pytest.raises(FileFormatError, match=message):
            model.load_weights(tmp_path / "w.h5", **options)
        assert_same(model.get_weights(), before)
    bare = layerwise.Sequential([layerwise.Input((4,)), layerwise.layers.Dense(3, use_bias=False, name="first")])
    with pytest.raises(FileFormatError, match=r"got 2 saved weights \(of 'first'\), expected 1: \['kernel'\]"):
        bare.load_weights(tmp_path / "w.h5", by_name=True)
    pair(layerwise).save_weights(tmp_path / "w.weights.h5")
    pair(layerwise).save(tmp_path / "w.keras")
    for name in ("w.weights.h5", "w.keras"):
        with pytest.raises(ValueError, match="is not in the older"):
            pair(layerwise).load_weights(tmp_path / name, by_name=True)


def test_a_models_own_weights(tmp_path):
    class Own(layerwise.Model):
        def __init__(self):
            super().__init__()
            self.first, self.second = layerwise.layers.Dense(2, name="a"), layerwise.layers.Dense(2, name="b")
            self.scale = self.add_weight(shape=(2,), name="a")

        def call(self, x):
            return self.second(self.first(x)) * self.scale

    models = Own(), Own()
    for model in models:
        model.build((None, 3))
    models[0].save_weights(tmp_path / "w.h5")
    models[1].load_weights(tmp_path / "w.h5")
    assert_same(models[1].get_weights(), models[0].get_weights())


def test_names_that_would_collide_are_numbered():
    assert legacy_h5._distinct("a", ["b"]) == "a"
    assert legacy_h5._distinct("a", ["a", "a_1/b"]) == "a_2"
    assert legacy_h5._distinct("a/b", ["a"]) == "a_b_1"


def test_long_lists_of_names_are_split_as_keras_splits_them(tmp_path):
    names = [f"layer_{i}" for i in range(9000)]
    with h5py.File(tmp_path / "names.h5", "w") as file:
        saving.hdf5.write_texts(file, "layer_names", names)
        assert set(file.attrs) == {"layer_names0", "layer_names1", "layer_names2"}
        assert list(legacy_h5_format.load_attributes_from_hdf5_group(file, "layer_names")) == names
    with open(tmp_path / "names.h5", "rb") as file:
        assert saving.hdf5.texts(saving.hdf5_reader.read(file, "names"), "layer_names") == names


# Damaged files


def test_damaged_files(tmp_path):
    path = tmp_path / "m.h5"

    def refused(edit: Any, message: str) -> None:
        numbered_afresh(pair, layerwise).save(path)
        with h5py.File(path, "r+") as file:
            edit(file)
        with pytest.raises(FileFormatError, match=message) as raised:
            saving.load_model(path)
        assert str(raised.value).count(str(path)) == 1

    def attribute(name: str, value: Any, owner: str = "/") -> Any:
        return lambda file: file[owner].attrs.__setitem__(name, value)

    refused(lambda f: f.attrs.__delitem__("model_config"), r"m\.h5: model_config: it is missing; .*load_weights")
    refused(attribute("model_config", "[1]"), "model_config: expected a JSON object, got list")
    refused(attribute("model_config", 3), "model_config: attribute 'model_config': expected a text")
    refused(attribute("model_config", '{"class_name": "Popen", "config": {}}'), "model_config: .*'Popen'")
    refused(attribute("model_config", '{"class_name": "ReLU", "config": {}}'), "expected a model, got ReLU")
    refused(attribute("training_config", "{}"), "training_config: KeyError")
    refused(attribute("layer_names", [1, 2], "model_weights"), "attribute 'layer_names': expected a text, or")
    refused(lambda f: f.__delitem__("model_weights"), "model_weights: the group is missing")
    refused(lambda f: f["model_weights"].__delitem__("last"), "model_weights: last: the group is missing")
    refused(lambda f: f["model_weights"].attrs.__delitem__("layer_names"), "'layer_names' is missing")
    refused(lambda f: f["model_weights/last"].__delitem__("last"), "model_weights: 'last/kernel': it is not there")
    refused(
        attribute("weight_names", ["last", "last/bias"], "model_weights/last"),
        "'last': expected a dataset, got a group",
    )
    refused(lambda f: f.__setitem__("more", h5py.ExternalLink("other.h5", "/")), "a link to another place")

    def bare(file: Any) -> None:
        del file["model_weights/last/last/bias"]
        file["model_weights/last/last"].create_dataset("bias", data=np.array([b"abcd", b"efgh"]))

    refused(bare, "'last/bias': expected numbers, got HDF5's class 3 of 4 bytes")
    with pytest.raises(FileFormatError, match=r"m\.h5: model_weights: 'last/bias': expected numbers"):
        pair(layerwise).load_weights(path)

    numbered_afresh(pair, layerwise).save(path)
    path.write_bytes(path.read_bytes().replace(b"\0first\0", b"\0\xe1irst\0"))
    for read in (saving.load_model, describe):
        with pytest.raises(FileFormatError, match=r"m\.h5: .*damaged \(.*codec can't decode"):
            read(path)

    def hollow(file: Any) -> None:
        del file["model_weights/last/last/bias"]
        file["model_weights/last/last"].create_dataset("bias", (2,), "float32", chunks=(2,))

    refused(hollow, "says 8 bytes, the file has 0")


def test_a_functional_model_in_a_subclass(tmp_path):
    ours, theirs = functional_subclass(layerwise), functional_subclass(keras)
    ours.save_weights(tmp_path / "ours.h5")
    theirs.load_weights(tmp_path / "ours.h5")
    x = np.ones((2, 3), "float32")
    assert_close(theirs.predict(x, verbose=0), ours.predict(x, verbose=0))


def test_a_layer_larger_than_the_file_takes_no_memory(tmp_path):
    pair(layerwise).save(tmp_path / "m.h5")
    with h5py.File(tmp_path / "m.h5", "r+") as file:
        file.attrs["model_config"] = file.attrs["model_config"].replace('"units": 3', '"units": 1000000000000')
    with pytest.raises(FileFormatError, match=r"got shape \(4, 3\) .*, expected \(4, 1000000000000\)"):
        saving.load_model(tmp_path / "m.h5")


# Folders


def test_folders_both_ways(tmp_path):
    model = diamond(layerwise)
    x = inputs_of(model)
    y = trained(model, x)
    model.save(tmp_path / "ours", zipped=False)
    assert {path.name for path in (tmp_path / "ours").iterdir()} == {"metadata.json", "config.json", "model.weights.h5"}
    theirs = keras.models.load_model(tmp_path / "ours")
    assert_close(fit(theirs, x, y), fit(model, x, y))
    theirs.save(tmp_path / "theirs", zipped=False)
    again = saving.load_model(tmp_path / "theirs")
    assert_same(again.optimizer.variables, theirs.optimizer.variables)
    model.load_weights(tmp_path / "theirs")
    assert_close(model.predict(x, verbose=0), theirs.predict(x, verbose=0))


def test_folders_are_replaced_whole_or_not_at_all(tmp_path, monkeypatch):
    model = diamond(layerwise)
    model.save(tmp_path / "m", zipped=False)
    with pytest.raises(FileExistsError, match="pass overwrite=True"):
        model.save(tmp_path / "m", zipped=False, overwrite=False)
    (tmp_path / "m" / "old").touch()
    model.save(tmp_path / "m", zipped=False)
    assert not (tmp_path / "m" / "old").exists()
    rename = os.rename

    def fail(source: Any, target: Any) -> None:
        if str(source).endswith(".new"):
            raise OSError("no")
        rename(source, target)

    monkeypatch.setattr(os, "rename", fail)
    monkeypatch.setattr(saving.files, "_exchange", lambda *_: False)  # as on systems that cannot
    with pytest.raises(OSError, match="no"):
        model.save(tmp_path / "m", zipped=False)
    assert [path.name for path in tmp_path.iterdir()] == ["m"]
    saving.load_model(tmp_path / "m")
    config = tmp_path / "m" / "config.json"
    config.rename(tmp_path / "elsewhere.json")
    config.symlink_to(tmp_path / "elsewhere.json")
    with pytest.raises(FileFormatError, match=r"m: config\.json: a link to another place"):
        saving.load_model(tmp_path / "m")
    config.unlink()
    (tmp_path / "elsewhere.json").rename(config)
    (tmp_path / "m" / "model.weights.h5").unlink()
    with pytest.raises(FileFormatError, match=r"m: model\.weights\.h5: the file is missing"):
        saving.load_model(tmp_path / "m")
    with pytest.raises(ValueError, match="with zipped=False; name a folder"):
        model.save(tmp_path / "m.keras", zipped=False)
    with pytest.raises(FileNotFoundError, match="does not exist"):
        model.save(tmp_path / "none" / "m", zipped=False)
    (tmp_path / "file").touch()
    with pytest.raises(NotADirectoryError, match="expected a folder"):
        model.save(tmp_path / "file", zipped=False)


# JSON


def test_json_both_ways():
    for build in (stack, nested):
        ours, theirs = build(layerwise), build(keras)
        opened = keras.models.model_from_json(ours.to_json())
        again = layerwise.models.model_from_json(theirs.to_json())
        assert [w.shape for w in opened.weights] == [w.shape for w in ours.weights]
        assert [layer.name for layer in again.layers] == [layer.name for layer in theirs.layers]


# Files that TF-Keras 2 wrote: tests/golden/keras_2.py


@pytest.mark.parametrize("name", ["stack", "graph", "old"])
def test_models_of_keras_2_go_on_training(name):
    path = Path(__file__).parent / "golden" / f"keras_2_{name}.h5"
    with h5py.File(path.with_stem(f"{path.stem}_known")) as file:
        known = {key: value[()] for key, value in file.items()}
    x = [known[key] for key in sorted(known) if key.startswith("x")]
    x = x if len(x) > 1 else x[0]
    model = saving.load_model(path)
    assert describe(path).optimizer
    np.testing.assert_allclose(model.predict(x, verbose=0), known["predicted"], atol=1e-6)
    history = model.fit(x, known["y"], epochs=3, batch_size=8, shuffle=False, verbose=0).history
    np.testing.assert_allclose(history["loss"], known["losses"], rtol=1e-5)
    assert "mae" in history
    model.load_weights(path.with_stem(f"{path.stem}_weights"))
    np.testing.assert_allclose(model.predict(x, verbose=0), known["predicted"], atol=1e-6)
