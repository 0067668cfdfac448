"""What editors and type checkers see of the lazy tables of contents."""

import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest

import layerwise

ROOT = Path(__file__).parents[1]
SPEC = importlib.util.spec_from_file_location("stubs", ROOT / ".ci" / "stubs.py")
stubs = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(stubs)
TABLES = stubs.tables()

PROGRAM = """
from layerwise import Sequential, activations, callbacks, datasets, initializers
from layerwise import layers, losses, metrics, ops, optimizers

dense = layers.Dense(3, "relu", kernel_initializer="he_normal", name="first", input_shape=(4,))
reveal_type(dense)  # layers.Dense
reveal_type(dense.units)  # int
reveal_type(dense.kernel_initializer)  # Any
reveal_type(layers.MaxPool2D())  # layers.MaxPooling2D
reveal_type(losses.Huber(2.0))  # losses.Huber
reveal_type(losses.huber)  # -> layerwise.autograd.tape.Tensor
reveal_type(ops.exp)  # def (x: Any) -> layerwise.autograd.tape.Tensor
reveal_type(activations.silu)  # def (x: Any) -> layerwise.autograd.tape.Tensor
reveal_type(ops.reshape(dense.kernel, (3, -1)))  # layerwise.autograd.tape.Tensor
reveal_type(initializers.HeNormal(seed=1))  # initializers.HeNormal
reveal_type(optimizers.Adam(0.1, clipnorm=1.0))  # optimizers.Adam
reveal_type(optimizers.schedules.CosineDecay(0.1, 10))  # optimizers.schedules.CosineDecay
reveal_type(metrics.TopKCategoricalAccuracy(3))  # metrics.TopKCategoricalAccuracy
reveal_type(datasets.digits.load_data)  # def
reveal_type(callbacks.EarlyStopping())  # callbacks.stopping.EarlyStopping
model = Sequential([layers.Input((4,)), dense, layers.Dense(1)])
reveal_type(model)  # models.sequential.Sequential


class Own(layers.Dense):
    def __init__(self, units: int) -> None:
        super().__init__(units, use_bias=False)


layers.Dense(3, activatoin="relu")  # error: Unexpected keyword argument "activatoin"
layers.Flatten(axis=1)  # error: Unexpected keyword argument "axis"
layers.Dnse(3)  # error: Module has no attribute "Dnse"
losses.Huber(deltas=1.0)  # error: Unexpected keyword argument "deltas"
optimizers.SGD(clip_norm=1.0)  # error: Unexpected keyword argument "clip_norm"
metrics.BinaryAccuracy(threshold="a")  # error: incompatible type "str"
ops.exp(1.0, axis=0)  # error: Unexpected keyword argument "axis"
initializers.henormal()  # error: Module has no attribute "henormal"
Own(units="a")  # error: incompatible type "str"
"""


@pytest.mark.parametrize("path", TABLES, ids=lambda path: path.parent.name)
def test_a_stub_follows_from_its_table(path):
    assert stubs.stub(path, *TABLES[path]) == path.with_suffix(".pyi").read_text("utf-8"), "run: make stubs"


def test_stubs_stand_beside_tables_only():
    source = Path(layerwise.__file__).parent
    assert {path.with_suffix(".py") for path in source.rglob("__init__.pyi")} == set(TABLES)


def test_a_users_program_is_understood(tmp_path):
    """mypy infers what a name is, and finds a wrong argument and a name that is not there."""
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    command = [sys.executable, "-m", "mypy", "--config-file", ROOT / "pyproject.toml", program]
    run = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    said: dict[int, str] = {}
    for line in run.stdout.splitlines():
        if found := re.search(r"program\.py:(\d+): (?:error|note): (.*)", line):
            said[int(found[1])] = said.get(int(found[1]), "") + found[2]
    expected = {
        number: line.partition("  # ")[2].removeprefix("error: ")
        for number, line in enumerate(PROGRAM.splitlines(), 1)
        if "  # " in line
    }
    assert said.keys() == expected.keys(), run.stdout + run.stderr
    for number, what in expected.items():
        assert what in said[number]
