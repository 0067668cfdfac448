"""PyTorch's state dicts: the same weights under other names, in other orders of their axes.

| layer | here | PyTorch |
|---|---|---|
| Dense | kernel (in, out), bias | weight (out, in), bias |
| Conv1D, 2D, 3D | kernel (spatial..., in, out), bias | weight (out, in, spatial...), bias |
| BatchNormalization | gamma, beta, moving_mean, moving_variance | weight, bias, running_mean, running_var |
| LayerNormalization | gamma, beta | weight, bias |
| PReLU | alpha | weight |

PyTorch flattens (channels, spatial...), Layerwise (spatial..., channels): the rows of a Dense layer behind a Flatten
are put in order accordingly.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from .. import layers, tree
from ..autograd import Tensor
from ..layers.calling import calls_of
from ..layers.convolution import Conv
from ..lazy import public_only
from ..models.model import Model
from ..variables import Variable, all_or_nothing

__all__ = ["load_torch_state_dict", "torch_state_dict"]
public_only(__name__)

Change = Callable[[np.ndarray], np.ndarray]
ELEMENTWISE = (layers.Dropout, layers.Identity, layers.ActivityRegularization, layers.GaussianNoise)
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
    for layer, module in _modules(model, names):
        for name, (variable, there, _) in _parameters(layer).items():
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
    with all_or_nothing(model.weights):
        for layer, module in _modules(model, names):
            for name, (variable, there, here) in _parameters(layer).items():
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


def _parameters(layer: Any) -> dict[str, tuple[Variable, Change, Change]]:
    """For each name in PyTorch: the variable, the change from here to there, and the one back."""
    same: Change = lambda a: a  # noqa: E731
    parameters: dict[str, tuple[Any, Change, Change]]
    match layer:
        case layers.Dense():
            shape = _flattened(layer)
            parameters = {"weight": (layer.kernel, *_dense(shape)), "bias": (layer.bias, same, same)}
        case Conv():
            there, here = lambda a: np.moveaxis(a, (-1, -2), (0, 1)), lambda a: np.moveaxis(a, (0, 1), (-1, -2))
            parameters = {"weight": (layer.kernel, there, here), "bias": (layer.bias, same, same)}
        case layers.BatchNormalization() if not layer.renorm:
            parameters = {
                "weight": (layer.gamma, same, same),
                "bias": (layer.beta, same, same),
                "running_mean": (layer.moving_mean, same, same),
                "running_var": (layer.moving_variance, same, same),
            }
        case layers.LayerNormalization() if not layer.rms_scaling:
            parameters = {"weight": (layer.gamma, same, same), "bias": (layer.beta, same, same)}
        case layers.PReLU() if max(layer.alpha.shape, default=1) == layer.alpha.size:  # for each channel, or for all
            parameters = {"weight": (layer.alpha, np.ravel, lambda a: np.reshape(a, layer.alpha.shape))}
        case _:
            raise ValueError(
                f"layer {layer.name!r} ({type(layer).__name__}) has no counterpart in PyTorch's state dicts"
            )
    return {name: entry for name, entry in parameters.items() if entry[0] is not None}


def _dense(shape: tuple[int, ...] | None) -> tuple[Change, Change]:
    """Transposition; behind a Flatten of inputs of this shape also from channels last to channels first and back."""
    if shape is None:
        return np.transpose, np.transpose
    *spatial, channels = shape

    def there(kernel: np.ndarray) -> np.ndarray:
        return np.moveaxis(kernel.reshape(*shape, -1), (-1, -2), (0, 1)).reshape(kernel.shape[::-1])

    def here(weight: np.ndarray) -> np.ndarray:
        full = weight.reshape(len(weight), channels, *spatial)
        return np.moveaxis(full, (0, 1), (-1, -2)).reshape(weight.shape[::-1])

    return there, here


def _flattened(layer: Any) -> tuple[int, ...] | None:
    """(spatial..., channels) of what a Flatten before this layer flattens, if there is one and the order matters."""
    before = layer
    while True:
        tensors = [t for call in calls_of(before) for t in tree.flatten(call.args) if type(t) is Tensor]
        calls = [tensor.history for tensor in tensors if tensor.history is not None]
        if len(calls) != 1:
            return None
        before = calls[0].operation
        if isinstance(before, layers.Flatten):
            break
        if not isinstance(before, ELEMENTWISE):
            return None
    shape = before.input.shape[1:]
    if before.data_format == "channels_first":
        shape = (*shape[1:], shape[0])
    return shape if len(shape) > 1 and math.prod(shape[:-1]) > 1 else None
