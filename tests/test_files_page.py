"""The examples of docs/files.md run."""

import re
from pathlib import Path

import pytest

PAGE = (Path(__file__).parents[1] / "docs" / "files.md").read_text("utf-8")
EXAMPLES = {
    section.splitlines()[0]: code
    for section in PAGE.split("\n## ")[1:]
    for code in re.findall(r"```python\n(.*?)```", section, re.S)
}


@pytest.mark.parametrize("section", EXAMPLES)
def test_the_example_runs(section, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    exec(compile(EXAMPLES[section], section, "exec"), {})


def test_every_format_has_one():
    assert len(EXAMPLES) == PAGE.count("\n## ") - 1  # all but the command
