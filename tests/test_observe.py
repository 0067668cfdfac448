"""Who watches is told of operations, nodes, layers and gradients; nothing else changes."""

import threading

import numpy as np

from layerwise import GradientTape, Sequential, Variable, config, layers, losses, metrics, models, observe, ops
from layerwise.observe import observing, place
from layerwise.variables import StepFunction

X = np.ones((4, 3), "float32")


def network() -> Sequential:
    model = Sequential([layers.Input((3,)), layers.Dense(2, "relu", name="first"), layers.Dense(1, name="last")])
    model.compile("sgd", "mse", metrics=["mae"])
    return model


def test_every_event_and_its_place():
    model, seen = network(), []
    with observing(
        called=lambda operation, arrays, result: seen.append(("called", operation.__name__, place())),
        recorded=lambda operation, node: seen.append(("recorded", operation.__name__, node.name)),
        entered=lambda layer: seen.append(("entered", layer.name)),
        left=lambda layer, outputs: seen.append(("left", layer.name, outputs.shape)),
        gradients=lambda optimizer, gradients: seen.append(("gradients", optimizer.name, len(gradients))),
    ):
        model.train_on_batch(X, X[:, :1])
    for event in (("entered", "first"), ("left", "first", (4, 2)), ("recorded", "dense", "dense"),
                  ("gradients", model.optimizer.name, 4)):  # fmt: skip
        assert event in seen
    order = [seen.index(("entered", name)) for name in (model.name, "first", "last")]
    assert order == sorted(order)
    places = {(event[1], event[2].owner, event[2].path, event[2].gradient_of) for event in seen if event[0] == "called"}
    first = model.layers[0]
    assert ("dense", first, f"{model.name}/first", None) in places
    assert any(owner is first and gradient == "dense" for _, owner, _, gradient in places)
    for kind in (losses.Loss, metrics.Metric):
        assert any(isinstance(owner, kind) for _, owner, *_ in places)
    assert not observe.watchers
    assert place() == observe.NOWHERE


def test_watched_steps_and_inference_run_in_python():
    model, names = network(), []
    expected = [model(X).numpy(), model.predict(X, verbose=0)]
    with observing(left=lambda layer, outputs: names.append(layer.name)):
        watched = [model(X).numpy(), model.predict(X, verbose=0)]
    assert names == ["first", "last", model.name] * 2
    for a, b in zip(watched, expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-6)
    state, calls = Variable(0.0), []
    step = StepFunction(lambda x: (calls.append(1), state.assign_add(ops.sum(x)))[1].value, [state])
    for _ in range(3):
        step(X)
    before = len(calls)
    with observing(called=lambda *_: None):
        step(X)
        step.for_each(np.array([[0, 1], [2, 3]]), X)
    assert len(calls) == before + 3
    assert float(state) == 12 * 5


def test_what_watches_gradients_alone_keeps_layers_together():
    with observing(gradients=print):
        assert not observe.is_watching_layers()
    with observing(entered=print):
        assert observe.is_watching_layers()


def test_other_threads_are_watched_and_have_their_own_place():
    seen = []

    def work():
        ops.sqrt(4.0)

    def note(operation, *_):
        seen.append((operation.__name__, place().owner))

    with observing(called=note), observe.entering(observe.Place("here")):
        ops.exp(0.0)
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
    assert seen == [("exp", "here"), ("sqrt", None)]


def test_a_gradient_is_computed_where_its_operation_was():
    layer, seen = layers.Activation(lambda x: ops.square(x), name="planted"), []
    x = ops.array(X)
    with observing(called=lambda operation, *_: seen.append((place().path, place().gradient_of))):
        with GradientTape() as tape:
            tape.watch(x)
            y = layer(x)
        tape.gradient(y, x)
    assert ("planted", None) in seen
    assert ("planted", "square") in seen


def test_layers_on_shapes_are_not_told():
    names = []
    with observing(entered=lambda layer: names.append(layer.name)), config.override(fusion=True):
        models.Model(x := layers.Input((3,)), layers.Dense(2)(x))
    assert not names
