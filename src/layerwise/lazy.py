"""Public names that load on first use, and what a name that does not exist gets to hear.

A package's `__init__.py` is a table of contents: which module holds which names. Nothing of it is imported until
someone asks (PEP 562), so `import layerwise` stays quick however much the library holds.
"""

import sys
from collections.abc import Callable, Mapping
from functools import lru_cache
from importlib import import_module
from typing import Any

from .naming import nearest

_PUBLIC_NAMES_OF_KERAS = "keras_names.txt"
# What we leave out by choice: why, or what to take.
_INSTEAD = {
    "keras.callbacks.OrbaxCheckpoint": "BackupAndRestore and ModelCheckpoint keep the whole state of a training",
    "keras.export": "model.export writes ONNX",
    "keras.layers.FlaxLayer": "it runs Flax; write its call as a Layer with layerwise.ops",
    "keras.layers.JaxLayer": "it runs JAX; write its call as a Layer with layerwise.ops",
    "keras.layers.TFSMLayer": "it runs TensorFlow; save that model as .keras or .h5",
    "keras.layers.TorchModuleWrapper": "it runs PyTorch; saving.load_torch_state_dict takes its weights",
    "keras.ops.eig": "arrays hold real numbers; eigh takes symmetric matrices",
    "keras.ops.polar": "arrays hold real numbers; keep radius * cos(angle) and radius * sin(angle)",
    "keras.ops.view_as_complex": "arrays hold real numbers; keep real and imaginary parts apart, as fft does",
    "keras.ops.view_as_real": "arrays hold real numbers; keep real and imaginary parts apart, as fft does",
    "keras.quantizers.AWQConfig": "quantize takes 'int8' and 'int4', which need no data",
    "keras.quantizers.Float8QuantizationConfig": "quantize takes 'int8' and 'int4'",
    "keras.quantizers.GPTQConfig": "quantize takes 'int8' and 'int4', which need no data",
    "keras.SymbolicScope": "operations on a KerasTensor are symbolic by themselves",
}


def lazy(
    package: str, names: Mapping[str, str], submodules: str = "", spellings: Mapping[str, str] | None = None
) -> tuple[Callable[[str], Any], Callable[[], list[str]], list[str]]:
    """Return `__getattr__`, `__dir__` and `__all__` for the `__init__` of `package`.

    `names` maps a module, relative (".dense"), absolute ("layerwise.saving") or the `__init__` itself ("."), to the
    names it holds, separated by spaces; `submodules` lists the public submodules likewise. `spellings` are older names
    of some of them, which work and are not listed. A name that its own module is called by cannot be lazy (importing
    the module would bind the name to the module) and raises `ValueError`.

    >>> getattr_, dir_, all_ = lazy("layerwise", {"fractions": "Fraction gcd_like"}, submodules="lazy")
    >>> all_
    ['Fraction', 'gcd_like', 'lazy']
    >>> getattr_("Fraction")(1, 3)
    Fraction(1, 3)
    """
    homes = {name: module for module, held in names.items() for name in held.split()}
    for name, module in homes.items():
        if module in (f".{name}", f"{package}.{name}"):
            raise ValueError(f"{package}: '{name}' is held by a module of the same name; rename the module")
    homes |= dict.fromkeys(submodules.split(), "")
    older = spellings or {}

    def __getattr__(name: str) -> Any:
        name = older.get(name, name)
        if name not in homes:
            raise missing(package, name)
        if not homes[name]:
            return import_module(f"{package}.{name}")  # the import binds the name in the package
        value = getattr(import_module(homes[name], package), name)
        setattr(sys.modules[package], name, value)
        return value

    public = sorted(homes)
    return __getattr__, public.copy, public


def public_only(module: str, submodules: str = "") -> None:
    """Let a module without a table of contents show the names in its `__all__`, and tell of those that it has not.

    `submodules` are those to be shown besides.

    >>> from layerwise import stateless
    >>> dir(stateless)
    ['StatelessScope', 'stateless']
    """
    held = sys.modules[module]

    def __getattr__(name: str) -> Any:
        raise missing(module, name)

    def __dir__() -> list[str]:
        return sorted([*held.__all__, *submodules.split()])

    vars(held).update(__getattr__=__getattr__, __dir__=__dir__)  # out of type checkers' sight


def need(what: str, package: str, extra: str) -> None:
    """Import an optional package or module, or say how to get it.

    >>> need("drawing", "no_such_package", "plot")
    Traceback (most recent call last):
    ModuleNotFoundError: drawing: no_such_package is not installed; pip install 'layerwise[plot]'
    """
    try:
        import_module(package)
    except ImportError as error:
        name = package.partition(".")[0]
        raise ModuleNotFoundError(f"{what}: {name} is not installed; pip install 'layerwise[{extra}]'") from error


def missing(module: str, name: str) -> AttributeError:
    """The error for `module.name` that does not exist: it names both, the nearest public name, and Keras' if it has it.

    >>> raise missing("layerwise.lazy", "keras_name")
    Traceback (most recent call last):
    AttributeError: layerwise.lazy has no 'keras_name'; nearest: 'keras_names'
    """
    return AttributeError(_explanation(module, name))


@lru_cache(maxsize=512)  # tools probe every module for the same names
def _explanation(module: str, name: str) -> str:
    message = f"{module} has no '{name}'"
    if not name.startswith("__"):  # Python and its tools probe for those; let that be quick
        keras = module.replace("layerwise", "keras", 1)
        cutoff = 0.6
        if name in keras_names().get(keras, ()):
            message += f" ({keras}.{name} is not in Layerwise)"
            if instead := _INSTEAD.get(f"{keras}.{name}"):
                return f"{message}: {instead}"
            cutoff = 0.3  # it is no slip of the keyboard: name even a distant relative
        if close := nearest(name, [n for n in dir(sys.modules[module]) if not n.startswith("_")], cutoff):
            message += f"; nearest: {', '.join(map(repr, close))}"
    return message


def keras_names() -> dict[str, set[str]]:
    """Keras' public names by namespace, sub-namespaces included.

    >>> sorted(keras_names()["keras.optimizers.schedules"])[:2]
    ['CosineDecay', 'CosineDecayRestarts']
    """
    from importlib.resources import files

    lines = files("layerwise").joinpath(_PUBLIC_NAMES_OF_KERAS).read_text("utf-8").splitlines()
    names = {namespace: set(held.split()) for namespace, held in (line.split(": ") for line in lines)}
    for namespace in tuple(names):
        parent, _, child = namespace.rpartition(".")
        if parent:
            names.setdefault(parent, set()).add(child)
    return names
