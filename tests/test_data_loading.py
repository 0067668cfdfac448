"""`data.load`: what a path holds is recognised, checked, and split where it has no test part."""

import gzip

import numpy as np
import pytest
from PIL import Image

from layerwise.data import load
from test_data_cifar import pack, write_cifar
from test_data_idx import write_mnist

rng = np.random.default_rng(0)


def assert_consistent(data):
    assert len(data.x_train) == len(data.y_train) > 0
    assert len(data.x_test) == len(data.y_test) > 0
    assert data.x_train.shape[1:] == data.x_test.shape[1:]
    assert data.x_train.ndim == {"image": 4, "table": 2}[data.kind]
    assert data.y_train.dtype == data.y_test.dtype == {"classification": np.int64, "regression": float}[data.task]
    assert (data.class_names is None) == (data.task == "regression")
    assert (data.feature_names is None) == (data.kind == "image")


@pytest.mark.parametrize("which", ["folder", "file"])
def test_mnist_files(tmp_path, which):
    expected = write_mnist(tmp_path, pattern="{part}-{what}-idx{rank}-ubyte.gz", pack=gzip.compress)
    data = load(tmp_path if which == "folder" else tmp_path / "train-images-idx3-ubyte.gz")
    assert_consistent(data)
    np.testing.assert_array_equal(data.x_train[..., 0], expected[0][0])
    np.testing.assert_array_equal(data.y_test, expected[1][1])
    assert (data.kind, data.task, data.class_names) == ("image", "classification", ("0", "1"))


def test_cifar(tmp_path):
    content = write_cifar(tmp_path / "cifar")
    for path in tmp_path / "cifar", pack(tmp_path / "cifar", tmp_path / "c.tar.gz"):
        data = load(path)
        assert_consistent(data)
        assert data.y_test.tolist() == content["test_batch"][1]
        assert data.class_names[9] == "truck"


def image_folder(path, classes=("a", "b"), n=10, shape=(6, 6)):
    for name in classes:
        (path / name).mkdir(parents=True)
        for i in range(n):
            Image.fromarray(rng.integers(0, 256, shape, np.uint8)).save(path / name / f"{i}.png")


def test_folder_of_images(tmp_path):
    image_folder(tmp_path)
    data = load(tmp_path)
    assert_consistent(data)
    assert np.bincount(data.y_test).tolist() == [2, 2]
    assert load(tmp_path, size=(3, 4)).x_train.shape == (16, 3, 4, 1)
    assert np.bincount(load(tmp_path, test_fraction=0.5).y_test).tolist() == [5, 5]
    assert not np.array_equal(load(tmp_path, seed=1).x_test, data.x_test)
    np.testing.assert_array_equal(load(tmp_path).x_test, data.x_test)


def test_folder_of_images_with_its_own_split(tmp_path):
    image_folder(tmp_path / "train", n=3)
    image_folder(tmp_path / "test", n=2, shape=(9, 9))
    data = load(tmp_path)
    assert_consistent(data)
    assert data.x_train.shape == (6, 6, 6, 1)
    assert data.y_test.tolist() == [0, 0, 1, 1]
    (tmp_path / "test" / "b").rename(tmp_path / "test" / "c")
    with pytest.raises(ValueError, match=r"train has the classes \('a', 'b'\), test has \('a', 'c'\)"):
        load(tmp_path)


@pytest.fixture
def npz(tmp_path):
    def save(**arrays):
        np.savez(tmp_path / "data.npz", **arrays)
        return tmp_path / "data.npz"

    return save


def test_npz_with_its_own_split(npz):
    x = rng.integers(0, 256, (8, 4, 5), np.uint8)
    y = np.array([[7], [9]] * 4, np.uint8)
    data = load(npz(x_train=x, y_train=y, x_test=x[:2], y_test=y[:2]))
    assert_consistent(data)
    assert data.x_train.shape == (8, 4, 5, 1)
    assert data.y_train.tolist() == [0, 1] * 4
    assert data.class_names == ("7", "9")


def test_npz_without_a_split(npz):
    x = rng.random((20, 3))
    data = load(npz(x=x, y=np.array(["u", "v"] * 10)))
    assert_consistent(data)
    assert np.bincount(data.y_test).tolist() == [2, 2]
    assert data.feature_names == ("x0", "x1", "x2")
    data = load(npz(x=x, y=rng.random((20, 1))))
    assert_consistent(data)
    assert (data.task, len(data.x_test)) == ("regression", 4)
    assert load(npz(x=x, y=np.arange(20))).task == "regression"
    assert load(npz(x=x, y=np.arange(20) % 2), task="regression").y_train.dtype == float
    images = rng.random((60, 4, 4, 3))
    assert load(npz(x=images, y=np.arange(60) % 30)).task == "classification"  # images have classes, however many


def test_csv(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("a,b,kind\n" + "".join(f"{i},{i * i},{'xyz'[i % 3]}\n" for i in range(30)))
    data = load(path, target="kind")
    assert_consistent(data)
    assert data.feature_names == ("a", "b")
    assert np.bincount(data.y_test).tolist() == [2, 2, 2]
    data = load(path.rename(tmp_path / "b.CSV"), target="kind", test_fraction=0.1)
    assert len(data.x_test) == 3
    (tmp_path / "b.CSV").write_text("a,b\n" + "".join(f"{i},{i / 7}\n" for i in range(30)))
    data = load(tmp_path / "b.CSV", target="b")
    assert_consistent(data)
    assert data.task == "regression"


X = np.ones((4, 2))


@pytest.mark.parametrize(("arrays", "message"), [
    ({"a": X}, "expected arrays x_train, y_train, x_test, y_test or x, y; got a"),
    ({"x": X, "y": np.zeros(3)}, r"y: expected one label .* each of the 4 examples, shape \(4,\), got \(3,\)"),
    ({"x": X, "y": np.eye(4)}, r"got \(4, 4\)"),
    ({"x": np.ones(4), "y": np.zeros(4)}, r"x: expected numbers of shape .* got float64 of shape \(4,\)"),
    ({"x": np.array([["a"]]), "y": np.zeros(1)}, "x: expected numbers"),
    ({"x": X[:0], "y": np.zeros(0)}, r"got float64 of shape \(0, 2\)"),
    ({"x": np.array([[1, 2], [3, np.nan]]), "y": np.arange(2)}, r"x: not finite at \[1, 1\]: nan"),
    ({"x": X, "y": np.array([1, np.inf, 2, 3])}, r"y: not finite at \[1\]: inf"),
    ({"x": X, "y": np.zeros(4, int)}, r"one class only \(0\)"),
    ({"x": X[:1], "y": np.zeros(1)}, "1 examples cannot be split"),
    ({"x_train": X, "y_train": np.arange(4), "x_test": np.ones((4, 3)), "y_test": np.arange(4)},
     r"training examples have shape \(2,\), test examples \(3,\)"),
])  # fmt: skip
def test_npz_that_cannot_be_trained_on(npz, arrays, message):
    path = npz(**arrays)
    with pytest.raises(ValueError, match=message) as error:
        load(path)
    assert str(path) in str(error.value)


def test_text_is_no_number_to_predict(npz):
    with pytest.raises(ValueError, match="regression needs targets that are numbers, got <U1"):
        load(npz(x=X, y=np.array(list("abab"))), task="regression")


@pytest.mark.parametrize(("text", "target", "message"), [
    ("a,b\n1,2\n3,4\n", None, "which column is to be predicted.*columns: a, b"),
    ("a,b\n1,2\n3,4\n", "c", "no column 'c'"),
    ("b\n1.5\n2.5\n", "b", "only the target column 'b'"),
    ("a,b\n1,x\n2,x\n", "b", r"one class only \(x\)"),
])  # fmt: skip
def test_csv_that_cannot_be_trained_on(tmp_path, text, target, message):
    path = tmp_path / "a.csv"
    path.write_text(text)
    with pytest.raises(ValueError, match=message):
        load(path, target)


def test_paths_that_hold_no_data(tmp_path):
    with pytest.raises(FileNotFoundError, match="no such file or folder"):
        load(tmp_path / "missing")
    with pytest.raises(ValueError, match="no images there"):
        load(tmp_path)
    (tmp_path / "notes.txt").write_text("hello")
    with pytest.raises(ValueError, match=r"notes.txt: expected a folder with MNIST's IDX files"):
        load(tmp_path / "notes.txt")
    with pytest.raises(ValueError, match=r"target='kind' names a column, but this is no .csv file"):
        load(tmp_path / "notes.txt", target="kind")
    with pytest.raises(ValueError, match="task='regression', but what it holds has classes"):
        load(tmp_path, task="regression")
    with pytest.raises(ValueError, match=r"task: expected .* got 'guess'"):
        load(tmp_path, task="guess")
    image_folder(tmp_path / "one", classes=["a"])
    with pytest.raises(ValueError, match=r"one class only \(a\)"):
        load(tmp_path / "one")
