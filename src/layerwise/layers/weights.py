"""A layer's weights: making them, their values, and how they lie in files."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, MutableMapping, Sequence
from typing import Any

import numpy as np

from .. import constraints, initializers, regularizers
from ..dtypes import is_float
from ..variables import Variable
from .calling import Called
from .tracking import own_weights


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

    def _own_weight(self, name: str, shape: Sequence[int | None]) -> Variable:
        """A new variable as the attributes `<name>_initializer`, `<name>_regularizer` and `<name>_constraint` say."""
        initializer, regularizer, constraint = (
            getattr(self, f"{name}_{option}") for option in ("initializer", "regularizer", "constraint")
        )
        return self.add_weight(shape, initializer, regularizer=regularizer, constraint=constraint, name=name)

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
