"""Subclasses of the library's classes: their arguments on saving, cloning and copying, with Keras for comparison."""

import copy
import operator

import keras
import pytest

import layerwise
from layerwise import layers, optimizers
from layerwise.serialization import deserialize, serialize

EXTENDED = [  # a class of the library, and what a subclass that hands on its arguments is given
    ("layers", "MaxPooling2D", (2,), {"strides": 1, "padding": "same"}),
    ("layers", "Dense", (3,), {"activation": "relu", "kernel_regularizer": "l2", "name": "own"}),
    ("layers", "Conv2D", (4, 3), {"padding": "same", "dilation_rate": 2}),
    ("layers", "Normalization", (), {"mean": 2.0, "variance": 4.0}),
    ("layers", "Flatten", (), {"data_format": "channels_first"}),
    ("layers", "Dropout", (0.25,), {"seed": 3}),
    ("optimizers", "Adam", (0.5,), {"beta_1": 0.5, "clipnorm": 2.0}),
    ("optimizers", "SGD", (), {"learning_rate": 0.5, "momentum": 0.5, "name": "own"}),
    ("optimizers.schedules", "ExponentialDecay", (0.5, 10), {"decay_rate": 0.5, "staircase": True}),
    ("losses", "Huber", (0.5,), {"reduction": "sum"}),
    ("losses", "CategoricalCrossentropy", (), {"from_logits": True, "name": "own"}),
    ("metrics", "MeanIoU", (3,), {"ignore_class": 2}),
    ("metrics", "AUC", (), {"num_thresholds": 7, "curve": "PR"}),
    ("metrics", "BinaryAccuracy", (), {"threshold": 0.25, "name": "own"}),
    ("initializers", "RandomNormal", (), {"mean": 1.0, "seed": 3}),
    ("regularizers", "L1L2", (0.5,), {"l2": 0.25}),
    ("constraints", "MaxNorm", (3.0,), {"axis": 1}),
]


def as_lists(value):
    if isinstance(value, dict):
        return {key: as_lists(item) for key, item in value.items()}
    return [as_lists(item) for item in value] if isinstance(value, list | tuple) else value


def extended(base):
    class Extended(base):
        def __init__(self, *args, gain=2.0, **kwargs):
            super().__init__(*args, **kwargs)
            self.gain = gain

        def get_config(self):
            return {**super().get_config(), "gain": self.gain}

    return Extended


@pytest.mark.parametrize(("namespace", "name", "args", "options"), EXTENDED, ids=[case[1] for case in EXTENDED])
def test_subclasses_keep_what_they_hand_on(namespace, name, args, options):
    ours, theirs = (extended(getattr(operator.attrgetter(namespace)(k), name)) for k in (layerwise, keras))
    original = ours(*args, gain=3.0, **options)
    config, expected = original.get_config(), theirs(*args, gain=3.0, **options).get_config()
    assert len(config) > len(options) + len(args)
    plain = [key for key in expected.keys() & config.keys() if key != "name" and not isinstance(config[key], dict)]
    assert as_lists([config[key] for key in plain]) == as_lists([expected[key] for key in plain])
    again = deserialize(serialize(original), {"Extended": ours})
    assert type(again) is ours
    assert again.get_config() == config
    assert copy.copy(original).get_config() == copy.deepcopy(original).get_config() == config


@pytest.mark.parametrize(("namespace", "name", "args", "options"), EXTENDED, ids=[case[1] for case in EXTENDED])
def test_subclasses_without_an_init_are_written_as_the_class_above(namespace, name, args, options):
    base = getattr(operator.attrgetter(namespace)(layerwise), name)
    own = type("Own", (base,), {})(*args, **options)
    config, expected = own.get_config(), base(*args, **options).get_config()
    assert config | {"name": ""} == expected | {"name": ""}
    assert type(own).from_config(config).get_config() == config


def test_what_a_subclass_chooses_for_the_class_above_is_not_written():
    class Block(layers.Conv2D):
        def __init__(self, filters, **kwargs):
            super().__init__(filters, 3, padding="same", **kwargs)

    class Slow(optimizers.Adam):
        def __init__(self, share=0.5, **kwargs):
            super().__init__(beta_1=0.5, weight_decay=0.25, **kwargs)
            self.share = share

    block = Block.from_config(Block(4, use_bias=False).get_config())
    assert (block.filters, block.padding, block.use_bias) == (4, "same", False)
    slow = Slow.from_config(Slow(0.25, clipnorm=2.0, learning_rate=0.5).get_config())
    assert (slow.share, slow.beta_1, slow.weight_decay, slow.clipnorm) == (0.25, 0.5, 0.25, 2.0)
    assert float(slow.learning_rate) == 0.5


def test_a_get_config_of_ones_own_writes_what_is_no_plain_data():
    class Wraps(layers.Layer):
        def __init__(self, inner, factor=1.0, **kwargs):
            super().__init__(**kwargs)
            self.inner, self.factor = inner, factor

        def get_config(self):
            return dict(inner=serialize(self.inner), factor=self.factor, **super().get_config())

    again = Wraps.from_config(Wraps(layers.Dense(3), 2.0).get_config())
    assert (again.inner.units, again.factor) == (3, 2.0)


@pytest.mark.parametrize("library", [layerwise, keras])
def test_a_get_config_of_ones_own_writes_its_own_arguments(library):
    """What the class above adds is its own: name, trainable and dtype of a layer, all of a Dense."""

    class Mine(library.layers.Layer):
        def __init__(self, units, activation=None, **kwargs):
            super().__init__(**kwargs)
            self.units, self.activation = units, library.activations.get(activation)

        def get_config(self):
            config = dict(units=self.units, **super().get_config())
            return {**config, "activation": library.activations.serialize(self.activation)}

    class More(Mine):
        def __init__(self, n, **kwargs):
            super().__init__(**kwargs)
            self.n = n

        def get_config(self):
            return {**super().get_config(), "n": self.n}

    class Model(library.Model):
        def __init__(self, units, **kwargs):
            super().__init__(**kwargs)
            self.head = library.layers.Dense(units)

        def get_config(self):
            return dict(units=self.head.units, **super().get_config())

    class Loud(library.layers.Dense):
        def __init__(self, units, gain=1.0, activation="relu", **kwargs):
            super().__init__(units, activation=activation, **kwargs)
            self.gain = gain

        def get_config(self):
            return dict(gain=self.gain, **super().get_config())

    layer = {"name", "trainable", "dtype"}
    for original, names in (
        (Mine(3, "relu"), layer | {"units", "activation"}),
        (More(2, units=3, activation="tanh"), layer | {"units", "activation", "n"}),
        (Model(4), layer | {"units"}),
        (Loud(3, 2.0), layer | {"units", "activation", "gain"}),
    ):
        config = original.get_config()
        assert set(config) == names or (isinstance(original, Loud) and names < set(config))
        again = type(original).from_config(config).get_config()
        assert again == config


def test_a_class_without_get_config_writes_its_arguments():
    class Mine(layers.Layer):
        def __init__(self, units, rate=0.5, **kwargs):
            super().__init__(**kwargs)
            self.units = units

    class Loud(layers.Dense):
        def __init__(self, units, gain=1.0, activation="relu", **kwargs):
            super().__init__(units, activation=activation, **kwargs)

    for original in (Mine(3, 0.25), Loud(3, 2.0)):
        config = original.get_config()
        again = type(original).from_config(config)
        assert again.get_config() == config
        assert again.units == 3
    assert (config["gain"], config["activation"]) == (2.0, "relu")


def test_a_copy_of_a_model_with_a_subclass_keeps_its_arguments():
    own = extended(layers.MaxPooling2D)
    model = layerwise.Sequential([layers.Input((4, 4, 1)), own(2, strides=1, padding="same", gain=3.0)])
    pool = layerwise.models.clone_model(model).layers[0]
    assert (pool.strides, pool.padding, pool.gain) == ((1, 1), "same", 3.0)
