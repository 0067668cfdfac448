"""`tf.train.Example`: named lists of bytes or numbers, which TFRecord files hold, in Protocol Buffers' format."""

import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ... import ops
from ...data.element import element
from ...dtypes import as_bytes
from ...lazy import public_only
from .control import stack
from .ragged import RaggedTensor

__all__ = [
    "BytesList", "Example", "Feature", "Features", "FixedLenFeature", "FixedLenSequenceFeature", "FloatList",
    "Int64List", "RaggedFeature", "VarLenFeature", "parse_example", "parse_single_example",
]  # fmt: skip
public_only(__name__)


# The format: fields, each a key (8 times the field's number + its kind) and a value


def _varint(number: int) -> bytes:
    number &= 2**64 - 1
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    return bytes([*out, number])


def _read_varint(data: bytes, at: int) -> tuple[int, int]:
    number = shift = 0
    while True:
        if at >= len(data) or shift > 63:
            raise ValueError("tf.train.Example: the bytes are cut short or are no example")
        number |= (data[at] & 127) << shift
        shift += 7
        at += 1
        if data[at - 1] < 128:
            return number, at


def _block(number: int, content: bytes) -> bytes:
    return _varint(8 * number + 2) + _varint(len(content)) + content


def _fields(data: bytes) -> Iterator[tuple[int, Any]]:
    """(number, value) of each field: bytes, or a whole number."""
    at = 0
    while at < len(data):
        key, at = _read_varint(data, at)
        kind = key & 7
        if kind == 0:
            value: Any
            value, at = _read_varint(data, at)
        else:
            size = {1: 8, 5: 4}.get(kind)
            if kind == 2:
                size, at = _read_varint(data, at)
            if size is None or at + size > len(data):
                raise ValueError("tf.train.Example: the bytes are cut short or are no example")
            value, at = data[at : at + size], at + size
        yield key >> 3, value


@dataclass
class BytesList:
    value: Iterable[bytes] = ()

    def encoded(self) -> bytes:
        return b"".join(_block(1, as_bytes(v) if isinstance(v, str) else v) for v in self.value)

    @classmethod
    def decoded(cls, data: bytes) -> "BytesList":
        return cls([value for _, value in _fields(data)])


@dataclass
class FloatList:
    value: Iterable[float] = ()

    def encoded(self) -> bytes:
        return _block(1, np.asarray([*self.value], "<f4").tobytes())

    @classmethod
    def decoded(cls, data: bytes) -> "FloatList":
        return cls([x for _, value in _fields(data) for (x,) in struct.iter_unpack("<f", value)])


@dataclass
class Int64List:
    value: Iterable[int] = ()

    def encoded(self) -> bytes:
        return _block(1, b"".join(_varint(int(v)) for v in self.value))

    @classmethod
    def decoded(cls, data: bytes) -> "Int64List":
        numbers = []
        for _, value in _fields(data):
            packed, at = (value, 0) if isinstance(value, bytes) else (_varint(value), 0)
            while at < len(packed):
                number, at = _read_varint(packed, at)
                numbers.append(number - 2**64 if number >= 2**63 else number)
        return cls(numbers)


LISTS: dict[str, Any] = {"bytes_list": BytesList, "float_list": FloatList, "int64_list": Int64List}  # fields 1, 2, 3


@dataclass
class Feature:
    """A list of bytes, of fractions or of whole numbers."""

    bytes_list: BytesList = field(default_factory=BytesList)
    float_list: FloatList = field(default_factory=FloatList)
    int64_list: Int64List = field(default_factory=Int64List)

    def encoded(self) -> bytes:
        held = (getattr(self, name) for name in LISTS)
        return b"".join(_block(i, part.encoded()) for i, part in enumerate(held, 1) if len([*part.value]))

    @classmethod
    def decoded(cls, data: bytes) -> "Feature":
        kinds = list(LISTS.items())
        return cls(**{kinds[i - 1][0]: kinds[i - 1][1].decoded(value) for i, value in _fields(data)})

    def values(self) -> list[Any]:
        """What it holds."""
        return next((v for name in LISTS if (v := list(getattr(self, name).value))), [])


@dataclass
class Features:
    feature: dict[str, Feature] = field(default_factory=dict)


@dataclass
class Example:
    """Features by name.

    >>> age = Feature(int64_list=Int64List(value=[-1, 300]))
    >>> content = Example(features=Features(feature={"age": age})).SerializeToString()
    >>> Example.FromString(content).features.feature["age"].int64_list.value
    [-1, 300]
    """

    features: Features = field(default_factory=Features)

    def SerializeToString(self) -> bytes:
        entries = [_block(1, name.encode()) + _block(2, f.encoded()) for name, f in self.features.feature.items()]
        return _block(1, b"".join(_block(1, entry) for entry in entries))

    def ParseFromString(self, serialized: Any) -> int:
        data = serialized.item() if isinstance(serialized, np.ndarray) else serialized
        entries = (dict(_fields(entry)) for _, features in _fields(data) for _, entry in _fields(features))
        self.features = Features({entry[1].decode(): Feature.decoded(entry[2]) for entry in entries})
        return len(data)

    @classmethod
    def FromString(cls, serialized: Any) -> "Example":
        example = cls()
        example.ParseFromString(serialized)
        return example


# What a feature is read as


@dataclass
class FixedLenFeature:
    """A feature of always the same shape, and what stands for it where it is missing."""

    shape: Any
    dtype: Any
    default_value: Any = None

    def read(self, name: str, values: list[Any]) -> Any:
        if not values:
            if self.default_value is None:
                raise ValueError(f"tf.io.parse_example: {name!r} is missing, and its FixedLenFeature has no default")
            values = np.broadcast_to(self.default_value, tuple(self.shape)).reshape(-1).tolist()
        if len(values) != int(np.prod(self.shape)):
            raise ValueError(f"tf.io.parse_example: {name!r} has {len(values)} values, expected {tuple(self.shape)}")
        return _array(values, self.dtype, tuple(self.shape))


@dataclass
class VarLenFeature:
    """A feature of any length; several examples' are filled up with 0 or b"", as `tf.sparse.to_dense` does."""

    dtype: Any

    @property
    def fill(self) -> Any:
        return b"" if str(self.dtype) == "string" else 0

    def read(self, name: str, values: list[Any]) -> Any:
        return _array(values, self.dtype, (len(values),))


@dataclass
class RaggedFeature(VarLenFeature):
    """A feature of any length; several examples' are a `RaggedTensor`."""


class FixedLenSequenceFeature(VarLenFeature):
    """A feature of any number of parts of one shape."""

    def __init__(self, shape: Any, dtype: Any, allow_missing: bool = False, default_value: Any = None) -> None:
        self.shape, self.dtype, self.allow_missing, self.default_value = shape, dtype, allow_missing, default_value

    def read(self, name: str, values: list[Any]) -> Any:
        return _array(values, self.dtype, (-1, *self.shape))


def _array(values: list[Any], dtype: Any, shape: tuple[int, ...]) -> Any:
    if str(dtype) == "string":
        held = np.empty(len(values), object)
        held[:] = values
        return element(held.reshape(shape))
    return ops.convert_to_tensor(np.array(values, str(dtype)).reshape(shape))


def parse_single_example(
    serialized: Any, features: dict[str, Any], example_names: Any = None, name: str | None = None
) -> dict[str, Any]:
    """The features of an example as arrays, by the names that `features` asks for."""
    given = Example.FromString(serialized).features.feature
    return {key: kind.read(key, given[key].values() if key in given else []) for key, kind in features.items()}


def parse_example(
    serialized: Any, features: dict[str, Any], example_names: Any = None, name: str | None = None
) -> dict[str, Any]:
    """The features of several examples, stacked; of one, as `parse_single_example`."""
    if isinstance(serialized, bytes) or np.ndim(serialized) == 0:
        return parse_single_example(serialized, features)
    rows = [parse_single_example(one, features) for one in np.asarray(serialized, object).tolist()]
    stacked: dict[str, Any] = {}
    for key, kind in features.items():
        parts = [row[key] for row in rows]
        if isinstance(kind, FixedLenFeature):
            stacked[key] = stack(parts)
        else:
            ragged = RaggedTensor(parts)
            stacked[key] = ragged if isinstance(kind, RaggedFeature) else ragged.to_tensor(kind.fill)
    return stacked
