"""The data sets: shapes, types and values as in Keras, from wherever the files are."""

import functools
import gzip
import http.server
import importlib
import inspect
import pickle
import re
import shutil
import sys
import threading
from types import SimpleNamespace

import numpy as np
import pytest

from layerwise.data.download import file_hash
from layerwise.data.format_error import FileFormatError
from layerwise.data.pickled import lists_of_numbers
from layerwise.datasets import (
    boston_housing,
    california_housing,
    cifar10,
    cifar100,
    digits,
    fashion_mnist,
    imdb,
    mnist,
    reuters,
    sequences,
    sources,
)
from test_data_cifar import batch_bytes, pack, write_cifar
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


# Texts and houses


def theirs(monkeypatch, name, file, *arguments, call="load_data", **options):
    """What Keras makes of the same file."""
    module = importlib.import_module(f"keras.src.datasets.{name}")
    monkeypatch.setattr(module, "get_file", lambda *_, **__: str(file))
    return getattr(module, call)(*arguments, **options)


def texts(n, seed, longest=30):
    rng = np.random.default_rng(seed)
    lists = [rng.integers(1, 70_000, rng.integers(1, longest)).tolist() for _ in range(n)]
    return np.array([*lists, []], object)[:-1]


def assert_texts(got, expected):
    for (x, y), (x_expected, y_expected) in zip(got, expected, strict=True):
        assert x.dtype == object
        assert x.tolist() == x_expected.tolist()
        assert all(type(words) is list for words in x)
        np.testing.assert_array_equal(y, y_expected)


@pytest.fixture
def reviews(home, monkeypatch):
    labels = np.arange(20) % 2
    arrays = dict(zip(PARTS, (texts(20, 0), labels, texts(20, 1), labels)))
    np.savez_compressed(home.site / "imdb.npz", **arrays)
    (home.site / "imdb_word_index.json").write_text('{"the": 1, "süß": 2}', "utf-8")
    monkeypatch.setattr(sequences, "ORIGIN", home.url)
    monkeypatch.setattr(imdb, "_SHA256", file_hash(home.site / "imdb.npz"))
    monkeypatch.setattr(imdb, "_MD5_OF_INDEX", file_hash(home.site / "imdb_word_index.json", "md5"))
    return home.site / "imdb.npz"


CUTS = [
    {}, {"num_words": 20_000}, {"num_words": 20_000, "skip_top": 100, "oov_char": None}, {"maxlen": 15, "seed": 4},
    {"start_char": None}, {"start_char": None, "index_from": 0, "num_words": 3000},
]  # fmt: skip


@pytest.mark.parametrize("cut", CUTS)
def test_imdb(home, reviews, monkeypatch, cut):
    expected = theirs(monkeypatch, "imdb", reviews, **cut)
    assert_texts(imdb.load_data(**cut), expected)
    assert_texts(imdb.load_data(reviews, **cut), expected)
    assert home.asked == ["imdb.npz"]


def test_word_indices(home, reviews):
    assert imdb.get_word_index() == {"the": 1, "süß": 2} == imdb.get_word_index(home.site / "imdb_word_index.json")
    assert home.asked == ["imdb_word_index.json"]
    (home.site / "no.json").write_text('["the"]')
    with pytest.raises(ValueError, match="expected an object with a whole number for each word"):
        reuters.get_word_index(home.site / "no.json")
    assert reuters.get_label_names() == theirs_names()


def theirs_names():
    import keras

    return keras.datasets.reuters.get_label_names()


@pytest.mark.parametrize("cut", [*CUTS, {"test_split": 0.5}])
def test_reuters(home, monkeypatch, cut):
    np.savez(home.site / "reuters.npz", x=texts(30, 2), y=np.arange(30) % 46)
    monkeypatch.setattr(sequences, "ORIGIN", home.url)
    monkeypatch.setattr(reuters, "_SHA256", file_hash(home.site / "reuters.npz"))
    assert_texts(reuters.load_data(**cut), theirs(monkeypatch, "reuters", home.site / "reuters.npz", **cut))


@pytest.mark.parametrize(("module", "columns"), [(boston_housing, 13), (california_housing, 8)])
def test_houses(home, monkeypatch, module, columns):
    name = module.__name__.rpartition(".")[2]
    rng = np.random.default_rng(0)
    file = home.site / f"{name}.npz"
    np.savez(file, x=rng.normal(size=(700, columns)), y=rng.normal(size=700))
    monkeypatch.setattr(sequences, "ORIGIN", home.url)
    monkeypatch.setattr(module, "_SHA256", file_hash(file))
    for options in {}, {"test_split": 0.35, "seed": 4}, {"version": "small"} if columns == 8 else {"test_split": 0}:
        got, expected = module.load_data(**options), theirs(monkeypatch, name, file, **options)
        for pair, other in zip(got, expected, strict=True):
            for a, b in zip(pair, other, strict=True):
                np.testing.assert_array_equal(a, b, strict=True)
    assert home.asked == [f"{name}.npz"]
    with pytest.raises(ValueError, match="test_split: got 1"):
        module.load_data(test_split=1)
    np.savez(home.site / "other.npz", x=np.ones((3, 2)), y=np.ones(3))
    with pytest.raises(ValueError, match=rf"expected x \(n, {columns}\) and y \(n,\)"):
        module.load_data(path=home.site / "other.npz")


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"x": texts(3, 0)}, "expected arrays x, y; y not there"),
        ({"x": texts(3, 0), "y": np.arange(2)}, "expected x, lists of numbers, and y, a label for each"),
        ({"x": np.array([[1], ["a"], []], object), "y": np.arange(3)}, "entry 1: expected a list of whole numbers"),
        ({"x": np.array([[1], [2.5, 1], []], object), "y": np.arange(3)}, "has no place in lists of numbers"),
        ({"x": np.array([1, [1], []], object), "y": np.arange(3)}, "expected 3 lists"),
        ({"x": np.array([[1 << 40, 2], [1], []], object), "y": np.arange(3)}, "entry 0: "),
        ({"x": np.array([[len], [1], []], object), "y": np.arange(3)}, "has no place in lists of numbers"),
    ],
)
def test_texts_that_are_none(tmp_path, arrays, message):
    np.savez(tmp_path / "a.npz", **arrays)
    with pytest.raises(FileFormatError, match=message):
        reuters.load_data(tmp_path / "a.npz")


def test_lists_that_stand_there_again_and_again(tmp_path):
    words = list(range(1000))
    np.savez(tmp_path / "a.npz", x=np.array([words] * 5000 + [[]], object), y=np.zeros(5001, int))
    with pytest.raises(FileFormatError, match="lists that share their numbers"):
        reuters.load_data(tmp_path / "a.npz")


@pytest.mark.parametrize("protocol", [2, 3, 4])
def test_lists_of_any_protocol(protocol):
    rows = texts(50, 3, longest=2500)
    assert [row.tolist() for row in lists_of_numbers(pickle.dumps(rows, protocol), "here")] == rows.tolist()


def test_cifar100_from_server_keras_cache_and_folder(home, monkeypatch, tmp_path):
    rng = np.random.default_rng(0)
    folder = tmp_path / "cifar-100-python"
    folder.mkdir()
    images, labels = {}, {}
    for name, n in ("train", 5), ("test", 2):
        images[name] = rng.integers(0, 256, (n, 3072), np.uint8)
        labels[name] = rng.integers(0, 20, n).tolist()
        data = batch_bytes(images[name], labels[name], names=("fine_labels", "coarse_labels"))
        (folder / name).write_bytes(data)
    pack(folder, home.site / "cifar-100-python.tar.gz")
    monkeypatch.setattr(cifar100, "_URL", home.url + "cifar-100-python.tar.gz")
    monkeypatch.setattr(cifar100, "_SHA256", file_hash(home.site / "cifar-100-python.tar.gz"))
    expected = [
        (images[name].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1), np.array(labels[name], np.uint8)[:, None])
        for name in ("train", "test")
    ]
    assert_equal(cifar100.load_data(), expected)
    assert_equal(cifar100.load_data("coarse"), expected)
    assert home.asked == ["cifar-100-python.tar.gz"]
    for path in folder, tmp_path, home.site / "cifar-100-python.tar.gz":
        assert_equal(cifar100.load_data(path=path), expected)
    shutil.copytree(folder, home.keras / "cifar-100-python-target" / "cifar-100-python")
    assert_equal(cifar100.load_data(), expected)
    assert home.asked == ["cifar-100-python.tar.gz"]
    (folder / "test").write_bytes(batch_bytes(images["test"], [100, 0], names=("fine_labels", "coarse_labels")))
    with pytest.raises(FileFormatError, match=r"record 0: expected a label in 0\.\.99, got 100"):
        cifar100.load_data(path=folder)
    with pytest.raises(ValueError, match="label_mode: got 'rough'"):
        cifar100.load_data("rough", folder)
