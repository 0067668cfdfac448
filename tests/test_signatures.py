"""Arguments: the names, order and defaults of Keras, and what is said of wrong ones."""

import inspect
from operator import attrgetter
from typing import Any

import keras
import pytest

import layerwise
from layerwise import losses, metrics

CLASSES = [
    f"{namespace}.{name}"
    for namespace in ("losses", "metrics", "optimizers", "optimizers.schedules")
    for name in attrgetter(namespace)(layerwise).__all__
    if inspect.isclass(getattr(attrgetter(namespace)(keras), name, None))
]
# What is deliberately different, with its reason.
DIFFERENT: dict[str, str] = {}


def arguments(cls: Any) -> list[tuple[str, Any]]:
    """The names and defaults of the arguments of a class, in order."""
    parameters = list(inspect.signature(cls.__init__).parameters.values())[1:]
    assert not any(p.kind is p.KEYWORD_ONLY for p in parameters)
    return [(p.name, p.default) for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD]


@pytest.mark.parametrize("name", CLASSES)
def test_every_signature_is_that_of_keras(name):
    ours, theirs = (arguments(attrgetter(name)(library)) for library in (layerwise, keras))
    if name.startswith("optimizers.") and "schedules" not in name:  # ours are numbered where they have no name
        ours, theirs = (({**dict(found), "name": None}, [n for n, _ in found]) for found in (ours, theirs))
    assert (ours == theirs) is (name not in DIFFERENT)


def test_a_class_declared_from_a_function_takes_its_options():
    def distance(y_true, y_pred, power: float = 1.0, *, scale: float = 1.0):
        return scale * abs(y_true - y_pred) ** power

    class Distance(losses.FunctionLoss, fn=distance):
        """scale |y_true - y_pred|^power"""

    class Farther(Distance, fn=distance, name="far", takes="name power"): ...

    assert [p for p, _ in arguments(Distance)] == ["power", "scale", "reduction", "name", "dtype"]
    assert Distance.fn is distance
    loss = Distance(2.0, name="d")
    assert (loss.power, loss.scale, loss.name) == (2.0, 1.0, "d")
    assert loss([1.0], [4.0]).item() == 9.0
    assert arguments(Farther) == [("name", "far"), ("power", 1.0)]
    assert Farther(power=3.0)([1.0], [3.0]).item() == 8.0
    assert Distance.from_config(loss.get_config()).get_config() == loss.get_config()
    with pytest.raises(TypeError, match="Distance: unknown argument 'powr'; did you mean 'power'"):
        Distance(powr=2)
    with pytest.raises(TypeError, match="too many positional arguments"):
        Distance(1, 2, 3, 4, 5, 6)


def test_a_subclass_with_an_init_of_its_own_is_left_alone():
    class Strict(losses.Huber):
        def __init__(self, strictness, **options):
            super().__init__(delta=1 / strictness, **options)

    class Named(metrics.MeanMetricWrapper):
        def __init__(self, name="named"):
            super().__init__(losses.huber, name, delta=2.0)

    assert Strict(2.0, reduction="sum").delta == 0.5
    assert Strict(2.0).name == "huber_loss"
    assert Named().delta == 2.0


def test_options_are_checked_when_an_object_is_made():
    with pytest.raises(ValueError, match="BinaryCrossentropy: label_smoothing: got 2"):
        losses.BinaryCrossentropy(label_smoothing=2)
    with pytest.raises(ValueError, match="BinaryAccuracy: threshold: got 3"):
        metrics.BinaryAccuracy(threshold=3)
