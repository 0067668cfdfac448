"""Every operation against its samples: value, gradients, shapes, dtypes, memory layouts, empty inputs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from layerwise import config, ops, tree
from layerwise.autograd import Primitive, Spec, Tensor, grad, gradcheck, primitives, vjp
from samples import SAMPLES, Sample

REAL = "float64"
pytestmark = pytest.mark.float64


def leaves(sample: Sample) -> list[Any]:
    """The sample's arguments one by one, out of the lists that some operations take."""
    return [np.array(a) if isinstance(a, np.ndarray) else a for a in tree.flatten(list(sample.args))]


def call(sample: Sample, flat: list[Any]) -> list[Any]:
    """The results one by one."""
    return tree.flatten(sample(*tree.pack_sequence_as(list(sample.args), flat)))


def arrays(sample: Sample) -> list[int]:
    return [i for i, a in enumerate(tree.flatten(list(sample.args))) if isinstance(a, np.ndarray)]


def varied(sample: Sample) -> list[int]:
    """The leaves to differentiate by."""
    flat = tree.flatten(list(sample.args))
    return [i for i in arrays(sample) if flat[i].dtype.kind == "f" and (sample.vary is None or i in sample.vary)]


def replaced(flat: list[Any], places: list[int], values: Any) -> list[Any]:
    flat = list(flat)
    for i, value in zip(places, values, strict=True):
        flat[i] = value
    return flat


def function(sample: Sample) -> Any:
    """What the sample calls, as a function of what it is differentiated by, returning what holds real numbers."""
    flat, places = leaves(sample), varied(sample)
    return lambda *xs: [y for y in call(sample, replaced(flat, places, xs)) if y.dtype == REAL]


def points(sample: Sample) -> list[np.ndarray]:
    return [leaves(sample)[i] for i in varied(sample)]


def weights(values: list[Any]) -> list[np.ndarray]:
    rng = np.random.default_rng(3)
    return [np.asarray(rng.standard_normal(y.shape)) for y in values]


def gradients(sample: Sample) -> list[np.ndarray]:
    """The gradient of a fixed combination of all results."""
    values, pull = vjp(function(sample), *points(sample))
    return [np.asarray(g) for g in pull(weights(values))]


def each(*conditions: Any) -> Any:
    chosen = [s for s in SAMPLES if all(condition(s) for condition in conditions)]
    return pytest.mark.parametrize("sample", chosen, ids=str)


def differentiable(s: Sample) -> bool:
    return s.differentiable and bool(varied(s))


def has_tensors(s: Sample) -> bool:
    return not s.plain and bool(arrays(s))


@pytest.fixture(autouse=True)
def double(request):
    with config.override(floatx=REAL), np.errstate(all="raise", under="ignore"):
        yield


# Completeness


def test_every_public_operation_has_a_sample():
    special = {"custom_gradient", "dtype", "vectorize"}  # makers of functions and a name, tested elsewhere
    assert set(ops.__all__) - special == {s.name for s in SAMPLES if not s.name.startswith("_")}


def test_every_primitive_has_a_sample():
    loops = {"_scan"}  # its operands are laid out by the public scan
    names = {p.rule.__name__ for p in primitives.values() if p.__module__.startswith("layerwise")}
    assert names - loops <= {s.name for s in SAMPLES}


def test_every_operation_says_in_a_formula_what_it_computes():
    missing = [name for name in ops.__all__ if not (getattr(ops, name).__doc__ or "").strip()]
    assert not missing


# Values


@each(lambda s: True)
def test_value(sample):
    """The reference's value, from inputs that are never written to."""
    flat = leaves(sample)
    for i in arrays(sample):
        flat[i].flags.writeable = False
    results = call(sample, flat)
    expected = tree.flatten(sample.reference(*sample.args, **sample.kwargs))
    if isinstance(expected[0], Tensor) or sample.name == "unstack":
        expected = list(expected)
    assert len(results) == len(expected)
    for y, e in zip(results, expected, strict=True):
        assert sample.plain or type(y) is Tensor
        assert np.shape(y) == np.shape(e)
        np.testing.assert_allclose(y, e, rtol=sample.tolerance, atol=sample.tolerance)


# Gradients


@each(differentiable, lambda s: s.analytic)
def test_gradient_by_complex_step(sample):
    """Im f(x + i h v) / h is the derivative along v without any difference, so to the last digits."""
    if config.backend() == "xla" and "conv" in sample.name:
        pytest.skip("JAX makes complex convolutions of three real ones, whose sums lose the step")
    rng, h = np.random.default_rng(1), 1e-30
    rule = sample.operation.rule
    flat = [np.asarray(a) if a is not None else None for a in leaves(sample)]
    got = gradients(sample)
    for place, g in zip(varied(sample), got, strict=True):
        v = rng.standard_normal(flat[place].shape)
        stepped = [a.astype("complex128") if i in varied(sample) else a for i, a in enumerate(flat)]
        stepped[place] = stepped[place] + 1j * h * v
        result = rule(*stepped, **sample.kwargs)
        result = result if isinstance(result, tuple) else (result,)
        us = weights([np.asarray(y) for y in result])
        expected = sum(np.vdot(u, y.imag) / h for u, y in zip(us, result, strict=True))
        assert np.vdot(g, v) == pytest.approx(expected, rel=1e-12, abs=1e-13 * max(1, np.abs(g).sum()))


@each(differentiable, lambda s: not s.analytic)
def test_gradient_by_differences(sample):
    assert gradcheck(function(sample), *points(sample), rtol=1e-7, atol=1e-9)


@each(differentiable, lambda s: s.smooth)
def test_second_derivative(sample):
    f = function(sample)
    us = weights(f(*points(sample)))

    def first(*xs: Any) -> Any:
        def total(*ys: Any) -> Any:
            return sum(ops.sum(ops.multiply(u, ops.sin(y))) for u, y in zip(us, f(*ys), strict=True))

        return grad(total, argnums=range(len(xs)))(*xs)

    assert gradcheck(first, *points(sample), rtol=1e-6, atol=1e-8)


# Shapes and dtypes


def specs_of(results: list[Any]) -> list[Any]:
    return [(tuple(y.shape), y.dtype) for y in results]


def symbolic(flat: list[Any], sample: Sample, batch: Any = ()) -> list[Any]:
    """The arrays as symbolic Tensors, those in `batch` with an unknown first size."""
    return [
        Tensor(Spec((None, *a.shape[1:]) if i in batch else a.shape, a.dtype.name))
        if isinstance(a, np.ndarray) and i not in sample.static
        else a
        for i, a in enumerate(flat)
    ]


def batch_leaves(sample: Sample) -> list[int]:
    """The leaves that share the batch's size: whole lists count as their items."""
    return [
        i
        for i, which in enumerate(
            tree.flatten([tree.map_structure(lambda _, n=n: n, a) for n, a in enumerate(sample.args)])
        )
        if which in sample.batch
    ]


@each(has_tensors, lambda s: set(arrays(s)) - set(s.static))
def test_shape_and_dtype_are_known_beforehand(sample):
    flat = leaves(sample)
    results = call(sample, symbolic(flat, sample))
    assert all(y.symbolic for y in results)
    assert specs_of(results) == specs_of(call(sample, flat))


@each(has_tensors, lambda s: isinstance(s.operation, Primitive))
def test_shape_rule(sample):
    """`spec` itself, also for operands that are no Tensors."""
    flat = [np.asarray(a) if a is not None else None for a in leaves(sample)]
    result = sample.operation.spec(*(a if a is None else Spec(a.shape, a.dtype.name) for a in flat), **sample.kwargs)
    assert [(s.shape, s.dtype) for s in (result if type(result) is tuple else (result,))] == specs_of(
        call(sample, flat)
    )


@each(has_tensors, lambda s: bool(s.batch))
def test_unknown_batch_size(sample):
    flat = leaves(sample)
    for y, e in zip(call(sample, symbolic(flat, sample, batch_leaves(sample))), call(sample, flat), strict=True):
        assert y.shape == (None, *e.shape[1:])
        assert y.dtype == e.dtype


@each(has_tensors, lambda s: "dtype" not in s.kwargs)
def test_single_precision_stays(sample):
    flat = leaves(sample)
    short = [a.astype("float32") if isinstance(a, np.ndarray) and a.dtype == REAL else a for a in leaves(sample)]
    with config.override(floatx="float32"):
        results = call(sample, short)
    for y, e in zip(results, call(sample, flat), strict=True):
        assert y.dtype == ("float32" if e.dtype == REAL else e.dtype)
        np.testing.assert_allclose(y, e, rtol=2e-4, atol=2e-4)


@each(differentiable, lambda s: "dtype" not in s.kwargs)
def test_single_precision_gradients_stay(sample):
    flat = [a.astype("float32") if isinstance(a, np.ndarray) and a.dtype == REAL else a for a in leaves(sample)]
    with config.override(floatx="float32"):
        places = varied(sample)
        values, pull = vjp(lambda *xs: call(sample, replaced(flat, places, xs)), *(flat[i] for i in places))
        grads = pull([u.astype("float32") if y.dtype == "float32" else None for u, y in zip(weights(values), values)])
    assert [g.dtype for g in grads] == ["float32"] * len(grads)


# Memory


def reversed_order(a: np.ndarray) -> np.ndarray:
    everything = (slice(None, None, -1),) * a.ndim
    return np.ascontiguousarray(a[everything])[everything]


def strided(a: np.ndarray) -> np.ndarray:
    wide = np.full([2 * n for n in a.shape], a.dtype.type(1), a.dtype)
    every_other = (slice(None, None, 2),) * a.ndim
    wide[every_other] = a
    return wide[every_other]


@pytest.mark.parametrize("layout", [reversed_order, strided, np.asfortranarray])
@each(has_tensors)
def test_any_memory_layout(sample, layout):
    flat = leaves(sample)
    arranged = [layout(a) if isinstance(a, np.ndarray) else a for a in flat]
    for a in arranged:
        if isinstance(a, np.ndarray):
            a.flags.writeable = False
    for y, e in zip(call(sample, arranged), call(sample, flat), strict=True):
        np.testing.assert_allclose(y, e, rtol=1e-12, atol=1e-12)


@each(has_tensors, lambda s: bool(s.batch))
def test_empty_batch(sample):
    flat, batch = leaves(sample), batch_leaves(sample)
    empty = [a[:0] if i in batch else a for i, a in enumerate(flat)]
    results = call(sample, empty)
    for y, e in zip(results, call(sample, flat), strict=True):
        assert y.shape == (0, *e.shape[1:])
        assert y.dtype == e.dtype
    if differentiable(sample):
        places = varied(sample)
        values, pull = vjp(lambda *xs: call(sample, replaced(empty, places, xs)), *(empty[i] for i in places))
        grads = pull([u if y.dtype == REAL else None for u, y in zip(weights(values), values, strict=True)])
        for i, g in zip(places, grads, strict=True):
            assert g.shape == empty[i].shape
            assert not np.asarray(g).any()


# The XLA backend


def first_of_its_name(s: Sample) -> bool:
    return s is next(other for other in SAMPLES if other.name == s.name)


@pytest.fixture
def xla(double):
    jax = pytest.importorskip("jax")
    with jax.enable_x64(True), config.override(backend="xla"):
        yield


@pytest.mark.own_backend
@each(lambda s: isinstance(s.operation, Primitive) or s.name in ("scan", "einsum", "cond"), first_of_its_name)
def test_xla_agrees(sample, xla):
    """Primitives on JAX, values and gradients: the other operations are made of them."""

    def everything() -> list[Any]:
        return [*call(sample, leaves(sample)), *(gradients(sample) if differentiable(sample) else [])]

    results = everything()
    with config.override(backend="numpy"):
        expected = everything()
    for y, e in zip(results, expected, strict=True):
        assert y.dtype == e.dtype
        np.testing.assert_allclose(y, e, rtol=1e-9, atol=1e-9)


# Where there is no derivative: the documented choice

KINKS = [
    (ops.relu, [0.0], [0.0]),
    (ops.relu6, [0.0, 6.0], [0.0, 0.0]),
    (ops.leaky_relu, [0.0], [1.0]),
    (ops.elu, [0.0], [1.0]),
    (ops.softsign, [0.0], [1.0]),
    (ops.abs, [0.0], [0.0]),
    (lambda x: ops.clip(x, -1.0, 1.0), [-1.0, 1.0], [1.0, 1.0]),
    (lambda x: ops.maximum(x, 0.0), [0.0], [0.5]),
    (lambda x: ops.minimum(x, 0.0), [0.0], [0.5]),
    (ops.max, [2.0, 1.0, 2.0], [0.5, 0.0, 0.5]),
    (ops.min, [1.0, 1.0, 2.0, 1.0], [1 / 3, 1 / 3, 0.0, 1 / 3]),
    (lambda x: ops.max_pool(ops.reshape(x, (1, 4, 1)), 2), [3.0, 3.0, 1.0, 2.0], [1.0, 0.0, 0.0, 1.0]),
    (lambda x: x**0.0, [0.0], [0.0]),
    (lambda x: x**2, [0.0, -3.0], [0.0, -6.0]),
    (lambda x: ops.power(0.0, x), [2.0], [0.0]),
    (ops.prod, [0.0, 2.0, 3.0], [6.0, 0.0, 0.0]),
    (ops.cumprod, [2.0, 0.0, 3.0], [1.0, 8.0, 0.0]),
    (ops.floor, [1.5], [0.0]),
    (ops.sign, [0.5], [0.0]),
]


@pytest.mark.parametrize(("f", "x", "expected"), KINKS)
def test_subgradient(f, x, expected):
    np.testing.assert_array_equal(grad(lambda x: ops.sum(f(x)))(np.array(x)), np.array(expected))


# Errors


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: ops.add(np.ones((2, 3)), np.ones(4)), r"add: shapes \(2, 3\) and \(4,\) do not broadcast"),
        (lambda: ops.add(np.array(["a"]), 1), "expected numbers"),
        (lambda: ops.relu(np.array([None])), "expected numbers"),
        (lambda: ops.matmul(np.ones((2, 3)), np.ones((2, 3))), r"matmul: the inner sizes .* 3 against 2"),
        (lambda: ops.matmul(1.0, np.ones((2, 3))), "matmul: expected at least one dimension"),
        (
            lambda: ops.reshape(np.ones(6), (4, -1)),
            "reshape: cannot arrange the 6 elements",
        ),
        (lambda: ops.squeeze(np.ones((2, 1)), 0), "squeeze: axis: got 0"),
        (lambda: ops.sum(np.ones(2), axis=3), r"axis: got 3, expected -1 \.\.\. 0"),
        (lambda: ops.einsum("ij,jk->ik", np.ones(2), np.ones((2, 2))), "einsum: .* got 1 dimensions"),
        (lambda: ops.einsum("ii->j", np.ones((2, 2))), "einsum: 'ii->j': no operand has j"),
        (lambda: ops.einsum("ij->i", np.ones((2, 2)), 1.0), "einsum: .* names 1 operands, got 2"),
        (lambda: ops.einsum("i,i->i", np.ones(2), np.ones(3)), "einsum: .* stands for both 2 and 3"),
        (lambda: ops.dense(np.ones((2, 3)), np.ones((4, 5))), "dense: x of shape .* expected 4"),
        (lambda: ops.conv(np.ones((1, 5, 3)), np.ones((2, 2, 4))), "conv: x of shape .* does not fit a kernel"),
        (lambda: ops.conv(np.ones((1, 5, 3)), np.ones((7, 3, 4))), "a window of .* is larger"),
        (lambda: ops.conv(np.ones((1, 5, 3)), np.ones((2, 3, 4)), strides=(1, 1)), "strides: got"),
        (lambda: ops.max_pool(np.ones((1, 5, 3)), 6), "a window of .* is larger"),
        (lambda: ops.concatenate([np.ones((2, 3)), np.ones((3, 2))]), "concatenate: shapes"),
        (lambda: ops.split(np.ones(5), 2), "split: 5 along axis 0"),
        (lambda: ops.transpose(np.ones((2, 3)), (0, 0)), "transpose: axes"),
        (lambda: ops.broadcast_to(np.ones((2, 3)), (3, 2)), "broadcast_to: shape"),
        (lambda: ops.cross(np.ones(4), np.ones(2)), "cross: expected vectors of 2 or 3"),
        (lambda: ops.sparse_softmax_cross_entropy(np.zeros(2, int), np.ones((3, 4))), "cross-entropy: labels"),
        (lambda: ops.reshape(np.ones(4), (-2, 2)), r"reshape: newshape: got \(-2, 2\), expected sizes >= 0"),
        (lambda: ops.where(np.ones(3) > 0, np.ones(3)), "where: got one of x1 and x2, expected both"),
        (lambda: ops.meshgrid([1], [2], indexing="yx"), "meshgrid: indexing: got 'yx', expected 'xy' or 'ij'"),
        (lambda: ops.pad(np.ones(3), 1, "reflect", 0), "pad: constant_values: got 0, expected none with mode"),
        (lambda: ops.normalize(np.ones(3), order="a"), "normalize: order: got 'a', expected a number >= 1"),
        (lambda: ops.scan(lambda c, x: (c, x), 0, np.ones(3), unroll=-1), "scan: unroll: got -1"),
        (lambda: ops.stft(np.ones(9, "float32"), 4, 0, 4), "stft: sequence_stride: got 0"),
        (lambda: ops.relu(), "relu: argument 'x' is missing"),
        (lambda: ops.relu(1.0, 2.0, 3.0), "relu: takes 1 arguments, got 3"),
        (lambda: ops.cast(1.0, dtype="floaty"), "dtype: got 'floaty'"),
    ],
)
def test_errors_name_the_operation(call, message):
    with pytest.raises((TypeError, ValueError), match=message):
        call()


ALONG = {  # what takes one axis, or several
    "unstack": lambda x, axis: ops.unstack(x, axis=axis), "softmax": ops.softmax, "normalize": ops.normalize,
    "concatenate": lambda x, axis: ops.concatenate([x, x], axis), "stack": lambda x, axis: ops.stack([x, x], axis),
    "split": lambda x, axis: ops.split(x, 1, axis), "swapaxes": lambda x, axis: ops.swapaxes(x, 0, axis),
    "moveaxis": lambda x, axis: ops.moveaxis(x, axis, 0), "to": lambda x, axis: ops.moveaxis(x, 0, axis),
    "transpose": lambda x, axis: ops.transpose(x, (0, axis)), "flip": lambda x, axis: ops.flip(x, axis=axis),
    "roll": lambda x, axis: ops.roll(x, 1, axis), "sort": ops.sort,
    "argsort": lambda x, axis: ops.argsort(x, axis=axis),
    "cumsum": lambda x, axis: ops.cumsum(x, axis=axis), "cumprod": ops.cumprod,
    "repeat": lambda x, axis: ops.repeat(x, 2, axis),
    "take": lambda x, axis: ops.take(x, np.array([0]), axis), "diagonal": lambda x, axis: ops.diagonal(x, axis1=axis),
    "diff": lambda x, axis: ops.diff(x, axis=axis),
    "average": lambda x, axis: ops.average(x, axis, np.ones(4)),
    "norm": lambda x, axis: ops.norm(x, "fro", (0, axis)),
    "batch_normalization": lambda x, axis: ops.batch_normalization(x, np.ones(4), np.ones(4), axis),
    "take_along_axis": lambda x, axis: ops.take_along_axis(x, np.zeros((3, 4), int), axis),
}  # fmt: skip


@pytest.mark.parametrize("name", ALONG)
@pytest.mark.parametrize("x", [np.ones((3, 4)), Tensor(Spec((3, 4)))], ids=["array", "symbolic"])
def test_an_axis_that_is_not_there_is_refused(name, x):
    for axis in (7, -8):
        with pytest.raises(ValueError, match=f"{axis}.*dimensions?|axis {axis} is out of bounds"):
            ALONG[name](x, axis)


def test_numbers_of_other_kinds_as_in_keras():
    assert ops.square(np.array([True, False])).dtype == "int32"
    assert {f(np.ones((2, 2), bool)).dtype for f in (ops.tril, ops.triu)} == {"bool"}
    assert ops.concatenate([np.ones((2, 3)), np.ones(2)], axis=None).shape == (8,)
    mean, variance = ops.moments(np.array([-2000.0, 2000.0], "float16"), [0])
    assert (mean.item(), variance.item(), variance.dtype) == (0.0, 65504.0, "float16")


def test_sizes_of_ellipses_broadcast():
    rng = np.random.default_rng(0)
    x, y, z = (rng.normal(size=size) for size in ((2, 3, 4), (3, 4, 5), (1, 1, 1, 9)))
    for subscripts in ("i...,...j,...k", "i...,...j,...k->...kij"):
        np.testing.assert_allclose(ops.einsum(subscripts, x, y, z), np.einsum(subscripts, x, y, z))


def test_unknown_names_are_explained():
    with pytest.raises(AttributeError, match=r"layerwise.ops has no 'reluu'; nearest: 'relu'"):
        ops.reluu  # noqa: B018
    assert ops.nn.gelu is ops.gelu


def test_operands_may_be_named_as_in_keras():
    assert ops.add(x1=1.0, x2=2.0).item() == 3.0
    assert ops.subtract(1.0, x2=2.0).item() == -1.0
    assert ops.sum(x=np.ones((2, 3)), axis=0).shape == (3,)
