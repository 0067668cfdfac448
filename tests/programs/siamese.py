"""A siamese network: two images through one network, and a contrastive loss of how far apart they come out."""

import numpy as np

import layerwise as keras
from layerwise import layers, ops
from layerwise.datasets import digits


def make_pairs(x, y, rng):
    """Pairs of images of one class, 0, and of two classes, 1."""
    indices = [np.flatnonzero(y == i) for i in range(10)]
    pairs, labels = [], []
    for i, label in enumerate(y):
        pairs += [[x[i], x[rng.choice(indices[label])]]]
        labels += [0]
        other = rng.choice([c for c in range(10) if c != label])
        pairs += [[x[i], x[rng.choice(indices[other])]]]
        labels += [1]
    return np.array(pairs), np.array(labels).astype("float32")


def euclidean_distance(vects):
    x, y = vects
    sum_square = ops.sum(ops.square(x - y), axis=1, keepdims=True)
    return ops.sqrt(ops.maximum(sum_square, keras.config.epsilon()))


def contrastive_loss(margin=1):
    def contrastive_loss(y_true, y_pred):
        square_pred = ops.square(y_pred)
        margin_square = ops.square(ops.maximum(margin - y_pred, 0))
        return ops.mean((1 - y_true) * square_pred + y_true * margin_square)

    return contrastive_loss


keras.utils.set_random_seed(4)
rng = np.random.default_rng(4)
(x_train, y_train), (x_test, y_test) = digits.load_data()
pairs_train, labels_train = make_pairs(x_train.astype("float32") / 255.0, y_train, rng)
pairs_test, labels_test = make_pairs(x_test.astype("float32") / 255.0, y_test, rng)

inputs = keras.Input((8, 8, 1))
x = layers.BatchNormalization()(inputs)
x = layers.Conv2D(8, (3, 3), activation="tanh")(x)
x = layers.AveragePooling2D(pool_size=(2, 2))(x)
x = layers.Flatten()(x)
x = layers.BatchNormalization()(x)
embedding_network = keras.Model(inputs, layers.Dense(10, activation="tanh")(x))

input_1, input_2 = keras.Input((8, 8, 1)), keras.Input((8, 8, 1))
tower_1, tower_2 = embedding_network(input_1), embedding_network(input_2)
merge_layer = layers.Lambda(euclidean_distance, output_shape=(1,))([tower_1, tower_2])
normal_layer = layers.BatchNormalization()(merge_layer)
output_layer = layers.Dense(1, activation="sigmoid")(normal_layer)
siamese = keras.Model(inputs=[input_1, input_2], outputs=output_layer)

siamese.compile(loss=contrastive_loss(margin=1), optimizer=keras.optimizers.RMSprop(1e-3), metrics=["accuracy"])
siamese.fit(
    [pairs_train[:, 0][..., None], pairs_train[:, 1][..., None]], labels_train, batch_size=64, epochs=8, verbose=0
)
_, quality = siamese.evaluate([pairs_test[:, 0][..., None], pairs_test[:, 1][..., None]], labels_test, verbose=0)
chance, required = 0.5, 0.8
