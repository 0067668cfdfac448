"""The registry of names: what is found by name, whose a class is, and what modules show of themselves."""

import doctest
import importlib
import inspect
import subprocess
import sys
from types import ModuleType

import pytest

import layerwise
from layerwise import activations, catalog, layers, losses, metrics, ops, optimizers, serialization
from layerwise.serialization import Configurable, deserialize, serialize

LOOKUPS = ["activations", "constraints", "initializers", "losses", "metrics", "optimizers", "regularizers"]


@pytest.mark.parametrize("namespace", catalog.CONFIGURABLE)
def test_every_public_class_and_function_has_its_home_by_identity(namespace):
    module = importlib.import_module(f"layerwise.{namespace}")
    for name in module.__all__:
        thing = catalog.find(namespace, name)
        if not isinstance(thing, ModuleType) and name not in catalog.LOOKUPS:
            home = catalog.home(thing, (*catalog.CONFIGURABLE, "ops"))
            assert home is not None
            assert catalog.find(home, thing.__name__) is thing


def test_a_class_of_the_same_name_is_not_the_librarys():
    class Dense(layers.Dense): ...

    class huber: ...

    assert catalog.home(layers.Dense) == "layers"
    assert catalog.home(Dense) is None
    assert catalog.home(huber) is None
    assert catalog.home(lambda x: x) is None
    assert catalog.home(ops.sigmoid) == "activations"


@pytest.mark.parametrize("module", ["__main__", "elsewhere"])
def test_a_users_class_is_not_read_as_the_librarys_of_its_name(module):
    """It is read back where the reader knows it, and otherwise refused, wherever its program was."""

    class L2(Configurable):
        def __init__(self, l2=1):
            self.l2 = l2

    L2.__module__ = module
    config = serialize(L2(3))
    assert type(deserialize(config, {"L2": L2})) is L2
    with pytest.raises(ValueError, match=r"'L2' .* is not a known class or function"):
        deserialize(config)


def test_a_users_class_called_like_ours_must_say_how_it_is_written():
    class Huber(losses.Loss):
        def __init__(self, fn):
            super().__init__("huber")
            self.fn = fn

    with pytest.raises(NotImplementedError, match="Huber: get_config: argument 'fn'"):
        Huber(print).get_config()


def test_short_names_and_names_in_any_case():
    assert losses.get("mse") is losses.get("MSE") is losses.mean_squared_error
    assert type(losses.get("MeanSquaredError")) is losses.MeanSquaredError
    assert losses.get("huber") is losses.huber
    assert type(metrics.get("mse")) is type(metrics.get("MSE")) is metrics.MeanSquaredError
    assert type(metrics.get("hinge")) is metrics.Hinge
    assert metrics.get("huber") is losses.huber
    assert type(optimizers.get("rmsprop")) is type(optimizers.get("rm_sprop")) is optimizers.RMSprop
    assert activations.get("swish") is ops.silu


@pytest.mark.parametrize("namespace", LOOKUPS)
def test_a_name_of_nothing_is_told_its_nearest(namespace):
    get = importlib.import_module(f"layerwise.{namespace}").get
    with pytest.raises(ValueError, match=r"unknown .* 'quux'; expected one of "):
        get("quux")
    for helper in ("get", "Loss", "Metric_", "Optimizer", "schedules", "check_labels", "accuracy_for", "Initializer"):
        with pytest.raises(ValueError, match=f"unknown .* '{helper}'"):
            get(helper)


@pytest.mark.parametrize("namespace", [*LOOKUPS, "layers"])
def test_examples_of_the_lookups_are_true(namespace):
    module = importlib.import_module(f"layerwise.{namespace}")
    finder, runner = doctest.DocTestFinder(), doctest.DocTestRunner()
    for name in {"get", "serialize", "deserialize"} & set(module.__all__):
        function = getattr(module, name)
        assert function.__module__ == module.__name__
        assert function.__name__ == name
        for example in finder.find(function, globs=vars(module).copy()):
            runner.run(example)
    assert runner.summarize().failed == 0


def public_modules() -> list[ModuleType]:
    """`layerwise` and every module that it or one of them shows."""
    found = [layerwise]
    for module in found:
        held = (getattr(module, name) for name in dir(module))
        found += [value for value in held if isinstance(value, ModuleType) and value not in found]
    return found


@pytest.mark.parametrize("module", public_modules(), ids=lambda module: module.__name__)
def test_a_module_shows_its_public_names_and_nothing_else(module):
    assert {"image"} >= set(dir(module)) ^ set(module.__all__)  # ops.image is no operation
    assert not [name for name in dir(module) if name.startswith("_") or name == "annotations"]
    modules = [name for name in dir(module) if isinstance(getattr(module, name), ModuleType)]
    if not module.__name__.startswith("layerwise.compat."):  # whose names are another library's
        assert all(getattr(module, name).__name__ == f"{module.__name__}.{name}" for name in modules)


def test_looking_up_one_name_loads_one_module():
    code = (
        "import sys; from layerwise import catalog; catalog.find('optimizers', 'SGD'); "
        "assert 'layerwise.optimizers.sgd' in sys.modules and 'layerwise.optimizers.adam' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_function_of_a_metric_is_found_by_name():
    metric = serialization.deserialize(serialize(metrics.MeanMetricWrapper(losses.huber, name="distance")))
    assert metric.fn is losses.huber


@pytest.mark.parametrize("namespace", [*LOOKUPS, "layers"])
def test_serialize_calls_its_argument_as_keras_does(namespace):
    ours, theirs = (importlib.import_module(f"{library}.{namespace}").serialize for library in ("layerwise", "keras"))
    (name,) = inspect.signature(ours).parameters
    assert name == next(iter(inspect.signature(theirs).parameters))
    thing = activations.relu if namespace == "activations" else layers.Dense(1)
    assert ours(**{name: thing}) == ours(thing)
