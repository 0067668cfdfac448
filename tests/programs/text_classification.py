"""Text classification: raw texts through `TextVectorization`, an embedding and a bidirectional LSTM."""

import os

import numpy as np

import layerwise as keras
from layerwise import layers

keras.utils.set_random_seed(14)
rng = np.random.default_rng(14)

# Reviews whose meaning depends on order: "not" turns the word that follows it.
GOOD, BAD = ["great", "moving", "funny", "clever"], ["dull", "slow", "empty", "silly"]
FILLERS = ["the", "film", "was", "and", "her", "acting", "I", "found", "rather", "story"]


def review(positive):
    negated = rng.random() < 0.5
    words = [str(rng.choice(FILLERS)) for _ in range(rng.integers(4, 12))]
    said = str(rng.choice(GOOD if positive != negated else BAD))
    words.insert(rng.integers(len(words)), f"not {said}" if negated else said)
    return " ".join(words).capitalize() + rng.choice([".", "!<br />"])


for part, count in (("train", 400), ("test", 100)):
    for name in ("neg", "pos"):
        os.makedirs(os.path.join("reviews", part, name))
        for i in range(count // 2):
            with open(os.path.join("reviews", part, name, f"{i}.txt"), "w") as file:
                file.write(review(name == "pos"))

batch_size, max_features, sequence_length = 32, 60, 14
raw_train_ds = keras.utils.text_dataset_from_directory("reviews/train", batch_size=batch_size, seed=1)
raw_test_ds = keras.utils.text_dataset_from_directory("reviews/test", batch_size=batch_size)
vectorize_layer = layers.TextVectorization(
    max_tokens=max_features, output_mode="int", output_sequence_length=sequence_length
)
vectorize_layer.adapt(raw_train_ds.map(lambda text, label: text))


def vectorize_text(text, label):
    return vectorize_layer(keras.ops.expand_dims(text, -1) if text.ndim > 1 else text), label


train_ds = raw_train_ds.map(vectorize_text).cache().prefetch(buffer_size=10)
test_ds = raw_test_ds.map(vectorize_text).cache().prefetch(buffer_size=10)

inputs = keras.Input(shape=(None,), dtype="int64")
x = layers.Embedding(max_features, 16, mask_zero=True)(inputs)
x = layers.Bidirectional(layers.LSTM(16, return_sequences=True))(x)
x = layers.Bidirectional(layers.LSTM(8))(x)
outputs = layers.Dense(1, activation="sigmoid")(x)
model = keras.Model(inputs, outputs)
model.compile(keras.optimizers.Adam(1e-2), "binary_crossentropy", metrics=["accuracy"])
model.fit(train_ds, validation_data=test_ds, epochs=8, verbose=0)
_, quality = model.evaluate(test_ds, verbose=0)

end_to_end = keras.Sequential([keras.Input(shape=(), dtype="string"), vectorize_layer, model])
scores = end_to_end.predict(np.array(["The film was great", "the story was not great"]), verbose=0)
assert scores[0] > 0.5 > scores[1]
chance, required = 0.5, 0.9
