"""Every file in examples/ runs from start to end, says something, and draws what it promises to draw."""

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
EXAMPLES = sorted((ROOT / "examples").glob("*.py"))
HANGS_AFTER = 300  # seconds; no measure of speed


def marked(example):
    """Examples that check gradients need float64."""
    marks = [pytest.mark.float64] if "gradcheck" in example.read_text(encoding="utf-8") else []
    return pytest.param(example, marks=marks, id=example.stem)


@pytest.mark.parametrize("example", map(marked, EXAMPLES))
def test_example_runs(example, tmp_path):
    source = example.read_text(encoding="utf-8")
    draws = "--out" in source
    path = os.pathsep.join(filter(None, [str(ROOT / "src"), os.environ.get("PYTHONPATH")]))
    done = subprocess.run(
        [sys.executable, str(example), *(["--out", "pictures"] if draws else [])],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": path, "MPLBACKEND": "Agg", "TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=HANGS_AFTER,
    )
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) >= 3
    assert "Warning" not in done.stderr
    if draws:
        pictures = list((tmp_path / "pictures").glob("*.png"))
        assert pictures
        assert all(picture.read_bytes().startswith(b"\x89PNG") for picture in pictures)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_example_is_short_and_explains_itself(example):
    source = example.read_text(encoding="utf-8")
    assert re.fullmatch(r"\d\d_\w+", example.stem)
    assert len(source.splitlines()) < 80
    assert ast.get_docstring(ast.parse(source))


def test_there_are_ten_and_more():
    numbers = [path.stem[:2] for path in EXAMPLES]
    assert numbers == [f"{i:02}" for i in range(1, len(EXAMPLES) + 1)]
    assert len(EXAMPLES) >= 10
