"""The `layerwise` command: what it trains, writes, prints, and what it says when something is wrong."""

import json
import os
import re
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from layerwise import callbacks, datasets, fundamentals, layers, models, optimizers, saving
from layerwise.cli import main
from layerwise.cli.results import results_folder
from layerwise.cli.train import _surprise
from layerwise.data import images, stratified_split
from layerwise.losses.margin import perceptron_loss
from layerwise.saving import load_model

SOURCE = Path(__file__).parents[1] / "src"
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(SOURCE), "OPENBLAS_NUM_THREADS": "1"}  # others want the CPUs, too
COMMAND = [sys.executable, "-m", "layerwise"]
QUICK = "--model mlp --epochs 1 --batch-size 256 --no-augment"


@pytest.fixture(autouse=True)
def empty_folder(tmp_path, monkeypatch):
    """Every test runs in an empty folder."""
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def call(capsys):
    """Run the command in this process; returns exit code, standard output, standard error."""

    def run(line: str) -> tuple[int, str, str]:
        capsys.readouterr()
        code = main(shlex.split(line))
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run


@pytest.fixture(scope="module")
def digits_model(tmp_path_factory) -> Path:
    """A multilayer perceptron trained on the embedded digits."""
    out = tmp_path_factory.mktemp("digits") / "run"
    assert main(["train", "--model", "mlp", "--no-augment", "--epochs", "12", "--out", str(out)]) == 0
    return out / "model.keras"


def write_table(path: str, x: np.ndarray, y, header: str) -> None:
    rows = [",".join(map(str, [*row, target])) for row, target in zip(x.tolist(), y)]
    Path(path).write_text("\n".join([header, *rows]) + "\n")


def two_classes(n: int = 60) -> tuple[np.ndarray, list[str]]:
    """Points left and right of x0 = 100, of different scale along x1."""
    rng = np.random.default_rng(0)
    kinds = ["cat", "dog"] * (n // 2)
    x = rng.normal(size=(n, 2)) * [1, 1000] + [[100 - 4, 0] if kind == "cat" else [100 + 4, 0] for kind in kinds]
    return x, kinds


# Digits


def test_train_without_arguments(tmp_path):
    """As `make train` runs it: accuracy, files, and next commands that work when they are copied."""
    run = subprocess.run([*COMMAND, "train"], capture_output=True, text=True, env=ENVIRONMENT)
    assert run.returncode == 0, run.stderr
    kernels, none = r"(native|xla), \d+ threads?", r"numpy, \d+ threads?( \(no C\+\+ kernels: .+\))?"
    assert re.search(rf"^backend: ({kernels}|{none})$", run.stdout, re.M)
    results = re.findall(r"^test accuracy: (\d+\.\d) %$", run.stdout, re.M)
    assert len(results) == 1
    assert float(results[0]) >= 98
    [out] = Path("runs").iterdir()
    assert re.fullmatch(r"\d{4}-\d\d-\d\d-1", out.name)
    assert {"model.keras", "history.csv", "curve.png"} <= {path.name for path in out.iterdir()}
    for name in ("model.keras", "history.csv", "curve.png"):
        assert str(out / name) in run.stdout
    commands = re.findall(r"^  (\S.*)$", run.stdout.split("Next:")[1], re.M)
    assert [shlex.split(command)[3] for command in commands] == ["evaluate", "summary", "predict"]
    said = [subprocess.run(line, shell=True, capture_output=True, text=True, env=ENVIRONMENT) for line in commands]
    assert [done.returncode for done in said] == [0, 0, 0], [done.stderr for done in said]
    assert f"test accuracy: {results[0]} %" in said[0].stdout
    assert "conv2d_2" in said[1].stdout
    _, (_, y_test) = datasets.digits.load_data()
    assert said[2].stdout.splitlines()[0].endswith(f": {y_test[0]}")


def drawings() -> dict[str, np.ndarray]:
    """A handwritten 0 in the ways people draw and save it."""
    (x, y), _ = datasets.digits.load_data()
    digit = images.resize_images(x[y == 0][:1, :, :, None], (160, 160))[0, :, :, 0]
    page = np.zeros((300, 300), np.uint8)
    page[100:260, 30:190] = digit
    ink = np.where(page[..., None] > 127, [[[20, 30, 160]]], 0)
    return {
        "white_on_black": page,
        "black_on_white": 255 - page,
        "colour": np.where(page[..., None] > 127, ink, 255).astype(np.uint8),
        "transparent": np.dstack([ink, np.where(page > 127, 255, 0)]).astype(np.uint8),
        "small": 255 - images.resize_images(page[None, :, :, None], (40, 40))[0, :, :, 0],
    }


def test_predict_reads_drawings(digits_model, call):
    from PIL import Image

    for name, pixels in drawings().items():
        Image.fromarray(pixels).save(f"{name}.png")
    code, out, _ = call(f"predict {digits_model} {' '.join(f'{name}.png' for name in drawings())} --show")
    assert code == 0
    answers = re.findall(r"^(\w+)\.png: (\d)$", out, re.M)
    assert answers == [(name, "0") for name in drawings()]
    rankings = re.findall(r"^ +(\d+\.\d) %  (\d)$", out, re.M)
    assert len(rankings) == 3 * len(answers)
    for i in range(0, len(rankings), 3):
        shares = [float(share) for share, _ in rankings[i : i + 3]]
        assert shares == sorted(shares, reverse=True)
        assert sum(shares) <= 100.1
    assert sorted(path.name for path in Path().iterdir()) == sorted(f"{name}.png" for name in drawings())
    folder = digits_model.parent / "seen"  # an image beside a drawing would be one more example of its class
    seen = [np.asarray(Image.open(folder / f"{number}-{name}.png")) for number, name in enumerate(drawings(), 1)]
    for picture in seen:
        assert min(picture.shape) >= 200
        assert picture[0, 0] < 40 < 200 < picture.max()  # light on dark, as the network was trained
    assert f"what the network saw: {folder}/5-small.png" in out


def test_predict_refuses_what_is_no_drawing(digits_model, call):
    from PIL import Image

    Image.fromarray(np.full((30, 30), 255, np.uint8)).save("empty.png")
    Path("text.png").write_text("no image")
    for name in ("empty.png", "text.png", "missing.png"):
        code, _, err = call(f"predict {digits_model} {name}")
        assert code == 2
        assert err.startswith("layerwise: ")
        assert name in err
        assert err.count("\n") == 1


def test_a_drawing_that_is_far_from_the_data_is_said_to_be(digits_model, call):
    from PIL import Image

    zero = drawings()["black_on_white"]
    face = np.full((100, 100), 255, np.uint8)
    face[10:90, 10:20] = face[10:90, 80:90] = face[45:55, 10:90] = face[10:20, 10:90] = 0  # an A with corners
    for name, pixels in {"zero": zero, "thick": thickened(zero), "face": face}.items():
        Image.fromarray(pixels).save(f"{name}.png")
    far = "  far from all drawings that it was trained on: do not rely on this"
    _, out, _ = call(f"predict {digits_model} zero.png thick.png face.png")
    zero, thick, face = re.split(r"(?:thick|face)\.png", out)
    assert "0\n" in zero.splitlines(True)[0]
    assert thick.startswith(": 0\n")
    assert [far in text for text in (zero, thick, face)] == [False, False, True]


def thickened(page: np.ndarray, pixels: int = 12) -> np.ndarray:
    """Dark ink that has spread."""
    for _ in range(pixels):
        page = np.minimum.reduce([page, *(np.roll(page, shift, axis) for shift in (-1, 1) for axis in (0, 1))])
    return page


@pytest.mark.parametrize("change", [
    {"drawing": {"fill": 1e6}}, {"drawing": {"fill": "x"}}, {"drawing": [1]}, {"drawing": {"centre": [0.5, 7]}},
    {"class_names": "abc"}, {"class_names": ["a", 3]}, {"class_names": ["a", "b"]}, {"pixels": [1]}, {"target": 3},
    {"classes": {"means": [[[1.0] * 9] * 8], "least": 1}}, {"classes": {"means": [[[1.0] * 99] * 99], "least": 1}},
    {"classes": {"means": [], "least": 1}}, {"columns": {"columns": 3}}, {"kind": ["cnn"]},
])  # fmt: skip
def test_a_damaged_card_is_refused(digits_model, call, change):
    model = load_model(digits_model)
    model.file_notes["card"] |= change
    model.save("bad.keras")
    code, _, err = call("predict bad.keras a.png")
    assert code == 2
    assert err.startswith("layerwise: bad.keras: its card is damaged")


def test_the_same_seed_gives_the_same_model(call):
    for out, seed in (("a", 3), ("b", 3), ("c", 4)):
        assert call(f"train {QUICK} --seed {seed} --out {out}")[0] == 0
    a, b, c = (load_model(f"{out}/model.keras").get_weights() for out in "abc")
    assert all(np.array_equal(v, w) for v, w in zip(a, b))
    assert not all(np.array_equal(v, w) for v, w in zip(a, c))


def test_runs_are_numbered_and_nothing_is_overwritten_unasked(call):
    assert call(f"train {QUICK}")[0] == 0
    assert call(f"train {QUICK}")[0] == 0
    assert sorted(path.name[-2:] for path in Path("runs").iterdir()) == ["-1", "-2"]
    first = str(sorted(Path("runs").iterdir())[0])
    before = Path(first, "model.keras").read_bytes()
    code, _, err = call(f"train {QUICK} --out {first}")
    assert (code, err) == (2, f"layerwise: --out: '{first}' exists; choose another, or add --overwrite\n")
    assert Path(first, "model.keras").read_bytes() == before
    assert call(f"train {QUICK} --seed 5 --out {first} --overwrite")[0] == 0
    assert Path(first, "model.keras").read_bytes() != before


def test_history_has_a_row_an_epoch(digits_model):
    rows = (digits_model.parent / "history.csv").read_text().splitlines()
    assert rows[0] == "epoch,accuracy,loss,val_accuracy,val_loss"
    assert len(rows) == 13


def test_without_matplotlib_the_table_is_printed(call, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    code, out, _ = call(f"train {QUICK} --epochs 2 --out run")
    assert code == 0
    assert "pip install 'layerwise[plot]'" in out
    assert re.search(r"^epoch +accuracy +loss", out, re.M)
    assert len(re.findall(r"^ +[12]( +\d\.\d{4}){4}$", out, re.M)) == 2
    assert not Path("run/curve.png").exists()
    assert "\ncurve:" not in out


def test_a_curve_that_cannot_be_drawn_costs_no_results(call, monkeypatch):
    def broken(*_):
        raise ValueError("'foo' is not a valid value for backend")

    monkeypatch.setattr("layerwise.callbacks.History.plot", broken)
    code, out, err = call(f"train {QUICK} --out run")
    assert code == 0
    assert re.search(r"^test accuracy: .* %$", out, re.M)
    assert err == "layerwise: note: no picture of the learning curve: 'foo' is not a valid value for backend\n"


def full_disk(monkeypatch, is_full):
    """Writing to a file fails where `is_full(path)`."""
    real = saving.files.os.fsync

    def fsync(descriptor):
        if is_full(os.readlink(f"/proc/self/fd/{descriptor}")):
            raise OSError(28, "No space left on device")
        real(descriptor)

    monkeypatch.setattr(saving.files.os, "fsync", fsync)


def test_a_place_that_cannot_be_written_to_is_found_before_training(call, monkeypatch):
    full_disk(monkeypatch, lambda path: "/run/" in path)
    code, out, err = call(f"train {QUICK} --out run")
    assert (code, err) == (2, "layerwise: run/.trial-model.keras: No space left on device\n")
    assert "Epoch" not in out
    assert list(Path("run").iterdir()) == []


def test_a_disk_that_fills_up_costs_no_model(call, monkeypatch, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(elsewhere))
    full_disk(monkeypatch, lambda path: "/run/.model" in path)
    code, out, err = call(f"train {QUICK} --out run")
    assert code == 0
    place = re.fullmatch(
        r"layerwise: run/model.keras: No space left on device; the model is saved in (.*) instead\n", err
    )
    assert f"model:    {place[1]}/model.keras" in out
    assert "history:  run/history.csv" in out
    assert load_model(f"{place[1]}/model.keras").input_shape == (None, 8, 8, 1)
    monkeypatch.setattr("layerwise.callbacks.CSVLogger.on_epoch_end", lambda *_: os.stat("/nowhere/history.csv"))
    code, _, err = call(f"train {QUICK} --out second")
    assert code == 2
    assert err.startswith(
        "\nlayerwise: /nowhere/history.csv: No such file or directory: stopped after 6 steps of 6; the"
    )
    assert Path("second/model.keras").exists()


def test_one_training_at_a_time_writes_to_a_folder(call):
    with results_folder("run", overwrite=False):
        for options, message in (("", "exists; choose another"), ("--overwrite", "another training writes to 'run'")):
            code, _, err = call(f"train {QUICK} --out run {options}")
            assert code == 2
            assert message in err
        assert not list(Path("run").iterdir())
    assert call(f"train {QUICK} --out run --overwrite")[0] == 0


def test_without_pillow_no_example_is_offered(call, monkeypatch):
    monkeypatch.setitem(sys.modules, "PIL", None)
    code, out, _ = call(f"train {QUICK} --out run")
    assert code == 0
    assert "predict" not in out
    code, _, err = call("predict run/model.keras a.png")
    assert code == 2
    assert "layerwise[images]" in err


def test_the_model_opens_in_keras(digits_model):
    keras = pytest.importorskip("keras")
    _, (x, _) = datasets.digits.load_data()
    expected = load_model(digits_model).predict(x[:20, ..., None], verbose=0)
    got = keras.saving.load_model(digits_model).predict(x[:20, ..., None], verbose=0)
    assert np.allclose(got, expected, atol=1e-5)


def test_few_images_are_augmented_in_training(call):
    _, (x, _) = datasets.digits.load_data()
    x = x[:5, ..., None]
    augmentation = {"RandomRotation", "RandomTranslation", "RandomZoom"}
    for options, expected in (
        ("mlp", augmentation),
        ("mlp --no-augment", set()),
        ("perceptron --augment", augmentation),
    ):
        code, _, _ = call(f"train --model {options} --epochs 1 --batch-size 256 --out run --overwrite")
        assert code == 0
        model = load_model("run/model.keras")
        assert {type(layer).__name__ for layer in model.layers} & augmentation == expected
        assert np.array_equal(model.predict(x, verbose=0), model.predict(x, verbose=0))


# Comparing and reporting


def test_runs_are_compared(call, monkeypatch):
    for options in ("--out a", "--out b --epochs 3", "--out c --learning-rate 1e-5"):
        assert call(f"train {QUICK} {options}")[0] == 0
    Path("d").mkdir()
    monkeypatch.setenv("COLUMNS", "100")
    code, out, err = call("compare a b c d --picture curves.png")
    assert (code, err) == (0, "layerwise: note: no run.json of `layerwise train`, left out: d\n")
    table, differences = out.split("What differed:\n")
    assert re.findall(r"^ (\w) +accuracy: [\d.]+ %", table, re.M) == ["b", "a", "c"]  # the best first
    assert differences.splitlines() == [
        "  learning_rate: 0.002 in a, b; 1e-05 in c", "  epochs: 1 in a, c; 3 in b", "curves: curves.png"
    ]  # fmt: skip
    record = json.loads(Path("b/run.json").read_text())
    assert record["settings"]["data_sha256"] == json.loads(Path("a/run.json").read_text())["settings"]["data_sha256"]
    assert (record["facts"]["epochs"], record["settings"]["parameters"]) == (3, 17_226)
    monkeypatch.setenv("COLUMNS", "20")
    narrow = call("compare a b")[1]
    assert "\nrun: b\ntest: accuracy: " in narrow
    assert max(map(len, narrow.split("What")[0].splitlines())) <= 23
    Path("a/run.json").write_text("[]")
    assert "a/run.json: not a record" in call("compare a")[2]
    code, _, err = call("compare d")
    assert code == 2
    assert "none of these is a folder that `layerwise train` wrote: d" in err


def test_evaluate_reports_classes_and_the_worst_examples(call, monkeypatch):
    """A model that takes the larger of two numbers for the class, on ten examples of known places."""
    monkeypatch.setenv("COLUMNS", "80")
    model = models.Sequential([layers.Input((2,)), layers.Dense(2, use_bias=False)])
    model.set_weights([np.eye(2, dtype="float32")])
    columns = {"columns": [{"name": name, "kind": "number"} for name in "ab"], "missing": None}
    model.file_notes = {"card": {"class_names": ["no", "yes"], "target": "k", "columns": columns}}
    model.save("m.keras")
    rows = ["1,0,no"] * 25 + ["0,1,yes"] * 25
    _, test = stratified_split(np.repeat([0, 1], 25), 0.2)
    rows[test[0]], rows[test[1]] = "0,7,no", "0,9,no"
    Path("t.csv").write_text("\n".join(["a,b,k", *rows]) + "\n")
    code, out, _ = call("evaluate m.keras --data t.csv")
    assert code == 0
    assert "test accuracy: 80.0 %" in out
    assert [line.split() for line in out.splitlines() if line.split()[:1] in (["no"], ["yes"])] == [
        ["no", "5", "100.0%", "60.0%", "yes", "(2)"], ["yes", "5", "71.4%", "100.0%"]
    ]  # fmt: skip
    worst = re.findall(r"^ row (\d+) +no +yes +(\d) ", out, re.M)
    assert worst == [(str(test[1] + 1), "9"), (str(test[0] + 1), "7")]


def test_evaluate_shows_the_worst_images(digits_model, call, monkeypatch):
    code, out, _ = call(f"evaluate {digits_model}")
    assert code == 0
    assert f"these, from left to right: {digits_model.parent / 'worst.png'}" in out
    assert (digits_model.parent / "worst.png").exists()

    def full(*_):
        raise OSError(28, "No space left on device", "worst.png")

    monkeypatch.setattr("layerwise.cli.evaluate.save_image", full)
    code, out, err = call(f"evaluate {digits_model}")
    assert (code, err) == (0, "layerwise: note: no picture of them: worst.png: No space left on device\n")


# Ctrl-C


@pytest.mark.skipif(os.name != "posix", reason="needs SIGINT")
def test_ctrl_c_saves_the_model_between_steps():
    line = [*COMMAND, "train", "--model", "mlp", "--epochs", "100000", "--batch-size", "128", "--out", "run"]
    process = subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=ENVIRONMENT)
    assert process.stdout is not None
    while not process.stdout.readline().startswith("Epoch 3"):
        assert process.poll() is None
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    said = re.search(r"stopped after ([\d,]+) steps of ([\d,]+); the model is saved as it was then: (\S+)", err)
    assert said is not None, err
    assert "Traceback" not in err
    model = load_model(said[3])
    assert int(model.optimizer.iterations) == int(said[1].replace(",", "")) >= 3 * 11
    assert all(np.isfinite(w).all() for w in model.get_weights())


def test_ctrl_c_before_training(call, monkeypatch):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("layerwise.cli.data.read", interrupted)
    assert call("train") == (130, "", "\nlayerwise: stopped\n")
    assert not Path("runs").exists()


# Perceptrons


@pytest.mark.float64
def test_perceptron_loss_is_the_perceptron_rule():
    """SGD on it, one example at a time, makes each class's perceptron learn like the textbook's."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(40, 3))
    y = rng.integers(0, 3, 40)
    model = models.Sequential([layers.Input((3,), dtype="float64"), layers.Dense(3, dtype="float64")])
    neurons = [fundamentals.Perceptron(3, learning_rate=0.1) for _ in range(3)]
    model.set_weights([np.stack([n.weights for n in neurons], 1), np.array([n.bias for n in neurons])])
    model.compile(optimizers.SGD(0.1), perceptron_loss)
    model.fit(x, y, batch_size=1, epochs=2, shuffle=False, verbose=0)
    for _ in range(2):
        for example, label in zip(x, y):
            for k, neuron in enumerate(neurons):
                neuron.train(example, int(label == k))
    kernel, bias = model.get_weights()
    assert np.allclose(kernel, np.stack([n.weights for n in neurons], 1), atol=1e-6)
    assert np.allclose(bias, [n.bias for n in neurons], atol=1e-6)


def test_perceptrons_on_digits(call):
    code, out, _ = call("train --model perceptron --epochs 10 --batch-size 32 --out run")
    assert code == 0
    accuracy = re.search(r"test accuracy: (\S+) %", out)
    assert accuracy is not None
    assert float(accuracy[1]) > 85
    assert accuracy[0] in call("evaluate run/model.keras")[1]
    keras = pytest.importorskip("keras")
    assert keras.saving.load_model("run/model.keras").output_shape == (None, 10)
    from PIL import Image

    Image.fromarray(drawings()["black_on_white"]).save("zero.png")
    code, out, _ = call("predict run/model.keras zero.png")
    assert code == 0
    assert len(re.findall(r"^  score \S+  \d$", out, re.M)) == 3


# Tables


def test_classes_of_a_table(call):
    x, kinds = two_classes()
    write_table("pets.csv", x, kinds, "size,noise,kind")
    code, out, _ = call("train --data pets.csv --target kind --epochs 30 --out run")
    assert code == 0
    assert "test accuracy: 100.0 %" in out
    for command in re.findall(r"^  .*?((?:evaluate|summary|predict) .*)$", out, re.M):
        assert call(command)[0] == 0
    Path("new.csv").write_text("noise,size\n0,90\n0,110\n")  # another order, no target
    assert call("predict run/model.keras new.csv")[1] == "new.csv row 1: cat\nnew.csv row 2: dog\n"
    Path("lacking.csv").write_text("noise\n0\n")
    code, _, err = call("predict run/model.keras lacking.csv")
    assert (code, err) == (2, "layerwise: lacking.csv: lacks columns that the model needs: size\n")
    code, _, err = call("predict run/model.keras new.png")
    assert code == 2
    assert "needs a .csv" in err
    assert "Columns: size, noise\nClasses: cat, dog" in call("summary run/model.keras")[1]


def test_text_dates_and_missing_values_of_a_table(call):
    rows = [f'"{i}","{"ab"[i % 2]}",{"" if i == 7 else i},2024-01-{i % 28 + 1:02},"00{i % 2}"' for i in range(80)]
    Path("r.csv").write_text("\n".join(['"","kind","size","day","code"', *rows]) + "\n")  # as R writes
    line = "train --data r.csv --target code --missing mean --ignore size --epochs 20 --out run"
    code, out, err = call(line)
    assert (code, err) == (0, "layerwise: note: the first column, which has no name (numbers of rows?), is left out\n")
    assert "data: r.csv, 2 columns (1 date, 1 text; 5 inputs), 2 classes" in out
    assert "test accuracy: 100.0 %" in out
    code, out, err = call("predict run/model.keras r.csv")
    assert out.splitlines()[:2] == ["r.csv row 1: 000", "r.csv row 2: 001"]
    assert "note: r.csv: columns that the model does not use: size\n" in err
    Path("new.csv").write_text("kind;day\nb;NA\nc;2024-01-31\n")
    code, out, err = call("predict run/model.keras new.csv")
    assert out.startswith("new.csv row 1: 001\n")
    assert err.splitlines() == [
        "layerwise: note: new.csv: column 'kind': 1 row with 'c' taken for none of the values that were learned",
        "layerwise: note: new.csv: column 'day': 1 missing value taken for '2024-01-02'",
    ]
    assert "Columns: kind (text), day (date)\nClasses: 000, 001" in call("summary run/model.keras")[1]
    assert "test accuracy: 100.0 %" in call("evaluate run/model.keras --data r.csv")[1]


def test_perceptron_on_a_table(call):
    x, kinds = two_classes()
    write_table("pets.csv", x, kinds, "size,noise,kind")
    code, out, _ = call("train --data pets.csv --target kind --model perceptron --epochs 5 --out run")
    assert code == 0
    assert "test accuracy: 100.0 %" in out


def test_regression_predicts_in_the_unit_of_the_target(call):
    rng = np.random.default_rng(0)
    x = rng.uniform(0, 1, (200, 2))
    y = 50_000 + 10_000 * x[:, 0] - 5_000 * x[:, 1]
    write_table("flats.csv", x, y, "size,noise,price")
    code, out, _ = call("train --data flats.csv --target price --epochs 60 --out run")
    assert code == 0
    error, guess = map(float, re.search(r"error: (\S+) \(always guessing the mean: (\S+)\)", out).groups())
    assert error < 0.1 * guess
    assert f"test mean absolute error: {error:.4g}" in call("evaluate run/model.keras --data flats.csv")[1]
    Path("new.csv").write_text("size,noise\n0.5,0.5\n")
    row = call("predict run/model.keras new.csv")[1]
    assert float(row.split(": ")[1]) == pytest.approx(52_500, abs=500)
    assert "Predicts: price" in call("summary run/model.keras")[1]


def statistics(path: str) -> list[np.ndarray]:
    """Everything that a model keeps of the data's scale."""
    found = []
    for layer in load_model(path).layers:
        config = layer.get_config()
        found += [np.asarray(config[name]) for name in ("mean", "variance", "scale", "offset") if name in config]
    return found


def test_statistics_come_from_training_rows_only(call):
    """An outlier among the test rows, in an input and in the target, changes nothing that is learned."""
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(50, 2)), rng.normal(size=50)
    _, test = stratified_split(np.zeros(50), 0.2)
    write_table("clean.csv", x, y, "a,b,y")
    x[test[0], 1], y[test[1]] = 1e6, -1e6
    write_table("outlier.csv", x, y, "a,b,y")
    for name in ("clean", "outlier"):
        assert call(f"train --data {name}.csv --target y --epochs 2 --out {name}")[0] == 0
    clean, outlier = statistics("clean/model.keras"), statistics("outlier/model.keras")
    assert len(clean) == 4
    assert all(np.array_equal(a, b) for a, b in zip(clean, outlier))
    rest = np.setdiff1d(np.arange(50), test)
    fit = rest[stratified_split(np.zeros(len(rest)), 0.1)[0]]
    assert np.allclose(clean[0], x[fit].mean(0), atol=1e-6)
    assert np.allclose(clean[2:], [y[fit].std(), y[fit].mean()], atol=1e-6)


def test_image_statistics_come_from_training_rows_only(call):
    rng = np.random.default_rng(0)
    x, y = rng.uniform(-2, 3, (40, 6, 6)).astype(np.float32), np.arange(40) % 2
    x[::2, :3] += 1
    bright = x[30:] + 0
    bright[0, 0, 0] = 1000
    np.savez("clean.npz", x_train=x[:30], y_train=y[:30], x_test=x[30:], y_test=y[30:])
    np.savez("outlier.npz", x_train=x[:30], y_train=y[:30], x_test=bright, y_test=y[30:])
    for name in ("clean", "outlier"):
        assert call(f"train --data {name}.npz --model mlp --epochs 1 --out {name}")[0] == 0
    clean, outlier = statistics("clean/model.keras"), statistics("outlier/model.keras")
    assert all(np.array_equal(a, b) for a, b in zip(clean, outlier))
    scaled = (x[:30] * clean[0]) + clean[1]
    assert -0.2 < scaled.min() < 0.2
    assert 0.8 < scaled.max() < 1.2


def test_a_column_that_never_changes_does_no_harm(call):
    x, kinds = two_classes()
    write_table("pets.csv", np.c_[x, np.full(len(x), 0.1)], kinds, "size,noise,same,kind")
    code, out, _ = call("train --data pets.csv --target kind --epochs 30 --out run")
    assert code == 0
    assert "test accuracy: 100.0 %" in out


# Images in files


def write_folder(folder: str, mode: str = "L") -> None:
    """Two classes of images, bright left and bright right."""
    from PIL import Image

    rng = np.random.default_rng(0)
    for name, side in (("left", slice(0, 10)), ("right", slice(10, 20))):
        Path(folder, name).mkdir(parents=True)
        for i in range(20):
            pixels = rng.integers(0, 60, (20, 20, 3), dtype=np.uint8)
            pixels[:, side] += 150
            Image.fromarray(pixels).convert(mode).save(Path(folder, name, f"{i}.png"))


@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_a_folder_of_images(call, mode):
    write_folder("photos", mode)
    code, out, err = call("train --data photos --epochs 4 --batch-size 8 --out run")
    assert code == 0, err
    assert "test accuracy: 100.0 %" in out
    assert call("evaluate run/model.keras --data photos")[0] == 0
    code, out, _ = call("predict run/model.keras photos/left/0.png photos/right/0.png")
    assert re.findall(r"^photos/(\w+)/0.png: (\w+)$", out, re.M) == [("left", "left"), ("right", "right")]


def test_image_size(call):
    write_folder("photos")
    assert call("train --data photos --model mlp --image-size 8 --epochs 1 --out run")[0] == 0
    assert load_model("run/model.keras").input_shape == (None, 8, 8, 1)
    write_folder("colour", "RGB")
    code, out, _ = call("evaluate run/model.keras --data colour")  # brought to size and grey
    assert code == 0
    assert "8 test examples" in out


def test_large_images_are_shrunk(call):
    np.savez("large.npz", x=np.zeros((20, 300, 200), np.uint8) + np.arange(20, dtype=np.uint8)[:, None, None] % 2 * 200,
             y=np.arange(20) % 2)  # fmt: skip
    assert call("train --data large.npz --model mlp --epochs 1 --out run")[0] == 0
    assert load_model("run/model.keras").input_shape == (None, 96, 96, 1)


def write_idx(folder: Path, x: np.ndarray, y: np.ndarray, part: str) -> None:
    for name, array in ((f"{part}-images-idx3-ubyte", x), (f"{part}-labels-idx1-ubyte", y)):
        header = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes()
        (folder / name).write_bytes(header + array.astype(np.uint8).tobytes())


def test_idx_files(call):
    (x, y), (x_test, y_test) = datasets.digits.load_data()
    folder = Path("idx")
    folder.mkdir()
    write_idx(folder, x[:300], y[:300], "train")
    write_idx(folder, x_test[:100], y_test[:100], "t10k")
    code, out, _ = call("train --data idx --model mlp --no-augment --epochs 20 --out run")
    assert code == 0
    assert "100 to test" in out
    assert float(re.search(r"test accuracy: (\S+) %", out)[1]) > 80


def test_mnist(call, test_data):
    """A multilayer perceptron on a part of the real data: reading it, and learning from it."""
    (x, y), (x_test, y_test) = datasets.mnist.load_data(test_data / "mnist")
    np.savez("part.npz", x_train=x[:5000], y_train=y[:5000], x_test=x_test[:1000], y_test=y_test[:1000])
    code, out, _ = call("train --data part.npz --model mlp --epochs 4 --out run")
    assert code == 0
    assert float(re.search(r"test accuracy: (\S+) %", out)[1]) > 85


# Models from elsewhere, and how the command was called


def test_a_model_that_was_not_trained_here(call):
    from PIL import Image

    model = models.Sequential([layers.Input((20, 20, 1)), layers.Flatten(), layers.Dense(3, use_bias=False)])
    kernel = np.zeros((400, 3), "float32")
    kernel[:200, 2] = 1  # the third output is the light in the upper half
    model.set_weights([kernel])
    model.save("own.keras")
    page = np.zeros((20, 20), np.uint8)
    page[:10] = 255
    Image.fromarray(page).save("page.png")
    code, out, _ = call("predict own.keras page.png")
    assert code == 0
    assert out.splitlines()[:2] == ["page.png: 2", "  score 200  2"]
    number = models.Sequential([layers.Input((8, 8, 2)), layers.Flatten(), layers.Dense(1)])
    number.save("number.keras")
    assert "takes inputs of shape (8, 8, 2), which no image has" in call("predict number.keras page.png")[2]
    assert call("evaluate number.keras")[2] == "layerwise: digits: is for classification, the model for regression\n"
    a, b = layers.Input((2,)), layers.Input((2,))
    models.Model([a, b], layers.Add()([a, b])).save("two.keras")
    assert "two.keras: expected a model with one input of a known shape" in call("predict two.keras page.png")[2]


def test_images_come_in_the_range_that_the_model_was_trained_on(call):
    """A model of one number, the first pixel as its first layer gives it."""
    from PIL import Image

    Image.fromarray(np.full((4, 4), 51, np.uint8)).save("page.png")
    unknown = (
        "layerwise: note: own.keras: does not tell which values its pixels have: black is taken for 0, white for 1\n"
    )
    for first, expected, said in (
        (layers.Rescaling(1 / 127.5, -1), -0.6, ""),
        (layers.Rescaling(1 / 255), 0.2, ""),
        (layers.Rescaling(2, -1), -0.6, ""),
        (layers.Normalization(mean=127.5, variance=127.5**2), -0.6, ""),
        (layers.Normalization(mean=0.5, variance=0.25), -0.6, ""),
        (layers.Identity(), 0.2, unknown),
    ):
        model = models.Sequential([layers.Input((4, 4, 1)), first, layers.Flatten(), layers.Dense(1)])
        model.layers[-1].set_weights([np.eye(16, 1, dtype="float32"), np.zeros(1, "float32")])
        model.save("own.keras")
        _, out, err = call("predict own.keras page.png")
        assert float(out.split(": ")[1]) == pytest.approx(expected, abs=1e-5)
        assert err.startswith(said)
        assert bool(err) == bool(said)
    model.file_notes = {"card": {"pixels": [-2.0, 3.0]}}
    model.save("own.keras")
    assert call("predict own.keras page.png")[1:] == ("page.png: -1\n", "")


@pytest.mark.parametrize("on_path", [True, False])
def test_next_commands_call_it_as_it_was_called(call, monkeypatch, tmp_path, on_path):
    script = tmp_path / ".venv" / "bin" / "layerwise"
    script.parent.mkdir(parents=True)
    script.write_text("#!/bin/sh\n")
    script.chmod(0o755)
    monkeypatch.setattr(sys, "argv", [str(script)])
    if on_path:
        monkeypatch.setenv("PATH", str(script.parent))
    out = call(f"train {QUICK} --out 'my run'")[1]
    program = "layerwise" if on_path else ".venv/bin/layerwise"
    assert f"\n  {program} summary 'my run/model.keras'\n" in out
    monkeypatch.chdir(script.parent)
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(sys, "argv", ["/opt/layerwise"])
    assert "\n  /opt/layerwise summary" in call(f"train {QUICK} --out run")[1]


@pytest.mark.parametrize("arguments", ["--help", "train --help", "summary MODEL", f"train {QUICK} --out run"])
def test_output_that_nobody_reads(arguments, digits_model):
    """`layerwise ... | head` ends without a word; a training has saved its model."""
    command = [*COMMAND, *arguments.replace("MODEL", str(digits_model)).split()]
    run = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=ENVIRONMENT, text=True)
    run.stdout.close()
    assert (run.stderr.read(), run.wait() in (0, 1, 141)) == ("", True)  # argparse and rich have their own codes


def test_a_training_that_nobody_reads_on_saves_its_model(call, monkeypatch):
    def cut_off(*_):
        raise BrokenPipeError

    monkeypatch.setattr("layerwise.callbacks.CSVLogger.on_epoch_end", cut_off)
    code, _, err = call(f"train {QUICK} --out run")
    assert (code, err) == (141, "")
    assert load_model("run/model.keras").built


@pytest.mark.parametrize(("made", "message"), [
    ([layers.RandomFlip(), layers.Dropout(0.5)], "training: only training is made harder, by augmentation and dropout"),
    ([layers.Dense(1)], "validation is better than training: training is measured while it learns"),
])  # fmt: skip
def test_a_curve_of_validation_above_training_is_explained(made, message):
    history, model = callbacks.History(), models.Sequential(made)
    history.history = {"loss": [2.0, 1.0], "val_loss": [1.5, 0.5]}
    assert message in _surprise(history, model)
    history.history = {"loss": [1.0], "accuracy": [0.9], "val_loss": [0.5], "val_accuracy": [0.8]}
    assert _surprise(history, model) is None
    history.history = {"loss": [1.0]}
    assert _surprise(history, model) is None


# What is wrong with what was given


def mistakes() -> dict[str, str]:
    """What the message has to say for each command line."""
    return {
        "trian": "unknown command 'trian'; did you mean 'train'?",
        "train --epoch 3": "unknown option '--epoch'; did you mean '--epochs'",
        "train --show": "unknown option '--show' (another command has it)",
        "train photos": "unknown argument 'photos'",
        "train --model cnm": "invalid choice: 'cnm'",
        "train --epochs 0": "--epochs: expected a whole number of 1 or more, got '0'",
        "train --batch-size many": "--batch-size: expected a whole number",
        "train --learning-rate -1": "--learning-rate: expected",
        "train --learning-rate nan": "--learning-rate: expected a number above 0, got 'nan'",
        "train --seed -1": "--seed: expected",
        "train --seed 4294967296": "--seed: expected a whole number from 0",
        "train --optimizer adm": "unknown optimizer 'adm'; did you mean",
        "train --model perceptron --optimizer adam": "perceptron rule alone",
        "train --overwrite": "--overwrite: needs --out",
        "train --data nowhere": "no file or folder 'nowhere'",
        "train --data digits --target x": "--target: is for files of your own",
        "train --data digits --task regression": "--task: is for files of your own",
        "train --data pets.csv": "which column is to be predicted? Give --target COLUMN; columns: size, noise, kind",
        "train --data pets.csv --target kid": "no column 'kid'; its columns are size, noise, kind",
        "train --data pets.csv --target kind --model cnn": "--model cnn: needs images",
        "train --data pets.csv --target kind --augment": "--augment: rotates and shifts images",
        "train --data pets.csv --target kind --image-size 8": "--image-size: 'pets.csv' holds a table",
        "train --data pets.csv --target kind --task regression": "regression needs numbers",
        "train --data numbers.csv --target b --model perceptron": "cannot predict a number",
        "train --data missing.csv --target b": "values are missing: a (1 of 2); choose --missing drop|mean|",
        "train --data text.csv --target b": "text.csv: column 'a' holds another text in each row ('one', '2', ...)",
        "train --data text.csv --target b --ignore c": "text.csv: no column 'c'; its columns are a, b",
        "train --data text.csv --target b --ignore a": "only the target column 'b'",
        "train --data text.csv --target b --missing zero": "--missing: invalid choice: 'zero'",
        "train --data text.csv --target b --delimiter no": "--delimiter: expected one character or 'tab', got 'no'",
        "train --data both.csv --target b": "both.csv: its columns may be parted by ',' or ';': say which (--delimiter",
        "train --missing mean": "--missing: is for files of your own",
        "train --data one.npz --ignore a": "ignore=['a'] tells how to read a table, but this is no .csv file",
        "train --data huge.csv --target b": "1e+300 in column 'a' is too large for single precision",
        "train --data nan.npz": "nan.npz: x: not finite",
        "train --data one.npz": "one class only",
        "train --data broken.npz": "broken.npz",
        "train --data empty": "empty: no images there",
        "train --data notes.txt": "notes.txt: expected",
        "train --model mlp --epochs 1 --out notes.txt/run": "notes.txt",
        "train --model mlp --epochs 3 --learning-rate 1e30 --out run": "try a smaller --learning-rate",
        "evaluate nowhere.keras": "nowhere.keras: no such model file",
        "evaluate notes.txt": "notes.txt",
        "evaluate broken.keras": "broken.keras: not a .keras file",
        "summary": "the following arguments are required: FILE",
        "predict broken.keras a.png": "broken.keras",
    }


def write_mistakes() -> None:
    x, kinds = two_classes(20)
    write_table("pets.csv", x, kinds, "size,noise,kind")
    Path("missing.csv").write_text("a,b\n1,2\n,3\n")
    Path("text.csv").write_text("a,b\none,2\n2,3\n3,2\n4,3\n")
    Path("both.csv").write_text("a,b;c\n1,2;3\n")
    write_table("huge.csv", np.array([[1e300], *[[i] for i in range(19)]]), ["p", "q"] * 10, "a,b")
    write_table("numbers.csv", np.arange(20.0)[:, None], np.arange(20) / 7, "a,b")
    bad = np.zeros((20, 3))
    bad[4, 1] = np.nan
    np.savez("nan.npz", x=bad, y=np.arange(20) % 2)
    np.savez("one.npz", x=np.zeros((20, 3)), y=np.zeros(20, int))
    for name in ("broken.npz", "broken.keras", "notes.txt"):
        Path(name).write_text("nothing of the kind")
    Path("empty").mkdir()


@pytest.mark.parametrize("line", mistakes())
def test_a_mistake_gets_one_line_and_exit_code_2(call, line):
    write_mistakes()
    code, _, err = call(line)
    assert code == 2, err
    assert err.startswith("layerwise: ")
    assert err.count("\n") == 1
    assert mistakes()[line] in err


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_may_not_be_written(call):
    Path("closed").mkdir(mode=0o500)
    code, _, err = call("train --model mlp --epochs 1 --out closed/run")
    assert (code, err) == (2, "layerwise: closed/run: Permission denied\n")


def test_evaluate_refuses_data_of_another_kind(digits_model, call):
    write_mistakes()
    np.savez("letters.npz", x=np.zeros((20, 8, 8), np.uint8), y=np.array(["a", "b"] * 10))
    wrong = {
        "--data letters.npz": "letters.npz: class 'a' is not among the model's: 0, 1, 2",
        "--data pets.csv --target kind": "pets.csv: examples have shape (2,), the model takes (8, 8, 1)",
    }
    for options, message in wrong.items():
        code, _, err = call(f"evaluate {digits_model} {options}")
        assert code == 2
        assert message in err


def test_evaluate_refuses_a_table_of_other_columns(call):
    x, kinds = two_classes(20)
    write_table("pets.csv", x, kinds, "size,noise,kind")
    write_table("other.csv", x, kinds, "size,colour,kind")
    assert call("train --data pets.csv --target kind --epochs 1 --out run")[0] == 0
    code, _, err = call("evaluate run/model.keras --data other.csv")
    assert (code, err) == (2, "layerwise: other.csv: lacks columns that the model needs: noise\n")
    code, _, err = call("evaluate run/model.keras")
    assert (code, err) == (2, "layerwise: digits: examples have shape (8, 8, 1), the model takes (2,)\n")


def test_help_is_for_beginners(call):
    assert "real handwritten digits" in call("")[1]
    code, out, _ = call("train --help")
    assert code == 0
    for word in ("--data", "--target", "--epochs", "passes over the training data", "one sub-folder a class"):
        assert word in out
    assert call("--version")[1].startswith("layerwise ")
    assert "runs/DATE-N" in out
