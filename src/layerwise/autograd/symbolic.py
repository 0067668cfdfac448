"""What is known before values exist: their shapes and dtypes (`Spec`), and which operations were called (`Call`)."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

Array = Any


@dataclass(frozen=True)
class Spec:
    """What is known of a value before it exists: its shape, where None stands for any size, and its dtype."""

    shape: tuple[int | None, ...]
    dtype: str = "float32"

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def known(self) -> tuple[int, ...]:
        """The shape's sizes that are known."""
        return tuple(n for n in self.shape if n is not None)

    @property
    def size(self) -> int:
        return math.prod(self.known)


@dataclass(eq=False)
class Call:
    """One call of an operation or a layer on symbolic Tensors: a node of the functional API's graph.

    Attributes:
        operation: what was called.
        args, kwargs: with what.
        outputs: what it returned, maybe nested.
        time: its number in the order of all calls.
    """

    operation: Any
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    outputs: Any = None
    time: int = field(default_factory=itertools.count(1).__next__)

    @property
    def name(self) -> str:
        """The name of the layer, or of the operation."""
        return getattr(self.operation, "name", None) or self.operation.__name__


class _Operations(dict[str, Callable[..., Any]]):
    """The public operations, which stand above the tape: the first use of one loads `layerwise.ops`."""

    def __missing__(self, name: str) -> Callable[..., Any]:
        operation = self[name] = getattr(import_module("layerwise.ops"), name)
        return operation


primitives: dict[str, Any] = {}  # every `Primitive` by its name
operations = _Operations()  # what Python's operators call, by name
