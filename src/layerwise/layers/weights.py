"""A layer's weights: declaring them, making them, their values, and how they lie in files.

A class that declares a weight as a slot has the options that come with it in its signature, without naming them:

>>> import inspect
>>> from layerwise.layers import Layer
>>> class Scale(Layer):
...     factor = Weight("ones")
...     def __init__(self, axis=-1, **options):
...         super().__init__(**options)
...         self.axis = axis
...     def build(self, input_shape):
...         self.make("factor", (input_shape[self.axis],))
...     def call(self, x):
...         return x * self.factor
>>> list(inspect.signature(Scale).parameters)
['axis', 'factor_initializer', 'factor_regularizer', 'factor_constraint', 'options']
>>> Scale(factor_initializer="zeros")([[1.0, 2.0]])
Tensor([[0., 0.]], shape=(1, 2), dtype=float32)
"""

from collections.abc import Iterable, Mapping, MutableMapping, Sequence
from typing import Any

import numpy as np

from .. import constraints, initializers, regularizers
from ..dtypes import is_float
from ..variables import Variable
from .calling import Called
from .tracking import own_weights

KINDS = {  # of options: what brings a value into its form, and what the documentation says
    "initializer": (initializers.get, "what the weights begin with"),
    "regularizer": (regularizers.get, "functions of the weights, whose values join the losses"),
    "constraint": (constraints.get, "applied to the weights after each update"),
}


class Weight:
    """A slot for a weight: what the class says of it; the variable itself is an attribute of each layer.

    With a slot `kernel` come the options `kernel_initializer`, `kernel_regularizer` and `kernel_constraint` (the first
    only, if training leaves it alone), which are attributes of the layer until `build` calls `make("kernel", shape)`.

    Args:
        initializer: the option's default, resolved anew for each layer.
        trainable: whether training changes the weight. One that it leaves alone is never read in another dtype.
        prefix: of the options' names, by default the slot's name.
    """

    name: str

    def __init__(self, initializer: Any, trainable: bool = True, prefix: str | None = None) -> None:
        self.initializer, self.trainable, self.prefix = initializer, trainable, prefix

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, layer: Any, owner: type) -> Any:
        if layer is None:
            return self
        if f"_{self.name}" in vars(layer):  # stored otherwise: adapters are beside it, or it is quantised
            return layer.effective()
        kind = owner.__name__
        raise AttributeError(f"{kind} has no attribute {self.name!r}; it is not built yet: call it on data first")

    def options(self) -> dict[str, tuple[str, Any]]:
        """The name of each kind of option that it has, and the default."""
        prefix = self.prefix or self.name
        defaults = {kind: self.initializer if kind == "initializer" else None for kind in KINDS}
        return {k: (f"{prefix}_{k}", v) for k, v in defaults.items() if self.trainable or k == "initializer"}


def slots_of(cls: type) -> dict[str, Weight]:
    """The slots of a class, also those of the classes above it, by name."""
    attributes = {name: value for base in reversed(cls.__mro__) for name, value in vars(base).items()}
    return {name: value for name, value in attributes.items() if isinstance(value, Weight)}


class Weighted(Called):
    """What makes and keeps its weights."""

    @property
    def variable_dtype(self) -> str:
        """The dtype of the weights."""
        return self.dtype_policy.variable_dtype

    def add_weight(
        self,
        shape: Sequence[int | None] | int | None = None,
        initializer: Any = None,
        dtype: Any = None,
        trainable: bool = True,
        autocast: bool = True,
        regularizer: Any = None,
        constraint: Any = None,
        aggregation: str | None = None,
        overwrite_with_gradient: bool = False,
        name: str | None = None,
    ) -> Variable:
        """A new variable of this layer, by default Glorot-uniform (zeros where its dtype is not floating-point)."""
        if isinstance(shape, str):
            raise TypeError(f"layer {self.name!r}: add_weight: shape: got {shape!r}; write name={shape!r}")
        dtype = dtype or self.variable_dtype
        shape = () if shape is None else (shape,) if isinstance(shape, int) else tuple(shape)
        sizes = tuple(n for n in shape if n is not None)
        if len(sizes) < len(shape):
            raise ValueError(
                f"layer {self.name!r}: add_weight {name!r}: shape {shape} has an unknown size; "
                "give the model an input shape with that size"
            )
        if initializer is None:
            initializer = "glorot_uniform" if is_float(str(dtype)) else "zeros"
        variable = Variable(
            initializers.get(initializer),
            sizes,
            dtype,
            trainable=trainable,
            name=name,
            constraint=constraints.get(constraint),
            regularizer=regularizers.get(regularizer),
        )
        variable.path = f"{self._call_path()}/{variable.name}"
        variable.autocast, variable.overwrite_with_gradient = autocast, overwrite_with_gradient
        self._track(variable)
        return variable

    def make(self, name: str, shape: Sequence[int | None], given: bool = True, **changed: Any) -> Variable | None:
        """Make the weight that a slot of the class declares, as the options say; it becomes an attribute.

        Layers of the library call `super().make`, since a subclass may have an attribute of that name.

        Args:
            name: of the slot.
            shape: of the weight.
            given: whether the layer has this weight at all; the attribute is None otherwise.
            changed: an initializer, regularizer or constraint in the place of the option's.
        """
        slot = slots_of(type(self))[name]
        variable = None
        if given:
            options = {kind: getattr(self, option) for kind, (option, _) in slot.options().items()}
            options |= changed
            variable = self.add_weight(shape, name=name, trainable=slot.trainable, autocast=slot.trainable, **options)
        setattr(self, name, variable)
        return variable

    def _take_options(self, options: dict[str, Any]) -> None:
        """Set the options of the slots, taken out of `options` where they are given there."""
        for slot in slots_of(type(self)).values():
            for kind, (name, default) in slot.options().items():
                setattr(self, name, KINDS[kind][0](options.pop(name, default)))

    def count_params(self) -> int:
        """How many numbers the weights hold."""
        if not self.built:
            raise ValueError(
                f"layer {self.name!r} has no weights yet: build it, or call it on data, before count_params"
            )
        return sum(v.size for v in self.weights)

    def get_weights(self) -> list[np.ndarray]:
        """Copies of the weights' values."""
        return [v.numpy() for v in self.weights]

    def set_weights(self, weights: Sequence[Any]) -> None:
        """Replace the weights' values, in the order of `weights`."""
        variables = self.weights
        if len(weights) != len(variables):
            raise ValueError(
                f"layer {self.name!r}: set_weights: got {len(weights)} arrays, expected {len(variables)}"
                + ("" if self.built else " (it is not built yet: call it on data first)")
            )
        self._assign_all("set_weights", variables, weights)

    def _assign_all(self, what: str, variables: Sequence[Variable], values: Iterable[Any]) -> None:
        """Replace the values of variables by arrays of the same shapes, or of none if one of them does not fit."""
        arrays = [np.asarray(value) for value in values]
        for variable, array in zip(variables, arrays, strict=True):
            if array.shape != variable.shape:
                raise ValueError(
                    f"layer {self.name!r}: {what}: {variable.path}: got shape {array.shape}, expected {variable.shape}"
                )
        for variable, array in zip(variables, arrays, strict=True):
            variable.assign(array)

    def save_own_variables(self, store: MutableMapping[str, Any]) -> None:
        """Write the layer's own variables to a mapping, as "0", "1", ...: the trainable ones, then the others.

        Override it, and `load_own_variables`, for a layer that is to lie in files in another way.
        """
        for i, variable in enumerate(own_weights(self)):
            store[str(i)] = variable.numpy()

    def load_own_variables(self, store: Mapping[str, Any]) -> None:
        """Read what `save_own_variables` wrote.

        Raises ValueError where it does not fit the layer, which is then as it was.
        """
        variables = own_weights(self)
        if len(store) != len(variables):
            raise ValueError(
                f"layer {self.name!r} ({type(self).__name__}): got {len(store)} saved variables, expected "
                f"{len(variables)}: {[v.name for v in variables]}"
                + ("" if self.built else " (it is not built yet: call the model on data first)")
            )
        self._assign_all("saved variables", variables, [store[str(i)] for i in range(len(variables))])
