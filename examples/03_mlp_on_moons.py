"""Two half-moons that no line separates: a perceptron's straight boundary against a multilayer perceptron's bent one.

Run: python examples/03_mlp_on_moons.py [--out FOLDER]
"""

import argparse
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

from layerwise import layers, models, optimizers, utils

COLOURS = ("navy", "darkred")


def moons(n, noise, rng):
    """n points on two interlocking half-circles, and which of the two each is on."""
    y = np.arange(n) % 2
    angle = rng.uniform(0, np.pi, n)
    upper = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    lower = np.stack([1 - np.cos(angle), 0.5 - np.sin(angle)], axis=1)
    return np.where(y[:, None], lower, upper) + rng.normal(0, noise, (n, 2)), y


def trained(hidden, x, y):
    """A network with these hidden layers and one sigmoid output, trained on all of x."""
    utils.set_random_seed(1)
    stack = [layers.Dense(units, activation="relu") for units in hidden]
    model = models.Sequential([layers.Input((2,)), *stack, layers.Dense(1, activation="sigmoid")])
    model.compile(optimizers.Adam(0.02), loss="binary_crossentropy", metrics=["accuracy"])
    model.fit(x, y, epochs=80, batch_size=64, verbose=0)
    return model


def draw_boundary(ax, model, x, y):
    """The points, and behind them the probability that the model gives to every place."""
    a, b = np.meshgrid(np.linspace(-1.7, 2.7, 200), np.linspace(-1.2, 1.7, 150))
    p = model.predict(np.stack([a.ravel(), b.ravel()], axis=1), batch_size=4096, verbose=0).reshape(a.shape)
    shades = ax.contourf(a, b, p, levels=np.linspace(0, 1, 11), cmap="coolwarm", alpha=0.5)
    ax.contour(a, b, p, levels=[0.5], colors="black", linewidths=2)
    for label, colour in enumerate(COLOURS):
        ax.scatter(*x[y == label].T, s=12, color=colour, edgecolor="white", linewidth=0.3, label=f"class {label}")
    ax.set(xlabel="x1", ylabel="x2")
    return shades


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, help="folder for the picture (default: a new temporary one)")
    out = parser.parse_args().out or Path(tempfile.mkdtemp())
    out.mkdir(parents=True, exist_ok=True)

    rng = np.random.default_rng(0)
    x, y = moons(600, 0.15, rng)
    x_test, y_test = moons(1000, 0.15, rng)
    figure, axes = plt.subplots(1, 3, figsize=(14, 4), layout="constrained")
    print("hidden layers   parameters   test accuracy")
    for ax, hidden in zip(axes, [(), (4,), (32, 32)]):
        model = trained(hidden, x, y)
        accuracy = model.evaluate(x_test, y_test, verbose=0)[1]
        name = " + ".join(map(str, hidden)) or "none"
        print(f"{name:13}   {model.count_params():10}   {accuracy:13.1%}")
        shades = draw_boundary(ax, model, x_test, y_test)
        ax.set_title(f"hidden layers: {name}, test accuracy {accuracy:.1%}")
    axes[0].legend(loc="upper right")
    figure.colorbar(shades, ax=axes, label="probability of class 1")
    figure.savefig(out / "moons.png", dpi=120)
    print("\npicture:", out / "moons.png")


if __name__ == "__main__":
    main()
