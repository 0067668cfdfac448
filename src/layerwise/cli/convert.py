"""`layerwise convert`."""

import os
from argparse import Namespace

from ..models import Model
from ..saving import load_model
from ..saving.api import HDF5, MODEL, SAFETENSORS, WEIGHTS
from ..saving.contents import ONNX, describe

_TARGETS = (MODEL, *HDF5, WEIGHTS, SAFETENSORS, ONNX)


def run(options: Namespace) -> None:
    """Write what is in one file in another format."""
    source, target = options.source, options.target
    if not target.endswith(_TARGETS):
        raise ValueError(f"{target}: expected a name that ends in {', '.join(_TARGETS)}")
    if os.path.exists(target) and not options.overwrite:
        raise ValueError(f"{target}: exists; --overwrite replaces it")
    model = _model(source, options.layers)
    if target.endswith(ONNX):
        model.export(target)
    elif target.endswith((WEIGHTS, SAFETENSORS)):
        model.save_weights(target)
    else:
        model.save(target)
    print(f"{target}: {describe(target).format}")


def _model(source: str, layers: str | None) -> Model:
    """The model in a file, or the one in the file `layers` with the weights in `source`."""
    if layers is not None:
        model = load_model(layers)
        model.load_weights(source)
        return model
    contents = describe(source)
    if source.endswith(ONNX):
        raise ValueError(
            f"{source}: an ONNX file can be looked at and run elsewhere, but not be made a model of layers"
        )
    if "Model" not in contents.facts:
        raise ValueError(
            f"{source}: holds weights alone; --layers MODEL names a file with the layers that they belong to"
        )
    return load_model(source)
