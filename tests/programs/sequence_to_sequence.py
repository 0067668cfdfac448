"""Sequence to sequence with attention: words read by one GRU and written backwards by another."""

import numpy as np

import layerwise as keras
from layerwise import layers

keras.utils.set_random_seed(17)
rng = np.random.default_rng(17)

# Sequences of 3 to 6 letters are to be written backwards. 0 pads, 1 starts and 2 ends an answer.
letters, start, end, longest = 8, 1, 2, 6


def examples(n):
    source, target = np.zeros((n, longest), "int32"), np.zeros((n, longest + 2), "int32")
    for i in range(n):
        word = rng.integers(3, 3 + letters, rng.integers(3, longest + 1))
        source[i, : len(word)] = word
        target[i, : len(word) + 2] = [start, *word[::-1], end]
    return source, target


(source, target), (test_source, test_target) = examples(1500), examples(100)
vocab, width = 3 + letters, 32

encoder_inputs = keras.Input(shape=(None,), dtype="int32", name="encoder_inputs")
x = layers.Embedding(vocab, width, mask_zero=True)(encoder_inputs)
encoder_outputs, forward, backward = layers.Bidirectional(
    layers.GRU(width // 2, return_sequences=True, return_state=True)
)(x)
state = layers.Concatenate()([forward, backward])

decoder_inputs = keras.Input(shape=(None,), dtype="int32", name="decoder_inputs")
x = layers.Embedding(vocab, width, mask_zero=True)(decoder_inputs)
decoder_outputs = layers.GRU(width, return_sequences=True)(x, initial_state=state)
context = layers.Attention(use_scale=True)([decoder_outputs, encoder_outputs])
x = layers.Concatenate()([decoder_outputs, context])
x = layers.Dense(width, activation="tanh")(x)
outputs = layers.Dense(vocab, activation="softmax")(x)
model = keras.Model([encoder_inputs, decoder_inputs], outputs)

model.compile(keras.optimizers.Adam(1e-2), "sparse_categorical_crossentropy", weighted_metrics=["accuracy"])
model.fit(
    {"encoder_inputs": source, "decoder_inputs": target[:, :-1]},
    target[:, 1:],
    sample_weight=(target[:, 1:] > 0).astype("float32"),
    batch_size=64,
    epochs=8,
    verbose=0,
)


def decode_sequence(words):
    """The answers, letter by letter, each the most probable one."""
    answer = np.full((len(words), 1), start, "int32")
    for _ in range(longest + 1):
        predictions = model.predict([words, answer], batch_size=len(words), verbose=0)
        answer = np.concatenate([answer, predictions[:, -1:].argmax(-1).astype("int32")], axis=1)
    return answer


answers, right = decode_sequence(test_source), test_target > 0
quality = (answers == test_target)[right].mean()
whole = ((answers == test_target) | ~right).all(axis=1).mean()
assert whole > 0.3
chance, required = 1 / 3, 0.85  # starts are given
