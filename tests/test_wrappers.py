"""Models as scikit-learn's estimators."""

import pickle
import sys

import numpy as np
import pytest

from layerwise import layers, models, optimizers


@pytest.fixture(autouse=True)
def sklearn(monkeypatch):
    """scikit-learn can be imported here; other tests hide it from Keras."""
    for name in [name for name in sys.modules if name.partition(".")[0] == "sklearn"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.delitem(sys.modules, "layerwise.wrappers", raising=False)


def network(X, y, units=8, loss="categorical_crossentropy", last="softmax"):
    model = models.Sequential(
        [
            layers.Input((X.shape[1],)),
            layers.Dense(units, activation="relu"),
            layers.Dense(y.shape[1], activation=last),
        ]
    )
    model.compile(optimizers.Adam(0.03), loss)
    return model


def blobs():
    rng = np.random.default_rng(0)
    centres = np.repeat([[0.0, 4.0], [4.0, 0.0], [-4.0, -4.0]], 20, axis=0)
    return centres + rng.standard_normal((60, 2)), np.repeat(["a", "b", "c"], 20)


def test_a_classifier_in_a_pipeline_and_a_search():
    from sklearn.model_selection import GridSearchCV
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    from layerwise.wrappers import SKLearnClassifier

    X, y = blobs()
    classifier = SKLearnClassifier(network, model_kwargs={"units": 8}, fit_kwargs={"epochs": 60, "verbose": 0})
    pipeline = make_pipeline(StandardScaler(), classifier).fit(X, y)
    assert pipeline.score(X, y) > 0.95
    assert list(pipeline[-1].classes_) == ["a", "b", "c"]
    np.testing.assert_allclose(pipeline.predict_proba(X).sum(axis=1), 1, rtol=1e-5)
    search = GridSearchCV(classifier, {"model_kwargs": [{"units": 1}, {"units": 16}]}, cv=2).fit(X, y)
    assert search.best_params_ == {"model_kwargs": {"units": 16}}


def test_a_regressor_from_a_compiled_model_goes_on_where_it_is_asked_to():
    from layerwise.wrappers import SKLearnRegressor

    X = np.random.default_rng(0).standard_normal((40, 3))
    y = X @ [1.0, -2.0, 0.5]
    model = network(X, y[:, None], loss="mse", last=None)
    before = model.get_weights()
    regressor = SKLearnRegressor(model, fit_kwargs={"verbose": 0}).fit(X, y, epochs=100)
    assert regressor.score(X, y) > 0.8
    assert regressor.predict(X).shape == (40,)
    assert len(regressor.history_.epoch) == 100
    for a, b in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(a, b)
    warm = SKLearnRegressor(model, warm_start=True, fit_kwargs={"verbose": 0}).fit(X, y)
    first = warm.model_
    assert warm.fit(X, y).model_ is first


def test_a_transformer_a_clone_and_a_pickle():
    from sklearn.base import clone

    from layerwise.wrappers import SKLearnTransformer

    X, y = blobs()
    one_hot = (y[:, None] == np.unique(y)).astype("float32")
    transformer = SKLearnTransformer(network, fit_kwargs={"verbose": 0}).fit(X, one_hot)
    features = transformer.transform(X)
    assert features.shape == (60, 3)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(transformer)).transform(X), features)
    assert not hasattr(clone(transformer), "model_")


def test_what_is_wrong_is_said():
    from sklearn.exceptions import NotFittedError

    from layerwise.wrappers import SKLearnClassifier, SKLearnRegressor

    X, _ = blobs()
    with pytest.raises(ValueError, match="only one class is present"):
        SKLearnClassifier(network).fit(X, np.zeros(60, int))
    with pytest.raises(ValueError, match="Only binary and multiclass target types"):
        SKLearnClassifier(network).fit(X, np.linspace(0, 1, 60))
    with pytest.raises(RuntimeError, match="SKLearnRegressor: model: call its compile"):
        SKLearnRegressor(models.Sequential([layers.Dense(1)])).fit(X, np.zeros(60))
    with pytest.raises(NotFittedError):
        SKLearnRegressor(network).predict(X)


def test_without_scikit_learn_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn", None)
    from layerwise.wrappers import SKLearnRegressor

    with pytest.raises(ModuleNotFoundError, match=r"SKLearnRegressor: .*pip install 'layerwise\[sklearn\]'"):
        SKLearnRegressor(network)
