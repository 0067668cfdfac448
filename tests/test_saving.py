"""Files: what Keras opens of ours and we of Keras', the same paths inside, and files that are damaged or hostile."""

import functools
import io
import json
import os
import pickle
import stat
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np
import pytest

import layerwise
from layerwise import initializers, naming, saving, serialization, tree
from layerwise.saving import FileFormatError
from layerwise.saving.keras_weights import read_weights, write_weights

SAMPLES = Path(__file__).parent / "data" / "keras"  # files that Keras 3.15.1 wrote


# Models, made from `k`, which is Keras or Layerwise


def stack(k: Any) -> Any:
    layers = k.layers
    return k.Sequential(
        [
            layers.Input((8, 8, 2)),
            layers.Conv2D(4, 3, activation="relu", kernel_regularizer="l2"),
            layers.BatchNormalization(),
            layers.MaxPooling2D(),
            layers.ZeroPadding2D(((1, 0), (0, 2))),
            layers.Flatten(),
            layers.Dropout(0.0),
            layers.Dense(5, kernel_initializer="he_normal", kernel_constraint="max_norm"),
            layers.LeakyReLU(),
            layers.LayerNormalization(),
            layers.Dense(3, activation="softmax", use_bias=False),
        ],
        name="stack",
    )


def diamond(k: Any) -> Any:
    x = k.layers.Input((4,))
    a = k.layers.Dense(3, activation="relu")(x)
    c = k.layers.Dense(3)(k.layers.Dense(3)(a))
    d = k.layers.Dense(3)(a)
    y = k.layers.Concatenate()([k.layers.Add()([c, d]), a])
    return k.Model(x, k.layers.Dense(2)(y), name="diamond")


def shared(k: Any) -> Any:
    a, b = k.layers.Input((4,), name="a"), k.layers.Input((4,), name="b")
    first, second = k.layers.Dense(3, name="first"), k.layers.Dense(3, name="second")
    return k.Model([a, b], k.layers.Concatenate()([second(first(a)), second(first(b)), first(a)]))


def dicts(k: Any) -> Any:
    a, b = k.layers.Input((4,), name="a"), k.layers.Input((3,), name="b", dtype="int32")
    hidden = k.layers.Dense(3)(a)
    product = k.layers.Multiply()([hidden, b])
    one = k.layers.Dense(1, name="one")(product)
    two = k.layers.Dense(2, name="two")(k.layers.Concatenate()([product, hidden]))
    return k.Model({"a": a, "b": b}, {"u": two, "v": one})


def lists(k: Any) -> Any:
    a, b = k.layers.Input((4,)), k.layers.Input((4,))
    return k.Model([b, a], [k.layers.Dense(1)(a), k.layers.Subtract()([a, b]), k.layers.Average()([b, a])])


def nested(k: Any) -> Any:
    x = k.layers.Input((4,))
    inner = k.Model(x, [k.layers.Dense(3)(x), k.layers.Dense(3)(x)], name="inner")
    seq = k.Sequential([k.layers.Input((3,)), k.layers.Dense(3), k.layers.ReLU()], name="seq")
    x = k.layers.Input((4,))
    p, q = inner(x)
    r, _ = inner(k.layers.Dense(4)(p))
    return k.Model(x, k.layers.Add()([seq(p), seq(q), r]))


def stacks_in_a_stack(k: Any) -> Any:
    first = k.Sequential([k.layers.Dense(3), k.layers.Dense(2)])
    return k.Sequential([k.layers.Input((4,)), first, k.Sequential([k.layers.Dense(3)]), k.layers.Dense(1)])


def uneven(k: Any) -> Any:
    x = k.layers.Input((8, 8, 1))
    a, b = k.layers.Conv2D(2, 3, padding="same")(x), k.layers.Conv2D(2, 1)(x)
    c = k.layers.BatchNormalization()(k.layers.MaxPooling2D(1)(b))
    y = k.layers.Flatten()(k.layers.ReLU()(k.layers.Add()([a, c])))
    return k.Model(inputs=x, outputs=[k.layers.Dense(2)(y), k.layers.GlobalAveragePooling2D()(b)])


def part(k: Any) -> Any:
    x = k.layers.Input((4,))
    whole = k.Model(x, k.layers.Dense(1)(k.layers.Dense(3)(k.layers.Dense(3)(x))))
    return k.Model(whole.input, whole.layers[1].output)


def operations(k: Any) -> Any:
    x = k.layers.Input((4,))
    h = k.layers.Dense(4)(x)
    y = k.ops.relu(h * 2.0 + x) - 1.0
    y = k.ops.concatenate([y, k.ops.clip(h, -0.5, 0.5), k.ops.leaky_relu(h, 0.3), k.ops.gelu(h)], axis=-1)
    z = k.ops.mean(k.ops.gelu(y, approximate=False), axis=1, keepdims=True)
    square = k.ops.reshape(k.ops.tanh(y)[:, 2:6], (-1, 2, 2))
    return k.Model(x, [1.0 - z / 2.0, square, k.ops.multiply(x1=y[:, -1], x2=h[:, 0])])


def preprocessing(k: Any) -> Any:
    layers = k.layers
    x = layers.Input((8, 8, 3))
    normalization = layers.Normalization()
    normalization.adapt(np.random.default_rng(2).normal(3.0, 2.0, size=(10, 8, 8, 3)).astype("float32"))
    given = layers.Normalization(mean=[1.0, 2.0, 3.0], variance=[2.0, 1.0, 0.5])
    y = layers.Resizing(5, 4)(layers.Rescaling(0.5, 1.0)(normalization(x)))
    return k.Model(x, layers.Concatenate()([y, layers.Resizing(5, 4, interpolation="nearest")(given(x))]))


def augmentation(k: Any) -> Any:
    layers = k.layers
    return k.Sequential(
        [
            layers.Input((8, 8, 3)),
            layers.RandomFlip("horizontal", seed=1),
            layers.RandomRotation(0.1, fill_mode="nearest"),
            layers.RandomTranslation(0.1, (-0.2, 0.3)),
            layers.RandomZoom(0.2),
            layers.RandomContrast(0.3),
            layers.RandomBrightness(0.2, value_range=(0.0, 1.0)),
            layers.GaussianNoise(0.1),
        ]
    )


MODELS = [stack, diamond, shared, dicts, lists, nested, stacks_in_a_stack, uneven, part, operations]


def inputs_of(model: Any) -> Any:
    random = np.random.default_rng(0)

    def values(t: Any) -> np.ndarray:
        kind = "int32" if "int" in str(t.dtype) else "float32"
        return random.normal(size=(16, *t.shape[1:]), scale=2).astype(kind)

    return tree.map_structure(values, model.input)


def targets_of(outputs: Any) -> Any:
    random = np.random.default_rng(1)
    return tree.map_structure(lambda a: random.normal(size=a.shape).astype("float32"), outputs)


def assert_close(got: Any, expected: Any) -> None:
    for a, b in zip(tree.flatten(got), tree.flatten(expected), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-5)


def assert_same(got: list[Any], expected: list[Any]) -> None:
    for a, b in zip(got, expected, strict=True):
        np.testing.assert_array_equal(np.asarray(a), np.asarray(b))


def fit(model: Any, x: Any, y: Any) -> list[float]:
    return model.fit(x, y, epochs=2, batch_size=8, shuffle=False, verbose=0).history["loss"]


def numbered_afresh(build: Callable[[Any], Any], k: Any) -> Any:
    keras.utils.clear_session(free_memory=False)
    naming.reset_names()
    return build(k)


# Both ways with Keras


@pytest.mark.parametrize("build", MODELS)
def test_keras_opens_our_file_and_goes_on_training(build, tmp_path):
    model = build(layerwise)
    x = inputs_of(model)
    y = targets_of(model.predict(x, verbose=0))
    model.compile("adam", "mse", metrics=None if tree.is_nested(y) else ["mae"])
    fit(model, x, y)
    model.save(tmp_path / "m.keras")
    theirs = keras.models.load_model(tmp_path / "m.keras")
    assert_close(theirs.predict(x, verbose=0), model.predict(x, verbose=0))
    assert_same(theirs.optimizer.variables, model.optimizer.variables)
    assert_close(fit(theirs, x, y), fit(model, x, y))
    assert [w.shape for w in theirs.get_weights()] == [w.shape for w in model.get_weights()]


@pytest.mark.parametrize("build", MODELS)
def test_we_open_keras_file_and_go_on_training(build, tmp_path):
    theirs = build(keras)
    x = inputs_of(build(layerwise))
    y = targets_of(theirs.predict(x, verbose=0))
    metrics = None if tree.is_nested(y) else ["mae"]
    theirs.compile(keras.optimizers.SGD(0.001, momentum=0.9), "mse", metrics=metrics)
    fit(theirs, x, y)
    theirs.save(tmp_path / "m.keras")
    model = saving.load_model(tmp_path / "m.keras")
    assert_close(model.predict(x, verbose=0), theirs.predict(x, verbose=0))
    assert_same(model.optimizer.variables, theirs.optimizer.variables)
    assert_close(fit(model, x, y), fit(theirs, x, y))
    again = model.from_config(model.get_config())
    assert [layer.name for layer in again.layers] == [layer.name for layer in theirs.layers]


@pytest.mark.parametrize("build", [preprocessing, augmentation])
def test_models_without_training_both_ways(build, tmp_path):
    ours, theirs = build(layerwise), build(keras)
    x = inputs_of(ours)
    ours.save(tmp_path / "ours.keras")
    theirs.save(tmp_path / "theirs.keras")
    assert_close(keras.models.load_model(tmp_path / "ours.keras").predict(x, verbose=0), ours.predict(x, verbose=0))
    assert_close(saving.load_model(tmp_path / "theirs.keras").predict(x, verbose=0), theirs.predict(x, verbose=0))


def test_what_is_frozen_stays_frozen(tmp_path):
    model = stack(layerwise)
    model.layers[0].trainable = False
    model.layers[1].trainable = False
    whole = layerwise.Sequential([model, layerwise.layers.Dense(2)])
    whole.compile("adam", "mse")
    x = inputs_of(model)
    fit(whole, x, np.ones((16, 2)))
    whole.save(tmp_path / "m.keras")
    theirs, loaded = keras.models.load_model(tmp_path / "m.keras"), saving.load_model(tmp_path / "m.keras")
    shapes = [v.shape for v in whole.trainable_variables]
    assert [v.shape for v in loaded.trainable_variables] == shapes == [v.shape for v in theirs.trainable_variables]
    assert_close(fit(loaded, x, np.ones((16, 2))), fit(theirs, x, np.ones((16, 2))))
    frozen = diamond(layerwise)
    frozen.trainable = False
    frozen.save(tmp_path / "frozen.keras")
    assert saving.load_model(tmp_path / "frozen.keras").trainable_variables == []


def test_a_model_that_was_loaded_goes_on_as_if_it_had_never_been_saved(tmp_path):
    model = stack(layerwise)
    x = inputs_of(model)
    y = np.arange(16) % 3
    model.compile("adamw", "sparse_categorical_crossentropy", metrics=["accuracy"])
    fit(model, x, y)
    model.save(tmp_path / "m.keras")
    loaded = saving.load_model(tmp_path / "m.keras")
    assert fit(loaded, x, y) == fit(model, x, y)
    for a, b in zip(loaded.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    assert int(loaded.optimizer.iterations) == 8


OPTIMIZERS = [
    ("SGD", {"learning_rate": 0.01, "momentum": 0.9, "nesterov": True}),
    ("Adam", {"amsgrad": True}),
    ("AdamW", {"weight_decay": 0.01}),
    ("RMSprop", {"momentum": 0.5, "centered": True}),
    ("Adagrad", {}),
    ("Adam", {"use_ema": True, "clipnorm": 1.0}),
    ("Adam", {"gradient_accumulation_steps": 2}),
]


@pytest.mark.parametrize(("name", "arguments"), OPTIMIZERS)
def test_slots_of_optimizers_lie_where_keras_has_them(name, arguments, tmp_path):
    model = part(layerwise)
    x = inputs_of(model)
    y = targets_of(model.predict(x, verbose=0))
    model.compile(getattr(layerwise.optimizers, name)(**arguments), "mse")
    fit(model, x, y)
    model.save(tmp_path / "m.keras")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        theirs = keras.models.load_model(tmp_path / "m.keras")
    assert_same(theirs.optimizer.variables, model.optimizer.variables)
    assert_close(fit(theirs, x, y), fit(model, x, y))


def test_a_schedule_is_kept(tmp_path):
    model = part(layerwise)
    schedule = layerwise.optimizers.schedules.ExponentialDecay(0.1, 2, 0.5)
    model.compile(layerwise.optimizers.SGD(schedule), "mse")
    x = inputs_of(model)
    fit(model, x, targets_of(model.predict(x, verbose=0)))
    model.save(tmp_path / "m.keras")
    rate = float(np.asarray(model.optimizer.learning_rate))
    assert float(np.asarray(saving.load_model(tmp_path / "m.keras").optimizer.learning_rate)) == rate
    assert float(np.asarray(keras.models.load_model(tmp_path / "m.keras").optimizer.learning_rate)) == rate


def test_weights_files_both_ways(tmp_path):
    ours, theirs = uneven(layerwise), uneven(keras)
    x = inputs_of(ours)
    ours.save_weights(tmp_path / "ours.weights.h5")
    theirs.load_weights(tmp_path / "ours.weights.h5")
    assert_close(theirs.predict(x, verbose=0), ours.predict(x, verbose=0))
    other = uneven(keras)
    other.save_weights(tmp_path / "theirs.weights.h5")
    ours.load_weights(tmp_path / "theirs.weights.h5")
    assert_close(ours.predict(x, verbose=0), other.predict(x, verbose=0))
    theirs.save(tmp_path / "theirs.keras")
    ours.load_weights(tmp_path / "theirs.keras")
    assert_close(ours.predict(x, verbose=0), theirs.predict(x, verbose=0))


# The same content as Keras'


def plain(config: Any) -> Any:
    """A configuration without what is known to differ from Keras'."""
    if isinstance(config, float):
        return pytest.approx(config, rel=1e-6)  # some of Keras' numbers went through float32
    if isinstance(config, list | tuple):
        return [plain(item) for item in config]
    if not isinstance(config, dict):
        return "Divide" if config == "TrueDivide" else config
    ignored = {"shared_object_id"}  # is optional
    ignored |= {"quantization_config"} if config.get("quantization_config") is None else set()
    ignored |= {"mask"} if config.get("mask") is None else set()  # an argument of a call
    if str(config.get("module")).startswith("keras.src.ops."):
        ignored |= {"name"}
        config = {**config, "config": {k: v for k, v in config["config"].items() if k != "name"}}
    if str(config.get("class_name")).startswith(("Flatten", "ZeroPadding", "ReLU", "Random", "Rescaling", "Resizing")):
        ignored |= {"build_config"}  # they have nothing to build
        ignored |= {"inbound_nodes"} if config["class_name"] == "Resizing" else set()  # Keras: training=True
    if config.get("class_name") == "Normalization":
        ignored |= {"build_config"}  # Keras builds for batches of the size that adapt was given
    if "jit_compile" in config:
        ignored |= {"jit_compile"}  # Keras writes what "auto" came to
    return {key: plain(value) for key, value in config.items() if key not in ignored}


def configuration(path: Path) -> dict[str, Any]:
    return json.loads(zipfile.ZipFile(path).read("config.json"))


@pytest.mark.parametrize("build", [*(m for m in MODELS if m is not operations), preprocessing, augmentation])
def test_configurations_and_automatic_names_are_keras(build, tmp_path):
    ours, theirs = numbered_afresh(build, layerwise), numbered_afresh(build, keras)
    for model, name in ((ours, "ours.keras"), (theirs, "theirs.keras")):
        model.compile("adam", "mse", metrics=["mae"], loss_weights=None)
        model.save(tmp_path / name)
    assert plain(configuration(tmp_path / "ours.keras")) == plain(configuration(tmp_path / "theirs.keras"))


def test_every_operation_is_one_of_keras():
    from layerwise.models.graph_config import CLASSES, MODULE_OF

    for name, module in MODULE_OF.items():
        class_name = CLASSES.get(name) or "".join(piece.capitalize() for piece in name.split("_"))
        source = __import__(module, fromlist=[class_name])
        assert issubclass(getattr(source, class_name), keras.Operation), name
        assert callable(getattr(layerwise.ops.image if module.endswith("image") else layerwise.ops, name))


@pytest.mark.parametrize("build", [diamond, shared, lists, nested, uneven, stacks_in_a_stack])
def test_layers_are_in_the_order_of_keras(build):
    ours, theirs = numbered_afresh(build, layerwise), numbered_afresh(build, keras)
    assert [layer.name for layer in ours.layers] == [layer.name for layer in theirs.layers]


def paths(model: Any, path: Path) -> dict[str, Any]:
    """Each dataset's shape, and each object's name."""
    model.save_weights(path)
    found = {}
    with h5py.File(path) as file:
        file.visititems(lambda name, item: found.update({name: getattr(item, "shape", item.attrs.get("name"))}))
    return found


def everything(k: Any) -> Any:
    """A subclassed model with attributes of all kinds."""

    class Keeper(k.metrics.Metric):
        def __init__(self):
            super().__init__(name="keeper")
            self.encoder = k.layers.Dense(2)
            self.encoder.build((None, 3))
            self.total = self.add_variable(shape=(), initializer="zeros", name="total")

        def update_state(self, *args, **kwargs):
            pass

        def result(self):
            return self.total

    class Block(k.layers.Layer):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self._private = k.layers.Dense(2)
            self.__mangled = k.layers.Dense(2)
            self.zz = k.layers.Dense(2)
            self.mixed = (k.layers.Dense(1), [k.layers.Dense(2), {"q": k.layers.Dense(3)}], [k.layers.Dense(2)])
            self.by_name = {"b": k.layers.Dense(2), "a": k.layers.LayerNormalization()}
            self.keeper = Keeper()

        @property
        def alias(self):
            return self.zz

        @property
        def broken(self):
            raise AttributeError("not yet")

        def build(self, input_shape):
            mixed = self.mixed
            for layer in [self._private, self.zz, mixed[0], mixed[1][0], mixed[1][1]["q"], mixed[2][0]]:
                layer.build((None, 3))
            for layer in self.by_name.values():
                layer.build((None, 3))
            self.fixed = self.add_weight(shape=(2,), trainable=False)
            self.own = self.add_weight(shape=(3,))
            self.built = True

        def call(self, x):
            return x

    class Everything(k.Model):
        def __init__(self):
            super().__init__()
            self.zed = k.layers.Dense(2)
            self.alpha = k.layers.Dense(2)
            self._hidden = k.layers.Dense(2)
            self.several = [k.layers.Dense(2), self.alpha, k.layers.Dense(2)]
            self.block = Block()
            self.keeper = Keeper()
            self.lossy = k.losses.MeanSquaredError()
            self.generator = k.random.SeedGenerator(1)
            self.second_optimizer = k.optimizers.SGD()
            self.weight = self.add_weight(shape=(4,), name="weight")

        def call(self, x):
            x = self.several[0](self._hidden(self.alpha(self.zed(x))))
            self.block(x)
            return self.several[2](x)

    model = Everything()
    model(np.zeros((1, 3), "float32"))
    model.compile("adam", "mse", metrics=["mae"])
    return model


def functional_subclass(k: Any) -> Any:
    class Extended(k.Model):
        def __init__(self):
            x = k.layers.Input((3,))
            dense = k.layers.Dense(2)
            super().__init__(x, dense(x))
            self.extra = k.layers.Dense(4)
            self.alias = dense
            self.extra.build((None, 2))

    return Extended()


@pytest.mark.parametrize("build", [everything, functional_subclass, nested, stacks_in_a_stack, dicts])
def test_paths_in_the_file_are_keras(build, tmp_path):
    ours, theirs = numbered_afresh(build, layerwise), numbered_afresh(build, keras)
    assert paths(ours, tmp_path / "ours.weights.h5") == paths(theirs, tmp_path / "theirs.weights.h5")


def test_members_are_stored_uncompressed_in_keras_order(tmp_path):
    diamond(layerwise).save(tmp_path / "m.keras")
    members = zipfile.ZipFile(tmp_path / "m.keras").infolist()
    assert [m.filename for m in members] == ["metadata.json", "config.json", "model.weights.h5"]
    assert {m.compress_type for m in members} == {zipfile.ZIP_STORED}


# Classes of the user


@pytest.fixture
def classes():
    """Registered in both libraries under the same names: a layer, and a subclassed model that uses it."""

    def make(k: Any) -> tuple[Any, Any]:
        @k.saving.register_keras_serializable("tests")
        class Scale(k.layers.Layer):
            def __init__(self, factor=1.0, **kwargs):
                super().__init__(**kwargs)
                self.factor = factor

            def build(self, input_shape):
                self.gain = self.add_weight(shape=(input_shape[-1],), initializer="ones", name="gain")

            def call(self, x):
                return x * self.gain * self.factor

            def get_config(self):
                return {**super().get_config(), "factor": self.factor}

        @k.saving.register_keras_serializable("tests")
        class Net(k.Model):
            def __init__(self, units=3, **kwargs):
                super().__init__(**kwargs)
                self.units = units
                self.zoom = Scale(2.0)
                self.dense = k.layers.Dense(units, activation="tanh")
                self.blocks = [k.layers.Dense(2), k.layers.BatchNormalization()]

            def call(self, x, training=False):
                x = self.blocks[0](self.dense(self.zoom(x)))
                return self.blocks[1](x, training=training)

            def get_config(self):
                return {**super().get_config(), "units": self.units}

        return Scale, Net

    made = make(layerwise), make(keras)
    yield made
    for name in ("tests>Scale", "tests>Net"):
        cls = serialization._registered.pop(name)
        serialization._registered_names.pop(cls)
        keras.saving.get_custom_objects().pop(name)


def test_subclassed_models_both_ways(classes, tmp_path):
    (_, ours), (_, theirs) = classes
    model = ours(units=4)
    x = np.random.default_rng(0).normal(size=(16, 3)).astype("float32")
    y = targets_of(model.predict(x, verbose=0))
    model.compile("adam", "mse")
    fit(model, x, y)
    model.save(tmp_path / "ours.keras")
    opened = keras.models.load_model(tmp_path / "ours.keras")
    assert type(opened) is theirs
    assert opened.units == 4
    assert_close(opened.predict(x, verbose=0), model.predict(x, verbose=0))
    assert_close(fit(opened, x, y), fit(model, x, y))
    opened.save(tmp_path / "theirs.keras")
    again = saving.load_model(tmp_path / "theirs.keras")
    assert type(again) is ours
    assert_close(again.predict(x, verbose=0), opened.predict(x, verbose=0))
    assert_close(fit(again, x, y), fit(opened, x, y))


def test_custom_objects_and_their_scope(tmp_path):
    class Shift(layerwise.layers.Layer):
        def call(self, x):
            return x + 1.0

    x = layerwise.Input((2,))
    model = layerwise.Model(x, Shift()(x))
    model.save(tmp_path / "m.keras")
    with pytest.raises(FileFormatError, match=r"m\.keras: config\.json: 'Shift' .* not a known class.*custom_objects"):
        saving.load_model(tmp_path / "m.keras")
    ones = np.ones((1, 2), "float32")
    loaded = saving.load_model(tmp_path / "m.keras", custom_objects={"Shift": Shift})
    assert_close(loaded.predict(ones, verbose=0), ones + 1)
    with saving.custom_object_scope({"Shift": Shift}):
        assert_close(saving.load_model(tmp_path / "m.keras").predict(ones, verbose=0), ones + 1)
    again = layerwise.Model.from_config(model.get_config(), custom_objects={"Shift": Shift})
    assert_close(again.predict(ones, verbose=0), ones + 1)


def test_a_layer_decides_how_it_lies_in_the_file(tmp_path):
    class Halved(layerwise.layers.Layer):
        def build(self, input_shape):
            self.gain = self.add_weight(shape=(2,), initializer="ones", name="gain")
            self.count = self.add_weight(shape=(), dtype="int32", initializer="zeros", trainable=False, name="count")

        def call(self, x):
            return x * self.gain

        def save_own_variables(self, store):
            store["half"] = self.gain.value / 2

        def load_own_variables(self, store):
            self.gain.assign(store["half"] * 2)

    x = layerwise.Input((2,))
    layer = Halved()
    model = layerwise.Model(x, layer(x))
    layer.gain.assign([3.0, 4.0])
    model.save(tmp_path / "m.keras")
    with zipfile.ZipFile(tmp_path / "m.keras") as archive, h5py.File(io.BytesIO(archive.read("model.weights.h5"))) as f:
        assert f["layers/halved/vars/half"][:].tolist() == [1.5, 2.0]
    loaded = saving.load_model(tmp_path / "m.keras", {"Halved": Halved}).layers[1]
    assert loaded.gain.numpy().tolist() == [3.0, 4.0]
    assert loaded.count.numpy() == 0  # by its initializer: the file has no value for it


# Files that Keras wrote


def test_samples_of_keras():
    with pytest.raises(FileFormatError, match=r"config\.json: Lambda: a configuration chooses what it calls"):
        saving.load_model(SAMPLES / "lam.keras")
    with pytest.raises(FileFormatError, match=r"config\.json: the configuration holds a lambda as bytecode"):
        saving.load_model(SAMPLES / "lam.keras", safe_mode=False)
    mixed = saving.load_model(SAMPLES / "mp.keras")
    assert mixed.layers[0].dtype_policy.name == "mixed_float16"
    assert mixed.layers[0].kernel.dtype == "float32"
    unbuilt = saving.load_model(SAMPLES / "unbuilt.keras")
    assert not unbuilt.built
    assert unbuilt.predict(np.ones((1, 3), "float32"), verbose=0).shape == (1, 2)


@saving.register_keras_serializable("lambdas")
@keras.saving.register_keras_serializable("lambdas")
def scaled(x, by=2.0):
    return x * by


def shifted(x, training=None):
    return x + 1 if training else x - 1


@pytest.mark.parametrize("ending", [".keras", ".h5"])
@pytest.mark.parametrize("function", [scaled, layerwise.ops.absolute, layerwise.activations.relu])
def test_lambda_layers_of_named_functions(function, ending, tmp_path):
    layer = layerwise.layers.Lambda(function, arguments={"by": 3.0} if function is scaled else None)
    inner = layerwise.Sequential([layerwise.Input((2,)), layer])
    model = layerwise.Sequential([layerwise.Input((2,)), layerwise.layers.Dense(2), inner])
    x = np.array([[-1.0, 2.0]], "float32")
    expected = model.predict(x, verbose=0)
    path = tmp_path / f"m{ending}"
    model.save(path)
    with pytest.raises(FileFormatError, match=r"Lambda: a configuration chooses .* safe_mode=False"):
        saving.load_model(path)
    np.testing.assert_array_equal(saving.load_model(path, safe_mode=False).predict(x, verbose=0), expected)
    np.testing.assert_allclose(keras.saving.load_model(path).predict(x, verbose=0), expected, rtol=1e-6)
    with pytest.raises(ValueError, match="Lambda: a configuration"):
        layerwise.models.model_from_json(model.to_json())
    assert layerwise.models.clone_model(model).layers[1].layers[0].function is function


def test_a_lambda_layer_of_keras(tmp_path):
    keras.Sequential([keras.Input((2,)), keras.layers.Lambda(scaled, arguments={"by": 3.0})]).save(tmp_path / "m.keras")
    model = saving.load_model(tmp_path / "m.keras", safe_mode=False)
    assert model.predict(np.ones((1, 2)), verbose=0).tolist() == [[3.0, 3.0]]


def test_lambda_layers_hold_no_code(tmp_path):
    layer = layerwise.layers.Lambda(shifted)
    model = layerwise.Sequential([layerwise.Input((1,)), layer])
    model.save(tmp_path / "m.keras")
    with pytest.raises(FileFormatError, match=r"'shifted' .* register_keras_serializable, or pass custom_objects"):
        saving.load_model(tmp_path / "m.keras", safe_mode=False)
    loaded = saving.load_model(tmp_path / "m.keras", {"shifted": shifted}, safe_mode=False)
    assert loaded(np.ones((1, 1)), training=True).numpy().tolist() == [[2.0]]
    assert loaded(np.ones((1, 1))).numpy().tolist() == [[0.0]]
    for function in (lambda x: x, abs, functools.partial(shifted, training=True)):
        unnamed = layerwise.Sequential([layerwise.Input((1,)), layerwise.layers.Lambda(function)])
        with pytest.raises(ValueError, match=r"Lambda: function: cannot write .*; define a function and register it"):
            unnamed.save(tmp_path / "m.keras")
    config = layer.get_config()
    system = {"module": "os", "class_name": "function", "config": "system", "registered_name": "function"}
    for function in (system, {**system, "module": "builtins", "config": "eval"}, "relu", ["4wAAAA==", None, None]):
        node = {"module": "keras.layers", "class_name": "Lambda", "config": {**config, "function": function}}
        with pytest.raises((ValueError, TypeError), match=r"is not a known class or function|expected a function"):
            saving.deserialize_keras_object(node, safe_mode=False)


def test_a_lambda_layer_and_masks():
    def used(x, mask=None):
        return x * layerwise.ops.cast(mask, "float32")

    x = layerwise.ops.ones((1, 3)).note("mask", layerwise.ops.convert_to_tensor([[True, False, True]]))
    assert layerwise.layers.Lambda(used)(x).numpy().tolist() == [[1.0, 0.0, 1.0]]
    assert "mask" not in (layerwise.layers.Lambda(shifted)(x).notes or {})
    for mask in ([[False, True, True]], lambda inputs, mask: layerwise.ops.logical_not(mask)):
        found = layerwise.layers.Lambda(shifted, mask=mask)(x).notes["mask"]
        assert np.asarray(found).tolist()[0][0] is False


def test_a_sample_with_nested_containers():
    class Blk(layerwise.layers.Layer):
        def __init__(self, u, **kwargs):
            super().__init__(**kwargs)
            self.u = u
            dense = layerwise.layers.Dense
            self.d = dense(u)
            self.blocks = [dense(u), dense(u), layerwise.layers.LayerNormalization()]
            self.dd = {"a": dense(u), "b": [dense(u)]}

        def build(self, shape):
            self.w = self.add_weight(shape=(3,), name="w")
            self.s = self.add_weight(shape=(), name="s", trainable=False)
            self.d.build(shape)
            for layer in [*self.blocks, self.dd["a"], self.dd["b"][0]]:
                layer.build((None, self.u))

        def call(self, x):
            return self.d(x)

    model = saving.load_model(SAMPLES / "custom.keras", {"Blk": Blk})
    block = model.layers[1]
    with zipfile.ZipFile(SAMPLES / "custom.keras") as archive:
        data = h5py.File(io.BytesIO(archive.read("model.weights.h5")))
    np.testing.assert_array_equal(block.dd["b"][0].kernel.numpy(), data["layers/blk/dd/container/dense/vars/0"])
    np.testing.assert_array_equal(block.blocks[1].kernel.numpy(), data["layers/blk/blocks/dense_1/vars/0"])


# Loading costs no more than the values


def test_no_initializer_runs_for_values_that_come_from_the_file(tmp_path, monkeypatch):
    model = diamond(layerwise)
    model.compile("adam", "mse")
    x = inputs_of(model)
    fit(model, x, targets_of(model.predict(x, verbose=0)))
    model.save(tmp_path / "m.keras")

    def refuse(self, shape, dtype=None):
        raise AssertionError("an initializer ran")

    monkeypatch.setattr(initializers.GlorotUniform, "__call__", refuse)
    monkeypatch.setattr(initializers.Zeros, "__call__", refuse)
    loaded = saving.load_model(tmp_path / "m.keras")
    assert_close(loaded.predict(x, verbose=0), model.predict(x, verbose=0))


def edited(source: Path, target: Path, edit: Callable[[dict[str, Any]], None]) -> Path:
    """A `.keras` file whose configuration was changed."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            data = old.read(name)
            if name == "config.json":
                config = json.loads(data)
                edit(config)
                data = json.dumps(config).encode()
            new.writestr(name, data)
    return target


@pytest.fixture
def saved(tmp_path) -> Path:
    model = layerwise.Sequential([layerwise.Input((3,)), layerwise.layers.Dense(2, name="head")], name="m")
    model.compile("sgd", "mse")
    model.save(tmp_path / "m.keras")
    return tmp_path / "m.keras"


def test_a_layer_larger_than_the_file_is_refused_before_it_takes_memory(saved, tmp_path):
    def enlarge(config):
        config["config"]["layers"][1]["config"]["units"] = 10**12

    path = edited(saved, tmp_path / "large.keras", enlarge)
    with pytest.raises(FileFormatError, match=r"'head'.*kernel: got shape \(3, 2\), expected \(3, 1000000000000\)"):
        saving.load_model(path)


# Files and models that do not fit


def rows(units: int, name: str = "head", layers: int = 1) -> Any:
    dense = [layerwise.layers.Dense(units, name=f"{name}{i or ''}") for i in range(layers)]
    return layerwise.Sequential([layerwise.Input((3,)), *dense])


def test_weights_that_do_not_fit_leave_the_model_unchanged(saved, tmp_path):
    rows(2, layers=2).save_weights(tmp_path / "two.weights.h5")
    layerwise.Sequential([layerwise.Input((3,)), layerwise.layers.Dense(2, use_bias=False)]).save_weights(
        tmp_path / "bare.weights.h5"
    )
    for name, model, message in (
        ("two", rows(2), r"layers/dense_1/vars: the model has no such layer"),
        ("two", rows(3), r"layers/dense/vars: layer 'head': .*head/kernel: got shape \(3, 2\), expected \(3, 3\)"),
        ("two", rows(2, layers=3), r"layers/dense_2/vars: layer 'head2' \(Dense\): got 0 saved .* expected 2"),
        ("bare", rows(2), r"layer 'head' \(Dense\): got 1 saved variables, expected 2: \['kernel', 'bias'\]"),
    ):
        before = model.get_weights()
        with pytest.raises(FileFormatError, match=rf"{name}\.weights\.h5: {message}|{message}"):
            model.load_weights(tmp_path / f"{name}.weights.h5")
        assert all(np.array_equal(a, b) for a, b in zip(model.get_weights(), before, strict=True))


def test_skip_mismatch_loads_what_fits(tmp_path):
    source = layerwise.Sequential(
        [layerwise.Input((3,)), layerwise.layers.Dense(3), layerwise.layers.Dense(4), layerwise.layers.Dense(1)]
    )
    source.save_weights(tmp_path / "w.weights.h5")
    model = layerwise.Sequential([layerwise.Input((3,)), layerwise.layers.Dense(3), layerwise.layers.Dense(2)])
    before = model.get_weights()
    with pytest.warns(UserWarning, match="skipped") as said:
        model.load_weights(tmp_path / "w.weights.h5", skip_mismatch=True)
    assert len(said) == 2
    np.testing.assert_array_equal(model.get_weights()[0], source.get_weights()[0])
    np.testing.assert_array_equal(model.get_weights()[2], before[2])


def test_weights_of_a_model_that_has_none(tmp_path):
    unbuilt = layerwise.Sequential([layerwise.layers.Dense(2)])
    with pytest.raises(ValueError, match="has no weights yet; call it on data"):
        unbuilt.save_weights(tmp_path / "w.weights.h5")
    rows(2).save_weights(tmp_path / "w.weights.h5")
    with pytest.raises(FileFormatError, match=r"got 2 saved variables, expected 0: \[\] \(it is not built yet"):
        unbuilt.load_weights(tmp_path / "w.weights.h5")


def test_an_optimizer_that_does_not_fit_starts_afresh(tmp_path):
    model = rows(2)
    x = np.ones((4, 3), "float32")
    model.compile("adam", "mse")
    model.fit(x, np.ones((4, 2)), verbose=0)
    model.save_weights(tmp_path / "w.weights.h5")
    other = rows(2)
    other.compile("sgd", "mse")
    with pytest.warns(UserWarning, match="the optimizer starts afresh"):
        other.load_weights(tmp_path / "w.weights.h5")
    assert_close(other.predict(x, verbose=0), model.predict(x, verbose=0))


def test_arguments(tmp_path):
    model = rows(2)
    with pytest.raises(ValueError, match=r"got 'm\.txt', expected a name that ends in '\.keras' or '\.h5'"):
        model.save("m.txt")
    with pytest.raises(ValueError, match=r"expected a name that ends in '\.weights\.h5'"):
        model.save_weights("m.keras")
    with pytest.raises(TypeError, match="got a Dense, expected a Model"):
        saving.save_model(model.layers[0], tmp_path / "m.keras")
    with pytest.raises(FileNotFoundError, match="does not exist"):
        saving.load_model(tmp_path / "none.keras")
    with pytest.raises(FileFormatError, match=r"load_model reads files that end in \.keras"):
        saving.load_model(tmp_path)
    with pytest.raises(FileNotFoundError, match=r"the folder .* does not exist"):
        model.save(tmp_path / "none" / "m.keras")


def test_without_compile(saved):
    assert saving.load_model(saved).compiled
    assert not saving.load_model(saved, compile=False).compiled


def test_unknown_configuration_keys(saved, tmp_path):
    def inert(config):
        config["config"]["layers"][1]["config"]["future_option"] = None

    def unknown(config):
        config["config"]["layers"][1]["config"]["future_option"] = 3

    assert saving.load_model(edited(saved, tmp_path / "inert.keras", inert)).count_params() == 8
    with pytest.raises(FileFormatError, match=r"config\.json: Dense: unknown argument 'future_option'"):
        saving.load_model(edited(saved, tmp_path / "unknown.keras", unknown))


def test_calls_in_the_older_form():
    """Keras 2 listed [layer, call, output, arguments] for each Tensor."""
    x = layerwise.Input((4,), name="x")
    model = layerwise.Model(x, layerwise.layers.Add(name="sum")([layerwise.layers.Dense(3, name="d")(x)] * 2))
    config = model.get_config()
    config["layers"][1]["inbound_nodes"] = [[["x", 0, 0, {}]]]
    config["layers"][2]["inbound_nodes"] = [[["d", 0, 0, {}], ["d", 0, 0]]]
    again = layerwise.Model.from_config(config)
    again.set_weights(model.get_weights())
    ones = np.ones((1, 4), "float32")
    assert_close(again.predict(ones, verbose=0), model.predict(ones, verbose=0))


def test_graphs_that_contradict_themselves():
    config = diamond(layerwise).get_config()
    cases = [
        ({"output_layers": ["nobody", 0, 0]}, r"names the output \['nobody', 0, 0\], which does not exist"),
        ({"layers": config["layers"][1:]}, r"calls of \['add.*\] depend on outputs that do not exist"),
        ({"layers": [{**config["layers"][0], "module": "keras.src.ops.nn"}]}, "operation 'InputLayer' .* is not known"),
    ]
    for change, message in cases:
        with pytest.raises(ValueError, match=message):
            layerwise.Model.from_config({**config, **change})


@saving.register_keras_serializable("tests")
def doubled(x: Any) -> Any:
    return x * 2


def test_plain_data_and_back():
    data = {
        "list": [1, 2.5, "a", None, True, (3, 4)],
        "bytes": b"raw",
        "slice": slice(1, None, 2),
        "dots": ...,
        "number": np.float32(0.5),
        "array": np.arange(3, dtype="int16"),
        "tensor": layerwise.ops.array([1.0, 2.0]),
        "policy": layerwise.config.DTypePolicy("mixed_float16"),
        "function": doubled,
        "loss": layerwise.losses.Huber(delta=2.0),
    }
    written = json.loads(json.dumps(saving.serialize_keras_object(data)))
    found = saving.deserialize_keras_object(written)
    assert found["list"] == [1, 2.5, "a", None, True, [3, 4]]
    assert (found["bytes"], found["slice"], found["dots"]) == (b"raw", slice(1, None, 2), ...)
    assert found["number"] == 0.5
    assert found["array"].dtype == "int16"
    assert found["tensor"].numpy().tolist() == [1.0, 2.0]
    assert found["policy"].name == "mixed_float16"
    assert found["function"] is doubled
    assert found["loss"].get_config() == data["loss"].get_config()
    assert saving.get_registered_name(doubled) == "tests>doubled"
    assert saving.get_registered_object("tests>doubled") is saving.get_custom_objects()["tests>doubled"] is doubled
    for value, error in ((lambda x: x, ValueError), (object(), TypeError)):
        with pytest.raises(error, match="cannot write a"):
            saving.serialize_keras_object(value)
    with pytest.raises(ValueError, match="has no get_config"):
        saving.register_keras_serializable()(int)


def test_arguments_that_are_no_plain_data_need_a_get_config():
    class Wrapper(layerwise.layers.Layer):
        def __init__(self, inner, **kwargs):
            super().__init__(**kwargs)
            self.inner = inner

    with pytest.raises(
        NotImplementedError, match="argument 'inner' of __init__ holds a Dense, which cannot be written"
    ):
        Wrapper(layerwise.layers.Dense(2)).get_config()


# Damaged and hostile files


NODE = {"module": "keras.layers", "registered_name": None}
HOSTILE = {
    "a class that is not there": (
        {**NODE, "class_name": "Nope", "config": {}},
        "Nope is not in Layerwise",
    ),
    "a class of the standard library": (
        {"module": "subprocess", "class_name": "Popen", "config": {"args": ["true"]}, "registered_name": "Popen"},
        "'Popen' .*not a known class",
    ),
    "a module where a class should be": ({**NODE, "class_name": "core", "config": {}}, "expected a class"),
    "a function where a class should be": ({**NODE, "class_name": "add", "config": {}}, "expected a class"),
    "a lambda": ({"class_name": "__lambda__", "config": {"value": "4wAAAA=="}}, "bytecode, which is never run"),
    "no model": ({**NODE, "class_name": "ReLU", "config": {}}, "expected a model, got ReLU"),
    "a list": ([], "expected a JSON object, got list"),
    "no names": ({"module": "keras", "class_name": "Sequential", "config": {}}, "KeyError: 'layers'"),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_hostile_configurations(case, saved, tmp_path):
    config, message = HOSTILE[case]
    with zipfile.ZipFile(saved) as old, zipfile.ZipFile(tmp_path / "h.keras", "w") as new:
        new.writestr("metadata.json", "{}")
        new.writestr("config.json", json.dumps(config))
        new.writestr("model.weights.h5", old.read("model.weights.h5"))
    with pytest.raises(FileFormatError, match=rf"h\.keras: config\.json: .*{message}"):
        saving.load_model(tmp_path / "h.keras")


def test_functions_that_configurations_may_not_name(saved, tmp_path):
    def load(config):
        config["config"]["layers"][1]["config"]["activation"] = {
            "module": "keras.models", "class_name": "function", "config": "load_model", "registered_name": "function",
        }  # fmt: skip

    with pytest.raises(FileFormatError, match=r"keras\.models\.load_model is not in"):
        saving.load_model(edited(saved, tmp_path / "f.keras", load))


def rewritten(
    source: Path, target: Path, members: dict[str, bytes | None], extra: tuple[str, bytes] | None = None
) -> Path:
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            data = members.get(name, old.read(name))
            if data is not None:
                new.writestr(name, data)
        if extra is not None:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # about a name that is there already
                new.writestr(*extra)
    return target


@pytest.mark.parametrize(
    ("members", "extra", "message"),
    [
        ({"config.json": None}, None, r"config\.json: the member is missing"),
        ({"model.weights.h5": None}, None, r"model\.weights\.h5: the member is missing"),
        ({"config.json": b"{"}, None, r"config\.json: "),
        ({"config.json": b"[" * 100_000}, None, r"config\.json: objects are nested too deeply"),
        ({"model.weights.h5": b"no"}, None, r"model\.weights\.h5: not an HDF5 file"),
        ({}, ("../evil", b"x"), r"\.\./evil: a \.keras file has no such member"),
        ({}, ("model.pkl", pickle.dumps(0)), r"model\.pkl: a \.keras file has no such member"),
        ({}, ("config.json", b"{}"), r"config\.json: the member is there twice"),
    ],
)
def test_members(members, extra, message, saved, tmp_path):
    path = rewritten(saved, tmp_path / "x.keras", members, extra)
    with pytest.raises(FileFormatError, match=rf"x\.keras: {message}"):
        saving.load_model(path)


def test_a_damaged_archive(saved, tmp_path):
    data = saved.read_bytes()
    for name, content in (("cut", data[: len(data) // 2]), ("text", b"PK, or not"), ("empty", b"")):
        path = tmp_path / f"{name}.keras"
        path.write_bytes(content)
        with pytest.raises(FileFormatError, match=rf"{name}\.keras: not a \.keras file"):
            saving.load_model(path)
    place = data.index(b'"class_name"')
    path = tmp_path / "flipped.keras"
    path.write_bytes(data[:place] + b"?" + data[place + 1 :])
    with pytest.raises(FileFormatError, match=r"config\.json: damaged"):
        saving.load_model(path)


def test_members_that_declare_more_than_there_is(saved, tmp_path):
    data = bytearray(saved.read_bytes())
    entry = data.rindex(b"PK\x01\x02")  # the last member's in the directory
    data[entry + 24 : entry + 28] = (2**31).to_bytes(4, "little")  # its size
    path = tmp_path / "large.keras"
    path.write_bytes(data)
    with pytest.raises(FileFormatError, match=r"model\.weights\.h5: the directory says something else of it"):
        saving.load_model(path)
    member = data.rindex(b"PK\x03\x04")
    data[member + 22 : member + 26] = (2**31).to_bytes(4, "little")
    path.write_bytes(data)
    with pytest.raises(FileFormatError, match=r"model\.weights\.h5: says 2147483648 bytes, the file has \d+"):
        saving.load_model(path)
    data[entry + 10] = data[member + 8] = zipfile.ZIP_LZMA
    path.write_bytes(data)
    with pytest.raises(FileFormatError, match=r"compression method 14"):
        saving.load_model(path)


def weights_file(change: Callable[[h5py.File], None]) -> tuple[Any, io.BytesIO]:
    """A model, and its weights with something changed."""
    model, file = rows(2), io.BytesIO()
    write_weights(model, file)
    with h5py.File(file, "r+") as archive:
        change(archive)
    file.seek(0)
    return model, file


KERNEL = "layers/dense/vars/0"


def replace(archive: h5py.File, **arguments: Any) -> None:
    del archive[KERNEL]
    archive.create_dataset(KERNEL, **arguments)


def link(target: Any) -> Callable[[h5py.File], None]:
    def change(archive: h5py.File) -> None:
        del archive[KERNEL]
        archive[KERNEL] = target

    return change


def circle(archive: h5py.File) -> None:
    archive["layers/again"] = archive["layers"]


def group(archive: h5py.File) -> None:
    del archive[KERNEL]
    archive.create_group(KERNEL)


def virtual(archive: h5py.File) -> None:
    layout = h5py.VirtualLayout((3, 2), "f4")
    layout[:] = h5py.VirtualSource("elsewhere.h5", "x", (3, 2))
    del archive[KERNEL]
    archive.create_virtual_dataset(KERNEL, layout)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (link(h5py.SoftLink("/layers/dense/vars/1")), "a link to another place"),
        (link(h5py.ExternalLink("other.h5", "/x")), "a link to another place"),
        (circle, "an object with two names"),
        (group, "expected a dataset, got a group"),
        (virtual, "a layout of version 4, expected 3|in another file"),
        (lambda a: replace(a, shape=(3, 2), dtype="f4", external=[("o.bin", 0, 24)]), "its values are in another file"),
        (lambda a: replace(a, data=[b"text"]), "expected numbers"),
        (
            lambda a: replace(a, shape=(10**6, 10**6), dtype="f4", chunks=(10, 10)),
            r"says 4000000000000 bytes, the file",
        ),
        (lambda a: replace(a, data=np.ones((3, 2), "f4"), scaleoffset=2), "compressed in a way"),
        (lambda a: replace(a, data=np.ones((2, 3), "f4")), r"got shape \(2, 3\), expected \(3, 2\)"),
    ],
)
def test_hostile_weights(change, message, tmp_path):
    model, file = weights_file(change)
    before = model.get_weights()
    with pytest.raises(FileFormatError, match=rf"w\.h5: .*{message}"):
        read_weights(model, file, "w.h5")
    assert all(np.array_equal(a, b) for a, b in zip(model.get_weights(), before, strict=True))


def test_compressed_weights_are_read():
    model, file = weights_file(lambda a: replace(a, data=np.full((3, 2), 7, "f4"), compression="gzip", shuffle=True))
    read_weights(model, file, "w.h5")
    assert model.get_weights()[0].tolist() == [[7, 7]] * 3


def test_bfloat16_as_keras_stores_it(tmp_path):
    """Without the package that brings the dtype, reading says so; with it, the values are there."""
    theirs = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, dtype="bfloat16")])
    theirs.save_weights(tmp_path / "b.weights.h5")
    model = rows(2)
    model.load_weights(tmp_path / "b.weights.h5")
    assert_close(model.get_weights()[0], np.asarray(theirs.get_weights()[0], "float32"))
    with layerwise.config.override(backend="xla"):
        ours = layerwise.Sequential([layerwise.Input((3,)), layerwise.layers.Dense(2, dtype="bfloat16")])
        ours.load_weights(tmp_path / "b.weights.h5")
        ours.save_weights(tmp_path / "ours.weights.h5")
    theirs.load_weights(tmp_path / "ours.weights.h5")
    assert_close(*(np.asarray(m.get_weights()[0], "float32") for m in (ours, theirs)))


# Writing


def test_saving_replaces_the_file_whole_or_not_at_all(saved, monkeypatch):
    before = saved.read_bytes()
    model = rows(2)

    def fail(*args):
        raise OSError("no space left")

    for name in ("fsync", "replace"):
        with monkeypatch.context() as patch:
            patch.setattr(os, name, fail)
            with pytest.raises(OSError, match="no space left"):
                model.save(saved)
        assert saved.read_bytes() == before
        assert os.listdir(saved.parent) == [saved.name]
    model.save(saved)
    assert saved.read_bytes() != before


def test_overwriting_and_links(saved):
    with pytest.raises(FileExistsError, match="pass overwrite=True"):
        rows(2).save(saved, overwrite=False)
    link = saved.with_name("link.keras")
    link.symlink_to(saved)
    rows(5).save(link)
    assert link.is_symlink()
    assert saving.load_model(saved).output_shape == (None, 5)
    mask = os.umask(0)
    os.umask(mask)
    assert stat.S_IMODE(saved.stat().st_mode) == 0o666 & ~mask


def test_what_cannot_be_written_leaves_no_file(tmp_path):
    x = layerwise.Input((4,))
    model = layerwise.Model(x, layerwise.ops.dense(x, np.ones((4, 2), "float32"), np.ones(2, "float32")))
    with pytest.raises(ValueError, match="operation 'dense' of the functional model has no form in files"):
        model.save(tmp_path / "m.keras")
    assert os.listdir(tmp_path) == []


def test_names_that_keras_has():
    assert set(saving.__all__) >= {
        "CustomObjectScope", "custom_object_scope", "deserialize_keras_object", "get_custom_objects",
        "get_registered_name", "get_registered_object", "load_model", "load_weights", "register_keras_serializable",
        "save_model", "save_weights", "serialize_keras_object",
    }  # fmt: skip
    assert layerwise.models.load_model is saving.load_model
