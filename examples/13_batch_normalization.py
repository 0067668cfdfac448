"""A deep network of digits, with and without batch normalisation: which learning rates it takes, how fast it learns.

Run: python examples/13_batch_normalization.py [--out FOLDER]
"""

import argparse
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt

from layerwise import datasets, layers, models, optimizers, utils

DEPTH, EPOCHS, RATES = 8, 12, (0.01, 0.1, 1.0)


def build(normalise, rate):
    """Eight hidden layers; with normalisation each hands on numbers of mean 0 and variance 1 in every batch."""
    utils.set_random_seed(0)
    model = models.Sequential([layers.Input((64,))])
    for _ in range(DEPTH):
        model.add(layers.Dense(32, use_bias=not normalise))  # beta of the normalisation is the bias
        if normalise:
            model.add(layers.BatchNormalization(momentum=0.9))
        model.add(layers.Activation("relu"))
    model.add(layers.Dense(10, activation="softmax"))
    model.compile(optimizers.SGD(rate), loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, help="folder for the picture (default: a new temporary one)")
    out = parser.parse_args().out or Path(tempfile.mkdtemp())
    out.mkdir(parents=True, exist_ok=True)
    (x, y), (x_test, y_test) = datasets.digits.load_data()
    x, x_test = (images.reshape(len(images), 64) / 255 for images in (x, x_test))

    figure, axes = plt.subplots(1, 2, figsize=(11, 4), layout="constrained", sharey=True)
    print(f"test accuracy after {EPOCHS} epochs, by learning rate:", *RATES)
    for ax, (name, normalise) in zip(axes, {"without": False, "with batch normalisation": True}.items()):
        reached = []
        for rate in RATES:
            model = build(normalise, rate)
            learn = {"epochs": EPOCHS, "batch_size": 64, "validation_batch_size": 512, "verbose": 0}
            history = model.fit(x, y, validation_data=(x_test, y_test), **learn).history["val_accuracy"]
            reached.append(f"{history[-1]:7.1%}")
            ax.plot(range(1, EPOCHS + 1), history, label=f"learning rate {rate}")
        print(f"{name:25}", *reached)
        ax.set(title=name, xlabel="epoch", ylim=(0, 1))
        ax.grid(alpha=0.3)
        ax.legend()
    axes[0].set(ylabel="test accuracy")
    figure.savefig(out / "batch_normalization.png", dpi=120)
    print("\npicture:", out / "batch_normalization.png")


if __name__ == "__main__":
    main()
