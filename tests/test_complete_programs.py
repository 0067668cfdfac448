"""Complete programs in the style of Keras' documentation: what they learn is asked of them. `make complete` runs them
on the other backends, too.

A program leaves `quality`, `chance`, what guessing would reach, and `required`, what it has to. Where Keras can run it
on JAX, `golden/programs.json` has the quality that it reaches there (golden/programs.py).
"""

import json
import runpy
from pathlib import Path

import pytest

PROGRAMS = sorted((Path(__file__).parent / "programs").glob("*.py"))
KERAS = json.loads((Path(__file__).parent / "golden" / "programs.json").read_text("utf-8"))


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda path: path.stem)
def test_a_program_learns(program, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    left = runpy.run_path(str(program), run_name="__main__")
    assert left["required"] - left["chance"] >= 0.1
    assert left["quality"] >= left["required"]
    if program.stem in KERAS:
        assert left["quality"] >= KERAS[program.stem] - 0.08


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda path: path.stem)
def test_a_program_is_short(program):
    assert len(program.read_text("utf-8").splitlines()) <= 80
