"""layerwise.random: published vectors, distributions, the same numbers on every backend, and what seeds mean."""

import math

import mpmath
import numpy as np
import pytest

from layerwise import config, ops, random
from layerwise.autograd import Spec, Tensor
from layerwise.backends import load
from layerwise.backends.base import threefry2x32
from layerwise.variables import StepFunction, Variable

N = 20000
FLOAT64 = pytest.param("float64", marks=pytest.mark.float64)


def on(backend, draw):
    with config.override(backend=backend):
        return np.asarray(draw())


def kolmogorov_smirnov(sample, cdf):
    """The largest distance between the sample's distribution and `cdf`, times sqrt(n): above 2 once in 1500 samples."""
    x = np.sort(np.asarray(sample, "float64").ravel())
    p, n = cdf(x), x.size
    return math.sqrt(n) * max((np.arange(1, n + 1) / n - p).max(), (p - np.arange(n) / n).max())


def normal_cdf(x):
    return np.array([0.5 * math.erfc(-v / math.sqrt(2)) for v in x])


# Bits


@pytest.mark.parametrize(
    ("counter", "key", "expected"),
    [
        ("00000000 00000000", "00000000 00000000", "6b200159 99ba4efe"),
        ("ffffffff ffffffff", "ffffffff ffffffff", "1cb996fc bb002be7"),
        ("243f6a88 85a308d3", "13198a2e 03707344", "c4923a9c 483df7a0"),
    ],
)
@pytest.mark.parametrize("backend", ["numpy", "xla"])
def test_threefry_gives_the_published_vectors(backend, counter, key, expected):
    words = [load(backend).array(np.array([int(w, 16)], "uint32")) for w in f"{key} {counter}".split()]
    assert " ".join(f"{int(w[0]):08x}" for w in threefry2x32(*words)) == expected


@pytest.mark.parametrize("n", [0, 1, 2, 7, 1000])
def test_bits_depend_on_key_and_index_only(n):
    key = np.array([5, 9], "uint32")
    reference, xla = load("numpy"), load("xla")
    bits = reference.random_bits(key, n)
    assert (bits.dtype, bits.shape) == ("uint32", (n,))
    np.testing.assert_array_equal(bits, reference.random_bits(key, 1001)[:n])
    np.testing.assert_array_equal(bits, xla.random_bits(xla.array(key), n))
    np.testing.assert_array_equal(bits, xla.compile(lambda k: xla.random_bits(k, n))(xla.array(key)))


# The same numbers everywhere

DRAWS = {
    "uniform": lambda seed: random.uniform((N,), seed=seed),
    "uniform between bounds": lambda seed: random.uniform((N,), -0.05, 0.1, seed=seed),
    "uniform far from 0": lambda seed: random.uniform((N,), 1000.1, 1000.3, seed=seed),
    "uniform float16": lambda seed: random.uniform((N,), -0.3, 0.1, "float16", seed),
    "bernoulli": lambda seed: random.bernoulli(0.3, (N,), seed),
    "permutation": lambda seed: random.permutation(N, seed),
    "randint": lambda seed: random.randint((N,), -7, 2**31 - 3, seed=seed),
    "shuffle": lambda seed: random.shuffle(np.arange(N), seed=seed),
    "dropout": lambda seed: random.dropout(np.arange(N, dtype="float32"), 0.25, seed=seed),
}


@pytest.mark.own_backend
@pytest.mark.parametrize("name", DRAWS)
def test_backends_draw_identical_numbers(name):
    """Compiled, too, where the machine may fuse a multiplication and an addition into one rounding."""
    expected = on("numpy", lambda: DRAWS[name](3))
    np.testing.assert_array_equal(expected, on("xla", lambda: DRAWS[name](3)))
    with config.override(backend="xla"):
        compiled = StepFunction(lambda key: DRAWS[name](key), [])
        np.testing.assert_array_equal(expected, np.asarray(compiled(np.array([3, 0], "uint32"))))


@pytest.mark.own_backend
@pytest.mark.parametrize("draw", [random.normal, random.truncated_normal])
def test_normals_agree_to_a_few_units_in_the_last_place(draw):
    reference = on("numpy", lambda: draw((N,), seed=3))
    with config.override(backend="xla"):
        compiled = np.asarray(StepFunction(lambda key: draw((N,), seed=key), [])(np.array([3, 0], "uint32")))
    np.testing.assert_array_max_ulp(reference, compiled, 16)
    np.testing.assert_array_equal(reference, on("numpy", lambda: draw((N,), seed=3)))


@pytest.mark.float64
def test_draws_have_the_dtype_asked_for_or_floatx():
    assert random.uniform((2,), dtype="float64", seed=1).dtype == "float64"
    assert random.uniform((2,), dtype="bfloat16", seed=1).dtype == "bfloat16"
    assert random.normal((2,), dtype="float16", seed=1).dtype == "float16"
    with config.override(floatx="float64"):
        assert random.truncated_normal((2,), seed=1).dtype == "float64"


FAMILY = {
    "gamma": lambda seed: random.gamma((N,), 2.5, seed=seed),
    "small gamma": lambda seed: random.gamma((N,), 0.3, seed=seed),
    "beta": lambda seed: random.beta((N,), 0.5, 3.0, seed=seed),
}


@pytest.mark.own_backend
@pytest.mark.parametrize("name", FAMILY)
def test_gammas_and_betas_agree_but_for_rounding(name):
    reference = on("numpy", lambda: FAMILY[name](3))
    with config.override(backend="xla"):
        compiled = np.asarray(StepFunction(lambda key: FAMILY[name](key), [])(np.array([3, 0], "uint32")))
    same = np.isclose(reference, compiled, rtol=1e-4, atol=1e-30)
    assert same.mean() > 0.999  # a try may be refused by the last digit of a logarithm
    np.testing.assert_array_max_ulp(reference, on("native", lambda: FAMILY[name](3)), 16)


@pytest.mark.own_backend
def test_binomials_agree():
    counts = np.array([3, 500], "float32")
    reference = on("numpy", lambda: random.binomial((N // 2, 2), counts, 0.3, seed=3))
    assert (reference == on("xla", lambda: random.binomial((N // 2, 2), counts, 0.3, seed=3))).mean() > 0.99


# Distributions


@pytest.mark.parametrize("dtype", ["float32", FLOAT64])
def test_uniform(dtype):
    x = random.uniform((N,), -2.0, 3.0, dtype, seed=1).numpy()
    assert -2 <= x.min() <= x.max() < 3
    assert kolmogorov_smirnov(x, lambda v: (v + 2) / 5) < 2


@pytest.mark.float64
def test_uniform_is_what_its_digits_say():
    bits = load("numpy").random_bits(np.array([1, 0], "uint32"), N)
    u = (bits >> 8) / 2.0**24
    np.testing.assert_array_equal(random.uniform((N,), seed=1), u)
    np.testing.assert_allclose(random.uniform((N,), -0.1, 0.2, seed=1), -0.1 + 0.3 * u, rtol=0, atol=5e-8)
    pairs = load("numpy").random_bits(np.array([1, 0], "uint32"), 2 * N)
    wide = (pairs[::2] >> 6) / 2.0**26 + (pairs[1::2] >> 6) / 2.0**52
    np.testing.assert_array_equal(random.uniform((N,), dtype="float64", seed=1), wide)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", FLOAT64])
def test_uniform_never_reaches_its_upper_bound(dtype):
    pytest.importorskip("ml_dtypes")
    x = random.uniform((N,), 1.0, 1.0 + 2.0**-7, dtype, seed=1).numpy().astype("float64")
    assert 1 <= x.min() <= x.max() < 1 + 2.0**-7
    assert (random.uniform((3,), 2.0, 2.0, seed=1).numpy() == 2).all()


def test_uniform_between_tensors_is_differentiable_by_them():
    from layerwise.autograd import grad

    u = random.uniform((5,), seed=1).numpy()
    low = Variable([1.0])
    np.testing.assert_allclose(random.uniform((5,), low, 3.0, seed=1), 1 + 2 * u, rtol=1e-6)
    slope = grad(lambda high: ops.sum(random.uniform((5,), 0.0, high, seed=1)))(2.0)
    np.testing.assert_allclose(slope, u.sum(), rtol=1e-6)


@pytest.mark.parametrize("dtype", ["float32", FLOAT64])
def test_normal(dtype):
    x = random.normal((N,), 1.0, 2.0, dtype, seed=1).numpy()
    assert kolmogorov_smirnov(x, lambda v: normal_cdf((v - 1) / 2)) < 2
    z = (x - 1) / 2
    assert abs((z**4).mean() - 3) < 0.2


@pytest.mark.parametrize("dtype", ["float32", FLOAT64])
def test_truncated_normal(dtype):
    x = random.truncated_normal((N,), -1.0, 0.5, dtype, seed=1).numpy()
    assert np.abs(x + 1).max() <= 1
    low, high = normal_cdf([-2, 2])
    assert kolmogorov_smirnov(x, lambda v: (normal_cdf((v + 1) / 0.5) - low) / (high - low)) < 2


@pytest.mark.parametrize(
    ("dtype", "tolerance"), [("float32", 2e-6), pytest.param("float64", 2e-15, marks=pytest.mark.float64)]
)
def test_quantiles_of_the_normal(dtype, tolerance):
    tails = np.array([0.5, 0.49999, 0.45, 0.3, 0.0751, 0.0749, 1e-2, 1e-4, 1.3e-11, 1.5e-11, 1e-12, 2.0**-64], dtype)
    with mpmath.workdps(40):
        exact = [float(mpmath.sqrt(2) * mpmath.erfinv(1 - 2 * mpmath.mpf(float(t)))) for t in tails]
    np.testing.assert_allclose(random.upper_quantile(tails, 0.5 - tails), exact, rtol=tolerance)


def test_normal_reaches_far_and_is_symmetric():
    x = random.normal((N,), seed=2).numpy()
    assert 0.49 < (x > 0).mean() < 0.51
    smallest = np.array([2.0**-32], "float32")
    assert random.upper_quantile(smallest, 0.5 - smallest)[0] > 6.2


def test_bernoulli():
    assert random.bernoulli(0.3, (N,), 1).dtype == "bool"
    assert abs(random.bernoulli(0.3, (N,), 1).numpy().mean() - 0.3) < 0.015
    assert not random.bernoulli(0.0, (N,), 1).numpy().any()
    assert random.bernoulli(1.0, (N,), 1).numpy().all()
    np.testing.assert_array_equal(random.bernoulli([0.0, 1.0], (4, 2), 1), [[False, True]] * 4)


@pytest.mark.parametrize(("low", "high"), [(0, 6), (-3, 4), (0, 1)])
def test_randint(low, high):
    x = random.randint((N,), low, high, seed=1).numpy()
    counts = np.bincount(x - low, minlength=high - low)
    expected = N / (high - low)
    assert low <= x.min() <= x.max() < high
    assert x.dtype == "int32"
    assert ((counts - expected) ** 2 / expected).sum() < 25  # chi-squared, at most 6 degrees of freedom


@pytest.mark.float64
@pytest.mark.parametrize("span", [1, 3, 1000003, 2**31 + 11, 2**32 - 1])
def test_randint_is_the_product_s_upper_part(span):
    words = load("numpy").random_bits(np.array([4, 0], "uint32"), 200).astype(object)
    expected = [int((u * 2**32 + v) * span >> 64) - 5 for u, v in zip(words[::2], words[1::2], strict=True)]
    assert random.randint((100,), -5, span - 5, "int64", seed=4).numpy().tolist() == expected


@pytest.mark.float64
def test_categorical():
    p = np.array([0.1, 0.2, 0.7])
    x = random.categorical(np.log([p, p[::-1]]), N, seed=1)
    assert (x.shape, x.dtype) == ((2, N), "int32")
    for row, q in zip(x.numpy(), (p, p[::-1]), strict=True):
        np.testing.assert_allclose(np.bincount(row) / N, q, atol=0.02)
    assert set(random.categorical([[0.0, -np.inf]], 1000, "int64", seed=1).numpy().ravel()) == {0}
    assert random.categorical([[0, 100]], 1, seed=1).item() == 1


@pytest.mark.parametrize("n", [0, 1, 5, 1000])
def test_permutation(n):
    order = random.permutation(n, 1).numpy()
    assert order.dtype == "int32"
    np.testing.assert_array_equal(np.sort(order), np.arange(n))


def test_permutations_are_all_as_likely():
    generator = random.SeedGenerator(1)
    counts = {}
    for _ in range(1200):
        order = tuple(random.permutation(3, generator).numpy().tolist())
        counts[order] = counts.get(order, 0) + 1
    assert len(counts) == 6
    assert sum((c - 200) ** 2 / 200 for c in counts.values()) < 25


def test_shuffle():
    x = np.arange(24).reshape(2, 3, 4)
    rows = random.shuffle(x, axis=1, seed=1).numpy()
    order = random.permutation(3, 1).numpy()
    np.testing.assert_array_equal(rows, x[:, order])
    assert sorted(random.shuffle([3, 1, 2], seed=1).numpy()) == [1, 2, 3]


def test_dropout():
    x = np.ones((100, 200), "float32")
    y = random.dropout(x, 0.25, seed=1).numpy()
    assert set(np.unique(y)) == {np.float32(0), np.float32(1 / 0.75)}
    assert abs(y.mean() - 1) < 0.02
    rows = random.dropout(x, 0.5, noise_shape=(None, 1), seed=1).numpy()
    assert (rows == rows[:, :1]).all()
    assert 0.3 < (rows[:, 0] == 0).mean() < 0.7
    np.testing.assert_array_equal(random.dropout(x, 0.0, seed=1), x)
    assert not random.dropout(x, 1.0, seed=1).numpy().any()


# Seeds


def test_a_whole_number_repeats_and_a_generator_goes_on():
    generator = random.SeedGenerator(5)
    first, second = (random.uniform((3,), seed=generator).numpy() for _ in range(2))
    np.testing.assert_array_equal(first, random.uniform((3,), seed=5))
    assert not (first == second).any()
    np.testing.assert_array_equal(generator.state.numpy(), [5, 2])
    np.testing.assert_array_equal(random.uniform((3,), seed=np.array([5, 1], "uint32")), second)


def test_process_draws_follow_set_random_seed():
    def draws():
        return [*random.normal((2,)).numpy().tolist(), random.SeedGenerator().seed, random.fresh_seed()]

    random.set_random_seed(1)
    first, other = draws(), draws()
    random.set_random_seed(1)
    assert draws() == first != other
    random.set_random_seed(2)
    assert draws() not in (first, other)
    assert np.random.rand() == np.random.RandomState(2).rand()  # set_random_seed(2) seeded NumPy's own, too


def test_generator_config_is_that_of_keras():
    keras = pytest.importorskip("keras")
    config = random.SeedGenerator(7, name="noise").get_config()
    assert config == keras.random.SeedGenerator(7, name="noise").get_config()
    assert random.SeedGenerator.from_config(config).get_config() == config


@pytest.mark.own_backend
@pytest.mark.parametrize("backend", ["numpy", "xla"])
def test_a_generator_advances_inside_a_compiled_step(backend):
    with config.override(backend=backend):
        generator = random.SeedGenerator(5)
        step = StepFunction(lambda: random.uniform((3,), seed=generator), [generator.state])
        drawn = [np.asarray(step()) for _ in range(3)]
        again = random.SeedGenerator(5)
        for x in drawn:
            np.testing.assert_array_equal(x, random.uniform((3,), seed=again))
    np.testing.assert_array_equal(generator.state.numpy(), [5, 3])


def test_a_step_without_a_generator_is_refused():
    with pytest.raises(RuntimeError, match="SeedGenerator an attribute"):
        StepFunction(lambda: random.uniform((3,)), [])()
    assert StepFunction(lambda: random.uniform((3,), seed=1), [])().shape == (3,)


def test_symbolic_calls_draw_nothing():
    generator = random.SeedGenerator(5)
    x = Tensor(Spec((None, 3), "float32"))
    for y in (
        random.uniform((None, 3), seed=generator),
        random.normal((None, 3), seed=generator),
        random.dropout(x, 0.5, seed=generator),
        random.dropout(x, 0.5, noise_shape=(None, 1), seed=generator),
        random.shuffle(x, seed=generator),
    ):
        assert y.symbolic
        assert (y.shape, y.dtype) == ((None, 3), "float32")
    np.testing.assert_array_equal(generator.state.numpy(), [5, 0])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: random.uniform((2,), seed=-1), "seed: got -1"),
        (lambda: random.SeedGenerator("a"), "seed: got 'a'"),
        (lambda: random.SeedGenerator(2**32), "whole number from 0"),
        (lambda: random.set_random_seed(1.5), "seed: got 1.5"),
        (lambda: random.uniform((2,), dtype="int32"), "uniform: dtype: got 'int32'"),
        (lambda: random.uniform((2,), 1.0, 0.0), "expected minval <= maxval"),
        (lambda: random.randint((2,), 0, 10, "float32"), "randint: dtype"),
        (lambda: random.randint((2,), 3, 3), "maxval - minval"),
        (lambda: random.dropout([1.0], 1.5), "dropout: rate: got 1.5"),
        (lambda: random.categorical([0.0], 1), "expected \\(batch, classes\\)"),
    ],
)
def test_errors_name_the_argument(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_missing_names():
    with pytest.raises(AttributeError, match="'gama'; nearest: 'gamma'"):
        random.gama  # noqa: B018


# Gamma and its family


@pytest.mark.parametrize("dtype", ["float32", FLOAT64])
@pytest.mark.parametrize("alpha", [0.2, 1.0, 4.0, 50.0])
def test_gamma(alpha, dtype):
    x = random.gamma((N,), alpha, dtype, seed=1).numpy().astype("float64")
    assert x.min() >= 0
    error = 5 / N**0.5
    assert abs(x.mean() - alpha) < error * alpha**0.5
    assert abs(x.var() - alpha) < error * alpha * (2 + 6 / alpha) ** 0.5
    skewness = ((x - alpha) ** 3).mean() / alpha**1.5
    assert abs(skewness - 2 / alpha**0.5) < 20 * error * max(1, alpha**-1.5)


def test_gammas_whose_distribution_is_known():
    x = random.gamma((N,), 1.0, seed=1).numpy().astype("float64")
    assert kolmogorov_smirnov(x, lambda v: 1 - np.exp(-v)) < 2
    x = random.gamma((N,), [0.5], seed=2).numpy().astype("float64")
    assert kolmogorov_smirnov(x, lambda v: np.vectorize(math.erf)(np.sqrt(v))) < 2
    x = random.beta((N,), 2.0, 1.0, seed=3).numpy().astype("float64")
    assert kolmogorov_smirnov(x, lambda v: v**2) < 2
    x = random.beta((N,), 0.01, 0.01, seed=4).numpy()  # most of them are 0 or 1
    assert np.isfinite(x).all()
    assert abs(x.mean() - 0.5) < 3 / N**0.5


@pytest.mark.parametrize(("n", "p"), [(1, 0.3), (7, 0.5), (40, 0.9), (1000, 0.01), (5000, 0.4)])
def test_binomial(n, p):
    x = random.binomial((N,), n, p, seed=1).numpy().astype("float64")
    assert (x == np.rint(x)).all()
    assert 0 <= x.min() <= x.max() <= n
    variance = n * p * (1 - p)
    assert abs(x.mean() - n * p) < 5 * (variance / N) ** 0.5
    assert abs(x.var() - variance) < 5 * variance * ((2 + 1 / variance) / N) ** 0.5
    zero = (1 - p) ** n
    assert abs((x == 0).mean() - zero) <= 5 * (zero / N) ** 0.5


def test_parameters_of_each_draw():
    x = random.binomial((4, 3), [0, 5, 2000], np.array([[0.0], [1.0], [0.5], [0.5]]), seed=1).numpy()
    assert (x[0] == 0).all()
    assert x[1].tolist() == [0, 5, 2000]
    assert random.gamma((2, 3), np.ones((2, 1)), seed=1).shape == (2, 3)
    assert random.gamma((None, 3), 2.0, seed=1).shape == (None, 3)
    generator = random.SeedGenerator(1)
    assert random.beta((None,), 2.0, 1.0, seed=generator).symbolic
    first, second = (random.binomial((5,), 100, 0.5, seed=generator).numpy() for _ in range(2))
    assert (first != second).any()
    with pytest.raises(
        ValueError, match=r"gamma: a parameter's shape: got \(2,\), expected one that broadcasts to \(3,\)"
    ):
        random.gamma((3,), [1.0, 2.0], seed=1)
