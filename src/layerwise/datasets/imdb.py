"""IMDB: 50,000 reviews of films, each a list of the numbers of its words, for or against."""

from os import PathLike

import numpy as np

from ..lazy import public_only
from .sequences import cut, local_or_downloaded, prepared, read_texts, read_word_index, shuffled

__all__ = ["get_word_index", "load_data"]
public_only(__name__)

_Arrays = tuple[np.ndarray, np.ndarray]
_NAME, _INDEX = "imdb.npz", "imdb_word_index.json"
_SHA256 = "69664113be75683a8fe16e3ed0ab59fda8886cb3cd7ada244f7d9544e4676b9f"  # as Keras has it
_MD5_OF_INDEX = "bfafd718b763782e994055a2d397834f"  # as Keras has it, which knows no better


def load_data(
    path: str | PathLike[str] = _NAME,
    num_words: int | None = None,
    skip_top: int = 0,
    maxlen: int | None = None,
    seed: int = 113,
    start_char: int | None = 1,
    oov_char: int | None = 2,
    index_from: int = 3,
) -> tuple[_Arrays, _Arrays]:
    """`(x_train, y_train), (x_test, y_test)`: 25,000 reviews each, arrays of lists of numbers, and labels 0 or 1.

    A word's number is its rank by frequency, plus `index_from`; `get_word_index` has the words. The lists are pickled
    in the file; they are read without unpickling, nothing in it is executed.

    Args:
        path: an .npz of your own. With the default the file comes from Keras' cache or Layerwise's, and is downloaded
            (17 MB) into the latter if neither has it; another bare name is the name it gets there.
        num_words: numbers from this one on, which are those of rarer words, become `oov_char`; None: none.
        skip_top: numbers below it become `oov_char`, too.
        maxlen: texts with so many numbers or more are left out.
        seed: of the order.
        start_char: the number that begins each text; None: there is none.
        oov_char: what stands for words that were cut out; None: they are left out.
        index_from: by how much the words' numbers are moved up, so that 0, 1 and 2 are free.

    Source: A. Maas et al., "Learning word vectors for sentiment analysis", 2011.

    >>> load_data("folder/imdb.npz")
    Traceback (most recent call last):
    FileNotFoundError: folder/imdb.npz: no such file or folder; without a path the data set is downloaded
    """
    file = local_or_downloaded(path, _NAME, _SHA256)
    x_train, y_train, x_test, y_test = read_texts(file, ("x_train", "y_train", "x_test", "y_test"))
    rng = np.random.RandomState(seed)
    parts = [
        prepared(*shuffled(x, y, rng), maxlen, start_char, index_from)
        for x, y in ((x_train, y_train), (x_test, y_test))
    ]
    if not all(x for x, _ in parts):
        raise ValueError(f"imdb: maxlen: got {maxlen}, which leaves no review")
    (x_train, y_train), (x_test, y_test) = parts
    x = cut(x_train + x_test, num_words, skip_top, oov_char)
    return (x[: len(x_train)], y_train), (x[len(x_train) :], y_test)


def get_word_index(path: str | PathLike[str] = _INDEX) -> dict[str, int]:
    """{word: rank} of the words in the reviews; in the lists of `load_data` they are `index_from` higher.

    path: a JSON file of your own; with the default it is found or downloaded as the reviews are.
    """
    return read_word_index(local_or_downloaded(path, _INDEX, None, _MD5_OF_INDEX))
