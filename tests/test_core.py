"""Settings, dtypes, nested structures, and the parts of a backend that operations do not reach by themselves."""

from __future__ import annotations

import sys
import threading
from collections import OrderedDict, defaultdict, deque, namedtuple

import keras
import numpy as np
import pytest

from layerwise import config, dtypes, ops, tree
from layerwise.autograd import Spec, merge_specs, with_unknown_sizes
from layerwise.backends import Backend, Window, backend, load, missing_kernels, xp
from layerwise.backends.base import FUSED_ACTIVATIONS


@pytest.fixture
def defaults():
    before = dict(config._defaults)
    yield
    config._defaults.update(before)


# Settings


@pytest.mark.parametrize(
    ("name", "value", "wrong"),
    [
        ("floatx", "float64", "int32"),
        ("epsilon", 1e-5, 0),
        ("image_data_format", "channels_first", "last"),
        ("num_threads", 3, 0),
        ("backend", "numpy", "abacus"),
    ],
)
def test_settings(defaults, name, value, wrong):
    getattr(config, f"set_{name}")(value)
    assert getattr(config, name)() == value
    with pytest.raises(ValueError, match=f"{name}: got {wrong!r}"):
        getattr(config, f"set_{name}")(wrong)
    assert getattr(config, name)() == value


def test_the_number_of_threads_is_that_of_cpus_unless_set():
    assert config.num_threads() >= 1


@pytest.mark.float64
def test_overrides_nest_and_end():
    with config.override(floatx="float64"):
        with config.override(epsilon=1e-3):
            assert (config.floatx(), config.epsilon()) == ("float64", 1e-3)
        assert config.epsilon() == 1e-7
        assert ops.array([1.0]).dtype == "float64"
    assert config.floatx() == "float32"
    with pytest.raises(ValueError, match=r"unknown setting \['floaty'\]; expected some of \['backend'"):
        config.override(floaty=1).__enter__()
    with pytest.raises(ValueError, match="backend: got 'abacus', expected one of native, numpy, xla"):
        config.override(backend="abacus").__enter__()


def test_overrides_hold_in_their_thread_only():
    seen = []
    with config.override(floatx="float64"):
        thread = threading.Thread(target=lambda: seen.append(config.floatx()))
        thread.start()
        thread.join()
    assert seen == ["float32"]


def test_the_environment_chooses_the_backend(defaults, monkeypatch):
    config._defaults["backend"] = None
    monkeypatch.setenv("LAYERWISE_BACKEND", "abacus")
    with pytest.raises(ValueError, match="backend: got 'abacus'"):
        config.backend()
    monkeypatch.setenv("LAYERWISE_BACKEND", "")
    assert config.backend() == ("numpy" if missing_kernels() else "native")


def test_dtype_policies(defaults):
    assert config.dtype_policy() == config.DTypePolicy("float32")
    mixed = config.DTypePolicy("mixed_bfloat16")
    assert (mixed.compute_dtype, mixed.variable_dtype) == ("bfloat16", "float32")
    assert config.DTypePolicy.from_config(mixed.get_config()) == mixed
    assert len({mixed, config.DTypePolicy("mixed_bfloat16"), config.DTypePolicy("float64")}) == 2
    assert repr(mixed) == "<DTypePolicy 'mixed_bfloat16'>"
    config.set_dtype_policy("mixed_float16")
    assert config.dtype_policy().compute_dtype == "float16"
    config.set_dtype_policy(mixed)
    assert config.dtype_policy() is mixed
    with config.override(dtype_policy="float64"):
        assert config.dtype_policy().variable_dtype == "float64"
    for wrong in ("mixed_float32", "floaty"):
        with pytest.raises(ValueError, match=f"DTypePolicy: got '{wrong}'"):
            config.DTypePolicy(wrong)


# Nested structures

Pair = namedtuple("Pair", "left right")


def test_trees():
    structure = {"b": [1, (2, 3)], "a": Pair(4, [])}
    assert tree.flatten(structure) == [4, 1, 2, 3]
    assert tree.map_structure(lambda x, y: x * y, structure, structure) == {"b": [1, (4, 9)], "a": Pair(16, [])}
    assert tree.pack_sequence_as(structure, "zwxy") == {"b": ["w", ("x", "y")], "a": Pair("z", [])}
    assert tree.is_nested(())
    assert not tree.is_nested("text")
    assert tree.flatten(None) == [None]


def test_trees_are_walked_as_keras_walks_them():
    structure = {"b": [1, (2, 3)], "a": Pair(4, [])}
    assert tree.flatten_with_path(structure) == [(("a", 0), 4), (("b", 0), 1), (("b", 1, 0), 2), (("b", 1, 1), 3)]
    for top_down in (True, False):
        for library in (tree, keras.tree):
            seen = []
            library.traverse(seen.append, structure, top_down)
            assert (
                seen
                == {
                    True: [structure, Pair(4, []), 4, [], structure["b"], 1, (2, 3), 2, 3],
                    False: [4, [], Pair(4, []), 1, 2, 3, (2, 3), structure["b"], structure],
                }[top_down]
            )
    for library in (tree, keras.tree):
        assert library.traverse(lambda x, none=library.MAP_TO_NONE: none if x == 2 else None, [1, (2,)]) == [1, (None,)]
        assert library.lists_to_tuples(structure) == {"b": (1, (2, 3)), "a": Pair(4, ())}
        assert library.map_structure_up_to([0, {"x": 0}], str, [[1], {"x": (2,)}]) == ["[1]", {"x": "(2,)"}]
        assert library.map_shape_structure(list, {"a": (None, 3), "b": [(2,), (1, 2)]}) == {
            "a": [None, 3],
            "b": [[2], [1, 2]],
        }


def test_structures_are_compared_as_keras_compares_them():
    alike = [({"a": 1, "b": [2]}, OrderedDict(b=[3], a=4)), ([1, (2,)], [3, (4,)]), (1, 2)]
    only_paths = [([1, 2], (3, 4)), (Pair(1, 2), [3, 4]), (deque([1]), [2])]
    neither = [([1], [1, 2]), ({"a": 1}, {"b": 1}), ([1], 1), (1, [1])]
    for library in (tree, keras.tree):
        for a, b in alike + only_paths:
            library.assert_same_paths(a, b)
        for a, b in alike:
            library.assert_same_structure(a, b)
        for a, b in only_paths + neither:
            with pytest.raises(ValueError):  # noqa: PT011
                library.assert_same_structure(a, b)
        for a, b in neither:
            with pytest.raises(ValueError):  # noqa: PT011
                library.assert_same_paths(a, b)


def test_trees_keep_the_kinds_of_their_containers():
    for structure in (
        OrderedDict(b=1, a=deque([2, 3], maxlen=5)),
        defaultdict(list, a=1, b=[2, 3]),
        {"a": 1, "b": (2, 3)},
    ):
        one, two = structure
        assert tree.flatten(structure) == [1, 2, 3]
        assert tree.is_nested(structure)
        assert tree.is_nested(structure[two])
        for mapped in (
            tree.map_structure(lambda x: x + 1, structure),
            tree.map_structure(lambda x, y: x + y - x + 1, structure, structure),
            tree.pack_sequence_as(structure, [2, 3, 4]),
        ):
            assert (type(mapped), type(mapped[two])) == (type(structure), type(structure[two]))
            assert (mapped[one], list(mapped[two])) == (2, [3, 4])
            assert getattr(mapped, "default_factory", None) is getattr(structure, "default_factory", None)
            assert getattr(mapped[two], "maxlen", None) == getattr(structure[two], "maxlen", None)


@pytest.mark.parametrize(
    ("first", "second", "message"),
    [
        ({"a": 1}, {"b": 1}, r"a dict with keys \['a'\] against a dict with keys \['b'\]"),
        ([1, 2], [1], "a list of 2 against a list of 1"),
        ((1,), 3, "a tuple of 1 against one int"),
    ],
)
def test_trees_of_different_form(first, second, message):
    with pytest.raises(ValueError, match=message):
        tree.map_structure(lambda a, b: a, first, second)


def test_more_leaves_than_places():
    with pytest.raises(ValueError, match="more leaves than the structure holds"):
        tree.pack_sequence_as([1], [1, 2])


# Shapes with unknown sizes


def test_specs():
    spec = Spec((None, 3, 4))
    assert (spec.ndim, spec.size, spec.known, spec.dtype) == (3, 12, (3, 4), "float32")
    merged = merge_specs({"a": [Spec((83, 2))], "b": 5}, {"a": [Spec((89, 2))], "b": 5})
    assert merged == {"a": [Spec((None, 2))], "b": 5}
    assert with_unknown_sizes(lambda s: Spec((s[0].shape[0] // 2, 7)), [Spec((None,))]) == Spec((None, 7))


# Backends


def test_backends_are_made_once():
    assert backend() is load(config.backend())
    assert xp() is backend().xp
    assert load("numpy").xp is np


def test_the_interface_says_what_a_backend_must_give():
    bare = Backend()
    for name, arguments in {
        "array": (1,),
        "numpy": (1,),
        "owns": (1,),
        "compile": (len,),
        "scan": (len, 0, [], 0, False),
        "add_at": (1, 2, 3),
        "erf": (1,),
    }.items():
        with pytest.raises(NotImplementedError):
            getattr(bare, name)(*arguments)


def test_fused_operations_are_their_parts():
    rng = np.random.default_rng(0)
    machine = load("numpy")
    x, w, b = rng.standard_normal((2, 6, 6, 3)), rng.standard_normal((3, 3, 3, 4)), rng.standard_normal(4)
    window, pool = Window((3, 3), (1, 1), ((0, 0),) * 2), Window((2, 2), (2, 2), ((0, 0),) * 2)
    y, argmax = machine.conv_pool(x, w, b, window, "relu", pool)
    expected, places = machine.max_pool(np.maximum(machine.conv(x, w, b, window, None), 0), pool)
    np.testing.assert_allclose(y, expected)
    np.testing.assert_array_equal(argmax, places)
    y, mean, var = machine.norm_act(x, b[:3], None, (0, 1, 2), 1e-3, "tanh")
    normal, *statistics = machine.normalize(x, b[:3], None, (0, 1, 2), 1e-3)
    np.testing.assert_allclose(y, np.tanh(normal))
    np.testing.assert_array_equal([mean, var], statistics)


@pytest.mark.parametrize("name", FUSED_ACTIVATIONS)
def test_fused_activations_have_the_derivative_that_they_say(name):
    act, act_grad = FUSED_ACTIVATIONS[name]
    z = np.array([-1.5, -0.2, 0.3, 2.0])
    g = act_grad(np, act(np, z), np.ones(4))
    np.testing.assert_allclose(g, (act(np, z + 1e-6) - act(np, z - 1e-6)) / 2e-6, rtol=1e-8)


def test_nan_wins_a_maximum():
    x = np.array([1.0, np.nan, 3.0, 2.0]).reshape(1, 4, 1)
    assert np.isnan(ops.max_pool(x, 2).numpy()[0, 0, 0])
    assert ops.max_pool(x, 2).numpy()[0, 1, 0] == 3.0
    assert ops.max_pool(np.array([[[1], [2]]], "int32"), 2).item() == 2


def test_bfloat16_says_what_it_needs(monkeypatch):
    dtypes._make_bfloat16_known.cache_clear()
    monkeypatch.setitem(sys.modules, "ml_dtypes", None)
    with pytest.raises(ImportError, match="bfloat16: ml_dtypes is not installed"):
        ops.cast([1.0], "bfloat16")
    monkeypatch.undo()
    pytest.importorskip("ml_dtypes")
    assert ops.cast([1.0], "bfloat16").dtype == "bfloat16"
    one = ops.ones((1, 1), "bfloat16")
    assert np.asarray(ops.matmul(one, one)).dtype.name == "bfloat16"


def test_map_structure_tells_lists_from_tuples_at_any_depth():
    pair = namedtuple("pair", "a b")
    for first, second in (([1], (1,)), ({"a": [1]}, {"a": (1,)}), (pair(1, 2), (1, 2)), (deque([1]), [1])):
        with pytest.raises(ValueError, match="structures differ"):
            tree.map_structure(lambda a, b: a, first, second)
    assert tree.map_structure(lambda a, b: a + b, OrderedDict(a=1), {"a": 2}) == {"a": 3}
