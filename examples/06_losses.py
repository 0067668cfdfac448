"""Each loss: its formula in NumPy against `layerwise.losses`, and how it grows as a prediction gets worse.

Run: python examples/06_losses.py [--out FOLDER]
"""

import argparse
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

from layerwise import losses

log, exp, mean, maximum = np.log, np.exp, np.mean, np.maximum
BINARY = [[1.0, 0.0, 1.0]], [[0.9, 0.2, 0.4]]  # labels, probabilities
CLASSES = [[0.0, 1.0, 0.0]], [[0.2, 0.7, 0.1]]  # one-hot, probabilities
SIGNS = [[1.0, -1.0, 1.0]], [[2.0, 0.3, 0.4]]  # labels, scores
VALUES = [[1.0, 2.0, 4.0]], [[1.5, 2.0, 1.0]]  # targets, predictions

# name in layerwise.losses: labels and predictions, the formula by hand
FORMULAS = {
    "binary_crossentropy": (BINARY, lambda y, p: mean(-y * log(p) - (1 - y) * log(1 - p))),
    "categorical_crossentropy": (CLASSES, lambda y, p: -np.sum(y * log(p))),
    "sparse_categorical_crossentropy": (([1], CLASSES[1]), lambda y, p: -log(p[0, int(y[0])])),
    "binary_focal_crossentropy": (
        BINARY,
        lambda y, p: mean(-y * (1 - p) ** 2 * log(p) - (1 - y) * p**2 * log(1 - p)),
    ),
    "categorical_focal_crossentropy": (CLASSES, lambda y, p: -np.sum(0.25 * y * (1 - p) ** 2 * log(p))),
    "kl_divergence": (([[0.5, 0.3, 0.2]], CLASSES[1]), lambda y, p: np.sum(y * log(y / p))),
    "poisson": (VALUES, lambda y, s: mean(s - y * log(s))),
    "mean_squared_error": (VALUES, lambda y, s: mean((y - s) ** 2)),
    "mean_absolute_error": (VALUES, lambda y, s: mean(abs(y - s))),
    "mean_absolute_percentage_error": (VALUES, lambda y, s: 100 * mean(abs(y - s) / abs(y))),
    "mean_squared_logarithmic_error": (VALUES, lambda y, s: mean((log(1 + y) - log(1 + s)) ** 2)),
    "huber": (VALUES, lambda y, s: mean(np.where(abs(y - s) <= 1, (y - s) ** 2 / 2, abs(y - s) - 0.5))),
    "log_cosh": (VALUES, lambda y, s: mean(log(np.cosh(y - s)))),
    "cosine_similarity": (VALUES, lambda y, s: -np.sum(y * s) / np.linalg.norm(y) / np.linalg.norm(s)),
    "hinge": (SIGNS, lambda y, s: mean(maximum(1 - y * s, 0))),
    "squared_hinge": (SIGNS, lambda y, s: mean(maximum(1 - y * s, 0) ** 2)),
    "categorical_hinge": (CLASSES, lambda y, s: maximum(1 + np.max((1 - y) * s) - np.sum(y * s), 0)),
}


def plot(path):
    p, s, error = np.linspace(0.01, 0.99, 99), np.linspace(-2.5, 2.5, 101), np.linspace(-4, 4, 161)
    panels = [
        ("label 1, probability p", "p", p, ["binary_crossentropy", "binary_focal_crossentropy", "mean_squared_error"]),
        ("label 1, score s", "s", s, ["hinge", "squared_hinge"]),
        ("regression", "prediction - target", error, "mean_squared_error mean_absolute_error huber log_cosh".split()),
    ]
    figure, axes = plt.subplots(1, 3, figsize=(14, 4), layout="constrained")
    for ax, (title, label, x, names) in zip(axes, panels):
        y = np.zeros_like(x) if title == "regression" else np.ones_like(x)
        for name in names:
            ax.plot(x, getattr(losses, name)(y[:, None], x[:, None]).numpy(), label=name)
        ax.set(title=title, xlabel=label, ylabel="loss", ylim=(0, 8 if title == "regression" else 5))
        ax.grid(alpha=0.3)
        ax.legend(fontsize=9)
    figure.savefig(path, dpi=120)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, help="folder for the picture (default: a new temporary one)")
    out = parser.parse_args().out or Path(tempfile.mkdtemp())
    out.mkdir(parents=True, exist_ok=True)
    print(f"{'loss':34}{'by hand':>12}{'layerwise':>12}")
    for name, ((y, predictions), formula) in FORMULAS.items():
        hand, ours = formula(np.array(y), np.array(predictions)), getattr(losses, name)(y, predictions).item()
        print(f"{name:34}{hand:12.6f}{ours:12.6f}")
        assert np.isclose(hand, ours, rtol=1e-5)
    plot(out / "losses.png")
    print("\npicture:", out / "losses.png")


if __name__ == "__main__":
    main()
