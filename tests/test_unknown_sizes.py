"""Operations on symbolic Tensors of unknown sizes and without values; the shapes are those that Keras infers."""

import numpy as np
import pytest

import layerwise
from layerwise import Input, Model, ops


def unknown(*shape, **options):
    return Input(batch_shape=shape, **options)


def shapes(results):
    return [t.shape for t in results] if isinstance(results, list | tuple) else results.shape


FITTING = {
    "add": (lambda: unknown(None, 3) + unknown(2, None), (2, 3)),
    "multiply, a row": (lambda: unknown(None) * unknown(3), (3,)),
    "maximum": (lambda: ops.maximum(unknown(None, 3), unknown(5, 3)), (5, 3)),
    "broadcast_to": (lambda: ops.broadcast_to(unknown(None, 3), (2, 7, 3)), (2, 7, 3)),
    "matmul": (lambda: ops.matmul(unknown(5, None), unknown(3, 2)), (5, 2)),
    "matmul of itself": (lambda: ops.matmul(unknown(None, 10), unknown(None, 10)), (None, 10)),
    "vstack": (lambda: ops.vstack([unknown(None, 3), unknown(None, None)]), (None, 3)),
    "where": (lambda: ops.where(unknown(None, dtype="bool"), unknown(4), unknown(None)), (4,)),
    "reshape": (lambda: ops.reshape(unknown(None, 3), (2, -1)), (2, None)),
}
ASKING = {
    "cumprod": (lambda: ops.cumprod(unknown(None, 3)), (None,)),
    "diag": (lambda: ops.diag(unknown(None, 2)), (2,)),
    "diag of a vector": (lambda: ops.diag(unknown(None)), (None, None)),
    "trace": (lambda: ops.trace(unknown(None, 3, None, 5)), (None, 5)),
    "tril": (lambda: ops.tril(unknown(None, 3, None, 5)), (None, 3, None, 5)),
    "triu": (lambda: ops.triu(unknown(None, 3, None, 5)), (None, 3, None, 5)),
    "split": (lambda: ops.split(unknown(None, 3, 3), 2), [(None, 3, 3)] * 2),
    "median": (lambda: ops.median(unknown(None, 3)), ()),
    "repeat": (lambda: ops.repeat(unknown(None, 3), 2), (None,)),
    "meshgrid": (lambda: ops.meshgrid(unknown(None, 3), unknown(None, 3)), [(None, None)] * 2),
    "max_pool": (lambda: ops.max_pool(unknown(None, None, 3), 2, 2, padding="same"), (None, None, 3)),
    "unstack": (lambda: ops.unstack(unknown(2, None, 3), num=2, axis=1), [(2, 3)] * 2),
    "resize": (lambda: ops.image.resize(unknown(None, None, None, 3), (15, 15)), (None, 15, 15, 3)),
    "crop_images": (
        lambda: ops.image.crop_images(unknown(None, None, None, 3), 1, 1, target_height=3, target_width=4),
        (None, 3, 4, 3),
    ),
    "pad_images": (
        lambda: ops.image.pad_images(unknown(None, None, None, 3), 1, 1, target_height=3, target_width=140),
        (None, 3, 140, 3),
    ),
    "affine_transform": (
        lambda: ops.image.affine_transform(unknown(None, None, None, 3), unknown(None, 8)),
        (None, None, None, 3),
    ),
}
WITHOUT_VALUES = {
    "slice": (lambda: ops.slice(unknown(4, 4), unknown(2, dtype="int32"), (2, -1)), (2, None)),
    "slice_update": (
        lambda: ops.slice_update(unknown(4, 4), unknown(2, dtype="int32"), unknown(2, 2)), (4, 4),
    ),
    "scatter": (lambda: ops.scatter(unknown(3, 1, dtype="int32"), unknown(3), (4,)), (4,)),
    "scatter_update": (lambda: ops.scatter_update(unknown(4), unknown(3, 1, dtype="int32"), unknown(3)), (4,)),
    "linspace": (lambda: ops.linspace(unknown(3), unknown(3), 5), (5, 3)),
    "cond": (lambda: ops.cond(unknown(dtype="bool"), lambda: ops.ones((3,)), lambda: ops.zeros((3,))), (3,)),
    "switch": (
        lambda: ops.switch(unknown(dtype="int32"), [lambda x: x + 1, lambda x: x * 2], unknown(None, 2)), (None, 2),
    ),
    "while_loop": (
        lambda: ops.while_loop(lambda i, x: i < 3, lambda i, x: (i + 1, x), (unknown(dtype="int32"), unknown(2))),
        [(), (2,)],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", [*FITTING, *ASKING, *WITHOUT_VALUES])
def test_shape(name):
    call, expected = (FITTING | ASKING | WITHOUT_VALUES)[name]
    assert shapes(call()) == expected


@pytest.mark.parametrize(("mistake", "message"), [
    (lambda: unknown(None, 3) + unknown(None, 4), r"do not broadcast"),
    (lambda: ops.matmul(unknown(None, 3), unknown(4, None)), "inner sizes"),
    (lambda: ops.unstack(unknown(2, None), axis=1), "unstack: num: the size along axis 1 .* is not known; give num"),
    (lambda: ops.cond(unknown(dtype="bool"), lambda: ops.ones(3), lambda: ops.ones(2)), "expected one form"),
])  # fmt: skip
def test_what_cannot_fit(mistake, message):
    with pytest.raises(ValueError, match=message):
        mistake()


def test_models_of_such_operations():
    x, n = Input((10,)), unknown(dtype="int32")
    squares = Model(x, ops.vectorized_map(lambda row: row * row, x))
    np.testing.assert_array_equal(squares(np.full((2, 10), 3.0)), np.full((2, 10), 9.0))
    sums = Model(x, ops.cumprod(x, axis=1)[:, -1])
    np.testing.assert_array_equal(sums(np.full((2, 10), 2.0)), [1024.0] * 2)
    images = Input((None, None, 1))
    assert Model(images, ops.image.resize(images, (2, 2)))(np.ones((3, 5, 7, 1))).shape == (3, 2, 2, 1)
    chosen = Model(n, ops.cond(n > 1, lambda: ops.ones(2), lambda: ops.zeros(2)))
    np.testing.assert_array_equal([chosen(np.int32(i)) for i in (1, 2)], [[0, 0], [1, 1]])
    updated = Model([x, n], ops.slice_update(x, [0, n], np.ones((1, 2), "float32")))
    np.testing.assert_array_equal(updated([np.zeros((1, 10)), np.int32(3)])[0, 2:6], [0, 1, 1, 0])


# What these operations gained


def test_more_of_indexing_and_products():
    (places,) = ops.where(np.array([0, 1, 1]) > 0)
    assert (places.dtype, places.tolist()) == ("int32", [1, 2])
    m = np.arange(9.0, dtype="float32").reshape(3, 3)
    assert ops.einsum("ii", m).item() == 12.0
    np.testing.assert_array_equal(ops.einsum("ii->i", m), np.diag(m))
    t = np.random.default_rng(0).normal(size=(2, 3, 3, 2, 4)).astype("float32")
    for subscripts in ("abbac->ca", "abbac", "abbac->abc"):
        np.testing.assert_allclose(ops.einsum(subscripts, t), np.einsum(subscripts, t), rtol=1e-5, atol=1e-6)
    x = np.ones((2, 3, 4, 5))
    assert ops.moveaxis(x, [0, 1], [-1, -2]).shape == (4, 5, 3, 2)
    assert ops.moveaxis(x, (3, 0), (0, 2)).shape == np.moveaxis(x, (3, 0), (0, 2)).shape
    a, b = np.array([[1.0, 2.0]], "float32"), np.array([[3.0, 4.0]], "float32")
    np.testing.assert_array_equal(ops.cross(a, b), [-2.0])
    np.testing.assert_array_equal(ops.cross(a, [[3.0, 4.0, 5.0]]), [[10.0, -5.0, -2.0]])


def test_linspace_between_tensors_has_gradients():
    slope = layerwise.grad(lambda end: ops.linspace(0.0, end, 5).sum())(2.0)
    assert slope.item() == 2.5
    y, step = ops.linspace(Input((2,)), 1.0, 3, retstep=True, axis=-1)
    assert (y.shape, step.shape) == ((None, 2, 3), (None, 2))
