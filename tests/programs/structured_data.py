"""Structured data with `FeatureSpace`: a table of numbers and categories becomes vectors; a model that takes rows."""

import numpy as np

import layerwise as keras
from layerwise.data import Dataset
from layerwise.utils import FeatureSpace

keras.utils.set_random_seed(13)
rng = np.random.default_rng(13)

n = 600
table = {
    "sex": rng.integers(0, 2, n),
    "cp": rng.integers(0, 5, n),
    "thal": rng.choice(["normal", "fixed", "reversible"], n),
    "age": rng.integers(29, 78, n).astype("float32"),
    "chol": rng.normal(240, 50, n).astype("float32"),
    "slope": rng.uniform(0, 3, n).astype("float32"),
}
risk = 0.06 * (table["age"] - 53) + 0.8 * (table["cp"] == 4) + 1.2 * (table["thal"] == "reversible")
risk += 1.5 * ((table["sex"] == 1) & (table["cp"] >= 3)) + 0.008 * (table["chol"] - 240) - 1.0
target = (risk + rng.logistic(0, 0.25, n) > 0).astype("int64")


def dataframe_to_dataset(rows):
    ds = Dataset.from_tensor_slices(({name: column[rows] for name, column in table.items()}, target[rows]))
    return ds.shuffle(buffer_size=n, seed=1)


order = rng.permutation(n)
train_ds, val_ds = dataframe_to_dataset(order[120:]).batch(32), dataframe_to_dataset(order[:120]).batch(32)

feature_space = FeatureSpace(
    features={
        "sex": FeatureSpace.integer_categorical(num_oov_indices=0),
        "cp": FeatureSpace.integer_categorical(num_oov_indices=0),
        "thal": FeatureSpace.string_categorical(num_oov_indices=0),
        "age": FeatureSpace.float_discretized(num_bins=10),
        "chol": FeatureSpace.float_normalized(),
        "slope": FeatureSpace.float_rescaled(scale=1 / 3),
    },
    crosses=[
        FeatureSpace.cross(feature_names=("sex", "cp"), crossing_dim=16),
        FeatureSpace.cross(feature_names=("thal", "age"), crossing_dim=16),
    ],
    output_mode="concat",
)
feature_space.adapt(train_ds.map(lambda x, _: x))
for x, _ in train_ds.take(1):
    preprocessed_x = feature_space(x)
assert preprocessed_x.shape[0] == 32

preprocessed_train_ds = train_ds.map(lambda x, y: (feature_space(x), y), num_parallel_calls=-1).prefetch(-1)
preprocessed_val_ds = val_ds.map(lambda x, y: (feature_space(x), y), num_parallel_calls=-1).prefetch(-1)

dict_inputs, encoded_features = feature_space.get_inputs(), feature_space.get_encoded_features()
x = keras.layers.Dense(32, activation="relu")(encoded_features)
x = keras.layers.Dropout(0.3)(x)
predictions = keras.layers.Dense(1, activation="sigmoid")(x)
training_model = keras.Model(inputs=encoded_features, outputs=predictions)
training_model.compile(optimizer=keras.optimizers.Adam(5e-3), loss="binary_crossentropy", metrics=["accuracy"])
inference_model = keras.Model(inputs=dict_inputs, outputs=predictions)

training_model.fit(preprocessed_train_ds, epochs=12, validation_data=preprocessed_val_ds, verbose=0)
_, quality = training_model.evaluate(preprocessed_val_ds, verbose=0)

sample = {"sex": 1, "cp": 4, "thal": "reversible", "age": 70.0, "chol": 300.0, "slope": 2.0}
input_dict = {name: np.array([value]) for name, value in sample.items()}
assert inference_model.predict(input_dict, verbose=0)[0, 0] > 0.5
chance, required = max(target.mean(), 1 - target.mean()), 0.75
