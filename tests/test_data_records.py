"""Lines, CSV records, TFRecord files and what they hold."""

import gzip
import zlib

import numpy as np
import pytest

from layerwise.compat import tensorflow as tf
from layerwise.data import Dataset, RecordWriter, make_csv_dataset, read_records
from layerwise.data.records import crc32c, masked
from layerwise.saving import FileFormatError

PACKED = {None: lambda data: data, "GZIP": gzip.compress, "ZLIB": zlib.compress}


# Checksums


@pytest.mark.parametrize(
    ("data", "expected"),
    [  # RFC 3720, B.4
        (bytes(32), 0x8A9136AA), (b"\xff" * 32, 0x62A8AB43), (bytes(range(32)), 0x46DD794E),
        (bytes(range(31, -1, -1)), 0x113FDB5C), (b"123456789", 0xE3069283), (b"", 0),
    ],
)  # fmt: skip
def test_crc32c(data, expected):
    assert crc32c(data) == expected


@pytest.mark.parametrize("n", [255, 256, 257, 1000, 1024, 4097, 100_003])
def test_crc32c_of_long_data_is_that_byte_by_byte(n):
    data = np.random.default_rng(n).integers(0, 256, n, np.uint8).tobytes()
    register = 0xFFFFFFFF
    for byte in data:
        register ^= byte
        for _ in range(8):
            register = (register >> 1) ^ (0x82F63B78 if register & 1 else 0)
    assert crc32c(data) == register ^ 0xFFFFFFFF


# TFRecord


def held(data):
    """Texts and bytes as Python has them."""
    return [element.item() for element in data]


RECORDS = [b"first", b"", bytes(1000), b"last\0"]


@pytest.fixture(params=[None, "GZIP", "ZLIB"])
def records(request, tmp_path):
    with RecordWriter(tmp_path / "a.tfrecord", request.param) as writer:
        for record in RECORDS:
            writer.write(record)
        writer.flush()
    return tmp_path / "a.tfrecord", request.param


def test_records_come_back(records):
    path, kind = records
    assert list(read_records(path, kind)) == RECORDS
    data = Dataset.from_tfrecords([path, path], kind)
    assert held(data) == RECORDS * 2
    assert [batch.tolist() for batch in data.batch(3).take(1)] == [RECORDS[:3]]  # zeros at their ends stay
    data.restore({"epoch": 0, "position": 5, "seeds": []})
    assert held(data) == RECORDS[1:]
    names = Dataset.list_files(str(path.parent / "*.tfrecord"), shuffle=False)
    assert held(Dataset.from_tfrecords(names, kind)) == RECORDS


def test_programs_of_tensorflows_find_them(records):
    path, kind = records
    assert held(tf.data.TFRecordDataset([str(path)], kind)) == RECORDS
    assert tf.io.TFRecordWriter is RecordWriter
    assert tf.data.experimental.make_csv_dataset is make_csv_dataset


def test_the_bytes_are_tensorflows(tmp_path):
    with RecordWriter(tmp_path / "a") as writer:
        writer.write(b"123456789")
    data = (tmp_path / "a").read_bytes()
    masked = ((0xE3069283 >> 15 | 0xE3069283 << 17) + 0xA282EAD8) & 0xFFFFFFFF
    assert data[:8] == b"\x09" + bytes(7)
    assert data[12:] == b"123456789" + masked.to_bytes(4, "little")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d: d[:5], "record 0: its length at offset 0 is damaged"),
        (lambda d: d[:-1], r"record 3: cut short, or its checksum is another one: 5 of 5 bytes from offset \d+ on"),
        (lambda d: d[:14] + b"x" + d[15:], "record 0: cut short, or its checksum .* from offset 12 on"),
        (lambda d: d[:3] + b"x" + d[4:], "record 0: its length at offset 0 is damaged"),
        (lambda d: b"\xff" * 8 + masked(b"\xff" * 8), "record 0: cut short, .*: 0 of 18.* bytes"),
    ],
)
def test_damaged_records(change, message, tmp_path):
    with RecordWriter(tmp_path / "a") as writer:
        for record in RECORDS:
            writer.write(record)
    (tmp_path / "a").write_bytes(change((tmp_path / "a").read_bytes()))
    with pytest.raises(FileFormatError, match=message):
        list(read_records(tmp_path / "a"))


@pytest.mark.parametrize("kind", ["GZIP", "ZLIB"])
def test_damaged_compression(kind, tmp_path):
    with RecordWriter(tmp_path / "a", kind) as writer:
        writer.write(b"record" * 100)
    whole = (tmp_path / "a").read_bytes()
    for data in whole[: len(whole) // 2], b"no such data", b"":
        (tmp_path / "a").write_bytes(data)
        if data or kind == "ZLIB":
            with pytest.raises(FileFormatError, match=r"damaged or cut short|its length"):
                list(read_records(tmp_path / "a", kind))
    with pytest.raises(ValueError, match="compression_type: got 'zip'"):
        list(read_records(tmp_path / "a", "zip"))


# Lines and tables


@pytest.mark.parametrize("kind", PACKED)
def test_lines(kind, tmp_path):
    (tmp_path / "a").write_bytes(PACKED[kind]("one\r\n\nsüß\nlast".encode()))
    data = Dataset.from_text_lines(str(tmp_path / "a"), kind)
    assert held(data) == ["one", "", "süß", "last"]
    assert [batch.tolist() for batch in data.batch(3)] == [["one", "", "süß"], ["last"]]
    data.restore({"epoch": 0, "position": 3, "seeds": []})
    assert held(data) == ["last"]


def test_csv_records(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text('n,x,name\n1,0.5,"a, b"\n-,,c\n')
    data = Dataset.from_csv(path, [0, 2.5, "string"], header=True, na_value="-")
    assert [(int(n), float(x), name.item()) for n, x, name in data] == [(1, 0.5, "a, b"), (0, 2.5, "c")]
    data = Dataset.from_csv(path, [np.int64, [1.0]], header=True, na_value="-", select_cols=[0, 1])
    ((n, x),) = data.take(1)
    assert (n.dtype, x.dtype) == ("int64", "float32")
    for defaults, message in (
        (["int32", 0.5, ""], "record 2: a value is missing in a column without a default"),
        ([0, 0.5], "record 1: 3 values, expected 2"),
        ([0, 1, ""], "record 1: '0.5' is no int32"),
    ):
        with pytest.raises(FileFormatError, match=message):
            list(Dataset.from_csv(path, defaults, header=True, na_value="-"))
    path.write_text('1,"a')
    with pytest.raises(FileFormatError, match="not CSV"):
        list(Dataset.from_csv(path, [0, ""]))


@pytest.fixture
def tables(tmp_path):
    (tmp_path / "1.csv").write_text("age,size,name,sold\n3,1.5,a,1\n,2.5,,0\n")
    (tmp_path / "2.csv").write_text("age,size,name,sold\n4,,c,1\n")
    return str(tmp_path / "*.csv")


def test_tables_as_batches(tables):
    data = make_csv_dataset(tables, 2, label_name="sold", num_epochs=1, shuffle=False)
    (first, y), (second, _) = data
    assert list(first) == ["age", "size", "name"]
    assert [column.dtype.kind for column in first.values()] == ["i", "f", "U"]
    assert (first["age"].tolist(), first["size"].tolist(), first["name"].tolist()) == ([3, 0], [1.5, 2.5], ["a", ""])
    assert (y.tolist(), y.dtype, second["size"].tolist()) == ([1, 0], np.int32, [0])
    loop = iter(make_csv_dataset(tables, 4, shuffle_seed=1))
    assert [len(next(loop)["age"]) for _ in range(5)] == [4] * 5
    options = {"select_columns": ["name", 0], "column_defaults": ["?", -1], "num_epochs": 1, "shuffle": False}
    (batch,) = make_csv_dataset(tables, 9, **options)
    assert list(batch) == ["name", "age"]
    assert (batch["name"].tolist(), batch["age"].tolist()) == (["a", "?", "c"], [3, -1, 4])


def test_tables_without_names_and_with_wide_numbers(tmp_path):
    (tmp_path / "a.csv").write_text("3000000000|1e300\n")
    options = {"column_names": ["n", "x"], "header": False, "field_delim": "|", "num_epochs": 1}
    (batch,) = make_csv_dataset(str(tmp_path / "a.csv"), 1, **options)
    assert (batch["n"].dtype, batch["x"].dtype) == ("int64", "float64")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"file_pattern": "no such*"}, "no file fits no such"),
        ({"label_name": "price"}, r"label_name: got 'price', expected one of \['age'"),
        ({"select_columns": ["price"]}, "select_columns: got 'price'"),
        ({"column_defaults": [1]}, "column_defaults: got 1, expected 4"),
        ({"header": False}, "column_names: expected them"),
    ],
)
def test_mistakes(options, message, tables):
    with pytest.raises(ValueError, match=message):
        make_csv_dataset(**{"file_pattern": tables, "batch_size": 2, **options})
