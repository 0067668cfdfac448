"""Steps that users write: `train_step(data)`, Keras' `train_step(state, data)` for JAX, or `make_train_function`."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..autograd import as_tensor

if TYPE_CHECKING:
    from .trainer import Trainer

_STATE = {  # what a step of this kind is handed and returns, of which `predict_step` returns the last alone
    "train": ("trainable_variables", "non_trainable_variables", "optimizer_variables", "metrics_variables"),
    "test": ("trainable_variables", "non_trainable_variables", "metrics_variables"),
    "predict": ("trainable_variables", "non_trainable_variables"),
}


def step_on_a_batch(model: Trainer, kind: str) -> Callable[[Any], Any]:
    """What the model does with a batch to "train", "test" or "predict"."""
    if model._has_own_function(kind):
        setattr(model, f"{kind}_function", None)  # so that it is made anew, also where `force` is not known
        getattr(model, f"make_{kind}_function")()
        return lambda data: getattr(model, f"{kind}_function")(iter([data]))
    step = getattr(model, f"{kind}_step")
    return _with_state(model, kind, step) if takes_state(step) else step


def takes_state(step: Callable[..., Any]) -> bool:
    """Whether a step is handed the variables' values, and returns them: `train_step(self, state, data)`."""
    parameters = inspect.signature(step).parameters.values()
    return sum(p.default is p.empty and p.kind is p.POSITIONAL_OR_KEYWORD for p in parameters) > 1


def _with_state(model: Trainer, kind: str, step: Callable[..., Any]) -> Callable[[Any], Any]:
    """A step of the variables' values as one that reads and assigns them."""

    def on_batch(data: Any) -> Any:
        groups = [
            model.optimizer.variables if name == "optimizer_variables" else getattr(model, name)
            for name in _STATE[kind]
        ]
        state = tuple([as_tensor(v) for v in group] for group in groups)
        try:
            logs, state = step(state, data)
        except TypeError as error:
            if "JAX" in str(error):
                error.add_note("values are Tensors here: write layerwise.value_and_grad for jax.value_and_grad")
            raise
        if kind == "predict":
            groups, state = groups[1:], (state,)
        for group, values in zip(groups, state, strict=True):
            for variable, value in zip(group, values, strict=True):
                variable.assign(value)
        return logs

    return on_batch
