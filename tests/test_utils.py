"""layerwise.utils against Keras; get_file against a local server."""

import functools
import hashlib
import http.server
import io
import tarfile
import threading
import zipfile
from pathlib import Path

import jax.numpy as jnp
import keras
import numpy as np
import pytest

from layerwise import Input, Sequential, backend, config, layers, ops, saving, terminal, utils
from layerwise.autograd import Spec, Tensor
from layerwise.data import Dataset
from layerwise.naming import auto_name

# Labels and norms


@pytest.mark.parametrize(
    "x", [[0, 2], [[1], [0]], [[0, 1], [1, 0]], [1.0, 2.0], 3, [[[1]], [[0]]], np.array([2], "uint8")]
)
@pytest.mark.parametrize("num_classes", [None, 5])
def test_to_categorical(x, num_classes):
    y = utils.to_categorical(x, num_classes)
    np.testing.assert_array_equal(y, keras.utils.to_categorical(x, num_classes))
    assert y.dtype == "float32"


def test_to_categorical_of_nothing_and_of_a_tensor():
    assert utils.to_categorical([], 3).shape == (0, 3)
    np.testing.assert_array_equal(utils.to_categorical(ops.convert_to_tensor([1, 0])), [[0, 1], [1, 0]])


@pytest.mark.parametrize(
    ("x", "classes", "message"),
    [([0, 5], 3, "labels from 0 to 5, expected 0 to 2"), ([-1, 0], None, "labels from -1"), ([0.5], None, "fractions")],
)
def test_to_categorical_refuses_what_is_no_label(x, classes, message):
    with pytest.raises(ValueError, match=message):
        utils.to_categorical(x, classes)


@pytest.mark.parametrize("order", [1, 2, 3])
@pytest.mark.parametrize("axis", [-1, 0])
def test_normalize(order, axis):
    x = np.random.default_rng(1).normal(size=(3, 4)).astype("float32")
    y = utils.normalize(x, axis, order)
    expected = keras.utils.normalize(jnp.asarray(x), axis, order)
    np.testing.assert_allclose(y, expected, rtol=1e-6)
    assert (type(y), y.dtype) == (np.ndarray, "float32")
    tensor = utils.normalize(ops.convert_to_tensor(x), axis, order)
    assert type(tensor) is Tensor
    np.testing.assert_allclose(tensor, expected, rtol=1e-6)


# What a data set yields


@pytest.mark.parametrize("arguments", [(1,), ([1, 2],), ((1, 2),), (1, 2), (1, None, 3), (1, 2, 3), ({"a": 1},)])
def test_pack(arguments):
    assert utils.pack_x_y_sample_weight(*arguments) == keras.utils.pack_x_y_sample_weight(*arguments)


@pytest.mark.parametrize("data", [1, (1,), (1, 2), [1, 2], (1, 2, 3), ((1, 2), 3), {"a": 1}])
def test_unpack(data):
    assert utils.unpack_x_y_sample_weight(data) == keras.utils.unpack_x_y_sample_weight(data)


@pytest.mark.parametrize("data", [(), (1, 2, 3, 4)])
def test_unpack_refuses(data):
    with pytest.raises(ValueError, match=f"got a tuple of {len(data)}"):
        utils.unpack_x_y_sample_weight(data)


# Splitting


@pytest.mark.parametrize(
    ("sizes", "lengths"),
    [((0.8, None), (8, 2)), ((None, 3), (7, 3)), ((0.5, 0.2), (5, 2)), ((4, 0.1), (4, 1)), ((1, None), (1, 9))],
)
def test_split_dataset(sizes, lengths):
    for data in (np.arange(10), Dataset.from_tensor_slices(np.arange(10))):
        left, right = utils.split_dataset(data, *sizes)
        assert (len(left), len(right)) == lengths
        assert [int(x) for x in [*left, *right]] == list(range(sum(lengths)))


def test_split_dataset_of_a_list_of_arrays():
    left, right = utils.split_dataset([np.arange(20.0).reshape(10, 2), np.arange(10)], 0.2)
    assert [(x.shape, int(y)) for x, y in left] == [((2,), 0), ((2,), 1)]
    assert len(right) == 8


def test_split_dataset_shuffled_is_one_order_for_both_parts():
    for seed in (1, None):
        left, right = utils.split_dataset((np.arange(50), np.arange(50) * 2), 0.5, shuffle=True, seed=seed)
        for _ in range(2):
            rows = [(int(a), int(b)) for a, b in [*left, *right]]
            assert sorted(rows) == [(i, 2 * i) for i in range(50)]
            assert rows != sorted(rows)


@pytest.mark.parametrize("sizes", [(None, None), (0.0, None), (10, None), (2.5, None), (8, 3), (-1, None)])
def test_split_dataset_refuses(sizes):
    with pytest.raises(ValueError, match="split_dataset: "):
        utils.split_dataset(np.arange(10), *sizes)


# Names


def test_names_come_from_where_they_live():
    from layerwise import random, serialization
    from layerwise.terminal import Progbar

    assert utils.set_random_seed is random.set_random_seed
    assert utils.register_keras_serializable is serialization.register_keras_serializable
    assert utils.Progbar is Progbar
    assert set(utils.__all__) <= set(dir(keras.utils))
    with pytest.raises(AttributeError, match=r"layerwise\.utils has no .Confg.; nearest: .Config"):
        utils.Confg  # noqa: B018


def test_clear_session_starts_names_anew():
    auto_name("tested")
    assert auto_name("tested") == "tested_1"
    utils.clear_session()
    assert auto_name("tested") == "tested"


def test_is_keras_tensor():
    assert utils.is_keras_tensor(Tensor(Spec((None, 2))))
    assert not utils.is_keras_tensor(ops.ones((2,)))
    assert not utils.is_keras_tensor(1)


# Files


def tar_of(name, **attributes):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        member = tarfile.TarInfo(name)
        member.size = 3
        for attribute, value in attributes.items():
            setattr(member, attribute, value)
        archive.addfile(member, io.BytesIO(b"hi\n"))
    return buffer.getvalue()


@pytest.fixture(scope="module")
def origin(tmp_path_factory):
    """The address of a server with a few files."""
    folder = tmp_path_factory.mktemp("served")
    (folder / "a.txt").write_text("hi\n")
    (folder / "pack.tar.gz").write_bytes(tar_of("inner/a.txt"))
    (folder / "evil.tar.gz").write_bytes(tar_of("../evil.txt"))
    (folder / "absolute.tar.gz").write_bytes(tar_of("/evil.txt"))
    (folder / "link.tar.gz").write_bytes(tar_of("link", type=tarfile.SYMTYPE, linkname="/etc/passwd"))
    (folder / "deep.tar.gz").write_bytes(tar_of("a/" * 2000 + "a.txt"))
    with zipfile.ZipFile(folder / "deep.zip", "w") as archive:
        archive.writestr("a/" * 2000 + "a.txt", "hi\n")
    with zipfile.ZipFile(folder / "pack.zip", "w") as archive:
        archive.writestr("inner/a.txt", "hi\n")

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *args):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=folder)) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


def tree(folder):
    return {str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file()}


@pytest.mark.parametrize(
    ("file", "kwargs"),
    [
        ("a.txt", {}),
        ("a.txt", {"fname": "b.txt", "cache_subdir": "texts"}),
        ("pack.tar.gz", {"extract": True}),
        ("pack.zip", {"extract": True}),
        ("pack.zip", {"extract": True, "fname": "z.zip"}),
        ("pack.tar.gz", {"extract": True, "fname": "x.tar.gz"}),
        ("pack.tar.gz", {"untar": True}),
        ("pack.tar.gz", {"untar": True, "fname": "y"}),
    ],
)
def test_get_file_puts_things_where_keras_does(file, kwargs, origin, tmp_path, capsys):
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    theirs.mkdir()
    path = Path(utils.get_file(origin=origin + file, cache_dir=ours, **kwargs))
    expected = Path(keras.utils.get_file(origin=origin + file, cache_dir=str(theirs), **kwargs))
    assert path.relative_to(ours) == expected.relative_to(theirs)
    assert tree(ours) == tree(theirs)
    again = Path(utils.get_file(origin=origin + file, cache_dir=ours, **kwargs))
    assert again == path


def test_get_file_checks_the_content(origin, tmp_path):
    get = functools.partial(utils.get_file, origin=origin + "a.txt", cache_dir=tmp_path)
    sha256, md5 = (hashlib.new(name, b"hi\n").hexdigest() for name in ("sha256", "md5"))
    for wanted in (
        {"file_hash": sha256},
        {"file_hash": md5},
        {"md5_hash": md5},
        {"file_hash": md5, "hash_algorithm": "md5"},
        {"file_hash": sha256.upper()},
        {"md5_hash": md5.upper()},
    ):
        path = Path(get(**wanted))
        assert path.read_text() == "hi\n"
        path.write_text("damaged")
        assert Path(get(**wanted)).read_text() == "hi\n"
    for wrong in ("0" * 32, "0" * 64):
        with pytest.raises(ValueError, match="wrong content"):
            get(fname="new", file_hash=wrong)
        assert not (tmp_path / "datasets" / "new").exists()


def test_get_file_keeps_what_is_there_unless_forced(origin, tmp_path, monkeypatch):
    monkeypatch.setenv("LAYERWISE_HOME", str(tmp_path))
    path = Path(utils.get_file(origin=origin + "a.txt"))
    assert path == tmp_path / "datasets" / "a.txt"
    path.write_text("mine")
    assert Path(utils.get_file(origin=origin + "a.txt")).read_text() == "mine"
    assert Path(utils.get_file(origin=origin + "a.txt", force_download=True)).read_text() == "hi\n"
    packed = Path(utils.get_file(origin=origin + "pack.zip", extract=True, archive_format=None))
    assert packed.is_file()
    packed.unlink()
    folder = Path(utils.get_file(origin=origin + "pack.zip", extract=True))
    (folder / "inner" / "a.txt").write_text("mine")
    utils.get_file(origin=origin + "pack.zip", extract=True, force_download=True)
    assert (folder / "inner" / "a.txt").read_text() == "hi\n"


@pytest.mark.parametrize("name", ["evil.tar.gz", "absolute.tar.gz", "link.tar.gz"])
def test_get_file_writes_nothing_outside_its_folder(name, origin, tmp_path):
    with pytest.raises(ValueError, match="cannot be unpacked"):
        utils.get_file(origin=origin + name, untar=True, cache_dir=tmp_path)
    assert tree(tmp_path) == {f"datasets/{name}_archive"}


@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        ({}, "origin: got None"),
        ({"origin": "http://127.0.0.1:1/x/"}, "fname: got None"),
        ({"origin": "http://127.0.0.1:1/x", "fname": "../x"}, r"fname: got '\.\./x'"),
        ({"origin": "http://127.0.0.1:1/x", "fname": ".."}, r"fname: got '\.\.'"),
        ({"origin": "deep.tar.gz", "extract": True}, "more than 100 folders deep"),
        ({"origin": "deep.zip", "extract": True}, "more than 100 folders deep"),
        ({"origin": "a.txt", "extract": True}, "is no archive of the form 'auto'"),
        ({"origin": "pack.zip", "extract": True, "archive_format": "tar"}, "is no archive of the form 'tar'"),
    ],
)
def test_get_file_refuses(kwargs, message, origin, tmp_path):
    if "origin" in kwargs and "extract" in kwargs:
        kwargs = {**kwargs, "origin": origin + kwargs["origin"]}
    with pytest.raises(ValueError, match=message):
        utils.get_file(**kwargs, cache_dir=tmp_path)


def test_keras_backend_is_an_address_for_settings():
    assert backend.floatx is config.floatx
    assert backend.clear_session is utils.clear_session
    with pytest.raises(AttributeError, match=r"layerwise\.backend has no .floatxx.; nearest: .floatx"):
        backend.floatxx  # noqa: B018


# Settings


def test_interactive_logging(capsys, caplog):
    assert utils.is_interactive_logging_enabled()
    model = Sequential([Input((2,)), layers.Dense(1)])
    model.compile("sgd", "mse")
    x = np.ones((4, 2))
    utils.disable_interactive_logging()
    try:
        assert not config.is_interactive_logging_enabled()
        assert terminal.display_mode("auto") == 2
        with caplog.at_level("INFO", logger="layerwise"):
            terminal.say("a message")
        assert ([record.message for record in caplog.records], capsys.readouterr().out) == (["a message"], "")
        model.fit(x, x[:, :1], epochs=2)
        assert capsys.readouterr().out.count("\n") == 2
    finally:
        utils.enable_interactive_logging()
    terminal.say("a message")
    assert capsys.readouterr().out == "a message\n"


@pytest.mark.parametrize("name", ["traceback_filtering", "flash_attention"])
def test_switches_that_are_kept(name):
    try:
        for verb in "enable", "disable":
            getattr(config, f"{verb}_{name}")()
            assert getattr(config, f"is_{name}_enabled")() is (verb == "enable")
    finally:
        config._defaults[name] = {"flash_attention": None}.get(name, False)
    assert not config.is_nnx_enabled()


def test_unsafe_deserialization(monkeypatch, tmp_path):
    monkeypatch.setitem(config._defaults, "unsafe_deserialization", False)
    layer = layers.Lambda(ops.abs)
    node = utils.serialize_keras_object(layer)
    with pytest.raises(ValueError, match="a configuration chooses what it calls"):
        utils.deserialize_keras_object(node)
    config.enable_unsafe_deserialization()
    assert utils.deserialize_keras_object(node)(-1.0) == 1
    with pytest.raises(ValueError, match="a configuration chooses what it calls"):
        utils.deserialize_keras_object(node, safe_mode=True)
    Sequential([Input((2,)), layer]).save(tmp_path / "a.keras")
    with pytest.raises(ValueError, match="safe_mode=False"):
        saving.load_model(tmp_path / "a.keras")


def test_config_is_keras():
    for cls in utils.Config, keras.utils.Config:
        options = cls(rate=0.1)
        options.seed = 3
        options["depth"] = 2
        options.update(width=4)
        assert (options.rate, options["seed"], len(options), "depth" in options) == (0.1, 3, 4, True)
        assert list(options) == ["depth", "rate", "seed", "width"]
        assert options.as_dict() == {"rate": 0.1, "seed": 3, "depth": 2, "width": 4} == dict(options.items())
        assert options.to_json() == '{"rate": 0.1, "seed": 3, "depth": 2, "width": 4}'
        assert (options.pop("width"), options.get("width", 7), repr(options)[:9]) == (4, 7, "<Config {")
        del options["depth"]
        assert not options.frozen
        options.freeze()
        with pytest.raises(ValueError, match="frozen"):
            options.seed = 4
        options.unfreeze()
        options.seed = 5
        with pytest.raises(AttributeError, match="seed"):
            _ = options.sead


def test_source_inputs():
    a, b = Input((2,)), Input((2,))
    found = utils.get_source_inputs(layers.Add()([layers.Dense(2)(a), b]))
    assert {id(tensor) for tensor in found} == {id(a), id(b)}
