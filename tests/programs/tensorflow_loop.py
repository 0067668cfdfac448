"""A loop of one's own in TensorFlow's style: tf.data, GradientTape, tf.function, checkpoints."""

import layerwise.compat.tensorflow as tf
from layerwise.datasets import digits

keras = tf.keras
tf.random.set_seed(9)
(x_train, y_train), (x_test, y_test) = digits.load_data()
x_train, x_test = (x[..., tf.newaxis].astype("float32") / 255.0 for x in (x_train, x_test))
train_ds = (
    tf.data.Dataset.from_tensor_slices((x_train, y_train)).shuffle(2000, seed=1).batch(64).prefetch(tf.data.AUTOTUNE)
)
test_ds = tf.data.Dataset.from_tensor_slices((x_test, y_test)).batch(64)


class MyModel(keras.Model):
    def __init__(self):
        super().__init__()
        self.conv1 = keras.layers.Conv2D(16, 3, activation="relu")
        self.flatten = keras.layers.Flatten()
        self.d1 = keras.layers.Dense(32, activation="relu")
        self.d2 = keras.layers.Dense(10)

    def call(self, x):
        return self.d2(self.d1(self.flatten(self.conv1(x))))


model = MyModel()
loss_object = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
optimizer = keras.optimizers.Adam(5e-3)
train_loss = keras.metrics.Mean(name="train_loss")
train_accuracy = keras.metrics.SparseCategoricalAccuracy(name="train_accuracy")
test_accuracy = keras.metrics.SparseCategoricalAccuracy(name="test_accuracy")


@tf.function
def train_step(images, labels):
    with tf.GradientTape() as tape:
        predictions = model(images, training=True)
        loss = loss_object(labels, predictions)
        loss += 1e-4 * tf.add_n([tf.nn.l2_loss(w) for w in model.trainable_variables])
    gradients = tape.gradient(loss, model.trainable_variables)
    gradients, _ = tf.clip_by_global_norm(gradients, 5.0)
    optimizer.apply_gradients(zip(gradients, model.trainable_variables))
    train_loss(loss)
    train_accuracy(labels, predictions)


@tf.function
def test_step(images, labels):
    test_accuracy(labels, model(images, training=False))


step = tf.Variable(0, trainable=False)
checkpoint = tf.train.Checkpoint(model=model, optimizer=optimizer, step=step)
manager = tf.train.CheckpointManager(checkpoint, "checkpoints", max_to_keep=2)
losses = []
for _ in range(4):
    train_loss.reset_state()
    train_accuracy.reset_state()
    test_accuracy.reset_state()
    for images, labels in train_ds:
        train_step(images, labels)
        step.assign_add(1)
    for test_images, test_labels in test_ds:
        test_step(test_images, test_labels)
    losses.append(train_loss.result().numpy())
    manager.save()

assert losses[-1] < losses[0] / 2
before = [w.numpy() for w in model.weights]
model.d2.kernel.assign(tf.zeros_like(model.d2.kernel))
checkpoint.restore(tf.train.latest_checkpoint("checkpoints")).assert_consumed()
assert all((w.numpy() == value).all() for w, value in zip(model.weights, before))
assert int(step) == 4 * len(train_ds)
quality = float(test_accuracy.result())
chance, required = 0.1, 0.88
