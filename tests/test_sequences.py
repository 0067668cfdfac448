"""Sequences as arrays, and pairs of words, against Keras."""

import itertools
import random

import keras
import numpy as np
import pytest
from keras.src.legacy.preprocessing import sequence as theirs

from layerwise import preprocessing, utils
from layerwise.preprocessing.sequence import make_sampling_table, skipgrams

SEQUENCES = {
    "numbers": [[1], [2, 3], [], [4, 5, 6, 7]],
    "arrays": [np.arange(3), np.arange(5)],
    "steps of arrays": [np.ones((2, 2)), np.zeros((3, 2))],
    "alike": [[1, 2], [3, 4]],
}


@pytest.mark.parametrize("name", SEQUENCES)
@pytest.mark.parametrize("maxlen", [None, 2, 6])
def test_pad_sequences(name, maxlen):
    for padding, truncating, dtype in itertools.product(("pre", "post"), ("pre", "post"), ("int32", "float64")):
        arguments = {"maxlen": maxlen, "padding": padding, "truncating": truncating, "dtype": dtype, "value": -1}
        got = utils.pad_sequences(SEQUENCES[name], **arguments)
        np.testing.assert_array_equal(got, keras.utils.pad_sequences(SEQUENCES[name], **arguments), strict=True)


def test_pad_sequences_of_text_and_of_nothing():
    texts = [["a"], ["bcd", "e"]]
    for arguments in {"dtype": object, "value": "-"}, {"dtype": "U4", "value": "-"}:
        got = utils.pad_sequences(texts, **arguments)
        np.testing.assert_array_equal(got, keras.utils.pad_sequences(texts, **arguments))
    assert utils.pad_sequences([[1, 2]], maxlen=0).shape == (1, 0)
    assert utils.pad_sequences([]).shape == (0, 0)
    assert preprocessing.sequence.pad_sequences is utils.pad_sequences


@pytest.mark.parametrize(
    ("mistake", "message"),
    [
        (lambda: utils.pad_sequences([1, 2]), r"sequences\[0\]: got 1, expected a list of steps"),
        (lambda: utils.pad_sequences(iter([])), "expected a list of sequences"),
        (lambda: utils.pad_sequences([[1]], padding="before"), "padding: got 'before', expected 'pre' or 'post'"),
        (lambda: utils.pad_sequences([[1]], value="x"), "give dtype=object"),
        (lambda: utils.pad_sequences([[[1]], [[1, 2]]]), r"steps have shape \(2,\), expected \(1,\)"),
    ],
)
def test_mistakes(mistake, message):
    with pytest.raises(ValueError, match=message):
        mistake()


@pytest.mark.parametrize("categorical", [True, False])
@pytest.mark.parametrize("shuffle", [True, False])
@pytest.mark.parametrize("table", [None, np.linspace(0, 1, 9)])
def test_skipgrams(categorical, shuffle, table):
    got, expected = [], []
    for module, results in (theirs.skipgrams, expected), (skipgrams, got):
        random.seed(1)
        for seed in 4, None:
            results.append(module([3, 0, 1, 2, 8, 3], 9, 2, 0.5, shuffle, categorical, table, seed))
    assert got == expected


def test_sampling_table():
    np.testing.assert_allclose(make_sampling_table(500, 1e-3), theirs.make_sampling_table(500, 1e-3))
