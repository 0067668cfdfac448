"""A model's weights by name, in safetensors files.

A name is the path of attributes that leads to a layer, as in Keras' files, and the variable's own name:
`layers.conv2d.kernel`, `layers.conv2d_1.bias`, and in a model inside the model `layers.sequential.layers.dense.kernel`.
"""

from pathlib import Path
from typing import BinaryIO

from .. import __version__
from ..layers.base import Layer
from ..layers.tracking import own_weights
from ..models.model import Model
from ..naming import numbered
from ..variables import Variable, all_or_nothing
from . import safetensors
from .files import check_widening
from .keras_weights import report
from .walk import saveables


def weights_by_name(model: Model) -> dict[str, Variable]:
    """Every weight under its name in files.

    >>> from layerwise import layers, models
    >>> list(weights_by_name(models.Sequential([layers.Input((2,)), layers.Dense(3), layers.Dense(1)])))
    ['layers.dense.kernel', 'layers.dense.bias', 'layers.dense_1.kernel', 'layers.dense_1.bias']
    """
    weights: dict[str, Variable] = {}
    for path, owner in saveables(model):
        if isinstance(owner, Layer):
            for variable in own_weights(owner):
                name = ".".join([*path.split("/"), variable.name]).lstrip(".")
                weights[numbered(name, weights)] = variable
    return weights


def write_weights(model: Model, file: BinaryIO) -> None:
    """Write the weights to an open file."""
    values = {name: variable.numpy() for name, variable in weights_by_name(model).items()}
    safetensors.write(values, file, {"format": "layerwise", "version": __version__})


def read_weights(model: Model, path: Path, skip_mismatch: bool = False) -> None:
    """Assign what `write_weights` wrote to a model of the same layers."""
    arrays = safetensors.load_safetensors(path)
    variables = weights_by_name(model)
    values = ((array.size, [variables[name]]) for name, array in arrays.items() if name in variables)
    check_widening(values, path.stat().st_size, str(path))
    problems = [f"{path}: {name}: it is not there" for name in variables if name not in arrays]
    with all_or_nothing(list(variables.values())):
        for name, array in arrays.items():
            variable = variables.get(name)
            if variable is None:
                problems.append(f"{path}: {name}: the model has no such weight")
            elif array.shape != variable.shape:
                problems.append(f"{path}: {name}: got shape {array.shape}, expected {variable.shape}")
            else:
                try:
                    variable.assign(array)
                except ValueError as error:
                    problems.append(f"{path}: {name}: {error}")
        report(problems, skip_mismatch)
