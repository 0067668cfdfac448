"""Writes `keras_2_*.h5`: what TF-Keras 2 makes of models, weights and optimizers. Needs tf_keras and tensorflow.

python tests/golden/keras_2.py
"""

from pathlib import Path

import h5py
import numpy as np
import tf_keras
from tf_keras import layers

HERE = Path(__file__).parent
random = np.random.default_rng(0)


def stack() -> tf_keras.Model:
    return tf_keras.Sequential([
        layers.InputLayer((6, 6, 1)), layers.Conv2D(2, 3, activation="relu", padding="same", kernel_regularizer="l2"),
        layers.BatchNormalization(), layers.MaxPooling2D(), layers.Flatten(), layers.Dropout(0.0), layers.Dense(3),
        layers.Softmax(),
    ])  # fmt: skip


def graph() -> tf_keras.Model:
    """Two inputs, a shared layer, a model in the model."""
    first, second = layers.Input((4,), name="first"), layers.Input((4,), name="second")
    shared = layers.Dense(3, activation="tanh", name="shared")
    inner = tf_keras.Sequential([layers.InputLayer((3,)), layers.Dense(2), layers.LeakyReLU()], name="inner")
    merged = layers.concatenate([inner(shared(first)), inner(shared(second))])
    return tf_keras.Model([first, second], layers.Dense(1, name="head")(merged))


def write(name: str, model: tf_keras.Model, optimizer: tf_keras.optimizers.Optimizer, loss: object) -> None:
    x = [random.standard_normal((8, *i.shape[1:])).astype("float32") for i in model.inputs]
    y = np.eye(model.output_shape[-1], dtype="float32")[random.integers(0, model.output_shape[-1], 8)]
    model.compile(optimizer, loss, metrics=["mae"])
    model.fit(x, y, epochs=3, batch_size=8, shuffle=False, verbose=0)
    model.save(HERE / f"keras_2_{name}.h5")
    model.save_weights(HERE / f"keras_2_{name}_weights.h5", save_format="h5")
    known = {f"x{i}": a for i, a in enumerate(x)} | {"y": y, "predicted": model.predict(x, verbose=0)}
    known["losses"] = model.fit(x, y, epochs=3, batch_size=8, shuffle=False, verbose=0).history["loss"]
    with h5py.File(HERE / f"keras_2_{name}_known.h5", "w") as file:
        for key, value in known.items():
            file.create_dataset(key, data=value)


tf_keras.utils.set_random_seed(0)
# The older optimizers' states lie in another order.
write("old", stack(), tf_keras.optimizers.legacy.Adam(0.01), tf_keras.losses.CategoricalCrossentropy())
write("stack", stack(), tf_keras.optimizers.Adam(0.01), "categorical_crossentropy")
write("graph", graph(), tf_keras.optimizers.SGD(0.1, momentum=0.9), "mse")
