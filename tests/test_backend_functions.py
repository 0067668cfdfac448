"""The functions of tf.keras' backend: each against NumPy."""

import numpy as np
import pytest

import layerwise as keras
from layerwise import backend as K
from layerwise import layers, ops

X = np.float32([[1, -2, 3], [4, 5, -6]])
Y = np.float32([[2, 2, 3], [0, 5, 7]])
BLOCK = np.arange(24, dtype="float32").reshape(2, 3, 4)
IMAGE = np.arange(16, dtype="float32").reshape(1, 2, 2, 4)

ONES = np.ones((2, 2, 4, 1), "float32")
ROWS = BLOCK.sum(2, keepdims=True)

CASES = {
    "equal": (lambda: K.equal(X, Y), X == Y),
    "not_equal": (lambda: K.not_equal(x=X, y=Y), X != Y),
    "greater": (lambda: K.greater(X, Y), X > Y),
    "greater_equal": (lambda: K.greater_equal(X, Y), X >= Y),
    "less": (lambda: K.less(X, Y), X < Y),
    "less_equal": (lambda: K.less_equal(X, Y), X <= Y),
    "mean": (lambda: K.mean(X > 0, axis=-1), [2 / 3, 2 / 3]),
    "sum": (lambda: K.sum(X, axis=1, keepdims=True), X.sum(1, keepdims=True)),
    "pow": (lambda: K.pow(X, 2), X**2),
    "clip": (lambda: K.clip(X, -1, 4), np.clip(X, -1, 4)),
    "clip on one side": (lambda: K.clip(X, 0.0, None), np.clip(X, 0, None)),
    "argmax": (lambda: K.argmax(X), X.argmax(-1)),
    "argmin": (lambda: K.argmin(X, axis=0), X.argmin(0)),
    "cumsum": (lambda: K.cumsum(X), X.cumsum(0)),
    "cumprod": (lambda: K.cumprod(X, axis=1), X.cumprod(1)),
    "cast_to_floatx": (lambda: K.cast_to_floatx([1, 2]), np.float32([1, 2])),
    "batch_flatten": (lambda: K.batch_flatten(BLOCK), BLOCK.reshape(2, 12)),
    "flatten": (lambda: K.flatten(BLOCK), BLOCK.ravel()),
    "reshape": (lambda: K.reshape(BLOCK, shape=[-1, 6]), BLOCK.reshape(-1, 6)),
    "expand_dims": (lambda: K.expand_dims(X), X[..., None]),
    "squeeze": (lambda: K.squeeze(X[:, :1], 1), X[:, 0]),
    "permute_dimensions": (lambda: K.permute_dimensions(BLOCK, (2, 0, 1)), BLOCK.transpose(2, 0, 1)),
    "reverse": (lambda: K.reverse(X, 1), X[:, ::-1]),
    "repeat": (lambda: K.repeat(X, 2), np.stack([X, X], 1)),
    "repeat_elements": (lambda: K.repeat_elements(X, 2, axis=1), X.repeat(2, 1)),
    "gather": (lambda: K.gather(X, [1, 0, 1]), X[[1, 0, 1]]),
    "one_hot": (lambda: K.one_hot([2, 0], 3), np.float32([[0, 0, 1], [1, 0, 0]])),
    "in_top_k": (lambda: K.in_top_k(X, np.array([2, 2]), 1), [True, False]),
    "hard_sigmoid": (lambda: K.hard_sigmoid(X), np.clip(0.2 * X + 0.5, 0, 1)),
    "relu": (lambda: K.relu(X, alpha=0.5, max_value=4), np.minimum(np.where(X > 0, X, 0.5 * X), 4)),
    "l2_normalize": (lambda: K.l2_normalize(X, axis=1), X / np.linalg.norm(X, axis=1, keepdims=True)),
    "identity": (lambda: K.identity(X), X),
    "logsumexp": (lambda: K.logsumexp(X, axis=1), np.log(np.exp(X).sum(1))),
    "temporal_padding": (lambda: K.temporal_padding(BLOCK, (1, 2)), np.pad(BLOCK, ((0, 0), (1, 2), (0, 0)))),
    "map_fn": (lambda: K.map_fn(lambda x: x * x, X), X * X),
    "foldl": (lambda: K.foldl(lambda a, x: a * 2 + x, X), X[0] * 2 + X[1]),
    "foldr": (lambda: K.foldr(lambda a, x: a * 2 + x, X, initializer=0 * X[0]), X[1] * 2 + X[0]),
    "eye": (lambda: K.eye(3), np.eye(3, dtype="float32")),
    "zeros and ones": (lambda: K.zeros((2, 3)) + K.ones((2, 3), "float32", name="a"), np.ones((2, 3))),
    "zeros_like and ones_like": (lambda: K.zeros_like(X) + K.ones_like(X), np.ones((2, 3))),
    "constant": (lambda: K.constant(3, shape=(2, 2)), np.full((2, 2), 3, "float32")),
    "constant of as many": (lambda: K.constant([1, 2, 3, 4], "int32", (2, 2)), [[1, 2], [3, 4]]),
    "batch_normalization": (lambda: K.batch_normalization(X, X[0], Y[1] + 1, Y[0], Y[0], epsilon=0.5), None),
    "switch": (lambda: K.switch(X > 0, X, Y), np.where(X > 0, X, Y)),
    "switch of rows": (lambda: K.switch(X[:, 0] > 1, X, lambda: Y), np.where(X[:, :1] > 1, X, Y)),
    "switch of functions": (lambda: K.switch(K.constant(1.0) > 0, lambda: X, lambda: Y), X),
    "batch_dot": (lambda: K.batch_dot(X, Y), (X * Y).sum(1, keepdims=True)),
    "batch_dot of blocks": (
        lambda: K.batch_dot(BLOCK, BLOCK, axes=(2, 2)),
        np.einsum("aij,akj->aik", BLOCK, BLOCK),
    ),
    "batch_dot of a block and a row": (lambda: K.batch_dot(BLOCK, BLOCK[:, 0]), (BLOCK * BLOCK[:, :1]).sum(2)),
    "dot": (lambda: K.dot(BLOCK, BLOCK[0].T), BLOCK @ BLOCK[0].T),
    "bias_add": (lambda: K.bias_add(IMAGE, [1.0, 2.0, 3.0, 4.0]), IMAGE + np.arange(1, 5)),
    "bias_add with channels first": (
        lambda: K.bias_add(IMAGE, [1.0, 2.0], data_format="channels_first"),
        IMAGE + np.float32([1, 2]).reshape(1, 2, 1, 1),
    ),
    "conv1d": (
        lambda: K.conv1d(BLOCK, ONES[:2, 0], padding="causal"),
        ROWS + np.pad(ROWS[:, :2], ((0, 0), (1, 0), (0, 0))),
    ),
    "conv2d": (lambda: K.conv2d(IMAGE, ONES), IMAGE.sum((1, 2, 3)).reshape(1, 1, 1, 1)),
    "depthwise_conv2d": (lambda: K.depthwise_conv2d(IMAGE, ONES), IMAGE.sum((1, 2)).reshape(1, 1, 1, 4)),
    "separable_conv2d": (
        lambda: K.separable_conv2d(IMAGE, ONES, ONES[:1, :1]),
        IMAGE.sum().reshape(1, 1, 1, 1),
    ),
    "pool2d": (lambda: K.pool2d(IMAGE, (2, 2)), IMAGE.max((1, 2), keepdims=True)),
    "pool2d of means": (lambda: K.pool2d(IMAGE, (2, 2), pool_mode="avg"), IMAGE.mean((1, 2), keepdims=True)),
    "spatial_2d_padding": (
        lambda: K.spatial_2d_padding(IMAGE, ((1, 0), (0, 2))),
        np.pad(IMAGE, ((0, 0), (1, 0), (0, 2), (0, 0))),
    ),
    "spatial_3d_padding": (
        lambda: K.spatial_3d_padding(IMAGE[..., None], data_format="channels_first"),
        np.pad(IMAGE[..., None], ((0, 0), (0, 0), (1, 1), (1, 1), (1, 1))),
    ),
    "resize_images": (lambda: K.resize_images(IMAGE, 2, 3, "channels_last"), IMAGE.repeat(2, 1).repeat(3, 2)),
    "resize_volumes": (
        lambda: K.resize_volumes(IMAGE[..., None], 2, 1, 3, "channels_last"),
        IMAGE[..., None].repeat(2, 1).repeat(3, 3),
    ),
    "is_sparse and to_dense": (lambda: K.to_dense(X) if not K.is_sparse(X) else 0, X),
}  # fmt: skip
CASES["batch_normalization"] = (CASES["batch_normalization"][0], (X - X[0]) / np.sqrt(Y[1] + 1.5) * Y[0] + Y[0])


@pytest.mark.parametrize(("call", "expected"), CASES.values(), ids=CASES)
def test_function(call, expected):
    y = call()
    np.testing.assert_allclose(np.asarray(y), expected, rtol=1e-5, atol=1e-5)
    assert y.dtype in ("bool", "int32", "float32")


def test_variables_are_read_and_written():
    v = K.variable(X, name="v")
    K.set_value(v, X + 1)
    K.update_add(v, 1.0)
    K.update_sub(v, X)
    np.testing.assert_array_equal(K.get_value(v), np.full((2, 3), 2))
    K.moving_average_update(v, 4.0 * K.ones((2, 3)), 0.5)
    K.batch_set_value([(w := K.variable(0.0), 5.0)])
    assert [a.tolist() for a in K.batch_get_value([K.update(v, v * 0.0), w])] == [[[0.0] * 3] * 2, 5.0]
    assert K.int_shape(v) == (2, 3)
    assert K.count_params(v) == 6
    assert K.eval(v).dtype == "float32"
    assert K.random_normal_variable((2,), 0.0, 1.0).trainable
    assert K.random_uniform_variable((2,), 1.0, 2.0).numpy().min() >= 1


def test_draws():
    assert abs(K.random_normal((1000,), mean=3.0, stddev=0.1).numpy().mean() - 3) < 0.1
    assert set(K.random_bernoulli((100,), p=0.5).numpy()) == {0.0, 1.0}
    assert K.random_uniform((2, 3), 1.0, 2.0).numpy().min() >= 1


def test_dtypes_and_names():
    assert K.result_type("int8", "float16") == "float16"
    assert (K.is_float_dtype("float16"), K.is_int_dtype("uint8"), K.is_int_dtype("float32")) == (True, True, False)
    assert [K.get_uid("layer of this test") for _ in range(2)] == [1, 2]


def test_ctc_is_that_of_ops():
    rng = np.random.default_rng(1)
    p = np.asarray(ops.softmax(rng.standard_normal((2, 6, 4)).astype("float32")))
    loss = K.ctc_batch_cost(np.array([[0, 1], [2, 2]]), p, np.array([[6], [5]]), np.array([[2], [1]]))
    expected = ops.ctc_loss([[0, 1], [2, 2]], np.log(p + 1e-7), [2, 1], [6, 5], mask_index=3)
    np.testing.assert_allclose(loss[:, 0], expected, rtol=1e-5)
    for greedy in (True, False):
        (labels, *_), scores = K.ctc_decode(p, np.array([6, 5]), greedy=greedy)
        assert (labels.shape, scores.shape) == ((2, 6), (2, 1))


def test_a_variational_layer_of_old():
    """The sampling function of many programs, in a Lambda layer, and a function of symbolic Tensors."""

    def sampling(args):
        z_mean, z_log_var = args
        epsilon = K.random_normal(shape=(K.shape(z_mean)[0], K.int_shape(z_mean)[1]))
        return z_mean + K.exp(0.5 * z_log_var) * epsilon

    x = layers.Input((4,))
    mean, log_var = layers.Dense(2)(x), layers.Dense(2)(x)
    model = keras.Model(x, layers.Lambda(sampling)([mean, log_var]))
    assert model.predict(np.ones((3, 4)), verbose=0).shape == (3, 2)
    y = K.function([x], [mean])([np.ones((3, 4))])[0]
    assert isinstance(y, np.ndarray)
    assert y.shape == (3, 2)
