"""Objects as configuration dictionaries and back, in Keras' form, and the names that configurations may use.

What a configuration can name: the public classes and functions of this library, what was registered, and
`custom_objects`. Nothing else is ever looked up, so reading a configuration runs no code that its reader did not ask
for.
"""

from __future__ import annotations

import contextlib
import functools
import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextvars import ContextVar
from typing import Any, Self

import numpy as np

from . import catalog, tree
from .autograd import Primitive, Tensor, as_tensor, check_count
from .config import DTypePolicy, is_unsafe_deserialization_enabled, override
from .context import setting
from .dtypes import standardize_dtype
from .naming import snake_case, suggest
from .signatures import SignatureOfInit, renamed
from .variables import Variable

_registered: dict[str, Any] = {}
_registered_names: dict[Any, str] = {}
_scope: ContextVar[dict[str, Any] | None] = ContextVar("custom_objects", default=None)


class Configurable:
    """What can be written as a configuration: the arguments of `__init__`, by name.

    `get_config` reads the attribute named like each argument, so that it tells what an object is, not what it was told.
    """

    _written: frozenset[str] = frozenset()  # arguments that may hold objects with configurations of their own
    _init_arguments: tuple[tuple[Any, ...], dict[str, Any]]
    __signature__ = SignatureOfInit()

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        check_argument_names(cls, kwargs)
        self = super().__new__(cls)
        self._init_arguments = (args, kwargs)
        return self

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an object like this one, as plain data."""
        return {name: serialize(value) for name, value in self._arguments().items()}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """An object from what `get_config` returned."""
        return cls(**{name: deserialize(value) for name, value in config.items()})

    def _arguments(self) -> dict[str, Any]:
        """The arguments of `__init__`, and those that a subclass was given and hands on in **kwargs.

        What a subclass chooses for the class above it is left out, since it will choose it again; and so is what it
        takes beyond that class where it has a `get_config` of its own, which writes it.
        """
        args, kwargs = getattr(self, "_init_arguments", ((), {}))
        own, base = _own_classes(type(self))
        writes_itself = any("get_config" in vars(cls) for cls in own)
        of_base = inspect.signature(base.__init__).parameters
        makers = [*(cls for cls in own if "__init__" in vars(cls)), base]
        found: dict[str, Any] = {}
        for maker in makers:
            parameters = list(inspect.signature(maker.__init__).parameters.values())[1:]
            positions = [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
            given = dict(zip(positions, args, strict=False)) | kwargs
            args = args[len(positions) :]
            for p in parameters:
                if p.kind in (p.VAR_KEYWORD, p.VAR_POSITIONAL) or p.name in found:
                    continue
                handed_on = maker is makers[0] or p.name in given
                if not handed_on or (writes_itself and p.name not in of_base):
                    continue
                value = getattr(self, p.name, given.get(p.name, p.default))
                if p.name not in of_base and p.name not in self._written and not _is_plain(value):
                    self._refuse(p.name, value)
                found[p.name] = value
            if not any(p.kind is p.VAR_KEYWORD for p in parameters):
                break
        return found

    def _refuse(self, argument: str, value: Any) -> None:
        raise NotImplementedError(
            f"{type(self).__name__}: get_config: argument {argument!r} of __init__ holds a {type(value).__name__}, "
            "which cannot be written by itself; override get_config, and write every argument there:\n\n"
            "    def get_config(self):\n"
            f"        return {{**super().get_config(), {argument!r}: ...}}"
        )


def _own_classes(cls: type) -> tuple[Sequence[type], Any]:
    """The user's classes among `cls` and those above it, and the library's that they extend."""
    classes = cls.__mro__
    first = next(i for i, base in enumerate(classes) if base is Configurable or catalog.home(base))
    return classes[:first], classes[first]


@functools.cache
def _argument_names(cls: type) -> tuple[str, ...] | None:
    """The arguments of a class's `__init__`, or None if it takes any."""
    parameters = list(inspect.signature(cls.__init__).parameters.values())[1:]  # type: ignore[misc]
    return None if any(p.kind is p.VAR_KEYWORD for p in parameters) else tuple(p.name for p in parameters)


def check_argument_names(cls: type, arguments: Iterable[str]) -> None:
    """Raise a TypeError that says what is close for the first name that `cls` does not take as an argument."""
    for name in arguments:
        known = _argument_names(cls)
        if known is not None and name not in known:
            raise TypeError(f"{cls.__name__}: unknown argument {name!r}; {suggest(name, known)}")


def _is_plain(value: Any) -> bool:
    if isinstance(value, dict):
        return all(isinstance(key, str) and _is_plain(v) for key, v in value.items())
    if isinstance(value, list | tuple):
        return all(map(_is_plain, value))
    return value is None or isinstance(value, bool | int | float | str | np.generic | DTypePolicy)


# ------------------------------------------------------------------------------------------------------ registration


def register_keras_serializable(package: str = "Custom", name: str | None = None) -> Callable[[Any], Any]:
    """Decorator: configurations may name this class or function, as "package>name".

    >>> @register_keras_serializable("docs")
    ... class Double(Configurable): ...
    >>> get_registered_name(Double)
    'docs>Double'
    """

    def decorate(obj: Any) -> Any:
        if inspect.isclass(obj) and not hasattr(obj, "get_config"):
            raise ValueError(f"register_keras_serializable: class {obj.__name__} has no get_config method")
        registered = f"{package}>{name or obj.__name__}"
        _registered[registered] = obj
        _registered_names[obj] = registered
        return obj

    return decorate


def get_registered_name(obj: Any) -> str:
    """The name that `obj`, a class or function, was registered under, otherwise its own."""
    return _registered_names.get(obj, obj.__name__)


def get_registered_object(
    name: str, custom_objects: dict[str, Any] | None = None, module_objects: dict[str, Any] | None = None
) -> Any:
    """What was registered under this name, or None; `custom_objects` go before, `module_objects` behind."""
    for table in (_scope.get(), custom_objects, _registered, module_objects):
        if table and name in table:
            return table[name]
    return None


def get_custom_objects() -> dict[str, Any]:
    """All registered names; what is added to this dict is registered."""
    return _registered


@contextlib.contextmanager
def custom_object_scope(custom_objects: dict[str, Any] | None) -> Iterator[None]:
    """Inside the `with` block configurations may also name these `custom_objects`."""
    with setting(_scope, {**(_scope.get() or {}), **(custom_objects or {})}):
        yield


CustomObjectScope = custom_object_scope


def trusting(on: bool = True) -> contextlib.AbstractContextManager[None]:
    """Inside the `with` block configurations may hold `Lambda` layers and name functions of `ops`, or may not."""
    return override(unsafe_deserialization=on)


def is_trusting() -> bool:
    """Whether configurations are from a source that is trusted."""
    return is_unsafe_deserialization_enabled()


# --------------------------------------------------------------------------------------------------------- serialize


def serialize(obj: Any) -> Any:
    """`obj` as plain data: numbers and strings as they are, anything else as a node with class_name and config."""
    if obj is None or isinstance(obj, bool | int | float | str):
        return obj
    if isinstance(obj, np.generic):
        return obj.item()
    if isinstance(obj, list | tuple):
        return [serialize(item) for item in obj]
    if isinstance(obj, dict):
        return {key: serialize(item) for key, item in obj.items()}
    if isinstance(obj, bytes):
        return {"class_name": "__bytes__", "config": {"value": obj.decode()}}
    if isinstance(obj, Tensor | Variable):
        return {"class_name": "__tensor__", "config": {"value": obj.numpy().tolist(), "dtype": obj.dtype}}
    if isinstance(obj, np.ndarray):
        return {"class_name": "__numpy__", "config": {"value": obj.tolist(), "dtype": obj.dtype.name}}
    if isinstance(obj, slice):
        ends = {"start": obj.start, "stop": obj.stop, "step": obj.step}
        return {"class_name": "__slice__", "config": serialize(ends)}
    if obj is Ellipsis:
        return {"class_name": "__ellipsis__", "config": {}}
    if type(obj) is DTypePolicy:
        return as_node("keras", "DTypePolicy", obj.get_config(), None)
    if inspect.isfunction(obj) or isinstance(obj, Primitive):
        return _serialize_function(obj)
    if hasattr(obj, "get_config"):
        return serialize_instance(obj)
    raise TypeError(f"cannot write a {type(obj).__name__} to a configuration: {obj!r}; give it a get_config method")


def as_node(module: str | None, class_name: str, config: Any, registered_name: str | None) -> dict[str, Any]:
    """What stands for an object or a function in a configuration."""
    return {"module": module, "class_name": class_name, "config": config, "registered_name": registered_name}


def _serialize_function(fn: Any) -> Any:
    if fn.__name__ == "<lambda>":
        raise ValueError(
            "cannot write a lambda to a configuration; "
            "define a function and register it with register_keras_serializable"
        )
    if catalog.home(fn):
        return fn.__name__
    return as_node(_module_of(fn), "function", fn.__name__, get_registered_name(fn))


def _module_of(own: Any) -> str | None:
    """What files say of where a class or function of a user's is from; nothing where it is the program itself."""
    module = own.__module__
    return None if module == "__main__" else module


def function_node(fn: Callable[..., Any]) -> dict[str, Any]:
    """The node of a function in a `Lambda` layer: its name, and the public namespace that has it."""
    if not (inspect.isfunction(fn) or isinstance(fn, Primitive)) or fn.__name__ == "<lambda>":
        raise ValueError(
            f"Lambda: function: cannot write {fn!r} to a configuration; "
            "define a function and register it with register_keras_serializable"
        )
    home = catalog.home(fn, catalog.TRUSTED)
    module = f"keras.{home}" if home else "builtins"  # as Keras has it
    return as_node(module, "function", get_registered_name(fn), "function")


def serialize_instance(obj: Any) -> dict[str, Any]:
    """The node of an object with a get_config method."""
    cls = type(obj)
    home, registered_name = catalog.home(cls), _registered_names.get(cls)
    if (module := catalog.part_of(cls)) is not None:
        registered_name = None if module == "keras.utils" else cls.__name__
    elif home is None:
        module = _module_of(cls)
        registered_name = get_registered_name(cls)
    elif home == "models":  # where Keras has them
        functional = cls.__name__ == "Functional"
        module, registered_name = ("keras.src.models.functional", "Functional") if functional else ("keras", None)
    else:
        module = f"keras.{home}"
    node = as_node(module, cls.__name__, serialize(obj.get_config()), registered_name)
    for extra in ("build_config", "compile_config"):
        value = getattr(obj, f"get_{extra}", lambda: None)()
        if value is not None:
            node[extra] = serialize(value)
    return node


# ------------------------------------------------------------------------------------------------------- deserialize


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None, safe_mode: bool | None = None) -> Any:
    """The object that `serialize` wrote as `config`; `Lambda` layers only with `safe_mode=False`.

    `custom_objects` are classes and functions that it may name. Without `safe_mode` it is as
    `config.enable_unsafe_deserialization` says, or as it was said around this call.
    """
    if custom_objects or safe_mode is not None:
        trust = contextlib.nullcontext() if safe_mode is None else trusting(not safe_mode)
        with custom_object_scope(custom_objects or {}), trust:
            return deserialize(config)
    if not isinstance(config, dict) or "class_name" not in config or "config" not in config:
        return tree.map_items(deserialize, config)
    name, inner = config["class_name"], config["config"]
    match name:
        case "__tensor__" | "__numpy__":
            array = np.asarray(inner["value"], standardize_dtype(inner["dtype"]))
            return array if name == "__numpy__" else as_tensor(array)
        case "__bytes__":
            return inner["value"].encode()
        case "__slice__":
            return slice(*(deserialize(inner[end]) for end in ("start", "stop", "step")))
        case "__ellipsis__":
            return Ellipsis
        case "__lambda__":
            raise ValueError(
                "the configuration holds a lambda as bytecode, which is never run; write a function and register it"
            )
        case "DTypePolicy" | "FloatDTypePolicy":
            return DTypePolicy.from_config(inner)
        case "function":
            allowed = catalog.TRUSTED if is_trusting() else catalog.FUNCTIONS
            found = _find(inner, config.get("module"), config.get("registered_name"), allowed)
            if not (inspect.isfunction(found) or isinstance(found, Primitive)):
                raise ValueError(f"{inner}: expected a function, got {found!r}")
            return found
    cls = _find(name, config.get("module"), config.get("registered_name"))
    if not inspect.isclass(cls) or not hasattr(cls, "from_config"):
        raise ValueError(f"{name}: expected a class with from_config, got {cls!r}")
    if getattr(cls, "calls_any_function", False) and not is_trusting():
        raise ValueError(f"{name}: a configuration chooses what it calls; load_model(..., safe_mode=False) allows that")
    check_count("objects", 1)
    obj = cls.from_config(inner)
    for step in ("build", "compile"):
        if config.get(f"{step}_config") and hasattr(obj, f"{step}_from_config"):
            getattr(obj, f"{step}_from_config")(config[f"{step}_config"])
    return obj


def _find(
    name: str, module: str | None, registered_name: str | None, allowed: Sequence[str] = catalog.CONFIGURABLE
) -> Any:
    """The class or function of this name, from what the reader allows and, of this library's, from these namespaces."""
    for candidate in (registered_name, name):
        if candidate is not None and (found := get_registered_object(candidate)) is not None:
            return found
    if (found := catalog.part(module, name)) is not None:
        return found
    home = module or ""
    if home == "builtins" or (not home and registered_name is None):  # Keras' functions are of the first
        namespaces = list(allowed)
    elif home == "keras" or home.startswith("keras.src.models"):
        namespaces = ["models"]
    else:
        namespaces = [home.removeprefix("keras.")] if home.startswith("keras.") else []
    for namespace in namespaces:
        if namespace in allowed and (found := catalog.find(namespace, name)) is not None:
            return found
    if home == "keras" or home.startswith("keras."):
        raise ValueError(f"{module}.{name} is not in Layerwise; expected a class or function that is")
    raise ValueError(
        f"{name!r} (module {module!r}) is not a known class or function; if it is yours, register it with "
        f"register_keras_serializable, or pass custom_objects={{{name!r}: {name}}}"
    )


serialize_keras_object = serialize
deserialize_keras_object = deserialize


# -------------------------------------------------------------------------------------------------- names in arguments


def resolve(identifier: Any, kind: str, names: Mapping[str, Any]) -> Any:
    """What an argument such as `loss="mse"` stands for; classes are instantiated.

    Args:
        identifier: None, a name, a configuration, or the thing itself.
        kind: for errors: "loss", "optimizer".
        names: what each known name stands for; classes also answer to their snake_case and lower-case names.
    """
    if isinstance(identifier, dict):
        said = identifier.get("class_name")
        alias = not ("module" in identifier or get_registered_object(str(said))) and _named(said, names)
        return deserialize(identifier | {"class_name": alias.__name__} if alias else identifier)
    found = identifier
    if isinstance(identifier, str):
        found = get_registered_object(identifier) or _named(identifier, names)
        if found is None:
            raise ValueError(f"unknown {kind} {identifier!r}; {suggest(identifier, names)}")
    if inspect.isclass(found):
        return found()
    if found is None or callable(found) or hasattr(found, "get_config"):
        return found
    raise ValueError(
        f"{kind}: got {identifier!r} of type {type(identifier).__name__}, expected a name, a function or an object"
    )


def _named(said: Any, names: Mapping[str, Any]) -> Any:
    """What this name stands for, in any of its spellings; None if it is none."""
    spellings = {spelling: name for name in names for spelling in (name.lower(), snake_case(name))}
    return names.get(said if said in names else spellings.get(said, ""))


def lookups(
    kind: str,
    names: catalog.Names,
    example: str = "",
    none: str | None = None,
    base: str | None = None,
    takes: str = "config",
) -> tuple[Callable[..., Any], ...]:
    """The functions `get`, `serialize` and `deserialize` of a namespace.

    Args:
        kind: what its things are called: "loss".
        names: what an argument may name.
        example: one of these names that needs no arguments, for documentation and errors.
        none: the name that None stands for.
        base: the class whose objects alone are accepted.
        takes: what `deserialize` calls its argument.
    """

    def get(identifier: Any) -> Any:
        found = resolve(none if identifier is None else identifier, kind, names)
        if base and found is not None and not isinstance(found, catalog.find(names.namespace, base)):
            raise ValueError(f"{kind}: got {identifier!r}, expected a name such as {example!r}, or an {base}")
        return found

    thing = kind.replace(" ", "_")  # Keras' argument
    serialize_ = renamed(serialize, "obj", thing)

    def deserialize_(config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
        with custom_object_scope(custom_objects or {}):
            return get(config) if isinstance(config, str | dict) else deserialize(config)

    if takes != "config":
        deserialize_ = renamed(deserialize_, "config", takes)
    get.__doc__ = f"""The {kind} that `identifier` means: a name as {example!r}, a configuration, a class or itself."""
    serialize_.__doc__ = f"""The {kind} `{thing}` as plain data for `deserialize`: its name or a configuration."""
    deserialize_.__doc__ = f"""The {kind} that `serialize` wrote as `{takes}`, or of this name, or a custom object.

    Args:
        {takes}: what `serialize` returned, or a name.
        custom_objects: further classes and functions by name.
    """
    if example:
        deserialize_.__doc__ += f"""

    >>> config = serialize(deserialize({example!r}))
    >>> serialize(deserialize(config)) == config
    True
    """
    for fn, name in ((get, "get"), (serialize_, "serialize"), (deserialize_, "deserialize")):
        fn.__name__ = fn.__qualname__ = name
        fn.__module__ = f"layerwise.{names.namespace}"
    return get, serialize_, deserialize_
