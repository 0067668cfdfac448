"""Texts as lists of numbers of words: what IMDB's reviews and Reuters' newswires have in common."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..data.format_error import FileFormatError
from ..data.npz import read_npz
from .sources import existing, obtain

ORIGIN = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/"
_MOST_BYTES = 512 << 20  # of a file's arrays, unpacked
_MOST_BYTES_OF_INDEX = 64 << 20


def local_or_downloaded(path: Any, name: str, sha256: str | None, md5: str | None = None) -> Path:
    """The user's own file at `path`; or, where that is the default name or another bare one, the pinned one."""
    if str(path) != name and (Path(path).exists() or Path(path).name != str(path)):
        return existing(path)
    return obtain(str(path), ORIGIN + name, sha256, md5=md5)


def read_texts(path: Path, parts: Sequence[str]) -> list[Any]:
    """These arrays of an .npz: lists of numbers as arrays, whose labels are numbers (n,)."""
    arrays = read_npz(path, _MOST_BYTES, lists=True)
    if missing := set(parts) - arrays.keys():
        raise FileFormatError(f"{path}: expected arrays {', '.join(parts)}; {', '.join(sorted(missing))} not there")
    found = [arrays[part] for part in parts]
    for i in range(0, len(parts), 2):
        x, y = found[i : i + 2]
        is_right = isinstance(x, list) or (x.ndim == 2 and x.dtype.kind in "iu")  # lists of one length are an array
        if not is_right or not isinstance(y, np.ndarray) or y.shape != (len(x),) or y.dtype.kind not in "iu":
            raise FileFormatError(
                f"{path}: expected {parts[i]}, lists of numbers, and {parts[i + 1]}, a label for each"
            )
    return found


def shuffled(x: Any, y: np.ndarray, rng: np.random.RandomState) -> tuple[list[np.ndarray], np.ndarray]:
    """Texts and labels in another order, as Keras draws it."""
    order = np.arange(len(x))
    rng.shuffle(order)
    return [x[i] for i in order], y[order]


def prepared(
    x: list[np.ndarray],
    y: np.ndarray,
    maxlen: int | None,
    start_char: int | None,
    index_from: int,
) -> tuple[list[np.ndarray], np.ndarray]:
    """Numbers moved up by `index_from`, with `start_char` in front, and without texts of `maxlen` numbers or more."""
    start = [] if start_char is None else [start_char]
    x = [np.concatenate([np.array(start, np.int64), words + np.int64(index_from)]) for words in x]
    if maxlen:
        kept = [i for i, words in enumerate(x) if len(words) < maxlen]
        x, y = [x[i] for i in kept], y[kept]
    return x, y


def cut(x: list[np.ndarray], num_words: int | None, skip_top: int, oov_char: int | None) -> np.ndarray:
    """An array of lists, whose numbers below `skip_top` and from `num_words` on are `oov_char`, or left out."""
    if not num_words:
        num_words = max((int(words.max()) for words in x if len(words)), default=0)
    out = np.empty(len(x), object)
    for i, words in enumerate(x):
        known = (words >= skip_top) & (words < num_words)
        out[i] = (words[known] if oov_char is None else np.where(known, words, oov_char)).tolist()
    return out


def read_word_index(path: Path) -> dict[str, int]:
    """{word: number} from a JSON file."""
    if (size := path.stat().st_size) > _MOST_BYTES_OF_INDEX:
        raise FileFormatError(f"{path}: {size} bytes, more than any index of words")
    try:
        index = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise FileFormatError(f"{path}: not JSON ({error})") from error
    if not isinstance(index, dict) or not all(type(number) is int for number in index.values()):
        raise FileFormatError(f"{path}: expected an object with a whole number for each word")
    return index
