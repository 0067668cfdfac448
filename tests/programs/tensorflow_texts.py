"""Texts in TensorFlow's style: lines of files, a standardisation made of tf.strings, n-grams, a label for each line."""

import numpy as np

import layerwise.compat.tensorflow as tf

tf.random.set_seed(11)
rng = np.random.default_rng(11)
SUBJECTS = ["the film", "this movie", "the plot", "her acting", "the music"]
WORDS = {
    "good": ["wonderful", "a joy", "moving", "clever", "not bad"],
    "bad": ["dull", "a mess", "tiresome", "empty", "not good"],
}

for kind, words in WORDS.items():
    with open(f"{kind}.txt", "w", encoding="utf-8") as file:
        for _ in range(150):
            said = (
                f"{rng.choice(SUBJECTS)} was {rng.choice(words)}, <br />and {rng.choice(SUBJECTS)} {rng.choice(words)}!"
            )
            file.write(said.capitalize() + "\n")


def custom_standardization(input_data):
    lowercase = tf.strings.lower(input_data)
    stripped_html = tf.strings.regex_replace(lowercase, "<br />", " ")
    return tf.strings.regex_replace(stripped_html, "[[:punct:]]", "")


def labeler(example, index):
    return example, tf.cast(index, tf.int64)


labeled = [
    tf.data.TextLineDataset(f"{kind}.txt").map(lambda ex, i=i: labeler(ex, i)) for i, kind in enumerate(["bad", "good"])
]
all_labeled_data = labeled[0].concatenate(labeled[1]).shuffle(400, seed=2, reshuffle_each_iteration=False)
for text, label in all_labeled_data.take(2):
    assert tf.strings.length(text) > 10
    assert label.numpy() in (0, 1)
validation_data = all_labeled_data.take(60).batch(20)
train_data = all_labeled_data.skip(60).batch(20)

vectorize_layer = tf.keras.layers.TextVectorization(
    standardize=custom_standardization, max_tokens=60, ngrams=2, output_mode="multi_hot"
)
vectorize_layer.adapt(train_data.map(lambda text, label: text))
assert "film" in vectorize_layer.get_vocabulary()
train_ds, val_ds = (
    data.map(lambda text, label: (vectorize_layer(text), label)).cache().prefetch(tf.data.AUTOTUNE)
    for data in (train_data, validation_data)
)

model = tf.keras.Sequential([tf.keras.layers.Dense(8, activation="relu"), tf.keras.layers.Dense(1)])
model.compile(
    "adam", tf.keras.losses.BinaryCrossentropy(from_logits=True), metrics=[tf.metrics.BinaryAccuracy(threshold=0.0)]
)
model.fit(train_ds, epochs=20, validation_data=val_ds, verbose=0)
_, quality = model.evaluate(val_ds, verbose=0)

export_model = tf.keras.Sequential([vectorize_layer, model, tf.keras.layers.Activation("sigmoid")])
scores = export_model.predict(tf.constant(["A movie, clever and moving", "the plot was a dull mess"]), verbose=0)
assert scores[0] > scores[1]
chance, required = 0.5, 0.9
