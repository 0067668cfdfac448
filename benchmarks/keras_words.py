"""The networks and the ways to run them in Keras' words: `k` is layerwise or keras, and nothing else differs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import work as bench


def build(k: Any, name: str) -> Any:
    return {"cnn": cnn, "mlp": mlp, "resnet20": resnet20}[name](k)


def cnn(k: Any) -> Any:
    """The guide's convolutional network."""
    layers = k.layers
    return k.Sequential([
        layers.Input((28, 28, 1)),
        layers.Conv2D(32, (3, 3), activation="relu"),
        layers.MaxPooling2D((2, 2)),
        layers.Conv2D(64, (3, 3), activation="relu"),
        layers.MaxPooling2D((2, 2)),
        layers.Conv2D(64, (3, 3), activation="relu"),
        layers.Flatten(),
        layers.Dense(64, activation="relu"),
        layers.Dropout(0.5),
        layers.Dense(10, activation="softmax"),
    ])


def mlp(k: Any) -> Any:
    """The guide's multilayer perceptron."""
    layers = k.layers
    return k.Sequential([
        layers.Input((784,)),
        layers.Dense(128, activation="relu"),
        layers.Dense(64, activation="relu"),
        layers.Dense(10, activation="softmax"),
    ])


def resnet20(k: Any) -> Any:
    """Three stages of three blocks on 32x32x3 images (He, Zhang, Ren & Sun 2015), projections where sizes change."""
    layers = k.layers

    def conv(x: Any, channels: int, size: int = 3, strides: int = 1) -> Any:
        x = layers.Conv2D(channels, size, strides=strides, padding="same", use_bias=False)(x)
        return layers.BatchNormalization()(x)

    inputs = layers.Input((32, 32, 3))
    x = layers.Activation("relu")(conv(inputs, 16))
    for channels in (16, 32, 64):
        for block in range(3):
            strides = 2 if channels > 16 and block == 0 else 1
            y = layers.Activation("relu")(conv(x, channels, strides=strides))
            y = conv(y, channels)
            x = layers.Activation("relu")(layers.Add()([y, conv(x, channels, 1, strides) if strides == 2 else x]))
    x = layers.GlobalAveragePooling2D()(x)
    return k.Model(inputs, layers.Dense(10, activation="softmax")(x))


def train(
    k: Any, work: bench.Work, put: Callable[[Any], Any] = lambda array: array, **compiling: Any
) -> Callable[[], Any]:
    """One epoch through `fit`, accuracy included, on data that `put` brings to where they are computed with."""
    x, y = map(put, bench.examples(work))
    model = build(k, work.model)
    if work.model in bench.KERNELS:
        model.set_weights(bench.weights(work.model))
    optimizer = k.optimizers.SGD(0.1, momentum=0.9) if work.model == "resnet20" else k.optimizers.Adam()
    model.compile(optimizer, loss="sparse_categorical_crossentropy", metrics=["accuracy"], **compiling)
    return lambda: model.fit(x, y, batch_size=work.batch, epochs=1, verbose=0)


def predict(k: Any, work: bench.Work, finish: Callable[[Any], Any], **compiling: Any) -> Callable[[], Any]:
    """`model(x)` on a tensor, or `predict` from array to array; `finish` waits for a tensor's value."""
    model = build(k, work.model)
    model.set_weights(bench.weights(work.model))
    x, _ = bench.examples(work)
    if work.call == "model":
        tensor = k.ops.convert_to_tensor(x)
        return lambda: finish(model(tensor, training=False))
    model.compile(**compiling)
    return lambda: model.predict(x, batch_size=work.batch, verbose=0)


def reach(k: Any, data: Any, work: bench.Work, seed: int) -> tuple[int, float]:
    """Train the guide's network on bytes until it reads `work.target` of the test digits: (epochs, accuracy)."""
    k.utils.set_random_seed(seed)
    (x, y), test = data
    model = k.Sequential([k.layers.Input((28, 28, 1)), k.layers.Rescaling(1 / 255), *cnn(k).layers])
    model.compile("adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    accuracy, epoch = 0.0, 0
    while accuracy < work.target and epoch < work.epochs:
        epoch += 1
        model.fit(x, y, batch_size=128, epochs=1, verbose=0)
        accuracy = model.evaluate(*test, batch_size=256, verbose=0)[1]
    return epoch, accuracy
