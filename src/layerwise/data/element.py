"""What a loop over a data set gives: NumPy's arrays, which have TensorFlow's `numpy()`, too."""

from typing import Any

import numpy as np

from ..dtypes import TEXT, as_bytes


class Element(np.ndarray):
    """An array whose entries are such arrays, too, and which has `numpy()`.

    >>> [int(x.numpy()) for x in element(np.array([1, 2]))]
    [1, 2]
    >>> element("some text").numpy()
    b'some text'
    """

    def numpy(self) -> Any:
        """The plain array, or number; texts are bytes in it, in UTF-8."""
        plain: Any = self.view(np.ndarray)
        if self.dtype.kind in TEXT:
            plain = np.frompyfunc(lambda text: as_bytes(text) if isinstance(text, str) else text, 1, 1)(plain)
        return plain[()] if self.ndim == 0 and isinstance(plain, np.ndarray) else plain

    def __getitem__(self, key: Any) -> Any:
        return element(super().__getitem__(key))

    def __hash__(self) -> int:  # type: ignore[override]
        return hash(self.item())  # of arrays without dimensions: they may be keys, as NumPy's numbers are

    def __fspath__(self) -> Any:
        return self.item()

    def __repr__(self) -> str:
        return repr(self.view(np.ndarray))


def element(value: Any) -> Any:
    """A number, text, or array as an `Element`; all else as it is."""
    if isinstance(value, np.ndarray):
        return value if type(value) is Element else value.view(Element)
    if isinstance(value, np.generic):
        return np.asarray(value).view(Element)
    if is_text(value):
        return np.array(value, object).view(Element)
    return value


def is_text(value: Any) -> bool:
    """Whether the value is text, an array of it, or a list that begins with it."""
    while isinstance(value, list | tuple) and value:
        value = value[0]
    return isinstance(value, str | bytes) or (isinstance(value, np.ndarray | np.generic) and value.dtype.kind in TEXT)
