"""Activations made of straight pieces, normalisation, and labels without times."""

from __future__ import annotations

import itertools

import numpy as np

from .sample import distinct, normal, sample

clipped = lambda x, low, high: np.minimum(np.maximum(x, low), high)  # noqa: E731
ELEMENTWISE = {
    "celu": lambda x: np.where(x > 0, x, np.expm1(x)),
    "hard_shrink": lambda x: np.where(abs(x) > 0.5, x, 0),
    "hard_sigmoid": lambda x: clipped(x / 6 + 0.5, 0, 1),
    "hard_silu": lambda x: x * clipped(x / 6 + 0.5, 0, 1),
    "hard_swish": lambda x: x * clipped(x / 6 + 0.5, 0, 1),
    "hard_tanh": lambda x: clipped(x, -1, 1),
    "log_sigmoid": lambda x: -np.log1p(np.exp(-x)),
    "soft_shrink": lambda x: x - clipped(x, -0.5, 0.5),
    "sparse_plus": lambda x: np.where(x > 1, x, (clipped(x, -1, 1) + 1) ** 2 / 4),
    "sparse_sigmoid": lambda x: clipped((x + 1) / 2, 0, 1),
    "squareplus": lambda x: (x + np.sqrt(x * x + 4)) / 2,
    "tanh_shrink": lambda x: x - np.tanh(x),
}
points = np.array([[-3.3, -0.7, 0.3], [0.8, 1.7, 3.2]])
for name, reference in ELEMENTWISE.items():
    sample(name, points, reference=reference)
sample("celu", points, reference=lambda x, alpha: np.where(x > 0, x, 2 * np.expm1(x / 2)), kwargs={"alpha": 2.0})
sample("threshold", points, 0.5, -1.0, reference=lambda x, threshold, value: np.where(x > threshold, x, value))
sample("glu", normal(3, 4), reference=lambda x: x[:, :2] / (1 + np.exp(-x[:, 2:])))


def projected(x: np.ndarray) -> np.ndarray:
    """The point of the simplex that is nearest to x, by bisection."""
    low, high = x.min(-1, keepdims=True) - 1, x.max(-1, keepdims=True)
    for _ in range(200):
        middle = (low + high) / 2
        more = np.maximum(x - middle, 0).sum(-1, keepdims=True) > 1
        low, high = np.where(more, middle, low), np.where(more, high, middle)
    return np.maximum(x - low, 0)


sample("sparsemax", np.array([[1.9, -0.4, 0.3, 0.6]]), reference=projected)  # where Keras is right as well
sample("sparsemax", np.array([[0.31, 0.92, -0.2, 1.13], [1.9, 1.4, 1.3, 0.6]]), reference=projected)


def standardized(x: np.ndarray, gamma: np.ndarray, beta: np.ndarray, epsilon: float) -> np.ndarray:
    centred = x - x.mean(-1, keepdims=True)
    return centred / np.sqrt(x.var(-1, keepdims=True) + epsilon) * gamma + beta


small = {"epsilon": 1e-3}
sample("layer_normalization", normal(3, 4), normal(4), normal(4), reference=standardized, kwargs=small)
sample(
    "layer_normalization",
    normal(2, 3, 4),
    normal(3, 4),
    reference=lambda x, gamma, axis: standardized(x.reshape(2, 12), gamma.ravel(), 0, 1e-7).reshape(2, 3, 4),
    kwargs={"axis": [1, 2]},
)
sample(
    "rms_normalization",
    normal(3, 4),
    normal(4),
    reference=lambda x, scale, epsilon: x / np.sqrt((x * x).mean(-1, keepdims=True) + epsilon) * scale,
    kwargs=small,
)


def summed_paths(target: np.ndarray, output: np.ndarray, labels: np.ndarray, times: np.ndarray) -> np.ndarray:
    """-ln p, from all paths one by one."""
    p = np.exp(output) / np.exp(output).sum(-1, keepdims=True)
    losses = []
    for n in range(len(target)):
        total = 0.0
        for path in itertools.product(range(output.shape[2]), repeat=times[n]):
            merged = [c for c, _ in itertools.groupby(path) if c != 0]
            if merged == list(target[n, : labels[n]]):
                total += np.prod([p[n, t, c] for t, c in enumerate(path)])
        losses.append(-np.log(total))
    return np.array(losses)


lengths = [np.array([2, 2, 0], "int32"), np.array([5, 4, 3], "int32")]
labels = np.array([[1, 2], [2, 2], [1, 1]], "int32")
sample("ctc_loss", labels, normal(3, 5, 3), *lengths, reference=summed_paths, batch=())


def first_of_each(x: np.ndarray, times: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    found = np.full((1, *x.shape[:2]), -1, "int32")
    for n, count in enumerate(times):
        merged = [c for c, _ in itertools.groupby(x[n, :count].argmax(-1)) if c]
        found[0, n, : len(merged)] = merged
    return found, -np.array([[x[n, :count].max(-1).sum()] for n, count in enumerate(times)])


def most_probable(x: np.ndarray, times: np.ndarray, **_: object) -> tuple[np.ndarray, np.ndarray]:
    """The two most probable labels of all, by `summed_paths`."""
    found, scores = np.full((2, *x.shape[:2]), -1, "int32"), np.zeros((len(x), 2))
    for n, count in enumerate(times):
        totals = {}
        for size in range(count + 1):
            for one in itertools.product(range(1, x.shape[2]), repeat=size):
                if size + sum(a == b for a, b in itertools.pairwise(one)) <= count:
                    target = np.array([one or (0,)])
                    totals[one] = -summed_paths(target, x[n : n + 1], np.array([size]), np.array([count]))[0]
        for i, one in enumerate(sorted(totals, key=totals.get)[::-1][:2]):
            found[i, n, : len(one)], scores[n, i] = one, totals[one]
    return found, scores


times = np.array([4, 3], "int32")
sample("ctc_decode", distinct(2, 4, 3), times, reference=first_of_each, static=(1,), batch=(), smooth=False)
sample(
    "ctc_decode",
    normal(2, 4, 3),
    times,
    reference=most_probable,
    kwargs={"strategy": "beam_search", "beam_width": 50, "top_paths": 2},
    static=(1,),
    batch=(),
)
