"""PyTorch's state dicts: the same weights under other names, in other orders of their axes.

| layer | here | PyTorch |
|---|---|---|
| Dense | kernel (in, out), bias | weight (out, in), bias |
| Conv1D, 2D, 3D | kernel (spatial..., in, out), bias | weight (out, in, spatial...), bias |
| BatchNormalization | gamma, beta, moving_mean, moving_variance | weight, bias, running_mean, running_var |
| LayerNormalization | gamma, beta | weight, bias |
| PReLU | alpha | weight |

PyTorch flattens (channels, spatial...), Layerwise (spatial..., channels): the weights of layers that take what was
flattened are put in order accordingly, as far as `torch_order` can follow it; further they are refused.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from .. import layers
from ..layers.convolution import Conv
from ..lazy import public_only
from ..models.model import Model
from ..variables import Variable, all_or_nothing
from .torch_order import Order, orders_of_inputs

__all__ = ["load_torch_state_dict", "torch_state_dict"]
public_only(__name__)

Change = Callable[[np.ndarray], np.ndarray]
COUNT = "num_batches_tracked"  # PyTorch's count of batches, which changes no output


def torch_state_dict(model: Model, names: Mapping[str, str] | None = None) -> dict[str, np.ndarray]:
    """The weights as a PyTorch module of the same layers has them in its `state_dict`.

    Args:
        model: of Dense, convolution, normalisation and PReLU layers, and layers without weights.
        names: the module's name for each layer's that differs: {"dense": "classifier.0"}.

    Raises:
        ValueError: a layer has weights that PyTorch has no counterpart of, or takes them in another way.

    >>> model = layers.Input((4,)), layers.Dense(3, name="fc")
    >>> from layerwise import Sequential
    >>> {name: array.shape for name, array in torch_state_dict(Sequential(model)).items()}
    {'fc.weight': (3, 4), 'fc.bias': (3,)}
    """
    state: dict[str, np.ndarray] = {}
    orders = orders_of_inputs(model)
    for layer, module in _modules(model, names):
        for name, (variable, there, _) in _parameters(layer, orders).items():
            state[f"{module}.{name}"] = np.ascontiguousarray(there(variable.numpy()))
        if isinstance(layer, layers.BatchNormalization):
            if (layer.gamma is None) != (layer.beta is None):  # PyTorch has both or none
                name, fill = ("weight", np.ones) if layer.gamma is None else ("bias", np.zeros)
                state[f"{module}.{name}"] = fill(layer.moving_mean.shape, layer.moving_mean.dtype)
            state[f"{module}.{COUNT}"] = np.zeros((), "int64")
    return state


def load_torch_state_dict(model: Model, state: Mapping[str, Any], names: Mapping[str, str] | None = None) -> None:
    """Give the model the weights in a PyTorch `state_dict`, for example from `load_safetensors`.

    Mind the options that differ: PyTorch's normalisations have epsilon = 1e-5, Layerwise's 1e-3.

    Args:
        model: built, of layers that `torch_state_dict` takes.
        state: arrays by PyTorch's names.
        names: the module's name for each layer's that differs.

    Raises:
        ValueError: an array is missing, left over, or of another shape; the model is then as it was.
    """
    left = {name for name in state if name.rpartition(".")[2] != COUNT}
    orders = orders_of_inputs(model)
    with all_or_nothing(model.weights):
        for layer, module in _modules(model, names):
            for name, (variable, there, here) in _parameters(layer, orders).items():
                key = f"{module}.{name}"
                if key not in state:
                    raise ValueError(
                        f"layer {layer.name!r}: {key} is not in the state dict, whose names are {_some(state)}"
                    )
                left.discard(key)
                array, expected = np.asarray(state[key]), there(variable.numpy()).shape
                if array.shape != expected:
                    raise ValueError(f"layer {layer.name!r}: {key}: got shape {array.shape}, expected {expected}")
                variable.assign(here(array))
        if left:
            raise ValueError(
                f"the model has no layer for {_some(sorted(left))}; names={{layer: module}} says which it is"
            )


def _some(names: Any) -> str:
    names = list(names)
    return ", ".join(names[:6]) + (", ..." if len(names) > 6 else "")


def _modules(model: Model, names: Mapping[str, str] | None) -> list[tuple[Any, str]]:
    """(layer, module's name) for every layer with weights, those of models inside the model included."""
    names = dict(names or {})
    modules: list[tuple[Any, str]] = []

    def visit(model: Model, prefix: str) -> None:
        for layer in model.layers:
            path = prefix + layer.name
            if isinstance(layer, Model):
                visit(layer, f"{path}.")
            elif layer.weights:
                modules.append((layer, names.pop(path, path)))

    visit(model, "")
    if names:
        raise ValueError(f"names: the model has no layer {next(iter(names))!r} with weights")
    return modules


def _parameters(layer: Any, orders: dict[int, Order]) -> dict[str, tuple[Variable, Change, Change]]:
    """For each name in PyTorch: the variable, the change from here to there, and the one back."""
    same: Change = lambda a: a  # noqa: E731
    placed = _placed(layer, orders.get(id(layer), "a call that is not made"))
    parameters: dict[str, tuple[Any, Change, Change]]
    match layer:
        case layers.Dense():
            there, here = (lambda a: placed[0](a).T), (lambda a: placed[1](a.T))
            parameters = {"weight": (layer.kernel, there, here), "bias": (layer.bias, same, same)}
        case Conv():
            there, here = lambda a: np.moveaxis(a, (-1, -2), (0, 1)), lambda a: np.moveaxis(a, (0, 1), (-1, -2))
            parameters = {"weight": (layer.kernel, there, here), "bias": (layer.bias, same, same)}
        case layers.BatchNormalization() if not layer.renorm:
            parameters = {
                "weight": (layer.gamma, *placed),
                "bias": (layer.beta, *placed),
                "running_mean": (layer.moving_mean, *placed),
                "running_var": (layer.moving_variance, *placed),
            }
        case layers.LayerNormalization() if not layer.rms_scaling and all(w.ndim < 2 for w in layer.weights):
            parameters = {"weight": (layer.gamma, *placed), "bias": (layer.beta, *placed)}
        case layers.PReLU() if max(layer.alpha.shape, default=1) == layer.alpha.size:  # for each channel, or for all
            there, here = lambda a: placed[0](a.ravel()), lambda a: placed[1](a).reshape(layer.alpha.shape)
            parameters = {"weight": (layer.alpha, there, here)}
        case _:
            raise ValueError(
                f"layer {layer.name!r} ({type(layer).__name__}) has no counterpart in PyTorch's state dicts"
            )
    return {name: entry for name, entry in parameters.items() if entry[0] is not None}


def _placed(layer: Any, order: Order) -> tuple[Change, Change]:
    """From the order of the features that a layer takes to the one that they have in PyTorch, and back."""
    if isinstance(order, str):
        raise ValueError(
            f"layer {layer.name!r} ({type(layer).__name__}): behind {order} it cannot be told in which order PyTorch "
            "has what this layer takes, and with it its weights"
        )
    if order.ndim != 1:
        return (lambda a: a), (lambda a: a)
    places = np.argsort(order)
    return (lambda a: a[places] if len(a) > 1 else a), (lambda a: a[order] if len(a) > 1 else a)
