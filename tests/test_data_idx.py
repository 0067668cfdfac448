"""IDX files: what is read, and what each malformed file is told."""

import gzip
import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from layerwise.data import read_idx, read_mnist_folder

TYPES = {0x08: "u1", 0x09: "i1", 0x0B: "i2", 0x0C: "i4", 0x0D: "f4", 0x0E: "f8"}


def idx_bytes(array, kind=0x08):
    header = bytes([0, 0, kind, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
    return header + array.astype(">" + TYPES[kind]).tobytes()


def write_mnist(folder, n_train=6, n_test=4, side=5, pattern="{part}-{what}-idx{rank}-ubyte", pack=lambda data: data):
    rng = np.random.default_rng(0)
    arrays = []
    for part, n in ("train", n_train), ("t10k", n_test):
        x = rng.integers(0, 256, (n, side, side), np.uint8)
        y = np.arange(n, dtype=np.uint8) % 2
        for what, array in ("images", x), ("labels", y):
            name = pattern.format(part=part, what=what, rank=array.ndim)
            (folder / name).write_bytes(pack(idx_bytes(array)))
        arrays.append((x, y))
    return arrays


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gz"])
def test_every_type_comes_back_in_native_byte_order(tmp_path, kind, pack):
    array = np.arange(24).reshape(2, 3, 4).astype(TYPES[kind])
    path = tmp_path / "a"
    path.write_bytes(pack(idx_bytes(array, kind)))
    got = read_idx(path)
    np.testing.assert_array_equal(got, array)
    assert got.dtype == np.dtype(TYPES[kind])
    assert got.dtype.isnative


def test_an_array_without_elements(tmp_path):
    (tmp_path / "a").write_bytes(idx_bytes(np.empty((0, 4, 4))))
    assert read_idx(tmp_path / "a").shape == (0, 4, 4)


@pytest.mark.parametrize(("data", "message"), [
    (b"", "offset 0 holds nothing"),
    (b"PK\3\4abcd", "offset 0 holds 50 4b 03 04"),
    (b"\0\0\x0a\1\0\0\0\0", "not an IDX file"),
    (b"\0\0\x08\0", "not an IDX file"),
    (b"\0\0\x08\3\0\0\0\1", "cut short at offset 8: expected 3 dimensions"),
    (b"\0\0\x08\1\xff\xff\xff\xff", r"offset 4 declares shape \(4294967295,\) of uint8, 4294967295 bytes"),
    (b"\0\0\x0e\3" + b"\xff" * 12, "can hold no more than 0"),
    (idx_bytes(np.zeros((3, 2, 2)))[:-1], "offset 4 declares shape"),
    (idx_bytes(np.zeros((3, 2, 2))) + b"x", "bytes left over at offset 28"),
    (b"\0\0\x08\xff" + b"\0" * 1020, "that no array can have"),
    (gzip.compress(idx_bytes(np.zeros((3, 2, 2)))[:-3]), r"cut short at offset 25, in record 2: shape \(3, 2, 2\)"),
    (gzip.compress(idx_bytes(np.zeros((3, 2, 2))) + b"x"), "bytes left over at offset 28"),
    (gzip.compress(idx_bytes(np.zeros((3, 2, 2))))[:-9], "gzip data is damaged or cut short"),
    (gzip.compress(b"\0\0\x08\1\xff\xff\xff\xff"), "can hold no more than"),
    (b"\x1f\x8bnonsense", "gzip data is damaged"),
], ids=lambda value: value if isinstance(value, str) else "")  # fmt: skip
def test_malformed_files_are_named_with_the_offset(tmp_path, data, message):
    path = tmp_path / "broken"
    path.write_bytes(data)
    with pytest.raises(ValueError, match=message) as error:
        read_idx(path)
    assert str(path) in str(error.value)


@settings(max_examples=150, deadline=None)
@given(data=st.data(), zipped=st.booleans())
def test_nothing_but_value_error_escapes(tmp_path_factory, data, zipped):
    good = idx_bytes(np.arange(12).reshape(3, 2, 2))
    bad = bytearray(gzip.compress(good) if zipped else good)
    for _ in range(data.draw(st.integers(1, 4))):
        bad[data.draw(st.integers(0, len(bad) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.mktemp("fuzz") / "a"
    path.write_bytes(bad[: data.draw(st.integers(0, len(bad)))])
    try:
        result = read_idx(path)
    except ValueError as error:
        result = str(error)
    assert isinstance(result, np.ndarray) or str(path) in result


@pytest.mark.parametrize("pattern", ["{part}-{what}-idx{rank}-ubyte", "{part}-{what}.idx{rank}-ubyte"])
def test_folder_of_mnist_files(tmp_path, pattern):
    expected = write_mnist(tmp_path, pattern=pattern)
    for (x, y), (x_expected, y_expected) in zip(read_mnist_folder(tmp_path), expected):
        np.testing.assert_array_equal(x, x_expected)
        np.testing.assert_array_equal(y, y_expected)


def test_folder_of_compressed_mnist_files(tmp_path):
    expected = write_mnist(tmp_path, pattern="{part}-{what}-idx{rank}-ubyte.gz", pack=gzip.compress)
    np.testing.assert_array_equal(read_mnist_folder(tmp_path)[1][0], expected[1][0])


def test_files_that_do_not_fit_each_other(tmp_path):
    write_mnist(tmp_path)
    (tmp_path / "t10k-labels-idx1-ubyte").write_bytes(idx_bytes(np.zeros(3)))
    with pytest.raises(ValueError, match=r"t10k-images-idx3-ubyte holds 4 images, but .*t10k-labels.* holds 3 labels"):
        read_mnist_folder(tmp_path)
    (tmp_path / "t10k-labels-idx1-ubyte").write_bytes(idx_bytes(np.zeros((4, 1))))
    with pytest.raises(ValueError, match=r"expected 1 dimensions, got shape \(4, 1\)"):
        read_mnist_folder(tmp_path)
    (tmp_path / "t10k-labels-idx1-ubyte").unlink()
    with pytest.raises(FileNotFoundError, match="no t10k-labels-idx1-ubyte"):
        read_mnist_folder(tmp_path)


def test_real_mnist(test_data):
    (x_train, y_train), (x_test, y_test) = read_mnist_folder(test_data / "mnist")
    assert x_train.shape == (60000, 28, 28)
    assert x_test.shape == (10000, 28, 28)
    assert round(float(x_train.mean()), 4) == 33.3184
    assert np.bincount(y_train)[5] == 5421
    assert np.bincount(y_test)[5] == 892
