"""Transfer learning: features learned on many examples help where there are few.

A small network learns the digits 0 to 4, and its features tell 5 to 9 apart from three examples of each.
With `--network VGG16 --weights imagenet` (a download, or the path of a file) the features are those of ImageNet.

Run: python examples/14_transfer_learning.py [--network VGG16|ResNet50 --weights imagenet|FILE]
"""

import argparse

import numpy as np

from layerwise import applications, datasets, layers, models, ops, optimizers, utils

EACH = 3  # examples of each new class


def small(x, y):
    """A convolutional network, trained on x and y; what stands before its last layer."""
    image = layers.Input((8, 8, 1))
    h = layers.Conv2D(16, 3, padding="same", activation="relu")(image)
    h = layers.Conv2D(32, 3, padding="same", activation="relu")(layers.MaxPooling2D(2)(h))
    features = layers.Flatten()(h)
    model = models.Model(image, layers.Dense(5, activation="softmax")(features))
    model.compile("adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(x, y, epochs=15, verbose=0)
    return models.Model(image, features)


def famous(network, weights):
    """A network of `applications` without its top: digits are enlarged and coloured grey, as it knows images."""
    base = getattr(applications, network)(include_top=False, weights=weights, input_shape=(32, 32, 3), pooling="avg")
    prepare = {"VGG16": applications.vgg16, "ResNet50": applications.resnet50}[network].preprocess_input
    image = layers.Input((8, 8, 1))
    coloured = ops.repeat(layers.UpSampling2D(4, interpolation="bilinear")(image), 3, axis=-1)
    # Batch normalisation keeps the statistics of what it was trained on, also when all weights learn.
    return models.Model(image, base(prepare(255 * coloured), training=False))


def learn(model, x, y, rate, epochs=60):
    """What is not frozen learns; `compile` once more, as what is frozen is asked there."""
    model.compile(optimizers.Adam(rate), loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(x, y, epochs=epochs, batch_size=10, verbose=0)


def with_new_top(features):
    return models.Sequential([layers.Input((8, 8, 1)), features, layers.Dense(5, activation="softmax")])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--network", choices=["small", "VGG16", "ResNet50"], default="small")
    parser.add_argument("--weights", default="imagenet", help="of VGG16 or ResNet50: imagenet, or the path of a file")
    given = parser.parse_args()
    (x, y), (x_test, y_test) = datasets.digits.load_data()
    x, x_test = (images.reshape(-1, 8, 8, 1) / 255 for images in (x, x_test))
    few = np.concatenate([np.flatnonzero(y == digit)[:EACH] for digit in range(5, 10)])
    new_test = x_test[y_test > 4], y_test[y_test > 4] - 5

    utils.set_random_seed(0)
    features = small(x[y < 5], y[y < 5]) if given.network == "small" else famous(given.network, given.weights)
    features.trainable = False
    model = with_new_top(features)
    learn(model, x[few], y[few] - 5, rate=0.01)
    print(f"the digits 5 to 9 from {EACH} examples of each, test accuracy")
    print(f"  features from elsewhere, frozen: {model.evaluate(*new_test, verbose=0)[1]:.1%}")
    features.trainable = True
    learn(model, x[few], y[few] - 5, rate=0.0001)
    print(f"  then all weights, slowly:        {model.evaluate(*new_test, verbose=0)[1]:.1%}")

    if given.network == "small":
        utils.set_random_seed(0)
        model = with_new_top(models.clone_model(features))
        learn(model, x[few], y[few] - 5, rate=0.01)
        print(f"  from scratch:                    {model.evaluate(*new_test, verbose=0)[1]:.1%}")


if __name__ == "__main__":
    main()
