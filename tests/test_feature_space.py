"""FeatureSpace: sizes are those that Keras' tests know, values those of the layers inside."""

import json
import zipfile
from typing import Any

import numpy as np
import pytest

from layerwise import Model, config, data, layers, saving
from layerwise.utils import FeatureSpace

NUMBERS = [i / 10 for i in range(10)]
TABLE = {
    "float_1": NUMBERS, "float_2": NUMBERS, "float_3": NUMBERS,
    "string_1": [str(i) for i in range(10)], "string_2": [str(i) for i in range(10)],
    "int_1": list(range(10)), "int_2": list(range(10)), "int_3": list(range(10)),
}  # fmt: skip
KINDS = {
    "float_1": "float", "float_2": "float_normalized", "float_3": "float_discretized",
    "string_1": "string_categorical", "string_2": "string_hashed",
    "int_1": "integer_categorical", "int_2": "integer_hashed", "int_3": "integer_categorical",
}  # fmt: skip
CROSSES = [("float_3", "string_1"), ("string_2", "int_2")]
ARRAYS = {name: np.array(column) for name, column in TABLE.items()}
ROW = {name: column[0] for name, column in TABLE.items()}


def rows() -> data.Dataset:
    return data.Dataset.from_tensor_slices(ARRAYS)


def adapted(**arguments: Any) -> FeatureSpace:
    space = FeatureSpace(KINDS, crosses=CROSSES, **arguments)
    space.adapt(TABLE)
    return space


@pytest.mark.parametrize(
    "source",
    [
        lambda: TABLE,
        rows,
        lambda: rows().batch(4),
        lambda: rows().batch(4).map(lambda row: (row, 1)),
        lambda: iter(rows()),
        lambda: [{name: column[:, None] for name, column in ARRAYS.items()}],
    ],
    ids=["a dict", "rows", "batches", "batches with labels", "an iterator", "columns (n, 1)"],
)
def test_adapt_takes(source):
    space = FeatureSpace(KINDS, crosses=CROSSES)
    space.adapt(source())
    assert space(ROW).shape == (195,)
    assert space(TABLE).shape == (10, 195)
    np.testing.assert_allclose(space(ARRAYS), adapted()(TABLE), rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(space(ROW), space(TABLE)[0])


def test_features_come_in_the_order_of_their_names_and_crosses_at_the_end():
    space = adapted(output_mode="dict")
    parts = space(TABLE)
    assert list(parts) == [*sorted(KINDS), "float_3_X_string_1", "string_2_X_int_2"]
    assert {name: part.shape[1] for name, part in parts.items()} == {
        "float_1": 1, "float_2": 1, "float_3": 32, "int_1": 11, "int_2": 32, "int_3": 11, "string_1": 11,
        "string_2": 32, "float_3_X_string_1": 32, "string_2_X_int_2": 32,
    }  # fmt: skip
    np.testing.assert_array_equal(np.concatenate([np.asarray(p) for p in parts.values()], -1), adapted()(TABLE))
    np.testing.assert_allclose(parts["float_1"], np.float32(NUMBERS)[:, None])
    np.testing.assert_allclose(np.mean(parts["float_2"]), 0, atol=1e-6)
    categories = np.argmax(parts["string_1"], -1)
    assert [space.preprocessors["string_1"].get_vocabulary()[i] for i in categories] == TABLE["string_1"]
    hashes = layers.Hashing(32)(ARRAYS["string_2"])
    np.testing.assert_array_equal(np.argmax(parts["string_2"], -1), hashes)
    crossed = layers.HashedCrossing(32)([np.asarray(hashes), np.asarray(layers.Hashing(32)(ARRAYS["int_2"]))])
    np.testing.assert_array_equal(np.argmax(parts["string_2_X_int_2"], -1), crossed)
    assert {name: part.shape for name, part in space(ROW).items()}["float_1"] == (1,)


def test_kinds_with_arguments():
    kind = FeatureSpace
    space = FeatureSpace(
        {
            "float_1": kind.float_rescaled(2.0, 1.0),
            "float_2": kind.float_discretized(None, [0.25, 0.5], output_mode="int"),
            "float_3": kind.float_discretized(3),
            "string_1": kind.string_categorical(max_tokens=5, num_oov_indices=2, output_mode="int"),
            "int_1": kind.integer_hashed(4, output_mode="int"),
            "int_2": kind.integer_categorical(max_tokens=4),
            "text": kind.feature("string", layers.TextVectorization(output_mode="count"), "float"),
            "given": kind.feature("string", layers.StringLookup(vocabulary=["a", "b"]), "one_hot"),
        },
        crosses=[kind.cross(("string_1", "int_1"), 7, output_mode="int")],
        output_mode="dict",
    )
    table = TABLE | {"text": ["a b"] * 10, "given": ["b"] * 10}
    space.adapt(table)
    parts = space(table)
    np.testing.assert_allclose(parts["float_1"], 2 * np.float32(NUMBERS)[:, None] + 1)
    assert np.asarray(parts["float_2"]).ravel().tolist() == [0, 0, 0, 1, 1, 2, 2, 2, 2, 2]
    assert parts["float_3"].shape == (10, 3)
    assert np.max(parts["string_1"]) == 4
    assert parts["int_2"].shape == (10, 4)
    assert np.asarray(parts["text"])[0].tolist() == [0, 1, 1]
    assert np.asarray(parts["given"])[0].tolist() == [0, 0, 1]
    assert parts["string_1_X_int_1"].shape == (10, 1)
    assert parts["string_1_X_int_1"].dtype.startswith("int")
    assert FeatureSpace.from_config(space.get_config()).get_config() == space.get_config()


def test_nothing_to_adapt():
    space = FeatureSpace({"a": "float", "b": "integer_hashed"})
    assert space({"a": [1.5, 2.0], "b": [1, 2]}).shape == (2, 33)


@pytest.mark.parametrize("backend", ["numpy", "native", "xla"])
def test_models_begin_with_tables_or_with_what_became_of_them(backend, tmp_path):
    with config.override(backend=backend):
        kinds = {"float_2": "float_normalized", "string_1": "string_categorical", "int_2": "integer_hashed"}
        space = FeatureSpace(kinds, crosses=[("string_1", "int_2")], crossing_dim=5)
        space.adapt(TABLE)
        encoded = space.get_encoded_features()
        assert encoded.shape == (None, 49)
        outputs = layers.Dense(1)(encoded)
        trained, asked = Model(encoded, outputs), Model(space.get_inputs(), outputs)
        trained.compile("sgd", "mse")
        prepared = rows().map(lambda row: (space(row), 1.0)).batch(5)
        trained.fit(prepared, verbose=0)
        expected = trained.predict(space(TABLE), verbose=0)
        table = {name: ARRAYS[name] for name in kinds}
        np.testing.assert_allclose(asked.predict(table, verbose=0), expected, rtol=1e-4, atol=1e-6)
        asked.compile("sgd", "mse")
        asked.fit(table, np.ones(10), batch_size=5, verbose=0)
        asked.save(tmp_path / "m.keras")
        again = saving.load_model(tmp_path / "m.keras")
        np.testing.assert_allclose(again.predict(table, verbose=0), asked.predict(table, verbose=0), rtol=1e-5)


def test_saving(tmp_path):
    space = adapted()
    space.save(tmp_path / "space.keras")
    again = saving.load_model(tmp_path / "space.keras")
    assert type(again) is FeatureSpace
    np.testing.assert_array_equal(again(TABLE), space(TABLE))
    assert again.get_config() == space.get_config()


def test_the_file_is_as_keras_has_it(tmp_path):
    """Paths go over the features, and the classes that only Keras has by these names are found."""
    adapted().save(tmp_path / "space.keras")
    with zipfile.ZipFile(tmp_path / "space.keras") as file:
        config = json.loads(file.read("config.json"))
        assert "assets/features/feature_3/preprocessor/vocabulary.txt" in file.namelist()
    module = "keras.src.layers.preprocessing.feature_space"
    assert (config["module"], config["class_name"], config["registered_name"]) == ("keras.utils", "FeatureSpace", None)
    feature = config["config"]["features"]["float_1"]
    assert (feature["module"], feature["class_name"], feature["registered_name"]) == (module, "Feature", "Feature")
    feature["config"]["preprocessor"] |= {
        "module": module,
        "class_name": "TFDIdentity",
        "registered_name": "TFDIdentity",
    }
    cross = config["config"]["crosses"][0]
    assert (cross["module"], cross["class_name"]) == (module, "Cross")
    assert cross["config"]["feature_names"] == ["float_3", "string_1"]
    assert saving.deserialize_keras_object(config).features["float_1"].preprocessor.name == "float_1_preprocessor"


WRONG: list[tuple[Any, str]] = [
    (lambda: FeatureSpace({}), "features: got {}, expected at least one"),
    (lambda: FeatureSpace({"a": "number"}), "features: 'a': got 'number', expected 'float'"),
    (lambda: FeatureSpace({"a": 3}), "features: 'a': got 3, expected one of"),
    (lambda: FeatureSpace({"a": "float"}, output_mode="list"), "output_mode: got 'list'"),
    (lambda: FeatureSpace({"a": "float"}, crosses=[("a", "b")]), r"crosses: got \('a', 'b'\), expected names among"),
    (lambda: FeatureSpace({"a": "float"}, crosses=[("a", "a")], crossing_dim=None), "crossing_dim"),
    (lambda: FeatureSpace.cross(("a", "b"), 3, "float"), "output_mode: got 'float'"),
    (lambda: FeatureSpace.feature("int32", layers.Identity(), "hot"), "output_mode: got 'hot'"),
    (lambda: FeatureSpace({"a": "float_normalized"})({"a": [1.0]}), "call adapt on data first"),
    (lambda: FeatureSpace({"a": "float_normalized"}).adapt(np.ones(3)), "expected a dict of arrays or a data set"),
    (lambda: FeatureSpace({"a": "float"})([1.0]), "got a list, expected a dict of columns"),
    (lambda: FeatureSpace({"a": "float", "b": "float"})({"a": 1.0}), r"expected \['b'\] too"),
    (lambda: FeatureSpace({"a": FeatureSpace.integer_hashed(3, "int")})({"a": [1]}), "give it output_mode='one_hot'"),
    (lambda: FeatureSpace({"a": FeatureSpace.feature("float32", layers.Identity(), "one_hot")})({"a": [1.0]}),
     "a layer of whole numbers"),
    (lambda: FeatureSpace({"a": FeatureSpace.feature("int32", layers.Identity(), "one_hot")})({"a": [1]}),
     "does not tell its size"),
    (lambda: FeatureSpace({"a": "float"}).save("space.h5"), "ends in '.keras'"),
]  # fmt: skip


@pytest.mark.parametrize(("make", "message"), WRONG, ids=lambda v: v[:40] if isinstance(v, str) else "")
def test_what_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
