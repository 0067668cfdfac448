"""Reuters: 11,228 newswires, each a list of the numbers of its words, on 46 topics."""

from os import PathLike

import numpy as np

from ..lazy import public_only
from .sequences import cut, local_or_downloaded, prepared, read_texts, read_word_index, shuffled

__all__ = ["get_label_names", "get_word_index", "load_data"]
public_only(__name__)

_Arrays = tuple[np.ndarray, np.ndarray]
_NAME, _INDEX = "reuters.npz", "reuters_word_index.json"
_SHA256 = "d6586e694ee56d7a4e65172e12b3e987c03096cb01eab99753921ef915959916"  # as Keras has it
_MD5_OF_INDEX = "4d44cc38712099c9e383dc6e5f11a921"  # as Keras has it, which knows no better

_TOPICS = (
    "cocoa", "grain", "veg-oil", "earn", "acq", "wheat", "copper", "housing", "money-supply", "coffee", "sugar",
    "trade", "reserves", "ship", "cotton", "carcass", "crude", "nat-gas", "cpi", "money-fx", "interest", "gnp",
    "meal-feed", "alum", "oilseed", "gold", "tin", "strategic-metal", "livestock", "retail", "ipi",
    "iron-steel", "rubber", "heat", "jobs", "lei", "bop", "zinc", "orange", "pet-chem", "dlr", "gas", "silver", "wpi",
    "hog", "lead",
)  # fmt: skip


def load_data(
    path: str | PathLike[str] = _NAME,
    num_words: int | None = None,
    skip_top: int = 0,
    maxlen: int | None = None,
    test_split: float = 0.2,
    seed: int = 113,
    start_char: int | None = 1,
    oov_char: int | None = 2,
    index_from: int = 3,
) -> tuple[_Arrays, _Arrays]:
    """`(x_train, y_train), (x_test, y_test)`: newswires as arrays of lists of numbers, and labels 0 to 45.

    A word's number is its rank by frequency, plus `index_from`; `get_word_index` has the words, `get_label_names` the
    topics. The lists are pickled in the file; they are read without unpickling, nothing in it is executed.

    Args:
        path: an .npz of your own. With the default the file comes from Keras' cache or Layerwise's, and is downloaded
            (2 MB) into the latter if neither has it; another bare name is the name it gets there.
        test_split: the part of the newswires that is for testing.
        num_words: numbers from this one on, which are those of rarer words, become `oov_char`; None: none.
        skip_top: numbers below it become `oov_char`, too.
        maxlen: texts with so many numbers or more are left out.
        seed: of the order.
        start_char: the number that begins each text; None: there is none.
        oov_char: what stands for words that were cut out; None: they are left out.
        index_from: by how much the words' numbers are moved up, so that 0, 1 and 2 are free.

    Source: D. Lewis, "Reuters-21578 text categorization test collection", 1997.
    """
    x, y = read_texts(local_or_downloaded(path, _NAME, _SHA256), ("x", "y"))
    texts, y = prepared(*shuffled(x, y, np.random.RandomState(seed)), maxlen, start_char, index_from)
    lists = cut(texts, num_words, skip_top, oov_char)
    n = int(len(lists) * (1 - test_split))
    return (lists[:n], y[:n]), (lists[n:], y[n:])


def get_word_index(path: str | PathLike[str] = _INDEX) -> dict[str, int]:
    """{word: rank} of the words in the newswires; in the lists of `load_data` they are `index_from` higher.

    path: a JSON file of your own; with the default it is found or downloaded as the newswires are.
    """
    return read_word_index(local_or_downloaded(path, _INDEX, None, _MD5_OF_INDEX))


def get_label_names() -> tuple[str, ...]:
    """The topic that each label stands for.

    >>> get_label_names()[3]
    'earn'
    """
    return _TOPICS
