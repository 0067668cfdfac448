"""One list of samples, SAMPLES, that drives every check of every operation in tests/test_ops.py.

A sample names an operation (a public one as in `layerwise.ops`, a private primitive by its rule's name, `_matmul`),
gives its arguments in float64, and a reference: NumPy, mpmath, or the formula written out in loops.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import mpmath
import numpy as np

from layerwise import ops
from layerwise.autograd import Tensor, primitives
from layerwise.backends import Window

RNG = np.random.default_rng(20)


@dataclass
class Sample:
    """One call of an operation with what is known of it."""

    name: str
    args: tuple[Any, ...]
    reference: Callable[..., Any] | None  # None: checked elsewhere (by the identity that defines it)
    kwargs: dict[str, Any] = field(default_factory=dict)
    analytic: bool = False  # the rule runs on complex numbers: the gradient is checked by a complex step
    smooth: bool = True  # has a second derivative around these arguments
    differentiable: bool = True
    batch: Sequence[int] = (0,)  # the arguments whose first size is the batch's; none for operations that have none
    vary: Sequence[int] | None = None  # the arguments to differentiate by; all that hold floats unless given
    static: Sequence[int] = ()  # the arguments that must have values, even where others are symbolic
    plain: bool = False  # the result is no Tensor
    tolerance: float = 1e-12

    @property
    def operation(self) -> Callable[..., Any]:
        return getattr(ops, self.name) if not self.name.startswith("_") else primitives[self.name.lstrip("_")]

    def __call__(self, *args: Any) -> Any:
        return self.operation(*args, **self.kwargs)

    def __str__(self) -> str:
        shapes = [str(a.shape).replace(" ", "") for a in self.args if isinstance(a, np.ndarray)]
        options = [f"{k}={v}" for k, v in self.kwargs.items() if not isinstance(v, Window)]
        return "-".join([self.name, *shapes, *options]).replace(" ", "")[:70]


SAMPLES: list[Sample] = []


def sample(name: str, *args: Any, reference: Any = None, kwargs: dict[str, Any] | None = None, **known: Any) -> None:
    SAMPLES.append(Sample(name, args, reference, kwargs or {}, **known))


# Arguments


def normal(*shape: int) -> np.ndarray:
    """Numbers of both signs, none within 0.05 of 0."""
    x = RNG.standard_normal(shape)
    return x + 0.05 * np.sign(x)


def between(low: float, high: float, *shape: int) -> np.ndarray:
    return RNG.uniform(low, high, shape)


def distinct(*shape: int) -> np.ndarray:
    """Numbers at least 0.1 apart."""
    return (RNG.permutation(math.prod(shape)) * 0.1 - 0.07 * math.prod(shape) / 2).reshape(shape)


def whole(low: int, high: int, *shape: int) -> np.ndarray:
    return RNG.integers(low, high, shape).astype("int32")


# References


def by_mpmath(f: Callable[..., Any]) -> Callable[..., np.ndarray]:
    """f element by element at 30 digits."""

    def reference(*args: np.ndarray, **_: Any) -> np.ndarray:
        with mpmath.workdps(30):
            return np.vectorize(lambda *xs: float(f(*map(mpmath.mpf, map(float, xs)))), otypes=["float64"])(*args)

    return reference


def cases(f: Callable[..., float]) -> Callable[..., np.ndarray]:
    """f element by element."""
    return lambda *args, **_: np.vectorize(f, otypes=["float64"])(*args)


def padded(x: np.ndarray, window: Window, value: float = 0.0) -> np.ndarray:
    return np.pad(x, [(0, 0), *window.pad, (0, 0)], constant_values=value)


def positions(x: np.ndarray, window: Window) -> list[tuple[int, ...]]:
    """Every output position: those at which the window still lies within the padded input, counted one by one."""
    counts = []
    for n, k, s, d in zip(padded(x, window).shape[1:-1], window.size, window.stride, window.dilation, strict=True):
        counts.append(len([o for o in range(n) if o * s + (k - 1) * d <= n - 1]))
    return list(itertools.product(*map(range, counts)))


def at(o: Sequence[int], tap: Sequence[int], window: Window) -> tuple[Any, ...]:
    """The index of what output position o sees through a tap of the padded input."""
    where = (i * s + t * d for i, s, t, d in zip(o, window.stride, tap, window.dilation, strict=True))
    return (slice(None), *where)


def naive_conv(x: np.ndarray, w: np.ndarray, b: np.ndarray | None, window: Window) -> np.ndarray:
    """Convolution in loops over positions, taps, groups and channels."""
    out = positions(x, window)
    spatial = tuple(np.max(out, axis=0) + 1)
    y = np.zeros((x.shape[0], *spatial, w.shape[-1]))
    source = padded(x, window)
    inner, filters = w.shape[-2], w.shape[-1]
    per_group = filters // (x.shape[-1] // inner)
    for o in out:
        for tap in itertools.product(*map(range, w.shape[:-2])):
            for m in range(filters):
                for c in range(inner):
                    y[(slice(None), *o, m)] += (
                        source[(*at(o, tap, window), m // per_group * inner + c)] * w[(*tap, c, m)]
                    )
    return y if b is None else y + b


def naive_pool(x: np.ndarray, window: Window, reduce: Callable[..., Any]) -> np.ndarray:
    """Pooling in loops; `reduce` sees what each window holds, padding left out."""
    out = positions(x, window)
    y = np.zeros((x.shape[0], *np.max(out, axis=0) + 1, x.shape[-1]))
    source = padded(x, window, np.nan)
    for o in out:
        seen = np.stack([source[at(o, tap, window)] for tap in itertools.product(*map(range, window.size))])
        y[(slice(None), *o)] = reduce(seen, axis=0)
    return y


def transposed(linear: Callable[[np.ndarray], np.ndarray], shape: tuple[int, ...], g: np.ndarray) -> np.ndarray:
    """The transpose of a linear function of arrays of `shape`, from its values on every unit vector."""
    x = np.zeros(shape)
    for i in np.ndindex(shape):
        unit = np.zeros(shape)
        unit[i] = 1
        x[i] = np.vdot(linear(unit), g)
    return x


def naive_conv_grad_x(g: np.ndarray, w: np.ndarray, x_shape: tuple[int, ...], window: Window) -> np.ndarray:
    return transposed(lambda x: naive_conv(x, w, None, window), x_shape, g)


def naive_conv_grad_w(x: np.ndarray, g: np.ndarray, w_shape: tuple[int, ...], window: Window) -> np.ndarray:
    return transposed(lambda w: naive_conv(x, w, None, window), w_shape, g)


def naive_avg_unpool(g: np.ndarray, x_shape: tuple[int, ...], window: Window) -> np.ndarray:
    return transposed(lambda x: naive_pool(x, window, np.nanmean), x_shape, g)


def naive_max_unpool(g: np.ndarray, argmax: np.ndarray, x_shape: tuple[int, ...], window: Window) -> np.ndarray:
    y = np.zeros(padded(np.zeros(x_shape), window).shape)
    taps = list(itertools.product(*map(range, window.size)))
    for n, *o, c in np.ndindex(g.shape):
        _, *index = at(o, taps[argmax[(n, *o, c)]], window)
        y[(n, *index, c)] += g[(n, *o, c)]
    return y[(slice(None), *(slice(low, low + s) for s, (low, _) in zip(x_shape[1:-1], window.pad, strict=True)))]


def naive_conv_pool_grad(
    g: np.ndarray, y: np.ndarray, argmax: np.ndarray, x: np.ndarray, w: np.ndarray, window: Window, act: Any,
    pool: Window, wanted: Sequence[bool],
) -> list[np.ndarray]:  # fmt: skip
    conv = naive_conv(x, w, None, window)
    spread = naive_max_unpool(g if act is None else g * (1 - y * y), argmax, conv.shape, pool)
    dx, dw = naive_conv_grad_x(spread, w, x.shape, window), naive_conv_grad_w(x, spread, w.shape, window)
    return [part for part, wish in zip((dx, dw, spread.sum((0, 1, 2))), wanted, strict=True) if wish]


def softmax(x: np.ndarray, axis: Any = -1) -> np.ndarray:
    e = np.exp(x)
    return e / e.sum(axis=axis, keepdims=True)


def one_hot(labels: np.ndarray, classes: int) -> np.ndarray:
    return (np.asarray(labels)[..., None] == np.arange(classes)).astype("float64")


# Element-wise functions of one argument

ANALYTIC = {  # name: (function at 30 digits, arguments)
    "negative": (lambda x: -x, normal(3, 4)),
    "reciprocal": (lambda x: 1 / x, normal(3, 4)),
    "square": (lambda x: x * x, normal(3, 4)),
    "sqrt": (mpmath.sqrt, between(0.1, 4, 3, 4)),
    "rsqrt": (lambda x: 1 / mpmath.sqrt(x), between(0.1, 4, 3, 4)),
    "exp": (mpmath.exp, normal(3, 4)),
    "expm1": (mpmath.expm1, normal(3, 4)),
    "log": (mpmath.log, between(0.1, 4, 3, 4)),
    "log1p": (mpmath.log1p, between(-0.8, 4, 3, 4)),
    "log2": (lambda x: mpmath.log(x, 2), between(0.1, 4, 3, 4)),
    "log10": (mpmath.log10, between(0.1, 4, 3, 4)),
    "sin": (mpmath.sin, normal(3, 4)),
    "cos": (mpmath.cos, normal(3, 4)),
    "tan": (mpmath.tan, between(-1.3, 1.3, 3, 4)),
    "arcsin": (mpmath.asin, between(-0.9, 0.9, 3, 4)),
    "arccos": (mpmath.acos, between(-0.9, 0.9, 3, 4)),
    "arctan": (mpmath.atan, normal(3, 4)),
    "sinh": (mpmath.sinh, normal(3, 4)),
    "cosh": (mpmath.cosh, normal(3, 4)),
    "tanh": (mpmath.tanh, normal(3, 4)),
    "arcsinh": (mpmath.asinh, normal(3, 4)),
    "arccosh": (mpmath.acosh, between(1.2, 4, 3, 4)),
    "arctanh": (mpmath.atanh, between(-0.9, 0.9, 3, 4)),
    "silu": (lambda x: x / (1 + mpmath.exp(-x)), normal(3, 4)),
    "softplus": (lambda x: mpmath.log1p(mpmath.exp(x)), normal(3, 4)),
    "_sigmoid": (lambda x: 1 / (1 + mpmath.exp(-x)), normal(3, 4)),
    "_gelu_tanh": (
        lambda x: x / 2 * (1 + mpmath.tanh(mpmath.sqrt(2 / mpmath.pi) * (x + mpmath.mpf("0.044715") * x**3))),
        normal(3, 4),
    ),
}
for name, (function, x) in ANALYTIC.items():
    sample(name, x, reference=by_mpmath(function), analytic=True)

sample("sigmoid", normal(3, 4), reference=lambda x: 1 / (1 + np.exp(-x)))
sample("sigmoid", np.array([-800.0, -40.0, 40.0, 800.0]), reference=by_mpmath(lambda x: 1 / (1 + mpmath.exp(-x))))
sample("softplus", np.array([-800.0, -40.0, 40.0, 800.0]), reference=by_mpmath(lambda x: mpmath.log1p(mpmath.exp(x))))
sample("swish", normal(3, 4), reference=lambda x: x / (1 + np.exp(-x)))
for name in ("abs", "absolute"):
    sample(name, normal(3, 4), reference=np.abs)
sample("erf", normal(3, 4), reference=by_mpmath(mpmath.erf))
sample("_gelu", normal(3, 4), reference=by_mpmath(lambda x: x * mpmath.ncdf(x)))
sample("gelu", normal(3, 4), reference=by_mpmath(lambda x: x * mpmath.ncdf(x)), kwargs={"approximate": False})
sample("_gelu_slope", normal(3, 4), reference=by_mpmath(lambda x: mpmath.ncdf(x) + x * mpmath.npdf(x)))
sample("gelu", normal(3, 4), reference=by_mpmath(ANALYTIC["_gelu_tanh"][0]))
sample("relu", normal(3, 4), reference=cases(lambda x: x if x > 0 else 0))
sample("relu6", np.array([[-2.0, 0.4], [5.5, 7.0]]), reference=cases(lambda x: 0 if x < 0 else x if x < 6 else 6))
for name, slope in ("leaky_relu", "negative_slope"), ("_leaky_relu", "slope"):
    sample(name, normal(3, 4), reference=cases(lambda x: x if x > 0 else 0.3 * x), kwargs={slope: 0.3})
for name in ("elu", "_elu"):
    sample(name, normal(3, 4), reference=cases(lambda x: x if x > 0 else 1.5 * (math.e**x - 1)), kwargs={"alpha": 1.5})
sample(
    "selu",
    normal(3, 4),
    reference=cases(lambda x: 1.0507009873554805 * (x if x > 0 else 1.6732632423543772 * math.expm1(x))),
)
sample("softsign", normal(3, 4), reference=lambda x: x / (1 + np.abs(x)))
for name in ("sign", "floor", "ceil"):
    sample(name, normal(3, 4), reference=getattr(np, name), differentiable=False)
for name in ("round", "_round"):
    sample(name, 10 * normal(3, 4), reference=np.round, kwargs={"decimals": 1}, differentiable=False)
sample("round", np.array([0.5, 1.5, -2.5]), reference=lambda x: np.array([0.0, 2.0, -2.0]), differentiable=False)
odd = np.array([[1.0, np.nan], [np.inf, -np.inf]])
for name in ("isnan", "isinf", "isfinite"):
    sample(name, odd, reference=getattr(np, name), differentiable=False)
sample("logical_not", odd > 0, reference=np.logical_not, differentiable=False)
sample(
    "nan_to_num",
    odd,
    reference=lambda x, **_: np.array([[1, 0.5], [7, -7]]),
    kwargs={"nan": 0.5, "posinf": 7.0, "neginf": -7.0},
    differentiable=False,
)

# Element-wise functions of several arguments

both = {"batch": (0, 1)}
for a, b, known in [
    (normal(3, 4), normal(3, 4), both),
    (normal(3, 4), normal(4), {}),
    (normal(3, 1), normal(1, 4), {}),
    (normal(2, 3, 1), between(0.5, 2, 3, 4), {}),
]:
    sample("add", a, b, reference=lambda a, b: a + b, analytic=True, **known)
    sample("subtract", a, b, reference=lambda a, b: a - b, analytic=True, **known)
    sample("multiply", a, b, reference=lambda a, b: a * b, analytic=True, **known)
    sample("divide", a, b, reference=lambda a, b: a / b, analytic=True, **known)
sample("true_divide", normal(3, 4), normal(4), reference=np.divide, analytic=True)
sample(
    "divide_no_nan",
    normal(2, 2),
    np.array([2.0, 0.0]),
    reference=lambda a, b: np.stack([a[:, 0] / 2, 0 * a[:, 1]], 1),
    vary=(0,),
)
sample("power", between(0.3, 2, 3, 4), normal(3, 4), reference=by_mpmath(mpmath.power), analytic=True, **both)
sample("power", normal(3, 4), np.array([2.0, 3.0, 0.0, -1.0]), reference=np.power, vary=(0,))
sample("arctan2", normal(3, 4), normal(3, 4), reference=by_mpmath(mpmath.atan2), **both)
sample(
    "mod", np.array([[5.3, -5.3]]), np.array([[2.0], [-3.1]]), reference=lambda a, b: a - b * np.floor(a / b), batch=()
)
sample("floor_divide", 5 * normal(3, 4), normal(4), reference=lambda a, b: np.floor(a / b), differentiable=False)
sample("maximum", distinct(3, 4), distinct(3, 4) + 0.03, reference=np.maximum, **both)
sample("minimum", distinct(3, 4), distinct(4) + 0.03, reference=np.minimum)
for name in ("clip", "_clip"):
    low, high = np.array(-0.45), np.array([0.72, 0.83, 0.94, 1.05])
    sample(name, distinct(3, 4), low, high, reference=lambda x, low, high: np.minimum(np.maximum(x, low), high))
for name in ("equal", "not_equal", "greater", "greater_equal", "less", "less_equal"):
    sample(name, whole(0, 3, 3, 4), whole(0, 3, 4), reference=getattr(np, name), differentiable=False)
for name in ("logical_and", "logical_or", "logical_xor"):
    sample(name, whole(0, 2, 3, 4) > 0, whole(0, 2, 4) > 0, reference=getattr(np, name), differentiable=False)
for name in ("where", "_where"):
    sample(name, whole(0, 2, 3, 1) > 0, normal(3, 4), normal(4), reference=np.where, batch=(0, 1))
sample("isclose", np.array([1.0, 1.0]), np.array([1 + 1e-9, 1.1]), reference=np.isclose, differentiable=False, **both)
sample(
    "allclose", np.array([1.0, 1.0]), np.array([1 + 1e-9, 1.1]), reference=np.allclose, differentiable=False, batch=()
)
sample(
    "select",
    [np.array([True, False, False]), np.array([True, True, False])],
    [normal(3), normal(3)],
    9.0,
    reference=lambda c, x, default: np.array([x[0][0], x[1][1], 9.0]),
    differentiable=False,
    batch=(),
)
for name in ("sigmoid_cross_entropy",):
    sample(
        name,
        between(0, 1, 3, 4),
        normal(3, 4),
        reference=by_mpmath(lambda t, z: mpmath.log1p(mpmath.exp(z)) - t * z),
        analytic=True,
        **both,
    )

# Reductions

for kwargs in ({}, {"axis": -1}, {"axis": (0, 2)}, {"axis": 1, "keepdims": True}):
    batch = (0,) if kwargs.get("axis") in (-1, 1) else ()
    for name in ("sum", "mean", "prod"):
        sample(name, normal(2, 3, 4), reference=getattr(np, name), kwargs=kwargs, analytic=True, batch=batch)
    for name in ("max", "min", "amax", "amin"):
        sample(name, distinct(2, 3, 4), reference=getattr(np, name), kwargs=kwargs, batch=batch)
    for name in ("var", "std"):
        sample(name, normal(2, 3, 4), reference=getattr(np, name), kwargs=kwargs, batch=batch)
    for name in ("all", "any"):
        sample(
            name,
            whole(0, 4, 2, 3, 4) > 0,
            reference=getattr(np, name),
            kwargs=kwargs,
            differentiable=False,
            batch=batch,
        )
    sample(
        "logsumexp",
        normal(2, 3, 4),
        reference=lambda x, axis=None, keepdims=False: np.log(np.exp(x).sum(axis=axis, keepdims=keepdims)),
        kwargs=kwargs,
        batch=batch,
    )
sample("prod", np.array([[2.0, 0.0, 3.0], [0.0, 0.0, 1.5]]), reference=np.prod, kwargs={"axis": 1}, analytic=True)
sample("average", normal(3, 4), reference=np.average, kwargs={"axis": 1})
sample(
    "average",
    normal(3, 4),
    reference=lambda x, axis, weights: np.average(x, 1, weights),
    kwargs={"axis": 1, "weights": [0.0, 1.0, 2.0, 3.0]},
)
for name in ("argmax", "argmin"):
    sample(name, distinct(3, 4), reference=getattr(np, name), kwargs={"axis": 1}, differentiable=False)
    sample(name, distinct(3, 4), reference=getattr(np, name), differentiable=False, batch=())
    sample(
        name,
        distinct(3, 4),
        reference=getattr(np, name),
        kwargs={"axis": 0, "keepdims": True},
        differentiable=False,
        batch=(),
    )
sample("argsort", distinct(3, 4), reference=np.argsort, kwargs={"axis": -1}, differentiable=False)
sample("sort", distinct(3, 4), reference=np.sort, kwargs={"axis": 1})
sample("sort", distinct(3, 4), reference=np.sort, kwargs={"axis": 0}, batch=())
sample("top_k", distinct(3, 5), reference=lambda x, k: (-np.sort(-x)[:, :k], np.argsort(-x)[:, :k]), kwargs={"k": 2})
sample(
    "in_top_k",
    np.array([2, 0], "int32"),
    np.array([[0.1, 0.6, 0.3], [0.1, 0.6, 0.3]]),
    reference=lambda t, p, k: np.array([True, False]),
    kwargs={"k": 2},
    differentiable=False,
    **both,
)
sample("median", distinct(3, 5), reference=np.median, kwargs={"axis": 1})
sample("median", distinct(3, 4), reference=np.median, kwargs={"axis": (0, 1), "keepdims": True}, batch=())
sample("count_nonzero", whole(0, 2, 3, 4), reference=np.count_nonzero, kwargs={"axis": 1}, differentiable=False)
sample("cumsum", normal(3, 4), reference=np.cumsum, kwargs={"axis": 1}, analytic=True)
sample("cumsum", normal(3, 4), reference=np.cumsum, analytic=True, batch=())
sample("cumprod", normal(3, 4), reference=np.cumprod, kwargs={"axis": 1})
sample("cumprod", normal(3, 4), reference=np.cumprod, batch=())
sample("moments", normal(3, 4), reference=lambda x, axes: (x.mean(1), x.var(1)), kwargs={"axes": 1})
for order in (None, 1, 2, 3, np.inf, -np.inf, 0):
    sample(
        "norm", distinct(3, 4), reference=np.linalg.norm, kwargs={"ord": order, "axis": 1}, differentiable=order != 0
    )
MATRICES = np.cos(np.arange(24.0) ** 2).reshape(2, 3, 4)
sample("_singular_values", MATRICES, reference=lambda x: np.linalg.svd(x, compute_uv=False), smooth=False)
for order in (1, -1, 2, -2, "nuc", "fro", np.inf, -np.inf):
    sample(
        "norm", MATRICES[0], reference=np.linalg.norm, kwargs={"ord": order}, batch=(), smooth=order in (1, -1, "fro")
    )
sample("normalize", normal(3, 4), reference=lambda x: x / np.sqrt((x * x).sum(-1, keepdims=True)))

# Linear algebra

for a, b in [
    (normal(3, 4), normal(4, 2)),
    (normal(2, 3, 4), normal(4, 2)),
    (normal(2, 3, 4), normal(2, 4, 2)),
    (normal(2, 1, 3, 4), normal(5, 4, 2)),
]:
    known = {"batch": (0, 1)} if a.ndim == b.ndim == 3 else {}
    sample("_matmul", a, b, reference=np.matmul, analytic=True, **known)
    sample("matmul", a, b, reference=np.matmul, **known)
sample("matmul", normal(4), normal(4, 2), reference=np.matmul, batch=())
sample("matmul", normal(3, 4), normal(4), reference=np.matmul)
sample("matmul", normal(4), normal(4), reference=np.matmul, batch=())
sample("dot", normal(3, 4), normal(4, 2), reference=np.dot)
sample("dot", normal(2, 3, 4), normal(5, 4, 2), reference=np.dot)
sample("dot", normal(4), normal(4), reference=np.dot, batch=())
sample("inner", normal(2, 4), normal(3, 4), reference=np.inner)
sample("vdot", normal(2, 4), normal(2, 4), reference=np.vdot, batch=())
sample("outer", normal(3), normal(4), reference=np.outer)
sample("cross", normal(2, 3), normal(2, 3), reference=np.cross, **both)
sample("trace", normal(3, 4), reference=np.trace, kwargs={"offset": 1}, batch=())
sample("trace", normal(2, 3, 4), reference=np.trace, kwargs={"axis1": 1, "axis2": 2})
sample("diagonal", normal(3, 4), reference=np.diagonal, kwargs={"offset": -1}, batch=())
sample("diagonal", normal(2, 3, 4), reference=np.diagonal, kwargs={"axis1": 1, "axis2": 2})
sample("tensordot", normal(2, 3, 4), normal(3, 4, 5), reference=np.tensordot, kwargs={"axes": 2})
sample("tensordot", normal(2, 3, 4), normal(4, 3), reference=np.tensordot, kwargs={"axes": ((1, 2), (1, 0))})
for subscripts, shapes in {
    "ij,jk->ik": [(3, 4), (4, 2)],
    "bij,bjk->bki": [(2, 3, 4), (2, 4, 2)],
    "ij->j": [(3, 4)],
    "i,j,ij->": [(3,), (4,), (3, 4)],
    "...ij,jk->...ik": [(2, 3, 4), (4, 2)],
    "ij,jk": [(3, 4), (4, 2)],
    "abc,cd->a": [(2, 3, 4), (4, 5)],
}.items():
    sample("einsum", subscripts, *(normal(*s) for s in shapes), reference=np.einsum, batch=())
sample(
    "_einsum",
    normal(3, 4),
    normal(4, 2),
    reference=lambda a, b, subscripts: a @ b,
    kwargs={"subscripts": "ij,jk->ik"},
    analytic=True,
)

# Shapes


def shaping(name: str, *shape: int, reference: Any = None, batch: Sequence[int] = (), **kwargs: Any) -> None:
    is_primitive = name.startswith("_") or getattr(ops, name) is primitives.get(name)
    sample(
        name,
        normal(*shape),
        reference=reference or getattr(np, name),
        kwargs=kwargs,
        analytic=is_primitive,
        batch=batch,
    )


shaping("reshape", 2, 6, reference=lambda x, newshape: x.reshape(newshape), newshape=(3, 4))
shaping("reshape", 2, 6, reference=lambda x, newshape: x.reshape(newshape), newshape=(-1, 3, 2), batch=(0,))
shaping("broadcast_to", 3, 1, shape=(2, 3, 4))
shaping("sum_to", 2, 3, 4, reference=lambda x, shape: x.sum(axis=(0, 1)).reshape(shape), shape=(1, 4))
shaping("_sum_to", 2, 3, 4, reference=lambda x, shape: x.sum(axis=(0, 1)).reshape(shape), shape=(1, 4))
shaping("transpose", 2, 3, 4)
shaping("transpose", 2, 3, 4, axes=(0, -1, 1), batch=(0,))
shaping("moveaxis", 2, 3, 4, source=1, destination=-1, batch=(0,))
shaping("swapaxes", 2, 3, 4, axis1=1, axis2=-1, batch=(0,))
shaping("ravel", 2, 3)
shaping("expand_dims", 2, 3, axis=1, batch=(0,))
shaping("expand_dims", 2, 3, axis=(0, -1))
shaping("squeeze", 2, 1, 3, 1, axis=-1, batch=(0,))
shaping("squeeze", 2, 1, 3, 1)
shaping("_expand_dims", 2, 3, reference=np.expand_dims, axis=(1, 3), batch=(0,))
shaping("_squeeze", 2, 1, 3, 1, reference=np.squeeze, axis=(1, 3), batch=(0,))
shaping("flip", 2, 3, axis=1, batch=(0,))
shaping("flip", 2, 3)
shaping("roll", 3, 4, shift=2, axis=1, batch=(0,))
shaping("roll", 3, 4, shift=(1, -1), axis=(0, 1))
shaping("roll", 3, 4, shift=5)
for mode in ("constant", "reflect", "symmetric", "edge", "wrap"):
    shaping("pad", 3, 4, pad_width=((0, 0), (2, 1)), mode=mode, batch=(0,))
shaping(
    "pad",
    3,
    4,
    reference=lambda x, pad_width, constant_values: np.pad(x, 1, constant_values=2.0),
    pad_width=1,
    constant_values=2.0,
)
shaping(
    "_pad_constant",
    3,
    4,
    reference=lambda x, widths, value: np.pad(x, widths, constant_values=value),
    widths=((0, 0), (2, 1)),
    value=0.5,
    batch=(0,),
)
shaping("tile", 2, 3, reference=lambda x, repeats: np.tile(x, repeats), repeats=(2, 1, 2))
shaping("tile", 2, 3, reference=lambda x, repeats: np.tile(x, repeats), repeats=2)
shaping("repeat", 2, 3, repeats=2, axis=1, batch=(0,))
shaping("repeat", 2, 3, repeats=[1, 0, 2], axis=1, batch=(0,))
shaping("repeat", 2, 3, repeats=2)
shaping("tril", 3, 4, k=1)
shaping("triu", 2, 3, 4, k=-1, batch=(0,))
shaping("diag", 4, k=1)
shaping("diag", 3, 4, k=-1)
shaping("diag", 3, 4, k=2)
shaping("split", 3, 4, indices_or_sections=2, axis=1, batch=(0,))
shaping("split", 3, 5, indices_or_sections=[1, 4], axis=-1, batch=(0,))
shaping("unstack", 3, 2, reference=lambda x, axis: (x[:, 0], x[:, 1]), axis=1, batch=(0,))
pair = [normal(3, 4), normal(3, 4)]
for name in ("stack", "concatenate"):
    sample(name, pair, reference=getattr(np, name), kwargs={"axis": 1})
    sample(name, pair, reference=getattr(np, name), kwargs={"axis": -2}, batch=())
sample("concatenate", [normal(2, 3), normal(4, 3)], reference=np.concatenate, batch=())
for name in ("vstack", "hstack"):
    sample(name, pair, reference=getattr(np, name), batch=() if name == "vstack" else (0,))
    sample(name, [normal(3), normal(3)], reference=getattr(np, name), batch=())
sample(
    "_concatenate",
    normal(3, 4),
    normal(3, 2),
    reference=lambda *xs, axis: np.concatenate(xs, axis),
    kwargs={"axis": 1},
    analytic=True,
    **both,
)
for indexing in ("xy", "ij"):
    sample("meshgrid", normal(3), normal(4), normal(2), reference=np.meshgrid, kwargs={"indexing": indexing}, batch=())

# Positions

for key in [
    (slice(None), 0),
    (slice(None), slice(None, None, -2)),
    (slice(None), None, np.array([0, 2, 2])),
    (Ellipsis, 1),
    (slice(None), np.array([True, False, True])),
]:
    for name in ("get_item", "_get_item"):
        sample(name, normal(4, 3), reference=lambda x, key: x[key], kwargs={"key": key}, analytic=name == "_get_item")
sample(
    "get_item",
    normal(4, 3),
    reference=lambda x, key: x[key],
    kwargs={"key": (np.array([0, 0, 3]), np.array([1, 1, 2]))},
    batch=(),
)
sample(
    "get_item",
    normal(4, 3),
    reference=lambda x, key: x[:, [1, 2, 1]][..., ::2, :],
    kwargs={"key": (Ellipsis, slice(None, None, 2), Tensor(np.array([1, 2, 1])))},
    batch=(),
)
sample(
    "_add_at",
    normal(3, 2),
    reference=lambda values, key, shape: np.stack([values[0] + values[2], values[1], 0 * values[0]]),
    kwargs={"key": (np.array([0, 1, 0]),), "shape": (3, 2)},
    analytic=True,
    batch=(),
)
rows = whole(0, 4, 2, 3)
sample("gather", normal(4, 3), rows, reference=lambda x, i: x[i], analytic=True, batch=(1,))
sample("gather", normal(2, 4, 3), rows, reference=lambda x, i, axis: x[:, i], kwargs={"axis": 1}, analytic=True)
sample("take", normal(4, 3), rows, reference=np.take, batch=())
sample("take", normal(2, 4, 3), rows, reference=np.take, kwargs={"axis": 1})
sample(
    "scatter_add",
    np.array([0, 2, 0], "int32"),
    normal(3, 2),
    reference=lambda i, v, shape: np.stack([v[0] + v[2], 0 * v[0], v[1], 0 * v[0]]),
    kwargs={"shape": (4, 2)},
    analytic=True,
    vary=(1,),
    batch=(),
)
along = np.array([[0, 2, 0], [1, 1, 3]], "int32")
sample("take_along_axis", normal(2, 4), along, reference=np.take_along_axis, kwargs={"axis": 1}, **both)
sample("_take_along_axis", normal(2, 4), along, reference=np.take_along_axis, kwargs={"axis": 1}, analytic=True, **both)
sample("take_along_axis", normal(2, 4), np.array([7, 0], "int32"), reference=lambda x, i: x.ravel()[i], batch=())
sample(
    "_put_along_axis",
    along,
    normal(2, 3),
    reference=lambda i, v, shape, axis: np.array(
        [[v[0, 0] + v[0, 2], 0, v[0, 1], 0], [0, v[1, 0] + v[1, 1], 0, v[1, 2]]]
    ),
    kwargs={"shape": (2, 4), "axis": 1},
    analytic=True,
    vary=(1,),
    batch=(),
)


def block(x: np.ndarray, start: Sequence[int], updates: np.ndarray) -> np.ndarray:
    x = x.copy()
    x[start[0] : start[0] + updates.shape[0], start[1] : start[1] + updates.shape[1]] = updates
    return x


sample("slice_update", normal(3, 4), (1, 2), normal(2, 2), reference=block, batch=())
sample("slice", normal(3, 4), (1, 0), (2, 3), reference=lambda x, start, shape: x[1:3, 0:3], batch=())
places = np.array([[0, 1], [2, 3], [0, 1]], "int32")


def scattered(i: np.ndarray, v: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    y = np.zeros(shape)
    np.add.at(y, tuple(i.T), v)
    return y


sample("scatter", places, normal(3), reference=scattered, kwargs={"shape": (3, 4)}, vary=(1,), static=(0,), batch=())
sample(
    "scatter_update",
    normal(3, 4),
    places[:2],
    normal(2),
    reference=lambda x, i, v: block(block(x, (0, 1), v[:1, None]), (2, 3), v[1:, None]),
    static=(1,),
    batch=(),
)
sample(
    "segment_sum",
    normal(4, 2),
    np.array([0, 0, 2, 0], "int32"),
    reference=lambda x, i, num_segments: np.stack([x[0] + x[1] + x[3], 0 * x[0], x[2]]),
    kwargs={"num_segments": 3},
    batch=(),
)
sample(
    "bincount",
    np.array([1, 1, 3], "int32"),
    reference=lambda x, minlength: np.bincount(x, minlength=5),
    kwargs={"minlength": 5},
    differentiable=False,
    static=(0,),
    batch=(),
)

# Neural networks

SAME = Window.of((3, 2), (2, 1), "same", (1, 2), (5, 4))
VALID = Window((3,), (2,), ((0, 0),))
CAUSAL = Window.of((2,), (1,), "causal", (2,), (5,))
CUBE = Window.of((2, 2, 2), (1, 1, 1), "same", (1, 1, 1), (3, 3, 2))
ACTS = {
    None: lambda z: z,
    "tanh": np.tanh,
    "sigmoid": lambda z: 1 / (1 + np.exp(-z)),
    "relu": lambda z: np.maximum(z, 0),
}
for act in ACTS:
    x, w, b = normal(3, 4), normal(4, 2), normal(2)
    reference = lambda x, w, b, act: ACTS[act](x @ w + b)  # noqa: E731
    sample("dense", x, w, b, reference=reference, kwargs={"act": act}, analytic=act != "relu")
    y = ACTS[act](normal(3, 4))
    derivative = {
        None: lambda y: 1,
        "tanh": lambda y: 1 - y**2,
        "sigmoid": lambda y: y - y**2,
        "relu": lambda y: y > 0,
    }[act]
    sample(
        "act_grad",
        normal(3, 4),
        y,
        reference=lambda g, y, act, d=derivative: g * d(y),
        kwargs={"act": act},
        analytic=act != "relu",
        vary=(0,) if act == "relu" else None,
        **both,
    )
sample("dense", normal(2, 3, 4), normal(4, 2), None, reference=lambda x, w, b: x @ w, analytic=True)
for x, w, window in [
    (normal(2, 5, 4, 3), normal(3, 2, 3, 2), SAME),
    (normal(2, 7, 4), normal(3, 2, 6), VALID),  # two groups
    (normal(2, 5, 3), normal(2, 1, 6), CAUSAL),  # by channel
    (normal(1, 3, 3, 2, 2), normal(2, 2, 2, 2, 1), CUBE),
]:
    b = normal(w.shape[-1])
    known = {"kwargs": {"window": window}, "analytic": True}
    sample("convolution", x, w, b, reference=lambda x, w, b, window: naive_conv(x, w, b, window), **known)
    g = normal(*naive_conv(x, w, None, window).shape)
    sample(
        "_conv_grad_x",
        g,
        w,
        reference=naive_conv_grad_x,
        kwargs={"window": window, "x_shape": x.shape},
        analytic=True,
        batch=(),
    )
    sample(
        "_conv_grad_w",
        x,
        g,
        reference=naive_conv_grad_w,
        kwargs={"window": window, "w_shape": w.shape},
        analytic=True,
        batch=(),
    )
sample(
    "convolution",
    normal(2, 7, 4),
    normal(3, 4, 2),
    normal(2),
    reference=lambda x, w, b, window, act: np.tanh(naive_conv(x, w, b, window)),
    kwargs={"window": VALID, "act": "tanh"},
    analytic=True,
)
for kwargs, window in [
    ({"strides": (2, 1), "padding": "same", "dilation_rate": (1, 2)}, SAME),
    ({"data_format": "channels_first"}, Window((3, 2), (1, 1), ((0, 0), (0, 0)))),
]:
    first = "data_format" in kwargs

    def reference(x: np.ndarray, w: np.ndarray, window: Window = window, first: bool = first, **_: Any) -> np.ndarray:
        y = naive_conv(np.moveaxis(x, 1, -1) if first else x, w, None, window)
        return np.moveaxis(y, -1, 1) if first else y

    if first:
        sample("conv", normal(2, 3, 5, 4), normal(3, 2, 3, 2), reference=reference, kwargs=kwargs)
    else:
        sample("conv", normal(2, 5, 4, 3), normal(3, 2, 3, 2), reference=reference, kwargs=kwargs)
sample(
    "depthwise_conv",
    normal(2, 6, 2),
    normal(3, 2, 2),
    reference=lambda x, w: naive_conv(x, w.reshape(3, 1, 4), None, Window((3,), (1,), ((0, 0),))),
)

OVERLAPPING = Window.of((3, 2), (2, 1), "same", (1, 1), (5, 4))
for x, window in [(distinct(2, 5, 4, 2), OVERLAPPING), (distinct(2, 7, 2), VALID)]:
    known = {"kwargs": {"window": window}}
    sample("maximum_pool", x, reference=lambda x, window: naive_pool(x, window, np.nanmax), **known)
    sample("avg_pool", x, reference=lambda x, window: naive_pool(x, window, np.nanmean), analytic=True, **known)
    taps = naive_pool(x, window, lambda seen, axis: np.nanargmax(seen, axis)).astype("int32")
    sample("_max_places", x, reference=lambda x, window, t=taps: t, differentiable=False, **known)
    sample(
        "_max_repool",
        x,
        taps,
        reference=lambda x, t, window: naive_pool(x, window, np.nanmax),
        analytic=True,
        **known,
        **both,
    )
    g = normal(*taps.shape)
    sample(
        "_avg_unpool",
        g,
        reference=naive_avg_unpool,
        kwargs={"window": window, "x_shape": x.shape},
        analytic=True,
        batch=(),
    )

    sample(
        "_max_unpool",
        g,
        taps,
        reference=naive_max_unpool,
        kwargs={"window": window, "x_shape": x.shape},
        analytic=True,
        batch=(),
    )
once = Window.of((2, 2), (2, 2), "valid", (1, 1), (5, 5))
for act, outer in ((None, lambda z: z), ("tanh", np.tanh)):
    x, w, b = normal(2, 5, 5, 2), normal(3, 2, 2, 3), normal(3)
    same = Window.of((3, 2), (1, 1), "same", (1, 1), (5, 5))
    known = {"window": same, "act": act, "pool": once}
    z = outer(naive_conv(x, w, b, same))
    taps = naive_pool(z, once, lambda seen, axis: np.nanargmax(seen, axis)).astype("int32")
    sample(
        "conv_pool",
        x,
        w,
        b,
        reference=lambda x, w, b, window, act, pool, f=outer: naive_pool(
            f(naive_conv(x, w, b, window)), pool, np.nanmax
        ),
        kwargs=known,
    )
    for wanted in ((True, True, True), (False, False, True)):
        sample(
            "_conv_pool_grad",
            normal(*taps.shape),
            naive_pool(z, once, np.nanmax),
            taps,
            x,
            w,
            reference=naive_conv_pool_grad,
            kwargs=known | {"wanted": wanted},
            analytic=True,
            batch=(),
        )
for name, reduce in ("max_pool", np.nanmax), ("average_pool", np.nanmean):
    sample(
        name,
        distinct(2, 5, 4, 2),
        reference=lambda x, r=reduce, **_: naive_pool(x, OVERLAPPING, r),
        kwargs={"pool_size": (3, 2), "strides": (2, 1), "padding": "same"},
    )
    sample(
        name,
        distinct(2, 3, 4),
        reference=lambda x, r=reduce, **_: r(x.reshape(2, 3, 2, 2), axis=-1),
        kwargs={"pool_size": 2, "data_format": "channels_first"},
    )


def standardized(x: np.ndarray, gamma: Any, beta: Any, axes: tuple[int, ...], epsilon: float) -> Any:
    m, v = x.mean(axes, keepdims=True), x.var(axes, keepdims=True)
    y = (x - m) / np.sqrt(v + epsilon)
    return (y if gamma is None else y * gamma) + (0 if beta is None else beta), m, v


for x, gamma, beta, axes in [
    (normal(4, 3), normal(3), normal(3), (0,)),
    (normal(2, 3, 4), normal(4), None, (0, 1)),
    (normal(2, 3, 4), None, None, (1, 2)),
    (normal(2, 3, 4), normal(3, 1), normal(3, 1), (-1,)),
]:
    batch = (0,) if 0 not in axes else ()
    kwargs = {"axes": axes, "epsilon": 1e-3}
    sample(
        "standardize",
        x,
        gamma,
        beta,
        reference=standardized,
        kwargs=kwargs,
        analytic=True,
        batch=batch,
        tolerance=1e-11,
    )
sample(
    "standardize",
    normal(2, 3, 4),
    normal(4),
    normal(4),
    reference=lambda x, gamma, beta, axes, epsilon, act: [
        np.tanh(v) if i == 0 else v for i, v in enumerate(standardized(x, gamma, beta, axes, epsilon))
    ],
    kwargs={"axes": (0, 1), "epsilon": 1e-3, "act": "tanh"},
    analytic=True,
    batch=(),
    tolerance=1e-11,
)
for offset, scale in ((None, None), (normal(3), between(0.5, 2, 3))):
    sample(
        "batch_normalization",
        normal(4, 3, 2),
        normal(3),
        between(0.5, 2, 3),
        1,
        offset,
        scale,
        reference=lambda x, m, v, axis, offset, scale: (
            (x - m[:, None]) / np.sqrt(v[:, None] + 1e-3) * (1 if scale is None else scale[:, None])
            + (0 if offset is None else offset[:, None])
        ),
    )
for axis in (-1, 1):
    sample("_softmax", normal(2, 3, 4), reference=softmax, kwargs={"axis": axis}, analytic=True)
    sample(
        "log_softmax",
        normal(2, 3, 4),
        reference=lambda x, axis: np.log(softmax(x, axis)),
        kwargs={"axis": axis},
        analytic=True,
    )
    sample("softmax", normal(2, 3, 4), reference=softmax, kwargs={"axis": axis})
sample("softmax", normal(2, 3, 4), reference=softmax, kwargs={"axis": (1, 2)})
sample("softmax", np.array([[1000.0, 0.0, -1000.0]]), reference=lambda x: np.array([[1.0, 0.0, 0.0]]))
labels = whole(0, 4, 3)
chosen = lambda t, z: -np.log(softmax(z))[np.arange(3), t]  # noqa: E731
sample("sparse_softmax_cross_entropy", labels, normal(3, 4), reference=chosen, **both)
soft = softmax(normal(3, 4))
full = lambda t, z: -(t * np.log(softmax(z))).sum(-1)  # noqa: E731
sample("softmax_cross_entropy", soft, normal(3, 4), reference=full, **both)
p = softmax(normal(3, 4) / 2)
sample(
    "binary_crossentropy",
    between(0, 1, 3, 4),
    between(0.1, 0.9, 3, 4),
    reference=lambda t, p: -(t * np.log(p) + (1 - t) * np.log(1 - p)),
    **both,
)
sample(
    "binary_crossentropy",
    between(0, 1, 3, 4),
    normal(3, 4),
    reference=lambda t, z, from_logits: np.log1p(np.exp(z)) - t * z,
    kwargs={"from_logits": True},
    **both,
)
sample("categorical_crossentropy", soft, p, reference=lambda t, p: -(t * np.log(p)).sum(-1), **both)
sample(
    "categorical_crossentropy",
    soft,
    normal(3, 4),
    reference=lambda t, z, from_logits: full(t, z),
    kwargs={"from_logits": True},
    **both,
)
sample("sparse_categorical_crossentropy", labels, p, reference=lambda t, p: -np.log(p)[np.arange(3), t], **both)
sample(
    "sparse_categorical_crossentropy",
    labels[:, None],
    normal(3, 4),
    reference=lambda t, z, from_logits: chosen(t[:, 0], z),
    kwargs={"from_logits": True},
    **both,
)
sample(
    "sparse_categorical_crossentropy",
    labels,
    normal(4, 3),
    reference=lambda t, z, from_logits, axis: chosen(t, z.T),
    kwargs={"from_logits": True, "axis": 0},
    batch=(),
)

# Making


def made(name: str, *args: Any, reference: Any = None, **kwargs: Any) -> None:
    sample(name, *args, reference=reference or getattr(np, name), kwargs=kwargs, differentiable=False, batch=())


for name in ("zeros", "ones"):
    made(name, (2, 3), dtype="float64")
made("empty", (2, 3), dtype="float64", reference=np.zeros)
made("full", (2, 3), 1.5, dtype="float64")
made("arange", 5, reference=lambda n: np.arange(5, dtype="int32"))
made("arange", 1, 2, 0.25, dtype="float64")
made("linspace", 0, 1, num=4, dtype="float64")
made("linspace", 0, 1, num=4, endpoint=False, dtype="float64")
made("linspace", [0.0, 0.5], [1.0, 2.0], num=3, retstep=True, axis=-1, dtype="float64")
made("eye", 3, 4, k=1, dtype="float64")
made("identity", 3, dtype="float64")
made("tri", 3, 4, k=-1, dtype="float64")
for name in ("array", "convert_to_tensor"):
    sample(name, normal(3, 4), reference=np.array, analytic=False)
sample(
    "cast", normal(3, 4), reference=lambda x, dtype: x.astype("int32"), kwargs={"dtype": "int32"}, differentiable=False
)
sample("cast", normal(3, 4), reference=lambda x, dtype: x, kwargs={"dtype": "float64"})
sample("stop_gradient", normal(3, 4), reference=lambda x: x, differentiable=False)
for name in ("zeros_like", "ones_like"):
    sample(name, normal(3, 4), reference=getattr(np, name), differentiable=False)
sample("full_like", normal(3, 4), reference=np.full_like, kwargs={"fill_value": 2.5}, differentiable=False)
sample(
    "_constant_like",
    normal(3, 4),
    reference=lambda x, value, dtype: np.full_like(x, 2, dtype),
    kwargs={"value": 2, "dtype": "int32"},
    differentiable=False,
)
sample(
    "one_hot",
    whole(-1, 4, 3, 2),
    reference=lambda x, num_classes, dtype: one_hot(x, 3),
    kwargs={"num_classes": 3, "dtype": "float64"},
    differentiable=False,
)
sample(
    "one_hot",
    whole(0, 4, 3, 2),
    reference=lambda x, num_classes, axis: np.moveaxis(one_hot(x, 4), -1, 1),
    kwargs={"num_classes": 4, "axis": 1},
    differentiable=False,
)
for name, reference in {
    "shape": np.shape,
    "size": np.size,
    "ndim": np.ndim,
    "is_tensor": lambda x: False,
    "convert_to_numpy": np.array,
}.items():
    sample(name, normal(3, 4), reference=reference, plain=True, differentiable=False, batch=())

# Control

total = lambda carry, x: (carry * 0.5 + ops.sin(x), carry * x)  # noqa: E731


def summed(init: np.ndarray, xs: np.ndarray, reverse: bool = False) -> Any:
    ys, carry = [], init
    for x in xs[::-1] if reverse else xs:
        ys.append(carry * x)
        carry = carry * 0.5 + np.sin(x)
    return carry, np.stack(ys[::-1] if reverse else ys)


sample("scan", total, normal(2), normal(3, 2), reference=lambda f, init, xs: summed(init, xs), batch=())
sample(
    "scan",
    total,
    normal(2),
    normal(3, 2),
    reference=lambda f, init, xs, reverse: summed(init, xs, True),
    kwargs={"reverse": True},
    batch=(),
)
sample("map", lambda x: ops.exp(x), normal(3, 2), reference=lambda f, x: np.exp(x), batch=())
sample("vectorized_map", lambda x: ops.sum(ops.exp(x)), normal(3, 2), reference=lambda f, x: np.exp(x).sum(1), batch=())
sample(
    "fori_loop",
    0,
    4,
    lambda i, x: x * x - 0.1 * i,
    between(-0.7, 0.7, 3),
    reference=lambda a, b, f, x: ((((x**2) ** 2 - 0.1) ** 2 - 0.2) ** 2) - 0.3,
    batch=(),
)
sample(
    "while_loop",
    lambda x: ops.sum(x) < 10,
    lambda x: x * 2,
    np.array([1.0, 2.0]),
    reference=lambda c, f, x: x * 4,
    static=(2,),
    batch=(),
)
sample(
    "cond",
    True,
    lambda: ops.sin(np.array([1.0, 2.0])),
    lambda: 0.0,
    reference=lambda p, a, b: np.sin([1.0, 2.0]),
    batch=(),
    differentiable=False,
)
sample("switch", 1, [ops.sin, ops.cos], normal(3), reference=lambda i, b, x: np.cos(x), batch=())
