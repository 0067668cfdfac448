"""Texts as numbers: cut into tokens, which are looked up in a vocabulary."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, MutableMapping
from string import ascii_lowercase, ascii_uppercase, punctuation
from typing import Any

import numpy as np

from .. import config
from ..autograd import Spec
from ..dtypes import as_bytes, as_texts
from ..naming import expect, one_of, whole_number
from .host import MODES, HostLayer, batches, host_array, outline_of, whole_dtype
from .lookup import StringLookup

LOWER = bytes.maketrans(ascii_uppercase.encode(), ascii_lowercase.encode())  # of other letters there are both
STANDARDIZE = {  # what bytes become, and which go
    "lower_and_strip_punctuation": (LOWER, punctuation.encode()),
    "lower": (LOWER, b""),
    "strip_punctuation": (None, punctuation.encode()),
}
SPLIT: dict[str, Callable[[bytes], list[bytes]]] = {
    "whitespace": bytes.split,
    "character": lambda text: [as_bytes(c) for c in text.decode(errors="surrogateescape")],
}


MOST_LETTERS = 16 * 1024**2  # of an array that a function of the user's gets


class TextVectorization(HostLayer):
    """y = the places in a vocabulary of each text's tokens, or a vector for each text

    A text (or one of its own in each row) is standardised, split into tokens and looked up. The vocabulary begins with
    "", which fills up rows, and "[UNK]" for what is not in it; `adapt` takes it from data, or it is given. Letters are
    made small, and white space and punctuation are found, among those of ASCII, as TensorFlow does.

    Args:
        max_tokens: the largest size of the vocabulary.
        standardize: "lower_and_strip_punctuation", "lower", "strip_punctuation", None, or a function of an array of
            texts that returns one like it; it may get many texts in several arrays.
        split: "whitespace", "character", None (each entry is a token), or a function of an array of texts that returns
            a list of tokens for each.
        ngrams: up to how many tokens in a row are one, or a tuple of those numbers.
        output_mode: "int", places in the vocabulary; or for each text a vector, "multi_hot", "count" or "tf_idf" (for
            "one_hot" one for each token).
        output_sequence_length: how many places there are in a row; by default as many as the longest needs.
        pad_to_max_tokens: whether vectors have `max_tokens` numbers, also where the vocabulary is smaller.
        vocabulary: the tokens, as a list or array, or the name of a file with one in each line.
        idf_weights: for "tf_idf", the weight of each token.
        sparse, ragged: whether the result is a sparse or ragged Tensor, which is refused.
        encoding: Keras' argument: of the texts in a vocabulary given as bytes, "utf-8".

    A function is saved under its name, and found among those that are registered or given as `custom_objects`.

    >>> from layerwise import layers
    >>> layer = layers.TextVectorization(output_sequence_length=4)
    >>> layer.adapt(["The sea, the sky.", "A sky!"])
    >>> layer.get_vocabulary()
    ['', '[UNK]', 'the', 'sky', 'sea', 'a']
    >>> layer(["The blue sky"])
    Tensor([[2, 1, 3, 0]], shape=(1, 4), dtype=int64)
    """

    def __init__(
        self,
        max_tokens: int | None = None,
        standardize: Any = "lower_and_strip_punctuation",
        split: Any = "whitespace",
        ngrams: int | tuple[int, ...] | None = None,
        output_mode: str = "int",
        output_sequence_length: int | None = None,
        pad_to_max_tokens: bool = False,
        vocabulary: Any = None,
        idf_weights: Any = None,
        sparse: bool = False,
        ragged: bool = False,
        encoding: str = "utf-8",
        name: str | None = None,
        **options: Any,
    ) -> None:
        of_lookup = {k: options.pop(k) for k in ("vocabulary_size", "has_input_vocabulary") if k in options}
        super().__init__(name=name, **options)
        for role, value, known in (("standardize", standardize, STANDARDIZE), ("split", split, SPLIT)):
            if not callable(value):
                one_of(f"TextVectorization: {role}", value, None, *known)
        output_mode = {"binary": "multi_hot", "tf-idf": "tf_idf"}.get(output_mode, output_mode)
        one_of("TextVectorization: output_mode", output_mode, *MODES, "tf_idf")
        if output_sequence_length is not None:
            whole_number("TextVectorization: output_sequence_length", output_sequence_length, 0)
            expect("TextVectorization: output_sequence_length", output_sequence_length, output_mode == "int",
                   f"None in output_mode {output_mode!r}")  # fmt: skip
        whole = [isinstance(n, int) and n > 0 for n in (ngrams if isinstance(ngrams, tuple | list) else [ngrams])]
        expect("TextVectorization: ngrams", ngrams, ngrams is None or all(whole), "None, a number or a tuple of them")
        expect("TextVectorization: ragged", ragged, not ragged, "False: rows are filled up to one length")
        self.standardize, self.split, self.ngrams = standardize, split, ngrams
        self._widths = range(1, ngrams + 1) if isinstance(ngrams, int) else ngrams
        self.output_mode, self.output_sequence_length, self.ragged = output_mode, output_sequence_length, False
        self.max_tokens, self.pad_to_max_tokens, self.sparse = max_tokens, pad_to_max_tokens, sparse
        self.encoding = encoding
        self._lookup_layer = StringLookup(
            max_tokens, mask_token="", vocabulary=vocabulary, idf_weights=idf_weights, output_mode=output_mode,
            pad_to_max_tokens=pad_to_max_tokens, sparse=sparse, encoding=encoding, **of_lookup,
        )  # fmt: skip

    @property
    def is_adaptable(self) -> bool:
        """Whether the vocabulary is to be taken from data."""
        return self._lookup_layer.is_adaptable

    # The vocabulary -----------------------------------------------------------------------------------------------

    def adapt(self, data: Any, batch_size: int | None = None, steps: int | None = None) -> None:
        """Take the vocabulary from data.

        Args:
            data: texts in an array or a list, or batches such as a `Dataset` gives (inputs come first).
            batch_size: Keras' argument, without effect.
            steps: how many batches to look at.
        """
        self.reset_state()
        for batch in batches(data, steps):
            self.update_state(batch)
        self.finalize_state()

    def reset_state(self) -> None:
        """Forget what `update_state` was given."""
        self._lookup_layer.reset_state()

    def update_state(self, data: Any) -> None:
        """Count the tokens in a batch of texts."""
        texts = host_array(data)
        self._lookup_layer.count(self.tokens(texts.reshape(1, -1) if self.split is None and texts.ndim < 2 else texts))

    def finalize_state(self) -> None:
        """Make what was counted the vocabulary."""
        self._lookup_layer.finalize_state()

    def vocabulary_size(self) -> int:
        """The number of places in the vocabulary."""
        return self._lookup_layer.vocabulary_size()

    def get_vocabulary(self, include_special_tokens: bool = True) -> list[str]:
        """The vocabulary as a list.

        Args:
            include_special_tokens: whether it begins with "" and "[UNK]".
        """
        return self._lookup_layer.get_vocabulary(include_special_tokens)

    def set_vocabulary(self, vocabulary: Any, idf_weights: Any = None) -> None:
        """Replace the vocabulary.

        Args:
            vocabulary: a list or array of tokens, with "" and "[UNK]" before them or without; or a file's name.
            idf_weights: for "tf_idf", a weight for each entry.
        """
        self._lookup_layer.set_vocabulary(vocabulary, idf_weights)

    # Calling ------------------------------------------------------------------------------------------------------

    def tokens(self, texts: np.ndarray) -> Iterator[list[bytes]]:
        """The tokens of each text, or of each row of them where they are tokens already."""
        if texts.dtype.kind != "O":
            raise TypeError(f"layer {self.name!r} (TextVectorization): got {texts.dtype}, expected text")
        if self.split is not None and texts.ndim > 1:
            if texts.shape[-1] != 1:
                raise ValueError(
                    f"layer {self.name!r} (TextVectorization): got texts of shape {texts.shape}, expected (n,) or "
                    "(n, 1): one in each row, which is split; split=None takes tokens"
                )
            texts = texts[..., 0]
        rows: Any = texts.reshape(-1) if self.split is not None else np.atleast_1d(texts)
        if callable(self.standardize):
            parts = [_texts(self.standardize(part), "standardize") for part in _parts(rows)]
            rows = np.concatenate([rows[:0], *parts])
        standard = STANDARDIZE.get(self.standardize)
        if callable(self.split):
            if standard is not None:
                rows = as_texts([as_bytes(text).translate(*standard) for text in rows])
            rows, standard = (row for part in _parts(rows) for row in self.split(part)), None
        for row in rows:
            data = [as_bytes(t) for t in ([row] if isinstance(row, str) else _texts(row, "split").reshape(-1).tolist())]
            if standard is not None:
                data = [text.translate(*standard) for text in data]
            tokens = SPLIT[self.split](data[0]) if self.split in SPLIT else data
            yield tokens if self._widths is None else _joined(tokens, self._widths)

    def compute(self, inputs: np.ndarray) -> np.ndarray:
        lookup = self._lookup_layer
        rows = [lookup.places(tokens) for tokens in self.tokens(inputs)]
        length = self.output_sequence_length
        if length is None:
            length = max(map(len, rows), default=0)
        fill = 0 if self.output_mode == "int" else -2  # which counts nowhere
        places = np.full((len(rows), length), fill, np.int64)
        for place, row in zip(places, rows, strict=True):
            place[: len(row)] = row[:length]
        if inputs.ndim == 0 or (self.split is None and inputs.ndim == 1):
            places = places[0]
        return places if self.output_mode == "int" else lookup.vectors(places)

    def outline(self, inputs: Spec) -> Spec:
        batch = inputs.shape[: 1 if self.split is not None else -1]
        length = self.output_sequence_length
        if length is None and self.split is None and self._widths is None and inputs.shape:
            length = inputs.shape[-1]
        if self.output_mode == "int":
            return Spec((*batch, length), whole_dtype())
        return Spec(outline_of((*batch, length), self.output_mode, self._lookup_layer._depth), config.floatx())

    # Files --------------------------------------------------------------------------------------------------------

    def get_config(self) -> dict[str, Any]:
        of_lookup = self._lookup_layer.get_config()
        own = {name: of_lookup[name] for name in ("vocabulary", "idf_weights", "vocabulary_size")}
        return super().get_config() | own

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        StringLookup.check_config(config)
        ngrams = config.get("ngrams")
        return super().from_config(config | ({"ngrams": tuple(ngrams)} if isinstance(ngrams, list) else {}))

    def save_own_variables(self, store: MutableMapping[str, Any]) -> None:
        self._lookup_layer.save_own_variables(store)

    def load_own_variables(self, store: Mapping[str, Any]) -> None:
        self._lookup_layer.load_own_variables(store)

    def save_assets(self, dir_path: str) -> None:
        """Write the vocabulary to a file in this folder, unless the configuration holds it."""
        self._lookup_layer.save_assets(dir_path)

    def load_assets(self, dir_path: str) -> None:
        """Read what `save_assets` wrote."""
        self._lookup_layer.load_assets(dir_path)


def _parts(texts: np.ndarray) -> Iterator[np.ndarray]:
    """Texts as functions get them: in NumPy's own form, where each takes the memory of the longest; some at a time."""
    if not texts.size:
        return
    lengths = np.frompyfunc(len, 1, 1)(texts).reshape(len(texts), -1).max(1).astype(int)
    start = 0
    while start < len(texts):
        letters = np.maximum.accumulate(lengths[start:]) * np.arange(1, len(texts) - start + 1)
        end = start + max(int(np.searchsorted(letters * texts[:1].size, MOST_LETTERS, "right")), 1)
        yield texts[start:end].astype(str)
        start = end


def _texts(value: Any, role: str) -> np.ndarray:
    """What a function returned, as an array of texts."""
    texts = as_texts(value)
    if texts is None and np.size(value):
        raise TypeError(f"TextVectorization: {role}: the function returned {value!r}, expected texts")
    return np.zeros(0, object) if texts is None else texts


def _joined(tokens: list[bytes], widths: Any) -> list[bytes]:
    """So many tokens in a row as one, for each of these numbers, which may be a long range."""
    widths = widths[: len(tokens)] if isinstance(widths, range) else widths
    return [b" ".join(tokens[i : i + width]) for width in widths for i in range(len(tokens) - width + 1)]
