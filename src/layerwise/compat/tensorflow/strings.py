"""`tf.strings`: functions of texts, one by one, in arrays of any shape."""

import re
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ... import ops
from ...data.element import element
from ...dtypes import as_texts
from ...lazy import public_only
from .ragged import RaggedTensor

__all__ = [
    "as_string", "bytes_split", "format", "join", "length", "lower", "reduce_join", "regex_full_match",
    "regex_replace", "split", "strip", "substr", "to_number", "unicode_split", "upper",
]  # fmt: skip
public_only(__name__)


def text(value: Any) -> str:
    """A text; bytes are read as UTF-8."""
    return str(texts(value).item())


def texts(value: Any) -> np.ndarray:
    """An array of texts, of bytes too, as one of str."""
    array = as_texts(value)
    if array is None:
        raise TypeError(f"tf.strings: expected text, got {value!r}")
    return array


def each(function: Callable[..., Any], *inputs: Any) -> Any:
    """The function of each text."""
    return element(np.asarray(np.frompyfunc(function, len(inputs), 1)(*map(texts, inputs)), object))


def lower(input: Any, encoding: str = "", name: str | None = None) -> Any:
    """In small letters.

    >>> lower(["Abc", "D"])
    array(['abc', 'd'], dtype=object)
    """
    return each(str.lower, input)


def upper(input: Any, encoding: str = "", name: str | None = None) -> Any:
    """In capital letters."""
    return each(str.upper, input)


def strip(input: Any, name: str | None = None) -> Any:
    """Without white space at both ends."""
    return each(str.strip, input)


def regex_replace(input: Any, pattern: str, rewrite: str, replace_global: bool = True, name: str | None = None) -> Any:
    r"""With what matches the pattern replaced, where `\1` is the first group of it.

    >>> regex_replace("a<br />b", "<[^>]*>", " ")
    array('a b', dtype=object)
    """
    expression = re.compile(pythonic(pattern))
    return each(lambda t: expression.sub(text(rewrite), t, count=0 if replace_global else 1), input)


def regex_full_match(input: Any, pattern: str, name: str | None = None) -> Any:
    """Whether the pattern matches all of it."""
    expression = re.compile(pythonic(pattern))
    return ops.convert_to_tensor(each(lambda t: expression.fullmatch(t) is not None, input).astype(bool))


def pythonic(pattern: Any) -> str:
    """A pattern as Python spells it: TensorFlow's have classes of characters such as `[[:punct:]]`."""
    classes = {"punct": r"!-/:-@\[-`{-~", "digit": "0-9", "alpha": "a-zA-Z", "alnum": "a-zA-Z0-9", "space": r"\s",
               "upper": "A-Z", "lower": "a-z"}  # fmt: skip
    pattern = re.sub(r"\[:(\w+):\]", lambda match: classes.get(match[1], match[0]), text(pattern))
    return re.sub(r"\\p\{P\}|\\pP", lambda _: rf"[{classes['punct']}]", pattern)


def length(input: Any, unit: str = "BYTE", name: str | None = None) -> Any:
    """How many bytes each has in UTF-8, or characters for `unit` "UTF8_CHAR"."""
    counted = each(len if unit == "UTF8_CHAR" else lambda t: len(t.encode(errors="surrogateescape")), input)
    return ops.convert_to_tensor(counted.astype("int32"))


def substr(input: Any, pos: Any, len: int, unit: str = "BYTE", name: str | None = None) -> Any:
    """`len` characters from `pos` on, counted from the end where it is negative."""
    return each(lambda t: t[pos:][:len], input)


def split(input: Any, sep: str | None = None, maxsplit: int = -1, name: str | None = None) -> Any:
    """The parts of a text, at white space if no separator is given; of several texts as a `RaggedTensor`.

    >>> split("a b").tolist(), split(["a b", "c"]).to_list()
    (['a', 'b'], [['a', 'b'], ['c']])
    """
    return _parts(lambda t: t.split(None if not sep else text(sep), maxsplit), input)


def unicode_split(input: Any, input_encoding: str = "UTF-8", errors: Any = None, name: str | None = None) -> Any:
    """The characters of a text; of several texts as a `RaggedTensor`."""
    return _parts(list, input)


def bytes_split(input: Any, name: str | None = None) -> Any:
    """The characters of a text, if all of them are ASCII."""
    return _parts(list, input)


def _parts(function: Callable[[str], list[str]], input: Any) -> Any:
    array = texts(input)
    rows = [element(np.array(function(t), object)) for t in array.reshape(-1).tolist()]
    return rows[0] if array.ndim == 0 else RaggedTensor(rows)


def join(inputs: Sequence[Any], separator: str = "", name: str | None = None) -> Any:
    """Texts of several arrays, one after the other.

    >>> join([["a", "b"], "!"], "-")
    array(['a-!', 'b-!'], dtype=object)
    """
    return each(lambda *parts: separator.join(parts), *inputs)


def reduce_join(
    inputs: Any, axis: int | None = None, keepdims: bool = False, separator: str = "", name: str | None = None
) -> Any:
    """The texts along an axis, or all of them, one after the other."""
    array = texts(inputs)
    if axis is None:
        return element(separator.join(array.reshape(-1).tolist()))
    joined = np.apply_along_axis(lambda row: np.array(separator.join(row), object), axis, array)
    return element(np.expand_dims(joined, axis) if keepdims else joined)


def to_number(input: Any, out_type: Any = "float32", name: str | None = None) -> Any:
    """The number that each text spells."""
    return ops.convert_to_tensor(each(float, input).astype(str(out_type)))


def as_string(input: Any, precision: int = -1, name: str | None = None) -> Any:
    """Each number as a text."""
    form = "{}" if precision < 0 else f"{{:.{precision}f}}"
    return element(np.asarray(np.frompyfunc(lambda n: form.format(n), 1, 1)(np.asarray(input)), object))


def format(template: str, inputs: Any, placeholder: str = "{}", name: str | None = None) -> Any:
    """The text with each placeholder replaced by an input."""
    for value in inputs if isinstance(inputs, list | tuple) else [inputs]:
        template = template.replace(placeholder, str(np.asarray(value)), 1)
    return element(template)
