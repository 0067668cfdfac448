"""Backpropagation: tensors, primitives with their gradients beside them, and the tape. One sitting to read.

Reverse mode. A primitive is a function of raw arrays; its gradient rule, written with the library's own operations,
stands under it, and the rule's parameter names say which values the tape keeps. A `Tape` is one differentiation in
progress; its `level` tells nested ones apart. A recorded `Tensor` holds the value it has one level further out, so
running a rule on the values of the innermost level records it on the outer ones, and derivatives of derivatives need
no code of their own.
"""

from __future__ import annotations

import contextlib
import inspect
import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from . import config, tree
from .backends import backend, xp
from .dtypes import FLOATS, dtype_name, is_float, result_type, standardize_dtype

Array = Any
_clock = itertools.count(1)
_levels = itertools.count(1)
_open_tapes: ContextVar[tuple[Tape, ...]] = ContextVar("open_tapes", default=())


class GraphError(RuntimeError):
    """A value is used with a tape that is closed, freed or not its own."""


# ---------------------------------------------------------------------------------------------------------- values


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
    """One call of an operation (a primitive or a layer) on symbolic Tensors: a node of the functional API's graph."""

    operation: Any
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    outputs: Any = None
    time: int = 0


class Operators:
    """Python's operators, which `layerwise.ops` gives their meaning, for all that stands for an array."""

    __slots__ = ()
    __array_priority__ = 1000
    __array_ufunc__ = None  # NumPy hands `array * tensor` to the tensor
    __hash__ = object.__hash__

    if TYPE_CHECKING:  # ops/operators.py puts them in

        def __add__(self, other: Any) -> Tensor: ...
        def __neg__(self) -> Tensor: ...
        def __getitem__(self, key: Any) -> Tensor: ...
        def reshape(self, *shape: Any) -> Tensor: ...
        @property
        def T(self) -> Tensor: ...

        __sub__ = __mul__ = __truediv__ = __floordiv__ = __mod__ = __pow__ = __matmul__ = __add__
        __radd__ = __rsub__ = __rmul__ = __rtruediv__ = __rfloordiv__ = __rmod__ = __rpow__ = __rmatmul__ = __add__
        __and__ = __or__ = __xor__ = __rand__ = __ror__ = __rxor__ = __lt__ = __le__ = __gt__ = __ge__ = __add__
        __abs__ = __invert__ = __neg__


class Tensor(Operators):
    """An immutable array, maybe recorded on a tape, or symbolic (its value a `Spec`).

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
    def logits(self) -> tuple[str, Tensor] | None:
        """("softmax" or "sigmoid", the values before it) where this is such a function's result."""
        return self.notes.get("logits") if self.notes else None

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
        """A copy of the value as a NumPy array."""
        return np.array(self)

    def item(self) -> Any:
        """The value of a Tensor with one element, as a Python number."""
        return np.asarray(self).item()

    def backward(self, gradient: Any = None, retain_graph: bool = False) -> None:
        """Add this Tensor's gradients by all that its open `GradientTape` watches to their `.grad`."""
        if not isinstance(self.tape, GradientTape):
            raise GraphError(
                "backward: this Tensor is on no open GradientTape; "
                "compute it inside `with layerwise.GradientTape() as tape:`"
            )
        self.tape._backward(self, gradient, retain_graph)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        value = raw(self)
        if type(value) is Spec:
            raise TypeError(
                f"a symbolic Tensor {value} has no value yet; "
                "use layerwise.ops on it, or call the model on data to get one"
            )
        array = backend().numpy(value)
        return np.array(array, dtype, copy=True) if copy or dtype is not None else array

    def __bool__(self) -> bool:
        return bool(np.asarray(self))

    def __float__(self) -> float:
        return float(np.asarray(self))

    def __int__(self) -> int:
        return int(np.asarray(self))

    def __index__(self) -> int:
        return np.asarray(self).__index__()

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError("len() of a Tensor without dimensions")
        return self.shape[0]

    def __iter__(self) -> Iterator[Tensor]:
        return (self[i] for i in range(len(self)))

    def __format__(self, spec: str) -> str:
        return format(self.item(), spec) if spec and not self.shape else repr(self)

    def __repr__(self) -> str:
        if self.symbolic:
            return f"<symbolic Tensor shape={self.shape}, dtype={self.dtype}>"
        body = np.array2string(np.asarray(self), separator=", ", threshold=20, prefix="Tensor(")
        return f"Tensor({body}, shape={self.shape}, dtype={self.dtype})"

    def __copy__(self) -> Tensor:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Tensor:
        return self  # immutable


def raw(x: Any) -> Any:
    """The array (or Spec) inside any number of levels of recording."""
    while type(x) is Tensor:
        x = x.value
    return x


def as_operand(x: Any) -> Any:
    """What a primitive may be given, as a Tensor, an array, a Python number or None."""
    if type(x) is Tensor or x is None or type(x) in (bool, int, float):
        return x
    if isinstance(x, np.generic):
        return as_operand(x.item())  # as weak as a Python number, so that `x / np.sqrt(8)` stays float32
    read = getattr(x, "_read", None)
    if read is not None:
        return read()
    if backend().owns(x):
        return x
    return _from_host(x)


def _from_host(x: Any) -> Array:
    if isinstance(x, list | tuple) and any(type(leaf) is Tensor or hasattr(leaf, "_read") for leaf in tree.flatten(x)):
        rows = [as_tensor(row) for row in x]
        return primitives["concatenate"](*(reshape(row, (1, *row.shape)) for row in rows), axis=0)
    array = np.asarray(x)
    if not isinstance(x, np.ndarray) and not hasattr(x, "dtype"):  # lists: Python numbers are weak
        array = array.astype({"f": config.floatx(), "i": "int32"}.get(array.dtype.kind, array.dtype))
    if array.dtype.kind not in "biufc" and array.dtype.name != "bfloat16":
        raise TypeError(f"expected numbers, got {type(x).__name__} of dtype {array.dtype}")
    return backend().array(array)


def as_tensor(x: Any, dtype: str | None = None) -> Tensor:
    """`x` as a Tensor, cast to `dtype` where one is given.

    >>> as_tensor([1, 2]).dtype, as_tensor(1.5).dtype
    ('int32', 'float32')
    """
    x = as_operand(x)
    if type(x) in (bool, int, float):
        x = backend().array(x, dtype or standardize_dtype(type(x)))
    tensor = x if type(x) is Tensor else Tensor(x)
    return tensor if dtype is None or tensor.dtype == dtype else cast(tensor, dtype=dtype)


# ------------------------------------------------------------------------------------------------------------ tape


class Node:
    """One recorded call: how to pull a gradient back through it, and to whom. It never refers to values itself."""

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

    @contextlib.contextmanager
    def opened(self) -> Iterator[None]:
        """Keep this tape among the open ones inside a `with` block."""
        token = _open_tapes.set((*_open_tapes.get(), self))
        try:
            yield
        finally:
            _open_tapes.reset(token)


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


@contextlib.contextmanager
def no_grad() -> Iterator[None]:
    """Nothing inside the `with` block is recorded on the tapes that are open around it.

    >>> from layerwise import ops
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


def stop_gradient(x: Any) -> Tensor:
    """y = x, and no gradient flows back, at any level."""
    return Tensor(raw(as_tensor(x)))


def pull_back(seeds: Sequence[tuple[Node | None, Any]], wanted: Sequence[Node | None], retain: bool) -> list[Any]:
    """Pull gradients from `seeds` (node, gradient) back to the nodes `wanted`, None where there is no way.

    Frees what it passes, unless `retain`.
    """
    reached, todo = set[Node](), [node for node, _ in seeds if node is not None]
    while todo:
        node = todo.pop()
        if node not in reached:
            reached.add(node)
            todo.extend(parent for parent in node.parents if parent is not None)
    order = sorted(reached, key=lambda node: node.time)
    kept = {node for node in wanted if node is not None}
    leads = set(kept)  # nodes on a way to a wanted one
    for node in order:
        if any(parent in leads for parent in node.parents):
            leads.add(node)
        elif node.pull is _freed and node not in leads:
            leads.add(node)  # what lay behind is gone: going through it has to raise
    grads: dict[Node, Any] = {}
    for source, g in seeds:
        if source in leads:
            _accumulate(grads, source, g)
    for node in reversed(order):
        g = grads.get(node) if node in kept else grads.pop(node, None)
        if g is None or (not node.parents and node.pull is None):
            continue
        if node.index is not None:
            _accumulate(grads, node.parents[0], g, node.index)
            continue
        if node.pull is _freed:
            raise GraphError(
                f"{node.name}: the values kept for this gradient were freed by an earlier backward pass; "
                "use GradientTape(persistent=True), or backward(retain_graph=True), to go back more than once"
            )
        assert node.pull is not None
        parts = node.pull(tuple(g) if node.count is not None else g)
        parts = parts if isinstance(parts, tuple | list) else (parts,)
        if len(parts) != len(node.parents):
            raise TypeError(f"{node.name}: the rule gives {len(parts)} gradients for {len(node.parents)} arguments")
        for i, (parent, part) in enumerate(zip(node.parents, parts, strict=True)):
            if parent is None or parent not in leads:
                continue
            part = part() if callable(part) else part
            if part is not None:
                _accumulate(grads, parent, part if node.shapes is None else sum_to(part, shape=node.shapes[i]))
        if not retain:
            node.pull, node.parents = _freed, ()
    return [None if node is None else grads.get(node) for node in wanted]


def _accumulate(grads: dict[Node, Any], node: Node | None, g: Any, index: int | None = None) -> None:
    assert node is not None
    if index is None:
        grads[node] = g if node not in grads else add(grads[node], g)
    else:
        slots = grads.setdefault(node, [None] * (node.count or 0))
        slots[index] = g if slots[index] is None else add(slots[index], g)


# ------------------------------------------------------------------------------------------------------ primitives

primitives: dict[str, Primitive] = {}


class Captures:
    """While the body of a loop runs: what stands inside for the Tensors from outside that it refers to.

    The first time, the body is only looked at, and what it refers to is noted: recorded Tensors in `met`, and in
    `variables` those that tapes around the loop watch. Later runs, maybe after these tapes closed, read them there.
    """

    def __init__(
        self,
        outer: Captures | None,
        variables: dict[int, Tensor],
        replacements: dict[Node, Any],
        met: dict[Node, Tensor] | None = None,
    ) -> None:
        self.outer, self.variables, self.replacements, self.met = outer, variables, replacements, met
        self.since, self.level = next(_clock), next(_levels)

    def resolve(self, x: Tensor) -> Tensor:
        if self.outer is not None:
            x = self.outer.resolve(x)
        if x.tape is None or x.node is None:
            return x
        if self.met is not None and x.tape.recording and x.tape.level < self.level and x.node.time < self.since:
            self.met.setdefault(x.node, x)
        return self.replacements.get(x.node, x)

    def read(self, variable: Any, value: Tensor) -> Tensor:
        """A variable's value on the tapes around the loop."""
        if id(variable) in self.variables:
            return self.variables[id(variable)]
        token = _open_tapes.set(tuple(tape for tape in _open_tapes.get() if tape.level < self.level))
        try:
            with captured_in(self.outer):
                tensor = lifted(variable, value)
        finally:
            _open_tapes.reset(token)
        if tensor.tape is not None:
            self.variables[id(variable)] = tensor
        return tensor


captures: ContextVar[Captures | None] = ContextVar("captures", default=None)


@contextlib.contextmanager
def captured_in(scope: Captures | None) -> Iterator[None]:
    """Run what is inside the `with` block as part of a loop's body."""
    token = captures.set(scope)
    try:
        yield
    finally:
        captures.reset(token)


def resolved(x: Any) -> Any:
    """What stands for `x` in the loop that is running, if any."""
    scope = captures.get()
    return scope.resolve(x) if scope is not None and type(x) is Tensor else x


class Primitive:
    """A differentiable operation: a rule on raw arrays, with its gradient and, where it is heavy, its shape rule."""

    def __init__(
        self,
        rule: Callable[..., Any],
        *,
        residuals: Sequence[str] = (),
        promote: Literal[True] | Sequence[str] = (),
        broadcasts: bool = False,
        floating: bool = False,
        differentiable: bool = True,
        dtype: str | None = None,
    ) -> None:
        parameters = inspect.signature(rule).parameters.values()
        self.rule, self.__name__, self.__doc__ = rule, rule.__name__.lstrip("_"), rule.__doc__
        self.__module__, self.__qualname__, self.__wrapped__ = rule.__module__, rule.__qualname__, rule
        self.variadic = next((p.name for p in parameters if p.kind is p.VAR_POSITIONAL), None)
        self.names = [p.name for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD]
        self.defaults = [p.default for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD]
        self.statics = {p.name: p.default for p in parameters if p.kind is p.KEYWORD_ONLY}
        self.residuals = tuple(residuals)
        self.promote = promote
        self.promoted = [] if promote is True else [i for i, name in enumerate(self.names) if name in promote]
        self.broadcasts, self.floating, self.differentiable, self.dtype = broadcasts, floating, differentiable, dtype
        self.gradient_rule: Callable[..., Any] | None = None
        self.shape_rule: Callable[..., Any] | None = None
        self.copes_with_unknown = False
        self.composite_rule: Callable[..., Any] | None = None
        if self.__name__ in primitives and primitives[self.__name__].__module__ != rule.__module__:
            raise ValueError(
                f"primitive {self.__name__!r} is already defined in {primitives[self.__name__].__module__}"
            )
        primitives[self.__name__] = self

    def __repr__(self) -> str:
        return f"<primitive {self.__name__}>"

    # Definition ---------------------------------------------------------------------------------------------------

    def gradient(self, rule: Callable[..., Any]) -> Callable[..., Any]:
        """Decorator: rule(g, *names) -> one gradient for each argument, or functions computing them when asked for.

        The names may be arguments, `y` (the output), declared residuals, `<argument>_shape`, `<argument>_dtype`, and
        keyword arguments.
        """
        sources: list[tuple[str, Any]] = []
        keywords = []
        for name in list(inspect.signature(rule).parameters)[1:]:
            argument = name.removesuffix("_shape")
            if name == "y":
                sources.append(("output", None))
            elif name in self.names:
                sources.append(("argument", self.names.index(name)))
            elif name == self.variadic:
                sources.append(("arguments", None))
            elif name in self.residuals:
                sources.append(("residual", self.residuals.index(name)))
            elif name in self.statics:
                keywords.append(name)
            elif argument != name and argument in self.names:
                sources.append(("shape", self.names.index(argument)))
            elif argument != name and argument == self.variadic:
                sources.append(("shapes", None))
            elif name.removesuffix("_dtype") in self.names:
                sources.append(("dtype", self.names.index(name.removesuffix("_dtype"))))
            else:
                raise TypeError(
                    f"gradient of {self.__name__}: {name!r} is neither an argument, 'y', a residual, "
                    f"nor <argument>_shape; expected some of {[*self.names, 'y', *self.residuals, *self.statics]}"
                )
        self.gradient_rule, self._sources, self._keywords = rule, sources, keywords
        return rule

    def shape(self, rule: Callable[..., Any] | None = None, *, unknown: bool = False) -> Any:
        """Decorator: rule(*specs, **static) -> the Spec of the result, or a tuple of them.

        Shapes hold None only where the rule says that it copes with `unknown` sizes.
        """
        if rule is None:
            return lambda rule: self.shape(rule, unknown=unknown)
        self.shape_rule, self.copes_with_unknown = rule, unknown
        return rule

    def composite(self, rule: Callable[..., Any]) -> Callable[..., Any]:
        """Decorator: the same function out of other primitives, used where two or more levels are active.

        Needed where a residual depends on an input: the tape keeps residuals as plain arrays, so a derivative of the
        gradient would take them for constants.
        """
        self.composite_rule = rule
        return rule

    # Call ---------------------------------------------------------------------------------------------------------

    def __call__(self, *args: Any, **static: Any) -> Any:
        operands = self._operands(args, static)
        if self.promote:
            operands = self._promoted(operands)
        result = self._apply(operands, static)
        if type(result) is tuple:
            result = tuple(r if type(r) is Tensor else Tensor(r) for r in result)
            symbolic = result[0].symbolic
        else:
            result = result if type(result) is Tensor else Tensor(result)
            symbolic = type(result.value) is Spec
        if symbolic:
            if self.variadic is None:
                args = (*args[: len(self.names)], *operands[len(args) :])
            call = Call(self, args, static, result, next(_clock))
            for output in result if type(result) is tuple else (result,):
                output.note("history", call)
        return result

    def _operands(self, args: tuple[Any, ...], static: dict[str, Any]) -> list[Any]:
        if self.variadic is None and len(args) > len(self.names):
            surplus = args[len(self.names) :]
            if len(surplus) > len(self.statics):
                raise TypeError(
                    f"{self.__name__}: takes {len(self.names) + len(self.statics)} arguments, got {len(args)}"
                )
            static.update(zip(self.statics, surplus, strict=False))
            args = args[: len(self.names)]
        operands = [as_operand(a) for a in args]
        if self.variadic is None and len(operands) < len(self.names):
            for name, default in zip(self.names[len(args) :], self.defaults[len(args) :], strict=True):
                value = static.pop(name, default)
                if value is inspect.Parameter.empty:
                    raise TypeError(f"{self.__name__}: argument {name!r} is missing")
                operands.append(as_operand(value))
        scope = captures.get()
        if scope is not None:
            operands = [scope.resolve(a) if type(a) is Tensor else a for a in operands]
        if not self.promote:
            operands = [as_tensor(a) if type(a) in WEAK else a for a in operands]
        return operands

    def _promoted(self, operands: list[Any]) -> list[Any]:
        chosen = range(len(operands)) if self.promote is True else self.promoted
        names = [_dtype_name(operands[i]) for i in chosen if operands[i] is not None]
        target = names[0]
        if target in WEAK_NAMES or names.count(target) < len(names):
            target = result_type(*names)
        if self.floating and target not in FLOATS:
            target = config.floatx()
        if target != names[0] or names.count(target) < len(names):
            for i in chosen:
                a = operands[i]
                if type(a) in WEAK:
                    operands[i] = backend().array(a, target)
                elif a is not None and _dtype_name(a) != target:
                    operands[i] = cast(a, dtype=target)
        return [as_tensor(a) if type(a) in WEAK else a for a in operands]

    def _apply(self, operands: Sequence[Any], static: dict[str, Any]) -> Any:
        """Run the rule on operands that are Tensors, raw arrays or None; raw where nothing records."""
        tape: Tape | None = None
        for a in operands:
            if type(a) is Tensor:
                if type(a.value) is Spec or (a.tape is not None and type(raw(a)) is Spec):
                    return self._abstract(operands, static)
                if a.tape is not None and (tape is None or a.tape.level > tape.level):
                    tape = a.tape
        if tape is None:
            result = self._run([a.value if type(a) is Tensor else a for a in operands], static)
            return result[0] if self.residuals else result
        if tape.closed:
            node = next(a.node for a in operands if type(a) is Tensor and a.tape is tape and a.node is not None)
            raise GraphError(
                f"{self.__name__}: an argument was computed (by {node.name}) inside a grad() that has returned; "
                "return such values from the differentiated function instead of keeping them elsewhere"
            )
        inner = [a.value if type(a) is Tensor and (a.tape is tape or a.tape is None) else a for a in operands]
        if not tape.recording or not self.differentiable:
            return self._apply(inner, static)
        residuals: Sequence[Any] = ()
        outside = [a.tape for a in inner if type(a) is Tensor]
        if any(further is not None and further.recording for further in outside):
            if self.composite_rule is not None:
                return self.composite_rule(
                    *[a if type(a) is Tensor or a is None else Tensor(a) for a in operands], **static
                )
            if self.residuals:
                raise TypeError(f"{self.__name__}: has residuals but no composite, so it has no second derivative")
            y = self._apply(inner, static)
        else:
            y = self._run([raw(a) for a in inner], static)
            if self.residuals:
                y, *residuals = y
        return self._record(tape, operands, inner, y, residuals, static)

    def _run(self, arrays: list[Any], static: dict[str, Any]) -> Any:
        try:
            return self.rule(*arrays, **static)
        except (IndexError, TypeError, ValueError) as error:
            if self.shape_rule is not None or self.broadcasts:  # they know better what is wrong
                self.spec(*(None if a is None else Spec(tuple(a.shape), a.dtype.name) for a in arrays), **static)
            error.add_note(f"in {self.__name__} of shapes {[None if a is None else a.shape for a in arrays]}")
            raise

    def _record(
        self,
        tape: Tape,
        operands: Sequence[Any],
        inner: list[Any],
        y: Any,
        residuals: Sequence[Any],
        static: dict[str, Any],
    ) -> Any:
        if self.gradient_rule is None:
            raise TypeError(f"{self.__name__}: no gradient is defined for this operation")
        kept = []
        for kind, i in self._sources:
            match kind:
                case "argument":
                    kept.append(inner[i])
                case "output":
                    kept.append(y)
                case "shape":
                    kept.append(None if inner[i] is None else tuple(inner[i].shape))
                case "dtype":
                    kept.append(_dtype_name(inner[i]))
                case "residual":
                    kept.append(residuals[i])
                case "arguments":
                    kept.append(tuple(inner))
                case "shapes":
                    kept.append([tuple(a.shape) for a in inner])
        keywords = {name: static.get(name, self.statics[name]) for name in self._keywords}
        parents = tuple(a.node if type(a) is Tensor and a.tape is tape else None for a in operands)
        rule = self.gradient_rule

        def pull(g: Any) -> Any:
            return rule(g, *[_wrapped(value) for value in kept], **keywords)

        node = Node(self.__name__, pull, parents)
        if self.broadcasts and any(a.shape != y.shape for a in inner):
            node.shapes = tuple(tuple(a.shape) for a in inner)
        if type(y) is not tuple:
            return Tensor(y, tape, node)
        node.count = len(y)
        outputs = []
        for i, value in enumerate(y):
            item = Node(self.__name__, None, (node,))
            item.index = i
            outputs.append(Tensor(value, tape, item) if is_float(_dtype_name(value)) else Tensor(value))
        return tuple(outputs)

    # Shapes -------------------------------------------------------------------------------------------------------

    def _abstract(self, operands: Sequence[Any], static: dict[str, Any]) -> Any:
        specs = [None if a is None else Spec(tuple(a.shape), _dtype_name(a)) for a in operands]
        if self.copes_with_unknown:
            result = self.spec(*specs, **static)
        else:
            result = with_unknown_sizes(lambda known: self.spec(*known, **static), specs)
        return tuple(map(Tensor, result)) if type(result) is tuple else Tensor(result)

    def spec(self, *specs: Spec | None, **static: Any) -> Any:
        """The result's Spec: by the shape rule, by broadcasting, or by running the rule on arrays of zeros."""
        if self.shape_rule is not None:
            return self.shape_rule(*specs, **static)
        if self.broadcasts:
            shape = broadcast_shapes(self.__name__, *[s.shape for s in specs if s is not None])
            chosen = [s for s in specs if s is not None]
            return Spec(shape, self.dtype or chosen[-1].dtype)
        with config.override(backend=config.REFERENCE):
            zeros = [None if s is None else np.broadcast_to(np.zeros((), s.dtype), s.known) for s in specs]
            result = self.rule(*zeros, **static)
        result = result[0] if self.residuals else result
        if type(result) is tuple:
            return tuple(Spec(tuple(r.shape), r.dtype.name) for r in result)
        return Spec(tuple(result.shape), result.dtype.name)


def _wrapped(value: Any) -> Any:
    """A kept value as gradient rules see it: arrays as Tensors, shapes and None as they are."""
    if type(value) is Tensor or value is None or type(value) is list:
        return value
    if type(value) is tuple:
        return tuple(_wrapped(v) for v in value) if value and hasattr(value[0], "dtype") else value
    return Tensor(value) if hasattr(value, "dtype") else value


WEAK = {bool: "bool", int: "int", float: "float"}  # Python numbers, which take the dtype of the arrays they meet
WEAK_NAMES = frozenset({"int", "float"})


def _dtype_name(a: Any) -> str:
    if type(a) in WEAK:
        return WEAK[type(a)]
    return a.dtype if type(a) is Tensor or type(a) is Spec else dtype_name(a.dtype)


def broadcast_shapes(name: str, *shapes: Any) -> tuple[int, ...]:
    """The shape that `shapes` broadcast to, or an error that names the operation."""
    try:
        return tuple(np.broadcast_shapes(*shapes))
    except ValueError:
        raise ValueError(
            f"{name}: shapes {' and '.join(map(str, shapes))} do not broadcast; "
            "compared from the last dimension, sizes must be equal or 1"
        ) from None


STAND_INS = (83, 89)  # primes larger than most kernels: sizes computed from one rarely equal those from the other


def with_unknown_sizes(infer: Callable[[Any], Any], specs: Sequence[Spec | None]) -> Any:
    """infer(specs) where sizes may be None: run with two stand-in sizes, and what differs is unknown."""
    if all(s is None or None not in s.shape for s in specs):
        return infer(specs)

    def run(size: int) -> Any:
        return infer([s and Spec(tuple(size if n is None else n for n in s.shape), s.dtype) for s in specs])

    return merge_specs(run(STAND_INS[0]), run(STAND_INS[1]))


def merge_specs(first: Any, second: Any) -> Any:
    """One structure of Specs from two, with None for every size in which they differ."""
    if isinstance(first, Spec):
        return Spec(tuple(a if a == b else None for a, b in zip(first.shape, second.shape, strict=True)), first.dtype)
    if isinstance(first, dict):
        return {key: merge_specs(first[key], second[key]) for key in first}
    if isinstance(first, list | tuple):
        return type(first)(merge_specs(a, b) for a, b in zip(first, second, strict=True))
    return first


def primitive(rule: Callable[..., Any] | None = None, **options: Any) -> Any:
    """Decorator: make a function of raw arrays a differentiable operation on Tensors.

    Positional parameters are arrays, keyword-only ones are static. Options: `promote` (True, or the names of the
    arguments brought to one dtype), `broadcasts` (element-wise: gradients are summed back to each argument's shape),
    `floating` (whole numbers are computed in `floatx`), `residuals` (names of what the rule returns after its output),
    `differentiable`, `dtype` (of the result).

    >>> @primitive(broadcasts=True, promote=True)
    ... def cube(x):
    ...     return x * x * x
    >>> @cube.gradient
    ... def _(g, x):
    ...     return 3 * g * x * x
    >>> grad(grad(cube))(2.0).item()
    12.0
    >>> _ = primitives.pop("cube")
    """
    return Primitive(rule, **options) if rule is not None else lambda rule: Primitive(rule, **options)


def elementwise(rule: Callable[..., Any] | None = None, **options: Any) -> Any:
    """`primitive` for element-wise functions: arguments are promoted and broadcast."""
    return primitive(rule, broadcasts=True, promote=True, **options)


# ------------------------------------------------------------------------------- the primitives the tape itself uses


@elementwise
def add(x1: Array, x2: Array) -> Array:
    """y = x1 + x2"""
    return x1 + x2 if x1.dtype != bool else xp().logical_or(x1, x2)


@add.gradient
def _(g):
    return g, g


@primitive
def cast(x: Array, *, dtype: str) -> Array:
    """y = x as `dtype`"""
    return xp().asarray(x).astype(standardize_dtype(dtype))


@cast.shape
def _(x, *, dtype):
    return Spec(x.shape, standardize_dtype(dtype))


@primitive
def broadcast_to(x: Array, *, shape: tuple[int, ...]) -> Array:
    """y[..., i] = x[..., i or 0]: repeat along dimensions of size 1 and along new leading ones."""
    return xp().broadcast_to(x, shape)


@broadcast_to.gradient
def _(g, x_shape):
    return sum_to(g, shape=x_shape)


@broadcast_to.shape
def _(x, *, shape):
    if broadcast_shapes("broadcast_to", x.shape, tuple(shape)) != tuple(shape):
        raise ValueError(f"broadcast_to: shape {x.shape} does not broadcast to {tuple(shape)}")
    return Spec(tuple(shape), x.dtype)


@primitive
def _sum_to(x: Array, *, shape: tuple[int, ...]) -> Array:
    """y = x summed over all that broadcasting `shape` to x.shape repeats"""
    return backend().sum_to(x, shape)


@_sum_to.gradient
def _(g, x_shape):
    n = len(x_shape) - g.ndim
    return broadcast_to(reshape(g, (1,) * n + g.shape), x_shape)


@_sum_to.shape
def _(x, *, shape):
    return Spec(tuple(shape), x.dtype)


def sum_to(x: Any, *, shape: tuple[int, ...]) -> Any:
    """`x` summed to `shape`, the reverse of broadcasting."""
    return x if tuple(x.shape) == tuple(shape) else _sum_to(x, shape=tuple(shape))


@primitive
def reshape(x: Array, *, newshape: tuple[int, ...]) -> Array:
    """y = the elements of x, in order, in another shape"""
    return xp().reshape(x, newshape)


@reshape.gradient
def _(g, x_shape):
    return reshape(g, x_shape)


@reshape.shape(unknown=True)
def _(x, *, newshape):
    shape = (newshape,) if isinstance(newshape, int) else tuple(newshape)
    if None in x.shape:
        return Spec(tuple(None if n == -1 else n for n in shape), x.dtype)
    known = math.prod(n for n in shape if n != -1)
    if (-1 in shape and (known == 0 or x.size % known)) or (-1 not in shape and known != x.size):
        raise ValueError(f"reshape: cannot arrange the {x.size} elements of shape {x.shape} as {shape}")
    return Spec(tuple(x.size // known if n == -1 else n for n in shape), x.dtype)


def _ones_like(value: Any) -> Tensor:
    value = raw(value)
    return Tensor(xp().ones(value.shape, value.dtype))


def _zeros_like(value: Any) -> Tensor:
    value = raw(value)
    return Tensor(xp().zeros(value.shape, value.dtype))


@cast.gradient
def _(g, x_dtype):
    return cast(g, dtype=x_dtype)


# ------------------------------------------------------------------------------------------- derivatives of functions


def _check_scalar(name: str, y: Any) -> None:
    if type(y) is not Tensor or y.shape != ():
        got = f"shape {y.shape}" if type(y) is Tensor else type(y).__name__
        raise ValueError(
            f"{name}: the function must return one number, got {got}; reduce it, e.g. with ops.sum or ops.mean"
        )


def value_and_grad(
    f: Callable[..., Any], argnums: int | Sequence[int] = 0, has_aux: bool = False
) -> Callable[..., Any]:
    """x -> (f(x), df/dx) for a function that returns one number.

    The arguments named by `argnums` may be nested structures of arrays; the gradient has their form, with zeros where f
    does not depend on a leaf. With `has_aux` f returns (number, anything), and so does the result's first part.

    >>> from layerwise import ops
    >>> value, slope = value_and_grad(lambda x: ops.sum(x * x))([1.0, 2.0])
    >>> value.item(), slope
    (5.0, Tensor([2., 4.], shape=(2,), dtype=float32))
    """
    chosen = (argnums,) if isinstance(argnums, int) else tuple(argnums)

    def differentiated(*args: Any, **kwargs: Any) -> Any:
        tape = Tape()
        arguments = list(args)
        leaves: list[Tensor] = []
        structures = []

        def lift(x: Any) -> Tensor:
            x = as_tensor(x)
            if not is_float(x.dtype):
                raise TypeError(f"grad: can only differentiate by floating-point arguments, got dtype {x.dtype}")
            leaves.append(tape.leaf(x))
            return leaves[-1]

        for i in chosen:
            structure = arguments[i]
            if isinstance(structure, list) and all(type(leaf) in (int, float) for leaf in tree.flatten(structure)):
                structure = as_tensor(np.asarray(structure, config.floatx()))
            elif type(structure) is int:
                structure = float(structure)
            arguments[i] = tree.map_structure(lift, structure)
            structures.append(structure)
        try:
            with tape.opened():
                result = f(*arguments, **kwargs)
            y, aux = result if has_aux else (result, None)
            y = as_tensor(y) if type(y) is not Tensor else y
            _check_scalar(getattr(f, "__name__", "grad"), y)
            value = tape.peel(y)
            tape.recording = False
            seeds = [(tape.node_of(y), _ones_like(value))]
            grads = iter(pull_back(seeds, [leaf.node for leaf in leaves], False))
            sources = iter(leaves)

            def gradient(_: Any) -> Tensor:
                g, source = next(grads), next(sources)
                return as_tensor(g) if g is not None else _zeros_like(source)

            parts = [tree.map_structure(gradient, structure) for structure in structures]
        finally:
            tape.closed = True
        value = as_tensor(value)
        aux = tree.map_structure(lambda leaf: as_tensor(tape.peel(leaf)) if type(leaf) is Tensor else leaf, aux)
        return (value, aux) if has_aux else value, parts[0] if isinstance(argnums, int) else tuple(parts)

    return differentiated


def grad(f: Callable[..., Any], argnums: int | Sequence[int] = 0) -> Callable[..., Any]:
    """x -> df/dx for a function that returns one number; see `value_and_grad`.

    >>> from layerwise import ops
    >>> grad(grad(ops.sin))(0.0).item()
    -0.0
    """
    both = value_and_grad(f, argnums)
    return lambda *args, **kwargs: both(*args, **kwargs)[1]


def vjp(f: Callable[..., Any], *args: Any) -> tuple[Any, Callable[[Any], list[Tensor]]]:
    """f(*args), which may be nested, and the function that pulls gradients of its leaves back to each of `args`."""
    tape = Tape()
    leaves = [tape.leaf(as_tensor(a)) for a in args]
    with tape.opened():
        result = f(*leaves)
    outputs = tree.flatten(result)

    def pull(gradients: Sequence[Any]) -> list[Tensor]:
        tape.recording = False
        seeds = [(tape.node_of(y), g) for y, g in zip(outputs, gradients, strict=True) if g is not None]
        grads = pull_back(seeds, [leaf.node for leaf in leaves], False)
        tape.closed = True
        return [_zeros_like(leaf) if g is None else g for leaf, g in zip(leaves, grads, strict=True)]

    return tree.map_structure(tape.peel, result), pull


class GradientTape(Tape):
    """Records what is computed inside a `with` block and differentiates it by variables and watched Tensors.

    Trainable variables are watched when they are read, unless `watch_accessed_variables` is False. Values that were
    computed stay usable afterwards, as plain values. `persistent` keeps what is needed to ask more than once.

    >>> from layerwise import Variable
    >>> w = Variable([2.0, 3.0])
    >>> with GradientTape() as tape:
    ...     y = w * w
    >>> tape.gradient(y, w)
    Tensor([4., 6.], shape=(2,), dtype=float32)
    """

    def __init__(self, persistent: bool = False, watch_accessed_variables: bool = True) -> None:
        super().__init__()
        self.persistent, self.automatic = persistent, watch_accessed_variables
        self.recording = False
        self._leaves: dict[int, tuple[Any, Node]] = {}  # by id of a Variable or Tensor, which the entry keeps alive
        self._used = False
        self._token: Any = None

    def __enter__(self) -> GradientTape:
        if self._token is not None:
            raise GraphError("GradientTape: this tape is already open")
        self._token = _open_tapes.set((*_open_tapes.get(), self))
        self.recording = True
        return self

    def __exit__(self, *exception: object) -> None:
        _open_tapes.reset(self._token)
        self._token, self.recording = None, False

    def watched(self, variable: Any) -> Node | None:
        entry = self._leaves.get(id(variable))
        if entry is None:
            if not (self.automatic and variable.trainable and is_float(variable.dtype)):
                return None
            entry = self._leaves[id(variable)] = (variable, Node(variable.name))
            entry[1].time = 0  # it was there before everything, wherever it is first read
        return entry[1]

    def watch(self, tensor: Any) -> None:
        """Differentiate by these Tensors or variables (maybe nested) too, in what is computed from here on."""
        for x in tree.flatten(tensor):
            if not is_float(getattr(x, "dtype", "")):
                raise TypeError(f"watch: expected a Tensor or Variable of floating-point numbers, got {x!r}")
            if type(x) is Tensor:
                inner = Tensor(x.value, x.tape, x.node) if x.tape is not None else x.value
                x.value, x.tape, x.node = inner, self, Node("watched")
                self._leaves[id(x)] = (x, x.node)
            elif hasattr(x, "_read"):
                self._leaves.setdefault(id(x), (x, Node(x.name)))
            else:
                raise TypeError(
                    f"watch: expected a Tensor or Variable, got {type(x).__name__}; use ops.convert_to_tensor first"
                )

    def watched_variables(self) -> list[Any]:
        """The variables that were read or watched so far."""
        return [x for x, _ in self._leaves.values() if type(x) is not Tensor]

    def reset(self) -> None:
        """Forget everything recorded."""
        self._leaves.clear()
        self._used = False

    @contextlib.contextmanager
    def stop_recording(self) -> Iterator[None]:
        """Nothing inside this `with` block is recorded here."""
        before, self.recording = self.recording, False
        try:
            yield
        finally:
            self.recording = before

    def gradient(
        self, target: Any, sources: Any, output_gradients: Any = None, unconnected_gradients: str = "none"
    ) -> Any:
        """d target / d source for every source, in the form of `sources`: None (or zeros) where there is no connection.

        A target with several numbers counts as their sum, weighted with `output_gradients` where given.
        """
        if unconnected_gradients not in ("none", "zero"):
            raise ValueError(
                f"gradient: unconnected_gradients: got {unconnected_gradients!r}, expected 'none' or 'zero'"
            )
        if self._used and not self.persistent:
            raise GraphError(
                "gradient: a tape that is not persistent can be asked once; use GradientTape(persistent=True)"
            )
        targets = tree.flatten(target)
        weights = [None] * len(targets) if output_gradients is None else tree.flatten(output_gradients)
        seeds = []
        for y, g in zip(targets, weights, strict=True):
            node = self.node_of(y)
            if node is not None:
                seeds.append((node, _ones_like(y) if g is None else as_tensor(g, y.dtype)))
        flat = tree.flatten(sources)
        nodes = [self._source_node(x) for x in flat]
        before, self.recording = self.recording, False
        try:
            grads = pull_back(seeds, nodes, self.persistent)
        finally:
            self.recording = before
        self._used = True
        if unconnected_gradients == "zero":
            grads = [_zeros_like(as_operand(x)) if g is None else g for x, g in zip(flat, grads, strict=True)]
        return tree.pack_sequence_as(sources, grads)

    def _source_node(self, x: Any) -> Node | None:
        if type(x) is Tensor:
            return self.node_of(x)
        entry = self._leaves.get(id(x))
        return entry[1] if entry is not None else None

    def _backward(self, y: Tensor, gradient: Any, retain: bool) -> None:
        _check_scalar("backward", y) if gradient is None else None
        seed = _ones_like(y) if gradient is None else as_tensor(gradient, y.dtype)
        nodes = [node for _, node in self._leaves.values()]
        before, self.recording = self.recording, False
        try:
            grads = pull_back([(y.node, seed)], nodes, retain or self.persistent)
        finally:
            self.recording = before
        for (x, node), g in zip(self._leaves.values(), grads, strict=True):
            if g is not None:
                node.gradient = g if node.gradient is None else add(node.gradient, g)
                if type(x) is not Tensor:
                    x.grad = g if x.grad is None else add(x.grad, g)


def custom_gradient(f: Callable[..., Any]) -> Callable[..., Any]:
    """Decorator: a function that returns (y, pull) with its own gradient, pull(g) -> the gradient of each argument.

    >>> from layerwise import ops
    >>> @custom_gradient
    ... def log1pexp(x):
    ...     e = ops.exp(x)
    ...     return ops.log(1 + e), lambda g: g * (1 - 1 / (1 + e))
    >>> grad(log1pexp)(0.0).item()
    0.5
    """

    def wrapped(*args: Any, **kwargs: Any) -> Any:
        operands = [resolved(as_tensor(a)) if not isinstance(a, str) and a is not None else a for a in args]
        return _custom(f, operands, kwargs)

    wrapped.__name__, wrapped.__doc__ = getattr(f, "__name__", "custom_gradient"), f.__doc__
    return wrapped


def _custom(f: Callable[..., Any], operands: list[Any], kwargs: dict[str, Any]) -> Any:
    tapes = [a.tape for a in operands if type(a) is Tensor and a.tape is not None and a.tape.recording]
    if not tapes:
        return f(*operands, **kwargs)[0]
    tape = max(tapes, key=lambda t: t.level)
    inner = [as_tensor(a.value) if type(a) is Tensor and a.tape is tape else a for a in operands]
    y, pull = f(*inner, **kwargs)
    if len({t.level for t in tapes}) > 1:
        y = _custom(f, inner, kwargs)  # the outer levels, too, take f's own gradient
    parents = tuple(a.node if type(a) is Tensor and a.tape is tape else None for a in operands)
    return Tensor(
        y if y.tape is not None else y.value, tape, Node(getattr(f, "__name__", "custom_gradient"), pull, parents)
    )


# ------------------------------------------------------------------------------------------------- checking gradients


def gradcheck(
    f: Callable[..., Any], *args: Any, rtol: float = 1e-6, atol: float = 1e-8, step: float = 1e-3, seed: int = 0
) -> bool:
    """Compare f's gradient with differences: u . df(x) v, for random u and v, by Richardson extrapolation.

    D(h) = (u . f(x + h v) - u . f(x - h v)) / 2h;  the estimate is (4 D(h/2) - D(h)) / 3, whose error is O(h^4).
    Arguments that hold floating-point numbers are varied, in float64. Returns True or raises an AssertionError that
    says which argument's gradient is off, and by how much.

    >>> from layerwise import ops
    >>> gradcheck(ops.tanh, [[0.5, -1.0]])
    True
    """
    rng = np.random.default_rng(seed)
    arrays = [np.asarray(a) for a in args]
    arrays = [a.astype("float64") if a.dtype.kind == "f" else a for a in arrays]
    varied = [i for i, a in enumerate(arrays) if a.dtype.kind == "f"]
    if not varied:
        raise ValueError("gradcheck: no argument holds floating-point numbers")
    with config.override(floatx="float64"):
        template = [np.asarray(y) for y in tree.flatten(f(*arrays))]
        weights = [rng.standard_normal(y.shape) if y.dtype.kind == "f" else None for y in template]

        def weighted(*xs: Any) -> Any:
            return sum(
                np.vdot(u, np.asarray(y, "float64"))
                for u, y in zip(weights, tree.flatten(f(*xs)), strict=True)
                if u is not None
            )

        def differentiable(*xs: Any) -> list[Any]:
            full = list(arrays)
            for i, x in zip(varied, xs, strict=True):
                full[i] = x
            return tree.flatten(f(*full))

        _, pull = vjp(differentiable, *[arrays[i] for i in varied])
        grads = pull([None if u is None else as_tensor(u) for u in weights])
        for i, g in zip(varied, grads, strict=True):
            v = rng.standard_normal(arrays[i].shape)

            def difference(h: float, i: int = i, v: np.ndarray = v) -> Any:
                up, down = list(arrays), list(arrays)
                up[i], down[i] = arrays[i] + h * v, arrays[i] - h * v
                return (weighted(*up) - weighted(*down)) / (2 * h)

            expected = (4 * difference(step / 2) - difference(step)) / 3
            got = np.vdot(np.asarray(g), v)
            if not abs(got - expected) <= atol + rtol * abs(expected):
                raise AssertionError(
                    f"gradcheck: argument {i}: the tape says {got:.12g}, differences say {expected:.12g} "
                    f"(off by {abs(got - expected):.3g}, allowed {atol + rtol * abs(expected):.3g})"
                )
    return True
