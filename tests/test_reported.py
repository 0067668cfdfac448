"""What fit, evaluate and train_on_batch report of losses and metrics, against Keras."""

import re

import keras
import numpy as np
import pytest

import layerwise
import layerwise as K
from layerwise import layers as L
from layerwise import metrics

X = np.random.default_rng(0).normal(size=(32, 3)).astype("float32")


def reported(model, y, **fitted):
    """All that is reported of the same data: by fit and its validation, evaluate, and a step on one batch."""
    history = model.fit(X, y, shuffle=False, verbose=0, validation_data=(X, y), **fitted).history
    listed = model.evaluate(X, y, verbose=0)
    named = model.evaluate(X, y, verbose=0, return_dict=True)
    return history, listed, named, model.train_on_batch(X, y, return_dict=True)


def assert_same(found, expected):
    if isinstance(expected, dict):
        assert found.keys() == expected.keys()
        found, expected = ([values[name] for name in sorted(expected)] for values in (found, expected))
    if isinstance(expected, list | tuple):
        for pair in zip(found, expected, strict=True):
            assert_same(*pair)
    else:
        np.testing.assert_allclose(found, expected, rtol=2e-4, atol=1e-6)


@pytest.mark.parametrize("depth", [1, 2])
def test_a_compiled_model_inside_a_model_reports_nothing_of_its_own(depth):
    def nested(k):
        inner = k.Sequential([k.Input((3,)), k.layers.Dense(4, kernel_initializer="ones")])
        inner.compile("sgd", "mse", metrics=["mae"])
        for _ in range(depth - 1):
            inner = k.Sequential([k.Input((3,)), inner])
            inner.compile("sgd", "mae", metrics=["mse"])
        model = k.Sequential([k.Input((3,)), inner, k.layers.Dense(1, kernel_initializer="ones")])
        model.compile("sgd", "mse", metrics=["mse"])
        return model

    y = X.sum(1, keepdims=True)
    ours, theirs = (reported(nested(k), y) for k in (layerwise, keras))
    assert_same(ours, theirs)
    assert ours[0]["loss"] == ours[0]["mse"] != [0.0]
    assert [m.name for m in nested(layerwise).metrics] == ["loss", "compile_metrics"]


ONE_HOT = np.eye(4, dtype="float32")[np.random.default_rng(1).integers(0, 4, 32)]


def classifier(k, **compiled):
    model = k.Sequential([k.Input((3,)), k.layers.Dense(4, activation="softmax", kernel_initializer="ones")])
    model.compile("sgd", "categorical_crossentropy", **compiled)
    return model


def test_a_metric_of_several_values_is_reported():
    ours, theirs = (
        reported(classifier(k, metrics=[k.metrics.F1Score(average=None), "accuracy"]), ONE_HOT)
        for k in (layerwise, keras)
    )
    assert_same(ours, theirs)
    assert ours[1][1].shape == ours[0]["val_f1_score"][0].shape == (4,)


def test_callbacks_see_a_metric_of_several_values(tmp_path, capsys):
    seen = []
    told = layerwise.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: seen.append(logs["f1_score"].shape))
    written = layerwise.callbacks.CSVLogger(tmp_path / "log.csv")
    kept = layerwise.callbacks.BackupAndRestore(tmp_path / "backup")
    model = classifier(layerwise, metrics=[layerwise.metrics.F1Score(average=None)])
    model.fit(X, ONE_HOT, epochs=2, verbose=2, callbacks=[told, written, kept])
    assert seen == [(4,), (4,)]
    assert "f1_score: [" in capsys.readouterr().out
    assert (tmp_path / "log.csv").read_text().startswith("epoch,f1_score,loss")


NAMED = {
    "named alike": lambda k: {"metrics": [k.metrics.Precision(name="p"), k.metrics.Recall(name="p")]},
    "thrice": lambda k: {"metrics": ["mae", "mae", k.metrics.MeanSquaredError(name="mae")]},
    "accuracy": lambda k: {"metrics": ["accuracy", k.metrics.CategoricalAccuracy(name="accuracy")]},
    "weighted": lambda k: {"metrics": ["accuracy", "mae"], "weighted_metrics": ["accuracy", "accuracy"]},
}


@pytest.mark.parametrize("case", NAMED)
def test_metrics_of_equal_names_are_numbered(case):
    ours, theirs = (classifier(k, **NAMED[case](k)) for k in (layerwise, keras))
    assert_same(reported(ours, ONE_HOT)[2:], reported(theirs, ONE_HOT)[2:])


@pytest.mark.parametrize("name", ["mae", "MSE", "mape", "msle", "kld", "acc", "accuracy", "cosine_similarity"])
def test_short_names_can_be_monitored(name):
    model = classifier(layerwise, metrics=[name])
    stopping = layerwise.callbacks.EarlyStopping(monitor=f"val_{name}", patience=1)
    model.fit(X, ONE_HOT, epochs=2, verbose=0, validation_data=(X, ONE_HOT), callbacks=[stopping])
    assert stopping.mode == ("max" if name in ("acc", "accuracy", "cosine_similarity") else "min")


def test_numbered_names_can_be_monitored():
    model = classifier(layerwise, metrics=["mae", "mae"])
    stopping = layerwise.callbacks.EarlyStopping(monitor="val_mae_1")
    model.fit(X, ONE_HOT, epochs=2, verbose=0, validation_data=(X, ONE_HOT), callbacks=[stopping])
    assert stopping.mode == "min"


WEIGHTS = {0: 1.0, 1: 5.0, 2: 0.5}
LABELS = np.random.default_rng(2).integers(0, 3, (8, 5))
MASKS = np.random.default_rng(3).integers(0, 3, (8, 4, 5, 1))


@pytest.mark.parametrize(
    "labels", [LABELS, LABELS[..., None], MASKS, MASKS[..., 0]], ids=["steps", "steps of 1", "masks of 1", "masks"]
)
@pytest.mark.parametrize("one_hot", [False, True])
@pytest.mark.parametrize("own", [None, np.arange(8.0)])
def test_every_label_has_the_weight_of_its_class(labels, one_hot, own):
    numbers = labels[..., 0] if labels.shape[-1] == 1 else labels
    x = np.random.default_rng(0).normal(size=(*numbers.shape, 2)).astype("float32")
    model = layerwise.Sequential(
        [layerwise.Input(x.shape[1:]), layerwise.layers.Dense(3, activation="softmax", kernel_initializer="ones")]
    )
    model.compile("sgd", "categorical_crossentropy" if one_hot else "sparse_categorical_crossentropy")
    y = np.eye(3, dtype="float32")[numbers] if one_hot else labels
    weights = np.vectorize(WEIGHTS.get)(numbers)
    if own is not None:
        weights = weights * own.reshape(-1, *[1] * (numbers.ndim - 1))
    expected = model.evaluate(x, y, sample_weight=weights, verbose=0)
    assert model.fit(x, y, class_weight=WEIGHTS, sample_weight=own, verbose=0).history["loss"] == pytest.approx(
        [expected]
    )


def test_one_label_of_an_example_is_weighted_as_in_keras():
    for y in (ONE_HOT, np.random.default_rng(1).integers(0, 2, (32, 4)).astype("float32")):
        ours, theirs = (
            classifier(k).fit(X, y, shuffle=False, verbose=0, class_weight=WEIGHTS).history for k in (layerwise, keras)
        )
        assert ours["loss"] == pytest.approx(theirs["loss"], rel=1e-4)


# ------------------------------------------------------------------------------------------------------ metrics


@pytest.mark.parametrize(
    ("values", "weight", "expected"),
    [
        ([[1, 3], [5, 7]], [[1, 0]], 3.0),
        ([[1, 3], [5, 7]], [[1], [0]], 2.0),
        ([[1, 3], [5, 7]], [1, 0], 2.0),
        ([[1, 3], [5, 7]], 2.0, 4.0),
        ([1, 2, 3], [1], 2.0),
        ([[[1, 3], [5, 7]]] * 2, [[[1, 0]]], 3.0),
        ([[[1, 3], [5, 7]]] * 2, [[[1], [0]]] * 2, 2.0),
    ],
)  # as Keras has it
def test_weights_that_broadcast_count_for_each_value(values, weight, expected):
    assert metrics.Mean()(np.float32(values), sample_weight=np.float32(weight)).item() == pytest.approx(expected)


def test_weights_of_columns_leave_accuracies_below_one():
    y, p, weight = np.array([[1, 1], [0, 1]]), np.array([[0.9, 0.9], [0.1, 0.9]]), np.array([[1, 0]])
    assert metrics.BinaryAccuracy()(y, p, sample_weight=weight).item() == 1.0
    assert metrics.RootMeanSquaredError()(y, p, sample_weight=weight).item() == pytest.approx(0.1)


def segmenter(**options):
    """A model whose output is class numbers, so that a metric of regions can be compiled for it."""
    model = K.Sequential([K.Input((2,)), L.Dense(1), L.Lambda(lambda x: x * 0 + 1)])
    model.compile("sgd", "mse", **options)
    return model


def test_labels_that_are_no_class_are_refused_with_their_place():
    for labels, predictions, said in (
        ([0, -1], [0, 0], "labels: got -1 at position 1, expected whole numbers 0 ... 1 for 2 classes"),
        ([0, 2], [0, 1], "labels: got 2 at position 1"),
        ([0, 1], [0, 5], "predictions: got 5 at position 1"),
        ([0, 1], [-1, 1], "predictions: got -1 at position 0"),
    ):
        with pytest.raises(ValueError, match=re.escape(said)):
            metrics.MeanIoU(num_classes=2).update_state(labels, predictions)
    metrics.MeanIoU(num_classes=2, ignore_class=255)([0, 255], [0, 1])
    x, y = np.ones((4, 2), "float32"), np.array([[0], [1], [7], [1]])
    for data in ((x, y), (iter([(x, y)]),)):
        model = segmenter(metrics=[metrics.MeanIoU(num_classes=2, name="regions")])
        before = model.get_weights()
        with pytest.raises(ValueError, match=r"regions: labels: got 7 at position \(2, 0\).*ignore_class"):
            model.fit(*data, verbose=0)
        np.testing.assert_array_equal(before[0], model.get_weights()[0])


def test_predictions_that_are_no_class_do_not_count_in_a_step():
    """There no value can be looked at; Keras leaves them out, too."""
    model = K.Sequential([K.Input((1,)), L.Lambda(lambda x: x)])
    model.compile("sgd", "mse", metrics=[metrics.MeanIoU(num_classes=2, name="regions")])
    x, y = np.float32([[0], [1], [-1], [5]]), np.array([[0], [1], [1], [1]])
    assert model.evaluate(x, y, verbose=0, return_dict=True)["regions"] == 1.0


def test_areas_under_curves_refuse_negative_weights():
    for metric in (metrics.AUC(curve="PR"), metrics.RecallAtPrecision(0.5)):
        with pytest.raises(ValueError, match=r"sample_weight: got -2.0 at position \[1\].*the weight 0"):
            metric([0, 1], [0.0, 0.5], sample_weight=[1.0, -2.0])
    model = K.Sequential([K.Input((2,)), L.Dense(1, "sigmoid")])
    model.compile("sgd", "mse", weighted_metrics=[metrics.AUC(name="area")])
    with pytest.raises(ValueError, match=r"area: sample_weight: got -1\.0"):
        model.fit(np.ones((2, 2)), np.ones((2, 1)), sample_weight=np.array([1.0, -1.0]), verbose=0)


def test_numbers_wider_than_double_are_taken_as_double():
    wide = np.ones((2, 3), np.longdouble)
    assert K.ops.add(wide, 1).dtype == K.ops.add(wide.astype("float64"), 1).dtype
    assert K.ops.convert_to_tensor(wide).dtype == "float64" or K.config.backend() == "xla"
    assert L.Dense(1)(wide).dtype == "float32"
    model = K.Sequential([L.Dense(1)])
    model.compile("sgd", "mse")
    model.fit(wide, wide[:, :1], verbose=0)
    assert model.predict(wide, verbose=0).shape == (2, 1)


def test_a_variable_may_take_its_gradient_for_its_value():
    replaced, plain = K.Variable([[1.0, 2.0]]), K.Variable([1.0])
    replaced.overwrite_with_gradient = True
    optimizer = K.optimizers.SGD(0.5, momentum=0.9)
    for _ in range(2):
        optimizer.apply_gradients([(K.ops.full((1, 2), 7.0), replaced), (K.ops.ones((1,)), plain)])
    assert replaced.numpy().tolist() == [[7.0, 7.0]]
    assert plain.numpy()[0] == pytest.approx(1 - 0.5 - 0.95)


def test_metrics_have_the_variables_and_metrics_in_their_containers():
    class Several(metrics.Metric):
        def __init__(self):
            super().__init__(name="several")
            self.more, self.one = [K.Variable(0.0), K.Variable(1.0)], K.Variable(2.0)
            self.parts = {"a": metrics.Mean(), "b": (metrics.Sum(),)}

        def update_state(self, y_true, y_pred, sample_weight=None):
            self.more[1].assign_add(1.0)
            self.parts["b"][0].update_state(y_pred)

        def result(self):
            return self.parts["b"][0].result()

    metric = Several()
    assert len(metric.variables) == 6  # as Keras has it
    metric([0.0], [3.0])
    metric.reset_state()
    assert [v.numpy().item() for v in metric.variables] == [0.0] * 6
    model = K.Sequential([K.Input((1,)), L.Dense(1, kernel_initializer="ones", trainable=False)])
    model.compile("sgd", "mse", metrics=[metric])
    for _ in range(2):
        assert model.evaluate(np.ones((2, 1)), np.ones((2, 1)), verbose=0, return_dict=True)["several"] == 2.0


def test_metrics_and_their_variables_before_and_after_fit():
    model = K.Sequential([K.Input((3,)), L.Dense(1)])
    model.compile("sgd", "mse", metrics=["mae"])
    assert model.metrics_names == ["loss", "compile_metrics"]
    model.fit(np.ones((2, 3)), np.ones((2, 1)), verbose=0)
    assert model.metrics_names == ["loss", "compile_metrics"]
    assert len(model.variables) == 2
    assert len(model.non_trainable_variables) == 0
    assert len(model.metrics_variables) == 4
    model.compile("sgd", "mse")
    assert model.metrics_names == ["loss"]
