"""Token tagging: a class for each word of sentences of different lengths, padded and masked."""

import numpy as np

import layerwise as keras
from layerwise import layers

keras.utils.set_random_seed(16)
rng = np.random.default_rng(16)

# Words 1 to 9 are first names, 10 to 19 common words, 20 to 29 either; tags: 1 none, 2 first of a name, 3 rest of one.
vocab_size, num_tags, maxlen = 30, 4, 12


def sentence():
    words, tags = [], []
    while len(words) < rng.integers(4, maxlen - 3):
        if rng.random() < 0.35:
            size = rng.integers(1, 3)
            words += [rng.integers(1, 10), *rng.integers(20, 30, size)]
            tags += [2, *[3] * size]
        else:
            words += [rng.integers(10, 20), *([rng.integers(20, 30)] if rng.random() < 0.5 else [])]
            tags += [1] * (len(words) - len(tags))
    return words[:maxlen], tags[:maxlen]


def padded(n):
    words, tags = zip(*[sentence() for _ in range(n)])
    return (keras.utils.pad_sequences(part, maxlen=maxlen, padding="post") for part in (words, tags))


(x_train, y_train), (x_test, y_test) = padded(500), padded(100)


model = keras.Sequential(
    [
        layers.Embedding(vocab_size, 16, mask_zero=True),
        layers.Bidirectional(layers.LSTM(16, return_sequences=True)),
        layers.TimeDistributed(layers.Dense(16, activation="relu")),
        layers.Dropout(0.1),
        layers.TimeDistributed(layers.Dense(num_tags, activation="softmax")),
    ]
)
model.compile(keras.optimizers.Adam(1e-2), loss="sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(x_train, y_train, batch_size=32, epochs=6, validation_data=(x_test, y_test), verbose=0)
_, accuracy = model.evaluate(x_test, y_test, verbose=0)  # of words: what is padded is masked

predicted = np.argmax(model.predict(x_test, verbose=0), axis=-1)
words = y_test > 0
quality = (predicted == y_test)[words].mean()
np.testing.assert_allclose(quality, accuracy, atol=1e-5)
chance = np.bincount(y_test[words]).max() / words.sum()
required = 0.9
