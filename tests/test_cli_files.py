"""`layerwise summary` and `layerwise convert`: every format of files, looked at without making anything."""

import json
import shlex
import zipfile
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np
import pytest

import layerwise
from layerwise import layers, saving
from layerwise.cli import main
from layerwise.saving import FileFormatError, save_safetensors
from layerwise.saving.contents import describe

GOLDEN = Path(__file__).parent / "golden"


@pytest.fixture
def call(capsys, tmp_path, monkeypatch):
    """Run the command in an empty folder; returns exit code, standard output, standard error."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")

    def run(line: str) -> tuple[int, str, str]:
        capsys.readouterr()
        code = main(shlex.split(line))
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run


def network(k: Any = layerwise, compiled: bool = True) -> Any:
    """53 parameters: a model inside a model, an operation, a layer that is there twice, and one without weights."""
    inner = k.Sequential(
        [k.layers.Input((4,)), k.layers.Dense(4, name="first"), k.layers.BatchNormalization(name="bn")], name="inner"
    )
    x = k.layers.Input((4,), name="x")
    y = k.layers.ReLU(name="relu")(inner(x) * 2.0)
    model = k.Model(x, k.layers.Dense(3, name="last")(k.layers.Dropout(0.1, name="drop")(y)), name="net")
    if compiled:
        model.compile("adam", "mse")
        model.fit(np.ones((4, 4)), np.ones((4, 3)), verbose=0)
    return model


def expect(contents: Any, parts: dict[str, int], optimizer: int = 0) -> None:
    """The parts' names with their numbers of parameters, and the number of the optimizer's arrays."""
    assert {part.name.strip(): sum(a.size for a in part.arrays) for part in contents.parts} == parts
    assert len(contents.optimizer) == optimizer


PARTS = {"x": 0, "inner": 0, "first": 20, "bn": 16, "relu": 0, "drop": 0, "last": 15}
FLAT = {"x": 0, "inner": 36, "relu": 0, "drop": 0, "last": 15}
SLOTS = 2 + 2 * 6


@pytest.mark.parametrize("k", [layerwise, keras])
def test_models_are_described_whoever_wrote_them(k, tmp_path):
    model = network(k)
    model.save(tmp_path / "m.keras")
    model.save(tmp_path / "folder", zipped=False)
    model.save(tmp_path / "m.h5")
    model.save_weights(tmp_path / "m.weights.h5")
    for name in ("m.keras", "folder"):
        contents = describe(tmp_path / name)
        expect(contents, PARTS, SLOTS)
        assert contents.facts["Model"] == "net (Functional)"
        assert contents.facts["Optimizer"] == "Adam"
        assert contents.facts["Written by"].startswith("Layerwise" if k is layerwise else "Keras 3")
    contents = describe(tmp_path / "m.h5")
    expect(contents, FLAT, SLOTS)
    assert [part.kind for part in contents.parts][:2] == ["InputLayer", "Sequential"]
    weights = {
        "layers/dense": 15,
        "layers/sequential/layers/batch_normalization": 16,
        "layers/sequential/layers/dense": 20,
    }
    if k is keras:
        weights |= {"layers/dropout/seed_generator": 2} if len(describe(tmp_path / "m.weights.h5").parts) > 3 else {}
    expect(describe(tmp_path / "m.weights.h5"), weights, SLOTS)


def test_weights_alone(tmp_path):
    model = network(compiled=False)
    model.save_weights(tmp_path / "w.h5")
    expect(describe(tmp_path / "w.h5"), {"inner": 36, "last": 15})
    model.save_weights(tmp_path / "w.safetensors")
    contents = describe(tmp_path / "w.safetensors")
    assert sum(array.size for part in contents.parts for array in part.arrays) == 51
    assert contents.facts["format"] == "layerwise"
    assert describe(GOLDEN / "torch_cnn.safetensors").facts == {"format": "pt"}
    pytest.importorskip("onnx")
    model.export(tmp_path / "m.onnx")
    contents = describe(tmp_path / "m.onnx")
    assert contents.facts["Inputs"] == "x (batch, 4)"
    assert contents.facts["Opset"] == "ai.onnx 18"
    assert [part.kind for part in contents.parts][-1] == "Identity"


def test_a_model_that_is_code_shows_what_is_stored(tmp_path):
    class Own(layerwise.Model):
        def __init__(self):
            super().__init__()
            self.dense = layers.Dense(2)

        def build(self, shape):
            self.dense.build(shape)
            self.scale = self.add_weight(shape=(2,), name="scale")

        def call(self, x):
            return self.dense(x) * self.scale

    model = Own()
    model.build((None, 3))
    model.save(tmp_path / "own.keras")
    expect(describe(tmp_path / "own.keras"), {"(the model)": 2, "dense": 8})


def test_nothing_is_made(tmp_path, monkeypatch):
    network().save(tmp_path / "m.keras")
    network().save(tmp_path / "m.h5")

    def refuse(*args: Any, **kwargs: Any) -> None:
        raise AssertionError("something was made")

    monkeypatch.setattr(layers.Layer, "__init__", refuse)
    monkeypatch.setattr(layerwise.Variable, "__init__", refuse)
    monkeypatch.setattr(saving.hdf5.Store, "__getitem__", refuse)
    for name in ("m.keras", "m.h5"):
        describe(tmp_path / name)


def test_bfloat16_is_counted(tmp_path):
    import ml_dtypes

    save_safetensors({"w": np.zeros(3, ml_dtypes.bfloat16)}, tmp_path / "w.safetensors")
    assert describe(tmp_path / "w.safetensors").parts[0].arrays[0].nbytes == 6


def test_files_that_are_nothing(tmp_path):
    for name, message in (
        ("x.keras", "not a .keras file"), ("x.h5", "not an HDF5 file"), ("x.safetensors", "not a safetensors file"),
        ("x.onnx", "not an ONNX file"), ("x.txt", "expected a name that ends in"),
    ):  # fmt: skip
        (tmp_path / name).write_bytes(b"abc")
        with pytest.raises(FileFormatError, match=message):
            describe(tmp_path / name)
    network(compiled=False).save(tmp_path / "m.keras")
    with zipfile.ZipFile(tmp_path / "m.keras") as old, zipfile.ZipFile(tmp_path / "odd.keras", "w") as new:
        for name in old.namelist():
            new.writestr(name, json.dumps({"config": 3}) if name == "config.json" else old.read(name))
    with pytest.raises(FileFormatError, match=r"odd\.keras: config\.json: .*int"):
        describe(tmp_path / "odd.keras")
    network(compiled=False).save(tmp_path / "m.h5")
    with h5py.File(tmp_path / "m.h5", "r+") as file:
        file.attrs["model_config"] = '{"config": {"layers": [3]}}'
    with pytest.raises(FileFormatError, match=r"m\.h5: model_config: .*int"):
        describe(tmp_path / "m.h5")
    with h5py.File(tmp_path / "m.h5", "r+") as file:
        file.attrs["model_config"] = "[]"
    with pytest.raises(FileFormatError, match=r"m\.h5: model_config: expected a JSON object"):
        describe(tmp_path / "m.h5")


def test_summary(call):
    network().save("m.keras")
    code, out, _ = call("summary m.keras")
    assert code == 0
    for text in ("m.keras: Keras 3 model", "first (Dense)", "4x4 4", "Total parameters: 51 (204.00 B)", "Loss: mse"):
        assert text in out
    assert "Optimizer's state: 88" in out
    assert call("summary none.keras")[2] == "layerwise: none.keras: no such model file\n"


def test_convert(call):
    model = network(compiled=False)
    x = np.random.default_rng(0).normal(size=(3, 4)).astype("float32")
    expected = model.predict(x, verbose=0)
    model.save("m.keras")
    for target in ("m.h5", "m.weights.h5", "m.safetensors", "m.onnx"):
        assert call(f"convert m.keras {target}")[0] == 0
    assert call("convert m.h5 again.keras")[0] == 0
    for source in ("m.weights.h5", "m.safetensors", "m.h5"):
        assert call(f"convert {source} again.keras --layers m.keras --overwrite")[1] == "again.keras: Keras 3 model\n"
        np.testing.assert_array_equal(saving.load_model("again.keras").predict(x, verbose=0), expected)


def test_convert_refuses(call):
    network(compiled=False).save("m.keras")
    for line, message in (
        ("convert m.keras m.txt", "expected a name that ends in"),
        ("convert m.keras m.keras", "exists; --overwrite replaces it"),
        ("convert w.safetensors w.h5", "holds weights alone; --layers MODEL"),
        ("convert m.onnx x.keras", "not be made a model of layers"),
        ("convert none.keras x.h5", "no such model file"),
    ):
        if "w.safetensors" in line:
            call("convert m.keras w.safetensors")
        if "m.onnx" in line:
            call("convert m.keras m.onnx")
        code, _, error = call(line)
        assert code == 2
        assert message in error
