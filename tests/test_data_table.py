"""CSV files: numbers in, everything else refused by column and record."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from layerwise.data import read_csv
from layerwise.data.targets import encode_classes, task_of

IRIS = "length,width,kind\n5.1,3.5,setosa\n-7,3e1,virginica\n+.5, 2. ,setosa\n"


@pytest.fixture
def write(tmp_path):
    def write(text):
        path = tmp_path / "table.csv"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


def test_features_and_classes(write):
    table = read_csv(write(IRIS), target="kind")
    assert table.x.tolist() == [[5.1, 3.5], [-7, 30], [0.5, 2]]
    assert table.feature_names == ("length", "width")
    assert table.y.tolist() == [0, 1, 0]
    assert (table.class_names, table.task) == (("setosa", "virginica"), "classification")


def test_without_a_target_every_column_is_a_feature(write):
    table = read_csv(write("a,b\n1,2\n\n3,4\n"))
    assert table.x.tolist() == [[1, 2], [3, 4]]
    assert (table.y, table.class_names, table.task) == (None, None, None)


def test_quotes_byte_order_mark_line_ends_and_delimiter(write):
    assert read_csv(write('\ufeff"a, b";c\r\n"1.5";2\r\n'), delimiter=";").feature_names == ("a, b", "c")


@pytest.mark.parametrize(("values", "task", "y", "class_names"), [
    ("3 7 3 7", "classification", [0, 1, 0, 1], ("3", "7")),
    ("10 9 10 9", "classification", [1, 0, 1, 0], ("9", "10")),
    ("3.0 7.0 3.0 7.0", "regression", [3, 7, 3, 7], None),
    ("1 2 3 3", "regression", [1, 2, 3, 3], None),
    ("1 x 1 x", "classification", [0, 1, 0, 1], ("1", "x")),
    ("yes no yes no", "classification", [1, 0, 1, 0], ("no", "yes")),
])  # fmt: skip
def test_the_target_decides_the_task(write, values, task, y, class_names):
    table = read_csv(write("t\n" + "\n".join(values.split())), target="t")
    assert (table.task, table.y.tolist(), table.class_names) == (task, y, class_names)
    assert table.y.dtype == (np.int64 if task == "classification" else np.float64)


def test_the_task_can_be_given(write):
    path = write("t\n1\n2\n1\n2\n")
    assert read_csv(path, target="t", task="regression").y.tolist() == [1.0, 2.0, 1.0, 2.0]
    path = write("t\n0.5\n1.5\n")
    assert read_csv(path, target="t", task="classification").class_names == ("0.5", "1.5")
    with pytest.raises(ValueError, match="task: expected 'classification' or 'regression', got 'guess'"):
        read_csv(path, target="t", task="guess")


def test_many_integers_are_numbers():
    assert task_of(np.arange(1000) % 20) == "classification"
    assert task_of(np.arange(1000) % 21) == "regression"
    assert encode_classes(np.array([b"a", b"\xff"]))[1] == ("a", "\ufffd")


@pytest.mark.parametrize(("text", "message"), [
    ("", "empty: expected a first line with column names"),
    ("a,kind\n", "no records after"),
    ("1,2\n3,4\n", "line 1 holds only numbers"),
    ("a,a,kind\n1,2,x\n", "expected column names that differ, got 'a', 'a', 'kind'"),
    ("a,,kind\n1,2,x\n", "expected column names that differ"),
    ("a,b\n1,2\n", "no column 'kind'; its columns are a, b"),
    ("a,kind\n1,x\n2\n", r"record 2 \(line 3\): expected 2 values \(a, kind\), got 1"),
    ("a,kind\n1,x\n\n2,y,3\n", r"record 2 \(line 4\): expected 2 values .* got 3"),
    ("a,kind\n1,x\nParis,y\n", r"column 'a', record 2 \(line 3\): not a number: 'Paris'"),
    ("a,kind\n1,x\n,y\n", r"column 'a', record 2 \(line 3\): a value is missing \(''\)"),
    ("a,kind\nNaN,x\n", r"column 'a', record 1 \(line 2\): a value is missing \('NaN'\)"),
    ("a,kind\n1,?\n", r"column 'kind', record 1 \(line 2\): a value is missing"),
    ("a,kind\ninf,x\n", "not a number: 'inf'"),
    ("a,kind\n1e999,x\n", "column 'a', record 1 .*: too large"),
    ("a,kind\n1_000,x\n", "not a number: '1_000'"),
    ('a,kind\n1,"x\n', "line 2: not CSV"),
    (b"a,kind\n1,\xff\n", "not text in UTF-8 .byte 0xff"),
    ("a,kind\n" + "1" * 200_000 + ",x\n", "line 2: not CSV"),
])  # fmt: skip
def test_malformed_tables(write, text, message):
    path = write(text)
    with pytest.raises(ValueError, match=message) as error:
        read_csv(path, target="kind")
    assert str(path) in str(error.value)


def test_regression_on_text_is_refused(write):
    with pytest.raises(ValueError, match="column 'kind': regression needs numbers, got 'setosa'"):
        read_csv(write(IRIS), target="kind", task="regression")


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_nothing_but_value_error_escapes(tmp_path_factory, data):
    bad = bytearray(IRIS.encode())
    for _ in range(data.draw(st.integers(1, 4))):
        bad[data.draw(st.integers(0, len(bad) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.mktemp("fuzz") / "a.csv"
    path.write_bytes(bad)
    try:
        result = np.isfinite(read_csv(path, target="kind").x).all()
    except ValueError as error:
        result = str(path) in str(error)
    assert result
