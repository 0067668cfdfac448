"""Forecasting from a window: the next hour of a noisy daily rhythm by an LSTM, against saying the last value again."""

import numpy as np

import layerwise as keras
from layerwise import layers

keras.utils.set_random_seed(8)
rng = np.random.default_rng(8)

hours = np.arange(1200)
temperature = 10 * np.sin(2 * np.pi * hours / 24) + 3 * np.sin(2 * np.pi * hours / 110) + rng.normal(0, 0.5, 1200)
pressure = np.roll(temperature, -2) / 5 + rng.normal(0, 0.2, 1200)
features = np.stack([temperature, pressure], axis=1).astype("float32")

train_split = 900
mean, std = features[:train_split].mean(axis=0), features[:train_split].std(axis=0)
features = (features - mean) / std

past, future, step, batch_size = 24, 3, 1, 64
start = past + future


def dataset(data, targets):
    return keras.utils.timeseries_dataset_from_array(
        data, targets, sequence_length=past, sampling_rate=step, batch_size=batch_size
    )


dataset_train = dataset(features[:train_split], features[start : start + train_split, [0]])
dataset_val = dataset(features[train_split:-start], features[train_split + start :, [0]])
for batch in dataset_train.take(1):
    inputs, targets = batch
assert inputs.shape == (64, 24, 2)
assert targets.shape == (64, 1)

inputs = keras.layers.Input(shape=(inputs.shape[1], inputs.shape[2]))
lstm_out = layers.LSTM(16)(inputs)
outputs = layers.Dense(1)(lstm_out)
model = keras.Model(inputs=inputs, outputs=outputs)
model.compile(optimizer=keras.optimizers.Adam(learning_rate=1e-2), loss="mse")
es_callback = keras.callbacks.EarlyStopping(monitor="val_loss", min_delta=0, patience=5, restore_best_weights=True)
history = model.fit(dataset_train, epochs=10, validation_data=dataset_val, callbacks=[es_callback], verbose=0)

error = model.evaluate(dataset_val, verbose=0)
naive = np.mean([np.mean((x[:, -1, :1] - y) ** 2) for x, y in dataset_val])
quality = 1 - error / naive
chance, required = 0.0, 0.6
