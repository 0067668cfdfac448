"""Programs as people write them for Keras: steps, losses, hooks and optimizers of their own. Values are Keras'."""

import collections
import inspect
import json
from pathlib import Path

import numpy as np
import pytest

from layerwise import (
    DTypePolicy,
    GradientTape,
    Input,
    Model,
    Sequential,
    Variable,
    callbacks,
    initializers,
    layers,
    metrics,
    models,
    ops,
    optimizers,
    saving,
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


def test_clones_keep_functions():
    inner = Sequential([Input((2,)), layers.Lambda(lambda x, by: x * by, arguments={"by": 3.0}, name="thrice")])
    x = Input((2,))
    model = Model(x, layers.Lambda(lambda x: x + 1)(inner(x)))
    copy = models.clone_model(model, recursive=True)
    np.testing.assert_array_equal(copy(X), np.full((4, 2), 4.0))
    np.testing.assert_array_equal(models.clone_model(inner)(X), np.full((4, 2), 3.0))
    assert copy.layers[1].layers[0].name == "thrice"


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
    with pytest.warns(UserWarning, match=r"got a list, expected a dict .* order of \['i1', 'i2'\]"):
        np.testing.assert_array_equal(model([3 * X, X]), 2 * X)
    with pytest.warns(UserWarning, match=r"inputs \['other'\] are none of the model's"):
        model({"i1": X, "i2": X, "other": X})
    with pytest.warns(UserWarning, match=r"inputs \['b'\] are none"):
        Model(a, a + 1)({"i1": X, "b": X})
    with pytest.warns(UserWarning, match="softmax over an axis of size 1"):
        layers.Dense(1, activation="softmax")(X)
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


# Arguments in other forms


def test_arguments_of_call_by_keyword():
    x = np.ones((2, 4), "float32")
    masked = ops.array(np.ones((1, 2, 3))).note("mask", np.array([[True, False]]))
    np.testing.assert_array_equal(layers.GlobalAveragePooling1D()(inputs=masked), np.ones((1, 3)))
    assert layers.Dense(2)(inputs=x, training=True).shape == (2, 2)
    assert layers.Resizing(2, 2)(data=np.ones((3, 3, 1))).shape == (2, 2, 1)
    assert layers.BatchNormalization()(training=False, inputs=x).shape == (2, 4)
    i = Input((4,))
    model = Model(i, layers.Dense(3)(inputs=i))
    assert Model.from_config(model.get_config())(x).shape == (2, 3)
    with pytest.raises(TypeError, match="unexpected keyword argument 'input'"):
        layers.Dense(2)(input=x)


def test_shapes_and_dtypes_in_other_forms():
    assert Input(shape=(np.int64(32),)).shape == (None, 32)
    assert layers.InputLayer(input_shape=(2, 3), batch_size=4).batch_shape == (4, 2, 3)
    for dtype in ("float64", "int64", "bool"):
        assert Input((3,), dtype=np.dtype(dtype)).dtype == dtype
    assert (DTypePolicy().name, layers.Layer(dtype="int").dtype) == ("float32", "int32")
    assert metrics.Mean(dtype=DTypePolicy("mixed_float16")).dtype == "float16"
    layer = layers.Dense(2)
    layer.dtype_policy = "mixed_bfloat16"
    assert layer.dtype_policy.compute_dtype == "bfloat16"
    assert layers.Reshape((3, 5))(Input(batch_shape=(2, None))).shape == (2, 3, 5)
    assert layers.Reshape((-1, 5))(Input((None,), dtype="int32")).shape == (None, None, 5)


def test_arrays_as_initializers():
    start = np.arange(4.0, dtype="float32").reshape(2, 2)
    np.testing.assert_array_equal(initializers.get(start)(shape=(2, 2)), start)
    layer = layers.Dense(2, kernel_initializer=start)
    np.testing.assert_array_equal(layer(np.eye(2)), start)
    assert layers.Dense.from_config(layer.get_config()).kernel_initializer.value.tolist() == start.tolist()
    variable = metrics.Mean().add_variable((2, 2), initializer=ops.ones((2, 2)), name="c")
    np.testing.assert_array_equal(variable, np.ones((2, 2)))


def test_what_a_layer_becomes():
    layer = layers.Dense(2, activation="relu", use_bias=False, kernel_initializer="ones")
    layer.build((1, 2))
    layer.activation = None
    np.testing.assert_array_equal(layer(-np.ones((1, 2))), [[-2.0, -2.0]])
    flatten = layers.Flatten()
    flatten.build((2, 3))
    assert flatten.built


def test_statistics_for_an_axis_in_the_middle():
    x = np.arange(120.0, dtype="float32").reshape(2, 3, 5, 4)
    mean, variance = np.arange(5.0), np.arange(1.0, 6.0)
    expected = (x - mean[:, None]) / np.sqrt(variance)[:, None]
    np.testing.assert_allclose(layers.Normalization(2, mean, variance)(x), expected, rtol=1e-6)
    mean, variance = np.arange(15.0).reshape(3, 5), np.arange(1.0, 16.0).reshape(3, 5)
    expected = (x - mean[..., None]) / np.sqrt(variance)[..., None]
    np.testing.assert_allclose(layers.Normalization((1, 2), mean, variance)(x), expected, rtol=1e-6)


def test_thresholds_and_curves_of_auc():
    assert metrics.AUC(num_thresholds=None, thresholds=[0.5]).num_thresholds == 3
    y, p = [0, 1, 0, 1, 1, 0, 1, 1], [0.0, 0.7, 0.3, 0.9, 0.4, 0.5, 0.8, 0.6]
    assert metrics.AUC(num_thresholds=3, curve="PRGAIN")(y, p).item() == pytest.approx(0.7916667)
    for method, value in (("interpolation", 0.84375), ("majoring", 0.8611111), ("minoring", 0.8263889)):
        assert metrics.AUC(curve="PRGAIN", summation_method=method)(y, p).item() == pytest.approx(value)


def test_callbacks_files_and_containers(tmp_path):
    assert callbacks.LambdaCallback(custom_method=len).custom_method is len
    with pytest.raises(TypeError, match="'on_epoch_ends' is not a hook"):
        callbacks.LambdaCallback(on_epoch_ends=len)
    (tmp_path / "a.txt").write_text("here")
    path = utils.get_file("b.txt", (tmp_path / "a.txt").as_uri(), cache_dir=tmp_path)
    assert Path(path).read_text() == "here"
    with pytest.raises(ValueError, match="wrong content"):
        utils.get_file("c.txt", (tmp_path / "a.txt").as_uri(), cache_dir=tmp_path, file_hash="0" * 64)
    Sequential([Input((3,)), layers.Dense(1)]).save(tmp_path / "does" / "not" / "exist" / "m.h5")
    assert models.load_model(tmp_path / "does" / "not" / "exist" / "m.h5").output_shape == (None, 1)

    class Cyclic(Subclassed):
        def __init__(self):
            super().__init__()
            self.held = [layers.Dense(2)]
            self.held.append(self.held)
            self.named = {"inside": self.held}
            self.named["itself"] = self.named

    model = Cyclic()
    assert (model(X).shape, len(model.weights)) == ((4, 1), 2)
    model.save_weights(tmp_path / "m.weights.h5")
    model.load_weights(tmp_path / "m.weights.h5")


def test_weights_of_a_layer_that_two_names_lead_to(tmp_path):
    class Before(Model):
        def __init__(self):
            super().__init__()
            self.block = Sequential([layers.Dense(3), layers.Dense(1)])

        def call(self, x):
            return self.block(x)

    class After(Model):
        def __init__(self):
            super().__init__()
            self.a_block = Sequential([layers.Dense(3), layers.Dense(1)])

        block = property(lambda self: self.a_block)

        def call(self, x):
            return self.a_block(x)

    before, after = Before(), After()
    expected, other = before(X), after(X)
    assert not np.allclose(expected, other)
    before.save_weights(tmp_path / "m.weights.h5")
    after.load_weights(tmp_path / "m.weights.h5")
    np.testing.assert_array_equal(after(X), expected)


# State that is handed in and out


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


# What is refused


@pytest.mark.parametrize(("mistake", "message"), [
    (lambda: layers.Reshape((-1, -1, 5)), r"Reshape: target_shape: got \(-1, -1, 5\), expected sizes >= 0"),
    (lambda: layers.Reshape((-2, 5)), "at most one -1"),
    (lambda: ops.reshape(Input((2,)), (-2, 2)), "reshape: newshape: got"),
    (lambda: ops.reshape(Input((2,)), (-1, -1)), "at most one -1"),
    (lambda: layers.RepeatVector(0), "RepeatVector: n: got 0, expected a whole number >= 1"),
    (lambda: layers.UpSampling1D(0), "UpSampling1D: size: got 0"),
    (lambda: layers.UpSampling1D(2.5), "UpSampling1D: size: got 2.5"),
    (lambda: layers.UpSampling2D((0, 1)), "UpSampling2D: size"),
    (lambda: Input((3,), ragged=True), "ragged: examples of different sizes are not supported"),
    (lambda: layers.Dense(2, trainable="yes"), "Dense: trainable: got 'yes', expected True or False"),
    (lambda: setattr(layers.Dense(2), "trainable", "no"), "Dense: trainable: got 'no'"),
    (lambda: Variable(np.ones(2), dtype="complex64"), "dtype: got 'complex64'"),
    (lambda: layers.Softmax()(np.ones((1, 4)), np.ones((3, 4), bool)), "larger than the input"),
])  # fmt: skip
def test_mistakes(mistake, message):
    with pytest.raises(ValueError, match=message):
        mistake()


def test_complex_numbers_are_refused():
    for make in (Variable, ops.array, layers.Dense(1)):
        with pytest.raises(TypeError, match="expected real numbers, got complex64"):
            make(np.ones((1, 2), "complex64"))


@pytest.mark.parametrize("weight", [True, False])
def test_variables_made_in_call(weight):
    class Wrong(layers.Layer):
        def call(self, x):
            if weight:
                self.w = self.add_weight(shape=(), name="w")
            else:
                self.w = Variable(1.0, name="w")
            return x * self.w

    for x in (X, Input((2,))):
        with pytest.raises(ValueError, match=r"call makes a variable, 'w'.* make it in __init__ or build"):
            Wrong()(x)


def test_arguments_of_functions_by_keras_names():
    from layerwise import config, tree

    with saving.custom_object_scope(custom_objects={"scaled": scaled}):
        pass
    config.set_floatx(value=config.floatx())
    assert tree.pack_sequence_as(structure=(0, [0]), flat_sequence=[1, 2]) == (1, [2])
    assert ops.stop_gradient(variable=X).shape == X.shape
    assert "func" in inspect.signature(tree.map_structure).parameters


def test_the_library_by_keras_names():
    from layerwise import keras, mixed_precision

    assert (keras.layers, keras.version()) == (layers, keras.__version__)
    mixed_precision.set_global_policy("mixed_float16")
    try:
        assert mixed_precision.global_policy() == mixed_precision.Policy("mixed_float16")
        assert layers.Dense(2).compute_dtype == "float16"
    finally:
        mixed_precision.set_global_policy(None)


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
