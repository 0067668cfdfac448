"""Columns of very different size: the largest one drowns the others, until a layer measures and normalises.

Run: python examples/12_normalised_data.py [--out FOLDER]
"""

import argparse
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

from layerwise import layers, models, optimizers, utils


def patients(rows, rng):
    """Age in years, a blood value near 1 and an income near 50,000; the first two decide."""
    age, blood, income = rng.uniform(20, 80, rows), rng.normal(1, 0.2, rows), rng.normal(50_000, 15_000, rows)
    risk = (age - 50) / 20 + (blood - 1) / 0.2
    return np.stack([age, blood, income], axis=1), (risk > 0).astype(float)


def build(first):
    utils.set_random_seed(0)
    model = models.Sequential([
        layers.Input((3,)), *first, layers.Dense(16, activation="relu"), layers.Dense(1, activation="sigmoid"),
    ])  # fmt: skip
    model.compile(optimizers.SGD(0.1, momentum=0.9), loss="binary_crossentropy", metrics=["accuracy"])
    return model


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, help="folder for the picture (default: a new temporary one)")
    out = parser.parse_args().out or Path(tempfile.mkdtemp())
    out.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(0)
    (x, y), (x_test, y_test) = patients(1000, rng), patients(500, rng)

    # The layer measures the training rows only, and is saved with the model: who predicts cannot forget it.
    measured = layers.Normalization()
    measured.adapt(x)
    figure, ax = plt.subplots(figsize=(7, 4), layout="constrained")
    for name, first in {"as they are": [], "normalised": [measured]}.items():
        model = build(first)
        history = model.fit(x, y, epochs=30, validation_data=(x_test, y_test), verbose=0).history
        print(f"{name:12} test accuracy {history['val_accuracy'][-1]:.1%}")
        ax.plot(history["val_accuracy"], label=name)
    print("mean", np.round(measured.mean, 2).ravel(), "variance", np.round(measured.variance, 2).ravel())
    ax.set(title="columns near 50, 1 and 50,000", xlabel="epoch", ylabel="test accuracy", ylim=(0.4, 1))
    ax.grid(alpha=0.3)
    ax.legend()
    figure.savefig(out / "normalised.png", dpi=120)
    print("\npicture:", out / "normalised.png")


if __name__ == "__main__":
    main()
