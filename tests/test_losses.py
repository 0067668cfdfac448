"""Losses against Keras on the same inputs: values, gradients, configurations; and what they do that Keras does not."""

import functools

import jax
import jax.numpy as jnp
import keras
import numpy as np
import pytest

from layerwise import Sequential, config, layers, losses, metrics, models, ops, serialization
from layerwise.autograd import Spec, Tensor, grad, gradcheck, raw
from layerwise.losses.matching import matching_exactly
from layerwise.naming import snake_case

rng = np.random.default_rng(0)
N, K = 6, 4


def floats(*shape):
    return rng.standard_normal(shape).astype("float32")


def probabilities(*shape):
    x = np.exp(floats(*shape))
    return x / x.sum(-1, keepdims=True)


def one_hot(n=N, k=K):
    return np.eye(k, dtype="float32")[rng.integers(0, k, n)]


REAL = (floats(N, K), floats(N, K))
REAL3 = (floats(2, 3, K), floats(2, 3, K))
POSITIVE = (rng.random((N, K)).astype("float32") + 0.1, rng.random((N, K)).astype("float32") + 0.1)
BINARY = ((rng.random((N, K)) > 0.5).astype("float32"), rng.random((N, K)).astype("float32"))
BINARY_LOGITS = (BINARY[0], floats(N, K))
HOT = (one_hot(), probabilities(N, K))
HOT_LOGITS = (HOT[0], floats(N, K))
HOT3 = (one_hot(6).reshape(2, 3, K), probabilities(2, 3, K))
SPARSE = (rng.integers(0, K, N), probabilities(N, K))
SPARSE_LOGITS = (rng.integers(0, K, N), floats(N, K))
SPARSE3 = (rng.integers(0, K, (2, 3)), probabilities(2, 3, K))
UNIT = floats(N, K)
CLASSES = (np.array([0, 1, 0, 2, 1, 0]), UNIT / np.linalg.norm(UNIT, axis=-1, keepdims=True))

# class, function, arguments, labels and predictions
CASES = [
    ("MeanSquaredError", {}, REAL),
    ("MeanSquaredError", {}, REAL3),
    ("MeanAbsoluteError", {}, REAL),
    ("MeanAbsolutePercentageError", {}, REAL),
    ("MeanSquaredLogarithmicError", {}, POSITIVE),
    ("MeanSquaredLogarithmicError", {}, REAL),
    ("Huber", {}, REAL),
    ("Huber", {"delta": 0.4}, REAL3),
    ("LogCosh", {}, REAL),
    ("CosineSimilarity", {}, REAL),
    ("CosineSimilarity", {"axis": 1}, REAL3),
    ("Hinge", {}, BINARY_LOGITS),
    ("Hinge", {}, (2 * BINARY[0] - 1, BINARY_LOGITS[1])),
    ("SquaredHinge", {}, BINARY_LOGITS),
    ("CategoricalHinge", {}, HOT_LOGITS),
    ("CategoricalHinge", {}, HOT3),
    ("KLDivergence", {}, (probabilities(N, K), HOT[1])),
    ("KLDivergence", {}, HOT),
    ("Poisson", {}, POSITIVE),
    ("BinaryCrossentropy", {}, BINARY),
    ("BinaryCrossentropy", {"from_logits": True}, BINARY_LOGITS),
    ("BinaryCrossentropy", {"label_smoothing": 0.2, "axis": 0}, BINARY),
    ("CategoricalCrossentropy", {}, HOT),
    ("CategoricalCrossentropy", {}, HOT3),
    ("CategoricalCrossentropy", {"label_smoothing": 0.1}, HOT),
    ("CategoricalCrossentropy", {"from_logits": True}, HOT_LOGITS),
    ("CategoricalCrossentropy", {"axis": 0}, HOT),
    ("SparseCategoricalCrossentropy", {}, SPARSE),
    ("SparseCategoricalCrossentropy", {}, (SPARSE[0][:, None], SPARSE[1])),
    ("SparseCategoricalCrossentropy", {"from_logits": True}, SPARSE_LOGITS),
    ("SparseCategoricalCrossentropy", {"ignore_class": 1}, SPARSE),
    ("SparseCategoricalCrossentropy", {"ignore_class": -1, "from_logits": True}, (SPARSE[0] - 1, SPARSE_LOGITS[1])),
    ("SparseCategoricalCrossentropy", {}, SPARSE3),
    ("BinaryFocalCrossentropy", {}, BINARY),
    ("BinaryFocalCrossentropy", {"apply_class_balancing": True, "gamma": 1.5, "label_smoothing": 0.1}, BINARY),
    ("BinaryFocalCrossentropy", {"from_logits": True, "alpha": 0.6, "gamma": 1.0}, BINARY_LOGITS),
    ("CategoricalFocalCrossentropy", {}, HOT),
    ("CategoricalFocalCrossentropy", {"alpha": [0.1, 0.2, 0.3, 0.4], "gamma": 1.5, "label_smoothing": 0.1}, HOT),
    ("CategoricalFocalCrossentropy", {"from_logits": True}, HOT_LOGITS),
    ("CategoricalGeneralizedCrossEntropy", {"q": 0.5}, SPARSE),
    ("CategoricalGeneralizedCrossEntropy", {"q": 0.9}, SPARSE),
    ("Dice", {}, BINARY),
    ("Dice", {"axis": -1}, HOT3),
    ("Tversky", {"alpha": 0.3, "beta": 0.9, "axis": -1}, BINARY),
    ("Tversky", {}, BINARY),
    ("CTC", {}, (np.array([[1, 2, 0], [3, 3, 1], [2, 0, 0]]), floats(3, 7, K))),
    ("Circle", {}, CLASSES),
    ("Circle", {"gamma": 3.0, "margin": 0.2, "remove_diagonal": False}, CLASSES),
]
FUNCTION_NAMES = {
    "CategoricalGeneralizedCrossEntropy": "categorical_generalized_cross_entropy",
    "CTC": "ctc",
    "Huber": "huber",
    "LogCosh": "log_cosh",
    "KLDivergence": "kl_divergence",
}


def function_name(cls):
    return FUNCTION_NAMES.get(cls) or snake_case(cls)


def close(ours, theirs, tolerance=1e-5):
    np.testing.assert_allclose(np.asarray(ours), np.asarray(theirs), rtol=tolerance, atol=tolerance)


def ids(case):
    return f"{case[0]}-{'-'.join(map(str, case[1]))}-{np.ndim(case[2][1])}d"


@pytest.mark.parametrize("case", CASES, ids=ids)
def test_values_and_gradients_are_those_of_keras(case):
    name, options, (y_true, y_pred) = case
    ours = functools.partial(getattr(losses, function_name(name)), **options)
    theirs = functools.partial(getattr(keras.losses, function_name(name)), **options)
    values = ours(y_true, y_pred)
    weight = floats(*values.shape)
    slope = grad(lambda p: ops.sum(ours(y_true, p) * weight))(y_pred)

    @jax.jit  # one compilation instead of one for each operation
    def expected(y_true, y_pred):
        values, pull = jax.vjp(lambda p: theirs(y_true, p), y_pred)
        return values, pull(jnp.asarray(weight))[0]

    their_values, their_slope = expected(y_true, y_pred)
    close(values, their_values)
    close(slope, their_slope)
    assert values.dtype == slope.dtype == "float32"


@pytest.mark.parametrize("case", CASES, ids=ids)
def test_objects_weigh_and_reduce_as_keras_does(case):
    name, options, (y_true, y_pred) = case
    shape = getattr(losses, function_name(name))(y_true, y_pred, **options).shape
    weights = [None, rng.random(shape).astype("float32"), rng.random(shape[:1] + (1,) * (len(shape) - 1))]
    for reduction, weight in zip(("sum_over_batch_size", "sum", "none"), weights):
        ours = getattr(losses, name)(reduction=reduction, **options)
        theirs = getattr(keras.losses, name)(reduction=reduction, **options)
        close(ours(y_true, y_pred, weight), theirs(y_true, y_pred, weight))


@pytest.mark.own_backend
@pytest.mark.parametrize("case", CASES, ids=ids)
def test_losses_and_gradients_can_be_traced(case):
    name, options, (y_true, y_pred) = case
    with config.override(backend="xla"):
        loss = getattr(losses, name)(**options)
        slope = jax.eval_shape(lambda y, p: raw(grad(lambda p: loss(Tensor(y), p))(Tensor(p))), y_true, y_pred)
    assert (slope.shape, slope.dtype) == (y_pred.shape, y_pred.dtype)


@pytest.mark.parametrize("reduction", ["sum", "mean", "sum_over_batch_size", "mean_with_sample_weight", "none", None])
@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("weighted", [False, True])
def test_reductions_and_masks(reduction, masked, weighted):
    y_true, y_pred = REAL3
    mask = np.array([[True, True, False], [True, False, False]])
    weight = rng.random((2, 3)).astype("float32") if weighted else None
    ours, theirs = Tensor(y_pred), keras.ops.convert_to_tensor(y_pred)
    if masked:
        ours.note("mask", Tensor(mask))
        theirs._keras_mask = keras.ops.convert_to_tensor(mask)
    close(
        losses.MeanSquaredError(reduction=reduction)(y_true, ours, weight),
        keras.losses.MeanSquaredError(reduction=reduction)(y_true, theirs, weight),
    )


def test_a_mask_joins_that_of_an_ignored_class():
    y_true, y_pred = SPARSE3
    mask = np.array([[True, True, False], [True, False, False]])
    valid = mask & (y_true != 1)
    expected = losses.sparse_categorical_crossentropy(y_true, y_pred).numpy()[valid].mean()
    got = losses.SparseCategoricalCrossentropy(ignore_class=1)(y_true, Tensor(y_pred).note("mask", Tensor(mask)))
    close(got, expected)


def test_weights_belong_to_the_leading_dimensions():
    y_true, y_pred = REAL3
    values = losses.MeanSquaredError(reduction=None)(y_true, y_pred, [1.0, 3.0])
    plain = losses.mean_squared_error(y_true, y_pred).numpy()
    close(values, plain * [[1.0], [3.0]])
    close(losses.MeanSquaredError()(y_true, y_pred, 2.0), 2 * plain.mean())
    close(losses.MeanSquaredError(reduction=None)(y_true, y_pred, np.ones((2, 3, 1))), plain)
    close(
        losses.MeanSquaredError("mean_with_sample_weight")(y_true, y_pred, [1.0, 3.0]),
        np.mean(plain @ np.ones(3) @ [1, 3]) / 12,
    )
    with pytest.raises(ValueError, match=r"sample_weight: got shape \(3,\), expected leading dimensions of \(2, 3\)"):
        losses.MeanSquaredError()(y_true, y_pred, [1.0, 2.0, 3.0])


@pytest.mark.parametrize("case", CASES, ids=ids)
def test_configurations_are_those_of_keras_and_lose_nothing(case):
    name, options, (y_true, y_pred) = case
    ours, theirs = getattr(losses, name)(**options), getattr(keras.losses, name)(**options)
    expected = theirs.get_config()
    forgotten = {"Huber": {"delta"}, "CosineSimilarity": {"axis"}, "SparseCategoricalCrossentropy": {"axis"}}.get(
        name, set()
    )
    found = ours.get_config()
    assert {key: found[key] for key in found if key not in forgotten} == expected
    assert set(found) - set(expected) == forgotten  # Keras writes none of these, and reads them
    for again in (
        losses.deserialize(losses.serialize(ours)),
        losses.deserialize(keras.losses.serialize(theirs) | {"config": found}),
    ):
        assert again.get_config() == found
        close(again(y_true, y_pred), ours(y_true, y_pred))
    keras.losses.deserialize(losses.serialize(ours))


def test_dtype_is_written_only_where_it_is_given():
    assert losses.Hinge(dtype="float16").get_config()["dtype"] == "float16"
    assert losses.Hinge(dtype=config.DTypePolicy("mixed_float16")).dtype == "float16"


@pytest.mark.float64
def test_a_loss_in_float64():
    assert losses.Hinge(dtype="float64")([1.0], [0.25]).dtype == "float64"


# -------------------------------------------------------------------------------------------------------------- logits


def test_a_saturated_sigmoid_keeps_loss_and_gradient():
    z = np.array([[-200.0, 200.0, 40.0]], "float32")
    y = np.array([[1.0, 0.0, 0.0]], "float32")
    loss = losses.BinaryCrossentropy()
    close(loss(y, ops.sigmoid(z)), (200 + 200 + 40) / 3)
    close(grad(lambda z: loss(y, ops.sigmoid(z)))(z), [[-1 / 3, 1 / 3, 1 / 3]])
    close(loss(y[0], ops.sigmoid(z.T)), (200 + 200 + 40) / 3)  # (n,) against (n, 1)
    close(loss(y.T, ops.sigmoid(z[0])), (200 + 200 + 40) / 3)  # (n, 1) against (n,)
    close(loss(y[..., None], ops.sigmoid(z)), (200 + 200 + 40) / 3)


@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_a_saturated_softmax_keeps_loss_and_gradient(dtype):
    z = np.array([[-200.0, 200.0, 0.0]], dtype)
    hot, label = np.array([[1.0, 0.0, 0.0]]), np.array([0])
    for loss, y in (
        (losses.CategoricalCrossentropy(), hot),
        (losses.SparseCategoricalCrossentropy(), label),
        (losses.CategoricalFocalCrossentropy(alpha=1.0), hot),
    ):
        close(loss(y, ops.softmax(z)), 400)  # also where the loss computes in another dtype than the network
    close(grad(lambda z: losses.SparseCategoricalCrossentropy()(label, ops.softmax(z)))(z), [[-1, 1, 0]])


def test_a_mask_does_not_cost_the_logits():
    z = np.array([[-200.0], [200.0]], "float32")
    p = ops.sigmoid(z).note("mask", Tensor(np.array([True, False])))
    close(losses.BinaryCrossentropy()([[1.0], [1.0]], p), 200)


def test_log_cosh_does_not_overflow():
    close(losses.log_cosh([[0.0, 0.0]], [[1000.0, -1000.0]]), [1000 - np.log(2)])


def test_cosine_similarity_has_a_gradient_at_zero():
    slope = grad(lambda p: ops.sum(losses.cosine_similarity([[1.0, 0.0]], p)))(np.zeros((1, 2), "float32"))
    assert np.isfinite(slope.numpy()).all()


def test_logits_of_a_softmax_along_another_axis_are_left_aside():
    p = ops.softmax(ops.array([[2.0, -1.0], [0.5, 3.0]]))
    y = np.eye(2, dtype="float32")
    for loss in (losses.categorical_crossentropy, losses.categorical_focal_crossentropy):
        close(loss(y, p, axis=0), loss(y, p.numpy(), axis=0))


def test_classes_along_any_axis():
    y, p = SPARSE3[0], SPARSE3[1]
    for options in ({}, {"from_logits": True}, {"ignore_class": 1}):
        expected = losses.sparse_categorical_crossentropy(y, p, **options)
        close(losses.sparse_categorical_crossentropy(y, np.moveaxis(p, -1, 1), axis=1, **options), expected)
        close(losses.sparse_categorical_crossentropy(y[:, None], np.moveaxis(p, -1, 1), axis=1, **options), expected)


@pytest.mark.float64
@pytest.mark.parametrize("name", ["mean_squared_error", "log_cosh", "poisson", "cosine_similarity", "kl_divergence"])
def test_gradients_in_float64(name):
    assert gradcheck(lambda p: getattr(losses, name)(HOT[1], p), POSITIVE[1] / 2)


# -------------------------------------------------------------------------------------------------------------- shapes


@pytest.mark.parametrize("loss", [losses.MeanSquaredError, losses.BinaryCrossentropy])
@pytest.mark.parametrize(("true", "pred"), [((N,), (N, 1)), ((N, 1), (N,)), ((N, K, 1), (N, K)), ((N, K), (N, K, 1))])
def test_a_last_dimension_of_one_is_added_or_dropped(loss, true, pred):
    y_true, y_pred = rng.random(true).astype("float32"), rng.random(pred).astype("float32")
    theirs = getattr(keras.losses, loss.__name__)(reduction=None)
    close(loss(reduction=None)(y_true, y_pred), theirs(y_true, y_pred))
    assert loss()(y_true, y_pred).item() == pytest.approx(
        loss()(y_true.reshape(N, -1), y_pred.reshape(N, -1)).item(), rel=1e-5
    )


@pytest.mark.parametrize(
    ("loss", "true", "pred", "message"),
    [
        (
            "mse",
            (6,),
            (6, 4),
            r"mean_squared_error: y_true of shape \(6,\) does not match y_pred of shape \(6, 4\); .* 1 output",
        ),
        ("mse", (6, 1), (6, 4), "1 output instead of 4"),
        ("mae", (6, 3), (6, 4), "give the last layer 3 outputs instead of 4"),
        ("huber", (6,), (5,), "reshape the labels"),
        ("bce", (6, 4, 1), (6, 2), "expected one label for each prediction"),
        ("categorical_crossentropy", (6,), (6, 4), "sparse_categorical_crossentropy"),
        (
            "sparse_categorical_crossentropy",
            (6, 4),
            (6, 4),
            r"looks one-hot .* expected class numbers of shape \(6,\); use categorical",
        ),
        (
            "sparse_categorical_crossentropy",
            (5,),
            (6, 4),
            r"sparse_categorical_crossentropy: .*expected class numbers of shape \(6,\)",
        ),
    ],
)
def test_nothing_else_is_broadcast(loss, true, pred, message):
    with pytest.raises(ValueError, match=message), matching_exactly():
        losses.get(loss)(np.zeros(true), np.full(pred, 0.5, "float32"))


@pytest.mark.parametrize(("true", "pred"), [((6, 1), (6, 4)), ((1, 4), (6, 4)), ((6, 4), (6, 1)), ((1, 1), (1, 2))])
def test_shapes_of_one_rank_broadcast(true, pred):
    y, p = np.zeros(true, "float32"), np.full(pred, 0.5, "float32")
    expected = np.broadcast_to(p - y, np.broadcast_shapes(true, pred))
    for loss, value in (("mse", (expected**2).mean()), ("mae", abs(expected).mean()), ("bce", np.log(2))):
        assert losses.get(loss)(y, p).shape == expected.shape[:-1]
        np.testing.assert_allclose(losses.FunctionLoss(losses.get(loss))(y, p), value, rtol=1e-6)


def test_shapes_of_three_dimensions_broadcast_in_compiled_losses():
    model = Sequential([layers.Input((2, 3)), layers.Identity()])
    model.compile(loss="mse", metrics=["mae"])
    assert model.evaluate(np.full((4, 2, 3), 2.0), np.zeros((4, 1, 3)), verbose=0) == [4.0, 2.0]
    flat = Sequential([layers.Input((3,)), layers.Identity()])
    flat.compile(loss="mse")
    with pytest.raises(ValueError, match="1 output instead of 3"):
        flat.evaluate(np.ones((4, 3)), np.ones((4, 1)), verbose=0)


def test_unknown_sizes_match_any():
    y = losses.mean_squared_error(Tensor(Spec((None,))), Tensor(Spec((None, 1))))
    assert y.shape == (None,)
    y = losses.SparseCategoricalCrossentropy()(Tensor(Spec((None, 7), "int32")), Tensor(Spec((None, 7, 3))))
    assert y.shape == ()


def test_lists_and_structures():
    close(losses.MeanSquaredError()([0.0, 1.0], [1.0, 1.0]), 0.5)

    class Both(losses.Loss):
        def call(self, y_true, y_pred):
            return sum(ops.mean(ops.abs(y_true[k] - y_pred[k]), axis=-1) for k in y_true)

    close(Both()({"a": [[1.0]], "b": [[2.0]]}, {"a": [[0.0]], "b": [[0.0]]}), 3.0)

    class First(losses.Loss):
        def call(self, y_true, y_pred):
            return ops.abs(y_true[0] - y_pred[0])

    close(First()([np.ones(2), np.ones(3)], [np.zeros(2), np.zeros(3)]), 1.0)
    with pytest.raises(NotImplementedError, match="Unfinished: define call"):
        type("Unfinished", (losses.Loss,), {})()([1.0], [1.0])


def test_whole_numbers_are_computed_as_floats():
    assert losses.mean_squared_error([[1, 2]], [[2, 2]]).dtype == "float32"


def test_check_labels():
    losses.check_labels(np.array([[0], [2]]), 3)
    losses.check_labels([-1, 0], 3, ignore_class=-1)
    with pytest.raises(ValueError, match=r"got 3 at position 1, expected whole numbers 0 \.\.\. 2 for 3 classes"):
        losses.check_labels([0, 3], 3)
    with pytest.raises(ValueError, match=r"got -1 at position \(0, 1\)"):
        losses.check_labels([[0, -1]], 3)
    with pytest.raises(ValueError, match=r"got 0\.5 at position 0"):
        losses.check_labels([0.5], 3)
    with pytest.raises(ValueError, match="got nan at position 0"):
        losses.check_labels([np.nan], 3)


# --------------------------------------------------------------------------------------------------------------- names

NAMES = [
    *("mse MSE mae MAE mape MAPE msle MSLE bce BCE kld KLD hinge huber log_cosh poisson cosine_similarity").split(),
    *(case[0] for case in CASES if "Generalized" not in case[0]),  # which Keras' `get` does not know
    *(function_name(case[0]) for case in CASES if "Generalized" not in case[0]),
]


@pytest.mark.parametrize("name", sorted(set(NAMES)))
def test_names_mean_what_they_mean_in_keras(name):
    ours, theirs = losses.get(name), keras.losses.get(name)
    if callable(getattr(theirs, "call", None)):
        assert type(ours).__name__ == name
        assert ours.get_config().items() >= theirs.get_config().items()
    else:
        assert ours.__name__ == theirs.__name__


def test_get_takes_anything_that_stands_for_a_loss():
    def distance(y_true, y_pred):
        return ops.abs(y_true - y_pred)

    assert losses.get(None) is None
    assert losses.get(distance) is distance
    assert isinstance(losses.get(losses.Hinge), losses.Hinge)
    assert losses.get({"class_name": "Huber", "config": {"delta": 2.0}}).delta == 2.0
    assert losses.deserialize("distance", {"distance": distance}) is distance
    wrapped = losses.FunctionLoss(distance)
    assert wrapped.name == "distance"
    with serialization.custom_object_scope({"distance": distance}):
        close(losses.deserialize(losses.serialize(wrapped))([1.0], [3.0]), 2.0)
    with pytest.raises(ValueError, match="unknown loss 'mean_squarred_error'; did you mean 'mean_squared_error'"):
        losses.get("mean_squarred_error")
    with pytest.raises(ValueError, match="reduction: got 'summ'; did you mean 'sum'"):
        losses.Hinge(reduction="summ")
    with pytest.raises(ValueError, match="label_smoothing: got 2"):
        losses.BinaryCrossentropy(label_smoothing=2)
    with pytest.raises(ValueError, match="label_smoothing: got -1"):
        losses.categorical_crossentropy(*HOT, label_smoothing=-1)


def test_older_names_mean_the_same():
    assert losses.MSE is losses.mse is losses.mean_squared_error
    assert losses.kullback_leibler_divergence is losses.kld is losses.kl_divergence
    assert metrics.mae is losses.mean_absolute_error
    assert metrics.logcosh is losses.logcosh is losses.log_cosh
    assert "mse" not in dir(losses)
    values = losses.MeanSquaredError(reduction=losses.Reduction.NONE)(*REAL)
    close(values, losses.mse(*REAL))
    for reduction in losses.Reduction.all():
        assert losses.Hinge(reduction=reduction).reduction == reduction


def test_overlaps_over_several_axes():
    for name in ("dice", "tversky"):
        close(getattr(losses, name)(*HOT3, axis=(1, 2)), getattr(keras.losses, name)(*HOT3, axis=(1, 2)))


def test_circle_compares_with_other_embeddings():
    others, numbers = CLASSES[1][::-1].copy(), CLASSES[0][::-1].copy()
    options = {"ref_labels": numbers[:4], "ref_embeddings": others[:4], "remove_diagonal": False}
    close(losses.circle(*CLASSES, **options), keras.losses.circle(*CLASSES, **options))
    with pytest.raises(ValueError, match="q: got 1, expected a number above 0 and below 1"):
        losses.CategoricalGeneralizedCrossEntropy(q=1)


def test_automatic_names():
    class Mine(losses.Loss):
        def call(self, y_true, y_pred):
            return y_pred

    first, second = Mine(), Mine()
    assert first.name == "mine"
    assert second.name == "mine_1"


def test_crossentropy_is_the_one_that_fits_the_shapes():
    for classes, y in ((1, [0, 1]), (3, [0, 2]), (3, np.eye(3)[[0, 2]])):
        model = models.Sequential([layers.Input((2,)), layers.Dense(classes, activation="sigmoid")])
        model.compile("sgd", loss="crossentropy")
        assert np.isfinite(model.evaluate(np.ones((2, 2)), np.asarray(y), verbose=0))


def test_every_public_loss_is_compared_with_keras():
    made = {"Loss", "FunctionLoss", "Reduction", "check_labels", "deserialize", "get", "serialize"}
    assert set(losses.__all__) - made == {n for case in CASES for n in (case[0], function_name(case[0]))}
