"""A large network learns few, partly mislabelled digits by heart; dropout, L2 and early stopping work against that.

Run: python examples/08_against_overfitting.py [--out FOLDER]
"""

import argparse
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

from layerwise import callbacks, datasets, layers, models, regularizers, utils

EPOCHS, FEW, WRONG = 60, 400, 0.3


def build(dropout=0.0, l2=0.0):
    """An MLP with 65 parameters for each digit that it learns from."""
    utils.set_random_seed(0)
    penalty = regularizers.L2(l2) if l2 else None
    model = models.Sequential([
        layers.Input((64,)),
        layers.Dense(128, activation="relu", kernel_regularizer=penalty),
        layers.Dropout(dropout),
        layers.Dense(128, activation="relu", kernel_regularizer=penalty),
        layers.Dropout(dropout),
        layers.Dense(10, activation="softmax"),
    ])
    loss = "sparse_categorical_crossentropy"
    model.compile("adam", loss=loss, metrics=["accuracy", loss])  # as a metric it comes without the penalty
    return model


def draw(ax, name, history):
    train, validation = history["sparse_categorical_crossentropy"], history["val_sparse_categorical_crossentropy"]
    epochs, best = np.arange(1, len(train) + 1), int(np.argmin(validation))
    ax.plot(epochs, train, label="training")
    ax.plot(epochs, validation, label="validation")
    ax.plot(epochs[best], validation[best], "o", color="black", label=f"least: {validation[best]:.2f}")
    ax.set(title=name, xlabel="epoch", xlim=(0, EPOCHS))
    ax.grid(alpha=0.3)
    ax.legend()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, help="folder for the picture (default: a new temporary one)")
    out = parser.parse_args().out or Path(tempfile.mkdtemp())
    out.mkdir(parents=True, exist_ok=True)

    (x, y), (x_test, y_test) = datasets.digits.load_data()
    x, x_test = (images.reshape(len(images), 64) / 255 for images in (x, x_test))
    rng = np.random.default_rng(0)
    labels = np.where(rng.random(FEW) < WRONG, rng.integers(0, 10, FEW), y[:FEW])
    validation = x[FEW : 2 * FEW], y[FEW : 2 * FEW]
    stop = callbacks.EarlyStopping(patience=8, restore_best_weights=True)
    runs = {
        "nothing": ({}, []),
        "dropout 0.5": ({"dropout": 0.5}, []),
        "L2 penalty 0.01": ({"l2": 0.01}, []),
        "early stopping": ({}, [stop]),
    }
    figure, axes = plt.subplots(1, 4, figsize=(15, 3.6), layout="constrained", sharey=True)
    print(f"{'':15} epochs   training accuracy   test accuracy")
    for ax, (name, (arguments, listeners)) in zip(axes, runs.items()):
        model = build(**arguments)
        learn = {"epochs": EPOCHS, "batch_size": 40, "validation_batch_size": FEW, "verbose": 0}
        history = model.fit(x[:FEW], labels, validation_data=validation, callbacks=listeners, **learn).history
        accuracies = [model.evaluate(*data, verbose=0)[1] for data in ((x[:FEW], labels), (x_test, y_test))]
        print(f"{name:15} {len(history['loss']):6} {accuracies[0]:19.1%} {accuracies[1]:15.1%}")
        draw(ax, name, history)
    axes[0].set(ylabel="cross-entropy", ylim=(0, 2.5))
    figure.savefig(out / "overfitting.png", dpi=120)
    print("\npicture:", out / "overfitting.png")


if __name__ == "__main__":
    main()
