"""Scopes: variables with other values, names of paths, devices; functions of graphs."""

import numpy as np
import pytest

import layerwise
from layerwise import Function, Input, KerasTensor, Operation, StatelessScope, Variable, grad, layers, ops
from layerwise import random as random_numbers


def dense():
    layer = layers.Dense(1, activity_regularizer="l2")
    layer.build((None, 3))
    return layer


def test_nothing_that_is_assigned_in_a_scope_stays():
    v, other = Variable([1.0, 2.0]), Variable(5.0)
    with StatelessScope([(v, np.float64([3.0, 4.0]))]) as scope:
        np.testing.assert_array_equal(v * 2, [6.0, 8.0])
        v.assign_add([1.0, 1.0])
        assert scope.get_current_value(other) is None
        other.assign(7.0)
        assert other.value.item() == 7.0
    np.testing.assert_array_equal(scope.get_current_value(v), [4.0, 5.0])
    assert scope.get_current_value(v).dtype == "float32"
    assert (scope.get_current_value(other).item(), other.value.item()) == (7.0, 5.0)
    np.testing.assert_array_equal(v, [1.0, 2.0])


def test_a_scope_may_be_entered_again_and_inside_another():
    v = Variable(1.0)
    outer, inner = StatelessScope([(v, 2.0)]), StatelessScope([(v, 3.0)])
    with outer:
        with inner:
            v.assign_add(10.0)
        assert v.value.item() == 2.0
    with inner:
        assert v.value.item() == 13.0


def test_gradients_flow_to_the_values_of_a_scope():
    layer = dense()
    x = np.float32([[1.0, 2.0, 3.0], [0.0, 1.0, 0.0]])

    def loss(kernel):
        with StatelessScope([(layer.kernel, kernel)]):
            return ops.sum(layer(x) ** 2)

    kernel = np.float32([[1.0], [0.5], [-1.0]])
    np.testing.assert_allclose(grad(loss)(kernel), 2 * x.T @ (x @ kernel), rtol=1e-6)


def test_a_scope_collects_losses_where_it_is_asked_to():
    layer, x = dense(), np.ones((2, 3), "float32")
    with StatelessScope([(layer.kernel, np.ones((3, 1)))], collect_losses=True) as scope:
        layer(x)
    assert [round(loss.item(), 6) for loss in scope.losses] == [0.09]
    with StatelessScope() as silent:
        layer(x)
    assert silent.losses == []


def test_random_numbers_of_a_scope_are_drawn_again_outside():
    generator = random_numbers.SeedGenerator(1)
    with StatelessScope():
        first = random_numbers.uniform((3,), seed=generator).numpy()
    np.testing.assert_array_equal(random_numbers.uniform((3,), seed=generator), first)


def test_what_a_scope_refuses():
    with pytest.raises(TypeError, match=r"StatelessScope: state_mapping: got a int, expected a Variable"):
        StatelessScope([(3, 1.0)])
    with pytest.raises(ValueError, match=r"variable 'v': got shape \(3,\), expected \(2,\)"):
        StatelessScope([(Variable([1.0, 2.0], name="v"), np.ones(3))])


def test_paths_begin_with_the_scopes_around():
    with layerwise.name_scope("outer"), layerwise.name_scope("inner"):
        x = Input((3,))
        model = layerwise.Model(x, layers.Dense(2, name="a")(x))
        assert Variable(1.0, name="v").path == "outer/inner/v"
    assert [v.path for v in model.variables] == ["outer/inner/a/kernel", "outer/inner/a/bias"]
    assert Variable(1.0, name="v").path == "v"
    with pytest.raises(ValueError, match="name_scope: name: got ''"), layerwise.name_scope(""):
        pass


@pytest.mark.parametrize("name", ["cpu", "cpu:0", "/CPU:0", "/device:CPU:0"])
def test_a_device_by_any_of_its_names(name):
    with layerwise.device(name):
        assert ops.ones((2,)).shape == (2,)


def test_a_device_that_is_not_there():
    with pytest.raises(ValueError, match=r"got 'gpu:7', expected one of \['cpu:0'"), layerwise.device("gpu:7"):
        pass


def test_symbolic_tensors_have_a_class():
    x = KerasTensor((None, 3), "int32")
    assert (x.shape, x.dtype) == ((None, 3), "int32")
    assert isinstance(x, KerasTensor)
    assert isinstance(Input((3,)), KerasTensor)
    assert not isinstance(ops.ones(3), KerasTensor)
    assert not isinstance(3, KerasTensor)


def test_an_operation_of_ones_own():
    class AddN(Operation):
        def __init__(self, n, **options):
            super().__init__(**options)
            self.n = n

        def call(self, x):
            return x + self.n

    x = Input((2,))
    function = Function(x, AddN(3)(x) * 2)
    np.testing.assert_array_equal(function(np.zeros((1, 2), "float32")), [[6.0, 6.0]])
    assert isinstance(layers.Dense(1), Operation)


def test_a_function_of_a_structure():
    a, b = Input((2,)), Input((2,))
    function = Function({"a": a, "b": b}, {"sum": a + b, "both": [a * b]}, name="f")
    found = function({"b": np.float32([[1.0, 2.0]]), "a": np.float32([[3.0, 4.0]])})
    np.testing.assert_array_equal(found["sum"], [[4.0, 6.0]])
    np.testing.assert_array_equal(found["both"][0], [[3.0, 8.0]])
    assert len(function.operations) == 2
    assert function.compute_output_shape([(5, 2), (5, 2)]) == {"sum": (5, 2), "both": [(5, 2)]}
    assert [t.shape for t in function.outputs] == [(None, 2), (None, 2)]
    assert function({"a": a, "b": b})["sum"].shape == (None, 2)
    with pytest.raises(ValueError, match="function 'f': got 1 inputs, expected 2"):
        function(np.ones((1, 2)))
    with pytest.raises(ValueError, match=r"function 'f': got an input of shape \(1, 3\), expected \(None, 2\)"):
        function([np.ones((1, 3)), np.ones((1, 2))])
