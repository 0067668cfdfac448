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


OUTPUTS = {  # how three outputs are arranged
    "one": lambda p, q, r: p,
    "list of one": lambda p, q, r: [p],
    "dict of one": lambda p, q, r: {"a": p},
    "dict": lambda p, q, r: {"b": q, "a": p},
    "list": lambda p, q, r: [p, q],
    "tuple in dict": lambda p, q, r: {"b": r, "a": (p, q)},
    "dict in dict": lambda p, q, r: {"b": r, "a": {"y": q, "x": p}},
    "list in list": lambda p, q, r: [p, [q, r]],
}


def arranged(k, arrange):
    i = k.Input((3,))
    return k.Model(i, arrange(*(k.layers.Dense(1, name=n, kernel_initializer="ones")(i) for n in "pqr")))


@pytest.mark.parametrize(
    ("outputs", "compiled"),
    [
        *((name, {"loss": loss}) for name in ("one", "list of one", "dict of one") for loss in (["mse"], ("mse",))),
        *((name, {"loss": [["mse"]]}) for name in ("one", "dict of one")),
        ("one", {"loss": {"p": ["mse"]}}),
        ("dict", {"loss": {"a": ["mse"], "b": "mae"}}),
        ("dict", {"loss": {"b": ["mae"]}}),
        ("list", {"loss": [["mse"], "mae"]}),
        ("list", {"loss": {"q": ["mae"], "p": "mse"}}),
        *((name, {"loss": "mse"}) for name in list(OUTPUTS)[-3:]),
        *((name, {"loss": ["mse", "mae", "mse"]}) for name in list(OUTPUTS)[-3:]),
        ("tuple in dict", {"loss": {"a": ("mse", "mae"), "b": "mse"}}),
        ("tuple in dict", {"loss": {"a": ("mse", None), "b": ["mae"]}}),
        ("tuple in dict", {"loss": {"b": "mse"}}),
        ("tuple in dict", {"loss": {"a": ("mse", "mse"), "b": "mae"}, "loss_weights": {"a": (2.0, 1.0), "b": 1.0}}),
        ("dict in dict", {"loss": {"a": {"x": "mse", "y": "mae"}, "b": "mse"}}),
        ("list in list", {"loss": ["mse", ["mae", "mse"]], "loss_weights": [2.0, [1.0, 1.0]]}),
    ],
)
@pytest.mark.filterwarnings("ignore:SGD. no gradient for")
def test_losses_may_be_arranged_as_outputs_are(outputs, compiled):
    x, labels = np.ones((4, 3), "float32"), [np.full((4, 1), i, "float32") for i in range(3)]
    found = []
    for k in (layerwise, keras):
        model = arranged(k, OUTPUTS[outputs])
        model.compile("sgd", **compiled)
        y = OUTPUTS[outputs](*labels)
        found.append(model.evaluate(x, y, verbose=0, return_dict=True))
        history = model.fit(x, y, epochs=2, verbose=0).history
        found[-1] |= {f"fit {name}": values[-1] for name, values in history.items()}
    assert found[0] == pytest.approx(found[1], rel=1e-5)


def test_losses_that_are_arranged_otherwise_are_refused():
    for outputs, loss, message in (
        ("list", {"a": ["mse"], "b": "mae"}, "no output is named 'a'; expected one of p, q"),
        ("tuple in dict", {"a": "mse", "b": "mae"}, "no output is named 'a'; expected one of a/p, a/q, b"),
        ("one", [["mse", "crossentropy"]], "for output 'p', expected losses that can be added up"),
        ("list in list", ["mse", "mae"], "got a list of 2, expected one for each of 3 outputs"),
    ):
        model = arranged(layerwise, OUTPUTS[outputs])
        model.compile("sgd", loss)
        with pytest.raises(ValueError, match=message):
            model.evaluate(np.ones((4, 3)), OUTPUTS[outputs](*[np.ones((4, 1))] * 3), verbose=0)


def test_metrics_of_outputs_inside_others():
    model = arranged(layerwise, OUTPUTS["tuple in dict"])
    model.compile("sgd", "mse", metrics={"a": (["mae"], ["mae"]), "b": ["mse"]})
    y = OUTPUTS["tuple in dict"](*[np.ones((4, 1))] * 3)
    found = model.evaluate(np.ones((4, 3)), y, verbose=0, return_dict=True)
    assert {"a/p_mae", "a/q_mae", "b_mse"} < set(found)
    assert model.output_names == ["p", "q", "r"]
