"""What keeps values: `tf.Variable`, `tf.Module`, and how an array is told of before it is there, `tf.TensorSpec`."""

import contextlib
from collections.abc import Sequence
from typing import Any

from ... import ops, tree, variables
from ...layers import Layer
from ...naming import snake_case
from .dtypes import on_device


class _AnyVariable(type):
    """`isinstance(x, tf.Variable)` holds for every variable, whoever made it."""

    def __instancecheck__(cls, x: Any) -> bool:
        return isinstance(x, variables.Variable)


class Variable(metaclass=_AnyVariable):
    """A `layerwise.Variable` of a value, whose dtype it has.

    Args:
        initial_value: it, or a function that returns it.
        trainable: whether tapes watch it and optimizers change it.
        dtype: another dtype than the value's.
        name: shown in errors and tables.
        constraint: what optimizers apply to it.
        validate_shape, caching_device, variable_def, import_scope, options: without effect.

    >>> Variable(3.0).assign_add(1.0).numpy()
    array(4., dtype=float32)
    """

    def __new__(
        cls, initial_value: Any = None, trainable: bool | None = None, validate_shape: bool = True,
        caching_device: Any = None, name: str | None = None, variable_def: Any = None, dtype: Any = None,
        import_scope: Any = None, constraint: Any = None, **options: Any,
    ) -> Any:  # fmt: skip
        value = ops.convert_to_tensor(initial_value() if callable(initial_value) else initial_value, on_device(dtype))
        name = None if name is None else name.replace("/", "_")
        return variables.Variable(value, None, value.dtype, trainable is not False, name, constraint=constraint)


class Module:
    """An object whose attributes hold variables, layers and other modules, also inside lists and dicts.

    Args:
        name: of the module, by default its class's.

    >>> class Linear(Module):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.w = Variable([1.0, 2.0])
    >>> len(Linear().trainable_variables)
    1
    """

    def __init__(self, name: str | None = None) -> None:
        self.name = name or snake_case(type(self).__name__)

    @property
    def name_scope(self) -> Any:
        """A `with` block without effect."""
        return contextlib.nullcontext()

    def _held(self) -> list[Any]:
        return [leaf for _, value in sorted(vars(self).items()) for leaf in tree.flatten(value)]

    @property
    def submodules(self) -> tuple[Any, ...]:
        """The modules and layers inside this one."""
        inner = [x for x in self._held() if isinstance(x, Module | Layer)]
        return tuple(dict.fromkeys(m for x in inner for m in (x, *getattr(x, "submodules", ()))))

    @property
    def variables(self) -> tuple[Any, ...]:
        """All variables, each once."""
        found: dict[int, Any] = {}
        for x in self._held():
            held = [x] if isinstance(x, Variable) else x.variables if isinstance(x, Module | Layer) else []
            found |= {id(v): v for v in held}
        return tuple(found.values())

    @property
    def trainable_variables(self) -> tuple[Any, ...]:
        """Those that training changes."""
        return tuple(v for v in self.variables if v.trainable)


class TensorSpec:
    """Shape and dtype of an array that is to come.

    Args:
        shape: its sizes, None where any will do.
        dtype: its dtype.
        name: its name.
    """

    def __init__(self, shape: Sequence[int | None], dtype: Any = "float32", name: str | None = None) -> None:
        self.shape, self.dtype, self.name = tuple(shape), dtype, name

    def __repr__(self) -> str:
        return f"TensorSpec(shape={self.shape}, dtype={self.dtype!s})"

    def __eq__(self, other: Any) -> bool:
        return isinstance(other, TensorSpec) and (self.shape, str(self.dtype)) == (other.shape, str(other.dtype))

    __hash__ = None  # type: ignore[assignment]


class TensorShape(tuple):
    """Sizes as a tuple, with `as_list()`.

    >>> TensorShape([None, 3]).as_list()
    [None, 3]
    """

    def as_list(self) -> list[Any]:
        return list(self)

    @property
    def rank(self) -> int:
        return len(self)
