"""The documentation speaks of what is there: the guide's sections, names, examples, links."""

import importlib
import re
from pathlib import Path
from types import ModuleType

import pytest

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
