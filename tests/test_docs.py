"""The documentation speaks of what is there: the guide's sections, names, examples, links, recipes."""

import importlib
import re
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest

from layerwise import Variable, layers
from layerwise.autograd import Array, Tensor, elementwise, grad, gradcheck, primitives
from layerwise.backends import xp
from layerwise.backends.numpy import NumpyBackend
from layerwise.optimizers import Optimizer

ROOT = Path(__file__).parents[1]
PAGES = sorted((ROOT / "docs").rglob("*.md"))
TEXTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *PAGES]
NAME = re.compile(r"(?<![\w./-])layerwise(?:\.\w+)+")


def prose(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def headings(path: Path) -> list[str]:
    """The headings of a page, without what looks like one inside its code."""
    return re.findall(r"^#{2,3} (.+)$", re.sub(r"```.*?```", "", prose(path), flags=re.S), re.M)


def resolve(name: str) -> object:
    """The module, class, function or method of this dotted name."""
    found, path = importlib.import_module("layerwise"), "layerwise"
    for part in name.split(".")[1:]:
        path += f".{part}"
        try:
            found = getattr(found, part)
        except AttributeError:
            found = importlib.import_module(path)
    return found


def test_names_that_are_not_there_do_not_resolve():
    assert resolve("layerwise.models.Model.fit").__name__ == "fit"
    with pytest.raises(ImportError):
        resolve("layerwise.layers.NoSuchLayer")


def test_every_section_of_the_guide_is_mapped():
    assert len(headings(ROOT / "docs" / "guide.md")) > 20
    assert headings(ROOT / "docs" / "guide_map.md") == headings(ROOT / "docs" / "guide.md")


@pytest.mark.parametrize("page", TEXTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_name_on_a_page_is_there(page):
    for name in set(NAME.findall(prose(page))):
        resolve(name)


@pytest.mark.parametrize("page", TEXTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_links_lead_to_files(page):
    targets = re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", prose(page))
    assert not [target for target in targets if not (page.parent / target).exists()]


def test_every_example_is_linked():
    linked = set(re.findall(r"\(\.\./examples/([\w.]+)\)", prose(ROOT / "docs" / "guide_map.md")))
    assert linked == {path.name for path in (ROOT / "examples").glob("*.py")}


def test_every_page_is_in_the_table_of_contents():
    index = ROOT / "docs" / "index.md"
    for page in PAGES:
        name = page.relative_to(index.parent).with_suffix("").as_posix()
        assert page == index or re.search(rf"^{name}$", prose(index), re.M), name


def test_every_public_module_is_in_the_reference():
    pages = "".join(prose(page) for page in (ROOT / "docs" / "api").glob("*.md"))
    documented = set(re.findall(r"automodule:: (\S+)", pages))
    public = (f"layerwise.{name}" for name in importlib.import_module("layerwise").__all__)
    modules = {name for name in public if isinstance(resolve(name), ModuleType)}
    assert len(modules) > 20
    assert modules <= documented


# CONTRIBUTING's recipes


def recipe(first_line: str) -> dict[str, object]:
    """What the recipe that begins with this line defines."""
    blocks = re.findall(r"```python\n(.*?)```", prose(ROOT / "CONTRIBUTING.md"), re.S)
    (block,) = (block for block in blocks if block.startswith(first_line))
    names = {
        "__name__": "layerwise.recipe", "Any": Any, "Array": Array, "Layer": layers.Layer, "NumpyBackend": NumpyBackend,
        "Optimizer": Optimizer, "Tensor": Tensor, "Weight": layers.Weight, "elementwise": elementwise, "np": np,
        "xp": xp,
    }  # fmt: skip
    exec(compile(block, "CONTRIBUTING.md", "exec"), names)
    return names


@pytest.mark.float64
def test_the_recipe_for_an_operation():
    with patch.dict(primitives):
        primitives.pop("cube", None)  # whoever follows the recipe to the letter has it
        cube = recipe("@elementwise")["cube"]
        assert gradcheck(cube, [[-2.0, 0.5]])
        assert grad(grad(cube))(2.0).item() == 12


def test_the_recipe_for_a_layer():
    layer = recipe("class Scale")["Scale"](scale_initializer="ones")
    np.testing.assert_array_equal(layer([[1.0, 2.0]]), [[1.0, 2.0]])
    assert [v.shape for v in layer.trainable_variables] == [(2,)]
    assert type(layer).from_config(layer.get_config()).get_config() == layer.get_config()


def test_the_recipe_for_an_optimizer():
    optimizer, w = recipe("class SignDescent")["SignDescent"](0.5), Variable([1.0, 2.0])
    optimizer.apply_gradients([([3.0, -3.0], w)])
    np.testing.assert_array_equal(w, [0.5, 2.5])


def test_the_recipe_for_a_backend():
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, 3, 4)), rng.normal(size=(4, 5))
    backend = recipe("class ThriftyBackend")["BACKEND"]
    np.testing.assert_allclose(backend.dense(a, b, None, None), a @ b, rtol=1e-12)


def test_the_readme_prints_what_it_says(capsys):
    text = (ROOT / "README.md").read_text("utf-8")
    exec(compile(text.split("```python\n")[1].split("```")[0], "README.md", "exec"), {})
    said = re.search(r"It prints `test accuracy: ([\d.]+)%`", text)
    got = re.fullmatch(r"test accuracy: ([\d.]+)%\n", capsys.readouterr().out)
    assert abs(float(got[1]) - float(said[1])) < 1.5  # the last digits depend on the machine's BLAS
