"""What belongs to a layer and where it lies in files, beside Keras; a user's attributes; masks of all arguments."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
from numpy.testing import assert_allclose

import layerwise
from layerwise import layers, models, ops
from layerwise.layers.calling import CallParameters, calls_of
from layerwise.models.graph import graph_of

X = np.linspace(-1, 1, 12, dtype="float32").reshape(4, 3)


def dense(k: Any, seed: int, **options: Any) -> Any:
    return k.layers.Dense(3, kernel_initializer=k.initializers.RandomNormal(seed=seed), **options)


def two_names(k: Any) -> type:
    class TwoNames(k.Model):
        def __init__(self) -> None:
            super().__init__()
            self.zeta = self.alpha = dense(k, 1)
            self.middle = [self.zeta, dense(k, 2)]

        def call(self, x: Any) -> Any:
            return self.alpha(self.middle[1](self.zeta(x)))

    return TwoNames


def behind_a_property(k: Any) -> type:
    class Behind(k.Model):
        def __init__(self) -> None:
            super().__init__()
            self._hidden = dense(k, 1)
            self.zz = dense(k, 2)

        @property
        def shown(self) -> Any:
            return self._hidden

        @property
        def broken(self) -> Any:
            raise RuntimeError("has no value now")

        def call(self, x: Any) -> Any:
            return self.zz(self._hidden(x))

    return Behind


def nested_containers(k: Any) -> type:
    class Nested(k.Model):
        def __init__(self) -> None:
            super().__init__()
            self.table = {"b": [dense(k, 1), dense(k, 2)], "a": [dense(k, 3)]}
            self.pair = (dense(k, 4), [dense(k, 5), [dense(k, 6)]])

        def call(self, x: Any) -> Any:
            for layer in (*self.table["b"], *self.table["a"], self.pair[0], self.pair[1][0], self.pair[1][1][0]):
                x = layer(x)
            return x

    return Nested


@pytest.mark.parametrize("make", [two_names, behind_a_property, nested_containers])
def test_saved_and_loaded_both_ways(make, tmp_path):
    ours, theirs, again = make(layerwise)(), make(keras)(), make(layerwise)()
    for model in (ours, theirs, again):
        model.predict(X, verbose=0)
    assert [v.shape for v in ours.weights] == [v.shape for v in theirs.weights]
    ours.save_weights(tmp_path / "ours.weights.h5")
    theirs.load_weights(tmp_path / "ours.weights.h5")
    assert_allclose(theirs.predict(X, verbose=0), ours.predict(X, verbose=0), atol=1e-6)
    theirs.set_weights([w + 0.5 for w in theirs.get_weights()])
    theirs.save_weights(tmp_path / "theirs.weights.h5")
    again.load_weights(tmp_path / "theirs.weights.h5")
    assert_allclose(again.predict(X, verbose=0), theirs.predict(X, verbose=0), rtol=1e-5, atol=1e-5)


class Own(models.Model):
    """Whose attributes have the library's newer names."""

    def __init__(self) -> None:
        x = layers.Input((3,))
        super().__init__(x, layers.Dense(3, name="inside")(x))
        self.graph = layers.Dense(2)
        self.calls = [layers.Dense(2)]
        self.make = self.stage = layers.Dense(2)

    def inner(self) -> list[Any]:
        return [self.graph(X), self.calls[0](X), self.stage(X)]


def test_public_names_give_way_to_attributes_of_the_user(tmp_path):
    x = layers.Input((3,))
    layer = layers.Dense(2)
    model = models.Model(x, layer(x))
    assert layer.calls == calls_of(layer)
    assert layer.calls[0].outputs is model.output
    assert model.graph.layers[-1] is layer
    assert layers.Layer.calls.__doc__
    own = Own()
    own.inner()
    assert graph_of(own).layers[-1].name == "inside"
    own.save_weights(tmp_path / "own.weights.h5")
    values = [own.predict(X, verbose=0), *own.inner()]
    other = Own()
    other.inner()
    other.load_weights(tmp_path / "own.weights.h5")
    for a, b in zip(values, [other.predict(X, verbose=0), *other.inner()], strict=True):
        np.testing.assert_array_equal(a, b)
    lines: list[str] = []
    own.summary(print_fn=lines.append)
    assert any("inside" in line for line in lines)


# Masks


def masked(x: Any, mask: Any) -> Any:
    return ops.convert_to_tensor(x).note("mask", ops.convert_to_tensor(mask))


class Attend(layers.Layer):
    """Notes which masks it gets."""

    supports_masking = True

    def call(self, query: Any, value: Any, key: Any = None, query_mask=None, value_mask=None, key_mask=None) -> Any:
        self.seen = query_mask, value_mask, key_mask
        return query + value


def test_every_argument_has_its_mask():
    first, second = np.array([True, False, True, True]), np.array([True, True, False, True])
    layer = Attend()
    y = layer(masked(X, first), masked(X, second))
    np.testing.assert_array_equal(layer.seen[0], first)
    np.testing.assert_array_equal(layer.seen[1], second)
    assert layer.seen[2] is None
    np.testing.assert_array_equal(y.notes["mask"], first)  # the first argument's goes on
    layer(X, masked(X, second), key=masked(X, first))
    assert layer.seen[0] is None
    np.testing.assert_array_equal(layer.seen[2], first)
    layer(masked(X, first), value=masked(X, second), value_mask=first)  # a mask that is given stays
    np.testing.assert_array_equal(layer.seen[1], first)


def test_masks_are_no_inputs_to_build_for():
    class Two(layers.Layer):
        def build(self, a_shape: Any, b_shape: Any) -> None:
            self.shapes = a_shape, b_shape

        def call(self, a: Any, b: Any = None, mask: Any = None) -> Any:
            return a

    with pytest.raises(TypeError, match="called on 1 arrays"):
        Two()(masked(X, X[:, 0] > 0))
    layer = Two()
    layer(masked(X, X[:, 0] > 0), X[:2])
    assert layer.shapes == ((4, 3), (2, 3))


def test_a_mask_survives_the_cast_to_the_compute_dtype():
    layer = layers.Activation("relu", dtype="mixed_float16")
    y = layer(masked(X, X[:, 0] > 0))
    assert y.dtype == "float16"
    np.testing.assert_array_equal(y.notes["mask"], X[:, 0] > 0)


def test_each_output_may_have_a_mask():
    class Twice(layers.Layer):
        supports_masking = True

        def call(self, x: Any) -> Any:
            return [x, x * 2.0]

        def compute_mask(self, inputs: Any, previous_mask: Any) -> Any:
            return [previous_mask, None]

    x = masked(X, X[:, 0] > 0)
    first, second = Twice()(x)
    assert first is not x
    np.testing.assert_array_equal(first.notes["mask"], X[:, 0] > 0)
    assert not second.notes


def test_what_call_takes():
    parameters = CallParameters.of(Attend.call)
    assert parameters.masks == {"query": ("query_mask",), "value": ("value_mask",), "key": ("key_mask",)}
    assert not parameters.training
    both = CallParameters.of(lambda self, x, mask=None, x_mask=None, training=None, **kwargs: x)
    assert both.masks == {"x": ("mask", "x_mask")}
    assert both.training
    assert both.anything


def test_masks_of_every_argument_in_a_functional_model():
    class Positive(layers.Layer):
        supports_masking = True

        def call(self, x: Any) -> Any:
            return x

        def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
            return ops.greater(ops.sum(inputs, axis=-1), 0)

        def __call__(self, x: Any) -> Any:
            return super().__call__(x).note("mask", self.compute_mask(x))

    class Weigh(layers.Layer):
        def call(self, query: Any, value: Any, query_mask: Any = None, value_mask: Any = None) -> Any:
            weight = ops.cast(query_mask, "float32") + 10.0 * ops.cast(value_mask, "float32")
            return (query + value) * weight[:, None]

    a, b = layers.Input((3,)), layers.Input((3,))
    model = models.Model([a, b], Weigh()(Positive()(a), value=Positive()(b)))
    other = X[::-1].copy()
    weight = (X.sum(-1) > 0) + 10.0 * (other.sum(-1) > 0)
    assert_allclose(model.predict([X, other], verbose=0), (X + other) * weight[:, None], rtol=1e-6)
