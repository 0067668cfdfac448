"""Rearranging under further names, blocks and windows, and what makes arrays of further kinds."""

from __future__ import annotations

import numpy as np

from .sample import normal, sample, whole

none = {"batch": ()}
sample("append", normal(3, 4), normal(2, 4), reference=np.append, kwargs={"axis": 0}, **none)
sample("append", normal(3, 4), normal(2), reference=np.append, **none)
sample("dstack", [normal(3, 4), normal(3, 4, 2)], reference=lambda xs: np.dstack(xs))
for name, x in {"hsplit": normal(3, 4), "vsplit": normal(4, 3), "dsplit": normal(2, 3, 4)}.items():
    sample(name, x, 2, reference=getattr(np, name), batch=() if name == "vsplit" else (0,))
sample("array_split", normal(3, 5), 3, reference=np.array_split, kwargs={"axis": 1})
sample("array_split", normal(5), [1, 4], reference=np.array_split, **none)
for name in ("flipud", "fliplr", "copy"):
    sample(name, normal(3, 4), reference=getattr(np, name))
for turns in (1, 2, 3, 4):
    sample("rot90", normal(2, 3, 4), reference=np.rot90, kwargs={"k": turns, "axes": (1, 2)})
sample("diagflat", normal(2, 2), reference=np.diagflat, kwargs={"k": -1}, **none)
sample("kron", normal(3, 2), normal(2, 4), reference=np.kron)
sample("kron", normal(2, 3, 2), normal(4), reference=np.kron)
sample("vander", normal(3), reference=np.vander, **none)
sample("vander", normal(3), reference=np.vander, kwargs={"N": 2, "increasing": True})
sample("empty_like", normal(3, 4), reference=np.zeros_like, differentiable=False)
for name in ("view", "_view"):
    sample(
        name,
        whole(0, 9, 3, 4),
        reference=lambda x, dtype: x.view(dtype),
        kwargs={"dtype": "float32"},
        differentiable=False,
    )
sample("argpartition", whole(0, 90, 3, 4), 1, reference=lambda x, k: np.argsort(x, kind="stable"), differentiable=False)
sample(
    "unravel_index",
    whole(0, 24, 3, 2),
    reference=lambda i, shape: np.unravel_index(i, shape),
    kwargs={"shape": (2, 3, 4)},
    differentiable=False,
)
sample("unique", np.array([3.0, 1.0, 2.5]), reference=np.unique, static=(0,), **none)
every = {"return_index": True, "return_inverse": True, "return_counts": True}
table = np.array([[1, 2], [0, 5], [1, 2]], "int32")
sample("unique", table, reference=np.unique, kwargs=every, static=(0,), differentiable=False, **none)
sample(
    "unique",
    table,
    reference=lambda x, axis, size, fill_value: np.array([[0, 5], [1, 2], [9, 9]]),
    kwargs={"axis": 0, "size": 3, "fill_value": 9},
    static=(0,),
    differentiable=False,
    **none,
)
sample(
    "rearrange",
    normal(2, 6, 4),
    "b (h p) c -> b h (p c)",
    reference=lambda x, pattern, p: x.reshape(2, 3, 8),
    kwargs={"p": 2},
    **none,
)


def blocks(x: np.ndarray, block_size: int) -> np.ndarray:
    y = np.zeros((x.shape[0], 2 * x.shape[1], 2 * x.shape[2], x.shape[3] // 4))
    for i in range(2):
        for j in range(2):
            y[:, i::2, j::2] = x[..., (2 * i + j) * y.shape[3] :][..., : y.shape[3]]
    return y


pixels = normal(2, 2, 3, 8)
sample("depth_to_space", pixels, 2, reference=blocks, **none)
sample("space_to_depth", blocks(pixels, 2), 2, reference=lambda x, n: pixels, **none)
first = lambda x: np.moveaxis(x, -1, 1)  # noqa: E731
sample(
    "depth_to_space",
    normal(2, 8, 2, 3),
    2,
    reference=lambda x, n, data_format: first(blocks(np.moveaxis(x, 1, -1)[..., [0, 4, 1, 5, 2, 6, 3, 7]], 2)),
    kwargs={"data_format": "channels_first"},
    **none,
)
sample(
    "extract_sequences",
    normal(2, 7),
    3,
    2,
    reference=lambda x, n, s: np.stack([x[:, 0:3], x[:, 2:5], x[:, 4:7]], 1),
)


def unfolded(x: np.ndarray, kernel_size: tuple[int, int], dilation: int, padding: int, stride: int) -> np.ndarray:
    x = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    (h, w), windows = kernel_size, []
    for i in range(0, x.shape[2] - dilation * (h - 1), stride):
        for j in range(0, x.shape[3] - dilation * (w - 1), stride):
            window = x[:, :, i : i + dilation * h : dilation, j : j + dilation * w : dilation][:, :, :h, :w]
            windows.append(window.reshape(len(x), -1))
    return np.stack(windows, -1)


how = {"kernel_size": (2, 3), "dilation": 2, "padding": 1, "stride": 2}
image = normal(2, 3, 5, 6)
sample("unfold", image, reference=unfolded, kwargs=how)


def folded(x: np.ndarray, output_size: tuple[int, int], **how: int) -> np.ndarray:
    places = unfolded(np.arange(1, 91).reshape(1, 3, 5, 6), **how)[0]
    y = np.zeros((len(x), 91))
    for n in range(len(x)):
        np.add.at(y[n], places.ravel(), x[n].ravel())
    return y[:, 1:].reshape(-1, 3, 5, 6)


sample("fold", normal(*unfolded(image, **how).shape), (5, 6), reference=folded, kwargs=how)
for name in ("bartlett", "blackman", "hamming", "hanning"):
    sample(name, 7, reference=getattr(np, name), differentiable=False, **none)
sample("kaiser", 7, 4.0, reference=np.kaiser, differentiable=False, **none)
sample("logspace", 0.0, 2.0, reference=np.logspace, kwargs={"num": 4, "base": 3}, differentiable=False, **none)
sample("geomspace", -1.0, -8.0, reference=np.geomspace, kwargs={"num": 4}, differentiable=False, **none)
for name in ("real", "imag", "conj", "conjugate"):
    sample(name, normal(3, 4), reference=getattr(np, name), differentiable=name != "imag")
sample("angle", normal(3, 4), reference=np.angle, differentiable=False)
