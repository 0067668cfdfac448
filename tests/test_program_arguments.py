"""Arguments as people give them to Keras, and mistakes that are told. Values are Keras'."""

import inspect
import itertools
import warnings
from pathlib import Path

import numpy as np
import pytest

from layerwise import (
    DTypePolicy,
    Input,
    Model,
    Sequential,
    Variable,
    autograd,
    callbacks,
    distribution,
    initializers,
    layers,
    losses,
    metrics,
    models,
    ops,
    optimizers,
    random,
    regularizers,
    saving,
    utils,
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
    mean, variance = np.arange(5.0), np.arange(1.0, 6.0)  # for the second of the axes
    expected = (x - mean[:, None]) / np.sqrt(variance)[:, None]
    np.testing.assert_allclose(layers.Normalization((1, 2), mean, variance)(x), expected, rtol=1e-6)


def test_statistics_of_batches_in_other_forms():
    x = np.random.default_rng(0).random((24, 2, 3)).astype("float32")
    parts = np.split(x, 3)
    for axis in (-1, None, (1, 2)):
        whole = layers.Normalization(axis)
        whole.adapt(x)
        for data in (parts, [(part, np.zeros(8)) for part in parts], iter(parts), x.tolist()):
            layer = layers.Normalization(axis)
            layer.adapt(data)
            np.testing.assert_allclose(layer(x), whole(x), rtol=1e-5, atol=1e-6)
    channels = layers.Normalization()
    channels.adapt(list(x))  # of another number of dimensions than what it is called on
    np.testing.assert_allclose(channels(x).numpy().mean((0, 1)), 0, atol=1e-6)


def test_batches_by_number_without_their_count():
    class Endless(utils.PyDataset):
        def __getitem__(self, i):
            return i

    class Counted(Endless):
        num_batches = 3

    assert list(itertools.islice(Endless(), 5)) == [0, 1, 2, 3, 4]
    assert (list(Counted()), len(Counted())) == ([0, 1, 2], 3)


def test_more_forms_of_values():
    one_hot = utils.to_categorical(ops.array([0, 2]), 3)
    np.testing.assert_array_equal(ops.argmax(one_hot, axis=-1), [0, 2])
    utils.Progbar(1, verbose=0).update(1, values=[("v", [1.0, 2.0])], finalize=True)
    tensor = symbolic()
    assert layers.InputLayer((3,), input_tensor=tensor).output is tensor


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


# What is refused


def renorm(**clipping):
    return layers.BatchNormalization(renorm=True, renorm_clipping=clipping)


def symbolic():
    return autograd.Tensor(autograd.Spec((2, 3)))


def two_inputs():
    a, b = Input((2,), name="a"), Input((2,), name="b")
    return Model({"b": b, "a": a}, layers.Add()([a, b]))


@pytest.mark.parametrize(("mistake", "message"), [
    (lambda: layers.Reshape((-1, -1, 5)), r"Reshape: target_shape: got \(-1, -1, 5\), expected sizes >= 0"),
    (lambda: layers.Reshape((-2, 5)), "at most one -1"),
    (lambda: ops.reshape(Input((2,)), (-2, 2)), "reshape: newshape: got"),
    (lambda: ops.reshape(Input((2,)), (-1, -1)), "at most one -1"),
    (lambda: ops.reshape(np.ones(4), (-2, 2)), "reshape: newshape: got"),
    (lambda: layers.RepeatVector(0), "RepeatVector: n: got 0, expected a whole number >= 1"),
    (lambda: layers.UpSampling1D(0), "UpSampling1D: size: got 0"),
    (lambda: layers.UpSampling1D(2.5), "UpSampling1D: size: got 2.5"),
    (lambda: layers.UpSampling2D((0, 1)), "UpSampling2D: size"),
    (lambda: layers.Cropping1D((1,)), r"Cropping1D: cropping: got \(1,\), .* or \(before, after\)"),
    (lambda: layers.ZeroPadding1D((1,)), r"ZeroPadding1D: padding: got \(1,\)"),
    (lambda: layers.Dropout(0.5, (2, 0)), r"Dropout: noise_shape: got \(2, 0\), expected whole numbers >= 1"),
    (lambda: layers.Dropout(0.5, noise_shape="abc"), "noise_shape: got 'abc'"),
    (lambda: layers.LayerNormalization(axis={"axis": -1}), "LayerNormalization: axis: got {'axis': -1}"),
    (lambda: renorm(rmin=2.0, rmax=1.0), "renorm_clipping: got .* expected rmin <= rmax"),
    (lambda: renorm(dmax=-1.0), "dmax >= 0"),
    (lambda: layers.Add().compute_mask([X, X], np.ones(4, bool)), "compute_mask: got one mask for 2 inputs"),
    (lambda: layers.Concatenate().compute_mask([X, X], [None]), "got 1 masks for 2 inputs"),
    (lambda: layers.Add().compute_mask(X, [None, None]), "got 2 masks for one input"),
    (lambda: layers.InputLayer((2,), input_tensor=symbolic()), r"got shape \(2, 2\) for an input_tensor of shape"),
    (lambda: Input(batch_size=4, batch_shape=(2, 3)), "got batch_size=4 and batch_shape"),
    (lambda: callbacks.BackupAndRestore(""), "backup_dir: got ''"),
    (lambda: DTypePolicy(""), "DTypePolicy: got ''"),
    (lambda: Sequential([Input((2,), batch_size=3), layers.Dense(1)]).build((3, 4)), r"built for \(3, 2\) already"),
    (lambda: Sequential.from_config({"layers": [{}]}), "layers: got {}, expected configurations"),
    (lambda: two_inputs()({"b": X, "a": None}), r"input 'a': got None; Input\(optional=True\)"),
    (lambda: two_inputs()([X, X]), r"expected a dict with \['b', 'a'\]; in which order its items come"),
    (lambda: metrics.Precision(class_id=1)([0, 1], [0.0, 1.0]), r"class_id: got 1 for predictions of shape \(2,\)"),
    (lambda: metrics.Recall(class_id=2)([[0, 1]], [[0.0, 1.0]]), "class_id: got 2"),
    (lambda: distribution.TensorLayout(["x"], distribution.DeviceMesh((1,), ["a"], ["cpu:0"])), "got axes \\['x'\\]"),
    (lambda: Input((3,), ragged=True), "ragged: examples of different sizes are not supported"),
    (lambda: layers.Dense(2, trainable="yes"), "Dense: trainable: got 'yes', expected True or False"),
    (lambda: setattr(layers.Dense(2), "trainable", "no"), "Dense: trainable: got 'no'"),
    (lambda: Variable(np.ones(2), dtype="complex64"), "dtype: got 'complex64'"),
    (lambda: layers.Softmax()(np.ones((1, 4)), np.ones((3, 4), bool)), "larger than the input"),
])  # fmt: skip
def test_mistakes(mistake, message):
    with pytest.raises(ValueError, match=message):
        mistake()


@pytest.mark.parametrize("value", [None, "1", [1.0]])
@pytest.mark.parametrize("made", [
    lambda v: layers.ReLU(negative_slope=v), lambda v: layers.ReLU(threshold=v), lambda v: layers.LeakyReLU(v),
    lambda v: layers.Dropout(v), lambda v: layers.GaussianNoise(v), lambda v: regularizers.L2(v),
    lambda v: optimizers.Adam(beta_1=v), lambda v: optimizers.Adagrad(clipnorm=v or "none"),
    lambda v: optimizers.SGD(momentum=v), lambda v: metrics.FBetaScore(beta=v),
    lambda v: metrics.FBetaScore(threshold=v or "none"), lambda v: metrics.FalsePositives(thresholds=[v]),
    lambda v: metrics.AUC(thresholds=[v]), lambda v: metrics.BinaryAccuracy(threshold=v),
    lambda v: losses.BinaryCrossentropy(label_smoothing=v), lambda v: metrics.IoU(v, [0]), lambda v: metrics.MeanIoU(v),
    lambda v: callbacks.EarlyStopping(min_delta=v), lambda v: callbacks.ReduceLROnPlateau(factor=v),
    lambda v: layers.BatchNormalization(axis=v and str(v)), lambda v: layers.Softmax(axis=v and str(v)),
    lambda v: layers.LayerNormalization(axis=v and str(v)), lambda v: layers.ZeroPadding2D(v and [v]),
    lambda v: layers.Cropping1D(v and [v]), lambda v: metrics.PrecisionAtRecall(v), lambda v: random.dropout(X, v),
    lambda v: optimizers.schedules.CosineDecayRestarts(0.1, v), lambda v: initializers.VarianceScaling(v),
])  # fmt: skip
def test_what_is_no_number(made, value):
    with pytest.raises(ValueError, match=r"\w+: .*got .* expected (a |some )?(whole )?number"):
        made(value)


def test_arguments_of_build_are_shapes_of_those_of_call():
    class Own(layers.Layer):
        def call(self, foo, bar):
            return foo + bar

    class NoShape(Own):
        def build(self, foo_shape, bar):
            pass

    class Another(Own):
        def build(self, foo_shape, baz_shape):
            pass

    class One(Own):
        def build(self, anything):
            self.shape = anything

    for wrong, name in ((NoShape, "bar"), (Another, "baz_shape")):
        with pytest.raises(ValueError, match=f"build: got an argument '{name}', expected .* foo_shape, bar_shape"):
            wrong()(X, X)
    layer = One()
    layer(X, X)
    assert layer.shape == (4, 2)


def test_a_name_in_the_place_of_a_shape():
    with pytest.raises(TypeError, match="add_weight: shape: got 'scale'; write name='scale'"):
        layers.Layer().add_weight("scale")


def test_fractional_weights_of_whole_counts():
    labels, weights = ([0, 1, 1, 0], [0, 1, 1, 1]), np.array([0.2, 0.3, 0.4, 0.1])
    with pytest.warns(UserWarning, match="float weights become int32 by casting, .* give MeanIoU dtype='float32'"):
        metrics.MeanIoU(3)(*labels, sample_weight=weights)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert metrics.MeanIoU(3, dtype="float32")(*labels, sample_weight=weights).item() == pytest.approx(0.7708333)
        metric = metrics.MeanIoU(3)
        metric(*labels, sample_weight=np.array([2.0, 1.0, 1.0, 0.0]))
    np.testing.assert_array_equal(metric.total_cm, [[2, 0, 0], [0, 2, 0], [0, 0, 0]])


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


@pytest.mark.parametrize("kind", [layers.LayerNormalization, layers.GroupNormalization])
def test_inputs_beyond_float16_are_normalised(kind):
    x = np.array([[70000.0, -70000.0, 70000.0, -70000.0]], "float32")
    layer = kind(dtype="mixed_float16", **({"groups": 2} if kind is layers.GroupNormalization else {}))
    assert layer(x).dtype == "float16"
    np.testing.assert_array_equal(layer(x), [[1.0, -1.0, 1.0, -1.0]])
    assert layer(np.array([[1, 2, 3, 4]])).dtype == "float16"


def test_a_policy_without_a_name_is_the_one_in_force():
    from layerwise import mixed_precision

    mixed_precision.set_global_policy("mixed_float16")
    try:
        assert DTypePolicy(None) == DTypePolicy("mixed_float16") == DTypePolicy()
    finally:
        mixed_precision.set_global_policy(None)


def test_layouts_that_are_equal():
    mesh = distribution.DeviceMesh((1, 1), ["batch", "model"], devices=["cpu:0"])
    layouts, layout = distribution.LayoutMap(mesh), distribution.TensorLayout([None, "model"], mesh)
    layouts["dense/kernel"] = layout
    assert layouts["dense/kernel"] == layouts["dense/kernel"] == layout
    assert dict(layouts) == {"dense/kernel": layout}
    assert layouts["dense/kernel"].axes == (None, "model")


def test_arguments_of_functions_by_keras_names():
    from layerwise import config, tree

    with saving.custom_object_scope(custom_objects={"scaled": ops.square}):
        pass
    config.set_floatx(value=config.floatx())
    assert tree.pack_sequence_as(structure=(0, [0]), flat_sequence=[1, 2]) == (1, [2])
    assert ops.stop_gradient(variable=X).shape == X.shape
    assert losses.deserialize(name="mse") is losses.mean_squared_error
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
