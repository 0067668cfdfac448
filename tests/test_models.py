"""Models of every kind, and all that `fit` takes."""

import copy
import itertools
import pickle

import numpy as np
import pytest

from layerwise import (
    GradientTape,
    callbacks,
    config,
    data,
    layers,
    losses,
    metrics,
    models,
    ops,
    optimizers,
    random,
    utils,
)
from layerwise.training.arrays import class_weights, unpack_x_y_sample_weight

rng = np.random.default_rng(0)
X = rng.standard_normal((48, 6)).astype("float32")
Y = (X @ rng.standard_normal((6, 3))).argmax(-1)


def mlp(seed=1):
    random.set_random_seed(seed)
    return models.Sequential(
        [layers.Input((6,)), layers.Dense(16, activation="tanh"), layers.Dense(3, activation="softmax")]
    )


def compiled(model=None):
    model = model or mlp()
    model.compile(optimizers.Adam(0.02), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def fitted(x, y=None, **arguments):
    model = compiled()
    history = model.fit(x, y, verbose=0, shuffle=False, **arguments).history
    return model.get_weights(), history


# ------------------------------------------------------------------------------------------------- kinds of models


def test_training_learns():
    model = compiled()
    history = model.fit(X, Y, epochs=30, verbose=0).history
    assert history["loss"][-1] < 0.5 * history["loss"][0]
    assert model.evaluate(X, Y, verbose=0, return_dict=True)["accuracy"] > 0.9


def test_shared_layers_have_one_set_of_weights():
    a, b = layers.Input((4,), name="a"), layers.Input((4,), name="b")
    shared = layers.Dense(5)
    model = models.Model([a, b], layers.Subtract()([shared(a), shared(b)]))
    assert len(model.weights) == 2
    assert model.layers.count(shared) == 1
    x = np.ones((2, 4), "float32")
    np.testing.assert_array_equal(model.predict([x, x], verbose=0), np.zeros((2, 5)))
    np.testing.assert_array_equal(model.predict({"a": x, "b": x}, verbose=0), np.zeros((2, 5)))


def test_nested_models_and_dict_outputs():
    inner_in = layers.Input((4,))
    inner = models.Model(inner_in, layers.Dense(3, name="inside")(inner_in), name="inner")
    x = layers.Input((4,))
    h = inner(x)
    model = models.Model(x, {"sum": ops.sum(h, axis=-1, keepdims=True), "twice": h * 2})
    out = model.predict(np.ones((5, 4), "float32"), verbose=0)
    assert {k: v.shape for k, v in out.items()} == {"sum": (5, 1), "twice": (5, 3)}
    np.testing.assert_allclose(out["sum"][:, 0] * 2, out["twice"].sum(-1), rtol=1e-5)
    assert model.get_layer("inner").get_layer("inside").units == 3
    assert [w.path for w in model.weights] == ["inside/kernel", "inside/bias"]


def test_a_model_may_begin_inside_another_graph():
    x = layers.Input((4,))
    h = layers.Dense(3, name="features")(x)
    whole = models.Model(x, layers.Dense(2, name="head")(h))
    head = models.Model(whole.get_layer("features").output, whole.output)
    features = models.Model(whole.inputs, whole.get_layer("features").output)
    data = np.ones((2, 4), "float32")
    np.testing.assert_allclose(head(features(data)).numpy(), whole(data).numpy(), rtol=1e-6)
    assert head.count_params() == 3 * 2 + 2


def test_a_subclassed_model_trains_and_is_built_by_data():
    class Net(models.Model):
        def __init__(self):
            super().__init__()
            self.blocks = [layers.Dense(8, activation="relu") for _ in range(2)]
            self.head = {"out": layers.Dense(3)}

        def call(self, x, training=False):
            for block in self.blocks:
                x = block(x)
            return self.head["out"](x)

    model = Net()
    model.compile("adam", losses.SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"])
    first = model.fit(X, Y, epochs=15, verbose=0).history["loss"]
    assert first[-1] < first[0]
    assert len(model.weights) == 6
    assert model.predict(X[:4], verbose=0).shape == (4, 3)


def test_a_step_of_ones_own_with_two_optimizers():
    class Adversaries(models.Model):
        def __init__(self):
            super().__init__()
            self.left, self.right = layers.Dense(4), layers.Dense(6)
            self.tracker = metrics.Mean(name="gap")

        def compile(self, left_optimizer, right_optimizer):
            super().compile()
            self.left_optimizer, self.right_optimizer = left_optimizer, right_optimizer

        @property
        def metrics(self):
            return [self.tracker]

        def train_step(self, data):
            x = data
            for layer, optimizer in ((self.left, self.left_optimizer), (self.right, self.right_optimizer)):
                with GradientTape() as tape:
                    loss = ops.mean(ops.square(self.right(self.left(x)) - x))
                optimizer.apply_gradients(
                    zip(tape.gradient(loss, layer.trainable_weights), layer.trainable_weights, strict=True)
                )
            self.tracker.update_state(loss)
            return {"gap": self.tracker.result()}

    model = Adversaries()
    model.compile(optimizers.SGD(0.05), optimizers.Adam(0.01))
    gaps = model.fit(X, epochs=20, verbose=0).history["gap"]
    assert gaps[-1] < 0.7 * gaps[0]
    assert int(model.left_optimizer.iterations) == int(model.right_optimizer.iterations) == 20 * 2


def test_a_step_of_ones_own_survives_another_compile():
    class Own(models.Model):
        def __init__(self):
            super().__init__()
            self.last = layers.Dense(3, activation="softmax")

        def call(self, x):
            return self.last(x)

        def train_step(self, data):
            x, y = data
            with GradientTape() as tape:
                loss = self.compute_loss(y=y, y_pred=self(x, training=True))
            self.optimizer.apply(tape.gradient(loss, self.trainable_variables), self.trainable_variables)
            return {"loss": loss}

    model = Own()
    seen = []
    for optimizer in (optimizers.SGD(0.1), optimizers.Adam(0.1), optimizers.SGD(0.1, momentum=0.9)):
        model.compile(optimizer, "sparse_categorical_crossentropy")
        seen += model.fit(X, Y, epochs=2, verbose=0, shuffle=False).history["loss"]
        assert optimizer.iterations == 4
    assert seen == sorted(seen, reverse=True)


def test_batches_of_a_known_form_are_not_rehearsed_again():
    model = compiled()
    calls = []
    inner = model.layers[-1]
    call = inner.call
    inner.call = lambda x: calls.append(x.symbolic) or call(x)
    rehearsed = []
    for x in (X, X, X[:5], X[:5]):
        calls.clear()
        model.predict(x, verbose=0)
        rehearsed.append(calls.count(True))
    assert rehearsed == [1, 0, 1, 0]
    with pytest.raises(ValueError, match="expected"):
        model.predict(X[:, :3], verbose=0)


def test_losses_added_by_layers_are_minimised():
    class Shrink(layers.Layer):
        def call(self, x):
            self.add_loss(ops.mean(ops.square(x)))
            return x

    model = models.Sequential([layers.Input((6,)), layers.Dense(4), Shrink()])
    model.compile("adam")
    losses_ = model.fit(X, epochs=5, verbose=0).history["loss"]
    assert losses_[-1] < losses_[0]
    assert model.losses == []


def test_frozen_layers_stay_and_batch_statistics_with_them():
    model = models.Sequential(
        [layers.Input((6,)), layers.Dense(5, name="frozen"), layers.BatchNormalization(name="still"), layers.Dense(3)]
    )
    for name in ("frozen", "still"):
        model.get_layer(name).trainable = False
    model.compile("sgd", losses.SparseCategoricalCrossentropy(from_logits=True))
    before = [model.get_layer(n).get_weights() for n in ("frozen", "still")]
    head = model.layers[-1].get_weights()
    model.fit(X, Y, epochs=1, verbose=0)
    for old, name in zip(before, ("frozen", "still"), strict=True):
        for a, b in zip(old, model.get_layer(name).get_weights(), strict=True):
            np.testing.assert_array_equal(a, b)
    assert not np.array_equal(head[0], model.layers[-1].get_weights()[0])
    model.trainable = True
    assert len(model.trainable_weights) == 6


def test_sequential_grows_shrinks_and_waits_for_data():
    model = models.Sequential()
    model.add(layers.Dense(4))
    model.add(layers.Dense(2))
    assert not model.built
    assert model(X).shape == (48, 2)
    assert model.built
    assert model.output_shape == (None, 2)
    model.add(layers.Activation("relu"))
    assert model.pop().name.startswith("activation")
    assert model.output_shape == (None, 2)
    model.pop()
    assert model.output_shape == (None, 4)
    assert model.layers[0].output.shape == (None, 4)


def test_clones_copies_and_json_have_the_same_form():
    model = mlp()
    clone = models.clone_model(model)
    assert [w.shape for w in clone.weights] == [w.shape for w in model.weights]
    assert not np.array_equal(clone.get_weights()[0], model.get_weights()[0])
    again = models.model_from_json(model.to_json())
    again.set_weights(model.get_weights())
    np.testing.assert_array_equal(again.predict(X, verbose=0), model.predict(X, verbose=0))
    x = layers.Input((4,))
    functional = models.Model(x, layers.Add()([layers.Dense(2)(x), layers.Dense(2)(x)]))
    twin = models.clone_model(functional)
    assert [type(layer) for layer in twin.layers] == [type(layer) for layer in functional.layers]
    rebuilt = models.Model.from_config(functional.get_config())
    rebuilt.set_weights(functional.get_weights())
    np.testing.assert_array_equal(rebuilt(X[:, :4]).numpy(), functional(X[:, :4]).numpy())


@pytest.mark.parametrize(
    "operation",
    [
        lambda x: ops.pad(x, [[0, 0], [1, 0], [0, 2]], constant_values=2.0),
        lambda x: ops.take(x, [0, 2], axis=1),
        lambda x: ops.einsum("bij,bkj->bik", x, x),
        lambda x: ops.zeros_like(x) + ops.ones_like(x) * x,
        lambda x: ops.logsumexp(x, axis=1) + ops.stop_gradient(x)[:, 0],
        lambda x: ops.tile(x, [1, 2, 1]),
    ],
    ids=["pad", "take", "einsum", "constants", "logsumexp", "tile"],
)
def test_operations_in_a_graph_have_a_form_that_keras_reads(operation):
    keras = pytest.importorskip("keras")
    x = layers.Input((4, 3))
    model = models.Model(x, operation(x))
    data = rng.standard_normal((2, 4, 3)).astype("float32")
    expected = model.predict(data, verbose=0)
    np.testing.assert_array_equal(models.Model.from_config(model.get_config()).predict(data, verbose=0), expected)
    theirs = keras.Model.from_config(model.get_config())
    np.testing.assert_allclose(theirs.predict(data, verbose=0), expected, rtol=1e-6)


def test_an_unknown_size_is_no_size_to_reshape_to():
    x = layers.Input((4, 3))
    with pytest.raises(ValueError, match=r"reshape: newshape: got \(None, 12\).* write -1 instead"):
        ops.reshape(x, (ops.shape(x)[0], 12))


def test_variables_are_copied_and_pickled_by_value():
    variable = mlp().weights[0]
    for other in (copy.deepcopy(variable), pickle.loads(pickle.dumps(variable))):
        np.testing.assert_array_equal(other.numpy(), variable.numpy())
        other.assign(other * 0)
        assert variable.numpy().any()


# -------------------------------------------------------------------------------------------- what fit and friends take


class Batches:
    def __len__(self):
        return 3

    def __getitem__(self, i):
        return X[i * 16 : i * 16 + 16], Y[i * 16 : i * 16 + 16]


def generator():
    while True:
        for start in range(0, 48, 16):
            yield X[start : start + 16], Y[start : start + 16]


class TorchLike:
    """A tensor with PyTorch's way out, as a DataLoader yields them."""

    def __init__(self, array):
        self.array = array

    def detach(self):
        return self

    def cpu(self):
        return self

    def numpy(self):
        return self.array


@pytest.mark.parametrize(
    ("source", "arguments"),
    [
        (lambda: [(X[i : i + 16], Y[i : i + 16]) for i in (0, 16, 32)].__iter__(), {"epochs": 1}),
        (Batches, {"epochs": 2}),
        (generator, {"epochs": 2, "steps_per_epoch": 3}),
        (lambda: data.Dataset.from_tensor_slices((X, Y)).batch(16), {"epochs": 2}),
        (lambda: data.Dataset.from_tensor_slices((X, Y)).batch(16).repeat(), {"epochs": 2, "steps_per_epoch": 3}),
        (lambda: ((TorchLike(x), TorchLike(y)) for x, y in itertools.islice(generator(), 3)), {"epochs": 1}),
    ],
    ids=["iterator", "indexed", "generator", "dataset", "endless", "torch"],
)
def test_every_source_of_the_same_batches_trains_alike(source, arguments):
    expected, history = fitted(X, Y, batch_size=16, epochs=arguments["epochs"])
    got, other = fitted(source(), **arguments)
    for a, b in zip(expected, got, strict=True):
        np.testing.assert_array_equal(a, b)
    assert history == other


class Numbered(utils.PyDataset):
    """The batches of X and Y by number; it keeps a record of what it was asked."""

    def __init__(self, **arguments):
        super().__init__(**arguments)
        self.asked = []

    def __len__(self):
        return 6

    def __getitem__(self, i):
        self.asked.append(i)
        return X[8 * i : 8 * i + 8], Y[8 * i : 8 * i + 8]

    def on_epoch_end(self):
        self.asked.append("end")


@pytest.mark.parametrize("in_processes", [True, False])
def test_batches_by_number_made_beside_training(in_processes):
    expected, _ = fitted(X, Y, epochs=2, batch_size=8)
    numbered = Numbered(workers=3, use_multiprocessing=in_processes, max_queue_size=2)
    weights, _ = fitted(numbered, epochs=2)
    for a, b in zip(weights, expected, strict=True):
        np.testing.assert_array_equal(a, b)
    asked = [] if in_processes else [*range(6)]
    assert sorted(i for i in numbered.asked if i != "end") == sorted(asked * 2)
    assert numbered.asked.count("end") == 2

    class Broken(Numbered):
        def __getitem__(self, i):
            return 1 / (4 - i) and super().__getitem__(i)

    if not in_processes:
        with pytest.raises(ZeroDivisionError):
            compiled().fit(Broken(workers=2), shuffle=False, verbose=0)


def test_limits_of_a_trial_run(monkeypatch):
    config.set_max_epochs(2)
    config.set_max_steps_per_epoch(3)
    try:
        history = compiled().fit(X, Y, epochs=5, batch_size=8, validation_data=(X, Y), verbose=0)
        assert (history.epoch, history.params["steps"]) == ([0, 1], 3)
        assert compiled().predict(X, batch_size=4, verbose=0).shape == (12, 3)
        with pytest.raises(ValueError, match="set_max_epochs: got 0"):
            config.set_max_epochs(0)
    finally:
        config.set_max_epochs(None)
        config.set_max_steps_per_epoch(None)
    monkeypatch.setenv("LAYERWISE_MAX_EPOCHS", "1")
    assert compiled().fit(X, Y, epochs=3, verbose=0).epoch == [0]
    monkeypatch.setenv("LAYERWISE_MAX_EPOCHS", "x")
    with pytest.raises(ValueError, match="LAYERWISE_MAX_EPOCHS: got 'x'"):
        compiled().fit(X, Y, verbose=0)


def test_batches_by_number():
    inorder, numbered = Numbered(), Numbered()
    weights, _ = fitted(inorder, epochs=2)
    expected, _ = fitted(X, Y, epochs=2, batch_size=8)
    for a, b in zip(weights, expected, strict=True):
        np.testing.assert_array_equal(a, b)
    assert inorder.asked == [*range(6), "end"] * 2
    compiled().fit(numbered, epochs=2, verbose=0)
    first, second = numbered.asked[:6], numbered.asked[7:13]
    assert sorted(first) == sorted(second) == list(range(6))
    assert first != second
    assert compiled().predict(Numbered(), verbose=0).shape == (48, 3)
    assert numbered.num_batches == 6
    for method, do in (("__len__", len), ("__getitem__", lambda data: data[0])):
        with pytest.raises(NotImplementedError, match=rf"PyDataset: define {method}"):
            do(utils.PyDataset())


@pytest.mark.parametrize("count", [3, None])
def test_batches_by_number_that_say_how_many_they_are(count):
    class Counted(utils.PyDataset):
        num_batches = property(lambda self: count)

        def __getitem__(self, i):
            return X[8 * (i % 6) : 8 * (i % 6) + 8], Y[8 * (i % 6) : 8 * (i % 6) + 8]

    history = compiled().fit(Counted(), epochs=2, steps_per_epoch=None if count else 9, verbose=0)
    assert history.params["steps"] == (count or 9)
    assert compiled().predict(Counted(), steps=2, verbose=0).shape == (16, 3)


def test_lists_are_arrays():
    expected, _ = fitted(X, Y)
    got, _ = fitted(X.tolist(), Y.tolist())
    for a, b in zip(expected, got, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-6)


def test_a_source_that_ends_early_warns_and_stops():
    model = compiled()
    source = iter([(X[:16], Y[:16])] * 4)
    with pytest.warns(UserWarning, match="ended after 1 of 3 steps"):
        history = model.fit(source, steps_per_epoch=3, epochs=5, verbose=0)
    assert len(history.epoch) == 2


def test_epochs_count_from_initial_epoch_and_validation_from_its_frequency():
    model = compiled()
    history = model.fit(X, Y, initial_epoch=2, epochs=5, validation_data=(X, Y), validation_freq=2, verbose=0)
    assert history.epoch == [2, 3, 4]
    assert len(history.history["val_loss"]) == 1
    assert len(history.history["loss"]) == 3


def test_callbacks_hear_of_everything_and_may_stop():
    heard = []

    class Listener(callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            heard.append(("epoch", epoch))

        def on_train_batch_end(self, batch, logs=None):
            heard.append((batch, round(float(logs["loss"]), 3)))
            if len(heard) > 5:
                self.model.stop_training = True

        def on_test_end(self, logs=None):
            heard.append(sorted(logs))

    compiled().fit(X, Y, batch_size=16, epochs=9, validation_split=0.25, callbacks=[Listener()], verbose=0)
    assert heard[0] == ("epoch", 0)
    assert [h[0] for h in heard[1:4]] == [0, 1, 2]
    assert heard[4] == ["accuracy", "loss"]
    assert len(heard) < 12


def test_the_best_weights_stay_the_best():
    model = compiled()
    seen = []

    class Watch(callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            seen.append((logs["val_loss"], self.model.get_weights()))
            self.model.set_weights([w + 1 for w in self.model.get_weights()])

    stop = callbacks.EarlyStopping(patience=1, restore_best_weights=True)
    model.fit(X, Y, epochs=6, validation_data=(X, Y), callbacks=[stop, Watch()], verbose=0)
    best = min(seen, key=lambda pair: pair[0])[1]
    for a, b in zip(model.get_weights(), best, strict=True):
        np.testing.assert_array_equal(a, b)


def test_on_batch_methods_and_predict_forms():
    model = compiled()
    first = model.train_on_batch(X, Y, return_dict=True)
    second = model.train_on_batch(X, Y, return_dict=True)
    assert set(first) == {"accuracy", "loss"}
    assert second["loss"] < first["loss"]
    half = model.test_on_batch(X[:9], Y[:9], return_dict=True)
    assert half == pytest.approx(model.evaluate(X[:9], Y[:9], verbose=0, return_dict=True))  # of this batch alone
    assert len(model.test_on_batch(X, Y)) == 2
    np.testing.assert_allclose(model.predict_on_batch(X), model.predict(X, batch_size=7, verbose=0), rtol=1e-6)
    np.testing.assert_allclose(model(X).numpy(), model.predict(X, verbose=0), rtol=1e-6)


def test_results_come_in_the_order_of_the_metrics():
    model = mlp()
    model.compile("sgd", "mse", metrics=["mse", "mae", "cosine_similarity"], weighted_metrics=["accuracy"])
    x, y = X, np.eye(3)[Y]
    named = model.evaluate(x, y, verbose=0, return_dict=True)
    order = ["loss", "mse", "mae", "cosine_similarity", "accuracy"]
    assert model.evaluate(x, y, verbose=0) == [named[name] for name in order]
    assert model.test_on_batch(x, y) == pytest.approx([named[name] for name in order], rel=1e-5)

    given = layers.Input((6,))
    model = models.Model(given, {"b": layers.Dense(3, name="b")(given), "a": layers.Dense(1, name="a")(given)})
    model.compile("sgd", {"a": "mse", "b": "mae"}, metrics={"a": ["mae"], "b": ["mse"]})
    y = {"a": Y[:, None].astype("float32"), "b": y}
    named = model.evaluate(x, y, verbose=0, return_dict=True)
    order = ["loss", "a_loss", "b_loss", "a_mae", "b_mse"]
    assert model.evaluate(x, y, verbose=0) == [named[name] for name in order]


def test_steps_without_a_batch_size_cover_the_arrays():
    sizes = []

    class Sizes(callbacks.Callback):
        def on_predict_batch_end(self, batch, logs=None):
            sizes.append(len(logs["outputs"]))

    model = compiled()
    assert model.predict(X, steps=5, callbacks=[Sizes()], verbose=0).shape == (48, 3)
    assert sizes == [10, 10, 10, 10, 8]
    assert model.evaluate(X, Y, steps=2, verbose=0) == pytest.approx(model.evaluate(X, Y, verbose=0))
    a, _ = fitted(X, Y, steps_per_epoch=4, validation_data=(X, Y), validation_steps=3)
    b, _ = fitted(X, Y, batch_size=12)
    for one, other in zip(a, b, strict=True):
        np.testing.assert_array_equal(one, other)


def test_the_end_of_training_hears_of_the_last_epoch():
    heard = []
    listener = callbacks.LambdaCallback(on_train_end=heard.append)
    _, history = fitted(X, Y, epochs=2, validation_data=(X, Y), callbacks=[listener])
    assert heard == [{name: values[-1] for name, values in sorted(history.items())}]


def test_losses_are_gone_after_predictions():
    given = layers.Input((6,))
    model = models.Model(given, layers.ActivityRegularization(l2=0.1)(given))
    model.predict(X, verbose=0)
    assert model.losses == []
    model(X)
    assert len(model.losses) == 1


def test_class_weight_and_sample_weight_multiply():
    np.testing.assert_array_equal(class_weights(np.array([0, 1, 1]), {0: 2.0, 1: 3.0}, np.array([1, 1, 2])), [2, 3, 6])
    np.testing.assert_array_equal(class_weights(np.eye(2, dtype="float32"), {1: 5.0}), [1, 5])
    assert unpack_x_y_sample_weight([1, 2, 3]) == (1, 2, 3)
    weighted, _ = fitted(X, Y, sample_weight=np.where(Y == 0, 3.0, 1.0))
    classes, _ = fitted(X, Y, class_weight={0: 3.0})
    for a, b in zip(weighted, classes, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-6)


def test_shuffling_is_repeatable_and_batchwise_keeps_batches():
    def order(shuffle):
        seen = []

        class Record(callbacks.Callback):
            def on_train_batch_end(self, batch, logs=None):
                seen.append(float(logs["loss"]))

        model = compiled()
        model.fit(X, Y, batch_size=16, shuffle=shuffle, callbacks=[Record()], verbose=0)
        return seen

    assert order(True) == order(True)
    assert order(True) != order(False)


@pytest.mark.float64
def test_float64_models_compute_in_float64():
    with config.override(floatx="float64"):
        model = mlp()
        model.compile("sgd", "sparse_categorical_crossentropy")
        model.fit(X.astype("float64"), Y, verbose=0)
        assert {w.dtype for w in model.weights} == {"float64"}
        assert model.predict(X, verbose=0).dtype == np.float64


def test_summary_is_a_table_people_can_read():
    lines = []
    x = layers.Input((4,), name="in")
    model = models.Model(
        x, layers.Add(name="sum")([layers.Dense(2, name="left")(x), layers.Dense(2, name="right")(x)]), name="m"
    )
    model.summary(print_fn=lines.append, show_trainable=True)
    text = "\n".join(lines)
    for piece in ("left (Dense)", "(None, 2)", "10", "left, right", "Total parameters: 20 (80.00 B)", "Connected to"):
        assert piece in text
    assert max(map(len, lines)) <= 100


def test_an_error_in_the_step_changes_nothing():
    class Breaks(layers.Layer):
        calls = 0

        def call(self, x, training=False):
            Breaks.calls += bool(training)
            if Breaks.calls > 3:  # the first call is the rehearsal
                raise RuntimeError("a broken layer")
            return x

    model = models.Sequential([layers.Input((6,)), layers.Dense(3), layers.BatchNormalization(), Breaks()])
    model.compile("adam", losses.SparseCategoricalCrossentropy(from_logits=True), run_eagerly=True)
    after_two = []

    class Snapshot(callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            after_two[:] = self.model.get_weights() + [v.numpy() for v in self.model.optimizer.variables]

    with pytest.raises(RuntimeError, match="a broken layer"):
        model.fit(X, Y, batch_size=16, callbacks=[Snapshot()], verbose=0)
    now = model.get_weights() + [v.numpy() for v in model.optimizer.variables]
    for a, b in zip(after_two, now, strict=True):
        np.testing.assert_array_equal(a, b)
    assert int(model.optimizer.iterations) == 2


def test_python_may_ask_for_values_in_a_step_that_runs_eagerly():
    class Signed(models.Model):
        def __init__(self):
            super().__init__()
            self.dense = layers.Dense(1)

        def call(self, x):
            return self.dense(x) if ops.sum(x) > 0 else self.dense(-x)

    model, y = Signed(), np.ones((len(X), 1), "float32")
    model.compile("sgd", "mse")
    with pytest.raises(TypeError, match=r"no value yet.*run_eagerly=True"):
        model.fit(X, y, verbose=0)
    model.compile("sgd", "mse", run_eagerly=True)
    before = model(X).numpy()
    model.fit(X, y, verbose=0)
    assert not np.array_equal(model(X), before)
    np.testing.assert_allclose(model.predict(X, batch_size=len(X), verbose=0), model(X), rtol=1e-6)


def test_the_mode_of_the_whole_model_wins_over_that_of_a_call_in_its_graph():
    x = layers.Input((4,))
    model = models.Model(x, layers.Dropout(0.5)(x, training=True))
    ones = np.ones((1, 4), "float32")
    np.testing.assert_array_equal(model.predict(ones, verbose=0), ones)
    assert set(np.unique(model(np.ones((1, 100, 4), "float32")[0]))) == {0.0, 2.0}


def test_symbolic_tensors_are_found_by_what_they_are():
    x, y, z = layers.Input((3,)), layers.Input((3,)), layers.Input((4,))
    assert y in [x, y]
    assert y not in [x, z]
    assert [z, x, y].index(y) == 2
    assert [x, z] == [x, z]
    assert (x, z) != (x, y)
    assert not x == y  # noqa: SIM201
    assert x != y
    with pytest.raises(TypeError, match="has no value yet"):
        bool(x == 1.0)
    model = models.Model([x, y], x == y)
    assert model([X[:1, :3], X[:1, :3]]).numpy().all()


def test_callbacks_stop_evaluation_and_prediction():
    class Stop(callbacks.Callback):
        def on_test_batch_end(self, batch, logs=None):
            self.model.stop_evaluating = batch == 1

        def on_predict_batch_end(self, batch, logs=None):
            self.model.stop_predicting = batch == 1

    def endless():
        while True:
            yield X[:8], X[:8, :1]

    model = models.Sequential([layers.Input((6,)), layers.Dense(1)])
    model.compile("sgd", "mse")
    model.evaluate(endless(), callbacks=[Stop()], verbose=0)
    assert model.predict(endless(), callbacks=[Stop()], verbose=0).shape == (16, 1)
    assert model.predict(X, batch_size=8, verbose=0).shape == (48, 1)
