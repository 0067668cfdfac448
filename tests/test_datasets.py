"""The data sets: shapes, types and values as in Keras, from wherever the files are."""

import functools
import gzip
import http.server
import inspect
import re
import shutil
import sys
import threading
from types import SimpleNamespace

import numpy as np
import pytest

from layerwise.data.download import file_hash
from layerwise.datasets import cifar10, digits, fashion_mnist, mnist, sources
from test_data_cifar import pack, write_cifar
from test_data_idx import write_mnist


def test_digits_are_the_real_ones(monkeypatch):
    monkeypatch.delitem(sys.modules, "sklearn")
    from sklearn.datasets import load_digits

    (x_train, y_train), (x_test, y_test) = digits.load_data()
    assert x_train.shape == (1438, 8, 8)
    assert x_test.shape == (359, 8, 8)
    assert {a.dtype for a in (x_train, y_train, x_test, y_test)} == {np.dtype(np.uint8)}
    ink = np.rint(np.concatenate([x_train, x_test]) * (16 / 255)).astype(int).reshape(-1, 64)
    original = load_digits()
    got = sorted(map(tuple, np.column_stack([ink, np.concatenate([y_train, y_test])])))
    assert got == sorted(map(tuple, np.column_stack([original.data.astype(int), original.target])))


def test_digits_split_is_fixed_and_stratified():
    (x_train, y_train), (_, y_test) = digits.load_data()
    (again, _), _ = digits.load_data()
    np.testing.assert_array_equal(x_train, again)
    counts = np.bincount(y_test)
    np.testing.assert_allclose(counts, 0.2 * (counts + np.bincount(y_train)), atol=0.5)


@pytest.fixture
def home(tmp_path, monkeypatch):
    """Empty caches, and a server that has the files of `tmp_path / "site"` and keeps a list of what was asked."""
    monkeypatch.setenv("LAYERWISE_HOME", str(tmp_path / "layerwise"))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    site = tmp_path / "site"
    site.mkdir()
    asked = []

    class Handler(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_):
            asked.append(self.path.strip("/"))

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, directory=site))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield SimpleNamespace(
        site=site, asked=asked, url=f"http://127.0.0.1:{server.server_port}/",
        ours=tmp_path / "layerwise" / "datasets", keras=tmp_path / "keras" / "datasets",
    )  # fmt: skip
    server.shutdown()
    thread.join()
    server.server_close()


def assert_equal(got, expected):
    for (x, y), (x_expected, y_expected) in zip(got, expected, strict=True):
        np.testing.assert_array_equal(x, x_expected)
        np.testing.assert_array_equal(y, y_expected)
        assert x.dtype == y.dtype == np.uint8


PARTS = ("x_train", "y_train", "x_test", "y_test")


@pytest.fixture
def small_mnist(home, monkeypatch):
    """A small mnist.npz on the server, pinned; its arrays."""
    rng = np.random.default_rng(0)
    x, y = rng.integers(0, 256, (5, 4, 4), np.uint8), np.arange(5, dtype=np.uint8)
    np.savez(home.site / "mnist.npz", **dict(zip(PARTS, (x, y, x[:2], y[:2]))))
    monkeypatch.setattr(mnist, "_URL", home.url + "mnist.npz")
    monkeypatch.setattr(mnist, "_SHA256", file_hash(home.site / "mnist.npz"))
    return (x, y), (x[:2], y[:2])


def test_mnist_is_downloaded_once(home, small_mnist):
    assert_equal(mnist.load_data(), small_mnist)
    assert_equal(mnist.load_data(), small_mnist)
    assert home.asked == ["mnist.npz"]
    assert [p.name for p in home.ours.iterdir()] == ["mnist.npz"]
    assert_equal(mnist.load_data("other.npz"), small_mnist)
    assert (home.ours / "other.npz").is_file()


def test_mnist_in_keras_cache_is_used_if_it_is_whole(home, small_mnist):
    home.keras.mkdir(parents=True)
    shutil.copy(home.site / "mnist.npz", home.keras)
    assert_equal(mnist.load_data(), small_mnist)
    assert home.asked == []
    (home.keras / "mnist.npz").write_bytes(b"cut short")
    assert_equal(mnist.load_data(), small_mnist)
    assert home.asked == ["mnist.npz"]


def test_a_download_says_how_far_it_is_and_the_cache_says_nothing(home, small_mnist, capsys):
    mnist.load_data()
    assert re.fullmatch(r"mnist\.npz - [\d.]+/[\d.]+ MB - .*MB/s\n", capsys.readouterr().out)
    mnist.load_data()
    assert capsys.readouterr().out == ""


def test_mnist_of_your_own(home, small_mnist, tmp_path):
    assert_equal(mnist.load_data(home.site / "mnist.npz"), small_mnist)
    (tmp_path / "idx").mkdir()
    expected = write_mnist(tmp_path / "idx", pattern="{part}-{what}-idx{rank}-ubyte.gz", pack=gzip.compress)
    assert_equal(mnist.load_data(tmp_path / "idx"), expected)
    assert_equal(mnist.load_data(tmp_path / "idx" / "train-images-idx3-ubyte.gz"), expected)
    with pytest.raises(FileNotFoundError, match="no such file or folder"):
        mnist.load_data(tmp_path / "missing.npz")
    assert home.asked == []
    np.savez(tmp_path / "a.npz", x_train=np.zeros(3))
    with pytest.raises(ValueError, match=r"a.npz: expected arrays .*; x_test, y_test, y_train not there"):
        mnist.load_data(tmp_path / "a.npz")
    np.savez(tmp_path / "a.npz", **dict.fromkeys(PARTS, np.zeros(3)))
    with pytest.raises(ValueError, match=r"expected x_train \(n, height, width\) and y_train \(n,\), got \(3,\)"):
        mnist.load_data(tmp_path / "a.npz")


def test_fashion_mnist_from_server_keras_cache_and_folder(home, monkeypatch):
    expected = write_mnist(home.site, pattern="{part}-{what}-idx{rank}-ubyte.gz", pack=gzip.compress)
    monkeypatch.setattr(fashion_mnist, "_URL", home.url)
    monkeypatch.setattr(fashion_mnist, "_SHA256", {name: file_hash(home.site / name) for name in fashion_mnist._SHA256})
    (home.keras / "fashion-mnist").mkdir(parents=True)
    shutil.copy(home.site / "t10k-images-idx3-ubyte.gz", home.keras / "fashion-mnist")
    assert_equal(fashion_mnist.load_data(), expected)
    assert_equal(fashion_mnist.load_data(), expected)
    assert sorted(home.asked) == [
        "t10k-labels-idx1-ubyte.gz", "train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"
    ]  # fmt: skip
    assert_equal(fashion_mnist.load_data(home.site), expected)
    assert len(fashion_mnist.CLASS_NAMES) == 10


def test_cifar10_from_server_keras_cache_and_folder(home, monkeypatch, tmp_path):
    write_cifar(tmp_path / "cifar")
    pack(tmp_path / "cifar", home.site / "cifar-10-python.tar.gz")
    monkeypatch.setattr(cifar10, "_URL", home.url + "cifar-10-python.tar.gz")
    monkeypatch.setattr(cifar10, "_SHA256", file_hash(home.site / "cifar-10-python.tar.gz"))
    expected = cifar10.load_data(tmp_path / "cifar")
    assert expected[0][0].shape == (15, 32, 32, 3)
    assert expected[0][1].shape == (15, 1)
    assert_equal(cifar10.load_data(), expected)
    assert home.asked == ["cifar-10-python.tar.gz"]
    for folder in ("cifar-10-batches-py-target/cifar-10-batches-py", "cifar-10-batches-py"):
        shutil.rmtree(home.ours, ignore_errors=True)
        shutil.copytree(tmp_path / "cifar", home.keras / folder)
        assert_equal(cifar10.load_data(), expected)
        shutil.rmtree(home.keras)
    assert home.asked == ["cifar-10-python.tar.gz"]
    assert cifar10.CLASS_NAMES[0] == "airplane"


def test_real_mnist(test_data):
    (x_train, y_train), (x_test, y_test) = mnist.load_data(test_data / "mnist")
    assert (x_train.shape, y_train.shape, x_test.shape, y_test.shape) == (
        (60000, 28, 28), (60000,), (10000, 28, 28), (10000,)
    )  # fmt: skip
    assert x_train.dtype == y_train.dtype == np.uint8


def test_signatures_and_folders_are_keras(home, monkeypatch, tmp_path):
    import keras

    for ours, theirs in (mnist, keras.datasets.mnist), (cifar10, keras.datasets.cifar10):
        parameters = inspect.signature(theirs.load_data).parameters
        for name, parameter in parameters.items():
            assert inspect.signature(ours.load_data).parameters[name].default == parameter.default
    monkeypatch.delenv("KERAS_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert sources.keras_folder() == tmp_path / ".keras" / "datasets"
