"""`clone_model`, and copies by configuration: what they keep, with Keras for comparison."""

import keras
import numpy as np
import pytest

import layerwise

LIBRARIES = pytest.mark.parametrize("k", [layerwise, keras])


def marked(layer):
    layer = type(layer).from_config(layer.get_config())
    layer.flag = True
    return layer


def nested(k):
    """A Sequential inside a functional model inside a Sequential."""
    x = k.Input((3,))
    functional = k.Model(x, k.Sequential([k.layers.Dense(2)])(x))
    return k.Sequential([k.Input((3,)), functional, k.layers.Dense(1)])


@LIBRARIES
def test_recursive_clones_reach_the_layers_of_models_inside(k):
    model = nested(k)
    new = k.models.clone_model(model, clone_function=marked, recursive=True)
    innermost = new.layers[0].layers[-1].layers[0]
    assert innermost.flag
    assert innermost is not model.layers[0].layers[-1].layers[0]
    shallow = k.models.clone_model(model, clone_function=marked)
    assert shallow.layers[0].flag
    assert not hasattr(shallow.layers[0].layers[-1], "flag")


@LIBRARIES
def test_calls_may_do_more_than_call_the_layer(k):
    x = k.Input((3,))
    model = k.Model(x, k.layers.Dense(1)(k.layers.Dense(4)(x)))

    def call(layer, *args, **kwargs):
        y = layer(*args, **kwargs)
        return k.layers.Dropout(0.5)(y) if isinstance(layer, k.layers.Dense) else y

    new = k.models.clone_model(model, clone_function=lambda layer: layer, call_function=call)
    assert [type(layer).__name__ for layer in new.layers[1:]] == ["Dense", "Dropout"] * 2
    assert new.layers[1] is model.layers[1]
    with pytest.raises(ValueError, match="call_function"):
        k.models.clone_model(nested(k), call_function=call)


@LIBRARIES
def test_a_layer_of_several_models_is_copied_once(k):
    shared = k.layers.Dense(3)
    a, b = (k.Sequential([k.Input((3,)), shared]) for _ in range(2))
    x = k.Input((3,))
    new = k.models.clone_model(k.Model(x, b(a(x))), recursive=True)
    assert new.layers[1].layers[-1] is new.layers[2].layers[-1]
    assert new.layers[1].layers[-1] is not shared


@LIBRARIES
def test_clones_are_compiled_like_the_model(k):
    model = k.Sequential([k.Input((3,)), k.layers.Dense(1)])
    assert not k.models.clone_model(model).compiled
    model.compile(k.optimizers.Adam(0.5), "mse", metrics=[k.metrics.MeanAbsoluteError(name="mine")])
    model.fit(np.ones((4, 3)), np.ones((4, 1)), verbose=0)
    new = k.models.clone_model(model)
    assert new.compiled
    assert float(new.optimizer.learning_rate) == 0.5
    assert int(new.optimizer.iterations) == 0
    new.set_weights(model.get_weights())
    reported = [m.evaluate(np.ones((4, 3)), np.zeros((4, 1)), verbose=0, return_dict=True) for m in (new, model)]
    assert reported[0] == reported[1]
    assert "mine" in reported[0]


def test_clones_of_models_compiled_with_functions_and_by_their_own_compile():
    model = layerwise.Sequential([layerwise.Input((3,)), layerwise.layers.Dense(1)])
    model.compile("sgd", lambda y, p: (y - p) ** 2)
    assert layerwise.models.clone_model(model).compiled

    class Own(layerwise.Sequential):
        def compile(self, rate):
            super().compile(layerwise.optimizers.SGD(rate), "mse")

    model = Own([layerwise.Input((3,)), layerwise.layers.Dense(1)])
    model.compile(0.5)
    assert not layerwise.models.clone_model(model).compiled


@LIBRARIES
def test_tuples_of_outputs_stay_tuples(k):
    x, z = k.Input((3,)), k.Input((3,))
    model = k.Model((x, z), (k.layers.Dense(1)(x), [k.layers.Dense(2)(z)]))
    for copy in (type(model).from_config(model.get_config()), k.models.clone_model(model)):
        outputs = copy((np.ones((1, 3)), np.ones((1, 3))))
        assert type(outputs) is tuple
        assert type(outputs[1]) is list
