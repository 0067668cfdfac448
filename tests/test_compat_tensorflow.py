"""TensorFlow's names onto ours: values are those of TensorFlow's documentation, or NumPy's."""

import gzip
import io
import struct
import types
import wave
import zlib

import numpy as np
import pytest

import layerwise
import layerwise.compat.tensorflow as tf
from layerwise.data import records

VALUES = {
    # reductions and element-wise functions
    "tf.reduce_sum([[1, 1, 1], [1, 1, 1]], axis=1, keepdims=True)": [[3], [3]],
    "tf.reduce_mean(input_tensor=[[1., 1.], [2., 2.]], axis=0)": [1.5, 1.5],
    "tf.reduce_max([[1, 2], [3, 4]], 0)": [3, 4],
    "tf.math.reduce_std([[1., 2.], [3., 4.]])": 1.1180340,
    "tf.math.reduce_variance([[1., 2.], [3., 4.]], 0)": [1, 1],
    "tf.reduce_any([[True, True], [False, False]], 1)": [True, False],
    "tf.reduce_logsumexp([[0., 0., 0.], [0., 0., 0.]])": 1.7917595,
    "tf.argmax([2, 20, 30, 3, 6])": 2,
    "tf.argmax([[1, 9], [8, 2], [3, 4]])": [1, 0],
    "tf.math.argmin([[1, 9], [8, 2]], axis=1)": [0, 1],
    "tf.cumsum([2, 4, 6, 8])": [2, 6, 12, 20],
    "tf.cumsum([2, 4, 6, 8], exclusive=True, reverse=True)": [18, 14, 8, 0],
    "tf.add_n([[1, 2], [3, 4], [5, 6]])": [9, 12],
    "tf.math.squared_difference([1., 2.], 4.)": [9, 4],
    "tf.math.divide_no_nan([1., 2.], [0., 4.])": [0, 0.5],
    "tf.pow([[2, 2], [3, 3]], [[8, 16], [2, 3]])": [[256, 65536], [9, 27]],
    "tf.math.floormod([-7, 7], 3)": [2, 1],
    "tf.abs([-2.25, 3.25])": [2.25, 3.25],
    "tf.round([0.9, 2.5, 2.3, 1.5, -4.5])": [1, 2, 2, 2, -4],
    "tf.norm([[3., 0.], [0., 4.]])": 5,
    "tf.math.l2_normalize([3., 0., 4.])": [0.6, 0, 0.8],
    "tf.clip_by_value([[-5, -1], [0, 5]], clip_value_min=-1, clip_value_max=1)": [[-1, -1], [0, 1]],
    "tf.clip_by_norm([3., 4.], 1.)": [0.6, 0.8],
    "tf.clip_by_global_norm([[3.], None, [4.]], 10.)[0][2]": [4],
    "tf.clip_by_global_norm([[3.], [4.]], 2.5)[0][0]": [1.5],
    "tf.math.confusion_matrix([1, 2, 4], [2, 2, 4])":
        [[0, 0, 0, 0, 0], [0, 0, 1, 0, 0], [0, 0, 1, 0, 0], [0, 0, 0, 0, 0], [0, 0, 0, 0, 1]],
    "tf.math.unsorted_segment_sum([[1, 2], [5, 6], [4, 3]], [0, 1, 0], num_segments=2)": [[5, 5], [5, 6]],
    "tf.math.top_k([1, 2, 98, 1, 1, 99], k=2)[0]": [99, 98],
    # arrays
    "tf.constant(0, shape=(2, 3))": [[0, 0, 0], [0, 0, 0]],
    "tf.constant([1, 2, 3, 4, 5, 6], shape=[2, 3], dtype=tf.float32)": [[1, 2, 3], [4, 5, 6]],
    "tf.fill([2, 3], 9)": [[9, 9, 9], [9, 9, 9]],
    "tf.range(3, 18, 3)": [3, 6, 9, 12, 15],
    "tf.range(limit=3, start=1)": [1, 2],
    "tf.linspace(10., 12., 3)": [10, 11, 12],
    "tf.shape([[1, 2, 3], [4, 5, 6]])": [2, 3],
    "tf.size([[1, 2], [3, 4]])": 4,
    "tf.rank([[1, 2]])": 2,
    "tf.concat([[[1], [2]], [[3], [4]]], axis=-1)": [[1, 3], [2, 4]],
    "tf.stack([[1, 4], [2, 5], [3, 6]], axis=1)": [[1, 2, 3], [4, 5, 6]],
    "tf.unstack([[1, 2], [3, 4]], axis=1)[1]": [2, 4],
    "tf.split(np.arange(30), num_or_size_splits=3)[2]": np.arange(20, 30),
    "tf.split(np.arange(30).reshape(5, 6), [1, -1, 2], 1)[1]": np.arange(30).reshape(5, 6)[:, 1:4],
    "tf.transpose([[1, 2, 3], [4, 5, 6]], perm=[1, 0])": [[1, 4], [2, 5], [3, 6]],
    "tf.tile([1, 2, 3], multiples=[2])": [1, 2, 3, 1, 2, 3],
    "tf.repeat([[1, 2], [3, 4]], repeats=[2, 1], axis=0)": [[1, 2], [1, 2], [3, 4]],
    "tf.pad([[1, 2], [3, 4]], [[1, 0], [0, 2]], constant_values=7)": [[7, 7, 7, 7], [1, 2, 7, 7], [3, 4, 7, 7]],
    "tf.pad([[1, 2, 3]], tf.constant([[0, 0], [2, 2]]), 'REFLECT')": [[3, 2, 1, 2, 3, 2, 1]],
    "tf.gather([[0, 1], [10, 11], [20, 21]], [2, 0])": [[20, 21], [0, 1]],
    "tf.gather([[0, 1], [10, 11]], [1], axis=1)": [[1], [11]],
    "tf.gather([[1, 2, 3], [4, 5, 6]], [[2, 0], [1, 1]], batch_dims=1)": [[3, 1], [5, 5]],
    "tf.gather_nd([[0, 1], [2, 3]], [[0, 1], [1, 0]])": [1, 2],
    "tf.boolean_mask([0, 1, 2, 3], [True, False, True, False])": [0, 2],
    "tf.where([True, False, False, True], [1, 2, 3, 4], [100, 200, 300, 400])": [1, 200, 300, 4],
    "tf.where([[True, False], [False, True]])": [[0, 0], [1, 1]],
    "tf.one_hot([0, 2, -1], 3, on_value=5.0, off_value=0.0)": [[5, 0, 0], [0, 0, 5], [0, 0, 0]],
    "tf.one_hot(indices=[1], depth=2, dtype=tf.int32)": [[0, 1]],
    "tf.matmul([[1, 2, 3]], [[4, 5, 6]], transpose_b=True)": [[32]],
    "tf.linalg.matvec([[1, 2], [3, 4]], [1, 1])": [3, 7],
    "tf.linalg.band_part([[0, 1, 2], [-1, 0, 1], [-2, -1, 0]], 1, 0)": [[0, 0, 0], [-1, 0, 0], [0, -1, 0]],
    "tf.linalg.band_part(np.ones((3, 3)), -1, 0)": np.tri(3),
    "tf.linalg.diag_part([[1, 2], [3, 4]])": [1, 4],
    "tf.linalg.inv([[1., 2.], [3., 4.]])": [[-2, 1], [1.5, -0.5]],
    "tf.linalg.det([[1., 2.], [3., 4.]])": -2,
    "tf.linalg.solve([[2., 0.], [0., 4.]], [[2.], [8.]])": [[1], [2]],
    "tf.linalg.triangular_solve([[2., 0.], [1., 4.]], [[2.], [9.]])": [[1], [2]],
    "tf.linalg.svd([[3., 0.], [0., -4.]], compute_uv=False)": [4, 3],
    "tf.searchsorted([1, 3, 5], [2, 5], side='left')": [1, 2],
    "tf.eye(2, batch_shape=[2])": [np.eye(2), np.eye(2)],
    "tf.einsum('ij,jk->ik', [[1, 2]], [[3], [4]])": [[11]],
    "tf.slice([[1, 2, 3], [4, 5, 6]], [0, 1], [-1, 2])": [[2, 3], [5, 6]],
    "tf.sort([1, 10, 26.9], direction='DESCENDING')": [26.9, 10, 1],
    "tf.argsort([3, 1, 2], direction='DESCENDING')": [0, 2, 1],
    "tf.unique([1, 1, 2, 4, 4, 4, 7, 8, 8])[0]": [1, 2, 4, 7, 8],
    "tf.unique([4, 1, 4])[1]": [0, 1, 0],
    "tf.sequence_mask([1, 3, 2], 4)": np.arange(4) < [[1], [3], [2]],
    "tf.reverse([[1, 2], [3, 4]], [0])": [[3, 4], [1, 2]],
    "tf.scatter_nd([[4], [3]], [9, 10], [6])": [0, 0, 0, 10, 9, 0],
    "tf.tensor_scatter_nd_update([0, 0, 0], [[1]], [5])": [0, 5, 0],
    "tf.tensor_scatter_nd_add([1, 1, 1], [[1]], [5])": [1, 6, 1],
    "tf.map_fn(lambda x: x * x, tf.constant([3, 5, 2]))": [9, 25, 4],
    "tf.while_loop(lambda i: i < 10, lambda i: (i + 1,), [tf.constant(0)])[0]": 10,
    "tf.cond(tf.constant(2) < 5, lambda: tf.constant(1), lambda: tf.constant(0))": 1,
    "tf.cast([1.8, 2.2], dtype=tf.int32)": [1, 2],
    "tf.numpy_function(lambda x: x.mean(), [[1., 3.]], tf.float32)": 2,
    "tf.py_function(lambda x: x.numpy() * 2, inp=[[1., 3.]], Tout=tf.float32)": [2, 6],
    # nn
    "tf.nn.softmax([-1, 0., 1.])": [0.09003057, 0.24472848, 0.66524094],
    "tf.nn.gelu([-3., 0., 2.])": [-0.00404951, 0, 1.9544997],
    "tf.nn.leaky_relu([-1., 2.])": [-0.2, 2],
    "tf.nn.moments([[1., 2.], [3., 6.]], axes=[0])[1]": [1, 4],
    "tf.nn.sigmoid_cross_entropy_with_logits(labels=[1., 0.], logits=[0., 2.])": [0.6931472, 2.126928],
    "tf.nn.sparse_softmax_cross_entropy_with_logits(labels=[0], logits=[[2., -5., .5, -.1]])": [0.29750752],
    "tf.nn.softmax_cross_entropy_with_logits([[1., 0., 0.]], [[4.0, 2.0, 1.0]])": [0.16984604],
    "tf.nn.embedding_lookup([[1, 2], [3, 4]], [1, 1])": [[3, 4], [3, 4]],
    "tf.nn.compute_average_loss([1., 3.], sample_weight=[1., 0.], global_batch_size=4)": 0.25,
    "tf.nn.max_pool2d(np.arange(16.).reshape(1, 4, 4, 1), 2, [1, 2, 2, 1], 'VALID')[0, ..., 0]": [[5, 7], [13, 15]],
    "tf.nn.conv2d(np.ones((1, 3, 3, 1)), np.ones((2, 2, 1, 1)), strides=1, padding='SAME')[0, ..., 0]":
        [[4, 4, 2], [4, 4, 2], [2, 2, 1]],
    "tf.nn.l2_loss([3., 4.])": 12.5,
    # image
    "tf.image.flip_left_right(np.arange(4).reshape(2, 2, 1))[..., 0]": [[1, 0], [3, 2]],
    "tf.image.flip_up_down(np.arange(4).reshape(2, 2, 1))[..., 0]": [[2, 3], [0, 1]],
    "tf.image.convert_image_dtype([[0.1, 1.0]], tf.uint8)": [[25, 255]],
    "tf.image.convert_image_dtype(np.array([51], 'uint8'), dtype=tf.float32)": [0.2],
    "tf.image.adjust_brightness(np.array([[[1.0]]]), delta=0.1)": [[[1.1]]],
    "tf.image.adjust_contrast([[[1.], [3.]], [[5.], [7.]]], 2.)[..., 0]": [[-2, 2], [6, 10]],
    "tf.image.rgb_to_hsv([[[1., 0., 0.], [0., 0., .5]]])": [[[0, 1, 1], [2 / 3, 1, 0.5]]],
    "tf.image.adjust_saturation([[[1., .5, .5]]], 2.)": [[[1, 0, 0]]],
    "tf.image.adjust_hue([[[1., 0., 0.]]], 1 / 3)": [[[0, 1, 0]]],
    "tf.image.extract_patches(np.arange(16.).reshape(1, 4, 4, 1), [1, 2, 2, 1], [1, 2, 2, 1], [1] * 4, 'VALID')[0, 0]":
        [[0, 1, 4, 5], [2, 3, 6, 7]],
    "tf.image.rot90([[[1], [2]], [[3], [4]]])[..., 0]": [[2, 4], [1, 3]],
    "tf.image.transpose([[[1], [2]], [[3], [4]]])[..., 0]": [[1, 3], [2, 4]],
    "tf.image.per_image_standardization([[[1.], [3.]], [[5.], [7.]]])[..., 0]":
        [[-1.3416408, -0.4472136], [0.4472136, 1.3416408]],
    "tf.image.central_crop(np.arange(16).reshape(4, 4, 1), 0.5)[..., 0]": [[5, 6], [9, 10]],
    "tf.image.crop_to_bounding_box(np.arange(9).reshape(3, 3, 1), 1, 0, 2, 2)[..., 0]": [[3, 4], [6, 7]],
    "tf.image.pad_to_bounding_box(np.ones((1, 1, 1)), 1, 0, 2, 2)[..., 0]": [[0, 0], [1, 0]],
    "tf.image.resize_with_crop_or_pad(np.arange(9).reshape(3, 3, 1), 1, 5)[..., 0]": [[0, 3, 4, 5, 0]],
    "tf.shape(tf.image.resize_with_pad(np.ones((4, 8, 3)), 6, 6))": [6, 6, 3],
    "tf.image.resize_with_pad(np.ones((4, 8, 1)), 6, 6)[:, 0, 0]": [0, 1, 1, 1, 0, 0],
    "tf.image.resize(np.eye(4)[..., None], [8, 8], method='nearest')[::2, ::2, 0]": np.eye(4),
    "tf.image.resize(np.ones((4, 8, 1)), (2, 2), preserve_aspect_ratio=True)[..., 0]": [[1, 1]],
    "tf.image.grayscale_to_rgb([[[1.]]])": [[[1, 1, 1]]],
    # texts
    "tf.strings.lower('CamelCase string and ALL CAPS')": "camelcase string and all caps",
    "tf.strings.length(['Hello', 'TensorFlow'])": [5, 10],
    "tf.strings.regex_replace('Text with tags.<br /><b>contains html</b>', '<[^>]+>', ' ')":
        "Text with tags.  contains html ",
    "tf.strings.regex_replace(['a, b!'], '[%s]' % '[:punct:]', '')": ["a b"],
    "tf.strings.split(['hello world', 'a b c']).to_list()": [["hello", "world"], ["a", "b", "c"]],
    "tf.strings.split('a/b', '/')[-1]": "b",
    "tf.strings.join(['abc', 'def'], separator=' ')": "abc def",
    "tf.strings.reduce_join([['abc', '123'], ['def', '456']], axis=-1)": ["abc123", "def456"],
    "tf.strings.to_number(['1.5', '2'])": [1.5, 2],
    "tf.strings.substr('hello', 1, 3)": "ell",
    "tf.strings.unicode_split(['ab', 'c'], 'UTF-8').to_list()": [["a", "b"], ["c"]],
    "tf.strings.regex_full_match(['abc', 'b'], 'a.*')": [True, False],
    "tf.strings.as_string(3)": "3",
    "tf.expand_dims(tf.constant(['a', 'b']), -1)": [["a"], ["b"]],
    "tf.concat([['a'], tf.constant(['b'])], 0)": ["a", "b"],
    "tf.equal(tf.constant(['a', 'b']), 'b')": [False, True],
    "tf.constant('é').numpy()": "é".encode(),
    # rows of different lengths
    "tf.ragged.constant([[1, 2], [3]]).to_tensor(-1)": [[1, 2], [3, -1]],
    "tf.ragged.constant([['a'], ['b', 'c']]).to_tensor()": [["a", ""], ["b", "c"]],
    "tf.ragged.constant([[1, 2], [3]]).row_lengths()": [2, 1],
    "tf.ragged.constant([[1, 2], [3]]).flat_values": [1, 2, 3],
    "tf.sparse.to_dense(tf.SparseTensor([[0, 3], [1, 0]], [1, 2], [2, 4]))": [[0, 0, 0, 1], [2, 0, 0, 0]],
    # the rest
    "tf.io.decode_raw(np.array([1, 515], '<i2').tobytes(), tf.int16)": [1, 515],
    "tf.io.parse_tensor(tf.io.serialize_tensor([[1., 2.]]), tf.float32)": [[1, 2]],
    "tf.io.decode_csv(['1,2.5,a', '4,,b'], [[0], [0.5], ['']])[1]": [2.5, 0.5],
    "tf.nest.flatten({'a': [1, 2]})": [1, 2],
}  # fmt: skip


@pytest.mark.parametrize("code", VALUES)
def test_values(code):
    result, expected = eval(code, {"tf": tf, "np": np}), VALUES[code]
    if isinstance(result, list | bytes):
        assert result == expected
    elif np.asarray(result).dtype.kind in "OU":
        assert np.asarray(result).tolist() == expected
    else:
        np.testing.assert_allclose(np.asarray(result), expected, rtol=1e-5, atol=1e-6)


def public(module, path="tf"):
    for name in module.__all__:
        value = getattr(module, name)
        yield f"{path}.{name}", value
        if isinstance(value, types.ModuleType) and name != "experimental" and value.__name__.startswith(tf.PREFIX):
            yield from public(value, f"{path}.{name}")


def test_every_name_is_there():
    names = dict(public(tf))
    assert len(names) > 400
    assert names["tf.keras"] is layerwise
    assert all(value.__doc__ for value in names.values() if callable(value) and not isinstance(value, type))


def test_dtypes_are_names():
    x = tf.constant([1.0])
    assert x.dtype == tf.float32
    assert tf.as_dtype(np.int64) == tf.int64 == tf.dtypes.int64
    assert tf.zeros((2,), tf.int32).dtype == "int32"
    assert tf.argmax([1, 2]).dtype == "int64"
    assert (tf.float16.is_integer, tf.uint8.max, tf.float32.name) == (False, 255, "float32")


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("tf.reduce_mean([1.0], axes=0)", r"tf.math.reduce_mean: got an unexpected argument 'axes'; nearest: axis"),
        ("tf.zeros((1,), 'int32', 3)", r"tf.zeros: takes 2 arguments \(shape, dtype\), got 3"),
        ("tf.saved_model", r"tf.saved_model is not in Layerwise: save models with model.save"),
        ("tf.Session()", r"tf.Session is not in Layerwise: it is TensorFlow 1's"),
        ("tf.reduce_meen", r"has no 'reduce_meen'; nearest: 'reduce_mean'"),
        ("tf.gather([[1]], [[0]], batch_dims=2)", "batch_dims: got 2"),
        ("tf.random.uniform((2,), dtype=tf.int32)", "maxval: got None for whole numbers"),
        ("tf.image.random_crop(np.ones((2, 2, 1)), (3, 2, 1))", "expected a part of"),
        ("tf.ensure_shape(tf.zeros((2, 3)), (None, 4))", r"got shape \(2, 3\), expected \(None, 4\)"),
    ],
)
def test_mistakes_are_told(code, message):
    with pytest.raises((TypeError, ValueError, AttributeError), match=message):
        eval(code, {"tf": tf, "np": np})


def test_variables_and_modules():
    v = tf.Variable([[1.0, 2.0]], trainable=False, name="a/v")
    assert isinstance(v, tf.Variable)
    assert isinstance(v, layerwise.Variable)
    assert not v.trainable
    assert tf.Variable(3).dtype == tf.int32
    assert tf.Variable(initial_value=lambda: tf.zeros((2,))).shape == (2,)

    class Net(tf.Module):
        def __init__(self):
            super().__init__()
            self.parts = [tf.keras.layers.Dense(2), Inner()]
            self.parts[0].build((None, 3))
            self.b = v

    class Inner(tf.Module):
        def __init__(self):
            super().__init__(name="inner")
            self.w = tf.Variable(1.0)

    net = Net()
    assert net.name == "net"
    assert len(net.variables) == 4
    assert len(net.trainable_variables) == 3
    assert [type(m).__name__ for m in net.submodules] == ["Dense", "Inner"]


def test_draws():
    tf.random.set_seed(1)
    first = [tf.random.normal((3,)).numpy() for _ in range(2)] + [tf.random.uniform([3], seed=5).numpy()]
    tf.random.set_seed(1)
    again = [tf.random.normal((3,)).numpy() for _ in range(2)] + [tf.random.uniform([3], seed=5).numpy()]
    np.testing.assert_array_equal(first, again)
    assert (first[0] != first[1]).all()
    assert (tf.random.uniform([3], seed=5).numpy() != first[2]).all()  # they go on
    whole = tf.random.uniform((100,), maxval=3, dtype=tf.int64).numpy()
    assert set(whole.tolist()) == {0, 1, 2}
    same = [tf.random.stateless_uniform((4,), seed=(2, 3)).numpy() for _ in range(2)]
    np.testing.assert_array_equal(*same)
    assert tf.random.Generator.from_seed(1).make_seeds(2).shape == (2, 2)
    assert tf.random.categorical(tf.math.log([[0.5, 0.5]]), 5).dtype == tf.int64
    assert sorted(tf.random.shuffle([1, 2, 3]).numpy().tolist()) == [1, 2, 3]


@pytest.mark.parametrize("eager", [False, True])
def test_draws_inside_steps_differ_from_step_to_step(eager):
    class Noisy(tf.keras.Model):
        def __init__(self):
            super().__init__()
            self.seen = tf.Variable(tf.zeros((2, 3)), trainable=False)

        def train_step(self, data):
            self.seen.assign(tf.concat([self.seen[1:], tf.random.normal((1, 3))], 0))
            return {"x": tf.reduce_sum(self.seen)}

    tf.random.set_seed(3)
    model = Noisy()
    model.compile(run_eagerly=eager)
    model.fit(np.zeros((6, 1)), batch_size=2, verbose=0)
    first, second = model.seen.numpy()
    assert (first != 0).all()
    assert (first != second).all()


def test_random_images():
    tf.random.set_seed(0)
    batch = np.stack([np.arange(4.0).reshape(2, 2, 1)] * 40)
    flipped = tf.image.random_flip_left_right(batch).numpy()
    kinds = {tuple(image.ravel()) for image in flipped}
    assert kinds == {(0, 1, 2, 3), (1, 0, 3, 2)}  # each image for itself
    image = np.arange(48.0).reshape(4, 4, 3)
    crops = {tuple(tf.image.random_crop(image, size=[2, 2, 3]).numpy().ravel()) for _ in range(60)}
    assert len(crops) == 9
    bright = tf.image.random_brightness(image, 0.3).numpy() - image
    assert np.ptp(bright) < 1e-5
    assert abs(bright).max() <= 0.3
    one = tf.image.stateless_random_contrast(image, 0.5, 2.0, seed=(1, 2)).numpy()
    np.testing.assert_array_equal(one, tf.image.stateless_random_contrast(image, lower=0.5, upper=2.0, seed=(1, 2)))


def test_image_files(tmp_path):
    pixels = np.arange(4 * 5 * 3, dtype="uint8").reshape(4, 5, 3)
    path = str(tmp_path / "a.png")
    tf.io.write_file(path, tf.io.encode_png(pixels))
    content = tf.io.read_file(tf.constant(path))
    np.testing.assert_array_equal(tf.io.decode_png(content), pixels)
    assert tf.image.decode_image(content, channels=1).shape == (4, 5, 1)
    assert tf.image.decode_image(content, dtype=tf.float32).numpy().max() == pytest.approx(59 / 255)
    grey = tf.io.decode_jpeg(tf.io.encode_jpeg(np.full((8, 8, 1), 100, "uint8")), channels=3)
    assert grey.shape == (8, 8, 3)
    assert abs(grey.numpy().astype(int) - 100).max() <= 2
    assert tf.io.gfile.exists(path)
    assert tf.io.gfile.glob(str(tmp_path / "*.png")) == [path]


def test_wav_files():
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(8000)
        out.writeframes(np.array([0, 16384, -32768], "<i2").tobytes())
    audio, rate = tf.audio.decode_wav(file.getvalue(), desired_samples=4)
    np.testing.assert_array_equal(audio, [[0], [0.5], [-1], [0]])
    assert int(rate) == 8000


def test_examples():
    train = tf.train
    feature = {
        "image": train.Feature(bytes_list=train.BytesList(value=[b"\x00\xff\x00"])),
        "label": train.Feature(int64_list=train.Int64List(value=[-3])),
        "boxes": train.Feature(float_list=train.FloatList(value=[0.5, 1.5])),
    }
    content = train.Example(features=train.Features(feature=feature)).SerializeToString()
    shape = {
        "image": tf.io.FixedLenFeature([], tf.string),
        "label": tf.io.FixedLenFeature([], tf.int64),
        "boxes": tf.io.VarLenFeature(tf.float32),
        "none": tf.io.FixedLenFeature([2], tf.float32, default_value=[1.0, 2.0]),
    }
    read = tf.io.parse_single_example(content, shape)
    assert read["image"].numpy() == b"\x00\xff\x00"
    assert int(read["label"]) == -3
    np.testing.assert_array_equal(tf.sparse.to_dense(read["boxes"]), [0.5, 1.5])
    np.testing.assert_array_equal(read["none"], [1, 2])
    feature["boxes"] = train.Feature(float_list=train.FloatList(value=[2.5]))
    second = train.Example(features=train.Features(feature=feature)).SerializeToString()
    several = tf.io.parse_example(np.array([content, second], object), shape)
    np.testing.assert_array_equal(several["boxes"], [[0.5, 1.5], [2.5, 0]])
    np.testing.assert_array_equal(several["label"], [-3, -3])
    assert several["image"].tolist() == [b"\x00\xff\x00"] * 2
    # as TensorFlow writes a packed list and one that is not
    assert train.Int64List.decoded(b"\n\x02\x05\x07").value == [5, 7]
    assert train.Int64List.decoded(b"\x08\x05\x08\x07").value == [5, 7]
    for damaged in (content[:-1], b"\xff" * 12, b"\x0b"):
        with pytest.raises(ValueError, match="cut short or are no example"):
            train.Example.FromString(damaged)
    with pytest.raises(ValueError, match="'other' is missing"):
        tf.io.parse_single_example(content, {"other": tf.io.FixedLenFeature([], tf.int64)})


def test_checkpoints(tmp_path):
    def made():
        model = tf.keras.Sequential([tf.keras.layers.Input((2,)), tf.keras.layers.Dense(3)])
        optimizer = tf.keras.optimizers.Adam()
        optimizer.build(model.trainable_variables)
        return tf.train.Checkpoint(model=model, optimizer=optimizer, step=tf.Variable(0))

    checkpoint = made()
    manager = tf.train.CheckpointManager(checkpoint, tmp_path, max_to_keep=2)
    assert tf.train.latest_checkpoint(tmp_path) is None
    assert manager.restore_or_initialize() is None
    for _ in range(3):
        checkpoint.step.assign_add(1)
        manager.save()
    other = made()
    status = other.restore(tf.train.latest_checkpoint(tmp_path))
    status.assert_consumed()
    assert int(other.step) == int(other.save_counter) == 3
    for ours, theirs in zip(other.model.weights, checkpoint.model.weights, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert len(list(tmp_path.glob("*.safetensors"))) == 2
    assert tf.train.CheckpointManager(other, tmp_path).checkpoints == manager.checkpoints
    with pytest.raises(AssertionError, match="build models and optimizers"):
        tf.train.Checkpoint(step=tf.Variable(0)).restore(manager.latest_checkpoint).assert_consumed()
    wide = tf.train.Checkpoint(step=tf.Variable([0, 0]))
    with pytest.raises(ValueError, match=r"step: shape \(\), expected \(2,\)"):
        wide.restore(manager.latest_checkpoint)


def test_summaries(tmp_path):
    pytest.importorskip("tensorboardX")
    writer = tf.summary.create_file_writer(str(tmp_path))
    assert not tf.summary.scalar("loss", 1.0, step=0)  # there is no writer
    with writer.as_default():
        assert tf.summary.scalar("loss", tf.constant(0.5), step=1)
        assert tf.summary.histogram("w", tf.zeros((3,)), step=1)
        with pytest.raises(ValueError, match="step is missing"):
            tf.summary.scalar("loss", 0.5)
    writer.close()
    (file,) = tmp_path.glob("*tfevents*")
    assert b"loss" in file.read_bytes()


def test_one_device():
    assert tf.config.list_physical_devices("GPU") == []
    assert len(tf.config.list_logical_devices()) == 1
    strategy = tf.distribute.MirroredStrategy()
    with strategy.scope(), tf.device("/GPU:0"), tf.name_scope("a"):
        assert strategy.reduce(tf.distribute.ReduceOp.SUM, strategy.run(lambda x: 2 * x, args=([1.0],)), None) == [1, 1]
    with pytest.raises(tf.errors.InvalidArgumentError):
        tf.reshape(tf.zeros((3,)), (2, 2))
    with pytest.raises(tf.errors.NotFoundError):
        tf.io.read_file("none/there")


def test_tensor_arrays():
    array = tf.TensorArray(tf.float32, size=0, dynamic_size=True)
    for i in range(3):
        array = array.write(i, [1.0 * i])
    np.testing.assert_array_equal(array.stack(), [[0], [1], [2]])
    np.testing.assert_array_equal(array.concat(), [0, 1, 2])
    assert array.size() == 3
    assert array.read(2).numpy() == 2


def test_lines_of_files(tmp_path):
    (tmp_path / "a.txt").write_bytes("één\r\ntwo".encode())
    with gzip.open(tmp_path / "b.gz", "wb") as file:
        file.write(b"three\n\n")
    lines = tf.data.TextLineDataset(str(tmp_path / "a.txt")).with_options(tf.data.Options())
    assert [line.numpy() for line in lines] == ["één".encode(), b"two"]
    packed = tf.data.TextLineDataset([str(tmp_path / "b.gz")], compression_type="GZIP")
    assert list(packed.as_numpy_iterator()) == ["three", ""]


@pytest.mark.parametrize("packed", [None, "GZIP"])
def test_record_files(tmp_path, packed):
    path = str(tmp_path / "a.tfrecord")
    records = [b"", b"\x00\x01\x00", bytes(range(256)) * 20]
    with tf.io.TFRecordWriter(path, packed and tf.io.TFRecordOptions(compression_type=packed)) as writer:
        for record in records:
            writer.write(record)
    data = tf.data.TFRecordDataset([path, path], compression_type=packed)
    assert [record.numpy() for record in data] == records * 2
    (batch,) = tf.data.TFRecordDataset(path, packed).batch(3)
    assert batch.numpy().tolist() == records
    content = (tmp_path / "a.tfrecord").read_bytes()
    for damaged in (content[:-2], content[:40] + b"?" + content[41:]):
        (tmp_path / "a.tfrecord").write_bytes(damaged)
        with pytest.raises((ValueError, EOFError, OSError, zlib.error)):
            list(tf.data.TFRecordDataset(path, packed))


def test_record_files_as_tensorflow_writes_them(tmp_path):
    """A record "ab": length, its checksum, bytes, their checksum; what is said of a damaged one."""
    whole = bytes.fromhex("0200000000000000") + records.masked(bytes.fromhex("0200000000000000")) + b"ab"
    path = tmp_path / "b.tfrecord"
    path.write_bytes(whole + records.masked(b"ab"))
    assert list(records.read_records(path)) == [b"ab"]
    path.write_bytes(whole + b"abcd")
    with pytest.raises(records.FileFormatError, match=r"b.tfrecord: record 0: cut short, or its checksum"):
        list(records.read_records(path))
    huge = struct.pack("<Q", 2**60)
    path.write_bytes(huge + records.masked(huge))
    with pytest.raises(records.FileFormatError, match=r"record 0: cut short"):
        list(records.read_records(path))
    path.write_bytes(b"no records at all")
    with pytest.raises(records.FileFormatError, match=r"none of TFRecords"):
        list(records.read_records(path))


@pytest.mark.parametrize("size", [0, 1, 3, 4, 5, 1023, 1024, 1025, 1027, 1028, 3000])
def test_checksums(size):
    data = np.random.default_rng(size).bytes(size)
    state = 0xFFFFFFFF  # a bit at a time
    for byte in data:
        state ^= byte
        for _ in range(8):
            state = state >> 1 ^ (0x82F63B78 if state & 1 else 0)
    assert records.crc32c(data) == state ^ 0xFFFFFFFF


def test_elements_of_data_sets_know_numpy():
    data = tf.data.Dataset.from_tensor_slices(([[1.0, 2.0]], ["text"]))
    ((x, name),) = data
    assert type(x.numpy()) is np.ndarray
    assert x[0].numpy() == 1.0
    assert f"{x[1]:.2f}" == "2.00"
    assert [entry.numpy() for entry in x] == [1, 2]
    assert name.numpy() == b"text"
    assert {0: "a"}[next(iter(tf.data.Dataset.from_tensor_slices([0])))] == "a"
    assert repr(x) == "array([1., 2.])"
