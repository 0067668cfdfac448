"""Mistakes that users make, and what they are told: each row is what the user does, the error, and its message.

After each the model is as it was: weights, optimizer and history; trained further, it ends where it would have ended.
"""

import itertools
import os
import re
import signal
import subprocess
import sys
import textwrap

import numpy as np
import pytest

from layerwise import (
    GradientTape,
    Variable,
    autograd,
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
    saving,
)

rng = np.random.default_rng(0)
X = rng.standard_normal((12, 4)).astype("float32")
LABELS = np.arange(12) % 3
ONE_HOT = np.eye(3, dtype="float32")[LABELS]
TARGETS = rng.standard_normal(12).astype("float32")


# --------------------------------------------------------------------------------------------------------- the models


def classifier(**arguments):
    random.set_random_seed(1)
    model = models.Sequential(
        [
            layers.Input((4,), name="features"),
            layers.Dense(5, activation="relu", name="hidden"),
            layers.BatchNormalization(name="norm"),
            layers.Dense(3, activation="softmax", name="scores"),
        ]
    )
    arguments = {"optimizer": "adam", "loss": "sparse_categorical_crossentropy", "metrics": ["accuracy"]} | arguments
    model.compile(**arguments)
    return model


def regressor(units=1, loss="mse", **arguments):
    random.set_random_seed(2)
    model = models.Sequential([layers.Input((4,)), layers.Dense(units, name="price")])
    model.compile(optimizers.SGD(0.01, momentum=0.9), loss, **arguments)
    return model


def two_outputs(loss="mse", **arguments):
    random.set_random_seed(3)
    left, right = layers.Input((4,), name="left"), layers.Input((2,), name="right")
    joined = layers.Concatenate()([left, right])
    outputs = [layers.Dense(1, name="price")(joined), layers.Dense(2, name="size")(joined)]
    model = models.Model([left, right], outputs)
    model.compile("adam", loss, **arguments)
    return model


BOTH = [X, X[:, :2]], [X[:, :1], X[:, :2]]  # inputs and labels of the model with two of each


def convnet(flatten=True):
    head = [layers.Flatten()] if flatten else []
    model = models.Sequential(
        [layers.Input((8, 8, 1)), layers.Conv2D(4, 3), *head, layers.Dense(3, activation="softmax")]
    )
    model.compile("sgd", "sparse_categorical_crossentropy")
    return model


def uncompiled():
    return models.Sequential([layers.Input((4,)), layers.Dense(3)])


def fit(model, x=X, y=LABELS, **arguments):
    return model.fit(x, y, **{"verbose": 0, "shuffle": False} | arguments)


def fit_new(model, x=X, y=TARGETS, **arguments):
    """A fit of a model that was never trained, and that stays so if this fails."""
    weights = model.get_weights()
    try:
        return fit(model, x, y, **arguments)
    except Exception:
        assert_same(weights, model.get_weights())
        assert int(model.optimizer.iterations) == 0
        assert "history" not in vars(model)
        raise


def fit_with(layer):
    """A fit of a small model that ends in `layer`."""
    model = models.Sequential([layers.Input((4,)), layers.Dense(3), layer])
    model.compile("sgd", "mse")
    return fit(model, y=ONE_HOT)


def state(model):
    """All that a mistake must leave alone."""
    return {
        "weights": [w.copy() for w in model.get_weights()],
        "optimizer": [v.numpy() for v in model.optimizer.variables],
        "history": (list(model.history.epoch), {name: list(values) for name, values in model.history.history.items()}),
        "objects": [id(model.optimizer), id(model.history)],
    }


def assert_same(before, now):
    np.testing.assert_equal(now, before)


def said(error):
    """All that a traceback prints of an error."""
    return "\n".join([str(error), *getattr(error, "__notes__", ())])


# ----------------------------------------------------------------------------------------------------- spoiled data


def spoiled(array, value=np.nan):
    array = np.array(array, "float32")
    array.flat[5] = value
    return array


def batches(n=None, make=lambda i: (X, LABELS)):
    """A generator of n batches, or of batches without end."""
    return (make(i) for i in (itertools.count() if n is None else range(n)))


def dataset():
    return data.Dataset.from_tensor_slices((X, LABELS))


WITH_A_CLASSIFIER = [
    # data of the wrong form
    ("x and y of different length", lambda m: fit(m, X, LABELS[:7]), ValueError, "x has 12, y has 7 examples"),
    ("sample_weight of another length", lambda m: fit(m, sample_weight=np.ones(5)),
     ValueError, "sample_weight has 5 examples"),
    ("too few features", lambda m: fit(m, X[:, :3]),
     ValueError, r"input 'features': got shape \(12, 3\), expected \(None, 4\)"),
    ("too few features, when called", lambda m: m(X[:, :3]),
     ValueError, r"model 'sequential.*input 'features': got shape \(12, 3\)"),
    ("a rank too much", lambda m: m.predict(X[:, :, None, None], verbose=0),
     ValueError, r"got shape \(12, 4, 1, 1\), expected \(None, 4\)"),
    ("one example without the batch", lambda m: m(X[0]), ValueError, r"dimension of the batch is missing.*x\[None\]"),
    ("a single number", lambda m: fit(m, 3.0), ValueError, "x: got a single value, expected an array"),
    ("no data", lambda m: fit(m, X[:0], LABELS[:0]), ValueError, "x holds no examples"),
    ("an empty list", lambda m: fit(m, [], []), ValueError, "x holds no examples"),
    ("x is None", lambda m: fit(m, None), ValueError, "x is missing; pass arrays"),
    ("x is None in evaluate", lambda m: m.evaluate(None, LABELS, verbose=0), ValueError, "x is missing"),
    ("x is None in predict", lambda m: m.predict(None, verbose=0), ValueError, "x is missing"),
    ("no labels", lambda m: fit(m, y=None), ValueError, "the compiled loss needs labels; pass y"),
    ("NaN in x", lambda m: fit(m, spoiled(X)), ValueError, r"x: 1 of 48 values are NaN, the first at index \(1, 1\)"),
    ("NaN in the labels", lambda m: fit(m, y=spoiled(LABELS)),
     ValueError, r"y: 1 of 12 values are NaN, the first at index \(5,\)"),
    ("infinity in x", lambda m: fit(m, spoiled(X, np.inf)), ValueError, "x: 1 of 48 values are infinite"),
    ("NaN in sample_weight", lambda m: fit(m, sample_weight=spoiled(TARGETS)), ValueError, "sample_weight: 1 of 12"),
    ("objects", lambda m: fit(m, np.array([[None] * 4] * 12)),
     ValueError, "x: got an array of objects.*expected numbers"),
    ("rows of different lengths", lambda m: fit(m, [[1.0, 2.0], [3.0]]), ValueError, "x: rows of different lengths"),
    ("text", lambda m: fit(m, [["a"] * 4] * 12), ValueError, "x: got an array of text, expected numbers"),
    ("text as labels", lambda m: fit(m, y=["cat", "dog", "fish"] * 4), ValueError, "y: got an array of text"),
    ("a file's name", lambda m: fit(m, "data.csv"), ValueError, "x: got an array of text, expected numbers"),
    # labels
    ("a label too large", lambda m: fit(m, y=LABELS + 1),
     ValueError, r"labels: got 3 at position 2, expected whole numbers 0 \.\.\. 2 for 3 classes; number the classes"),
    ("a negative label", lambda m: fit(m, y=LABELS - 1), ValueError, r"labels: got -1 at position 0, .* 0 \.\.\. 2"),
    ("a label that is no whole number", lambda m: fit(m, y=LABELS + 0.5), ValueError, "labels: got 0.5 at position 0"),
    ("a label too large in evaluate", lambda m: m.evaluate(X, LABELS + 1, verbose=0),
     ValueError, "labels: got 3 at position 2"),
    ("a label too large in validation_data", lambda m: fit(m, validation_data=(X, LABELS + 1)),
     ValueError, "(?s)labels: got 3 at position 2.*in validation_data"),
    ("a label too large in a generator", lambda m: m.fit(batches(3, lambda i: (X, LABELS + 1)), verbose=0),
     ValueError, "labels: got 3 at position 2"),
    ("one-hot labels with the sparse loss", lambda m: fit(m, y=ONE_HOT),
     ValueError, r"y_true of shape \(12, 3\) looks one-hot.*use categorical_crossentropy, or y.argmax\(-1\)"),
    ("images without Flatten", lambda m: fit_new(convnet(flatten=False), np.zeros((12, 8, 8, 1)), LABELS),
     ValueError, r"y_true of shape \(12,\) does not match y_pred of shape \(12, 6, 6, 3\).*add a Flatten"),
    # arguments of fit
    ("batch_size 0", lambda m: fit(m, batch_size=0), ValueError, "batch_size: got 0, expected a whole number >= 1"),
    ("batch_size 3.5", lambda m: fit(m, batch_size=3.5), ValueError, "batch_size: got 3.5"),
    ("epochs 0", lambda m: fit(m, epochs=0), ValueError, "fit: epochs: got 0, expected a whole number >= 1"),
    ("epochs 2.5", lambda m: fit(m, epochs=2.5), ValueError, "fit: epochs: got 2.5"),
    ("initial_epoch -1", lambda m: fit(m, initial_epoch=-1), ValueError, "initial_epoch: got -1, expected .* >= 0"),
    ("steps 0", lambda m: fit(m, steps_per_epoch=0), ValueError, "steps_per_epoch: got 0"),
    ("steps 0 in predict", lambda m: m.predict(X, steps=0, verbose=0), ValueError, "predict: steps: got 0"),
    ("validation_freq 0", lambda m: fit(m, validation_freq=0), ValueError, "validation_freq: got 0"),
    ("shuffle by a word", lambda m: fit(m, shuffle="yes"),
     ValueError, "shuffle: got 'yes', expected True, False or 'batch'"),
    ("verbose 7", lambda m: m.fit(X, LABELS, verbose=7), ValueError, "verbose: got 7, expected 'auto', 0, 1 or 2"),
    ("validation_split 1.5", lambda m: fit(m, validation_split=1.5), ValueError, "validation_split: got 1.5"),
    ("validation_split as text", lambda m: fit(m, validation_split="0.2"), ValueError, "validation_split: got '0.2'"),
    ("validation_split that leaves nothing", lambda m: fit(m, X[:1], LABELS[:1], validation_split=0.5),
     ValueError, "0.5 of 1 examples leaves training or validation empty"),
    ("validation_split of a generator", lambda m: m.fit(batches(3), validation_split=0.2, verbose=0),
     ValueError, "validation_split needs arrays; pass validation_data"),
    ("validation_data of four parts", lambda m: fit(m, validation_data=(X, LABELS, TARGETS, TARGETS)),
     ValueError, "(?s)got a tuple of 4.*in validation_data"),
    ("validation_data of another shape", lambda m: fit(m, validation_data=(X[:, :2], LABELS)),
     ValueError, r"(?s)got shape \(12, 2\), expected \(None, 4\).*in validation_data"),
    ("class_weight by a word", lambda m: fit(m, class_weight="balanced"), TypeError, "got 'balanced', expected a dict"),
    ("class_weight of names", lambda m: fit(m, class_weight={"cat": 2.0}), ValueError, "class_weight: got 'cat': 2.0"),
    ("a negative class_weight", lambda m: fit(m, class_weight={1: -2.0}),
     ValueError, "1: -2.0, expected .* weight >= 0"),
    ("an unknown argument of fit", lambda m: fit(m, epoch=3), TypeError, "fit: unknown argument 'epoch'.*'epochs'"),
    ("one of evaluate", lambda m: m.evaluate(X, LABELS, batchsize=3),
     TypeError, "evaluate: unknown argument 'batchsize'.*'batch_size'"),
    ("one of predict", lambda m: m.predict(X, step=3), TypeError, "predict: unknown argument 'step'.*'steps'"),
    ("one of compile", lambda m: m.compile(optimiser="sgd"),
     TypeError, "compile: unknown argument 'optimiser'.*'optimizer'"),
    # batches
    ("a generator of nothing", lambda m: m.fit(batches(0), verbose=0), ValueError, "the source of batches is empty"),
    ("batches of four parts", lambda m: m.fit(batches(3, lambda i: (X, LABELS, TARGETS, TARGETS)), verbose=0),
     ValueError, r"a batch must be x, \(x, y\) or \(x, y, sample_weight\); got a tuple of 4"),
    ("batches of None", lambda m: m.fit(batches(3, lambda i: None), verbose=0),
     ValueError, "batch 0 is None, expected x"),
    ("batches with NaN", lambda m: m.fit(batches(3, lambda i: (spoiled(X), LABELS)), verbose=0),
     ValueError, "batch 0: x: 1 of 48 values are NaN"),
    ("batches of unequal parts", lambda m: m.fit(batches(3, lambda i: (X, LABELS[:5])), verbose=0),
     ValueError, r"batch 0: parts of different lengths: \[5, 12\]"),
    ("the function instead of its generator", lambda m: m.fit(batches, verbose=0),
     TypeError, "got a function.*call it"),
    ("batch_size with a Dataset", lambda m: m.fit(dataset().batch(4), batch_size=4, verbose=0),
     ValueError, "batch_size: x is a Dataset of batches, which have their own size"),
    ("y with a Dataset", lambda m: m.fit(dataset().batch(4), LABELS, verbose=0),
     ValueError, "y: x is a Dataset of batches, which bring their own y"),
    ("a Dataset that is not batched", lambda m: m.fit(dataset(), verbose=0),
     ValueError, "batch 0: y: got a single value, expected an array whose first dimension is the examples"),
    # compile
    ("an unknown optimizer", lambda m: m.compile("adma", "mse"),
     ValueError, "unknown optimizer 'adma'; did you mean.*'Adam'"),
    ("an unknown loss", lambda m: m.compile("adam", "mes"), ValueError, "unknown loss 'mes'; did you mean 'mse'"),
    ("an unknown metric", lambda m: m.compile("adam", "mse", metrics=["acuracy"]),
     ValueError, "unknown metric 'acuracy'; did you mean 'accuracy'"),
    ("a number as the optimizer", lambda m: m.compile(0.01, "mse"), ValueError, "optimizer: got 0.01 of type float"),
    ("a number as the loss", lambda m: m.compile("sgd", 3), ValueError, "loss: got 3 of type int, expected a name"),
    ("a number as a metric", lambda m: m.compile("sgd", "mse", metrics=[3]), ValueError, "metric: got 3 of type int"),
    # callbacks
    ("a callback's name", lambda m: fit(m, callbacks=["early"]), TypeError, "callbacks: got a str, expected.*Callback"),
    ("a callback's class", lambda m: fit(m, callbacks=[callbacks.EarlyStopping]),
     TypeError, r"got the class EarlyStopping, expected an object: EarlyStopping\(\.\.\.\)"),
    # weights, layers, the optimizer
    ("too few weights", lambda m: m.set_weights([np.zeros(3)]), ValueError, "set_weights: got 1 arrays, expected 8"),
    ("weights of another shape", lambda m: m.set_weights([w.T for w in m.get_weights()]),
     ValueError, r"set_weights: hidden/kernel: got shape \(5, 4\), expected \(4, 5\)"),
    ("a value of another shape for a variable", lambda m: m.layers[0].kernel.assign(np.zeros((4, 6))),
     ValueError, r"variable 'hidden/kernel': assign: got shape \(4, 6\), expected \(4, 5\)"),
    ("an unknown layer", lambda m: m.get_layer("hiden"),
     ValueError, "no layer is named 'hiden'; did you mean 'hidden'"),
    ("a layer too far", lambda m: m.get_layer(index=7), ValueError, "get_layer: index: got 7, the model has 3 layers"),
    ("another model's variables",
     lambda m: m.optimizer.apply_gradients([(np.ones((4, 5)), classifier().layers[0].kernel)]),
     ValueError, "Adam: variable 'hidden/kernel' is not among those.*create a new optimizer"),
    ("a gradient of another shape",
     lambda m: m.optimizer.apply_gradients([(np.ones(3), v) for v in m.trainable_variables]),
     ValueError, r"Adam: gradient of 'hidden/kernel': got \(3,\), expected shape \(4, 5\)"),
    ("a learning rate that is NaN", lambda m: setattr(m.optimizer, "learning_rate", np.nan),
     ValueError, "learning_rate: got nan"),
    ("a negative learning rate", lambda m: setattr(m.optimizer, "learning_rate", -0.1),
     ValueError, "got -0.1, .* >= 0"),
    # files
    ("weights from a missing file", lambda m: m.load_weights("no.weights.h5"),
     FileNotFoundError, "no.weights.h5 does not exist"),
    ("saving under another ending", lambda m: m.save("model.foo"),
     ValueError, r"got 'model.foo', expected .*'\.keras'"),
    ("saving into a missing folder", lambda m: m.save("no/such/model.keras"),
     FileNotFoundError, "no/such does not exist"),
    ("weights of another model", lambda m: load_weights_of_another(m),
     ValueError, r"hidden/kernel: got shape \(4, 1\), expected \(4, 5\).*skip_mismatch=True"),
]  # fmt: skip


def load_weights_of_another(model):
    other = regressor()
    other.save_weights("other.weights.h5")
    model.load_weights("other.weights.h5")


WITH_A_REGRESSOR = [
    ("integer labels with categorical_crossentropy",
     lambda m: fit_new(classifier(loss="categorical_crossentropy"), y=LABELS),
     ValueError, r"categorical_crossentropy: y_true of shape \(12,\).*use sparse_categorical_crossentropy, or utils"),
    ("(n, m) against (n, 1)", lambda m: fit(m, y=ONE_HOT),
     ValueError, r"mean_squared_error: y_true of shape \(12, 3\) does not match y_pred of shape \(12, 1\); "
     "give the last layer 3 outputs instead of 1"),
    ("(n,) against (n, m)", lambda m: fit_new(regressor(3)),
     ValueError, r"y_true of shape \(12,\) does not match y_pred of shape \(12, 3\); give the last layer 1 output"),
    ("(n,) against (n, n), which would broadcast", lambda m: fit_new(regressor(12)),
     ValueError, r"y_true of shape \(12,\) does not match y_pred of shape \(12, 12\)"),
    ("(n, 1) against (n, m), which would broadcast", lambda m: fit_new(regressor(3), y=TARGETS[:, None]),
     ValueError, r"y_true of shape \(12, 1\) does not match y_pred of shape \(12, 3\)"),
    ("NaN in y", lambda m: fit(m, y=spoiled(TARGETS)), ValueError, "y: 1 of 12 values are NaN"),
    ("class_weight without labels", lambda m: fit(m, y=None, class_weight={0: 1}),
     ValueError, "needs one array of labels"),
    ("a loss that is not reduced", lambda m: fit_new(regressor(loss=losses.MeanSquaredError(reduction=None))),
     ValueError, r"the loss has shape \(12,\), expected one number"),
    ("no loss", lambda m: fit_new(regressor(loss=None)),
     ValueError, "nothing to minimise: give compile.. a loss"),
    ("a loss without return", lambda m: fit_new(regressor(loss=lambda y_true, y_pred: None)),
     TypeError, "loss '<lambda>' returned None"),
    ("a metric without return", lambda m: fit_new(regressor(metrics=[lambda y_true, y_pred: None])),
     TypeError, "metric '<lambda>' returned None"),
    ("a loss that uses NumPy",
     lambda m: fit_new(regressor(loss=lambda y_true, y_pred: np.mean(np.abs(y_true - y_pred)))),
     TypeError, "(?s)NumPy's absolute has no gradient.*layerwise.ops.*in loss '<lambda>', called on float32"),
]  # fmt: skip

WITH_TWO_OUTPUTS = [
    ("one input of two", lambda m: m.fit([X], BOTH[1], verbose=0),
     ValueError, r"got 1 inputs, expected 2: \['left', 'right'\]"),
    ("one label of two", lambda m: m.fit(BOTH[0], X[:, :1], verbose=0),
     ValueError, r"y: got one array, expected one for each of the 2 outputs \['price', 'size'\]"),
    ("a wrong input name", lambda m: m.fit({"left": X, "rihgt": X[:, :2]}, BOTH[1], verbose=0),
     ValueError, r"expected \['left', 'right'\]; 'rihgt' is none of them, did you mean 'right'"),
    ("a wrong output name", lambda m: m.fit(BOTH[0], {"price": X[:, :1], "sise": X[:, :2]}, verbose=0),
     ValueError, "y: no output is named 'sise'; did you mean 'size'"),
    ("labels for one output only", lambda m: m.fit(BOTH[0], {"price": X[:, :1]}, verbose=0),
     ValueError, r"y: got \['price'\], expected also 'size', an output with a loss"),
    ("class_weight", lambda m: m.fit(*BOTH, class_weight={0: 1}, verbose=0),
     ValueError, "needs one array of labels y, got 2; use sample_weight"),
    ("a loss for an unknown output", lambda m: fit_new(two_outputs({"prise": "mse"}), *BOTH),
     ValueError, "compile: loss: no output is named 'prise'; did you mean 'price'"),
    ("a metric for an unknown output", lambda m: fit_new(two_outputs(metrics={"prise": "mae"}), *BOTH),
     ValueError, "compile: metrics: no output is named 'prise'; did you mean 'price'"),
    ("three losses for two outputs", lambda m: fit_new(two_outputs(["mse"] * 3), *BOTH),
     ValueError, "compile: loss: got a list of 3, expected one for each of 2 outputs"),
]  # fmt: skip

GROUPS = {
    "classifier": (classifier, (X, LABELS), WITH_A_CLASSIFIER),
    "regressor": (regressor, (X, TARGETS), WITH_A_REGRESSOR),
    "two outputs": (two_outputs, BOTH, WITH_TWO_OUTPUTS),
}


@pytest.fixture(scope="module")
def trained():
    """A model of each kind that has a history already."""
    found = {}
    for kind, (make, (x, y), _) in GROUPS.items():
        found[kind] = make()
        fit(found[kind], x, y, epochs=2)
    return found


@pytest.mark.filterwarnings("ignore:Adam. got 2 saved variables")
@pytest.mark.parametrize(
    ("kind", "do", "error", "message"),
    [pytest.param(kind, *row[1:], id=row[0]) for kind, (_, _, rows) in GROUPS.items() for row in rows],
)
def test_mistakes_leave_the_model_alone(trained, kind, do, error, message, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    model = trained[kind]
    before = state(model)
    with pytest.raises(error) as caught:
        do(model)
    assert_same(before, state(model))
    assert re.search(message, said(caught.value)), said(caught.value)


@pytest.mark.filterwarnings("ignore:Adam. got 2 saved variables")
def test_training_goes_on_as_if_nothing_had_happened(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    for make, (x, y), rows in GROUPS.values():
        one, other = make(), make()
        fit(one, x, y, epochs=2)
        fit(other, x, y, epochs=2)
        for _, do, error, message in rows:
            with pytest.raises(error) as caught:
                do(one)
            assert re.search(message, said(caught.value)), said(caught.value)
        fit(one, x, y, epochs=2)
        fit(other, x, y, epochs=2)
        np.testing.assert_equal(one.get_weights(), other.get_weights())
        assert one.history.history == other.history.history


# ---------------------------------------------------------------------------------- mistakes before there is a model


class NoCall(layers.Layer):
    pass


class NoSuper(layers.Layer):
    def __init__(self):
        self.units = 3

    def call(self, x):
        return x


class NoReturn(layers.Layer):
    def call(self, x):
        x * 2


class VariableInCall(layers.Layer):
    def call(self, x):
        return x * Variable(np.ones(3, "float32"), name="factor")


class LayerInCall(layers.Layer):
    def call(self, x):
        return layers.Dense(3)(x)


class IfOnValues(layers.Layer):
    def call(self, x):
        return x if ops.sum(x) > 0 else -x


class NumPyInCall(layers.Layer):
    def call(self, x):
        return np.exp(x)


class NoCallModel(models.Model):
    def __init__(self):
        super().__init__()
        self.dense = layers.Dense(3)


class NoSuperModel(models.Model):
    def __init__(self):
        self.dense = layers.Dense(3)

    def call(self, x):
        return self.dense(x)


def fit_subclassed(model):
    model.compile("sgd", "mse")
    return fit(model, y=ONE_HOT)


def second_use_of_a_tape():
    v = Variable([1.0, 2.0])
    with GradientTape() as tape:
        y = ops.sum(v * v)
    tape.gradient(y, v)
    tape.gradient(y, v)


def watch_integers():
    with GradientTape() as tape:
        tape.watch(ops.array([1, 2]))


def functional(*names):
    """A model of Dense layers of these names, one after the other."""
    x = y = layers.Input((3,))
    for name in names:
        y = layers.Dense(3, name=name)(y)
    return models.Model(x, y)


def file(name, content):
    """A new file of this name in the current folder."""
    with open(name, "w") as f:
        f.write(content)
    return name


X4 = layers.Input((4,), name="x4")

ELSEWHERE = [
    # order of things
    ("fit before compile", lambda: fit(uncompiled()),
     ValueError, r"fit: the model is not compiled; call model.compile\("),
    ("evaluate before compile", lambda: uncompiled().evaluate(X, LABELS),
     ValueError, "evaluate: the model is not compiled"),
    ("train_on_batch before compile", lambda: uncompiled().train_on_batch(X),
     ValueError, "train_on_batch: .* not compiled"),
    ("the kernel before the layer is built", lambda: layers.Dense(3).kernel,
     AttributeError, "no attribute 'kernel'.*not built yet"),
    ("counting before the layer is built", lambda: layers.Dense(3).count_params(),
     ValueError, "has no weights yet: build it"),
    ("the output of a layer never called", lambda: layers.Dense(3).output,
     AttributeError, "was not called yet.*layers.Input"),
    ("the history of a plot never made", lambda: callbacks.History().plot(),
     ValueError, "nothing is recorded yet; call fit first"),
    # layers' arguments
    ("an unknown activation", lambda: layers.Dense(3, activation="rellu"),
     ValueError, "unknown activation 'rellu'; did you mean 'relu'"),
    ("an unknown initializer", lambda: layers.Dense(3, kernel_initializer="he_norml"),
     ValueError, "unknown initializer 'he_norml'; .*'HeNormal'"),
    ("an unknown regularizer", lambda: layers.Dense(3, kernel_regularizer="l3"),
     ValueError, "unknown regularizer 'l3'; expected one of L1, L1L2, L2"),
    ("an unknown constraint", lambda: layers.Dense(3, kernel_constraint="max_nrm"),
     ValueError, "unknown constraint 'max_nrm'; did you mean 'MaxNorm'"),
    ("an unknown dtype", lambda: layers.Dense(3, dtype="flot32"), ValueError, "got 'flot32', expected a dtype"),
    ("an unknown argument of Dense", lambda: layers.Dense(3, activaton="relu"),
     TypeError, "Dense: unknown argument 'activaton'; did you mean 'activation'"),
    ("one of Conv2D", lambda: layers.Conv2D(3, 3, stride=2),
     TypeError, "Conv2D: unknown argument 'stride'; did you mean 'strides'"),
    ("one of Adam", lambda: optimizers.Adam(lr=0.1),
     TypeError, "Adam: unknown argument 'lr'; did you mean 'learning_rate'"),
    ("one of a loss", lambda: losses.MeanSquaredError(reductoin="sum"),
     TypeError, "MeanSquaredError: unknown argument 'reductoin'; did you mean 'reduction'"),
    ("one of a metric", lambda: metrics.AUC(num_threshold=3),
     TypeError, "AUC: unknown argument 'num_threshold'; did you mean 'num_thresholds'"),
    ("one of a callback", lambda: callbacks.EarlyStopping(patince=3),
     TypeError, "EarlyStopping: unknown argument 'patince'; did you mean 'patience'"),
    ("an unknown layer", lambda: layers.Dens, AttributeError, "layerwise.layers has no 'Dens'; nearest: 'Dense'"),
    ("an unknown operation", lambda: ops.matmull, AttributeError, "layerwise.ops has no 'matmull'; nearest: 'matmul'"),
    *[
        (
            f"units {units!r}",
            lambda units=units: layers.Dense(units),
            ValueError,
            f"Dense: units: got {units!r}, expected a whole number >= 1",
        )
        for units in (0, -1, 2.5, "3", None, True)
    ],
    ("filters 0", lambda: layers.Conv2D(0, 3), ValueError, "Conv2D: filters: got 0, expected a whole number >= 1"),
    ("a kernel of three sizes", lambda: layers.Conv2D(1, (3, 3, 3)),
     ValueError, r"kernel_size: got \(3, 3, 3\), expected .* tuple of 2"),
    ("an unknown padding", lambda: layers.Conv2D(1, 3, padding="smae"),
     ValueError, "padding: got 'smae', expected 'valid' or"),
    ("groups that do not divide filters", lambda: layers.Conv2D(3, 3, groups=2),
     ValueError, "groups: got 2, .* divides filters=3"),
    ("groups that do not divide channels", lambda: layers.Conv2D(4, 3, groups=2)(np.zeros((1, 5, 5, 3))),
     ValueError, "groups=2 does not divide the input's 3 channels"),
    ("a dropout of 50", lambda: layers.Dropout(50), ValueError, "Dropout: rate: got 50, expected a number from 0 to 1"),
    ("a dropout as text", lambda: layers.Dropout("0.5"),
     ValueError, "Dropout: rate: got '0.5', expected a number from 0 to 1"),
    ("an axis that is not there", lambda: layers.BatchNormalization(axis=4)(X),
     ValueError, "axis: got 4 for an input of 2 dimensions"),
    ("an Input of a number", lambda: layers.Input(4),
     TypeError, r"Input: shape: got 4, expected a tuple such as \(4,\)"),
    # layers' inputs
    ("a kernel larger than the input", lambda: layers.Conv2D(2, 5, name="c")(layers.Input((3, 3, 1))),
     ValueError, r"(?s)window of \(5, 5\) is larger than the input's \(3, 3\).*layer 'c'"),
    ("images without channels", lambda: layers.Conv2D(2, 3, name="c")(np.zeros((2, 8, 8))),
     ValueError, r"layer 'c' \(Conv2D\): input of shape \(2, 8, 8\); expected at least 4"),
    ("Dense without a batch", lambda: layers.Dense(3)(np.ones(3)),
     ValueError, r"input of shape \(3,\); expected at least 2 dimensions"),
    ("Dense on a size not known", lambda: layers.Dense(3)(layers.Input((None,))),
     ValueError, "has an unknown size; give the model an input shape"),
    ("Dense on nothing", lambda: layers.Dense(3)(), TypeError, "Dense.: called on 0 arrays or Tensors, expected one"),
    ("a shape that cannot be had", lambda: layers.Reshape((5, 5))(np.ones((2, 24))),
     ValueError, r"cannot arrange \(24,\) .24 numbers. as \(5, 5\)"),
    ("Reshape to a number", lambda: layers.Reshape(4),
     TypeError, r"target_shape: got 4, expected a tuple such as \(4,\)"),
    ("Concatenate along an axis that is not there", lambda: layers.Concatenate(axis=5, name="c")([X, X]),
     ValueError, r"layer 'c' \(Concatenate\): axis: got 5 for shapes"),
    ("unlike shapes in Concatenate", lambda: layers.Concatenate()([np.ones((2, 3, 4)), np.ones((2, 4, 4))]),
     ValueError, "may differ along axis -1 only"),
    ("unlike shapes in Add", lambda: layers.Add()([np.ones((2, 3)), np.ones((2, 4))]),
     ValueError, r"shapes \(2, 3\) and \(2, 4\)"),
    # layers of one's own
    ("a layer without call", lambda: NoCall()(X),
     NotImplementedError, r"\(NoCall\) has no call method; define call\(self, x\)"),
    ("a model without call", lambda: fit_subclassed(NoCallModel()),
     NotImplementedError, r"\(NoCallModel\) has no call method"),
    ("no super().__init__() in a layer", lambda: NoSuper()(X),
     RuntimeError, r"NoSuper: its __init__ must call super\(\).__init__\(\)"),
    ("the same in a Sequential", lambda: models.Sequential([NoSuper()]),
     RuntimeError, "NoSuper: its __init__ must call super"),
    ("the same in a model", lambda: fit_subclassed(NoSuperModel()),
     RuntimeError, "NoSuperModel: its __init__ must call super"),
    ("the name of such a layer", lambda: NoSuper().name,
     AttributeError, "NoSuper has no attribute 'name'; its __init__ must call"),
    ("a call without return", lambda: fit_with(NoReturn()),
     TypeError, r"\(NoReturn\): call returned None; end it with `return`"),
    ("a variable made in call", lambda: fit_with(VariableInCall()),
     RuntimeError, r"'factor': variables cannot be created inside a training step; .* build\(\)"),
    ("a layer made in call", lambda: fit_with(LayerInCall()),
     RuntimeError, "built inside a training step; create layers in __init__, not in call"),
    ("`if` on a symbolic Tensor", lambda: fit_with(IfOnValues()),
     TypeError, r"(?s)symbolic Tensor of shape \(\) has no value yet.*ops.where.*\(IfOnValues\)"),
    ("NumPy on a symbolic Tensor", lambda: fit_with(NumPyInCall()),
     TypeError, r"(?s)NumPy's exp has no gradient.*layerwise.ops.*\(NumPyInCall\)"),
    ("NumPy's sum of a symbolic Tensor", lambda: np.sum(X4), TypeError, "use functions of layerwise.ops on Tensors"),
    ("NumPy's function with an output", lambda: np.add(X, ops.array(X), out=X.copy()),
     TypeError, "NumPy's add has no gradient"),
    ("the value of a symbolic Tensor", lambda: X4.numpy(), TypeError, "has no value yet.*call the model on data"),
    ("a loop over a symbolic Tensor", lambda: list(X4),
     TypeError, r"len\(\) of a symbolic Tensor whose first size is not known"),
    # models
    ("outputs of another input", lambda: models.Model(layers.Input((4,)), layers.Dense(3)(X4)),
     ValueError, "depend on input 'x4', which is not among the model's inputs"),
    ("layers for Tensors", lambda: models.Model(layers.Dense(3), layers.Dense(3)),
     TypeError, "inputs: got a Dense, expected symbolic Tensors"),
    ("a model of inputs only", lambda: models.Model(X4),
     TypeError, "Model: got 1 argument, expected inputs and outputs"),
    ("two layers of one name", lambda: functional("a", "b", "a"),
     ValueError, r"layer names must differ; \['a'\] occur more than once"),
    ("the same in a Sequential", lambda: models.Sequential([layers.Dense(3, name="a"), layers.Dense(3, name="a")]),
     ValueError, "a layer named 'a' is there already"),
    ("an Input after a layer", lambda: models.Sequential([layers.Dense(3), layers.Input((4,))]),
     ValueError, "an input can only come first"),
    ("a layer's name for a layer", lambda: models.Sequential(["relu"]),
     TypeError, "add: got 'relu' of type str, expected a layer"),
    ("a layer's class", lambda: models.Sequential([layers.Flatten]),
     TypeError, r"got the class Flatten, expected an object: Flatten\(...\)"),
    ("a layer for a list", lambda: models.Sequential(layers.Dense(3, name="a")),
     TypeError, "got the layer 'a', expected a list"),
    ("a Sequential of nothing", lambda: models.Sequential().predict(X, verbose=0), ValueError, "has no layers"),
    # optimizers
    *[
        (
            f"a learning rate of {rate!r}",
            lambda rate=rate: optimizers.SGD(rate),
            ValueError,
            f"SGD: learning_rate: got {rate!r}, expected a finite number >= 0",
        )
        for rate in (float("nan"), float("inf"), -1, "0.1")
    ],
    ("a momentum of 1.5", lambda: optimizers.SGD(0.1, momentum=1.5),
     ValueError, "SGD: momentum: got 1.5, expected a number from 0 to 1"),
    ("a beta of 1", lambda: optimizers.Adam(beta_1=1.0),
     ValueError, "Adam: beta_1: got 1.0, expected a number >= 0 and < 1"),
    ("two kinds of clipping", lambda: optimizers.Adam(clipnorm=1, clipvalue=1),
     ValueError, "expected at most one of clipnorm, clipvalue"),
    ("an unknown reduction", lambda: losses.MeanSquaredError(reduction="average"),
     ValueError, "reduction: got 'average'; expected one of"),
    ("unlike shapes in a metric", lambda: metrics.MeanSquaredError()(TARGETS, ONE_HOT),
     ValueError, r"mean_squared_error: y_true of shape \(12,\)"),
    # gradients
    ("the gradient of a vector", lambda: autograd.grad(lambda x: x * 2)(np.ones(3)),
     ValueError, r"must return one number, got shape \(3,\); reduce it"),
    ("the gradient by integers", lambda: autograd.grad(lambda x: x * 2)(np.ones((), int)),
     TypeError, "floating-point arguments, got dtype int"),
    ("the gradient by a third argument of one", lambda: autograd.grad(lambda x: x, argnums=2)(1.0),
     ValueError, "argnums: got 2, .* with 1 arguments"),
    ("a tape used twice", second_use_of_a_tape,
     autograd.GraphError, r"not persistent can be asked once; use GradientTape\(persistent=True\)"),
    ("watching integers", watch_integers, TypeError, "watch: expected a Tensor or Variable of floating-point numbers"),
    ("backward without a tape", lambda: ops.array(3.0).backward(), autograd.GraphError, "on no open GradientTape"),
    ("no gradient at all", lambda: optimizers.SGD().apply_gradients([(None, Variable([1.0], name="v"))]),
     ValueError, r"SGD: there is no gradient for any variable \(v\)"),
    # files
    ("a model from a missing file", lambda: saving.load_model("no.keras"),
     FileNotFoundError, "load_model: no.keras does not exist"),
    ("a model from a script", lambda: saving.load_model(file("m.py", "print()")),
     ValueError, "m.py: load_model reads files that end in .keras"),
    ("a model from text", lambda: saving.load_model(file("m.keras", "hello")),
     ValueError, "m.keras: not a .keras file .a zip archive., or a damaged one"),
    ("weights from text", lambda: classifier().load_weights(file("m.weights.h5", "x")),
     ValueError, "m.weights.h5: not an HDF5 file, or a damaged one"),
    ("an unknown backend", lambda: config.set_backend("cuda"),
     ValueError, "backend: got 'cuda', expected one of native, numpy"),
]  # fmt: skip


@pytest.mark.parametrize(("do", "error", "message"), [pytest.param(*row[1:], id=row[0]) for row in ELSEWHERE])
def test_mistakes_elsewhere(do, error, message, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(error) as caught:
        do()
    assert re.search(message, said(caught.value)), said(caught.value)


def test_a_model_of_another_backend():
    pytest.importorskip("jax")
    model, active = classifier(), config.backend()
    weights = model.get_weights()
    config.set_backend("numpy" if active == "xla" else "xla")
    try:
        with pytest.raises(
            RuntimeError, match=r"created under the backend.*rebuild the model under the active backend"
        ):
            fit(model)
    finally:
        config.set_backend(active)
    assert_same(weights, model.get_weights())


# ------------------------------------------------------------------------------------------------- what is no mistake


@pytest.mark.parametrize("y", [TARGETS, TARGETS[:, None]], ids=["(n,)", "(n, 1)"])
def test_labels_with_and_without_a_last_dimension_of_1_are_the_same(y):
    model, other = regressor(), regressor()
    assert fit(model, y=y).history["loss"] == fit(other, y=TARGETS).history["loss"]
    expected = np.mean((regressor().predict(X, verbose=0)[:, 0] - TARGETS) ** 2)
    np.testing.assert_allclose(model.history.history["loss"][0], expected, rtol=1e-5)


def test_predicting_needs_no_compiling():
    assert uncompiled().predict(X, verbose=0).shape == (12, 3)


def test_numpy_operators_leave_the_work_to_tensors():
    array, tensor = np.array([1.0, 2.0], "float32"), ops.array([3.0, 2.0])
    with GradientTape() as tape:
        tape.watch(tensor)
        y = ops.sum(array * tensor - array / tensor + array**tensor)
    expected = array + array / tensor.numpy() ** 2 + array ** tensor.numpy() * np.log(array)
    np.testing.assert_allclose(tape.gradient(y, tensor).numpy(), expected, rtol=1e-5)
    assert (array < tensor).numpy().tolist() == [True, False]
    array += tensor
    assert array.numpy().tolist() == [4.0, 4.0]


def test_a_generator_without_steps_ends_training_with_its_batches():
    model = classifier()
    with pytest.warns(UserWarning, match="at its end after 1 epochs; training stops here. Give steps_per_epoch"):
        history = model.fit(batches(3), epochs=5, verbose=0)
    assert history.epoch == [0]
    assert int(model.optimizer.iterations) == 3


def test_a_generator_without_end_is_cut_by_steps_per_epoch():
    history = classifier().fit(batches(), steps_per_epoch=2, epochs=3, verbose=0)
    assert history.epoch == [0, 1, 2]


# ---------------------------------------------------------------------------- errors and Ctrl-C in the middle of fit


@pytest.fixture(params=["numpy", "xla"])
def backend(request):
    if request.param == "xla":
        pytest.importorskip("jax")
    active = config.backend()
    config.set_backend(request.param)
    yield
    config.set_backend(active)


class AfterEachStep(callbacks.Callback):
    """Keeps the state of the model as it was after the last step."""

    def on_train_batch_end(self, batch, logs=None):
        self.state = self.model.get_weights() + [v.numpy() for v in self.model.optimizer.variables]


def test_a_bad_batch_in_the_middle_leaves_the_model_after_the_step_before():
    model, watcher = classifier(), AfterEachStep()
    source = batches(5, lambda i: (spoiled(X) if i == 2 else X, LABELS))
    with pytest.raises(ValueError, match="batch 2: x: 1 of 48 values are NaN"):
        model.fit(source, callbacks=[watcher], verbose=0)
    assert int(model.optimizer.iterations) == 2
    assert_same(watcher.state, model.get_weights() + [v.numpy() for v in model.optimizer.variables])


def test_a_bad_label_in_the_middle_leaves_the_model_after_the_step_before():
    model = classifier()
    with pytest.raises(ValueError, match="labels: got 3 at position 2"):
        model.fit(batches(5, lambda i: (X, LABELS + (i == 3))), verbose=0)
    assert int(model.optimizer.iterations) == 3


@pytest.mark.skipif(os.name != "posix", reason="needs SIGINT")
@pytest.mark.usefixtures("backend")
def test_ctrl_c_inside_a_layer_cancels_the_step():
    class Interrupted(layers.Layer):
        calls = 0

        def call(self, x, training=False):
            if training and not x.symbolic:
                self.calls += 1
                if self.calls == 4:  # the first call is the rehearsal
                    signal.raise_signal(signal.SIGINT)
            return x

    random.set_random_seed(4)
    model = models.Sequential([layers.Input((4,)), layers.BatchNormalization(), Interrupted(), layers.Dense(3)])
    model.compile("adam", "mse", run_eagerly=True)
    watcher = AfterEachStep()
    with pytest.raises(KeyboardInterrupt):
        fit(model, y=ONE_HOT, batch_size=2, callbacks=[watcher])
    assert int(model.optimizer.iterations) == 2
    assert_same(watcher.state, model.get_weights() + [v.numpy() for v in model.optimizer.variables])


@pytest.mark.skipif(os.name != "posix", reason="needs SIGINT")
def test_ctrl_c_in_the_middle_of_fit_leaves_the_model_between_two_steps():
    script = """
        import numpy as np
        from layerwise import callbacks, layers, models, random

        x = np.random.default_rng(0).standard_normal((64, 20)).astype("float32")

        def trained(epochs, **arguments):
            random.set_random_seed(1)
            model = models.Sequential(
                [layers.Input((20,)), layers.Dense(30, activation="tanh"), layers.BatchNormalization(), layers.Dense(2)]
            )
            model.compile("adam", "mse")
            try:
                model.fit(x, x[:, :2], batch_size=64, epochs=epochs, shuffle=False, verbose=0, **arguments)
            except KeyboardInterrupt:
                print("interrupted")
            return model, int(model.optimizer.iterations)

        class Tell(callbacks.Callback):
            def on_epoch_end(self, epoch, logs=None):
                if epoch == 20:
                    print("under way", flush=True)

        model, steps = trained(1_000_000, callbacks=[Tell()])
        twin, same = trained(steps)
        for a, b in zip(model.weights + model.optimizer.variables, twin.weights + twin.optimizer.variables):
            np.testing.assert_array_equal(a.numpy(), b.numpy())
        print(steps >= 20 and steps == same)
    """
    process = subprocess.Popen([sys.executable, "-c", textwrap.dedent(script)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "under way\n"
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=120)
    assert output.split() == ["interrupted", "True"]


def test_a_traceback_begins_below_the_progress_bar(monkeypatch):
    ended = []
    monkeypatch.setattr("layerwise.training.arguments.end_line", lambda: ended.append(True))
    model = classifier()

    class Breaks(callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            raise RuntimeError("a broken callback")

        on_test_batch_end = on_predict_batch_end = on_train_batch_end

    for call in (
        lambda: fit(model, callbacks=[Breaks()]),
        lambda: model.evaluate(X, LABELS, callbacks=[Breaks()], verbose=0),
        lambda: model.predict(X, callbacks=[Breaks()], verbose=0),
    ):
        ended.clear()
        with pytest.raises(RuntimeError, match="a broken callback"):
            call()
        assert ended


@pytest.mark.parametrize(("variable", "value", "expected"), [
    *(("LAYERWISE_NUM_THREADS", value, "expected a whole number >= 1") for value in ("0", "-1", "abc", "1.5")),
    ("LAYERWISE_BACKEND", "foo", "got 'foo', expected one of native, numpy, xla"),
])  # fmt: skip
def test_variables_of_the_environment_are_named(variable, value, expected):
    program = "import layerwise; layerwise.ops.array([1.0])"
    done = subprocess.run(
        [sys.executable, "-c", program], env={**os.environ, variable: value}, capture_output=True, text=True
    )
    last = done.stderr.splitlines()[-1]
    assert variable in last, done.stderr
    assert last.endswith(expected), done.stderr


@pytest.mark.parametrize("make", [layers.Dense, lambda units, name: losses.Huber(name=name),
                                  lambda units, name: metrics.AUC(name=name),
                                  lambda units, name: optimizers.SGD(name=name)])  # fmt: skip
def test_no_name_fills_an_error_message(make):
    assert make(3, name="a" * 1000).name == "a" * 1000
    with pytest.raises(ValueError, match=r"^\w+: name: got 1,048,576 characters, expected at most 1,000$"):
        make(3, name="a" * (1 << 20))
