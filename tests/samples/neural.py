"""Neural networks: layers, pooling, normalization, losses."""

from __future__ import annotations

from typing import Any

import numpy as np

from layerwise.backends import Window

from .references import (
    attention,
    naive_avg_unpool,
    naive_conv,
    naive_conv_grad_w,
    naive_conv_grad_x,
    naive_conv_pool_grad,
    naive_max_unpool,
    naive_pool,
    softmax,
)
from .sample import between, both, distinct, normal, sample, whole

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
sample(
    "separable_conv",
    normal(2, 6, 2),
    normal(3, 2, 2),
    normal(1, 4, 3),
    reference=lambda x, d, p: naive_conv(x, d.reshape(3, 1, 4), None, Window((3,), (1,), ((0, 0),))) @ p[0],
)
for kwargs, window, n in [
    ({"strides": 2}, Window((3, 2), (2, 2), ((0, 0), (0, 0))), (7, 4)),
    ({"strides": (2, 3), "padding": "same"}, Window((3, 2), (2, 3), ((0, 1), (0, 0))), (6, 6)),
    ({"strides": 2, "padding": "same", "output_padding": 0}, Window((3, 2), (2, 2), ((1, 1), (1, 1))), (5, 2)),
    ({"padding": "same", "dilation_rate": 2}, Window((3, 2), (1, 1), ((2, 2), (1, 1)), (2, 2)), (3, 2)),
    ({"data_format": "channels_first"}, Window((3, 2), (1, 1), ((0, 0), (0, 0))), (5, 3)),
]:
    first = "data_format" in kwargs

    def transposed_conv(
        x: np.ndarray, w: np.ndarray, window: Window = window, first: bool = first, n: Any = n, **_: Any
    ) -> np.ndarray:
        y = naive_conv_grad_x(np.moveaxis(x, 1, -1) if first else x, w, window=window, x_shape=(2, *n, 4))
        return np.moveaxis(y, -1, 1) if first else y

    x = normal(2, 3, 3, 2) if first else normal(2, 3, 2, 3)
    sample("conv_transpose", x, normal(3, 2, 4, 3), reference=transposed_conv, kwargs=kwargs)

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
    sample(
        f"adaptive_{name}",
        distinct(2, 5, 4, 2),
        reference=lambda x, r=reduce, **_: np.stack(
            [[r(x[:, a:b, c : c + 2], axis=(1, 2)) for c in (0, 2)] for a, b in ((0, 2), (1, 4), (3, 5))]
        ).transpose(2, 0, 1, 3),
        kwargs={"output_size": (3, 2)},
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

mask = np.tri(3, 4, dtype=bool)[None, None]
for heads, more, options in [
    (2, [], {}),
    (4, [], {"scale": 0.5}),
    (2, [], {"is_causal": True}),
    (2, [normal(1, 2, 3, 4), mask], {}),
]:
    arrays = [normal(2, 3, heads, 2), normal(2, 4, 2, 2), normal(2, 4, 2, 2), *more]
    sample("dot_product_attention", *arrays, reference=attention, kwargs=options, batch=(0, 1, 2))
