"""The reader of HDF5 finds what h5py wrote."""

import io
import random
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


@pytest.mark.parametrize("count", [1, 8, 9, 46, 400])
def test_groups_with_names_beyond_ascii_are_read(count):
    """HDF5 writes them in another layout: links in the header of the group, and more than 8 in a heap with an index."""
    group = written(lambda archive: [archive.create_dataset(f"é/ü{i}", data=i) for i in range(count)])
    assert sorted(group["é"]) == sorted(f"ü{i}" for i in range(count))
    assert [group[f"é/ü{i}"].read() for i in range(count)] == list(range(count))


@pytest.mark.parametrize("others", [0, 20])
def test_links_with_names_beyond_ascii_lead_nowhere_else(others):
    def fill(archive):
        for i in range(others):
            archive.create_group(f"é{i}")

    for link in (h5py.SoftLink("/elsewhere"), h5py.ExternalLink("/etc/passwd", "/x")):
        with pytest.raises(FileFormatError, match="a link to another place, which is never followed"):
            written(lambda archive, link=link: (fill(archive), archive.__setitem__("ü", link)))
    with pytest.raises(FileFormatError, match="an object with two names"):
        written(lambda archive: (fill(archive), archive.__setitem__("ü", archive.create_dataset("x", data=1))))


def test_the_number_of_what_is_kept_has_a_limit(monkeypatch):
    monkeypatch.setattr(hdf5_reader, "MOST", 20)
    for write in (
        lambda archive: archive.create_dataset("x", data=np.ones(10), chunks=(1,)),
        lambda archive: archive.create_group("a/b/c"),
        lambda archive: archive.attrs.update({str(i): i for i in range(5)}),
    ):
        with pytest.raises(FileFormatError, match="too many objects, attributes and chunks"):
            written(write)


def everything(content: bytes) -> dict[str, Any]:
    """All values and texts in a file, by their places."""
    found: dict[str, Any] = {}
    for group in hdf5.groups(hdf5_reader.read(io.BytesIO(content), "f.h5")):
        found |= {f"{group.name}@{name}": hdf5.texts(group, name) for name in group.attrs}
        for name, child in group.children.items():
            if isinstance(child, hdf5_reader.Dataset):
                found[f"{group.name}/{name}"] = hdf5.Store(group)[name].tolist()
    return found


def various(archive):
    archive.attrs["texts"] = ["one", "two"]
    archive["plain"] = np.arange(6.0).reshape(2, 3)
    archive["flag"] = np.array([True, False])
    archive.create_dataset("a/chunked", data=np.arange(12, dtype="i2"), chunks=(5,), shuffle=True, compression=4)


def many_links(archive):
    for i in range(60):
        archive[f"é{i}"] = i


@pytest.mark.parametrize(
    ("write", "times"), [(various, 1500), (lambda archive: archive.create_group("é/ü"), 300), (many_links, 300)]
)
def test_whatever_byte_is_changed_the_file_is_read_or_refused(write, times):
    file = io.BytesIO()
    with h5py.File(file, "w") as archive:
        write(archive)
    content = file.getvalue()
    known = everything(content)
    structure = [i for i, byte in enumerate(content) if byte or random.Random(i).random() < 0.05]
    generator, same = random.Random(0), 0
    for _ in range(times):
        place = generator.choice(structure)
        new = generator.choice([0, 255, content[place] ^ 1, content[place] ^ 128, generator.randrange(256)])
        try:
            same += everything(content[:place] + bytes([new]) + content[place + 1 :]) == known
        except FileFormatError as error:
            assert str(error)  # noqa: PT017
    assert 0 < same < times


def chunked(**options: Any) -> bytes:
    file = io.BytesIO()
    with h5py.File(file, "w") as archive:
        archive.create_dataset("x", data=np.ones((4, 4)), chunks=(2, 2), **options)
    return file.getvalue()


@pytest.mark.parametrize(
    ("offset", "new", "reason"),
    [
        (0, b"\4\3", "its values are in another file"),
        (0, b"\2", "a layout of version 2, expected 3"),
        (1, b"\7", "a layout of class 7"),
        (2, b"\0", "damaged"),
        (2, b"\2", "chunks of shape"),
        (11, b"\0\0\0\0", r"chunks of shape \(0, 2\) in an array of shape \(4, 4\)"),
        (3, b"\xff" * 8, r"shape \(4, 4\) says 128 bytes, the file has 0"),
    ],
)
def test_layouts_that_are_damaged(offset, new, reason):
    content = chunked()
    place = content.index(b"\3\2\3") + offset  # version, class, dimensions and one more
    with pytest.raises(FileFormatError, match=reason):
        hdf5_reader.read(io.BytesIO(content[:place] + new + content[place + len(new) :]), "f.h5")


def test_compressed_chunks_that_are_damaged():
    content = chunked(compression="gzip")
    place = content.index(b"\x78\x5e")
    for new in (b"\x79", b"\x78\x5e\0"):
        with pytest.raises(FileFormatError, match=r"^'x': (damaged|a chunk of)"):
            everything(content[:place] + new + content[place + len(new) :])


def test_raw_bytes_are_no_numbers():
    for dtype in ("V2", "V4", "c8", "S3"):
        group = written(lambda archive, dtype=dtype: archive.create_dataset("x", data=np.zeros(3, dtype)))
        with pytest.raises(FileFormatError, match=r"^'x': expected numbers, got"):
            hdf5.Store(group)["x"]
