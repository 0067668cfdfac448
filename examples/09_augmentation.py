"""Augmentation shows every digit in ever new ways: what each layer does to it, and how steady that makes a network.

Run: python examples/09_augmentation.py [--out FOLDER]
"""

import argparse
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

from layerwise import datasets, layers, models, utils

BLACK = {"fill_mode": "constant"}  # what comes in from outside of the picture is background
LAYERS = {
    "RandomFlip": layers.RandomFlip("horizontal", seed=5),
    "RandomRotation": layers.RandomRotation(0.08, seed=1, **BLACK),
    "RandomTranslation": layers.RandomTranslation(0.2, 0.2, seed=1, **BLACK),
    "RandomZoom": layers.RandomZoom(0.3, seed=1, **BLACK),
    "RandomCrop": layers.RandomCrop(22, 22, seed=1),
    "RandomContrast": layers.RandomContrast(0.8, seed=1),
    "RandomBrightness": layers.RandomBrightness(0.4, seed=1),
}


def draw(digit, path):
    """A row a layer: the digit as it is, and eight of the ways in which a network would meet it."""
    figure, axes = plt.subplots(len(LAYERS), 9, figsize=(9.5, 7.2), layout="constrained")
    axes[0, 0].set_title("original")
    for row, (name, layer) in zip(axes, LAYERS.items()):
        variants = layer(np.repeat(digit[None], 8, axis=0), training=True)
        for ax, image in zip(row, [digit, *variants.numpy()]):
            ax.imshow(image, cmap="gray", vmin=0, vmax=255)
            ax.set(xticks=[], yticks=[])
        row[0].set_ylabel(name, rotation=0, ha="right", va="center")
    figure.savefig(path, dpi=120)


def moves(seed):
    """Up to 18 degrees either way, and up to a tenth of the picture aside."""
    return [layers.RandomRotation(0.05, seed=seed, **BLACK), layers.RandomTranslation(0.1, 0.1, seed=seed, **BLACK)]


def trained(augmentation, x, y):
    """A small CNN that sees the digits through `augmentation`, each time anew."""
    utils.set_random_seed(0)
    body = [layers.Rescaling(1 / 255), layers.Conv2D(16, (3, 3), activation="relu"), layers.Flatten()]
    head = [layers.Dense(64, activation="relu"), layers.Dense(10, activation="softmax")]
    model = models.Sequential([layers.Input((8, 8, 1)), *augmentation, *body, *head])
    model.compile("adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(x, y, epochs=15, verbose=0)
    return model


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, help="folder for the picture (default: a new temporary one)")
    out = parser.parse_args().out or Path(tempfile.mkdtemp())
    out.mkdir(parents=True, exist_ok=True)

    (x, y), (x_test, y_test) = datasets.digits.load_data()
    x, x_test = x[..., None], x_test[..., None]
    draw(layers.Resizing(28, 28)(x[y == 2][0]).numpy(), out / "augmentation.png")
    moved = models.Sequential(moves(seed=3))(x_test, training=True).numpy()
    seen = {"as they are": [], "turned and shifted": moves(1), "mirrored": [layers.RandomFlip("horizontal", seed=4)]}
    print(f"{'trained on digits':25}tested on digits as they are   turned and shifted")
    for name, augmentation in seen.items():
        model = trained(augmentation, x, y)
        plain, robust = (model.evaluate(images, y_test, verbose=0)[1] for images in (x_test, moved))
        print(f"{name:25}{plain:28.1%} {robust:20.1%}")
    print("Mirroring does not help: a mirrored digit is none. Augmentation has to leave the answer true.")
    print("\npicture:", out / "augmentation.png")


if __name__ == "__main__":
    main()
