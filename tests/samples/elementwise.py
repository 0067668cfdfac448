"""Element-wise functions of one argument and of several."""

from __future__ import annotations

import math

import mpmath
import numpy as np

from .references import by_mpmath, cases
from .sample import between, both, distinct, normal, sample, whole

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
