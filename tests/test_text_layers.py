"""Layers that take texts and categories; values are those of Keras' documentation and TensorFlow's hashes.

Keras itself needs TensorFlow for them.
"""

import zipfile
from typing import Any

import numpy as np
import pytest

import layerwise
from layerwise import config, data, layers, models, saving, tree
from layerwise.hashing import fingerprints, keyed_hashes
from layerwise.layers import text
from layerwise.training import steps
from layerwise.training.hosted import HostedStep
from layerwise.variables import StepFunction

LETTERS = ["a", "b", "c", "d"]
ROWS = [["a", "c", "d", "d"], ["d", "z", "b", "z"]]


def values(tensor: Any) -> Any:
    return np.asarray(tensor).tolist()


# Hashes

MANUAL = (  # 1,114 bytes
    "Go is a tool for managing Go source code.Usage:\tgo command [arguments]The commands are:    build       compile "
    "packages and dependencies    clean       remove object files    env         print Go environment information    "
    "fix         run go tool fix on packages    fmt         run gofmt on package sources    generate    generate Go "
    "files by processing source    get         download and install packages and dependencies    install     compile "
    "and install packages and dependencies    list        list packages    run         compile and run Go program    "
    "test        test packages    tool        run specified go tool    version     print Go version    vet         run "
    "go tool vet on packagesUse go help [command] for more information about a command.Additional help topics:    c    "
    "       calling between Go and C    filetype    file types    gopath      GOPATH environment variable    importpath"
    "  import path syntax    packages    description of package lists    testflag    description of testing flags    "
    "testfunc    description of testing functionsUse go help [topic] for more information about that topic."
)


def test_fingerprints_are_those_of_farmhash_for_every_length():
    """1 to 3 bytes, 4 to 7, 8 to 16, to 32, to 64, and longer: each has its own formula."""
    known = {
        "": 0x9AE16A3B2F90404F,
        "a": 0xB3454265B6DF75E3,
        "abc": 0x24A5B3A074E7F369,
        "abcd": 0x1A5502DE4A1F8101,
        "abcdefgh": 0xFEE9D22990C82909,
        "abcdefghij": 0x8A3ABB6A5F3FB7FB,
        "size:  a.out:  bad magic": 0x80D73B843BA57DB8,
        "C is as portable as Stonehedge!!": 0xB944F8A16261E414,
        "He who has a shady past knows that nice guys finish last.": 0x786D7E1987023CA9,
        MANUAL: 0xAFE256550E4567C9,
    }
    assert fingerprints([text.encode() for text in known]).tolist() == list(known.values())


def test_keyed_hashes_are_those_of_siphash():
    """The example of its paper, and two texts of more than a word."""
    assert keyed_hashes([bytes(range(15))], (0x0706050403020100, 0x0F0E0D0C0B0A0908))[0] == 0xA129CA6149BE45E5
    names = [b"omar", b"stringer", b"marlo", b"wire", b"skywalker"]
    assert (keyed_hashes(names, (133, 137)) % np.uint64(2)).tolist() == [0, 1, 0, 1, 0]
    assert (keyed_hashes(names, (211, 137)) % np.uint64(2)).tolist() == [1, 0, 1, 0, 1]


# Looking up

LOOKUPS: list[tuple[str, dict[str, Any], Any, Any]] = [  # layer, arguments, input, output
    ("String", {"vocabulary": LETTERS}, [["a", "c", "d"], ["d", "z", "b"]], [[1, 3, 4], [4, 0, 2]]),
    ("String", {"vocabulary": LETTERS, "num_oov_indices": 2}, [["a", "c"], ["m", "z"]], [[2, 4], [0, 1]]),
    ("String", {"vocabulary": LETTERS, "mask_token": ""}, ["a", "", "q"], [2, 0, 1]),
    ("String", {"vocabulary": ["", "[UNK]", "a"], "mask_token": ""}, ["a", "", "q"], [2, 0, 1]),
    ("String", {"vocabulary": LETTERS}, "b", 2),
    ("String", {"vocabulary": [b"a", "é"]}, np.array([b"\xc3\xa9", b"\xff"]), [2, 0]),
    ("String", {"vocabulary": LETTERS, "output_mode": "one_hot"}, ["c", "z"], [[0, 0, 0, 1, 0], [1, 0, 0, 0, 0]]),
    ("String", {"vocabulary": LETTERS, "output_mode": "one_hot"}, [["c"], ["z"]], [[0, 0, 0, 1, 0], [1, 0, 0, 0, 0]]),
    ("String", {"vocabulary": LETTERS, "output_mode": "multi_hot"}, ROWS, [[0, 1, 0, 1, 1], [1, 0, 1, 0, 1]]),
    ("String", {"vocabulary": LETTERS, "output_mode": "count"}, ROWS, [[0, 1, 0, 1, 2], [2, 0, 1, 0, 1]]),
    ("String", {"vocabulary": ["a", "b"], "output_mode": "count", "mask_token": "d"}, ROWS, [[1, 1, 0], [2, 0, 1]]),
    ("String", {"vocabulary": LETTERS, "output_mode": "tf_idf", "idf_weights": [0.25, 0.75, 0.6, 0.4]}, ROWS,
     [[0, 0.25, 0, 0.6, 0.8], [1.0, 0, 0.75, 0, 0.4]]),
    ("String", {"vocabulary": ["[UNK]", *LETTERS], "output_mode": "tf_idf", "idf_weights": [0.9, 0.25, 0.75, 0.6, 0.4]},
     ROWS, [[0, 0.25, 0, 0.6, 0.8], [1.8, 0, 0.75, 0, 0.4]]),
    ("String", {"vocabulary": ["a"], "output_mode": "multi_hot", "max_tokens": 4, "pad_to_max_tokens": True}, ["a"],
     [0, 1, 0, 0]),
    ("String", {"vocabulary": LETTERS, "invert": True}, [[1, 3], [0, 9]], [["a", "c"], ["[UNK]", "[UNK]"]]),
    ("String", {"vocabulary": LETTERS, "invert": True, "mask_token": "-"}, [0, 1, 2], ["-", "[UNK]", "a"]),
    ("Integer", {"vocabulary": [12, 36, 1138, 42]}, [[12, 1138, 42], [42, 1000, 36]], [[1, 3, 4], [4, 0, 2]]),
    ("Integer", {"vocabulary": [12, 36, 1138, 42], "num_oov_indices": 2}, [[12, 1138, 42], [37, 1000, 36]],
     [[2, 4, 5], [1, 0, 3]]),
    ("Integer", {"vocabulary": [5], "mask_token": 0, "num_oov_indices": 3}, [0, 5, 7, -1], [0, 4, 2, 3]),
    ("Integer", {"vocabulary": [12, 36], "invert": True}, [1, 2, 0], [12, 36, -1]),
    ("Integer", {"vocabulary": [3], "output_mode": "multi_hot"}, np.array([[3.0, 3.0]]), [[0, 1]]),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "arguments", "given", "expected"), LOOKUPS, ids=lambda v: str(v)[:60])
def test_lookup(kind, arguments, given, expected):
    cls = getattr(layers, f"{kind}Lookup")
    layer = cls(**arguments)
    output = layer(given)
    if layer.output_mode == "tf_idf":
        np.testing.assert_allclose(output, expected, rtol=1e-6)
    else:
        assert values(output) == expected
    assert values(layer(np.array(given))) == values(output)
    again = cls.from_config(layer.get_config())
    assert again.get_config() == layer.get_config()
    assert values(again(given)) == values(output)
    shape, dtype = np.shape(given), "string" if np.array(given).dtype.kind in "US" else "int32"
    if shape:
        told = cls(**arguments)(layers.Input(batch_shape=shape, dtype=dtype))
        assert (told.shape, told.dtype) == (output.shape, output.dtype)


def test_tensors_of_texts_give_bytes_as_tensorflow_does():
    texts = layers.StringLookup(vocabulary=["é"], invert=True)([[1, 0]])
    assert texts.numpy().tolist() == [["é".encode(), b"[UNK]"]]
    assert np.asarray(texts).tolist() == [["é", "[UNK]"]]


def test_adapting_ranks_by_frequency_and_then_backwards():
    layer = layers.StringLookup(max_tokens=5, mask_token="", num_oov_indices=1)
    layer.adapt([["a", "c", "d", ""], ["d", "z", "b", "[UNK]"]])
    assert layer.get_vocabulary() == ["", "[UNK]", "d", "z", "c"]
    assert layer.get_vocabulary(include_special_tokens=False) == ["d", "z", "c"]
    assert layer.vocabulary_size() == 5
    layer.adapt(np.array([["q"]]))
    assert layer.get_vocabulary() == ["", "[UNK]", "q"]


SOURCES = {
    "a list": lambda: ["cat", "dog", "cat"],
    "an array": lambda: np.array([["cat"], ["dog"], ["cat"]]),
    "a data set": lambda: data.Dataset.from_tensor_slices(np.array(["cat", "dog", "cat"])).batch(2),
    "a data set with labels": lambda: data.Dataset.from_tensor_slices((["cat", "dog", "cat"], [1, 2, 3])).batch(2),
    "a generator": lambda: iter([["cat", "dog"], ["cat"]]),
}


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("layer", ["StringLookup", "TextVectorization"])
def test_adapt_takes(layer, source):
    made = getattr(layers, layer)()
    made.adapt(SOURCES[source]())
    assert made.get_vocabulary(include_special_tokens=False) == ["cat", "dog"]


def test_adapt_takes_so_many_steps():
    endless = iter(lambda: ["cat"], None)
    for layer in (layers.StringLookup(), layers.TextVectorization()):
        layer.adapt(endless, steps=2)
        assert layer.get_vocabulary(include_special_tokens=False) == ["cat"]


def test_adapted_weights_are_inverse_document_frequencies():
    layer = layers.StringLookup(output_mode="tf_idf")
    layer.adapt([["one", "one"], ["one", "two"], ["two", "three"]])
    assert layer.get_vocabulary() == ["[UNK]", "one", "two", "three"]
    np.testing.assert_allclose(layer.idf_weights[1:], np.log(1 + 3 / (1 + np.array([2, 2, 1]))), rtol=1e-6)
    expected = [[0, 0.6931472, 0.6931472, 0], [0.76752836, 0, 0.6931472, 0]]
    np.testing.assert_allclose(layer([["one", "two"], ["two", "four"]]), expected, rtol=1e-6)
    words = layers.TextVectorization(output_mode="tf_idf")
    words.adapt(["one one", "one two", "two three"])
    np.testing.assert_allclose(words(["one two", "two four"]), expected, rtol=1e-6)


WRONG: list[tuple[str, dict[str, Any], str]] = [
    ("StringLookup", {"max_tokens": 1}, "max_tokens: got 1, expected a whole number >= 2"),
    ("StringLookup", {"num_oov_indices": -1}, "num_oov_indices"),
    ("StringLookup", {"pad_to_max_tokens": True}, "expected max_tokens beside it"),
    ("StringLookup", {"invert": True, "output_mode": "count"}, "expected 'int' where invert is set"),
    ("StringLookup", {"output_mode": "count", "sparse": True}, "no sparse Tensors"),
    ("StringLookup", {"idf_weights": [1.0]}, "idf_weights: expected only in output_mode 'tf_idf'"),
    ("StringLookup", {"vocabulary": ["a"], "output_mode": "tf_idf"}, "idf_weights: expected for this vocabulary"),
    ("StringLookup", {"vocabulary": ["a"], "output_mode": "tf_idf", "idf_weights": [1, 2]}, r"got shape \(2,\)"),
    ("StringLookup", {"vocabulary": ["a", "b", "a"]}, r"\['a'\] occur more than once"),
    ("StringLookup", {"vocabulary": LETTERS, "mask_token": "d"}, "'d', the mask_token, stands among the tokens"),
    ("StringLookup", {"vocabulary": []}, "at least one token"),
    ("StringLookup", {"vocabulary": LETTERS, "max_tokens": 3}, "5 places, expected max_tokens=3"),
    ("StringLookup", {"vocabulary": "missing.txt"}, "'missing.txt' does not exist"),
    ("StringLookup", {"salt": "x"}, "salt: got 'x', expected a whole number or two"),
    ("IntegerLookup", {"salt": 3}, "only with oov_method='farmhash'"),
    ("IntegerLookup", {"vocabulary_dtype": "int32"}, "vocabulary_dtype"),
    ("TextVectorization", {"standardize": "upper"}, "standardize: got 'upper', expected None"),
    ("TextVectorization", {"split": "words"}, "split: got 'words'"),
    ("TextVectorization", {"ngrams": "two"}, "ngrams: got 'two', expected None, a number"),
    ("TextVectorization", {"ragged": True}, "ragged: got True, expected False"),
    ("TextVectorization", {"output_mode": "count", "output_sequence_length": 3}, "expected None in output_mode"),
]


@pytest.mark.parametrize(("layer", "arguments", "message"), WRONG, ids=lambda v: str(v)[:50])
def test_arguments_that_are_refused(layer, arguments, message):
    with pytest.raises(ValueError, match=message):
        getattr(layers, layer)(**arguments)


def test_calls_that_are_refused():
    with pytest.raises(ValueError, match="'q' is not in the vocabulary, and num_oov_indices=0"):
        layers.StringLookup(vocabulary=LETTERS, num_oov_indices=0)(["a", "q"])
    with pytest.raises(TypeError, match="got int64, expected text"):
        layers.StringLookup(vocabulary=LETTERS)([1])
    with pytest.raises(TypeError, match="got object, expected whole numbers"):
        layers.IntegerLookup(vocabulary=[1])(["a"])
    with pytest.raises(RuntimeError, match="has no vocabulary yet"):
        layers.StringLookup(output_mode="count")(["a"])
    with pytest.raises(ValueError, match="was given its vocabulary"):
        layers.StringLookup(vocabulary=LETTERS).adapt(["a"])
    with pytest.raises(ValueError, match=r"texts of shape \(1, 2\), expected \(n,\) or \(n, 1\)"):
        layers.TextVectorization()([["a", "b"]])
    counting = layers.StringLookup(output_mode="count")
    counting.adapt(["a"])
    with pytest.raises(RuntimeError, match="had 2 places and would have 3"):
        counting.set_vocabulary(["a", "b"])
    with pytest.raises(TypeError, match="expected numbers, got text: layers such as TextVectorization"):
        layers.Dense(2)(np.array([["a"]]))


def test_buckets_for_what_is_not_in_the_vocabulary():
    """FarmHash of texts, the remainder of whole numbers or FarmHash of their digits, SipHash with a salt."""
    strangers = ["x", "y", "z", "w"]
    farm = layers.StringLookup(vocabulary=LETTERS, num_oov_indices=4)(strangers)
    assert values(farm) == (fingerprints([s.encode() for s in strangers]) % np.uint64(4)).tolist()
    sip = layers.StringLookup(vocabulary=LETTERS, num_oov_indices=4, salt=(137, 42))(strangers)
    assert values(sip) == (keyed_hashes([s.encode() for s in strangers], (137, 42)) % np.uint64(4)).tolist()
    digits = layers.IntegerLookup(vocabulary=[1], num_oov_indices=3, oov_method="farmhash")([0, 2, 3, 4])
    assert values(digits) == [1, 1, 0, 2]  # as Hashing gives


# Texts

TEXTS: list[tuple[dict[str, Any], Any, Any]] = [
    ({"vocabulary": ["foo", "bar"]}, ["Foo, qux bar!", "bar"], [[2, 1, 3], [3, 0, 0]]),
    ({"vocabulary": ["foo", "bar"]}, [["foo"], ["bar foo"]], [[2, 0], [3, 2]]),
    ({"vocabulary": ["foo", "bar"]}, "bar foo", [3, 2]),
    ({"vocabulary": ["foo", "bar"], "output_sequence_length": 2}, ["foo", "foo bar bar"], [[2, 0], [2, 3]]),
    ({"vocabulary": ["Foo!"], "standardize": None}, ["Foo! foo"], [[2, 1]]),
    ({"vocabulary": ["foo!"], "standardize": "lower"}, ["FOO! foo"], [[2, 1]]),
    ({"vocabulary": ["FOO"], "standardize": "strip_punctuation"}, ["F.O.O! foo"], [[2, 1]]),
    ({"vocabulary": ["É\xa0b"]}, ["É\xa0B\tx\n"], [[2, 1]]),  # neither is among what TensorFlow knows
    ({"vocabulary": ["f", "é", " "], "split": "character"}, ["Fé x"], [[2, 3, 4, 1]]),
    ({"vocabulary": ["foo", "bar"], "split": None}, [["foo", "BAR"]], [[2, 3]]),
    ({"vocabulary": ["foo", "foo bar"], "ngrams": 2}, ["foo bar foo", "foo"], [[2, 1, 2, 3, 1], [2, 0, 0, 0, 0]]),
    ({"vocabulary": ["foo bar"], "ngrams": (2,)}, ["foo bar foo"], [[2, 1]]),
    ({"vocabulary": ["foo", "bar"], "output_mode": "multi_hot"}, ["foo foo x", "bar"], [[1, 1, 0], [0, 0, 1]]),
    ({"vocabulary": ["foo", "bar"], "output_mode": "count"}, ["foo foo x", ""], [[1, 2, 0], [0, 0, 0]]),
    ({"vocabulary": ["foo", "bar"], "output_mode": "count"}, "foo foo x", [1, 2, 0]),
    ({"vocabulary": ["foo"], "output_mode": "count", "max_tokens": 3, "pad_to_max_tokens": True}, ["a"], [[1, 0, 0]]),
    ({"vocabulary": ["foo", "bar"], "output_mode": "tf_idf", "idf_weights": [0.5, 1.5]}, ["foo foo x"], [[1, 1, 0]]),
    ({"vocabulary": ["foo"], "output_mode": "one_hot"}, ["foo x", "x"], [[[0, 1], [1, 0]], [[1, 0], [0, 0]]]),
]


@pytest.mark.parametrize(("arguments", "given", "expected"), TEXTS, ids=lambda v: str(v)[:60])
def test_vectorization(arguments, given, expected):
    layer = layers.TextVectorization(**arguments)
    output = layer(given)
    assert values(output) == expected
    again = layers.TextVectorization.from_config(layer.get_config())
    assert again.get_config() == layer.get_config()
    assert values(again(given)) == expected
    if np.shape(given):
        told = layer(layers.Input(batch_shape=np.shape(given), dtype="string"))
        assert told.dtype == output.dtype
        assert len(told.shape) == output.ndim
        assert all(n in (None, m) for n, m in zip(told.shape, output.shape, strict=True))


@saving.register_keras_serializable("tests")
def without_breaks(texts):
    return np.strings.replace(np.strings.lower(texts), "<br />", " ")


@saving.register_keras_serializable("tests")
def at_hyphens(texts):
    return [text.split("-") for text in texts]


def test_functions_of_ones_own_are_saved_by_their_names(tmp_path):
    layer = layers.TextVectorization(standardize=without_breaks, split=at_hyphens, output_sequence_length=4)
    layer.adapt(["A-B<br />", "a-c-d"])
    assert layer.get_vocabulary() == ["", "[UNK]", "a", "d", "c", "b "]
    model = models.Sequential([layers.Input((1,), dtype="string"), layer])
    model.save(tmp_path / "m.keras")
    again = saving.load_model(tmp_path / "m.keras")
    assert again.layers[0].standardize is without_breaks
    assert again.predict(np.array([["D-a-!"]]), verbose=0).tolist() == [[3, 2, 1, 0]]
    lower = layers.TextVectorization(standardize="lower", split=at_hyphens, vocabulary=["a b"])
    assert values(lower(["A B-c"])) == [[2, 1]]
    with pytest.raises(TypeError, match="split: the function returned"):
        layers.TextVectorization(split=lambda texts: [[1]], vocabulary=["a"])(["a"])


def test_functions_get_arrays_of_texts_some_at_a_time(monkeypatch):
    """In arrays of NumPy's each text is as long as the longest."""
    monkeypatch.setattr(text, "MOST_LETTERS", 12)
    seen = []

    def standardize(texts):
        seen.append((texts.dtype.kind, len(texts)))
        return np.char.replace(np.char.lower(texts), ",", "")

    layer = layers.TextVectorization(standardize=standardize, split=np.char.split)
    layer.adapt(["A, b", "B c", "B", "abcdefghijklmnop", "q"])
    assert seen == [("U", 3), ("U", 1), ("U", 1)]
    assert layer.get_vocabulary() == ["", "[UNK]", "b", "q", "c", "abcdefghijklmnop", "a"]
    assert values(layer([])) == []
    tokens = layers.TextVectorization(standardize=np.char.lower, split=None, vocabulary=["a"])
    assert values(tokens([["A", "b"], ["c", "a"]])) == [[2, 1], [1, 2]]


# Models

BACKENDS = ["numpy", "native", "xla"]


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_model_takes_texts(backend, tmp_path):
    """It is trained, evaluated, asked and saved; steps with such a layer are called as they are."""
    texts = np.array(["good film", "bad film", "very good", "very bad"] * 3)
    labels = np.array([1, 0, 1, 0] * 3, "float32")
    with config.override(backend=backend):
        words = layers.TextVectorization(output_mode="multi_hot")
        words.adapt(texts)
        model = models.Sequential([words, layers.Dense(1, activation="sigmoid")])
        model.compile(layerwise.optimizers.SGD(1.0), "binary_crossentropy", metrics=["accuracy"])
        history = model.fit(texts, labels, epochs=20, batch_size=5, validation_split=0.25, verbose=0).history
        assert history["accuracy"][-1] == history["val_accuracy"][-1] == 1
        assert model.evaluate(data.Dataset.from_tensor_slices((texts, labels)).batch(6), verbose=0)[1] == 1
        outputs = model.predict(texts, verbose=0)
        np.testing.assert_allclose(outputs, model.predict(texts.tolist(), batch_size=5, verbose=0), rtol=1e-6)
        np.testing.assert_allclose(outputs, model(texts), rtol=1e-6)
        model.save(tmp_path / "m.keras")
        again = saving.load_model(tmp_path / "m.keras")
        np.testing.assert_allclose(again.predict(texts, verbose=0), outputs, rtol=1e-6)


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_model_takes_int64_where_the_backend_has_32_bits_alone(backend):
    """As programs have it that give a model what `TextVectorization` makes."""
    with config.override(backend=backend):
        places = layers.TextVectorization(vocabulary=LETTERS)(["a b", "c d"])
        model = models.Sequential([layers.Input((None,), dtype="int64"), layers.CategoryEncoding(6, "count")])
        expected = [[0, 0, 1, 1, 0, 0], [0, 0, 0, 0, 1, 1]]
        assert values(model(places)) == model.predict(places, verbose=0).tolist() == expected


def test_a_functional_model_takes_texts_beside_numbers():
    name, size = layers.Input((), dtype="string", name="name"), layers.Input((2,), name="size")
    places = layers.StringLookup(vocabulary=LETTERS, output_mode="one_hot")(name)
    model = models.Model({"name": name, "size": size}, layers.Concatenate()([places, size]))
    given = {"name": np.array(["c", "q"]), "size": np.ones((2, 2))}
    assert values(model(given)) == [[0, 0, 0, 1, 0, 1, 1], [1, 0, 0, 0, 0, 1, 1]]
    assert model.predict(given, verbose=0).tolist() == values(model(given))
    with pytest.raises(ValueError, match="input 'size': got string, expected float32"):
        model({"name": given["name"], "size": np.array([["a", "b"]] * 2)})
    with pytest.raises(ValueError, match=r"input 'name': got .*, expected string"):
        model({"name": np.ones(2), "size": given["size"]})


def test_a_model_without_such_a_layer_takes_no_text():
    model = models.Sequential([layers.Dense(1)])
    with pytest.raises(ValueError, match="x: got an array of text, expected numbers; a model that takes text has"):
        model.predict(np.array([["a"]]), verbose=0)


def test_data_sets_are_mapped():
    layer = layers.TextVectorization(vocabulary=["a", "b"], output_sequence_length=3)
    texts = data.Dataset.from_tensor_slices((np.array(["a b", "b"]), np.arange(2)))
    batched = [values(x) for x, _ in texts.batch(2).map(lambda text, label: (layer(text), label))]
    assert batched == [values(x) for x, _ in texts.map(lambda text, label: (layer(text), label)).batch(2)]
    assert batched == [[[2, 3, 0], [3, 0, 0]]]


# Files


def test_vocabularies_are_read_from_files_and_kept_in_models(tmp_path):
    (tmp_path / "words.txt").write_text("a\nb\n\u2028c\n", "utf-8")
    layer = layers.StringLookup(vocabulary=str(tmp_path / "words.txt"), mask_token="[MASK]", name="words")
    assert layer.get_vocabulary() == ["[MASK]", "[UNK]", "a", "b", "\u2028c"]
    assert layer.get_config()["vocabulary"] is None
    model = models.Sequential([layers.Input((1,), dtype="string"), layer])
    model.save(tmp_path / "m.keras")
    (tmp_path / "words.txt").unlink()
    with zipfile.ZipFile(tmp_path / "m.keras") as file:
        written = file.read("assets/layers/string_lookup/vocabulary.txt").decode()
    assert written == "[MASK]\n[UNK]\na\nb\n\u2028c"
    again = saving.load_model(tmp_path / "m.keras").get_layer("words")
    assert again.get_vocabulary() == layer.get_vocabulary()


def test_the_older_format_has_no_place_for_a_vocabulary_that_was_adapted(tmp_path):
    for layer in (layers.StringLookup(vocabulary=LETTERS), layers.StringLookup(name="adapted")):
        model = models.Sequential([layers.Input((1,), dtype="string"), layer])
        if layer.name == "adapted":
            layer.adapt(LETTERS)
            with pytest.raises(ValueError, match=r"layers \['adapted'\] have files of their own.*use \.keras"):
                model.save(tmp_path / "m.h5")
        else:
            model.save(tmp_path / "m.h5")
            assert saving.load_model(tmp_path / "m.h5").predict(np.array([["b"]]), verbose=0).tolist() == [[2]]


def test_a_configuration_that_names_a_file_is_refused(tmp_path):
    """It would read any file of the machine on which a model is loaded."""
    (tmp_path / "secret.txt").write_text("a")
    for cls in (layers.StringLookup, layers.TextVectorization):
        with pytest.raises(ValueError, match=f"{cls.__name__}|StringLookup.*names a file"):
            cls.from_config(cls().get_config() | {"vocabulary": str(tmp_path / "secret.txt")})


@pytest.mark.parametrize(
    "layer",
    [
        layers.StringLookup(output_mode="tf_idf"),
        layers.IntegerLookup(mask_token=0),
        layers.TextVectorization(output_mode="tf_idf"),
        layers.TextVectorization(max_tokens=3),
    ],
    ids=lambda layer: layer.name,
)
def test_what_was_adapted_is_saved(layer, tmp_path):
    whole = isinstance(layer, layers.IntegerLookup)
    given = np.array([[7], [0], [9], [7]] if whole else [["a"], ["b"], ["c"], ["a"]])
    layer.adapt(given)
    model = models.Sequential([layers.Input((1,), dtype="int32" if whole else "string"), layer])
    model.save(tmp_path / "m.keras")
    again = saving.load_model(tmp_path / "m.keras")
    assert again.layers[0].get_vocabulary() == layer.get_vocabulary()
    np.testing.assert_array_equal(again.predict(given, verbose=0), model.predict(given, verbose=0))


# Steps: the part on the host first, then the rest, compiled


def trained(model: Any, texts: Any, **compiled: Any) -> list[Any]:
    """The losses of some epochs, and the outputs after them."""
    labels = (np.arange(len(tree.flatten(texts)[0])) % 2).astype("float32")
    model.compile("sgd", "mse", **compiled)
    losses = model.fit(texts, labels, epochs=3, batch_size=4, shuffle=False, verbose=0).history["loss"]
    return [losses, model.evaluate(texts, labels, verbose=0), model.predict(texts, batch_size=5, verbose=0)]


def with_a_text_and_a_number() -> models.Model:
    """One layer on the host behind another, and a result that two layers take."""
    words, size = layers.Input((), dtype="string"), layers.Input((2,))
    places = layers.StringLookup(vocabulary=LETTERS)(words)
    hot = layers.CategoryEncoding(5, "one_hot")(places)
    crossed = layers.HashedCrossing(7, output_mode="one_hot")([places, places])
    return models.Model([words, size], layers.Dense(1)(layers.Concatenate()([hot, crossed, size])))


def kind_of_step(model: models.Model) -> type:
    return type(steps.step_of(model, "train").function)


@pytest.mark.parametrize("backend", BACKENDS)
def test_steps_are_compiled_behind_the_layers_on_the_host(backend):
    texts = [np.array([*"abcdqqabca"]), np.ones((10, 2), "float32")]
    with config.override(backend=backend):
        model = with_a_text_and_a_number()
        other = models.clone_model(model)
        other.set_weights(model.get_weights())
        for got, expected in zip(trained(model, texts), trained(other, texts, run_eagerly=True), strict=True):
            np.testing.assert_allclose(got, expected, rtol=1e-5, atol=1e-6)
        assert kind_of_step(model) is HostedStep
        assert kind_of_step(other) is StepFunction


class Own(models.Model):
    """A `train_step` that calls the model on other texts, too."""

    def train_step(self, data):
        self(np.array(["d"] * len(data[0])), training=True)
        return super().train_step(data)


class Subclassed(models.Model):
    def __init__(self):
        super().__init__()
        self.words, self.dense = layers.StringLookup(vocabulary=LETTERS, output_mode="one_hot"), layers.Dense(1)

    def call(self, inputs):
        return self.dense(self.words(inputs))


def behind_weights() -> models.Model:
    numbers = layers.Input((1,))
    hashes = layers.Hashing(3, output_mode="one_hot")(layers.Dense(1)(numbers))
    return models.Model(numbers, layers.Dense(1)(hashes))


def with_its_own_step() -> models.Model:
    words = layers.Input((), dtype="string")
    return Own(words, layers.Dense(1)(layers.StringLookup(vocabulary=LETTERS, output_mode="one_hot")(words)))


@pytest.mark.filterwarnings("ignore:SGD. no gradient for dense/kernel")
@pytest.mark.parametrize("make", [Subclassed, behind_weights, with_its_own_step])
def test_steps_that_cannot_be_cut_are_called_as_they_are(make):
    model = make()
    x = np.arange(8.0)[:, None] if make is behind_weights else np.array([*"abcdabcd"])
    losses, *_ = trained(model, x)
    assert losses[-1] < losses[0]
    assert kind_of_step(model) is StepFunction


def test_a_model_may_give_texts():
    model = models.Sequential([layers.Input((2,), dtype="int32"), layers.StringLookup(vocabulary=LETTERS, invert=True)])
    assert model.predict(np.array([[1, 2], [4, 9]]), batch_size=1, verbose=0).tolist() == [["a", "b"], ["d", "[UNK]"]]
