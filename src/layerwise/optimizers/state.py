"""What an optimizer keeps: slots for each variable, averages, accumulators, learning rate and the count of steps."""

import warnings
from collections.abc import Sequence
from functools import partial
from typing import Any

from ..autograd import Array
from ..backends import xp
from ..serialization import Configurable
from ..variables import Variable


def _filled(value: Any, shape: Sequence[int], dtype: str) -> Array:
    return xp().full(shape, value, dtype)


_zeros = partial(_filled, 0.0)


class State(Configurable):
    """The variables of an optimizer, made for those that it is to change."""

    def __init__(self, name: str, use_ema: bool, gradient_accumulation_steps: int | None) -> None:
        self.name, self.use_ema, self.gradient_accumulation_steps = name, use_ema, gradient_accumulation_steps
        self.built = False
        self._count = self._variable("iteration", 0, dtype="int32")
        self._rate: Any = self._variable("learning_rate", 0.0)
        self._trainable: list[Variable] = []
        self._places: dict[int, int] = {}  # where each variable, by its id, is in the list
        self._averages: list[Variable] = []
        self._accumulators: list[Variable] = []
        self._rows: list[list[Variable]] = []  # the slots of each variable, as the rule takes them
        self._slots: list[Variable] = []  # all of them, in the order of their creation

    def slots(self) -> list[tuple[str, ...]]:
        """What the rule keeps for a variable, in the order of its arguments.

        The slots in one tuple are created (and so saved) variable by variable, those of the next tuple after them.
        """
        return []

    def initial(self, slot: str, variable: Variable) -> Any:
        """What a slot of a variable is filled with at first."""
        return 0.0

    def build(self, variables: Sequence[Variable]) -> None:
        """Create the state for these variables, the only ones that this optimizer will then change."""
        if self.built:
            return
        self._trainable = list(variables)
        self._places = {id(v): i for i, v in enumerate(self._trainable)}
        if self.use_ema:
            self._averages = [self._like(v, "average") for v in self._trainable]
        if self.gradient_accumulation_steps:
            self._accumulators = [self._like(v, "gradient_accumulator") for v in self._trainable]
        self._rows = [[] for _ in self._trainable]
        for group in self.slots():
            for variable, row in zip(self._trainable, self._rows, strict=True):
                row += [
                    self.add_variable_from_reference(variable, name, partial(_filled, self.initial(name, variable)))
                    for name in group
                ]
        self.built = True

    def add_variable(
        self, shape: Sequence[int], initializer: Any = "zeros", dtype: Any = None, name: str | None = None
    ) -> Variable:
        """A new variable of the state, which files hold."""
        self._slots.append(self._variable(name or "variable", initializer, shape, dtype))
        return self._slots[-1]

    def add_variable_from_reference(
        self, reference_variable: Variable, name: str = "var", initializer: Any = "zeros"
    ) -> Variable:
        """A new slot, shaped like the variable that it belongs to."""
        slot = self._like(reference_variable, name, initializer)
        self._slots.append(slot)
        return slot

    def add_optimizer_variables(
        self, trainable_variables: Sequence[Variable], name: Any, initializer: Any = "zeros"
    ) -> Any:
        """A new slot for each variable; of several names a list for each."""
        if isinstance(name, str):
            return [self.add_variable_from_reference(v, name, initializer) for v in trainable_variables]
        initializers = initializer if isinstance(initializer, list | tuple) else [initializer] * len(name)
        rows = [
            [self.add_variable_from_reference(v, *slot) for slot in zip(name, initializers, strict=True)]
            for v in trainable_variables
        ]
        return tuple(map(list, zip(*rows, strict=True)))

    def assign(self, variable: Variable, value: Any) -> None:
        """variable <- value"""
        variable.assign(value)

    def assign_add(self, variable: Variable, value: Any) -> None:
        """variable <- variable + value"""
        variable.assign_add(value)

    def assign_sub(self, variable: Variable, value: Any) -> None:
        """variable <- variable - value"""
        variable.assign_sub(value)

    def _like(self, reference: Variable, name: str, initializer: Any = _zeros) -> Variable:
        path = f"{reference.path.replace('/', '_')}_{name}"
        slot = self._variable(path, initializer, reference.shape, reference.dtype)
        slot.layout_path = reference.path
        return slot

    def _variable(self, name: str, initializer: Any, shape: Sequence[int] = (), dtype: Any = "float32") -> Variable:
        variable = Variable(initializer, shape, dtype, trainable=False, name=name)
        variable.path = f"{self.name}/{name}"
        return variable

    @property
    def variables(self) -> list[Variable]:
        """All state, in the order in which it is saved: iteration, learning rate, averages, accumulators, slots."""
        rate = [self._rate] if isinstance(self._rate, Variable) else []
        return [self._count, *rate, *self._averages, *self._accumulators, *self._slots]

    def save_own_variables(self, store: Any) -> None:
        """Write the state to a mapping, as "0", "1", ... in the order of `variables`."""
        for i, variable in enumerate(self.variables):
            store[str(i)] = variable.numpy()

    def load_own_variables(self, store: Any) -> None:
        """Read what `save_own_variables` wrote; a mapping that does not fit is left aside with a warning."""
        if len(store) != len(self.variables):
            warnings.warn(
                f"{type(self).__name__}: got {len(store)} saved variables, expected {len(self.variables)}; "
                "the optimizer starts afresh",
                stacklevel=2,
            )
            return
        for i, variable in enumerate(self.variables):
            variable.assign(store[str(i)])
