"""Layers that declare their weights: signatures beside Keras', options, and what may be done with the attributes."""

from __future__ import annotations

import copy
import inspect
import pickle
from typing import Any

import keras
import numpy as np
import pytest

from layerwise import catalog, initializers, layers, regularizers, serialization
from layerwise.layers import Layer, Weight

X = np.linspace(-1, 1, 12, dtype="float32").reshape(4, 3)

# Where a signature differs from Keras' on purpose: names that one of them lacks, or defaults, and why.
DIFFERENT = {
    "EinsumDense": "activity_regularizer, gptq_unpacked_column_size: the first stands behind bias_regularizer as in "
    "Dense; GPTQ is not here",
    "LayerNormalization": "rms_scaling: Keras takes it, for old files, among **kwargs",
    "RandomBrightness": "data_format: Keras' takes it among **kwargs",
    "RandomContrast": "data_format: Keras' takes it among **kwargs",
    "InputSpec": "axes: an empty dict for None",
    **dict.fromkeys(
        (f"{name}{rank}D" for name in ("AveragePooling", "AvgPool") for rank in (1, 2, 3)),
        "pool_size: 2 where none is given, as for the largest",
    ),
    "Cropping2D": "cropping: 1, as in the other ranks; Keras' 0 leaves the image as it is",
}


def parameters(value: Any) -> dict[str, Any]:
    """Names and defaults in order, without self, *args, **kwargs, and the name that every layer takes."""
    found = inspect.signature(value).parameters.values()
    starred = (inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL)
    return {p.name: p.default for p in found if p.kind not in starred and p.name != "name"}


def same(ours: Any, theirs: Any) -> bool:
    """Whether defaults mean the same: one number stands for a tuple of it."""
    if ours == theirs:
        return True
    flat = np.unique(np.asarray(theirs, dtype=object)) if isinstance(theirs, tuple) else [theirs]
    ours = ours[0] if isinstance(ours, tuple) and len(set(ours)) == 1 else ours
    return len(flat) == 1 and (ours == flat[0] or str(ours).lower() == str(flat[0]).lower())


@pytest.mark.parametrize("name", sorted({*layers.__all__} - {"Layer", "Weight", *DIFFERENT, *catalog.LOOKUPS}))
def test_signatures_are_those_of_keras(name):
    ours, theirs = parameters(getattr(layers, name)), parameters(getattr(keras.layers, name))
    assert list(ours) == list(theirs)
    assert not [key for key in ours if not same(ours[key], theirs[key])]


@pytest.mark.parametrize("name", DIFFERENT)
def test_differences_are_no_more_than_their_reason(name):
    ours, theirs = parameters(getattr(layers, name)), parameters(getattr(keras.layers, name))
    differing = set(ours) ^ set(theirs) | {key for key in ours.keys() & theirs if not same(ours[key], theirs[key])}
    assert differing == set(DIFFERENT[name].partition(":")[0].split(", "))
    shared = [key for key in ours if key in theirs]
    assert shared == [key for key in theirs if key in ours]


def test_options_bind_by_position_and_by_name():
    layer = layers.Dense(2, "relu", True, "ones", "zeros", "l2", None, "l1", None, None)
    assert isinstance(layer.kernel_initializer, initializers.Ones)
    assert layer.kernel_regularizer.get_config() == regularizers.L2().get_config()
    assert layer.activity_regularizer.get_config() == regularizers.L1().get_config()
    assert layers.PReLU("ones", None, None, [1]).shared_axes == [1]
    assert layers.BatchNormalization(-1, 0.9, 1e-3, True, True, *["ones"] * 4, *[None] * 4, True).renorm
    with pytest.raises(TypeError, match="Dense: got 14 arguments, expected at most 13"):
        layers.Dense(*range(14))
    with pytest.raises(TypeError, match="multiple values for keyword argument 'kernel_initializer'"):
        layers.Dense(2, None, True, "ones", kernel_initializer="zeros")
    with pytest.raises(TypeError, match="Dense: unknown argument 'kernel_initialiser'; did you mean 'kernel_init"):
        layers.Dense(2, kernel_initialiser="zeros")
    with pytest.raises(TypeError, match="missing 1 required positional argument: 'units'"):
        layers.Dense()


def test_options_are_attributes_until_build_reads_them():
    layer = layers.Dense(2)
    layer.kernel_initializer, layer.bias_regularizer = initializers.Constant(3.0), regularizers.L2(1.0)
    layer(X)
    assert (layer.kernel.numpy() == 3).all()
    assert layer.bias.regularizer is layer.bias_regularizer


def test_defaults_are_made_anew_for_each_layer():
    first, second = layers.Dense(2), layers.Dense(2)
    assert first.kernel_initializer is not second.kernel_initializer
    first(X), second(X)
    assert not np.allclose(first.kernel, second.kernel)


def test_an_attribute_is_there_once_it_is_made():
    layer = layers.Dense(2)
    assert not hasattr(layer, "kernel")
    with pytest.raises(AttributeError, match="Dense has no attribute 'kernel'; it is not built yet"):
        layer.kernel  # noqa: B018
    layer(X)
    assert [v.name for v in layer.weights] == ["kernel", "bias"]
    del layer.kernel
    assert not hasattr(layer, "kernel")
    assert [v.name for v in layer.weights] == ["bias"]
    assert isinstance(layers.Dense.kernel, Weight)
    without = layers.Dense(2, use_bias=False)
    without(X)
    assert without.bias is None


def test_building_again():
    layer = layers.Dense(2)
    layer(X)
    layer.built = False
    del layer.kernel, layer.bias
    layer.input_spec = None
    layer(X[:, :2])
    assert layer.kernel.shape == (2, 2)


@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda layer: pickle.loads(pickle.dumps(layer))])
@pytest.mark.parametrize("built", [False, True])
def test_copies(duplicate, built):
    layer = layers.BatchNormalization(gamma_initializer="zeros")
    if built:
        layer(X)
    other = duplicate(layer)
    assert other.built is built
    np.testing.assert_array_equal(other(X), layer(X))
    assert other.gamma is not layer.gamma
    assert len(other.weights) == 4


class Handing(layers.Dense):
    """A user's subclass with an `__init__` of its own, that hands on."""

    def __init__(self, units: int, scale: float = 2.0, **kwargs: Any) -> None:
        super().__init__(units, use_bias=False, kernel_initializer="ones", **kwargs)
        self.scale = scale

    def call(self, x: Any) -> Any:
        return super().call(x) * self.scale


class Building(layers.Dense):
    """A user's subclass that builds by itself, and whose attributes have the library's names."""

    def __init__(self, units: int) -> None:
        super().__init__(units, name="building")
        self.make = layers.Dense(3, name="inside")

    def build(self, input_shape: Any) -> None:
        super().build(input_shape)
        self.kernel = self.add_weight((input_shape[-1], self.units), "ones", name="own")

    def call(self, x: Any) -> Any:
        return super().call(self.make(x))


class Declared(Layer, after={"side": "recurrent_initializer"}):
    """y = gain x + shift"""

    gain = Weight("ones", prefix="recurrent")
    shift = Weight("zeros", trainable=False)

    def __init__(self, axis: int = -1, *, side: str = "left", **options: Any) -> None:
        super().__init__(**options)
        self.axis, self.side = axis, side

    def build(self, input_shape: Any) -> None:
        self.make("shift", (input_shape[self.axis],))
        self.make("gain", (input_shape[self.axis],))

    def call(self, x: Any) -> Any:
        return x * self.gain + self.shift


class Wrapping(Layer, options_of=layers.Dense):
    """Options handed on to a layer inside."""

    def __init__(self, *, times: int = 1, **options: Any) -> None:
        base = {name: options.pop(name) for name in ("name",) if name in options}
        super().__init__(**base)
        self.inside, self.times = layers.Dense(**options), times

    def call(self, x: Any) -> Any:
        return self.inside(x) * self.times


def test_subclasses_of_the_user():
    assert list(inspect.signature(Handing).parameters) == ["units", "scale", "kwargs"]
    assert not hasattr(Handing.__init__, "__wrapped__")
    layer = Handing(2, 3.0, name="h", bias_initializer="ones")
    np.testing.assert_allclose(layer(X), X.sum(1, keepdims=True).repeat(2, 1) * 3, rtol=1e-5)
    config = layer.get_config()
    assert config["scale"] == 3.0
    assert config["units"] == 2
    again = Handing.from_config(config)
    assert (again.scale, again.units) == (3.0, 2)
    building = Building(2)
    assert building(X).shape == (4, 2)
    assert [v.name for v in building.trainable_weights][:3] == ["kernel", "bias", "own"]
    assert building.kernel.name == "own"


def test_slots_of_the_user():
    names = "axis recurrent_initializer side shift_initializer recurrent_regularizer recurrent_constraint options"
    assert list(inspect.signature(Declared).parameters) == names.split()
    assert "recurrent_initializer, shift_initializer: what the weights begin with" in " ".join(Declared.__doc__.split())
    layer = Declared(-1, "zeros", "right", "ones", dtype="mixed_float16")
    assert layer.side == "right"
    np.testing.assert_allclose(layer(X), np.ones_like(X))
    assert [v.name for v in layer.weights] == ["gain", "shift"]  # what is trained comes first
    assert not layer.shift.trainable
    assert not layer.shift.autocast
    assert layer.gain.autocast
    config = layer.get_config()
    assert config["recurrent_initializer"]["class_name"] == "Zeros"
    again = Declared.from_config(config)
    np.testing.assert_allclose(again(X), np.ones_like(X))


def test_options_of_another_class():
    given, own = parameters(Wrapping), parameters(layers.Dense)
    assert list(given) == [*own, "times"]
    layer = Wrapping(2, None, False, "ones", times=3)
    np.testing.assert_allclose(layer(X), X.sum(1, keepdims=True).repeat(2, 1) * 3, rtol=1e-5)


def test_a_slot_declared_again_has_its_own_default():
    class Zero(layers.Dense):
        kernel = Weight("zeros")

    class Without(layers.Dense):
        bias = None

    assert not Zero(2)(X).numpy().any()
    assert not hasattr(Without(2), "bias_initializer")


def test_configurations_are_those_of_keras():
    for name, arguments in (("Dense", (3,)), ("Conv2D", (2, 3)), ("BatchNormalization", ()), ("PReLU", ())):
        ours, theirs = getattr(layers, name)(*arguments), getattr(keras.layers, name)(*arguments)
        assert set(theirs.get_config()) - set(ours.get_config()) <= {"lora_alpha", "quantization_config"}
        assert isinstance(serialization.deserialize(serialization.serialize(ours)), getattr(layers, name))
        assert type(ours).from_config(ours.get_config()).get_config() == ours.get_config()
