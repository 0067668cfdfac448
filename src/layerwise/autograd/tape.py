"""The tape: `Tensor`, the nodes that lead from a recorded one to what it was computed from, and their levels."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

import numpy as np

from ..backends import backend
from ..context import setting
from ..dtypes import as_bytes, dtype_name, is_text
from .operators import Operators
from .symbolic import Call, Spec, operations

if TYPE_CHECKING:
    from .captures import Captures

_clock = itertools.count(1)
_levels = itertools.count(1)
_open_tapes: ContextVar[tuple[Tape, ...]] = ContextVar("open_tapes", default=())
captures: ContextVar[Captures | None] = ContextVar("captures", default=None)  # of the loop whose body runs


class GraphError(RuntimeError):
    """A value is used with a tape that is closed, freed or not its own."""


class Tensor(Operators):
    """An immutable array, maybe recorded on a tape, or symbolic (its value a `Spec`).

    Args:
        value: an array, a Tensor one level further out, or a `Spec`.
        tape: the one that recorded it; None: it is on none.
        node: its place there.

    >>> from layerwise import ops
    >>> ops.array([1.0, 2.0]) * 3
    Tensor([3., 6.], shape=(2,), dtype=float32)
    """

    __slots__ = ("__weakref__", "node", "notes", "tape", "value")

    def __init__(self, value: Any, tape: Tape | None = None, node: Node | None = None) -> None:
        self.value, self.tape, self.node = value, tape, node
        self.notes: dict[str, Any] | None = None  # logits, mask, history: dropped by any further operation

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(self.value.shape)

    @property
    def ndim(self) -> int:
        return len(self.value.shape)

    @property
    def size(self) -> int:
        return self.value.size

    @property
    def dtype(self) -> str:
        value = self.value
        while type(value) is Tensor:
            value = value.value
        return value.dtype if type(value) is Spec else dtype_name(value.dtype)

    @property
    def symbolic(self) -> bool:
        return type(self.value) is Spec

    @property
    def sparse(self) -> bool:
        """Keras' attribute of symbolic Tensors: whether zeros are left out. They never are."""
        return False

    def _is_plain(self) -> bool:
        return self.tape is None and not self.symbolic

    @property
    def logits(self) -> tuple[str, Tensor] | None:
        """("softmax" or "sigmoid", the values before it) where this is such a function's result."""
        return self.notes.get("logits") if self.notes else None

    @property
    def name(self) -> str:
        """The name of the layer or operation that a symbolic Tensor comes from."""
        if self.history is None:
            raise AttributeError("a Tensor with a value has no name")
        return self.history.name

    @property
    def history(self) -> Call | None:
        """The call that a symbolic Tensor comes from."""
        return self.notes.get("history") if self.notes else None

    @property
    def grad(self) -> Tensor | None:
        """What `backward()` left here, for a Tensor that its tape watches."""
        return self.node.gradient if self.node is not None else None

    def note(self, name: str, value: Any) -> Tensor:
        """Attach something that travels with this very Tensor, and not with what is computed from it."""
        self.notes = {**(self.notes or {}), name: value}
        return self

    def numpy(self) -> np.ndarray:
        """A copy of the value as a NumPy array; texts are bytes in it, in UTF-8, as TensorFlow has them."""
        array = np.array(self)
        return np.frompyfunc(as_bytes, 1, 1)(array) if is_text(array) else array

    def item(self) -> Any:
        """The value of a Tensor with one element, as a Python number."""
        return np.asarray(self).item()

    def backward(self, gradient: Any = None, retain_graph: bool = False) -> None:
        """Add this Tensor's gradients by all that its open `GradientTape` watches to their `.grad`."""
        if self.tape is None:
            raise GraphError(
                "backward: this Tensor is on no open GradientTape; "
                "compute it inside `with layerwise.GradientTape() as tape:`"
            )
        self.tape.backward_from(self, gradient, retain_graph)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        value = raw(self)
        if type(value) is Spec:
            raise TypeError(
                f"a symbolic Tensor of shape {value.shape} has no value yet, as NumPy, float() or `if` need; "
                "use layerwise.ops on it (ops.where for `if`), or call the model on data to get one "
                "(fit does so after compile(run_eagerly=True))"
            )
        array = backend().numpy(value)
        return np.array(array, dtype, copy=True) if copy or dtype is not None else array

    def __bool__(self) -> bool:
        call = self.history if type(self.value) is Spec else None
        if call is not None and call.operation in (operations["equal"], operations["not_equal"]):
            x, y = call.args
            if type(x) is type(y) is Tensor and x.symbolic and y.symbolic:  # which have no values, but are themselves
                return (x is y) is (call.operation is operations["equal"])
        return super().__bool__()

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError("len() of a Tensor without dimensions")
        if self.shape[0] is None:
            raise TypeError("len() of a symbolic Tensor whose first size is not known; use layerwise.ops on the whole")
        return self.shape[0]

    def __iter__(self) -> Iterator[Tensor]:
        return (self[i] for i in range(len(self)))

    def __format__(self, spec: str) -> str:
        return format(self.item(), spec) if spec and not self.shape else repr(self)

    def __repr__(self) -> str:
        if self.symbolic or backend().traced(raw(self)):
            return f"<{'symbolic' if self.symbolic else 'traced'} Tensor shape={self.shape}, dtype={self.dtype}>"
        body = np.array2string(np.asarray(self), separator=", ", threshold=20, prefix="Tensor(")
        return f"Tensor({body}, shape={self.shape}, dtype={self.dtype})"

    def __copy__(self) -> Tensor:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Tensor:
        return self  # immutable


def raw(x: Any) -> Any:
    """The array (or Spec) inside of x, under any number of levels of recording."""
    while type(x) is Tensor:
        x = x.value
    return x


class Node:
    """One recorded call: how to pull a gradient back through it, and to whom. It never refers to values itself.

    Args:
        name: of the operation.
        pull: gradient of the output -> gradients of the arguments; None of what is differentiated by.
        parents: the arguments' nodes; None for what is not recorded.
    """

    __slots__ = ("count", "gradient", "index", "name", "parents", "pull", "shapes", "time")

    def __init__(
        self, name: str, pull: Callable[[Any], Any] | None = None, parents: tuple[Node | None, ...] = ()
    ) -> None:
        self.name, self.pull, self.parents = name, pull, parents
        self.time = next(_clock)
        self.shapes: tuple[tuple[int, ...], ...] | None = None  # of arguments that were broadcast
        self.count: int | None = None  # how many outputs, where there are several
        self.index: int | None = None  # which of its only parent's outputs this is
        self.gradient: Tensor | None = None


def _freed(g: Any) -> Any:
    raise AssertionError


class Tape:
    """One differentiation in progress. It holds no list of calls: recorded Tensors lead to their nodes."""

    def __init__(self) -> None:
        self.level = next(_levels)
        self.recording = True
        self.closed = False

    def leaf(self, value: Any, name: str = "leaf") -> Tensor:
        """`value` as an input to differentiate by."""
        value = resolved(value)
        return Tensor(value.value if type(value) is Tensor and value.tape is None else value, self, Node(name))

    def watched(self, variable: Any) -> Node | None:
        """The node that stands for a variable, if this tape watches it."""
        return None

    def backward_from(self, y: Tensor, gradient: Any, retain: bool) -> None:
        """What `y.backward()` does, on a tape that watches something."""
        raise GraphError("backward: inside a differentiated function there is nothing to go back to; let grad() do it")

    def peel(self, x: Any) -> Any:
        """The value `x` has outside of this tape and of those inside it."""
        while type(x) is Tensor and x.tape is not None and x.tape.level >= self.level:
            x = x.value
        return x

    def node_of(self, x: Any) -> Node | None:
        """The node of `x` on this tape, if it is recorded here."""
        while type(x) is Tensor and x.tape is not None and x.tape.level > self.level:
            x = x.value
        return x.node if type(x) is Tensor and x.tape is self else None

    def opened(self) -> contextlib.AbstractContextManager[Any]:
        """Keep this tape among the open ones inside a `with` block."""
        return setting(_open_tapes, (*_open_tapes.get(), self))


def lifted(variable: Any, value: Any) -> Tensor:
    """The value of a variable as the open tapes that watch it see it."""
    tensor = value if type(value) is Tensor else Tensor(value)
    scope, outside = captures.get(), 0
    if scope is not None:  # in the body of a loop, which remembers how the tapes around it see the variable
        tensor, outside = scope.read(variable, tensor), scope.level
    for tape in _open_tapes.get():
        if tape.level > outside and tape.recording and (node := tape.watched(variable)) is not None:
            tensor = Tensor(tensor if tensor.tape is not None else tensor.value, tape, node)
    return tensor


def differentiating() -> bool:
    """Whether what is computed now may be recorded: a tape is open, or the body of a loop runs."""
    return bool(_open_tapes.get()) or captures.get() is not None


@contextlib.contextmanager
def no_grad() -> Iterator[None]:
    """Nothing inside the `with` block is recorded on the tapes that are open around it.

    >>> from layerwise import grad
    >>> def f(x):
    ...     with no_grad():
    ...         scale = x * 2
    ...     return scale * x
    >>> grad(f)(3.0).item()
    6.0
    """
    paused = [tape for tape in _open_tapes.get() if tape.recording]
    for tape in paused:
        tape.recording = False
    try:
        yield
    finally:
        for tape in paused:
            tape.recording = True


def resolved(x: Any) -> Any:
    """What stands for `x` in the loop that is running, if any."""
    scope = captures.get()
    return scope.resolve(x) if scope is not None and type(x) is Tensor else x
