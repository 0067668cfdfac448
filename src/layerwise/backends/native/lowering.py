"""From a recording to the form of a program: calls of kernels, views, and operations that may be fused.

In the passes that follow, every array gets a stage, the earliest in which all that it needs is there; what stands in
the same stage does not depend on each other and runs together. Element-wise operations over the same elements and in
the same stage become one program of the `fused` kernel, with the reductions over them. Views cost nothing; steps that
no kernel knows stay calls of NumPy between the stages. The body of a loop is lowered like a program of its own.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import _native
from .blocks import Block
from .form import Call, Form, Operation, Value
from .instructions import (
    CONSTANTS,
    DTYPES,
    ELEMENTWISE,
    INSTRUCTIONS,
    LIMITS,
    POWERS,
    REDUCTIONS,
    VIEWS,
    computed,
)
from .loops import Loop, unrolled
from .recording import Kernel, Noted, Step, added_at, arrays_in, cast, identity

Constants = dict[int, tuple[Any, Value]]  # by id, which stays what it is while the array is here too


def lower(
    inputs: Sequence[Noted],
    given: Sequence[Value],
    steps: Sequence[Step],
    outputs: Sequence[Any],
    state: int,
    constants: Constants,
) -> Form:
    """The form of a recording whose inputs are these values; the constants that it meets are added to those known."""
    lowering = Lowering(inputs, given, constants)
    for step in steps:
        lowering.add(step)
    return Form([v.base for v in given], lowering.items, [lowering.value(o) for o in outputs], state)


class Lowering:
    """The values, operations and calls of one recording, built step by step."""

    def __init__(self, inputs: Sequence[Noted], given: Sequence[Value], constants: Constants) -> None:
        self.values = {id(r): value for r, value in zip(inputs, given, strict=True)}
        self.items: list[Operation | Call] = []
        self.constants = constants
        self._known: dict[Any, Value] = {}  # what was computed before, by function and arguments

    # Operands -----------------------------------------------------------------------------------------------------

    def value(self, operand: Any) -> Value:
        """The value of a recorded array or of a constant one."""
        if isinstance(operand, Noted):
            return self.values[id(operand)]
        if id(operand) not in self.constants:
            array = np.ascontiguousarray(operand).reshape(np.shape(operand))
            self.constants[id(operand)] = operand, Value(array.shape, array.dtype, slot=0, stored=True, constant=array)
        return self.constants[id(operand)][1]

    def in_memory(self, value: Value, ordered: bool = False) -> Value:
        """A value that is read from memory, or a copy of it where its elements have to be in order."""
        value.base.stored = True
        if value.ordered or not ordered:
            return value
        key = "in order", id(value)
        if key not in self._known:
            self._known[key] = self._copy(value)
        return self._known[key]

    def _copy(self, value: Value) -> Value:
        copy = Value(value.shape, value.dtype, stored=True)
        self.items.append(Call([copy], [value], ("copy", (), ())))
        return copy

    def _name(self, noted: Noted) -> int:
        return id(self.values[id(noted)])

    # Steps --------------------------------------------------------------------------------------------------------

    def add(self, step: Step) -> None:
        """Lower one step: as a kernel, a view, element-wise, as a reduction, or else as the call that it is."""
        function = step.function
        if isinstance(function, Kernel):
            inputs = [
                None if x is None else self.in_memory(self.value(x), ordered=i not in function.strided)
                for i, x in enumerate(step.args)
            ]
            call = self._call(step, inputs, (function.name, function.ints, function.reals))
            made = iter(call.outputs)
            call.outputs = [None if output is None else next(made) for output in function.outputs]
            return
        if isinstance(function, Loop):
            self._loop(step, function)
            return
        result = step.outputs[0]
        if function in CONSTANTS:
            of_shape = function(np.broadcast_to(np.zeros((), step.args[0].dtype), step.args[0].shape), **step.kwargs)
            self.values[id(result)] = self.value(of_shape)
            return
        key = (function, identity(step.args, self._name), identity(list(step.kwargs.items()), self._name))
        if len(step.outputs) == 1 and key in self._known:
            self.values[id(result)] = self._known[key]
            return
        value = None
        arrays = [*arrays_in([step.args, step.kwargs], Noted), *step.outputs]
        known = [x.dtype in DTYPES and x.size > 0 for x in arrays]
        if len(step.outputs) == 1 and all(known):
            if function in VIEWS:
                value = self._view(step)
            elif function in REDUCTIONS:
                value = self._reduction(step, REDUCTIONS[function])
            elif function in (np.concatenate, np.stack):
                value = self._joined(step)
            elif function is added_at:
                value = self._added(step)
            elif function is np.take_along_axis:
                value = self._picked(step)
            else:
                value = self._elementwise(step)
        if value is not None:
            self.values[id(result)] = value
        else:
            self._call(step, [self.in_memory(self.value(x)) for x in arrays_in([step.args, step.kwargs], Noted)])
        self._known[key] = self.values[id(result)]

    def _call(self, step: Step, inputs: list[Value | None], kernel: tuple[str, Any, Any] | None = None) -> Call:
        outputs = [Value(r.shape, r.dtype, stored=True) for r in step.outputs]
        self.values.update((id(r), v) for r, v in zip(step.outputs, outputs, strict=True))
        call = Call([*outputs], inputs, kernel, None if kernel else step)
        self.items.append(call)
        return call

    def _loop(self, step: Step, loop: Loop) -> None:
        """A loop whose body is lowered once; all its turns, one after the other, if only NumPy can do some of it."""
        n, m = loop.carries, loop.carries + loop.slices
        around = [self.value(x) for x in step.args]
        outputs = [Value(r.shape, r.dtype, stored=True) for r in step.outputs]
        given = []
        for i, (noted, value) in enumerate(zip(loop.inputs, around, strict=True)):
            base = value.base
            shape = noted.shape if i < m else base.shape
            inside = Value(shape, base.dtype, slot=i + 1, stored=True, stands_for=outputs[i] if i < n else base)
            if i >= m and value is not base:
                inside = Value(value.shape, value.dtype, root=inside, offset=value.offset, strides=value.strides)
            given.append(inside)
        form = lower(loop.inputs, given, loop.steps, loop.outputs, n, self.constants)
        known = all(r.dtype in DTYPES for r in (*loop.inputs, *step.outputs))
        if not known or any(isinstance(item, Call) and item.step for item in form.items):
            turns, last = unrolled(step, loop)
            for turn in turns:
                self.add(turn)
            self.values.update((id(r), self.value(x)) for r, x in zip(step.outputs, last, strict=False))
            return
        inputs = [self.in_memory(value, ordered=n <= i < m) for i, value in enumerate(around)]
        for part, whole in zip(given[n:m], inputs[n:m], strict=True):
            part.stands_for = whole
            part.move(loop.length, loop.reverse)
        body = Block(form)
        workspace = Value((body.size,), np.dtype("uint8"), stored=True)
        for value in body.temporaries:
            value.stands_for = workspace
        for part, whole in zip(body.made, outputs[n:], strict=True):
            part.stands_for = whole
            part.move(loop.length, loop.reverse)
        self.values.update((id(r), v) for r, v in zip(step.outputs, outputs, strict=True))
        self.items.append(Call([*outputs, workspace], [*inputs], body=body, times=loop.length, carries=n))

    def _view(self, step: Step) -> Value | None:
        """A step whose function gives a view of an array."""
        source = step.args[0]
        if not isinstance(source, Noted) or len(arrays_in([step.args, step.kwargs], Noted)) > 1:
            return None
        return self._view_of(self.value(source), step.function, *step.args[1:], **step.kwargs)

    def _view_of(self, value: Value, function: Any, *args: Any, **kwargs: Any) -> Value | None:
        """What a function like reshape makes of an array, found out by letting NumPy do it to one that is empty."""
        for _ in range(2):
            root = value.base
            whole = np.empty(math.prod(root.shape), root.dtype)
            steps = [s * root.dtype.itemsize for s in value.strides]
            seen = np.lib.stride_tricks.as_strided(whole[value.offset :], value.shape, steps)
            result = function(seen, *args, **kwargs)
            if isinstance(result, np.ndarray) and np.may_share_memory(result, whole):
                start = result.__array_interface__["data"][0] - whole.__array_interface__["data"][0]
                strides = tuple(s // root.dtype.itemsize for s in result.strides)
                root.stored = True
                return Value(result.shape, root.dtype, root=root, offset=start // root.dtype.itemsize, strides=strides)
            if function not in (np.reshape, np.ravel):
                return None
            value = self._copy(self.in_memory(value))
        return None

    def _elementwise(self, step: Step) -> Value | None:
        """A step whose function is made of instructions of the fused kernel."""
        function, args, result = step.function, step.args, step.outputs[0]
        if step.kwargs and not (function is np.clip and set(step.kwargs) <= {"min", "max", "a_min", "a_max"}):
            return None
        if function is cast:
            return self._cast(self.value(args[0]), result.dtype)
        if not all(isinstance(a, Noted | np.ndarray | np.generic | int | float) for a in args if a is not None):
            return None
        if function is np.where and len(args) == 3:
            dtype = computed(result.dtype)
            return dtype and self.emit("WHERE", args, dtype, result.dtype)
        if function is np.clip:
            low, high = (*args[1:], *step.kwargs.values(), None, None)[:2]
            dtype, value = computed(result.dtype), args[0]
            if dtype is None or len(step.kwargs) == 1:
                return None
            for limit, bound in (("MAX", low), ("MIN", high)):
                value = value if bound is None else self.emit(limit, [value, bound], dtype, result.dtype)
            return value if isinstance(value, Value) else None
        name: str | None = ELEMENTWISE.get(function)
        if function is np.power and isinstance(args[1], int | float) and args[1] in POWERS:
            name, args = POWERS[args[1]], args[:1]
        if name is None or len(args) > 2:
            return None
        if INSTRUCTIONS[name].kind == "truth":
            operands = np.result_type(*(a.dtype if isinstance(a, Noted) else a for a in args))
            dtype = computed(operands) if operands.kind != "b" else self._logical_dtype(args)
        else:
            dtype = computed(result.dtype) if result.dtype.kind != "b" else None
        whole = dtype is not None and dtype.kind in "iu"
        refused = whole and name == "POW"  # NumPy has no power of whole numbers that is not whole, the kernel rounds it
        if dtype is None or refused or INSTRUCTIONS[name].takes == ("REAL" if whole else "WHOLE"):
            return None
        return self.emit(name, args, dtype, result.dtype)

    def _logical_dtype(self, args: Sequence[Any]) -> np.dtype:
        """What to compute in where all operands are booleans: what they were computed in."""
        known = [v.computed_in for v in (self.value(a) for a in args if isinstance(a, Noted)) if v.computed_in]
        return known[0] if known else np.dtype("float32")

    def _cast(self, value: Value, dtype: np.dtype) -> Value | None:
        source = value.computed_in or computed(value.dtype)
        if dtype.kind == "b":
            return source and self.emit("NE", [value, 0.0], source, dtype)
        in_register = value.computed_in is not None and value.kind != "total"
        target = source if in_register else computed(dtype)
        if target is None or dtype not in DTYPES:
            return None
        return self.emit("SAME", [value], target, dtype)

    def emit(
        self, name: str, operands: Sequence[Any], dtype: np.dtype, result: np.dtype, kind: str = "full", total: Any = ()
    ) -> Value:
        """An instruction that computes in `dtype` and gives `result`.

        It gives an array like its operands, or a number for each "row", or a "total" of this shape.
        """
        values = [self._operand(operand) for operand in operands]
        shape = np.broadcast_shapes(*(v.shape for v in values if isinstance(v, Value)))
        shape = {"full": shape, "row": (*shape[:-1], 1), "total": total}[kind]
        value = Value(shape, result, computed_in=dtype, kind=kind, stored=kind == "total")
        self.items.append(Operation(name, value, values, dtype))
        return value

    def _operand(self, operand: Any) -> Value | float:
        if isinstance(operand, Value):
            return operand
        if isinstance(operand, bool | int | float):
            return float(operand)
        if isinstance(operand, np.ndarray | np.generic) and operand.size == 1 and operand.ndim == 0:
            return float(operand)
        return self.value(operand)

    def _reduction(self, step: Step, kind: str) -> Value | None:
        x, options = self.value(step.args[0]), dict(step.kwargs)
        if len(step.args) > 1:
            options["axis"] = step.args[1]
        if len(step.args) > 2 or set(options) - {"axis", "keepdims", "dtype"}:
            return None
        result, rank = step.outputs[0], len(x.shape)
        axis = options.get("axis")
        axes = tuple(range(rank)) if axis is None else tuple(a % rank for a in np.atleast_1d(axis).tolist())
        if rank == 0 or not axes:
            return None
        dtype = computed(x.dtype if kind in ("max", "min", "argmax", "argmin") else result.dtype)
        rows = axes == (rank - 1,) and rank > 1 and x.shape[-1] <= LIMITS["FUSED_ROW"]
        row = f"ROW_{kind.upper()}"
        if dtype is not None and rows and row in INSTRUCTIONS and not (kind == "mean" and dtype.kind in "iu"):
            value = self.emit(row, [x], dtype, result.dtype, kind="row")
        elif dtype is not None and kind in ("sum", "mean") and axes in (tuple(range(rank)), tuple(range(rank - 1))):
            name = "ADD_ALL" if len(axes) == rank else "ADD_COLUMNS"
            value = self.emit(name, [x], dtype, result.dtype, "total", result.shape)
            if kind == "mean":
                count = math.prod(x.shape[a] for a in axes)
                value = self.emit("DIV", [value, float(count)], dtype, result.dtype)
        else:
            if kind in ("sum", "mean", "prod") and x.dtype != result.dtype:
                x = self._cast(x, result.dtype)  # type: ignore[assignment]
            if x is None or x.dtype not in DTYPES:
                return None
            expected = {"argmax": "int64", "argmin": "int64", "any": "bool", "all": "bool"}.get(kind, x.dtype)
            if result.dtype != expected:
                return None
            x = self.in_memory(x)
            if kind in ("argmax", "argmin") and len(axes) > 1:
                x, axes = self._reshaped(self.in_memory(x, ordered=True), (math.prod(x.shape),)), (0,)
            kept = tuple(n for i, n in enumerate(x.shape) if i not in axes)
            value = Value(kept, result.dtype, stored=True)
            mask = sum(1 << a for a in axes)
            self.items.append(Call([value], [x], ("reduce", (_native.REDUCTIONS[kind], mask), ())))
        return value if value.shape == result.shape else self._reshaped(value, result.shape)

    def _reshaped(self, value: Value, shape: tuple[int, ...]) -> Value:
        """An array that lies in order, seen in another shape."""
        value.base.stored = True
        return Value(shape, value.base.dtype, root=value.base, offset=value.offset)

    def _joined(self, step: Step) -> Value | None:
        """concatenate and stack: a copy of each part into its place."""
        axis = step.kwargs.get("axis", step.args[1] if len(step.args) > 1 else 0)
        parts = [self.in_memory(self.value(x)) for x in step.args[0]]
        result = step.outputs[0]
        if axis is None or set(step.kwargs) - {"axis"} or len(result.shape) > LIMITS["MAX_RANK"]:
            return None
        axis %= len(result.shape)
        whole = Value(result.shape, result.dtype, stored=True)
        start = 0
        for part in parts:
            shape = part.shape if step.function is np.concatenate else (*part.shape[:axis], 1, *part.shape[axis:])
            size = shape[axis]
            if step.function is np.stack:
                strides = (*part.strides[:axis], 0, *part.strides[axis:])
                part = Value(shape, part.dtype, root=part.base, offset=part.offset, strides=strides)
            place = Value(shape, whole.dtype, root=whole, offset=start * whole.strides[axis], strides=whole.strides)
            if math.prod(shape):
                self.items.append(Call([place], [part], ("copy", (), ()), along=parts))
            start += size
        return whole

    def _added(self, step: Step) -> Value | None:
        """An array with others added to a part of it, as the gradients of slices are."""
        array, index, values = step.args
        result = step.outputs[0]
        plain = isinstance(index, tuple) and all(i is None or i is ... or type(i) in (int, slice) for i in index)
        alike = isinstance(values, Noted) and values.dtype == result.dtype == computed(result.dtype)
        if not (plain and alike):
            return None
        before = self._view_of(self.value(array), operator.getitem, index)
        if before is None or before.shape != values.shape:
            return None
        total = self.in_memory(self.emit("ADD", [before, values], result.dtype, result.dtype))
        whole = self._copy(self.in_memory(self.value(array)))
        place = self._view_of(whole, operator.getitem, index)
        self.items.append(Call([place], [total], ("copy", (), ()), along=[whole]))
        return whole

    def _picked(self, step: Step) -> Value | None:
        """One element of each row, by its index; NaN where the index is outside."""
        if len(step.args) != 2 or set(step.kwargs) - {"axis"}:
            return None
        x, places = (self.value(a) for a in step.args)
        dtype, rank = computed(x.dtype), len(x.shape)
        axis = step.kwargs.get("axis", -1)
        if dtype is None or dtype.kind != "f" or axis is None or rank < 2 or x.shape[-1] > LIMITS["FUSED_ROW"]:
            return None
        if axis % rank != rank - 1 or places.shape != (*x.shape[:-1], 1):
            return None
        return self.emit("ROW_PICK", [x, places], dtype, x.dtype, kind="row")
