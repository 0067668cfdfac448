"""Bins and vectors of categories against Keras on JAX; hashes, for which Keras needs TensorFlow, by known values."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import pytest

from layerwise import Input, Model, Sequential, config, layers, saving
from layerwise.data import Dataset

os.environ["KERAS_BACKEND"] = "jax"
import keras

WHOLE = np.array([[3, 2, 0, 1], [3, 3, 0, 7]])
REAL = np.array([[-1.0, 0.0, 0.1, 0.8, 1.2], [0.5, 9.0, np.nan, -np.inf, np.inf]], "float32")
BINS = {"bin_boundaries": [0.0, 0.5, 1.0]}


@pytest.mark.parametrize(
    ("name", "arguments", "given"),
    [
        ("CategoryEncoding", {"num_tokens": 5}, WHOLE),
        ("CategoryEncoding", {"num_tokens": 5, "output_mode": "one_hot"}, WHOLE),
        ("CategoryEncoding", {"num_tokens": 5, "output_mode": "one_hot"}, WHOLE[:, :1]),
        ("CategoryEncoding", {"num_tokens": 5, "output_mode": "count", "dtype": "float16"}, WHOLE),
        ("CategoryEncoding", {"num_tokens": 5, "output_mode": "count"}, WHOLE[0]),
        ("CategoryEncoding", {"num_tokens": 5, "output_mode": "multi_hot"}, np.array(4)),
        ("Discretization", {"bin_boundaries": [0.0, 0.5, 1.0]}, REAL),
        ("Discretization", BINS | {"output_mode": "one_hot"}, REAL),
        ("Discretization", BINS | {"output_mode": "one_hot"}, REAL[:, 1:2]),
        ("Discretization", BINS | {"output_mode": "multi_hot"}, REAL),
        ("Discretization", BINS | {"output_mode": "count", "dtype": "float16"}, REAL[None]),
        ("Discretization", BINS | {"output_mode": "count"}, REAL[0]),
    ],
)
def test_against_keras(name: str, arguments: dict[str, Any], given: np.ndarray) -> None:
    ours, theirs = getattr(layers, name)(**arguments), getattr(keras.layers, name)(**arguments)
    expected = np.asarray(theirs(given))
    y = ours(given)
    assert y.dtype == expected.dtype.name
    np.testing.assert_array_equal(y, expected)
    told = ours(Input(batch_shape=given.shape, dtype=given.dtype.name))
    assert (told.shape, told.dtype, told.sparse) == (y.shape, y.dtype, False)
    mine, other = ours.get_config(), theirs.get_config()
    assert {**mine, "name": ""} == {**other, "name": ""}
    np.testing.assert_array_equal(type(ours).from_config(other)(given), expected)
    assert type(theirs).from_config(mine).get_config() == mine


def test_categories_are_counted_by_their_weights() -> None:
    weights = np.array([[0.1, 0.2, 0.3, 0.4], [1.0, 2.0, 3.0, 4.0]])
    ours, theirs = (library.CategoryEncoding(4, "count") for library in (layers, keras.layers))
    np.testing.assert_allclose(ours(WHOLE, weights), theirs(WHOLE, count_weights=weights), rtol=1e-6)
    with pytest.raises(ValueError, match=r"count_weights.*None in output_mode 'multi_hot'"):
        layers.CategoryEncoding(4)(WHOLE, count_weights=weights)


SOURCES = {
    "an array": lambda x: x,
    "a list of batches": lambda x: list(np.array_split(x, 7)),
    "a generator": lambda x: iter(np.array_split(x, 3)),
    "a data set": lambda x: Dataset.from_tensor_slices(x).batch(90),
}


@pytest.mark.parametrize("source", SOURCES)
def test_bins_are_those_that_keras_finds(source: str) -> None:
    """Of many numbers, which are summarised batch by batch, and of few, which are kept."""
    many = np.random.default_rng(3).normal(size=(500, 2)).astype("float32")
    for data in (many, many[:2]):
        ours, theirs = (lib.Discretization(num_bins=5, epsilon=0.02) for lib in (layers, keras.layers))
        ours.adapt(SOURCES[source](data))
        for batch in [data] if source == "an array" else SOURCES[source](data):  # adapt asks for TensorFlow
            theirs.update_state(batch)
        theirs.finalize_state()
        np.testing.assert_allclose(ours.bin_boundaries, theirs.bin_boundaries, rtol=1e-6)
        np.testing.assert_allclose(ours.summary, theirs.summary, rtol=1e-6)
        again = layers.Discretization.from_config(ours.get_config())
        assert again.get_config() == ours.get_config()
        np.testing.assert_array_equal(again(data), ours(data))


def test_inputs_that_are_like_arrays() -> None:
    class Like:
        def __array__(self):
            return np.array([0, 1, 2])

    assert np.asarray(layers.Hashing(num_bins=3)(Like())).tolist() == [1, 0, 1]


def test_what_bins_refuse() -> None:
    for arguments in ({}, {"num_bins": 3, "bin_boundaries": [1.0]}):
        with pytest.raises(ValueError, match="either bin_boundaries or num_bins"):
            layers.Discretization(**arguments)
    with pytest.raises(ValueError, match="has no bins yet"):
        layers.Discretization(num_bins=3)([[1.0]])
    with pytest.raises(ValueError, match="was given its boundaries"):
        layers.Discretization([1.0]).adapt([1.0])
    unknown = layers.Discretization(num_bins=3, output_mode="one_hot")(Input((2,)))
    assert unknown.shape == (None, 2, 3)


# Hashes: values that TensorFlow gives


NAMES = [["omar"], ["stringer"], ["marlo"], ["wire"], ["skywalker"]]
LETTERS = [["A"], ["B"], ["C"], ["D"], ["E"]]
HASHES: list[tuple[dict[str, Any], Any, Any]] = [
    ({"num_bins": 3}, LETTERS, [[1], [0], [1], [1], [2]]),
    ({"num_bins": 3, "mask_value": ""}, [["A"], ["B"], [""], ["C"], ["D"]], [[1], [1], [0], [2], [2]]),
    ({"num_bins": 3, "salt": [133, 137]}, LETTERS, [[1], [2], [1], [0], [2]]),
    ({"num_bins": 3, "salt": 133}, LETTERS, [[0], [0], [2], [1], [0]]),
    ({"num_bins": 2}, NAMES, [[0], [0], [1], [0], [0]]),
    ({"num_bins": 3, "mask_value": "omar"}, NAMES, [[0], [1], [2], [1], [1]]),
    ({"num_bins": 2, "salt": [211, 137]}, NAMES, [[1], [0], [1], [0], [1]]),
    ({"num_bins": 1}, LETTERS, [[0]] * 5),
    ({"num_bins": 3}, [0, 1, 2, 3, 4], [1, 0, 1, 0, 2]),
    ({"num_bins": 3}, np.array([0.0, 1.9, 2.5]), [1, 0, 1]),
    ({"num_bins": 3, "salt": [133, 137]}, [0, 1, 2, 3, 4], [1, 1, 2, 0, 1]),
    ({"num_bins": 3, "output_mode": "one_hot"}, [[0], [1], [4]], [[0, 1, 0], [1, 0, 0], [0, 0, 1]]),
    ({"num_bins": 3, "output_mode": "multi_hot"}, [[0, 1, 2, 3]], [[1, 1, 0]]),
    ({"num_bins": 3, "output_mode": "count"}, [[0, 1, 2, 3, 4]], [[2, 2, 1]]),
    ({"num_bins": 3, "output_mode": "count", "dtype": "float64"}, [0, 1, 2, 3, 4], [2, 2, 1]),
]


@pytest.mark.parametrize(("arguments", "given", "expected"), HASHES, ids=lambda v: str(v)[:50])
def test_hashing(arguments: dict[str, Any], given: Any, expected: Any) -> None:
    layer = layers.Hashing(**arguments)
    y = layer(given)
    assert np.asarray(y).tolist() == expected
    assert layers.Hashing.from_config(layer.get_config()).get_config() == layer.get_config()
    kind = "string" if np.array(given).dtype.kind == "U" else "int32"
    told = layer(Input(batch_shape=np.shape(given), dtype=kind))
    assert (told.shape, told.dtype) == (y.shape, y.dtype)


FEATURES = (np.array(["A", "B", "A", "B", "A"]), np.array([101, 101, 101, 102, 102]))


def test_crossing() -> None:
    layer = layers.HashedCrossing(5)
    assert np.asarray(layer(FEATURES)).tolist() == [1, 4, 1, 1, 3]
    assert np.asarray(layer([f[:, None] for f in FEATURES])).tolist() == [[1], [4], [1], [1], [3]]
    assert layer(("A", 101)).item() == 1
    hot = layers.HashedCrossing(5, output_mode="one_hot")
    np.testing.assert_array_equal(hot(FEATURES), np.eye(5)[[1, 4, 1, 1, 3]])
    assert hot(FEATURES).dtype == "float32"
    for made in (layer, hot):
        told = made([Input(batch_shape=(5,), dtype="string"), Input(batch_shape=(5,), dtype="int32")])
        assert (told.shape, told.dtype) == (made(FEATURES).shape, made(FEATURES).dtype)
        assert layers.HashedCrossing.from_config(made.get_config()).get_config() == made.get_config()


WRONG: list[tuple[Any, str]] = [
    (lambda: layers.Hashing(None), "num_bins: got None"),
    (lambda: layers.Hashing(3, salt=[1]), r"salt: got \[1\], expected a whole number or two"),
    (lambda: layers.Hashing(3, dtype="float32"), "dtype: got 'float32', expected int32 or int64"),
    (lambda: layers.Hashing(3, output_mode="both"), "output_mode: got 'both'"),
    (lambda: layers.Hashing(3, output_mode="count", sparse=True), "no sparse Tensors"),
    (lambda: layers.HashedCrossing(3)(np.array(1)), "a list of at least two inputs"),
    (lambda: layers.HashedCrossing(3)([np.array(1)]), "a list of at least two inputs"),
    (lambda: layers.HashedCrossing(3)((np.ones(1), np.ones(1))), "whole numbers or texts"),
    (lambda: layers.HashedCrossing(3)(([[1, 2]], [[1, 2]])), r"got shapes \[\(1, 2\)\]"),
    (lambda: layers.CategoryEncoding(), "num_tokens: got None"),
    (lambda: layers.CategoryEncoding(3, "int"), "output_mode: got 'int'"),
]


@pytest.mark.parametrize(("make", "message"), WRONG, ids=lambda v: v[:40] if isinstance(v, str) else "")
def test_what_is_refused(make: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize("backend", ["numpy", "native", "xla"])
def test_in_a_model_that_is_saved(backend: str, tmp_path: Any) -> None:
    with config.override(backend=backend):
        bins = layers.Discretization(num_bins=3, output_mode="one_hot")
        bins.adapt(np.arange(9.0))
        model = Sequential([Input((1,)), bins, layers.Dense(1)])
        model.compile("sgd", "mse")
        model.fit(np.arange(9.0)[:, None], np.arange(9.0), verbose=0)
        model.save(tmp_path / "m.keras")
        np.testing.assert_allclose(saving.load_model(tmp_path / "m.keras").predict([[4.0]], verbose=0),
                                   model.predict([[4.0]], verbose=0))  # fmt: skip
        first, second = Input((), dtype="string"), Input((), dtype="int32")
        crossed = layers.HashedCrossing(5, output_mode="one_hot")([first, second])
        model = Model([first, second], crossed)
        assert model.predict(list(FEATURES), verbose=0).argmax(-1).tolist() == [1, 4, 1, 1, 3]
