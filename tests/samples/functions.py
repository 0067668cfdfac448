"""More element-wise functions: special ones, bits, whole numbers, what is not finite."""

from __future__ import annotations

import ml_dtypes
import mpmath
import numpy as np

import layerwise.quantizers  # noqa: F401  has a primitive

from .references import by_mpmath, cases
from .sample import between, both, distinct, normal, sample, whole

ANALYTIC = {  # name: (function at 30 digits, arguments)
    "exp2": (lambda x: 2**x, normal(3, 4)),
}
for name, (function, x) in ANALYTIC.items():
    sample(name, x, reference=by_mpmath(function), analytic=True)
sample("deg2rad", 50 * normal(3, 4), reference=np.deg2rad)
sample("rad2deg", normal(3, 4), reference=np.rad2deg)
sample("cbrt", normal(3, 4), reference=np.cbrt)
sample("erfc", 3 * normal(3, 4), reference=by_mpmath(mpmath.erfc))
sample("erfinv", between(-0.9, 0.9, 3, 4), reference=by_mpmath(mpmath.erfinv))
sample("erfinv", np.array([0.0, 1e-9, -0.5, 0.9999]), reference=by_mpmath(mpmath.erfinv), vary=())
for order in (0, 1, -2):
    reference = by_mpmath(lambda x, order=order: mpmath.besseli(order, x))
    sample("_bessel", normal(3, 4), reference=reference, kwargs={"order": order}, analytic=True)
sample("i0", 20 * normal(3, 4), reference=by_mpmath(lambda x: mpmath.besseli(0, x)), smooth=False)
sample("sinc", np.array([[0.0, 0.3, -1.7], [1.2, 0.8, 2.5]]), reference=np.sinc)
sample("fabs", normal(3, 4), reference=np.abs)
sample("trunc", 3 * normal(3, 4), reference=np.trunc, differentiable=False)
odd = np.array([[1.0, np.nan], [np.inf, -np.inf]])
for name in ("isposinf", "isneginf", "isreal", "signbit"):
    sample(name, odd, reference=getattr(np, name), differentiable=False)
for name in ("hypot", "logaddexp", "logaddexp2"):
    sample(name, normal(3, 4), normal(3, 4), reference=getattr(np, name), **both)
    sample(name, normal(3, 4), normal(4), reference=getattr(np, name))
sample("fmod", 5 * normal(3, 4), between(0.5, 2, 3, 4), reference=np.fmod, smooth=False, **both)
for name in ("fmax", "fmin"):
    sample(name, distinct(3, 4), distinct(4) + 0.03, reference=getattr(np, name))
    sample(name, odd, np.full((2, 2), 3.0), reference=getattr(np, name), differentiable=False, batch=())
sample("heaviside", np.array([[-1.0, 0.0, 2.0]]), np.array([[0.5]]), reference=np.heaviside, differentiable=False)
sample("ldexp", normal(3, 4), whole(-3, 4, 4), reference=np.ldexp)
sample("nextafter", normal(3, 4), normal(4), reference=np.nextafter, differentiable=False)
for name in ("gcd", "lcm"):
    sample(name, whole(0, 30, 3, 4), whole(1, 30, 4), reference=getattr(np, name), differentiable=False)
for name in ("bitwise_and", "bitwise_or", "bitwise_xor"):
    sample(name, whole(-9, 90, 3, 4), whole(0, 90, 4), reference=getattr(np, name), differentiable=False)
for name, reference in {
    "left_shift": np.left_shift,
    "bitwise_left_shift": np.left_shift,
    "right_shift": np.right_shift,
    "bitwise_right_shift": np.right_shift,
}.items():
    sample(name, whole(-9, 90, 3, 4), whole(0, 5, 4), reference=reference, differentiable=False)
for name in ("bitwise_not", "bitwise_invert"):
    sample(name, whole(-9, 90, 3, 4), reference=np.invert, differentiable=False)
sample("isin", whole(0, 5, 3, 4), whole(0, 3, 4), reference=np.isin, differentiable=False)
sample("_isin", whole(0, 5, 3), whole(0, 3, 4), reference=np.isin, kwargs={"invert": True}, differentiable=False)
sample("nonzero", whole(0, 2, 3, 4), reference=np.nonzero, static=(0,), differentiable=False, batch=())
sample(
    "saturate_cast",
    np.array([[-300.0, 1.5], [7.0, 300.0]]),
    reference=lambda x, dtype: np.clip(x, 0, 255).astype("uint8"),
    kwargs={"dtype": "uint8"},
    differentiable=False,
)
sample("isreal", normal(3), reference=cases(lambda x: True), differentiable=False)

sample(
    "_rounded",
    normal(3, 4),
    reference=lambda x, dtype: x.astype(ml_dtypes.bfloat16).astype(x.dtype),
    kwargs={"dtype": "bfloat16"},
    differentiable=False,  # gradients pass it by
)
