"""Several threads with one model: one trains or evaluates at a time, any number predict."""

import threading

import numpy as np
import pytest

from layerwise import Input, Sequential, layers
from layerwise.callbacks import Callback
from layerwise.models import clone_model

X = np.random.default_rng(0).normal(size=(32, 3)).astype("float32")
Y = X[:, :1]


def compiled():
    model = Sequential([Input((3,)), layers.Dense(1)])
    model.compile("sgd", "mse", metrics=["mae"])
    return model


def elsewhere(function):
    """The error that a call in a thread of its own ends with, or None."""
    found = []

    def call():
        try:
            function()
        except Exception as error:
            found.append(error)

    thread = threading.Thread(target=call)
    thread.start()
    thread.join()
    return found[0] if found else None


USES = {
    "fit": lambda model: model.fit(X, Y, verbose=0),
    "evaluate": lambda model: model.evaluate(X, Y, verbose=0),
    "train_on_batch": lambda model: model.train_on_batch(X, Y),
    "test_on_batch": lambda model: model.test_on_batch(X, Y),
    "predict": lambda model: model.predict(X, verbose=0),
    "predict_on_batch": lambda model: model.predict_on_batch(X),
}


class Meanwhile(Callback):
    """Uses the model in every way, from another thread, while it is trained or evaluated."""

    def __init__(self):
        super().__init__()
        self.errors = {}

    def on_train_batch_end(self, batch, logs=None):
        self.errors = {name: elsewhere(lambda use=use: use(self.model)) for name, use in USES.items()}

    on_test_batch_end = on_train_batch_end


def test_while_one_thread_trains_others_are_refused():
    model, callback = compiled(), Meanwhile()
    alone = compiled()
    alone.set_weights(model.get_weights())
    model.fit(X, Y, verbose=0, callbacks=[callback])
    alone.fit(X, Y, verbose=0)
    for name, error in callback.errors.items():
        with pytest.raises(RuntimeError, match=f"{name} was called while another thread is in fit.*clone_model"):
            raise error
    np.testing.assert_allclose(model.get_weights()[0], alone.get_weights()[0], rtol=1e-5)
    assert all(elsewhere(lambda use=use: use(model)) is None for use in USES.values())  # its turn is over


def test_while_one_thread_evaluates_others_may_predict():
    model, callback = compiled(), Meanwhile()
    expected = model.evaluate(X, Y, verbose=0)
    assert model.evaluate(X, Y, verbose=0, callbacks=[callback]) == expected
    assert [name for name, error in callback.errors.items() if error is None] == ["predict", "predict_on_batch"]


def test_a_callback_may_evaluate_and_predict_and_another_model_is_free():
    class Inside(Callback):
        def on_epoch_end(self, epoch, logs=None):
            self.seen = self.model.evaluate(X, Y, verbose=0), self.model.predict(X, verbose=0)
            self.error = elsewhere(lambda: clone_model(self.model).fit(X, Y, verbose=0))

    callback = Inside()
    compiled().fit(X, Y, verbose=0, callbacks=[callback])
    assert len(callback.seen[1]) == 32
    assert callback.error is None


def test_a_turn_ends_with_an_error():
    model = compiled()
    with pytest.raises(ValueError, match="different lengths"):
        model.fit(X, Y[:3], verbose=0)
    assert elsewhere(lambda: model.fit(X, Y, verbose=0)) is None


def test_threads_that_predict_get_their_own_results():
    model = compiled()
    data = [np.full((8, 3), i, "float32") for i in range(4)]
    expected, found = [model.predict(x, verbose=0) for x in data], [[] for _ in data]

    def work(i):
        found[i] += [model.predict(data[i], verbose=0, batch_size=4) for _ in range(10)]

    threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for results, right in zip(found, expected, strict=True):
        assert len(results) == 10
        for result in results:
            np.testing.assert_allclose(result, right, rtol=1e-6)
