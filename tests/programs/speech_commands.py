"""Speech commands: sounds in a folder, their spectrograms, and a convolutional network that tells the words."""

import os
import wave

import numpy as np

import layerwise as keras
from layerwise import layers

keras.utils.set_random_seed(18)
rng = np.random.default_rng(18)
RATE, LENGTH = 4000, 2000


def sound(word):
    """A rising tone, a falling one, or two tones, in noise."""
    t = np.arange(LENGTH) / RATE
    low, high = rng.uniform(300, 500), rng.uniform(900, 1200)
    pitch = {"up": low + (high - low) * t / t[-1], "down": high - (high - low) * t / t[-1]}
    pitch["stop"] = np.where(t < 0.25, low, high)
    tone = np.sin(2 * np.pi * np.cumsum(pitch[word]) / RATE) * rng.uniform(0.3, 0.8)
    return np.roll(tone, rng.integers(-100, 100)) + rng.normal(0, 0.1, LENGTH)


for word in ("down", "stop", "up"):
    os.makedirs(os.path.join("commands", word))
    for i in range(60):
        with wave.open(os.path.join("commands", word, f"{i}.wav"), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(RATE)
            file.writeframes((np.clip(sound(word), -1, 1) * 32767).astype("<i2").tobytes())

train_ds, val_ds = keras.utils.audio_dataset_from_directory(
    directory="commands",
    batch_size=16,
    validation_split=0.2,
    seed=0,
    output_sequence_length=LENGTH,
    subset="both",
)
label_names = train_ds.class_names
assert label_names == ["down", "stop", "up"]
for audio, _ in train_ds.take(1):
    assert audio.shape == (16, LENGTH, 1)

spectrogram = layers.STFTSpectrogram(mode="log", frame_length=128, frame_step=64, fft_length=128)


train_ds, val_ds = train_ds.cache().prefetch(2), val_ds.cache().prefetch(2)
norm_layer = layers.Normalization(axis=-1)
norm_layer.adapt(np.concatenate([np.asarray(spectrogram(x)) for x, _ in train_ds]))

model = keras.Sequential(
    [
        keras.Input(shape=(LENGTH, 1)),
        spectrogram,
        norm_layer,
        layers.Reshape((-1, 65, 1)),
        layers.Resizing(24, 24),
        layers.Conv2D(8, 3, activation="relu"),
        layers.MaxPooling2D(),
        layers.Conv2D(16, 3, activation="relu"),
        layers.MaxPooling2D(),
        layers.Flatten(),
        layers.Dropout(0.2),
        layers.Dense(len(label_names)),
    ]
)
loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
model.compile(optimizer=keras.optimizers.Adam(1e-2), loss=loss, metrics=["accuracy"])
model.fit(train_ds, validation_data=val_ds, epochs=8, verbose=0)
quality = model.evaluate(val_ds, verbose=0, return_dict=True)["accuracy"]
chance, required = 1 / 3, 0.8
