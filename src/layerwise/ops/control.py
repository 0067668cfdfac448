"""Control flow that backends can compile."""

from __future__ import annotations

import contextlib
import functools
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .. import tree
from ..autograd import (
    Array,
    Assigned,
    Captures,
    Node,
    Spec,
    Tensor,
    as_tensor,
    broadcast_shapes,
    broadcast_to,
    captured_in,
    captures,
    primitive,
    raw,
    reshape,
    resolved,
    vjp,
    with_unknown_sizes,
)
from ..autograd import jvp as derivative_along
from ..backends import backend, xp
from ..dtypes import is_float
from ..naming import expect
from .indexing import take
from .shaping import concatenate, flip, moveaxis

__all__ = [
    "associative_scan", "cond", "fori_loop", "jvp", "map", "scan", "switch", "vectorize", "vectorized_map",
    "while_loop",
]  # fmt: skip

Body = Callable[[list[Tensor], list[Tensor]], tuple[list[Tensor], list[Tensor]]]


@dataclass
class Loop:
    """One scan: what a step does, and how its operands (carry, xs, captured) and results (carry, ys) are laid out."""

    body: Body
    carries: int
    inputs: int
    scope: Captures  # in which the body was looked at: that of the loop around this one, and what the body reads
    captured: list[Node]  # the nodes of the Tensors that the body refers to, which operands stand in for
    results: list[Spec]  # of one step: carry, then y
    length: int
    reverse: bool
    keeps_carries: bool = False  # also return the carry before each step, for the gradient

    def split(self, operands: Sequence[Any]) -> tuple[list[Any], list[Any], list[Any]]:
        n, m = self.carries, self.carries + self.inputs
        return list(operands[:n]), list(operands[n:m]), list(operands[m:])

    def inside(self, captured: Sequence[Tensor]) -> contextlib.AbstractContextManager[None]:
        """For a run of the body: what it captured is replaced by `captured`."""
        replacements = dict(zip(self.captured, captured, strict=True))
        return captured_in(Captures(self.scope.outer, self.scope.variables, replacements))


def scan(
    f: Callable[[Any, Any], tuple[Any, Any]],
    init: Any,
    xs: Any = None,
    length: int | None = None,
    reverse: bool = False,
    unroll: int | bool = 1,
) -> tuple[Any, Any]:
    """carry, y_t = f(carry, x_t) for every t; returns the last carry and the y's, stacked

    `init`, `xs` and the y's may be nested; the xs share their first size, the number of steps (or `length`). The body
    is looked at once with symbolic values, so it may not branch on them; what it assigns to variables, such as the
    state of a seed, the next step finds. Gradients flow to `init`, `xs` and whatever the body refers to; a scan in
    reverse computes them, which runs the body again from the carry before each step. `unroll` has no effect.

    >>> total, sums = scan(lambda carry, x: (carry + x, carry + x), 0.0, [1.0, 2.0, 3.0])
    >>> total.item(), sums
    (6.0, Tensor([1., 3., 6.], shape=(3,), dtype=float32))
    """
    expect("scan: unroll", unroll, unroll >= 0, "a whole number or True")
    if isinstance(xs, list) and xs and all(isinstance(x, int | float) for x in tree.flatten(xs)):
        xs = as_tensor(xs)
    carry = [as_tensor(c) for c in tree.flatten(init)]
    own, assigned = len(carry), Assigned()
    inputs = [] if xs is None else [as_tensor(x) for x in tree.flatten(xs)]
    sizes = {x.shape[0] for x in inputs} | ({length} if length is not None else set())
    if len(sizes) != 1:
        raise ValueError(
            f"scan: the number of steps is not clear: first sizes of xs and length are {sorted(str(n) for n in sizes)}"
        )
    (steps,) = sizes
    structure: list[Any] = [None]

    def body(c: list[Tensor], x: list[Tensor]) -> tuple[list[Tensor], list[Tensor]]:
        with assigned.starting_from(c[own:]):
            new, y = f(tree.pack_sequence_as(init, c[:own]), None if xs is None else tree.pack_sequence_as(xs, x))
            new = [*tree.flatten(new), *(assigned.values() if len(c) > own else ())]
        structure[0] = y
        ys = [t for t in tree.flatten(y) if t is not None]
        return [resolved(as_tensor(t)) for t in new], [resolved(as_tensor(t)) for t in ys]

    def look(specs: list[Spec]) -> list[Spec]:
        c, y = body([Tensor(s) for s in specs[: len(carry)]], [Tensor(s) for s in specs[len(carry) :]])
        for i, (before, after) in enumerate(zip(specs, c, strict=False)):
            if (before.shape, before.dtype) != (after.shape, after.dtype):
                raise TypeError(
                    f"scan: carry {i} changes from {before.dtype} {before.shape} to {after.dtype} {after.shape} "
                    "in one step; shape and dtype must stay (start from a value with the final ones)"
                )
        return [Spec(t.shape, t.dtype) for t in (*c, *y)]

    specs = [Spec(c.shape, c.dtype) for c in carry] + [Spec(x.shape[1:], x.dtype) for x in inputs]
    met: dict[Node, Tensor] = {}
    scope = Captures(captures.get(), {}, {}, met)
    with captured_in(scope), assigned.found():
        results = with_unknown_sizes(look, specs)
    carry += assigned.values()
    n = len(carry)
    results[own:own] = [Spec(c.shape, c.dtype) for c in carry[own:]]

    def arranged(values: list[Tensor]) -> tuple[Any, Any]:
        ys = iter(values[n:])
        y = tree.map_structure(lambda t: None if t is None else next(ys), structure[0])
        assigned.assign(values[own:n])
        return tree.pack_sequence_as(init, values[:own]), y

    operands = [*carry, *inputs, *met.values()]
    if any(t.symbolic for t in operands):
        stacked = [Spec((steps, *s.shape), s.dtype) for s in results[n:]]
        return arranged([Tensor(s) for s in (*results[:n], *stacked)])
    recorded = any(t.tape is not None for t in operands)
    loop = Loop(body, n, len(inputs), scope, list(met), results, steps, reverse, keeps_carries=recorded)
    outputs = _scan(*operands, loop=loop)
    return arranged(list(outputs)[: len(results)])


@primitive
def _scan(*operands: Array, loop: Loop) -> Any:
    """carry, y_t = body(carry, x_t) for every t -> (last carry, ys, and, where kept, the carries before each step)"""
    carry, inputs, captured = loop.split(operands)
    kept = loop.results[: loop.carries] if loop.keeps_carries else []
    if loop.length == 0:
        return (*carry, *(xp().zeros((0, *s.shape), s.dtype) for s in (*loop.results[loop.carries :], *kept)))

    def step(c: list[Any], x: list[Any]) -> tuple[list[Any], list[Any]]:
        with loop.inside([Tensor(v) for v in captured]):
            new, y = loop.body([Tensor(v) for v in c], [Tensor(v) for v in x])
        return [raw(t) for t in new], [raw(t) for t in y] + (list(c) if kept else [])

    last, ys = backend().scan(step, carry, inputs, loop.length, loop.reverse)
    return (*last, *ys)


@_scan.gradient
def _(g, operands, y, *, loop):
    n = loop.carries
    carry, inputs, captured = loop.split(operands)
    ys = len(loop.results) - n
    carries = list(y[n + ys :])

    def smooth(tensors: Sequence[Tensor]) -> list[int]:
        return [i for i, t in enumerate(tensors) if is_float(t.dtype)]

    by_carry, by_input, by_captured = smooth(carry), smooth(inputs), smooth(captured)
    asked = [i for i in range(ys) if g[n + i] is not None]  # which ys have a gradient
    emitted = [i for i in by_carry if g[n + ys + i] is not None]  # which carries do, in higher derivatives

    def back(state: Any, slices: Any) -> Any:
        g_carry, g_captured = state
        c, x, g_y, g_emitted = slices

        def smooth_step(*leaves: Tensor) -> list[Tensor]:
            values = iter(leaves)
            c_in = [next(values) if i in by_carry else t for i, t in enumerate(c)]
            x_in = [next(values) if i in by_input else t for i, t in enumerate(x)]
            held = [next(values) if i in by_captured else t for i, t in enumerate(captured)]
            with loop.inside(held):
                new, out = loop.body(c_in, x_in)
            return [new[i] for i in by_carry] + [out[i] for i in asked]

        leaves = [c[i] for i in by_carry] + [x[i] for i in by_input] + [captured[i] for i in by_captured]
        _, pull = vjp(smooth_step, *leaves)
        parts = pull([*g_carry, *g_y])
        to_carry, to_input = parts[: len(by_carry)], parts[len(by_carry) : len(by_carry) + len(by_input)]
        for i, part in zip(emitted, g_emitted, strict=True):
            place = by_carry.index(i)
            to_carry[place] = to_carry[place] + part
        to_captured = [a + b for a, b in zip(g_captured, parts[len(by_carry) + len(by_input) :], strict=True)]
        return (to_carry, to_captured), to_input

    def zeros(t: Tensor) -> Tensor:
        return Tensor(xp().zeros(t.shape, t.dtype))

    start = (
        [g[i] if g[i] is not None else zeros(carry[i]) for i in by_carry],
        [zeros(captured[i]) for i in by_captured],
    )
    slices = (carries, inputs, [g[n + i] for i in asked], [g[n + ys + i] for i in emitted])
    (g_carry, g_captured), g_inputs = scan(back, start, slices, loop.length, reverse=not loop.reverse)

    def spread(parts: Sequence[Tensor], places: list[int], count: int) -> list[Tensor | None]:
        return [parts[places.index(i)] if i in places else None for i in range(count)]

    return (
        *spread(g_carry, by_carry, n),
        *spread(g_inputs, by_input, loop.inputs),
        *spread(g_captured, by_captured, len(captured)),
    )


def map(f: Callable[[Any], Any], xs: Any) -> Any:
    """y_t = f(x_t) for every t along the first axis of xs, stacked; one after the other, as a `scan` without a carry

    >>> map(lambda x: x * x, [1.0, 2.0, 3.0])
    Tensor([1., 4., 9.], shape=(3,), dtype=float32)
    """
    return scan(lambda carry, x: (carry, f(x)), [], xs)[1]


def vectorized_map(function: Callable[[Any], Any], elements: Any) -> Any:
    """y_t = function(x_t) for every t along the first axis of `elements`, stacked; the same as `map`"""
    return map(function, elements)


def vmap(f: Callable[..., Any], in_axes: Any = 0, out_axes: int = 0) -> Callable[..., Any]:
    """x -> the results of f for every entry along an axis of its arguments, stacked along `out_axes`; a `map`

    in_axes: along which axis, one for all arguments or one for each; None: f gets this argument as it is. An argument
    may hold several arrays, in lists and dicts.

    >>> vmap(lambda row, scale: row.sum() * scale, in_axes=(0, None))(as_tensor([[1.0, 2.0], [3.0, 4.0]]), 10.0)
    Tensor([30., 70.], shape=(2,), dtype=float32)
    """

    def mapped(*args: Any) -> Any:
        axes = in_axes if isinstance(in_axes, list | tuple) else [in_axes] * len(args)
        moved = [_moved(a, n, 0) for a, n in zip(args, axes, strict=True) if n is not None]

        def one(entries: list[Any]) -> Any:
            rest = iter(entries)
            return f(*(a if n is None else next(rest) for a, n in zip(args, axes, strict=True)))

        return _moved(map(one, moved), 0, out_axes)

    return mapped


def _moved(structure: Any, source: int, destination: int) -> Any:
    return tree.map_structure(lambda x: moveaxis(as_tensor(x), source, destination), structure)


def cond(pred: Any, true_fn: Callable[[], Any], false_fn: Callable[[], Any]) -> Any:
    """true_fn() where pred holds, else false_fn(): Python's `if`

    The predicate has to have a value when it is computed: on the data of a compiled step, use `where`.

    >>> cond(2 > 1, lambda: "yes", lambda: "no")
    'yes'
    """
    if (pred := as_tensor(pred)).symbolic:
        return _common(true_fn(), false_fn())
    return true_fn() if bool(pred) else false_fn()


def switch(index: Any, branches: Sequence[Callable[..., Any]], *operands: Any) -> Any:
    """branches[index](*operands), with the index brought into range; it has to have a value, as in `cond`"""
    if (index := as_tensor(index)).symbolic:
        return _common(*(branch(*operands) for branch in branches))
    return branches[min(max(int(index), 0), len(branches) - 1)](*operands)


def _common(first: Any, *others: Any) -> Any:
    """What is known of a result before it is known which of these it will be: they have one form."""
    form, *forms = (tree.map_structure(lambda y: Spec((t := as_tensor(y)).shape, t.dtype), r) for r in (first, *others))
    if any(other != form for other in forms):
        raise ValueError(f"the branches return {', '.join(str(f) for f in (form, *forms))}; expected one form")
    return tree.map_structure(Tensor, form)


def fori_loop(lower: int, upper: int, body_fun: Callable[[int, Any], Any], init_val: Any) -> Any:
    """value = body_fun(i, value) for i = lower ... upper - 1, from init_val: Python's loop, unrolled in compiled steps

    >>> fori_loop(0, 3, lambda i, value: value * 2 + i, 1).item()
    12
    """
    value = tree.map_structure(as_tensor, init_val)
    for i in range(int(lower), int(upper)):
        value = body_fun(i, value)
    return value


def while_loop(
    cond: Callable[..., Any], body: Callable[..., Any], loop_vars: Any, maximum_iterations: int | None = None
) -> Any:
    """loop_vars = body(*loop_vars) while cond(*loop_vars) holds: Python's loop

    At most `maximum_iterations` times. The condition has to have a value, as in `cond`; gradients flow through
    every turn.

    >>> i, n = while_loop(lambda i, n: i < 3, lambda i, n: (i + 1, n * 2), (0, 1))
    >>> n.item()
    8
    """
    several = isinstance(loop_vars, list | tuple)
    state, turns = tuple(tree.map_structure(as_tensor, loop_vars if several else [loop_vars])), 0
    while maximum_iterations is None or turns < maximum_iterations:
        if (goes_on := as_tensor(cond(*state))).symbolic:
            state = _common(state)
            break
        if not bool(goes_on):
            break
        result = body(*state)
        state, turns = tuple(result) if several else (result,), turns + 1
    return tree.sequence_like(loop_vars, state) if several else state[0]


def jvp(fun: Callable[..., Any], primals: Sequence[Any], tangents: Sequence[Any], has_aux: bool = False) -> Any:
    """(fun(x), sum over j of d fun(x) / dx_j t_j): how fun changes at the primals x in the direction of the tangents t

    has_aux: fun returns (y, something else), and that comes as a third.

    >>> jvp(lambda x, y: x * y, (2.0, 3.0), (1.0, 10.0))[1].item()
    23.0
    """
    if not has_aux:
        return derivative_along(fun, primals, tangents)
    others = []

    def first(*x: Any) -> Any:
        y, other = fun(*x)
        others.append(other)
        return y

    return (*derivative_along(first, primals, tangents), others[0])


def associative_scan(f: Callable[[Any, Any], Any], elems: Any, reverse: bool = False, axis: int = 0) -> Any:
    """y_t = f(... f(f(x_0, x_1), x_2) ..., x_t) for every t along `axis`, for f with f(a, f(b, c)) = f(f(a, b), c)

    f takes and returns many entries at once, along `axis`; `elems` may hold several arrays. Pairs are joined, the rest
    is an associative scan of these: log2(n) steps, each of many entries (Blelloch 1990). reverse: from the last one on.

    >>> associative_scan(lambda a, b: a + b, [1, 2, 3, 4])
    Tensor([ 1,  3,  6, 10], shape=(4,), dtype=int32)
    """
    if isinstance(elems, list) and elems and all(isinstance(x, int | float) for x in tree.flatten(elems)):
        elems = as_tensor(elems)
    elems = tree.map_structure(as_tensor, elems)

    def part(xs: Any, start: int | None, stop: int | None = None, step: int | None = None) -> Any:
        return tree.map_structure(lambda x: x[(*(slice(None),) * (axis % x.ndim), slice(start, stop, step))], xs)

    def woven(first: Tensor, second: Tensor) -> Tensor:
        m, n = first.shape[axis], second.shape[axis]
        order = np.argsort(np.concatenate([np.arange(m) * 2, np.arange(n) * 2 + 1]))
        return take(concatenate([first, second], axis=axis), order, axis=axis)

    def scanned(xs: Any) -> Any:
        count = tree.flatten(xs)[0].shape[axis]
        if count < 2:
            return xs
        odd = scanned(f(part(xs, 0, -1, 2), part(xs, 1, None, 2)))
        if count == 2:
            return tree.map_structure(woven, part(xs, 0, 1), odd)
        even = f(odd if count % 2 else part(odd, 0, -1), part(xs, 2, None, 2))
        even = tree.map_structure(lambda a, b: concatenate([a, b], axis=axis), part(xs, 0, 1), even)
        return tree.map_structure(woven, even, odd)

    def turned(xs: Any) -> Any:
        return tree.map_structure(lambda x: flip(x, axis=axis), xs) if reverse else xs

    return turned(scanned(turned(elems)))


def vectorize(pyfunc: Callable[..., Any], *, excluded: Any = None, signature: str | None = None) -> Callable[..., Any]:
    """The function that applies pyfunc to every entry of its arguments, which broadcast; a `map`

    signature: what pyfunc takes and gives, "(n),(n)->()" for one of two vectors that returns a number; without it
    numbers. excluded: the places, or names, of arguments that it gets as they are, as it does all that are given by
    name.

    >>> vectorize(lambda x, y: (x * y).sum(), signature="(n),(n)->()")([[1.0, 2.0], [3.0, 4.0]], [1.0, 10.0])
    Tensor([21., 43.], shape=(2,), dtype=float32)
    """
    excluded = set(excluded or ())
    inner = (
        None
        if signature is None
        else [len(re.findall(r"\w+", c)) for c in re.findall(r"\(.*?\)", signature.split("->")[0])]
    )

    @functools.wraps(pyfunc)
    def vectorized(*args: Any, **kwargs: Any) -> Any:
        places = [i for i in range(len(args)) if i not in excluded]
        given = [as_tensor(args[i]) for i in places]
        depths = [0] * len(given) if inner is None else inner
        if len(depths) != len(given):
            raise ValueError(f"vectorize: signature: got {signature!r} for {len(given)} arguments")
        outer = [x.shape[: x.ndim - depth] for x, depth in zip(given, depths, strict=True)]
        shape = broadcast_shapes("vectorize", *outer)
        entries = [
            reshape(broadcast_to(x, (*shape, *x.shape[x.ndim - d :])), (-1, *x.shape[x.ndim - d :]))
            for x, d in zip(given, depths, strict=True)
        ]

        def one(xs: list[Any]) -> Any:
            arguments = list(args)
            for i, x in zip(places, xs, strict=True):
                arguments[i] = x
            return pyfunc(*arguments, **kwargs)

        return tree.map_structure(lambda y: reshape(y, (*shape, *y.shape[1:])), map(one, entries))

    return vectorized
