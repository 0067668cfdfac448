"""Dtype policies against Keras', and training with short floats: losses, skipped steps, files."""

import os

import keras
import numpy as np
import pytest

import layerwise
from layerwise import Variable, config, dtype_policies, layers, mixed_precision, models, optimizers, saving

BACKENDS = ("numpy", "native", "xla")
NAMES = (
    "float32", "mixed_float16", "mixed_bfloat16", "int8_from_float32", "int8_from_mixed_bfloat16", "int4_from_float32",
    "int4/128_from_float32", "gptq/4/-1_from_mixed_bfloat16", "awq/4/32_from_float32", "float8_from_mixed_bfloat16",
)  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_policies_are_those_of_keras(name):
    ours, theirs = dtype_policies.get(name), keras.dtype_policies.get(name)
    assert type(ours).__name__ == type(theirs).__name__
    for part in ("name", "compute_dtype", "variable_dtype", "quantization_mode"):
        assert getattr(ours, part) == getattr(theirs, part)
    node = dtype_policies.serialize(ours)
    assert node == keras.dtype_policies.serialize(theirs)
    assert dtype_policies.deserialize(node) == dtype_policies.get(node) == dtype_policies.get(ours) == ours
    assert hash(dtype_policies.get(node)) == hash(ours)
    for part in ("mode", "block_size", "weight_bits", "group_size", "amax_history_length", "source_name"):
        if hasattr(theirs, part):
            assert getattr(ours, part) == getattr(theirs, part)


def test_policies_have_names_of_their_own():
    assert layerwise.FloatDTypePolicy("float64") == dtype_policies.DTypePolicy("float64")
    node = {"module": "keras", "class_name": "FloatDTypePolicy", "config": {"name": "float64"}}
    assert dtype_policies.get(node).name == "float64"
    assert dtype_policies.get(np.float16).name == dtype_policies.get("half").name == "float16"
    assert dtype_policies.get("float32") != dtype_policies.get("int8_from_float32")
    assert repr(dtype_policies.get("int8_from_float32")) == "<QuantizedDTypePolicy 'int8_from_float32'>"
    with config.override(dtype_policy="int8_from_float32"):
        assert config.dtype_policy().quantization_mode == "int8"
        assert dtype_policies.get(None) == config.dtype_policy()
    long = dtype_policies.QuantizedFloat8DTypePolicy("float8", "float32", amax_history_length=8)
    assert dtype_policies.get(dtype_policies.serialize(long)).amax_history_length == 8


def test_inputs_are_converted_as_a_policy_says():
    policy, x = dtype_policies.get("mixed_float16"), np.ones(2, "float32")
    assert policy.convert_input(x, True, "float16").dtype == "float16"
    assert policy.convert_input(x, False, "float16").dtype == "float32"
    assert policy.convert_input(np.ones(2, "int32"), True, "float16").dtype == "int32"
    assert policy.convert_input("text", True, "float16") == "text"


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: dtype_policies.get("int8_from_float16"), "float16"),
        (lambda: dtype_policies.get("int8"), "got 'int8', expected a mode and what it was made from"),
        (lambda: dtype_policies.QuantizedDTypePolicy("int7"), "mode: got 'int7'"),
        (lambda: dtype_policies.QuantizedDTypePolicy("int8/3"), "got 'int8/3', expected 'int8' with"),
        (lambda: dtype_policies.Int4DTypePolicy("int4/x"), "got 'int4/x', expected 'int4/<block_size>'"),
        (lambda: dtype_policies.Int4DTypePolicy("int4/0"), "block_size: got 0"),
        (lambda: dtype_policies.Int4DTypePolicy("int8/3"), "mode: got 'int8', expected 'int4'"),
        (lambda: dtype_policies.GPTQDTypePolicy("gptq/4"), "got 'gptq/4', expected 'gptq/<weight_bits>/<group_size>'"),
        (lambda: dtype_policies.GPTQDTypePolicy("gptq/5/3"), "weight_bits: got 5"),
        (lambda: dtype_policies.AWQDTypePolicy("awq/8/3"), "weight_bits: got 8"),
        (lambda: dtype_policies.DTypePolicyMap(dtype_policies.DTypePolicyMap()), "expected one policy for all"),
    ],
)
def test_policies_that_are_none(make, message):
    with pytest.raises(ValueError, match=message):
        make()
    with pytest.raises(TypeError, match="amax_history_length"):
        dtype_policies.QuantizedFloat8DTypePolicy("float8", amax_history_length="8")


def policy_map(module):
    return module.DTypePolicyMap(
        module.get("float32"), {"enc/.*": module.get("bfloat16"), "enc/first": module.get("int8_from_float32")}
    )


def test_maps_of_policies_are_those_of_keras():
    ours, theirs = policy_map(dtype_policies), policy_map(keras.dtype_policies)
    for path in ("enc/first", "enc/second", "enc", "dec"):
        assert ours[path].name == theirs[path].name == ours.of(path).name
    assert (ours.name, len(ours), list(ours)) == (theirs.name, len(theirs), list(theirs))
    node = dtype_policies.serialize(ours)
    assert node == keras.dtype_policies.serialize(theirs)
    again = dtype_policies.get(node)
    assert again == ours
    again["enc/.irst"] = dtype_policies.get("float16")
    assert again != ours
    del again["enc/first"]
    with pytest.raises(ValueError, match="matches"):
        again["enc/first"]
    with pytest.raises(ValueError, match="delete it first"):
        again["enc/.*"] = dtype_policies.get("float16")
    with pytest.raises(TypeError, match="expected a dict"):
        dtype_policies.DTypePolicyMap(None, [])
    assert dtype_policies.get(dtype_policies.serialize(dtype_policies.DTypePolicyMap())).get_config() == {
        "default_policy": None, "policy_map": {},
    }  # fmt: skip


def test_a_layer_takes_its_policy_from_a_map():
    policies = dtype_policies.DTypePolicyMap("float32", {"short": dtype_policies.get("mixed_bfloat16")})
    short, long = layers.Dense(1, dtype=policies, name="short"), layers.Dense(1, dtype=policies, name="long")
    assert (short.compute_dtype, short.dtype, long.compute_dtype) == ("bfloat16", "float32", "float32")


# ---- training with short floats

rng = np.random.default_rng(0)
X, Y = rng.normal(size=(64, 10)).astype("float32"), rng.integers(0, 3, 64)
WEIGHTS = [
    w.astype("float32") for w in (rng.normal(0, 0.3, (10, 16)), np.zeros(16), rng.normal(0, 0.3, (16, 3)), np.zeros(3))
]
SCALES = {"initial_scale": 2.0**22, "dynamic_growth_steps": 3}  # some steps are skipped


def trained(module, policy, scale=None):
    """A classifier after some epochs of the same batches, and its losses."""
    module.mixed_precision.set_global_policy(policy)
    model = module.Sequential([module.layers.Input((10,)), module.layers.Dense(16, activation="relu")])
    model.add(module.layers.Dense(3))
    model.add(module.layers.Activation("softmax", dtype="float32"))
    module.mixed_precision.set_global_policy("float32")
    model.set_weights(WEIGHTS)
    optimizer = module.optimizers.Adam(0.01)
    if scale:
        optimizer = module.mixed_precision.LossScaleOptimizer(optimizer, **scale)
    model.compile(optimizer, loss="sparse_categorical_crossentropy")
    history = model.fit(X, Y, epochs=3, verbose=0, shuffle=False, batch_size=16)
    return model, history.history["loss"]


def scale_of(model):
    return [
        float(np.asarray(v))
        for v in model.optimizer.variables
        if v.name in ("step_counter", "dynamic_scale", "iteration")
    ]


@pytest.mark.own_backend
@pytest.mark.filterwarnings("ignore:(overflow|invalid value) encountered")
@pytest.mark.parametrize(
    ("policy", "scale"), [("mixed_bfloat16", None), ("mixed_float16", None), ("mixed_float16", SCALES)]
)
def test_mixed_precision_trains_to_the_losses_of_keras(policy, scale, tmp_path):
    theirs, expected = trained(keras, policy, scale)
    for backend in BACKENDS:
        with config.override(backend=backend):
            ours, losses = trained(layerwise, policy, scale)
            np.testing.assert_allclose(losses, expected, rtol=2e-3)
            assert type(ours.optimizer).__name__ == type(theirs.optimizer).__name__
            assert scale_of(ours) == scale_of(theirs)
            assert {v.dtype for v in ours.trainable_variables} == {"float32"}
    assert len(set(losses)) > 1
    path = os.path.join(tmp_path, "model.keras")
    for model, load in ((theirs, saving.load_model), (ours, keras.saving.load_model)):
        model.save(path)
        with config.override(dtype_policy=policy):  # a model of Keras' tells in its file what it was compiled with
            again = load(path)
        assert again.layers[0].dtype_policy.name == policy
        for a, b in zip(again.optimizer.variables, model.optimizer.variables, strict=True):
            np.testing.assert_array_equal(np.asarray(a), np.asarray(b))


@pytest.mark.own_backend
@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("policy", ["bfloat16", "float16"])
def test_everything_may_be_short(policy, backend):
    with config.override(backend=backend):
        model = models.Sequential(
            [
                layers.Input((8, 8, 2)),
                layers.Conv2D(4, 3, activation="relu", dtype=policy),
                layers.BatchNormalization(dtype=policy),
                layers.MaxPooling2D(dtype=policy),
                layers.Flatten(dtype=policy),
                layers.Dense(3, dtype=policy),
            ]
        )
        model.compile(optimizers.SGD(0.05, momentum=0.5), loss="mse")
        x, y = rng.normal(size=(16, 8, 8, 2)), rng.normal(size=(16, 3))
        losses = model.fit(x, y, epochs=3, verbose=0).history["loss"]
        assert losses[-1] < losses[0]
        assert {v.dtype for v in (*model.variables, *model.optimizer.variables[2:])} == {policy}
        assert model.predict(x, verbose=0).dtype == policy
        assert layers.Flatten(dtype=policy)(x.astype("float32")).dtype == policy


def test_compile_scales_the_loss_of_a_float16_model_alone():
    for policy, given, wrapped in (
        ("mixed_float16", {}, True),
        ("mixed_float16", {"auto_scale_loss": False}, False),
        ("mixed_bfloat16", {}, False),
    ):
        model = models.Sequential([layers.Dense(1)])
        model.dtype_policy = policy
        model.compile("sgd", loss="mse", **given)
        assert isinstance(model.optimizer, optimizers.LossScaleOptimizer) is wrapped


def test_loss_scale_optimizers_are_those_of_keras():
    ours = optimizers.LossScaleOptimizer(optimizers.SGD(0.5), initial_scale=4.0, name="scaled")
    theirs = keras.optimizers.LossScaleOptimizer(
        keras.optimizers.SGD(0.5, name=ours.inner_optimizer.name), 4.0, name="scaled"
    )
    node = optimizers.serialize(ours)
    assert node == keras.optimizers.serialize(theirs)
    again = optimizers.deserialize(node)
    assert optimizers.serialize(again) == node
    assert mixed_precision.LossScaleOptimizer is optimizers.LossScaleOptimizer
    w = Variable([1.0])
    assert float(ours.scale_loss(2.0)) == 8.0
    ours.apply([[np.nan]], [w])
    assert (w.numpy(), float(ours.scale_loss(2.0)), int(ours.iterations)) == (1.0, 4.0, 0)
    ours.apply([[2.0]], [w])
    assert (w.numpy(), int(ours.iterations)) == (0.5, 1)
    ours.learning_rate = 0.25
    assert float(ours.learning_rate) == float(ours.inner_optimizer.learning_rate) == 0.25
    with pytest.raises(ValueError, match=r"clipnorm: got 1\.0, expected nothing: give it to inner_optimizer"):
        optimizers.LossScaleOptimizer(optimizers.SGD(), clipnorm=1.0)
    with pytest.raises(ValueError, match="loss_scale_factor"):
        optimizers.LossScaleOptimizer(optimizers.SGD(), dynamic=False)


# ---- an optimizer for each group of variables


def by_path(module):
    return module.OptimizerMap(module.SGD(0.125, name="slow"), {"f.*": module.SGD(0.5, momentum=0.5, name="fast")})


@pytest.mark.parametrize("choose", [by_path, lambda module: by_path(module).__call__], ids=["map", "function"])
def test_variables_with_optimizers_of_their_own(choose):
    runs = []
    for module, variable in ((optimizers, Variable), (keras.optimizers, keras.Variable)):
        some = [variable(np.array([1.0, 2.0], "float32"), name=name) for name in ("first", "second", "former")]
        optimizer = module.MultiOptimizer(choose(module), loss_scale_factor=2.0)
        for _ in range(3):
            optimizer.apply([np.array([2.0, 4.0], "float32")] * 3, some)
        optimizer.finalize_variable_values(some)
        runs.append([np.asarray(v) for v in (*some, *optimizer.variables)])
        assert float(optimizer.scale_loss(1.0)) == 2.0
        with pytest.raises(AttributeError, match=r"[Ll]earning.rate"):
            optimizer.learning_rate  # noqa: B018
        with pytest.raises(AttributeError, match=r"[Ll]earning.rate"):
            optimizer.learning_rate = 0.1
    for a, b in zip(*runs, strict=True):
        np.testing.assert_allclose(a, b)
    assert len(runs[0][0]) == 2


def test_maps_of_optimizers_are_those_of_keras():
    ours, theirs = (
        optimizers.MultiOptimizer(by_path(optimizers), name="all"),
        keras.optimizers.MultiOptimizer(by_path(keras.optimizers), name="all"),
    )
    node = optimizers.serialize(ours)
    assert node == keras.optimizers.serialize(theirs)
    assert optimizers.serialize(optimizers.deserialize(node)) == node
    chosen = by_path(optimizers)
    assert (list(chosen), len(chosen), chosen["first"].name, chosen["x"].name) == (["f.*"], 1, "fast", "slow")
    chosen["fi.*"] = optimizers.SGD()
    with pytest.raises(ValueError, match="expected one pattern at most"):
        chosen["first"]
    del chosen["fi.*"]
    with pytest.raises(ValueError, match="delete it first"):
        chosen["f.*"] = optimizers.SGD()
    for wrong in (optimizers.LossScaleOptimizer(optimizers.SGD()), ours, "sgd"):
        with pytest.raises(ValueError, match="not made of others"):
            chosen["other"] = wrong
    with pytest.raises(TypeError, match="default_optimizer"):
        optimizers.OptimizerMap("sgd")
    with pytest.raises(TypeError, match="expected a dict"):
        optimizers.OptimizerMap(optimizers.SGD(), [])
