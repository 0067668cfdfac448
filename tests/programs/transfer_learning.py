"""Transfer learning: what was learnt from five digits is frozen, and tells five others by a new head; fine-tuned."""

import numpy as np

import layerwise as keras
from layerwise import layers
from layerwise.datasets import digits

keras.utils.set_random_seed(5)
(x_train, y_train), (x_test, y_test) = digits.load_data()
x_train, x_test = (x.astype("float32")[..., None] for x in (x_train, x_test))
low, high = y_train < 5, y_train >= 5

base_model = keras.Sequential(
    [
        keras.Input((8, 8, 1)),
        layers.Conv2D(16, 3, padding="same", activation="relu"),
        layers.BatchNormalization(),
        layers.MaxPooling2D(),
        layers.Conv2D(32, 3, padding="same", activation="relu"),
        layers.BatchNormalization(),
        layers.GlobalAveragePooling2D(),
    ],
    name="base",
)
source = keras.Sequential([keras.Input((8, 8, 1)), layers.Rescaling(1 / 255.0), base_model, layers.Dense(5)])
source.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"])
source.fit(x_train[low], y_train[low], epochs=10, verbose=0)

base_model.trainable = False
inputs = keras.Input(shape=(8, 8, 1))
x = layers.Rescaling(scale=1 / 255.0)(inputs)
x = base_model(x, training=False)  # batch normalisation keeps its averages, also in fine-tuning
x = layers.Dropout(0.2)(x)
outputs = layers.Dense(5)(x)
model = keras.Model(inputs, outputs)
assert len(model.trainable_weights) == 2
assert len(model.non_trainable_weights) == len(base_model.weights)

before = [w.numpy() for w in base_model.weights]
few = np.flatnonzero(high)[:400]
loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
model.compile(optimizer=keras.optimizers.Adam(1e-2), loss=loss, metrics=[keras.metrics.SparseCategoricalAccuracy()])
model.fit(x_train[few], y_train[few] - 5, epochs=20, verbose=0)
for weight, value in zip(base_model.weights, before):
    np.testing.assert_array_equal(weight.numpy(), value)
test = (x_test[y_test >= 5], y_test[y_test >= 5] - 5)
_, frozen_accuracy = model.evaluate(*test, verbose=0)

base_model.trainable = True
model.compile(optimizer=keras.optimizers.Adam(3e-3), loss=loss, metrics=[keras.metrics.SparseCategoricalAccuracy()])
model.fit(x_train[few], y_train[few] - 5, epochs=15, verbose=0)
_, quality = model.evaluate(*test, verbose=0)
assert frozen_accuracy > 0.5
assert any((w.numpy() != value).any() for w, value in zip(base_model.weights, before))
chance, required = 0.2, 0.85
