"""The frame: what importing costs, what a missing name says, and that the tree keeps to its order."""

import ast
import importlib
import importlib.util
import json
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

import layerwise
from layerwise import lazy as lazy_module
from layerwise.lazy import keras_names, lazy

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "layerwise"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))

# Data flows downwards: a module imports, at module level, only from lines above its own.
ORDER = """
    fundamentals
    context naming hashing signatures lazy catalog tree
    cores parallel config dtypes observe terminal
    backends autograd
    variables stateless
    ops quantile seeds random distribution serialization dtype_policies quantizers
    initializers regularizers constraints activations
    layers losses metrics optimizers
    callbacks training models distillation
    data datasets saving applications inspect utils
    preprocessing visualization wrappers
    backend mixed_precision compat cli __main__
""".split()
# Imports inside functions that point the other way: one at most.
UPWARD = {
    "models.model -> saving",  # model.save("m.keras")
}
OPTIONAL = "PIL jax keras matplotlib onnx scipy sklearn tensorboard tensorboardX tensorflow".split()


def python(code: str) -> str:
    """What `code` prints in an interpreter of its own."""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT / "src")
    assert run.returncode == 0, run.stderr
    return run.stdout


# Importing


def test_a_variable_is_enough_to_compute_with():
    """Its operators find the operations when one is used; to make and read it none is needed."""
    made = "import sys; from layerwise import Variable; v = Variable([2.0]); "
    assert python(f"{made} print((v * v).item())") == "4.0\n"
    assert python(f"{made} v.numpy(); print('layerwise.ops' in sys.modules)") == "False\n"


def test_import_is_light():
    """No optional dependency, neither rich nor h5py, and less than 60 MB; the time is shown by `pytest -s`."""
    report = json.loads(
        python(
            "import time; start = time.perf_counter(); import layerwise; seconds = time.perf_counter() - start\n"
            "import json, pathlib, re, sys\n"
            "status = pathlib.Path('/proc/self/status')\n"  # Linux; getrusage counts the parent in
            "kilobytes = re.search(r'VmHWM:\\s+(\\d+)', status.read_text())[1] if status.exists() else 0\n"
            "print(json.dumps({'seconds': seconds, 'MB': int(kilobytes) / 1024, 'modules': list(sys.modules)}))"
        )
    )
    print(f"import layerwise: {report['seconds']:.3f} s, {report['MB']:.0f} MB")
    assert not {"rich", "h5py", *OPTIONAL} & set(report["modules"])
    assert report["MB"] < 60


def test_every_public_name_loads_without_the_extras():
    """Each name in each table of contents is there, needs no extra, and loads neither rich nor h5py."""
    python(
        f"import sys; sys.modules.update(dict.fromkeys({OPTIONAL!r}))  # importing one raises ImportError\n"
        "import layerwise, types\n"
        "for name in layerwise.__all__:\n"
        "    module = getattr(layerwise, name)\n"
        "    if isinstance(module, types.ModuleType):\n"
        "        for public in getattr(module, '__all__', ()): getattr(module, public)\n"
        "assert not {'rich', 'h5py'} & set(sys.modules), 'load it in the function that needs it'"
    )


def test_lazy_names_are_listed_and_bound_once():
    assert set(layerwise.__all__) <= set(dir(layerwise))
    assert layerwise.lazy is importlib.import_module("layerwise.lazy")
    assert layerwise.fundamentals is sys.modules["layerwise.fundamentals"]


def test_a_lazy_name_called_like_its_module_is_refused():
    with pytest.raises(ValueError, match="'trace' is held by a module of the same name"):
        lazy("layerwise.inspect", {".trace": "trace"})


# Names that do not exist


def complaint(module: ModuleType, name: str) -> str:
    """What asking `module` for `name` raises; empty where it has it."""
    try:
        getattr(module, name)
    except AttributeError as error:
        return str(error)
    return ""


def test_missing_name_names_the_nearest():
    with pytest.raises(AttributeError, match=r"^layerwise has no 'sequental'; nearest: 'Sequential'"):
        layerwise.sequental  # noqa: B018
    with pytest.raises(AttributeError, match=r"^layerwise has no 'quux'$"):
        layerwise.quux  # noqa: B018
    assert not hasattr(layerwise, "__wrapped__")


@pytest.mark.parametrize("namespace", sorted(keras_names()))
def test_a_keras_name_that_we_lack_says_so(namespace):
    module = layerwise
    for part in namespace.split(".")[1:]:
        module = getattr(module, part, None)
    if module is None:
        pytest.skip(f"Layerwise has no counterpart of {namespace}")
    told = {name: complaint(module, name) for name in keras_names()[namespace]}
    silent = [name for name, said in told.items() if said and f"{namespace}.{name} is not in Layerwise" not in said]
    assert not silent, "call lazy.public_only(__name__) under the __all__ of the module"


@pytest.mark.parametrize("name", lazy_module._INSTEAD)
def test_what_is_left_out_by_choice_says_what_to_take(name):
    namespace, _, child = name.rpartition(".")
    module = importlib.import_module(namespace.replace("keras", "layerwise", 1))
    assert child in keras_names()[namespace]
    assert complaint(module, child).endswith(f"({name} is not in Layerwise): {lazy_module._INSTEAD[name]}")


def test_the_page_of_names_is_what_make_parity_writes():
    spec = importlib.util.spec_from_file_location("parity", ROOT / ".ci" / "parity.py")
    parity = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(parity)
    assert parity.PAGE.read_text("utf-8") == parity.report(), "make parity"


# The tree


def imports(module: Path) -> Iterator[tuple[str, bool]]:
    """(top-level part imported, whether at module level) for every import of ours that runs in `module`."""
    package = ["layerwise", *module.relative_to(SOURCE).parts[:-1]]

    def visit(node: ast.AST, at_module_level: bool) -> Iterator[tuple[str, bool]]:
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            return
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            base += node.module.split(".") if node.module else []
            names = [".".join([*base, alias.name]) for alias in node.names]  # the name may be a module's own
        for name in names:
            parts = name.split(".")
            if parts[0] == "layerwise" and len(parts) > 1 and parts[1] != "__version__":
                yield parts[1], at_module_level
        inside = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        for child in ast.iter_child_nodes(node):
            yield from visit(child, at_module_level and not inside)

    return visit(ast.parse(module.read_text("utf-8")), True)


def modules() -> list[Path]:
    return sorted(path for path in SOURCE.rglob("*.py") if path != SOURCE / "__init__.py")


def test_imports_follow_the_order():
    upward, wrong = set(), []
    for module in modules():
        here = module.relative_to(SOURCE).with_suffix("")
        assert here.parts[0] in ORDER, f"give {here.parts[0]} its place in ORDER"
        for there, at_module_level in imports(module):
            if there not in ORDER:
                wrong.append(f"{here} imports {there}: name the module that holds it")
            elif ORDER.index(there) > ORDER.index(here.parts[0]):
                if at_module_level:
                    wrong.append(f"{here} imports {there}")
                else:
                    upward.add(f"{'.'.join(here.parts)} -> {there}")
    assert not wrong
    assert upward == UPWARD
    assert len(UPWARD) <= 1


def test_fundamentals_import_nothing_of_ours():
    for module in (SOURCE / "fundamentals").glob("*.py"):
        assert {there for there, _ in imports(module)} <= {"fundamentals"}


def test_backends_are_named_in_one_place():
    """No "numpy", "native" or "xla" as a backend's name, and no import of jax, outside backends/ and config.py."""
    found = []
    for module in modules():
        if module.relative_to(SOURCE).parts[0] in ("backends", "config.py"):
            continue
        for node in ast.walk(ast.parse(module.read_text("utf-8"))):
            if isinstance(node, ast.Constant) and node.value in ("numpy", "native", "xla"):
                found.append(f"{module}:{node.lineno} names {node.value!r}")
            if isinstance(node, ast.Import | ast.ImportFrom):
                names = [a.name for a in node.names] if isinstance(node, ast.Import) else [node.module or ""]
                found += [f"{module}:{node.lineno} imports {n}" for n in names if n.split(".")[0] in ("jax", "jaxlib")]
    assert not found


# What is shipped and what it needs


def requirements(which: list[str]) -> set[str]:
    return {re.split(r"[\s\[<>=!~;]", requirement)[0] for requirement in which} - {"layerwise"}


def test_dependencies_are_documented():
    """One row for every requirement, in its extra, without an empty cell, and with the version that is pinned."""
    expected = dict.fromkeys(requirements(PROJECT["build-system"]["requires"]), "build")
    expected |= dict.fromkeys(requirements(PROJECT["project"]["dependencies"]), "core")
    for extra, needed in PROJECT["project"]["optional-dependencies"].items():
        expected |= dict.fromkeys(requirements(needed), extra)
    pins = (ROOT / "constraints.txt").read_text("utf-8").lower().splitlines()
    page = (ROOT / "docs" / "dependencies.md").read_text("utf-8")
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in page.splitlines() if line[:1] == "|"][2:]
    assert {row[0]: row[1] for row in rows} == expected
    for name, _, *cells in rows:
        assert all(cells), name
        version = cells[3].partition(",")[0]
        assert f"{name}=={version}".lower() in pins


OBJECTS = sorted(ROOT.glob("build/*/CMakeFiles/kernels_*.dir/kernels.cpp.o"))


@pytest.mark.skipif(not OBJECTS, reason="the C++ kernels were not compiled in this tree")
@pytest.mark.skipif(not shutil.which("nm"), reason="nm is not installed")
@pytest.mark.parametrize("compiled", OBJECTS, ids=lambda path: path.parent.stem)
def test_kernels_share_no_code_between_instruction_sets(compiled):
    """One global symbol, the table; nothing weak, of which the linker keeps one copy; nothing that runs at loading."""
    run = subprocess.run(["nm", compiled], capture_output=True, text=True, check=True)
    symbols = [line.split()[-2:] for line in run.stdout.splitlines()]
    shared = [name for kind, name in symbols if kind != "U" and not (kind.islower() and kind not in "uvw")]
    assert shared == [f"layerwise_{compiled.parent.stem}"]
    assert not [name for _, name in symbols if name.startswith(("_GLOBAL__", "__cxx_global"))]
    assert not [name for kind, name in symbols if kind == "U" and name.startswith("_Z")]


def test_the_public_names_of_keras_are_those_of_the_installed_one():
    keras = importlib.import_module("keras")
    missing = {name for name in keras_names()["keras.layers"] if not hasattr(keras.layers, name)}
    assert not missing
