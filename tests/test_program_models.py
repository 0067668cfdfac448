"""Models as people make them for Keras. Values are Keras'."""

import collections

import numpy as np
import pytest

from layerwise import (
    Input,
    Model,
    Sequential,
    layers,
    models,
)  # fmt: skip

X, Y = np.ones((4, 2), "float32"), np.zeros((4, 1), "float32")


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
    with pytest.raises(ValueError, match=r"got a list, expected a dict .* order its items come is not clear"):
        model([3 * X, X])
    with pytest.warns(UserWarning, match="got a list, expected a dict .* taken in this order"):
        np.testing.assert_array_equal(Model({"i1": a, "i2": b}, a - b)([3 * X, X]), 2 * X)
    with pytest.warns(UserWarning, match=r"inputs \['other'\] are none of the model's"):
        model({"i1": X, "i2": X, "other": X})
    with pytest.warns(UserWarning, match=r"inputs \['b'\] are none"):
        Model(a, a + 1)({"i1": X, "b": X})
    with pytest.warns(UserWarning, match="softmax over an axis of size 1"):
        layers.Dense(1, activation="softmax")(X)
    with pytest.raises(ValueError, match=r"got \['i1'\], expected a dict with \['i2', 'i1'\]"):
        model({"i1": X})
    with pytest.raises(ValueError, match="got 1 inputs, expected 2"):
        Model([a, b], a - b)([X])


def test_clones_on_inputs_of_another_form():
    x, y = Input((3,)), Input((3,))
    model = Model({"x": x, "y": y}, x - y)
    assert set(models.clone_model(model, input_tensors={"x": x, "y": y}).input) == {"x", "y"}
    with pytest.raises(ValueError, match="input_tensors: other form than the model's inputs: paths differ"):
        models.clone_model(model, input_tensors=(x, y))
