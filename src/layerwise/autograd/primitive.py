"""Primitives: operations with their gradients beside them.

A primitive is a function of raw arrays; its gradient rule, written with the library's own operations, stands under it,
and the rule's parameter names say which values the tape keeps.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from types import FunctionType
from typing import Any, Literal

import numpy as np

from .. import config, observe, tree
from ..backends import TracedValueError, backend
from ..dtypes import is_float
from .budget import outlined, room
from .operands import WEAK, as_operand, as_tensor, dtype_of, promoted
from .symbolic import Call, Spec, broadcast_shapes, primitives, spec_of, with_adapting_sizes
from .tape import GraphError, Node, Tape, Tensor, captures, raw


class Primitive:
    """A differentiable operation: a rule on raw arrays, with its gradient and, where it is heavy, its shape rule.

    Args:
        rule: (arrays, *, what is static) -> an array or several.
        residuals: names of what the rule returns after its output, for its gradient.
        promote: the names of the arguments that are brought to one dtype; True: all.
        broadcasts: whether it is element-wise: gradients are summed back to each argument's shape.
        floating: whether whole numbers are computed in `floatx`.
        differentiable: whether tapes record it.
        dtype: of the result; None: that of the last argument.
    """

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
        self.promoted = None if promote is True else [i for i, name in enumerate(self.names) if name in promote]
        self.broadcasts, self.floating, self.differentiable, self.dtype = broadcasts, floating, differentiable, dtype
        self.gradient_rule: Callable[..., Any] | None = None
        self.shape_rule: Callable[..., Any] | None = None
        self.copes_with_unknown = False
        self.composite_rule: Callable[..., Any] | None = None
        before = primitives.get(self.__name__)
        if before is not None and before.rule.__globals__ is not rule.__globals__:  # in a notebook one may try again
            raise ValueError(f"primitive {self.__name__!r} is already defined in {before.__module__}")
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
        names = list(inspect.signature(rule).parameters)[1:]
        self._keywords = [name for name in names if name in self.statics]
        self._kept = [self._keeper(name) for name in names if name not in self.statics]
        self.gradient_rule = _named(rule, f"{self.__name__}_gradient")
        return rule

    def _keeper(self, name: str) -> Callable[..., Any]:
        """For the name of a gradient rule's parameter: what the tape keeps of a call."""
        if name == "y":
            return lambda inner, y, residuals, parents: y
        if name == "wanted":
            return lambda inner, y, residuals, parents: [parent is not None for parent in parents]
        if name in self.residuals:
            i = self.residuals.index(name)
            return lambda inner, y, residuals, parents: residuals[i]
        if name == self.variadic:
            return lambda inner, y, residuals, parents: tuple(inner)
        if name == f"{self.variadic}_shape":
            return lambda inner, y, residuals, parents: [tuple(a.shape) for a in inner]
        for i, argument in enumerate(self.names):
            if name == argument:
                return lambda inner, y, residuals, parents: inner[i]
            if name == f"{argument}_shape":
                return lambda inner, y, residuals, parents: None if inner[i] is None else tuple(inner[i].shape)
            if name == f"{argument}_dtype":
                return lambda inner, y, residuals, parents: dtype_of(inner[i])
        raise TypeError(
            f"gradient of {self.__name__}: {name!r} is neither an argument, 'y', a residual, nor <argument>_shape; "
            f"expected some of {[*self.names, 'y', *self.residuals, *self.statics]}"
        )

    def shape(self, rule: Callable[..., Any] | None = None, *, unknown: bool = False) -> Any:
        """Decorator: rule(*specs, **static) -> the Spec of the result, or a tuple of them.

        Shapes hold None only where the rule says that it copes with `unknown` sizes.
        """
        if rule is None:
            return lambda rule: self.shape(rule, unknown=unknown)
        self.shape_rule, self.copes_with_unknown = _named(rule, f"{self.__name__}_shape"), unknown
        return rule

    def composite(self, rule: Callable[..., Any]) -> Callable[..., Any]:
        """Decorator: the same function out of other primitives, used where two or more levels are active.

        Needed where a residual depends on an input: the tape keeps residuals as plain arrays, so a derivative of the
        gradient would take them for constants. A primitive without a gradient rule is differentiated through it.
        """
        self.composite_rule = _named(rule, f"{self.__name__}_composite")
        return rule

    # Call ---------------------------------------------------------------------------------------------------------

    def __call__(self, *args: Any, **static: Any) -> Any:
        operands = self._operands(args, static)
        if self.promote:
            operands = promoted(operands, self.promoted, self.floating)
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
                most = len(self.names) + len(self.statics)
                raise TypeError(f"{self.__name__}: takes {most} arguments, got {len(args)}")
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
            if room.get() is not None and (outline := self._outlined(operands, static)) is not None:
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
        nested = any(type(a) is Tensor and a.tape is not None and a.tape.recording for a in inner)
        if self.composite_rule is not None and (nested or self.gradient_rule is None):
            return self.composite_rule(*map(_wrapped, operands), **static)
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
            if self.broadcasts and len(arrays) == 1 and not self.statics:
                result = backend().function(self.__name__, self.rule, arrays[0])
            else:
                result = self.rule(*arrays, **static)
        except (IndexError, TypeError, ValueError) as error:
            if backend().leaked(error):
                raise TracedValueError(f"{self.__name__}: an argument was kept from a step") from error
            if self.shape_rule is not None or self.broadcasts:  # they know better what is wrong
                self.spec(*(None if a is None else spec_of(a) for a in arrays), **static)
            error.add_note(f"in {self.__name__} of shapes {[None if a is None else a.shape for a in arrays]}")
            raise
        if observe.watchers:
            observe.tell("called", self, arrays, result)
        return result

    def _record(
        self, tape: Tape, operands: Sequence[Any], inner: list[Any], y: Any, residuals: Any, static: dict[str, Any]
    ) -> Any:
        """y, recorded with what its gradient rule asks for."""
        if self.gradient_rule is None:
            raise TypeError(f"{self.__name__}: no gradient is defined for this operation")
        parents = tuple(a.node if type(a) is Tensor and a.tape is tape else None for a in operands)
        kept = [keep(inner, y, residuals, parents) for keep in self._kept]
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
            outputs.append(Tensor(value, tape, item) if is_float(dtype_of(value)) else Tensor(value))
        return tuple(outputs)

    # Shapes -------------------------------------------------------------------------------------------------------

    def _outlined(self, operands: Sequence[Any], static: dict[str, Any]) -> Any:
        """Symbolic results inside `outlining`, if there is no room for their values or for copies of the operands."""
        result = self._abstract(operands, static)
        made = [(t.shape, t.dtype) for t in (result if type(result) is tuple else (result,))]
        given = [(a.shape, dtype_of(a)) for a in operands if a is not None]
        return result if outlined(*made, beside=given) else None

    def _abstract(self, operands: Sequence[Any], static: dict[str, Any]) -> Any:
        specs = [None if a is None else Spec(tuple(a.shape), dtype_of(a)) for a in operands]
        if self.copes_with_unknown:
            result = self.spec(*specs, **static)
        else:
            shapes = (value for value in static.values() if isinstance(value, tuple | list))
            others = [n for n in tree.flatten(list(shapes)) if type(n) is int and n > 0]
            result = with_adapting_sizes(lambda known: self.spec(*known, **static), specs, others)
        return tuple(map(Tensor, result)) if type(result) is tuple else Tensor(result)

    def spec(self, *specs: Spec | None, **static: Any) -> Any:
        """The result's Spec: by the shape rule, by broadcasting, or by running the rule on arrays of zeros."""
        if self.shape_rule is not None:
            return self.shape_rule(*specs, **static)
        if self.broadcasts:
            given = [s for s in specs if s is not None]
            return Spec(broadcast_shapes(self.__name__, *[s.shape for s in given]), self.dtype or given[-1].dtype)
        with config.override(backend=config.REFERENCE):
            zeros = [None if s is None else np.broadcast_to(np.zeros((), s.dtype), s.known) for s in specs]
            result = self.rule(*zeros, **static)
        result = result[0] if self.residuals else result
        return tuple(map(spec_of, result)) if type(result) is tuple else spec_of(result)


def _named(rule: Callable[..., Any], name: str) -> Callable[..., Any]:
    """`rule` under a name that says in tracebacks whose it is."""
    if not isinstance(rule, FunctionType):
        return rule
    code = rule.__code__.replace(co_name=name, co_qualname=name)
    named = FunctionType(code, rule.__globals__, name, rule.__defaults__, rule.__closure__)
    named.__kwdefaults__ = rule.__kwdefaults__
    return named


def _wrapped(value: Any) -> Any:
    """A kept value as gradient rules see it: arrays as Tensors, shapes and None as they are."""
    if type(value) is Tensor or value is None or type(value) is list:
        return value
    if type(value) is tuple:
        return tuple(_wrapped(v) for v in value) if value and hasattr(value[0], "dtype") else value
    return Tensor(value) if hasattr(value, "dtype") else value


def primitive(rule: Callable[..., Any] | None = None, **options: Any) -> Any:
    """Decorator: make a function of raw arrays a differentiable operation on Tensors.

    Positional parameters of the rule are arrays, keyword-only ones are static; the options are those of `Primitive`.

    >>> from layerwise import grad
    >>> @primitive(broadcasts=True, promote=True)
    ... def cubed(x):
    ...     return x * x * x
    >>> @cubed.gradient
    ... def _(g, x):
    ...     return 3 * g * x * x
    >>> grad(grad(cubed))(2.0).item()
    12.0
    >>> _ = primitives.pop("cubed")
    """
    return Primitive(rule, **options) if rule is not None else lambda rule: Primitive(rule, **options)


def elementwise(rule: Callable[..., Any] | None = None, **options: Any) -> Any:
    """`primitive` for an element-wise rule: arguments are promoted and broadcast."""
    return primitive(rule, broadcasts=True, promote=True, **options)
