"""Weights of few bits and low-rank adapters against Keras: numbers, results, gradients, configurations and files."""

import json

import jax
import keras
import numpy as np
import pytest

from layerwise import config, layers, models, ops, quantizers, saving
from layerwise.autograd import GradientTape, Tensor, grad

rng = np.random.default_rng(0)
X, X3 = rng.normal(size=(4, 6)).astype("float32"), rng.normal(size=(2, 5, 6)).astype("float32")
HEADS = {"equation": "abc,cde->abde", "output_shape": (None, 2, 3), "bias_axes": "de"}
LAYERS = {
    "Dense": ("Dense", {"units": 3, "activation": "tanh"}, X),
    "Dense without bias": ("Dense", {"units": 5, "use_bias": False}, X3),
    "EinsumDense": ("EinsumDense", HEADS, X3),
    "EinsumDense of heads": (
        "EinsumDense",
        {"equation": "abcd,cde->abe", "output_shape": (None, 4)},
        X3.reshape(2, 5, 3, 2),
    ),
}
MODES = {
    "int8": lambda q: q.Int8QuantizationConfig(),
    "int8 of weights": lambda q: q.Int8QuantizationConfig(activation_quantizer=None),
    "int4": lambda q: q.Int4QuantizationConfig(),
    "int4 in blocks": lambda q: q.Int4QuantizationConfig(block_size=4),
    "int4 without blocks": lambda q: q.Int4QuantizationConfig(block_size=None),
}


def close(ours, theirs, tolerance=2e-6):
    np.testing.assert_allclose(np.asarray(ours), np.asarray(theirs), rtol=tolerance, atol=tolerance)


def both(name):
    """The layer of Keras and ours, built, with the same weights."""
    cls, arguments, x = LAYERS[name]
    theirs, ours = (getattr(module, cls)(**arguments, name="layer") for module in (keras.layers, layers))
    theirs.build(x.shape)
    ours.build(x.shape)
    ours.set_weights(theirs.get_weights())
    return theirs, ours, x


def stored(layer):
    store = {}
    layer.save_own_variables(store)
    return {name: np.asarray(value) for name, value in store.items()}


def assert_same_stored(ours, theirs, tolerance=0.0):
    assert list(ours) == list(theirs)
    for name, value in theirs.items():
        assert (ours[name].shape, ours[name].dtype) == (value.shape, value.dtype)
        np.testing.assert_allclose(ours[name].astype(float), value.astype(float), rtol=tolerance, atol=tolerance)


def plain(value):
    """A configuration as JSON has it."""
    return json.loads(json.dumps(value))


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", LAYERS)
def test_quantised_layers_are_those_of_keras(name, mode):
    theirs, ours, x = both(name)
    theirs.quantize(config=MODES[mode](keras.quantizers))
    ours.quantize(config=MODES[mode](quantizers))
    assert ours.dtype_policy.name == theirs.dtype_policy.name
    assert ours.quantization_mode == theirs.quantization_mode == mode[:4]
    assert_same_stored(stored(ours), stored(theirs), 1e-7)
    assert len(ours.trainable_weights) == len(theirs.trainable_weights)
    close(ours(x), theirs(x))
    expected = plain(theirs.get_config()["quantization_config"])
    assert ours.get_config()["quantization_config"] == expected
    again = type(ours).from_config(ours.get_config())
    again.build(x.shape)
    again.load_own_variables(stored(theirs))
    close(again(x), ours(x), 0)
    float_kernel = ours.kernel
    if ours.activation is None or LAYERS[name][1].get("activation") is None:
        slope = grad(lambda x: ops.sum(ours(x)))(x)
        ours_plain = type(ours)(**LAYERS[name][1])
        ours_plain.build(x.shape)
        ours_plain.kernel.assign(float_kernel)
        close(slope, grad(lambda x: ops.sum(ours_plain(x)))(x))


@pytest.mark.parametrize("name", LAYERS)
@pytest.mark.parametrize("mode", [None, "int8", "int4"])
def test_adapters_are_those_of_keras(name, mode):
    theirs, ours, x = both(name)
    for layer in (theirs, ours):
        layer.enable_lora(2, lora_alpha=3)
    for part in ("lora_kernel_a", "lora_kernel_b"):
        value = rng.normal(size=getattr(theirs, part).shape).astype("float32")
        getattr(theirs, part).assign(value)
        getattr(ours, part).assign(value)
    close(ours(x), theirs(x), 2e-5)
    close(ours.kernel, theirs.kernel)
    assert [v.name for v in ours.trainable_weights] == [v.name for v in theirs.trainable_weights]
    assert_same_stored(stored(ours), stored(theirs), 1e-6)
    with GradientTape() as tape:
        loss = ops.sum(ops.square(ours(x)))
    assert all(g is not None for g in tape.gradient(loss, ours.trainable_weights))
    assert (ours.get_config()["lora_rank"], ours.get_config()["lora_alpha"]) == (2, 3)
    if mode:
        kernel = np.asarray(vars(ours)["_kernel"])
        theirs.quantize(mode)
        ours.quantize(mode)
        close(ours.kernel - ours._delta(), kernel, 0.5 if mode == "int4" else 0.02)
        ours.inputs_quantizer = theirs.inputs_quantizer = None
        close(ours(x), theirs(x), 2e-5)
        assert_same_stored(stored(ours), stored(theirs), 1e-5)


def test_adapters_are_added_when_a_layer_is_built():
    layer = layers.Dense(3, lora_rank=2)
    layer(X)
    assert [v.name for v in layer.trainable_weights] == ["bias", "lora_kernel_a", "lora_kernel_b"]
    fresh = layers.Dense(3)
    fresh.build((None, 6))
    for make, message in (
        (lambda: layer.enable_lora(2), "has adapters already"),
        (lambda: layers.Dense(3).enable_lora(2), "not built yet"),
        (lambda: layers.Dense(3).quantize("int8"), "a layer that is built"),
        (lambda: fresh.quantize("int7"), "mode: got 'int7'"),
        (lambda: fresh.quantize("int8", config=quantizers.Int4QuantizationConfig()), "that of config, 'int4'"),
    ):
        with pytest.raises(ValueError, match=message):
            make()
    fresh.quantize("int8")
    with pytest.raises(ValueError, match="not quantised yet"):
        fresh.quantize("int8")
    held = layers.Dense(3, kernel_constraint="non_neg")
    held.build((None, 6))
    with pytest.raises(ValueError, match="remove the kernel_constraint"):
        held.enable_lora(2)


class Own(layers.Dense):
    pass


def network(module):
    model = module.Sequential([module.layers.Input((6,)), module.layers.Dense(8, activation="relu", name="first")])
    model.add(module.layers.Dense(3, name="second"))
    return model


@pytest.mark.parametrize("mode", ["int8", "int4"])
def test_models_are_quantised_and_saved_both_ways(mode, tmp_path):
    theirs, ours = network(keras), network(models_of)
    ours.set_weights(theirs.get_weights())
    before = np.asarray(ours(X))
    for model in (theirs, ours):
        model.quantize(mode)
    close(ours(X), theirs(X), 1e-5)
    close(ours.predict(X, verbose=0), theirs(X), 1e-5)
    assert 0 < abs(np.asarray(ours(X)) - before).max() < (0.05 if mode == "int8" else 1)
    path = str(tmp_path / "model.keras")
    for model, load in ((theirs, saving.load_model), (ours, keras.saving.load_model)):
        model.save(path)
        again = load(path)
        assert again.layers[0].quantization_mode == mode
        close(again(X), theirs(X), 1e-5)


class models_of:
    layers, Sequential = layers, models.Sequential


def test_some_layers_of_a_model_are_quantised():
    for filters in ("fir", ["first", "third"], lambda layer: layer.name == "first"):
        model = network(models_of)
        model.quantize("int8", filters=filters)
        assert [layer.quantization_mode for layer in model.layers] == ["int8", None]
    model = models.Sequential([layers.Input((6,)), Own(2), layers.Dense(2)])
    with pytest.warns(UserWarning, match="a subclass may compute otherwise"):
        model.quantize("int8")
    assert [layer.quantization_mode for layer in model.layers] == [None, "int8"]


@pytest.mark.own_backend
@pytest.mark.parametrize("backend", ["numpy", "native", "xla"])
def test_adapters_of_a_quantised_model_are_trained(backend):
    with config.override(backend=backend):
        model = network(models_of)
        for layer in model.layers:
            layer.enable_lora(2)
        model.quantize("int8")
        kernel = vars(model.layers[0])["_kernel"].numpy()
        model.compile("adam", loss="mse")
        losses = model.fit(X, X[:, :3], epochs=8, verbose=0).history["loss"]
        assert losses[-1] < losses[0]
        np.testing.assert_array_equal(vars(model.layers[0])["_kernel"].numpy(), kernel)


@pytest.mark.parametrize("mode", [None, *MODES])
@pytest.mark.parametrize("adapted", [False, True])
def test_embeddings_are_those_of_keras(mode, adapted):
    x = np.array([[1, 0], [3, 6]])
    theirs, ours = keras.layers.Embedding(7, 5, name="layer"), layers.Embedding(7, 5, name="layer")
    theirs.build()
    ours.build()
    ours.set_weights(theirs.get_weights())
    if mode:
        theirs.quantize(config=MODES[mode](keras.quantizers))
        ours.quantize(config=MODES[mode](quantizers))
        assert ours.dtype_policy.name == theirs.dtype_policy.name
        assert_same_stored(stored(ours), stored(theirs), 1e-7)
    if adapted:
        for layer in (theirs, ours):
            layer.enable_lora(2)
        for part in ("lora_embeddings_a", "lora_embeddings_b"):
            value = rng.normal(size=getattr(theirs, part).shape).astype("float32")
            getattr(theirs, part).assign(value)
            getattr(ours, part).assign(value)
        assert [v.name for v in ours.trainable_weights] == ["lora_embeddings_a", "lora_embeddings_b"]
        assert_same_stored(stored(ours), stored(theirs), 1e-6)
    close(ours(x), theirs(x))
    if not adapted:
        again = layers.Embedding.from_config(ours.get_config())
        again.build()
        again.load_own_variables(stored(theirs))
        close(again(x), ours(x), 0)


@pytest.mark.parametrize("mode", [None, "int8", "int4"])
def test_embeddings_that_no_input_has_shaped_are_saved(mode, tmp_path):
    layer = layers.Embedding(7, 5)
    layer.build(None)
    if mode:
        layer.quantize(mode)
    model = models.Sequential([layer])
    path, x = str(tmp_path / "model.keras"), np.array([[1, 2]])
    model.save(path)
    for load in (saving.load_model, keras.saving.load_model):
        close(load(path)(x), layer(x))


# ---- functions


def test_numbers_are_quantised_as_keras_does():
    for options in ({"axis": 0}, {"axis": (0, 1)}, {"axis": -1, "value_range": (-8, 7)}):
        ours, theirs = (module.abs_max_quantize(X, **options) for module in (quantizers, keras.quantizers))
        for a, b in zip(ours, theirs, strict=True):
            close(a, b, 1e-7)
            assert a.dtype == b.dtype
    w = rng.normal(size=(7, 5)).astype("float32")
    ours = quantizers.abs_max_quantize_grouped_with_zero_point(w, 3)
    theirs = keras.quantizers.abs_max_quantize_grouped_with_zero_point(w, 3, to_numpy=True)
    for a, b in zip(ours, theirs, strict=True):
        close(a, b, 1e-7)
        assert a.dtype == b.dtype


@pytest.mark.parametrize("axis", [0, 1, -1])
@pytest.mark.parametrize("dtype", ["int8", "uint8"])
def test_two_numbers_lie_in_a_byte(axis, dtype):
    low, high = (-8, 8) if dtype == "int8" else (0, 16)
    numbers = rng.integers(low, high, (5, 3)).astype(dtype)
    ours, theirs = quantizers.pack_int4(numbers, axis, dtype), keras.quantizers.pack_int4(numbers, axis, dtype)
    np.testing.assert_array_equal(ours[0], theirs[0])
    assert ours[1:] == theirs[1:]
    again = quantizers.unpack_int4(ours[0], numbers.shape[axis], axis, dtype)
    np.testing.assert_array_equal(again, numbers)
    assert again.dtype == dtype
    with pytest.raises(TypeError, match="got numbers of float32"):
        quantizers.pack_int4(X)
    with pytest.raises(ValueError, match="dtype: got 'int16'"):
        quantizers.unpack_int4(numbers, 5, dtype="int16")


@pytest.mark.parametrize(
    ("low", "high", "options"),
    [
        (-1.0, 1.5, {}),
        (0.2, 1.5, {"num_bits": 3}),
        (-1.0, 0.5, {"num_bits": 4, "narrow_range": True}),
        ("each", "each", {"axis": 1}),
    ],
)
def test_fake_quantisation_is_that_of_keras(low, high, options):
    low = -np.linspace(0.1, 1, 6, dtype="float32") if low == "each" else np.float32(low)
    high = np.linspace(0.2, 2, 6, dtype="float32") if high == "each" else np.float32(high)
    weight = rng.normal(size=X.shape).astype("float32")

    def value(module, sums):
        return lambda *a: sums(module.fake_quant_with_min_max_vars(*a, **options) * weight)

    ours, theirs = value(quantizers, ops.sum), value(keras.quantizers, keras.ops.sum)
    results = (q.fake_quant_with_min_max_vars(X, low, high, **options) for q in (quantizers, keras.quantizers))
    close(*results)
    slopes = (g(f, argnums=(0, 1, 2))(X, low, high) for g, f in ((grad, ours), (jax.grad, theirs)))
    for a, b in zip(*slopes, strict=True):
        close(a, b, 1e-5)


def test_numbers_of_eight_bits_with_a_point():
    history = np.array([1.0, 2.0, 3.0], "float32")
    close(quantizers.compute_float8_amax_history(X, history), keras.quantizers.compute_float8_amax_history(X, history))
    for amax in (0.0, 3.0, np.inf):
        args = np.float32(amax), np.float32(2.0), np.float32(448.0)
        close(quantizers.compute_float8_scale(*args), keras.quantizers.compute_float8_scale(*args))
    for dtype in ("float8_e4m3fn", "float8_e5m2"):
        args = 500 * X, np.float32(1.5), dtype, "float32"
        close(quantizers.quantize_and_dequantize(*args), keras.quantizers.quantize_and_dequantize(*args), 0)
    slope = grad(lambda x: ops.sum(quantizers.quantize_and_dequantize(x, 2.0, "float8_e5m2", "float32")))(X)
    close(slope, np.ones_like(X))


def test_quantizers_and_configurations_are_those_of_keras():
    for make in (
        lambda q: q.AbsMaxQuantizer(),
        lambda q: q.AbsMaxQuantizer(axis=0, value_range=(-8, 7)),
        *MODES.values(),
        lambda q: q.Int4QuantizationConfig(q.AbsMaxQuantizer(axis=0, value_range=(-8, 7)), block_size=-1),
    ):
        ours, theirs = make(quantizers), make(keras.quantizers)
        node = quantizers.serialize(ours)
        assert node == plain(keras.quantizers.serialize(theirs))
        assert quantizers.serialize(quantizers.deserialize(node)) == node
    assert quantizers.get("abs_max_quantizer").axis is None
    assert quantizers.get(None) is None
    assert quantizers.Quantizer("int8").get_config() == {"output_dtype": "int8"}
    for make, message in (
        (lambda: quantizers.AbsMaxQuantizer(value_range=(-200, 100)), "from -128 to 127"),
        (lambda: quantizers.Int4QuantizationConfig(block_size=0), "block_size: got 0"),
        (lambda: quantizers.Int4QuantizationConfig(quantizers.AbsMaxQuantizer(0)), "None or -1"),
        (lambda: quantizers.Int4QuantizationConfig(quantizers.AbsMaxQuantizer(0), block_size=-1), "value_range"),
        (lambda: quantizers.Int8QuantizationConfig(quantizers.AbsMaxQuantizer(0, output_dtype="int16")), "'int16'"),
    ):
        with pytest.raises(ValueError, match=message):
            make()
    assert isinstance(quantizers.AbsMaxQuantizer()(X)[0], Tensor)
