"""A masked language model: some words of sentences are hidden, and a Transformer's encoder says what they were."""

import numpy as np

import layerwise as keras
from layerwise import layers, ops

keras.utils.set_random_seed(19)
rng = np.random.default_rng(19)

# Sentences count in steps of 1 to 3 through a ring of words: two words tell all others. 0 pads, 1 is the mask.
ring, first, mask_token, length = 12, 2, 1, 10
vocab_size = first + ring


def sentences(n):
    begin, step = rng.integers(0, ring, (n, 1)), rng.integers(1, 4, (n, 1))
    return first + (begin + step * np.arange(length)) % ring


def masked_inputs_and_labels(encoded_texts):
    """A quarter of the words is to be said; of these 90 % are masked or are another word, the others as they were."""
    chosen = rng.random(encoded_texts.shape) < 0.25
    sample_weights = chosen.astype("float32")
    inputs = np.where(chosen & (rng.random(chosen.shape) < 0.9), mask_token, encoded_texts)
    changed = (inputs == mask_token) & (rng.random(chosen.shape) < 1 / 9)
    inputs[changed] = rng.integers(first, vocab_size, changed.sum())
    return inputs, encoded_texts, sample_weights


def bert_module(query, key, value, embed_dim, num_heads):
    attention_output = layers.MultiHeadAttention(num_heads=num_heads, key_dim=embed_dim // num_heads)(query, key, value)
    attention_output = layers.Dropout(0.05)(attention_output)
    attention_output = layers.LayerNormalization(epsilon=1e-6)(query + attention_output)
    ffn = keras.Sequential([layers.Dense(2 * embed_dim, activation="relu"), layers.Dense(embed_dim)])
    return layers.LayerNormalization(epsilon=1e-6)(attention_output + ffn(attention_output))


def position_encoding(max_len, d_emb):
    angles = np.arange(max_len)[:, None] / 10000 ** (2 * (np.arange(d_emb)[None] // 2) / d_emb)
    angles[:, 0::2], angles[:, 1::2] = np.sin(angles[:, 0::2]), np.cos(angles[:, 1::2])
    return ops.convert_to_tensor(angles.astype("float32"))


embed_dim = 32
inputs = layers.Input((length,), dtype="int64")
x = layers.Embedding(vocab_size, embed_dim, name="word_embedding")(inputs)
x = x + position_encoding(length, embed_dim)
for _ in range(2):
    x = bert_module(x, x, x, embed_dim, num_heads=4)
mlm_output = layers.Dense(vocab_size, name="mlm_cls", activation="softmax")(x)
model = keras.Model(inputs, mlm_output, name="masked_bert_model")
model.compile(
    optimizer=keras.optimizers.Adam(5e-3),
    loss=keras.losses.SparseCategoricalCrossentropy(),
    weighted_metrics=[keras.metrics.SparseCategoricalAccuracy(name="accuracy")],
)
x_train, y_train, weights = masked_inputs_and_labels(sentences(2500))
model.fit(x_train, y_train, sample_weight=weights, batch_size=64, epochs=14, verbose=0)

x_test, y_test, _ = masked_inputs_and_labels(sentences(200))
hidden = x_test == mask_token
quality = (model.predict(x_test, verbose=0).argmax(-1) == y_test)[hidden].mean()
chance, required = 1 / ring, 0.7
