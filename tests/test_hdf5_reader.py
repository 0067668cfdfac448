"""The reader of HDF5 finds what h5py wrote."""

import io
from typing import Any

import h5py
import numpy as np
import pytest

from layerwise.saving import FileFormatError, hdf5, hdf5_reader


def written(write: Any, **options: Any) -> hdf5_reader.Group:
    file = io.BytesIO()
    with h5py.File(file, "w", **options) as archive:
        write(archive)
    return hdf5_reader.read(file, "f.h5")


DTYPES = "u1 i1 <u2 >i2 <i4 >u4 <i8 >u8 <f2 >f2 <f4 >f4 <f8 >f8 ?".split()
SHAPES: list[tuple[int, ...]] = [(), (1,), (7,), (3, 5), (2, 3, 4), (0,), (2, 0, 3)]


@pytest.mark.parametrize("dtype", DTYPES)
def test_numbers_of_all_kinds_and_shapes(dtype):
    arrays = {str(i): np.random.default_rng(i).integers(0, 2, shape).astype(dtype) for i, shape in enumerate(SHAPES)}

    def write(archive: h5py.File) -> None:
        for name, array in arrays.items():
            archive[name] = array

    store = hdf5.Store(written(write))
    assert list(store) == list(arrays)
    for name, array in arrays.items():
        assert store[name].dtype == array.dtype.newbyteorder("=")
        assert store.shape(name) == array.shape
        np.testing.assert_array_equal(store[name], array)


@pytest.mark.parametrize("shape", [(10,), (7, 5), (4, 3, 9), (300, 40)])
@pytest.mark.parametrize(
    "options", [{}, {"compression": "gzip"}, {"compression": "gzip", "shuffle": True}, {"shuffle": True}]
)
def test_chunks(shape, options):
    array = np.random.default_rng(0).normal(size=shape)
    chunks = tuple(max(1, n // 3) for n in shape)
    group = written(lambda archive: archive.create_dataset("x", data=array, chunks=chunks, **options))
    np.testing.assert_array_equal(group["x"].read(), array)


def test_values_inside_the_header():
    def write(archive: h5py.File) -> None:
        properties = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        properties.set_layout(h5py.h5d.COMPACT)
        space = h5py.h5s.create_simple((3,))
        h5py.h5d.create(archive.id, b"x", h5py.h5t.NATIVE_INT32, space, properties).write(
            space, space, np.array([1, 2, 3], "i4")
        )

    assert written(write)["x"].read().tolist() == [1, 2, 3]


def test_many_names_and_deep_groups():
    names = [f"layer_{i}" for i in range(2000)]

    def write(archive: h5py.File) -> None:
        for i, name in enumerate(names):
            archive[f"wide/{name}"] = i
        archive["/".join("abcdefghij")] = 7

    group = written(write)
    assert sorted(group["wide"]) == sorted(names)
    assert {name: int(group["wide"][name].read()) for name in names} == {name: i for i, name in enumerate(names)}
    assert group["a/b/c/d/e/f/g/h/i/j"].read() == 7
    assert group.get("a/b/x/y") is None
    assert "wide/layer_7" in group


def test_texts_of_all_kinds():
    texts = ["", "plain", "Grüße", "x" * 5000]

    def write(archive: h5py.File) -> None:
        archive.attrs["one"] = "Grüße"
        archive.attrs["fixed"] = np.bytes_(b"of one length")
        archive.attrs["list"] = texts
        archive.attrs["bytes"] = np.array([b"one", b"three"], "S5")
        archive.attrs["none"] = []
        archive.attrs["number"] = 3
        archive.attrs["nothing"] = h5py.Empty("f4")
        for i in range(40):
            archive.attrs[f"more{i}"] = [str(i)] * 100

    group = written(write)
    assert hdf5.text(group, "one") == "Grüße"
    assert hdf5.text(group, "fixed") == "of one length"
    assert hdf5.texts(group, "list") == texts
    assert hdf5.texts(group, "bytes") == ["one", "three"]
    assert hdf5.texts(group, "none") == []
    assert hdf5.texts(group, "missing") is hdf5.text(group, "missing") is None
    assert hdf5.texts(group, "more") == [str(i) for i in range(40) for _ in range(100)]
    for read, name in ((hdf5.text, "list"), (hdf5.texts, "number"), (hdf5.text, "nothing")):
        with pytest.raises(FileFormatError, match=f"attribute '{name}': expected a text"):
            read(group, name)


def test_only_what_keras_writes_is_read():
    with pytest.raises(FileFormatError, match=r"f\.h5: superblock version 3, expected 0"):
        written(lambda archive: None, libver="latest")
    with pytest.raises(FileFormatError, match=r"f\.h5: new: (object header version 2|a group in a newer layout)"):
        written(lambda archive: archive.create_group("new", track_order=True))
    with pytest.raises(FileFormatError, match=r"f\.h5: x: it takes far more memory than the file has bytes"):
        written(lambda archive: archive.create_dataset("x", data=np.zeros((8192, 4096), "f4"), compression="gzip"))
    with pytest.raises(FileFormatError, match="not an HDF5 file"):
        hdf5_reader.read(io.BytesIO(b""), "f.h5")
