"""What fit, evaluate and train_on_batch report of losses and metrics, against Keras."""

import keras
import numpy as np
import pytest

import layerwise

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
    assert [m.name for m in nested(layerwise).metrics] == ["loss"]


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
