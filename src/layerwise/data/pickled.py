"""Pickles of arrays, without pickle: an interpreter that builds nothing but containers, numbers and strings.

The three NumPy names that make up an array become inert records, any other name is an error, and nothing is ever
called. Runs of whole numbers, of which lists of them consist, are read at once.
"""

import io
import pickletools
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from .format_error import FileFormatError


@dataclass
class Record:
    """What a pickle would build by calling `name` with `arguments` and setting `state`, left unbuilt."""

    name: str
    arguments: tuple = ()
    state: Any = None


_ARRAY_NAMES = {
    "numpy.core.multiarray _reconstruct", "numpy._core.multiarray _reconstruct", "numpy ndarray", "numpy dtype",
}  # fmt: skip
_VALUES = {
    "INT",
    "BININT",
    "BININT1",
    "BININT2",
    "LONG",
    "LONG1",
    "STRING",
    "BINSTRING",
    "SHORT_BINSTRING",
}
_VALUES_OF_PYTHON_3 = {"BINUNICODE", "SHORT_BINUNICODE", "SHORT_BINBYTES", "BINBYTES"}  # fmt: skip
_CONSTANTS: dict[str, Callable[[], Any]] = {
    "NONE": lambda: None, "NEWTRUE": lambda: True, "NEWFALSE": lambda: False,
    "EMPTY_DICT": dict, "EMPTY_LIST": list, "EMPTY_TUPLE": tuple,
}  # fmt: skip
_PUT, _GET = {"PUT", "BINPUT", "LONG_BINPUT"}, {"GET", "BINGET", "LONG_BINGET"}
_TUPLES = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}
_MARK = object()
_BY_CODE = {operation.code: operation for operation in pickletools.opcodes}
_RUN = re.compile(rb"(?:K.|M..|J....){4,10000}", re.DOTALL)  # BININT1, BININT2, BININT
_NUMBER = re.compile(rb"K(.)|M(..)|J(....)", re.DOTALL)


def parse_pickle(data: bytes, where: str, what: str = "CIFAR-10", python3: bool = False) -> Any:
    """The dictionaries, lists, tuples, numbers and strings of a pickle (protocol 0 to 2) and `Record`s for arrays.

    Strings come as text in Latin-1, byte for byte. With `python3` the pickle may have text and bytes as well, and
    protocol 4; four whole numbers or more, one after the other, then stand there as an array. Raises `FileFormatError`
    with the offset for any other content, which has no place in `what`.

    >>> parse_pickle(b"(dS'labels'" + bytes([10]) + b"(lp0" + bytes([10]) + b"K" + bytes([7]) + b"as.", "batch")
    {'labels': [7]}
    """
    machine = _Machine(what, python3)
    position: int | None = 0
    try:
        for name, argument, position in _operations(data):  # noqa: B007  for the error
            machine.step(name, argument)
        (result,) = machine.stack
        return result
    except (ValueError, TypeError, LookupError, AttributeError, StopIteration, OverflowError) as error:
        raise FileFormatError(f"{where}: malformed at offset {position}: {error}") from error


def _operations(data: bytes) -> Iterator[tuple[str, Any, int]]:
    """(name, argument, offset) of each operation; a run of whole numbers is one, NUMBERS."""
    stream = io.BytesIO(data)
    place = 0
    while place < len(data):
        run = _RUN.match(data, place)
        if run is not None:
            yield "NUMBERS", _numbers(run[0]), place
            place = run.end()
            continue
        operation = _BY_CODE.get(chr(data[place]))
        if operation is None:
            raise ValueError(f"byte {data[place]:02x} is no operation")
        stream.seek(place + 1)
        yield operation.name, None if operation.arg is None else operation.arg.reader(stream), place
        if operation.name == "STOP":
            return
        place = stream.tell()
    raise ValueError("it ends without STOP")


def _numbers(run: bytes) -> np.ndarray:
    wide = b"".join(b or s.ljust(4, b"\0") for s, b in ((one or two, four) for one, two, four in _NUMBER.findall(run)))
    return np.frombuffer(wide, "<i4")


class _Machine:
    """The stack that a pickle's operations work on, and the memo that they look things up in."""

    def __init__(self, what: str, python3: bool) -> None:
        self.what, self.python3 = what, python3
        self.stack: list[Any] = []
        self.memo: dict[int, Any] = {}

    def step(self, operation: str, argument: Any) -> None:
        stack, memo = self.stack, self.memo
        match operation:
            case "NUMBERS":
                if self.python3:
                    stack.append(argument)  # an array in the place of its numbers
                else:
                    stack.extend(argument.tolist())
            case name if name in _VALUES or (self.python3 and name in _VALUES_OF_PYTHON_3):
                stack.append(argument)
            case name if name in _CONSTANTS:
                stack.append(_CONSTANTS[name]())
            case name if name in _PUT:
                memo[argument] = stack[-1]
            case "MEMOIZE" if self.python3:
                memo[len(memo)] = stack[-1]
            case name if name in _GET:
                stack.append(memo[argument])
            case name if name in _TUPLES:
                stack[-_TUPLES[name] :] = [tuple(stack[-_TUPLES[name] :])]
            case "MARK":
                stack.append(_MARK)
            case "TUPLE":
                stack.append(tuple(self._since_mark()))
            case "LIST":
                stack.append(self._since_mark())
            case "DICT":
                items = self._since_mark()
                stack.append({})
                self._set_items(items)
            case "APPEND":
                item = stack.pop()
                stack[-1].append(item)
            case "APPENDS":
                items = self._since_mark()
                stack[-1].extend(items)
            case "SETITEM":
                items = [stack.pop(), stack.pop()][::-1]
                self._set_items(items)
            case "SETITEMS":
                self._set_items(self._since_mark())
            case "GLOBAL" if argument in _ARRAY_NAMES or (self.python3 and argument == "_codecs encode"):
                stack.append(Record(argument))
            case "STACK_GLOBAL" if self.python3:
                self._name()
            case "REDUCE":
                arguments = stack.pop()
                stack.append(Record(stack.pop().name, arguments))
            case "BUILD":
                state = stack.pop()
                stack[-1].state = state
            case "PROTO" | "STOP":
                pass
            case "FRAME" if self.python3:
                pass
            case name:
                raise ValueError(f"{name} {argument if argument is not None else ''} has no place in {self.what}")

    def _name(self) -> None:
        name, module = self.stack.pop(), self.stack.pop()
        if f"{module} {name}" not in _ARRAY_NAMES:
            raise ValueError(f"{module}.{name} has no place in {self.what}")
        self.stack.append(Record(f"{module} {name}"))

    def _since_mark(self) -> list[Any]:
        start = next(i for i in range(len(self.stack) - 1, -1, -1) if self.stack[i] is _MARK)
        items = self.stack[start + 1 :]
        del self.stack[start:]
        return items

    def _set_items(self, items: list[Any]) -> None:
        if not all(isinstance(key, str) for key in items[::2]):
            raise ValueError("a key that is no string")
        self.stack[-1].update(zip(items[::2], items[1::2], strict=True))


def lists_of_numbers(data: bytes, where: str) -> list[np.ndarray]:
    """The lists of whole numbers that a pickled array of objects (n,) holds, each as an array of int32.

    One that stands in the array twice would take more memory than the file: together they may have no more numbers
    than the pickle has bytes.
    """
    match parse_pickle(data, where, "lists of numbers", python3=True):
        case Record(
            state=(int(), (int(n),), Record(name="numpy dtype", arguments=("O8" | "|O" | "O", *_)), _, list(rows))
        ):
            if n != len(rows) or not all(isinstance(row, list) for row in rows):
                raise FileFormatError(f"{where}: shape ({n},) and {len(rows)} entries; expected {n} lists")
        case _:
            raise FileFormatError(f"{where}: expected an array of objects with one dimension")
    left = len(data)
    arrays = []
    for i, row in enumerate(rows):
        if not all(isinstance(part, np.ndarray) or type(part) is int for part in row):
            raise FileFormatError(f"{where}: entry {i}: expected a list of whole numbers")
        left -= sum(len(part) if isinstance(part, np.ndarray) else 1 for part in row)
        if left < 0:
            raise FileFormatError(f"{where}: lists that share their numbers")
        try:
            parts = [np.atleast_1d(np.array(part, np.int32)) for part in row]
        except OverflowError as error:
            raise FileFormatError(f"{where}: entry {i}: {error}") from error
        arrays.append(np.concatenate(parts) if parts else np.empty(0, np.int32))
    return arrays
