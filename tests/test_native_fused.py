"""The fused kernel: programs against NumPy in the same dtype, and elementary functions against float64."""

import functools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.lib.stride_tricks import as_strided

from layerwise import config, ops
from layerwise.autograd import Tensor, raw
from layerwise.backends import backend
from layerwise.backends.base import FUSED_ACTIVATIONS
from layerwise.ops.activation import SELU_ALPHA, SELU_SCALE

native = pytest.importorskip("layerwise.backends._native")

OPCODES = {name: number for name, (number, *_) in native.INSTRUCTIONS.items()}
DTYPES = {"float32": 5, "float64": 6, "int32": 2, "int64": 4, "uint32": 3}
RNG = np.random.default_rng(0)


@pytest.fixture(params=native.isas())
def isa(request):
    before = native.isa()
    native.set_isa(request.param)
    yield request.param
    native.set_isa(before)


def run(code, outputs, inputs=(), dtype="float32", shape=None, reals=()):
    """Run instructions (name, dst, a, b, c); arguments are outputs, then inputs, broadcast to `shape`."""
    shape = np.broadcast_shapes(*(x.shape for x in inputs)) if shape is None else shape
    args = [*outputs, *(np.broadcast_to(x, shape) for x in inputs)]
    lines = [(OPCODES[name], *rest, *(0,) * (4 - len(rest))) for name, *rest in code]
    ints = [DTYPES[dtype], len(shape), *shape, len(lines), *(n for line in lines for n in line)]
    native.call("fused", len(outputs), args, ints, reals)


def repeated(output, shape):
    """An output seen with stride 0 along the axes in which it has one element."""
    strides = [0 if n == 1 else s for n, s in zip(output.shape, output.strides, strict=True)]
    return as_strided(output, shape, strides)


def apply(name, *operands, dtype="float32", result=None):
    """One instruction over arrays of one shape."""
    y = np.empty(operands[0].shape, result or operands[0].dtype)
    loads = [("LOAD", i, i + 1) for i in range(len(operands))]
    registers = range(len(operands))
    run([*loads, (name, len(operands), *registers), ("STORE", 0, len(operands), 0)], [y], operands, dtype)
    return y


def test_every_name_of_the_extensions_tables_is_known_here():
    """They are written once, in src/native/*.def: a dtype, reduction or function is found by its name alone."""
    assert all(np.dtype(name).name == name for name in native.DTYPES)
    assert all(callable(getattr(np, name)) for name in native.REDUCTIONS)
    assert set(native.ACTIVATIONS) == {act or "linear" for act in FUSED_ACTIVATIONS}
    numbers = [number for number, *_ in native.INSTRUCTIONS.values()]
    assert numbers == list(range(len(numbers)))
    for name, (_, kind, operands, _, function) in native.INSTRUCTIONS.items():
        own = getattr(ops.activation, "_" + function, None) or getattr(ops, function, None)
        known = getattr(np, function, None) or own
        assert callable(known) or kind not in ("number", "truth") or name == "WHERE", name
        assert not isinstance(known, np.ufunc) or known.nin == operands, name


# ------------------------------------------------------------------------------------------------ elementary functions


def tail(x):
    return 0.5 * math.erfc(x * math.sqrt(0.5))


def bent(x):
    return math.sqrt(8 / math.pi) * (x + 0.044715 * x**3) if abs(x) < 1e3 else math.copysign(math.inf, x)


def sigmoid(x):
    e = np.exp(-np.abs(x))
    return np.where(x < 0, e, 1) / (1 + e)


def of_each(fn):
    return np.vectorize(lambda x: fn(x) if math.isfinite(x) else math.nan, otypes=["float64"])


# name -> (float64 truth, units in the last place allowed)
FUNCTIONS = {
    "EXP": (np.exp, 2), "EXPM1": (np.expm1, 2), "LOG": (np.log, 2), "LOG1P": (np.log1p, 2), "LOG2": (np.log2, 2),
    "LOG10": (np.log10, 2), "TANH": (np.tanh, 2), "SIGMOID": (sigmoid, 2), "SIN": (np.sin, 2), "COS": (np.cos, 2),
    "SINH": (np.sinh, 2), "COSH": (np.cosh, 2), "TAN": (np.tan, 2), "ARCSIN": (np.arcsin, 2), "ARCCOS": (np.arccos, 2),
    "ARCTAN": (np.arctan, 2), "ARCSINH": (np.arcsinh, 2), "ARCCOSH": (np.arccosh, 2), "ARCTANH": (np.arctanh, 2),
    "SQRT": (np.sqrt, 0.5), "RECIPROCAL": (np.reciprocal, 0.5),
    "ERF": (of_each(math.erf), 2),
    "SILU": (lambda x: x * sigmoid(x), 4),
    "GELU": (lambda x: x * of_each(lambda v: tail(-v))(x), 4),
    "GELU_TANH": (lambda x: x * sigmoid(np.vectorize(bent, otypes=["float64"])(x)), 4),
}  # fmt: skip


def worst_ulp(y, truth):
    """The largest error of float32 y in units of the last place of the truth."""
    with np.errstate(all="ignore"):
        rounded = truth.astype("float32")
        error = np.abs(y - truth) / np.ldexp(1.0, np.maximum(np.frexp(truth)[1] - 24, -149))
    error[(np.isinf(rounded) & (y == rounded)) | (np.isnan(y) & np.isnan(rounded))] = 0
    return np.nan_to_num(error, nan=np.inf).max()


EVERYWHERE = np.arange(0, 2**32, 4001, dtype="uint64").astype("uint32").view("float32")
CURVED = np.arange(122 << 23, 134 << 23, 1009, dtype="uint32").view("float32")  # 2^-5 to 2^7
PATTERNS = np.concatenate([EVERYWHERE, CURVED, -CURVED])


@functools.cache
def true_values(function):
    """What a function of float64 gives for all patterns: the same for every instruction set."""
    with np.errstate(all="ignore"):
        return function(PATTERNS.astype("float64"))


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_over_all_of_float32(name, isa):
    truth, limit = FUNCTIONS[name]
    want, y = true_values(truth), apply(name, PATTERNS)
    known = np.isfinite(PATTERNS) | ~np.isnan(want)
    assert worst_ulp(y[known], want[known]) <= limit
    assert np.isnan(y[np.isnan(PATTERNS)]).all()


SLOPE = of_each(lambda x: tail(-x) + x * math.exp(-0.5 * min(x * x, 1500)) / math.sqrt(2 * math.pi))


def test_the_slope_of_gelu_over_all_of_float32(isa):
    """It is 0 near -0.75, where the error cannot be small beside it."""
    finite = np.isfinite(PATTERNS)
    x, want = PATTERNS[finite], true_values(SLOPE)[finite]
    y = apply("GELU_SLOPE", x)
    assert np.abs(y - want).max() <= 2**-22
    apart = (x > 0) | ((x < -2) & (x > -12))
    assert worst_ulp(y[apart], want[apart]) <= 4
    y = apply("GELU_SLOPE", x[::7].astype("float64"), dtype="float64")
    np.testing.assert_allclose(y, want[::7], rtol=1e-12, atol=1e-15)
    assert np.isnan(apply("GELU_SLOPE", np.float32([np.nan, np.inf, -np.inf]))).all()  # as in the reference


ACTIVATIONS = {
    ops.relu: (lambda x: np.maximum(x, 0), 0), ops.tanh: (np.tanh, 2), ops.sigmoid: (sigmoid, 2), ops.exp: (np.exp, 2),
    ops.log: (np.log, 2), ops.softplus: (lambda x: np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x))), 2),
    ops.elu: (lambda x: np.where(x > 0, x, np.expm1(x)), 2),
    ops.selu: (lambda x: SELU_SCALE * np.where(x > 0, x, SELU_ALPHA * np.expm1(x)), 2),
    ops.silu: FUNCTIONS["SILU"], ops.gelu: FUNCTIONS["GELU_TANH"],
}  # fmt: skip


@pytest.mark.parametrize("activation", ACTIVATIONS, ids=lambda operation: operation.__name__)
def test_recorded_activations_over_all_of_float32(activation, isa):
    truth, limit = ACTIVATIONS[activation]
    finite = np.isfinite(PATTERNS)
    x, want = PATTERNS[finite], true_values(truth)[finite]
    with config.override(backend="native"), np.errstate(all="ignore"):
        replay = backend().compile(lambda state, x: ([], raw(activation(Tensor(x)))))
        y = replay([], x)[1]
    assert all(replay.programs.values())
    assert worst_ulp(y, want) <= limit


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_in_float64(name, isa):
    x = np.concatenate([RNG.normal(size=200) * scale for scale in (1e-3, 1, 4)])
    with np.errstate(all="ignore"):
        np.testing.assert_allclose(apply(name, x, dtype="float64"), FUNCTIONS[name][0](x), rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_functions_of_infinities_are_those_of_the_reference(dtype, isa):
    x = np.array([np.inf, -np.inf, 0.0, -0.0, 1e-45, -1e-45, 100, -200], dtype)
    with np.errstate(all="ignore"):
        for name, want in {
            "EXP": np.exp(x), "LOG": np.log(x), "LOG1P": np.log1p(x), "EXPM1": np.expm1(x), "TANH": np.tanh(x),
            "SIGMOID": sigmoid(x.astype("float64")), "ERF": np.sign(x) * (abs(x) > 1), "SIN": np.sin(x),
            "COSH": np.cosh(x),
        }.items():  # fmt: skip
            np.testing.assert_allclose(apply(name, x, dtype=dtype), want, rtol=1e-6, atol=2e-45, err_msg=name)
        for name in ("SILU", "GELU", "GELU_TANH"):  # infinity times 0 is NaN, as in the composition
            np.testing.assert_array_equal(apply(name, x[:4], dtype=dtype), [np.inf, np.nan, 0, 0], err_msg=name)


def test_powers_are_those_of_numpy(isa):
    special = [0.0, -0.0, 1, -1, 2, -2, 3, -3, 0.5, -0.5, 2.5, np.inf, -np.inf, np.nan, 1e30, -1e30, 1e-30, 1e-40]
    x, y = (v.ravel().astype("float32") for v in np.meshgrid(special, special))
    x = np.concatenate([x, np.exp(RNG.normal(size=2000) * 5).astype("float32")])
    y = np.concatenate([y, RNG.normal(size=2000).astype("float32") * 5])
    got = apply("POW", x, y)
    with np.errstate(all="ignore"):
        want = np.power(x.astype("float64"), y.astype("float64"))
        rounded = want.astype("float32")
    assert worst_ulp(got, want) <= 1
    np.testing.assert_array_equal(np.signbit(got[got == 0]), np.signbit(rounded[got == 0]))


# ------------------------------------------------------------------------------------------------- exact instructions

UNARY = {
    "NEG": np.negative, "ABS": np.abs, "FLOOR": np.floor, "CEIL": np.ceil, "RINT": np.rint, "TRUNC": np.trunc,
    "SIGN": np.sign, "RECIPROCAL": np.reciprocal, "SQUARE": np.square, "ISNAN": np.isnan, "ISINF": np.isinf,
    "ISFINITE": np.isfinite, "NOT": np.logical_not, "SQRT": np.sqrt,
}  # fmt: skip
BINARY = {
    "ADD": np.add, "SUB": np.subtract, "MUL": np.multiply, "DIV": np.true_divide, "MAX": np.maximum, "MIN": np.minimum,
    "EQ": np.equal, "NE": np.not_equal, "LT": np.less, "LE": np.less_equal, "GT": np.greater, "GE": np.greater_equal,
    "AND": np.logical_and, "OR": np.logical_or, "XOR": np.logical_xor, "FLOORDIV": np.floor_divide, "MOD": np.remainder,
    "ARCTAN2": np.arctan2,
}  # fmt: skip
WHOLE = {
    "BITAND": np.bitwise_and, "BITOR": np.bitwise_or, "BITXOR": np.bitwise_xor, "SHL": np.left_shift,
    "SHR": np.right_shift, "POW": np.power,
}  # fmt: skip
REAL_ONLY = {"FLOOR", "CEIL", "RINT", "TRUNC", "RECIPROCAL", "ISNAN", "ISINF", "ISFINITE", "SQRT", "DIV", "ARCTAN2"}


def operands(dtype):
    """All pairs of special values, of a length that is no multiple of a vector's."""
    if dtype in ("float32", "float64"):
        info = np.finfo(dtype)
        values = [0.0, -0.0, 1, -1, 0.5, 2.5, -3.5, 7, 1e10, np.inf, -np.inf, np.nan, info.max, info.tiny]
    else:
        info = np.iinfo(dtype)
        values = [v for v in (0, 1, 2, 3, 7, 31, 33, 64, info.max, info.max - 1, -1, -2, -7, info.min) if v >= info.min]
    return tuple(v.ravel() for v in np.meshgrid(np.array(values, dtype), np.array(values, dtype)))


@pytest.mark.parametrize("dtype", DTYPES)
def test_instructions_are_those_of_numpy(dtype, isa):
    x, y = operands(dtype)
    real = dtype in ("float32", "float64")
    for name, function in {**UNARY, **BINARY, **({} if real else WHOLE)}.items():
        if not real and name in REAL_ONLY:
            continue
        b = np.abs(y) % 64 if name == "POW" else y
        with np.errstate(all="ignore"):
            want = function(x) if name in UNARY else function(x, b)
        got = apply(name, *([x] if name in UNARY else [x, b]), dtype=dtype, result=want.dtype)
        if name == "ARCTAN2":
            np.testing.assert_allclose(got, want, rtol=1e-6)
        else:
            np.testing.assert_array_equal(got, want, err_msg=name)
        if real and name in ("NEG", "ABS", "FLOOR", "RINT", "MUL", "DIV", "ADD", "FLOORDIV", "MOD"):
            ordinary = ~np.isnan(want)
            np.testing.assert_array_equal(np.signbit(got[ordinary]), np.signbit(want[ordinary]), err_msg=name)


@pytest.mark.parametrize("dtype", DTYPES)
def test_loads_and_stores_convert_as_astype(dtype):
    for source in ("bool", "uint8", "int32", "uint32", "int64", "float32", "float64"):
        x = RNG.integers(0, 2 if source == "bool" else 100, 77).astype(source)
        y = np.empty(77, dtype)
        run([("LOAD", 0, 1), ("STORE", 0, 0, 0)], [y], [x], dtype)
        np.testing.assert_array_equal(y, x.astype(dtype))
        back = np.empty(77, source)
        run([("LOAD", 0, 1), ("STORE", 0, 0, 0)], [back], [y], dtype)
        np.testing.assert_array_equal(back, x)


# ------------------------------------------------------------------------------------------------------------- layouts


def layouts(draw, shape, values):
    """An array that broadcasts to `shape`: some axes of length 1, some transposed, strided or reversed."""
    small = tuple(1 if draw(st.integers(0, 2)) == 0 else n for n in shape)
    kind = draw(st.sampled_from(["plain", "strided", "reversed", "transposed"]))
    if kind == "strided":
        return values(tuple(2 * n for n in small))[tuple(slice(None, None, 2) for _ in small)]
    if kind == "reversed":
        return values(small)[tuple(slice(None, None, -1) for _ in small)]
    if kind == "transposed":
        return values(small[::-1]).T
    return values(small)


STEPS = ["ADD", "SUB", "MUL", "MAX", "MIN", "LT", "GE", "WHERE", "NEG", "ABS", "SQUARE", "FLOOR", "CONST"]
ROWS = {
    "ROW_SUM": np.sum, "ROW_MAX": np.max, "ROW_MIN": np.min, "ROW_ARGMAX": np.argmax, "ROW_MEAN": np.mean,
    "ROW_PICK": None,
}  # fmt: skip


@st.composite
def programs(draw):
    """A shape, input arrays and a program over them in whole numbers small enough for every sum to be exact."""
    rank = draw(st.integers(1, 4))
    sizes = st.sampled_from([1, 2, 3, 5, 8, 10, 17, 33] if rank > 1 else [1, 5, 64, 1000, 1025, 5000])
    shape = tuple(draw(sizes) for _ in range(rank))
    if rank > 1 and draw(st.booleans()):
        shape = (*shape[:-2], draw(st.sampled_from([1, 3, 40])), draw(st.sampled_from([127, 128, 130, 700, 2100])))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    inputs = [layouts(draw, shape, lambda s: rng.integers(-4, 5, s).astype("float32")) for _ in range(3)]
    registers = draw(st.integers(3, 6))
    rows = draw(st.booleans())
    steps = []
    for _ in range(draw(st.integers(1, 10))):
        name = draw(st.sampled_from(STEPS + (list(ROWS) if rows else [])))
        steps.append((name, *(draw(st.integers(0, registers - 1)) for _ in range(4))))
    return shape, inputs, registers, steps


def limited(x):
    """Numbers that stay small and whole."""
    return np.clip(np.trunc(x), -8, 8).astype("float32")


@settings(max_examples=120, deadline=None)
@given(programs())
def test_random_programs(case):
    shape, inputs, registers, steps = case
    held = [np.broadcast_to(inputs[i % 3], shape) for i in range(registers)]
    code = [("LOAD", i, 4 + i % 3) for i in range(registers)]
    low, high = registers, registers + 1
    code += [("CONST", low, 0), ("CONST", high, 1)]
    for name, dst, a, b, c in steps:
        x, y, z = held[a], held[b], held[c]
        if name == "CONST":
            code.append((name, dst, 1))
            value = np.broadcast_to(np.float32(8), shape)
        elif name == "ROW_PICK":
            inside = (-shape[-1] <= y[..., :1]) & (y[..., :1] < shape[-1])
            code.append((name, dst, a, b))
            picked = np.take_along_axis(x, np.where(inside, y[..., :1], 0).astype(int), -1)
            value = np.where(inside, picked, np.nan)
        elif name in ROWS:
            code.append((name, dst, a))
            value = ROWS[name](x, axis=-1, keepdims=True).astype("float32")
        elif name == "WHERE":
            code.append((name, dst, a, b, c))
            value = np.where(x != 0, y, z)
        elif name in UNARY:
            code.append((name, dst, a))
            value = UNARY[name](x)
        else:
            code.append((name, dst, a, b))
            value = BINARY[name](x, y).astype("float32")
        code += [("TRUNC", dst, dst)] if name == "ROW_MEAN" else []
        code += [("MAX", dst, dst, low), ("MIN", dst, high, dst)]
        held[dst] = np.broadcast_to(limited(value), shape)
    last = steps[-1][1]
    full = np.full(shape, np.nan, "float32")
    columns = np.full((1,) * (len(shape) - 1) + shape[-1:], np.nan, "float32")
    total = np.full((1,) * len(shape), np.nan, "float32")
    first = np.full((*shape[:-1], 1), np.nan, "float32")
    code += [("STORE", 0, last, 0), ("ADD_COLUMNS", 0, last, 1), ("ADD_ALL", 0, last, 2), ("STORE", 0, steps[0][1], 3)]
    outputs = [full, *(repeated(x, shape) for x in (columns, total, first))]
    run(code, outputs, inputs, shape=shape, reals=[-8, 8])
    want = held[last]
    np.testing.assert_array_equal(full, want)
    np.testing.assert_array_equal(columns, want.sum(tuple(range(len(shape) - 1)), keepdims=True))
    np.testing.assert_array_equal(total, want.sum(keepdims=True))
    np.testing.assert_array_equal(first, held[steps[0][1]][..., :1])


# ----------------------------------------------------------------------------------------------------------- reductions


@pytest.mark.parametrize("shape", [(1, 7), (5, 1), (32, 10), (70, 64), (9, 1000), (3, 5000), (2, 3, 40)])
def test_rows_with_nan_and_ties(shape, isa):
    x = RNG.integers(-3, 4, shape).astype("float32")
    x[0, ..., -1] = np.nan
    names = ("ROW_MAX", "ROW_MIN", "ROW_ARGMAX", "ROW_SUM")
    outputs = [np.full((*shape[:-1], 1), np.nan, "float32") for _ in names]
    code = [("LOAD", 0, 4)]
    for i, name in enumerate(names):
        code += [(name, 1, 0), ("STORE", 0, 1, i)]
    run(code, [repeated(y, shape) for y in outputs], [x])
    for name, y in zip(names, outputs, strict=True):
        np.testing.assert_array_equal(y, ROWS[name](x, axis=-1, keepdims=True), err_msg=name)


def test_extremes_of_infinities(isa):
    x = np.array([[np.inf, -np.inf, 1, 2] * 30, [-np.inf] * 120], "float32")
    high, low = np.empty((2, 1), "float32"), np.empty((2, 1), "float32")
    code = [("LOAD", 0, 2), ("ROW_MAX", 1, 0), ("STORE", 0, 1, 0), ("ROW_MIN", 1, 0), ("STORE", 0, 1, 1)]
    run(code, [repeated(high, x.shape), repeated(low, x.shape)], [x])
    assert high.ravel().tolist() == [np.inf, -np.inf]
    assert low.ravel().tolist() == [-np.inf, -np.inf]


@pytest.mark.parametrize("shape", [(1, 60_000), (100_000, 1), (100_000, 3), (20_000, 64), (300, 1024), (2, 60_000)])
def test_sums_are_as_exact_as_pairwise_ones(shape):
    x = (RNG.normal(size=shape) + 1).astype("float32")
    sums = {
        "columns": np.full((1, shape[1]), np.nan, "float32"),
        "total": np.full((1, 1), np.nan, "float32"),
        "rows": np.full((shape[0], 1), np.nan, "float32"),
    }
    code = [("LOAD", 0, 3), ("ROW_SUM", 1, 0), ("ADD_COLUMNS", 0, 0, 0), ("ADD_ALL", 0, 0, 1), ("STORE", 0, 1, 2)]
    run(code, [repeated(y, shape) for y in sums.values()], [x])
    exact, size = x.astype("float64"), np.abs(x).astype("float64")
    for name, axis in (("columns", 0), ("total", None), ("rows", 1)):
        bound = 24 * 2.0**-24 * size.sum(axis, keepdims=True)
        assert (np.abs(sums[name] - exact.sum(axis, keepdims=True)) <= bound).all(), name


def test_whole_numbers_wrap_when_summed():
    x = np.full((300, 5), 2**31 - 1, "int32")
    rows, columns = np.empty((300, 1), "int32"), np.empty((1, 5), "int32")
    code = [("LOAD", 0, 2), ("ROW_SUM", 1, 0), ("STORE", 0, 1, 0), ("ADD_COLUMNS", 0, 0, 1)]
    run(code, [repeated(rows, x.shape), repeated(columns, x.shape)], [x], "int32")
    np.testing.assert_array_equal(rows, x.sum(1, keepdims=True, dtype="int32"))
    np.testing.assert_array_equal(columns, x.sum(0, keepdims=True, dtype="int32"))


def test_any_number_of_threads_gives_the_same_bits():
    x = RNG.normal(size=(3000, 200)).astype("float32")
    before = native.num_threads()
    results = []
    for threads in (1, 2, 4):
        native.set_num_threads(threads)
        y, columns, total = np.empty_like(x), np.empty((1, 200), "float32"), np.empty((1, 1), "float32")
        code = [("LOAD", 0, 3), ("ROW_MEAN", 1, 0), ("SUB", 0, 0, 1), ("GELU", 0, 0), ("STORE", 0, 0, 0)]
        code += [("ADD_COLUMNS", 0, 0, 1), ("ADD_ALL", 0, 0, 2)]
        run(code, [y, repeated(columns, x.shape), repeated(total, x.shape)], [x])
        results.append(b"".join(a.tobytes() for a in (y, columns, total)))
    native.set_num_threads(before)
    assert results[0] == results[1] == results[2]


# ------------------------------------------------------------------------------------------- whole programs, and errors


@pytest.mark.parametrize("shape", [(32, 10), (7, 1000), (400, 33), (50, 200)])
def test_softmax_cross_entropy(shape, isa):
    x = (RNG.normal(size=shape) * 5).astype("float32")
    labels = RNG.integers(0, shape[1], (shape[0], 1)).astype("int32")
    gradient, loss = np.empty_like(x), np.empty((shape[0], 1), "float32")
    code = [
        ("LOAD", 0, 2), ("LOAD", 1, 3), ("LOAD", 7, 4), ("ROW_MAX", 2, 0), ("SUB", 0, 0, 2), ("ROW_PICK", 3, 0, 1),
        ("EXP", 4, 0), ("ROW_SUM", 5, 4), ("LOG", 6, 5), ("SUB", 6, 6, 3), ("DIV", 4, 4, 5), ("SUB", 4, 4, 7),
        ("STORE", 0, 4, 0), ("STORE", 0, 6, 1),
    ]  # fmt: skip
    one_hot = np.arange(shape[1]) == labels
    run(code, [gradient, repeated(loss, shape)], [x, labels, one_hot])
    e = np.exp(x.astype("float64") - x.max(-1, keepdims=True))
    p = e / e.sum(-1, keepdims=True)
    np.testing.assert_allclose(gradient, p - one_hot, atol=3e-7)
    np.testing.assert_allclose(loss.ravel(), -np.log(p[one_hot]), rtol=1e-5, atol=1e-6)


def test_an_update_in_place_reads_before_it_writes():
    w, m, g = (RNG.normal(size=50_001).astype("float32") for _ in range(3))
    want_m = m + np.float32(0.1) * (g - m)
    want_w = w - want_m * g
    code = [("LOAD", 0, 2), ("LOAD", 1, 3), ("LOAD", 2, 4), ("CONST", 3, 0), ("SUB", 4, 2, 1), ("MUL", 4, 3, 4)]
    code += [("ADD", 4, 1, 4), ("STORE", 0, 4, 1), ("MUL", 5, 4, 2), ("SUB", 5, 0, 5), ("STORE", 0, 5, 0)]
    run(code, [w, m], [w, m, g], reals=[0.1])
    np.testing.assert_array_equal(m, want_m)
    np.testing.assert_array_equal(w, want_w)


def test_operations_are_not_contracted():
    a, b = (RNG.normal(size=1000).astype("float32") for _ in range(2))
    y = np.empty_like(a)
    run([("LOAD", 0, 1), ("LOAD", 1, 2), ("MUL", 2, 0, 1), ("ADD", 2, 2, 0), ("STORE", 0, 2, 0)], [y], [a, b])
    np.testing.assert_array_equal(y, a * b + a)


def test_empty_arrays_have_nothing_to_do():
    x, total = np.empty((0, 5), "float32"), np.ones((1, 1), "float32")
    code = [("LOAD", 0, 2), ("ROW_SUM", 1, 0), ("STORE", 0, 0, 0), ("ADD_ALL", 0, 0, 1)]
    run(code, [x.copy(), as_strided(total, x.shape, (0, 0))], [x])
    assert total.item() == 1  # an array of this shape has no element to hold the sum


BAD = {
    "dtype": [1, 1, 4, 1, 0, 0, 0, 0, 0],
    "rank": [5, 5, 1, 1, 1, 1, 4, 1, 0, 0, 0, 0, 0],
    "shape of the space": [5, 1, 5, 1, 0, 0, 1, 0, 0],
    "rank of the space": [5, 2, 2, 2, 1, 0, 0, 1, 0, 0],
    "instructions": [5, 1, 4, 2, 0, 0, 1, 0, 0],
    "registers: expected 0": [5, 1, 4, 1, 0, 48, 1, 0, 0],
    "filled before": [5, 1, 4, 1, 1, 0, 3, 0, 0],
    "number of an argument": [5, 1, 4, 1, 0, 0, 2, 0, 0],
    "number of a constant": [5, 1, 4, 1, 2, 0, 0, 0, 0],
    "that the dtype has": [5, 1, 4, 2, 0, 0, 1, 0, 0, OPCODES["BITAND"], 0, 0, 0, 0],
    "instruction that the dtype has": [2, 1, 4, 2, 0, 0, 1, 0, 0, OPCODES["ROW_PICK"], 1, 0, 0, 0],
    "an instruction that the": [5, 1, 4, 2, 0, 0, 1, 0, 0, len(OPCODES), 1, 0, 0, 0],
    "repeats along the axes": [5, 1, 4, 2, 0, 0, 1, 0, 0, OPCODES["ADD_ALL"], 0, 0, 0, 0],
    "expected dtype": [5],
}


@pytest.mark.parametrize("message", BAD)
def test_bad_programs_are_refused(message):
    x = np.zeros(4, "float32")
    with pytest.raises(ValueError, match=message):
        native.call("fused", 1, [np.zeros(4, "float32"), x], BAD[message], [])


def test_rows_that_are_too_long_are_refused():
    x = np.zeros((1, 65537), "float32")
    with pytest.raises(ValueError, match="65536"):
        run([("LOAD", 0, 1), ("ROW_MAX", 1, 0), ("STORE", 0, 1, 0)], [x], [x])


def test_buffers_of_a_program_that_share_memory_are_read_before_they_are_written():
    n = 5000
    program = native.Program([0, 4 * n, 4 * n])
    y, x = ((slot, 0, DTYPES["float32"], [n], [1]) for slot in (1, 2))
    lines = [("LOAD", 0, 1), ("SQUARE", 1, 0), ("SUB", 1, 1, 0), ("EXP", 2, 0), ("ADD", 1, 1, 2), ("STORE", 0, 1, 0)]
    code = [k for name, *rest in lines for k in (OPCODES[name], *rest, *(0,) * (4 - len(rest)))]
    program.add("fused", 1, [y, x], [DTYPES["float32"], 1, n, len(lines), *code])
    values = RNG.normal(size=n).astype("float32")
    want = np.empty_like(values)
    program.run([want, values])
    memory = values.copy()
    program.run([memory, memory])
    np.testing.assert_array_equal(memory, want)
    again = np.empty_like(values)
    program.run([again, values])
    np.testing.assert_array_equal(again, want)
