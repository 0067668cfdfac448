"""NumPy archives: what is read, and what each malformed one is told."""

import io
import struct
import zipfile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from layerwise.data import read_npz


def npy(array):
    file = io.BytesIO()
    np.lib.format.write_array(file, array)
    return file.getvalue()


def with_header(text, body=b""):
    header = text.encode()
    return b"\x93NUMPY\1\0" + struct.pack("<H", len(header)) + header + body


def archive(path, compression=zipfile.ZIP_STORED, **members):
    with zipfile.ZipFile(path, "w", compression) as file:
        for name, data in members.items():
            file.writestr(name + ".npy", data)
    return path


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_arrays_come_back(tmp_path, save):
    arrays = {
        "scalar": np.float64(2.5), "x": np.arange(6, dtype=np.uint8).reshape(2, 3), "empty": np.empty((0, 3)),
        "fortran": np.asfortranarray(np.arange(6.0).reshape(2, 3)), "big_endian": np.arange(3, dtype=">i4"),
        "flags": np.array([True, False]), "names": np.array(["ä", "bc"]), "half": np.ones(2, np.float16),
    }  # fmt: skip
    save(tmp_path / "a.npz", **arrays)
    got = read_npz(tmp_path / "a.npz")
    assert got.keys() == arrays.keys()
    for name, array in arrays.items():
        np.testing.assert_array_equal(got[name], array)
        assert got[name].dtype == np.asarray(array).dtype.newbyteorder("=")
        assert got[name].flags.writeable


def test_other_versions_of_the_header(tmp_path):
    members = {}
    for major in (2, 3):
        file = io.BytesIO()
        np.lib.format.write_array(file, np.arange(4), version=(major, 0))
        members[f"v{major}"] = file.getvalue()
    members["python2"] = with_header("{'descr': '<i2', 'fortran_order': False, 'shape': (2L,), }\n", b"\1\0\2\0")
    got = read_npz(archive(tmp_path / "a.npz", **members))
    assert got["v2"].tolist() == got["v3"].tolist() == [0, 1, 2, 3]
    assert got["python2"].tolist() == [1, 2]


HEADER = "{'descr': '%s', 'fortran_order': False, 'shape': (%s), }\n"


@pytest.mark.parametrize(("member", "message"), [
    (npy(np.array([{}, 1], object)), "object arrays need pickle"),
    (npy(np.zeros(2, [("a", "i4")])), "expected an array of numbers or text"),
    (npy(np.zeros(2, complex)), "expected an array of numbers or text"),
    (npy(np.arange(3))[:-1], r"header declares shape \(3,\) of int64, but 23 bytes follow"),
    (npy(np.arange(3)) + b"x", "but 25 bytes follow"),
    (with_header(HEADER % ("<f4", "1000000000, 1000000000,")), r"declares shape \(1000000000, 1000000000\)"),
    (with_header(HEADER % ("<U0", "3")), "header declares shape"),
    (with_header(HEADER % ("<f3", "3,")), "unknown dtype '<f3'"),
    (with_header(HEADER % ("__import__('os')", "")), "expected an array"),
    (with_header("(" * 9000), "expected an array"),
    (with_header(HEADER % ("<f4", "1" * 9000)), "expected an array"),
    (with_header(" " * 20000), "not an array in .npy format"),
    (b"", "its first bytes are"),
    (b"\x93NUMPY\7\0....", "not an array in .npy format"),
])  # fmt: skip
def test_malformed_arrays_are_named(tmp_path, member, message):
    path = archive(tmp_path / "a.npz", good=npy(np.arange(2)), bad=member)
    with pytest.raises(ValueError, match=message) as error:
        read_npz(path)
    assert f"{path}: array 'bad' at offset" in str(error.value)


def test_what_else_an_archive_can_hold(tmp_path):
    path = tmp_path / "a.npz"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("readme.txt", "hello")
    with pytest.raises(ValueError, match=r"array 'readme.txt' at offset 0: expected only arrays"):
        read_npz(path)
    with pytest.raises(ValueError, match="compression method 14"):
        read_npz(archive(path, zipfile.ZIP_LZMA, x=npy(np.arange(3))))
    path.write_bytes(b"no zip archive at all")
    with pytest.raises(ValueError, match="damaged or not one"):
        read_npz(path)
    with pytest.raises(FileNotFoundError):
        read_npz(tmp_path / "missing.npz")
    with pytest.raises(IsADirectoryError):
        read_npz(tmp_path)


def test_a_size_that_the_file_cannot_hold_is_refused_before_reading(tmp_path):
    path = archive(tmp_path / "a.npz", zipfile.ZIP_DEFLATED, x=npy(np.zeros(1000)))
    data = bytearray(path.read_bytes())
    entry = data.index(b"PK\1\2")
    data[entry + 24 : entry + 28] = struct.pack("<I", 0xF0000000)  # the uncompressed size in the directory
    path.write_bytes(data)
    with pytest.raises(ValueError, match="declares 4026531840 bytes, more than"):
        read_npz(path)


@settings(max_examples=200, deadline=None)
@given(data=st.data(), compression=st.sampled_from([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED]))
def test_nothing_but_value_error_escapes(tmp_path_factory, data, compression):
    path = archive(tmp_path_factory.mktemp("fuzz") / "a.npz", compression, x=npy(np.arange(20)), y=npy(np.ones((3, 2))))
    bad = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        bad[data.draw(st.integers(0, len(bad) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(bad[: data.draw(st.integers(0, len(bad)))] if data.draw(st.booleans()) else bad)
    try:
        result = read_npz(path)
    except ValueError as error:
        result = str(error)
    assert isinstance(result, dict) or str(path) in result
