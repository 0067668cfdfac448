"""Image segmentation with a U-Net: which pixels are background, disc or ring."""

import numpy as np

import layerwise as keras
from layerwise import layers

keras.utils.set_random_seed(7)
rng = np.random.default_rng(7)


class Pictures(keras.utils.PyDataset):
    """Batches of noisy pictures with a disc and a ring, and the class of each pixel."""

    def __init__(self, batches, batch_size, **kwargs):
        super().__init__(**kwargs)
        self.batch_size = batch_size
        self.examples = [self.example() for _ in range(batches * batch_size)]

    def example(self):
        y, x = np.mgrid[:24, :24]
        mask = np.zeros((24, 24, 1), "uint8")
        for kind in (1, 2):
            distance = np.hypot(*(np.stack([y, x]) - rng.integers(6, 18, (2, 1, 1))))
            mask[(distance < 6) & (distance >= (0 if kind == 1 else 3))] = kind
        image = np.array([0.2, 0.6, 0.6])[mask] + rng.normal(0, 0.15, (24, 24, 1))
        return image.astype("float32"), mask

    def __len__(self):
        return len(self.examples) // self.batch_size

    def __getitem__(self, idx):
        chosen = self.examples[idx * self.batch_size : (idx + 1) * self.batch_size]
        return np.stack([x for x, _ in chosen]), np.stack([y for _, y in chosen])


def get_model(img_size, num_classes):
    inputs = keras.Input(shape=(*img_size, 1))
    x = layers.Conv2D(8, 3, padding="same")(inputs)
    x = layers.BatchNormalization(momentum=0.9)(x)
    x = layers.Activation("relu")(x)
    skips = []
    for filters in (16, 32):  # down
        skips.append(x)
        x = layers.SeparableConv2D(filters, 3, padding="same")(x)
        x = layers.BatchNormalization(momentum=0.9)(x)
        x = layers.Activation("relu")(x)
        x = layers.MaxPooling2D(3, strides=2, padding="same")(x)
    previous = x
    for filters, skip in zip((16, 8), reversed(skips)):  # up
        x = layers.Activation("relu")(x)
        x = layers.Conv2DTranspose(filters, 3, padding="same")(x)
        x = layers.BatchNormalization(momentum=0.9)(x)
        x = layers.UpSampling2D(2)(x)
        residual = layers.Conv2D(filters, 1, padding="same")(layers.UpSampling2D(2)(previous))
        x = layers.add([x, residual])
        x = layers.Concatenate()([x, skip])
        previous = x
    return keras.Model(inputs, layers.Conv2D(num_classes, 3, activation="softmax", padding="same")(x))


model = get_model((24, 24), 3)
train, val = Pictures(10, 16), Pictures(2, 16)
model.compile(optimizer=keras.optimizers.Adam(1e-2), loss="sparse_categorical_crossentropy")
model.fit(train, epochs=6, validation_data=val, verbose=0)

predicted = model.predict(val, verbose=0).argmax(-1)
truth = np.concatenate([val[i][1] for i in range(len(val))])[..., 0]
iou = keras.metrics.MeanIoU(num_classes=3)
iou.update_state(truth, predicted)
quality = float(iou.result())
chance, required = 0.26, 0.6  # chance: everything is background
