"""Columns of tables: what training rows say of them, what becomes of text, dates and missing values."""

import json

import numpy as np
import pytest

from layerwise.data import load, read_csv
from layerwise.data.cells import DATE, NUMBER, TEXT, kinds_of, read_cells
from layerwise.data.columns import Columns
from layerwise.data.csv_file import CsvFile
from layerwise.data.loading import set_apart


@pytest.fixture
def write(tmp_path):
    def write(text, name="table.csv"):
        path = tmp_path / name
        path.write_text(text)
        return path

    return write


def learn(path, missing=None):
    file = CsvFile(path)
    kinds, notes = kinds_of(file, file.names)
    cells = read_cells(file, kinds)
    rows = np.arange(len(cells[file.names[0]].values))
    return Columns.learn(cells, rows, missing), cells, notes


# Files as other programs write them


@pytest.mark.parametrize("text", [
    'a;b;kind\n1;2;x\n3;4;y\n', 'a\tb\tkind\n1\t2\tx\n3\t4\ty\n', 'a|b|kind\n1|2|x\n3|4|y\n',
    ',a,b,kind\n0,1,2,x\n1,3,4,y\n',  # pandas' numbers of rows
    '"","a","b","kind"\n"1",1,2,"x"\n"2",3,4,"y"\n',  # R's
    'a,b,kind,\n1,2,x,\n3,4,y,\n', 'a,b,kind\n1,2,x,,\n3,4,y\n', 'a,b,kind,,\n1,2,x\n3,4,y\n',
    '"a","b","kind"\n"1",2,"x"\n"3",4,"y"\n',
])  # fmt: skip
def test_tables_of_other_programs(write, text):
    table = read_csv(write(text), target="kind")
    assert table.feature_names == ("a", "b")
    assert table.x.tolist() == [[1, 2], [3, 4]]
    assert table.class_names == ("x", "y")


def test_a_delimiter_is_found_where_it_is_clear(write):
    assert CsvFile(write("a;b\n1,5;2,5\n")).delimiter == ";"
    assert CsvFile(write('a,b\n"1;2",3\n')).delimiter == ","
    assert CsvFile(write("a\n1\n")).delimiter == ","
    both = write("a,b;c\n1,2;3\n")
    with pytest.raises(ValueError, match="parted by ',' or ';': say which"):
        CsvFile(both)
    assert CsvFile(both, ";").names == ["a,b", "c"]


def test_labels_that_are_codes_keep_their_zeros(write):
    table = read_csv(write("a,k\n1,007\n2,7\n3,012\n"), target="k")
    assert table.class_names == ("007", "012", "7")
    assert table.y.tolist() == [0, 2, 1]
    assert read_csv(write("k\n007\n012\n"), target="k", task="regression").y.tolist() == [7, 12]
    assert read_csv(write("k\n0.5\n0\n"), target="k").task == "regression"


def test_long_labels_and_digits_cost_what_they_are_long(write):
    """One label of 100 kB among a thousand, and digits that end in a letter."""
    table = read_csv(write("a,k\n" + "1,x\n" * 1000 + f"1,{'y' * 100_000}\n"), target="k")
    assert np.bincount(table.y).tolist() == [1000, 1]
    with pytest.raises(ValueError, match="not a number"):
        read_csv(write(f"a\n{'1' * 100_000}x\n"))


# What columns become


def test_numbers_dates_and_text(write):
    colours = ["red"] * 6 + ["blue"] * 5 + ["teal"] * 2
    rows = "\n".join(f"{i},2024-02-{i + 1:02},{colour}" for i, colour in enumerate(colours))
    columns, cells, notes = learn(write(f"size,day,colour\n{rows}\n"))
    assert columns.kinds == {"size": NUMBER, "day": DATE, "colour": TEXT}
    assert columns.inputs == (
        "size", "day year", "day month", "day weekday", "colour=blue", "colour=red", "colour=other"
    )  # fmt: skip
    x, told = columns.encode(cells)
    assert x[0].tolist() == [0, 2024, 2, 3, 0, 1, 0]  # a Thursday
    assert x[12].tolist() == [12, 2024, 2, 1, 0, 0, 1]
    assert told == ["column 'colour': 2 rows with 'teal' taken for 'other'"]
    assert notes == []
    assert Columns.from_json(json.loads(json.dumps(columns.to_json()))) == columns


def test_text_that_training_has_not_seen(write):
    columns, _, _ = learn(write("c\n" + "a\n" * 5 + "b\n" * 5))
    assert columns.inputs == ("c=a", "c=b")  # a network could learn nothing of an input that is always 0
    new = CsvFile(write("c\nb\nz\nz\ny\nx\nw\n"))
    x, told = columns.encode(read_cells(new, columns.kinds))
    assert x.tolist() == [[0, 1]] + [[0, 0]] * 5
    assert told == ["column 'c': 5 rows with 'z', 'y', 'x', ... taken for none of the values that were learned"]


@pytest.mark.parametrize(("values", "message"), [
    ([f"p{i}" for i in range(9)], r"column 'c' holds another text in each row \('p0', 'p1', ...\).*--ignore"),
    ([f"p{i % 51}" for i in range(200)], r"column 'c' holds 51 different texts .* at most 50"),
    (["NA"] * 3, "column 'c' has no value in the training rows; leave it out"),
])  # fmt: skip
def test_text_that_is_refused(write, values, message):
    with pytest.raises(ValueError, match=message):
        learn(write("c\n" + "\n".join(values) + "\n"))
    assert len(learn(write("c\n" + "\n".join(f"p{i % 50}" for i in range(250)) + "\n"))[0].inputs) == 50


def test_numbers_with_a_word_among_them_are_text(write):
    _, _, notes = learn(write("a\n1\nunknown\n1\n"))
    assert notes == ["column 'a': 'unknown' in record 2 (line 3) is no number: it is taken for text"]
    columns, _, _ = learn(write("a\n2024-01-31\n2024-02-30\n2024-01-31\n"))
    assert columns.kinds == {"a": TEXT}


@pytest.mark.parametrize(("missing", "size", "day"), [("mean", 4, 4), ("most-frequent", 1, 4), (None, 4, 4)])
def test_missing_values_take_what_training_rows_say(write, missing, size, day):
    text = "size,day,c\n1,2024-01-05,a\n1,2024-01-05,b\n10,2024-01-08,b\n,,\n"
    columns, cells, _ = learn(write(text), missing)
    x, told = columns.encode(cells)
    assert x[3].tolist() == [size, 2024, 1, day, 1]  # a Friday; both texts are rare
    assert told[:2] == [f"column 'size': 1 missing value taken for {size}",
                        "column 'day': 1 missing value taken for '2024-01-05'"]  # fmt: skip
    assert "column 'c': 1 missing value taken for 'b'" in told


@pytest.mark.parametrize("change", [
    lambda d: d.update(missing="zero"), lambda d: d["columns"][0].update(kind="place"), lambda d: d.pop("columns"),
    lambda d: d["columns"][0].update(fill="x"), lambda d: d["columns"][0].update(fill=float("inf")),
    lambda d: d["columns"][1].update(fill=1e300), lambda d: d["columns"][2].update(fill=3),
    lambda d: d["columns"][2].update(values=[1]), lambda d: d["columns"][2].update(values=["a"] * 2),
    lambda d: d["columns"][0].update(size=3), lambda d: d.update(columns=[]), lambda d: d.update(columns=3),
    lambda d: d["columns"].append(d["columns"][0]),
])  # fmt: skip
def test_a_damaged_description_is_refused(write, change):
    columns, _, _ = learn(write("a,d,c\n" + "1,2024-01-05,a\n" * 5))
    kept = json.loads(json.dumps(columns.to_json()))
    change(kept)
    with pytest.raises(ValueError, match="the description of a table's columns is damaged"):
        Columns.from_json(kept)


# Tables to train on


def table(n=100, lacking=()):
    rows = [f"{i},{'ab'[i % 2]},{'xy'[i % 2]}" for i in range(n)]
    for i in lacking:
        rows[i] = f",{'ab'[i % 2]},{'xy'[i % 2]}"
    return "\n".join(["size,c,kind", *rows]) + "\n"


def test_missing_values_are_refused_unless_told(write):
    path = write(table(lacking=[3, 50]))
    with pytest.raises(ValueError, match=r"missing: size \(2 of 100\); choose --missing drop\|mean\|most-frequent"):
        load(path, "kind")
    dropped = load(path, "kind", missing="drop")
    assert len(dropped.x_train) + len(dropped.x_test) == 98
    assert dropped.notes == ["2 of 100 rows, which lack size, are left out"]
    filled = load(path, "kind", missing="mean")
    assert len(filled.x_train) + len(filled.x_test) == 100
    with pytest.raises(ValueError, match="missing: got 'zero', expected 'drop', 'mean' or 'most-frequent'"):
        load(path, "kind", missing="zero")
    again = load(path, "kind", columns=dropped.columns)  # as in training: the same rows are set apart
    np.testing.assert_array_equal(again.x_test, dropped.x_test)


def test_rows_without_a_target_are_left_out(write):
    path = write(table() + "7,a,\n")
    with pytest.raises(ValueError, match=r"kind \(1 of 101\)"):
        load(path, "kind")
    for missing in ("drop", "mean", "most-frequent"):
        data = load(path, "kind", missing=missing)
        assert data.notes == ["1 of 101 rows, which lack kind, are left out"]
        assert len(data.x_train) + len(data.x_test) == 100


def test_columns_are_learned_from_training_rows_alone(write):
    rows = set_apart(np.arange(100) % 2, "classification", 0.2)
    rest = rows[0]
    fit = rest[set_apart(rest % 2, "classification", 0.1)[0]]
    outside = np.setdiff1d(np.arange(100), fit)
    lines = table().splitlines()
    for i in outside[1:]:
        lines[i + 1] = f"1e6,z,{'xy'[i % 2]}"
    lines[outside[0] + 1] = f",z,{'xy'[outside[0] % 2]}"
    path = write("\n".join(lines) + "\n")
    size, colour = load(path, "kind", missing="mean", validation_fraction=0.1).columns.columns
    assert size.fill == fit.mean()
    assert (colour.values, colour.has_other) == (("a", "b"), False)


def test_columns_of_a_model_find_theirs_in_any_order(write):
    columns = load(write(table()), "kind").columns
    rows = [f"{'xy'[i % 2]},1,{'ab'[i % 2]},{i}" for i in range(100)]
    path = write("\n".join(["kind,new,c,size", *rows]) + "\n", "other.csv")
    data = load(path, "kind", columns=columns)
    assert data.notes == ["columns that the model does not use: new"]
    np.testing.assert_array_equal(data.x_train, load(write(table()), "kind").x_train)
    with pytest.raises(ValueError, match="lacks columns that the model needs: c"):
        load(path, "c", columns=columns)


def test_arrays_that_are_no_images(tmp_path):
    x = np.arange(20 * 50.0).reshape(20, 50, 1)
    np.savez(tmp_path / "a.npz", x=x, y=np.arange(20) / 7)
    data = load(tmp_path / "a.npz")
    assert (data.kind, data.x_train.shape) == ("table", (16, 50))
    assert data.notes == ["examples of shape (50, 1) are no images: taken for 50 columns"]
    np.savez(tmp_path / "b.npz", x=np.zeros((20, 4, 5)), y=np.arange(20) % 2)
    assert load(tmp_path / "b.npz").kind == "image"


def test_what_is_no_image_is_named(tmp_path):
    from PIL import Image

    for name in "ab":
        (tmp_path / name).mkdir()
        for i in range(4):
            Image.fromarray(np.full((5, 5), 9 * i, np.uint8)).save(tmp_path / name / f"{i}.png")
    assert load(tmp_path).notes == []
    for name in ("a/x.heic", "b/.DS_Store", "notes.txt"):
        (tmp_path / name).write_text("")
    (tmp_path / "empty").mkdir()
    assert load(tmp_path).notes == ["no images, left out: a/x.heic, empty/, notes.txt"]
