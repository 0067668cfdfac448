"""Layers that users write: build, call, add_weight, add_loss; what belongs to a layer; freezing; copies."""

from __future__ import annotations

import copy
import os
import pickle
from typing import Any

import numpy as np
import pytest

from layerwise import GradientTape, Variable, config, layers, metrics, models, ops, random
from layerwise.autograd import Spec, Tensor
from layerwise.serialization import deserialize, register_keras_serializable, serialize
from layerwise.variables import StepFunction

os.environ["KERAS_BACKEND"] = "jax"
import keras

X = np.random.default_rng(3).normal(size=(4, 3)).astype("float32")


@register_keras_serializable("tests")
class Linear(layers.Layer):
    """y = x W + b, with a penalty on y."""

    def __init__(self, units: int, rate: float = 0.1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.units, self.rate = units, rate

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        self.w = self.add_weight((input_shape[-1], self.units), "ones", name="w", regularizer="l2")
        self.calls = self.add_weight((), dtype="int32", trainable=False, name="calls")
        self.b = self.add_weight(shape=(self.units,), initializer="zeros", name="b", constraint="non_neg")

    def call(self, x: Tensor, training: bool = False) -> Tensor:
        y = x @ self.w + self.b
        if training:
            self.calls.assign_add(1)
            self.add_loss(self.rate * ops.mean(y * y))
        return y


class Block(layers.Layer):
    """Layers in lists and dicts, a variable, a metric and a generator of its own."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.stack = [layers.Dense(4, activation="relu"), (layers.Dense(3), layers.BatchNormalization())]
        self.heads = {"a": layers.Dense(2), "b": {"inner": layers.Dense(1)}}
        self.scale = Variable(2.0, name="scale")
        self.seen = metrics.Mean()
        self.generator = random.SeedGenerator(1)

    def call(self, x: Tensor, training: bool = False) -> dict[str, Tensor]:
        x = self.stack[0](x)
        for layer in self.stack[1]:
            x = layer(x, training=training)
        return {"a": self.heads["a"](x) * self.scale, "b": self.heads["b"]["inner"](x)}


def test_build_call_and_configuration() -> None:
    layer = Linear(2, name="mine")
    assert not layer.built
    y = layer(X)
    assert layer.built
    np.testing.assert_allclose(y, X @ np.ones((3, 2)), rtol=1e-5)
    assert [v.path for v in layer.weights] == ["mine/w", "mine/b", "mine/calls"]
    assert [v.name for v in layer.trainable_weights] == ["w", "b"]
    assert layer.calls.dtype == "int32"
    assert layer.count_params() == 9
    assert layer.get_config() == {
        "name": "mine",
        "trainable": True,
        "dtype": serialize(layer.dtype_policy),
        "units": 2,
        "rate": 0.1,
    }
    node = serialize(layer)
    assert node["registered_name"] == "tests>Linear"
    again = deserialize(node)
    assert again.get_config() == layer.get_config()
    assert again.built
    assert [v.shape for v in again.weights] == [(3, 2), (2,), ()]


def test_losses_are_those_of_the_last_call() -> None:
    layer = Linear(2)
    layer(X)
    assert len(layer.losses) == 1  # the regulariser of w
    for _ in range(2):
        y = layer(X, training=True)
    added, penalty = layer.losses
    np.testing.assert_allclose(added, 0.1 * np.mean(y.numpy() ** 2), rtol=1e-6)
    np.testing.assert_allclose(penalty, 0.01 * 6, rtol=1e-6)
    assert int(layer.calls) == 2
    with GradientTape() as tape:
        layer(X, training=True)
        total = sum(layer.losses)
    gradient = tape.gradient(total, layer.w).numpy()
    expected = 0.2 * X.T @ (X @ np.ones((3, 2))) / 8 + 0.02
    np.testing.assert_allclose(gradient, expected, rtol=1e-4)


def test_what_is_in_lists_and_dicts_belongs_to_the_layer() -> None:
    block = Block(name="block")
    out = block(X, training=True)
    assert {k: v.shape for k, v in out.items()} == {"a": (4, 2), "b": (4, 1)}
    kinds = [
        "scale",
        *["kernel", "bias"] * 2,
        "gamma",
        "beta",
        "moving_mean",
        "moving_variance",
        *["kernel", "bias"] * 2,
    ]
    assert sorted(v.name for v in block.weights) == sorted(kinds)
    assert block.weights[0].name == "scale"  # a layer's own come first
    assert [v.name for v in block.trainable_weights].count("kernel") == 4
    assert "moving_mean" in [v.name for v in block.non_trainable_weights]
    assert {id(v) for v in block.weights} <= {id(v) for v in block.variables}
    assert any(v is block.generator.state for v in block.variables)
    assert [id(v) for v in block.seen.variables] == [id(v) for v in block.metrics_variables]
    assert not {id(v) for v in block.metrics_variables} & {id(v) for v in block.variables}  # as Keras has it
    assert block.metrics == [block.seen]


def test_the_order_of_variables_is_that_of_keras() -> None:
    def inner(library: Any) -> Any:
        class Inner(library.layers.Layer):
            def __init__(self) -> None:
                super().__init__()
                self.second = library.layers.Dense(2)
                self.first = library.layers.Dense(1)

            def build(self, input_shape: Any) -> None:
                self.state = self.add_weight(shape=(), trainable=False, name="state")
                self.own = self.add_weight(shape=(2,), name="own")
                self.first.build(input_shape)
                self.second.build(input_shape)

            def call(self, x: Any) -> Any:
                return self.first(x) + self.second(x) * self.own

        layer = Inner()
        layer(X)
        return layer

    import layerwise

    ours, theirs = inner(layerwise), inner(keras)
    for kind in ("weights", "trainable_weights", "non_trainable_weights", "variables"):
        assert [(v.name, v.shape) for v in getattr(ours, kind)] == [(v.name, v.shape) for v in getattr(theirs, kind)]


def test_a_shared_layer_counts_once_and_a_deleted_one_not_at_all() -> None:
    class Twice(layers.Layer):
        def __init__(self) -> None:
            super().__init__()
            self.a = layers.Dense(3)
            self.b = [self.a, self.a]
            self.w = Variable([1.0])

        def call(self, x: Tensor) -> Tensor:
            return self.b[1](self.a(x))

    layer = Twice()
    layer(X)
    assert len(layer.weights) == 3
    del layer.w
    assert len(layer.weights) == 2


@pytest.mark.parametrize("before", [True, False])
def test_freezing_before_and_after_building(before: bool) -> None:
    block = Block()
    if before:
        block.trainable = False
    block(X, training=True)
    block.trainable = False
    assert block.trainable_weights == []
    assert len(block.non_trainable_weights) == len(block.weights) == 13
    assert not block.stack[0].trainable
    batch_norm = block.stack[1][1]
    state = batch_norm.moving_mean.numpy()
    with GradientTape() as tape:
        y = block(X, training=True)["a"]
    assert tape.gradient(y, [block.stack[0].kernel, block.scale]) == [None, None]
    np.testing.assert_array_equal(batch_norm.moving_mean, state)  # a frozen one uses its moving averages
    block.trainable = True
    assert len(block.trainable_weights) == 11
    assert not batch_norm.moving_mean.trainable
    with GradientTape() as tape:
        y = block(X, training=True)["a"]
    assert tape.gradient(y, block.scale) is not None


def test_freezing_one_inner_layer() -> None:
    block = Block()
    block(X)
    block.heads["a"].trainable = False
    assert len(block.trainable_weights) == 9
    assert block.trainable


def test_weights_are_copied_in_and_out() -> None:
    layer = layers.Dense(2)
    layer(X)
    values = layer.get_weights()
    values[0][:] = 0
    assert layer.kernel.numpy().any()
    ours = [np.ones((3, 2), "float32"), np.zeros(2, "float32")]
    layer.set_weights(ours)
    ours[0][:] = 5
    np.testing.assert_array_equal(layer.kernel, np.ones((3, 2)))
    read = layer.kernel.numpy()
    layer.kernel.assign(layer.kernel * 2)
    np.testing.assert_array_equal(read, np.ones((3, 2)))


def test_a_wrong_weight_changes_nothing() -> None:
    layer = layers.Dense(2)
    layer(X)
    before = layer.get_weights()
    with pytest.raises(ValueError, match="expected"):
        layer.set_weights([np.zeros((3, 2)), np.zeros(3)])
    for a, b in zip(before, layer.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_copies_are_independent() -> None:
    layer = Linear(2)
    layer(X)
    for other in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
        np.testing.assert_array_equal(other(X), layer(X))
        other.w.assign(other.w * 0)
        assert layer.w.numpy().all()
        assert [v.name for v in other.weights] == ["w", "b", "calls"]


def test_training_comes_from_the_outer_call() -> None:
    class Outer(layers.Layer):
        def __init__(self) -> None:
            super().__init__()
            self.inner = layers.Dropout(0.9, seed=1)

        def call(self, x: Tensor) -> Tensor:
            return self.inner(x)

    ones = np.ones((4, 8), "float32")
    np.testing.assert_array_equal(Outer()(ones), ones)
    np.testing.assert_array_equal(Outer()(ones, training=False), ones)
    assert (Outer()(ones, training=True).numpy() == 0).any()


def test_several_inputs_and_named_shapes() -> None:
    class Bilinear(layers.Layer):
        def build(self, a_shape: Any, b_shape: Any) -> None:
            self.w = self.add_weight((a_shape[-1], b_shape[-1]), name="w")

        def call(self, a: Tensor, b: Tensor, factor: float = 1.0) -> Tensor:
            return ops.einsum("ni,ij,nj->n", a, self.w, b) * factor

    layer = Bilinear()
    y = layer(X, X[:, :2], factor=2.0)
    np.testing.assert_allclose(y, 2 * np.einsum("ni,ij,nj->n", X, layer.w.numpy(), X[:, :2]), rtol=1e-4)
    assert layer.get_build_config() == {"shapes_dict": {"a_shape": [4, 3], "b_shape": [4, 2]}}
    other = Bilinear()
    other.build_from_config(layer.get_build_config())
    assert other.w.shape == (3, 2)
    symbolic = layer(layers.Input((3,)), layers.Input((2,)))
    assert symbolic.shape == (None,)
    assert layer.compute_output_spec(layers.Input((3,)), layers.Input((2,))).shape == (None,)


def test_symbolic_calls_change_nothing() -> None:
    layer = Linear(2)
    layer(layers.Input((3,)), training=True)
    assert int(layer.calls) == 0
    assert len(layer.losses) == 1
    assert layer.compute_output_shape((None, 3)) == (None, 2)


@pytest.mark.float64
def test_a_layer_in_float64() -> None:
    assert Linear(2, dtype="float64")(X).dtype == "float64"


def test_dtype_policies() -> None:
    half = Linear(2, dtype="mixed_float16")
    y = half(X)
    assert y.dtype == "float16"
    assert [v.dtype for v in half.weights] == ["float32", "float32", "int32"]
    assert (half.dtype, half.compute_dtype, half.variable_dtype) == ("float32", "float16", "float32")
    with config.override(dtype_policy=config.DTypePolicy("bfloat16")):
        assert Linear(2).compute_dtype == "bfloat16"

    class Plain(layers.Layer):
        def call(self, x: Tensor) -> Tensor:
            return x

    assert Plain(dtype="float16", autocast=False)(X).dtype == "float32"
    assert Plain(dtype="float16")(X).dtype == "float16"
    assert Plain(dtype="float16")(np.arange(3, dtype="int16")).dtype == "int16"


def test_input_shape_given_in_the_old_way() -> None:
    assert layers.Dense(2, input_shape=(3,))._batch_input_shape == (None, 3)
    assert layers.Dense(2, input_dim=3)._batch_input_shape == (None, 3)
    assert layers.Dense(2, batch_input_shape=(4, 3))._batch_input_shape == (4, 3)


class NoSuper(layers.Layer):
    def __init__(self) -> None:
        self.units = 3

    def call(self, x: Tensor) -> Tensor:
        return x


class Unwritable(layers.Layer):
    def __init__(self, function: Any) -> None:
        super().__init__()
        self.function = function


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: NoSuper()(X), RuntimeError, r"NoSuper: its __init__ must call super\(\).__init__\(\)"),
        (lambda: layers.Layer(name="empty")(X), NotImplementedError, "layer 'empty' .*define call"),
        (lambda: Unwritable(print).get_config(), NotImplementedError, "argument 'function'.*override get_config"),
        (lambda: Linear(2, nam="x"), TypeError, "Linear: unknown argument 'nam'; did you mean 'name'"),
        (lambda: layers.Layer(name="l").add_weight((None, 2), name="w"), ValueError, "layer 'l': add_weight 'w'"),
        (lambda: layers.Layer(name="l").set_weights([1]), ValueError, "not built yet"),
    ],
)
def test_mistakes(call: Any, error: Any, message: str) -> None:
    with pytest.raises(error, match="(?s)" + message):
        call()


def test_an_error_in_call_says_in_which_layer() -> None:
    class Wrong(layers.Layer):
        def call(self, x: Tensor) -> Tensor:
            return x @ np.zeros((7, 2), "float32")

    with pytest.raises(ValueError, match="matmul") as caught:
        Wrong(name="wrong")(X)
    assert caught.value.__notes__ == ["in layer 'wrong' (Wrong), called on float32 (4, 3)"]


def test_structures_of_inputs_and_losses_given_as_functions() -> None:
    class Dictionary(layers.Layer):
        def call(self, inputs: dict[str, Tensor]) -> Tensor:
            self.add_loss(lambda: ops.sum(inputs["a"]))
            self.add_loss([inputs["a"], 1.0])
            return inputs["a"] + inputs["b"]

    layer = Dictionary(name="pair")
    y = layer({"a": np.array([[1.0, 2.0]], "float32"), "b": np.ones((1, 2), "float32")})
    np.testing.assert_array_equal(y, [[2, 3]])
    assert [float(loss) for loss in layer.losses] == [3, 3, 1]
    assert layer.compute_output_shape({"a": (None, 2), "b": (None, 2)}) == (None, 2)
    assert repr(layer) == "<Dictionary name=pair, built=True>"
    assert layer.path == "pair"
    np.testing.assert_array_equal(layers.Identity()([[1.0, 2.0]]), [[1, 2]])


def test_building_inside_a_step_is_refused() -> None:
    layer = layers.Dense(2, name="late")
    step = StepFunction(lambda x: layer(x), [])
    with pytest.raises(RuntimeError, match="layer 'late' is built inside a training step"):
        step(X)


def test_build_needs_a_shape_for_each_of_its_arguments() -> None:
    class Two(layers.Layer):
        def build(self, a_shape: Any, b_shape: Any) -> None: ...

        def call(self, a: Tensor, b: Tensor | None = None) -> Tensor:
            return a

    with pytest.raises((TypeError, ValueError), match=r"layer 'two'.*a_shape, b_shape"):
        Two(name="two")(X)


def test_paths_name_the_layers_around() -> None:
    class Block(layers.Layer):
        def __init__(self, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.inner = layers.Dense(2, name="inner")

        def build(self, input_shape: Any) -> None:
            self.scale = self.add_weight(shape=(), name="scale")
            self.inner.build(input_shape)

        def call(self, x: Any) -> Any:
            return self.inner(x) * self.scale

    class Outer(models.Model):
        def __init__(self) -> None:
            super().__init__(name="outer")
            self.block, self.last = Block(name="block"), layers.Dense(1, name="last")

        def call(self, x: Any) -> Any:
            return self.last(self.block(x))

    outer = Outer()
    outer(ops.ones((1, 3)))
    assert [v.path for v in outer.weights] == [
        "outer/block/scale", "outer/block/inner/kernel", "outer/block/inner/bias", "outer/last/kernel",
        "outer/last/bias",
    ]  # fmt: skip
    alone = layers.Dense(1, name="alone")
    alone.build((None, 2))
    assert alone.kernel.path == "alone/kernel"


def test_layers_become_plain_data_and_come_back() -> None:
    config = layers.serialize(layers.Dense(3, activation="relu", name="three"))
    again = layers.deserialize(config)
    assert (again.units, again.name, again.activation.__name__) == (3, "three", "relu")
    assert config["config"]["units"] == 3


@pytest.mark.float64
def test_a_summary_counts_bytes_in_the_dtypes_of_the_weights():
    for dtype, total in (("float64", "10 (80.00 B)"), ("float32", "10 (40.00 B)"), ("bfloat16", "10 (20.00 B)")):
        lines = []
        models.Sequential([layers.Input((4,)), layers.Dense(2, dtype=dtype)]).summary(print_fn=lines.append)
        assert f"Total parameters: {total}" in lines


# What a layer of one's own says of itself


def test_subclass_of_a_stateless_layer_is_built():
    for base in (layers.ReLU, layers.Flatten, layers.MaxPooling2D, layers.Dropout):

        class Scaled(base):
            def build(self, input_shape):
                self.factor = self.add_weight(shape=(), initializer="ones", name="factor")

            def call(self, x):
                return super().call(x) * self.factor

        layer = Scaled(2) if base is layers.MaxPooling2D else Scaled(0.5) if base is layers.Dropout else Scaled()
        assert not layer.built
        layer(np.ones((1, 4, 4, 2), "float32"))
        assert layer.built
        assert len(layer.weights) == 1


def test_output_is_what_the_class_says():
    class ByShape(layers.Layer):
        def call(self, x):
            raise RuntimeError("never")

        def compute_output_shape(self, input_shape):
            return (*input_shape[:-1], 7)

    class BySpec(ByShape):
        def compute_output_spec(self, x):
            return [Tensor(Spec(x.shape, "int32")), x]

    class OfTwo(ByShape):
        def call(self, query, value):
            raise RuntimeError("never")

        def compute_output_shape(self, value_shape, query_shape):
            return [query_shape, value_shape]

    x, y = layers.Input((3,)), layers.Input((5,))
    assert ByShape()(x).shape == (None, 7)
    assert ByShape(dtype="float16")(x).dtype == "float16"
    assert [(t.shape, t.dtype) for t in BySpec()(x)] == [((None, 3), "int32"), ((None, 3), "float32")]
    assert [t.shape for t in OfTwo()(x, y)] == [(None, 3), (None, 5)]
    with pytest.raises(RuntimeError, match="never"):
        ByShape()(np.ones((1, 3)))


def test_layers_inside_are_built_where_the_class_says_its_output():
    class Outer(layers.Layer):
        def __init__(self):
            super().__init__()
            self.inner = layers.Dense(2)

        def call(self, x):
            return self.inner(x)

        def compute_output_shape(self, input_shape):
            return (*input_shape[:-1], 2)

    x = layers.Input((3,))
    model = models.Model(x, Outer()(x))
    assert [w.shape for w in model.weights] == [(3, 2), (2,)]
    assert model(np.ones((4, 3), "float32")).shape == (4, 2)


def test_build_takes_shapes_by_name(tmp_path):
    class Named(layers.Layer):
        def build(self, baz_shape, foo_shape):
            self.shapes = foo_shape, baz_shape

        def call(self, foo, bar=None, baz=None):
            return foo

    class Optional(layers.Layer):
        def build(self, inputs_shape, attention_mask_shape=None):
            self.shapes = inputs_shape, attention_mask_shape

        def call(self, inputs, attention_mask=None):
            return inputs

    one, two, three = (np.ones((4, n), "float32") for n in (1, 2, 3))
    for named in (((one, two, three), {}), ((one,), {"baz": three}), ((), {"baz": three, "foo": one})):
        layer = Named()
        layer(*named[0], **named[1])
        assert layer.shapes == ((4, 1), (4, 3))
    again = Named()
    again.build_from_config(layer.get_build_config())
    assert again.built
    assert again.shapes == layer.shapes
    layer = Optional()
    layer(two, attention_mask=one)
    assert layer.shapes == ((4, 2), (4, 1))
    layer = Optional()
    layer(two)
    assert layer.shapes == ((4, 2), None)


def test_mask_given_by_name_goes_on_with_the_output():
    class Passing(layers.Layer):
        supports_masking = True

        def call(self, x, mask=None):
            self.seen = mask
            return x

    mask = ops.array([True, True, False, False])
    first, second = Passing(), Passing(dtype="float16")
    second(first(ops.ones((4, 4)), mask=mask))
    np.testing.assert_array_equal(first.seen, mask)
    np.testing.assert_array_equal(second.seen, mask)


def test_nothing_kept_and_nothing_there():
    mask = np.zeros((1, 4), bool)
    np.testing.assert_array_equal(layers.Softmax()(np.ones((1, 4)), mask=mask), np.zeros((1, 4)))
    norm = layers.BatchNormalization(momentum=0.5)
    np.testing.assert_array_equal(norm(np.zeros((4, 5)), mask=np.zeros(4), training=True), np.zeros((4, 5)))
    np.testing.assert_array_equal(norm.moving_mean, np.zeros(5))
    np.testing.assert_array_equal(norm.moving_variance, np.full(5, 0.5))
    layer = layers.Dense(2, activity_regularizer="l2")
    layer(np.ones((0, 5), "float32"))
    assert [loss.item() for loss in layer.losses] == [0.0]


def test_mask_larger_than_the_input():
    with pytest.raises(ValueError, match=r"mask of shape \(2, 4\) is larger than the input of \(1, 4\)"):
        layers.Softmax()(np.ones((1, 4)), mask=np.ones((2, 4), bool))


def test_slices_of_unknown_size():
    x = layers.Input(batch_shape=(None, 5, 5))
    for part in (slice(5), slice(-2, None), slice(1, 2), slice(None, None, 2), slice(None)):
        assert x[part].shape == (None, 5, 5)
    assert x[0].shape == x[-1].shape == x[7].shape == (5, 5)
    assert x[np.array([3, 4])].shape == (2, 5, 5)
    assert x[:, :3].shape == (None, 3, 5)
    assert x[..., 2].shape == (None, 5)
    assert x[:2, None, 4].shape == (None, 1, 5)


def test_models_and_layers_with_layers_to_build_are_believed_what_they_say_of_their_output() -> None:
    class Silent(models.Model):
        def call(self, x: Any) -> Any:
            raise AssertionError

        def compute_output_shape(self, input_shape: Any) -> Any:
            return (*input_shape[:-1], 7)

    assert Silent()(layers.Input((3,))).shape == (None, 7)

    class Says:
        def __init__(self) -> None:
            super().__init__()
            self.inner = layers.Dense(4)

        def call(self, x: Any) -> Any:
            return self.inner(x)

        def compute_output_shape(self, input_shape: Any) -> Any:
            return (*input_shape[:-1], 7)

    for kind in (layers.Layer, models.Model):
        made = type("Made", (Says, kind), {})()
        assert made(layers.Input((3,))).shape == (None, 7)
        assert made.inner.built
        assert made.compute_output_shape((2, 3)) == (2, 7)


def test_what_a_call_slices_has_as_many_rows_as_there_are() -> None:
    class First(layers.Layer):
        def __init__(self, key: Any) -> None:
            super().__init__()
            self.key = key

        def call(self, x: Any) -> Any:
            return x[self.key]

    rows, steps = slice(None, 5), (slice(None), slice(None, 4))
    assert First(rows)(layers.Input((6,))).shape == (None, 6)  # as in Keras
    assert First(steps)(layers.Input((None, 2))).shape == (None, None, 2)
    assert First(steps)(layers.Input((6, 2))).shape == (None, 4, 2)
    x = layers.Input((6,))
    model = models.Model(x, First(rows)(x))
    assert model.output_shape == (None, 6)
    assert model.predict(np.ones((3, 6)), verbose=0).shape == (3, 6)
