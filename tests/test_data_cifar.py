"""CIFAR-10's Python version: read without pickle, and nothing in it is ever called."""

import io
import pickle
import tarfile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from layerwise.data import read_cifar10
from layerwise.data.pickled import parse_pickle

NAMES = [*(f"data_batch_{i}" for i in range(1, 6)), "test_batch"]


def string(text):
    """A string of Python 2, protocol 2."""
    data = text if isinstance(text, bytes) else text.encode()
    return b"U" + bytes([len(data)]) + data if len(data) < 256 else b"T" + len(data).to_bytes(4, "little") + data


def number(n):
    return b"K" + bytes([n]) if n < 256 else b"M" + n.to_bytes(2, "little")


def batch_bytes(pixels, labels, dtype="u1", fortran=b"\x89", shape=None, names=("labels",)):
    """A batch, its labels under these names, as Python 2 and NumPy 1 wrote it: a dictionary with an array."""
    rows, columns = shape or pixels.shape
    array = (
        b"cnumpy.core.multiarray\n_reconstruct\nq\x07cnumpy\nndarray\nq\x08K\x00\x85U\x01b\x87Rq\x09"
        b"(K\x01"
        + number(rows)
        + number(columns)
        + b"\x86cnumpy\ndtype\nq\x0a"
        + string(dtype)
        + b"K\x00K\x01\x87Rq\x0b"
        b"(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb" + fortran + string(pixels.tobytes()) + b"tb"
    )
    return (
        b"\x80\x02}q\x01(" + string("batch_label") + b"q\x02" + string("batch 1") + b"q\x03"
        + b"".join(string(name) + b"q\x04]q\x05(" + b"".join(map(number, labels)) + b"e" for name in names)
        + string("data") + b"q\x06" + array
        + string("filenames") + b"q\x0c]q\x0d(" + b"".join(string("a.png") for _ in labels) + b"eu."
    )  # fmt: skip


def write_cifar(folder, n=3):
    """A small CIFAR-10 in `folder`; returns its pixels and labels by batch."""
    rng = np.random.default_rng(0)
    folder.mkdir(parents=True)
    content = {}
    for name in NAMES:
        pixels, labels = rng.integers(0, 256, (n, 3072), np.uint8), rng.integers(0, 10, n).tolist()
        (folder / name).write_bytes(batch_bytes(pixels, labels))
        content[name] = (pixels, labels)
    (folder / "batches.meta").write_bytes(b"not read")
    return content


def pack(folder, path):
    with tarfile.open(path, "w:gz") as archive:
        archive.add(folder, "cifar-10-batches-py")
    return path


@pytest.mark.parametrize("kind", ["folder", "parent", "archive"])
def test_images_and_labels(tmp_path, kind):
    folder = tmp_path / "cifar-10-batches-py"
    content = write_cifar(folder)
    path = {"folder": folder, "parent": tmp_path, "archive": tmp_path / "cifar.tar.gz"}[kind]
    pack(folder, tmp_path / "cifar.tar.gz")
    (x_train, y_train), (x_test, y_test) = read_cifar10(path)
    assert x_train.shape == (15, 32, 32, 3)
    assert y_train.shape == (15, 1)
    assert x_test.shape == (3, 32, 32, 3)
    assert x_train.dtype == y_train.dtype == x_test.dtype == y_test.dtype == np.uint8
    pixels, labels = content["data_batch_2"]
    assert y_train[3:6, 0].tolist() == labels
    red, green, blue = pixels[1].reshape(3, 32, 32)
    np.testing.assert_array_equal(x_train[4], np.stack([red, green, blue], -1))


@pytest.mark.parametrize("protocol", [0, 1, 2])
def test_the_interpreter_agrees_with_pickle(protocol):
    value = {"a": [1, -5, 300, 70000, True, False, None, 10**12], "b": {"c": (), "d": (1,), "e": (1, 2, 3, 4)}, "f": []}
    value["again"] = value["b"]["e"]
    data = pickle.dumps(value, protocol)
    text_opcodes = {0: b"V", 1: b"X", 2: b"X"}[protocol]
    assert text_opcodes in data
    with pytest.raises(ValueError, match="has no place in CIFAR-10"):
        parse_pickle(data, "batch")  # text in Unicode: Python 3 wrote this
    numbers = [v for v in value["a"] if v is not None]
    assert parse_pickle(pickle.dumps([numbers, (None, (1, 2), (3,), ()), numbers], protocol), "batch") == [
        numbers, (None, (1, 2), (3,), ()), numbers
    ]  # fmt: skip


def test_nothing_in_a_pickle_is_called(tmp_path):
    class Evil:
        def __reduce__(self):
            return open, (str(tmp_path / "written"), "w")

    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        with pytest.raises(ValueError, match=r"batch: malformed at offset \d+: .* has no place in CIFAR-10"):
            parse_pickle(pickle.dumps(Evil(), protocol), "batch")
    assert not (tmp_path / "written").exists()
    allowed = b"cnumpy\nndarray\n" + b"(K\xffK\xfftR."  # an array of 255 x 255 is not made either
    assert parse_pickle(allowed, "batch").arguments == (255, 255)


GOOD = np.zeros((2, 3072), np.uint8)


@pytest.mark.parametrize(("data", "message"), [
    (b"", "malformed at offset 0"),
    (b"\x80\x02]q\x00.", "expected a dictionary with an array 'data'"),
    (b"\x80\x02}U\x04dataK\x01s.", "expected a dictionary with an array 'data'"),
    (batch_bytes(GOOD, [1, 2, 3]), r"'data' has shape \(2, 3072\) and 6144 bytes, 'labels' 3 entries"),
    (batch_bytes(GOOD, [1, 2], shape=(2, 3000)), r"shape \(2, 3000\)"),
    (batch_bytes(GOOD[:, :3000], [1, 2], shape=(2, 3072)), "and 6000 bytes"),
    (batch_bytes(GOOD, [1, 10]), "record 1: expected a label in 0..9, got 10"),
    (batch_bytes(GOOD, [1, 2], dtype="i8"), "two-dimensional array of uint8 in C order"),
    (batch_bytes(GOOD, [1, 2], fortran=b"\x88"), "two-dimensional array of uint8 in C order"),
    (batch_bytes(GOOD, [1, 2])[:-1], "malformed at offset"),
    (b"}K\x01K\x02s.", "a key that is no string"),
    (b"K\x01K\x02.", "malformed at offset 4"),
    (b"e.", "malformed at offset 0"),
    (b"K\x01R.", "malformed"),
    (b"h\x05.", "malformed at offset 0"),
])  # fmt: skip
def test_malformed_batches(tmp_path, data, message):
    write_cifar(tmp_path / "cifar")
    (tmp_path / "cifar" / "data_batch_3").write_bytes(data)
    with pytest.raises(ValueError, match=message) as error:
        read_cifar10(tmp_path / "cifar")
    assert "data_batch_3: " in str(error.value)


def test_missing_and_oversized_batches(tmp_path):
    folder = tmp_path / "cifar"
    write_cifar(folder)
    (folder / "data_batch_5").unlink()
    with pytest.raises(FileNotFoundError, match="no data_batch_5 there"):
        read_cifar10(folder)
    with open(folder / "data_batch_5", "wb") as file:
        file.truncate(65 << 20)
    with pytest.raises(ValueError, match="more than any file of CIFAR-10"):
        read_cifar10(folder)


def test_damaged_archives(tmp_path):
    write_cifar(tmp_path / "cifar")
    path = pack(tmp_path / "cifar", tmp_path / "cifar.tar.gz")
    good = path.read_bytes()
    for bad in (b"", b"no archive", good[: len(good) // 2], good[:-500]):
        path.write_bytes(bad)
        with pytest.raises(ValueError, match="damaged or cut short"):
            read_cifar10(path)
    with tarfile.open(path, "w:gz") as archive:
        member = tarfile.TarInfo("data_batch_1")
        member.size = 65 << 20
        archive.addfile(member, io.BytesIO(bytes(65 << 20)))
    with pytest.raises(ValueError, match=r"data_batch_1: 68157440 bytes, more than any file"):
        read_cifar10(path)


def test_an_archive_that_cannot_be_opened_says_so(tmp_path, monkeypatch):
    path = tmp_path / "cifar.tar.gz"
    path.write_bytes(b"")

    def refuse(*_):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(tarfile, "open", refuse)
    with pytest.raises(PermissionError):
        read_cifar10(path)


SMALL = batch_bytes(np.zeros((1, 3072), np.uint8), [1])


@pytest.mark.filterwarnings("ignore:invalid escape sequence")
@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_nothing_but_value_error_escapes(data):
    bad = bytearray(SMALL)
    places = [*range(160), *range(len(SMALL) - 60, len(SMALL))]  # not the pixels
    for _ in range(data.draw(st.integers(1, 4))):
        bad[data.draw(st.sampled_from(places))] = data.draw(st.integers(0, 255))
    try:
        parse_pickle(bytes(bad), "batch")
    except ValueError as error:
        assert str(error).startswith("batch: malformed at offset")  # noqa: PT017
