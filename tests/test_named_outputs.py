"""Inputs and outputs in dicts whose keys are not sorted: in Keras' order in files and in what training is given."""

import keras
import numpy as np
import pytest

import layerwise
from layerwise import tree


def priced(k):
    """x = 1 gives price 3 and area 0; the order of creation, of insertion and of the keys all differ."""
    i = k.Input((3,), name="i")
    price = k.layers.Dense(1, kernel_initializer="ones", name="p")(i)
    area = k.layers.Dense(1, kernel_initializer="zeros", name="a")(i)
    return k.Model(i, {"price": price, "area": area})


def nested(k):
    first, second = k.Input((3,), name="first"), k.Input((3,), name="second")
    inner_inputs = {"z": k.Input((3,), name="z"), "b": k.Input((3,), name="b")}
    made = [k.layers.Dense(2, name=name)(inner_inputs[name[-1]]) for name in ("of_z", "of_b")]
    inner = k.Model(inner_inputs, {"y": made[0], "c": made[1]}, name="inner")
    outputs = inner({"z": first, "b": second})
    last = {name: k.layers.Dense(2, name=f"last_{name}")(outputs[name]) for name in ("y", "c")}
    return k.Model({"second": second, "first": first}, [last, last["y"]])


@pytest.mark.parametrize("make", [priced, nested])
@pytest.mark.parametrize("suffix", [".keras", ".h5", ".weights.h5"])
@pytest.mark.parametrize(("writer", "reader"), [(layerwise, keras), (keras, layerwise)], ids=["from us", "to us"])
def test_no_weights_are_exchanged(make, suffix, writer, reader, tmp_path):
    written, read = make(writer), make(reader)
    assert [layer.name for layer in written.layers] == [layer.name for layer in read.layers]
    path = str(tmp_path / f"model{suffix}")
    if suffix == ".weights.h5":
        written.save_weights(path)
        read.load_weights(path)
    else:
        written.save(path)
        read = reader.saving.load_model(path, compile=False)
    x = np.random.default_rng(0).normal(size=(2, 2, 3)).astype("float32")
    data = x[0] if make is priced else {"first": x[0], "second": x[1]}
    expected, found = written(data), read(data)
    tree.map_structure(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-5), expected, found)
    if make is priced:
        assert np.asarray(read(np.ones((1, 3)))["price"]).item() == 3


@pytest.mark.parametrize("loss", [["mse", "mae"], {"price": "mse", "area": "mae"}], ids=["listed", "named"])
@pytest.mark.parametrize("named", [True, False])
def test_lists_pair_with_outputs_as_in_keras(loss, named):
    ones, results = np.ones((4, 1)), []
    y = {"price": 2 * ones, "area": ones} if named else [2 * ones, 5 * ones]
    for k in (layerwise, keras):
        model = priced(k)
        model.compile("sgd", loss, loss_weights=[1.0, 10.0], metrics=[["mae"], ["mse"]])
        results.append(model.evaluate(np.ones((4, 3)), y, verbose=0, return_dict=True))
    assert results[0] == pytest.approx(results[1])


def test_leaves_are_in_the_order_of_the_keys():
    structure = {"b": [1, {"d": 2, "c": 3}], "a": 4}
    assert tree.flatten(structure) == keras.tree.flatten(structure) == [4, 1, 3, 2]
    packed = tree.pack_sequence_as(structure, [4, 1, 3, 2])
    assert packed == structure
    assert [*packed, *packed["b"][1]] == ["b", "a", "d", "c"]
    assert tree.flatten({"b": 1, 0: 2}) == [1, 2]
