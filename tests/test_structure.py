"""The structure of the source: no circles, small files and functions, nothing decided by where a thing stands."""

import ast
import inspect
import re
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import layerwise
from layerwise.autograd import Primitive

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "layerwise"
NATIVE = ROOT / "src" / "native"
MOST_LINES, MOST_LINES_OF_A_FUNCTION = 450, 60

# Imports that close a circle on purpose, at most four, each with its reason.
EXCEPTIONS: dict[tuple[str, str], str] = {
    ("models.model", "saving.api"): "Model.save writes what saving reads; users look for it on the model",
}


def check(offenders: Iterable[str], remedy: str) -> None:
    """There is no offender; where there is one, the remedy is told."""
    assert not sorted(offenders), remedy


def python_files() -> list[Path]:
    return sorted(SOURCE.rglob("*.py"))


def dotted(path: Path) -> str:
    """`layers.base` for layers/base.py, `layers` for layers/__init__.py."""
    parts = path.relative_to(SOURCE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {dotted(path): path for path in python_files()}


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"))


# Circles


@cache
def contents(package: str) -> dict[str, str]:
    """Which module holds each name of a package's lazy table of contents; empty where there is none."""
    path = MODULES.get(package)
    if path is None or path.name != "__init__.py":
        return {}
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("lazy", "_lazy"):
            here = f"layerwise.{package}".rstrip(".")
            table = ast.literal_eval(node.args[1]) if len(node.args) > 1 else {}
            full = {(here + m.rstrip(".") if m[:1] == "." else m): names for m, names in table.items()}
            return {name: m.removeprefix("layerwise.") for m, names in full.items() for name in names.split()}
    return {}


def targets(module: str, name: str) -> Iterator[str]:
    """The modules that `from module import name` leads to."""
    inner = f"{module}.{name}".lstrip(".")
    if inner in MODULES:
        yield inner
        yield from set(contents(inner).values())  # whoever holds a package may use all that its table names
    elif name in contents(module):
        home = contents(module)[name]
        yield home if home in MODULES and not contents(home) else contents(home).get(name, home)
    else:
        yield module


def imported(module: str) -> set[str]:
    """The modules that a module imports, anywhere in it; for types only, those of other packages."""
    path = MODULES[module]
    package = list(path.relative_to(SOURCE).parts[:-1])

    def visit(node: ast.AST, for_types: bool) -> Iterator[str]:
        pairs: list[tuple[str, str]] = []
        if isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else None
            parts = node.module.split(".") if node.module else []
            if base is None:
                base, parts = ([], parts[1:]) if parts[:1] == ["layerwise"] else (None, parts)
            if base is not None:
                pairs = [(".".join([*base, *parts]), alias.name) for alias in node.names]
        elif isinstance(node, ast.Import):
            names = [alias.name.split(".")[1:] for alias in node.names if alias.name.split(".")[0] == "layerwise"]
            pairs = [(".".join(parts[:-1]), parts[-1]) for parts in names if parts]
        for origin, name in pairs:
            for target in targets(origin, name):
                if not for_types or target.split(".")[0] != module.split(".")[0]:
                    yield target
        only_types = isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        for child in ast.iter_child_nodes(node):
            yield from visit(child, for_types or only_types)

    found = {t for t in visit(tree_of(path), False) if t in MODULES}
    return {t for t in found if t != module and (module, t) not in EXCEPTIONS}


def circles(graph: dict[str, set[str]]) -> set[frozenset[str]]:
    """The strongly connected components of more than one module (Tarjan, 1972)."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    components: set[frozenset[str]] = set()

    def connect(module: str) -> None:
        index[module] = low[module] = len(index)
        stack.append(module)
        for other in sorted(graph[module]):
            if other not in index:
                connect(other)
                low[module] = min(low[module], low[other])
            elif other in stack:
                low[module] = min(low[module], index[other])
        if low[module] == index[module]:
            component = set()
            while module not in component:
                component.add(stack.pop())
            components.add(frozenset(component))

    for module in sorted(graph):
        if module not in index:
            connect(module)
    return {component for component in components if len(component) > 1}


def test_no_modules_import_each_other_in_a_circle():
    found = circles({module: imported(module) for module in MODULES})
    check({" ".join(sorted(circle)) for circle in found}, "move what both need to a module below them")
    assert len(EXCEPTIONS) <= 4


def test_the_circles_of_an_example_are_found():
    graph = {"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}}
    assert circles(graph) == {frozenset("abc")}


# Sizes


def lines_of_code(text: str, first: int, last: int, without: set[int]) -> int:
    """Lines that are neither blank, nor a comment, nor among those left out."""
    lines = text.splitlines()[first - 1 : last]
    return sum(
        1
        for i, line in enumerate(lines, first)
        if line.strip() and not line.strip().startswith(("#", "//")) and i not in without
    )


def docstring_lines(node: ast.AST) -> set[int]:
    body = getattr(node, "body", [])
    first = body[0] if isinstance(body, list) and body else None
    if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str):
        return set(range(first.lineno, first.end_lineno + 1))
    return set()


def python_functions(path: Path) -> Iterator[tuple[str, int]]:
    """Each function's name and its lines of code."""
    text = path.read_text("utf-8")
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name, lines_of_code(text, node.lineno, node.end_lineno, docstring_lines(node))


def cpp_functions(path: Path) -> Iterator[tuple[str, int]]:
    """The same of C++: what stands in braces behind a parameter list, outside of any other such."""
    text = re.sub(r'"(?:[^"\\\n]|\\.)*"|\'(?:[^\'\\\n]|\\.)\'', '""', path.read_text("utf-8"))
    text = re.sub(r"//[^\n]*", "", text)
    head, depth, inside, begin, name = "", 0, None, 0, ""
    for i, char in enumerate(text):
        if char == "{":
            parameters = re.search(r"([\w~]+(?:<[^<>]*>)?)\s*\((?!.*\b(?:struct|class|namespace|enum)\b)", head, re.S)
            if inside is None and parameters and "=" not in head.split("(")[0]:
                inside, begin, name = depth, i, parameters[1]
            depth += 1
            head = ""
        elif char == "}":
            depth -= 1
            head = ""
            if inside == depth:
                inside = None
                yield name, sum(1 for line in text[begin:i].splitlines() if line.strip()) - 1
        elif char == ";":
            head = ""
        else:
            head += char


def test_files_are_short_enough_to_read():
    files = [*python_files(), *NATIVE.iterdir()]
    long = {
        p.relative_to(ROOT / "src").as_posix() for p in files if len(p.read_text("utf-8").splitlines()) > MOST_LINES
    }
    check(long, f"more than {MOST_LINES} lines: find the rooms in it")


def test_functions_are_short_enough_to_read():
    long = {
        f"{path.relative_to(ROOT / 'src').as_posix()} {name}"
        for files, functions in ((python_files(), python_functions), (sorted(NATIVE.glob("*.[hc]*")), cpp_functions))
        for path in files
        for name, lines in functions(path)
        if lines > MOST_LINES_OF_A_FUNCTION
    }
    check(long, f"more than {MOST_LINES_OF_A_FUNCTION} lines of code: name its parts")


# What decides


def deciding(node: ast.AST) -> Iterator[int]:
    """The lines where `__module__` or `__package__` is compared, tested or taken apart."""
    for inner in ast.walk(node):
        tests: list[ast.AST] = []
        match inner:
            case ast.Compare() | ast.BoolOp():
                tests = [inner]
            case ast.If() | ast.IfExp() | ast.While():
                tests = [inner.test]
            case ast.comprehension():
                tests = [*inner.ifs]
            case ast.Call(func=ast.Attribute(value=value, attr=attr)) if attr not in ("format", "join"):
                tests = [value]
        for test in tests:
            for leaf in ast.walk(test):
                name = leaf.attr if isinstance(leaf, ast.Attribute) else leaf.id if isinstance(leaf, ast.Name) else ""
                if name in ("__module__", "__package__"):
                    yield leaf.lineno


def test_nothing_is_decided_by_the_name_of_a_module():
    """Moving a file changes nothing: whether a class is the library's is asked of the catalogue, by identity."""
    places = {f"{dotted(path)}" for path in python_files() if any(deciding(tree_of(path)))}
    check(places, "ask the catalogue instead")


# What the documentation names


def public_objects() -> Iterator[tuple[str, Any]]:
    """Every public class and function of the packages, under the name that users write."""
    for space in layerwise.__all__:
        module = getattr(layerwise, space)
        if inspect.ismodule(module):
            for name in getattr(module, "__all__", ()):
                value = getattr(module, name)
                if inspect.isclass(value) or inspect.isroutine(value) or isinstance(value, Primitive):
                    yield f"{space}.{name}", value


def unnamed_arguments(value: Any) -> list[str]:
    """The arguments that a docstring does not mention."""
    try:
        parameters = inspect.signature(value).parameters
    except (TypeError, ValueError):
        return []
    text = inspect.getdoc(value) or ""
    starred = (inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL)
    names = [p.name for p in parameters.values() if p.kind not in starred]
    return [name for name in names if not re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text)]


def test_every_argument_is_named_in_the_documentation():
    """By the formula or under Args; an inherited `__init__` may be described where it stands."""
    missing = {name: arguments for name, value in public_objects() if (arguments := unnamed_arguments(value))}
    check(missing, f"say what they are: {missing}")
