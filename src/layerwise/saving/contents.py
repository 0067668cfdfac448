"""What is in a file of a model or of weights, seen without making any of it: no layer, no variable, no array."""

import math
import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ..lazy import need, public_only
from ..models.graph_config import is_operation
from ..naming import snake_case
from . import hdf5, hdf5_reader, keras_v3, legacy_h5, safetensors
from .api import HDF5, MODEL, SAFETENSORS
from .files import FileFormatError, locating, parse_json

__all__ = ["Array", "Contents", "Part", "describe"]
public_only(__name__)

ONNX = ".onnx"
WIDTHS = {"bfloat16": 2}  # of dtypes that NumPy may not know


@dataclass
class Array:
    """An array in a file."""

    shape: tuple[int, ...]
    dtype: str

    @property
    def size(self) -> int:
        return math.prod(self.shape)

    @property
    def nbytes(self) -> int:
        return self.size * (WIDTHS.get(self.dtype) or np.dtype(self.dtype).itemsize)


@dataclass
class Part:
    """A layer, or whatever else holds arrays: its name, its kind ("Dense"; empty if the file does not say)."""

    name: str
    kind: str
    arrays: list[Array] = field(default_factory=list)


@dataclass
class Contents:
    """What is in a file: its format, its parts in order, the optimizer's arrays, and what else it says of itself."""

    format: str
    parts: list[Part]
    optimizer: list[Array] = field(default_factory=list)
    facts: dict[str, str] = field(default_factory=dict)
    notes: dict[str, Any] = field(default_factory=dict)


def describe(filepath: str | os.PathLike[str]) -> Contents:
    """What a `.keras`, `.h5`, `.safetensors` or `.onnx` file, or a folder with a model, holds.

    Raises:
        FileFormatError: the file is in none of these formats, or is damaged.

    >>> from layerwise import layers, models
    >>> path = getfixture("tmp_path") / "m.keras"
    >>> models.Sequential([layers.Input((4,)), layers.Dense(3, name="head")]).save(path)
    >>> [(part.name, part.kind, [array.shape for array in part.arrays]) for part in describe(path).parts]
    [('head', 'Dense', [(4, 3), (3,)])]
    """
    path = Path(filepath)
    if not path.exists():
        raise FileNotFoundError(f"{path}: no such model file")
    if keras_v3.is_folder(path) or path.name.endswith(MODEL):
        return _keras(path)
    if path.name.endswith(HDF5):
        return _hdf5(path)
    if path.name.endswith(SAFETENSORS):
        return _safetensors(path)
    if path.name.endswith(ONNX):
        return _onnx(path)
    known = ", ".join((MODEL, *HDF5, SAFETENSORS, ONNX))
    raise FileFormatError(f"{path}: expected a name that ends in {known}, or a folder with a model")


def _keras(path: Path) -> Contents:
    with keras_v3.opening(path) as read, locating(path, keras_v3.CONFIG):
        config, metadata = parse_json(read(keras_v3.CONFIG).read()), parse_json(read(keras_v3.METADATA).read())
        groups = _groups(read(keras_v3.WEIGHTS), f"{path}: {keras_v3.WEIGHTS}")
        optimizer = groups.pop("optimizer", Part("", "")).arrays
        parts = list(_layers(config, groups)) if "layers" in config["config"] else []
        facts = {"Model": f"{config['config'].get('name', '')} ({config['class_name']})"}
    parts += [part for part in groups.values() if part.arrays]  # what no layer in the configuration holds
    facts["Written by"] = _writer(metadata)
    notes = metadata.get(keras_v3.NOTES)
    return Contents(
        "Keras 3 model", parts, optimizer, facts | _training(config.get("compile_config")),
        notes if isinstance(notes, dict) else {},
    )  # fmt: skip


def _writer(metadata: dict[str, Any]) -> str:
    ours = metadata.get("layerwise_version")
    return f"Layerwise {ours}" if ours else f"Keras {metadata.get('keras_version', '?')}"


def _training(compiled: Any) -> dict[str, str]:
    """What the configuration says of optimizer and loss, where these are plain."""
    facts = {}
    optimizer = (compiled or {}).get("optimizer") or (compiled or {}).get("optimizer_config")
    if isinstance(optimizer, dict):
        facts["Optimizer"] = str(optimizer.get("class_name"))
    if isinstance(loss := (compiled or {}).get("loss"), str):
        facts["Loss"] = loss
    elif isinstance(loss, dict) and "class_name" in loss:
        facts["Loss"] = str(loss["class_name"])
    return facts


def _groups(file: Any, where: str) -> dict[str, Part]:
    """The arrays of each object in Keras 3's weights, by its path."""
    groups = {}
    for group in hdf5.groups(hdf5_reader.read(file, where)):
        if group.name.endswith("/vars"):
            path = group.name[1:].removesuffix("vars").rstrip("/")
            groups[path] = Part(path or "(the model)", "", _arrays(hdf5.Store(group)))
    return dict(sorted(groups.items()))


def _arrays(store: hdf5.Store, names: list[str] | None = None) -> list[Array]:
    order = sorted(store, key=lambda key: (len(key), key)) if names is None else names
    return [Array(store.shape(name), store.dtype(name)) for name in order]


def _layers(node: dict[str, Any], groups: dict[str, Part], path: str = "", depth: int = 0) -> Iterator[Part]:
    """The layers of a configuration, each with the arrays under its path, which are taken out of `groups`."""
    counts: Counter[str] = Counter()
    sequential = node["class_name"] == "Sequential"
    for layer in node["config"]["layers"]:
        if is_operation(layer) or (sequential and layer["class_name"] == "InputLayer"):
            continue
        kind = layer["class_name"]
        element = snake_case(kind)
        place = f"{path}layers/{element}_{counts[element]}" if counts[element] else f"{path}layers/{element}"
        counts[element] += 1
        name = "  " * depth + str(layer["config"].get("name", place))
        if isinstance(layer["config"].get("layers"), list):
            yield Part(name, kind)
            yield from _layers(layer, groups, f"{place}/", depth + 1)
            continue
        inside = [key for key in groups if key == place or key.startswith(f"{place}/")]
        yield Part(name, kind, [array for key in inside for array in groups.pop(key).arrays])


def _hdf5(path: Path) -> Contents:
    with open(path, "rb") as file:
        archive = hdf5_reader.read(file, str(path))
        if legacy_h5.is_legacy(archive):
            return _legacy(archive, path)
        groups = _groups(file, str(path))
    optimizer = groups.pop("optimizer", Part("", "")).arrays
    return Contents("Keras 3 weights", [part for part in groups.values() if part.arrays], optimizer)


def _legacy(archive: Any, path: Path) -> Contents:
    with locating(path, "model_config"):
        config = parse_json(hdf5.text(archive, "model_config") or "{}")
        training = parse_json(hdf5.text(archive, "training_config") or "{}")
        kinds = {layer["config"]["name"]: layer["class_name"] for layer in config.get("config", {}).get("layers", ())}
        facts = {"Model": f"{config['config'].get('name', '')} ({config['class_name']})"} if config else {}
    with locating(path, "model_weights"):
        root = archive.get("model_weights") or archive
        names = [*(hdf5.texts(root, "layer_names") or ()), *([legacy_h5.OWN] if legacy_h5.OWN in root else ())]
        parts = [Part(name, kinds.get(name, ""), _named(root[name])) for name in names]
        optimizer = _named(archive["optimizer_weights"]) if "optimizer_weights" in archive else []
        facts["Written by"] = f"Keras {hdf5.text(root, 'keras_version') or '?'}"
    parts = [part for part in parts if part.arrays or part.name in kinds]
    return Contents("Keras' older .h5" if config else "weights in Keras' older .h5", parts, optimizer,
                    facts | _training(training))  # fmt: skip


def _named(group: Any) -> list[Array]:
    return _arrays(hdf5.Store(group), hdf5.texts(group, "weight_names") or [])


def _safetensors(path: Path) -> Contents:
    entries, metadata = safetensors.header_of(path)
    parts = [Part(name, "", [Array(entry.shape, entry.dtype)]) for name, entry in sorted(entries.items())]
    return Contents("safetensors", parts, facts=metadata)


def _onnx(path: Path) -> Contents:
    need(str(path), "onnx", "onnx")
    import onnx

    try:
        model = onnx.load(path, load_external_data=False)
        constants = {tensor.name: tensor for tensor in model.graph.initializer}
        types = {name: onnx.helper.tensor_dtype_to_np_dtype(t.data_type).name for name, t in constants.items()}
    except Exception as error:
        raise FileFormatError(f"{path}: not an ONNX file, or a damaged one ({error})") from error
    parts = []
    for node in model.graph.node:
        held = [name for name in node.input if name in constants]
        arrays = [Array(tuple(constants[name].dims), types[name]) for name in held]
        parts.append(Part(node.name or ", ".join(node.output), node.op_type, arrays))
    facts = {"Model": model.graph.name, "Written by": f"{model.producer_name} {model.producer_version}".strip()}
    facts["Opset"] = ", ".join(f"{o.domain or 'ai.onnx'} {o.version}" for o in model.opset_import)
    for what, values in (("Inputs", model.graph.input), ("Outputs", model.graph.output)):
        facts[what] = ", ".join(f"{v.name} {_shape(v)}" for v in values)
    return Contents("ONNX", parts, facts=facts)


def _shape(value: Any) -> str:
    return "(" + ", ".join(d.dim_param or str(d.dim_value) for d in value.type.tensor_type.shape.dim) + ")"
