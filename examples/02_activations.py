"""Sigmoid, tanh, ReLU and softmax: their values, their slopes, and what becomes of a gradient behind ten of them.

Run: python examples/02_activations.py [--out FOLDER]
"""

import argparse
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

from layerwise.fundamentals import relu, sigmoid, softmax, tanh

# Each activation with its derivative, as a function of the activation's output y.
ACTIVATIONS = {
    "sigmoid": (sigmoid, lambda y: y * (1 - y)),
    "tanh": (tanh, lambda y: 1 - y**2),
    "relu": (relu, lambda y: np.where(y > 0, 1.0, 0.0)),
}


def plot(path):
    x = np.linspace(-5, 5, 501)
    figure, axes = plt.subplots(1, 4, figsize=(14, 3.2), layout="constrained")
    for ax, (name, (activation, slope)) in zip(axes, ACTIVATIONS.items()):
        y = activation(x)
        ax.plot(x, y, label=name)
        ax.plot(x, slope(y), "--", label="derivative")
        ax.set(title=name, xlabel="x", ylim=(-1.2, 2))
    logits = np.stack([x, np.zeros_like(x), np.ones_like(x)], axis=1)
    axes[3].plot(x, softmax(logits), label=["x", "0", "1"])
    axes[3].set(title="softmax([x, 0, 1])", xlabel="x", ylabel="probability")
    for ax in axes:
        ax.legend()
        ax.grid(alpha=0.3)
    figure.savefig(path, dpi=120)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, help="folder for the picture (default: a new temporary one)")
    out = parser.parse_args().out or Path(tempfile.mkdtemp())
    out.mkdir(parents=True, exist_ok=True)

    x = np.array([-1000, -4, -1, 0, 1, 4, 1000])
    print(f"{'x':8}", *[f"{value:10}" for value in x], sep="")
    for name, (activation, slope) in ACTIVATIONS.items():
        y = activation(x)
        print(f"{name:8}", *[f"{value:10.4f}" for value in y], sep="")
        print(f"{'  slope':8}", *[f"{value:10.4f}" for value in slope(y)], sep="")
    print("softmax([1000, 999, -1000]) =", softmax([1000, 999, -1000]).round(4), "(no overflow)")

    print("\nWhat ten layers leave of a gradient where x = 1 in each: why hidden layers use ReLU")
    for name, (activation, slope) in ACTIVATIONS.items():
        factor = float(slope(activation(1)))
        print(f"{name:8}{factor:.4f}^10 = {factor**10:.7f}")

    plot(out / "activations.png")
    print("\npicture:", out / "activations.png")


if __name__ == "__main__":
    main()
