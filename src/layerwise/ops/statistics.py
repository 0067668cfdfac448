"""Statistics: quantiles, histograms, correlations, and reductions that pass over NaN."""

from collections.abc import Callable
from typing import Any

from ..autograd import Array, Spec, Tensor, as_tensor, cast, primitive, reshape
from ..backends import xp
from ..dtypes import is_float, result_type
from ..naming import one_of
from .arithmetic import ceil, floor, round, sqrt, square
from .comparison import clip, isnan, logical_and, logical_not, where
from .convolution import conv
from .functions import log10
from .indexing import scatter_add, take_along_axis
from .linear import matmul
from .making import arange
from .reduction import (
    all,
    any,
    argmax,
    argmin,
    cumprod,
    cumsum,
    kept_shape,
    max,
    mean,
    min,
    prod,
    rows_over,
    sort,
    sum,
    wide_dtype,
)
from .shaping import Axis, axis_of, expand_dims, moveaxis, pad, swapaxes

__all__ = [
    "cdist", "corrcoef", "correlate", "diff", "digitize", "histogram", "nanargmax", "nanargmin", "nancumprod",
    "nancumsum", "nanmax", "nanmean", "nanmedian", "nanmin", "nanpercentile", "nanprod", "nanquantile", "nanstd",
    "nansum", "nanvar", "percentile", "psnr", "ptp", "quantile", "searchsorted", "trapezoid",
]  # fmt: skip

# Reductions that pass over NaN


def passing_over_nan(reduction: Callable[..., Tensor], filler: float, doc: str) -> Any:
    """A reduction in which `filler`, which has no say in it, stands for NaN."""

    def reduced(x: Any, axis: Axis = None, keepdims: bool = False) -> Tensor:
        x = as_tensor(x)
        if not is_float(x.dtype):
            return reduction(x, axis=axis, keepdims=keepdims)
        missing = isnan(x)
        y = reduction(where(missing, filler, x), axis=axis, keepdims=keepdims)
        if filler in (0, 1):
            return y
        nothing = all(missing, axis=axis, keepdims=keepdims)
        return where(nothing, -1 if y.dtype == "int32" else float("nan"), y)

    reduced.__name__ = reduced.__qualname__ = f"nan{reduction.__name__}"
    reduced.__doc__ = doc
    return reduced


_INF = float("inf")
nansum = passing_over_nan(sum, 0, "y = the sum over `axis` of x that is not NaN; keepdims: with size 1 there")
nanprod = passing_over_nan(prod, 1, "y = the product over `axis` of x that is not NaN; keepdims: with size 1 there")
nanmax = passing_over_nan(max, -_INF, "y = the largest x over `axis`, NaN aside; keepdims: with size 1 there")
nanmin = passing_over_nan(min, _INF, "y = the smallest x over `axis`, NaN aside; keepdims: with size 1 there")
nanargmax = passing_over_nan(
    argmax, -_INF, "y = where the largest x over `axis` is, NaN aside, -1 where all are; keepdims: with size 1 there"
)
nanargmin = passing_over_nan(
    argmin, _INF, "y = where the smallest x over `axis` is, NaN aside, -1 where all are; keepdims: with size 1 there"
)


def nanmean(x: Any, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """y = the mean over `axis` of x that is not NaN; keepdims: with size 1 there"""
    x = as_tensor(x)
    if not is_float(x.dtype):
        return mean(x, axis=axis, keepdims=keepdims)
    wide = cast(x, wide_dtype(x.dtype))
    count = sum(cast(logical_not(isnan(x)), wide.dtype), axis=axis, keepdims=keepdims)
    return cast(nansum(wide, axis, keepdims) / count, x.dtype)


def nanvar(x: Any, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """y = the mean over `axis` of (x - mean)^2, NaN aside; keepdims: with size 1 there"""
    x = as_tensor(x)
    wide = cast(x, wide_dtype(x.dtype if is_float(x.dtype) else result_type(x.dtype, "float")))
    return cast(nanmean(square(wide - nanmean(wide, axis, keepdims=True)), axis, keepdims), _floating(x.dtype))


def nanstd(x: Any, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """y = sqrt(nanvar(x)) over `axis`; keepdims: with size 1 there"""
    return sqrt(nanvar(x, axis, keepdims))


def _floating(dtype: str) -> str:
    return dtype if is_float(dtype) else result_type("float")


def nancumsum(x: Any, axis: int | None = None, dtype: Any = None) -> Tensor:
    """y_i = x_0 + ... + x_i along `axis`, of the flattened x where it is None, NaN counting as 0; as `dtype`, or x's"""
    x = as_tensor(x, dtype)
    return cumsum(where(isnan(x), 0, x), axis=axis)


def nancumprod(x: Any, axis: int | None = None, dtype: Any = None) -> Tensor:
    """y_i = x_0 ... x_i along `axis`, of the flattened x where it is None, NaN counting as 1; as `dtype`, or x's"""
    x = as_tensor(x, dtype)
    return cumprod(where(isnan(x), 1, x), axis=axis)


# Quantiles

# Where the place p of a quantile among sorted values is no whole number: what is taken of the values around it.
METHODS = {
    "linear": lambda p: p - floor(p),
    "lower": lambda p: 0 * p,
    "higher": lambda p: ceil(p) - floor(p),
    "midpoint": lambda p: 0.5 * (ceil(p) - floor(p)),
    "nearest": lambda p: round(p) - floor(p),
}


def quantile(x: Any, q: Any, axis: Axis = None, method: str = "linear", keepdims: bool = False) -> Tensor:
    """y = the value that the share q of x over `axis` does not exceed, 0 <= q <= 1: the place q (n - 1) among sorted x

    Several q come along a new first axis. method: what stands between two values: "linear", "lower", "higher",
    "midpoint" or "nearest" (halves to the even place). NaN where there is one; keepdims: with size 1 there.

    >>> quantile([1.0, 2.0, 3.0, 5.0], [0.5, 1.0])
    Tensor([2.5, 5. ], shape=(2,), dtype=float32)
    """
    return _quantile("quantile", x, q, axis, method, keepdims, passes=False)


def nanquantile(x: Any, q: Any, axis: Axis = None, method: str = "linear", keepdims: bool = False) -> Tensor:
    """y = the `quantile` of the x that are not NaN: what the share q of them over `axis` does not exceed

    method, keepdims: as in `quantile`.
    """
    return _quantile("nanquantile", x, q, axis, method, keepdims, passes=True)


def percentile(x: Any, q: Any, axis: Axis = None, method: str = "linear", keepdims: bool = False) -> Tensor:
    """y = the value that q of 100 of x over `axis` do not exceed: `quantile(x, q / 100)`

    method, keepdims: as there.
    """
    return _quantile("percentile", x, as_tensor(q) / 100, axis, method, keepdims, passes=False)


def nanpercentile(x: Any, q: Any, axis: Axis = None, method: str = "linear", keepdims: bool = False) -> Tensor:
    """y = the value that q of 100 of what is not NaN over `axis` do not exceed: `nanquantile(x, q / 100)`

    method, keepdims: as there.
    """
    return _quantile("nanpercentile", x, as_tensor(q) / 100, axis, method, keepdims, passes=True)


def nanmedian(x: Any, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """y = the middle x over `axis`, NaN aside, the mean of the middle two; keepdims: with size 1 there"""
    return _quantile("nanmedian", x, 0.5, axis, "linear", keepdims, passes=True)


def _quantile(name: str, x: Any, q: Any, axis: Axis, method: str, keepdims: bool, passes: bool) -> Tensor:
    one_of(f"{name}: method", method, *METHODS)
    x = as_tensor(x)
    x = cast(x, _floating(x.dtype))
    wide = wide_dtype(x.dtype)
    q = as_tensor(q, wide)
    rows = sort(cast(rows_over(x, axis), wide), axis=-1)  # NaN comes last
    missing = isnan(rows)
    count = sum(cast(logical_not(missing), wide), axis=-1, keepdims=True) if passes else rows.shape[-1]
    place = clip(reshape(q, (-1,)) * (count - 1) + 0 * cast(missing[..., :1], wide), 0, rows.shape[-1] - 1)
    below, above = (take_along_axis(rows, cast(f(place), "int32"), axis=-1) for f in (floor, ceil))
    share = METHODS[method](place)
    y = below + where(share == 0, 0, above - below) * share
    if not passes:
        y = where(any(missing, axis=-1, keepdims=True), float("nan"), y)
    y = reshape(moveaxis(cast(y, x.dtype), -1, 0), (*q.shape, *y.shape[:-1]))
    return reshape(y, (*q.shape, *kept_shape(x.shape, axis))) if keepdims else y


def ptp(x: Any, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """y = max(x) - min(x) over `axis`; keepdims: with size 1 there"""
    return max(x, axis=axis, keepdims=keepdims) - min(x, axis=axis, keepdims=keepdims)


# Places among sorted values


def searchsorted(sorted_sequence: Any, values: Any, side: str = "left") -> Tensor:
    """y = where each value would be put into the ascending sorted_sequence: before equals, or on the "right" of them

    sorted_sequence (n,), values (...) -> int32 (...)

    >>> searchsorted([1.0, 2.0, 2.0], [2.0, 5.0], side="right")
    Tensor([3, 3], shape=(2,), dtype=int32)
    """
    one_of("searchsorted: side", side, "left", "right")
    if as_tensor(sorted_sequence).ndim != 1:
        raise ValueError(
            f"searchsorted: sorted_sequence: got shape {as_tensor(sorted_sequence).shape}, expected one dimension; "
            "for several rows map it over them with vectorized_map"
        )
    return _searchsorted(sorted_sequence, values, side=side)


@primitive(promote=True, differentiable=False)
def _searchsorted(row: Array, values: Array, *, side: str) -> Array:
    """y = how many of the ascending row are smaller than each value, or with side "right" at most as large"""
    return xp().searchsorted(row, values, side=side).astype("int32")


@_searchsorted.shape
def _(row, values, *, side):
    return Spec(values.shape, "int32")


def digitize(x: Any, bins: Any) -> Tensor:
    """y = i where bins[i - 1] <= x < bins[i]: 0 below all bins, their number above; int32

    Where the bins descend, bins[i - 1] > x >= bins[i].

    >>> digitize([0.5, 1.0, 9.0], [1.0, 2.0])
    Tensor([0, 1, 2], shape=(3,), dtype=int32)
    """
    bins = as_tensor(bins)
    if not bins.size:
        return searchsorted(bins, x)
    rising, falling = searchsorted(bins, x, side="right"), bins.size - searchsorted(bins[::-1], x)
    return where(bins[0] <= bins[-1], rising, falling)


def histogram(x: Any, bins: Any = 10, range: tuple[float, float] | None = None) -> tuple[Tensor, Tensor]:
    """(how many of x lie in each bin, the bins' edges): floats; the last bin contains its upper edge

    bins: how many of equal width, within `range` (lowest, highest; by default those of x), or all edges.

    >>> histogram([1.0, 2.0, 2.5, 4.0], bins=3)[0]
    Tensor([1., 2., 1.], shape=(3,), dtype=float32)
    """
    x = as_tensor(x)
    x = reshape(cast(x, _floating(x.dtype)), (-1,))
    if isinstance(bins, int):
        low, high = range or ((min(x), max(x)) if x.size else (0.0, 1.0))
        flat = as_tensor(low, x.dtype) == as_tensor(high, x.dtype)
        low, high = (as_tensor(where(flat, end + half, end), x.dtype) for end, half in ((low, -0.5), (high, 0.5)))
        share = arange(bins + 1, dtype=x.dtype) / bins
        edges = where(share == 1, high, low + (high - low) * share)
    else:
        edges = as_tensor(bins, x.dtype)
    count = edges.shape[0] - 1
    place = searchsorted(edges, x, side="right") - 1
    place = where(x == edges[-1], count - 1, place)
    place = where(logical_and(place >= 0, place < count), place, count)
    return scatter_add(place, 0 * x + 1, shape=(count + 1,))[:count], edges


# Differences, correlations and distances


def diff(a: Any, n: int = 1, axis: int = -1) -> Tensor:
    """y_i = a_(i+1) - a_i along `axis` of a, n times over; of truth values whether they differ

    >>> diff([1, 4, 9, 16], n=2)
    Tensor([2, 2], shape=(2,), dtype=int32)
    """
    y = as_tensor(a)
    before = (slice(None),) * axis_of(axis, y.ndim)
    for _ in range(n):
        late, early = y[(*before, slice(1, None))], y[(*before, slice(None, -1))]
        y = late != early if y.dtype == "bool" else late - early
    return y


def trapezoid(y: Any, x: Any = None, dx: Any = 1.0, axis: int = -1) -> Tensor:
    """the integral of y along `axis`: sum of (x_(i+1) - x_i) (y_(i+1) + y_i) / 2, at places x or `dx` apart

    >>> trapezoid([1.0, 2.0, 3.0]).item()
    4.0
    """
    y = as_tensor(y)
    last = moveaxis(cast(y, _floating(y.dtype)), axis, -1)
    if x is not None:
        x = as_tensor(x)
        dx = diff(x if x.ndim == 1 else moveaxis(x, axis, -1))
    return sum((last[..., 1:] + last[..., :-1]) * 0.5 * dx, axis=-1)


def corrcoef(x: Any) -> Tensor:
    """y[i, j] = the correlation of the variables in rows i and j of x: covariance over both standard deviations"""
    x = as_tensor(x)
    x = cast(x, _floating(x.dtype))
    rows = x if x.ndim > 1 else reshape(x, (1, -1))
    centred = rows - mean(rows, axis=-1, keepdims=True)
    unit = centred / sqrt(sum(square(centred), axis=-1, keepdims=True))
    y = clip(matmul(unit, swapaxes(unit, -1, -2)), -1, 1)
    return y if x.ndim > 1 else y[0, 0]


def correlate(x1: Any, x2: Any, mode: str = "valid") -> Tensor:
    """y_k = sum over n of x1_(n+k) x2_n, of vectors x1 and x2

    k: by mode, all at which the vectors overlap ("full"), do so wholly ("valid"), or the middle ones of all, as many as
    the longer vector has numbers ("same").

    >>> correlate([1.0, 2.0, 3.0], [0.0, 1.0])
    Tensor([2., 3.], shape=(2,), dtype=float32)
    """
    one_of("correlate: mode", mode, "full", "same", "valid")
    a, b = as_tensor(x1), as_tensor(x2)
    dtype = _floating(result_type(a.dtype, b.dtype))
    a, b = cast(a, dtype), cast(b, dtype)
    m, n = a.shape[0], b.shape[0]
    y = reshape(conv(reshape(pad(a, (n - 1, n - 1)), (1, -1, 1)), reshape(b, (-1, 1, 1)), 1), (-1,))
    short, long = sorted((m, n))
    first = {"full": 0, "valid": short - 1, "same": short // 2 if m < n else (short - 1) // 2}[mode]
    return y[first : first + {"full": m + n - 1, "valid": long - short + 1, "same": long}[mode]]


def psnr(x1: Any, x2: Any, max_val: Any) -> Tensor:
    """y = 10 log10(max_val^2 / mean((x1 - x2)^2)): the peak signal-to-noise ratio of two signals, in decibels

    max_val: the largest value there can be.

    >>> psnr([0.0, 1.0], [0.0, 0.9], 1.0).numpy().round(2)
    np.float32(23.01)
    """
    x1, x2 = as_tensor(x1), as_tensor(x2)
    if x1.shape != x2.shape:
        raise ValueError(f"psnr: got shapes {x1.shape} and {x2.shape}, expected one shape")
    return 20 * log10(as_tensor(max_val, x2.dtype)) - 10 * log10(mean(square(x1 - x2)))


def cdist(x: Any, y: Any) -> Tensor:
    """d[..., i, j] = |x_i - y_j|, the distance of row i of x (..., m, n) from row j of y (..., k, n)

    The gradient is 0 between equal rows.
    """
    squares = sum(square(expand_dims(x, -2) - expand_dims(y, -3)), axis=-1)
    same = squares == 0
    return where(same, 0, sqrt(where(same, 1, squares)))
