"""Distillation, against Keras with the same weights."""

import keras
import numpy as np
import pytest

import layerwise
from layerwise import Sequential, distillation, layers, losses, ops, saving

X = np.random.default_rng(0).standard_normal((12, 4)).astype("float32")
Y = np.random.default_rng(1).integers(0, 3, 12)


def models(library):
    """A teacher and a student, built."""
    return [
        library.Sequential(
            [
                library.layers.Input((4,)),
                library.layers.Dense(units, activation="tanh", name=f"{role}_features"),
                library.layers.Dense(3, name=f"{role}_logits"),
            ]
        )
        for role, units in (("teacher", 5), ("student", 5))
    ]


def features(d):
    return d.FeatureDistillation("mse", "teacher_features", "student_features")


LOSSES = {  # from a module of distillation and the library that it is of
    "logits": lambda d, library: d.LogitsDistillation(2.0, library.losses.KLDivergence()),
    "another loss": lambda d, library: d.LogitsDistillation(2.0, "mse"),
    "outputs": lambda d, library: d.FeatureDistillation("mae"),
    "features": lambda d, library: features(d),
    "two": lambda d, library: [d.LogitsDistillation(loss=library.losses.KLDivergence()), features(d)],
}


@pytest.mark.parametrize("loss", LOSSES.values(), ids=LOSSES)
def test_a_step_is_keras(loss):
    found = {}
    weights = None
    for library, module in ((layerwise, distillation), (keras, keras.distillation)):
        teacher, student = models(library)
        weights = weights or [teacher.get_weights(), student.get_weights()]
        teacher.set_weights(weights[0])
        student.set_weights(weights[1])
        chosen = loss(module, library)
        distiller = module.Distiller(
            teacher, student, chosen, [1.0, 0.3] if isinstance(chosen, list) else None, student_loss_weight=0.25
        )
        entropy = library.losses.SparseCategoricalCrossentropy(from_logits=True)
        distiller.compile(library.optimizers.SGD(0.1), entropy, run_eagerly=library is keras)
        logs = distiller.train_on_batch(X, Y, return_dict=True)
        found[library] = logs, student.get_weights()
        for before, now in zip(weights[0], teacher.get_weights(), strict=True):
            np.testing.assert_array_equal(before, now)
    (ours, our_weights), (theirs, their_weights) = found.values()
    assert sorted(ours) == sorted(theirs)
    for name, value in theirs.items():
        np.testing.assert_allclose(ours[name], value, rtol=1e-5, err_msg=name)
    for a, b in zip(our_weights, their_weights, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


def test_the_student_predicts_and_a_file_brings_both_back(tmp_path):
    teacher, student = models(layerwise)
    distiller = distillation.Distiller(
        teacher, student, LOSSES["two"](distillation, layerwise), student_loss_weight=0.5
    )
    distiller.compile("sgd", losses.SparseCategoricalCrossentropy(from_logits=True))
    distiller.fit(X, Y, verbose=0)
    np.testing.assert_array_equal(distiller.predict(X, verbose=0), student.predict(X, verbose=0))
    distiller.save(tmp_path / "d.keras")
    twin = saving.load_model(tmp_path / "d.keras")
    np.testing.assert_allclose(twin.predict(X, verbose=0), student.predict(X, verbose=0), rtol=1e-6)
    assert twin.distillation_losses[1].teacher_layer_name == "teacher_features"
    assert not twin.teacher.trainable


def test_by_name_the_divergence_is_that_of_probabilities():
    """Keras takes the function of that name for one of logits."""
    teacher, student = np.float32([[4.0, 0.0]]), np.float32([[0.0, 4.0]])
    by_name, theirs = distillation.LogitsDistillation(2.0), keras.losses.KLDivergence()
    expected = keras.distillation.LogitsDistillation(2.0, theirs).compute_loss(teacher, student)
    np.testing.assert_allclose(by_name.compute_loss(ops.array(teacher), ops.array(student)), expected, rtol=1e-6)


def test_only_some_outputs_count():
    a, b = ops.ones((2, 3)), ops.zeros((2, 3))
    loss = distillation.FeatureDistillation(loss=["mse", None])
    assert loss.compute_loss([a, a], [b, b]).item() == 1.0
    with pytest.raises(ValueError, match="structures differ"):
        loss.validate_outputs([a, a], [b])


def test_what_is_wrong_is_said():
    teacher, student = models(layerwise)
    wrong = [
        (lambda: distillation.LogitsDistillation(temperature=0), "temperature: got 0, expected a number > 0"),
        (lambda: distillation.LogitsDistillation(loss=[None]), "expected at least one that is not None"),
        (lambda: distillation.Distiller(teacher, 3, []), "student: got a int, expected a Model"),
        (lambda: distillation.Distiller(teacher, student, None), "distillation_losses: got None"),
        (lambda: distillation.Distiller(teacher, student, [], [1.0]), "got 1, expected 0, one for each"),
        (lambda: distillation.Distiller(teacher, student, [], student_loss_weight=2), "got 2, expected 0 ... 1"),
        (
            lambda: distillation.Distiller(
                teacher, student, distillation.FeatureDistillation("mse", "teacher_featurs", "student_features")
            ),
            "no layer is named 'teacher_featurs'",
        ),
        (
            lambda: distillation.Distiller(
                teacher, Sequential([layers.Input((4,)), layers.Dense(2)]), distillation.LogitsDistillation()
            ),
            "outputs: the teacher has",
        ),
    ]
    for do, message in wrong:
        with pytest.raises(ValueError, match=message):
            do()
