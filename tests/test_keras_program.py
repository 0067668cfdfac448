"""A program as people write them for Keras, run with one import changed, on real MNIST."""

import os

import numpy as np
import pytest

PROGRAM = """
import keras

num_classes, input_shape = 10, (28, 28, 1)
(x_train, y_train), (x_test, y_test) = keras.datasets.mnist.load_data(path=DATA)
x_train = x_train[:6000].astype("float32") / 255
x_test = x_test[:2000].astype("float32") / 255
x_train, x_test = x_train[..., None], x_test[..., None]
y_train = keras.utils.to_categorical(y_train[:6000], num_classes)
y_test = keras.utils.to_categorical(y_test[:2000], num_classes)

keras.utils.set_random_seed(1)
model = keras.Sequential(
    [
        keras.Input(shape=input_shape),
        keras.layers.Conv2D(16, kernel_size=(3, 3), activation="relu"),
        keras.layers.MaxPooling2D(pool_size=(2, 2)),
        keras.layers.Conv2D(32, kernel_size=(3, 3), activation="relu"),
        keras.layers.MaxPooling2D(pool_size=(2, 2)),
        keras.layers.Flatten(),
        keras.layers.Dropout(0.3),
        keras.layers.Dense(num_classes, activation="softmax"),
    ]
)
model.compile(
    loss=keras.losses.CategoricalCrossentropy(),
    optimizer=keras.optimizers.Adam(learning_rate=2e-3),
    metrics=[keras.metrics.CategoricalAccuracy(name="acc")],
)
callbacks = [keras.callbacks.EarlyStopping(monitor="val_loss", patience=2)]
model.fit(x_train, y_train, batch_size=64, epochs=3, validation_split=0.15, callbacks=callbacks, verbose=0)
score = model.evaluate(x_test, y_test, verbose=0)
predictions = model.predict(x_test, verbose=0)
"""


@pytest.mark.skipif("LAYERWISE_TEST_DATA" not in os.environ, reason="needs a folder with real MNIST")
def test_a_convnet_written_for_keras_learns_real_digits():
    names = {"DATA": os.path.join(os.environ["LAYERWISE_TEST_DATA"], "mnist")}
    exec(PROGRAM.replace("import keras", "import layerwise as keras"), names)
    assert names["score"][1] >= 0.94
    assert (names["predictions"].argmax(-1) == names["y_test"].argmax(-1)).mean() == pytest.approx(names["score"][1])
    np.testing.assert_allclose(names["predictions"].sum(-1), 1, rtol=1e-5)
