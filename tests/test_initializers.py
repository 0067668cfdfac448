"""layerwise.initializers against Keras: configurations, distributions, and what a seed means."""

import keras
import numpy as np
import pytest

from layerwise import config, initializers, ops, serialization
from layerwise.random import SeedGenerator, set_random_seed
from layerwise.variables import StepFunction, Variable

CASES = {
    "Zeros": [{}],
    "Ones": [{}],
    "Constant": [{}, {"value": 2.5}, {"value": [1.0, 2.0]}],
    "Identity": [{}],
    "STFT": [
        {},
        {"side": "imag", "window": "hamming", "scaling": "spectrum", "periodic": True},
        {"window": "blackman", "scaling": None},
        {"window": "bartlett", "periodic": True},
        {"window": "boxcar"},
        {"side": "imag", "window": None},
        {"window": [1.0, 2.0, 2.0, 1.0, 0.5, 0.0]},
    ],
    "RandomNormal": [{}, {"mean": 1.0, "stddev": 0.5, "seed": 3}],
    "TruncatedNormal": [{}, {"mean": 1.0, "stddev": 0.5, "seed": 3}],
    "RandomUniform": [{}, {"minval": -1.0, "maxval": 3.0, "seed": 3}],
    "Orthogonal": [{}, {"gain": 2.0, "seed": 3}],
    "VarianceScaling": [
        {},
        {"scale": 2.0, "mode": "fan_out", "distribution": "uniform", "seed": 3},
        {"mode": "fan_avg", "distribution": "untruncated_normal"},
        {"distribution": "normal"},
        {"mode": "fan_in", "input_axes": [0], "output_axes": [2]},
        {"mode": "fan_in", "input_axes": [0]},
    ],
    **{
        name: [{}, {"seed": 3}, {"input_axes": [0, 1], "output_axes": [2]}]
        for name in ("GlorotNormal", "GlorotUniform", "HeNormal", "HeUniform", "LecunNormal", "LecunUniform")
    },
}
EACH = [(name, kwargs) for name, cases in CASES.items() for kwargs in cases]
RANDOM = [(name, kwargs) for name, kwargs in EACH if name not in ("Zeros", "Ones", "Constant", "Identity", "STFT")]


def pair(name, kwargs):
    return getattr(initializers, name)(**kwargs), getattr(keras.initializers, name)(**kwargs)


@pytest.mark.parametrize(("name", "kwargs"), EACH)
def test_configurations_are_those_of_keras(name, kwargs):
    ours, theirs = pair(name, kwargs)
    expected = keras.initializers.serialize(theirs)
    if name == "Identity":
        expected["config"]["gain"] = 1.0  # which Keras loses
    assert initializers.serialize(ours) == expected
    again = initializers.deserialize(expected)
    assert type(again) is type(ours)
    assert again.get_config() == ours.get_config()


@pytest.mark.parametrize(("name", "kwargs"), [case for case in EACH if case[0] in ("Zeros", "Ones", "Constant")])
@pytest.mark.parametrize("dtype", [None, "int32", "float16"])
def test_constant_values(name, kwargs, dtype):
    ours, theirs = (np.asarray(i((3, 2), dtype=dtype)) for i in pair(name, kwargs))
    np.testing.assert_array_equal(ours, theirs)
    assert ours.dtype == theirs.dtype


def test_identity():
    for shape in ((3, 3), (2, 4), (4, 2)):
        np.testing.assert_array_equal(initializers.Identity(3.0)(shape), keras.initializers.Identity(3.0)(shape))


@pytest.mark.parametrize("kwargs", CASES["STFT"])
def test_kernels_of_fourier_transforms(kwargs):
    ours, theirs = (np.asarray(i((6, 1, 5))) for i in pair("STFT", kwargs))
    np.testing.assert_allclose(ours, theirs, atol=2e-6)
    assert ours.dtype == theirs.dtype


@pytest.mark.parametrize(("name", "kwargs"), RANDOM)
@pytest.mark.parametrize("shape", [(30, 40, 50), (3, 3, 60, 70)])
def test_distributions_are_those_of_keras(name, kwargs, shape):
    """Two samples of one distribution: the same moments and limits, up to chance."""
    ours, theirs = (np.asarray(i(shape), "float64") for i in pair(name, {"seed": 1} | kwargs))
    n, spread = theirs.size, theirs.std()
    assert ours.shape == shape
    assert abs(ours.mean() - theirs.mean()) < 6 * spread / np.sqrt(n)
    assert abs(ours.std() / spread - 1) < 6 / np.sqrt(n)
    kurtosis = [((x - x.mean()) ** 4).mean() / x.var() ** 2 for x in (ours, theirs)]
    assert abs(kurtosis[0] - kurtosis[1]) < 0.2
    if name.endswith("Uniform") or (name.endswith("Normal") and name != "RandomNormal"):
        np.testing.assert_allclose([ours.min(), ours.max()], [theirs.min(), theirs.max()], atol=0.01 * spread)


@pytest.mark.parametrize("shape", [(), (5,), (5, 7), (3, 5, 7), (3, 3, 5, 7)])
@pytest.mark.parametrize("mode", ["fan_in", "fan_out", "fan_avg"])
def test_fans(shape, mode):
    """The limit of the uniform distribution tells n: a draw at its lower end is -sqrt(3 / n)."""
    ours = initializers.VarianceScaling(1.0, mode, "uniform")
    fan_in, fan_out = ours._fans(shape)
    n = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}[mode]
    theirs = [np.abs(keras.initializers.VarianceScaling(1.0, mode, "uniform", seed=s)(shape)).max() for s in range(40)]
    assert 0.85 * np.sqrt(3 / n) < max(theirs) <= np.sqrt(3 / n)


@pytest.mark.parametrize("shape", [(6, 4), (4, 6), (2, 3, 4), (2, 2, 9)])
@pytest.mark.parametrize("dtype", ["float32", pytest.param("float64", marks=pytest.mark.float64), "float16"])
def test_orthogonal(shape, dtype):
    w = initializers.Orthogonal(gain=2.0, seed=1)(shape, dtype)
    assert w.dtype == dtype
    m = w.numpy().astype("float64").reshape(-1, shape[-1])
    product = m.T @ m if m.shape[0] >= m.shape[1] else m @ m.T
    tolerance = {"float64": 1e-12, "float32": 1e-5, "float16": 1e-2}[dtype]
    np.testing.assert_allclose(product, 4 * np.eye(len(product)), atol=tolerance)


def test_orthogonal_is_uniform_in_sign():
    corners = [initializers.Orthogonal(seed=s)((2, 2)).numpy()[0, 0] for s in range(100)]
    assert 30 < sum(c > 0 for c in corners) < 70


@pytest.mark.parametrize(("name", "kwargs"), RANDOM)
def test_an_instance_is_one_draw(name, kwargs):
    shape = (4, 5, 6)
    first = getattr(initializers, name)(**kwargs)
    np.testing.assert_array_equal(first(shape), first(shape))
    other = getattr(initializers, name)(**{**kwargs, "seed": 99})
    assert not np.array_equal(first(shape), other(shape))
    unseeded = {k: v for k, v in kwargs.items() if k != "seed"}
    one, two = (getattr(initializers, name)(**unseeded) for _ in range(2))
    assert not np.array_equal(one(shape), two(shape))


def test_a_generator_as_seed_goes_on():
    generator = SeedGenerator(5)
    draw = initializers.GlorotUniform(seed=generator)
    assert not np.array_equal(draw((2, 2)), draw((2, 2)))
    np.testing.assert_array_equal(generator.state.numpy(), [5, 2])
    node = initializers.serialize(draw)
    twin = keras.random.SeedGenerator(5, name=generator.name)
    assert node == keras.initializers.serialize(keras.initializers.GlorotUniform(seed=twin))
    assert initializers.deserialize(node).seed.get_config() == generator.get_config()


def test_set_random_seed_makes_unseeded_initializers_repeatable():
    set_random_seed(3)
    first = initializers.HeNormal()((3, 3)).numpy()
    set_random_seed(3)
    np.testing.assert_array_equal(initializers.HeNormal()((3, 3)), first)


@pytest.mark.parametrize("name", ["glorot_uniform", "he_normal", "random_normal", "orthogonal"])
def test_values_do_not_depend_on_the_backend(name):
    reference = getattr(initializers, name)(seed=1)((20, 30)).numpy()
    with config.override(backend="xla"):
        w = getattr(initializers, name)(seed=1)((20, 30))
        assert not isinstance(w.value, np.ndarray)
        np.testing.assert_array_equal(w, reference)
        assert Variable(name, (2, 3)).shape == (2, 3)


def test_names():
    for name in dir(keras.initializers):
        theirs = getattr(keras.initializers, name)
        if isinstance(theirs, type) and hasattr(initializers, name):
            assert getattr(initializers, name).__name__ == theirs.__name__
    for name in "zeros Ones one zero glorot_uniform GlorotUniform normal uniform OrthogonalInitializer".split():
        assert type(initializers.get(name)).__name__ == type(keras.initializers.get(name)).__name__
    assert initializers.get(None) is None
    assert isinstance(initializers.get(initializers.Zeros), initializers.Zeros)
    function = lambda shape, dtype=None: np.ones(shape)  # noqa: E731
    assert initializers.get(function) is function
    assert initializers.get({"class_name": "HeNormal", "config": {"seed": 4}}).seed == 4


def test_a_user_s_initializer():
    @serialization.register_keras_serializable("mine")
    class Filled(initializers.Initializer):
        def __init__(self, level=1.0):
            self.level = level

        def __call__(self, shape, dtype=None):
            return ops.full(shape, self.level, dtype)

    again = initializers.get(initializers.serialize(Filled(3.0)))
    np.testing.assert_array_equal(again((2,)), [3, 3])
    with pytest.raises(NotImplementedError, match="Initializer: define __call__"):
        initializers.Initializer()((2,))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: initializers.get("glorot_unifrom"), "unknown initializer 'glorot_unifrom'; did you mean 'GlorotUni"),
        (lambda: initializers.get(3.0), "initializer: got 3.0"),
        (lambda: initializers.VarianceScaling(-1.0), "VarianceScaling: scale: got -1.0"),
        (lambda: initializers.VarianceScaling(mode="in"), "mode: got 'in'"),
        (lambda: initializers.VarianceScaling(distribution="beta"), "distribution: got 'beta'"),
        (lambda: initializers.Identity()((2, 3, 4)), "Identity: shape"),
        (lambda: initializers.STFT("both"), "STFT: side"),
        (lambda: initializers.STFT(scaling="power"), "STFT: scaling"),
        (lambda: initializers.STFT(window="square"), "Invalid window name|Unknown window type"),
        (lambda: initializers.STFT(window=[1.0])((2, 1, 3)), "STFT: window"),
        (lambda: initializers.Orthogonal()((3,)), "Orthogonal: shape"),
        (lambda: initializers.RandomNormal(seed="a"), "seed: got 'a'"),
        (lambda: initializers.RandomUniform()((3,), "int32"), "floating-point dtype"),
    ],
)
def test_errors(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_a_step_may_not_draw_from_a_foreign_generator():
    draw = initializers.RandomNormal(seed=SeedGenerator(1))
    with pytest.raises(RuntimeError, match="attribute of the model"):
        StepFunction(lambda: draw((2,)), [])()


def test_missing_names():
    with pytest.raises(AttributeError, match="has no 'Stft'; nearest: 'STFT'"):
        initializers.Stft  # noqa: B018


def test_every_public_initializer_is_compared_with_keras():
    classes = {getattr(initializers, name) for name in initializers.__all__}
    classes = {cls for cls in classes if isinstance(cls, type)} - {
        initializers.Initializer,
        initializers.RandomInitializer,
    }
    assert classes == {getattr(initializers, name) for name in CASES}
