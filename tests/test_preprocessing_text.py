"""`preprocessing.text` and `TimeseriesGenerator` against Keras' own, which Keras 3 keeps for old programs."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import pytest

from layerwise.preprocessing import sequence, text

os.environ["KERAS_BACKEND"] = "jax"
from keras.src.legacy.preprocessing import sequence as keras_sequence
from keras.src.legacy.preprocessing import text as keras_text

TEXTS = ["The sea, the sky.", "A sky! The SKY?", "", "tab\tnew\nline the"]
NEW = ["the blue sky", "A new sea", ""]


@pytest.mark.parametrize(
    "options", [{}, {"lower": False}, {"filters": "e"}, {"split": "s"}, {"filters": "", "split": ","}]
)
def test_words(options: dict[str, Any]) -> None:
    for given in TEXTS:
        words = text.text_to_word_sequence(given, **options)
        assert words == keras_text.text_to_word_sequence(given, **options)
        assert text.one_hot(given, 9, **options) == keras_text.one_hot(given, 9, **options)
        assert text.hashing_trick(given, 9, "md5", **options) == keras_text.hashing_trick(given, 9, "md5", **options)
    assert text.hashing_trick("a b", 5, len, analyzer=list) == keras_text.hashing_trick("a b", 5, len, analyzer=list)


OPTIONS: list[dict[str, Any]] = [
    {},
    {"num_words": 3},
    {"num_words": 3, "oov_token": "?"},
    {"oov_token": "?"},
    {"char_level": True, "lower": False},
    {"analyzer": str.split},
    {"num_words": 40, "document_count": 2},
]


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_tokenizer(options: dict[str, Any]) -> None:
    ours, theirs = text.Tokenizer(**options), keras_text.Tokenizer(**options)
    for tokenizer in (ours, theirs):
        tokenizer.fit_on_texts(TEXTS)
        tokenizer.fit_on_texts([["Sea", "land"]])
        tokenizer.fit_on_sequences([[1, 1, 2]])
    assert ours.get_config() == theirs.get_config()
    for new in (NEW, [["SEA", "x"]]):
        numbers = ours.texts_to_sequences(new)
        assert numbers == theirs.texts_to_sequences(new)
        assert ours.sequences_to_texts([*numbers, [99]]) == theirs.sequences_to_texts([*numbers, [99]])
    for mode in ("binary", "count", "freq", "tfidf"):
        np.testing.assert_allclose(ours.texts_to_matrix(NEW, mode), theirs.texts_to_matrix(NEW, mode))
    again = text.tokenizer_from_json(theirs.to_json())
    assert again.to_json() == ours.to_json() == keras_text.tokenizer_from_json(ours.to_json()).to_json()
    again.fit_on_texts(["one more"])
    assert {"more", "m"} & set(again.word_index)


def test_a_tokenizer_that_has_seen_nothing() -> None:
    with pytest.raises(ValueError, match="give num_words, or fit on texts first"):
        text.Tokenizer().texts_to_matrix(["a"])
    with pytest.raises(ValueError, match="fit on texts first for mode 'tfidf'"):
        text.Tokenizer(num_words=3).texts_to_matrix(["a"], "tfidf")
    with pytest.raises(ValueError, match="mode: got 'most'"):
        text.Tokenizer(num_words=3).texts_to_matrix(["a"], "most")


SERIES = np.arange(20.0)[:, None] * [1, 10]


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"sampling_rate": 2, "stride": 3, "batch_size": 2},
        {"start_index": 4, "end_index": 15, "batch_size": 5},
        {"reverse": True},
    ],
    ids=str,
)
def test_time_series(options: dict[str, Any]) -> None:
    made = [lib.TimeseriesGenerator(SERIES, SERIES[:, 0], 4, **options) for lib in (sequence, keras_sequence)]
    ours, theirs = made
    assert len(ours) == len(theirs)
    for (x, y), (their_x, their_y) in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(x, their_x)
        np.testing.assert_array_equal(y, their_y)


def test_time_series_in_any_order_and_too_short() -> None:
    x, y = sequence.TimeseriesGenerator(SERIES, SERIES[:, 0], 4, shuffle=True, batch_size=50)[0]
    assert x.shape == (50, 4, 2)
    np.testing.assert_array_equal(x[:, -1, 0] + 1, y)
    with pytest.raises(ValueError, match="targets: got 3, expected 20"):
        sequence.TimeseriesGenerator(SERIES, SERIES[:3], 4)
    with pytest.raises(ValueError, match="length"):
        sequence.TimeseriesGenerator(SERIES, SERIES, 40)
