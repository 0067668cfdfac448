"""Texts as lists of numbers, as programs for the first Keras have it; `layers.TextVectorization` does it in a model."""

from __future__ import annotations

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

from ..lazy import public_only
from ..naming import one_of

__all__ = ["Tokenizer", "hashing_trick", "one_hot", "text_to_word_sequence", "tokenizer_from_json"]
public_only(__name__)

FILTERS = '!"#$%&()*+,-./:;<=>?@[\\]^_`{|}~\t\n'
TABLES = ("word_counts", "word_docs", "index_docs", "index_word", "word_index")  # as JSON in configurations
BY_NUMBER = ("index_docs", "index_word")


def text_to_word_sequence(input_text: str, filters: str = FILTERS, lower: bool = True, split: str = " ") -> list[str]:
    """The words of a text, which stand between `split` and the characters among `filters`.

    >>> text_to_word_sequence("The sea, the sky.")
    ['the', 'sea', 'the', 'sky']
    """
    text = input_text.lower() if lower else input_text
    spaces: dict[str, str | int | None] = dict.fromkeys(filters, split)
    return [word for word in text.translate(str.maketrans(spaces)).split(split) if word]


def hashing_trick(
    text: str,
    n: int,
    hash_function: Any = None,
    filters: str = FILTERS,
    lower: bool = True,
    split: str = " ",
    analyzer: Callable[[str], list[str]] | None = None,
) -> list[int]:
    """A number from 1 to n - 1 for each word of a text: its hash, so that different words may have the same.

    Args:
        text: to be split into words, by `analyzer` if there is one, or as `text_to_word_sequence` does.
        n: how many numbers there are, 0 included.
        hash_function: of a word; by default Python's, which differs from process to process; "md5" does not.
        filters, lower, split: of `text_to_word_sequence`.
        analyzer: text -> words.

    >>> hashing_trick("the sea", 100, "md5")
    [51, 52]
    """
    hashed = hash if hash_function is None else _md5 if hash_function == "md5" else hash_function
    words = text_to_word_sequence(text, filters, lower, split) if analyzer is None else analyzer(text)
    return [hashed(word) % (n - 1) + 1 for word in words]


def _md5(word: str) -> int:
    return int(hashlib.md5(word.encode(), usedforsecurity=False).hexdigest(), 16)


def one_hot(
    input_text: str,
    n: int,
    filters: str = FILTERS,
    lower: bool = True,
    split: str = " ",
    analyzer: Callable[[str], list[str]] | None = None,
) -> list[int]:
    """`hashing_trick` with Python's hash: a number from 1 to n - 1 for each word of a text."""
    return hashing_trick(input_text, n, None, filters, lower, split, analyzer)


class Tokenizer:
    """Words and their numbers: 1 for the most frequent one that `fit_on_texts` has seen, and so on.

    Args:
        num_words: words with this number and above are left out, or become `oov_token`.
        filters, lower, split: of `text_to_word_sequence`.
        char_level: whether characters take the place of words.
        oov_token: what stands for words that are not known; it has number 1 then.
        analyzer: text -> words, in place of `text_to_word_sequence`.
        document_count: how many texts have been seen before.

    >>> tokenizer = Tokenizer()
    >>> tokenizer.fit_on_texts(["The sea, the sky.", "A sky!"])
    >>> tokenizer.texts_to_sequences(["the blue sky"])
    [[1, 2]]
    """

    def __init__(
        self,
        num_words: int | None = None,
        filters: str = FILTERS,
        lower: bool = True,
        split: str = " ",
        char_level: bool = False,
        oov_token: str | None = None,
        analyzer: Callable[[str], list[str]] | None = None,
        document_count: int = 0,
    ) -> None:
        self.num_words, self.filters, self.lower, self.split = num_words, filters, lower, split
        self.char_level, self.oov_token, self.analyzer = char_level, oov_token, analyzer
        self.document_count = document_count
        self.word_counts: dict[str, int] = {}
        self.word_docs: dict[str, int] = defaultdict(int)
        self.index_docs: dict[int, int] = defaultdict(int)
        self.word_index: dict[str, int] = {}
        self.index_word: dict[int, str] = {}

    def _words(self, text: Any) -> Any:
        """The words of a text, or its characters, or the items of a list as they are."""
        if isinstance(text, list):
            return [item.lower() for item in text] if self.lower else text
        if self.char_level:
            return text.lower() if self.lower else text
        if self.analyzer is not None:
            return self.analyzer(text)
        return text_to_word_sequence(text, self.filters, self.lower, self.split)

    def fit_on_texts(self, texts: Iterable[Any]) -> None:
        """Count the words of texts (or of lists of words), and number them anew."""
        for text in texts:
            self.document_count += 1
            words = self._words(text)
            for word in words:
                self.word_counts[word] = self.word_counts.get(word, 0) + 1
            for word in set(words):
                self.word_docs[word] += 1
        ranked = sorted(self.word_counts, key=lambda word: self.word_counts[word], reverse=True)
        known = ranked if self.oov_token is None else [self.oov_token, *ranked]
        self.word_index = dict(zip(known, range(1, len(known) + 1), strict=True))
        self.index_word = {number: word for word, number in self.word_index.items()}
        for word, count in self.word_docs.items():
            self.index_docs[self.word_index[word]] = count

    def fit_on_sequences(self, sequences: Any) -> None:
        """Count in how many lists each number occurs."""
        self.document_count += len(sequences)
        for sequence in sequences:
            for number in set(sequence):
                self.index_docs[number] += 1

    def texts_to_sequences(self, texts: Iterable[Any]) -> list[list[int]]:
        """The numbers of each text's words."""
        return list(self.texts_to_sequences_generator(texts))

    def texts_to_sequences_generator(self, texts: Iterable[Any]) -> Iterator[list[int]]:
        """The same, one text after the other."""
        unknown = None if self.oov_token is None else self.word_index.get(self.oov_token)
        for text in texts:
            numbers = (self.word_index.get(word) for word in self._words(text))
            kept = (unknown if n is None or (self.num_words and n >= self.num_words) else n for n in numbers)
            yield [number for number in kept if number is not None]

    def sequences_to_texts(self, sequences: Iterable[Iterable[int]]) -> list[str]:
        """The words of these numbers, with a space between them."""
        return list(self.sequences_to_texts_generator(sequences))

    def sequences_to_texts_generator(self, sequences: Iterable[Iterable[int]]) -> Iterator[str]:
        """The same, one list of numbers after the other."""
        for sequence in sequences:
            kept = (None if self.num_words and n >= self.num_words else self.index_word.get(n) for n in sequence)
            words = (self.oov_token if word is None else word for word in kept)
            yield " ".join(word for word in words if word is not None)

    def texts_to_matrix(self, texts: Iterable[Any], mode: str = "binary") -> np.ndarray:
        """`sequences_to_matrix` of texts."""
        return self.sequences_to_matrix(self.texts_to_sequences(texts), mode)

    def sequences_to_matrix(self, sequences: Any, mode: str = "binary") -> np.ndarray:
        """A row for each list, a column for each number: whether it occurs ("binary"), how often ("count"), which part
        it is ("freq"), or (1 + log(count)) log(1 + documents / (1 + documents with it)), "tfidf"."""
        one_of("sequences_to_matrix: mode", mode, "binary", "count", "freq", "tfidf")
        if not self.num_words and not self.word_index:
            raise ValueError("sequences_to_matrix: give num_words, or fit on texts first")
        if mode == "tfidf" and not self.document_count:
            raise ValueError("sequences_to_matrix: fit on texts first for mode 'tfidf'")
        size = self.num_words or len(self.word_index) + 1
        x = np.zeros((len(sequences), size))
        for row, sequence in zip(x, sequences, strict=True):
            for n, count in Counter(n for n in sequence if n < size).items():
                weight = np.log(1 + self.document_count / (1 + self.index_docs.get(n, 0)))
                row[n] = {"binary": 1, "count": count, "freq": count / len(sequence)}.get(
                    mode, (1 + np.log(count)) * weight
                )
        return x

    def get_config(self) -> dict[str, Any]:
        """The arguments, and what was counted as JSON texts."""
        names = ("num_words", "filters", "lower", "split", "char_level", "oov_token", "document_count")
        return {name: getattr(self, name) for name in names} | {
            name: json.dumps(getattr(self, name)) for name in TABLES
        }

    def to_json(self, **kwargs: Any) -> str:
        """All of it as a JSON text, for `tokenizer_from_json`."""
        return json.dumps({"class_name": type(self).__name__, "config": self.get_config()}, **kwargs)


def tokenizer_from_json(json_string: str) -> Tokenizer:
    """The `Tokenizer` that `to_json` wrote.

    >>> tokenizer = Tokenizer()
    >>> tokenizer.fit_on_texts(["a b"])
    >>> tokenizer_from_json(tokenizer.to_json()).word_index
    {'a': 1, 'b': 2}
    """
    config = json.loads(json_string)["config"]
    tables = {name: json.loads(config.pop(name)) for name in TABLES}
    tokenizer = Tokenizer(**config)
    for name, table in tables.items():
        getattr(tokenizer, name).update({int(n): v for n, v in table.items()} if name in BY_NUMBER else table)
    return tokenizer
