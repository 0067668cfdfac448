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


def assert_same(ours, theirs):
    for found, expected in zip(ours, theirs, strict=True):
        if isinstance(expected, dict):
            assert found.keys() == expected.keys()
            found, expected = ([x[name] for name in sorted(expected)] for x in (found, expected))
        for a, b in zip(np.atleast_1d(found), np.atleast_1d(expected), strict=True):
            np.testing.assert_allclose(np.squeeze(a), np.squeeze(b), rtol=2e-4, atol=1e-6)


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
