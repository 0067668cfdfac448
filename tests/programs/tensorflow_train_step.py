"""A `train_step` of one's own in TensorFlow's style: mixed pictures, their labels mixed alike, and weights averaged."""

import layerwise.compat.tensorflow as tf
from layerwise.datasets import digits

tf.keras.utils.set_random_seed(12)
(x_train, y_train), (x_test, y_test) = digits.load_data()


class MixUp(tf.keras.Model):
    """Trains on lambda x_i + (1 - lambda) x_j with labels mixed alike."""

    def __init__(self, network, alpha=0.3, **kwargs):
        super().__init__(**kwargs)
        self.network = network
        self.alpha = tf.constant(alpha)
        self.mixed = tf.Variable(0, dtype=tf.int32, trainable=False)
        self.loss_tracker = tf.keras.metrics.Mean(name="loss")
        self.accuracy = tf.keras.metrics.CategoricalAccuracy(name="accuracy")

    @property
    def metrics(self):
        return [self.loss_tracker, self.accuracy]

    def call(self, x, training=None):
        return self.network(x, training=training)

    def train_step(self, data):
        x, y = data
        batch_size = tf.shape(x)[0]
        weight = tf.random.uniform((batch_size, 1, 1, 1), 1.0 - self.alpha, 1.0)
        order = tf.argsort(tf.random.normal((batch_size,)))
        x = weight * x + (1 - weight) * tf.gather(x, order)
        weight = tf.reshape(weight, (-1, 1))
        mixed_y = weight * y + (1 - weight) * tf.gather(y, order)
        noise = tf.random.normal(tf.shape(x), stddev=0.02)
        with tf.GradientTape() as tape:
            y_pred = self(x + noise, training=True)
            loss = tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits(labels=mixed_y, logits=y_pred))
            penalty = tf.add_n([tf.reduce_sum(tf.square(w)) for w in self.trainable_variables])
            loss = loss + 1e-5 * penalty
        grads = tape.gradient(loss, self.trainable_variables)
        self.optimizer.apply_gradients(zip(grads, self.trainable_variables))
        self.mixed.assign_add(batch_size)
        self.loss_tracker.update_state(loss)
        self.accuracy.update_state(y, tf.nn.softmax(y_pred))
        return {m.name: m.result() for m in self.metrics}

    def test_step(self, data):
        x, y = data
        y_pred = self(x, training=False)
        self.loss_tracker.update_state(tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits(y, y_pred)))
        self.accuracy.update_state(y, y_pred)
        return {m.name: m.result() for m in self.metrics}


def preprocess(image, label):
    image = tf.image.convert_image_dtype(image[..., tf.newaxis], tf.float32)
    return tf.image.per_image_standardization(image), tf.one_hot(label, 10)


train_ds = tf.data.Dataset.from_tensor_slices((x_train, y_train)).map(preprocess).cache().shuffle(1500).batch(64)
test_ds = tf.data.Dataset.from_tensor_slices((x_test, y_test)).map(preprocess).batch(128)
network = tf.keras.Sequential(
    [
        tf.keras.layers.Conv2D(16, 3, padding="same", activation=tf.nn.relu),
        tf.keras.layers.MaxPool2D(),
        tf.keras.layers.Flatten(),
        tf.keras.layers.Dense(10),
    ]
)
model = MixUp(network)
model.compile(optimizer=tf.keras.optimizers.Adam(1e-2))
model.fit(train_ds, epochs=5, verbose=0)
assert model.mixed.numpy() == 5 * len(x_train)
quality = model.evaluate(test_ds, verbose=0, return_dict=True)["accuracy"]
chance, required = 0.1, 0.88
