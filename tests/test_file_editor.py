"""KerasFileEditor: weights in files, compared with models, changed and saved."""

import keras
import numpy as np
import pytest

from layerwise import Input, Sequential, layers, saving
from layerwise.saving import FileFormatError, KerasFileEditor


def model(*units):
    return Sequential([Input((2,)), *(layers.Dense(n) for n in units)])


@pytest.fixture
def file(tmp_path):
    model(3, 3).save(tmp_path / "a.keras")
    return tmp_path / "a.keras"


def test_a_file_is_brought_to_another_model(file, tmp_path, capsys):
    editor, wanted = KerasFileEditor(file), model(3, 3, 3)
    assert editor.compare(model(3, 3)) == {"status": "success", "error_count": 0, "match_count": 4}
    assert editor.config["class_name"] == "Sequential"
    assert editor.metadata["keras_version"]
    editor.add_object("layers/dense_9", weights={"0": np.ones((3, 3))})
    assert editor.compare(wanted) == {"status": "error", "error_count": 2, "match_count": 4}
    out = capsys.readouterr().out
    assert "layers/dense_2: the file lacks it" in out
    assert "layers/dense_9: the model has no such object" in out
    editor.rename_object("dense_9", "dense_8")
    editor.rename_object("layers/dense_8", "dense_2")
    assert editor.compare(wanted)["error_count"] == 1
    editor.add_weights("dense_2", {"1": np.zeros(4)})
    assert editor.compare(wanted)["error_count"] == 1
    assert "layers/dense_2/1: shape (4,) in the file, (3,) in the model" in capsys.readouterr().out
    editor.delete_weight("dense_2", "1")
    editor.add_weights("dense_2", {"1": np.zeros(3)})
    assert editor.compare(wanted)["status"] == "success"
    editor.save(tmp_path / "b.weights.h5")
    wanted.load_weights(tmp_path / "b.weights.h5")
    np.testing.assert_array_equal(wanted.layers[2].kernel, np.ones((3, 3)))
    again = KerasFileEditor(str(tmp_path / "b.weights.h5"))
    assert again.compare(wanted)["match_count"] == 6
    again.delete_object("layers/dense_2")
    assert again.compare(model(3, 3))["status"] == "success"
    theirs = keras.Sequential([keras.Input((2,)), *(keras.layers.Dense(3) for _ in range(3))])
    theirs.load_weights(tmp_path / "b.weights.h5")


def test_what_keras_wrote_with_an_optimizer(tmp_path, capsys):
    theirs = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    theirs.compile("adam", "mse")
    theirs.fit(np.ones((1, 1)), np.ones((1, 1)), verbose=0)
    theirs.save(tmp_path / "a.keras")
    editor = KerasFileEditor(tmp_path / "a.keras")
    editor.summary()
    assert "    dense\n        0: shape (1, 1), float32\n" in capsys.readouterr().out
    assert set(editor.weights_dict["optimizer"]) == {"0", "1", "2", "3", "4", "5"}
    assert editor.compare(saving.load_model(tmp_path / "a.keras"))["status"] == "success"


@pytest.mark.parametrize(
    ("mistake", "message"),
    [
        (lambda e: e.delete_object("no"), "'no': there is no such object"),
        (lambda e: e.rename_object("dense", "a/b"), "new_name: got 'a/b'"),
        (lambda e: e.add_object("nowhere/a", {}), "'nowhere' is not in the file"),
        (lambda e: e.add_object("a", [1]), "weights: got a list"),
        (lambda e: e.delete_weight("dense", "7"), "'dense' has no '7', but"),
        (lambda e: e.save("a.keras"), "filepath: got 'a.keras'"),
        (lambda e: KerasFileEditor("a.txt"), "expected a name that ends in .keras"),
    ],
)
def test_mistakes(file, mistake, message):
    with pytest.raises(ValueError, match=message):
        mistake(KerasFileEditor(file))


def test_a_name_that_two_objects_have(file):
    editor = KerasFileEditor(file)
    editor.add_object("other", {})
    editor.add_object("other/dense", {"0": 1.0})
    with pytest.raises(ValueError, match="2 objects have this name; give a path"):
        editor.delete_object("dense")
    editor.delete_object("other/dense")


def test_damaged_files(file):
    file.write_bytes(file.read_bytes()[:-30])
    with pytest.raises(FileFormatError):
        KerasFileEditor(file)
