"""Metrics against Keras over several batches: results, configurations; and independence of how data is cut."""

import copy
import pickle
from itertools import pairwise

import jax
import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from layerwise import config, losses, metrics, ops, serialization
from layerwise.autograd import Spec, Tensor, raw
from layerwise.variables import StepFunction, rehearsal

rng = np.random.default_rng(1)
N, K = 8, 3


def floats(*shape):
    return rng.standard_normal(shape).astype("float32")


def probabilities(*shape):
    x = np.exp(floats(*shape))
    return x / x.sum(-1, keepdims=True)


def batches(make):
    """Three batches of labels and predictions."""
    return [make() for _ in range(3)]


def rounded(*shape):
    """Numbers in [0, 1] with ties, the ends and points on thresholds among them."""
    return (rng.integers(0, 9, shape) / 8).astype("float32")


REAL = batches(lambda: (floats(N, K), floats(N, K)))
REAL3 = batches(lambda: (floats(2, 4, K), floats(2, 4, K)))
POSITIVE = batches(lambda: (rng.random((N, K)).astype("float32"), rng.random((N, K)).astype("float32")))
BINARY = batches(lambda: (rng.integers(0, 2, (N, K)).astype("float32"), rounded(N, K)))
COLUMN = batches(lambda: (rng.integers(0, 2, N), rounded(N, 1)))
BINARY_LOGITS = batches(lambda: (rng.integers(0, 2, (N, K)).astype("float32"), floats(N, K)))
HOT = batches(lambda: (np.eye(K, dtype="float32")[rng.integers(0, K, N)], probabilities(N, K)))
SPARSE = batches(lambda: (rng.integers(0, K, N), probabilities(N, K)))
SPARSE_COLUMN = batches(lambda: (rng.integers(0, K, (N, 1)), probabilities(N, K)))
SPARSE3 = batches(lambda: (rng.integers(0, K, (2, 4)), probabilities(2, 4, K)))
TIED = batches(lambda: (rng.integers(0, K, N), rng.integers(0, 2, (N, K)).astype("float32")))
CLASSES = batches(lambda: (rng.integers(0, K, N), rng.integers(0, K, N)))

CASES = [
    ("Accuracy", {}, CLASSES),
    ("BinaryAccuracy", {}, BINARY),
    ("BinaryAccuracy", {"threshold": 0.25}, COLUMN),
    ("CategoricalAccuracy", {}, HOT),
    ("SparseCategoricalAccuracy", {}, SPARSE),
    ("SparseCategoricalAccuracy", {}, SPARSE_COLUMN),
    ("SparseCategoricalAccuracy", {}, SPARSE3),
    ("SparseCategoricalAccuracy", {}, TIED),
    ("TopKCategoricalAccuracy", {"k": 2}, HOT),
    ("SparseTopKCategoricalAccuracy", {"k": 2}, SPARSE3),
    ("SparseTopKCategoricalAccuracy", {"k": 2}, TIED),
    ("SparseTopKCategoricalAccuracy", {}, SPARSE_COLUMN),
    ("SparseTopKCategoricalAccuracy", {"k": 2, "from_sorted_ids": True}, [(y, np.argsort(-p)) for y, p in SPARSE]),
    ("MeanSquaredError", {}, REAL),
    ("MeanSquaredError", {}, REAL3),
    ("RootMeanSquaredError", {}, REAL),
    ("RootMeanSquaredError", {}, REAL3),
    ("MeanAbsoluteError", {}, REAL),
    ("MeanAbsolutePercentageError", {}, POSITIVE),
    ("MeanSquaredLogarithmicError", {}, POSITIVE),
    ("LogCoshError", {}, REAL),
    ("CosineSimilarity", {}, REAL),
    ("Hinge", {}, BINARY_LOGITS),
    ("SquaredHinge", {}, BINARY_LOGITS),
    ("CategoricalHinge", {}, HOT),
    ("KLDivergence", {}, HOT),
    ("Poisson", {}, POSITIVE),
    ("BinaryCrossentropy", {"label_smoothing": 0.1}, BINARY),
    ("CategoricalCrossentropy", {}, HOT),
    ("SparseCategoricalCrossentropy", {}, SPARSE),
    ("SparseCategoricalCrossentropy", {"from_logits": True}, SPARSE3),
    ("AUC", {}, BINARY),
    ("AUC", {"num_thresholds": 17}, COLUMN),
    ("AUC", {"curve": "PR"}, BINARY),
    ("AUC", {"curve": "PR", "summation_method": "minoring", "num_thresholds": 17}, BINARY),
    ("AUC", {"summation_method": "majoring", "num_thresholds": 17}, BINARY),
    ("AUC", {"thresholds": [0.1, 0.5, 0.7]}, BINARY),
    ("AUC", {"multi_label": True, "num_thresholds": 17}, BINARY),
    ("AUC", {"multi_label": True, "num_labels": 3, "label_weights": [1.0, 2.0, 0.5], "num_thresholds": 17}, BINARY),
    ("AUC", {"label_weights": [1.0, 2.0, 0.5], "num_thresholds": 17}, BINARY),
    ("AUC", {"from_logits": True}, BINARY_LOGITS),
    ("Precision", {}, BINARY),
    ("Precision", {"thresholds": [0.2, 0.5, 0.9]}, COLUMN),
    ("Precision", {"top_k": 2}, HOT),
    ("Precision", {"top_k": 1, "class_id": 1}, HOT),
    ("Recall", {}, BINARY),
    ("Recall", {"thresholds": 0.25, "class_id": 0}, BINARY),
    ("Recall", {"top_k": 2, "thresholds": 0.3}, BINARY),
    ("TruePositives", {}, BINARY),
    ("FalsePositives", {"thresholds": [0.2, 0.5]}, BINARY),
    ("TrueNegatives", {"thresholds": 0.7}, COLUMN),
    ("FalseNegatives", {}, BINARY),
    ("SensitivityAtSpecificity", {"specificity": 0.4}, BINARY),
    ("SpecificityAtSensitivity", {"sensitivity": 0.6, "num_thresholds": 1}, BINARY),
    ("PrecisionAtRecall", {"recall": 0.5}, BINARY),
    ("RecallAtPrecision", {"precision": 0.5, "num_thresholds": 17}, BINARY),
    ("RecallAtPrecision", {"precision": 1.0, "class_id": 1}, BINARY),
    ("FBetaScore", {"beta": 2.0}, HOT),
    ("FBetaScore", {"average": "micro", "beta": 0.5, "threshold": 0.4}, BINARY),
    ("F1Score", {}, HOT),
    ("F1Score", {"average": "macro", "threshold": 0.4}, BINARY),
    ("F1Score", {"average": "weighted"}, HOT),
    ("R2Score", {}, REAL),
    (
        "R2Score",
        {"class_aggregation": "variance_weighted_average", "num_regressors": 2},
        [(y[:, :1], p[:, :1]) for y, p in REAL],
    ),
    ("R2Score", {"class_aggregation": None}, REAL),
    ("PearsonCorrelation", {}, REAL),
    ("PearsonCorrelation", {"axis": 1}, REAL3),
    ("ConcordanceCorrelation", {}, REAL3),
    ("ConcordanceCorrelation", {"axis": -1}, [(y, 2 * y + p) for y, p in REAL]),
    ("IoU", {"num_classes": 3, "target_class_ids": [0, 2]}, CLASSES),
    ("MeanIoU", {"num_classes": 4}, CLASSES),
    ("MeanIoU", {"num_classes": 3, "ignore_class": 1, "sparse_y_pred": False}, SPARSE),
    ("OneHotIoU", {"num_classes": 3, "target_class_ids": (0, 1)}, HOT),
    ("OneHotMeanIoU", {"num_classes": 3}, HOT),
    ("BinaryIoU", {"threshold": 0.3}, BINARY),
]
UNWEIGHTED = {
    "IoU",
    "MeanIoU",
    "OneHotIoU",
    "OneHotMeanIoU",
    "BinaryIoU",
}  # whole numbers: their weights are tested below


def ids(case):
    return f"{case[0]}-{'-'.join(map(str, case[1]))}-{np.ndim(case[2][0][1])}d"


every_case = pytest.mark.parametrize("case", CASES, ids=ids)


def close(ours, theirs, tolerance=1e-5):
    np.testing.assert_allclose(np.asarray(ours), np.asarray(theirs), rtol=tolerance, atol=tolerance)


def weights_for(name, data):
    """For each batch: none, a weight for each sample, none."""
    if name in UNWEIGHTED:
        return [None, None, None]
    labels, predictions = data[1]
    column = np.ndim(labels) == 1 and np.ndim(predictions) == 2 and predictions.shape[1] == 1
    shape = (len(labels), 1) if column else (len(labels),) + (1,) * (name in NEED_COLUMN)
    return [None, rng.random(shape).astype("float32"), None]


# Keras broadcasts weights of these from the right; ours belong to the leading dimensions.
NEED_COLUMN = {
    *"AUC Precision Recall TruePositives FalsePositives TrueNegatives FalseNegatives".split(),
    *"SensitivityAtSpecificity SpecificityAtSensitivity PrecisionAtRecall RecallAtPrecision BinaryAccuracy".split(),
}


@every_case
def test_results_are_those_of_keras(case):
    name, options, data = case
    ours = getattr(metrics, name)(**options)
    weights = weights_for(name, data)
    if name in ("Recall", "RecallAtPrecision", "Precision") and "class_id" in options:
        weights = [None if w is None else w[:, 0] for w in weights]

    def keras_results(data, weights):
        theirs, results = getattr(keras.metrics, name)(**options), []
        for (y_true, y_pred), weight in zip(data, weights):
            theirs.update_state(y_true, y_pred, weight)
            results.append(theirs.result())
        return results

    # One compilation instead of one for each operation; R2Score looks at values.
    expected = (keras_results if name == "R2Score" else jax.jit(keras_results))(data, weights)
    for (y_true, y_pred), weight, result in zip(data, weights, expected, strict=True):
        ours.update_state(y_true, y_pred, weight)
        close(ours.result(), result)
        assert ours.result().dtype == result.dtype
    assert all(not v.trainable for v in ours.variables)
    ours.reset_state()
    assert not any(v.numpy().any() for v in ours.variables)
    close(ours(*data[0]), getattr(metrics, name)(**options)(*data[0]))


@every_case
def test_configurations_are_those_of_keras_and_lose_nothing(case):
    name, options, data = case
    ours, theirs = getattr(metrics, name)(name="x", **options), getattr(keras.metrics, name)(name="x", **options)
    found, expected = ours.get_config(), theirs.get_config()
    forgotten = {"CosineSimilarity": {"axis"}, "SparseTopKCategoricalAccuracy": {"from_sorted_ids"}}.get(name, set())
    forgotten -= set(expected)
    if "label_weights" in expected and expected["label_weights"] is not None:
        expected["label_weights"] = np.asarray(expected["label_weights"]).tolist()
    assert {key: value for key, value in found.items() if key not in forgotten} == expected
    assert set(found) - set(expected) == forgotten
    again = metrics.deserialize(metrics.serialize(ours))
    assert again.get_config() == found
    assert again.name == "x"
    assert again.dtype == ours.dtype
    close(again(*data[0]), ours(*data[0]))
    keras.metrics.deserialize(metrics.serialize(ours))


@every_case
def test_a_compiled_step_gives_the_same(case):
    """Updates are pure: on symbolic values they build and change nothing, inside a step they run as outside."""
    name, options, data = case
    eager, stepped = getattr(metrics, name)(**options), getattr(metrics, name)(**options)
    y_true, y_pred = (np.asarray(part) for part in data[0])
    if name == "SparseTopKCategoricalAccuracy" and "from_sorted_ids" in options:
        y_pred = y_pred.astype("float32")
    with rehearsal():
        stepped.update_state(*(Tensor(Spec((None, *part.shape[1:]), part.dtype.name)) for part in (y_true, y_pred)))
    assert not any(v.numpy().any() for v in stepped.variables)
    step = StepFunction(lambda y, p: (stepped.update_state(y, p), stepped.result())[1], stepped.variables)
    for y, p in data[:2]:
        eager.update_state(y, p)
        result = step(np.asarray(y), np.asarray(p, y_pred.dtype))
    close(result, eager.result(), 1e-6)


@pytest.mark.own_backend
@pytest.mark.parametrize("case", {case[0]: case for case in CASES}.values(), ids=ids)
def test_updates_and_results_can_be_traced(case):
    name, options, data = case
    y_true, y_pred = data[0]
    with config.override(backend="xla"):
        metric = getattr(metrics, name)(**options)
        with rehearsal():
            metric.update_state(*(Tensor(Spec(part.shape, part.dtype.name)) for part in (y_true, y_pred)))

        def step(state, y_true, y_pred):
            state = metric.stateless_update_state(state, Tensor(y_true), Tensor(y_pred))
            return [raw(value) for value in state], raw(metric.stateless_result(state))

        state = [raw(value) for value in metric.stateless_reset_state()]
        traced, result = jax.eval_shape(step, state, y_true, y_pred)
    assert [(v.shape, v.dtype) for v in traced] == [(v.shape, v.dtype) for v in state]
    assert result.dtype == "float32"


@settings(deadline=None, max_examples=30)
@given(
    cuts=st.sets(st.integers(1, 3 * N - 1), max_size=4), which=st.integers(0, len(CASES) - 1), weighted=st.booleans()
)
def test_results_do_not_depend_on_how_data_is_cut_into_batches(cuts, which, weighted):
    name, options, data = CASES[which]
    y_true, y_pred = (np.concatenate(parts) for parts in zip(*data))
    weight = np.linspace(0.5, 2, len(y_true)).astype("float32")
    whole, parts = getattr(metrics, name)(**options), getattr(metrics, name)(**options)
    weighted = weighted and name not in UNWEIGHTED
    whole.update_state(y_true, y_pred, weight if weighted else None)
    edges = [0, *sorted(c for c in cuts if c < len(y_true)), len(y_true)]
    for start, stop in pairwise(edges):
        some = slice(start, stop)
        parts.update_state(y_true[some], y_pred[some], weight[some] if weighted else None)
    close(parts.result(), whole.result())


# ---------------------------------------------------------------------------------------------------- means, functions


@pytest.mark.parametrize("shape", [None, (), (N,), (N, 1), (N, K)])
@pytest.mark.parametrize("name", ["Mean", "Sum"])
def test_means_and_sums_weigh_as_keras_does(name, shape):
    ours, theirs = getattr(metrics, name)(), getattr(keras.metrics, name)()
    for values, _ in REAL:
        weight = None if shape is None else rng.random(shape).astype("float32")
        ours.update_state(values, weight)
        theirs.update_state(values, weight)
    close(ours.result(), theirs.result())
    ours.update_state(3.0)
    theirs.update_state(3.0)
    close(ours.result(), theirs.result())


def test_a_mean_of_nothing_is_zero():
    assert metrics.Mean().result().item() == 0.0
    assert [m().result().item() for m in (metrics.AUC, metrics.F1Score, metrics.R2Score, metrics.Precision)] == [
        0.0
    ] * 4
    assert metrics.AUC(multi_label=True).result().item() == 0.0


def test_masked_steps_do_not_count():
    y_true, y_pred = SPARSE3[0]
    mask = np.array([[True, False, True, True], [True, True, False, False]])
    right = y_pred.argmax(-1) == y_true
    metric = metrics.SparseCategoricalAccuracy()
    metric.update_state(y_true, Tensor(y_pred).note("mask", Tensor(mask)))
    close(metric.result(), right[mask].mean())
    weight = np.array([1.0, 3.0])
    metric.reset_state()
    metric.update_state(y_true, Tensor(y_pred).note("mask", Tensor(mask)), weight)
    close(metric.result(), np.average(right, weights=mask * weight[:, None]))
    area = metrics.AUC(from_logits=True)
    area.update_state(mask, Tensor(np.where(mask, 2.0, 3.0).astype("float32")).note("mask", Tensor(mask)))
    assert area.false_positives.numpy().sum() == 0
    precision = metrics.Precision()
    precision.update_state(mask, Tensor(np.full((2, 4), 0.9, "float32")).note("mask", Tensor(mask)))
    assert precision.result().item() == 1.0


def test_an_ignored_class_does_not_count():
    """As in the loss; in Keras' metric it counts as a loss of 0."""
    y_true, y_pred = SPARSE[0]
    metric = metrics.SparseCategoricalCrossentropy(ignore_class=1)
    metric.update_state(y_true, y_pred)
    close(metric.result(), losses.sparse_categorical_crossentropy(y_true, y_pred).numpy()[y_true != 1].mean())


def test_a_function_as_a_metric():
    ours = metrics.MeanMetricWrapper(losses.huber, name="x", delta=0.3)
    theirs = keras.metrics.MeanMetricWrapper(keras.losses.huber, name="x", delta=0.3)
    for batch in REAL:
        close(ours(*batch), theirs(*batch))
    assert ours.get_config() | {"fn": 0} == theirs.get_config() | {"fn": 0}
    assert ours.delta == 0.3
    assert metrics.MeanMetricWrapper(losses.huber).name == "huber"
    ours.reset_state()
    close(metrics.deserialize(metrics.serialize(ours))(*REAL[0]), ours(*REAL[0]))


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("binary_accuracy", COLUMN),
        ("categorical_accuracy", HOT),
        ("sparse_categorical_accuracy", SPARSE3),
        ("sparse_categorical_accuracy", SPARSE_COLUMN),
        ("top_k_categorical_accuracy", HOT),
        ("sparse_top_k_categorical_accuracy", TIED),
        ("mean_squared_error", REAL),
        ("sparse_categorical_crossentropy", SPARSE),
    ],
)
def test_functions_are_those_of_keras(name, data):
    options = {"k": 2} if "top_k" in name else {}
    for y_true, y_pred in data:
        ours = getattr(metrics, name)(y_true, y_pred, **options)
        theirs = getattr(keras.metrics, name)(y_true, y_pred, **options)
        assert ours.shape == theirs.shape
        close(ours, theirs)


def test_a_prediction_that_is_not_a_number_is_never_right():
    p = np.array([[0.5, np.nan, 0.3]] * 3, "float32")
    assert metrics.sparse_top_k_categorical_accuracy([0, 1, 2], p, k=2).numpy().tolist() == [1.0, 0.0, 0.0]


def test_saturated_probabilities_are_measured_by_their_logits():
    z = np.array([[-200.0, 200.0]], "float32")
    assert metrics.SparseCategoricalCrossentropy()([0], ops.softmax(z)).item() == 400.0


def test_whole_number_counts_take_fractional_weights_where_asked():
    y_true, y_pred = CLASSES[0]
    weight = rng.random(N).astype("float32")
    ours = metrics.MeanIoU(3, dtype="float32")
    theirs = keras.metrics.MeanIoU(3, dtype="float32")
    close(ours(y_true, y_pred, weight), theirs(y_true, y_pred, weight))


def test_r2_keeps_its_digits_far_from_zero():
    y = (10000 + np.linspace(0, 1, 64)).astype("float32")[:, None]
    p = (y + 0.1 * np.sin(np.arange(64))[:, None]).astype("float32")
    metric = metrics.R2Score()
    for part in np.split(np.arange(64), 4):
        metric.update_state(y[part], p[part])
    exact = 1 - ((y - p).astype("float64") ** 2).sum() / ((y - y.astype("float64").mean()) ** 2).sum()
    close(metric.result(), exact, 1e-3)
    close(metrics.R2Score()([1.0, 2.0], [1.0, 2.5]), 0.5)
    close(metrics.R2Score()([1.0, 2.0], [1.0, 2.5], [1.0, 1.0]), 0.5)


# ------------------------------------------------------------------------------------------------------- the base class


class Largest(metrics.Metric):
    """A user's own metric, with another inside."""

    def __init__(self, name=None, dtype=None):
        super().__init__(dtype, name)
        self.largest = self.add_weight(name="largest", initializer=ops.ones)
        self.mean = metrics.Mean()

    def update_state(self, y_true, y_pred, sample_weight=None):
        self.largest.assign(ops.maximum(self.largest, ops.max(y_pred)))
        self.mean.update_state(y_pred)

    def result(self):
        return {"largest": self.largest.value, "mean": self.mean.result()}


def test_own_metrics():
    metric = Largest()
    assert metric.name == "largest"
    assert [v.path for v in metric.variables] == ["largest/largest", "mean/total", "mean/count"]
    assert {k: v.item() for k, v in metric([0.0], [0.5, 3.5]).items()} == {"largest": 3.5, "mean": 2.0}
    assert metric.get_config() == {"name": "largest", "dtype": "float32"}
    for twin in (copy.deepcopy(metric), pickle.loads(pickle.dumps(metric))):
        twin.update_state([0.0], [9.0])
        assert twin.result()["largest"].item() == 9.0
    assert metric.result()["largest"].item() == 3.5
    metric.reset_state()
    assert metric.result()["largest"].item() == 0.0
    for call in (metrics.Metric().result, metrics.Metric().update_state):
        with pytest.raises(NotImplementedError, match="Metric: define"):
            call()


def test_stateless_calls_leave_the_state_alone():
    metric = metrics.Mean()
    metric.update_state([1.0])
    state = metric.stateless_update_state(metric.stateless_reset_state(), [4.0, 6.0])
    assert metric.stateless_result(state).item() == 5.0
    assert metric.result().item() == 1.0


@pytest.mark.float64
def test_state_follows_floatx():
    with config.override(floatx="float64"):
        metric = metrics.MeanSquaredError()
    assert metric.dtype == "float64"
    assert metric([[1.0]], [[3.0]]).dtype == "float64"
    assert metrics.Mean(dtype="float16").total.dtype == "float16"


def test_automatic_names_count():
    first, second = metrics.Precision(), metrics.Precision()
    assert first.name.startswith("precision")
    assert second.name != first.name
    assert "Precision precision" in repr(first)


# --------------------------------------------------------------------------------------------------------------- names


@pytest.mark.parametrize(
    "name",
    [
        *sorted({case[0] for case in CASES if "num_classes" not in case[1] and "At" not in case[0]}),
        *"mse MSE mae MAE mape MAPE msle MSLE bce BCE mean sum auc precision recall f1_score r2_score".split(),
        *"top_k_categorical_accuracy root_mean_squared_error sparse_categorical_accuracy kl_divergence".split(),
        *"accuracy binary_accuracy hinge poisson cosine_similarity binary_crossentropy".split(),
    ],
)
def test_names_mean_what_they_mean_in_keras(name):
    ours, theirs = metrics.get(name), keras.metrics.get(name)
    assert type(ours).__name__ == type(theirs).__name__
    assert ours.name.rstrip("_0123456789") == theirs.name.rstrip("_0123456789")


def test_get_takes_anything_that_stands_for_a_metric():
    assert metrics.get(None) is None
    assert metrics.get(losses.huber) is losses.huber
    assert metrics.get("huber") is losses.huber
    assert isinstance(metrics.get("kld"), metrics.KLDivergence)
    assert isinstance(metrics.get(metrics.AUC), metrics.AUC)
    assert metrics.get({"class_name": "TopKCategoricalAccuracy", "config": {"k": 3}}).k == 3
    assert isinstance(metrics.deserialize("Largest", {"Largest": Largest}), Largest)
    with serialization.custom_object_scope({"Largest": Largest}):
        assert isinstance(metrics.deserialize(metrics.serialize(Largest())), Largest)
    with pytest.raises(ValueError, match="unknown metric 'presicion'; did you mean 'precision'"):
        metrics.get("presicion")


@pytest.mark.parametrize(
    ("true", "pred", "accuracy"),
    [
        ((N,), (N,), "BinaryAccuracy"),
        ((N,), (N, 1), "BinaryAccuracy"),
        ((N, 1), (N, 1), "BinaryAccuracy"),
        ((None, 10), (None, 10), "CategoricalAccuracy"),
        ((None, 7, 10), (None, 7, 10), "CategoricalAccuracy"),
        ((None,), (None, 10), "SparseCategoricalAccuracy"),
        ((None, 1), (None, 10), "SparseCategoricalAccuracy"),
        ((None, 7), (None, 7, 10), "SparseCategoricalAccuracy"),
    ],
)
def test_accuracy_and_crossentropy_are_chosen_by_shape(true, pred, accuracy):
    found = metrics.accuracy_for(true, pred)
    assert type(found).__name__ == accuracy
    assert found.name == "accuracy"
    assert type(metrics.crossentropy_for(true, pred)).__name__ == accuracy.replace("Accuracy", "Crossentropy")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: metrics.BinaryAccuracy(threshold=2), "threshold: got 2"),
        (lambda: metrics.Precision(thresholds=[0.5, 1.5]), r"Precision: thresholds: got \[0\.5, 1\.5\]"),
        (lambda: metrics.AUC(curve="roc"), "curve: got 'roc', expected 'ROC', 'PR' or 'PRGAIN'"),
        (lambda: metrics.AUC(summation_method="mean"), "summation_method: got 'mean'"),
        (lambda: metrics.AUC(num_thresholds=1), "num_thresholds: got 1"),
        (lambda: metrics.AUC(num_labels=3), "num_labels: only with multi_label"),
        (lambda: metrics.PrecisionAtRecall(2), "PrecisionAtRecall: recall: got 2"),
        (lambda: metrics.PrecisionAtRecall(0.5, num_thresholds=0), "num_thresholds: got 0"),
        (lambda: metrics.F1Score(average="mean"), "F1Score: average: got 'mean'"),
        (lambda: metrics.FBetaScore(beta=0), "beta: got 0"),
        (lambda: metrics.F1Score(threshold=0), "threshold: got 0"),
        (lambda: metrics.F1Score()([1.0], [1.0]), r"f1_score: y_pred: got shape \(1,\), expected \(samples, classes\)"),
        (lambda: metrics.R2Score("mean"), "class_aggregation: got 'mean'"),
        (lambda: metrics.R2Score(num_regressors=-1), "num_regressors: got -1"),
        (
            lambda: metrics.R2Score()(np.zeros((2, 2, 2)), np.zeros((2, 2, 2))),
            r"r2_score: y_pred: got shape \(2, 2, 2\)",
        ),
        (lambda: metrics.MeanIoU(2)([0, 1], [0, 1, 1]), r"mean_io_u.*y_true of shape \(2,\) does not match"),
        (lambda: metrics.IoU(2, [2]), r"IoU: target_class_ids: got \[2\]"),
        (lambda: metrics.Accuracy()([0, 1], [[0, 1], [1, 1]]), r"accuracy: y_true of shape \(2,\)"),
        (
            lambda: metrics.SparseCategoricalAccuracy()(HOT[0][0], HOT[0][1]),
            "sparse_categorical_accuracy: .* looks one-hot",
        ),
        (lambda: metrics.Mean()([1.0, 2.0], [1.0, 2.0, 3.0]), r"mean: sample_weight: got shape \(3,\)"),
    ],
)
def test_mistakes(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_every_public_class_is_compared_with_keras():
    compared = {case[0] for case in CASES} | {"Mean", "Sum", "Metric", "MeanMetricWrapper"}
    assert {name for name in metrics.__all__ if isinstance(getattr(metrics, name), type)} == compared
