"""A small convolutional network reads real handwritten digits; a picture shows what its first layer looks for.

Run: python examples/05_cnn_on_digits.py [--out FOLDER]          For the real thing: layerwise train
"""

import argparse
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

from layerwise import datasets, layers, models, optimizers, utils


def build():
    """Two convolutions for 8x8 images, made like the guide's create_cnn."""
    return models.Sequential([
        layers.Input((8, 8, 1)),
        layers.Rescaling(1 / 255),
        layers.Conv2D(16, (3, 3), padding="same", activation="relu"),
        layers.MaxPooling2D((2, 2)),
        layers.Conv2D(32, (3, 3), activation="relu"),
        layers.Flatten(),
        layers.Dropout(0.2),
        layers.Dense(10, activation="softmax"),
    ])


def draw(model, x, y, probabilities, path):
    """The sixteen kernels, and the digits that the network is least sure of."""
    kernels = model.layers[1].kernel.numpy()[:, :, 0]
    doubtful = np.argsort(probabilities.max(axis=1))[:16]
    figure = plt.figure(figsize=(12, 3.6), layout="constrained")
    left, right = figure.subfigures(1, 2, width_ratios=(1, 1.9))
    left.suptitle("first layer's kernels (red: +, blue: -)")
    right.suptitle("test digits it is least sure of: truth → prediction")
    for i, ax in enumerate(left.subplots(4, 4).flat):
        ax.imshow(kernels[..., i], cmap="RdBu_r", vmin=-abs(kernels).max(), vmax=abs(kernels).max())
    for i, ax in zip(doubtful, right.subplots(2, 8).flat):
        guess = probabilities[i].argmax()
        ax.imshow(x[i], cmap="gray_r")
        ax.set_title(f"{y[i]} → {guess}\n{probabilities[i].max():.0%}", color="black" if guess == y[i] else "red")
    for ax in figure.get_axes():
        ax.set(xticks=[], yticks=[])
    figure.savefig(path, dpi=120)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, help="folder for the picture (default: a new temporary one)")
    out = parser.parse_args().out or Path(tempfile.mkdtemp())
    out.mkdir(parents=True, exist_ok=True)

    utils.set_random_seed(0)
    (x, y), (x_test, y_test) = datasets.digits.load_data()
    model = build()
    model.compile(optimizers.Adam(0.003), loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    model.summary()
    history = model.fit(x[..., None], y, epochs=12, batch_size=32, verbose=0).history
    for epoch, (loss, accuracy) in enumerate(zip(history["loss"], history["accuracy"]), 1):
        print(f"epoch {epoch}: loss {loss:.3f}, accuracy {accuracy:.1%}")

    probabilities = model.predict(x_test[..., None], verbose=0)
    wrong = probabilities.argmax(axis=1) != y_test
    print(f"test: {wrong.sum()} of {len(y_test)} digits read wrongly, accuracy {1 - wrong.mean():.1%}")
    draw(model, x_test, y_test, probabilities, out / "digits.png")
    print("picture:", out / "digits.png")


if __name__ == "__main__":
    main()
