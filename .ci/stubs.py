"""Write `__init__.pyi` beside each table of contents, lazy ones and that of `ops`: what editors and type checkers read.

    python .ci/stubs.py

The table stays the only source; tests/test_stubs.py finds a stub that no longer follows from it. A name stands there as
a re-export. A class whose `__init__` does not spell out all that it takes, because the options of its weights, of its
function or of a class above it join them, stands there with its exact signature, as a subclass of that in its module;
a primitive, which is an object, as the function that it is for its callers.
"""

import ast
import builtins
import collections.abc
import importlib
import inspect
import re
import typing
from inspect import Parameter
from pathlib import Path
from types import ModuleType
from typing import Any

from layerwise import ops
from layerwise.autograd import Primitive

SOURCE = Path(__file__).parents[1] / "src" / "layerwise"
HEAD = """# Written by .ci/stubs.py from the table of contents in __init__.py: change that one.
# fmt: off
# ruff: noqa
"""
# Where the keywords of these end; what the first takes besides says the input's shape to a model's first layer.
CLOSED = {
    "layerwise.layers.Layer": ("input_shape", "batch_input_shape", "batch_shape", "batch_size", "input_dim"),
    "layerwise.optimizers.Optimizer": (),
}


def tables() -> dict[Path, tuple[dict[str, list[str]], list[str]]]:
    """By the path of an `__init__.py`: the names of each of its modules, and its public submodules."""
    contents = {}
    for path in sorted(SOURCE.rglob("__init__.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("lazy", "_lazy"):
                names = {home: names.split() for home, names in ast.literal_eval(node.args[1]).items()}
                below = [k.value for k in node.keywords if k.arg == "submodules"]
                contents[path] = names, [name for value in below for name in ast.literal_eval(value).split()]
    homes = [f".{path.stem}" for path in sorted((SOURCE / "ops").glob("[a-z]*.py"))]
    rooms = {home: importlib.import_module(home, "layerwise.ops").__all__ for home in homes}
    rooms["..autograd"] = [name for name in ops.__all__ if not any(name in names for names in rooms.values())]
    contents[SOURCE / "ops" / "__init__.py"] = rooms, ["image"]
    return contents


def exact(cls: type) -> list[Parameter] | None:
    """The parameters of a class whose `__init__` does not spell them out; None where it does, or takes any."""
    inits = [vars(base)["__init__"] for base in cls.__mro__[:-1] if "__init__" in vars(base)]
    signatures = [list(inspect.signature(init).parameters.values()) for init in inits]
    root = next((root for root in CLOSED if find(root) in cls.__mro__[1:]), None)
    open_ended = [parameters[-1].kind is Parameter.VAR_KEYWORD for parameters in signatures]
    if not inits or not (open_ended[0] if root else hasattr(inits[0], "__signature__")):
        return None
    taken: dict[str, Parameter] = {p.name: p for p in signatures[0]}
    for parameters, going_on in zip(signatures, open_ended):
        taken |= {
            p.name: p.replace(kind=p.KEYWORD_ONLY)
            for p in parameters
            if p.name not in taken and p.default is not p.empty
        }
        if not going_on:
            break
    else:
        for name in CLOSED[root] if root else ():
            taken[name] = Parameter(name, Parameter.KEYWORD_ONLY, default=None, annotation="Any")
    if any(p.kind is p.VAR_POSITIONAL for p in taken.values()):
        return None
    return [p for p in taken.values() if p.kind is not p.VAR_KEYWORD]


def find(name: str) -> Any:
    module, _, last = name.rpartition(".")
    return getattr(importlib.import_module(module), last)


def annotation(value: Any, module: ModuleType, alias: str) -> str:
    """As the stub writes it: names that are the module's own, and not typing's, come from `alias`."""
    text = "Any" if value is Parameter.empty else value if isinstance(value, str) else inspect.formatannotation(value)

    def qualified(match: re.Match[str]) -> str:
        name = match[0].rpartition(".")[2]
        if any(hasattr(known, name) for known in (builtins, typing, collections.abc)):
            return name
        return f"{alias}.{name}" if hasattr(module, name) else "Any"

    return re.sub(r"[A-Za-z_][\w.]*", qualified, text)


def listed(parameters: list[Parameter], module: ModuleType, alias: str) -> list[str]:
    """The parameters as the stub writes them."""
    words = []
    for p in parameters:
        if p.kind is p.KEYWORD_ONLY and "*" not in words:
            words.append("*")
        plain = p.default is None or isinstance(p.default, bool | int | float | str)
        default = "" if p.default is p.empty else f" = {p.default!r}" if plain else " = ..."
        name = f"*{p.name}" if p.kind is p.VAR_POSITIONAL else p.name
        words.append("self" if p.name == "self" else f"{name}: {annotation(p.annotation, module, alias)}{default}")
    return words


def called(primitive: Primitive, name: str, module: ModuleType, alias: str) -> str:
    """The function that a primitive is for its callers, in a line: what is static may follow the arrays by position."""
    parameters: list[Parameter] = []
    for p in inspect.signature(primitive).parameters.values():
        optional = any(before.default is not p.empty for before in parameters)
        if p.kind is p.KEYWORD_ONLY and not primitive.variadic and not (optional and p.default is p.empty):
            p = p.replace(kind=p.POSITIONAL_OR_KEYWORD)
        parameters.append(p.replace(annotation="Any" if p.annotation in ("Array", p.empty) else p.annotation))
    return f"def {name}({', '.join(listed(parameters, module, alias))}) -> Tensor: ...\n"


def aliased(home: str) -> str:
    """What a stub calls the module that holds classes."""
    return home.replace(".", "_")


def stub(path: Path, contents: dict[str, list[str]], submodules: list[str]) -> str:
    """The text of the stub beside an `__init__.py`."""
    package = ".".join(["layerwise", *path.parent.relative_to(SOURCE).parts])
    imports, classes = [f"from . import {name} as {name}" for name in submodules], []
    for home, names in contents.items():
        module, alias = importlib.import_module(home, package), aliased(home)
        for name in names:
            value = getattr(module, name)
            parameters = exact(value) if inspect.isclass(value) and home.startswith(".") else None
            if home == ".":
                line = f"def {name}{inspect.signature(value)}: ...\n"
                classes.append(line.replace("'", ""))
            elif isinstance(value, Primitive):
                classes.append(called(value, name, module, alias))
            elif parameters is None:
                imports.append(f"from {home} import {name} as {name}")
            elif value.__name__ != name:
                classes.append(f"{name} = {value.__name__}\n")
            else:
                attributes = [option for option in sorted(getattr(value, "_written", ())) if not hasattr(value, option)]
                options = "".join(f"    {option}: Any\n" for option in attributes)
                listing = "".join(f"        {words},\n" for words in listed(parameters, module, alias))
                init = f"    def __init__(\n{listing}    ) -> None: ...\n"
                classes.append(f"class {name}({alias}.{name}):\n{options}{init}")
    text = "\n".join(sorted(classes, key=lambda c: c[:4] not in ("clas", "def ")))  # other names of classes at the end
    text = re.sub(r"(?m)^(def .*\n)\n(?=def)", r"\1", text)
    for home in sorted(home for home in contents if re.search(rf"[ (]{aliased(home)}\.", text)):
        parent, _, last = home.rpartition(".")
        imports.append(f"from {parent or '.'} import {last} as {aliased(home)}")
    typed = sorted({n for n in re.findall(r"\b[A-Z]\w+\b", text) if hasattr(collections.abc, n)})
    head = [f"from collections.abc import {', '.join(typed)}"] if typed else []
    head += ["from typing import Any"] if "Any" in text else []
    head += ["from ..autograd import Tensor"] if "Tensor:" in text else []
    head += {"layerwise": ["__version__: str"], "layerwise.ops": ["__all__: list[str]"]}.get(package, [])
    return HEAD + "\n".join([*head, *sorted(imports)]) + (f"\n\n{text}" if text else "\n")


if __name__ == "__main__":
    for path, table in tables().items():
        path.with_suffix(".pyi").write_text(stub(path, *table), "utf-8")
