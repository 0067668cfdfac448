"""Image classification from scratch: a folder of pictures, augmentation, a small network of separable convolutions."""

import os

import numpy as np

import layerwise as keras
from layerwise import layers

keras.utils.set_random_seed(6)
rng = np.random.default_rng(6)


def picture(kind):
    """A disc or a square of random colour, size and place, on noise."""
    image = rng.uniform(0, 80, (32, 32, 3))
    y, x = np.mgrid[:32, :32] - rng.integers(11, 21, (2, 1, 1))
    size = rng.integers(6, 10)
    inside = np.hypot(x, y) < size if kind == "disc" else np.maximum(abs(x), abs(y)) < size * 0.85
    image[inside] = rng.uniform(120, 255, 3)
    return image


for kind in ("disc", "square"):
    os.makedirs(os.path.join("pictures", kind))
    for i in range(150):
        keras.utils.save_img(os.path.join("pictures", kind, f"{i}.png"), picture(kind), scale=False)

image_size, batch_size = (24, 24), 32
train_ds, val_ds = keras.utils.image_dataset_from_directory(
    "pictures", validation_split=0.2, subset="both", seed=1337, image_size=image_size, batch_size=batch_size
)
assert train_ds.class_names == ["disc", "square"]
for images, labels in train_ds.take(1):
    assert images.shape == (32, 24, 24, 3)
    assert set(labels.numpy()) == {0, 1}
    assert images[0].numpy().astype("uint8").max() > 80

data_augmentation = keras.Sequential([layers.RandomFlip("horizontal"), layers.RandomTranslation(0.1, 0.1)])
train_ds = train_ds.map(lambda img, label: (data_augmentation(img, training=True), label), num_parallel_calls=-1)
train_ds, val_ds = train_ds.prefetch(-1), val_ds.cache().prefetch(-1)


def make_model(input_shape, num_classes):
    inputs = keras.Input(shape=input_shape)
    x = layers.Rescaling(1.0 / 255)(inputs)
    x = layers.Conv2D(16, 3, strides=2, padding="same")(x)
    x = layers.BatchNormalization(momentum=0.9)(x)
    x = layers.Activation("relu")(x)
    previous_block_activation = x  # set aside residual
    for size in (24, 32):
        x = layers.Activation("relu")(x)
        x = layers.SeparableConv2D(size, 3, padding="same")(x)
        x = layers.BatchNormalization(momentum=0.9)(x)
        x = layers.MaxPooling2D(3, strides=2, padding="same")(x)
        residual = layers.Conv2D(size, 1, strides=2, padding="same")(previous_block_activation)
        x = layers.add([x, residual])
        previous_block_activation = x
    x = layers.GlobalAveragePooling2D()(x)
    x = layers.Dropout(0.1)(x)
    units = 1 if num_classes == 2 else num_classes
    return keras.Model(inputs, layers.Dense(units, activation=None)(x))


model = make_model(input_shape=(*image_size, 3), num_classes=2)
model.compile(
    optimizer=keras.optimizers.Adam(1e-2),
    loss=keras.losses.BinaryCrossentropy(from_logits=True),
    metrics=[keras.metrics.BinaryAccuracy(threshold=0.0, name="acc")],
)
best = keras.callbacks.ModelCheckpoint("best.keras", monitor="val_acc", save_best_only=True)
model.fit(train_ds, epochs=10, callbacks=[best], validation_data=val_ds, verbose=0)
quality = keras.models.load_model("best.keras").evaluate(val_ds, verbose=0, return_dict=True)["acc"]
img_array = keras.utils.img_to_array(keras.utils.load_img("pictures/disc/0.png", target_size=image_size))
score = float(keras.ops.sigmoid(model.predict(keras.ops.expand_dims(img_array, 0), verbose=0)[0][0]))
assert 0 <= score <= 1
chance, required = 0.5, 0.85
