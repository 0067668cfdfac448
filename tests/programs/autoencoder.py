"""An autoencoder of digits: what it makes of them again is nearer to them than their mean is."""

import numpy as np

import layerwise as keras
from layerwise import layers
from layerwise.datasets import digits

keras.utils.set_random_seed(1)
(x_train, _), (x_test, _) = digits.load_data()
x_train, x_test = (x.astype("float32").reshape(len(x), 64) / 255.0 for x in (x_train, x_test))

encoding_dim = 12
input_img = keras.Input(shape=(64,))
encoded = layers.Dense(48, activation="relu")(input_img)
encoded = layers.Dense(encoding_dim, activation="relu", activity_regularizer=keras.regularizers.L1(1e-6))(encoded)
decoded = layers.Dense(48, activation="relu")(encoded)
decoded = layers.Dense(64, activation="sigmoid")(decoded)

autoencoder = keras.Model(input_img, decoded)
encoder = keras.Model(input_img, encoded)
encoded_input = keras.Input(shape=(encoding_dim,))
hidden, output = autoencoder.layers[-2:]
decoder = keras.Model(encoded_input, output(hidden(encoded_input)))

autoencoder.compile(optimizer=keras.optimizers.Adam(3e-3), loss="binary_crossentropy")
history = autoencoder.fit(
    x_train, x_train, epochs=25, batch_size=64, shuffle=True, validation_data=(x_test, x_test), verbose=0
)
assert history.history["val_loss"][-1] < history.history["val_loss"][0]

encoded_imgs = encoder.predict(x_test, verbose=0)
decoded_imgs = decoder.predict(encoded_imgs, verbose=0)
np.testing.assert_allclose(decoded_imgs, autoencoder.predict(x_test, verbose=0), atol=1e-5)

error = np.mean((decoded_imgs - x_test) ** 2)
quality = 1 - error / np.mean((x_train.mean(0) - x_test) ** 2)  # of the variance, how much it explains
chance, required = 0.0, 0.4
