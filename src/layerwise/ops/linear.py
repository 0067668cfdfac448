"""Products of matrices and tensors."""

from __future__ import annotations

import math
import string
from collections.abc import Sequence
from typing import Any

from ..autograd import Array, Spec, Tensor, as_tensor, broadcast_shapes, broadcast_to, cast, primitive, reshape, sum_to
from ..backends import backend, xp
from ..dtypes import is_float
from .activation import act_grad
from .reduction import sum
from .shaping import concatenate, diagonal, expand_dims, moveaxis, roll, squeeze, swapaxes, transpose

__all__ = [
    "cross", "dense", "dot", "einsum", "inner", "matmul", "outer", "tensordot", "trace", "vdot",
]  # fmt: skip


def matmul(x1: Any, x2: Any) -> Tensor:
    """y[..., i, j] = sum over k of x1[..., i, k] x2[..., k, j]; a vector is a row on the left, a column on the right

    Products of int8 with int8 are int32.

    >>> matmul([[1.0, 2.0]], [3.0, 4.0])
    Tensor([11.], shape=(1,), dtype=float32)
    """
    a, b = as_tensor(x1), as_tensor(x2)
    if a.ndim == 0 or b.ndim == 0:
        raise ValueError(f"matmul: expected at least one dimension on both sides, got shapes {a.shape} and {b.shape}")
    a, b = _widened([a, b])
    if a.ndim > 1 and b.ndim > 1:
        return _matmul(a, b)
    y = _matmul(a if a.ndim > 1 else expand_dims(a, 0), b if b.ndim > 1 else expand_dims(b, 1))
    return squeeze(y, [axis for axis, x in ((-2, a), (-1, b)) if x.ndim == 1])


def _widened(factors: Sequence[Tensor]) -> list[Tensor]:
    """The factors of a sum of products, int8 as int32, which holds what they sum to."""
    is_short = all(x.dtype == "int8" for x in factors)
    return [cast(x, "int32") for x in factors] if is_short else list(factors)


@primitive(promote=True)
def _matmul(a: Array, b: Array) -> Array:
    """y = a @ b, for a (..., i, k) and b (..., k, j)"""
    return backend().matmul(a, b)


@_matmul.gradient
def _(g, a, b):
    return (
        lambda: sum_to(_matmul(g, swapaxes(b, -1, -2)), shape=a.shape),
        lambda: sum_to(_matmul(swapaxes(a, -1, -2), g), shape=b.shape),
    )


@_matmul.shape
def _(a, b):
    if a.shape[-1] != b.shape[-2]:
        raise ValueError(
            f"matmul: the inner sizes of shapes {a.shape} and {b.shape} differ: {a.shape[-1]} against {b.shape[-2]}"
        )
    return Spec((*broadcast_shapes("matmul", a.shape[:-2], b.shape[:-2]), a.shape[-2], b.shape[-1]), b.dtype)


@primitive(promote=True)
def dense(x: Array, w: Array, b: Array = None, *, act: str | None = None) -> Array:
    """y = act(x @ w + b)    x (..., n), w (n, m), b (m,) or None -> (..., m)"""
    return backend().dense(x, w, b, act)


@dense.gradient
def _(g, y, x, w, b_shape, *, act):
    g = act_grad(g, y, act=act)
    rows = reshape(g, (-1, g.shape[-1]))
    return (
        lambda: _matmul(g, swapaxes(w, 0, 1)),
        lambda: _matmul(swapaxes(reshape(x, (-1, x.shape[-1])), 0, 1), rows),
        lambda: sum_to(rows, shape=b_shape),
    )


@dense.shape
def _(x, w, b=None, *, act=None):
    if x.shape[-1] != w.shape[0]:
        raise ValueError(
            f"dense: x of shape {x.shape} has {x.shape[-1]} features, expected {w.shape[0]} for w of shape {w.shape}"
        )
    return Spec((*x.shape[:-1], w.shape[1]), w.dtype)


def dot(x1: Any, x2: Any) -> Tensor:
    """y = the sum over x1's last axis and x2's second to last, or only, axis"""
    a, b = as_tensor(x1), as_tensor(x2)
    if a.ndim == 0 or b.ndim == 0:
        return a * b
    return tensordot(a, b, [[-1], [b.ndim - 2 if b.ndim > 1 else 0]])


def outer(x1: Any, x2: Any) -> Tensor:
    """y[i, j] = x1[i] x2[j]"""
    return reshape(as_tensor(x1), (-1, 1)) * reshape(as_tensor(x2), (1, -1))


def inner(x1: Any, x2: Any) -> Tensor:
    """y[i, j] = sum over k of x1[i, k] x2[j, k]"""
    a, b = as_tensor(x1), as_tensor(x2)
    return a * b if a.ndim == 0 or b.ndim == 0 else tensordot(a, b, [[-1], [-1]])


def vdot(x1: Any, x2: Any) -> Tensor:
    """y = sum of x1 x2 over all elements"""
    return dot(reshape(as_tensor(x1), (-1,)), reshape(as_tensor(x2), (-1,)))


def cross(x1: Any, x2: Any, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: int | None = None) -> Tensor:
    """y = (a_1 b_2 - a_2 b_1, a_2 b_0 - a_0 b_2, a_0 b_1 - a_1 b_0), vectors a of x1 and b of x2

    They lie along `axisa` of x1 and `axisb` of x2, and in y along `axisc`; or all along `axis`. The third number of one
    of size 2 is 0; of two such vectors y is the third number alone.

    >>> cross([1.0, 0.0, 0.0], [0.0, 1.0, 0.0])
    Tensor([0., 0., 1.], shape=(3,), dtype=float32)
    """
    axes = (axisa, axisb) if axis is None else (axis, axis)
    a, b = (x if n == -1 else moveaxis(x, n, -1) for x, n in zip((as_tensor(x1), as_tensor(x2)), axes, strict=True))
    sizes = (a.shape[-1], b.shape[-1])
    if not all(n in (2, 3) for n in sizes):
        raise ValueError(
            f"cross: expected vectors of 2 or 3, got shapes {a.shape} and {b.shape}, with them along the last axis"
        )
    if sizes == (2, 2):
        return a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0]
    a, b = (v if v.shape[-1] == 3 else concatenate([v, v[..., :1] * 0], axis=-1) for v in (a, b))
    y = roll(a * roll(b, shift=-1, axis=-1) - roll(a, shift=-1, axis=-1) * b, shift=-1, axis=-1)
    return moveaxis(y, -1, axisc if axis is None else axis)


def trace(x: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Tensor:
    """y = sum over i of x[..., i, i + offset], for the matrices that axis1 and axis2 span"""
    return sum(diagonal(x, offset, axis1, axis2), axis=-1)


def tensordot(x1: Any, x2: Any, axes: int | Sequence[Any] = 2) -> Tensor:
    """y = the sum over pairs of axes: the last `axes` of x1 with the first of x2, or the axes that two lists name"""
    a, b = as_tensor(x1), as_tensor(x2)
    if isinstance(axes, int):
        if not 0 <= axes <= min(a.ndim, b.ndim):
            raise ValueError(f"tensordot: axes: got {axes} for shapes {a.shape} and {b.shape}")
        left, right = list(range(a.ndim - axes, a.ndim)), list(range(axes))
    else:
        left, right = ([n] if isinstance(n, int) else list(n) for n in axes)
    rows, columns = list(string.ascii_lowercase[: a.ndim]), list(string.ascii_uppercase[: b.ndim])
    for i, j in zip(left, right, strict=True):
        columns[j] = rows[i]
    output = [c for c in rows if c not in columns] + [c for c in columns if c not in rows]
    return _contracted([a, b], ["".join(rows), "".join(columns)], "".join(output))


def einsum(subscripts: str, *operands: Any) -> Tensor:
    """y = the sum of products that the subscripts write: "ij,jk->ik" is a matrix product

    >>> einsum("ij,ij->i", [[1.0, 2.0]], [[3.0, 4.0]])
    Tensor([11.], shape=(1,), dtype=float32)
    """
    tensors = [as_tensor(x) for x in operands]
    inputs, output, letters = _parse(subscripts, [t.ndim for t in tensors])
    for c in letters:  # of ellipses, whose sizes broadcast
        sizes = {
            i: t.shape[term.index(c)] for i, (t, term) in enumerate(zip(tensors, inputs, strict=True)) if c in term
        }
        for i in (i for i, n in sizes.items() if n == 1 and set(sizes.values()) != {1}):
            tensors[i], inputs[i] = squeeze(tensors[i], inputs[i].index(c)), inputs[i].replace(c, "")
    if missing := set(output).difference(*inputs):
        raise ValueError(f"einsum: {subscripts!r}: no operand has {', '.join(sorted(missing))}")
    for i, term in enumerate(inputs):
        while letter := next((letter for letter in term if term.count(letter) > 1), None):
            one, two = term.index(letter), term.rindex(letter)
            tensors[i] = diagonal(tensors[i], axis1=one, axis2=two)  # which becomes the last axis
            term = term[:one] + term[one + 1 : two] + term[two + 1 :] + letter
        inputs[i] = term
    return _contracted(_widened(tensors), inputs, output)


def _contracted(tensors: Sequence[Tensor], terms: Sequence[str], output: str) -> Tensor:
    """The sum of products, as a product of matrices where it is one."""
    subscripts = f"{','.join(terms)}->{output}"
    if len(tensors) != 2 or any(t.symbolic or not is_float(t.dtype) for t in tensors):
        return _einsum(*tensors, subscripts=subscripts)
    sizes = [dict(zip(term, t.shape, strict=True)) for term, t in zip(terms, tensors, strict=True)]
    both = [c for c in terms[0] if c in terms[1]]
    summed = [c for c in both if c not in output]
    alone = set(terms[0] + terms[1]) - set(both) - set(output)  # summed in one of the two
    if not summed or alone or any(sizes[0][c] != sizes[1][c] for c in both):
        return _einsum(*tensors, subscripts=subscripts)
    batch = [c for c in output if c in both]
    rows, columns = ([c for c in output if c in term and c not in both] for term in terms)

    def matrices(i: int, left: list[str], right: list[str]) -> Tensor:
        shape = [sizes[i][c] for c in batch] + [math.prod(sizes[i][c] for c in part) for part in (left, right)]
        return reshape(_with_axes(tensors[i], terms[i], [*batch, *left, *right]), shape)

    lies_across = terms[1] == "".join([*batch, *columns, *summed])  # and need not be copied
    b = swapaxes(matrices(1, columns, summed), -1, -2) if lies_across else matrices(1, summed, columns)
    y = matmul(matrices(0, rows, summed), b)
    made = [*batch, *rows, *columns]
    return _with_axes(reshape(y, [(sizes[0] | sizes[1])[c] for c in made]), made, output)


def _with_axes(x: Tensor, axes: Sequence[str], order: Sequence[str]) -> Tensor:
    """x with its named axes in this order."""
    return x if list(axes) == list(order) else transpose(x, [list(axes).index(c) for c in order])


def _parse(subscripts: str, ndims: Sequence[int]) -> tuple[list[str], str, str]:
    """The terms with ellipses written out in letters, the output term, and those letters."""
    left, arrow, output = subscripts.replace(" ", "").partition("->")
    terms = left.split(",")
    if len(terms) != len(ndims):
        raise ValueError(f"einsum: {subscripts!r} names {len(terms)} operands, got {len(ndims)}")
    free = [c for c in string.ascii_letters if c not in subscripts]
    widths = [ndim - len(term.replace("...", "")) for term, ndim in zip(terms, ndims, strict=True)]
    for term, width, ndim in zip(terms, widths, ndims, strict=True):
        if width < 0 or (width > 0 and "..." not in term):
            raise ValueError(f"einsum: {subscripts!r}: operand {term!r} got {ndim} dimensions, expected {len(term)}")
    most = max((w for w, term in zip(widths, terms, strict=True) if "..." in term), default=0)
    letters = "".join(free[:most])
    terms = [term.replace("...", letters[most - w :]) for term, w in zip(terms, widths, strict=True)]
    if arrow:
        return terms, output.replace("...", letters), letters
    together = "".join(terms)
    once = "".join(c for c in sorted(set(together) - set(letters)) if together.count(c) == 1)
    return terms, letters + once, letters


@primitive(promote=True)
def _einsum(*xs: Array, subscripts: str) -> Array:
    """y = the sum of products that the subscripts write"""
    dtype = xs[0].dtype
    if dtype.name == "bfloat16":  # which NumPy's einsum does not know
        return xp().einsum(subscripts, *[x.astype("float32") for x in xs], optimize=True).astype(dtype)
    return xp().einsum(subscripts, *xs, optimize=True)


@_einsum.gradient
def _(g, xs, *, subscripts):
    inputs, output = subscripts.split("->")
    terms = inputs.split(",")

    def pull(i: int) -> Tensor:
        others = [(t, x) for j, (t, x) in enumerate(zip(terms, xs, strict=True)) if j != i]
        known = set(output).union(*(t for t, _ in others))
        have = "".join(c for c in terms[i] if c in known)  # others were summed: g is spread over them
        sources = ",".join([output, *(t for t, _ in others)])
        part = _einsum(g, *(x for _, x in others), subscripts=f"{sources}->{have}")
        shape = tuple(n if c in known else 1 for c, n in zip(terms[i], xs[i].shape, strict=True))
        return broadcast_to(reshape(part, shape), xs[i].shape)

    return tuple(lambda i=i: pull(i) for i in range(len(xs)))


@_einsum.shape
def _(*xs, subscripts):
    inputs, output = subscripts.split("->")
    sizes: dict[str, int] = {}
    for term, x in zip(inputs.split(","), xs, strict=True):
        for c, n in zip(term, x.shape, strict=True):
            if sizes.setdefault(c, n) != n:
                raise ValueError(f"einsum: {subscripts!r}: {c!r} stands for both {sizes[c]} and {n}")
    return Spec(tuple(sizes[c] for c in output), xs[-1].dtype)
