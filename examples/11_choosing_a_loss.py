"""Which loss when: outliers, a confident mistake, a rare class; each with the loss that fails, and one that does not.

Run: python examples/11_choosing_a_loss.py [--out FOLDER]
"""

import argparse
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

from layerwise import initializers, layers, models, optimizers, utils


def neuron(x, y, loss, activation=None, epochs=150, optimizer=None, start=0.0, **options):
    """One neuron, trained on the points; its model and the loss of each epoch."""
    dense = layers.Dense(1, activation, kernel_initializer=initializers.Constant(start))
    model = models.Sequential([layers.Input(x.shape[1:]), dense])
    model.compile(optimizer or optimizers.Adam(0.1), loss=loss)
    return model, model.fit(x, y, batch_size=50, epochs=epochs, verbose=0, **options).history["loss"]


def outliers(ax, rng):
    """A line through points, a tenth of which are wrong: squares let these decide."""
    x = np.sort(rng.uniform(-1, 1, (100, 1)), axis=0)
    y = 2 * x + rng.normal(0, 0.1, x.shape)
    y[-10:] -= 8
    ax.plot(x, y, ".", color="gray")
    for name in ("mean_squared_error", "huber", "mean_absolute_error"):
        model, _ = neuron(x, y, name)
        print(f"outliers: {name:20} slope {(slope := model.layers[0].kernel.numpy().item()):.2f} (right: 2)")
        ax.plot(x, model.predict(x, verbose=0), label=f"{name}: slope {slope:.1f}")
    ax.set(title="outliers: squares follow them", ylim=(-8, 4))


def confident_mistake(ax, rng):
    """Two classes, and a first guess that is sure and wrong: there the sigmoid is flat, and squares hardly learn."""
    x = rng.normal(0, 1, (100, 1))
    y = (x > 0).astype(float)
    for name in ("mean_squared_error", "binary_crossentropy"):
        _, history = neuron(x, y, name, "sigmoid", epochs=60, optimizer=optimizers.SGD(0.5), start=-15.0)
        print(f"sure and wrong: {name:20} loss {history[0]:.2f} -> {history[-1]:.2f}")
        ax.plot(np.array(history) / history[0], label=name)
    ax.set(title="sure and wrong: squares hardly learn", xlabel="epoch", ylabel="share of the first loss")


def rare_class(ax, rng):
    """One example in twenty is of class 1: the plain loss is low for who never says 1."""
    x = np.concatenate([rng.normal(0, 1, (950, 2)), rng.normal(1.2, 1, (50, 2))])
    y = np.repeat([[0.0], [1.0]], [950, 50], axis=0)
    ways = {"plain": {}, "class_weight": {"class_weight": {0: 1.0, 1: 19.0}}}
    found = []
    for name, options in ways.items():
        model, _ = neuron(x, y, "binary_crossentropy", "sigmoid", epochs=40, **options)
        said = model.predict(x, verbose=0) > 0.5
        found.append([np.mean(said[y == 0] == 0), np.mean(said[y == 1] == 1)])
        print(f"rare class: {name:12} right of class 0 {found[-1][0]:.0%}, of class 1 {found[-1][1]:.0%}")
    for shift, shares, label in zip((-0.2, 0.2), np.transpose(found), ("class 0, frequent", "class 1, rare")):
        ax.bar(np.arange(2) + shift, shares, width=0.35, label=label)
    ax.set(title="a rare class is not found", xticks=range(2), xticklabels=ways, ylabel="share found")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, help="folder for the picture (default: a new temporary one)")
    out = parser.parse_args().out or Path(tempfile.mkdtemp())
    out.mkdir(parents=True, exist_ok=True)
    figure, axes = plt.subplots(1, 3, figsize=(15, 4), layout="constrained")
    for ax, show in zip(axes, (outliers, confident_mistake, rare_class)):
        utils.set_random_seed(0)
        show(ax, np.random.default_rng(0))
        ax.legend(fontsize=9)
    figure.savefig(out / "choosing.png", dpi=120)
    print("\npicture:", out / "choosing.png")


if __name__ == "__main__":
    main()
