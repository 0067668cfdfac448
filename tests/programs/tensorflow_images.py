"""A pipeline of pictures in TensorFlow's style: files listed, read, decoded, augmented, and told apart."""

import os

import numpy as np

import layerwise.compat.tensorflow as tf

tf.random.set_seed(10)
rng = np.random.default_rng(10)
AUTOTUNE = tf.data.AUTOTUNE
IMG_SIZE = 16

for direction in ("falling", "rising"):  # stripes
    os.makedirs(os.path.join("stripes", direction))
    for i in range(80):
        y, x = np.mgrid[:20, :22]
        phase, width = rng.uniform(0, 6), rng.uniform(0.6, 0.9)
        wave = np.sin(width * (x - y if direction == "falling" else x + y) + phase)
        pixels = np.clip(wave * 80 + 128 + rng.normal(0, 25, wave.shape), 0, 255)[..., None].repeat(3, -1)
        content = tf.io.encode_jpeg(pixels.astype("uint8"))
        tf.io.write_file(os.path.join("stripes", direction, f"{i}.jpg"), content)

list_ds = tf.data.Dataset.list_files("stripes/*/*.jpg", shuffle=False).shuffle(160, reshuffle_each_iteration=False)
class_names = tf.constant(sorted(os.listdir("stripes")))


def get_label(file_path):
    parts = tf.strings.split(file_path, os.path.sep)
    return tf.argmax(parts[-2] == class_names)


def decode_img(img):
    img = tf.io.decode_jpeg(img, channels=3)
    return tf.image.resize(img, [IMG_SIZE, IMG_SIZE])


def process_path(file_path):
    return decode_img(tf.io.read_file(file_path)) / 255.0, get_label(file_path)


def augment(image, label):
    image = tf.image.resize_with_crop_or_pad(image, IMG_SIZE + 4, IMG_SIZE + 4)
    image = tf.image.random_crop(image, size=[IMG_SIZE, IMG_SIZE, 3])
    image = tf.image.random_brightness(image, max_delta=0.1)
    return tf.clip_by_value(image, 0.0, 1.0), label


train_ds = list_ds.skip(40).map(process_path, num_parallel_calls=AUTOTUNE)
val_ds = list_ds.take(40).map(process_path).batch(20)
for image, label in train_ds.take(1):
    assert image.numpy().shape == (16, 16, 3)
    assert class_names.numpy()[label.numpy()] in (b"falling", b"rising")
train_ds = train_ds.cache().shuffle(120).map(augment, num_parallel_calls=AUTOTUNE).batch(20).prefetch(AUTOTUNE)

model = tf.keras.Sequential(
    [
        tf.keras.layers.Input((IMG_SIZE, IMG_SIZE, 3)),
        tf.keras.layers.Conv2D(8, 3, activation="relu"),
        tf.keras.layers.MaxPooling2D(),
        tf.keras.layers.Conv2D(16, 3, activation="relu"),
        tf.keras.layers.GlobalMaxPooling2D(),
        tf.keras.layers.Dense(2),
    ]
)
loss = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)
model.compile(tf.keras.optimizers.Adam(1e-2), loss, metrics=["accuracy"])
model.fit(train_ds, validation_data=val_ds, epochs=6, verbose=0)
quality = model.evaluate(val_ds, verbose=0)[1]
chance, required = 0.5, 0.9
