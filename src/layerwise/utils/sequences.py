"""Sequences of different lengths as arrays, and pairs of neighbours in them."""

import random
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..naming import one_of

_EULER = 0.577  # the constant, as Keras has it


def pad_sequences(
    sequences: Sequence[Any],
    maxlen: int | None = None,
    dtype: Any = "int32",
    padding: str = "pre",
    truncating: str = "pre",
    value: Any = 0.0,
) -> np.ndarray:
    """Rows of one length, (n, maxlen, ...): each sequence, filled up with `value` or cut

    Args:
        sequences: lists or arrays, their steps being numbers or arrays of one shape.
        maxlen: the length, by default that of the longest sequence.
        dtype: of the array; `object` for texts of any length.
        padding, truncating: where values are added, and where they are taken away: "pre", at the beginning, or "post".
        value: what is added.

    >>> pad_sequences([[1], [2, 3], [4, 5, 6]])
    array([[0, 0, 1],
           [0, 2, 3],
           [4, 5, 6]], dtype=int32)
    >>> pad_sequences([[1], [2, 3, 4]], maxlen=2, padding="post", truncating="post")
    array([[1, 0],
           [2, 3]], dtype=int32)
    """
    one_of("pad_sequences: padding", padding, "pre", "post")
    one_of("pad_sequences: truncating", truncating, "pre", "post")
    if not hasattr(sequences, "__len__"):
        raise ValueError(f"pad_sequences: sequences: got a {type(sequences).__name__}, expected a list of sequences")
    for i, sequence in enumerate(sequences):
        if not hasattr(sequence, "__len__"):
            raise ValueError(f"pad_sequences: sequences[{i}]: got {sequence!r}, expected a list of steps")
    if isinstance(value, str) and dtype is not object and np.dtype(dtype).kind not in "USO":
        raise ValueError(f"pad_sequences: value: got the text {value!r} for dtype {dtype}; give dtype=object")
    if maxlen is None:
        maxlen = max(map(len, sequences), default=0)
    step = next((np.shape(sequence)[1:] for sequence in sequences if len(sequence)), ())
    rows = np.full((len(sequences), maxlen, *step), value, dtype)
    for i, (row, sequence) in enumerate(zip(rows, sequences, strict=True)):
        n = min(len(sequence), maxlen)
        if n == 0:
            continue
        steps = np.asarray(sequence[len(sequence) - n :] if truncating == "pre" else sequence[:n], dtype)
        if steps.shape[1:] != step:
            raise ValueError(
                f"pad_sequences: sequences[{i}]: its steps have shape {steps.shape[1:]}, expected {step}, "
                "that of the first one's"
            )
        row[slice(maxlen - n, None) if padding == "pre" else slice(n)] = steps
    return rows


def make_sampling_table(size: int, sampling_factor: float = 1e-5) -> np.ndarray:
    """p_i = min(1, sqrt(f / n_i)), the probability to keep the i-th most frequent word in `skipgrams`

    f: the `sampling_factor`; n_i: the word's frequency, by Zipf's law 1 / (i (log i + 0.577) + 1/2 - 1/(12 i)). p has
    `size` entries; p_0 is p_1.

    Source: T. Mikolov et al., "Distributed representations of words and phrases and their compositionality", 2013.

    >>> make_sampling_table(3).round(4)
    array([0.0032, 0.0032, 0.0055])
    """
    rank = np.maximum(np.arange(size), 1)
    return np.minimum(1.0, np.sqrt(sampling_factor * (rank * (np.log(rank) + _EULER) + 0.5 - 1 / (12 * rank))))


def skipgrams(
    sequence: Sequence[int],
    vocabulary_size: int,
    window_size: int = 4,
    negative_samples: float = 1.0,
    shuffle: bool = True,
    categorical: bool = False,
    sampling_table: Any = None,
    seed: int | None = None,
) -> tuple[list[list[int]], list[Any]]:
    """([word, other], ...) and labels: 1 where `other` stands near the word in `sequence`, 0 where it is drawn

    Args:
        sequence: numbers of words; 0 is no word and passed over.
        vocabulary_size: the largest number, plus 1.
        window_size: how many words before and behind a word are near it.
        negative_samples: how many pairs of the second kind there are for one of the first.
        shuffle: mix both kinds.
        categorical: labels [0, 1] and [1, 0] instead of 1 and 0.
        sampling_table: the probability to keep a word, by number, as `make_sampling_table` gives it.
        seed: of the order. What else is drawn comes from Python's generator, `random`, as in Keras.

    >>> pairs, labels = skipgrams([1, 2, 3], 4, window_size=1, negative_samples=0, shuffle=False)
    >>> pairs
    [[1, 2], [2, 1], [2, 3], [3, 2]]
    """
    pairs = [
        [word, other]
        for i, word in enumerate(sequence)
        if word and (sampling_table is None or sampling_table[word] >= random.random())
        for j, other in enumerate(sequence[max(0, i - window_size) : i + window_size + 1], max(0, i - window_size))
        if j != i and other
    ]
    words = [word for word, _ in pairs]
    drawn = int(len(pairs) * negative_samples)
    if drawn:
        random.shuffle(words)
    near, far = ([0, 1], [1, 0]) if categorical else (1, 0)
    labels = [near] * len(pairs) + [far] * drawn
    pairs += [[words[i % len(words)], random.randint(1, vocabulary_size - 1)] for i in range(drawn)]
    if shuffle:
        seed = random.randint(0, 10_000_000) if seed is None else seed
        for mixed in pairs, labels:
            random.seed(seed)
            random.shuffle(mixed)
    return pairs, labels
