"""The benchmark's harness runs; what it measures is no test's business."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"


def bench(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(BENCHMARKS / "run.py"), *arguments, "--quick", "--contenders", "Layerwise"]
    return subprocess.run(command, capture_output=True, text=True, env={**os.environ, **environment}, timeout=300)


@pytest.fixture
def work(monkeypatch):
    """The module with the table of works."""
    monkeypatch.syspath_prepend(BENCHMARKS)
    import work

    yield work
    del sys.modules["work"]


def test_a_row_is_measured_written_and_kept(tmp_path):
    (tmp_path / "README.md").write_text("Introduction.\n<!-- measured: everything below is written by run.py -->\nold")
    compilers = [{}, {"CXX": "no-such-compiler"}]
    for name, compiler in zip(("mlp, batch 128", "conv 5x5 64->64, batch 128: forward"), compilers):
        done = bench(name, "--rounds", "2", "--out", str(tmp_path), **compiler)
        assert done.returncode == 0, done.stderr
    results = json.loads((tmp_path / "results.json").read_text())
    assert [row["name"] for row in results["rows"]] == ["train mlp, batch 128", "conv 5x5 64->64, batch 128: forward"]
    assert all(len(row["seconds"]["Layerwise"]) == 2 for row in results["rows"])
    assert all(row["peak_flops"] > 0 < row["peak_bytes"] for row in results["rows"])
    page = (tmp_path / "README.md").read_text()
    assert page.startswith("Introduction.")
    assert "old" not in page
    assert "| train mlp, batch 128 |" in page


def test_two_checkouts_are_contenders(tmp_path):
    """The tree against itself, by another path."""
    checkout = tmp_path / "before"
    for name in ("src", "benchmarks"):
        (checkout / name).parent.mkdir(exist_ok=True)
        (checkout / name).symlink_to(BENCHMARKS.parent / name)
    (checkout / ".venv").symlink_to(sys.prefix)
    done = bench("softmax", "--rounds", "3", "--against", str(checkout), "--out", str(tmp_path / "out"))
    assert re.search(r"Layerwise .*, Layerwise before .*, ratio \d\.\d{3}", done.stdout), done.stderr
    assert not (tmp_path / "out").exists()


def test_the_ratio_of_two_checkouts_is_taken_in_pairs(work):
    from report import paired_ratio

    assert paired_ratio([1.0, 4.0, 3.0], [1.0, 2.0, 2.0]) == 1.5


def test_an_unknown_work_is_refused():
    done = bench("no such work")
    assert done.returncode == 2
    assert "train cnn, batch 128" in done.stderr


def test_the_table_is_whole(work):
    table = work.works()
    assert len({entry.name for entry in table}) == len(table)
    groups = {"train", "predict", "conv", "matmul", "memory", "threads", "xla", "mnist"}
    assert {entry.group for entry in table} == groups
    assert work.training_products("cnn") == 8_188_032  # a training step's multiplications for one example
    for model, kernels in work.KERNELS.items():
        for first, last, kernel in zip(work.weights(model)[::2], work.weights_channels_first(model)[::2], kernels):
            assert first.shape == kernel
            assert last.shape[0] == kernel[-1]
            assert last.sum() == pytest.approx(first.sum(), abs=1e-3)
