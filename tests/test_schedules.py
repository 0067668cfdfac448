"""Learning-rate schedules against Keras, step by step."""

import keras
import numpy as np
import pytest

from layerwise import config, optimizers, variables
from layerwise.optimizers import schedules

CASES = [
    ("ExponentialDecay", (0.3, 7, 0.6), {}),
    ("ExponentialDecay", (0.3, 7, 0.6), {"staircase": True, "name": "mine"}),
    ("InverseTimeDecay", (0.3, 7, 0.6), {}),
    ("InverseTimeDecay", (0.3, 7, 0.6), {"staircase": True}),
    ("PiecewiseConstantDecay", ([5], [0.1, 0.2]), {}),
    ("PiecewiseConstantDecay", ([3, 10, 11], [1.0, 0.5, 0.1, 0.01]), {}),
    ("PolynomialDecay", (0.3, 13), {}),
    ("PolynomialDecay", (0.3, 13), {"end_learning_rate": 0.01, "power": 2.5}),
    ("PolynomialDecay", (0.3, 7), {"end_learning_rate": 0.01, "power": 0.5, "cycle": True}),
    ("CosineDecay", (0.3, 13), {}),
    ("CosineDecay", (0.3, 13), {"alpha": 0.2}),
    ("CosineDecay", (0.1, 13), {"warmup_target": 0.5, "warmup_steps": 6, "alpha": 0.1}),
    ("CosineDecay", (0.1, 13), {"warmup_target": 0.5, "warmup_steps": 0}),
    ("CosineDecayRestarts", (0.3, 5), {}),
    ("CosineDecayRestarts", (0.3, 5), {"t_mul": 1.0, "m_mul": 0.8, "alpha": 0.05}),
    ("CosineDecayRestarts", (0.3, 3), {"t_mul": 1.5, "m_mul": 0.7}),
]


@pytest.mark.parametrize(("name", "args", "kwargs"), CASES)
def test_rates_and_configurations_are_those_of_keras(name, args, kwargs):
    ours, theirs = getattr(schedules, name)(*args, **kwargs), getattr(keras.optimizers.schedules, name)(*args, **kwargs)
    steps = (0, 1, 2, 3, 4, 5, 6, 7, 10, 11, 13, 14, 15, 19, 35, 39)
    rates = [ours(step) for step in steps]
    assert {rate.dtype for rate in rates} == {"float32"}
    assert {rate.shape for rate in rates} == {()}
    np.testing.assert_allclose([r.item() for r in rates], [float(theirs(s)) for s in steps], rtol=2e-6, atol=1e-8)

    node = schedules.serialize(ours)
    assert node == keras.optimizers.schedules.serialize(theirs)
    assert schedules.serialize(schedules.deserialize(node)) == node


@pytest.mark.parametrize(("name", "args", "kwargs"), CASES)
def test_rates_are_the_same_in_a_compiled_step(name, args, kwargs):
    schedule = getattr(schedules, name)(*args, **kwargs)
    expected = [schedule(step).item() for step in range(50)]
    with config.override(backend="xla"):
        step_count = variables.Variable(0, dtype="int32", trainable=False)

        def step():
            rate = schedule(step_count)
            step_count.assign_add(1)
            return rate

        compiled = variables.StepFunction(step, [step_count])
        np.testing.assert_allclose([compiled().item() for _ in expected], expected, rtol=2e-6, atol=1e-7)


@pytest.mark.parametrize("backend", ["numpy", "xla"])
@pytest.mark.parametrize("period", [3, 7, 10, 13, 49])
def test_jumps_come_at_the_very_step(backend, period):
    with config.override(backend=backend):
        step_count = variables.Variable(0, dtype="int32", trainable=False)

        def rates():
            return [
                schedules.ExponentialDecay(1.0, period, 0.5, staircase=True)(step_count),
                schedules.CosineDecayRestarts(1.0, period)(step_count),
                schedules.CosineDecayRestarts(1.0, period, t_mul=1.0)(step_count),
                schedules.PolynomialDecay(1.0, period, 0.0, cycle=True)(step_count),
                schedules.PolynomialDecay(1.0, period, 0.0, power=0.5)(step_count),
            ]

        compiled = variables.StepFunction(rates, [step_count])
        for times in (1, 3, 7, 15):  # periods of double length start at these multiples
            step_count.assign(times * period)
            stairs, doubling, equal, cycle, end = (rate.item() for rate in compiled())
            assert (stairs, end) == (0.5**times, 0.0)
            np.testing.assert_allclose([doubling, equal, cycle], [1.0, 1.0, 0.0], atol=1e-6)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: schedules.ExponentialDecay(0.1, 0, 0.5), "ExponentialDecay: decay_steps: got 0"),
        (lambda: schedules.InverseTimeDecay(0.1, -1, 0.5), "InverseTimeDecay: decay_steps: got -1"),
        (lambda: schedules.CosineDecayRestarts(0.1, 0), "CosineDecayRestarts: first_decay_steps: got 0"),
        (lambda: schedules.CosineDecayRestarts(0.1, 5, t_mul=0.5), "t_mul: got 0.5"),
        (lambda: schedules.PiecewiseConstantDecay([1, 2], [0.1, 0.2]), "got 2 for 2 boundaries, expected one more"),
        (lambda: schedules.PiecewiseConstantDecay([2, 1], [0.1, 0.2, 0.3]), "expected increasing numbers"),
        (lambda: schedules.LearningRateSchedule()(0), "LearningRateSchedule has no __call__"),
        (lambda: schedules.CosineDeca, "nearest: 'CosineDecay'"),
    ],
)
def test_mistakes(make, message):
    with pytest.raises((ValueError, TypeError, AttributeError)) as caught:
        make()
    assert message in str(caught.value)


def test_a_users_schedule_works_in_an_optimizer():
    class Steps(schedules.LearningRateSchedule):
        def __init__(self, first):
            self.first = first

        def __call__(self, step):
            return self.first / (step + 1)

    w, optimizer = variables.Variable([1.0]), optimizers.SGD(Steps(0.5))
    optimizer.apply([[1.0]], [w])
    optimizer.apply([[1.0]], [w])
    assert w.numpy() == 0.25
    assert Steps.from_config(Steps(0.5).get_config()).first == 0.5


def test_every_public_schedule_is_compared_with_keras():
    classes = {name for name in dir(schedules) if isinstance(getattr(schedules, name), type)}
    assert classes - {"LearningRateSchedule"} == {case[0] for case in CASES}
