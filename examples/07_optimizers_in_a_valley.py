"""Optimizers race down a long, narrow valley, 50 times steeper across than along.

Run: python examples/07_optimizers_in_a_valley.py [--out FOLDER]
"""

import argparse
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

from layerwise import GradientTape, Variable, optimizers

START, STEPS, ARRIVED = (-9.0, 1.5), 150, 1e-3
RACERS = {
    "SGD": optimizers.SGD(0.038),  # 2 / 50 would be the end: it would bounce for ever
    "SGD, momentum": optimizers.SGD(0.02, momentum=0.8),
    "SGD, Nesterov": optimizers.SGD(0.02, momentum=0.8, nesterov=True),
    "Adagrad": optimizers.Adagrad(1.5),
    "RMSprop": optimizers.RMSprop(0.15),
    "Adam": optimizers.Adam(0.5, beta_2=0.99),
}


def valley(x, y):
    """f(x, y) = (x^2 + 50 y^2) / 2, least at (0, 0)."""
    return (x * x + 50 * y * y) / 2


def race(optimizer):
    """The places visited, (STEPS + 1, 2)."""
    x, y = Variable(START[0], name="x"), Variable(START[1], name="y")
    path = [START]
    for _ in range(STEPS):
        with GradientTape() as tape:
            height = valley(x, y)
        optimizer.apply_gradients(zip(tape.gradient(height, [x, y]), [x, y]))
        path.append((float(x), float(y)))
    return np.array(path)


def draw(paths, file):
    figure, axes = plt.subplots(2, 3, figsize=(14, 6), layout="constrained", sharex=True, sharey=True)
    a, b = np.meshgrid(np.linspace(-10, 4, 281), np.linspace(-2, 2, 161))
    for ax, (name, path) in zip(axes.flat, paths.items()):
        ax.contourf(a, b, np.log10(valley(a, b) + 0.1), levels=20, cmap="Blues_r", alpha=0.8)
        ax.plot(*path.T, "o-", color="tab:red", markersize=3, linewidth=1.2, label="one dot a step")
        ax.plot(*START, "s", color="black", markersize=7, label="start")
        ax.plot(0, 0, "*", color="gold", markeredgecolor="black", markersize=15, label="lowest point")
        ax.set(title=name, xlim=(-10, 4), ylim=(-2, 2))
    axes[0, 0].legend(loc="lower right")
    figure.supxlabel("x (gentle)")
    figure.supylabel("y (50 times steeper)")
    figure.savefig(file, dpi=120)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, help="folder for the picture (default: a new temporary one)")
    out = parser.parse_args().out or Path(tempfile.mkdtemp())
    out.mkdir(parents=True, exist_ok=True)

    paths = {name: race(optimizer) for name, optimizer in RACERS.items()}
    print(f"height at the start {valley(*START):.1f}; steps until it stays below {ARRIVED}:")
    for name, path in paths.items():
        height = valley(*path.T)
        late = np.flatnonzero(height >= ARRIVED)[-1] + 1
        arrival = f"{late:4} steps" if late <= STEPS else f"not in {STEPS}"
        print(f"{name:14} {arrival:>11}   after 10 steps {height[10]:8.3f}   at the end {height[-1]:.1e}")
    draw(paths, out / "valley.png")
    print("\npicture:", out / "valley.png")


if __name__ == "__main__":
    main()
