"""With config.debug_nans(), NaN and infinity are traced to the operation, layer and batch they come from."""

import numpy as np
import pytest

from layerwise import Input, Model, Sequential, callbacks, config, layers, ops, optimizers, utils
from layerwise.training.nonfinite import NonFiniteError

BATCHES = 4
X = np.random.default_rng(0).uniform(0.5, 1.5, (8 * BATCHES, 3)).astype("float32")
Y = X[:, :1] * 2


class Apply(layers.Layer):
    """y = function(x), which plants the fault: the first feature of one example of the third batch is 100."""

    def __init__(self, function, **options):
        super().__init__(**options)
        self.function = function

    def call(self, x):
        return self.function(x)


def marked():
    x = X.copy()
    x[18, 0] = 100
    return x


def planted_forward():
    """(name, function, the operation that begins it), each fine for features of about 1, not for one of 100."""

    def far(x):
        return ops.relu(x - 50)  # 0, and 50 for the marked one

    return [
        ("log of a negative number", lambda x: ops.log(2 - x), "log"),
        ("log of zero", lambda x: ops.log(ops.relu(50 - x)) + x, "log"),
        ("zero by zero", lambda x: (50 - ops.minimum(x, 50.0)) / (50 - ops.minimum(x, 50.0)) + x, "divide"),
        ("one by zero", lambda x: 1 / (50 - ops.minimum(x, 50.0)) + x, "divide"),
        ("exp overflows", lambda x: ops.exp(x), "exp"),
        ("infinity less infinity", lambda x: ops.exp(x) - ops.exp(x), "exp"),
        ("root of a negative number", lambda x: ops.sqrt(2 - x), "sqrt"),
        ("square overflows", lambda x: ops.square(far(x) * 1e20) + x, "square"),
        ("product overflows", lambda x: (far(x) * 1e20) * (far(x) * 1e20) + x, "multiply"),
        ("power overflows", lambda x: ops.power(x, 20.0), "power"),
        ("reciprocal root of zero", lambda x: ops.rsqrt(ops.relu(50 - x)) + x, "rsqrt"),
        ("product of matrices", lambda x: ops.matmul(far(x) * 1e30, np.full((3, 3), 1e30, "float32")) + x, "matmul"),
        ("sum overflows", lambda x: x + ops.sum(ops.concatenate([far(x) * 4e36] * 2), keepdims=True), "sum"),
        ("expm1 overflows", lambda x: ops.expm1(x), "expm1"),
        ("sinh overflows", lambda x: ops.sinh(x), "sinh"),
        ("arcsine outside", lambda x: ops.arcsin(x / 2), "arcsin"),
        ("discarded infinity elsewhere", lambda x: ops.where(x > 0, x, ops.log(x - x)) + ops.log(2 - x), "log"),
    ]


def planted_backward():
    """The same where the values are finite, and their gradients are not."""

    def gone(x):
        return 100 - x  # 0 for the marked one

    return [
        ("root of zero", lambda x: ops.sqrt(gone(x)), "sqrt"),
        ("log in an unused branch", lambda x: ops.where(gone(x) > 0, ops.log(gone(x)), 0.0), "log"),
        ("arc cosine at its end", lambda x: ops.arccos(x / 100), "arccos"),
        ("norm of zero", lambda x: ops.sqrt(ops.sum(ops.square(gone(x[:, :1])), axis=-1, keepdims=True)) + x, "sqrt"),
        ("power of zero", lambda x: ops.power(gone(x), 0.5), "power"),
    ]


def fit(model, x=None, y=Y, **options):
    with config.override(debug_nans=True), np.errstate(all="ignore"):
        return model.fit(marked() if x is None else x, y, 8, shuffle=False, verbose=0, **options)


def stack(function, position=1, optimizer="sgd", **compiled):
    """Dense layers, none of which mixes the marked example's features before the fault at the first position."""
    found = [layers.Dense(3, kernel_initializer="identity", name=f"dense_{i}") for i in range(2)]
    found.insert(position, Apply(function, name="planted"))
    model = Sequential([Input((3,)), *found, layers.Dense(1, name="head")])
    model.compile(optimizer, **{"loss": "mse", **compiled})
    return model


def located(model, op, layer, batch=2, **options):
    before = [v.numpy() for v in model._state()]
    with pytest.raises(NonFiniteError) as caught:
        fit(model, **options)
    error = caught.value
    assert (error.op, error.layer, error.epoch, error.batch) == (op, layer, 0, batch), str(error)
    assert f"epoch 0, batch {batch} (counted from 0): " in str(error)
    assert all(np.isfinite(v.numpy()).all() for v in model._state())
    assert batch > 0 or all((a == v.numpy()).all() for a, v in zip(before, model._state()[: len(before)], strict=True))
    return error


@pytest.mark.parametrize(("function", "op"), [p[1:] for p in planted_forward()], ids=[p[0] for p in planted_forward()])
def test_located_in_the_forward_pass(function, op):
    utils.set_random_seed(0)
    error = located(stack(function, 0), op, "planted")
    assert "gradient" not in error.place


@pytest.mark.parametrize(
    ("function", "op"), [p[1:] for p in planted_backward()], ids=[p[0] for p in planted_backward()]
)
def test_located_in_the_gradient(function, op):
    utils.set_random_seed(0)
    model = Sequential([
        Input((3,)), layers.Dense(3, kernel_initializer="identity", use_bias=False, name="first"),
        Apply(function, name="planted"), layers.Dense(1, name="head"),
    ])  # fmt: skip
    model.compile(optimizers.SGD(1e-30), "mse")
    with pytest.raises(NonFiniteError) as caught:
        fit(model)
    assert caught.value.layer == "planted", str(caught.value)
    assert (caught.value.epoch, caught.value.batch) == (0, 2)
    assert f"the gradient of {op} in layer 'planted'" in caught.value.place, str(caught.value)


def test_located_in_a_loss_function():
    def divergence(y_true, y_pred):
        return ops.mean(ops.log(50 - ops.abs(y_pred)))

    utils.set_random_seed(0)
    model = stack(lambda x: x, loss=divergence)
    error = located(model, "log", None)
    assert error.place == "loss 'divergence'"


def test_located_in_a_regularizer_and_in_an_added_loss():
    class Penalized(layers.Layer):
        def call(self, x):
            self.add_loss(ops.mean(ops.log(2 - x)))
            return x

    model = Sequential([Input((3,)), Penalized(name="penalized"), layers.Dense(1)])
    model.compile("sgd", "mse")
    located(model, "log", "penalized")
    model = Sequential([Input((3,)), layers.Dense(1, kernel_regularizer=lambda w: ops.sum(ops.sqrt(-ops.abs(w))))])
    model.compile("sgd", "mse")
    located(model, "sqrt", None, batch=0)


def test_located_in_a_branch_and_in_a_model_in_a_model():
    inputs = Input((3,))
    left, right = Apply(lambda x: ops.exp(x / 10), name="left")(inputs), Apply(ops.exp, name="right")(inputs)
    model = Model(inputs, layers.Dense(1)(layers.concatenate([left, right])))
    model.compile("adam", "mse")
    located(model, "exp", "right")
    inner = Sequential([Input((3,)), Apply(lambda x: ops.log(2 - x), name="planted")], name="inner")
    outer = Sequential([Input((3,)), inner, layers.Dense(1)])
    outer.compile("adam", "mse")
    located(outer, "log", "inner/planted")


def test_located_in_a_step_of_ones_own():
    class Own(Model):
        def __init__(self):
            super().__init__(name="own")
            self.head = layers.Dense(1, name="head")

        def call(self, x):
            return self.head(ops.log(2 - x))

    model = Own()
    model.compile("adam", "mse", run_eagerly=True)
    assert located(model, "log", None).place == "call of model 'own'"


def test_located_in_the_data():
    x, y = X.copy(), Y.copy()
    x[30] = 1e38
    located(stack(lambda x: x * 10, 0), "multiply", "planted", batch=3, x=x)
    y[9] = 1e30  # its square overflows
    with pytest.raises(NonFiniteError, match="square in loss 'mean_squared_error' gave infinity in 1 of 8 values") as e:
        fit(stack(lambda x: x), X, y)
    assert e.value.batch == 1


def test_located_in_weights_that_were_bad_before():
    model = stack(lambda x: x)
    kernel = model.layers[2].kernel
    kernel.assign(np.full(kernel.shape, np.nan))
    with pytest.raises(NonFiniteError, match=f"from variable '{kernel.path}', which is not finite") as caught:
        fit(model, X)
    assert caught.value.layer == "dense_1"
    assert caught.value.batch == 0


def test_located_in_an_update():
    model = stack(lambda x: x, optimizer=optimizers.SGD(3e38))
    with pytest.raises(NonFiniteError, match=r"batch 0.*the update by SGD gave NaN or infinity in dense_0/kernel"):
        fit(model, X * 100, Y * 1000)


def test_an_infinite_gradient_that_is_clipped():
    utils.set_random_seed(0)
    model = Sequential([
        Input((3,)), layers.Dense(3, kernel_initializer="zeros", name="first"),
        Apply(lambda x: ops.sqrt(x), name="planted"), layers.Dense(1),
    ])  # fmt: skip
    model.compile(optimizers.SGD(0.01, clipvalue=1.0), "mse")
    with pytest.raises(NonFiniteError) as caught:
        fit(model)
    assert caught.value.layer == "planted"
    assert caught.value.batch == 0


def test_on_a_batch_of_its_own():
    model = stack(lambda x: ops.log(2 - x))
    with config.override(debug_nans=True), np.errstate(all="ignore"), pytest.raises(NonFiniteError) as caught:
        model.train_on_batch(marked(), Y)
    assert str(caught.value).startswith("log in layer 'planted'")
    assert (caught.value.epoch, caught.value.batch) == (None, None)


def raised(run):
    with config.override(debug_nans=True), np.errstate(all="ignore"), pytest.raises(NonFiniteError) as caught:
        run()
    return caught.value


@pytest.mark.parametrize("verbose", [0, 2])  # batches together, and one by one
def test_located_in_evaluation(verbose, capsys):
    model = stack(lambda x: ops.log(2 - x), 0)
    before = [v.numpy() for v in model.weights]
    for _ in range(2):  # each counts its batches
        error = raised(lambda: model.evaluate(marked(), Y, 8, verbose=verbose))
        assert str(error).startswith(
            "evaluate, batch 2 (counted from 0): log in layer 'planted' (Apply) gave NaN in 1 of"
        )
        assert (error.op, error.layer, error.epoch, error.batch) == ("log", "planted", None, 2)
    error = raised(lambda: model.fit(X, Y, 8, verbose=0, validation_data=(marked(), Y)))
    assert (error.layer, error.batch, error.__notes__) == ("planted", 2, ["in validation_data"])
    assert "in layer 'planted'" in str(raised(lambda: model.test_on_batch(marked(), Y)))
    with config.override(debug_nans=True):
        on = model.evaluate(X, Y, 8, verbose=0)
    assert on == model.evaluate(X, Y, 8, verbose=0)
    model.set_weights(before)
    assert np.isnan(model.evaluate(marked(), Y, 8, verbose=0))


def test_located_in_a_test_step_of_ones_own():
    class Own(Sequential):
        def test_step(self, data):
            x, y = data
            return {"loss": ops.mean(ops.square(y - self(x)))}

    model = Own([Input((3,)), Apply(lambda x: ops.log(2 - x), name="planted"), layers.Dense(1)])
    model.compile("sgd", "mse")
    assert raised(lambda: model.evaluate(marked(), Y, 8, verbose=0)).batch == 2


def test_located_in_predictions():
    model = stack(lambda x: ops.log(2 - x), 0)
    error = raised(lambda: model.predict(marked(), 8, verbose=0))
    assert str(error).startswith("predict, batch 2 (counted from 0): log in layer 'planted'")
    assert (error.op, error.layer, error.batch) == ("log", "planted", 2)
    with config.override(debug_nans=True):
        on = model.predict(X, 8, verbose=0)
    np.testing.assert_allclose(on, model.predict(X, 8, verbose=0), rtol=1e-6)
    assert "in layer 'planted'" in str(raised(lambda: model.predict_on_batch(marked())))


def test_training_is_the_same_with_and_without():
    """Also what is infinite for a reason, or too large for the sum of all, is left alone."""

    class Masked(layers.Layer):
        def build(self, input_shape):
            self.mask = self.add_weight((3,), "zeros", trainable=False)
            self.mask.assign([0, -np.inf, 0])
            self.large = self.add_weight((2,), lambda shape, dtype: np.full(shape, 3e38, dtype), trainable=False)

        def call(self, x):
            return ops.softmax(x + self.mask)

    def trained(on):
        utils.set_random_seed(3)
        model = Sequential([Input((3,)), layers.Dense(3), Masked(), layers.Dropout(0.5), layers.Dense(1)])
        model.compile("adam", "mse", metrics=["mae"])
        with config.override(debug_nans=on), np.errstate(over="ignore"):
            history = model.fit(X, Y, 8, epochs=3, verbose=0)
        return history.history, model.get_weights()

    (history, weights), (expected, others) = trained(True), trained(False)
    assert history == expected
    for a, b in zip(weights, others, strict=True):
        np.testing.assert_array_equal(a, b)


def test_the_setting(monkeypatch):
    monkeypatch.setitem(config._defaults, "debug_nans", None)
    monkeypatch.setenv("LAYERWISE_DEBUG_NANS", "1")
    assert config.debug_nans()
    config.set_debug_nans(False)
    assert not config.debug_nans()
    model = stack(lambda x: ops.log(2 - x))
    with np.errstate(all="ignore"):
        history = model.fit(marked(), Y, 8, verbose=0, callbacks=callbacks.Callback())
    assert np.isnan(history.history["loss"]).all()
