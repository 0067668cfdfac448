"""Passes over a recording with loops: what is read of them, what two share, what need not be summed turn by turn."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from .instructions import VIEWS
from .loops import Loop
from .recording import Kernel, Noted, Step, arrays_in, identity


def simplified(steps: Sequence[Step], outputs: Sequence[Any]) -> list[Step]:
    """The steps that the outputs depend on, in order, with as little as possible in their loops."""
    steps = needed(steps, outputs)
    if not any(isinstance(step.function, Loop) for step in steps):
        return steps
    found: list[Step] = []
    for step in steps:
        if isinstance(step.function, Loop):
            loop = step.function
            step = replace(step, function=replace(loop, steps=simplified(loop.steps, loop.outputs)))
            for i, earlier in enumerate(found):
                if isinstance(earlier.function, Loop):
                    found[i], step = shared(earlier, step)
        found.append(step)
    summed: list[Step] = []
    for step in found:
        summed += after_the_loop(step) if isinstance(step.function, Loop) else [step]
    return needed(summed, outputs)


# ------------------------------------------------------------------------------------------------------ what is read


def needed(steps: Sequence[Step], outputs: Sequence[Any]) -> list[Step]:
    """The steps that the outputs depend on, in order; of loops only those results, carries and slices."""
    wanted = {id(r) for r in arrays_in(list(outputs), Noted)}
    kept = []
    for step in reversed(steps):
        if any(id(r) in wanted for r in step.outputs):
            if isinstance(step.function, Loop):
                step = _pruned(step, step.function, wanted)
            kept.append(step)
            wanted.update(id(r) for r in arrays_in([step.args, step.kwargs], Noted))
    return kept[::-1]


def _pruned(step: Step, loop: Loop, wanted: set[int]) -> Step:
    """A loop without what nobody wants."""
    n = loop.carries
    keep = {i for i, r in enumerate(step.outputs) if id(r) in wanted}
    while True:
        outputs = [loop.outputs[i] for i in sorted(keep)]
        steps = needed(loop.steps, outputs)
        read = {id(r) for r in arrays_in([outputs, [[s.args, s.kwargs] for s in steps]], Noted)}
        more = {i for i in range(n) if id(loop.inputs[i]) in read} - keep
        if not more:
            break
        keep |= more
    taken = [i for i, r in enumerate(loop.inputs) if (i in keep if i < n else id(r) in read)]
    pruned = Loop(
        [loop.inputs[i] for i in taken],
        steps,
        outputs,
        carries=sum(i < n for i in taken),
        slices=sum(n <= i < n + loop.slices for i in taken),
        length=loop.length,
        reverse=loop.reverse,
    )
    return Step(pruned, tuple(step.args[i] for i in taken), {}, [step.outputs[i] for i in sorted(keep)])


def _stacks(step: Step) -> dict[int, Any]:
    """By id of an array of a loop's body, that of all turns, where the loop takes or gives it."""
    loop, n = step.function, step.function.carries
    stacks = dict(zip(map(id, loop.inputs[n : n + loop.slices]), step.args[n:], strict=False))
    stacks.update(zip(map(id, loop.outputs[n:]), step.outputs[n:], strict=True))
    return stacks


def _with_results(step: Step, values: Sequence[Noted]) -> tuple[Step, list[Any]]:
    """The loop with these arrays of its body among its results, and those of all turns."""
    loop, known = step.function, _stacks(step)
    new = [v for v in dict.fromkeys(values) if id(v) not in known]
    stacks = [Noted((loop.length, *v.shape), v.dtype) for v in new]
    known.update(zip(map(id, new), stacks, strict=True))
    loop = replace(loop, outputs=[*loop.outputs, *new])
    return Step(loop, step.args, {}, [*step.outputs, *stacks]), [known[id(v)] for v in values]


# --------------------------------------------------------------------------------------------------- what two share


def shared(first: Step, second: Step) -> tuple[Step, Step]:
    """Two loops where the second takes from the first what it would compute again: what a gradient needs of values."""
    a, b = first.function, second.function
    if a.length != b.length:
        return first, second
    n, m = b.carries, b.carries + b.slices
    in_a = dict(zip(map(id, first.args[a.carries :]), a.inputs[a.carries : a.carries + a.slices], strict=False))
    in_a.update(zip(map(id, first.outputs[a.carries :]), a.outputs[a.carries :], strict=True))
    same = {id(r): in_a[id(x)] for r, x in zip(b.inputs[n:m], second.args[n:m], strict=True) if id(x) in in_a}
    captured = {id(r): r for r in b.inputs[m:]}
    known = {_key(s, {}): s for s in a.steps}
    again: list[Step] = []
    rest: list[Step] = []
    for step in b.steps:
        read = arrays_in([step.args, step.kwargs], Noted)
        alike = all(id(r) in same or id(r) in captured for r in read) and known.get(_key(step, same))
        if alike:
            same.update(zip(map(id, step.outputs), alike.outputs, strict=True))
        (again if alike else rest).append(step)
    makers = {id(r): step for step in again for r in step.outputs}
    taken: dict[int, Noted] = {}
    views: list[Step] = []

    def take(value: Noted) -> None:
        maker = makers.pop(id(value), None)
        if maker is None:
            return
        if maker.function in VIEWS:
            for r in arrays_in(list(maker.args), Noted):
                take(r)
            views.append(maker)
        else:
            taken[id(value)] = value

    for r in arrays_in([b.outputs, [[s.args, s.kwargs] for s in rest]], Noted):
        take(r)
    if not taken:
        return first, second
    first, stacks = _with_results(first, [same[i] for i in taken])
    inputs = [*b.inputs[:m], *taken.values(), *b.inputs[m:]]
    b = replace(b, inputs=inputs, steps=[*views, *rest], slices=b.slices + len(taken))
    return first, Step(b, (*second.args[:m], *stacks, *second.args[m:]), {}, second.outputs)


def _key(step: Step, same: dict[int, Noted]) -> Any:
    """Something that is equal for steps that compute the same, where some arrays are the same as others."""
    function: Any = step.function
    if isinstance(function, Kernel):
        function = (function.name, tuple(function.ints), tuple(function.reals), str(function.outputs))

    def name(r: Noted) -> int:
        return id(same.get(id(r), r))

    return function, identity(step.args, name), identity(list(step.kwargs.items()), name)


# ------------------------------------------------------------------------------------------- sums after the last turn


def after_the_loop(step: Step) -> list[Step]:
    """A loop whose sums of products, such as the gradients of matrices, are computed of all turns at once, after it.

    Other sums, such as the gradients of biases, only if what they are of is there for all turns anyway.
    """
    loop = step.function
    body = _Body(loop)
    terms = [body.terms(new, old) for new, old in zip(loop.outputs, loop.inputs[: loop.carries], strict=False)]
    sums = [[found for term in carry if (found := body.sum_of(term))] for carry in terms]
    after: list[Step] = []
    for i in sorted(range(loop.carries), key=lambda i: any(not found.product for found in sums[i])):
        known = _stacks(step)
        able = [found for found in sums[i] if found.product or id(found.operands[0]) in known]
        if not terms[i] or len(able) < len(terms[i]):
            continue
        parts: list[Any] = []
        for found in sums[i]:
            step, stacks = _with_results(step, found.operands)
            parts.append(found.over_all(stacks, after))
        start = step.args[i]
        if not isinstance(start, np.ndarray) or start.any():
            parts.append(start)
        total = parts[0]
        for part in parts[1:]:
            total = _then(after, total, np.add, total, part)
        after[-1].outputs[:] = [step.outputs[i]]
        step.outputs[i] = Noted(total.shape, total.dtype)
    return [step, *after]


def _then(steps: list[Step], like: Noted, function: Any, *args: Any, shape: Any = None, **kwargs: Any) -> Noted:
    """Another step, of whose result the shape, if it is another one, and the dtype are known."""
    made = Noted(like.shape if shape is None else shape, like.dtype)
    steps.append(Step(function, args, kwargs, [made]))
    return made


@dataclass(eq=False)
class _Sum:
    """A term of a sum over turns: a^T b, or the sum of `a` over its first axes."""

    term: Noted
    maker: Step
    operands: list[Noted]
    summed: int  # the size of what each turn sums over

    @property
    def product(self) -> bool:
        return isinstance(self.maker.function, Kernel)

    def over_all(self, stacks: Sequence[Any], after: list[Step]) -> Noted:
        """The sum of all turns' terms."""
        flat = []
        for stack, operand in zip(stacks, self.operands, strict=True):
            rows = stack.shape[0] * self.summed
            shape = (rows, math.prod(stack.shape) // rows)
            flat.append(_then(after, operand, np.reshape, stack, shape, shape=shape))
        if self.product:
            left = _then(after, flat[0], np.transpose, flat[0], (1, 0), shape=flat[0].shape[::-1])
            total = _then(after, self.maker.outputs[0], self.maker.function, left, flat[1], None)
        else:
            dtype = self.maker.outputs[0].dtype
            total = _then(after, self.term, np.sum, flat[0], axis=(0,), dtype=dtype, shape=flat[0].shape[1:])
        return total if total.shape == self.term.shape else _then(after, self.term, np.reshape, total, self.term.shape)


class _Body:
    """What is made by which step of a loop's body, and how often it is read."""

    def __init__(self, loop: Loop) -> None:
        self.makers = {id(r): s for s in loop.steps for r in s.outputs}
        self.varying = self.makers.keys() | {id(r) for r in loop.inputs[: loop.carries + loop.slices]}
        read = arrays_in([loop.outputs, [[s.args, s.kwargs] for s in loop.steps]], Noted)
        self.reads = Counter(map(id, read))

    def terms(self, new: Any, old: Noted) -> list[Noted]:
        """What is added to a carry where nothing else is done with it; nothing where it is another carry."""
        terms, sums, started = [], [new], False
        while sums:
            value = sums.pop()
            maker = self.makers.get(id(value))
            once = isinstance(value, Noted) and value.shape == old.shape and self.reads[id(value)] == 1
            if value is old and once and not started:
                started = True
            elif maker is not None and maker.function is np.add and once:
                sums += maker.args
            elif isinstance(value, Noted):
                terms.append(value)
            else:
                return []
        return terms if started else []

    def sum_of(self, term: Noted) -> _Sum | None:
        """The term as a sum that can be taken over all turns as well."""
        maker = self.makers.get(id(self.origin(term)))
        operands: list[Any] = []
        if maker is None:
            return None
        if isinstance(maker.function, Kernel) and maker.function.name == "gemm" and list(maker.function.ints) == [0]:
            left, right, bias = maker.args
            turned = self.makers.get(id(left))
            if bias is None and left.ndim == 2 and turned is not None and turned.function is np.transpose:
                operands, summed = [turned.args[0], right], left.shape[1]
        elif maker.function is np.sum and len(maker.args) == 1:
            axes = maker.kwargs.get("axis")
            x = maker.args[0]
            if axes is not None and axes == tuple(range(len(axes))):
                operands, summed = [x], math.prod(x.shape[: len(axes)])
        operands = [self.origin(x) for x in operands]
        if not operands or not all(id(x) in self.varying for x in operands):
            return None
        return _Sum(term, maker, operands, summed)

    def origin(self, value: Any) -> Any:
        """What a value was before it was given another shape."""
        while (maker := self.makers.get(id(value))) is not None and maker.function is np.reshape:
            value = maker.args[0]
        return value
