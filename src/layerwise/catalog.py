"""The one registry of names: the packages' tables of contents, found by name and by identity.

A name is looked up in the table of its namespace, and the one module that holds it is imported on demand. Whether a
class or function is the library's is asked here, too: it is where its namespace has this very object.
"""

from collections.abc import Iterator, Mapping, Sequence
from importlib import import_module
from typing import Any

from .naming import snake_case

CONFIGURABLE = (  # the namespaces whose classes configurations may name
    "layers", "initializers", "regularizers", "constraints", "activations", "losses", "metrics", "optimizers",
    "optimizers.schedules", "models", "random", "distillation", "dtype_policies", "quantizers",
)  # fmt: skip
FUNCTIONS = ("activations", "losses", "metrics")  # those whose functions they may name
TRUSTED = (*FUNCTIONS, "ops")  # the same, with safe_mode=False

# Classes that files name as parts of Keras, and where ours are.
_SPACE = "keras.src.layers.preprocessing.feature_space"
PARTS = {
    ("keras.utils", "FeatureSpace"): ("layerwise.utils", "FeatureSpace"),
    (_SPACE, "Feature"): ("layerwise.utils.feature_space", "Feature"),
    (_SPACE, "Cross"): ("layerwise.utils.feature_space", "Cross"),
    (_SPACE, "TFDIdentity"): ("layerwise.layers", "Identity"),
    (_SPACE, "TFDConcat"): ("layerwise.layers", "Concatenate"),
}
LOOKUPS = ("deserialize", "get", "serialize")  # what namespaces hold besides things
ERRORS = {  # what losses and metrics are called for short
    "bce": "binary_crossentropy",
    "kld": "kl_divergence",
    "mae": "mean_absolute_error",
    "mape": "mean_absolute_percentage_error",
    "mse": "mean_squared_error",
    "msle": "mean_squared_logarithmic_error",
}
ERRORS |= {short.upper(): name for short, name in ERRORS.items()}

OLDER = {"kullback_leibler_divergence": "kl_divergence", "logcosh": "log_cosh"}  # names that tf.keras had besides


def find(namespace: str, name: str) -> Any:
    """The public object of this name, None where the namespace has none.

    >>> find("optimizers", "Adam").__name__
    'Adam'
    """
    module = import_module(f"layerwise.{namespace}")
    return getattr(module, name) if name in module.__all__ else None


def home(obj: Any, namespaces: Sequence[str] = CONFIGURABLE) -> str | None:
    """The namespace that has this very class or function, None where none has: it is not the library's.

    >>> class Dense: ...
    >>> home(find("layers", "Dense")), home(Dense)
    ('layers', None)
    """
    name = getattr(obj, "__name__", "")
    return next((namespace for namespace in namespaces if name and find(namespace, name) is obj), None)


def part(module: str | None, name: str) -> Any:
    """The class that files name so as a part of Keras, None where there is none."""
    ours = PARTS.get((module or "", name))
    return None if ours is None else getattr(import_module(ours[0]), ours[1])


def part_of(cls: type) -> str | None:
    """The module of Keras in which files have this class under its own name, None where they have not."""
    return next((module for module, name in PARTS if name == cls.__name__ and part(module, name) is cls), None)


class Names(Mapping[str, Any]):
    """What an argument may name, as a mapping whose values are loaded when they are asked for.

    Args:
        namespace: that holds them: "losses".
        classes: whether its classes are among them.
        functions: whether its functions are.
        but: names that are not.
        short: further names, and what they stand for.
        class_first: whether "hinge" stands for the class `Hinge` even where a function is called so.

    >>> names = Names("losses", functions=True, short=ERRORS)
    >>> names["Huber"].__name__, names["huber"].__name__, names["mse"].__name__
    ('Huber', 'huber', 'mean_squared_error')
    """

    def __init__(
        self,
        namespace: str,
        classes: bool = True,
        functions: bool = False,
        but: str = "",
        short: Mapping[str, str] | None = None,
        class_first: bool = False,
    ) -> None:
        self.namespace = namespace
        public = import_module(f"layerwise.{namespace}").__all__
        chosen = [name for name in public if (functions if name.islower() else classes)]
        self._names = {name: name for name in chosen if name not in (*LOOKUPS, *but.split())}
        if class_first:
            self._names |= {snake_case(name): name for name in self._names if not name.islower()}
        self._names |= {said: self._names.get(name, name) for said, name in (short or {}).items()}

    def __getitem__(self, said: str) -> Any:
        return find(self.namespace, self._names[said])

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


def functions(namespace: str) -> Names:
    """The functions of a namespace by name."""
    return Names(namespace, classes=False, functions=True)
