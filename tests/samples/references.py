"""Operations written out in loops, or at 30 digits, for samples to be compared with."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any

import mpmath
import numpy as np

from layerwise.backends import Window


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


def attention(
    query: np.ndarray, key: np.ndarray, value: np.ndarray, bias: Any = 0.0, mask: Any = True, scale: Any = None,
    is_causal: bool = False,
) -> np.ndarray:  # fmt: skip
    key, value = (np.repeat(x, query.shape[2] // x.shape[2], axis=2) for x in (key, value))
    scores = np.einsum("btnh,bsnh->bnts", query, key) * (query.shape[-1] ** -0.5 if scale is None else scale) + bias
    seen = mask & np.tri(*scores.shape[-2:], dtype=bool) if is_causal else mask
    return np.einsum("bnts,bsnh->btnh", softmax(np.where(seen, scores, -1e30)), value)
