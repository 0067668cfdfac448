"""Texts and whole numbers as indices into a vocabulary, and back."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..dtypes import as_bytes
from ..naming import one_of
from .index_lookup import IndexLookup


class StringLookup(IndexLookup):
    """y = the place of each text in a vocabulary, or with `invert` the text at each place

    Args:
        encoding: Keras' argument: of the texts in a vocabulary given as bytes, "utf-8".

    >>> from layerwise import layers
    >>> layer = layers.StringLookup(vocabulary=["a", "b", "c"])
    >>> layer([["a", "c"], ["x", "b"]])
    Tensor([[1, 3],
            [0, 2]], shape=(2, 2), dtype=int64)
    >>> layers.StringLookup(vocabulary=layer.get_vocabulary(), invert=True)([2, 0]).numpy()
    array([b'b', b'[UNK]'], dtype=object)
    """

    def __init__(
        self,
        max_tokens: int | None = None,
        num_oov_indices: int = 1,
        mask_token: str | None = None,
        oov_token: str | None = "[UNK]",
        vocabulary: Any = None,
        idf_weights: Any = None,
        invert: bool = False,
        output_mode: str = "int",
        pad_to_max_tokens: bool = False,
        sparse: bool = False,
        encoding: str = "utf-8",
        name: str | None = None,
        salt: Any = None,
        **options: Any,
    ) -> None:
        self.encoding = encoding
        super().__init__(
            max_tokens, num_oov_indices, mask_token, oov_token, vocabulary, idf_weights, invert, output_mode,
            pad_to_max_tokens, sparse, salt, name=name, **options,
        )  # fmt: skip

    def token(self, value: Any) -> str:
        return value.decode(errors="surrogateescape") if isinstance(value, bytes) else str(value)

    def key(self, token: str) -> bytes:
        return as_bytes(token)

    def keys(self, inputs: np.ndarray) -> list[bytes]:
        if inputs.dtype.kind != "O":
            raise TypeError(f"layer {self.name!r} (StringLookup): got {inputs.dtype}, expected text")
        return [as_bytes(text) for text in inputs.reshape(-1).tolist()]

    def bytes_of(self, key: bytes) -> bytes:
        return key


class IntegerLookup(IndexLookup):
    """y = the place of each whole number in a vocabulary, or with `invert` the number at each place

    Args:
        vocabulary_dtype: "int64", the only one.

    >>> from layerwise import layers
    >>> layer = layers.IntegerLookup()
    >>> layer.adapt([7, 7, 9])
    >>> layer([9, 7, 8]), layer.get_vocabulary()
    (Tensor([2, 1, 0], shape=(3,), dtype=int64), [-1, 7, 9])
    """

    kind = "int64"

    def __init__(
        self,
        max_tokens: int | None = None,
        num_oov_indices: int = 1,
        mask_token: int | None = None,
        oov_token: int | None = -1,
        vocabulary: Any = None,
        vocabulary_dtype: str = "int64",
        idf_weights: Any = None,
        invert: bool = False,
        output_mode: str = "int",
        sparse: bool = False,
        pad_to_max_tokens: bool = False,
        oov_method: str = "floormod",
        salt: Any = None,
        name: str | None = None,
        **options: Any,
    ) -> None:
        self.vocabulary_dtype = one_of("IntegerLookup: vocabulary_dtype", vocabulary_dtype, "int64")
        super().__init__(
            max_tokens, num_oov_indices, mask_token, oov_token, vocabulary, idf_weights, invert, output_mode,
            pad_to_max_tokens, sparse, salt, oov_method, name=name, **options,
        )  # fmt: skip

    def token(self, value: Any) -> int:
        return int(value)

    def keys(self, inputs: np.ndarray) -> list[int]:
        if inputs.dtype.kind not in "biuf":
            raise TypeError(f"layer {self.name!r} (IntegerLookup): got {inputs.dtype}, expected whole numbers")
        return inputs.reshape(-1).astype(np.int64).tolist()

    def bytes_of(self, key: int) -> bytes:
        return str(key).encode()
