"""Variables with other values than their own: a call or a block as a pure function of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from .autograd import Tensor, as_tensor
from .lazy import public_only
from .variables import Transaction, Variable, transaction

__all__ = ["StatelessScope", "stateless"]
public_only(__name__)


def stateless(variables: Sequence[Variable], values: Sequence[Any], function: Callable[[], Any]) -> tuple[Any, Any]:
    """function() with the variables at these values, and the values that it left: nothing is assigned outside of it."""
    with transaction(Transaction(variables, values)) as state:
        result = function()
    return result, [as_tensor(value) for value in state.result()]


class StatelessScope:
    """Inside the `with` block variables have other values; what is assigned to them stays in the scope.

    Args:
        state_mapping: pairs of a variable and its value inside; variables that are not named keep theirs.
        collect_losses: whether `losses` collects what layers add to the loss.
        initialize_variables: Keras' argument, without effect: variables made inside have values.

    >>> v = Variable(2.0)
    >>> with StatelessScope([(v, 5.0)]) as scope:
    ...     _ = v.assign_add(1.0)
    >>> v.value.item(), scope.get_current_value(v).item()
    (2.0, 6.0)
    """

    def __init__(
        self,
        state_mapping: Sequence[tuple[Variable, Any]] | None = None,
        collect_losses: bool = False,
        initialize_variables: bool = True,
    ) -> None:
        self._state = Transaction((), (), rehearsal=True)
        for pair in state_mapping or ():
            self.add_update(pair)
        self.collect_losses = collect_losses
        self.losses: list[Any] = []
        self._state.losses = self.losses if collect_losses else None

    def __enter__(self) -> StatelessScope:
        self._block = transaction(self._state)
        self._block.__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        self._block.__exit__(*error)

    def get_current_value(self, variable: Variable) -> Tensor | None:
        """The variable's value in this scope; None where it was neither given nor assigned."""
        value = self._state.values.get(id(variable))
        return None if value is None else as_tensor(value)

    def add_update(self, update: tuple[Variable, Any]) -> None:
        """Let a variable have another value in this scope: `update` is the pair of both."""
        variable, value = update
        if not isinstance(variable, Variable):
            raise TypeError(f"StatelessScope: state_mapping: got a {type(variable).__name__}, expected a Variable")
        new = as_tensor(value, variable.dtype)
        if new.shape != variable.shape:
            raise ValueError(
                f"StatelessScope: variable {variable.path!r}: got shape {new.shape}, expected {variable.shape}"
            )
        self._state.values[id(variable)] = new

    def add_loss(self, loss: Any) -> None:
        """Add to `losses`."""
        self.losses.append(loss)
