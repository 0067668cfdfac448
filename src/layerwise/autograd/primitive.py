"""Primitives: operations with their gradients beside them.

A primitive is a function of raw arrays; its gradient rule, written with the library's own operations, stands under it,
and the rule's parameter names say which values the tape keeps.
"""

from __future__ import annotations

import contextlib
import inspect
import math
from collections.abc import Callable, Iterator, Sequence
from contextvars import ContextVar
from typing import Any, Literal

import numpy as np

from .. import config, observe, tree
from ..backends import TracedValueError, backend, xp
from ..dtypes import FLOATS, dtype_name, is_float, result_type, standardize_dtype
from .tape import Node, Tape, captures
from .tensor import Array, Call, GraphError, Spec, Tensor, raw


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
    dtype = None
    if not isinstance(x, np.ndarray) and not hasattr(x, "dtype"):  # lists: Python numbers are weak
        dtype = {"f": config.floatx(), "i": "int32"}.get(array.dtype.kind)
    if array.dtype.kind not in "biufc" and array.dtype.name != "bfloat16":
        raise TypeError(f"expected numbers, got {type(x).__name__} of dtype {array.dtype}")
    return backend().array(array, dtype)


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


def stop_gradient(x: Any) -> Tensor:
    """y = x, and no gradient flows back, at any level."""
    x = as_tensor(x)
    y = Tensor(raw(x))
    return y.note("history", Call(stop_gradient, (x,), {}, y)) if y.symbolic else y


primitives: dict[str, Primitive] = {}


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

    def __deepcopy__(self, memo: dict[int, Any]) -> Primitive:
        return self  # as functions do

    # Definition ---------------------------------------------------------------------------------------------------

    def gradient(self, rule: Callable[..., Any]) -> Callable[..., Any]:
        """Decorator: rule(g, *names) -> one gradient for each argument, or functions computing them when asked for.

        The names may be arguments, `y` (the output), declared residuals, `<argument>_shape`, `<argument>_dtype`,
        keyword arguments, and `wanted`: for each argument whether it is recorded, so that its gradient may be asked
        for. It is for rules that take several gradients from one computation.
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
            elif name == "wanted":
                sources.append(("wanted", None))
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
        gradient would take them for constants. A primitive without a gradient rule is differentiated through it.
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
            call = Call(self, args, static, result)
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
            if _room.get() is not None and (outline := self._outlined(operands, static)) is not None:
                return outline
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
        nested = any(further is not None and further.recording for further in outside)
        if self.composite_rule is not None and (nested or self.gradient_rule is None):
            return self.composite_rule(
                *[a if type(a) is Tensor or a is None else Tensor(a) for a in operands], **static
            )
        if nested:
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
            result = self.rule(*arrays, **static)
        except (IndexError, TypeError, ValueError) as error:
            if backend().leaked(error):
                raise TracedValueError(f"{self.__name__}: an argument was kept from a step") from error
            if self.shape_rule is not None or self.broadcasts:  # they know better what is wrong
                self.spec(*(None if a is None else Spec(tuple(a.shape), a.dtype.name) for a in arrays), **static)
            error.add_note(f"in {self.__name__} of shapes {[None if a is None else a.shape for a in arrays]}")
            raise
        if observe.watchers:
            observe.tell("called", self, arrays, result)
        return result

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
        parents = tuple(a.node if type(a) is Tensor and a.tape is tape else None for a in operands)
        kept: list[Any] = []
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
                case "wanted":
                    kept.append([parent is not None for parent in parents])
        keywords = {name: static.get(name, self.statics[name]) for name in self._keywords}
        rule = self.gradient_rule

        def pull(g: Any) -> Any:
            return rule(g, *[_wrapped(value) for value in kept], **keywords)

        node = Node(self.__name__, pull, parents)
        if observe.watchers:
            node.pull = observe.keeping_place(self.__name__, pull)
            observe.tell("recorded", self, node)
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

    def _outlined(self, operands: Sequence[Any], static: dict[str, Any]) -> Any:
        """Symbolic results inside `outlining`, if there is no room for their values or for copies of the operands."""
        result = self._abstract(operands, static)
        made = [(t.shape, t.dtype) for t in (result if type(result) is tuple else (result,))]
        given = [(a.shape, _dtype_name(a)) for a in operands if a is not None]
        return result if outlined(*made, beside=given) else None

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


_room: ContextVar[list[int] | None] = ContextVar("room", default=None)
Form = tuple[Sequence[int], str]  # shape and dtype of an array


@contextlib.contextmanager
def outlining(room: int) -> Iterator[None]:
    """Inside the `with` block so many bytes may be computed of constants; what goes beyond is symbolic too.

    So a graph is built, and its shapes are known, in little memory, whatever sizes it asks for.
    """
    token = _room.set([room])
    try:
        yield
    finally:
        _room.reset(token)


def outlined(*made: Form, beside: Sequence[Form] = ()) -> bool:
    """Whether arrays of these forms must do without values, inside `outlining`. Those that need not take its room."""
    room = _room.get()
    if room is None:
        return False
    needed, more = (sum(math.prod(shape) * _width(dtype) for shape, dtype in forms) for forms in (made, beside))
    if needed + more > room[0]:
        return True
    room[0] -= needed
    return False


def _width(dtype: str) -> int:
    return 2 if dtype == "bfloat16" else np.dtype(dtype).itemsize


def primitive(rule: Callable[..., Any] | None = None, **options: Any) -> Any:
    """Decorator: make a function of raw arrays a differentiable operation on Tensors.

    Positional parameters are arrays, keyword-only ones are static. Options: `promote` (True, or the names of the
    arguments brought to one dtype), `broadcasts` (element-wise: gradients are summed back to each argument's shape),
    `floating` (whole numbers are computed in `floatx`), `residuals` (names of what the rule returns after its output),
    `differentiable`, `dtype` (of the result).

    >>> from layerwise import grad
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
    return backend().array(x, standardize_dtype(dtype))


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
    if None in shape:
        raise ValueError(f"reshape: newshape: got {shape}; None is a size that is not known yet, write -1 instead")
    if None in x.shape:
        return Spec(tuple(None if n == -1 else n for n in shape), x.dtype)
    known = math.prod(n for n in shape if n != -1)
    if (-1 in shape and (known == 0 or x.size % known)) or (-1 not in shape and known != x.size):
        raise ValueError(f"reshape: cannot arrange the {x.size} elements of shape {x.shape} as {shape}")
    return Spec(tuple(x.size // known if n == -1 else n for n in shape), x.dtype)


@cast.gradient
def _(g, x_dtype):
    return cast(g, dtype=x_dtype)
